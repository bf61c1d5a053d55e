/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The flow: which word holds, and what it means for frames, results, events and upstream. */
#include "fal/policy/flow.h"

/* What a word means. */
static const struct {
  FalFlowWord word;
  gboolean goes_out, takes_frames;
  GstFlowReturn returned;
} meanings[] = {
  { FAL_FLOW_GOES_ON, TRUE, TRUE, GST_FLOW_OK },
  { FAL_FLOW_REFUSED, TRUE, FALSE, GST_FLOW_EOS },
  { FAL_FLOW_SPENT, TRUE, FALSE, GST_FLOW_EOS },
  { FAL_FLOW_FLUSHING, FALSE, FALSE, GST_FLOW_FLUSHING },
  { FAL_FLOW_STOPPED, FALSE, FALSE, GST_FLOW_NOT_NEGOTIATED },
  { FAL_FLOW_GIVEN_UP, FALSE, FALSE, GST_FLOW_ERROR },
};

static void
start (FalFlow *flow)
{
  fal_flow_reset (flow);
  fal_flow_set_flushing (flow, FALSE);
}

static void
flush (FalFlow *flow)
{
  fal_flow_set_flushing (flow, TRUE);
  g_assert_cmpint (flow->word, ==, FAL_FLOW_FLUSHING);
  fal_flow_set_flushing (flow, FALSE);
}

static void
note (FalFlow *flow, GstEvent *event)
{
  fal_flow_note_event (flow, event);
  gst_event_unref (event);
}

static GstEvent *
make_segment (void)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  return gst_event_new_segment (&segment);
}

static void
test_each_word_means_one_thing (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (meanings); i++) {
    const FalFlow flow = { .word = meanings[i].word, .returned = GST_FLOW_NOT_NEGOTIATED };

    g_assert_cmpint (fal_flow_goes_out (&flow), ==, meanings[i].goes_out);
    g_assert_cmpint (fal_flow_takes_frames (&flow), ==, meanings[i].takes_frames);
    g_assert_cmpint (fal_flow_get_return (&flow), ==, meanings[i].returned);
  }
}

static void
test_a_new_start_flushes_until_that_is_ended (void)
{
  FalFlow flow;

  start (&flow);
  fal_flow_give_up (&flow);
  fal_flow_spend (&flow);
  note (&flow, make_segment ());
  note (&flow, gst_event_new_eos ());
  fal_flow_reset (&flow);
  g_assert_cmpint (flow.word, ==, FAL_FLOW_FLUSHING);
  g_assert_false (fal_flow_has_ended (&flow));
  g_assert_false (fal_flow_is_spent (&flow));
  fal_flow_set_flushing (&flow, FALSE);
  g_assert_cmpint (flow.word, ==, FAL_FLOW_GOES_ON);
}

/* ---- downstream ---- */

static void
test_downstreams_eos_refuses_buffers_alone (void)
{
  FalFlow flow;

  start (&flow);
  fal_flow_stop (&flow, GST_FLOW_EOS, FALSE);
  g_assert_cmpint (flow.word, ==, FAL_FLOW_REFUSED);
  fal_flow_stop (&flow, GST_FLOW_EOS, FALSE); /* said again */
  g_assert_cmpint (flow.word, ==, FAL_FLOW_REFUSED);
  g_assert_false (fal_flow_is_unreported (&flow));
}

static void
test_a_new_stream_or_segment_or_flush_ends_a_refusal (void)
{
  FalFlow flow;

  start (&flow);
  fal_flow_stop (&flow, GST_FLOW_EOS, FALSE);
  note (&flow, gst_event_new_tag (gst_tag_list_new_empty ()));
  note (&flow, gst_event_new_eos ());
  g_assert_cmpint (flow.word, ==, FAL_FLOW_REFUSED);
  note (&flow, make_segment ());
  g_assert_cmpint (flow.word, ==, FAL_FLOW_GOES_ON);
  fal_flow_stop (&flow, GST_FLOW_EOS, FALSE);
  note (&flow, gst_event_new_stream_start ("s"));
  g_assert_cmpint (flow.word, ==, FAL_FLOW_GOES_ON);
  fal_flow_stop (&flow, GST_FLOW_EOS, FALSE);
  flush (&flow);
  g_assert_cmpint (flow.word, ==, FAL_FLOW_GOES_ON);
}

