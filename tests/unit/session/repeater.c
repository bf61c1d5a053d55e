/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is shown at each tick, with literal times. A picture is known by its size in bytes. */
#include "fal/session/repeater.h"

#define MS GST_MSECOND
#define NONE GST_CLOCK_TIME_NONE

static FalRepeater *
make_repeater (gint n)
{
  FalRepeater *repeater = fal_repeater_new ();

  fal_repeater_set_rate (repeater, (FalFraction){ n, 1 });
  return repeater;
}

static void
take_in (FalRepeater *repeater, guint name, GstClockTime pts, const GstSegment *segment)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, name, NULL);
  g_autoptr (GstCaps) caps = gst_caps_new_empty_simple ("video/x-raw");

  GST_BUFFER_PTS (buffer) = pts;
  GST_BUFFER_DURATION (buffer) = 40 * MS;
  gst_buffer_add_custom_meta (buffer, FAL_RESULT_META);
  fal_repeater_take (repeater, gst_sample_new (buffer, caps, segment, NULL), FAL_RESULT_ANSWER);
}

static void
take (FalRepeater *repeater, guint name, GstClockTime pts)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  take_in (repeater, name, pts, &segment);
}

static void
expect (FalRepeater *repeater, GstClockTime time, guint name, gboolean repeated)
{
  GstCustomMeta *meta;
  FalPicture picture;

  g_assert_cmpuint (fal_repeater_get_time (repeater), ==, time);
  fal_repeater_make (repeater, &picture);
  meta = gst_buffer_get_custom_meta (picture.buffer, FAL_RESULT_META);
  g_assert_cmpuint (picture.running, ==, time);
  g_assert_cmpuint (gst_buffer_get_size (picture.buffer), ==, name);
  g_assert_cmpint (picture.repeated, ==, repeated);
  g_assert_cmpint (GST_BUFFER_FLAG_IS_SET (picture.buffer, GST_BUFFER_FLAG_GAP), ==, repeated);
  g_assert_nonnull (meta);
  g_assert_cmpint (
      gst_structure_has_field (gst_custom_meta_get_structure (meta), "repeated"), ==, repeated);
  fal_picture_clear (&picture);
}

static void
test_nothing_is_shown_before_the_first (void)
{
  g_autoptr (FalRepeater) repeater = make_repeater (50);

  g_assert_true (fal_repeater_is_on (repeater));
  g_assert_cmpuint (fal_repeater_get_time (repeater), ==, NONE);
  g_assert_cmpuint (fal_repeater_get_certain (repeater, TRUE), ==, NONE);
}

static void
test_each_tick_shows_the_newest_whose_time_has_come (void)
{
  g_autoptr (FalRepeater) repeater = make_repeater (50);

  take (repeater, 1, 100 * MS);
  expect (repeater, 100 * MS, 1, FALSE);
  take (repeater, 2, 105 * MS);
  take (repeater, 3, 120 * MS);
  take (repeater, 4, 121 * MS);
  expect (repeater, 120 * MS, 3, FALSE);
  expect (repeater, 140 * MS, 4, FALSE);
  expect (repeater, 160 * MS, 4, TRUE);
  expect (repeater, 180 * MS, 4, TRUE);
}

static void
test_what_is_certain_ends_with_the_newest_or_its_time (void)
{
  g_autoptr (FalRepeater) repeater = make_repeater (50);

  take (repeater, 1, 100 * MS);
  g_assert_cmpuint (fal_repeater_get_certain (repeater, FALSE), ==, 100 * MS);
  take (repeater, 2, 140 * MS);
  g_assert_cmpuint (fal_repeater_get_certain (repeater, FALSE), ==, 140 * MS);
  g_assert_cmpuint (fal_repeater_get_certain (repeater, TRUE), ==, 180 * MS);
}

static void
test_it_is_full_with_a_few_that_wait (void)
{
  g_autoptr (FalRepeater) repeater = make_repeater (50);

  for (guint i = 0; i < 5; i++) {
    g_assert_false (fal_repeater_is_full (repeater));
    take (repeater, i + 1, (100 + 20 * i) * MS);
  }
  g_assert_true (fal_repeater_is_full (repeater));
  expect (repeater, 100 * MS, 1, FALSE);
  g_assert_true (fal_repeater_is_full (repeater));
  expect (repeater, 120 * MS, 2, FALSE);
  g_assert_false (fal_repeater_is_full (repeater));
}

static void
test_what_has_no_time_is_shown_at_once (void)
{
  g_autoptr (FalRepeater) repeater = make_repeater (50);

  take (repeater, 1, NONE);
  expect (repeater, 0, 1, FALSE);
  take (repeater, 2, NONE);
  expect (repeater, 20 * MS, 2, FALSE);
}

