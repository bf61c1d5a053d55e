/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which part of a frame the model gets, and what becomes of a frame that has none. The model
 * echoes, so that a result is the picture that was sent. */
#include "fixture.h"
#include "fal/options.h"
#include "output-log.h"
#include <string.h>

#define WIDTH 64
#define HEIGHT 48
#define AROUND 0x204060
#define FACE 0xc03020
#define RGB "video/x-raw,format=RGB"

static const FalServerOptions echo = { .effect = "echo" };

static Fixture *
make (const gchar *properties)
{
  Fixture *f = fixture_new (&echo, properties);

  gst_harness_set_sink_caps_str (f->harness, RGB);
  fixture_set_size (f, WIDTH, HEIGHT);
  return f;
}

static Fixture *
make_live (const gchar *properties)
{
  Fixture *f = fixture_new_live (&echo, properties);

  gst_harness_set_sink_caps_str (f->harness, RGB);
  fixture_set_size (f, WIDTH, HEIGHT);
  return f;
}

/* Frame @n, in which @face has another colour; without a size: there is none. */
static GstBuffer *
make_frame (guint n, const FalArea *face)
{
  GstBuffer *buffer = fixture_frame (WIDTH, HEIGHT, AROUND, n);
  GstVideoInfo info;
  GstVideoFrame frame;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, WIDTH, HEIGHT);
  g_assert_true (gst_video_frame_map (&frame, &info, buffer, GST_MAP_WRITE));
  for (gint y = face->y; y < face->y + face->height; y++)
    for (gint x = face->x; x < face->x + face->width; x++)
      for (gint c = 0; c < 3; c++)
        ((guint8 *) frame.data[0])[y * info.stride[0] + 3 * x + c] = FACE >> (16 - 8 * c);
  gst_video_frame_unmap (&frame);
  return buffer;
}

/* The same, in which an element before found it. */
static GstBuffer *
make_found (guint n, const FalArea *face)
{
  GstBuffer *buffer = make_frame (n, face);

  gst_buffer_add_video_region_of_interest_meta (
      buffer, "face", face->x, face->y, face->width, face->height);
  return buffer;
}

static void
check_size_alone (Fixture *f, gint width, gint height)
{
  g_autoptr (GstBuffer) buffer = fixture_pull (f);

  g_assert_cmpuint (gst_buffer_get_size (buffer), ==, GST_ROUND_UP_4 (3 * width) * height);
}

static const FalArea usual_face = { 20, 12, 24, 16 };
static const FalArea no_face;

static void
push_face (Fixture *f, guint n)
{
  fixture_push (f, make_found (n, &usual_face));
}

static void
push_empty (Fixture *f, guint n)
{
  fixture_push (f, make_frame (n, &no_face));
}

static gboolean
is_result (GstBuffer *buffer)
{
  return gst_buffer_get_custom_meta (buffer, "GstFalResultMeta") != NULL;
}

/* @buffer, in RGB, has this size and, in its middle, this colour. Not by the pad's caps, which may
 * be those of the next buffer already. */
static void
check_picture (GstBuffer *buffer, gint width, gint height, guint colour, guint tolerance)
{
  gsize stride = GST_ROUND_UP_4 (3 * width);
  guint8 pixel[3];

  g_assert_cmpuint (gst_buffer_get_size (buffer), ==, stride * height);
  gst_buffer_extract (buffer, height / 2 * stride + width / 2 * 3, pixel, sizeof pixel);
  assert_colour (pixel[0] << 16 | pixel[1] << 8 | pixel[2], colour, tolerance);
}

static guint
get_number (GstBuffer *buffer)
{
  return gst_util_uint64_scale_round (GST_BUFFER_PTS (buffer), 30, GST_SECOND);
}

/* The next buffer is the result of frame @n, in this size and colour. */
static void
expect_result (Fixture *f, guint n, gint width, gint height, guint colour)
{
  g_autoptr (GstBuffer) buffer = fixture_pull (f);

  g_assert_true (is_result (buffer));
  g_assert_cmpuint (get_number (buffer), ==, n);
  check_picture (buffer, width, height, colour, 8);
}

