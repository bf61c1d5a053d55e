/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Token requests, the replies to them, and what a token says of itself. */
#include "fal/wire/token-format.h"

#include <gio/gio.h>
#include <gst/gst.h>
#include <string.h>

#define BASE "wss://fal.run"

static const struct {
  FalTokenRequest kind;
  const gchar *body;
} bodies[] = {
  { FAL_TOKEN_REQUEST_ALIAS, "{\"allowed_apps\":[\"flux-2\"],\"token_expiration\":120}" },
  { FAL_TOKEN_REQUEST_PATH,
      "{\"allowed_apps\":[\"fal-ai/flux-2/klein/realtime\"],\"duration\":120}" },
  { FAL_TOKEN_REQUEST_APP, "{\"app\":\"fal-ai/flux-2/klein\",\"duration\":120}" },
};

static void
test_a_token_is_asked_for_in_three_ways (void)
{
  g_autoptr (FalEndpoint) endpoint = fal_endpoint_new (BASE, "fal-ai/flux-2/klein", NULL, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (bodies); i++) {
    g_autofree gchar *body = fal_token_format_get_request (endpoint, bodies[i].kind, 120);

    g_assert_cmpstr (body, ==, bodies[i].body);
  }
}

static const struct {
  const gchar *body;
  const gchar *token; /* NULL: refused */
} replies[] = {
  { "\"abc.def-g_h\"", "abc.def-g_h" },
  { " \"abc\"\r\n", "abc" },
  { "{\"token\":\"abc\"}", "abc" },
  { "{\"token\":\"abc\",\"expires\":7}", "abc" },
  { "{\"detail\":\"abc\"}", "abc" },
  { "abc.def\n", "abc.def" },
  { "a+b/c==", "a+b/c==" },
  { "", NULL },
  { "  ", NULL },
  { "\"\"", NULL },
  { "12", NULL },
  { "null", NULL },
  { "true", NULL },
  { "[\"abc\"]", NULL },
  { "{}", NULL },
  { "{\"token\":null,\"detail\":7}", NULL },
  { "{\"detail\":\"Not authenticated\"}", NULL },
  { "<html></html>", NULL },
  { "\"abc", NULL },
  { "\"a\\r\\nb\"", NULL },
  { "a b", NULL },
  { "abc&x=1", NULL },
  { "a\nb", NULL },
  { "é", NULL },
};

static void
test_a_token_is_found_in_four_forms (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (replies); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree gchar *token =
        fal_token_format_parse_reply (replies[i].body, strlen (replies[i].body), &error);

    g_assert_cmpstr (token, ==, replies[i].token);
    if (token == NULL)
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  }
}

static const struct {
  gchar fill;
  gsize length;
  gboolean taken;
} fills[] = {
  { 'x', 16 * 1024, TRUE },
  { 'x', 16 * 1024 + 1, FALSE },
  { 'x', 10 * 1024 * 1024, FALSE },
  { '[', 60000, FALSE },
  { '[', 100000, FALSE },
  { '\0', 100, FALSE },
};

static void
test_long_token_replies_are_refused (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (fills); i++) {
    g_autofree gchar *body = g_malloc (fills[i].length);
    g_autofree gchar *token = NULL;

    memset (body, fills[i].fill, fills[i].length);
    token = fal_token_format_parse_reply (body, fills[i].length, NULL);
    g_assert_true ((token != NULL) == fills[i].taken);
  }
}

static void
test_a_refused_reply_is_not_told (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (fal_token_format_parse_reply ("secret token", 12, &error));
  g_assert_null (strstr (error->message, "secret"));
}

