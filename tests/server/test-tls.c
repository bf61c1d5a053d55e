/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The local server over TLS, and what each test certificate is worth to a client. */
#include "fixture.h"
#include "websocket-client.h"

typedef struct {
  const gchar *name; /* of the certificate's files */
  GTlsCertificateFlags errors;
} CertificateRow;

static const CertificateRow rows[] = {
  { "server", 0 },
  { "expired", G_TLS_CERTIFICATE_EXPIRED },
  { "future", G_TLS_CERTIFICATE_NOT_ACTIVATED },
  { "wrong-host", G_TLS_CERTIFICATE_BAD_IDENTITY },
  { "self-signed", G_TLS_CERTIFICATE_UNKNOWN_CA },
};

static void
test_certificate (gconstpointer data)
{
  const CertificateRow *row = data;
  g_autoptr (FalServer) server = fal_fixture_serve_tls (row->name);
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_new (server, FAL_TURBO_PATH, NULL);

  g_assert_true (g_str_has_prefix (fal_server_get_uri (server), "wss://127.0.0.1:"));
  g_assert_cmpuint (
      soup_message_get_tls_peer_certificate_errors (client->upgrade), ==, row->errors);
  g_assert_cmpint (client->socket != NULL, ==, row->errors == 0);
}

static void
test_requests_are_answered (void)
{
  g_autoptr (FalServer) server = fal_fixture_serve_tls ("server");
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);

  fal_websocket_client_send_prompt (client, "x", "1");
  fal_websocket_client_assert_id (client, "1");
  fal_server_close (server, 1008, "scope");
  FAL_WAIT_UNTIL (client->closed);
  g_assert_cmpuint (soup_websocket_connection_get_close_code (client->socket), ==, 1008);
}

static void
test_cut_ends_the_link (void)
{
  g_autoptr (FalServer) server = fal_fixture_serve_tls ("server");
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);

  FAL_WAIT_UNTIL (fal_server_get_open (server) == 1);
  fal_server_close (server, 0, NULL);
  FAL_WAIT_UNTIL (client->closed);
  g_assert_cmpuint (soup_websocket_connection_get_close_code (client->socket), ==, 0);
}

/* The server's queue is fuller than any socket: a good-bye of TLS would find no room. */
static void
test_free_does_not_wait_for_a_client_that_does_not_read (void)
{
  FalServer *server = fal_fixture_serve_tls ("server");
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);
  gsize size = 16 * 1024 * 1024;
  g_autoptr (GBytes) much = g_bytes_new_take (g_malloc0 (size), size);

  FAL_WAIT_UNTIL (fal_server_get_open (server) == 1);
  fal_server_send (server, much, FALSE);
  fal_server_send (server, much, FALSE); /* comes back when the first is under way */
  fal_server_free (server);
  FAL_WAIT_UNTIL (client->closed);
}

static void
test_half_a_certificate_is_an_error (void)
{
  g_autofree gchar *path = fal_fixture_dup_tls_file ("server.pem");
  g_autofree gchar *missing = fal_fixture_dup_tls_file ("missing.key");
  const FalServerOptions wrong[] = { { .tls_certificate = path }, { .tls_key = path },
    { .tls_certificate = path, .tls_key = missing } };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (fal_server_new (&wrong[i], &error));
    g_assert_nonnull (error);
  }
}

int
main (int argc, char **argv)
{
  gst_init (NULL, NULL);
  g_test_init (&argc, &argv, NULL);

  FAL_FIXTURE_ADD_ROWS ("/tls/certificate", rows, test_certificate);
  g_test_add_func ("/tls/requests-are-answered", test_requests_are_answered);
  g_test_add_func ("/tls/cut-ends-the-link", test_cut_ends_the_link);
  g_test_add_func ("/tls/free-does-not-wait-for-a-client-that-does-not-read",
      test_free_does_not_wait_for_a_client_that_does_not_read);
  g_test_add_func ("/tls/half-a-certificate-is-an-error", test_half_a_certificate_is_an_error);
  return g_test_run ();
}
