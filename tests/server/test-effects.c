/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The effects, and pictures decoded and encoded. No network. */
#include "effects/effect.h"
#include "effects/matte.h"
#include <string.h>
#include <turbojpeg.h>

static FalRgbImage *
make_image (guint width, guint height, guint8 red, guint8 green, guint8 blue)
{
  FalRgbImage *image = fal_rgb_image_new (width, height);
  const guint8 colour[3] = { red, green, blue };

  for (guint i = 0; i < 3 * width * height; i++)
    image->data[i] = colour[i % 3];
  return image;
}

static void
assert_near (const guint8 *pixel, guint8 red, guint8 green, guint8 blue, gint tolerance)
{
  g_assert_cmpint (ABS (pixel[0] - red), <=, tolerance);
  g_assert_cmpint (ABS (pixel[1] - green), <=, tolerance);
  g_assert_cmpint (ABS (pixel[2] - blue), <=, tolerance);
}

/* What an even area of a colour becomes. */
typedef struct {
  const gchar *effect;
  guint8 from[3], to[3];
} EvenRow;

static const EvenRow even_rows[] = {
  { "echo", { 200, 100, 50 }, { 200, 100, 50 } },
  { "invert", { 200, 100, 50 }, { 55, 155, 205 } },
  { "edge", { 200, 100, 50 }, { 0, 0, 0 } },
  { "mask", { 140, 130, 120 }, { 255, 255, 255 } },
  { "mask", { 120, 110, 100 }, { 0, 0, 0 } },
  { "cartoon", { 255, 255, 255 }, { 255, 255, 255 } },
  { "cartoon", { 0, 0, 0 }, { 6, 6, 6 } },
  { "sketch", { 200, 100, 50 }, { 255, 255, 255 } },
  { "thermal", { 0, 0, 0 }, { 4, 2, 32 } },
  { "thermal", { 255, 255, 255 }, { 255, 255, 208 } },
  { "mirror", { 200, 100, 50 }, { 200, 100, 50 } },
};

/* Odd sizes, down to a single pixel: every pixel of the border too. */
static void
test_even_area (gconstpointer data)
{
  static const guint sizes[][2] = { { 1, 1 }, { 1, 9 }, { 9, 1 }, { 2, 2 }, { 65, 33 }, { 40, 7 } };
  const EvenRow *row = data;

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (FalRgbImage) image =
        make_image (sizes[i][0], sizes[i][1], row->from[0], row->from[1], row->from[2]);

    fal_effect_apply (fal_effect_find (row->effect), image);
    for (guint at = 0; at < sizes[i][0] * sizes[i][1]; at++)
      assert_near (image->data + 3 * at, row->to[0], row->to[1], row->to[2], 1);
  }
}

/* Black on the left, white on the right. */
static FalRgbImage *
make_border (guint width, guint height)
{
  FalRgbImage *image = make_image (width, height, 0, 0, 0);

  for (guint y = 0; y < height; y++)
    memset (image->data + 3 * (y * width + width / 2), 255, 3 * (width - width / 2));
  return image;
}

static void
test_edge_glows_at_a_border (void)
{
  g_autoptr (FalRgbImage) image = make_border (64, 32);

  fal_effect_apply (fal_effect_find ("edge"), image);
  g_assert_cmpuint (image->data[3 * (16 * 64 + 32)], >, 150);
  g_assert_cmpuint (image->data[3 * (16 * 64 + 10)], ==, 0);
  g_assert_cmpuint (image->data[3 * (16 * 64 + 60)], ==, 0);
}

static void
test_cartoon_inks_the_dark_side_of_a_border (void)
{
  g_autoptr (FalRgbImage) image = make_image (64, 32, 220, 120, 120);

  for (guint y = 0; y < 32; y++)
    memset (image->data + 3 * (y * 64 + 32), 255, 3 * 32);
  fal_effect_apply (fal_effect_find ("cartoon"), image);
  g_assert_cmpuint (image->data[3 * (16 * 64 + 30)], <, 100);
  g_assert_cmpuint (image->data[3 * (16 * 64 + 5)], >, 180);
  g_assert_cmpuint (image->data[3 * (16 * 64 + 60)], >, 240);
}

