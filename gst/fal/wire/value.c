/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What msgpack and JSON have in common: the names of fields, arrays of several types, walking a
 * structure to write it, dotted paths. Pure; used on any thread. */
#include "value-private.h"

#include <gio/gio.h>
#include <string.h>

/* ---- Maps ---- */

void
fal_value_take_field (GstStructure *map, GQuark name, GValue *value)
{
#if GST_CHECK_VERSION(1, 26, 0)
  gst_structure_take_value_static_str (map, g_quark_to_string (name), value);
#else
  gst_structure_id_take_value (map, name, value);
#endif
}

/* By its text, the name of each new structure would be checked and looked up again. */
GstStructure *
fal_value_new_map (void)
{
#if GST_CHECK_VERSION(1, 26, 0)
  return gst_structure_new_static_str_empty ("map");
#else
  static gsize name = 0;

  if (g_once_init_enter (&name))
    g_once_init_leave (&name, g_quark_from_static_string ("map"));
  return gst_structure_new_id_empty (name);
#endif
}

void
fal_value_take_map (GValue *value, GstStructure *map)
{
  g_value_init (value, GST_TYPE_STRUCTURE);
  g_value_take_boxed (value, map);
}

/* ---- Arrays ---- */

/* The type that GStreamer compares when a value is appended to an array: of an array that of its
 * items; G_TYPE_INVALID for an empty one. */
static GType
get_item_type (const GValue *value)
{
  if (!GST_VALUE_HOLDS_ARRAY (value))
    return G_VALUE_TYPE (value);
  if (gst_value_array_get_size (value) == 0)
    return G_TYPE_INVALID;
  return get_item_type (gst_value_array_get_value (value, 0));
}

static gboolean
have_one_type (const GValue *items, guint n)
{
  GType kind = G_TYPE_INVALID;
  guint i;

  for (i = 0; i < n; i++) {
    GType other = get_item_type (&items[i]);

    if (kind == G_TYPE_INVALID)
      kind = other;
    if (other != G_TYPE_INVALID && other != kind)
      return FALSE;
  }
  return TRUE;
}

/* An item of an array of several types, see value.h. */
static void
wrap (GValue *item)
{
  GstStructure *any = gst_structure_new_empty ("any");

  gst_structure_take_value (any, "value", item);
  *item = (GValue) G_VALUE_INIT;
  fal_value_take_map (item, any);
}

static const GValue *
unwrap (const GValue *item)
{
  const GstStructure *any =
      GST_VALUE_HOLDS_STRUCTURE (item) ? gst_value_get_structure (item) : NULL;

  if (any == NULL || !gst_structure_has_name (any, "any") || gst_structure_n_fields (any) != 1 ||
      !gst_structure_has_field (any, "value"))
    return item;
  return gst_structure_get_value (any, "value");
}

const GValue *
fal_value_get_item (const GValue *list, guint index)
{
  if (GST_VALUE_HOLDS_ARRAY (list) && index < gst_value_array_get_size (list))
    return unwrap (gst_value_array_get_value (list, index));
  if (GST_VALUE_HOLDS_LIST (list) && index < gst_value_list_get_size (list))
    return unwrap (gst_value_list_get_value (list, index));
  return NULL;
}

void
fal_value_take_list (GValue *value, GValue *items, guint n)
{
  gboolean one_type = have_one_type (items, n);
  guint i;

  g_value_init (value, GST_TYPE_ARRAY);
  for (i = 0; i < n; i++) {
    if (!one_type)
      wrap (&items[i]);
    gst_value_array_append_and_take_value (value, &items[i]);
    items[i] = (GValue) G_VALUE_INIT;
  }
}

/* ---- Size ---- */

/* What one takes of memory, about, with its place in a map or array. */
#define MAP_SIZE 320
#define ARRAY_SIZE 260
#define LEAF_SIZE 64

#if GST_CHECK_VERSION(1, 26, 0)
typedef const GstIdStr *FieldName;
#define for_each_field gst_structure_foreach_id_str
#else
typedef GQuark FieldName;
#define for_each_field gst_structure_foreach
#endif

static gsize
get_value_size (const GValue *value)
{
  gsize size = ARRAY_SIZE;
  guint i, n;

  if (GST_VALUE_HOLDS_STRUCTURE (value))
    return fal_value_get_size (gst_value_get_structure (value));
  if (!GST_VALUE_HOLDS_ARRAY (value))
    return LEAF_SIZE;
  n = gst_value_array_get_size (value);
  for (i = 0; i < n; i++)
    size += get_value_size (gst_value_array_get_value (value, i));
  return size;
}

static gboolean
add_field_size (FieldName name, const GValue *value, gpointer size)
{
  *(gsize *) size += get_value_size (value);
  return TRUE;
}

gsize
fal_value_get_size (const GstStructure *map)
{
  gsize size = map != NULL ? MAP_SIZE : 0;

  if (map != NULL)
    for_each_field (map, add_field_size, &size);
  return size;
}

