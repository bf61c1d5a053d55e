/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the element does with frames, between a test's own pads and the local server. */
#include "fixture.h"
#include <string.h>

/* ---- frames in, results out ---- */

static void
test_a_frame_comes_back_changed (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, NULL);
  g_autoptr (GstBuffer) out = NULL;

  fixture_set_size (f, 64, 48);
  fixture_push (f, fixture_frame (64, 48, 0xff0000, 0));
  out = fixture_pull (f);
  assert_colour (fixture_colour (f, out), 0x00ffff, 4);
}

static void
test_no_frame_of_a_file_is_lost_and_each_finds_its_result (void)
{
  FalServerOptions options = { .delay_ms = 3, .effect = "echo" };
  g_autoptr (Fixture) f = fixture_new (&options, "max-in-flight=4 max-buffering=3");

  fixture_set_size (f, 32, 32);
  for (guint i = 0; i < 40; i++)
    fixture_push (f, fixture_frame (32, 32, i * 6 << 8, i));
  for (guint i = 0; i < 40; i++) {
    g_autoptr (GstBuffer) out = fixture_pull (f);

    assert_colour (fixture_colour (f, out), i * 6 << 8, 3);
    g_assert_cmpuint (GST_BUFFER_PTS (out), ==, gst_util_uint64_scale (i, GST_SECOND, 30));
    g_assert_cmpuint (GST_BUFFER_DURATION (out), ==, GST_SECOND / 30);
    g_assert_cmpint (GST_BUFFER_FLAG_IS_SET (out, GST_BUFFER_FLAG_DISCONT), ==, i == 0);
  }
  fixture_wait_for_stat (f, "frames-out", 40);
  g_assert_cmpuint (fal_server_get_requests (f->server), ==, 40);
}

static void
test_without_echoed_ids_results_are_matched_in_order (void)
{
  FalServerOptions options = { .delay_ms = 2, .effect = "echo", .no_echo_request_id = TRUE };
  g_autoptr (Fixture) f = fixture_new (&options, "max-in-flight=8");

  fixture_set_size (f, 32, 32);
  for (guint i = 0; i < 20; i++)
    fixture_push (f, fixture_frame (32, 32, i * 12, i));
  for (guint i = 0; i < 20; i++) {
    g_autoptr (GstBuffer) out = fixture_pull (f);

    assert_colour (fixture_colour (f, out), i * 12, 5);
    g_assert_cmpuint (GST_BUFFER_PTS (out), ==, gst_util_uint64_scale (i, GST_SECOND, 30));
  }
}

/* A server that drops without a word: with ids, the results that come still find their frames. */
static void
test_results_find_their_frames_though_the_server_drops_some (void)
{
  FalServerOptions options = { .delay_ms = 30, .effect = "echo", .buffering = 1 };
  g_autoptr (Fixture) f =
      fixture_new_live (&options, "max-in-flight=6 max-buffering=6 timestamp-mode=input");
  guint results = 0;

  fixture_set_size (f, 32, 32);
  fixture_push (f, fixture_frame (32, 32, 0, 0));
  gst_buffer_unref (fixture_pull (f)); /* the app is known to echo from here on */
  for (guint i = 1; i <= 6; i++)
    fixture_push (f, fixture_frame (32, 32, i * 40 << 16, i));
  fixture_push_end (f);
  fixture_wait_for_end (f);
  for (GstBuffer *out; (out = gst_harness_try_pull (f->harness)); results++) {
    guint n = (GST_BUFFER_PTS (out) * 30 + GST_SECOND / 2) / GST_SECOND;

    assert_colour (fixture_colour (f, out), n * 40 << 16, 4);
    gst_buffer_unref (out);
  }
  g_assert_cmpuint (fal_server_get_dropped (f->server), >, 0);
  g_assert_cmpuint (results + fixture_stat (f, "lost"), ==, 6);
  g_assert_cmpuint (fixture_stat (f, "expired"), ==, 0);
}

