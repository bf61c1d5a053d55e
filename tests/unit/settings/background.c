/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a background may be written like. */
#include "fal/settings/background.h"

#include <string.h>

static void
test_colours (void)
{
  static const struct {
    const gchar *text;
    guint32 argb;
  } rows[] = {
    { NULL, 0xff000000 },
    { "", 0xff000000 },
    { "#20c040", 0xff20c040 },
    { "#20C040", 0xff20c040 },
    { "0x8020C040", 0x8020c040 },
    { "0XFFffFFff", 0xffffffff },
    { "black", 0xff000000 },
    { "Green", 0xff008000 },
    { "grey", 0xff808080 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    FalBackground background;
    g_autoptr (GError) error = NULL;

    g_assert_true (fal_background_parse (rows[i].text, &background, &error));
    g_assert_no_error (error);
    g_assert_false (background.blur);
    g_assert_cmphex (background.argb, ==, rows[i].argb);
  }
}

static void
test_blur (void)
{
  FalBackground background;

  g_assert_true (fal_background_parse ("blur", &background, NULL));
  g_assert_true (background.blur);
}

static void
test_what_is_no_colour_is_named (void)
{
  static const gchar *const texts[] = { "#12345", "#1234567", "#20c04g", "20c040", "0x20C040",
    "0x1FF20C040", "0x", "#", "blurred", "light green", " black", "#-20c04" };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    FalBackground background;
    g_autoptr (GError) error = NULL;

    g_assert_false (fal_background_parse (texts[i], &background, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
    g_assert_nonnull (strstr (error->message, texts[i]));
    g_assert_nonnull (strstr (error->message, "#20C040"));
    g_assert_false (background.blur);
    g_assert_cmphex (background.argb, ==, 0xff000000);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/background/colours", test_colours);
  g_test_add_func ("/background/blur", test_blur);
  g_test_add_func ("/background/what-is-no-colour-is-named", test_what_is_no_colour_is_named);
  return g_test_run ();
}
