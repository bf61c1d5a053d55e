/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The source pad's task takes results and events from the session and pushes them in the order that
 * GStreamer asks for. */
#include "gstfaloutput.h"
#include "fal/image/video-frame.h"
#include "fal/policy/output-queue.h"

GST_DEBUG_CATEGORY_EXTERN (fal_realtime_filter_debug);
#define GST_CAT_DEFAULT fal_realtime_filter_debug

struct _GstFalOutput {
  GstElement *element; /* owns this */
  GstPad *pad;
  FalSession *session;
  GstFalOutputEvents events;

  GMutex task_lock;      /* taken before all others */
  gboolean task_allowed; /* the pad is active; guarded by task_lock */

  /* These belong to the task, or to whoever has stopped it. */
  GstCaps *allowed;       /* what downstream takes; NULL: it is to be asked */
  GstCaps *src_caps;      /* that went out last; NULL: none did */
  gboolean layout_known;  /* downstream was asked, since then, how it takes frames */
  gboolean takes_padding; /* it said that it reads a GstVideoMeta */
  GQueue held;            /* GstEvent; they may not go out before the caps */
  guint32 seqnum;         /* of the last event that came, for those that are made here */

  GstClockTime position; /* PTS of the last buffer that went out; NONE: none did. The pad's
                            OBJECT_LOCK */
};

static void
push_held (GstFalOutput *output)
{
  GstEvent *event;

  while ((event = g_queue_pop_head (&output->held)))
    gst_pad_push_event (output->pad, event);
}

/* An event that is made here has the seqnum of the stream that it belongs to. */
static void
push_own_event (GstFalOutput *output, GstEvent *event)
{
  if (output->seqnum != GST_SEQNUM_INVALID)
    gst_event_set_seqnum (event, output->seqnum);
  gst_pad_push_event (output->pad, event);
}

static void
set_caps (GstFalOutput *output, GstCaps *caps)
{
  if (output->src_caps && gst_caps_is_equal (output->src_caps, caps))
    return;
  GST_INFO_OBJECT (output->element, "results are %" GST_PTR_FORMAT, caps);
  gst_caps_replace (&output->src_caps, caps);
  output->layout_known = FALSE;
  push_own_event (output, gst_event_new_caps (caps));
  push_held (output);
}

/* Downstream is asked again only after it said that it takes something else now. */
static GstCaps *
get_allowed (GstFalOutput *output)
{
  if (gst_pad_check_reconfigure (output->pad)) {
    gst_clear_caps (&output->allowed);
    output->layout_known = FALSE;
  }
  if (output->allowed == NULL) {
    g_autoptr (GstCaps) template = gst_pad_get_pad_template_caps (output->pad);

    output->allowed = gst_pad_peer_query_caps (output->pad, template);
  }
  return output->allowed;
}

/* Whoever is asked for an allocation has been told the caps before, and of the stream before that.
 * Where downstream does not take them frames pass in another form, or not at all. */
static gboolean
announce_caps (GstFalOutput *output, GstQuery *query)
{
  g_autoptr (GstEvent) stream = gst_pad_get_sticky_event (output->pad, GST_EVENT_STREAM_START, 0);
  GstCaps *caps;

  gst_query_parse_allocation (query, &caps, NULL);
  if (stream == NULL || caps == NULL || !gst_caps_can_intersect (caps, get_allowed (output)))
    return FALSE;
  set_caps (output, caps);
  return TRUE;
}

/* A query that upstream waits with: all that came before it has gone out. */
static void
ask_downstream (GstFalOutput *output)
{
  GstQuery *query = fal_session_take_query (output->session);
  gboolean asks;

  if (query == NULL)
    return;
  asks = GST_QUERY_TYPE (query) != GST_QUERY_ALLOCATION || announce_caps (output, query);
  fal_session_finish_query (output->session, asks && gst_pad_peer_query (output->pad, query));
}

