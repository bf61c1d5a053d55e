/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The watchdog with literal times, in milliseconds; what is about a boundary, in microseconds. */
#include "fal/policy/watchdog.h"

#define MS G_TIME_SPAN_MILLISECOND
#define NEVER G_MAXINT64

/* It is idle after 10 s, paid for for 60 s, and a request may take 5 s. */
static void
set_up (FalWatchdog *watchdog)
{
  const FalWatchdogConfig config = { 10000 * MS, 60000 * MS, 5000 * MS };

  *watchdog = (FalWatchdog){ 0 };
  fal_watchdog_configure (watchdog, &config);
}

/* The same, with a connection that requests may go over since @now. */
static void
set_up_online (FalWatchdog *watchdog, gint64 now)
{
  set_up (watchdog);
  g_assert_true (fal_watchdog_want (watchdog));
  fal_watchdog_note_opened (watchdog, now * MS);
  fal_watchdog_note_online (watchdog);
}

/* ---- a connection's life ---- */

static void
test_a_connection_is_asked_for_once (void)
{
  FalWatchdog w;

  set_up (&w);
  g_assert_true (fal_watchdog_want (&w));
  g_assert_false (fal_watchdog_want (&w));
  fal_watchdog_note_opened (&w, 0);
  g_assert_false (fal_watchdog_want (&w)); /* the app has to say yet that it is ready */
  fal_watchdog_note_online (&w);
  g_assert_false (fal_watchdog_want (&w));
  fal_watchdog_note_ended (&w);
  g_assert_true (fal_watchdog_want (&w));
}

static void
test_an_attempt_that_failed_is_asked_for_again (void)
{
  FalWatchdog w;

  set_up (&w);
  g_assert_true (fal_watchdog_want (&w));
  fal_watchdog_note_ended (&w);
  g_assert_true (fal_watchdog_want (&w));
}

static void
test_requests_go_once_the_app_is_ready (void)
{
  FalWatchdog w;

  set_up (&w);
  g_assert_false (fal_watchdog_awaits_ready (&w));
  fal_watchdog_want (&w);
  g_assert_false (fal_watchdog_awaits_ready (&w));
  fal_watchdog_note_opened (&w, 0);
  g_assert_true (w.open);
  g_assert_false (fal_watchdog_is_online (&w));
  g_assert_true (fal_watchdog_awaits_ready (&w));
  fal_watchdog_note_online (&w);
  g_assert_true (fal_watchdog_is_online (&w));
  g_assert_false (fal_watchdog_awaits_ready (&w));
  fal_watchdog_note_ended (&w);
  g_assert_false (w.open);
  g_assert_false (fal_watchdog_is_online (&w));
}

static void
test_nothing_is_asked_for_before_a_close_has_come (void)
{
  FalWatchdog w;

  set_up_online (&w, 0);
  fal_watchdog_close (&w);
  g_assert_true (fal_watchdog_is_closing (&w));
  g_assert_true (fal_watchdog_is_online (&w));
  g_assert_false (fal_watchdog_want (&w));
  fal_watchdog_note_ended (&w);
  g_assert_false (fal_watchdog_is_closing (&w));
  g_assert_true (fal_watchdog_want (&w));
}

static void
test_a_new_start_keeps_the_configuration_alone (void)
{
  FalWatchdog w;

  set_up_online (&w, 0);
  fal_watchdog_give_up (&w, FAL_FAULT_DEAD, 1);
  fal_watchdog_close (&w);
  fal_watchdog_reset (&w);
  g_assert_false (w.open);
  g_assert_false (fal_watchdog_is_closing (&w));
  g_assert_false (fal_watchdog_is_given_up (&w));
  g_assert_true (fal_watchdog_want (&w));
  fal_watchdog_note_opened (&w, 0);
  fal_watchdog_note_online (&w);
  g_assert_cmpint (fal_watchdog_get_idle_time (&w, FALSE, FALSE), ==, 10000 * MS);
}

/* ---- given up ---- */

static void
test_a_connection_is_given_up_once (void)
{
  FalWatchdog w;

  set_up_online (&w, 0);
  g_assert_false (fal_watchdog_is_given_up (&w));
  g_assert_true (fal_watchdog_give_up (&w, FAL_FAULT_SILENT, 5000 * MS));
  g_assert_false (fal_watchdog_give_up (&w, FAL_FAULT_DEAD, 6000 * MS));
  g_assert_true (fal_watchdog_is_given_up (&w));
  g_assert_cmpint (fal_watchdog_get_fault (&w), ==, FAL_FAULT_SILENT);
  g_assert_true (w.open);
  g_assert_false (fal_watchdog_is_online (&w));
  g_assert_false (fal_watchdog_want (&w)); /* it is made anew anyhow */
}

