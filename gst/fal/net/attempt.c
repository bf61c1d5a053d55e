/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An attempt to connect. What libsoup does for it holds a reference, so that a callback which comes
 * late finds out that nobody waits for it. Net thread. */
#include "attempt.h"
#include "resources.h"
#include "soup-fault.h"
#include "timer.h"
#include "token-request.h"
#include "fal/wire/token-format.h"

#define MAX_NAME 40 /* of an extension, in a message */
/* Where nothing answers the kernel asks again after 1, 3, 7 and 15 s, so that it would notice late
 * that the network is back. A request that reached nobody for this long begins anew. */
#define REACH_TIME (5 * G_TIME_SPAN_SECOND)

/* Reference counted: one is the owner's, until it drops the attempt, and one is that of the
 * operation of libsoup which is under way. */
struct _FalAttempt {
  FalAttemptConfig config;
  FalAttemptEvents events;
  gpointer user;
  gboolean dropped; /* the owner and all that it lent are gone */

  FalTokenPromise *promise; /* the question for a token that is out; NULL: none */
  gchar *token;             /* that it shows; NULL: none, or none yet */

  gboolean running; /* an operation of libsoup is under way */
  void (*start) (FalAttempt *attempt); /* what began it, and begins it anew */
  FalTimer *reach_timer;               /* runs until its request is connected */
  gboolean unreached;                  /* it was cancelled because that took too long */
  GCancellable *cancellable;
  /* The request of that operation, for the token or for the upgrade; it keeps the status. */
  SoupMessage *message;
  GSocket *socket;                 /* that the request travels on; NULL: not connected */
  GTlsConnection *tls;             /* borrowed; for an answer about its certificate */
  GTlsCertificateFlags tls_errors; /* for which the certificate was not accepted */
  gboolean timed_out;
};

static FalAttempt *
attempt_ref (FalAttempt *attempt)
{
  return g_rc_box_acquire (attempt);
}

static void
attempt_clear (gpointer data)
{
  FalAttempt *attempt = data;

  fal_settings_unref (attempt->config.settings);
  fal_timer_free (attempt->reach_timer);
  g_object_unref (attempt->cancellable);
  g_clear_object (&attempt->message);
  g_clear_object (&attempt->socket);
  g_free (attempt->token);
}

static void
attempt_unref (FalAttempt *attempt)
{
  g_rc_box_release_full (attempt, attempt_clear);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalAttempt, attempt_unref)

/* What an operation of libsoup is given as its data. */
static FalAttempt *
operation_begin (FalAttempt *attempt, void (*start) (FalAttempt *))
{
  attempt->running = TRUE;
  attempt->start = start;
  fal_transport_begin (attempt->config.transport);
  return attempt_ref (attempt);
}

/* The attempt that the operation was for, with the operation's reference to it. */
static FalAttempt *
operation_end (gpointer data)
{
  FalAttempt *attempt = data;

  attempt->running = FALSE;
  fal_timer_set (attempt->reach_timer, G_MAXINT64);
  fal_transport_end (attempt->config.transport);
  return attempt;
}

static void
on_reach_time (gpointer user)
{
  FalAttempt *attempt = user;

  attempt->unreached = TRUE;
  g_cancellable_cancel (attempt->cancellable);
}

/* The operation failed. TRUE: only because it reached nobody, and it has begun anew. */
static gboolean
operation_renew (FalAttempt *attempt)
{
  if (!attempt->unreached || attempt->timed_out)
    return FALSE;
  attempt->unreached = FALSE;
  g_object_unref (attempt->cancellable);
  attempt->cancellable = g_cancellable_new ();
  attempt->start (attempt);
  return TRUE;
}

/* The transport's rule says when a request may be cancelled. */
static void
stop_operation (FalAttempt *attempt)
{
  if (!attempt->running)
    return;
  if (attempt->socket)
    g_socket_shutdown (attempt->socket, TRUE, TRUE, NULL);
  else
    g_cancellable_cancel (attempt->cancellable);
  fal_transport_hurry (attempt->config.transport);
}

/* ---- failures ---- */

static void
fail (FalAttempt *attempt, const FalFault *fault, const gchar *what)
{
  attempt->events.failed (attempt->user, fault, what);
}

static void
fail_for_resources (FalAttempt *attempt, const GError *error)
{
  const FalFault fault = fal_resources_get_fault (error);

  fail (attempt, &fault, error->message);
}

static FalSoupCircumstances
describe_circumstances (const FalAttempt *attempt, const gchar *doing)
{
  return (FalSoupCircumstances){ doing, fal_transport_get_proxy (attempt->config.transport),
    attempt->tls_errors, attempt->timed_out };
}

