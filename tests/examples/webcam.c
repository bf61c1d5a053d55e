/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A webcam, and in a window what a model makes of it. The pipeline stands in player.c. */
#include "player.h"

int
main (int argc, char **argv)
{
  GstElement *pipeline =
      player_new_pipeline (argc, argv, "Shows what a model makes of a webcam.", NULL);

  return pipeline ? player_run (pipeline) : 2;
}
