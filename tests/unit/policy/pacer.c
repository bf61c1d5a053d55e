/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pacer with literal times, in milliseconds. */
#include "fal/policy/pacer.h"
#include "fal/policy/request-id.h"
#include "fal/policy/in-flight.h"
#include <string.h>

#define MS G_TIME_SPAN_MILLISECOND
#define NEVER G_MAXINT64

static guint freed;
static guint n_lanes; /* of the pacer that was made last */

static void
count_freed (gpointer frame)
{
  freed++;
}

/* A frame is its own number, and its time. */
static void
offer (FalPacer *pacer, guint frame, gint64 now)
{
  fal_pacer_offer (pacer, GUINT_TO_POINTER (frame), frame, frame, now * MS);
}

/* The oldest frame that was dropped and not popped yet; 0: none. */
static guint
pop_dropped (FalPacer *pacer)
{
  return GPOINTER_TO_UINT (fal_pacer_pop_dropped (pacer));
}

/* The frame taken at @now; 0: none. */
static guint
take (FalPacer *pacer, gint64 now)
{
  guint64 id;
  guint lane;

  return GPOINTER_TO_UINT (fal_pacer_take (pacer, now * MS, &id, &lane));
}

/* A bare number stands for an id of ours. */
static gchar *
expand (const gchar *text)
{
  gboolean is_number = text && *text && text[strspn (text, "0123456789")] == '\0';

  return is_number ? fal_request_id_format (g_ascii_strtoull (text, NULL, 10), 0) : g_strdup (text);
}

static FalPacerAnswer
match (FalPacer *pacer, const gchar *text, gboolean settled, gint64 now)
{
  g_autofree gchar *id = expand (text);
  FalPacerAnswer answer;

  fal_pacer_answer (pacer, 0, id, settled, now * MS, &answer);
  return answer;
}

/* The frame that a reply with this id answers; 0: none. */
static guint
answer (FalPacer *pacer, const gchar *text, gint64 now)
{
  return GPOINTER_TO_UINT (match (pacer, text, FALSE, now).frame);
}

static gboolean
fail (FalPacer *pacer, const gchar *text, gint64 now)
{
  g_autofree gchar *id = expand (text);

  return fal_pacer_fail_answered (pacer, 0, id, now * MS);
}

/* The connection went by itself. */
static void
die (FalPacer *pacer)
{
  fal_pacer_lose (pacer, 0, TRUE, 0);
}

/* The serial of the oldest frame that may still bring a result; G_MAXUINT64: none. */
static guint64
get_oldest (FalPacer *pacer)
{
  return fal_pacer_get_oldest_after (pacer, 0);
}

static gint64
next (FalPacer *pacer, gint64 now)
{
  gint64 time = fal_pacer_next_time (pacer, now * MS);

  return time == NEVER ? NEVER : time / MS;
}

static void
check_books (FalPacer *pacer)
{
  const FalPacerCounts *c = fal_pacer_get_counts (pacer);
  FalPacerLane sum = { 0 };

  for (guint i = 0; i < n_lanes; i++) {
    FalPacerLane lane;

    fal_pacer_get_lane (pacer, i, &lane);
    sum.sent += lane.sent;
    sum.answered += lane.answered;
    sum.in_flight += lane.in_flight;
  }
  g_assert_cmpuint (sum.sent, ==, c->sent);
  g_assert_cmpuint (sum.answered, ==, c->answered);
  g_assert_cmpuint (sum.in_flight, ==, fal_pacer_get_in_flight (pacer));
  g_assert_cmpuint (c->in, ==,
      c->sent + c->dropped_throttled + c->dropped_replaced + c->dropped_offline +
          c->dropped_flushed + c->dropped_invalid + c->dropped_absent + c->dropped_unchanged +
          fal_pacer_get_waiting (pacer));
  g_assert_cmpuint (c->sent, ==,
      c->answered + c->failed + c->expired + c->lost + fal_pacer_get_in_flight (pacer));
}

static FalPacer *
make_with_lanes (FalPacerConfig config, guint n)
{
  FalPacer *pacer = fal_pacer_new (count_freed, n);

  freed = 0;
  n_lanes = n;
  fal_pacer_configure (pacer, &config);
  for (guint i = 0; i < n; i++)
    fal_pacer_set_online (pacer, i, TRUE);
  return pacer;
}

static FalPacer *
make (FalPacerConfig config)
{
  return make_with_lanes (config, 1);
}

static const FalPacerConfig live = {
  .throttle_interval = 128 * MS,
  .max_waiting = 1,
  .max_in_flight = 2,
  .leaky = TRUE,
  .identified = TRUE,
  .echo_known = TRUE,
  .request_timeout = 10000 * MS,
};

/* A file: upstream waits, requests are not spaced. */
static const FalPacerConfig file = {
  .max_waiting = 3,
  .max_in_flight = 2,
  .identified = TRUE,
  .echo_known = TRUE,
};

static void
test_first_frame_goes_at_once (void)
{
  g_autoptr (FalPacer) pacer = make (live);

  offer (pacer, 1, 1000);
  g_assert_cmpint (next (pacer, 1000), ==, 1000);
  g_assert_cmpuint (take (pacer, 1000), ==, 1);
  check_books (pacer);
}

/* Whatever is asked for, one waits and one is out. */
static void
test_one_may_always_wait_and_one_be_out (void)
{
  FalPacerConfig config = file;
  g_autoptr (FalPacer) pacer = NULL;

  config.max_waiting = config.max_in_flight = 0;
  pacer = make (config);
  offer (pacer, 1, 0);
  g_assert_cmpuint (fal_pacer_get_waiting (pacer), ==, 1);
  g_assert_cmpuint (take (pacer, 0), ==, 1);
  offer (pacer, 2, 0);
  g_assert_cmpuint (take (pacer, 0), ==, 0);
  check_books (pacer);
}

static void
test_it_says_whether_an_offer_drops_a_frame (void)
{
  g_autoptr (FalPacer) pacer = make (live);

  for (guint i = 1; i <= 3; i++) {
    g_assert_false (fal_pacer_has_dropped (pacer));
    g_assert_cmpuint (fal_pacer_offer (pacer, GUINT_TO_POINTER (i), i, i, 0), ==, i > 1);
    g_assert_cmpint (fal_pacer_has_dropped (pacer), ==, i > 1);
    g_assert_cmpuint (pop_dropped (pacer), ==, i - 1);
  }
  check_books (pacer);
}

/* The throttle ends at 128 ms: one that is replaced then could have gone. */
static void
test_a_frame_is_throttled_until_the_interval_is_over (void)
{
  g_autoptr (FalPacer) pacer = make (live);
  const FalPacerCounts *counts = fal_pacer_get_counts (pacer);

  offer (pacer, 1, 0);
  take (pacer, 0);
  offer (pacer, 2, 10);
  offer (pacer, 3, 127);
  g_assert_cmpuint (counts->dropped_throttled, ==, 1);
  offer (pacer, 4, 128);
  g_assert_cmpuint (counts->dropped_throttled, ==, 1);
  g_assert_cmpuint (counts->dropped_replaced, ==, 1);
}

static void
test_newest_goes_at_each_interval (void)
{
  g_autoptr (FalPacer) pacer = make (live);

  offer (pacer, 1, 0);
  g_assert_cmpuint (take (pacer, 0), ==, 1);
  for (guint i = 2; i <= 4; i++)
    offer (pacer, i, i * 30);
  g_assert_cmpint (next (pacer, 127), ==, 128);
  g_assert_cmpuint (take (pacer, 127), ==, 0);
  g_assert_cmpuint (take (pacer, 128), ==, 4);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->dropped_throttled, ==, 2);
  g_assert_cmpuint (pop_dropped (pacer), ==, 2);
  g_assert_cmpuint (pop_dropped (pacer), ==, 3);
  g_assert_cmpuint (pop_dropped (pacer), ==, 0);
  g_assert_cmpuint (freed, ==, 0);
  check_books (pacer);
}

/* The reference client loses it now and then: its timer fires a millisecond early. */
static void
test_trailing_frame_always_goes (void)
{
  g_autoptr (FalPacer) pacer = make (live);

  offer (pacer, 1, 0);
  take (pacer, 0);
  offer (pacer, 2, 127);
  g_assert_cmpuint (take (pacer, 127), ==, 0);
  g_assert_cmpint (next (pacer, 127), ==, 128);
  g_assert_cmpuint (take (pacer, 128), ==, 2);
}

static void
test_end_of_stream_sends_the_trailing_frame_at_once (void)
{
  g_autoptr (FalPacer) pacer = make (live);

  offer (pacer, 1, 0);
  take (pacer, 0);
  offer (pacer, 2, 5);
  fal_pacer_drain (pacer);
  g_assert_cmpint (next (pacer, 6), ==, 6);
  g_assert_cmpuint (take (pacer, 6), ==, 2);
}

/* Of two that wait the first is spaced as all before were. */
static void
test_only_the_last_frame_of_a_stream_is_not_spaced (void)
{
  g_autoptr (FalPacer) pacer = make ((FalPacerConfig) {
      .throttle_interval = 128 * MS, .max_waiting = 2, .max_in_flight = 3, .trusted = TRUE });

  offer (pacer, 1, 0);
  g_assert_cmpuint (take (pacer, 0), ==, 1);
  offer (pacer, 2, 1);
  offer (pacer, 3, 1);
  fal_pacer_drain (pacer);
  g_assert_cmpint (next (pacer, 1), ==, 128);
  g_assert_cmpuint (take (pacer, 128), ==, 2);
  g_assert_cmpuint (take (pacer, 128), ==, 3);
  check_books (pacer);
}

static void
test_throttle_spaces_files_and_drops_nothing (void)
{
  g_autoptr (FalPacer) pacer = make ((FalPacerConfig){
      .throttle_interval = 128 * MS, .max_waiting = 2, .max_in_flight = 2, .trusted = TRUE });

  offer (pacer, 1, 0);
  g_assert_true (fal_pacer_has_room (pacer));
  offer (pacer, 2, 0);
  g_assert_false (fal_pacer_has_room (pacer));
  g_assert_cmpuint (take (pacer, 0), ==, 1);
  g_assert_true (fal_pacer_has_room (pacer));
  g_assert_cmpint (next (pacer, 0), ==, 128);
  g_assert_cmpuint (take (pacer, 128), ==, 2);
  g_assert_cmpuint (freed, ==, 0);
  check_books (pacer);
}

static void
test_zero_throttle_is_none (void)
{
  g_autoptr (FalPacer) pacer = make (file);

  offer (pacer, 1, 0);
  offer (pacer, 2, 0);
  g_assert_cmpuint (take (pacer, 0), ==, 1);
  g_assert_cmpuint (take (pacer, 0), ==, 2);
}

static void
test_nothing_goes_past_the_window (void)
{
  g_autoptr (FalPacer) pacer = make (file);

  for (guint i = 1; i <= 3; i++)
    offer (pacer, i, 0);
  take (pacer, 0);
  take (pacer, 0);
  g_assert_cmpint (next (pacer, 0), ==, NEVER);
  g_assert_cmpuint (take (pacer, 0), ==, 0);
  g_assert_cmpuint (answer (pacer, "1", 50), ==, 1);
  g_assert_cmpuint (take (pacer, 50), ==, 3);
  check_books (pacer);
}

static void
test_waiting_frames_are_bounded_and_the_oldest_gives_way (void)
{
  g_autoptr (FalPacer) pacer =
      make ((FalPacerConfig){ .max_waiting = 3, .max_in_flight = 2, .leaky = TRUE });

  fal_pacer_set_online (pacer, 0, FALSE);
  for (guint i = 1; i <= 5; i++)
    offer (pacer, i, i);
  g_assert_cmpuint (fal_pacer_get_waiting (pacer), ==, 3);
  g_assert_cmpuint (get_oldest (pacer), ==, 3);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->dropped_offline, ==, 2);
  check_books (pacer);
}

static void
test_replaced_is_told_from_throttled (void)
{
  g_autoptr (FalPacer) pacer = make (live);

  offer (pacer, 1, 0);
  take (pacer, 0);
  offer (pacer, 2, 128);
  take (pacer, 128);
  offer (pacer, 3, 260);
  offer (pacer, 4, 300); /* the window is full, the throttle long over */
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->dropped_replaced, ==, 1);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->dropped_throttled, ==, 0);
}

static void
test_an_id_finds_its_frame_and_older_ones_are_lost (void)
{
  g_autoptr (FalPacer) pacer = make ((FalPacerConfig){ .max_waiting = 3,
      .max_in_flight = 3,
      .leaky = TRUE,
      .identified = TRUE,
      .echo_known = TRUE });

  for (guint i = 1; i <= 3; i++) {
    offer (pacer, i, 0);
    take (pacer, 0);
  }
  g_assert_cmpuint (answer (pacer, "2", 10), ==, 2);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->lost, ==, 1);
  g_assert_cmpuint (answer (pacer, "1", 11), ==, 0);
  g_assert_cmpuint (answer (pacer, "2", 12), ==, 0);
  g_assert_cmpuint (answer (pacer, "3", 13), ==, 3);
  check_books (pacer);
}

