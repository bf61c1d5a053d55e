/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An attempt to connect: the token where one is needed, then the upgrade. Each operation of libsoup
 * holds its link, so that what comes late finds out that nobody waits for it. Net thread. */
#include "connection-private.h"
#include "soup-fault.h"
#include "token-request.h"
#include "fal/wire/token-format.h"

/* A link together with the connection whose count of pending operations it raised: the connection
 * outlives them all, since it is drained before it is freed. */
typedef struct {
  FalConnection *connection;
  FalWebsocket *link;
} Operation;

static Operation *
operation_begin (FalConnection *connection)
{
  Operation *operation = g_new (Operation, 1);

  connection->pending++;
  *operation = (Operation){ connection, fal_websocket_ref (connection->link) };
  return operation;
}

/* The link that the operation was for, or NULL where nobody waits for it any more. */
static FalWebsocket *
operation_get_link (Operation *operation)
{
  return operation->link->owner ? operation->link : NULL;
}

static void
operation_end (Operation *operation)
{
  operation->connection->pending--;
  fal_websocket_unref (operation->link);
  g_free (operation);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Operation, operation_end)

static FalSoupContext
describe_scene (FalConnection *connection, const gchar *doing)
{
  const FalWebsocket *link = connection->link;

  return (FalSoupContext){ doing, fal_transport_get_proxy (connection->transport), link->tls_errors,
    link->timed_out };
}

static void
end_by_error (FalConnection *connection, const gchar *doing, const GError *error)
{
  FalSoupContext scene = describe_scene (connection, doing);
  g_autofree gchar *what = NULL;
  FalFault fault = fal_soup_fault_from_error (&scene, error, &what);

  fal_connection_end_link (connection, &fault, what);
}

static void
end_by_status (FalConnection *connection, FalFaultKind kind, const gchar *doing)
{
  FalSoupContext scene = describe_scene (connection, doing);
  g_autofree gchar *what = NULL;
  FalFault fault = fal_soup_fault_from_status (&scene, kind, connection->link->message, &what);

  fal_connection_end_link (connection, &fault, what);
}

/* The handshake ended well, but nobody waits for it any more. @socket is taken; may be NULL. */
static void
cut_stray_socket (Operation *operation, SoupWebsocketConnection *socket)
{
  if (socket == NULL)
    return;
  fal_websocket_take_socket (operation->link, socket, operation->connection->max_message_size);
  fal_websocket_cut (operation->link);
}

static void
on_connected (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Operation) operation = data;
  FalWebsocket *link = operation_get_link (operation);
  FalConnection *connection = operation->connection;
  g_autoptr (GError) error = NULL;
  g_autoptr (SoupWebsocketConnection) socket =
      soup_session_websocket_connect_finish (SOUP_SESSION (source), result, &error);

  if (link == NULL) {
    cut_stray_socket (operation, g_steal_pointer (&socket));
    return;
  }
  if (error && error->domain == SOUP_WEBSOCKET_ERROR &&
      soup_message_get_status (link->message) != SOUP_STATUS_NONE) {
    end_by_status (connection, FAL_FAULT_HTTP, "opening the WebSocket");
    return;
  }
  if (error) {
    end_by_error (connection, "connecting", error);
    return;
  }
  fal_connection_take_socket (connection, g_steal_pointer (&socket));
}

/* A refusal is known with its status, however long its page goes on. */
static void
on_headers (SoupMessage *message, FalWebsocket *link)
{
  if (soup_message_get_status (message) != SOUP_STATUS_SWITCHING_PROTOCOLS)
    end_by_status (link->owner, FAL_FAULT_HTTP, "opening the WebSocket");
}

/* ---- requests ---- */

/* Of the last handshake: whoever judges the certificate may want to look at it. */
static void
on_network_event (
    SoupMessage *message, GSocketClientEvent event, GIOStream *stream, FalWebsocket *link)
{
  if (event == G_SOCKET_CLIENT_TLS_HANDSHAKING && G_IS_TLS_CONNECTION (stream))
    link->tls = G_TLS_CONNECTION (stream);
}

/* The certificate did not pass. */
static gboolean
on_certificate (SoupMessage *message, GTlsCertificate *certificate, GTlsCertificateFlags errors,
    FalWebsocket *link)
{
  FalConnection *connection = link->owner;
  GTlsCertificateFlags counted = fal_transport_weigh (connection->transport, errors);

  if (counted == 0 ||
      connection->events.accept_certificate (connection->user, link->tls, certificate, counted))
    return TRUE;
  link->tls_errors = counted;
  return FALSE;
}

/* @message (taken) becomes the link's, with all that requests have in common. */
static void
prepare (FalConnection *connection, SoupMessage *message)
{
  FalWebsocket *link = connection->link;

  fal_websocket_take_message (link, message);
  soup_message_add_flags (message, SOUP_MESSAGE_NO_REDIRECT);
  fal_transport_add_headers (connection->transport, message);
  g_signal_connect (message, "network-event", G_CALLBACK (on_network_event), link);
  g_signal_connect (message, "accept-certificate", G_CALLBACK (on_certificate), link);
}

