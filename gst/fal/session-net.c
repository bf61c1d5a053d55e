/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The session's net thread: what the connection tells, and what the replies mean for the frames
 * in flight. */
#include "session-private.h"
#include "protocol.h"

gboolean
fal_session_configure_connection (gpointer data)
{
  FalSession *session = data;
  g_autoptr (FalSettings) settings = fal_session_dup_settings (session);
  g_autoptr (GError) error = NULL;
  FalConnectionConfig config = {
    .auth = settings->auth,
    .token = settings->token,
    .api_key = settings->api_key,
    .token_uri = settings->token_uri,
    .token_request = settings->token_request,
    .token_expiration = settings->token_expiration,
    .max_buffering = settings->max_buffering,
    .max_message_size = settings->max_message_size,
    .dialer = {
      .retries = settings->retries,
      .retry_delay = settings->retry_delay * G_TIME_SPAN_MILLISECOND,
      .max_retry_delay = settings->max_retry_delay * G_TIME_SPAN_MILLISECOND,
      .connect_timeout = settings->connect_timeout * G_TIME_SPAN_MILLISECOND,
    },
  };

  if (fal_settings_check_credentials (settings, session->base_uri, &error))
    fal_connection_configure (session->connection, &config);
  else
    session->callbacks.trouble (session->user, FALSE, error, NULL);
  return G_SOURCE_REMOVE;
}

/* With the lock held, on the net thread. */
static void
note_connection (FalSession *session)
{
  session->stats.connection = *fal_connection_get_counts (session->connection);
}

static void
on_opened (gpointer data)
{
  FalSession *session = data;

  g_mutex_lock (&session->lock);
  session->online = TRUE;
  session->wanted = FALSE;
  session->doomed = 0;
  session->generation++;
  session->last_received = g_get_monotonic_time ();
  fal_pacer_set_online (session->pacer, TRUE);
  session->guard = fal_guard_ref (fal_connection_get_guard (session->connection));
  note_connection (session);
  g_cond_signal (&session->work);
  g_mutex_unlock (&session->lock);
}

static GstStructure *
describe_fault (FalSession *session, const FalFault *fault, gboolean retryable)
{
  GstStructure *details = gst_structure_new ("details", "attempt", G_TYPE_UINT,
      fal_connection_get_attempt (session->connection), "retryable", G_TYPE_BOOLEAN, retryable,
      NULL);

  if (fault->kind == FAL_FAULT_HTTP || fault->kind == FAL_FAULT_TOKEN)
    gst_structure_set (details, "http-status", G_TYPE_UINT, fault->code, NULL);
  if (fault->kind == FAL_FAULT_CLOSED)
    gst_structure_set (details, "close-code", G_TYPE_UINT, fault->code, NULL);
  return details;
}

static void
on_ended (gpointer data, FalVerdict verdict, const FalFault *fault, const GError *error)
{
  FalSession *session = data;
  gboolean fatal = verdict == FAL_VERDICT_FAIL, running;

  g_mutex_lock (&session->lock);
  running = session->running;
  session->online = FALSE;
  session->wanted = FALSE;
  session->doomed = 0;
  fal_pacer_set_online (session->pacer, FALSE);
  g_clear_pointer (&session->guard, fal_guard_unref);
  fal_pacer_lose (session->pacer);
  note_connection (session);
  if (fatal)
    session->state = FAL_DIALER_FAILED;
  if (fatal && session->flow == GST_FLOW_OK)
    session->flow = GST_FLOW_ERROR;
  fal_session_call_for_connection (session);
  fal_session_wake_all (session);
  g_mutex_unlock (&session->lock);
  if (running && (fatal || verdict == FAL_VERDICT_WARN))
    session->callbacks.trouble (
        session->user, fatal, error, describe_fault (session, fault, !fatal));
}

static void
on_state_changed (gpointer data, FalDialerState state)
{
  FalSession *session = data;

  g_mutex_lock (&session->lock);
  session->state = state;
  g_mutex_unlock (&session->lock);
  session->callbacks.state_changed (session->user, state);
}

