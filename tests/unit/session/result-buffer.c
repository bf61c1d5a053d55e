/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Results become buffers: their times, what is said of them, and gaps. */
#include "fal/session/result-buffer.h"

#include <gio/gio.h>

#define MS GST_MSECOND
#define NONE GST_CLOCK_TIME_NONE

static GBytes *picture; /* a JPEG of 256 × 256 */

typedef struct {
  FalResultBuffer *buffers;
  FalResultBufferConfig config;
  GstClockTime now;      /* running time at which answers come */
  GstClockTime decoding; /* how long that of one takes by the clock */
  GError *error;
} Fixture;

/* Asked before and after a picture is decoded. */
static GstClockTime
get_running_time (gpointer user)
{
  Fixture *f = user;
  GstClockTime now = f->now;

  if (GST_CLOCK_TIME_IS_VALID (now))
    f->now += f->decoding;
  return now;
}

/* Downstream takes JPEG; stamps are the frames'. */
static void
set_up (Fixture *f)
{
  *f = (Fixture){
    .buffers = fal_result_buffer_new (),
    .config = {
      .allowed = gst_caps_from_string ("image/jpeg"),
      .max_pixels = 1 << 20,
      .get_running_time = get_running_time,
      .user = f,
      .mode = FAL_TIMESTAMP_MODE_INPUT,
    },
    .now = NONE,
  };
}

static void
tear_down (Fixture *f)
{
  fal_result_buffer_free (f->buffers);
  gst_caps_unref (f->config.allowed);
  g_clear_error (&f->error);
}

static void
allow (Fixture *f, const gchar *caps)
{
  gst_caps_unref (f->config.allowed);
  f->config.allowed = gst_caps_from_string (caps);
}

static FalFrame *
make_frame (const gchar *caps_text, GstClockTime pts)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new_wrapped_bytes (picture);
  g_autoptr (GstCaps) caps = gst_caps_from_string (caps_text);
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.base = 10000 * MS; /* running time is 10 s ahead */
  GST_BUFFER_PTS (buffer) = pts;
  GST_BUFFER_DURATION (buffer) = 40 * MS;
  return fal_frame_new (gst_sample_new (buffer, caps, &segment, NULL), 0);
}

/* The result of a frame at @pts, number @serial. */
static FalResult *
make_result (FalResultKind kind, guint64 serial, GstClockTime pts)
{
  FalResult *result = g_new0 (FalResult, 1);

  *result = (FalResult){
    .kind = kind,
    .frame = make_frame ("image/jpeg, framerate=25/1", pts),
    .serial = serial,
    .picture = kind == FAL_RESULT_PASS ? NULL : g_bytes_ref (picture),
    .count = 1,
    .inference = -1,
    .arrived = NONE,
    .outlook = { NONE, NONE, NONE },
  };
  return result;
}

static GstSample *
make (Fixture *f, FalResult *result)
{
  g_clear_error (&f->error);
  return fal_result_buffer_make (f->buffers, result, &f->config, &f->error);
}

/* The pts of an answer as it goes out; NONE - 1: it comes too late. */
static GstClockTime
stamp (Fixture *f, guint64 serial, GstClockTime pts)
{
  g_autoptr (FalResult) result = make_result (FAL_RESULT_ANSWER, serial, pts);
  g_autoptr (GstSample) sample = NULL;

  result->arrived = f->now;
  sample = make (f, result);
  if (sample == NULL) {
    g_assert_error (f->error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
    return NONE - 1;
  }
  return GST_BUFFER_PTS (gst_sample_get_buffer (sample));
}

/* ---- answers ---- */

static void
test_an_answer_is_described (void)
{
  Fixture f;
  g_autoptr (FalResult) result = make_result (FAL_RESULT_ANSWER, 1, 100 * MS);
  g_autoptr (GstSample) sample = NULL;
  g_autoptr (GstStructure) wanted = gst_structure_from_string (
      "GstFalResultMeta, seed=(gint64)9, sent=(gint64)1000, tags=<a,b>, received=(gint64)3500, "
      "round-trip=2.5, image-index=(uint)0, image-count=(uint)1, request-id=(string)frame-1",
      NULL);
  const GstStructure *caps;
  GstBuffer *buffer;
  GstCustomMeta *meta;
  gint width;

  set_up (&f);
  result->sent = 1000;
  result->received = 3500;
  result->request_id = g_strdup ("frame-1");
  result->fields =
      gst_structure_from_string ("map, seed=(gint64)9, sent=yesterday, tags=<a,b>", NULL);
  sample = make (&f, result);
  g_assert_no_error (f.error);
  buffer = gst_sample_get_buffer (sample);
  g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, 100 * MS);
  g_assert_cmpuint (GST_BUFFER_DURATION (buffer), ==, 40 * MS);
  g_assert_cmpuint (gst_buffer_get_size (buffer), ==, g_bytes_get_size (picture));
  g_assert_cmpuint (gst_sample_get_segment (sample)->base, ==, 10000 * MS);
  caps = gst_caps_get_structure (gst_sample_get_caps (sample), 0);
  g_assert_true (gst_structure_get_int (caps, "width", &width));
  g_assert_cmpint (width, ==, 256);
  meta = gst_buffer_get_custom_meta (buffer, "GstFalResultMeta");
  g_assert_nonnull (meta);
  g_assert_true (gst_structure_is_equal (gst_custom_meta_get_structure (meta), wanted));
  tear_down (&f);
}

