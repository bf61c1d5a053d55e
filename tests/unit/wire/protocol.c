/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests byte by byte, and replies of every type, captured ones and hostile ones. */
#include "fal/wire/protocol.h"

#include <gio/gio.h>
#include <string.h>

#include "fal/wire/value-json.h"
#include "fal/wire/value-msgpack.h"
#include "wire.h"

static void
assert_bytes (GBytes *bytes, const gchar *expected, gsize size)
{
  g_assert_nonnull (bytes);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), expected, size);
}

static FalReply *
parse (const gchar *data, gsize size, gboolean text, const gchar *result_field, GError **error)
{
  g_autoptr (GBytes) message = g_bytes_new (data, size);

  return fal_protocol_parse_reply (message, text, result_field, NULL, error);
}

static FalReply *
parse_text (const gchar *text, const gchar *result_field, GError **error)
{
  return parse (text, strlen (text), TRUE, result_field, error);
}

/* The same message as msgpack in a binary frame. */
static FalReply *
parse_packed (const gchar *json, GError **error)
{
  g_autoptr (GstStructure) map = fal_value_from_json (json, -1, NULL);
  g_autoptr (GBytes) message = fal_value_to_msgpack (map, NULL);

  return fal_protocol_parse_reply (message, FALSE, NULL, NULL, error);
}

static void
assert_fields (const FalReply *reply, const gchar *expected)
{
  g_autofree gchar *json = fal_value_to_json (reply->fields, NULL);

  g_assert_cmpstr (json, ==, expected);
}

/* ---- Requests ---- */

static const struct {
  const gchar *name;
  const gchar *image_field;
  FalImageEncoding encoding;
} captured_requests[] = {
  { "req_bytes_bytes.bin", "image_bytes", FAL_IMAGE_ENCODING_BYTES },
  { "req_small_bin8.bin", "image_bytes", FAL_IMAGE_ENCODING_BYTES },
  { "req_noecho.bin", "image_bytes", FAL_IMAGE_ENCODING_BYTES },
  { "req_uri_uri.bin", "image_url", FAL_IMAGE_ENCODING_DATA_URI },
  { "req_uri_url.bin", "image_url", FAL_IMAGE_ENCODING_DATA_URI },
  { "req_pydantic_out.bin", NULL, FAL_IMAGE_ENCODING_BYTES },
  { "req_error_model.bin", NULL, FAL_IMAGE_ENCODING_BYTES },
};

/* The picture of a captured request, decoded where it is a data URI. */
static GBytes *
take_captured_image (GstStructure *map, const gchar *field)
{
  const GValue *value = field != NULL ? gst_structure_get_value (map, field) : NULL;
  GBytes *image = NULL;
  gsize size;

  if (value == NULL)
    return NULL;
  if (G_VALUE_HOLDS_STRING (value)) {
    guchar *data = g_base64_decode (strchr (g_value_get_string (value), ',') + 1, &size);

    image = g_bytes_new_take (data, size);
  } else {
    image = g_value_dup_boxed (value);
  }
  gst_structure_remove_field (map, field);
  return image;
}

static void
test_requests_are_those_of_the_reference_client (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (captured_requests); i++) {
    g_autoptr (GBytes) captured = wire_read (captured_requests[i].name);
    g_autoptr (GstStructure) map = fal_value_from_msgpack (captured, NULL, NULL);
    g_autoptr (GBytes) image = take_captured_image (map, captured_requests[i].image_field);
    g_autofree gchar *id = g_strdup (gst_structure_get_string (map, "request_id"));
    g_autoptr (GBytes) encoded = NULL;
    g_autoptr (GError) error = NULL;

    gst_structure_remove_field (map, "request_id");
    encoded = fal_protocol_encode_request (&(FalRequest){ .parameters = map,
                                               .image_field = captured_requests[i].image_field,
                                               .image_encoding = captured_requests[i].encoding,
                                               .image = image,
                                               .media_type = "image/jpeg",
                                               .request_id = id },
        &error);
    g_assert_no_error (error);
    assert_bytes (encoded, g_bytes_get_data (captured, NULL), g_bytes_get_size (captured));
  }
}

static const struct {
  const gchar *field;
  FalImageEncoding encoding;
  FalMessageEncoding message;
  const gchar *id;
  const gchar *wire;
  gsize size;
} requests[] = {
  { "image", FAL_IMAGE_ENCODING_BYTES, FAL_MESSAGE_ENCODING_MSGPACK, NULL,
      WIRE ("\x82\xa6prompt\xa1x\xa5image\xc4\x04\xff\xd8\xff\xe0") },
  { "input.image", FAL_IMAGE_ENCODING_BYTES, FAL_MESSAGE_ENCODING_MSGPACK, "7",
      WIRE ("\x83\xa6prompt\xa1x\xa5input\x81\xa5image\xc4\x04\xff\xd8\xff\xe0\xaarequest_id\xa1"
            "7") },
  { "image", FAL_IMAGE_ENCODING_BASE64, FAL_MESSAGE_ENCODING_MSGPACK, NULL,
      WIRE ("\x82\xa6prompt\xa1x\xa5image\xa8/9j/4A==") },
  { "image", FAL_IMAGE_ENCODING_BASE64, FAL_MESSAGE_ENCODING_JSON, "7",
      WIRE ("{\"prompt\":\"x\",\"image\":\"/9j/4A==\",\"request_id\":\"7\"}") },
  { "image_url", FAL_IMAGE_ENCODING_DATA_URI, FAL_MESSAGE_ENCODING_JSON, NULL,
      WIRE ("{\"prompt\":\"x\",\"image_url\":\"data:image/jpeg;base64,/9j/4A==\"}") },
};