/* An app's late word that it is ready does not count either. */
static void
test_what_was_given_up_does_not_get_ready (void)
{
  FalWatchdog w;

  set_up (&w);
  fal_watchdog_note_opened (&w, 0);
  fal_watchdog_give_up (&w, FAL_FAULT_ASKED, 1 * MS);
  g_assert_false (fal_watchdog_awaits_ready (&w));
}

static void
test_the_next_connection_counts_again (void)
{
  FalWatchdog w;

  set_up_online (&w, 0);
  fal_watchdog_give_up (&w, FAL_FAULT_SILENT, 5000 * MS);
  fal_watchdog_note_ended (&w);
  g_assert_false (fal_watchdog_is_given_up (&w));
  g_assert_true (fal_watchdog_want (&w));
  fal_watchdog_note_opened (&w, 6000 * MS);
  g_assert_false (fal_watchdog_is_given_up (&w));
  g_assert_true (fal_watchdog_awaits_ready (&w));
  g_assert_true (fal_watchdog_give_up (&w, FAL_FAULT_DEAD, 7000 * MS));
  g_assert_cmpint (fal_watchdog_get_fault (&w), ==, FAL_FAULT_DEAD);
  fal_watchdog_note_opened (&w, 8000 * MS); /* its end was not told */
  g_assert_false (fal_watchdog_is_given_up (&w));
}

static void
test_what_was_given_up_is_cut_after_a_while_and_once (void)
{
  FalWatchdog w;

  set_up_online (&w, 0);
  g_assert_cmpint (fal_watchdog_get_cut_time (&w), ==, NEVER);
  fal_watchdog_give_up (&w, FAL_FAULT_SILENT, 5000 * MS);
  g_assert_cmpint (fal_watchdog_get_cut_time (&w), ==, 5000 * MS + 100 * MS);
  fal_watchdog_note_cut (&w);
  g_assert_cmpint (fal_watchdog_get_cut_time (&w), ==, NEVER);
  fal_watchdog_note_ended (&w);
  fal_watchdog_note_opened (&w, 6000 * MS);
  fal_watchdog_give_up (&w, FAL_FAULT_SILENT, 7000 * MS);
  g_assert_cmpint (fal_watchdog_get_cut_time (&w), ==, 7000 * MS + 100 * MS);
  fal_watchdog_note_ended (&w);
  g_assert_cmpint (fal_watchdog_get_cut_time (&w), ==, NEVER);
}

/* Where none stands there is nothing to cut. */
static void
test_an_attempt_is_not_cut (void)
{
  FalWatchdog w;

  set_up (&w);
  fal_watchdog_want (&w);
  fal_watchdog_give_up (&w, FAL_FAULT_ASKED, 5000 * MS);
  g_assert_cmpint (fal_watchdog_get_cut_time (&w), ==, NEVER);
}

/* ---- not needed ---- */

static void
test_only_a_connection_or_attempt_is_released_and_once (void)
{
  FalWatchdog w;

  set_up (&w);
  g_assert_false (fal_watchdog_release (&w, 0));
  g_assert_false (fal_watchdog_is_closing (&w));
  fal_watchdog_want (&w);
  g_assert_true (fal_watchdog_release (&w, 0));
  g_assert_true (fal_watchdog_is_closing (&w));
  g_assert_false (fal_watchdog_release (&w, 0));
  set_up_online (&w, 0);
  g_assert_true (fal_watchdog_release (&w, 0));
  g_assert_false (fal_watchdog_release (&w, 0));
  set_up_online (&w, 0);
  fal_watchdog_close (&w);
  g_assert_false (fal_watchdog_release (&w, 0));
}

static void
test_what_others_need_is_kept_and_asked_about_again (void)
{
  FalWatchdog w;

  set_up_online (&w, 0);
  g_assert_true (fal_watchdog_release (&w, 10000 * MS));
  g_assert_cmpint (fal_watchdog_get_idle_time (&w, FALSE, FALSE), ==, NEVER);
  fal_watchdog_keep (&w);
  g_assert_false (fal_watchdog_is_closing (&w));
  g_assert_cmpint (fal_watchdog_get_idle_time (&w, FALSE, FALSE), ==, 20000 * MS);
  g_assert_true (fal_watchdog_release (&w, 20000 * MS));
}

