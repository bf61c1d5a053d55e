/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The request pad "prompt": cues of a text track are the inputs of the frames within their time.
 *
 * A cue here is mostly a letter, and "-" stands for a request without a prompt. Times are numbers
 * of frames, of which there are 30 a second. */
#include "pipeline-fixture.h"

#include <glib/gstdio.h>
#include <string.h>

#define NO_END G_MAXUINT

static GstClockTime
frame_time (guint n)
{
  return gst_util_uint64_scale (n, GST_SECOND, 30);
}

/* ---- a text track ---- */

/* A test's own source pad, linked to the pad that was requested. */
typedef struct {
  GstElement *element;
  GstPad *src, *pad;
} Track;

static void
push_text_event (Track *track, GstEvent *event)
{
  g_assert_true (gst_pad_push_event (track->src, event));
}

static void
push_text_segment (Track *track, const GstSegment *segment)
{
  push_text_event (track, gst_event_new_segment (segment));
}

static void
begin_text (Track *track, const gchar *format)
{
  g_autoptr (GstCaps) caps =
      gst_caps_new_simple ("text/x-raw", "format", G_TYPE_STRING, format, NULL);
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  push_text_event (track, gst_event_new_stream_start ("text"));
  push_text_event (track, gst_event_new_caps (caps));
  push_text_segment (track, &segment);
}

static void
track_link (Track *track)
{
  track->pad = gst_element_request_pad_simple (track->element, "prompt");
  g_assert_nonnull (track->pad);
  g_assert_cmpint (gst_pad_link (track->src, track->pad), ==, GST_PAD_LINK_OK);
}

static Track *
track_new (GstElement *element, const gchar *format)
{
  Track *track = g_new0 (Track, 1);

  track->element = element;
  track->src = gst_object_ref_sink (gst_pad_new ("text", GST_PAD_SRC));
  gst_pad_set_active (track->src, TRUE);
  track_link (track);
  begin_text (track, format);
  return track;
}

static void
track_release (Track *track)
{
  gst_element_release_request_pad (track->element, track->pad);
  gst_clear_object (&track->pad);
}

static void
track_free (Track *track)
{
  if (track->pad != NULL)
    track_release (track);
  gst_pad_set_active (track->src, FALSE);
  gst_object_unref (track->src);
  g_free (track);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Track, track_free)

static GstBuffer *
make_cue (guint from, guint to, gconstpointer text, gsize size)
{
  GstBuffer *buffer = size > 0 ? gst_buffer_new_memdup (text, size) : gst_buffer_new ();

  GST_BUFFER_PTS (buffer) = frame_time (from);
  if (to != NO_END)
    GST_BUFFER_DURATION (buffer) = frame_time (to) - frame_time (from);
  return buffer;
}

static GstFlowReturn
push_text (Track *track, guint from, guint to, const gchar *text)
{
  return gst_pad_push (track->src, make_cue (from, to, text, strlen (text)));
}

static void
push_cue (Track *track, guint from, guint to, const gchar *text)
{
  g_assert_cmpint (push_text (track, from, to, text), ==, GST_FLOW_OK);
}

static void
push_gap (Track *track, guint from, guint to)
{
  push_text_event (
      track, gst_event_new_gap (frame_time (from), frame_time (to) - frame_time (from)));
}

static void
flush_text (Track *track)
{
  push_text_event (track, gst_event_new_flush_start ());
  push_text_event (track, gst_event_new_flush_stop (TRUE));
}

/* ---- what the server got ---- */

static void
append_next_prompt (FalServer *server, GString *prompts)
{
  g_autoptr (GstStructure) request = fal_server_pop_request (server, WATCHDOG_SECONDS * 1000);
  const gchar *prompt;

  g_assert_nonnull (request);
  prompt = gst_structure_get_string (request, "prompt");
  g_string_append (prompts, prompt ? prompt : "-");
}

/* The prompts of the next requests, as many as @wanted has letters. */
static void
assert_prompts (FalServer *server, const gchar *wanted)
{
  g_autoptr (GString) prompts = g_string_new (NULL);

  for (gsize i = 0; wanted[i] != '\0'; i++)
    append_next_prompt (server, prompts);
  g_assert_cmpstr (prompts->str, ==, wanted);
}

/* ---- cues and frames ---- */

static Fixture *
begin (const gchar *properties)
{
  Fixture *f = fixture_new (NULL, properties);

  fixture_set_size (f, 32, 32);
  return f;
}

static void
test_each_frame_gets_the_cue_of_its_time (void)
{
  g_autoptr (Fixture) f = begin (NULL);
  g_autoptr (Track) track = track_new (f->element, "utf8");

  push_cue (track, 2, 4, "a");
  push_cue (track, 4, 5, "b");
  push_cue (track, 3, 6, "c"); /* which holds once b is over */
  push_cue (track, 8, NO_END, "d");
  push_cue (track, 10, 11, "e");
  push_text_event (track, gst_event_new_eos ());
  fixture_push_frames (f, 0, 12);
  assert_prompts (f->server, "--aabc--dde--");
}

