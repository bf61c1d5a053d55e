/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many edits make one word of another. */
#include "fal/settings/edit-distance.h"

static void
test_edits_are_counted (void)
{
  static const struct {
    const gchar *a, *b;
    guint distance;
  } rows[] = {
    { "", "", 0 },
    { "", "lcm", 3 },
    { "lcm", "lcm", 0 },
    { "LCM", "lcm", 0 },
    { "lcm", "lc", 1 },
    { "lm", "lcm", 1 },
    { "lxm", "lcm", 1 },
    { "clm", "lcm", 1 },
    { "lmc", "lcm", 1 },
    { "ca", "abc", 3 }, /* 2 where a place may be edited twice */
    { "kitten", "sitting", 3 },
    { "fal-ai/fast-lcm-difusion", "fal-ai/fast-lcm-diffusion", 1 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_test_message ("%s and %s", rows[i].a, rows[i].b);
    g_assert_cmpuint (fal_edit_distance (rows[i].a, rows[i].b), ==, rows[i].distance);
    g_assert_cmpuint (fal_edit_distance (rows[i].b, rows[i].a), ==, rows[i].distance);
  }
}

static void
test_only_words_are_compared (void)
{
  g_autofree gchar *longest = g_strnfill (FAL_EDIT_DISTANCE_MAX_LENGTH, 'x');
  g_autofree gchar *too_long = g_strnfill (FAL_EDIT_DISTANCE_MAX_LENGTH + 1, 'x');

  g_assert_cmpuint (fal_edit_distance (longest, "x"), ==, FAL_EDIT_DISTANCE_MAX_LENGTH - 1);
  g_assert_cmpuint (fal_edit_distance (longest, longest), ==, 0);
  g_assert_cmpuint (fal_edit_distance (too_long, "x"), ==, G_MAXUINT);
  g_assert_cmpuint (fal_edit_distance ("x", too_long), ==, G_MAXUINT);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/edit-distance/edits-are-counted", test_edits_are_counted);
  g_test_add_func ("/edit-distance/only-words-are-compared", test_only_words_are_compared);
  return g_test_run ();
}
