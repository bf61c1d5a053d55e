/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The built-in presets are compiled in. As a file they would have to be in a folder of GStreamer's,
 * to which a plugin that is installed for one user alone cannot write. */
#include "gstfalpresets.h"

#define MAX_VALUES 10

typedef struct {
  const gchar *property, *value;
} Setting;

typedef struct {
  const gchar *name, *comment;
  Setting settings[MAX_VALUES];
} Preset;

/* Values are written as in a pipeline description. The fields of a model, and its size where it has
 * a best one, follow from app. */
static const Preset presets[] = {
  { "Live LCM",
      "For a webcam: fal-ai/fast-lcm-diffusion at 512 x 512, as many pictures as it makes",
      { { "app", "fal-ai/fast-lcm-diffusion/image-to-image" }, { "width", "512" },
          { "height", "512" }, { "num-inference-steps", "4" }, { "guidance-scale", "1" },
          { "strength", "0.65" }, { "throttle-interval", "0" } } },
  { "Live FLUX.2 klein", "For a webcam: fal-ai/flux-2/klein/realtime at 704 x 704",
      { { "app", "fal-ai/flux-2/klein/realtime" }, { "throttle-interval", "0" } } },
  { "Live SD Turbo",
      "For a webcam: fal-ai/sd-turbo-real-time-high-fps-msgpack, many pictures a second",
      { { "app", "fal-ai/sd-turbo-real-time-high-fps-msgpack" }, { "width", "512" },
          { "height", "512" }, { "num-inference-steps", "2" }, { "strength", "0.5" },
          { "throttle-interval", "0" } } },
  { "Live cut-out",
      "For a webcam: its frames with alpha, the person without the background, by fal-ai/birefnet",
      { { "app", "fal-ai/birefnet" }, { "width", "512" }, { "height", "512" }, { "fit", "stretch" },
          { "composite", "matte" }, { "composite-frames", "all" }, { "latency-mode", "auto" },
          { "throttle-interval", "0" } } },
  { "Live background blur",
      "For a webcam: its frames with everything blurred but the person, by fal-ai/birefnet",
      { { "app", "fal-ai/birefnet" }, { "width", "512" }, { "height", "512" }, { "fit", "stretch" },
          { "composite", "matte-over" }, { "background", "blur" }, { "composite-frames", "all" },
          { "latency-mode", "auto" }, { "throttle-interval", "0" } } },
  { "Every frame of a file",
      "For any app: no frame is lost, and each result keeps the time of its frame",
      { { "leaky", "no" }, { "throttle-interval", "0" }, { "timestamp-mode", "input" } } },
  { "In sync with sound", "For any app, live: results keep the time of their frame, 800 ms behind",
      { { "latency", "800" }, { "throttle-interval", "0" }, { "fallback", "last" } } },
  { "Never without a picture",
      "For any app, live: the camera's picture is shown while no result comes",
      { { "fallback", "passthrough" }, { "fallback-timeout", "500" } } },
};

/* GStreamer's own functions, which keep what users save. */
static GstPresetInterface usual;

static const Preset *
find_preset (const gchar *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (presets); i++)
    if (g_strcmp0 (presets[i].name, name) == 0)
      return &presets[i];
  return NULL;
}

static gchar **
get_preset_names (GstPreset *preset)
{
  g_auto (GStrv) saved = usual.get_preset_names (preset);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (guint i = 0; i < G_N_ELEMENTS (presets); i++)
    g_strv_builder_add (builder, presets[i].name);
  for (guint i = 0; saved && saved[i]; i++)
    if (find_preset (saved[i]) == NULL)
      g_strv_builder_add (builder, saved[i]);
  return g_strv_builder_end (builder);
}

/* Name and parent of the element are not saved, nor is a structure that is NULL, which GStreamer
 * cannot write. */
static gboolean
is_saved (GstPreset *preset, const gchar *name)
{
  GParamSpec *spec = g_object_class_find_property (G_OBJECT_GET_CLASS (preset), name);
  g_auto (GValue) value = G_VALUE_INIT;

  if (spec->owner_type != G_OBJECT_TYPE (preset))
    return FALSE;
  if (!G_IS_PARAM_SPEC_BOXED (spec))
    return TRUE;
  g_value_init (&value, spec->value_type);
  g_object_get_property (G_OBJECT (preset), name, &value);
  return g_value_get_boxed (&value) != NULL;
}

static gchar **
get_property_names (GstPreset *preset)
{
  g_auto (GStrv) all = usual.get_property_names (preset);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (guint i = 0; all && all[i]; i++)
    if (is_saved (preset, all[i]))
      g_strv_builder_add (builder, all[i]);
  return g_strv_builder_end (builder);
}

static gboolean
load_preset (GstPreset *preset, const gchar *name)
{
  const Preset *built_in = find_preset (name);

  if (built_in == NULL)
    return usual.load_preset (preset, name);
  for (const Setting *setting = built_in->settings; setting->property; setting++)
    gst_util_set_object_arg (G_OBJECT (preset), setting->property, setting->value);
  return TRUE;
}

static gboolean
save_preset (GstPreset *preset, const gchar *name)
{
  return find_preset (name) == NULL && usual.save_preset (preset, name);
}

static gboolean
rename_preset (GstPreset *preset, const gchar *old_name, const gchar *new_name)
{
  return find_preset (old_name) == NULL && find_preset (new_name) == NULL &&
         usual.rename_preset (preset, old_name, new_name);
}

static gboolean
delete_preset (GstPreset *preset, const gchar *name)
{
  return find_preset (name) == NULL && usual.delete_preset (preset, name);
}

static gboolean
set_meta (GstPreset *preset, const gchar *name, const gchar *tag, const gchar *value)
{
  return find_preset (name) == NULL && usual.set_meta (preset, name, tag, value);
}

static gboolean
get_meta (GstPreset *preset, const gchar *name, const gchar *tag, gchar **value)
{
  const Preset *built_in = find_preset (name);

  if (built_in == NULL)
    return usual.get_meta (preset, name, tag, value);
  *value = g_strcmp0 (tag, "comment") == 0 ? g_strdup (built_in->comment) : NULL;
  return *value != NULL;
}

void
gst_fal_presets_init (GstPresetInterface *interface, gpointer data)
{
  usual = *interface;
  interface->get_preset_names = get_preset_names;
  interface->get_property_names = get_property_names;
  interface->load_preset = load_preset;
  interface->save_preset = save_preset;
  interface->rename_preset = rename_preset;
  interface->delete_preset = delete_preset;
  interface->set_meta = set_meta;
  interface->get_meta = get_meta;
}