static void
test_a_picture_stands_as_it_was_asked_for (void)
{
  g_autoptr (GstStructure) parameters =
      gst_structure_new ("map", "prompt", G_TYPE_STRING, "x", NULL);
  g_autoptr (GBytes) image = g_bytes_new_static (WIRE ("\xff\xd8\xff\xe0"));

  for (guint i = 0; i < G_N_ELEMENTS (requests); i++) {
    g_autoptr (GBytes) encoded = fal_protocol_encode_request (
        &(FalRequest){ parameters, requests[i].field, requests[i].encoding, image, "image/jpeg",
            requests[i].id, requests[i].message },
        NULL);

    assert_bytes (encoded, requests[i].wire, requests[i].size);
  }
  g_assert_cmpint (gst_structure_n_fields (parameters), ==, 1);
}

/* The inputs, the picture's field, and the message; the id is "7". */
static const struct {
  const gchar *inputs, *field, *json;
} overlaps[] = {
  { "{\"image\":1,\"x\":2}", "image", "{\"image\":\"/9g=\",\"x\":2,\"request_id\":\"7\"}" },
  { "{\"request_id\":1,\"x\":2}", "image", "{\"request_id\":\"7\",\"x\":2,\"image\":\"/9g=\"}" },
  { "{\"a\":{\"b\":1,\"c\":2},\"x\":2}", "a.b",
      "{\"a\":{\"b\":\"/9g=\",\"c\":2},\"x\":2,\"request_id\":\"7\"}" },
  { "{\"a\":1}", "a.b.c", "{\"a\":{\"b\":{\"c\":\"/9g=\"}},\"request_id\":\"7\"}" },
  { "{\"x\":2}", "request_id", "{\"x\":2,\"request_id\":\"7\"}" },
};

static void
test_picture_and_id_stand_where_an_input_of_their_name_stood (void)
{
  g_autoptr (GBytes) image = g_bytes_new_static (WIRE ("\xff\xd8"));

  for (guint i = 0; i < G_N_ELEMENTS (overlaps); i++) {
    g_autoptr (GstStructure) inputs = fal_value_from_json (overlaps[i].inputs, -1, NULL);
    g_autoptr (GBytes) encoded = fal_protocol_encode_request (
        &(FalRequest){ inputs, overlaps[i].field, FAL_IMAGE_ENCODING_BASE64, image, "image/jpeg",
            "7", FAL_MESSAGE_ENCODING_JSON },
        NULL);
    g_autofree gchar *after = fal_value_to_json (inputs, NULL);

    assert_bytes (encoded, overlaps[i].json, strlen (overlaps[i].json));
    g_assert_cmpstr (after, ==, overlaps[i].inputs);
  }
}

static void
test_a_request_may_be_empty (void)
{
  g_autoptr (GBytes) encoded = fal_protocol_encode_request (&(FalRequest){ 0 }, NULL);

  assert_bytes (encoded, WIRE ("\x80"));
}

