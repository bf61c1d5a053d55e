/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Time: which stamps results bear, what is said of latency and whether it holds. */
#include "pipeline-fixture.h"

#define NONE G_MAXUINT

/* ---- the stamps ---- */

static void
set_mode (Fixture *f, const gchar *mode, gint latency)
{
  gst_util_set_object_arg (G_OBJECT (f->element), "timestamp-mode", mode);
  g_object_set (f->element, "latency", latency, NULL);
}

/* Frame 3 is pushed when the clock stands at 5 s. */
static GstClockTime
get_stamp (gboolean live, const gchar *mode, gint latency)
{
  g_autoptr (Fixture) f = live ? fixture_new_live (NULL, NULL) : fixture_new (NULL, NULL);
  g_autoptr (GstBuffer) buffer = NULL;

  gst_harness_set_time (f->harness, 5 * GST_SECOND);
  set_mode (f, mode, latency);
  fixture_set_size (f, 32, 32);
  fixture_push (f, fixture_frame (32, 32, 0, 3));
  buffer = fixture_pull (f);
  g_assert_cmpuint (GST_BUFFER_DURATION (buffer), ==, GST_SECOND / 30);
  return GST_BUFFER_PTS (buffer);
}

static void
test_the_mode_says_which_time_results_bear (void)
{
  static const struct {
    gboolean live;
    const gchar *mode;
    gint latency;
    gboolean arrival;
  } rows[] = {
    { FALSE, "auto", -1, FALSE },
    { FALSE, "auto", 300, FALSE },
    { FALSE, "arrival", -1, TRUE },
    { TRUE, "auto", -1, TRUE },
    { TRUE, "auto", 0, FALSE },
    { TRUE, "auto", 300, FALSE },
    { TRUE, "input", -1, FALSE },
    { TRUE, "arrival", 300, TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    g_assert_cmpuint (get_stamp (rows[i].live, rows[i].mode, rows[i].latency), ==,
        rows[i].arrival ? 5 * GST_SECOND : GST_SECOND / 10);
}

/* ---- latency ---- */

typedef struct {
  gboolean live;
  guint upstream_least, upstream_most; /* ms */
  const gchar *mode;
  gint latency;
  guint least, most; /* what we say, ms */
  gboolean passes;   /* frames go by */
} Latencies;

/* Results wait for as long as a sink wants; frames that pass find room for four, of 33 ms. */
static const Latencies latencies[] = {
  { TRUE, 20, 100, "auto", 300, 320, NONE },
  { TRUE, 20, NONE, "auto", 300, 320, NONE },
  { TRUE, 20, 20, "auto", -1, 20, NONE },
  { TRUE, 20, NONE, "auto", -1, 20, NONE },
  { TRUE, 0, 0, "auto", 0, 0, NONE },
  { TRUE, 20, 100, "input", -1, 20, NONE },
  { TRUE, 20, 100, "input", 300, 320, NONE },
  { TRUE, 20, 100, "arrival", 300, 20, NONE },
  { FALSE, 0, NONE, "auto", 300, 0, NONE },
  { TRUE, 20, 100, "auto", -1, 20, 233, .passes = TRUE },
  { TRUE, 20, 20, "auto", 300, 320, 320, .passes = TRUE },
  { TRUE, 20, NONE, "auto", -1, 20, NONE, .passes = TRUE },
  { FALSE, 0, NONE, "auto", -1, 0, NONE, .passes = TRUE },
};

static GstClockTime
from_ms (guint ms)
{
  return ms == NONE ? GST_CLOCK_TIME_NONE : ms * GST_MSECOND;
}

static gboolean
answer_latency (GstPad *pad, GstObject *parent, GstQuery *query)
{
  const Latencies *row = g_object_get_data (G_OBJECT (pad), "latencies");

  if (GST_QUERY_TYPE (query) != GST_QUERY_LATENCY)
    return gst_pad_query_default (pad, parent, query);
  gst_query_set_latency (
      query, row->live, from_ms (row->upstream_least), from_ms (row->upstream_most));
  return TRUE;
}

static void
check_latency (const Latencies *row)
{
  g_autoptr (Fixture) f = fixture_new (NULL, NULL);
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  gboolean live;
  GstClockTime least, most;

  g_object_set_data (G_OBJECT (f->harness->srcpad), "latencies", (gpointer) row);
  gst_pad_set_query_function (f->harness->srcpad, answer_latency);
  set_mode (f, row->mode, row->latency);
  fixture_set_size (f, 32, 32); /* 30 frames/s */
  g_object_set (f->element, "enabled", !row->passes, NULL);
  g_assert_true (gst_pad_peer_query (f->harness->sinkpad, query));
  gst_query_parse_latency (query, &live, &least, &most);
  g_assert_cmpint (live, ==, row->live);
  g_assert_cmpuint (least, ==, from_ms (row->least));
  g_assert_cmpuint (GST_CLOCK_TIME_IS_VALID (most) ? most / GST_MSECOND : NONE, ==, row->most);
}

static void
test_latency_is_upstreams_and_ours_where_live (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (latencies); i++)
    check_latency (&latencies[i]);
}

static guint
count_messages (Fixture *f, GstMessageType type)
{
  GstMessage *message;
  guint n = 0;

  for (; (message = gst_bus_pop_filtered (f->bus, type)) != NULL; n++)
    gst_message_unref (message);
  return n;
}

static void
test_each_change_of_latency_is_announced_once (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, NULL);

  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, 0);
  g_assert_cmpuint (count_messages (f, GST_MESSAGE_LATENCY), ==, 0);
  for (gint latency = 100; latency <= 300; latency += 100) {
    g_object_set (f->element, "latency", latency, NULL);
    g_assert_cmpuint (count_messages (f, GST_MESSAGE_LATENCY), ==, 1);
    g_object_set (f->element, "latency", latency, "prompt", "another", NULL);
    g_assert_cmpuint (count_messages (f, GST_MESSAGE_LATENCY), ==, 0);
  }
  g_object_set (f->element, "latency", -1, NULL);
  g_assert_cmpuint (count_messages (f, GST_MESSAGE_LATENCY), ==, 1);
}

