/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A part of a frame becomes the JPEG that the frame cut down to it would. The colours of the frame
 * say where each of its pixels was, so that a shift by one shows. */
#include "test-codec.h"
#include "test-pictures.h"

#include "fal/image/raw-picture.h"

#include <gio/gio.h>
#include <string.h>

#define WIDTH 64
#define HEIGHT 48

/* On average red and green are as near as this to what they should be; a shift by one pixel is a
 * difference of 3 across, and of 4 down. Blue, which is nearly all chroma, is half a sample of that
 * off where a side is odd. */
#define NEAR 2

static void
paint (gint x, gint y, gint rgb[3])
{
  rgb[0] = 30 + 3 * x;
  rgb[1] = 30 + 4 * y;
  rgb[2] = 220 - (3 * x + 4 * y) / 2;
}

/* Of RGB. */
static guint8 *
make_pixels (gint width, gint height)
{
  guint8 *pixels = g_malloc ((gsize) width * height * 3);

  for (gint i = 0; i < width * height; i++) {
    gint rgb[3];

    paint (i % width, i / width, rgb);
    for (guint c = 0; c < 3; c++)
      pixels[i * 3 + c] = rgb[c];
  }
  return pixels;
}

static GstSample *
make_rgb (gint width, gint height)
{
  g_autoptr (GstCaps) caps = make_caps ("RGB", width, height, "");
  g_autoptr (GstBuffer) buffer = NULL;
  GstVideoInfo info;
  GstVideoFrame frame;
  g_autofree guint8 *pixels = make_pixels (width, height);

  g_assert_true (gst_video_info_from_caps (&info, caps));
  buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  g_assert_true (gst_video_frame_map (&frame, &info, buffer, GST_MAP_WRITE));
  for (gint y = 0; y < height; y++)
    memcpy ((guint8 *) frame.data[0] + y * info.stride[0], pixels + y * width * 3, width * 3);
  gst_video_frame_unmap (&frame);
  return gst_sample_new (buffer, caps, NULL, NULL);
}

/* GStreamer's own conversion. */
static GstSample *
make_frame (GstVideoFormat format, gint width, gint height)
{
  g_autoptr (GstSample) rgb = make_rgb (width, height);
  g_autoptr (GstBuffer) buffer = NULL;
  g_autoptr (GstCaps) caps = NULL;
  GstVideoInfo from, to;
  GstVideoFrame source, frame;
  GstVideoConverter *converter;

  g_assert_true (gst_video_info_from_caps (&from, gst_sample_get_caps (rgb)));
  g_assert_true (gst_video_info_set_format (&to, format, width, height));
  from.fps_n = to.fps_n;
  from.fps_d = to.fps_d;
  buffer = gst_buffer_new_allocate (NULL, to.size, NULL);
  gst_buffer_memset (buffer, 0, 0, to.size);
  caps = gst_video_info_to_caps (&to);
  converter = gst_video_converter_new (&from, &to, NULL);
  g_assert_nonnull (converter);
  g_assert_true (gst_video_frame_map (&source, &from, gst_sample_get_buffer (rgb), GST_MAP_READ));
  g_assert_true (gst_video_frame_map (&frame, &to, buffer, GST_MAP_WRITE));
  gst_video_converter_frame (converter, &source, &frame);
  gst_video_frame_unmap (&frame);
  gst_video_frame_unmap (&source);
  gst_video_converter_free (converter);
  return gst_sample_new (buffer, caps, NULL, NULL);
}

/* How far the colours of @jpeg are from those that @layout says, on average: a frame's format may
 * make all of them a little darker. @grey: in shades alone. */
typedef struct {
  gdouble of[3];
} Bias;