/* Whether downstream reads a GstVideoMeta. */
static gboolean
takes_padding (GstFalOutput *output)
{
  g_autoptr (GstQuery) query = NULL;

  if (output->layout_known)
    return output->takes_padding;
  query = gst_query_new_allocation (output->src_caps, FALSE);
  output->layout_known = TRUE;
  output->takes_padding = gst_pad_peer_query (output->pad, query) &&
                          gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
  return output->takes_padding;
}

/* What goes out (@buffer is taken), laid out so that downstream can read it: upstream may have been
 * promised by this element that a frame, or what is made of its memory, need not be as the caps
 * alone say. */
static GstBuffer *
lay_out (GstFalOutput *output, GstBuffer *buffer)
{
  GstVideoInfo info;
  GstBuffer *plain;

  if (gst_buffer_get_video_meta (buffer) == NULL ||
      !gst_video_info_from_caps (&info, output->src_caps) ||
      !fal_video_frame_is_padded (buffer, &info) || takes_padding (output))
    return buffer;
  plain = fal_video_frame_copy_plain (buffer, &info);
  if (plain == NULL)
    return buffer;
  gst_buffer_unref (buffer);
  return plain;
}

static gboolean
precedes_caps (GstEvent *event)
{
  return GST_EVENT_TYPE (event) == GST_EVENT_STREAM_START;
}

/* @event is taken. In a file nothing may come out for long: GAPs become one. */
static void
hold_event (GstFalOutput *output, GstEvent *event)
{
  GstEvent *last = g_queue_peek_tail (&output->held);
  GstEvent *joined = last ? fal_output_queue_join_gaps (last, event) : NULL;

  if (joined != NULL) {
    gst_event_unref (g_queue_pop_tail (&output->held));
    gst_event_unref (event);
    event = joined;
  }
  g_queue_push_tail (&output->held, event);
}

/* Sticky events go out in an order, in which the caps come second. These are known with the first
 * result only, so all but the first wait for it. */
static void
push_event (GstFalOutput *output, GstEvent *event)
{
  gboolean eos = GST_EVENT_TYPE (event) == GST_EVENT_EOS;

  output->seqnum = gst_event_get_seqnum (event);
  if (output->src_caps == NULL && !precedes_caps (event) && !eos) {
    hold_event (output, event);
    return;
  }
  if (eos) {
    GST_INFO_OBJECT (output->element, "end of stream");
    push_held (output);
    output->events.ended (output->element);
  }
  gst_pad_push_event (output->pad, event);
}

/* Something of the result in @buffer is seen for the first time. A frame that passes may have the
 * meta of another element like this one. */
static void
tell_result (GstFalOutput *output, GstBuffer *buffer, FalResultKind kind)
{
  GstCustomMeta *meta = gst_buffer_get_custom_meta (buffer, FAL_RESULT_META);
  g_autoptr (GstStructure) result = NULL;

  if (kind != FAL_RESULT_ANSWER || meta == NULL)
    return;
  result = gst_structure_copy (gst_custom_meta_get_structure (meta));
  gst_structure_remove_field (result, "transition"); /* which is that of one picture */
  output->events.result (output->element, result);
}

static void
note_position (GstFalOutput *output, GstClockTime position)
{
  GST_OBJECT_LOCK (output->pad);
  output->position = position;
  GST_OBJECT_UNLOCK (output->pad);
}

static GstClockTime
get_position (GstFalOutput *output)
{
  GstClockTime position;

  GST_OBJECT_LOCK (output->pad);
  position = output->position;
  GST_OBJECT_UNLOCK (output->pad);
  return position;
}