/* ---- Writing ---- */

/* The field that is being written: a chain on the stack, which becomes text only for an error. */
typedef struct _Step Step;
struct _Step {
  const Step *parent;
  const gchar *name; /* NULL: an item of an array */
  guint index;
  guint depth;
};

static gboolean write_value (const FalValueWriter *writer, gpointer out, const GValue *value,
    const Step *step, GError **error);

static void
append_path (GString *path, const Step *step)
{
  if (step->parent != NULL)
    append_path (path, step->parent);
  if (step->name == NULL)
    g_string_append_printf (path, "[%u]", step->index);
  else
    g_string_append_printf (path, "%s%s", path->len > 0 ? "." : "", step->name);
}

static gboolean
refuse (const Step *step, const GValue *value, const gchar *why, GError **error)
{
  g_autoptr (GString) path = g_string_new (NULL);

  append_path (path, step);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
      "the input \"%s\" of type %s cannot be sent: %s", path->str, G_VALUE_TYPE_NAME (value), why);
  return FALSE;
}

static const gchar *
write_text (const FalValueWriter *writer, gpointer out, const gchar *text)
{
  if (text == NULL) {
    writer->null (out);
    return NULL;
  }
  if (!g_utf8_validate (text, -1, NULL))
    return "it is not UTF-8 text";
  return writer->text (out, text, strlen (text));
}

static const gchar *
write_bytes (const FalValueWriter *writer, gpointer out, GBytes *bytes)
{
  gsize size;
  gconstpointer data;

  if (bytes == NULL) {
    writer->null (out);
    return NULL;
  }
  data = g_bytes_get_data (bytes, &size);
  return writer->bytes (out, data, size);
}

static const gchar *
write_buffer (const FalValueWriter *writer, gpointer out, GstBuffer *buffer)
{
  const gchar *fault;
  GstMapInfo map;

  if (buffer == NULL) {
    writer->null (out);
    return NULL;
  }
  if (!gst_buffer_map (buffer, &map, GST_MAP_READ))
    return "its memory cannot be read";
  fault = writer->bytes (out, map.data, map.size);
  gst_buffer_unmap (buffer, &map);
  return fault;
}

static gboolean
write_list (const FalValueWriter *writer, gpointer out, const GValue *value, const Step *step,
    GError **error)
{
  guint i, n = GST_VALUE_HOLDS_ARRAY (value) ? gst_value_array_get_size (value)
                                             : gst_value_list_get_size (value);

  writer->begin_array (out, n);
  for (i = 0; i < n; i++) {
    Step inner = { step, NULL, i, step->depth + 1 };

    if (!write_value (writer, out, fal_value_get_item (value, i), &inner, error))
      return FALSE;
  }
  writer->end_array (out);
  return TRUE;
}

static gboolean
write_field (const FalValueWriter *writer, gpointer out, const gchar *name, const GValue *value,
    const Step *parent, GError **error)
{
  Step step = { parent, name, 0, parent != NULL ? parent->depth + 1 : 1 };

  writer->key (out, name);
  return write_value (writer, out, value, &step, error);
}

static gboolean
write_map (const FalValueWriter *writer, gpointer out, const GstStructure *map, const Step *step,
    GError **error)
{
  guint i, n = gst_structure_n_fields (map);

  writer->begin_map (out, n);
  for (i = 0; i < n; i++) {
    const gchar *name = gst_structure_nth_field_name (map, i);

    if (!write_field (writer, out, name, gst_structure_get_value (map, name), step, error))
      return FALSE;
  }
  writer->end_map (out);
  return TRUE;
}

static const gchar *
write_leaf (const FalValueWriter *writer, gpointer out, const GValue *value)
{
  switch (G_VALUE_TYPE (value)) {
  case G_TYPE_BOOLEAN:
    writer->boolean (out, g_value_get_boolean (value));
    return NULL;
  case G_TYPE_INT:
    writer->int64 (out, g_value_get_int (value));
    return NULL;
  case G_TYPE_INT64:
    writer->int64 (out, g_value_get_int64 (value));
    return NULL;
  case G_TYPE_UINT:
    return writer->uint64 (out, g_value_get_uint (value));
  case G_TYPE_UINT64:
    return writer->uint64 (out, g_value_get_uint64 (value));
  case G_TYPE_FLOAT:
    return writer->float64 (out, g_value_get_float (value));
  case G_TYPE_DOUBLE:
    return writer->float64 (out, g_value_get_double (value));
  case G_TYPE_STRING:
    return write_text (writer, out, g_value_get_string (value));
  default:
    break;
  }
  if (G_VALUE_HOLDS (value, G_TYPE_BYTES))
    return write_bytes (writer, out, g_value_get_boxed (value));
  if (GST_VALUE_HOLDS_BUFFER (value))
    return write_buffer (writer, out, gst_value_get_buffer (value));
  return "neither msgpack nor JSON has such a type; use text, numbers, booleans, arrays, "
         "structures or bytes";
}

