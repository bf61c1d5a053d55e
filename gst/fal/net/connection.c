/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The connection: libsoup at work for the dialer. Everything here runs on the net
 * thread, in the main context that was its default when the connection was made. */
#include "connection-private.h"

void
fal_connection_show_state (FalConnection *connection)
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
  FalWebsocket *link = g_steal_pointer (&connection->link);
  FalConnectionCounts *counts = &connection->counts;

  if (link == NULL)
    return;
  if (link->socket)
    counts->connected_time += g_get_monotonic_time () - counts->connected_since;
  counts->connected_since = 0;
  fal_websocket_drop (link, connection->context);
}

gint64
fal_connection_get_wall_time (void)
{
  return g_get_real_time () / G_USEC_PER_SEC;
}

/* How the next attempt shows who it is; the dialer is told whether it begins with a question. */
static FalWay
choose_way (FalConnection *connection)
{
  gboolean has_provider = connection->events.has_provider (connection->user);
  FalWay way = fal_credentials_choose (
      connection->credentials, has_provider, fal_connection_get_wall_time ());

  connection->dialer_config.fetches_token = fal_way_asks (way);
  fal_dialer_configure (connection->dialer, &connection->dialer_config);
  return way;
}

/* Remembers what was refused, and says in *@what which it was. */
static void
note_refusal (FalConnection *connection, gchar **what)
{
  const FalWebsocket *link = connection->link;
  gboolean asking = fal_way_asks (link->way) && link->token == NULL;
  g_autofree gchar *text = *what;
  g_autofree gchar *shown = fal_credentials_describe (connection->credentials, link->way, asking);

  *what = g_strdup_printf ("%s: %s", text, shown);
  if (link->token)
    fal_credentials_refuse (connection->credentials, link->token);
}

void
fal_connection_end_link (FalConnection *connection, const FalFault *fault, const gchar *what)
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
  fal_connection_show_state (connection);
}

static void
end_too_big (FalWebsocket *link)
{
  const FalFault fault = { FAL_FAULT_SERVER };

  fal_connection_end_link (link->owner, &fault, "a message exceeds max-message-size");
}

/* The peer closes, or went. */
static void
end_by_close (FalWebsocket *link, guint code, const gchar *reason)
{
  FalFault fault = { FAL_FAULT_CLOSED, code ? code : SOUP_WEBSOCKET_CLOSE_ABNORMAL };
  g_autofree gchar *what = g_strdup_printf (fault.code == SOUP_WEBSOCKET_CLOSE_ABNORMAL
                                                ? "the link was lost (code %u)%s%s"
                                                : "the server closed with code %u%s%s",
      fault.code, reason && *reason ? ": " : "", reason ? reason : "");

  fal_connection_end_link (link->owner, &fault, what);
}

/* Called at "closing" where the peer says that it goes, at "closed" where it just went; the code is
 * known at both. */
static void
on_close (SoupWebsocketConnection *socket, FalWebsocket *link)
{
  const FalFault cut = { fal_socket_guard_get_reason (link->guard) };

  switch (fal_socket_guard_get_state (link->guard)) {
  case FAL_SOCKET_GUARD_OVERFLOWN:
    end_too_big (link);
    break;
  case FAL_SOCKET_GUARD_CUT:
    fal_connection_end_link (link->owner, &cut, fal_fault_describe (cut.kind));
    break;
  case FAL_SOCKET_GUARD_CALM:
    end_by_close (link, soup_websocket_connection_get_close_code (socket),
        soup_websocket_connection_get_close_data (socket));
    break;
  }
}

static void
on_message (SoupWebsocketConnection *socket, gint type, GBytes *message, FalWebsocket *link)
{
  FalConnection *connection = link->owner;

  /* The kernel may hold a million more of them: the cut does not wait until they are read. */
  if (fal_socket_guard_get_state (link->guard) != FAL_SOCKET_GUARD_CALM) {
    on_close (socket, link);
    return;
  }
  fal_socket_guard_note_message (link->guard, g_get_monotonic_time ());
  /* libsoup bounds a message's fragments, and only newer ones the whole. */
  if (g_bytes_get_size (message) > connection->max_message_size) {
    end_too_big (link);
    return;
  }
  connection->counts.bytes_received += g_bytes_get_size (message);
  connection->events.message (connection->user, message, type == SOUP_WEBSOCKET_DATA_TEXT);
}

static void
on_socket_error (SoupWebsocketConnection *socket, GError *error, FalWebsocket *link)
{
  const FalFault fault = { FAL_FAULT_NETWORK };
  g_autofree gchar *what = NULL;

  if (g_error_matches (error, SOUP_WEBSOCKET_ERROR, SOUP_WEBSOCKET_CLOSE_TOO_BIG)) {
    end_too_big (link);
    return;
  }
  /* What libsoup does not know, 1012 and 1013 too, it calls an error, though the code is there. */
  if (fal_socket_guard_get_state (link->guard) != FAL_SOCKET_GUARD_CALM ||
      soup_websocket_connection_get_close_code (socket) != 0) {
    on_close (socket, link);
    return;
  }
  what = g_strdup_printf ("the link broke: %s", error->message);
  fal_connection_end_link (link->owner, &fault, what);
}

void
fal_connection_take_socket (FalConnection *connection, SoupWebsocketConnection *socket)
{
  FalWebsocket *link = connection->link;

  fal_websocket_take_socket (link, socket, connection->max_message_size);
  g_signal_connect (link->socket, "message", G_CALLBACK (on_message), link);
  g_signal_connect (link->socket, "closing", G_CALLBACK (on_close), link);
  g_signal_connect (link->socket, "closed", G_CALLBACK (on_close), link);
  g_signal_connect (link->socket, "error", G_CALLBACK (on_socket_error), link);
  connection->counts.connections++;
  connection->counts.connected_since = g_get_monotonic_time ();
  fal_dialer_opened (connection->dialer);
  connection->events.opened (connection->user);
  fal_connection_show_state (connection);
}

/* ---- what the dialer says ---- */

/* Does what the dialer says, once. */
static void
step (FalConnection *connection)
{
  FalWay way = choose_way (connection);

  switch (fal_dialer_next_action (connection->dialer, g_get_monotonic_time ())) {
  case FAL_DIAL_FETCH_TOKEN:
  case FAL_DIAL_CONNECT:
    fal_connection_start_attempt (connection, way);
    break;
  case FAL_DIAL_GIVE_UP_ATTEMPT:
    fal_connection_give_up_attempt (connection);
    break;
  case FAL_DIAL_NOTHING:
    break;
  }
  fal_connection_show_state (connection);
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
    fal_websocket_say_goodbye (connection->link, connection->context);
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
  FalWebsocket *link = connection->link;

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
  fal_connection_show_state (connection);
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
    fal_connection_end_link (connection, &fault, detail ? detail : fal_fault_describe (kind));
}

void
fal_connection_close (FalConnection *connection)
{
  const FalFault fault = { FAL_FAULT_ASKED };

  FalWebsocket *link = connection->link;

  if (link != NULL)
    fal_websocket_say_goodbye (link, connection->context);
  if (connection->link == link) /* else it ended by itself in the moment that the goodbye took */
    fal_connection_end_link (connection, &fault, "closed");
}

FalSocketGuard *
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
