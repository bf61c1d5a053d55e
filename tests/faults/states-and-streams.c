/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an application and upstream do to the element, in good and in bad moments. */
#include "peer-fixture.h"

/* ---- states ---- */

static void
start_again (Fixture *f)
{
  fixture_play (f);
  fixture_push_segment (f);
}

/* Down at a different moment each time: before and in the middle of connecting, in flight, after a
 * result. */
static void
test_a_thousand_times_to_null_and_back (void)
{
  g_autoptr (PeerFixture) p = peer_fixture_new (NULL, NULL, FALSE);
  guint before;

  for (guint i = 0; i < 1000; i++) {
    before = invariants_get_good (p->invariants);
    for (guint n = 0; n < i % 3; n++)
      fixture_push (p->f, invariants_make_frame (n));
    if (i % 3 == 2)
      peer_fixture_wait_for_results (p, before + i % 2);
    EXPECT_WITHIN (250 * G_TIME_SPAN_MILLISECOND,
        gst_element_set_state (p->f->harness->element, GST_STATE_NULL));
    start_again (p->f);
  }
  before = invariants_get_good (p->invariants);
  fixture_push (p->f, invariants_make_frame (0));
  peer_fixture_wait_for_results (p, before + 1);
  fixture_expect_no_message (p->f);
}

typedef struct {
  PeerFixture *p;
  gint stop;
} Worker;

static gpointer
push_whatever_comes (gpointer data)
{
  Worker *worker = data;

  for (guint n = 0; !g_atomic_int_get (&worker->stop); n++) {
    if (gst_harness_push (worker->p->f->harness, invariants_make_frame (n)) != GST_FLOW_OK)
      pace_for (200);
  }
  return NULL;
}

static void
test_states_change_while_frames_come (void)
{
  g_autoptr (PeerFixture) p = peer_fixture_new (NULL, NULL, FALSE);
  static const GstState states[] = { GST_STATE_PAUSED, GST_STATE_PLAYING, GST_STATE_READY,
    GST_STATE_PLAYING, GST_STATE_NULL, GST_STATE_PAUSED };
  Worker worker = { p };
  g_autoptr (GThread) thread = NULL;
  guint handler = fixture_allow_data_without_stream ();

  thread = g_thread_new ("push", push_whatever_comes, &worker);
  for (guint i = 0; i < 200; i++) {
    gst_element_set_state (p->f->harness->element, states[i % G_N_ELEMENTS (states)]);
    pace_for (i % 7 * 100);
  }
  gst_element_set_state (p->f->harness->element, GST_STATE_NULL);
  g_atomic_int_set (&worker.stop, TRUE);
  g_thread_join (g_steal_pointer (&thread));
  g_log_remove_handler ("GStreamer", handler);
}

static gboolean
is_alive (GWeakRef *weak)
{
  g_autoptr (GObject) object = g_weak_ref_get (weak);

  return object != NULL;
}

/* That is wrong, and said so; the element ends all the same. */
static void
test_disposal_without_null (void)
{
  static const GstState states[] = { GST_STATE_PAUSED, GST_STATE_PLAYING };

  for (guint i = 0; i < 10 * G_N_ELEMENTS (states); i++) {
    GstElement *element = gst_element_factory_make ("falrealtimefilter", NULL);
    GWeakRef weak;

    gst_object_ref_sink (element);
    g_weak_ref_init (&weak, element);
    g_object_set (element, "app", "a/b", "base-uri", "ws://127.0.0.1:9", NULL);
    gst_element_set_state (element, states[i % G_N_ELEMENTS (states)]);
    g_test_expect_message ("fal", G_LOG_LEVEL_CRITICAL, "*instead of the NULL state*");
    gst_object_unref (element);
    WAIT_UNTIL (NULL, !is_alive (&weak));
    g_weak_ref_clear (&weak);
    g_test_assert_expected_messages ();
  }
}

/* ---- the end of the stream ---- */

typedef struct {
  const gchar *name;
  PeerConfig peer;
  guint frames;
  guint in_flight; /* to wait for before EOS */
} Ending;

