/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The encoder: turns samples into JPEGs for the wire, and keeps its converters and
 * intermediate frames while sizes and formats stay. What shrinks does so in its own
 * format first, for converting the colours costs more than the JPEG. Used by the
 * send thread alone. */
#include "codec-private.h"

#include <gio/gio.h>
#include <turbojpeg.h>

/* Into this one the converter has the quickest ways, and TurboJPEG reads it. */
#define CANVAS_FORMAT GST_VIDEO_FORMAT_BGRx

/* The largest side that libjpeg writes. */
#define MAX_SIDE 65500

struct _FalEncoder {
  tjhandle jpeg;

  GstCaps *caps;           /* what all below was made for; NULL: nothing yet */
  FalEncoderConfig config; /* likewise, but for the quality */
  GstVideoInfo input;
  GstVideoRectangle from; /* the part of the input that is seen */
  GstVideoRectangle to;   /* where it stands in the canvas */

  GstVideoConverter *scaler;    /* input to small; NULL: not needed */
  GstVideoFrame small;          /* in the input's format */
  GstVideoConverter *converter; /* small, else input, to canvas; NULL: the input is the canvas */
  GstVideoFrame canvas;         /* an RGB format, black around @to */
};

FalEncoder *
fal_encoder_new (void)
{
  return g_new0 (FalEncoder, 1);
}

static void
encoder_reset (FalEncoder *encoder)
{
  gst_clear_caps (&encoder->caps);
  g_clear_pointer (&encoder->scaler, gst_video_converter_free);
  g_clear_pointer (&encoder->converter, gst_video_converter_free);
  fal_codec_clear_frame (&encoder->small);
  fal_codec_clear_frame (&encoder->canvas);
}

void
fal_encoder_free (FalEncoder *encoder)
{
  encoder_reset (encoder);
  if (encoder->jpeg != NULL)
    tjDestroy (encoder->jpeg);
  g_free (encoder);
}

/* One field of two that travel apart is a picture of its own, of half the height. */
static gboolean
take_field (GstVideoInfo *info)
{
  GstVideoInfo frame = *info;

  if (!gst_video_info_set_format (
          info, GST_VIDEO_INFO_FORMAT (&frame), frame.width, GST_VIDEO_INFO_FIELD_HEIGHT (&frame)))
    return FALSE;
  info->colorimetry = frame.colorimetry;
  info->chroma_site = frame.chroma_site;
  return gst_util_fraction_multiply (frame.par_n, frame.par_d, 1, 2, &info->par_n, &info->par_d);
}

/* The converter wants to know all of the colours, and does not care about time. */
static gboolean
parse_input (const GstCaps *caps, GstVideoInfo *info)
{
  if (!gst_video_info_from_caps (info, caps) || info->width == 0 || info->height == 0 ||
      GST_VIDEO_INFO_N_PLANES (info) == 0)
    return FALSE;
  if (info->interlace_mode == GST_VIDEO_INTERLACE_MODE_ALTERNATE && !take_field (info))
    return FALSE;

  info->interlace_mode = GST_VIDEO_INTERLACE_MODE_PROGRESSIVE;
  info->fps_n = 0;
  info->fps_d = 1;
  info->flags = GST_VIDEO_FLAG_NONE;
  if (GST_VIDEO_INFO_IS_YUV (info) && info->colorimetry.matrix <= GST_VIDEO_COLOR_MATRIX_RGB)
    info->colorimetry.matrix =
        info->height > 576 ? GST_VIDEO_COLOR_MATRIX_BT709 : GST_VIDEO_COLOR_MATRIX_BT601;
  if (info->colorimetry.range == GST_VIDEO_COLOR_RANGE_UNKNOWN)
    info->colorimetry.range =
        GST_VIDEO_INFO_IS_YUV (info) ? GST_VIDEO_COLOR_RANGE_16_235 : GST_VIDEO_COLOR_RANGE_0_255;
  return TRUE;
}

