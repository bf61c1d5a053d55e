/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The launch line means what it is made of: a shell's words of it make a pipeline with these
 * values. */
#include "launch-line.h"
#include <string.h>

/* The pipeline that gst-launch-1.0 would make. */
static GstElement *
play (const gchar *line, GstElement **filter)
{
  g_auto (GStrv) words = NULL;
  g_autoptr (GError) error = NULL;
  GstElement *pipeline;

  g_test_message ("%s", line);
  g_assert_true (g_shell_parse_argv (line, NULL, &words, &error));
  g_assert_cmpstr (words[0], ==, "gst-launch-1.0");
  pipeline = gst_parse_launchv ((const gchar **) words + 1, &error);
  g_assert_no_error (error);
  for (GList *link = GST_BIN_CHILDREN (pipeline); link != NULL; link = link->next)
    if (g_str_has_prefix (GST_OBJECT_NAME (link->data), "falrealtimefilter"))
      *filter = link->data;
  return pipeline;
}

static const gchar *const texts[] = { "a cartoon", "", "a watercolour, soft - 8k",
  "it's \"quoted\"", "back\\slash\\", "$HOME `ls` !x ; rm -rf & | > < * ? # ~",
  "ein Bär über Öl 🦊", "two\nlines", "name=x ! fakesink", "(a:1.2), [b]", "\"",
  "\"in quotes\"", "\"Öl\", \\", "'", "true", "12" };

static void
test_prompts (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GstStructure) settings =
        gst_structure_new ("map", "prompt", G_TYPE_STRING, texts[i], NULL);
    const LiveLaunch launch = { .app = "local/demo", .throttle = -1, .settings = settings };
    g_autofree gchar *line = live_launch_line (&launch), *prompt = NULL;
    GstElement *filter = NULL;
    g_autoptr (GstElement) pipeline = play (line, &filter);

    g_object_get (filter, "prompt", &prompt, NULL);
    g_assert_cmpstr (prompt ? prompt : "", ==, texts[i]);
  }
}

static void
test_settings (void)
{
  g_autoptr (GstStructure) settings = gst_structure_new ("map", "prompt", G_TYPE_STRING, NULL,
      "strength", G_TYPE_DOUBLE, 0.8, "seed", G_TYPE_INT64, G_GINT64_CONSTANT (-7), "enabled",
      G_TYPE_BOOLEAN, FALSE, "fallback", G_TYPE_STRING, "last", NULL);
  const LiveLaunch launch = { .clip = "/some where/it's a clip.mkv",
    .app = "fal-ai/fast-lcm-diffusion",
    .base_uri = "ws://127.0.0.1:8090",
    .auth = "none",
    .width = 512,
    .height = 384,
    .throttle = 40,
    .settings = settings };
  g_autofree gchar *line = live_launch_line (&launch), *app = NULL, *uri = NULL, *location = NULL;
  GstElement *filter = NULL;
  g_autoptr (GstElement) pipeline = play (line, &filter);
  g_autoptr (GstElement) source = gst_bin_get_by_name (GST_BIN (pipeline), "filesrc0");
  gdouble strength;
  gint64 seed;
  gboolean enabled;
  guint width, throttle;

  g_object_get (filter, "app", &app, "base-uri", &uri, "strength", &strength, "seed", &seed,
      "enabled", &enabled, "width", &width, "throttle-interval", &throttle, NULL);
  g_object_get (source, "location", &location, NULL);
  g_assert_cmpstr (app, ==, launch.app);
  g_assert_cmpstr (uri, ==, launch.base_uri);
  g_assert_cmpfloat (strength, ==, 0.8);
  g_assert_cmpint (seed, ==, -7);
  g_assert_false (enabled);
  g_assert_cmpuint (width, ==, 512);
  g_assert_cmpuint (throttle, ==, 40);
  g_assert_cmpstr (location, ==, launch.clip);
  g_assert_null (strstr (line, "prompt"));
  g_assert_nonnull (strstr (line, " fallback=last "));
  g_assert_nonnull (strstr (line, " strength=0.8 "));
}

static void
test_cameras (void)
{
  static const struct {
    LiveCameraKind camera;
    const gchar *device, *source;
  } rows[] = {
    { LIVE_CAMERA_CLIP, NULL, "gst-launch-1.0 videotestsrc is-live=true " },
    { LIVE_CAMERA_BROWSER, NULL, "gst-launch-1.0 v4l2src ! decodebin ! falrealtimefilter " },
    { LIVE_CAMERA_BROWSER, "/dev/video3", "gst-launch-1.0 v4l2src ! " },
    { LIVE_CAMERA_DEVICE, "/dev/video3", "gst-launch-1.0 v4l2src device=/dev/video3 ! " },
  };
  g_autoptr (GstStructure) settings = gst_structure_new_empty ("map");

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    const LiveLaunch launch = { .camera = rows[i].camera,
      .device = rows[i].device,
      .app = "local/demo",
      .throttle = -1,
      .settings = settings };
    g_autofree gchar *line = live_launch_line (&launch);
    GstElement *filter = NULL;
    g_autoptr (GstElement) pipeline = play (line, &filter);

    g_assert_true (g_str_has_prefix (line, rows[i].source));
  }
}

#define WORD "PLANTED"

static void
test_no_secret (void)
{
  g_autoptr (GstStructure) settings = gst_structure_new_empty ("map");
  const LiveLaunch launch = { .app = "local/demo",
    .base_uri = "wss://" WORD ":" WORD "@example.com/base?key=" WORD,
    .token_proxy_uri = "https://user:" WORD "@example.com/proxy?key=" WORD,
    .token = TRUE,
    .throttle = -1,
    .settings = settings };
  g_autofree gchar *line = live_launch_line (&launch);

  g_test_message ("%s", line);
  g_assert_null (strstr (line, WORD));
  g_assert_nonnull (strstr (line, "base-uri=wss://example.com/base"));
  g_assert_nonnull (strstr (line, "token-proxy-uri=https://example.com/proxy"));
  g_assert_nonnull (strstr (line, "token=\"$FAL_TOKEN\""));
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/launch-line/prompts", test_prompts);
  g_test_add_func ("/launch-line/settings", test_settings);
  g_test_add_func ("/launch-line/cameras", test_cameras);
  g_test_add_func ("/launch-line/no-secret", test_no_secret);
  return g_test_run ();
}
