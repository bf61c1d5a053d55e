/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the element tells of itself: the log reads as the story of the stream, the state of the
 * connection says what it is doing. */
#include "fixture.h"

#include <string.h>

/* The lines of the element's category, at INFO and above. */
static GMutex lock;
static GString *story;

static void
take_line (GstDebugCategory *category, GstDebugLevel level, const gchar *file,
    const gchar *function, gint line, GObject *object, GstDebugMessage *message, gpointer data)
{
  if (level > GST_LEVEL_INFO ||
      strcmp (gst_debug_category_get_name (category), "falrealtimefilter") != 0)
    return;
  g_mutex_lock (&lock);
  g_string_append_printf (story, "%s\n", gst_debug_message_get (message));
  g_mutex_unlock (&lock);
}

static void
begin_story (void)
{
  g_mutex_lock (&lock);
  g_string_truncate (story, 0);
  g_mutex_unlock (&lock);
}

static gchar *
dup_story (void)
{
  gchar *text;

  g_mutex_lock (&lock);
  text = g_strdup (story->str);
  g_mutex_unlock (&lock);
  return text;
}

/* The lines stand in the story in this order: those of threads that wait for one another. */
static void
check_story (const gchar *const *lines)
{
  g_autofree gchar *text = dup_story ();
  const gchar *at = text;

  g_test_message ("%s", text);
  for (; *lines != NULL; lines++) {
    const gchar *found = strstr (at, *lines);

    if (found == NULL)
      g_error ("\"%s\" is missing after\n%.*s\nin\n%s", *lines, (gint) (at - text), text, text);
    at = found + strlen (*lines);
  }
}

static void
test_a_stream_from_its_first_frame_to_its_end (void)
{
  static const gchar *const net[] = { "connection: connecting", "connection: warming-up",
    "the first result of this connection is here", "connection: connected",
    "the connection was lost", "connection: waiting", "connection: connecting",
    "connection: warming-up", "the first result of this connection is here",
    "connection: connected", "connection: idle", NULL };
  static const gchar *const pads[] = { "frames are video/x-raw", "the pipeline is not live",
    "results are video/x-raw", "prompt is set to \"a fox\"", "token is set to (secret)",
    "end of stream", NULL };
  g_autofree gchar *text = NULL;

  begin_story ();
  {
    g_autoptr (Fixture) f = fixture_new (NULL, "retry-delay=1 token=PLANTED-one");

    fixture_set_size (f, 32, 32);
    fixture_push_and_pull (f, 0);
    g_object_set (f->element, "prompt", "a fox", "token", "PLANTED-two", NULL);
    fixture_push_and_pull (f, 1);
    fal_server_close (f->server, 0, NULL);
    gst_message_unref (fixture_wait_for_message (f, GST_MESSAGE_WARNING));
    fixture_push_and_pull (f, 2);
    fixture_wait_for_state (f, "connected");
    fixture_push_end (f);
    fixture_wait_for_end (f);
  }
  check_story (net);
  check_story (pads);
  text = dup_story ();
  g_assert_null (strstr (text, "PLANTED"));
}

/* A thousand frames are a thousand frames, and no thousand lines. */
static void
test_frames_are_no_events (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, NULL);
  g_autofree gchar *text = NULL;

  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, 0);
  fixture_wait_for_state (f, "connected");
  begin_story ();
  for (guint n = 1; n < 50; n++)
    fixture_push_and_pull (f, n);
  text = dup_story ();
  g_assert_cmpstr (text, ==, "");
}

