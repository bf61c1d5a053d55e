/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Encodes samples as JPEGs. Converters and intermediate frames are kept while sizes and formats are
 * the same. 8-bit YUV is scaled to the planes of a JPEG, all other raw video to RGB. */
#include "encoder.h"
#include "image-file.h"
#include "video-frame.h"
#include "yuv-scaler.h"

#include <gio/gio.h>
#include <turbojpeg.h>

/* The converter is fastest with this format, and TurboJPEG reads it. */
#define CANVAS_FORMAT GST_VIDEO_FORMAT_BGRx

/* The largest width and height that libjpeg writes. */
#define MAX_SIDE 65500

struct _FalEncoder {
  tjhandle jpeg;

  GstCaps *caps;           /* that all below was made for; NULL: nothing yet */
  FalEncoderConfig config; /* that all below was made for, except the quality */
  GstVideoInfo input;
  GstVideoRectangle from; /* the part of the input that is used */
  GstVideoRectangle to;   /* its place in the JPEG */

  gint width, height;           /* of the JPEG */
  FalYuvScaler *scaler;         /* from the input to the JPEG's planes; NULL: by way of RGB */
  GstVideoConverter *converter; /* from the input to @canvas; NULL: the input is compressed */
  GstVideoFrame canvas;         /* RGB, black around @to */
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
  g_clear_pointer (&encoder->scaler, fal_yuv_scaler_free);
  g_clear_pointer (&encoder->converter, gst_video_converter_free);
  fal_video_frame_clear (&encoder->canvas);
}

void
fal_encoder_free (FalEncoder *encoder)
{
  encoder_reset (encoder);
  if (encoder->jpeg != NULL)
    tjDestroy (encoder->jpeg);
  g_free (encoder);
}

/* Where the two fields of a frame come in buffers of their own, each is a picture of half the
 * height. */
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

/* What the caps leave open about the colours is set to the usual, because the converter wants it.
 * The frame rate is left out, because the converter refuses two that differ. */
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

  if ((guint64) outer.w * height > width * outer.h)
    area->w = CLAMP (gst_util_uint64_scale_round (outer.h, width, height), 1, (guint64) outer.w);
  else
    area->h = CLAMP (gst_util_uint64_scale_round (outer.w, height, width), 1, (guint64) outer.h);
  /* At even coordinates, for the sake of subsampled chroma. */
  area->x += (outer.w - area->w) / 4 * 2;
  area->y += (outer.h - area->h) / 4 * 2;
}

/* Moves the area to where a chroma sample begins: otherwise the colours would shift. */
static void
align_to_chroma (GstVideoRectangle *area, const GstVideoFormatInfo *format)
{
  guint x = 0, y = 0;

  for (guint i = 0; i < GST_VIDEO_FORMAT_INFO_N_COMPONENTS (format); i++) {
    x = MAX (x, GST_VIDEO_FORMAT_INFO_W_SUB (format, i));
    y = MAX (y, GST_VIDEO_FORMAT_INFO_H_SUB (format, i));
  }
  area->x = (area->x >> x) << x;
  area->y = (area->y >> y) << y;
}

static gint
open_side (guint side, guint64 shape, guint64 other_shape)
{
  return CLAMP (gst_util_uint64_scale_round (side, shape, other_shape), 1, G_MAXINT);
}

/* Sets @from, @to and the size. A side that is left open follows from the other by the input's
 * display aspect ratio. */
static void
lay_out (FalEncoder *encoder)
{
  const FalEncoderConfig *config = &encoder->config;
  const GstVideoInfo *input = &encoder->input;
  guint shape_w, shape_h;

  if (!gst_video_calculate_display_ratio (
          &shape_w, &shape_h, input->width, input->height, input->par_n, input->par_d, 1, 1)) {
    shape_w = input->width;
    shape_h = input->height;
  }

  encoder->width = config->width;
  encoder->height = config->height;
  if (config->width == 0 && config->height == 0) {
    encoder->width = input->width;
    encoder->height = input->height;
  } else if (config->width == 0)
    encoder->width = open_side (config->height, shape_w, shape_h);
  else if (config->height == 0)
    encoder->height = open_side (config->width, shape_h, shape_w);

  encoder->from = (GstVideoRectangle){ 0, 0, input->width, input->height };
  encoder->to = (GstVideoRectangle){ 0, 0, encoder->width, encoder->height };
  if (config->width == 0 || config->height == 0)
    return;
  if (config->fit == FAL_FIT_LETTERBOX)
    keep_ratio (&encoder->to, shape_w, shape_h);
  else if (config->fit == FAL_FIT_CROP) {
    keep_ratio (&encoder->from, (guint64) encoder->width * input->par_d,
        (guint64) encoder->height * input->par_n);
    align_to_chroma (&encoder->from, input->finfo);
  }
}

