/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Time as a viewer has it: sinks that wait for the time of each picture and for the pipeline's
 * latency, pauses, and time that goes back or does not come. */
#include "pipeline-fixture.h"
#include "waiting.h"

/* How late a sink lets a picture be, µs. */
#define SINKS_BEAR (20 * G_TIME_SPAN_MILLISECOND)

#define CAMERA(n)                                                                                  \
  "videotestsrc is-live=true num-buffers=" #n " ! video/x-raw,width=64,height=64,framerate=30/1"

/* ---- sinks right behind the filter ---- */

/* What a sink shows, and when each frame or result says that it is. */
typedef struct {
  GstClockTime times[256];
  guint n;
} Shown;

static GstPadProbeReturn
note_time (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Shown *shown = data;

  g_assert_cmpuint (shown->n, <, G_N_ELEMENTS (shown->times));
  shown->times[shown->n++] = GST_BUFFER_PTS (GST_PAD_PROBE_INFO_BUFFER (info));
  return GST_PAD_PROBE_OK;
}

/* Each result is shown, unless the machine kept this program from running for longer than sinks
 * bear: that can be too late for one. */
static void
expect_all_shown (Pipeline *p, gint64 delayed)
{
  guint64 late = pipeline_stat (p, "results-late");

  if (delayed < SINKS_BEAR)
    g_assert_cmpuint (late, ==, 0);
  g_assert_cmpuint (pipeline_stat (p, "frames-out") + late, ==, pipeline_stat (p, "results"));
}

/* Of 60 frames most are sent, although the sink has results wait. On a busy machine the camera
 * itself, whose frames drop, is what a few are missing by, and more under a sanitizer. */
static void
test_results_are_asked_for_while_a_sink_has_others_wait (void)
{
  static const gchar *const rows[][2] = {
    { "throttle-interval=0", "fakesink name=sink sync=true" },
    { "throttle-interval=0", "fakesink name=sink sync=true " PIPELINE_BRANCH },
    { "throttle-interval=0 latency=800", "fakesink name=sink sync=true" },
    { "throttle-interval=0 latency=800", "fakesink name=sink sync=true " PIPELINE_BRANCH },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (Pipeline) p = pipeline_new (NULL, CAMERA (60), rows[i][0], rows[i][1]);
    TimeLimit *watch = time_limit_begin ();
    gint64 delayed;

    pipeline_play (p);
    time_limit_end (watch, &delayed);
    g_assert_cmpuint (pipeline_stat (p, "frames-sent"), >, PATIENCE > 1 ? 30 : 40);
    expect_all_shown (p, delayed);
  }
}

/* As with identity: upstream waits. */
static void
test_frames_that_pass_are_all_shown (void)
{
  g_autoptr (Pipeline) p = pipeline_new (NULL, CAMERA (30) " ! identity name=source",
      "enabled=false", "fakesink name=sink sync=true " PIPELINE_BRANCH);
  Shown frames = { .n = 0 }, shown = { .n = 0 };

  pipeline_add_probe (p, "source", note_time, &frames);
  pipeline_add_probe (p, "fal", note_time, &shown);
  pipeline_play (p);
  g_assert_cmpuint (shown.n, ==, 30);
  for (guint i = 0; i < shown.n; i++)
    g_assert_cmpuint (shown.times[i], ==, frames.times[i]);
  g_assert_cmpuint (pipeline_stat (p, "frames-passed"), ==, 30);
}

/* One for each frame, as far as there is room, and not one for each wait of the sink, of which two
 * seconds hold six. */
static void
test_a_fallback_moves_on_while_a_sink_has_others_wait (void)
{
  static const gchar *const modes[] = { "last", "passthrough", "black" };

  for (guint i = 0; i < G_N_ELEMENTS (modes); i++) {
    g_autofree gchar *properties =
        g_strdup_printf ("fallback=%s fallback-timeout=1 drain-timeout=1", modes[i]);
    g_autoptr (Pipeline) p = pipeline_new (
        NULL, CAMERA (60), properties, "fakesink name=sink sync=true " PIPELINE_BRANCH);

    fal_server_set_mute (p->server, TRUE);
    pipeline_play (p);
    g_assert_cmpuint (pipeline_stat (p, "frames-filled"), >, 14);
  }
}

