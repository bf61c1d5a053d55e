/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Apps that echo no request ids: whose result it is shows only in the order of the results, or in
 * the connection. Each frame has a grey of its own, so that a result says which frame it is of. */
#include "fal/policy/window.h"
#include "pipeline-fixture.h"

#define SIZE 32
#define GREYS 60 /* frames that can be told apart */

/* Servers that swallow a request without a word where two come at once: an idle one notices after
 * 2 ms that there is work, and keeps the newest. */
static const FalServerOptions keeps_one = {
  .effect = "echo", .no_echo_request_id = TRUE, .buffering = 1, .notice_ms = 2, .delay_ms = 25
};
static const FalServerOptions keeps_two = {
  .effect = "echo", .no_echo_request_id = TRUE, .buffering = 2, .notice_ms = 2, .delay_ms = 25
};

static guint
grey_of (guint n)
{
  return 0x010101 * (8 + 4 * (n % GREYS));
}

static GstBuffer *
make_frame (guint n)
{
  return fixture_frame (SIZE, SIZE, grey_of (n), n);
}

/* Whether the result shows another frame than the one whose time it carries. */
static gboolean
is_mistaken (Fixture *f, GstBuffer *buffer)
{
  guint n = gst_util_uint64_scale_round (GST_BUFFER_PTS (buffer), 30, GST_SECOND);
  gint difference = (fixture_colour (f, buffer) & 0xff) - (grey_of (n) & 0xff);

  return ABS (difference) > 2;
}

/* ---- a file ---- */

static void
check_file (const FalServerOptions *options)
{
  g_autoptr (Fixture) f = fixture_new (options, "request-timeout=5000");

  fixture_set_size (f, SIZE, SIZE);
  for (guint n = 0; n < 20; n++)
    fixture_push (f, make_frame (n));
  for (guint n = 0; n < 20; n++) {
    g_autoptr (GstBuffer) buffer = fixture_pull (f);

    g_assert_false (is_mistaken (f, buffer));
    g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, gst_util_uint64_scale (n, GST_SECOND, 30));
  }
  g_assert_cmpuint (fal_server_get_dropped (f->server), ==, 0);
  g_assert_cmpuint (fal_server_get_connections (f->server), ==, 1);
  fixture_expect_no_message (f);
}

static void
test_each_frame_of_a_file_gets_its_own_result (void)
{
  check_file (&keeps_one);
  check_file (&keeps_two);
}

/* ---- live ---- */

/* Frames come each 8 ms, and results are pulled as they come, until there were @n of these; how
 * many show another frame than their own. @frames: number of the next. */
static guint
film (Fixture *f, guint *frames, guint n)
{
  guint mistaken = 0, pulled = 0;

  REPEAT_UNTIL (f->element, pulled >= n, {
    g_autoptr (GstBuffer) buffer = NULL;

    fixture_push (f, make_frame ((*frames)++));
    while (pulled < n && (buffer = gst_harness_try_pull (f->harness))) {
      mistaken += is_mistaken (f, buffer);
      pulled++;
      gst_clear_buffer (&buffer);
    }
  });
  return mistaken;
}

static Fixture *
start_live (const FalServerOptions *options)
{
  Fixture *f = fixture_new_live (options, "timestamp-mode=input request-timeout=20000");

  fixture_set_size (f, SIZE, SIZE);
  return f;
}

/* A machine that is busy enough can hold up two requests until they go together, and the server
 * drops one. So many answers are then taken for others than their own, until nothing is out for
 * once. */
static guint
get_most_shifted (Fixture *f)
{
  return FAL_WINDOW_MAX_OVERLAPPING * fal_server_get_dropped (f->server);
}

static void
check_live (const FalServerOptions *options)
{
  g_autoptr (Fixture) f = start_live (options);
  guint frames = 0;

  g_assert_cmpuint (film (f, &frames, 60), <=, get_most_shifted (f));
  g_assert_cmpuint (fal_server_get_connections (f->server), ==, 1);
}

