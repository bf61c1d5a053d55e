/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The session between its two pads: frames and events from upstream's streaming thread, results and
 * events to the source pad's task, and what stops either. */
#include "session-private.h"

/* ---- upstream ---- */

/* With the lock held. @frame is taken. */
static void
offer (FalSession *session, FalFrame *frame, gint64 now)
{
  if (fal_pacer_offer (session->pacer, frame, session->next_serial++, now))
    g_cond_signal (&session->output);
  fal_session_call_for_connection (session);
  g_cond_signal (&session->work);
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

/* With the lock held: @frame (taken) goes by; the oldest that does gives way where there are too
 * many. */
static void
pass (FalSession *session, FalFrame *frame)
{
  FalResult *result = g_new0 (FalResult, 1);

  if (session->results.length >= FAL_SESSION_MAX_RESULTS)
    fal_result_free (g_queue_pop_head (&session->results));
  *result = (FalResult){ .frame = frame, .serial = session->next_serial++, .passed = TRUE };
  g_queue_push_tail (&session->results, result);
  g_cond_signal (&session->output);
}

/* With the lock held: @frame is taken. */
static void
take (FalSession *session, FalFrame *frame, gint64 now)
{
  if (!session->settings->enabled) {
    fal_session_close_when_idle (session);
    pass (session, frame);
    return;
  }
  fal_session_clear_newest (session);
  session->newest = fal_frame_ref (frame);
  session->newest_sample = gst_sample_ref (frame->sample);
  offer (session, frame, now);
}

GstFlowReturn
fal_session_push (FalSession *session, GstSample *sample)
{
  gint64 now = g_get_monotonic_time ();
  FalFrame *frame = fal_frame_new (sample, now);
  GstFlowReturn flow;

  g_mutex_lock (&session->lock);
  while (session->flow == GST_FLOW_OK && !session->refused && !has_room (session))
    g_cond_wait (&session->room, &session->lock);
  flow = session->flow == GST_FLOW_OK && session->refused ? GST_FLOW_EOS : session->flow;
  if (flow == GST_FLOW_OK)
    take (session, g_steal_pointer (&frame), now);
  g_mutex_unlock (&session->lock);
  if (frame)
    fal_frame_unref (frame);
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
  sends = session->flow == GST_FLOW_OK && !session->refused && offer_newest (session);
  if (sends) {
    g_clear_pointer (&session->newest->inputs, gst_structure_free);
    session->newest->inputs = inputs ? gst_structure_copy (inputs) : NULL;
    fal_pacer_urge (session->pacer);
    g_cond_signal (&session->work);
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

/* With the lock held: whether the flow ended with an error that upstream, which has sent EOS, will
 * not learn of, and that was not reported yet. */
static gboolean
is_unheard (const FalSession *session)
{
  const EventItem *last = g_queue_peek_tail ((GQueue *) &session->events);
  gboolean failed = session->flow == GST_FLOW_NOT_LINKED || session->flow < GST_FLOW_EOS;

  return failed && !session->reported && session->state != FAL_DIALER_FAILED && last != NULL &&
         GST_EVENT_TYPE (last->event) == GST_EVENT_EOS;
}

gboolean
fal_session_push_event (FalSession *session, GstEvent *event)
{
  EventItem *item = g_new (EventItem, 1);
  gboolean unheard;

  g_mutex_lock (&session->lock);
  *item = (EventItem){ event, session->next_serial };
  g_queue_push_tail (&session->events, item);
  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS) {
    fal_pacer_drain (session->pacer);
    fal_session_renew_deadline (session);
    g_cond_signal (&session->work);
  }
  if (GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT ||
      GST_EVENT_TYPE (event) == GST_EVENT_STREAM_START)
    session->refused = FALSE;
  unheard = is_unheard (session);
  g_cond_signal (&session->output);
  g_mutex_unlock (&session->lock);
  return !unheard;
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
  fal_pacer_flush (session->pacer);
  fal_session_clear_results (session);
  fal_session_clear_answered (session);
  fal_session_clear_newest (session);
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
    clear (session);
    flush_events (session);
  } else {
    session->flow = session->state == FAL_DIALER_FAILED ? GST_FLOW_ERROR : GST_FLOW_OK;
    session->refused = session->reported = FALSE;
    fal_renderer_reset (session->renderer);
  }
  fal_session_wake_all (session);
  g_mutex_unlock (&session->lock);
}

/* ---- downstream ---- */

/* With the lock held. An event goes when every frame before it has gone or was given up. */
static gboolean
next_output (FalSession *session, GstEvent **event, FalResult **result)
{
  const EventItem *item = g_queue_peek_head (&session->events);
  const FalResult *first = g_queue_peek_head (&session->results);
  guint64 oldest = fal_pacer_get_oldest (session->pacer);

  if (first != NULL)
    oldest = MIN (oldest, first->serial);
  if (session->answered.open)
    oldest = MIN (oldest, session->answered.serial);
  if (item != NULL && item->serial <= oldest) {
    g_autofree EventItem *taken = g_queue_pop_head (&session->events);

    *event = taken->event;
    if (GST_EVENT_TYPE (*event) == GST_EVENT_EOS)
      session->drain_deadline = G_MAXINT64;
    return TRUE;
  }
  if (first == NULL ||
      (first->picture == NULL && !first->passed)) /* its picture is being fetched */
    return FALSE;
  *result = g_queue_pop_head (&session->results);
  g_cond_signal (&session->room);
  return TRUE;
}

/* With the lock held. Past the drain timeout the stream ends without what is still missing: how
 * many frames that are. */
static guint
wait_for_output (FalSession *session)
{
  guint missing;

  if (session->drain_deadline == G_MAXINT64) {
    g_cond_wait (&session->output, &session->lock);
    return 0;
  }
  if (g_cond_wait_until (&session->output, &session->lock, session->drain_deadline))
    return 0;
  session->drain_deadline = G_MAXINT64;
  missing = fal_pacer_get_waiting (session->pacer) + fal_pacer_get_in_flight (session->pacer);
  missing += session->results.length;
  /* A late reply without an id could be taken for another frame's. */
  if (fal_pacer_get_in_flight (session->pacer) > 0 && session->online &&
      !fal_pacer_echoes (session->pacer))
    fal_session_doom_connection (session, TRUE);
  fal_pacer_abandon (session->pacer, TRUE);
  g_cond_broadcast (&session->room);
  fal_session_clear_results (session);
  session->answered.open = FALSE;
  return missing;
}

static void
warn_missing (FalSession *session, guint missing)
{
  g_autoptr (GError) error = g_error_new (G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
      "the stream ends without %u frame(s): no result came for drain-timeout", missing);

  fal_session_tell (session, FALSE, error, NULL);
}

gboolean
fal_session_pull (FalSession *session, GstEvent **event, FalResult **result)
{
  guint missing = 0;
  gboolean flows;

  *event = NULL;
  *result = NULL;
  g_mutex_lock (&session->lock);
  /* While downstream was busy with the last result, none was waited for. */
  if (session->drain_deadline != G_MAXINT64)
    fal_session_renew_deadline (session);
  while (session->flow == GST_FLOW_OK && !next_output (session, event, result))
    missing += wait_for_output (session);
  flows = *event || *result;
  fal_session_call_for_connection (session);
  g_cond_signal (&session->work);
  g_mutex_unlock (&session->lock);
  if (missing > 0)
    warn_missing (session, missing);
  return flows;
}

/* A result that brings no buffer: counted, and warned about where it is broken. */
static void
note_useless (FalSession *session, const GError *error)
{
  gboolean late = g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);

  g_mutex_lock (&session->lock);
  if (late)
    session->stats.late++;
  else
    session->stats.invalid++;
  g_mutex_unlock (&session->lock);
  if (!late)
    fal_session_warn (session, error, NULL);
}

