/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The session's side towards downstream: results and events for the source pad's task, what fills
 * the time where no result comes, and what stops them. */
#include "session-private.h"

/* With the lock held: what is shown while no result comes. Only where frames drop: else time waits
 * for the result. */
static FalFallbackMode
get_fallback (const FalSession *session)
{
  return fal_pacer_is_leaky (session->pacer) ? session->settings->fallback : FAL_FALLBACK_NONE;
}

/* With the lock held: whether no result came for so long that it is shown. */
static gboolean
is_in_outage (const FalSession *session, gint64 now)
{
  gint64 timeout = session->settings->fallback_timeout * G_TIME_SPAN_MILLISECOND;

  return get_fallback (session) != FAL_FALLBACK_NONE &&
         fal_fallback_is_on (&session->outage, timeout, now);
}

gboolean
fal_session_needs_filling (const FalSession *session, gint64 now)
{
  gint64 timeout = session->settings->fallback_timeout * G_TIME_SPAN_MILLISECOND;

  return session->newest != NULL && session->newest_serial > session->filled_serial &&
         !session->bridging &&
         fal_fallback_is_due (&session->outage, get_fallback (session), timeout, now);
}

/* With the lock held: how long after its frame a result is still waited for, where none came for a
 * while. What is shown in its place must come in time; a gap may take time to be told. */
static GstClockTime
get_patience (const FalSession *session, gint64 now)
{
  gint64 timeout = session->settings->fallback_timeout * G_TIME_SPAN_MILLISECOND;
  GstClockTime trips = 2 * fal_percentiles_get_last (&session->stats.round_trip) * GST_MSECOND;
  GstClockTime latency = MAX (session->settings->latency, 0) * GST_MSECOND;

  if (!fal_pacer_is_leaky (session->pacer) || !fal_fallback_is_on (&session->outage, timeout, now))
    return GST_CLOCK_TIME_NONE;
  if (get_fallback (session) != FAL_FALLBACK_NONE && session->settings->latency >= 0)
    return latency;
  return MAX (latency, trips);
}

/* With the lock held: what stands for the result that does not come, for the newest frame. */
static FalResult *
make_fill (FalSession *session, gint64 now)
{
  const FalFrame *oldest = fal_pacer_peek_oldest (session->pacer);
  FalResult *fill = g_new0 (FalResult, 1);

  *fill = (FalResult){
    .kind = FAL_RESULT_FILL,
    .frame = fal_frame_new (gst_sample_ref (session->newest_sample), session->newest->arrival),
    .serial = session->newest_serial,
    .count = 1,
    .fallback = is_in_outage (session, now) ? get_fallback (session) : FAL_FALLBACK_NONE,
    .outlook = { oldest ? oldest->running : GST_CLOCK_TIME_NONE, session->newest->running,
        get_patience (session, now) },
  };
  session->filled_serial = session->newest_serial;
  fal_fallback_note_filled (&session->outage, now);
  return fill;
}

void
fal_session_drop_result (FalSession *session)
{
  g_autoptr (FalResult) oldest = g_queue_pop_head (&session->results);

  if (oldest->kind == FAL_RESULT_ANSWER) {
    g_queue_push_tail (&session->overtaken, fal_frame_ref (oldest->frame));
    session->stats.late++;
  }
}

/* With the lock held: results whose frame an event did not wait for have lost their place. */
static void
drop_overtaken (FalSession *session)
{
  const FalResult *first;

  while ((first = g_queue_peek_head (&session->results)) && first->serial < session->barrier) {
    fal_session_drop_result (session);
    fal_session_call_upstream (session);
    fal_session_call_sender (session);
  }
}

/* With the lock held: whether a result waits whose picture need not be fetched first. */
static gboolean
result_is_due (const FalSession *session)
{
  const FalResult *first = g_queue_peek_head ((GQueue *) &session->results);

  return first != NULL && (first->picture != NULL || first->kind == FAL_RESULT_PASS);
}

/* With the lock held: whether the next event goes. It does when every frame before it has gone or
 * was given up; where something else is shown than what the model still owes, with the first newer
 * frame of that: then it @overtakes. What is ready is not overtaken. */
static gboolean
event_is_due (const FalSession *session, gint64 now, gboolean *overtakes)
{
  const EventItem *item = g_queue_peek_head ((GQueue *) &session->events);
  const FalResult *first = g_queue_peek_head ((GQueue *) &session->results);
  guint64 oldest;

  if (item == NULL)
    return FALSE;
  oldest = fal_pacer_get_oldest (session->pacer);
  if (first != NULL)
    oldest = MIN (oldest, first->serial);
  if (session->answered.open)
    oldest = MIN (oldest, session->answered.serial);
  *overtakes = item->serial > oldest;
  if (!*overtakes)
    return TRUE;
  if (GST_EVENT_TYPE (item->event) == GST_EVENT_EOS || item->serial > session->newest_serial ||
      (result_is_due (session) && first->serial < item->serial))
    return FALSE;
  return session->bridging || is_in_outage (session, now);
}

