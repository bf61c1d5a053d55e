/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Encodes samples as JPEGs. Converters and intermediate frames are kept while sizes and formats are
 * the same. 8-bit YUV is scaled to the planes of a JPEG, all other raw video to RGB. A part of a
 * frame is looked at as a frame of its own, whose planes begin elsewhere: so one that only moves
 * needs no new converter. */
#include "encoder.h"
#include "camera-picture.h"
#include "image-file.h"
#include "raw-picture.h"
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

  GstCaps *picture_caps;             /* of the last picture that came encoded; or NULL */
  gint picture_par_n, picture_par_d; /* as these say */

  GstCaps *caps;      /* of raw video, that came last; NULL: none did */
  GstVideoInfo frame; /* as these say */
  FalArea part;       /* of it that is encoded, in whole samples of chroma */

  gboolean ready;              /* all below is made for @caps, a part as large, and @config */
  FalEncoderConfig config;     /* except the quality */
  GstVideoConverter *unpacker; /* from the frame to @unpacked; NULL: parts of it can be looked at */
  GstVideoFrame unpacked;      /* the whole frame in RGB */
  GstVideoRectangle from;      /* what is used of the part */
  GstVideoInfo input;          /* that as a frame of its own */
  GstVideoRectangle to;        /* its place in the JPEG */

  gint width, height;           /* of the JPEG */
  gint par_n, par_d;            /* of its pixels */
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
  encoder->ready = FALSE;
  g_clear_pointer (&encoder->unpacker, gst_video_converter_free);
  fal_video_frame_clear (&encoder->unpacked);
  g_clear_pointer (&encoder->scaler, fal_yuv_scaler_free);
  g_clear_pointer (&encoder->converter, gst_video_converter_free);
  fal_video_frame_clear (&encoder->canvas);
}

