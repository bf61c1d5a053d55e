/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The connection: libsoup at work for the dialer. Everything here runs on the net
 * thread, in the main context that was its default when the connection was made. */
#include "connection.h"
#include "diagnosis.h"
#include "link.h"
#include "token.h"
#include "transport.h"

struct _FalConnection {
  FalEndpoint *endpoint;
  FalConnectionEvents events;
  gpointer user;

  GMainContext *context;
  FalTransport *transport;
  FalCredentials *credentials;
  FalDialer *dialer;
  FalDialerConfig dialer_config;
  FalDialerState shown_state;
  GSource *timer; /* steps the dialer when its time has come */
  FalLink *link;  /* the attempt or connection of now; NULL: none */
  guint pending;  /* operations of libsoup that have not come back */
  FalConnectionCounts counts;

  FalTokenRequest token_request;
  guint token_expiration, max_buffering;
  guint64 max_message_size;
};

/* A link together with the connection whose count of pending operations it raised: the connection
 * outlives them all, since it is drained before it is freed. */
typedef struct {
  FalConnection *connection;
  FalLink *link;
} Operation;

static Operation *
operation_begin (FalConnection *connection)
{
  Operation *operation = g_new (Operation, 1);

  connection->pending++;
  *operation = (Operation){ connection, fal_link_ref (connection->link) };
  return operation;
}

/* The link that the operation was for, or NULL where nobody waits for it any more. */
static FalLink *
operation_get_link (Operation *operation)
{
  return operation->link->owner ? operation->link : NULL;
}

static void
operation_end (Operation *operation)
{
  operation->connection->pending--;
  fal_link_unref (operation->link);
  g_free (operation);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Operation, operation_end)

static void
show_state (FalConnection *connection)
{
  FalDialerState state = fal_dialer_get_state (connection->dialer);
  gint64 now = g_get_monotonic_time ();

  g_source_set_ready_time (connection->timer, -1);
  if (fal_dialer_next_time (connection->dialer, now) != G_MAXINT64)
    g_source_set_ready_time (connection->timer, fal_dialer_next_time (connection->dialer, now));
  if (state == connection->shown_state)
    return;
  connection->shown_state = state;
  connection->events.state_changed (connection->user, state);
}

static void
drop_link (FalConnection *connection)
{
  FalLink *link = g_steal_pointer (&connection->link);
  FalConnectionCounts *counts = &connection->counts;

  if (link == NULL)
    return;
  if (link->socket)
    counts->connected_time += g_get_monotonic_time () - counts->connected_since;
  counts->connected_since = 0;
  fal_link_drop (link, connection->context);
}

static gint64
get_wall_time (void)
{
  return g_get_real_time () / G_USEC_PER_SEC;
}

/* How the next attempt shows who it is; the dialer is told whether it begins with a question. */
static FalWay
choose_way (FalConnection *connection)
{
  gboolean has_provider = connection->events.has_provider (connection->user);
  FalWay way = fal_credentials_choose (connection->credentials, has_provider, get_wall_time ());

  connection->dialer_config.fetches_token = fal_way_asks (way);
  fal_dialer_configure (connection->dialer, &connection->dialer_config);
  return way;
}

/* Remembers what was refused, and says in *@what which it was. */
static void
note_refusal (FalConnection *connection, gchar **what)
{
  const FalLink *link = connection->link;
  gboolean asking = fal_way_asks (link->way) && link->token == NULL;
  g_autofree gchar *text = *what;
  g_autofree gchar *shown = fal_credentials_describe (connection->credentials, link->way, asking);

  *what = g_strdup_printf ("%s: %s", text, shown);
  if (link->token)
    fal_credentials_refuse (connection->credentials, link->token);
}

