/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Events: all keep their place among the frames, what goes upstream goes at once, and each stream
 * ends once. */
#include "pipeline-fixture.h"
#include "output-log.h"

/* Where the throttle never lets a second frame go by itself. */
#define NEVER "throttle-interval=600000 timestamp-mode=input "

static void
push_mark (Fixture *f, const gchar *name)
{
  fixture_push_event (
      f, gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM, gst_structure_new_empty (name)));
}

static void
push_tag (Fixture *f)
{
  fixture_push_event (f, gst_event_new_tag (gst_tag_list_new (GST_TAG_TITLE, "title", NULL)));
}

/* The frame that waits goes now, whatever the throttle says. */
static void
send_now (Fixture *f)
{
  gboolean sent = FALSE;

  g_signal_emit_by_name (f->element, "send", NULL, &sent);
  g_assert_true (sent);
}

/* ---- their place ---- */

static void
test_caps_come_first_then_what_came_before_the_first_frame (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, NULL);
  g_autoptr (OutputLog) log = output_log_new (f->harness->sinkpad);

  fixture_push_event (f, gst_event_new_stream_start ("another"));
  fixture_set_size (f, 32, 32);
  push_tag (f);
  push_mark (f, "mark");
  fixture_push_frame (f, 0);
  fixture_push_frame (f, 1);
  output_log_expect (log, "stream-start caps segment tag mark frame0! frame1");
}

/* A burst, of which the first and the last frame are sent. */
static void
test_events_keep_their_place_where_frames_drop (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, NEVER);
  g_autoptr (OutputLog) log = output_log_new (f->harness->sinkpad);

  fixture_set_size (f, 32, 32);
  push_mark (f, "a");
  fixture_push_frame (f, 0);
  output_log_wait_for (log, "frame0!", 1);
  push_mark (f, "b");
  fixture_push_frame (f, 1);
  push_tag (f);
  fixture_push_frame (f, 2);
  fixture_push_segment (f);
  fixture_push_frame (f, 3);
  fixture_push_event (f, gst_event_new_gap (GST_SECOND / 10, GST_SECOND / 30));
  fixture_set_size (f, 48, 48);
  push_mark (f, "c");
  fixture_push (f, fixture_frame (48, 48, 0, 5));
  push_mark (f, "d");
  fixture_push_event (f, gst_event_new_eos ());
  output_log_expect (
      log, "stream-start caps segment a frame0! b tag segment gap segment c caps frame5! d eos");
  g_assert_cmpuint (fixture_stat (f, "dropped-throttled"), ==, 3);
}

static void
spoil_one (Fixture *f, guint n)
{
  g_autoptr (GBytes) garbage = g_bytes_new_static ("\xc1", 1);

  fal_server_set_answer (f->server, garbage, FALSE);
  fixture_push_frame (f, n);
  send_now (f);
  fixture_wait_for_stat (f, "results-invalid", 1);
  fal_server_set_answer (f->server, NULL, FALSE);
}

static void
test_the_first_after_a_drop_is_discontinuous_and_no_other (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, NEVER);
  g_autoptr (OutputLog) log = output_log_new (f->harness->sinkpad);

  fixture_set_size (f, 32, 32);
  fixture_push_frame (f, 0);
  output_log_wait_for (log, "frame0!", 1);
  for (guint n = 1; n <= 2; n++) {
    fixture_push_frame (f, n);
    send_now (f);
    fixture_wait_for_stat (f, "frames-out", n + 1);
  }
  for (guint n = 3; n <= 5; n++)
    fixture_push_frame (f, n);
  send_now (f);
  output_log_wait_for (log, "frame5!", 1);
  fixture_push_frame (f, 6);
  send_now (f);
  output_log_wait_for (log, "frame6", 1);
  spoil_one (f, 7);
  fixture_push_frame (f, 8);
  send_now (f);
  output_log_wait_for (log, "frame8!", 1);
  fixture_flush (f);
  fixture_push_frame (f, 9);
  output_log_expect (log,
      "stream-start caps segment frame0! frame1 frame2 frame5! frame6 frame8! flush-start "
      "flush-stop segment frame9!");
}

/* ---- their numbers ---- */

#define NUMBER 77

static void
push_numbered (Fixture *f, GstEvent *event)
{
  gst_event_set_seqnum (event, NUMBER);
  fixture_push_event (f, event);
}