/* Put into a pipeline that plays, the element is asked by nobody: that it is live, and with it its
 * latency, shows with the first frame. */
static void
test_latency_that_shows_with_the_first_frame_is_announced (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "latency=300");

  fixture_set_size (f, 32, 32);
  count_messages (f, GST_MESSAGE_LATENCY);
  for (guint n = 0; n < 3; n++)
    fixture_push_and_pull (f, n);
  g_assert_cmpuint (count_messages (f, GST_MESSAGE_LATENCY), ==, 1);
}

/* ---- a delay that is found ---- */

#define LAG (300 * GST_MSECOND)

/* Frame @n comes LAG after its time. The stamp of its result. */
static GstClockTime
push_late (Fixture *f, guint *n)
{
  g_autoptr (GstBuffer) buffer = NULL;

  gst_harness_set_time (f->harness, *n * GST_SECOND / 30 + LAG);
  fixture_push_frame (f, (*n)++);
  buffer = fixture_pull (f);
  return GST_BUFFER_PTS (buffer);
}

static gint
get_latency (Fixture *f)
{
  gint latency;

  g_object_get (f->element, "latency", &latency, NULL);
  return latency;
}

static GstClockTime
ask_latency (Fixture *f)
{
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  GstClockTime least;

  g_assert_true (gst_pad_peer_query (f->harness->sinkpad, query));
  gst_query_parse_latency (query, NULL, &least, NULL);
  return least;
}

static void
tell_latency (Fixture *f, GstClockTime latency)
{
  g_assert_true (gst_pad_push_event (f->harness->sinkpad, gst_event_new_latency (latency)));
}

/* Until it is found a result is shown as it comes, where a sink waits, which adds a little. */
static void
find_latency (Fixture *f, guint *n)
{
  fixture_set_size (f, 32, 32);
  tell_latency (f, 20 * GST_MSECOND);
  g_assert_cmpuint (push_late (f, n), ==, LAG);
  g_assert_cmpint (get_latency (f), ==, 0);
  count_messages (f, GST_MESSAGE_LATENCY);
  REPEAT_UNTIL (f->element, get_latency (f) > 0, push_late (f, n));
}

static void
test_auto_finds_a_delay_and_says_so (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "latency-mode=auto");
  guint n = 0;

  find_latency (f, &n);
  g_assert_cmpuint (count_messages (f, GST_MESSAGE_LATENCY), ==, 1);
  g_assert_cmpuint (fixture_stat (f, "playout-changes"), ==, 1);
  g_assert_cmpint (get_latency (f), >=, LAG / GST_MSECOND);
  g_assert_cmpuint (ask_latency (f), ==, get_latency (f) * GST_MSECOND);
}