static void
test_the_segment_travels_with_its_frames (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, NULL);
  const GstSegment *got;
  GstSegment segment;
  g_autoptr (GstEvent) event = NULL;
  GstBuffer *buffer;

  fixture_set_size (f, 32, 32);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = 7 * GST_SECOND;
  segment.base = 3 * GST_SECOND;
  gst_harness_push_event (f->harness, gst_event_new_segment (&segment));
  buffer = fixture_frame (32, 32, 0, 0);
  GST_BUFFER_PTS (buffer) = 8 * GST_SECOND;
  fixture_push (f, buffer);
  buffer = fixture_pull (f);
  g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, 8 * GST_SECOND);
  gst_buffer_unref (buffer);
  do {
    g_clear_pointer (&event, gst_event_unref);
    event = fixture_wait_for_event (f, GST_EVENT_SEGMENT);
    gst_event_parse_segment (event, &got);
  } while (got->base != 3 * GST_SECOND);
  g_assert_cmpuint (got->start, ==, 7 * GST_SECOND);
}

static void
test_caps_follow_the_picture (void)
{
  FalServerOptions options = { .effect = "echo" };
  g_autoptr (Fixture) f = fixture_new (&options, NULL);
  static const gint sizes[][2] = { { 64, 48 }, { 33, 17 }, { 1, 1 }, { 128, 128 } };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (GstBuffer) out = NULL;
    g_autoptr (GstCaps) caps = NULL;
    GstVideoInfo info;

    fixture_set_size (f, sizes[i][0], sizes[i][1]);
    fixture_push (f, fixture_frame (sizes[i][0], sizes[i][1], 0x808080, i));
    out = fixture_pull (f);
    caps = fixture_get_caps (f);
    g_assert_true (gst_video_info_from_caps (&info, caps));
    g_assert_cmpint (info.width, ==, sizes[i][0]);
    g_assert_cmpint (info.height, ==, sizes[i][1]);
    g_assert_cmpint (info.fps_n, ==, 30);
    assert_colour (fixture_colour (f, out), 0x808080, 3);
  }
}

static void
test_live_results_have_a_variable_rate (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, NULL);
  g_autoptr (GstCaps) caps = NULL;
  const GstStructure *structure;
  gint n, d;

  fixture_set_size (f, 32, 32);
  fixture_push (f, fixture_frame (32, 32, 0, 0));
  gst_buffer_unref (fixture_pull (f));
  caps = fixture_get_caps (f);
  structure = gst_caps_get_structure (caps, 0);
  g_assert_true (gst_structure_get_fraction (structure, "framerate", &n, &d));
  g_assert_cmpint (n, ==, 0);
  g_assert_true (gst_structure_get_fraction (structure, "max-framerate", &n, &d));
  g_assert_cmpint (n, ==, 30);
}

/* ---- what is sent ---- */

static void
test_a_request_holds_what_was_set_and_nothing_else (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL,
      "prompt=\"a cat\" seed=6252023 strength=0.65 num-inference-steps=4 "
      "parameters-json={\"sync_mode\":true,\"seed\":1,\"nested\":{\"list\":[1,2.5,\"x\"]}} "
      "parameters=\"p,strength=0.1,extra=(int)7\"");
  g_autoptr (GstStructure) request = NULL;
  const GstStructure *nested;
  gint64 number;
  gdouble real;
  gboolean flag;

  fixture_set_size (f, 32, 32);
  fixture_push (f, fixture_frame (32, 32, 0, 0));
  request = fal_server_pop_request (f->server, WATCHDOG_SECONDS * 1000);
  g_assert_nonnull (request);
  g_assert_cmpstr (gst_structure_get_string (request, "prompt"), ==, "a cat");
  g_assert_true (gst_structure_get_int64 (request, "seed", &number) && number == 6252023);
  g_assert_true (gst_structure_get_int64 (request, "num_inference_steps", &number) && number == 4);
  g_assert_true (gst_structure_get_int64 (request, "extra", &number) && number == 7);
  g_assert_true (gst_structure_get_double (request, "strength", &real) && real == 0.65);
  g_assert_true (gst_structure_get_boolean (request, "sync_mode", &flag) && flag);
  nested = gst_value_get_structure (gst_structure_get_value (request, "nested"));
  g_assert_cmpuint (gst_value_array_get_size (gst_structure_get_value (nested, "list")), ==, 3);
  g_assert_true (gst_structure_has_field_typed (request, "image_bytes", G_TYPE_BYTES));
  g_assert_true (gst_structure_has_field_typed (request, "request_id", G_TYPE_STRING));
  g_assert_cmpint (gst_structure_n_fields (request), ==, 9);
}

