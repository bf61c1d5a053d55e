/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is controlled while frames flow. */
#include "fixture.h"

#define SIZE 32

static void
set_enabled (Fixture *f, gboolean enabled)
{
  g_object_set (f->element, "enabled", enabled, NULL);
}

/* The next buffer: @changed, it went through the model (which inverts), else as it came. */
static void
expect (Fixture *f, guint n, gboolean changed)
{
  g_autoptr (GstBuffer) buffer = fixture_pull (f);

  g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, gst_util_uint64_scale (n, GST_SECOND, 30));
  assert_colour (fixture_colour (f, buffer), changed ? 0xdfbf9f : 0x204060, changed ? 8 : 0);
}

static void
test_enabled (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, "enabled=false");

  fixture_set_size (f, SIZE, SIZE);
  for (guint n = 0; n < 10; n++) {
    fixture_push_colour (f, 0x204060, n);
    expect (f, n, FALSE);
  }
  fixture_wait_for_stat (f, "frames-passed", 10);
  g_assert_cmpuint (fal_server_get_connections (f->server), ==, 0);
  g_assert_cmpuint (fixture_stat (f, "frames-in"), ==, 0);
}

/* No frame is lost or comes out of its turn, and nothing stays open. */
static void
test_toggling_loses_nothing (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, NULL);
  guint n = 0, pulled = 0;

  fixture_set_size (f, SIZE, SIZE);
  for (guint round = 0; round < 6; round++) {
    set_enabled (f, round % 2 == 0);
    for (guint i = 0; i < 3; i++)
      fixture_push_colour (f, 0x204060, n++);
    for (; pulled < n; pulled++)
      expect (f, pulled, round % 2 == 0);
  }
  g_assert_cmpuint (fixture_stat (f, "results"), ==, 9);
  g_assert_cmpuint (fixture_stat (f, "lost"), ==, 0);
  fixture_wait_until_closed (f);
  g_assert_cmpuint (fal_server_get_connections (f->server), ==, 3);
  fixture_expect_no_message (f);
}

/* A live stream goes on at once, whatever the model is doing. */
static void
test_disabling_waits_for_no_model (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "timestamp-mode=input");

  fal_server_set_mute (f->server, TRUE);
  fixture_set_size (f, SIZE, SIZE);
  fixture_push_colour (f, 0x204060, 0);
  fixture_wait_for_stat (f, "in-flight", 1);
  set_enabled (f, FALSE);
  fixture_push_colour (f, 0x204060, 1);
  expect (f, 1, FALSE);
  fixture_wait_until_closed (f);
  g_assert_cmpuint (fal_server_get_connections (f->server), ==, 1);
  fixture_wait_for_stat (f, "lost", 1);
}

static void
push_and_see_it_pass (Fixture *f, guint n)
{
  fixture_push_colour (f, 0x204060, n);
  expect (f, n, FALSE);
}

/* Whether the next buffer is a picture of the model's; FALSE too where none is there. */
static gboolean
pull_changed (Fixture *f)
{
  g_autoptr (GstBuffer) buffer = gst_harness_try_pull (f->harness);

  return buffer != NULL && gst_buffer_get_custom_meta (buffer, "GstFalResultMeta") != NULL;
}

/* Until a picture of the model's comes out. */
static void
push_until_changed (Fixture *f, guint *n)
{
  REPEAT_UNTIL (f->element, pull_changed (f), fixture_push_colour (f, 0x204060, (*n)++));
}

/* A live picture does not freeze while the model is dialled and makes its first one. */
static void
test_enabling_leaves_no_hole (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "timestamp-mode=arrival enabled=false");
  guint n = 0, passed;

  gst_harness_use_systemclock (f->harness);
  fal_server_set_mute (f->server, TRUE);
  fixture_set_size (f, SIZE, SIZE);
  fixture_push_colour (f, 0x204060, n);
  expect (f, n++, FALSE);
  set_enabled (f, TRUE);
  REPEAT_UNTIL (
      f->element, n >= 10 && fixture_stat (f, "in-flight") > 0, push_and_see_it_pass (f, n++));
  fal_server_set_mute (f->server, FALSE);
  g_signal_emit_by_name (f->element, "reconnect");
  push_until_changed (f, &n);
  push_until_changed (f, &n); /* what was about to pass did so */
  passed = fixture_stat (f, "frames-passed");
  for (guint i = 0; i < 5; i++)
    push_until_changed (f, &n);
  g_assert_cmpuint (fixture_stat (f, "frames-passed"), ==, passed);
}

static GstPadProbeReturn
check_segment (GstPad *pad, GstPadProbeInfo *info, gpointer seen)
{
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  g_autoptr (GstEvent) event = gst_pad_get_sticky_event (pad, GST_EVENT_SEGMENT, 0);
  const GstSegment *segment;

  gst_event_parse_segment (event, &segment);
  g_assert_cmpuint (GST_BUFFER_PTS (buffer), >=, segment->start);
  g_assert_cmpuint (GST_BUFFER_PTS (buffer), <, segment->stop);
  g_assert_cmpint (
      GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT), ==, *(guint *) seen == 0);
  ++*(guint *) seen;
  return GST_PAD_PROBE_OK;
}

/* From frame @first to before frame @end. */
static void
push_segment (Fixture *f, guint first, guint end)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = segment.time = segment.base = gst_util_uint64_scale (first, GST_SECOND, 30);
  segment.stop = gst_util_uint64_scale (end, GST_SECOND, 30);
  g_assert_true (gst_harness_push_event (f->harness, gst_event_new_segment (&segment)));
}

