/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The output queue: how events and results merge. Frames are known by their serials; what is still
 * to come is given with each look. */
#include "fal/policy/output-queue.h"

#define NONE G_MAXUINT64

/* Frames up to @newest came; @oldest may still bring a result. */
static FalOutputView
view (guint64 oldest, guint64 newest)
{
  return (FalOutputView){ .oldest = oldest, .newest = newest };
}

/* The same, while something is shown in place of what is owed. */
static FalOutputView
replaced (guint64 oldest, guint64 newest)
{
  return (FalOutputView){ .oldest = oldest, .newest = newest, .replaced = TRUE };
}

static FalFrame *
make_frame (void)
{
  GstSegment segment;
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();

  gst_segment_init (&segment, GST_FORMAT_TIME);
  return fal_frame_new (gst_sample_new (buffer, NULL, &segment, NULL), 0);
}

/* The result of frame number @serial, with a picture of a byte, or with its download's number. */
static FalResult *
make_result (guint64 serial, guint64 download)
{
  FalResult *result = g_new0 (FalResult, 1);

  *result = (FalResult){
    .frame = make_frame (),
    .serial = serial,
    .download = download,
    .picture = download ? NULL : g_bytes_new_static ("x", 1),
  };
  return result;
}

static FalResult *
make_passing (guint64 serial)
{
  FalResult *result = g_new0 (FalResult, 1);

  *result = (FalResult){ .kind = FAL_RESULT_PASS, .frame = make_frame (), .serial = serial };
  return result;
}

static void
push (FalOutputQueue *queue, guint64 serial)
{
  fal_output_queue_push_result (queue, make_result (serial, 0));
}

static void
push_custom (FalOutputQueue *queue, guint64 serial)
{
  fal_output_queue_push_event (
      queue, gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM, NULL), serial);
}

static void
push_eos (FalOutputQueue *queue, guint64 serial)
{
  fal_output_queue_push_event (queue, gst_event_new_eos (), serial);
}

static FalOutputKind
peek (FalOutputQueue *queue, FalOutputView view)
{
  return fal_output_queue_peek (queue, &view);
}

/* The type of the event that goes out next. */
static GstEventType
take_event (FalOutputQueue *queue, FalOutputView view)
{
  g_autoptr (GstEvent) event = NULL;
  FalResult *result = NULL;

  g_assert_cmpint (fal_output_queue_take (queue, &view, &event, &result), ==, FAL_OUTPUT_EVENT);
  g_assert_nonnull (event);
  g_assert_null (result);
  return GST_EVENT_TYPE (event);
}

/* The serial of the result that goes out next. */
static guint64
take_result (FalOutputQueue *queue, FalOutputView view)
{
  g_autoptr (FalResult) result = NULL;
  GstEvent *event = NULL;

  g_assert_cmpint (fal_output_queue_take (queue, &view, &event, &result), ==, FAL_OUTPUT_RESULT);
  g_assert_null (event);
  return result->serial;
}

/* ---- events among frames ---- */

static void
test_an_empty_queue_gives_nothing (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();
  FalOutputView v = replaced (NONE, 0);
  GstEvent *event = NULL;
  FalResult *result = NULL;

  g_assert_cmpint (fal_output_queue_take (q, &v, &event, &result), ==, FAL_OUTPUT_NOTHING);
  g_assert_null (event);
  g_assert_null (result);
  g_assert_cmpuint (fal_output_queue_get_length (q), ==, 0);
  g_assert_null (fal_output_queue_peek_newest (q));
  g_assert_false (fal_output_queue_ends (q));
}

static void
test_an_event_waits_for_the_frames_before_it (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();

  push_custom (q, 3); /* after frames 1 and 2 */
  g_assert_cmpint (peek (q, view (1, 2)), ==, FAL_OUTPUT_NOTHING);
  g_assert_cmpint (peek (q, view (2, 2)), ==, FAL_OUTPUT_NOTHING);
  g_assert_cmpint (peek (q, view (3, 3)), ==, FAL_OUTPUT_EVENT);
  g_assert_cmpint (peek (q, view (NONE, 2)), ==, FAL_OUTPUT_EVENT);
}

