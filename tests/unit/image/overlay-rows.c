/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows of samples, against divisions in floating point; and that every processor makes the same of
 * them. Lengths are odd, so that what is left of a vector is seen, too. */
#include <fal/image/overlay-rows.h>
#include <math.h>
#include <string.h>

#define LENGTH 300 /* samples of a row */

typedef struct {
  GRand *rand;
  gint n;
  guint8 a[4 * LENGTH], b[4 * LENGTH], mask[4 * LENGTH], out[4 * LENGTH];
  guint16 wide_a[4 * LENGTH], wide_b[4 * LENGTH], wide_out[4 * LENGTH];
} Rows;

static void
fill (Rows *r)
{
  for (guint i = 0; i < 4 * LENGTH; i++) {
    r->a[i] = g_rand_int_range (r->rand, 0, 256);
    r->b[i] = g_rand_int_range (r->rand, 0, 256);
    r->mask[i] = i % 5 == 0 ? 0 : (i % 5 == 1 ? 255 : g_rand_int_range (r->rand, 0, 256));
    r->wide_a[i] = g_rand_int_range (r->rand, 0, 65536);
    r->wide_b[i] = g_rand_int_range (r->rand, 0, 65536);
  }
  memset (r->out, 0x77, sizeof r->out);
  memset (r->wide_out, 0x77, sizeof r->wide_out);
  r->n = g_rand_int_range (r->rand, 1, LENGTH);
}

typedef void (*Check) (const FalOverlayRows *rows, Rows *r);

static void
check_mix (const FalOverlayRows *rows, Rows *r)
{
  rows->mix (r->out, r->a, r->b, r->mask, r->n);
  rows->mix16 (r->wide_out, r->wide_a, r->wide_b, r->mask, 65535, r->n);
  for (gint i = 0; i < r->n; i++) {
    gdouble part = r->mask[i] / 255.0;

    g_assert_cmpfloat (fabs (r->out[i] - (r->a[i] * part + r->b[i] * (1 - part))), <, 0.501);
    g_assert_cmpfloat (
        fabs (r->wide_out[i] - (r->wide_a[i] * part + r->wide_b[i] * (1 - part))), <, 0.51);
  }
}

/* What is over is less than its alpha leaves room for. */
static void
check_over (const FalOverlayRows *rows, Rows *r)
{
  Rows before;

  for (gint i = 0; i < r->n; i++) {
    r->a[i] = r->a[i] * r->mask[i] / 255;
    r->wide_a[i] = r->wide_a[i] / 255 * r->mask[i];
  }
  before = *r;
  rows->over (r->b, r->a, r->mask, r->n);
  rows->over16 (r->wide_b, r->wide_a, r->mask, 65535, r->n);
  for (gint i = 0; i < r->n; i++) {
    gdouble left = 1 - r->mask[i] / 255.0;

    g_assert_cmpfloat (fabs (r->b[i] - (r->a[i] + before.b[i] * left)), <, 0.501);
    g_assert_cmpfloat (fabs (r->wide_b[i] - (r->wide_a[i] + before.wide_b[i] * left)), <, 0.51);
    if (r->mask[i] == 0)
      g_assert_cmpuint (r->wide_b[i], ==, before.wide_b[i]);
  }
}

static void
check_weigh (const FalOverlayRows *rows, Rows *r)
{
  for (guint weight = 0; weight <= 256; weight += 32) {
    rows->weigh (r->out, r->a, r->b, weight, r->n);
    rows->weigh16 (r->wide_out, r->wide_a, r->wide_b, weight, r->n);
    for (gint i = 0; i < r->n; i++) {
      gdouble part = weight / 256.0;

      g_assert_cmpfloat (fabs (r->out[i] - (r->a[i] * (1 - part) + r->b[i] * part)), <, 0.501);
      g_assert_cmpfloat (
          fabs (r->wide_out[i] - (r->wide_a[i] * (1 - part) + r->wide_b[i] * part)), <, 0.501);
    }
  }
}