/* With the lock held. */
static GstEvent *
take_event (FalSession *session, gboolean overtakes)
{
  g_autofree EventItem *taken = g_queue_pop_head (&session->events);

  if (overtakes)
    session->barrier = taken->serial;
  if (GST_EVENT_TYPE (taken->event) == GST_EVENT_EOS) {
    session->drain_deadline = G_MAXINT64;
    fal_session_clear_newest (session); /* nothing is shown in its place after the end */
  }
  return taken->event;
}

/* With the lock held. */
static FalResult *
take_result (FalSession *session, gint64 now)
{
  FalResult *result = g_queue_pop_head (&session->results);

  if (result->kind == FAL_RESULT_ANSWER) {
    fal_fallback_note_result (&session->outage, now);
    session->bridging = FALSE;
  }
  fal_session_call_upstream (session);
  return result;
}

/* With the lock held: whether the newest frame's time is to be filled. Events that come before that
 * frame go first. */
static gboolean
fill_is_due (const FalSession *session, gint64 now)
{
  const EventItem *item = g_queue_peek_head ((GQueue *) &session->events);

  return fal_session_needs_filling (session, now) &&
         (item == NULL || item->serial > session->newest_serial);
}

void
fal_session_call_task (FalSession *session)
{
  gboolean overtakes;
  gint64 now;

  if (!session->waits_output)
    return;
  now = g_get_monotonic_time ();
  if (event_is_due (session, now, &overtakes) || result_is_due (session) ||
      fill_is_due (session, now))
    g_cond_signal (&session->output);
}

/* With the lock held. */
static gboolean
next_output (FalSession *session, GstEvent **event, FalResult **result)
{
  gint64 now = g_get_monotonic_time ();
  gboolean overtakes;

  drop_overtaken (session);
  if (event_is_due (session, now, &overtakes))
    *event = take_event (session, overtakes);
  else if (result_is_due (session))
    *result = take_result (session, now);
  else if (fill_is_due (session, now))
    *result = make_fill (session, now);
  return *event || *result;
}

/* With the lock held. FALSE: the drain timeout is past. */
static gboolean
sleep_until_called (FalSession *session)
{
  gboolean called = TRUE;

  session->waits_output = TRUE;
  if (session->drain_deadline == G_MAXINT64)
    g_cond_wait (&session->output, &session->lock);
  else
    called = g_cond_wait_until (&session->output, &session->lock, session->drain_deadline);
  session->waits_output = FALSE;
  return called;
}

/* With the lock held. Past the drain timeout the stream ends without what is still missing: how
 * many frames that are. */
static guint
wait_for_output (FalSession *session)
{
  guint missing;

  if (sleep_until_called (session))
    return 0;
  session->drain_deadline = G_MAXINT64;
  missing = fal_pacer_get_waiting (session->pacer) + fal_pacer_get_in_flight (session->pacer);
  missing += session->results.length;
  /* A late reply without an id could be taken for another frame's. */
  if (fal_pacer_get_in_flight (session->pacer) > 0 && session->online &&
      !fal_pacer_echoes (session->pacer))
    fal_session_doom_connection (session, FAL_FAULT_ASKED);
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

/* Waits for the next output. FALSE: the flow stopped. */
static gboolean
wait_for_next (FalSession *session, GstEvent **event, FalResult **result)
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
  fal_session_call_sender (session);
  g_mutex_unlock (&session->lock);
  fal_session_tell_drops (session);
  if (missing > 0)
    warn_missing (session, missing);
  return flows;
}

static FalTimestampMode
get_mode (FalSession *session)
{
  FalTimestampMode mode;

  g_mutex_lock (&session->lock);
  mode = fal_timeline_resolve (
      session->settings->timestamp_mode, session->live, session->settings->latency);
  g_mutex_unlock (&session->lock);
  return mode;
}

/* Tells once when an outage begins and when it is over. */
static void
tell_outage (FalSession *session, const FalResult *result)
{
  gboolean outage = result->kind == FAL_RESULT_FILL && result->fallback != FAL_FALLBACK_NONE;

  if (outage == session->in_outage || (!outage && result->kind != FAL_RESULT_ANSWER))
    return;
  session->in_outage = outage;
  fal_session_note (session, outage ? "no result came for fallback-timeout: the fallback is shown"
                                    : "results are back: the fallback ends");
}

/* What downstream gets for @result, which is taken where that is nothing. FALSE: nothing. */
static gboolean
settle (FalSession *session, GstEvent **event, FalResult **result)
{
  if (*event != NULL) {
    if (fal_result_buffer_admit_event (session->renderer, *event))
      return TRUE;
    gst_clear_event (event);
    return FALSE;
  }
  if ((*result)->kind == FAL_RESULT_FILL &&
      !fal_result_buffer_place_fill (session->renderer, *result, get_mode (session),
          session->callbacks.get_running_time (session->user), event)) {
    g_clear_pointer (result, fal_result_free);
    return *event != NULL;
  }
  tell_outage (session, *result);
  return TRUE;
}

gboolean
fal_session_pull (FalSession *session, GstEvent **event, FalResult **result)
{
  gboolean flows;

  do
    flows = wait_for_next (session, event, result);
  while (flows && !settle (session, event, result));
  return flows;
}

