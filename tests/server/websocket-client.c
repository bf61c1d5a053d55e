/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The client: connects, collects what comes, waits with a watchdog. Test's thread. */
#include "websocket-client.h"
#include "fal/wire/value-json.h"
#include "fal/wire/value-msgpack.h"
#include "fixture.h"
#include "message-limit.h"
#include <string.h>

void
fal_websocket_client_message_free (FalWebsocketClientMessage *message)
{
  g_bytes_unref (message->bytes);
  g_free (message);
}

static void
on_message (SoupWebsocketConnection *socket, gint type, GBytes *bytes, gpointer user)
{
  FalWebsocketClient *client = user;
  FalWebsocketClientMessage *message = g_new (FalWebsocketClientMessage, 1);

  *message = (FalWebsocketClientMessage){ type == SOUP_WEBSOCKET_DATA_TEXT, g_bytes_ref (bytes) };
  g_queue_push_tail (&client->inbox, message);
}

static void
on_closed (SoupWebsocketConnection *socket, gpointer user)
{
  ((FalWebsocketClient *) user)->closed = TRUE;
}

static void
on_connected (GObject *session, GAsyncResult *result, gpointer user)
{
  FalWebsocketClient *client = user;

  client->socket = soup_session_websocket_connect_finish (SOUP_SESSION (session), result, NULL);
  client->answered = TRUE;
  if (client->socket == NULL)
    return;
  fal_message_limit_set (client->socket, 32 * 1024 * 1024);
  g_signal_connect (client->socket, "message", G_CALLBACK (on_message), client);
  g_signal_connect (client->socket, "closed", G_CALLBACK (on_closed), client);
}

static FalWebsocketClient *
make_client (FalServer *server, const gchar *target)
{
  FalWebsocketClient *client = g_new0 (FalWebsocketClient, 1);
  g_autofree gchar *uri = g_strconcat (fal_server_get_uri (server), target, NULL);

  client->session = soup_session_new ();
  if (g_str_has_prefix (uri, "wss:"))
    fal_fixture_trust_test_ca (client->session);
  client->upgrade = soup_message_new (SOUP_METHOD_GET, uri);
  g_queue_init (&client->inbox);
  return client;
}

static void
connect_client (FalWebsocketClient *client)
{
  soup_session_websocket_connect_async (
      client->session, client->upgrade, NULL, NULL, G_PRIORITY_DEFAULT, NULL, on_connected, client);
  FAL_WAIT_UNTIL (client->answered);
}

FalWebsocketClient *
fal_websocket_client_new (FalServer *server, const gchar *target, const gchar *authorization)
{
  FalWebsocketClient *client = make_client (server, target);

  if (authorization != NULL)
    soup_message_headers_append (
        soup_message_get_request_headers (client->upgrade), "Authorization", authorization);
  connect_client (client);
  return client;
}

FalWebsocketClient *
fal_websocket_client_new_by_proxy (FalServer *server, const gchar *proxy)
{
  FalWebsocketClient *client = make_client (server, FAL_TURBO_PATH);
  g_autoptr (GProxyResolver) resolver = g_simple_proxy_resolver_new (proxy, NULL);

  soup_session_set_proxy_resolver (client->session, resolver);
  connect_client (client);
  return client;
}

void
fal_websocket_client_free (FalWebsocketClient *client)
{
  if (client->socket != NULL) {
    g_signal_handlers_disconnect_by_data (client->socket, client);
    g_io_stream_close (soup_websocket_connection_get_io_stream (client->socket), NULL, NULL);
    g_object_unref (client->socket);
  }
  g_queue_clear_full (&client->inbox, (GDestroyNotify) fal_websocket_client_message_free);
  g_object_unref (client->upgrade);
  soup_session_abort (client->session);
  g_object_unref (client->session);
  g_free (client);
}

FalWebsocketClient *
fal_websocket_client_connect (FalServer *server)
{
  FalWebsocketClient *client = fal_websocket_client_new (server, FAL_TURBO_PATH, NULL);

  g_assert_nonnull (client->socket);
  return client;
}

void
fal_websocket_client_send_bytes (FalWebsocketClient *client, GBytes *bytes)
{
  soup_websocket_connection_send_message (client->socket, SOUP_WEBSOCKET_DATA_BINARY, bytes);
}

void
fal_websocket_client_send (FalWebsocketClient *client, const GstStructure *request)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = fal_value_to_msgpack (request, &error);

  g_assert_no_error (error);
  fal_websocket_client_send_bytes (client, bytes);
}

void
fal_websocket_client_send_prompt (FalWebsocketClient *client, const gchar *prompt, const gchar *id)
{
  g_autoptr (GstStructure) request = gst_structure_new (
      "map", "prompt", G_TYPE_STRING, prompt, "request_id", G_TYPE_STRING, id, NULL);

  fal_websocket_client_send (client, request);
}

FalWebsocketClientMessage *
fal_websocket_client_next (FalWebsocketClient *client)
{
  FAL_WAIT_UNTIL (!g_queue_is_empty (&client->inbox));
  return g_queue_pop_head (&client->inbox);
}

GstStructure *
fal_websocket_client_next_map (FalWebsocketClient *client, gboolean text)
{
  g_autoptr (FalWebsocketClientMessage) message = fal_websocket_client_next (client);
  g_autoptr (GError) error = NULL;
  gsize size;
  const gchar *data = g_bytes_get_data (message->bytes, &size);
  GstStructure *map = message->text ? fal_value_from_json (data, size, &error)
                                    : fal_value_from_msgpack (message->bytes, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpint (message->text, ==, text);
  return map;
}

void
fal_websocket_client_assert_id (FalWebsocketClient *client, const gchar *id)
{
  g_autoptr (GstStructure) map = fal_websocket_client_next_map (client, FALSE);

  g_assert_cmpstr (gst_structure_get_string (map, "request_id"), ==, id);
}

void
fal_websocket_client_assert_error (
    FalWebsocketClient *client, const gchar *kind, const gchar *reason)
{
  g_autoptr (GstStructure) map = fal_websocket_client_next_map (client, TRUE);

  g_assert_cmpstr (gst_structure_get_string (map, "type"), ==, "x-fal-error");
  g_assert_cmpstr (gst_structure_get_string (map, "error"), ==, kind);
  g_assert_true (g_str_has_prefix (gst_structure_get_string (map, "reason"), reason));
  FAL_WAIT_UNTIL (client->closed);
  g_assert_cmpuint (soup_websocket_connection_get_close_code (client->socket), ==, 1000);
}
