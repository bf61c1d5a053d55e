/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tests of the codec and of pictures. Colours are computed here by the book, and
 * JPEGs read by TurboJPEG alone, so that an error cannot cancel itself out. */
#include <fal/image/decoder.h>
#include <fal/image/encoder.h>
#include <fal/image/image-file.h>

#include <gio/gio.h>
#include <math.h>
#include <string.h>
#include <turbojpeg.h>

#ifdef HAVE_PNG
#include <png.h>
#endif
#ifdef HAVE_WEBP
#include <webp/encode.h>
#endif

#define MAX_PIXELS (16 * 1024 * 1024)
#define ANY_SIZE ((FalEncoderConfig){ .quality = 95 })

typedef struct {
  const gchar *name;
  guint8 r, g, b;
} Colour;

static const Colour colours[] = {
  { "white", 255, 255, 255 },
  { "black", 0, 0, 0 },
  { "red", 255, 0, 0 },
  { "green", 0, 255, 0 },
  { "blue", 0, 0, 255 },
  { "grey", 128, 128, 128 },
  { "skin", 224, 172, 105 },
};
#define WHITE (&colours[0])
#define BLACK (&colours[1])
#define RED (&colours[2])
#define GREEN (&colours[3])
#define BLUE (&colours[4])

/* ---- Frames by hand ---- */

typedef struct {
  gdouble kr, kb;
  gboolean full;
} Matrix;

static const Matrix bt601 = { 0.299, 0.114, FALSE };
static const Matrix bt709 = { 0.2126, 0.0722, FALSE };
static const Matrix studio_rgb = { 0, 0, FALSE };
static const Matrix jfif = { 0.299, 0.114, TRUE };

static void
to_yuv (const Colour *colour, const Matrix *matrix, gdouble scale, guint out[4])
{
  gdouble r = colour->r / 255.0, g = colour->g / 255.0, b = colour->b / 255.0;
  gdouble y = matrix->kr * r + (1 - matrix->kr - matrix->kb) * g + matrix->kb * b;
  gdouble u = (b - y) / (2 * (1 - matrix->kb)), v = (r - y) / (2 * (1 - matrix->kr));

  out[0] = lround (scale * (matrix->full ? 255 * y : 16 + 219 * y));
  out[1] = lround (scale * MIN (128 + (matrix->full ? 255 : 224) * u, 255));
  out[2] = lround (scale * MIN (128 + (matrix->full ? 255 : 224) * v, 255));
  out[3] = lround (scale * 255);
}

/* The samples of @colour in the frame's format. */
static void
to_samples (
    const Colour *colour, const GstVideoFormatInfo *format, const Matrix *matrix, guint out[4])
{
  if (GST_VIDEO_FORMAT_INFO_IS_RGB (format)) {
    guint low = matrix == &studio_rgb ? 16 : 0, high = matrix == &studio_rgb ? 219 : 255;
    guint rgba[4] = { low + colour->r * high / 255, low + colour->g * high / 255,
      low + colour->b * high / 255, 255 };

    memcpy (out, rgba, sizeof rgba);
  } else
    to_yuv (colour, matrix, 1 << (GST_VIDEO_FORMAT_INFO_DEPTH (format, 0) - 8), out);
}

static void
fill_component (GstVideoFrame *frame, guint component, const GstVideoRectangle *area, guint value)
{
  const GstVideoFormatInfo *format = frame->info.finfo;
  gint right = GST_VIDEO_SUB_SCALE (format->w_sub[component], area->x + area->w);
  gint bottom = GST_VIDEO_SUB_SCALE (format->h_sub[component], area->y + area->h);

  for (gint y = area->y >> format->h_sub[component]; y < bottom; y++) {
    guint8 *row = (guint8 *) GST_VIDEO_FRAME_COMP_DATA (frame, component) +
                  y * GST_VIDEO_FRAME_COMP_STRIDE (frame, component);

    for (gint x = area->x >> format->w_sub[component]; x < right; x++) {
      guint8 *sample = row + x * GST_VIDEO_FRAME_COMP_PSTRIDE (frame, component);

      if (GST_VIDEO_FORMAT_INFO_DEPTH (format, component) > 8)
        GST_WRITE_UINT16_LE (sample, value);
      else
        *sample = value;
    }
  }
}

static void
fill_rgb16 (GstVideoFrame *frame, const GstVideoRectangle *area, const Colour *colour)
{
  guint16 word = (colour->r >> 3) << 11 | (colour->g >> 2) << 5 | (colour->b >> 3);

  for (gint y = area->y; y < area->y + area->h; y++) {
    for (gint x = area->x; x < area->x + area->w; x++)
      GST_WRITE_UINT16_LE ((guint8 *) frame->data[0] + y * frame->info.stride[0] + 2 * x, word);
  }
}

static void
fill (
    GstVideoFrame *frame, const GstVideoRectangle *area, const Colour *colour, const Matrix *matrix)
{
  guint samples[4];

  if (GST_VIDEO_FRAME_FORMAT (frame) == GST_VIDEO_FORMAT_RGB16) {
    fill_rgb16 (frame, area, colour);
    return;
  }
  to_samples (colour, frame->info.finfo, matrix, samples);
  for (guint i = 0; i < GST_VIDEO_FRAME_N_COMPONENTS (frame); i++)
    fill_component (frame, i, area, samples[i]);
}

static GstCaps *
make_caps (const gchar *format, gint width, gint height, const gchar *more)
{
  g_autofree gchar *text = g_strdup_printf (
      "video/x-raw,format=%s,width=%d,height=%d,framerate=30/1%s", format, width, height, more);

  return gst_caps_from_string (text);
}

typedef struct {
  GstVideoRectangle area;
  const Colour *colour;
} Patch;

static GstSample *
make_sample (GstCaps *caps, const Matrix *matrix, const Patch *patches, guint n_patches)
{
  GstVideoInfo info;
  GstVideoFrame frame;
  g_autoptr (GstBuffer) buffer = NULL;

  g_assert_true (gst_video_info_from_caps (&info, caps));
  buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  gst_buffer_memset (buffer, 0, 0, info.size);
  g_assert_true (gst_video_frame_map (&frame, &info, buffer, GST_MAP_WRITE));
  for (guint i = 0; i < n_patches; i++)
    fill (&frame, &patches[i].area, patches[i].colour, matrix);
  gst_video_frame_unmap (&frame);
  return gst_sample_new (buffer, caps, NULL, NULL);
}

static GstSample *
plain_sample (const gchar *format, gint width, gint height, const gchar *more, const Matrix *matrix,
    const Colour *colour)
{
  g_autoptr (GstCaps) caps = make_caps (format, width, height, more);
  Patch patch = { { 0, 0, width, height }, colour };

  return make_sample (caps, matrix, &patch, 1);
}

/* ---- JPEGs by TurboJPEG ---- */

typedef struct {
  gint width, height;
  guint8 *rgb;
} Image;

static void
image_clear (Image *image)
{
  g_free (image->rgb);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Image, image_clear)

static Image
read_jpeg (GBytes *jpeg)
{
  tjhandle handle = tjInitDecompress ();
  gsize size;
  const guint8 *data = g_bytes_get_data (jpeg, &size);
  gint subsampling = -1, space = -1;
  Image image = { 0 };

  g_assert_cmpint (
      tjDecompressHeader3 (handle, data, size, &image.width, &image.height, &subsampling, &space),
      ==, 0);
  g_assert_cmpint (space, ==, TJCS_YCbCr);
  image.rgb = g_malloc (image.width * image.height * 3);
  g_assert_cmpint (
      tjDecompress2 (handle, data, size, image.rgb, image.width, 0, image.height, TJPF_RGB, 0), ==,
      0);
  tjDestroy (handle);
  return image;
}

static GBytes *
write_jpeg (
    const guint8 *pixels, gint width, gint height, gint layout, gint subsampling, gint flags)
{
  tjhandle handle = tjInitCompress ();
  guint8 *jpeg = NULL;
  gulong size = 0;
  GBytes *bytes;

  g_assert_cmpint (
      tjCompress2 (handle, pixels, width, 0, height, layout, &jpeg, &size, subsampling, 95, flags),
      ==, 0);
  bytes = g_bytes_new (jpeg, size);
  tjFree (jpeg);
  tjDestroy (handle);
  return bytes;
}

/* @pixel repeated. */
static guint8 *
repeat_pixel (const guint8 *pixel, guint size, gint width, gint height)
{
  guint8 *pixels = g_malloc (size * width * height);

  for (gint i = 0; i < width * height; i++)
    memcpy (pixels + i * size, pixel, size);
  return pixels;
}

