/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Results laid on the frames that they answer, and every frame of a camera with what lies between
 * two of them. The model finds what is light: a square that moves, so that a result that lies on
 * another frame than its own is seen. */
#include "../server/result-message.h"
#include "moving-square.h"
#include "output-log.h"
#include "pipeline-fixture.h"

#define SIZE 128
#define MATTE "composite=matte-over background=" SQUARE_BACKGROUND " "
#define ALL MATTE "composite-frames=all "
#define IN_PLACE 0.99
/* A JPEG of black and white is as good as exact, and so are two of them blended. */
#define LEVELS 3

typedef struct {
  Fixture *f;
  MovingSquare square;
  guint newest; /* frame of the camera */
} Harness;

static void
set_size (Harness *h, gint size)
{
  moving_square_init (&h->square, size, size);
  gst_harness_set_src_caps (h->f->harness, moving_square_get_caps (&h->square));
}

static Harness
make (gboolean live, const FalServerOptions *options, const gchar *properties)
{
  FalServerOptions all = options ? *options : (FalServerOptions) { 0 };
  Harness h;

  if (all.effect == NULL)
    all.effect = "mask";
  h.f = live ? fixture_new_live (&all, properties) : fixture_new (&all, properties);
  set_size (&h, SIZE);
  return h;
}

static void
push (Harness *h, guint n)
{
  fixture_push (h->f, moving_square_frame (&h->square, n));
}

static gboolean
is_own (GstBuffer *buffer)
{
  return gst_buffer_get_custom_meta (buffer, "GstFalResultMeta") != NULL;
}

static void
expect_in_place (Harness *h, guint n, GstBuffer *buffer)
{
  g_assert_cmpuint (moving_square_number (buffer), ==, n);
  g_assert_cmpfloat (moving_square_measure (&h->square, n, buffer), >=, IN_PLACE);
}

static void
pull_in_place (Harness *h, guint n)
{
  g_autoptr (GstBuffer) buffer = fixture_pull (h->f);

  g_assert_true (is_own (buffer));
  expect_in_place (h, n, buffer);
}

/* ---- results ---- */

static void
test_a_result_lies_on_the_frame_that_it_answers (void)
{
  FalServerOptions options = { .delay_ms = 15, .jitter_percent = 80 };
  Harness h = make (FALSE, &options, MATTE);

  for (guint n = 0; n < 12; n++)
    push (&h, n);
  for (guint n = 0; n < 12; n++)
    pull_in_place (&h, n);
  fixture_wait_for_stat (h.f, "frames-held", 0);
  fixture_free (h.f);
}

/* As from a camera in full HD, whose frames are sent small and square. */
static void
test_a_small_matte_has_its_edges_where_a_large_frame_has_them (void)
{
  Harness h = make (FALSE, NULL, MATTE "width=512 height=512 fit=stretch");

  moving_square_init (&h.square, 1920, 1080);
  gst_harness_set_src_caps (h.f->harness, moving_square_get_caps (&h.square));
  for (guint n = 0; n < 4; n++) {
    push (&h, n);
    pull_in_place (&h, n);
  }
  fixture_free (h.f);
}

static void
test_a_composite_has_the_caps_of_the_frames (void)
{
  Harness h = make (TRUE, NULL, MATTE "width=64 height=64");
  g_autoptr (GstCaps) wanted = moving_square_get_caps (&h.square);
  g_autoptr (GstCaps) caps = NULL;

  push (&h, 0);
  gst_buffer_unref (fixture_pull (h.f));
  caps = fixture_get_caps (h.f);
  g_assert_true (gst_caps_is_equal (caps, wanted));
  fixture_free (h.f);
}

/* Only the middle of a wide frame is sent. */
static void
test_pixels_outside_of_what_was_sent_stay_as_they_were (void)
{
  FalServerOptions options = { .effect = "invert" };
  Harness h = make (FALSE, &options, "composite=over width=64 height=64 fit=crop");
  g_autoptr (GstBuffer) frame = NULL, buffer = NULL;
  GstMapInfo before, after;

  moving_square_init (&h.square, 2 * SIZE, SIZE);
  gst_harness_set_src_caps (h.f->harness, moving_square_get_caps (&h.square));
  frame = moving_square_frame (&h.square, 0);
  push (&h, 0);
  buffer = fixture_pull (h.f);
  g_assert_true (gst_buffer_map (frame, &before, GST_MAP_READ));
  g_assert_true (gst_buffer_map (buffer, &after, GST_MAP_READ));
  for (guint y = 0; y < SIZE; y++)
    for (guint x = 0; x < 2 * SIZE; x++) {
      gboolean outside = x < SIZE / 2 || x >= 3 * SIZE / 2;
      gsize at = 4 * (y * 2 * SIZE + x);

      if (outside != (memcmp (before.data + at, after.data + at, 3) == 0))
        g_error ("pixel %u,%u is wrong", x, y);
    }
  gst_buffer_unmap (frame, &before);
  gst_buffer_unmap (buffer, &after);
  fixture_free (h.f);
}

