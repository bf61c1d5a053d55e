/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON by json-glib, whose parser gets only text that a check of the tokens has let through. Pure;
 * used on any thread. */
#include "value-json.h"
#include "value-private.h"

#include <errno.h>
#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#define MAX_JSON_BYTES (16 * 1024 * 1024)
#define NOT_JSON "Not JSON that can be read: "

/* ---- Checking the tokens ---- */

/* The UTF-16 code unit of the \uXXXX at @p; −1: there is none. */
static gint
json_unit (const gchar *p, const gchar *end)
{
  gint unit = 0, i;

  if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
    return -1;
  for (i = 2; i < 6; i++) {
    if (!g_ascii_isxdigit (p[i]))
      return -1;
    unit = unit << 4 | g_ascii_xdigit_value (p[i]);
  }
  return unit;
}

/* What follows the escape at @p; NULL: it is not valid, or U+0000, which no C string can hold. */
static const gchar *
skip_json_escape (const gchar *p, const gchar *end)
{
  gint unit = json_unit (p, end), low;

  if (unit < 0)
    return end - p >= 2 && strchr ("\"\\/bfnrt", p[1]) != NULL ? p + 2 : NULL;
  if (unit < 0xd800 || unit > 0xdfff)
    return unit != 0 ? p + 6 : NULL;
  low = json_unit (p + 6, end);
  return unit <= 0xdbff && low >= 0xdc00 && low <= 0xdfff ? p + 12 : NULL;
}

static const gchar *
skip_json_text (const gchar *p, const gchar *end)
{
  p++;
  while (p != NULL && p < end) {
    if (*p == '"')
      return p + 1;
    p = *p == '\\' ? skip_json_escape (p, end) : p + 1;
  }
  return NULL;
}

static const gchar *
skip_digits (const gchar *p, const gchar *end)
{
  while (p < end && g_ascii_isdigit (*p))
    p++;
  return p;
}

/* What follows the number at @p; NULL: it is not written as JSON wants it, is not finite, or is an
 * integer that int64 cannot hold, which json-glib would wrap. A text that is an object does not end
 * with a number, so strtod() and strtoll() do not read beyond it. */
static const gchar *
skip_json_number (const gchar *p, const gchar *end)
{
  const gchar *start = p, *digits = p + (*p == '-' ? 1 : 0);
  gboolean real = FALSE;

  p = skip_digits (digits, end);
  if (p == digits || (*digits == '0' && p > digits + 1))
    return NULL;
  if (p < end && *p == '.') {
    real = TRUE;
    digits = p + 1;
    if ((p = skip_digits (digits, end)) == digits)
      return NULL;
  }
  if (p < end && (*p == 'e' || *p == 'E')) {
    real = TRUE;
    digits = p + (p + 1 < end && (p[1] == '+' || p[1] == '-') ? 2 : 1);
    if ((p = skip_digits (digits, end)) == digits)
      return NULL;
  }
  if (p == end || (real && !isfinite (g_ascii_strtod (start, NULL))))
    return NULL;
  errno = 0;
  g_ascii_strtoll (start, NULL, 10);
  return real || errno == 0 ? p : NULL;
}

static const gchar *
skip_json_word (const gchar *p, const gchar *end)
{
  static const gchar *const words[] = { "true", "false", "null" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (words); i++) {
    gsize length = strlen (words[i]);

    if ((gsize) (end - p) >= length && memcmp (p, words[i], length) == 0)
      return p + length;
  }
  return NULL;
}

/* What follows the token at @p; NULL: it is not valid. */
static const gchar *
skip_json_token (const gchar *p, const gchar *end)
{
  if (*p == '"')
    return skip_json_text (p, end);
  if (*p == '-' || g_ascii_isdigit (*p))
    return skip_json_number (p, end);
  if (g_ascii_isalpha (*p))
    return skip_json_word (p, end);
  return strchr ("{}[]:, \t\r\n", *p) != NULL ? p + 1 : NULL;
}

static void
set_json_error (GError **error, const gchar *text, const gchar *at, const gchar *fault)
{
  const gchar *p, *line = text;
  guint lines = 1;

  for (p = text; p < at; p++) {
    if (*p == '\n') {
      line = p + 1;
      lines++;
    }
  }
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, NOT_JSON "line %u, column %ld: %s",
      lines, g_utf8_strlen (line, at - line) + 1, fault);
}

