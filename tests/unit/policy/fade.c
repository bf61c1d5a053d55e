/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The fade with literal times. */
#include "fal/policy/fade.h"

#define MS GST_MSECOND
#define TICK (20 * MS)

/* ---- how long a live result may take ---- */

static void
test_the_first_interval_is_all_that_is_known (void)
{
  FalFade fade = { 0 };

  g_assert_cmpuint (fal_fade_note (&fade, 1000 * MS, 1125 * MS), ==, 125 * MS);
}

static void
test_it_is_the_usual_interval_after_a_pause (void)
{
  FalFade fade = { 0 };

  for (guint i = 0; i < 8; i++)
    fal_fade_note (&fade, 100 * i * MS, 100 * (i + 1) * MS);
  g_assert_cmpuint (fal_fade_note (&fade, 800 * MS, 1700 * MS), ==, 100 * MS);
}

/* The usual one is that in the middle, the shorter one of two. */
static void
test_intervals_may_come_in_any_order (void)
{
  FalFade fade = { 0 };

  fal_fade_note (&fade, 0, 300 * MS);
  fal_fade_note (&fade, 0, 100 * MS);
  fal_fade_note (&fade, 0, 200 * MS);
  g_assert_cmpuint (fal_fade_note (&fade, 0, 900 * MS), ==, 200 * MS);
}

static void
test_it_is_never_longer_than_the_last_interval (void)
{
  FalFade fade = { 0 };

  for (guint i = 0; i < 8; i++)
    fal_fade_note (&fade, 100 * i * MS, 100 * (i + 1) * MS);
  g_assert_cmpuint (fal_fade_note (&fade, 800 * MS, 830 * MS), ==, 30 * MS);
}

static void
test_it_follows_a_model_that_gets_slower (void)
{
  FalFade fade = { 0 };

  for (guint i = 0; i < 100; i++)
    fal_fade_note (&fade, 100 * i * MS, 100 * (i + 1) * MS);
  for (guint i = 0; i < 5; i++) {
    GstClockTime span = fal_fade_note (&fade, (10000 + 300 * i) * MS, (10300 + 300 * i) * MS);

    g_assert_cmpuint (span, ==, (i < 4 ? 100 : 300) * MS);
  }
}

static void
test_it_is_a_second_at_the_most (void)
{
  FalFade fade = { 0 };

  g_assert_cmpuint (fal_fade_note (&fade, 0, 20000 * MS), ==, 1000 * MS);
}

static void
test_results_of_one_time_are_a_cut (void)
{
  FalFade fade = { 0 };

  fal_fade_note (&fade, 0, 100 * MS);
  g_assert_cmpuint (fal_fade_note (&fade, 100 * MS, 100 * MS), ==, 0);
  g_assert_cmpuint (fal_fade_note (&fade, 100 * MS, 90 * MS), ==, 0);
  g_assert_cmpuint (fal_fade_note (&fade, 100 * MS, 200 * MS), ==, 100 * MS);
}

static void
test_after_a_reset_no_interval_is_known (void)
{
  FalFade fade = { 0 };

  for (guint i = 0; i < 8; i++)
    fal_fade_note (&fade, 100 * i * MS, 100 * (i + 1) * MS);
  fal_fade_reset (&fade);
  g_assert_cmpuint (fal_fade_note (&fade, 0, 400 * MS), ==, 400 * MS);
}

/* ---- live ---- */

/* The newer one began at 103 ms, the first tick that shows it is at 120 ms. */
static void
test_a_live_result_fades_in_over_its_span (void)
{
  g_assert_cmpuint (fal_fade_get_weight (60 * MS, TICK, 103 * MS, 100 * MS), ==, 0);
  g_assert_cmpuint (fal_fade_get_weight (120 * MS, TICK, 103 * MS, 100 * MS), ==, 94);
  g_assert_cmpuint (fal_fade_get_weight (140 * MS, TICK, 103 * MS, 100 * MS), ==, 145);
  g_assert_cmpuint (fal_fade_get_weight (160 * MS, TICK, 103 * MS, 100 * MS), ==, 197);
  g_assert_cmpuint (fal_fade_get_weight (180 * MS, TICK, 103 * MS, 100 * MS), ==, 248);
  g_assert_cmpuint (fal_fade_get_weight (200 * MS, TICK, 103 * MS, 100 * MS), ==, 256);
}

