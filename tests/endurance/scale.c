/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Many elements in one process against one server, which also speaks TLS. What they cost is
 * measured by tests/benchmarks/scale; here it is that nothing gets lost among them, however slow
 * the machine. */
#include "../element/fixture.h"
#include "../faults/process.h"
#include "books.h"

#include <string.h>

#define LINES 128
#define RATE 4 /* JPEGs a second of each, where it is live */
#define FRAMES 12
#define NEVER G_MAXINT /* ms: however slow the machine is */

typedef struct {
  gboolean live, tls; /* tls: every second element */
} Kind;

typedef struct {
  GstElement *pipeline, *source, *filter;
  gint shown; /* atomic */
} Line;

typedef struct {
  FalServer *plain, *secret; /* secret: or NULL */
  Line lines[LINES];
} Crowd;

static FalServer *
start_server (gboolean tls)
{
  const gchar *data = g_getenv ("FAL_TEST_DATA");
  g_autofree gchar *certificate = g_build_filename (data, "tls", "server.pem", NULL);
  g_autofree gchar *key = g_build_filename (data, "tls", "server.key", NULL);
  const FalServerOptions options = { .effect = "echo",
    .forget_requests = TRUE,
    .tls_certificate = tls ? certificate : NULL,
    .tls_key = tls ? key : NULL };

  return fixture_start_server (&options);
}

static void
on_shown (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer line)
{
  g_atomic_int_inc (&((Line *) line)->shown);
}

/* The tests' own authority vouches for the server. */
static void
trust (GstElement *filter)
{
  g_autofree gchar *path = g_build_filename (g_getenv ("FAL_TEST_DATA"), "tls", "ca.pem", NULL);
  g_autoptr (GTlsDatabase) database = g_tls_file_database_new (path, NULL);

  g_object_set (filter, "tls-database", database, NULL);
}

static void
line_start (Line *line, FalServer *server, gboolean live)
{
  g_autofree gchar *description = g_strdup_printf (
      "appsrc name=source format=time is-live=%d caps=image/jpeg ! falrealtimefilter name=fal "
      "app=scale/app base-uri=%s image-field=image_bytes image-encoding=bytes auth=none "
      "throttle-interval=0 connect-timeout=%d request-timeout=%d drain-timeout=%d ! image/jpeg ! "
      "fakesink name=sink sync=false signal-handoffs=true",
      live, fal_server_get_uri (server), NEVER, NEVER, NEVER);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) sink = NULL;

  line->pipeline = gst_parse_launch (description, &error);
  g_assert_no_error (error);
  line->source = gst_bin_get_by_name (GST_BIN (line->pipeline), "source");
  line->filter = gst_bin_get_by_name (GST_BIN (line->pipeline), "fal");
  sink = gst_bin_get_by_name (GST_BIN (line->pipeline), "sink");
  g_signal_connect (sink, "handoff", G_CALLBACK (on_shown), line);
  trust (line->filter);
  gst_element_set_state (line->pipeline, GST_STATE_PLAYING);
}

static void
line_stop (Line *line)
{
  gst_element_set_state (line->pipeline, GST_STATE_NULL);
  books_read (line->filter);
  gst_object_unref (line->source);
  gst_object_unref (line->filter);
  gst_object_unref (line->pipeline);
}

static GstBuffer *
load_picture (void)
{
  g_autofree gchar *path = g_build_filename (g_getenv ("FAL_TEST_DATA"), "astronaut.jpg", NULL);
  g_autoptr (GError) error = NULL;
  gchar *data;
  gsize size;

  g_file_get_contents (path, &data, &size, &error);
  g_assert_no_error (error);
  return gst_buffer_new_wrapped (data, size);
}

/* To all, one after the other within each interval; to files as fast as they are taken. */
static void
feed (Crowd *crowd, gboolean live)
{
  g_autoptr (GstBuffer) picture = load_picture ();
  gint64 began = g_get_monotonic_time ();

  for (guint i = 0; i < LINES * FRAMES; i++) {
    g_autoptr (GstBuffer) buffer = gst_buffer_copy (picture);
    gint64 due = (gint64) i * G_USEC_PER_SEC / (LINES * RATE);
    GstFlowReturn flow;

    if (live)
      pace_until (began + due);
    GST_BUFFER_PTS (buffer) = due * GST_USECOND;
    g_signal_emit_by_name (crowd->lines[i % LINES].source, "push-buffer", buffer, &flow);
    g_assert_cmpint (flow, ==, GST_FLOW_OK);
  }
}

