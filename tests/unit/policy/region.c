/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which part of a frame is sent, by text, frame size, what was found and margin. */
#include "fal/policy/region.h"

#define WIDTH 640
#define HEIGHT 480

static FalRegion *
make (const gchar *text, guint margin)
{
  FalRegion *region = fal_region_new (text, margin);

  g_assert_nonnull (region);
  return region;
}

static void
assert_area (const FalArea *area, gint x, gint y, gint width, gint height)
{
  g_assert_cmpint (area->x, ==, x);
  g_assert_cmpint (area->y, ==, y);
  g_assert_cmpint (area->width, ==, width);
  g_assert_cmpint (area->height, ==, height);
}

static void
test_nothing_is_the_whole_frame (void)
{
  static const gchar *const texts[] = { NULL, "", "  " };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (FalRegion) region = make (texts[i], 25);
    FalArea part;

    g_assert_true (fal_region_is_whole (region));
    g_assert_false (fal_region_is_found (region));
    g_assert_cmpint (fal_region_find (region, NULL, 0, WIDTH, HEIGHT, &part), ==, FAL_REGION_THERE);
    assert_area (&part, 0, 0, 0, 0);
  }
}

static void
test_texts_of_another_form_are_refused (void)
{
  static const gchar *const texts[] = { "1", "1,2,3", "1,2,3,4,5", "1,2,3,", "1,2,0,4", "1,2,3,0",
    "1,2,3,-4", "a,b,c,d", "1;2;3;4", "1.5,2,3,4", "1,2,3,4x", "0x10,2,3,4", "1,2,9999999999,4",
    "-2147483649,2,3,4", "meta:", "meta: ", "metaface", "Meta", "face", "100x100" };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (FalRegion) region = fal_region_new (texts[i], 0);

    if (region != NULL)
      g_error ("\"%s\" was taken", texts[i]);
  }
}

static void
test_a_fixed_region_is_cut_off_at_the_edges (void)
{
  static const struct {
    const gchar *text;
    guint margin;
    FalArea part; /* empty: outside */
  } rows[] = {
    { "100,50,256,128", 0, { 100, 50, 256, 128 } },
    { " 100 , 50,\t256,128 ", 0, { 100, 50, 256, 128 } }, { "0,0,640,480", 0, { 0, 0, 640, 480 } },
    { "600,400,256,256", 0, { 600, 400, 40, 80 } }, { "-10,-20,30,50", 0, { 0, 0, 20, 30 } },
    { "-100,-100,2000,2000", 0, { 0, 0, 640, 480 } }, { "639,479,1,1", 0, { 639, 479, 1, 1 } },
    { "0,0,2147483647,2147483647", 0, { 0, 0, 640, 480 } }, { "640,0,10,10", 0, { 0 } },
    { "0,480,10,10", 0, { 0 } }, { "-10,0,10,10", 0, { 0 } },
    { "2147483647,2147483647,2147483647,2147483647", 1000, { 0 } },
    { "-2147483648,0,2147483647,10", 1000, { 0 } }, { "100,100,100,80", 25, { 75, 80, 150, 120 } },
    { "10,10,100,80", 25, { 0, 0, 135, 110 } }, { "560,430,60,40", 50, { 530, 410, 110, 70 } },
    { "300,200,3,3", 10, { 300, 200, 3, 3 } }, { "300,200,10,20", 1000, { 200, 0, 210, 420 } },
    { "700,200,100,100", 1000, { 0 } }, /* a margin does not bring it in */
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (FalRegion) region = make (rows[i].text, rows[i].margin);
    const FalArea *wanted = &rows[i].part;
    FalArea part;

    g_assert_false (fal_region_is_whole (region));
    g_assert_cmpint (fal_region_find (region, NULL, 0, WIDTH, HEIGHT, &part), ==,
        wanted->width > 0 ? FAL_REGION_THERE : FAL_REGION_OUTSIDE);
    assert_area (&part, wanted->x, wanted->y, wanted->width, wanted->height);
  }
}

static void
test_a_type_may_be_wanted (void)
{
  g_autoptr (FalRegion) any = make ("meta", 0), face = make (" meta:face ", 0);
  g_autoptr (FalRegion) odd = make ("meta: a b:c", 0);

  g_assert_true (fal_region_is_found (any) && fal_region_is_found (face));
  g_assert_false (fal_region_is_whole (any));
  g_assert_null (fal_region_get_wanted_type (any));
  g_assert_cmpstr (fal_region_get_wanted_type (face), ==, "face");
  g_assert_cmpstr (fal_region_get_wanted_type (odd), ==, "a b:c");
}