static gboolean
write_value (const FalValueWriter *writer, gpointer out, const GValue *value, const Step *step,
    GError **error)
{
  const gchar *fault = NULL;

  if (GST_VALUE_HOLDS_STRUCTURE (value) || GST_VALUE_HOLDS_ARRAY (value) ||
      GST_VALUE_HOLDS_LIST (value)) {
    if (step->depth >= FAL_VALUE_MAX_DEPTH)
      return refuse (step, value, "it is nested too deeply", error);
    if (!GST_VALUE_HOLDS_STRUCTURE (value))
      return write_list (writer, out, value, step, error);
    if (gst_value_get_structure (value) != NULL)
      return write_map (writer, out, gst_value_get_structure (value), step, error);
    writer->null (out);
    return TRUE;
  }
  fault = write_leaf (writer, out, value);
  return fault == NULL ? TRUE : refuse (step, value, fault, error);
}

static const GValue *
find_field (const FalValueField *fields, guint n, const gchar *name)
{
  guint i;

  for (i = 0; i < n; i++)
    if (strcmp (fields[i].name, name) == 0)
      return fields[i].value;
  return NULL;
}

static gboolean
has_field (const GstStructure *map, guint n, const gchar *name)
{
  while (n > 0)
    if (strcmp (gst_structure_nth_field_name (map, --n), name) == 0)
      return TRUE;
  return FALSE;
}

gboolean
fal_value_write (const FalValueWriter *writer, gpointer out, const GstStructure *map,
    const FalValueField *more, guint n_more, GError **error)
{
  guint i, n = map != NULL ? gst_structure_n_fields (map) : 0, total = n;

  for (i = 0; i < n_more; i++)
    total += has_field (map, n, more[i].name) ? 0 : 1;
  writer->begin_map (out, total);
  for (i = 0; i < n; i++) {
    const gchar *name = gst_structure_nth_field_name (map, i);
    const GValue *over = find_field (more, n_more, name);

    if (!write_field (
            writer, out, name, over ? over : gst_structure_get_value (map, name), NULL, error))
      return FALSE;
  }
  for (i = 0; i < n_more; i++)
    if (!has_field (map, n, more[i].name) &&
        !write_field (writer, out, more[i].name, more[i].value, NULL, error))
      return FALSE;
  writer->end_map (out);
  return TRUE;
}

/* ---- Paths ---- */

static const GValue *
walk_path (const GstStructure *map, const gchar *path)
{
  const gchar *dot = strchr (path, '.');
  g_autofree gchar *name = NULL;
  const GValue *value;

  if (map == NULL || dot == NULL)
    return map != NULL ? gst_structure_get_value (map, path) : NULL;
  name = g_strndup (path, dot - path);
  value = gst_structure_get_value (map, name);
  if (value == NULL || !GST_VALUE_HOLDS_STRUCTURE (value))
    return NULL;
  return walk_path (gst_value_get_structure (value), dot + 1);
}

const GValue *
fal_value_get_path (const GstStructure *map, const gchar *path)
{
  return *path != '\0' ? walk_path (map, path) : NULL;
}

/* A copy of the map in field @name, or an empty one. */
static GstStructure *
copy_inner_map (const GstStructure *map, const gchar *name)
{
  const GValue *value = gst_structure_get_value (map, name);

  if (value != NULL && GST_VALUE_HOLDS_STRUCTURE (value) && gst_value_get_structure (value) != NULL)
    return gst_structure_copy (gst_value_get_structure (value));
  return fal_value_new_map ();
}

gchar *
fal_value_wrap_path (const GstStructure *map, const gchar *path, GValue *value)
{
  const gchar *dot = strchr (path, '.');
  g_autofree gchar *name = NULL;
  GstStructure *inner;

  if (dot == NULL)
    return g_strdup (path);
  name = g_strndup (path, dot - path);
  inner = map != NULL ? copy_inner_map (map, name) : fal_value_new_map ();
  fal_value_take_path (inner, dot + 1, value);
  fal_value_take_map (value, inner);
  return g_steal_pointer (&name);
}

void
fal_value_take_path (GstStructure *map, const gchar *path, GValue *value)
{
  g_autofree gchar *name = fal_value_wrap_path (map, path, value);

  gst_structure_take_value (map, name, value);
}

void
fal_value_merge (GstStructure *into, const GstStructure *from)
{
  guint i, n = gst_structure_n_fields (from);

  for (i = 0; i < n; i++) {
    const gchar *name = gst_structure_nth_field_name (from, i);
    const GValue *value = gst_structure_get_value (from, name);
    GValue inner = G_VALUE_INIT;

    if (!GST_VALUE_HOLDS_STRUCTURE (value) || gst_value_get_structure (value) == NULL) {
      gst_structure_set_value (into, name, value);
      continue;
    }
    fal_value_take_map (&inner, copy_inner_map (into, name));
    fal_value_merge (g_value_get_boxed (&inner), gst_value_get_structure (value));
    gst_structure_take_value (into, name, &inner);
  }
}
