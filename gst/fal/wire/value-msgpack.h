/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Values to and from msgpack.
 *
 * Pure and thread safe; errors and limits as in value.h. */
#pragma once

#include "value.h"

G_BEGIN_DECLS

/* One whole msgpack message, which must be a map. Binary values of the result
 * are slices of @message and keep it alive. A field that is not text-keyed or
 * is of an extension type is left out. */
GstStructure *fal_value_from_msgpack (GBytes *message, GError **error);

/* @map as one msgpack map: integers in their smallest form, other numbers as
 * float64, GBytes as bin, a NULL string as nil. Also takes the types that a
 * user's GstStructure holds (int, uint, float, GST_TYPE_LIST); another type is
 * an error that names the field. */
GBytes *fal_value_to_msgpack (const GstStructure *map, GError **error);

G_END_DECLS