/* The largest area of @width to @height within @area, centred. */
static void
keep_ratio (GstVideoRectangle *area, guint64 width, guint64 height)
{
  GstVideoRectangle outer = *area;

  if ((guint64)outer.w * height > width * outer.h)
    area->w = CLAMP (gst_util_uint64_scale_round (outer.h, width, height), 1, (guint64)outer.w);
  else
    area->h = CLAMP (gst_util_uint64_scale_round (outer.w, height, width), 1, (guint64)outer.h);
  area->x += (outer.w - area->w) / 2;
  area->y += (outer.h - area->h) / 2;
}

/* The cut begins where a chroma sample does, or the colours would shift. */
static void
align_cut (GstVideoRectangle *cut, const GstVideoFormatInfo *format)
{
  guint x = 0, y = 0;

  for (guint i = 0; i < GST_VIDEO_FORMAT_INFO_N_COMPONENTS (format); i++) {
    x = MAX (x, GST_VIDEO_FORMAT_INFO_W_SUB (format, i));
    y = MAX (y, GST_VIDEO_FORMAT_INFO_H_SUB (format, i));
  }
  cut->x = (cut->x >> x) << x;
  cut->y = (cut->y >> y) << y;
}

static gint
open_side (guint side, guint64 shape, guint64 other_shape)
{
  return CLAMP (gst_util_uint64_scale_round (side, shape, other_shape), 1, G_MAXINT);
}

/* Sets from, to and the canvas' size (of which an open side follows from the other
 * by the shape that the input has on a screen). */
static void
lay_out (FalEncoder *encoder, gint *width, gint *height)
{
  const FalEncoderConfig *config = &encoder->config;
  const GstVideoInfo *input = &encoder->input;
  guint shape_w, shape_h;

  if (!gst_video_calculate_display_ratio (
          &shape_w, &shape_h, input->width, input->height, input->par_n, input->par_d, 1, 1)) {
    shape_w = input->width;
    shape_h = input->height;
  }

  *width = config->width;
  *height = config->height;
  if (config->width == 0 && config->height == 0) {
    *width = input->width;
    *height = input->height;
  } else if (config->width == 0)
    *width = open_side (config->height, shape_w, shape_h);
  else if (config->height == 0)
    *height = open_side (config->width, shape_h, shape_w);

  encoder->from = (GstVideoRectangle){ 0, 0, input->width, input->height };
  encoder->to = (GstVideoRectangle){ 0, 0, *width, *height };
  if (config->width == 0 || config->height == 0)
    return;
  if (config->fit == FAL_FIT_LETTERBOX)
    keep_ratio (&encoder->to, shape_w, shape_h);
  else if (config->fit == FAL_FIT_CROP) {
    keep_ratio (&encoder->from, (guint64)*width * input->par_d, (guint64)*height * input->par_n);
    align_cut (&encoder->from, input->finfo);
  }
}

/* The formats whose planes the converter scales as they are. Any other it unpacks
 * pixel by pixel, so it had better convert it in the same go. */
static gboolean
scales_planes (GstVideoFormat format, gint from_width, gint to_width)
{
  /* The scaler of packed YUV fails where luma and chroma do not shrink alike. */
  gboolean is_even = from_width % 2 == 0 && to_width % 2 == 0;
  static const GstVideoFormat formats[] = {
    GST_VIDEO_FORMAT_I420,
    GST_VIDEO_FORMAT_YV12,
    GST_VIDEO_FORMAT_NV12,
    GST_VIDEO_FORMAT_NV21,
    GST_VIDEO_FORMAT_YUY2,
    GST_VIDEO_FORMAT_UYVY,
    GST_VIDEO_FORMAT_YVYU,
    GST_VIDEO_FORMAT_Y42B,
    GST_VIDEO_FORMAT_Y444,
  };

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    if (formats[i] == format)
      return is_even || gst_video_format_get_info (format)->n_planes > 1;
  }
  return FALSE;
}

static gboolean
make_scaler (FalEncoder *encoder, GError **error)
{
  GstVideoInfo small;

  if (!fal_codec_make_info (&small, &encoder->input, GST_VIDEO_INFO_FORMAT (&encoder->input),
          encoder->to.w, encoder->to.h, error) ||
      !fal_codec_make_frame (&encoder->small, &small, error))
    return FALSE;

  encoder->scaler = fal_codec_make_converter (&encoder->input, &encoder->from, &small, error);
  return encoder->scaler != NULL;
}

