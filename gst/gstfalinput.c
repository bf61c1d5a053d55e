/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each frame goes to the session as a sample, with the caps and the segment that it came with and
 * the inputs of its cue. */
#include "gstfalinput.h"

#include <gst/video/video.h>

GST_DEBUG_CATEGORY_EXTERN (fal_realtime_filter_debug);
#define GST_CAT_DEFAULT fal_realtime_filter_debug

struct _GstFalInput {
  GstPad *pad;
  FalSession *session;
  GstFalOutput *output;
  GstFalPrompt *prompt;

  /* These belong to the pad's streaming thread, or to whoever has stopped it. */
  GstCaps *caps;      /* NULL: none came */
  GstSegment segment; /* its format is UNDEFINED until one came; its position is the end of the last
                         frame */
  gboolean counts;    /* upstream's segment is not in time: frames are counted */
  GstClockTime base;  /* where counting begins; its frame has this time */
  guint64 n;          /* frames since then */
  gboolean live_known; /* upstream was asked whether this stream is live */
};

/* ---- latency ---- */

/* Length of @n frames of @caps; NONE where these do not say, or are NULL. */
static GstClockTime
get_frames_length (const GstCaps *caps, guint64 n)
{
  gint fps_n, fps_d;

  if (caps == NULL ||
      !gst_structure_get_fraction (gst_caps_get_structure (caps, 0), "framerate", &fps_n, &fps_d) ||
      fps_n <= 0)
    return GST_CLOCK_TIME_NONE;
  return gst_util_uint64_scale (n, GST_SECOND * fps_d, fps_n);
}

/* For how long a sink may have wait what comes here, where upstream can hold it for @most. Results
 * wait as long as it wants. Frames that pass do so only where there is room for them, and then
 * upstream waits. The caps are the pad's own, as any thread may ask. */
static GstClockTime
get_most (const GstFalInput *input, GstClockTime least, GstClockTime most)
{
  guint room = fal_session_get_room (input->session);
  g_autoptr (GstCaps) caps = NULL;
  GstClockTime ours;

  if (room == G_MAXUINT || !GST_CLOCK_TIME_IS_VALID (most))
    return GST_CLOCK_TIME_NONE;
  caps = gst_pad_get_current_caps (input->pad);
  ours = get_frames_length (caps, room);
  return MAX (most + (GST_CLOCK_TIME_IS_VALID (ours) ? ours : 0), least);
}

gboolean
gst_fal_input_answer_latency (GstFalInput *input, GstQuery *query)
{
  gboolean live;
  GstClockTime least, most;

  if (!gst_pad_peer_query (input->pad, query))
    return FALSE;
  gst_query_parse_latency (query, &live, &least, &most);
  fal_session_set_upstream (input->session, live, least);
  least += fal_session_get_latency (input->session);
  gst_query_set_latency (query, live, least, live ? get_most (input, least, most) : most);
  return TRUE;
}

/* A pipeline that plays already asks for no latency by itself: where that of the element is another
 * now, it is told to. */
static void
find_out_whether_live (GstFalInput *input)
{
  GstElement *element = GST_ELEMENT (GST_PAD_PARENT (input->pad));
  GstClockTime latency = fal_session_get_latency (input->session);
  g_autoptr (GstQuery) query = gst_query_new_latency ();

  input->live_known = TRUE;
  gst_fal_input_answer_latency (input, query);
  if (fal_session_get_latency (input->session) != latency)
    gst_element_post_message (element, gst_message_new_latency (GST_OBJECT (element)));
  GST_INFO_OBJECT (element, "the pipeline is %s",
      fal_session_is_live (input->session) ? "live: old frames give way to new ones"
                                           : "not live: no frame is lost");
}

/* ---- allocation ---- */

/* Frames are read through their video meta, whatever their strides; one that is to pass after all
 * is laid out anew where downstream wants that. */
gboolean
gst_fal_input_answer_allocation (GstFalInput *input, GstQuery *query)
{
  GstVideoInfo info;
  GstCaps *caps;

  if (fal_session_passes_frames (input->session))
    return fal_session_pass_query (input->session, query);
  gst_query_parse_allocation (query, &caps, NULL);
  if (caps != NULL && gst_video_info_from_caps (&info, caps) && GST_VIDEO_INFO_SIZE (&info) > 0)
    gst_query_add_allocation_pool (
        query, NULL, GST_VIDEO_INFO_SIZE (&info), fal_session_get_most_held (input->session), 0);
  gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
  return TRUE;
}

gboolean
gst_fal_input_drain (GstFalInput *input, GstQuery *query)
{
  if (fal_session_passes_frames (input->session))
    fal_session_pass_query (input->session, query);
  fal_session_let_go (input->session);
  return TRUE;
}

