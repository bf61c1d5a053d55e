/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The source pad's task takes results and events from the session and pushes them in the order that
 * GStreamer asks for. */
#include "gstfaloutput.h"

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
  GstCaps *allowed;  /* what downstream takes; NULL: it is to be asked */
  GstCaps *src_caps; /* that went out last; NULL: none did */
  GQueue held;       /* GstEvent; they may not go out before the caps */
  guint32 seqnum;    /* of the last event that came, for those that are made here */
};

static gboolean
precedes_caps (GstEvent *event)
{
  return GST_EVENT_TYPE (event) == GST_EVENT_STREAM_START;
}

static void
push_held (GstFalOutput *output)
{
  GstEvent *event;

  while ((event = g_queue_pop_head (&output->held)))
    gst_pad_push_event (output->pad, event);
}

/* Sticky events go out in an order, in which the caps come second. These are known with the first
 * result only, so all but the first wait for it. */
static void
push_event (GstFalOutput *output, GstEvent *event)
{
  gboolean eos = GST_EVENT_TYPE (event) == GST_EVENT_EOS;

  output->seqnum = gst_event_get_seqnum (event);
  if (output->src_caps == NULL && !precedes_caps (event) && !eos) {
    g_queue_push_tail (&output->held, event);
    return;
  }
  if (eos) {
    GST_INFO_OBJECT (output->element, "end of stream");
    push_held (output);
    output->events.ended (output->element);
  }
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
  push_own_event (output, gst_event_new_caps (caps));
  push_held (output);
}

/* Downstream is asked again only after it said that it takes something else now. */
static GstCaps *
get_allowed (GstFalOutput *output)
{
  if (gst_pad_check_reconfigure (output->pad))
    gst_clear_caps (&output->allowed);
  if (output->allowed == NULL) {
    g_autoptr (GstCaps) template = gst_pad_get_pad_template_caps (output->pad);

    output->allowed = gst_pad_peer_query_caps (output->pad, template);
  }
  return output->allowed;
}

static void
tell_result (GstFalOutput *output, GstBuffer *buffer)
{
  GstCustomMeta *meta = gst_buffer_get_custom_meta (buffer, FAL_RESULT_META);

  if (meta != NULL)
    output->events.result (output->element, gst_custom_meta_get_structure (meta));
}

/* @result is taken. Error: downstream takes nothing that the result can become. */
static GstFlowReturn
push_result (GstFalOutput *output, FalResult *result, GError **error)
{
  FalResultKind kind = result->kind;
  g_autoptr (GstSample) sample =
      fal_session_render (output->session, result, get_allowed (output), error);
  GstBuffer *buffer;
  GstFlowReturn flow;

  if (*error)
    return GST_FLOW_NOT_NEGOTIATED;
  if (sample == NULL)
    return GST_FLOW_OK;
  set_caps (output, gst_sample_get_caps (sample));
  buffer = gst_buffer_ref (gst_sample_get_buffer (sample));
  g_clear_pointer (&sample, gst_sample_unref); /* so that downstream gets a writable buffer */
  /* A frame that passes may have the meta of another element like this one. */
  if (kind == FAL_RESULT_ANSWER)
    tell_result (output, buffer);
  flow = gst_pad_push (output->pad, buffer);
  if (flow == GST_FLOW_OK)
    fal_session_note_pushed (output->session, kind);
  return flow;
}

void
gst_fal_output_report_flow (GstFalOutput *output, GstFlowReturn flow)
{
  GST_ELEMENT_FLOW_ERROR (output->element, flow);
  push_own_event (output, gst_event_new_eos ());
}

/* @result is taken. */
static void
handle_result (GstFalOutput *output, FalResult *result)
{
  g_autoptr (GError) error = NULL;
  GstFlowReturn flow = push_result (output, result, &error);

  if (flow == GST_FLOW_OK)
    return;
  GST_INFO_OBJECT (output->element, "downstream returned %s", gst_flow_get_name (flow));
  if (error)
    GST_ELEMENT_ERROR (output->element, CORE, NEGOTIATION, ("%s", error->message), (NULL));
  if (!fal_session_stop_flow (output->session, flow, error != NULL))
    gst_fal_output_report_flow (output, flow);
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

static void
src_loop (gpointer user)
{
  GstFalOutput *output = user;
  GstEvent *event;
  FalResult *result;

  if (!fal_session_pull (output->session, &event, &result))
    pause_task (output);
  else if (event)
    push_event (output, event);
  else
    handle_result (output, result);
}

/* Starts the flow and the task where the pad is active, since a flush may end while it is
 * deactivated. */
static gboolean
resume (GstFalOutput *output)
{
  gboolean started = FALSE;

  g_mutex_lock (&output->task_lock);
  if (output->task_allowed) {
    fal_session_set_flushing (output->session, FALSE);
    started = gst_pad_start_task (output->pad, src_loop, output, NULL);
  }
  g_mutex_unlock (&output->task_lock);
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
  g_mutex_lock (&output->task_lock);
  if (output->task_allowed && fal_session_resume_flow (output->session))
    gst_pad_start_task (output->pad, src_loop, output, NULL);
  g_mutex_unlock (&output->task_lock);
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

  flush_held (output); /* which may be touched here, since the task is paused */
  resume (output);
  return forwarded;
}

void
gst_fal_output_clear (GstFalOutput *output)
{
  gst_clear_caps (&output->src_caps);
  gst_clear_caps (&output->allowed);
  g_queue_clear_full (&output->held, (GDestroyNotify) gst_event_unref);
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
  g_queue_init (&output->held);
  g_mutex_init (&output->task_lock);
  return output;
}

void
gst_fal_output_free (GstFalOutput *output)
{
  gst_fal_output_clear (output);
  g_mutex_clear (&output->task_lock);
  g_free (output);
}
