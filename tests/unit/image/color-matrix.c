/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The integer matrix against the formulas of the standards in floating point. */
#include "fal/image/color-matrix.h"

#include <math.h>

static FalColorMatrix
make (const gchar *colorimetry)
{
  GstVideoColorimetry parsed;
  FalColorMatrix matrix;

  g_assert_true (gst_video_colorimetry_from_string (&parsed, colorimetry));
  g_assert_true (fal_color_matrix_init (&matrix, &parsed));
  return matrix;
}

typedef struct {
  gdouble y, u, v;
} Yuv;

/* Samples of 8 bits of a video to those of a JPEG, by way of RGB. */
static Yuv
convert (Yuv in, gdouble kr, gdouble kb, gboolean full)
{
  gdouble y = full ? in.y : (in.y - 16) * 255 / 219;
  gdouble u = (in.u - 128) * (full ? 1 : 255.0 / 224), v = (in.v - 128) * (full ? 1 : 255.0 / 224);
  gdouble r = y + 2 * (1 - kr) * v, b = y + 2 * (1 - kb) * u;
  gdouble g = (y - kr * r - kb * b) / (1 - kr - kb);
  gdouble out = 0.299 * r + 0.587 * g + 0.114 * b;

  return (Yuv){ out, 128 + (b - out) / 1.772, 128 + (r - out) / 1.402 };
}

/* The same with the matrix: what it adds to each sample. */
static Yuv
apply (const FalColorMatrix *m, Yuv in)
{
  gdouble y = in.y - m->black, u = in.u - 128, v = in.v - 128;

  return (Yuv){ y + (m->yy * y + m->yu * u + m->yv * v) / 256, in.u + (m->uu * u + m->uv * v) / 512,
    in.v + (m->vu * u + m->vv * v) / 512 };
}

static void
test_it_follows_the_standards (void)
{
  static const struct {
    const gchar *colorimetry;
    gdouble kr, kb;
    gboolean full;
  } rows[] = {
    { "bt601", 0.299, 0.114, FALSE }, { "bt709", 0.2126, 0.0722, FALSE },
    { "bt2020", 0.2627, 0.0593, FALSE },
    { "1:3:0:0", 0.2126, 0.0722, TRUE }, /* full range, BT.709 */
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    FalColorMatrix matrix = make (rows[i].colorimetry);

    for (guint corner = 0; corner < 27; corner++) {
      Yuv in = { 16 + corner % 3 * 109.5, 16 + corner / 3 % 3 * 112.0, 16 + corner / 9 * 112.0 };
      Yuv wanted = convert (in, rows[i].kr, rows[i].kb, rows[i].full), got = apply (&matrix, in);

      g_test_message ("%s %g %g %g", rows[i].colorimetry, in.y, in.u, in.v);
      g_assert_cmpfloat_with_epsilon (got.y, wanted.y, 1.01);
      g_assert_cmpfloat_with_epsilon (got.u, wanted.u, 0.51);
      g_assert_cmpfloat_with_epsilon (got.v, wanted.v, 0.51);
    }
  }
}

static void
test_a_jpegs_own_colours_stay (void)
{
  FalColorMatrix jpeg = make ("1:4:0:0"), limited = make ("bt601"), other = make ("1:3:0:0");

  g_assert_true (fal_color_matrix_is_identity (&jpeg));
  g_assert_false (fal_color_matrix_is_identity (&limited));
  g_assert_false (fal_color_matrix_is_identity (&other));
}

static void
test_black_is_that_of_the_range (void)
{
  g_assert_cmpint (make ("1:4:0:0").black, ==, 0);
  g_assert_cmpint (make ("bt709").black, ==, 16);
}

static void
test_an_unknown_matrix_is_refused (void)
{
  const GstVideoColorimetry unknown = { GST_VIDEO_COLOR_RANGE_16_235,
    GST_VIDEO_COLOR_MATRIX_UNKNOWN, 0, 0 };
  const GstVideoColorimetry rgb = { GST_VIDEO_COLOR_RANGE_0_255, GST_VIDEO_COLOR_MATRIX_RGB, 0, 0 };
  FalColorMatrix matrix;

  g_assert_false (fal_color_matrix_init (&matrix, &unknown));
  g_assert_false (fal_color_matrix_init (&matrix, &rgb));
}

/* Any of them. */
static void
test_one_coefficient_is_a_change (void)
{
  const FalColorMatrix rows[] = { { .black = 16 }, { .yy = 1 }, { .yu = 1 }, { .yv = 1 },
    { .uu = 1 }, { .uv = 1 }, { .vu = 1 }, { .vv = 1 } };

  g_assert_true (fal_color_matrix_is_identity (&(FalColorMatrix) { 0 }));
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    g_assert_false (fal_color_matrix_is_identity (&rows[i]));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
#define ADD(name, test) g_test_add_func ("/color-matrix/" name, test)
  ADD ("it-follows-the-standards", test_it_follows_the_standards);
  ADD ("a-jpegs-own-colours-stay", test_a_jpegs_own_colours_stay);
  ADD ("black-is-that-of-the-range", test_black_is_that_of_the_range);
  ADD ("an-unknown-matrix-is-refused", test_an_unknown_matrix_is_refused);
  ADD ("one-coefficient-is-a-change", test_one_coefficient_is_a_change);
  return g_test_run ();
}
