/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fal's realtime messages. A request becomes one map: the parameters, then the picture, then the
 * request id. The type of a reply follows from its fields, whether it came as text or as binary,
 * and its pictures are taken out of the fields. Pure; used on any thread. */
#include "protocol.h"
#include "data-uri.h"
#include "value-json.h"
#include "value-msgpack.h"
#include "visible-text.h"
#include <gio/gio.h>
#include <math.h>
#include <string.h>

/* Longer texts of errors are cut off, in characters. */
#define MAX_ERROR_TEXT 1000

/* ---- Request ---- */

static void
make_image_value (GValue *value, const FalRequest *request)
{
  gboolean plain = request->image_encoding == FAL_IMAGE_ENCODING_BASE64;

  if (request->image_encoding == FAL_IMAGE_ENCODING_BYTES) {
    g_value_init (value, G_TYPE_BYTES);
    g_value_set_static_boxed (value, request->image);
    return;
  }
  g_value_init (value, G_TYPE_STRING);
  g_value_take_string (
      value, fal_data_uri_encode (plain ? NULL : request->media_type, request->image));
}

static GBytes *
encode (const FalRequest *request, const FalValueField *more, guint n_more, GError **error)
{
  gchar *json;

  if (request->encoding == FAL_MESSAGE_ENCODING_MSGPACK)
    return fal_value_to_msgpack_with (request->parameters, more, n_more, error);
  json = fal_value_to_json_with (request->parameters, more, n_more, error);
  return json != NULL ? g_bytes_new_take (json, strlen (json)) : NULL;
}

/* Each name is a map within that of the name before it, and what makes and frees them calls itself
 * for each. */
static gboolean
check_image_field (const gchar *path, GError **error)
{
  guint names = 1;

  for (; *path != '\0'; path++)
    names += *path == '.';
  if (names <= FAL_VALUE_MAX_DEPTH)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
      "image-field has %u names, and a request has at most %d maps within one another", names,
      FAL_VALUE_MAX_DEPTH);
  return FALSE;
}

/* The request id goes over a picture of the same name. */
GBytes *
fal_protocol_encode_request (const FalRequest *request, GError **error)
{
  g_auto (GValue) image = G_VALUE_INIT, id = G_VALUE_INIT;
  g_autofree gchar *name = NULL;
  FalValueField more[2];
  guint n_more = 0;

  if (request->image != NULL) {
    if (!check_image_field (request->image_field, error))
      return NULL;
    make_image_value (&image, request);
    name = fal_value_wrap_path (request->parameters, request->image_field, &image);
    more[n_more++] = (FalValueField){ name, &image };
  }
  if (request->request_id != NULL) {
    g_value_init (&id, G_TYPE_STRING);
    g_value_set_static_string (&id, request->request_id);
    n_more = g_strcmp0 (name, "request_id") == 0 ? 0 : n_more;
    more[n_more++] = (FalValueField){ "request_id", &id };
  }
  return encode (request, more, n_more, error);
}

/* ---- Pictures in a reply ---- */

static gboolean
is_link (const gchar *text)
{
  return g_ascii_strncasecmp (text, "http://", strlen ("http://")) == 0 ||
         g_ascii_strncasecmp (text, "https://", strlen ("https://")) == 0;
}

static void
image_free (gpointer data)
{
  FalImage *image = data;

  g_clear_pointer (&image->bytes, g_bytes_unref);
  g_free (image->link);
  g_free (image);
}

/* Whether @value is text or bytes, and not empty. */
static gboolean
is_filled (const GValue *value)
{
  if (value != NULL && G_VALUE_HOLDS_STRING (value))
    return g_value_get_string (value) != NULL && *g_value_get_string (value) != '\0';
  return value != NULL && G_VALUE_HOLDS (value, G_TYPE_BYTES) &&
         g_bytes_get_size (g_value_get_boxed (value)) > 0;
}

/* One of @bytes and @link is NULL; the other is taken. */
static void
add_image (GPtrArray *images, GBytes *bytes, gchar *link)
{
  FalImage *image = g_new (FalImage, 1);

  *image = (FalImage){ bytes, link };
  g_ptr_array_add (images, image);
}