static gboolean
make_canvas (FalEncoder *encoder, GstVideoFormat format, gint width, gint height, GError **error)
{
  const GstVideoInfo *in = encoder->scaler != NULL ? &encoder->small.info : &encoder->input;
  GstVideoRectangle small = { 0, 0, encoder->to.w, encoder->to.h };
  GstVideoInfo canvas, part;

  if (!fal_codec_make_info (&canvas, &encoder->input, format, width, height, error) ||
      !fal_codec_make_info (&part, &encoder->input, format, encoder->to.w, encoder->to.h, error) ||
      !fal_codec_make_frame (&encoder->canvas, &canvas, error))
    return FALSE;

  encoder->converter = fal_codec_make_converter (
      in, encoder->scaler != NULL ? &small : &encoder->from, &part, error);
  return encoder->converter != NULL;
}

static gboolean
is_limited_rgb (const GstVideoInfo *info)
{
  return GST_VIDEO_INFO_IS_RGB (info) && info->colorimetry.range == GST_VIDEO_COLOR_RANGE_16_235;
}

static gboolean
make_stages (FalEncoder *encoder, gint width, gint height, GError **error)
{
  GstVideoFormat format = GST_VIDEO_INFO_FORMAT (&encoder->input);
  gboolean is_rgb = fal_picture_get_jpeg_layout (format) >= 0;
  gboolean scales = encoder->from.w != encoder->to.w || encoder->from.h != encoder->to.h;
  gboolean cuts =
      encoder->from.w != encoder->input.width || encoder->from.h != encoder->input.height;
  gboolean pads = encoder->to.w != width || encoder->to.h != height;

  if (is_rgb && !scales && !cuts && !pads && !is_limited_rgb (&encoder->input))
    return TRUE;
  if ((scales || cuts) && scales_planes (format, encoder->from.w, encoder->to.w) &&
      !make_scaler (encoder, error))
    return FALSE;
  return make_canvas (encoder, is_rgb ? format : CANVAS_FORMAT, width, height, error);
}

static gboolean
encoder_is_ready (FalEncoder *encoder, GstCaps *caps, const FalEncoderConfig *config)
{
  return encoder->caps != NULL && encoder->config.width == config->width &&
         encoder->config.height == config->height && encoder->config.fit == config->fit &&
         gst_caps_is_equal (encoder->caps, caps);
}

static gboolean
encoder_prepare (FalEncoder *encoder, GstCaps *caps, const FalEncoderConfig *config, GError **error)
{
  gint width, height;

  if (encoder_is_ready (encoder, caps, config))
    return TRUE;

  encoder_reset (encoder);
  if (!parse_input (caps, &encoder->input)) {
    g_autofree gchar *name = gst_caps_to_string (caps);

    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "Cannot make pictures of %s", name);
    return FALSE;
  }
  encoder->config = *config;
  lay_out (encoder, &width, &height);
  if (width < 1 || width > MAX_SIDE || height < 1 || height > MAX_SIDE) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
        "A JPEG of %d × %d pixels is not possible, a side ends at %d", width, height, MAX_SIDE);
    return FALSE;
  }
  if (!make_stages (encoder, width, height, error))
    return FALSE;
  encoder->caps = gst_caps_ref (caps);
  return TRUE;
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

/* The bytes that a plane must have, with the stride that it does have. */
static gint64
plane_size (const GstVideoInfo *info, guint plane, gint stride)
{
  gboolean is_last = plane + 1 == GST_VIDEO_INFO_N_PLANES (info);
  gint64 usual =
      (is_last ? info->size : GST_VIDEO_INFO_PLANE_OFFSET (info, plane + 1)) - info->offset[plane];

  if (GST_VIDEO_FORMAT_INFO_HAS_PALETTE (info->finfo) && plane == 1)
    return usual;
  if (GST_VIDEO_FORMAT_INFO_IS_TILED (info->finfo)) {
    gint64 tiles = (gint64)GST_VIDEO_TILE_X_TILES (info->stride[plane]) *
                   GST_VIDEO_TILE_Y_TILES (info->stride[plane]);

    return usual / MAX (tiles, 1) * GST_VIDEO_TILE_X_TILES (stride) *
           GST_VIDEO_TILE_Y_TILES (stride);
  }
  return (gint64)stride * (plane_rows (info, plane) - 1) + MIN (stride, info->stride[plane]);
}

