/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the apps with rules of their own ask for: the type of a field, the order of requests, the
 * state that travels, the fields that are known. */
#include "fixture.h"
#include "sample-picture.h"
#include "websocket-client.h"
#include "effects/rgb-image.h"
#include "fal/wire/value.h"
#include <string.h>

static GBytes *
make_picture (void)
{
  return fal_sample_picture_new (32, 32, 160);
}

static gchar *
make_data_uri (void)
{
  g_autoptr (GBytes) picture = make_picture ();

  return fal_sample_picture_dup_data_uri (picture);
}

/* A request with the picture as bytes in @field. */
static GstStructure *
make_request (const gchar *field)
{
  g_autoptr (GBytes) picture = make_picture ();

  return gst_structure_new ("map", field, G_TYPE_BYTES, picture, NULL);
}

static FalServer *
serve (const gchar *schema)
{
  return fal_fixture_serve ((FalServerOptions){ .schema = schema, .effect = "echo" });
}

static const GstStructure *
get_picture (const GstStructure *result)
{
  const GValue *images = gst_structure_get_value (result, "images");

  g_assert_true (images && GST_VALUE_HOLDS_ARRAY (images));
  return gst_value_get_structure (gst_value_array_get_value (images, 0));
}

/* ---- lcm-sd15 ---- */

static void
test_sync_mode_brings_a_data_uri (void)
{
  g_autoptr (FalServer) server = serve ("lcm-sd15");
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);
  g_autofree gchar *uri = make_data_uri ();
  g_autoptr (GstStructure) request = gst_structure_new ("map", "image_url", G_TYPE_STRING, uri,
      "sync_mode", G_TYPE_BOOLEAN, TRUE, "request_id", G_TYPE_STRING, "7", NULL);
  g_autoptr (GstStructure) synced = NULL, linked = NULL;

  fal_websocket_client_send (client, request);
  synced = fal_websocket_client_next_map (client, FALSE);
  g_assert_cmpstr (gst_structure_get_string (get_picture (synced), "url"), ==, uri);
  g_assert_cmpstr (gst_structure_get_string (synced, "request_id"), ==, "7");
  gst_structure_remove_field (request, "sync_mode");
  fal_websocket_client_send (client, request);
  linked = fal_websocket_client_next_map (client, FALSE);
  g_assert_true (
      g_str_has_prefix (gst_structure_get_string (get_picture (linked), "url"), "https://"));
  g_assert_false (gst_structure_has_field (get_picture (linked), "content"));
}

/* ---- live-portrait ---- */

static void
send_portrait (FalWebsocketClient *client, const gchar *initial, const GstStructure *state)
{
  g_autoptr (GstStructure) request = make_request ("image_bytes");

  gst_structure_set (request, "request_id", G_TYPE_STRING, "p", NULL);
  if (initial != NULL)
    gst_structure_set (request, "initial_image_url", G_TYPE_STRING, initial, NULL);
  if (state != NULL)
    for (guint i = 0; i < 2; i++) {
      const gchar *field = i ? "r_d_0" : "x_d_0_info";

      gst_structure_set_value (request, field, gst_structure_get_value (state, field));
    }
  fal_websocket_client_send (client, request);
}

static void
test_portrait_takes_its_state_back (void)
{
  g_autoptr (FalServer) server = serve ("live-portrait");
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);
  g_autoptr (GstStructure) first = NULL, second = NULL, third = NULL;
  const GValue *value;

  send_portrait (client, "https://v3.fal.media/files/me.jpg", NULL);
  first = fal_websocket_client_next_map (client, FALSE);
  g_assert_true (gst_structure_has_field_typed (get_picture (first), "content", G_TYPE_BYTES));
  g_assert_cmpstr (gst_structure_get_string (first, "request_id"), ==, "p");
  g_assert_true (gst_structure_has_field_typed (first, "r_d_0", GST_TYPE_ARRAY));
  value = fal_value_get_path (first, "x_d_0_info.exp.data");
  g_assert_true (value && G_VALUE_HOLDS (value, G_TYPE_BYTES));
  send_portrait (client, NULL, first);
  second = fal_websocket_client_next_map (client, FALSE);
  g_assert_false (gst_structure_is_equal (first, second));
  send_portrait (client, NULL, second);
  third = fal_websocket_client_next_map (client, FALSE);
  send_portrait (client, NULL, second); /* the last but one */
  fal_websocket_client_assert_error (
      client, "INTERNAL_ERROR", "x_d_0_info: is not that of the last result");
}

static void
test_portrait_needs_its_state_back (void)
{
  g_autoptr (FalServer) server = serve ("live-portrait");
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);
  g_autoptr (GstStructure) first = NULL, request = make_request ("image_bytes");

  send_portrait (client, "data:,", NULL);
  first = fal_websocket_client_next_map (client, FALSE);
  gst_structure_set_value (request, "x_d_0_info", gst_structure_get_value (first, "x_d_0_info"));
  fal_websocket_client_send (client, request);
  fal_websocket_client_assert_error (client, "INTERNAL_ERROR", "r_d_0: field required");
}

