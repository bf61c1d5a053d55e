/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ways an application takes part: messages its own way, results, actions. */
#include "fal/wire/value-msgpack.h"
#include "fixture.h"
#include <string.h>

static GstStructure *
pop_request (Fixture *f)
{
  GstStructure *request = fal_server_pop_request (f->server, WATCHDOG_SECONDS * 1000);

  g_assert_nonnull (request);
  return request;
}

/* ---- results ---- */

/* Runs before the buffer goes out, on its thread. */
static void
keep_result (GstElement *element, const GstStructure *result, GstStructure **kept)
{
  g_clear_pointer (kept, gst_structure_free);
  *kept = gst_structure_copy (result);
}

static void
assert_told (const GstStructure *told)
{
  gint64 seed, sent, received;
  gdouble round_trip;
  guint index, count;

  g_assert_true (gst_structure_get_int64 (told, "seed", &seed));
  g_assert_cmpint (seed, ==, 7);
  g_assert_true (gst_structure_get_int64 (told, "sent", &sent));
  g_assert_true (gst_structure_get_int64 (told, "received", &received));
  g_assert_cmpint (received, >, sent);
  g_assert_true (gst_structure_get_double (told, "round-trip", &round_trip));
  g_assert_cmpfloat (round_trip, ==, (received - sent) / 1000.0);
  g_assert_true (gst_structure_get_uint (told, "image-index", &index));
  g_assert_true (gst_structure_get_uint (told, "image-count", &count));
  g_assert_cmpuint (index, ==, 0);
  g_assert_cmpuint (count, ==, 1);
  g_assert_cmpstr (gst_structure_get_string (told, "request-id"), ==, "frame-1");
  g_assert_false (gst_structure_has_field (told, "request_id")); /* the same once more */
}

/* The next element message of this name; NULL: there is none among those that were posted. */
static GstMessage *
pop_message (Fixture *f, const gchar *name)
{
  GstMessage *message;

  while ((message = gst_bus_pop_filtered (f->bus, GST_MESSAGE_ELEMENT)) != NULL) {
    if (gst_message_has_name (message, name))
      return message;
    gst_message_unref (message);
  }
  return NULL;
}

static void
test_result (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, "seed=7");
  g_autoptr (GstStructure) told = NULL;
  g_autoptr (GstBuffer) buffer = NULL;
  g_autoptr (GstMessage) message = NULL;
  GstCustomMeta *meta;

  g_signal_connect (f->element, "result", G_CALLBACK (keep_result), &told);
  fixture_set_size (f, 32, 32);
  fixture_push_colour (f, 0x204060, 0);
  buffer = fixture_pull (f);
  assert_told (told);
  g_assert_cmpstr (gst_structure_get_name (told), ==, "fal-result");
  meta = gst_buffer_get_custom_meta (buffer, "GstFalResultMeta");
  g_assert_nonnull (meta);
  assert_told (gst_custom_meta_get_structure (meta));
  message = pop_message (f, "fal-result");
  g_assert_nonnull (message);
  assert_told (gst_message_get_structure (message));
}

static void
test_result_messages_can_be_left_out (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, "post-messages=false");

  fixture_set_size (f, 32, 32);
  fixture_push_colour (f, 0x204060, 0);
  gst_buffer_unref (fixture_pull (f));
  g_assert_null (pop_message (f, "fal-result"));
}

static void
test_connection_messages (void)
{
  static const gchar *const states[] = { "connecting", "warming-up", "connected" };
  g_autoptr (Fixture) f = fixture_new (NULL, NULL);

  fixture_set_size (f, 32, 32);
  fixture_push_colour (f, 0x204060, 0);
  gst_buffer_unref (fixture_pull (f));
  for (guint i = 0; i < G_N_ELEMENTS (states); i++) {
    g_autoptr (GstMessage) message = NULL;
    g_autofree gchar *state = NULL;

    do {
      gst_clear_message (&message);
      message = fixture_wait_for_message (f, GST_MESSAGE_ELEMENT);
    } while (!gst_message_has_name (message, "fal-connection"));
    state = gst_value_serialize (
        gst_structure_get_value (gst_message_get_structure (message), "state"));
    g_assert_cmpstr (state, ==, states[i]);
  }
}

