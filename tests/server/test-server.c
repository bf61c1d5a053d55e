/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The local server under load, with its access control, and how it misbehaves when told to. */
#include "fixture.h"
#include "websocket-client.h"
#include <string.h>

/* ---- Load and sessions ---- */

static void
send_five (FalWebsocketClient *client)
{
  for (guint i = 1; i <= 5; i++) {
    g_autofree gchar *id = g_strdup_printf ("%u", i);

    fal_websocket_client_send_prompt (client, "x", id);
  }
}

static void
test_buffering_keeps_the_newest (void)
{
  g_autoptr (FalServer) server =
      fal_fixture_serve ((FalServerOptions){ .buffering = 2, .delay_ms = 1000 });
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);

  send_five (client);
  FAL_WAIT_UNTIL (fal_server_get_requests (server) == 5); /* the first is still worked on */
  fal_server_set_delay (server, 1);
  fal_websocket_client_assert_id (client, "1");
  fal_websocket_client_assert_id (client, "4");
  fal_websocket_client_assert_id (client, "5");
  g_assert_cmpuint (fal_server_get_dropped (server), ==, 2);
  g_assert_cmpuint (fal_server_get_requests (server), ==, 5);
}

static void
test_without_buffering_nothing_is_dropped (void)
{
  g_autoptr (FalServer) server = fal_fixture_serve ((FalServerOptions){ .delay_ms = 10 });
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);
  gint64 begin = g_get_monotonic_time ();

  send_five (client);
  for (guint i = 1; i <= 5; i++) {
    g_autofree gchar *id = g_strdup_printf ("%u", i);

    fal_websocket_client_assert_id (client, id);
  }
  g_assert_cmpuint (fal_server_get_dropped (server), ==, 0);
  /* One inference at a time. */
  g_assert_cmpint (g_get_monotonic_time () - begin, >=, 49 * G_TIME_SPAN_MILLISECOND);
}

/* When the answers to @n requests that were sent at once came, µs after the first was sent. Returns
 * the time that the model took for them, ms. */
static guint
time_answers (guint delay_ms, guint jitter_percent, guint n, gint64 *times)
{
  g_autoptr (FalServer) server = fal_fixture_serve (
      (FalServerOptions){ .delay_ms = delay_ms, .jitter_percent = jitter_percent });
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);
  gint64 begin = g_get_monotonic_time ();

  for (guint i = 0; i < n; i++)
    fal_websocket_client_send_prompt (client, "x", "1");
  for (guint i = 0; i < n; i++) {
    fal_websocket_client_assert_id (client, "1");
    times[i] = g_get_monotonic_time () - begin;
  }
  g_assert_cmpuint (fal_server_get_inferences (server), ==, n);
  g_assert_cmpint (times[n - 1], >=, fal_server_get_model_time (server));
  return fal_server_get_model_time (server) / G_TIME_SPAN_MILLISECOND;
}

/* A model that has work goes on at once: lateness of this thread does not add up. */
static void
test_the_model_keeps_its_time (void)
{
  gint64 times[20];

  time_answers (10, 0, G_N_ELEMENTS (times), times);
  for (guint i = 0; i < G_N_ELEMENTS (times); i++)
    g_assert_cmpint (times[i], >=, (i + 1) * 10 * G_TIME_SPAN_MILLISECOND);
  g_assert_cmpint (times[19], <, PATIENCE * 1000 * G_TIME_SPAN_MILLISECOND);
}

/* None is faster than it may be, and all together take about as long as without. */
static void
test_jitter_goes_both_ways (void)
{
  gint64 times[20];
  guint model_time = time_answers (10, 50, G_N_ELEMENTS (times), times);

  for (guint i = 0; i < G_N_ELEMENTS (times); i++)
    g_assert_cmpint (times[i], >=, (i + 1) * 5 * G_TIME_SPAN_MILLISECOND);
  g_assert_cmpuint (model_time, >=, 160);
  g_assert_cmpuint (model_time, <=, 240);
}

/* A client whose session ends so long after its next input: a slow start of it does not count. */
static FalWebsocketClient *
connect_with_timeout (FalServer *server, guint timeout_ms)
{
  FalWebsocketClient *client = fal_websocket_client_connect (server);

  FAL_WAIT_UNTIL (fal_server_get_open (server) == 1); /* and has begun without a timeout */
  fal_server_set_session_timeout (server, timeout_ms);
  return client;
}

