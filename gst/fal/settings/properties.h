/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The element's properties as fields of the settings: one row for each. */
#pragma once

#include "settings.h"

G_BEGIN_DECLS

/* Installs the properties, with ids from 1 to the number returned. */
guint fal_properties_install (GObjectClass *klass);

void fal_properties_set (FalSettings *settings, guint id, const GValue *value);
void fal_properties_get (const FalSettings *settings, guint id, GValue *value);

/* @settings, @to: zeroed. */
void fal_properties_set_defaults (FalSettings *settings);
void fal_properties_copy (const FalSettings *from, FalSettings *to);
/* Frees what the fields hold. */
void fal_properties_clear (FalSettings *settings);

/* The name of a property that concerns the connection, and that the two have set differently;
 * NULL: none. */
const gchar *fal_properties_find_difference (const FalSettings *a, const FalSettings *b);

/* Whether the field at @offset was set by the user. */
gboolean fal_properties_is_set (const FalSettings *settings, gsize offset);

G_END_DECLS