static gboolean
make_canvas (FalEncoder *encoder, GstVideoFormat format, GError **error)
{
  GstVideoInfo canvas, part;

  if (!fal_video_frame_make_info (
          &canvas, &encoder->input, format, encoder->width, encoder->height, error) ||
      !fal_video_frame_make_info (
          &part, &encoder->input, format, encoder->to.w, encoder->to.h, error) ||
      !fal_video_frame_make (&encoder->canvas, &canvas, error))
    return FALSE;

  encoder->converter =
      fal_video_frame_make_converter (&encoder->input, &encoder->from, &part, error);
  return encoder->converter != NULL;
}

static gboolean
is_limited_rgb (const GstVideoInfo *info)
{
  return GST_VIDEO_INFO_IS_RGB (info) && info->colorimetry.range == GST_VIDEO_COLOR_RANGE_16_235;
}

static gboolean
is_canvas (const FalEncoder *encoder)
{
  const GstVideoInfo *input = &encoder->input;

  return encoder->from.w == input->width && encoder->from.h == input->height &&
         encoder->to.w == input->width && encoder->to.h == input->height &&
         encoder->width == input->width && encoder->height == input->height;
}

static gboolean
make_stages (FalEncoder *encoder, GError **error)
{
  GstVideoFormat format = GST_VIDEO_INFO_FORMAT (&encoder->input);
  gboolean is_rgb = fal_image_file_get_jpeg_layout (format) >= 0;

  if (is_rgb && is_canvas (encoder) && !is_limited_rgb (&encoder->input))
    return TRUE;
  encoder->scaler = fal_yuv_scaler_new (
      &encoder->input, &encoder->from, &encoder->to, encoder->width, encoder->height);
  return encoder->scaler != NULL || make_canvas (encoder, is_rgb ? format : CANVAS_FORMAT, error);
}

static gboolean
encoder_is_ready (FalEncoder *encoder, GstCaps *caps, const FalEncoderConfig *config)
{
  return encoder->caps != NULL && encoder->config.width == config->width &&
         encoder->config.height == config->height && encoder->config.fit == config->fit &&
         gst_caps_is_equal (encoder->caps, caps);
}

static gboolean
is_side (gint side)
{
  return side >= 1 && side <= MAX_SIDE;
}

static gboolean
encoder_prepare (FalEncoder *encoder, GstCaps *caps, const FalEncoderConfig *config, GError **error)
{
  if (encoder_is_ready (encoder, caps, config))
    return TRUE;

  encoder_reset (encoder);
  if (!parse_input (caps, &encoder->input)) {
    g_autofree gchar *name = gst_caps_to_string (caps);

    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "Cannot make pictures of %s", name);
    return FALSE;
  }
  encoder->config = *config;
  lay_out (encoder);
  if (!is_side (encoder->width) || !is_side (encoder->height)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
        "A JPEG of %d × %d pixels is not possible, a side ends at %d", encoder->width,
        encoder->height, MAX_SIDE);
    return FALSE;
  }
  if (!make_stages (encoder, error))
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

static gboolean
map_input (GstVideoFrame *frame, const GstVideoInfo *info, GstBuffer *buffer, GError **error)
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
  part.data[0] = (guint8 *) part.data[0] +
                 (gsize) area->y * GST_VIDEO_FRAME_PLANE_STRIDE (canvas, 0) +
                 (gsize) area->x * GST_VIDEO_FRAME_COMP_PSTRIDE (canvas, 0);
  return part;
}

/* From limited to full range, which the converter does not do from RGB to RGB. Black bars stay
 * black. */
static void
expand_range (GstVideoFrame *canvas)
{
  guint8 *data = GST_VIDEO_FRAME_PLANE_DATA (canvas, 0);
  gsize size = (gsize) GST_VIDEO_FRAME_PLANE_STRIDE (canvas, 0) * GST_VIDEO_FRAME_HEIGHT (canvas);

  for (gsize i = 0; i < size; i++)
    data[i] = CLAMP (((gint) data[i] * 255 - 16 * 255 + 109) / 219, 0, 255);
}

