/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fal/policy/percentiles.h"

static void
test_percentiles_are_of_nearest_rank (void)
{
  FalPercentiles series = { { 0 } };

  g_assert_cmpfloat (fal_percentiles_get (&series, 50), ==, 0);
  g_assert_cmpfloat (fal_percentiles_get_last (&series), ==, 0);
  for (gint i = 100; i >= 1; i--)
    fal_percentiles_add (&series, i * 1000);
  g_assert_cmpfloat (fal_percentiles_get (&series, 0), ==, 1);
  g_assert_cmpfloat (fal_percentiles_get (&series, 50), ==, 50);
  g_assert_cmpfloat (fal_percentiles_get (&series, 95), ==, 95);
  g_assert_cmpfloat (fal_percentiles_get (&series, 99), ==, 99);
  g_assert_cmpfloat (fal_percentiles_get_last (&series), ==, 1);
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
  g_test_add_func ("/series/old_values_are_forgotten", test_old_values_are_forgotten);
  return g_test_run ();
}
