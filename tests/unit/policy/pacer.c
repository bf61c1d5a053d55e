/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pacer with literal times, in milliseconds. */
#include "fal/policy/pacer.h"
#include "fal/policy/request-id.h"
#include "fal/policy/in-flight.h"
#include <string.h>

#define MS G_TIME_SPAN_MILLISECOND
#define NEVER G_MAXINT64

static guint freed;

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

  return GPOINTER_TO_UINT (fal_pacer_take (pacer, now * MS, &id));
}

/* The frame that a reply with this id answers, a bare number standing for one of ours; 0: none. */
static guint
answer (FalPacer *pacer, const gchar *text, gint64 now)
{
  g_autofree gchar *ours = text && *text && text[strspn (text, "0123456789")] == '\0'
                               ? fal_request_id_format (g_ascii_strtoull (text, NULL, 10), 0)
                               : NULL;
  const gchar *id = ours ? ours : text;
  gint64 sent;
  guint64 serial;
  gboolean known;

  return GPOINTER_TO_UINT (fal_pacer_answer (pacer, id, now * MS, &sent, &serial, &known));
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

  g_assert_cmpuint (c->in, ==,
      c->sent + c->dropped_throttled + c->dropped_replaced + c->dropped_offline +
          c->dropped_flushed + fal_pacer_get_waiting (pacer));
  g_assert_cmpuint (c->sent, ==,
      c->answered + c->failed + c->expired + c->lost + fal_pacer_get_in_flight (pacer));
}

static FalPacer *
make (FalPacerConfig config)
{
  FalPacer *pacer = fal_pacer_new (count_freed);

  freed = 0;
  fal_pacer_configure (pacer, &config);
  fal_pacer_set_online (pacer, TRUE);
  return pacer;
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

static void
test_throttle_spaces_files_and_drops_nothing (void)
{
  g_autoptr (FalPacer) pacer = make (
      (FalPacerConfig){ .throttle_interval = 128 * MS, .max_waiting = 2, .max_in_flight = 2 });

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

  fal_pacer_set_online (pacer, FALSE);
  for (guint i = 1; i <= 5; i++)
    offer (pacer, i, i);
  g_assert_cmpuint (fal_pacer_get_waiting (pacer), ==, 3);
  g_assert_cmpuint (fal_pacer_get_oldest (pacer), ==, 3);
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
  g_autoptr (FalPacer) pacer = make ((FalPacerConfig){
      .max_waiting = 3, .max_in_flight = 3, .identified = TRUE, .echo_known = TRUE });

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
    g_assert_cmpuint (answer (pacer, ids[i], 1), ==, 0);
  g_assert_cmpuint (fal_pacer_get_in_flight (pacer), ==, 1);
}

/* Some servers number their results by themselves: that is no echo, even where the number fits. */
static void
test_an_app_with_ids_of_its_own_is_matched_in_order (void)
{
  g_autoptr (FalPacer) pacer =
      make ((FalPacerConfig){ .max_waiting = 4, .max_in_flight = 4, .identified = TRUE });

  for (guint i = 1; i <= 4; i++)
    offer (pacer, i, 0);
  g_assert_cmpuint (take (pacer, 0), ==, 1);
  g_assert_cmpuint (answer (pacer, "764cabcf-b745", 1), ==, 1);
  g_assert_false (fal_pacer_echoes (pacer));
  take (pacer, 1);
  take (pacer, 1);
  g_assert_cmpuint (answer (pacer, "x3", 2), ==, 2);
  g_assert_cmpuint (answer (pacer, "x2", 3), ==, 3);
}

static void
test_without_ids_replies_come_in_order (void)
{
  g_autoptr (FalPacer) pacer =
      make ((FalPacerConfig){ .max_waiting = 3, .max_in_flight = 5, .identified = FALSE });

  for (guint i = 1; i <= 3; i++)
    offer (pacer, i, 0);
  g_assert_cmpuint (take (pacer, 0), ==, 1);
  g_assert_cmpuint (answer (pacer, NULL, 1), ==, 1);
  g_assert_cmpuint (take (pacer, 2), ==, 2);
  g_assert_cmpuint (take (pacer, 2), ==, 3);
  offer (pacer, 4, 3);
  g_assert_cmpuint (take (pacer, 3), ==, 0); /* two is what can be matched safely */
  g_assert_cmpuint (answer (pacer, NULL, 4), ==, 2);
  g_assert_cmpuint (answer (pacer, NULL, 5), ==, 3);
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
  g_assert_cmpint (next (pacer, now), >, now + 50);
  g_assert_cmpint (next (pacer, now), <=, now + 100);
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

/* A camera of a frame each 30 ms before a model of 200: a frame that comes in a moment is waited
 * for, for a moment longer, and no longer. */
static void
test_adaptive_requests_await_a_frame_about_to_come (void)
{
  FalPacerConfig config = live;
  g_autoptr (FalPacer) pacer = NULL;
  gint64 now = 0, last;
  guint frames = 0;

  config.throttle_interval = 0;
  config.max_in_flight = 16;
  config.adaptive = TRUE;
  pacer = make (config);
  for (guint i = 1; i <= 30; i++) {
    g_autofree gchar *id = g_strdup_printf ("%u", i);

    for (film (pacer, &frames, now); take (pacer, now) == 0; film (pacer, &frames, now))
      now++;
    now += 200;
    answer (pacer, id, now);
  }
  last = frames * 30;
  film (pacer, &frames, last);
  g_assert_cmpint (next (pacer, last + 1), ==, last + 1);
  g_assert_cmpint (next (pacer, last + 24), ==, last + 24);
  g_assert_cmpint (next (pacer, last + 29), >, last + 30);
  g_assert_cmpint (next (pacer, last + 29), <=, last + 33);
  g_assert_cmpint (next (pacer, last + 33), ==, last + 33);
  check_books (pacer);
}

static void
test_requests_expire (void)
{
  g_autoptr (FalPacer) pacer = make (live);

  offer (pacer, 1, 0);
  take (pacer, 0);
  g_assert_cmpint (fal_pacer_next_expiry (pacer), ==, 10000 * MS);
  g_assert_cmpuint (fal_pacer_expire (pacer, 9999 * MS), ==, 0);
  g_assert_cmpuint (fal_pacer_expire (pacer, 10000 * MS), ==, 1);
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
  fal_pacer_set_online (pacer, FALSE);
  fal_pacer_lose (pacer);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->lost, ==, 1);
  g_assert_cmpuint (take (pacer, 500), ==, 0);
  fal_pacer_set_online (pacer, TRUE);
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
  fal_pacer_set_online (pacer, FALSE);
  fal_pacer_lose (pacer);
  check_books (pacer);
  g_assert_cmpuint (fal_pacer_get_in_flight (pacer), ==, 2);
  g_assert_cmpint (fal_pacer_next_expiry (pacer), ==, NEVER);
  g_assert_cmpuint (answer (pacer, "1", 1), ==, 0); /* a reply of the old connection */
  fal_pacer_set_online (pacer, TRUE);
  g_assert_cmpuint (take (pacer, 10), ==, 1);
  g_assert_cmpuint (take (pacer, 10), ==, 2);
  g_assert_cmpuint (take (pacer, 10), ==, 0);
  g_assert_cmpuint (answer (pacer, "1", 20), ==, 1);
  g_assert_cmpuint (answer (pacer, "2", 20), ==, 2);
  g_assert_cmpuint (take (pacer, 20), ==, 3);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->sent, ==, 3);
  g_assert_cmpuint (freed, ==, 0);
  check_books (pacer);
}

