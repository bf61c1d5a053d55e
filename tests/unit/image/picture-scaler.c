/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any part of any picture, against the triangle that it is scaled with, in floating point. */
#include <fal/image/picture-scaler.h>
#include <math.h>
#include <string.h>

#define ROUNDS 300

/* The sample at @place of @n, of which those from @low up to @high count. */
static gdouble
weight_of (gdouble place, gdouble reach, gint i)
{
  return MAX (1 - fabs (i - place) / reach, 0);
}

typedef struct {
  const guint8 *picture;
  gint stride, size, channel;
  FalScaleAxis across, down;
} Reference;

static void
find_side (const FalScaleAxis *axis, gint i, gdouble *place, gdouble *reach, gint *low, gint *high)
{
  gdouble scale = axis->part.length / axis->part.size;

  *place = axis->part.begin + (axis->part.first + MIN (i, axis->n_out - 1) + 0.5) * scale - 0.5;
  *reach = CLAMP (scale, 1, 31);
  *low = CLAMP (floor (axis->part.begin + 1e-6), 0, axis->n_in - 1);
  *high = CLAMP (ceil (axis->part.begin + axis->part.length - 1e-6) - 1, *low, axis->n_in - 1);
}

static gdouble
scale_by_hand (const Reference *r, gint x, gint y)
{
  gdouble across, down, wide, tall, sum = 0, weights = 0;
  gint left, right, top, bottom;

  find_side (&r->across, x, &across, &wide, &left, &right);
  find_side (&r->down, y, &down, &tall, &top, &bottom);
  for (gint j = floor (down - tall); j <= down + tall; j++) {
    for (gint i = floor (across - wide); i <= across + wide; i++) {
      gdouble weight = weight_of (across, wide, i) * weight_of (down, tall, j);

      sum += weight * r->picture[CLAMP (j, top, bottom) * r->stride +
                                 CLAMP (i, left, right) * r->size + r->channel];
      weights += weight;
    }
  }
  return sum / weights;
}

static FalScaleAxis
pick_axis (GRand *rand)
{
  FalScaleAxis axis = { .n_in = g_rand_int_range (rand, 1, 60) };

  axis.part.begin = g_rand_double_range (rand, 0, axis.n_in - 0.5);
  axis.part.length = g_rand_double_range (rand, 0.4, axis.n_in - axis.part.begin);
  if (g_rand_boolean (rand)) {
    axis.part.begin = floor (axis.part.begin);
    axis.part.length = axis.n_in - axis.part.begin;
  }
  axis.part.size =
      g_rand_boolean (rand) ? MAX (axis.part.length, 1) : g_rand_int_range (rand, 1, 70);
  axis.part.first = g_rand_int_range (rand, -4, axis.part.size);
  axis.n_out = g_rand_int_range (rand, 1, 70);
  axis.n_padded = axis.n_out + g_rand_int_range (rand, 0, 4);
  return axis;
}

/* The picture ends with its last sample, so that the sanitizers see what is read beyond. */
static void
check_any (GRand *rand)
{
  Reference r = { .size = g_rand_boolean (rand) ? 1 : 4 };
  gint width, height, out_width, out_height;
  g_autofree guint8 *picture = NULL, *out = NULL, *plain = NULL;
  FalPictureScaler *scaler;
  gsize stride;

  r.across = pick_axis (rand);
  r.down = pick_axis (rand);
  width = r.across.n_in;
  height = r.down.n_in;
  r.stride = width * r.size + g_rand_int_range (rand, 0, 9);
  picture = g_malloc0 (r.stride * (height - 1) + width * r.size);
  for (gint y = 0; y < height; y++)
    for (gint x = 0; x < width * r.size; x++)
      picture[y * r.stride + x] = g_rand_int_range (rand, 0, 256);
  r.picture = picture;
  scaler = fal_picture_scaler_new (r.size, &r.across, &r.down);
  out_width = fal_picture_scaler_get_width (scaler);
  out_height = (r.down.n_padded + 15) / 16 * 16;
  stride = out_width * r.size;
  out = g_malloc (stride * out_height);
  plain = g_malloc (stride * out_height);
  for (gint y = 0; y < out_height; y += FAL_PICTURE_SCALER_BAND) {
    fal_picture_scaler_scale (scaler, picture, r.stride, y, out + y * stride, stride);
    fal_picture_scaler_scale_plainly (scaler, picture, r.stride, y, plain + y * stride, stride);
  }
  g_assert_cmpmem (out, stride * out_height, plain, stride * out_height);
  for (gint y = 0; y < r.down.n_padded; y++)
    for (gint x = 0; x < r.across.n_padded * r.size; x++) {
      r.channel = x % r.size;
      g_assert_cmpfloat (fabs (out[y * stride + x] - scale_by_hand (&r, x / r.size, y)), <, 3);
    }
  fal_picture_scaler_free (scaler);
}

static void
test_any_part_is_as_by_the_book (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);

  for (guint i = 0; i < ROUNDS; i++)
    check_any (rand);
}

/* Nothing is scaled: the samples themselves. */
static void
test_what_fits_is_copied (void)
{
  FalScaleAxis across = { { 3, 40, 40, 0 }, 50, 40, 40 }, down = { { 2, 30, 30, 5 }, 40, 25, 25 };
  FalPictureScaler *scaler = fal_picture_scaler_new (1, &across, &down);
  guint8 picture[40][50], out[32][40];

  for (gint y = 0; y < 40; y++)
    for (gint x = 0; x < 50; x++)
      picture[y][x] = 7 * y + 11 * x;
  fal_picture_scaler_scale (scaler, picture[0], 50, 0, out[0], 40);
  fal_picture_scaler_scale (scaler, picture[0], 50, 16, out[16], 40);
  for (gint y = 0; y < 25; y++)
    g_assert_cmpmem (out[y], 40, &picture[y + 7][3], 40);
  fal_picture_scaler_free (scaler);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/picture-scaler/any-part-is-as-by-the-book", test_any_part_is_as_by_the_book);
  g_test_add_func ("/picture-scaler/what-fits-is-copied", test_what_fits_is_copied);
  return g_test_run ();
}