static GBytes *
plain_jpeg (gint width, gint height, const Colour *colour, gint flags)
{
  g_autofree guint8 *rgb = repeat_pixel (&colour->r, 3, width, height);

  return write_jpeg (rgb, width, height, TJPF_RGB, TJSAMP_420, flags);
}

static void
assert_near (guint got, guint wanted, guint tolerance, const gchar *what, const Colour *colour)
{
  if (ABS ((gint) got - (gint) wanted) > (gint) tolerance)
    g_error ("%s: %s came as %u, not %u", what, colour->name, got, wanted);
}

static void
assert_pixel (const guint8 *rgb, const Colour *colour, guint tolerance, const gchar *what)
{
  assert_near (rgb[0], colour->r, tolerance, what, colour);
  assert_near (rgb[1], colour->g, tolerance, what, colour);
  assert_near (rgb[2], colour->b, tolerance, what, colour);
}

static void
assert_image_pixel (const Image *image, gint x, gint y, const Colour *colour)
{
  g_autofree gchar *what = g_strdup_printf ("%d,%d", x, y);

  assert_pixel (image->rgb + (y * image->width + x) * 3, colour, 24, what);
}

static GBytes *
encode (GstSample *sample, const FalEncoderConfig *config)
{
  g_autoptr (FalEncoder) encoder = fal_encoder_new ();
  g_autoptr (GError) error = NULL;
  const gchar *media_type = NULL;
  GBytes *jpeg = fal_encoder_encode (encoder, sample, config, &media_type, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (media_type, ==, "image/jpeg");
  return jpeg;
}

/* ---- Encoding ---- */

typedef struct {
  const gchar *format, *more;
  const Matrix *matrix;
  guint tolerance;
} Input;

static const Input inputs[] = {
  { "RGB", "", &jfif, 3 },
  { "BGR", "", &jfif, 3 },
  { "RGBx", "", &jfif, 3 },
  { "BGRx", "", &jfif, 3 },
  { "xRGB", "", &jfif, 3 },
  { "BGRA", "", &jfif, 3 },
  { "ABGR", "", &jfif, 3 },
  { "GBR", "", &jfif, 3 },
  { "RGB16", "", &jfif, 7 }, /* 5 bits: 105 becomes 99 or so on the way in */
  { "I420", ",colorimetry=bt601", &bt601, 4 },
  { "I420", ",colorimetry=bt709", &bt709, 4 },
  { "I420", ",colorimetry=1:4:0:0", &jfif, 4 },
  { "I420", ",colorimetry=1:4:7:1", &jfif, 4 },
  { "I420", ",colorimetry=bt601,interlace-mode=interleaved", &bt601, 4 },
  { "YV12", ",colorimetry=bt601", &bt601, 4 },
  { "NV12", ",colorimetry=bt601", &bt601, 4 },
  { "NV12", ",colorimetry=bt709", &bt709, 4 },
  { "NV12", ",colorimetry=1:4:0:0", &jfif, 4 },
  { "NV21", ",colorimetry=bt709", &bt709, 4 },
  { "YUY2", ",colorimetry=bt601", &bt601, 4 },
  { "YUY2", ",colorimetry=bt709", &bt709, 4 },
  { "YUY2", ",colorimetry=1:4:0:0", &jfif, 4 },
  { "UYVY", ",colorimetry=bt601", &bt601, 4 },
  { "UYVY", ",colorimetry=bt709", &bt709, 4 },
  { "Y42B", ",colorimetry=bt601", &bt601, 4 },
  { "Y42B", ",colorimetry=bt709", &bt709, 4 },
  { "Y444", ",colorimetry=bt709", &bt709, 4 },
  { "AYUV", ",colorimetry=bt601", &bt601, 4 },
  { "I420_10LE", ",colorimetry=bt601", &bt601, 4 },
  { "I420_10LE", ",colorimetry=bt709", &bt709, 4 },
  { "GRAY8", "", &jfif, 3 },
  { "GRAY8", ",colorimetry=bt601", &bt601, 4 },
  { "RGB", ",colorimetry=2:1:7:1", &studio_rgb, 4 },
  { "BGRx", ",colorimetry=2:1:7:1", &studio_rgb, 4 },
  { "GBR", ",colorimetry=2:1:7:1", &studio_rgb, 4 },
};

static gboolean
can_hold (const gchar *format, const Colour *colour)
{
  return !g_str_has_prefix (format, "GRAY") || (colour->r == colour->g && colour->g == colour->b);
}

static void
check_input (const Input *input, const Colour *colour, const FalEncoderConfig *config)
{
  g_autoptr (GstSample) sample =
      plain_sample (input->format, 64, 48, input->more, input->matrix, colour);
  g_autoptr (GBytes) jpeg = encode (sample, config);
  g_auto (Image) image = read_jpeg (jpeg);
  g_autofree gchar *what = g_strdup_printf ("%s%s at quality %u, width %u, fit %d", input->format,
      input->more, config->quality, config->width, config->fit);
  gint middle = image.height / 2 * image.width + image.width / 2;

  assert_pixel (image.rgb + middle * 3, colour, input->tolerance, what);
}

static void
check_inputs (const FalEncoderConfig *config)
{
  for (guint i = 0; i < G_N_ELEMENTS (inputs); i++) {
    for (guint j = 0; j < G_N_ELEMENTS (colours); j++) {
      if (can_hold (inputs[i].format, &colours[j]))
        check_input (&inputs[i], &colours[j], config);
    }
  }
}

static void
test_colours_survive (void)
{
  check_inputs (&(FalEncoderConfig){ .quality = 95 });
  check_inputs (&(FalEncoderConfig){ .quality = 85 });
}

static void
test_colours_survive_scaling (void)
{
  check_inputs (&(FalEncoderConfig){ .width = 32, .height = 32, .quality = 85 });
  check_inputs (&(FalEncoderConfig){ .width = 96, .height = 33, .quality = 85 });
  check_inputs (
      &(FalEncoderConfig){ .width = 50, .height = 50, .fit = FAL_FIT_LETTERBOX, .quality = 85 });
}

static void
test_jpeg_is_420 (void)
{
  g_autoptr (GstSample) sample = plain_sample ("I420", 64, 48, "", &bt601, RED);
  g_autoptr (GBytes) jpeg = encode (sample, &ANY_SIZE);
  tjhandle handle = tjInitDecompress ();
  gint width, height, subsampling = -1, space = -1;

  g_assert_cmpint (tjDecompressHeader3 (handle, g_bytes_get_data (jpeg, NULL),
                       g_bytes_get_size (jpeg), &width, &height, &subsampling, &space),
      ==, 0);
  g_assert_cmpint (subsampling, ==, TJSAMP_420);
  tjDestroy (handle);
}

static void
check_odd_size (const gchar *format, gint width, gint height, guint to_width, guint to_height)
{
  g_autoptr (GstSample) sample =
      plain_sample (format, width, height, ",colorimetry=bt601", &bt601, RED);
  FalEncoderConfig config = { .width = to_width, .height = to_height, .quality = 95 };
  g_autoptr (GBytes) jpeg = encode (sample, &config);
  g_auto (Image) image = read_jpeg (jpeg);

  g_assert_cmpint (image.width, ==, to_width != 0 ? (gint) to_width : width);
  g_assert_cmpint (image.height, ==, to_height != 0 ? (gint) to_height : height);
  assert_image_pixel (&image, 0, 0, RED);
  assert_image_pixel (&image, image.width - 1, image.height - 1, RED);
}

static void
test_odd_sizes (void)
{
  static const gint sizes[][2] = { { 1, 1 }, { 3, 5 }, { 641, 479 } };
  static const gchar *formats[] = { "I420", "NV12", "YUY2", "UYVY", "Y42B", "I420_10LE" };

  for (guint f = 0; f < G_N_ELEMENTS (formats); f++) {
    for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
      check_odd_size (formats[f], sizes[i][0], sizes[i][1], 0, 0);
      for (guint j = 0; j < G_N_ELEMENTS (sizes); j++)
        check_odd_size (formats[f], sizes[i][0], sizes[i][1], sizes[j][0], sizes[j][1]);
    }
  }
}

/* 192 × 64: red, green and blue thirds. */
static GstSample *
thirds (const gchar *format, const gchar *more)
{
  static const Patch patches[] = {
    { { 0, 0, 64, 64 }, RED },
    { { 64, 0, 64, 64 }, GREEN },
    { { 128, 0, 64, 64 }, BLUE },
  };
  g_autoptr (GstCaps) caps = make_caps (format, 192, 64, more);

  return make_sample (caps, &bt601, patches, G_N_ELEMENTS (patches));
}

static const gchar *geometry_formats[] = { "RGB", "I420", "NV12", "YUY2", "AYUV" };

