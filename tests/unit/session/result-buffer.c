/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Results become buffers: what they say of themselves, when they come too late, and which gaps go
 * out. */
#include "fal/session/result-buffer.h"
#include "../image/test-pictures.h"

#include <gio/gio.h>

static GstClockTime
get_no_time (gpointer user)
{
  return GST_CLOCK_TIME_NONE;
}

static FalFrame *
make_frame (const gchar *caps_text, GstClockTime pts)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (caps_text);
  g_autoptr (GstBuffer) buffer = gst_buffer_new_memdup ("frame", 5);
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  GST_BUFFER_PTS (buffer) = pts;
  GST_BUFFER_DURATION (buffer) = 40 * GST_MSECOND;
  return fal_frame_new (gst_sample_new (buffer, caps, &segment, NULL), 0);
}

static FalResult *
make_result (guint64 serial, GstClockTime pts)
{
  FalResult *result = g_new0 (FalResult, 1);

  result->frame = make_frame ("image/jpeg", pts);
  result->serial = serial;
  result->picture = plain_jpeg (32, 16, RED, 0);
  result->count = 1;
  result->inference = -1;
  return result;
}

static GstSample *
make (FalResultBuffer *maker, FalResult *result, GError **error)
{
  g_autoptr (GstCaps) allowed = gst_caps_from_string ("image/jpeg");
  const FalResultBufferConfig config = {
    .allowed = allowed,
    .max_pixels = 4096,
    .mode = FAL_TIMESTAMP_MODE_INPUT,
    .get_running_time = get_no_time,
  };

  if (result->kind == FAL_RESULT_PASS)
    return fal_result_buffer_pass (maker, result, &config, error);
  return fal_result_buffer_make (maker, result, &config, error);
}

/* Makes the buffer of result number @serial for a frame of @pts. */
static GstBuffer *
make_buffer (FalResultBuffer *maker, guint64 serial, GstClockTime pts)
{
  g_autoptr (FalResult) result = make_result (serial, pts);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstSample) sample = make (maker, result, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (GST_BUFFER_PTS (gst_sample_get_buffer (sample)), ==, pts);
  return gst_buffer_ref (gst_sample_get_buffer (sample));
}

static void
register_meta (void)
{
  static const gchar *tags[] = { NULL };

  if (gst_meta_get_info (FAL_RESULT_META) == NULL)
    gst_meta_register_custom (FAL_RESULT_META, tags, NULL, NULL, NULL);
}

static void
test_an_answer_is_described (void)
{
  g_autoptr (FalResultBuffer) maker = fal_result_buffer_new ();
  g_autoptr (FalResult) result = make_result (1, 0);
  g_autoptr (GstStructure) wanted = gst_structure_from_string (
      "GstFalResultMeta, seed=(gint64)9, sent=(gint64)1000, tags=<a,b>, received=(gint64)3500, "
      "round-trip=2.5, image-index=(uint)1, image-count=(uint)2, request-id=(string)7, "
      "inference=500.0",
      NULL);
  g_autoptr (GstSample) sample = NULL;
  GstCustomMeta *meta;

  result->index = 1;
  result->count = 2;
  result->sent = 1000;
  result->received = 3500;
  result->inference = 0.5;
  result->request_id = g_strdup ("7");
  result->fields =
      gst_structure_from_string ("map, seed=(gint64)9, sent=yesterday, tags=<a,b>", NULL);
  sample = make (maker, result, NULL);
  meta = gst_buffer_get_custom_meta (gst_sample_get_buffer (sample), FAL_RESULT_META);
  g_assert_nonnull (meta);
  g_assert_true (gst_structure_is_equal (gst_custom_meta_get_structure (meta), wanted));
  g_assert_null (result->fields);
}

static void
test_what_is_not_known_is_left_out (void)
{
  g_autoptr (FalResultBuffer) maker = fal_result_buffer_new ();
  g_autoptr (GstBuffer) buffer = make_buffer (maker, 1, 0);
  GstCustomMeta *meta = gst_buffer_get_custom_meta (buffer, FAL_RESULT_META);
  const GstStructure *description = gst_custom_meta_get_structure (meta);

  g_assert_true (gst_structure_has_field (description, "round-trip"));
  g_assert_false (gst_structure_has_field (description, "inference"));
  g_assert_false (gst_structure_has_field (description, "request-id"));
}

static void
test_time_does_not_go_back (void)
{
  g_autoptr (FalResultBuffer) maker = fal_result_buffer_new ();
  g_autoptr (GstBuffer) newer = make_buffer (maker, 2, 2 * GST_SECOND);
  g_autoptr (FalResult) older = make_result (1, GST_SECOND);
  g_autoptr (GError) error = NULL;

  g_assert_null (make (maker, older, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  fal_result_buffer_reset (maker);
  gst_buffer_unref (make_buffer (maker, 1, GST_SECOND));
}

static void
test_missing_results_are_marked (void)
{
  static const struct {
    guint64 serial;
    gboolean is_marked;
  } rows[] = { { 3, TRUE }, { 4, FALSE }, { 4, FALSE }, { 6, TRUE }, { 7, FALSE } };
  g_autoptr (FalResultBuffer) maker = fal_result_buffer_new ();

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GstBuffer) buffer = make_buffer (maker, rows[i].serial, (i + 1) * GST_SECOND);

    g_assert_cmpint (
        GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT), ==, rows[i].is_marked);
  }
}

