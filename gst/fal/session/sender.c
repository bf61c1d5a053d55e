/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The session's send thread: waits until the pacer has a frame, encodes it and hands it to the
 * net thread. Nothing is encoded that is not sent. */
#include "session-private.h"
#include "fal/policy/in-flight.h"

/* How long the net thread may take to let go of a connection that was given up, µs. */
#define DOOM_PATIENCE (100 * G_TIME_SPAN_MILLISECOND)
/* A peer that was sent a request, and pings since, is gone when nothing came for so long. */
#define DEAD_AFTER (12 * G_TIME_SPAN_SECOND)
/* The same where the request has expired: a ping was out, and its answer would have come. */
#define PING_MISSED (7 * G_TIME_SPAN_SECOND)

/* A request on its way through the send thread. */
typedef struct {
  FalFrame *frame;
  GstSample *sample; /* of the frame, which may lose it meanwhile */
  gint64 pause;      /* after it no other goes for so long, µs; where frames drop */
  guint64 id;
  guint generation;
  gboolean first; /* of its connection */
  GstStructure *feedback, *inputs;
} Job;

static void
job_clear (Job *job)
{
  gst_sample_unref (job->sample);
  fal_frame_unref (job->frame);
  g_clear_pointer (&job->feedback, gst_structure_free);
  g_clear_pointer (&job->inputs, gst_structure_free);
}

/* Bad inputs are warned about once. */
static void
refresh_settings (FalSession *session, FalRequestBuilder *composer)
{
  g_autoptr (FalSettings) settings = fal_session_dup_settings (session);
  g_autoptr (GError) error = NULL;

  if (!fal_request_builder_set_settings (composer, settings, &error))
    fal_session_tell (session, FALSE, error, NULL);
}

/* The id as it stands in the request; NULL: none. */
static gchar *
make_id (FalSession *session, guint64 id)
{
  g_autofree gchar *text = NULL;
  gboolean sends;

  g_mutex_lock (&session->lock);
  sends = fal_session_sends_ids (session);
  g_mutex_unlock (&session->lock);
  if (!sends)
    return NULL;
  text = fal_request_id_format (id);
  return session->tag ? g_strdup_printf ("%s@%u", text, session->tag) : g_steal_pointer (&text);
}

static GBytes *
compose (FalSession *session, FalRequestBuilder *composer, const Job *job, GError **error)
{
  g_autofree gchar *request_id = make_id (session, job->id);
  const FalRequestParts composition = {
    .sample = job->sample,
    .request_id = request_id,
    .first = job->first,
    .feedback = job->feedback,
    .inputs = job->inputs,
    .encode = session->callbacks.encode,
    .user = session->user,
  };

  return fal_request_builder_build (composer, &composition, error);
}

/* The frame was encoded as @message, or could not be (NULL). */
static void
finish_encoding (FalSession *session, const Job *job, GBytes *message, gint64 began)
{
  g_mutex_lock (&session->lock);
  if (message == NULL)
    fal_pacer_fail (session->pacer, job->id);
  else
    fal_percentiles_add (&session->stats.encode, g_get_monotonic_time () - began);
  if (message == NULL && job->generation == session->generation)
    session->fresh |= job->first;
  if (!fal_pacer_keeps (session->pacer, job->id))
    g_clear_pointer (&job->frame->sample, gst_sample_unref);
  fal_session_note_progress (session);
  g_mutex_unlock (&session->lock);
}

static void
send_frame (FalSession *session, FalRequestBuilder *composer, const Job *job)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) message = NULL;
  gint64 began;

  session->callbacks.sending (session->user, job->frame, job->pause);
  refresh_settings (session, composer);
  began = g_get_monotonic_time ();
  message = compose (session, composer, job, &error);
  finish_encoding (session, job, message, began);
  if (message == NULL) {
    fal_session_warn (session, error, NULL);
    fal_session_tell_drops (session);
    return;
  }
  fal_session_transmit (session, g_steal_pointer (&message), job->generation);
}

static gboolean
on_doom (gpointer data)
{
  FalSession *session = data;
  FalFaultKind kind;
  gboolean doomed;

  g_mutex_lock (&session->lock);
  doomed = session->doomed != 0; /* else it ended by itself meanwhile */
  kind = session->doom;
  g_mutex_unlock (&session->lock);
  if (doomed)
    fal_connection_fail (fal_shared_connection_get_connection (session->line), kind, NULL);
  return G_SOURCE_REMOVE;
}

