/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The timeline with literal times. */
#include "fal/policy/timeline.h"

#define MS GST_MSECOND
#define NONE GST_CLOCK_TIME_NONE

typedef struct {
  GstSegment segment;
  FalTimeline timeline;
} Fixture;

static void
set_up (Fixture *f)
{
  gst_segment_init (&f->segment, GST_FORMAT_TIME);
  fal_timeline_reset (&f->timeline);
}

/* The time stamp of a result; NONE - 1: it comes too late. */
static GstClockTime
stamp (Fixture *f, FalTimestampMode mode, GstClockTime pts, GstClockTime now)
{
  FalMoment moment = { &f->segment, pts, 33 * MS, now, 0, 1 };
  GstClockTime out, duration;

  if (!fal_timeline_stamp (&f->timeline, mode, &moment, &out, &duration))
    return NONE - 1;
  g_assert_cmpuint (duration, ==, 33 * MS);
  return out;
}

static void
test_auto_is_arrival_only_live_and_without_latency (void)
{
  const FalTimestampMode a = FAL_TIMESTAMP_MODE_AUTO;

  g_assert_cmpint (fal_timeline_resolve (a, FALSE, -1), ==, FAL_TIMESTAMP_MODE_INPUT);
  g_assert_cmpint (fal_timeline_resolve (a, FALSE, 500), ==, FAL_TIMESTAMP_MODE_INPUT);
  g_assert_cmpint (fal_timeline_resolve (a, TRUE, 500), ==, FAL_TIMESTAMP_MODE_INPUT);
  g_assert_cmpint (fal_timeline_resolve (a, TRUE, 0), ==, FAL_TIMESTAMP_MODE_INPUT);
  g_assert_cmpint (fal_timeline_resolve (a, TRUE, -1), ==, FAL_TIMESTAMP_MODE_ARRIVAL);
  g_assert_cmpint (
      fal_timeline_resolve (FAL_TIMESTAMP_MODE_INPUT, TRUE, -1), ==, FAL_TIMESTAMP_MODE_INPUT);
}

static void
test_latency_is_reported_only_live_and_synchronised (void)
{
  const FalTimestampMode a = FAL_TIMESTAMP_MODE_AUTO;

  g_assert_cmpuint (fal_timeline_get_latency (a, TRUE, 800), ==, 800 * MS);
  g_assert_cmpuint (fal_timeline_get_latency (a, TRUE, 0), ==, 0);
  g_assert_cmpuint (fal_timeline_get_latency (a, TRUE, -1), ==, 0);
  g_assert_cmpuint (fal_timeline_get_latency (a, FALSE, 800), ==, 0);
  g_assert_cmpuint (fal_timeline_get_latency (FAL_TIMESTAMP_MODE_ARRIVAL, TRUE, 800), ==, 0);
}

static void
test_input_stamps_are_kept (void)
{
  Fixture f;

  set_up (&f);
  g_assert_cmpuint (stamp (&f, FAL_TIMESTAMP_MODE_INPUT, 100 * MS, 900 * MS), ==, 100 * MS);
  g_assert_cmpuint (stamp (&f, FAL_TIMESTAMP_MODE_INPUT, 133 * MS, 950 * MS), ==, 133 * MS);
}

static void
test_arrival_is_the_clock_in_the_segment (void)
{
  Fixture f;

  set_up (&f);
  f.segment.start = 5000 * MS;
  f.segment.base = 200 * MS;
  g_assert_cmpuint (stamp (&f, FAL_TIMESTAMP_MODE_ARRIVAL, 5100 * MS, 700 * MS), ==, 5500 * MS);
}

/* A frame that arrives at 5 s, where upstream takes 2 s to bring it, has the time of 3 s. */
static void
test_an_arrival_is_less_upstreams_latency (void)
{
  g_assert_cmpuint (fal_timeline_get_arrival (5000 * MS, 2000 * MS), ==, 3000 * MS);
  g_assert_cmpuint (fal_timeline_get_arrival (1000 * MS, 2000 * MS), ==, 0);
  g_assert_cmpuint (fal_timeline_get_arrival (NONE, 2000 * MS), ==, NONE);
}

