/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is shown while no result comes. */
#include "fal/image/encoder.h"
#include "fixture.h"
#include <string.h>

#define SIZE 32
#define FRAME 0x204060
#define RESULT 0xdfbf9f /* inverted */
#define BLACK 0x000000

typedef struct {
  Fixture *f;
  guint pushed;
  GstClockTime last; /* time of the last buffer that came out */
  gint width, height;
  GBytes *jpeg; /* each frame, as the camera encodes it; NULL: frames are raw */
} Stream;

/* A live stream of frames by the wall clock. */
static Stream *
stream_new (const FalServerOptions *options, const gchar *properties)
{
  Stream *s = g_new0 (Stream, 1);

  s->f = fixture_new_live (options, properties);
  s->last = GST_CLOCK_TIME_NONE;
  gst_harness_use_systemclock (s->f->harness);
  fixture_set_size (s->f, SIZE, SIZE);
  return s;
}

static void
stream_free (Stream *s)
{
  fixture_free (s->f);
  g_clear_pointer (&s->jpeg, g_bytes_unref);
  g_free (s);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Stream, stream_free)

static void
push_frame (Stream *s)
{
  GstBuffer *buffer = s->jpeg ? gst_buffer_new_wrapped_bytes (s->jpeg)
                              : fixture_frame (SIZE, SIZE, FRAME, s->pushed++);

  GST_BUFFER_PTS (buffer) = gst_element_get_current_running_time (s->f->element);
  fixture_push (s->f, buffer);
}

/* Whether there is a buffer, which *@buffer becomes. */
static gboolean
try_pull (Stream *s, GstBuffer **buffer)
{
  return (*buffer = gst_harness_try_pull (s->f->harness)) != NULL;
}

/* The next buffer, with frames coming in meanwhile. */
static GstBuffer *
pull_while_frames_come (Stream *s)
{
  GstBuffer *buffer;

  REPEAT_UNTIL (s->f->element, try_pull (s, &buffer), push_frame (s));
  if (GST_CLOCK_TIME_IS_VALID (s->last))
    g_assert_cmpuint (GST_BUFFER_PTS (buffer), >=, s->last);
  s->last = GST_BUFFER_PTS (buffer);
  return buffer;
}

static gboolean
is_near (guint colour, guint wanted)
{
  for (guint shift = 0; shift < 24; shift += 8)
    if (ABS ((gint) (colour >> shift & 0xff) - (gint) (wanted >> shift & 0xff)) > 8)
      return FALSE;
  return TRUE;
}

static void
check_size (Stream *s)
{
  g_autoptr (GstCaps) caps = fixture_get_caps (s->f);
  const GstStructure *structure = gst_caps_get_structure (caps, 0);
  gint width = 0, height = 0;

  gst_structure_get_int (structure, "width", &width);
  gst_structure_get_int (structure, "height", &height);
  g_assert_cmpint (width, ==, s->width);
  g_assert_cmpint (height, ==, s->height);
}

/* Whether the next picture has this colour; it is of the size that is expected. */
static gboolean
pull_colour (Stream *s, guint colour)
{
  g_autoptr (GstBuffer) buffer = pull_while_frames_come (s);

  check_size (s);
  return is_near (fixture_colour (s->f, buffer), colour);
}

/* Until the pictures have this colour. */
static void
wait_for_colour (Stream *s, guint colour)
{
  WAIT_UNTIL (s->f->element, pull_colour (s, colour));
}

/* The next @n pictures have this colour. */
static void
expect_colour (Stream *s, guint colour, guint n)
{
  while (n-- > 0) {
    g_autoptr (GstBuffer) buffer = pull_while_frames_come (s);

    assert_colour (fixture_colour (s->f, buffer), colour, 8);
    check_size (s);
  }
}

typedef struct {
  const gchar *name, *fallback;
  guint shown, first; /* colour in an outage, and before the first result */
} Row;

static const Row rows[] = {
  { "last", "last", RESULT, BLACK },
  { "passthrough", "passthrough", FRAME, FRAME },
  { "black", "black", BLACK, BLACK },
};

static gchar *
describe (const Row *row, const gchar *mode, const gchar *more)
{
  return g_strdup_printf ("fallback=%s fallback-timeout=60 width=48 height=40 fit=stretch "
                          "timestamp-mode=%s retry-delay=10 max-retry-delay=20 retries=10000 "
                          "request-timeout=60000 %s",
      row->fallback, mode, more);
}

