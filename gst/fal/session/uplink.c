/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The session on its line: what the connection is set to, what it tells, requests on their way out.
 * All on the net thread but for joining, leaving and sending. */
#include "session-private.h"

gboolean
fal_session_configure_connection (gpointer data)
{
  FalSession *session = data;
  g_autoptr (FalSettings) settings = fal_session_dup_settings (session);
  g_autoptr (GError) error = NULL;
  FalKeyOrigin origin;
  const gchar *api_key = fal_session_get_api_key (session, settings, &origin);

  /* At the start they were found good; a change that is not is left out as a whole. */
  if (fal_preflight_check_credentials (settings, session->base_uri, api_key,
          session->callbacks.has_provider (session->user), &error))
    fal_connection_configure (
        fal_shared_connection_get_connection (session->line), settings, api_key, origin);
  else
    fal_session_tell (session, FALSE, error, NULL);
  return G_SOURCE_REMOVE;
}

void
fal_session_note_connection (FalSession *session)
{
  session->stats.connection =
      *fal_connection_get_counts (fal_shared_connection_get_connection (session->line));
}

void
fal_session_go_online (FalSession *session)
{
  session->online = TRUE;
  session->wanted = FALSE;
  session->fresh = TRUE;
  fal_pacer_set_online (session->pacer, TRUE);
  g_cond_signal (&session->work);
}

static void
on_opened (gpointer data)
{
  FalSession *session = data;
  FalConnection *connection = fal_shared_connection_get_connection (session->line);

  g_mutex_lock (&session->lock);
  session->wanted = TRUE; /* until it is online */
  g_free (session->last_token);
  session->last_token = g_strdup (fal_connection_get_token (connection));
  session->doomed = 0;
  session->generation++;
  session->last_received = session->last_active = g_get_monotonic_time ();
  session->guard = fal_socket_guard_ref (fal_connection_get_guard (connection));
  fal_session_note_connection (session);
  if (fal_shared_connection_is_ready (session->line))
    fal_session_go_online (session);
  g_cond_signal (&session->work);
  g_mutex_unlock (&session->lock);
}

static GstStructure *
describe_fault (FalSession *session, const FalFault *fault, gboolean retryable)
{
  GstStructure *details = gst_structure_new ("details", "attempt", G_TYPE_UINT,
      fal_connection_get_attempt (fal_shared_connection_get_connection (session->line)),
      "retryable", G_TYPE_BOOLEAN, retryable, NULL);

  if (fault->kind == FAL_FAULT_HTTP || fault->kind == FAL_FAULT_TOKEN ||
      fault->kind == FAL_FAULT_PROXY)
    gst_structure_set (details, "http-status", G_TYPE_UINT, fault->code, NULL);
  if (fault->kind == FAL_FAULT_CLOSED)
    gst_structure_set (details, "close-code", G_TYPE_UINT, fault->code, NULL);
  if (fault->kind == FAL_FAULT_SERVER && session->server_error)
    gst_structure_set (details, "error", G_TYPE_STRING, session->server_error, NULL);
  return details;
}

/* What is no outage, or goes on: a line of the story, and no message. */
static void
note_end (FalSession *session, FalVerdict verdict, const GError *error)
{
  g_autofree gchar *text = fal_session_redact (session, error->message);

  fal_session_note (
      session, verdict == FAL_VERDICT_QUIET ? "connection ended: %s" : "still no result: %s", text);
}

static void
on_ended (gpointer data, FalVerdict verdict, const FalFault *fault, const GError *error)
{
  FalSession *session = data;
  gboolean fatal = verdict == FAL_VERDICT_FAIL, running;

  g_mutex_lock (&session->lock);
  running = session->running;
  session->online = FALSE;
  session->wanted = session->closing = FALSE;
  session->doomed = 0;
  fal_pacer_set_online (session->pacer, FALSE);
  g_clear_pointer (&session->guard, fal_socket_guard_unref);
  fal_pacer_lose (session->pacer);
  session->answered.open = FALSE;
  fal_session_note_connection (session);
  if (fatal)
    session->state = FAL_DIALER_FAILED;
  if (fatal && session->flow == GST_FLOW_OK)
    session->flow = GST_FLOW_ERROR;
  fal_session_call_for_connection (session);
  fal_session_wake_all (session);
  g_mutex_unlock (&session->lock);
  fal_session_tell_drops (session);
  if (running && verdict != FAL_VERDICT_WARN && !fatal)
    note_end (session, verdict, error);
  if (running && (fatal || verdict == FAL_VERDICT_WARN))
    fal_session_tell (session, fatal, error, describe_fault (session, fault, !fatal));
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
    fal_shared_connection_send (session->line, session, outgoing->message);
  g_mutex_lock (&session->lock);
  fal_session_note_connection (session);
  g_mutex_unlock (&session->lock);
  return G_SOURCE_REMOVE;
}

void
fal_session_transmit (FalSession *session, GBytes *message, guint generation)
{
  Outgoing *outgoing = g_new (Outgoing, 1);

  *outgoing = (Outgoing){ session, message, generation };
  fal_shared_connection_hop (session->line, on_send, outgoing, outgoing_free);
}

static gboolean
has_provider (gpointer data)
{
  FalSession *session = data;
  g_autoptr (FalSettings) settings = fal_session_dup_settings (session);
  FalKeyOrigin origin;

  /* One that came while playing gives no token that would go over an open wire. */
  return session->callbacks.has_provider (session->user) &&
         fal_preflight_check_credentials (settings, session->base_uri,
             fal_session_get_api_key (session, settings, &origin), TRUE, NULL);
}

static void
request_token (gpointer data, FalTokenPromise *provision)
{
  FalSession *session = data;

  session->callbacks.request_token (session->user, provision);
}

static gboolean
accept_certificate (
    gpointer data, GTlsConnection *tls, GTlsCertificate *certificate, GTlsCertificateFlags errors)
{
  FalSession *session = data;

  return session->callbacks.accept_certificate (session->user, tls, certificate, errors);
}

/* ---- joining and leaving the line ---- */

gboolean
fal_session_connect (FalSession *session, FalEndpoint *endpoint, GError **error)
{
  g_autoptr (FalSettings) settings = fal_session_dup_settings (session);
  const FalConnectionEvents events = { on_opened, fal_session_take_message, on_ended,
    on_state_changed, has_provider, request_token, accept_certificate };
  gboolean connected;

  /* At once for all that look at it with the lock held: it runs, and there is a line. */
  g_mutex_lock (&session->lock);
  session->running = fal_shared_connection_join (
      settings, endpoint, &events, session, &session->line, &session->tag, error);
  connected = session->running;
  if (connected)
    fal_shared_connection_hop (session->line, fal_session_configure_connection, session, NULL);
  g_mutex_unlock (&session->lock);
  return connected;
}

/* A fetcher belongs to the net thread, and is let go there. */
static void
on_leave (gpointer data)
{
  FalSession *session = data;
  FalDownloader *fetcher = g_steal_pointer (&session->fetcher);

  g_queue_clear_full (&session->fetches, g_free);
  g_mutex_lock (&session->lock);
  fal_pacer_set_online (session->pacer, FALSE);
  fal_session_note_connection (session);
  g_mutex_unlock (&session->lock);
  /* Last of all: it runs the context for a moment, in which the session may come to its end. */
  if (fetcher)
    fal_downloader_free (fetcher);
}

void
fal_session_disconnect (FalSession *session)
{
  fal_shared_connection_leave (session->line, session, on_leave);
  session->line = NULL;
}