static void
test_a_foreign_id_answers_nothing (void)
{
  static const gchar *const ids[] = { "", "x", "7", "frame-", "frame-1 ", "frame--1",
    "frame-18446744073709551616", "Frame-2" };
  g_autoptr (FalPacer) pacer = make (file);

  offer (pacer, 1, 0);
  take (pacer, 0);
  g_assert_cmpuint (answer (pacer, "1", 1), ==, 1); /* the app echoes */
  offer (pacer, 2, 1);
  take (pacer, 1);
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    g_assert_cmpint (match (pacer, ids[i], FALSE, 1).match, ==, FAL_MATCH_FOREIGN);
  g_assert_cmpint (match (pacer, "3", FALSE, 1).match, ==, FAL_MATCH_FOREIGN); /* not sent yet */
  g_assert_cmpint (match (pacer, "1", FALSE, 1).match, ==, FAL_MATCH_LATE);    /* sent once */
  g_assert_cmpuint (fal_pacer_get_in_flight (pacer), ==, 1);
}

/* The echo is learned though other ids come before it. */
static void
test_a_foreign_id_before_the_first_echo_answers_nothing (void)
{
  g_autoptr (FalPacer) pacer = make (file);

  g_assert_cmpint (match (pacer, "x0", FALSE, 0).match, ==, FAL_MATCH_FOREIGN); /* nothing is out */
  offer (pacer, 1, 0);
  take (pacer, 0);
  g_assert_cmpint (match (pacer, "x1", FALSE, 1).match, ==, FAL_MATCH_DOUBTFUL);
  g_assert_cmpint (match (pacer, "2", FALSE, 1).match, ==, FAL_MATCH_DOUBTFUL);
  g_assert_cmpuint (answer (pacer, "1", 2), ==, 1);
  g_assert_true (fal_pacer_echoes (pacer));
  g_assert_cmpint (match (pacer, "x1", TRUE, 301).match, ==, FAL_MATCH_FOREIGN);
}

/* An id of an earlier connection was not sent on this one. */
static void
test_an_id_of_another_connection_is_foreign (void)
{
  g_autoptr (FalPacer) pacer = make (live);

  offer (pacer, 1, 0);
  take (pacer, 0);
  g_assert_cmpuint (answer (pacer, "1", 1), ==, 1);
  die (pacer);
  offer (pacer, 2, 200);
  take (pacer, 200);
  g_assert_cmpint (match (pacer, "1", FALSE, 201).match, ==, FAL_MATCH_FOREIGN);
  g_assert_cmpuint (answer (pacer, "2", 202), ==, 2);
}

/* Some servers number their results by themselves: that is no echo, even where the number fits. No
 * echo came beside the first one for a while, so it is an answer. */
static void
test_an_app_with_ids_of_its_own_is_matched_in_order (void)
{
  g_autoptr (FalPacer) pacer =
      make ((FalPacerConfig){ .max_waiting = 4, .max_in_flight = 4, .identified = TRUE });

  for (guint i = 1; i <= 4; i++)
    offer (pacer, i, 0);
  g_assert_cmpuint (take (pacer, 0), ==, 1);
  g_assert_cmpuint (answer (pacer, "764cabcf-b745", 1), ==, 0);
  g_assert_cmpuint (GPOINTER_TO_UINT (match (pacer, "764cabcf-b745", TRUE, 1).frame), ==, 1);
  g_assert_false (fal_pacer_echoes (pacer));
  g_assert_cmpuint (take (pacer, 1), ==, 2);
  g_assert_cmpuint (take (pacer, 1), ==, 0);
  g_assert_cmpuint (answer (pacer, "x3", 2), ==, 2);
}

/* It came before the request went that is the oldest now. */
static void
test_a_settled_reply_answers_nothing_that_went_after_it (void)
{
  g_autoptr (FalPacer) pacer = make ((FalPacerConfig){
      .max_waiting = 4, .max_in_flight = 4, .identified = TRUE, .request_timeout = 100 * MS });

  offer (pacer, 1, 0);
  g_assert_cmpuint (take (pacer, 0), ==, 1);
  g_assert_cmpint (match (pacer, "x1", FALSE, 50).match, ==, FAL_MATCH_DOUBTFUL);
  g_assert_cmpuint (fal_pacer_expire (pacer, 0, FALSE, 100 * MS), ==, 1);
  g_assert_cmpuint (take (pacer, 101), ==, 1);
  g_assert_cmpint (match (pacer, "x1", TRUE, 50).match, ==, FAL_MATCH_FOREIGN);
  g_assert_cmpuint (fal_pacer_get_in_flight (pacer), ==, 1);
  check_books (pacer);
}

/* One that was swallowed cannot be told from one that was not. */
static void
test_without_ids_one_of_a_file_is_out_at_a_time (void)
{
  g_autoptr (FalPacer) pacer = make ((FalPacerConfig){ .max_waiting = 3, .max_in_flight = 5 });

  for (guint i = 1; i <= 3; i++)
    offer (pacer, i, 0);
  for (guint i = 1; i <= 3; i++) {
    g_assert_cmpuint (take (pacer, i), ==, i);
    g_assert_cmpuint (take (pacer, i), ==, 0);
    g_assert_cmpuint (answer (pacer, NULL, i), ==, i);
  }
  check_books (pacer);
}

/* With ids, without, and before it is known whether they come back. */
static void
test_a_number_that_a_user_gave_counts_from_the_first_request_on (void)
{
  for (guint identified = 0; identified <= 1; identified++) {
    g_autoptr (FalPacer) pacer = make ((FalPacerConfig){
        .max_waiting = 9, .max_in_flight = 8, .trusted = TRUE, .identified = identified });

    for (guint i = 1; i <= 9; i++) {
      offer (pacer, i, 0);
      g_assert_cmpuint (take (pacer, 0), ==, i <= 8 ? i : 0);
    }
    g_assert_cmpuint (answer (pacer, NULL, 1), ==, 1);
    g_assert_cmpuint (take (pacer, 1), ==, 9);
    check_books (pacer);
  }
}

static const FalPacerConfig nameless = {
  .max_waiting = 1,
  .max_in_flight = 16,
  .adaptive = TRUE,
  .leaky = TRUE,
  .request_timeout = 10000 * MS,
};

/* A model of 100 ms answers frames 1 to @n, each sent when it may; returns when the last was. */
static gint64
answer_some (FalPacer *pacer, guint n)
{
  gint64 now = 0;

  for (guint i = 1; i <= n; i++) {
    offer (pacer, i, now);
    now = MAX (now, next (pacer, now));
    g_assert_cmpuint (take (pacer, now), ==, i);
    now += 100;
    g_assert_cmpuint (answer (pacer, NULL, now), ==, i);
  }
  return now;
}

/* However many: each is out no more. */
static void
test_requests_that_failed_take_no_place (void)
{
  FalPacerConfig config = nameless;
  g_autoptr (FalPacer) pacer = NULL;

  config.identified = config.echo_known = TRUE;
  pacer = make (config);
  for (guint i = 1; i <= 40; i++) {
    offer (pacer, i, 10000 * i);
    g_assert_cmpuint (take (pacer, 10000 * i), ==, i);
    g_assert_true (fal_pacer_fail_oldest (pacer, 0));
  }
  check_books (pacer);
}

/* Urged or not. */
static void
test_without_ids_two_never_leave_back_to_back (void)
{
  for (guint n = 0; n <= 30; n += 15) {
    g_autoptr (FalPacer) pacer = make (nameless);
    gint64 now = answer_some (pacer, n);

    offer (pacer, n + 1, now);
    g_assert_cmpuint (take (pacer, now), ==, n + 1);
    offer (pacer, n + 2, now);
    fal_pacer_urge (pacer);
    if (n == 0) /* nor before the first answer of a connection */
      g_assert_cmpint (next (pacer, now), ==, NEVER);
    else
      g_assert_cmpint (next (pacer, now), >=, now + 45);
  }
}

/* 31 is swallowed, and its answer does not come while 32 is out: the one that comes is taken for
 * it. Then nothing goes until 32 is taken for lost, and all is right again. */
static void
test_without_ids_a_swallowed_request_shifts_no_more_than_one_result (void)
{
  g_autoptr (FalPacer) pacer = make (nameless);
  gint64 now = answer_some (pacer, 30), second;

  offer (pacer, 31, now);
  g_assert_cmpuint (take (pacer, now), ==, 31);
  offer (pacer, 32, now);
  second = next (pacer, now) + 1; /* it is rounded down */
  g_assert_cmpuint (take (pacer, second), ==, 32);
  offer (pacer, 33, second);
  g_assert_cmpuint (answer (pacer, NULL, second + 100), ==, 31);
  g_assert_cmpint (next (pacer, second + 100), ==, second + 1100);
  g_assert_cmpuint (take (pacer, second + 1100), ==, 33);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->lost, ==, 1);
  g_assert_cmpuint (pop_dropped (pacer), ==, 32);
  g_assert_cmpuint (answer (pacer, NULL, second + 1200), ==, 33);
  check_books (pacer);
}

/* What streams without ids tells whose results they are by the connection. */
static void
test_of_a_stream_without_ids_one_request_is_on_each_connection (void)
{
  g_autoptr (FalPacer) pacer =
      make ((FalPacerConfig){ .max_waiting = 2, .max_in_flight = 2, .streaming = TRUE });

  for (guint i = 1; i <= 3; i++) {
    offer (pacer, i, i);
    g_assert_false (fal_pacer_awaits_end (pacer, 0)); /* the frame can go over it */
    g_assert_cmpuint (take (pacer, i), ==, i);
    g_assert_cmpuint (answer (pacer, NULL, i), ==, i);
    g_assert_false (fal_pacer_awaits_end (pacer, 0)); /* no frame waits for another one */
    offer (pacer, i + 1, i);
    g_assert_true (fal_pacer_awaits_end (pacer, 0));
    g_assert_cmpint (next (pacer, i), ==, NEVER);
    g_assert_cmpuint (take (pacer, i), ==, 0);
    fal_pacer_flush (pacer);
    offer (pacer, i + 1, i);
    fal_pacer_set_online (pacer, 0, FALSE);
    g_assert_false (fal_pacer_awaits_end (pacer, 0)); /* it has ended */
    fal_pacer_flush (pacer);
    fal_pacer_lose (pacer, 0, FALSE, 0);
    fal_pacer_set_online (pacer, 0, TRUE);
  }
  check_books (pacer);
}

static void
test_a_stream_s_connection_is_kept_until_its_request_is_over (void)
{
  g_autoptr (FalPacer) pacer =
      make ((FalPacerConfig) { .max_waiting = 2, .max_in_flight = 2, .streaming = TRUE });

  offer (pacer, 1, 0);
  g_assert_cmpuint (take (pacer, 0), ==, 1);
  offer (pacer, 2, 1);
  g_assert_false (fal_pacer_awaits_end (pacer, 0));
  g_assert_cmpuint (answer (pacer, NULL, 2), ==, 1);
  g_assert_true (fal_pacer_awaits_end (pacer, 0));
}

/* What an app sends by itself says nothing of answers that are late. */
static void
test_foreign_ids_hold_nothing_up (void)
{
  FalPacerConfig config = nameless;
  g_autoptr (FalPacer) pacer = NULL;
  gint64 now;

  config.identified = TRUE;
  pacer = make (config);
  now = answer_some (pacer, 30);
  g_assert_cmpint (match (pacer, "news-1", FALSE, now).match, ==, FAL_MATCH_FOREIGN);
  offer (pacer, 31, now);
  g_assert_cmpint (next (pacer, now), ==, now);
  g_assert_cmpint (match (pacer, NULL, FALSE, now).match, ==, FAL_MATCH_LATE);
  g_assert_cmpint (next (pacer, now), >, now);
}

static const FalPacerConfig blocks = {
  .throttle_interval = 83 * MS,
  .max_waiting = 1,
  .max_in_flight = 36,
  .trusted = TRUE,
  .leaky = TRUE,
  .block_size = 12,
  .first_block = 9,
  .opens = TRUE,
  .request_timeout = 1000 * MS,
};

/* Of each connection: to be told twice that it stands changes nothing. */
static void
test_each_connection_is_opened_once (void)
{
  FalPacerConfig config = file;
  g_autoptr (FalPacer) pacer = NULL;
  guint64 id;
  guint lane;

  config.opens = TRUE;
  pacer = make (config);
  offer (pacer, 1, 0);
  for (guint connection = 0; connection < 2; connection++) {
    fal_pacer_take (pacer, 0, &id, &lane);
    g_assert_cmpuint (id, ==, 0);
    fal_pacer_set_online (pacer, 0, TRUE);
    fal_pacer_take (pacer, 0, &id, &lane);
    g_assert_cmpuint (id, >, 0);
    fal_pacer_set_online (pacer, 0, FALSE);
    die (pacer);
    fal_pacer_set_online (pacer, 0, TRUE);
  }
}

