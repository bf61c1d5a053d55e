/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The prompt changes while it plays: each line that is typed is the next one. Once a second a line
 * says how it goes. */
#include "player.h"

static void
set_prompt (GstElement *fal, const char *line)
{
  /* The next request has it. Any thread may set it, at any time; nothing restarts. */
  if (*line != '\0')
    g_object_set (fal, "prompt", line, NULL);
}

/* The figures are those of one moment, so they fit together: README.md has the whole list. */
static gboolean
show_stats (gpointer fal)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 frames = 0, sent = 0, answered = 0;
  gdouble round_trip = 0, age = 0; /* ms, medians; 0 before the first result */

  g_object_get (fal, "stats", &stats, NULL);
  gst_structure_get (stats, "frames-in", G_TYPE_UINT64, &frames, "frames-sent", G_TYPE_UINT64,
      &sent, "answered", G_TYPE_UINT64, &answered, NULL);
  gst_structure_get_double (stats, "round-trip-p50", &round_trip);
  gst_structure_get_double (stats, "age-p50", &age);
  g_print ("%" G_GUINT64_FORMAT " frames, %" G_GUINT64_FORMAT " sent, %" G_GUINT64_FORMAT
           " answered; there and back in %.0f ms, results are %.0f ms old\n",
      frames, sent, answered, round_trip, age);
  return G_SOURCE_CONTINUE;
}

int
main (int argc, char **argv)
{
  GstElement *pipeline =
      player_new_pipeline (argc, argv, "Type a new prompt while it plays.", NULL);
  g_autoptr (GstElement) fal = NULL;

  if (pipeline == NULL)
    return 2;
  fal = gst_bin_get_by_name (GST_BIN (pipeline), "fal");
  player_watch_input (fal, set_prompt);
  g_timeout_add_seconds (1, show_stats, fal);
  return player_run (pipeline);
}
