/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures at a constant rate: their times, what each shows, and that nothing holds them up. The
 * clock of the test goes on from tick to tick as the element asks it to. */
#include "pipeline-fixture.h"
#include <gst/check/gsttestclock.h>

#define RED 0xff0000
#define BLUE 0x0000ff
#define START (5 * GST_SECOND)
#define TICK (40 * GST_MSECOND) /* 25 a second */

static Fixture *
make_live (const gchar *properties)
{
  FalServerOptions options = { .effect = "echo" };
  g_autofree gchar *all = g_strdup_printf ("output-framerate=25/1 %s", properties);
  Fixture *f = fixture_new_live (&options, all);

  gst_harness_set_time (f->harness, START);
  fixture_set_size (f, 32, 32);
  return f;
}

static gboolean
is_repeated (GstBuffer *buffer)
{
  GstCustomMeta *meta = gst_buffer_get_custom_meta (buffer, "GstFalResultMeta");
  gboolean repeated = FALSE, gap = GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP);

  if (meta == NULL)
    return gap;
  gst_structure_get_boolean (gst_custom_meta_get_structure (meta), "repeated", &repeated);
  g_assert_cmpint (gap, ==, repeated);
  return repeated;
}

/* The next picture, which is that of tick @n, in this colour. */
static void
expect_picture (Fixture *f, guint n, guint colour, gboolean repeated)
{
  g_autoptr (GstBuffer) buffer = fixture_pull (f);

  g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, START + n * TICK);
  g_assert_cmpuint (GST_BUFFER_DURATION (buffer), ==, TICK);
  g_assert_cmpint (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT), ==, n == 0);
  g_assert_cmpint (is_repeated (buffer), ==, repeated);
  assert_colour (fixture_colour (f, buffer), colour, 8);
}

/* The clock goes on to the next moment that the element waits for. */
static void
go_on (Fixture *f)
{
  g_assert_true (gst_harness_crank_single_clock_wait (f->harness));
}

static void
test_pictures_come_at_the_rate_whatever_the_model_does (void)
{
  g_autoptr (Fixture) f = make_live ("");

  fixture_push_colour (f, RED, 0);
  expect_picture (f, 0, RED, FALSE);
  for (guint i = 1; i < 100; i++) {
    go_on (f);
    expect_picture (f, i, RED, TRUE);
  }
  fixture_wait_for_stat (f, "frames-repeated", 99);
  g_assert_cmpuint (fixture_stat (f, "frames-out"), ==, 100);
  fixture_push_colour (f, BLUE, 150);
  fixture_wait_for_stat (f, "results", 2);
  for (guint i = 100;; i++) {
    g_autoptr (GstBuffer) buffer = NULL;

    go_on (f);
    buffer = fixture_pull (f);
    g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, START + i * TICK);
    if (!is_repeated (buffer)) {
      assert_colour (fixture_colour (f, buffer), BLUE, 8);
      break;
    }
    g_assert_cmpuint (i, <, 105);
  }
}

static void
test_the_caps_name_the_rate (void)
{
  g_autoptr (Fixture) f = make_live ("");
  g_autoptr (GstCaps) caps = NULL;
  gint n = 0, d = 0;

  fixture_push_colour (f, RED, 0);
  expect_picture (f, 0, RED, FALSE);
  caps = fixture_get_caps (f);
  g_assert_true (
      gst_structure_get_fraction (gst_caps_get_structure (caps, 0), "framerate", &n, &d));
  g_assert_cmpint (n, ==, 25);
  g_assert_cmpint (d, ==, 1);
  g_assert_false (gst_structure_has_field (gst_caps_get_structure (caps, 0), "max-framerate"));
}

/* The server never answers. */
static void
test_the_fallback_is_shown_from_the_first_moment_on (void)
{
  static const struct {
    const gchar *mode;
    guint colour;
  } rows[] = { { "black", 0 }, { "last", 0 }, { "passthrough", RED } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *properties =
        g_strdup_printf ("fallback=%s fallback-timeout=1000000 drain-timeout=1", rows[i].mode);
    g_autoptr (Fixture) f = make_live (properties);

    fal_server_set_mute (f->server, TRUE);
    fixture_push_colour (f, RED, 0);
    expect_picture (f, 0, rows[i].colour, FALSE);
    for (guint n = 1; n < 20; n++) {
      go_on (f);
      expect_picture (f, n, rows[i].colour, TRUE);
    }
    g_assert_cmpuint (fixture_stat (f, "results"), ==, 0);
  }
}

