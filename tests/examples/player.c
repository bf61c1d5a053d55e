/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GStreamer in short: elements are linked to a pipeline, through which frames flow by themselves,
 * on threads of their own. The main thread only waits, and reads what the elements post on the
 * pipeline's bus: errors, warnings, the end of the stream. */
#include "player.h"
#include <glib-unix.h>
#include <locale.h>

typedef struct {
  gchar *local, *camera, *screen;
} Arguments;

static void
arguments_clear (Arguments *arguments)
{
  g_free (arguments->local);
  g_free (arguments->camera);
  g_free (arguments->screen);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Arguments, arguments_clear)

static gboolean
parse_arguments (
    int *argc, char ***argv, const char *summary, const GOptionEntry *more, Arguments *to)
{
  const GOptionEntry entries[] = {
    { "local", 0, 0, G_OPTION_ARG_STRING, &to->local,
        "Use the server at this address (ws://127.0.0.1:8090) in place of fal.ai", "URI" },
    { "camera", 0, 0, G_OPTION_ARG_STRING, &to->camera,
        "Where frames come from, as gst-launch-1.0 has it (v4l2src)", "ELEMENTS" },
    { "screen", 0, 0, G_OPTION_ARG_STRING, &to->screen,
        "Where they are shown, as gst-launch-1.0 has it (autovideosink)", "ELEMENTS" },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("APP PROMPT");
  g_autoptr (GError) error = NULL;

  g_option_context_set_summary (context, summary);
  g_option_context_add_main_entries (context, entries, NULL);
  if (more != NULL)
    g_option_context_add_main_entries (context, more, NULL);
  g_option_context_add_group (context, gst_init_get_option_group ());
  if (g_option_context_parse (context, argc, argv, &error) && *argc == 3)
    return TRUE;
  g_printerr ("%s: %s; --help shows how\n", (*argv)[0],
      error ? error->message : "APP and PROMPT are wanted");
  return FALSE;
}

/* The frames' way, in the language of gst-launch-1.0. */
static GstElement *
new_pipeline (const Arguments *arguments, GError **error)
{
  g_autofree gchar *description = g_strdup_printf (
      /* videoconvert turns the frames into what its neighbours take; where they agree it does
       * nothing. */
      "%s ! videoconvert ! falrealtimefilter name=fal ! videoconvert ! %s",
      arguments->camera ? arguments->camera : "v4l2src",
      arguments->screen ? arguments->screen : "autovideosink");

  return gst_parse_launch_full (description, NULL, GST_PARSE_FLAG_FATAL_ERRORS, error);
}

GstElement *
player_new_pipeline (int argc, char **argv, const char *summary, const GOptionEntry *more)
{
  g_auto (Arguments) arguments = { 0 };
  g_autoptr (GstElement) fal = NULL;
  g_autoptr (GError) error = NULL;
  GstElement *pipeline;

  setlocale (LC_ALL, ""); /* what is printed is in the terminal's own encoding */
  if (!parse_arguments (&argc, &argv, summary, more, &arguments))
    return NULL;
  pipeline = new_pipeline (&arguments, &error);
  if (pipeline == NULL) {
    g_printerr ("%s: %s\n", argv[0], error->message);
    return NULL;
  }
  fal = gst_bin_get_by_name (GST_BIN (pipeline), "fal");
  g_object_set (fal, "app", argv[1], "prompt", argv[2], NULL);
  /* The key is not named anywhere: the element takes it from the environment (FAL_KEY). */
  if (arguments.local != NULL) {
    g_object_set (fal, "base-uri", arguments.local, NULL);
    gst_util_set_object_arg (G_OBJECT (fal), "auth", "none");
  }
  return pipeline;
}

/* ---- what is typed ---- */

typedef struct {
  GstElement *fal;
  void (*on_line) (GstElement *fal, const char *line);
} Input;

static void
input_free (gpointer data)
{
  Input *input = data;

  gst_object_unref (input->fal);
  g_free (input);
}

static gboolean
on_input (GIOChannel *channel, GIOCondition condition, gpointer data)
{
  Input *input = data;
  g_autofree gchar *line = NULL;

  /* At the end of the input it plays on. */
  if (g_io_channel_read_line (channel, &line, NULL, NULL, NULL) != G_IO_STATUS_NORMAL)
    return G_SOURCE_REMOVE;
  input->on_line (input->fal, g_strstrip (line));
  return G_SOURCE_CONTINUE;
}

void
player_watch_input (GstElement *fal, void (*on_line) (GstElement *fal, const char *line))
{
  g_autoptr (GIOChannel) channel = g_io_channel_unix_new (0);
  Input *input = g_new (Input, 1);

  *input = (Input){ .fal = gst_object_ref (fal), .on_line = on_line };
  g_io_add_watch_full (
      channel, G_PRIORITY_DEFAULT, G_IO_IN | G_IO_HUP, on_input, input, input_free);
}

/* ---- playing ---- */

typedef struct {
  GstElement *pipeline;
  GMainLoop *loop;
  gboolean failed, interrupted;
} Player;

static void
tell (GstMessage *message, const char *kind,
    void (*parse) (GstMessage *message, GError **error, gchar **debug))
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *debug = NULL; /* where in the source it was found out, for whoever mends it */

  parse (message, &error, &debug);
  g_printerr ("%s from %s: %s\n", kind, GST_MESSAGE_SRC_NAME (message), error->message);
  if (debug != NULL)
    g_printerr ("  %s\n", debug);
}

