/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Translates what the session knows of frames to QOS messages and events, and back. */
#include "gstfalqos.h"

/* How late @frame would be now at a sink whose only latency is that of the element. */
static GstClockTimeDiff
get_jitter (GstElement *element, const FalFrame *frame, GstClockTime latency)
{
  GstClockTime now = gst_element_get_current_running_time (element);

  if (!GST_CLOCK_TIME_IS_VALID (now) || !GST_CLOCK_TIME_IS_VALID (frame->running))
    return 0;
  return GST_CLOCK_DIFF (frame->running + latency, now);
}

void
gst_fal_post_qos (GstElement *element, const FalFrame *frame, const FalSessionCounts *counts,
    gboolean live, GstClockTime latency)
{
  GstClockTime stream_time = GST_CLOCK_TIME_NONE;
  GstMessage *message;

  if (frame->segment.format == GST_FORMAT_TIME)
    stream_time = gst_segment_to_stream_time (&frame->segment, GST_FORMAT_TIME, frame->pts);
  message = gst_message_new_qos (
      GST_OBJECT (element), live, frame->running, stream_time, frame->pts, frame->duration);
  gst_message_set_qos_values (message, get_jitter (element, frame, latency), 1.0, 1000000);
  gst_message_set_qos_stats (message, GST_FORMAT_BUFFERS, counts->out, counts->dropped);
  gst_element_post_message (element, message);
}

void
gst_fal_throttle (GstPad *sinkpad, const FalFrame *frame, GstClockTime pause)
{
  GstClockTime duration = frame->duration;

  if (!GST_CLOCK_TIME_IS_VALID (duration) && frame->fps_n > 0)
    duration = gst_util_uint64_scale (GST_SECOND, frame->fps_d, frame->fps_n);
  if (!GST_CLOCK_TIME_IS_VALID (duration) || !GST_CLOCK_TIME_IS_VALID (frame->running) ||
      pause <= 2 * duration)
    return;
  /* Decoders skip frames for twice the time that they are told, and one frame more. They must not
   * skip the last one of the pause, which may be the next that is sent. */
  gst_pad_push_event (sinkpad,
      gst_event_new_qos (GST_QOS_TYPE_THROTTLE, 1.0, (pause - 2 * duration) / 2, frame->running));
}

GstClockTime
gst_fal_read_qos (GstEvent *event)
{
  GstQOSType type;
  GstClockTimeDiff diff;
  GstClockTime time;

  gst_event_parse_qos (event, &type, NULL, &diff, &time);
  if (type == GST_QOS_TYPE_THROTTLE || diff <= 0 || !GST_CLOCK_TIME_IS_VALID (time))
    return 0;
  return time + diff;
}