static void
expect_face (Fixture *f, guint n)
{
  expect_result (f, n, usual_face.width, usual_face.height, FACE);
}

/* The next buffer is frame @n itself. */
static void
expect_passed (Fixture *f, guint n)
{
  g_autoptr (GstBuffer) buffer = fixture_pull (f);

  g_assert_false (is_result (buffer));
  g_assert_cmpuint (get_number (buffer), ==, n);
  check_picture (buffer, WIDTH, HEIGHT, AROUND, 0);
}

/* ---- which part ---- */

static void
test_a_fixed_region_is_sent (void)
{
  g_autoptr (Fixture) f = make ("region=20,12,24,16");

  fixture_push (f, make_frame (0, &usual_face));
  expect_face (f, 0);
}

static void
test_width_height_and_fit_say_how (void)
{
  g_autoptr (Fixture) f = make ("region=20,12,24,16 width=40 height=40 fit=letterbox");

  fixture_push (f, make_frame (0, &usual_face));
  expect_result (f, 0, 40, 40, FACE);
}

static void
test_the_margin_shows_what_is_around (void)
{
  g_autoptr (Fixture) f = make ("region=meta region-margin=50");
  GstVideoRegionOfInterestMeta *region;
  g_autoptr (GstBuffer) buffer = NULL;

  push_face (f, 0);
  buffer = fixture_pull (f);
  check_picture (buffer, 48, 32, FACE, 8);
  region = gst_buffer_get_video_region_of_interest_meta_id (buffer, 0);
  g_assert_nonnull (region); /* where the face is in the result */
  g_assert_cmpuint (region->x, ==, 12);
  g_assert_cmpuint (region->y, ==, 8);
  g_assert_cmpuint (region->w, ==, 24);
  g_assert_cmpuint (region->h, ==, 16);
}

/* Each frame has its own, and no other pixel is sent. */
static void
test_a_region_moves_with_what_was_found (void)
{
  static const gchar *const modes[] = { "", "leaky=downstream" };

  for (guint m = 0; m < G_N_ELEMENTS (modes); m++) {
    g_autofree gchar *properties = g_strconcat ("region=meta:face ", modes[m], NULL);
    g_autoptr (Fixture) f = make (properties);

    for (gint i = 0; i < 24; i++) {
      const FalArea face = { i, 24 - i, 16 + i, 8 + i / 2 };

      fixture_push (f, make_found (i, &face));
      expect_result (f, i, face.width, face.height, FACE);
    }
  }
}

static void
test_only_the_type_that_is_wanted_counts (void)
{
  g_autoptr (Fixture) f = make ("region=meta:face");
  GstBuffer *frame = make_found (0, &usual_face);

  gst_buffer_add_video_region_of_interest_meta (frame, "hand", 0, 0, 60, 40);
  fixture_push (f, frame);
  expect_face (f, 0);
  frame = make_frame (1, &no_face);
  gst_buffer_add_video_region_of_interest_meta (frame, "hand", 0, 0, 60, 40);
  fixture_push (f, frame);
  expect_passed (f, 1);
  g_object_set (f->element, "region", "meta", NULL);
  frame = make_found (2, &usual_face);
  gst_buffer_add_video_region_of_interest_meta (frame, "hand", 0, 0, 4, 4);
  fixture_push (f, frame);
  expect_face (f, 2);
}

static void
test_what_lies_outside_is_cut_off (void)
{
  g_autoptr (Fixture) f = make ("region=44,28,100,100");
  const FalArea corner = { 44, 28, 20, 20 };

  fixture_push (f, make_frame (0, &corner));
  expect_result (f, 0, 20, 20, FACE);
  fixture_expect_no_message (f);
}

static void
test_a_region_of_a_jpeg_is_sent (void)
{
  g_autofree gchar *path = g_build_filename (g_getenv ("FAL_TEST_DATA"), "astronaut.jpg", NULL);
  g_autoptr (Fixture) f = fixture_new (&echo, "region=20,12,40,24 width=20 height=12");
  GstBuffer *frame;
  gchar *data;
  gsize size;

  g_assert_true (g_file_get_contents (path, &data, &size, NULL));
  frame = gst_buffer_new_wrapped (data, size);
  gst_harness_set_sink_caps_str (f->harness, RGB);
  gst_harness_set_src_caps_str (f->harness, "image/jpeg,width=96,height=96,framerate=30/1");
  fixture_push (f, frame);
  check_size_alone (f, 20, 12);
}