/* @buffer is taken. */
static GstFlowReturn
push_buffer (GstFalOutput *output, GstBuffer *buffer, FalResultKind kind, gboolean repeated)
{
  GstClockTime position;
  GstFlowReturn flow;

  buffer = lay_out (output, buffer);
  position = GST_BUFFER_PTS (buffer);
  flow = gst_pad_push (output->pad, buffer);
  if (flow != GST_FLOW_OK)
    return flow;
  note_position (output, position);
  fal_session_note_pushed (output->session, kind, repeated);
  return flow;
}

/* The time stamp of running time @running in the segment that went out last; NONE: it is outside.
 */
static GstClockTime
find_pts (GstFalOutput *output, GstClockTime running)
{
  g_autoptr (GstEvent) event = gst_pad_get_sticky_event (output->pad, GST_EVENT_SEGMENT, 0);
  const GstSegment *segment;

  if (event == NULL)
    return running;
  gst_event_parse_segment (event, &segment);
  return gst_segment_position_from_running_time (segment, GST_FORMAT_TIME, running);
}

/* What @picture holds is taken. One that has no time in the segment is not shown. */
static GstFlowReturn
push_picture (GstFalOutput *output, FalPicture *picture)
{
  GstBuffer *buffer = g_steal_pointer (&picture->buffer);

  set_caps (output, picture->caps);
  fal_picture_clear (picture);
  GST_BUFFER_PTS (buffer) = find_pts (output, picture->running);
  GST_BUFFER_DTS (buffer) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_DURATION (buffer) = picture->duration;
  if (!GST_BUFFER_PTS_IS_VALID (buffer)) {
    gst_buffer_unref (buffer);
    return GST_FLOW_OK;
  }
  if (picture->first)
    tell_result (output, buffer, picture->kind);
  return push_buffer (output, buffer, picture->kind, picture->repeated);
}

/* What is due at a constant rate. @ends: as fal_session_take_picture() has it. In a live pipeline
 * one at a time: a sink may have each wait until the next one is due, and that is to be of what
 * came meanwhile. */
static GstFlowReturn
push_pictures (GstFalOutput *output, gboolean ends)
{
  gboolean all = ends || !fal_session_is_live (output->session);
  GstFlowReturn flow = GST_FLOW_OK;
  FalPicture picture;

  do {
    if (!fal_session_take_picture (output->session, ends, &picture))
      break;
    flow = push_picture (output, &picture);
  } while (all && flow == GST_FLOW_OK);
  return flow;
}

/* @result is taken. Error: downstream takes nothing that the result can become. */
static GstFlowReturn
push_result (GstFalOutput *output, FalResult *result, GError **error)
{
  FalResultKind kind = result->kind;
  g_autoptr (GstSample) sample =
      fal_session_render (output->session, result, get_allowed (output), error);
  GstBuffer *buffer;

  if (*error)
    return GST_FLOW_NOT_NEGOTIATED;
  if (sample == NULL)
    return push_pictures (output, FALSE);
  set_caps (output, gst_sample_get_caps (sample));
  buffer = gst_buffer_ref (gst_sample_get_buffer (sample));
  g_clear_pointer (&sample, gst_sample_unref); /* so that downstream gets a writable buffer */
  tell_result (output, buffer, kind);
  return push_buffer (output, buffer, kind, FALSE);
}

void
gst_fal_output_report_flow (GstFalOutput *output, GstFlowReturn flow)
{
  GST_ELEMENT_FLOW_ERROR (output->element, flow);
  push_own_event (output, gst_event_new_eos ());
}

/* What became of a push. @error: as push_result() has it; or NULL. */
static void
handle_flow (GstFalOutput *output, GstFlowReturn flow, const GError *error)
{
  if (flow == GST_FLOW_OK)
    return;
  GST_INFO_OBJECT (output->element, "downstream returned %s", gst_flow_get_name (flow));
  if (error)
    GST_ELEMENT_ERROR (output->element, CORE, NEGOTIATION, ("%s", error->message), (NULL));
  if (!fal_session_stop_flow (output->session, flow, error != NULL))
    gst_fal_output_report_flow (output, flow);
}