static void
test_an_error_of_downstream_stops_until_a_flush (void)
{
  FalFlow flow;

  start (&flow);
  fal_flow_stop (&flow, GST_FLOW_NOT_NEGOTIATED, TRUE);
  g_assert_cmpint (flow.word, ==, FAL_FLOW_STOPPED);
  g_assert_cmpint (fal_flow_get_return (&flow), ==, GST_FLOW_NOT_NEGOTIATED);
  note (&flow, make_segment ());
  note (&flow, gst_event_new_stream_start ("s"));
  g_assert_cmpint (flow.word, ==, FAL_FLOW_STOPPED);
  flush (&flow);
  g_assert_cmpint (flow.word, ==, FAL_FLOW_GOES_ON);
}

static void
test_an_error_after_a_refusal_stops_too (void)
{
  FalFlow flow;

  start (&flow);
  fal_flow_stop (&flow, GST_FLOW_EOS, FALSE);
  fal_flow_stop (&flow, GST_FLOW_ERROR, FALSE);
  g_assert_cmpint (flow.word, ==, FAL_FLOW_STOPPED);
  g_assert_cmpint (fal_flow_get_return (&flow), ==, GST_FLOW_ERROR);
}

/* The first reason stays. */
static void
test_what_does_not_go_out_is_not_stopped_again (void)
{
  FalFlow flow;

  start (&flow);
  fal_flow_stop (&flow, GST_FLOW_NOT_LINKED, TRUE);
  fal_flow_stop (&flow, GST_FLOW_ERROR, FALSE);
  fal_flow_stop (&flow, GST_FLOW_EOS, FALSE);
  g_assert_cmpint (fal_flow_get_return (&flow), ==, GST_FLOW_NOT_LINKED);
  g_assert_false (fal_flow_is_unreported (&flow));
  fal_flow_set_flushing (&flow, TRUE);
  fal_flow_stop (&flow, GST_FLOW_ERROR, FALSE); /* of a buffer that was under way */
  g_assert_cmpint (flow.word, ==, FAL_FLOW_FLUSHING);
  fal_flow_set_flushing (&flow, FALSE);
  fal_flow_give_up (&flow);
  fal_flow_stop (&flow, GST_FLOW_NOT_LINKED, FALSE);
  g_assert_cmpint (flow.word, ==, FAL_FLOW_GIVEN_UP);
}

static void
test_only_what_was_not_linked_is_relinked (void)
{
  FalFlow flow;

  start (&flow);
  g_assert_false (fal_flow_relink (&flow));
  fal_flow_stop (&flow, GST_FLOW_EOS, FALSE);
  g_assert_false (fal_flow_relink (&flow));
  g_assert_cmpint (flow.word, ==, FAL_FLOW_REFUSED);
  fal_flow_stop (&flow, GST_FLOW_ERROR, FALSE);
  g_assert_false (fal_flow_relink (&flow));
  g_assert_cmpint (flow.word, ==, FAL_FLOW_STOPPED);
  flush (&flow);
  fal_flow_stop (&flow, GST_FLOW_NOT_LINKED, FALSE);
  g_assert_true (fal_flow_relink (&flow));
  g_assert_cmpint (flow.word, ==, FAL_FLOW_GOES_ON);
  g_assert_false (fal_flow_relink (&flow));
}

static void
test_a_flush_is_not_ended_by_a_link (void)
{
  FalFlow flow;

  start (&flow);
  fal_flow_stop (&flow, GST_FLOW_NOT_LINKED, FALSE);
  fal_flow_set_flushing (&flow, TRUE);
  g_assert_false (fal_flow_relink (&flow));
  g_assert_cmpint (flow.word, ==, FAL_FLOW_FLUSHING);
}

static void
test_a_link_brings_back_what_holds_beside_it (void)
{
  FalFlow flow;

  start (&flow);
  fal_flow_stop (&flow, GST_FLOW_NOT_LINKED, FALSE);
  fal_flow_spend (&flow);
  g_assert_true (fal_flow_relink (&flow));
  g_assert_cmpint (flow.word, ==, FAL_FLOW_SPENT);
  start (&flow);
  fal_flow_stop (&flow, GST_FLOW_NOT_LINKED, FALSE);
  fal_flow_give_up (&flow);
  g_assert_true (fal_flow_relink (&flow));
  g_assert_cmpint (flow.word, ==, FAL_FLOW_GIVEN_UP);
}

