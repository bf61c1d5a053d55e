/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Settings know the defaults of their fields, and free what those hold, only once a class has the
 * properties; any class will do. */
#pragma once

#include "fal/settings/properties.h"

static inline void
get_nothing (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
}

static inline void
set_nothing (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
}

static inline void
init_settings_class (gpointer data, gpointer unused)
{
  GObjectClass *klass = data;

  klass->get_property = get_nothing;
  klass->set_property = set_nothing;
  fal_properties_install (klass);
}

static inline void
install_properties (void)
{
  const GTypeInfo info = {
    .class_size = sizeof (GObjectClass),
    .class_init = init_settings_class,
    .instance_size = sizeof (GObject),
  };

  g_type_class_ref (g_type_register_static (G_TYPE_OBJECT, "Settings", &info, 0)); /* for ever */
}
