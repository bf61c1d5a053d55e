/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The fallback with literal times, in milliseconds. */
#include "fal/policy/fallback.h"

#define MS G_TIME_SPAN_MILLISECOND
#define NONE GST_CLOCK_TIME_NONE
#define EVER (G_MAXINT32 * MS)

/* Frames drop, and after a second without a result @mode is shown. */
static void
set_up (FalFallback *fallback, FalFallbackMode mode)
{
  const FalFallbackConfig config = {
    .mode = mode,
    .timeout = 1000 * MS,
    .latency = -1,
    .drops_frames = TRUE,
  };

  fal_fallback_reset (fallback);
  fal_fallback_configure (fallback, &config);
}

static void
frame (FalFallback *fallback, guint64 serial, gint64 now)
{
  fal_fallback_note_frame (fallback, serial, now * MS);
}

static FalFallbackMode
shown (const FalFallback *fallback, gint64 now)
{
  return fal_fallback_get_shown (fallback, now * MS);
}

static gboolean
is_due (const FalFallback *fallback, gint64 now)
{
  return fal_fallback_is_due (fallback, now * MS);
}

/* While the model has nothing to do the last result stands, and the time does not count. */
static void
test_frames_that_wait_for_no_result_are_no_silence (void)
{
  FalFallback f;

  set_up (&f, FAL_FALLBACK_BLACK);
  frame (&f, 1, 0);
  fal_fallback_note_result (&f, 100 * MS);
  frame (&f, 2, 200);
  for (guint i = 3; i < 100; i++)
    fal_fallback_note_held (&f, i, i * 100 * MS);
  g_assert_cmpint (shown (&f, 9900), ==, FAL_FALLBACK_NONE);
  g_assert_cmpint (shown (&f, 99000), ==, FAL_FALLBACK_NONE);
  g_assert_cmpuint (fal_fallback_get_patience (&f, 0, 99000 * MS), ==, NONE);
  g_assert_true (is_due (&f, 9900)); /* a gap */
  frame (&f, 100, 10000);
  /* Awaited since 100, less the time from 300 to 10000. */
  g_assert_cmpint (shown (&f, 10799), ==, FAL_FALLBACK_NONE);
  g_assert_cmpint (shown (&f, 10800), ==, FAL_FALLBACK_BLACK);
}

/* A detector that misses every other frame hides no outage. */
static void
test_idle_frames_in_between_hide_no_silence (void)
{
  FalFallback f;

  set_up (&f, FAL_FALLBACK_BLACK);
  frame (&f, 1, 0);
  fal_fallback_note_result (&f, 0);
  for (guint i = 0; i < 20; i++) {
    frame (&f, 2 + 2 * i, 1000 + i * 100);
    fal_fallback_note_idle (&f, (1050 + i * 100) * MS);
  }
  frame (&f, 100, 3000);
  g_assert_cmpint (shown (&f, 3000), ==, FAL_FALLBACK_BLACK);
}

static void
test_a_result_in_between_begins_the_wait_anew (void)
{
  FalFallback f;

  set_up (&f, FAL_FALLBACK_BLACK);
  frame (&f, 1, 0);
  fal_fallback_note_result (&f, 0);
  frame (&f, 2, 100);
  fal_fallback_note_held (&f, 3, 200 * MS);
  fal_fallback_note_result (&f, 5000 * MS);
  frame (&f, 4, 6000);
  g_assert_cmpint (shown (&f, 6999), ==, FAL_FALLBACK_NONE);
  g_assert_cmpint (shown (&f, 7000), ==, FAL_FALLBACK_BLACK);
}

/* Nothing stands that could. */
static void
test_before_the_first_result_a_frame_that_is_held_waits (void)
{
  FalFallback f;

  set_up (&f, FAL_FALLBACK_PASSTHROUGH);
  for (guint i = 1; i < 12; i++)
    fal_fallback_note_held (&f, i, i * 100 * MS);
  g_assert_cmpint (shown (&f, 1099), ==, FAL_FALLBACK_NONE);
  g_assert_cmpint (shown (&f, 1100), ==, FAL_FALLBACK_PASSTHROUGH);
  g_assert_true (is_due (&f, 1100));
}

/* ---- silence ---- */

static void
test_nothing_is_awaited_before_a_frame (void)
{
  FalFallback f;

  set_up (&f, FAL_FALLBACK_LAST);
  g_assert_cmpint (fal_fallback_get_shown (&f, 0), ==, FAL_FALLBACK_NONE);
  g_assert_cmpint (fal_fallback_get_shown (&f, EVER), ==, FAL_FALLBACK_NONE);
  g_assert_false (fal_fallback_is_due (&f, EVER));
  g_assert_cmpuint (fal_fallback_get_patience (&f, 0, EVER), ==, NONE);
}

