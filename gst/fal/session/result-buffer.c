/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The decoder and the timeline put together. */
#include "result-buffer.h"
#include "fal/image/decoder.h"
#include "fal/policy/fallback.h"
#include <gio/gio.h>

struct _FalResultBuffer {
  FalDecoder *decoder;
  FalTimeline timeline;
  GstSegment segment;  /* that went out last */
  guint32 seqnum;      /* of its event; GST_SEQNUM_INVALID: none went out */
  guint64 last_serial; /* of the last result that went out; 0: none did */
};

FalResultBuffer *
fal_result_buffer_new (void)
{
  FalResultBuffer *maker = g_new0 (FalResultBuffer, 1);

  maker->decoder = fal_decoder_new ();
  fal_result_buffer_reset (maker);
  return maker;
}

void
fal_result_buffer_free (FalResultBuffer *maker)
{
  fal_decoder_free (maker->decoder);
  g_free (maker);
}

void
fal_result_buffer_reset (FalResultBuffer *maker)
{
  fal_timeline_reset (&maker->timeline);
  gst_segment_init (&maker->segment, GST_FORMAT_UNDEFINED);
  maker->last_serial = 0;
}

static GstBuffer *
decode (FalResultBuffer *maker, const FalResult *result, const FalResultBufferConfig *config,
    GstCaps **caps, GError **error)
{
  const FalFrame *frame = result->frame;
  FalDecoderConfig decoder = {
    .allowed = config->allowed,
    .max_pixels = config->max_pixels,
    .fps_n = config->every_frame ? frame->fps_n : 0,
    .fps_d = config->every_frame ? frame->fps_d : 1,
    .max_fps_n = config->every_frame ? 0 : frame->fps_n,
    .max_fps_d = frame->fps_d,
  };

  return fal_decoder_decode (maker->decoder, result->picture, &decoder, caps, error);
}

static gboolean
stamp (FalResultBuffer *maker, const FalResult *result, const FalResultBufferConfig *config,
    GstBuffer *buffer)
{
  const FalFrame *frame = result->frame;
  FalMoment moment = {
    .segment = &frame->segment,
    .pts = frame->pts,
    .duration = frame->duration,
    .now = config->get_running_time (config->user),
    .index = result->index,
    .count = result->count,
    .since_first = result->since_first * GST_USECOND,
  };

  if (result->kind == FAL_RESULT_FALLBACK) {
    moment.now = result->running;
    moment.pts =
        gst_segment_position_from_running_time (&frame->segment, GST_FORMAT_TIME, result->running);
  }
  return fal_timeline_stamp (&maker->timeline, config->mode, &moment, &GST_BUFFER_PTS (buffer),
      &GST_BUFFER_DURATION (buffer));
}

/* Attaches what is known of an answer, for whoever wants to know. */
static void
describe (FalResult *result, GstBuffer *buffer)
{
  GstCustomMeta *meta = gst_buffer_add_custom_meta (buffer, FAL_RESULT_META);

  if (meta != NULL)
    fal_result_describe (result, gst_custom_meta_get_structure (meta));
}

/* The buffer is marked where results are missing before it. */
static void
mark_missing (FalResultBuffer *maker, const FalResult *result, GstBuffer *buffer)
{
  if (maker->last_serial == 0 || result->serial > maker->last_serial + 1)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  maker->last_serial = result->serial;
}

GstSample *
fal_result_buffer_make (
    FalResultBuffer *maker, FalResult *result, const FalResultBufferConfig *config, GError **error)
{
  g_autoptr (GstCaps) caps = NULL;
  g_autoptr (GstBuffer) buffer = decode (maker, result, config, &caps, error);

  if (buffer == NULL)
    return NULL;
  if (!stamp (maker, result, config, buffer)) {
    g_set_error (
        error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "a result came after a newer one had gone out");
    return NULL;
  }
  mark_missing (maker, result, buffer);
  if (result->kind == FAL_RESULT_ANSWER)
    describe (result, buffer);
  return gst_sample_new (buffer, caps, &result->frame->segment, NULL);
}

