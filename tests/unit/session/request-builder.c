/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which inputs a request has, and in which field its picture is. */
#include "fal/session/request-builder.h"
#include "fal/wire/value-json.h"
#include "fal/wire/value-msgpack.h"
#include "../settings/make-settings.h"

/* @cue (taken): the inputs of its cue, or NULL. */
static GstSample *
make_picture (GstStructure *cue)
{
  /* Start, frame header of 1 × 1, scan header, end. */
  static const guint8 jpeg[] = { 0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0, 1, 0, 1, 1, 1, 0x11, 0, 0xff,
    0xda, 0, 8, 1, 1, 0, 0, 0, 0, 0xff, 0xd9 };
  g_autoptr (GstBuffer) buffer = gst_buffer_new_memdup (jpeg, sizeof jpeg);
  g_autoptr (GstCaps) caps = gst_caps_new_empty_simple ("image/jpeg");

  return gst_sample_new (buffer, caps, NULL, cue);
}

static FalRequestBuilder *
make_builder (FalSettings *settings)
{
  FalRequestBuilder *builder = fal_request_builder_new ();
  g_autoptr (GError) error = NULL;

  g_assert_true (fal_request_builder_set_settings (builder, settings, &error));
  g_assert_no_error (error);
  return builder;
}

static GBytes *
build (FalRequestBuilder *builder, FalRequestParts parts)
{
  g_autoptr (GstSample) sample = make_picture (NULL);
  g_autoptr (GError) error = NULL;
  GBytes *message;

  if (parts.sample == NULL)
    parts.sample = sample;
  message = fal_request_builder_build (builder, &parts, &error);
  g_assert_no_error (error);
  return message;
}

static void
assert_map (const GstStructure *map, const gchar *wanted)
{
  g_autofree gchar *json = fal_value_to_json (map, NULL);
  g_autoptr (GstStructure) is = fal_value_from_json (json, -1, NULL);
  g_autoptr (GstStructure) should = fal_value_from_json (wanted, -1, NULL);

  g_test_message ("%s", json);
  g_assert_nonnull (should);
  g_assert_true (gst_structure_is_equal (is, should));
}

static void
assert_next_request (FalRequestBuilder *builder, FalRequestParts parts, const gchar *wanted)
{
  g_autoptr (GBytes) message = build (builder, parts);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstStructure) map = fal_value_from_msgpack (message, NULL, &error);

  g_assert_no_error (error);
  assert_map (map, wanted);
}

static void
assert_request (FalSettings *settings, FalRequestParts parts, const gchar *wanted)
{
  g_autoptr (FalRequestBuilder) builder = make_builder (settings);

  assert_next_request (builder, parts, wanted);
}

#define PICTURE "\"/9j/wAALCAABAAEBAREA/9oACAEBAAAAAP/Z\""

static void
test_start_fields_go_first_alone (void)
{
  g_autoptr (FalSettings) settings = make_settings ("app", "a/b", "image-field", "image",
      "image-encoding", "bytes", "start-fields", "\"prompt, size\"", "parameters-json",
      "\"{\\\"prompt\\\":\\\"x\\\",\\\"size\\\":2,\\\"steps\\\":4}\"", NULL);

  assert_request (settings, (FalRequestParts){ .first = TRUE },
      "{\"prompt\":\"x\",\"size\":2,\"steps\":4,\"image\":" PICTURE "}");
  assert_request (settings, (FalRequestParts){ 0 }, "{\"steps\":4,\"image\":" PICTURE "}");
}

static void
test_a_start_field_may_carry_the_picture (void)
{
  g_autoptr (FalSettings) settings = make_settings ("app", "fal-ai/krea-wan-14b", NULL);

  assert_request (settings, (FalRequestParts){ .first = TRUE }, "{\"start_frame\":" PICTURE "}");
  assert_request (settings, (FalRequestParts){ 0 }, "{\"image\":" PICTURE "}");
}

static void
test_inputs_have_an_order (void)
{
  g_autoptr (FalSettings) settings = make_settings ("app", "fal-ai/birefnet", "prompt", "named",
      "parameters", "\"p,prompt=flat,a=flat\"", "parameters-json",
      "\"{\\\"prompt\\\":\\\"json\\\",\\\"a\\\":\\\"json\\\",\\\"b\\\":\\\"json\\\"}\"", NULL);
  g_autoptr (GstStructure) feedback = gst_structure_from_string ("f,b=fed,c=fed", NULL);
  g_autoptr (GstStructure) inputs = gst_structure_from_string ("i,c=once", NULL);

  assert_request (settings, (FalRequestParts){ 0 },
      "{\"prompt\":\"named\",\"a\":\"flat\",\"b\":\"json\",\"image_bytes\":" PICTURE "}");
  assert_request (settings, (FalRequestParts){ .feedback = feedback, .inputs = inputs },
      "{\"prompt\":\"named\",\"a\":\"flat\",\"b\":\"fed\",\"c\":\"once\",\"image_bytes\":" PICTURE
      "}");
}