/* Where something must be shown the timeout holds only once there was a result. */
static void
test_it_may_be_shown_from_the_first_frame_on (void)
{
  FalFallback f;
  FalFallbackConfig config;

  set_up (&f, FAL_FALLBACK_BLACK);
  config = f.config;
  config.at_once = TRUE;
  fal_fallback_configure (&f, &config);
  g_assert_cmpint (shown (&f, 100), ==, FAL_FALLBACK_NONE);
  frame (&f, 1, 100);
  g_assert_cmpint (shown (&f, 100), ==, FAL_FALLBACK_BLACK);
  g_assert_true (is_due (&f, 100));
  fal_fallback_note_result (&f, 200 * MS);
  g_assert_cmpint (shown (&f, 1199), ==, FAL_FALLBACK_NONE);
  g_assert_cmpint (shown (&f, 1200), ==, FAL_FALLBACK_BLACK);
}

/* Before the first result too. */
static void
test_silence_begins_a_while_after_the_first_frame (void)
{
  FalFallback f;

  set_up (&f, FAL_FALLBACK_BLACK);
  for (gint64 now = 100, serial = 1; now < 1100; now += 40)
    frame (&f, serial++, now);
  g_assert_cmpint (fal_fallback_get_shown (&f, 1100 * MS - 1), ==, FAL_FALLBACK_NONE);
  g_assert_cmpint (shown (&f, 1100), ==, FAL_FALLBACK_BLACK);
  g_assert_true (is_due (&f, 1100));
}

static void
test_a_result_ends_the_silence (void)
{
  FalFallback f;

  set_up (&f, FAL_FALLBACK_LAST);
  frame (&f, 1, 0);
  frame (&f, 2, 4990);
  g_assert_cmpint (shown (&f, 5000), ==, FAL_FALLBACK_LAST);
  fal_fallback_note_result (&f, 5000 * MS);
  g_assert_cmpint (fal_fallback_get_shown (&f, 6000 * MS - 1), ==, FAL_FALLBACK_NONE);
  g_assert_cmpint (shown (&f, 6000), ==, FAL_FALLBACK_LAST);
}

/* A camera that stood still for a minute is no outage of the model. */
static void
test_a_pause_of_the_frames_is_no_silence (void)
{
  FalFallback f;

  set_up (&f, FAL_FALLBACK_LAST);
  frame (&f, 1, 0);
  fal_fallback_note_result (&f, 100 * MS);
  frame (&f, 2, 60000);
  g_assert_cmpint (shown (&f, 60000), ==, FAL_FALLBACK_NONE);
  g_assert_cmpint (shown (&f, 60999), ==, FAL_FALLBACK_NONE);
  g_assert_cmpint (shown (&f, 61000), ==, FAL_FALLBACK_LAST);
}

static void
test_a_pause_is_five_seconds_without_a_frame (void)
{
  FalFallback f;

  set_up (&f, FAL_FALLBACK_LAST);
  frame (&f, 1, 0);
  fal_fallback_note_frame (&f, 2, FAL_FALLBACK_PAUSE - 1);
  g_assert_cmpint (fal_fallback_get_shown (&f, FAL_FALLBACK_PAUSE), ==, FAL_FALLBACK_LAST);
  fal_fallback_note_frame (&f, 3, 2 * FAL_FALLBACK_PAUSE - 1);
  g_assert_cmpint (fal_fallback_get_shown (&f, 2 * FAL_FALLBACK_PAUSE), ==, FAL_FALLBACK_NONE);
}

static void
test_a_timeout_of_zero_is_always_over (void)
{
  FalFallback f;
  const FalFallbackConfig config = { FAL_FALLBACK_BLACK, 0, -1, TRUE };

  set_up (&f, FAL_FALLBACK_BLACK);
  fal_fallback_configure (&f, &config);
  g_assert_cmpint (shown (&f, 0), ==, FAL_FALLBACK_NONE);
  frame (&f, 1, 10);
  g_assert_cmpint (shown (&f, 10), ==, FAL_FALLBACK_BLACK);
}