/* The meta of a buffer is a claim about its memory: neither gst_video_frame_map()
 * nor the converter holds it against the size of what is there. */
static gboolean
frame_is_whole (const GstVideoFrame *frame, const GstVideoInfo *info)
{
  for (guint i = 0; i < GST_VIDEO_INFO_N_PLANES (info); i++) {
    const GstMapInfo *map = &frame->map[frame->meta != NULL ? i : 0];
    gint stride = GST_VIDEO_FRAME_PLANE_STRIDE (frame, i);
    gint64 offset = (const guint8 *)frame->data[i] - map->data;

    if (stride <= 0 || offset < 0 || offset + plane_size (info, i, stride) > (gint64)map->size)
      return FALSE;
  }
  return TRUE;
}

static gboolean
map_input (GstVideoFrame *frame, const GstVideoInfo *info, GstBuffer *buffer, GError **error)
{
  GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);
  gboolean agrees =
      meta == NULL ||
      (meta->format == GST_VIDEO_INFO_FORMAT (info) && meta->width >= (guint)info->width &&
          meta->height >= (guint)info->height && meta->n_planes == GST_VIDEO_INFO_N_PLANES (info));

  if (agrees && gst_video_frame_map (frame, info, buffer, GST_MAP_READ)) {
    if (frame_is_whole (frame, info))
      return TRUE;
    gst_video_frame_unmap (frame);
  }
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
      "A buffer of %" G_GSIZE_FORMAT " bytes does not hold the %s frame of %d × %d of its caps",
      gst_buffer_get_size (buffer), GST_VIDEO_INFO_NAME (info), info->width, info->height);
  return FALSE;
}

/* The part of the canvas that the picture covers, as a frame to write to. */
static GstVideoFrame
canvas_part (const GstVideoFrame *canvas, const GstVideoRectangle *area)
{
  GstVideoFrame part = *canvas;

  part.info.width = area->w;
  part.info.height = area->h;
  part.data[0] = (guint8 *)part.data[0] +
                 (gsize)area->y * GST_VIDEO_FRAME_PLANE_STRIDE (canvas, 0) +
                 (gsize)area->x * GST_VIDEO_FRAME_COMP_PSTRIDE (canvas, 0);
  return part;
}

/* The converter does not touch the range between RGB and RGB. Black bars stay. */
static void
expand_range (GstVideoFrame *canvas)
{
  guint8 *data = GST_VIDEO_FRAME_PLANE_DATA (canvas, 0);
  gsize size = (gsize)GST_VIDEO_FRAME_PLANE_STRIDE (canvas, 0) * GST_VIDEO_FRAME_HEIGHT (canvas);

  for (gsize i = 0; i < size; i++)
    data[i] = CLAMP (((gint)data[i] * 255 - 16 * 255 + 109) / 219, 0, 255);
}

/* Returns the frame to compress: @input itself, or the canvas. */
static const GstVideoFrame *
run_stages (FalEncoder *encoder, const GstVideoFrame *input)
{
  GstVideoFrame part;

  if (encoder->converter == NULL)
    return input;

  if (encoder->scaler != NULL) {
    gst_video_converter_frame (encoder->scaler, input, &encoder->small);
    input = &encoder->small;
  }
  part = canvas_part (&encoder->canvas, &encoder->to);
  gst_video_converter_frame (encoder->converter, input, &part);
  if (is_limited_rgb (&encoder->input))
    expand_range (&encoder->canvas);
  return &encoder->canvas;
}