static guint
count_shown (Crowd *crowd)
{
  guint shown = 0;

  for (guint i = 0; i < LINES; i++)
    shown += g_atomic_int_get (&crowd->lines[i].shown);
  return shown;
}

/* The next message about its end. The watchdog's time is over where nobody shows anything for so
 * long: all together take as long as the machine does. */
static GstMessage *
pop_end (Crowd *crowd, Line *line)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (line->pipeline);
  GstMessage *message = NULL;
  guint shown, now = 0;

  do {
    shown = now;
    message = gst_bus_timed_pop_filtered (bus, WATCHDOG_SECONDS * GST_SECOND,
        GST_MESSAGE_EOS | GST_MESSAGE_WARNING | GST_MESSAGE_ERROR);
    now = count_shown (crowd);
  } while (message == NULL && now > shown);
  return message;
}

static void
wait_for_end (Crowd *crowd, Line *line)
{
  const Wait wait = { .condition = "the end of the stream", .place = G_STRLOC };
  g_autoptr (GstMessage) message = pop_end (crowd, line);

  if (message == NULL)
    wait_fail (&wait, line->filter);
  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_EOS) {
    g_autofree gchar *text = gst_info_strdup_printf ("%" GST_PTR_FORMAT, message);

    g_error ("%s", text);
  }
}

static void
push_end (Line *line)
{
  GstFlowReturn flow;

  g_signal_emit_by_name (line->source, "end-of-stream", &flow);
  g_assert_cmpint (flow, ==, GST_FLOW_OK);
}

/* A live frame may be dropped where the machine is slow; what was answered is shown. */
static void
check_all_was_shown (Line *line, gboolean live)
{
  Books books = books_read (line->filter);

  g_assert_cmpuint (books.in, ==, FRAMES);
  g_assert_cmpuint (books.answered, ==, books.sent);
  g_assert_cmpuint (books.out, ==, books.answered);
  g_assert_cmpint (g_atomic_int_get (&line->shown), ==, books.answered);
  g_assert_cmpuint (books.connections, ==, 1);
  if (!live)
    g_assert_cmpuint (books.answered, ==, FRAMES);
}

static void
test_crowd (gconstpointer data)
{
  const Kind *kind = data;
  guint descriptors = process_count_descriptors (), threads = process_count_threads ();
  g_autofree Crowd *crowd = g_new0 (Crowd, 1);

  crowd->plain = start_server (FALSE);
  crowd->secret = kind->tls ? start_server (TRUE) : NULL;
  for (guint i = 0; i < LINES; i++)
    line_start (&crowd->lines[i], kind->tls && i % 2 ? crowd->secret : crowd->plain, kind->live);
  feed (crowd, kind->live);
  for (guint i = 0; i < LINES; i++)
    push_end (&crowd->lines[i]);
  for (guint i = 0; i < LINES; i++)
    wait_for_end (crowd, &crowd->lines[i]);
  for (guint i = 0; i < LINES; i++)
    check_all_was_shown (&crowd->lines[i], kind->live);
  for (guint i = 0; i < LINES; i++)
    line_stop (&crowd->lines[i]);
  fal_server_free (crowd->plain);
  g_clear_pointer (&crowd->secret, fal_server_free);
  process_wait_for_descriptors (descriptors);
  process_wait_for_threads (threads);
}

int
main (int argc, char **argv)
{
  static const Kind kinds[] = { { FALSE, FALSE }, { TRUE, FALSE }, { FALSE, TRUE },
    { TRUE, TRUE } };

  fixture_init (&argc, &argv);
  fixture_drop_debug_log ();
  g_thread_pool_set_max_unused_threads (0);
  fixture_run_another_stream (); /* what stays for good is there from now on */
  g_test_add_data_func ("/scale/128_files", &kinds[0], test_crowd);
  g_test_add_data_func ("/scale/128_cameras", &kinds[1], test_crowd);
  g_test_add_data_func ("/scale/128_files_64_with_tls", &kinds[2], test_crowd);
  g_test_add_data_func ("/scale/128_cameras_64_with_tls", &kinds[3], test_crowd);
  return g_test_run ();
}