/* The frame that opens a connection goes again as a request: now it, or a newer one. */
static void
test_a_message_that_opens_the_connection_is_no_request (void)
{
  g_autoptr (FalPacer) pacer = make (blocks);
  guint64 id;
  guint lane;

  offer (pacer, 1, 0);
  g_assert_cmpuint (GPOINTER_TO_UINT (fal_pacer_take (pacer, 0, &id, &lane)), ==, 1);
  g_assert_cmpuint (id, ==, 0);
  g_assert_true (fal_pacer_keeps (pacer, id));
  g_assert_cmpuint (fal_pacer_get_in_flight (pacer), ==, 0);
  g_assert_cmpuint (fal_pacer_get_waiting (pacer), ==, 1);
  g_assert_cmpint (next (pacer, 0), ==, 83);
  g_assert_cmpuint (GPOINTER_TO_UINT (fal_pacer_take (pacer, 83 * MS, &id, &lane)), ==, 1);
  g_assert_cmpuint (id, ==, 1);
  check_books (pacer);
  fal_pacer_set_online (pacer, 0, FALSE);
  fal_pacer_lose (pacer, 0, FALSE, 0);
  fal_pacer_set_online (pacer, 0, TRUE);
  offer (pacer, 2, 200);
  g_assert_cmpuint (GPOINTER_TO_UINT (fal_pacer_take (pacer, 200 * MS, &id, &lane)), ==, 2);
  g_assert_cmpuint (id, ==, 0);
  check_books (pacer);
}

/* It failed: its frame is broken, and another one is to open the connection. */
static void
test_a_frame_that_cannot_open_the_connection_fails (void)
{
  g_autoptr (FalPacer) pacer = make (blocks);
  guint64 id;
  guint lane;

  offer (pacer, 1, 0);
  take (pacer, 0);
  fal_pacer_fail_opening (pacer, 0, FALSE);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->failed, ==, 1);
  g_assert_cmpint (next (pacer, 0), ==, NEVER);
  offer (pacer, 2, 90);
  g_assert_cmpuint (GPOINTER_TO_UINT (fal_pacer_take (pacer, 90 * MS, &id, &lane)), ==, 2);
  g_assert_cmpuint (id, ==, 0);
  g_assert_cmpuint (GPOINTER_TO_UINT (fal_pacer_take (pacer, 200 * MS, &id, &lane)), ==, 2);
  g_assert_cmpuint (id, >, 0);
  check_books (pacer);
}

/* Frame @i goes an interval after @now, and is not the last of a block; when. */
static gint64
send_of_block (FalPacer *pacer, guint i, gint64 now)
{
  g_assert_cmpint (fal_pacer_next_expiry (pacer), ==, NEVER);
  g_assert_cmpint (next (pacer, now), ==, now + 83);
  g_assert_cmpuint (take (pacer, now + 83), ==, i);
  offer (pacer, i + 1, now + 83);
  return now + 83;
}

static FalPacer *
make_with_a_part_of_a_block (FalPacerConfig config)
{
  FalPacer *pacer;

  config.opens = FALSE;
  config.throttle_interval = 0;
  pacer = make (config);
  for (guint i = 1; i <= 5; i++) {
    offer (pacer, i, i);
    g_assert_cmpuint (take (pacer, i), ==, i);
  }
  return pacer;
}

/* A camera pauses: nobody can tell whether the rest will come. */
static void
test_a_part_of_a_block_is_not_awaited (void)
{
  g_autoptr (FalPacer) pacer = make_with_a_part_of_a_block (blocks);

  g_assert_cmpint (fal_pacer_next_expiry (pacer), ==, NEVER);
  g_assert_false (fal_pacer_awaits_answer (pacer));
  g_assert_false (fal_pacer_is_busy (pacer));
  offer (pacer, 6, 6);
  g_assert_true (fal_pacer_is_busy (pacer));
  take (pacer, 6);
  fal_pacer_lose (pacer, 0, FALSE, 6);
  g_assert_cmpuint (fal_pacer_get_waiting (pacer), ==, 0); /* it would ask for a connection */
  check_books (pacer);
}

/* It ends, once: to send it again would change nothing. */
static void
test_the_last_part_of_a_block_expires (void)
{
  for (guint leaky = 0; leaky < 2; leaky++) {
    FalPacerConfig config = blocks;
    g_autoptr (FalPacer) pacer = NULL;

    config.leaky = leaky;
    pacer = make_with_a_part_of_a_block (config);
    fal_pacer_drain (pacer);
    g_assert_cmpint (fal_pacer_next_expiry (pacer), ==, 1005 * MS);
    g_assert_cmpuint (fal_pacer_expire (pacer, 0, FALSE, 1004 * MS), ==, 0);
    g_assert_cmpuint (fal_pacer_expire (pacer, 0, FALSE, 1005 * MS), ==, 5);
    g_assert_cmpuint (fal_pacer_get_counts (pacer)->expired, ==, 5);
    g_assert_false (fal_pacer_is_busy (pacer));
    for (guint i = 1; i <= 5; i++)
      g_assert_cmpuint (pop_dropped (pacer), ==, i);
    check_books (pacer);
  }
}

/* They go at the rate, whatever comes back. No answer is due before the block is whole. */
static void
test_frames_of_a_block_go_at_the_rate (void)
{
  g_autoptr (FalPacer) pacer = make (blocks);
  gint64 now = 0;

  offer (pacer, 1, 0);
  take (pacer, 0);
  for (guint i = 1; i <= 9; i++)
    now = send_of_block (pacer, i, now);
  g_assert_cmpint (fal_pacer_next_expiry (pacer), ==, (now + 1000) * MS);
  for (guint i = 1; i <= 9; i++)
    g_assert_cmpuint (answer (pacer, NULL, now), ==, i);
  for (guint i = 10; i <= 21; i++)
    now = send_of_block (pacer, i, now);
  g_assert_cmpint (fal_pacer_next_expiry (pacer), ==, (now + 1000) * MS);
  for (guint i = 22; i <= 45; i++) {
    now += 83;
    g_assert_cmpuint (take (pacer, now), ==, i);
    offer (pacer, i + 1, now);
  }
  g_assert_cmpint (next (pacer, now), ==, NEVER); /* three blocks are out */
  check_books (pacer);
}

/* Where nothing is said of the first it is as long. */
static void
test_a_first_block_may_be_as_long_as_all (void)
{
  FalPacerConfig config = blocks;
  g_autoptr (FalPacer) pacer = NULL;

  config.first_block = 0;
  pacer = make_with_a_part_of_a_block (config);
  for (guint i = 6; i <= 12; i++) {
    g_assert_false (fal_pacer_awaits_answer (pacer));
    offer (pacer, i, i);
    g_assert_cmpuint (take (pacer, i), ==, i);
  }
  g_assert_true (fal_pacer_awaits_answer (pacer));
  g_assert_cmpint (fal_pacer_next_expiry (pacer), ==, 1012 * MS);
}

/* A request by itself is awaited as soon as it went. */
static void
test_each_request_is_awaited (void)
{
  for (guint leaky = 0; leaky < 2; leaky++) {
    FalPacerConfig config = file;
    g_autoptr (FalPacer) pacer = NULL;

    config.leaky = leaky;
    pacer = make (config);
    g_assert_false (fal_pacer_awaits_answer (pacer));
    g_assert_false (fal_pacer_is_busy (pacer));
    offer (pacer, 1, 0);
    g_assert_false (fal_pacer_awaits_answer (pacer));
    g_assert_true (fal_pacer_is_busy (pacer));
    take (pacer, 0);
    g_assert_true (fal_pacer_awaits_answer (pacer));
    g_assert_true (fal_pacer_is_busy (pacer));
    answer (pacer, "1", 10);
    g_assert_false (fal_pacer_awaits_answer (pacer));
    g_assert_false (fal_pacer_is_busy (pacer));
  }
}

static void
test_one_in_flight_until_the_first_reply_shows_whether_ids_come_back (void)
{
  g_autoptr (FalPacer) pacer = make ((FalPacerConfig){
      .max_waiting = 5, .max_in_flight = 3, .identified = TRUE, .echo_known = FALSE });

  for (guint i = 1; i <= 5; i++)
    offer (pacer, i, 0);
  g_assert_cmpuint (take (pacer, 0), ==, 1);
  g_assert_cmpuint (take (pacer, 0), ==, 0);
  g_assert_cmpuint (answer (pacer, "1", 1), ==, 1);
  g_assert_true (fal_pacer_echoes (pacer));
  for (guint i = 2; i <= 4; i++)
    g_assert_cmpuint (take (pacer, 1), ==, i);
  g_assert_cmpuint (take (pacer, 1), ==, 0);
}

static void
test_a_reply_without_id_from_an_app_that_echoes_is_taken_only_when_sure (void)
{
  g_autoptr (FalPacer) pacer = make (file);

  for (guint i = 1; i <= 3; i++)
    offer (pacer, i, 0);
  take (pacer, 0);
  g_assert_cmpuint (answer (pacer, "1", 1), ==, 1);
  take (pacer, 1);
  take (pacer, 1);
  g_assert_cmpuint (answer (pacer, NULL, 2), ==, 0);
  g_assert_cmpuint (answer (pacer, "2", 3), ==, 2);
  g_assert_cmpuint (answer (pacer, NULL, 4), ==, 3);
}

/* A model of 100 ms without a way to it: after some answers the next request goes shortly before
 * the model gets free, not at once, though sixteen could be in flight. */
static void
test_adaptive_requests_arrive_just_in_time (void)
{
  FalPacerConfig config = live;
  g_autoptr (FalPacer) pacer = NULL;
  gint64 now = 0;

  config.throttle_interval = 0;
  config.max_in_flight = 16;
  config.adaptive = TRUE;
  pacer = make (config);
  for (guint i = 1; i <= 60; i++) {
    g_autofree gchar *id = g_strdup_printf ("%u", i);

    offer (pacer, i, now);
    now = MAX (now, next (pacer, now));
    g_assert_cmpuint (take (pacer, now), ==, i);
    now += 100;
    g_assert_cmpuint (answer (pacer, id, now), ==, i);
  }
  offer (pacer, 61, now);
  g_assert_cmpuint (take (pacer, now), ==, 61);
  offer (pacer, 62, now);
  g_assert_cmpint (next (pacer, now), >, now + 40);
  g_assert_cmpint (next (pacer, now), <=, now + 100);
  fal_pacer_urge (pacer);
  g_assert_cmpint (next (pacer, now), ==, now);
}

/* While the model is not known a request goes after a second of silence only: what is in flight
 * when the pacer becomes adaptive counts, and its answer tells of the model. */
static void
test_turned_adaptive_it_knows_what_is_in_flight (void)
{
  FalPacerConfig config = live;
  g_autoptr (FalPacer) pacer = NULL;

  config.throttle_interval = 0;
  config.max_in_flight = 16;
  pacer = make (config);
  offer (pacer, 1, 0);
  g_assert_cmpuint (take (pacer, 0), ==, 1);
  offer (pacer, 2, 10);
  g_assert_cmpuint (take (pacer, 10), ==, 2);
  offer (pacer, 3, 20);
  g_assert_cmpint (next (pacer, 20), ==, 20);
  config.adaptive = TRUE;
  fal_pacer_configure (pacer, &config);
  g_assert_cmpint (next (pacer, 20), ==, 1000);
  g_assert_cmpuint (answer (pacer, "1", 200), ==, 1);
  g_assert_cmpint (next (pacer, 200), <, 300);
}

/* Offers a frame each 30 ms, number 1 at 0, up to @now. */
static void
film (FalPacer *pacer, guint *frames, gint64 now)
{
  for (; *frames * 30 <= now; ++*frames)
    offer (pacer, *frames + 1, *frames * 30);
}

static const FalPacerConfig camera = {
  .max_waiting = 1,
  .max_in_flight = 16,
  .adaptive = TRUE,
  .leaky = TRUE,
  .identified = TRUE,
  .echo_known = TRUE,
};

/* A camera of a frame each 30 ms before a model of 200, which is idle; at @last came a frame. */
static FalPacer *
make_before_a_slow_model (FalPacerConfig config, gint64 *last)
{
  FalPacer *pacer = make (config);
  gint64 now = 0;
  guint frames = 0;

  for (guint i = 1; i <= 30; i++) {
    g_autofree gchar *id = config.identified ? g_strdup_printf ("%u", i) : NULL;

    for (film (pacer, &frames, now); take (pacer, now) == 0; film (pacer, &frames, now))
      now++;
    now += 200;
    answer (pacer, id, now);
  }
  *last = frames * 30;
  film (pacer, &frames, *last);
  return pacer;
}

/* A frame that comes in a moment is waited for, for a moment longer, and no longer. */
static void
test_adaptive_requests_await_a_frame_about_to_come (void)
{
  gint64 last;
  g_autoptr (FalPacer) pacer = make_before_a_slow_model (camera, &last);

  g_assert_cmpint (next (pacer, last + 1), ==, last + 1);
  g_assert_cmpint (next (pacer, last + 24), ==, last + 24);
  g_assert_cmpint (next (pacer, last + 29), >, last + 30);
  g_assert_cmpint (next (pacer, last + 29), <=, last + 33);
  g_assert_cmpint (next (pacer, last + 33), ==, last + 33);
  check_books (pacer);
}

