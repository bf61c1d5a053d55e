/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames that show nothing new are not sent: what counts as new, what stands for them, and what
 * that saves. */
#include "moving-square.h"
#include "output-log.h"
#include "pipeline-fixture.h"

#include <gst/controller/gstdirectcontrolbinding.h>
#include <gst/controller/gstinterpolationcontrolsource.h>

#define RED 0xff0000
#define BLUE 0x0000ff
#define STILL "change-threshold=4 "
#define LIVE "timestamp-mode=input "

/* @n unchanged frames from frame @first on. */
static void
push_still (Fixture *f, guint first, guint n)
{
  for (guint i = first; i < first + n; i++) {
    guint64 before = fixture_stat (f, "dropped-unchanged");

    fixture_push_colour (f, RED, i);
    fixture_wait_for_stat (f, "dropped-unchanged", before + 1);
    fixture_check_books (f);
  }
}

/* Frame @n goes, and its result comes. */
static void
expect_sent (Fixture *f, guint colour, guint n)
{
  g_autoptr (GstBuffer) buffer = NULL;
  guint requests = fal_server_get_requests (f->server);

  fixture_push_colour (f, colour, n);
  buffer = fixture_pull (f);
  g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, gst_util_uint64_scale (n, GST_SECOND, 30));
  g_assert_cmpuint (fal_server_get_requests (f->server), ==, requests + 1);
  fixture_check_books (f);
}

static Fixture *
begin_live (const gchar *properties)
{
  g_autofree gchar *all = g_strdup_printf (LIVE STILL "%s", properties);
  Fixture *f = fixture_new_live (NULL, all);

  fixture_set_size (f, 32, 32);
  expect_sent (f, RED, 0);
  return f;
}

static void
test_only_changes_are_sent (void)
{
  g_autoptr (Fixture) f = begin_live ("");

  push_still (f, 1, 20);
  expect_sent (f, BLUE, 21);
  expect_sent (f, RED, 22);
  push_still (f, 23, 5);
  g_assert_cmpuint (fal_server_get_requests (f->server), ==, 3);
  g_assert_cmpuint (fixture_stat (f, "frames-in"), ==, 28);
  fixture_expect_no_message (f);
}

static void
test_without_a_threshold_all_are_sent (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, LIVE);

  fixture_set_size (f, 32, 32);
  for (guint n = 0; n < 5; n++)
    expect_sent (f, RED, n);
  g_assert_cmpuint (fixture_stat (f, "dropped-unchanged"), ==, 0);
}

static void
test_it_may_be_set_while_playing (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, LIVE);

  fixture_set_size (f, 32, 32);
  expect_sent (f, RED, 0);
  g_object_set (f->element, "change-threshold", 4, NULL);
  expect_sent (f, RED, 1); /* nobody looked at the one before */
  push_still (f, 2, 3);
  g_object_set (f->element, "change-threshold", 0, NULL);
  expect_sent (f, RED, 5);
}

/* By the time of the frames. */
static void
test_one_is_sent_when_the_time_is_over (void)
{
  g_autoptr (Fixture) f = begin_live ("max-unchanged-time=1000");

  push_still (f, 1, 29);
  expect_sent (f, RED, 30);
  push_still (f, 31, 29);
  expect_sent (f, RED, 60);
  g_object_set (f->element, "max-unchanged-time", 0, NULL);
  push_still (f, 200, 1);
}

/* ---- what counts as a change beside the picture ---- */

static void
test_other_inputs_count_as_a_change (void)
{
  g_autoptr (Fixture) f = begin_live ("");
  g_autoptr (GstStructure) inputs = gst_structure_new ("p", "a", G_TYPE_INT, 1, NULL);

  g_object_set (f->element, "prompt", "a boat", NULL);
  expect_sent (f, RED, 1);
  g_object_set (f->element, "seed", G_GINT64_CONSTANT (7), NULL);
  expect_sent (f, RED, 2);
  g_object_set (f->element, "parameters", inputs, NULL);
  expect_sent (f, RED, 3);
  g_object_set (f->element, "prompt", "a boat", NULL);
  push_still (f, 4, 1); /* which is no other one */
}

