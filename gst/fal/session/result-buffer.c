/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The decoder and the timeline put together. */
#include "result-buffer.h"
#include "compositor.h"
#include "fal/image/decoder.h"
#include "fal/image/frame-metas.h"
#include "fal/policy/fallback.h"
#include <gio/gio.h>

/* For so long what sinks show may be late, as most have it. */
#define MAX_WAIT (20 * GST_MSECOND)

struct _FalResultBuffer {
  FalDecoder *decoder;
  FalCompositor *compositor;
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
  maker->compositor = fal_compositor_new ();
  fal_result_buffer_reset (maker);
  return maker;
}

void
fal_result_buffer_free (FalResultBuffer *maker)
{
  fal_decoder_free (maker->decoder);
  fal_compositor_free (maker->compositor);
  g_free (maker);
}

void
fal_result_buffer_forget (FalResultBuffer *maker)
{
  fal_result_buffer_reset (maker);
  fal_compositor_reset (maker->compositor);
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
    .flawed = result->kind != FAL_RESULT_ANSWER,
    .layout = result->layout,
    .fps_n = config->every_frame ? frame->fps_n : 0,
    .fps_d = config->every_frame ? frame->fps_d : 1,
    .max_fps_n = config->every_frame ? 0 : frame->fps_n,
    .max_fps_d = frame->fps_d,
  };

  if (config->rate.n > 0) {
    decoder.fps_n = config->rate.n;
    decoder.fps_d = config->rate.d;
    decoder.max_fps_n = 0;
    decoder.strict_rate = TRUE;
  }
  return fal_decoder_decode (maker->decoder, result->picture, &decoder, caps, error);
}

/* Attaches what upstream had attached to the frame. */
static void
attach_metas (const FalResult *result, GstCaps *caps, GstBuffer *buffer)
{
  const GstStructure *structure = gst_caps_get_structure (caps, 0);
  GstBuffer *metas = result->kind == FAL_RESULT_ANSWER
                         ? result->metas
                         : gst_sample_get_buffer (result->frame->sample);
  gint width = 0, height = 0;

  if (metas == NULL)
    return;
  gst_structure_get (structure, "width", G_TYPE_INT, &width, "height", G_TYPE_INT, &height, NULL);
  fal_frame_metas_attach (buffer, width, height, metas, &result->layout);
}

/* Whether it is laid on its frame. */
static gboolean
is_composite (const FalResult *result, const FalResultBufferConfig *config)
{
  return config->composite.mode != FAL_COMPOSITE_NONE && result->sample != NULL;
}

static GstBuffer *
compose (FalResultBuffer *maker, const FalResult *result, const FalResultBufferConfig *config,
    GstCaps **caps, GError **error)
{
  const FalCompositorConfig compositor = {
    .overlay = config->composite,
    .allowed = config->allowed,
    .max_pixels = config->max_pixels,
    .rate = config->rate,
  };

  return fal_compositor_make (maker->compositor, result, &compositor, caps, error);
}

/* The buffer of @result, with the metas of its frame. */
static GstBuffer *
make_buffer (FalResultBuffer *maker, const FalResult *result, const FalResultBufferConfig *config,
    GstCaps **caps, GError **error)
{
  GstBuffer *buffer;

  if (is_composite (result, config))
    return compose (maker, result, config, caps, error);
  buffer = decode (maker, result, config, caps, error);
  if (buffer != NULL)
    attach_metas (result, *caps, buffer);
  return buffer;
}

/* A frame that comes out in any case does so once, however many pictures answer it. */
static FalMoment
get_moment (const FalResult *result)
{
  const FalFrame *frame = result->frame;

  return (FalMoment) {
    .segment = &frame->segment,
    .pts = frame->pts,
    .duration = frame->duration,
    .arrived = GST_CLOCK_TIME_NONE,
    .index = frame->comes_out ? 0 : result->index,
    .count = frame->comes_out ? 1 : result->count,
    .since_first = result->since_first * GST_USECOND,
  };
}

/* When it had been received and decoded, whatever it had to wait for; it was decoded since running
 * time @began. */