/* That the memory of @buffer goes back to, or NULL. */
static GstBufferPool *
get_pool (GstBuffer *buffer)
{
  const GstParentBufferMeta *parent = gst_buffer_get_parent_buffer_meta (buffer);

  return buffer->pool == NULL && parent != NULL ? parent->buffer->pool : buffer->pool;
}

/* What a pool needs beside the frames that are held here: one is made, and one is pushed. */
#define UPSTREAM_NEEDS 2

static gboolean
has_limit (GstBufferPool *pool)
{
  g_autoptr (GstStructure) config = gst_buffer_pool_get_config (pool);
  guint most;

  return gst_buffer_pool_config_get_params (config, NULL, NULL, NULL, &most) && most > 0;
}

/* Nobody knows how much of a pool with a limit upstream itself needs, unless that made it as large
 * as the answer to ALLOCATION says. */
static gboolean
may_run_dry (const GstFalInput *input, GstBufferPool *pool)
{
  g_autoptr (GstStructure) config = gst_buffer_pool_get_config (pool);
  guint least, most;

  return gst_buffer_pool_config_get_params (config, NULL, NULL, &least, &most) && most > 0 &&
         least < fal_session_get_most_held (input->session) + UPSTREAM_NEEDS;
}

/* The frames that wait for a composite may be more than it was asked for. */
static gboolean
is_scarce (const GstFalInput *input, GstBufferPool *pool)
{
  return may_run_dry (input, pool) || (has_limit (pool) && fal_session_holds_most (input->session));
}

/* A frame that may be held, without keeping upstream from making the next one. */
static GstBuffer *
spare_pool (const GstFalInput *input, GstBuffer *buffer)
{
  GstBufferPool *pool = get_pool (buffer);
  GstBuffer *copy;

  if (pool == NULL || !is_scarce (input, pool) || fal_session_passes_frames (input->session))
    return buffer;
  copy = gst_buffer_copy_deep (buffer);
  if (copy == NULL)
    return buffer;
  gst_buffer_unref (buffer);
  return copy;
}

/* ---- frames ---- */

/* Gives @buffer (taken) the time that a decoder would: that of its number at the caps' rate, from
 * the last one on that had a time of its own. Without a rate only the first one has a time. */
static GstBuffer *
count_frame (GstFalInput *input, GstBuffer *buffer)
{
  GstClockTime offset = input->n == 0 ? 0 : get_frames_length (input->caps, input->n);

  buffer = gst_buffer_make_writable (buffer);
  if (GST_BUFFER_PTS_IS_VALID (buffer)) {
    input->base = GST_BUFFER_PTS (buffer);
    input->n = 0;
  } else if (GST_CLOCK_TIME_IS_VALID (offset)) {
    GST_BUFFER_PTS (buffer) = input->base + offset;
  }
  if (!GST_BUFFER_DURATION_IS_VALID (buffer))
    GST_BUFFER_DURATION (buffer) = get_frames_length (input->caps, 1);
  input->n++;
  return buffer;
}

static void
note_position (GstFalInput *input, GstBuffer *buffer)
{
  if (!GST_BUFFER_PTS_IS_VALID (buffer))
    return;
  input->segment.position = GST_BUFFER_PTS (buffer);
  if (GST_BUFFER_DURATION_IS_VALID (buffer))
    input->segment.position += GST_BUFFER_DURATION (buffer);
}

/* *@inputs: those of the cue that holds for @buffer, or NULL. Where no frame may be lost this waits
 * for it. */
static GstFlowReturn
find_cue (GstFalInput *input, GstBuffer *buffer, GstStructure **inputs)
{
  GstClockTime running = GST_CLOCK_TIME_NONE;

  if (input->segment.format == GST_FORMAT_TIME)
    running =
        gst_segment_to_running_time (&input->segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer));
  return gst_fal_prompt_find (input->prompt, running, inputs);
}

/* @buffer is taken. */
static GstFlowReturn
push_frame (GstFalInput *input, GstBuffer *buffer)
{
  GstStructure *inputs;
  GstFlowReturn flow = find_cue (input, buffer, &inputs);
  GstSample *frame;

  if (flow == GST_FLOW_OK) {
    frame = gst_sample_new (buffer, input->caps, &input->segment, inputs);
    flow = fal_session_push (input->session, frame);
  }
  gst_buffer_unref (buffer);
  return flow;
}

GstFlowReturn
gst_fal_input_chain (GstFalInput *input, GstBuffer *buffer)
{
  if (input->caps == NULL) {
    gst_buffer_unref (buffer);
    return GST_FLOW_NOT_NEGOTIATED;
  }
  if (!input->live_known)
    find_out_whether_live (input);
  buffer = spare_pool (input, buffer);
  if (input->counts)
    buffer = count_frame (input, buffer);
  note_position (input, buffer);
  return push_frame (input, buffer);
}