/* @result is taken. */
static void
handle_result (GstFalOutput *output, FalResult *result)
{
  g_autoptr (GError) error = NULL;
  GstFlowReturn flow = push_result (output, result, &error);

  handle_flow (output, flow, error);
}

/* The task is paused, unless downstream was linked anew meanwhile. */
static void
pause_task (GstFalOutput *output)
{
  g_mutex_lock (&output->task_lock);
  if (!fal_session_flows (output->session))
    gst_pad_pause_task (output->pad);
  g_mutex_unlock (&output->task_lock);
}

/* What is shown at a constant rate is shown to its end before a stream or its segment ends. */
static void
finish_pictures (GstFalOutput *output, GstEventType type)
{
  if (type != GST_EVENT_EOS && (type != GST_EVENT_SEGMENT || fal_session_is_live (output->session)))
    return;
  handle_flow (output, push_pictures (output, TRUE), NULL);
  if (type == GST_EVENT_EOS)
    fal_session_end_pictures (output->session);
}

/* @event is taken. */
static void
handle_event (GstFalOutput *output, GstEvent *event)
{
  if (!fal_session_is_query (event)) {
    finish_pictures (output, GST_EVENT_TYPE (event));
    push_event (output, event);
    return;
  }
  gst_event_unref (event);
  ask_downstream (output);
}

static void
src_loop (gpointer user)
{
  GstFalOutput *output = user;
  GstEvent *event;
  FalResult *result;

  if (!fal_session_pull (output->session, &event, &result))
    pause_task (output);
  else if (event)
    handle_event (output, event);
  else if (result)
    handle_result (output, result);
  else
    handle_flow (output, push_pictures (output, FALSE), NULL);
}

/* The task waits in GLib's pool for a thread, which may come later, or never: nobody waits for it,
 * and it is not to be run. The pad gets a new one next time. */
static void
disown_task (GstFalOutput *output)
{
  GstTask *task;

  GST_OBJECT_LOCK (output->pad);
  task = GST_PAD_TASK (output->pad);
  GST_PAD_TASK (output->pad) = NULL;
  GST_OBJECT_UNLOCK (output->pad);
  if (task == NULL)
    return;
  /* It calls the pad when its thread ends. */
  g_object_set_data_full (
      G_OBJECT (task), "fal-pad", gst_object_ref (output->pad), (GDestroyNotify) gst_object_unref);
  gst_task_stop (task);
  gst_object_unref (task);
}

static gboolean
start_task (GstFalOutput *output)
{
  gboolean started = gst_pad_start_task (output->pad, src_loop, output, NULL);

  if (!started)
    disown_task (output);
  return started;
}

static void
report_no_thread (GstFalOutput *output)
{
  GST_ELEMENT_ERROR (output->element, RESOURCE, FAILED,
      ("The thread that pushes results could not be started. " FAL_THREADS_HINT), (NULL));
}

/* Starts the flow and the task where the pad is active, since a flush may end while it is
 * deactivated. */
static gboolean
resume (GstFalOutput *output)
{
  gboolean allowed, started = FALSE;

  g_mutex_lock (&output->task_lock);
  allowed = output->task_allowed;
  if (allowed) {
    fal_session_set_flushing (output->session, FALSE);
    started = start_task (output);
  }
  g_mutex_unlock (&output->task_lock);
  if (allowed && !started)
    report_no_thread (output);
  return started;
}

gboolean
gst_fal_output_activate (GstFalOutput *output, gboolean active)
{
  g_mutex_lock (&output->task_lock);
  output->task_allowed = active;
  if (!active)
    fal_session_set_flushing (output->session, TRUE);
  g_mutex_unlock (&output->task_lock);
  return active ? resume (output) : gst_pad_stop_task (output->pad);
}

