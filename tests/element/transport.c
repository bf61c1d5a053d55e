/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Certificates, proxies and headers on the way to the server. */
#include "../server/proxy.h"
#include "fixture.h"
#include <string.h>

static gchar *
tls_file (const gchar *name)
{
  return g_build_filename (g_getenv ("FAL_TEST_DATA"), "tls", name, NULL);
}

/* An element that is not up yet, against a server with the certificate @name (NULL: none). */
static Fixture *
start (const gchar *name, const gchar *api_key)
{
  g_autofree gchar *pem = g_strconcat (name, ".pem", NULL);
  g_autofree gchar *key = g_strconcat (name, ".key", NULL);
  g_autofree gchar *certificate_file = tls_file (name ? pem : "");
  g_autofree gchar *key_file = tls_file (name ? key : "");
  const FalServerOptions options = { .api_key = api_key,
    .tls_certificate = name ? certificate_file : NULL,
    .tls_key = name ? key_file : NULL };
  Fixture *f = fixture_new (&options, "retry-delay=1 max-retry-delay=1");

  gst_element_set_state (f->harness->element, GST_STATE_READY);
  return f;
}

/* The tests' own authority vouches for the server. */
static void
trust (Fixture *f)
{
  g_autofree gchar *path = tls_file ("ca.pem");
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsDatabase) database = g_tls_file_database_new (path, &error);

  g_assert_no_error (error);
  g_object_set (f->element, "tls-database", database, NULL);
}

/* ---- certificates ---- */

static void
test_an_authority_of_ones_own_is_honoured (void)
{
  g_autoptr (Fixture) f = start ("server", NULL);

  trust (f);
  fixture_play (f);
  fixture_push_and_pull (f, 0);
}

static void
test_the_token_request_trusts_the_same (void)
{
  g_autoptr (Fixture) f = start ("server", "id:secret");
  g_autofree gchar *uri =
      g_strconcat ("https", fal_server_get_uri (f->server) + strlen ("wss"), "/tokens/", NULL);

  trust (f);
  g_object_set (f->element, "api-key", "id:secret", "token-uri", uri, NULL);
  fixture_play (f);
  fixture_push_and_pull (f, 0);
  g_assert_cmpuint (fal_server_get_token_requests (f->server), ==, 1);
}

static void
test_the_token_request_shows_no_key_to_a_stranger (void)
{
  g_autoptr (Fixture) f = start ("self-signed", "id:PLANTED");
  g_autofree gchar *uri =
      g_strconcat ("https", fal_server_get_uri (f->server) + strlen ("wss"), "/tokens/", NULL);
  g_autofree gchar *text = NULL;

  g_object_set (f->element, "api-key", "id:PLANTED", "token-uri", uri, NULL);
  fixture_play (f);
  text = fixture_push_into_error (f);
  assert_says (text, "no authority that this machine trusts has signed it");
  g_assert_cmpuint (fal_server_get_token_requests (f->server), ==, 0);
}

static const struct {
  const gchar *name;
  gboolean trusted;
  const gchar *text, *hint;
  GTlsCertificateFlags flags;
} bad[] = {
  { "server", FALSE, "no authority that this machine trusts has signed it", "tls-database",
      G_TLS_CERTIFICATE_UNKNOWN_CA },
  { "self-signed", TRUE, "no authority that this machine trusts has signed it", "tls-database",
      G_TLS_CERTIFICATE_UNKNOWN_CA },
  { "expired", TRUE, "it has expired", "Check the clock of this machine, it may be wrong",
      G_TLS_CERTIFICATE_EXPIRED },
  { "future", TRUE, "it is not valid yet", "Check the clock of this machine, it may be wrong",
      G_TLS_CERTIFICATE_NOT_ACTIVATED },
  { "wrong-host", TRUE, "it is for another host", "Check the host in base-uri",
      G_TLS_CERTIFICATE_BAD_IDENTITY },
};

static Fixture *
start_bad (guint i)
{
  Fixture *f = start (bad[i].name, NULL);

  g_test_message ("%s", bad[i].name);
  if (bad[i].trusted)
    trust (f);
  return f;
}