/* Threads take the time before the mutex, so that it may seem to go back. */
static void
test_a_time_before_the_last_result_is_no_silence (void)
{
  FalFallback f;
  const FalFallbackConfig config = { FAL_FALLBACK_BLACK, 0, -1, TRUE };

  set_up (&f, FAL_FALLBACK_BLACK);
  fal_fallback_configure (&f, &config);
  frame (&f, 1, 10);
  fal_fallback_note_result (&f, 20 * MS);
  g_assert_cmpint (shown (&f, 19), ==, FAL_FALLBACK_NONE);
}

/* ---- what is due ---- */

/* In an outage each frame is one to show, and only once. */
static void
test_a_fallback_is_due_at_each_frame (void)
{
  FalFallback f;
  guint64 serial = 1;

  set_up (&f, FAL_FALLBACK_LAST);
  frame (&f, serial++, 0);
  for (gint64 now = 1000; now < 1400; now += 33) {
    frame (&f, serial++, now);
    g_assert_true (is_due (&f, now));
    fal_fallback_note_filled (&f, now * MS);
    g_assert_false (is_due (&f, now));
    g_assert_false (is_due (&f, now + 32));
  }
  fal_fallback_note_result (&f, 1400 * MS);
  frame (&f, serial, 1401);
  g_assert_false (is_due (&f, 1401));
}

/* Without a fallback downstream is told now and then, before the timeout already. */
static void
test_a_gap_is_due_now_and_then (void)
{
  FalFallback f;

  set_up (&f, FAL_FALLBACK_NONE);
  frame (&f, 1, 0);
  g_assert_false (fal_fallback_is_due (&f, FAL_FALLBACK_GAP - 1));
  g_assert_true (fal_fallback_is_due (&f, FAL_FALLBACK_GAP));
  fal_fallback_note_filled (&f, 500 * MS);
  frame (&f, 2, 510);
  g_assert_false (is_due (&f, 999));
  g_assert_true (is_due (&f, 1000));
  fal_fallback_note_result (&f, 1000 * MS);
  g_assert_false (is_due (&f, 1499));
  g_assert_true (is_due (&f, 1500));
}

/* A gap was filled just before the result; the result is the newer of the two. */
static void
test_a_gap_counts_from_the_result_where_that_is_newer (void)
{
  FalFallback f;

  set_up (&f, FAL_FALLBACK_NONE);
  frame (&f, 1, 0);
  fal_fallback_note_filled (&f, 500 * MS);
  fal_fallback_note_result (&f, 520 * MS);
  frame (&f, 2, 530);
  g_assert_false (is_due (&f, 1019));
  g_assert_true (is_due (&f, 1020));
}

/* Frames that do not drop wait for their results however long it takes; a gap tells of it. */
static void
test_without_drops_a_gap_is_all_that_is_due (void)
{
  FalFallback f;
  const FalFallbackConfig config = { FAL_FALLBACK_BLACK, 100 * MS, -1, FALSE };

  set_up (&f, FAL_FALLBACK_BLACK);
  fal_fallback_configure (&f, &config);
  frame (&f, 1, 0);
  g_assert_cmpint (shown (&f, 9000), ==, FAL_FALLBACK_NONE);
  g_assert_false (is_due (&f, 499));
  g_assert_true (is_due (&f, 500));
}

static void
test_nothing_is_due_for_a_frame_that_is_gone (void)
{
  FalFallback f;

  set_up (&f, FAL_FALLBACK_LAST);
  frame (&f, 1, 0);
  fal_fallback_forget_frame (&f);
  g_assert_false (is_due (&f, 5000));
  g_assert_cmpint (shown (&f, 5000), ==, FAL_FALLBACK_LAST); /* the silence goes on */
  frame (&f, 2, 5000);
  g_assert_cmpint (shown (&f, 5000), ==, FAL_FALLBACK_NONE); /* after a pause */
  g_assert_true (is_due (&f, 6000));
}

static void
test_a_flush_ends_the_silence (void)
{
  FalFallback f;

  set_up (&f, FAL_FALLBACK_LAST);
  frame (&f, 1, 0);
  fal_fallback_clear (&f);
  g_assert_cmpint (shown (&f, 1000), ==, FAL_FALLBACK_NONE);
  g_assert_false (is_due (&f, 1000));
  frame (&f, 2, 2000);
  g_assert_cmpint (shown (&f, 2999), ==, FAL_FALLBACK_NONE);
  g_assert_true (is_due (&f, 3000));
}