static Bias
find_bias (GBytes *jpeg, const FalLayout *layout, gboolean grey)
{
  g_auto (Image) image = read_jpeg (jpeg);
  gdouble scale_x = (gdouble) layout->from.width / layout->to.width;
  gdouble scale_y = (gdouble) layout->from.height / layout->to.height;
  gint n = image.width * image.height;
  Bias bias = { 0 };

  g_assert_cmpint (image.width, ==, layout->width);
  g_assert_cmpint (image.height, ==, layout->height);
  for (gint i = 0; i < n; i++) {
    gint column = i % image.width, row = i / image.width;
    gdouble x = layout->from.x + (column + 0.5) * scale_x - 0.5;
    gdouble y = layout->from.y + (row + 0.5) * scale_y - 0.5;

    bias.of[0] += (image.rgb[i * 3] - (30 + 3 * x)) / n;
    bias.of[1] += (image.rgb[i * 3 + 1] - (30 + 4 * y)) / n;
    bias.of[2] += (image.rgb[i * 3 + 2] - (220 - (3 * x + 4 * y) / 2)) / n;
  }
  if (grey)
    bias = (Bias) { { 0.299 * bias.of[0] + 0.587 * bias.of[1] + 0.114 * bias.of[2] } };
  return bias;
}

/* Ends the test unless @jpeg is as near as @usual to what @layout says. */
static void
assert_shows (GBytes *jpeg, const FalLayout *layout, gboolean grey, const Bias *usual,
    gdouble tolerance, const gchar *what)
{
  Bias bias = find_bias (jpeg, layout, grey);

  for (guint c = 0; c < 3; c++)
    if (ABS (bias.of[c] - usual->of[c]) > (c < 2 ? tolerance : 2 * tolerance))
      g_error ("%s: colour %u is off by %.2f, not %.2f, from %d,%d %dx%d", what, c, bias.of[c],
          usual->of[c], layout->from.x, layout->from.y, layout->from.width, layout->from.height);
}

static const Bias none;

static GBytes *
encode_part (
    FalEncoder *encoder, GstSample *sample, const FalEncoderConfig *config, FalLayout *layout)
{
  g_autoptr (GError) error = NULL;
  const gchar *media_type;
  GBytes *jpeg = fal_encoder_encode (encoder, sample, config, &media_type, layout, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (media_type, ==, "image/jpeg");
  return jpeg;
}

static const FalArea parts[] = {
  { 0, 0, WIDTH, HEIGHT },
  { 16, 8, 32, 24 },
  { 17, 9, 31, 23 },
  { 21, 13, 32, 24 },
  { 33, 0, 16, 48 },
  { 0, 31, 64, 16 },
  { 40, 30, 24, 18 },
  { 43, 31, 21, 17 },
  { 15, 15, 9, 7 },
};

/* To whole samples of chroma. */
static void
align (const GstVideoFormatInfo *info, FalArea *area)
{
  gint across = 1, down = 1;

  for (guint i = 0; i < info->n_components; i++) {
    across = MAX (across, 1 << info->w_sub[i]);
    down = MAX (down, 1 << info->h_sub[i]);
  }
  area->x = area->x / across * across;
  area->y = area->y / down * down;
  area->width = (area->width + across - 1) / across * across;
  area->height = (area->height + down - 1) / down * down;
}

/* Where chroma has few samples the colours at the edges of a small part are those around it. */
static gboolean
is_grey (const GstVideoFormatInfo *info)
{
  return GST_VIDEO_FORMAT_INFO_IS_GRAY (info) || info->w_sub[1] > 1 || info->h_sub[1] > 1;
}

/* With one encoder, so that what it keeps for one part must not be taken for another. */
static void
check_format (GstVideoFormat format, const FalEncoderConfig *config)
{
  g_autoptr (GstSample) frame = make_frame (format, WIDTH, HEIGHT);
  const GstVideoFormatInfo *info = gst_video_format_get_info (format);
  gboolean grey = is_grey (info);
  g_autoptr (FalEncoder) encoder = fal_encoder_new ();
  FalLayout layout = { 0 };
  g_autoptr (GBytes) whole = encode_part (encoder, frame, &ANY_SIZE, &layout);
  Bias usual = find_bias (whole, &layout, grey);

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++) {
    FalEncoderConfig of_part = *config;
    FalArea wanted = parts[i];
    g_autoptr (GBytes) jpeg = NULL;

    of_part.part = wanted;
    jpeg = encode_part (encoder, frame, &of_part, &layout);
    if (config->fit == FAL_FIT_STRETCH || config->width == 0) {
      align (info, &wanted);
      g_assert_cmpint (layout.from.x, ==, wanted.x);
      g_assert_cmpint (layout.from.y, ==, wanted.y);
      g_assert_cmpint (layout.from.width, ==, wanted.width);
      g_assert_cmpint (layout.from.height, ==, wanted.height);
    }
    assert_shows (jpeg, &layout, grey, &usual, info->depth[0] < 8 ? 6 : NEAR, info->name);
  }
}

