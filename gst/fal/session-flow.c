/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The session between its two pads: frames and events from upstream's streaming thread, results and
 * events to the source pad's task, and what stops either. */
#include "session-private.h"

/* ---- upstream ---- */

GstFlowReturn
fal_session_push (FalSession *session, GstSample *sample)
{
  gint64 now = g_get_monotonic_time ();
  FalFrame *frame = fal_frame_new (sample, now);
  GstFlowReturn flow;

  g_mutex_lock (&session->lock);
  while (session->flow == GST_FLOW_OK && !session->refused && !fal_pacer_has_room (session->pacer))
    g_cond_wait (&session->room, &session->lock);
  flow = session->flow == GST_FLOW_OK && session->refused ? GST_FLOW_EOS : session->flow;
  if (flow == GST_FLOW_OK) {
    if (fal_pacer_offer (session->pacer, g_steal_pointer (&frame), session->next_serial++, now))
      g_cond_signal (&session->output);
    fal_session_call_for_connection (session);
    g_cond_signal (&session->work);
  }
  g_mutex_unlock (&session->lock);
  if (frame)
    fal_frame_unref (frame);
  return flow;
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

void
fal_session_set_flushing (FalSession *session, gboolean flushing)
{
  g_mutex_lock (&session->lock);
  session->drain_deadline = G_MAXINT64;
  if (flushing) {
    session->flow = GST_FLOW_FLUSHING;
    fal_pacer_flush (session->pacer);
    fal_session_clear_results (session);
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
  if (item != NULL && item->serial <= oldest) {
    g_autofree EventItem *taken = g_queue_pop_head (&session->events);

    *event = taken->event;
    if (GST_EVENT_TYPE (*event) == GST_EVENT_EOS)
      session->drain_deadline = G_MAXINT64;
    return TRUE;
  }
  *result = g_queue_pop_head (&session->results);
  return *result != NULL;
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
  fal_pacer_abandon (session->pacer, TRUE);
  return missing;
}

static void
warn_missing (FalSession *session, guint missing)
{
  g_autoptr (GError) error = g_error_new (G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
      "the stream ends without %u frame(s): no result came for drain-timeout", missing);

  session->callbacks.trouble (session->user, FALSE, error, NULL);
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
    fal_session_warn (session, error);
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
  sample = fal_renderer_render (session->renderer, result, &config, &trouble);
  if (g_error_matches (trouble, G_IO_ERROR, G_IO_ERROR_NOT_FOUND)) {
    g_propagate_error (error, g_steal_pointer (&trouble));
    return NULL;
  }
  if (sample == NULL) {
    note_useless (session, trouble);
    return NULL;
  }
  g_mutex_lock (&session->lock);
  fal_series_add (&session->stats.decode, g_get_monotonic_time () - began);
  fal_series_add (&session->stats.age, g_get_monotonic_time () - result->frame->arrival);
  g_mutex_unlock (&session->lock);
  return sample;
}

void
fal_session_note_pushed (FalSession *session)
{
  g_mutex_lock (&session->lock);
  session->stats.out++;
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