void
fal_session_doom_connection (FalSession *session, FalFaultKind kind)
{
  if (session->doomed != 0)
    return;
  session->doomed = g_get_monotonic_time ();
  session->doom = kind;
  session->online = FALSE;
  session->wanted = TRUE; /* as soon as the old one has ended */
  session->generation++;
  fal_pacer_set_online (session->pacer, FALSE);
  if (kind == FAL_FAULT_ASKED)
    fal_session_hop_close (session);
  else
    fal_shared_connection_hop (session->line, on_doom, session, NULL);
}

/* With the lock held: why no answer came to the request at @sent. The model seems to be loading
 * where no result ever came over the link, but the peer was heard of since. */
static FalFaultKind
judge_silence (const FalSession *session, gint64 sent, gint64 now)
{
  gint64 heard = session->guard ? fal_socket_guard_check (session->guard, now) : now;

  if (session->state == FAL_DIALER_WARMING_UP && session->guard != NULL && heard > sent)
    return FAL_FAULT_LOADING;
  return now - MAX (heard, sent) >= PING_MISSED ? FAL_FAULT_DEAD : FAL_FAULT_SILENT;
}

/* With the lock held: gives up what waited too long. Where a late reply could then be taken for
 * another frame's, or the link brought nothing at all meanwhile, the connection is made anew. How
 * many there is nobody else to tell of. */
static guint
expire (FalSession *session, gint64 now)
{
  gint64 sent = fal_pacer_get_oldest_sent (session->pacer);
  guint n = fal_pacer_expire (session->pacer, now);
  gint64 timeout = session->settings->request_timeout * G_TIME_SPAN_MILLISECOND;
  FalFaultKind kind;

  if (n == 0)
    return 0;
  fal_session_note_progress (session);
  kind = judge_silence (session, sent, now);
  if (kind == FAL_FAULT_LOADING
          ? fal_pacer_tells_apart (session->pacer)
          : fal_pacer_echoes (session->pacer) && now - session->last_received < timeout)
    return n;
  fal_session_doom_connection (session, kind);
  return 0;
}

/* With the lock held: when the connection has had nothing to do for too long. One that others need
 * is asked about again. */
static gint64
idle_time (const FalSession *session)
{
  guint timeout = session->settings->idle_timeout;

  if (!session->online || session->closing)
    return G_MAXINT64;
  if (session->spent)
    return session->last_asked + G_USEC_PER_SEC;
  if (timeout == 0 || fal_session_is_busy (session))
    return G_MAXINT64;
  return MAX (session->last_active, session->last_asked) + timeout * G_TIME_SPAN_MILLISECOND;
}

/* With the lock held: when it has been paid for long enough. */
static gint64
limit_time (const FalSession *session)
{
  const FalConnectionCounts *counts = &session->stats.connection;
  guint limit = session->settings->session_limit;

  if (limit == 0 || session->spent || session->guard == NULL || counts->connected_since == 0)
    return G_MAXINT64;
  return counts->connected_since + limit * G_TIME_SPAN_SECOND - counts->connected_time;
}

/* With the lock held: when a request can go or comes to its end unanswered, or the connection does.
 */
static gint64
next_work (FalSession *session, gint64 now)
{
  gboolean held = fal_session_is_held (session);
  gint64 next = held ? G_MAXINT64 : fal_pacer_next_time (session->pacer, now);

  next = MIN (next, fal_pacer_next_expiry (session->pacer));
  return MIN (next, MIN (idle_time (session), limit_time (session)));
}

void
fal_session_call_sender (FalSession *session)
{
  if (session->asleep_until != G_MININT64 &&
      next_work (session, g_get_monotonic_time ()) < session->asleep_until)
    g_cond_signal (&session->work);
}

/* With the lock held: sleeps until the thread is called, or has to look by itself. */
static void
sleep_until_work (FalSession *session, gint64 now)
{
  gint64 next = next_work (session, now);

  if (session->guard)
    next = MIN (next, now + FAL_SOCKET_GUARD_INTERVAL);
  session->asleep_until = next;
  if (next == G_MAXINT64)
    g_cond_wait (&session->work, &session->lock);
  else
    g_cond_wait_until (&session->work, &session->lock, next);
  session->asleep_until = G_MININT64;
}

/* With the lock held: ends what the net thread cannot, because its peer keeps it reading; what the
 * peer has left without a word; and what nobody needs. */
