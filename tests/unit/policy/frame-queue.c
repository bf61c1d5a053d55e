/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The frame queue, with literal times; and worlds made by chance, in which frames must come out in
 * order, each once, with their own results where these came in time. */
#include "fal/policy/frame-queue.h"

#define MS G_TIME_SPAN_MILLISECOND
#define NOW 0
#define NEVER G_MAXINT64
#define HELD (200 * MS)
#define SIZE 1000

/* Frames, results and layers are the serials of their frames, on the heap. */
static guint living; /* how many there are */

typedef struct {
  gint count;
  guint64 serial;
} Thing;

static gpointer
thing_new (guint64 serial)
{
  Thing *thing = g_new (Thing, 1);

  *thing = (Thing) { 1, serial };
  living++;
  return thing;
}

static gpointer
thing_ref (gpointer thing)
{
  ((Thing *) thing)->count++;
  return thing;
}

static void
thing_unref (gpointer thing)
{
  if (--((Thing *) thing)->count > 0)
    return;
  living--;
  g_free (thing);
}

static guint64
serial_of (gconstpointer thing)
{
  return thing ? ((const Thing *) thing)->serial : 0;
}

typedef struct {
  FalFrameQueue *queue;
  guint64 pushed;
  guint64 may_come; /* a bit for each serial below 64 */
  guint epoch;
} Fixture;

static void
configure (Fixture *f, gint64 delay, guint64 max_bytes, gboolean drops)
{
  const FalFrameQueueConfig config = { delay, max_bytes, 2, drops };

  fal_frame_queue_configure (f->queue, &config);
}

static FalFrameQueue *
make_queue (void)
{
  const FalFrameQueueKinds kinds = { thing_unref, thing_unref, thing_ref, thing_unref };

  return fal_frame_queue_new (&kinds);
}

/* A live pipeline in which sinks have frames wait. */
static void
set_up (Fixture *f)
{
  *f = (Fixture) { .queue = make_queue () };
  configure (f, HELD, 100 * SIZE, TRUE);
}

static void
set_up_file (Fixture *f)
{
  set_up (f);
  configure (f, NEVER, 100 * SIZE, FALSE);
}

static void
tear_down (Fixture *f)
{
  fal_frame_queue_free (f->queue);
  g_assert_cmpuint (living, ==, 0);
}

/* Frame number @serial is due at as many times 30 ms. */
static gint64
due (guint64 serial)
{
  return serial * 30 * MS;
}

/* Frames up to number @last come, of which each may be answered. */
static void
push_to (Fixture *f, guint64 last)
{
  while (f->pushed < last) {
    const FalFrameMark mark = { ++f->pushed, due (f->pushed) * GST_USECOND, due (f->pushed),
      f->epoch, SIZE };

    f->may_come |= G_GUINT64_CONSTANT (1) << f->pushed;
    fal_frame_queue_push (f->queue, thing_new (f->pushed), &mark);
  }
}

static gboolean
may_come (guint64 serial, gpointer user)
{
  return (((const Fixture *) user)->may_come >> serial) & 1;
}

/* No result comes for these frames. */
static void
lose (Fixture *f, guint64 first, guint64 last)
{
  for (guint64 serial = first; serial <= last; serial++)
    f->may_come &= ~(G_GUINT64_CONSTANT (1) << serial);
  fal_frame_queue_settle (f->queue, may_come, f);
}

/* By how many milliseconds the first that needs it is older is returned in *@ahead. */
static FalFrameAnswer
answer_and_measure (Fixture *f, guint64 serial, guint *ahead)
{
  GstClockTime time;
  FalFrameAnswer answer = fal_frame_queue_answer (
      f->queue, serial, due (serial) * GST_USECOND, thing_new (serial), thing_new (serial), &time);

  *ahead = time / GST_MSECOND;
  return answer;
}

static FalFrameAnswer
answer (Fixture *f, guint64 serial)
{
  guint ahead;

  return answer_and_measure (f, serial, &ahead);
}

typedef struct {
  guint64 serial, result, before, after;
  guint weight;
} Shown;

static gboolean
take (Fixture *f, gboolean ends, gint64 now, Shown *shown)
{
  FalFrameTurn turn;

  if (!fal_frame_queue_take (f->queue, ends, now, &turn))
    return FALSE;
  *shown = (Shown) { turn.serial, serial_of (turn.result), serial_of (turn.before),
    serial_of (turn.after), turn.weight };
  g_assert_cmpuint (serial_of (turn.frame), ==, turn.serial);
  thing_unref (turn.frame);
  g_clear_pointer (&turn.result, thing_unref);
  g_clear_pointer (&turn.before, thing_unref);
  g_clear_pointer (&turn.after, thing_unref);
  return TRUE;
}

