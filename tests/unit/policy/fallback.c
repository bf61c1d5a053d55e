/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The outage with literal times, in milliseconds. */
#include "fal/policy/fallback.h"

#define MS G_TIME_SPAN_MILLISECOND

static gboolean
is_on (const FalFallback *outage, gint64 now)
{
  return fal_fallback_is_on (outage, 1000 * MS, now * MS);
}

static gboolean
is_due (const FalFallback *outage, FalFallbackMode fallback, gint64 now)
{
  return fal_fallback_is_due (outage, fallback, 1000 * MS, now * MS);
}

static void
test_nothing_is_awaited_before_a_frame (void)
{
  FalFallback outage;

  fal_fallback_reset (&outage);
  g_assert_false (is_on (&outage, 0));
  g_assert_false (is_on (&outage, G_MAXINT32));
  g_assert_false (is_due (&outage, FAL_FALLBACK_LAST, G_MAXINT32));
}

/* Before the first result too. */
static void
test_it_begins_a_while_after_the_first_frame (void)
{
  FalFallback outage;

  fal_fallback_reset (&outage);
  for (gint64 now = 100; now < 1100; now += 40)
    fal_fallback_note_frame (&outage, now * MS);
  g_assert_false (is_on (&outage, 1099));
  g_assert_true (is_on (&outage, 1100));
  g_assert_true (is_due (&outage, FAL_FALLBACK_BLACK, 1100));
}

static void
test_a_result_ends_it (void)
{
  FalFallback outage;

  fal_fallback_reset (&outage);
  fal_fallback_note_frame (&outage, 0);
  g_assert_true (is_on (&outage, 5000));
  fal_fallback_note_result (&outage, 5000 * MS);
  g_assert_false (is_on (&outage, 5999));
  g_assert_true (is_on (&outage, 6000));
}

/* In an outage each frame is one to show. */
static void
test_a_fallback_is_due_at_each_frame (void)
{
  FalFallback outage;

  fal_fallback_reset (&outage);
  fal_fallback_note_frame (&outage, 0);
  for (gint64 now = 1000; now < 1400; now += 33) {
    g_assert_true (is_due (&outage, FAL_FALLBACK_LAST, now));
    fal_fallback_note_filled (&outage, now * MS);
  }
}

/* Without a fallback downstream is told now and then, before the timeout already. */
static void
test_a_gap_is_due_now_and_then (void)
{
  FalFallback outage;

  fal_fallback_reset (&outage);
  fal_fallback_note_frame (&outage, 0);
  g_assert_false (is_due (&outage, FAL_FALLBACK_NONE, 499));
  g_assert_true (is_due (&outage, FAL_FALLBACK_NONE, 500));
  fal_fallback_note_filled (&outage, 500 * MS);
  g_assert_false (is_due (&outage, FAL_FALLBACK_NONE, 999));
  g_assert_true (is_due (&outage, FAL_FALLBACK_NONE, 1000));
  fal_fallback_note_result (&outage, 1000 * MS);
  g_assert_false (is_due (&outage, FAL_FALLBACK_NONE, 1499));
}

/* A camera that stood still for a minute is no outage of the model. */
static void
test_a_pause_of_the_frames_is_no_outage (void)
{
  FalFallback outage;

  fal_fallback_reset (&outage);
  fal_fallback_note_frame (&outage, 0);
  fal_fallback_note_result (&outage, 100 * MS);
  fal_fallback_note_frame (&outage, 60000 * MS);
  g_assert_false (is_on (&outage, 60000));
  g_assert_false (is_on (&outage, 60999));
  g_assert_true (is_on (&outage, 61000));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/outage/" #name, test_##name)
  ADD (nothing_is_awaited_before_a_frame);
  ADD (it_begins_a_while_after_the_first_frame);
  ADD (a_result_ends_it);
  ADD (a_fallback_is_due_at_each_frame);
  ADD (a_gap_is_due_now_and_then);
  ADD (a_pause_of_the_frames_is_no_outage);
  return g_test_run ();
}