static void
test_a_member_needs_it_while_it_sends_or_not_yet_rests (void)
{
  static const struct {
    gboolean active, busy;
    gint64 now; /* µs, since it is online */
    gboolean needs;
  } rows[] = {
    { TRUE, TRUE, 0, TRUE },
    { TRUE, FALSE, 0, TRUE },
    { TRUE, FALSE, 10000 * MS - 1, TRUE },
    { TRUE, FALSE, 10000 * MS, FALSE },
    { TRUE, TRUE, 99000 * MS, TRUE },
    { FALSE, TRUE, 0, FALSE },
    { FALSE, FALSE, 0, FALSE },
  };
  FalWatchdog w;

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    gint64 now = 3000 * MS + rows[i].now;

    set_up_online (&w, 3000);
    g_assert_cmpint (fal_watchdog_needs (&w, rows[i].active, rows[i].busy, now), ==, rows[i].needs);
    g_assert_cmpint (fal_watchdog_is_closing (&w), ==, !rows[i].needs);
  }
}

static void
test_a_member_that_closes_it_does_not_need_it (void)
{
  FalWatchdog w;

  set_up_online (&w, 0);
  fal_watchdog_close (&w);
  g_assert_false (fal_watchdog_needs (&w, TRUE, TRUE, 0));
  fal_watchdog_keep (&w);
  g_assert_true (fal_watchdog_needs (&w, TRUE, TRUE, 0));
}

static void
test_without_an_idle_timeout_it_never_rests (void)
{
  FalWatchdog w;
  const FalWatchdogConfig config = { 0, 0, 5000 * MS };

  set_up_online (&w, 0);
  fal_watchdog_configure (&w, &config);
  g_assert_true (fal_watchdog_needs (&w, TRUE, FALSE, 1000000 * MS));
  g_assert_cmpint (fal_watchdog_get_idle_time (&w, FALSE, FALSE), ==, NEVER);
}

/* ---- idle ---- */

static void
test_idle_time_counts_from_the_last_request_or_message (void)
{
  FalWatchdog w;

  set_up (&w);
  g_assert_cmpint (fal_watchdog_get_idle_time (&w, FALSE, FALSE), ==, NEVER);
  fal_watchdog_note_opened (&w, 1000 * MS);
  g_assert_cmpint (fal_watchdog_get_idle_time (&w, FALSE, FALSE), ==, NEVER);
  fal_watchdog_note_online (&w);
  g_assert_cmpint (fal_watchdog_get_idle_time (&w, FALSE, FALSE), ==, 11000 * MS);
  fal_watchdog_note_request (&w, 2000 * MS);
  g_assert_cmpint (fal_watchdog_get_idle_time (&w, FALSE, FALSE), ==, 12000 * MS);
  g_assert_cmpint (fal_watchdog_get_idle_time (&w, TRUE, FALSE), ==, NEVER);
  fal_watchdog_note_message (&w, 3000 * MS);
  g_assert_cmpint (fal_watchdog_get_idle_time (&w, FALSE, FALSE), ==, 13000 * MS);
  fal_watchdog_note_heard (&w, 4000 * MS); /* of a pong, which is nothing to do */
  g_assert_cmpint (fal_watchdog_get_idle_time (&w, FALSE, FALSE), ==, 13000 * MS);
  fal_watchdog_give_up (&w, FAL_FAULT_SILENT, 5000 * MS);
  g_assert_cmpint (fal_watchdog_get_idle_time (&w, FALSE, FALSE), ==, NEVER);
}

/* As long as a request may take: after the last message, and only while requests may go. */
static void
test_an_app_is_quiet_that_says_nothing_for_as_long_as_an_answer_may_take (void)
{
  FalWatchdog w;

  set_up (&w);
  g_assert_cmpint (fal_watchdog_get_quiet_time (&w), ==, NEVER);
  set_up_online (&w, 1000);
  fal_watchdog_note_request (&w, 2000 * MS);
  fal_watchdog_note_message (&w, 3000 * MS);
  g_assert_cmpint (fal_watchdog_get_quiet_time (&w), ==, 8000 * MS);
  w.config.request_timeout = 0;
  g_assert_cmpint (fal_watchdog_get_quiet_time (&w), ==, NEVER);
  fal_watchdog_note_ended (&w);
  g_assert_cmpint (fal_watchdog_get_quiet_time (&w), ==, NEVER);
}

