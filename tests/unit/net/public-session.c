/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* To which addresses a downloader connects, and whom it takes a host for. 127.0.0.2 stands for an
 * address that is private. */
#include "downloader-fixture.h"
#include "fal/net/public-address.h"

#include <string.h>

/* ---- Addresses ---- */

static void
on_refused (gpointer user, GBytes *picture, const GError *error)
{
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  g_assert_nonnull (strstr (error->message, "https"));
  *(gboolean *) user = TRUE;
}

static void
test_a_host_not_listed_is_never_contacted (Fixture *fixture, gconstpointer data)
{
  const gchar *const hosts[] = { "evil.example", "fal.media", "127.0.0.1", "[::1]", "localhost",
    "a:hush@v3.fal.media" };
  gboolean refused = FALSE;

  for (guint i = 0; i < G_N_ELEMENTS (hosts); i++) {
    download (fixture, hosts[i], "/hush?hush#hush");
    assert_failed (fixture, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, i < 5 ? "result-hosts" : "user");
  }
  fal_downloader_start (fixture->downloader, "http://v3.fal.media/hush", on_refused, &refused);
  while (!refused)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (fixture->resolver->lookups, ==, 0);
  picture_host_assert_never_contacted (fixture->host);
}

static void
test_a_private_address_is_never_contacted (Fixture *fixture, gconstpointer data)
{
  fixture->resolver->first = fixture->resolver->later = "127.0.0.2";
  for (guint i = 0; i < 3; i++) {
    download (fixture, "v3.fal.media", "/hush");
    assert_failed (fixture, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "\"v3.fal.media\"");
  }
  picture_host_assert_never_contacted (fixture->host);
}

static void
test_the_usual_check_knows_loopback (Fixture *fixture, gconstpointer data)
{
  fal_downloader_set_address_check (fixture->downloader, fal_address_is_public);
  fixture->resolver->first = "127.0.0.2,127.0.0.1";
  download (fixture, "v3.fal.media", "/hush");
  assert_failed (fixture, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "\"v3.fal.media\"");
  picture_host_assert_never_contacted (fixture->host);
}

static void
test_a_bare_address_is_looked_at_too (Fixture *fixture, gconstpointer data)
{
  g_free (fixture->hosts);
  fixture->hosts = g_strdup_printf ("127.0.0.2:%u", fixture->host->port);
  configure (fixture);
  download (fixture, "127.0.0.2", "/hush");
  assert_failed (fixture, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "\"127.0.0.2\"");
  picture_host_assert_never_contacted (fixture->host);
}

/* An address that nobody answers at, as long as @clients are held: its queue is full. */
static void
fill_queue (GSocket *listener, GSocketAddress *address, GPtrArray *clients)
{
  GError *error = NULL;
  gboolean full = FALSE;

  while (!full) {
    GSocket *client =
        g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);

    g_ptr_array_add (clients, client);
    g_socket_set_blocking (client, FALSE);
    g_socket_connect (client, address, NULL, NULL);
    full = !g_socket_condition_timed_wait (
        client, G_IO_OUT, 50 * G_TIME_SPAN_MILLISECOND, NULL, &error);
    g_clear_error (&error);
  }
}

static GSocket *
make_silent_address (const gchar *text, guint16 port, GPtrArray *clients)
{
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new_from_string (text, port);
  GSocket *listener =
      g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);
  GError *error = NULL;

  g_socket_bind (listener, address, TRUE, &error);
  g_assert_no_error (error);
  g_socket_set_listen_backlog (listener, 1);
  g_socket_listen (listener, &error);
  g_assert_no_error (error);
  fill_queue (listener, address, clients);
  return listener;
}

/* GLib goes on to the second address while it still waits for the first, and so to the third. */
static void
test_addresses_tried_at_once_are_all_looked_at (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) clients = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GSocket) silent = make_silent_address ("127.0.0.4", fixture->host->port, clients);

  fixture->resolver->first = "127.0.0.4,127.0.0.2,127.0.0.1";
  download (fixture, "v3.fal.media", "/ok");
  g_assert_no_error (fixture->error);
  g_assert_cmpuint (fixture->host->addresses->len, ==, 1);
  g_assert_cmpstr (fixture->host->addresses->pdata[0], ==, "127.0.0.1");
}

