/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How results fade into one another at a constant rate. Where the clock is the test's it goes on
 * from tick to tick as the element asks it to. */
#include "pipeline-fixture.h"

#define BLACK 0x000000
#define WHITE 0xffffff
#define START (5 * GST_SECOND)
#define TICK (40 * GST_MSECOND) /* 25 a second */
#define APART 8                 /* ticks between two results */

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

/* The clock goes on to the next moment that the element waits for. */
static void
go_on (Fixture *f)
{
  g_assert_true (gst_harness_crank_single_clock_wait (f->harness));
}

/* How far the newer result has come, as the meta has it; 1 where it is all that is seen. */
static gdouble
get_transition (GstBuffer *buffer)
{
  GstCustomMeta *meta = gst_buffer_get_custom_meta (buffer, "GstFalResultMeta");
  gdouble transition = 1;

  g_assert_nonnull (meta);
  gst_structure_get_double (gst_custom_meta_get_structure (meta), "transition", &transition);
  return transition;
}

/* The next picture, which is that of tick @n: of a grey of @luma, and the newer result is so far.
 */
static void
expect_picture (Fixture *f, guint n, guint luma, gdouble transition, gboolean repeated)
{
  g_autoptr (GstBuffer) buffer = fixture_pull (f);

  g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, START + n * TICK);
  g_assert_cmpint (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP), ==, repeated);
  g_assert_cmpfloat (get_transition (buffer), ==, transition);
  assert_colour (fixture_colour (f, buffer), luma * 0x10101, 2);
}

/* A black result, and ticks until the next one can come: APART of them since it began. */
static void
show_black (Fixture *f)
{
  fixture_push_colour (f, BLACK, 0);
  expect_picture (f, 0, 0, 1, FALSE);
  for (guint i = 1; i <= APART; i++) {
    go_on (f);
    expect_picture (f, i, 0, 1, TRUE);
  }
  fixture_wait_for_stat (f, "frames-repeated", APART); /* counted a moment after it is there */
}

static gdouble
get_last_age (Fixture *f)
{
  g_autoptr (GstStructure) stats = NULL;
  gdouble age;

  g_object_get (f->element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_double (stats, "age-last", &age));
  return age;
}

/* A result of @frame that comes at the time of the tick that was shown last. It gets its time once
 * it is decoded, as its age: the clock is not to go on before. */
static void
bring_frame (Fixture *f, GstBuffer *frame)
{
  gdouble none;

  g_signal_emit_by_name (f->element, "reset-stats");
  none = get_last_age (f);
  fixture_push (f, frame);
  WAIT_UNTIL (f->element, get_last_age (f) != none);
}

static void
bring (Fixture *f, guint colour, guint n)
{
  bring_frame (f, fixture_frame (32, 32, colour, n));
}

/* It comes at tick 8, and is there by tick 16: at the end of tick 15. */
static void
test_a_live_result_is_there_an_interval_after_it_came (void)
{
  g_autoptr (Fixture) f = make_live ("transition=fade");

  show_black (f);
  bring (f, WHITE, 10);
  for (guint i = 2; i <= APART; i++) {
    go_on (f);
    expect_picture (f, APART + i - 1, (255 * i + APART / 2) / APART, (gdouble) i / APART, FALSE);
  }
  go_on (f);
  expect_picture (f, 2 * APART, 255, 1, TRUE);
  fixture_wait_for_stat (f, "frames-repeated", 1);
  g_assert_cmpuint (fixture_stat (f, "frames-out"), ==, APART);
}

static void
count (GstElement *element, GstStructure *result, gpointer data)
{
  g_assert_false (gst_structure_has_field (result, "transition"));
  g_atomic_int_inc ((gint *) data);
}

static void
test_each_result_is_told_of_once (void)
{
  g_autoptr (Fixture) f = make_live ("transition=fade");
  gint told = 0;

  g_signal_connect (f->element, "result", G_CALLBACK (count), &told);
  show_black (f);
  g_assert_cmpint (g_atomic_int_get (&told), ==, 1);
  bring (f, WHITE, 10);
  for (guint i = 1; i <= APART; i++) {
    go_on (f);
    gst_buffer_unref (fixture_pull (f));
    g_assert_cmpint (g_atomic_int_get (&told), ==, 2);
  }
}

static void
test_it_can_be_switched_while_playing (void)
{
  g_autoptr (Fixture) f = make_live ("");

  show_black (f);
  bring (f, WHITE, 10);
  go_on (f);
  expect_picture (f, APART + 1, 255, 1, FALSE);
  g_object_set (f->element, "transition", 1, NULL);
  for (guint i = 2; i <= APART; i++) {
    go_on (f);
    expect_picture (f, APART + i, 255, 1, TRUE);
  }
  bring (f, BLACK, 20);
  go_on (f);
  expect_picture (f, 2 * APART + 1, 255 - 255 * 2 / APART, 2.0 / APART, FALSE);
}

