/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames in memory and converters between them. No state; used on any thread. */
#include "video-frame.h"

#include <gio/gio.h>

void
fal_video_frame_clear (GstVideoFrame *frame)
{
  if (frame->buffer != NULL)
    gst_video_frame_unmap (frame);
  *frame = (GstVideoFrame){ 0 };
}

gboolean
fal_video_frame_make (GstVideoFrame *frame, const GstVideoInfo *info, GError **error)
{
  guint8 *data = g_try_malloc0 (GST_VIDEO_INFO_SIZE (info));
  g_autoptr (GstBuffer) buffer = NULL;

  if (data == NULL) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "No memory for a frame of %d × %d pixels",
        GST_VIDEO_INFO_WIDTH (info), GST_VIDEO_INFO_HEIGHT (info));
    return FALSE;
  }
  buffer = gst_buffer_new_wrapped (data, GST_VIDEO_INFO_SIZE (info));
  return gst_video_frame_map (frame, info, buffer, GST_MAP_READWRITE);
}

gboolean
fal_video_frame_make_info (GstVideoInfo *info, const GstVideoInfo *like, GstVideoFormat format,
    gint width, gint height, GError **error)
{
  if (!gst_video_info_set_format (info, format, width, height)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "A frame of %d × %d pixels is too large",
        width, height);
    return FALSE;
  }
  if (format == GST_VIDEO_INFO_FORMAT (like) ||
      (GST_VIDEO_INFO_IS_RGB (info) && GST_VIDEO_INFO_IS_RGB (like))) {
    info->colorimetry = like->colorimetry;
    info->chroma_site = like->chroma_site;
  }
  return TRUE;
}

GstVideoConverter *
fal_video_frame_make_converter (
    const GstVideoInfo *in, const GstVideoRectangle *from, const GstVideoInfo *out, GError **error)
{
  GstVideoConverter *converter = gst_video_converter_new (in, out,
      gst_structure_new ("GstVideoConverter", GST_VIDEO_CONVERTER_OPT_SRC_X, G_TYPE_INT, from->x,
          GST_VIDEO_CONVERTER_OPT_SRC_Y, G_TYPE_INT, from->y, GST_VIDEO_CONVERTER_OPT_SRC_WIDTH,
          G_TYPE_INT, from->w, GST_VIDEO_CONVERTER_OPT_SRC_HEIGHT, G_TYPE_INT, from->h,
          GST_VIDEO_CONVERTER_OPT_RESAMPLER_METHOD, GST_TYPE_VIDEO_RESAMPLER_METHOD,
          GST_VIDEO_RESAMPLER_METHOD_LINEAR, GST_VIDEO_CONVERTER_OPT_DITHER_METHOD,
          GST_TYPE_VIDEO_DITHER_METHOD, GST_VIDEO_DITHER_NONE, NULL));

  if (converter == NULL)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "No way from %s video to %s",
        GST_VIDEO_INFO_NAME (in), GST_VIDEO_INFO_NAME (out));
  return converter;
}