static void
test_a_parameter_that_cannot_be_sent_is_named (void)
{
  g_autoptr (GstStructure) parameters =
      gst_structure_new ("map", "rate", GST_TYPE_FRACTION, 25, 1, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (fal_protocol_encode_request (&(FalRequest){ .parameters = parameters }, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_assert_nonnull (strstr (error->message, "rate"));
  g_clear_error (&error);
  g_assert_null (fal_protocol_encode_request (
      &(FalRequest) { .parameters = parameters, .encoding = FAL_MESSAGE_ENCODING_JSON }, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_assert_nonnull (strstr (error->message, "rate"));
}

static GBytes *
encode_below (guint n_names, GBytes *image, GError **error)
{
  g_autoptr (GString) field = g_string_new ("a");

  for (guint i = 1; i < n_names; i++)
    g_string_append (field, ".a");
  return fal_protocol_encode_request (
      &(FalRequest) { .image_field = field->str, .image = image, .media_type = "image/jpeg" },
      error);
}

/* A million names were a million calls within one another once. */
static void
test_a_picture_below_too_many_names_is_an_error (void)
{
  static const guint too_many[] = { 1000000, FAL_VALUE_MAX_DEPTH + 1 };
  g_autoptr (GBytes) image = g_bytes_new_static ("picture", 7);
  g_autoptr (GBytes) deepest = encode_below (FAL_VALUE_MAX_DEPTH, image, NULL);

  g_assert_nonnull (deepest);
  for (gsize i = 0; i < G_N_ELEMENTS (too_many); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (encode_below (too_many[i], image, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
    g_assert_nonnull (strstr (error->message, "image-field"));
    g_assert_cmpuint (strlen (error->message), <, 200);
  }
}

/* ---- Control messages ---- */

static const struct {
  const gchar *json;
  FalReplyType type;
  const gchar *error, *reason;
} control[] = {
  { "{\"type\":\"x-fal-error\",\"error\":\"TIMEOUT\",\"reason\":\"no inputs, reconnect when "
    "needed!\"}",
      FAL_REPLY_IDLE, "TIMEOUT", "no inputs, reconnect when needed!" },
  { "{ \"reason\": \"r\", \"error\": \"TIMEOUT\", \"type\": \"x-fal-error\" }", FAL_REPLY_IDLE,
      "TIMEOUT", "r" },
  { "{\"type\":\"x-fal-error\",\"error\":\"INTERNAL_ERROR\",\"reason\":\"\"}", FAL_REPLY_FAILED,
      "INTERNAL_ERROR", "" },
  { "{\"type\":\"x-fal-error\"}", FAL_REPLY_FAILED, NULL, NULL },
  { "{\"type\":\"x-fal-message\",\"action\":\"greetings\"}", FAL_REPLY_OTHER, NULL, NULL },
  { "{\"status\":\"error\",\"error\":\"Unauthorized\"}", FAL_REPLY_UNAUTHORIZED, "Unauthorized",
      NULL },
  { "{\"status\":\"error\",\"error\":\"no inputs, reconnect when needed!\"}", FAL_REPLY_IDLE,
      "no inputs, reconnect when needed!", NULL },
  { "{\"status\":\"error\",\"error\":\"out of memory\"}", FAL_REPLY_FAILED, "out of memory", NULL },
  { "{\"status\":\"ready\"}", FAL_REPLY_READY, NULL, NULL },
  { "{\"type\":\"ready\"}", FAL_REPLY_READY, NULL, NULL },
  { "{\"type\":\"iceservers\",\"iceServers\":[]}", FAL_REPLY_WEBRTC, NULL, NULL },
  { "{\"type\":\"answer\",\"sdp\":\"v=0\"}", FAL_REPLY_WEBRTC, NULL, NULL },
  { "{\"type\":\"icecandidate\"}", FAL_REPLY_WEBRTC, NULL, NULL },
  { "{\"type\":\"something\"}", FAL_REPLY_OTHER, NULL, NULL },
  { "{\"status\":\"warming up\"}", FAL_REPLY_OTHER, NULL, NULL },
  { "{\"detail\":\"image_url is missing\"}", FAL_REPLY_FAILED, NULL, "image_url is missing" },
  { "{\"detail\":[{\"msg\":\"too long\"}]}", FAL_REPLY_FAILED, NULL,
      "{\"detail\":[{\"msg\":\"too long\"}]}" },
  { "{\"error\":\"bad prompt\"}", FAL_REPLY_FAILED, "bad prompt", NULL },
  { "{\"error\":null,\"detail\":false}", FAL_REPLY_RESULT, NULL, NULL },
  { "{\"error\":true}", FAL_REPLY_FAILED, "{\"error\":true}", NULL },
  { "{\"error\":\"\",\"detail\":\"\"}", FAL_REPLY_RESULT, "", "" },
  { "{\"seed\":7}", FAL_REPLY_RESULT, NULL, NULL },
  { "{}", FAL_REPLY_RESULT, NULL, NULL },
};

static void
test_control_messages_are_known_in_either_form (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (control); i++) {
    g_autoptr (FalReply) text = parse_text (control[i].json, NULL, NULL);
    g_autoptr (FalReply) packed = parse_packed (control[i].json, NULL);
    g_autoptr (FalReply) json =
        parse (control[i].json, strlen (control[i].json), FALSE, NULL, NULL);
    const FalReply *replies[] = { text, packed, json };

    for (guint form = 0; form < G_N_ELEMENTS (replies); form++) {
      g_assert_nonnull (replies[form]);
      g_assert_cmpint (replies[form]->type, ==, control[i].type);
      g_assert_cmpstr (replies[form]->error, ==, control[i].error);
      g_assert_cmpstr (replies[form]->reason, ==, control[i].reason);
      g_assert_cmpuint (replies[form]->images->len, ==, 0);
      g_assert_nonnull (replies[form]->fields);
    }
  }
}

/* ---- messages that are no results, and replies that nobody can read ---- */

static void
test_an_empty_message_says_nothing (void)
{
  g_autoptr (FalReply) binary = parse ("", 0, FALSE, NULL, NULL);
  g_autoptr (FalReply) text = parse ("", 0, TRUE, NULL, NULL);

  g_assert_cmpint (binary->type, ==, FAL_REPLY_OTHER);
  g_assert_cmpint (text->type, ==, FAL_REPLY_OTHER);
}

static const struct {
  const gchar *json, *field;
  gboolean names_pictures;
} maps_without_picture[] = {
  { "{\"progress\":0.3}", NULL, FALSE },
  { "{\"message\":\"done\",\"timings\":{\"inference\":0.01}}", NULL, FALSE },
  { "{}", NULL, FALSE },
  { "{\"images\":[]}", NULL, TRUE },
  { "{\"image\":null}", "auto", TRUE },
  { "{\"out\":{\"frame\":null}}", "out.frame", TRUE },
  { "{\"images\":[]}", "out[0].frame", FALSE },
  /* Under a name that nobody looks at. */
  { "{\"output\":[{\"url\":\"data:image/png;base64,YWJj\"}]}", NULL, TRUE },
};

static void
test_a_map_without_picture_may_be_no_result (void)
{
  g_autoptr (FalReply) bytes = parse ("\x81\xa1o\xc4\x01x", 6, FALSE, NULL, NULL);

  g_assert_true (bytes->names_pictures);
  for (guint i = 0; i < G_N_ELEMENTS (maps_without_picture); i++) {
    g_autoptr (FalReply) reply =
        parse_text (maps_without_picture[i].json, maps_without_picture[i].field, NULL);

    g_assert_cmpint (reply->type, ==, FAL_REPLY_RESULT);
    g_assert_cmpuint (reply->images->len, ==, 0);
    g_assert_cmpint (reply->names_pictures, ==, maps_without_picture[i].names_pictures);
  }
}

static const struct {
  const gchar *bytes;
  gsize size;
  const gchar *id;
} unreadable[] = {
#define ROW(bytes, id)                                                                             \
  {                                                                                                \
    bytes, sizeof (bytes) - 1, id                                                                  \
  }
  ROW ("", NULL), ROW ("\xc1", NULL),
  ROW ("\x81\xaarequest_id\xa7"
       "frame-1xx",
      "frame-1"),
  ROW ("\x82\xaarequest_id\xd9\x08"
       "frame-12\xa6images\xdd\xff",
      "frame-12"),
  ROW ("\x81\xaarequest_id\xa7"
       "frame",
      NULL), /* cut off */
  ROW ("\x81\xaarequest_id\x07", NULL), ROW ("\x81\xaarequest_id", NULL),
  ROW ("\x82\xaarequest_id\x07\xa1k", NULL), /* a number */
  ROW ("RIFF\1\2\3\4WAVE\xaarequest_id\xa1y", "y"),
  ROW ("{\"images\":[{\"url\":\"data:text/html,hi\"}],\"request_id\":\"frame-3\"}", "frame-3"),
  ROW ("{\"request_id\" : \"frame-4\",\"images\":[", "frame-4"),
  ROW ("{\"request_id\":\"frame-4", NULL), ROW ("{\"request_id\" : ", NULL),
  ROW ("{\"request_id\":\"frame\\u002d4\",\"images\":[",
      NULL),                                               /* a part of it would be another id */
  ROW ("request_request_id\xa1\xff request_id\xa1x", "x"), /* the first is no text */
};

static void
test_the_id_of_an_unreadable_reply_is_made_out (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (unreadable); i++) {
    g_autoptr (GBytes) message = g_bytes_new (unreadable[i].bytes, unreadable[i].size);
    g_autoptr (FalReply) reply = fal_protocol_make_unreadable (message);

    g_assert_cmpint (reply->type, ==, FAL_REPLY_UNREADABLE);
    g_assert_cmpstr (reply->request_id, ==, unreadable[i].id);
  }
}

/* Text that nobody can read answers something where it bears an id. */
static void
test_broken_text_with_an_id_is_an_error (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (parse_text ("{\"request_id\":\"frame-4\",", NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
}

static const struct {
  const gchar *name;
  gboolean text;
  FalReplyType type;
} captured_control[] = {
  { "rep_bytes_bytes_2.txt", TRUE, FAL_REPLY_TIMINGS },
  { "rep_error_model_1.txt", TRUE, FAL_REPLY_FAILED },
  { "rep_error_timeout_2.txt", TRUE, FAL_REPLY_IDLE },
  { "rep_unauthorized_text_1.txt", TRUE, FAL_REPLY_UNAUTHORIZED },
};

static void
test_captured_control_messages_are_known (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (captured_control); i++) {
    g_autoptr (GBytes) message = wire_read (captured_control[i].name);
    g_autoptr (FalReply) reply =
        fal_protocol_parse_reply (message, captured_control[i].text, NULL, NULL, NULL);

    g_assert_cmpint (reply->type, ==, captured_control[i].type);
    if (reply->type == FAL_REPLY_TIMINGS)
      g_assert_cmpfloat (reply->inference, ==, 0.018000000000029104);
  }
}

static void
test_text_that_is_no_object_is_ignored (void)
{
  const gchar *texts[] = { "", "hello", "[1]", "\"x\"", "{", "12", "\xff\xfe" };
  g_autoptr (GString) long_text = g_string_new (NULL);
  g_autoptr (FalReply) reply = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (FalReply) short_reply = parse_text (texts[i], NULL, NULL);

    g_assert_cmpint (short_reply->type, ==, FAL_REPLY_OTHER);
    g_assert_null (short_reply->fields);
  }
  for (guint i = 0; i < 1024 * 1024; i++)
    g_string_append (long_text, "{\"a\":");
  reply = parse_text (long_text->str, NULL, NULL);
  g_assert_cmpint (reply->type, ==, FAL_REPLY_OTHER);
}

static void
test_bytes_that_are_no_message_are_an_error (void)
{
  static const struct {
    const gchar *wire;
    gsize size;
  } rows[] = { { WIRE ("\xc0") }, { WIRE ("garbage") }, { WIRE ("\x81\xa1k") },
    { WIRE ("\x80\x80") }, { WIRE ("{\"k\":") }, { WIRE ("RIFF") }, { WIRE ("\xff\xd8") },
    { WIRE ("RIFF\1\2\3\4WAVE") } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (parse (rows[i].wire, rows[i].size, FALSE, NULL, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  }
}

static void
test_a_long_error_is_cut_between_characters (void)
{
  g_autoptr (GString) json = g_string_new ("{\"error\":\"");
  g_autoptr (FalReply) reply = NULL;

  for (guint i = 0; i < 5000; i++)
    g_string_append (json, "é");
  g_string_append (json, "\"}");
  reply = parse_text (json->str, NULL, NULL);
  g_assert_cmpint (reply->type, ==, FAL_REPLY_FAILED);
  g_assert_cmpint (g_utf8_strlen (reply->error, -1), ==, 1000);
  g_assert_true (g_utf8_validate (reply->error, -1, NULL));
}

/* ---- Results ---- */

static const struct {
  const gchar *name;
  gsize size; /* of the picture */
  const gchar *id;
  gdouble inference;
} captured_results[] = {
  { "rep_bytes_bytes_1.bin", 17216, "e3b0c442-98fc-4c14-9afb-f4c8996fb924", 0.015500545501708984 },
  { "rep_small_bin8_1.bin", 1146, "1", 0.018372774124145508 },
  { "rep_noecho_1.bin", 1146, NULL, 0.013727903366088867 },
  { "rep_error_timeout_1.bin", 692, NULL, 0.012911081314086914 },
  { "rep_undefined_nil_1.bin", 692, NULL, 0.007737398147583008 },
  { "rep_untyped_rid_int_1.bin", 692, "17", 0.010160446166992188 },
};

static GBytes *
get_bytes (const FalReply *reply, guint i)
{
  return ((const FalImage *) reply->images->pdata[i])->bytes;
}

static void
test_captured_results_are_read (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (captured_results); i++) {
    g_autoptr (GBytes) message = wire_read (captured_results[i].name);
    g_autoptr (FalReply) reply = fal_protocol_parse_reply (message, FALSE, NULL, NULL, NULL);
    const GValue *image;

    g_assert_cmpint (reply->type, ==, FAL_REPLY_RESULT);
    g_assert_cmpuint (reply->images->len, ==, 1);
    g_assert_cmpuint (g_bytes_get_size (get_bytes (reply, 0)), ==, captured_results[i].size);
    g_assert_cmpstr (reply->request_id, ==, captured_results[i].id);
    g_assert_cmpfloat (reply->inference, ==, captured_results[i].inference);
    image = fal_value_get_item (gst_structure_get_value (reply->fields, "images"), 0);
    g_assert_false (gst_structure_has_field (gst_value_get_structure (image), "content"));
    g_assert_true (gst_structure_has_field (gst_value_get_structure (image), "width"));
  }
}

static void
test_a_link_stays_a_link (void)
{
  g_autoptr (GBytes) message = wire_read ("rep_uri_url_1.bin");
  g_autoptr (FalReply) reply = fal_protocol_parse_reply (message, FALSE, NULL, NULL, NULL);
  const FalImage *image;

  g_assert_nonnull (reply);
  g_assert_cmpint (reply->type, ==, FAL_REPLY_RESULT);
  g_assert_cmpuint (reply->images->len, ==, 1);
  image = reply->images->pdata[0];
  g_assert_null (image->bytes);
  g_assert_true (g_str_has_prefix (image->link, "http://127.0.0.1"));
}

static void
test_a_link_is_known_in_any_case_of_letters (void)
{
  g_autoptr (FalReply) reply =
      parse_text ("{\"images\":[{\"url\":\"HTTPS://x.y/z\"},\"httpS://x.y/z\"]}", NULL, NULL);
  const FalImage *image;

  g_assert_cmpuint (reply->images->len, ==, 2);
  image = reply->images->pdata[0];
  g_assert_null (image->bytes);
  g_assert_cmpstr (image->link, ==, "HTTPS://x.y/z");
}

static const struct {
  const gchar *json;
  const gchar *field;
  const gchar *pictures; /* all of them, joined by spaces */
  const gchar *left;
} places[] = {
  { "{\"images\":[{\"content\":\"YWJj\",\"width\":64}]}", NULL, "abc",
      "{\"images\":[{\"width\":64}]}" },
  { "{\"images\":[{\"content\":\"YQ==\"},{\"content\":\"YmM=\"}],\"seed\":7}", "auto", "a bc",
      "{\"images\":[{},{}],\"seed\":7}" },
  { "{\"images\":[\"YWJj\",\"YQ==\"],\"seed\":7}", NULL, "abc a", "{\"seed\":7}" },
  { "{\"images\":[null,\"YQ==\"]}", NULL, "a", "{}" },
  { "{\"images\":\"YWJj\"}", NULL, "abc", "{}" },
  { "{\"image\":\"data:image/png;base64,YWJj\"}", NULL, "abc", "{}" },
  { "{\"image\":\"DATA:IMAGE/png;x=y;BASE64,YWJj\"}", NULL, "abc", "{}" },
  { "{\"image\":{\"content\":\"YWJj\",\"content_type\":\"image/webp\"}}", NULL, "abc",
      "{\"image\":{\"content_type\":\"image/webp\"}}" },
  { "{\"images\":[{\"url\":\"data:image/jpeg;base64,YWJj\",\"height\":2}]}", NULL, "abc",
      "{\"images\":[{\"height\":2}]}" },
  { "{\"images\":[{\"content\":\"YWJj\",\"url\":\"https://x.y/z\"}]}", NULL, "abc",
      "{\"images\":[{\"url\":\"https://x.y/z\"}]}" },
  { "{\"images\":[],\"image\":\"YWJj\"}", NULL, "abc", "{\"images\":[]}" },
  { "{\"images\":[]}", NULL, "", "{\"images\":[]}" },
  { "{\"images\":[null]}", NULL, "", "{\"images\":[null]}" },
  { "{\"images\":7,\"image\":[]}", NULL, "", "{\"images\":7,\"image\":[]}" },
  { "{\"images\":[{\"content\":null,\"url\":\"\"}]}", NULL, "",
      "{\"images\":[{\"content\":null,\"url\":\"\"}]}" },
  { "{\"data\":\"YWJj\"}", NULL, "", "{\"data\":\"YWJj\"}" },
  { "{\"data\":\"YWJj\"}", "data", "abc", "{}" },
  { "{\"out\":{\"f\":[\"YQ==\",\"YWJj\"],\"n\":2}}", "out.f[1]", "abc", "{\"out\":{\"n\":2}}" },
  { "{\"out\":{\"f\":[\"YQ==\",\"YWJj\"]}}", "out.f[*]", "a abc", "{\"out\":{}}" },
  { "{\"out\":{\"f\":[\"YQ==\",\"YWJj\"]}}", "out.f", "a abc", "{\"out\":{}}" },
  { "{\"images\":[{\"content\":\"YWJj\"},{\"n\":1}]}", "images[*].content", "abc",
      "{\"images\":[{},{\"n\":1}]}" },
  { "{\"images\":[{\"content\":\"YWJj\"}]}", "images[3].content", "",
      "{\"images\":[{\"content\":\"YWJj\"}]}" },
  { "{\"images\":[{\"content\":\"YWJj\"}]}", "nothing[*].here", "",
      "{\"images\":[{\"content\":\"YWJj\"}]}" },
  /* The path goes on where there is no map. */
  { "{\"out\":7}", "out.f", "", "{\"out\":7}" },
  { "{\"out\":[\"YWJj\",{\"f\":\"YQ==\"}]}", "out[*].f", "a", "{\"out\":[\"YWJj\",{}]}" },
};

static gchar *
join_pictures (const FalReply *reply)
{
  GString *all = g_string_new (NULL);

  for (guint i = 0; i < reply->images->len; i++) {
    gsize size;
    const gchar *data = g_bytes_get_data (get_bytes (reply, i), &size);

    g_string_append (all, i > 0 ? " " : "");
    g_string_append_len (all, data, size);
  }
  return g_string_free (all, FALSE);
}

static void
test_pictures_are_found_and_the_rest_is_kept (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (places); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (FalReply) reply = parse_text (places[i].json, places[i].field, &error);
    g_autofree gchar *pictures = NULL;

    g_assert_no_error (error);
    pictures = join_pictures (reply);
    g_assert_cmpint (reply->type, ==, FAL_REPLY_RESULT);
    g_assert_cmpstr (pictures, ==, places[i].pictures);
    assert_fields (reply, places[i].left);
  }
}

static void
test_bytes_are_found_where_text_is (void)
{
  static const struct {
    const gchar *wire;
    gsize size;
    const gchar *left;
  } rows[] = {
    { WIRE ("\x81\xa5image\xc4\x03xyz"), "{}" },
    { WIRE ("\x81\xa6images\x91\xc4\x03xyz"), "{}" },
    { WIRE ("\x81\xa6images\x92\xc0\xc4\x03xyz"), "{}" },
    { WIRE ("\x81\xa6images\xc4\x03xyz"), "{}" },
    { WIRE ("\x82\xa6images\xc4\x00\xa5image\xc4\x03xyz"), "{\"images\":\"\"}" },
    { WIRE ("\x81\xa6images\x91\x82\xa7"
            "content\xc4\x03xyz\xa5width\xff"),
        "{\"images\":[{\"width\":-1}]}" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (FalReply) reply = parse (rows[i].wire, rows[i].size, FALSE, NULL, NULL);

    g_assert_cmpuint (reply->images->len, ==, 1);
    assert_bytes (get_bytes (reply, 0), WIRE ("xyz"));
    assert_fields (reply, rows[i].left);
  }
}

static void
test_odd_numbers_do_no_harm (void)
{
  g_autoptr (FalReply) reply = parse (WIRE ("\x82\xa5image\x82\xa5width\xcb\x7f\xf8\0\0\0\0\0\0\xa6"
                                            "height\xcb\x7e\x37\xe4\x3c\x88\0\x75\x9c"
                                            "\xa7timings\x81\xa9inference\xcb\x7f\xf0\0\0\0\0\0\0"),
      FALSE, NULL, NULL);

  g_assert_cmpint (reply->type, ==, FAL_REPLY_RESULT);
  g_assert_cmpuint (reply->images->len, ==, 0);
  g_assert_cmpfloat (reply->inference, <, 0);
}

static void
test_pictures_that_cannot_be_read_are_an_error (void)
{
  static const gchar *const pictures[] = {
    "string!",
    "abc",
    "YWJj\\n",
    "YW=j",
    "YQ=",
    "Y===",
    "====",
    "=",
    "YQ==YQ==",
    "data:",
    "data:image/png;base64",
    "data:image/png;base64,",
    "data:image/png;base64,Y",
    "data:image/png,YWJj",
    "data:text/html;base64,YWJj",
    "data:,YWJj",
    "data:image/,",
    "ftp://x.y/z",
  };

  for (guint i = 0; i < G_N_ELEMENTS (pictures); i++) {
    g_autofree gchar *json = g_strdup_printf ("{\"images\":\"%s\"}", pictures[i]);
    g_autoptr (GError) error = NULL;

    g_assert_null (parse_text (json, NULL, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  }
}

/* Wherever it stands. */
static void
test_a_picture_within_that_cannot_be_read_is_an_error (void)
{
  static const struct {
    const gchar *json, *field;
  } rows[] = {
    { "{\"images\":[\"YWJj\",\"string!\"]}", NULL },
    { "{\"image\":{\"content\":\"string!\"}}", NULL },
    { "{\"images\":[{\"url\":\"data:text/html,hi\"}]}", NULL },
    { "{\"out\":[{\"f\":\"YWJj\"},{\"f\":\"string!\"}]}", "out[*].f" },
    { "{\"out\":{\"f\":\"string!\"}}", "out.f" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (parse_text (rows[i].json, rows[i].field, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  }
}

/* No peer can send one: a field that was set to no map. */
static void
test_a_map_of_nothing_has_no_picture (void)
{
  GstStructure *map = gst_structure_new ("map", "image", GST_TYPE_STRUCTURE, NULL, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (FalReply) reply = fal_protocol_read_reply (map, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (reply->images->len, ==, 0);
  g_assert_true (reply->names_pictures);
}

static void
test_a_result_field_that_is_none_is_an_error (void)
{
  static const gchar *const fields[] = { "", ".", "a.", ".a", "a..b", "a[", "a[]", "a[*", "a[x]",
    "a[1", "[0]", "a[0]b", "a]" };

  for (guint i = 0; i < G_N_ELEMENTS (fields); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (parse_text ("{\"a\":[{\"b\":1}]}", fields[i], &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  }
}

static void
test_a_frame_that_is_a_picture_is_a_result (void)
{
  static const struct {
    const gchar *wire;
    gsize size;
  } rows[] = {
    { WIRE ("\xff\xd8\xff\xe0\0\x10JFIF") },
    { WIRE ("\x89PNG\r\n\x1a\n\0\0") },
    { WIRE ("RIFF\1\2\3\4WEBPVP8 ") },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (FalReply) reply = parse (rows[i].wire, rows[i].size, FALSE, "images[*]", NULL);

    g_assert_cmpint (reply->type, ==, FAL_REPLY_RESULT);
    g_assert_cmpuint (reply->images->len, ==, 1);
    assert_bytes (get_bytes (reply, 0), rows[i].wire, rows[i].size);
    g_assert_null (reply->fields);
    g_assert_cmpfloat (reply->inference, <, 0);
  }
}

static const struct {
  const gchar *json;
  const gchar *id;
} ids[] = {
  { "{\"request_id\":\"r\"}", "r" },
  { "{\"request_id\":17}", "17" },
  { "{\"request_id\":-3}", "-3" },
  { "{\"request_id\":null}", NULL },
  { "{\"request_id\":1.5}", NULL },
  { "{\"request_id\":[1]}", NULL },
  { "{\"status\":\"error\",\"error\":\"x\",\"request_id\":\"r\"}", "r" },
};

static void
test_a_request_id_is_told_as_text (void)
{
  g_autoptr (FalReply) large =
      parse (WIRE ("\x81\xaarequest_id\xcf\xff\xff\xff\xff\xff\xff\xff\xff"), FALSE, NULL, NULL);

  g_assert_cmpstr (large->request_id, ==, "18446744073709551615");
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++) {
    g_autoptr (FalReply) reply = parse_packed (ids[i].json, NULL);

    g_assert_cmpstr (reply->request_id, ==, ids[i].id);
    /* What is no id is a field like others. */
    g_assert_cmpint (gst_structure_has_field (reply->fields, "request_id"), ==, ids[i].id == NULL);
  }
}

static const struct {
  const gchar *json;
  gdouble seconds;
} times[] = {
  { "{\"timings\":{\"inference\":0.5}}", 0.5 },
  { "{\"timings\":{\"inference\":2}}", 2 },
  { "{\"timings\":{\"inference\":-2}}", -1 },
  { "{\"timings\":{\"inference\":\"2\"}}", -1 },
  { "{\"timings\":[1]}", -1 },
  { "{\"type\":\"x-fal-message\",\"action\":\"timings\",\"timing\":0.25}", 0.25 },
  { "{\"type\":\"x-fal-message\",\"action\":\"timings\",\"timing\":1}", 1 },
  { "{\"type\":\"x-fal-message\",\"action\":\"timings\"}", -1 },
};

static void
test_inference_is_told_in_seconds (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (times); i++) {
    g_autoptr (FalReply) reply = parse_packed (times[i].json, NULL);

    g_assert_cmpfloat (reply->inference, ==, times[i].seconds);
  }
}

static void
test_a_large_data_uri_is_decoded_whole (void)
{
  gsize size = 1024 * 1024;
  g_autofree guchar *data = g_malloc (size);
  g_autofree gchar *base64 = NULL;
  g_autofree gchar *json = NULL;
  g_autoptr (FalReply) reply = NULL;

  for (gsize i = 0; i < size; i++)
    data[i] = i * 31 >> 3;
  base64 = g_base64_encode (data, size);
  json = g_strdup_printf ("{\"image\":{\"url\":\"data:image/png;base64,%s\"}}", base64);
  reply = parse_text (json, NULL, NULL);
  assert_bytes (get_bytes (reply, 0), (const gchar *) data, size);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add_func ("/protocol/" name, function)
  ADD ("requests-are-those-of-the-reference-client",
      test_requests_are_those_of_the_reference_client);
  ADD ("a-picture-stands-as-it-was-asked-for", test_a_picture_stands_as_it_was_asked_for);
  ADD ("picture-and-id-stand-where-an-input-of-their-name-stood",
      test_picture_and_id_stand_where_an_input_of_their_name_stood);
  ADD ("a-request-may-be-empty", test_a_request_may_be_empty);
  ADD ("a-parameter-that-cannot-be-sent-is-named", test_a_parameter_that_cannot_be_sent_is_named);
  ADD ("a-picture-below-too-many-names-is-an-error",
      test_a_picture_below_too_many_names_is_an_error);
  ADD ("control-messages-are-known-in-either-form", test_control_messages_are_known_in_either_form);
  ADD ("captured-control-messages-are-known", test_captured_control_messages_are_known);
  ADD ("text-that-is-no-object-is-ignored", test_text_that_is_no_object_is_ignored);
  ADD ("an-empty-message-says-nothing", test_an_empty_message_says_nothing);
  ADD ("a-map-without-picture-may-be-no-result", test_a_map_without_picture_may_be_no_result);
  ADD ("the-id-of-an-unreadable-reply-is-made-out", test_the_id_of_an_unreadable_reply_is_made_out);
  ADD ("broken-text-with-an-id-is-an-error", test_broken_text_with_an_id_is_an_error);
  ADD ("bytes-that-are-no-message-are-an-error", test_bytes_that_are_no_message_are_an_error);
  ADD ("a-long-error-is-cut-between-characters", test_a_long_error_is_cut_between_characters);
  ADD ("captured-results-are-read", test_captured_results_are_read);
  ADD ("a-link-stays-a-link", test_a_link_stays_a_link);
  ADD ("pictures-are-found-and-the-rest-is-kept", test_pictures_are_found_and_the_rest_is_kept);
  ADD ("bytes-are-found-where-text-is", test_bytes_are_found_where_text_is);
  ADD ("odd-numbers-do-no-harm", test_odd_numbers_do_no_harm);
  ADD ("pictures-that-cannot-be-read-are-an-error", test_pictures_that_cannot_be_read_are_an_error);
  ADD ("a-link-is-known-in-any-case-of-letters", test_a_link_is_known_in_any_case_of_letters);
  ADD ("a-picture-within-that-cannot-be-read-is-an-error",
      test_a_picture_within_that_cannot_be_read_is_an_error);
  ADD ("a-map-of-nothing-has-no-picture", test_a_map_of_nothing_has_no_picture);
  ADD ("a-result-field-that-is-none-is-an-error", test_a_result_field_that_is_none_is_an_error);
  ADD ("a-frame-that-is-a-picture-is-a-result", test_a_frame_that_is_a_picture_is_a_result);
  ADD ("a-request-id-is-told-as-text", test_a_request_id_is_told_as_text);
  ADD ("inference-is-told-in-seconds", test_inference_is_told_in_seconds);
  ADD ("a-large-data-uri-is-decoded-whole", test_a_large_data_uri_is_decoded_whole);
#undef ADD
  return g_test_run ();
}