static void
test_properties_hold_between_cues (void)
{
  g_autoptr (Fixture) f = begin ("prompt=p");
  g_autoptr (Track) track = track_new (f->element, "pango-markup");

  push_cue (track, 1, 2, "<b>a</b>");
  push_cue (track, 3, 4, ""); /* sets nothing */
  push_text_event (track, gst_event_new_eos ());
  fixture_push_and_pull (f, 0);
  fixture_push_and_pull (f, 1);
  g_object_set (f->element, "prompt", "q", NULL);
  fixture_push_frames (f, 2, 4);
  assert_prompts (f->server, "paqqq");
}

static void
test_an_object_sets_any_inputs (void)
{
  g_autoptr (Fixture) f = begin ("prompt=p seed=1 strength=0.5");
  g_autoptr (Track) track = track_new (f->element, "utf8");
  g_autoptr (GstStructure) with = NULL;
  g_autoptr (GstStructure) without = NULL;
  g_autofree gchar *text = NULL;

  push_cue (track, 0, 1, "{\"seed\": 7, \"loras\": [\"x\"], \"image_bytes\": 5}");
  push_text_event (track, gst_event_new_eos ());
  fixture_push_frames (f, 0, 1);
  with = fal_server_pop_request (f->server, WATCHDOG_SECONDS * 1000);
  without = fal_server_pop_request (f->server, WATCHDOG_SECONDS * 1000);
  gst_structure_remove_field (with, "image_bytes"); /* which is the frame all the same */
  text = gst_structure_to_string (with);
  g_test_message ("%s", text);
  assert_says (text, "prompt=(string)p");
  assert_says (text, "seed=(gint64)7");
  assert_says (text, "strength=(double)0.5");
  assert_says (text, "< x >");
  g_assert_true (gst_structure_has_field_typed (without, "seed", G_TYPE_INT64));
  g_assert_false (gst_structure_has_field (without, "loras"));
}

/* The same frame with another cue shows something new. */
static void
test_another_cue_is_a_change (void)
{
  g_autoptr (Fixture) f = begin ("change-threshold=4");
  g_autoptr (Track) track = track_new (f->element, "utf8");

  push_cue (track, 2, 6, "a");
  push_cue (track, 6, 8, "a");
  push_cue (track, 8, 9, "b");
  push_text_event (track, gst_event_new_eos ());
  fixture_push_frames (f, 0, 11);
  assert_prompts (f->server, "-ab-");
  fixture_wait_for_stat (f, "dropped-unchanged", 8);
}

static void
test_send_goes_over_the_cue (void)
{
  g_autoptr (Fixture) f = begin (NULL);
  g_autoptr (Track) track = track_new (f->element, "utf8");
  g_autoptr (GstStructure) inputs = gst_structure_from_string ("inputs, prompt=s", NULL);
  gboolean sends;

  push_cue (track, 0, 9, "a");
  fixture_push_and_pull (f, 0);
  g_signal_emit_by_name (f->element, "send", inputs, &sends);
  g_assert_true (sends);
  gst_buffer_unref (fixture_pull (f));
  g_signal_emit_by_name (f->element, "send", NULL, &sends);
  gst_buffer_unref (fixture_pull (f));
  assert_prompts (f->server, "asa");
}

/* Upstream asks for its memory back while a frame waits for the request before it. */
static void
test_a_frame_that_was_copied_keeps_its_cue (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, "max-in-flight=1");
  g_autoptr (GstQuery) drain = gst_query_new_drain ();
  g_autoptr (Track) track = NULL;

  fal_server_set_mute (f->server, TRUE); /* so there is no place for a second request */
  fixture_set_size (f, 32, 32);
  track = track_new (f->element, "utf8");
  push_cue (track, 0, 1, "a");
  push_cue (track, 1, 2, "b");
  fixture_push_frames (f, 0, 1);
  fixture_wait_for_stat (f, "frames-sent", 1);
  g_assert_cmpuint (fixture_stat (f, "frames-waiting"), ==, 1);
  g_assert_true (gst_pad_peer_query (f->harness->srcpad, drain));
  g_object_set (f->element, "max-in-flight", 2, NULL);
  assert_prompts (f->server, "ab");
}

/* ---- waiting ---- */

typedef struct {
  Fixture *f;
  GThread *thread;
  GstFlowReturn flow;
} Waiting;

static gpointer
push_waiting (gpointer data)
{
  Waiting *waiting = data;

  waiting->flow = gst_harness_push (waiting->f->harness, fixture_frame (32, 32, 0, 5));
  return NULL;
}

/* Frame 5 comes, and has had all the time that it would have needed to go on. */
static void
begin_waiting (Waiting *waiting, Fixture *f)
{
  *waiting = (Waiting){ f };
  waiting->thread = g_thread_new ("frames", push_waiting, waiting);
  fixture_run_another_stream ();
  g_assert_cmpuint (fixture_stat (f, "frames-in"), ==, 0);
}

static GstFlowReturn
end_waiting (Waiting *waiting)
{
  g_thread_join (waiting->thread);
  return waiting->flow;
}

static void
come_by_a_cue (Track *track)
{
  push_cue (track, 3, 6, "a");
}

static void
come_by_a_later_cue (Track *track)
{
  push_cue (track, 6, 7, "a");
}