static GBytes *
compress (FalEncoder *encoder, const GstVideoFrame *frame, const GstVideoInfo *info, guint quality,
    GError **error)
{
  guint8 *jpeg = NULL;
  gulong size = 0;

  if (encoder->jpeg == NULL)
    encoder->jpeg = tjInitCompress ();
  if (encoder->jpeg == NULL ||
      tjCompress2 (encoder->jpeg, GST_VIDEO_FRAME_PLANE_DATA (frame, 0), info->width,
          GST_VIDEO_FRAME_PLANE_STRIDE (frame, 0), info->height,
          fal_picture_get_jpeg_layout (GST_VIDEO_INFO_FORMAT (info)), &jpeg, &size, TJSAMP_420,
          CLAMP (quality, 1, 100), TJFLAG_ACCURATEDCT) != 0) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "Cannot make a JPEG of %d × %d pixels: %s",
        info->width, info->height, tjGetErrorStr2 (encoder->jpeg));
    tjFree (jpeg);
    return NULL;
  }
  return g_bytes_new_with_free_func (jpeg, size, (GDestroyNotify)tjFree, jpeg);
}

static GBytes *
encode_raw (FalEncoder *encoder, GstBuffer *buffer, guint quality, GError **error)
{
  GstVideoFrame input;
  const GstVideoFrame *frame;
  GBytes *jpeg;

  if (!map_input (&input, &encoder->input, buffer, error))
    return NULL;
  frame = run_stages (encoder, &input);
  /* A frame with a meta may be larger than the picture in it. */
  jpeg = compress (
      encoder, frame, frame == &input ? &encoder->input : &encoder->canvas.info, quality, error);
  gst_video_frame_unmap (&input);
  return jpeg;
}

typedef struct {
  GstBuffer *buffer;
  GstMapInfo map;
} SharedBuffer;

static void
shared_buffer_free (SharedBuffer *shared)
{
  gst_buffer_unmap (shared->buffer, &shared->map);
  gst_buffer_unref (shared->buffer);
  g_free (shared);
}

/* The buffer stays mapped and alive as long as the bytes. */
static GBytes *
share_buffer (GstBuffer *buffer, GError **error)
{
  SharedBuffer *shared = g_new0 (SharedBuffer, 1);

  shared->buffer = gst_buffer_ref (buffer);
  if (gst_buffer_map (buffer, &shared->map, GST_MAP_READ)) {
    if (shared->map.size > 0)
      return g_bytes_new_with_free_func (
          shared->map.data, shared->map.size, (GDestroyNotify)shared_buffer_free, shared);
    gst_buffer_unmap (buffer, &shared->map);
  }
  g_set_error_literal (
      error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "A picture's buffer is empty or unreadable");
  gst_buffer_unref (shared->buffer);
  g_free (shared);
  return NULL;
}

/* The media type of caps that are a picture already, else NULL. */
static const gchar *
picture_media_type (const GstCaps *caps)
{
  const GstStructure *structure = gst_caps_get_structure (caps, 0);

  for (guint type = FAL_PICTURE_JPEG; type <= FAL_PICTURE_WEBP; type++) {
    if (gst_structure_has_name (structure, fal_picture_get_media_type (type)))
      return fal_picture_get_media_type (type);
  }
  return NULL;
}

GBytes *
fal_encoder_encode (FalEncoder *encoder, GstSample *sample, const FalEncoderConfig *config,
    const gchar **media_type, GError **error)
{
  GstCaps *caps = gst_sample_get_caps (sample);
  GstBuffer *buffer = gst_sample_get_buffer (sample);

  if (caps == NULL || gst_caps_get_size (caps) == 0 || buffer == NULL) {
    g_set_error_literal (
        error, G_IO_ERROR, G_IO_ERROR_FAILED, "A frame came without caps or without a buffer");
    return NULL;
  }
  *media_type = picture_media_type (caps);
  if (*media_type != NULL)
    return share_buffer (buffer, error);

  *media_type = fal_picture_get_media_type (FAL_PICTURE_JPEG);
  if (!encoder_prepare (encoder, caps, config, error))
    return NULL;
  return encode_raw (encoder, buffer, config->quality, error);
}