/* However long the idle timeout, and with none: what is paid for is let go of at once, and where
 * others need it, it is asked about each second. */
static void
test_what_is_spent_is_idle_at_once (void)
{
  FalWatchdog w;
  const FalWatchdogConfig config = { 0, 1000 * MS, 0 };

  set_up_online (&w, 50000);
  fal_watchdog_configure (&w, &config);
  g_assert_cmpint (fal_watchdog_get_idle_time (&w, TRUE, TRUE), <=, 50000 * MS);
  g_assert_true (fal_watchdog_release (&w, 50000 * MS));
  fal_watchdog_keep (&w);
  g_assert_cmpint (fal_watchdog_get_idle_time (&w, TRUE, TRUE), ==, 51000 * MS);
}

/* ---- paid for ---- */

static void
test_the_limit_counts_all_connections (void)
{
  FalWatchdog w;

  set_up_online (&w, 1000);
  g_assert_cmpint (fal_watchdog_get_limit_time (&w, 1), ==, NEVER);
  fal_watchdog_note_connected_time (&w, 1000 * MS, 0);
  g_assert_cmpint (fal_watchdog_get_limit_time (&w, 1), ==, 61000 * MS);
  fal_watchdog_note_ended (&w);
  fal_watchdog_note_connected_time (&w, 0, 20000 * MS);
  g_assert_cmpint (fal_watchdog_get_limit_time (&w, 1), ==, NEVER);
  fal_watchdog_note_opened (&w, 50000 * MS);
  g_assert_cmpint (fal_watchdog_get_limit_time (&w, 1), ==, NEVER);
  fal_watchdog_note_connected_time (&w, 50000 * MS, 20000 * MS);
  g_assert_cmpint (fal_watchdog_get_limit_time (&w, 1), ==, 90000 * MS);
}

/* Two since one second, a third one since seven: then 60 s are over when two have 22 s each, and
 * the third one 16 s. */
static void
test_the_limit_is_that_of_all_together (void)
{
  FalWatchdog all[4];

  for (guint i = 0; i < 4; i++)
    set_up_online (&all[i], 1000);
  fal_watchdog_note_connected_time (&all[0], 1000 * MS, 0);
  g_assert_cmpint (fal_watchdog_get_limit_time (all, 4), ==, 61000 * MS);
  fal_watchdog_note_connected_time (&all[1], 1000 * MS, 0);
  g_assert_cmpint (fal_watchdog_get_limit_time (all, 4), ==, 31000 * MS);
  fal_watchdog_note_connected_time (&all[2], 7000 * MS, 0);
  g_assert_cmpint (fal_watchdog_get_limit_time (all, 4), ==, 23000 * MS);
  fal_watchdog_note_ended (&all[3]);
  fal_watchdog_note_connected_time (&all[3], 0, 30000 * MS);
  g_assert_cmpint (fal_watchdog_get_limit_time (all, 4), ==, 13000 * MS);
}

static void
test_without_a_limit_there_is_no_such_time (void)
{
  FalWatchdog w;
  const FalWatchdogConfig config = { 10000 * MS, 0, 5000 * MS };

  set_up_online (&w, 1000);
  fal_watchdog_configure (&w, &config);
  fal_watchdog_note_connected_time (&w, 1000 * MS, 0);
  g_assert_cmpint (fal_watchdog_get_limit_time (&w, 1), ==, NEVER);
}

/* ---- dead ---- */

static void
test_a_peer_is_dead_that_nothing_is_heard_of (void)
{
  const gint64 limit = 12000 * MS;
  FalWatchdog w;

  set_up_online (&w, 0);
  g_assert_false (fal_watchdog_is_dead (&w, NEVER, 100 * limit)); /* it was asked nothing */
  g_assert_false (fal_watchdog_is_dead (&w, 0, limit));
  g_assert_true (fal_watchdog_is_dead (&w, 0, limit + 1));
  g_assert_false (fal_watchdog_is_dead (&w, 10 * MS, limit + 10 * MS));
  g_assert_true (fal_watchdog_is_dead (&w, 10 * MS, limit + 10 * MS + 1));
  fal_watchdog_note_heard (&w, 30 * MS);
  g_assert_false (fal_watchdog_is_dead (&w, 10 * MS, limit + 30 * MS));
  g_assert_true (fal_watchdog_is_dead (&w, 10 * MS, limit + 30 * MS + 1));
}