static void
come_by_an_open_cue (Track *track)
{
  push_cue (track, 5, NO_END, "a");
}

static void
come_by_a_gap (Track *track)
{
  push_cue (track, 1, NO_END, "a");
  push_gap (track, 2, 6);
}

static void
come_by_a_position (Track *track)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.position = frame_time (6);
  push_text_segment (track, &segment);
}

static void
come_by_a_segment (Track *track)
{
  GstSegment segment;

  push_cue (track, 1, NO_END, "a");
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.base = frame_time (6);
  push_text_segment (track, &segment);
}

static void
come_to_the_end (Track *track)
{
  push_text_event (track, gst_event_new_eos ());
}

static void
unlink_text (Track *track)
{
  push_cue (track, 0, 2, "a");
  g_assert_true (gst_pad_unlink (track->src, track->pad));
}

static const struct {
  const gchar *name;
  void (*step) (Track *track);
  const gchar *prompt;
} ends[] = {
  { "the-cue", come_by_a_cue, "a" },
  { "a-later-cue", come_by_a_later_cue, "-" },
  { "a-cue-without-an-end", come_by_an_open_cue, "a" },
  { "a-gap", come_by_a_gap, "a" },
  { "the-position-of-a-segment", come_by_a_position, "-" },
  { "a-later-segment", come_by_a_segment, "a" },
  { "the-end-of-the-text", come_to_the_end, "-" },
  { "the-text-being-unlinked", unlink_text, "-" },
  { "the-pad-being-released", track_release, "-" },
};

static void
test_a_file_waits_for (gconstpointer data)
{
  guint row = GPOINTER_TO_UINT (data);
  g_autoptr (Fixture) f = begin (NULL);
  g_autoptr (Track) track = track_new (f->element, "utf8");
  Waiting waiting;

  push_cue (track, 0, 1, "z");
  begin_waiting (&waiting, f);
  ends[row].step (track);
  g_assert_cmpint (end_waiting (&waiting), ==, GST_FLOW_OK);
  assert_prompts (f->server, ends[row].prompt);
}

static void
test_a_flush_of_the_frames_ends_the_wait (void)
{
  g_autoptr (Fixture) f = begin (NULL);
  g_autoptr (Track) track = track_new (f->element, "utf8");
  Waiting waiting;

  begin_waiting (&waiting, f);
  fixture_push_event (f, gst_event_new_flush_start ());
  g_assert_cmpint (end_waiting (&waiting), ==, GST_FLOW_FLUSHING);
  fixture_push_event (f, gst_event_new_flush_stop (TRUE));
  fixture_push_segment (f);
  push_cue (track, 0, 2, "a"); /* the text is where it was */
  fixture_push_frames (f, 0, 1);
  assert_prompts (f->server, "aa");
}

static void
test_the_stop_ends_the_wait (void)
{
  g_autoptr (Fixture) f = begin (NULL);
  g_autoptr (Track) track = track_new (f->element, "utf8");
  Waiting waiting;

  begin_waiting (&waiting, f);
  EXPECT_WITHIN (250 * G_TIME_SPAN_MILLISECOND, gst_element_set_state (f->element, GST_STATE_NULL));
  g_assert_cmpint (end_waiting (&waiting), ==, GST_FLOW_FLUSHING);
  g_assert_cmpint (push_text (track, 0, 1, "a"), ==, GST_FLOW_FLUSHING);
}

/* A flush of the text ends no wait: what comes after it may concern the frame. */
static void
test_a_flush_of_the_text_begins_it_anew (void)
{
  g_autoptr (Fixture) f = begin (NULL);
  g_autoptr (Track) track = track_new (f->element, "utf8");
  GstSegment segment;
  Waiting waiting;

  push_cue (track, 2, NO_END, "a");
  begin_waiting (&waiting, f);
  flush_text (track);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  push_text_segment (track, &segment);
  push_cue (track, 4, 6, "b");
  g_assert_cmpint (end_waiting (&waiting), ==, GST_FLOW_OK);
  assert_prompts (f->server, "b");
}

static void
test_frames_that_pass_wait_for_nothing (void)
{
  g_autoptr (Fixture) f = begin ("enabled=false");
  g_autoptr (Track) track = track_new (f->element, "utf8");

  fixture_push_and_pull (f, 5);
  g_assert_cmpuint (fixture_stat (f, "frames-passed"), ==, 1);
}

static void
test_a_live_pipeline_never_waits (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, NULL);
  g_autoptr (Track) track = NULL;

  fixture_set_size (f, 32, 32);
  track = track_new (f->element, "utf8");
  fixture_push_and_pull (f, 0);
  push_cue (track, 0, 2, "a");
  fixture_push_and_pull (f, 1);
  fixture_push_and_pull (f, 5);
  push_cue (track, 3, 6, "b"); /* whose frames are gone */
  fixture_push_and_pull (f, 6);
  push_cue (track, 3, NO_END, "c"); /* which is late, and holds from now on */
  fixture_push_and_pull (f, 7);
  assert_prompts (f->server, "-a--c");
}

/* ---- segments ---- */