/* @value: is_filled(). */
static gboolean
add_picture (GPtrArray *images, const GValue *value, GError **error)
{
  const gchar *text = G_VALUE_HOLDS_STRING (value) ? g_value_get_string (value) : NULL;
  GBytes *bytes;

  if (text != NULL && is_link (text)) {
    add_image (images, NULL, g_strdup (text));
    return TRUE;
  }
  bytes = text != NULL ? fal_data_uri_decode (text, error) : g_value_dup_boxed (value);
  if (bytes == NULL)
    return FALSE;
  add_image (images, bytes, NULL);
  return TRUE;
}

/* Takes the picture out of a map that describes it: size, media type and so on stay. */
static gboolean
take_from_image_map (GstStructure *map, GPtrArray *images, GError **error)
{
  static const gchar *const names[] = { "content", "url" };
  guint i;

  for (i = 0; map != NULL && i < G_N_ELEMENTS (names); i++) {
    const GValue *value = gst_structure_get_value (map, names[i]);

    if (!is_filled (value))
      continue;
    if (!add_picture (images, value, error))
      return FALSE;
    gst_structure_remove_field (map, names[i]);
    return TRUE;
  }
  return TRUE;
}

/* Adds the pictures in @value: itself, its items, or those in a map that describes one. Sets @whole
 * where a picture is the value itself, which the caller then removes from its map. */
static gboolean
take_from_value (const GValue *value, GPtrArray *images, gboolean *whole, GError **error)
{
  const GValue *item;
  guint i;

  if (GST_VALUE_HOLDS_STRUCTURE (value))
    return take_from_image_map (g_value_get_boxed (value), images, error);
  if (is_filled (value)) {
    *whole = TRUE;
    return add_picture (images, value, error);
  }
  for (i = 0; (item = fal_value_get_item (value, i)) != NULL; i++) {
    if (!take_from_value (item, images, whole, error))
      return FALSE;
  }
  return TRUE;
}

/* ---- Result field: "name", "name[0]", "name[*]", joined by dots ---- */

#define ALL_ITEMS G_MAXUINT
#define NO_ITEM (G_MAXUINT - 1)

typedef struct {
  gchar *name;
  guint item;        /* or ALL_ITEMS, NO_ITEM */
  const gchar *rest; /* of the path; empty: this is the last step */
} PathStep;

/* Parses "[0]" or "[*]" at @p. Returns what follows it; NULL: it is neither. */
static const gchar *
parse_item (const gchar *p, guint *item)
{
  gchar *end = NULL;
  guint64 number;

  *item = ALL_ITEMS;
  if (strncmp (p, "[*]", 3) == 0)
    return p + 3;
  if (!g_ascii_isdigit (p[1]))
    return NULL;
  number = g_ascii_strtoull (p + 1, &end, 10);
  *item = MIN (number, FAL_VALUE_MAX_OBJECTS);
  return *end == ']' ? end + 1 : NULL;
}

static gboolean
parse_step (PathStep *step, const gchar *path, GError **error)
{
  gsize length = strcspn (path, ".[]");
  const gchar *rest = path + length;

  step->item = NO_ITEM;
  if (*rest == '[')
    rest = parse_item (rest, &step->item);
  if (length == 0 || rest == NULL || (*rest != '\0' && (*rest != '.' || rest[1] == '\0'))) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "result-field is no path at \"%s\". Write it as images[*].content or image.", path);
    return FALSE;
  }
  step->name = g_strndup (path, length);
  step->rest = *rest == '.' ? rest + 1 : rest;
  return TRUE;
}

/* Checks all steps: walking a result may end before the one that is wrong. */
static gboolean
check_path (const gchar *path, GError **error)
{
  PathStep step = { NULL, NO_ITEM, path };

  do {
    if (!parse_step (&step, step.rest, error))
      return FALSE;
    g_free (step.name);
  } while (*step.rest != '\0');
  return TRUE;
}

static gboolean take_from_path (
    GstStructure *map, const gchar *path, GPtrArray *images, GError **error);