/* What a warning says of a request that failed. */
static void
test_details (void)
{
  static const gchar text[] =
      "{\"status\":\"error\",\"error\":\"Bad prompt\",\"request_id\":\"frame-1\"}";
  g_autoptr (Fixture) f = fixture_new (NULL, NULL);
  g_autoptr (GBytes) answer = g_bytes_new_static (text, strlen (text));
  g_autoptr (GstMessage) message = NULL;
  const GstStructure *details;

  fal_server_set_answer (f->server, answer, TRUE);
  fixture_set_size (f, 32, 32);
  fixture_push_colour (f, 0x204060, 0);
  message = fixture_wait_for_message (f, GST_MESSAGE_WARNING);
  gst_message_parse_warning_details (message, &details);
  g_assert_nonnull (details);
  g_assert_cmpstr (gst_structure_get_string (details, "error"), ==, "Bad prompt");
  g_assert_cmpstr (gst_structure_get_string (details, "request-id"), ==, "frame-1");
  g_assert_true (g_str_has_suffix (
      gst_structure_get_string (details, "endpoint"), "/test/app/image/realtime"));
}

/* ---- messages another way ---- */

/* Its picture under another name, and one more field. */
static GBytes *
encode_my_way (GstElement *element, GstStructure *request, GBytes *image, guint *calls)
{
  g_autoptr (GstStructure) map = gst_structure_copy (request);

  (*calls)++;
  gst_structure_set (
      map, "image_bytes", G_TYPE_BYTES, image, "flavour", G_TYPE_STRING, "mine", NULL);
  return fal_value_to_msgpack (map, NULL);
}

static void
test_encode_message (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, "prompt=mine");
  g_autoptr (GstStructure) request = NULL;
  guint calls = 0;

  g_signal_connect (f->element, "encode-message", G_CALLBACK (encode_my_way), &calls);
  fixture_set_size (f, 32, 32);
  fixture_push_colour (f, 0x204060, 0);
  request = pop_request (f);
  g_assert_cmpuint (calls, ==, 1);
  g_assert_cmpstr (gst_structure_get_string (request, "prompt"), ==, "mine");
  g_assert_cmpstr (gst_structure_get_string (request, "request_id"), ==, "frame-1");
  g_assert_cmpstr (gst_structure_get_string (request, "flavour"), ==, "mine");
  gst_buffer_unref (fixture_pull (f));
}

static GBytes *
encode_not (GstElement *element, GstStructure *request, GBytes *image, gpointer data)
{
  return NULL;
}

static void
test_encode_message_may_decline (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, NULL);
  g_autoptr (GstStructure) request = NULL;

  g_signal_connect (f->element, "encode-message", G_CALLBACK (encode_not), NULL);
  fixture_set_size (f, 32, 32);
  fixture_push_colour (f, 0x204060, 0);
  request = pop_request (f);
  g_assert_true (gst_structure_has_field_typed (request, "image_bytes", G_TYPE_BYTES));
}

/* The server answers with something of its own: "P", the id's length, the id, a JPEG. */
static GstStructure *
decode_my_way (GstElement *element, GBytes *message, gboolean text, guint *calls)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (message, &size);
  g_autoptr (GBytes) picture = NULL;
  g_autofree gchar *id = NULL;

  (*calls)++;
  if (text || size < 2 || data[0] != 'P')
    return NULL;
  id = g_strndup ((const gchar *) data + 2, data[1]);
  picture = g_bytes_new_from_bytes (message, 2 + data[1], size - 2 - data[1]);
  return gst_structure_new ("map", "request_id", G_TYPE_STRING, id, "image", G_TYPE_BYTES, picture,
      "flavour", G_TYPE_STRING, "mine", NULL);
}

/* What a request of the element carried as its picture. */
static GBytes *
take_picture (const GstStructure *request)
{
  GBytes *image = NULL;

  gst_structure_get (request, "image_bytes", G_TYPE_BYTES, &image, NULL);
  g_assert_nonnull (image);
  return image;
}