static void
fail_by_error (FalAttempt *attempt, const gchar *doing, const GError *error)
{
  FalSoupCircumstances circumstances = describe_circumstances (attempt, doing);
  g_autofree gchar *what = NULL;
  FalFault fault = fal_soup_fault_from_error (&circumstances, error, &what);

  fail (attempt, &fault, what);
}

static void
fail_by_status (FalAttempt *attempt, FalFaultKind kind, const gchar *doing)
{
  FalSoupCircumstances circumstances = describe_circumstances (attempt, doing);
  g_autofree gchar *what = NULL;
  FalFault fault = fal_soup_fault_from_status (&circumstances, kind, attempt->message, &what);

  fail (attempt, &fault, what);
}

/* ---- what all requests have in common ---- */

static void
on_network_event (
    SoupMessage *message, GSocketClientEvent event, GIOStream *stream, FalAttempt *attempt)
{
  if (event == G_SOCKET_CLIENT_CONNECTING && attempt->socket == NULL)
    fal_timer_set (attempt->reach_timer, g_get_monotonic_time () + REACH_TIME);
  if (event == G_SOCKET_CLIENT_CONNECTED)
    fal_timer_set (attempt->reach_timer, G_MAXINT64);
  if (event == G_SOCKET_CLIENT_CONNECTED && G_IS_SOCKET_CONNECTION (stream))
    g_set_object (&attempt->socket, g_socket_connection_get_socket (G_SOCKET_CONNECTION (stream)));
  /* Of the last handshake: whoever judges the certificate may want to look at it. */
  if (event == G_SOCKET_CLIENT_TLS_HANDSHAKING && G_IS_TLS_CONNECTION (stream))
    attempt->tls = G_TLS_CONNECTION (stream);
}

/* The certificate did not pass. */
static gboolean
on_certificate (SoupMessage *message, GTlsCertificate *certificate, GTlsCertificateFlags errors,
    FalAttempt *attempt)
{
  GTlsCertificateFlags counted = fal_transport_weigh (attempt->config.transport, errors);

  if (counted == 0 ||
      attempt->events.accept_certificate (attempt->user, attempt->tls, certificate, counted))
    return TRUE;
  attempt->tls_errors = counted;
  return FALSE;
}

static void
forget_request (FalAttempt *attempt)
{
  if (attempt->message)
    g_signal_handlers_disconnect_by_data (attempt->message, attempt);
  g_clear_object (&attempt->message);
  g_clear_object (&attempt->socket);
  attempt->tls = NULL;
  attempt->tls_errors = 0;
}

/* @message (taken) becomes the attempt's. A connection of its own shows its socket; one that was
 * used before would not. */
static void
take_request (FalAttempt *attempt, SoupMessage *message)
{
  forget_request (attempt);
  attempt->message = message;
  soup_message_add_flags (message, SOUP_MESSAGE_NO_REDIRECT | SOUP_MESSAGE_NEW_CONNECTION);
  fal_transport_add_headers (attempt->config.transport, message);
  g_signal_connect (message, "network-event", G_CALLBACK (on_network_event), attempt);
  g_signal_connect (message, "accept-certificate", G_CALLBACK (on_certificate), attempt);
}

/* ---- the upgrade ---- */

/* The upgrade ended well, but nobody waits for it any more. */
static void
close_stray (FalAttempt *attempt, SoupWebsocketConnection *socket)
{
  if (socket != NULL && attempt->socket != NULL)
    g_socket_close (attempt->socket, NULL);
}

/* The name of an extension of WebSocket that the answer came with and nobody asked for; NULL: none.
 * A peer wrote it, so that only letters of names are shown. */
static gchar *
dup_extension (SoupMessage *message)
{
  const gchar *value = soup_message_headers_get_one (
      soup_message_get_response_headers (message), "Sec-WebSocket-Extensions");
  GString *name;

  if (value == NULL || soup_message_headers_get_one (
                           soup_message_get_request_headers (message), "Sec-WebSocket-Extensions"))
    return NULL;
  name = g_string_new (NULL);
  for (; g_ascii_isalnum (*value) || *value == '-' || *value == '_'; value++)
    g_string_append_c (name, *value);
  return g_string_free (g_string_truncate (name, MAX_NAME), FALSE);
}