/* Its EOS goes out, and upstream gets EOS, since nothing is sent any more. */
static void
test_spent_does_not_mind_the_end_of_its_connection (void)
{
  FalFlow flow;

  start (&flow);
  fal_flow_spend (&flow);
  fal_flow_give_up (&flow);
  g_assert_cmpint (flow.word, ==, FAL_FLOW_SPENT);
  g_assert_true (fal_flow_goes_out (&flow));
  flush (&flow);
  g_assert_cmpint (fal_flow_get_return (&flow), ==, GST_FLOW_EOS);
}

static void
test_only_an_error_that_was_not_told_is_unreported (void)
{
  static const struct {
    GstFlowReturn returned;
    gboolean reported, unreported;
  } rows[] = {
    { GST_FLOW_ERROR, FALSE, TRUE },
    { GST_FLOW_ERROR, TRUE, FALSE },
    { GST_FLOW_NOT_NEGOTIATED, FALSE, TRUE },
    { GST_FLOW_CUSTOM_ERROR, FALSE, TRUE },
    { GST_FLOW_NOT_LINKED, FALSE, TRUE },
    { GST_FLOW_NOT_LINKED, TRUE, FALSE },
    { GST_FLOW_FLUSHING, FALSE, FALSE },
    { GST_FLOW_EOS, FALSE, FALSE },
  };
  FalFlow flow;

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    start (&flow);
    g_assert_false (fal_flow_is_unreported (&flow));
    fal_flow_stop (&flow, rows[i].returned, rows[i].reported);
    g_assert_cmpint (fal_flow_is_unreported (&flow), ==, rows[i].unreported);
  }
}

/* The application was told that no connection is tried any more, which is enough. */
static void
test_nothing_is_unreported_once_given_up_or_flushed (void)
{
  FalFlow flow;

  start (&flow);
  fal_flow_stop (&flow, GST_FLOW_ERROR, FALSE);
  fal_flow_give_up (&flow);
  g_assert_false (fal_flow_is_unreported (&flow));
  fal_flow_allow_connections (&flow);
  g_assert_true (fal_flow_is_unreported (&flow));
  fal_flow_set_flushing (&flow, TRUE);
  g_assert_false (fal_flow_is_unreported (&flow));
}

static void
test_what_was_told_is_told_again_after_a_flush (void)
{
  FalFlow flow;

  start (&flow);
  fal_flow_stop (&flow, GST_FLOW_ERROR, TRUE);
  flush (&flow);
  fal_flow_stop (&flow, GST_FLOW_ERROR, FALSE);
  g_assert_true (fal_flow_is_unreported (&flow));
}

/* ---- the connection ---- */

static void
test_given_up_ends_with_a_flush_after_connections_are_allowed (void)
{
  FalFlow flow;

  start (&flow);
  fal_flow_give_up (&flow);
  g_assert_cmpint (flow.word, ==, FAL_FLOW_GIVEN_UP);
  note (&flow, make_segment ());
  g_assert_cmpint (flow.word, ==, FAL_FLOW_GIVEN_UP);
  flush (&flow);
  g_assert_cmpint (flow.word, ==, FAL_FLOW_GIVEN_UP);
  fal_flow_allow_connections (&flow);
  g_assert_cmpint (flow.word, ==, FAL_FLOW_GIVEN_UP);
  flush (&flow);
  g_assert_cmpint (flow.word, ==, FAL_FLOW_GOES_ON);
}

static void
test_given_up_while_flushing_or_stopped_holds_afterwards (void)
{
  FalFlow flow;

  fal_flow_reset (&flow);
  fal_flow_give_up (&flow);
  g_assert_cmpint (flow.word, ==, FAL_FLOW_FLUSHING);
  fal_flow_set_flushing (&flow, FALSE);
  g_assert_cmpint (flow.word, ==, FAL_FLOW_GIVEN_UP);
  start (&flow);
  fal_flow_stop (&flow, GST_FLOW_NOT_LINKED, TRUE);
  fal_flow_give_up (&flow);
  g_assert_cmpint (fal_flow_get_return (&flow), ==, GST_FLOW_NOT_LINKED);
  flush (&flow);
  g_assert_cmpint (flow.word, ==, FAL_FLOW_GIVEN_UP);
}

