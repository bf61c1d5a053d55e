/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames of every kind become JPEGs of the same colours, in the size and shape asked for. */
#include "../unreadable-memory.h"
#include "test-codec.h"
#include "test-pictures.h"

#include <gio/gio.h>

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
  { "I420", ",colorimetry=0:4:0:0", &bt601, 4 }, /* the range is the usual one */
  { "RGB", ",colorimetry=0:1:0:0", &jfif, 3 },
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
    for (guint j = 0; j < N_COLOURS; j++) {
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
    { ",pixel-aspect-ratio=0/1", 96, 0, 96, 32 },
    { ",pixel-aspect-ratio=-1/1", 0, 32, 96, 32 },
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
    g_autoptr (GBytes) jpeg =
        fal_encoder_encode (encoder, sample, &config, &media_type, NULL, NULL);
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

  g_assert_null (fal_encoder_encode (encoder, sample, &ANY_SIZE, &media_type, NULL, &error));
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
test_frames_of_nothing_are_refused (void)
{
  static const gchar *const texts[] = { "video/x-raw,format=I420,width=0,height=48",
    "video/x-raw,format=I420,width=64,height=0", "video/x-raw,format=ENCODED,width=64,height=48",
    "video/x-raw,width=64,height=48" };
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, 100000, NULL);
  g_autoptr (GstCaps) raw = gst_caps_from_string ("video/x-raw,format=I420,width=64,height=48");
  g_autoptr (GstCaps) none = gst_caps_new_empty ();
  g_autoptr (GstSample) without_buffer = gst_sample_new (NULL, raw, NULL, NULL);
  g_autoptr (GstSample) with_empty_caps = gst_sample_new (buffer, none, NULL, NULL);

  assert_not_encoded (without_buffer, G_IO_ERROR_FAILED);
  assert_not_encoded (with_empty_caps, G_IO_ERROR_FAILED);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GstCaps) caps = gst_caps_from_string (texts[i]);
    g_autoptr (GstSample) sample = gst_sample_new (buffer, caps, NULL, NULL);

    g_test_message ("%s", texts[i]);
    assert_not_encoded (sample, G_IO_ERROR_FAILED);
  }
}

static void
test_memory_that_cannot_be_read_is_an_error (void)
{
  static const gchar *const texts[] = { "image/jpeg",
    "video/x-raw,format=I420,width=64,height=48,framerate=25/1" };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (FalEncoder) encoder = fal_encoder_new ();
    g_autoptr (GstCaps) caps = gst_caps_from_string (texts[i]);
    g_autoptr (GstBuffer) buffer = unreadable_buffer_new (64 * 48 * 3 / 2);
    g_autoptr (GstSample) sample = gst_sample_new (buffer, caps, NULL, NULL);
    g_autoptr (GError) error = NULL;
    const gchar *media_type = NULL;

    g_assert_null (fal_encoder_encode (encoder, sample, &ANY_SIZE, &media_type, NULL, &error));
    g_assert_nonnull (error);
  }
}

