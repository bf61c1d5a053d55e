/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The weights of a scale: their sum, their place, and which way the samples go. */
#include "fal/image/scale-filter.h"

static const gint sizes[] = { 1, 2, 3, 5, 16, 33, 480, 641, 4000 };

static void
check_weights (gint n_in, gint n_out, gint n_padded)
{
  FalScaleFilter filter;

  fal_scale_filter_init (&filter, n_in, n_out, n_padded);
  g_assert_cmpint (filter.n_taps, >=, 1);
  for (gint i = 0; i < n_padded; i++) {
    guint sum = 0;

    g_assert_cmpint (filter.first[i], >=, 0);
    g_assert_cmpint (filter.first[i] + filter.n_taps, <=, n_in);
    if (i > 0)
      g_assert_cmpint (filter.first[i], >=, filter.first[i - 1]);
    for (gint k = 0; k < filter.n_taps; k++)
      sum += filter.weights[i * filter.n_taps + k];
    g_assert_cmpuint (sum, ==, FAL_SCALE_FILTER_ONE);
  }
  fal_scale_filter_clear (&filter);
}

static void
test_weights_add_up_within_the_input (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (guint j = 0; j < G_N_ELEMENTS (sizes); j++) {
      g_test_message ("%d to %d", sizes[i], sizes[j]);
      check_weights (sizes[i], sizes[j], sizes[j] + 15);
    }
}

/* Sample @i of the output for @in, rounded. */
static gint
scale (const FalScaleFilter *filter, const gint *in, gint i)
{
  gint sum = FAL_SCALE_FILTER_ONE / 2;

  for (gint k = 0; k < filter->n_taps; k++)
    sum += in[filter->first[i] + k] * filter->weights[i * filter->n_taps + k];
  return sum / FAL_SCALE_FILTER_ONE;
}

static void
assert_scales (gint n_in, const gint *in, gint n_out, gint n_padded, const gint *wanted)
{
  FalScaleFilter filter;

  fal_scale_filter_init (&filter, n_in, n_out, n_padded);
  for (gint i = 0; i < n_padded; i++)
    g_assert_cmpint (scale (&filter, in, i), ==, wanted[i]);
  fal_scale_filter_clear (&filter);
}

static void
test_samples_are_weighted_by_a_triangle (void)
{
  const gint in[] = { 0, 100, 200, 100 };

  /* The same size; twice as many, a quarter of a sample off; half as many, over two samples to
   * each side, of which those beyond an edge count as the one at the edge. */
  assert_scales (4, in, 4, 4, (const gint[]){ 0, 100, 200, 100 });
  assert_scales (4, in, 8, 8, (const gint[]){ 0, 25, 75, 125, 175, 175, 125, 100 });
  assert_scales (4, in, 2, 2, (const gint[]){ 63, 138 });
}

static void
test_padding_repeats_the_last_sample (void)
{
  const gint in[] = { 10, 20, 30, 40 };

  assert_scales (4, in, 4, 7, (const gint[]){ 10, 20, 30, 40, 40, 40, 40 });
}

static void
test_a_cleared_filter_may_be_empty (void)
{
  FalScaleFilter filter = { 0 };

  fal_scale_filter_clear (&filter);
  g_assert_null (filter.first);
}

/* Of eight samples those from 2½ on, at twice the size; what comes before the part is not seen. */
static void
test_a_part_begins_within_a_sample (void)
{
  static const gint in[] = { 900, 900, 100, 200, 300, 400, 500, 900 };
  static const gint wanted[] = { 175, 225, 275, 325 };
  const FalScalePart part = { 2.5, 4, 8, 1 };
  FalScaleFilter filter;

  fal_scale_filter_init_part (&filter, &part, 8, 4, 5);
  for (gint i = 0; i < 4; i++)
    g_assert_cmpint (scale (&filter, in, i), ==, wanted[i]);
  g_assert_cmpint (scale (&filter, in, 4), ==, scale (&filter, in, 3));
  fal_scale_filter_clear (&filter);
}

static void
test_a_part_keeps_to_itself (void)
{
  static const gint in[] = { 900, 900, 100, 100, 100, 100, 900, 900 };
  const FalScalePart part = { 2, 4, 11, -2 };
  FalScaleFilter filter;

  fal_scale_filter_init_part (&filter, &part, 8, 15, 15);
  for (gint i = 0; i < 15; i++)
    g_assert_cmpint (scale (&filter, in, i), ==, 100);
  fal_scale_filter_clear (&filter);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, test) g_test_add_func ("/scale-filter/" name, test)
  ADD ("weights-add-up-within-the-input", test_weights_add_up_within_the_input);
  ADD ("samples-are-weighted-by-a-triangle", test_samples_are_weighted_by_a_triangle);
  ADD ("padding-repeats-the-last-sample", test_padding_repeats_the_last_sample);
  ADD ("a-cleared-filter-may-be-empty", test_a_cleared_filter_may_be_empty);
  ADD ("a-part-begins-within-a-sample", test_a_part_begins_within_a_sample);
  ADD ("a-part-keeps-to-itself", test_a_part_keeps_to_itself);
  return g_test_run ();
}