/* Each frame is answered, or only some. */
static void
test_the_rate_is_the_inputs_or_at_most_that (void)
{
  Fixture f;

  set_up (&f);
  for (guint every = 0; every < 2; every++) {
    g_autoptr (FalResult) result = make_result (FAL_RESULT_ANSWER, 1, 100 * MS);
    g_autoptr (GstSample) sample = NULL;
    const GstStructure *caps;
    gint n, d;

    f.config.every_frame = every;
    sample = make (&f, result);
    caps = gst_caps_get_structure (gst_sample_get_caps (sample), 0);
    g_assert_true (gst_structure_get_fraction (caps, "framerate", &n, &d));
    g_assert_cmpint (n, ==, every ? 25 : 0);
    g_assert_cmpint (gst_structure_has_field (caps, "max-framerate"), ==, !every);
  }
  tear_down (&f);
}

static void
test_output_time_goes_back_only_with_the_frames (void)
{
  Fixture f;

  set_up (&f);
  g_assert_cmpuint (stamp (&f, 2, 100 * MS), ==, 100 * MS);
  g_assert_cmpuint (stamp (&f, 1, 99 * MS), ==, NONE - 1);
  g_assert_cmpuint (stamp (&f, 3, 100 * MS), ==, 100 * MS);
  g_assert_cmpuint (stamp (&f, 4, 40 * MS), ==, 40 * MS);
  g_assert_cmpuint (stamp (&f, 2, 100 * MS), ==, NONE - 1); /* of the time before */
  fal_result_buffer_reset (f.buffers);
  g_assert_cmpuint (stamp (&f, 1, 0), ==, 0);
  tear_down (&f);
}

/* That of its reception and of its decoding, however long it waited between the two. */
static void
test_an_arrival_is_the_clocks_time (void)
{
  Fixture f;

  set_up (&f);
  f.config.mode = FAL_TIMESTAMP_MODE_ARRIVAL;
  f.now = 10700 * MS;
  g_assert_cmpuint (stamp (&f, 1, 100 * MS), ==, 700 * MS);
  f.decoding = 30 * MS;
  g_assert_cmpuint (stamp (&f, 2, 200 * MS), ==, 730 * MS);
  tear_down (&f);
}

/* Then nobody knows when it came. */
static void
test_without_a_clock_an_arrival_has_its_frames_time (void)
{
  Fixture f;
  g_autoptr (FalResult) result = make_result (FAL_RESULT_ANSWER, 1, 100 * MS);
  g_autoptr (GstSample) sample = NULL;

  set_up (&f);
  f.config.mode = FAL_TIMESTAMP_MODE_ARRIVAL;
  result->arrived = 10700 * MS; /* the clock went since */
  sample = make (&f, result);
  g_assert_cmpuint (GST_BUFFER_PTS (gst_sample_get_buffer (sample)), ==, 100 * MS);
  f.now = 10800 * MS; /* it goes while the picture is decoded */
  f.decoding = NONE - f.now;
  g_assert_cmpuint (stamp (&f, 2, 140 * MS), ==, 140 * MS);
  tear_down (&f);
}