static void
test_a_flush_forgets_frames_but_awaits_their_replies (void)
{
  g_autoptr (FalPacer) pacer = make ((FalPacerConfig){
      .throttle_interval = 128 * MS, .max_waiting = 1, .max_in_flight = 2, .leaky = TRUE });
  gint64 sent;
  guint64 serial;
  gboolean known;

  offer (pacer, 1, 0);
  take (pacer, 0);
  offer (pacer, 2, 1);
  fal_pacer_flush (pacer);
  g_assert_cmpuint (freed, ==, 2);
  g_assert_cmpuint (fal_pacer_get_oldest (pacer), ==, G_MAXUINT64);
  offer (pacer, 3, 2);
  g_assert_cmpuint (take (pacer, 2), ==, 3); /* no throttle after a flush */
  g_assert_null (fal_pacer_answer (pacer, NULL, 3 * MS, &sent, &serial, &known));
  g_assert_true (known);
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
  fal_pacer_set_online (pacer, FALSE);
  fal_pacer_lose (pacer);
  fal_pacer_flush (pacer);
  g_assert_cmpuint (fal_pacer_get_in_flight (pacer), ==, 0);
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->lost, ==, 1);
  g_assert_cmpuint (freed, ==, 1);
  fal_pacer_set_online (pacer, TRUE);
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
  fal_pacer_lose (pacer);
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
  fal_pacer_lose (pacer);
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
  fal_pacer_lose (pacer);
  g_assert_false (fal_pacer_fail_oldest (pacer));
  g_assert_cmpuint (take (pacer, 1), ==, 1);
}