static void
test_what_was_set_is_the_least_in_auto_and_max_latency_the_most (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "latency-mode=auto latency=200 max-latency=250");
  guint n = 0;

  fixture_set_size (f, 32, 32);
  push_late (f, &n);
  g_assert_cmpint (get_latency (f), ==, 200);
  g_assert_cmpuint (ask_latency (f), ==, 200 * GST_MSECOND);
  REPEAT_UNTIL (f->element, get_latency (f) > 200, push_late (f, &n));
  g_assert_cmpint (get_latency (f), ==, 250);
  g_object_set (f->element, "max-latency", 230, NULL);
  g_assert_cmpuint (ask_latency (f), ==, 230 * GST_MSECOND);
  gst_util_set_object_arg (G_OBJECT (f->element), "latency-mode", "fixed");
  g_assert_cmpint (get_latency (f), ==, 200);
  g_assert_cmpuint (ask_latency (f), ==, 200 * GST_MSECOND);
}

/* The stamp of the next frame's result, after the frame's own. */
static GstClockTime
push_and_get_delay (Fixture *f, guint *n)
{
  GstClockTime frame = *n * GST_SECOND / 30;

  return push_late (f, n) - frame;
}

/* Time does not go back where results are to wait longer: it takes some until they do. */
static void
push_until_shown_after (Fixture *f, guint *n, GstClockTime delay)
{
  WAIT_UNTIL (f->element, push_and_get_delay (f, n) == delay);
}

/* An application need not do what it is asked. */
static void
test_the_latency_that_was_told_holds (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "latency-mode=auto");
  guint64 late;
  guint n = 0;

  find_latency (f, &n);
  tell_latency (f, 100 * GST_MSECOND);
  push_until_shown_after (f, &n, LAG - 100 * GST_MSECOND);
  fixture_wait_for_stat (f, "results-late", n);
  tell_latency (f, ask_latency (f) + 20 * GST_MSECOND);
  push_until_shown_after (f, &n, 0);
  late = fixture_stat (f, "results-late");
  push_until_shown_after (f, &n, 0);
  g_assert_cmpuint (fixture_stat (f, "results-late"), ==, late);
}

/* As in a recording: a result is never late, and in sync from the first one on. */
static void
test_where_no_sink_waits_results_have_the_time_of_their_frames (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "latency-mode=auto");
  guint n = 0;

  fixture_set_size (f, 32, 32);
  tell_latency (f, 0);
  while (n < 10)
    g_assert_cmpuint (push_and_get_delay (f, &n), ==, 0);
  g_assert_cmpuint (fixture_stat (f, "results-late"), ==, 0);
}

