/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The connection: libsoup at work for the dialer. Everything here runs on the net
 * thread, in the main context that was its default when the connection was made. */
#include "connection.h"
#include "link.h"
#include "token.h"

struct _FalConnection {
  FalEndpoint *endpoint;
  FalConnectionEvents events;
  gpointer user;

  GMainContext *context;
  SoupSession *soup;
  FalDialer *dialer;
  FalDialerState shown_state;
  GSource *timer; /* steps the dialer when its time has come */
  FalLink *link;  /* the attempt or connection of now; NULL: none */
  guint pending;  /* operations of libsoup that have not come back */
  FalConnectionCounts counts;

  FalAuth auth;
  gchar *token, *api_key, *token_uri;
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

/* The attempt or connection is over: asks the dialer what that means and tells the owner. */
static void
end_link (FalConnection *connection, const FalFault *fault, const gchar *what)
{
  g_autofree gchar *address = fal_endpoint_describe (connection->endpoint);
  g_autoptr (GError) error = NULL;
  FalVerdict verdict;

  drop_link (connection);
  verdict =
      fal_dialer_fault (connection->dialer, fault, g_get_monotonic_time (), g_random_double ());
  g_set_error (&error, G_IO_ERROR, fal_fault_get_error_code (fault), "%s: %s (%s)", address, what,
      fal_fault_get_hint (fault));
  connection->events.ended (connection->user, verdict, fault, error);
  show_state (connection);
}

/* What a failed operation of libsoup means. */
static FalFault
classify_error (const FalLink *link, const GError *error)
{
  if (link->timed_out)
    return (FalFault){ FAL_FAULT_TIMED_OUT };
  if (error->domain == G_TLS_ERROR)
    return (FalFault){ FAL_FAULT_TLS };
  if (g_error_matches (error, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND))
    return (FalFault){ FAL_FAULT_UNKNOWN_HOST };
  return (FalFault){ FAL_FAULT_NETWORK };
}

static gint64
get_retry_after (SoupMessage *message)
{
  const gchar *value =
      soup_message_headers_get_one (soup_message_get_response_headers (message), "Retry-After");
  guint64 seconds;

  if (value == NULL || !g_ascii_string_to_unsigned (value, 10, 0, 3600, &seconds, NULL))
    return 0;
  return seconds * G_USEC_PER_SEC;
}

static void
end_by_error (FalConnection *connection, const gchar *doing, const GError *error)
{
  FalFault fault = classify_error (connection->link, error);
  g_autofree gchar *what = NULL;

  if (fault.kind == FAL_FAULT_TIMED_OUT)
    what = g_strdup_printf ("no answer while %s", doing);
  else
    what = g_strdup_printf ("error while %s: %s", doing, error->message);
  end_link (connection, &fault, what);
}

static void
end_by_status (FalConnection *connection, FalFaultKind kind, const gchar *doing)
{
  SoupMessage *message = connection->link->message;
  guint status = soup_message_get_status (message);
  FalFault fault = { kind, status, get_retry_after (message) };
  g_autofree gchar *what = g_strdup_printf (
      "refused with HTTP status %u (%s) while %s", status, soup_status_get_phrase (status), doing);

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
  if (error && error->domain == SOUP_WEBSOCKET_ERROR) {
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

/* @token NULL: none in the address. */
static void
start_connect (FalConnection *connection, const gchar *token)
{
  g_autofree gchar *uri =
      fal_endpoint_get_uri (connection->endpoint, token, connection->max_buffering);
  FalLink *link = connection->link;

  link->message = soup_message_new (SOUP_METHOD_GET, uri);
  soup_message_add_flags (link->message, SOUP_MESSAGE_NO_REDIRECT);
  g_signal_connect (link->message, "got-headers", G_CALLBACK (on_headers), link);
  if (connection->auth == FAL_AUTH_KEY_HEADER)
    fal_token_add_key (link->message, connection->api_key);
  soup_session_websocket_connect_async (connection->soup, link->message, NULL, NULL,
      G_PRIORITY_DEFAULT, link->cancellable, on_connected, operation_begin (connection));
}

static void
on_token (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Operation) operation = data;
  FalLink *link = operation_get_link (operation);
  FalConnection *connection = operation->connection;
  g_autoptr (GError) error = NULL;
  guint status;
  g_autofree gchar *token = fal_token_request_finish (result, &status, &error);
  FalFault refused = { FAL_FAULT_TOKEN, SOUP_STATUS_IS_SUCCESSFUL (status) ? 0 : status };

  if (link == NULL)
    return;
  if (token == NULL && status != 0 && !link->timed_out) {
    end_link (connection, &refused, error->message);
    return;
  }
  if (token == NULL) {
    end_by_error (connection, "requesting a token", error);
    return;
  }
  fal_dialer_token_arrived (connection->dialer);
  start_connect (connection, token);
  show_state (connection);
}

static void
start_token_request (FalConnection *connection)
{
  FalTokenQuery query = { connection->endpoint, connection->token_uri, connection->api_key,
    connection->token_request, connection->token_expiration };

  connection->counts.token_requests++;
  fal_token_request_async (connection->soup, &query, connection->link->cancellable, on_token,
      operation_begin (connection));
}

/* Does what the dialer says, once. */
static void
step (FalConnection *connection)
{
  switch (fal_dialer_next_action (connection->dialer, g_get_monotonic_time ())) {
  case FAL_DIAL_FETCH_TOKEN:
    connection->link = fal_link_new (connection);
    start_token_request (connection);
    break;
  case FAL_DIAL_CONNECT:
    connection->link = fal_link_new (connection);
    start_connect (connection, connection->auth == FAL_AUTH_TOKEN ? connection->token : NULL);
    break;
  case FAL_DIAL_GIVE_UP_ATTEMPT:
    connection->link->timed_out = TRUE;
    g_cancellable_cancel (connection->link->cancellable);
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

/* Without cookies, sniffer, decompression or a user's stored passwords: none of them is wanted,
 * each is one more way in. */
static SoupSession *
make_soup_session (void)
{
  SoupSession *soup = soup_session_new_with_options (
      "user-agent", "gst-fal/" FAL_VERSION, "timeout", 0, "idle-timeout", 1, NULL);

  soup_session_remove_feature_by_type (soup, SOUP_TYPE_AUTH_MANAGER);
  soup_session_remove_feature_by_type (soup, SOUP_TYPE_CONTENT_DECODER);
  soup_session_remove_feature_by_type (soup, SOUP_TYPE_CONTENT_SNIFFER);
  return soup;
}

FalConnection *
fal_connection_new (FalEndpoint *endpoint, const FalConnectionEvents *events, gpointer user)
{
  FalConnection *connection = g_new0 (FalConnection, 1);

  connection->endpoint = endpoint;
  connection->events = *events;
  connection->user = user;
  connection->context = g_main_context_ref_thread_default ();
  connection->soup = make_soup_session ();
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
  soup_session_abort (connection->soup);
  while (connection->pending > 0)
    g_main_context_iteration (connection->context, TRUE);
  g_object_unref (connection->soup);
  g_source_unref (connection->timer);
  while (g_main_context_iteration (connection->context, FALSE))
    ;
  fal_dialer_free (connection->dialer);
  fal_endpoint_free (connection->endpoint);
  g_main_context_unref (connection->context);
  g_free (connection->token);
  g_free (connection->api_key);
  g_free (connection->token_uri);
  g_free (connection);
}

static void
set_string (gchar **field, const gchar *value)
{
  g_free (*field);
  *field = g_strdup (value);
}

static FalAuth
resolve_auth (const FalConnectionConfig *config)
{
  if (config->auth != FAL_AUTH_AUTO)
    return config->auth;
  return config->token || config->api_key ? FAL_AUTH_TOKEN : FAL_AUTH_NONE;
}

void
fal_connection_configure (FalConnection *connection, const FalConnectionConfig *config)
{
  FalDialerConfig dialer = config->dialer;

  connection->auth = resolve_auth (config);
  set_string (&connection->token, config->token);
  set_string (&connection->api_key, config->api_key);
  set_string (&connection->token_uri, config->token_uri);
  connection->token_request = config->token_request;
  connection->token_expiration = config->token_expiration;
  connection->max_buffering = config->max_buffering;
  connection->max_message_size = config->max_message_size;
  dialer.fetches_token = connection->auth == FAL_AUTH_TOKEN && config->token == NULL;
  fal_dialer_configure (connection->dialer, &dialer);
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
  FalFault fault = { kind };

  if (connection->link != NULL)
    end_link (connection, &fault, detail);
}

FalGuard *
fal_connection_get_guard (FalConnection *connection)
{
  return connection->link ? connection->link->guard : NULL;
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