/* A segment that begins at frame @start of its own time, and at frame @base of running time. */
static GstSegment
make_segment (gdouble rate, guint start, guint stop, guint base)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.rate = rate;
  segment.start = segment.position = segment.time = frame_time (start);
  segment.stop = stop == NO_END ? GST_CLOCK_TIME_NONE : frame_time (stop);
  segment.base = frame_time (base);
  return segment;
}

static void
test_times_are_compared_across_segments (void)
{
  g_autoptr (Fixture) f = begin (NULL);
  g_autoptr (Track) track = track_new (f->element, "utf8");
  GstSegment text = make_segment (1, 100, 104, 2), frames = make_segment (1, 30, NO_END, 0);

  push_text_segment (track, &text);
  push_cue (track, 90, 95, "a");   /* before it */
  push_cue (track, 99, 101, "b");  /* frame 2 of running time */
  push_cue (track, 102, 110, "c"); /* frames 4 and 5 */
  push_cue (track, 104, 106, "d"); /* behind it */
  text = make_segment (1, 10, NO_END, 7);
  push_text_segment (track, &text);
  push_cue (track, 10, 11, "e");
  push_text_event (track, gst_event_new_eos ());
  fixture_push_event (f, gst_event_new_segment (&frames));
  fixture_push_frames (f, 30, 38);
  assert_prompts (f->server, "--b-cc-e-");
}

static void
test_a_pad_offset_moves_the_cues (void)
{
  g_autoptr (Fixture) f = begin (NULL);
  g_autoptr (Track) track = track_new (f->element, "utf8");

  gst_pad_set_offset (track->src, frame_time (3));
  push_cue (track, 0, 2, "a");
  push_cue (track, 2, 9, "b");
  fixture_push_frames (f, 0, 6);
  assert_prompts (f->server, "---aabb");
}

/* Both play a stretch of ten frames backwards: frame 9 is the first. */
static void
test_backwards_too (void)
{
  g_autoptr (Fixture) f = begin (NULL);
  g_autoptr (Track) track = track_new (f->element, "utf8");
  GstSegment segment = make_segment (-1, 0, 10, 0);

  push_text_segment (track, &segment);
  push_cue (track, 6, 8, "a");
  push_cue (track, 5, 6, "b");
  push_text_segment (track, &segment); /* once more, which changes nothing */
  push_gap (track, 3, 5);
  push_cue (track, 1, NO_END, "c");
  push_text_event (track, gst_event_new_eos ());
  fixture_push_event (f, gst_event_new_segment (&segment));
  for (guint n = 10; n-- > 0;)
    fixture_push_frame (f, n);
  assert_prompts (f->server, "--aab--cc-");
}

static void
test_text_without_times_follows_one_another (void)
{
  g_autoptr (Fixture) f = begin (NULL);
  g_autoptr (Track) track = track_new (f->element, "utf8");
  GstSegment segment;

  flush_text (track);
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  push_text_segment (track, &segment);
  g_assert_cmpint (gst_pad_push (track->src, gst_buffer_new_memdup ("a", 1)), ==, GST_FLOW_OK);
  fixture_push_frame (f, 0);
  g_assert_cmpint (gst_pad_push (track->src, gst_buffer_new_memdup ("b", 1)), ==, GST_FLOW_OK);
  push_text_event (track, gst_event_new_eos ());
  fixture_push_frames (f, 1, 2);
  assert_prompts (f->server, "abb");
}

/* In a segment in time, too; one that cannot be read is told of without one. */
static void
test_cues_without_a_time_follow_one_another (void)
{
  g_autoptr (Fixture) f = begin (NULL);
  g_autoptr (Track) track = track_new (f->element, "utf8");
  g_autofree gchar *text = NULL;

  g_assert_cmpint (gst_pad_push (track->src, gst_buffer_new_memdup ("a", 1)), ==, GST_FLOW_OK);
  g_assert_cmpint (gst_pad_push (track->src, gst_buffer_new_memdup ("{", 1)), ==, GST_FLOW_OK);
  text = fixture_take_trouble (f, GST_MESSAGE_WARNING);
  assert_says (text, "The cue of the prompt track is passed by");
  push_text_event (track, gst_event_new_eos ());
  fixture_push_frames (f, 0, 2);
  assert_prompts (f->server, "aaa");
}

/* Gaps that say no more than where they begin, or nothing, as they are of no time. */
static void
test_a_gap_says_how_far_the_text_has_come (void)
{
  g_autoptr (Fixture) f = begin (NULL);
  g_autoptr (Track) track = track_new (f->element, "utf8");
  GstSegment segment;

  push_cue (track, 0, 1, "a");
  push_text_event (track, gst_event_new_gap (frame_time (3), GST_CLOCK_TIME_NONE));
  fixture_push_frames (f, 0, 2);
  assert_prompts (f->server, "a--");
  flush_text (track);
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  push_text_segment (track, &segment);
  push_gap (track, 0, 9);
  g_assert_cmpint (gst_pad_push (track->src, gst_buffer_new_memdup ("b", 1)), ==, GST_FLOW_OK);
  push_text_event (track, gst_event_new_eos ());
  fixture_push_frame (f, 3); /* which would be past, had the gap had a time */
  assert_prompts (f->server, "b");
}