static void
test_failures_are_counted (void)
{
  g_autoptr (FalPacer) pacer = make (file);

  g_assert_false (fal_pacer_fail_oldest (pacer));
  offer (pacer, 1, 0);
  offer (pacer, 2, 0);
  take (pacer, 0);
  take (pacer, 0);
  g_assert_true (fal_pacer_fail (pacer, 2));
  g_assert_false (fal_pacer_fail (pacer, 2));
  g_assert_true (fal_pacer_fail_oldest (pacer));
  g_assert_cmpuint (fal_pacer_get_counts (pacer)->failed, ==, 2);
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
  g_assert_cmpuint (fal_pacer_get_oldest (pacer), ==, G_MAXUINT64);
  check_books (pacer);
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
  g_assert_cmpuint (fal_pacer_expire (pacer, 103 * MS), ==, 1);
  g_assert_cmpuint (pop_dropped (pacer), ==, 3);
  offer (pacer, 4, 110);
  g_assert_cmpuint (take (pacer, 110), ==, 4);
  fal_pacer_lose (pacer);
  g_assert_cmpuint (pop_dropped (pacer), ==, 4);
  offer (pacer, 5, 120);
  g_assert_cmpuint (take (pacer, 120), ==, 5);
  offer (pacer, 6, 121);
  fal_pacer_flush (pacer);
  fal_pacer_lose (pacer);
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
  fal_pacer_flush (pacer);
  offer (pacer, 5, 3);
  g_assert_cmpuint (take (pacer, 3), ==, 5);
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
  g_assert_cmpint (fal_pacer_get_oldest_sent (pacer), ==, NEVER);
  offer (pacer, 1, 5);
  g_assert_cmpuint (GPOINTER_TO_UINT (fal_pacer_peek_oldest (pacer)), ==, 1);
  take (pacer, 7);
  offer (pacer, 2, 8);
  g_assert_cmpuint (GPOINTER_TO_UINT (fal_pacer_peek_oldest (pacer)), ==, 1);
  g_assert_cmpint (fal_pacer_get_oldest_sent (pacer), ==, 7 * MS);
  g_assert_cmpuint (answer (pacer, "1", 9), ==, 1);
  g_assert_cmpuint (GPOINTER_TO_UINT (fal_pacer_peek_oldest (pacer)), ==, 2);
  g_assert_cmpint (fal_pacer_get_oldest_sent (pacer), ==, NEVER);
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
    config.max_waiting = g_rand_int_range (rand, 1, 5);
    now += g_rand_int_range (rand, 0, 200);
    switch (g_rand_int_range (rand, 0, 11)) {
    case 0:
      fal_pacer_configure (pacer, &config);
      break;
    case 1:
      fal_pacer_set_online (pacer, g_rand_boolean (rand));
      break;
    case 2:
      fal_pacer_lose (pacer);
      break;
    case 3:
      fal_pacer_flush (pacer);
      break;
    case 4:
      fal_pacer_expire (pacer, now * MS);
      break;
    case 5:
      fal_pacer_fail_oldest (pacer);
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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/pacer/" #name, test_##name)
  ADD (an_urged_frame_waits_for_no_throttle);
  ADD (an_urged_frame_waits_for_the_window);
  ADD (counts_that_begin_anew_balance);
  ADD (first_frame_goes_at_once);
  ADD (newest_goes_at_each_interval);
  ADD (trailing_frame_always_goes);
  ADD (end_of_stream_sends_the_trailing_frame_at_once);
  ADD (throttle_spaces_files_and_drops_nothing);
  ADD (zero_throttle_is_none);
  ADD (nothing_goes_past_the_window);
  ADD (waiting_frames_are_bounded_and_the_oldest_gives_way);
  ADD (replaced_is_told_from_throttled);
  ADD (an_id_finds_its_frame_and_older_ones_are_lost);
  ADD (a_foreign_id_answers_nothing);
  ADD (an_app_with_ids_of_its_own_is_matched_in_order);
  ADD (without_ids_replies_come_in_order);
  ADD (one_in_flight_until_the_first_reply_shows_whether_ids_come_back);
  ADD (a_reply_without_id_from_an_app_that_echoes_is_taken_only_when_sure);
  ADD (adaptive_requests_arrive_just_in_time);
  ADD (turned_adaptive_it_knows_what_is_in_flight);
  ADD (adaptive_requests_await_a_frame_about_to_come);
  ADD (requests_expire);
  ADD (a_lost_connection_loses_what_is_in_flight_when_live);
  ADD (a_lost_connection_loses_no_frame_of_a_file);
  ADD (a_flush_forgets_frames_but_awaits_their_replies);
  ADD (a_flush_awaits_the_reply_to_what_went_again);
  ADD (a_flush_forgets_what_would_go_again);
  ADD (what_may_be_lost_is_decided_when_it_is_sent);
  ADD (an_error_before_anything_was_sent_again_fails_nothing);
  ADD (failures_are_counted);
  ADD (giving_up_frees_everything);
  ADD (what_was_dropped_is_told);
  ADD (what_nobody_popped_is_freed);
  ADD (a_frame_that_would_come_too_late_is_not_sent);
  ADD (where_nothing_drops_late_frames_go_too);
  ADD (the_oldest_frame_is_known);
  ADD (books_balance_whatever_happens);
  return g_test_run ();
}