static void
test_an_unknown_app_gets_a_data_uri (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, "image-field=auto image-encoding=auto");
  g_autoptr (GstStructure) request = NULL;

  fixture_set_size (f, 32, 32);
  fixture_push (f, fixture_frame (32, 32, 0, 0));
  request = fal_server_pop_request (f->server, WATCHDOG_SECONDS * 1000);
  g_assert_true (g_str_has_prefix (
      gst_structure_get_string (request, "image_url"), "data:image/jpeg;base64,/9j/"));
}

static void
test_the_address_carries_token_and_buffering (void)
{
  FalServerOptions options = { .token = "abc/+=" };
  g_autoptr (Fixture) f = fixture_new (&options, "token=abc/+= max-buffering=7");
  g_autofree gchar *target = NULL;

  fixture_set_size (f, 32, 32);
  fixture_push (f, fixture_frame (32, 32, 0, 0));
  gst_buffer_unref (fixture_pull (f));
  target = fal_server_dup_last_target (f->server);
  g_assert_cmpstr (
      target, ==, "/test/app/image/realtime?fal_jwt_token=abc%2F%2B%3D&max_buffering=7");
}

static void
test_a_key_requests_a_token (void)
{
  FalServerOptions options = { .api_key = "id:secret" };
  g_autoptr (Fixture) f = fixture_new (&options, "api-key=id:secret");
  g_autofree gchar *uri =
      g_strconcat ("http", fal_server_get_uri (f->server) + strlen ("ws"), "/tokens/", NULL);

  gst_harness_set (f->harness, "falrealtimefilter", "token-uri", uri, NULL);
  fixture_set_size (f, 32, 32);
  fixture_push (f, fixture_frame (32, 32, 0, 0));
  gst_buffer_unref (fixture_pull (f));
  g_assert_cmpuint (fal_server_get_token_requests (f->server), ==, 1);
  g_assert_cmpuint (fixture_stat (f, "token-requests"), ==, 1);
}

static void
test_a_changed_prompt_goes_with_the_next_frame (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, "prompt=one");
  static const gchar *const prompts[] = { "one", "two", "three" };

  fixture_set_size (f, 32, 32);
  for (guint i = 0; i < G_N_ELEMENTS (prompts); i++) {
    g_autoptr (GstStructure) request = NULL;

    gst_harness_set (f->harness, "falrealtimefilter", "prompt", prompts[i], NULL);
    fixture_push (f, fixture_frame (32, 32, 0, i));
    gst_buffer_unref (fixture_pull (f));
    request = fal_server_pop_request (f->server, WATCHDOG_SECONDS * 1000);
    g_assert_cmpstr (gst_structure_get_string (request, "prompt"), ==, prompts[i]);
  }
  g_assert_cmpuint (fal_server_get_connections (f->server), ==, 1);
}

/* ---- flow ---- */

static void
test_a_live_burst_sends_its_first_and_its_last_frame (void)
{
  FalServerOptions options = { .effect = "echo" };
  g_autoptr (Fixture) f = fixture_new_live (&options, "throttle-interval=2000");
  g_autoptr (GstBuffer) first = NULL, last = NULL;

  fixture_set_size (f, 32, 32);
  fixture_push (f, fixture_frame (32, 32, 0x101010, 0));
  first = fixture_pull (f);
  for (guint i = 1; i <= 9; i++)
    fixture_push (f, fixture_frame (32, 32, i * 0x101010, i));
  last = fixture_pull (f);
  assert_colour (fixture_colour (f, first), 0x101010, 3);
  assert_colour (fixture_colour (f, last), 0x909090, 3);
  g_assert_true (GST_BUFFER_FLAG_IS_SET (last, GST_BUFFER_FLAG_DISCONT));
  g_assert_cmpuint (fal_server_get_requests (f->server), ==, 2);
  g_assert_cmpuint (fixture_stat (f, "dropped-throttled"), ==, 8);
}