/* @value: what the path led to so far; @rest: the rest of the path. */
static gboolean
take_from_step (
    const GValue *value, const gchar *rest, GPtrArray *images, gboolean *whole, GError **error)
{
  if (*rest == '\0')
    return take_from_value (value, images, whole, error);
  if (!GST_VALUE_HOLDS_STRUCTURE (value))
    return TRUE;
  return take_from_path (g_value_get_boxed (value), rest, images, error);
}

static gboolean
take_from_items (
    const GValue *list, const PathStep *step, GPtrArray *images, gboolean *whole, GError **error)
{
  guint i = step->item == ALL_ITEMS ? 0 : step->item;
  const GValue *item;

  for (; (item = fal_value_get_item (list, i)) != NULL; i++) {
    if (!take_from_step (item, step->rest, images, whole, error))
      return FALSE;
    if (step->item != ALL_ITEMS)
      break;
  }
  return TRUE;
}

/* Takes the pictures at @path out of @map. It is no error if there are none. */
static gboolean
take_from_path (GstStructure *map, const gchar *path, GPtrArray *images, GError **error)
{
  PathStep step = { 0 };
  g_autofree gchar *name = NULL;
  const GValue *value;
  gboolean whole = FALSE, success;

  if (!parse_step (&step, path, error))
    return FALSE;
  name = step.name;
  value = gst_structure_get_value (map, name);
  if (value == NULL)
    return TRUE;
  if (step.item == NO_ITEM)
    success = take_from_step (value, step.rest, images, &whole, error);
  else
    success = take_from_items (value, &step, images, &whole, error);
  if (whole)
    gst_structure_remove_field (map, name);
  return success;
}

/* The fields that known apps use, for bytes, a data URI, base64 or a map. */
static const gchar *const usual_fields[] = { "images", "image" };

static gboolean
take_pictures (FalReply *reply, const gchar *result_field, GError **error)
{
  guint i;

  if (result_field != NULL && g_strcmp0 (result_field, "auto") != 0)
    return check_path (result_field, error) &&
           take_from_path (reply->fields, result_field, reply->images, error);
  for (i = 0; i < G_N_ELEMENTS (usual_fields) && reply->images->len == 0; i++) {
    if (!take_from_path (reply->fields, usual_fields[i], reply->images, error))
      return FALSE;
  }
  return TRUE;
}

/* Whether @value, or what is in it, may be a picture under a name that nobody looks at. */
static gboolean
looks_like_picture (const GValue *value)
{
  const GstStructure *map = GST_VALUE_HOLDS_STRUCTURE (value) ? g_value_get_boxed (value) : NULL;
  const gchar *text = G_VALUE_HOLDS_STRING (value) ? g_value_get_string (value) : NULL;
  const GValue *item;

  if (G_VALUE_HOLDS (value, G_TYPE_BYTES))
    return TRUE;
  if (text != NULL)
    return g_ascii_strncasecmp (text, "data:image/", strlen ("data:image/")) == 0;
  for (gint i = 0; map != NULL && i < gst_structure_n_fields (map); i++)
    if (looks_like_picture (gst_structure_get_value (map, gst_structure_nth_field_name (map, i))))
      return TRUE;
  for (guint i = 0; map == NULL && (item = fal_value_get_item (value, i)) != NULL; i++)
    if (looks_like_picture (item))
      return TRUE;
  return FALSE;
}

/* Whether the field of the pictures is in @map, or another with what looks like one. */
static gboolean
names_pictures (const GstStructure *map, const gchar *result_field)
{
  gboolean usual = result_field == NULL || g_strcmp0 (result_field, "auto") == 0;
  g_autofree gchar *name = usual ? NULL : g_strndup (result_field, strcspn (result_field, ".["));

  if (!usual && gst_structure_has_field (map, name))
    return TRUE;
  for (guint i = 0; usual && i < G_N_ELEMENTS (usual_fields); i++)
    if (gst_structure_has_field (map, usual_fields[i]))
      return TRUE;
  for (gint i = 0; i < gst_structure_n_fields (map); i++)
    if (looks_like_picture (gst_structure_get_value (map, gst_structure_nth_field_name (map, i))))
      return TRUE;
  return FALSE;
}

