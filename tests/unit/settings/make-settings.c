/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "make-settings.h"
#include "fal/settings/properties.h"

static GObjectClass *properties_class;

static void
get_nothing (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
}

static void
set_nothing (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
}

static void
class_init (gpointer data, gpointer unused)
{
  GObjectClass *klass = data;

  klass->get_property = get_nothing;
  klass->set_property = set_nothing;
  fal_properties_install (klass);
}

void
install_properties (void)
{
  const GTypeInfo info = {
    .class_size = sizeof (GObjectClass),
    .class_init = class_init,
    .instance_size = sizeof (GObject),
  };
  GType type = g_type_register_static (G_TYPE_OBJECT, "Settings", &info, 0);

  properties_class = g_type_class_ref (type); /* kept until the program ends */
}

GParamSpec **
list_properties (guint *n)
{
  return g_object_class_list_properties (properties_class, n);
}

guint
get_property_id (const gchar *name)
{
  GParamSpec *spec = g_object_class_find_property (properties_class, name);

  g_assert_nonnull (spec);
  return spec->param_id;
}

FalSettings *
settings_with (const FalSettings *settings, const gchar *name, const gchar *text)
{
  GParamSpec *spec = g_object_class_find_property (properties_class, name);
  g_auto (GValue) value = G_VALUE_INIT;

  g_assert_nonnull (spec);
  g_value_init (&value, G_PARAM_SPEC_VALUE_TYPE (spec));
  g_assert_true (gst_value_deserialize (&value, text));
  return fal_settings_with (settings, spec->param_id, &value);
}

FalSettings *
make_settings (const gchar *name, ...)
{
  FalSettings *settings = fal_settings_new ();
  va_list names;

  va_start (names, name);
  for (; name != NULL; name = va_arg (names, const gchar *)) {
    g_autoptr (FalSettings) old = settings;

    settings = settings_with (old, name, va_arg (names, const gchar *));
  }
  va_end (names);
  return settings;
}