static void
test_frames_that_wait_are_bounded (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "max-buffering=3 max-in-flight=1");

  fal_server_set_mute (f->server, TRUE);
  fixture_set_size (f, 32, 32);
  for (guint i = 0; i < 50; i++)
    fixture_push (f, fixture_frame (32, 32, 0, i));
  fixture_wait_for_stat (f, "in-flight", 1);
  g_assert_cmpuint (fixture_stat (f, "frames-waiting"), <=, 3);
  g_assert_cmpuint (fixture_stat (f, "frames-in"), ==, 50);
}

static gpointer
push_three (gpointer data)
{
  Fixture *f = data;

  for (guint i = 0; i < 3; i++)
    if (gst_harness_push (f->harness, fixture_frame (32, 32, 0, i)) != GST_FLOW_OK)
      return GUINT_TO_POINTER (i);
  return GUINT_TO_POINTER (3);
}

/* leaky=no makes a live upstream wait too. */
static void
test_upstream_waits_where_nothing_may_drop (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "leaky=no max-in-flight=1");
  GThread *thread;

  fal_server_set_mute (f->server, TRUE);
  fixture_set_size (f, 32, 32);
  thread = g_thread_new ("push", push_three, f);
  fixture_wait_for_stat (f, "in-flight", 1);
  fixture_wait_for_stat (f, "frames-waiting", 1);
  g_assert_cmpuint (fixture_stat (f, "frames-in"), ==, 2);
  gst_element_set_state (f->harness->element, GST_STATE_NULL);
  g_assert_cmpuint (GPOINTER_TO_UINT (g_thread_join (thread)), ==, 2);
}

static void
test_end_of_stream_comes_after_the_last_result (void)
{
  FalServerOptions options = { .delay_ms = 50 };
  g_autoptr (Fixture) f = fixture_new (&options, "max-in-flight=4 max-buffering=4");

  fixture_set_size (f, 32, 32);
  for (guint i = 0; i < 4; i++)
    fixture_push (f, fixture_frame (32, 32, 0, i));
  fixture_push_end (f);
  fixture_wait_for_end (f);
  g_assert_cmpuint (gst_harness_buffers_received (f->harness), ==, 4);
}

static void
test_end_of_stream_before_any_frame_opens_nothing (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, NULL);

  fixture_set_size (f, 32, 32);
  fixture_push_end (f);
  fixture_wait_for_end (f);
  g_assert_cmpuint (fal_server_get_connections (f->server), ==, 0);
}

static void
test_end_of_stream_does_not_wait_for_ever (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, "drain-timeout=100");

  fal_server_set_mute (f->server, TRUE);
  fixture_set_size (f, 32, 32);
  fixture_push (f, fixture_frame (32, 32, 0, 0));
  fixture_wait_for_stat (f, "in-flight", 1);
  fixture_push_end (f);
  fixture_wait_for_end (f);
  g_assert_cmpuint (fixture_stat (f, "expired"), ==, 1);
}

/* The drain timeout counts from the last result, so a long queue is no reason to lose frames. */
static void
test_a_long_queue_drains_whole (void)
{
  FalServerOptions options = { .delay_ms = 50 };
  g_autoptr (Fixture) f = fixture_new (&options, "max-buffering=12 drain-timeout=300");

  fixture_set_size (f, 32, 32);
  for (guint i = 0; i < 12; i++)
    fixture_push (f, fixture_frame (32, 32, 0, i));
  fixture_push_end (f);
  fixture_wait_for_end (f);
  g_assert_cmpuint (gst_harness_buffers_received (f->harness), ==, 12);
}

