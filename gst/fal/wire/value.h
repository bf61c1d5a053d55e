/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The values of msgpack and JSON as values of GStreamer.
 *
 * A map is a GstStructure named "map", whose fields keep their order; an array is a GST_TYPE_ARRAY;
 * bytes are a G_TYPE_BYTES; text is a G_TYPE_STRING; nil is a G_TYPE_STRING that is NULL; numbers
 * are G_TYPE_INT64, G_TYPE_UINT64 (only those too large for int64) or G_TYPE_DOUBLE; a boolean is a
 * G_TYPE_BOOLEAN. A GST_TYPE_ARRAY holds values of one type only: in an array of several types each
 * item is wrapped, as the field "value" of a GstStructure named "any". Messages do not show that.
 *
 * Pure; used on any thread. What comes from the server is checked against the limits below before
 * anything is allocated for it. Errors: G_IO_ERROR_INVALID_DATA for msgpack, which the server sent;
 * G_IO_ERROR_INVALID_ARGUMENT for JSON and for values that cannot be written. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define FAL_VALUE_MAX_DEPTH 32      /* maps and arrays nested within one another */
#define FAL_VALUE_MAX_OBJECTS 65536 /* values in one message */
#define FAL_VALUE_MAX_KEYS 1024     /* keys of one map */

/* The item of a GST_TYPE_ARRAY or GST_TYPE_LIST, unwrapped; NULL: @index is beyond the end, or
 * @list is neither. Borrowed. */
const GValue *fal_value_get_item (const GValue *list, guint index);

/* The value at a dotted @path ("input.image"), borrowed, or NULL. */
const GValue *fal_value_get_path (const GstStructure *map, const gchar *path);

/* Sets the value at a dotted @path to @value, which is taken and left unset. Maps that are missing
 * on the way are made; what is no map is replaced by one. */
void fal_value_take_path (GstStructure *map, const gchar *path, GValue *value);

/* The same for a map that stays as it is: makes of @value, which is for @path, what the path's
 * first name, which is returned, is to have. Free with g_free(). */
gchar *fal_value_wrap_path (const GstStructure *map, const gchar *path, GValue *value);

/* How much memory the values of @map take, about; texts and bytes are as large as the message that
 * they came in, and not counted. NULL takes none. */
gsize fal_value_get_size (const GstStructure *map);

/* A field that is written over that of its name in a map, or after all others. */
typedef struct {
  const gchar *name;
  const GValue *value;
} FalValueField;

/* Copies every field of @from to @into. A map is merged into the one that is there; all else is
 * replaced. */
void fal_value_merge (GstStructure *into, const GstStructure *from);

G_END_DECLS