static void
test_what_a_controller_drives_counts_as_a_change (void)
{
  g_autoptr (Fixture) f = begin_live ("");
  GstControlSource *source = gst_interpolation_control_source_new ();

  g_object_set (source, "mode", GST_INTERPOLATION_MODE_NONE, NULL);
  gst_timed_value_control_source_set (GST_TIMED_VALUE_CONTROL_SOURCE (source), 0, 0.25);
  gst_timed_value_control_source_set (GST_TIMED_VALUE_CONTROL_SOURCE (source), GST_SECOND, 0.75);
  gst_object_add_control_binding (GST_OBJECT (f->element),
      gst_direct_control_binding_new (GST_OBJECT (f->element), "strength", source));
  expect_sent (f, RED, 10);
  push_still (f, 11, 5);
  expect_sent (f, RED, 30);
  push_still (f, 31, 5);
  gst_object_unref (source);
}

static void
test_the_action_send_sends (void)
{
  g_autoptr (Fixture) f = begin_live ("");
  gboolean sends = FALSE;

  push_still (f, 1, 2);
  g_signal_emit_by_name (f->element, "send", NULL, &sends);
  g_assert_true (sends);
  gst_buffer_unref (fixture_pull (f));
  g_assert_cmpuint (fal_server_get_requests (f->server), ==, 2);
  push_still (f, 3, 2);
}

static void
test_after_a_flush_or_other_caps_the_first_frame_is_sent (void)
{
  g_autoptr (Fixture) f = begin_live ("");

  push_still (f, 1, 1);
  fixture_flush (f);
  expect_sent (f, RED, 2);
  push_still (f, 3, 1);
  g_signal_emit_by_name (f->element, "clear");
  expect_sent (f, RED, 4);
  fixture_set_size (f, 64, 64);
  fixture_push (f, fixture_frame (64, 64, RED, 5));
  gst_buffer_unref (fixture_pull (f));
  g_assert_cmpuint (fal_server_get_requests (f->server), ==, 4);
}

static void
test_after_frames_passed_the_first_one_is_sent (void)
{
  g_autoptr (Fixture) f = begin_live ("");

  g_object_set (f->element, "enabled", FALSE, NULL);
  fixture_push_and_pull (f, 1);
  g_object_set (f->element, "enabled", TRUE, NULL);
  fixture_push_colour (f, RED, 2);
  WAIT_UNTIL (f->element, fal_server_get_requests (f->server) == 2);
}

/* What the server never got is not what later frames are compared with. */
static void
test_a_frame_without_an_answer_was_not_sent (void)
{
  g_autoptr (Fixture) f = begin_live ("request-timeout=50");

  fal_server_set_mute (f->server, TRUE);
  fixture_push_colour (f, BLUE, 1);
  fixture_wait_for_stat (f, "in-flight", 0);
  g_assert_cmpuint (fixture_stat (f, "answered"), ==, 1);
  fal_server_set_mute (f->server, FALSE);
  g_object_set (f->element, "request-timeout", 10000, NULL);
  fixture_push_colour (f, BLUE, 2);
  fixture_wait_for_stat (f, "answered", 2);
}

/* Where none may be lost an unchanged frame is given up only once the one that it is like was
 * answered. */
static void
test_in_a_file_an_unchanged_frame_waits_for_that_answer (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, STILL "max-in-flight=2 request-timeout=50");

  fixture_set_size (f, 32, 32);
  fal_server_set_mute (f->server, TRUE);
  fixture_push_colour (f, RED, 0);
  fixture_push_colour (f, RED, 1);
  WAIT_UNTIL (f->element, fal_server_get_requests (f->server) >= 2); /* frame 0 went again */
  g_assert_cmpuint (fixture_stat (f, "dropped-unchanged"), ==, 0);
  fal_server_set_mute (f->server, FALSE);
  fixture_push_end (f);
  fixture_wait_for_end (f);
  fixture_check_books (f);
  g_assert_cmpuint (fixture_stat (f, "frames-in"), ==, 2);
}

