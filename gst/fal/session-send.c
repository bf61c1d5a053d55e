/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The session's send thread: waits until the pacer has a frame, encodes it and hands it to the
 * net thread. Nothing is encoded that is not sent. */
#include "session-private.h"

/* How long the net thread may take to let go of a connection that was given up, µs. */
#define DOOM_PATIENCE (100 * G_TIME_SPAN_MILLISECOND)

/* A request on its way through the send thread. */
typedef struct {
  FalFrame *frame;
  guint64 id;
  guint generation;
  gboolean first; /* of its connection */
  GstStructure *feedback, *inputs;
} Job;

static void
job_clear (Job *job)
{
  fal_frame_unref (job->frame);
  g_clear_pointer (&job->feedback, gst_structure_free);
  g_clear_pointer (&job->inputs, gst_structure_free);
}

/* Bad inputs are warned about once. */
static void
refresh_settings (FalSession *session, FalComposer *composer)
{
  g_autoptr (FalSettings) settings = fal_session_dup_settings (session);
  g_autoptr (GError) error = NULL;

  if (!fal_composer_set_settings (composer, settings, &error))
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
  text = fal_pacer_format_id (id);
  return session->tag ? g_strdup_printf ("%s@%u", text, session->tag) : g_steal_pointer (&text);
}

static GBytes *
compose (
    FalSession *session, FalComposer *composer, GstSample *sample, const Job *job, GError **error)
{
  g_autofree gchar *request_id = make_id (session, job->id);
  const FalComposition composition = {
    .sample = sample,
    .request_id = request_id,
    .first = job->first,
    .feedback = job->feedback,
    .inputs = job->inputs,
    .encode = session->callbacks.encode,
    .user = session->user,
  };

  return fal_composer_compose (composer, &composition, error);
}

/* The frame was encoded as @message, or could not be (NULL). */
static void
finish_encoding (FalSession *session, const Job *job, GBytes *message, gint64 began)
{
  g_mutex_lock (&session->lock);
  if (message == NULL)
    fal_pacer_fail (session->pacer, job->id);
  else
    fal_series_add (&session->stats.encode, g_get_monotonic_time () - began);
  if (message == NULL && job->generation == session->generation)
    session->fresh |= job->first;
  if (!fal_pacer_keeps (session->pacer, job->id))
    g_clear_pointer (&job->frame->sample, gst_sample_unref);
  fal_session_note_progress (session);
  g_mutex_unlock (&session->lock);
}

static void
send_frame (FalSession *session, FalComposer *composer, const Job *job)
{
  g_autoptr (GstSample) sample = gst_sample_ref (job->frame->sample);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) message = NULL;
  gint64 began;

  session->callbacks.sending (session->user, sample);
  refresh_settings (session, composer);
  began = g_get_monotonic_time ();
  message = compose (session, composer, sample, job, &error);
  finish_encoding (session, job, message, began);
  if (message == NULL) {
    fal_session_warn (session, error, NULL);
    return;
  }
  fal_session_transmit (session, g_steal_pointer (&message), job->generation);
}

static gboolean
on_silence (gpointer data)
{
  FalSession *session = data;
  gboolean doomed;

  g_mutex_lock (&session->lock);
  doomed = session->doomed != 0; /* else it ended by itself meanwhile */
  g_mutex_unlock (&session->lock);
  if (doomed)
    fal_connection_fail (
        fal_line_get_connection (session->line), FAL_FAULT_SILENT, "requests went unanswered");
  return G_SOURCE_REMOVE;
}

void
fal_session_doom_connection (FalSession *session, gboolean quiet)
{
  session->doomed = g_get_monotonic_time ();
  session->online = FALSE;
  session->wanted = TRUE; /* as soon as the old one has ended */
  session->generation++;
  fal_pacer_set_online (session->pacer, FALSE);
  if (quiet)
    fal_session_hop_close (session);
  else
    fal_line_hop (session->line, on_silence, session, NULL);
}

/* With the lock held: gives up what waited too long. Where a late reply could then be taken for
 * another frame's, or the link brought nothing at all meanwhile, the connection is made anew. How
 * many there is nobody else to tell of. */
static guint
expire (FalSession *session, gint64 now)
{
  guint n = fal_pacer_expire (session->pacer, now);
  gint64 timeout = session->settings->request_timeout * G_TIME_SPAN_MILLISECOND;

  if (n == 0)
    return 0;
  fal_session_note_progress (session);
  if (fal_pacer_echoes (session->pacer) && now - session->last_received < timeout)
    return n;
  fal_session_doom_connection (session, FALSE);
  return 0;
}

/* With the lock held: when the thread has to look again. */
static gint64
next_look (FalSession *session, gboolean held, gint64 now)
{
  gint64 next = held ? G_MAXINT64 : fal_pacer_next_time (session->pacer, now);

  if (session->guard)
    next = MIN (next, now + FAL_GUARD_INTERVAL);
  return MIN (next, fal_pacer_next_expiry (session->pacer));
}

/* With the lock held: ends what the net thread cannot, because its peer keeps it reading. */
static void
watch_link (FalSession *session, gint64 now)
{
  if (session->guard == NULL)
    return;
  fal_guard_check (session->guard);
  if (session->doomed && now - session->doomed > DOOM_PATIENCE)
    fal_guard_cut (session->guard);
}

/* With the lock held. */
static void
fill_job (FalSession *session, FalFrame *frame, Job *job)
{
  job->frame = fal_frame_ref (frame);
  job->generation = session->generation;
  job->first = session->fresh;
  job->feedback = session->feedback ? gst_structure_copy (session->feedback) : NULL;
  job->inputs = frame->inputs ? gst_structure_copy (frame->inputs) : NULL;
  session->fresh = FALSE;
}

/* With the lock held: the next request, or FALSE after a while. */
static gboolean
wait_for_job (FalSession *session, Job *job)
{
  gint64 now = g_get_monotonic_time (), next;
  gboolean held = fal_session_is_held (session);
  FalFrame *frame = held ? NULL : fal_pacer_take (session->pacer, now, &job->id);

  if (frame != NULL) {
    g_cond_signal (&session->room);
    fill_job (session, frame, job);
    return TRUE;
  }
  watch_link (session, now);
  next = next_look (session, held, now);
  if (next == G_MAXINT64)
    g_cond_wait (&session->work, &session->lock);
  else
    g_cond_wait_until (&session->work, &session->lock, next);
  return FALSE;
}

static void
warn_expired (FalSession *session, guint n)
{
  g_autoptr (GError) error = g_error_new (G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
      "%u request(s) without an answer within request-timeout", n);

  fal_session_warn (session, error, NULL);
}

gpointer
fal_session_send_main (gpointer data)
{
  FalSession *session = data;
  FalComposer *composer = fal_composer_new ();

  refresh_settings (session, composer); /* those that start() found good */
  g_mutex_lock (&session->lock);
  while (session->running) {
    Job job = { 0 };
    guint expired = expire (session, g_get_monotonic_time ());

    if (!expired && !wait_for_job (session, &job))
      continue;
    g_mutex_unlock (&session->lock);
    if (expired)
      warn_expired (session, expired);
    if (job.frame != NULL) {
      send_frame (session, composer, &job);
      job_clear (&job);
    }
    g_mutex_lock (&session->lock);
  }
  g_mutex_unlock (&session->lock);
  fal_composer_free (composer);
  return NULL;
}