static void
test_auto_finds_nothing_in_a_file_or_where_results_come_as_they_come (void)
{
  static const struct {
    gboolean live;
    const gchar *properties;
  } rows[] = {
    { FALSE, "latency-mode=auto" },
    { TRUE, "latency-mode=auto timestamp-mode=arrival" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (Fixture) f = rows[i].live ? fixture_new_live (NULL, rows[i].properties)
                                         : fixture_new (NULL, rows[i].properties);
    guint n = 0;

    fixture_set_size (f, 32, 32);
    push_late (f, &n);
    g_assert_cmpint (get_latency (f), ==, -1);
    g_assert_cmpuint (ask_latency (f), ==, 0);
    g_assert_cmpuint (fixture_stat (f, "playout-changes"), ==, 0);
  }
}

/* ---- results later than that ---- */

static void
expect_warning (Fixture *f, gint latency, gdouble least_age)
{
  g_autoptr (GstMessage) message = fixture_wait_for_message (f, GST_MESSAGE_WARNING);
  const GstStructure *details;
  gdouble age;
  gint told;

  gst_message_parse_warning_details (message, &details);
  g_assert_nonnull (details);
  g_assert_true (
      gst_structure_get (details, "latency", G_TYPE_INT, &told, "age", G_TYPE_DOUBLE, &age, NULL));
  g_assert_cmpint (told, ==, latency);
  g_assert_cmpfloat (age, >=, least_age);
}

static void
push_and_pull_many (Fixture *f, guint n, guint *next)
{
  for (guint i = 0; i < n; i++)
    fixture_push_and_pull (f, (*next)++);
}

static void
test_results_that_keep_coming_too_late_are_warned_about_once (void)
{
  FalServerOptions options = { .delay_ms = 40 };
  g_autoptr (Fixture) f = fixture_new_live (&options, "latency=10");
  guint n = 0;

  fixture_set_size (f, 32, 32);
  push_and_pull_many (f, 7, &n);
  g_assert_cmpuint (count_messages (f, GST_MESSAGE_WARNING), ==, 0);
  push_and_pull_many (f, 1, &n);
  expect_warning (f, 10, 40);
  push_and_pull_many (f, 20, &n);
  g_assert_cmpuint (count_messages (f, GST_MESSAGE_WARNING), ==, 0);
  g_object_set (f->element, "latency", 20, NULL);
  push_and_pull_many (f, 20, &n);
  expect_warning (f, 20, 40);
  g_assert_cmpuint (count_messages (f, GST_MESSAGE_WARNING), ==, 0);
  g_object_set (f->element, "latency", 10000, NULL);
  push_and_pull_many (f, 10, &n);
  g_assert_cmpuint (count_messages (f, GST_MESSAGE_WARNING), ==, 0);
}

static void
test_nothing_is_late_where_nothing_was_promised (void)
{
  static const gchar *const properties[] = {
    "latency=-1",
    "latency=-1 timestamp-mode=input",
    "latency=1 timestamp-mode=arrival",
    "latency=1",
  };
  FalServerOptions options = { .delay_ms = 5 };

  for (guint i = 0; i < G_N_ELEMENTS (properties); i++) {
    gboolean live = i < G_N_ELEMENTS (properties) - 1;
    g_autoptr (Fixture) f =
        live ? fixture_new_live (&options, properties[i]) : fixture_new (&options, properties[i]);
    guint n = 0;

    fixture_set_size (f, 32, 32);
    push_and_pull_many (f, 12, &n);
    g_assert_cmpuint (count_messages (f, GST_MESSAGE_WARNING), ==, 0);
  }
}

/* ---- age ---- */

#define AGES 120

/* Monotonic µs: of each frame when its push began and ended, of its result when it was received, as
 * its meta says, and when it came out. */
typedef struct {
  gint64 began[AGES], ended[AGES], received[AGES], came[AGES];
  guint n;
} Stopwatch;

static GstPadProbeReturn
note_coming (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Stopwatch *watch = data;
  GstCustomMeta *meta =
      gst_buffer_get_custom_meta (GST_PAD_PROBE_INFO_BUFFER (info), "GstFalResultMeta");

  g_assert_nonnull (meta);
  g_assert_true (gst_structure_get_int64 (
      gst_custom_meta_get_structure (meta), "received", &watch->received[watch->n]));
  watch->came[watch->n++] = g_get_monotonic_time ();
  return GST_PAD_PROBE_OK;
}

/* Of the times from @began to @ended, ms. */
static gdouble
get_percentile (const gint64 *began, const gint64 *ended, guint percent)
{
  gint64 times[AGES];

  for (guint i = 0; i < AGES; i++)
    times[i] = ended[i] - began[i];
  sort_times (times, AGES);
  return times[(AGES * percent + 99) / 100 - 1] / 1000.0;
}

static gdouble
get_ms (Fixture *f, const gchar *name)
{
  g_autoptr (GstStructure) stats = NULL;
  gdouble value = 0;

  g_object_get (f->element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_double (stats, name, &value));
  return value;
}

/* The element's age of each result begins during the push of its frame, and ends between the
 * reception of the result and its coming out: so each percentile lies between those of the two. */
static void
check_age (Fixture *f, const Stopwatch *watch, const gchar *name, guint percent)
{
  gdouble age = get_ms (f, name);

  g_assert_cmpfloat (age, >=, get_percentile (watch->ended, watch->received, percent) - 0.001);
  g_assert_cmpfloat (age, <=, get_percentile (watch->began, watch->came, percent) + 0.001);
}

static void
check_last_age (Fixture *f, const Stopwatch *watch)
{
  gdouble age = get_ms (f, "age-last");

  g_assert_cmpfloat (
      age, >=, (watch->received[AGES - 1] - watch->ended[AGES - 1]) / 1000.0 - 0.001);
  g_assert_cmpfloat (age, <=, (watch->came[AGES - 1] - watch->began[AGES - 1]) / 1000.0 + 0.001);
}

/* Of each pair the second frame waits for the first one's result: that time counts too. */
static void
test_ages_are_what_a_stopwatch_says (void)
{
  FalServerOptions options = { .delay_ms = 15 };
  g_autoptr (Fixture) f = fixture_new (&options, "max-in-flight=1 max-buffering=2");
  Stopwatch watch = { .n = 0 };

  gst_pad_add_probe (f->harness->sinkpad, GST_PAD_PROBE_TYPE_BUFFER, note_coming, &watch, NULL);
  fixture_set_size (f, 32, 32);
  for (guint i = 0; i < AGES; i++) {
    watch.began[i] = g_get_monotonic_time ();
    fixture_push (f, fixture_frame (32, 32, 0, i));
    watch.ended[i] = g_get_monotonic_time ();
    if (i % 2 == 0)
      continue;
    gst_buffer_unref (fixture_pull (f));
    gst_buffer_unref (fixture_pull (f));
  }
  g_assert_cmpfloat (get_ms (f, "age-p50"), >=, 15);
  g_assert_cmpfloat (get_ms (f, "age-p95"), >=, 30);
  check_age (f, &watch, "age-p50", 50);
  check_age (f, &watch, "age-p95", 95);
  check_last_age (f, &watch);
}

/* ---- sinks ---- */

/* A video sink as it is by default: late is what comes 5 ms after its time. */
typedef GstVideoSink PlainSink;
typedef GstVideoSinkClass PlainSinkClass;

static GType plain_sink_get_type (void);
G_DEFINE_TYPE (PlainSink, plain_sink, GST_TYPE_VIDEO_SINK)

static GstFlowReturn
show (GstVideoSink *sink, GstBuffer *buffer)
{
  return GST_FLOW_OK;
}

static void
plain_sink_class_init (PlainSinkClass *klass)
{
  g_autoptr (GstCaps) caps = gst_caps_new_empty_simple ("video/x-raw");

  gst_element_class_add_pad_template (
      GST_ELEMENT_CLASS (klass), gst_pad_template_new ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps));
  gst_element_class_set_static_metadata (
      GST_ELEMENT_CLASS (klass), "plain", "Sink/Video", "Shows nothing", "nobody");
  klass->show_frame = show;
}