/* What an app keeps of a connection is gone with it. */
static void
test_an_app_with_a_state_gets_a_frame_on_each_connection (void)
{
  g_autoptr (Fixture) f = begin_live ("feedback-fields=state");

  push_still (f, 1, 2);
  g_signal_emit_by_name (f->element, "reconnect");
  fixture_wait_for_stat (f, "connections", 2);
  fixture_wait_for_state (f, "warming-up");
  expect_sent (f, RED, 3);
  push_still (f, 4, 2);
}

static void
test_another_app_does_not (void)
{
  g_autoptr (Fixture) f = begin_live ("");

  push_still (f, 1, 2);
  g_signal_emit_by_name (f->element, "reconnect");
  fixture_wait_for_stat (f, "connections", 2);
  push_still (f, 3, 5);
  g_assert_cmpuint (fal_server_get_requests (f->server), ==, 1);
}

/* ---- of a region ---- */

/* Frame @n of 96 by 64 pixels, in which an element before found a face at @x; negative: none.
 * @around: the colour of the rest. */
static GstBuffer *
make_face (guint n, gint x, guint around)
{
  GstBuffer *buffer = fixture_frame (96, 64, around, n);
  GstMapInfo map;

  if (x < 0)
    return buffer;
  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  for (gint y = 8; y < 40; y++)
    for (gint column = 24; column < 72; column++)
      memset (map.data + 3 * (96 * y + column), 200, 3);
  gst_buffer_unmap (buffer, &map);
  gst_buffer_add_video_region_of_interest_meta (buffer, "face", x, 8, 32, 32);
  return buffer;
}

/* In the face of @frame these columns become black. */
static GstBuffer *
blacken (GstBuffer *frame, gint first, gint last)
{
  GstMapInfo map;

  gst_buffer_map (frame, &map, GST_MAP_WRITE);
  for (gint y = 8; y < 40; y++)
    memset (map.data + 3 * (96 * y + first), 0, 3 * (last - first + 1));
  gst_buffer_unmap (frame, &map);
  return frame;
}

static void
expect_frame_sent (Fixture *f, GstBuffer *frame)
{
  guint requests = fal_server_get_requests (f->server);

  fixture_push (f, frame);
  gst_buffer_unref (fixture_pull (f));
  g_assert_cmpuint (fal_server_get_requests (f->server), ==, requests + 1);
  fixture_check_books (f);
}

static void
expect_face_sent (Fixture *f, guint n, gint x, guint around)
{
  expect_frame_sent (f, make_face (n, x, around));
}

static void
expect_face_unchanged (Fixture *f, guint n, gint x, guint around)
{
  guint64 before = fixture_stat (f, "dropped-unchanged");

  fixture_push (f, make_face (n, x, around));
  fixture_wait_for_stat (f, "dropped-unchanged", before + 1);
  fixture_check_books (f);
}

static Fixture *
begin_face (const gchar *properties)
{
  g_autofree gchar *all = g_strdup_printf (LIVE STILL "region=meta %s", properties);
  Fixture *f = fixture_new_live (NULL, all);

  fixture_set_size (f, 96, 64);
  expect_face_sent (f, 0, 32, RED);
  return f;
}

static void
test_what_is_around_a_region_does_not_count (void)
{
  g_autoptr (Fixture) f = begin_face ("");

  expect_face_unchanged (f, 1, 32, RED);
  expect_face_unchanged (f, 2, 32, 0xffffff);
  g_object_set (f->element, "region", "", NULL);
  expect_face_sent (f, 3, 32, 0xffffff);
  expect_face_sent (f, 4, 32, RED); /* now it does */
}

static void
test_a_region_that_moves_is_a_change (void)
{
  g_autoptr (Fixture) f = begin_face ("");

  expect_face_unchanged (f, 1, 36, RED); /* which shows the same */
  expect_face_unchanged (f, 2, 28, RED);
  expect_face_sent (f, 3, 37, RED);
  expect_face_unchanged (f, 4, 40, RED);
  g_object_set (f->element, "region-margin", 20, NULL);
  expect_face_sent (f, 5, 40, RED);
}

/* The edge of the face comes into a region that is as good as the one before: that one is looked
 * at. */
