/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The spread of a block's results, with literal times. */
#include "fal/policy/spread.h"

#define MS G_TIME_SPAN_MILLISECOND
#define INTERVAL 83

static FalSpread
make (void)
{
  FalSpread spread;

  fal_spread_configure (&spread, 12, INTERVAL * MS);
  fal_spread_reset (&spread);
  return spread;
}

/* In milliseconds. */
static gint64
place (FalSpread *spread, gint64 sent, guint waiting, gint64 now)
{
  return fal_spread_place (spread, sent * MS, waiting, now * MS) / MS;
}

/* @n results come at @now, to requests sent each 83 ms from number @first on; @left wait already.
 * When the last of them is shown. */
static gint64
place_block (FalSpread *spread, guint first, guint n, guint left, gint64 now)
{
  gint64 time = now;

  for (guint i = 0; i < n; i++)
    time = place (spread, (first + i) * INTERVAL, left + i + 1, now);
  return time;
}

static void
test_the_first_is_shown_at_once_and_the_others_follow_as_they_were_sent (void)
{
  FalSpread spread = make ();

  g_assert_cmpint (place (&spread, 1000, 1, 5000), ==, 5000);
  g_assert_cmpint (place (&spread, 1083, 2, 5000), ==, 5083);
  g_assert_cmpint (place (&spread, 1166, 3, 5001), ==, 5166);
  g_assert_cmpint (place (&spread, 1266, 4, 5001), ==, 5266); /* a frame came late */
}

/* The next comes just when the last of the block before was shown. */
static void
test_block_follows_block_without_a_gap (void)
{
  FalSpread spread = make ();

  g_assert_cmpint (place_block (&spread, 0, 9, 0, 1000), ==, 1000 + 8 * INTERVAL);
  for (guint i = 0; i < 10; i++) {
    gint64 now = 1000 + (9 + 12 * i) * INTERVAL;

    g_assert_cmpint (place_block (&spread, 9 + 12 * i, 12, 0, now), ==, now + 11 * INTERVAL);
  }
}

static void
test_nothing_is_shown_before_it_came (void)
{
  FalSpread spread = make ();

  place_block (&spread, 0, 12, 0, 1000);
  g_assert_cmpint (place (&spread, 12 * INTERVAL, 1, 9000), ==, 9000);
  g_assert_cmpint (place (&spread, 13 * INTERVAL, 2, 9000), ==, 9000 + INTERVAL);
}

/* One block was 400 ms late, so that all is shown later: it makes up for that within some blocks.
 */
static void
test_a_delay_is_made_up_for (void)
{
  FalSpread spread = make ();
  gint64 last = place_block (&spread, 0, 12, 0, 1400);

  for (guint i = 1; i < 30; i++) {
    gint64 now = 1000 + 12 * i * INTERVAL;
    guint left = MAX (last - now, 0) / INTERVAL;

    last = place_block (&spread, 12 * i, 12, left, now);
  }
  g_assert_cmpint (last, <=, 1000 + (29 * 12 + 11 + 2) * INTERVAL);
}

static void
test_a_pause_of_the_camera_is_not_shown_again (void)
{
  FalSpread spread = make ();

  place (&spread, 0, 1, 9000);
  g_assert_cmpint (place (&spread, 5000, 2, 9000), ==, 9200);
  g_assert_cmpint (place (&spread, 4000, 3, 9000), ==, 9200); /* what went again */
  fal_spread_configure (&spread, 4, 500 * MS);
  g_assert_cmpint (place (&spread, 9000, 4, 9000), ==, 10200);
}

/* Twice as many wait as a block has: they follow one another in half of the time. */
static void
test_more_than_a_block_is_shown_faster (void)
{
  FalSpread spread = make ();

  place (&spread, 0, 1, 9000);
  g_assert_cmpint (place (&spread, 100, 24, 9000), ==, 9050);
  g_assert_cmpint (place (&spread, 200, 12, 9000), ==, 9150);
}

static void
test_blocks_of_one_are_spread_and_without_blocks_nothing_is (void)
{
  FalSpread spread = make ();

  fal_spread_configure (&spread, 1, INTERVAL * MS);
  place (&spread, 0, 1, 5000);
  g_assert_cmpint (place (&spread, 83, 1, 5010), ==, 5083);
  fal_spread_configure (&spread, 0, INTERVAL * MS);
  g_assert_cmpint (place (&spread, 166, 1, 5020), ==, 5020);
}

static void
test_after_a_reset_the_next_is_shown_at_once (void)
{
  FalSpread spread = make ();

  place_block (&spread, 0, 12, 0, 1000);
  fal_spread_reset (&spread);
  g_assert_cmpint (place (&spread, 12 * INTERVAL, 1, 1001), ==, 1001);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/spread/" #name, test_##name)
  ADD (the_first_is_shown_at_once_and_the_others_follow_as_they_were_sent);
  ADD (block_follows_block_without_a_gap);
  ADD (nothing_is_shown_before_it_came);
  ADD (a_delay_is_made_up_for);
  ADD (a_pause_of_the_camera_is_not_shown_again);
  ADD (more_than_a_block_is_shown_faster);
  ADD (blocks_of_one_are_spread_and_without_blocks_nothing_is);
  ADD (after_a_reset_the_next_is_shown_at_once);
  return g_test_run ();
}