static void
warn_late (FalSession *session, const FalSettings *settings, gdouble age)
{
  g_autoptr (GError) error = g_error_new (G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
      "results keep coming later than latency: %.0f ms after their frame, while latency is %d ms; "
      "set latency to more than that, or to -1 for a preview without sync",
      age, settings->latency);

  fal_session_tell (session, FALSE, error,
      gst_structure_new (
          "details", "age", G_TYPE_DOUBLE, age, "latency", G_TYPE_INT, settings->latency, NULL));
}

/* An answer is ready, or turned out to be too late: whether answers come as the latency promised.
 */
static void
check_promise (FalSession *session, const FalResult *result, const FalSettings *settings,
    const FalResultBufferConfig *config)
{
  gint64 age = g_get_monotonic_time () - result->frame->arrival;
  gboolean promised = settings->latency >= 0 && config->mode == FAL_TIMESTAMP_MODE_INPUT &&
                      fal_session_is_live (session);

  if (promised && fal_result_buffer_note_age (
                      session->renderer, age * GST_USECOND, settings->latency * GST_MSECOND))
    warn_late (session, settings, age / 1000.0);
}

/* A result that brings no buffer: counted, and warned about where it is broken. */
static void
note_useless (FalSession *session, const FalResult *result, const GError *error)
{
  gboolean late = g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);

  g_mutex_lock (&session->lock);
  if (late && result->kind == FAL_RESULT_ANSWER)
    session->stats.late++;
  else if (result->kind == FAL_RESULT_ANSWER)
    session->stats.invalid++;
  g_mutex_unlock (&session->lock);
  if (late && result->kind == FAL_RESULT_ANSWER)
    fal_session_tell_drop (session, result->frame);
  else if (!late)
    fal_session_warn (session, error, NULL);
}

/* An answer is about to go out. */
static void
note_answer (FalSession *session, const FalResult *result, gint64 began)
{
  gint64 now = g_get_monotonic_time ();

  g_mutex_lock (&session->lock);
  fal_percentiles_add (&session->stats.decode, now - began);
  fal_percentiles_add (&session->stats.age, now - result->frame->arrival);
  g_mutex_unlock (&session->lock);
  fal_fallback_picture_note_result (session->filler, result->picture);
}

static GstSample *
render (FalSession *session, FalResult *result, const FalSettings *settings,
    const FalResultBufferConfig *config, GError **error)
{
  if (result->kind == FAL_RESULT_PASS)
    return fal_result_buffer_pass (session->renderer, result, config, error);
  if (result->kind == FAL_RESULT_FILL) {
    FalEncoderConfig encoder = fal_settings_get_encoder_config (settings);

    result->picture = fal_fallback_picture_make (
        session->filler, result->fallback, result->frame->sample, &encoder, error);
    if (result->picture == NULL)
      return NULL;
  }
  return fal_result_buffer_make (session->renderer, result, config, error);
}

GstSample *
fal_session_render (FalSession *session, FalResult *taken, GstCaps *allowed, GError **error)
{
  g_autoptr (FalResult) result = taken;
  g_autoptr (FalSettings) settings = fal_session_dup_settings (session);
  g_autoptr (GError) trouble = NULL;
  gint64 began = g_get_monotonic_time ();
  GstSample *sample;
  FalResultBufferConfig config = {
    .allowed = allowed,
    .max_pixels = settings->max_pixels,
    .mode = get_mode (session),
    .get_running_time = session->callbacks.get_running_time,
    .user = session->user,
  };

  g_mutex_lock (&session->lock);
  config.every_frame = !fal_pacer_is_leaky (session->pacer);
  g_mutex_unlock (&session->lock);
  sample = render (session, result, settings, &config, &trouble);
  if (g_error_matches (trouble, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
    g_propagate_error (error, g_steal_pointer (&trouble));
  else if (sample == NULL)
    note_useless (session, result, trouble);
  else if (result->kind == FAL_RESULT_ANSWER)
    note_answer (session, result, began);
  if (result->kind == FAL_RESULT_ANSWER)
    check_promise (session, result, settings, &config);
  return sample;
}

void
fal_session_note_pushed (FalSession *session, FalResultKind kind)
{
  g_mutex_lock (&session->lock);
  session->stats.out++;
  session->stats.passed += kind == FAL_RESULT_PASS;
  session->stats.filled += kind == FAL_RESULT_FILL;
  g_mutex_unlock (&session->lock);
}

gboolean
fal_session_stop_flow (FalSession *session, GstFlowReturn flow, gboolean reported)
{
  gboolean unheard;

  g_mutex_lock (&session->lock);
  if (flow == GST_FLOW_EOS) {
    session->refused = TRUE;
    fal_session_forget_frames (session);
  } else if (session->flow == GST_FLOW_OK) {
    session->flow = flow;
    session->reported = reported;
  }
  unheard = fal_session_is_unheard (session);
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
  if (resumes) {
    session->flow = GST_FLOW_OK;
    fal_session_call_for_connection (session); /* for what still waits */
    fal_session_wake_all (session);
  }
  g_mutex_unlock (&session->lock);
  return resumes;
}
