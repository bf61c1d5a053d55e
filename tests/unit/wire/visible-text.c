/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is seen stays, and what is not is written out. */
#include "fal/wire/visible-text.h"

#include <string.h>

static const struct {
  const gchar *text, *visible;
} rows[] = {
  { "", "" },
  { "plain, with “quotes”, ümläute, 日本語, עברית, العربية and 🙂",
      "plain, with “quotes”, ümläute, 日本語, עברית, العربية and 🙂" },
  { "e\xcc\x81", "e\xcc\x81" }, /* a letter and its accent */
  { "C:\\path\\x1b", "C:\\path\\x1b" },
  /* C0, DEL */
  { "\x1b[2J", "\\x1b[2J" },
  { "\x1b]0;title\x07", "\\x1b]0;title\\x07" },
  { "one\ntwo\r\nthree\tfour", "one\\ntwo\\r\\nthree\\tfour" },
  { "\x01\x08\x0b\x0c\x1f\x7f", "\\x01\\x08\\x0b\\x0c\\x1f\\x7f" },
  /* C1: as UTF-8, and as a byte, which is no UTF-8 */
  { "\xc2\x80\xc2\x85\xc2\x9b"
    "31m\xc2\x9f",
      "\\x80\\x85\\x9b31m\\x9f" },
  { "\x9b"
    "31m",
      "\\x9b31m" },
  /* No UTF-8: alone, cut off, overlong, a surrogate, beyond Unicode */
  { "a\xff\xfe", "a\\xff\\xfe" },
  { "a\xe2\x82", "a\\xe2\\x82" },
  { "\xc0\x8a", "\\xc0\\x8a" },
  { "\xed\xa0\x80", "\\xed\\xa0\\x80" },
  { "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },
  /* Ends of lines and of paragraphs */
  { "a\xe2\x80\xa8"
    "b\xe2\x80\xa9",
      "a\\u2028b\\u2029" },
  /* Directions */
  { "\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c", "\\u200e\\u200f\\u061c" },
  { "\xe2\x80\xaa\xe2\x80\xab\xe2\x80\xac\xe2\x80\xad\xe2\x80\xae",
      "\\u202a\\u202b\\u202c\\u202d\\u202e" },
  { "\xe2\x81\xa6\xe2\x81\xa7\xe2\x81\xa8\xe2\x81\xa9", "\\u2066\\u2067\\u2068\\u2069" },
  /* No width, byte order, a soft hyphen, tags, own characters, none at all */
  { "a\xe2\x80\x8b\xe2\x80\x8c\xe2\x80\x8d\xe2\x81\xa0z", "a\\u200b\\u200c\\u200d\\u2060z" },
  { "\xef\xbb\xbf{", "\\ufeff{" },
  { "co\xc2\xadop", "co\\xadop" },
  { "\xf3\xa0\x81\x81", "\\U000e0041" },
  { "\xee\x80\x80", "\\ue000" },
  { "\xef\xbf\xbf", "\\uffff" },
};

static void
test_what_is_not_seen_is_written_out (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *visible = fal_text_make_visible (rows[i].text);
    g_autofree gchar *again = fal_text_make_visible (visible);

    g_assert_cmpstr (visible, ==, rows[i].visible);
    g_assert_cmpstr (again, ==, visible);
    g_assert_true (fal_text_is_visible (visible));
    g_assert_true (fal_text_is_visible (rows[i].text) == (strcmp (rows[i].text, visible) == 0));
  }
  g_assert_null (fal_text_make_visible (NULL));
}

/* Whatever the bytes are, what comes out is text of one line. */
static void
test_any_bytes_become_text (void)
{
  for (guint n = 0; n < 10000; n++) {
    gchar text[32];
    g_autofree gchar *visible = NULL;

    for (guint i = 0; i < sizeof text; i++)
      text[i] = g_test_rand_int_range (1, 256);
    text[g_test_rand_int_range (0, sizeof text)] = '\0';
    text[sizeof text - 1] = '\0';
    visible = fal_text_make_visible (text);
    g_assert_true (g_utf8_validate (visible, -1, NULL));
    g_assert_true (fal_text_is_visible (visible));
    g_assert_null (strpbrk (visible, "\n\r\t\x1b\x7f"));
    g_assert_cmpuint (strlen (visible), >=, strlen (text));
  }
}

static void
test_long_text_is_cut_with_a_mark (void)
{
  static const struct {
    const gchar *text;
    gsize max;
    const gchar *cut;
  } cuts[] = {
    { "", 3, "" },
    { "abc", 3, "abc" },
    { "abcd", 3, "ab…" },
    { "äöü", 3, "äöü" },
    { "äöüß", 3, "äö…" },
    { "🙂🙂", 1, "…" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cuts); i++) {
    g_autofree gchar *cut = fal_text_cut (cuts[i].text, cuts[i].max);

    g_assert_cmpstr (cut, ==, cuts[i].cut);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, test) g_test_add_func ("/visible-text/" name, test)
  ADD ("what-is-not-seen-is-written-out", test_what_is_not_seen_is_written_out);
  ADD ("any-bytes-become-text", test_any_bytes_become_text);
  ADD ("long-text-is-cut-with-a-mark", test_long_text_is_cut_with_a_mark);
  return g_test_run ();
}