static void
test_a_matte_becomes_the_alpha_where_downstream_takes_one (void)
{
  Harness h = make (FALSE, NULL, "composite=matte");
  g_autoptr (GstBuffer) buffer = NULL;
  g_autoptr (GstCaps) caps = NULL;
  GstVideoInfo info;
  GstVideoFrame frame;
  gint left, top, side;

  push (&h, 3);
  buffer = fixture_pull (h.f);
  caps = fixture_get_caps (h.f);
  g_assert_true (gst_video_info_from_caps (&info, caps));
  g_assert_true (GST_VIDEO_INFO_HAS_ALPHA (&info));
  g_assert_true (gst_video_frame_map (&frame, &info, buffer, GST_MAP_READ));
  moving_square_find (&h.square, 3, &left, &top, &side);
  for (gint x = 0; x < SIZE; x++) {
    const guint8 *alpha = GST_VIDEO_FRAME_COMP_DATA (&frame, 3);
    gboolean inside = x >= left && x < left + side;

    alpha += (top + side / 2) * GST_VIDEO_FRAME_COMP_STRIDE (&frame, 3);
    alpha += x * GST_VIDEO_FRAME_COMP_PSTRIDE (&frame, 3);
    g_assert_cmpint (ABS (*alpha - (inside ? 255 : 0)), <=, LEVELS);
  }
  gst_video_frame_unmap (&frame);
  fixture_free (h.f);
}

static GstBuffer *
take_jpeg (Fixture *f, guint n)
{
  g_autoptr (FalReceivedRequest) received = fal_server_pop_received (f->server, 20000);
  const GValue *picture = gst_structure_get_value (received->request, "image_bytes");
  GBytes *bytes = g_value_get_boxed (picture);
  GstBuffer *buffer = gst_buffer_new_wrapped_bytes (bytes);

  GST_BUFFER_PTS (buffer) = gst_util_uint64_scale (n, GST_SECOND, 30);
  return buffer;
}

/* The JPEG of a frame is what the element itself makes of it. */
static void
test_a_frame_that_comes_as_a_jpeg_is_decoded_for_it (void)
{
  Harness h = make (FALSE, NULL, MATTE);
  g_autoptr (GstBuffer) jpeg = NULL;

  push (&h, 2);
  pull_in_place (&h, 2);
  jpeg = take_jpeg (h.f, 3);
  gst_harness_set_sink_caps_str (h.f->harness, "video/x-raw,format=RGBx");
  gst_harness_set_src_caps_str (h.f->harness, "image/jpeg,width=128,height=128,framerate=30/1");
  fixture_push (h.f, gst_buffer_copy (jpeg));
  {
    g_autoptr (GstBuffer) buffer = fixture_pull (h.f);

    g_assert_cmpuint (moving_square_number (buffer), ==, 3);
    g_assert_cmpfloat (moving_square_measure (&h.square, 2, buffer), >=, IN_PLACE);
  }
  fixture_free (h.f);
}

static void
test_what_upstream_attached_stays (void)
{
  Harness h = make (FALSE, NULL, MATTE);
  GstBuffer *frame = moving_square_frame (&h.square, 0);
  g_autoptr (GstBuffer) buffer = NULL;
  GstVideoRegionOfInterestMeta *region;

  gst_buffer_add_video_region_of_interest_meta (frame, "face", 10, 20, 30, 40);
  fixture_push (h.f, frame);
  buffer = fixture_pull (h.f);
  region = gst_buffer_get_video_region_of_interest_meta_id (buffer, 0);
  g_assert_nonnull (region);
  g_assert_cmpuint (region->x, ==, 10);
  g_assert_cmpuint (region->h, ==, 40);
  g_assert_true (is_own (buffer));
  fixture_free (h.f);
}

/* ---- every frame ---- */

/* What came out up to the end of the stream. */
typedef struct {
  GPtrArray *buffers;
  guint own, between, older;
} Output;

static Output
collect (Harness *h)
{
  Output output = { g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref), 0, 0, 0 };
  GstBuffer *buffer;

  fixture_wait_for_end (h->f);
  while ((buffer = gst_harness_try_pull (h->f->harness)))
    g_ptr_array_add (output.buffers, buffer);
  return output;
}

/* The nearest one in direction @step that has a result of its own; -1: there is none. */
static gint
find_own (const Output *output, gint i, gint step)
{
  for (; i >= 0 && i < (gint) output->buffers->len; i += step)
    if (is_own (output->buffers->pdata[i]))
      return i;
  return -1;
}

static guint
get_weight (guint before, guint n, guint after)
{
  return (256 * (n - before) + (after - before) / 2) / (after - before);
}

static gboolean
shows (Harness *h, GstBuffer *buffer, guint before, guint after, guint weight)
{
  guint n = moving_square_number (buffer);

  return moving_square_compare (&h->square, n, before, after, weight, buffer) <= LEVELS;
}

/* A camera's frame may have gone before its result came, which then serves those that follow. */
static gboolean
shows_an_older_one (Harness *h, GstBuffer *buffer, gint after)
{
  guint n = moving_square_number (buffer);

  for (guint before = n; before-- > 0;)
    if (shows (h, buffer, before, before, 0) ||
        (after >= 0 && shows (h, buffer, before, after, get_weight (before, n, after))))
      return TRUE;
  return FALSE;
}

/* One without a result of its own: what lies between those beside it; before the first and behind
 * the last one that one's. @live: or what there was. */
static void
check_between (Harness *h, Output *output, guint i, gboolean live)
{
  GstBuffer *buffer = output->buffers->pdata[i];
  gint before = find_own (output, i, -1), after = find_own (output, i, 1);
  guint n = moving_square_number (buffer), first, last;

  first = moving_square_number (output->buffers->pdata[before >= 0 ? before : after]);
  last = moving_square_number (output->buffers->pdata[after >= 0 ? after : before]);
  if (shows (h, buffer, first, last, first < last ? get_weight (first, n, last) : 0)) {
    output->between += first < last;
    return;
  }
  if (!live)
    g_error ("frame %u does not lie between %u and %u", n, first, last);
  g_assert_true (shows_an_older_one (h, buffer, after >= 0 ? (gint) last : -1));
  output->older++;
}

