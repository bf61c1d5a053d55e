/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames in memory and converters between them. No state; used on any thread. */
#include "video-frame.h"

#include <gio/gio.h>
#include <string.h>

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
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "no memory for a frame of %dx%d pixels",
        GST_VIDEO_INFO_WIDTH (info), GST_VIDEO_INFO_HEIGHT (info));
    return FALSE;
  }
  buffer = gst_buffer_new_wrapped (data, GST_VIDEO_INFO_SIZE (info));
  return gst_video_frame_map (frame, info, buffer, GST_MAP_READWRITE);
}

static guint
plane_rows (const GstVideoInfo *info, guint plane)
{
  for (guint i = 0; i < GST_VIDEO_INFO_N_COMPONENTS (info); i++) {
    if (GST_VIDEO_INFO_COMP_PLANE (info, i) == plane)
      return GST_VIDEO_INFO_COMP_HEIGHT (info, i);
  }
  return 1;
}

/* The bytes of one row of a plane's samples; 0: not known, because samples share bytes. */
static gint
row_size (const GstVideoInfo *info, guint plane)
{
  gint size = 0;

  if (GST_VIDEO_FORMAT_INFO_IS_COMPLEX (info->finfo))
    return 0;
  for (guint i = 0; i < GST_VIDEO_INFO_N_COMPONENTS (info); i++) {
    if (info->finfo->plane[i] == plane)
      size =
          MAX (size, GST_VIDEO_INFO_COMP_WIDTH (info, i) * GST_VIDEO_INFO_COMP_PSTRIDE (info, i));
  }
  return size;
}

/* Whether rows that are @stride apart do not overlap: if they did, the last one would end beyond
 * its plane. They may be closer than GStreamer's default. A palette has no rows. */
static gboolean
holds_rows (const GstVideoInfo *info, guint plane, gint stride)
{
  gint usual = info->stride[plane], row = row_size (info, plane);

  if (GST_VIDEO_FORMAT_INFO_HAS_PALETTE (info->finfo) && plane == 1)
    return TRUE;
  if (GST_VIDEO_FORMAT_INFO_IS_TILED (info->finfo))
    return GST_VIDEO_TILE_X_TILES (stride) >= GST_VIDEO_TILE_X_TILES (usual) &&
           GST_VIDEO_TILE_Y_TILES (stride) >= GST_VIDEO_TILE_Y_TILES (usual);
  return stride >= (row > 0 ? row : usual);
}

/* The bytes that a plane needs with this stride. */
static gint64
plane_size (const GstVideoInfo *info, guint plane, gint stride)
{
  gboolean is_last = plane + 1 == GST_VIDEO_INFO_N_PLANES (info);
  gint64 usual =
      (is_last ? info->size : GST_VIDEO_INFO_PLANE_OFFSET (info, plane + 1)) - info->offset[plane];

  if (GST_VIDEO_FORMAT_INFO_HAS_PALETTE (info->finfo) && plane == 1)
    return usual;
  if (GST_VIDEO_FORMAT_INFO_IS_TILED (info->finfo)) {
    gint64 tiles = (gint64) GST_VIDEO_TILE_X_TILES (info->stride[plane]) *
                   GST_VIDEO_TILE_Y_TILES (info->stride[plane]);

    return usual / MAX (tiles, 1) * GST_VIDEO_TILE_X_TILES (stride) *
           GST_VIDEO_TILE_Y_TILES (stride);
  }
  return (gint64) stride * (plane_rows (info, plane) - 1) + MIN (stride, info->stride[plane]);
}

/* Whether all planes lie within the buffer's memory. A buffer's video meta may be wrong, and
 * neither gst_video_frame_map() nor the converter checks it. */
static gboolean
frame_is_whole (const GstVideoFrame *frame, const GstVideoInfo *info)
{
  for (guint i = 0; i < GST_VIDEO_INFO_N_PLANES (info); i++) {
    const GstMapInfo *map = &frame->map[frame->meta != NULL ? i : 0];
    gint stride = GST_VIDEO_FRAME_PLANE_STRIDE (frame, i);
    gint64 offset = (const guint8 *) frame->data[i] - map->data;

    if (stride <= 0 || !holds_rows (info, i, stride) || offset < 0 ||
        offset + plane_size (info, i, stride) > (gint64) map->size)
      return FALSE;
  }
  return TRUE;
}

gboolean
fal_video_frame_map_whole (
    GstVideoFrame *frame, const GstVideoInfo *info, GstBuffer *buffer, GError **error)
{
  GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);
  gboolean agrees =
      meta == NULL ||
      (meta->format == GST_VIDEO_INFO_FORMAT (info) && meta->width >= (guint) info->width &&
          meta->height >= (guint) info->height && meta->n_planes == GST_VIDEO_INFO_N_PLANES (info));

  if (agrees && gst_video_frame_map (frame, info, buffer, GST_MAP_READ)) {
    if (frame_is_whole (frame, info))
      return TRUE;
    gst_video_frame_unmap (frame);
  }
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
      "a buffer of %" G_GSIZE_FORMAT " bytes does not hold the %s frame of %dx%d of its caps",
      gst_buffer_get_size (buffer), GST_VIDEO_INFO_NAME (info), info->width, info->height);
  return FALSE;
}