static void
test_given_up_over_a_refusal (void)
{
  FalFlow flow;

  start (&flow);
  fal_flow_stop (&flow, GST_FLOW_EOS, FALSE);
  fal_flow_give_up (&flow);
  g_assert_cmpint (fal_flow_get_return (&flow), ==, GST_FLOW_ERROR);
}

/* ---- the session's limit ---- */

static void
test_spent_outlives_flushes_and_new_streams (void)
{
  FalFlow flow;

  start (&flow);
  fal_flow_spend (&flow);
  g_assert_cmpint (flow.word, ==, FAL_FLOW_SPENT);
  note (&flow, gst_event_new_stream_start ("s"));
  note (&flow, make_segment ());
  g_assert_cmpint (flow.word, ==, FAL_FLOW_SPENT);
  flush (&flow);
  g_assert_cmpint (flow.word, ==, FAL_FLOW_SPENT);
  g_assert_true (fal_flow_is_spent (&flow));
}

static void
test_spent_while_refused_is_for_good (void)
{
  FalFlow flow;

  start (&flow);
  fal_flow_stop (&flow, GST_FLOW_EOS, FALSE);
  fal_flow_spend (&flow);
  note (&flow, make_segment ());
  g_assert_cmpint (flow.word, ==, FAL_FLOW_SPENT);
  fal_flow_stop (&flow, GST_FLOW_EOS, FALSE); /* to the EOS that went out */
  g_assert_cmpint (flow.word, ==, FAL_FLOW_SPENT);
}

static void
test_spent_while_nothing_goes_out_holds_afterwards (void)
{
  FalFlow flow;

  fal_flow_reset (&flow);
  fal_flow_spend (&flow);
  g_assert_cmpint (flow.word, ==, FAL_FLOW_FLUSHING);
  g_assert_true (fal_flow_is_spent (&flow));
  fal_flow_set_flushing (&flow, FALSE);
  g_assert_cmpint (flow.word, ==, FAL_FLOW_SPENT);
  start (&flow);
  fal_flow_give_up (&flow);
  fal_flow_spend (&flow);
  g_assert_cmpint (flow.word, ==, FAL_FLOW_GIVEN_UP);
  fal_flow_allow_connections (&flow);
  flush (&flow);
  g_assert_cmpint (flow.word, ==, FAL_FLOW_SPENT);
}

static void
test_an_error_stops_what_is_spent (void)
{
  FalFlow flow;

  start (&flow);
  fal_flow_spend (&flow);
  fal_flow_stop (&flow, GST_FLOW_ERROR, FALSE);
  g_assert_cmpint (flow.word, ==, FAL_FLOW_STOPPED);
  g_assert_true (fal_flow_is_spent (&flow));
  flush (&flow);
  g_assert_cmpint (flow.word, ==, FAL_FLOW_SPENT);
}

/* ---- the end of the stream ---- */

static void
test_an_eos_ends_until_a_new_stream_or_segment_or_flush (void)
{
  FalFlow flow;

  start (&flow);
  g_assert_false (fal_flow_has_ended (&flow));
  note (&flow, gst_event_new_eos ());
  g_assert_true (fal_flow_has_ended (&flow));
  note (&flow, gst_event_new_gap (0, 1));
  g_assert_true (fal_flow_has_ended (&flow));
  note (&flow, make_segment ());
  g_assert_false (fal_flow_has_ended (&flow));
  note (&flow, gst_event_new_eos ());
  note (&flow, gst_event_new_stream_start ("s"));
  g_assert_false (fal_flow_has_ended (&flow));
  note (&flow, gst_event_new_eos ());
  fal_flow_set_flushing (&flow, TRUE);
  g_assert_false (fal_flow_has_ended (&flow));
}

/* Else a second EOS would go out where upstream begins a new segment. */
static void
test_a_spent_stream_that_ended_does_not_begin_anew (void)
{
  FalFlow flow;

  start (&flow);
  fal_flow_spend (&flow);
  gst_event_unref (fal_flow_make_eos (&flow));
  note (&flow, make_segment ());
  note (&flow, gst_event_new_stream_start ("s"));
  g_assert_true (fal_flow_has_ended (&flow));
  fal_flow_set_flushing (&flow, TRUE); /* which flushes the EOS away, too */
  g_assert_false (fal_flow_has_ended (&flow));
}

