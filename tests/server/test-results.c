/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the local server answers to a request: results by schema, failures by cause. */
#include "fixture.h"
#include "sample-picture.h"
#include "websocket-client.h"
#include "effects/rgb-image.h"
#include "fal/wire/value-json.h"
#include <string.h>

/* The picture in a result, whether bytes or a data URI: in its field @field, or there in the first
 * item of its field @list. */
static GBytes *
get_picture (const GstStructure *result, const gchar *list, const gchar *field)
{
  const GValue *items = list ? gst_structure_get_value (result, list) : NULL;
  const GstStructure *owner = result;
  const GValue *value;
  gsize size;
  guchar *data;

  if (items != NULL && GST_VALUE_HOLDS_ARRAY (items))
    items = gst_value_array_get_value (items, 0);
  if (items != NULL)
    owner = gst_value_get_structure (items);
  value = gst_structure_get_value (owner, field);
  g_assert_nonnull (value);
  if (G_VALUE_HOLDS (value, G_TYPE_BYTES))
    return g_value_dup_boxed (value);
  data = g_base64_decode (strchr (g_value_get_string (value), ',') + 1, &size);
  return g_bytes_new_take (data, size);
}

/* ---- Results ---- */

typedef struct {
  const gchar *schema, *input;
  gboolean uri; /* else bytes */
  const gchar *list, *output, *content_type;
  gboolean echoes;
} SchemaRow;

static const SchemaRow schema_rows[] = {
  { "turbo", "image_bytes", FALSE, "images", "content", "image/jpeg", TRUE },
  { "turbo", "image_url", TRUE, "images", "content", "image/jpeg", TRUE },
  { "turbo", "image", FALSE, "images", "content", "image/jpeg", TRUE },
  { "lcm", "image_url", TRUE, "images", "url", "image/jpeg", TRUE },
  { "klein", "image_url", TRUE, "images", "content", "image/jpeg", FALSE },
#ifdef HAVE_PNG
  { "birefnet", "image_bytes", FALSE, "image", "content", "image/png", FALSE },
#endif
  { "sd-turbo", "image", FALSE, NULL, "image", "image/jpeg", TRUE },
};

static GstStructure *
make_request (const SchemaRow *row, GBytes *picture)
{
  GstStructure *request = gst_structure_new (
      "map", "prompt", G_TYPE_STRING, "a cat", "request_id", G_TYPE_STRING, "r", NULL);

  if (row->uri) {
    g_autofree gchar *uri = fal_sample_picture_dup_data_uri (picture);

    gst_structure_set (request, row->input, G_TYPE_STRING, uri, NULL);
  } else {
    gst_structure_set (request, row->input, G_TYPE_BYTES, picture, NULL);
  }
  return request;
}

static void
test_schema (gconstpointer data)
{
  const SchemaRow *row = data;
  g_autoptr (FalServer) server = fal_fixture_serve ((FalServerOptions){ .schema = row->schema });
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);
  g_autoptr (GBytes) picture = fal_sample_picture_new (64, 48, 255);
  g_autoptr (GstStructure) request = make_request (row, picture);
  g_autoptr (GstStructure) result = NULL;
  g_autoptr (GBytes) answer = NULL;
  g_autoptr (FalRgbImage) image = NULL;

  fal_websocket_client_send (client, request);
  result = fal_websocket_client_next_map (client, FALSE);
  answer = get_picture (result, row->list, row->output);
  image = fal_rgb_image_decode (answer, NULL);
  g_assert_cmpstr (fal_rgb_image_content_type (answer), ==, row->content_type);
  g_assert_cmpuint (image->width, ==, 64);
  g_assert_cmpuint (image->height, ==, 48);
  g_assert_cmpuint (image->data[3 * (24 * 64 + 32)], <=, 3); /* white, inverted */
  g_assert_cmpint (gst_structure_has_field (result, "request_id"), ==, row->echoes);
}