/* None is awaited by who has another rule, or loses no frame, nor for one that is to go at once,
 * nor when no more come. */
static void
test_other_requests_await_no_frame (void)
{
  FalPacerConfig fixed = camera, keeping = camera, unnamed = camera;
  gint64 last;

  fixed.adaptive = FALSE;
  keeping.leaky = FALSE;
  unnamed.identified = FALSE;
  for (guint i = 0; i < 5; i++) {
    g_autoptr (FalPacer) pacer = make_before_a_slow_model (i == 3 ? unnamed : camera, &last);

    g_assert_cmpint (next (pacer, last + 29), >, last + 29);
    if (i < 2)
      fal_pacer_configure (pacer, i == 0 ? &fixed : &keeping);
    else if (i < 4)
      fal_pacer_urge (pacer);
    else
      fal_pacer_drain (pacer);
    g_assert_cmpint (next (pacer, last + 29), ==, last + 29);
  }
}

static void
test_requests_expire (void)
{
  g_autoptr (FalPacer) pacer = make (live);

  offer (pacer, 1, 0);
  take (pacer, 0);
  g_assert_cmpint (fal_pacer_next_expiry (pacer), ==, 10000 * MS);
  g_assert_cmpuint (fal_pacer_expire (pacer, 0, FALSE, 9999 * MS), ==, 0);
  g_assert_cmpuint (fal_pacer_expire (pacer, 0, FALSE, 10000 * MS), ==, 1);
  g_assert_cmpint (fal_pacer_next_expiry (pacer), ==, NEVER);
  g_assert_cmpuint (answer (pacer, "1", 10001), ==, 0);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->expired, ==, 1);
  check_books (pacer);
}

static void
test_a_lost_connection_loses_what_is_in_flight_when_live (void)
{
  g_autoptr (FalPacer) pacer = make (live);

  offer (pacer, 1, 0);
  take (pacer, 0);
  offer (pacer, 2, 10);
  fal_pacer_set_online (pacer, 0, FALSE);
  die (pacer);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->lost, ==, 1);
  g_assert_cmpuint (take (pacer, 500), ==, 0);
  fal_pacer_set_online (pacer, 0, TRUE);
  g_assert_cmpuint (take (pacer, 500), ==, 2);
  check_books (pacer);
}

static void
test_a_lost_connection_loses_no_frame_of_a_file (void)
{
  g_autoptr (FalPacer) pacer = make (file);

  for (guint i = 1; i <= 3; i++)
    offer (pacer, i, 0);
  take (pacer, 0);
  take (pacer, 0);
  fal_pacer_set_online (pacer, 0, FALSE);
  die (pacer);
  check_books (pacer);
  g_assert_cmpuint (fal_pacer_get_in_flight (pacer), ==, 0);
  g_assert_cmpuint (fal_pacer_get_waiting (pacer), ==, 3);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->sent, ==, 0);
  g_assert_false (fal_pacer_has_room (pacer));
  g_assert_cmpuint (answer (pacer, "1", 1), ==, 0); /* a reply of the old connection */
  fal_pacer_set_online (pacer, 0, TRUE);
  g_assert_true (fal_pacer_has_repeat (pacer));
  g_assert_cmpuint (take (pacer, 10), ==, 1);
  g_assert_cmpuint (take (pacer, 10), ==, 2);
  g_assert_cmpuint (take (pacer, 10), ==, 0);
  g_assert_false (fal_pacer_has_repeat (pacer));
  g_assert_cmpuint (answer (pacer, "3", 20), ==, 1);
  g_assert_cmpuint (answer (pacer, "4", 20), ==, 2);
  g_assert_cmpuint (take (pacer, 20), ==, 3);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->sent, ==, 3);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->repeated, ==, 2);
  g_assert_cmpuint (freed, ==, 0);
  check_books (pacer);
}

/* A door camera: nothing newer comes for an hour, so the frame that was under way goes again; a
 * newer one takes its place. */
static void
test_the_newest_frame_survives_its_connection (void)
{
  g_autoptr (FalPacer) pacer = make (live);

  offer (pacer, 1, 0);
  take (pacer, 0);
  offer (pacer, 2, 200);
  take (pacer, 200);
  fal_pacer_set_online (pacer, 0, FALSE);
  fal_pacer_lose (pacer, 0, TRUE, 2);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->lost, ==, 1);
  g_assert_cmpuint (fal_pacer_get_waiting (pacer), ==, 1);
  fal_pacer_set_online (pacer, 0, TRUE);
  g_assert_cmpuint (take (pacer, 900), ==, 2);
  check_books (pacer);
  fal_pacer_lose (pacer, 0, TRUE, 2);
  offer (pacer, 3, 1000);
  g_assert_cmpuint (pop_dropped (pacer), ==, 1);
  g_assert_cmpuint (pop_dropped (pacer), ==, 2);
  g_assert_cmpuint (take (pacer, 1100), ==, 3);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->repeated, ==, 1);
  check_books (pacer);
}

static void
test_the_newest_frame_goes_again_only_where_nothing_waits (void)
{
  g_autoptr (FalPacer) pacer = make (live);

  offer (pacer, 1, 0);
  take (pacer, 0);
  offer (pacer, 2, 10);
  fal_pacer_lose (pacer, 0, TRUE, 1);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->lost, ==, 1);
  g_assert_cmpuint (take (pacer, 200), ==, 2);
  check_books (pacer);
}

/* A request that was answered before an older one of a file overtook it: the server swallowed that
 * one, which goes again after a moment, in which its answer may still come. */
static void
test_what_a_server_swallowed_goes_again (void)
{
  g_autoptr (FalPacer) pacer = make (file);

  for (guint i = 1; i <= 3; i++)
    offer (pacer, i, 0);
  take (pacer, 0);
  take (pacer, 0);
  g_assert_cmpuint (answer (pacer, "2", 60), ==, 2);
  g_assert_cmpuint (get_oldest (pacer), ==, 1);
  g_assert_cmpint (fal_pacer_next_expiry (pacer), ==, 180 * MS); /* two round trips later */
  g_assert_cmpuint (take (pacer, 60), ==, 3);
  fal_pacer_expire (pacer, 0, FALSE, 179 * MS);
  g_assert_cmpuint (fal_pacer_get_waiting (pacer), ==, 0);
  g_assert_cmpuint (fal_pacer_expire (pacer, 0, FALSE, 180 * MS), ==, 0); /* none timed out */
  g_assert_cmpuint (fal_pacer_get_waiting (pacer), ==, 1);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->sent, ==, 2);
  check_books (pacer);
  g_assert_cmpuint (take (pacer, 180), ==, 1);
  g_assert_cmpuint (get_oldest (pacer), ==, 1);
  g_assert_cmpuint (answer (pacer, "3", 190), ==, 3);
  g_assert_cmpuint (get_oldest (pacer), ==, 1);
  g_assert_cmpuint (answer (pacer, "4", 200), ==, 1);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->answered, ==, 3);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->repeated, ==, 1);
  g_assert_cmpuint (pop_dropped (pacer), ==, 0);
  check_books (pacer);
}

/* Three times it is answered with those that went after it: a model that is loading swallows none,
 * however patient one is with it. */
static void
test_what_a_server_swallows_each_time_is_given_up (void)
{
  g_autoptr (FalPacer) pacer = make (file);
  FalPacerGivenUp given_up;
  gint64 now = 0;

  offer (pacer, 1, 0);
  for (guint i = 0; i < 3; i++, now += 1000) {
    g_autofree gchar *id = g_strdup_printf ("%u", 2 * i + 2);

    g_assert_false (fal_pacer_has_given_up (pacer));
    g_assert_cmpuint (take (pacer, now), ==, 1);
    offer (pacer, i + 2, now);
    g_assert_cmpuint (take (pacer, now), ==, i + 2);
    g_assert_cmpuint (answer (pacer, id, now + 10), ==, i + 2);
    fal_pacer_expire (pacer, 0, TRUE, (now + 500) * MS);
    check_books (pacer);
  }
  g_assert_true (fal_pacer_take_given_up (pacer, &given_up));
  g_assert_cmpuint (given_up.unanswered, ==, 1);
  g_assert_cmpuint (pop_dropped (pacer), ==, 1);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->lost, ==, 1);
}

static void
test_answers_of_a_file_may_come_out_of_order (void)
{
  g_autoptr (FalPacer) pacer = make (file);

  offer (pacer, 1, 1000);
  offer (pacer, 2, 1000);
  take (pacer, 1000);
  take (pacer, 1000);
  g_assert_cmpuint (answer (pacer, "2", 1010), ==, 2);
  g_assert_cmpint (fal_pacer_next_expiry (pacer), ==, 1110 * MS);
  g_assert_cmpuint (answer (pacer, "1", 1020), ==, 1);
  g_assert_cmpint (fal_pacer_next_expiry (pacer), ==, NEVER);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->repeated, ==, 0);
  check_books (pacer);
}

/* The answer to an earlier try came after all: the frame needs no other one, whether it went again
 * already or not. */
static void
test_a_late_answer_is_still_the_frame_s (void)
{
  FalPacerConfig config = file;
  g_autoptr (FalPacer) pacer = NULL;

  config.request_timeout = 1000 * MS;
  pacer = make (config);
  offer (pacer, 1, 0);
  take (pacer, 0);
  g_assert_cmpuint (fal_pacer_expire (pacer, 0, FALSE, 1000 * MS), ==, 1);
  g_assert_cmpuint (fal_pacer_get_waiting (pacer), ==, 1);
  g_assert_cmpuint (answer (pacer, "1", 1001), ==, 1);
  check_books (pacer);
  offer (pacer, 2, 2000);
  take (pacer, 2000);
  fal_pacer_expire (pacer, 0, FALSE, 3000 * MS);
  g_assert_cmpuint (take (pacer, 3000), ==, 2);
  g_assert_cmpint (match (pacer, "2", FALSE, 3001).sent, ==, 2000 * MS);
  g_assert_cmpint (match (pacer, "3", FALSE, 3002).match, ==, FAL_MATCH_LATE);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->answered, ==, 2);
  check_books (pacer);
}

/* Though it comes last, what went after it was not overtaken. */
static void
test_a_late_answer_overtakes_nothing_that_went_after_it (void)
{
  FalPacerConfig config = file;
  g_autoptr (FalPacer) pacer = NULL;

  config.request_timeout = 1000 * MS;
  pacer = make (config);
  for (guint i = 1; i <= 3; i++)
    offer (pacer, i, 0);
  take (pacer, 0);
  take (pacer, 900);
  fal_pacer_expire (pacer, 0, FALSE, 1000 * MS);
  g_assert_cmpuint (take (pacer, 1000), ==, 1);
  g_assert_cmpuint (answer (pacer, "1", 1001), ==, 1);
  g_assert_cmpint (fal_pacer_next_expiry (pacer), ==, 1900 * MS); /* frame 2's own */
  g_assert_cmpuint (take (pacer, 1002), ==, 3);
  g_assert_cmpint (match (pacer, "3", FALSE, 1003).match, ==, FAL_MATCH_LATE);
  g_assert_cmpint (fal_pacer_next_expiry (pacer), ==, 1900 * MS);
  check_books (pacer);
}

/* What cannot be had is given up after three tries, and told; a model that is loading is waited for
 * as long as it takes. */
static void
test_a_frame_is_tried_three_times (void)
{
  FalPacerConfig config = file;
  g_autoptr (FalPacer) pacer = NULL;
  FalPacerGivenUp given_up;
  gint64 now = 0;

  config.request_timeout = 1000 * MS;
  pacer = make (config);
  offer (pacer, 1, 0);
  for (guint i = 0; i < 10; i++) {
    g_assert_cmpuint (take (pacer, now), ==, 1);
    g_assert_cmpuint (fal_pacer_expire (pacer, 0, TRUE, (now += 1000) * MS), ==, 1);
  }
  for (guint i = 0; i < 3; i++) {
    g_assert_false (fal_pacer_has_given_up (pacer));
    g_assert_cmpuint (take (pacer, now), ==, 1);
    g_assert_cmpuint (fal_pacer_expire (pacer, 0, FALSE, (now += 1000) * MS), ==, 1);
    check_books (pacer);
  }
  g_assert_true (fal_pacer_take_given_up (pacer, &given_up));
  g_assert_cmpuint (given_up.unanswered, ==, 1);
  g_assert_cmpuint (given_up.deadly, ==, 0);
  g_assert_false (fal_pacer_take_given_up (pacer, &given_up));
  g_assert_cmpuint (pop_dropped (pacer), ==, 1);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->expired, ==, 1);
  g_assert_cmpuint (fal_pacer_get_waiting (pacer), ==, 0);
}

/* Two are out when it dies, twice: then each goes alone, and the one that is not to blame is
 * answered. */