static void
test_events_and_results_keep_the_order_of_the_frames (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();
  const FalOutputView v = view (NONE, 3);

  fal_output_queue_push_event (q, gst_event_new_stream_start ("s"), 1);
  fal_output_queue_push_event (q, gst_event_new_gap (0, 1), 3);
  push_eos (q, 4);
  push (q, 1);
  push (q, 2);
  push (q, 2);
  push (q, 3);
  g_assert_cmpint (take_event (q, v), ==, GST_EVENT_STREAM_START);
  g_assert_cmpuint (take_result (q, v), ==, 1);
  g_assert_cmpuint (take_result (q, v), ==, 2);
  g_assert_cmpuint (take_result (q, v), ==, 2);
  g_assert_cmpint (take_event (q, v), ==, GST_EVENT_GAP);
  g_assert_cmpuint (take_result (q, v), ==, 3);
  g_assert_cmpint (take_event (q, v), ==, GST_EVENT_EOS);
  g_assert_cmpint (peek (q, v), ==, FAL_OUTPUT_NOTHING);
}

/* An event at the same place goes in the order in which it came. */
static void
test_events_keep_their_own_order (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();

  fal_output_queue_push_event (q, gst_event_new_gap (0, 1), 1);
  push_eos (q, 1);
  g_assert_cmpint (take_event (q, view (1, 1)), ==, GST_EVENT_GAP);
  g_assert_cmpint (take_event (q, view (1, 1)), ==, GST_EVENT_EOS);
}

/* A result that is ready goes although its stream's next event does not. */
static void
test_a_result_goes_before_an_event_that_waits (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();

  push (q, 1);
  push_custom (q, 3);
  g_assert_cmpuint (take_result (q, view (2, 2)), ==, 1);
  g_assert_cmpint (peek (q, view (2, 2)), ==, FAL_OUTPUT_NOTHING);
  g_assert_cmpint (peek (q, view (NONE, 2)), ==, FAL_OUTPUT_EVENT);
}

static void
test_only_an_eos_at_the_end_ends (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();

  push_custom (q, 1);
  g_assert_false (fal_output_queue_ends (q));
  push_eos (q, 1);
  g_assert_true (fal_output_queue_ends (q));
  push_custom (q, 1);
  g_assert_false (fal_output_queue_ends (q));
}

/* ---- overtaking ---- */

/* Something is shown in place of what frame 1 still owes: the event before frame 3 goes once that
 * frame has come, and not before. */
static void
test_where_something_is_shown_an_event_goes_before_the_first_newer_frame (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();

  push_custom (q, 3);
  g_assert_cmpint (peek (q, replaced (1, 2)), ==, FAL_OUTPUT_NOTHING);
  g_assert_cmpint (peek (q, view (1, 3)), ==, FAL_OUTPUT_NOTHING);
  g_assert_cmpint (peek (q, replaced (1, 3)), ==, FAL_OUTPUT_EVENT);
}

static void
test_what_is_ready_is_not_overtaken (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();

  push (q, 1);
  push_custom (q, 3);
  g_assert_cmpuint (take_result (q, replaced (2, 3)), ==, 1);
  g_assert_cmpint (peek (q, replaced (2, 3)), ==, FAL_OUTPUT_EVENT);
}

/* One that is ready, but newer, is no reason to wait. */
static void
test_an_event_goes_before_a_newer_result (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();

  push (q, 3);
  push_custom (q, 3);
  g_assert_cmpint (take_event (q, replaced (2, 3)), ==, GST_EVENT_CUSTOM_DOWNSTREAM);
  g_assert_cmpuint (take_result (q, replaced (2, 3)), ==, 3);
}

static void
test_what_is_downloaded_is_overtaken (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();

  fal_output_queue_push_result (q, make_result (1, 7));
  push_custom (q, 3);
  g_assert_cmpint (peek (q, view (NONE, 3)), ==, FAL_OUTPUT_NOTHING);
  g_assert_cmpint (take_event (q, replaced (NONE, 3)), ==, GST_EVENT_CUSTOM_DOWNSTREAM);
  g_assert_cmpuint (fal_output_queue_drop_overtaken (q), ==, 1);
}

static void
test_an_eos_overtakes_nothing (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();

  push_eos (q, 3);
  g_assert_cmpint (peek (q, replaced (2, 3)), ==, FAL_OUTPUT_NOTHING);
  g_assert_cmpint (peek (q, replaced (3, 3)), ==, FAL_OUTPUT_EVENT);
}