static void
test_bad_certificates_are_told_apart (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (Fixture) f = start_bad (i);
    g_autofree gchar *text = NULL;

    fixture_play (f);
    text = fixture_push_into_error (f);
    assert_says (text, "the server's certificate was not accepted: ");
    assert_says (text, bad[i].text);
    assert_says (text, bad[i].hint);
    g_assert_cmpuint (fal_server_get_connections (f->server), ==, 0);
    g_assert_null (gst_bus_pop_filtered (f->bus, GST_MESSAGE_WARNING)); /* not tried again */
  }
}

static void
test_flags_say_what_counts (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (Fixture) all = start_bad (i);
    g_autoptr (Fixture) others = start_bad (i);
    g_autoptr (Fixture) none = start_bad (i);
    g_autofree gchar *text = NULL;

    g_object_set (all->element, "tls-validation-flags", bad[i].flags, NULL);
    g_object_set (others->element, "tls-validation-flags",
        G_TLS_CERTIFICATE_VALIDATE_ALL & ~bad[i].flags, NULL);
    g_object_set (none->element, "tls-validation-flags", 0, NULL);
    fixture_play (all);
    text = fixture_push_into_error (all);
    fixture_play (others);
    fixture_push_and_pull (others, 0);
    fixture_play (none);
    fixture_push_and_pull (none, 0);
  }
}

typedef struct {
  gint answer; /* atomic, like asked */
  gint asked;
  GTlsCertificateFlags errors;
} Judge;

static gboolean
on_accept_certificate (GstElement *element, GTlsConnection *connection,
    GTlsCertificate *certificate, GTlsCertificateFlags errors, Judge *judge)
{
  g_assert_true (G_IS_TLS_CONNECTION (connection));
  g_assert_true (G_IS_TLS_CERTIFICATE (certificate));
  judge->errors = errors;
  g_atomic_int_inc (&judge->asked);
  return g_atomic_int_get (&judge->answer);
}

static void
test_the_application_judges (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (Fixture) good = start_bad (i);
    g_autoptr (Fixture) refused = start_bad (i);
    Judge yes = { TRUE }, no = { FALSE };
    g_autofree gchar *text = NULL;

    g_signal_connect (
        good->element, "accept-certificate", G_CALLBACK (on_accept_certificate), &yes);
    g_signal_connect (
        refused->element, "accept-certificate", G_CALLBACK (on_accept_certificate), &no);
    fixture_play (good);
    fixture_push_and_pull (good, 0);
    g_assert_cmpint (yes.asked, ==, 1);
    g_assert_cmpint (yes.errors, ==, bad[i].flags);
    fixture_play (refused);
    text = fixture_push_into_error (refused);
    assert_says (text, bad[i].text);
    g_assert_cmpint (no.asked, ==, 1);
  }
}

/* A portal may show one of its own: once a connection stood that is an outage like others. */
static void
test_a_certificate_that_stops_to_hold_is_tried_again (void)
{
  g_autoptr (Fixture) f = start_bad (0);
  Judge judge = { TRUE };
  g_autofree gchar *text = NULL;

  g_object_set (f->element, "retries", -1, NULL);
  g_signal_connect (f->element, "accept-certificate", G_CALLBACK (on_accept_certificate), &judge);
  fixture_play (f);
  fixture_push_and_pull (f, 0);
  g_atomic_int_set (&judge.answer, FALSE);
  g_signal_emit_by_name (f->element, "reconnect");
  fixture_push (f, fixture_frame (32, 32, 0, 1));
  text = fixture_take_trouble (f, GST_MESSAGE_WARNING);
  assert_says (text, bad[0].text);
  assert_says (text, "Trying again");
  WAIT_UNTIL (f->element, g_atomic_int_get (&judge.asked) > 5);
  g_atomic_int_set (&judge.answer, TRUE);
  gst_buffer_unref (fixture_pull (f));
  fixture_expect_no_message (f);
}

static void
test_a_good_certificate_is_not_asked_about (void)
{
  g_autoptr (Fixture) f = start ("server", NULL);
  Judge judge = { FALSE };

  g_signal_connect (f->element, "accept-certificate", G_CALLBACK (on_accept_certificate), &judge);
  trust (f);
  fixture_play (f);
  fixture_push_and_pull (f, 0);
  g_assert_cmpint (judge.asked, ==, 0);
}

/* ---- handshakes that fail otherwise ---- */

static GSocketListener *
listen_at (Fixture *f, const gchar *scheme)
{
  GSocketListener *listener = g_socket_listener_new ();
  guint port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);
  g_autofree gchar *uri = g_strdup_printf ("%s://127.0.0.1:%u", scheme, port);

  g_object_set (f->element, "base-uri", uri, NULL);
  return listener;
}

