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
  timeline->last = GST_CLOCK_TIME_NONE;
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
  timeline->last = running;
  return TRUE;
}