static void
test_an_arrival_is_never_before_the_frame (void)
{
  Fixture f;

  set_up (&f);
  g_assert_cmpuint (stamp (&f, FAL_TIMESTAMP_MODE_ARRIVAL, 900 * MS, 400 * MS), ==, 900 * MS);
  g_assert_cmpuint (stamp (&f, FAL_TIMESTAMP_MODE_ARRIVAL, 910 * MS, 920 * MS), ==, 920 * MS);
}

/* Sinks have results wait, so that those of one frame are as far apart as they came, but within its
 * time. A late one is shown when it comes. */
static void
test_results_that_are_held_keep_their_distance_unless_they_are_late (void)
{
  Fixture f;
  FalMoment moment = { &f.segment, 900 * MS, 100 * MS, 800 * MS, 0, 0, .held = TRUE };
  GstClockTime pts, duration;

  set_up (&f);
  g_assert_true (
      fal_timeline_stamp (&f.timeline, FAL_TIMESTAMP_MODE_ARRIVAL, &moment, &pts, &duration));
  g_assert_cmpuint (pts, ==, 900 * MS);
  moment.since_first = 40 * MS;
  fal_timeline_stamp (&f.timeline, FAL_TIMESTAMP_MODE_ARRIVAL, &moment, &pts, &duration);
  g_assert_cmpuint (pts, ==, 940 * MS);
  moment.arrived = 990 * MS;
  fal_timeline_stamp (&f.timeline, FAL_TIMESTAMP_MODE_ARRIVAL, &moment, &pts, &duration);
  g_assert_cmpuint (pts, ==, 990 * MS);
}

/* A pad's offset of 5 s lays the segment into the future. */
static void
test_an_arrival_before_the_segment_has_the_frames_time (void)
{
  Fixture f;

  set_up (&f);
  f.segment.base = 5000 * MS;
  g_assert_cmpuint (stamp (&f, FAL_TIMESTAMP_MODE_ARRIVAL, 0, 300 * MS), ==, 0);
  g_assert_cmpuint (stamp (&f, FAL_TIMESTAMP_MODE_ARRIVAL, 33 * MS, 333 * MS), ==, 33 * MS);
}

static void
test_an_arrival_after_the_segment_stays_in_it (void)
{
  Fixture f;

  set_up (&f);
  f.segment.stop = 1000 * MS;
  g_assert_cmpuint (stamp (&f, FAL_TIMESTAMP_MODE_ARRIVAL, 900 * MS, 990 * MS), ==, 990 * MS);
  g_assert_cmpuint (stamp (&f, FAL_TIMESTAMP_MODE_ARRIVAL, 950 * MS, 1100 * MS), ==, 990 * MS);
}

/* Two pictures of a reply share its frame's span, and the next reply may come before its end. */
static void
test_arrivals_of_frames_in_order_are_in_order (void)
{
  Fixture f;

  set_up (&f);
  g_assert_cmpuint (stamp (&f, FAL_TIMESTAMP_MODE_ARRIVAL, 100 * MS, 300 * MS), ==, 300 * MS);
  g_assert_cmpuint (stamp (&f, FAL_TIMESTAMP_MODE_ARRIVAL, 133 * MS, 290 * MS), ==, 300 * MS);
}

static void
test_without_a_clock_arrival_keeps_the_input (void)
{
  Fixture f;

  set_up (&f);
  g_assert_cmpuint (stamp (&f, FAL_TIMESTAMP_MODE_ARRIVAL, 100 * MS, NONE), ==, 100 * MS);
}

/* The same, told of the frame first, which is number @serial. */
static GstClockTime
stamp_frame (Fixture *f, FalTimestampMode mode, guint64 serial, GstClockTime pts, GstClockTime now)
{
  GstClockTime frame = gst_segment_to_running_time (&f->segment, GST_FORMAT_TIME, pts);

  if (!fal_timeline_note_frame (&f->timeline, serial, frame))
    return NONE - 1;
  return stamp (f, mode, pts, now);
}

static void
test_output_time_does_not_go_back_by_itself (void)
{
  const FalTimestampMode in = FAL_TIMESTAMP_MODE_INPUT;
  Fixture f;

  set_up (&f);
  stamp_frame (&f, in, 5, 200 * MS, NONE); /* as a fallback does */
  g_assert_true (fal_timeline_note_frame (&f.timeline, 4, NONE));
  g_assert_true (fal_timeline_note_frame (&f.timeline, 4, 200 * MS));
  g_assert_cmpuint (stamp_frame (&f, in, 4, 199 * MS, NONE), ==, NONE - 1);
  g_assert_cmpuint (stamp_frame (&f, in, 5, 200 * MS, NONE), ==, 200 * MS);
  fal_timeline_reset (&f.timeline);
  g_assert_cmpuint (stamp_frame (&f, in, 6, 0, NONE), ==, 0);
}

