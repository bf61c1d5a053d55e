/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which frames are sent though they may show nothing new, with literal times. */
#include "fal/policy/stillness.h"

#define NONE FAL_OUTCOME_NONE
#define AWAITED FAL_OUTCOME_AWAITED
#define ANSWERED FAL_OUTCOME_ANSWERED
#define GOES FAL_STILLNESS_GOES
#define LOOK FAL_STILLNESS_LOOK
#define WAITS FAL_STILLNESS_WAITS
#define RESTS FAL_STILLNESS_RESTS

static FalCandidate
frame (guint64 serial)
{
  return (FalCandidate) { .serial = serial, .time = serial * GST_SECOND };
}

static FalStillnessVerdict
judge (const FalStillness *stillness, FalCandidate candidate, FalOutcome outcome)
{
  return fal_stillness_judge (stillness, &candidate, outcome);
}

/* Frame 1 was sent, and a change of 4 levels counts; after @most seconds a frame goes. */
static FalStillness
make (guint most)
{
  const FalStillnessConfig config = { .threshold = 4, .most = most * GST_SECOND };
  const FalCandidate first = frame (1);
  FalStillness stillness = { 0 };

  fal_stillness_configure (&stillness, &config);
  fal_stillness_note_sent (&stillness, &first);
  return stillness;
}

static void
test_without_a_threshold_every_frame_goes (void)
{
  FalStillness s = { 0 };

  g_assert_false (fal_stillness_is_on (&s));
  g_assert_cmpint (judge (&s, frame (2), ANSWERED), ==, GOES);
}

static void
test_a_frame_is_looked_at_before_it_rests (void)
{
  FalStillness s = make (0);

  g_assert_true (fal_stillness_is_on (&s));
  fal_stillness_configure (&s, &(const FalStillnessConfig) { .threshold = 1 });
  g_assert_true (fal_stillness_is_on (&s));
  s = make (0);
  g_assert_cmpint (judge (&s, frame (2), ANSWERED), ==, LOOK);
  fal_stillness_note_change (&s, 2, 3);
  g_assert_cmpint (judge (&s, frame (2), ANSWERED), ==, RESTS);
  g_assert_cmpint (judge (&s, frame (3), ANSWERED), ==, LOOK);
  fal_stillness_note_change (&s, 3, 4);
  g_assert_cmpint (judge (&s, frame (3), ANSWERED), ==, GOES);
}

static void
test_what_cannot_be_compared_goes (void)
{
  FalStillness s = make (0);

  fal_stillness_note_change (&s, 2, FAL_STILLNESS_INCOMPARABLE);
  g_assert_cmpint (judge (&s, frame (2), ANSWERED), ==, GOES);
}

/* What was seen of a frame holds for the one that it was compared with. */
static void
test_a_look_is_forgotten_when_another_frame_was_sent (void)
{
  FalStillness s = make (0);
  const FalCandidate other = frame (2);

  fal_stillness_note_change (&s, 3, 0);
  fal_stillness_note_sent (&s, &other);
  g_assert_cmpint (judge (&s, frame (3), ANSWERED), ==, LOOK);
}

static void
test_a_frame_without_an_answer_was_not_sent (void)
{
  FalStillness s = make (0);

  fal_stillness_note_change (&s, 2, 0);
  g_assert_cmpint (judge (&s, frame (2), NONE), ==, GOES);
}

/* Where none may be lost, an unchanged frame wants the answer that stands for it. */
static void
test_an_answer_is_awaited_where_none_may_be_lost (void)
{
  FalStillness s = make (0);
  FalCandidate kept = frame (2);

  fal_stillness_note_change (&s, 2, 0);
  g_assert_cmpint (judge (&s, kept, AWAITED), ==, RESTS);
  kept.kept = TRUE;
  g_assert_cmpint (judge (&s, kept, AWAITED), ==, WAITS);
  g_assert_cmpint (judge (&s, kept, ANSWERED), ==, RESTS);
  g_assert_cmpint (judge (&s, kept, NONE), ==, GOES);
}

static void
test_a_frame_that_is_asked_for_goes (void)
{
  FalStillness s = make (0);
  FalCandidate asked = frame (2);

  asked.asked_for = TRUE;
  g_assert_cmpint (judge (&s, asked, ANSWERED), ==, GOES);
}

static void
test_what_is_owed_goes_once (void)
{
  FalStillness s = make (0);
  const FalCandidate next = frame (2);

  fal_stillness_owe (&s);
  g_assert_cmpint (judge (&s, next, ANSWERED), ==, GOES);
  fal_stillness_note_sent (&s, &next);
  g_assert_cmpint (judge (&s, frame (3), ANSWERED), ==, LOOK);
}

static void
test_a_frame_goes_when_the_time_is_over (void)
{
  FalStillness s = make (5);
  const FalCandidate sixth = frame (6);

  g_assert_cmpint (judge (&s, frame (5), ANSWERED), ==, LOOK);
  g_assert_cmpint (judge (&s, sixth, ANSWERED), ==, GOES);
  fal_stillness_note_sent (&s, &sixth);
  g_assert_cmpint (judge (&s, frame (10), ANSWERED), ==, LOOK);
  g_assert_cmpint (judge (&s, frame (11), ANSWERED), ==, GOES);
}

static void
test_time_that_goes_back_begins_anew (void)
{
  FalStillness s = make (0);
  FalCandidate earlier = frame (2);

  earlier.time = GST_SECOND; /* that of the first */
  g_assert_cmpint (judge (&s, earlier, ANSWERED), ==, LOOK);
  earlier.time = 0;
  g_assert_cmpint (judge (&s, earlier, ANSWERED), ==, GOES);
}

