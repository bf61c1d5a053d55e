/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The proxy of the tests: what passes through it, what it asks for, how it dies. */
#include "fixture.h"
#include "proxy.h"
#include "websocket-client.h"
#include <string.h>

static FalServer *
serve (gboolean tls)
{
  return tls ? fal_fixture_serve_tls ("server") : fal_fixture_serve ((FalServerOptions){ 0 });
}

/* "127.0.0.1:PORT" */
static const gchar *
get_address (FalServer *server)
{
  return strstr (fal_server_get_uri (server), "://") + strlen ("://");
}

/* ---- Upgrades ---- */

static void
check_upgrade (gboolean tls)
{
  g_autoptr (FalServer) server = serve (tls);
  g_autoptr (FalProxy) proxy = fal_proxy_new (NULL);
  g_autoptr (FalWebsocketClient) client =
      fal_websocket_client_new_by_proxy (server, fal_proxy_get_uri (proxy));
  g_autofree gchar *target = fal_proxy_dup_last_target (proxy);

  g_assert_nonnull (client->socket);
  g_assert_cmpuint (fal_proxy_get_connections (proxy), ==, 1);
  g_assert_cmpuint (fal_proxy_get_tunnels (proxy), ==, tls);
  g_assert_cmpuint (fal_proxy_get_forwards (proxy), ==, !tls);
  g_assert_cmpstr (target, ==, get_address (server));
  fal_websocket_client_send_prompt (client, "x", "1");
  fal_websocket_client_assert_id (client, "1");
  fal_server_close (server, 1008, "scope");
  FAL_WAIT_UNTIL (client->closed);
  g_assert_cmpuint (soup_websocket_connection_get_close_code (client->socket), ==, 1008);
}

static void
test_wss_goes_through_a_tunnel (void)
{
  check_upgrade (TRUE);
}

static void
test_ws_is_passed_on (void)
{
  check_upgrade (FALSE);
}

static void
test_large_messages_pass (void)
{
  g_autoptr (FalServer) server = serve (TRUE);
  g_autoptr (FalProxy) proxy = fal_proxy_new (NULL);
  g_autoptr (FalWebsocketClient) client =
      fal_websocket_client_new_by_proxy (server, fal_proxy_get_uri (proxy));
  gsize size = 4 * 1024 * 1024;
  g_autoptr (GBytes) much = g_bytes_new_take (g_malloc0 (size), size);
  g_autoptr (FalWebsocketClientMessage) message = NULL;

  FAL_WAIT_UNTIL (fal_server_get_open (server) == 1);
  fal_server_send (server, much, FALSE);
  message = fal_websocket_client_next (client);
  g_assert_true (g_bytes_equal (message->bytes, much));
}

/* ---- Credentials and deaths, seen from a plain socket ---- */

/* All that the proxy answers until it closes, or until a head is whole. */
static gchar *
ask (FalProxy *proxy, const gchar *request)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnection) connection = NULL;
  const gchar *address = fal_proxy_get_uri (proxy) + strlen ("http://");
  GString *text = g_string_new (NULL);
  gchar byte;

  g_socket_client_set_timeout (client, FAL_WATCHDOG_SECONDS);
  connection = g_socket_client_connect_to_host (client, address, 0, NULL, NULL);
  g_assert_nonnull (connection);
  g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)), request,
      strlen (request), NULL, NULL, NULL);
  while (!g_str_has_suffix (text->str, "\r\n\r\n") &&
         g_input_stream_read (
             g_io_stream_get_input_stream (G_IO_STREAM (connection)), &byte, 1, NULL, NULL) == 1)
    g_string_append_c (text, byte);
  return g_string_free (text, FALSE);
}

typedef struct {
  const gchar *name, *header;
  gboolean let_in;
} CredentialRow;

static const CredentialRow credential_rows[] = {
  { "none", "", FALSE },
  { "right", "proxy-authorization: Basic bWU6c2VjcmV0\r\n", TRUE },
  { "wrong", "Proxy-Authorization: Basic bWU6d3Jvbmc=\r\n", FALSE },
  { "other-header", "Authorization: Basic bWU6c2VjcmV0\r\n", FALSE },
};

static void
test_credentials (gconstpointer data)
{
  const CredentialRow *row = data;
  g_autoptr (FalServer) server = serve (FALSE);
  g_autoptr (FalProxy) proxy =
      fal_proxy_new (&(FalProxyOptions){ .user = "me", .password = "secret" });
  g_autofree gchar *request =
      g_strdup_printf ("CONNECT %s HTTP/1.1\r\n%s\r\n", get_address (server), row->header);
  g_autofree gchar *reply = ask (proxy, request), *target = fal_proxy_dup_last_target (proxy);

  g_assert_true (g_str_has_prefix (reply, row->let_in ? "HTTP/1.1 200 " : "HTTP/1.1 407 "));
  g_assert_cmpint (strstr (reply, "\r\nProxy-Authenticate: Basic ") == NULL, ==, row->let_in);
  g_assert_cmpuint (fal_proxy_get_tunnels (proxy), ==, row->let_in);
  g_assert_cmpuint (fal_proxy_get_refusals (proxy), ==, !row->let_in);
  g_assert_cmpint (target != NULL, ==, row->let_in);
}

