/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A part of the picture: what is typed, as X,Y,W,H, is all that the model gets from then on. A
 * program that finds faces would set it in the same way, or attach a GstVideoRegionOfInterestMeta
 * to each frame and set region=meta. */
#include "player.h"

static void
choose_region (GstElement *fal, const char *line)
{
  /* A text that cannot be read changes nothing, and a WARNING says so. Nothing is the whole frame.
   */
  g_object_set (fal, "region", line, NULL);
}

int
main (int argc, char **argv)
{
  GstElement *pipeline = player_new_pipeline (
      argc, argv, "Type the part of the picture that is sent, as X,Y,W,H, and press Enter.", NULL);
  g_autoptr (GstElement) fal = NULL;

  if (pipeline == NULL)
    return 2;
  fal = gst_bin_get_by_name (GST_BIN (pipeline), "fal");
  /* The part is sent in its own size. */
  g_object_set (fal, "width", 0, "height", 0, NULL);
  player_watch_input (fal, choose_region);
  return player_run (pipeline);
}
