/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The WebSocket: libsoup's, watched by a guard. Net thread. */
#include "websocket.h"
#include "timer.h"

#define DRAIN_ROUNDS 64 /* of the main context, so that a close frame gets out */
/* Seconds between pings. A peer that is there answers them, however long its model takes. */
#define PING_INTERVAL 5
/* Beside the message itself: heads of frames, control frames, TLS records. */
#define GUARD_SLACK (1024 * 1024)

struct _FalWebsocket {
  SoupWebsocketConnection *socket;
  FalSocketGuard *guard;
  guint64 max_message_size;
  FalWebsocketEvents events;
  gpointer user;
  GMainContext *context;
  FalTimer *release; /* frees it, once it was dropped */
  gboolean parted;   /* the goodbye was said */
};

/* ---- how it ends by itself ---- */

static void
end_too_big (FalWebsocket *websocket)
{
  const FalFault fault = { FAL_FAULT_SERVER, FAL_SERVER_FAULT_TOO_BIG };

  websocket->events.ended (websocket->user, &fault, "a message is larger than max-message-size");
}

/* The peer closes, or went. */
static void
end_by_close (FalWebsocket *websocket)
{
  guint code = soup_websocket_connection_get_close_code (websocket->socket);
  const gchar *reason = soup_websocket_connection_get_close_data (websocket->socket);
  FalFault fault = { FAL_FAULT_CLOSED, code ? code : SOUP_WEBSOCKET_CLOSE_ABNORMAL };
  g_autofree gchar *what =
      g_strdup_printf (fault.code == SOUP_WEBSOCKET_CLOSE_ABNORMAL
                           ? "the connection was lost (code %u)%s%s"
                           : "the server closed the connection with code %u%s%s",
          fault.code, reason && *reason ? ": " : "", reason ? reason : "");

  websocket->events.ended (websocket->user, &fault, what);
}

/* Called at "closing" where the peer says that it goes, at "closed" where it just went; the code is
 * known at both. */
static void
on_close (SoupWebsocketConnection *socket, FalWebsocket *websocket)
{
  const FalFault cut = { fal_socket_guard_get_reason (websocket->guard) };

  switch (fal_socket_guard_get_state (websocket->guard)) {
  case FAL_SOCKET_GUARD_OVERFLOWN:
    end_too_big (websocket);
    break;
  case FAL_SOCKET_GUARD_CUT:
    websocket->events.ended (websocket->user, &cut, fal_fault_describe (cut.kind));
    break;
  case FAL_SOCKET_GUARD_CALM:
    end_by_close (websocket);
    break;
  }
}

static void
on_error (SoupWebsocketConnection *socket, GError *error, FalWebsocket *websocket)
{
  const FalFault fault = { FAL_FAULT_NETWORK };
  g_autofree gchar *what = NULL;

  if (g_error_matches (error, SOUP_WEBSOCKET_ERROR, SOUP_WEBSOCKET_CLOSE_TOO_BIG)) {
    end_too_big (websocket);
    return;
  }
  /* What libsoup does not know, 1012 and 1013 too, it calls an error, though the code is there. */
  if (fal_socket_guard_get_state (websocket->guard) != FAL_SOCKET_GUARD_CALM ||
      soup_websocket_connection_get_close_code (socket) != 0) {
    on_close (socket, websocket);
    return;
  }
  what = g_strdup_printf ("the connection broke: %s", error->message);
  websocket->events.ended (websocket->user, &fault, what);
}

static void
on_message (SoupWebsocketConnection *socket, gint type, GBytes *message, FalWebsocket *websocket)
{
  /* The kernel may hold a million more of them: the cut does not wait until they are read. */
  if (fal_socket_guard_get_state (websocket->guard) != FAL_SOCKET_GUARD_CALM) {
    on_close (socket, websocket);
    return;
  }
  fal_socket_guard_note_message (websocket->guard, g_get_monotonic_time ());
  /* libsoup bounds a message's fragments, and only newer ones the whole. */
  if (g_bytes_get_size (message) > websocket->max_message_size)
    end_too_big (websocket);
  else
    websocket->events.message (websocket->user, message, type == SOUP_WEBSOCKET_DATA_TEXT);
}