/* The model goes silent, and comes back. */
static void
check_silence (const Row *row, const gchar *mode)
{
  g_autofree gchar *properties = describe (row, mode, "");
  g_autoptr (Stream) s = stream_new (NULL, properties);
  guint64 filled;

  s->width = 48;
  s->height = 40;
  wait_for_colour (s, RESULT);
  fal_server_set_mute (s->f->server, TRUE);
  for (filled = 0; filled < 5; filled = fixture_stat (s->f, "frames-filled"))
    gst_buffer_unref (pull_while_frames_come (s));
  while (gst_harness_buffers_in_queue (s->f->harness) > 0)
    gst_buffer_unref (pull_while_frames_come (s));
  expect_colour (s, row->shown, 10);
  fal_server_set_mute (s->f->server, FALSE);
  g_signal_emit_by_name (s->f->element, "reconnect"); /* what was swallowed stays unanswered */
  if (row->shown != RESULT)
    wait_for_colour (s, RESULT);
  filled = fixture_stat (s->f, "results");
  while (fixture_stat (s->f, "results") < filled + 3)
    gst_buffer_unref (pull_while_frames_come (s));
  g_assert_cmpuint (fixture_stat (s->f, "frames-out"), >, fixture_stat (s->f, "frames-filled") + 1);
}

static void
test_silence (gconstpointer data)
{
  check_silence (data, "arrival");
  check_silence (data, "input");
}

/* The server is not there at first. */
static void
test_before_the_first_result (gconstpointer data)
{
  const Row *row = data;
  g_autofree gchar *properties = describe (row, "arrival", "");
  g_autoptr (Stream) s = stream_new (NULL, properties);

  s->width = 48;
  s->height = 40;
  fal_server_set_refusal (s->f->server, 503);
  expect_colour (s, row->first, 5);
  g_assert_cmpuint (fixture_stat (s->f, "results"), ==, 0);
  fal_server_set_refusal (s->f->server, 0);
  wait_for_colour (s, RESULT);
}

static GBytes *
make_jpeg (gint width, gint height, guint colour)
{
  g_autofree gchar *text =
      g_strdup_printf ("video/x-raw,format=RGB,width=%d,height=%d", width, height);
  g_autoptr (GstCaps) caps = gst_caps_from_string (text);
  g_autoptr (GstBuffer) buffer = fixture_frame (width, height, colour, 0);
  g_autoptr (GstSample) sample = gst_sample_new (buffer, caps, NULL, NULL);
  g_autoptr (FalEncoder) encoder = fal_encoder_new ();
  const FalEncoderConfig config = { .quality = 95 };
  const gchar *media_type;

  return fal_encoder_encode (encoder, sample, &config, &media_type, NULL, NULL);
}

/* The model answers each request with this picture. */
static void
set_result (Stream *s, GBytes *jpeg)
{
  g_autofree gchar *base64 =
      g_base64_encode (g_bytes_get_data (jpeg, NULL), g_bytes_get_size (jpeg));
  g_autofree gchar *text =
      g_strdup_printf ("{\"images\":[{\"url\":\"data:image/jpeg;base64,%s\"}]}", base64);
  g_autoptr (GBytes) answer = g_bytes_new (text, strlen (text));

  fal_server_set_answer (s->f->server, answer, TRUE);
}

/* A camera of 32 × 32 that writes JPEGs, which are sent as they are, and a model that makes 48 × 40
 * of them: all that is shown has that size, from the first picture on. */
static void
test_an_encoding_camera (gconstpointer data)
{
  const Row *row = data;
  g_autofree gchar *properties = describe (row, "arrival", "");
  g_autoptr (Stream) s = stream_new (NULL, properties);
  g_autoptr (GBytes) result = make_jpeg (48, 40, RESULT);
  guint64 filled;

  s->width = 48;
  s->height = 40;
  s->jpeg = make_jpeg (SIZE, SIZE, FRAME);
  gst_harness_set_sink_caps_str (s->f->harness, "video/x-raw");
  gst_harness_set_src_caps_str (s->f->harness, "image/jpeg,width=32,height=32,framerate=30/1");
  fal_server_set_refusal (s->f->server, 503);
  expect_colour (s, row->first, 5);
  set_result (s, result);
  fal_server_set_refusal (s->f->server, 0);
  wait_for_colour (s, RESULT);
  fal_server_set_mute (s->f->server, TRUE);
  filled = fixture_stat (s->f, "frames-filled");
  while (fixture_stat (s->f, "frames-filled") < filled + 5)
    g_assert_true (pull_colour (s, RESULT) || row->shown != RESULT);
  while (gst_harness_buffers_in_queue (s->f->harness) > 0)
    g_assert_true (pull_colour (s, RESULT) || row->shown != RESULT);
  expect_colour (s, row->shown, 10);
}

