/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which cue holds when, with literal times. A cue is a letter. */
#include "fal/policy/cue-list.h"

#define NONE GST_CLOCK_TIME_NONE

static void
add (FalCueList *list, GstClockTime start, GstClockTime end, const gchar *letter)
{
  fal_cue_list_add (list, start, end, gst_structure_new_empty (letter));
}

/* "": no cue holds. */
static const gchar *
find (FalCueList *list, GstClockTime time)
{
  const GstStructure *inputs = fal_cue_list_find (list, time);

  return inputs ? gst_structure_get_name (inputs) : "";
}

/* The cues of times @from to @to, "-" where none holds; all must be known. */
static void
assert_cues (FalCueList *list, GstClockTime from, GstClockTime to, const gchar *wanted)
{
  g_autoptr (GString) found = g_string_new (NULL);

  for (GstClockTime time = from; time <= to; time++) {
    const gchar *letter = find (list, time);

    g_assert_true (fal_cue_list_knows (list, time));
    g_string_append (found, *letter ? letter : "-");
  }
  g_assert_cmpstr (found->str, ==, wanted);
}

static void
test_a_cue_holds_from_its_start_up_to_its_end (void)
{
  g_autoptr (FalCueList) list = fal_cue_list_new ();

  add (list, 2, 4, "a");
  add (list, 4, 5, "b");
  add (list, 7, 9, "c");
  fal_cue_list_advance (list, 11);
  assert_cues (list, 0, 10, "--aab--cc--");
}

static void
test_a_frame_waits_until_the_text_has_passed_its_time (void)
{
  g_autoptr (FalCueList) list = fal_cue_list_new ();

  g_assert_false (fal_cue_list_knows (list, 0));
  add (list, 10, 20, "a");
  g_assert_true (fal_cue_list_knows (list, 0)); /* no cue may come before this one */
  g_assert_true (fal_cue_list_knows (list, 19));
  g_assert_false (fal_cue_list_knows (list, 20));
  fal_cue_list_advance (list, 30); /* a gap */
  g_assert_true (fal_cue_list_knows (list, 29));
  g_assert_false (fal_cue_list_knows (list, 30));
  fal_cue_list_advance (list, 25); /* which is no news */
  g_assert_true (fal_cue_list_knows (list, 29));
  fal_cue_list_advance (list, NONE); /* the end */
  g_assert_true (fal_cue_list_knows (list, NONE - 1));
}

static void
test_a_frame_without_a_time_gets_the_cue_of_the_one_before (void)
{
  g_autoptr (FalCueList) list = fal_cue_list_new ();

  g_assert_true (fal_cue_list_knows (list, NONE));
  g_assert_cmpstr (find (list, NONE), ==, "");
  add (list, 5, 10, "a");
  g_assert_cmpstr (find (list, NONE), ==, "");
  g_assert_cmpstr (find (list, 7), ==, "a");
  g_assert_cmpstr (find (list, NONE), ==, "a");
}

/* So what a frame gets does not depend on how early the second one comes. */
static void
test_where_two_overlap_the_first_holds_until_its_end (void)
{
  g_autoptr (FalCueList) list = fal_cue_list_new ();

  add (list, 0, 4, "a");
  add (list, 2, 6, "b");
  add (list, 3, 5, "c"); /* over before b is */
  add (list, 1, 8, "d"); /* out of order */
  assert_cues (list, 0, 7, "aaaabbdd");
}

static void
test_a_cue_without_an_end_holds_until_the_next_begins (void)
{
  g_autoptr (FalCueList) list = fal_cue_list_new ();

  add (list, 2, NONE, "a");
  g_assert_true (fal_cue_list_knows (list, 2));
  g_assert_false (fal_cue_list_knows (list, 3)); /* the next may begin there */
  fal_cue_list_advance (list, 4);
  assert_cues (list, 0, 3, "--aa");
  add (list, 6, 8, "b");
  add (list, 8, NONE, "c");
  fal_cue_list_advance (list, NONE);
  assert_cues (list, 4, 12, "aabbccccc");
}