/* Nobody listens at the first. */
static void
test_each_address_is_tried (Fixture *fixture, gconstpointer data)
{
  fixture->resolver->first = "127.0.0.3,127.0.0.1";
  download (fixture, "v3.fal.media", "/ok");
  g_assert_no_error (fixture->error);
}

/* What is found then is looked at again. */
static void
test_a_name_is_looked_up_anew_after_a_failure (Fixture *fixture, gconstpointer data)
{
  fixture->resolver->first = "127.0.0.3";
  download (fixture, "v3.fal.media", "/hush");
  assert_failed (fixture, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED, "\"v3.fal.media\"");
  fixture->resolver->later = "127.0.0.2";
  download (fixture, "v3.fal.media", "/hush");
  assert_failed (fixture, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "\"v3.fal.media\"");
  picture_host_assert_never_contacted (fixture->host);
  fixture->resolver->later = "127.0.0.1";
  download (fixture, "v3.fal.media", "/ok");
  g_assert_no_error (fixture->error);
  g_assert_cmpuint (fixture->resolver->lookups, ==, 3);
}

/* ---- TLS ---- */

/* The certificate is good for 127.0.0.1, where the name leads, but not for the name. */
static void
test_the_name_is_what_tls_asks_for (Fixture *fixture, gconstpointer data)
{
  download (fixture, "wrong.fal.media", "/hush");
  assert_failed (fixture, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE, "\"wrong.fal.media\"");
  g_assert_cmpuint (picture_host_count_requests (fixture->host), ==, 0);
}