static void
test_a_region_that_trembles_is_none (void)
{
  g_autoptr (Fixture) f = begin_face ("");

  expect_face_sent (f, 1, 40, RED);
  expect_face_unchanged (f, 2, 44, RED);
  expect_face_unchanged (f, 3, 43, RED);
}

/* Such a one is sent as it lies, and others are compared with all of that. */
static void
test_what_was_sent_of_a_region_that_trembles_counts (void)
{
  g_autoptr (Fixture) f = begin_face ("");

  expect_frame_sent (f, blacken (make_face (1, 36, RED), 40, 55));
  expect_frame_sent (f, blacken (blacken (make_face (2, 36, RED), 40, 55), 64, 67));
}

/* What is shown then is that one, and no result. */
static void
test_after_one_without_a_region_the_first_frame_is_sent (void)
{
  g_autoptr (Fixture) f = begin_face ("");

  expect_face_unchanged (f, 1, 32, RED);
  fixture_push (f, make_face (2, -1, RED));
  gst_buffer_unref (fixture_pull (f));
  expect_face_sent (f, 3, 32, RED);
  expect_face_unchanged (f, 4, 32, RED);
}

/* A frame that is held does not end that. */
static void
test_after_one_that_is_held_the_last_result_stands_still (void)
{
  g_autoptr (Fixture) f = begin_face ("region-absent=hold");

  expect_face_unchanged (f, 1, 32, RED);
  fixture_push (f, make_face (2, -1, RED));
  expect_face_unchanged (f, 3, 32, RED);
}

/* ---- of composites ---- */

#define MATTE "composite=matte-over background=" SQUARE_BACKGROUND " " STILL

static const FalServerOptions mask = { .effect = "mask" };

/* Frame @n shows what frame @shown shows. */
static void
push_square (Fixture *f, const MovingSquare *square, guint n, guint shown)
{
  GstBuffer *frame = moving_square_frame (square, shown);

  GST_BUFFER_PTS (frame) = gst_util_uint64_scale (n, GST_SECOND, 30);
  fixture_push (f, frame);
}

/* Frame @n comes out, with the matte of frame @shown, by a result of its own where it is @own. */
static void
expect_square (Fixture *f, const MovingSquare *square, guint n, guint shown, gboolean own)
{
  g_autoptr (GstBuffer) buffer = fixture_pull (f);

  g_assert_cmpuint (moving_square_number (buffer), ==, n);
  g_assert_cmpfloat (moving_square_measure (square, shown, buffer), >=, 0.99);
  g_assert_cmpint (gst_buffer_get_custom_meta (buffer, "GstFalResultMeta") != NULL, ==, own);
}

static void
set_square (Fixture *f, MovingSquare *square)
{
  moving_square_init (square, 128, 128);
  gst_harness_set_src_caps (f->harness, moving_square_get_caps (square));
}

static void
test_with_a_composite_of_results_the_last_one_stands (void)
{
  g_autoptr (Fixture) f = fixture_new (&mask, MATTE);
  g_autoptr (OutputLog) log = output_log_new (f->harness->sinkpad);
  MovingSquare square;

  set_square (f, &square);
  for (guint n = 0; n < 8; n++)
    push_square (f, &square, n, n < 4 ? 0 : 8);
  expect_square (f, &square, 0, 0, TRUE);
  expect_square (f, &square, 4, 8, TRUE);
  fixture_push_end (f);
  output_log_wait_for (log, "eos", 1);
  output_log_expect (log, "stream-start caps segment frame0! gap gap gap frame4 gap gap gap eos");
  g_assert_cmpuint (fixture_stat (f, "frames-held"), ==, 0);
}

/* Nothing else comes: so none waits for a frame that is yet to be sent. */
static void
test_where_every_frame_comes_out_none_waits_for_a_change (void)
{
  g_autoptr (Fixture) f = fixture_new (&mask, MATTE "composite-frames=all");
  g_autoptr (OutputLog) log = output_log_new (f->harness->sinkpad);
  MovingSquare square;

  set_square (f, &square);
  for (guint n = 0; n < 8; n++) {
    push_square (f, &square, n, n < 4 ? 0 : 8);
    expect_square (f, &square, n, n < 4 ? 0 : 8, n % 4 == 0);
  }
  fixture_push_end (f);
  output_log_wait_for (log, "eos", 1);
  output_log_expect (log,
      "stream-start caps segment frame0! frame1 frame2 frame3 frame4 frame5 frame6 frame7 eos");
  g_assert_cmpuint (fixture_stat (f, "dropped-unchanged"), ==, 6);
  g_assert_cmpuint (fal_server_get_requests (f->server), ==, 2);
}