/* The attempt or connection is over: asks the dialer what that means and tells the owner. */
static void
end_link (FalConnection *connection, const FalFault *fault, const gchar *what)
{
  g_autofree gchar *address = fal_endpoint_describe (connection->endpoint);
  g_autofree gchar *text = g_strdup (what);
  g_autoptr (GError) error = NULL;
  FalVerdict verdict;

  if (fal_fault_is_refusal (fault) && fault->kind != FAL_FAULT_STALE)
    note_refusal (connection, &text);
  drop_link (connection);
  choose_way (connection);
  verdict =
      fal_dialer_fault (connection->dialer, fault, g_get_monotonic_time (), g_random_double ());
  g_set_error (&error, G_IO_ERROR, fal_fault_get_error_code (fault), "%s: %s (%s)", address, text,
      fal_fault_get_hint (fault));
  connection->events.ended (connection->user, verdict, fault, error);
  show_state (connection);
}

static FalScene
describe_scene (FalConnection *connection, const gchar *doing)
{
  const FalLink *link = connection->link;

  return (FalScene){ doing, fal_transport_get_proxy (connection->transport), link->tls_errors,
    link->timed_out };
}

static void
end_by_error (FalConnection *connection, const gchar *doing, const GError *error)
{
  FalScene scene = describe_scene (connection, doing);
  g_autofree gchar *what = NULL;
  FalFault fault = fal_diagnose_error (&scene, error, &what);

  end_link (connection, &fault, what);
}

static void
end_by_status (FalConnection *connection, FalFaultKind kind, const gchar *doing)
{
  FalScene scene = describe_scene (connection, doing);
  g_autofree gchar *what = NULL;
  FalFault fault = fal_diagnose_status (&scene, kind, connection->link->message, &what);

  end_link (connection, &fault, what);
}

static void
end_too_big (FalLink *link)
{
  const FalFault fault = { FAL_FAULT_SERVER };

  end_link (link->owner, &fault, "a message exceeds max-message-size");
}

/* The peer closes, or went. */
static void
end_by_close (FalLink *link, guint code, const gchar *reason)
{
  FalFault fault = { FAL_FAULT_CLOSED, code ? code : SOUP_WEBSOCKET_CLOSE_ABNORMAL };
  g_autofree gchar *what = g_strdup_printf (fault.code == SOUP_WEBSOCKET_CLOSE_ABNORMAL
                                                ? "the link was lost (code %u)%s%s"
                                                : "the server closed with code %u%s%s",
      fault.code, reason && *reason ? ": " : "", reason ? reason : "");

  end_link (link->owner, &fault, what);
}

/* Called at "closing" where the peer says that it goes, at "closed" where it just went; the code is
 * known at both. */
static void
on_close (SoupWebsocketConnection *socket, FalLink *link)
{
  const FalFault silent = { FAL_FAULT_SILENT };

  switch (fal_guard_get_state (link->guard)) {
  case FAL_GUARD_OVERFLOWN:
    end_too_big (link);
    break;
  case FAL_GUARD_CUT:
    end_link (link->owner, &silent, "requests went unanswered");
    break;
  case FAL_GUARD_CALM:
    end_by_close (link, soup_websocket_connection_get_close_code (socket),
        soup_websocket_connection_get_close_data (socket));
    break;
  }
}

static void
on_message (SoupWebsocketConnection *socket, gint type, GBytes *message, FalLink *link)
{
  FalConnection *connection = link->owner;

  /* The kernel may hold a million more of them: the cut does not wait until they are read. */
  if (fal_guard_get_state (link->guard) != FAL_GUARD_CALM) {
    on_close (socket, link);
    return;
  }
  fal_guard_note_message (link->guard);
  /* libsoup bounds a message's fragments, and only newer ones the whole. */
  if (g_bytes_get_size (message) > connection->max_message_size) {
    end_too_big (link);
    return;
  }
  connection->counts.bytes_received += g_bytes_get_size (message);
  connection->events.message (connection->user, message, type == SOUP_WEBSOCKET_DATA_TEXT);
}