static void
plain_sink_init (PlainSink *sink)
{
}

/* A sanitizer makes each step so slow that among other work hardly a run is without a pause. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MAY_MISS(results) ((results) / 4)
#else
#define MAY_MISS(results) 0
#endif

/* Whether @after, with a sink of this name, showed the results. */
static gboolean
shows_results (const gchar *properties, const gchar *after)
{
  FalServerOptions options = { .delay_ms = 120 };
  g_autoptr (Pipeline) p = pipeline_new (&options,
      "videotestsrc is-live=true num-buffers=25 ! video/x-raw,width=64,height=64,framerate=30/1",
      properties, after);
  guint64 out;

  pipeline_play (p);
  out = pipeline_stat (p, "frames-out");
  g_assert_cmpuint (out, >=, 3);
  return pipeline_count_shown (p) + MAY_MISS (out) >= out;
}

static void
test_sinks_show_every_live_result (void)
{
  static const gchar *const rows[][2] = {
    { "", "plainsink name=sink" },
    { "throttle-interval=0", "videoconvert ! queue ! plainsink name=sink" },
    { "latency=300 timestamp-mode=arrival", "videoscale ! plainsink name=sink" },
    { "latency=2000", "videoconvert ! plainsink name=sink" },
    { "throttle-interval=100",
        "videoconvert ! fakesink name=sink sync=true qos=true max-lateness=20000000" },
    { "latency-mode=auto", "plainsink name=sink" },
    { "latency-mode=auto throttle-interval=0", "videoconvert ! queue ! plainsink name=sink" },
    { "", "fakesink name=sink sync=true" },
    { "", "fakesink name=sink sync=false" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    EXPECT_IN_A_RUN (shows_results (rows[i][0], rows[i][1]));
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  gst_element_register (NULL, "plainsink", GST_RANK_NONE, plain_sink_get_type ());
#define ADD(name) g_test_add_func ("/timestamps-and-latency/" #name, test_##name)
  ADD (the_mode_says_which_time_results_bear);
  ADD (latency_is_upstreams_and_ours_where_live);
  ADD (each_change_of_latency_is_announced_once);
  ADD (latency_that_shows_with_the_first_frame_is_announced);
  ADD (auto_finds_a_delay_and_says_so);
  ADD (what_was_set_is_the_least_in_auto_and_max_latency_the_most);
  ADD (the_latency_that_was_told_holds);
  ADD (where_no_sink_waits_results_have_the_time_of_their_frames);
  ADD (auto_finds_nothing_in_a_file_or_where_results_come_as_they_come);
  ADD (results_that_keep_coming_too_late_are_warned_about_once);
  ADD (nothing_is_late_where_nothing_was_promised);
  ADD (ages_are_what_a_stopwatch_says);
  ADD (sinks_show_every_live_result);
  return fixture_run ();
}