/* Serials begin anew, too. */
static void
test_a_new_start_keeps_the_configuration_alone (void)
{
  FalFallback f;

  set_up (&f, FAL_FALLBACK_PASSTHROUGH);
  fal_fallback_note_passing (&f);
  frame (&f, 1000, 0);
  fal_fallback_note_filled (&f, 0);
  fal_fallback_reset (&f);
  frame (&f, 1, 0);
  g_assert_false (is_due (&f, 499));
  g_assert_true (is_due (&f, 1000));
  g_assert_cmpint (shown (&f, 1000), ==, FAL_FALLBACK_PASSTHROUGH);
}

/* ---- the bridge ---- */

static void
test_frames_go_by_until_the_first_result_of_a_model_that_was_switched_on (void)
{
  FalFallback f;

  set_up (&f, FAL_FALLBACK_BLACK);
  fal_fallback_set_enabled (&f, FALSE);
  g_assert_false (fal_fallback_is_bridging (&f));
  fal_fallback_note_passing (&f);
  g_assert_false (fal_fallback_is_bridging (&f));
  fal_fallback_set_enabled (&f, TRUE);
  g_assert_true (fal_fallback_is_bridging (&f));
  frame (&f, 1, 0);
  g_assert_true (fal_fallback_is_bridging (&f));
  g_assert_false (is_due (&f, 5000)); /* the frame itself has gone by */
  fal_fallback_note_result (&f, 5000 * MS);
  g_assert_false (fal_fallback_is_bridging (&f));
  g_assert_true (is_due (&f, 6000));
}

static void
test_nothing_is_bridged_where_no_frame_went_by (void)
{
  FalFallback f;

  set_up (&f, FAL_FALLBACK_BLACK);
  fal_fallback_set_enabled (&f, TRUE);
  g_assert_false (fal_fallback_is_bridging (&f));
  fal_fallback_note_passing (&f);
  frame (&f, 1, 0);
  fal_fallback_set_enabled (&f, TRUE);
  g_assert_false (fal_fallback_is_bridging (&f));
}

static void
test_nothing_is_bridged_without_drops (void)
{
  FalFallback f;
  FalFallbackConfig config = { FAL_FALLBACK_BLACK, 1000 * MS, -1, FALSE };

  set_up (&f, FAL_FALLBACK_BLACK);
  fal_fallback_configure (&f, &config);
  fal_fallback_note_passing (&f);
  fal_fallback_set_enabled (&f, TRUE);
  g_assert_false (fal_fallback_is_bridging (&f));
  config.drops_frames = TRUE;
  fal_fallback_configure (&f, &config);
  g_assert_false (fal_fallback_is_bridging (&f));
  fal_fallback_set_enabled (&f, TRUE);
  g_assert_true (fal_fallback_is_bridging (&f));
  config.drops_frames = FALSE;
  fal_fallback_configure (&f, &config);
  g_assert_false (fal_fallback_is_bridging (&f));
}

static void
test_switching_off_ends_the_bridge (void)
{
  FalFallback f;

  set_up (&f, FAL_FALLBACK_BLACK);
  fal_fallback_note_passing (&f);
  fal_fallback_set_enabled (&f, TRUE);
  fal_fallback_set_enabled (&f, FALSE);
  g_assert_false (fal_fallback_is_bridging (&f));
}

static void
test_a_bridge_outlives_a_flush (void)
{
  FalFallback f;

  set_up (&f, FAL_FALLBACK_BLACK);
  fal_fallback_note_passing (&f);
  fal_fallback_set_enabled (&f, TRUE);
  fal_fallback_clear (&f);
  g_assert_true (fal_fallback_is_bridging (&f));
  fal_fallback_reset (&f);
  g_assert_false (fal_fallback_is_bridging (&f));
}

/* What was awaited while the model was on before is none of this time's silence. */
static void
test_switching_begins_the_wait_anew (void)
{
  FalFallback f;

  set_up (&f, FAL_FALLBACK_LAST);
  frame (&f, 1, 0);
  fal_fallback_set_enabled (&f, FALSE);
  g_assert_cmpint (shown (&f, 4000), ==, FAL_FALLBACK_NONE);
  fal_fallback_set_enabled (&f, TRUE);
  frame (&f, 2, 4000);
  g_assert_cmpint (shown (&f, 4999), ==, FAL_FALLBACK_NONE);
  g_assert_cmpint (shown (&f, 5000), ==, FAL_FALLBACK_LAST);
}

/* ---- patience ---- */