/* Concatenated files, and frames in any order. */
static void
test_output_time_goes_back_with_the_frames (void)
{
  static const guint times[] = { 10000, 10100, 10200, 0, 100, 200, 150, 300, 250 };
  Fixture f;

  set_up (&f);
  for (guint i = 0; i < G_N_ELEMENTS (times); i++)
    g_assert_cmpuint (
        stamp_frame (&f, FAL_TIMESTAMP_MODE_INPUT, i + 1, times[i] * MS, NONE), ==, times[i] * MS);
}

static void
test_arrivals_go_on_at_once_where_the_frames_go_back (void)
{
  const FalTimestampMode at = FAL_TIMESTAMP_MODE_ARRIVAL;
  Fixture f;

  set_up (&f);
  g_assert_cmpuint (stamp_frame (&f, at, 1, 10000 * MS, 100 * MS), ==, 10000 * MS);
  g_assert_cmpuint (stamp_frame (&f, at, 2, 10100 * MS, 200 * MS), ==, 10100 * MS);
  g_assert_cmpuint (stamp_frame (&f, at, 3, 0, 300 * MS), ==, 300 * MS);
  g_assert_cmpuint (stamp_frame (&f, at, 4, 100 * MS, 400 * MS), ==, 400 * MS);
}

/* Frame 3 went back and was filled in for; that frame 2 is answered after all is too late, though
 * its own time is a later one. */
static void
test_what_comes_from_before_the_frames_went_back_is_too_late (void)
{
  const FalTimestampMode in = FAL_TIMESTAMP_MODE_INPUT;
  Fixture f;

  set_up (&f);
  stamp_frame (&f, in, 1, 10000 * MS, NONE);
  stamp_frame (&f, in, 3, 0, NONE);
  g_assert_cmpuint (stamp_frame (&f, in, 2, 10100 * MS, NONE), ==, NONE - 1);
  g_assert_cmpuint (stamp_frame (&f, in, 4, 33 * MS, NONE), ==, 33 * MS);
}

/* The time of a frame that goes by as it goes out. */
static GstClockTime
pass (Fixture *f, guint64 serial, GstClockTime pts)
{
  FalMoment moment = { &f->segment, pts, 33 * MS, NONE, 0, 1 };
  GstClockTime out;

  fal_timeline_note_frame (&f->timeline, serial, pts);
  fal_timeline_pass (&f->timeline, &moment, &out);
  return out;
}

static void
test_frames_that_go_by_keep_their_time (void)
{
  static const guint times[] = { 10000, 10100, 0, 200, 100, 300 };
  Fixture f;

  set_up (&f);
  for (guint i = 0; i < G_N_ELEMENTS (times); i++)
    g_assert_cmpuint (pass (&f, i + 1, times[i] * MS), ==, times[i] * MS);
}

/* It is not dropped, and does not go out before the result. */
static void
test_a_frame_that_goes_by_after_a_later_result_has_its_time (void)
{
  Fixture f;

  set_up (&f);
  stamp_frame (&f, FAL_TIMESTAMP_MODE_ARRIVAL, 1, 100 * MS, 240 * MS);
  g_assert_cmpuint (pass (&f, 2, 233 * MS), ==, 240 * MS);
  g_assert_cmpuint (pass (&f, 3, 266 * MS), ==, 266 * MS);
}

static void
test_no_stamp_stays_none (void)
{
  Fixture f;

  set_up (&f);
  stamp (&f, FAL_TIMESTAMP_MODE_INPUT, 200 * MS, NONE);
  g_assert_cmpuint (stamp (&f, FAL_TIMESTAMP_MODE_INPUT, NONE, NONE), ==, NONE);
}

static void
test_another_format_is_left_alone (void)
{
  Fixture f;

  set_up (&f);
  gst_segment_init (&f.segment, GST_FORMAT_BYTES);
  g_assert_cmpuint (stamp (&f, FAL_TIMESTAMP_MODE_ARRIVAL, NONE, 500 * MS), ==, NONE);
}