static void
test_cues_without_times_follow_one_another (void)
{
  g_autoptr (FalCueList) list = fal_cue_list_new ();

  add (list, NONE, NONE, "a");
  g_assert_cmpstr (find (list, 100), ==, "a");
  add (list, NONE, NONE, "b");
  g_assert_cmpstr (find (list, 101), ==, "b");
  fal_cue_list_advance (list, 200);
  add (list, NONE, NONE, "c");
  g_assert_cmpstr (find (list, 199), ==, "b");
  g_assert_cmpstr (find (list, 200), ==, "c");
}

static void
test_what_comes_too_late_is_dropped (void)
{
  g_autoptr (FalCueList) list = fal_cue_list_new ();

  add (list, 0, NONE, "a");
  fal_cue_list_advance (list, 10);
  add (list, 3, 10, "b"); /* over: a goes on */
  add (list, 5, 5, "c");  /* never holds */
  add (list, 6, 12, "d"); /* the rest of it */
  fal_cue_list_advance (list, NONE);
  add (list, 11, 20, "e"); /* after the end */
  assert_cues (list, 8, 13, "aadd--");
}

static void
test_a_new_segment_goes_on_from_its_start (void)
{
  g_autoptr (FalCueList) list = fal_cue_list_new ();

  add (list, 0, 3, "a");
  add (list, 3, 9, "b");
  add (list, 9, 12, "c");
  fal_cue_list_begin (list, 5);
  g_assert_false (fal_cue_list_knows (list, 5));
  add (list, 6, 8, "d");
  fal_cue_list_advance (list, 20);
  assert_cues (list, 0, 12, "aaabb-dd-----");
  fal_cue_list_begin (list, 40); /* nothing comes before that */
  assert_cues (list, 20, 22, "---");
}

static void
test_after_a_flush_nothing_is_known (void)
{
  g_autoptr (FalCueList) list = fal_cue_list_new ();

  add (list, 0, NONE, "a");
  fal_cue_list_advance (list, NONE);
  fal_cue_list_clear (list);
  g_assert_false (fal_cue_list_knows (list, 0));
  g_assert_cmpstr (find (list, 0), ==, "");
  add (list, 1, 2, "b");
  assert_cues (list, 0, 1, "-b");
}

static void
test_room_comes_of_cues_that_are_over (void)
{
  g_autoptr (FalCueList) list = fal_cue_list_new ();

  for (guint i = 0; i < 64; i++) {
    g_assert_false (fal_cue_list_is_full (list));
    add (list, 10 * i, 10 * i + 5, "a");
    add (list, 10 * i + 6, 10 * i + 6, "b"); /* never holds, and takes no room */
  }
  g_assert_true (fal_cue_list_is_full (list));
  g_assert_cmpstr (find (list, 4), ==, "a");
  g_assert_true (fal_cue_list_is_full (list));
  g_assert_cmpstr (find (list, 5), ==, "");
  g_assert_false (fal_cue_list_is_full (list));
}

static void
test_room_comes_of_cues_that_a_new_segment_replaces (void)
{
  g_autoptr (FalCueList) list = fal_cue_list_new ();

  for (guint i = 0; i < 64; i++)
    add (list, 10 * i, 10 * i + 5, "a");
  fal_cue_list_begin (list, 630); /* where the last of them starts */
  g_assert_false (fal_cue_list_is_full (list));
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/cue-list/" #name, test_##name)
  ADD (a_cue_holds_from_its_start_up_to_its_end);
  ADD (a_frame_waits_until_the_text_has_passed_its_time);
  ADD (a_frame_without_a_time_gets_the_cue_of_the_one_before);
  ADD (where_two_overlap_the_first_holds_until_its_end);
  ADD (a_cue_without_an_end_holds_until_the_next_begins);
  ADD (cues_without_times_follow_one_another);
  ADD (what_comes_too_late_is_dropped);
  ADD (a_new_segment_goes_on_from_its_start);
  ADD (after_a_flush_nothing_is_known);
  ADD (room_comes_of_cues_that_are_over);
  ADD (room_comes_of_cues_that_a_new_segment_replaces);
  return g_test_run ();
}
