/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The timeline: which time a result carries. Used by the source pad's task alone. */
#include "timeline.h"

FalTimestampMode
fal_timeline_resolve (FalTimestampMode mode, gboolean live, gint latency_ms)
{
  if (mode != FAL_TIMESTAMP_MODE_AUTO)
    return mode;
  return live && latency_ms < 0 ? FAL_TIMESTAMP_MODE_ARRIVAL : FAL_TIMESTAMP_MODE_INPUT;
}

GstClockTime
fal_timeline_get_latency (FalTimestampMode mode, gboolean live, gint latency_ms)
{
  if (!live || latency_ms < 0)
    return 0;
  if (fal_timeline_resolve (mode, live, latency_ms) != FAL_TIMESTAMP_MODE_INPUT)
    return 0;
  return latency_ms * GST_MSECOND;
}

void
fal_timeline_reset (FalTimeline *timeline)
{
  *timeline = (FalTimeline){
    .last = GST_CLOCK_TIME_NONE,
    .end = GST_CLOCK_TIME_NONE,
    .frame = GST_CLOCK_TIME_NONE,
  };
}

gboolean
fal_timeline_went_back (const FalTimeline *timeline, guint64 serial, GstClockTime frame)
{
  return serial > timeline->serial && GST_CLOCK_TIME_IS_VALID (frame) &&
         GST_CLOCK_TIME_IS_VALID (timeline->frame) && frame < timeline->frame;
}

void
fal_timeline_begin_anew (FalTimeline *timeline, GstClockTime start)
{
  timeline->last = GST_CLOCK_TIME_NONE;
  timeline->end = timeline->frame = start;
}

gboolean
fal_timeline_note_frame (FalTimeline *timeline, guint64 serial, GstClockTime frame)
{
  if (!GST_CLOCK_TIME_IS_VALID (frame))
    return TRUE;
  if (serial < timeline->serial)
    return frame <= timeline->frame;
  if (fal_timeline_went_back (timeline, serial, frame))
    fal_timeline_begin_anew (timeline, frame);
  timeline->serial = serial;
  timeline->frame = frame;
  return TRUE;
}

static GstClockTime
get_running (const FalMoment *moment, GstClockTime pts)
{
  if (moment->segment->format != GST_FORMAT_TIME)
    return GST_CLOCK_TIME_NONE;
  return gst_segment_to_running_time (moment->segment, GST_FORMAT_TIME, pts);
}

/* The time stamp of running time @running; @otherwise where the segment has none for it. */
static GstClockTime
get_pts (const FalMoment *moment, GstClockTime running, GstClockTime otherwise)
{
  GstClockTime pts =
      gst_segment_position_from_running_time (moment->segment, GST_FORMAT_TIME, running);

  return GST_CLOCK_TIME_IS_VALID (pts) ? pts : otherwise;
}

/* Not before @pts, its own time, which a pad's offset may lay into the future. */
static GstClockTime
arrival_pts (const FalMoment *moment, GstClockTime pts)
{
  GstClockTime own = get_running (moment, pts);

  if (moment->segment->format != GST_FORMAT_TIME || !GST_CLOCK_TIME_IS_VALID (moment->arrived))
    return pts;
  if (GST_CLOCK_TIME_IS_VALID (own) && own >= moment->arrived)
    return pts;
  return get_pts (moment, moment->arrived, pts);
}

/* Where in @span a result stands that came @distance after the first: as far after it, but in the
 * second half of the span ever less, so that none reaches the end, and each is later than the one
 * before. */
static GstClockTime
fit_distance (GstClockTime distance, GstClockTime span)
{
  GstClockTime half = span / 2;

  if (distance <= half)
    return distance;
  return half + gst_util_uint64_scale (half, distance - half, distance);
}

/* One of a row of results that has no known end. */
static void
take_distance (const FalMoment *moment, GstClockTime *pts, GstClockTime *duration)
{
  GstClockTime distance = moment->since_first;

  if (GST_CLOCK_TIME_IS_VALID (*duration))
    distance = fit_distance (distance, *duration);
  if (GST_CLOCK_TIME_IS_VALID (*pts))
    *pts += distance;
  *duration = GST_CLOCK_TIME_NONE;
}

/* Shares the frame's span among its pictures. */
static void
take_share (const FalMoment *moment, GstClockTime *pts, GstClockTime *duration)
{
  GstClockTime start;

  if (moment->count < 2 || !GST_CLOCK_TIME_IS_VALID (*duration))
    return;
  start = gst_util_uint64_scale (*duration, moment->index, moment->count);
  *duration = gst_util_uint64_scale (*duration, moment->index + 1, moment->count) - start;
  if (GST_CLOCK_TIME_IS_VALID (*pts))
    *pts += start;
}