static void
test_bytes_are_the_captured_ones (void)
{
  static const guint8 head[] = "\x86\xa6images\x91\x84\xa7"
                               "content\xc5";
  static const guint8 tail[] = "\xa4seed\xce\x00\x5f\x65\xf7\xb3num_inference_steps\x04"
                               "\xb1has_nsfw_concepts\x91\xc2\xaarequest_id\xa1"
                               "1";
  g_autoptr (FalServer) server = fal_fixture_serve ((FalServerOptions){ .effect = "echo" });
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);
  g_autoptr (GBytes) picture = fal_sample_picture_new (64, 64, 0);
  g_autoptr (GstStructure) request = gst_structure_new ("map", "image_bytes", G_TYPE_BYTES, picture,
      "seed", G_TYPE_INT64, G_GINT64_CONSTANT (6252023), "request_id", G_TYPE_STRING, "1", NULL);
  g_autoptr (FalWebsocketClientMessage) message = NULL;
  const guint8 *data;
  gsize size, tail_size = sizeof tail - 1;

  fal_websocket_client_send (client, request);
  message = fal_websocket_client_next (client);
  data = g_bytes_get_data (message->bytes, &size);
  g_assert_cmpmem (data, sizeof head - 1, head, sizeof head - 1);
  g_assert_cmpmem (data + size - tail_size, tail_size, tail, tail_size);
}

static void
test_raw_says_ready_and_sends_the_picture_alone (void)
{
  g_autoptr (FalServer) server =
      fal_fixture_serve ((FalServerOptions){ .schema = "raw", .effect = "echo" });
  g_autoptr (FalWebsocketClient) client =
      fal_websocket_client_new (server, "/fal-ai/krea-wan-14b/ws", NULL);
  g_autoptr (GBytes) picture = fal_sample_picture_new (16, 16, 9);
  g_autoptr (GstStructure) request =
      gst_structure_new ("map", "start_frame", G_TYPE_BYTES, picture, NULL);
  g_autoptr (GstStructure) ready = fal_websocket_client_next_map (client, TRUE);
  g_autoptr (FalWebsocketClientMessage) message = NULL;

  g_assert_cmpstr (gst_structure_get_string (ready, "status"), ==, "ready");
  fal_websocket_client_send (client, request);
  message = fal_websocket_client_next (client);
  g_assert_false (message->text);
  g_assert_true (g_bytes_equal (message->bytes, picture));
}

static void
test_effect_changes_while_it_runs (void)
{
  g_autoptr (FalServer) server = fal_fixture_serve ((FalServerOptions){ 0 });
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);
  g_autoptr (GBytes) picture = fal_sample_picture_new (16, 16, 77);
  g_autoptr (GstStructure) request =
      gst_structure_new ("map", "image", G_TYPE_BYTES, picture, NULL);
  g_autoptr (GstStructure) result = NULL;
  g_autoptr (GBytes) answer = NULL;

  fal_server_set_effect (server, "echo");
  fal_websocket_client_send (client, request);
  result = fal_websocket_client_next_map (client, FALSE);
  answer = get_picture (result, "images", "content");
  g_assert_true (g_bytes_equal (answer, picture));
}

static void
test_interpolation_brings_two_pictures (void)
{
  g_autoptr (FalServer) server = fal_fixture_serve ((FalServerOptions){ .schema = "klein" });
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);
  g_autoptr (GstStructure) request = gst_structure_new (
      "map", "prompt", G_TYPE_STRING, "x", "enable_interpolation", G_TYPE_BOOLEAN, TRUE, NULL);
  g_autoptr (GstStructure) result = NULL;

  fal_websocket_client_send (client, request);
  result = fal_websocket_client_next_map (client, FALSE);
  g_assert_cmpuint (gst_value_array_get_size (gst_structure_get_value (result, "images")), ==, 2);
}

