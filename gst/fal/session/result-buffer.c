/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The renderer: decoder and timeline put together. Used by the source pad's task
 * alone, so that it needs no lock. */
#include "result-buffer.h"
#include "fal/image/decoder.h"
#include "fal/policy/fallback.h"
#include <gio/gio.h>

struct _FalResultBuffer {
  FalDecoder *decoder;
  FalTimeline timeline;
  GstSegment segment;  /* that is out */
  guint32 seqnum;      /* of it; GST_SEQNUM_INVALID: none */
  guint64 last_serial; /* of the newest result out; 0: none */
};

FalResultBuffer *
fal_result_buffer_new (void)
{
  FalResultBuffer *renderer = g_new0 (FalResultBuffer, 1);

  renderer->decoder = fal_decoder_new ();
  fal_result_buffer_reset (renderer);
  return renderer;
}

void
fal_result_buffer_free (FalResultBuffer *renderer)
{
  fal_decoder_free (renderer->decoder);
  g_free (renderer);
}

void
fal_result_buffer_reset (FalResultBuffer *renderer)
{
  fal_timeline_reset (&renderer->timeline);
  gst_segment_init (&renderer->segment, GST_FORMAT_UNDEFINED);
  renderer->last_serial = 0;
}

static GstBuffer *
decode (FalResultBuffer *renderer, const FalResult *result, const FalResultBufferConfig *config,
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

  return fal_decoder_decode (renderer->decoder, result->picture, &decoder, caps, error);
}

static gboolean
stamp (FalResultBuffer *renderer, const FalResult *result, const FalResultBufferConfig *config,
    GstBuffer *buffer)
{
  const FalFrame *frame = result->frame;
  FalMoment moment = { &frame->segment, frame->pts, frame->duration,
    config->get_running_time (config->user), result->index, result->count,
    result->since_first * GST_USECOND };

  if (result->kind == FAL_RESULT_FALLBACK) {
    moment.now = result->running;
    moment.pts =
        gst_segment_position_from_running_time (&frame->segment, GST_FORMAT_TIME, result->running);
  }
  return fal_timeline_stamp (&renderer->timeline, config->mode, &moment, &GST_BUFFER_PTS (buffer),
      &GST_BUFFER_DURATION (buffer));
}

static gboolean
copy_field (GQuark name, const GValue *value, gpointer fields)
{
  gst_structure_id_set_value (fields, name, value);
  return TRUE;
}

/* Tells downstream what became of the frame on the way, for whoever wants to know. */
static void
describe (const GstStructure *description, GstBuffer *buffer)
{
  GstCustomMeta *meta = gst_buffer_add_custom_meta (buffer, "GstFalResultMeta");

  if (meta != NULL)
    gst_structure_foreach (description, copy_field, gst_custom_meta_get_structure (meta));
}

/* Tells downstream of a gap. */
static void
mark_gap (FalResultBuffer *renderer, const FalResult *result, GstBuffer *buffer)
{
  if (renderer->last_serial == 0 || result->serial > renderer->last_serial + 1)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  renderer->last_serial = result->serial;
}

GstSample *
fal_result_buffer_make (FalResultBuffer *renderer, const FalResult *result,
    const FalResultBufferConfig *config, GError **error)
{
  g_autoptr (GstCaps) caps = NULL;
  g_autoptr (GstBuffer) buffer = decode (renderer, result, config, &caps, error);
  GstStructure *description = NULL;

  if (buffer == NULL)
    return NULL;
  if (!stamp (renderer, result, config, buffer)) {
    g_set_error (
        error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "a result came after a newer one had gone out");
    return NULL;
  }
  mark_gap (renderer, result, buffer);
  if (result->kind == FAL_RESULT_ANSWER) {
    description = fal_result_describe (result);
    describe (description, buffer);
  }
  return gst_sample_new (buffer, caps, &result->frame->segment, description);
}

/* The frame's picture becomes the result's. FALSE: it is none, but raw video. */
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
fal_result_buffer_pass (FalResultBuffer *renderer, FalResult *result,
    const FalResultBufferConfig *config, GError **error)
{
  const FalFrame *frame = result->frame;
  GstCaps *caps = gst_sample_get_caps (frame->sample);
  g_autoptr (GstBuffer) buffer = NULL;
  FalResultBufferConfig stamps = *config;

  stamps.mode = FAL_TIMESTAMP_MODE_INPUT;
  if (!gst_caps_can_intersect (caps, config->allowed)) {
    if (!take_picture (result, error))
      return NULL;
    return fal_result_buffer_make (renderer, result, &stamps, error);
  }
  buffer = gst_buffer_copy (gst_sample_get_buffer (frame->sample));
  result->count = 1;
  if (!stamp (renderer, result, &stamps, buffer)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "a frame is older than what went out");
    return NULL;
  }
  mark_gap (renderer, result, buffer);
  return gst_sample_new (buffer, caps, &frame->segment, NULL);
}

gboolean
fal_result_buffer_place_fallback (FalResultBuffer *renderer, FalResult *fill, FalTimestampMode mode,
    GstClockTime now, GstEvent **gap)
{
  const GstSegment *segment = &fill->frame->segment;
  const FalTimeline *timeline = &renderer->timeline;
  GstClockTime horizon = fal_timeline_get_horizon (mode, &fill->outlook, now);
  GstClockTime time, duration;

  *gap = NULL;
  if (fill->fallback != FAL_FALLBACK_NONE) {
    fill->running = horizon;
    return GST_CLOCK_TIME_IS_VALID (horizon) &&
           (!GST_CLOCK_TIME_IS_VALID (timeline->last) || horizon > timeline->last);
  }
  if (fal_timeline_take_gap (&renderer->timeline, segment, horizon, FAL_FALLBACK_GAP * GST_USECOND,
          &time, &duration)) {
    *gap = gst_event_new_gap (time, duration);
    if (renderer->seqnum != GST_SEQNUM_INVALID)
      gst_event_set_seqnum (*gap, renderer->seqnum);
    gst_event_set_gap_flags (*gap, GST_GAP_FLAG_MISSING_DATA);
  }
  return FALSE;
}

static gboolean
admit_gap (FalResultBuffer *renderer, GstEvent *gap)
{
  const GstSegment *segment = &renderer->segment;
  FalTimeline *timeline = &renderer->timeline;
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
fal_result_buffer_admit_event (FalResultBuffer *renderer, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT) {
    gst_event_copy_segment (event, &renderer->segment);
    renderer->seqnum = gst_event_get_seqnum (event);
  }
  return GST_EVENT_TYPE (event) != GST_EVENT_GAP || admit_gap (renderer, event);
}

gboolean
fal_result_buffer_note_age (FalResultBuffer *renderer, GstClockTime age, GstClockTime latency)
{
  return fal_timeline_note_age (&renderer->timeline, age, latency);
}