static const Ending endings[] = {
  { "before-any-frame", { PEER_DOOR_OPEN, SCRIPT ({ PEER_STALL }), TRUE } },
  { "with-one-in-flight",
      { PEER_DOOR_OPEN, SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT }, { PEER_STALL }), TRUE }, 1, 1 },
  { "with-many-in-flight",
      { PEER_DOOR_OPEN, SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT }, { PEER_ANSWER }, { PEER_STALL }),
          TRUE },
      8, 4 },
  { "while-connecting", { PEER_DOOR_OPEN, SCRIPT ({ PEER_HTTP }, { PEER_STALL }), TRUE }, 1 },
  { "while-an-attempt-is-swallowed", { PEER_DOOR_CLOGGED }, 1 },
  { "offline", { PEER_DOOR_CLOSED }, 1 },
  { "while-all-goes-well", { PEER_DOOR_OPEN }, 4 },
};

static void
test_ending (gconstpointer data)
{
  const Ending *ending = data;
  g_autoptr (PeerFixture) p =
      peer_fixture_new (&ending->peer, "drain-timeout=150 max-in-flight=4 max-buffering=8", FALSE);
  gst_harness_set (
      p->f->harness, "falrealtimefilter", "retry-delay", 30000, "max-retry-delay", 30000, NULL);
  for (guint n = 0; n < ending->frames; n++)
    fixture_push (p->f, invariants_make_frame (n));
  WAIT_UNTIL (p->f->element, fixture_stat (p->f, "in-flight") >= ending->in_flight);
  fixture_push_end (p->f);
  EXPECT_WITHIN (500 * G_TIME_SPAN_MILLISECOND, peer_fixture_wait_for_end (p));
  g_assert_cmpuint (fixture_stat (p->f, "in-flight"), ==, 0);
}

/* ---- flushes, caps, times ---- */

static void
test_a_hundred_flushes_with_results_in_flight (void)
{
  g_autoptr (PeerFixture) p = peer_fixture_new (NULL, "max-in-flight=4 max-buffering=4", FALSE);
  guint before;

  for (guint i = 0; i < 100; i++) {
    for (guint n = 0; n < 1 + i % 4; n++)
      fixture_push (p->f, invariants_make_frame (n));
    fixture_flush (p->f);
  }
  before = invariants_get_good (p->invariants);
  fixture_push (p->f, invariants_make_frame (0));
  peer_fixture_wait_for_results (p, before + 1);
  g_assert_cmpuint (peer_get_connections (p->peer), ==, 1);
  fixture_expect_no_message (p->f);
}

static void
set_caps (PeerFixture *p, const gchar *format, gint size, gint rate)
{
  g_autofree gchar *caps = g_strdup_printf (
      "video/x-raw,format=%s,width=%d,height=%d,framerate=%d/1", format, size, size, rate);

  gst_harness_set_src_caps_str (p->f->harness, caps);
}

static void
push_of_caps (PeerFixture *p, const gchar *format, gint size, guint n)
{
  GstVideoInfo info;
  GstBuffer *buffer;

  gst_video_info_set_format (&info, gst_video_format_from_string (format), size, size);
  buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  gst_buffer_memset (buffer, 0, n, info.size);
  GST_BUFFER_PTS (buffer) = gst_util_uint64_scale (n, GST_SECOND, 30);
  fixture_push (p->f, buffer);
}

static void
test_size_format_and_rate_change_at_each_frame (void)
{
  static const gchar *const formats[] = { "RGB", "I420", "NV12", "BGRA", "GRAY8", "YUY2" };
  g_autoptr (PeerFixture) p = peer_fixture_new (NULL, "max-in-flight=4 max-buffering=4", FALSE);

  for (guint n = 0; n < 60; n++) {
    const gchar *format = formats[n % G_N_ELEMENTS (formats)];

    set_caps (p, format, 34 + n, 1 + n % 60);
    push_of_caps (p, format, 34 + n, n);
  }
  fixture_push_end (p->f);
  peer_fixture_wait_for_end (p);
  g_assert_cmpuint (fixture_stat (p->f, "frames-out"), ==, 60);
  fixture_expect_no_message (p->f);
}

/* A camera that was given another mode. */
static void
push_jpeg (PeerFixture *p, guint n)
{
  g_autofree gchar *path = g_build_filename (g_getenv ("FAL_TEST_DATA"), "astronaut.jpg", NULL);
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, NULL);
  g_autoptr (GBytes) jpeg = g_mapped_file_get_bytes (file);
  GstBuffer *buffer = gst_buffer_new_wrapped_bytes (jpeg);

  gst_harness_set_src_caps_str (p->f->harness, "image/jpeg,width=256,height=256,framerate=30/1");
  GST_BUFFER_PTS (buffer) = gst_util_uint64_scale (n, GST_SECOND, 30);
  fixture_push (p->f, buffer);
}