static GstClockTime
get_arrival (const FalResult *result, const FalResultBufferConfig *config, GstClockTime began)
{
  GstClockTime now = config->get_running_time (config->user);

  if (!GST_CLOCK_TIME_IS_VALID (result->arrived) || !GST_CLOCK_TIME_IS_VALID (began) ||
      !GST_CLOCK_TIME_IS_VALID (now))
    return GST_CLOCK_TIME_NONE;
  return fal_timeline_get_arrival (result->arrived + (now - MIN (began, now)), config->latency);
}

static gboolean
stamp (FalResultBuffer *maker, const FalResult *result, const FalResultBufferConfig *config,
    GstClockTime began, GstBuffer *buffer)
{
  const FalFrame *frame = result->frame;
  FalMoment moment = get_moment (result);

  moment.held = config->held;
  if (!fal_timeline_note_frame (&maker->timeline, result->serial, frame->running))
    return FALSE;
  if (result->kind == FAL_RESULT_FALLBACK && !frame->comes_out) {
    moment.arrived = result->running;
    moment.pts =
        gst_segment_position_from_running_time (&frame->segment, GST_FORMAT_TIME, result->running);
  } else {
    moment.arrived = get_arrival (result, config, began);
  }
  return fal_timeline_stamp (&maker->timeline, config->mode, &moment, &GST_BUFFER_PTS (buffer),
      &GST_BUFFER_DURATION (buffer));
}

/* Whether a frame that goes by waited so long for the results of older ones that a sink would drop
 * it as too late. *@arrived: when a frame came that is sent on now. */
static gboolean
waited (const FalResult *result, const FalResultBufferConfig *config, GstClockTime *arrived)
{
  GstClockTime now = config->get_running_time (config->user);

  *arrived = fal_timeline_get_arrival (now, config->latency);
  return result->in_turn && config->mode == FAL_TIMESTAMP_MODE_ARRIVAL &&
         GST_CLOCK_TIME_IS_VALID (now) && GST_CLOCK_TIME_IS_VALID (result->frame->arrived) &&
         now > result->frame->arrived + MAX_WAIT;
}

/* A frame that goes by keeps its time, unless something newer went out in its place, or it waited
 * and is to be shown at once. */
static void
stamp_passing (FalResultBuffer *maker, const FalResult *result, const FalResultBufferConfig *config,
    GstBuffer *buffer)
{
  FalMoment moment = get_moment (result);

  fal_timeline_note_frame (&maker->timeline, result->serial, result->frame->running);
  if (waited (result, config, &moment.arrived)) {
    moment.count = 1;
    fal_timeline_stamp (&maker->timeline, config->mode, &moment, &GST_BUFFER_PTS (buffer),
        &GST_BUFFER_DURATION (buffer));
    return;
  }
  fal_timeline_pass (&maker->timeline, &moment, &GST_BUFFER_PTS (buffer));
  GST_BUFFER_DURATION (buffer) = moment.duration;
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
  GstClockTime began = config->get_running_time (config->user);
  g_autoptr (GstBuffer) buffer = make_buffer (maker, result, config, &caps, error);

  if (buffer == NULL)
    return NULL;
  if (result->kind == FAL_RESULT_PASS)
    stamp_passing (maker, result, config, buffer);
  else if (!stamp (maker, result, config, began, buffer)) {
    g_set_error (
        error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "A result came after a newer one had gone out.");
    return NULL;
  }
  mark_missing (maker, result, buffer);
  if (result->kind == FAL_RESULT_ANSWER)
    describe (result, buffer);
  return gst_sample_new (buffer, caps, &result->frame->segment, NULL);
}

static gboolean
is_raw (const GstCaps *caps)
{
  return gst_structure_has_name (gst_caps_get_structure (caps, 0), "video/x-raw");
}

/* The frame's encoded picture becomes that of the result. Error: the frame is raw video. */
static gboolean
take_picture (FalResult *result, GError **error)
{
  GstBuffer *buffer = gst_sample_get_buffer (result->frame->sample);
  GstCaps *caps = gst_sample_get_caps (result->frame->sample);
  gpointer data;
  gsize size;

  if (is_raw (caps)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
        "Downstream does not take the frames as they are. Put videoconvert and videoscale after "
        "this element.");
    return FALSE;
  }
  gst_buffer_extract_dup (buffer, 0, -1, &data, &size);
  result->picture = g_bytes_new_take (data, size);
  result->count = 1;
  gst_structure_get_fraction (gst_caps_get_structure (caps, 0), "pixel-aspect-ratio",
      &result->layout.par_n, &result->layout.par_d);
  return TRUE;
}