static void
test_portrait_begins_with_a_picture_on_each_connection (void)
{
  g_autoptr (FalServer) server = serve ("live-portrait");
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server),
                                 next = fal_websocket_client_connect (server);
  g_autoptr (GstStructure) first = NULL;

  send_portrait (client, "https://v3.fal.media/files/me.jpg", NULL);
  first = fal_websocket_client_next_map (client, FALSE);
  send_portrait (next, NULL, NULL);
  fal_websocket_client_assert_error (next, "INTERNAL_ERROR", "initial_image_url: field required");
}

/* ---- krea ---- */

/* A connection that has heard that the app is ready. */
static FalWebsocketClient *
connect_ready (FalServer *server)
{
  FalWebsocketClient *client = fal_websocket_client_new (server, "/fal-ai/krea-wan-14b/ws", NULL);
  g_autoptr (GstStructure) ready = fal_websocket_client_next_map (client, TRUE);

  g_assert_cmpstr (gst_structure_get_string (ready, "status"), ==, "ready");
  return client;
}

static void
send_frames (FalWebsocketClient *client, guint n)
{
  for (guint i = 0; i < n; i++) {
    g_autoptr (GstStructure) request = make_request ("image");

    fal_websocket_client_send (client, request);
  }
}

static void
expect_pictures (FalWebsocketClient *client, guint n)
{
  g_autoptr (GBytes) picture = make_picture ();

  for (guint i = 0; i < n; i++) {
    g_autoptr (FalWebsocketClientMessage) message = fal_websocket_client_next (client);

    g_assert_false (message->text);
    g_assert_true (g_bytes_equal (message->bytes, picture));
  }
}

/* The frame that opens the connection has no answer; then nine have theirs at once, and each
 * twelve. What comes while the model works belongs to the next block. */
static void
test_krea_answers_blocks (void)
{
  g_autoptr (FalServer) server =
      fal_fixture_serve ((FalServerOptions){ .schema = "krea", .effect = "echo", .delay_ms = 30 });
  g_autoptr (FalWebsocketClient) client = connect_ready (server);
  g_autoptr (GstStructure) start = make_request ("start_frame");

  fal_websocket_client_send (client, start);
  send_frames (client, 9 + 3);
  expect_pictures (client, 9);
  g_assert_cmpuint (fal_server_get_inferences (server), ==, 1);
  send_frames (client, 9);
  expect_pictures (client, 12);
  g_assert_cmpuint (fal_server_get_inferences (server), ==, 2);
}

/* One frame after the other, by the name of its field; the last is refused. */
typedef struct {
  const gchar *name, *fields[2], *reason;
} FrameRow;

static const FrameRow frame_rows[] = {
  { "image-first", { "image" }, "start_frame: field required" },
  { "start-frame-again", { "start_frame", "start_frame" }, "image: field required" },
};

static void
test_krea_refuses (gconstpointer data)
{
  const FrameRow *row = data;
  g_autoptr (FalServer) server = serve ("krea");
  g_autoptr (FalWebsocketClient) client = connect_ready (server);

  for (guint i = 0; i < G_N_ELEMENTS (row->fields) && row->fields[i] != NULL; i++) {
    g_autoptr (GstStructure) request = make_request (row->fields[i]);

    fal_websocket_client_send (client, request);
  }
  fal_websocket_client_assert_error (client, "INTERNAL_ERROR", row->reason);
}

static void
test_krea_refuses_both_at_once (void)
{
  g_autoptr (FalServer) server = serve ("krea");
  g_autoptr (FalWebsocketClient) client = connect_ready (server);
  g_autoptr (GstStructure) request = make_request ("start_frame");

  gst_structure_set_value (request, "image", gst_structure_get_value (request, "start_frame"));
  fal_websocket_client_send (client, request);
  fal_websocket_client_assert_error (
      client, "INTERNAL_ERROR", "image: not permitted in the first message");
}

static void
test_krea_hears_nothing_before_it_is_ready (void)
{
  g_autoptr (FalServer) server =
      fal_fixture_serve ((FalServerOptions){ .schema = "krea", .ready_delay_ms = 60000 });
  g_autoptr (FalWebsocketClient) client =
      fal_websocket_client_new (server, "/fal-ai/krea-wan-14b/ws", NULL);
  g_autoptr (GstStructure) request = make_request ("start_frame");

  fal_websocket_client_send (client, request);
  fal_websocket_client_assert_error (client, "INTERNAL_ERROR", "not ready");
}

/* ---- birefnet ---- */

static GstStructure *
make_cutout_request (const gchar *colour)
{
  GstStructure *request = make_request ("image_bytes");

  gst_structure_set (request, "background_color", G_TYPE_STRING, colour, NULL);
  return request;
}

