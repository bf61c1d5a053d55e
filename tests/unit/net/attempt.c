/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An attempt against a peer that says what it is told to, in the main context of the test: what is
 * told, when, and that nothing stays. */
#include "fal/net/attempt.h"
#include "install-properties.h"

#include <string.h>

#define WATCHDOG (20 * G_TIME_SPAN_SECOND)
/* What an end may take, however the peer behaves, µs. */
#define QUICKLY (PATIENCE * 250 * G_TIME_SPAN_MILLISECOND)

typedef struct {
  GSocketListener *listener;
  guint16 port;
  GCancellable *cancellable;
  const gchar *reply; /* to each request; "%s" stands for the key of a WebSocket's acceptance */
  GSocketConnection *client; /* the last that came, and what it has sent */
  GString *request;
  gchar buffer[1024];
  guint connections, replies;
  gboolean gone; /* the client closed its side */

  FalEndpoint *endpoint;
  FalSettings *settings;
  FalCredentials *credentials;
  FalTransport *transport;
  gboolean session_alive; /* libsoup's, until the last that it does is done */
  FalAttempt *attempt;

  guint opened, failed;
  FalFault fault;
  gchar *what;
  GString *tokens; /* that were chosen */
  FalTokenPromise *promise;
} Rig;

/* ---- the peer ---- */

static gchar *
make_acceptance (const gchar *request)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA1);
  const gchar *key = strstr (request, "Sec-WebSocket-Key: ");
  guint8 digest[20];
  gsize size = sizeof digest;

  if (key == NULL)
    return g_strdup ("");
  key += strlen ("Sec-WebSocket-Key: ");
  g_checksum_update (sum, (const guchar *) key, strcspn (key, "\r\n"));
  g_checksum_update (sum, (const guchar *) "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", -1);
  g_checksum_get_digest (sum, digest, &size);
  return g_base64_encode (digest, size);
}

static void
reply (Rig *rig)
{
  GOutputStream *stream = g_io_stream_get_output_stream (G_IO_STREAM (rig->client));
  g_autofree gchar *acceptance = make_acceptance (rig->request->str);
  g_auto (GStrv) parts = g_strsplit (rig->reply, "%s", 2);
  g_autofree gchar *text = g_strjoinv (acceptance, parts);

  g_assert_true (g_output_stream_write_all (stream, text, strlen (text), NULL, NULL, NULL));
  g_string_truncate (rig->request, 0);
  rig->replies++;
}

static void on_read (GObject *source, GAsyncResult *result, gpointer user);

static void
read_more (Rig *rig)
{
  GInputStream *stream = g_io_stream_get_input_stream (G_IO_STREAM (rig->client));

  g_input_stream_read_async (
      stream, rig->buffer, sizeof rig->buffer, G_PRIORITY_DEFAULT, rig->cancellable, on_read, rig);
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer user)
{
  g_autoptr (GError) error = NULL;
  gssize size = g_input_stream_read_finish (G_INPUT_STREAM (source), result, &error);
  Rig *rig = user;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (size <= 0) {
    rig->gone = TRUE;
    return;
  }
  g_string_append_len (rig->request, rig->buffer, size);
  if (rig->reply && strstr (rig->request->str, "\r\n\r\n"))
    reply (rig);
  read_more (rig);
}

static void
on_client (GObject *source, GAsyncResult *result, gpointer user)
{
  GSocketConnection *client =
      g_socket_listener_accept_finish (G_SOCKET_LISTENER (source), result, NULL, NULL);
  Rig *rig = user;

  if (client == NULL)
    return;
  g_clear_object (&rig->client);
  rig->client = client;
  rig->connections++;
  rig->gone = FALSE;
  read_more (rig);
  g_socket_listener_accept_async (rig->listener, rig->cancellable, on_client, rig);
}

/* ---- the owner ---- */

static void
drop (Rig *rig)
{
  g_clear_pointer (&rig->attempt, fal_attempt_drop);
}

static void
on_request_token (gpointer user, FalTokenPromise *promise)
{
  Rig *rig = user;

  rig->promise = fal_token_promise_ref (promise);
}

static void
on_token_chosen (gpointer user, const gchar *token)
{
  Rig *rig = user;

  g_string_append_printf (rig->tokens, "%s ", token);
}

