/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames that bring no result are told of by QOS messages, but not those that were flushed away. */
#include "fixture.h"

/* Where the throttle never lets a second frame go by itself. */
#define NEVER "throttle-interval=600000 "
#define TIME(n) gst_util_uint64_scale (n, GST_SECOND, 30)
/* Where the clock stands. */
#define NOW (100 * GST_SECOND)

static void
throttle (Fixture *f)
{
  fixture_push_and_pull (f, 0);
  fixture_push_frames (f, 1, 5);
}

/* Returns when the server has it. */
static void
push_unanswered (Fixture *f, guint n)
{
  GstStructure *request;

  fal_server_set_mute (f->server, TRUE);
  fixture_push_frame (f, n);
  for (guint i = 0; i <= n; i++) {
    request = fal_server_pop_request (f->server, WATCHDOG_SECONDS * 1000);
    g_assert_nonnull (request);
    gst_structure_free (request);
  }
}

static void
wait_unanswered (Fixture *f)
{
  push_unanswered (f, 0);
}

static void
replace (Fixture *f)
{
  wait_unanswered (f);
  fixture_push_frames (f, 1, 5);
}

static void
refuse (Fixture *f)
{
  fal_server_set_refusal (f->server, 503);
  fixture_push_frames (f, 0, 4);
}

/* A newer one waits, so that it does not go again. */
static void
lose (Fixture *f)
{
  wait_unanswered (f);
  fixture_push_frame (f, 1);
  fal_server_close (f->server, 1012, "restarting");
}

/* The reply to a later one says that the first brings none. */
static void
pass_over (Fixture *f)
{
  fixture_push_and_pull (f, 0);
  push_unanswered (f, 1);
  fal_server_set_mute (f->server, FALSE);
  fixture_push_and_pull (f, 2);
}

static void
spoil (Fixture *f)
{
  g_autoptr (GBytes) garbage = g_bytes_new_static ("\xc1", 1);

  fal_server_set_answer (f->server, garbage, FALSE);
  fixture_push_frame (f, 0);
}

/* Upstream itself said that nothing comes before frame 9. */
static void
follow_gap (Fixture *f)
{
  fixture_push_and_pull (f, 1);
  fixture_push_event (f, gst_event_new_gap (TIME (9), TIME (1)));
  fixture_push_frame (f, 5);
}

/* An event comes out while the fallback is shown: what is older has lost its place. */
static void
overtake (Fixture *f)
{
  guint n = 1;

  fixture_push_frame (f, 0);
  fixture_wait_for_stat (f, "in-flight", 1);
  fixture_push_event (
      f, gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM, gst_structure_new_empty ("mark")));
  REPEAT_UNTIL (f->element, fixture_stat (f, "answered") > 0, fixture_push_frame (f, n++));
}

/* The end comes without what is not answered within drain-timeout. */
static void
end (Fixture *f)
{
  wait_unanswered (f);
  fixture_push_end (f);
  fixture_wait_for_end (f);
}

static void
end_offline (Fixture *f)
{
  fal_server_set_refusal (f->server, 503);
  fixture_push_frame (f, 0);
  fixture_push_end (f);
  fixture_wait_for_end (f);
}

static void
flush_away (Fixture *f)
{
  wait_unanswered (f);
  fixture_push_frame (f, 1);
  fixture_flush (f);
  fal_server_set_mute (f->server, FALSE);
  fal_server_close (f->server, 1012, "restarting");
  fixture_wait_for_stat (f, "dropped-flushed", 1);
  fixture_wait_for_stat (f, "lost", 1); /* another one might be lost with it */
  fixture_push_and_pull (f, 2);
}

typedef struct {
  const gchar *name, *properties;
  void (*prepare) (Fixture *f);
  const gchar *stat; /* that counts them */
  guint n;           /* how many; 0: at least one */
} Drop;

static const Drop drops[] = {
  { "throttled", NEVER, throttle, "dropped-throttled", 4 },
  { "replaced", "max-in-flight=1", replace, "dropped-replaced", 4 },
  { "offline", "retry-delay=60000 max-retry-delay=60000", refuse, "dropped-offline", 4 },
  { "expired", "request-timeout=50", wait_unanswered, "expired", 1 },
  { "lost-with-the-connection", "max-in-flight=1", lose, "lost", 1 },
  { "lost-on-the-server", "max-in-flight=4", pass_over, "lost", 1 },
  { "failed", "", spoil, "failed", 1 },
  { "too-late-to-go-out", "", follow_gap, "results-late", 1 },
  { "overtaken", "fallback=passthrough fallback-timeout=50 max-in-flight=1", overtake,
      "results-late", 1 },
  { "unanswered-at-the-end", "drain-timeout=50", end, "expired", 1 },
  { "unsent-at-the-end", "drain-timeout=50 retry-delay=60000 max-retry-delay=60000", end_offline,
      "dropped-offline", 1 },
};

static guint64
count_drops (Fixture *f)
{
  static const gchar *const names[] = { "dropped-throttled", "dropped-replaced", "dropped-offline",
    "failed", "expired", "lost", "results-late" };
  guint64 sum = 0;

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    sum += fixture_stat (f, names[i]);
  return sum;
}