static void
test_idle_session_times_out (void)
{
  g_autoptr (FalServer) server = fal_fixture_serve ((FalServerOptions){ 0 });
  g_autoptr (FalWebsocketClient) client = connect_with_timeout (server, 30);

  fal_websocket_client_send_prompt (client, "x", "1");
  fal_websocket_client_assert_id (client, "1");
  fal_websocket_client_assert_error (client, "TIMEOUT", "no inputs, reconnect when needed!");
  FAL_WAIT_UNTIL (fal_server_get_open (server) == 0);
}

static void
test_session_without_any_input_times_out (void)
{
  g_autoptr (FalServer) server = fal_fixture_serve ((FalServerOptions){ .session_timeout_ms = 30 });
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);

  fal_websocket_client_assert_error (client, "TIMEOUT", "no inputs");
}

static void
test_running_inference_is_no_idle_session (void)
{
  g_autoptr (FalServer) server = fal_fixture_serve ((FalServerOptions){ .delay_ms = 100 });
  g_autoptr (FalWebsocketClient) client = connect_with_timeout (server, 60);

  fal_websocket_client_send_prompt (client, "x", "1");
  fal_websocket_client_assert_id (client, "1");
  fal_websocket_client_assert_error (client, "TIMEOUT", "no inputs");
}

static void
test_inference_of_twice_the_session_fails (void)
{
  g_autoptr (FalServer) server = fal_fixture_serve ((FalServerOptions){ .delay_ms = 5000 });
  g_autoptr (FalWebsocketClient) client = connect_with_timeout (server, 20);
  g_autoptr (GstStructure) map = NULL;

  fal_websocket_client_send_prompt (client, "x", "1");
  map = fal_websocket_client_next_map (client, TRUE);
  g_assert_cmpstr (gst_structure_get_string (map, "error"), ==, "INTERNAL_ERROR");
  g_assert_cmpstr (gst_structure_get_string (map, "reason"), ==, "");
}

/* ---- Who may come in ---- */

typedef struct {
  const gchar *name, *token, *api_key, *target, *authorization;
  guint status;
} UpgradeRow;

static const UpgradeRow upgrade_rows[] = {
  { "anybody", NULL, NULL, "/me/app/realtime", NULL, 101 },
  { "base-path", NULL, NULL, "/base/me/app/realtime?max_buffering=99", NULL, 101 },
  { "older-path", NULL, NULL, "/me/app/ws", NULL, 101 },
  { "unknown-app", NULL, NULL, "/missing/app/realtime", NULL, 404 },
  { "no-app", NULL, NULL, "/app", NULL, 404 },
  { "right-token", "a+b/=", NULL, FAL_TURBO_PATH "?fal_jwt_token=a%2Bb%2F%3D", NULL, 101 },
  { "wrong-token", "good", NULL, FAL_TURBO_PATH "?fal_jwt_token=bad", NULL, 401 },
  { "no-token", "good", NULL, FAL_TURBO_PATH, NULL, 401 },
  { "right-key-header", NULL, "id:secret", FAL_TURBO_PATH, "Key id:secret", 101 },
  { "wrong-key-header", NULL, "id:secret", FAL_TURBO_PATH, "Key id:wrong", 401 },
  { "bearer-is-no-key", NULL, "id:secret", FAL_TURBO_PATH, "Bearer id:secret", 401 },
  { "right-key-query", NULL, "id:secret", FAL_TURBO_PATH "?fal_key_id=id&fal_key_secret=secret",
      NULL, 101 },
  { "half-a-key-query", NULL, "id:secret", FAL_TURBO_PATH "?fal_key_id=id", NULL, 401 },
  { "token-beside-key", "good", "id:secret", FAL_TURBO_PATH "?fal_jwt_token=good", NULL, 101 },
};

static void
test_upgrade (gconstpointer data)
{
  const UpgradeRow *row = data;
  g_autoptr (FalServer) server =
      fal_fixture_serve ((FalServerOptions){ .token = row->token, .api_key = row->api_key });
  g_autoptr (FalWebsocketClient) client =
      fal_websocket_client_new (server, row->target, row->authorization);
  g_autofree gchar *target = fal_server_dup_last_target (server);

  g_assert_cmpuint (soup_message_get_status (client->upgrade), ==, row->status);
  g_assert_cmpint (client->socket != NULL, ==, row->status == 101);
  g_assert_cmpstr (target, ==, row->target);
  g_assert_cmpuint (fal_server_get_connections (server), ==, row->status == 101);
}