/* With the lock held. */
static void
queue_results (FalSession *session, const FalReply *reply, const FalResult *base)
{
  for (guint i = 0; i < reply->images->len; i++) {
    FalResult *result = g_new (FalResult, 1);

    *result = *base;
    result->frame = fal_frame_ref (base->frame);
    result->picture = g_bytes_ref (g_ptr_array_index (reply->images, i));
    result->index = i;
    result->count = reply->images->len;
    result->inference = reply->inference;
    result->request_id = g_strdup (reply->request_id);
    g_queue_push_tail (&session->results, result);
    session->stats.results++;
  }
}

/* With the lock held. FALSE: the reply answers nothing. */
static gboolean
take_result (FalSession *session, const FalReply *reply, gint64 now)
{
  FalResult base = { .received = now };
  gboolean known;

  base.frame =
      fal_pacer_answer (session->pacer, reply->request_id, now, &base.sent, &base.serial, &known);
  if (!known)
    return FALSE;
  fal_series_add (&session->stats.round_trip, now - base.sent);
  if (reply->inference >= 0)
    session->stats.inference_last = reply->inference;
  if (base.frame != NULL) {
    queue_results (session, reply, &base);
    fal_frame_unref (base.frame);
  }
  return TRUE;
}

static void
on_result (FalSession *session, const FalReply *reply)
{
  g_autoptr (GError) error = NULL;
  gboolean known;

  g_mutex_lock (&session->lock);
  known = take_result (session, reply, g_get_monotonic_time ());
  if (!known)
    session->stats.late += MAX (reply->images->len, 1);
  if (known && reply->images->len == 0)
    session->stats.invalid++;
  g_cond_signal (&session->work);
  g_cond_signal (&session->output);
  g_mutex_unlock (&session->lock);
  if (known)
    fal_connection_note_result (session->connection);
  if (known && reply->images->len == 0) {
    g_set_error (&error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
        "a result without a picture; set result-field where the picture has another name");
    fal_session_warn (session, error);
  }
}

/* A reply that nobody can read, or an error in place of a result. Where replies carry no id it
 * stands for the oldest request; else that one is found out by a later reply or its timeout. */
static void
on_failed_reply (FalSession *session, const GError *error, gboolean readable)
{
  g_mutex_lock (&session->lock);
  if (!fal_pacer_echoes (session->pacer))
    fal_pacer_fail_oldest (session->pacer);
  if (!readable)
    session->stats.invalid++;
  g_cond_signal (&session->work);
  g_cond_signal (&session->output);
  g_mutex_unlock (&session->lock);
  fal_session_warn (session, error);
}

/* The server reports an error. fal's framework ends the session with it: what was queued there is
 * lost, and only the request that it was about has failed. */
static void
on_server_error (FalSession *session, const FalReply *reply)
{
  const gchar *type = reply->fields ? gst_structure_get_string (reply->fields, "type") : NULL;
  g_autofree gchar *what =
      g_strdup_printf ("the server reported %s%s%s", reply->error ? reply->error : "an error",
          reply->reason && *reply->reason ? ": " : "", reply->reason ? reply->reason : "");
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, what);

  if (g_strcmp0 (type, "x-fal-error") != 0) {
    on_failed_reply (session, error, TRUE);
    return;
  }
  g_mutex_lock (&session->lock);
  fal_pacer_fail_oldest (session->pacer);
  g_mutex_unlock (&session->lock);
  fal_connection_fail (session->connection, FAL_FAULT_SERVER, what);
}

/* The time that the result just before took, where that one has not left yet. */
static void
on_timings (FalSession *session, const FalReply *reply)
{
  FalResult *last;

  if (reply->inference < 0)
    return;
  g_mutex_lock (&session->lock);
  session->stats.inference_last = reply->inference;
  last = g_queue_peek_tail (&session->results);
  if (last != NULL && last->inference < 0)
    last->inference = reply->inference;
  g_mutex_unlock (&session->lock);
}

