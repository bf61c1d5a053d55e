/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The session's side towards upstream: frames and events from its streaming thread, and what stops
 * them. */
#include "session-private.h"

/* With the lock held. @frame is taken. */
static void
offer (FalSession *session, FalFrame *frame, gint64 now)
{
  guint dropped;

  fal_fallback_note_frame (&session->outage, now);
  session->newest_serial = session->next_serial;
  dropped = fal_pacer_offer (session->pacer, frame, session->next_serial++, frame->running, now);
  if (dropped > 0 || fal_session_needs_filling (session, now))
    fal_session_call_task (session); /* an event may have waited for the frame that was dropped */
  fal_session_call_for_connection (session);
  fal_session_call_sender (session);
}

/* With the lock held: whether upstream's next frame can be taken. Where no frame is lost, one that
 * passes does not overtake those that are under way. */
static gboolean
has_room (const FalSession *session)
{
  if (session->settings->enabled)
    return fal_pacer_has_room (session->pacer);
  if (fal_pacer_is_leaky (session->pacer))
    return TRUE;
  return session->results.length < FAL_SESSION_MAX_RESULTS && !fal_session_is_busy (session);
}

void
fal_session_call_upstream (FalSession *session)
{
  if (session->waits_room && has_room (session))
    g_cond_signal (&session->room);
}

/* With the lock held: @frame (taken), number @serial, goes by; the oldest that does gives way where
 * there are too many. */
static void
pass (FalSession *session, FalFrame *frame, guint64 serial)
{
  FalResult *result = g_new0 (FalResult, 1);

  if (session->results.length >= FAL_SESSION_MAX_RESULTS)
    fal_session_drop_result (session);
  *result = (FalResult){
    .kind = FAL_RESULT_PASS,
    .frame = frame,
    .serial = serial,
  };
  g_queue_push_tail (&session->results, result);
  fal_session_call_task (session);
}

/* With the lock held: the model was just switched on, and its first result takes a while: until
 * then the frames that it gets go by, too. */
static void
bridge (FalSession *session, const FalFrame *frame)
{
  if (session->results.length < FAL_SESSION_MAX_RESULTS)
    pass (session, fal_frame_new (gst_sample_ref (frame->sample), frame->arrival),
        session->next_serial); /* that the frame is about to get */
}

/* With the lock held: @frame is taken. */
static void
take (FalSession *session, FalFrame *frame, gint64 now)
{
  session->passing = !session->settings->enabled;
  if (session->passing) {
    fal_session_close_when_idle (session);
    pass (session, frame, session->next_serial++);
    return;
  }
  fal_session_clear_newest (session);
  session->newest = fal_frame_ref (frame);
  session->newest_sample = gst_sample_ref (frame->sample);
  if (session->bridging)
    bridge (session, frame);
  offer (session, frame, now);
}

GstFlowReturn
fal_session_push (FalSession *session, GstSample *sample)
{
  gint64 now = g_get_monotonic_time ();
  FalFrame *frame = fal_frame_new (sample, now);
  GstFlowReturn flow;

  g_mutex_lock (&session->lock);
  while (session->flow == GST_FLOW_OK && !session->refused && !has_room (session)) {
    session->waits_room = TRUE;
    g_cond_wait (&session->room, &session->lock);
    session->waits_room = FALSE;
  }
  flow = session->flow == GST_FLOW_OK && session->refused ? GST_FLOW_EOS : session->flow;
  if (flow == GST_FLOW_OK)
    take (session, g_steal_pointer (&frame), now);
  g_mutex_unlock (&session->lock);
  if (frame)
    fal_frame_unref (frame);
  fal_session_tell_drops (session);
  return flow;
}

/* With the lock held: sees to it that the newest frame waits, again where it went already. FALSE:
 * there is none. */
static gboolean
offer_newest (FalSession *session)
{
  gint64 now = g_get_monotonic_time ();

  if (session->newest == NULL)
    return FALSE;
  if (fal_pacer_get_waiting (session->pacer) > 0) /* it is the last of them */
    return TRUE;
  fal_frame_unref (session->newest);
  session->newest = fal_frame_new (gst_sample_ref (session->newest_sample), now);
  offer (session, fal_frame_ref (session->newest), now);
  return TRUE;
}

gboolean
fal_session_send_now (FalSession *session, const GstStructure *inputs)
{
  gboolean sends;

  g_mutex_lock (&session->lock);
  sends = session->flow == GST_FLOW_OK && !session->refused && !session->ended &&
          offer_newest (session);
  if (sends) {
    g_clear_pointer (&session->newest->inputs, gst_structure_free);
    session->newest->inputs = inputs ? gst_structure_copy (inputs) : NULL;
    fal_pacer_urge (session->pacer);
    fal_session_call_sender (session);
  }
  g_mutex_unlock (&session->lock);
  return sends;
}