static void
test_a_request_that_connections_die_of_is_given_up (void)
{
  g_autoptr (FalPacer) pacer = make (file);
  FalPacerGivenUp given_up;

  for (guint i = 1; i <= 3; i++)
    offer (pacer, i, 0);
  for (guint i = 0; i < 2; i++) {
    g_assert_cmpuint (take (pacer, 0), ==, 1);
    g_assert_cmpuint (take (pacer, 0), ==, 2);
    die (pacer);
  }
  g_assert_cmpuint (take (pacer, 1), ==, 1);
  g_assert_cmpuint (take (pacer, 1), ==, 0);
  die (pacer);
  g_assert_true (fal_pacer_take_given_up (pacer, &given_up));
  g_assert_cmpuint (given_up.deadly, ==, 1);
  g_assert_cmpuint (pop_dropped (pacer), ==, 1);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->lost, ==, 1);
  check_books (pacer);
  for (guint i = 0; i < 2; i++) {
    g_assert_cmpuint (take (pacer, 2), ==, 2); /* it was not out, and is free of blame */
    g_assert_cmpuint (take (pacer, 2), ==, 3);
    die (pacer);
  }
  g_assert_cmpuint (fal_pacer_get_waiting (pacer), ==, 2);
  g_assert_false (fal_pacer_has_given_up (pacer));
  check_books (pacer);
}

/* Or the next that dies would blame what is out beside it. */
static void
test_a_request_that_connections_may_die_of_goes_alone (void)
{
  g_autoptr (FalPacer) pacer = make (file);

  offer (pacer, 1, 0);
  for (guint i = 0; i < 2; i++) {
    g_assert_cmpuint (take (pacer, 0), ==, 1);
    die (pacer);
  }
  offer (pacer, 2, 1);
  g_assert_cmpuint (take (pacer, 1), ==, 1);
  g_assert_cmpuint (take (pacer, 1), ==, 0);
  g_assert_cmpuint (answer (pacer, "3", 2), ==, 1);
  g_assert_cmpuint (take (pacer, 2), ==, 2);
  check_books (pacer);
}

/* One for which connections died, and one that none answers, at once. */
static void
test_all_that_is_given_up_is_told (void)
{
  FalPacerConfig config = file;
  g_autoptr (FalPacer) pacer = NULL;
  FalPacerGivenUp given_up;

  config.request_timeout = 1000 * MS;
  pacer = make (config);
  offer (pacer, 1, 0);
  for (guint i = 0; i < 3; i++) {
    g_assert_cmpuint (take (pacer, i), ==, 1);
    die (pacer);
  }
  offer (pacer, 2, 10);
  for (guint i = 1; i <= 3; i++) {
    g_assert_cmpuint (take (pacer, 1000 * i), ==, 2);
    fal_pacer_expire (pacer, 0, FALSE, 1000 * (i + 1) * MS);
  }
  g_assert_true (fal_pacer_has_given_up (pacer));
  g_assert_true (fal_pacer_take_given_up (pacer, &given_up));
  g_assert_cmpuint (given_up.deadly, ==, 1);
  g_assert_cmpuint (given_up.unanswered, ==, 1);
  g_assert_false (fal_pacer_has_given_up (pacer));
  check_books (pacer);
}

/* A connection that was ended on purpose, or by a server that says why, is no fault of what was
 * out. */
static void
test_only_a_connection_that_died_blames_its_requests (void)
{
  g_autoptr (FalPacer) pacer = make (file);

  offer (pacer, 1, 0);
  for (guint i = 0; i < 10; i++) {
    g_assert_cmpuint (take (pacer, i), ==, 1);
    fal_pacer_lose (pacer, 0, FALSE, 0);
  }
  g_assert_false (fal_pacer_has_given_up (pacer));
  g_assert_cmpuint (fal_pacer_get_waiting (pacer), ==, 1);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->repeated, ==, 9);
}

/* A request that is still being encoded when its connection goes is to keep its picture. */
static void
test_the_frame_that_goes_again_is_kept (void)
{
  g_autoptr (FalPacer) pacer = make (live);
  guint64 id;
  guint lane;

  offer (pacer, 1, 0);
  fal_pacer_take (pacer, 0, &id, &lane);
  g_assert_false (fal_pacer_keeps (pacer, id));
  fal_pacer_lose (pacer, 0, TRUE, 1);
  g_assert_true (fal_pacer_keeps (pacer, id));
  g_assert_true (fal_pacer_fail (pacer, id)); /* it could not be encoded */
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->failed, ==, 1);
  check_books (pacer);
  offer (pacer, 2, 200);
  fal_pacer_take (pacer, 200 * MS, &id, &lane);
  fal_pacer_lose (pacer, 0, TRUE, 2);
  g_assert_true (fal_pacer_drop_invalid (pacer, id)); /* or its picture is broken */
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->dropped_invalid, ==, 1);
  check_books (pacer);
}

/* What waits may go yet; of what is out that which goes again where it brings nothing. */
static void
test_frames_that_may_go_are_kept (void)
{
  for (guint leaky = 0; leaky < 2; leaky++) {
    FalPacerConfig config = file;
    g_autoptr (FalPacer) pacer = NULL;

    config.leaky = leaky;
    pacer = make_with_lanes (config, 2);
    for (guint i = 1; i <= 3; i++) {
      offer (pacer, i, i);
      take (pacer, i);
      g_assert_cmpint (fal_pacer_keeps_frame (pacer, GUINT_TO_POINTER (i)), ==, !leaky);
    }
    offer (pacer, 4, 4);
    offer (pacer, 5, 4);
    g_assert_true (fal_pacer_keeps_frame (pacer, GUINT_TO_POINTER (4)));
    g_assert_true (fal_pacer_keeps_frame (pacer, GUINT_TO_POINTER (5)));
    g_assert_false (fal_pacer_keeps_frame (pacer, GUINT_TO_POINTER (6)));
  }
}

static void
test_a_failure_with_an_id_ends_its_request (void)
{
  g_autoptr (FalPacer) pacer = make (file);

  for (guint i = 1; i <= 3; i++)
    offer (pacer, i, 0);
  take (pacer, 0);
  take (pacer, 0);
  g_assert_true (fail (pacer, "2", 10));
  g_assert_true (fal_pacer_echoes (pacer));
  g_assert_false (fail (pacer, "2", 11));
  g_assert_false (fail (pacer, "x", 11));
  g_assert_cmpuint (pop_dropped (pacer), ==, 2);
  g_assert_cmpint (fal_pacer_next_expiry (pacer), ==, 110 * MS); /* it overtook the first */
  g_assert_cmpuint (answer (pacer, "1", 12), ==, 1);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->failed, ==, 1);
  check_books (pacer);
}

/* From an app that echoes a failure without an id is that of the only request there is, or of all
 * when there are as many; of one that was overtaken. */
static void
test_failures_without_an_id_are_found_out (void)
{
  g_autoptr (FalPacer) pacer = make (file);

  for (guint i = 1; i <= 3; i++)
    offer (pacer, i, 0);
  take (pacer, 0);
  g_assert_cmpuint (answer (pacer, "1", 1), ==, 1);
  take (pacer, 1);
  g_assert_true (fail (pacer, NULL, 2)); /* of the only one */
  take (pacer, 2);
  offer (pacer, 4, 2);
  take (pacer, 2);
  g_assert_false (fail (pacer, NULL, 3));
  g_assert_true (fail (pacer, NULL, 4)); /* of both */
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->failed, ==, 3);
  offer (pacer, 5, 5);
  offer (pacer, 6, 5);
  take (pacer, 5);
  take (pacer, 5);
  g_assert_false (fail (pacer, NULL, 6));
  g_assert_cmpuint (answer (pacer, "6", 7), ==, 6); /* so it was the fifth */
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->failed, ==, 4);
  g_assert_cmpuint (fal_pacer_get_in_flight (pacer), ==, 0);
  check_books (pacer);
}

/* It is that of one, whichever: not of the next that went, nor of all. */
static void
test_a_failure_without_an_id_is_of_one_request (void)
{
  FalPacerConfig config = file;
  g_autoptr (FalPacer) pacer = NULL;

  config.max_in_flight = 4;
  pacer = make (config);
  offer (pacer, 1, 0);
  take (pacer, 0);
  g_assert_cmpuint (answer (pacer, "1", 1), ==, 1);
  g_assert_false (fail (pacer, NULL, 1)); /* nothing is out */
  for (guint i = 2; i <= 4; i++) {
    offer (pacer, i, i);
    g_assert_cmpuint (take (pacer, i), ==, i);
  }
  g_assert_false (fail (pacer, NULL, 5));
  g_assert_cmpuint (answer (pacer, "3", 6), ==, 3);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->failed, ==, 1);
  g_assert_cmpuint (pop_dropped (pacer), ==, 2);
  g_assert_cmpuint (answer (pacer, "4", 7), ==, 4);
  check_books (pacer);
}

/* What goes after it was known does not count, and what was not sent after all is not it. */
static void
test_a_failure_without_an_id_is_remembered (void)
{
  FalPacerConfig config = file;
  g_autoptr (FalPacer) pacer = NULL;

  config.max_in_flight = 4;
  pacer = make (config);
  offer (pacer, 1, 0);
  take (pacer, 0);
  g_assert_cmpuint (answer (pacer, "1", 1), ==, 1);
  for (guint i = 2; i <= 3; i++) {
    offer (pacer, i, i);
    g_assert_cmpuint (take (pacer, i), ==, i);
  }
  g_assert_false (fail (pacer, NULL, 4));
  g_assert_true (fal_pacer_fail (pacer, 3)); /* it could not be encoded */
  offer (pacer, 4, 5);
  g_assert_cmpuint (take (pacer, 5), ==, 4);
  g_assert_cmpuint (answer (pacer, "4", 6), ==, 4);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->failed, ==, 2);
  g_assert_cmpuint (fal_pacer_get_in_flight (pacer), ==, 0);
  check_books (pacer);
}

/* Those that they were about are over. */
static void
test_failures_without_an_id_are_no_later_requests (void)
{
  g_autoptr (FalPacer) pacer = make (live);

  offer (pacer, 1, 0);
  g_assert_cmpuint (take (pacer, 0), ==, 1);
  g_assert_cmpuint (answer (pacer, "1", 1), ==, 1);
  for (guint i = 2; i <= 3; i++) {
    offer (pacer, i, 200 * i);
    g_assert_cmpuint (take (pacer, 200 * i), ==, i);
  }
  g_assert_false (fail (pacer, NULL, 700));
  g_assert_cmpuint (fal_pacer_expire (pacer, 0, FALSE, 20000 * MS), ==, 2);
  for (guint i = 4; i <= 5; i++) {
    offer (pacer, i, 20000 + 200 * i);
    g_assert_cmpuint (take (pacer, 20000 + 200 * i), ==, i);
  }
  g_assert_cmpuint (answer (pacer, "5", 22000), ==, 5);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->failed, ==, 0);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->lost, ==, 1);
  check_books (pacer);
}

static void
test_a_flush_forgets_frames_but_awaits_their_replies (void)
{
  g_autoptr (FalPacer) pacer = make ((FalPacerConfig){ .throttle_interval = 128 * MS,
      .max_waiting = 1,
      .max_in_flight = 2,
      .trusted = TRUE,
      .leaky = TRUE });
  FalPacerAnswer reply;

  offer (pacer, 1, 0);
  take (pacer, 0);
  offer (pacer, 2, 1);
  fal_pacer_flush (pacer);
  g_assert_cmpuint (freed, ==, 2);
  g_assert_cmpuint (get_oldest (pacer), ==, G_MAXUINT64);
  offer (pacer, 3, 2);
  g_assert_cmpuint (take (pacer, 2), ==, 3); /* no throttle after a flush */
  reply = match (pacer, NULL, FALSE, 3);
  g_assert_cmpint (reply.match, ==, FAL_MATCH_ANSWERS);
  g_assert_null (reply.frame);
  g_assert_cmpuint (answer (pacer, NULL, 4), ==, 3);
  check_books (pacer);
}

/* What was to go again was not sent on the new connection: no reply to it is awaited there, and
 * none is taken for it. */
static void
test_a_flush_forgets_what_would_go_again (void)
{
  g_autoptr (FalPacer) pacer = make (file);

  offer (pacer, 1, 0);
  take (pacer, 0);
  fal_pacer_set_online (pacer, 0, FALSE);
  die (pacer);
  fal_pacer_flush (pacer);
  g_assert_cmpuint (fal_pacer_get_in_flight (pacer), ==, 0);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->sent, ==, 0);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->dropped_flushed, ==, 1);
  g_assert_cmpuint (freed, ==, 1);
  fal_pacer_set_online (pacer, 0, TRUE);
  offer (pacer, 2, 10);
  g_assert_cmpuint (take (pacer, 10), ==, 2);
  g_assert_cmpuint (answer (pacer, NULL, 20), ==, 2);
  check_books (pacer);
}

/* One of those went again already: its reply is awaited, so that it is not taken for that of the
 * next frame where the app says no ids. */
