/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The output queue: how events and results merge. Frames are known by their serials; what is still
 * to come is given with each look. */
#include "fal/policy/output-queue.h"

#define NONE G_MAXUINT64
#define NO_TIME GST_CLOCK_TIME_NONE
#define LATER (G_MAXINT64 - 1) /* than any result */
#define MS G_TIME_SPAN_MILLISECOND
#define MAX_BYTES (32 * 1024 * 1024)

/* Frames up to @newest came; @oldest may still bring a result. */
static FalOutputView
view (guint64 oldest, guint64 newest)
{
  return (FalOutputView){ .oldest = oldest, .newest = newest, .now = LATER };
}

/* The same, while something is shown in place of what is owed. */
static FalOutputView
replaced (guint64 oldest, guint64 newest)
{
  return (FalOutputView){ .oldest = oldest, .newest = newest, .replaced = TRUE, .now = LATER };
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

/* One that is to be shown later waits, with the events behind it. */
static void
test_a_result_goes_out_when_its_time_has_come (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();
  FalOutputView early = { .oldest = NONE, .newest = 2, .now = 999 };
  FalOutputView due = { .oldest = NONE, .newest = 2, .now = 1000 };
  FalResult *result = make_result (1, 0);

  g_assert_cmpint (fal_output_queue_get_result_time (q, &early), ==, G_MAXINT64);
  result->complete = 1000;
  fal_output_queue_push_result (q, result);
  push_custom (q, 2);
  g_assert_cmpint (fal_output_queue_get_result_time (q, &early), ==, 1000);
  g_assert_cmpint (peek (q, early), ==, FAL_OUTPUT_NOTHING);
  g_assert_cmpuint (take_result (q, due), ==, 1);
  g_assert_cmpint (peek (q, due), ==, FAL_OUTPUT_EVENT);
  fal_output_queue_push_result (q, make_result (2, 7));
  g_assert_cmpint (
      fal_output_queue_get_result_time (q, &early), ==, G_MAXINT64); /* no picture yet */
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
  g_assert_true (fal_output_queue_set_picture (q, 7, picture, 1, NO_TIME));
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
  g_assert_true (fal_output_queue_set_picture (q, 8, picture, 1, NO_TIME));
  g_assert_cmpint (peek (q, v), ==, FAL_OUTPUT_NOTHING);
  g_assert_true (fal_output_queue_set_picture (q, 7, picture, 1, NO_TIME));
  g_assert_cmpuint (take_result (q, v), ==, 1);
  g_assert_cmpuint (take_result (q, v), ==, 2);
}

static void
test_a_download_in_vain_frees_the_way (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();

  fal_output_queue_push_result (q, make_result (1, 7));
  push (q, 2);
  g_assert_true (fal_output_queue_set_picture (q, 7, NULL, 1, NO_TIME));
  g_assert_cmpuint (fal_output_queue_get_length (q), ==, 1);
  g_assert_cmpuint (take_result (q, view (NONE, 2)), ==, 2);
  g_assert_false (fal_output_queue_has_dropped (q)); /* whoever downloads tells of it */
}

static void
test_a_download_that_nobody_waits_for (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();
  g_autoptr (GBytes) picture = g_bytes_new_static ("y", 1);

  g_assert_false (fal_output_queue_set_picture (q, 7, picture, 1, NO_TIME));
  fal_output_queue_push_result (q, make_result (1, 7));
  g_assert_false (fal_output_queue_set_picture (q, 6, picture, 1, NO_TIME));
  fal_output_queue_clear_results (q);
  g_assert_false (fal_output_queue_set_picture (q, 7, picture, 1, NO_TIME));
  g_assert_false (fal_output_queue_set_picture (q, 7, NULL, 1, NO_TIME));
}

/* What stands for a frame that is not sent keeps the place of that frame. */
static void
test_what_stands_for_a_frame_waits_for_older_ones (void)
{
  g_autoptr (FalOutputQueue) queue = fal_output_queue_new ();
  FalResult *standing = make_passing (2);
  FalOutputView look = view (1, 2);

  look.in_order = TRUE;
  standing->kind = FAL_RESULT_STANDING;
  standing->in_turn = TRUE;
  fal_output_queue_push_result (queue, standing);
  g_assert_cmpint (fal_output_queue_peek (queue, &look), ==, FAL_OUTPUT_NOTHING);
  push (queue, 1);
  look = view (NONE, 2);
  g_assert_cmpuint (take_result (queue, look), ==, 1);
  g_assert_cmpuint (take_result (queue, look), ==, 2);
}

/* An app that streams may send more for the frame before. */
static void
test_what_stands_for_a_frame_waits_for_further_results (void)
{
  g_autoptr (FalOutputQueue) queue = fal_output_queue_new ();
  g_autoptr (FalResult) first = make_result (1, 0);
  FalResult *standing = make_passing (2);
  FalOutputView look = view (NONE, 2);

  look.in_order = TRUE;
  fal_output_queue_set_answered (queue, first, NULL, TRUE);
  standing->kind = FAL_RESULT_STANDING;
  standing->in_turn = TRUE;
  fal_output_queue_push_result (queue, standing);
  g_assert_cmpint (fal_output_queue_peek (queue, &look), ==, FAL_OUTPUT_NOTHING);
  fal_output_queue_close_answered (queue);
  g_assert_cmpint (fal_output_queue_peek (queue, &look), ==, FAL_OUTPUT_RESULT);
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

/* Of a pipeline whose sinks wait for 300 ms; downstream has taken its first results. */
static FalOutputQueue *
make_queue (gboolean leaky)
{
  const FalOutputQueueConfig config = { 300 * MS, leaky };
  FalOutputQueue *queue = fal_output_queue_new ();

  fal_output_queue_configure (queue, &config);
  push (queue, 1);
  push (queue, 1);
  take_result (queue, view (NONE, 9));
  take_result (queue, view (NONE, 9));
  return queue;
}

/* Pushes the result of frame @serial, which is complete at @time and keeps @size bytes. */
static FalResult *
push_complete (FalOutputQueue *queue, guint64 serial, gint64 time, gsize size)
{
  FalResult *result = make_result (serial, 0);

  result->complete = time;
  result->size = size;
  fal_output_queue_push_result (queue, result);
  return result;
}

/* Results of frames 1 to @n, one each 10 ms, the first at 10 ms. */
static void
push_row (FalOutputQueue *queue, guint n)
{
  for (guint i = 1; i <= n; i++)
    push_complete (queue, i, i * 10 * MS, 1);
}

static void
test_a_few_results_fill_it_once_they_are_older_than_the_latency (void)
{
  g_autoptr (FalOutputQueue) q = make_queue (TRUE);

  push_row (q, 3);
  g_assert_false (fal_output_queue_is_full (q, 9999 * MS));
  push_complete (q, 4, 40 * MS, 1);
  g_assert_false (fal_output_queue_is_full (q, 310 * MS));
  g_assert_true (fal_output_queue_is_full (q, 310 * MS + 1));
  take_result (q, view (NONE, 9));
  g_assert_false (fal_output_queue_is_full (q, 310 * MS + 1));
}

static void
test_as_many_may_wait_as_the_latency_has_room_for (void)
{
  g_autoptr (FalOutputQueue) q = make_queue (TRUE);

  push_row (q, 30);
  g_assert_false (fal_output_queue_is_full (q, 310 * MS));
  g_assert_cmpuint (fal_output_queue_make_room (q, 310 * MS), ==, 0);
  g_assert_cmpuint (fal_output_queue_make_room (q, 330 * MS), ==, 2);
  g_assert_cmpuint (fal_output_queue_get_length (q), ==, 28);
  g_assert_cmpuint (fal_output_queue_make_room (q, 9999 * MS), ==, 24); /* but for a few */
  g_assert_cmpuint (take_result (q, view (NONE, 99)), ==, 27);
}

static void
test_bytes_fill_it_too (void)
{
  g_autoptr (FalOutputQueue) q = make_queue (TRUE);
  const gsize part = MAX_BYTES / 5;

  for (guint i = 1; i <= 5; i++) {
    g_assert_false (fal_output_queue_is_full (q, 50 * MS));
    push_complete (q, i, 10 * MS, part + (i == 5 ? 2 : 0));
  }
  g_assert_true (fal_output_queue_is_full (q, 50 * MS));
  g_assert_cmpuint (fal_output_queue_make_room (q, 50 * MS), ==, 0);
  push_complete (q, 6, 10 * MS, 1);
  g_assert_cmpuint (fal_output_queue_make_room (q, 50 * MS), ==, 1);
  g_assert_cmpuint (take_result (q, view (NONE, 9)), ==, 2);
}

/* A picture counts once it is here. */
static void
test_downloads_are_counted_and_a_few_of_them_are_enough (void)
{
  g_autoptr (FalOutputQueue) q = make_queue (TRUE);
  g_autofree gchar *data = g_malloc0 (MAX_BYTES);
  g_autoptr (GBytes) picture = g_bytes_new_static (data, MAX_BYTES);

  for (guint i = 1; i <= 5; i++)
    fal_output_queue_push_result (q, make_result (i, i));
  g_assert_true (fal_output_queue_is_full (q, 50 * MS));
  g_assert_cmpuint (fal_output_queue_make_room (q, 9999 * MS), ==, 0);
  fal_output_queue_set_picture (q, 2, picture, 9000 * MS, 500 * MS);
  g_assert_cmpuint (fal_output_queue_make_room (q, 9999 * MS), ==, 0);
  fal_output_queue_set_picture (q, 3, picture, 9000 * MS, 500 * MS);
  g_assert_cmpuint (fal_output_queue_make_room (q, 9999 * MS), ==, 1);
}

static void
test_a_downloaded_picture_takes_no_room_once_it_is_gone (void)
{
  g_autoptr (FalOutputQueue) q = make_queue (TRUE);
  g_autofree gchar *data = g_malloc0 (MAX_BYTES);
  g_autoptr (GBytes) picture = g_bytes_new_static (data, MAX_BYTES);

  fal_output_queue_push_result (q, make_result (1, 7));
  fal_output_queue_set_picture (q, 7, picture, 10 * MS, 0);
  push_complete (q, 2, 10 * MS, 1);
  push_complete (q, 3, 10 * MS, 1);
  push_complete (q, 4, 10 * MS, 1);
  g_assert_true (fal_output_queue_is_full (q, 50 * MS));
  g_assert_cmpuint (take_result (q, view (NONE, 9)), ==, 1);
  push_complete (q, 5, 10 * MS, 1);
  g_assert_false (fal_output_queue_is_full (q, 50 * MS));
}

static void
test_a_downloaded_picture_has_the_time_at_which_it_was_here (void)
{
  g_autoptr (FalOutputQueue) q = make_queue (TRUE);
  g_autoptr (GBytes) picture = g_bytes_new_static ("y", 1);
  g_autoptr (FalResult) result = NULL;
  const FalOutputView v = view (NONE, 1);
  GstEvent *event;

  fal_output_queue_push_result (q, make_result (1, 7));
  fal_output_queue_set_picture (q, 7, picture, 9000 * MS, 500 * GST_MSECOND);
  fal_output_queue_take (q, &v, &event, &result);
  g_assert_cmpint (result->complete, ==, 9000 * MS);
  g_assert_cmpuint (result->arrived, ==, 500 * GST_MSECOND);
}

/* A sink that has something to show waits until the others have, and only then is the latency
 * final.
 */
static void
test_the_latency_is_final_once_the_first_result_was_taken (void)
{
  const FalOutputQueueConfig untold = { -1, TRUE }, config = { 0, TRUE };
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();

  fal_output_queue_configure (q, &untold);
  push_row (q, 6);
  for (guint i = 0; i < 2; i++) { /* events are nothing to show */
    push_custom (q, 0);
    take_event (q, view (NONE, 9));
  }
  take_result (q, view (NONE, 9)); /* which downstream holds */
  g_assert_true (fal_output_queue_is_full (q, 100 * MS));
  fal_output_queue_configure (q, &config);
  g_assert_false (fal_output_queue_is_full (q, 5000 * MS + 20 * MS));
  g_assert_true (fal_output_queue_is_full (q, 5000 * MS + 20 * MS + 1));
  take_result (q, view (NONE, 9));
  g_assert_true (fal_output_queue_is_full (q, 100 * MS));
}

/* A result that is laid over its frame is taken, too: of two the first was shown. */
static void
test_the_latency_is_final_once_an_answer_was_laid_over_its_frame (void)
{
  const FalOutputQueueConfig config = { 0, TRUE };
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();

  fal_output_queue_configure (q, &config);
  push_row (q, 6);
  for (guint i = 0; i < 2; i++) {
    g_autoptr (FalResult) answer = NULL;

    g_assert_false (fal_output_queue_is_full (q, 100 * MS));
    answer = fal_output_queue_take_answer (q);
  }
  g_assert_true (fal_output_queue_is_full (q, 100 * MS));
}

/* Where no frame is lost only further results give way, and they only to bytes. */
static void
test_of_a_file_nothing_gives_way_but_further_results (void)
{
  g_autoptr (FalOutputQueue) q = make_queue (FALSE);
  const gsize half = MAX_BYTES / 2;

  for (guint i = 1; i <= 6; i++)
    push_complete (q, i, 10 * MS, half)->further = i == 3 || i == 4;
  g_assert_true (fal_output_queue_is_full (q, 20 * MS));
  g_assert_cmpuint (fal_output_queue_make_room (q, 9999 * MS), ==, 2);
  g_assert_cmpuint (fal_output_queue_make_room (q, 9999 * MS), ==, 0);
  g_assert_cmpuint (take_result (q, view (NONE, 9)), ==, 1);
  g_assert_cmpuint (take_result (q, view (NONE, 9)), ==, 2);
  g_assert_cmpuint (take_result (q, view (NONE, 9)), ==, 5);
}

/* They wait for room before they come, and are no results. */
static void
test_frames_that_go_by_never_give_way (void)
{
  g_autoptr (FalOutputQueue) q = make_queue (TRUE);

  for (guint i = 1; i <= 4; i++) {
    g_assert_true (fal_output_queue_has_room (q));
    fal_output_queue_push_result (q, make_passing (i));
  }
  g_assert_false (fal_output_queue_has_room (q));
  g_assert_false (fal_output_queue_is_full (q, 9999 * MS));
  push_row (q, 7);
  g_assert_cmpuint (fal_output_queue_make_room (q, 9999 * MS), ==, 3);
  for (guint i = 1; i <= 4; i++)
    g_assert_cmpuint (take_result (q, view (NONE, 9)), ==, i);
  g_assert_true (fal_output_queue_has_room (q));
  g_assert_cmpuint (take_result (q, view (NONE, 9)), ==, 4);
}

static FalResult *
make_fallback (guint64 serial)
{
  FalResult *result = g_new0 (FalResult, 1);

  *result = (FalResult){ .kind = FAL_RESULT_FALLBACK, .frame = make_frame (), .serial = serial };
  return result;
}

/* Each keeps its frame's picture; an answer that waits ends the need for them. */
static void
test_a_few_fallbacks_may_wait_where_no_answer_does (void)
{
  g_autoptr (FalOutputQueue) q = make_queue (TRUE);

  for (guint i = 1; i <= 4; i++) {
    g_assert_true (fal_output_queue_takes_fallback (q));
    fal_output_queue_push_result (q, make_fallback (i));
  }
  g_assert_false (fal_output_queue_takes_fallback (q));
  g_assert_cmpuint (take_result (q, view (NONE, 9)), ==, 1); /* it has no picture yet */
  g_assert_true (fal_output_queue_takes_fallback (q));
  push (q, 9);
  take_result (q, view (NONE, 9));
  g_assert_false (fal_output_queue_takes_fallback (q));
}

/* Nobody waits for them, as for answers: they are not late. */
static void
test_fallbacks_that_give_way_are_not_counted (void)
{
  g_autoptr (FalOutputQueue) q = make_queue (TRUE);

  for (guint i = 1; i <= 3; i++) {
    FalResult *fallback = make_fallback (i);

    fallback->complete = 10 * MS;
    fal_output_queue_push_result (q, fallback);
  }
  for (guint i = 4; i <= 7; i++)
    push_complete (q, i, 10 * MS, 1);
  g_assert_cmpuint (fal_output_queue_make_room (q, 9999 * MS), ==, 0);
  g_assert_cmpuint (take_result (q, view (NONE, 9)), ==, 4);
  g_assert_false (fal_output_queue_has_dropped (q));
}

/* Whether the frame of a result that gives way is told of. */
static gboolean
tells_drop (FalOutputQueue *queue)
{
  g_autoptr (FalFrame) frame = fal_output_queue_pop_dropped (queue);

  return frame != NULL;
}

static void
test_a_frame_is_told_of_once_nothing_is_left_of_it (void)
{
  g_autoptr (FalOutputQueue) q = make_queue (TRUE);

  push_complete (q, 6, 10 * MS, 1);
  push_complete (q, 6, 20 * MS, 1);
  push_row (q, 4); /* of other frames */
  g_assert_cmpuint (fal_output_queue_make_room (q, 310 * MS + 1), ==, 1);
  g_assert_false (tells_drop (q)); /* another result of it waits */
  g_assert_cmpuint (fal_output_queue_make_room (q, 320 * MS + 1), ==, 1);
  g_assert_true (tells_drop (q));
  g_assert_false (fal_output_queue_has_dropped (q));
}

static void
test_a_frame_whose_result_went_out_is_not_told_of (void)
{
  g_autoptr (FalOutputQueue) q = make_queue (TRUE);

  for (guint i = 0; i < 6; i++)
    push_complete (q, 2, 10 * MS, 1);
  take_result (q, view (NONE, 9));
  g_assert_cmpuint (fal_output_queue_make_room (q, 9999 * MS), ==, 1);
  g_assert_false (tells_drop (q));
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

/* As much as in the beginning. */
static void
test_a_flush_makes_room (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();

  for (guint i = 1; i <= 4; i++) {
    fal_output_queue_push_result (q, make_passing (i));
    push_complete (q, i, 10 * MS, MAX_BYTES);
  }
  fal_output_queue_clear_results (q);
  g_assert_false (fal_output_queue_is_full (q, 9999 * MS));
  for (guint i = 1; i <= 4; i++) {
    g_assert_true (fal_output_queue_has_room (q));
    fal_output_queue_push_result (q, make_passing (i));
  }
  g_assert_false (fal_output_queue_has_room (q));
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
  g_assert_true (further.further);
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

static void
add_frame (gpointer frame, gpointer frames)
{
  g_ptr_array_add (frames, frame);
}

static void
test_all_frames_can_be_looked_at (void)
{
  g_autoptr (FalOutputQueue) queue = fal_output_queue_new ();
  g_autoptr (GPtrArray) frames = g_ptr_array_new ();
  FalResult *results[] = { make_result (1, 0), make_result (2, 7), make_passing (3) };

  fal_output_queue_foreach_frame (queue, add_frame, frames);
  g_assert_cmpuint (frames->len, ==, 0);
  for (guint i = 0; i < 3; i++)
    fal_output_queue_push_result (queue, results[i]);
  fal_output_queue_foreach_frame (queue, add_frame, frames);
  g_assert_cmpuint (frames->len, ==, 3);
  for (guint i = 0; i < 3; i++)
    g_assert_true (frames->pdata[i] == results[i]->frame);
}

/* Where no frame is lost an answer waits for those of older frames, and goes before newer ones. */
static void
test_answers_wait_for_older_frames_where_none_is_lost (void)
{
  g_autoptr (FalOutputQueue) queue = fal_output_queue_new ();
  FalOutputView waits = { .oldest = 1, .newest = 3, .in_order = TRUE };
  FalOutputView free = { .oldest = NONE, .newest = 3, .in_order = TRUE };

  push (queue, 3);
  push (queue, 2);
  g_assert_cmpint (fal_output_queue_peek (queue, &waits), ==, FAL_OUTPUT_NOTHING);
  push (queue, 1);
  for (guint i = 1; i <= 3; i++) {
    GstEvent *event;
    g_autoptr (FalResult) result = NULL;

    g_assert_cmpint (fal_output_queue_take (queue, i == 1 ? &waits : &free, &event, &result), ==,
        FAL_OUTPUT_RESULT);
    g_assert_cmpuint (result->serial, ==, i);
  }
}

/* The first that came goes first. */
static void
test_results_of_one_frame_keep_their_order (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();
  const FalOutputView v = view (NONE, 3);

  push (q, 3);
  for (guint i = 0; i < 3; i++) {
    FalResult *result = make_result (2, 0);

    result->index = i;
    fal_output_queue_push_result (q, result);
  }
  for (guint i = 0; i < 3; i++) {
    g_autoptr (FalResult) result = NULL;
    GstEvent *event;

    fal_output_queue_take (q, &v, &event, &result);
    g_assert_cmpuint (result->serial, ==, 2);
    g_assert_cmpuint (result->index, ==, i);
  }
}

/* What older frames still bring comes out behind it: it asked for no place of its own. */
static void
test_an_answer_that_waited_for_no_other_overtakes_none (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();

  push (q, 3);
  g_assert_cmpuint (take_result (q, view (2, 3)), ==, 3);
  push (q, 2);
  g_assert_cmpuint (fal_output_queue_drop_overtaken (q), ==, 0);
  g_assert_cmpuint (take_result (q, view (NONE, 3)), ==, 2);
}

/* What goes by is not held up by the answer that it takes the place of. */
static void
test_a_frame_that_goes_by_waits_for_no_answer (void)
{
  g_autoptr (FalOutputQueue) queue = fal_output_queue_new ();
  FalOutputView waits = { .oldest = 1, .newest = 3, .in_order = TRUE };

  fal_output_queue_push_result (queue, make_passing (2));
  g_assert_cmpint (fal_output_queue_peek (queue, &waits), ==, FAL_OUTPUT_RESULT);
}

/* ---- several connections ---- */

/* A live result that overtook an older frame's waits for it, but not for longer than a sink would
 * have it wait. */
static void
test_a_live_result_waits_for_older_ones_as_long_as_it_may (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();
  FalOutputView waits = { .oldest = 1, .newest = 3, .now = 100, .hold = 500 };
  FalOutputView free = { .oldest = NONE, .newest = 3, .now = 100, .hold = 500 };
  FalResult *result = make_result (2, 0);

  result->frame->arrival = 50;
  result->complete = 90;
  fal_output_queue_push_result (q, result);
  g_assert_cmpint (fal_output_queue_get_result_time (q, &waits), ==, 550);
  g_assert_cmpint (peek (q, waits), ==, FAL_OUTPUT_NOTHING);
  g_assert_cmpint (fal_output_queue_get_result_time (q, &free), ==, 90);
  push (q, 1);
  g_assert_cmpuint (take_result (q, free), ==, 1);
  waits.now = 550;
  g_assert_cmpuint (take_result (q, waits), ==, 2);
}

static void
test_one_that_is_late_waits_for_none (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();
  FalOutputView waits = { .oldest = 1, .newest = 3, .now = 900, .hold = 500 };
  FalResult *result = make_result (2, 0);

  result->frame->arrival = 50;
  result->complete = 900;
  fal_output_queue_push_result (q, result);
  g_assert_cmpuint (take_result (q, waits), ==, 2);
}

/* Where its own frame is the oldest that something may still come of. */
static void
test_a_live_result_does_not_wait_for_its_own_frame (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();
  const FalOutputView owed = { .oldest = 2, .newest = 3, .now = 90, .hold = 500 };
  FalResult *result = make_result (2, 0);

  result->frame->arrival = 50;
  result->complete = 90;
  fal_output_queue_push_result (q, result);
  g_assert_cmpuint (take_result (q, owed), ==, 2);
}

/* Results that wait for a slow connection's are no sign of a downstream that is blocked. */
static void
test_of_a_file_results_of_several_may_run_ahead (void)
{
  const FalOutputQueueConfig one = { .latency = 0, .lanes = 1 },
                             four = { .latency = 0, .lanes = 4 };
  guint most = 4 + 4 * 8;
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();

  for (guint i = 0; i < most; i++) {
    FalResult *result = make_result (i + 2, 0);

    g_assert_false (fal_output_queue_is_full (q, LATER));
    result->complete = 1;
    fal_output_queue_push_result (q, result);
    fal_output_queue_configure (q, &four);
  }
  g_assert_true (fal_output_queue_is_full (q, LATER));
  fal_output_queue_make_room (q, LATER);
  g_assert_cmpuint (fal_output_queue_get_length (q), ==, most);
  fal_output_queue_configure (q, &one);
  g_assert_true (fal_output_queue_is_full (q, LATER));
}

static void
test_how_many_may_run_ahead_depends_on_the_connections (void)
{
  static const struct {
    gboolean leaky;
    guint lanes, few;
  } rows[] = { { FALSE, 0, 4 }, { FALSE, 1, 4 }, { FALSE, 2, 20 }, { FALSE, 3, 28 }, { TRUE, 1, 4 },
    { TRUE, 3, 4 } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    const FalOutputQueueConfig config = { -1, rows[i].leaky, rows[i].lanes };
    g_autoptr (FalOutputQueue) q = fal_output_queue_new ();

    fal_output_queue_configure (q, &config);
    push_row (q, rows[i].few - 1);
    g_assert_false (fal_output_queue_is_full (q, LATER));
    push_complete (q, rows[i].few, 10 * MS, 1);
    g_assert_true (fal_output_queue_is_full (q, LATER));
  }
}

/* Frame number @serial passes in its turn, at @time at the latest where frames drop. */
static void
push_in_turn (FalOutputQueue *queue, guint64 serial, gint64 time)
{
  FalResult *result = make_passing (serial);

  result->in_turn = TRUE;
  result->complete = time;
  fal_output_queue_push_result (queue, result);
}

static void
test_a_frame_in_its_turn_waits_for_older_answers (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();
  const FalOutputView waits = { .oldest = 1, .newest = 3, .now = LATER, .in_order = TRUE };
  const FalOutputView free = { .oldest = 3, .newest = 3, .now = LATER, .in_order = TRUE };

  push_in_turn (q, 2, 100);
  g_assert_cmpint (peek (q, waits), ==, FAL_OUTPUT_NOTHING);
  g_assert_cmpint (fal_output_queue_get_result_time (q, &waits), ==, G_MAXINT64);
  push (q, 1); /* the answer is here, which another one may precede no more */
  g_assert_cmpuint (take_result (q, waits), ==, 1);
  g_assert_cmpint (peek (q, waits), ==, FAL_OUTPUT_NOTHING);
  g_assert_cmpint (fal_output_queue_get_result_time (q, &free), ==, 0);
  g_assert_cmpuint (take_result (q, free), ==, 2);
}

/* Where frames drop, until its time. What comes of older ones afterwards is too late. */
static void
test_a_live_frame_in_its_turn_waits_no_longer_than_it_may (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();
  const FalOutputView early = { .oldest = 1, .newest = 3, .now = 99 };
  const FalOutputView late = { .oldest = 1, .newest = 3, .now = 100 };

  push_in_turn (q, 2, 100);
  push_custom (q, 3);
  g_assert_cmpint (peek (q, early), ==, FAL_OUTPUT_NOTHING);
  g_assert_cmpint (fal_output_queue_get_result_time (q, &early), ==, 100);
  g_assert_cmpuint (take_result (q, late), ==, 2);
  push (q, 1);
  g_assert_cmpuint (fal_output_queue_drop_overtaken (q), ==, 1);
  push (q, 3);
  g_assert_cmpuint (fal_output_queue_drop_overtaken (q), ==, 0);
  g_assert_cmpuint (fal_output_queue_get_length (q), ==, 1);
}

static void
test_of_many_live_frames_in_their_turn_the_oldest_goes (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();
  const FalOutputView waits = { .oldest = 1, .newest = 9, .now = 0 };

  for (guint i = 2; i < 2 + 4; i++) {
    g_assert_cmpint (peek (q, waits), ==, FAL_OUTPUT_NOTHING);
    push_in_turn (q, i, 100);
  }
  g_assert_cmpuint (take_result (q, waits), ==, 2);
  g_assert_cmpint (peek (q, waits), ==, FAL_OUTPUT_NOTHING);
}

/* Where sinks have them wait: as many as fit. */
static void
test_frames_in_their_turn_wait_as_sinks_do (void)
{
  const FalOutputQueueConfig config = { 300 * MS, TRUE };
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();
  const FalOutputView waits = { .oldest = 1, .newest = 99, .now = 0 };

  fal_output_queue_configure (q, &config);
  for (guint i = 2; i < 18; i++) {
    FalResult *result = make_passing (i);

    g_assert_true (fal_output_queue_has_room_in_turn (q));
    result->in_turn = TRUE;
    result->complete = 100;
    result->size = MAX_BYTES / 16;
    fal_output_queue_push_result (q, result);
    g_assert_cmpint (peek (q, waits), ==, i < 17 ? FAL_OUTPUT_NOTHING : FAL_OUTPUT_RESULT);
  }
  g_assert_false (fal_output_queue_has_room_in_turn (q));
  g_assert_false (fal_output_queue_has_room (q));
  g_assert_cmpuint (take_result (q, waits), ==, 2);
  g_assert_cmpint (peek (q, waits), ==, FAL_OUTPUT_NOTHING);
  fal_output_queue_clear_results (q);
  g_assert_true (fal_output_queue_has_room (q));
}

/* One that a streaming app may still answer. */
static void
test_a_frame_in_its_turn_waits_for_further_answers (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();
  const FalOutputView free = { .oldest = NONE, .newest = 3, .now = LATER, .in_order = TRUE };
  g_autoptr (FalResult) first = make_result (1, 0);

  fal_output_queue_set_answered (q, first, NULL, TRUE);
  push_in_turn (q, 2, 100);
  g_assert_cmpint (peek (q, free), ==, FAL_OUTPUT_NOTHING);
  fal_output_queue_close_answered (q);
  g_assert_cmpuint (take_result (q, free), ==, 2);
}

/* Nor for more of its own, if an app that streams has answered it. */
static void
test_a_frame_in_its_turn_does_not_wait_for_itself (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();
  const FalOutputView owed = { .oldest = 2, .newest = 3, .now = LATER, .in_order = TRUE };
  g_autoptr (FalResult) first = make_result (2, 0);

  push_in_turn (q, 2, 100);
  g_assert_cmpint (fal_output_queue_get_result_time (q, &owed), ==, 0);
  fal_output_queue_set_answered (q, first, NULL, TRUE);
  g_assert_cmpint (fal_output_queue_get_result_time (q, &owed), ==, 0);
}

/* ---- questions ---- */

static void
test_it_knows_what_waits (void)
{
  g_autoptr (FalOutputQueue) q = make_queue (TRUE);

  g_assert_cmpuint (fal_output_queue_get_first (q), ==, NONE);
  g_assert_false (fal_output_queue_has_result (q, 2));
  push (q, 2);
  push (q, 3);
  g_assert_cmpuint (fal_output_queue_get_first (q), ==, 2);
  g_assert_true (fal_output_queue_has_result (q, 2));
  g_assert_true (fal_output_queue_has_result (q, 3));
  g_assert_false (fal_output_queue_has_result (q, 4));
}

/* Whether an answer with a picture is the first, to a frame that comes out anyhow. */
static void
test_it_knows_an_answer_that_lies_over_its_frame (void)
{
  static const struct {
    FalResultKind kind;
    gboolean comes_out;
    guint64 download;
    gboolean has_answer;
  } rows[] = {
    { FAL_RESULT_ANSWER, TRUE, 0, TRUE },
    { FAL_RESULT_ANSWER, FALSE, 0, FALSE },
    { FAL_RESULT_ANSWER, TRUE, 7, FALSE },
    { FAL_RESULT_PASS, TRUE, 0, FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (FalOutputQueue) q = make_queue (TRUE);
    FalResult *result = make_result (1, rows[i].download);

    g_assert_false (fal_output_queue_has_answer (q));
    result->kind = rows[i].kind;
    result->frame->comes_out = rows[i].comes_out;
    fal_output_queue_push_result (q, result);
    g_assert_cmpint (fal_output_queue_has_answer (q), ==, rows[i].has_answer);
  }
}

/* ---- gaps ---- */

static void
push_gap (FalOutputQueue *queue, guint64 serial, GstClockTime start, GstClockTime duration)
{
  fal_output_queue_push_gap (queue, gst_event_new_gap (start, duration), serial);
}

/* The next event is a GAP of this time. */
static void
expect_gap (FalOutputQueue *queue, GstClockTime wanted_start, GstClockTime wanted_duration)
{
  const FalOutputView all = view (NONE, 99);
  g_autoptr (GstEvent) gap = NULL;
  FalResult *result = NULL;
  GstClockTime start, duration;

  g_assert_cmpint (fal_output_queue_take (queue, &all, &gap, &result), ==, FAL_OUTPUT_EVENT);
  gst_event_parse_gap (gap, &start, &duration);
  g_assert_cmpuint (start, ==, wanted_start);
  g_assert_cmpuint (duration, ==, wanted_duration);
}

static void
test_gaps_in_a_row_become_one (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();

  push_gap (q, 2, 0, 33333333);
  push_gap (q, 2, 33333333, 33333333);
  push_gap (q, 2, 66666667, 33333333); /* a nanosecond later, as times are rounded */
  push_gap (q, 2, 200000000, 33333333);
  push_gap (q, 3, 233333333, 33333333); /* a frame came in between */
  push_gap (q, 3, 300000000, GST_CLOCK_TIME_NONE);
  push_gap (q, 3, 333333333, 33333333);
  expect_gap (q, 0, 100000000);
  expect_gap (q, 200000000, 33333333);
  expect_gap (q, 233333333, 33333333);
  expect_gap (q, 300000000, GST_CLOCK_TIME_NONE);
  expect_gap (q, 333333333, 33333333);
}

/* Up to a microsecond may lie between them, and each must have an end. */
static void
test_gaps_become_one_only_where_they_meet (void)
{
  g_autoptr (FalOutputQueue) q = make_queue (TRUE);

  push_gap (q, 2, 5000, 1000);
  push_gap (q, 2, 7000, 1000);
  push_gap (q, 2, 9001, 1000);
  push_gap (q, 2, 10001, GST_CLOCK_TIME_NONE);
  push_gap (q, 2, 10001, 1000);
  expect_gap (q, 5000, 3000);
  expect_gap (q, 9001, 1000);
  expect_gap (q, 10001, GST_CLOCK_TIME_NONE);
  expect_gap (q, 10001, 1000);
}

static void
test_a_gap_keeps_its_place (void)
{
  g_autoptr (FalOutputQueue) q = fal_output_queue_new ();

  push_gap (q, 2, 0, 10);
  push_custom (q, 2);
  push_gap (q, 2, 10, 10);
  g_assert_cmpint (peek (q, view (1, 3)), ==, FAL_OUTPUT_NOTHING);
  expect_gap (q, 0, 10);
  g_assert_cmpint (take_event (q, view (2, 3)), ==, GST_EVENT_CUSTOM_DOWNSTREAM);
  expect_gap (q, 10, 10);
}

/* Only those that follow each other do. */
static void
test_gaps_apart_stay_two (void)
{
  static const struct {
    GstClockTime start, duration, next_start, next_duration;
    GstClockTime joined; /* how long both are; 0: they stay two */
  } rows[] = {
    { 100000, 50000, 150000, 70000, 120000 },
    { 100000, 50000, 151000, 70000, 121000 }, /* as times are rounded */
    { 100000, 50000, 151001, 70000, 0 },
    { 100000, 50000, 148999, 70000, 0 },
    { 100000, 50000, 90000, 70000, 0 },
    { 100000, GST_CLOCK_TIME_NONE, 150000, 70000, 0 },
    { 100000, 50000, 150000, GST_CLOCK_TIME_NONE, 0 },
  };
  g_autoptr (GstEvent) other = gst_event_new_eos (), gap = gst_event_new_gap (0, 1);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GstEvent) one = gst_event_new_gap (rows[i].start, rows[i].duration);
    g_autoptr (GstEvent) next = gst_event_new_gap (rows[i].next_start, rows[i].next_duration);
    g_autoptr (GstEvent) joined = fal_output_queue_join_gaps (one, next);
    GstClockTime start, duration;

    g_assert_true ((joined != NULL) == (rows[i].joined > 0));
    if (joined == NULL)
      continue;
    gst_event_parse_gap (joined, &start, &duration);
    g_assert_cmpuint (start, ==, rows[i].start);
    g_assert_cmpuint (duration, ==, rows[i].joined);
    g_assert_cmpuint (gst_event_get_seqnum (joined), ==, gst_event_get_seqnum (next));
  }
  g_assert_null (fal_output_queue_join_gaps (gap, other));
  g_assert_null (fal_output_queue_join_gaps (other, gap));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
#define ADD(name) g_test_add_func ("/output-queue/" #name, test_##name)
  ADD (an_empty_queue_gives_nothing);
  ADD (a_result_goes_out_when_its_time_has_come);
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
  ADD (what_stands_for_a_frame_waits_for_older_ones);
  ADD (what_stands_for_a_frame_waits_for_further_results);
  ADD (a_frame_that_goes_by_needs_no_picture);
  ADD (answers_wait_for_older_frames_where_none_is_lost);
  ADD (results_of_one_frame_keep_their_order);
  ADD (an_answer_that_waited_for_no_other_overtakes_none);
  ADD (a_frame_that_goes_by_waits_for_no_answer);
  ADD (a_few_results_fill_it_once_they_are_older_than_the_latency);
  ADD (as_many_may_wait_as_the_latency_has_room_for);
  ADD (bytes_fill_it_too);
  ADD (downloads_are_counted_and_a_few_of_them_are_enough);
  ADD (a_downloaded_picture_takes_no_room_once_it_is_gone);
  ADD (a_downloaded_picture_has_the_time_at_which_it_was_here);
  ADD (the_latency_is_final_once_the_first_result_was_taken);
  ADD (the_latency_is_final_once_an_answer_was_laid_over_its_frame);
  ADD (of_a_file_nothing_gives_way_but_further_results);
  ADD (frames_that_go_by_never_give_way);
  ADD (a_few_fallbacks_may_wait_where_no_answer_does);
  ADD (fallbacks_that_give_way_are_not_counted);
  ADD (a_frame_is_told_of_once_nothing_is_left_of_it);
  ADD (a_frame_whose_result_went_out_is_not_told_of);
  ADD (a_flush_keeps_what_describes_the_stream);
  ADD (a_flush_clears_results_and_leaves_events);
  ADD (a_flush_makes_room);
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
  ADD (all_frames_can_be_looked_at);
  ADD (a_live_result_waits_for_older_ones_as_long_as_it_may);
  ADD (one_that_is_late_waits_for_none);
  ADD (a_live_result_does_not_wait_for_its_own_frame);
  ADD (of_a_file_results_of_several_may_run_ahead);
  ADD (how_many_may_run_ahead_depends_on_the_connections);
  ADD (a_frame_in_its_turn_waits_for_older_answers);
  ADD (a_live_frame_in_its_turn_waits_no_longer_than_it_may);
  ADD (of_many_live_frames_in_their_turn_the_oldest_goes);
  ADD (frames_in_their_turn_wait_as_sinks_do);
  ADD (a_frame_in_its_turn_waits_for_further_answers);
  ADD (a_frame_in_its_turn_does_not_wait_for_itself);
  ADD (it_knows_what_waits);
  ADD (it_knows_an_answer_that_lies_over_its_frame);
  ADD (gaps_in_a_row_become_one);
  ADD (gaps_become_one_only_where_they_meet);
  ADD (gaps_apart_stay_two);
  ADD (a_gap_keeps_its_place);
  return g_test_run ();
}
