/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The probe: connects, collects what comes, waits with a watchdog. Test's thread. */
#include "probe.h"
#include "fal/wire/value-json.h"
#include "fal/wire/value-msgpack.h"
#include <string.h>

void
fal_probe_message_free (FalProbeMessage *message)
{
  g_bytes_unref (message->bytes);
  g_free (message);
}

gboolean
fal_probe_on_watchdog (gpointer what)
{
  g_error ("no %s within %d s", (const gchar *) what, FAL_PROBE_WATCHDOG);
  return G_SOURCE_REMOVE;
}

gboolean
fal_probe_on_tick (gpointer unused)
{
  return G_SOURCE_CONTINUE;
}

FalServer *
fal_probe_serve (FalServerOptions options)
{
  g_autoptr (GError) error = NULL;
  FalServer *server = fal_server_new (&options, &error);

  g_assert_no_error (error);
  return server;
}

gchar *
fal_probe_dup_tls_file (const gchar *name)
{
  return g_build_filename (g_getenv ("FAL_TEST_DATA"), "tls", name, NULL);
}

void
fal_probe_trust (SoupSession *session)
{
  g_autofree gchar *path = fal_probe_dup_tls_file ("ca.pem");
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsDatabase) database = g_tls_file_database_new (path, &error);

  g_assert_no_error (error);
  soup_session_set_tls_database (session, database);
}

static void
on_message (SoupWebsocketConnection *socket, gint type, GBytes *bytes, gpointer user)
{
  FalProbe *client = user;
  FalProbeMessage *message = g_new (FalProbeMessage, 1);

  *message = (FalProbeMessage){ type == SOUP_WEBSOCKET_DATA_TEXT, g_bytes_ref (bytes) };
  g_queue_push_tail (&client->inbox, message);
}

static void
on_closed (SoupWebsocketConnection *socket, gpointer user)
{
  ((FalProbe *) user)->closed = TRUE;
}

static void
on_connected (GObject *session, GAsyncResult *result, gpointer user)
{
  FalProbe *client = user;

  client->socket = soup_session_websocket_connect_finish (SOUP_SESSION (session), result, NULL);
  client->answered = TRUE;
  if (client->socket == NULL)
    return;
  soup_websocket_connection_set_max_incoming_payload_size (client->socket, 32 * 1024 * 1024);
  g_signal_connect (client->socket, "message", G_CALLBACK (on_message), client);
  g_signal_connect (client->socket, "closed", G_CALLBACK (on_closed), client);
}

static FalProbe *
make_probe (FalServer *server, const gchar *target)
{
  FalProbe *client = g_new0 (FalProbe, 1);
  g_autofree gchar *uri = g_strconcat (fal_server_get_uri (server), target, NULL);

  client->session = soup_session_new ();
  if (g_str_has_prefix (uri, "wss:"))
    fal_probe_trust (client->session);
  client->upgrade = soup_message_new (SOUP_METHOD_GET, uri);
  g_queue_init (&client->inbox);
  return client;
}

static void
connect_probe (FalProbe *client)
{
  soup_session_websocket_connect_async (
      client->session, client->upgrade, NULL, NULL, G_PRIORITY_DEFAULT, NULL, on_connected, client);
  FAL_PROBE_WAIT (client->answered);
}

FalProbe *
fal_probe_new (FalServer *server, const gchar *target, const gchar *authorization)
{
  FalProbe *client = make_probe (server, target);

  if (authorization != NULL)
    soup_message_headers_append (
        soup_message_get_request_headers (client->upgrade), "Authorization", authorization);
  connect_probe (client);
  return client;
}

FalProbe *
fal_probe_new_by_proxy (FalServer *server, const gchar *proxy)
{
  FalProbe *client = make_probe (server, FAL_PROBE_TURBO);
  g_autoptr (GProxyResolver) resolver = g_simple_proxy_resolver_new (proxy, NULL);

  soup_session_set_proxy_resolver (client->session, resolver);
  connect_probe (client);
  return client;
}

void
fal_probe_free (FalProbe *client)
{
  if (client->socket != NULL) {
    g_signal_handlers_disconnect_by_data (client->socket, client);
    g_io_stream_close (soup_websocket_connection_get_io_stream (client->socket), NULL, NULL);
    g_object_unref (client->socket);
  }
  g_queue_clear_full (&client->inbox, (GDestroyNotify) fal_probe_message_free);
  g_object_unref (client->upgrade);
  soup_session_abort (client->session);
  g_object_unref (client->session);
  g_free (client);
}

FalProbe *
fal_probe_connect (FalServer *server)
{
  FalProbe *client = fal_probe_new (server, FAL_PROBE_TURBO, NULL);

  g_assert_nonnull (client->socket);
  return client;
}

void
fal_probe_send_bytes (FalProbe *client, GBytes *bytes)
{
  soup_websocket_connection_send_message (client->socket, SOUP_WEBSOCKET_DATA_BINARY, bytes);
}

void
fal_probe_send (FalProbe *client, const GstStructure *request)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = fal_value_to_msgpack (request, &error);

  g_assert_no_error (error);
  fal_probe_send_bytes (client, bytes);
}

void
fal_probe_send_prompt (FalProbe *client, const gchar *prompt, const gchar *id)
{
  g_autoptr (GstStructure) request = gst_structure_new (
      "map", "prompt", G_TYPE_STRING, prompt, "request_id", G_TYPE_STRING, id, NULL);

  fal_probe_send (client, request);
}

FalProbeMessage *
fal_probe_next (FalProbe *client)
{
  FAL_PROBE_WAIT (!g_queue_is_empty (&client->inbox));
  return g_queue_pop_head (&client->inbox);
}

GstStructure *
fal_probe_next_map (FalProbe *client, gboolean text)
{
  g_autoptr (FalProbeMessage) message = fal_probe_next (client);
  g_autoptr (GError) error = NULL;
  gsize size;
  const gchar *data = g_bytes_get_data (message->bytes, &size);
  GstStructure *map = message->text ? fal_value_from_json (data, size, &error)
                                    : fal_value_from_msgpack (message->bytes, &error);

  g_assert_no_error (error);
  g_assert_cmpint (message->text, ==, text);
  return map;
}

void
fal_probe_assert_id (FalProbe *client, const gchar *id)
{
  g_autoptr (GstStructure) map = fal_probe_next_map (client, FALSE);

  g_assert_cmpstr (gst_structure_get_string (map, "request_id"), ==, id);
}

void
fal_probe_assert_error (FalProbe *client, const gchar *kind, const gchar *reason)
{
  g_autoptr (GstStructure) map = fal_probe_next_map (client, TRUE);

  g_assert_cmpstr (gst_structure_get_string (map, "type"), ==, "x-fal-error");
  g_assert_cmpstr (gst_structure_get_string (map, "error"), ==, kind);
  g_assert_true (g_str_has_prefix (gst_structure_get_string (map, "reason"), reason));
  FAL_PROBE_WAIT (client->closed);
  g_assert_cmpuint (soup_websocket_connection_get_close_code (client->socket), ==, 1000);
}
