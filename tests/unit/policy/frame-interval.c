/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frame intervals with literal times, in milliseconds. */
#include "fal/policy/frame-interval.h"

#define MS G_TIME_SPAN_MILLISECOND

static FalFrameInterval
make (gint64 interval, guint frames)
{
  FalFrameInterval camera;

  fal_frame_interval_reset (&camera);
  for (guint i = 0; i < frames; i++)
    fal_frame_interval_note_frame (&camera, i * interval);
  return camera;
}

/* Frames at 0, 40 … 400 ms, and a model of 100 ms: patience is 3 ms. */
static void
test_a_frame_that_is_about_to_come_is_awaited (void)
{
  FalFrameInterval camera = make (40 * MS, 11);
  static const struct {
    gint64 time, answer;
  } rows[] = { { 410, 410 }, { 437, 437 }, { 438, 441500 }, { 440, 441500 }, { 441, 441500 },
    { 442, 442 }, { 470, 470 } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    gint64 answer = rows[i].answer > 1000 ? rows[i].answer : rows[i].answer * MS;

    g_assert_cmpint (fal_frame_interval_await (&camera, 100 * MS, rows[i].time * MS), ==, answer);
  }
}

/* Frames 40 ms apart and then one after 80 count as 45 ms apart: the next is due at 165 ms. */
static void
test_one_late_frame_moves_the_interval_by_an_eighth (void)
{
  FalFrameInterval camera = make (40 * MS, 2);

  g_assert_cmpint (fal_frame_interval_await (&camera, 100 * MS, 79 * MS), ==, 81500);
  fal_frame_interval_note_frame (&camera, 120 * MS);
  g_assert_cmpint (fal_frame_interval_await (&camera, 100 * MS, 162 * MS), ==, 162 * MS);
  g_assert_cmpint (fal_frame_interval_await (&camera, 100 * MS, 163 * MS), ==, 166500);
  g_assert_cmpint (fal_frame_interval_await (&camera, 100 * MS, 167 * MS), ==, 167 * MS);
}

static void
test_nothing_is_awaited_before_the_interval_is_known (void)
{
  for (guint frames = 0; frames < 2; frames++) {
    FalFrameInterval camera = make (40 * MS, frames);

    g_assert_cmpint (fal_frame_interval_await (&camera, 100 * MS, 39 * MS), ==, 39 * MS);
  }
}

/* The next frame comes soon enough by itself. */
static void
test_a_fast_model_waits_for_no_frame (void)
{
  FalFrameInterval camera = make (40 * MS, 11);

  for (gint64 time = 400; time < 450; time++)
    g_assert_cmpint (fal_frame_interval_await (&camera, 30 * MS, time * MS), ==, time * MS);
}

/* However fast frames come and however slow the model is: when the awaited one came it goes, the
 * next is not awaited as well. */
static void
test_the_frame_that_came_goes (void)
{
  static const gint64 intervals[] = { 1, 2, 5, 16, 33, 100 };

  for (guint i = 0; i < G_N_ELEMENTS (intervals); i++)
    for (gint64 service = 10; service < 20000; service *= 2) {
      FalFrameInterval camera = make (intervals[i] * MS, 20);
      gint64 came = camera.last + intervals[i] * MS * 9 / 10;

      fal_frame_interval_note_frame (&camera, came);
      g_assert_cmpint (fal_frame_interval_await (&camera, service * MS, came), ==, came);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/camera/" #name, test_##name)
  ADD (a_frame_that_is_about_to_come_is_awaited);
  ADD (one_late_frame_moves_the_interval_by_an_eighth);
  ADD (nothing_is_awaited_before_the_interval_is_known);
  ADD (a_fast_model_waits_for_no_frame);
  ADD (the_frame_that_came_goes);
  return g_test_run ();
}