/* Where downstream wants pictures as they are, it gets pictures. */
static void
test_undecoded (gconstpointer data)
{
  const Row *row = data;
  g_autofree gchar *properties = describe (row, "arrival", "");
  g_autoptr (Stream) s = stream_new (NULL, properties);
  g_autoptr (GstBuffer) buffer = NULL;
  guint8 start[2] = { 0 };

  gst_harness_set_sink_caps_str (s->f->harness, "image/jpeg");
  fal_server_set_refusal (s->f->server, 503);
  buffer = pull_while_frames_come (s);
  gst_buffer_extract (buffer, 0, start, 2);
  g_assert_cmphex (start[0] << 8 | start[1], ==, 0xffd8);
}

/* A fallback takes nothing from results that come in time, even if they take a while. */
static void
test_a_slow_model_is_no_outage (void)
{
  const FalServerOptions options = { .delay_ms = 100 };
  g_autoptr (Stream) s =
      stream_new (&options, "fallback=black fallback-timeout=2000 timestamp-mode=arrival");

  s->width = s->height = SIZE;
  expect_colour (s, RESULT, 8);
  g_assert_cmpuint (fixture_stat (s->f, "frames-filled"), ==, 0);
}

/* In sync, results of the newest frames are still taken: what fills the time stays behind them. */
static void
test_a_result_within_latency_is_not_overtaken (void)
{
  const FalServerOptions options = { .delay_ms = 150 };
  g_autoptr (Stream) s = stream_new (&options, "fallback=black fallback-timeout=50 latency=600");
  TimeLimit *watch = time_limit_begin ();
  gint64 delayed;

  s->width = s->height = SIZE;
  wait_for_colour (s, RESULT);
  while (fixture_stat (s->f, "results") < 8)
    gst_buffer_unref (pull_while_frames_come (s));
  time_limit_end (watch, &delayed);
  if (delayed < (600 - 150) * G_TIME_SPAN_MILLISECOND) /* else the machine may be what was late */
    g_assert_cmpuint (fixture_stat (s->f, "results-late"), ==, 0);
}

/* Where no frame is lost time waits, too. */
static void
test_a_file_has_no_outage (void)
{
  const FalServerOptions options = { .delay_ms = 200 };
  g_autoptr (Fixture) f = fixture_new (&options, "fallback=black fallback-timeout=20");

  fixture_set_size (f, SIZE, SIZE);
  for (guint n = 0; n < 3; n++) {
    g_autoptr (GstBuffer) buffer = NULL;

    fixture_push (f, fixture_frame (SIZE, SIZE, FRAME, n));
    buffer = fixture_pull (f);
    assert_colour (fixture_colour (f, buffer), RESULT, 8);
  }
  g_assert_cmpuint (fixture_stat (f, "frames-filled"), ==, 0);
}

static void
drop_buffers (Stream *s)
{
  GstBuffer *buffer;

  while ((buffer = gst_harness_try_pull (s->f->harness))) {
    s->last = GST_BUFFER_PTS (buffer);
    gst_buffer_unref (buffer);
  }
}

/* Whether there is a gap among the events that came, which *@gap becomes. */
static gboolean
try_pull_gap (Stream *s, GstEvent **gap)
{
  while ((*gap = gst_harness_try_pull_event (s->f->harness)) != NULL) {
    if (GST_EVENT_TYPE (*gap) == GST_EVENT_GAP)
      return TRUE;
    gst_event_unref (*gap);
  }
  return FALSE;
}