static void
check_weave (const FalOverlayRows *rows, Rows *r)
{
  const guint8 *in[4] = { r->a, r->b, r->mask, r->a };
  const guint16 *wide[4] = { r->wide_a, r->wide_b, r->wide_a, r->wide_b };

  for (guint n = 1; n <= 4; n++) {
    rows->weave (r->out, in, n, r->n);
    rows->weave16 (r->wide_out, wide, n, r->n);
    for (gint i = 0; i < r->n * (gint) n; i++) {
      g_assert_cmpuint (r->out[i], ==, in[i % n][i / n]);
      g_assert_cmpuint (r->wide_out[i], ==, wide[i % n][i / n]);
    }
  }
}

static void
check_pixels (const FalOverlayRows *rows, Rows *r)
{
  for (guint at = 0; at < 4; at += 3) {
    rows->premultiply (r->out, r->a, at, r->n);
    for (gint i = 0; i < 4 * r->n; i++) {
      gdouble alpha = i % 4 == (gint) at ? 1 : r->a[i / 4 * 4 + at] / 255.0;

      g_assert_cmpfloat (fabs (r->out[i] - r->a[i] * alpha), <, 0.501);
    }
    rows->take (r->b, r->a, at, r->n);
    rows->put_alpha (r->out, r->a, r->mask, at, r->n);
    for (gint i = 0; i < 4 * r->n; i++)
      g_assert_cmpuint (r->out[i], ==, i % 4 == (gint) at ? r->mask[i / 4] : r->a[i]);
    for (gint i = 0; i < r->n; i++)
      g_assert_cmpuint (r->b[i], ==, r->a[4 * i + at]);
  }
}

static void
check_fade (const FalOverlayRows *rows, Rows *r)
{
  guint8 before[LENGTH];

  memcpy (before, r->a, sizeof before);
  rows->fade (r->a, r->mask, 77, r->n);
  for (gint i = 0; i < r->n; i++)
    g_assert_cmpfloat (fabs (r->a[i] - before[i] * r->mask[i] / 255.0 * 77 / 255), <, 1.01);
}

static void
check_sums (const FalOverlayRows *rows, Rows *r)
{
  guint16 *parts[4] = { r->wide_out, r->wide_out + LENGTH, r->wide_out + 2 * LENGTH,
    r->wide_out + 3 * LENGTH };
  guint16 sums[LENGTH] = { 0 };
  guint32 totals[LENGTH] = { 0 };

  rows->split (parts, r->a, r->n);
  rows->sum (sums, r->b, r->n);
  rows->sum16 (sums, parts[1], r->n);
  rows->add (totals, r->b, r->n);
  rows->add16 (totals, r->wide_a, r->n);
  for (gint i = 0; i < r->n; i++) {
    g_assert_cmpuint (parts[2][i], ==, r->a[4 * i + 2]);
    g_assert_cmpuint (sums[i], ==, r->b[i] + r->a[4 * i + 1]);
    g_assert_cmpuint (totals[i], ==, r->b[i] + r->wide_a[i]);
  }
  rows->halve (r->out, r->a, r->b, r->n / 2);
  for (gint i = 0; i < r->n / 2; i++)
    g_assert_cmpuint (
        r->out[i], ==, (r->a[2 * i] + r->a[2 * i + 1] + r->b[2 * i] + r->b[2 * i + 1] + 2) / 4);
  for (guint sub = 0; sub < 3; sub++) {
    gint n = r->n >> sub;

    rows->gather (parts[3], sums, sub, n);
    rows->mean (r->out, parts[3], sub + 1, n);
    for (gint i = 0; i < n; i++) {
      guint sum = 0;

      for (gint k = 0; k < 1 << sub; k++)
        sum += sums[(i << sub) + k];
      g_assert_cmpuint (parts[3][i], ==, sum);
      g_assert_cmpfloat (fabs (r->out[i] - sum / (gdouble) (2 << sub)), <, 0.501);
    }
  }
}