static void
test_pictures_of_one_frame_share_its_span (void)
{
  static const GstClockTime starts[] = { 1000, 1033, 1066 }, lengths[] = { 33, 33, 34 };
  Fixture f;

  set_up (&f);
  for (guint i = 0; i < 3; i++) {
    FalMoment moment = { &f.segment, 1000, 100, NONE, i, 3 };
    GstClockTime pts, duration;

    g_assert_true (
        fal_timeline_stamp (&f.timeline, FAL_TIMESTAMP_MODE_INPUT, &moment, &pts, &duration));
    g_assert_cmpuint (pts, ==, starts[i]);
    g_assert_cmpuint (duration, ==, lengths[i]);
  }
}

/* The second of two begins in the middle, and lasts until nobody knows when where the frame does.
 */
static void
test_two_pictures_of_one_frame_have_half_of_it_each (void)
{
  static const GstClockTime durations[] = { 100, NONE }, starts[] = { 1050, 1000 };
  static const GstClockTime lengths[] = { 50, NONE };
  Fixture f;

  set_up (&f);
  for (guint i = 0; i < 2; i++) {
    FalMoment moment = { &f.segment, 1000, durations[i], NONE, 1, 2 };
    GstClockTime pts, duration;

    fal_timeline_reset (&f.timeline);
    g_assert_true (
        fal_timeline_stamp (&f.timeline, FAL_TIMESTAMP_MODE_INPUT, &moment, &pts, &duration));
    g_assert_cmpuint (pts, ==, starts[i]);
    g_assert_cmpuint (duration, ==, lengths[i]);
  }
}

/* The first comes with the frame's time, the others as much later as they came; in the second half
 * of the frame's span a little less, so that each is later than the one before, and none reaches
 * its end.
 */
static void
test_results_without_a_known_number_stay_within_the_span_and_grow (void)
{
  static const struct {
    guint64 since_first, pts;
  } rows[] = { { 0, 1000 }, { 10, 1010 }, { 20, 1020 }, { 25, 1024 }, { 40, 1030 }, { 100, 1036 },
    { 200, 1038 } };
  Fixture f;

  set_up (&f);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    FalMoment moment = { &f.segment, 1000 * MS, 40 * MS, NONE, i, 0, rows[i].since_first * MS };
    GstClockTime pts, duration;

    g_assert_true (
        fal_timeline_stamp (&f.timeline, FAL_TIMESTAMP_MODE_INPUT, &moment, &pts, &duration));
    g_assert_cmpuint (pts, ==, rows[i].pts * MS);
    g_assert_cmpuint (duration, ==, NONE);
  }
}

/* A still picture has no end that they could run over. */
static void
test_results_for_a_still_picture_go_on (void)
{
  Fixture f;
  FalMoment moment = { &f.segment, 0, NONE, NONE, 7, 0, 5000 * MS };
  GstClockTime pts, duration;

  set_up (&f);
  g_assert_true (
      fal_timeline_stamp (&f.timeline, FAL_TIMESTAMP_MODE_INPUT, &moment, &pts, &duration));
  g_assert_cmpuint (pts, ==, 5000 * MS);
}

/* ---- what can still come ---- */

static GstClockTime
horizon (FalTimestampMode mode, GstClockTime oldest, GstClockTime newest, GstClockTime patience)
{
  const FalOutlook outlook = { oldest, newest, patience };

  return fal_timeline_get_horizon (mode, &outlook, 5000 * MS);
}

static void
test_the_horizon_is_the_oldest_frame_that_may_be_answered (void)
{
  const FalTimestampMode in = FAL_TIMESTAMP_MODE_INPUT, at = FAL_TIMESTAMP_MODE_ARRIVAL;

  g_assert_cmpuint (horizon (in, 1000 * MS, 4900 * MS, NONE), ==, 1000 * MS);
  g_assert_cmpuint (horizon (in, NONE, 4900 * MS, NONE), ==, 4900 * MS);
  g_assert_cmpuint (horizon (in, NONE, NONE, NONE), ==, NONE);
  g_assert_cmpuint (horizon (at, 1000 * MS, 4900 * MS, NONE), ==, 5000 * MS);
  g_assert_cmpuint (horizon (at, 1000 * MS, NONE, NONE), ==, 5000 * MS);
  /* A pad's offset lays the frames into the future. */
  g_assert_cmpuint (horizon (at, 1000 * MS, 5900 * MS, NONE), ==, 5900 * MS);
}

