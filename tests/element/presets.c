/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Presets: those that come with the element, and those that a user saves beside them. */
#include "fixture.h"

#include <glib/gstdio.h>

static GstElement *
make (void)
{
  return gst_object_ref_sink (gst_element_factory_make ("falrealtimefilter", NULL));
}

/* Each can be loaded, sets what it says, and starts. */
static void
test_each_can_be_used (void)
{
  g_autoptr (GstElement) first = make ();
  g_auto (GStrv) names = gst_preset_get_preset_names (GST_PRESET (first));

  g_assert_cmpuint (g_strv_length (names), >=, 5);
  for (guint i = 0; names[i] != NULL; i++) {
    g_autoptr (GstElement) element = make ();
    g_autofree gchar *comment = NULL, *app = NULL;

    g_test_message ("%s", names[i]);
    g_assert_true (gst_preset_load_preset (GST_PRESET (element), names[i]));
    g_assert_true (gst_preset_get_meta (GST_PRESET (element), names[i], "comment", &comment));
    g_object_get (element, "app", &app, NULL);
    if (app == NULL)
      g_object_set (element, "app", "a/b", NULL);
    g_object_set (element, "auth", 4, NULL);
    g_assert_cmpint (
        gst_element_set_state (element, GST_STATE_PAUSED), !=, GST_STATE_CHANGE_FAILURE);
    gst_element_set_state (element, GST_STATE_NULL);
  }
}

static void
test_gst_launch_takes_them (void)
{
  const gchar *words[] = { "fakesrc", "!", "falrealtimefilter", "name=fal",
    "@preset=Every frame of a file", "!", "fakesink", NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launchv (words, &error);
  g_autoptr (GstElement) element = NULL;
  guint throttle;
  gint leaky;

  g_assert_no_error (error);
  element = gst_bin_get_by_name (GST_BIN (pipeline), "fal");
  g_object_get (element, "throttle-interval", &throttle, "leaky", &leaky, NULL);
  g_assert_cmpuint (throttle, ==, 0);
  g_assert_cmpint (leaky, ==, 1);
}

/* Built-in ones stay as they are. */
static void
test_built_in_ones_cannot_be_changed (void)
{
  g_autoptr (GstElement) element = make ();
  GstPreset *preset = GST_PRESET (element);
  g_auto (GStrv) names = gst_preset_get_preset_names (preset);

  g_assert_false (gst_preset_save_preset (preset, names[0]));
  g_assert_false (gst_preset_delete_preset (preset, names[0]));
  g_assert_false (gst_preset_rename_preset (preset, names[0], "another"));
  g_assert_false (gst_preset_set_meta (preset, names[0], "comment", "x"));
  g_assert_false (gst_preset_load_preset (preset, "no such preset"));
  g_assert_false (gst_preset_rename_preset (preset, "no such preset", "another"));
  g_assert_false (gst_preset_delete_preset (preset, "no such preset"));
}

/* Where a name is taken by a built-in one, nothing of a user's gets it. */
static void
test_a_user_renames_and_describes_his_own (void)
{
  g_autoptr (GstElement) element = make ();
  GstPreset *preset = GST_PRESET (element);
  g_auto (GStrv) before = gst_preset_get_preset_names (preset), after = NULL;
  g_autofree gchar *comment = NULL, *other = NULL, *icon = NULL;

  g_object_set (element, "app", "a/b", NULL);
  g_assert_true (gst_preset_save_preset (preset, "first"));
  g_assert_false (gst_preset_rename_preset (preset, "first", before[0]));
  g_assert_true (gst_preset_rename_preset (preset, "first", "second"));
  after = gst_preset_get_preset_names (preset);
  g_assert_true (g_strv_contains ((const gchar *const *) after, "second"));
  g_assert_false (g_strv_contains ((const gchar *const *) after, "first"));
  g_assert_true (gst_preset_set_meta (preset, "second", "comment", "what it is for"));
  g_assert_true (gst_preset_get_meta (preset, "second", "comment", &comment));
  g_assert_cmpstr (comment, ==, "what it is for");
  g_assert_true (gst_preset_get_meta (preset, before[0], "comment", &other));
  g_assert_false (gst_preset_get_meta (preset, before[0], "icon", &icon));
  g_assert_null (icon);
  g_assert_true (gst_preset_delete_preset (preset, "second"));
}

/* What a user saves comes back, but for the secrets and the element's name. */
static void
test_a_user_saves_his_own (void)
{
  g_autoptr (GstElement) element = make (), other = make ();
  g_auto (GStrv) names = NULL;
  g_autofree gchar *prompt = NULL, *path = NULL, *text = NULL;

  g_object_set (element, "app", "a/b", "prompt", "watercolour", "token", "PLANTED-TOKEN", "api-key",
      "id:PLANTED", NULL);
  g_assert_true (gst_preset_save_preset (GST_PRESET (element), "mine"));
  names = gst_preset_get_preset_names (GST_PRESET (element));
  g_assert_true (g_strv_contains ((const gchar *const *) names, "mine"));
  g_assert_true (gst_preset_load_preset (GST_PRESET (other), "mine"));
  g_object_get (other, "prompt", &prompt, NULL);
  g_assert_cmpstr (prompt, ==, "watercolour");
  path = g_build_filename (
      g_get_user_data_dir (), "gstreamer-1.0", "presets", "GstFalRealtimeFilter.prs", NULL);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_nonnull (strstr (text, "watercolour"));
  g_assert_null (strstr (text, "PLANTED"));
  g_assert_null (strstr (text, GST_OBJECT_NAME (element)));
  g_assert_true (gst_preset_delete_preset (GST_PRESET (element), "mine"));
}

int
main (int argc, char **argv)
{
  g_autofree gchar *home = g_dir_make_tmp ("gst-fal-presets-XXXXXX", NULL);
  int status;

  g_setenv ("XDG_DATA_HOME", home, TRUE);
  fixture_init (&argc, &argv);
#define ADD(name) g_test_add_func ("/presets/" #name, test_##name)
  ADD (each_can_be_used);
  ADD (gst_launch_takes_them);
  ADD (built_in_ones_cannot_be_changed);
  ADD (a_user_saves_his_own);
  ADD (a_user_renames_and_describes_his_own);
  status = fixture_run ();
  return status;
}