static void
expect (Fixture *f, gint64 now, guint64 serial, guint64 result, guint64 before, guint64 after)
{
  Shown shown;

  g_assert_true (take (f, FALSE, now, &shown));
  g_assert_cmpuint (shown.serial, ==, serial);
  g_assert_cmpuint (shown.result, ==, result);
  g_assert_cmpuint (shown.before, ==, before);
  g_assert_cmpuint (shown.after, ==, after);
}

static void
expect_nothing (Fixture *f, gint64 now)
{
  Shown shown;

  g_assert_false (take (f, FALSE, now, &shown));
}

/* ---- what goes when ---- */

static void
test_a_frame_waits_for_its_own_result (void)
{
  Fixture f;

  set_up (&f);
  push_to (&f, 1);
  expect_nothing (&f, due (1));
  g_assert_cmpint (answer (&f, 1), ==, FAL_FRAME_ANSWERED);
  g_assert_cmpint (fal_frame_queue_get_time (f.queue, FALSE), ==, NOW);
  expect (&f, due (1), 1, 1, 0, 0);
  tear_down (&f);
}

static void
test_one_between_two_results_waits_for_the_second (void)
{
  Fixture f;
  Shown shown;

  set_up (&f);
  push_to (&f, 5);
  answer (&f, 1);
  lose (&f, 2, 4);
  expect (&f, due (5), 1, 1, 0, 0);
  expect_nothing (&f, due (5));
  answer (&f, 5);
  for (guint i = 1; i < 4; i++) {
    g_assert_true (take (&f, FALSE, due (5), &shown));
    g_assert_cmpuint (shown.serial, ==, i + 1);
    g_assert_cmpuint (shown.result, ==, 0);
    g_assert_cmpuint (shown.before, ==, 1);
    g_assert_cmpuint (shown.after, ==, 5);
    g_assert_cmpuint (shown.weight, ==, 64 * i);
  }
  expect (&f, due (5), 5, 5, 1, 0);
  tear_down (&f);
}

/* An answer that may still come in between would count more. */
static void
test_an_answer_that_overtook_another_does_not_settle_it (void)
{
  Fixture f;

  set_up (&f);
  push_to (&f, 4);
  lose (&f, 1, 1);
  answer (&f, 4);
  expect_nothing (&f, due (4));
  answer (&f, 2);
  expect (&f, due (4), 1, 0, 0, 2);
  expect (&f, due (4), 2, 2, 0, 0);
  expect_nothing (&f, due (4)); /* number 3 may be answered yet */
  lose (&f, 3, 3);
  expect (&f, due (4), 3, 0, 2, 4);
  tear_down (&f);
}

static void
test_one_whose_time_is_over_goes_with_what_there_is (void)
{
  Fixture f;

  set_up (&f);
  push_to (&f, 4);
  g_assert_cmpint (fal_frame_queue_get_time (f.queue, FALSE), ==, due (1) + HELD);
  expect_nothing (&f, due (1) + HELD - 1);
  expect (&f, due (1) + HELD, 1, 0, 0, 0);
  answer (&f, 2);
  expect (&f, due (2), 2, 2, 0, 0);
  expect (&f, due (3) + HELD, 3, 0, 2, 0);
  tear_down (&f);
}

static void
test_it_goes_as_much_sooner_as_it_takes_to_make_ready (void)
{
  Fixture f;

  set_up (&f);
  push_to (&f, 1);
  fal_frame_queue_note_lead (f.queue, 8 * MS);
  g_assert_cmpint (fal_frame_queue_get_time (f.queue, FALSE), ==, due (1) + HELD - 8 * MS);
  fal_frame_queue_note_lead (f.queue, 16 * MS);
  g_assert_cmpint (fal_frame_queue_get_time (f.queue, FALSE), ==, due (1) + HELD - 16 * MS);
  fal_frame_queue_note_lead (f.queue, 8 * MS);
  g_assert_cmpint (fal_frame_queue_get_time (f.queue, FALSE), ==, due (1) + HELD - 15 * MS);
  fal_frame_queue_note_lead (f.queue, HELD);
  g_assert_cmpint (fal_frame_queue_get_time (f.queue, FALSE), ==, due (1) + HELD / 2);
  tear_down (&f);
}

static void
test_a_late_result_serves_the_frames_that_follow (void)
{
  Fixture f;

  set_up (&f);
  push_to (&f, 3);
  expect (&f, due (1) + HELD, 1, 0, 0, 0);
  expect (&f, due (2) + HELD, 2, 0, 0, 0);
  g_assert_cmpint (answer (&f, 2), ==, FAL_FRAME_LATE);
  g_assert_cmpint (answer (&f, 1), ==, FAL_FRAME_LATE); /* an older one does not */
  expect (&f, due (3) + HELD, 3, 0, 2, 0);
  tear_down (&f);
}