static void
test_raw_frames_and_jpegs_take_turns (void)
{
  g_autoptr (PeerFixture) p = peer_fixture_new (NULL, "max-in-flight=4 max-buffering=4", FALSE);

  for (guint n = 0; n < 20; n += 2) {
    push_jpeg (p, n);
    fixture_set_size (p->f, FRAME_SIZE, FRAME_SIZE);
    fixture_push (p->f, invariants_make_frame (n + 1));
  }
  fixture_push_end (p->f);
  peer_fixture_wait_for_end (p);
  g_assert_cmpuint (fixture_stat (p->f, "frames-out"), ==, 20);
  g_assert_cmpuint (invariants_get_good (p->invariants), ==, 10);
  fixture_expect_no_message (p->f);
}

static void
test_unsupported_caps_are_refused (void)
{
  g_autoptr (PeerFixture) p = peer_fixture_new (NULL, NULL, FALSE);
  g_autoptr (GstCaps) sound = gst_caps_from_string ("audio/x-raw,format=S16LE,rate=1,channels=1");

  g_assert_false (gst_pad_peer_query_accept_caps (p->f->harness->srcpad, sound));
  gst_pad_push_event (p->f->harness->srcpad, gst_event_new_caps (sound));
  g_assert_cmpint (
      gst_harness_push (p->f->harness, invariants_make_frame (0)), ==, GST_FLOW_NOT_NEGOTIATED);
}

static void
push_at (PeerFixture *p, guint n, GstClockTime pts)
{
  GstBuffer *buffer = invariants_make_frame (n);

  GST_BUFFER_PTS (buffer) = pts;
  fixture_push (p->f, buffer);
}

static void
test_frames_without_a_time (void)
{
  g_autoptr (PeerFixture) p = peer_fixture_new (NULL, NULL, FALSE);

  for (guint n = 0; n < 10; n++)
    push_at (p, n, GST_CLOCK_TIME_NONE);
  peer_fixture_wait_for_results (p, 10);
  fixture_expect_no_message (p->f);
}

/* Nothing is lost, and the output's time goes back where the frames' does. */
static void
test_times_that_jump_back (void)
{
  g_autoptr (PeerFixture) p = peer_fixture_new (NULL, NULL, FALSE);

  invariants_expect_steps_back (p->invariants, 1);
  for (guint n = 0; n < 20; n++)
    fixture_push (p->f, invariants_make_frame (n));
  for (guint n = 5; n < 40; n++)
    fixture_push (p->f, invariants_make_frame (n));
  fixture_push_end (p->f);
  peer_fixture_wait_for_end (p);
  g_assert_cmpuint (invariants_get_newest (p->invariants), ==, 39);
  g_assert_cmpuint (fixture_stat (p->f, "frames-out"), ==, 55);
  g_assert_cmpuint (fixture_stat (p->f, "results-late"), ==, 0);
}

static const PeerConfig silent = { PEER_DOOR_OPEN, SCRIPT ({ PEER_HTTP }, { PEER_STALL }), TRUE };

static void
test_the_latency_is_told_at_any_time (void)
{
  for (guint live = 0; live < 2; live++) {
    g_autoptr (PeerFixture) p = peer_fixture_new (&silent, "latency=200", live);

    g_assert_cmpuint (gst_harness_query_latency (p->f->harness), ==, live * 200 * GST_MSECOND);
    fixture_push (p->f, invariants_make_frame (0));
    g_assert_cmpuint (gst_harness_query_latency (p->f->harness), ==, live * 200 * GST_MSECOND);
  }
}

int
main (int argc, char **argv)
{
  invariants_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (endings); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/states-and-streams/end-of-stream/%s", endings[i].name);

    g_test_add_data_func (path, &endings[i], test_ending);
  }
#define ADD(name) g_test_add_func ("/states-and-streams/" #name, test_##name)
  ADD (a_thousand_times_to_null_and_back);
  ADD (states_change_while_frames_come);
  ADD (disposal_without_null);
  ADD (a_hundred_flushes_with_results_in_flight);
  ADD (size_format_and_rate_change_at_each_frame);
  ADD (raw_frames_and_jpegs_take_turns);
  ADD (unsupported_caps_are_refused);
  ADD (frames_without_a_time);
  ADD (times_that_jump_back);
  ADD (the_latency_is_told_at_any_time);
  return g_test_run ();
}