/* ---- a delay that is found ---- */

static gboolean
has_time (const Shown *frames, GstClockTime time)
{
  for (guint i = 0; i < frames->n; i++)
    if (frames->times[i] == time)
      return TRUE;
  return FALSE;
}

/* How many of what is shown from the pipeline's second second on have the time of their frame:
 * then they are as far apart as these. */
static guint
count_in_time (const Shown *frames, const Shown *shown, guint *all)
{
  guint n = *all = 0;

  for (guint i = 0; i < shown->n; i++) {
    if (shown->times[i] < frames->times[0] + 3 * GST_SECOND / 2)
      continue;
    ++*all;
    n += has_time (frames, shown->times[i]);
  }
  return n;
}

/* Whether a sink that waits shows them so; a machine that stands still may delay some of them. */
static gboolean
shows_in_time (const gchar *after)
{
  FalServerOptions options = { .delay_ms = 100 };
  g_autoptr (Pipeline) p = pipeline_new (&options, CAMERA (100) " ! identity name=source",
      "latency-mode=auto throttle-interval=0", after);
  Shown frames = { .n = 0 }, shown = { .n = 0 };
  guint all, in_time;

  pipeline_add_probe (p, "source", note_time, &frames);
  pipeline_add_probe (p, "fal", note_time, &shown);
  pipeline_play (p);
  in_time = count_in_time (&frames, &shown, &all);
  g_test_message ("%u of %u in time", in_time, all);
  g_assert_cmpuint (pipeline_stat (p, "frames-out"), ==, pipeline_stat (p, "results"));
  return all > 5 && in_time >= all - all / 10;
}

static void
test_with_a_delay_that_is_found_results_keep_the_distance_of_their_frames (void)
{
  static const gchar *const rows[] = { "fakesink name=sink sync=true",
    "videoconvert ! queue ! fakesink name=sink sync=true",
    "fakesink name=sink sync=true " PIPELINE_BRANCH };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    EXPECT_IN_A_RUN (shows_in_time (rows[i]));
}

/* ---- the time of an arrival ---- */

/* The time stamp of frame @n, whose result is received when the clock stands at @now. */
static GstClockTime
get_stamp (Fixture *f, guint n, GstClockTime now)
{
  g_autoptr (GstBuffer) buffer = NULL;

  gst_harness_set_time (f->harness, now);
  fixture_push_frame (f, n);
  buffer = fixture_pull (f);
  return GST_BUFFER_PTS (buffer);
}

/* Upstream takes 2 s, like a network camera: a frame that arrives at 5 s has the time of 3 s. */
static void
test_an_arrival_is_less_upstreams_latency (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, NULL);

  gst_harness_set_upstream_latency (f->harness, 2 * GST_SECOND);
  fixture_set_size (f, 32, 32);
  g_assert_cmpuint (get_stamp (f, 3, 5 * GST_SECOND), ==, 3 * GST_SECOND);
  g_assert_cmpuint (get_stamp (f, 180, 7 * GST_SECOND), ==, 6 * GST_SECOND); /* its own */
}

/* An offset of a pad, as it delays a picture for its sound. */
static void
push_segment_with_offset (Fixture *f, GstClockTime offset)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.base = offset;
  fixture_push_event (f, gst_event_new_segment (&segment));
}

static void
test_a_frame_with_a_time_has_a_result_with_a_time (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, NULL);

  fixture_set_size (f, 32, 32);
  push_segment_with_offset (f, 9 * GST_SECOND);
  g_assert_cmpuint (get_stamp (f, 3, 5 * GST_SECOND), ==, GST_SECOND / 10);
  g_assert_cmpuint (get_stamp (f, 6, 6 * GST_SECOND), ==, GST_SECOND / 5);
  g_assert_cmpuint (get_stamp (f, 9, 12 * GST_SECOND), ==, 3 * GST_SECOND);
}