static void
dispatch_reply (FalSession *session, const FalReply *reply)
{
  switch (reply->type) {
  case FAL_REPLY_RESULT:
    on_result (session, reply);
    break;
  case FAL_REPLY_TIMINGS:
    on_timings (session, reply);
    break;
  case FAL_REPLY_IDLE:
    fal_connection_note_idle (session->connection);
    break;
  case FAL_REPLY_FAILED:
    on_server_error (session, reply);
    break;
  case FAL_REPLY_UNAUTHORIZED:
    fal_connection_fail (
        session->connection, FAL_FAULT_UNAUTHORIZED, "the server refused the token");
    break;
  case FAL_REPLY_WEBRTC:
    fal_connection_fail (session->connection, FAL_FAULT_WEBRTC, "the app asks for WebRTC");
    break;
  case FAL_REPLY_READY:
  case FAL_REPLY_OTHER:
    break;
  }
}

/* FALSE: the connection is given up already, and what it brings could be taken for another
 * frame's. */
static gboolean
note_message (FalSession *session)
{
  gboolean counts;

  g_mutex_lock (&session->lock);
  counts = session->doomed == 0;
  session->last_received = g_get_monotonic_time ();
  note_connection (session);
  g_mutex_unlock (&session->lock);
  return counts;
}

static void
on_message (gpointer data, GBytes *message, gboolean text)
{
  FalSession *session = data;
  g_autoptr (FalSettings) settings = fal_session_dup_settings (session);
  g_autoptr (GError) error = NULL;
  g_autoptr (FalReply) reply = NULL;

  if (!note_message (session))
    return;
  reply =
      fal_protocol_parse_reply (message, text, fal_settings_get_result_field (settings), &error);
  if (reply)
    dispatch_reply (session, reply);
  else
    on_failed_reply (session, error, FALSE);
}

/* A request on its way to the net thread. */
typedef struct {
  FalSession *session;
  GBytes *message;
  guint generation;
} Outgoing;

static void
outgoing_free (gpointer data)
{
  Outgoing *outgoing = data;

  g_bytes_unref (outgoing->message);
  g_free (outgoing);
}

/* Where the connection went meanwhile the pacer knows already that the request is lost. */
static gboolean
on_send (gpointer data)
{
  Outgoing *outgoing = data;
  FalSession *session = outgoing->session;
  gboolean current;

  g_mutex_lock (&session->lock);
  current = session->online && outgoing->generation == session->generation;
  g_mutex_unlock (&session->lock);
  if (current)
    fal_connection_send (session->connection, outgoing->message);
  g_mutex_lock (&session->lock);
  note_connection (session);
  g_mutex_unlock (&session->lock);
  return G_SOURCE_REMOVE;
}

void
fal_session_transmit (FalSession *session, GBytes *message, guint generation)
{
  Outgoing *outgoing = g_new (Outgoing, 1);

  *outgoing = (Outgoing){ session, message, generation };
  fal_session_hop (session, on_send, outgoing, outgoing_free);
}

gpointer
fal_session_net_main (gpointer data)
{
  FalSession *session = data;
  const FalConnectionEvents events = { on_opened, on_message, on_ended, on_state_changed };

  g_main_context_push_thread_default (session->context);
  session->connection = fal_connection_new (g_steal_pointer (&session->endpoint), &events, session);
  fal_session_configure_connection (session);
  g_main_loop_run (session->loop);
  g_mutex_lock (&session->lock);
  fal_pacer_set_online (session->pacer, FALSE);
  g_clear_pointer (&session->guard, fal_guard_unref);
  note_connection (session);
  g_mutex_unlock (&session->lock);
  g_clear_pointer (&session->connection, fal_connection_free);
  g_main_context_pop_thread_default (session->context);
  g_mutex_lock (&session->lock);
  session->net_alive = FALSE;
  g_cond_broadcast (&session->output);
  g_mutex_unlock (&session->lock);
  return NULL;
}
