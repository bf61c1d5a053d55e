/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The session's send thread: waits until the pacer has a frame, encodes it and hands it to the
 * net thread. Nothing is encoded that is not sent. */
#include "session-private.h"
#include "protocol.h"

/* How long the net thread may take to let go of a connection that was given up, µs. */
#define DOOM_PATIENCE (100 * G_TIME_SPAN_MILLISECOND)

/* What the send thread keeps from frame to frame. */
typedef struct {
  FalEncoder *encoder;
  FalSettings *settings; /* that @parameters were made from */
  GstStructure *parameters;
} Sender;

/* The inputs follow the settings; bad ones are warned about once, and the last good ones stay. */
static void
refresh_parameters (FalSession *session, Sender *sender)
{
  g_autoptr (FalSettings) old = sender->settings;
  g_autoptr (GError) error = NULL;
  GstStructure *parameters;

  sender->settings = fal_session_dup_settings (session);
  if (sender->settings == old)
    return;
  parameters = fal_settings_get_parameters (sender->settings, &error);
  if (parameters != NULL) {
    g_clear_pointer (&sender->parameters, gst_structure_free);
    sender->parameters = parameters;
  } else if (!old || g_strcmp0 (old->parameters_json, sender->settings->parameters_json) != 0) {
    session->callbacks.trouble (session->user, FALSE, error, NULL);
  }
}

static GBytes *
encode_request (Sender *sender, GstSample *sample, guint64 id, GError **error)
{
  FalEncoderConfig config = fal_settings_get_encoder_config (sender->settings);
  FalRequest request = fal_settings_get_request (sender->settings);
  g_autofree gchar *request_id = fal_pacer_format_id (id);
  g_autoptr (GBytes) image = NULL;

  image = fal_encoder_encode (sender->encoder, sample, &config, &request.media_type, error);
  if (image == NULL)
    return NULL;
  request.parameters = sender->parameters;
  request.image = image;
  if (fal_settings_sends_request_id (sender->settings))
    request.request_id = request_id;
  return fal_protocol_encode_request (&request, error);
}

/* @frame was encoded as @message, or could not be (NULL). */
static void
finish_encoding (FalSession *session, FalFrame *frame, guint64 id, GBytes *message, gint64 began)
{
  g_mutex_lock (&session->lock);
  if (message == NULL)
    fal_pacer_fail (session->pacer, id);
  else
    fal_series_add (&session->stats.encode, g_get_monotonic_time () - began);
  if (!fal_pacer_keeps (session->pacer, id))
    g_clear_pointer (&frame->sample, gst_sample_unref);
  g_cond_signal (&session->output);
  g_mutex_unlock (&session->lock);
}

static void
send_frame (FalSession *session, Sender *sender, FalFrame *frame, guint64 id, guint generation)
{
  g_autoptr (GstSample) sample = gst_sample_ref (frame->sample);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) message = NULL;
  gint64 began;

  session->callbacks.sending (session->user, sample);
  refresh_parameters (session, sender);
  began = g_get_monotonic_time ();
  message = encode_request (sender, sample, id, &error);
  finish_encoding (session, frame, id, message, began);
  if (message == NULL) {
    fal_session_warn (session, error);
    return;
  }
  fal_session_transmit (session, g_steal_pointer (&message), generation);
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
    fal_connection_fail (session->connection, FAL_FAULT_SILENT, "requests went unanswered");
  return G_SOURCE_REMOVE;
}

/* With the lock held: nothing of this connection counts any more, it is made anew. */
static void
doom_connection (FalSession *session)
{
  session->doomed = g_get_monotonic_time ();
  session->online = FALSE;
  session->wanted = TRUE; /* as soon as the old one has ended */
  session->generation++;
  fal_pacer_set_online (session->pacer, FALSE);
  fal_session_hop (session, on_silence, session, NULL);
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
  g_cond_signal (&session->output);
  if (fal_pacer_echoes (session->pacer) && now - session->last_received < timeout)
    return n;
  doom_connection (session);
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

/* With the lock held: the frame to send (a new reference), or NULL after a while. */
static FalFrame *
wait_for_frame (FalSession *session, guint64 *id)
{
  gint64 now = g_get_monotonic_time (), next;
  gboolean held = fal_session_is_held (session);
  FalFrame *frame = held ? NULL : fal_pacer_take (session->pacer, now, id);

  if (frame != NULL) {
    g_cond_signal (&session->room);
    return fal_frame_ref (frame);
  }
  watch_link (session, now);
  next = next_look (session, held, now);
  if (next == G_MAXINT64)
    g_cond_wait (&session->work, &session->lock);
  else
    g_cond_wait_until (&session->work, &session->lock, next);
  return NULL;
}

static void
warn_expired (FalSession *session, guint n)
{
  g_autoptr (GError) error = g_error_new (G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
      "%u request(s) without an answer within request-timeout", n);

  fal_session_warn (session, error);
}

gpointer
fal_session_send_main (gpointer data)
{
  FalSession *session = data;
  Sender sender = { .encoder = fal_encoder_new () };

  refresh_parameters (session, &sender); /* those that start() found good */
  g_mutex_lock (&session->lock);
  while (session->running) {
    guint64 id = 0;
    guint generation;
    guint expired = expire (session, g_get_monotonic_time ());
    FalFrame *frame = expired ? NULL : wait_for_frame (session, &id);

    if (!expired && frame == NULL)
      continue;
    generation = session->generation;
    g_mutex_unlock (&session->lock);
    if (expired)
      warn_expired (session, expired);
    if (frame != NULL) {
      send_frame (session, &sender, frame, id, generation);
      fal_frame_unref (frame);
    }
    g_mutex_lock (&session->lock);
  }
  g_mutex_unlock (&session->lock);
  fal_encoder_free (sender.encoder);
  g_clear_pointer (&sender.settings, fal_settings_unref);
  g_clear_pointer (&sender.parameters, gst_structure_free);
  return NULL;
}