static void
on_socket_error (SoupWebsocketConnection *socket, GError *error, FalLink *link)
{
  const FalFault fault = { FAL_FAULT_NETWORK };
  g_autofree gchar *what = NULL;

  if (g_error_matches (error, SOUP_WEBSOCKET_ERROR, SOUP_WEBSOCKET_CLOSE_TOO_BIG)) {
    end_too_big (link);
    return;
  }
  /* What libsoup does not know, 1012 and 1013 too, it calls an error, though the code is there. */
  if (fal_guard_get_state (link->guard) != FAL_GUARD_CALM ||
      soup_websocket_connection_get_close_code (socket) != 0) {
    on_close (socket, link);
    return;
  }
  what = g_strdup_printf ("the link broke: %s", error->message);
  end_link (link->owner, &fault, what);
}

/* The handshake ended well, but nobody waits for it any more. @socket is taken; may be NULL. */
static void
cut_stray_socket (Operation *operation, SoupWebsocketConnection *socket)
{
  if (socket == NULL)
    return;
  fal_link_take_socket (operation->link, socket, operation->connection->max_message_size);
  fal_link_cut (operation->link);
}

static void
on_connected (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Operation) operation = data;
  FalLink *link = operation_get_link (operation);
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
  fal_link_take_socket (link, g_steal_pointer (&socket), connection->max_message_size);
  g_signal_connect (link->socket, "message", G_CALLBACK (on_message), link);
  g_signal_connect (link->socket, "closing", G_CALLBACK (on_close), link);
  g_signal_connect (link->socket, "closed", G_CALLBACK (on_close), link);
  g_signal_connect (link->socket, "error", G_CALLBACK (on_socket_error), link);
  connection->counts.connections++;
  connection->counts.connected_since = g_get_monotonic_time ();
  fal_dialer_opened (connection->dialer);
  connection->events.opened (connection->user);
  show_state (connection);
}

/* A refusal is known with its status, however long its page goes on. */
static void
on_headers (SoupMessage *message, FalLink *link)
{
  if (soup_message_get_status (message) != SOUP_STATUS_SWITCHING_PROTOCOLS)
    end_by_status (link->owner, FAL_FAULT_HTTP, "opening the WebSocket");
}

/* ---- requests ---- */

/* Of the last handshake: whoever judges the certificate may want to look at it. */
static void
on_network_event (SoupMessage *message, GSocketClientEvent event, GIOStream *stream, FalLink *link)
{
  if (event == G_SOCKET_CLIENT_TLS_HANDSHAKING && G_IS_TLS_CONNECTION (stream))
    link->tls = G_TLS_CONNECTION (stream);
}

/* The certificate did not pass. */
static gboolean
on_certificate (
    SoupMessage *message, GTlsCertificate *certificate, GTlsCertificateFlags errors, FalLink *link)
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
  FalLink *link = connection->link;

  fal_link_take_message (link, message);
  soup_message_add_flags (message, SOUP_MESSAGE_NO_REDIRECT);
  fal_transport_add_headers (connection->transport, message);
  g_signal_connect (message, "network-event", G_CALLBACK (on_network_event), link);
  g_signal_connect (message, "accept-certificate", G_CALLBACK (on_certificate), link);
}

/* The address to connect to: a token, where there is one, or the key stands in it. */
static gchar *
make_uri (FalConnection *connection)
{
  const FalLink *link = connection->link;

  if (link->way == FAL_WAY_KEY_QUERY)
    return fal_endpoint_get_key_uri (connection->endpoint,
        fal_credentials_get (connection->credentials)->api_key, connection->max_buffering);
  return fal_endpoint_get_uri (connection->endpoint, link->token, connection->max_buffering);
}

static void
start_connect (FalConnection *connection)
{
  g_autofree gchar *uri = make_uri (connection);
  FalLink *link = connection->link;

  prepare (connection, soup_message_new (SOUP_METHOD_GET, uri));
  g_signal_connect (link->message, "got-headers", G_CALLBACK (on_headers), link);
  if (link->way == FAL_WAY_KEY_HEADER)
    fal_token_add_key (link->message, fal_credentials_get (connection->credentials)->api_key);
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
  FalLink *link = connection->link;
  g_autoptr (GError) error = NULL;

  link->token = g_strdup (token);
  if (!fal_credentials_check_token (
          connection->credentials, link->way, token, get_wall_time (), &error)) {
    stale.code = error->code == G_IO_ERROR_TIMED_OUT;
    end_link (connection, &stale, error->message);
    return;
  }
  fal_dialer_token_arrived (connection->dialer);
  start_connect (connection);
  show_state (connection);
}