static void
test_an_outage_holds_nothing_up (void)
{
  g_autoptr (Fixture) f = make_live ("retry-delay=1");

  fixture_push_colour (f, RED, 0);
  expect_picture (f, 0, RED, FALSE);
  fal_server_close (f->server, 1011, "gone");
  WAIT_UNTIL (f->element, g_strcmp0 (fixture_get_state (f), "connected") != 0);
  for (guint i = 1; i < 50; i++) {
    go_on (f);
    expect_picture (f, i, RED, TRUE);
  }
  gst_message_unref (fixture_wait_for_message (f, GST_MESSAGE_WARNING));
}

static void
test_frames_that_pass_come_at_the_rate_too (void)
{
  g_autoptr (Fixture) f = make_live ("enabled=false");
  g_autoptr (GstBuffer) first = NULL;
  GstClockTime begin;

  fixture_push_colour (f, RED, 0);
  first = fixture_pull (f);
  begin = GST_BUFFER_PTS (first);
  for (guint i = 1; i < 10; i++) {
    g_autoptr (GstBuffer) buffer = fixture_pull (f); /* all of them are due at START */

    g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, begin + i * TICK);
    g_assert_true (is_repeated (buffer));
  }
}

/* Running time stands still in a pause, and so does the rate. */
static void
test_a_pause_is_no_part_of_it (void)
{
  g_autoptr (Fixture) f = make_live ("");
  GstTestClock *clock = gst_harness_get_testclock (f->harness);

  fixture_push_colour (f, RED, 0);
  expect_picture (f, 0, RED, FALSE);
  go_on (f);
  expect_picture (f, 1, RED, TRUE);
  gst_element_set_state (f->element, GST_STATE_PAUSED);
  WAIT_UNTIL (f->element, gst_test_clock_peek_id_count (clock) == 0);
  gst_element_set_state (f->element, GST_STATE_PLAYING);
  go_on (f);
  expect_picture (f, 2, RED, TRUE);
  gst_object_unref (clock);
}

static void
test_a_flush_begins_anew (void)
{
  g_autoptr (Fixture) f = make_live ("");
  g_autoptr (GstBuffer) buffer = NULL;

  fixture_push_colour (f, RED, 0);
  expect_picture (f, 0, RED, FALSE);
  go_on (f);
  expect_picture (f, 1, RED, TRUE);
  fixture_flush (f);
  gst_harness_set_time (f->harness, START + GST_SECOND);
  fixture_push_colour (f, BLUE, 30);
  buffer = fixture_pull (f);
  g_assert_false (is_repeated (buffer));
  g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, START + GST_SECOND);
  g_assert_true (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT));
  assert_colour (fixture_colour (f, buffer), BLUE, 8);
}

static void
test_another_rate_goes_on_where_the_one_before_was (void)
{
  g_autoptr (Fixture) f = make_live ("");
  g_autoptr (GstBuffer) one = NULL;
  g_autoptr (GstBuffer) other = NULL;

  fixture_push_colour (f, RED, 0);
  expect_picture (f, 0, RED, FALSE);
  g_object_set (f->element, "output-framerate", 50, 1, NULL);
  go_on (f);
  one = fixture_pull (f);
  g_assert_cmpuint (GST_BUFFER_PTS (one), ==, START + TICK);
  go_on (f);
  other = fixture_pull (f);
  g_assert_cmpuint (GST_BUFFER_PTS (other), ==, START + TICK + TICK / 2);
}

/* ---- files ---- */

/* @n frames, each of its own colour, at 30 a second. */
static void
push_file (Fixture *f, guint n)
{
  fixture_set_size (f, 32, 32);
  for (guint i = 0; i < n; i++)
    fixture_push_colour (f, i % 2 ? RED : BLUE, i);
  fixture_push_end (f);
}