static void
on_token (GObject *session, GAsyncResult *result, gpointer reply)
{
  *(GBytes **) reply = soup_session_send_and_read_finish (SOUP_SESSION (session), result, NULL);
}

/* The token without its quotes where the status is 200, or NULL. @header is "name: value". */
static gchar *
request_token (FalServer *server, const gchar *path, const gchar *name, const gchar *value,
    const gchar *body, guint status)
{
  g_autofree gchar *uri =
      g_strconcat ("http", strchr (fal_server_get_uri (server), ':'), path, NULL);
  g_autoptr (SoupSession) session = soup_session_new ();
  g_autoptr (SoupMessage) message = soup_message_new (SOUP_METHOD_POST, uri);
  g_autoptr (GBytes) request = g_bytes_new_static (body, strlen (body));
  g_autoptr (GBytes) reply = NULL;
  gsize size;
  const gchar *text;

  soup_message_set_request_body_from_bytes (message, "application/json", request);
  soup_message_headers_append (soup_message_get_request_headers (message), name, value);
  soup_session_send_and_read_async (session, message, G_PRIORITY_DEFAULT, NULL, on_token, &reply);
  FAL_WAIT_UNTIL (reply != NULL);
  g_assert_cmpuint (soup_message_get_status (message), ==, status);
  if (status != 200)
    return NULL;
  text = g_bytes_get_data (reply, &size);
  g_assert_cmpint (text[0], ==, '"');
  g_assert_cmpint (text[size - 1], ==, '"');
  return g_strndup (text + 1, size - 2);
}

static guint
try_token (FalServer *server, const gchar *token)
{
  g_autofree gchar *target = g_strconcat (FAL_TURBO_PATH "?fal_jwt_token=", token, NULL);
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_new (server, target, NULL);

  return soup_message_get_status (client->upgrade);
}

typedef struct {
  const gchar *name, *path, *header, *value, *body;
  guint status; /* of the token request */
  guint let_in; /* status of the upgrade with it */
} TokenRow;

static const TokenRow token_rows[] = {
  { "alias", "/tokens/", "Authorization", "Key id:secret",
      "{\"allowed_apps\":[\"app\"],\"token_expiration\":120}", 200, 101 },
  { "realtime", "/tokens/realtime", "Authorization", "Key id:secret",
      "{\"app\":\"me/app\",\"duration\":120}", 200, 101 },
  { "over-at-once", "/tokens/", "Authorization", "Key id:secret", "{\"token_expiration\":0}", 200,
      401 },
  { "wrong-key", "/tokens/", "Authorization", "Key id:wrong", "{}", 401, 0 },
  { "proxy-holds-the-key", "/proxy", "x-fal-target-url", "https://rest.fal.ai/tokens/", "{}", 200,
      101 },
  { "elsewhere", "/elsewhere", "Authorization", "Key id:secret", "{}", 404, 0 },
};

static void
test_token (gconstpointer data)
{
  const TokenRow *row = data;
  g_autoptr (FalServer) server = fal_fixture_serve ((FalServerOptions){ .api_key = "id:secret" });
  g_autofree gchar *token =
      request_token (server, row->path, row->header, row->value, row->body, row->status);

  if (token != NULL)
    g_assert_cmpuint (try_token (server, token), ==, row->let_in);
  g_assert_cmpuint (fal_server_get_token_requests (server), ==, row->status != 404);
}

static void
test_tokens_are_fresh (void)
{
  g_autoptr (FalServer) server = fal_fixture_serve ((FalServerOptions){ 0 });
  g_autofree gchar *first = request_token (server, "/tokens/", "Accept", "*/*", "{}", 200);
  g_autofree gchar *second = request_token (server, "/tokens/", "Accept", "*/*", "{}", 200);

  g_assert_cmpstr (first, !=, second);
}

/* ---- What it saw, how it misbehaves ---- */

static void
test_requests_are_kept_in_order (void)
{
  g_autoptr (FalServer) server = fal_fixture_serve ((FalServerOptions){ 0 });
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);
  g_autoptr (GstStructure) first = NULL, second = NULL;

  fal_websocket_client_send_prompt (client, "a", "1");
  fal_websocket_client_send_prompt (client, "b", "2");
  fal_websocket_client_assert_id (client, "1");
  fal_websocket_client_assert_id (client, "2");
  first = fal_server_pop_request (server, 1000);
  second = fal_server_pop_request (server, 1000);
  g_assert_cmpstr (gst_structure_get_string (first, "prompt"), ==, "a");
  g_assert_cmpstr (gst_structure_get_string (second, "prompt"), ==, "b");
  g_assert_null (fal_server_pop_request (server, 1));
}