static void
check_crop (const gchar *format)
{
  g_autoptr (GstSample) sample = thirds (format, "");
  FalEncoderConfig config = { .width = 32, .height = 32, .fit = FAL_FIT_CROP, .quality = 95 };
  g_autoptr (GBytes) jpeg = encode (sample, &config);
  g_auto (Image) image = read_jpeg (jpeg);

  g_assert_cmpint (image.width, ==, 32);
  g_assert_cmpint (image.height, ==, 32);
  assert_image_pixel (&image, 2, 16, GREEN);
  assert_image_pixel (&image, 29, 16, GREEN);
}

static void
test_crop_keeps_the_middle (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (geometry_formats); i++)
    check_crop (geometry_formats[i]);
}

static void
check_letterbox (const gchar *format)
{
  g_autoptr (GstSample) sample = thirds (format, "");
  FalEncoderConfig config = { .width = 96, .height = 96, .fit = FAL_FIT_LETTERBOX, .quality = 95 };
  g_autoptr (GBytes) jpeg = encode (sample, &config);
  g_auto (Image) image = read_jpeg (jpeg);

  /* 96 × 32 in the middle: rows 32 to 63. */
  assert_pixel (image.rgb + (2 * 96 + 48) * 3, BLACK, 3, "the bar above");
  assert_pixel (image.rgb + (94 * 96 + 48) * 3, BLACK, 3, "the bar below");
  assert_image_pixel (&image, 48, 28, BLACK);
  assert_image_pixel (&image, 8, 36, RED);
  assert_image_pixel (&image, 48, 36, GREEN);
  assert_image_pixel (&image, 88, 60, BLUE);
  assert_image_pixel (&image, 88, 68, BLACK);
}

static void
test_letterbox_bars_are_black (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (geometry_formats); i++)
    check_letterbox (geometry_formats[i]);
}

static void
check_stretch (const gchar *format)
{
  g_autoptr (GstSample) sample = thirds (format, "");
  FalEncoderConfig config = { .width = 96, .height = 96, .fit = FAL_FIT_STRETCH, .quality = 95 };
  g_autoptr (GBytes) jpeg = encode (sample, &config);
  g_auto (Image) image = read_jpeg (jpeg);

  assert_image_pixel (&image, 8, 2, RED);
  assert_image_pixel (&image, 48, 48, GREEN);
  assert_image_pixel (&image, 88, 94, BLUE);
}

static void
test_stretch_shows_all (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (geometry_formats); i++)
    check_stretch (geometry_formats[i]);
}

static void
test_open_sides_follow_the_shape (void)
{
  static const struct {
    const gchar *more;
    guint width, height;
    gint wanted_width, wanted_height;
  } rows[] = {
    { "", 0, 0, 192, 64 },
    { "", 96, 0, 96, 32 },
    { "", 0, 32, 96, 32 },
    { ",pixel-aspect-ratio=1/3", 48, 0, 48, 48 },
    { ",pixel-aspect-ratio=2/1", 0, 32, 192, 32 },
    { ",pixel-aspect-ratio=2/1", 0, 0, 192, 64 },
    { ",interlace-mode=interleaved", 96, 0, 96, 32 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GstSample) sample = thirds ("I420", rows[i].more);
    FalEncoderConfig config = { .width = rows[i].width, .height = rows[i].height, .quality = 90 };
    g_autoptr (GBytes) jpeg = encode (sample, &config);
    g_auto (Image) image = read_jpeg (jpeg);

    g_assert_cmpint (image.width, ==, rows[i].wanted_width);
    g_assert_cmpint (image.height, ==, rows[i].wanted_height);
  }
}

/* With pixels three times as tall as wide, 192 × 64 is a square. */
static void
test_pixel_aspect_ratio_is_honoured (void)
{
  g_autoptr (GstSample) sample = thirds ("I420", ",pixel-aspect-ratio=1/3");

  for (FalFit fit = FAL_FIT_CROP; fit <= FAL_FIT_LETTERBOX; fit++) {
    FalEncoderConfig config = { .width = 96, .height = 96, .fit = fit, .quality = 95 };
    g_autoptr (GBytes) jpeg = encode (sample, &config);
    g_auto (Image) image = read_jpeg (jpeg);

    assert_image_pixel (&image, 8, 2, RED);
    assert_image_pixel (&image, 48, 94, GREEN);
    assert_image_pixel (&image, 88, 2, BLUE);
  }
}

/* Caps, size and settings change from frame to frame with one encoder. */
static void
test_one_encoder_follows_changes (void)
{
  static const struct {
    const gchar *format;
    gint width, height;
    guint to;
    const Colour *colour;
  } rows[] = {
    { "I420", 64, 48, 32, RED },
    { "I420", 64, 48, 32, BLUE },
    { "I420", 64, 48, 0, GREEN },
    { "NV12", 320, 240, 64, WHITE },
    { "BGRx", 33, 17, 0, RED },
    { "I420", 64, 48, 32, BLACK },
  };
  g_autoptr (FalEncoder) encoder = fal_encoder_new ();

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GstSample) sample = plain_sample (rows[i].format, rows[i].width, rows[i].height,
        ",colorimetry=bt601", &bt601, rows[i].colour);
    FalEncoderConfig config = { .width = rows[i].to, .height = rows[i].to, .quality = 95 };
    const gchar *media_type;
    g_autoptr (GBytes) jpeg = fal_encoder_encode (encoder, sample, &config, &media_type, NULL);
    g_auto (Image) image = read_jpeg (jpeg);

    g_assert_cmpint (image.width, ==, rows[i].to != 0 ? (gint) rows[i].to : rows[i].width);
    assert_image_pixel (&image, image.width / 2, image.height / 2, rows[i].colour);
  }
}

static void
test_quality_changes_the_size (void)
{
  g_autoptr (GstSample) sample = thirds ("I420", "");
  g_autoptr (GBytes) small = encode (sample, &(FalEncoderConfig){ .quality = 10 });
  g_autoptr (GBytes) large = encode (sample, &(FalEncoderConfig){ .quality = 100 });

  g_assert_cmpuint (g_bytes_get_size (small), <, g_bytes_get_size (large));
}

/* A meta of I420 64 × 48 with rows of 128 bytes, chroma before luma and a gap in front. */
static GstSample *
strided_sample (gint caps_width, gint caps_height, gsize cut)
{
  g_autoptr (GstCaps) caps = make_caps ("I420", caps_width, caps_height, ",colorimetry=bt601");
  gsize offset[4] = { 16 + 2 * 128 * 24, 16, 16 + 128 * 24 };
  gint stride[4] = { 128, 128, 128 };
  g_autoptr (GstBuffer) buffer =
      gst_buffer_new_allocate (NULL, 16 + 2 * 128 * 24 + 128 * 48 - cut, NULL);
  guint samples[4];

  to_yuv (RED, &bt601, 1, samples);
  gst_buffer_memset (buffer, 0, 0, 16);
  gst_buffer_memset (buffer, offset[0], samples[0], 128 * 48);
  gst_buffer_memset (buffer, offset[1], samples[1], 128 * 24);
  gst_buffer_memset (buffer, offset[2], samples[2], 128 * 24);
  gst_buffer_add_video_meta_full (
      buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_I420, 64, 48, 3, offset, stride);
  return gst_sample_new (buffer, caps, NULL, NULL);
}

static void
test_video_meta_is_honoured (void)
{
  g_autoptr (GstSample) sample = strided_sample (64, 48, 0);
  g_autoptr (GBytes) jpeg = encode (sample, &ANY_SIZE);
  g_auto (Image) image = read_jpeg (jpeg);

  assert_image_pixel (&image, 0, 0, RED);
  assert_image_pixel (&image, 63, 47, RED);
}

/* The picture is what the caps say; a buffer may hold more, not less. */
static void
test_caps_may_be_smaller_than_the_meta (void)
{
  g_autoptr (GstSample) sample = strided_sample (33, 47, 0);
  g_autoptr (GBytes) plain = encode (sample, &ANY_SIZE);
  g_autoptr (GBytes) scaled = encode (sample, &(FalEncoderConfig){ 20, 20, FAL_FIT_CROP, 95 });
  g_auto (Image) image = read_jpeg (plain);
  g_auto (Image) small = read_jpeg (scaled);

  g_assert_cmpint (image.width, ==, 33);
  g_assert_cmpint (image.height, ==, 47);
  assert_image_pixel (&image, 32, 46, RED);
  assert_image_pixel (&small, 19, 19, RED);
}

static void
assert_not_encoded (GstSample *sample, gint code)
{
  g_autoptr (FalEncoder) encoder = fal_encoder_new ();
  g_autoptr (GError) error = NULL;
  const gchar *media_type;

  g_assert_null (fal_encoder_encode (encoder, sample, &ANY_SIZE, &media_type, &error));
  g_assert_error (error, G_IO_ERROR, code);
}