gboolean
fal_video_frame_clip (const FalArea *wanted, gint width, gint height, FalArea *part)
{
  gint64 right = MIN ((gint64) wanted->x + wanted->width, width);
  gint64 bottom = MIN ((gint64) wanted->y + wanted->height, height);

  *part = (FalArea) { 0, 0, width, height };
  if (wanted->width == 0 || wanted->height == 0)
    return TRUE;
  part->x = MAX (wanted->x, 0);
  part->y = MAX (wanted->y, 0);
  part->width = right - part->x;
  part->height = bottom - part->y;
  return right > part->x && bottom > part->y;
}

gboolean
fal_video_frame_is_padded (GstBuffer *buffer, const GstVideoInfo *info)
{
  const GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);

  if (meta == NULL)
    return FALSE;
  for (guint i = 0; i < meta->n_planes; i++)
    if (meta->offset[i] != GST_VIDEO_INFO_PLANE_OFFSET (info, i) ||
        meta->stride[i] != GST_VIDEO_INFO_PLANE_STRIDE (info, i))
      return TRUE;
  return gst_buffer_get_size (buffer) != GST_VIDEO_INFO_SIZE (info);
}

void
fal_video_frame_copy_metadata (GstBuffer *from, GstBuffer *to)
{
  const GstBufferCopyFlags flags = GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_TIMESTAMPS |
                                   GST_BUFFER_COPY_META | GST_BUFFER_COPY_DEEP;
  GstVideoMeta *layout;

  gst_buffer_copy_into (to, from, flags, 0, -1);
  while ((layout = gst_buffer_get_video_meta (to)))
    gst_buffer_remove_meta (to, &layout->meta);
}

/* gst_video_frame_copy() leaves out the last colour of packed 4:2:2 rows of an odd width: up to
 * GStreamer 1.22 at least it goes by the pixels of the first component. */
static void
complete_rows (GstVideoFrame *to, const GstVideoFrame *from)
{
  gint pair = GST_VIDEO_FRAME_COMP_PSTRIDE (from, 1); /* bytes of two pixels */
  gint last = (GST_VIDEO_FRAME_COMP_WIDTH (from, 1) - 1) * pair;

  for (gint y = 0; y < GST_VIDEO_FRAME_HEIGHT (from); y++)
    memcpy ((guint8 *) GST_VIDEO_FRAME_PLANE_DATA (to, 0) +
                (gssize) y * GST_VIDEO_FRAME_PLANE_STRIDE (to, 0) + last,
        (const guint8 *) GST_VIDEO_FRAME_PLANE_DATA (from, 0) +
            (gssize) y * GST_VIDEO_FRAME_PLANE_STRIDE (from, 0) + last,
        pair);
}

static void
copy_picture (GstVideoFrame *to, const GstVideoFrame *from)
{
  const GstVideoFormatInfo *format = from->info.finfo;

  gst_video_frame_copy (to, from);
  if (GST_VIDEO_FORMAT_INFO_IS_YUV (format) && GST_VIDEO_FORMAT_INFO_N_PLANES (format) == 1 &&
      GST_VIDEO_FORMAT_INFO_W_SUB (format, 1) == 1 && !GST_VIDEO_FORMAT_INFO_IS_COMPLEX (format))
    complete_rows (to, from);
}

GstBuffer *
fal_video_frame_copy_plain (GstBuffer *buffer, const GstVideoInfo *info)
{
  g_autoptr (GstBuffer) copy = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (info), NULL);
  GstVideoFrame from, to;
  gboolean copied;

  if (!gst_video_frame_map (&from, info, buffer, GST_MAP_READ))
    return NULL;
  copied = gst_video_frame_map (&to, info, copy, GST_MAP_WRITE);
  if (copied) {
    copy_picture (&to, &from);
    gst_video_frame_unmap (&to);
    fal_video_frame_copy_metadata (buffer, copy);
  }
  gst_video_frame_unmap (&from);
  return copied ? g_steal_pointer (&copy) : NULL;
}

gboolean
fal_video_frame_make_info (GstVideoInfo *info, const GstVideoInfo *like, GstVideoFormat format,
    gint width, gint height, GError **error)
{
  if (!gst_video_info_set_format (info, format, width, height)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "a frame of %dx%d pixels is too large",
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
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "no way from %s video to %s",
        GST_VIDEO_INFO_NAME (in), GST_VIDEO_INFO_NAME (out));
  return converter;
}

void
fal_video_frame_reduce_ratio (guint64 n, guint64 d, gint *reduced_n, gint *reduced_d)
{
  guint64 divisor = MAX (gst_util_greatest_common_divisor_int64 (n, d), 1);

  n /= divisor;
  d /= divisor;
  while (n > G_MAXINT || d > G_MAXINT) {
    n /= 2;
    d /= 2;
  }
  *reduced_n = MAX (n, 1);
  *reduced_d = MAX (d, 1);
}