GstSample *
fal_session_render (FalSession *session, FalResult *taken, GstCaps *allowed, GError **error)
{
  g_autoptr (FalResult) result = taken;
  g_autoptr (FalSettings) settings = fal_session_dup_settings (session);
  g_autoptr (GError) trouble = NULL;
  gint64 began = g_get_monotonic_time ();
  GstSample *sample;
  FalRendererConfig config = {
    .allowed = allowed,
    .max_pixels = settings->max_pixels,
    .get_running_time = session->callbacks.get_running_time,
    .user = session->user,
  };

  g_mutex_lock (&session->lock);
  config.mode = fal_timeline_resolve (settings->timestamp_mode, session->live, settings->latency);
  config.every_frame = !fal_pacer_is_leaky (session->pacer);
  g_mutex_unlock (&session->lock);
  if (result->passed)
    sample = fal_renderer_pass (session->renderer, result, &config, &trouble);
  else
    sample = fal_renderer_render (session->renderer, result, &config, &trouble);
  if (g_error_matches (trouble, G_IO_ERROR, G_IO_ERROR_NOT_FOUND)) {
    g_propagate_error (error, g_steal_pointer (&trouble));
    return NULL;
  }
  if (sample == NULL) {
    note_useless (session, trouble);
    return NULL;
  }
  if (result->passed)
    return sample;
  g_mutex_lock (&session->lock);
  fal_series_add (&session->stats.decode, g_get_monotonic_time () - began);
  fal_series_add (&session->stats.age, g_get_monotonic_time () - result->frame->arrival);
  g_mutex_unlock (&session->lock);
  return sample;
}

void
fal_session_note_pushed (FalSession *session, gboolean passed)
{
  g_mutex_lock (&session->lock);
  session->stats.out++;
  session->stats.passed += passed;
  g_mutex_unlock (&session->lock);
}

gboolean
fal_session_stop_flow (FalSession *session, GstFlowReturn flow, gboolean reported)
{
  gboolean unheard;

  g_mutex_lock (&session->lock);
  if (flow == GST_FLOW_EOS) {
    session->refused = TRUE;
    fal_pacer_flush (session->pacer);
    fal_session_clear_results (session);
  } else if (session->flow == GST_FLOW_OK) {
    session->flow = flow;
    session->reported = reported;
  }
  unheard = is_unheard (session);
  fal_session_wake_all (session);
  g_mutex_unlock (&session->lock);
  return !unheard;
}

gboolean
fal_session_flows (FalSession *session)
{
  gboolean flows;

  g_mutex_lock (&session->lock);
  flows = session->flow == GST_FLOW_OK;
  g_mutex_unlock (&session->lock);
  return flows;
}

gboolean
fal_session_resume_flow (FalSession *session)
{
  gboolean resumes;

  g_mutex_lock (&session->lock);
  resumes = session->flow == GST_FLOW_NOT_LINKED;
  if (resumes)
    session->flow = GST_FLOW_OK;
  g_mutex_unlock (&session->lock);
  return resumes;
}
