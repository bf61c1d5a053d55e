/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* msgpack by msgpack-c, whose parser gets only bytes in which every count and length was checked.
 * Pure; used on any thread. */
#include "value-msgpack.h"
#include "value-private.h"

#include <gio/gio.h>
#include <msgpack.h>
#include <string.h>

/* ---- Checking counts and lengths ---- */

typedef enum { SCALAR, ARRAY, MAP, NEVER } Shape;

/* What the first byte of a msgpack object says. The count is in the @width bytes that follow, or in
 * the first byte under @mask. A scalar's body has the count plus @extra bytes. */
typedef struct {
  guint8 shape;
  guint8 mask;
  guint8 width;
  guint8 extra;
} Form;

static const Form forms[256] = {
  [0x00 ... 0x7f] = { SCALAR, 0, 0, 0 },    /* positive fixint */
  [0x80 ... 0x8f] = { MAP, 0x0f, 0, 0 },    /* fixmap */
  [0x90 ... 0x9f] = { ARRAY, 0x0f, 0, 0 },  /* fixarray */
  [0xa0 ... 0xbf] = { SCALAR, 0x1f, 0, 0 }, /* fixstr */
  [0xc0] = { SCALAR, 0, 0, 0 },             /* nil */
  [0xc1] = { NEVER, 0, 0, 0 },              /* not used */
  [0xc2 ... 0xc3] = { SCALAR, 0, 0, 0 },    /* false, true */
  [0xc4] = { SCALAR, 0, 1, 0 },             /* bin 8 */
  [0xc5] = { SCALAR, 0, 2, 0 },             /* bin 16 */
  [0xc6] = { SCALAR, 0, 4, 0 },             /* bin 32 */
  [0xc7] = { SCALAR, 0, 1, 1 },             /* ext 8 */
  [0xc8] = { SCALAR, 0, 2, 1 },             /* ext 16 */
  [0xc9] = { SCALAR, 0, 4, 1 },             /* ext 32 */
  [0xca] = { SCALAR, 0, 0, 4 },             /* float 32 */
  [0xcb] = { SCALAR, 0, 0, 8 },             /* float 64 */
  [0xcc] = { SCALAR, 0, 0, 1 },             /* uint 8 */
  [0xcd] = { SCALAR, 0, 0, 2 },             /* uint 16 */
  [0xce] = { SCALAR, 0, 0, 4 },             /* uint 32 */
  [0xcf] = { SCALAR, 0, 0, 8 },             /* uint 64 */
  [0xd0] = { SCALAR, 0, 0, 1 },             /* int 8 */
  [0xd1] = { SCALAR, 0, 0, 2 },             /* int 16 */
  [0xd2] = { SCALAR, 0, 0, 4 },             /* int 32 */
  [0xd3] = { SCALAR, 0, 0, 8 },             /* int 64 */
  [0xd4] = { SCALAR, 0, 0, 2 },             /* fixext 1 */
  [0xd5] = { SCALAR, 0, 0, 3 },             /* fixext 2 */
  [0xd6] = { SCALAR, 0, 0, 5 },             /* fixext 4 */
  [0xd7] = { SCALAR, 0, 0, 9 },             /* fixext 8 */
  [0xd8] = { SCALAR, 0, 0, 17 },            /* fixext 16 */
  [0xd9] = { SCALAR, 0, 1, 0 },             /* str 8 */
  [0xda] = { SCALAR, 0, 2, 0 },             /* str 16 */
  [0xdb] = { SCALAR, 0, 4, 0 },             /* str 32 */
  [0xdc] = { ARRAY, 0, 2, 0 },              /* array 16 */
  [0xdd] = { ARRAY, 0, 4, 0 },              /* array 32 */
  [0xde] = { MAP, 0, 2, 0 },                /* map 16 */
  [0xdf] = { MAP, 0, 4, 0 },                /* map 32 */
  [0xe0 ... 0xff] = { SCALAR, 0, 0, 0 },    /* negative fixint */
};

typedef struct {
  const guint8 *at, *end;
} Reader;

typedef struct {
  guint8 shape;
  guint64 count; /* objects within; of a scalar, bytes */
} Head;

/* Reads the head of an object and moves the reader to what follows it. FALSE: the bytes end before
 * as many follow as it says. */
static gboolean
read_head (Reader *reader, Head *head)
{
  const Form *form;
  guint i;

  if (reader->at == reader->end)
    return FALSE;
  form = &forms[*reader->at];
  head->shape = form->shape;
  head->count = *reader->at++ & form->mask;
  if (reader->end - reader->at < form->width)
    return FALSE;
  for (i = 0; i < form->width; i++)
    head->count = head->count << 8 | *reader->at++;
  head->count = (head->count << (form->shape == MAP ? 1 : 0)) + form->extra;
  return head->count <= (guint64) (reader->end - reader->at);
}