static void
watch_link (FalSession *session, gint64 now)
{
  gint64 since;

  if (session->guard == NULL)
    return;
  since = MAX (
      fal_socket_guard_check (session->guard, now), fal_pacer_get_oldest_sent (session->pacer));
  if (session->doomed && now - session->doomed > DOOM_PATIENCE)
    fal_socket_guard_cut (session->guard, session->doom);
  else if (!session->doomed && now - DEAD_AFTER > since)
    fal_session_doom_connection (session, FAL_FAULT_DEAD);
  if (idle_time (session) <= now)
    fal_session_let_go (session);
}

/* With the lock held. */
static void
fill_job (FalSession *session, FalFrame *frame, Job *job)
{
  job->frame = fal_frame_ref (frame);
  job->sample = gst_sample_ref (frame->sample);
  if (fal_pacer_is_leaky (session->pacer))
    job->pause = session->settings->throttle_interval * G_TIME_SPAN_MILLISECOND;
  job->generation = session->generation;
  job->first = session->fresh;
  job->feedback = session->feedback ? gst_structure_copy (session->feedback) : NULL;
  job->inputs = frame->inputs ? gst_structure_copy (frame->inputs) : NULL;
  session->fresh = FALSE;
  session->last_active = g_get_monotonic_time ();
}

/* With the lock held: the next request, or FALSE after a while. */
static gboolean
wait_for_job (FalSession *session, Job *job)
{
  gint64 now = g_get_monotonic_time ();
  gboolean held = fal_session_is_held (session);
  FalFrame *frame = held ? NULL : fal_pacer_take (session->pacer, now, &job->id);

  if (frame != NULL) {
    fal_session_call_upstream (session);
    fill_job (session, frame, job);
    return TRUE;
  }
  watch_link (session, now);
  sleep_until_work (session, now);
  return FALSE;
}

static void
warn_expired (FalSession *session, guint n)
{
  g_autoptr (GError) error = NULL;
  gboolean loading, told;

  g_mutex_lock (&session->lock);
  loading = session->state == FAL_DIALER_WARMING_UP;
  told = session->told_warming;
  session->told_warming |= loading;
  g_mutex_unlock (&session->lock);
  if (loading)
    error = g_error_new_literal (
        G_IO_ERROR, G_IO_ERROR_TIMED_OUT, fal_fault_describe (FAL_FAULT_LOADING));
  else
    error = g_error_new (G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
        "%u request(s) without an answer within request-timeout", n);
  if (loading && told)
    fal_session_note (session, "%s", error->message);
  else if (loading)
    fal_session_tell (session, FALSE, error, NULL);
  else
    fal_session_warn (session, error, NULL);
}

/* The time that may be paid for is over. */
static void
end_by_limit (FalSession *session)
{
  g_autoptr (GError) error = NULL;
  guint limit;

  g_mutex_lock (&session->lock);
  limit = session->settings->session_limit;
  g_mutex_unlock (&session->lock);
  error = g_error_new (G_IO_ERROR, G_IO_ERROR_CANCELLED,
      "connected for %u s, which is all that session-limit allows: the stream ends; set it higher, "
      "or to 0, to go on for longer",
      limit);
  /* Before the end of the stream, after which nobody may listen any more. */
  fal_session_tell (session, FALSE, error, NULL);
  g_mutex_lock (&session->lock);
  fal_session_spend (session);
  fal_session_let_go (session);
  g_mutex_unlock (&session->lock);
}

/* With the lock held, which is let go of meanwhile: does what is due, or waits for it. */
static void
work (FalSession *session, FalRequestBuilder *composer)
{
  Job job = { 0 };
  gint64 now = g_get_monotonic_time ();
  gboolean spent = limit_time (session) <= now;
  guint expired = spent ? 0 : expire (session, now);

  if (!spent && !expired && !wait_for_job (session, &job))
    return;
  g_mutex_unlock (&session->lock);
  if (spent)
    end_by_limit (session);
  if (expired)
    warn_expired (session, expired);
  if (job.frame != NULL) {
    send_frame (session, composer, &job);
    job_clear (&job);
  }
  fal_session_tell_drops (session);
  g_mutex_lock (&session->lock);
}

gpointer
fal_session_send_main (gpointer data)
{
  FalSession *session = data;

  g_mutex_lock (&session->lock);
  while (session->running)
    work (session, session->composer);
  g_mutex_unlock (&session->lock);
  return NULL;
}