/* A segment may lay its frames anywhere. */
static void
test_times_are_running_times (void)
{
  g_autoptr (FalRepeater) repeater = make_repeater (50);
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.base = 2000 * MS;
  take_in (repeater, 1, 100 * MS, &segment);
  expect (repeater, 2100 * MS, 1, FALSE);
}

static void
test_time_that_goes_back_begins_anew (void)
{
  g_autoptr (FalRepeater) repeater = make_repeater (50);

  take (repeater, 1, 5000 * MS);
  expect (repeater, 5000 * MS, 1, FALSE);
  take (repeater, 2, 4900 * MS); /* only late */
  expect (repeater, 5020 * MS, 2, FALSE);
  take (repeater, 3, 100 * MS);
  expect (repeater, 100 * MS, 3, FALSE);
}

static void
test_after_a_reset_it_begins_anew (void)
{
  g_autoptr (FalRepeater) repeater = make_repeater (50);

  take (repeater, 1, 100 * MS);
  expect (repeater, 100 * MS, 1, FALSE);
  fal_repeater_reset (repeater);
  g_assert_cmpuint (fal_repeater_get_time (repeater), ==, NONE);
  take (repeater, 2, 30 * MS);
  expect (repeater, 30 * MS, 2, FALSE);
  fal_repeater_set_rate (repeater, (FalFraction){ 0, 1 });
  g_assert_false (fal_repeater_is_on (repeater));
  g_assert_cmpuint (fal_repeater_get_time (repeater), ==, NONE);
}

/* A frame that the picture stands for, too, makes its time certain. */
static void
test_a_picture_that_stands_goes_on (void)
{
  g_autoptr (FalRepeater) repeater = make_repeater (50);

  fal_repeater_go_on (repeater, 0, 100 * MS);
  g_assert_cmpuint (fal_repeater_get_certain (repeater, FALSE), ==, NONE);
  take (repeater, 1, 0);
  fal_repeater_go_on (repeater, 60 * MS, 100 * MS);
  g_assert_cmpuint (fal_repeater_get_certain (repeater, FALSE), ==, 60 * MS);
  g_assert_cmpuint (fal_repeater_get_certain (repeater, TRUE), ==, 100 * MS);
  fal_repeater_go_on (repeater, 40 * MS, 80 * MS);
  g_assert_cmpuint (fal_repeater_get_certain (repeater, FALSE), ==, 60 * MS);
  expect (repeater, 0, 1, FALSE);
  expect (repeater, 20 * MS, 1, TRUE);
  take (repeater, 2, 80 * MS);
  g_assert_cmpuint (fal_repeater_get_certain (repeater, FALSE), ==, 80 * MS);
}

/* ---- fades: a picture is of one luma, 0 to 255, and 2 pixels large ---- */

#define GREY "video/x-raw,format=GRAY8,width=2,height=1,framerate=50/1"

static FalRepeater *
make_fading (gboolean ahead)
{
  FalRepeater *repeater = make_repeater (50);

  fal_repeater_set_transition (repeater, FAL_TRANSITION_FADE, ahead);
  return repeater;
}

static void
take_as (FalRepeater *repeater, guint luma, GstClockTime pts, const gchar *description,
    FalResultKind kind)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, 4, NULL);
  g_autoptr (GstCaps) caps = gst_caps_from_string (description);
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_buffer_memset (buffer, 0, luma, 4);
  GST_BUFFER_PTS (buffer) = pts;
  GST_BUFFER_DURATION (buffer) = 40 * MS;
  gst_buffer_add_custom_meta (buffer, FAL_RESULT_META);
  fal_repeater_take (repeater, gst_sample_new (buffer, caps, &segment, NULL), kind);
}

static void
take_luma (FalRepeater *repeater, guint luma, GstClockTime pts)
{
  take_as (repeater, luma, pts, GREY, FAL_RESULT_ANSWER);
}

/* What the next tick shows. */
typedef struct {
  guint8 luma;
  gboolean first, repeated;
  gdouble transition; /* as the meta has it; 0: it has none */
} Tick;

static Tick
make_tick (FalRepeater *repeater)
{
  FalPicture picture;
  Tick tick = { 0 };
  GstStructure *description;

  fal_repeater_make (repeater, &picture);
  description =
      gst_custom_meta_get_structure (gst_buffer_get_custom_meta (picture.buffer, FAL_RESULT_META));
  gst_buffer_extract (picture.buffer, 1, &tick.luma, 1);
  tick.first = picture.first;
  tick.repeated = picture.repeated;
  gst_structure_get_double (description, "transition", &tick.transition);
  g_assert_cmpint (gst_structure_has_field (description, "repeated"), ==, tick.repeated);
  g_assert_cmpint (GST_BUFFER_FLAG_IS_SET (picture.buffer, GST_BUFFER_FLAG_GAP), ==, tick.repeated);
  fal_picture_clear (&picture);
  return tick;
}