static void
check_number (OutputLog *log, GstEventType type)
{
  g_autoptr (GstEvent) event = output_log_get_event (log, type);

  g_assert_cmpuint (gst_event_get_seqnum (event), ==, NUMBER);
}

/* Those too that the element made. */
static void
test_events_bear_the_numbers_of_their_stream (void)
{
  static const GstEventType types[] = { GST_EVENT_STREAM_START, GST_EVENT_CAPS, GST_EVENT_SEGMENT,
    GST_EVENT_TAG, GST_EVENT_CUSTOM_DOWNSTREAM, GST_EVENT_EOS };
  g_autoptr (Fixture) f = fixture_new (NULL, NULL);
  g_autoptr (OutputLog) log = output_log_new (f->harness->sinkpad);

  fixture_begin_numbered (f, NUMBER);
  push_numbered (f, gst_event_new_tag (gst_tag_list_new (GST_TAG_TITLE, "title", NULL)));
  push_numbered (
      f, gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM, gst_structure_new_empty ("mark")));
  fixture_push_frame (f, 0);
  push_numbered (f, gst_event_new_eos ());
  output_log_wait_for (log, "eos", 1);
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    check_number (log, types[i]);
}

/* ---- upstream ---- */

static void
test_what_goes_upstream_goes_at_once (void)
{
  static const GstEventType types[] = { GST_EVENT_NAVIGATION, GST_EVENT_CUSTOM_UPSTREAM,
    GST_EVENT_QOS, GST_EVENT_SEEK };
  g_autoptr (Fixture) f = fixture_new (NULL, "max-in-flight=1");
  GstEvent *events[] = {
    gst_event_new_navigation (gst_structure_new_empty ("navigation")),
    gst_event_new_custom (GST_EVENT_CUSTOM_UPSTREAM, gst_structure_new_empty ("mark")),
    gst_event_new_qos (GST_QOS_TYPE_UNDERFLOW, 1, 0, 0),
    gst_event_new_seek (1, GST_FORMAT_TIME, 0, GST_SEEK_TYPE_SET, 0, GST_SEEK_TYPE_NONE, 0),
  };

  fal_server_set_mute (f->server, TRUE);
  fixture_set_size (f, 32, 32);
  fixture_push_frame (f, 0);
  fixture_wait_for_stat (f, "in-flight", 1);
  fixture_push_frame (f, 1);
  while (gst_harness_upstream_events_in_queue (f->harness) > 0)
    gst_event_unref (gst_harness_pull_upstream_event (f->harness));
  for (guint i = 0; i < G_N_ELEMENTS (types); i++) {
    guint32 number = gst_event_get_seqnum (events[i]);
    g_autoptr (GstEvent) event = NULL;

    g_assert_true (gst_harness_push_upstream_event (f->harness, events[i]));
    event = gst_harness_try_pull_upstream_event (f->harness);
    g_assert_nonnull (event);
    g_assert_cmpint (GST_EVENT_TYPE (event), ==, types[i]);
    g_assert_cmpuint (gst_event_get_seqnum (event), ==, number);
  }
}

static void
expect_format (Fixture *f, guint n, const gchar *name, const gchar *format)
{
  g_autoptr (GstCaps) caps = NULL;
  const GstStructure *structure;

  fixture_push_and_pull (f, n);
  caps = fixture_get_caps (f);
  structure = gst_caps_get_structure (caps, 0);
  g_assert_cmpstr (gst_structure_get_name (structure), ==, name);
  g_assert_cmpstr (gst_structure_get_string (structure, "format"), ==, format);
}

static void
test_downstream_may_want_something_else_at_any_time (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, NULL);

  fixture_set_size (f, 32, 32);
  gst_harness_set_sink_caps_str (f->harness, "video/x-raw,format=BGRA");
  expect_format (f, 0, "video/x-raw", "BGRA");
  gst_harness_set_sink_caps_str (f->harness, "image/jpeg");
  expect_format (f, 1, "image/jpeg", NULL);
  gst_harness_set_sink_caps_str (f->harness, "video/x-raw,format=I420");
  expect_format (f, 2, "video/x-raw", "I420");
}

/* ---- flush and seek ---- */

