/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many results a request brings, how a session begins and ends, and what the server keeps of
 * what it got. */
#include "fixture.h"
#include "sample-picture.h"
#include "websocket-client.h"

static void
test_a_request_brings_its_results (void)
{
  g_autoptr (FalServer) server =
      fal_fixture_serve ((FalServerOptions){ .results = 3, .delay_ms = 5, .timings = TRUE });
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);
  gint64 begin = g_get_monotonic_time ();

  fal_websocket_client_send_prompt (client, "x", "1");
  fal_websocket_client_send_prompt (client, "x", "2");
  for (guint i = 0; i < 6; i++) {
    g_autoptr (GstStructure) timings = NULL;

    fal_websocket_client_assert_id (client, i < 3 ? "1" : "2");
    timings = fal_websocket_client_next_map (client, TRUE);
    g_assert_cmpstr (gst_structure_get_string (timings, "action"), ==, "timings");
  }
  /* The delay is that of each result. */
  g_assert_cmpint (g_get_monotonic_time () - begin, >=, 6 * 4 * G_TIME_SPAN_MILLISECOND);
  g_assert_true (g_queue_is_empty (&client->inbox));
}

static void
test_a_failure_is_told_once (void)
{
  g_autoptr (FalServer) server = fal_fixture_serve ((FalServerOptions){ .results = 3 });
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);

  fal_websocket_client_send_prompt (client, "boom", "1");
  fal_websocket_client_assert_error (client, "INTERNAL_ERROR", "model exploded");
  g_assert_true (g_queue_is_empty (&client->inbox));
}

static void
test_session_ends_after_its_results (void)
{
  g_autoptr (FalServer) server =
      fal_fixture_serve ((FalServerOptions){ .results = 2, .end_after_results = TRUE });
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);

  fal_websocket_client_send_prompt (client, "x", "1");
  fal_websocket_client_assert_id (client, "1");
  fal_websocket_client_assert_id (client, "1");
  fal_websocket_client_assert_error (client, "TIMEOUT", "no inputs, reconnect when needed!");
}

static void
test_ready_comes_after_its_delay (void)
{
  g_autoptr (FalServer) server =
      fal_fixture_serve ((FalServerOptions){ .schema = "krea", .ready_delay_ms = 50 });
  gint64 begin = g_get_monotonic_time ();
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);
  g_autoptr (GstStructure) ready = fal_websocket_client_next_map (client, TRUE);

  g_assert_cmpstr (gst_structure_get_string (ready, "status"), ==, "ready");
  g_assert_cmpint (g_get_monotonic_time () - begin, >=, 49 * G_TIME_SPAN_MILLISECOND);
}

/* The picture is an item of a list, or the map itself. */
static void
check_link (const gchar *schema, const gchar *field)
{
  static const gchar link[] = "https://v3.fal.media:1/ok.jpg";
  g_autoptr (FalServer) server =
      fal_fixture_serve ((FalServerOptions){ .schema = schema, .result_url = link });
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);
  g_autoptr (GBytes) jpeg = fal_sample_picture_new (16, 16, 160);
  g_autoptr (GstStructure) request = gst_structure_new ("map", "prompt", G_TYPE_STRING, "x", NULL);
  g_autoptr (GstStructure) result = NULL;
  const GstStructure *picture;
  const GValue *value;

  if (g_str_equal (schema, "birefnet")) /* the one that does not make do with a prompt */
    gst_structure_set (request, "image_bytes", G_TYPE_BYTES, jpeg, NULL);
  fal_websocket_client_send (client, request);
  result = fal_websocket_client_next_map (client, FALSE);
  value = gst_structure_get_value (result, field);
  g_assert_nonnull (value);
  if (GST_VALUE_HOLDS_ARRAY (value))
    value = gst_value_array_get_value (value, 0);
  picture = gst_value_get_structure (value);
  g_assert_cmpstr (gst_structure_get_string (picture, "url"), ==, link);
  g_assert_false (gst_structure_has_field (picture, "content"));
}

static void
test_results_link_to_their_picture (void)
{
  check_link ("turbo", "images");
  check_link ("klein", "images");
  check_link ("lcm", "images");
  check_link ("lcm-sd15", "images");
  check_link ("birefnet", "image");
}

static void
test_requests_are_kept_with_bytes_and_connection (void)
{
  static const guint8 padded[] = "\x81\xa6prompt\xd9\x01x"; /* str8 where a shorter form would do */
  g_autoptr (FalServer) server = fal_fixture_serve ((FalServerOptions){ 0 });
  g_autoptr (FalWebsocketClient) first = fal_websocket_client_connect (server);
  g_autoptr (FalWebsocketClient) second = NULL;
  g_autoptr (GBytes) message = g_bytes_new_static (padded, sizeof padded - 1);
  g_autoptr (FalReceivedRequest) one = NULL, other = NULL;

  FAL_WAIT_UNTIL (fal_server_get_open (server) == 1);
  second = fal_websocket_client_connect (server);
  fal_websocket_client_send_bytes (second, message);
  one = fal_server_pop_received (server, 5000);
  fal_websocket_client_send_prompt (first, "y", "1");
  other = fal_server_pop_received (server, 5000);
  g_assert_nonnull (one);
  g_assert_nonnull (other);
  g_assert_cmpuint (one->connection, ==, 2);
  g_assert_cmpuint (other->connection, ==, 1);
  g_assert_true (g_bytes_equal (one->message, message));
  g_assert_cmpstr (gst_structure_get_string (one->request, "prompt"), ==, "x");
  g_assert_null (fal_server_pop_received (server, 1));
}

int
main (int argc, char **argv)
{
  gst_init (NULL, NULL);
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/sessions/a-request-brings-its-results", test_a_request_brings_its_results);
  g_test_add_func ("/sessions/a-failure-is-told-once", test_a_failure_is_told_once);
  g_test_add_func ("/sessions/session-ends-after-its-results", test_session_ends_after_its_results);
  g_test_add_func ("/sessions/ready-comes-after-its-delay", test_ready_comes_after_its_delay);
  g_test_add_func ("/sessions/results-link-to-their-picture", test_results_link_to_their_picture);
  g_test_add_func ("/sessions/requests-are-kept-with-bytes-and-connection",
      test_requests_are_kept_with_bytes_and_connection);
  return g_test_run ();
}