static void
check_output (Harness *h, Output *output, gboolean live)
{
  for (guint i = 0; i < output->buffers->len; i++) {
    GstBuffer *buffer = output->buffers->pdata[i];

    if (is_own (buffer)) {
      expect_in_place (h, moving_square_number (buffer), buffer);
      output->own++;
    } else {
      check_between (h, output, i, live);
    }
  }
}

static void
clear_output (Output *output)
{
  g_ptr_array_unref (output->buffers);
}

/* Numbers @first to @last, each once. */
static void
expect_numbers (const Output *output, guint first, guint last)
{
  g_assert_cmpuint (output->buffers->len, ==, last - first + 1);
  for (guint i = 0; i < output->buffers->len; i++)
    g_assert_cmpuint (moving_square_number (output->buffers->pdata[i]), ==, first + i);
}

/* In a file whose frames drop nothing has its time over: so each has what it is to have. */
static void
test_a_frame_between_two_results_gets_what_lies_between (void)
{
  FalServerOptions options = { .delay_ms = 20, .jitter_percent = 50 };
  Harness h = make (FALSE, &options, ALL "leaky=downstream max-in-flight=1");
  Output output;

  for (guint n = 0; n < 60; n++) {
    push (&h, n);
    pace_for (4 * G_TIME_SPAN_MILLISECOND);
  }
  fixture_push_end (h.f);
  output = collect (&h);
  expect_numbers (&output, 0, 59);
  check_output (&h, &output, FALSE);
  g_assert_cmpuint (output.own, ==, fixture_stat (h.f, "answered"));
  g_assert_cmpuint (output.own, >=, 2);
  g_assert_cmpuint (output.between, >=, 1);
  g_assert_cmpuint (output.own + fixture_stat (h.f, "frames-between"), ==, 60);
  g_assert_cmpuint (fixture_stat (h.f, "frames-held"), ==, 0);
  clear_output (&output);
  fixture_free (h.f);
}

static void
test_where_none_is_lost_each_has_its_own (void)
{
  FalServerOptions options = { .delay_ms = 5, .jitter_percent = 80 };
  Harness h = make (FALSE, &options, ALL);
  Output output;

  for (guint n = 0; n < 20; n++)
    push (&h, n);
  fixture_push_end (h.f);
  output = collect (&h);
  expect_numbers (&output, 0, 19);
  check_output (&h, &output, FALSE);
  g_assert_cmpuint (output.own, ==, 20);
  clear_output (&output);
  fixture_free (h.f);
}

/* The server takes requests without an answer for a while. */
static void
test_frames_whose_requests_are_lost_come_out_all_the_same (void)
{
  Harness h = make (FALSE, NULL, ALL "leaky=downstream request-timeout=300 max-in-flight=1");
  Output output;

  push (&h, 0);
  fixture_wait_for_stat (h.f, "answered", 1);
  fal_server_set_mute (h.f->server, TRUE);
  for (guint n = 1; n <= 3; n++) {
    push (&h, n);
    fixture_wait_for_stat (h.f, "expired", n);
  }
  fal_server_set_mute (h.f->server, FALSE);
  push (&h, 4);
  fixture_push_end (h.f);
  output = collect (&h);
  expect_numbers (&output, 0, 4);
  check_output (&h, &output, FALSE);
  g_assert_cmpuint (output.own, ==, 2);
  g_assert_cmpuint (output.between, ==, 3);
  clear_output (&output);
  fixture_free (h.f);
}

/* Its picture cannot be read: it is shown as if it had no result. */
static void
test_a_frame_whose_result_is_broken_comes_out_all_the_same (void)
{
  static const guint8 message[] = "{\"images\":[{\"url\":\"data:image/jpeg;base64,AAAA\"}]}";
  g_autoptr (GBytes) broken = g_bytes_new_static (message, sizeof message - 1);
  Harness h = make (FALSE, NULL, ALL "request-id=never");
  Output output;

  push (&h, 0);
  fixture_wait_for_stat (h.f, "answered", 1);
  fal_server_set_answer (h.f->server, broken, TRUE);
  push (&h, 1);
  fixture_wait_for_stat (h.f, "answered", 2);
  fal_server_set_answer (h.f->server, NULL, TRUE);
  push (&h, 2);
  fixture_push_end (h.f);
  output = collect (&h);
  expect_numbers (&output, 0, 2);
  expect_in_place (&h, 0, output.buffers->pdata[0]);
  g_assert_cmpuint (
      moving_square_compare (&h.square, 1, 0, 0, 0, output.buffers->pdata[1]), <=, LEVELS);
  expect_in_place (&h, 2, output.buffers->pdata[2]);
  g_assert_cmpuint (fixture_stat (h.f, "results-invalid"), ==, 1);
  clear_output (&output);
  fixture_free (h.f);
}

/* Each frame has a fallback of its own, from the first one on. */
static void
test_in_an_outage_every_frame_is_shown_as_the_fallback_says (void)
{
  static const gchar *const modes[] = { "passthrough", "black" };

  for (guint i = 0; i < G_N_ELEMENTS (modes); i++) {
    g_autofree gchar *properties =
        g_strdup_printf (ALL "fallback=%s drain-timeout=1 fallback-timeout=1", modes[i]);
    Harness h = make (TRUE, NULL, properties);

    fal_server_set_mute (h.f->server, TRUE);
    for (guint n = 0; n < 10; n++) {
      g_autoptr (GstBuffer) buffer = NULL;

      push (&h, n);
      buffer = fixture_pull (h.f);
      g_assert_cmpuint (moving_square_number (buffer), ==, n);
      g_assert_cmpint (moving_square_is_frame (&h.square, n, buffer), ==, i == 0);
      if (i == 1)
        assert_colour (fixture_colour (h.f, buffer), 0, LEVELS);
    }
    fixture_wait_for_stat (h.f, "frames-filled", 10);
    g_assert_cmpuint (fixture_stat (h.f, "frames-out"), ==, 10);
    fixture_free (h.f);
  }
}