/* ---- life ---- */

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

static void
set_limits (SoupWebsocketConnection *socket, guint64 max_message_size)
{
  soup_websocket_connection_set_max_incoming_payload_size (socket, max_message_size);
  soup_websocket_connection_set_keepalive_interval (socket, PING_INTERVAL);
  /* libsoup 3.8 has it. */
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (socket), "max-total-message-size"))
    g_object_set (socket, "max-total-message-size", max_message_size, NULL);
}

static void
on_release (gpointer data)
{
  FalWebsocket *websocket = data;

  fal_timer_free (websocket->release);
  g_object_unref (websocket->socket);
  fal_socket_guard_unref (websocket->guard);
  g_main_context_unref (websocket->context);
  g_free (websocket);
}

FalWebsocket *
fal_websocket_new (SoupWebsocketConnection *socket, guint64 max_message_size,
    const FalWebsocketEvents *events, gpointer user)
{
  FalWebsocket *websocket = g_new0 (FalWebsocket, 1);

  set_limits (socket, max_message_size);
  websocket->socket = socket;
  websocket->max_message_size = max_message_size;
  websocket->guard = fal_socket_guard_new (
      find_socket (socket), max_message_size + GUARD_SLACK, g_get_monotonic_time ());
  websocket->events = *events;
  websocket->user = user;
  websocket->context = g_main_context_ref_thread_default ();
  websocket->release = fal_timer_new (websocket->context, on_release, websocket);
  g_signal_connect (socket, "message", G_CALLBACK (on_message), websocket);
  g_signal_connect (socket, "closing", G_CALLBACK (on_close), websocket);
  g_signal_connect (socket, "closed", G_CALLBACK (on_close), websocket);
  g_signal_connect (socket, "error", G_CALLBACK (on_error), websocket);
  return websocket;
}

static gboolean
is_open (const FalWebsocket *websocket)
{
  return soup_websocket_connection_get_state (websocket->socket) == SOUP_WEBSOCKET_STATE_OPEN;
}

gboolean
fal_websocket_send (FalWebsocket *websocket, GBytes *message)
{
  if (!is_open (websocket))
    return FALSE;
  soup_websocket_connection_send_message (websocket->socket, SOUP_WEBSOCKET_DATA_BINARY, message);
  return TRUE;
}

FalSocketGuard *
fal_websocket_get_guard (FalWebsocket *websocket)
{
  return websocket->guard;
}

void
fal_websocket_say_goodbye (FalWebsocket *websocket)
{
  g_autoptr (GMainContext) context = g_main_context_ref (websocket->context);

  if (!is_open (websocket))
    return;
  g_signal_handlers_disconnect_by_data (websocket->socket, websocket);
  websocket->parted = TRUE;
  soup_websocket_connection_close (websocket->socket, SOUP_WEBSOCKET_CLOSE_NORMAL, NULL);
  /* From here on the owner may have dropped it. */
  for (guint i = 0; i < DRAIN_ROUNDS && g_main_context_iteration (context, FALSE); i++)
    ;
}

/* After its close frame libsoup reads once, what may have come with the handshake, and then looks
 * at the socket without asking whether it still is one: it is shut down, not closed. */
static void
cut (FalWebsocket *websocket)
{
  GSocket *socket = find_socket (websocket->socket);

  fal_socket_guard_disarm (websocket->guard);
  if (websocket->parted)
    g_socket_shutdown (socket, TRUE, TRUE, NULL);
  else
    g_socket_close (socket, NULL);
}

void
fal_websocket_drop (FalWebsocket *websocket)
{
  g_signal_handlers_disconnect_by_data (websocket->socket, websocket);
  cut (websocket);
  /* Later: this may be within a signal of the socket. */
  fal_timer_set (websocket->release, 0);
}