/* The upgrade was accepted, but in a way that libsoup does not take. */
static void
fail_by_handshake (FalAttempt *attempt, const GError *error)
{
  const FalFault fault = { FAL_FAULT_HTTP, SOUP_STATUS_SWITCHING_PROTOCOLS };
  g_autofree gchar *extension = dup_extension (attempt->message);
  g_autofree gchar *what =
      g_strdup_printf ("the answer to the upgrade is wrong (HTTP status 101): %s%s%s",
          extension ? "it came with an extension that nobody offered, " : error->message,
          extension ? extension : "", extension && !*extension ? "of no name" : "");

  fail (attempt, &fault, what);
}

static void
on_connected (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (FalAttempt) attempt = operation_end (data);
  g_autoptr (GError) error = NULL;
  g_autoptr (SoupWebsocketConnection) socket =
      soup_session_websocket_connect_finish (SOUP_SESSION (source), result, &error);

  if (attempt->dropped)
    close_stray (attempt, socket);
  else if (error == NULL)
    attempt->events.opened (attempt->user, g_steal_pointer (&socket));
  else if (operation_renew (attempt))
    return;
  else if (error->domain == SOUP_WEBSOCKET_ERROR &&
           soup_message_get_status (attempt->message) == SOUP_STATUS_SWITCHING_PROTOCOLS)
    fail_by_handshake (attempt, error);
  else if (error->domain == SOUP_WEBSOCKET_ERROR &&
           soup_message_get_status (attempt->message) != SOUP_STATUS_NONE)
    fail_by_status (attempt, FAL_FAULT_HTTP, "opening the WebSocket");
  else
    fail_by_error (attempt, "connecting", error);
}

/* A refusal is known with its status, however long its page goes on. */
static void
on_headers (SoupMessage *message, FalAttempt *attempt)
{
  if (soup_message_get_status (message) != SOUP_STATUS_SWITCHING_PROTOCOLS)
    fail_by_status (attempt, FAL_FAULT_HTTP, "opening the WebSocket");
}

/* The address to connect to: a token, where there is one, or the key stands in it. */
static gchar *
make_uri (const FalAttempt *attempt)
{
  const FalAttemptConfig *config = &attempt->config;
  guint max_buffering = config->settings->max_buffering;

  if (config->way == FAL_WAY_KEY_QUERY)
    return fal_endpoint_get_key_uri (
        config->endpoint, fal_credentials_get_api_key (config->credentials), max_buffering);
  return fal_endpoint_get_uri (config->endpoint, attempt->token, max_buffering);
}

static void
start_upgrade (FalAttempt *attempt)
{
  const FalAttemptConfig *config = &attempt->config;
  g_autofree gchar *uri = make_uri (attempt);

  take_request (attempt, soup_message_new (SOUP_METHOD_GET, uri));
  g_signal_connect (attempt->message, "got-headers", G_CALLBACK (on_headers), attempt);
  if (config->way == FAL_WAY_KEY_HEADER)
    fal_token_request_add_key (attempt->message, fal_credentials_get_api_key (config->credentials));
  soup_session_websocket_connect_async (fal_transport_get_session (config->transport),
      attempt->message, NULL, NULL, G_PRIORITY_DEFAULT, attempt->cancellable, on_connected,
      operation_begin (attempt, start_upgrade));
}

/* ---- tokens ---- */

/* A token that ended, or was refused before, is not sent. */
static void
upgrade_with_token (FalAttempt *attempt, const gchar *token)
{
  const FalAttemptConfig *config = &attempt->config;
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;
  FalFault stale = { FAL_FAULT_STALE };
  g_autoptr (GError) error = NULL;

  attempt->token = g_strdup (token);
  if (!fal_credentials_check_token (config->credentials, config->way, token, now, &error)) {
    stale.code = error->code == G_IO_ERROR_TIMED_OUT;
    fail (attempt, &stale, error->message);
    return;
  }
  attempt->events.token_chosen (attempt->user, token);
  if (!attempt->dropped)
    start_upgrade (attempt);
}

static void
on_token (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (FalAttempt) attempt = operation_end (data);
  const FalFault unusable = { FAL_FAULT_TOKEN };
  g_autoptr (GError) error = NULL;
  guint status;
  g_autofree gchar *token = fal_token_request_finish (result, &status, &error);

  if (attempt->dropped || (error != NULL && operation_renew (attempt)))
    return;
  /* Where the time is over the reply may have been cut short. */
  if (attempt->timed_out || (token == NULL && status == 0))
    fail_by_error (attempt, "requesting a token", error);
  else if (token != NULL)
    upgrade_with_token (attempt, token);
  else if (SOUP_STATUS_IS_SUCCESSFUL (status))
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there is a token or an error */
    fail (attempt, &unusable, error->message);
  else
    fail_by_status (attempt, FAL_FAULT_TOKEN, "requesting a token");
}

