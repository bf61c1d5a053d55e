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
#define NOT_JSON "it is not a JSON object, "

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

/* How far the check has come: what it has seen of values, and of the keys on each level. */
typedef struct {
  guint objects, depth;
  guint keys[FAL_VALUE_MAX_DEPTH + 1];
} Progress;

static void
note_token (Progress *progress, gchar token)
{
  switch (token) {
  case '{':
  case '[':
    progress->objects++;
    progress->keys[++progress->depth] = 0;
    break;
  case '}':
  case ']':
    progress->depth--;
    break;
  case ',':
    progress->objects++;
    break;
  case ':':
    progress->keys[progress->depth]++;
    break;
  default:
    break;
  }
}

/* Why the token from @p to @next may not stand there, or NULL. */
static const gchar *
find_json_fault (const gchar *p, const gchar *next, const Progress *progress)
{
  guint depth = progress->depth, objects = progress->objects;

  if (next == NULL)
    return "no text, number or word of JSON stands here";
  if (depth == 0 && !g_ascii_isspace (*p) && (*p != '{' || objects > 0))
    return "one object, {\"name\": value, ...}, must stand here, and nothing else";
  if (depth == FAL_VALUE_MAX_DEPTH && (*p == '{' || *p == '['))
    return "it is nested too deeply";
  if (progress->keys[depth] > FAL_VALUE_MAX_KEYS)
    return "an object in it has too many fields";
  return objects < FAL_VALUE_MAX_OBJECTS ? NULL : "it holds too many values";
}

/* Refuses what json-glib must not get: deep nesting, with which 1.6 overflows the stack; very many
 * values or keys; and what it accepts though it is not JSON: comments, single quotes, text after
 * the object, numbers that it would change (010, 2⁶³). json-glib checks the order of the tokens. */
static gboolean
check_json (const gchar *text, gsize length, GError **error)
{
  const gchar *p, *next, *end;
  Progress progress = { 0 };

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
    fault = find_json_fault (p, next, &progress);
    if (fault != NULL) {
      set_json_error (error, text, p, fault);
      return FALSE;
    }
    note_token (&progress, *p);
  }
  return TRUE;
}

/* ---- Reading ---- */

static gboolean json_to_value (GValue *value, JsonNode *node, FalNames *names, GError **error);

static gboolean
json_to_array (GValue *value, JsonArray *list, FalNames *names, GError **error)
{
  guint i, n = json_array_get_length (list);
  g_autoptr (GArray) items = g_array_sized_new (FALSE, TRUE, sizeof (GValue), n);

  g_array_set_clear_func (items, (GDestroyNotify) g_value_unset);
  g_array_set_size (items, n);
  for (i = 0; i < n; i++) {
    GValue *item = &g_array_index (items, GValue, i);

    if (!json_to_value (item, json_array_get_element (list, i), names, error))
      return FALSE;
  }
  fal_value_take_list (value, (GValue *) items->data, items->len);
  return TRUE;
}

/* A field is left out of what a peer sends; a user should know what cannot be sent. */
static gboolean
leave_out (const gchar *name, FalNames *names, GError **error)
{
  if (names == NULL) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "a field name of %" G_GSIZE_FORMAT " bytes is longer than %d", strlen (name),
        FAL_NAMES_MAX_BYTES);
    return FALSE;
  }
  fal_names_note_dropped (names);
  return TRUE;
}

static gboolean
take_json_field (
    GstStructure *map, const gchar *name, JsonNode *node, FalNames *names, GError **error)
{
  GQuark admitted = fal_names_admit (names, name);
  g_auto (GValue) value = G_VALUE_INIT;

  if (admitted == 0)
    return leave_out (name, names, error);
  if (!json_to_value (&value, node, names, error))
    return FALSE;
  fal_value_take_field (map, admitted, &value);
  return TRUE;
}

static GstStructure *
json_to_map (JsonObject *object, FalNames *names, GError **error)
{
  g_autoptr (GstStructure) map = fal_value_new_map ();
  JsonObjectIter iter;
  const gchar *name;
  JsonNode *node;

  json_object_iter_init_ordered (&iter, object);
  while (json_object_iter_next_ordered (&iter, &name, &node)) {
    if (!take_json_field (map, name, node, names, error))
      return NULL;
  }
  return g_steal_pointer (&map);
}

static gboolean
json_to_value (GValue *value, JsonNode *node, FalNames *names, GError **error)
{
  GstStructure *map;

  switch (json_node_get_node_type (node)) {
  case JSON_NODE_OBJECT:
    if ((map = json_to_map (json_node_get_object (node), names, error)) == NULL)
      return FALSE;
    fal_value_take_map (value, map);
    return TRUE;
  case JSON_NODE_ARRAY:
    return json_to_array (value, json_node_get_array (node), names, error);
  case JSON_NODE_VALUE:
    json_node_get_value (node, value);
    return TRUE;
  default:
    g_value_init (value, G_TYPE_STRING);
    return TRUE;
  }
}

static GstStructure *
parse_json (const gchar *text, gssize length, FalNames *names, GError **error)
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
        NOT_JSON "an object, {\"name\": value, ...}, is missing");
    return NULL;
  }
  return json_to_map (json_node_get_object (root), names, error);
}

GstStructure *
fal_value_from_json (const gchar *text, gssize length, GError **error)
{
  return parse_json (text, length, NULL, error);
}

GstStructure *
fal_value_from_json_of_peer (const gchar *text, gssize length, FalNames *names, GError **error)
{
  return parse_json (text, length, names, error);
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

/* Bytes of the string, or of the one character, that @text begins with. */
static gsize
measure_token (const gchar *text)
{
  gsize size = 1;

  if (*text != '"')
    return 1;
  for (size += strcspn (text + size, "\"\\"); text[size] == '\\';)
    size += 2 + strcspn (text + size + 2, "\"\\");
  return size + 1;
}

/* json-glib writes 1e22 as 1e+22.0, which is no number, as it puts ".0" behind all that have no
 * point yet. */
static gchar *
mend_exponents (gchar *json)
{
  gboolean exponent = FALSE;
  gchar *to = json;
  gsize size;

  for (const gchar *from = json; *from != '\0'; from += size) {
    size = measure_token (from);
    if (*from == 'e' && from > json && g_ascii_isdigit (from[-1]))
      exponent = TRUE;
    else if (!g_ascii_isdigit (*from) && strchr ("+-.", *from) == NULL)
      exponent = FALSE;
    if (exponent && *from == '.') {
      size = strlen (".0");
      continue;
    }
    if (to != from)
      memmove (to, from, size);
    to += size;
  }
  *to = '\0';
  return json;
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
  return mend_exponents (escape_unit_separators (json_generator_to_data (generator, NULL)));
}

gchar *
fal_value_to_json (const GstStructure *map, GError **error)
{
  return fal_value_to_json_with (map, NULL, 0, error);
}