static void
expect_tick (
    FalRepeater *repeater, guint luma, gdouble transition, gboolean first, gboolean repeated)
{
  Tick tick = make_tick (repeater);

  g_assert_cmpuint (tick.luma, ==, luma);
  g_assert_cmpfloat (tick.transition, ==, transition);
  g_assert_cmpint (tick.first, ==, first);
  g_assert_cmpint (tick.repeated, ==, repeated);
}

static void
test_a_live_result_fades_in_from_its_time_on (void)
{
  g_autoptr (FalRepeater) repeater = make_fading (FALSE);

  take_luma (repeater, 0, 100 * MS);
  expect_tick (repeater, 0, 0, TRUE, FALSE);
  for (guint i = 0; i < 3; i++)
    expect_tick (repeater, 0, 0, FALSE, TRUE);
  take_luma (repeater, 240, 180 * MS);
  expect_tick (repeater, 60, 0.25, TRUE, FALSE); /* 180 ms: it takes 80 */
  expect_tick (repeater, 120, 0.5, FALSE, FALSE);
  expect_tick (repeater, 180, 0.75, FALSE, FALSE);
  expect_tick (repeater, 240, 0, FALSE, FALSE); /* 240 ms, until 260 */
  expect_tick (repeater, 240, 0, FALSE, TRUE);
}

/* The third comes while the second is half there. */
static void
test_a_live_result_fades_in_from_what_is_seen (void)
{
  g_autoptr (FalRepeater) repeater = make_fading (FALSE);

  take_luma (repeater, 0, 100 * MS);
  for (guint i = 0; i < 4; i++)
    make_tick (repeater);
  take_luma (repeater, 200, 180 * MS);
  expect_tick (repeater, 50, 0.25, TRUE, FALSE);
  expect_tick (repeater, 100, 0.5, FALSE, FALSE);
  take_luma (repeater, 0, 220 * MS); /* 40 ms after the one before: that is what it takes */
  expect_tick (repeater, 50, 0.5, TRUE, FALSE);
  expect_tick (repeater, 0, 0, FALSE, FALSE);
}

static void
make_ticks_until (FalRepeater *repeater, GstClockTime time)
{
  while (fal_repeater_get_time (repeater) < time)
    make_tick (repeater);
}

/* The result of 400 ms came only when the one of 480 ms was due. */
static void
test_what_was_never_seen_is_not_faded_from (void)
{
  g_autoptr (FalRepeater) repeater = make_fading (FALSE);

  for (guint i = 1; i <= 3; i++) {
    take_luma (repeater, 0, 100 * i * MS);
    make_ticks_until (repeater, 100 * (i + 1) * MS);
  }
  make_ticks_until (repeater, 480 * MS);
  take_luma (repeater, 100, 400 * MS);
  take_luma (repeater, 200, 480 * MS);
  expect_tick (repeater, 50, 0.25, TRUE, FALSE);
}

static void
test_in_a_file_each_result_is_whole_at_its_time (void)
{
  g_autoptr (FalRepeater) repeater = make_fading (TRUE);

  take_luma (repeater, 0, 100 * MS);
  take_luma (repeater, 200, 180 * MS);
  take_luma (repeater, 100, 220 * MS);
  expect_tick (repeater, 0, 0, TRUE, FALSE);
  expect_tick (repeater, 50, 0.25, TRUE, FALSE);
  expect_tick (repeater, 100, 0.5, FALSE, FALSE);
  expect_tick (repeater, 150, 0.75, FALSE, FALSE);
  expect_tick (repeater, 200, 0, FALSE, FALSE);
  expect_tick (repeater, 150, 0.5, TRUE, FALSE);
  expect_tick (repeater, 100, 0, FALSE, FALSE);
  expect_tick (repeater, 100, 0, FALSE, TRUE);
}

static const struct {
  const gchar *what, *from, *to;
  FalResultKind from_kind, to_kind;
} cuts[] = {
  { "size", GREY, "video/x-raw,format=GRAY8,width=4,height=1,framerate=50/1" },
  { "pixel aspect ratio", GREY, GREY ",pixel-aspect-ratio=2/1" },
  { "colorimetry", GREY ",colorimetry=bt601", GREY ",colorimetry=bt709" },
  { "format", "video/x-raw,format=RGB16,width=2,height=1,framerate=50/1",
      "video/x-raw,format=RGB16,width=2,height=1,framerate=50/1" },
  { "encoded", "image/jpeg,width=2,height=1", "image/jpeg,width=2,height=1" },
  { "to the fallback", GREY, GREY, FAL_RESULT_ANSWER, FAL_RESULT_FALLBACK },
  { "from the fallback", GREY, GREY, FAL_RESULT_FALLBACK, FAL_RESULT_ANSWER },
  { "frames that pass", GREY, GREY, FAL_RESULT_PASS, FAL_RESULT_PASS },
};