static void
test_in_an_outage_the_horizon_follows_the_newest_frame (void)
{
  const FalTimestampMode in = FAL_TIMESTAMP_MODE_INPUT;

  g_assert_cmpuint (horizon (in, 1000 * MS, 4900 * MS, 800 * MS), ==, 4100 * MS);
  g_assert_cmpuint (horizon (in, 4500 * MS, 4900 * MS, 800 * MS), ==, 4500 * MS);
  g_assert_cmpuint (horizon (in, 100 * MS, 300 * MS, 800 * MS), ==, 100 * MS);
  g_assert_cmpuint (horizon (in, 100 * MS, NONE, 800 * MS), ==, 100 * MS);
}

static void
test_a_gap_reaches_from_the_last_output_to_the_horizon (void)
{
  Fixture f;
  GstClockTime time, duration;

  set_up (&f);
  f.segment.base = 10000 * MS;
  f.segment.start = f.segment.position = 2000 * MS;
  g_assert_false (fal_timeline_take_gap (&f.timeline, &f.segment, 20000 * MS, 0, &time, &duration));
  stamp (&f, FAL_TIMESTAMP_MODE_INPUT, 2100 * MS, NONE); /* running time 10100 to 10133 */
  g_assert_false (
      fal_timeline_take_gap (&f.timeline, &f.segment, 10632 * MS, 500 * MS, &time, &duration));
  g_assert_true (
      fal_timeline_take_gap (&f.timeline, &f.segment, 10633 * MS, 500 * MS, &time, &duration));
  g_assert_cmpuint (time, ==, 2133 * MS);
  g_assert_cmpuint (duration, ==, 500 * MS);
  g_assert_cmpuint (stamp (&f, FAL_TIMESTAMP_MODE_INPUT, 2632 * MS, NONE), ==, NONE - 1);
  g_assert_cmpuint (stamp (&f, FAL_TIMESTAMP_MODE_INPUT, 2633 * MS, NONE), ==, 2633 * MS);
}

/* Time stamps in whole milliseconds are less than a span apart now and then. */
static void
test_a_frame_that_is_passed_over_costs_the_next_nothing (void)
{
  Fixture f;
  GstClockTime time, duration, span = GST_SECOND / 30;

  set_up (&f);
  stamp (&f, FAL_TIMESTAMP_MODE_INPUT, 300 * MS, NONE);
  g_assert_true (
      fal_timeline_pass_over (&f.timeline, &f.segment, 333 * MS, span, &time, &duration));
  g_assert_cmpuint (time + duration, ==, 333 * MS + span);
  g_assert_cmpuint (stamp (&f, FAL_TIMESTAMP_MODE_INPUT, 332 * MS, NONE), ==, NONE - 1);
  g_assert_cmpuint (stamp (&f, FAL_TIMESTAMP_MODE_INPUT, 366 * MS, NONE), ==, 366 * MS);
}

/* Whether a result of this age, in ms, is told of, where 300 are promised. */
static gboolean
is_told (Fixture *f, guint age, guint latency)
{
  return fal_timeline_note_age (&f->timeline, age * MS, latency * MS);
}

static void
test_there_is_no_gap_before_the_first_output_nor_in_other_formats (void)
{
  Fixture f;
  GstClockTime time, duration;

  set_up (&f);
  for (guint i = 1; i < 3; i++)
    g_assert_false (
        fal_timeline_take_gap (&f.timeline, &f.segment, i * 900 * MS, 500 * MS, &time, &duration));
  stamp_frame (&f, FAL_TIMESTAMP_MODE_INPUT, 1, 100 * MS, NONE);
  f.segment.format = GST_FORMAT_BYTES;
  g_assert_false (
      fal_timeline_take_gap (&f.timeline, &f.segment, 900 * MS, 500 * MS, &time, &duration));
  f.segment.format = GST_FORMAT_TIME;
  g_assert_true (
      fal_timeline_take_gap (&f.timeline, &f.segment, 900 * MS, 500 * MS, &time, &duration));
  g_assert_cmpuint (duration, ==, 767 * MS); /* since the end of the first */
}