void
gst_fal_output_relink (GstFalOutput *output)
{
  gboolean started = TRUE;

  g_mutex_lock (&output->task_lock);
  if (output->task_allowed && fal_session_resume_flow (output->session))
    started = start_task (output);
  g_mutex_unlock (&output->task_lock);
  if (!started)
    report_no_thread (output);
}

gboolean
gst_fal_output_start_flush (GstFalOutput *output, GstEvent *event)
{
  gboolean forwarded;

  GST_INFO_OBJECT (output->element, "flush: what waits and what is under way is forgotten");
  forwarded = gst_pad_push_event (output->pad, event);
  fal_session_set_flushing (output->session, TRUE);
  gst_pad_pause_task (output->pad);
  return forwarded;
}

/* After a flush only those events still hold that describe the stream at any position. */
static void
flush_held (GstFalOutput *output)
{
  for (GList *l = output->held.head, *next; l != NULL; l = next) {
    next = l->next;
    if (GST_EVENT_TYPE (l->data) != GST_EVENT_SEGMENT && GST_EVENT_IS_STICKY (l->data))
      continue;
    gst_event_unref (l->data);
    g_queue_delete_link (&output->held, l);
  }
}

gboolean
gst_fal_output_stop_flush (GstFalOutput *output, GstEvent *event)
{
  gboolean forwarded = gst_pad_push_event (output->pad, event);

  note_position (output, GST_CLOCK_TIME_NONE);
  flush_held (output); /* which may be touched here, since the task is paused */
  resume (output);
  return forwarded;
}

gboolean
gst_fal_output_answer_position (GstFalOutput *output, GstQuery *query)
{
  g_autoptr (GstEvent) event = gst_pad_get_sticky_event (output->pad, GST_EVENT_SEGMENT, 0);
  GstClockTime position = get_position (output);
  const GstSegment *segment;
  GstFormat format;

  gst_query_parse_position (query, &format, NULL);
  if (event == NULL || format != GST_FORMAT_TIME || !GST_CLOCK_TIME_IS_VALID (position))
    return FALSE;
  gst_event_parse_segment (event, &segment);
  position = gst_segment_to_stream_time (segment, GST_FORMAT_TIME, position);
  gst_query_set_position (query, GST_FORMAT_TIME, position);
  return GST_CLOCK_TIME_IS_VALID (position);
}

gboolean
gst_fal_output_answer_segment (GstFalOutput *output, GstQuery *query)
{
  g_autoptr (GstEvent) event = gst_pad_get_sticky_event (output->pad, GST_EVENT_SEGMENT, 0);
  const GstSegment *segment;

  if (event == NULL)
    return FALSE;
  gst_event_parse_segment (event, &segment);
  gst_query_set_segment (query, segment->rate, segment->format,
      gst_segment_to_stream_time (segment, segment->format, segment->start),
      gst_segment_to_stream_time (segment, segment->format, segment->stop));
  return TRUE;
}

static void
forget_stream (GstFalOutput *output)
{
  gst_clear_caps (&output->src_caps);
  gst_clear_caps (&output->allowed);
  g_queue_clear_full (&output->held, (GDestroyNotify) gst_event_unref);
}

void
gst_fal_output_clear (GstFalOutput *output)
{
  note_position (output, GST_CLOCK_TIME_NONE);
  forget_stream (output);
}

GstFalOutput *
gst_fal_output_new (
    GstElement *element, GstPad *pad, FalSession *session, const GstFalOutputEvents *events)
{
  GstFalOutput *output = g_new0 (GstFalOutput, 1);

  output->element = element;
  output->pad = pad;
  output->session = session;
  output->events = *events;
  output->position = GST_CLOCK_TIME_NONE;
  g_queue_init (&output->held);
  g_mutex_init (&output->task_lock);
  return output;
}

void
gst_fal_output_free (GstFalOutput *output)
{
  forget_stream (output); /* the pad, and its lock, may be gone already */
  g_mutex_clear (&output->task_lock);
  g_free (output);
}