/* Without a fallback downstream hears that nothing comes, in one piece. */
static void
test_none_is_a_row_of_gaps (void)
{
  g_autoptr (Stream) s = stream_new (NULL, "timestamp-mode=arrival request-timeout=60000");
  GstClockTime end = 0, time, duration;

  s->width = s->height = SIZE;
  wait_for_colour (s, RESULT);
  fal_server_set_mute (s->f->server, TRUE);
  for (guint gaps = 0; gaps < 2; gaps++) {
    g_autoptr (GstEvent) event = NULL;

    REPEAT_UNTIL (s->f->element, try_pull_gap (s, &event), push_frame (s));
    if (gaps == 0)
      drop_buffers (s); /* one may have been answered just before */
    gst_event_parse_gap (event, &time, &duration);
    if (gaps > 0)
      g_assert_cmpuint (time, ==, end);
    else
      g_assert_cmpuint (time, >=, s->last);
    g_assert_cmpuint (duration, >=, 500 * GST_MSECOND);
    end = time + duration;
  }
  fal_server_set_mute (s->f->server, FALSE);
  g_signal_emit_by_name (s->f->element, "reconnect");
  s->last = end;
  gst_buffer_unref (pull_while_frames_come (s)); /* not before the end of the gap */
}

/* What came before the outage comes out before what is shown in it. */
static void
test_events_do_not_wait_for_results_that_do_not_come (void)
{
  g_autoptr (Stream) s = stream_new (
      NULL, "fallback=black fallback-timeout=60 timestamp-mode=arrival request-timeout=60000");
  GstStructure *mark = gst_structure_new_empty ("mark");
  gboolean found = FALSE;

  s->width = s->height = SIZE;
  wait_for_colour (s, RESULT);
  fal_server_set_mute (s->f->server, TRUE);
  push_frame (s);
  WAIT_UNTIL (s->f->element, fixture_stat (s->f, "in-flight") > 0);
  gst_harness_push_event (s->f->harness, gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM, mark));
  wait_for_colour (s, BLACK);
  while (!found) {
    g_autoptr (GstEvent) event = gst_harness_pull_event (s->f->harness);

    g_assert_nonnull (event);
    found = gst_event_has_name (event, "mark");
  }
}

/* What a virtual camera or an encoder needs: pictures at one rate, whatever the model does. */
static void
test_the_rate_stays_constant (void)
{
  g_autoptr (FalServer) server = fixture_start_server (NULL);
  g_autofree gchar *description = g_strdup_printf (
      "videotestsrc is-live=true ! video/x-raw,width=64,height=64,framerate=30/1 ! "
      "falrealtimefilter name=fal app=local/app base-uri=%s auth=none throttle-interval=0 "
      "fallback=last fallback-timeout=100 retry-delay=10 ! videorate ! "
      "video/x-raw,framerate=30/1 ! appsink name=sink sync=true",
      fal_server_get_uri (server));
  g_autoptr (GstElement) pipeline = gst_parse_launch (description, NULL);
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  GstClockTime last = GST_CLOCK_TIME_NONE;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (guint n = 0; n < 75; n++) {
    g_autoptr (GstSample) sample = NULL;
    GstClockTime time;

    if (n == 15) {
      fal_server_set_refusal (server, 503);
      fal_server_close (server, 0, NULL);
    }
    if (n == 60)
      fal_server_set_refusal (server, 0);
    g_signal_emit_by_name (sink, "try-pull-sample", WATCHDOG_SECONDS * GST_SECOND, &sample);
    g_assert_nonnull (sample);
    time = GST_BUFFER_PTS (gst_sample_get_buffer (sample));
    if (GST_CLOCK_TIME_IS_VALID (last))
      g_assert_cmpuint ((time - last + GST_MSECOND) / GST_MSECOND, <=, 34);
    /* The outage of a second and a half was no hole: the last picture is from just now. */
    g_assert_cmpuint (
        gst_element_get_current_running_time (pipeline), <, time + PATIENCE * GST_SECOND);
    last = time;
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    static const struct {
      const gchar *name;
      GTestDataFunc function;
    } kinds[] = {
      { "silence", test_silence },
      { "before-the-first-result", test_before_the_first_result },
      { "an-encoding-camera", test_an_encoding_camera },
      { "undecoded", test_undecoded },
    };

    for (guint k = 0; k < G_N_ELEMENTS (kinds); k++) {
      g_autofree gchar *path = g_strdup_printf ("/fallback/%s/%s", kinds[k].name, rows[i].name);

      g_test_add_data_func (path, &rows[i], kinds[k].function);
    }
  }
#define ADD(name) g_test_add_func ("/fallback/" #name, test_##name)
  ADD (a_slow_model_is_no_outage);
  ADD (a_result_within_latency_is_not_overtaken);
  ADD (a_file_has_no_outage);
  ADD (none_is_a_row_of_gaps);
  ADD (events_do_not_wait_for_results_that_do_not_come);
  ADD (the_rate_stays_constant);
  return fixture_run ();
}