static void
test_what_cannot_fade_is_a_cut (void)
{
  for (guint i = 0; i < 2 * G_N_ELEMENTS (cuts); i++) {
    gboolean ahead = i % 2;
    g_autoptr (FalRepeater) repeater = make_fading (ahead);

    g_test_message ("%s, %s", cuts[i / 2].what, ahead ? "in a file" : "live");
    take_as (repeater, 10, 100 * MS, cuts[i / 2].from, cuts[i / 2].from_kind);
    if (ahead)
      take_as (repeater, 200, 180 * MS, cuts[i / 2].to, cuts[i / 2].to_kind);
    expect_tick (repeater, 10, 0, TRUE, FALSE);
    for (guint k = 0; k < 3; k++)
      expect_tick (repeater, 10, 0, FALSE, TRUE);
    if (!ahead)
      take_as (repeater, 200, 180 * MS, cuts[i / 2].to, cuts[i / 2].to_kind);
    expect_tick (repeater, 200, 0, TRUE, FALSE);
    expect_tick (repeater, 200, 0, FALSE, TRUE);
  }
}

static void
test_a_fade_ends_where_it_is_switched_off (void)
{
  g_autoptr (FalRepeater) repeater = make_fading (FALSE);

  take_luma (repeater, 0, 100 * MS);
  for (guint i = 0; i < 4; i++)
    make_tick (repeater);
  take_luma (repeater, 240, 180 * MS);
  expect_tick (repeater, 60, 0.25, TRUE, FALSE);
  fal_repeater_set_transition (repeater, FAL_TRANSITION_CUT, FALSE);
  expect_tick (repeater, 240, 0, FALSE, FALSE);
  expect_tick (repeater, 240, 0, FALSE, TRUE);
  take_luma (repeater, 0, 240 * MS);
  expect_tick (repeater, 0, 0, TRUE, FALSE);
}

static void
test_nothing_fades_in_from_before_a_new_beginning (void)
{
  for (guint i = 0; i < 2; i++) {
    g_autoptr (FalRepeater) repeater = make_fading (FALSE);

    take_luma (repeater, 0, 5000 * MS);
    make_tick (repeater);
    make_tick (repeater);
    if (i == 0)
      fal_repeater_reset (repeater);
    take_luma (repeater, 200, 100 * MS);
    expect_tick (repeater, 200, 0, TRUE, FALSE);
  }
}

static void
test_which_caps_can_fade (void)
{
  static const struct {
    const gchar *caps;
    gboolean can;
  } rows[] = { { GREY, TRUE }, { "video/x-raw,format=I420,width=5,height=3,framerate=30/1", TRUE },
    { "video/x-raw,format=v210,width=6,height=3,framerate=30/1", FALSE },
    { "image/jpeg,width=2,height=2", FALSE }, { "video/x-raw", FALSE } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GstCaps) caps = gst_caps_from_string (rows[i].caps);

    g_assert_cmpint (fal_repeater_can_fade (caps), ==, rows[i].can);
  }
}

int
main (int argc, char **argv)
{
  static const gchar *tags[] = { NULL };

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  gst_meta_register_custom (FAL_RESULT_META, tags, NULL, NULL, NULL);
#define ADD(name) g_test_add_func ("/repeater/" #name, test_##name)
  ADD (nothing_is_shown_before_the_first);
  ADD (each_tick_shows_the_newest_whose_time_has_come);
  ADD (what_is_certain_ends_with_the_newest_or_its_time);
  ADD (it_is_full_with_a_few_that_wait);
  ADD (what_has_no_time_is_shown_at_once);
  ADD (times_are_running_times);
  ADD (time_that_goes_back_begins_anew);
  ADD (after_a_reset_it_begins_anew);
  ADD (a_picture_that_stands_goes_on);
  ADD (a_live_result_fades_in_from_its_time_on);
  ADD (a_live_result_fades_in_from_what_is_seen);
  ADD (what_was_never_seen_is_not_faded_from);
  ADD (in_a_file_each_result_is_whole_at_its_time);
  ADD (what_cannot_fade_is_a_cut);
  ADD (a_fade_ends_where_it_is_switched_off);
  ADD (nothing_fades_in_from_before_a_new_beginning);
  ADD (which_caps_can_fade);
  return g_test_run ();
}
