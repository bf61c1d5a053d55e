/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "background.h"
#include <gst/video/video.h>

#define PIXEL 4 /* bytes of one of RGBx */

/* From the top to the bottom: red, green, blue. */
static const guint8 top[] = { 0x24, 0x3b, 0x6b }, bottom[] = { 0xf2, 0xa6, 0x5a };

/* One part of a picture's row: red, green, blue or alpha. */
static const guint8 *
get_component (const GstVideoFrame *frame, guint component, guint y)
{
  const guint8 *data = GST_VIDEO_FRAME_COMP_DATA (frame, component);

  return data + (gsize) y * GST_VIDEO_FRAME_COMP_STRIDE (frame, component);
}

static void
lay_row (guint8 *to, const GstVideoFrame *from, guint component, guint y)
{
  guint last = MAX (GST_VIDEO_FRAME_HEIGHT (from) - 1, 1);
  guint sky = (top[component] * (last - MIN (y, last)) + bottom[component] * y) / last;
  const guint8 *color = get_component (from, component, y);
  const guint8 *alpha = get_component (from, GST_VIDEO_COMP_A, y);

  for (gint x = 0; x < GST_VIDEO_FRAME_WIDTH (from); x++) {
    guint a = alpha[x * GST_VIDEO_FRAME_COMP_PSTRIDE (from, GST_VIDEO_COMP_A)];
    guint c = color[x * GST_VIDEO_FRAME_COMP_PSTRIDE (from, component)];

    to[x * PIXEL + component] = (c * a + sky * (255 - a)) / 255;
  }
}

static GstBuffer *
lay (const GstVideoFrame *from)
{
  gsize stride = (gsize) GST_VIDEO_FRAME_WIDTH (from) * PIXEL;
  gsize size = stride * GST_VIDEO_FRAME_HEIGHT (from);
  guint8 *data = g_malloc0 (size);

  for (gint y = 0; y < GST_VIDEO_FRAME_HEIGHT (from); y++)
    for (guint component = 0; component < G_N_ELEMENTS (top); component++)
      lay_row (data + y * stride, from, component, y);
  return gst_buffer_new_wrapped (data, size);
}

static GstCaps *
make_caps (const GstVideoInfo *like)
{
  GstVideoInfo info;

  gst_video_info_set_format (
      &info, GST_VIDEO_FORMAT_RGBx, GST_VIDEO_INFO_WIDTH (like), GST_VIDEO_INFO_HEIGHT (like));
  GST_VIDEO_INFO_PAR_N (&info) = GST_VIDEO_INFO_PAR_N (like);
  GST_VIDEO_INFO_PAR_D (&info) = GST_VIDEO_INFO_PAR_D (like);
  return gst_video_info_to_caps (&info);
}

GstSample *
live_background_lay (GstSample *frame)
{
  GstVideoInfo info;
  GstVideoFrame from;
  g_autoptr (GstBuffer) buffer = NULL;
  g_autoptr (GstCaps) caps = NULL;

  if (!gst_video_info_from_caps (&info, gst_sample_get_caps (frame)) ||
      !GST_VIDEO_INFO_HAS_ALPHA (&info) || !GST_VIDEO_INFO_IS_RGB (&info) ||
      GST_VIDEO_INFO_COMP_DEPTH (&info, 0) != 8 ||
      !gst_video_frame_map (&from, &info, gst_sample_get_buffer (frame), GST_MAP_READ))
    return NULL;
  buffer = lay (&from);
  gst_video_frame_unmap (&from);
  caps = make_caps (&info);
  return gst_sample_new (buffer, caps, NULL, NULL);
}