static void
test_a_flush_forgets_the_throttle_and_old_results (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, NEVER);
  g_autoptr (OutputLog) log = output_log_new (f->harness->sinkpad);

  fixture_set_size (f, 32, 32);
  fixture_push_frame (f, 0);
  fixture_wait_for_stat (f, "frames-out", 1);
  fal_server_set_delay (f->server, 500);
  fixture_push_frame (f, 1);
  send_now (f);
  fixture_wait_for_stat (f, "in-flight", 1);
  push_mark (f, "mark");
  fixture_push_frame (f, 2);
  push_tag (f);
  fixture_flush (f);
  fal_server_set_delay (f->server, 0);
  fixture_push_frame (f, 3);
  output_log_expect (
      log, "stream-start caps segment frame0! flush-start flush-stop tag segment frame3!");
  fixture_wait_for_stat (f, "answered", 3);
  g_assert_cmpuint (fal_server_get_connections (f->server), ==, 1);
  g_assert_cmpuint (fal_server_get_requests (f->server), ==, 3);
  g_assert_cmpuint (fixture_stat (f, "dropped-flushed"), ==, 1);
}

typedef struct {
  GMutex lock;
  GstClockTime least; /* lock */
  guint good, bad;    /* lock */
} Position;

static void
check_position (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
  Position *position = data;

  g_mutex_lock (&position->lock);
  if (GST_BUFFER_PTS (buffer) >= position->least)
    position->good++;
  else
    position->bad++;
  g_mutex_unlock (&position->lock);
}

static guint
count_good (Position *position)
{
  guint good;

  g_mutex_lock (&position->lock);
  g_assert_cmpuint (position->bad, ==, 0);
  good = position->good;
  g_mutex_unlock (&position->lock);
  return good;
}

static void
wait_for_good (Position *position)
{
  WAIT_UNTIL (NULL, count_good (position) >= 3);
}

static void
test_nothing_old_comes_after_a_seek (void)
{
  FalServerOptions options = { .delay_ms = 10 };
  g_autoptr (Pipeline) p = pipeline_new (&options, "videotestsrc ! video/x-raw,width=64,height=64",
      "throttle-interval=0 max-in-flight=4 max-buffering=4",
      "fakesink name=sink sync=false signal-handoffs=true");
  Position position = { .least = 0 };

  g_signal_connect (pipeline_find (p, "sink"), "handoff", G_CALLBACK (check_position), &position);
  gst_element_set_state (p->pipeline, GST_STATE_PLAYING);
  wait_for_good (&position);
  for (guint i = 1; i <= 5; i++) {
    GstClockTime target = i * 1000 * GST_SECOND;

    g_assert_true (gst_element_seek_simple (
        p->pipeline, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE, target));
    g_mutex_lock (&position.lock);
    position.least = target;
    position.good = position.bad = 0;
    g_mutex_unlock (&position.lock);
    wait_for_good (&position);
  }
  g_assert_cmpuint (fal_server_get_connections (p->server), ==, 1);
  gst_element_set_state (p->pipeline, GST_STATE_NULL);
}

/* What describes the stream at any position still comes once the caps are known. */
static void
test_a_flush_before_the_first_result_forgets_places_alone (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, NULL);
  g_autoptr (OutputLog) log = output_log_new (f->harness->sinkpad);

  fixture_set_size (f, 32, 32);
  push_tag (f);
  push_mark (f, "mark");
  fixture_push_event (f, gst_event_new_stream_start ("another")); /* which needs no caps */
  output_log_wait_for (log, "stream-start", 2);
  fixture_flush (f);
  fixture_push_frame (f, 0);
  output_log_expect (
      log, "stream-start stream-start flush-start flush-stop caps tag segment frame0!");
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
#define ADD(name) g_test_add_func ("/events/" #name, test_##name)
  ADD (caps_come_first_then_what_came_before_the_first_frame);
  ADD (events_keep_their_place_where_frames_drop);
  ADD (the_first_after_a_drop_is_discontinuous_and_no_other);
  ADD (events_bear_the_numbers_of_their_stream);
  ADD (what_goes_upstream_goes_at_once);
  ADD (downstream_may_want_something_else_at_any_time);
  ADD (a_flush_forgets_the_throttle_and_old_results);
  ADD (nothing_old_comes_after_a_seek);
  ADD (a_flush_before_the_first_result_forgets_places_alone);
  return fixture_run ();
}
