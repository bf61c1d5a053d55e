/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Everything that an application, a pipeline and a server may do, from several threads at once.
 * Nothing is expected of a storm but that the books hold whenever they are read, and that the
 * element still works when it is over. Worth most under a sanitizer. */
#include "fixture.h"

#define SIZE 32
/* How many changes and disturbances, all threads' together, make a storm; how many elements that
 * come and go. */
#define TURNS 800
#define VISITS 150
#define PAUSE 500 /* µs, between two rounds of a thread */

typedef struct {
  Fixture *f;
  guint frames; /* the pushing thread's */
  gint pushing; /* frames come */
  gint turn;    /* of the changes, over all threads */
} Storm;

/* ---- before and after ---- */

/* An element by itself in its harness, for that is what GstHarness's stress threads work on. */
static GstHarness *
make_harness (FalServer *server, const gchar *properties)
{
  g_autofree gchar *description =
      g_strdup_printf ("falrealtimefilter base-uri=%s app=test/app/image image-field=image_bytes "
                       "image-encoding=bytes throttle-interval=0 retry-delay=1 max-retry-delay=10 "
                       "drain-timeout=500 %s",
          fal_server_get_uri (server), properties);
  GstElement *element = gst_parse_launch (description, NULL);
  GstHarness *harness = gst_harness_new_with_element (element, "sink", "src");

  gst_object_unref (element); /* the harness has its own */
  gst_harness_set_drop_buffers (harness, TRUE);
  return harness;
}

static Storm *
storm_new (const gchar *properties)
{
  Storm *storm = g_new0 (Storm, 1);
  Fixture *f = g_new0 (Fixture, 1);

  storm->f = f;
  f->server = fixture_start_server (NULL);
  f->harness = make_harness (f->server, properties);
  f->element = f->harness->element;
  f->bus = gst_bus_new ();
  gst_element_set_bus (f->element, f->bus);
  fixture_set_size (f, SIZE, SIZE);
  fixture_push (f, fixture_frame (SIZE, SIZE, 0, storm->frames++));
  fixture_wait_for_stat (f, "frames-out", 1);
  return storm;
}

static void
storm_free (Storm *storm)
{
  fixture_free (storm->f);
  g_free (storm);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Storm, storm_free)

static void
read_everything (Fixture *f)
{
  guint64 in, out, drop, in_flight;
  gint state;

  fixture_check_books (f);
  g_object_get (f->element, "in", &in, "out", &out, "drop", &drop, "in-flight", &in_flight,
      "connection-state", &state, NULL);
  gst_harness_query_latency (f->harness);
}

/* On a new connection: what was asked on the old one, the server may have swallowed. */
static void
calm_down (Fixture *f)
{
  g_object_set (f->element, "enabled", TRUE, "leaky", 1, "max-in-flight", 0, "max-buffering", 0,
      "throttle-interval", 0, "request-timeout", 10000, "retries", -1, NULL);
  fal_server_set_mute (f->server, FALSE);
  fal_server_set_refusal (f->server, 0);
  fal_server_set_delay (f->server, 0);
  g_signal_emit_by_name (f->element, "close");
}

static void
read_a_while (Fixture *f)
{
  for (guint i = 0; i < 10; i++)
    read_everything (f);
}

/* Reads while the threads do their work, then ends them: that of the frames, which is the first,
 * when nothing holds it up any more. */
static void
rage (Storm *storm, GstHarnessThread *const *threads, guint n)
{
  REPEAT_UNTIL (
      storm->f->element, g_atomic_int_get (&storm->turn) >= TURNS, read_a_while (storm->f));
  while (n-- > 1)
    g_assert_cmpuint (gst_harness_stress_thread_stop (threads[n]), >, 0);
  calm_down (storm->f);
  g_assert_cmpuint (gst_harness_stress_thread_stop (threads[0]), >, 0);
}

#define RAGE(storm, ...)                                                                           \
  G_STMT_START                                                                                     \
  {                                                                                                \
    GstHarnessThread *const threads[] = { __VA_ARGS__ };                                           \
                                                                                                   \
    rage (storm, threads, G_N_ELEMENTS (threads));                                                 \
  }                                                                                                \
  G_STMT_END