/* ---- Reply ---- */

/* A message is of @type where its @field is @text and, unless NULL, its @field2 is @text2. */
typedef struct {
  const gchar *field, *text;
  const gchar *field2, *text2;
  FalReplyType type;
} Rule;

static const Rule control_rules[] = {
  { "type", "x-fal-error", "error", "TIMEOUT", FAL_REPLY_IDLE },
  { "type", "x-fal-error", NULL, NULL, FAL_REPLY_FAILED },
  { "type", "x-fal-message", "action", "timings", FAL_REPLY_TIMINGS },
  { "type", "x-fal-message", NULL, NULL, FAL_REPLY_OTHER },
  { "status", "error", "error", "Unauthorized", FAL_REPLY_UNAUTHORIZED },
  { "status", "error", "error", "no inputs, reconnect when needed!", FAL_REPLY_IDLE },
  { "status", "error", NULL, NULL, FAL_REPLY_FAILED },
  { "status", "ready", NULL, NULL, FAL_REPLY_READY },
};

/* Other apps use these words beside a picture, so they count only without one. WebRTC apps say
 * "ready" too, but so do apps that wait for their first request. */
static const Rule rules_without_picture[] = {
  { "type", "ready", NULL, NULL, FAL_REPLY_READY },
  { "type", "iceservers", NULL, NULL, FAL_REPLY_WEBRTC },
  { "type", "answer", NULL, NULL, FAL_REPLY_WEBRTC },
  { "type", "icecandidate", NULL, NULL, FAL_REPLY_WEBRTC },
};

static gboolean
has_text (const GstStructure *map, const gchar *field, const gchar *text)
{
  return field == NULL || g_strcmp0 (gst_structure_get_string (map, field), text) == 0;
}

/* Rules about the same field stand together, so it is looked up once for them all: the compiler
 * keeps a word that occurs twice once, and if not, it is only looked up again. */
static const Rule *
find_rule (const Rule *rules, guint count, const GstStructure *map)
{
  const gchar *field = NULL, *text = NULL;
  guint i;

  for (i = 0; i < count; i++) {
    if (field != rules[i].field) {
      field = rules[i].field;
      text = gst_structure_get_string (map, field);
    }
    if (text != NULL && strcmp (text, rules[i].text) == 0 &&
        has_text (map, rules[i].field2, rules[i].text2))
      return &rules[i];
  }
  return NULL;
}

/* The field's number, which is finite and not negative; else −1. @map may be NULL. */
static gdouble
get_seconds (const GstStructure *map, const gchar *field)
{
  const GValue *value = map != NULL ? gst_structure_get_value (map, field) : NULL;
  gdouble seconds = -1;

  if (value != NULL && G_VALUE_HOLDS_DOUBLE (value))
    seconds = g_value_get_double (value);
  else if (value != NULL && G_VALUE_HOLDS_INT64 (value))
    seconds = g_value_get_int64 (value);
  return isfinite (seconds) && seconds >= 0 ? seconds : -1;
}

/* The map in @field, or NULL. */
static const GstStructure *
get_map (const GstStructure *map, const gchar *field)
{
  const GValue *value = gst_structure_get_value (map, field);

  return value != NULL && GST_VALUE_HOLDS_STRUCTURE (value) ? gst_value_get_structure (value)
                                                            : NULL;
}

/* The field's text; what is not text as JSON; NULL where it is absent, null or false. */
static gchar *
dup_text (const GstStructure *map, const gchar *field)
{
  const GValue *value = gst_structure_get_value (map, field);
  g_autoptr (GstStructure) only = NULL;
  g_autofree gchar *json = NULL;
  const gchar *text;

  if (value == NULL || (G_VALUE_HOLDS_BOOLEAN (value) && !g_value_get_boolean (value)))
    return NULL;
  if (G_VALUE_HOLDS_STRING (value)) {
    text = g_value_get_string (value);
  } else {
    only = gst_structure_new_empty ("map");
    gst_structure_set_value (only, field, value);
    json = fal_value_to_json (only, NULL);
    text = json;
  }
  return text != NULL ? fal_text_cut (text, MAX_ERROR_TEXT) : NULL;
}