static void
test_forgotten_requests_are_counted_all_the_same (void)
{
  g_autoptr (FalServer) server = fal_fixture_serve ((FalServerOptions){ .forget_requests = TRUE });
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);

  fal_websocket_client_send_prompt (client, "a", "1");
  fal_websocket_client_assert_id (client, "1");
  g_assert_cmpuint (fal_server_get_requests (server), ==, 1);
  g_assert_null (fal_server_pop_request (server, 1));
}

static void
test_connections_are_counted (void)
{
  g_autoptr (FalServer) server = fal_fixture_serve ((FalServerOptions){ 0 });
  FalWebsocketClient *first = fal_websocket_client_connect (server);
  g_autoptr (FalWebsocketClient) second = fal_websocket_client_connect (server);

  FAL_WAIT_UNTIL (fal_server_get_open (server) == 2);
  fal_websocket_client_free (first);
  FAL_WAIT_UNTIL (fal_server_get_open (server) == 1);
  g_assert_cmpuint (fal_server_get_connections (server), ==, 2);
}

static void
test_mute_swallows_requests (void)
{
  g_autoptr (FalServer) server = fal_fixture_serve ((FalServerOptions){ .delay_ms = 50 });
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);

  fal_server_set_mute (server, TRUE);
  fal_websocket_client_send_prompt (client, "x", "1");
  FAL_WAIT_UNTIL (fal_server_get_requests (server) == 1);
  fal_server_set_mute (server, FALSE);
  fal_websocket_client_send_prompt (client, "x", "2");
  fal_websocket_client_assert_id (client, "2");
}

static void
test_answer_replaces_results (void)
{
  g_autoptr (FalServer) server = fal_fixture_serve ((FalServerOptions){ 0 });
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);
  g_autoptr (GBytes) answer = g_bytes_new_static ("{\"status\":\"error\"}", 18);
  g_autoptr (GstStructure) map = NULL;

  fal_server_set_answer (server, answer, TRUE);
  fal_websocket_client_send_prompt (client, "x", "1");
  map = fal_websocket_client_next_map (client, TRUE);
  g_assert_cmpstr (gst_structure_get_string (map, "status"), ==, "error");
  fal_server_set_answer (server, NULL, FALSE);
  fal_websocket_client_send_prompt (client, "x", "2");
  fal_websocket_client_assert_id (client, "2");
}

static void
test_delay_changes_while_it_runs (void)
{
  g_autoptr (FalServer) server = fal_fixture_serve ((FalServerOptions){ .delay_ms = 60000 });
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);

  fal_server_set_delay (server, 1);
  fal_websocket_client_send_prompt (client, "x", "1");
  fal_websocket_client_assert_id (client, "1");
}

static void
test_refusal_comes_and_goes (void)
{
  g_autoptr (FalServer) server = fal_fixture_serve ((FalServerOptions){ 0 });
  g_autoptr (FalWebsocketClient) refused = NULL, accepted = NULL;

  fal_server_set_refusal (server, 503);
  refused = fal_websocket_client_new (server, FAL_TURBO_PATH, NULL);
  g_assert_cmpuint (soup_message_get_status (refused->upgrade), ==, 503);
  fal_server_set_refusal (server, 0);
  accepted = fal_websocket_client_connect (server);
}

static void
test_send_reaches_every_connection (void)
{
  g_autoptr (FalServer) server = fal_fixture_serve ((FalServerOptions){ 0 });
  g_autoptr (FalWebsocketClient) first = fal_websocket_client_connect (server),
                                 second = fal_websocket_client_connect (server);
  g_autoptr (GBytes) bytes = g_bytes_new_static ("\x80", 1);
  g_autoptr (GstStructure) one = NULL, other = NULL;

  fal_server_send (server, bytes, FALSE);
  one = fal_websocket_client_next_map (first, FALSE);
  other = fal_websocket_client_next_map (second, FALSE);
}

static void
test_close_says_its_code (void)
{
  g_autoptr (FalServer) server = fal_fixture_serve ((FalServerOptions){ .delay_ms = 60000 });
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);

  fal_websocket_client_send_prompt (client, "x", "1");
  FAL_WAIT_UNTIL (fal_server_get_requests (server) == 1);
  fal_server_close (server, 1008, "scope");
  FAL_WAIT_UNTIL (client->closed);
  g_assert_cmpuint (soup_websocket_connection_get_close_code (client->socket), ==, 1008);
  g_assert_cmpstr (soup_websocket_connection_get_close_data (client->socket), ==, "scope");
  FAL_WAIT_UNTIL (fal_server_get_open (server) == 0);
}

