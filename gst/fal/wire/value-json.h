/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Values to and from JSON.
 *
 * Pure and thread safe; errors and limits as in value.h. */
#pragma once

#include "value.h"

G_BEGIN_DECLS

/* JSON text (@length bytes, or -1 when nul-terminated) that must be an object. */
GstStructure *fal_value_from_json (const gchar *text, gssize length, GError **error);

/* @map as compact JSON; GBytes become base64 text. Free with g_free(). */
gchar *fal_value_to_json (const GstStructure *map, GError **error);

G_END_DECLS
