/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures as cameras write them: what is whole, and what is not. */
#include "fal/image/camera-picture.h"
#include "test-codec.h"
#include "test-pictures.h"

#include <gio/gio.h>
#include <string.h>
#include <sys/resource.h>

/* A JPEG with something to see in each part: 160 × 120. */
static GBytes *
make_jpeg (gint flags)
{
  g_autofree guint8 *pixels = g_malloc (160 * 120 * 3);

  for (guint i = 0; i < 160 * 120 * 3; i++)
    pixels[i] = (i * 7 + i / 480 * 13) & 0xff;
  return write_jpeg (pixels, 160, 120, TJPF_RGB, TJSAMP_420, flags);
}

static GBytes *
join (GBytes *picture, gsize size, const gchar *more, gsize length)
{
  GByteArray *joined = g_byte_array_new ();

  g_byte_array_append (joined, g_bytes_get_data (picture, NULL), size);
  g_byte_array_append (joined, (const guint8 *) more, length);
  return g_byte_array_free_to_bytes (joined);
}

/* @picture as it is sent; NULL: it is broken. */
static GBytes *
check (GBytes *picture, FalImageFileInfo *info)
{
  g_autoptr (GError) error = NULL;
  GBytes *checked = fal_camera_picture_check (picture, info, &error);

  if (checked == NULL)
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  return checked;
}

static void
assert_untouched (GBytes *picture)
{
  FalImageFileInfo info;
  g_autoptr (GBytes) checked = check (picture, &info);

  g_assert_true (checked == picture);
  g_assert_cmpint (info.width, ==, 160);
  g_assert_cmpint (info.height, ==, 120);
}

static void
assert_broken (GBytes *picture)
{
  FalImageFileInfo info;

  g_assert_null (check (picture, &info));
}

static void
test_a_whole_picture_is_untouched (void)
{
  static const gchar zeros[700] = { 0 };
  static const gint flags[] = { 0, TJFLAG_PROGRESSIVE };

  for (guint i = 0; i < G_N_ELEMENTS (flags); i++) {
    g_autoptr (GBytes) jpeg = make_jpeg (flags[i]);
    gsize size = g_bytes_get_size (jpeg);
    g_autoptr (GBytes) padded = join (jpeg, size, zeros, sizeof zeros);
    g_autoptr (GBytes) tailed = join (jpeg, size, "made by a camera", 16);

    assert_untouched (jpeg);
    assert_untouched (padded);
    assert_untouched (tailed);
  }
}

/* Which many cameras leave out; what a server reads gets it. */
static void
test_a_missing_end_marker_is_added (void)
{
  static const gchar zeros[700] = { 0 };
  g_autoptr (GBytes) jpeg = make_jpeg (0);
  gsize size = g_bytes_get_size (jpeg) - 2;
  g_autoptr (GBytes) endless = g_bytes_new_from_bytes (jpeg, 0, size);
  g_autoptr (GBytes) padded = join (jpeg, size, zeros, sizeof zeros);
  FalImageFileInfo info;
  g_autoptr (GBytes) one = check (endless, &info);
  g_autoptr (GBytes) other = check (padded, &info);

  g_assert_true (g_bytes_equal (one, jpeg));
  g_assert_true (g_bytes_equal (other, jpeg));
}

/* Of the zeros that fill a buffer one belongs to the data where it stands behind 0xff. */
static void
test_a_zero_that_belongs_to_the_data_stays (void)
{
  g_autoptr (GBytes) jpeg = make_jpeg (0);
  gsize size = g_bytes_get_size (jpeg) - 2;
  g_autoptr (GBytes) padded = join (jpeg, size, "\xff\0\0\0\0", 5);
  g_autoptr (GBytes) wanted = join (jpeg, size, "\xff\0\xff\xd9", 4);
  FalImageFileInfo info;
  g_autoptr (GBytes) checked = check (padded, &info);

  g_assert_true (g_bytes_equal (checked, wanted));
}