static void
test_the_eos_made_here_belongs_to_the_stream_that_came_last (void)
{
  g_autoptr (GstEvent) stream = gst_event_new_stream_start ("s");
  g_autoptr (GstEvent) segment = make_segment ();
  g_autoptr (GstEvent) of_none = NULL, of_stream = NULL, of_segment = NULL;
  FalFlow flow;

  start (&flow);
  of_none = fal_flow_make_eos (&flow);
  g_assert_true (fal_flow_has_ended (&flow));
  g_assert_cmpint (GST_EVENT_TYPE (of_none), ==, GST_EVENT_EOS);
  g_assert_cmpuint (gst_event_get_seqnum (of_none), !=, GST_SEQNUM_INVALID);
  fal_flow_note_event (&flow, stream);
  of_stream = fal_flow_make_eos (&flow);
  g_assert_cmpuint (gst_event_get_seqnum (of_stream), ==, gst_event_get_seqnum (stream));
  fal_flow_note_event (&flow, segment);
  note (&flow, gst_event_new_gap (0, 1));
  note (&flow, gst_event_new_eos ());
  flush (&flow);
  of_segment = fal_flow_make_eos (&flow);
  g_assert_cmpuint (gst_event_get_seqnum (of_segment), ==, gst_event_get_seqnum (segment));
  g_assert_true (fal_flow_has_ended (&flow));
}

/* Nothing follows an EOS that went out, until a new stream begins; one that came before it did is
 * none of its. */
static void
test_an_eos_that_went_out_is_over_until_a_new_stream (void)
{
  FalFlow flow;

  start (&flow);
  note (&flow, gst_event_new_eos ());
  g_assert_false (fal_flow_is_over (&flow));
  fal_flow_note_end (&flow);
  g_assert_true (fal_flow_is_over (&flow));
  note (&flow, gst_event_new_stream_start ("s"));
  g_assert_false (fal_flow_is_over (&flow));
  note (&flow, gst_event_new_eos ());
  note (&flow, gst_event_new_stream_start ("t"));
  fal_flow_note_end (&flow);
  g_assert_false (fal_flow_is_over (&flow));
  note (&flow, gst_event_new_eos ());
  fal_flow_note_end (&flow);
  flush (&flow);
  g_assert_false (fal_flow_is_over (&flow));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
#define ADD(name) g_test_add_func ("/flow/" #name, test_##name)
  ADD (each_word_means_one_thing);
  ADD (a_new_start_flushes_until_that_is_ended);
  ADD (downstreams_eos_refuses_buffers_alone);
  ADD (a_new_stream_or_segment_or_flush_ends_a_refusal);
  ADD (an_error_of_downstream_stops_until_a_flush);
  ADD (an_error_after_a_refusal_stops_too);
  ADD (what_does_not_go_out_is_not_stopped_again);
  ADD (only_what_was_not_linked_is_relinked);
  ADD (a_flush_is_not_ended_by_a_link);
  ADD (a_link_brings_back_what_holds_beside_it);
  ADD (only_an_error_that_was_not_told_is_unreported);
  ADD (nothing_is_unreported_once_given_up_or_flushed);
  ADD (what_was_told_is_told_again_after_a_flush);
  ADD (given_up_ends_with_a_flush_after_connections_are_allowed);
  ADD (given_up_while_flushing_or_stopped_holds_afterwards);
  ADD (given_up_over_a_refusal);
  ADD (spent_outlives_flushes_and_new_streams);
  ADD (spent_while_refused_is_for_good);
  ADD (spent_while_nothing_goes_out_holds_afterwards);
  ADD (an_error_stops_what_is_spent);
  ADD (spent_does_not_mind_the_end_of_its_connection);
  ADD (an_eos_ends_until_a_new_stream_or_segment_or_flush);
  ADD (a_spent_stream_that_ended_does_not_begin_anew);
  ADD (an_eos_that_went_out_is_over_until_a_new_stream);
  ADD (the_eos_made_here_belongs_to_the_stream_that_came_last);
  return g_test_run ();
}