/* A frame is answered. */
static void
check_works (Storm *storm)
{
  Fixture *f = storm->f;
  guint64 out;

  gst_harness_push_event (f->harness, gst_event_new_flush_start ());
  gst_harness_push_event (f->harness, gst_event_new_flush_stop (TRUE));
  fixture_set_size (f, SIZE, SIZE);
  out = fixture_stat (f, "frames-out");
  fixture_push (f, fixture_frame (SIZE, SIZE, 0, storm->frames++));
  fixture_wait_for_stat (f, "frames-out", out + 1);
}

static void
check_goes_on (Storm *storm)
{
  fixture_wait_for_stat (storm->f, "frames-waiting", 0);
  fixture_wait_for_stat (storm->f, "in-flight", 0);
  check_works (storm);
}

/* Nor may a flush be left over downstream, which was begun and did not come to its end. */
static void
check_starts_again (Storm *storm)
{
  gst_element_set_state (storm->f->element, GST_STATE_NULL);
  fixture_play (storm->f);
  check_works (storm);
}

/* ---- the threads ---- */

static GstCaps *
make_caps (gint size)
{
  return gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING, "RGB", "width", G_TYPE_INT,
      size, "height", G_TYPE_INT, size, "framerate", GST_TYPE_FRACTION, 30, 1, NULL);
}

static GstBuffer *
next_frame (GstHarness *harness, gpointer data)
{
  Storm *storm = data;

  g_atomic_int_set (&storm->pushing, TRUE);
  return fixture_frame (SIZE, SIZE, 0x204060, storm->frames++);
}

/* Each fifth frame is of another size. */
static GstBuffer *
next_frame_of_some_size (GstHarness *harness, gpointer data)
{
  Storm *storm = data;
  guint n = storm->frames / 5;
  gint size = SIZE + n % 3 * 8;

  if (storm->frames % 5 == 0) {
    g_autoptr (GstCaps) caps = make_caps (size);

    gst_harness_push_event (harness, gst_event_new_caps (caps));
  } else {
    size = SIZE + (storm->frames / 5) % 3 * 8;
  }
  g_atomic_int_set (&storm->pushing, TRUE);
  return fixture_frame (size, size, n, storm->frames++);
}

/* Comes back when frames flow: the stream has begun. */
static GstHarnessThread *
start_pushing (Storm *storm, GstHarnessPrepareBufferFunc next)
{
  g_autoptr (GstCaps) caps = make_caps (SIZE);
  GstSegment segment;
  GstHarnessThread *thread;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  thread = gst_harness_stress_push_buffer_with_cb_start_full (
      storm->f->harness, caps, &segment, next, storm, NULL, PAUSE);
  WAIT_UNTIL (storm->f->element, g_atomic_int_get (&storm->pushing));
  return thread;
}

static const gchar *const changes[][4] = {
  { "prompt", "a cat", "a dog", "a bird" },
  { "seed", "1", "2", "3" },
  { "throttle-interval", "0", "3", "1" },
  { "parameters", "p,a=1", "p,b={1,2}", "p" },
  { "max-in-flight", "0", "3", "1" },
  { "strength", "0.1", "0.5", "0.9" },
  { "leaky", "auto", "no", "downstream" },
  { "enabled", "false", "true", "true" },
  { "latency", "-1", "20", "40" },
  { "max-buffering", "0", "4", "2" },
  { "quality", "30", "60", "90" },
  { "width", "0", "16", "24" },
  { "token", "one", "two", "three" },
  { "request-timeout", "5", "50", "200" },
  { "height", "0", "16", "24" },
  { "parameters-json", "{}", "{\"a\":{\"b\":1}}", "{\"a\":[1,2]}" },
  { "fit", "crop", "letterbox", "stretch" },
  { "connect-timeout", "5000", "0", "10000" },
  { "retries", "-1", "1000", "2000" },
  { "retry-delay", "1", "2", "5" },
  { "negative-prompt", "fog", "rain", "snow" },
  { "max-retry-delay", "10", "5", "20" },
  { "guidance-scale", "1", "2", "3" },
  { "drain-timeout", "100", "200", "300" },
  { "num-inference-steps", "2", "4", "8" },
};

static void
change_a_property (gpointer thread, gpointer data)
{
  Storm *storm = data;
  guint turn = g_atomic_int_add (&storm->turn, 1);
  const gchar *const *change = changes[turn % G_N_ELEMENTS (changes)];

  gst_util_set_object_arg (
      G_OBJECT (storm->f->element), change[0], change[1 + turn / G_N_ELEMENTS (changes) % 3]);
}