static gchar *
dup_id (const GValue *value)
{
  if (value == NULL)
    return NULL;
  if (G_VALUE_HOLDS_STRING (value))
    return g_value_dup_string (value);
  if (G_VALUE_HOLDS_INT64 (value))
    return g_strdup_printf ("%" G_GINT64_FORMAT, g_value_get_int64 (value));
  if (G_VALUE_HOLDS_UINT64 (value))
    return g_strdup_printf ("%" G_GUINT64_FORMAT, g_value_get_uint64 (value));
  return NULL;
}

/* It is told of under one name, and is no field beside that. */
static gchar *
take_request_id (GstStructure *map)
{
  gchar *id = dup_id (gst_structure_get_value (map, "request_id"));

  if (id != NULL)
    gst_structure_remove_field (map, "request_id");
  return id;
}

/* The type of a message that has no picture and fits no control rule. Web frameworks refuse an
 * input with {"detail": …} or {"error": …}. A "type" or "status" that is not known is no result. */
static FalReplyType
classify_without_picture (const FalReply *reply)
{
  const Rule *rule =
      find_rule (rules_without_picture, G_N_ELEMENTS (rules_without_picture), reply->fields);

  if (rule != NULL)
    return rule->type;
  if ((reply->error != NULL && *reply->error != '\0') ||
      (reply->reason != NULL && *reply->reason != '\0'))
    return FAL_REPLY_FAILED;
  if (gst_structure_get_string (reply->fields, "type") != NULL ||
      gst_structure_get_string (reply->fields, "status") != NULL)
    return FAL_REPLY_OTHER;
  return FAL_REPLY_RESULT;
}

static FalReply *
new_reply (FalReplyType type, GstStructure *fields)
{
  FalReply *reply = g_new0 (FalReply, 1);

  reply->type = type;
  reply->images = g_ptr_array_new_with_free_func (image_free);
  reply->inference = -1;
  reply->fields = fields;
  return reply;
}

/* @map is taken. */
static FalReply *
reply_from_map (GstStructure *map, const gchar *result_field, GError **error)
{
  g_autoptr (FalReply) reply = new_reply (FAL_REPLY_RESULT, map);
  const Rule *rule = find_rule (control_rules, G_N_ELEMENTS (control_rules), map);

  reply->request_id = take_request_id (map);
  reply->inference = get_seconds (get_map (map, "timings"), "inference");
  if (rule == NULL && !take_pictures (reply, result_field, error))
    return NULL;
  if (rule == NULL && reply->images->len > 0)
    return g_steal_pointer (&reply);
  reply->names_pictures = rule == NULL && names_pictures (map, result_field);
  reply->error = dup_text (map, "error");
  reply->reason = dup_text (map, gst_structure_has_field (map, "reason") ? "reason" : "detail");
  reply->type = rule != NULL ? rule->type : classify_without_picture (reply);
  if (reply->type == FAL_REPLY_TIMINGS)
    reply->inference = get_seconds (map, "timing");
  return g_steal_pointer (&reply);
}

/* Whether the bytes begin like a JPEG, PNG or WebP file. A msgpack map cannot begin so. */
static gboolean
is_picture (const guint8 *data, gsize size)
{
  if (size >= 3 && memcmp (data, "\xff\xd8\xff", 3) == 0)
    return TRUE;
  if (size >= 8 && memcmp (data, "\x89PNG\r\n\x1a\n", 8) == 0)
    return TRUE;
  return size >= 12 && memcmp (data, "RIFF", 4) == 0 && memcmp (data + 8, "WEBP", 4) == 0;
}

/* Apps that encode with JSON send it in binary messages too. No msgpack map begins with "{". The
 * message is not empty. */
static GstStructure *
map_from_message (GBytes *message, gboolean text, FalNames *names, GError **error)
{
  gsize size;
  const gchar *data = g_bytes_get_data (message, &size);

  return text || data[0] == '{' ? fal_value_from_json_of_peer (data, size, names, error)
                                : fal_value_from_msgpack (message, names, error);
}

