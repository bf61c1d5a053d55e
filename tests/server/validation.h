/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a typed app checks of a request before its model sees it. An error's message is the reason
 * that a client is told, and begins with the field's name. Pure; any thread. */
#pragma once

#include "schema.h"

G_BEGIN_DECLS

/* Refuses fields that the schema does not know, in pydantic's words. */
gboolean fal_validation_check_fields (
    const FalSchema *schema, const GstStructure *request, GError **error);

/* The request's image as it came; NULL without an error where it has none and needs none. */
GBytes *fal_validation_find_image (
    const FalSchema *schema, const GstStructure *request, GError **error);

/* A colour in a field that need not be there, as "#rrggbb"; FALSE without an error where it is not.
 */
gboolean fal_validation_find_colour (
    const GstStructure *request, const gchar *field, guint8 colour[3], GError **error);

/* "@field: field required"; returns FALSE. */
gboolean fal_validation_set_missing (const gchar *field, GError **error);

G_END_DECLS