/* The frame's encoded picture becomes that of the result. Error: the frame is raw video. */
static gboolean
take_picture (FalResult *result, GError **error)
{
  GstBuffer *buffer = gst_sample_get_buffer (result->frame->sample);
  GstCaps *caps = gst_sample_get_caps (result->frame->sample);
  gpointer data;
  gsize size;

  if (gst_structure_has_name (gst_caps_get_structure (caps, 0), "video/x-raw")) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
        "downstream does not take the frames as they are; put videoconvert and videoscale behind");
    return FALSE;
  }
  gst_buffer_extract_dup (buffer, 0, -1, &data, &size);
  result->picture = g_bytes_new_take (data, size);
  result->count = 1;
  return TRUE;
}

GstSample *
fal_result_buffer_pass (
    FalResultBuffer *maker, FalResult *result, const FalResultBufferConfig *config, GError **error)
{
  const FalFrame *frame = result->frame;
  GstCaps *caps = gst_sample_get_caps (frame->sample);
  g_autoptr (GstBuffer) buffer = NULL;
  FalResultBufferConfig stamps = *config;

  stamps.mode = FAL_TIMESTAMP_MODE_INPUT;
  if (!gst_caps_can_intersect (caps, config->allowed)) {
    if (!take_picture (result, error))
      return NULL;
    return fal_result_buffer_make (maker, result, &stamps, error);
  }
  buffer = gst_buffer_copy (gst_sample_get_buffer (frame->sample));
  result->count = 1;
  if (!stamp (maker, result, &stamps, buffer)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "a frame is older than what went out");
    return NULL;
  }
  mark_missing (maker, result, buffer);
  return gst_sample_new (buffer, caps, &frame->segment, NULL);
}

gboolean
fal_result_buffer_place_fallback (FalResultBuffer *maker, FalResult *result, FalTimestampMode mode,
    GstClockTime now, GstEvent **gap)
{
  const GstSegment *segment = &result->frame->segment;
  const FalTimeline *timeline = &maker->timeline;
  GstClockTime horizon = fal_timeline_get_horizon (mode, &result->outlook, now);
  GstClockTime time, duration;

  *gap = NULL;
  if (result->fallback != FAL_FALLBACK_NONE) {
    result->running = horizon;
    return GST_CLOCK_TIME_IS_VALID (horizon) &&
           (!GST_CLOCK_TIME_IS_VALID (timeline->last) || horizon > timeline->last);
  }
  if (fal_timeline_take_gap (
          &maker->timeline, segment, horizon, FAL_FALLBACK_GAP * GST_USECOND, &time, &duration)) {
    *gap = gst_event_new_gap (time, duration);
    if (maker->seqnum != GST_SEQNUM_INVALID)
      gst_event_set_seqnum (*gap, maker->seqnum);
    gst_event_set_gap_flags (*gap, GST_GAP_FLAG_MISSING_DATA);
  }
  return FALSE;
}

static gboolean
admit_gap (FalResultBuffer *maker, GstEvent *gap)
{
  const GstSegment *segment = &maker->segment;
  FalTimeline *timeline = &maker->timeline;
  GstClockTime time, duration, running;

  gst_event_parse_gap (gap, &time, &duration);
  if (segment->format != GST_FORMAT_TIME)
    return TRUE;
  running = gst_segment_to_running_time (segment, GST_FORMAT_TIME, time);
  if (!GST_CLOCK_TIME_IS_VALID (running) || !GST_CLOCK_TIME_IS_VALID (timeline->last))
    return TRUE;
  if (running < timeline->last)
    return FALSE;
  timeline->last = timeline->end = running;
  if (GST_CLOCK_TIME_IS_VALID (duration))
    timeline->end += duration;
  return TRUE;
}

gboolean
fal_result_buffer_admit_event (FalResultBuffer *maker, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT) {
    gst_event_copy_segment (event, &maker->segment);
    maker->seqnum = gst_event_get_seqnum (event);
  }
  return GST_EVENT_TYPE (event) != GST_EVENT_GAP || admit_gap (maker, event);
}

gboolean
fal_result_buffer_note_age (FalResultBuffer *maker, GstClockTime age, GstClockTime latency)
{
  return fal_timeline_note_age (&maker->timeline, age, latency);
}