static void
test_a_flush_awaits_the_reply_to_what_went_again (void)
{
  g_autoptr (FalPacer) pacer = make (file);

  for (guint i = 1; i <= 2; i++) {
    offer (pacer, i, i);
    g_assert_cmpuint (take (pacer, i), ==, i);
  }
  die (pacer);
  g_assert_cmpuint (take (pacer, 10), ==, 1);
  fal_pacer_flush (pacer);
  check_books (pacer);
  g_assert_cmpuint (fal_pacer_get_in_flight (pacer), ==, 1);
  offer (pacer, 3, 20);
  g_assert_cmpuint (take (pacer, 20), ==, 3);
  g_assert_cmpuint (answer (pacer, NULL, 30), ==, 0); /* to frame 1 */
  g_assert_cmpuint (answer (pacer, NULL, 40), ==, 3);
  check_books (pacer);
}

/* Whether frames may drop can change while requests are under way: what was sent as one of those
 * that may is not sent again. */
static void
test_what_may_be_lost_is_decided_when_it_is_sent (void)
{
  g_autoptr (FalPacer) pacer = make (live);

  offer (pacer, 1, 0);
  take (pacer, 0);
  g_assert_false (fal_pacer_keeps (pacer, 1));
  fal_pacer_configure (pacer, &file);
  offer (pacer, 2, 200);
  take (pacer, 200);
  g_assert_true (fal_pacer_keeps (pacer, 2));
  die (pacer);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->lost, ==, 1);
  g_assert_cmpuint (take (pacer, 300), ==, 2);
  check_books (pacer);
}

static void
test_an_error_before_anything_was_sent_again_fails_nothing (void)
{
  g_autoptr (FalPacer) pacer = make (file);

  offer (pacer, 1, 0);
  take (pacer, 0);
  die (pacer);
  g_assert_false (fal_pacer_fail_oldest (pacer, 0));
  g_assert_cmpuint (take (pacer, 1), ==, 1);
}

static void
test_failures_are_counted (void)
{
  g_autoptr (FalPacer) pacer = make (file);

  g_assert_false (fal_pacer_fail_oldest (pacer, 0));
  offer (pacer, 1, 0);
  offer (pacer, 2, 0);
  take (pacer, 0);
  take (pacer, 0);
  g_assert_true (fal_pacer_fail (pacer, 2));
  g_assert_false (fal_pacer_fail (pacer, 2));
  g_assert_true (fal_pacer_fail_oldest (pacer, 0));
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->failed, ==, 2);
  check_books (pacer);
}

static void
test_a_frame_of_which_nothing_is_sent_is_counted (void)
{
  g_autoptr (FalPacer) pacer = make (live);

  offer (pacer, 1, 0);
  fal_pacer_skip (pacer);
  check_books (pacer);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->in, ==, 2);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->dropped_absent, ==, 1);
  g_assert_cmpuint (fal_pacer_get_waiting (pacer), ==, 1);
  g_assert_false (fal_pacer_has_dropped (pacer));
  g_assert_cmpuint (take (pacer, 0), ==, 1);
  fal_pacer_reset_counts (pacer);
  check_books (pacer);
}

static void
test_a_broken_frame_takes_no_turn (void)
{
  g_autoptr (FalPacer) pacer = make (live);
  guint64 id;
  guint lane;

  offer (pacer, 1, 0);
  g_assert_nonnull (fal_pacer_take (pacer, 0, &id, &lane));
  g_assert_true (fal_pacer_drop_invalid (pacer, id));
  g_assert_false (fal_pacer_drop_invalid (pacer, id));
  check_books (pacer);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->dropped_invalid, ==, 1);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->sent, ==, 0);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->failed, ==, 0);
  g_assert_cmpuint (pop_dropped (pacer), ==, 1);
  offer (pacer, 2, 33);
  g_assert_cmpuint (take (pacer, 33), ==, 2); /* though the throttle's time is not over */
  g_assert_false (fal_pacer_drop_invalid (pacer, id));
  offer (pacer, 3, 66);
  g_assert_cmpint (next (pacer, 66), ==, 33 + 128);
  check_books (pacer);
}

static void
test_an_unchanged_frame_takes_no_turn (void)
{
  g_autoptr (FalPacer) pacer = make (live);

  offer (pacer, 1, 0);
  g_assert_cmpuint (take (pacer, 0), ==, 1);
  offer (pacer, 2, 200);
  g_assert_cmpuint (fal_pacer_get_next (pacer), ==, 2);
  g_assert_cmpuint (GPOINTER_TO_UINT (fal_pacer_peek_next (pacer)), ==, 2);
  g_assert_cmpuint (GPOINTER_TO_UINT (fal_pacer_drop_unchanged (pacer)), ==, 2);
  g_assert_cmpuint (fal_pacer_get_next (pacer), ==, 0);
  g_assert_null (fal_pacer_peek_next (pacer));
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->dropped_unchanged, ==, 1);
  g_assert_false (fal_pacer_has_dropped (pacer)); /* nobody is told of it */
  check_books (pacer);
  g_assert_cmpuint (answer (pacer, "1", 210), ==, 1);
  offer (pacer, 3, 233);
  g_assert_cmpuint (take (pacer, 233), ==, 3); /* as if it had not come */
  check_books (pacer);
}

/* Of a frame that was given up others must not be taken for the same. */
static void
test_what_became_of_the_last_frame_is_known (void)
{
  g_autoptr (FalPacer) pacer = make (live);

  g_assert_cmpint (fal_pacer_get_outcome (pacer), ==, FAL_OUTCOME_NONE);
  offer (pacer, 1, 0);
  g_assert_cmpint (fal_pacer_get_outcome (pacer), ==, FAL_OUTCOME_NONE);
  take (pacer, 0);
  g_assert_cmpuint (fal_pacer_get_last (pacer), ==, 1);
  g_assert_cmpint (fal_pacer_get_outcome (pacer), ==, FAL_OUTCOME_AWAITED);
  answer (pacer, "1", 100);
  g_assert_cmpint (fal_pacer_get_outcome (pacer), ==, FAL_OUTCOME_ANSWERED);
  fal_pacer_flush (pacer);
  g_assert_cmpint (fal_pacer_get_outcome (pacer), ==, FAL_OUTCOME_NONE);
  g_assert_cmpuint (fal_pacer_get_last (pacer), ==, 0);
  offer (pacer, 2, 200);
  take (pacer, 200);
  g_assert_cmpint (fal_pacer_get_outcome (pacer), ==, FAL_OUTCOME_AWAITED);
  fal_pacer_fail_oldest (pacer, 0);
  g_assert_cmpint (fal_pacer_get_outcome (pacer), ==, FAL_OUTCOME_NONE);
  offer (pacer, 3, 400);
  take (pacer, 400);
  fal_pacer_flush (pacer);
  g_assert_cmpint (fal_pacer_get_outcome (pacer), ==, FAL_OUTCOME_NONE);
  g_assert_cmpuint (answer (pacer, "3", 410), ==, 0);
  g_assert_cmpint (fal_pacer_get_outcome (pacer), ==, FAL_OUTCOME_NONE);
}

/* A frame of a file waits to go again when its connection went, and may be answered yet. */
static void
test_a_frame_that_goes_again_is_awaited (void)
{
  g_autoptr (FalPacer) pacer = make (file);
  offer (pacer, 1, 0);
  take (pacer, 0);
  die (pacer);
  g_assert_cmpuint (fal_pacer_get_waiting (pacer), ==, 1);
  g_assert_cmpint (fal_pacer_get_outcome (pacer), ==, FAL_OUTCOME_AWAITED);
  fal_pacer_abandon (pacer, TRUE);
  g_assert_cmpint (fal_pacer_get_outcome (pacer), ==, FAL_OUTCOME_NONE);
}

/* Others are like the newest one that went. */
static void
test_an_older_frame_that_goes_again_is_not_the_last (void)
{
  FalPacerConfig two = file;
  g_autoptr (FalPacer) pacer = NULL;

  two.trusted = TRUE;
  two.max_in_flight = 2;
  pacer = make (two);
  offer (pacer, 1, 0);
  take (pacer, 0);
  offer (pacer, 2, 0);
  take (pacer, 0);
  die (pacer);
  fal_pacer_set_online (pacer, 0, TRUE);
  g_assert_cmpuint (take (pacer, 100), ==, 1);
  g_assert_cmpuint (fal_pacer_get_last (pacer), ==, 2);
  g_assert_cmpint (fal_pacer_get_outcome (pacer), ==, FAL_OUTCOME_AWAITED);
}

/* A server cannot answer what never went: nothing is waited for. */
static void
test_a_broken_frame_leaves_no_doubt_about_answers (void)
{
  g_autoptr (FalPacer) pacer = make (nameless);
  gint64 now = answer_some (pacer, 30);
  guint64 id;
  guint lane;

  offer (pacer, 31, now);
  g_assert_nonnull (fal_pacer_take (pacer, now * MS, &id, &lane));
  g_assert_true (fal_pacer_drop_invalid (pacer, id));
  pop_dropped (pacer);
  offer (pacer, 32, now);
  g_assert_cmpuint (take (pacer, now), ==, 32);
  g_assert_cmpuint (answer (pacer, NULL, now + 100), ==, 32);
  offer (pacer, 33, now + 100);
  g_assert_cmpint (next (pacer, now + 100), ==, now + 100);
  check_books (pacer);
}

static void
test_giving_up_frees_everything (void)
{
  g_autoptr (FalPacer) pacer = make (file);

  offer (pacer, 1, 0);
  offer (pacer, 2, 0);
  take (pacer, 0);
  fal_pacer_abandon (pacer, FALSE);
  g_assert_cmpuint (freed, ==, 2);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->lost, ==, 1);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->dropped_flushed, ==, 1);
  g_assert_cmpuint (get_oldest (pacer), ==, G_MAXUINT64);
  check_books (pacer);
}

/* Offline they are told as dropped for that; online the stream is over, and nobody is told. */
static void
test_what_waits_when_the_time_is_over_is_told_where_it_is_offline (void)
{
  for (guint online = 0; online < 2; online++) {
    g_autoptr (FalPacer) pacer = make (file);

    offer (pacer, 1, 0);
    offer (pacer, 2, 0);
    fal_pacer_set_online (pacer, 0, online);
    fal_pacer_abandon (pacer, TRUE);
    g_assert_cmpuint (fal_pacer_get_counts (pacer)->dropped_offline, ==, online ? 0 : 2);
    g_assert_cmpuint (fal_pacer_get_counts (pacer)->dropped_flushed, ==, online ? 2 : 0);
    g_assert_cmpuint (freed, ==, online ? 2 : 0);
    g_assert_cmpuint (pop_dropped (pacer), ==, online ? 0 : 1);
    g_assert_cmpuint (pop_dropped (pacer), ==, online ? 0 : 2);
    check_books (pacer);
  }
}

/* Whoever counts them hears of each frame that brings no result, once, but of none that was flushed
 * away. */
static void
test_what_was_dropped_is_told (void)
{
  FalPacerConfig config = live;
  g_autoptr (FalPacer) pacer = NULL;

  config.throttle_interval = 0;
  config.max_in_flight = 3;
  config.request_timeout = 100 * MS;
  pacer = make (config);
  for (guint i = 1; i <= 3; i++) {
    offer (pacer, i, i);
    g_assert_cmpuint (take (pacer, i), ==, i);
  }
  g_assert_cmpuint (answer (pacer, "2", 10), ==, 2); /* the server dropped 1 */
  g_assert_cmpuint (pop_dropped (pacer), ==, 1);
  g_assert_cmpuint (fal_pacer_expire (pacer, 0, FALSE, 103 * MS), ==, 1);
  g_assert_cmpuint (pop_dropped (pacer), ==, 3);
  offer (pacer, 4, 110);
  g_assert_cmpuint (take (pacer, 110), ==, 4);
  die (pacer);
  g_assert_cmpuint (pop_dropped (pacer), ==, 4);
  offer (pacer, 5, 120);
  g_assert_cmpuint (take (pacer, 120), ==, 5);
  offer (pacer, 6, 121);
  fal_pacer_flush (pacer);
  die (pacer);
  g_assert_cmpuint (pop_dropped (pacer), ==, 0);
  check_books (pacer);
}

static void
test_what_nobody_popped_is_freed (void)
{
  FalPacer *pacer = make (live);

  offer (pacer, 1, 0);
  offer (pacer, 2, 0);
  fal_pacer_free (pacer);
  g_assert_cmpuint (freed, ==, 2);
}

/* A frame that would come too late waits for a newer one to take its place; the last one, which
 * none follows, goes all the same. */