static void
test_without_a_delay_each_goes_at_once (void)
{
  Fixture f;

  set_up (&f);
  configure (&f, 0, 100 * SIZE, TRUE);
  push_to (&f, 1);
  expect (&f, due (1), 1, 0, 0, 0);
  answer (&f, 1);
  push_to (&f, 2);
  expect (&f, due (2), 2, 0, 1, 0);
  tear_down (&f);
}

static void
test_where_none_is_lost_none_has_its_time_over (void)
{
  Fixture f;

  set_up_file (&f);
  push_to (&f, 2);
  g_assert_cmpint (fal_frame_queue_get_time (f.queue, FALSE), ==, NEVER);
  answer (&f, 2);
  expect_nothing (&f, NEVER - 1);
  answer (&f, 1);
  expect (&f, NOW, 1, 1, 0, 0);
  expect (&f, NOW, 2, 2, 1, 0);
  tear_down (&f);
}

static void
test_at_the_end_none_waits_for_one_that_follows (void)
{
  Fixture f;
  Shown shown;

  set_up_file (&f);
  push_to (&f, 2);
  answer (&f, 1);
  lose (&f, 2, 2);
  expect (&f, NOW, 1, 1, 0, 0);
  expect_nothing (&f, NOW);
  g_assert_true (take (&f, TRUE, NOW, &shown));
  g_assert_cmpuint (shown.before, ==, 1);
  tear_down (&f);
}

/* It waits for nothing but its turn, and no other waits for it. */
static void
test_one_that_passes_goes_in_its_turn (void)
{
  const FalFrameMark mark = { .serial = 2, .time = GST_CLOCK_TIME_NONE, .passes = TRUE };
  Fixture f;

  set_up_file (&f);
  push_to (&f, 1);
  fal_frame_queue_push (f.queue, thing_new (2), &mark);
  f.pushed = 2;
  push_to (&f, 4);
  answer (&f, 1);
  lose (&f, 3, 3);
  g_assert_cmpint (answer (&f, 2), ==, FAL_FRAME_SURPLUS);
  expect (&f, NOW, 1, 1, 0, 0);
  expect (&f, NOW, 2, 0, 1, 0);
  expect_nothing (&f, NOW);
  answer (&f, 4);
  expect (&f, NOW, 3, 0, 1, 4);
  tear_down (&f);
}

static void
test_one_frame_has_one_result (void)
{
  Fixture f;

  set_up (&f);
  push_to (&f, 1);
  answer (&f, 1);
  g_assert_cmpint (answer (&f, 1), ==, FAL_FRAME_SURPLUS);
  expect (&f, due (1), 1, 1, 0, 0);
  tear_down (&f);
}

/* Frame 1 has gone, but what is shown is its result: 2 and 3 need the next. */
static void
test_after_a_late_result_the_next_is_needed_by_fewer (void)
{
  Fixture f;
  guint ahead;

  set_up (&f);
  push_to (&f, 1);
  expect (&f, due (1) + HELD, 1, 0, 0, 0);
  g_assert_cmpint (answer (&f, 1), ==, FAL_FRAME_LATE);
  push_to (&f, 3);
  g_assert_cmpint (answer_and_measure (&f, 3, &ahead), ==, FAL_FRAME_ANSWERED);
  g_assert_cmpuint (ahead, ==, 30);
  fal_frame_queue_clear (f.queue);
  g_assert_cmpint (answer (&f, 2), ==, FAL_FRAME_SURPLUS);
  push_to (&f, 5);
  answer_and_measure (&f, 5, &ahead);
  g_assert_cmpuint (ahead, ==, 0);
  tear_down (&f);
}

/* How far ahead a result is needed is asked of frames' times, which may be missing or go back. */
static void
test_without_times_that_rise_a_result_is_needed_by_its_own_frame (void)
{
  static const struct {
    GstClockTime first, third;
  } rows[] = { { 10, GST_CLOCK_TIME_NONE }, { GST_CLOCK_TIME_NONE, 10 }, { 30, 10 } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    GstClockTime ahead;
    Fixture f;

    set_up (&f);
    push_to (&f, 3);
    fal_frame_queue_answer (f.queue, 1, rows[i].first, thing_new (1), thing_new (1), &ahead);
    fal_frame_queue_answer (f.queue, 3, rows[i].third, thing_new (3), thing_new (3), &ahead);
    g_assert_cmpuint (ahead, ==, 0);
    tear_down (&f);
  }
}

/* The second of three frames, of which the others have results: the later one counts by how near it
 * is in time, or in number where times are missing or do not rise. */