static void
note_output (FalTimeline *timeline, GstClockTime running, GstClockTime duration)
{
  timeline->last = timeline->end = running;
  if (GST_CLOCK_TIME_IS_VALID (duration))
    timeline->end += duration;
}

static gboolean
goes_back (const FalTimeline *timeline, GstClockTime running)
{
  return GST_CLOCK_TIME_IS_VALID (timeline->last) && running < timeline->last;
}

gboolean
fal_timeline_stamp (FalTimeline *timeline, FalTimestampMode mode, const FalMoment *moment,
    GstClockTime *pts, GstClockTime *duration)
{
  GstClockTime running;

  *pts = moment->pts;
  *duration = moment->duration;
  if (moment->count == 0 && (mode != FAL_TIMESTAMP_MODE_ARRIVAL || moment->held))
    take_distance (moment, pts, duration);
  if (mode == FAL_TIMESTAMP_MODE_ARRIVAL)
    *pts = arrival_pts (moment, *pts);
  if (moment->count > 0)
    take_share (moment, pts, duration);
  running = get_running (moment, *pts);
  if (!GST_CLOCK_TIME_IS_VALID (running))
    return TRUE;
  if (goes_back (timeline, running)) {
    if (mode != FAL_TIMESTAMP_MODE_ARRIVAL)
      return FALSE;
    running = timeline->last;
    *pts = get_pts (moment, running, *pts);
  }
  note_output (timeline, running, *duration);
  return TRUE;
}

void
fal_timeline_pass (FalTimeline *timeline, const FalMoment *moment, GstClockTime *pts)
{
  GstClockTime running = get_running (moment, moment->pts);

  *pts = moment->pts;
  if (!GST_CLOCK_TIME_IS_VALID (running))
    return;
  if (goes_back (timeline, running)) {
    running = timeline->last;
    *pts = get_pts (moment, running, *pts);
  }
  note_output (timeline, running, moment->duration);
}

gboolean
fal_timeline_note_age (FalTimeline *timeline, GstClockTime age, GstClockTime latency)
{
  if (age <= latency || latency != timeline->latency)
    timeline->late = 0;
  timeline->latency = latency;
  if (age > latency && timeline->late <= FAL_TIMELINE_LATE)
    timeline->late++;
  return timeline->late == FAL_TIMELINE_LATE;
}

GstClockTime
fal_timeline_get_arrival (GstClockTime now, GstClockTime latency)
{
  return GST_CLOCK_TIME_IS_VALID (now) ? now - MIN (now, latency) : now;
}

GstClockTime
fal_timeline_get_horizon (FalTimestampMode mode, const FalOutlook *outlook, GstClockTime arrived)
{
  GstClockTime settled = outlook->oldest;

  if (mode == FAL_TIMESTAMP_MODE_ARRIVAL && GST_CLOCK_TIME_IS_VALID (arrived))
    return GST_CLOCK_TIME_IS_VALID (outlook->newest) ? MAX (arrived, outlook->newest) : arrived;
  if (!GST_CLOCK_TIME_IS_VALID (settled))
    return outlook->newest;
  if (!GST_CLOCK_TIME_IS_VALID (outlook->newest) || !GST_CLOCK_TIME_IS_VALID (outlook->patience))
    return settled;
  return MAX (settled, outlook->newest - MIN (outlook->patience, outlook->newest));
}

gboolean
fal_timeline_take_gap (FalTimeline *timeline, const GstSegment *segment, GstClockTime horizon,
    GstClockTime least, GstClockTime *time, GstClockTime *duration)
{
  if (segment->format != GST_FORMAT_TIME || !GST_CLOCK_TIME_IS_VALID (timeline->end) ||
      !GST_CLOCK_TIME_IS_VALID (horizon) || horizon < timeline->end + least)
    return FALSE;
  *time = gst_segment_position_from_running_time (segment, GST_FORMAT_TIME, timeline->end);
  *duration = horizon - timeline->end;
  timeline->last = timeline->end = horizon;
  return GST_CLOCK_TIME_IS_VALID (*time);
}

gboolean
fal_timeline_pass_over (FalTimeline *timeline, const GstSegment *segment, GstClockTime running,
    GstClockTime span, GstClockTime *time, GstClockTime *duration)
{
  GstClockTime last = timeline->last, end = running;

  if (GST_CLOCK_TIME_IS_VALID (running) && GST_CLOCK_TIME_IS_VALID (span))
    end += span;
  if (!fal_timeline_take_gap (timeline, segment, end, 1, time, duration))
    return FALSE;
  timeline->last = GST_CLOCK_TIME_IS_VALID (last) ? MAX (last, running) : running;
  return TRUE;
}