static void
on_token (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Operation) operation = data;
  const FalFault unusable = { FAL_FAULT_TOKEN };
  FalLink *link = operation_get_link (operation);
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
    end_link (connection, &unusable, error->message);
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
  SoupMessage *message = fal_token_new_request (&query);

  if (message == NULL) {
    end_link (connection, &fault, "token-uri or token-proxy-uri is no address");
    return;
  }
  prepare (connection, message);
  if (!proxied)
    fal_token_add_key (message, set->api_key);
  connection->counts.token_requests++;
  fal_token_request_async (fal_transport_get_session (connection->transport), message,
      connection->link->cancellable, on_token, operation_begin (connection));
}

static void
on_provision (gpointer user, const gchar *token)
{
  const FalFault unusable = { FAL_FAULT_PROVIDER };
  FalConnection *connection = user;

  g_clear_pointer (&connection->link->provision, fal_provision_unref);
  if (fal_endpoint_is_token (token))
    connect_with_token (connection, token);
  else
    end_link (connection, &unusable,
        token && *token ? "request-token gave something that is no token"
                        : "request-token gave no token");
}

/* Nothing is counted as pending: the answer may never come. */
static void
start_provision (FalConnection *connection)
{
  g_autofree gchar *scope = fal_endpoint_get_token_scope (connection->endpoint);
  FalProvision *provision =
      fal_provision_new (scope, connection->context, on_provision, connection);

  connection->link->provision = provision;
  connection->events.request_token (connection->user, provision);
}

/* ---- what the dialer says ---- */

static void
start_attempt (FalConnection *connection, FalWay way)
{
  connection->link = fal_link_new (connection, way);
  if (way == FAL_WAY_PROVIDER)
    start_provision (connection);
  else if (fal_way_asks (way))
    start_token_request (connection);
  else if (way == FAL_WAY_READY_TOKEN)
    connect_with_token (connection, fal_credentials_get (connection->credentials)->token);
  else
    start_connect (connection);
}

/* It took too long. An operation of libsoup comes back and tells; a provider may never do. */
static void
give_up_attempt (FalConnection *connection)
{
  const FalFault fault = { FAL_FAULT_PROVIDER, 1 };

  if (connection->link->provision) {
    end_link (connection, &fault, "no answer from request-token within connect-timeout");
    return;
  }
  connection->link->timed_out = TRUE;
  g_cancellable_cancel (connection->link->cancellable);
}

/* Does what the dialer says, once. */
static void
step (FalConnection *connection)
{
  FalWay way = choose_way (connection);

  switch (fal_dialer_next_action (connection->dialer, g_get_monotonic_time ())) {
  case FAL_DIAL_FETCH_TOKEN:
  case FAL_DIAL_CONNECT:
    start_attempt (connection, way);
    break;
  case FAL_DIAL_GIVE_UP_ATTEMPT:
    give_up_attempt (connection);
    break;
  case FAL_DIAL_NOTHING:
    break;
  }
  show_state (connection);
}

static gboolean
on_timer (gpointer data)
{
  step (data);
  return G_SOURCE_CONTINUE;
}

static gboolean
timer_dispatch (GSource *source, GSourceFunc callback, gpointer data)
{
  g_source_set_ready_time (source, -1);
  return callback (data);
}

static GSourceFuncs timer_funcs = { .dispatch = timer_dispatch };

FalConnection *
fal_connection_new (FalEndpoint *endpoint, const FalConnectionEvents *events, gpointer user)
{
  FalConnection *connection = g_new0 (FalConnection, 1);

  connection->endpoint = endpoint;
  connection->events = *events;
  connection->user = user;
  connection->context = g_main_context_ref_thread_default ();
  connection->transport = fal_transport_new ();
  connection->credentials = fal_credentials_new ();
  connection->dialer = fal_dialer_new ();
  connection->timer = g_source_new (&timer_funcs, sizeof (GSource));
  g_source_set_callback (connection->timer, on_timer, connection, NULL);
  g_source_attach (connection->timer, connection->context);
  return connection;
}