static void
test_mirror_reflects_the_left_half (void)
{
  g_autoptr (FalRgbImage) image = make_border (64, 4);

  fal_effect_apply (fal_effect_find ("mirror"), image);
  assert_near (image->data, 0, 0, 0, 0);
  assert_near (image->data + 3 * 63, 0, 0, 0, 0);
}

static void
test_jpeg_survives_the_round (void)
{
  g_autoptr (FalRgbImage) image = make_image (33, 17, 10, 200, 120);
  g_autoptr (GBytes) picture = fal_rgb_image_encode_jpeg (image);
  g_autoptr (FalRgbImage) again = fal_rgb_image_decode (picture, NULL);

  g_assert_cmpuint (again->width, ==, 33);
  g_assert_cmpuint (again->height, ==, 17);
  assert_near (again->data + 3 * (8 * 33 + 16), 10, 200, 120, 3);
}

static void
test_truncated_jpeg_is_an_error (void)
{
  g_autoptr (FalRgbImage) image = fal_rgb_image_new_gradient (64, 64, "x");
  g_autoptr (GBytes) picture = fal_rgb_image_encode_jpeg (image);
  g_autoptr (GBytes) half = g_bytes_new_from_bytes (picture, 0, g_bytes_get_size (picture) / 2);
  g_autoptr (GError) error = NULL;

  g_assert_null (fal_rgb_image_decode (half, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
}

/* PIL takes what libjpeg only warns of, where the file does not end too early. */
static void
test_flawed_jpeg_is_taken (void)
{
  g_autoptr (FalRgbImage) image = fal_rgb_image_new_gradient (64, 64, "x");
  g_autoptr (GBytes) picture = fal_rgb_image_encode_jpeg (image);
  GByteArray *holed = g_byte_array_new ();
  g_autoptr (GBytes) flawed = NULL;
  g_autoptr (FalRgbImage) again = NULL;

  g_byte_array_append (holed, g_bytes_get_data (picture, NULL), g_bytes_get_size (picture) - 100);
  g_byte_array_append (holed, (const guint8 *) "\xff\xd9", 2);
  flawed = g_byte_array_free_to_bytes (holed);
  again = fal_rgb_image_decode (flawed, NULL);
  g_assert_nonnull (again);
  assert_near (again->data, image->data[0], image->data[1], image->data[2], 8);
}

/* CMYK as Adobe stores it: cyan is 0 where all of it is printed. */
static void
test_cmyk_jpeg_is_taken (void)
{
  g_autofree guint8 *cmyk = g_malloc (32 * 32 * 4);
  tjhandle jpeg = tjInitCompress ();
  guint8 *data = NULL;
  gulong size = 0;
  g_autoptr (GBytes) picture = NULL;
  g_autoptr (FalRgbImage) image = NULL;

  for (guint i = 0; i < 32 * 32; i++)
    memcpy (cmyk + 4 * i, "\x00\xff\xff\xff", 4);
  g_assert_cmpint (
      tjCompress2 (jpeg, cmyk, 32, 0, 32, TJPF_CMYK, &data, &size, TJSAMP_444, 95, 0), ==, 0);
  picture = g_bytes_new (data, size);
  tjFree (data);
  tjDestroy (jpeg);
  image = fal_rgb_image_decode (picture, NULL);
  g_assert_nonnull (image);
  assert_near (image->data, 0, 255, 255, 3);
}

static void
test_cutout_is_opaque_inside_only (void)
{
  g_autoptr (FalRgbImage) image = make_image (64, 64, 255, 255, 255);
  g_autoptr (FalMatte) oval = fal_matte_new_oval (image);
  g_autoptr (GBytes) picture = fal_rgb_image_encode_cutout (image, oval->data);
  g_autoptr (FalRgbImage) on_black = fal_rgb_image_decode (picture, NULL);

  if (g_str_equal (fal_rgb_image_content_type (picture), "image/jpeg")) {
    g_test_skip ("built without libpng");
    return;
  }
  assert_near (on_black->data, 0, 0, 0, 0);
  assert_near (on_black->data + 3 * (32 * 64 + 32), 255, 255, 255, 0);
}

/* ---- Mattes ---- */

/* The subject is on the right, from half a pixel before the middle on. */
static FalMatte *
make_coarse (guint side)
{
  FalMatte *matte = fal_matte_new (side, side);

  for (guint y = 0; y < side; y++) {
    matte->data[y * side + side / 2 - 1] = 128;
    memset (matte->data + y * side + side / 2, 255, side - side / 2);
  }
  return matte;
}

/* The network's edge is wide and five pixels off, that of the picture is sharp. */
static void
test_matte_takes_the_edge_of_the_picture (void)
{
  g_autoptr (FalRgbImage) image = make_border (160, 120);
  g_autoptr (FalMatte) coarse = make_coarse (16);
  g_autoptr (FalMatte) matte = fal_matte_new_fitted (coarse, image);

  g_assert_cmpuint (matte->width, ==, 160);
  g_assert_cmpuint (matte->height, ==, 120);
  for (guint y = 0; y < 120; y++) {
    g_assert_cmpuint (matte->data[y * 160 + 60], <, 10);
    g_assert_cmpuint (matte->data[y * 160 + 79], <, 60);
    g_assert_cmpuint (matte->data[y * 160 + 80], >, 200);
    g_assert_cmpuint (matte->data[y * 160 + 100], >, 245);
  }
}

/* Whatever the sizes are, down to a single pixel. */
static void
test_matte_that_is_even_stays_so (void)
{
  static const guint sizes[][2] = { { 1, 1 }, { 1, 9 }, { 9, 1 }, { 65, 33 }, { 300, 7 } };
  g_autoptr (FalMatte) coarse = fal_matte_new (31, 17);

  for (guint level = 0; level <= 255; level += 255) {
    memset (coarse->data, level, 31 * 17);
    for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
      g_autoptr (FalRgbImage) image = make_border (sizes[i][0], sizes[i][1]);
      g_autoptr (FalMatte) matte = fal_matte_new_fitted (coarse, image);

      for (guint at = 0; at < sizes[i][0] * sizes[i][1]; at++)
        g_assert_cmpuint (matte->data[at], ==, level);
    }
  }
}

static void
test_matte_blends (void)
{
  static const guint8 green[3] = { 0, 200, 0 };
  g_autoptr (FalRgbImage) image = make_image (3, 1, 100, 100, 100);
  g_autoptr (FalMatte) matte = fal_matte_new (3, 1);

  matte->data[1] = 51; /* a fifth */
  matte->data[2] = 255;
  fal_matte_blend (matte, image, green);
  assert_near (image->data, 0, 200, 0, 0);
  assert_near (image->data + 3, 20, 180, 20, 0);
  assert_near (image->data + 6, 100, 100, 100, 0);
}

static void
test_size_is_bounded (void)
{
  g_assert_null (fal_rgb_image_new (0, 1));
  g_assert_null (fal_rgb_image_new (65000, 65000));
  g_assert_null (fal_matte_new (1, 0));
  g_assert_null (fal_matte_new (65000, 65000));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (even_rows); i++) {
    g_autofree gchar *name = g_strdup_printf (
        "/effects/even-area/%s-of-%u", even_rows[i].effect, (guint) even_rows[i].from[0]);

    g_test_add_data_func (name, &even_rows[i], test_even_area);
  }
  g_test_add_func ("/effects/edge-glows-at-a-border", test_edge_glows_at_a_border);
  g_test_add_func ("/effects/cartoon-inks-the-dark-side-of-a-border",
      test_cartoon_inks_the_dark_side_of_a_border);
  g_test_add_func ("/effects/mirror-reflects-the-left-half", test_mirror_reflects_the_left_half);
  g_test_add_func ("/image/jpeg-survives-the-round", test_jpeg_survives_the_round);
  g_test_add_func ("/image/truncated-jpeg-is-an-error", test_truncated_jpeg_is_an_error);
  g_test_add_func ("/image/flawed-jpeg-is-taken", test_flawed_jpeg_is_taken);
  g_test_add_func ("/image/cmyk-jpeg-is-taken", test_cmyk_jpeg_is_taken);
  g_test_add_func ("/image/cutout-is-opaque-inside-only", test_cutout_is_opaque_inside_only);
  g_test_add_func (
      "/matte/takes-the-edge-of-the-picture", test_matte_takes_the_edge_of_the_picture);
  g_test_add_func ("/matte/that-is-even-stays-so", test_matte_that_is_even_stays_so);
  g_test_add_func ("/matte/blends", test_matte_blends);
  g_test_add_func ("/image/size-is-bounded", test_size_is_bounded);
  return g_test_run ();
}
