/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The local server over TLS, and what each test certificate is worth to a client. */
#include "probe.h"

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

static FalServer *
serve (const gchar *name)
{
  g_autofree gchar *certificate = g_strconcat (name, ".pem", NULL);
  g_autofree gchar *key = g_strconcat (name, ".key", NULL);
  g_autofree gchar *certificate_path = fal_probe_dup_tls_file (certificate);
  g_autofree gchar *key_path = fal_probe_dup_tls_file (key);

  return fal_probe_serve (
      (FalServerOptions){ .tls_certificate = certificate_path, .tls_key = key_path });
}

static void
test_certificate (gconstpointer data)
{
  const CertificateRow *row = data;
  g_autoptr (FalServer) server = serve (row->name);
  g_autoptr (FalProbe) client = fal_probe_new (server, FAL_PROBE_TURBO, NULL);

  g_assert_true (g_str_has_prefix (fal_server_get_uri (server), "wss://127.0.0.1:"));
  g_assert_cmpuint (
      soup_message_get_tls_peer_certificate_errors (client->upgrade), ==, row->errors);
  g_assert_cmpint (client->socket != NULL, ==, row->errors == 0);
}

static void
test_requests_are_answered (void)
{
  g_autoptr (FalServer) server = serve ("server");
  g_autoptr (FalProbe) client = fal_probe_connect (server);

  fal_probe_send_prompt (client, "x", "1");
  fal_probe_assert_id (client, "1");
  fal_server_close (server, 1008, "scope");
  FAL_PROBE_WAIT (client->closed);
  g_assert_cmpuint (soup_websocket_connection_get_close_code (client->socket), ==, 1008);
}

static void
test_cut_ends_the_link (void)
{
  g_autoptr (FalServer) server = serve ("server");
  g_autoptr (FalProbe) client = fal_probe_connect (server);

  FAL_PROBE_WAIT (fal_server_get_open (server) == 1);
  fal_server_close (server, 0, NULL);
  FAL_PROBE_WAIT (client->closed);
  g_assert_cmpuint (soup_websocket_connection_get_close_code (client->socket), ==, 0);
}

/* The server's queue is fuller than any socket: a good-bye of TLS would find no room. */
static void
test_free_does_not_wait_for_a_client_that_does_not_read (void)
{
  FalServer *server = serve ("server");
  g_autoptr (FalProbe) client = fal_probe_connect (server);
  gsize size = 16 * 1024 * 1024;
  g_autoptr (GBytes) much = g_bytes_new_take (g_malloc0 (size), size);

  FAL_PROBE_WAIT (fal_server_get_open (server) == 1);
  fal_server_send (server, much, FALSE);
  fal_server_send (server, much, FALSE); /* comes back when the first is under way */
  fal_server_free (server);
  FAL_PROBE_WAIT (client->closed);
}

static void
test_half_a_certificate_is_an_error (void)
{
  g_autofree gchar *path = fal_probe_dup_tls_file ("server.pem");
  g_autofree gchar *missing = fal_probe_dup_tls_file ("missing.key");
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

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *name = g_strconcat ("/tls/certificate/", rows[i].name, NULL);

    g_test_add_data_func (name, &rows[i], test_certificate);
  }
  g_test_add_func ("/tls/requests-are-answered", test_requests_are_answered);
  g_test_add_func ("/tls/cut-ends-the-link", test_cut_ends_the_link);
  g_test_add_func ("/tls/free-does-not-wait-for-a-client-that-does-not-read",
      test_free_does_not_wait_for_a_client_that_does_not_read);
  g_test_add_func ("/tls/half-a-certificate-is-an-error", test_half_a_certificate_is_an_error);
  return g_test_run ();
}