/* Gaps, too, follow frames that went back. */
static void
test_a_gap_begins_where_the_frames_went_back_to (void)
{
  Fixture f;
  GstClockTime time, duration;

  set_up (&f);
  stamp_frame (&f, FAL_TIMESTAMP_MODE_INPUT, 1, 10000 * MS, NONE);
  g_assert_true (fal_timeline_went_back (&f.timeline, 2, 100 * MS));
  g_assert_false (fal_timeline_went_back (&f.timeline, 2, 10000 * MS));
  g_assert_false (fal_timeline_went_back (&f.timeline, 1, 100 * MS));
  g_assert_false (
      fal_timeline_take_gap (&f.timeline, &f.segment, 900 * MS, 500 * MS, &time, &duration));
  fal_timeline_begin_anew (&f.timeline, 100 * MS);
  g_assert_true (
      fal_timeline_take_gap (&f.timeline, &f.segment, 900 * MS, 500 * MS, &time, &duration));
  g_assert_cmpuint (time, ==, 100 * MS);
  g_assert_cmpuint (duration, ==, 800 * MS);
  g_assert_cmpuint (stamp_frame (&f, FAL_TIMESTAMP_MODE_INPUT, 2, 100 * MS, NONE), ==, NONE - 1);
  g_assert_cmpuint (stamp_frame (&f, FAL_TIMESTAMP_MODE_INPUT, 3, 900 * MS, NONE), ==, 900 * MS);
}

static void
test_only_a_row_of_late_results_is_told_and_once (void)
{
  Fixture f;

  set_up (&f);
  for (guint round = 0; round < 2; round++) {
    for (guint i = 1; i < 8; i++)
      g_assert_false (is_told (&f, 301, 300));
    g_assert_false (is_told (&f, 300, 300));
  }
  for (guint i = 1; i < 8; i++)
    g_assert_false (is_told (&f, 400, 300));
  g_assert_true (is_told (&f, 400, 300));
  for (guint i = 0; i < 100; i++)
    g_assert_false (is_told (&f, 400, 300));
  for (guint i = 1; i < 8; i++) /* another promise */
    g_assert_false (is_told (&f, 400, 350));
  g_assert_true (is_told (&f, 400, 350));
}

/* On arrival it is then that which a frame has that comes now. */
static void
test_a_frame_without_a_time_has_none_unless_results_have_their_arrivals (void)
{
  Fixture f;
  FalMoment moment = { &f.segment, NONE, 100 * MS, NONE, 1, 2, 40 * MS };
  GstClockTime pts, duration;

  set_up (&f);
  g_assert_cmpuint (stamp (&f, FAL_TIMESTAMP_MODE_ARRIVAL, NONE, 700 * MS), ==, 700 * MS);
  g_assert_true (
      fal_timeline_stamp (&f.timeline, FAL_TIMESTAMP_MODE_INPUT, &moment, &pts, &duration));
  g_assert_cmpuint (pts, ==, NONE);
  g_assert_cmpuint (duration, ==, 50 * MS);
  moment.count = 0;
  g_assert_true (
      fal_timeline_stamp (&f.timeline, FAL_TIMESTAMP_MODE_INPUT, &moment, &pts, &duration));
  g_assert_cmpuint (pts, ==, NONE);
  g_assert_cmpuint (duration, ==, NONE);
}

/* Nobody knows how many there will be, nor need know. */
static void
test_results_that_are_not_held_have_the_time_at_which_they_come (void)
{
  Fixture f;
  FalMoment moment = { &f.segment, 900 * MS, 100 * MS, 990 * MS, 0, 0, 40 * MS };
  GstClockTime pts, duration;

  set_up (&f);
  g_assert_true (
      fal_timeline_stamp (&f.timeline, FAL_TIMESTAMP_MODE_ARRIVAL, &moment, &pts, &duration));
  g_assert_cmpuint (pts, ==, 990 * MS);
}

static void
test_without_a_clock_the_horizon_is_that_of_the_frames (void)
{
  const FalOutlook outlook = { 1000 * MS, 4900 * MS, NONE };

  g_assert_cmpuint (
      fal_timeline_get_horizon (FAL_TIMESTAMP_MODE_ARRIVAL, &outlook, NONE), ==, 1000 * MS);
}