/* Why the bytes are not one whole map within the limits, or NULL. msgpack-c allocates as much as a
 * count claims, so it must not get a count that is larger than the bytes that follow. */
static const gchar *
find_msgpack_fault (Reader reader)
{
  guint64 left[FAL_VALUE_MAX_DEPTH]; /* objects still to come on each level, outermost first */
  guint depth = 0, objects = 0;
  Head head;

  do {
    if (!read_head (&reader, &head))
      return "it ends too early";
    if (head.shape == NEVER)
      return "it holds a byte that msgpack does not use";
    if (objects == 0 && head.shape != MAP)
      return "it is not a map";
    if (++objects > FAL_VALUE_MAX_OBJECTS)
      return "it holds too many values";
    if (head.shape == MAP && head.count / 2 > FAL_VALUE_MAX_KEYS)
      return "a map in it has too many keys";
    if (head.shape == SCALAR)
      reader.at += head.count;
    else if (depth == FAL_VALUE_MAX_DEPTH)
      return "it is nested too deeply";
    else
      left[depth++] = head.count + 1; /* with itself, which is subtracted below */
    while (depth > 0 && --left[depth - 1] == 0)
      depth--;
  } while (depth > 0);
  return reader.at == reader.end ? NULL : "bytes follow it";
}

/* ---- Reading ---- */

/* What goes along while a message is read. */
typedef struct {
  GBytes *message;
  FalNames *names;
} Source;

static void msgpack_to_value (GValue *value, const msgpack_object *object, const Source *source);

/* Where @size is 0 msgpack-c leaves the pointer uninitialised. */
static void
take_slice (GValue *value, GBytes *message, const gchar *data, gsize size)
{
  const gchar *start = g_bytes_get_data (message, NULL);

  g_value_init (value, G_TYPE_BYTES);
  g_value_take_boxed (value, g_bytes_new_from_bytes (message, size > 0 ? data - start : 0, size));
}

static gboolean
is_text (const msgpack_object_str *text)
{
  return text->size == 0 || g_utf8_validate_len (text->ptr, text->size, NULL);
}

/* Encoders of the old msgpack format send bytes as str. What is not UTF-8, or has a NUL, counts as
 * bytes. */
static void
msgpack_to_text (GValue *value, const msgpack_object_str *text, GBytes *message)
{
  if (!is_text (text)) {
    take_slice (value, message, text->ptr, text->size);
    return;
  }
  g_value_init (value, G_TYPE_STRING);
  g_value_take_string (value, g_strndup (text->size > 0 ? text->ptr : "", text->size));
}

static void
msgpack_to_array (GValue *value, const msgpack_object_array *array, const Source *source)
{
  g_autofree GValue *items = g_new0 (GValue, array->size);
  guint i, n = 0;

  for (i = 0; i < array->size; i++) {
    msgpack_to_value (&items[n], &array->ptr[i], source);
    if (G_IS_VALUE (&items[n]))
      n++;
  }
  fal_value_take_list (value, items, n);
}

/* The name that @key gives a field; 0: it is left out. */
static GQuark
get_name (const msgpack_object *key, FalNames *names)
{
  const msgpack_object_str *text = &key->via.str;
  gchar name[FAL_NAMES_MAX_BYTES + 1];

  if (key->type != MSGPACK_OBJECT_STR || text->size > FAL_NAMES_MAX_BYTES)
    return 0;
  if (!is_text (text))
    return 0;
  if (text->size > 0)
    memcpy (name, text->ptr, text->size);
  name[text->size] = '\0';
  return fal_names_admit (names, name);
}

static GstStructure *
msgpack_to_map (const msgpack_object_map *map, const Source *source)
{
  GstStructure *structure = fal_value_new_map ();
  guint i;

  for (i = 0; i < map->size; i++) {
    const msgpack_object_kv *field = &map->ptr[i];
    gboolean extends = field->val.type == MSGPACK_OBJECT_EXT;
    GQuark name = extends ? 0 : get_name (&field->key, source->names);
    GValue value = G_VALUE_INIT;

    if (name == 0) {
      fal_names_note_dropped (source->names);
      continue;
    }
    msgpack_to_value (&value, &field->val, source);
    fal_value_take_field (structure, name, &value);
  }
  return structure;
}

