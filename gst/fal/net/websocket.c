/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The link: a WebSocket from the first attempt to the last late callback. Net thread. */
#include "websocket.h"

#define DRAIN_ROUNDS 64 /* of the main context, so that a close frame gets out */
/* Seconds between pings. A peer that is there answers them, however long its model takes. */
#define PING_INTERVAL 5
/* Beside the message itself: heads of frames, control frames, TLS records. */
#define GUARD_SLACK (1024 * 1024)

FalWebsocket *
fal_websocket_new (gpointer owner, FalWay way)
{
  FalWebsocket *link = g_rc_box_new0 (FalWebsocket);

  link->owner = owner;
  link->way = way;
  link->cancellable = g_cancellable_new ();
  return link;
}

FalWebsocket *
fal_websocket_ref (FalWebsocket *link)
{
  return g_rc_box_acquire (link);
}

static void
link_clear (gpointer data)
{
  FalWebsocket *link = data;

  g_clear_object (&link->cancellable);
  g_clear_object (&link->message);
  g_clear_object (&link->socket);
  g_clear_pointer (&link->token, g_free);
  g_clear_pointer (&link->guard, fal_socket_guard_unref);
}

void
fal_websocket_unref (FalWebsocket *link)
{
  g_rc_box_release_full (link, link_clear);
}

void
fal_websocket_take_message (FalWebsocket *link, SoupMessage *message)
{
  if (link->message)
    g_signal_handlers_disconnect_by_data (link->message, link);
  g_clear_object (&link->message);
  link->message = message;
  link->tls = NULL;
  link->tls_errors = 0;
}

/* The socket under the WebSocket, below libsoup's wrapper and TLS where there is any. */
static GSocket *
find_socket (SoupWebsocketConnection *websocket)
{
  g_autoptr (GIOStream) stream = g_object_ref (soup_websocket_connection_get_io_stream (websocket));

  while (!G_IS_SOCKET_CONNECTION (stream)) {
    const gchar *inner = G_IS_TLS_CONNECTION (stream) ? "base-io-stream" : "base-iostream";
    GIOStream *base = NULL;

    g_object_get (stream, inner, &base, NULL);
    g_return_val_if_fail (base != NULL, NULL);
    g_object_unref (stream);
    stream = base;
  }
  return g_socket_connection_get_socket (G_SOCKET_CONNECTION (stream));
}

void
fal_websocket_take_socket (
    FalWebsocket *link, SoupWebsocketConnection *socket, guint64 max_message_size)
{
  link->socket = socket;
  soup_websocket_connection_set_max_incoming_payload_size (socket, max_message_size);
  soup_websocket_connection_set_keepalive_interval (socket, PING_INTERVAL);
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (socket), "max-total-message-size"))
    g_object_set (socket, "max-total-message-size", max_message_size, NULL);
  link->guard = fal_socket_guard_new (
      find_socket (socket), max_message_size + GUARD_SLACK, g_get_monotonic_time ());
}

void
fal_websocket_say_goodbye (FalWebsocket *link, GMainContext *context)
{
  if (!link->socket ||
      soup_websocket_connection_get_state (link->socket) != SOUP_WEBSOCKET_STATE_OPEN)
    return;
  g_signal_handlers_disconnect_by_data (link->socket, link);
  link->parted = TRUE;
  soup_websocket_connection_close (link->socket, SOUP_WEBSOCKET_CLOSE_NORMAL, NULL);
  for (guint i = 0; i < DRAIN_ROUNDS && g_main_context_iteration (context, FALSE); i++)
    ;
}

/* After its close frame libsoup reads once, what may have come with the handshake, and then looks
 * at the socket without asking whether it still is one: it is shut down, not closed. */
void
fal_websocket_cut (FalWebsocket *link)
{
  GSocket *socket = find_socket (link->socket);

  fal_socket_guard_disarm (link->guard);
  if (link->parted)
    g_socket_shutdown (socket, TRUE, TRUE, NULL);
  else
    g_socket_close (socket, NULL);
}

static gboolean
release (gpointer data)
{
  fal_websocket_unref (data);
  return G_SOURCE_REMOVE;
}

void
fal_websocket_drop (FalWebsocket *link, GMainContext *context)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  link->owner = NULL;
  if (link->provision)
    fal_token_promise_cancel (link->provision);
  g_clear_pointer (&link->provision, fal_token_promise_unref);
  g_cancellable_cancel (link->cancellable);
  if (link->message)
    g_signal_handlers_disconnect_by_data (link->message, link);
  if (link->socket) {
    g_signal_handlers_disconnect_by_data (link->socket, link);
    fal_websocket_cut (link);
  }
  g_source_set_callback (source, release, link, NULL);
  g_source_attach (source, context);
}