/* ---- changes while frames come ---- */

static void
test_a_change_holds_for_the_frames_after_it (void)
{
  g_autoptr (Fixture) f = make ("region=20,12,24,16");

  fixture_push (f, make_frame (0, &usual_face));
  expect_face (f, 0);
  g_object_set (f->element, "region", "0,0,10,6", NULL);
  fixture_push (f, make_frame (1, &usual_face));
  expect_result (f, 1, 10, 6, AROUND);
  g_object_set (f->element, "region-margin", 100, NULL);
  fixture_push (f, make_frame (2, &usual_face));
  expect_result (f, 2, 20, 12, AROUND);
  g_object_set (f->element, "region", NULL, NULL);
  fixture_push (f, make_frame (3, &usual_face));
  expect_result (f, 3, WIDTH, HEIGHT, FACE);
}

/* The frame that waits keeps the one that it came with. */
static void
test_a_frame_that_waits_keeps_its_region (void)
{
  g_autoptr (Fixture) f = make ("region=20,12,24,16 max-in-flight=1 max-buffering=2");

  fal_server_set_mute (f->server, TRUE);
  fixture_push (f, make_frame (0, &usual_face));
  fixture_wait_for_stat (f, "in-flight", 1);
  fixture_push (f, make_frame (1, &usual_face));
  g_object_set (f->element, "region", "0,0,10,6", NULL);
  fixture_push (f, make_frame (2, &usual_face));
  fal_server_set_mute (f->server, FALSE);
  g_signal_emit_by_name (f->element, "reconnect");
  expect_face (f, 0);
  expect_face (f, 1);
  expect_result (f, 2, 10, 6, AROUND);
}

static void
test_what_cannot_be_read_is_refused (void)
{
  static const gchar *const texts[] = { "1,2,3", "meta:", "1,2,0,3", "face", "a\\nb" };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autofree gchar *description =
        g_strdup_printf ("falrealtimefilter app=a/b auth=none region=\"%s\"", texts[i]);
    g_autofree gchar *text = take_refusal (description);

    assert_says (text, "is no region of a frame. Write it X,Y,W,H");
    g_assert_null (strchr (text, '\n') ? strstr (text, "a\nb") : NULL);
  }
}

static void
test_what_cannot_be_read_changes_nothing (void)
{
  g_autoptr (Fixture) f = make ("region=20,12,24,16");
  g_autofree gchar *text = NULL;

  fixture_push (f, make_frame (0, &usual_face));
  expect_face (f, 0);
  g_object_set (f->element, "region", "20,12,24", NULL);
  text = fixture_take_trouble (f, GST_MESSAGE_WARNING);
  assert_says (text, "The region stays as it was: region=\"20,12,24\" is no region");
  fixture_push (f, make_frame (1, &usual_face));
  expect_face (f, 1);
  fixture_expect_no_message (f);
}

/* ---- frames without a region ---- */

static void
test_a_frame_without_one_passes_in_its_place (void)
{
  g_autoptr (Fixture) f = make ("region=meta max-buffering=4");
  guint faces = 0, passed = 0;

  for (guint n = 0; n < 12; n++) {
    if (n % 3 == 0)
      push_face (f, n);
    else
      push_empty (f, n);
    /* Results take their time: what passes waits for them here. */
    if (n % 4 == 3)
      for (guint i = n - 3; i <= n; i++)
        i % 3 == 0 ? expect_face (f, i) : expect_passed (f, i);
    faces += n % 3 == 0;
    passed += n % 3 != 0;
  }
  fixture_wait_for_stat (f, "frames-passed", passed);
  g_assert_cmpuint (fixture_stat (f, "frames-in"), ==, faces);
  g_assert_cmpuint (fixture_stat (f, "answered"), ==, faces);
  fixture_expect_no_message (f);
}