/* What is shown at a tick is the result of the frame in whose span it is. */
static void
test_a_file_shows_each_result_for_its_span (void)
{
  static const struct {
    const gchar *rate;
    guint n, d;
  } rows[] = { { "60/1", 60, 1 }, { "30/1", 30, 1 }, { "25/1", 25, 1 },
    { "30000/1001", 30000, 1001 }, { "7/1", 7, 1 } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *properties = g_strdup_printf ("output-framerate=%s", rows[i].rate);
    FalServerOptions options = { .effect = "echo" };
    g_autoptr (Fixture) f = fixture_new (&options, properties);
    GstClockTime end = 20 * GST_SECOND / 30, time = 0;

    push_file (f, 20);
    for (guint k = 0; time < end - GST_MSECOND; k++) {
      g_autoptr (GstBuffer) buffer = fixture_pull (f);
      guint frame = (time * 30 + GST_MSECOND) / GST_SECOND;

      g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, time);
      assert_colour (fixture_colour (f, buffer), frame % 2 ? RED : BLUE, 8);
      time = gst_util_uint64_scale (k + 1, GST_SECOND * rows[i].d, rows[i].n);
      g_assert_cmpuint (GST_BUFFER_PTS (buffer) + GST_BUFFER_DURATION (buffer), ==, time);
    }
    fixture_wait_for_end (f);
    g_assert_null (gst_harness_try_pull (f->harness));
  }
}

static void
test_a_file_without_durations_shows_the_last_result_once (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, "output-framerate=30/1");
  GstBuffer *frame = fixture_frame (32, 32, RED, 0);

  GST_BUFFER_DURATION (frame) = GST_CLOCK_TIME_NONE;
  fixture_set_size (f, 32, 32);
  fixture_push (f, frame);
  fixture_push_end (f);
  gst_buffer_unref (fixture_pull (f));
  fixture_wait_for_end (f);
  g_assert_null (gst_harness_try_pull (f->harness));
}

/* ---- the property ---- */

static gboolean
is_allowed (gint n, gint d)
{
  g_autoptr (GstElement) element = gst_element_factory_make ("falrealtimefilter", NULL);
  GParamSpec *spec =
      g_object_class_find_property (G_OBJECT_GET_CLASS (element), "output-framerate");
  g_auto (GValue) value = G_VALUE_INIT;

  gst_object_ref_sink (element);
  g_value_init (&value, GST_TYPE_FRACTION);
  gst_value_set_fraction (&value, n, d);
  return !g_param_value_validate (spec, &value);
}

static void
test_a_rate_that_cannot_be_is_refused (void)
{
  g_assert_true (is_allowed (0, 1));
  g_assert_true (is_allowed (30000, 1001));
  g_assert_true (is_allowed (1, 60));
  g_assert_true (is_allowed (240, 1));
  g_assert_false (is_allowed (-1, 1));
  g_assert_false (is_allowed (1000, 1));
}

/* ---- whole pipelines ---- */

typedef struct {
  GstClockTime last;
  guint n;
} Spacing;

static GstPadProbeReturn
check_spacing (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstClockTime pts = GST_BUFFER_PTS (GST_PAD_PROBE_INFO_BUFFER (info));
  Spacing *spacing = data;

  if (spacing->n++ > 0) {
    g_assert_cmpuint (pts - spacing->last, >=, GST_SECOND / 30);
    g_assert_cmpuint (pts - spacing->last, <=, GST_SECOND / 30 + 1);
  }
  spacing->last = pts;
  return GST_PAD_PROBE_OK;
}

/* A slow model and a camera of two seconds. Whether the sink showed all of it. */
static gboolean
shows_all (const gchar *properties, const gchar *after)
{
  FalServerOptions options = { .delay_ms = 120 };
  g_autofree gchar *all = g_strdup_printf ("output-framerate=30/1 fallback=black %s", properties);
  g_autoptr (Pipeline) p = pipeline_new (&options,
      "videotestsrc is-live=true num-buffers=60 ! video/x-raw,width=64,height=64,framerate=30/1",
      all, after);
  Spacing spacing = { 0 };
  guint64 rendered;

  pipeline_add_probe (p, "fal", check_spacing, &spacing);
  pipeline_play (p);
  rendered = pipeline_count_shown (p);
  g_assert_cmpuint (pipeline_stat (p, "frames-out"), ==, spacing.n);
  g_test_message ("%" G_GUINT64_FORMAT " of %u shown", rendered, spacing.n);
  return rendered == spacing.n && spacing.n >= 45;
}