static void
test_a_frame_that_would_come_too_late_is_not_sent (void)
{
  FalPacerConfig config = live;
  g_autoptr (FalPacer) pacer = NULL;

  config.throttle_interval = 0;
  config.max_waiting = 2;
  config.max_in_flight = 4;
  pacer = make (config);
  fal_pacer_set_earliest (pacer, 3);
  offer (pacer, 1, 0);
  offer (pacer, 2, 0);
  g_assert_cmpint (next (pacer, 0), ==, NEVER);
  g_assert_cmpuint (take (pacer, 0), ==, 0);
  offer (pacer, 3, 1);
  g_assert_cmpuint (take (pacer, 1), ==, 3);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->dropped_replaced, ==, 2);
  fal_pacer_set_earliest (pacer, 9);
  offer (pacer, 4, 2);
  g_assert_cmpuint (take (pacer, 2), ==, 0);
  fal_pacer_drain (pacer);
  g_assert_cmpuint (take (pacer, 2), ==, 4);
  fal_pacer_set_earliest (pacer, 9);
  fal_pacer_urge (pacer);
  fal_pacer_flush (pacer);
  fal_pacer_offer (pacer, GUINT_TO_POINTER (5), 5, 0, 3 * MS); /* of time 0 */
  g_assert_cmpuint (take (pacer, 3), ==, 5);
  fal_pacer_flush (pacer);
  fal_pacer_set_earliest (pacer, 9);
  offer (pacer, 6, 4);
  g_assert_cmpuint (take (pacer, 4), ==, 0);
  check_books (pacer);
}

static void
test_where_nothing_drops_late_frames_go_too (void)
{
  g_autoptr (FalPacer) pacer = make (file);

  fal_pacer_set_earliest (pacer, 9);
  offer (pacer, 1, 0);
  g_assert_cmpuint (take (pacer, 0), ==, 1);
}

static void
test_the_oldest_frame_is_known (void)
{
  g_autoptr (FalPacer) pacer = make (live);

  g_assert_null (fal_pacer_peek_oldest (pacer));
  g_assert_cmpint (fal_pacer_get_oldest_sent (pacer, 0), ==, NEVER);
  offer (pacer, 1, 5);
  g_assert_cmpuint (GPOINTER_TO_UINT (fal_pacer_peek_oldest (pacer)), ==, 1);
  take (pacer, 7);
  offer (pacer, 2, 8);
  g_assert_cmpuint (GPOINTER_TO_UINT (fal_pacer_peek_oldest (pacer)), ==, 1);
  g_assert_cmpint (fal_pacer_get_oldest_sent (pacer, 0), ==, 7 * MS);
  g_assert_cmpuint (answer (pacer, "1", 9), ==, 1);
  g_assert_cmpuint (GPOINTER_TO_UINT (fal_pacer_peek_oldest (pacer)), ==, 2);
  g_assert_cmpint (fal_pacer_get_oldest_sent (pacer, 0), ==, NEVER);
}

/* Two are out, and two wait. */
static void
test_which_frames_may_bring_a_result_is_known (void)
{
  g_autoptr (FalPacer) pacer = make (file);

  for (guint i = 1; i <= 4; i++) {
    offer (pacer, i, i);
    take (pacer, i);
  }
  for (guint i = 0; i < 4; i++)
    g_assert_cmpuint (fal_pacer_get_oldest_after (pacer, i), ==, i + 1);
  g_assert_cmpuint (fal_pacer_get_oldest_after (pacer, 4), ==, G_MAXUINT64);
  for (guint i = 0; i <= 5; i++)
    g_assert_cmpint (fal_pacer_may_answer (pacer, i), ==, i >= 1 && i <= 4);
  answer (pacer, "1", 10);
  g_assert_false (fal_pacer_may_answer (pacer, 1));
}

static void
add_up (gpointer frame, gpointer sum)
{
  *(guint *) sum += GPOINTER_TO_UINT (frame);
}

static guint
sum_up (FalPacer *pacer)
{
  guint sum = 0;

  fal_pacer_foreach (pacer, add_up, &sum);
  return sum;
}

/* But those that were flushed away, though their requests are in flight. */
static void
test_all_frames_can_be_looked_at (void)
{
  g_autoptr (FalPacer) pacer = make (live);

  g_assert_cmpuint (sum_up (pacer), ==, 0);
  offer (pacer, 1, 5);
  take (pacer, 7);
  offer (pacer, 2, 8);
  g_assert_cmpuint (sum_up (pacer), ==, 1 + 2);
  fal_pacer_flush (pacer);
  offer (pacer, 4, 9);
  g_assert_cmpuint (sum_up (pacer), ==, 4);
}

/* The sums hold whatever happens in whatever order. */
static void
test_books_balance_whatever_happens (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (20261123);
  g_autoptr (FalPacer) pacer = make (live);
  guint64 frame = 0, offered = 0;
  gint64 now = 0;

  for (guint i = 0; i < 100000; i++) {
    g_autofree gchar *id = g_strdup_printf (
        "%d", g_rand_int_range (rand, 0, (gint) fal_pacer_get_counts (pacer)->sent + 2));
    FalPacerConfig config = live;

    config.adaptive = g_rand_boolean (rand);
    config.leaky = g_rand_boolean (rand);
    config.identified = g_rand_boolean (rand);
    config.trusted = g_rand_boolean (rand);
    config.streaming = g_rand_int_range (rand, 0, 4) == 0;
    config.opens = g_rand_boolean (rand);
    config.block_size = g_rand_int_range (rand, 0, 3);
    config.max_waiting = g_rand_int_range (rand, 1, 5);
    now += g_rand_int_range (rand, 0, 200);
    switch (g_rand_int_range (rand, 0, 12)) {
    case 11:
      fal_pacer_fail_opening (pacer, 0, g_rand_boolean (rand));
      break;
    case 0:
      fal_pacer_configure (pacer, &config);
      break;
    case 1:
      fal_pacer_set_online (pacer, 0, g_rand_boolean (rand));
      break;
    case 2:
      fal_pacer_lose (pacer, 0, g_rand_boolean (rand), g_rand_boolean (rand) ? frame : 0);
      break;
    case 3:
      fal_pacer_flush (pacer);
      break;
    case 4:
      fal_pacer_expire (pacer, 0, g_rand_boolean (rand), now * MS);
      break;
    case 5:
      fal_pacer_fail_oldest (pacer, 0);
      break;
    case 6:
      answer (pacer, g_rand_boolean (rand) ? id : NULL, now);
      break;
    case 7:
      fal_pacer_drain (pacer);
      break;
    case 8:
      take (pacer, now);
      break;
    case 9:
      fail (pacer, g_rand_boolean (rand) ? id : NULL, now);
      break;
    default:
      if (fal_pacer_has_room (pacer)) {
        offer (pacer, ++frame, now);
        offered++;
      }
    }
    check_books (pacer);
  }
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->in, ==, offered);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->answered, >, 100);
}

static void
test_an_urged_frame_waits_for_no_throttle (void)
{
  g_autoptr (FalPacer) pacer = make (live);

  offer (pacer, 1, 0);
  g_assert_cmpuint (take (pacer, 0), ==, 1);
  offer (pacer, 2, 10);
  g_assert_cmpint (next (pacer, 10), ==, 128);
  fal_pacer_urge (pacer);
  g_assert_cmpint (next (pacer, 10), ==, 10);
  g_assert_cmpuint (take (pacer, 10), ==, 2);
  answer (pacer, "1", 20);
  offer (pacer, 3, 30); /* and once only */
  g_assert_cmpint (next (pacer, 30), ==, 138);
}

/* With all that wait for it. */
static void
test_frames_are_urged_until_none_waits (void)
{
  FalPacerConfig config = live;
  g_autoptr (FalPacer) pacer = NULL;

  config.max_waiting = 2;
  config.max_in_flight = 4;
  pacer = make (config);
  offer (pacer, 1, 0);
  g_assert_cmpuint (take (pacer, 0), ==, 1);
  offer (pacer, 2, 10);
  offer (pacer, 3, 10);
  fal_pacer_urge (pacer);
  g_assert_cmpuint (take (pacer, 10), ==, 2);
  g_assert_cmpuint (take (pacer, 10), ==, 3);
  offer (pacer, 4, 11);
  g_assert_cmpint (next (pacer, 11), ==, 138);
}

static void
test_an_urged_frame_waits_for_the_window (void)
{
  g_autoptr (FalPacer) pacer = make (live);

  for (guint frame = 1; frame <= 3; frame++) {
    offer (pacer, frame, 0);
    fal_pacer_urge (pacer);
    g_assert_cmpuint (take (pacer, 0), ==, frame < 3 ? frame : 0);
  }
  answer (pacer, "1", 5);
  g_assert_cmpuint (take (pacer, 5), ==, 3);
}

static void
test_counts_that_begin_anew_balance (void)
{
  g_autoptr (FalPacer) pacer = make (live);

  for (guint frame = 1; frame <= 5; frame++) {
    offer (pacer, frame, 200 * frame);
    take (pacer, 200 * frame);
  }
  fal_pacer_reset_counts (pacer);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->in, ==, 3);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->sent, ==, 2);
  check_books (pacer);
  answer (pacer, "1", 1200);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->answered, ==, 1);
  check_books (pacer);
}

/* ---- several connections ---- */

/* The frame taken at @now, which must go over @lane; 0: none. */
static guint
take_over (FalPacer *pacer, guint lane, gint64 now)
{
  guint64 id;
  guint over;
  gpointer frame = fal_pacer_take (pacer, now * MS, &id, &over);

  if (frame != NULL)
    g_assert_cmpuint (over, ==, lane);
  return GPOINTER_TO_UINT (frame);
}

static guint
answer_over (FalPacer *pacer, guint lane, const gchar *text, gint64 now)
{
  g_autofree gchar *id = expand (text);
  FalPacerAnswer answer;

  fal_pacer_answer (pacer, lane, id, FALSE, now * MS, &answer);
  return GPOINTER_TO_UINT (answer.frame);
}

static guint
in_lane (FalPacer *pacer, guint lane)
{
  FalPacerLane view;

  fal_pacer_get_lane (pacer, lane, &view);
  return view.in_flight;
}

static void
test_frames_of_a_file_fill_all_lanes (void)
{
  g_autoptr (FalPacer) pacer = make_with_lanes (file, 2);

  for (guint i = 0; i < 4; i++) {
    offer (pacer, i + 1, 0);
    g_assert_cmpuint (take_over (pacer, i % 2, i), ==, i + 1);
  }
  offer (pacer, 5, 4);
  g_assert_cmpuint (take (pacer, 4), ==, 0);
  g_assert_cmpuint (answer_over (pacer, 1, "2", 5), ==, 2);
  g_assert_cmpuint (take_over (pacer, 1, 5), ==, 5);
  check_books (pacer);
}

static void
test_each_lane_has_its_throttle (void)
{
  g_autoptr (FalPacer) pacer = make_with_lanes (live, 2);

  offer (pacer, 1, 0);
  g_assert_cmpuint (take_over (pacer, 0, 0), ==, 1);
  offer (pacer, 2, 30);
  g_assert_cmpuint (take_over (pacer, 1, 30), ==, 2);
  offer (pacer, 3, 60);
  g_assert_cmpuint (take (pacer, 60), ==, 0);
  offer (pacer, 4, 90);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->dropped_throttled, ==, 1);
  g_assert_cmpint (next (pacer, 90), ==, 128);
  g_assert_cmpuint (take_over (pacer, 0, 128), ==, 4);
  pop_dropped (pacer);
}

/* Models of 100 ms, the lanes of which have answered some; @now is when the last was. */
static FalPacer *
make_with_known_lanes (guint n, gint64 *now)
{
  FalPacer *pacer = make_with_lanes (camera, n);

  *now = 0;
  for (guint i = 1; i <= 30; i++) {
    g_autofree gchar *id = g_strdup_printf ("%u", i);
    guint lane = (i - 1) % n;

    offer (pacer, i, *now);
    *now = MAX (*now, next (pacer, *now));
    g_assert_cmpuint (take_over (pacer, lane, *now), ==, i);
    *now += 100;
    g_assert_cmpuint (answer_over (pacer, lane, id, *now), ==, i);
  }
  return pacer;
}

/* Of two models that are free the second gets its frame a while after the first, so that results
 * come evenly; but one that is to go at once, or the last, is not kept for that, nor a frame of one
 * that does not adapt. */
static void
test_lanes_that_are_free_take_turns_evenly (void)
{
  FalPacerConfig fixed = camera;

  fixed.adaptive = FALSE;
  for (guint i = 0; i < 3; i++) {
    gint64 now;
    g_autoptr (FalPacer) pacer = make_with_known_lanes (2, &now);

    offer (pacer, 31, now);
    g_assert_cmpuint (take_over (pacer, 0, now), ==, 31);
    offer (pacer, 32, now);
    g_assert_cmpint (next (pacer, now), >, now + 10);
    g_assert_cmpint (next (pacer, now), <=, now + 50);
    if (i == 0)
      fal_pacer_urge (pacer);
    else if (i == 1)
      fal_pacer_drain (pacer);
    else
      fal_pacer_configure (pacer, &fixed);
    g_assert_cmpuint (take_over (pacer, 1, now), ==, 32);
  }
}

/* It went to no model. */
static void
test_a_broken_frame_keeps_no_lane_from_the_next (void)
{
  gint64 now;
  g_autoptr (FalPacer) pacer = make_with_known_lanes (2, &now);
  guint64 id;
  guint lane;

  offer (pacer, 31, now);
  g_assert_nonnull (fal_pacer_take (pacer, now * MS, &id, &lane));
  g_assert_true (fal_pacer_drop_invalid (pacer, id));
  pop_dropped (pacer);
  offer (pacer, 32, now);
  g_assert_cmpint (next (pacer, now), ==, now);
  check_books (pacer);
}