static gboolean
on_accept_certificate (
    gpointer user, GTlsConnection *tls, GTlsCertificate *certificate, GTlsCertificateFlags errors)
{
  g_assert_not_reached ();
}

static void
on_opened (gpointer user, SoupWebsocketConnection *socket)
{
  Rig *rig = user;

  rig->opened++;
  g_assert_cmpint (soup_websocket_connection_get_state (socket), ==, SOUP_WEBSOCKET_STATE_OPEN);
  drop (rig);
  g_io_stream_close (soup_websocket_connection_get_io_stream (socket), NULL, NULL);
  g_object_unref (socket);
}

static void
on_failed (gpointer user, const FalFault *fault, const gchar *what)
{
  Rig *rig = user;

  rig->failed++;
  rig->fault = *fault;
  g_free (rig->what);
  rig->what = g_strdup (what);
  drop (rig);
}

static void
on_session_gone (gpointer user, GObject *session)
{
  Rig *rig = user;

  rig->session_alive = FALSE;
}

static void
set_text (gchar **field, const gchar *text)
{
  g_free (*field);
  *field = g_strdup (text);
}

static void
make_peer (Rig *rig, const gchar *reply)
{
  rig->reply = reply;
  rig->request = g_string_new (NULL);
  rig->cancellable = g_cancellable_new ();
  rig->listener = g_socket_listener_new ();
  rig->port = g_socket_listener_add_any_inet_port (rig->listener, NULL, NULL);
  g_assert_cmpuint (rig->port, >, 0);
  g_socket_listener_accept_async (rig->listener, rig->cancellable, on_client, rig);
}

/* @scheme "wss": the peer is the proxy before the endpoint. */
static Rig *
rig_new_with (const gchar *scheme, const gchar *reply)
{
  Rig *rig = g_new0 (Rig, 1);
  g_autofree gchar *uri = NULL;
  g_autofree gchar *proxy = NULL;
  g_autofree gchar *token_uri = NULL;

  make_peer (rig, reply);
  uri = g_strdup_printf ("%s://127.0.0.1:%u", scheme, rig->port);
  proxy = g_strdup_printf ("http://127.0.0.1:%u", rig->port);
  token_uri = g_strdup_printf ("http://127.0.0.1:%u/tokens/", rig->port);
  rig->endpoint = fal_endpoint_new (uri, "test/app", NULL, NULL);
  g_assert_nonnull (rig->endpoint);
  rig->settings = fal_settings_new ();
  set_text (&rig->settings->token, "ready");
  set_text (&rig->settings->proxy, strcmp (scheme, "wss") == 0 ? proxy : NULL);
  set_text (&rig->settings->token_uri, token_uri);
  rig->credentials = fal_credentials_new ();
  fal_credentials_configure (rig->credentials, rig->settings, "id:secret", FAL_KEY_FROM_PROPERTY);
  rig->transport = fal_transport_new ();
  fal_transport_configure (rig->transport, rig->settings);
  rig->session_alive = TRUE;
  g_object_weak_ref (G_OBJECT (fal_transport_get_session (rig->transport)), on_session_gone, rig);
  rig->tokens = g_string_new (NULL);
  return rig;
}

static Rig *
rig_new (const gchar *reply)
{
  return rig_new_with ("ws", reply);
}

static void
start (Rig *rig, FalWay way)
{
  static const FalAttemptEvents events = {
    .request_token = on_request_token,
    .token_chosen = on_token_chosen,
    .accept_certificate = on_accept_certificate,
    .opened = on_opened,
    .failed = on_failed,
  };
  const FalAttemptConfig config = {
    .way = way,
    .endpoint = rig->endpoint,
    .credentials = rig->credentials,
    .transport = rig->transport,
    .settings = rig->settings,
  };

  rig->attempt = fal_attempt_new (&config, &events, rig);
  fal_attempt_start (rig->attempt);
}

static gboolean
is_over (const Rig *rig)
{
  return rig->opened + rig->failed > 0;
}

static gboolean
is_gone (const Rig *rig)
{
  return rig->gone;
}

static gboolean
has_request (const Rig *rig)
{
  return strstr (rig->request->str, "\r\n\r\n") != NULL;
}