void
fal_session_renew_deadline (FalSession *session)
{
  guint timeout = session->settings->drain_timeout;

  session->drain_deadline =
      timeout > 0 ? g_get_monotonic_time () + timeout * G_TIME_SPAN_MILLISECOND : G_MAXINT64;
}

gboolean
fal_session_is_unheard (const FalSession *session)
{
  const EventItem *last = g_queue_peek_tail ((GQueue *) &session->events);
  gboolean failed = session->flow == GST_FLOW_NOT_LINKED || session->flow < GST_FLOW_EOS;

  return failed && !session->reported && session->state != FAL_DIALER_FAILED && last != NULL &&
         GST_EVENT_TYPE (last->event) == GST_EVENT_EOS;
}

/* With the lock held: @event (taken) comes out in its place. */
static void
queue_event (FalSession *session, GstEvent *event)
{
  EventItem *item = g_new (EventItem, 1);

  *item = (EventItem){ event, session->next_serial };
  g_queue_push_tail (&session->events, item);
  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS) {
    session->ended = TRUE;
    fal_pacer_drain (session->pacer);
    fal_session_renew_deadline (session);
    fal_session_call_sender (session);
  }
  g_cond_signal (&session->output); /* for its deadline too */
}

gboolean
fal_session_push_event (FalSession *session, GstEvent *event)
{
  GstEventType type = GST_EVENT_TYPE (event);
  gboolean unheard;

  g_mutex_lock (&session->lock);
  if (type == GST_EVENT_SEGMENT || type == GST_EVENT_STREAM_START)
    session->seqnum = gst_event_get_seqnum (event);
  /* A stream that the session ended itself does not end again. */
  if (session->spent && type == GST_EVENT_EOS)
    gst_event_unref (event);
  else
    queue_event (session, event);
  if (!session->spent && (type == GST_EVENT_SEGMENT || type == GST_EVENT_STREAM_START))
    session->refused = session->ended = FALSE;
  unheard = fal_session_is_unheard (session);
  g_mutex_unlock (&session->lock);
  return !unheard;
}

/* With the lock held. */
static GstEvent *
make_end (const FalSession *session)
{
  GstEvent *event = gst_event_new_eos ();

  if (session->seqnum != GST_SEQNUM_INVALID)
    gst_event_set_seqnum (event, session->seqnum);
  return event;
}

void
fal_session_spend (FalSession *session)
{
  session->spent = session->refused = TRUE;
  fal_session_forget_frames (session);
  if (!session->ended)
    queue_event (session, make_end (session));
  fal_session_wake_all (session);
}

/* With the lock held: of the events that wait, those stay that describe the stream whatever
 * position it is at. */
static void
flush_events (FalSession *session)
{
  for (GList *l = session->events.head, *next; l != NULL; l = next) {
    EventItem *item = l->data;
    GstEventType type = GST_EVENT_TYPE (item->event);

    next = l->next;
    item->serial = session->next_serial;
    if (GST_EVENT_IS_STICKY (item->event) && type != GST_EVENT_SEGMENT && type != GST_EVENT_EOS)
      continue;
    fal_event_item_free (item);
    g_queue_delete_link (&session->events, l);
  }
}

/* With the lock held. */
static void
clear (FalSession *session)
{
  fal_session_forget_frames (session);
  fal_fallback_reset (&session->outage);
  session->barrier = 0;
}

void
fal_session_clear (FalSession *session)
{
  g_mutex_lock (&session->lock);
  clear (session);
  fal_session_wake_all (session);
  g_mutex_unlock (&session->lock);
}

void
fal_session_set_flushing (FalSession *session, gboolean flushing)
{
  g_mutex_lock (&session->lock);
  session->drain_deadline = G_MAXINT64;
  if (flushing) {
    session->flow = GST_FLOW_FLUSHING;
    session->ended = FALSE; /* its EOS, too, is flushed away */
    clear (session);
    flush_events (session);
  } else {
    session->flow = session->state == FAL_DIALER_FAILED ? GST_FLOW_ERROR : GST_FLOW_OK;
    session->refused = session->reported = FALSE;
    fal_result_buffer_reset (session->renderer);
    if (session->spent)
      fal_session_spend (session);
  }
  fal_session_wake_all (session);
  g_mutex_unlock (&session->lock);
}