/* Before the first answers nobody knows how far apart frames should go. */
static void
test_lanes_of_which_nothing_is_known_are_all_tried_at_once (void)
{
  FalPacerConfig config = camera;
  g_autoptr (FalPacer) pacer = NULL;

  config.throttle_interval = 128 * MS;
  pacer = make_with_lanes (config, 2);
  for (guint i = 0; i < 2; i++) {
    offer (pacer, i + 1, 10 * i);
    g_assert_cmpuint (take_over (pacer, i, 10 * i), ==, i + 1);
  }
}

static void
test_a_lane_that_is_offline_takes_nothing (void)
{
  g_autoptr (FalPacer) pacer = make_with_lanes (file, 3);

  fal_pacer_set_online (pacer, 0, FALSE);
  for (guint i = 0; i < 4; i++) {
    offer (pacer, i + 1, 0);
    g_assert_cmpuint (take_over (pacer, 1 + i % 2, i), ==, i + 1);
  }
  for (guint i = 1; i < 3; i++)
    fal_pacer_set_online (pacer, i, FALSE);
  offer (pacer, 5, 4);
  g_assert_cmpuint (take (pacer, 4), ==, 0);
}

/* An answer over one lane says nothing of what is out on another. */
static void
test_an_answer_overtakes_nothing_of_another_lane (void)
{
  g_autoptr (FalPacer) pacer = make_with_lanes (live, 2);

  offer (pacer, 1, 0);
  take_over (pacer, 0, 0);
  offer (pacer, 2, 30);
  take_over (pacer, 1, 30);
  g_assert_cmpuint (answer_over (pacer, 1, "2", 80), ==, 2);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->lost, ==, 0);
  g_assert_cmpuint (get_oldest (pacer), ==, 1);
  g_assert_cmpuint (answer_over (pacer, 0, "1", 90), ==, 1);
  check_books (pacer);
}

static void
test_without_ids_each_lane_has_its_order (void)
{
  FalPacerConfig config = file;
  g_autoptr (FalPacer) pacer = NULL;

  config.identified = config.echo_known = FALSE;
  pacer = make_with_lanes (config, 2);
  offer (pacer, 1, 0);
  take_over (pacer, 0, 0);
  offer (pacer, 2, 0);
  take_over (pacer, 1, 1);
  offer (pacer, 3, 0);
  g_assert_cmpuint (take (pacer, 2), ==, 0);
  g_assert_cmpuint (answer_over (pacer, 1, NULL, 3), ==, 2);
  g_assert_cmpuint (answer_over (pacer, 0, NULL, 4), ==, 1);
  g_assert_cmpuint (take (pacer, 5), ==, 3);
}

static void
test_what_a_lane_had_out_goes_over_another (void)
{
  g_autoptr (FalPacer) pacer = make_with_lanes (file, 2);

  offer (pacer, 1, 0);
  take_over (pacer, 0, 0);
  offer (pacer, 2, 0);
  take_over (pacer, 1, 1);
  fal_pacer_set_online (pacer, 0, FALSE);
  fal_pacer_lose (pacer, 0, TRUE, 0);
  g_assert_cmpuint (in_lane (pacer, 1), ==, 1);
  g_assert_cmpuint (take_over (pacer, 1, 2), ==, 1);
  g_assert_cmpuint (in_lane (pacer, 1), ==, 2);
  fal_pacer_set_online (pacer, 0, TRUE);
  g_assert_cmpuint (answer_over (pacer, 0, "1", 9), ==, 0); /* of a connection that is no more */
  g_assert_cmpuint (answer_over (pacer, 1, "3", 9), ==, 1);
  check_books (pacer);
}

/* One that is late over its first lane is answered there all the same. */
static void
test_an_answer_may_come_over_the_lane_before (void)
{
  FalPacerConfig config = file;
  g_autoptr (FalPacer) pacer = NULL;

  config.request_timeout = 100 * MS;
  pacer = make_with_lanes (config, 2);
  offer (pacer, 1, 0);
  take_over (pacer, 0, 0);
  g_assert_cmpuint (fal_pacer_expire (pacer, 0, FALSE, 100 * MS), ==, 1);
  g_assert_cmpuint (take_over (pacer, 1, 100), ==, 1);
  g_assert_cmpuint (answer_over (pacer, 0, "1", 120), ==, 1);
  g_assert_cmpuint (in_lane (pacer, 1), ==, 0);
  g_assert_cmpuint (answer_over (pacer, 1, "2", 200), ==, 0);
  check_books (pacer);
}

/* The frame is out on each of them before it is known to be dead. */
static void
test_connections_that_die_at_once_are_one_death (void)
{
  g_autoptr (FalPacer) pacer = make_with_lanes (file, 4);

  offer (pacer, 1, 0);
  for (guint i = 0; i < 4; i++) {
    g_assert_cmpuint (take_over (pacer, i, i), ==, 1);
    fal_pacer_set_online (pacer, i, FALSE);
    fal_pacer_lose (pacer, i, TRUE, 0);
  }
  g_assert_false (fal_pacer_has_given_up (pacer));
  /* One that is made anew and dies counts, and so does the next. */
  for (guint i = 0; i < 2; i++) {
    fal_pacer_set_online (pacer, 2, TRUE);
    g_assert_cmpuint (take_over (pacer, 2, 10 + i), ==, 1);
    g_assert_cmpint (fal_pacer_has_given_up (pacer), ==, FALSE);
    fal_pacer_set_online (pacer, 2, FALSE);
    fal_pacer_lose (pacer, 2, TRUE, 0);
  }
  g_assert_true (fal_pacer_has_given_up (pacer));
  g_assert_cmpuint (pop_dropped (pacer), ==, 1);
  check_books (pacer);
}

static void
test_a_flush_is_of_all_lanes (void)
{
  g_autoptr (FalPacer) pacer = make_with_lanes (file, 2);

  for (guint i = 1; i <= 4; i++) {
    offer (pacer, i, 0);
    take (pacer, i);
  }
  fal_pacer_flush (pacer);
  g_assert_cmpuint (freed, ==, 4);
  g_assert_cmpuint (fal_pacer_get_in_flight (pacer), ==, 4);
  fal_pacer_abandon (pacer, TRUE);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->expired, ==, 4);
  check_books (pacer);
}

static void
test_counts_of_all_lanes_begin_anew (void)
{
  g_autoptr (FalPacer) pacer = make_with_lanes (file, 2);

  for (guint i = 1; i <= 4; i++) {
    offer (pacer, i, 0);
    take (pacer, i);
  }
  g_assert_cmpuint (answer_over (pacer, 0, "1", 5), ==, 1);
  g_assert_cmpuint (answer_over (pacer, 1, "2", 5), ==, 2);
  fal_pacer_reset_counts (pacer);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->sent, ==, 2);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->answered, ==, 0);
  check_books (pacer);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/pacer/" #name, test_##name)
  ADD (an_urged_frame_waits_for_no_throttle);
  ADD (frames_are_urged_until_none_waits);
  ADD (an_urged_frame_waits_for_the_window);
  ADD (counts_that_begin_anew_balance);
  ADD (first_frame_goes_at_once);
  ADD (one_may_always_wait_and_one_be_out);
  ADD (it_says_whether_an_offer_drops_a_frame);
  ADD (a_frame_is_throttled_until_the_interval_is_over);
  ADD (newest_goes_at_each_interval);
  ADD (trailing_frame_always_goes);
  ADD (end_of_stream_sends_the_trailing_frame_at_once);
  ADD (only_the_last_frame_of_a_stream_is_not_spaced);
  ADD (throttle_spaces_files_and_drops_nothing);
  ADD (zero_throttle_is_none);
  ADD (nothing_goes_past_the_window);
  ADD (waiting_frames_are_bounded_and_the_oldest_gives_way);
  ADD (replaced_is_told_from_throttled);
  ADD (an_id_finds_its_frame_and_older_ones_are_lost);
  ADD (a_foreign_id_answers_nothing);
  ADD (an_app_with_ids_of_its_own_is_matched_in_order);
  ADD (a_settled_reply_answers_nothing_that_went_after_it);
  ADD (without_ids_one_of_a_file_is_out_at_a_time);
  ADD (a_number_that_a_user_gave_counts_from_the_first_request_on);
  ADD (requests_that_failed_take_no_place);
  ADD (without_ids_two_never_leave_back_to_back);
  ADD (without_ids_a_swallowed_request_shifts_no_more_than_one_result);
  ADD (of_a_stream_without_ids_one_request_is_on_each_connection);
  ADD (a_stream_s_connection_is_kept_until_its_request_is_over);
  ADD (each_connection_is_opened_once);
  ADD (a_message_that_opens_the_connection_is_no_request);
  ADD (a_frame_that_cannot_open_the_connection_fails);
  ADD (foreign_ids_hold_nothing_up);
  ADD (a_part_of_a_block_is_not_awaited);
  ADD (the_last_part_of_a_block_expires);
  ADD (frames_of_a_block_go_at_the_rate);
  ADD (a_first_block_may_be_as_long_as_all);
  ADD (each_request_is_awaited);
  ADD (one_in_flight_until_the_first_reply_shows_whether_ids_come_back);
  ADD (a_reply_without_id_from_an_app_that_echoes_is_taken_only_when_sure);
  ADD (adaptive_requests_arrive_just_in_time);
  ADD (turned_adaptive_it_knows_what_is_in_flight);
  ADD (adaptive_requests_await_a_frame_about_to_come);
  ADD (other_requests_await_no_frame);
  ADD (requests_expire);
  ADD (a_lost_connection_loses_what_is_in_flight_when_live);
  ADD (a_lost_connection_loses_no_frame_of_a_file);
  ADD (a_foreign_id_before_the_first_echo_answers_nothing);
  ADD (an_id_of_another_connection_is_foreign);
  ADD (the_newest_frame_survives_its_connection);
  ADD (the_newest_frame_goes_again_only_where_nothing_waits);
  ADD (what_a_server_swallowed_goes_again);
  ADD (what_a_server_swallows_each_time_is_given_up);
  ADD (answers_of_a_file_may_come_out_of_order);
  ADD (a_late_answer_is_still_the_frame_s);
  ADD (a_late_answer_overtakes_nothing_that_went_after_it);
  ADD (a_frame_is_tried_three_times);
  ADD (a_request_that_connections_die_of_is_given_up);
  ADD (a_request_that_connections_may_die_of_goes_alone);
  ADD (all_that_is_given_up_is_told);
  ADD (only_a_connection_that_died_blames_its_requests);
  ADD (the_frame_that_goes_again_is_kept);
  ADD (frames_that_may_go_are_kept);
  ADD (a_failure_with_an_id_ends_its_request);
  ADD (failures_without_an_id_are_found_out);
  ADD (a_failure_without_an_id_is_of_one_request);
  ADD (a_failure_without_an_id_is_remembered);
  ADD (failures_without_an_id_are_no_later_requests);
  ADD (a_flush_forgets_frames_but_awaits_their_replies);
  ADD (a_flush_awaits_the_reply_to_what_went_again);
  ADD (a_flush_forgets_what_would_go_again);
  ADD (what_may_be_lost_is_decided_when_it_is_sent);
  ADD (an_error_before_anything_was_sent_again_fails_nothing);
  ADD (failures_are_counted);
  ADD (a_broken_frame_takes_no_turn);
  ADD (an_unchanged_frame_takes_no_turn);
  ADD (what_became_of_the_last_frame_is_known);
  ADD (a_frame_that_goes_again_is_awaited);
  ADD (an_older_frame_that_goes_again_is_not_the_last);
  ADD (a_frame_of_which_nothing_is_sent_is_counted);
  ADD (a_broken_frame_leaves_no_doubt_about_answers);
  ADD (giving_up_frees_everything);
  ADD (what_waits_when_the_time_is_over_is_told_where_it_is_offline);
  ADD (what_was_dropped_is_told);
  ADD (what_nobody_popped_is_freed);
  ADD (a_frame_that_would_come_too_late_is_not_sent);
  ADD (where_nothing_drops_late_frames_go_too);
  ADD (the_oldest_frame_is_known);
  ADD (which_frames_may_bring_a_result_is_known);
  ADD (all_frames_can_be_looked_at);
  ADD (books_balance_whatever_happens);
  ADD (frames_of_a_file_fill_all_lanes);
  ADD (each_lane_has_its_throttle);
  ADD (lanes_that_are_free_take_turns_evenly);
  ADD (a_broken_frame_keeps_no_lane_from_the_next);
  ADD (lanes_of_which_nothing_is_known_are_all_tried_at_once);
  ADD (a_lane_that_is_offline_takes_nothing);
  ADD (an_answer_overtakes_nothing_of_another_lane);
  ADD (without_ids_each_lane_has_its_order);
  ADD (what_a_lane_had_out_goes_over_another);
  ADD (an_answer_may_come_over_the_lane_before);
  ADD (connections_that_die_at_once_are_one_death);
  ADD (a_flush_is_of_all_lanes);
  ADD (counts_of_all_lanes_begin_anew);
  return g_test_run ();
}
