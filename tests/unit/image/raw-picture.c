/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Encoded pictures become raw video of the same colours, size and shape. */
#include "fal/image/raw-picture.h"
#include "test-codec.h"
#include "test-pictures.h"

#include <gio/gio.h>

static GBytes *
make_jpeg (gint subsampling, gint width, gint height, const Colour *colour)
{
  const guint8 pixel[] = { colour->r, colour->g, colour->b };
  g_autofree guint8 *pixels = repeat_pixel (pixel, 3, width, height);

  return write_jpeg (pixels, width, height, TJPF_RGB, subsampling, TJFLAG_ACCURATEDCT);
}

/* As raw video of @format, 41 × 31 with pixels of 2/1; and back as a JPEG of the same colour. */
static void
check (GBytes *picture, const gchar *format, const Colour *colour)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstSample) raw = fal_raw_picture_make (picture, 2, 1, &error);
  g_autoptr (GBytes) again = NULL;
  g_auto (Image) image = { 0 };
  GstVideoInfo info;

  g_assert_no_error (error);
  g_assert_true (gst_video_info_from_caps (&info, gst_sample_get_caps (raw)));
  g_assert_cmpstr (GST_VIDEO_INFO_NAME (&info), ==, format);
  g_assert_cmpint (info.width, ==, 41);
  g_assert_cmpint (info.height, ==, 31);
  g_assert_cmpint (info.par_n, ==, 2);
  again = encode (raw, &ANY_SIZE);
  image = read_jpeg (again);
  assert_image_pixel (&image, 0, 0, colour);
  assert_image_pixel (&image, 40, 30, colour);
}

static void
test_a_jpeg_becomes_its_planes (void)
{
  static const struct {
    gint subsampling;
    const gchar *format;
  } rows[] = {
    { TJSAMP_420, "I420" }, { TJSAMP_422, "Y42B" }, { TJSAMP_444, "Y444" }, { TJSAMP_411, "Y41B" },
    { TJSAMP_440, "RGBx" }, /* GStreamer has no such format */
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    for (guint j = 0; j < N_COLOURS; j++) {
      g_autoptr (GBytes) jpeg = make_jpeg (rows[i].subsampling, 41, 31, &colours[j]);

      check (jpeg, rows[i].format, &colours[j]);
    }
  }
}

static void
test_other_jpegs_become_rgb (void)
{
  g_autoptr (GBytes) grey = make_jpeg (TJSAMP_GRAY, 41, 31, GREY);

  check (grey, "RGBx", GREY);
}

static void
test_what_is_broken_is_refused (void)
{
  g_autoptr (GBytes) text = g_bytes_new_static ("no picture", 10);
  g_autoptr (GBytes) jpeg = make_jpeg (TJSAMP_420, 41, 31, RED);
  g_autoptr (GBytes) head = g_bytes_new_from_bytes (jpeg, 0, 30);
  GBytes *rows[] = { text, head };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (fal_raw_picture_make (rows[i], 1, 1, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
#define ADD(name) g_test_add_func ("/raw-picture/" #name, test_##name)
  ADD (a_jpeg_becomes_its_planes);
  ADD (other_jpegs_become_rgb);
  ADD (what_is_broken_is_refused);
  return g_test_run ();
}