/* ---- events ---- */

/* What was counted so far keeps its time, whatever rate comes. */
static void
count_anew (GstFalInput *input)
{
  GstClockTime counted = get_frames_length (input->caps, input->n);

  if (!GST_CLOCK_TIME_IS_VALID (counted))
    return;
  input->base += counted;
  input->n = 0;
}

/* They do not go further: downstream gets the caps of the results. */
static gboolean
take_caps (GstFalInput *input, GstEvent *event)
{
  GstCaps *caps;

  count_anew (input);
  gst_event_parse_caps (event, &caps);
  GST_INFO_OBJECT (GST_PAD_PARENT (input->pad), "frames are %" GST_PTR_FORMAT, caps);
  gst_caps_replace (&input->caps, caps);
  gst_event_unref (event);
  return TRUE;
}

/* The event goes out in its place among the frames. */
static gboolean
queue_event (GstFalInput *input, GstEvent *event)
{
  if (fal_session_push_event (input->session, event))
    return TRUE;
  gst_fal_output_report_flow (input->output, GST_FLOW_ERROR);
  return FALSE;
}

/* From here on frames are counted, in a segment in time that goes on where the one before ended. */
static gboolean
begin_counting (GstFalInput *input, guint32 seqnum)
{
  GstSegment segment;
  GstEvent *event;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  if (input->segment.format == GST_FORMAT_TIME)
    segment.base =
        gst_segment_to_running_time (&input->segment, GST_FORMAT_TIME, input->segment.position);
  if (!GST_CLOCK_TIME_IS_VALID (segment.base))
    segment.base = 0;
  input->segment = segment;
  input->counts = TRUE;
  input->base = input->n = 0;
  event = gst_event_new_segment (&segment);
  gst_event_set_seqnum (event, seqnum);
  return queue_event (input, event);
}

/* @event is taken. Image sequences come in bytes: downstream gets time, as from a decoder. One more
 * such segment without a flush changes nothing. */
static gboolean
take_segment (GstFalInput *input, GstEvent *event)
{
  const GstSegment *segment;
  guint32 seqnum = gst_event_get_seqnum (event);

  gst_event_parse_segment (event, &segment);
  if (segment->format == GST_FORMAT_TIME) {
    input->segment = *segment;
    input->counts = FALSE;
    return queue_event (input, event);
  }
  gst_event_unref (event);
  return input->counts || begin_counting (input, seqnum);
}

static void
forget_segment (GstFalInput *input)
{
  gst_segment_init (&input->segment, GST_FORMAT_UNDEFINED);
  input->counts = FALSE;
}

gboolean
gst_fal_input_event (GstFalInput *input, GstEvent *event)
{
  switch (GST_EVENT_TYPE (event)) {
  case GST_EVENT_FLUSH_START:
    gst_fal_prompt_flush_frames (input->prompt, TRUE);
    return gst_fal_output_start_flush (input->output, event);
  case GST_EVENT_FLUSH_STOP:
    forget_segment (input);
    gst_fal_prompt_end_frames (input->prompt, FALSE);
    gst_fal_prompt_flush_frames (input->prompt, FALSE);
    return gst_fal_output_stop_flush (input->output, event);
  case GST_EVENT_CAPS:
    return take_caps (input, event);
  case GST_EVENT_SEGMENT:
    return take_segment (input, event);
  case GST_EVENT_STREAM_START:
    input->live_known = FALSE;
    gst_fal_prompt_end_frames (input->prompt, FALSE);
    break;
  case GST_EVENT_EOS:
    gst_fal_prompt_end_frames (input->prompt, TRUE);
    break;
  default:
    break;
  }
  if (GST_EVENT_IS_SERIALIZED (event))
    return queue_event (input, event);
  return gst_pad_event_default (input->pad, GST_OBJECT_PARENT (input->pad), event);
}

void
gst_fal_input_clear (GstFalInput *input)
{
  gst_clear_caps (&input->caps);
  forget_segment (input);
  input->live_known = FALSE;
}

GstFalInput *
gst_fal_input_new (GstPad *pad, FalSession *session, GstFalOutput *output, GstFalPrompt *prompt)
{
  GstFalInput *input = g_new0 (GstFalInput, 1);

  input->pad = pad;
  input->session = session;
  input->output = output;
  input->prompt = prompt;
  gst_fal_input_clear (input);
  return input;
}

void
gst_fal_input_free (GstFalInput *input)
{
  gst_fal_input_clear (input);
  g_free (input);
}