/* Nor does what came behind it. */
static void
test_nothing_overtakes_an_eos (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();

  push_eos (q, 3);
  push_custom (q, 3);
  g_assert_cmpint (peek (q, replaced (2, 3)), ==, FAL_OUTPUT_NOTHING);
}

static void
test_results_that_were_overtaken_give_way (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();
  FalResult *second = make_result (2, 0);
  g_autoptr (FalFrame) frame = fal_frame_ref (second->frame);
  g_autoptr (FalFrame) dropped = NULL;

  push_custom (q, 3);
  take_event (q, replaced (2, 3));
  fal_output_queue_push_result (q, second);
  push (q, 3);
  g_assert_false (fal_output_queue_has_dropped (q));
  g_assert_cmpuint (fal_output_queue_drop_overtaken (q), ==, 1);
  g_assert_cmpuint (fal_output_queue_drop_overtaken (q), ==, 0);
  g_assert_true (fal_output_queue_has_dropped (q));
  dropped = fal_output_queue_pop_dropped (q);
  g_assert_true (dropped == frame);
  g_assert_null (fal_output_queue_pop_dropped (q));
  g_assert_false (fal_output_queue_has_dropped (q));
  g_assert_cmpuint (take_result (q, replaced (NONE, 3)), ==, 3);
}

/* An event that had nothing to wait for overtook nobody. */
static void
test_an_event_in_its_place_overtakes_nobody (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();

  push_custom (q, 3);
  take_event (q, replaced (3, 3));
  push (q, 2); /* of a request that nobody knew of */
  g_assert_cmpuint (fal_output_queue_drop_overtaken (q), ==, 0);
}

static void
test_serials_that_begin_anew_were_not_overtaken (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();

  push_custom (q, 3);
  take_event (q, replaced (2, 3));
  fal_output_queue_forget_overtaking (q);
  push (q, 1);
  g_assert_cmpuint (fal_output_queue_drop_overtaken (q), ==, 0);
  g_assert_cmpuint (take_result (q, view (NONE, 3)), ==, 1);
}

/* ---- filling ---- */

static void
test_a_fill_goes_where_nothing_else_does (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();
  FalOutputView v = { .oldest = 1, .newest = 2, .fill_due = TRUE };
  GstEvent *event = NULL;
  FalResult *result = NULL;

  g_assert_cmpint (fal_output_queue_take (q, &v, &event, &result), ==, FAL_OUTPUT_FILL);
  g_assert_null (event);
  g_assert_null (result);
  push (q, 1);
  g_assert_cmpint (peek (q, v), ==, FAL_OUTPUT_RESULT);
}

/* An event after the newest frame, even an EOS, does not keep that frame from being filled for; one
 * before it does. */
static void
test_a_fill_keeps_its_place_among_the_events (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();
  const FalOutputView before = { .oldest = 1, .newest = 2, .fill_due = TRUE };
  const FalOutputView after = { .oldest = 1, .newest = 3, .fill_due = TRUE };

  push_eos (q, 3);
  g_assert_cmpint (peek (q, before), ==, FAL_OUTPUT_FILL);
  g_assert_cmpint (peek (q, after), ==, FAL_OUTPUT_NOTHING);
}

static void
test_a_download_does_not_hold_up_a_fill (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();
  const FalOutputView v = { .oldest = NONE, .newest = 2, .fill_due = TRUE };

  fal_output_queue_push_result (q, make_result (1, 7));
  g_assert_cmpint (peek (q, v), ==, FAL_OUTPUT_FILL);
}

/* ---- downloads ---- */

static void
test_a_download_holds_up_those_behind_it (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();
  g_autoptr (GBytes) picture = g_bytes_new_static ("y", 1);
  g_autoptr (FalResult) result = NULL;
  const FalOutputView v = view (NONE, 2);
  GstEvent *event = NULL;

  fal_output_queue_push_result (q, make_result (1, 7));
  push (q, 2);
  push_custom (q, 2);
  g_assert_cmpint (peek (q, v), ==, FAL_OUTPUT_NOTHING);
  g_assert_true (fal_output_queue_set_picture (q, 7, picture));
  fal_output_queue_take (q, &v, &event, &result);
  g_assert_true (result->picture == picture);
  g_assert_cmpint (take_event (q, v), ==, GST_EVENT_CUSTOM_DOWNSTREAM);
  g_assert_cmpuint (take_result (q, v), ==, 2);
}

