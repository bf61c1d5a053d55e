/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Values that travel, as GstStructure.
 *
 * A map is a GstStructure (named "map"; its fields keep their order), a list a
 * GST_TYPE_ARRAY, binary data a G_TYPE_BYTES, text a G_TYPE_STRING, nil a
 * G_TYPE_STRING holding NULL; numbers are G_TYPE_INT64, G_TYPE_UINT64 (only
 * what exceeds int64) or G_TYPE_DOUBLE, truth a G_TYPE_BOOLEAN. GStreamer's lists
 * hold values of one kind: in a list of unlike values each stands as the field "value"
 * of a GstStructure named "any", which is not there on the wire.
 *
 * Pure and thread safe. Whatever comes from the peer is bounded before
 * anything is allocated for it. Errors are G_IO_ERROR_INVALID_DATA and, for
 * what a user gave us, G_IO_ERROR_INVALID_ARGUMENT. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define FAL_VALUE_MAX_DEPTH 32      /* maps and lists inside one another */
#define FAL_VALUE_MAX_OBJECTS 65536 /* values in one message */
#define FAL_VALUE_MAX_KEYS 1024     /* keys of one map */

/* The item of a GST_TYPE_ARRAY or GST_TYPE_LIST, without its "any"; NULL: there is none. */
const GValue *fal_value_get_item (const GValue *list, guint index);

/* The value at a dotted @path ("input.image"), or NULL. */
const GValue *fal_value_get_path (const GstStructure *map, const gchar *path);

/* Puts @value (taken, left unset) at a dotted @path, making maps on the way. */
void fal_value_take_path (GstStructure *map, const gchar *path, GValue *value);

/* Copies every field of @from over those of @into; maps are merged, the rest replaced. */
void fal_value_merge (GstStructure *into, const GstStructure *from);

G_END_DECLS