static void
test_another_size_is_a_cut (void)
{
  g_autoptr (Fixture) f = make_live ("transition=fade");
  g_autoptr (GstCaps) caps = NULL;
  gint width;

  show_black (f);
  fixture_set_size (f, 48, 32);
  bring_frame (f, fixture_frame (48, 32, WHITE, 10));
  go_on (f);
  expect_picture (f, APART + 1, 255, 1, FALSE);
  caps = fixture_get_caps (f);
  gst_structure_get_int (gst_caps_get_structure (caps, 0), "width", &width);
  g_assert_cmpint (width, ==, 48);
}

static void
test_the_fallback_is_a_cut (void)
{
  g_autoptr (Fixture) f = make_live ("transition=fade fallback=black fallback-timeout=1000000 "
                                     "drain-timeout=1");

  fal_server_set_mute (f->server, TRUE);
  fixture_push_colour (f, WHITE, 0);
  for (guint i = 0; i < APART; i++) {
    g_autoptr (GstBuffer) buffer = fixture_pull (f);

    assert_colour (fixture_colour (f, buffer), BLACK, 2);
    go_on (f);
  }
  fal_server_set_mute (f->server, FALSE);
  fixture_push_colour (f, WHITE, 10);
  WAIT_UNTIL (f->element, fixture_stat (f, "results") > 0); /* or both, where the first was late */
  for (guint colour = BLACK; colour != WHITE;) {
    g_autoptr (GstBuffer) buffer = fixture_pull (f);

    colour = fixture_colour (f, buffer) > 0x7f7f7f ? WHITE : BLACK;
    assert_colour (fixture_colour (f, buffer), colour, 2);
    go_on (f);
  }
}

/* A picture that travels on as it came, and a format in which samples share bytes. */
static void
test_what_cannot_fade_is_a_cut_and_told_of_once (void)
{
  static const gchar *const out[][2] = { { "image/jpeg", "image/jpeg" },
    { "video/x-raw,format=RGB16", "RGB16" } };

  for (guint i = 0; i < G_N_ELEMENTS (out); i++) {
    g_autoptr (Fixture) f = make_live ("transition=fade");
    g_autoptr (GstMessage) message = NULL;
    g_autoptr (GError) advice = NULL;

    gst_harness_set_sink_caps_str (f->harness, out[i][0]);
    for (guint n = 0; n < 3; n++) {
      g_autoptr (GstBuffer) buffer = NULL;

      bring (f, n % 2 ? WHITE : BLACK, n);
      if (n > 0)
        go_on (f);
      buffer = fixture_pull (f);
      g_assert_cmpfloat (get_transition (buffer), ==, 1);
    }
    message = fixture_wait_for_message (f, GST_MESSAGE_INFO);
    gst_message_parse_info (message, &advice, NULL);
    assert_says (advice->message, out[i][1]);
    assert_says (advice->message, "do not fade");
    g_assert_null (gst_bus_pop_filtered (f->bus, GST_MESSAGE_INFO));
  }
}

/* ---- files ---- */

/* At 120 pictures a second there are three between two frames of 30, and each frame's own is
 * whole. */
static void
test_in_a_file_each_result_is_whole_at_its_time (void)
{
  FalServerOptions options = { .effect = "echo" };
  g_autoptr (Fixture) f = fixture_new (&options, "output-framerate=120/1 transition=fade");
  const guint n = 10;

  fixture_set_size (f, 32, 32);
  for (guint i = 0; i < n; i++)
    fixture_push_colour (f, i % 2 ? WHITE : BLACK, i);
  fixture_push_end (f);
  for (guint i = 0; i < 4 * n; i++) {
    g_autoptr (GstBuffer) buffer = fixture_pull (f);
    guint step = i < 4 * (n - 1) ? i % 4 : 0;
    guint luma = i / 4 % 2 ? 255 - 64 * step : 64 * step;

    g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, gst_util_uint64_scale (i, GST_SECOND, 120));
    g_assert_cmpfloat_with_epsilon (get_transition (buffer), step > 0 ? step / 4.0 : 1, 0.01);
    assert_colour (fixture_colour (f, buffer), luma * 0x10101, 3);
  }
  fixture_wait_for_end (f);
}

/* ---- whole pipelines ---- */

/* A camera that sees it get lighter, frame by frame. */
static GstPadProbeReturn
shine (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstBuffer *buffer = info->data = gst_buffer_make_writable (info->data);

  gst_buffer_memset (buffer, 0, 2 * GST_BUFFER_OFFSET (buffer), -1);
  return GST_PAD_PROBE_OK;
}