static void
test_credentials_follow_on_a_new_connection (void)
{
  g_autoptr (FalServer) server = serve (TRUE);
  g_autoptr (FalProxy) proxy =
      fal_proxy_new (&(FalProxyOptions){ .user = "me", .password = "secret" });
  g_autofree gchar *uri =
      g_strconcat ("http://me:secret@", fal_proxy_get_uri (proxy) + strlen ("http://"), NULL);
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_new_by_proxy (server, uri);

  g_assert_nonnull (client->socket);
  g_assert_cmpuint (fal_proxy_get_connections (proxy), ==, 2);
  g_assert_cmpuint (fal_proxy_get_refusals (proxy), ==, 1);
  g_assert_cmpuint (fal_proxy_get_tunnels (proxy), ==, 1);
}

static void
test_route_leads_away_from_the_target (void)
{
  g_autoptr (FalServer) server = serve (FALSE);
  g_autoptr (FalProxy) proxy = fal_proxy_new (&(FalProxyOptions){ .route = get_address (server) });
  g_autofree gchar *reply = ask (proxy, "GET http://rest.fal.ai/here HTTP/1.1\r\nHost: x\r\n\r\n");
  g_autofree gchar *target = fal_proxy_dup_last_target (proxy);

  g_assert_true (g_str_has_prefix (reply, "HTTP/1.1 404 ")); /* the server's own */
  g_assert_nonnull (strstr (reply, "fal-local-server"));
  g_assert_cmpstr (target, ==, "rest.fal.ai:80");
}

typedef struct {
  const gchar *name, *request, *status;
} ReplyRow;

static const ReplyRow reply_rows[] = {
  { "never-off-loopback", "CONNECT 192.0.2.1:443 HTTP/1.1\r\n\r\n", "HTTP/1.1 403 " },
  { "nobody-there", "CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n", "HTTP/1.1 502 " },
  { "no-whole-address", "GET /here HTTP/1.1\r\n\r\n", "HTTP/1.1 400 " },
  { "no-request", "\r\n\r\n", "HTTP/1.1 400 " },
};

static void
test_reply (gconstpointer data)
{
  const ReplyRow *row = data;
  g_autoptr (FalProxy) proxy = fal_proxy_new (NULL);
  g_autofree gchar *reply = ask (proxy, row->request);

  g_assert_true (g_str_has_prefix (reply, row->status));
  g_assert_cmpuint (fal_proxy_get_tunnels (proxy) + fal_proxy_get_forwards (proxy), ==, 0);
}

typedef struct {
  const gchar *name;
  FalProxyMode mode;
  guint64 bytes;
  gboolean answered; /* with 200 first */
} DeathRow;

static const DeathRow death_rows[] = {
  { "on-accept", FAL_PROXY_DIES_ON_ACCEPT, 0, FALSE },
  { "on-tunnel", FAL_PROXY_DIES_ON_TUNNEL, 0, TRUE },
  { "on-bytes", FAL_PROXY_DIES_ON_BYTES, 100, TRUE },
};

static void
test_death (gconstpointer data)
{
  const DeathRow *row = data;
  g_autoptr (FalServer) server = serve (TRUE);
  g_autoptr (FalProxy) proxy =
      fal_proxy_new (&(FalProxyOptions){ .mode = row->mode, .bytes = row->bytes });
  g_autoptr (FalWebsocketClient) client =
      fal_websocket_client_new_by_proxy (server, fal_proxy_get_uri (proxy));
  g_autoptr (FalWebsocketClient) next = NULL;

  g_assert_null (client->socket);
  g_assert_cmpint (fal_proxy_get_tunnels (proxy) > 0, ==, row->answered);
  fal_proxy_set_mode (proxy, FAL_PROXY_WORKS, 0);
  next = fal_websocket_client_new_by_proxy (server, fal_proxy_get_uri (proxy));
  g_assert_nonnull (next->socket);
}

static void
test_dies_in_the_middle_of_a_session (void)
{
  g_autoptr (FalServer) server = serve (FALSE);
  g_autoptr (FalProxy) proxy =
      fal_proxy_new (&(FalProxyOptions){ .mode = FAL_PROXY_DIES_ON_BYTES, .bytes = 100000 });
  g_autoptr (FalWebsocketClient) client =
      fal_websocket_client_new_by_proxy (server, fal_proxy_get_uri (proxy));
  g_autoptr (GBytes) much = g_bytes_new_take (g_malloc0 (200000), 200000);

  g_assert_nonnull (client->socket);
  fal_websocket_client_send_prompt (client, "x", "1");
  fal_websocket_client_assert_id (client, "1");
  fal_server_send (server, much, FALSE);
  FAL_WAIT_UNTIL (client->closed);
  g_assert_true (g_queue_is_empty (&client->inbox));
}