/* Two rows that lie within each other: the last one ends beyond the buffer. */
static GstSample *
overlapping_sample (const gchar *format, gint stride)
{
  g_autoptr (GstCaps) caps = make_caps (format, 64, 2, "");
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, 2 * stride, NULL);
  GstVideoInfo info;

  g_assert_true (gst_video_info_from_caps (&info, caps));
  gst_buffer_memset (buffer, 0, 0, 2 * stride);
  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT (&info),
      64, 2, 1, (gsize[4]){ 0 }, (gint[4]){ stride });
  return gst_sample_new (buffer, caps, NULL, NULL);
}

static void
test_rows_that_overlap_are_refused (void)
{
  static const gchar *formats[] = { "YUY2", "UYVY", "v308", "BGRx", "RGB", "RGB16", "GRAY8",
    "v210" };

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    g_autoptr (GstSample) sample = overlapping_sample (formats[i], 40);

    assert_not_encoded (sample, G_IO_ERROR_INVALID_DATA);
  }
}

static void
test_buffers_that_are_too_small_are_refused (void)
{
  static const gchar *formats[] = { "I420", "NV12", "RGB", "BGRx", "v210", "NV12_4L4" };
  g_autoptr (GstSample) lying_meta = strided_sample (64, 48, 65);
  g_autoptr (GstSample) small_meta = strided_sample (65, 48, 0);

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    g_autoptr (GstCaps) caps = make_caps (formats[i], 64, 48, "");
    g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, 100, NULL);
    g_autoptr (GstSample) sample = gst_sample_new (buffer, caps, NULL, NULL);

    assert_not_encoded (sample, G_IO_ERROR_INVALID_DATA);
  }
  assert_not_encoded (lying_meta, G_IO_ERROR_INVALID_DATA);
  assert_not_encoded (small_meta, G_IO_ERROR_INVALID_DATA);
}

static void
test_other_caps_are_refused (void)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string ("audio/x-raw");
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, 100, NULL);
  g_autoptr (GstSample) sample = gst_sample_new (buffer, caps, NULL, NULL);
  g_autoptr (GstSample) without_caps = gst_sample_new (buffer, NULL, NULL, NULL);

  assert_not_encoded (sample, G_IO_ERROR_FAILED);
  assert_not_encoded (without_caps, G_IO_ERROR_FAILED);
}

static void
test_pictures_pass_without_a_copy (void)
{
  static const gchar *types[] = { "image/jpeg", "image/png", "image/webp" };

  for (guint i = 0; i < G_N_ELEMENTS (types); i++) {
    g_autoptr (FalEncoder) encoder = fal_encoder_new ();
    g_autoptr (GstCaps) caps = gst_caps_new_empty_simple (types[i]);
    GstBuffer *buffer = gst_buffer_new_memdup ("0123456789", 10);
    GstSample *sample = gst_sample_new (buffer, caps, NULL, NULL);
    g_autoptr (GBytes) bytes = NULL;
    const gchar *media_type;
    GstMapInfo map;

    gst_buffer_map (buffer, &map, GST_MAP_READ);
    bytes = fal_encoder_encode (encoder, sample, &ANY_SIZE, &media_type, NULL);
    g_assert_cmpstr (media_type, ==, types[i]);
    g_assert_true (g_bytes_get_data (bytes, NULL) == map.data);
    gst_buffer_unmap (buffer, &map);
    gst_buffer_unref (buffer);
    gst_sample_unref (sample);
    g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "0123456789", 10);
  }
}

/* ---- Decoding ---- */

typedef struct {
  GstBuffer *buffer;
  GstCaps *caps;
  GstVideoInfo info;
} Result;

static void
result_clear (Result *result)
{
  gst_clear_buffer (&result->buffer);
  gst_clear_caps (&result->caps);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Result, result_clear)

static Result
decode_with (FalDecoder *decoder, GBytes *picture, const gchar *allowed)
{
  g_autoptr (GstCaps) allowed_caps = gst_caps_from_string (allowed);
  FalDecoderConfig config = {
    .allowed = allowed_caps, .max_pixels = MAX_PIXELS, .fps_n = 25, .fps_d = 1
  };
  g_autoptr (GError) error = NULL;
  Result result = { 0 };

  result.buffer = fal_decoder_decode (decoder, picture, &config, &result.caps, &error);
  g_assert_no_error (error);
  g_assert_nonnull (result.buffer);
  g_assert_true (gst_caps_is_fixed (result.caps));
  g_assert_true (gst_caps_can_intersect (result.caps, allowed_caps));
  if (gst_structure_has_name (gst_caps_get_structure (result.caps, 0), "video/x-raw"))
    g_assert_true (gst_video_info_from_caps (&result.info, result.caps));
  return result;
}

static Result
decode (GBytes *picture, const gchar *allowed)
{
  g_autoptr (FalDecoder) decoder = fal_decoder_new ();

  return decode_with (decoder, picture, allowed);
}

/* Of formats whose samples are 8 bits: the samples at @x, @y. */
static void
get_samples (const Result *result, gint x, gint y, guint8 out[4])
{
  GstVideoFrame frame;

  g_assert_true (
      gst_video_frame_map (&frame, (GstVideoInfo *) &result->info, result->buffer, GST_MAP_READ));
  for (guint i = 0; i < GST_VIDEO_FRAME_N_COMPONENTS (&frame); i++)
    out[i] = ((guint8 *) GST_VIDEO_FRAME_COMP_DATA (
        &frame, i))[(y >> frame.info.finfo->h_sub[i]) * GST_VIDEO_FRAME_COMP_STRIDE (&frame, i) +
                    (x >> frame.info.finfo->w_sub[i]) * GST_VIDEO_FRAME_COMP_PSTRIDE (&frame, i)];
  gst_video_frame_unmap (&frame);
}

static void
assert_decodes_to (GBytes *picture, const gchar *format, const Colour *colour, guint tolerance)
{
  g_autofree gchar *allowed = g_strdup_printf ("video/x-raw,format=%s", format);
  g_auto (Result) result = decode (picture, allowed);
  guint8 samples[4] = { 0 };

  g_assert_cmpstr (GST_VIDEO_INFO_NAME (&result.info), ==, format);
  get_samples (&result, result.info.width / 2, result.info.height / 2, samples);
  assert_pixel (samples, colour, tolerance, format);
  if (GST_VIDEO_INFO_HAS_ALPHA (&result.info))
    g_assert_cmpuint (samples[3], ==, 255);
}

static const gchar *rgb_formats[] = { "RGBx", "BGRx", "xRGB", "xBGR", "RGBA", "BGRA", "ARGB",
  "ABGR", "RGB", "BGR", "GBR" };

static void
assert_decodes_everywhere (GBytes *picture, const Colour *colour)
{
  for (guint i = 0; i < G_N_ELEMENTS (rgb_formats); i++)
    assert_decodes_to (picture, rgb_formats[i], colour, 3);
}

static void
test_colours_survive_decoding_to_rgb (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (colours); i++) {
    g_autoptr (GBytes) jpeg = plain_jpeg (33, 17, &colours[i], 0);

    assert_decodes_everywhere (jpeg, &colours[i]);
  }
}

static void
test_colours_survive_decoding_to_yuv (void)
{
  static const gchar *formats[] = { "I420", "NV12", "YUY2", "UYVY", "Y42B", "Y444" };
  static const struct {
    const gchar *name;
    const Matrix *matrix;
  } spaces[] = { { "bt601", &bt601 }, { "bt709", &bt709 }, { "1:4:0:0", &jfif } };

  for (guint i = 0; i < G_N_ELEMENTS (colours) * G_N_ELEMENTS (formats) * G_N_ELEMENTS (spaces);
       i++) {
    const Colour *colour = &colours[i % G_N_ELEMENTS (colours)];
    const gchar *format = formats[i / G_N_ELEMENTS (colours) % G_N_ELEMENTS (formats)];
    guint space = i / G_N_ELEMENTS (colours) / G_N_ELEMENTS (formats);
    g_autoptr (GBytes) jpeg = plain_jpeg (32, 32, colour, 0);
    g_autofree gchar *allowed =
        g_strdup_printf ("video/x-raw,format=%s,colorimetry=%s", format, spaces[space].name);
    g_auto (Result) result = decode (jpeg, allowed);
    guint8 samples[4] = { 0 };
    guint wanted[4];

    to_yuv (colour, spaces[space].matrix, 1, wanted);
    get_samples (&result, 16, 16, samples);
    for (guint c = 0; c < 3; c++)
      assert_near (samples[c], wanted[c], 4, allowed, colour);
  }
}