/* ---- replies in another order ---- */

/* Answers @request with its own picture, which is as good as a matte where all is light or dark. */
static void
reply (Harness *h, const FalReceivedRequest *received)
{
  GBytes *bytes = g_value_get_boxed (gst_structure_get_value (received->request, "image_bytes"));
  FalResultPicture picture = { bytes, "image/jpeg", SIZE, SIZE };
  FalResultParts parts = {
    .schema = fal_schema_find ("turbo"),
    .request = received->request,
    .pictures = &picture,
    .n_pictures = 1,
    .echo = TRUE,
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) message = fal_result_message_new (&parts, &error);

  g_assert_no_error (error);
  fal_server_send (h->f->server, message, FALSE);
}

static void
test_results_that_overtake_each_other_find_their_frames (void)
{
  static const guint order[] = { 2, 0, 3, 1 };
  Harness h = make (FALSE, NULL, ALL "max-in-flight=4 request-id=always");
  FalReceivedRequest *received[4];
  Output output;

  push (&h, 0); /* so that the app is known to echo ids */
  fixture_wait_for_stat (h.f, "answered", 1);
  fal_received_request_free (fal_server_pop_received (h.f->server, 20000));
  fal_server_set_mute (h.f->server, TRUE);
  for (guint n = 0; n < 4; n++) {
    push (&h, 1 + n);
    received[n] = fal_server_pop_received (h.f->server, 20000);
  }
  for (guint i = 0; i < 4; i++)
    reply (&h, received[order[i]]);
  fixture_wait_for_stat (h.f, "answered", 5);
  fixture_push_end (h.f);
  output = collect (&h);
  expect_numbers (&output, 0, 4);
  for (guint i = 0; i < 5; i++) {
    g_assert_true (is_own (output.buffers->pdata[i]));
    expect_in_place (&h, i, output.buffers->pdata[i]);
  }
  for (guint n = 0; n < 4; n++)
    fal_received_request_free (received[n]);
  clear_output (&output);
  fixture_free (h.f);
}

/* An answer that is too late for its own frame is not for the one that follows. */
static void
test_without_a_latency_a_frame_goes_at_once_with_the_newest_result (void)
{
  Harness h = make (TRUE, NULL, ALL "drain-timeout=1");
  g_autoptr (GstBuffer) buffer = NULL;

  gst_harness_set_time (h.f->harness, GST_SECOND); /* so that no frame is to be shown later */
  for (guint n = 0; n < 2; n++) {
    push (&h, n);
    fixture_wait_for_stat (h.f, "answered", n + 1);
  }
  fal_server_set_mute (h.f->server, TRUE);
  push (&h, 2);
  do {
    gst_clear_buffer (&buffer);
    buffer = fixture_pull (h.f);
  } while (moving_square_number (buffer) < 2);
  g_assert_false (is_own (buffer));
  g_assert_cmpuint (moving_square_compare (&h.square, 2, 1, 1, 0, buffer), <=, LEVELS);
  fixture_wait_for_stat (h.f, "frames-held", 0);
  fixture_free (h.f);
}

/* ---- changes in mid-stream ---- */

/* The stream, whose beginning may have gone by before the log was made. */
static void
expect_stream (OutputLog *log, const gchar *wanted)
{
  g_autofree gchar *text = NULL;

  output_log_wait_for (log, "eos", 1);
  text = output_log_dup (log);
  if (!g_str_has_suffix (text, wanted))
    g_error ("\"%s\" should end in \"%s\"", text, wanted);
}

static void
test_frames_of_another_size_come_out_in_theirs (void)
{
  Harness h = make (FALSE, NULL, ALL "leaky=downstream max-in-flight=1");
  OutputLog *log = output_log_new (h.f->harness->sinkpad);
  MovingSquare small = h.square;

  push (&h, 0);
  fixture_wait_for_stat (h.f, "answered", 1);
  for (guint n = 1; n < 4; n++)
    push (&h, n);
  set_size (&h, 2 * SIZE);
  for (guint n = 4; n < 8; n++)
    push (&h, n);
  fixture_push_end (h.f);
  fixture_wait_for_end (h.f);
  for (guint n = 0; n < 8; n++) {
    g_autoptr (GstBuffer) buffer = gst_harness_try_pull (h.f->harness);

    g_assert_nonnull (buffer);
    g_assert_cmpuint (moving_square_number (buffer), ==, n);
    g_assert_cmpuint (
        gst_buffer_get_size (buffer), >=, n < 4 ? small.info.size : h.square.info.size);
    if (is_own (buffer))
      g_assert_cmpfloat (
          moving_square_measure (n < 4 ? &small : &h.square, n, buffer), >=, IN_PLACE);
  }
  expect_stream (log,
      "caps segment frame0! frame1 frame2 frame3 segment caps frame4 frame5 frame6 frame7 eos");
  output_log_free (log);
  fixture_free (h.f);
}