/* Another text after the end of the first, in the same segment. */
static void
test_text_goes_on_after_its_end (void)
{
  g_autoptr (Fixture) f = begin (NULL);
  g_autoptr (Track) track = track_new (f->element, "utf8");
  Waiting waiting;

  push_text_event (track, gst_event_new_eos ());
  begin_text (track, "utf8");
  begin_waiting (&waiting, f);
  push_cue (track, 5, 6, "a");
  g_assert_cmpint (end_waiting (&waiting), ==, GST_FLOW_OK);
  assert_prompts (f->server, "a");
}

/* ---- room ---- */

static gpointer
push_much (gpointer data)
{
  for (guint i = 0; i < 200; i++)
    push_cue (data, i, i + 1, "a");
  return NULL;
}

static void
test_text_that_is_far_ahead_waits (void)
{
  g_autoptr (Fixture) f = begin (NULL);
  g_autoptr (Track) track = track_new (f->element, "utf8");
  GThread *thread = g_thread_new ("text", push_much, track);

  fixture_push_frames (f, 0, 199);
  g_thread_join (thread);
  for (guint i = 0; i < 20; i++)
    assert_prompts (f->server, "aaaaaaaaaa");
}

/* Which is much more text than is kept: it makes room. */
static void
test_text_before_the_first_frame_is_passed (void)
{
  g_autoptr (Fixture) f = begin (NULL);
  g_autoptr (Track) track = track_new (f->element, "utf8");
  GThread *thread = g_thread_new ("text", push_much, track);

  fixture_push_frames (f, 150, 199);
  g_thread_join (thread);
  assert_prompts (f->server, "aaaaaaaaaa");
}

static void
test_after_the_last_frame_text_waits_for_nothing (void)
{
  g_autoptr (Fixture) f = begin (NULL);
  g_autoptr (Track) track = track_new (f->element, "utf8");
  GThread *thread = g_thread_new ("text", push_much, track);

  fixture_push_frame (f, 0);
  fixture_push_end (f);
  g_thread_join (thread);
  fixture_wait_for_end (f);
}

static gpointer
push_until_refused (gpointer data)
{
  GstFlowReturn flow;
  guint i = 0;

  while ((flow = push_text (data, i, i + 1, "a")) == GST_FLOW_OK && i < 1000)
    i++;
  return GINT_TO_POINTER (flow);
}

static void
start_flush_of_text (Track *track)
{
  push_text_event (track, gst_event_new_flush_start ());
}

static void
stop_element (Track *track)
{
  gst_element_set_state (track->element, GST_STATE_NULL);
}

static void
test_text_that_waits_is_woken (gconstpointer data)
{
  void (*step) (Track * track) = data;
  g_autoptr (Fixture) f = begin (NULL);
  g_autoptr (Track) track = track_new (f->element, "utf8");
  GThread *thread = g_thread_new ("text", push_until_refused, track);
  GstFlowReturn flow;

  fixture_push_frame (f, 0);
  fixture_run_another_stream ();
  step (track);
  flow = GPOINTER_TO_INT (g_thread_join (thread));
  g_assert_true (flow == GST_FLOW_FLUSHING || flow == GST_FLOW_NOT_LINKED);
}

/* ---- the pad ---- */

static void
test_there_is_one_pad (void)
{
  g_autoptr (Fixture) f = begin (NULL);
  g_autoptr (Track) track = track_new (f->element, "utf8");
  GstPadTemplate *template = gst_element_get_pad_template (f->element, "prompt");

  g_assert_null (gst_element_request_pad (f->element, template, NULL, NULL));
  g_assert_cmpuint (GST_ELEMENT (f->element)->numsinkpads, ==, 2);
}

static void
test_the_pad_comes_and_goes_while_it_plays (void)
{
  g_autoptr (Fixture) f = begin ("prompt=p");
  g_autoptr (Track) track = NULL;

  fixture_push_and_pull (f, 0);
  track = track_new (f->element, "utf8");
  push_cue (track, 0, NO_END, "a");
  push_text_event (track, gst_event_new_eos ());
  fixture_push_and_pull (f, 1);
  track_release (track);
  fixture_push_and_pull (f, 2);
  track_link (track);
  begin_text (track, "utf8");
  push_cue (track, 3, 4, "b");
  fixture_push_and_pull (f, 3);
  assert_prompts (f->server, "papb");
}

static void
test_a_pad_that_nothing_is_linked_to_is_not_waited_for (void)
{
  g_autoptr (Fixture) f = begin (NULL);
  g_autoptr (GstPad) pad = gst_element_request_pad_simple (f->element, "prompt");

  fixture_push_and_pull (f, 0);
  gst_element_release_request_pad (f->element, pad);
}

static gpointer
come_and_go (gpointer data)
{
  Track *track = data;

  for (guint i = 0; i < 100; i++) {
    push_text (track, i, i + 1, "a");
    track_release (track);
    track_link (track);
    if (i % 2)
      begin_text (track, "utf8");
  }
  push_text_event (track, gst_event_new_eos ()); /* else the frames wait for more */
  return NULL;
}