/* GStreamer 1.22 describes VYUY as if it were UYVY, and makes no palette of a picture; what is kept
 * on a device has no pixels here. */
static gboolean
is_testable (GstVideoFormat format)
{
  const GstVideoFormatInfo *info = gst_video_format_get_info (format);

  return info->unpack_func != NULL && info->pack_func != NULL && info->n_components > 0 &&
         !GST_VIDEO_FORMAT_INFO_HAS_PALETTE (info) && format != GST_VIDEO_FORMAT_VYUY;
}

static void
check_formats (const FalEncoderConfig *config)
{
  guint n;
  const GstVideoFormat *formats = gst_video_formats_raw (&n);

  for (guint i = 0; i < n; i++)
    if (is_testable (formats[i]))
      check_format (formats[i], config);
}

static void
test_a_part_shows_its_pixels (void)
{
  check_formats (&(FalEncoderConfig) { .quality = 95 });
}

static void
test_a_part_is_scaled (void)
{
  check_formats (&(FalEncoderConfig) { 40, 24, FAL_FIT_STRETCH, 95 });
}

static void
test_a_part_is_cropped (void)
{
  check_formats (&(FalEncoderConfig) { 16, 16, FAL_FIT_CROP, 95 });
}

static void
test_a_part_ends_at_the_edges (void)
{
  static const FalArea beyond[] = { { -10, -6, 30, 20 }, { 50, 40, 100, 100 },
    { -100, -100, 1000, 1000 }, { 60, 44, G_MAXINT, G_MAXINT } };
  static const FalArea within[] = { { 0, 0, 20, 14 }, { 50, 40, 14, 8 }, { 0, 0, 64, 48 },
    { 60, 44, 4, 4 } };
  g_autoptr (GstSample) frame = make_frame (GST_VIDEO_FORMAT_I420, WIDTH, HEIGHT);
  g_autoptr (FalEncoder) encoder = fal_encoder_new ();

  for (guint i = 0; i < G_N_ELEMENTS (beyond); i++) {
    const FalEncoderConfig config = { .quality = 95, .part = beyond[i] };
    FalLayout layout;
    g_autoptr (GBytes) jpeg = encode_part (encoder, frame, &config, &layout);

    g_assert_true (memcmp (&layout.from, &within[i], sizeof (FalArea)) == 0);
    assert_shows (jpeg, &layout, FALSE, &none, 2 * NEAR, "a part at the edge");
  }
}