static void
test_a_stalled_handshake_is_given_up (void)
{
  g_autoptr (Fixture) f = start (NULL, NULL);
  G_GNUC_UNUSED g_autoptr (GSocketListener) listener = listen_at (f, "wss");
  g_autofree gchar *text = NULL;

  g_object_set (f->element, "connect-timeout", 100, "retries", 0, NULL);
  fixture_play (f);
  text = fixture_push_into_error (f);
  assert_says (text, "no answer while connecting");
}

static void
test_a_stalled_handshake_keeps_nobody (void)
{
  g_autoptr (Fixture) f = start (NULL, NULL);
  g_autoptr (GSocketListener) listener = listen_at (f, "wss");
  g_autoptr (GSocketConnection) connection = NULL;
  gchar byte;

  fixture_play (f);
  fixture_push (f, fixture_frame (32, 32, 0, 0));
  connection = g_socket_listener_accept (listener, NULL, NULL, NULL);
  g_assert_cmpint (g_input_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (connection)),
                       &byte, 1, NULL, NULL),
      ==, 1); /* the hello */
  EXPECT_WITHIN (
      250 * G_TIME_SPAN_MILLISECOND, gst_element_set_state (f->harness->element, GST_STATE_NULL));
}

/* Takes the hello, and answers with @reply or with a reset. */
static void
answer_hello (GSocketListener *listener, const gchar *reply)
{
  g_autoptr (GSocketConnection) connection = g_socket_listener_accept (listener, NULL, NULL, NULL);
  GSocket *socket = g_socket_connection_get_socket (connection);
  gchar bytes[4096];

  g_assert_cmpint (g_input_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (connection)),
                       bytes, reply ? sizeof bytes : 1, NULL, NULL),
      >, 0);
  if (reply)
    g_socket_send (socket, reply, strlen (reply), NULL, NULL);
}

/* The network may have done it: another attempt follows. */
static void
test_a_handshake_that_breaks_is_tried_again (void)
{
  static const gchar *const replies[] = { NULL, "" }; /* a reset, an end */

  for (guint i = 0; i < G_N_ELEMENTS (replies); i++) {
    g_autoptr (Fixture) f = start (NULL, NULL);
    g_autoptr (GSocketListener) listener = listen_at (f, "wss");
    g_autoptr (GstMessage) warning = NULL;
    g_autoptr (GError) error = NULL;

    fixture_play (f);
    fixture_push (f, fixture_frame (32, 32, 0, 0));
    answer_hello (listener, replies[i]);
    warning = fixture_wait_for_message (f, GST_MESSAGE_WARNING);
    gst_message_parse_warning (warning, &error, NULL);
    g_test_message ("%s", error->message);
    answer_hello (listener, replies[i]);
  }
}