static void
test_a_later_download_may_end_first (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();
  g_autoptr (GBytes) picture = g_bytes_new_static ("y", 1);
  const FalOutputView v = view (NONE, 2);

  fal_output_queue_push_result (q, make_result (1, 7));
  fal_output_queue_push_result (q, make_result (2, 8));
  g_assert_true (fal_output_queue_set_picture (q, 8, picture));
  g_assert_cmpint (peek (q, v), ==, FAL_OUTPUT_NOTHING);
  g_assert_true (fal_output_queue_set_picture (q, 7, picture));
  g_assert_cmpuint (take_result (q, v), ==, 1);
  g_assert_cmpuint (take_result (q, v), ==, 2);
}

static void
test_a_download_in_vain_frees_the_way (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();

  fal_output_queue_push_result (q, make_result (1, 7));
  push (q, 2);
  g_assert_true (fal_output_queue_set_picture (q, 7, NULL));
  g_assert_cmpuint (fal_output_queue_get_length (q), ==, 1);
  g_assert_cmpuint (take_result (q, view (NONE, 2)), ==, 2);
  g_assert_false (fal_output_queue_has_dropped (q)); /* whoever downloads tells of it */
}

static void
test_a_download_that_nobody_waits_for (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();
  g_autoptr (GBytes) picture = g_bytes_new_static ("y", 1);

  g_assert_false (fal_output_queue_set_picture (q, 7, picture));
  fal_output_queue_push_result (q, make_result (1, 7));
  g_assert_false (fal_output_queue_set_picture (q, 6, picture));
  fal_output_queue_clear_results (q);
  g_assert_false (fal_output_queue_set_picture (q, 7, picture));
  g_assert_false (fal_output_queue_set_picture (q, 7, NULL));
}

/* A frame that goes by has no picture, and waits for none. */
static void
test_a_frame_that_goes_by_needs_no_picture (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();

  fal_output_queue_push_result (q, make_passing (1));
  g_assert_cmpuint (take_result (q, view (NONE, 1)), ==, 1);
}

/* ---- room ---- */

static void
test_so_many_results_fill_it (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();

  for (guint i = 1; i <= FAL_OUTPUT_QUEUE_MAX_RESULTS; i++) {
    g_assert_false (fal_output_queue_is_full (q));
    push (q, i);
    g_assert_cmpuint (fal_output_queue_get_length (q), ==, i);
    g_assert_cmpuint (fal_output_queue_peek_newest (q)->serial, ==, i);
  }
  g_assert_true (fal_output_queue_is_full (q));
  take_result (q, view (NONE, 9));
  g_assert_false (fal_output_queue_is_full (q));
}

static void
test_only_an_answer_that_gives_way_is_told_of (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();
  g_autoptr (FalFrame) frame = NULL;

  fal_output_queue_push_result (q, make_passing (1));
  push (q, 2);
  push (q, 3);
  g_assert_cmpuint (fal_output_queue_drop_oldest (q), ==, 0);
  g_assert_false (fal_output_queue_has_dropped (q));
  g_assert_cmpuint (fal_output_queue_drop_oldest (q), ==, 1);
  frame = fal_output_queue_pop_dropped (q);
  g_assert_nonnull (frame);
  g_assert_cmpuint (take_result (q, view (NONE, 3)), ==, 3);
}

/* ---- flushes ---- */

static void
test_a_flush_keeps_what_describes_the_stream (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();
  g_autoptr (GstCaps) caps = gst_caps_new_empty_simple ("image/jpeg");
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  fal_output_queue_push_event (q, gst_event_new_stream_start ("s"), 1);
  fal_output_queue_push_event (q, gst_event_new_caps (caps), 1);
  fal_output_queue_push_event (q, gst_event_new_segment (&segment), 1);
  fal_output_queue_push_event (q, gst_event_new_tag (gst_tag_list_new_empty ()), 2);
  fal_output_queue_push_event (q, gst_event_new_gap (0, 1), 2);
  push_custom (q, 2);
  push_eos (q, 2);
  fal_output_queue_flush_events (q, 5);
  g_assert_false (fal_output_queue_ends (q));
  g_assert_cmpint (peek (q, view (4, 4)), ==, FAL_OUTPUT_NOTHING);
  g_assert_cmpint (take_event (q, view (5, 5)), ==, GST_EVENT_STREAM_START);
  g_assert_cmpint (take_event (q, view (5, 5)), ==, GST_EVENT_CAPS);
  g_assert_cmpint (take_event (q, view (5, 5)), ==, GST_EVENT_TAG);
  g_assert_cmpint (peek (q, view (NONE, 5)), ==, FAL_OUTPUT_NOTHING);
}

