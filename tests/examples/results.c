/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is known of each result travels with its picture: a custom meta named GstFalResultMeta,
 * which is a structure of named fields:
 *
 *   sent, received            gint64   when request and reply went by, in µs of
 *                                      g_get_monotonic_time()
 *   round-trip                gdouble  the time between these, in ms
 *   inference                 gdouble  that the model says it took, in ms; where it says so
 *   image-index, image-count  guint    which picture of a reply this is, from 0; of how many
 *   request-id                string   as the reply has it; where it has one
 *
 * and, with the name and type that the app gave them, all other fields of the reply: whole numbers
 * are gint64, others gdouble, then string and gboolean; a list is a GST_TYPE_ARRAY, a map a
 * GstStructure. Elements that change a picture, such as videoconvert, leave the meta on it. */
#include "player.h"

/* Called on the thread on which the picture travels, which waits meanwhile: so it should not take
 * long. */
static GstPadProbeReturn
show_meta (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstBuffer *picture = GST_PAD_PROBE_INFO_BUFFER (info);
  GstCustomMeta *meta = gst_buffer_get_custom_meta (picture, "GstFalResultMeta");
  GstStructure *fields;
  gdouble round_trip = 0, inference = 0;
  guint index = 0, count = 0;
  gint64 seed = 0;

  /* A frame that is shown for want of a result (fallback, enabled=false) has none. */
  if (meta == NULL)
    return GST_PAD_PROBE_OK;
  fields = gst_custom_meta_get_structure (meta);
  gst_structure_get (fields, "round-trip", G_TYPE_DOUBLE, &round_trip, "image-index", G_TYPE_UINT,
      &index, "image-count", G_TYPE_UINT, &count, NULL);
  g_print ("picture %u of %u, %.1f ms there and back", index + 1, count, round_trip);
  if (gst_structure_get_double (fields, "inference", &inference))
    g_print (", of which the model %.1f ms", inference);
  if (gst_structure_get_int64 (fields, "seed", &seed))
    g_print (", seed %" G_GINT64_FORMAT, seed);
  g_print ("\n");
  return GST_PAD_PROBE_OK;
}

int
main (int argc, char **argv)
{
  GstElement *pipeline =
      player_new_pipeline (argc, argv, "Prints what comes with each result.", NULL);
  g_autoptr (GstElement) fal = NULL;
  g_autoptr (GstPad) pad = NULL;

  if (pipeline == NULL)
    return 2;
  fal = gst_bin_get_by_name (GST_BIN (pipeline), "fal");
  /* A probe sees whatever passes a pad, here the one on which the results leave. */
  pad = gst_element_get_static_pad (fal, "src");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, show_meta, NULL, NULL);
  return player_run (pipeline);
}