/* Why the token from @p to @next may not stand there, or NULL. */
static const gchar *
find_json_fault (const gchar *p, const gchar *next, guint depth, guint objects)
{
  if (next == NULL)
    return "no text, number or word of JSON stands here";
  if (depth == 0 && !g_ascii_isspace (*p) && (*p != '{' || objects > 0))
    return "one object, {\"name\": value, …}, must stand here, and nothing else";
  if (depth == FAL_VALUE_MAX_DEPTH && (*p == '{' || *p == '['))
    return "it is nested too deeply";
  return objects < FAL_VALUE_MAX_OBJECTS ? NULL : "it holds too many values";
}

/* Refuses what json-glib must not get: deep nesting, with which 1.6 overflows the stack; very many
 * values; and what it accepts though it is not JSON: comments, single quotes, text after the
 * object, numbers that it would change (010, 2⁶³). json-glib checks the order of the tokens. */
static gboolean
check_json (const gchar *text, gsize length, GError **error)
{
  const gchar *p, *next, *end;
  guint depth = 0, objects = 0;

  if (length == 0) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, NOT_JSON "it is empty");
    return FALSE;
  }
  if (length > MAX_JSON_BYTES || !g_utf8_validate_len (text, length, NULL)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        NOT_JSON "%" G_GSIZE_FORMAT " bytes are %s", length,
        length > MAX_JSON_BYTES ? "more than 16 MiB" : "not UTF-8 text");
    return FALSE;
  }
  end = text + length;
  for (p = text; p < end; p = next) {
    const gchar *fault;

    next = skip_json_token (p, end);
    fault = find_json_fault (p, next, depth, objects);
    if (fault != NULL) {
      set_json_error (error, text, p, fault);
      return FALSE;
    }
    objects += *p == '{' || *p == '[' || *p == ',' ? 1 : 0;
    depth += *p == '{' || *p == '[' ? 1 : 0;
    depth -= *p == '}' || *p == ']' ? 1 : 0;
  }
  return TRUE;
}

/* ---- Reading ---- */

static gboolean json_to_value (GValue *value, JsonNode *node, GError **error);

static gboolean
json_to_array (GValue *value, JsonArray *list, GError **error)
{
  guint i, n = json_array_get_length (list);
  g_autoptr (GArray) items = g_array_sized_new (FALSE, TRUE, sizeof (GValue), n);

  g_array_set_clear_func (items, (GDestroyNotify) g_value_unset);
  g_array_set_size (items, n);
  for (i = 0; i < n; i++) {
    GValue *item = &g_array_index (items, GValue, i);

    if (!json_to_value (item, json_array_get_element (list, i), error))
      return FALSE;
  }
  fal_value_take_list (value, (GValue *) items->data, items->len);
  return TRUE;
}

/* 0 is an error, unlike in msgpack: JSON comes from users, who should know what is left out. */
static GQuark
admit_name (const gchar *name, GError **error)
{
  gsize length = strlen (name);
  GQuark admitted;

  if (length > FAL_VALUE_MAX_NAME_BYTES) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "A field name of %" G_GSIZE_FORMAT " bytes is longer than %d", length,
        FAL_VALUE_MAX_NAME_BYTES);
    return 0;
  }
  admitted = fal_value_admit_name (name);
  if (admitted == 0)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "The field “%s” is refused: this process has seen too many different names", name);
  return admitted;
}

static GstStructure *
json_to_map (JsonObject *object, GError **error)
{
  g_autoptr (GstStructure) map = fal_value_new_map ();
  JsonObjectIter iter;
  const gchar *name;
  JsonNode *node;

  if (json_object_get_size (object) > FAL_VALUE_MAX_KEYS) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "A JSON object may have %u fields, not %u", FAL_VALUE_MAX_KEYS,
        json_object_get_size (object));
    return NULL;
  }
  json_object_iter_init_ordered (&iter, object);
  while (json_object_iter_next_ordered (&iter, &name, &node)) {
    g_auto (GValue) value = G_VALUE_INIT;
    GQuark admitted = admit_name (name, error);

    if (admitted == 0 || !json_to_value (&value, node, error))
      return NULL;
    fal_value_take_field (map, admitted, &value);
  }
  return g_steal_pointer (&map);
}