void
fal_encoder_free (FalEncoder *encoder)
{
  encoder_reset (encoder);
  gst_clear_caps (&encoder->caps);
  gst_clear_caps (&encoder->picture_caps);
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

/* Pixels of no shape are taken for square ones. */
static void
check_shape (gint *par_n, gint *par_d)
{
  if (*par_n <= 0 || *par_d <= 0)
    *par_n = *par_d = 1;
}

/* What the caps leave open about the colours is set to the usual, because the converter wants it.
 * The frame rate is left out, because the converter refuses two that differ. */
static gboolean
parse_input (const GstCaps *caps, GstVideoInfo *info)
{
  if (!gst_video_info_from_caps (info, caps) || info->width == 0 || info->height == 0 ||
      GST_VIDEO_INFO_N_PLANES (info) == 0)
    return FALSE;
  check_shape (&info->par_n, &info->par_d);
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

/* The pixels that share a sample of chroma. */
static void
get_chroma_unit (const GstVideoFormatInfo *format, gint *across, gint *down)
{
  *across = *down = 1;
  for (guint i = 0; i < GST_VIDEO_FORMAT_INFO_N_COMPONENTS (format); i++) {
    *across = MAX (*across, 1 << GST_VIDEO_FORMAT_INFO_W_SUB (format, i));
    *down = MAX (*down, 1 << GST_VIDEO_FORMAT_INFO_H_SUB (format, i));
  }
}

/* Moves the corner to where a chroma sample begins: otherwise the colours would shift. */
static void
align_to_chroma (gint *left, gint *top, const GstVideoFormatInfo *format)
{
  gint across, down;

  get_chroma_unit (format, &across, &down);
  *left -= *left % across;
  *top -= *top % down;
}

/* The same, and makes its sides those of whole samples, as far as the frame goes. They do not
 * depend on where it is. */
static void
align_part (FalArea *part, const GstVideoInfo *frame)
{
  gint across, down;

  get_chroma_unit (frame->finfo, &across, &down);
  align_to_chroma (&part->x, &part->y, frame->finfo);
  part->width = MIN ((part->width + across - 1) / across * across, frame->width - part->x);
  part->height = MIN ((part->height + down - 1) / down * down, frame->height - part->y);
}

static gboolean
clip_part (const FalArea *wanted, gint width, gint height, FalArea *part, GError **error)
{
  if (fal_video_frame_clip (wanted, width, height, part))
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
      "the region lies outside of the frame of %dx%d", width, height);
  return FALSE;
}

/* Whether a part of such a frame is a frame, too, which begins elsewhere in its planes. (What is
 * used of a part that is a whole frame always is.) */
static gboolean
can_be_sliced (const GstVideoFormatInfo *format)
{
  if (GST_VIDEO_FORMAT_INFO_IS_COMPLEX (format) || GST_VIDEO_FORMAT_INFO_IS_TILED (format) ||
      GST_VIDEO_FORMAT_INFO_HAS_PALETTE (format))
    return FALSE;
  for (guint i = 0; i < GST_VIDEO_FORMAT_INFO_N_COMPONENTS (format); i++)
    if (GST_VIDEO_FORMAT_INFO_PSTRIDE (format, i) < 1)
      return FALSE;
  return TRUE;
}

/* The part of @frame as a frame. The memory stays that of @frame. */
static GstVideoFrame
slice (const GstVideoFrame *frame, const FalArea *part)
{
  const GstVideoFormatInfo *format = frame->info.finfo;
  GstVideoFrame sliced = *frame;

  sliced.info.width = part->width;
  sliced.info.height = part->height;
  for (guint i = 0; i < GST_VIDEO_FORMAT_INFO_N_COMPONENTS (format); i++) {
    guint plane = GST_VIDEO_FORMAT_INFO_PLANE (format, i);
    gint x = part->x >> GST_VIDEO_FORMAT_INFO_W_SUB (format, i);
    gint y = part->y >> GST_VIDEO_FORMAT_INFO_H_SUB (format, i);

    sliced.data[plane] = (guint8 *) frame->data[plane] +
                         (gssize) y * GST_VIDEO_FRAME_PLANE_STRIDE (frame, plane) +
                         (gssize) x * GST_VIDEO_FORMAT_INFO_PSTRIDE (format, i);
  }
  return sliced;
}

static gint
open_side (guint side, guint64 shape, guint64 other_shape)
{
  return CLAMP (gst_util_uint64_scale_round (side, shape, other_shape), 1, G_MAXINT);
}

/* The shape of the pixels where the whole of the input fills a picture of this size. */
static void
stretch_pixels (FalEncoder *encoder, guint shape_w, guint shape_h)
{
  guint64 n = (guint64) shape_w * encoder->height, d = (guint64) shape_h * encoder->width;

  /* A side cannot be rounded better: the pixels are meant to be square. */
  if (open_side (encoder->width, shape_h, shape_w) == encoder->height ||
      open_side (encoder->height, shape_w, shape_h) == encoder->width)
    n = d = 1;
  fal_video_frame_reduce_ratio (n, d, &encoder->par_n, &encoder->par_d);
}

/* Sets the shape of the JPEG's pixels. Where a size is asked for they are square, unless the
 * picture is stretched to it. */
static void
shape_pixels (FalEncoder *encoder, guint shape_w, guint shape_h)
{
  const FalEncoderConfig *config = &encoder->config;
  gboolean both = config->width != 0 && config->height != 0;

  encoder->par_n = encoder->par_d = 1;
  if (config->width == 0 && config->height == 0) {
    encoder->par_n = encoder->input.par_n;
    encoder->par_d = encoder->input.par_d;
  } else if (both && config->par_n != 0 && config->par_d != 0) {
    encoder->par_n = config->par_n;
    encoder->par_d = config->par_d;
  } else if (both && config->fit == FAL_FIT_STRETCH) {
    stretch_pixels (encoder, shape_w, shape_h);
  }
}

/* What of the part shows, and where, in a picture whose sides are both given. */
static void
fit_in (FalEncoder *encoder, guint shape_w, guint shape_h)
{
  const GstVideoInfo *input = &encoder->input;
  gint n, d;

  if (encoder->config.fit == FAL_FIT_LETTERBOX) {
    keep_ratio (
        &encoder->to, (guint64) shape_w * encoder->par_d, (guint64) shape_h * encoder->par_n);
  } else if (encoder->config.fit == FAL_FIT_CROP) {
    fal_video_frame_reduce_ratio (
        (guint64) encoder->par_n * input->par_d, (guint64) encoder->par_d * input->par_n, &n, &d);
    keep_ratio (&encoder->from, (guint64) encoder->width * n, (guint64) encoder->height * d);
    align_to_chroma (&encoder->from.x, &encoder->from.y, input->finfo);
  }
}

/* Sets @from, @to, the size and the shape of the pixels. A side that is left open follows from the
 * other by the display aspect ratio of the part. */
static void
lay_out (FalEncoder *encoder)
{
  const FalEncoderConfig *config = &encoder->config;
  const GstVideoInfo *input = &encoder->input;
  const FalArea *part = &encoder->part;
  guint shape_w, shape_h;

  if (!gst_video_calculate_display_ratio (
          &shape_w, &shape_h, part->width, part->height, input->par_n, input->par_d, 1, 1)) {
    shape_w = part->width;
    shape_h = part->height;
  }

  encoder->width = config->width;
  encoder->height = config->height;
  if (config->width == 0 && config->height == 0) {
    encoder->width = part->width;
    encoder->height = part->height;
  } else if (config->width == 0)
    encoder->width = open_side (config->height, shape_w, shape_h);
  else if (config->height == 0)
    encoder->height = open_side (config->width, shape_h, shape_w);

  shape_pixels (encoder, shape_w, shape_h);
  encoder->from = (GstVideoRectangle) { 0, 0, part->width, part->height };
  encoder->to = (GstVideoRectangle){ 0, 0, encoder->width, encoder->height };
  if (config->width != 0 && config->height != 0)
    fit_in (encoder, shape_w, shape_h);
}

/* All of the input. */
static GstVideoRectangle
get_input_area (const FalEncoder *encoder)
{
  return (GstVideoRectangle) { 0, 0, encoder->input.width, encoder->input.height };
}

static gboolean
make_canvas (FalEncoder *encoder, GstVideoFormat format, GError **error)
{
  const GstVideoRectangle all = get_input_area (encoder);
  GstVideoInfo canvas, part;

  if (!fal_video_frame_make_info (
          &canvas, &encoder->input, format, encoder->width, encoder->height, error) ||
      !fal_video_frame_make_info (
          &part, &encoder->input, format, encoder->to.w, encoder->to.h, error) ||
      !fal_video_frame_make (&encoder->canvas, &canvas, error))
    return FALSE;

  encoder->converter = fal_video_frame_make_converter (&encoder->input, &all, &part, error);
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

  return encoder->to.w == input->width && encoder->to.h == input->height &&
         encoder->width == input->width && encoder->height == input->height;
}

static gboolean
make_stages (FalEncoder *encoder, GError **error)
{
  GstVideoFormat format = GST_VIDEO_INFO_FORMAT (&encoder->input);
  const GstVideoRectangle all = get_input_area (encoder);
  gboolean is_rgb = fal_image_file_get_jpeg_layout (format) >= 0;

  if (is_rgb && is_canvas (encoder) && !is_limited_rgb (&encoder->input))
    return TRUE;
  encoder->scaler =
      fal_yuv_scaler_new (&encoder->input, &all, &encoder->to, encoder->width, encoder->height);
  return encoder->scaler != NULL || make_canvas (encoder, is_rgb ? format : CANVAS_FORMAT, error);
}

static gboolean
is_side (gint side)
{
  return side >= 1 && side <= MAX_SIDE;
}

/* Parses caps that came anew. */
static gboolean
take_caps (FalEncoder *encoder, GstCaps *caps, GError **error)
{
  if (encoder->caps == caps)
    return TRUE;
  if (encoder->caps == NULL || !gst_caps_is_equal (encoder->caps, caps)) {
    encoder_reset (encoder);
    gst_clear_caps (&encoder->caps);
    if (!parse_input (caps, &encoder->frame)) {
      g_autofree gchar *name = gst_caps_to_string (caps);

      g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "cannot make pictures of %s", name);
      return FALSE;
    }
  }
  gst_caps_replace (&encoder->caps, caps);
  return TRUE;
}