static void
test_a_server_without_tls_is_an_error (void)
{
  g_autoptr (Fixture) f = start (NULL, NULL);
  g_autoptr (GSocketListener) listener = listen_at (f, "wss");
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  g_object_set (f->element, "retries", 0, NULL);
  fixture_play (f);
  gst_harness_push (f->harness, fixture_frame (32, 32, 0, 0));
  answer_hello (listener, "HTTP/1.1 400 Bad Request\r\n\r\n");
  message = fixture_wait_for_message (f, GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  g_test_message ("%s", error->message);
  assert_says (error->message, "TLS");
}

/* In a process of its own, whose GLib has no TLS. */
static void
test_missing_tls_is_named (void)
{
  if (g_test_subprocess ()) {
    g_autoptr (Fixture) f = start (NULL, NULL);
    G_GNUC_UNUSED g_autoptr (GSocketListener) listener = listen_at (f, "wss");
    g_autofree gchar *text = NULL;

    fixture_play (f);
    text = fixture_push_into_error (f);
    assert_says (text, "GLib does not find");
    assert_says (text, "Install the package glib-networking");
    return;
  }
  g_setenv ("GIO_USE_TLS", "dummy", TRUE);
  g_test_trap_subprocess (NULL, WATCHDOG_SECONDS * G_USEC_PER_SEC, 0);
  g_unsetenv ("GIO_USE_TLS");
  g_test_trap_assert_passed ();
}

/* ---- proxies ---- */

static FalProxy *
use_proxy (Fixture *f, const FalProxyOptions *options, const gchar *userinfo)
{
  FalProxy *proxy = fal_proxy_new (options);
  g_autofree gchar *uri =
      g_strdup_printf ("http://%s%s", userinfo, fal_proxy_get_uri (proxy) + strlen ("http://"));

  g_object_set (f->element, "proxy", uri, NULL);
  return proxy;
}

/* Both the token request and the upgrade. */
static void
check_proxy (const gchar *certificate, const FalProxyOptions *options, const gchar *userinfo)
{
  g_autoptr (Fixture) f = start (certificate, "id:secret");
  g_autoptr (FalProxy) proxy = use_proxy (f, options, userinfo);
  const gchar *scheme = certificate ? "https" : "http";
  g_autofree gchar *uri =
      g_strconcat (scheme, strstr (fal_server_get_uri (f->server), "://"), "/tokens/", NULL);

  trust (f);
  g_object_set (f->element, "api-key", "id:secret", "token-uri", uri, NULL);
  fixture_play (f);
  fixture_push_and_pull (f, 0);
  g_assert_cmpuint (
      fal_proxy_get_tunnels (proxy) + fal_proxy_get_forwards (proxy), >=, certificate ? 1 : 2);
  g_assert_cmpuint (fal_proxy_get_tunnels (proxy) > 0, ==, certificate != NULL);
  g_assert_cmpuint (fal_proxy_get_refusals (proxy), ==, 0);
  gst_element_set_state (f->harness->element, GST_STATE_NULL);
}

static void
test_a_proxy_is_used (void)
{
  const FalProxyOptions options = { .user = "me", .password = "PLANTED: &%" };

  check_proxy (NULL, NULL, "");
  check_proxy ("server", NULL, "");
  check_proxy (NULL, &options, "me:PLANTED%3A%20%26%25@");
  check_proxy ("server", &options, "me:PLANTED%3A%20%26%25@");
}

static void
test_a_refusing_proxy_is_named (void)
{
  static const gchar *const certificates[] = { NULL, "server" };
  const FalProxyOptions options = { .user = "me", .password = "secret" };

  for (guint i = 0; i < G_N_ELEMENTS (certificates); i++) {
    g_autoptr (Fixture) f = start (certificates[i], NULL);
    g_autoptr (FalProxy) proxy = use_proxy (f, &options, "me:PLANTED@");
    g_autofree gchar *text = NULL;

    trust (f);
    fixture_play (f);
    text = fixture_push_into_error (f);
    assert_says (text, "407");
    assert_says (text, "Set the right user and password in proxy");
    g_assert_cmpuint (fal_proxy_get_refusals (proxy), ==, 1);
    gst_element_set_state (f->harness->element, GST_STATE_NULL);
  }
}

static void
test_a_dying_proxy_is_named (void)
{
  static const FalProxyMode modes[] = { FAL_PROXY_DIES_ON_ACCEPT, FAL_PROXY_DIES_ON_TUNNEL,
    FAL_PROXY_DIES_ON_BYTES };

  for (guint i = 0; i < G_N_ELEMENTS (modes); i++) {
    const FalProxyOptions options = { .mode = modes[i], .bytes = 100 };
    g_autoptr (Fixture) f = start ("server", NULL);
    g_autoptr (FalProxy) proxy = use_proxy (f, &options, "me:PLANTED@");
    g_autofree gchar *text = NULL;

    trust (f);
    g_object_set (f->element, "retries", 1, NULL);
    fixture_play (f);
    text = fixture_push_into_error (f);
    assert_says (text, "while connecting through the proxy ");
    assert_says (text, fal_proxy_get_uri (proxy));
    assert_says (text, "proxy");
    gst_element_set_state (f->harness->element, GST_STATE_NULL);
  }
}

static void
test_a_proxy_that_died_is_found_again (void)
{
  g_autoptr (Fixture) f = start ("server", NULL);
  g_autoptr (FalProxy) proxy = use_proxy (f, NULL, "");
  g_autoptr (GstMessage) warning = NULL;

  trust (f);
  fal_proxy_set_mode (proxy, FAL_PROXY_DIES_ON_BYTES, 100);
  fixture_play (f);
  fixture_push (f, fixture_frame (32, 32, 0, 0));
  warning = fixture_wait_for_message (f, GST_MESSAGE_WARNING);
  fal_proxy_set_mode (proxy, FAL_PROXY_WORKS, 0);
  gst_buffer_unref (fixture_pull (f));
  gst_element_set_state (f->harness->element, GST_STATE_NULL);
}

static void
test_the_application_judges_through_a_proxy (void)
{
  g_autoptr (Fixture) f = start ("self-signed", NULL);
  g_autoptr (FalProxy) proxy = use_proxy (f, NULL, "");
  Judge judge = { TRUE };

  g_signal_connect (f->element, "accept-certificate", G_CALLBACK (on_accept_certificate), &judge);
  fixture_play (f);
  fixture_push_and_pull (f, 0);
  g_assert_cmpint (judge.asked, ==, 1);
  g_assert_cmpuint (fal_proxy_get_tunnels (proxy), ==, 1);
  gst_element_set_state (f->harness->element, GST_STATE_NULL);
}

/* ---- headers ---- */

static void
check_head (const gchar *head)
{
  assert_says (head, "X-Team: video\r\n");
  assert_says (head, "X-Number: 5\r\n");
  assert_says (head, "X-Many: one\r\nX-Many: two\r\n");
  assert_says (head, "User-Agent: mine/1.0\r\n");
}

static void
test_headers_are_sent (void)
{
  g_autoptr (Fixture) f = start (NULL, NULL);
  g_autoptr (GSocketListener) listener = listen_at (f, "ws");
  g_autoptr (GSocketConnection) connection = NULL;
  g_autofree gchar *head = NULL;

  gst_util_set_object_arg (G_OBJECT (f->element), "extra-headers",
      "headers, X-Team=video, X-Number=(int)5, X-Many=<one, two>, Authorization=mine");
  g_object_set (f->element, "user-agent", "mine/1.0", "auth", 2, "api-key", "id:secret", NULL);
  fixture_play (f);
  fixture_push (f, fixture_frame (32, 32, 0, 0));
  head = take_http_head (listener, &connection);
  check_head (head);
  assert_says (head, "Authorization: Key id:secret\r\n"); /* ours counts */
  g_assert_null (strstr (head, "mine\r\n"));
}

static void
test_headers_are_sent_with_the_token_request (void)
{
  g_autoptr (Fixture) f = start (NULL, NULL);
  g_autoptr (GSocketListener) listener = listen_at (f, "ws");
  g_autofree gchar *uri = NULL;
  g_autofree gchar *token_uri = NULL;
  g_autoptr (GSocketConnection) connection = NULL;
  g_autofree gchar *head = NULL;

  g_object_get (f->element, "base-uri", &uri, NULL);
  token_uri = g_strconcat ("http", uri + strlen ("ws"), "/tokens/", NULL);
  gst_util_set_object_arg (G_OBJECT (f->element), "extra-headers",
      "headers, X-Team=video, X-Number=(int)5, X-Many=<one, two>");
  g_object_set (
      f->element, "user-agent", "mine/1.0", "api-key", "id:secret", "token-uri", token_uri, NULL);
  fixture_play (f);
  fixture_push (f, fixture_frame (32, 32, 0, 0));
  head = take_http_head (listener, &connection);
  g_assert_true (g_str_has_prefix (head, "POST /tokens/ HTTP/1.1\r\n"));
  check_head (head);
  assert_says (head, "Authorization: Key id:secret\r\n");
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
#define ADD(name) g_test_add_func ("/transport/" #name, test_##name)
  ADD (an_authority_of_ones_own_is_honoured);
  ADD (the_token_request_trusts_the_same);
  ADD (the_token_request_shows_no_key_to_a_stranger);
  ADD (bad_certificates_are_told_apart);
  ADD (flags_say_what_counts);
  ADD (the_application_judges);
  ADD (a_certificate_that_stops_to_hold_is_tried_again);
  ADD (a_good_certificate_is_not_asked_about);
  ADD (a_stalled_handshake_is_given_up);
  ADD (a_stalled_handshake_keeps_nobody);
  ADD (a_handshake_that_breaks_is_tried_again);
  ADD (a_server_without_tls_is_an_error);
  ADD (missing_tls_is_named);
  ADD (a_proxy_is_used);
  ADD (a_refusing_proxy_is_named);
  ADD (a_dying_proxy_is_named);
  ADD (a_proxy_that_died_is_found_again);
  ADD (the_application_judges_through_a_proxy);
  ADD (headers_are_sent);
  ADD (headers_are_sent_with_the_token_request);
  return fixture_run ();
}