/* However long that takes; the end comes last. */
static void
test_a_file_waits_for_the_results_before (void)
{
  g_autoptr (Fixture) f = fixture_new (&echo, "region=meta request-timeout=0 drain-timeout=0");
  g_autoptr (OutputLog) log = output_log_new (f->harness->sinkpad);

  fixture_set_size (f, WIDTH, HEIGHT);
  fal_server_set_mute (f->server, TRUE);
  push_face (f, 0);
  for (guint n = 1; n < 4; n++)
    push_empty (f, n);
  fixture_push_end (f);
  fixture_wait_for_stat (f, "in-flight", 1);
  fixture_run_another_stream ();
  g_assert_cmpuint (fixture_stat (f, "frames-out"), ==, 0);
  fal_server_set_mute (f->server, FALSE);
  g_signal_emit_by_name (f->element, "reconnect");
  fixture_wait_for_end (f);
  output_log_expect (log, "stream-start caps segment frame0! caps frame1 frame2 frame3 eos");
}

static void
test_hold_tells_of_the_time_in_its_place (void)
{
  g_autoptr (Fixture) f = make ("region=meta region-absent=hold");
  g_autoptr (OutputLog) log = output_log_new (f->harness->sinkpad);
  g_autoptr (GstEvent) gap = NULL;
  GstClockTime time, duration;

  push_empty (f, 0);
  push_face (f, 1);
  for (guint n = 2; n < 5; n++)
    push_empty (f, n);
  push_face (f, 5);
  push_empty (f, 6);
  fixture_push_end (f);
  fixture_wait_for_end (f);
  fixture_wait_for_stat (f, "dropped-absent", 5);
  g_assert_cmpuint (fixture_stat (f, "frames-in"), ==, 7);
  g_assert_cmpuint (fixture_stat (f, "frames-sent"), ==, 2);
  g_assert_cmpuint (output_log_count (log, "frame1!"), ==, 1);
  g_assert_cmpuint (output_log_count (log, "gap"), >=, 2);
  gap = output_log_get_event (log, GST_EVENT_GAP);
  gst_event_parse_gap (gap, &time, &duration);
  g_assert_cmpuint (time, ==, gst_util_uint64_scale (6, GST_SECOND, 30));
  g_assert_cmpuint (duration, ==, GST_SECOND / 30);
  fixture_expect_no_message (f);
}

/* GAPs behind a result that does not come become one. */
static void
test_held_frames_take_no_room (void)
{
  g_autoptr (Fixture) f = fixture_new (
      &echo, "region=meta region-absent=hold request-timeout=0 drain-timeout=0 max-in-flight=1");
  g_autoptr (OutputLog) log = output_log_new (f->harness->sinkpad);
  g_autoptr (GstEvent) gap = NULL;
  GstClockTime time, duration;

  fixture_set_size (f, WIDTH, HEIGHT);
  fal_server_set_mute (f->server, TRUE);
  push_face (f, 0);
  for (guint n = 1; n <= 3000; n++)
    push_empty (f, n);
  fal_server_set_mute (f->server, FALSE);
  g_signal_emit_by_name (f->element, "reconnect");
  fixture_push_end (f);
  fixture_wait_for_end (f);
  output_log_expect (log, "stream-start caps segment frame0! gap eos");
  gap = output_log_get_event (log, GST_EVENT_GAP);
  gst_event_parse_gap (gap, &time, &duration);
  g_assert_cmpuint (time, ==, gst_util_uint64_scale (1, GST_SECOND, 30));
  g_assert_cmpuint (
      time + duration, ==, gst_util_uint64_scale (3000, GST_SECOND, 30) + GST_SECOND / 30);
}

static void
test_whole_sends_all_of_it (void)
{
  g_autoptr (Fixture) f = make ("region=meta region-absent=whole");

  push_empty (f, 0);
  expect_result (f, 0, WIDTH, HEIGHT, AROUND);
  push_face (f, 1);
  expect_face (f, 1);
}

/* In the size that regions have, and so decoded. */
static void
test_whole_of_a_jpeg_has_the_size_of_a_region (void)
{
  g_autofree gchar *path = g_build_filename (g_getenv ("FAL_TEST_DATA"), "astronaut.jpg", NULL);
  g_autoptr (Fixture) f = fixture_new (&echo, "region=meta region-absent=whole width=20 height=20");
  gchar *data;
  gsize size;

  g_assert_true (g_file_get_contents (path, &data, &size, NULL));
  gst_harness_set_sink_caps_str (f->harness, RGB);
  gst_harness_set_src_caps_str (f->harness, "image/jpeg,framerate=30/1");
  fixture_push (f, gst_buffer_new_wrapped (data, size));
  check_size_alone (f, 20, 20);
}