static void
test_only_a_connection_that_counts_can_be_dead (void)
{
  const gint64 late = 24000 * MS;
  FalWatchdog w;

  set_up (&w);
  g_assert_false (fal_watchdog_is_dead (&w, 0, late));
  fal_watchdog_note_opened (&w, 0);
  g_assert_true (fal_watchdog_is_dead (&w, 0, late));
  fal_watchdog_give_up (&w, FAL_FAULT_DEAD, late);
  g_assert_false (fal_watchdog_is_dead (&w, 0, late));
  fal_watchdog_note_ended (&w);
  g_assert_false (fal_watchdog_is_dead (&w, 0, late));
}

/* ---- silent ---- */

static void
test_silence_is_judged_by_what_was_heard (void)
{
  static const struct {
    gboolean warming_up;
    gint64 heard, sent, now; /* µs */
    FalFaultKind kind;
  } rows[] = {
    /* A model that is loading: its peer was heard of since. */
    { TRUE, 1001, 1000, 5000 * MS, FAL_FAULT_LOADING },
    { TRUE, 1000, 1000, 5000 * MS, FAL_FAULT_SILENT },
    { TRUE, 1001, 1000, 60000 * MS, FAL_FAULT_LOADING },
    /* One that answered before. */
    { FALSE, 1001, 1000, 5000 * MS, FAL_FAULT_SILENT },
    /* A ping was out, and its answer would have come. */
    { FALSE, 0, 1000, 1000 + 7000 * MS - 1, FAL_FAULT_SILENT },
    { FALSE, 0, 1000, 1000 + 7000 * MS, FAL_FAULT_DEAD },
    { FALSE, 2000, 1000, 2000 + 7000 * MS - 1, FAL_FAULT_SILENT },
    { FALSE, 2000, 1000, 2000 + 7000 * MS, FAL_FAULT_DEAD },
    { TRUE, 0, 1000, 1000 + 7000 * MS, FAL_FAULT_DEAD },
  };
  FalWatchdog w;

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    set_up_online (&w, 0);
    fal_watchdog_note_heard (&w, rows[i].heard);
    g_assert_cmpint (fal_watchdog_judge_silence (&w, rows[i].warming_up, rows[i].sent, rows[i].now),
        ==, rows[i].kind);
  }
}

/* Its requests are sent again over the next one: nobody is dead, nothing is loading. */
static void
test_without_a_connection_a_request_is_but_silent (void)
{
  FalWatchdog w;

  set_up_online (&w, 0);
  fal_watchdog_note_ended (&w);
  g_assert_cmpint (fal_watchdog_judge_silence (&w, TRUE, 0, 60000 * MS), ==, FAL_FAULT_SILENT);
}

static void
test_a_silent_connection_is_useless_where_replies_could_be_mistaken (void)
{
  static const struct {
    FalFaultKind kind;
    gboolean echoes, tells_apart;
    gint64 since_message; /* µs */
    gboolean useless;
  } rows[] = {
    /* While the model loads nothing has come; what counts is whether replies can be told apart. */
    { FAL_FAULT_LOADING, FALSE, FALSE, 0, TRUE },
    { FAL_FAULT_LOADING, FALSE, TRUE, 60000 * MS, FALSE },
    { FAL_FAULT_LOADING, TRUE, TRUE, 60000 * MS, FALSE },
    /* Ids must have been seen to come back, and something must have come meanwhile. */
    { FAL_FAULT_SILENT, FALSE, FALSE, 0, TRUE },
    { FAL_FAULT_SILENT, FALSE, TRUE, 0, TRUE },
    { FAL_FAULT_SILENT, TRUE, TRUE, 5000 * MS - 1, FALSE },
    { FAL_FAULT_SILENT, TRUE, TRUE, 5000 * MS, TRUE },
    { FAL_FAULT_DEAD, TRUE, TRUE, 5000 * MS - 1, FALSE },
    { FAL_FAULT_DEAD, TRUE, TRUE, 5000 * MS, TRUE },
  };
  FalWatchdog w;

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    set_up_online (&w, 0);
    fal_watchdog_note_message (&w, 1000 * MS);
    g_assert_cmpint (fal_watchdog_is_useless (&w, rows[i].kind, rows[i].echoes, rows[i].tells_apart,
                         1000 * MS + rows[i].since_message),
        ==, rows[i].useless);
  }
}