static gboolean
has_replied (const Rig *rig)
{
  return rig->replies > 0;
}

static void
wait_until (gboolean (*test) (const Rig *rig), Rig *rig)
{
  gint64 watchdog = g_get_monotonic_time () + WATCHDOG;

  while (!test (rig)) {
    g_assert_cmpint (g_get_monotonic_time (), <, watchdog);
    g_main_context_iteration (NULL, FALSE);
  }
}

/* The end of the owner, at any time: quick, and nothing of libsoup's stays. */
static void
end (Rig *rig)
{
  gint64 began = g_get_monotonic_time ();

  drop (rig);
  g_clear_pointer (&rig->transport, fal_transport_free);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_test_message ("ended in %d us", (gint) (g_get_monotonic_time () - began));
  g_assert_cmpint (g_get_monotonic_time () - began, <, QUICKLY);
  g_assert_false (rig->session_alive);
}

static void
rig_free (Rig *rig)
{
  end (rig);
  if (rig->client)
    wait_until (is_gone, rig);
  g_cancellable_cancel (rig->cancellable);
  g_socket_listener_close (rig->listener);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_clear_object (&rig->client);
  g_object_unref (rig->listener);
  g_object_unref (rig->cancellable);
  g_string_free (rig->request, TRUE);
  g_string_free (rig->tokens, TRUE);
  g_clear_pointer (&rig->promise, fal_token_promise_unref);
  fal_credentials_free (rig->credentials);
  fal_endpoint_free (rig->endpoint);
  fal_settings_unref (rig->settings);
  g_free (rig->what);
  g_free (rig);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Rig, rig_free)

/* ---- tests ---- */

#define ACCEPTED                                                                                   \
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"              \
  "Sec-WebSocket-Accept: %s\r\n\r\n"
/* Its page is announced, and never comes to its end. */
#define REFUSED "HTTP/1.1 403 Forbidden\r\nContent-Length: 1000000\r\n\r\n<html>"
#define HALF_A_TOKEN "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n\"tok"

static void
test_an_upgrade_opens (void)
{
  g_autoptr (Rig) rig = rig_new (ACCEPTED);

  start (rig, FAL_WAY_READY_TOKEN);
  wait_until (is_over, rig);
  g_assert_cmpuint (rig->opened, ==, 1);
  g_assert_cmpstr (rig->tokens->str, ==, "ready ");
}

/* The refusal is told with its headers; its page keeps nobody. */
static void
test_a_refusal_without_an_end_is_over_at_once (void)
{
  g_autoptr (Rig) rig = rig_new (REFUSED);

  start (rig, FAL_WAY_READY_TOKEN);
  wait_until (is_over, rig);
  g_assert_cmpuint (rig->failed, ==, 1);
  g_assert_cmpint (rig->fault.kind, ==, FAL_FAULT_HTTP);
  g_assert_cmpuint (rig->fault.code, ==, 403);
  wait_until (is_gone, rig);
}

static void
test_after_a_refusal_the_end_is_quick (void)
{
  g_autoptr (Rig) rig = rig_new (REFUSED);

  start (rig, FAL_WAY_READY_TOKEN);
  wait_until (is_over, rig);
  end (rig);
  g_assert_cmpuint (rig->failed, ==, 1);
}

static void
test_one_that_is_dropped_tells_nothing (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  start (rig, FAL_WAY_READY_TOKEN);
  wait_until (has_request, rig);
  end (rig);
  g_assert_false (is_over (rig));
}

static void
test_one_that_has_no_socket_yet_is_dropped_too (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  start (rig, FAL_WAY_READY_TOKEN);
  end (rig);
  g_assert_false (is_over (rig));
}

static void
test_one_that_takes_too_long_says_so (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  start (rig, FAL_WAY_READY_TOKEN);
  wait_until (has_request, rig);
  fal_attempt_give_up (rig->attempt);
  wait_until (is_over, rig);
  g_assert_cmpint (rig->fault.kind, ==, FAL_FAULT_TIMED_OUT);
}

static void
test_a_proxy_that_says_nothing_is_left_quickly (void)
{
  g_autoptr (Rig) rig = rig_new_with ("wss", NULL);

  start (rig, FAL_WAY_READY_TOKEN);
  wait_until (has_request, rig);
  g_assert_true (g_str_has_prefix (rig->request->str, "CONNECT "));
  end (rig);
  g_assert_false (is_over (rig));
}