static void
test_a_side_has_an_end (void)
{
  static const FalEncoderConfig configs[] = { { 66000, 10, .quality = 90 },
    { 10, 66000, .quality = 90 } };
  g_autoptr (GstSample) sample = plain_sample ("I420", 64, 48, "", &bt601, RED);

  for (guint i = 0; i < G_N_ELEMENTS (configs); i++) {
    g_autoptr (FalEncoder) encoder = fal_encoder_new ();
    g_autoptr (GError) error = NULL;
    const gchar *media_type = NULL;

    g_assert_null (fal_encoder_encode (encoder, sample, &configs[i], &media_type, NULL, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  }
}

/* Where the fields of a frame come in buffers of their own, each is a picture of half the height.
 */
static void
test_a_field_is_a_picture (void)
{
  g_autoptr (GstSample) half = plain_sample ("I420", 64, 24, "", &bt601, RED);
  g_autoptr (GstCaps) caps = gst_caps_from_string (
      "video/x-raw(format:Interlaced),format=I420,width=64,height=48,framerate=25/1,"
      "colorimetry=bt601,interlace-mode=alternate");
  g_autoptr (GstSample) field = gst_sample_new (gst_sample_get_buffer (half), caps, NULL, NULL);
  g_autoptr (FalEncoder) encoder = fal_encoder_new ();
  g_autoptr (GError) error = NULL;
  const gchar *media_type = NULL;
  FalLayout layout;
  g_autoptr (GBytes) jpeg =
      fal_encoder_encode (encoder, field, &ANY_SIZE, &media_type, &layout, &error);
  g_auto (Image) image = { 0 };

  g_assert_no_error (error);
  image = read_jpeg (jpeg);
  g_assert_cmpint (image.width, ==, 64);
  g_assert_cmpint (image.height, ==, 24);
  assert_image_pixel (&image, 32, 12, RED);
  g_assert_cmpint (layout.par_d, ==, 2 * layout.par_n);
}

static void
test_frames_of_two_fields_are_known (void)
{
  static const struct {
    const gchar *caps;
    gboolean flagged, interlaced;
  } rows[] = {
    { "image/jpeg,interlace-mode=interleaved", TRUE, FALSE },
    { "video/x-raw", TRUE, FALSE },
    { "video/x-raw,interlace-mode=progressive", TRUE, FALSE },
    { "video/x-raw,interlace-mode=interleaved", FALSE, TRUE },
    { "video/x-raw,interlace-mode=mixed", FALSE, FALSE },
    { "video/x-raw,interlace-mode=mixed", TRUE, TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GstCaps) caps = gst_caps_from_string (rows[i].caps);
    g_autoptr (GstBuffer) buffer = gst_buffer_new ();
    g_autoptr (GstSample) sample = NULL;

    if (rows[i].flagged)
      GST_BUFFER_FLAG_SET (buffer, GST_VIDEO_BUFFER_FLAG_INTERLACED);
    sample = gst_sample_new (buffer, caps, NULL, NULL);
    g_assert_cmpint (fal_encoder_is_interlaced (sample), ==, rows[i].interlaced);
  }
}

/* A part that is all of a picture leaves it as it came; any other is cut out of it. */
static void
test_a_part_of_a_picture_is_cut_out (void)
{
  static const struct {
    FalEncoderConfig config;
    gint width, height; /* 0: as it came */
  } rows[] = {
    { { .quality = 90, .part = { 0, 0, 40, 30 } }, 0, 0 },
    { { .quality = 90, .part = { 0, 0, 0, 30 } }, 0, 0 },
    { { .quality = 90, .part = { 0, 0, 40, 0 } }, 0, 0 },
    { { .quality = 90, .part = { 0, 0, 20, 30 } }, 20, 30 },
    { { .quality = 90, .part = { 0, 0, 40, 10 } }, 40, 10 },
    { { .quality = 90, .part = { 2, 0, 38, 30 } }, 38, 30 },
    { { .quality = 90, .part = { 0, 2, 40, 28 } }, 40, 28 },
    { { 20, 0, .quality = 90, .part = { 0, 0, 40, 30 } }, 20, 15 },
    { { 0, 60, .quality = 90, .part = { 0, 0, 40, 30 } }, 80, 60 },
  };
  g_autoptr (GBytes) picture = plain_jpeg (40, 30, RED, 0);
  g_autoptr (GstBuffer) buffer = gst_buffer_new_wrapped_bytes (picture);
  g_autoptr (GstCaps) caps = gst_caps_from_string ("image/jpeg,width=40,height=30");
  g_autoptr (GstSample) sample = gst_sample_new (buffer, caps, NULL, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GBytes) jpeg = encode (sample, &rows[i].config);
    g_auto (Image) image = read_jpeg (jpeg);

    g_assert_true (g_bytes_equal (jpeg, picture) == (rows[i].width == 0));
    g_assert_cmpint (image.width, ==, rows[i].width ? rows[i].width : 40);
    g_assert_cmpint (image.height, ==, rows[i].height ? rows[i].height : 30);
    assert_image_pixel (&image, image.width / 2, image.height / 2, RED);
  }
}

static void
test_a_part_of_a_broken_picture_is_an_error (void)
{
  static const gchar jpeg[] = "\xff\xd8\xff\xc0\0\x08\x08\0\x30\0\x40\0"
                              "\xff\xda\0\x08\1\1\0\0\0\0\xff\xd9";
  const FalEncoderConfig config = { .quality = 90, .part = { 0, 0, 20, 30 } };
  g_autoptr (FalEncoder) encoder = fal_encoder_new ();
  g_autoptr (GBytes) picture = g_bytes_new_static (jpeg, sizeof jpeg - 1);
  g_autoptr (GstBuffer) buffer = gst_buffer_new_wrapped_bytes (picture);
  g_autoptr (GstCaps) caps = gst_caps_from_string ("image/jpeg");
  g_autoptr (GstSample) sample = gst_sample_new (buffer, caps, NULL, NULL);
  g_autoptr (GError) error = NULL;
  const gchar *media_type = NULL;

  g_assert_null (fal_encoder_encode (encoder, sample, &config, &media_type, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
}

/* One of @name that lies in the tests' data. */
static GBytes *
load (const gchar *name)
{
  g_autofree gchar *path = g_build_filename (g_getenv ("FAL_TEST_DATA"), name, NULL);
  gchar *data;
  gsize size;

  g_assert_true (g_file_get_contents (path, &data, &size, NULL));
  return g_bytes_new_take (data, size);
}

static void
test_pictures_pass_without_a_copy (void)
{
  static const struct {
    const gchar *type, *name;
  } rows[] = {
    { "image/jpeg", "astronaut.jpg" },
    { "image/png", "astronaut.png" },
    { "image/webp", "astronaut.webp" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (FalEncoder) encoder = fal_encoder_new ();
    g_autoptr (GstCaps) caps = gst_caps_new_empty_simple (rows[i].type);
    g_autoptr (GBytes) picture = load (rows[i].name);
    GstBuffer *buffer = gst_buffer_new_wrapped_bytes (picture);
    GstSample *sample = gst_sample_new (buffer, caps, NULL, NULL);
    g_autoptr (GBytes) bytes = NULL;
    const gchar *media_type;
    GstMapInfo map;

    gst_buffer_map (buffer, &map, GST_MAP_READ);
    bytes = fal_encoder_encode (encoder, sample, &ANY_SIZE, &media_type, NULL, NULL);
    g_assert_cmpstr (media_type, ==, rows[i].type);
    g_assert_true (g_bytes_get_data (bytes, NULL) == map.data);
    gst_buffer_unmap (buffer, &map);
    gst_buffer_unref (buffer);
    gst_sample_unref (sample);
    g_assert_true (g_bytes_equal (bytes, picture));
  }
}

/* The layout of what is made of 64 × 48 I420 with these caps. */
static FalLayout
find_layout (const gchar *more, const FalEncoderConfig *config)
{
  g_autoptr (GstSample) sample = plain_sample ("I420", 64, 48, more, &bt601, RED);
  g_autoptr (FalEncoder) encoder = fal_encoder_new ();
  const gchar *media_type;
  FalLayout layout;
  g_autoptr (GBytes) jpeg =
      fal_encoder_encode (encoder, sample, config, &media_type, &layout, NULL);

  g_assert_nonnull (jpeg);
  return layout;
}

static void
test_the_pixels_have_the_shape_that_keeps_the_frames (void)
{
  static const struct {
    const gchar *caps;
    FalEncoderConfig config;
    gint par_n, par_d;
  } rows[] = {
    { "", { 0, 0, FAL_FIT_CROP, 95 }, 1, 1 },
    { ",pixel-aspect-ratio=3/2", { 0, 0, FAL_FIT_CROP, 95 }, 3, 2 },
    { ",pixel-aspect-ratio=0/1", { 0, 0, FAL_FIT_CROP, 95 }, 1, 1 },
    { ",pixel-aspect-ratio=0/1", { 32, 32, FAL_FIT_CROP, 95 }, 1, 1 },
    { ",pixel-aspect-ratio=3/2", { 32, 0, FAL_FIT_CROP, 95 }, 1, 1 },
    { ",pixel-aspect-ratio=3/2", { 0, 32, FAL_FIT_STRETCH, 95 }, 1, 1 },
    { ",pixel-aspect-ratio=3/2", { 32, 32, FAL_FIT_CROP, 95 }, 1, 1 },
    { ",pixel-aspect-ratio=3/2", { 32, 32, FAL_FIT_LETTERBOX, 95 }, 1, 1 },
    { ",pixel-aspect-ratio=3/2", { 32, 32, FAL_FIT_STRETCH, 95 }, 2, 1 },
    { "", { 32, 32, FAL_FIT_STRETCH, 95 }, 4, 3 },
    { "", { 33, 25, FAL_FIT_STRETCH, 95 }, 1, 1 }, /* as square as it gets */
    { ",pixel-aspect-ratio=3/2", { 32, 32, FAL_FIT_CROP, 95, 2, 1 }, 2, 1 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    FalLayout layout = find_layout (rows[i].caps, &rows[i].config);

    g_test_message ("row %u", i);
    g_assert_cmpint (layout.par_n, ==, rows[i].par_n);
    g_assert_cmpint (layout.par_d, ==, rows[i].par_d);
  }
}

static void
assert_area (const FalArea *area, gint x, gint y, gint width, gint height)
{
  g_assert_cmpint (area->x, ==, x);
  g_assert_cmpint (area->y, ==, y);
  g_assert_cmpint (area->width, ==, width);
  g_assert_cmpint (area->height, ==, height);
}

static void
test_the_layout_says_which_part_is_where (void)
{
  FalLayout cropped = find_layout ("", &(FalEncoderConfig){ 32, 32, FAL_FIT_CROP, 95 });
  FalLayout boxed = find_layout ("", &(FalEncoderConfig){ 32, 32, FAL_FIT_LETTERBOX, 95 });
  /* 64 × 48 with pixels of 2/1 fits 32 × 32 with such pixels as if both were square. */
  FalLayout shaped = find_layout (
      ",pixel-aspect-ratio=2/1", &(FalEncoderConfig){ 32, 32, FAL_FIT_CROP, 95, 2, 1 });

  assert_area (&cropped.from, 8, 0, 48, 48);
  assert_area (&cropped.to, 0, 0, 32, 32);
  assert_area (&boxed.from, 0, 0, 64, 48);
  assert_area (&boxed.to, 0, 4, 32, 24);
  assert_area (&shaped.from, 8, 0, 48, 48);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
#define ADD(name, test) g_test_add_func ("/encoder/" name, test)
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
  ADD ("frames-of-nothing-are-refused", test_frames_of_nothing_are_refused);
  ADD ("memory-that-cannot-be-read-is-an-error", test_memory_that_cannot_be_read_is_an_error);
  ADD ("a-side-has-an-end", test_a_side_has_an_end);
  ADD ("a-field-is-a-picture", test_a_field_is_a_picture);
  ADD ("frames-of-two-fields-are-known", test_frames_of_two_fields_are_known);
  ADD ("a-part-of-a-picture-is-cut-out", test_a_part_of_a_picture_is_cut_out);
  ADD ("a-part-of-a-broken-picture-is-an-error", test_a_part_of_a_broken_picture_is_an_error);
  ADD ("pictures-pass-without-a-copy", test_pictures_pass_without_a_copy);
  ADD ("the-pixels-have-the-shape-that-keeps-the-frames",
      test_the_pixels_have_the_shape_that_keeps_the_frames);
  ADD ("the-layout-says-which-part-is-where", test_the_layout_says_which_part_is_where);
  return g_test_run ();
}