static void
test_the_pad_comes_and_goes_among_frames (void)
{
  g_autoptr (Fixture) f = begin (NULL);
  g_autoptr (Track) track = track_new (f->element, "utf8");
  GThread *thread = g_thread_new ("text", come_and_go, track);

  fixture_push_frames (f, 0, 60);
  g_thread_join (thread);
  fixture_push_end (f);
  fixture_wait_for_end (f);
  g_assert_cmpuint (fixture_stat (f, "answered"), ==, 61);
}

static void
test_a_second_start_begins_anew (void)
{
  g_autoptr (Fixture) f = begin (NULL);
  g_autoptr (Track) track = track_new (f->element, "utf8");

  push_cue (track, 0, 100, "a");
  fixture_push_and_pull (f, 0);
  gst_element_set_state (f->element, GST_STATE_NULL);
  fixture_play (f);
  fixture_push_segment (f);
  begin_text (track, "utf8");
  push_cue (track, 1, 2, "b");
  fixture_push_frames (f, 0, 1);
  assert_prompts (f->server, "a-b");
}

/* ---- events to upstream ---- */

static gboolean
note_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GString *seen = g_object_get_data (G_OBJECT (pad), "seen");

  g_string_append_printf (seen, "%s ", GST_EVENT_TYPE_NAME (event));
  gst_event_unref (event);
  return TRUE;
}

static void
test_text_gets_those_events_that_concern_it (void)
{
  g_autoptr (Fixture) f = begin (NULL);
  g_autoptr (Track) track = track_new (f->element, "utf8");
  g_autoptr (GString) seen = g_string_new (NULL);
  GstEvent *events[] = {
    gst_event_new_qos (GST_QOS_TYPE_OVERFLOW, 0.5, 0, 0),
    gst_event_new_reconfigure (),
    gst_event_new_latency (0),
    gst_event_new_navigation (gst_structure_new_empty ("n")),
    gst_event_new_seek (
        1, GST_FORMAT_TIME, GST_SEEK_FLAG_NONE, GST_SEEK_TYPE_SET, 0, GST_SEEK_TYPE_NONE, 0),
  };

  g_object_set_data (G_OBJECT (track->src), "seen", seen);
  gst_pad_set_event_function (track->src, note_event);
  for (guint i = 0; i < G_N_ELEMENTS (events); i++)
    gst_pad_push_event (f->harness->sinkpad, events[i]);
  g_assert_cmpstr (seen->str, ==, "latency seek ");
}

static gpointer
push_first (gpointer data)
{
  Fixture *f = data;

  fixture_push_frame (f, 0);
  return NULL;
}

/* The frames are at their new place at once, and the first of them comes. */
static gboolean
seek_frames (GstPad *pad, GstObject *parent, GstEvent *event)
{
  Fixture *f = g_object_get_data (G_OBJECT (pad), "fixture");

  if (GST_EVENT_TYPE (event) == GST_EVENT_SEEK) {
    fixture_flush (f);
    g_object_set_data (G_OBJECT (pad), "thread", g_thread_new ("frames", push_first, f));
  }
  gst_event_unref (event);
  return TRUE;
}

/* The text takes its time. */
static gboolean
seek_text (GstPad *pad, GstObject *parent, GstEvent *event)
{
  Track *track = g_object_get_data (G_OBJECT (pad), "track");
  GstSegment segment;

  if (GST_EVENT_TYPE (event) == GST_EVENT_SEEK) {
    fixture_run_another_stream ();
    flush_text (track);
    gst_segment_init (&segment, GST_FORMAT_TIME);
    push_text_segment (track, &segment);
    push_cue (track, 0, 1, "b");
  }
  gst_event_unref (event);
  return TRUE;
}

static void
test_in_a_seek_no_frame_meets_the_text_of_before (void)
{
  g_autoptr (Fixture) f = begin (NULL);
  g_autoptr (Track) track = track_new (f->element, "utf8");

  g_object_set_data (G_OBJECT (f->harness->srcpad), "fixture", f);
  gst_pad_set_event_function (f->harness->srcpad, seek_frames);
  g_object_set_data (G_OBJECT (track->src), "track", track);
  gst_pad_set_event_function (track->src, seek_text);
  push_cue (track, 0, 9, "a");
  fixture_push_and_pull (f, 3);
  g_assert_true (gst_pad_push_event (
      f->harness->sinkpad, gst_event_new_seek (1, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH,
                               GST_SEEK_TYPE_SET, 0, GST_SEEK_TYPE_NONE, 0)));
  g_thread_join (g_object_get_data (G_OBJECT (f->harness->srcpad), "thread"));
  assert_prompts (f->server, "ab");
}

/* ---- wrong input ---- */

static void
test_what_cannot_be_a_cue_is_warned_of_once (void)
{
  g_autoptr (Fixture) f = begin ("prompt=p");
  g_autoptr (Track) track = track_new (f->element, "utf8");
  g_autofree gchar *text = NULL;
  g_autofree gchar *large = g_strnfill (100000, 'x');

  push_cue (track, 0, 1, "a\xff");
  text = fixture_take_trouble (f, GST_MESSAGE_WARNING);
  assert_says (text, "The cue at 0:00:00.000000000 of the prompt track is passed by");
  assert_says (text, "is not UTF-8 text");
  push_cue (track, 1, 2, "{\"prompt\": ");
  push_cue (track, 2, 3, "[1]");
  push_cue (track, 3, 4, large);
  push_cue (track, 4, 5, "b");
  push_text_event (track, gst_event_new_eos ());
  fixture_push_frames (f, 0, 5);
  assert_prompts (f->server, "ppppbp");
  fixture_expect_no_message (f);
}