/* The same as an application has it, into a muxer that takes no picture without a time. */
static void
test_a_muxer_takes_results_of_a_pad_with_an_offset (void)
{
  g_autoptr (GstElementFactory) muxer = gst_element_factory_find ("qtmux");
  g_autoptr (Pipeline) p = NULL;
  g_autoptr (GstPad) pad = NULL;

  if (muxer == NULL) {
    g_test_skip ("there is no qtmux");
    return;
  }
  p = pipeline_new (NULL, CAMERA (20) " ! identity name=source", "throttle-interval=0",
      "image/jpeg ! qtmux ! fakesink sync=false");
  pad = gst_element_get_static_pad (pipeline_find (p, "source"), "src");
  gst_pad_set_offset (pad, GST_SECOND / 2);
  pipeline_play (p);
  g_assert_cmpuint (pipeline_stat (p, "frames-out"), >, 0);
}

/* ---- pauses ---- */

/* The clock goes on, running time does not. */
static void
test_a_result_of_a_pause_has_the_time_of_the_pause (void)
{
  FalServerOptions options = { .delay_ms = 100 };
  g_autoptr (Fixture) f = fixture_new_live (&options, NULL);
  g_autoptr (GstBuffer) buffer = NULL;

  gst_harness_set_time (f->harness, 5 * GST_SECOND);
  fixture_set_size (f, 32, 32);
  fixture_push_frame (f, 3);
  gst_element_set_state (f->element, GST_STATE_PAUSED);
  gst_harness_set_time (f->harness, 8 * GST_SECOND);
  buffer = fixture_pull (f);
  g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, 5 * GST_SECOND);
  gst_element_set_state (f->element, GST_STATE_PLAYING);
  g_assert_cmpuint (get_stamp (f, 6, 9 * GST_SECOND), ==, 9 * GST_SECOND);
}

/* The clock has its base of the last time still. */
static void
test_a_result_before_it_plays_has_its_frames_time (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, NULL);

  fixture_set_size (f, 32, 32);
  g_assert_cmpuint (get_stamp (f, 3, 5 * GST_SECOND), ==, 5 * GST_SECOND);
  gst_element_set_state (f->element, GST_STATE_READY);
  fixture_allow_data_without_stream ();
  gst_element_set_state (f->element, GST_STATE_PAUSED);
  fixture_set_size (f, 32, 32);
  g_assert_cmpuint (get_stamp (f, 3, 8 * GST_SECOND), ==, GST_SECOND / 10);
}

/* It waits here for downstream, which takes nothing while the pipeline is paused. */
static void
test_a_result_that_waits_has_the_time_of_its_reception (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, NULL);
  gulong probe;

  gst_harness_set_time (f->harness, 5 * GST_SECOND);
  fixture_set_size (f, 32, 32);
  probe = fixture_block_downstream (f);
  for (guint n = 1; n <= 2; n++) {
    fixture_push_frame (f, n);
    fixture_wait_for_stat (f, "results", n);
  }
  fixture_wait_until_blocked (f); /* the first is decoded by then: that takes no second */
  gst_harness_set_time (f->harness, 8 * GST_SECOND);
  gst_pad_remove_probe (f->harness->sinkpad, probe);
  for (guint i = 0; i < 2; i++) {
    g_autoptr (GstBuffer) buffer = fixture_pull (f);

    g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, 5 * GST_SECOND);
  }
}

typedef struct {
  gint64 began, received, came; /* monotonic µs */
} Times;

/* Pulls a result, and notes when it was received and came. */
static void
pull_times (Fixture *f, Times *times)
{
  g_autoptr (GstBuffer) buffer = fixture_pull (f);
  GstCustomMeta *meta = gst_buffer_get_custom_meta (buffer, "GstFalResultMeta");

  times->came = g_get_monotonic_time ();
  g_assert_true (
      gst_structure_get_int64 (gst_custom_meta_get_structure (meta), "received", &times->received));
}