static void
test_a_flush_clears_results_and_leaves_events (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();

  push (q, 1);
  push_custom (q, 2);
  fal_output_queue_clear_results (q);
  g_assert_cmpuint (fal_output_queue_get_length (q), ==, 0);
  g_assert_false (fal_output_queue_has_dropped (q));
  g_assert_cmpint (take_event (q, view (NONE, 1)), ==, GST_EVENT_CUSTOM_DOWNSTREAM);
}

static void
test_what_waits_is_freed_with_the_queue (void)
{
  g_autoptr (FalFrame) frame = make_frame ();
  GstSample *sample = frame->sample;
  FalOutputQueue *q = fal_output_queue_new ();
  FalResult *result = make_passing (1);
  FalResult first = { .frame = frame, .serial = 1 };

  fal_frame_unref (result->frame);
  result->frame = fal_frame_ref (frame);
  fal_output_queue_push_result (q, result);
  fal_output_queue_set_answered (q, &first, "id", TRUE);
  push (q, 2);
  push (q, 3);
  take_result (q, view (NONE, 3));
  fal_output_queue_drop_oldest (q);
  push_custom (q, 9);
  fal_output_queue_free (q);
  g_assert_cmpint (GST_MINI_OBJECT_REFCOUNT_VALUE (sample), ==, 1);
}

/* ---- further results ---- */

static void
set_answered (FalOutputQueue *queue, guint64 serial, const gchar *id, gboolean open)
{
  g_autoptr (FalFrame) frame = make_frame ();
  const FalResult first = { .frame = frame, .serial = serial, .sent = 100, .received = 250 };

  fal_output_queue_set_answered (queue, &first, id, open);
}

/* Whether a reply with @id, while others are @in_flight, is one more. */
static gboolean
is_further (FalOutputQueue *queue, const gchar *id, guint in_flight)
{
  FalResult further;

  return fal_output_queue_continue_answered (queue, id, in_flight, 300, &further);
}

static void
test_before_an_answer_nothing_is_further (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();

  g_assert_false (is_further (q, NULL, 0));
  g_assert_false (is_further (q, "a", 0));
}

static void
test_its_id_makes_a_reply_a_further_one (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();

  set_answered (q, 4, "a", FALSE);
  g_assert_true (is_further (q, "a", 0));
  g_assert_true (is_further (q, "a", 3));
  g_assert_false (is_further (q, "b", 0));
  g_assert_false (is_further (q, NULL, 0));
}

static void
test_without_ids_a_reply_is_further_where_no_other_is_awaited (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();

  set_answered (q, 4, NULL, FALSE);
  g_assert_true (is_further (q, NULL, 0));
  g_assert_false (is_further (q, NULL, 1));
  g_assert_false (is_further (q, "a", 0));
}

static void
test_a_further_result_is_described (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();
  g_autoptr (FalFrame) frame = make_frame ();
  const FalResult first = { .frame = frame, .serial = 4, .sent = 100, .received = 250 };
  FalResult further = { 0 };

  fal_output_queue_set_answered (q, &first, "a", FALSE);
  fal_output_queue_count_answered (q, 2);
  g_assert_true (fal_output_queue_continue_answered (q, "a", 1, 400, &further));
  g_assert_true (further.frame == frame);
  g_assert_cmpint (further.kind, ==, FAL_RESULT_ANSWER);
  g_assert_cmpuint (further.serial, ==, 4);
  g_assert_cmpint (further.sent, ==, 100);
  g_assert_cmpint (further.received, ==, 400);
  g_assert_cmpint (further.since_first, ==, 150);
  g_assert_cmpuint (further.index, ==, 2);
  g_assert_cmpuint (further.count, ==, 0); /* nobody knows how many more come */
  fal_output_queue_count_answered (q, 3);
  g_assert_true (fal_output_queue_continue_answered (q, "a", 1, 500, &further));
  g_assert_cmpuint (further.index, ==, 5);
}

