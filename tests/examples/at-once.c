/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A picture when one is wanted: a frame goes to the model when Enter is pressed. What is typed
 * before is the prompt of that one picture. */
#include "player.h"

#define HOUR (60 * 60 * 1000) /* ms */

static void
send_newest_frame (GstElement *fal, const char *line)
{
  /* Inputs of this one request; they go over the element's properties. */
  g_autoptr (GstStructure) inputs = gst_structure_new_empty ("inputs");
  gboolean sent;

  if (*line != '\0')
    gst_structure_set (inputs, "prompt", G_TYPE_STRING, line, NULL);
  g_signal_emit_by_name (fal, "send", inputs, &sent);
  g_print ("%s\n", sent ? "sent" : "there is no frame to send yet");
}

int
main (int argc, char **argv)
{
  GstElement *pipeline =
      player_new_pipeline (argc, argv, "Press Enter to send the newest frame.", NULL);
  g_autoptr (GstElement) fal = NULL;

  if (pipeline == NULL)
    return 2;
  fal = gst_bin_get_by_name (GST_BIN (pipeline), "fal");
  /* By itself only the first frame goes, one an hour, and the last at the end; "send" does not ask
   * for that. The connection stays open meanwhile, which costs where a model is paid by the
   * second. */
  g_object_set (fal, "throttle-interval", HOUR, NULL);
  player_watch_input (fal, send_newest_frame);
  return player_run (pipeline);
}