static void
test_after_a_flush_nothing_of_before_comes_out (void)
{
  Harness h = make (FALSE, NULL, ALL "leaky=downstream max-in-flight=1");
  Output output;

  fal_server_set_mute (h.f->server, TRUE);
  for (guint n = 0; n < 4; n++)
    push (&h, n);
  fal_received_request_free (fal_server_pop_received (h.f->server, 20000));
  g_assert_cmpuint (fixture_stat (h.f, "frames-held"), ==, 4);
  fixture_flush (h.f);
  g_assert_cmpuint (fixture_stat (h.f, "frames-held"), ==, 0);
  fal_server_set_mute (h.f->server, FALSE);
  fal_server_close (h.f->server, 1001, "away");
  fixture_wait_for_stat (h.f, "lost", 1);
  push (&h, 10);
  fixture_push_end (h.f);
  output = collect (&h);
  expect_numbers (&output, 10, 10);
  expect_in_place (&h, 10, output.buffers->pdata[0]);
  clear_output (&output);
  fixture_free (h.f);
}

static void
test_events_keep_their_place_among_the_frames (void)
{
  Harness h = make (FALSE, NULL, ALL "leaky=downstream max-in-flight=1");
  OutputLog *log = output_log_new (h.f->harness->sinkpad);

  for (guint n = 0; n < 3; n++)
    push (&h, n);
  fixture_push_event (
      h.f, gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM, gst_structure_new_empty ("mark")));
  for (guint n = 3; n < 6; n++)
    push (&h, n);
  fixture_push_end (h.f);
  expect_stream (log, "caps segment frame0! frame1 frame2 mark frame3 frame4 frame5 eos");
  output_log_free (log);
  fixture_free (h.f);
}

/* Not one caps event more, whatever is switched. */
static void
test_switches_change_no_caps (void)
{
  Harness h = make (TRUE, NULL, MATTE "fallback=passthrough fallback-timeout=1");
  OutputLog *log = output_log_new (h.f->harness->sinkpad);
  static const gchar *const switches[][2] = { { "composite", "over" }, { "enabled", "false" },
    { "enabled", "true" }, { "composite", "matte-over" }, { "composite-frames", "all" },
    { "fallback", "black" }, { "fallback", "last" }, { "background", "blur" } };
  guint n = 0;

  for (guint i = 0; i < G_N_ELEMENTS (switches); i++) {
    guint64 out = fixture_stat (h.f, "frames-out");

    REPEAT_UNTIL (h.f->element, fixture_stat (h.f, "frames-out") > out + 2, push (&h, n++));
    gst_util_set_object_arg (G_OBJECT (h.f->element), switches[i][0], switches[i][1]);
  }
  fal_server_set_mute (h.f->server, TRUE);
  {
    guint64 filled = fixture_stat (h.f, "frames-filled");

    REPEAT_UNTIL (h.f->element, fixture_stat (h.f, "frames-filled") > filled + 2, push (&h, n++));
  }
  g_assert_cmpuint (output_log_count (log, "caps"), ==, 1);
  output_log_free (log);
  fixture_free (h.f);
}

/* ---- a region that moves ---- */

/* A frame whose square a detector has found. */
static void
push_found (Harness *h, guint n)
{
  GstBuffer *frame = moving_square_frame (&h->square, n);
  gint x, y, side;

  moving_square_find (&h->square, n, &x, &y, &side);
  gst_buffer_add_video_region_of_interest_meta (frame, "square", x, y, side, side);
  fixture_push (h->f, frame);
}

/* Frame @n, whose square is dark, as the model makes it, and all else as it was. */
static void
expect_dark_square (Harness *h, guint n, GstBuffer *buffer)
{
  g_autoptr (GstBuffer) frame = moving_square_frame (&h->square, n);
  gint left, top, side;
  GstMapInfo before, after;

  g_assert_cmpuint (moving_square_number (buffer), ==, n);
  moving_square_find (&h->square, n, &left, &top, &side);
  g_assert_true (gst_buffer_map (frame, &before, GST_MAP_READ));
  g_assert_true (gst_buffer_map (buffer, &after, GST_MAP_READ));
  for (gint y = 0; y < SIZE; y++)
    for (gint x = 0; x < SIZE; x++) {
      const guint8 *was = before.data + 4 * (y * SIZE + x), *is = after.data + 4 * (y * SIZE + x);
      gboolean inside = x >= left && x < left + side && y >= top && y < top + side;

      if (inside ? is[0] > 96 : memcmp (was, is, 3) != 0)
        g_error ("frame %u: pixel %d,%d is wrong", n, x, y);
    }
  gst_buffer_unmap (frame, &before);
  gst_buffer_unmap (buffer, &after);
}

static void
test_a_region_that_moves_takes_the_newer_picture_along (void)
{
  FalServerOptions options = { .effect = "invert" };
  Harness h = make (FALSE, &options,
      "composite=over composite-frames=all region=meta leaky=downstream max-in-flight=1");
  Output output;

  push_found (&h, 0);
  fixture_wait_for_stat (h.f, "answered", 1);
  for (guint n = 1; n < 8; n++)
    push_found (&h, n);
  fixture_push_end (h.f);
  output = collect (&h);
  expect_numbers (&output, 0, 7);
  for (guint n = 0; n < 8; n++)
    expect_dark_square (&h, n, output.buffers->pdata[n]);
  clear_output (&output);
  fixture_free (h.f);
}