static void
test_each_result_of_a_camera_is_its_own_frames (void)
{
  check_live (&keeps_one);
  check_live (&keeps_two);
}

/* One is swallowed: the result of the next is taken for it at the most, and then all is right
 * again, on the same connection. */
static void
test_a_swallowed_request_shifts_one_result (void)
{
  g_autoptr (Fixture) f = start_live (&keeps_one);
  guint frames = 0, requests;

  film (f, &frames, 10);
  fixture_wait_for_stat (f, "frames-waiting", 0);
  fixture_wait_for_stat (f, "in-flight", 0);
  requests = fal_server_get_requests (f->server);
  fal_server_set_mute (f->server, TRUE);
  fixture_push (f, make_frame (frames++));
  WAIT_UNTIL (f->element, fal_server_get_requests (f->server) > requests);
  fal_server_set_mute (f->server, FALSE);
  g_assert_cmpuint (film (f, &frames, 30), <=, 1 + get_most_shifted (f));
  g_assert_cmpuint (fixture_stat (f, "lost"), >=, 1);
  g_assert_cmpuint (fal_server_get_connections (f->server), ==, 1);
}

/* ---- server streaming ---- */

/* One request, four results, the end of the connection: the next frame gets one of its own, however
 * many may be in flight. */
static void
check_streaming (const gchar *properties)
{
  FalServerOptions options = { .effect = "echo",
    .no_echo_request_id = TRUE,
    .results = 4,
    .delay_ms = 5,
    .end_after_results = TRUE };
  g_autoptr (Fixture) f = fixture_new (&options, properties);
  GstClockTime last = 0;

  fixture_set_size (f, SIZE, SIZE);
  for (guint n = 0; n < 3; n++)
    fixture_push (f, make_frame (n));
  fixture_push_end (f);
  for (guint i = 0; i < 12; i++) {
    g_autoptr (GstBuffer) buffer = fixture_pull (f);
    GstClockTime start = gst_util_uint64_scale (i / 4, GST_SECOND, 30);

    g_assert_true (i % 4 > 0 ? GST_BUFFER_PTS (buffer) > last : GST_BUFFER_PTS (buffer) == start);
    g_assert_cmpuint (GST_BUFFER_PTS (buffer), <, start + GST_SECOND / 30);
    last = GST_BUFFER_PTS (buffer);
    g_assert_cmpint (fixture_colour (f, buffer) & 0xff, >=, (gint) (grey_of (i / 4) & 0xff) - 1);
    g_assert_cmpint (fixture_colour (f, buffer) & 0xff, <=, (gint) (grey_of (i / 4) & 0xff) + 1);
  }
  fixture_wait_for_end (f);
  g_assert_cmpuint (fal_server_get_connections (f->server), ==, 3);
  g_assert_cmpuint (fal_server_get_requests (f->server), ==, 3);
}

static void
test_of_a_stream_each_frame_has_its_own_connection (void)
{
  check_streaming ("server-streaming=true");
  check_streaming ("server-streaming=true max-in-flight=8");
  check_streaming ("server-streaming=true request-id=never");
}

/* The app does not end the connection after its results: the element does, once nothing has come
 * for as long as a request may take. */
static void
test_a_stream_that_does_not_end_is_ended (void)
{
  FalServerOptions options = {
    .effect = "echo", .no_echo_request_id = TRUE, .results = 2, .delay_ms = 1
  };
  g_autoptr (Fixture) f = fixture_new (&options, "server-streaming=true request-timeout=300");

  fixture_set_size (f, SIZE, SIZE);
  for (guint n = 0; n < 2; n++)
    fixture_push (f, make_frame (n));
  for (guint i = 0; i < 4; i++)
    gst_buffer_unref (fixture_pull (f));
  g_assert_cmpuint (fal_server_get_connections (f->server), ==, 2);
  fixture_expect_no_message (f);
}

/* ---- what a user says counts ---- */

/* The model answers none of the first frames before it has seen eight: so many go, though nothing
 * is known of it. */
