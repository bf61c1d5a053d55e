/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ticks with literal times. */
#include "fal/policy/ticks.h"

#define MS GST_MSECOND

static FalTicks
make_ticks (gint n, gint d)
{
  FalTicks ticks = { 0 };

  fal_ticks_reset (&ticks);
  fal_ticks_set_rate (&ticks, (FalFraction){ n, d });
  return ticks;
}

static void
test_without_a_rate_they_never_begin (void)
{
  FalTicks ticks = make_ticks (0, 1);

  g_assert_false (fal_ticks_have_begun (&ticks));
  fal_ticks_begin (&ticks, 5 * MS);
  g_assert_false (fal_ticks_have_begun (&ticks));
}

static void
test_they_are_evenly_spaced_from_where_they_begin (void)
{
  FalTicks ticks = make_ticks (25, 1);

  g_assert_false (fal_ticks_have_begun (&ticks));
  fal_ticks_begin (&ticks, 7 * MS);
  g_assert_true (fal_ticks_have_begun (&ticks));
  for (guint i = 0; i < 100; i++) {
    g_assert_cmpuint (fal_ticks_get_time (&ticks), ==, (7 + 40 * i) * MS);
    g_assert_cmpuint (fal_ticks_get_duration (&ticks), ==, 40 * MS);
    fal_ticks_advance (&ticks);
  }
}

/* 30000/1001 pictures a second, for a day: no rounding adds up, and each lasts until the next. */
static void
test_a_day_of_them_is_exact (void)
{
  FalTicks ticks = make_ticks (30000, 1001);
  GstClockTime end = 0;

  fal_ticks_begin (&ticks, 0);
  for (guint i = 0; i < 30000 * 24 * 36 / 10; i++) {
    g_assert_cmpuint (fal_ticks_get_time (&ticks), ==, end);
    end += fal_ticks_get_duration (&ticks);
    fal_ticks_advance (&ticks);
  }
  g_assert_cmpuint (end, ==, G_GUINT64_CONSTANT (86486400) * MS);
}

static void
test_there_may_be_one_a_second_or_less (void)
{
  FalTicks ticks = make_ticks (1, 1);

  fal_ticks_begin (&ticks, 0);
  g_assert_true (fal_ticks_have_begun (&ticks));
  fal_ticks_advance (&ticks);
  fal_ticks_set_rate (&ticks, (FalFraction) { 1, 2 });
  g_assert_cmpuint (fal_ticks_get_time (&ticks), ==, 1000 * MS);
  g_assert_cmpuint (fal_ticks_get_duration (&ticks), ==, 2000 * MS);
}

static void
test_another_rate_goes_on_at_the_next_tick (void)
{
  FalTicks ticks = make_ticks (10, 1);

  fal_ticks_begin (&ticks, 0);
  fal_ticks_advance (&ticks);
  fal_ticks_advance (&ticks);
  fal_ticks_set_rate (&ticks, (FalFraction){ 10, 1 });
  g_assert_cmpuint (fal_ticks_get_time (&ticks), ==, 200 * MS);
  fal_ticks_set_rate (&ticks, (FalFraction){ 50, 1 });
  g_assert_cmpuint (fal_ticks_get_time (&ticks), ==, 200 * MS);
  fal_ticks_advance (&ticks);
  g_assert_cmpuint (fal_ticks_get_time (&ticks), ==, 220 * MS);
  fal_ticks_set_rate (&ticks, (FalFraction){ 0, 1 });
  g_assert_false (fal_ticks_have_begun (&ticks));
  fal_ticks_set_rate (&ticks, (FalFraction){ 50, 1 });
  g_assert_false (fal_ticks_have_begun (&ticks));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/ticks/" #name, test_##name)
  ADD (without_a_rate_they_never_begin);
  ADD (they_are_evenly_spaced_from_where_they_begin);
  ADD (a_day_of_them_is_exact);
  ADD (there_may_be_one_a_second_or_less);
  ADD (another_rate_goes_on_at_the_next_tick);
  return g_test_run ();
}