static void
test_decode_message (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, NULL);
  g_autoptr (GstStructure) request = NULL, told = NULL;
  g_autoptr (GBytes) image = NULL, message = NULL;
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autoptr (GstBuffer) buffer = NULL;
  guint calls = 0;

  fal_server_set_mute (f->server, TRUE);
  g_signal_connect (f->element, "decode-message", G_CALLBACK (decode_my_way), &calls);
  g_signal_connect (f->element, "result", G_CALLBACK (keep_result), &told);
  fixture_set_size (f, 32, 32);
  fixture_push_colour (f, 0x204060, 0);
  request = pop_request (f);
  image = take_picture (request);
  g_byte_array_append (bytes,
      (const guint8 *) "P\x07"
                       "frame-1",
      9);
  g_byte_array_append (bytes, g_bytes_get_data (image, NULL), g_bytes_get_size (image));
  message = g_byte_array_free_to_bytes (g_steal_pointer (&bytes));
  fal_server_send (f->server, message, FALSE);
  buffer = fixture_pull (f);
  g_assert_cmpuint (calls, ==, 1);
  g_assert_cmpstr (gst_structure_get_string (told, "flavour"), ==, "mine");
  assert_colour (fixture_colour (f, buffer), 0x204060, 8);
}

/* ---- actions ---- */

static void
test_send (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "throttle-interval=3600000 prompt=one");
  g_autoptr (GstStructure) inputs = gst_structure_new ("p", "prompt", G_TYPE_STRING, "two", NULL);
  gboolean sent;

  fixture_set_size (f, 32, 32);
  g_signal_emit_by_name (f->element, "send", NULL, &sent);
  g_assert_false (sent); /* no frame came yet */
  fixture_push_colour (f, 0x204060, 0);
  gst_buffer_unref (fixture_pull (f));
  for (guint round = 0; round < 2; round++) {
    g_signal_emit_by_name (f->element, "send", round == 0 ? inputs : NULL, &sent);
    g_assert_true (sent);
    gst_buffer_unref (fixture_pull (f));
  }
  for (guint i = 0; i < 3; i++) {
    g_autoptr (GstStructure) request = pop_request (f);

    g_assert_cmpstr (gst_structure_get_string (request, "prompt"), ==, i == 1 ? "two" : "one");
  }
}

/* No result could come out any more. */
static void
test_send_after_the_end (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, NULL);
  gboolean sent;

  fixture_set_size (f, 32, 32);
  fixture_push_colour (f, 0x204060, 0);
  gst_buffer_unref (fixture_pull (f));
  g_assert_true (gst_harness_push_event (f->harness, gst_event_new_eos ()));
  g_signal_emit_by_name (f->element, "send", NULL, &sent);
  g_assert_false (sent);
  gst_event_unref (fixture_wait_for_event (f, GST_EVENT_EOS));
  g_signal_emit_by_name (f->element, "send", NULL, &sent);
  g_assert_false (sent);
  g_assert_cmpuint (fixture_stat (f, "frames-sent"), ==, 1);
}

/* It goes in place of the throttle, not beside it. */
static void
test_send_takes_the_waiting_frame (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "throttle-interval=3600000");
  g_autoptr (GstBuffer) buffer = NULL;
  gboolean sent;

  fixture_set_size (f, 32, 32);
  fixture_push_colour (f, 0x204060, 0);
  gst_buffer_unref (fixture_pull (f));
  fixture_push_colour (f, 0x204060, 1);
  fixture_push_colour (f, 0x204060, 2);
  g_signal_emit_by_name (f->element, "send", NULL, &sent);
  g_assert_true (sent);
  buffer = fixture_pull (f);
  g_assert_cmpuint (fixture_stat (f, "frames-in"), ==, 3);
  g_assert_cmpuint (fixture_stat (f, "frames-sent"), ==, 2);
  g_assert_cmpuint (fixture_stat (f, "frames-waiting"), ==, 0);
}

/* Those of the frame that waited are for the one that takes its place. */
static void
test_send_keeps_its_inputs_for_a_newer_frame (void)
{
  g_autoptr (Fixture) f =
      fixture_new_live (NULL, "throttle-interval=3600000 max-in-flight=1 prompt=one");
  g_autoptr (GstStructure) inputs = gst_structure_new ("p", "prompt", G_TYPE_STRING, "two", NULL);
  g_autoptr (GstStructure) first = NULL, second = NULL;
  gboolean sent;

  fal_server_set_mute (f->server, TRUE); /* so there is no place for a second request */
  fixture_set_size (f, 32, 32);
  fixture_push_colour (f, 0x204060, 0);
  first = pop_request (f);
  fixture_push_colour (f, 0x204060, 1);
  g_signal_emit_by_name (f->element, "send", inputs, &sent);
  g_assert_true (sent);
  fixture_push_colour (f, 0x204060, 2);
  fixture_wait_for_stat (f, "frames-in", 3);
  g_object_set (f->element, "max-in-flight", 2, NULL);
  second = pop_request (f);
  g_assert_cmpstr (gst_structure_get_string (second, "prompt"), ==, "two");
  g_assert_cmpuint (fixture_stat (f, "frames-waiting"), ==, 0);
}