/* ---- the id of a reply that cannot be read ---- */

/* What follows the name of a field in JSON, where it is a string without escapes. */
static gchar *
dup_json_string (const gchar *data, gsize size)
{
  gsize n = 0, length = 0;

  while (n < size && (data[n] == '"' || data[n] == ':' || g_ascii_isspace (data[n])))
    n++;
  while (n + length < size && data[n + length] != '"' && data[n + length] != '\\')
    length++;
  return n + length < size && data[n + length] == '"' ? g_strndup (data + n, length) : NULL;
}

/* The same in msgpack. */
static gchar *
dup_msgpack_string (const guint8 *data, gsize size)
{
  gboolean is_short = size > 0 && (data[0] & 0xe0) == 0xa0; /* the length stands beside the type */
  gsize head = is_short ? 1 : 2, length;

  if (size < 2 || (!is_short && data[0] != 0xd9))
    return NULL;
  length = is_short ? data[0] & 0x1f : data[1];
  return head + length <= size ? g_strndup ((const gchar *) data + head, length) : NULL;
}

static gchar *
dup_string_at (const gchar *data, gsize size)
{
  g_autofree gchar *text = size > 0 && *data == '"'
                               ? dup_json_string (data, size)
                               : dup_msgpack_string ((const guint8 *) data, size);

  return text && g_utf8_validate (text, -1, NULL) ? g_steal_pointer (&text) : NULL;
}

/* The first string in the message under the name of the id, or NULL. */
static gchar *
find_request_id (GBytes *message)
{
  static const gchar name[] = "request_id";
  gsize size, length = strlen (name);
  const gchar *data = g_bytes_get_data (message, &size), *end = data + size;
  gchar *id = NULL;

  while (id == NULL && data != end && (data = memchr (data, name[0], end - data)) != NULL) {
    if ((gsize) (end - data) >= length && memcmp (data, name, length) == 0)
      id = dup_string_at (data + length, end - data - length);
    data++;
  }
  return id;
}

FalReply *
fal_protocol_read_reply (GstStructure *map, const gchar *result_field, GError **error)
{
  return reply_from_map (map, result_field, error);
}

static FalReply *
parse_reply (
    GBytes *message, gboolean text, const gchar *result_field, FalNames *names, GError **error)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (message, &size);
  g_autofree gchar *id = NULL;
  g_autoptr (GError) fault = NULL;
  GstStructure *map;
  FalReply *reply;

  if (!text && is_picture (data, size)) {
    reply = new_reply (FAL_REPLY_RESULT, NULL);
    add_image (reply->images, g_bytes_ref (message), NULL);
    return reply;
  }
  if (size == 0)
    return new_reply (FAL_REPLY_OTHER, NULL);
  map = map_from_message (message, text, names, &fault);
  if (map != NULL)
    return reply_from_map (map, result_field, error);
  id = find_request_id (message);
  if (text && id == NULL)
    return new_reply (FAL_REPLY_OTHER, NULL);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, fault->message);
  return NULL;
}

FalReply *
fal_protocol_make_unreadable (GBytes *message)
{
  FalReply *reply = new_reply (FAL_REPLY_UNREADABLE, NULL);

  reply->request_id = find_request_id (message);
  return reply;
}

FalReply *
fal_protocol_parse_reply (
    GBytes *message, gboolean text, const gchar *result_field, FalNames *names, GError **error)
{
  FalReply *reply = parse_reply (message, text, result_field, names, error);
  guint64 dropped = fal_names_take_dropped (names);

  if (reply == NULL)
    return NULL;
  reply->dropped = dropped;
  reply->fields_size = fal_value_get_size (reply->fields);
  return reply;
}

void
fal_reply_free (FalReply *reply)
{
  g_ptr_array_unref (reply->images);
  g_clear_pointer (&reply->fields, gst_structure_free);
  g_free (reply->request_id);
  g_free (reply->error);
  g_free (reply->reason);
  g_free (reply);
}