static void
test_the_name_is_sent_to_the_host (Fixture *fixture, gconstpointer data)
{
  fixture->host->mode = HOST_STALLS;
  start_download (fixture, "v3.fal.media", "/hush");
  while (picture_host_count_requests (fixture->host) == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_nonnull (strstr (fixture->host->requests->pdata[0], "v3.fal.media"));
  g_assert_nonnull (strstr (fixture->host->requests->pdata[0], "http/1.1"));
  g_assert_null (strstr (fixture->host->requests->pdata[0], "?h2"));
}

static void
test_a_bad_certificate_is_refused (Fixture *fixture, gconstpointer data)
{
  const gchar *const names[] = { "self-signed", "wrong-host", "expired", "future" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    picture_host_set_certificate (fixture->host, names[i]);
    download (fixture, "v3.fal.media", "/hush");
    assert_failed (fixture, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE, "\"v3.fal.media\"");
  }
  g_assert_cmpuint (picture_host_count_requests (fixture->host), ==, 0);
  fixture->validation = G_TLS_CERTIFICATE_VALIDATE_ALL & ~G_TLS_CERTIFICATE_NOT_ACTIVATED;
  configure (fixture);
  download (fixture, "v3.fal.media", "/ok");
  g_assert_no_error (fixture->error);
}

/* What was let pass is not kept where it would not pass any more. */
static void
test_connections_end_with_their_settings (Fixture *fixture, gconstpointer data)
{
  picture_host_set_certificate (fixture->host, "expired");
  fixture->validation = 0;
  configure (fixture);
  download (fixture, "v3.fal.media", "/ok");
  g_assert_no_error (fixture->error);
  fixture->validation = G_TLS_CERTIFICATE_VALIDATE_ALL;
  configure (fixture);
  download (fixture, "v3.fal.media", "/hush");
  assert_failed (fixture, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE, "\"v3.fal.media\"");
}

/* ---- Proxies ---- */

static gchar *
make_proxy (Fixture *fixture, const gchar *before_host)
{
  return g_strdup_printf ("%s127.0.0.1:%u", before_host, fixture->host->port);
}

static void
test_a_proxy_looks_names_up (Fixture *fixture, gconstpointer data)
{
  g_autofree gchar *proxy = make_proxy (fixture, "http://");
  g_autofree gchar *connect = g_strdup_printf ("CONNECT v3.fal.media:%u ", fixture->host->port);

  fixture->host->mode = HOST_PROXIES;
  fixture->proxy = proxy;
  configure (fixture);
  for (guint i = 0; i < 3; i++)
    download (fixture, "v3.fal.media", "/ok");
  g_assert_cmpuint (fixture->pictures, ==, 3);
  g_assert_cmpuint (fixture->resolver->lookups, ==, 0);
  g_assert_cmpuint (fixture->host->connections, ==, 1);
  g_assert_true (g_str_has_prefix (fixture->host->requests->pdata[0], connect));
}

static void
test_a_proxy_has_the_host_s_certificate_checked (Fixture *fixture, gconstpointer data)
{
  g_autofree gchar *proxy = make_proxy (fixture, "http://");

  fixture->host->mode = HOST_PROXIES;
  fixture->proxy = proxy;
  configure (fixture);
  download (fixture, "wrong.fal.media", "/hush");
  assert_failed (fixture, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE, "\"wrong.fal.media\"");
}

/* A proxy of SOCKS 4 knows no names: GLib looks them up, and asks it for an address. */
static void
test_a_proxy_is_not_asked_for_a_private_address (Fixture *fixture, gconstpointer data)
{
  const gchar *const schemes[] = { "http://", "socks5://", "socks4://" };
  const gchar *const hosts[] = { "127.0.0.2", "127.0.0.2", "private.fal.media" };

  fixture->host->mode = HOST_PROXIES;
  g_free (fixture->hosts);
  fixture->hosts =
      g_strdup_printf ("*.fal.media:%u,127.0.0.2:%u", fixture->host->port, fixture->host->port);
  for (guint i = 0; i < G_N_ELEMENTS (schemes); i++) {
    g_autofree gchar *proxy = make_proxy (fixture, schemes[i]);

    fixture->proxy = proxy;
    configure (fixture);
    download (fixture, hosts[i], "/hush");
    assert_failed (fixture, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, hosts[i]);
  }
  picture_host_assert_never_contacted (fixture->host);
}

/* It alone: the host, which demands one too, does not get it. */
static void
test_a_proxy_gets_its_password (Fixture *fixture, gconstpointer data)
{
  g_autofree gchar *proxy = make_proxy (fixture, "http://me:hush@");

  fixture->host->mode = HOST_DEMANDS;
  fixture->proxy = proxy;
  configure (fixture);
  download (fixture, "v3.fal.media", "/ok");
  g_assert_no_error (fixture->error);
  download (fixture, "v3.fal.media", "/401");
  assert_failed (fixture, G_IO_ERROR, G_IO_ERROR_FAILED, "\"v3.fal.media\"");
  g_assert_cmpuint (picture_host_count_requests (fixture->host), ==, 4);
  g_assert_nonnull (strstr (fixture->host->requests->pdata[1], "Proxy-Authorization: Basic "));
  for (guint i = 2; i < 4; i++)
    g_assert_null (strstr (fixture->host->requests->pdata[i], "uthorization"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/public-session/not-listed", test_a_host_not_listed_is_never_contacted);
  ADD ("/public-session/private", test_a_private_address_is_never_contacted);
  ADD ("/public-session/loopback", test_the_usual_check_knows_loopback);
  ADD ("/public-session/bare-address", test_a_bare_address_is_looked_at_too);
  ADD ("/public-session/at-once", test_addresses_tried_at_once_are_all_looked_at);
  ADD ("/public-session/each-address", test_each_address_is_tried);
  ADD ("/public-session/anew", test_a_name_is_looked_up_anew_after_a_failure);
  ADD ("/public-session/tls-name", test_the_name_is_what_tls_asks_for);
  ADD ("/public-session/tls-sni", test_the_name_is_sent_to_the_host);
  ADD ("/public-session/tls-certificate", test_a_bad_certificate_is_refused);
  ADD ("/public-session/tls-settings", test_connections_end_with_their_settings);
  ADD ("/public-session/proxy", test_a_proxy_looks_names_up);
  ADD ("/public-session/proxy-certificate", test_a_proxy_has_the_host_s_certificate_checked);
  ADD ("/public-session/proxy-private", test_a_proxy_is_not_asked_for_a_private_address);
  ADD ("/public-session/proxy-password", test_a_proxy_gets_its_password);
  return g_test_run ();
}