static void
test_another_cue_counts_as_a_change (void)
{
  FalStillness s = make (0);
  g_autoptr (GstStructure) boat = gst_structure_new ("cue", "prompt", G_TYPE_STRING, "boat", NULL);
  g_autoptr (GstStructure) same = gst_structure_copy (boat);
  g_autoptr (GstStructure) tree = gst_structure_new ("cue", "prompt", G_TYPE_STRING, "tree", NULL);
  FalCandidate next = frame (2);

  next.cue = boat;
  g_assert_cmpint (judge (&s, next, ANSWERED), ==, GOES);
  fal_stillness_note_sent (&s, &next);
  next = frame (3);
  next.cue = same;
  g_assert_cmpint (judge (&s, next, ANSWERED), ==, LOOK);
  next.cue = tree;
  g_assert_cmpint (judge (&s, next, ANSWERED), ==, GOES);
  next.cue = NULL;
  g_assert_cmpint (judge (&s, next, ANSWERED), ==, GOES);
  fal_stillness_reset (&s);
  g_assert_null (s.cue);
  g_assert_cmpuint (s.config.threshold, ==, 4);
}

/* Frame 1 was sent with @before, and frame 2 would be with @part. */
static FalStillnessVerdict
judge_part (FalArea before, FalArea part)
{
  FalStillness s = make (0);
  FalCandidate first = frame (1), next = frame (2);

  first.part = before;
  next.part = part;
  fal_stillness_note_sent (&s, &first);
  return judge (&s, next, ANSWERED);
}

static void
test_another_region_counts_as_a_change (void)
{
  const FalArea all = { 0 }, face = { 100, 50, 200, 150 }, corner = { 0, 0, 3, 3 };
  const FalArea thin[] = { { 100, 50, 1, 150 }, { 100, 50, 200, 1 } };
  const FalArea empty[] = { { 100, 50, 0, 150 }, { 100, 50, 200, 0 } };

  g_assert_cmpint (judge_part (all, all), ==, LOOK);
  g_assert_cmpint (judge_part (face, face), ==, LOOK);
  g_assert_cmpint (judge_part (all, face), ==, GOES);
  g_assert_cmpint (judge_part (face, all), ==, GOES);
  g_assert_cmpint (judge_part (corner, all), ==, GOES);
  for (guint i = 0; i < G_N_ELEMENTS (thin); i++) {
    g_assert_cmpint (judge_part (thin[i], thin[i]), ==, LOOK);
    g_assert_cmpint (judge_part (thin[i], all), ==, GOES);
    g_assert_cmpint (judge_part (all, thin[i]), ==, GOES);
    g_assert_cmpint (judge_part (empty[i], all), ==, LOOK); /* without a size it is all */
    g_assert_cmpint (judge_part (all, empty[i]), ==, LOOK);
    g_assert_cmpint (judge_part (empty[i], face), ==, GOES);
    g_assert_cmpint (judge_part (face, empty[i]), ==, GOES);
  }
  g_assert_cmpint (judge_part (face, (FalArea) { 105, 50, 200, 150 }), ==, GOES);
  g_assert_cmpint (judge_part (face, (FalArea) { 100, 45, 200, 150 }), ==, GOES);
  g_assert_cmpint (judge_part (face, (FalArea) { 105, 50, 195, 150 }), ==, GOES);
  g_assert_cmpint (judge_part (face, (FalArea) { 100, 45, 200, 155 }), ==, GOES);
  g_assert_cmpint (judge_part (face, (FalArea) { 100, 50, 205, 150 }), ==, GOES);
  g_assert_cmpint (judge_part (face, (FalArea) { 100, 50, 200, 145 }), ==, GOES);
}

/* It is compared with the one that was sent, so that a slow movement adds up. */
static void
test_a_region_that_trembles_does_not (void)
{
  const FalArea face = { 100, 50, 200, 150 };
  FalStillness s = make (0);
  FalCandidate next = frame (1);

  g_assert_cmpint (judge_part (face, (FalArea) { 104, 46, 196, 158 }), ==, LOOK);
  next.part = face;
  fal_stillness_note_sent (&s, &next);
  for (guint n = 2; n < 6; n++) {
    next = frame (n);
    next.part = (FalArea) { face.x + n, face.y, face.width, face.height };
    g_assert_cmpint (judge (&s, next, ANSWERED), ==, n <= 4 ? LOOK : GOES);
  }
}

static void
test_after_one_that_passed_the_first_frame_goes (void)
{
  FalStillness s = make (0);
  FalCandidate next = frame (4);

  fal_stillness_note_passed (&s, 3);
  g_assert_cmpint (judge (&s, frame (2), ANSWERED), ==, LOOK); /* it waited since before */
  g_assert_cmpint (judge (&s, next, ANSWERED), ==, GOES);
  fal_stillness_note_sent (&s, &next);
  g_assert_cmpint (judge (&s, frame (5), ANSWERED), ==, LOOK);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/stillness/" #name, test_##name)
  TEST (without_a_threshold_every_frame_goes);
  TEST (a_frame_is_looked_at_before_it_rests);
  TEST (what_cannot_be_compared_goes);
  TEST (a_look_is_forgotten_when_another_frame_was_sent);
  TEST (a_frame_without_an_answer_was_not_sent);
  TEST (an_answer_is_awaited_where_none_may_be_lost);
  TEST (a_frame_that_is_asked_for_goes);
  TEST (what_is_owed_goes_once);
  TEST (a_frame_goes_when_the_time_is_over);
  TEST (time_that_goes_back_begins_anew);
  TEST (another_cue_counts_as_a_change);
  TEST (another_region_counts_as_a_change);
  TEST (a_region_that_trembles_does_not);
  TEST (after_one_that_passed_the_first_frame_goes);
  return g_test_run ();
}
