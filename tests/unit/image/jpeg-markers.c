/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a JPEG's markers tell of it before it is decoded. */
#include "fal/image/image-file.h"
#include "fal/image/jpeg-markers.h"
#include "test-codec.h"

#include <gio/gio.h>
#include <string.h>

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

/* Reads the markers of a literal. */
#define READ(text, markers)                                                                        \
  fal_jpeg_markers_read ((const guint8 *) (text), sizeof (text) - 1, markers)

#define SOI "\xff\xd8"
#define SOF(kind, depth) "\xff" kind "\0\x0b" depth "\0\x30\0\x40\1\1\x11\0" /* 64 × 48, grey */
#define SOS "\xff\xda\0\x08\1\1\0\0\0\0"
#define EOI "\xff\xd9"
#define BASELINE "\xc0"

static void
test_size_scans_and_end_are_read (void)
{
  FalJpegMarkers markers = { 0 };

  g_assert_true (READ (SOI SOF (BASELINE, "\x8") SOS "data" SOS "data" EOI, &markers));
  g_assert_cmpuint (markers.width, ==, 64);
  g_assert_cmpuint (markers.height, ==, 48);
  g_assert_cmpuint (markers.scans, ==, 2);
  g_assert_true (markers.whole);
}

/* A stuffed zero, restart markers, one for private use and fill bytes stand within or between
 * segments. */
static void
test_data_of_a_scan_is_skipped (void)
{
  FalJpegMarkers markers = { 0 };

  g_assert_true (READ (SOI "\xff\x01\xff\xff" SOF (BASELINE, "\x8") SOS
      "a\xff\0\xda\xff\xd0z\xff\xd7z\xff\xff" EOI,
      &markers));
  g_assert_cmpuint (markers.scans, ==, 1);
  g_assert_true (markers.whole);
}

static void
test_what_is_cut_off_is_read_but_not_whole (void)
{
  static const gchar jpeg[] = SOI SOF (BASELINE, "\x8") SOS "data" EOI;

  for (gsize size = 2; size < sizeof jpeg - 1; size++) {
    /* A copy of its own size, so that a read past its end is seen. */
    g_autofree guint8 *data = g_memdup2 (jpeg, size);
    FalJpegMarkers markers = { 0 };

    g_assert_true (fal_jpeg_markers_read (data, size, &markers));
    g_assert_false (markers.whole);
  }
}

static void
test_what_libjpeg_refuses_is_refused (void)
{
  FalJpegMarkers markers[10] = { 0 };

  /* Twelve bits, two frame headers, a scan without a frame, no scan at all, a segment shorter than
   * its own length, a lossless JPEG; a frame header too short for a size, without a width, without
   * a height; a marker that nobody uses. */
  g_assert_false (READ (SOI SOF (BASELINE, "\xc") SOS EOI, &markers[0]));
  g_assert_false (READ (SOI SOF (BASELINE, "\x8") SOF (BASELINE, "\x8") SOS EOI, &markers[1]));
  g_assert_false (READ (SOI SOS EOI, &markers[2]));
  g_assert_false (READ (SOI SOF (BASELINE, "\x8") EOI, &markers[3]));
  g_assert_false (READ (SOI "\xff\xe0\0\1" EOI, &markers[4]));
  g_assert_false (READ (SOI SOF ("\xc3", "\x8") SOS EOI, &markers[5]));
  g_assert_false (READ (SOI "\xff\xc0\0\7\x8\0\x30\0\x40" SOS EOI, &markers[6]));
  g_assert_false (READ (SOI "\xff\xc0\0\xb\x8\0\x30\0\0\1\1\x11\0" SOS EOI, &markers[7]));
  g_assert_false (READ (SOI "\xff\xc0\0\xb\x8\0\0\0\x40\1\1\x11\0" SOS EOI, &markers[8]));
  g_assert_false (READ (SOI "\xff\xf0\0\4ab" SOF (BASELINE, "\x8") SOS EOI, &markers[9]));
}

/* A side of one pixel is decoded as one of 32. */
static void
test_thin_pictures_may_not_have_more_scans (void)
{
  const FalJpegMarkers thin = { .width = 65500, .height = 1, .scans = 65 };
  const FalJpegMarkers thick = { .width = 65500, .height = 32, .scans = 65 };
  const FalJpegMarkers fewer = { .width = 65500, .height = 1, .scans = 64 };

  g_assert_true (fal_jpeg_markers_have_too_many_scans (&thin));
  g_assert_true (fal_jpeg_markers_have_too_many_scans (&thick));
  g_assert_false (fal_jpeg_markers_have_too_many_scans (&fewer));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
#define ADD(name, test) g_test_add_func ("/jpeg-markers/" name, test)
  ADD ("huge-jpegs-are-refused", test_huge_jpegs_are_refused);
  ADD ("scans-are-bounded-by-pixels", test_scans_are_bounded_by_pixels);
  ADD ("size-scans-and-end-are-read", test_size_scans_and_end_are_read);
  ADD ("data-of-a-scan-is-skipped", test_data_of_a_scan_is_skipped);
  ADD ("what-is-cut-off-is-read-but-not-whole", test_what_is_cut_off_is_read_but_not_whole);
  ADD ("what-libjpeg-refuses-is-refused", test_what_libjpeg_refuses_is_refused);
  ADD ("thin-pictures-may-not-have-more-scans", test_thin_pictures_may_not_have_more_scans);
  return g_test_run ();
}