static void
test_a_picture_that_is_cut_off_is_broken (void)
{
  static const gchar zeros[4000] = { 0 };
  g_autoptr (GBytes) jpeg = make_jpeg (0);
  gsize size = g_bytes_get_size (jpeg);

  for (guint tenth = 0; tenth < 10; tenth++) {
    g_autoptr (GBytes) part = g_bytes_new_from_bytes (jpeg, 0, size * tenth / 10);
    g_autoptr (GBytes) padded = join (jpeg, size * tenth / 10, zeros, sizeof zeros);

    g_test_message ("%u tenths", tenth);
    assert_broken (part);
    assert_broken (padded);
  }
}

/* Neither zeros nor an end marker stand behind the data, but what was left in the buffer. */
static void
test_rubbish_behind_the_data_hides_no_cut (void)
{
  g_autoptr (GBytes) jpeg = make_jpeg (0);
  gsize size = g_bytes_get_size (jpeg) - 2;
  g_autoptr (GBytes) all = join (jpeg, size, "\x12\x34\x56\xff\xd0\x78", 6);
  g_autoptr (GBytes) half = join (jpeg, size / 2, "\x12\x34\x56\x78", 4);
  FalImageFileInfo info;
  g_autoptr (GBytes) checked = check (all, &info);

  g_assert_cmpuint (g_bytes_get_size (checked), ==, size + 8);
  assert_broken (half);
}

/* A camera's preview, in front of the picture, has an end marker of its own. */
static void
test_a_previews_end_is_not_the_pictures (void)
{
  static const gchar preview[] = "\xff\xe1\0\x0epreview  \xff\xd9 ";
  g_autoptr (GBytes) jpeg = make_jpeg (0);
  gsize size = g_bytes_get_size (jpeg);
  g_autoptr (GBytes) start = join (jpeg, 2, preview, sizeof preview - 1);
  g_autoptr (GBytes) whole = join (
      start, g_bytes_get_size (start), (const gchar *) g_bytes_get_data (jpeg, NULL) + 2, size - 2);
  g_autoptr (GBytes) half = g_bytes_new_from_bytes (whole, 0, size / 2);

  assert_untouched (whole);
  assert_broken (half);
}

static void
test_what_is_no_picture_is_broken (void)
{
  static const gchar *rows[] = { "", "no picture", "\xff\xd8\xff\xd9", "\xff\xd8\xff\xe0" };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GBytes) bytes = g_bytes_new_static (rows[i], strlen (rows[i]));

    assert_broken (bytes);
  }
}

static glong
get_most_memory (void)
{
  struct rusage usage;

  g_assert_cmpint (getrusage (RUSAGE_SELF, &usage), ==, 0);
  return usage.ru_maxrss; /* KiB */
}

/* To look for missing data in such a picture would cost all that decoding it does. */
static void
test_a_huge_picture_without_an_end_is_not_decoded (void)
{
  static const gint flags[] = { 0, TJFLAG_PROGRESSIVE };

  for (guint i = 0; i < G_N_ELEMENTS (flags); i++) {
    g_autoptr (GBytes) jpeg = make_jpeg (flags[i]);
    gsize size = g_bytes_get_size (jpeg) - 2, at = 0;
    g_autofree guint8 *data = g_memdup2 (g_bytes_get_data (jpeg, NULL), size);
    g_autoptr (GBytes) huge = NULL;
    glong before = get_most_memory ();

    while (data[at] != 0xff || data[at + 1] != (flags[i] ? 0xc2 : 0xc0))
      at++;
    data[at + 5] = data[at + 7] = 12000 >> 8;
    data[at + 6] = data[at + 8] = 12000 & 0xff;
    huge = g_bytes_new (data, size);
    assert_broken (huge);
    g_assert_cmpint (get_most_memory () - before, <, 1024);
  }
}

/* Nor in one of very many scans, or whose second header contradicts the first. */
static void
test_a_picture_of_contradictions_without_an_end_is_not_decoded (void)
{
  static const gchar scan[] = "\xff\xda\0\x08\1\1\0\0\x3f\0";
  static const gchar header[] = "\xff\xc0\0\x0b\x08\0\x10\0\x10\1\1\x11\0";
  g_autoptr (GBytes) jpeg = make_jpeg (TJFLAG_PROGRESSIVE);
  gsize size = g_bytes_get_size (jpeg) - 2;
  g_autoptr (GBytes) many = g_bytes_new_from_bytes (jpeg, 0, size);
  g_autoptr (GBytes) twice = join (jpeg, size, header, sizeof header - 1);

  for (guint i = 0; i < 500; i++) {
    g_autoptr (GBytes) one = many;

    many = join (one, g_bytes_get_size (one), scan, sizeof scan - 1);
  }
  assert_broken (many);
  assert_broken (twice);
}