/* However long the result that stands has been there, and the frames have waited for downstream. */
static void
test_where_every_frame_comes_out_a_still_room_is_no_outage (void)
{
  g_autoptr (Fixture) f =
      fixture_new_live (&mask, MATTE LIVE "composite-frames=all fallback=black latency=10000");
  MovingSquare square;
  gulong block;

  set_square (f, &square);
  push_square (f, &square, 0, 0);
  expect_square (f, &square, 0, 0, TRUE);
  g_object_set (f->element, "fallback-timeout", 1, NULL);
  block = fixture_block_downstream (f);
  for (guint n = 1; n < 20; n++) {
    push_square (f, &square, n, 0);
    fixture_wait_for_stat (f, "dropped-unchanged", n);
  }
  fixture_run_another_stream ();
  gst_pad_remove_probe (f->harness->sinkpad, block);
  for (guint n = 1; n < 20; n++)
    expect_square (f, &square, n, 0, FALSE);
  g_assert_cmpuint (fixture_stat (f, "frames-filled"), ==, 0);
  g_assert_cmpuint (fixture_stat (f, "dropped-unchanged"), ==, 19);
}

/* What stands was made for what came out before. */
static void
test_another_composite_counts_as_a_change (void)
{
  g_autoptr (Fixture) f = fixture_new_live (&mask, MATTE LIVE);
  MovingSquare square;

  set_square (f, &square);
  push_square (f, &square, 0, 0);
  expect_square (f, &square, 0, 0, TRUE);
  g_object_set (f->element, "composite-frames", 1, NULL); /* all */
  push_square (f, &square, 1, 0);
  expect_square (f, &square, 1, 0, TRUE);
  push_square (f, &square, 2, 0);
  expect_square (f, &square, 2, 0, FALSE);
}

/* ---- a connection that is not needed ---- */

static void
test_the_connection_closes_while_nothing_changes (void)
{
  g_autoptr (Fixture) f = begin_live ("idle-timeout=20");
  guint n = 1;

  for (guint round = 1; round < 4; round++) {
    guint connections;

    while (!g_str_equal (fixture_get_state (f), "idle"))
      push_still (f, n++, 1);
    fixture_wait_until_closed (f);
    connections = fal_server_get_connections (f->server);
    push_still (f, n, 20); /* which open nothing */
    n += 20;
    g_assert_cmpstr (fixture_get_state (f), ==, "idle");
    g_assert_cmpuint (fal_server_get_connections (f->server), ==, connections);
    expect_sent (f, BLUE, n++);
    g_assert_cmpuint (fal_server_get_connections (f->server), ==, connections + 1);
    expect_sent (f, RED, n++); /* on that one, or one more */
  }
  g_assert_cmpuint (fal_server_get_requests (f->server), ==, 7);
  fixture_expect_no_message (f);
}

/* What is not sent is not paid for: the stream ends only when there is something to send. */
static void
test_a_budget_lasts_while_nothing_changes (void)
{
  g_autoptr (Fixture) f = begin_live ("price-per-request=1 budget=1");

  push_still (f, 1, 20);
  fixture_push_colour (f, BLUE, 21);
  gst_event_unref (fixture_wait_for_event (f, GST_EVENT_EOS));
  g_assert_cmpuint (fal_server_get_requests (f->server), ==, 1);
}

/* ---- what stands for them ---- */