static void
act (gpointer thread, gpointer data)
{
  Storm *storm = data;
  static const gchar *const actions[] = { "reconnect", "clear", "close", "reset-stats" };
  guint turn = g_atomic_int_add (&storm->turn, 1) % 8;
  gboolean sent;

  if (turn < G_N_ELEMENTS (actions))
    g_signal_emit_by_name (storm->f->element, actions[turn]);
  else
    g_signal_emit_by_name (storm->f->element, "send", NULL, &sent);
}

static GstEvent *
next_flush (GstHarness *harness, gpointer data)
{
  guint *n = data;
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  switch ((*n)++ % 3) {
  case 0:
    return gst_event_new_flush_start ();
  case 1:
    return gst_event_new_flush_stop (TRUE);
  default:
    return gst_event_new_segment (&segment);
  }
}

/* Stopped where a flush is over. */
static void
end_flush (Storm *storm, guint *n)
{
  while (*n % 3 != 0)
    gst_harness_push_event (storm->f->harness, next_flush (storm->f->harness, n));
}

static GstEvent *
next_upstream_event (GstHarness *harness, gpointer data)
{
  guint *n = data;

  switch ((*n)++ % 3) {
  case 0:
    return gst_event_new_reconfigure ();
  case 1:
    return gst_event_new_qos (GST_QOS_TYPE_OVERFLOW, 1, 1, 1);
  default:
    return gst_event_new_latency (GST_MSECOND);
  }
}

/* What may end a connection, each time another way. */
static void
disturb (gpointer thread, gpointer data)
{
  Storm *storm = data;
  FalServer *server = storm->f->server;
  guint turn = g_atomic_int_add (&storm->turn, 1);
  g_autoptr (GBytes) garbage = g_bytes_new_static ("\x93\x01", 2);

  fal_server_set_mute (server, turn % 8 == 5);
  fal_server_set_refusal (server, turn % 8 == 1 ? 503 : 0);
  fal_server_set_delay (server, turn % 3);
  switch (turn % 8) {
  case 0:
    return fal_server_close (server, 0, NULL);
  case 2:
    return fal_server_close (server, 1011, "over");
  case 4:
    return fal_server_send (server, garbage, FALSE);
  case 6:
    return fal_server_close (server, 1001, NULL);
  default:
    break;
  }
}

static GstHarnessThread *
start (Storm *storm, GFunc function, gulong pause)
{
  return gst_harness_stress_custom_start (storm->f->harness, NULL, function, storm, pause);
}

static GstHarnessThread *
start_setting (Storm *storm, const gchar *name, const gchar *text)
{
  GParamSpec *spec = g_object_class_find_property (G_OBJECT_GET_CLASS (storm->f->element), name);
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_init (&value, spec->value_type);
  g_assert_true (gst_value_deserialize (&value, text));
  return gst_harness_stress_property_start_full (storm->f->harness, name, &value, PAUSE);
}

/* ---- storms ---- */

static void
test_properties (void)
{
  g_autoptr (Storm) storm = storm_new ("");

  RAGE (storm, start_pushing (storm, next_frame), start (storm, change_a_property, PAUSE),
      start (storm, change_a_property, PAUSE), start (storm, change_a_property, PAUSE),
      start_setting (storm, "prompt", "a fish"), start_setting (storm, "seed", "7"),
      start_setting (storm, "app", "test/another"));
  check_goes_on (storm);
}

static void
test_actions (void)
{
  g_autoptr (Storm) storm = storm_new ("max-in-flight=3");

  RAGE (storm, start_pushing (storm, next_frame), start (storm, act, PAUSE),
      start (storm, act, 3 * PAUSE), start (storm, change_a_property, PAUSE));
  check_goes_on (storm);
}

static void
test_flushes_and_caps (void)
{
  g_autoptr (Storm) storm = storm_new ("max-in-flight=3 max-buffering=3");
  guint handler = fixture_allow_data_without_stream (), flushes = 0, others = 0;

  RAGE (storm, start_pushing (storm, next_frame_of_some_size),
      gst_harness_stress_push_event_with_cb_start_full (
          storm->f->harness, next_flush, &flushes, NULL, PAUSE),
      gst_harness_stress_push_upstream_event_with_cb_start_full (
          storm->f->harness, next_upstream_event, &others, NULL, PAUSE),
      start (storm, change_a_property, PAUSE));
  end_flush (storm, &flushes);
  check_goes_on (storm);
  g_log_remove_handler ("GStreamer", handler);
}