static void
test_a_region_outside_is_warned_of_once (void)
{
  g_autoptr (Fixture) f = make ("region=64,0,10,10");
  g_autofree gchar *first = NULL, *second = NULL;

  push_empty (f, 0);
  expect_passed (f, 0);
  first = fixture_take_trouble (f, GST_MESSAGE_WARNING);
  assert_says (first, "The region lies outside of the frame, which has 64x48 pixels.");
  push_empty (f, 1);
  expect_passed (f, 1);
  fixture_expect_no_message (f);
  g_object_set (f->element, "region", "0,48,10,10", "region-absent", 2, NULL);
  push_empty (f, 2);
  expect_result (f, 2, WIDTH, HEIGHT, AROUND);
  second = fixture_take_trouble (f, GST_MESSAGE_WARNING);
  assert_says (second, "The region lies outside");
}

/* ---- live ---- */

/* Where sinks wait long enough for any result. */
static Fixture *
make_delayed (void)
{
  Fixture *f = make_live ("region=meta timestamp-mode=input latency=1000000 max-in-flight=2");

  gst_harness_set_upstream_latency (f->harness, 0);
  gst_harness_push_upstream_event (f->harness, gst_event_new_latency (1000 * GST_SECOND));
  return f;
}

/* What passes waits for the results before it, as long as sinks wait for them. */
static void
test_a_live_frame_passes_in_its_place (void)
{
  g_autoptr (Fixture) f = make_delayed ();

  fal_server_set_delay (f->server, 200);
  push_face (f, 0);
  fixture_wait_for_stat (f, "in-flight", 1);
  push_empty (f, 1);
  push_empty (f, 2);
  expect_face (f, 0);
  expect_passed (f, 1);
  expect_passed (f, 2);
}

/* As many as sinks have wait, in memory of their own: upstream's pool lends only two. */
static void
test_many_live_frames_wait_where_sinks_do (void)
{
  g_autoptr (Fixture) f = make_delayed ();
  g_autoptr (GstBufferPool) pool = gst_buffer_pool_new ();
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (f->harness->srcpad);
  GstStructure *config = gst_buffer_pool_get_config (pool);

  gst_buffer_pool_config_set_params (config, caps, WIDTH * HEIGHT * 3, 2, 2);
  g_assert_true (gst_buffer_pool_set_config (pool, config));
  g_assert_true (gst_buffer_pool_set_active (pool, TRUE));
  fal_server_set_delay (f->server, 200);
  push_face (f, 0);
  fixture_wait_for_stat (f, "in-flight", 1);
  for (guint n = 1; n < 40; n++) {
    GstBuffer *frame;

    g_assert_cmpint (gst_buffer_pool_acquire_buffer (pool, &frame, NULL), ==, GST_FLOW_OK);
    gst_buffer_memset (frame, 0, 0, WIDTH * HEIGHT * 3);
    GST_BUFFER_PTS (frame) = gst_util_uint64_scale (n, GST_SECOND, 30);
    fixture_push (f, frame);
  }
  expect_face (f, 0);
  for (guint n = 1; n < 40; n++) {
    g_autoptr (GstBuffer) buffer = fixture_pull (f);

    g_assert_cmpuint (get_number (buffer), ==, n);
  }
  gst_buffer_pool_set_active (pool, FALSE);
}

static void
test_a_live_frame_waits_for_no_result_that_is_lost (void)
{
  g_autoptr (Fixture) f = make_delayed ();

  fal_server_set_mute (f->server, TRUE);
  push_face (f, 0);
  fixture_wait_for_stat (f, "in-flight", 1);
  push_empty (f, 1);
  push_empty (f, 2);
  fixture_run_another_stream ();
  g_assert_cmpuint (fixture_stat (f, "frames-out"), ==, 0);
  fal_server_set_mute (f->server, FALSE);
  push_face (f, 3); /* its reply says that the first will not be answered */
  expect_passed (f, 1);
  expect_passed (f, 2);
  expect_face (f, 3);
}