/* Where more than one may wait, too: then they are for the one that goes next. */
static void
test_send_keeps_its_inputs_among_frames_that_wait (void)
{
  g_autoptr (Fixture) f = fixture_new_live (
      NULL, "throttle-interval=3600000 max-in-flight=1 max-buffering=2 prompt=one");
  g_autoptr (GstStructure) inputs = gst_structure_new ("p", "prompt", G_TYPE_STRING, "two", NULL);
  g_autoptr (GstStructure) first = NULL, second = NULL;
  gboolean sent;

  fal_server_set_mute (f->server, TRUE); /* so there is no place for a second request */
  fixture_set_size (f, 32, 32);
  fixture_push_colour (f, 0x204060, 0);
  first = pop_request (f);
  fixture_push_colour (f, 0x204060, 1);
  g_signal_emit_by_name (f->element, "send", inputs, &sent);
  g_assert_true (sent);
  fixture_push_colour (f, 0x204060, 2);
  fixture_push_colour (f, 0x204060, 3);
  fixture_wait_for_stat (f, "frames-in", 4);
  g_object_set (f->element, "max-in-flight", 2, NULL);
  second = pop_request (f);
  g_assert_cmpstr (gst_structure_get_string (second, "prompt"), ==, "two");
}

static void
test_reconnect (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, NULL);

  fixture_set_size (f, 32, 32);
  fixture_push_colour (f, 0x204060, 0);
  gst_buffer_unref (fixture_pull (f));
  g_signal_emit_by_name (f->element, "reconnect");
  fixture_wait_for_stat (f, "connections", 2);
  fixture_push_colour (f, 0x204060, 1);
  gst_buffer_unref (fixture_pull (f));
  g_assert_cmpuint (fal_server_get_connections (f->server), ==, 2);
  fixture_expect_no_message (f);
}

static void
test_close (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, NULL);

  fixture_set_size (f, 32, 32);
  fixture_push_colour (f, 0x204060, 0);
  gst_buffer_unref (fixture_pull (f));
  g_signal_emit_by_name (f->element, "close");
  fixture_wait_until_closed (f);
  g_assert_cmpuint (fal_server_get_connections (f->server), ==, 1);
  fixture_push_colour (f, 0x204060, 1);
  gst_buffer_unref (fixture_pull (f));
  g_assert_cmpuint (fal_server_get_connections (f->server), ==, 2);
  fixture_expect_no_message (f);
}

static void
test_clear (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "throttle-interval=3600000 max-buffering=3");

  fixture_set_size (f, 32, 32);
  fixture_push_colour (f, 0x204060, 0);
  gst_buffer_unref (fixture_pull (f));
  fixture_push_colour (f, 0x204060, 1);
  fixture_push_colour (f, 0x204060, 2);
  g_assert_cmpuint (fixture_stat (f, "frames-waiting"), ==, 2);
  g_signal_emit_by_name (f->element, "clear");
  g_assert_cmpuint (fixture_stat (f, "frames-waiting"), ==, 0);
  g_assert_cmpuint (fixture_stat (f, "dropped-flushed"), ==, 2);
  fixture_push_colour (f, 0x204060, 3);
  gst_buffer_unref (fixture_pull (f));
  g_assert_cmpuint (fal_server_get_connections (f->server), ==, 1);
}

static gboolean
unset (Fixture *f, const gchar *property)
{
  gboolean unset;

  g_signal_emit_by_name (f->element, "unset", property, &unset);
  return unset;
}

/* What was set is not sent any more from the next request on, and its default does not go in its
 * place. */
