/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Settings for tests without an element: a class of its own installs the properties. */
#pragma once

#include "fal/settings/settings.h"

/* Call once, after gst_init(). */
void install_properties (void);

/* All properties; free with g_free(). */
GParamSpec **list_properties (guint *n);

/* Its id; the test ends where there is none of that name. */
guint get_property_id (const gchar *name);

/* A new snapshot in which the property @name has the value of the text @value, as in a pipeline
 * description. */
FalSettings *settings_with (const FalSettings *settings, const gchar *name, const gchar *value);

/* New settings with the properties named: pairs of name and text; ends with NULL. */
FalSettings *make_settings (const gchar *name, ...) G_GNUC_NULL_TERMINATED;
