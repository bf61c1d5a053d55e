/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures become buffers that downstream takes: the format, the caps, the pool. */
#include "test-codec.h"
#include "test-pictures.h"

#include <gio/gio.h>

static void
test_colours_survive_decoding_to_rgb (void)
{
  for (guint i = 0; i < N_COLOURS; i++) {
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

  for (guint i = 0; i < N_COLOURS * G_N_ELEMENTS (formats) * G_N_ELEMENTS (spaces); i++) {
    const Colour *colour = &colours[i % N_COLOURS];
    const gchar *format = formats[i / N_COLOURS % G_N_ELEMENTS (formats)];
    guint space = i / N_COLOURS / G_N_ELEMENTS (formats);
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

/* What was sent had 64 × 48 pixels. */
static void
test_a_picture_has_the_shape_of_what_was_sent (void)
{
  static const struct {
    const gchar *allowed;
    gint par_n, par_d; /* of what was sent */
    gint width, height;
    const gchar *wanted;
  } rows[] = {
    { "video/x-raw", 2, 1, 64, 48, "2/1" },
    { "image/jpeg", 2, 1, 64, 48, "2/1" },
    { "video/x-raw", 2, 1, 128, 96, "2/1" },
    { "video/x-raw", 2, 1, 48, 48, "8/3" },
    { "video/x-raw", 64, 45, 32, 32, "256/135" },
    { "video/x-raw", 1, 1, 48, 48, "1/1" },
    { "video/x-raw", 0, 0, 48, 48, "1/1" },
    { "video/x-raw,pixel-aspect-ratio=1/1", 2, 1, 64, 48, "1/1" },
    { "video/x-raw,pixel-aspect-ratio={1/1,4/3,5/3}", 2, 1, 64, 48, "5/3" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (FalDecoder) decoder = fal_decoder_new ();
    g_autoptr (GBytes) jpeg = plain_jpeg (rows[i].width, rows[i].height, RED, 0);
    g_autoptr (GstCaps) allowed = gst_caps_from_string (rows[i].allowed);
    g_autoptr (GstCaps) caps = NULL;
    FalDecoderConfig config = { allowed, MAX_PIXELS, .fps_d = 1,
      .layout = { 64, 48, rows[i].par_n, rows[i].par_d } };
    g_autoptr (GstBuffer) buffer = fal_decoder_decode (decoder, jpeg, &config, &caps, NULL);

    g_test_message ("row %u", i);
    g_assert_nonnull (buffer);
    assert_field (caps, "pixel-aspect-ratio", rows[i].wanted);
    gst_clear_caps (&caps);
    gst_clear_buffer (&buffer);
    config.layout = (FalLayout){ 0 };
    buffer = fal_decoder_decode (decoder, jpeg, &config, &caps, NULL);
    assert_field (caps, "pixel-aspect-ratio", "1/1"); /* chosen anew */
  }
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

/* A matte says by its alpha, or else as grey, what is to be seen. */
static void
assert_decoded_format (GBytes *picture, gboolean matte, const gchar *format)
{
  g_autoptr (FalDecoder) decoder = fal_decoder_new ();
  g_autoptr (GstCaps) allowed = gst_caps_from_string ("video/x-raw,format={GRAY8,RGBA}");
  g_autoptr (GstCaps) caps = NULL;
  g_autoptr (GstBuffer) buffer = NULL;
  FalDecoderConfig config = { .allowed = allowed, .max_pixels = MAX_PIXELS, .matte = matte };

  buffer = fal_decoder_decode (decoder, picture, &config, &caps, NULL);
  g_assert_nonnull (buffer);
  assert_field (caps, "format", format);
}

static void
test_a_matte_is_best_as_grey (void)
{
  g_autoptr (GBytes) jpeg = plain_jpeg (8, 8, GREY, 0);

  assert_decoded_format (jpeg, TRUE, "GRAY8");
  assert_decoded_format (jpeg, FALSE, "RGBA");
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

/* Neither for raw video nor for pictures that stay encoded. */
static void
test_a_rate_that_is_strict_does_not (void)
{
  g_autoptr (GBytes) jpeg = plain_jpeg (40, 30, RED, 0);
  static const struct {
    const gchar *allowed;
    gboolean fits;
  } rows[] = { { "video/x-raw,framerate=24/1", FALSE }, { "image/jpeg,framerate=24/1", FALSE },
    { "video/x-raw,framerate=24/1; image/jpeg", TRUE }, { "video/x-raw,framerate=25/1", TRUE },
    { "video/x-raw,framerate=25/1,pixel-aspect-ratio=4/3", TRUE } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (FalDecoder) decoder = fal_decoder_new ();
    g_autoptr (GstCaps) allowed = gst_caps_from_string (rows[i].allowed), caps = NULL;
    FalDecoderConfig config = { allowed, MAX_PIXELS, .fps_n = 25, .fps_d = 1, .strict_rate = TRUE };
    g_autoptr (GError) error = NULL;
    g_autoptr (GstBuffer) buffer = fal_decoder_decode (decoder, jpeg, &config, &caps, &error);

    g_assert_cmpint (buffer != NULL, ==, rows[i].fits);
    if (rows[i].fits)
      assert_field (caps, "framerate", "25/1");
    else
      g_assert_nonnull (strstr (error->message, "at a rate of 25/1, only"));
  }
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

static gconstpointer
find_memory (GstBuffer *buffer)
{
  gconstpointer memory;
  GstMapInfo map;

  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_READ));
  memory = map.data;
  gst_buffer_unmap (buffer, &map);
  return memory;
}

static void
test_buffers_and_caps_are_reused (void)
{
  g_autoptr (FalDecoder) decoder = fal_decoder_new ();
  g_autoptr (GBytes) jpeg = plain_jpeg (40, 30, RED, 0);
  g_auto (Result) first = decode_with (decoder, jpeg, "ANY");
  g_auto (Result) second = decode_with (decoder, jpeg, "ANY");
  gconstpointer known = find_memory (first.buffer);
  g_auto (Result) third = { 0 };

  g_assert_true (first.buffer != second.buffer);
  g_assert_true (first.caps == second.caps);
  gst_clear_buffer (&first.buffer);
  third = decode_with (decoder, jpeg, "ANY");
  g_assert_true (find_memory (third.buffer) == known);
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

#ifdef HAVE_PNG

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

  assert_decoded_format (rgba_png, TRUE, "RGBA");

  assert_transparent (palette_png, 128);
  assert_transparent (rgba_png, 128);
}

#endif

#ifdef HAVE_WEBP

static const guint8 half_red[] = { 255, 0, 0, 128 };

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

#endif

/* A picture and how it is decoded. */
typedef struct {
  gint width;
  const gchar *allowed;
  FalDecoderConfig config;
} Case;

static GstCaps *
decode_case (FalDecoder *decoder, const Case *c)
{
  g_autoptr (GBytes) picture = plain_jpeg (c->width, 30, RED, 0);
  g_autoptr (GstCaps) allowed = gst_caps_from_string (c->allowed);
  FalDecoderConfig config = c->config;
  g_autoptr (GstBuffer) buffer = NULL;
  g_autoptr (GError) error = NULL;
  GstCaps *caps = NULL;

  config.allowed = allowed;
  config.max_pixels = MAX_PIXELS;
  buffer = fal_decoder_decode (decoder, picture, &config, &caps, &error);
  g_assert_no_error (error);
  g_assert_nonnull (buffer);
  return caps;
}

/* Whatever was decoded before: what comes out is what a new decoder makes. */
static void
test_one_decoder_follows_each_change (void)
{
  static const gchar raw[] = "video/x-raw,format={RGBx,GRAY8}";
  static const Case cases[] = {
    { 40, raw, { .fps_n = 25, .fps_d = 1 } },
    { 42, raw, { .fps_n = 25, .fps_d = 1 } },
    { 40, raw, { .fps_n = 30, .fps_d = 1 } },
    { 40, raw, { .fps_n = 25, .fps_d = 2 } },
    { 40, raw, { .fps_n = 0, .fps_d = 1, .max_fps_n = 25, .max_fps_d = 1 } },
    { 40, raw, { .fps_n = 0, .fps_d = 1, .max_fps_n = 30, .max_fps_d = 1 } },
    { 40, raw, { .fps_n = 0, .fps_d = 1, .max_fps_n = 30, .max_fps_d = 7 } },
    { 40, raw, { .fps_n = 25, .fps_d = 1, .flawed = TRUE } },
    { 40, raw, { .fps_n = 25, .fps_d = 1, .matte = TRUE } },
    { 40, raw, { .fps_n = 25, .fps_d = 1, .layout = { 40, 30, 2, 1 } } },
    { 40, raw, { .fps_n = 25, .fps_d = 1, .layout = { 80, 30, 2, 1 } } },
    { 40, raw, { .fps_n = 25, .fps_d = 1, .layout = { 80, 60, 2, 1 } } },
    { 40, raw, { .fps_n = 25, .fps_d = 1, .layout = { 80, 60, 3, 1 } } },
    { 40, raw, { .fps_n = 25, .fps_d = 1, .layout = { 80, 60, 3, 2 } } },
    { 40, raw, { .fps_n = 25, .fps_d = 1, .layout = { 80, 0, 3, 2 } } },
    { 40, "video/x-raw,format=GRAY8", { .fps_n = 25, .fps_d = 1 } },
    { 40, "video/x-raw,format=I420", { .fps_n = 25, .fps_d = 1 } },
    { 40, "image/jpeg", { .fps_n = 25, .fps_d = 1 } },
  };
  g_autoptr (FalDecoder) decoder = fal_decoder_new ();

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    for (guint j = 0; j < G_N_ELEMENTS (cases); j++) {
      g_autoptr (FalDecoder) new = fal_decoder_new ();
      g_autoptr (GstCaps) before = decode_case (decoder, &cases[i]);
      g_autoptr (GstCaps) after = decode_case (decoder, &cases[j]);
      g_autoptr (GstCaps) wanted = decode_case (new, &cases[j]);

      g_assert_true (gst_caps_is_equal (after, wanted));
    }
  }
}

/* A message does not repeat a long list. */
static void
test_long_caps_are_cut_in_an_error (void)
{
  g_autoptr (FalDecoder) decoder = fal_decoder_new ();
  g_autoptr (GBytes) picture = plain_jpeg (40, 30, RED, 0);
  g_autoptr (GString) text = g_string_new ("video/x-raw,format=RGBx,width={1");
  g_autoptr (GstCaps) allowed = NULL, caps = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 2; i < 1000; i++)
    g_string_append_printf (text, ",%u", 1000 + i);
  g_string_append (text, "}");
  allowed = gst_caps_from_string (text->str);
  g_assert_null (fal_decoder_decode (decoder, picture,
      &(FalDecoderConfig) { .allowed = allowed, .max_pixels = MAX_PIXELS }, &caps, &error));
  g_assert_nonnull (error);
  g_assert_cmpuint (strlen (error->message), <, 1000);
  g_assert_nonnull (strstr (error->message, "..."));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
#define ADD(name, test) g_test_add_func ("/decoder/" name, test)
  ADD ("colours-survive-decoding-to-rgb", test_colours_survive_decoding_to_rgb);
  ADD ("colours-survive-decoding-to-yuv", test_colours_survive_decoding_to_yuv);
  ADD ("caps-say-everything", test_caps_say_everything);
  ADD ("a-picture-has-the-shape-of-what-was-sent", test_a_picture_has_the_shape_of_what_was_sent);
  ADD ("variable-rates-carry-their-maximum", test_variable_rates_carry_their_maximum);
  ADD ("a-matte-is-best-as-grey", test_a_matte_is_best_as_grey);
  ADD ("formats-are-chosen-best-first", test_formats_are_chosen_best_first);
  ADD ("a-rate-that-is-not-allowed-gives-way", test_a_rate_that_is_not_allowed_gives_way);
  ADD ("a-rate-that-is-strict-does-not", test_a_rate_that_is_strict_does_not);
  ADD ("undecoded-pictures-keep-their-bytes", test_undecoded_pictures_keep_their_bytes);
  ADD ("nothing-that-fits-is-an-error", test_nothing_that_fits_is_an_error);
  ADD ("sizes-change-between-pictures", test_sizes_change_between_pictures);
  ADD ("buffers-and-caps-are-reused", test_buffers_and_caps_are_reused);
  ADD ("buffers-outlive-the-decoder", test_buffers_outlive_the_decoder);
  ADD ("one-decoder-follows-each-change", test_one_decoder_follows_each_change);
  ADD ("long-caps-are-cut-in-an-error", test_long_caps_are_cut_in_an_error);
  ADD ("every-format-goes-there-and-back", test_every_format_goes_there_and_back);
#ifdef HAVE_PNG
  ADD ("png-alpha-prefers-formats-with-alpha", test_png_alpha_prefers_formats_with_alpha);
#endif
#ifdef HAVE_WEBP
  ADD ("webp-alpha-prefers-formats-with-alpha", test_webp_alpha_prefers_formats_with_alpha);
#endif
  return g_test_run ();
}