/* The results wait for two seconds, in which latency=1000 is over; but they were there in time, and
 * no older than from their frame's coming to their reception, and in decoding. */
static void
test_ages_and_the_promise_leave_out_the_wait_for_downstream (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "latency=1000 max-in-flight=1");
  g_autoptr (GstStructure) stats = NULL;
  Times times[12];
  gint64 unblocked;
  gdouble age, most = 0;
  gulong probe;

  fixture_set_size (f, 32, 32);
  gst_harness_push_upstream_event (f->harness, gst_event_new_latency (3600 * GST_SECOND));
  probe = fixture_block_downstream (f);
  for (guint i = 0; i < G_N_ELEMENTS (times); i++) {
    times[i].began = g_get_monotonic_time ();
    fixture_push_frame (f, i);
    fixture_wait_for_stat (f, "results", i + 1);
  }
  pace_for (2 * G_USEC_PER_SEC);
  unblocked = g_get_monotonic_time ();
  gst_pad_remove_probe (f->harness->sinkpad, probe);
  for (guint i = 0; i < G_N_ELEMENTS (times); i++) {
    pull_times (f, &times[i]);
    most = MAX (most, times[i].received - times[i].began + times[i].came - unblocked);
  }
  g_object_get (f->element, "stats", &stats, NULL);
  /* The first one was decoded before it was blocked: so it is not bounded, but half of them are. */
  g_assert_true (gst_structure_get_double (stats, "age-p50", &age));
  g_assert_cmpfloat (age, <=, most / 1000);
  if (age < 1000)
    fixture_expect_no_message (f);
}

/* ---- time that goes back ---- */

static void
push_at (Fixture *f, GstClockTime pts)
{
  GstBuffer *buffer = fixture_frame (32, 32, 0, 0);

  GST_BUFFER_PTS (buffer) = pts;
  fixture_push (f, buffer);
}

/* Frames of these times, of which each brings a result of its own time, as it does with what is
 * set.
 */
static void
check_times (Fixture *f, const guint *ms, guint n)
{
  fixture_set_size (f, 32, 32);
  for (guint i = 0; i < n; i++) {
    g_autoptr (GstBuffer) buffer = NULL;

    push_at (f, ms[i] * GST_MSECOND);
    buffer = fixture_pull (f);
    g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, ms[i] * GST_MSECOND);
  }
}

static void
test_time_goes_back_where_that_of_the_frames_does (void)
{
  static const guint loop[] = { 0, 100, 200, 300, 0, 100, 200, 300, 400 };
  static const guint restart[] = { 10000, 10100, 10200, 0, 100, 200 };
  static const guint shuffled[] = { 0, 200, 100, 300, 500, 400 };
  static const gchar *const properties[] = { "", "latency=200", "enabled=false" };

  for (guint i = 0; i < 2 * G_N_ELEMENTS (properties); i++) {
    gboolean live = i % 2;
    const gchar *set = properties[i / 2];
    g_autoptr (Fixture) f = live ? fixture_new_live (NULL, set) : fixture_new (NULL, set);

    if (live && *set == '\0') /* stamped on arrival */
      continue;
    check_times (f, loop, G_N_ELEMENTS (loop));
    check_times (f, restart, G_N_ELEMENTS (restart));
    check_times (f, shuffled, G_N_ELEMENTS (shuffled));
  }
}

/* A camera that begins anew: results have the clock's time at once. */
static void
test_arrivals_go_on_where_the_frames_time_goes_back (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, NULL);

  fixture_set_size (f, 32, 32);
  g_assert_cmpuint (get_stamp (f, 300, 5 * GST_SECOND), ==, 10 * GST_SECOND);
  g_assert_cmpuint (get_stamp (f, 0, 6 * GST_SECOND), ==, 6 * GST_SECOND);
  g_assert_cmpuint (get_stamp (f, 1, 7 * GST_SECOND), ==, 7 * GST_SECOND);
}

