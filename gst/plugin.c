/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The plugin "fal": generative models of fal.ai in GStreamer pipelines. */
#include "gstfalrealtimefilter.h"
#include "fal/frame.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  static const gchar *tags[] = { NULL };

  /* Describes the result that a buffer is; see the README. */
  gst_meta_register_custom (FAL_RESULT_META, tags, NULL, NULL, NULL);
  return GST_ELEMENT_REGISTER (falrealtimefilter, plugin);
}

#define PACKAGE "gst-fal"
GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, fal, "Realtime image models of fal.ai",
    plugin_init, PACKAGE_VERSION, "LGPL", PACKAGE, "https://fal.ai")