static void
test_a_frame_passes_as_it_is (void)
{
  g_autoptr (FalResultBuffer) maker = fal_result_buffer_new ();
  g_autoptr (FalResult) result = g_new0 (FalResult, 1);
  g_autoptr (GstSample) sample = NULL;
  GstBuffer *buffer;

  result->kind = FAL_RESULT_PASS;
  result->frame = make_frame ("image/jpeg", GST_SECOND);
  sample = make (maker, result, NULL);
  g_assert_nonnull (sample);
  buffer = gst_sample_get_buffer (sample);
  g_assert_cmpint (gst_buffer_memcmp (buffer, 0, "frame", 5), ==, 0);
  g_assert_null (gst_buffer_get_custom_meta (buffer, FAL_RESULT_META));
}

static void
test_raw_video_passes_in_no_other_format (void)
{
  g_autoptr (FalResultBuffer) maker = fal_result_buffer_new ();
  g_autoptr (FalResult) result = g_new0 (FalResult, 1);
  g_autoptr (GError) error = NULL;

  result->kind = FAL_RESULT_PASS;
  result->frame = make_frame ("video/x-raw,format=RGB", GST_SECOND);
  g_assert_null (make (maker, result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
}

/* @seqnum: of the event. */
static void
send_segment (FalResultBuffer *maker, guint32 *seqnum)
{
  g_autoptr (GstEvent) event = NULL;
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  event = gst_event_new_segment (&segment);
  *seqnum = gst_event_get_seqnum (event);
  g_assert_true (fal_result_buffer_admit_event (maker, event));
}

static void
test_a_gap_is_told_where_a_fallback_is_none (void)
{
  g_autoptr (FalResultBuffer) maker = fal_result_buffer_new ();
  g_autoptr (FalResult) fallback = make_result (2, 5 * GST_SECOND);
  g_autoptr (GstBuffer) before = NULL;
  g_autoptr (GstEvent) gap = NULL;
  GstClockTime time, duration;
  guint32 seqnum;

  send_segment (maker, &seqnum);
  before = make_buffer (maker, 1, GST_SECOND);
  fallback->kind = FAL_RESULT_FALLBACK;
  fallback->fallback = FAL_FALLBACK_NONE;
  fallback->outlook = (FalOutlook){ GST_CLOCK_TIME_NONE, 5 * GST_SECOND, GST_CLOCK_TIME_NONE };
  g_assert_false (fal_result_buffer_place_fallback (
      maker, fallback, FAL_TIMESTAMP_MODE_INPUT, GST_CLOCK_TIME_NONE, &gap));
  g_assert_nonnull (gap);
  g_assert_cmpuint (gst_event_get_seqnum (gap), ==, seqnum);
  gst_event_parse_gap (gap, &time, &duration);
  g_assert_cmpuint (time, ==, GST_SECOND + 40 * GST_MSECOND);
  g_assert_cmpuint (time + duration, ==, 5 * GST_SECOND);
}

static void
test_a_gap_that_is_over_does_not_go_out (void)
{
  g_autoptr (FalResultBuffer) maker = fal_result_buffer_new ();
  g_autoptr (GstEvent) over = gst_event_new_gap (GST_SECOND, GST_SECOND);
  g_autoptr (GstEvent) next = gst_event_new_gap (3 * GST_SECOND, GST_SECOND);
  g_autoptr (GstBuffer) before = NULL;
  guint32 seqnum;

  send_segment (maker, &seqnum);
  before = make_buffer (maker, 1, 2 * GST_SECOND);
  g_assert_false (fal_result_buffer_admit_event (maker, over));
  g_assert_true (fal_result_buffer_admit_event (maker, next));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  register_meta ();
#define ADD(name, function) g_test_add_func ("/result-buffer/" name, function)
  ADD ("an-answer-is-described", test_an_answer_is_described);
  ADD ("what-is-not-known-is-left-out", test_what_is_not_known_is_left_out);
  ADD ("time-does-not-go-back", test_time_does_not_go_back);
  ADD ("missing-results-are-marked", test_missing_results_are_marked);
  ADD ("a-frame-passes-as-it-is", test_a_frame_passes_as_it_is);
  ADD ("raw-video-passes-in-no-other-format", test_raw_video_passes_in_no_other_format);
  ADD ("a-gap-is-told-where-a-fallback-is-none", test_a_gap_is_told_where_a_fallback_is_none);
  ADD ("a-gap-that-is-over-does-not-go-out", test_a_gap_that_is_over_does_not_go_out);
  return g_test_run ();
}