static gboolean
encoder_is_ready (const FalEncoder *encoder, const FalEncoderConfig *config, const FalArea *part)
{
  return encoder->ready && encoder->config.width == config->width &&
         encoder->config.height == config->height && encoder->config.fit == config->fit &&
         encoder->config.par_n == config->par_n && encoder->config.par_d == config->par_d &&
         encoder->part.width == part->width && encoder->part.height == part->height;
}

/* Whether not all of the frame may be used. */
static gboolean
cuts (const FalEncoder *encoder)
{
  const FalEncoderConfig *config = &encoder->config;

  return encoder->part.width != encoder->frame.width ||
         encoder->part.height != encoder->frame.height ||
         (config->width != 0 && config->height != 0 && config->fit == FAL_FIT_CROP);
}

/* Sets what the input is like. Of formats whose pixels share bytes GStreamer does not unpack a row
 * from its middle: such a frame becomes RGB as a whole. */
static gboolean
choose_input (FalEncoder *encoder, GError **error)
{
  const GstVideoInfo *frame = &encoder->frame;
  const GstVideoRectangle all = { 0, 0, frame->width, frame->height };

  encoder->input = *frame;
  if (!can_be_sliced (frame->finfo) && cuts (encoder)) {
    if (!fal_video_frame_make_info (
            &encoder->input, frame, CANVAS_FORMAT, frame->width, frame->height, error) ||
        !fal_video_frame_make (&encoder->unpacked, &encoder->input, error))
      return FALSE;
    encoder->unpacker = fal_video_frame_make_converter (frame, &all, &encoder->input, error);
    if (encoder->unpacker == NULL)
      return FALSE;
    encoder->input.par_n = frame->par_n;
    encoder->input.par_d = frame->par_d;
  }
  return TRUE;
}