/* The caps of a frame that passes, at the rate at which pictures go out. */
static GstCaps *
make_passing_caps (const FalFrame *frame, const FalResultBufferConfig *config)
{
  GstCaps *caps = gst_caps_ref (gst_sample_get_caps (frame->sample));
  GstStructure *structure;

  if (config->rate.n == 0)
    return caps;
  caps = gst_caps_make_writable (caps);
  structure = gst_caps_get_structure (caps, 0);
  gst_structure_remove_field (structure, "max-framerate");
  gst_structure_set (
      structure, "framerate", GST_TYPE_FRACTION, config->rate.n, config->rate.d, NULL);
  return caps;
}

GstSample *
fal_result_buffer_pass (
    FalResultBuffer *maker, FalResult *result, const FalResultBufferConfig *config, GError **error)
{
  const FalFrame *frame = result->frame;
  g_autoptr (GstCaps) caps = make_passing_caps (frame, config);
  g_autoptr (GstBuffer) buffer = NULL;

  if (is_composite (result, config) && !is_raw (caps))
    return fal_result_buffer_make (maker, result, config, error);
  if (!gst_caps_can_intersect (caps, config->allowed)) {
    if (!take_picture (result, error))
      return NULL;
    return fal_result_buffer_make (maker, result, config, error);
  }
  buffer = gst_buffer_copy (gst_sample_get_buffer (frame->sample));
  stamp_passing (maker, result, config, buffer);
  mark_missing (maker, result, buffer);
  return gst_sample_new (buffer, caps, &frame->segment, NULL);
}

/* Where the frames' own time went back, and nothing of before that may come any more, so does that
 * of what fills in. */
static void
follow_frames (FalTimeline *timeline, const FalResult *fill)
{
  GstClockTime newest = fill->frame->running, oldest = fill->outlook.oldest;

  if (!fal_timeline_went_back (timeline, fill->serial, newest))
    return;
  if (!GST_CLOCK_TIME_IS_VALID (oldest))
    fal_timeline_begin_anew (timeline, newest);
  else if (oldest <= newest)
    fal_timeline_begin_anew (timeline, oldest);
}

gboolean
fal_result_buffer_place_fallback (FalResultBuffer *maker, FalResult *result, FalTimestampMode mode,
    GstClockTime arrived, GstEvent **gap)
{
  const GstSegment *segment = &result->frame->segment;
  FalTimeline timeline = maker->timeline; /* as it is where something goes out */
  GstClockTime horizon = fal_timeline_get_horizon (mode, &result->outlook, arrived);
  GstClockTime time, duration;

  *gap = NULL;
  follow_frames (&timeline, result);
  if (result->fallback != FAL_FALLBACK_NONE) {
    result->running = horizon;
    return GST_CLOCK_TIME_IS_VALID (horizon) &&
           (!GST_CLOCK_TIME_IS_VALID (timeline.last) || horizon > timeline.last);
  }
  if (fal_timeline_take_gap (
          &timeline, segment, horizon, FAL_FALLBACK_GAP * GST_USECOND, &time, &duration)) {
    maker->timeline = timeline;
    *gap = gst_event_new_gap (time, duration);
    if (maker->seqnum != GST_SEQNUM_INVALID)
      gst_event_set_seqnum (*gap, maker->seqnum);
    gst_event_set_gap_flags (*gap, GST_GAP_FLAG_MISSING_DATA);
  }
  return FALSE;
}

GstEvent *
fal_result_buffer_pass_over (FalResultBuffer *maker, const FalResult *result)
{
  const FalFrame *frame = result->frame;
  GstClockTime time, duration;
  GstEvent *gap;

  maker->last_serial = result->serial;
  if (!fal_timeline_note_frame (&maker->timeline, result->serial, frame->running))
    return NULL;
  if (!fal_timeline_pass_over (
          &maker->timeline, &frame->segment, frame->running, frame->duration, &time, &duration))
    return NULL;
  gap = gst_event_new_gap (time, duration);
  if (maker->seqnum != GST_SEQNUM_INVALID)
    gst_event_set_seqnum (gap, maker->seqnum);
  return gap;
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