static void
test_states (void)
{
  g_autoptr (Storm) storm = storm_new ("");
  guint handler = fixture_allow_data_without_stream ();

  RAGE (storm, start_pushing (storm, next_frame),
      gst_harness_stress_statechange_start_full (storm->f->harness, 2 * PAUSE),
      start (storm, change_a_property, PAUSE), start (storm, change_a_property, PAUSE),
      start (storm, act, PAUSE));
  check_starts_again (storm);
  g_log_remove_handler ("GStreamer", handler);
}

static void
test_server (void)
{
  g_autoptr (Storm) storm = storm_new ("max-in-flight=3");

  RAGE (storm, start_pushing (storm, next_frame), start (storm, disturb, 4 * PAUSE),
      start (storm, change_a_property, PAUSE));
  check_goes_on (storm);
}

static void
test_everything (void)
{
  g_autoptr (Storm) storm = storm_new ("max-in-flight=3");
  guint handler = fixture_allow_data_without_stream (), flushes = 0, others = 0;

  RAGE (storm, start_pushing (storm, next_frame_of_some_size),
      gst_harness_stress_statechange_start_full (storm->f->harness, 10 * PAUSE),
      gst_harness_stress_push_event_with_cb_start_full (
          storm->f->harness, next_flush, &flushes, NULL, 5 * PAUSE),
      gst_harness_stress_push_upstream_event_with_cb_start_full (
          storm->f->harness, next_upstream_event, &others, NULL, PAUSE),
      start (storm, change_a_property, PAUSE), start (storm, act, 3 * PAUSE),
      start (storm, disturb, 5 * PAUSE));
  end_flush (storm, &flushes);
  check_starts_again (storm);
  g_log_remove_handler ("GStreamer", handler);
}

/* ---- one connection for several ---- */

#define MEMBERS 4

static gint visits; /* atomic */

/* Joins, asks for something, and leaves with the answer; another time without it. */
static void
come_and_go (gpointer thread, gpointer data)
{
  Fixture *member = data;

  fixture_play (member);
  gst_harness_push (member->harness, fixture_frame (SIZE, SIZE, 0x204060, 0));
  if (g_atomic_int_add (&visits, 1) % 3 != 0) {
    fixture_wait_for_stat (member, "frames-waiting", 0);
    fixture_wait_for_stat (member, "in-flight", 0);
  }
  gst_element_set_state (member->element, GST_STATE_NULL);
  fixture_check_books (member);
}

static void
cut_the_connection (gpointer thread, gpointer server)
{
  fal_server_close (server, 0, NULL);
}

static void
check_members (Fixture *members)
{
  for (guint i = 0; i < MEMBERS; i++)
    fixture_play (&members[i]);
  for (guint i = 0; i < MEMBERS; i++)
    fixture_push (&members[i], fixture_frame (SIZE, SIZE, 0, 0));
  for (guint i = 0; i < MEMBERS; i++)
    fixture_wait_for_stat (&members[i], "frames-out", 1);
}

static void
test_sharing (void)
{
  g_autoptr (FalServer) server = fixture_start_server (NULL);
  Fixture members[MEMBERS] = { { NULL } };
  GstHarnessThread *threads[MEMBERS + 1];

  for (guint i = 0; i < MEMBERS; i++) {
    members[i].harness = make_harness (server, "connection-key=storm");
    members[i].element = members[i].harness->element;
  }
  for (guint i = 0; i < MEMBERS; i++)
    threads[i] = gst_harness_stress_custom_start (
        members[i].harness, NULL, come_and_go, &members[i], i * PAUSE);
  threads[MEMBERS] = gst_harness_stress_custom_start (
      members[0].harness, NULL, cut_the_connection, server, 20 * PAUSE);
  WAIT_UNTIL (NULL, g_atomic_int_get (&visits) >= VISITS);
  for (guint i = G_N_ELEMENTS (threads); i-- > 0;)
    g_assert_cmpuint (gst_harness_stress_thread_stop (threads[i]), >, 0);
  check_members (members);
  g_assert_cmpuint (fal_server_get_open (server), ==, 1);
  for (guint i = 0; i < MEMBERS; i++)
    gst_harness_teardown (members[i].harness);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
#define ADD(name) g_test_add_func ("/stress/" #name, test_##name)
  ADD (properties);
  ADD (actions);
  ADD (flushes_and_caps);
  ADD (states);
  ADD (server);
  ADD (everything);
  ADD (sharing);
  return fixture_run ();
}