static void
test_an_outage_is_told (void)
{
  static const gchar *const lines[] = { "the pipeline is live", "connection: connected",
    "the fallback is shown", "results are back", NULL };

  begin_story ();
  {
    g_autoptr (Fixture) f =
        fixture_new_live (NULL, "fallback=black fallback-timeout=60000 request-timeout=60000");
    guint n = 0;

    gst_harness_use_systemclock (f->harness);
    fixture_set_size (f, 32, 32);
    fixture_push_and_pull (f, n++);
    fixture_wait_for_state (f, "connected");
    fal_server_set_mute (f->server, TRUE);
    g_object_set (f->element, "fallback-timeout", 30, NULL);
    REPEAT_UNTIL (f->element, fixture_stat (f, "frames-filled") > 0, fixture_push_frame (f, n++));
    fal_server_set_mute (f->server, FALSE);
    g_signal_emit_by_name (f->element, "reconnect");
    REPEAT_UNTIL (f->element, fixture_stat (f, "results") >= 2, fixture_push_frame (f, n++));
    fixture_push_end (f);
    fixture_wait_for_end (f);
  }
  check_story (lines);
}

/* ---- the state of the connection ---- */

static void
test_a_model_that_warms_up_is_not_one_that_is_dead (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "retry-delay=60000");

  fixture_set_size (f, 32, 32);
  g_assert_cmpstr (fixture_get_state (f), ==, "idle");
  fal_server_set_mute (f->server, TRUE);
  fixture_push_frame (f, 0);
  fixture_wait_for_state (f, "warming-up");
  fal_server_close (f->server, 0, NULL);
  fixture_wait_for_state (f, "waiting");
}

static void
count_notify (GObject *object, GParamSpec *spec, gpointer count)
{
  g_atomic_int_inc ((gint *) count);
}

static void
test_each_state_is_notified_and_posted (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, NULL);
  gint notified = 0;
  guint posted = 0;

  g_signal_connect (f->element, "notify::connection-state", G_CALLBACK (count_notify), &notified);
  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, 0);
  fixture_wait_for_state (f, "connected");
  while (posted < 3) {
    g_autoptr (GstMessage) message = fixture_wait_for_message (f, GST_MESSAGE_ELEMENT);

    posted += gst_message_has_name (message, "fal-connection");
  }
  g_assert_cmpint (g_atomic_int_get (&notified), ==, 3); /* connecting, warming-up, connected */
  g_signal_handlers_disconnect_by_data (f->element, &notified);
}

/* A profiler or a debugger shows who is who. */
static void
test_threads_bear_names (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, NULL);
  g_autoptr (GDir) tasks = g_dir_open ("/proc/self/task", 0, NULL);
  g_autoptr (GString) names = g_string_new (NULL);
  const gchar *id;

  if (tasks == NULL) {
    g_test_skip ("no /proc here");
    return;
  }
  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, 0);
  while ((id = g_dir_read_name (tasks))) {
    g_autofree gchar *path = g_build_filename ("/proc/self/task", id, "comm", NULL);
    g_autofree gchar *name = NULL;

    if (g_file_get_contents (path, &name, NULL, NULL))
      g_string_append (names, name);
  }
  g_assert_nonnull (strstr (names->str, "fal-net\n"));
  g_assert_nonnull (strstr (names->str, "fal-send\n"));
  g_assert_nonnull (strstr (names->str, "falrealtimefilt"));
}

int
main (int argc, char **argv)
{
  int status;

  story = g_string_new (NULL);
  fixture_init (&argc, &argv);
  gst_debug_set_active (TRUE);
  gst_debug_remove_log_function (gst_debug_log_default);
  gst_debug_add_log_function (take_line, NULL, NULL);
  gst_debug_set_threshold_from_string ("falrealtimefilter:4", FALSE);
#define ADD(name) g_test_add_func ("/log-and-state/" #name, test_##name)
  ADD (a_stream_from_its_first_frame_to_its_end);
  ADD (frames_are_no_events);
  ADD (an_outage_is_told);
  ADD (a_model_that_warms_up_is_not_one_that_is_dead);
  ADD (each_state_is_notified_and_posted);
  ADD (threads_bear_names);
  status = fixture_run ();
  g_string_free (story, TRUE);
  return status;
}