/* Whatever lies between: something of it at the first tick, more at each, all of it within the
 * span. */
static void
test_a_live_result_rises_and_is_there_within_its_span (void)
{
  for (GstClockTime span = 25 * MS; span < 1000 * MS; span += 13 * MS) {
    for (GstClockTime start = 1000 * MS; start < 1020 * MS; start += MS) {
      guint last = 0;

      for (GstClockTime tick = 1020 * MS; last < FAL_FADE_ALL; tick += TICK) {
        guint weight = fal_fade_get_weight (tick, TICK, start, span);

        g_assert_cmpuint (weight, >, last);
        g_assert_cmpuint (tick, <, start + span);
        last = weight;
      }
    }
  }
}

static void
test_a_live_result_that_comes_as_often_as_ticks_is_a_cut (void)
{
  g_assert_cmpuint (fal_fade_get_weight (120 * MS, TICK, 119 * MS, TICK), ==, FAL_FADE_ALL);
  g_assert_cmpuint (fal_fade_get_weight (120 * MS, TICK, 125 * MS, TICK), ==, FAL_FADE_ALL);
  g_assert_cmpuint (fal_fade_get_weight (120 * MS, TICK, 119 * MS, 7 * MS), ==, FAL_FADE_ALL);
  g_assert_cmpuint (fal_fade_get_weight (120 * MS, TICK, 120 * MS, 0), ==, FAL_FADE_ALL);
}

/* ---- files ---- */

static void
test_in_a_file_it_has_faded_in_at_its_time (void)
{
  g_assert_cmpuint (fal_fade_get_weight_ahead (100 * MS, TICK, 100 * MS, 200 * MS), ==, 0);
  g_assert_cmpuint (fal_fade_get_weight_ahead (125 * MS, TICK, 100 * MS, 200 * MS), ==, 64);
  g_assert_cmpuint (fal_fade_get_weight_ahead (150 * MS, TICK, 100 * MS, 200 * MS), ==, 128);
  g_assert_cmpuint (fal_fade_get_weight_ahead (200 * MS, TICK, 100 * MS, 200 * MS), ==, 256);
}

static void
test_in_a_file_as_many_results_as_ticks_are_cuts (void)
{
  g_assert_cmpuint (fal_fade_get_weight_ahead (110 * MS, TICK, 100 * MS, 120 * MS), ==, 0);
  g_assert_cmpuint (fal_fade_get_weight_ahead (110 * MS, TICK, 100 * MS, 105 * MS), ==, 0);
  g_assert_cmpuint (fal_fade_get_weight_ahead (110 * MS, TICK, 100 * MS, 100 * MS), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/fade/" #name, test_##name)
  ADD (the_first_interval_is_all_that_is_known);
  ADD (it_is_the_usual_interval_after_a_pause);
  ADD (intervals_may_come_in_any_order);
  ADD (it_is_never_longer_than_the_last_interval);
  ADD (it_follows_a_model_that_gets_slower);
  ADD (it_is_a_second_at_the_most);
  ADD (results_of_one_time_are_a_cut);
  ADD (after_a_reset_no_interval_is_known);
  ADD (a_live_result_fades_in_over_its_span);
  ADD (a_live_result_rises_and_is_there_within_its_span);
  ADD (a_live_result_that_comes_as_often_as_ticks_is_a_cut);
  ADD (in_a_file_it_has_faded_in_at_its_time);
  ADD (in_a_file_as_many_results_as_ticks_are_cuts);
  return g_test_run ();
}