/* But no longer: where many wait the oldest goes, and the result is too late. */
static void
test_a_live_stream_of_frames_that_pass_waits_for_no_model (void)
{
  g_autoptr (Fixture) f = make_live ("region=meta timestamp-mode=input");

  fal_server_set_mute (f->server, TRUE);
  push_face (f, 0);
  fixture_wait_for_stat (f, "in-flight", 1);
  for (guint n = 1; n < 20; n++)
    push_empty (f, n);
  for (guint n = 1; n < 16; n++)
    expect_passed (f, n);
}

/* Nothing that came before a frame that has passed is shown after it. */
static void
test_a_result_that_was_overtaken_is_not_shown (void)
{
  g_autoptr (Fixture) f = make_live ("region=meta timestamp-mode=arrival");

  fal_server_set_delay (f->server, 200);
  push_face (f, 0);
  fixture_wait_for_stat (f, "in-flight", 1);
  for (guint n = 1; n < 10; n++)
    push_empty (f, n);
  fixture_wait_for_stat (f, "results-late", 1);
  for (guint n = 0; n < 9; n++) {
    g_autoptr (GstBuffer) buffer = fixture_pull (f);

    g_assert_false (is_result (buffer));
  }
  fal_server_set_delay (f->server, 0);
  push_face (f, 10);
  gst_buffer_unref (fixture_pull (f));
  g_assert_cmpuint (fixture_stat (f, "frames-passed"), ==, 9);
}

/* The last result stands: no outage begins, and nothing is shown in its place. */
static void
test_a_live_hold_is_no_outage (void)
{
  g_autoptr (Fixture) f = make_live ("region=meta region-absent=hold");

  push_face (f, 0);
  expect_face (f, 0);
  g_object_set (f->element, "fallback", 3, "fallback-timeout", 1, NULL); /* black */
  for (guint n = 1; n < 50; n++)
    push_empty (f, n);
  fixture_run_another_stream ();
  fixture_wait_for_stat (f, "dropped-absent", 49);
  push_empty (f, 50);
  g_assert_cmpuint (fixture_stat (f, "frames-out"), ==, 1);
  g_assert_cmpuint (fixture_stat (f, "frames-filled"), ==, 0);
  push_face (f, 51);
  WAIT_UNTIL (f->element, fixture_stat (f, "results") == 2);
}

static gboolean
try_pull_gap (Fixture *f)
{
  GstEvent *event;

  while ((event = gst_harness_try_pull_event (f->harness)) != NULL) {
    gboolean found = GST_EVENT_TYPE (event) == GST_EVENT_GAP;

    gst_event_unref (event);
    if (found)
      return TRUE;
  }
  return FALSE;
}

static void
test_a_live_hold_is_told_by_gaps (void)
{
  g_autoptr (Fixture) f = make_live ("region=meta region-absent=hold timestamp-mode=input");
  guint n = 1;

  push_face (f, 0);
  expect_face (f, 0);
  REPEAT_UNTIL (f->element, try_pull_gap (f), push_empty (f, n++));
}

/* Before there is a result that could stand the fallback is shown. */
static void
test_before_the_first_result_the_fallback_is_shown (void)
{
  g_autoptr (Fixture) f = make_live ("region=meta region-absent=hold fallback=passthrough "
                                     "output-framerate=30/1 width=16 height=16");
  g_autoptr (GstBuffer) buffer = NULL;

  push_empty (f, 0);
  buffer = fixture_pull (f);
  check_picture (buffer, 16, 16, AROUND, 8);
}

static void
test_a_constant_rate_repeats_the_last_result (void)
{
  g_autoptr (Fixture) f = make_live ("region=meta region-absent=hold output-framerate=30/1");

  push_face (f, 0);
  gst_buffer_unref (fixture_pull (f));
  g_object_set (f->element, "fallback", 3, "fallback-timeout", 1, NULL); /* black */
  for (guint n = 1; n < 40; n++) {
    g_autoptr (GstBuffer) buffer = NULL;

    push_empty (f, n);
    g_assert_true (gst_harness_crank_single_clock_wait (f->harness));
    buffer = fixture_pull (f);
    check_picture (buffer, usual_face.width, usual_face.height, FACE, 8);
  }
  g_assert_cmpuint (fixture_stat (f, "frames-filled"), ==, 0);
  fixture_wait_for_stat (f, "dropped-absent", 39);
}