static void
test_events_keep_their_place_among_the_frames (void)
{
  FalServerOptions options = { .effect = "echo", .delay_ms = 10 };
  g_autoptr (Fixture) f = fixture_new (&options, NULL);
  GstEvent *event;
  guint n = 0;

  fixture_set_size (f, 32, 32);
  for (guint i = 0; i < 5; i++) {
    GstStructure *mark = gst_structure_new ("mark", "n", G_TYPE_UINT, i, NULL);

    gst_harness_push_event (f->harness, gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM, mark));
    fixture_push (f, fixture_frame (32, 32, 0, i));
  }
  for (guint i = 0; i < 5; i++) {
    gst_buffer_unref (fixture_pull (f));
    event = fixture_wait_for_event (f, GST_EVENT_CUSTOM_DOWNSTREAM);
    gst_structure_get_uint (gst_event_get_structure (event), "n", &n);
    g_assert_cmpuint (n, ==, i);
    gst_event_unref (event);
  }
}

static void
test_a_flush_keeps_the_connection_and_forgets_old_results (void)
{
  FalServerOptions options = { .effect = "echo", .delay_ms = 100 };
  g_autoptr (Fixture) f = fixture_new (&options, "max-in-flight=2 max-buffering=2");
  g_autoptr (GstBuffer) out = NULL;

  fixture_set_size (f, 32, 32);
  for (guint i = 0; i < 2; i++)
    fixture_push (f, fixture_frame (32, 32, 0, i));
  fixture_wait_for_stat (f, "in-flight", 2);
  fixture_flush (f);
  fixture_push (f, fixture_frame (32, 32, 0xffffff, 0));
  out = fixture_pull (f);
  assert_colour (fixture_colour (f, out), 0xffffff, 3);
  g_assert_cmpuint (fal_server_get_connections (f->server), ==, 1);
  g_assert_cmpuint (gst_harness_buffers_received (f->harness), ==, 1);
}

static void
test_it_works_again_after_null (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, NULL);

  for (guint round = 0; round < 5; round++) {
    gst_element_set_state (f->harness->element, GST_STATE_NULL);
    gst_element_set_state (f->harness->element, GST_STATE_PLAYING);
    gst_harness_push_event (f->harness, gst_event_new_stream_start ("again"));
    fixture_set_size (f, 32, 32);
    fixture_push_segment (f);
    fixture_push (f, fixture_frame (32, 32, 0xff0000, 0));
    gst_buffer_unref (fixture_pull (f));
  }
}

static void
test_the_times_stand_still_after_null (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, NULL);
  guint64 connected, session;

  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, 0);
  gst_element_set_state (f->harness->element, GST_STATE_NULL);
  connected = fixture_stat (f, "connected-time");
  session = fixture_stat (f, "session-time");
  g_assert_cmpuint (connected, >, 0);
  g_assert_cmpuint (session, >=, connected);
  fixture_run_another_stream ();
  g_assert_cmpuint (fixture_stat (f, "connected-time"), ==, connected);
  g_assert_cmpuint (fixture_stat (f, "session-time"), ==, session);
}

/* Down to NULL at once, wherever the peer hangs: nobody waits for the network. */
static void
test_null_takes_no_time_at_any_moment (void)
{
  for (guint moment = 0; moment < 4; moment++) {
    g_autoptr (Fixture) f = fixture_new (NULL, NULL);

    fal_server_set_mute (f->server, TRUE);
    fixture_set_size (f, 32, 32);
    if (moment > 0)
      fixture_push (f, fixture_frame (32, 32, 0, 0));
    if (moment > 1)
      fixture_wait_for_stat (f, "in-flight", 1);
    if (moment > 2)
      gst_harness_push_event (f->harness, gst_event_new_eos ());
    EXPECT_WITHIN (
        250 * G_TIME_SPAN_MILLISECOND, gst_element_set_state (f->harness->element, GST_STATE_NULL));
  }
}

/* ---- what goes wrong on the way ---- */

static void
test_a_bad_result_is_counted_and_the_stream_goes_on (void)
{
  static const guint8 garbage[] = { 0x81, 0xa3, 'a' };
  g_autoptr (Fixture) f = fixture_new (NULL, NULL);
  g_autoptr (GBytes) answer = g_bytes_new_static (garbage, sizeof garbage);
  g_autoptr (GstMessage) warning = NULL;

  fal_server_set_answer (f->server, answer, FALSE);
  fixture_set_size (f, 32, 32);
  fixture_push (f, fixture_frame (32, 32, 0, 0));
  warning = fixture_wait_for_message (f, GST_MESSAGE_WARNING);
  fixture_wait_for_stat (f, "failed", 1);
  g_assert_cmpuint (fixture_stat (f, "results-invalid"), ==, 1);
  fal_server_set_answer (f->server, NULL, FALSE);
  fixture_push (f, fixture_frame (32, 32, 0xff0000, 1));
  gst_buffer_unref (fixture_pull (f));
}