static void
test_unset (void)
{
  static const struct {
    const gchar *property, *value, *field;
  } rows[] = {
    { "prompt", "a boat", "prompt" },
    { "negative-prompt", "a car", "negative_prompt" },
    { "seed", "7", "seed" },
    { "num-inference-steps", "3", "num_inference_steps" },
    { "strength", "0.25", "strength" },
    { "guidance-scale", "2", "guidance_scale" },
    { "parameters", "p,a=(int)1", "a" },
    { "parameters-json", "{\"b\":1}", "b" },
  };
  g_autoptr (Fixture) f = fixture_new (NULL, NULL);
  guint n = 0;

  fixture_set_size (f, 32, 32);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GstStructure) with = NULL, without = NULL;

    g_test_message ("%s", rows[i].property);
    gst_util_set_object_arg (G_OBJECT (f->element), rows[i].property, rows[i].value);
    fixture_push_and_pull (f, n++);
    with = pop_request (f);
    g_assert_true (gst_structure_has_field (with, rows[i].field));
    g_assert_true (unset (f, rows[i].property));
    fixture_push_and_pull (f, n++);
    without = pop_request (f);
    g_assert_false (gst_structure_has_field (without, rows[i].field));
    g_assert_true (unset (f, rows[i].property)); /* already */
  }
}

static void
note_change (GObject *element, GParamSpec *spec, guint *changes)
{
  (*changes)++;
}

static void
test_unset_is_notified (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, "strength=0.25");
  guint changes = 0;
  gdouble strength;

  g_signal_connect (f->element, "notify::strength", G_CALLBACK (note_change), &changes);
  g_assert_true (unset (f, "strength"));
  g_assert_cmpuint (changes, ==, 1);
  g_object_get (f->element, "strength", &strength, NULL);
  g_assert_cmpfloat (strength, ==, 0.5);
}

/* Nor does it change anything. */
static void
test_only_inputs_can_be_unset (void)
{
  static const gchar *const names[] = { "", "sed", "enabled", "width", "api-key", "stats", "name",
    "parent", NULL };
  g_autoptr (Fixture) f = fixture_new (NULL, "seed=7 width=64");
  guint width;

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    g_assert_false (unset (f, names[i]));
  g_object_get (f->element, "width", &width, NULL);
  g_assert_cmpuint (width, ==, 64);
}

static void
test_reset_stats (void)
{
  static const gchar *const zero[] = { "frames-in", "frames-sent", "answered", "results",
    "frames-out", "connections", "bytes-sent", "bytes-received" };
  g_autoptr (Fixture) f = fixture_new (NULL, NULL);

  fixture_set_size (f, 32, 32);
  for (guint n = 0; n < 3; n++) {
    fixture_push_colour (f, 0x204060, n);
    gst_buffer_unref (fixture_pull (f));
  }
  fixture_wait_for_stat (f, "frames-out", 3);
  g_signal_emit_by_name (f->element, "reset-stats");
  for (guint i = 0; i < G_N_ELEMENTS (zero); i++)
    g_assert_cmpuint (fixture_stat (f, zero[i]), ==, 0);
  fixture_push_colour (f, 0x204060, 3);
  gst_buffer_unref (fixture_pull (f));
  fixture_wait_for_stat (f, "frames-out", 1);
  g_assert_cmpuint (fixture_stat (f, "frames-in"), ==, 1);
  g_assert_cmpuint (fixture_stat (f, "bytes-sent"), >, 0);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
#define ADD(name, function) g_test_add_func ("/signals/" name, function)
  ADD ("result", test_result);
  ADD ("result-messages-can-be-left-out", test_result_messages_can_be_left_out);
  ADD ("connection-messages", test_connection_messages);
  ADD ("details", test_details);
  ADD ("encode-message", test_encode_message);
  ADD ("encode-message-may-decline", test_encode_message_may_decline);
  ADD ("decode-message", test_decode_message);
  ADD ("send", test_send);
  ADD ("send-after-the-end", test_send_after_the_end);
  ADD ("send-takes-the-waiting-frame", test_send_takes_the_waiting_frame);
  ADD ("send-keeps-its-inputs-for-a-newer-frame", test_send_keeps_its_inputs_for_a_newer_frame);
  ADD ("send-keeps-its-inputs-among-frames-that-wait",
      test_send_keeps_its_inputs_among_frames_that_wait);
  ADD ("reconnect", test_reconnect);
  ADD ("close", test_close);
  ADD ("clear", test_clear);
  ADD ("unset", test_unset);
  ADD ("unset-is-notified", test_unset_is_notified);
  ADD ("only-inputs-can-be-unset", test_only_inputs_can_be_unset);
  ADD ("reset-stats", test_reset_stats);
  return fixture_run ();
}
