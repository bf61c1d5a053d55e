/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the three pipelines are made of their descriptions. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* NULL where an element is not there: the message says which, and what to do. GStreamer's own way
 * is to leave it out. Errors: GST_PARSE_ERROR. */
GstElement *live_pipeline_new (const gchar *description, GError **error);

G_END_DECLS