static void
test_what_cannot_be_a_cue_changes_nothing (void)
{
  g_autoptr (Fixture) f = begin (NULL);
  g_autoptr (Track) track = track_new (f->element, "utf8");

  push_cue (track, 0, NO_END, "a");
  push_cue (track, 1, 3, "{");
  g_free (fixture_take_trouble (f, GST_MESSAGE_WARNING));
  fixture_push_frames (f, 0, 2); /* whose time the text has passed */
  push_cue (track, 3, 4, "b");
  fixture_push_frame (f, 3);
  assert_prompts (f->server, "aaab");
}

/* ---- whole pipelines ---- */

#define SUBTITLES                                                                                  \
  "1\n00:00:00,100 --> 00:00:00,300\na <i>red</i> fox\n\n"                                         \
  "2\n00:00:00,500 --> 00:00:00,700\nsalt & pepper\n\n"                                            \
  "3\n00:00:00,700 --> 00:00:00,900\n{\"prompt\": \"night\", \"seed\": 7}\n\n"

/* What the frame of that time is to be asked with. */
static const gchar *
get_wanted (GstClockTime time)
{
  static const gchar *const prompts[] = { "p", "a red fox", "a red fox", "p", "p", "salt & pepper",
    "salt & pepper", "night", "night", "p" };
  guint tenth = time / (100 * GST_MSECOND);

  return tenth < G_N_ELEMENTS (prompts) ? prompts[tenth] : "p";
}

/* A pipeline whose frames have the cues of a file, and what came out of it. */
typedef struct {
  Pipeline *p;
  gchar *path;
  GPtrArray *results; /* GstBuffer; the lock of the pad's object */
} Film;

static GstPadProbeReturn
keep_result (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GST_OBJECT_LOCK (pad);
  g_ptr_array_add (data, gst_buffer_ref (GST_PAD_PROBE_INFO_BUFFER (info)));
  GST_OBJECT_UNLOCK (pad);
  return GST_PAD_PROBE_OK;
}

static void
film_init (Film *film, const gchar *video, const gchar *sink)
{
  g_autofree gchar *after = NULL;
  g_autoptr (GError) error = NULL;
  gint file = g_file_open_tmp ("gst-fal-XXXXXX.srt", &film->path, &error);

  g_assert_no_error (error);
  close (file);
  g_assert_true (g_file_set_contents (film->path, SUBTITLES, -1, NULL));
  after = g_strdup_printf (
      "%s filesrc name=text location=%s ! subparse ! fal.prompt", sink, film->path);
  film->p = pipeline_new (NULL, video, "throttle-interval=0 prompt=p", after);
  film->results = g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref);
  pipeline_add_probe (film->p, "fal", keep_result, film->results);
}

static void
film_clear (Film *film)
{
  pipeline_free (film->p);
  g_unlink (film->path);
  g_free (film->path);
  g_ptr_array_unref (film->results);
}

/* From request ids to prompts. */
static GHashTable *
collect_prompts (FalServer *server)
{
  GHashTable *prompts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  GstStructure *request;

  while ((request = fal_server_pop_request (server, 0))) {
    g_hash_table_insert (prompts, g_strdup (gst_structure_get_string (request, "request_id")),
        g_strdup (gst_structure_get_string (request, "prompt")));
    gst_structure_free (request);
  }
  return prompts;
}

/* Each result that came is that of a request with the prompt of its time. */
static void
assert_results (Film *film, guint wanted)
{
  g_autoptr (GHashTable) prompts = collect_prompts (film->p->server);

  g_assert_cmpuint (film->results->len, ==, wanted);
  for (guint i = 0; i < wanted; i++) {
    GstBuffer *result = film->results->pdata[i];
    GstCustomMeta *meta = gst_buffer_get_custom_meta (result, "GstFalResultMeta");
    const gchar *id = gst_structure_get_string (gst_custom_meta_get_structure (meta), "request-id");

    g_test_message ("result %u at %" GST_TIME_FORMAT " is that of %s", i,
        GST_TIME_ARGS (GST_BUFFER_PTS (result)), id);
    g_assert_cmpstr (g_hash_table_lookup (prompts, id), ==, get_wanted (GST_BUFFER_PTS (result)));
  }
}

static void
test_every_frame_of_a_file_has_the_prompt_of_its_subtitle (void)
{
  Film film;

  film_init (&film, "videotestsrc num-buffers=30", "fakesink sync=false");
  pipeline_play (film.p);
  assert_results (&film, 30);
  film_clear (&film);
}

static GstPadProbeReturn
stay_blocked (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  return GST_PAD_PROBE_OK;
}

/* To a tenth of a second; the end is that of the first second. subparse lets its source go on a
 * moment before it knows its own new segment, so no text comes until it does. */