/* Its refusal may be told only with its page: then the time ends the attempt. */
static void
test_a_proxys_refusal_without_an_end_is_left_quickly (void)
{
  g_autoptr (Rig) rig = rig_new_with (
      "wss", "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 1000000\r\n\r\n<html>");

  start (rig, FAL_WAY_READY_TOKEN);
  wait_until (has_replied, rig);
  while (g_main_context_iteration (NULL, FALSE)) /* loopback has brought all of it */
    ;
  if (rig->attempt)
    fal_attempt_give_up (rig->attempt);
  wait_until (is_over, rig);
  g_test_message ("%s", rig->what);
  g_assert_true (rig->fault.kind == FAL_FAULT_PROXY || rig->fault.kind == FAL_FAULT_TIMED_OUT);
}

/* An upgrade that was accepted in the moment in which nobody wants it any more. */
static void
test_a_socket_that_nobody_wants_is_closed (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  start (rig, FAL_WAY_READY_TOKEN);
  wait_until (has_request, rig);
  rig->reply = ACCEPTED;
  reply (rig);
  drop (rig);
  wait_until (is_gone, rig);
  g_assert_false (is_over (rig));
}

static void
test_half_a_token_is_none (void)
{
  g_autoptr (Rig) rig = rig_new (HALF_A_TOKEN);

  start (rig, FAL_WAY_TOKEN_URI);
  wait_until (has_replied, rig);
  while (g_main_context_iteration (NULL, FALSE)) /* loopback has brought all of it */
    ;
  fal_attempt_give_up (rig->attempt);
  wait_until (is_over, rig);
  g_assert_cmpint (rig->fault.kind, ==, FAL_FAULT_TIMED_OUT);
  g_assert_cmpstr (rig->tokens->str, ==, "");
}

static void
test_a_token_that_nobody_gives_is_not_waited_for (void)
{
  g_autoptr (Rig) rig = rig_new (ACCEPTED);

  start (rig, FAL_WAY_PROVIDER);
  g_assert_nonnull (rig->promise);
  end (rig);
  fal_token_promise_answer (rig->promise, "late");
  g_assert_cmpstr (rig->tokens->str, ==, "");
}

static void
test_a_token_that_was_promised_is_used (void)
{
  g_autoptr (Rig) rig = rig_new (ACCEPTED);

  start (rig, FAL_WAY_PROVIDER);
  fal_token_promise_answer (rig->promise, "given");
  wait_until (is_over, rig);
  g_assert_cmpuint (rig->opened, ==, 1);
  g_assert_cmpstr (rig->tokens->str, ==, "given ");
}

static void
test_a_token_that_was_refused_is_not_sent (void)
{
  g_autoptr (Rig) rig = rig_new (ACCEPTED);

  fal_credentials_refuse (rig->credentials, "ready");
  start (rig, FAL_WAY_READY_TOKEN);
  g_assert_cmpuint (rig->failed, ==, 1);
  g_assert_cmpint (rig->fault.kind, ==, FAL_FAULT_STALE);
  g_assert_cmpuint (rig->connections, ==, 0);
}

int
main (int argc, char **argv)
{
  g_setenv ("GIO_USE_PROXY_RESOLVER", "dummy", TRUE);
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  install_properties ();
#define ADD(name) g_test_add_func ("/attempt/" #name, test_##name)
  ADD (an_upgrade_opens);
  ADD (a_refusal_without_an_end_is_over_at_once);
  ADD (after_a_refusal_the_end_is_quick);
  ADD (one_that_is_dropped_tells_nothing);
  ADD (one_that_has_no_socket_yet_is_dropped_too);
  ADD (one_that_takes_too_long_says_so);
  ADD (a_proxy_that_says_nothing_is_left_quickly);
  ADD (a_proxys_refusal_without_an_end_is_left_quickly);
  ADD (a_socket_that_nobody_wants_is_closed);
  ADD (half_a_token_is_none);
  ADD (a_token_that_nobody_gives_is_not_waited_for);
  ADD (a_token_that_was_promised_is_used);
  ADD (a_token_that_was_refused_is_not_sent);
  return g_test_run ();
}