static void
check_times (GstMessage *message)
{
  gboolean live;
  guint64 running, stream, stamp, duration;

  gst_message_parse_qos (message, &live, &running, &stream, &stamp, &duration);
  g_assert_true (live);
  g_assert_cmpuint (duration, ==, GST_SECOND / 30);
  g_assert_cmpuint (stamp, ==, TIME ((stamp * 30 + GST_SECOND / 2) / GST_SECOND));
  g_assert_cmpuint (stream, ==, stamp + 7 * GST_SECOND);
  g_assert_cmpuint (running, ==, stamp + 3 * GST_SECOND);
}

/* @latency: what a sink waits for is not late. */
static void
check_values (GstMessage *message, GstClockTime latency)
{
  guint64 running;
  gint64 jitter;
  gdouble proportion;
  gint quality;

  gst_message_parse_qos (message, NULL, &running, NULL, NULL, NULL);
  gst_message_parse_qos_values (message, &jitter, &proportion, &quality);
  g_assert_cmpint (jitter, ==, GST_CLOCK_DIFF (running + latency, NOW));
  g_assert_cmpfloat (proportion, ==, 1);
  g_assert_cmpint (quality, ==, 1000000);
}

/* A segment of which all three times differ. */
static void
begin (Fixture *f)
{
  GstSegment segment;

  fixture_set_size (f, 32, 32);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.base = 3 * GST_SECOND;
  segment.time = 7 * GST_SECOND;
  fixture_push_event (f, gst_event_new_segment (&segment));
  gst_harness_set_time (f->harness, NOW);
}

/* The next QOS message about a frame of begin(), and how many frames were dropped by then. */
static guint64
take_count (Fixture *f, GstMessage *taken)
{
  g_autoptr (GstMessage) message = taken;
  guint64 processed, dropped;
  GstFormat format;

  check_times (message);
  check_values (message, 200 * GST_MSECOND);
  gst_message_parse_qos_stats (message, &format, &processed, &dropped);
  g_assert_cmpint (format, ==, GST_FORMAT_BUFFERS);
  g_assert_cmpuint (processed, <=, fixture_stat (f, "frames-out"));
  return dropped;
}

/* Told at most ten times a second: the first at once. */
static void
test_drop (gconstpointer data)
{
  const Drop *drop = data;
  FalServerOptions options = { .delay_ms = drop->prepare == overtake ? 300 : 0 };
  g_autofree gchar *properties = g_strdup_printf ("latency=200 %s", drop->properties);
  g_autoptr (Fixture) f = fixture_new_live (&options, properties);
  guint64 told = 0;
  GstMessage *message;

  begin (f);
  drop->prepare (f);
  fixture_wait_for_stat (f, drop->stat, drop->n);
  told = take_count (f, fixture_wait_for_message (f, GST_MESSAGE_QOS));
  g_assert_cmpuint (told, >, 0);
  gst_element_set_state (f->harness->element, GST_STATE_NULL);
  while ((message = gst_bus_pop_filtered (f->bus, GST_MESSAGE_QOS)) != NULL) {
    guint64 dropped = take_count (f, message);

    g_assert_cmpuint (dropped, >, told);
    told = dropped;
  }
  g_assert_cmpuint (told, <=, count_drops (f));
}

typedef struct {
  guint messages;
  guint64 dropped;
} Told;

static gboolean
has_told (Fixture *f, Told *told, guint64 dropped)
{
  GstMessage *message;

  while ((message = gst_bus_pop_filtered (f->bus, GST_MESSAGE_QOS)) != NULL) {
    told->dropped = take_count (f, message);
    told->messages++;
  }
  return told->dropped >= dropped;
}

/* An application that reads no messages does not grow with each frame, and one that reads them
 * misses none. */
static void
test_ten_messages_a_second_have_all_counts (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "latency=200 " NEVER);
  gint64 began = g_get_monotonic_time ();
  Told told = { 0 };
  guint n = 1;

  begin (f);
  fixture_push_and_pull (f, 0);
  REPEAT_UNTIL (f->element, has_told (f, &told, 100), fixture_push_frame (f, n++));
  fixture_push_frame (f, n++);
  g_assert_cmpuint (
      told.messages, <=, 1 + (g_get_monotonic_time () - began) / (G_USEC_PER_SEC / 10));
  g_assert_cmpuint (told.messages, <, 100);
  REPEAT_UNTIL (f->element, has_told (f, &told, n - 2), fixture_push_frame (f, n++));
}

static void
test_nobody_is_told_of_what_was_flushed (void)
{
  g_autoptr (Fixture) f =
      fixture_new_live (NULL, "timestamp-mode=input max-in-flight=1 retry-delay=1");

  fixture_set_size (f, 32, 32);
  flush_away (f);
  gst_element_set_state (f->harness->element, GST_STATE_NULL);
  g_assert_null (gst_bus_pop_filtered (f->bus, GST_MESSAGE_QOS));
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (drops); i++) {
    g_autofree gchar *path = g_strdup_printf ("/qos-messages/told/%s", drops[i].name);

    g_test_add_data_func (path, &drops[i], test_drop);
  }
  g_test_add_func (
      "/qos-messages/nobody_is_told_of_what_was_flushed", test_nobody_is_told_of_what_was_flushed);
  g_test_add_func ("/qos-messages/ten_messages_a_second_have_all_counts",
      test_ten_messages_a_second_have_all_counts);
  return fixture_run ();
}