static void
test_a_lost_link_is_warned_about_once_and_no_frame_of_a_file_is_lost (void)
{
  FalServerOptions options = { .effect = "echo" };
  g_autoptr (Fixture) f = fixture_new (&options, "retry-delay=10");

  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, 0);
  fal_server_set_mute (f->server, TRUE);
  for (guint i = 1; i < 3; i++)
    fixture_push_colour (f, i * 80, i);
  WAIT_UNTIL (f->element, fal_server_get_requests (f->server) > 1); /* never to be answered */
  fal_server_set_refusal (f->server, 503);
  fal_server_close (f->server, 0, NULL);
  gst_message_unref (fixture_wait_for_message (f, GST_MESSAGE_WARNING));
  fal_server_set_mute (f->server, FALSE);
  fal_server_set_refusal (f->server, 0);
  for (guint i = 1; i < 3; i++) {
    g_autoptr (GstBuffer) out = fixture_pull (f);

    assert_colour (fixture_colour (f, out), i * 80, 5);
  }
  fixture_expect_no_message (f);
  g_assert_cmpuint (fixture_stat (f, "reconnections"), ==, 1);
}

static void
test_the_end_for_idleness_is_silent (void)
{
  FalServerOptions options = { .session_timeout_ms = 50 };
  g_autoptr (Fixture) f = fixture_new (&options, NULL);

  fixture_set_size (f, 32, 32);
  for (guint i = 0; i < 3; i++) {
    fixture_push_and_pull (f, i);
    WAIT_UNTIL (f->element, fal_server_get_open (f->server) == 0);
  }
  g_assert_cmpuint (fal_server_get_connections (f->server), ==, 3);
  fixture_expect_no_message (f);
}

static void
test_requests_expire_and_the_stream_goes_on (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, "request-timeout=100 retry-delay=10");

  fal_server_set_mute (f->server, TRUE);
  fixture_set_size (f, 32, 32);
  fixture_push (f, fixture_frame (32, 32, 0, 0));
  fixture_wait_for_stat (f, "expired", 1);
  fal_server_set_mute (f->server, FALSE);
  fixture_push (f, fixture_frame (32, 32, 0xff0000, 1));
  gst_buffer_unref (fixture_pull (f));
}

/* Without ids the reply to a request that was given up looks like the next one's: it must not be
 * taken for it. */
static void
test_a_reply_that_comes_too_late_meets_no_other_frame (void)
{
  FalServerOptions options = { .effect = "echo", .delay_ms = 300, .no_echo_request_id = TRUE };
  g_autoptr (Fixture) f =
      fixture_new (&options, "request-timeout=100 retry-delay=1 request-id=never");
  g_autoptr (GstBuffer) out = NULL;

  fixture_set_size (f, 32, 32);
  fixture_push (f, fixture_frame (32, 32, 0xff0000, 0));
  fixture_wait_for_stat (f, "expired", 1);
  fal_server_set_delay (f->server, 0); /* of the first one its time goes on */
  fixture_push (f, fixture_frame (32, 32, 0x0000ff, 1));
  out = fixture_pull (f);
  assert_colour (fixture_colour (f, out), 0x0000ff, 4);
  g_assert_cmpuint (GST_BUFFER_PTS (out), ==, GST_SECOND / 30);
}