void
fal_connection_free (FalConnection *connection)
{
  g_source_destroy (connection->timer); /* nothing is begun any more */
  if (connection->link)
    fal_link_say_goodbye (connection->link, connection->context);
  drop_link (connection);
  soup_session_abort (fal_transport_get_session (connection->transport));
  while (connection->pending > 0)
    g_main_context_iteration (connection->context, TRUE);
  fal_transport_free (connection->transport);
  g_source_unref (connection->timer);
  while (g_main_context_iteration (connection->context, FALSE))
    ;
  fal_dialer_free (connection->dialer);
  fal_endpoint_free (connection->endpoint);
  fal_credentials_free (connection->credentials);
  g_main_context_unref (connection->context);
  g_free (connection);
}

/* A token that is new gets a chance of its own, whatever was refused before it. */
static void
configure_credentials (FalConnection *connection, const FalConnectionConfig *config)
{
  const FalCredentialsConfig credentials = { config->auth, config->token, config->api_key,
    config->api_key_origin, config->token_uri, config->token_proxy_uri };

  if (fal_credentials_configure (connection->credentials, &credentials))
    fal_dialer_forgive (connection->dialer);
}

void
fal_connection_configure (FalConnection *connection, const FalConnectionConfig *config)
{
  const FalTransportConfig transport = { config->tls_validation_flags, config->tls_database,
    config->proxy, config->user_agent, config->extra_headers };

  configure_credentials (connection, config);
  fal_transport_configure (connection->transport, &transport);
  connection->token_request = config->token_request;
  connection->token_expiration = config->token_expiration;
  connection->max_buffering = config->max_buffering;
  connection->max_message_size = config->max_message_size;
  connection->dialer_config = config->dialer;
  choose_way (connection);
}

void
fal_connection_want (FalConnection *connection)
{
  fal_dialer_want (connection->dialer);
  step (connection);
}

gboolean
fal_connection_send (FalConnection *connection, GBytes *message)
{
  FalLink *link = connection->link;

  if (link == NULL || link->socket == NULL ||
      soup_websocket_connection_get_state (link->socket) != SOUP_WEBSOCKET_STATE_OPEN)
    return FALSE;
  connection->counts.bytes_sent += g_bytes_get_size (message);
  soup_websocket_connection_send_message (link->socket, SOUP_WEBSOCKET_DATA_BINARY, message);
  return TRUE;
}

void
fal_connection_note_result (FalConnection *connection)
{
  fal_dialer_result_arrived (connection->dialer);
  show_state (connection);
}

void
fal_connection_note_idle (FalConnection *connection)
{
  fal_dialer_idle_announced (connection->dialer);
}

void
fal_connection_fail (FalConnection *connection, FalFaultKind kind, const gchar *detail)
{
  const FalFault fault = { kind };

  if (connection->link != NULL)
    end_link (connection, &fault, detail ? detail : "the connection is of no use");
}

void
fal_connection_close (FalConnection *connection)
{
  const FalFault fault = { FAL_FAULT_ASKED };

  if (connection->link != NULL) {
    fal_link_say_goodbye (connection->link, connection->context);
    end_link (connection, &fault, "closed");
    return;
  }
  fal_dialer_fault (connection->dialer, &fault, g_get_monotonic_time (), 0);
  show_state (connection);
}

FalGuard *
fal_connection_get_guard (FalConnection *connection)
{
  return connection->link ? connection->link->guard : NULL;
}

const gchar *
fal_connection_get_token (FalConnection *connection)
{
  return connection->link ? connection->link->token : NULL;
}

guint
fal_connection_get_attempt (FalConnection *connection)
{
  return fal_dialer_get_attempt (connection->dialer);
}

const FalConnectionCounts *
fal_connection_get_counts (FalConnection *connection)
{
  return &connection->counts;
}