static void
test_an_arrival_is_as_early_as_upstream_is_late (void)
{
  Fixture f;

  set_up (&f);
  f.config.mode = FAL_TIMESTAMP_MODE_ARRIVAL;
  f.config.latency = 2000 * MS;
  f.now = 22500 * MS;
  g_assert_cmpuint (stamp (&f, 1, 10400 * MS), ==, 10500 * MS);
  g_assert_cmpuint (stamp (&f, 2, 20500 * MS), ==, 20500 * MS); /* not before its frame */
  tear_down (&f);
}

static void
test_pictures_of_one_reply_share_the_frames_time (void)
{
  Fixture f;
  g_autoptr (FalResult) result = make_result (FAL_RESULT_ANSWER, 1, 100 * MS);
  g_autoptr (GstSample) sample = NULL;

  set_up (&f);
  result->count = 4;
  result->index = 3;
  sample = make (&f, result);
  g_assert_cmpuint (GST_BUFFER_PTS (gst_sample_get_buffer (sample)), ==, 130 * MS);
  g_assert_cmpuint (GST_BUFFER_DURATION (gst_sample_get_buffer (sample)), ==, 10 * MS);
  tear_down (&f);
}

/* Whether the result of frame number @serial is marked as one after a gap. */
static gboolean
is_discont (Fixture *f, guint64 serial)
{
  g_autoptr (FalResult) result = make_result (FAL_RESULT_ANSWER, serial, 100 * MS);
  g_autoptr (GstSample) sample = make (f, result);

  return GST_BUFFER_FLAG_IS_SET (gst_sample_get_buffer (sample), GST_BUFFER_FLAG_DISCONT);
}

static void
test_a_result_after_missing_frames_is_marked (void)
{
  Fixture f;

  set_up (&f);
  g_assert_true (is_discont (&f, 3)); /* the first */
  g_assert_false (is_discont (&f, 4));
  g_assert_false (is_discont (&f, 4)); /* one more of the same frame */
  g_assert_false (is_discont (&f, 5));
  g_assert_true (is_discont (&f, 7));
  fal_result_buffer_reset (f.buffers);
  g_assert_true (is_discont (&f, 8));
  tear_down (&f);
}