static void
test_cut_sends_no_close_frame (void)
{
  g_autoptr (FalServer) server = fal_fixture_serve ((FalServerOptions){ 0 });
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);

  fal_server_close (server, 0, NULL);
  g_assert_cmpuint (fal_server_get_open (server), ==, 0);
  FAL_WAIT_UNTIL (client->closed);
  g_assert_cmpuint (soup_websocket_connection_get_close_code (client->socket), ==, 0);
}

/* How long it takes to end with one connection busy and one idle, µs. */
static gint64
measure_free (void)
{
  FalServer *server = fal_fixture_serve ((FalServerOptions){ .delay_ms = 60000 });
  g_autoptr (FalWebsocketClient) busy = fal_websocket_client_connect (server),
                                 idle = fal_websocket_client_connect (server);
  gint64 begin;

  fal_websocket_client_send_prompt (busy, "x", "1");
  FAL_WAIT_UNTIL (fal_server_get_requests (server) == 1);
  begin = g_get_monotonic_time ();
  fal_server_free (server);
  return g_get_monotonic_time () - begin;
}

/* The best of three, for the machine may have been busy. */
static void
test_free_is_quick (void)
{
  gint64 best = G_MAXINT64;

  for (guint i = 0; i < 3; i++)
    best = MIN (best, measure_free ());
  g_test_message ("%" G_GINT64_FORMAT " µs", best);
  g_assert_cmpint (best, <, 100 * G_TIME_SPAN_MILLISECOND);
}

static void
test_unknown_names_are_errors (void)
{
  const FalServerOptions wrong[] = { { .schema = "x" }, { .effect = "x" } };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (fal_server_new (&wrong[i], &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  }
}

int
main (int argc, char **argv)
{
  gst_init (NULL, NULL);
  g_test_init (&argc, &argv, NULL);

  FAL_FIXTURE_ADD_ROWS ("/upgrade", upgrade_rows, test_upgrade);
  FAL_FIXTURE_ADD_ROWS ("/token", token_rows, test_token);
  g_test_add_func ("/server/buffering-keeps-the-newest", test_buffering_keeps_the_newest);
  g_test_add_func (
      "/server/without-buffering-nothing-is-dropped", test_without_buffering_nothing_is_dropped);
  g_test_add_func ("/server/the-model-keeps-its-time", test_the_model_keeps_its_time);
  g_test_add_func ("/server/jitter-goes-both-ways", test_jitter_goes_both_ways);
  g_test_add_func ("/server/idle-session-times-out", test_idle_session_times_out);
  g_test_add_func (
      "/server/session-without-any-input-times-out", test_session_without_any_input_times_out);
  g_test_add_func (
      "/server/running-inference-is-no-idle-session", test_running_inference_is_no_idle_session);
  g_test_add_func (
      "/server/inference-of-twice-the-session-fails", test_inference_of_twice_the_session_fails);
  g_test_add_func ("/server/tokens-are-fresh", test_tokens_are_fresh);
  g_test_add_func ("/server/requests-are-kept-in-order", test_requests_are_kept_in_order);
  g_test_add_func ("/server/forgotten-requests-are-counted-all-the-same",
      test_forgotten_requests_are_counted_all_the_same);
  g_test_add_func ("/server/connections-are-counted", test_connections_are_counted);
  g_test_add_func ("/server/mute-swallows-requests", test_mute_swallows_requests);
  g_test_add_func ("/server/answer-replaces-results", test_answer_replaces_results);
  g_test_add_func ("/server/delay-changes-while-it-runs", test_delay_changes_while_it_runs);
  g_test_add_func ("/server/refusal-comes-and-goes", test_refusal_comes_and_goes);
  g_test_add_func ("/server/send-reaches-every-connection", test_send_reaches_every_connection);
  g_test_add_func ("/server/close-says-its-code", test_close_says_its_code);
  g_test_add_func ("/server/cut-sends-no-close-frame", test_cut_sends_no_close_frame);
  g_test_add_func ("/server/free-is-quick", test_free_is_quick);
  g_test_add_func ("/server/unknown-names-are-errors", test_unknown_names_are_errors);
  return g_test_run ();
}
