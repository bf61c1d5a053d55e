/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parses and writes JSON. Pure; used on any thread. Errors and limits: see value.h. */
#pragma once

#include "names.h"
#include "value.h"

G_BEGIN_DECLS

/* Parses JSON text of the user, which must be an object. @length: in bytes; −1: up to its NUL. */
GstStructure *fal_value_from_json (const gchar *text, gssize length, GError **error);

/* The same for text of a peer: a field is left out, and counted in @names, where its key is not
 * admitted by them. */
GstStructure *fal_value_from_json_of_peer (
    const gchar *text, gssize length, FalNames *names, GError **error);

/* @map as JSON without white space; bytes become base64 text. Free with g_free(). */
gchar *fal_value_to_json (const GstStructure *map, GError **error);

/* The same of a map, which may be NULL, that has the @n_more of @more too, whose names differ: so
 * that it need not be copied to get them. */
gchar *fal_value_to_json_with (
    const GstStructure *map, const FalValueField *more, guint n_more, GError **error);

G_END_DECLS