/* Where none may be lost each has its time, and the end comes after all. */
static void
test_in_a_file_the_last_result_stands_for_them (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, STILL);
  GstPad *pad = gst_element_get_static_pad (f->element, "src");
  g_autoptr (OutputLog) log = output_log_new (pad);

  fixture_set_size (f, 32, 32);
  for (guint n = 0; n < 4; n++)
    fixture_push_colour (f, RED, n);
  fixture_push_colour (f, BLUE, 4);
  for (guint n = 5; n < 8; n++)
    fixture_push_colour (f, BLUE, n);
  fixture_push_end (f);
  output_log_wait_for (log, "eos", 1);
  g_assert_cmpuint (fal_server_get_requests (f->server), ==, 2);
  g_assert_cmpuint (fixture_stat (f, "dropped-unchanged"), ==, 6);
  output_log_expect (log, "stream-start caps segment frame0! gap gap gap frame4 gap gap gap eos");
  gst_object_unref (pad);
}

/* Many files have times in whole milliseconds, by which a frame may begin before the one before it
 * ends. */
static void
test_in_a_file_with_rounded_times_no_result_is_late (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, STILL);

  fixture_set_size (f, 32, 32);
  for (guint n = 0; n < 30; n++) {
    GstBuffer *frame = fixture_frame (32, 32, n / 2 % 2 == 0 ? RED : BLUE, n);

    GST_BUFFER_PTS (frame) -= GST_BUFFER_PTS (frame) % GST_MSECOND;
    fixture_push (f, frame);
  }
  fixture_push_end (f);
  for (guint n = 0; n < 30; n += 2) {
    g_autoptr (GstBuffer) buffer = fixture_pull (f);

    g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, n * 1000 / 30 * GST_MSECOND);
  }
  fixture_wait_for_end (f);
  g_assert_cmpuint (fixture_stat (f, "results-late"), ==, 0);
}

/* A gap goes up to where the next one, or a result, begins. */
static void
test_gaps_leave_no_time_out (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, STILL);
  GstClockTime end = gst_util_uint64_scale (1, GST_SECOND, 30);

  fixture_set_size (f, 32, 32);
  for (guint n = 0; n < 10; n++)
    fixture_push_colour (f, RED, n);
  for (guint n = 1; n < 10; n++) {
    g_autoptr (GstEvent) gap = fixture_wait_for_event (f, GST_EVENT_GAP);
    GstClockTime time, duration;

    gst_event_parse_gap (gap, &time, &duration);
    g_assert_cmpuint (time, ==, end);
    end = time + duration;
    g_assert_cmpuint (end, >=, gst_util_uint64_scale (n + 1, GST_SECOND, 30) - 2);
  }
}

static void
test_at_a_constant_rate_it_is_shown_again (void)
{
  const FalServerOptions echo = { .effect = "echo" };
  g_autoptr (Fixture) f = fixture_new (&echo, STILL "output-framerate=30/1");

  fixture_set_size (f, 32, 32);
  for (guint n = 0; n < 10; n++)
    fixture_push_colour (f, n < 6 ? RED : BLUE, n);
  fixture_push_end (f);
  for (guint n = 0; n < 10; n++) {
    g_autoptr (GstBuffer) buffer = fixture_pull (f);
    gboolean repeated = GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP);

    g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, gst_util_uint64_scale (n, GST_SECOND, 30));
    g_assert_cmpint (repeated, ==, n != 0 && n != 6);
    assert_colour (fixture_colour (f, buffer), n < 6 ? RED : BLUE, 8);
  }
  fixture_wait_for_end (f);
  g_assert_cmpuint (fal_server_get_requests (f->server), ==, 2);
}

/* Its pictures need not wait for the next result. */
static void
test_at_a_constant_rate_nothing_waits_for_a_change (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, STILL "output-framerate=30/1");

  fixture_set_size (f, 32, 32);
  for (guint n = 0; n < 10; n++)
    fixture_push_colour (f, RED, n);
  for (guint n = 0; n < 9; n++)
    gst_buffer_unref (fixture_pull (f));
}

/* For longer than fallback-timeout nothing is sent, and yet all is well. FALSE: this machine was
 * busy meanwhile, so that frames were as far apart as that. */