static void
assert_field (GstCaps *caps, const gchar *field, const gchar *wanted)
{
  const GValue *value = gst_structure_get_value (gst_caps_get_structure (caps, 0), field);
  g_autofree gchar *text = value != NULL ? gst_value_serialize (value) : NULL;

  g_assert_cmpstr (text, ==, wanted);
}

static void
test_caps_say_everything (void)
{
  g_autoptr (GBytes) jpeg = plain_jpeg (33, 17, RED, 0);
  g_auto (Result) rgb = decode (jpeg, "ANY");
  g_auto (Result) yuv = decode (jpeg, "video/x-raw,format=I420");

  assert_field (rgb.caps, "format", "RGBx");
  assert_field (rgb.caps, "width", "33");
  assert_field (rgb.caps, "height", "17");
  assert_field (rgb.caps, "framerate", "25/1");
  assert_field (rgb.caps, "pixel-aspect-ratio", "1/1");
  assert_field (rgb.caps, "interlace-mode", "progressive");
  assert_field (rgb.caps, "colorimetry", "sRGB");
  assert_field (yuv.caps, "colorimetry", "bt601");
}

static void
test_variable_rates_carry_their_maximum (void)
{
  g_autoptr (FalDecoder) decoder = fal_decoder_new ();
  g_autoptr (GBytes) jpeg = plain_jpeg (8, 8, RED, 0);
  g_autoptr (GstCaps) any = gst_caps_new_any ();
  g_autoptr (GstCaps) caps = NULL;
  g_autoptr (GstBuffer) buffer = NULL;
  FalDecoderConfig config = { any, MAX_PIXELS, .fps_n = 0, .fps_d = 1, .max_fps_n = 30,
    .max_fps_d = 1 };

  buffer = fal_decoder_decode (decoder, jpeg, &config, &caps, NULL);
  assert_field (caps, "framerate", "0/1");
  assert_field (caps, "max-framerate", "30/1");
}

static void
test_formats_are_chosen_best_first (void)
{
  static const struct {
    const gchar *allowed, *media_type, *format;
  } rows[] = {
    { "ANY", "video/x-raw", "RGBx" },
    { "video/x-raw", "video/x-raw", "RGBx" },
    { "video/x-raw,format={GRAY8,I420,BGRx}", "video/x-raw", "BGRx" },
    { "video/x-raw,format=GRAY8;video/x-raw,format=NV12", "video/x-raw", "NV12" },
    { "video/x-raw,format={GRAY8,Y444_16LE}", "video/x-raw", "Y444_16LE" },
    { "video/x-raw,format=GRAY8", "video/x-raw", "GRAY8" },
    { "image/jpeg;video/x-raw,format=I420", "video/x-raw", "I420" },
    { "image/jpeg;image/png", "image/jpeg", NULL },
    { "image/jpeg;video/x-raw,width=1", "image/jpeg", NULL },
    { "video/x-raw,framerate=[1/1,10/1]", "video/x-raw", "RGBx" },
    { "video/x-raw,width=[1,100],height=[1,100],framerate=25/1", "video/x-raw", "RGBx" },
  };
  g_autoptr (GBytes) jpeg = plain_jpeg (40, 30, RED, 0);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_auto (Result) result = decode (jpeg, rows[i].allowed);
    const GstStructure *structure = gst_caps_get_structure (result.caps, 0);

    g_assert_cmpstr (gst_structure_get_name (structure), ==, rows[i].media_type);
    g_assert_cmpstr (gst_structure_get_string (structure, "format"), ==, rows[i].format);
  }
}

static void
test_a_rate_that_is_not_allowed_gives_way (void)
{
  g_autoptr (GBytes) jpeg = plain_jpeg (40, 30, RED, 0);
  g_auto (Result) result = decode (jpeg, "video/x-raw,framerate=[1/1,10/1]");

  assert_field (result.caps, "framerate", "10/1");
}

static void
test_undecoded_pictures_keep_their_bytes (void)
{
  g_autoptr (GBytes) jpeg = plain_jpeg (40, 30, RED, 0);
  g_auto (Result) result = decode (jpeg, "image/jpeg");
  GstMapInfo map;

  gst_buffer_map (result.buffer, &map, GST_MAP_READ);
  g_assert_true (map.data == g_bytes_get_data (jpeg, NULL));
  g_assert_cmpuint (map.size, ==, g_bytes_get_size (jpeg));
  gst_buffer_unmap (result.buffer, &map);
  assert_field (result.caps, "width", "40");
  assert_field (result.caps, "height", "30");
  assert_field (result.caps, "framerate", "25/1");
}

static void
assert_not_decoded (GBytes *picture, const gchar *allowed, guint64 max_pixels, gint code)
{
  g_autoptr (FalDecoder) decoder = fal_decoder_new ();
  g_autoptr (GstCaps) allowed_caps = gst_caps_from_string (allowed);
  FalDecoderConfig config = {
    .allowed = allowed_caps, .max_pixels = max_pixels, .fps_n = 25, .fps_d = 1
  };
  g_autoptr (GstCaps) caps = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_null (fal_decoder_decode (decoder, picture, &config, &caps, &error));
  g_assert_error (error, G_IO_ERROR, code);
  g_assert_null (caps);
}

static void
test_nothing_that_fits_is_an_error (void)
{
  g_autoptr (GBytes) jpeg = plain_jpeg (40, 30, RED, 0);

  assert_not_decoded (jpeg, "image/png", MAX_PIXELS, G_IO_ERROR_NOT_FOUND);
  assert_not_decoded (jpeg, "video/x-raw,width=41", MAX_PIXELS, G_IO_ERROR_NOT_FOUND);
  assert_not_decoded (jpeg, "audio/x-raw", MAX_PIXELS, G_IO_ERROR_NOT_FOUND);
  assert_not_decoded (jpeg, "EMPTY", MAX_PIXELS, G_IO_ERROR_NOT_FOUND);
}

static void
test_sizes_change_between_pictures (void)
{
  static const gint sizes[][2] = { { 40, 30 }, { 1, 1 }, { 3, 5 }, { 641, 479 }, { 40, 30 } };
  g_autoptr (FalDecoder) decoder = fal_decoder_new ();

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (GBytes) jpeg = plain_jpeg (sizes[i][0], sizes[i][1], &colours[i], 0);
    g_auto (Result) result = decode_with (decoder, jpeg, i % 2 ? "ANY" : "video/x-raw,format=RGB");
    guint8 samples[4];

    g_assert_cmpint (result.info.width, ==, sizes[i][0]);
    g_assert_cmpint (result.info.height, ==, sizes[i][1]);
    get_samples (&result, sizes[i][0] - 1, sizes[i][1] - 1, samples);
    assert_pixel (samples, &colours[i], 3, "the last pixel");
  }
}

static void
test_buffers_and_caps_are_reused (void)
{
  g_autoptr (FalDecoder) decoder = fal_decoder_new ();
  g_autoptr (GBytes) jpeg = plain_jpeg (40, 30, RED, 0);
  g_auto (Result) first = decode_with (decoder, jpeg, "ANY");
  g_auto (Result) second = decode_with (decoder, jpeg, "ANY");
  GstBuffer *known = first.buffer;
  g_auto (Result) third = { 0 };

  g_assert_true (first.buffer != second.buffer);
  g_assert_true (first.caps == second.caps);
  gst_clear_buffer (&first.buffer);
  third = decode_with (decoder, jpeg, "ANY");
  g_assert_true (third.buffer == known);
}

/* A buffer outlives the decoder whose pool it is from. */
static void
test_buffers_outlive_the_decoder (void)
{
  g_autoptr (GBytes) jpeg = plain_jpeg (40, 30, RED, 0);
  g_auto (Result) result = decode (jpeg, "ANY");
  guint8 samples[4];

  get_samples (&result, 20, 15, samples);
  assert_pixel (samples, RED, 3, "after the decoder");
}

/* There and back through every raw format that the decoder offers. */
static void
check_there_and_back (const gchar *format, gint width, gint height, const Colour *colour)
{
  g_autoptr (GBytes) jpeg = plain_jpeg (width, height, colour, 0);
  g_autofree gchar *allowed = g_strdup_printf ("video/x-raw,format=%s", format);
  g_auto (Result) result = decode (jpeg, allowed);
  g_autoptr (GstSample) sample = gst_sample_new (result.buffer, result.caps, NULL, NULL);
  g_autoptr (GBytes) back = encode (sample, &ANY_SIZE);
  g_auto (Image) image = read_jpeg (back);
  guint tolerance = g_str_has_prefix (format, "RGB1") || g_str_has_prefix (format, "BGR1") ? 8 : 5;

  g_assert_cmpint (image.width, ==, width);
  assert_pixel (image.rgb + (height / 2 * width + width / 2) * 3, colour, tolerance, format);
}