static void
test_leaky_may_change_while_requests_are_under_way (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, "leaky=downstream retry-delay=1");

  fal_server_set_mute (f->server, TRUE);
  fixture_set_size (f, 32, 32);
  fixture_push (f, fixture_frame (32, 32, 0, 0));
  gst_structure_free (fal_server_pop_request (f->server, WATCHDOG_SECONDS * 1000));
  gst_harness_set (f->harness, "falrealtimefilter", "leaky", 1 /* no */, NULL);
  fal_server_set_mute (f->server, FALSE);
  fal_server_close (f->server, 1011, "gone");
  gst_buffer_unref (fixture_pull (f)); /* as nothing newer waits it goes again */
  g_assert_cmpuint (fixture_stat (f, "requests-repeated"), ==, 1);
  fixture_push (f, fixture_frame (32, 32, 0, 1));
  gst_buffer_unref (fixture_pull (f));
}

/* Of each burst a server with a place for one swallows a request: it goes again, and all come out
 * in order. */
static void
test_a_file_gets_what_the_server_dropped_again (void)
{
  FalServerOptions options = { .delay_ms = 10, .effect = "echo", .buffering = 1 };
  g_autoptr (Fixture) f = fixture_new (&options, "max-in-flight=6 max-buffering=6");

  fixture_set_size (f, 32, 32);
  for (guint i = 0; i < 20; i++)
    fixture_push_colour (f, i * 12 << 8, i);
  fixture_push_end (f);
  for (guint i = 0; i < 20; i++) {
    g_autoptr (GstBuffer) out = fixture_pull (f);

    assert_colour (fixture_colour (f, out), i * 12 << 8, 3);
    g_assert_cmpuint (GST_BUFFER_PTS (out), ==, gst_util_uint64_scale (i, GST_SECOND, 30));
  }
  fixture_wait_for_end (f);
  g_assert_cmpuint (fal_server_get_dropped (f->server), >, 0);
  g_assert_cmpuint (fixture_stat (f, "requests-repeated"), >=, 1);
  g_assert_cmpuint (fixture_stat (f, "frames-sent"), ==, 20);
  g_assert_cmpuint (fixture_stat (f, "answered"), ==, 20);
  fixture_expect_no_message (f);
}

/* A door camera: the link breaks with its newest frame under way, and nothing newer comes. */
static void
test_the_newest_frame_gets_its_result_though_its_link_broke (void)
{
  FalServerOptions options = { .effect = "echo" };
  g_autoptr (Fixture) f = fixture_new_live (&options, "retry-delay=1");
  g_autoptr (GstBuffer) out = NULL;

  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, 0);
  fal_server_set_mute (f->server, TRUE);
  fixture_push_colour (f, 0x4080c0, 1);
  WAIT_UNTIL (f->element, fal_server_get_requests (f->server) == 2);
  fal_server_set_mute (f->server, FALSE);
  fal_server_close (f->server, 0, NULL);
  out = fixture_pull (f);
  assert_colour (fixture_colour (f, out), 0x4080c0, 5);
  g_assert_cmpuint (fixture_stat (f, "requests-repeated"), ==, 1);
  gst_message_unref (fixture_wait_for_message (f, GST_MESSAGE_WARNING));
}

static void
test_a_change_of_latency_is_announced (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, NULL);

  fixture_set_size (f, 32, 32);
  fixture_push (f, fixture_frame (32, 32, 0, 0));
  gst_buffer_unref (fixture_pull (f));
  gst_harness_set (f->harness, "falrealtimefilter", "latency", 500, NULL);
  gst_message_unref (fixture_wait_for_message (f, GST_MESSAGE_LATENCY));
}

/* Each PROGRESS that begins ends, whatever comes between. */
static void
test_progress_begins_and_ends (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, NULL);
  static const GstProgressType wanted[] = { GST_PROGRESS_TYPE_START, GST_PROGRESS_TYPE_COMPLETE };

  fixture_set_size (f, 32, 32);
  fixture_push (f, fixture_frame (32, 32, 0, 0));
  gst_buffer_unref (fixture_pull (f));
  for (guint i = 0; i < G_N_ELEMENTS (wanted); i++) {
    g_autoptr (GstMessage) message = fixture_wait_for_message (f, GST_MESSAGE_PROGRESS);
    GstProgressType type;

    gst_message_parse_progress (message, &type, NULL, NULL);
    g_assert_cmpint (type, ==, wanted[i]);
  }
}

/* ---- books ---- */