/* What a sink said of the time before holds no more. */
static void
test_quality_of_service_does_not_hold_up_time_that_went_back (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "latency=200");

  fixture_set_size (f, 32, 32);
  push_at (f, 10 * GST_SECOND);
  gst_buffer_unref (fixture_pull (f));
  gst_harness_push_upstream_event (
      f->harness, gst_event_new_qos (GST_QOS_TYPE_UNDERFLOW, 2.0, GST_SECOND, 10 * GST_SECOND));
  for (guint i = 0; i < 3; i++) {
    push_at (f, i * GST_SECOND / 10);
    gst_buffer_unref (fixture_pull (f));
  }
}

/* ---- segments in bytes ---- */

static void
push_bytes_segment (Fixture *f)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_BYTES);
  fixture_push_event (f, gst_event_new_segment (&segment));
}

/* Of a frame without a time; *@duration: of its result. */
static GstClockTime
get_counted (Fixture *f, GstClockTime *duration)
{
  GstBuffer *frame = fixture_frame (32, 32, 0, 0);
  g_autoptr (GstBuffer) result = NULL;

  GST_BUFFER_PTS (frame) = GST_BUFFER_DURATION (frame) = GST_CLOCK_TIME_NONE;
  fixture_push (f, frame);
  result = fixture_pull (f);
  *duration = GST_BUFFER_DURATION (result);
  return GST_BUFFER_PTS (result);
}

static void
check_counted (Fixture *f, guint first, guint n)
{
  for (guint i = first; i < first + n; i++) {
    GstClockTime duration, pts = get_counted (f, &duration);

    g_assert_cmpuint (pts, ==, gst_util_uint64_scale (i, GST_SECOND, 30));
    g_assert_cmpuint (duration, ==, GST_SECOND / 30);
  }
}

/* Takes the events that went out; how many of them were segments, each one in time. */
static guint
count_segments (Fixture *f)
{
  GstEvent *event;
  guint n = 0;

  while ((event = gst_harness_try_pull_event (f->harness))) {
    const GstSegment *segment;

    if (GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT) {
      gst_event_parse_segment (event, &segment);
      g_assert_cmpint (segment->format, ==, GST_FORMAT_TIME);
      n++;
    }
    gst_event_unref (event);
  }
  return n;
}

static void
test_frames_of_a_segment_in_bytes_are_counted (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, NULL);

  fixture_set_size (f, 32, 32);
  push_bytes_segment (f);
  check_counted (f, 0, 5);
  g_assert_cmpuint (count_segments (f), ==, 2); /* the stream had begun with one in time */
  push_bytes_segment (f);                       /* the next file, say */
  check_counted (f, 5, 3);
  g_assert_cmpuint (count_segments (f), ==, 0);
  fixture_push_event (f, gst_event_new_flush_start ());
  fixture_push_event (f, gst_event_new_flush_stop (TRUE));
  push_bytes_segment (f);
  check_counted (f, 0, 3);
  g_assert_cmpuint (count_segments (f), ==, 1);
}

/* A frame's own time counts, and those after it go on from there. */
static void
test_a_time_in_a_segment_in_bytes_stays (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, NULL);
  g_autoptr (GstBuffer) buffer = NULL;
  GstClockTime duration;

  fixture_set_size (f, 32, 32);
  push_bytes_segment (f);
  push_at (f, 7 * GST_SECOND);
  buffer = fixture_pull (f);
  g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, 7 * GST_SECOND);
  g_assert_cmpuint (get_counted (f, &duration), ==, 7 * GST_SECOND + GST_SECOND / 30);
}