static void
test_of_two_results_the_nearer_one_counts_more (void)
{
  static const struct {
    GstClockTime times[3];
    guint weight; /* of 256 */
  } rows[] = {
    { { 0, 10, 40 }, 64 },
    { { 10, 10, 40 }, 0 },
    { { 0, 40, 40 }, 256 },
    { { 40, 40, 40 }, 128 },
    { { 20, 10, 40 }, 128 },
    { { 0, 50, 40 }, 128 },
    { { GST_CLOCK_TIME_NONE, 10, 40 }, 128 },
    { { 0, GST_CLOCK_TIME_NONE, 40 }, 128 },
    { { 0, 10, GST_CLOCK_TIME_NONE }, 128 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    Shown shown;
    Fixture f;

    set_up (&f);
    for (guint64 serial = 1; serial <= 3; serial++) {
      const FalFrameMark mark = { .serial = serial, .time = rows[i].times[serial - 1] };

      fal_frame_queue_push (f.queue, thing_new (serial), &mark);
    }
    answer (&f, 1);
    answer (&f, 3);
    lose (&f, 2, 2);
    expect (&f, NOW, 1, 1, 0, 0);
    g_assert_true (take (&f, FALSE, NOW, &shown));
    g_assert_cmpuint (shown.weight, ==, rows[i].weight);
    tear_down (&f);
  }
}

/* ---- frames of another size, and flushes ---- */

static void
test_a_layer_fits_no_frame_of_another_epoch (void)
{
  Fixture f;

  set_up (&f);
  push_to (&f, 2);
  f.epoch = 1;
  push_to (&f, 4);
  answer (&f, 1);
  answer (&f, 4);
  lose (&f, 2, 3);
  expect (&f, due (4), 1, 1, 0, 0);
  expect (&f, due (4), 2, 0, 1, 0);
  expect (&f, due (4), 3, 0, 0, 4);
  expect (&f, due (4), 4, 4, 0, 0);
  g_assert_cmpint (answer (&f, 2), ==, FAL_FRAME_SURPLUS);
  tear_down (&f);
}

/* Frames of three sizes went out without a result: only that of the last size serves yet. */
static void
test_a_late_result_serves_only_frames_of_its_epoch (void)
{
  Fixture f;

  set_up (&f);
  for (f.epoch = 0; f.epoch < 3; f.epoch++)
    push_to (&f, 2 * (f.epoch + 1));
  lose (&f, 1, 6);
  for (guint64 serial = 1; serial <= 6; serial++) {
    Shown shown;

    g_assert_true (take (&f, TRUE, NOW, &shown));
  }
  for (guint64 serial = 1; serial <= 6; serial++)
    g_assert_cmpint (answer (&f, serial), ==, serial < 5 ? FAL_FRAME_SURPLUS : FAL_FRAME_LATE);
  tear_down (&f);
}

static void
test_a_late_result_does_not_fit_a_frame_of_another_epoch_that_waits (void)
{
  Fixture f;

  set_up (&f);
  push_to (&f, 1);
  expect (&f, due (1) + HELD, 1, 0, 0, 0);
  f.epoch = 1;
  push_to (&f, 2);
  g_assert_cmpint (answer (&f, 1), ==, FAL_FRAME_LATE);
  expect (&f, due (2) + HELD, 2, 0, 0, 0);
  tear_down (&f);
}

static void
test_a_flush_forgets_frames_and_layers (void)
{
  Fixture f;

  set_up (&f);
  push_to (&f, 2);
  answer (&f, 1);
  fal_frame_queue_clear (f.queue);
  g_assert_cmpuint (living, ==, 0);
  g_assert_cmpint (answer (&f, 2), ==, FAL_FRAME_SURPLUS);
  push_to (&f, 3);
  expect (&f, due (3) + HELD, 3, 0, 0, 0);
  g_assert_cmpint (answer (&f, 3), ==, FAL_FRAME_LATE);
  tear_down (&f);
}

/* ---- memory ---- */

static void
test_where_frames_drop_the_oldest_goes_before_its_time (void)
{
  Fixture f;

  set_up (&f);
  configure (&f, HELD, 4 * SIZE, TRUE);
  push_to (&f, 3);
  g_assert_true (fal_frame_queue_has_room (f.queue));
  expect_nothing (&f, due (1));
  push_to (&f, 4);
  expect (&f, due (1), 1, 0, 0, 0);
  expect_nothing (&f, due (1));
  tear_down (&f);
}

/* As where a sink is blocked. */
static void
test_what_nobody_takes_gives_way (void)
{
  Fixture f;
  gpointer dropped;

  set_up (&f);
  configure (&f, HELD, 4 * SIZE, TRUE);
  push_to (&f, 4);
  answer (&f, 1);
  push_to (&f, 6);
  g_assert_cmpuint (fal_frame_queue_get_length (f.queue), ==, 4);
  for (guint64 serial = 1; serial <= 2; serial++) {
    g_assert_true (fal_frame_queue_has_dropped (f.queue));
    dropped = fal_frame_queue_pop_dropped (f.queue);
    g_assert_cmpuint (serial_of (dropped), ==, serial);
    thing_unref (dropped);
  }
  g_assert_null (fal_frame_queue_pop_dropped (f.queue));
  expect (&f, due (1), 3, 0, 1, 0);
  tear_down (&f);
}

static void
test_where_none_is_lost_upstream_waits (void)
{
  Fixture f;

  set_up_file (&f);
  configure (&f, NEVER, 3 * SIZE, FALSE);
  push_to (&f, 2);
  g_assert_true (fal_frame_queue_has_room (f.queue));
  push_to (&f, 3);
  g_assert_false (fal_frame_queue_has_room (f.queue));
  expect_nothing (&f, NEVER - 1);
  answer (&f, 1);
  expect (&f, NOW, 1, 1, 0, 0);
  g_assert_true (fal_frame_queue_has_room (f.queue));
  tear_down (&f);
}

static void
test_few_frames_may_wait_however_large_they_are (void)
{
  Fixture f;

  set_up_file (&f);
  configure (&f, NEVER, 0, FALSE);
  push_to (&f, 1);
  g_assert_true (fal_frame_queue_has_room (f.queue));
  push_to (&f, 2);
  g_assert_false (fal_frame_queue_has_room (f.queue));
  tear_down (&f);
}

/* The next frame counts as large as the newest one. */
static void
test_there_is_room_for_a_whole_frame_or_none (void)
{
  Fixture f;

  set_up_file (&f);
  configure (&f, NEVER, 3 * SIZE + SIZE / 2, FALSE);
  push_to (&f, 2);
  g_assert_true (fal_frame_queue_has_room (f.queue));
  push_to (&f, 3);
  g_assert_false (fal_frame_queue_has_room (f.queue));
  tear_down (&f);
}

static void
test_one_frame_may_always_wait (void)
{
  const FalFrameQueueConfig drops = { HELD, 0, 0, TRUE }, waits = { HELD, 0, 0, FALSE };
  Fixture f;

  set_up (&f);
  fal_frame_queue_configure (f.queue, &drops);
  push_to (&f, 1);
  g_assert_cmpuint (fal_frame_queue_get_length (f.queue), ==, 1);
  fal_frame_queue_configure (f.queue, &waits);
  g_assert_false (fal_frame_queue_has_room (f.queue));
  tear_down (&f);
}

/* Whether they have a size or not. */
static void
test_no_more_than_600_frames_wait (void)
{
  for (gsize bytes = 0; bytes < 2; bytes++) {
    Fixture f;

    set_up (&f);
    for (guint64 serial = 1; serial <= 600; serial++) {
      const FalFrameMark mark = { .serial = serial, .bytes = bytes };

      configure (&f, NEVER, 100 * SIZE, FALSE);
      g_assert_true (fal_frame_queue_has_room (f.queue));
      configure (&f, NEVER, 100 * SIZE, TRUE);
      fal_frame_queue_push (f.queue, thing_new (serial), &mark);
    }
    g_assert_false (fal_frame_queue_has_dropped (f.queue));
    configure (&f, NEVER, 100 * SIZE, FALSE);
    g_assert_false (fal_frame_queue_has_room (f.queue));
    tear_down (&f);
  }
}

static void
add_serial (gpointer frame, gpointer sum)
{
  *(guint64 *) sum += serial_of (frame);
}

static void
test_it_knows_what_waits (void)
{
  guint64 sum = 0;
  Fixture f;

  set_up (&f);
  g_assert_cmpuint (fal_frame_queue_get_first (f.queue), ==, G_MAXUINT64);
  g_assert_null (fal_frame_queue_peek_first (f.queue));
  push_to (&f, 3);
  answer (&f, 1);
  expect (&f, NOW, 1, 1, 0, 0);
  g_assert_cmpuint (fal_frame_queue_get_first (f.queue), ==, 2);
  g_assert_cmpuint (serial_of (fal_frame_queue_peek_first (f.queue)), ==, 2);
  g_assert_cmpuint (fal_frame_queue_get_gone (f.queue), ==, 1);
  fal_frame_queue_foreach (f.queue, add_serial, &sum);
  g_assert_cmpuint (sum, ==, 2 + 3);
  tear_down (&f);
}

/* ---- frames that show what one before them showed ---- */

/* Frame number @serial is not sent, since it shows what frame number @other showed. */
static void
stand (Fixture *f, guint64 serial, guint64 other)
{
  fal_frame_queue_stand (f->queue, serial, other);
  lose (f, serial, serial);
}

static void
test_one_that_shows_the_same_waits_for_no_later_result (void)
{
  Fixture f;

  set_up_file (&f);
  push_to (&f, 4);
  answer (&f, 1);
  lose (&f, 1, 1);
  stand (&f, 2, 1);
  answer (&f, 4);
  expect (&f, due (4), 1, 1, 0, 0);
  expect (&f, due (4), 2, 0, 1, 0); /* number 3 may be answered yet */
  expect_nothing (&f, due (4));
  stand (&f, 3, 1);
  expect (&f, due (4), 3, 0, 1, 0);
  tear_down (&f);
}

/* Those between them show the same, too, whatever comes later. */
static void
test_one_before_it_waits_for_no_later_result (void)
{
  Fixture f;

  set_up (&f);
  push_to (&f, 5);
  answer (&f, 1);
  lose (&f, 1, 3);
  expect (&f, due (5), 1, 1, 0, 0);
  expect_nothing (&f, due (5));
  stand (&f, 4, 1);
  answer (&f, 5);
  expect (&f, due (5), 2, 0, 1, 0);
  expect (&f, due (5), 3, 0, 1, 0);
  expect (&f, due (5), 4, 0, 1, 0);
  tear_down (&f);
}

/* That may be a late one. */
static void
test_it_waits_for_the_result_that_stands (void)
{
  Fixture f;

  set_up (&f);
  push_to (&f, 3);
  stand (&f, 3, 2);
  answer (&f, 1);
  expect (&f, due (1), 1, 1, 0, 0);
  expect (&f, due (2) + HELD, 2, 0, 1, 0);
  expect_nothing (&f, due (2) + HELD);
  g_assert_cmpint (answer (&f, 2), ==, FAL_FRAME_LATE);
  expect (&f, due (2) + HELD, 3, 0, 2, 0);
  tear_down (&f);
}

static void
test_that_may_be_here_before_its_turn (void)
{
  Fixture f;

  set_up (&f);
  push_to (&f, 3);
  stand (&f, 3, 2);
  answer (&f, 2);
  lose (&f, 2, 2);
  expect_nothing (&f, due (3));
  lose (&f, 1, 1);
  expect (&f, due (3), 1, 0, 0, 2);
  expect (&f, due (3), 2, 2, 0, 0);
  expect (&f, due (3), 3, 0, 2, 0);
  tear_down (&f);
}

/* Then it is one of many between two others. */
static void
test_where_that_is_lost_it_lies_between (void)
{
  Fixture f;

  set_up (&f);
  push_to (&f, 4);
  stand (&f, 3, 2);
  answer (&f, 1);
  lose (&f, 1, 2);
  expect (&f, due (3), 1, 1, 0, 0);
  expect_nothing (&f, due (3));
  answer (&f, 4);
  expect (&f, due (3), 2, 0, 1, 4);
  expect (&f, due (3), 3, 0, 1, 4);
  tear_down (&f);
}

static void
test_it_says_whether_it_shows_what_stands (void)
{
  Fixture f;
  FalFrameTurn turn;

  set_up (&f);
  push_to (&f, 4);
  lose (&f, 2, 2); /* as may be known before */
  stand (&f, 2, 1);
  stand (&f, 4, 3);
  fal_frame_queue_stand (f.queue, 5, 1); /* that one is not here */
  answer (&f, 1);
  for (guint64 serial = 1; serial <= 4; serial++) {
    g_assert_true (fal_frame_queue_take (f.queue, FALSE, due (serial) + HELD, &turn));
    g_assert_cmpint (turn.stands, ==, serial == 2);
    g_assert_cmpuint (serial_of (turn.before), ==, serial > 1);
    thing_unref (turn.frame);
    g_clear_pointer (&turn.result, thing_unref);
    g_clear_pointer (&turn.before, thing_unref);
  }
  tear_down (&f);
}

static void
test_after_it_a_result_is_needed_by_fewer (void)
{
  Fixture f;
  guint ahead;

  set_up (&f);
  push_to (&f, 40);
  answer (&f, 1);
  stand (&f, 37, 1);
  answer_and_measure (&f, 40, &ahead);
  g_assert_cmpuint (ahead, ==, 60);
  tear_down (&f);
}

/* A camera goes on while a result takes its time: its frames stand for that one before it is here.
 */
static void
test_those_after_a_result_on_its_way_hide_none_before_it (void)
{
  Fixture f;
  guint ahead;

  set_up (&f);
  push_to (&f, 50);
  answer (&f, 1);
  stand (&f, 30, 1);
  stand (&f, 37, 1);
  stand (&f, 42, 40);
  stand (&f, 47, 45);
  answer_and_measure (&f, 40, &ahead);
  g_assert_cmpuint (ahead, ==, 60);
  answer_and_measure (&f, 45, &ahead);
  g_assert_cmpuint (ahead, ==, 60);
  answer_and_measure (&f, 50, &ahead);
  g_assert_cmpuint (ahead, ==, 60);
  tear_down (&f);
}

/* ---- how long frames wait ---- */

static void
test_a_result_is_needed_by_the_frames_since_the_one_before (void)
{
  Fixture f;
  guint ahead;

  set_up (&f);
  push_to (&f, 8);
  answer_and_measure (&f, 2, &ahead);
  g_assert_cmpuint (ahead, ==, 0); /* no result was before it */
  answer_and_measure (&f, 6, &ahead);
  g_assert_cmpuint (ahead, ==, 90); /* frame 3 needs it */
  answer_and_measure (&f, 4, &ahead);
  g_assert_cmpuint (ahead, ==, 0);
  answer_and_measure (&f, 7, &ahead);
  g_assert_cmpuint (ahead, ==, 0); /* nobody else */
  tear_down (&f);
}

/* ---- worlds made by chance ---- */

#define FRAMES 60

typedef struct {
  gint64 came[FRAMES + 1]; /* when its result came; NEVER: none does */
  gboolean sent[FRAMES + 1];
} World;

static gint64
get_arrival (guint64 serial)
{
  return serial * 30 * MS;
}

/* Some frames are sent, of these some are lost, and the others are answered after times that let
 * them overtake each other. */
static void
make_world (World *world, GRand *chance)
{
  for (guint i = 1; i <= FRAMES; i++) {
    world->sent[i] = g_rand_int_range (chance, 0, 3) == 0;
    world->came[i] = NEVER;
    if (world->sent[i] && g_rand_int_range (chance, 0, 8) > 0)
      world->came[i] = get_arrival (i) + g_rand_int_range (chance, 20, 300) * MS;
  }
}

/* A frame whose result came before its time was over has it. */
static void
check_shown (const World *world, const Shown *shown, guint64 last, gint64 now, gboolean file)
{
  gboolean in_time = world->came[shown->serial] < get_arrival (shown->serial) + HELD;

  g_assert_cmpuint (shown->serial, ==, last + 1);
  if (file ? world->came[shown->serial] != NEVER : in_time)
    g_assert_cmpuint (shown->result, ==, shown->serial);
  if (!file)
    g_assert_cmpint (now, <=, get_arrival (shown->serial) + HELD);
  if (shown->result != 0)
    return;
  g_assert_true (shown->before == 0 || world->came[shown->before] <= now);
  g_assert_true (shown->after == 0 || world->came[shown->after] <= now);
  if (shown->before != 0 && shown->after != 0) {
    g_assert_cmpuint (shown->before, <, shown->serial);
    g_assert_cmpuint (shown->after, >, shown->serial);
    g_assert_cmpuint (shown->weight, ==,
        (256 * (shown->serial - shown->before) + (shown->after - shown->before) / 2) /
            (shown->after - shown->before));
  }
}

/* A step of the world is a millisecond. */
static void
run_world (guint32 seed, gboolean file)
{
  g_autoptr (GRand) chance = g_rand_new_with_seed (seed);
  Fixture f;
  World world;
  Shown shown;
  guint64 last = 0;

  make_world (&world, chance);
  set_up (&f);
  configure (&f, file ? NEVER : HELD, 1000 * SIZE, !file);
  for (gint64 now = 0; now < get_arrival (FRAMES) + 400 * MS; now += MS) {
    if (now % (30 * MS) == 0 && now > 0)
      push_to (&f, MIN (now / (30 * MS), FRAMES));
    for (guint64 i = 1; i <= f.pushed; i++) {
      if (world.came[i] == now)
        answer (&f, i);
      if (!world.sent[i] || (world.came[i] == NEVER && now > get_arrival (i) + 350 * MS))
        lose (&f, i, i);
    }
    while (take (&f, f.pushed == FRAMES, now, &shown))
      check_shown (&world, &shown, last++, now, file);
  }
  g_assert_cmpuint (last, ==, FRAMES);
  tear_down (&f);
}

static void
test_in_any_world_each_comes_out_once_in_order_and_in_time (void)
{
  for (guint32 seed = 1; seed <= 200; seed++)
    run_world (seed, FALSE);
}

static void
test_in_any_file_each_that_was_answered_has_its_own (void)
{
  for (guint32 seed = 1; seed <= 200; seed++)
    run_world (seed, TRUE);
}

/* ---- frames without times, or with odd ones ---- */

/* Between two results frames are evenly spread by their times or, where these say nothing, by their
 * number. */
static void
test_where_times_say_nothing_frames_count (void)
{
  static const struct {
    GstClockTime times[4];
    guint weights[2]; /* of the second and the third */
  } rows[] = {
    { { 0, 30, 90, 120 }, { 64, 192 } },
    { { GST_CLOCK_TIME_NONE, 30, 90, 120 }, { 85, 171 } },
    { { 0, GST_CLOCK_TIME_NONE, 90, 120 }, { 85, 192 } },
    { { 0, 30, 90, GST_CLOCK_TIME_NONE }, { 85, 171 } },
    { { 60, 30, 90, 120 }, { 85, 128 } }, /* before the first result */
    { { 0, 30, 150, 120 }, { 64, 171 } }, /* after the second one */
    { { 60, 60, 60, 60 }, { 85, 171 } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    Fixture f;
    Shown shown;

    set_up_file (&f);
    for (guint k = 0; k < 4; k++) {
      const FalFrameMark mark = { k + 1, rows[i].times[k], due (k + 1), 0, SIZE };

      f.may_come |= G_GUINT64_CONSTANT (2) << k;
      fal_frame_queue_push (f.queue, thing_new (k + 1), &mark);
    }
    answer (&f, 1);
    answer (&f, 4);
    lose (&f, 2, 3);
    expect (&f, NOW, 1, 1, 0, 0);
    for (guint k = 0; k < 2; k++) {
      g_assert_true (take (&f, FALSE, NOW, &shown));
      g_assert_cmpuint (shown.serial, ==, k + 2);
      g_assert_cmpuint (shown.weight, ==, rows[i].weights[k]);
    }
    expect (&f, NOW, 4, 4, 1, 0);
    tear_down (&f);
  }
}

static guint
ahead_of (Fixture *f, guint64 serial, GstClockTime time)
{
  GstClockTime ahead;

  fal_frame_queue_answer (f->queue, serial, time, thing_new (serial), thing_new (serial), &ahead);
  return ahead;
}

static void
test_without_times_nothing_is_ahead (void)
{
  Fixture f;

  set_up (&f);
  push_to (&f, 9);
  g_assert_cmpuint (ahead_of (&f, 1, 100), ==, 0); /* the first of all */
  g_assert_cmpuint (ahead_of (&f, 4, 400), ==, 200);
  g_assert_cmpuint (ahead_of (&f, 6, GST_CLOCK_TIME_NONE), ==, 0);
  g_assert_cmpuint (ahead_of (&f, 8, 900), ==, 0);  /* the one before has none */
  g_assert_cmpuint (ahead_of (&f, 9, 800), ==, 0);  /* time went back */
  g_assert_cmpuint (ahead_of (&f, 7, 1000), ==, 0); /* an older frame */
  tear_down (&f);
}

/* What stands is told once, of a frame that waits. */
static void
test_only_a_frame_that_waits_can_stand (void)
{
  Fixture f;

  set_up (&f);
  push_to (&f, 3);
  answer (&f, 1);
  answer (&f, 2);
  fal_frame_queue_stand (f.queue, 2, 1); /* it has a result of its own */
  fal_frame_queue_stand (f.queue, 7, 1); /* it did not come */
  expect (&f, NOW, 1, 1, 0, 0);
  fal_frame_queue_stand (f.queue, 1, 1); /* it is gone */
  expect (&f, NOW, 2, 2, 1, 0);
  expect_nothing (&f, NOW);
  tear_down (&f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/frame-queue/" #name, test_##name)
  ADD (a_frame_waits_for_its_own_result);
  ADD (one_between_two_results_waits_for_the_second);
  ADD (an_answer_that_overtook_another_does_not_settle_it);
  ADD (one_whose_time_is_over_goes_with_what_there_is);
  ADD (it_goes_as_much_sooner_as_it_takes_to_make_ready);
  ADD (a_late_result_serves_the_frames_that_follow);
  ADD (without_a_delay_each_goes_at_once);
  ADD (where_none_is_lost_none_has_its_time_over);
  ADD (at_the_end_none_waits_for_one_that_follows);
  ADD (one_that_passes_goes_in_its_turn);
  ADD (one_frame_has_one_result);
  ADD (of_two_results_the_nearer_one_counts_more);
  ADD (after_a_late_result_the_next_is_needed_by_fewer);
  ADD (without_times_that_rise_a_result_is_needed_by_its_own_frame);
  ADD (a_layer_fits_no_frame_of_another_epoch);
  ADD (a_late_result_serves_only_frames_of_its_epoch);
  ADD (a_late_result_does_not_fit_a_frame_of_another_epoch_that_waits);
  ADD (a_flush_forgets_frames_and_layers);
  ADD (where_frames_drop_the_oldest_goes_before_its_time);
  ADD (what_nobody_takes_gives_way);
  ADD (where_none_is_lost_upstream_waits);
  ADD (few_frames_may_wait_however_large_they_are);
  ADD (there_is_room_for_a_whole_frame_or_none);
  ADD (one_frame_may_always_wait);
  ADD (no_more_than_600_frames_wait);
  ADD (it_knows_what_waits);
  ADD (one_that_shows_the_same_waits_for_no_later_result);
  ADD (one_before_it_waits_for_no_later_result);
  ADD (it_waits_for_the_result_that_stands);
  ADD (that_may_be_here_before_its_turn);
  ADD (where_that_is_lost_it_lies_between);
  ADD (it_says_whether_it_shows_what_stands);
  ADD (after_it_a_result_is_needed_by_fewer);
  ADD (those_after_a_result_on_its_way_hide_none_before_it);
  ADD (a_result_is_needed_by_the_frames_since_the_one_before);
  ADD (where_times_say_nothing_frames_count);
  ADD (without_times_nothing_is_ahead);
  ADD (only_a_frame_that_waits_can_stand);
  ADD (in_any_world_each_comes_out_once_in_order_and_in_time);
  ADD (in_any_file_each_that_was_answered_has_its_own);
  return g_test_run ();
}