static SoupMessage *
make_token_request (const FalAttempt *attempt)
{
  const FalAttemptConfig *config = &attempt->config;
  const FalSettings *settings = config->settings;
  gboolean proxied = config->way == FAL_WAY_TOKEN_PROXY;
  const FalTokenQuery query = {
    .endpoint = config->endpoint,
    .uri = settings->token_uri ? settings->token_uri : "",
    .proxy_uri = proxied ? settings->token_proxy_uri : NULL,
    .form = settings->token_request,
    .expiration = settings->token_expiration,
  };

  return fal_token_request_new_message (&query);
}

static void
start_token_request (FalAttempt *attempt)
{
  const FalAttemptConfig *config = &attempt->config;
  const FalFault fault = { FAL_FAULT_TOKEN };
  SoupMessage *message = make_token_request (attempt);

  if (message == NULL) {
    fail (attempt, &fault, "token-uri or token-proxy-uri is not an address");
    return;
  }
  take_request (attempt, message);
  /* After the user's headers, which it replaces. */
  if (config->way == FAL_WAY_TOKEN_URI)
    fal_token_request_add_key (message, fal_credentials_get_api_key (config->credentials));
  fal_token_request_async (fal_transport_get_session (config->transport), message,
      attempt->cancellable, on_token, operation_begin (attempt, start_token_request));
}

static void
on_promise_answered (gpointer user, const gchar *token)
{
  const FalFault unusable = { FAL_FAULT_PROVIDER, FAL_PROVIDER_FAULT_UNUSABLE },
                 refused = { FAL_FAULT_PROVIDER, FAL_PROVIDER_FAULT_THREADS };
  g_autoptr (FalAttempt) attempt = attempt_ref (user);
  g_autoptr (FalTokenPromise) promise = g_steal_pointer (&attempt->promise);

  if (fal_token_format_is_token (token))
    upgrade_with_token (attempt, token);
  else if (fal_token_promise_is_refused (promise))
    fail (attempt, &refused, "no thread could be started to ask request-token");
  else
    fail (attempt, &unusable,
        token && *token ? "request-token gave something that is not a token"
                        : "request-token gave no token");
}

/* The answer may never come: it is no operation that anybody waits for. */
static void
ask_for_token (FalAttempt *attempt)
{
  g_autofree gchar *scope = fal_token_format_get_scope (attempt->config.endpoint);
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();

  attempt->promise = fal_token_promise_new (scope, context, on_promise_answered, attempt);
  attempt->events.request_token (attempt->user, attempt->promise);
}

/* ---- life ---- */

FalAttempt *
fal_attempt_new (const FalAttemptConfig *config, const FalAttemptEvents *events, gpointer user)
{
  FalAttempt *attempt = g_rc_box_new0 (FalAttempt);
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();

  attempt->reach_timer = fal_timer_new (context, on_reach_time, attempt);
  attempt->config = *config;
  fal_settings_ref (attempt->config.settings);
  attempt->events = *events;
  attempt->user = user;
  attempt->cancellable = g_cancellable_new ();
  return attempt;
}

void
fal_attempt_start (FalAttempt *started)
{
  g_autoptr (FalAttempt) attempt = attempt_ref (started);
  FalWay way = attempt->config.way;
  g_autoptr (GError) error = NULL;

  if (!fal_resources_check (&error))
    fail_for_resources (attempt, error);
  else if (way == FAL_WAY_PROVIDER)
    ask_for_token (attempt);
  else if (fal_way_asks (way))
    start_token_request (attempt);
  else if (way == FAL_WAY_READY_TOKEN)
    upgrade_with_token (attempt, attempt->config.settings->token);
  else
    start_upgrade (attempt);
}

/* An operation of libsoup comes back and tells; a provider may never do. */
void
fal_attempt_give_up (FalAttempt *attempt)
{
  const FalFault fault = { FAL_FAULT_PROVIDER, FAL_PROVIDER_FAULT_TIMED_OUT };

  attempt->timed_out = TRUE;
  if (attempt->promise)
    fail (attempt, &fault, "no answer from request-token within connect-timeout");
  else
    stop_operation (attempt);
}

void
fal_attempt_drop (FalAttempt *attempt)
{
  attempt->dropped = TRUE;
  fal_timer_set (attempt->reach_timer, G_MAXINT64);
  if (attempt->promise)
    fal_token_promise_cancel (attempt->promise);
  g_clear_pointer (&attempt->promise, fal_token_promise_unref);
  if (attempt->message)
    g_signal_handlers_disconnect_by_data (attempt->message, attempt);
  stop_operation (attempt);
  attempt_unref (attempt);
}