static void
test_a_frame_without_a_region_goes_by_in_its_place (void)
{
  FalServerOptions options = { .effect = "invert" };
  static const gchar *const frames[] = { "results", "all" };

  for (guint i = 0; i < G_N_ELEMENTS (frames); i++) {
    g_autofree gchar *properties =
        g_strdup_printf ("composite=over composite-frames=%s region=meta", frames[i]);
    Harness h = make (FALSE, &options, properties);
    OutputLog *log = output_log_new (h.f->harness->sinkpad);
    Output output;

    for (guint n = 0; n < 9; n++) {
      if (n % 3 == 1)
        push (&h, n);
      else
        push_found (&h, n);
    }
    fixture_push_end (h.f);
    output = collect (&h);
    expect_numbers (&output, 0, 8);
    for (guint n = 0; n < 9; n++) {
      if (n % 3 == 1)
        g_assert_true (moving_square_is_frame (&h.square, n, output.buffers->pdata[n]));
      else
        expect_dark_square (&h, n, output.buffers->pdata[n]);
    }
    g_assert_cmpuint (fixture_stat (h.f, "frames-passed"), ==, 3);
    g_assert_cmpuint (output_log_count (log, "caps"), ==, 1);
    output_log_free (log);
    clear_output (&output);
    fixture_free (h.f);
  }
}

static void
test_a_frame_of_which_nothing_is_sent_gets_what_lies_between (void)
{
  Harness h = make (FALSE, NULL, ALL "region=meta region-absent=hold");
  Output output;

  for (guint n = 0; n < 7; n++) {
    GstBuffer *frame = moving_square_frame (&h.square, n);

    if (n % 3 == 0)
      gst_buffer_add_video_region_of_interest_meta (frame, "all", 0, 0, SIZE, SIZE);
    fixture_push (h.f, frame);
  }
  fixture_push_end (h.f);
  output = collect (&h);
  expect_numbers (&output, 0, 6);
  check_output (&h, &output, FALSE);
  g_assert_cmpuint (output.own, ==, 3);
  g_assert_cmpuint (output.between, ==, 4);
  g_assert_cmpuint (fixture_stat (h.f, "dropped-absent"), ==, 4);
  clear_output (&output);
  fixture_free (h.f);
}

/* ---- what cannot be ---- */

static void
test_a_background_that_is_no_colour_is_refused (void)
{
  g_autofree gchar *text = take_refusal (
      "falrealtimefilter app=a/b base-uri=ws://127.0.0.1:1 background=\"light green\"");

  assert_says (text, "light green");
  assert_says (text, "#20C040");
  assert_says (text, "blur");
}

static void
test_while_playing_it_is_warned_about (void)
{
  Harness h = make (FALSE, NULL, MATTE);
  g_autofree gchar *text = NULL;

  push (&h, 0);
  pull_in_place (&h, 0);
  g_object_set (h.f->element, "background", "#12345", NULL);
  text = fixture_take_trouble (h.f, GST_MESSAGE_WARNING);
  assert_says (text, "#12345");
  assert_says (text, "The background is black");
  push (&h, 1);
  gst_buffer_unref (fixture_pull (h.f)); /* the stream goes on */
  fixture_free (h.f);
}

/* ---- memory ---- */

/* How many of the frames that were pushed are there still. */
static gint living;

static void
on_gone (gpointer data, GstMiniObject *object)
{
  g_atomic_int_dec_and_test (&living);
}

static void
push_counted (Harness *h, guint n)
{
  GstBuffer *frame = moving_square_frame (&h->square, n);

  g_atomic_int_inc (&living);
  gst_mini_object_weak_ref (GST_MINI_OBJECT (gst_buffer_peek_memory (frame, 0)), on_gone, NULL);
  fixture_push (h->f, frame);
}

/* 64 kB each. @held: in how many frames' memory. */
static gchar *
limit (const gchar *properties, guint held)
{
  return g_strdup_printf ("%s max-held-bytes=%u", properties, held * SIZE * SIZE * 4);
}

/* The model never answers, and frames may wait for long. */
static void
test_frames_that_wait_are_bounded_live (void)
{
  g_autofree gchar *properties = limit (ALL "latency=100000 drain-timeout=1", 8);
  Harness h = make (TRUE, NULL, properties);

  living = 0;
  fal_server_set_mute (h.f->server, TRUE);
  for (guint n = 0; n < 100; n++) {
    push_counted (&h, n);
    g_assert_cmpuint (fixture_stat (h.f, "frames-held"), <=, 8);
  }
  /* Beside these one is encoded, and one is shown in place of others. */
  WAIT_UNTIL (h.f->element, g_atomic_int_get (&living) <= 8 + 2);
  fixture_free (h.f);
  g_assert_cmpint (living, ==, 0);
}

static void
test_frames_that_downstream_does_not_take_are_bounded (void)
{
  g_autofree gchar *properties = limit (ALL "drain-timeout=1", 8);
  g_autofree gchar *warning = NULL;
  Harness h = make (TRUE, NULL, properties);
  gulong block = fixture_block_downstream (h.f);

  living = 0;
  push_counted (&h, 0);
  fixture_wait_for_stat (h.f, "answered", 1);
  REPEAT_UNTIL (h.f->element, fixture_stat (h.f, "frames-in") > 60, {
    push_counted (&h, fixture_stat (h.f, "frames-in"));
    g_assert_cmpuint (fixture_stat (h.f, "frames-held"), <=, 8);
  });
  warning = fixture_take_trouble (h.f, GST_MESSAGE_WARNING);
  assert_says (warning, "no more than 8 of them have room in max-held-bytes. Raise it");
  fixture_expect_no_message (h.f); /* it is told once */
  gst_pad_remove_probe (h.f->harness->sinkpad, block);
  fixture_free (h.f);
  g_assert_cmpint (living, ==, 0);
}