/* The debug string of an INFO says the same once more, for gst-launch-1.0. */
static void
parse_info (GstMessage *message, GError **error, gchar **debug)
{
  gst_message_parse_info (message, error, NULL);
}

/* Connecting takes a moment: this says how far it is. */
static void
tell_progress (GstMessage *message)
{
  g_autofree gchar *text = NULL;

  gst_message_parse_progress (message, NULL, NULL, &text);
  g_printerr ("%s\n", text);
}

static gboolean
on_message (GstBus *bus, GstMessage *message, gpointer data)
{
  Player *player = data;

  switch (GST_MESSAGE_TYPE (message)) {
  case GST_MESSAGE_ERROR:
    tell (message, "ERROR", gst_message_parse_error);
    player->failed = TRUE;
    g_main_loop_quit (player->loop);
    break;
  case GST_MESSAGE_EOS: /* the end of the stream has come to the screen */
    g_main_loop_quit (player->loop);
    break;
  case GST_MESSAGE_WARNING: /* it goes on */
    tell (message, "WARNING", gst_message_parse_warning);
    break;
  case GST_MESSAGE_INFO: /* nothing is wrong yet: there is no key, or no frame comes */
    tell (message, "INFO", parse_info);
    break;
  case GST_MESSAGE_PROGRESS:
    tell_progress (message);
    break;
  case GST_MESSAGE_LATENCY: /* an element takes longer now, so all are to wait for it */
    gst_bin_recalculate_latency (GST_BIN (player->pipeline));
    break;
  default:
    break;
  }
  return G_SOURCE_CONTINUE;
}

/* Ends the stream at the camera, so that what is under way still arrives and a file gets its end.
 * Whoever does not want to wait for that presses Ctrl-C once more. */
static gboolean
on_interrupt (gpointer data)
{
  Player *player = data;

  if (player->interrupted || !gst_element_send_event (player->pipeline, gst_event_new_eos ()))
    g_main_loop_quit (player->loop);
  else
    g_printerr ("Ending when what is under way has arrived; press Ctrl-C again to end now\n");
  player->interrupted = TRUE;
  return G_SOURCE_CONTINUE;
}

int
player_run (GstElement *pipeline)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  Player player = { .pipeline = pipeline, .loop = loop };
  guint interrupt = g_unix_signal_add (SIGINT, on_interrupt, &player);

  gst_bus_add_watch (bus, on_message, &player);
  /* Where this fails the reason comes as an error on the bus. */
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_main_loop_run (loop);
  /* Only in this state may it be freed. */
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_bus_remove_watch (bus);
  g_source_remove (interrupt);
  gst_object_unref (pipeline);
  return player.failed ? 1 : 0;
}