static void
test_a_part_outside_is_refused (void)
{
  static const FalArea outside[] = { { 64, 0, 10, 10 }, { 0, 48, 10, 10 }, { -10, 0, 10, 10 },
    { G_MAXINT, G_MAXINT, G_MAXINT, G_MAXINT } };
  g_autoptr (GstSample) frame = make_frame (GST_VIDEO_FORMAT_I420, WIDTH, HEIGHT);
  g_autoptr (FalEncoder) encoder = fal_encoder_new ();

  for (guint i = 0; i < G_N_ELEMENTS (outside); i++) {
    const FalEncoderConfig config = { .quality = 95, .part = outside[i] };
    g_autoptr (GError) error = NULL;
    const gchar *media_type;

    g_assert_null (fal_encoder_encode (encoder, frame, &config, &media_type, NULL, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  }
}

/* Of frames with odd sides, up to the last row and column, and of single pixels. */
static void
test_odd_frames_have_parts (void)
{
  static const GstVideoFormat formats[] = { GST_VIDEO_FORMAT_I420, GST_VIDEO_FORMAT_NV12,
    GST_VIDEO_FORMAT_YUY2, GST_VIDEO_FORMAT_UYVY, GST_VIDEO_FORMAT_Y41B, GST_VIDEO_FORMAT_YUV9,
    GST_VIDEO_FORMAT_RGB, GST_VIDEO_FORMAT_I420_10LE };
  static const FalArea odd[] = { { 62, 46, 1, 1 }, { 61, 45, 2, 2 }, { 60, 0, 3, 47 },
    { 0, 44, 63, 3 }, { 1, 1, 62, 46 }, { 0, 0, 1, 1 } };

  for (guint f = 0; f < G_N_ELEMENTS (formats); f++) {
    g_autoptr (GstSample) frame = make_frame (formats[f], 63, 47);
    g_autoptr (FalEncoder) encoder = fal_encoder_new ();

    for (guint i = 0; i < G_N_ELEMENTS (odd); i++) {
      const FalEncoderConfig config = { .quality = 95, .part = odd[i] };
      FalLayout layout;
      g_autoptr (GBytes) jpeg = encode_part (encoder, frame, &config, &layout);

      assert_shows (jpeg, &layout, FALSE, &none, 8, gst_video_format_to_string (formats[f]));
    }
  }
}

/* A part with pixels of another shape, in a picture of which one side is given. */
static void
test_a_part_has_a_shape_of_its_own (void)
{
  g_autoptr (GstCaps) caps = make_caps ("I420", 64, 48, ",pixel-aspect-ratio=2/1");
  g_autoptr (GstSample) square = make_frame (GST_VIDEO_FORMAT_I420, 64, 48);
  g_autoptr (GstSample) wide = gst_sample_new (gst_sample_get_buffer (square), caps, NULL, NULL);
  FalEncoderConfig config = { 0, 32, FAL_FIT_CROP, 95, .part = { 10, 10, 20, 20 } };
  g_autoptr (FalEncoder) encoder = fal_encoder_new ();
  FalLayout layout;
  g_autoptr (GBytes) by_height = encode_part (encoder, wide, &config, &layout);
  g_autoptr (GBytes) boxed = NULL;

  g_assert_cmpint (layout.width, ==, 64);
  config = (FalEncoderConfig) { 32, 32, FAL_FIT_LETTERBOX, 95, .part = { 10, 10, 20, 20 } };
  boxed = encode_part (encoder, wide, &config, &layout);
  g_assert_cmpint (layout.to.y, ==, 8);
  g_assert_cmpint (layout.to.height, ==, 16);
  g_assert_cmpint (layout.from.x, ==, 10);
  g_assert_cmpint (layout.from.width, ==, 20);
}

/* ---- encoded frames ---- */

static GstSample *
wrap (GBytes *picture, const gchar *type)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new_wrapped_bytes (picture);
  g_autoptr (GstCaps) caps = gst_caps_new_empty_simple (type);

  return gst_sample_new (buffer, caps, NULL, NULL);
}

static void
check_jpeg (gint subsampling, gint width, gint height, const FalEncoderConfig *config)
{
  g_autofree guint8 *pixels = make_pixels (width, height);
  g_autoptr (GBytes) picture =
      write_jpeg (pixels, width, height, TJPF_RGB, subsampling, TJFLAG_ACCURATEDCT);
  g_autoptr (GstSample) frame = wrap (picture, "image/jpeg");
  g_autoptr (FalEncoder) encoder = fal_encoder_new ();

  for (guint i = 1; i < G_N_ELEMENTS (parts); i++) {
    FalEncoderConfig of_part = *config;
    g_autofree gchar *what = g_strdup_printf ("subsampling %d", subsampling);
    FalLayout layout;
    g_autoptr (GBytes) jpeg = NULL;

    of_part.part = parts[i];
    jpeg = encode_part (encoder, frame, &of_part, &layout);
    assert_shows (jpeg, &layout, subsampling == TJSAMP_GRAY, &none, 2, what);
  }
}

static void
test_a_part_of_a_jpeg_is_decoded (void)
{
  static const gint sizes[][2] = { { 64, 48 }, { 65, 49 }, { 67, 51 } };

  for (gint subsampling = 0; subsampling < TJ_NUMSAMP; subsampling++) {
    for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
      check_jpeg (subsampling, sizes[i][0], sizes[i][1], &(FalEncoderConfig) { .quality = 95 });
      check_jpeg (subsampling, sizes[i][0], sizes[i][1],
          &(FalEncoderConfig) { 40, 24, FAL_FIT_STRETCH, 95 });
    }
  }
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

/* As the picture's own pixels would be. */
static void
test_a_part_of_any_kind_of_picture_is_decoded (void)
{
  static const struct {
    const gchar *type, *name;
  } rows[] = {
    { "image/jpeg", "astronaut.jpg" },
#ifdef HAVE_PNG
    { "image/png", "astronaut.png" },
#endif
#ifdef HAVE_WEBP
    { "image/webp", "astronaut.webp" },
#endif
  };
  const FalEncoderConfig config = { 32, 32, FAL_FIT_CROP, 95, .part = { 22, 14, 48, 32 } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (FalEncoder) encoder = fal_encoder_new ();
    g_autoptr (GBytes) picture = load (rows[i].name);
    g_autoptr (GstSample) frame = wrap (picture, rows[i].type);
    g_autoptr (GstSample) raw = fal_raw_picture_make (picture, 1, 1, NULL);
    FalLayout layout, of_raw;
    g_autoptr (GBytes) part = encode_part (encoder, frame, &config, &layout);
    g_autoptr (GBytes) wanted = encode_part (encoder, raw, &config, &of_raw);

    g_assert_true (g_bytes_equal (part, wanted));
    g_assert_cmpint (layout.width, ==, 32);
    g_assert_cmpint (layout.from.x, ==, 30);
    g_assert_cmpint (layout.from.y, ==, 14);
    g_assert_cmpint (layout.from.width, ==, 32);
    g_assert_true (memcmp (&layout, &of_raw, sizeof layout) == 0);
  }
}

/* The whole in its own size needs no decoding; in another it does. */
static void
test_all_of_a_picture_stays_as_it_is_unless_a_size_is_wanted (void)
{
  g_autofree guint8 *pixels = make_pixels (64, 48);
  g_autoptr (GBytes) picture = write_jpeg (pixels, 64, 48, TJPF_RGB, TJSAMP_420, 0);
  g_autoptr (GstSample) frame = wrap (picture, "image/jpeg");
  g_autoptr (FalEncoder) encoder = fal_encoder_new ();
  FalEncoderConfig config = { .quality = 95, .part = { 0, 0, 64, 48 } };
  FalLayout layout;
  g_autoptr (GBytes) same = encode_part (encoder, frame, &config, &layout);
  g_autoptr (GBytes) small = NULL;

  g_assert_true (g_bytes_equal (same, picture));
  config.width = config.height = 24;
  small = encode_part (encoder, frame, &config, &layout);
  g_assert_cmpint (layout.width, ==, 24);
  g_assert_cmpint (layout.from.width, ==, 48);
  assert_shows (small, &layout, FALSE, &none, 2, "all of a JPEG, scaled");
}

static void
test_a_part_of_what_is_broken_is_refused (void)
{
  g_autofree guint8 *pixels = make_pixels (64, 48);
  g_autoptr (GBytes) whole = write_jpeg (pixels, 64, 48, TJPF_RGB, TJSAMP_420, 0);
  g_autoptr (GBytes) half = g_bytes_new_from_bytes (whole, 0, g_bytes_get_size (whole) / 2);
  g_autoptr (GBytes) text = g_bytes_new_static ("no picture", 10);
  GBytes *rows[] = { half, text };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GstSample) frame = wrap (rows[i], "image/jpeg");
    g_autoptr (FalEncoder) encoder = fal_encoder_new ();
    const FalEncoderConfig config = { .quality = 95, .part = { 0, 0, 16, 16 } };
    FalLayout layout = { 0 };
    g_autoptr (GError) error = NULL;
    const gchar *media_type;

    g_assert_null (fal_encoder_encode (encoder, frame, &config, &media_type, &layout, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
    g_assert_cmpint (layout.width, ==, 0);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
#define ADD(name) g_test_add_func ("/encoder-parts/" #name, test_##name)
  ADD (a_part_shows_its_pixels);
  ADD (a_part_is_scaled);
  ADD (a_part_is_cropped);
  ADD (a_part_ends_at_the_edges);
  ADD (a_part_outside_is_refused);
  ADD (odd_frames_have_parts);
  ADD (a_part_has_a_shape_of_its_own);
  ADD (a_part_of_a_jpeg_is_decoded);
  ADD (a_part_of_any_kind_of_picture_is_decoded);
  ADD (all_of_a_picture_stays_as_it_is_unless_a_size_is_wanted);
  ADD (a_part_of_what_is_broken_is_refused);
  return g_test_run ();
}