static void
seek_to (Film *film, guint tenth)
{
  g_autoptr (GstPad) text = gst_element_get_static_pad (pipeline_find (film->p, "text"), "src");
  GstMessage *message;
  gulong probe;

  gst_element_set_state (film->p->pipeline, GST_STATE_PAUSED);
  gst_element_get_state (film->p->pipeline, NULL, NULL, GST_CLOCK_TIME_NONE);
  probe = gst_pad_add_probe (
      text, GST_PAD_PROBE_TYPE_BLOCK | GST_PAD_PROBE_TYPE_BUFFER, stay_blocked, NULL, NULL);
  g_assert_true (gst_element_seek (film->p->pipeline, 1, GST_FORMAT_TIME,
      GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE, GST_SEEK_TYPE_SET, tenth * 100 * GST_MSECOND,
      GST_SEEK_TYPE_SET, GST_SECOND));
  gst_pad_remove_probe (text, probe);
  while ((message = gst_bus_pop_filtered (film->p->bus, GST_MESSAGE_EOS)))
    gst_message_unref (message); /* of before */
}

/* At the end, and on the way. Results from before a seek may have come, too. */
static void
test_after_a_seek_too (void)
{
  static const guint tenths[] = { 0, 6, 1, 8, 2, 5, 0, 4 };
  Film film;

  film_init (&film, "videotestsrc", "fakesink sync=false");
  for (guint i = 0; i < G_N_ELEMENTS (tenths); i++) {
    guint64 before = pipeline_stat (film.p, "frames-out");

    seek_to (&film, tenths[i]);
    if (i % 2) {
      gst_element_set_state (film.p->pipeline, GST_STATE_PLAYING);
      WAIT_UNTIL (film.p->filter, pipeline_stat (film.p, "frames-out") > before + 2);
    } else {
      pipeline_play (film.p);
      g_assert_cmpuint (pipeline_stat (film.p, "frames-out"), >=, before + 3 * (10 - tenths[i]));
    }
  }
  gst_element_set_state (film.p->pipeline, GST_STATE_NULL);
  assert_results (&film, film.results->len);
  film_clear (&film);
}

static void
test_it_can_be_stopped_at_any_time (void)
{
  Film film;

  film_init (&film, "videotestsrc", "fakesink sync=false");
  for (guint i = 0; i < 20; i++) {
    gst_element_set_state (film.p->pipeline, GST_STATE_PLAYING);
    if (i % 3 == 0)
      WAIT_UNTIL (film.p->filter, pipeline_stat (film.p, "frames-out") > 0);
    gst_element_set_state (film.p->pipeline, i % 2 ? GST_STATE_NULL : GST_STATE_READY);
  }
  film_clear (&film);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
#define ADD(name) g_test_add_func ("/prompt-track/" #name, test_##name)
  ADD (each_frame_gets_the_cue_of_its_time);
  ADD (properties_hold_between_cues);
  ADD (an_object_sets_any_inputs);
  ADD (another_cue_is_a_change);
  ADD (send_goes_over_the_cue);
  ADD (a_frame_that_was_copied_keeps_its_cue);
  for (guint i = 0; i < G_N_ELEMENTS (ends); i++) {
    g_autofree gchar *name = g_strconcat ("/prompt-track/a_file_waits_for/", ends[i].name, NULL);

    g_test_add_data_func (name, GUINT_TO_POINTER (i), test_a_file_waits_for);
  }
  ADD (a_flush_of_the_frames_ends_the_wait);
  ADD (the_stop_ends_the_wait);
  ADD (a_flush_of_the_text_begins_it_anew);
  ADD (frames_that_pass_wait_for_nothing);
  ADD (a_live_pipeline_never_waits);
  ADD (times_are_compared_across_segments);
  ADD (a_pad_offset_moves_the_cues);
  ADD (backwards_too);
  ADD (text_without_times_follows_one_another);
  ADD (text_goes_on_after_its_end);
  ADD (text_that_is_far_ahead_waits);
  ADD (text_before_the_first_frame_is_passed);
  ADD (after_the_last_frame_text_waits_for_nothing);
#define ADD_WOKEN(name, step)                                                                      \
  g_test_add_data_func (                                                                           \
      "/prompt-track/text_that_waits_is_woken_by/" name, step, test_text_that_waits_is_woken)
  ADD_WOKEN ("its-flush", start_flush_of_text);
  ADD_WOKEN ("the-release", track_release);
  ADD_WOKEN ("the-stop", stop_element);
  ADD (there_is_one_pad);
  ADD (the_pad_comes_and_goes_while_it_plays);
  ADD (a_pad_that_nothing_is_linked_to_is_not_waited_for);
  ADD (the_pad_comes_and_goes_among_frames);
  ADD (a_second_start_begins_anew);
  ADD (text_gets_those_events_that_concern_it);
  ADD (in_a_seek_no_frame_meets_the_text_of_before);
  ADD (what_cannot_be_a_cue_is_warned_of_once);
  ADD (what_cannot_be_a_cue_changes_nothing);
  ADD (every_frame_of_a_file_has_the_prompt_of_its_subtitle);
  ADD (after_a_seek_too);
  ADD (it_can_be_stopped_at_any_time);
  ADD (cues_without_a_time_follow_one_another);
  ADD (a_gap_says_how_far_the_text_has_come);
  return fixture_run ();
}
