/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline.h"

GstElement *
live_pipeline_new (const gchar *description, GError **error)
{
  GError *reason = NULL;
  GstElement *pipeline =
      gst_parse_launch_full (description, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &reason);

  if (pipeline != NULL)
    return pipeline;
  g_prefix_error (&reason,
      "GStreamer lacks something (falrealtimefilter is found within: meson devenv -C build; the "
      "others are in gstreamer1.0-plugins-base and gstreamer1.0-plugins-good): ");
  g_propagate_error (error, reason);
  return NULL;
}