/* Returns the frame to compress: @input itself, or the canvas. */
static const GstVideoFrame *
run_stages (FalEncoder *encoder, const GstVideoFrame *input)
{
  GstVideoFrame part;

  if (encoder->converter == NULL)
    return input;

  part = canvas_part (&encoder->canvas, &encoder->to);
  gst_video_converter_frame (encoder->converter, input, &part);
  if (is_limited_rgb (&encoder->input))
    expand_range (&encoder->canvas);
  return &encoder->canvas;
}

static gboolean
compress_yuv (FalEncoder *encoder, gint quality, guint8 **jpeg, gulong *size)
{
  const guint8 *data[3];
  gint strides[3];

  fal_yuv_scaler_get (encoder->scaler, data, strides);
  return tjCompressFromYUVPlanes (encoder->jpeg, data, encoder->width, strides, encoder->height,
             TJSAMP_420, jpeg, size, quality, TJFLAG_ACCURATEDCT) == 0;
}

/* A frame with a video meta may be larger than its caps say, so the size is taken from @encoder. */
static gboolean
compress_rgb (
    FalEncoder *encoder, const GstVideoFrame *frame, gint quality, guint8 **jpeg, gulong *size)
{
  return tjCompress2 (encoder->jpeg, GST_VIDEO_FRAME_PLANE_DATA (frame, 0), encoder->width,
             GST_VIDEO_FRAME_PLANE_STRIDE (frame, 0), encoder->height,
             fal_image_file_get_jpeg_layout (GST_VIDEO_FRAME_FORMAT (frame)), jpeg, size,
             TJSAMP_420, quality, TJFLAG_ACCURATEDCT) == 0;
}

static gboolean
compress (
    FalEncoder *encoder, const GstVideoFrame *input, gint quality, guint8 **jpeg, gulong *size)
{
  if (encoder->scaler == NULL)
    return compress_rgb (encoder, run_stages (encoder, input), quality, jpeg, size);
  fal_yuv_scaler_fill (encoder->scaler, input);
  return compress_yuv (encoder, quality, jpeg, size);
}

static GBytes *
encode_raw (FalEncoder *encoder, GstBuffer *buffer, guint quality, GError **error)
{
  GstVideoFrame input;
  guint8 *jpeg = NULL;
  gulong size = 0;
  gboolean done;

  if (!map_input (&input, &encoder->input, buffer, error))
    return NULL;
  if (encoder->jpeg == NULL)
    encoder->jpeg = tjInitCompress ();
  done = encoder->jpeg != NULL && compress (encoder, &input, CLAMP (quality, 1, 100), &jpeg, &size);
  gst_video_frame_unmap (&input);
  if (done)
    return g_bytes_new_with_free_func (jpeg, size, (GDestroyNotify) tjFree, jpeg);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "Cannot make a JPEG of %d × %d pixels: %s",
      encoder->width, encoder->height, tjGetErrorStr2 (encoder->jpeg));
  tjFree (jpeg);
  return NULL;
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

/* The buffer stays mapped and referenced as long as the bytes live. */
static GBytes *
share_buffer (GstBuffer *buffer, GError **error)
{
  SharedBuffer *shared = g_new0 (SharedBuffer, 1);

  shared->buffer = gst_buffer_ref (buffer);
  if (gst_buffer_map (buffer, &shared->map, GST_MAP_READ)) {
    if (shared->map.size > 0)
      return g_bytes_new_with_free_func (
          shared->map.data, shared->map.size, (GDestroyNotify) shared_buffer_free, shared);
    gst_buffer_unmap (buffer, &shared->map);
  }
  g_set_error_literal (
      error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "A picture's buffer is empty or unreadable");
  gst_buffer_unref (shared->buffer);
  g_free (shared);
  return NULL;
}

/* The media type of caps of an encoded picture, else NULL. */
static const gchar *
picture_media_type (const GstCaps *caps)
{
  const GstStructure *structure = gst_caps_get_structure (caps, 0);

  for (guint type = FAL_IMAGE_FILE_JPEG; type <= FAL_IMAGE_FILE_WEBP; type++) {
    if (gst_structure_has_name (structure, fal_image_file_get_media_type (type)))
      return fal_image_file_get_media_type (type);
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

  *media_type = fal_image_file_get_media_type (FAL_IMAGE_FILE_JPEG);
  if (!encoder_prepare (encoder, caps, config, error))
    return NULL;
  return encode_raw (encoder, buffer, config->quality, error);
}
