/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Picture files: which are taken, which are refused, and the pixels of each kind. */
#define _GNU_SOURCE /* memmem */
#include "fal/image/image-file.h"
#include "test-codec.h"
#include "test-pictures.h"

#include <gio/gio.h>
#include <string.h>

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
  g_assert_cmpint (
      fal_image_file_sniff ((const guint8 *) "\xff\xd8", 2), ==, FAL_IMAGE_FILE_UNKNOWN);
  g_assert_cmpint (fal_image_file_sniff (NULL, 0), ==, FAL_IMAGE_FILE_UNKNOWN);
  g_assert_cmpstr (fal_image_file_get_media_type (FAL_IMAGE_FILE_WEBP), ==, "image/webp");
  g_assert_null (fal_image_file_get_media_type (FAL_IMAGE_FILE_UNKNOWN));
  g_assert_null (fal_image_file_get_media_type (FAL_IMAGE_FILE_WEBP + 1));
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

static GBytes *
replace_bytes (GBytes *bytes, gsize at, const gchar *with, gsize size)
{
  guint8 *copy = g_memdup2 (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));

  memcpy (copy + at, with, size);
  return g_bytes_new_take (copy, g_bytes_get_size (bytes));
}

/* Its size stands in the markers, but libjpeg reads nothing of a frame without components. */
static void
test_jpegs_with_a_broken_header_are_dropped (void)
{
  static const gchar jpeg[] = "\xff\xd8\xff\xc0\0\x08\x08\0\x30\0\x40\0"
                              "\xff\xda\0\x08\1\1\0\0\0\0\xff\xd9";
  g_autoptr (GBytes) bytes = g_bytes_new_static (jpeg, sizeof jpeg - 1);
  FalImageFileInfo info;

  g_assert_true (fal_image_file_probe (bytes, MAX_PIXELS, &info, NULL));
  g_assert_cmpint (info.width, ==, 64);
  assert_not_decoded (bytes, "video/x-raw,format=RGBx", MAX_PIXELS, G_IO_ERROR_INVALID_DATA);
}