#ifdef HAVE_PNG
static void
test_a_png_that_is_cut_off_is_broken (void)
{
  static const PngKind kind = { PNG_COLOR_TYPE_RGB, 8 };
  g_autoptr (GBytes) png = plain_png (&kind, (const guint8 *) "\xff\0\0", 3);
  g_autoptr (GBytes) half = g_bytes_new_from_bytes (png, 0, g_bytes_get_size (png) / 2);
  FalImageFileInfo info;
  g_autoptr (GBytes) checked = check (png, &info);

  g_assert_true (checked == png);
  g_assert_cmpint (info.width, ==, 40);
  assert_broken (half);
}
#endif

/* Bytes that belong to nothing stand before a restart marker, as some cameras have it. */
static GBytes *
make_stray (void)
{
  g_autofree gchar *path = g_build_filename (
      g_getenv ("FAL_TEST_DATA"), "restart-markers.jpg", NULL); /* red, 160 x 120 */
  g_autofree gchar *data = NULL;
  gsize size, at = 2;
  GByteArray *stray = g_byte_array_new ();

  g_assert_true (g_file_get_contents (path, &data, &size, NULL));
  while (at + 1 < size && memcmp (data + at, "\xff\xd0", 2) != 0)
    at++;
  g_assert_cmpuint (at + 1, <, size);
  g_byte_array_append (stray, (const guint8 *) data, at);
  g_byte_array_append (stray, (const guint8 *) "stray bytes that nobody asked for", 33);
  g_byte_array_append (stray, (const guint8 *) data + at, size - at);
  return g_byte_array_free_to_bytes (stray);
}

static void
test_stray_bytes_are_shown_as_every_decoder_does (void)
{
  g_autoptr (GBytes) stray = make_stray ();
  g_autoptr (FalDecoder) decoder = fal_decoder_new ();
  g_autoptr (GstCaps) allowed = gst_caps_from_string ("video/x-raw,format=RGBx");
  FalDecoderConfig config = { allowed, MAX_PIXELS, .fps_d = 1 };
  g_auto (Result) shown = { 0 };
  g_autoptr (GError) error = NULL;
  FalImageFileInfo info;
  g_autoptr (GBytes) checked = check (stray, &info);
  g_autoptr (GBytes) cut = g_bytes_new_from_bytes (stray, 0, g_bytes_get_size (stray) - 60);
  guint8 samples[4];

  g_assert_true (checked == stray);
  assert_broken (cut);
  g_assert_null (fal_decoder_decode (decoder, stray, &config, &shown.caps, &error)); /* a result */
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  config.flawed = TRUE;
  shown.buffer = fal_decoder_decode (decoder, stray, &config, &shown.caps, NULL);
  g_assert_nonnull (shown.buffer);
  g_assert_true (gst_video_info_from_caps (&shown.info, shown.caps));
  get_samples (&shown, 159, 119, samples);
  g_assert_cmpuint (samples[0], >, 240);
  g_assert_cmpuint (samples[1], <, 15);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
#define ADD(name) g_test_add_func ("/camera-picture/" #name, test_##name)
  ADD (a_whole_picture_is_untouched);
  ADD (a_missing_end_marker_is_added);
  ADD (a_zero_that_belongs_to_the_data_stays);
  ADD (a_huge_picture_without_an_end_is_not_decoded);
  ADD (a_picture_of_contradictions_without_an_end_is_not_decoded);
  ADD (a_picture_that_is_cut_off_is_broken);
  ADD (rubbish_behind_the_data_hides_no_cut);
  ADD (a_previews_end_is_not_the_pictures);
  ADD (what_is_no_picture_is_broken);
#ifdef HAVE_PNG
  ADD (a_png_that_is_cut_off_is_broken);
#endif
  ADD (stray_bytes_are_shown_as_every_decoder_does);
  return g_test_run ();
}
