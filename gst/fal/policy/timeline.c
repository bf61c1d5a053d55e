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
  *timeline = (FalTimeline){ GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE };
}

static GstClockTime
arrival_pts (const FalMoment *moment)
{
  if (moment->segment->format != GST_FORMAT_TIME || !GST_CLOCK_TIME_IS_VALID (moment->now))
    return moment->pts;
  return gst_segment_position_from_running_time (moment->segment, GST_FORMAT_TIME, moment->now);
}

/* One of a row of results that has no known end. */
static void
take_distance (const FalMoment *moment, GstClockTime *pts, GstClockTime *duration)
{
  GstClockTime distance = moment->since_first;

  if (GST_CLOCK_TIME_IS_VALID (*duration))
    distance = MIN (distance, *duration);
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

gboolean
fal_timeline_stamp (FalTimeline *timeline, FalTimestampMode mode, const FalMoment *moment,
    GstClockTime *pts, GstClockTime *duration)
{
  GstClockTime running;

  *pts = mode == FAL_TIMESTAMP_MODE_ARRIVAL ? arrival_pts (moment) : moment->pts;
  *duration = moment->duration;
  if (moment->count > 0)
    take_share (moment, pts, duration);
  else if (mode != FAL_TIMESTAMP_MODE_ARRIVAL)
    take_distance (moment, pts, duration);
  if (moment->segment->format != GST_FORMAT_TIME)
    return TRUE;
  running = gst_segment_to_running_time (moment->segment, GST_FORMAT_TIME, *pts);
  if (!GST_CLOCK_TIME_IS_VALID (running))
    return TRUE;
  if (GST_CLOCK_TIME_IS_VALID (timeline->last) && running < timeline->last)
    return FALSE;
  timeline->last = timeline->end = running;
  if (GST_CLOCK_TIME_IS_VALID (*duration))
    timeline->end += *duration;
  return TRUE;
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
fal_timeline_get_horizon (FalTimestampMode mode, const FalOutlook *outlook, GstClockTime now)
{
  GstClockTime settled = outlook->oldest;

  if (mode == FAL_TIMESTAMP_MODE_ARRIVAL && GST_CLOCK_TIME_IS_VALID (now))
    return now;
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