static void
test_the_next_answer_begins_anew (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();
  FalResult further;

  set_answered (q, 4, "a", FALSE);
  fal_output_queue_count_answered (q, 2);
  set_answered (q, 5, "b", FALSE);
  g_assert_false (is_further (q, "a", 0));
  g_assert_true (fal_output_queue_continue_answered (q, "b", 0, 300, &further));
  g_assert_cmpuint (further.index, ==, 0);
}

static void
test_an_event_waits_for_a_request_that_may_bring_more (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();

  set_answered (q, 4, "a", TRUE);
  push_custom (q, 5);
  g_assert_cmpint (peek (q, view (NONE, 5)), ==, FAL_OUTPUT_NOTHING);
  fal_output_queue_close_answered (q);
  g_assert_cmpint (peek (q, view (NONE, 5)), ==, FAL_OUTPUT_EVENT);
  g_assert_true (is_further (q, "a", 0)); /* what comes all the same counts */
}

static void
test_an_event_before_an_open_request_need_not_wait (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();

  set_answered (q, 4, "a", TRUE);
  push_custom (q, 4);
  g_assert_cmpint (peek (q, view (NONE, 5)), ==, FAL_OUTPUT_EVENT);
}

static void
test_the_next_answer_closes_the_last (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();

  set_answered (q, 4, "a", TRUE);
  push_custom (q, 5);
  set_answered (q, 5, "b", TRUE);
  g_assert_cmpint (peek (q, view (NONE, 5)), ==, FAL_OUTPUT_EVENT);
}

static void
test_what_is_forgotten_or_flushed_has_no_further_result (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();

  set_answered (q, 4, "a", TRUE);
  fal_output_queue_forget_answered (q);
  g_assert_false (is_further (q, "a", 0));
  set_answered (q, 4, NULL, TRUE);
  push_custom (q, 5);
  fal_output_queue_clear_results (q);
  g_assert_false (is_further (q, NULL, 0));
  g_assert_cmpint (peek (q, view (NONE, 5)), ==, FAL_OUTPUT_EVENT);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
#define ADD(name) g_test_add_func ("/output-queue/" #name, test_##name)
  ADD (an_empty_queue_gives_nothing);
  ADD (an_event_waits_for_the_frames_before_it);
  ADD (events_and_results_keep_the_order_of_the_frames);
  ADD (events_keep_their_own_order);
  ADD (a_result_goes_before_an_event_that_waits);
  ADD (only_an_eos_at_the_end_ends);
  ADD (where_something_is_shown_an_event_goes_before_the_first_newer_frame);
  ADD (what_is_ready_is_not_overtaken);
  ADD (an_event_goes_before_a_newer_result);
  ADD (what_is_downloaded_is_overtaken);
  ADD (an_eos_overtakes_nothing);
  ADD (nothing_overtakes_an_eos);
  ADD (results_that_were_overtaken_give_way);
  ADD (an_event_in_its_place_overtakes_nobody);
  ADD (serials_that_begin_anew_were_not_overtaken);
  ADD (a_fill_goes_where_nothing_else_does);
  ADD (a_fill_keeps_its_place_among_the_events);
  ADD (a_download_does_not_hold_up_a_fill);
  ADD (a_download_holds_up_those_behind_it);
  ADD (a_later_download_may_end_first);
  ADD (a_download_in_vain_frees_the_way);
  ADD (a_download_that_nobody_waits_for);
  ADD (a_frame_that_goes_by_needs_no_picture);
  ADD (so_many_results_fill_it);
  ADD (only_an_answer_that_gives_way_is_told_of);
  ADD (a_flush_keeps_what_describes_the_stream);
  ADD (a_flush_clears_results_and_leaves_events);
  ADD (what_waits_is_freed_with_the_queue);
  ADD (before_an_answer_nothing_is_further);
  ADD (its_id_makes_a_reply_a_further_one);
  ADD (without_ids_a_reply_is_further_where_no_other_is_awaited);
  ADD (a_further_result_is_described);
  ADD (the_next_answer_begins_anew);
  ADD (an_event_waits_for_a_request_that_may_bring_more);
  ADD (an_event_before_an_open_request_need_not_wait);
  ADD (the_next_answer_closes_the_last);
  ADD (what_is_forgotten_or_flushed_has_no_further_result);
  return g_test_run ();
}