/* Upstream waits, so the test is another thread than it. */
static gpointer
push_sixty (gpointer user)
{
  for (guint n = 0; n < 60; n++)
    push (user, n);
  fixture_push_end (((Harness *) user)->f);
  return NULL;
}

static void
test_where_none_is_lost_upstream_waits_for_room (void)
{
  g_autofree gchar *properties = limit (ALL "leaky=downstream max-in-flight=1", 8);
  FalServerOptions options = { .delay_ms = 5 };
  Harness h = make (FALSE, &options, properties);
  GThread *upstream;
  Output output;

  fal_server_set_mute (h.f->server, TRUE);
  upstream = g_thread_new ("upstream", push_sixty, &h);
  fixture_wait_for_stat (h.f, "frames-held", 8);
  fixture_run_another_stream ();
  g_assert_cmpuint (fixture_stat (h.f, "frames-in"), ==, 8);
  fal_server_set_mute (h.f->server, FALSE);
  g_signal_emit_by_name (h.f->element, "reconnect");
  g_thread_join (upstream);
  output = collect (&h);
  expect_numbers (&output, 0, 59);
  check_output (&h, &output, FALSE);
  clear_output (&output);
  fixture_free (h.f);
}

/* A request waits until the results of others went out. */
static void
test_no_more_requests_go_than_there_is_memory_for (void)
{
  g_autofree gchar *properties = limit (MATTE "max-in-flight=8 max-buffering=8", 3);
  Harness h = make (FALSE, NULL, properties);

  fal_server_set_mute (h.f->server, TRUE);
  for (guint n = 0; n < 8; n++)
    push (&h, n);
  fixture_wait_for_stat (h.f, "in-flight", 3);
  fixture_run_another_stream ();
  g_assert_cmpuint (fixture_stat (h.f, "in-flight"), ==, 3);
  g_assert_cmpuint (fixture_stat (h.f, "frames-held"), ==, 3);
  fal_server_set_mute (h.f->server, FALSE);
  fixture_free (h.f);
}

/* ---- sinks that wait ---- */

#define CAMERA                                                                                     \
  "videotestsrc is-live=true num-buffers=90 pattern=black ! "                                      \
  "video/x-raw,format=RGBx,width=128,height=128,framerate=30/1 ! identity name=source"
#define FILM                                                                                       \
  "videotestsrc num-buffers=40 pattern=black ! "                                                   \
  "video/x-raw,format=RGBx,width=128,height=128,framerate=30/1 ! identity name=source"

static GstPadProbeReturn
paint (GstPad *pad, GstPadProbeInfo *info, gpointer harness)
{
  GstBuffer *buffer = gst_buffer_make_writable (GST_PAD_PROBE_INFO_BUFFER (info));
  Harness *h = harness;

  h->newest = moving_square_number (buffer);
  moving_square_paint (&h->square, h->newest, buffer);
  GST_PAD_PROBE_INFO_DATA (info) = buffer;
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
keep (GstPad *pad, GstPadProbeInfo *info, gpointer buffers)
{
  g_ptr_array_add (buffers, gst_buffer_ref (GST_PAD_PROBE_INFO_BUFFER (info)));
  return GST_PAD_PROBE_OK;
}

/* All that comes out of the element @name of a pipeline from the camera. */
static Output
play (Harness *h, const FalServerOptions *options, const gchar *before, const gchar *properties,
    const gchar *after, const gchar *name)
{
  g_autoptr (Pipeline) p = pipeline_new (options, before, properties, after);
  Output output = { g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref), 0, 0, 0 };

  moving_square_init (&h->square, SIZE, SIZE);
  pipeline_add_probe (p, "source", paint, h);
  pipeline_add_probe (p, name, keep, output.buffers);
  pipeline_play (p);
  return output;
}

static void
test_a_sink_that_waits_shows_each_result_on_its_frame (void)
{
  FalServerOptions options = { .effect = "mask", .delay_ms = 80, .jitter_percent = 50 };
  static const gchar *const rows[] = { "latency=400 ", "latency-mode=auto ", "" };
  Harness h;

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *properties = g_strconcat (MATTE "throttle-interval=0 ", rows[i], NULL);
    Output output = play (&h, &options, CAMERA, properties, "fakesink name=sink sync=true", "fal");

    g_assert_cmpuint (output.buffers->len, >, 5);
    for (guint n = 0; n < output.buffers->len; n++)
      if (i == 0) /* the others have times of their own */
        expect_in_place (
            &h, moving_square_number (output.buffers->pdata[n]), output.buffers->pdata[n]);
    clear_output (&output);
  }
}

/* A busy machine may make some results late: then the frames between hold the last one. */
static void
test_a_sink_that_waits_shows_every_frame_of_a_camera (void)
{
  FalServerOptions options = { .effect = "mask", .delay_ms = 60, .jitter_percent = 50 };
  static const gchar *const rows[] = { "latency=500", "latency-mode=auto" };
  Harness h;

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *properties = g_strconcat (ALL "throttle-interval=100 ", rows[i], NULL);
    Output output = play (&h, &options, CAMERA, properties, "fakesink name=sink sync=true", "fal");
    guint first = moving_square_number (output.buffers->pdata[0]);

    expect_numbers (&output, first, first + output.buffers->len - 1);
    g_assert_cmpuint (
        moving_square_number (output.buffers->pdata[output.buffers->len - 1]), ==, h.newest);
    check_output (&h, &output, TRUE);
    g_assert_cmpuint (output.own, >, 2);
    clear_output (&output);
  }
}

