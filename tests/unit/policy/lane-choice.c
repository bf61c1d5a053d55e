/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The choice among connections with literal times, in milliseconds. What comes of it in a stream is
 * in runners.c. */
#include "fal/policy/lane-choice.h"

#define MS G_TIME_SPAN_MILLISECOND
#define NEVER G_MAXINT64
#define NONE_SENT G_MININT64

static FalLaneOffer
offer (gint64 time, gint64 sent, gint64 period)
{
  return (FalLaneOffer) { time * MS, sent * MS, period * MS, 0, 0 };
}

static void
test_the_one_that_is_ready_first_takes_the_next (void)
{
  const FalLaneOffer offers[] = { offer (300, 200, 100), offer (250, 150, 100) };
  guint lane;

  g_assert_cmpint (fal_lane_choice_make (offers, 2, NONE_SENT, &lane), ==, 250 * MS);
  g_assert_cmpuint (lane, ==, 1);
}

static void
test_where_none_can_take_it_nothing_goes (void)
{
  const FalLaneOffer offers[] = { { NEVER, 0, 0, 0, 2 }, { NEVER, 0, 0, 0, 2 } };
  guint lane;

  g_assert_cmpint (fal_lane_choice_make (offers, 2, 0, &lane), ==, NEVER);
}

static void
test_of_those_that_are_ready_the_one_that_rested_longest_takes_it (void)
{
  const FalLaneOffer offers[] = { offer (500, 300, 100), offer (500, 100, 100),
    { 500 * MS, NONE_SENT, 0, 0, 0 }, offer (500, 200, 100) };
  guint lane;

  fal_lane_choice_make (offers, 4, NONE_SENT, &lane);
  g_assert_cmpuint (lane, ==, 2);
  fal_lane_choice_make (offers, 2, NONE_SENT, &lane);
  g_assert_cmpuint (lane, ==, 1);
}

static void
test_the_one_with_fewer_in_flight_takes_it (void)
{
  const FalLaneOffer offers[] = { { 0, 100, 0, 0, 1 }, { 0, 200, 0, 0, 0 } };
  guint lane;

  fal_lane_choice_make (offers, 2, NONE_SENT, &lane);
  g_assert_cmpuint (lane, ==, 1);
}

/* Four of 100 ms, and one that takes nothing now but will: 20 ms for a request in the mean. */
static void
test_requests_are_spaced_by_the_period_of_all (void)
{
  const FalLaneOffer offers[] = { offer (500, 400, 100), offer (505, 405, 100),
    offer (510, 410, 100), offer (515, 415, 100), { NEVER, 420 * MS, 100 * MS, 0, 1 } };
  guint lane;

  g_assert_cmpint (fal_lane_choice_get_period (offers, 5), ==, 20 * MS);
  g_assert_cmpint (fal_lane_choice_make (offers, 5, 490 * MS, &lane), ==, 508 * MS);
  g_assert_cmpuint (lane, ==, 0);
  g_assert_cmpint (fal_lane_choice_make (offers, 5, 420 * MS, &lane), ==, 500 * MS);
}

static void
test_the_period_counts_each_as_fast_as_it_is (void)
{
  const FalLaneOffer offers[] = { offer (0, 0, 100), offer (0, 0, 100), offer (0, 0, 50) };
  const FalLaneOffer unknown[] = { offer (0, 0, 0), offer (0, 0, 0) };
  const FalLaneOffer mixed[] = { offer (0, 0, 100), offer (0, 0, 0) };

  g_assert_cmpint (fal_lane_choice_get_period (offers, 3), ==, 25 * MS);
  g_assert_cmpint (fal_lane_choice_get_period (unknown, 2), ==, 0);
  g_assert_cmpint (fal_lane_choice_get_period (mixed, 2), ==, 100 * MS);
}

static FalLaneOffer
offer_with_trip (gint64 time, gint64 sent, gint64 trip)
{
  return (FalLaneOffer) { time * MS, sent * MS, 0, trip * MS, 0 };
}

static void
test_one_that_is_far_slower_is_left_out_while_another_is_ready (void)
{
  const FalLaneOffer both[] = { offer_with_trip (0, -900, 300), offer_with_trip (0, -100, 100) };
  const FalLaneOffer alone[] = { offer_with_trip (0, -900, 300), offer_with_trip (50, -100, 100) };
  const FalLaneOffer alike[] = { offer_with_trip (0, -900, 200), offer_with_trip (0, -100, 100) };
  const FalLaneOffer turned[] = { offer_with_trip (0, -100, 100), offer_with_trip (0, -900, 300) };
  guint lane;

  fal_lane_choice_make (both, 2, NONE_SENT, &lane);
  g_assert_cmpuint (lane, ==, 1);
  fal_lane_choice_make (alone, 2, NONE_SENT, &lane);
  g_assert_cmpuint (lane, ==, 0);
  fal_lane_choice_make (alike, 2, NONE_SENT, &lane);
  g_assert_cmpuint (lane, ==, 0);
  fal_lane_choice_make (turned, 2, NONE_SENT, &lane);
  g_assert_cmpuint (lane, ==, 0);
}

static void
test_one_that_was_never_answered_is_neither_slow_nor_quick (void)
{
  const FalLaneOffer offers[] = { offer_with_trip (0, -900, 300), offer_with_trip (0, -100, 100),
    offer_with_trip (0, -50, 0) };
  guint lane;

  fal_lane_choice_make (offers, 3, NONE_SENT, &lane);
  g_assert_cmpuint (lane, ==, 1);
}

/* It may have become faster. */
static void
test_one_that_was_slow_is_tried_again (void)
{
  const FalLaneOffer offers[] = { offer_with_trip (0, -1000, 300), offer_with_trip (0, -100, 100) };
  guint lane;

  fal_lane_choice_make (offers, 2, NONE_SENT, &lane);
  g_assert_cmpuint (lane, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/lane-choice/" #name, test_##name)
  ADD (the_one_that_is_ready_first_takes_the_next);
  ADD (where_none_can_take_it_nothing_goes);
  ADD (of_those_that_are_ready_the_one_that_rested_longest_takes_it);
  ADD (the_one_with_fewer_in_flight_takes_it);
  ADD (requests_are_spaced_by_the_period_of_all);
  ADD (the_period_counts_each_as_fast_as_it_is);
  ADD (one_that_is_far_slower_is_left_out_while_another_is_ready);
  ADD (one_that_was_never_answered_is_neither_slow_nor_quick);
  ADD (one_that_was_slow_is_tried_again);
  return g_test_run ();
}