static gboolean
encoder_prepare (FalEncoder *encoder, GstCaps *caps, const FalEncoderConfig *config, GError **error)
{
  FalArea part;

  if (!take_caps (encoder, caps, error) ||
      !clip_part (&config->part, encoder->frame.width, encoder->frame.height, &part, error))
    return FALSE;
  align_part (&part, &encoder->frame);
  if (encoder_is_ready (encoder, config, &part)) {
    encoder->part = part;
    return TRUE;
  }
  encoder_reset (encoder);
  encoder->config = *config;
  encoder->part = part;
  if (!choose_input (encoder, error))
    return FALSE;
  lay_out (encoder);
  encoder->input.width = encoder->from.w;
  encoder->input.height = encoder->from.h;
  if (!is_side (encoder->width) || !is_side (encoder->height)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
        "a JPEG of %dx%d pixels is not possible, a side ends at %d", encoder->width,
        encoder->height, MAX_SIDE);
    return FALSE;
  }
  encoder->ready = make_stages (encoder, error);
  return encoder->ready;
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

/* What is used of the frame, in its pixels. */
static FalArea
get_used (const FalEncoder *encoder)
{
  const GstVideoRectangle *from = &encoder->from;

  return (FalArea) { encoder->part.x + from->x, encoder->part.y + from->y, from->w, from->h };
}

/* The same as a frame. Not by the converter, which does not find the middle of a row in each
 * format.
 */
static GstVideoFrame
slice_input (FalEncoder *encoder, const GstVideoFrame *frame)
{
  const FalArea used = get_used (encoder);

  if (encoder->unpacker == NULL)
    return slice (frame, &used);
  gst_video_converter_frame (encoder->unpacker, frame, &encoder->unpacked);
  return slice (&encoder->unpacked, &used);
}

static GBytes *
encode_buffer (FalEncoder *encoder, GstBuffer *buffer, guint quality, GError **error)
{
  GstVideoFrame frame, input;
  guint8 *jpeg = NULL;
  gulong size = 0;
  gboolean done;

  if (!fal_video_frame_map_whole (&frame, &encoder->frame, buffer, error))
    return NULL;
  if (encoder->jpeg == NULL)
    encoder->jpeg = tjInitCompress ();
  input = slice_input (encoder, &frame);
  done = encoder->jpeg != NULL && compress (encoder, &input, CLAMP (quality, 1, 100), &jpeg, &size);
  gst_video_frame_unmap (&frame);
  if (done)
    return g_bytes_new_with_free_func (jpeg, size, (GDestroyNotify) tjFree, jpeg);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "cannot make a JPEG of %dx%d pixels: %s",
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
      error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "a picture's buffer is empty or unreadable");
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

/* Caps are read once. */
static void
read_picture_caps (FalEncoder *encoder, GstCaps *caps)
{
  if (encoder->picture_caps == caps)
    return;
  gst_caps_replace (&encoder->picture_caps, caps);
  encoder->picture_par_n = encoder->picture_par_d = 1;
  gst_structure_get_fraction (gst_caps_get_structure (caps, 0), "pixel-aspect-ratio",
      &encoder->picture_par_n, &encoder->picture_par_d);
  check_shape (&encoder->picture_par_n, &encoder->picture_par_d);
}