static void
test_free_cuts_what_passes (void)
{
  g_autoptr (FalServer) server = serve (TRUE);
  FalProxy *proxy = fal_proxy_new (NULL);
  g_autoptr (FalWebsocketClient) client =
      fal_websocket_client_new_by_proxy (server, fal_proxy_get_uri (proxy));

  FAL_WAIT_UNTIL (fal_server_get_open (server) == 1);
  fal_proxy_free (proxy);
  FAL_WAIT_UNTIL (client->closed);
  FAL_WAIT_UNTIL (fal_server_get_open (server) == 0);
}

/* What passes is cut, what comes after it is not. */
static void
test_cut (void)
{
  g_autoptr (FalServer) server = serve (TRUE);
  g_autoptr (FalProxy) proxy = fal_proxy_new (NULL);
  g_autoptr (FalWebsocketClient) client =
      fal_websocket_client_new_by_proxy (server, fal_proxy_get_uri (proxy));
  g_autoptr (FalWebsocketClient) next = NULL;

  g_assert_nonnull (client->socket);
  fal_proxy_cut (proxy);
  FAL_WAIT_UNTIL (client->closed);
  FAL_WAIT_UNTIL (fal_server_get_open (server) == 0);
  next = fal_websocket_client_new_by_proxy (server, fal_proxy_get_uri (proxy));
  g_assert_nonnull (next->socket);
}

static void
keep_text (gpointer user, const gchar *why)
{
  g_atomic_pointer_set ((gchar **) user, g_strdup (why));
}

/* Where it may lead anywhere it tries to, and tells why it could not: this name leads nowhere, on
 * any machine. */
static void
test_anywhere (void)
{
  g_autofree gchar *why = NULL;
  g_autoptr (FalProxy) proxy = fal_proxy_new (
      &(FalProxyOptions){ .anywhere = TRUE, .on_unreachable = keep_text, .user_data = &why });
  g_autofree gchar *reply = ask (proxy, "CONNECT nobody.invalid:443 HTTP/1.1\r\n\r\n");
  g_autoptr (FalServer) server = serve (TRUE);
  g_autoptr (FalWebsocketClient) client =
      fal_websocket_client_new_by_proxy (server, fal_proxy_get_uri (proxy));

  g_assert_true (g_str_has_prefix (reply, "HTTP/1.1 502 "));
  g_assert_nonnull (strstr (g_atomic_pointer_get (&why), "nobody.invalid"));
  g_assert_nonnull (client->socket);
}

static void
count_bytes (gpointer user, gboolean up, gsize size)
{
  g_atomic_pointer_add (&((gsize *) user)[up], size);
}

static void
test_tap_sees_both_ways (void)
{
  gsize passed[2] = { 0 };
  g_autoptr (FalServer) server = serve (TRUE);
  g_autoptr (FalProxy) proxy =
      fal_proxy_new (&(FalProxyOptions){ .tap = count_bytes, .user_data = passed });
  g_autoptr (FalWebsocketClient) client =
      fal_websocket_client_new_by_proxy (server, fal_proxy_get_uri (proxy));
  g_autoptr (GBytes) much = g_bytes_new_take (g_malloc0 (100000), 100000);

  FAL_WAIT_UNTIL (fal_server_get_open (server) == 1);
  fal_server_send (server, much, FALSE);
  fal_websocket_client_message_free (fal_websocket_client_next (client));
  g_assert_cmpuint (passed[FALSE], >=, 100000);
  g_assert_cmpuint (passed[TRUE], >, 0);
  g_assert_cmpuint (passed[TRUE], <, 100000);
}

int
main (int argc, char **argv)
{
  gst_init (NULL, NULL);
  g_test_init (&argc, &argv, NULL);

  FAL_FIXTURE_ADD_ROWS ("/proxy/credentials", credential_rows, test_credentials);
  FAL_FIXTURE_ADD_ROWS ("/proxy/reply", reply_rows, test_reply);
  FAL_FIXTURE_ADD_ROWS ("/proxy/dies", death_rows, test_death);
  g_test_add_func ("/proxy/wss-goes-through-a-tunnel", test_wss_goes_through_a_tunnel);
  g_test_add_func ("/proxy/ws-is-passed-on", test_ws_is_passed_on);
  g_test_add_func ("/proxy/large-messages-pass", test_large_messages_pass);
  g_test_add_func (
      "/proxy/credentials-follow-on-a-new-connection", test_credentials_follow_on_a_new_connection);
  g_test_add_func (
      "/proxy/route-leads-away-from-the-target", test_route_leads_away_from_the_target);
  g_test_add_func ("/proxy/dies-in-the-middle-of-a-session", test_dies_in_the_middle_of_a_session);
  g_test_add_func ("/proxy/free-cuts-what-passes", test_free_cuts_what_passes);
  g_test_add_func ("/proxy/cut", test_cut);
  g_test_add_func ("/proxy/anywhere", test_anywhere);
  g_test_add_func ("/proxy/tap-sees-both-ways", test_tap_sees_both_ways);
  return g_test_run ();
}