static gboolean
watch_a_still_room (Fixture *f, guint *n)
{
  gint64 until = g_get_monotonic_time () + 1500 * G_TIME_SPAN_MILLISECOND, last, now;
  gint64 longest = 0;

  for (last = g_get_monotonic_time (); last < until; last = now) {
    pace_for (10000);
    push_still (f, (*n)++, 1);
    now = g_get_monotonic_time ();
    longest = MAX (longest, now - last);
  }
  return longest < 700 * G_TIME_SPAN_MILLISECOND;
}

static void
test_the_fallback_does_not_come (void)
{
  g_autoptr (Fixture) f = NULL;
  guint n;

  do {
    g_clear_pointer (&f, fixture_free);
    f = begin_live ("fallback=black");
    n = 1;
  } while (!watch_a_still_room (f, &n));
  g_assert_cmpuint (fixture_stat (f, "frames-filled"), ==, 0);
  fixture_expect_no_message (f);
}

/* ---- whole pipelines ---- */

#define CAPS "video/x-raw,width=64,height=64,framerate=30/1"
#define ROOM "pattern=black ! " CAPS

typedef struct {
  const gchar *name, *source, *sink;
} Mix;

static const Mix mixes[] = {
  { "file", "videotestsrc num-buffers=90 ", "fakesink sync=true " },
  { "live", "videotestsrc is-live=true num-buffers=90 ", "fakesink sync=true " },
};

/* A mixer that waits for both of its branches goes on. */
static void
test_a_second_branch_goes_on (gconstpointer data)
{
  const Mix *mix = data;
  g_autofree gchar *before = g_strconcat (mix->source, ROOM, NULL);
  g_autofree gchar *after = g_strdup_printf (
      "queue ! compositor name=mix ! %s %s ! %s ! queue ! mix.", mix->sink, mix->source, CAPS);
  g_autoptr (Pipeline) p = pipeline_new (NULL, before, STILL, after);

  pipeline_play (p);
  g_assert_cmpuint (fal_server_get_requests (p->server), ==, 1);
  g_assert_cmpuint (pipeline_stat (p, "frames-in"), ==, 90);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
#define TEST(name) g_test_add_func ("/stillness/" #name, test_##name)
  TEST (only_changes_are_sent);
  TEST (without_a_threshold_all_are_sent);
  TEST (it_may_be_set_while_playing);
  TEST (one_is_sent_when_the_time_is_over);
  TEST (other_inputs_count_as_a_change);
  TEST (what_a_controller_drives_counts_as_a_change);
  TEST (the_action_send_sends);
  TEST (after_a_flush_or_other_caps_the_first_frame_is_sent);
  TEST (after_frames_passed_the_first_one_is_sent);
  TEST (a_frame_without_an_answer_was_not_sent);
  TEST (in_a_file_an_unchanged_frame_waits_for_that_answer);
  TEST (an_app_with_a_state_gets_a_frame_on_each_connection);
  TEST (another_app_does_not);
  TEST (what_is_around_a_region_does_not_count);
  TEST (a_region_that_moves_is_a_change);
  TEST (a_region_that_trembles_is_none);
  TEST (what_was_sent_of_a_region_that_trembles_counts);
  TEST (after_one_without_a_region_the_first_frame_is_sent);
  TEST (after_one_that_is_held_the_last_result_stands_still);
  TEST (with_a_composite_of_results_the_last_one_stands);
  TEST (where_every_frame_comes_out_none_waits_for_a_change);
  TEST (where_every_frame_comes_out_a_still_room_is_no_outage);
  TEST (another_composite_counts_as_a_change);
  TEST (the_connection_closes_while_nothing_changes);
  TEST (a_budget_lasts_while_nothing_changes);
  TEST (in_a_file_the_last_result_stands_for_them);
  TEST (in_a_file_with_rounded_times_no_result_is_late);
  TEST (gaps_leave_no_time_out);
  TEST (at_a_constant_rate_it_is_shown_again);
  TEST (at_a_constant_rate_nothing_waits_for_a_change);
  TEST (the_fallback_does_not_come);
  for (guint i = 0; i < G_N_ELEMENTS (mixes); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/stillness/a_second_branch_goes_on/%s", mixes[i].name);

    g_test_add_data_func (path, &mixes[i], test_a_second_branch_goes_on);
  }
  return fixture_run ();
}