static void
test_json_app_takes_and_answers_json (void)
{
  static const gchar text[] = "{\"prompt\":\"x\",\"request_id\":\"j\"}";
  g_autoptr (FalServer) server = fal_fixture_serve ((FalServerOptions){ .schema = "json" });
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);
  g_autoptr (GBytes) request = g_bytes_new_static (text, strlen (text));
  g_autoptr (FalWebsocketClientMessage) message = NULL;
  g_autoptr (GstStructure) result = NULL;

  fal_websocket_client_send_bytes (client, request);
  message = fal_websocket_client_next (client);
  g_assert_false (message->text);
  result = fal_value_from_json (
      g_bytes_get_data (message->bytes, NULL), g_bytes_get_size (message->bytes), NULL);
  g_assert_cmpstr (gst_structure_get_string (result, "request_id"), ==, "j");
}

static void
test_prompt_alone_gets_a_picture (void)
{
  g_autoptr (FalServer) server =
      fal_fixture_serve ((FalServerOptions){ .no_echo_request_id = TRUE });
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);
  g_autoptr (GstStructure) result = NULL;
  g_autoptr (GBytes) answer = NULL;
  g_autoptr (FalRgbImage) image = NULL;

  fal_websocket_client_send_prompt (client, "a cat", "r");
  result = fal_websocket_client_next_map (client, FALSE);
  answer = get_picture (result, "images", "content");
  image = fal_rgb_image_decode (answer, NULL);
  g_assert_cmpuint (image->width, ==, 512);
  g_assert_false (gst_structure_has_field (result, "request_id"));
}

static void
test_timings_follow_the_result (void)
{
  g_autoptr (FalServer) server =
      fal_fixture_serve ((FalServerOptions){ .timings = TRUE, .delay_ms = 20 });
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);
  g_autoptr (GstStructure) timings = NULL;
  gdouble seconds = 0;

  fal_websocket_client_send_prompt (client, "x", "1");
  fal_websocket_client_assert_id (client, "1");
  timings = fal_websocket_client_next_map (client, TRUE);
  g_assert_cmpstr (gst_structure_get_string (timings, "type"), ==, "x-fal-message");
  g_assert_cmpstr (gst_structure_get_string (timings, "action"), ==, "timings");
  g_assert_true (gst_structure_get_double (timings, "timing", &seconds));
  g_assert_cmpfloat (seconds, >=, 0.019);
}

/* ---- Failures ---- */

typedef struct {
  const gchar *name, *schema, *message; /* msgpack */
  gsize size;
  const gchar *reason; /* how it begins */
} FailureRow;

#define BYTES(literal) literal, sizeof literal - 1

static const FailureRow failure_rows[] = {
  { "model-exception", NULL,
      BYTES ("\x81\xa6prompt\xa4"
             "boom"),
      "model exploded: CUDA out of memory" },
  { "no-map", NULL, BYTES ("\x93\x01\x02\x03"), "" },
  { "truncated", NULL,
      BYTES ("\x81\xa6prompt\xa4"
             "bo"),
      "" },
  { "json-for-msgpack", NULL, BYTES ("{\"prompt\":\"x\"}"), "" },
  { "nil-image", NULL, BYTES ("\x82\xa6prompt\xa1x\xa9image_url\xc0"), "image_url: none" },
  { "undecodable-image", NULL, BYTES ("\x81\xabimage_bytes\xc4\x03\xff\xd8\xff"),
      "cannot identify image file" },
  { "no-image-and-no-prompt", NULL, BYTES ("\x81\xa4seed\x01"), "image_bytes: field required" },
  { "birefnet-needs-an-image", "birefnet", BYTES ("\x81\xa6prompt\xa1x"),
      "image_bytes: field required" },
  { "klein-takes-no-bytes", "klein", BYTES ("\x81\xa9image_url\xc4\x03\xff\xd8\xff"),
      "image_url: str type expected" },
  { "sd-turbo-takes-no-text", "sd-turbo", BYTES ("\x81\xa5image\xa1x"),
      "image: bytes type expected" },
  { "unreachable-url", NULL, BYTES ("\x81\xa9image_url\xabhttps://a/b"), "image_url: could not" },
};

