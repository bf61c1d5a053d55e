/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_FAL_REALTIME_FILTER (gst_fal_realtime_filter_get_type ())
G_DECLARE_FINAL_TYPE (
    GstFalRealtimeFilter, gst_fal_realtime_filter, GST, FAL_REALTIME_FILTER, GstElement)

GST_ELEMENT_REGISTER_DECLARE (falrealtimefilter)

G_END_DECLS