/* What was encoded last. */
static FalLayout
describe_layout (const FalEncoder *encoder)
{
  const GstVideoRectangle *to = &encoder->to;

  return (FalLayout) { encoder->width, encoder->height, encoder->par_n, encoder->par_d,
    get_used (encoder), { to->x, to->y, to->w, to->h } };
}

static GBytes *
encode_raw (FalEncoder *encoder, GstSample *sample, const FalEncoderConfig *config,
    FalLayout *layout, GError **error)
{
  GBytes *jpeg;

  if (!encoder_prepare (encoder, gst_sample_get_caps (sample), config, error))
    return NULL;
  jpeg = encode_buffer (encoder, gst_sample_get_buffer (sample), config->quality, error);
  if (jpeg != NULL)
    *layout = describe_layout (encoder);
  return jpeg;
}

/* A whole picture of upstream's, as it came. */
static GBytes *
forward (FalEncoder *encoder, GstSample *sample, FalLayout *layout, GError **error)
{
  g_autoptr (GBytes) shared = share_buffer (gst_sample_get_buffer (sample), error);
  FalImageFileInfo info;
  GBytes *picture = shared ? fal_camera_picture_check (shared, &info, error) : NULL;

  if (picture == NULL)
    return NULL;
  read_picture_caps (encoder, gst_sample_get_caps (sample));
  *layout = (FalLayout){ info.width, info.height, encoder->picture_par_n, encoder->picture_par_d };
  layout->from = layout->to = (FalArea){ 0, 0, info.width, info.height };
  return picture;
}

/* Whether the picture is to be sent as it came: nothing else of it, and in no other size. */
static gboolean
stays_as_it_is (const FalLayout *own, const FalEncoderConfig *config)
{
  const FalArea *part = &config->part;

  if (part->width == 0 || part->height == 0)
    return TRUE;
  return config->width == 0 && config->height == 0 && part->x == 0 && part->y == 0 &&
         part->width == own->width && part->height == own->height;
}

/* An encoded picture of upstream's: it is decoded only where a part of it is to be sent. */
static GBytes *
encode_picture (FalEncoder *encoder, GstSample *sample, const FalEncoderConfig *config,
    const gchar **media_type, FalLayout *layout, GError **error)
{
  g_autoptr (GBytes) picture = forward (encoder, sample, layout, error);
  g_autoptr (GstSample) raw = NULL;

  if (picture == NULL || stays_as_it_is (layout, config))
    return g_steal_pointer (&picture);
  raw = fal_raw_picture_make (picture, layout->par_n, layout->par_d, error);
  *layout = (FalLayout) { 0 };
  *media_type = fal_image_file_get_media_type (FAL_IMAGE_FILE_JPEG);
  return raw ? encode_raw (encoder, raw, config, layout, error) : NULL;
}

GBytes *
fal_encoder_encode (FalEncoder *encoder, GstSample *sample, const FalEncoderConfig *config,
    const gchar **media_type, FalLayout *layout, GError **error)
{
  GstCaps *caps = gst_sample_get_caps (sample);
  FalLayout ignored;

  if (caps == NULL || gst_caps_get_size (caps) == 0 || gst_sample_get_buffer (sample) == NULL) {
    g_set_error_literal (
        error, G_IO_ERROR, G_IO_ERROR_FAILED, "a frame came without caps or without a buffer");
    return NULL;
  }
  if (layout == NULL)
    layout = &ignored;
  *media_type = picture_media_type (caps);
  if (*media_type != NULL)
    return encode_picture (encoder, sample, config, media_type, layout, error);
  *media_type = fal_image_file_get_media_type (FAL_IMAGE_FILE_JPEG);
  return encode_raw (encoder, sample, config, layout, error);
}

/* Where frames of both kinds are mixed, their flags say which are. */
gboolean
fal_encoder_is_interlaced (GstSample *sample)
{
  const GstStructure *caps = gst_caps_get_structure (gst_sample_get_caps (sample), 0);
  const gchar *mode = gst_structure_has_name (caps, "video/x-raw")
                          ? gst_structure_get_string (caps, "interlace-mode")
                          : NULL;

  if (mode == NULL || g_str_equal (mode, "progressive"))
    return FALSE;
  return !g_str_equal (mode, "mixed") ||
         GST_BUFFER_FLAG_IS_SET (gst_sample_get_buffer (sample), GST_VIDEO_BUFFER_FLAG_INTERLACED);
}