static void
test_a_cue_goes_over_all_but_send (void)
{
  g_autoptr (FalSettings) settings = make_settings (
      "app", "fal-ai/birefnet", "prompt", "named", "parameters", "\"p,a=flat,b=flat\"", NULL);
  g_autoptr (FalRequestBuilder) builder = make_builder (settings);
  g_autoptr (GstStructure) feedback = gst_structure_from_string ("f,a=fed,c=fed", NULL);
  g_autoptr (GstStructure) inputs = gst_structure_from_string ("i,b=once", NULL);
  g_autoptr (GstSample) sample =
      make_picture (gst_structure_from_string ("c,prompt=cue,a=cue,b=cue", NULL));

  assert_next_request (builder, (FalRequestParts){ .sample = sample },
      "{\"prompt\":\"cue\",\"a\":\"cue\",\"b\":\"cue\",\"image_bytes\":" PICTURE "}");
  assert_next_request (builder,
      (FalRequestParts){ .sample = sample, .feedback = feedback, .inputs = inputs },
      "{\"prompt\":\"cue\",\"a\":\"cue\",\"b\":\"once\",\"c\":\"fed\",\"image_bytes\":" PICTURE
      "}");
  assert_next_request (builder, (FalRequestParts){ 0 },
      "{\"prompt\":\"named\",\"a\":\"flat\",\"b\":\"flat\",\"image_bytes\":" PICTURE "}");
}

static void
test_feedback_is_picked_by_name (void)
{
  g_autoptr (GstStructure) fields =
      fal_value_from_json ("{\"r_d_0\":[1,2.5],\"x\":{\"y\":{\"z\":3}},\"seed\":9}", -1, NULL);
  g_autoptr (GstStructure) picked = fal_request_builder_pick (fields, "r_d_0, x.y ,missing,,");
  g_autofree gchar *json = fal_value_to_json (picked, NULL);

  g_assert_cmpstr (json, ==, "{\"r_d_0\":[1,2.5],\"x\":{\"y\":{\"z\":3}}}");
  g_assert_null (fal_request_builder_pick (fields, "missing"));
  g_assert_null (fal_request_builder_pick (NULL, "seed"));
}

static void
test_a_request_leaves_no_trace_in_the_next (void)
{
  g_autoptr (FalSettings) settings = make_settings ("app", "fal-ai/birefnet", "start-fields",
      "size", "parameters-json", "\"{\\\"size\\\":2,\\\"steps\\\":4}\"", NULL);
  g_autoptr (FalRequestBuilder) builder = make_builder (settings);
  g_autoptr (GstStructure) inputs =
      gst_structure_from_string ("i,steps=(gint64)8,size=(gint64)3", NULL);

  assert_next_request (builder, (FalRequestParts){ .first = TRUE },
      "{\"size\":2,\"steps\":4,\"image_bytes\":" PICTURE "}");
  assert_next_request (builder, (FalRequestParts){ .inputs = inputs, .request_id = "7" },
      "{\"steps\":8,\"image_bytes\":" PICTURE ",\"request_id\":\"7\"}");
  assert_next_request (
      builder, (FalRequestParts){ 0 }, "{\"steps\":4,\"image_bytes\":" PICTURE "}");
  assert_next_request (builder, (FalRequestParts){ .first = TRUE, .inputs = inputs },
      "{\"size\":3,\"steps\":8,\"image_bytes\":" PICTURE "}");
}

static void
test_start_fields_follow_the_settings (void)
{
  g_autoptr (FalSettings) none = make_settings ("app", "fal-ai/birefnet", "prompt", "x", NULL);
  g_autoptr (FalSettings) one = settings_with (none, "start-fields", "prompt");
  g_autoptr (FalRequestBuilder) builder = make_builder (none);

  assert_next_request (
      builder, (FalRequestParts){ 0 }, "{\"prompt\":\"x\",\"image_bytes\":" PICTURE "}");
  g_assert_true (fal_request_builder_set_settings (builder, one, NULL));
  assert_next_request (builder, (FalRequestParts){ 0 }, "{\"image_bytes\":" PICTURE "}");
}

/* Checks what the application gets, and encodes the request as one byte. */
static GBytes *
encode_as_one_byte (gpointer user, GstStructure *request, GBytes *image)
{
  gboolean *encodes = user;

  assert_map (request, "{\"prompt\":\"x\",\"request_id\":\"7\"}");
  g_assert_cmpuint (g_bytes_get_size (image), ==, 27);
  return *encodes ? g_bytes_new_static ("1", 1) : NULL;
}

static void
test_an_application_may_encode (void)
{
  g_autoptr (FalSettings) settings = make_settings ("app", "fal-ai/birefnet", "prompt", "x", NULL);
  g_autoptr (FalRequestBuilder) builder = make_builder (settings);
  gboolean encodes = TRUE;
  FalRequestParts parts = { .request_id = "7", .encode = encode_as_one_byte, .user = &encodes };
  g_autoptr (GBytes) message = build (builder, parts);

  g_assert_cmpmem (g_bytes_get_data (message, NULL), g_bytes_get_size (message), "1", 1);
  encodes = FALSE;
  assert_next_request (
      builder, parts, "{\"prompt\":\"x\",\"image_bytes\":" PICTURE ",\"request_id\":\"7\"}");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  install_properties ();
#define ADD(name, function) g_test_add_func ("/request-builder/" name, function)
  ADD ("start-fields-go-first-alone", test_start_fields_go_first_alone);
  ADD ("a-start-field-may-carry-the-picture", test_a_start_field_may_carry_the_picture);
  ADD ("inputs-have-an-order", test_inputs_have_an_order);
  ADD ("a-cue-goes-over-all-but-send", test_a_cue_goes_over_all_but_send);
  ADD ("feedback-is-picked-by-name", test_feedback_is_picked_by_name);
  ADD ("a-request-leaves-no-trace-in-the-next", test_a_request_leaves_no_trace_in_the_next);
  ADD ("start-fields-follow-the-settings", test_start_fields_follow_the_settings);
  ADD ("an-application-may-encode", test_an_application_may_encode);
  return g_test_run ();
}