static gboolean
json_to_value (GValue *value, JsonNode *node, GError **error)
{
  GstStructure *map;

  switch (json_node_get_node_type (node)) {
  case JSON_NODE_OBJECT:
    if ((map = json_to_map (json_node_get_object (node), error)) == NULL)
      return FALSE;
    fal_value_take_map (value, map);
    return TRUE;
  case JSON_NODE_ARRAY:
    return json_to_array (value, json_node_get_array (node), error);
  case JSON_NODE_VALUE:
    json_node_get_value (node, value);
    return TRUE;
  default:
    g_value_init (value, G_TYPE_STRING);
    return TRUE;
  }
}

GstStructure *
fal_value_from_json (const gchar *text, gssize length, GError **error)
{
  gsize size = length < 0 ? strlen (text) : (gsize) length;
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) fault = NULL;
  JsonNode *root;

  if (!check_json (text, size, error))
    return NULL;
  if (!json_parser_load_from_data (parser, text, size, &fault)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, NOT_JSON "%s", fault->message);
    return NULL;
  }
  root = json_parser_get_root (parser);
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root)) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        NOT_JSON "an object, {\"name\": value, …}, is missing");
    return NULL;
  }
  return json_to_map (json_node_get_object (root), error);
}

/* ---- Writing; "out" is a JsonBuilder ---- */

static void
build_null (gpointer out)
{
  json_builder_add_null_value (out);
}

static void
build_boolean (gpointer out, gboolean value)
{
  json_builder_add_boolean_value (out, value);
}

static void
build_int64 (gpointer out, gint64 value)
{
  json_builder_add_int_value (out, value);
}

static const gchar *
build_uint64 (gpointer out, guint64 value)
{
  if (value > G_MAXINT64)
    return "it is too large for a JSON integer";
  json_builder_add_int_value (out, value);
  return NULL;
}

static const gchar *
build_float64 (gpointer out, gdouble value)
{
  if (!isfinite (value))
    return "JSON has no infinity and no NaN";
  json_builder_add_double_value (out, value);
  return NULL;
}

static const gchar *
build_text (gpointer out, const gchar *text, gsize size)
{
  json_builder_add_string_value (out, text);
  return NULL;
}

static const gchar *
build_bytes (gpointer out, gconstpointer data, gsize size)
{
  g_autofree gchar *text = g_base64_encode (data, size);

  json_builder_add_string_value (out, text);
  return NULL;
}

static void
begin_array (gpointer out, guint count)
{
  json_builder_begin_array (out);
}

static void
end_array (gpointer out)
{
  json_builder_end_array (out);
}

static void
begin_map (gpointer out, guint count)
{
  json_builder_begin_object (out);
}

static void
build_key (gpointer out, const gchar *key)
{
  json_builder_set_member_name (out, key);
}

static void
end_map (gpointer out)
{
  json_builder_end_object (out);
}

static const FalValueWriter json_writer = {
  build_null,
  build_boolean,
  build_int64,
  build_uint64,
  build_float64,
  build_text,
  build_bytes,
  begin_array,
  end_array,
  begin_map,
  build_key,
  end_map,
};

/* json-glib escapes all control characters but U+001F. It can occur in strings only. */
static gchar *
escape_unit_separators (gchar *json)
{
  GString *text;

  if (strchr (json, '\x1f') == NULL)
    return json;
  text = g_string_new (json);
  g_free (json);
  g_string_replace (text, "\x1f", "\\u001f", 0);
  return g_string_free (text, FALSE);
}

gchar *
fal_value_to_json_with (
    const GstStructure *map, const FalValueField *more, guint n_more, GError **error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonGenerator) generator = NULL;
  g_autoptr (JsonNode) root = NULL;

  if (!fal_value_write (&json_writer, builder, map, more, n_more, error))
    return NULL;
  root = json_builder_get_root (builder);
  generator = json_generator_new ();
  json_generator_set_root (generator, root);
  return escape_unit_separators (json_generator_to_data (generator, NULL));
}

gchar *
fal_value_to_json (const GstStructure *map, GError **error)
{
  return fal_value_to_json_with (map, NULL, 0, error);
}