static void
test_a_file_at_its_own_pace (void)
{
  FalServerOptions options = { .effect = "mask", .delay_ms = 5 };
  Harness h;
  Output output =
      play (&h, &options, FILM, ALL "throttle-interval=0", "fakesink name=sink sync=true", "fal");

  expect_numbers (&output, 0, 39);
  check_output (&h, &output, FALSE);
  g_assert_cmpuint (output.own, ==, 40);
  clear_output (&output);
}

/* From the tenth second on, for one second, while frames of before wait. */
static void
test_after_a_seek_each_frame_of_the_new_place_comes_out (void)
{
  FalServerOptions options = { .effect = "mask", .delay_ms = 5 };
  g_autoptr (Pipeline) p = pipeline_new (&options,
      "videotestsrc pattern=black ! video/x-raw,format=RGBx,width=128,height=128,framerate=30/1 ! "
      "identity name=source",
      ALL "throttle-interval=0", "fakesink name=sink sync=false");
  Output output = { g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref), 0, 0, 0 };
  Harness h;

  moving_square_init (&h.square, SIZE, SIZE);
  pipeline_add_probe (p, "source", paint, &h);
  pipeline_add_probe (p, "fal", keep, output.buffers);
  gst_element_set_state (p->pipeline, GST_STATE_PLAYING);
  WAIT_UNTIL (p->filter, pipeline_stat (p, "frames-out") > 5);
  g_assert_true (gst_element_seek (p->pipeline, 1, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH,
      GST_SEEK_TYPE_SET, 10 * GST_SECOND, GST_SEEK_TYPE_SET, 11 * GST_SECOND));
  pipeline_wait_for_end (p);
  while (moving_square_number (output.buffers->pdata[0]) < 300)
    g_ptr_array_remove_index (output.buffers, 0);
  expect_numbers (&output, 300, 329);
  check_output (&h, &output, FALSE);
  g_assert_cmpuint (output.own, ==, 30);
  clear_output (&output);
}

/* What one does without a composite: the result over whatever frame is there when it comes. The
 * square is where it was, and not where that frame's is. On its own frame the same result passes.
 */
static void
test_a_mixer_beside_the_element_fails_this_test (void)
{
  FalServerOptions options = { .effect = "mask", .delay_ms = 80 };
  g_autoptr (GstElementFactory) factory = gst_element_factory_find ("compositor");
  Harness h;
  Output output;
  guint in_place = 0;

  if (factory == NULL) {
    g_test_skip ("there is no compositor");
    return;
  }
  h = make (FALSE, NULL, "");
  push (&h, 5);
  pull_in_place (&h, 5);
  fixture_free (h.f);
  output = play (&h, &options, CAMERA " ! tee name=tee ! queue", "throttle-interval=0",
      "videoconvert ! mixer. tee. ! queue ! mixer. "
      "compositor name=mixer sink_0::zorder=2 sink_1::zorder=1 ! "
      "video/x-raw,format=RGBx ! fakesink name=sink sync=true",
      "mixer");
  g_assert_cmpuint (output.buffers->len, >, 5);
  for (guint i = 0; i < output.buffers->len; i++) {
    GstBuffer *buffer = output.buffers->pdata[i];

    in_place +=
        moving_square_measure (&h.square, moving_square_number (buffer), buffer) >= IN_PLACE;
  }
  g_assert_cmpuint (in_place, <, output.buffers->len / 2);
  clear_output (&output);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
#define ADD(name) g_test_add_func ("/composite/" #name, test_##name)
  ADD (a_result_lies_on_the_frame_that_it_answers);
  ADD (a_small_matte_has_its_edges_where_a_large_frame_has_them);
  ADD (a_composite_has_the_caps_of_the_frames);
  ADD (pixels_outside_of_what_was_sent_stay_as_they_were);
  ADD (a_matte_becomes_the_alpha_where_downstream_takes_one);
  ADD (a_frame_that_comes_as_a_jpeg_is_decoded_for_it);
  ADD (what_upstream_attached_stays);
  ADD (a_frame_between_two_results_gets_what_lies_between);
  ADD (where_none_is_lost_each_has_its_own);
  ADD (frames_whose_requests_are_lost_come_out_all_the_same);
  ADD (a_frame_whose_result_is_broken_comes_out_all_the_same);
  ADD (in_an_outage_every_frame_is_shown_as_the_fallback_says);
  ADD (without_a_latency_a_frame_goes_at_once_with_the_newest_result);
  ADD (results_that_overtake_each_other_find_their_frames);
  ADD (frames_of_another_size_come_out_in_theirs);
  ADD (after_a_flush_nothing_of_before_comes_out);
  ADD (events_keep_their_place_among_the_frames);
  ADD (switches_change_no_caps);
  ADD (a_region_that_moves_takes_the_newer_picture_along);
  ADD (a_frame_without_a_region_goes_by_in_its_place);
  ADD (a_frame_of_which_nothing_is_sent_gets_what_lies_between);
  ADD (a_background_that_is_no_colour_is_refused);
  ADD (while_playing_it_is_warned_about);
  ADD (frames_that_wait_are_bounded_live);
  ADD (frames_that_downstream_does_not_take_are_bounded);
  ADD (where_none_is_lost_upstream_waits_for_room);
  ADD (no_more_requests_go_than_there_is_memory_for);
  ADD (a_sink_that_waits_shows_each_result_on_its_frame);
  ADD (a_sink_that_waits_shows_every_frame_of_a_camera);
  ADD (a_file_at_its_own_pace);
  ADD (after_a_seek_each_frame_of_the_new_place_comes_out);
  ADD (a_mixer_beside_the_element_fails_this_test);
  return fixture_run ();
}
