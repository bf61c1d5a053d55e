/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fal/policy/percentiles.h"

static void
test_percentiles_are_of_nearest_rank (void)
{
  FalPercentiles series = { { 0 } };

  g_assert_cmpfloat (fal_percentiles_get (&series, 50), ==, 0);
  g_assert_cmpfloat (fal_percentiles_get_last (&series), ==, 0);
  for (gint i = 1; i <= 100; i++) /* 37, 74, 10, … 64 */
    fal_percentiles_add (&series, i * 37 % 101 * 1000);
  g_assert_cmpfloat (fal_percentiles_get (&series, 0), ==, 1);
  g_assert_cmpfloat (fal_percentiles_get (&series, 50), ==, 50);
  g_assert_cmpfloat (fal_percentiles_get (&series, 95), ==, 95);
  g_assert_cmpfloat (fal_percentiles_get (&series, 99), ==, 99);
  g_assert_cmpfloat (fal_percentiles_get (&series, 100), ==, 100);
  g_assert_cmpfloat (fal_percentiles_get (&series, 150), ==, 100);
  g_assert_cmpfloat (fal_percentiles_get_last (&series), ==, 64);
}

static void
test_a_few_have_percentiles_too (void)
{
  FalPercentiles series = { { 0 } };

  fal_percentiles_add (&series, 2000);
  g_assert_cmpfloat (fal_percentiles_get (&series, 50), ==, 2);
  g_assert_cmpfloat (fal_percentiles_get_last (&series), ==, 2);
  fal_percentiles_add (&series, 3000);
  fal_percentiles_add (&series, 1000);
  g_assert_cmpfloat (fal_percentiles_get (&series, 66), ==, 2);
  g_assert_cmpfloat (fal_percentiles_get (&series, 67), ==, 3); /* 2 of 3 are less than that */
}

static void
test_old_values_are_forgotten (void)
{
  FalPercentiles series = { { 0 } };

  fal_percentiles_add (&series, 9000000);
  for (guint i = 0; i < 255; i++)
    fal_percentiles_add (&series, 1500);
  g_assert_cmpfloat (fal_percentiles_get (&series, 100), ==, 9000);
  g_assert_cmpfloat (fal_percentiles_get_last (&series), ==, 1.5);
  fal_percentiles_add (&series, 1000);
  g_assert_cmpfloat (fal_percentiles_get (&series, 100), ==, 1.5);
  g_assert_cmpfloat (fal_percentiles_get_last (&series), ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/series/percentiles_are_of_nearest_rank", test_percentiles_are_of_nearest_rank);
  g_test_add_func ("/series/a_few_have_percentiles_too", test_a_few_have_percentiles_too);
  g_test_add_func ("/series/old_values_are_forgotten", test_old_values_are_forgotten);
  return g_test_run ();
}