static gpointer
read_books (gpointer data)
{
  Fixture *f = data;

  for (guint i = 0; i < 2000; i++)
    fixture_check_books (f);
  return NULL;
}

static void
test_the_books_balance_at_every_read (void)
{
  FalServerOptions options = { .delay_ms = 1, .buffering = 1 };
  g_autoptr (Fixture) f = fixture_new_live (&options, "max-in-flight=4");
  GThread *reader;

  fixture_set_size (f, 32, 32);
  reader = g_thread_new ("reader", read_books, f);
  for (guint i = 0; i < 300; i++) {
    fixture_push (f, fixture_frame (32, 32, 0, i));
    if (i % 100 == 50)
      fal_server_close (f->server, 1012, "restarting");
  }
  g_thread_join (reader);
  fixture_push_end (f);
  fixture_wait_for_end (f);
  g_assert_cmpuint (fixture_stat (f, "frames-in"), ==, 300);
  g_assert_cmpuint (fixture_stat (f, "frames-waiting"), ==, 0);
}

static void
test_a_result_tells_of_its_journey (void)
{
  FalServerOptions options = { .delay_ms = 20 };
  g_autoptr (Fixture) f = fixture_new (&options, NULL);
  g_autoptr (GstBuffer) out = NULL;
  GstCustomMeta *meta;
  gdouble round_trip = 0;

  fixture_set_size (f, 32, 32);
  fixture_push (f, fixture_frame (32, 32, 0, 0));
  out = fixture_pull (f);
  meta = gst_buffer_get_custom_meta (out, "GstFalResultMeta");
  g_assert_nonnull (meta);
  g_assert_true (
      gst_structure_get_double (gst_custom_meta_get_structure (meta), "round-trip", &round_trip));
  g_assert_cmpfloat (round_trip, >=, 20);
  g_assert_true (gst_structure_has_field (gst_custom_meta_get_structure (meta), "request-id"));
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
#define ADD(name) g_test_add_func ("/frames-and-results/" #name, test_##name)
  ADD (a_frame_comes_back_changed);
  ADD (no_frame_of_a_file_is_lost_and_each_finds_its_result);
  ADD (a_file_gets_what_the_server_dropped_again);
  ADD (the_newest_frame_gets_its_result_though_its_link_broke);
  ADD (without_echoed_ids_results_are_matched_in_order);
  ADD (results_find_their_frames_though_the_server_drops_some);
  ADD (the_segment_travels_with_its_frames);
  ADD (caps_follow_the_picture);
  ADD (live_results_have_a_variable_rate);
  ADD (a_request_holds_what_was_set_and_nothing_else);
  ADD (an_unknown_app_gets_a_data_uri);
  ADD (the_address_carries_token_and_buffering);
  ADD (a_key_requests_a_token);
  ADD (a_changed_prompt_goes_with_the_next_frame);
  ADD (a_live_burst_sends_its_first_and_its_last_frame);
  ADD (frames_that_wait_are_bounded);
  ADD (upstream_waits_where_nothing_may_drop);
  ADD (end_of_stream_comes_after_the_last_result);
  ADD (end_of_stream_before_any_frame_opens_nothing);
  ADD (end_of_stream_does_not_wait_for_ever);
  ADD (a_long_queue_drains_whole);
  ADD (events_keep_their_place_among_the_frames);
  ADD (a_flush_keeps_the_connection_and_forgets_old_results);
  ADD (it_works_again_after_null);
  ADD (the_times_stand_still_after_null);
  ADD (null_takes_no_time_at_any_moment);
  ADD (a_bad_result_is_counted_and_the_stream_goes_on);
  ADD (a_lost_link_is_warned_about_once_and_no_frame_of_a_file_is_lost);
  ADD (the_end_for_idleness_is_silent);
  ADD (requests_expire_and_the_stream_goes_on);
  ADD (a_reply_that_comes_too_late_meets_no_other_frame);
  ADD (leaky_may_change_while_requests_are_under_way);
  ADD (a_change_of_latency_is_announced);
  ADD (progress_begins_and_ends);
  ADD (the_books_balance_at_every_read);
  ADD (a_result_tells_of_its_journey);
  return fixture_run ();
}