/* ---- the rest of the element ---- */

static gboolean
send_now (Fixture *f)
{
  gboolean sent = FALSE;

  g_signal_emit_by_name (f->element, "send", NULL, &sent);
  return sent;
}

static void
test_send_needs_a_frame_with_a_region (void)
{
  static const gchar *const modes[] = { "pass", "hold" };

  for (guint i = 0; i < G_N_ELEMENTS (modes); i++) {
    g_autofree gchar *properties =
        g_strdup_printf ("region=meta timestamp-mode=arrival region-absent=%s", modes[i]);
    g_autoptr (Fixture) f = make_live (properties);

    push_empty (f, 0);
    g_assert_false (send_now (f));
    push_face (f, 1);
    fixture_wait_for_stat (f, "answered", 1);
    g_assert_true (send_now (f)); /* the same part once more */
    fixture_wait_for_stat (f, "answered", 2);
    push_empty (f, 2);
    g_assert_false (send_now (f));
    if (i == 0)
      expect_passed (f, 0);
    for (guint n = 0; n < 2; n++) {
      g_autoptr (GstBuffer) buffer = fixture_pull (f);

      g_assert_true (is_result (buffer));
      check_picture (buffer, usual_face.width, usual_face.height, FACE, 8);
    }
  }
}

/* What is shown in place of a result is the part of the frame that the result would be of. */
static void
test_a_frame_that_is_shown_in_an_outage_is_its_region (void)
{
  g_autoptr (Fixture) f = make_live ("region=meta fallback=passthrough fallback-timeout=1 "
                                     "width=16 height=16 timestamp-mode=arrival");
  g_autoptr (GstBuffer) buffer = NULL;
  guint n = 0;

  gst_harness_use_systemclock (f->harness);
  fal_server_set_mute (f->server, TRUE);
  REPEAT_UNTIL (
      f->element, (buffer = gst_harness_try_pull (f->harness)) != NULL, push_face (f, n++));
  check_picture (buffer, 16, 16, FACE, 8);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
#define ADD(name) g_test_add_func ("/region/" #name, test_##name)
  ADD (a_fixed_region_is_sent);
  ADD (width_height_and_fit_say_how);
  ADD (the_margin_shows_what_is_around);
  ADD (a_region_moves_with_what_was_found);
  ADD (only_the_type_that_is_wanted_counts);
  ADD (what_lies_outside_is_cut_off);
  ADD (a_region_of_a_jpeg_is_sent);
  ADD (a_change_holds_for_the_frames_after_it);
  ADD (a_frame_that_waits_keeps_its_region);
  ADD (what_cannot_be_read_is_refused);
  ADD (what_cannot_be_read_changes_nothing);
  ADD (a_frame_without_one_passes_in_its_place);
  ADD (a_file_waits_for_the_results_before);
  ADD (hold_tells_of_the_time_in_its_place);
  ADD (held_frames_take_no_room);
  ADD (whole_sends_all_of_it);
  ADD (whole_of_a_jpeg_has_the_size_of_a_region);
  ADD (a_region_outside_is_warned_of_once);
  ADD (a_live_frame_passes_in_its_place);
  ADD (many_live_frames_wait_where_sinks_do);
  ADD (a_live_frame_waits_for_no_result_that_is_lost);
  ADD (a_live_stream_of_frames_that_pass_waits_for_no_model);
  ADD (a_result_that_was_overtaken_is_not_shown);
  ADD (a_live_hold_is_no_outage);
  ADD (a_live_hold_is_told_by_gaps);
  ADD (before_the_first_result_the_fallback_is_shown);
  ADD (a_constant_rate_repeats_the_last_result);
  ADD (send_needs_a_frame_with_a_region);
  ADD (a_frame_that_is_shown_in_an_outage_is_its_region);
  return fixture_run ();
}
