/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The form of request ids. */
#include "fal/policy/request-id.h"

static void
test_an_id_is_written_with_and_without_its_member (void)
{
  static const struct {
    guint64 id;
    guint member;
    const gchar *text;
  } rows[] = {
    { 1, 0, "frame-1" },
    { 12, 3, "frame-12@3" },
    { G_MAXUINT64, G_MAXUINT, "frame-18446744073709551615@4294967295" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *text = fal_request_id_format (rows[i].id, rows[i].member);

    g_assert_cmpstr (text, ==, rows[i].text);
  }
}

static void
test_what_is_written_is_read_again (void)
{
  static const guint64 ids[] = { 1, 99, G_MAXUINT64 };
  guint64 id;

  for (guint i = 0; i < G_N_ELEMENTS (ids); i++) {
    g_autofree gchar *text = fal_request_id_format (ids[i], 7);

    g_assert_cmpint (fal_request_id_take_member (text), ==, 7);
    g_assert_true (fal_request_id_parse (text, &id));
    g_assert_cmpuint (id, ==, ids[i]);
  }
}

static void
test_other_texts_are_no_ids_of_ours (void)
{
  static const gchar *const texts[] = {
    "", "12", "frame-", "frame-0", "frame--1", "frame-+1", "frame- 1", "frame-1 ", "frame-1x",
    "frame-0x1", "Frame-1", "a frame-1", "frame-18446744073709551616",
    "frame-12@3", /* its member was not taken off */
  };
  guint64 id;

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_assert_false (fal_request_id_parse (texts[i], &id));
}

/* What fal_request_id_take_member() finds, and leaves. */
static const struct {
  const gchar *text;
  gint64 member;
  const gchar *left;
} members[] = {
  { "frame-12@1", 1, "frame-12" },
  { "frame-12@3", 3, "frame-12" },
  { "frame-12@4294967295", G_MAXUINT, "frame-12" },
  { "frame-12", 0, "frame-12" },
  { "", -1, "" },
  { "12", -1, "12" },
  { "frame-x", -1, "frame-x" },
  { "somebody@example.com", -1, "somebody@example.com" },
  { "frame-12@", -1, "frame-12@" },
  { "frame-12@0", -1, "frame-12@0" }, /* no member has that number */
  { "frame-12@-1", -1, "frame-12@-1" },
  { "frame-12@3x", -1, "frame-12@3x" },
  { "frame-12@4294967296", -1, "frame-12@4294967296" },
};

static void
test_the_member_is_cut_off (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (members); i++) {
    g_autofree gchar *text = g_strdup (members[i].text);

    g_assert_cmpint (fal_request_id_take_member (text), ==, members[i].member);
    g_assert_cmpstr (text, ==, members[i].left);
  }
}

/* An id that the server gave by itself, and that looks as if it named a member. */
static void
test_anothers_id_has_no_member (void)
{
  static const gchar *const texts[] = { "job-12@3", "@3", "frame-@3", "frame-x@3", "frame-12@3@4" };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autofree gchar *text = g_strdup (texts[i]);

    g_assert_cmpint (fal_request_id_take_member (text), ==, -1);
    g_assert_cmpstr (text, ==, texts[i]);
  }
}

static void
test_no_text_is_no_id (void)
{
  g_assert_cmpint (fal_request_id_take_member (NULL), ==, -1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/request-id/" #name, test_##name)
  ADD (an_id_is_written_with_and_without_its_member);
  ADD (what_is_written_is_read_again);
  ADD (other_texts_are_no_ids_of_ours);
  ADD (the_member_is_cut_off);
  ADD (anothers_id_has_no_member);
  ADD (no_text_is_no_id);
  return g_test_run ();
}