/* The oval's corners show the background. */
static void
test_birefnet_takes_a_background (void)
{
  g_autoptr (FalServer) server = serve ("birefnet");
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);
  g_autoptr (GstStructure) request = make_cutout_request ("#20C040"), result = NULL;
  g_autoptr (GBytes) content = NULL;
  g_autoptr (FalRgbImage) image = NULL;

  fal_websocket_client_send (client, request);
  result = fal_websocket_client_next_map (client, FALSE);
  content = g_value_dup_boxed (fal_value_get_path (result, "image.content"));
  image = fal_rgb_image_decode (content, NULL);
  g_assert_cmpint (ABS (image->data[0] - 0x20), <, 16);
  g_assert_cmpint (ABS (image->data[1] - 0xc0), <, 16);
  g_assert_cmpint (ABS (image->data[2] - 0x40), <, 16);
  g_assert_cmpint (ABS (image->data[3 * (16 * 32 + 16)] - 160), <, 8);
}

static void
test_birefnet_wants_a_colour (gconstpointer colour)
{
  g_autoptr (FalServer) server = serve ("birefnet");
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);
  g_autoptr (GstStructure) request = make_cutout_request (colour);

  fal_websocket_client_send (client, request);
  fal_websocket_client_assert_error (
      client, "INTERNAL_ERROR", "background_color: value is not a valid color");
}

/* ---- Types and fields ---- */

typedef struct {
  const gchar *schema, *field;
  gboolean text; /* a data URI, else bytes */
} TypeRow;

static const TypeRow type_rows[] = {
  { "turbo", "image_bytes", TRUE },
  { "turbo", "image_url", FALSE },
  { "lcm-sd15", "image_url", FALSE },
  { "klein", "image_url", FALSE },
  { "birefnet", "image_bytes", TRUE },
  { "sd-turbo", "image", TRUE },
};

static void
test_type (gconstpointer data)
{
  const TypeRow *row = data;
  g_autoptr (FalServer) server = serve (row->schema);
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);
  g_autoptr (GstStructure) request = make_request (row->field);
  g_autofree gchar *uri = make_data_uri ();
  g_autofree gchar *reason =
      g_strdup_printf ("%s: %s type expected", row->field, row->text ? "bytes" : "str");

  if (row->text)
    gst_structure_set (request, row->field, G_TYPE_STRING, uri, NULL);
  fal_websocket_client_send (client, request);
  fal_websocket_client_assert_error (client, "INTERNAL_ERROR", reason);
}

static void
check_refusal (const gchar *schema, const gchar *field, const gchar *reason)
{
  g_autoptr (FalServer) server =
      fal_fixture_serve ((FalServerOptions){ .schema = schema, .refuse_unknown = TRUE });
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);
  g_autoptr (GstStructure) request =
      gst_structure_new ("map", "prompt", G_TYPE_STRING, "x", field, G_TYPE_STRING, "1", NULL);
  g_autoptr (GstStructure) result = NULL;

  fal_websocket_client_send (client, request);
  if (reason != NULL)
    fal_websocket_client_assert_error (client, "INTERNAL_ERROR", reason);
  else
    result = fal_websocket_client_next_map (client, FALSE);
}

static void
test_unknown_fields_are_refused (void)
{
  check_refusal ("klein", "request_id",
      "1 validation error for Input\nrequest_id\n  Extra inputs are not permitted");
  check_refusal ("turbo", "mystery",
      "1 validation error for Input\nmystery\n  Extra inputs are not permitted");
  check_refusal ("turbo", "request_id", NULL);
  check_refusal ("klein", "schedule_mu", NULL);
}

int
main (int argc, char **argv)
{
  gst_init (NULL, NULL);
  g_test_init (&argc, &argv, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (type_rows); i++) {
    g_autofree gchar *name =
        g_strdup_printf ("/schemas/wrong-type/%s-%s", type_rows[i].schema, type_rows[i].field);

    g_test_add_data_func (name, &type_rows[i], test_type);
  }
  FAL_FIXTURE_ADD_ROWS ("/schemas/krea-refuses", frame_rows, test_krea_refuses);
  g_test_add_func ("/schemas/sync-mode-brings-a-data-uri", test_sync_mode_brings_a_data_uri);
  g_test_add_func ("/schemas/portrait-takes-its-state-back", test_portrait_takes_its_state_back);
  g_test_add_func ("/schemas/portrait-needs-its-state-back", test_portrait_needs_its_state_back);
  g_test_add_func ("/schemas/portrait-begins-with-a-picture-on-each-connection",
      test_portrait_begins_with_a_picture_on_each_connection);
  g_test_add_func ("/schemas/krea-answers-blocks", test_krea_answers_blocks);
  g_test_add_func ("/schemas/krea-refuses-both-at-once", test_krea_refuses_both_at_once);
  g_test_add_func (
      "/schemas/krea-hears-nothing-before-it-is-ready", test_krea_hears_nothing_before_it_is_ready);
  g_test_add_func ("/schemas/birefnet-takes-a-background", test_birefnet_takes_a_background);
  g_test_add_data_func (
      "/schemas/birefnet-wants-a-colour/named", "green", test_birefnet_wants_a_colour);
  g_test_add_data_func (
      "/schemas/birefnet-wants-a-colour/longer", "#20C04000", test_birefnet_wants_a_colour);
  g_test_add_func ("/schemas/unknown-fields-are-refused", test_unknown_fields_are_refused);
  return g_test_run ();
}