/* The address to connect to: a token, where there is one, or the key stands in it. */
static gchar *
make_uri (FalConnection *connection)
{
  const FalWebsocket *link = connection->link;

  if (link->way == FAL_WAY_KEY_QUERY)
    return fal_endpoint_get_key_uri (connection->endpoint,
        fal_credentials_get (connection->credentials)->api_key, connection->max_buffering);
  return fal_endpoint_get_uri (connection->endpoint, link->token, connection->max_buffering);
}

static void
start_connect (FalConnection *connection)
{
  g_autofree gchar *uri = make_uri (connection);
  FalWebsocket *link = connection->link;

  prepare (connection, soup_message_new (SOUP_METHOD_GET, uri));
  g_signal_connect (link->message, "got-headers", G_CALLBACK (on_headers), link);
  if (link->way == FAL_WAY_KEY_HEADER)
    fal_token_request_add_key (
        link->message, fal_credentials_get (connection->credentials)->api_key);
  soup_session_websocket_connect_async (fal_transport_get_session (connection->transport),
      link->message, NULL, NULL, G_PRIORITY_DEFAULT, link->cancellable, on_connected,
      operation_begin (connection));
}

/* ---- tokens ---- */

/* A token that ended, or was refused before, is not sent. */
static void
connect_with_token (FalConnection *connection, const gchar *token)
{
  FalFault stale = { FAL_FAULT_STALE };
  FalWebsocket *link = connection->link;
  g_autoptr (GError) error = NULL;

  link->token = g_strdup (token);
  if (!fal_credentials_check_token (
          connection->credentials, link->way, token, fal_connection_get_wall_time (), &error)) {
    stale.code = error->code == G_IO_ERROR_TIMED_OUT;
    fal_connection_end_link (connection, &stale, error->message);
    return;
  }
  fal_dialer_token_arrived (connection->dialer);
  start_connect (connection);
  fal_connection_show_state (connection);
}

static void
on_token (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Operation) operation = data;
  const FalFault unusable = { FAL_FAULT_TOKEN };
  FalWebsocket *link = operation_get_link (operation);
  FalConnection *connection = operation->connection;
  g_autoptr (GError) error = NULL;
  guint status;
  g_autofree gchar *token = fal_token_request_finish (result, &status, &error);

  if (link == NULL)
    return;
  if (token != NULL)
    connect_with_token (connection, token);
  else if (status == 0 || link->timed_out)
    end_by_error (connection, "requesting a token", error);
  else if (SOUP_STATUS_IS_SUCCESSFUL (status))
    fal_connection_end_link (connection, &unusable, error->message);
  else
    end_by_status (connection, FAL_FAULT_TOKEN, "requesting a token");
}

static void
start_token_request (FalConnection *connection)
{
  const FalCredentialsConfig *set = fal_credentials_get (connection->credentials);
  gboolean proxied = connection->link->way == FAL_WAY_TOKEN_PROXY;
  FalTokenQuery query = { connection->endpoint, set->token_uri ? set->token_uri : "",
    proxied ? set->token_proxy_uri : NULL, connection->token_request,
    connection->token_expiration };
  const FalFault fault = { FAL_FAULT_TOKEN };
  SoupMessage *message = fal_token_request_new_message (&query);

  if (message == NULL) {
    fal_connection_end_link (connection, &fault, "token-uri or token-proxy-uri is no address");
    return;
  }
  prepare (connection, message);
  if (!proxied)
    fal_token_request_add_key (message, set->api_key);
  connection->counts.token_requests++;
  fal_token_request_async (fal_transport_get_session (connection->transport), message,
      connection->link->cancellable, on_token, operation_begin (connection));
}

static void
on_provision (gpointer user, const gchar *token)
{
  const FalFault unusable = { FAL_FAULT_PROVIDER };
  FalConnection *connection = user;

  g_clear_pointer (&connection->link->provision, fal_token_promise_unref);
  if (fal_token_format_is_token (token))
    connect_with_token (connection, token);
  else
    fal_connection_end_link (connection, &unusable,
        token && *token ? "request-token gave something that is no token"
                        : "request-token gave no token");
}

/* Nothing is counted as pending: the answer may never come. */
static void
start_provision (FalConnection *connection)
{
  g_autofree gchar *scope = fal_token_format_get_scope (connection->endpoint);
  FalTokenPromise *provision =
      fal_token_promise_new (scope, connection->context, on_provision, connection);

  connection->link->provision = provision;
  connection->events.request_token (connection->user, provision);
}

/* ---- start and end ---- */

void
fal_connection_start_attempt (FalConnection *connection, FalWay way)
{
  connection->link = fal_websocket_new (connection, way);
  if (way == FAL_WAY_PROVIDER)
    start_provision (connection);
  else if (fal_way_asks (way))
    start_token_request (connection);
  else if (way == FAL_WAY_READY_TOKEN)
    connect_with_token (connection, fal_credentials_get (connection->credentials)->token);
  else
    start_connect (connection);
}

/* An operation of libsoup comes back and tells; a provider may never do. */
void
fal_connection_give_up_attempt (FalConnection *connection)
{
  const FalFault fault = { FAL_FAULT_PROVIDER, 1 };

  if (connection->link->provision) {
    fal_connection_end_link (
        connection, &fault, "no answer from request-token within connect-timeout");
    return;
  }
  connection->link->timed_out = TRUE;
  g_cancellable_cancel (connection->link->cancellable);
}
