/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parses and writes msgpack. Pure; used on any thread. Errors and limits: see value.h. */
#pragma once

#include "names.h"
#include "value.h"

G_BEGIN_DECLS

/* Parses @message, which must be one map and nothing else. Its bytes are not copied: each GBytes of
 * the result is a slice that keeps @message alive. A field is left out, and counted in @names,
 * where its key is not text or not admitted by @names, or its value is of an extension type. @names
 * NULL: the message is the user's own. */
GstStructure *fal_value_from_msgpack (GBytes *message, FalNames *names, GError **error);

/* @map as one msgpack map: integers in their shortest form, other numbers as float 64, GBytes and
 * GstBuffer as bin, a NULL string as nil. The types that a user may put into a GstStructure (int,
 * uint, float, GST_TYPE_LIST) are written too; any other is an error that names the field. */
GBytes *fal_value_to_msgpack (const GstStructure *map, GError **error);

/* The same of a map, which may be NULL, that has the @n_more of @more too, whose names differ: so
 * that it need not be copied to get them. */
GBytes *fal_value_to_msgpack_with (
    const GstStructure *map, const FalValueField *more, guint n_more, GError **error);

G_END_DECLS
