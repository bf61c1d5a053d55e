/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is left of a text once secrets are out of it. */
#include "fal/session/redact.h"

#define JWT "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"

static const gchar *const known[] = { "id-1234:s3cr3t/+", "opaque-token", NULL };

static const struct {
  const gchar *text, *clean;
} rows[] = {
  { "nothing to hide", "nothing to hide" },
  { "", "" },
  { "the key id-1234:s3cr3t/+ was refused", "the key [secret] was refused" },
  { "half of it: s3cr3t/+, the other: id-1234", "half of it: [secret], the other: [secret]" },
  { "escaped: s3cr3t%2F%2B", "escaped: s3cr3t%2F%2B" }, /* of no whole known secret */
  { "escaped: id-1234%3As3cr3t%2F%2B", "escaped: [secret]" },
  { "cut off: id-1234:s3c… (what to do)", "cut off: [secret]… (what to do)" },
  { "opaq… opaque-toke…opa…", "[secret]… [secret]…opa…" },
  { "opaque-tokenopaque-token", "[secret][secret]" },
  { "bad token " JWT "!", "bad token [secret]!" },
  { "wss://h/a/b?fal_jwt_token=xyz&max_buffering=2",
      "wss://h/a/b?fal_jwt_token=[secret]&max_buffering=2" },
  { "wss://h/a/b?fal_key_id=q&fal_key_secret=r",
      "wss://h/a/b?fal_key_id=[secret]&fal_key_secret=[secret]" },
  { "Authorization: Key other:one", "Authorization: Key [secret]" },
  { "Authorization: Bearer abcd.efgh", "Authorization: Bearer [secret]" },
  { "proxy http://user:word@proxy:3128/ died", "proxy http://[secret]@proxy:3128/ died" },
};

static void
test_secrets_are_taken_out (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *clean = fal_redact (rows[i].text, known);

    g_assert_cmpstr (clean, ==, rows[i].clean);
  }
}

static void
test_without_known_ones_patterns_are (void)
{
  g_autofree gchar *clean = fal_redact ("opaque-token " JWT, NULL);

  g_assert_cmpstr (clean, ==, "opaque-token [secret]");
}

static void
test_text_that_is_no_text_is_left_out (void)
{
  g_autofree gchar *clean = fal_redact ("\xff\xfe " JWT, NULL);

  g_assert_cmpstr (clean, ==, "[secret]");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add_func ("/secrets/" name, function)
  ADD ("are-taken-out", test_secrets_are_taken_out);
  ADD ("without-known-ones-patterns-are", test_without_known_ones_patterns_are);
  ADD ("text-that-is-no-text-is-left-out", test_text_that_is_no_text_is_left_out);
  return g_test_run ();
}