static void
test_sinks_show_every_picture (void)
{
#define SINK "fakesink name=sink sync=true qos=true max-lateness=20000000"
  static const gchar *const rows[][2] = {
    { "", SINK },
    { "", "videoconvert ! queue ! " SINK },
    { "", SINK PIPELINE_BRANCH },
    { "latency=300", SINK },
    { "latency-mode=auto", SINK },
    { "latency-mode=auto", SINK PIPELINE_BRANCH },
    { "", "video/x-raw,framerate=30/1 ! " SINK },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    EXPECT_IN_A_RUN (shows_all (rows[i][0], rows[i][1]));
}

/* ---- with a delay that is found ---- */

#define MOST_FRAMES 120

typedef struct {
  gint64 came[MOST_FRAMES]; /* monotonic µs; written by the camera's thread */
  GstClockTime times[MOST_FRAMES];
  gint n; /* atomic */
  guint results, in_time;
} Film;

static GstPadProbeReturn
note_frame (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Film *film = data;

  g_assert_cmpint (film->n, <, MOST_FRAMES);
  film->came[film->n] = g_get_monotonic_time ();
  film->times[film->n] = GST_BUFFER_PTS (GST_PAD_PROBE_INFO_BUFFER (info));
  g_atomic_int_inc (&film->n);
  return GST_PAD_PROBE_OK;
}

/* The time of the frame that a result is of: the newest one that had come when it was sent. */
static GstClockTime
get_frame_time (Film *film, GstBuffer *buffer)
{
  GstCustomMeta *meta = gst_buffer_get_custom_meta (buffer, "GstFalResultMeta");
  gint64 sent = 0;
  gint n = g_atomic_int_get (&film->n);

  g_assert_nonnull (meta);
  g_assert_true (gst_structure_get_int64 (gst_custom_meta_get_structure (meta), "sent", &sent));
  while (n > 1 && film->came[n - 1] > sent)
    n--;
  return film->times[n - 1];
}

/* From the second second on: a result is first shown at the tick that follows its frame's time. */
static GstPadProbeReturn
note_picture (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  Film *film = data;

  if (is_repeated (buffer) || gst_buffer_get_custom_meta (buffer, "GstFalResultMeta") == NULL ||
      GST_BUFFER_PTS (buffer) < film->times[0] + 3 * GST_SECOND / 2)
    return GST_PAD_PROBE_OK;
  film->results++;
  film->in_time += GST_BUFFER_PTS (buffer) < get_frame_time (film, buffer) + GST_SECOND / 30 + 1;
  return GST_PAD_PROBE_OK;
}

/* A model that takes 60 to 140 ms. Whether a sink that waits shows nearly all results so; a machine
 * that stands still may delay some of them. */
static gboolean
shows_results_evenly (const gchar *properties)
{
  FalServerOptions options = { .delay_ms = 100, .jitter_percent = 40 };
  g_autoptr (Pipeline) p = pipeline_new (&options,
      "videotestsrc is-live=true num-buffers=100 ! video/x-raw,width=64,height=64,framerate=30/1 ! "
      "identity name=source",
      properties, "fakesink name=sink sync=true");
  Film film = { .n = 0 };
  Spacing spacing = { 0 };

  pipeline_add_probe (p, "source", note_frame, &film);
  pipeline_add_probe (p, "fal", check_spacing, &spacing);
  pipeline_add_probe (p, "fal", note_picture, &film);
  pipeline_play (p);
  g_test_message ("%u of %u results in time", film.in_time, film.results);
  return film.results > 5 && film.in_time >= film.results - film.results / 10;
}

static void
test_with_a_delay_that_is_found_results_keep_the_distance_of_their_frames (void)
{
  EXPECT_IN_A_RUN (shows_results_evenly (
      "output-framerate=30/1 latency-mode=auto throttle-interval=0 fallback=black"));
  g_assert_false (
      shows_results_evenly ("output-framerate=30/1 throttle-interval=0 fallback=black"));
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
#define ADD(name) g_test_add_func ("/output-framerate/" #name, test_##name)
  ADD (pictures_come_at_the_rate_whatever_the_model_does);
  ADD (the_caps_name_the_rate);
  ADD (the_fallback_is_shown_from_the_first_moment_on);
  ADD (an_outage_holds_nothing_up);
  ADD (frames_that_pass_come_at_the_rate_too);
  ADD (a_pause_is_no_part_of_it);
  ADD (a_flush_begins_anew);
  ADD (another_rate_goes_on_where_the_one_before_was);
  ADD (a_file_shows_each_result_for_its_span);
  ADD (a_file_without_durations_shows_the_last_result_once);
  ADD (a_rate_that_cannot_be_is_refused);
  ADD (sinks_show_every_picture);
  ADD (with_a_delay_that_is_found_results_keep_the_distance_of_their_frames);
  return fixture_run ();
}