/* A whole header, no tables and no data: of that nothing can be shown. */
static void
test_flaws_that_leave_nothing_are_refused (void)
{
  static const gchar jpeg[] = "\xff\xd8\xff\xc0\0\x0b\x08\0\x30\0\x40\1\1\x11\0"
                              "\xff\xda\0\x08\1\1\0\0\0\0\xff\xd9";
  g_autoptr (GBytes) bytes = g_bytes_new_static (jpeg, sizeof jpeg - 1);
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, 64 * 48 * 4, NULL);
  g_autoptr (GError) error = NULL;
  FalImageFileInfo info;
  GstVideoInfo video;
  GstVideoFrame frame;

  gst_video_info_set_format (&video, GST_VIDEO_FORMAT_RGBx, 64, 48);
  g_assert_true (fal_image_file_probe_flawed (bytes, MAX_PIXELS, &info, NULL));
  g_assert_true (gst_video_frame_map (&frame, &video, buffer, GST_MAP_WRITE));
  g_assert_false (fal_image_file_decode (bytes, &info, &frame, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  gst_video_frame_unmap (&frame);
}

/* ---- kinds of JPEG ---- */

static void
test_progressive_jpegs_decode (void)
{
  g_autoptr (GBytes) jpeg = plain_jpeg (100, 75, BLUE, TJFLAG_PROGRESSIVE);

  assert_decodes_everywhere (jpeg, BLUE);
}

static void
test_grey_jpegs_decode (void)
{
  const Colour *grey = GREY;
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

/* Adobe's marker says how the four are stored: here as they are, not as YCCK. */
static void
test_cmyk_jpegs_without_transform_decode (void)
{
  static const guint8 half[4] = { 128, 128, 128, 255 };
  const Colour grey = { "grey", 128, 128, 128 };
  g_autofree guint8 *pixels = repeat_pixel (half, 4, 40, 30);
  g_autoptr (GBytes) ycck = write_jpeg (pixels, 40, 30, TJPF_CMYK, TJSAMP_444, 0);
  gsize size;
  const gchar *data = g_bytes_get_data (ycck, &size);
  const gchar *adobe = memmem (data, size, "Adobe", 5);
  g_autoptr (GBytes) cmyk = NULL;

  g_assert_nonnull (adobe);
  g_assert_cmpint (adobe[11], ==, 2);
  cmyk = replace_bytes (ycck, adobe + 11 - data, "\0", 1);
  assert_decodes_to (cmyk, "RGBx", &grey, 3);
}

static void
test_cmyk_jpegs_with_a_hole_are_dropped (void)
{
  g_autofree guint8 *pixels = g_malloc (400 * 300 * 4);
  g_autoptr (GBytes) jpeg = NULL, holed = NULL;
  gsize size;

  for (guint i = 0; i < 400 * 300 * 4; i++)
    pixels[i] = i * 7 + i / 1600 * 13;
  jpeg = write_jpeg (pixels, 400, 300, TJPF_CMYK, TJSAMP_444, 0);
  size = g_bytes_get_size (jpeg);
  holed = replace_bytes (jpeg, size / 2, "\xff\xd9", 2);
  assert_decodes_to (jpeg, "RGBx", &(Colour) { "any", 128, 128, 128 }, 255);
  assert_not_decoded (holed, "video/x-raw,format=RGBx", MAX_PIXELS, G_IO_ERROR_INVALID_DATA);
}

/* ---- PNG ---- */

#ifdef HAVE_PNG

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
test_broken_pngs_are_refused (void)
{
  const PngKind kind = { PNG_COLOR_TYPE_RGB, 8 };
  g_autoptr (GBytes) png = plain_png (&kind, (const guint8 *) "\xff\0\0", 3);
  gsize size = g_bytes_get_size (png);
  g_autoptr (GBytes) huge = replace_bytes (png, 16, "\0\1\0\0\0\1\0\0", 8);
  g_autoptr (GBytes) widest = replace_bytes (png, 16, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
  g_autoptr (GBytes) empty = replace_bytes (png, 16, "\0\0\0\0\0\0\0\0", 8);
  g_autoptr (GBytes) wrong_sum = replace_bytes (png, size - 20, "\1\2\3\4", 4);
  g_autoptr (GBytes) wrong_header_sum = replace_bytes (png, 29, "\1\2\3\4", 4);
  g_autoptr (GBytes) another_first = replace_bytes (png, 12, "IDAT", 4);

  assert_refused (huge, MAX_PIXELS, G_IO_ERROR_INVALID_DATA);
  assert_refused (widest, MAX_PIXELS, G_IO_ERROR_INVALID_DATA);
  assert_refused (empty, MAX_PIXELS, G_IO_ERROR_INVALID_DATA);
  assert_refused (another_first, MAX_PIXELS, G_IO_ERROR_INVALID_DATA);
  assert_not_decoded (wrong_sum, "ANY", MAX_PIXELS, G_IO_ERROR_INVALID_DATA);
  assert_not_decoded (wrong_header_sum, "ANY", MAX_PIXELS, G_IO_ERROR_INVALID_DATA);
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

static const guint8 opaque_red[] = { 255, 0, 0, 255 };

static void
test_webp_kinds_decode (void)
{
  g_autoptr (GBytes) lossy = plain_webp (opaque_red, FALSE);
  g_autoptr (GBytes) lossless = plain_webp (opaque_red, TRUE);

  assert_decodes_everywhere (lossy, RED);
  assert_decodes_everywhere (lossless, RED);
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

/* Where a chunk's four letters stand in a file. */
static gsize
find_chunk (GBytes *webp, const gchar *name)
{
  gsize size;
  const gchar *data = g_bytes_get_data (webp, &size);
  const gchar *at = memmem (data, size, name, 4);

  g_assert_nonnull (at);
  return at - data;
}

/* Nothing but the size is left of its only chunk, which ends after six bytes. */
static GBytes *
cut_lossless (void)
{
  g_autoptr (GBytes) whole = plain_webp (opaque_red, TRUE);
  gsize chunk = find_chunk (whole, "VP8L"), end = chunk + 8 + 6;
  g_autoptr (GBytes) start = g_bytes_new_from_bytes (whole, 0, end);
  const gchar riff_size[] = { end - 8, 0, 0, 0 };
  g_autoptr (GBytes) sized = replace_bytes (start, 4, riff_size, 4);

  return replace_bytes (sized, chunk + 4, "\6\0\0\0", 4);
}

static void
test_webps_broken_within_are_dropped (void)
{
  g_autoptr (GBytes) lossy = plain_webp (opaque_red, FALSE);
  g_autoptr (GBytes) lossless = plain_webp (opaque_red, TRUE);
  gsize vp8 = find_chunk (lossy, "VP8 "), vp8l = find_chunk (lossless, "VP8L");
  g_autoptr (GBytes) no_start = replace_bytes (lossy, vp8 + 11, "\0\0\0", 3);
  g_autoptr (GBytes) no_data = cut_lossless ();
  g_autoptr (GBytes) other_chunk = replace_bytes (lossless, vp8l, "none", 4);
  g_autoptr (GBytes) no_picture = animate (other_chunk);
  g_autoptr (GBytes) no_picture_data = animate (no_data);
  FalImageFileInfo info;

  assert_refused (no_start, MAX_PIXELS, G_IO_ERROR_INVALID_DATA);
  g_assert_true (fal_image_file_probe (no_data, MAX_PIXELS, &info, NULL));
  assert_not_decoded (no_data, "video/x-raw,format=RGBA", MAX_PIXELS, G_IO_ERROR_INVALID_DATA);
  g_assert_true (fal_image_file_probe (no_picture, MAX_PIXELS, &info, NULL));
  assert_not_decoded (no_picture, "video/x-raw,format=RGBA", MAX_PIXELS, G_IO_ERROR_INVALID_DATA);
  assert_not_decoded (
      no_picture_data, "video/x-raw,format=RGBA", MAX_PIXELS, G_IO_ERROR_INVALID_DATA);
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
#define ADD(name, test) g_test_add_func ("/image-file/" name, test)
  ADD ("pictures-are-told-by-their-first-bytes", test_pictures_are_told_by_their_first_bytes);
  ADD ("the-pixel-limit-is-exact", test_the_pixel_limit_is_exact);
  ADD ("truncated-jpegs-are-refused", test_truncated_jpegs_are_refused);
  ADD ("jpegs-with-a-hole-are-dropped", test_jpegs_with_a_hole_are_dropped);
  ADD ("garbage-after-the-end-is-fine", test_garbage_after_the_end_is_fine);
  ADD ("garbage-is-refused", test_garbage_is_refused);
  ADD ("jpegs-with-a-broken-header-are-dropped", test_jpegs_with_a_broken_header_are_dropped);
  ADD ("flaws-that-leave-nothing-are-refused", test_flaws_that_leave_nothing_are_refused);
  ADD ("progressive-jpegs-decode", test_progressive_jpegs_decode);
  ADD ("grey-jpegs-decode", test_grey_jpegs_decode);
  ADD ("cmyk-jpegs-decode", test_cmyk_jpegs_decode);
  ADD ("cmyk-jpegs-without-transform-decode", test_cmyk_jpegs_without_transform_decode);
  ADD ("cmyk-jpegs-with-a-hole-are-dropped", test_cmyk_jpegs_with_a_hole_are_dropped);
#ifdef HAVE_PNG
  ADD ("png-kinds-decode", test_png_kinds_decode);
  ADD ("broken-pngs-are-refused", test_broken_pngs_are_refused);
#endif
#ifndef HAVE_PNG
  ADD ("png-is-not-built-in", test_png_is_not_built_in);
#endif
#ifdef HAVE_WEBP
  ADD ("webp-kinds-decode", test_webp_kinds_decode);
  ADD ("of-an-animated-webp-the-first-picture-shows",
      test_of_an_animated_webp_the_first_picture_shows);
  ADD ("broken-webps-are-refused", test_broken_webps_are_refused);
  ADD ("webps-broken-within-are-dropped", test_webps_broken_within_are_dropped);
#endif
#ifndef HAVE_WEBP
  ADD ("webp-is-not-built-in", test_webp_is_not_built_in);
#endif
  return g_test_run ();
}