/* Claims in clear, or a whole token where @raw. */
static const struct {
  const gchar *text;
  gboolean raw;
  gint64 expiry;
} claims[] = {
  { "{\"exp\":1700000000}", FALSE, 1700000000 },
  { "{\"sub\":\"x?>~\",\"exp\":1700000000.5}", FALSE, 1700000000 },
  { "{\"a\":\"ÿÿÿ\",\"exp\":5}", FALSE, 5 },
  { "{\"exp\":-5}", FALSE, 0 },
  { "{\"exp\":-5.5}", FALSE, 0 },
  { "{\"exp\":\"5\"}", FALSE, 0 },
  { "{\"exp\":1e300}", FALSE, G_GINT64_CONSTANT (1000000000000000) },
  { "{}", FALSE, 0 },
  { "[5]", FALSE, 0 },
  { "", FALSE, 0 },
  { "", TRUE, 0 },
  { "abc", TRUE, 0 },
  { "a.b", TRUE, 0 },
  { "..", TRUE, 0 },
  { "a.\xff\xfe.c", TRUE, 0 },
  { "a.====.c", TRUE, 0 },
};

static gchar *
make_jwt (const gchar *text)
{
  g_autofree gchar *base64 = g_base64_encode ((const guchar *) text, strlen (text));

  g_strdelimit (g_strdelimit (base64, "+", '-'), "/", '_');
  base64[strcspn (base64, "=")] = '\0';
  return g_strdup_printf ("e30.%s.c2ln", base64);
}

static void
test_a_token_tells_when_it_ends (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (claims); i++) {
    g_autofree gchar *token = claims[i].raw ? g_strdup (claims[i].text) : make_jwt (claims[i].text);

    g_assert_cmpint (fal_token_format_get_expiry (token), ==, claims[i].expiry);
  }
  g_assert_cmpint (fal_token_format_get_expiry (NULL), ==, 0);
}

static void
test_nested_claims_do_no_harm (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree gchar *token = NULL;

  for (guint i = 0; i < 10000; i++)
    g_string_append_c (text, '[');
  token = make_jwt (text->str);
  g_assert_cmpint (fal_token_format_get_expiry (token), ==, 0);
}

static void
test_long_claims_are_not_read (void)
{
  g_autofree gchar *spaces = g_strnfill (16 * 1024, ' ');
  g_autofree gchar *text = g_strconcat ("{\"exp\":5}", spaces, NULL);
  g_autofree gchar *token = make_jwt (text);
  g_autofree gchar *shorter = NULL;

  g_assert_cmpint (fal_token_format_get_expiry (token), ==, 0);
  text[1024] = '\0';
  shorter = make_jwt (text);
  g_assert_cmpint (fal_token_format_get_expiry (shorter), ==, 5);
}

static void
test_what_is_no_token_is_known (void)
{
  static const gchar *const bad[] = { NULL, "", " ", "a b", "a\r\nb", "a&b", "a?b", "\"a\"", "é" };
  g_autofree gchar *longest = g_strnfill (16 * 1024, 'a');
  g_autofree gchar *longer = g_strnfill (16 * 1024 + 1, 'a');

  g_assert_true (fal_token_format_is_token ("eyJ.a-b_c~d+e/f.g="));
  g_assert_true (fal_token_format_is_token (longest));
  g_assert_false (fal_token_format_is_token (longer));
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (fal_token_format_is_token (bad[i]));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
#define ADD(name, test) g_test_add_func ("/token-format/" name, test)
  ADD ("a-token-is-asked-for-in-three-ways", test_a_token_is_asked_for_in_three_ways);
  ADD ("a-token-is-found-in-four-forms", test_a_token_is_found_in_four_forms);
  ADD ("long-token-replies-are-refused", test_long_token_replies_are_refused);
  ADD ("a-refused-reply-is-not-told", test_a_refused_reply_is_not_told);
  ADD ("a-token-tells-when-it-ends", test_a_token_tells_when_it_ends);
  ADD ("long-claims-are-not-read", test_long_claims_are_not_read);
  ADD ("what-is-no-token-is-known", test_what_is_no_token_is_known);
  ADD ("nested-claims-do-no-harm", test_nested_claims_do_no_harm);
  return g_test_run ();
}