static void
test_where_nothing_is_known_there_is_no_gap (void)
{
  Fixture f;
  GstClockTime time, duration;

  set_up (&f);
  stamp (&f, FAL_TIMESTAMP_MODE_INPUT, 0, NONE);
  g_assert_false (fal_timeline_take_gap (&f.timeline, &f.segment, NONE, 0, &time, &duration));
  g_assert_false (
      fal_timeline_pass_over (&f.timeline, &f.segment, NONE, 33 * MS, &time, &duration));
}

/* Of one without a length the time up to it; nothing for one that is over; and what went out for it
 * as it began anew is older than that which follows. */
static void
test_a_frame_that_is_passed_over_may_have_no_length_and_no_forerunner (void)
{
  Fixture f;
  GstClockTime time, duration;

  set_up (&f);
  stamp (&f, FAL_TIMESTAMP_MODE_INPUT, 0, NONE);
  g_assert_false (
      fal_timeline_pass_over (&f.timeline, &f.segment, 33 * MS, NONE, &time, &duration));
  g_assert_true (fal_timeline_pass_over (&f.timeline, &f.segment, 66 * MS, NONE, &time, &duration));
  g_assert_cmpuint (time, ==, 33 * MS);
  g_assert_cmpuint (duration, ==, 33 * MS);
  fal_timeline_begin_anew (&f.timeline, 10 * MS);
  g_assert_true (
      fal_timeline_pass_over (&f.timeline, &f.segment, 10 * MS, 33 * MS, &time, &duration));
  g_assert_cmpuint (stamp (&f, FAL_TIMESTAMP_MODE_INPUT, 9 * MS, NONE), ==, NONE - 1);
  g_assert_cmpuint (stamp (&f, FAL_TIMESTAMP_MODE_INPUT, 10 * MS, NONE), ==, 10 * MS);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/timeline/" #name, test_##name)
  ADD (auto_is_arrival_only_live_and_without_latency);
  ADD (latency_is_reported_only_live_and_synchronised);
  ADD (input_stamps_are_kept);
  ADD (arrival_is_the_clock_in_the_segment);
  ADD (without_a_clock_arrival_keeps_the_input);
  ADD (an_arrival_is_less_upstreams_latency);
  ADD (an_arrival_is_never_before_the_frame);
  ADD (results_that_are_held_keep_their_distance_unless_they_are_late);
  ADD (an_arrival_before_the_segment_has_the_frames_time);
  ADD (an_arrival_after_the_segment_stays_in_it);
  ADD (arrivals_of_frames_in_order_are_in_order);
  ADD (output_time_does_not_go_back_by_itself);
  ADD (output_time_goes_back_with_the_frames);
  ADD (arrivals_go_on_at_once_where_the_frames_go_back);
  ADD (what_comes_from_before_the_frames_went_back_is_too_late);
  ADD (frames_that_go_by_keep_their_time);
  ADD (a_frame_that_goes_by_after_a_later_result_has_its_time);
  ADD (no_stamp_stays_none);
  ADD (another_format_is_left_alone);
  ADD (pictures_of_one_frame_share_its_span);
  ADD (two_pictures_of_one_frame_have_half_of_it_each);
  ADD (results_without_a_known_number_stay_within_the_span_and_grow);
  ADD (results_for_a_still_picture_go_on);
  ADD (the_horizon_is_the_oldest_frame_that_may_be_answered);
  ADD (in_an_outage_the_horizon_follows_the_newest_frame);
  ADD (a_gap_reaches_from_the_last_output_to_the_horizon);
  ADD (there_is_no_gap_before_the_first_output_nor_in_other_formats);
  ADD (a_frame_that_is_passed_over_costs_the_next_nothing);
  ADD (a_gap_begins_where_the_frames_went_back_to);
  ADD (only_a_row_of_late_results_is_told_and_once);
  ADD (a_frame_without_a_time_has_none_unless_results_have_their_arrivals);
  ADD (results_that_are_not_held_have_the_time_at_which_they_come);
  ADD (without_a_clock_the_horizon_is_that_of_the_frames);
  ADD (where_nothing_is_known_there_is_no_gap);
  ADD (a_frame_that_is_passed_over_may_have_no_length_and_no_forerunner);
  return g_test_run ();
}