/* Frames that pass while the model's first result is awaited come in their segment, and none of
 * them is missing. */
static void
test_a_segment_does_not_wait_for_the_model (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "enabled=false");
  guint seen = 0;

  gst_harness_use_systemclock (f->harness);
  fal_server_set_mute (f->server, TRUE);
  fixture_set_size (f, SIZE, SIZE);
  push_segment (f, 0, 4);
  gst_pad_add_probe (f->harness->sinkpad, GST_PAD_PROBE_TYPE_BUFFER, check_segment, &seen, NULL);
  for (guint n = 0; n < 8; n++) {
    if (n == 2)
      set_enabled (f, TRUE);
    if (n == 4) {
      fixture_wait_for_stat (f, "in-flight", 1);
      push_segment (f, 4, 8);
    }
    fixture_push_colour (f, 0x204060, n);
    expect (f, n, FALSE);
  }
  g_assert_cmpuint (seen, ==, 8);
}

/* The connection went while downstream was not linked: it is made anew for what still waits. */
static void
test_a_new_link_has_what_waits_sent (void)
{
  FalServerOptions options = { .delay_ms = 500 };
  g_autoptr (Fixture) f = fixture_new (&options, "retry-delay=10");
  g_autoptr (GstPad) src = gst_element_get_static_pad (f->element, "src");
  g_autoptr (GstPad) pad = gst_pad_get_peer (f->harness->sinkpad);

  fixture_set_size (f, SIZE, SIZE);
  fixture_push_colour (f, 0x204060, 0);
  expect (f, 0, TRUE);
  fixture_push_colour (f, 0x204060, 1);
  fixture_push_colour (f, 0x204060, 2);
  fixture_push_colour (f, 0x204060, 3);
  fixture_wait_for_stat (f, "in-flight", 2);
  gst_pad_unlink (pad, f->harness->sinkpad);
  fixture_wait_for_stat (f, "answered", 2);
  WAIT_UNTIL (f->element, gst_pad_get_task_state (src) == GST_TASK_PAUSED);
  fal_server_close (f->server, 0, NULL);
  gst_message_unref (fixture_wait_for_message (f, GST_MESSAGE_WARNING));
  g_assert_cmpint (gst_pad_link (pad, f->harness->sinkpad), ==, GST_PAD_LINK_OK);
  gst_buffer_unref (fixture_pull (f));
}

/* Between two attempts there is nothing to end, but the next frame dials again. */
static void
test_an_end_between_two_attempts_is_not_for_ever (void)
{
  for (guint way = 0; way < 2; way++) {
    g_autoptr (Fixture) f = fixture_new_live (NULL, "timestamp-mode=input retry-delay=60000");

    fal_server_set_refusal (f->server, 503);
    fixture_set_size (f, SIZE, SIZE);
    fixture_push_colour (f, 0x204060, 0);
    gst_message_unref (fixture_wait_for_message (f, GST_MESSAGE_WARNING));
    fal_server_set_refusal (f->server, 0);
    if (way == 0) {
      g_signal_emit_by_name (f->element, "close");
    } else {
      set_enabled (f, FALSE);
      set_enabled (f, TRUE);
    }
    fixture_push_colour (f, 0x204060, 1);
    expect (f, 1, TRUE);
  }
}

/* JPEG frames too, where downstream takes only raw video. */
static void
test_a_picture_passes_decoded (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, "enabled=false");
  g_autoptr (GstBuffer) buffer = NULL;
  g_autoptr (GBytes) jpeg = NULL;
  g_autofree gchar *path = g_build_filename (g_getenv ("FAL_TEST_DATA"), "astronaut.jpg", NULL);
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, NULL);
  GstVideoInfo info;
  g_autoptr (GstCaps) caps = NULL;

  g_assert_nonnull (file);
  jpeg = g_mapped_file_get_bytes (file);
  gst_harness_set_sink_caps_str (f->harness, "video/x-raw");
  gst_harness_set_src_caps_str (f->harness, "image/jpeg");
  fixture_push (f, gst_buffer_new_wrapped_bytes (jpeg));
  buffer = fixture_pull (f);
  caps = gst_pad_get_current_caps (f->harness->sinkpad);
  g_assert_true (gst_video_info_from_caps (&info, caps));
  g_assert_cmpuint (gst_buffer_get_size (buffer), ==, info.size);
}

static void
test_events_keep_their_place_among_passing_frames (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, "enabled=false");

  fixture_set_size (f, SIZE, SIZE);
  fixture_push_colour (f, 0x204060, 0);
  fixture_push_colour (f, 0x204060, 1);
  fixture_push_end (f);
  expect (f, 0, FALSE);
  expect (f, 1, FALSE);
  fixture_wait_for_end (f);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
#define ADD(name, function) g_test_add_func ("/enabling/" name, function)
  ADD ("enabled", test_enabled);
  ADD ("a-new-link-has-what-waits-sent", test_a_new_link_has_what_waits_sent);
  ADD ("a-segment-does-not-wait-for-the-model", test_a_segment_does_not_wait_for_the_model);
  ADD ("toggling-loses-nothing", test_toggling_loses_nothing);
  ADD ("disabling-waits-for-no-model", test_disabling_waits_for_no_model);
  ADD ("enabling-leaves-no-hole", test_enabling_leaves_no_hole);
  ADD ("an-end-between-two-attempts-is-not-for-ever",
      test_an_end_between_two_attempts_is_not_for_ever);
  ADD ("a-picture-passes-decoded", test_a_picture_passes_decoded);
  ADD ("events-keep-their-place-among-passing-frames",
      test_events_keep_their_place_among_passing_frames);
  return fixture_run ();
}