static void
test_every_format_goes_there_and_back (void)
{
  g_autoptr (GstCaps) caps = fal_decoder_get_caps ();
  const GValue *formats = gst_structure_get_value (gst_caps_get_structure (caps, 0), "format");

  g_assert_cmpuint (gst_caps_get_size (caps), ==, 4);
  g_assert_cmpuint (gst_value_list_get_size (formats), >, 80);
  for (guint i = 0; i < gst_value_list_get_size (formats); i++) {
    const gchar *format = g_value_get_string (gst_value_list_get_value (formats, i));

    check_there_and_back (format, 32, 24, WHITE);
    check_there_and_back (format, 33, 17, BLACK);
    if (can_hold (format, RED))
      check_there_and_back (format, 33, 17, RED);
  }
}

/* ---- Gates ---- */

static void
assert_refused (GBytes *picture, guint64 max_pixels, gint code)
{
  FalImageFileInfo info;
  g_autoptr (GError) error = NULL;

  g_assert_false (fal_image_file_probe (picture, max_pixels, &info, &error));
  g_assert_error (error, G_IO_ERROR, code);
  assert_not_decoded (picture, "ANY", max_pixels, code);
}

static void
test_pictures_are_told_by_their_first_bytes (void)
{
  g_assert_cmpint (
      fal_image_file_sniff ((const guint8 *) "\xff\xd8\xff\xe0", 4), ==, FAL_IMAGE_FILE_JPEG);
  g_assert_cmpint (
      fal_image_file_sniff ((const guint8 *) "\x89PNG\r\n\x1a\n", 8), ==, FAL_IMAGE_FILE_PNG);
  g_assert_cmpint (
      fal_image_file_sniff ((const guint8 *) "RIFF\1\2\3\4WEBP", 12), ==, FAL_IMAGE_FILE_WEBP);
  g_assert_cmpint (
      fal_image_file_sniff ((const guint8 *) "RIFF\1\2\3\4WAVE", 12), ==, FAL_IMAGE_FILE_UNKNOWN);
  g_assert_cmpint (fal_image_file_sniff ((const guint8 *) "\xff\xd8", 2), ==, FAL_IMAGE_FILE_UNKNOWN);
  g_assert_cmpint (fal_image_file_sniff (NULL, 0), ==, FAL_IMAGE_FILE_UNKNOWN);
  g_assert_cmpstr (fal_image_file_get_media_type (FAL_IMAGE_FILE_WEBP), ==, "image/webp");
  g_assert_null (fal_image_file_get_media_type (FAL_IMAGE_FILE_UNKNOWN));
}

/* A grey JPEG of @scans scans, each without data; @sof 0xc0 or 0xc2. */
static GBytes *
scans_of_nothing (guint8 sof, guint16 width, guint16 height, guint scans)
{
  const guint8 head[] = { 0xff, 0xd8, 0xff, sof, 0, 11, 8, height >> 8, height & 0xff, width >> 8,
    width & 0xff, 1, 1, 0x11, 0 };
  static const guint8 scan[] = { 0xff, 0xda, 0, 8, 1, 1, 0, 0, 0, 0 };
  static const guint8 end[] = { 0xff, 0xd9 };
  GByteArray *jpeg = g_byte_array_new ();

  g_byte_array_append (jpeg, head, sizeof head);
  for (guint i = 0; i < scans; i++)
    g_byte_array_append (jpeg, scan, sizeof scan);
  g_byte_array_append (jpeg, end, sizeof end);
  return g_byte_array_free_to_bytes (jpeg);
}

static void
test_huge_jpegs_are_refused (void)
{
  g_autoptr (GBytes) baseline = scans_of_nothing (0xc0, 65500, 65500, 1);
  g_autoptr (GBytes) progressive = scans_of_nothing (0xc2, 65500, 65500, 1);
  g_autoptr (GBytes) empty = scans_of_nothing (0xc0, 64, 0, 1);

  assert_refused (baseline, MAX_PIXELS, G_IO_ERROR_INVALID_DATA);
  assert_refused (progressive, MAX_PIXELS, G_IO_ERROR_INVALID_DATA);
  assert_refused (empty, MAX_PIXELS, G_IO_ERROR_INVALID_DATA);
}

static void
test_the_pixel_limit_is_exact (void)
{
  g_autoptr (GBytes) jpeg = plain_jpeg (40, 30, RED, 0);
  FalImageFileInfo info;

  g_assert_true (fal_image_file_probe (jpeg, 1200, &info, NULL));
  g_assert_cmpint (info.type, ==, FAL_IMAGE_FILE_JPEG);
  g_assert_cmpint (info.width, ==, 40);
  g_assert_cmpint (info.height, ==, 30);
  g_assert_false (info.has_alpha);
  assert_refused (jpeg, 1199, G_IO_ERROR_INVALID_DATA);
}

static void
test_scans_are_bounded_by_pixels (void)
{
  static const struct {
    gint side;
    guint scans;
    gboolean passes;
  } rows[] = {
    { 4000, 10, TRUE },
    { 1024, 100, TRUE },
    { 1024, 200, FALSE },
    { 4000, 100, FALSE },
    { 64, 500, TRUE },
    { 64, 501, FALSE },
    { 3000, 29800, FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GBytes) jpeg = scans_of_nothing (0xc2, rows[i].side, rows[i].side, rows[i].scans);
    g_autoptr (GError) error = NULL;
    FalImageFileInfo info;

    g_assert_cmpint (fal_image_file_probe (jpeg, MAX_PIXELS, &info, &error), ==, rows[i].passes);
    if (!rows[i].passes)
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  }
}

static void
test_truncated_jpegs_are_refused (void)
{
  g_autoptr (GBytes) jpeg = plain_jpeg (400, 300, RED, 0);
  gsize size = g_bytes_get_size (jpeg);

  for (gsize cut = 1; cut < size; cut += 7) {
    g_autoptr (GBytes) part = g_bytes_new_from_bytes (jpeg, 0, size - cut);

    assert_refused (part, MAX_PIXELS, G_IO_ERROR_INVALID_DATA);
  }
}

/* Whole by its markers, but half of its data is missing. */
static void
test_jpegs_with_a_hole_are_dropped (void)
{
  g_autoptr (GBytes) jpeg = plain_jpeg (400, 300, RED, 0);
  gsize size;
  const guint8 *data = g_bytes_get_data (jpeg, &size);
  GByteArray *holed = g_byte_array_new ();
  g_autoptr (GBytes) bytes = NULL;

  g_byte_array_append (holed, data, size - 300);
  g_byte_array_append (holed, (const guint8 *) "\xff\xd9", 2);
  bytes = g_byte_array_free_to_bytes (holed);
  assert_not_decoded (bytes, "ANY", MAX_PIXELS, G_IO_ERROR_INVALID_DATA);
}

static void
test_garbage_after_the_end_is_fine (void)
{
  g_autoptr (GBytes) jpeg = plain_jpeg (40, 30, RED, 0);
  GByteArray *longer = g_byte_array_new ();
  g_autoptr (GBytes) bytes = NULL;

  g_byte_array_append (longer, g_bytes_get_data (jpeg, NULL), g_bytes_get_size (jpeg));
  g_byte_array_append (longer, (const guint8 *) "\xff\xda garbage \xff\xc2", 12);
  bytes = g_byte_array_free_to_bytes (longer);
  assert_decodes_to (bytes, "RGBx", RED, 3);
}

static void
test_garbage_is_refused (void)
{
  static const gchar *rows[] = { "", "x", "\xff\xd8\xff", "\xff\xd8\xff\xc0",
    "\xff\xd8\xff\xff\xff", "\xff\xd8\xff\xe0\x01", "{\"error\":\"no\"}", "GIF89a" };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GBytes) bytes = g_bytes_new_static (rows[i], strlen (rows[i]));

    assert_refused (bytes, MAX_PIXELS, G_IO_ERROR_INVALID_DATA);
  }
}

/* ---- Kinds of JPEG ---- */

static void
test_progressive_jpegs_decode (void)
{
  g_autoptr (GBytes) jpeg = plain_jpeg (100, 75, BLUE, TJFLAG_PROGRESSIVE);

  assert_decodes_everywhere (jpeg, BLUE);
}

static void
test_grey_jpegs_decode (void)
{
  const Colour *grey = &colours[5];
  g_autofree guint8 *pixels = repeat_pixel (&grey->r, 1, 40, 30);
  g_autoptr (GBytes) jpeg = write_jpeg (pixels, 40, 30, TJPF_GRAY, TJSAMP_GRAY, 0);

  assert_decodes_everywhere (jpeg, grey);
}

