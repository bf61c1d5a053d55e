/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fal-live: a camera through falrealtimefilter, on a page of this machine, until SIGINT, SIGTERM or
 * SIGHUP. */
#include "live.h"
#include <glib-unix.h>
#include <locale.h>
#include <stdio.h>

typedef struct {
  LiveOptions options; /* its strings are those below */
  gchar *app, *base_uri, *path, *token, *token_proxy_uri, *auth, *prompt, *camera, *clip, *device;
} Arguments;

static void
arguments_clear (Arguments *arguments)
{
  g_free (arguments->app);
  g_free (arguments->base_uri);
  g_free (arguments->path);
  g_free (arguments->token);
  g_free (arguments->token_proxy_uri);
  g_free (arguments->auth);
  g_free (arguments->prompt);
  g_free (arguments->camera);
  g_free (arguments->clip);
  g_free (arguments->device);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Arguments, arguments_clear)

static gboolean
read_options (Arguments *to, gint *argc, gchar ***argv, GError **error)
{
  LiveOptions *options = &to->options;
  const GOptionEntry entries[] = { { "app", 0, 0, G_OPTION_ARG_STRING, &to->app,
                                       "Hosted app, such as fal-ai/fast-lcm-diffusion", "APP" },
    { "token", 0, 0, G_OPTION_ARG_STRING, &to->token,
        "A ready token; better in the environment, as FAL_TOKEN. A key is taken from FAL_KEY, or "
        "FAL_KEY_ID and FAL_KEY_SECRET",
        "TOKEN" },
    { "token-proxy-uri", 0, 0, G_OPTION_ARG_STRING, &to->token_proxy_uri,
        "A server of yours that has the key and requests the token", "URI" },
    { "base-uri", 0, 0, G_OPTION_ARG_STRING, &to->base_uri,
        "Where the app is served; ws://127.0.0.1:PORT for a local server", "URI" },
    { "path", 0, 0, G_OPTION_ARG_STRING, &to->path, "Path below the app", "PATH" },
    { "auth", 0, 0, G_OPTION_ARG_STRING, &to->auth, "auto, token, key-header, key-query or none",
        "HOW" },
    { "prompt", 0, 0, G_OPTION_ARG_STRING, &to->prompt, "What the model is asked for first",
        "TEXT" },
    { "width", 0, 0, G_OPTION_ARG_INT, &options->width, "Width of the pictures sent", "N" },
    { "height", 0, 0, G_OPTION_ARG_INT, &options->height, "Height of the pictures sent", "N" },
    { "throttle-interval", 0, 0, G_OPTION_ARG_INT, &options->throttle,
        "Least time between two requests, in ms", "N" },
    { "port", 0, 0, G_OPTION_ARG_INT, &options->port, "Port of the page; 0: any", "N" },
    { "camera", 0, 0, G_OPTION_ARG_STRING, &to->camera, "clip, browser or device", "FROM" },
    { "clip", 0, 0, G_OPTION_ARG_FILENAME, &to->clip, "A video that is played over and over",
        "FILE" },
    { "device", 0, 0, G_OPTION_ARG_FILENAME, &to->device, "A camera, such as /dev/video0", "FILE" },
    { NULL } };
  g_autoptr (GOptionContext) context =
      g_option_context_new ("- a camera through falrealtimefilter, on a page of this machine");

  options->throttle = -1;
  g_option_context_add_main_entries (context, entries, NULL);
  return g_option_context_parse (context, argc, argv, error);
}

static gboolean
check (const Arguments *arguments, gint argc, GError **error)
{
  const LiveOptions *options = &arguments->options;
  const gchar *wrong = NULL;

  if (argc > 1)
    wrong = "Nothing stands beside the options";
  else if (options->port < 0 || options->port > G_MAXUINT16)
    wrong = "A port is a number from 0 to 65535";
  else if (options->width < 0 || options->height < 0 || options->throttle < -1)
    wrong = "Sizes and times are not negative";
  else if (options->clip && !g_file_test (options->clip, G_FILE_TEST_IS_REGULAR))
    wrong = "There is no such clip";
  else if (options->camera == LIVE_CAMERA_DEVICE && options->device == NULL)
    wrong = "No device is there: name one with --device";
  if (wrong != NULL)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "%s", wrong);
  return wrong == NULL;
}

static gboolean
parse (Arguments *to, gint argc, gchar **argv, GError **error)
{
  LiveOptions *options = &to->options;

  if (!read_options (to, &argc, &argv, error))
    return FALSE;
  if (to->token == NULL && g_getenv ("FAL_TOKEN") && *g_getenv ("FAL_TOKEN"))
    to->token = g_strdup (g_getenv ("FAL_TOKEN"));
  if (to->device == NULL && g_file_test ("/dev/video0", G_FILE_TEST_EXISTS))
    to->device = g_strdup ("/dev/video0");
  options->app = to->app ? to->app : "local/demo";
  options->base_uri = to->base_uri;
  options->path = to->path;
  options->token = to->token;
  options->token_proxy_uri = to->token_proxy_uri;
  options->auth = to->auth;
  options->prompt = to->prompt;
  options->clip = to->clip;
  options->device = to->device;
  if (!live_camera_kind_from_name (to->camera ? to->camera : "clip", &options->camera)) {
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
        "There is no camera \"%s\": it is clip, browser or device", to->camera);
    return FALSE;
  }
  return check (to, argc, error);
}

static gboolean
on_signal (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_CONTINUE;
}

int
main (int argc, char **argv)
{
  g_auto (Arguments) arguments = { 0 };
  g_autoptr (GMainLoop) loop = NULL;
  g_autoptr (Live) live = NULL;
  g_autoptr (GError) error = NULL;

  setlocale (LC_ALL, "");
  gst_init (NULL, NULL);
  if (parse (&arguments, argc, argv, &error))
    live = live_new (&arguments.options, &error);
  if (live == NULL) {
    g_printerr ("fal-live: %s\n", error->message);
    return 1;
  }
  loop = g_main_loop_new (NULL, FALSE);
  g_unix_signal_add (SIGINT, on_signal, loop);
  g_unix_signal_add (SIGTERM, on_signal, loop);
  g_unix_signal_add (SIGHUP, on_signal, loop);
  /* Whoever started this reads the first line to learn the address. */
  g_print ("open %s\n", live_get_uri (live));
  fflush (stdout);
  g_main_loop_run (loop);
  return 0;
}