static void
check_convert (const FalOverlayRows *rows, Rows *r)
{
  const FalRowMatrix matrix = { { 20000, -30000, 40000, 36000 }, 16, 0, 255 };
  const FalRowMatrix wide = { { 80000, -120000, 160000, 144000 }, 16, 6, 1023 };
  guint16 *parts[4] = { r->wide_out, r->wide_out + LENGTH, r->wide_out + 2 * LENGTH,
    r->wide_out + 3 * LENGTH };
  const guint16 *const in[4] = { parts[0], parts[1], parts[2], parts[3] };

  rows->split (parts, r->a, r->n);
  rows->convert (r->out, in, &matrix, r->n);
  rows->convert16 (r->wide_b, in, &wide, r->n);
  for (gint i = 0; i < r->n; i++) {
    gdouble sum = 0;

    for (guint k = 0; k < 4; k++)
      sum += matrix.weights[k] / 65536.0 * in[k][i];
    g_assert_cmpfloat (fabs (r->out[i] - CLAMP (sum, 0, 255)), <, 0.501);
    g_assert_cmpfloat (fabs (r->wide_b[i] / 64.0 - CLAMP (4 * sum, 0, 1023)), <, 0.501);
  }
}

static void
check_stretch (const FalOverlayRows *rows, Rows *r)
{
  static const guint16 none[8] = { 0 };

  for (gint i = 0; i < 64; i++)
    r->wide_a[i] = MIN (r->wide_a[i], 65280);
  for (guint sub = 1; sub <= 3; sub++) {
    rows->stretch (r->out, r->wide_a, sub, none, 8, 40);
    rows->stretch16 (r->wide_out, r->wide_a, sub, none, 4, 40);
    for (gint i = 0; i < 40 << sub; i++) {
      gdouble part = ((i & ((1 << sub) - 1)) + 0.5) / (1 << sub);
      gdouble sample = r->wide_a[i >> sub] * (1 - part) + r->wide_a[(i >> sub) + 1] * part;

      g_assert_cmpfloat (fabs (r->out[i] + 0.5 - sample / 256), <, 0.6);
      g_assert_cmpfloat (fabs (r->wide_out[i] + 0.5 - sample / 16), <, 0.6);
    }
  }
}

static const Check checks[] = { check_mix, check_over, check_weigh, check_weave, check_pixels,
  check_fade, check_sums, check_convert, check_stretch };

static void
test_rows_are_as_computed (void)
{
  Rows r = { g_rand_new_with_seed (1) };

  for (guint i = 0; i < G_N_ELEMENTS (checks); i++) {
    for (guint k = 0; k < 50; k++) {
      fill (&r);
      checks[i](fal_overlay_rows_get (), &r);
      checks[i](fal_overlay_rows_get_plainly (), &r);
    }
  }
  g_rand_free (r.rand);
}

static void
test_every_processor_makes_the_same (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (checks); i++) {
    for (guint k = 0; k < 50; k++) {
      Rows one, other;

      one.rand = g_rand_new_with_seed (k);
      fill (&one);
      other = one;
      checks[i](fal_overlay_rows_get (), &one);
      checks[i](fal_overlay_rows_get_plainly (), &other);
      g_assert_cmpmem (one.out, sizeof one.out, other.out, sizeof other.out);
      g_assert_cmpmem (one.a, sizeof one.a, other.a, sizeof other.a);
      g_assert_cmpmem (one.b, sizeof one.b, other.b, sizeof other.b);
      g_assert_cmpmem (one.wide_out, sizeof one.wide_out, other.wide_out, sizeof other.wide_out);
      g_assert_cmpmem (one.wide_b, sizeof one.wide_b, other.wide_b, sizeof other.wide_b);
      g_rand_free (one.rand);
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/overlay-rows/rows-are-as-computed", test_rows_are_as_computed);
  g_test_add_func (
      "/overlay-rows/every-processor-makes-the-same", test_every_processor_makes_the_same);
  return g_test_run ();
}