/* Ink is stored inverted: 255 is none. */
static void
test_cmyk_jpegs_decode (void)
{
  static const struct {
    guint8 cmyk[4];
    Colour rgb;
  } rows[] = {
    { { 255, 0, 0, 255 }, { "red", 255, 0, 0 } },
    { { 0, 0, 255, 255 }, { "blue", 0, 0, 255 } },
    { { 255, 255, 255, 255 }, { "white", 255, 255, 255 } },
    { { 255, 255, 255, 0 }, { "black", 0, 0, 0 } },
    { { 255, 255, 0, 128 }, { "dark yellow", 128, 128, 0 } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree guint8 *pixels = repeat_pixel (rows[i].cmyk, 4, 40, 30);
    g_autoptr (GBytes) jpeg = write_jpeg (pixels, 40, 30, TJPF_CMYK, TJSAMP_444, 0);

    assert_decodes_everywhere (jpeg, &rows[i].rgb);
  }
}

/* ---- PNG ---- */

#ifdef HAVE_PNG

static void
append_png (png_structp png, png_bytep data, png_size_t size)
{
  g_byte_array_append (png_get_io_ptr (png), data, size);
}

typedef struct {
  gint colour_type, bit_depth;
  png_color *palette;   /* of two */
  png_byte *alpha;      /* of the palette */
  gboolean is_animated; /* one picture more, which nobody reads */
} PngKind;

static void
write_png_header (png_structp png, png_infop info, gint width, gint height, const PngKind *kind)
{
  png_set_IHDR (png, info, width, height, kind->bit_depth, kind->colour_type, PNG_INTERLACE_NONE,
      PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (kind->palette != NULL)
    png_set_PLTE (png, info, kind->palette, 2);
  if (kind->alpha != NULL)
    png_set_tRNS (png, info, kind->alpha, 2, NULL);
  png_write_info (png, info);
  if (kind->is_animated)
    png_write_chunk (png, (png_const_bytep) "acTL", (png_const_bytep) "\0\0\0\2\0\0\0\0", 8);
}

/* Each row the same bytes. */
static GBytes *
write_png (gint width, gint height, const PngKind *kind, const guint8 *row)
{
  GByteArray *bytes = g_byte_array_new ();
  png_structp png = png_create_write_struct (PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
  png_infop info = png_create_info_struct (png);

  png_set_write_fn (png, bytes, append_png, NULL);
  write_png_header (png, info, width, height, kind);
  for (gint y = 0; y < height; y++)
    png_write_row (png, row);
  png_write_end (png, info);
  png_destroy_write_struct (&png, &info);
  return g_byte_array_free_to_bytes (bytes);
}

static GBytes *
plain_png (const PngKind *kind, const guint8 *pixel, gsize pixel_size)
{
  g_autofree guint8 *row = repeat_pixel (pixel, pixel_size, 40, 1);

  return write_png (40, 30, kind, row);
}

static void
test_png_kinds_decode (void)
{
  static png_color palette[] = { { 0, 0, 0 }, { 224, 172, 105 } };
  static const struct {
    PngKind kind;
    guint8 pixel[8];
    gsize pixel_size;
    Colour rgb;
  } rows[] = {
    { { PNG_COLOR_TYPE_RGB, 8 }, { 224, 172, 105 }, 3, { "skin", 224, 172, 105 } },
    { { PNG_COLOR_TYPE_RGBA, 8 }, { 224, 172, 105, 255 }, 4, { "skin", 224, 172, 105 } },
    { { PNG_COLOR_TYPE_GRAY, 8 }, { 77 }, 1, { "grey", 77, 77, 77 } },
    { { PNG_COLOR_TYPE_PALETTE, 8, palette }, { 1 }, 1, { "skin", 224, 172, 105 } },
    { { PNG_COLOR_TYPE_RGB, 16 }, { 224, 224, 172, 172, 105, 105 }, 6, { "skin", 224, 172, 105 } },
    { { PNG_COLOR_TYPE_GRAY, 16 }, { 77, 77 }, 2, { "grey", 77, 77, 77 } },
    { { PNG_COLOR_TYPE_RGB, 8, .is_animated = TRUE }, { 255, 0, 0 }, 3, { "red", 255, 0, 0 } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GBytes) png = plain_png (&rows[i].kind, rows[i].pixel, rows[i].pixel_size);

    assert_decodes_everywhere (png, &rows[i].rgb);
  }
}

static void
assert_transparent (GBytes *picture, guint8 alpha)
{
  static const Colour half_red = { "red on black", 128, 0, 0 };
  g_auto (Result) any = decode (picture, "ANY");
  guint8 samples[4];

  g_assert_cmpstr (GST_VIDEO_INFO_NAME (&any.info), ==, "RGBA");
  get_samples (&any, 0, 0, samples);
  assert_pixel (samples, RED, 3, "transparent");
  g_assert_cmpuint (samples[3], ==, alpha);
  assert_decodes_to (picture, "BGRx", &half_red, 3);
  assert_decodes_to (picture, "xBGR", &half_red, 3);
  assert_decodes_to (picture, "RGB", &half_red, 3);
}

static void
test_png_alpha_prefers_formats_with_alpha (void)
{
  static png_color palette[] = { { 0, 0, 0 }, { 255, 0, 0 } };
  static png_byte alpha[] = { 255, 128 };
  const PngKind paletted = { PNG_COLOR_TYPE_PALETTE, 8, palette, alpha };
  const PngKind rgba = { PNG_COLOR_TYPE_RGBA, 8 };
  g_autoptr (GBytes) palette_png = plain_png (&paletted, (const guint8 *) "\1", 1);
  g_autoptr (GBytes) rgba_png = plain_png (&rgba, (const guint8 *) "\xff\0\0\x80", 4);

  assert_transparent (palette_png, 128);
  assert_transparent (rgba_png, 128);
}

static GBytes *
replace_bytes (GBytes *bytes, gsize at, const gchar *with, gsize size)
{
  guint8 *copy = g_memdup2 (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));

  memcpy (copy + at, with, size);
  return g_bytes_new_take (copy, g_bytes_get_size (bytes));
}

static void
test_broken_pngs_are_refused (void)
{
  const PngKind kind = { PNG_COLOR_TYPE_RGB, 8 };
  g_autoptr (GBytes) png = plain_png (&kind, (const guint8 *) "\xff\0\0", 3);
  gsize size = g_bytes_get_size (png);
  g_autoptr (GBytes) huge = replace_bytes (png, 16, "\0\1\0\0\0\1\0\0", 8);
  g_autoptr (GBytes) widest = replace_bytes (png, 16, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
  g_autoptr (GBytes) empty = replace_bytes (png, 16, "\0\0\0\0\0\0\0\0", 8);
  g_autoptr (GBytes) wrong_sum = replace_bytes (png, size - 20, "\1\2\3\4", 4);

  assert_refused (huge, MAX_PIXELS, G_IO_ERROR_INVALID_DATA);
  assert_refused (widest, MAX_PIXELS, G_IO_ERROR_INVALID_DATA);
  assert_refused (empty, MAX_PIXELS, G_IO_ERROR_INVALID_DATA);
  assert_not_decoded (wrong_sum, "ANY", MAX_PIXELS, G_IO_ERROR_INVALID_DATA);
  for (gsize length = 8; length < size; length++) {
    g_autoptr (GBytes) part = g_bytes_new_from_bytes (png, 0, length);

    assert_refused (part, MAX_PIXELS, G_IO_ERROR_INVALID_DATA);
  }
}

#else

static void
test_png_is_not_built_in (void)
{
  g_autoptr (GBytes) png = g_bytes_new_static ("\x89PNG\r\n\x1a\n", 8);

  assert_refused (png, MAX_PIXELS, G_IO_ERROR_NOT_SUPPORTED);
}

#endif

/* ---- WebP ---- */

#ifdef HAVE_WEBP

/* 40 × 30 of one colour. */
static GBytes *
plain_webp (const guint8 *rgba, gboolean lossless)
{
  g_autofree guint8 *pixels = repeat_pixel (rgba, 4, 40, 30);
  guint8 *webp = NULL;
  gsize size = lossless ? WebPEncodeLosslessRGBA (pixels, 40, 30, 160, &webp)
                        : WebPEncodeRGBA (pixels, 40, 30, 160, 95, &webp);
  GBytes *bytes = g_bytes_new (webp, size);

  WebPFree (webp);
  return bytes;
}

static void
append_chunk (GByteArray *riff, const gchar *name, const guint8 *data, guint32 size)
{
  guint32 length = GUINT32_TO_LE (size);

  g_byte_array_append (riff, (const guint8 *) name, 4);
  g_byte_array_append (riff, (const guint8 *) &length, 4);
  g_byte_array_append (riff, data, size);
}

/* An animation of one picture of 40 × 30 at 20,10 on a canvas of 64 × 48. */
static GBytes *
animate (GBytes *webp)
{
  static const guint8 canvas[] = { 0x12, 0, 0, 0, 63, 0, 0, 47, 0, 0 };
  static const guint8 place[] = { 10, 0, 0, 5, 0, 0, 39, 0, 0, 29, 0, 0, 100, 0, 0, 0 };
  GByteArray *frame = g_byte_array_new (), *riff = g_byte_array_new ();
  guint32 length;

  g_byte_array_append (frame, place, sizeof place);
  g_byte_array_append (
      frame, (const guint8 *) g_bytes_get_data (webp, NULL) + 12, g_bytes_get_size (webp) - 12);

  g_byte_array_append (riff, (const guint8 *) "RIFF    WEBP", 12);
  append_chunk (riff, "VP8X", canvas, sizeof canvas);
  append_chunk (riff, "ANIM", (const guint8 *) "\0\0\0\0\0\0", 6);
  append_chunk (riff, "ANMF", frame->data, frame->len);
  append_chunk (riff, "ANMF", frame->data, frame->len);
  length = GUINT32_TO_LE (riff->len - 8);
  memcpy (riff->data + 4, &length, 4);
  g_byte_array_unref (frame);
  return g_byte_array_free_to_bytes (riff);
}

static const guint8 opaque_red[] = { 255, 0, 0, 255 };
static const guint8 half_red[] = { 255, 0, 0, 128 };

static void
test_webp_kinds_decode (void)
{
  g_autoptr (GBytes) lossy = plain_webp (opaque_red, FALSE);
  g_autoptr (GBytes) lossless = plain_webp (opaque_red, TRUE);

  assert_decodes_everywhere (lossy, RED);
  assert_decodes_everywhere (lossless, RED);
}

static void
assert_transparent_webp (gboolean lossless)
{
  g_autoptr (GBytes) webp = plain_webp (half_red, lossless);
  g_auto (Result) any = decode (webp, "ANY");
  guint8 samples[4];

  g_assert_cmpstr (GST_VIDEO_INFO_NAME (&any.info), ==, "RGBA");
  get_samples (&any, 20, 15, samples);
  assert_pixel (samples, RED, 3, "transparent");
  g_assert_cmpuint (samples[3], ==, 128);
}

static void
test_webp_alpha_prefers_formats_with_alpha (void)
{
  assert_transparent_webp (FALSE);
  assert_transparent_webp (TRUE);
}

static void
test_of_an_animated_webp_the_first_picture_shows (void)
{
  g_autoptr (GBytes) still = plain_webp (opaque_red, TRUE);
  g_autoptr (GBytes) animation = animate (still);
  g_auto (Result) result = decode (animation, "ANY");
  g_auto (Result) undecoded = decode (animation, "image/webp");
  guint8 samples[4];

  g_assert_cmpint (result.info.width, ==, 64);
  g_assert_cmpint (result.info.height, ==, 48);
  get_samples (&result, 20, 10, samples);
  assert_pixel (samples, RED, 3, "the corner of the picture");
  get_samples (&result, 59, 39, samples);
  assert_pixel (samples, RED, 3, "the other corner of the picture");
  get_samples (&result, 19, 10, samples);
  g_assert_cmpuint (samples[3], ==, 0);
  assert_field (undecoded.caps, "width", "64");
}

static void
test_broken_webps_are_refused (void)
{
  g_autoptr (GBytes) webp = plain_webp (opaque_red, FALSE);
  gsize size = g_bytes_get_size (webp);

  for (gsize length = 0; length < size; length++) {
    g_autoptr (GBytes) part = g_bytes_new_from_bytes (webp, 0, length);

    assert_refused (part, MAX_PIXELS, G_IO_ERROR_INVALID_DATA);
  }
  assert_refused (webp, 1199, G_IO_ERROR_INVALID_DATA);
}

#else

static void
test_webp_is_not_built_in (void)
{
  g_autoptr (GBytes) webp = g_bytes_new_static ("RIFF\4\0\0\0WEBP", 12);

  assert_refused (webp, MAX_PIXELS, G_IO_ERROR_NOT_SUPPORTED);
}

#endif

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);

#define ADD(name, test) g_test_add_func ("/codec/" name, test)
  ADD ("colours-survive", test_colours_survive);
  ADD ("colours-survive-scaling", test_colours_survive_scaling);
  ADD ("jpeg-is-420", test_jpeg_is_420);
  ADD ("odd-sizes", test_odd_sizes);
  ADD ("crop-keeps-the-middle", test_crop_keeps_the_middle);
  ADD ("letterbox-bars-are-black", test_letterbox_bars_are_black);
  ADD ("stretch-shows-all", test_stretch_shows_all);
  ADD ("open-sides-follow-the-shape", test_open_sides_follow_the_shape);
  ADD ("pixel-aspect-ratio-is-honoured", test_pixel_aspect_ratio_is_honoured);
  ADD ("one-encoder-follows-changes", test_one_encoder_follows_changes);
  ADD ("quality-changes-the-size", test_quality_changes_the_size);
  ADD ("video-meta-is-honoured", test_video_meta_is_honoured);
  ADD ("caps-may-be-smaller-than-the-meta", test_caps_may_be_smaller_than_the_meta);
  ADD ("rows-that-overlap-are-refused", test_rows_that_overlap_are_refused);
  ADD ("buffers-that-are-too-small-are-refused", test_buffers_that_are_too_small_are_refused);
  ADD ("other-caps-are-refused", test_other_caps_are_refused);
  ADD ("pictures-pass-without-a-copy", test_pictures_pass_without_a_copy);
  ADD ("colours-survive-decoding-to-rgb", test_colours_survive_decoding_to_rgb);
  ADD ("colours-survive-decoding-to-yuv", test_colours_survive_decoding_to_yuv);
  ADD ("caps-say-everything", test_caps_say_everything);
  ADD ("variable-rates-carry-their-maximum", test_variable_rates_carry_their_maximum);
  ADD ("formats-are-chosen-best-first", test_formats_are_chosen_best_first);
  ADD ("a-rate-that-is-not-allowed-gives-way", test_a_rate_that_is_not_allowed_gives_way);
  ADD ("undecoded-pictures-keep-their-bytes", test_undecoded_pictures_keep_their_bytes);
  ADD ("nothing-that-fits-is-an-error", test_nothing_that_fits_is_an_error);
  ADD ("sizes-change-between-pictures", test_sizes_change_between_pictures);
  ADD ("buffers-and-caps-are-reused", test_buffers_and_caps_are_reused);
  ADD ("buffers-outlive-the-decoder", test_buffers_outlive_the_decoder);
  ADD ("every-format-goes-there-and-back", test_every_format_goes_there_and_back);
  ADD ("pictures-are-told-by-their-first-bytes", test_pictures_are_told_by_their_first_bytes);
  ADD ("huge-jpegs-are-refused", test_huge_jpegs_are_refused);
  ADD ("the-pixel-limit-is-exact", test_the_pixel_limit_is_exact);
  ADD ("scans-are-bounded-by-pixels", test_scans_are_bounded_by_pixels);
  ADD ("truncated-jpegs-are-refused", test_truncated_jpegs_are_refused);
  ADD ("jpegs-with-a-hole-are-dropped", test_jpegs_with_a_hole_are_dropped);
  ADD ("garbage-after-the-end-is-fine", test_garbage_after_the_end_is_fine);
  ADD ("garbage-is-refused", test_garbage_is_refused);
  ADD ("progressive-jpegs-decode", test_progressive_jpegs_decode);
  ADD ("grey-jpegs-decode", test_grey_jpegs_decode);
  ADD ("cmyk-jpegs-decode", test_cmyk_jpegs_decode);
#ifdef HAVE_PNG
  ADD ("png-kinds-decode", test_png_kinds_decode);
  ADD ("png-alpha-prefers-formats-with-alpha", test_png_alpha_prefers_formats_with_alpha);
  ADD ("broken-pngs-are-refused", test_broken_pngs_are_refused);
#else
  ADD ("png-is-not-built-in", test_png_is_not_built_in);
#endif
#ifdef HAVE_WEBP
  ADD ("webp-kinds-decode", test_webp_kinds_decode);
  ADD ("webp-alpha-prefers-formats-with-alpha", test_webp_alpha_prefers_formats_with_alpha);
  ADD ("of-an-animated-webp-the-first-picture-shows",
      test_of_an_animated_webp_the_first_picture_shows);
  ADD ("broken-webps-are-refused", test_broken_webps_are_refused);
#else
  ADD ("webp-is-not-built-in", test_webp_is_not_built_in);
#endif
#undef ADD
  return g_test_run ();
}