static void
test_without_a_rate_only_the_first_frame_has_a_time (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, NULL);
  GstClockTime duration;

  gst_harness_set_src_caps_str (
      f->harness, "video/x-raw,format=RGB,width=32,height=32,framerate=0/1");
  push_bytes_segment (f);
  g_assert_cmpuint (get_counted (f, &duration), ==, 0);
  g_assert_cmpuint (duration, ==, GST_CLOCK_TIME_NONE);
  g_assert_cmpuint (get_counted (f, &duration), ==, GST_CLOCK_TIME_NONE);
}

static void
test_counting_goes_on_where_the_rate_changes (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, NULL);
  g_autoptr (GstCaps) caps =
      gst_caps_from_string ("video/x-raw,format=RGB,width=32,height=32,framerate=60/1");
  GstClockTime duration;

  fixture_set_size (f, 32, 32);
  push_bytes_segment (f);
  check_counted (f, 0, 30);
  fixture_push_event (f, gst_event_new_caps (caps));
  g_assert_cmpuint (get_counted (f, &duration), ==, GST_SECOND);
  g_assert_cmpuint (duration, ==, GST_SECOND / 60);
  g_assert_cmpuint (get_counted (f, &duration), ==, GST_SECOND + GST_SECOND / 60);
}

/* As a file does. */
static GstPadProbeReturn
know_only_bytes (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);

  if (GST_QUERY_TYPE (query) == GST_QUERY_POSITION)
    return GST_PAD_PROBE_DROP;
  if (GST_QUERY_TYPE (query) != GST_QUERY_SEGMENT)
    return GST_PAD_PROBE_OK;
  gst_query_set_segment (query, 1, GST_FORMAT_BYTES, 0, 1000);
  return GST_PAD_PROBE_HANDLED;
}

static gboolean
is_in_time (GstPad *pad)
{
  g_autoptr (GstQuery) query = gst_query_new_segment (GST_FORMAT_TIME);
  GstFormat format;

  g_assert_true (gst_pad_peer_query (pad, query));
  gst_query_parse_segment (query, NULL, &format, NULL, NULL);
  return format == GST_FORMAT_TIME;
}

/* A muxer hands such queries on to here. */
static void
test_position_and_segment_are_in_time_where_upstream_counts_bytes (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, NULL);
  g_autoptr (GstQuery) query = gst_query_new_segment (GST_FORMAT_TIME);
  GstPad *pad = f->harness->sinkpad;
  GstFormat format;
  gint64 position;

  gst_pad_add_probe (
      f->harness->srcpad, GST_PAD_PROBE_TYPE_QUERY_UPSTREAM, know_only_bytes, NULL, NULL);
  fixture_set_size (f, 32, 32);
  push_bytes_segment (f);
  g_assert_false (gst_pad_peer_query_position (pad, GST_FORMAT_TIME, &position));
  g_assert_true (gst_pad_peer_query (pad, query)); /* nothing is known but what upstream says */
  gst_query_parse_segment (query, NULL, &format, NULL, NULL);
  g_assert_cmpint (format, ==, GST_FORMAT_BYTES);
  check_counted (f, 0, 5);
  WAIT_UNTIL (f->element, gst_pad_peer_query_position (pad, GST_FORMAT_TIME, &position) &&
                              position == (gint64) gst_util_uint64_scale (4, GST_SECOND, 30));
  g_assert_false (gst_pad_peer_query_position (pad, GST_FORMAT_BYTES, &position));
  g_assert_true (gst_pad_peer_query (pad, query));
  gst_query_parse_segment (query, NULL, &format, &position, NULL);
  g_assert_cmpint (format, ==, GST_FORMAT_TIME);
  g_assert_cmpint (position, ==, 0);
  fixture_flush (f);
  WAIT_UNTIL (f->element, is_in_time (pad)); /* the segment of what follows went out */
  g_assert_false (gst_pad_peer_query_position (pad, GST_FORMAT_TIME, &position));
}

/* ---- the LATENCY query ---- */

#define ROUNDS 3000