static void
test_a_picture_that_cannot_be_used_is_an_error (void)
{
  static const gchar broken[] = "no picture";
  Fixture f;
  g_autoptr (FalResult) result = make_result (FAL_RESULT_ANSWER, 1, 100 * MS);
  g_autoptr (FalResult) none = make_result (FAL_RESULT_ANSWER, 1, 100 * MS);

  set_up (&f);
  g_bytes_unref (none->picture);
  none->picture = g_bytes_new_static (broken, sizeof broken);
  g_assert_null (make (&f, none));
  g_assert_error (f.error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  f.config.max_pixels = 100;
  g_assert_null (make (&f, result));
  g_assert_error (f.error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  f.config.max_pixels = 1 << 20;
  allow (&f, "image/png");
  g_assert_null (make (&f, result));
  g_assert_error (f.error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  allow (&f, "image/jpeg");
  g_assert_cmpuint (stamp (&f, 1, 0), ==, 0); /* what brought no buffer moved no time */
  tear_down (&f);
}

/* ---- frames that go by ---- */

static void
test_a_frame_goes_by_as_it_is (void)
{
  Fixture f;
  g_autoptr (FalResult) result = make_result (FAL_RESULT_PASS, 1, 100 * MS);
  g_autoptr (GstSample) sample = NULL;

  set_up (&f);
  f.config.mode = FAL_TIMESTAMP_MODE_ARRIVAL;
  f.now = 10700 * MS;
  sample = fal_result_buffer_pass (f.buffers, result, &f.config, &f.error);
  g_assert_no_error (f.error);
  g_assert_cmpuint (GST_BUFFER_PTS (gst_sample_get_buffer (sample)), ==, 100 * MS);
  g_assert_true (gst_sample_get_caps (sample) == gst_sample_get_caps (result->frame->sample));
  g_assert_null (gst_sample_get_info (sample));
  g_assert_cmpuint (stamp (&f, 2, 0), ==, 700 * MS); /* an answer has its own way of stamps */
  tear_down (&f);
}

static void
test_a_picture_that_goes_by_is_decoded_where_it_has_to_be (void)
{
  Fixture f;
  g_autoptr (FalResult) result = make_result (FAL_RESULT_PASS, 1, 100 * MS);
  g_autoptr (GstSample) sample = NULL;

  set_up (&f);
  allow (&f, "video/x-raw, format=RGB");
  sample = fal_result_buffer_pass (f.buffers, result, &f.config, &f.error);
  g_assert_no_error (f.error);
  g_assert_cmpuint (gst_buffer_get_size (gst_sample_get_buffer (sample)), ==, 256 * 256 * 3);
  g_assert_null (gst_sample_get_info (sample));
  tear_down (&f);
}

static void
test_raw_video_goes_by_only_in_a_format_that_is_taken (void)
{
  Fixture f;
  g_autoptr (FalResult) result = make_result (FAL_RESULT_PASS, 1, 100 * MS);

  set_up (&f);
  fal_frame_unref (result->frame);
  result->frame = make_frame ("video/x-raw, format=GRAY8, width=4, height=4", 100 * MS);
  allow (&f, "video/x-raw, format=RGB");
  g_assert_null (fal_result_buffer_pass (f.buffers, result, &f.config, &f.error));
  g_assert_error (f.error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  tear_down (&f);
}

/* There is no frame to lay it on. */
static void
test_a_result_without_its_frame_is_no_composite (void)
{
  Fixture f;
  g_autoptr (FalResult) result = make_result (FAL_RESULT_ANSWER, 1, 100 * MS);
  g_autoptr (GstSample) sample = NULL;

  set_up (&f);
  f.config.composite.mode = FAL_COMPOSITE_OVER;
  sample = make (&f, result);
  g_assert_no_error (f.error);
  g_assert_cmpuint (
      gst_buffer_get_size (gst_sample_get_buffer (sample)), ==, g_bytes_get_size (picture));
  tear_down (&f);
}

/* As composites are, whatever the frame was, so that downstream gets one kind of pictures. */
static void
test_a_picture_that_goes_by_among_composites_is_raw_video (void)
{
  Fixture f;
  g_autoptr (FalResult) result = make_result (FAL_RESULT_PASS, 1, 100 * MS);
  g_autoptr (GstSample) sample = NULL;

  set_up (&f);
  allow (&f, "video/x-raw, format=RGBx; image/jpeg");
  f.config.composite.mode = FAL_COMPOSITE_OVER;
  result->sample = gst_sample_ref (result->frame->sample);
  sample = fal_result_buffer_pass (f.buffers, result, &f.config, &f.error);
  g_assert_no_error (f.error);
  g_assert_cmpuint (gst_buffer_get_size (gst_sample_get_buffer (sample)), ==, 256 * 256 * 4);
  g_assert_cmpuint (GST_BUFFER_PTS (gst_sample_get_buffer (sample)), ==, 100 * MS);
  tear_down (&f);
}

/* Of frame @serial that goes by at @pts. */
static GstClockTime
pass (Fixture *f, guint64 serial, GstClockTime pts)
{
  g_autoptr (FalResult) result = make_result (FAL_RESULT_PASS, serial, pts);
  g_autoptr (GstSample) sample = fal_result_buffer_pass (f->buffers, result, &f->config, &f->error);

  g_assert_no_error (f->error);
  return GST_BUFFER_PTS (gst_sample_get_buffer (sample));
}

static void
test_a_frame_goes_by_whatever_its_time (void)
{
  for (guint decodes = 0; decodes < 2; decodes++) {
    Fixture f;

    set_up (&f);
    if (decodes)
      allow (&f, "video/x-raw, format=RGB");
    g_assert_cmpuint (pass (&f, 1, 1000 * MS), ==, 1000 * MS);
    g_assert_cmpuint (pass (&f, 2, 0), ==, 0);
    g_assert_cmpuint (pass (&f, 3, 66 * MS), ==, 66 * MS);
    g_assert_cmpuint (pass (&f, 4, 33 * MS), ==, 33 * MS);
    tear_down (&f);
  }
}

/* ---- what is shown in place of results ---- */

/* Whether something is shown for the time up to the frame at @newest (running time). */
static gboolean
place (Fixture *f, FalFallbackMode fallback, GstClockTime newest, GstEvent **gap,
    GstClockTime *running)
{
  const GstClockTime pts = GST_CLOCK_TIME_IS_VALID (newest) ? newest - 10000 * MS : NONE;
  g_autoptr (FalResult) fill = make_result (FAL_RESULT_FALLBACK, 5, pts);
  gboolean shown;

  fill->fallback = fallback;
  fill->outlook.newest = newest;
  shown = fal_result_buffer_place_fallback (f->buffers, fill, FAL_TIMESTAMP_MODE_INPUT, NONE, gap);
  if (running)
    *running = fill->running;
  return shown;
}

static void
test_a_fallback_stands_at_the_horizon_once (void)
{
  Fixture f;
  GstEvent *gap;
  GstClockTime running;
  g_autoptr (FalResult) fill = make_result (FAL_RESULT_FALLBACK, 5, 300 * MS);
  g_autoptr (GstSample) sample = NULL;

  set_up (&f);
  g_assert_false (place (&f, FAL_FALLBACK_BLACK, NONE, &gap, NULL));          /* nothing is known */
  g_assert_true (place (&f, FAL_FALLBACK_BLACK, 10000 * MS, &gap, &running)); /* the very first */
  stamp (&f, 1, 100 * MS);                                                    /* at 10100 ms */
  g_assert_false (place (&f, FAL_FALLBACK_BLACK, 10100 * MS, &gap, NULL));
  g_assert_true (place (&f, FAL_FALLBACK_BLACK, 10101 * MS, &gap, &running));
  g_assert_cmpuint (running, ==, 10101 * MS);
  g_assert_null (gap);
  fill->fallback = FAL_FALLBACK_BLACK;
  fill->running = 10250 * MS;
  sample = make (&f, fill);
  g_assert_cmpuint (GST_BUFFER_PTS (gst_sample_get_buffer (sample)), ==, 250 * MS);
  g_assert_null (gst_sample_get_info (sample));
  g_assert_null (gst_buffer_get_custom_meta (gst_sample_get_buffer (sample), "GstFalResultMeta"));
  g_assert_cmpuint (stamp (&f, 4, 249 * MS), ==, NONE - 1);
  tear_down (&f);
}

static void
test_a_gap_is_told_where_it_is_long_enough (void)
{
  Fixture f;
  g_autoptr (GstEvent) segment = NULL;
  g_autoptr (GstEvent) gap = NULL;
  GstEvent *none;
  GstSegment time;
  GstClockTime start, duration;
  GstGapFlags flags;

  set_up (&f);
  gst_segment_init (&time, GST_FORMAT_TIME);
  segment = gst_event_new_segment (&time);
  g_assert_true (fal_result_buffer_admit_event (f.buffers, segment));
  g_assert_false (place (&f, FAL_FALLBACK_NONE, 20000 * MS, &none, NULL)); /* nothing went out */
  g_assert_null (none);
  stamp (&f, 1, 100 * MS); /* until 10140 ms */
  g_assert_false (place (&f, FAL_FALLBACK_NONE, 10639 * MS, &none, NULL));
  g_assert_null (none);
  g_assert_false (place (&f, FAL_FALLBACK_NONE, 10640 * MS, &gap, NULL));
  g_assert_nonnull (gap);
  gst_event_parse_gap (gap, &start, &duration);
  gst_event_parse_gap_flags (gap, &flags);
  g_assert_cmpuint (start, ==, 140 * MS);
  g_assert_cmpuint (duration, ==, 500 * MS);
  g_assert_cmpint (flags, ==, GST_GAP_FLAG_MISSING_DATA);
  g_assert_cmpuint (gst_event_get_seqnum (gap), ==, gst_event_get_seqnum (segment));
  tear_down (&f);
}

/* The camera began anew: what is shown in place of its results does, too, but not before those of
 * the time before are settled. */
static void
test_what_fills_in_follows_frames_that_went_back (void)
{
  Fixture f;
  GstEvent *gap;
  GstClockTime start, duration;
  g_autoptr (FalResult) fill = make_result (FAL_RESULT_FALLBACK, 5, 900 * MS);

  set_up (&f);
  stamp (&f, 1, 5000 * MS);
  fill->outlook = (FalOutlook){ 15100 * MS, 10900 * MS, NONE };
  g_assert_false (fal_result_buffer_place_fallback (
      f.buffers, fill, FAL_TIMESTAMP_MODE_ARRIVAL, 10950 * MS, &gap));
  g_assert_null (gap);
  fill->outlook.oldest = 10100 * MS;
  g_assert_false (fal_result_buffer_place_fallback (
      f.buffers, fill, FAL_TIMESTAMP_MODE_ARRIVAL, 10950 * MS, &gap));
  gst_event_parse_gap (gap, &start, &duration);
  g_assert_cmpuint (start, ==, 100 * MS);
  g_assert_cmpuint (duration, ==, 850 * MS);
  gst_event_unref (gap);
  g_assert_true (place (&f, FAL_FALLBACK_BLACK, 11000 * MS, &gap, NULL));
  tear_down (&f);
}

/* Nothing of before may come any more. */
static void
test_what_fills_in_follows_at_once_where_no_result_is_awaited (void)
{
  Fixture f;
  GstEvent *gap;
  GstClockTime start, duration;
  g_autoptr (FalResult) fill = make_result (FAL_RESULT_FALLBACK, 5, 900 * MS);

  set_up (&f);
  stamp (&f, 1, 5000 * MS);
  fill->outlook = (FalOutlook) { NONE, 10900 * MS, NONE };
  g_assert_false (fal_result_buffer_place_fallback (
      f.buffers, fill, FAL_TIMESTAMP_MODE_ARRIVAL, 11500 * MS, &gap));
  gst_event_parse_gap (gap, &start, &duration);
  g_assert_cmpuint (start, ==, 900 * MS);
  g_assert_cmpuint (duration, ==, 600 * MS);
  gst_event_unref (gap);
  tear_down (&f);
}

/* The gap for frame @serial, for which the last result stands; NULL: there is none. */
static GstEvent *
pass_over (Fixture *f, guint64 serial, GstClockTime pts)
{
  g_autoptr (FalResult) result = make_result (FAL_RESULT_STANDING, serial, pts);

  return fal_result_buffer_pass_over (f->buffers, result);
}

static void
test_a_frame_that_shows_nothing_new_leaves_a_gap (void)
{
  Fixture f;
  g_autoptr (GstEvent) gap = NULL;
  GstClockTime start, duration;

  set_up (&f);
  g_assert_null (pass_over (&f, 1, 60 * MS)); /* nothing went out that could stand for it */
  stamp (&f, 2, 100 * MS);
  gap = pass_over (&f, 3, 140 * MS);
  gst_event_parse_gap (gap, &start, &duration);
  g_assert_cmpuint (start, ==, 140 * MS);
  g_assert_cmpuint (duration, ==, 40 * MS);
  g_assert_null (pass_over (&f, 4, 140 * MS)); /* that time is over */
  stamp (&f, 6, 20 * MS);
  g_assert_null (pass_over (&f, 5, 180 * MS)); /* it came before the frames went back */
  tear_down (&f);
}

/* ---- events of upstream's ---- */

static gboolean
admits_gap (Fixture *f, GstClockTime time, GstClockTime duration)
{
  g_autoptr (GstEvent) gap = gst_event_new_gap (time, duration);

  return fal_result_buffer_admit_event (f->buffers, gap);
}

static void
test_a_gap_of_upstreams_keeps_its_place (void)
{
  Fixture f;
  g_autoptr (GstEvent) event = NULL;
  g_autoptr (GstEvent) tag = gst_event_new_tag (gst_tag_list_new_empty ());
  GstEvent *none;
  GstSegment segment;

  set_up (&f);
  g_assert_true (admits_gap (&f, 0, NONE)); /* before a segment came */
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.base = 10000 * MS;
  segment.stop = 2000 * MS;
  event = gst_event_new_segment (&segment);
  g_assert_true (fal_result_buffer_admit_event (f.buffers, event));
  g_assert_true (fal_result_buffer_admit_event (f.buffers, tag));
  g_assert_true (admits_gap (&f, 0, NONE)); /* nothing went out yet */
  stamp (&f, 2, 100 * MS);
  g_assert_true (admits_gap (&f, 3000 * MS, NONE)); /* outside of the segment */
  g_assert_true (admits_gap (&f, 100 * MS, NONE));
  g_assert_false (admits_gap (&f, 99 * MS, 1000 * MS));
  g_assert_true (admits_gap (&f, 100 * MS, 1000 * MS));
  g_assert_cmpuint (stamp (&f, 1, 99 * MS), ==, NONE - 1);
  /* Its end is that of what went out: no other gap is told before. */
  g_assert_false (place (&f, FAL_FALLBACK_NONE, 11599 * MS, &none, NULL));
  g_assert_null (none);
  g_assert_false (place (&f, FAL_FALLBACK_NONE, 11600 * MS, &none, NULL));
  g_assert_nonnull (none);
  gst_event_unref (none);
  tear_down (&f);
}

/* Frame @serial of @pts came at running time @came, and goes by in its turn now. */
static GstClockTime
pass_in_turn (Fixture *f, guint64 serial, GstClockTime pts, GstClockTime came)
{
  g_autoptr (FalResult) result = make_result (FAL_RESULT_PASS, serial, pts);
  g_autoptr (GstSample) sample = NULL;

  result->in_turn = TRUE;
  result->frame->arrived = came;
  sample = fal_result_buffer_pass (f->buffers, result, &f->config, &f->error);
  g_assert_no_error (f->error);
  return GST_BUFFER_PTS (gst_sample_get_buffer (sample));
}

/* Where results have the time at which they come; else a sink has it wait for its own. */
static void
test_a_frame_that_waited_for_its_turn_is_shown_at_once (void)
{
  Fixture f;

  set_up (&f);
  f.config.mode = FAL_TIMESTAMP_MODE_ARRIVAL;
  f.now = 10110 * MS;
  g_assert_cmpuint (pass_in_turn (&f, 1, 100 * MS, 10100 * MS), ==, 100 * MS);
  f.now = 10200 * MS;
  g_assert_cmpuint (pass_in_turn (&f, 2, 140 * MS, 10140 * MS), ==, 200 * MS);
  f.now = 10400 * MS;
  g_assert_cmpuint (pass_in_turn (&f, 3, 300 * MS, NONE), ==, 300 * MS); /* nobody knows */
  f.now = NONE;
  g_assert_cmpuint (pass_in_turn (&f, 4, 340 * MS, 10340 * MS), ==, 340 * MS);
  f.config.mode = FAL_TIMESTAMP_MODE_INPUT;
  f.now = 10500 * MS;
  g_assert_cmpuint (pass_in_turn (&f, 5, 380 * MS, 10380 * MS), ==, 380 * MS);
  tear_down (&f);
}

int
main (int argc, char **argv)
{
  static const gchar *tags[] = { NULL };
  g_autofree gchar *path = NULL;
  gchar *data;
  gsize size;

  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  gst_meta_register_custom ("GstFalResultMeta", tags, NULL, NULL, NULL);
  path = g_build_filename (g_getenv ("FAL_TEST_DATA"), "astronaut.jpg", NULL);
  g_assert_true (g_file_get_contents (path, &data, &size, NULL));
  picture = g_bytes_new_take (data, size); /* kept until the program ends */
#define ADD(name) g_test_add_func ("/result-buffer/" #name, test_##name)
  ADD (an_answer_is_described);
  ADD (the_rate_is_the_inputs_or_at_most_that);
  ADD (output_time_goes_back_only_with_the_frames);
  ADD (an_arrival_is_the_clocks_time);
  ADD (an_arrival_is_as_early_as_upstream_is_late);
  ADD (pictures_of_one_reply_share_the_frames_time);
  ADD (a_result_after_missing_frames_is_marked);
  ADD (a_picture_that_cannot_be_used_is_an_error);
  ADD (a_frame_goes_by_as_it_is);
  ADD (a_picture_that_goes_by_is_decoded_where_it_has_to_be);
  ADD (raw_video_goes_by_only_in_a_format_that_is_taken);
  ADD (a_frame_goes_by_whatever_its_time);
  ADD (a_fallback_stands_at_the_horizon_once);
  ADD (what_fills_in_follows_frames_that_went_back);
  ADD (a_gap_is_told_where_it_is_long_enough);
  ADD (a_gap_of_upstreams_keeps_its_place);
  ADD (a_frame_that_waited_for_its_turn_is_shown_at_once);
  ADD (without_a_clock_an_arrival_has_its_frames_time);
  ADD (a_result_without_its_frame_is_no_composite);
  ADD (a_picture_that_goes_by_among_composites_is_raw_video);
  ADD (what_fills_in_follows_at_once_where_no_result_is_awaited);
  ADD (a_frame_that_shows_nothing_new_leaves_a_gap);
  return g_test_run ();
}