static void
test_of_several_the_largest_within_the_frame_is_taken (void)
{
  static const FalArea found[] = {
    { 0, 0, 0, 500 },
    { 630, 100, 400, 400 }, /* 10 × 380 of it */
    { 10, 20, 100, 50 },
    { 300, 20, 50, 100 }, /* as large, but later */
    { 1000, 0, 500, 500 },
    { 20, 20, 10, 10 },
  };
  g_autoptr (FalRegion) region = make ("meta", 10);
  FalArea part;

  g_assert_cmpint (fal_region_find (region, found, G_N_ELEMENTS (found), WIDTH, HEIGHT, &part), ==,
      FAL_REGION_THERE);
  assert_area (&part, 0, 15, 120, 60);
  fal_region_find (region, found, 2, WIDTH, HEIGHT, &part);
  g_assert_cmpint (part.height, ==, 420); /* of the first two the second, and its margin */
}

static void
test_nothing_found_is_told_from_nothing_within (void)
{
  static const FalArea found[] = { { -20, 0, 20, 20 }, { 640, 480, 5, 5 }, { 5, 5, 0, 0 } };
  g_autoptr (FalRegion) region = make ("meta:face", 50);
  FalArea part;

  g_assert_cmpint (fal_region_find (region, NULL, 0, WIDTH, HEIGHT, &part), ==, FAL_REGION_ABSENT);
  assert_area (&part, 0, 0, 0, 0);
  g_assert_cmpint (fal_region_find (region, found, G_N_ELEMENTS (found), WIDTH, HEIGHT, &part), ==,
      FAL_REGION_OUTSIDE);
  assert_area (&part, 0, 0, 0, 0);
}

/* Never more than was asked for, even where nobody knows the frame's size. */
static void
test_without_a_size_nothing_is_cut_off (void)
{
  g_autoptr (FalRegion) region = make ("-10,20,100,100", 10);
  g_autoptr (FalRegion) far = make ("2147483647,0,2147483647,10", 1000);
  FalArea part;

  g_assert_cmpint (fal_region_find (region, NULL, 0, 0, 0, &part), ==, FAL_REGION_THERE);
  assert_area (&part, -20, 10, 120, 120);
  g_assert_cmpint (fal_region_find (region, NULL, 0, 0, HEIGHT, &part), ==, FAL_REGION_THERE);
  assert_area (&part, -20, 10, 120, 120);
  g_assert_cmpint (fal_region_find (region, NULL, 0, WIDTH, 0, &part), ==, FAL_REGION_THERE);
  assert_area (&part, -20, 10, 120, 120);
  g_assert_cmpint (fal_region_find (far, NULL, 0, 0, 0, &part), ==, FAL_REGION_THERE);
  g_assert_cmpint (part.width, ==, G_MAXINT);
}

static void
test_a_frame_of_one_pixel_has_a_size (void)
{
  g_autoptr (FalRegion) region = make ("-10,-10,100,100", 0);
  FalArea part;

  fal_region_find (region, NULL, 0, 1, HEIGHT, &part);
  assert_area (&part, 0, 0, 1, 90);
  fal_region_find (region, NULL, 0, WIDTH, 1, &part);
  assert_area (&part, 0, 0, 90, 1);
}

#define ADD(name, test) g_test_add_func ("/region/" name, test)

gint
main (gint argc, gchar **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("nothing-is-the-whole-frame", test_nothing_is_the_whole_frame);
  ADD ("texts-of-another-form-are-refused", test_texts_of_another_form_are_refused);
  ADD ("a-fixed-region-is-cut-off-at-the-edges", test_a_fixed_region_is_cut_off_at_the_edges);
  ADD ("a-type-may-be-wanted", test_a_type_may_be_wanted);
  ADD ("of-several-the-largest-within-the-frame-is-taken",
      test_of_several_the_largest_within_the_frame_is_taken);
  ADD ("nothing-found-is-told-from-nothing-within", test_nothing_found_is_told_from_nothing_within);
  ADD ("a-frame-of-one-pixel-has-a-size", test_a_frame_of_one_pixel_has_a_size);
  ADD ("without-a-size-nothing-is-cut-off", test_without_a_size_nothing_is_cut_off);
  return g_test_run ();
}