static void
test_patience_is_for_a_silence_alone (void)
{
  static const struct {
    FalFallbackMode mode;
    gint64 latency; /* ms */
    gboolean drops_frames;
    gint64 now;
    GstClockTime patience;
  } rows[] = {
    /* Not silent yet, or nothing gives way: all are waited for. */
    { FAL_FALLBACK_LAST, 300, TRUE, 999, NONE },
    { FAL_FALLBACK_NONE, -1, TRUE, 999, NONE },
    { FAL_FALLBACK_LAST, 300, FALSE, 5000, NONE },
    /* What is shown comes in time, whatever the round trip. */
    { FAL_FALLBACK_LAST, 300, TRUE, 1000, 300 * GST_MSECOND },
    { FAL_FALLBACK_LAST, 0, TRUE, 1000, 0 },
    /* Nothing was promised, or a gap is told: a result gets two round trips. */
    { FAL_FALLBACK_LAST, -1, TRUE, 1000, 400 * GST_MSECOND },
    { FAL_FALLBACK_NONE, -1, TRUE, 1000, 400 * GST_MSECOND },
    { FAL_FALLBACK_NONE, 300, TRUE, 1000, 400 * GST_MSECOND },
    { FAL_FALLBACK_NONE, 500, TRUE, 1000, 500 * GST_MSECOND },
  };
  FalFallback f;

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    const FalFallbackConfig config = { rows[i].mode, 1000 * MS,
      rows[i].latency < 0 ? -1 : rows[i].latency * MS, rows[i].drops_frames };

    set_up (&f, FAL_FALLBACK_NONE);
    fal_fallback_configure (&f, &config);
    frame (&f, 1, 0);
    g_assert_cmpuint (
        fal_fallback_get_patience (&f, 200 * GST_MSECOND, rows[i].now * MS), ==, rows[i].patience);
  }
}

/* It is no outage that nothing is sent: but a frame that is, and gets no answer, is one. */
static void
test_a_result_that_stands_for_frames_is_no_silence (void)
{
  FalFallback f;

  set_up (&f, FAL_FALLBACK_BLACK);
  frame (&f, 1, 0);
  fal_fallback_note_result (&f, 100 * MS);
  for (guint n = 2; n < 100; n++) {
    frame (&f, n, 100 * n);
    fal_fallback_note_standing (&f, 100 * n * MS);
    g_assert_cmpint (shown (&f, 100 * n + 99), ==, FAL_FALLBACK_NONE);
  }
  g_assert_true (is_due (&f, 9950)); /* a gap, all the same */
  fal_fallback_note_filled (&f, 9950 * MS);
  frame (&f, 100, 10000);
  g_assert_false (is_due (&f, 10000));
  g_assert_cmpint (shown (&f, 10899), ==, FAL_FALLBACK_NONE);
  g_assert_cmpint (shown (&f, 10900), ==, FAL_FALLBACK_BLACK);
  fal_fallback_note_result (&f, 11000 * MS);
  g_assert_cmpint (shown (&f, 11999), ==, FAL_FALLBACK_NONE);
  g_assert_cmpint (shown (&f, 12000), ==, FAL_FALLBACK_BLACK);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/fallback/" #name, test_##name)
  ADD (nothing_is_awaited_before_a_frame);
  ADD (it_may_be_shown_from_the_first_frame_on);
  ADD (silence_begins_a_while_after_the_first_frame);
  ADD (a_result_ends_the_silence);
  ADD (a_pause_of_the_frames_is_no_silence);
  ADD (a_pause_is_five_seconds_without_a_frame);
  ADD (a_timeout_of_zero_is_always_over);
  ADD (a_time_before_the_last_result_is_no_silence);
  ADD (a_fallback_is_due_at_each_frame);
  ADD (a_gap_is_due_now_and_then);
  ADD (a_gap_counts_from_the_result_where_that_is_newer);
  ADD (without_drops_a_gap_is_all_that_is_due);
  ADD (nothing_is_due_for_a_frame_that_is_gone);
  ADD (a_flush_ends_the_silence);
  ADD (a_new_start_keeps_the_configuration_alone);
  ADD (frames_go_by_until_the_first_result_of_a_model_that_was_switched_on);
  ADD (nothing_is_bridged_where_no_frame_went_by);
  ADD (nothing_is_bridged_without_drops);
  ADD (switching_off_ends_the_bridge);
  ADD (a_bridge_outlives_a_flush);
  ADD (switching_begins_the_wait_anew);
  ADD (patience_is_for_a_silence_alone);
  ADD (a_result_that_stands_for_frames_is_no_silence);
  ADD (frames_that_wait_for_no_result_are_no_silence);
  ADD (idle_frames_in_between_hide_no_silence);
  ADD (a_result_in_between_begins_the_wait_anew);
  ADD (before_the_first_result_a_frame_that_is_held_waits);
  return g_test_run ();
}