static void
test_max_in_flight_counts_from_the_first_request_on (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "max-in-flight=8");
  guint frames = 0;

  fal_server_set_mute (f->server, TRUE);
  fixture_set_size (f, SIZE, SIZE);
  REPEAT_UNTIL (f->element, fal_server_get_requests (f->server) == 8,
      fixture_push (f, make_frame (frames++)));
  g_assert_cmpuint (fixture_stat (f, "in-flight"), ==, 8);
}

/* ---- blocks ---- */

#define BLOCK_INTERVAL 30 /* ms */

typedef struct {
  GstElement *pipeline;
  gint n; /* atomic */
  guint early, crowded; /* results that went out before their time, or too near to the one before */
  GstClockTime last;
} Shown;

static GstPadProbeReturn
on_shown (GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
  Shown *shown = user;
  GstClockTime pts = GST_BUFFER_PTS (GST_PAD_PROBE_INFO_BUFFER (info));
  g_autoptr (GstClock) clock = gst_element_get_clock (shown->pipeline);
  GstClockTime now = gst_clock_get_time (clock) - gst_element_get_base_time (shown->pipeline);

  shown->early += now < pts;
  shown->crowded += shown->n > 0 && pts < shown->last + BLOCK_INTERVAL * GST_MSECOND / 4;
  shown->last = pts;
  g_atomic_int_inc (&shown->n);
  return GST_PAD_PROBE_OK;
}

/* An app that nothing is known of but what the properties say. Nine, twelve and twelve results come
 * at once each, and are shown as their frames went, whether the sink waits for their time or not.
 * Where the machine stood still some frames went soon after another. */
static void
check_blocks (const gchar *sink)
{
  FalServerOptions options = { .schema = "krea", .effect = "echo", .delay_ms = 20 };
  g_autofree gchar *properties = g_strdup_printf (
      "image-field=image image-encoding=bytes start-fields=start_frame wait-for-ready=true "
      "request-id=never block-size=12 throttle-interval=%d",
      BLOCK_INTERVAL);
  g_autoptr (Pipeline) p = pipeline_new (&options,
      "videotestsrc is-live=true ! video/x-raw,width=64,height=48,framerate=60/1", properties,
      sink);
  Shown shown = { .pipeline = p->pipeline };

  pipeline_add_probe (p, "fal", on_shown, &shown);
  gst_element_set_state (p->pipeline, GST_STATE_PLAYING);
  WAIT_UNTIL (p->filter, g_atomic_int_get (&shown.n) >= 9 + 12 + 12);
  g_assert_cmpuint (fal_server_get_connections (p->server), ==, 1);
  gst_element_set_state (p->pipeline, GST_STATE_NULL);
  g_assert_cmpuint (shown.early, ==, 0);
  g_assert_cmpuint (shown.crowded, <, (9 + 12 + 12) / 4);
}

static void
test_blocks_are_shown_evenly (void)
{
  check_blocks ("fakesink sync=true");
  check_blocks ("fakesink sync=false");
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
#define ADD(name, test) g_test_add_func ("/without-ids/" name, test)
  ADD ("each-frame-of-a-file-gets-its-own-result", test_each_frame_of_a_file_gets_its_own_result);
  ADD ("each-result-of-a-camera-is-its-own-frames", test_each_result_of_a_camera_is_its_own_frames);
  ADD ("a-swallowed-request-shifts-one-result", test_a_swallowed_request_shifts_one_result);
  ADD ("of-a-stream-each-frame-has-its-own-connection",
      test_of_a_stream_each_frame_has_its_own_connection);
  ADD ("a-stream-that-does-not-end-is-ended", test_a_stream_that_does_not_end_is_ended);
  ADD ("max-in-flight-counts-from-the-first-request-on",
      test_max_in_flight_counts_from_the_first_request_on);
  ADD ("blocks-are-shown-evenly", test_blocks_are_shown_evenly);
  return fixture_run ();
}