/* A connection that opened just now had no time yet to bring anything. */
static void
test_a_new_connection_counts_as_a_message (void)
{
  FalWatchdog w;

  set_up_online (&w, 4000);
  g_assert_false (fal_watchdog_is_useless (&w, FAL_FAULT_SILENT, TRUE, TRUE, 9000 * MS - 1));
  g_assert_true (fal_watchdog_is_useless (&w, FAL_FAULT_SILENT, TRUE, TRUE, 9000 * MS));
}

/* ---- a model that says nothing ---- */

static void
test_silence_is_told_once_a_minute (void)
{
  FalWatchdog w;

  set_up_online (&w, 0);
  g_assert_cmpint (fal_watchdog_get_reminder_time (&w, TRUE), ==, NEVER);
  fal_watchdog_note_request (&w, 1000 * MS);
  g_assert_cmpint (fal_watchdog_get_reminder_time (&w, TRUE), ==, 61000 * MS);
  fal_watchdog_note_request (&w, 11000 * MS); /* the first one has expired */
  g_assert_cmpint (fal_watchdog_get_reminder_time (&w, TRUE), ==, 61000 * MS);
  g_assert_cmpint (fal_watchdog_remind (&w, 61000 * MS), ==, 60000 * MS);
  g_assert_cmpint (fal_watchdog_get_reminder_time (&w, TRUE), ==, 121000 * MS);
  g_assert_cmpint (fal_watchdog_remind (&w, 121500 * MS), ==, 120500 * MS);
  g_assert_cmpint (fal_watchdog_get_reminder_time (&w, TRUE), ==, 181500 * MS);
  fal_watchdog_note_result (&w);
  g_assert_cmpint (fal_watchdog_get_reminder_time (&w, TRUE), ==, NEVER);
  fal_watchdog_note_request (&w, 200000 * MS);
  g_assert_cmpint (fal_watchdog_get_reminder_time (&w, TRUE), ==, 260000 * MS);
}

/* Nobody waits for an answer where no request is out, or where no connection stands. */
static void
test_silence_is_told_only_while_something_is_asked (void)
{
  FalWatchdog w;

  set_up_online (&w, 0);
  fal_watchdog_note_request (&w, 1000 * MS);
  g_assert_cmpint (fal_watchdog_get_reminder_time (&w, FALSE), ==, NEVER);
  fal_watchdog_close (&w);
  g_assert_cmpint (fal_watchdog_get_reminder_time (&w, TRUE), ==, NEVER);
  fal_watchdog_note_ended (&w);
  g_assert_cmpint (fal_watchdog_get_reminder_time (&w, TRUE), ==, NEVER);
}

/* The second connection ends by itself: that the first was given up for its silence is over then.
 */
static void
test_silence_begins_anew_after_an_end_of_another_kind (void)
{
  FalWatchdog w;

  set_up_online (&w, 0);
  fal_watchdog_note_request (&w, 1000 * MS);
  fal_watchdog_give_up (&w, FAL_FAULT_SILENT, 6000 * MS);
  fal_watchdog_note_ended (&w);
  fal_watchdog_note_opened (&w, 7000 * MS);
  fal_watchdog_note_ended (&w);
  fal_watchdog_note_opened (&w, 20000 * MS);
  fal_watchdog_note_online (&w);
  fal_watchdog_note_request (&w, 21000 * MS);
  g_assert_cmpint (fal_watchdog_get_reminder_time (&w, TRUE), ==, 81000 * MS);
}

/* A connection that is made anew for its silence goes on with it; after another end it is a new
 * one's. */
static void
test_silence_goes_on_over_a_connection_made_anew_for_it (void)
{
  static const struct {
    FalFaultKind kind;
    gint64 told; /* ms */
  } rows[] = { { FAL_FAULT_LOADING, 61000 }, { FAL_FAULT_SILENT, 61000 },
    { FAL_FAULT_DEAD, 72000 } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    FalWatchdog w;

    set_up_online (&w, 0);
    fal_watchdog_note_request (&w, 1000 * MS);
    fal_watchdog_give_up (&w, rows[i].kind, 11000 * MS);
    g_assert_cmpint (fal_watchdog_get_reminder_time (&w, TRUE), ==, NEVER);
    fal_watchdog_note_ended (&w);
    fal_watchdog_note_opened (&w, 11500 * MS);
    fal_watchdog_note_online (&w);
    fal_watchdog_note_request (&w, 12000 * MS);
    g_assert_cmpint (fal_watchdog_get_reminder_time (&w, TRUE), ==, rows[i].told * MS);
  }
}