static void
test_failure (gconstpointer data)
{
  const FailureRow *row = data;
  g_autoptr (FalServer) server = fal_fixture_serve ((FalServerOptions){ .schema = row->schema });
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);
  g_autoptr (GBytes) message = g_bytes_new_static (row->message, row->size);

  fal_websocket_client_send_bytes (client, message);
  fal_websocket_client_assert_error (client, "INTERNAL_ERROR", row->reason);
}

static void
test_text_frame_ends_the_session (void)
{
  g_autoptr (FalServer) server = fal_fixture_serve ((FalServerOptions){ 0 });
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);

  soup_websocket_connection_send_text (client->socket, "{\"prompt\":\"x\"}");
  fal_websocket_client_assert_error (client, "INTERNAL_ERROR", "'bytes'");
}

static void
test_queued_requests_are_lost_with_the_session (void)
{
  g_autoptr (FalServer) server = fal_fixture_serve ((FalServerOptions){ .delay_ms = 20 });
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);

  fal_websocket_client_send_prompt (client, "boom", "1");
  fal_websocket_client_send_prompt (client, "x", "2");
  fal_websocket_client_assert_error (client, "INTERNAL_ERROR", "model exploded");
  g_assert_true (g_queue_is_empty (&client->inbox));
}

static void
test_message_over_16_mib_is_too_big (void)
{
  g_autoptr (FalServer) server = fal_fixture_serve ((FalServerOptions){ 0 });
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);
  gsize size = 16 * 1024 * 1024 + 1;
  g_autoptr (GBytes) message = g_bytes_new_take (g_malloc0 (size), size);

  fal_websocket_client_send_bytes (client, message);
  FAL_WAIT_UNTIL (client->closed);
  g_assert_cmpuint (soup_websocket_connection_get_close_code (client->socket), ==, 1009);
}

/* libsoup itself refuses it, as a server does that leaves its limit as it is. */
static void
test_a_lower_limit_is_kept_too (void)
{
  const FalServerOptions options = { .max_message = 128 * 1024 };
  g_autoptr (FalServer) server = fal_fixture_serve (options);
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);
  gsize size = options.max_message + 1;
  g_autoptr (GBytes) message = g_bytes_new_take (g_malloc0 (size), size);

  fal_websocket_client_send_bytes (client, message);
  FAL_WAIT_UNTIL (client->closed);
  g_assert_cmpuint (fal_server_get_requests (server), ==, 0);
}

int
main (int argc, char **argv)
{
  gst_init (NULL, NULL);
  g_test_init (&argc, &argv, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (schema_rows); i++) {
    g_autofree gchar *name =
        g_strdup_printf ("/results/%s-takes-%s", schema_rows[i].schema, schema_rows[i].input);

    g_test_add_data_func (name, &schema_rows[i], test_schema);
  }
  FAL_FIXTURE_ADD_ROWS ("/failures", failure_rows, test_failure);
  g_test_add_func ("/results/bytes-are-the-captured-ones", test_bytes_are_the_captured_ones);
  g_test_add_func ("/results/raw-says-ready-and-sends-the-picture-alone",
      test_raw_says_ready_and_sends_the_picture_alone);
  g_test_add_func ("/results/effect-changes-while-it-runs", test_effect_changes_while_it_runs);
  g_test_add_func (
      "/results/interpolation-brings-two-pictures", test_interpolation_brings_two_pictures);
  g_test_add_func (
      "/results/json-app-takes-and-answers-json", test_json_app_takes_and_answers_json);
  g_test_add_func ("/results/prompt-alone-gets-a-picture", test_prompt_alone_gets_a_picture);
  g_test_add_func ("/results/timings-follow-the-result", test_timings_follow_the_result);
  g_test_add_func ("/results/text-frame-ends-the-session", test_text_frame_ends_the_session);
  g_test_add_func ("/results/queued-requests-are-lost-with-the-session",
      test_queued_requests_are_lost_with_the_session);
  g_test_add_func ("/results/message-over-16-mib-is-too-big", test_message_over_16_mib_is_too_big);
  g_test_add_func ("/results/a-lower-limit-is-kept-too", test_a_lower_limit_is_kept_too);
  return g_test_run ();
}