/* A picture that came out. */
typedef struct {
  GstClockTime pts;
  guint8 luma;
  gdouble transition;
  gint64 result; /* when it was received, which tells one from another */
} Picture;

static GstPadProbeReturn
note_picture (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  GstCustomMeta *meta = gst_buffer_get_custom_meta (buffer, "GstFalResultMeta");
  Picture picture = { GST_BUFFER_PTS (buffer), 0, get_transition (buffer), 0 };

  gst_buffer_extract (buffer, 0, &picture.luma, 1);
  gst_structure_get_int64 (gst_custom_meta_get_structure (meta), "received", &picture.result);
  g_array_append_val ((GArray *) data, picture);
  return GST_PAD_PROBE_OK;
}

/* Of a result: when it was seen first, and when nothing else was. */
typedef struct {
  GstClockTime first, whole; /* PTS; NONE: never */
} Sight;

static GArray *
find_sights (const GArray *pictures)
{
  GArray *sights = g_array_new (FALSE, FALSE, sizeof (Sight));
  gint64 result = 0;

  for (guint i = 0; i < pictures->len; i++) {
    const Picture *picture = &g_array_index (pictures, Picture, i);
    Sight *sight, begun = { picture->pts, GST_CLOCK_TIME_NONE };

    if (i == 0 || picture->result != result)
      g_array_append_val (sights, begun);
    result = picture->result;
    sight = &g_array_index (sights, Sight, sights->len - 1);
    if (picture->transition == 1 && !GST_CLOCK_TIME_IS_VALID (sight->whole))
      sight->whole = picture->pts;
  }
  return sights;
}

/* How many of the pictures are means of two; all get lighter. */
static guint
check_lumas (const GArray *pictures)
{
  guint means = 0;

  for (guint i = 0; i < pictures->len; i++) {
    const Picture *picture = &g_array_index (pictures, Picture, i);

    means += picture->transition < 1;
    if (i > 0)
      g_assert_cmpuint (picture->luma, >=, (picture - 1)->luma);
  }
  return means;
}

/* A result is seen at the first tick after its time, so its interval is known to a tick. */
static guint
check_sights (const GArray *sights)
{
  guint checked = 0;

  for (guint i = 1; i < sights->len; i++) {
    const Sight *sight = &g_array_index (sights, Sight, i);
    GstClockTime interval = sight->first - (sight - 1)->first + GST_SECOND / 30;

    if (!GST_CLOCK_TIME_IS_VALID (sight->whole))
      continue;
    checked++;
    if (sight->whole > sight->first + interval)
      g_error ("result %u was first seen at %" GST_TIME_FORMAT
               ", and whole only at %" GST_TIME_FORMAT,
          i, GST_TIME_ARGS (sight->first), GST_TIME_ARGS (sight->whole));
  }
  return checked;
}

static void
test_a_live_stream_gets_lighter_without_a_step_back (void)
{
  static const gchar *const rows[] = { "", "latency=400", "latency-mode=auto" };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    FalServerOptions options = { .effect = "echo", .delay_ms = 200 };
    g_autofree gchar *properties =
        g_strdup_printf ("output-framerate=30/1 transition=fade throttle-interval=0 %s", rows[i]);
    g_autoptr (Pipeline) p = pipeline_new (&options,
        "videotestsrc name=camera is-live=true num-buffers=100 ! "
        "video/x-raw,format=GRAY8,width=64,height=64,framerate=30/1",
        properties, "video/x-raw,format=RGB ! fakesink name=sink sync=true");
    g_autoptr (GArray) pictures = g_array_new (FALSE, FALSE, sizeof (Picture));
    g_autoptr (GArray) sights = NULL;

    pipeline_add_probe (p, "camera", shine, NULL);
    pipeline_add_probe (p, "fal", note_picture, pictures);
    pipeline_play (p);
    sights = find_sights (pictures);
    g_test_message ("%s: %u pictures of %u results", rows[i], pictures->len, sights->len);
    g_assert_cmpuint (check_lumas (pictures), >, 0);
    g_assert_cmpuint (check_sights (sights), >, 0);
  }
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
#define ADD(name) g_test_add_func ("/transition/" #name, test_##name)
  ADD (a_live_result_is_there_an_interval_after_it_came);
  ADD (each_result_is_told_of_once);
  ADD (it_can_be_switched_while_playing);
  ADD (another_size_is_a_cut);
  ADD (the_fallback_is_a_cut);
  ADD (what_cannot_fade_is_a_cut_and_told_of_once);
  ADD (in_a_file_each_result_is_whole_at_its_time);
  ADD (a_live_stream_gets_lighter_without_a_step_back);
  return fixture_run ();
}