/* Leaves @value unset for an extension type, which is ignored. */
static void
msgpack_to_value (GValue *value, const msgpack_object *object, const Source *source)
{
  switch (object->type) {
  case MSGPACK_OBJECT_NIL:
    g_value_init (value, G_TYPE_STRING);
    break;
  case MSGPACK_OBJECT_BOOLEAN:
    g_value_init (value, G_TYPE_BOOLEAN);
    g_value_set_boolean (value, object->via.boolean);
    break;
  case MSGPACK_OBJECT_POSITIVE_INTEGER:
    g_value_init (value, object->via.u64 > G_MAXINT64 ? G_TYPE_UINT64 : G_TYPE_INT64);
    if (object->via.u64 > G_MAXINT64)
      g_value_set_uint64 (value, object->via.u64);
    else
      g_value_set_int64 (value, object->via.u64);
    break;
  case MSGPACK_OBJECT_NEGATIVE_INTEGER:
    g_value_init (value, G_TYPE_INT64);
    g_value_set_int64 (value, object->via.i64);
    break;
  case MSGPACK_OBJECT_FLOAT32:
  case MSGPACK_OBJECT_FLOAT64:
    g_value_init (value, G_TYPE_DOUBLE);
    g_value_set_double (value, object->via.f64);
    break;
  case MSGPACK_OBJECT_STR:
    msgpack_to_text (value, &object->via.str, source->message);
    break;
  case MSGPACK_OBJECT_BIN:
    take_slice (value, source->message, object->via.bin.ptr, object->via.bin.size);
    break;
  case MSGPACK_OBJECT_ARRAY:
    msgpack_to_array (value, &object->via.array, source);
    break;
  case MSGPACK_OBJECT_MAP:
    fal_value_take_map (value, msgpack_to_map (&object->via.map, source));
    break;
  default:
    break;
  }
}

GstStructure *
fal_value_from_msgpack (GBytes *message, FalNames *names, GError **error)
{
  const Source source = { message, names };
  gsize size, offset = 0;
  const guint8 *data = g_bytes_get_data (message, &size);
  const gchar *fault =
      size > 0 ? find_msgpack_fault ((Reader){ data, data + size }) : "it is empty";
  GstStructure *map = NULL;
  msgpack_unpacked unpacked;

  msgpack_unpacked_init (&unpacked);
  if (fault == NULL)
    fault = msgpack_unpack_next (&unpacked, (const char *) data, size, &offset) ==
                    MSGPACK_UNPACK_SUCCESS
                ? NULL
                : "it could not be unpacked";
  if (fault == NULL)
    map = msgpack_to_map (&unpacked.data.via.map, &source);
  else
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
        "a message of %" G_GSIZE_FORMAT " bytes is not a msgpack map that can be read: %s", size,
        fault);
  msgpack_unpacked_destroy (&unpacked);
  return map;
}

/* ---- Writing; "out" is a msgpack_packer ---- */

static void
pack_null (gpointer out)
{
  msgpack_pack_nil (out);
}

static void
pack_boolean (gpointer out, gboolean value)
{
  if (value)
    msgpack_pack_true (out);
  else
    msgpack_pack_false (out);
}

static void
pack_signed (gpointer out, gint64 value)
{
  msgpack_pack_int64 (out, value);
}

static const gchar *
pack_unsigned (gpointer out, guint64 value)
{
  msgpack_pack_uint64 (out, value);
  return NULL;
}

static const gchar *
pack_float (gpointer out, gdouble value)
{
  msgpack_pack_double (out, value);
  return NULL;
}

static const gchar *
pack_text (gpointer out, const gchar *text, gsize size)
{
  if (size > G_MAXUINT32)
    return "it is larger than 4 GiB";
  msgpack_pack_str_with_body (out, text, size);
  return NULL;
}

static const gchar *
pack_bytes (gpointer out, gconstpointer data, gsize size)
{
  if (size > G_MAXUINT32)
    return "it is larger than 4 GiB";
  msgpack_pack_bin_with_body (out, data, size);
  return NULL;
}

static void
pack_array (gpointer out, guint count)
{
  msgpack_pack_array (out, count);
}

static void
pack_map (gpointer out, guint count)
{
  msgpack_pack_map (out, count);
}

static void
pack_key (gpointer out, const gchar *name)
{
  msgpack_pack_str_with_body (out, name, strlen (name));
}

static void
pack_end (gpointer out)
{
}

static const FalValueWriter msgpack_writer = {
  pack_null,
  pack_boolean,
  pack_signed,
  pack_unsigned,
  pack_float,
  pack_text,
  pack_bytes,
  pack_array,
  pack_end,
  pack_map,
  pack_key,
  pack_end,
};

/* The bytes of a picture come in one piece, so the array grows once for them. */
static int
append_packed (void *array, const char *data, size_t size)
{
  if (size > 0)
    g_byte_array_append (array, (const guint8 *) data, size);
  return 0;
}

GBytes *
fal_value_to_msgpack_with (
    const GstStructure *map, const FalValueField *more, guint n_more, GError **error)
{
  g_autoptr (GByteArray) array = g_byte_array_sized_new (1024);
  msgpack_packer packer;

  msgpack_packer_init (&packer, array, append_packed);
  if (!fal_value_write (&msgpack_writer, &packer, map, more, n_more, error))
    return NULL;
  return g_byte_array_free_to_bytes (g_steal_pointer (&array));
}

GBytes *
fal_value_to_msgpack (const GstStructure *map, GError **error)
{
  return fal_value_to_msgpack_with (map, NULL, 0, error);
}