/* As cameras with few buffers do. */
static GstPadProbeReturn
hold_little (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);

  if (GST_QUERY_TYPE (query) != GST_QUERY_LATENCY)
    return GST_PAD_PROBE_OK;
  gst_query_set_latency (query, TRUE, GST_SECOND / 30, GST_SECOND / 10);
  return GST_PAD_PROBE_HANDLED;
}

typedef struct {
  GstPad *pad;
  gint over; /* nothing more is to be asked */
} Asker;

static gpointer
ask_for_latency (gpointer data)
{
  Asker *asker = data;
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  GstClockTime most;

  while (!g_atomic_int_get (&asker->over)) {
    g_assert_true (gst_pad_peer_query (asker->pad, query));
    gst_query_parse_latency (query, NULL, NULL, &most);
    g_assert_cmpuint (most, >=, GST_SECOND / 10);
  }
  return NULL;
}

/* The room of frames that pass is as long as their caps say, which upstream changes meanwhile. */
static void
test_latency_may_be_asked_for_while_caps_change (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "enabled=false");
  Asker asker = { f->harness->sinkpad, FALSE };
  GThread *thread;

  gst_pad_add_probe (
      f->harness->srcpad, GST_PAD_PROBE_TYPE_QUERY_UPSTREAM, hold_little, NULL, NULL);
  fixture_set_size (f, 32, 32);
  thread = g_thread_new ("asker", ask_for_latency, &asker);
  for (guint i = 0; i < ROUNDS; i++)
    fixture_set_size (f, 32 + i % 2 * 32, 32);
  g_atomic_int_set (&asker.over, TRUE);
  g_thread_join (thread);
}

/* ---- the LATENCY event ---- */

static void
test_the_pipelines_latency_goes_on_to_upstream (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, NULL);
  g_autoptr (GstEvent) event = NULL;
  GstClockTime latency;

  fixture_set_size (f, 32, 32);
  while ((event = gst_harness_try_pull_upstream_event (f->harness)))
    gst_clear_event (&event);
  gst_harness_push_upstream_event (f->harness, gst_event_new_latency (123));
  do {
    gst_clear_event (&event);
    event = gst_harness_pull_upstream_event (f->harness);
    g_assert_nonnull (event);
  } while (GST_EVENT_TYPE (event) != GST_EVENT_LATENCY);
  gst_event_parse_latency (event, &latency);
  g_assert_cmpuint (latency, ==, 123);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
#define ADD(name) g_test_add_func ("/sinks-that-wait/" #name, test_##name)
  ADD (counting_goes_on_where_the_rate_changes);
  ADD (position_and_segment_are_in_time_where_upstream_counts_bytes);
  ADD (latency_may_be_asked_for_while_caps_change);
  ADD (results_are_asked_for_while_a_sink_has_others_wait);
  ADD (frames_that_pass_are_all_shown);
  ADD (a_fallback_moves_on_while_a_sink_has_others_wait);
  ADD (with_a_delay_that_is_found_results_keep_the_distance_of_their_frames);
  ADD (an_arrival_is_less_upstreams_latency);
  ADD (a_frame_with_a_time_has_a_result_with_a_time);
  ADD (a_muxer_takes_results_of_a_pad_with_an_offset);
  ADD (a_result_of_a_pause_has_the_time_of_the_pause);
  ADD (a_result_before_it_plays_has_its_frames_time);
  ADD (a_result_that_waits_has_the_time_of_its_reception);
  ADD (ages_and_the_promise_leave_out_the_wait_for_downstream);
  ADD (time_goes_back_where_that_of_the_frames_does);
  ADD (arrivals_go_on_where_the_frames_time_goes_back);
  ADD (quality_of_service_does_not_hold_up_time_that_went_back);
  ADD (frames_of_a_segment_in_bytes_are_counted);
  ADD (a_time_in_a_segment_in_bytes_stays);
  ADD (without_a_rate_only_the_first_frame_has_a_time);
  ADD (the_pipelines_latency_goes_on_to_upstream);
  return fixture_run ();
}