/* Else a model that takes longer to load than an answer may take would never get there. */
static void
test_patience_doubles_with_each_connection_that_loads (void)
{
  FalWatchdog w;

  set_up (&w);
  for (guint i = 0; i < 10; i++) {
    guint doublings = MIN (i, 6);

    g_assert_cmpint (fal_watchdog_get_patience (&w), ==, (5000 * MS) << doublings);
    fal_watchdog_note_opened (&w, 0);
    fal_watchdog_note_online (&w);
    fal_watchdog_give_up (&w, FAL_FAULT_LOADING, 5000 * MS);
    fal_watchdog_note_ended (&w);
  }
  fal_watchdog_note_result (&w);
  g_assert_cmpint (fal_watchdog_get_patience (&w), ==, 5000 * MS);
}

/* Where results came before, or nobody is there, it is nothing that loads. */
static void
test_patience_stays_for_other_faults (void)
{
  static const FalFaultKind kinds[] = { FAL_FAULT_SILENT, FAL_FAULT_DEAD, FAL_FAULT_ASKED };

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    FalWatchdog w;

    set_up_online (&w, 0);
    fal_watchdog_give_up (&w, kinds[i], 5000 * MS);
    fal_watchdog_note_ended (&w);
    g_assert_cmpint (fal_watchdog_get_patience (&w), ==, 5000 * MS);
  }
}

static void
test_a_greeting_is_one_until_a_result_or_another_connection (void)
{
  FalWatchdog w;

  set_up_online (&w, 0);
  g_assert_false (fal_watchdog_has_greeted (&w));
  fal_watchdog_note_greeting (&w);
  g_assert_true (fal_watchdog_has_greeted (&w));
  fal_watchdog_note_result (&w);
  g_assert_false (fal_watchdog_has_greeted (&w));
  fal_watchdog_note_greeting (&w);
  fal_watchdog_note_opened (&w, 1000 * MS);
  g_assert_false (fal_watchdog_has_greeted (&w));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/watchdog/" #name, test_##name)
  ADD (a_connection_is_asked_for_once);
  ADD (an_attempt_that_failed_is_asked_for_again);
  ADD (requests_go_once_the_app_is_ready);
  ADD (nothing_is_asked_for_before_a_close_has_come);
  ADD (a_new_start_keeps_the_configuration_alone);
  ADD (a_connection_is_given_up_once);
  ADD (what_was_given_up_does_not_get_ready);
  ADD (the_next_connection_counts_again);
  ADD (what_was_given_up_is_cut_after_a_while_and_once);
  ADD (an_attempt_is_not_cut);
  ADD (only_a_connection_or_attempt_is_released_and_once);
  ADD (what_others_need_is_kept_and_asked_about_again);
  ADD (a_member_needs_it_while_it_sends_or_not_yet_rests);
  ADD (a_member_that_closes_it_does_not_need_it);
  ADD (without_an_idle_timeout_it_never_rests);
  ADD (idle_time_counts_from_the_last_request_or_message);
  ADD (an_app_is_quiet_that_says_nothing_for_as_long_as_an_answer_may_take);
  ADD (what_is_spent_is_idle_at_once);
  ADD (the_limit_counts_all_connections);
  ADD (the_limit_is_that_of_all_together);
  ADD (without_a_limit_there_is_no_such_time);
  ADD (a_peer_is_dead_that_nothing_is_heard_of);
  ADD (only_a_connection_that_counts_can_be_dead);
  ADD (silence_is_judged_by_what_was_heard);
  ADD (without_a_connection_a_request_is_but_silent);
  ADD (a_silent_connection_is_useless_where_replies_could_be_mistaken);
  ADD (a_new_connection_counts_as_a_message);
  ADD (silence_is_told_once_a_minute);
  ADD (silence_is_told_only_while_something_is_asked);
  ADD (silence_begins_anew_after_an_end_of_another_kind);
  ADD (silence_goes_on_over_a_connection_made_anew_for_it);
  ADD (patience_doubles_with_each_connection_that_loads);
  ADD (patience_stays_for_other_faults);
  ADD (a_greeting_is_one_until_a_result_or_another_connection);
  return g_test_run ();
}
