/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/gst.h>
#include "fal/settings/app-profiles.h"
#include "fal/wire/token-format.h"

#include <gio/gio.h>
#include <string.h>

#define BASE "wss://fal.run"

static const struct {
  const gchar *base, *app, *path;
  const gchar *owner, *alias, *scope;
  const gchar *described;
} endpoints[] = {
  { BASE, "fal-ai/lcm", NULL, "fal-ai", "lcm", "fal-ai/lcm/realtime", BASE "/fal-ai/lcm/realtime" },
  { BASE, "fal-ai/flux-2/klein", NULL, "fal-ai", "flux-2", "fal-ai/flux-2/klein/realtime",
      BASE "/fal-ai/flux-2/klein/realtime" },
  { BASE, "fal-ai/flux-2/klein/realtime", NULL, "fal-ai", "flux-2", "fal-ai/flux-2/klein/realtime",
      BASE "/fal-ai/flux-2/klein/realtime" },
  { BASE, "o/a/realtime", "/realtime", "o", "a", "o/a/realtime/realtime",
      BASE "/o/a/realtime/realtime" },
  { BASE, "123-my-app", NULL, "123", "my-app", "123/my-app/realtime", BASE "/123/my-app/realtime" },
  { BASE, "workflows/o/a", NULL, "o", "a", "workflows/o/a/realtime",
      BASE "/workflows/o/a/realtime" },
  { BASE, "comfy/o/a/sub", NULL, "o", "a", "comfy/o/a/sub/realtime",
      BASE "/comfy/o/a/sub/realtime" },
  { BASE, "o/a", "/ws", "o", "a", "o/a/ws", BASE "/o/a/ws" },
  { BASE, "o/a", "ws", "o", "a", "o/a/ws", BASE "/o/a/ws" },
  { BASE, "o/a", "///b/ws//", "o", "a", "o/a/b/ws", BASE "/o/a/b/ws" },
  { BASE, "o/a", "", "o", "a", "o/a", BASE "/o/a" },
  { BASE, "o/a", "/", "o", "a", "o/a", BASE "/o/a" },
  { BASE "/", "o/a", NULL, "o", "a", "o/a/realtime", BASE "/o/a/realtime" },
  { "https://fal.run", "o/a", NULL, "o", "a", "o/a/realtime", BASE "/o/a/realtime" },
  { "HTTP://h:8080/x/y//", "o/a", NULL, "o", "a", "o/a/realtime", "ws://h:8080/x/y/o/a/realtime" },
  { "ws://[::1]:9", "o/a", NULL, "o", "a", "o/a/realtime", "ws://[::1]:9/o/a/realtime" },
  { "ws://h/a%20b", "o/a", NULL, "o", "a", "o/a/realtime", "ws://h/a%20b/o/a/realtime" },
};

static void
test_an_app_has_an_address (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (endpoints); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (FalEndpoint) endpoint =
        fal_endpoint_new (endpoints[i].base, endpoints[i].app, endpoints[i].path, &error);
    g_autofree gchar *described = NULL;
    g_autofree gchar *scope = NULL;

    g_assert_no_error (error);
    described = fal_endpoint_describe (endpoint);
    scope = fal_token_format_get_scope (endpoint);
    g_assert_cmpstr (described, ==, endpoints[i].described);
    g_assert_cmpstr (scope, ==, endpoints[i].scope);
    g_assert_cmpstr (endpoint->owner, ==, endpoints[i].owner);
    g_assert_cmpstr (endpoint->alias, ==, endpoints[i].alias);
  }
}

static const struct {
  const gchar *base, *app, *path;
  const gchar *hint; /* the property that the message names */
} wrong[] = {
  { BASE, NULL, NULL, "app" },
  { BASE, "", NULL, "app" },
  { BASE, "lcm", NULL, "app" },
  { BASE, "123-", NULL, "app" },
  { BASE, "12x-app", NULL, "app" },
  { BASE, "workflows/o", NULL, "app" },
  { BASE, "/o/a", NULL, "app" },
  { BASE, "o/a/", NULL, "app" },
  { BASE, "o//a", NULL, "app" },
  { BASE, "o/..", NULL, "app" },
  { BASE, "../o/a", NULL, "app" },
  { BASE, "o/a b", NULL, "app" },
  { BASE, "o/a?x=1", NULL, "app" },
  { BASE, "o/a#x", NULL, "app" },
  { BASE, "o/%61", NULL, "app" },
  { BASE, "o/a\r\nHost: x", NULL, "app" },
  { BASE, "o/ä", NULL, "app" },
  { BASE, "https://fal.run/o/a", NULL, "app" },
  { BASE, "o/a", "/../x", "path" },
  { BASE, "o/a", "/ws?x=1", "path" },
  { BASE, "o/a", "a//b", "path" },
  { BASE, "o/a", "/w s", "path" },
  { NULL, "o/a", NULL, "base-uri" },
  { "", "o/a", NULL, "base-uri" },
  { "fal.run", "o/a", NULL, "base-uri" },
  { "ftp://fal.run", "o/a", NULL, "base-uri" },
  { "wss://", "o/a", NULL, "base-uri" },
  { "wss:///x", "o/a", NULL, "base-uri" },
  { "wss://u:secret@fal.run", "o/a", NULL, "base-uri" },
  { "wss://fal.run?x=1", "o/a", NULL, "base-uri" },
  { "wss://fal.run#x", "o/a", NULL, "base-uri" },
  { "wss://fal.run:99999", "o/a", NULL, "base-uri" },
};

static void
test_a_wrong_address_is_refused_with_a_hint (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (fal_endpoint_new (wrong[i].base, wrong[i].app, wrong[i].path, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
    g_assert_nonnull (strstr (error->message, wrong[i].hint));
    g_assert_null (strstr (error->message, "secret"));
  }
}

static const struct {
  const gchar *token;
  guint max_buffering;
  const gchar *query;
} queries[] = {
  { NULL, 0, "" },
  { "abc", 0, "?fal_jwt_token=abc" },
  { "abc", 5, "?fal_jwt_token=abc&max_buffering=5" },
  { NULL, 60, "?max_buffering=60" },
  { "a+b/c= d&e", 1, "?fal_jwt_token=a%2Bb%2Fc%3D+d%26e&max_buffering=1" },
  { "a\r\nb", 0, "?fal_jwt_token=a%0D%0Ab" },
};

static void
test_the_query_is_that_of_a_form (void)
{
  g_autoptr (FalEndpoint) endpoint = fal_endpoint_new (BASE, "o/a", NULL, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (queries); i++) {
    g_autofree gchar *uri =
        fal_endpoint_get_uri (endpoint, queries[i].token, queries[i].max_buffering);
    g_autofree gchar *expected = g_strconcat (BASE "/o/a/realtime", queries[i].query, NULL);

    g_assert_cmpstr (uri, ==, expected);
  }
}

static const struct {
  const gchar *uri;
  gboolean keeps;
} hosts[] = {
  { "ws://127.0.0.1:80", TRUE },
  { "wss://127.1.2.3", TRUE },
  { "http://[::1]:8080/x", TRUE },
  { "https://LocalHost", TRUE },
  { "ws://localhost", TRUE },
  { "wss://fal.run", TRUE },
  { "https://rest.fal.ai/tokens/", TRUE },
  { "ws://localhost.example.com", FALSE },
  { "ws://127.0.0.1.example.com", FALSE },
  { "ws://127.0.0.1@example.com", FALSE },
  { "http://10.0.0.1", FALSE },
  { "ftp://127.0.0.1", FALSE },
  { "nonsense", FALSE },
  { "", FALSE },
};

static void
test_secrets_go_encrypted_or_stay_on_this_machine (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (hosts); i++) {
    g_test_message ("%s", hosts[i].uri);
    g_assert_cmpint (fal_endpoint_keeps_secrets (hosts[i].uri), ==, hosts[i].keeps);
  }
}

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

static const struct {
  const gchar *app;
  const gchar *row;
  const gchar *image_field;
  FalImageEncoding encoding;
  gint echoes;
  const gchar *path;
} known[] = {
  { "fal-ai/flux-2/klein/realtime", "fal-ai/flux-2/klein", "image_url", FAL_IMAGE_ENCODING_DATA_URI,
      0, NULL },
  { "fal-ai/flux-2/klein", "fal-ai/flux-2/klein", "image_url", FAL_IMAGE_ENCODING_DATA_URI, 0,
      NULL },
  { "fal-ai/flux-2", "", "image_url", FAL_IMAGE_ENCODING_DATA_URI, -1, NULL },
  { "fal-ai/fast-lcm-diffusion", "fal-ai/fast-lcm-diffusion", "image_bytes",
      FAL_IMAGE_ENCODING_BYTES, 1, NULL },
  { "fal-ai/fast-lcm-diffusion/image-to-image", "fal-ai/fast-lcm-diffusion", "image_bytes",
      FAL_IMAGE_ENCODING_BYTES, 1, NULL },
  { "fal-ai/fast-turbo-diffusion/image-to-image/realtime", "fal-ai/fast-turbo-diffusion",
      "image_bytes", FAL_IMAGE_ENCODING_BYTES, 1, NULL },
  { "fal-ai/lcm-sd15-i2i", "fal-ai/lcm-sd15-i2i", "image_url", FAL_IMAGE_ENCODING_DATA_URI, 1,
      NULL },
  { "fal-ai/lcm", "fal-ai/lcm", "image_url", FAL_IMAGE_ENCODING_DATA_URI, 1, NULL },
  { "fal-ai/lcm-other", "", "image_url", FAL_IMAGE_ENCODING_DATA_URI, -1, NULL },
  { "fal-ai/sd-turbo-real-time-high-fps-msgpack", "fal-ai/sd-turbo-real-time-high-fps-msgpack",
      "image", FAL_IMAGE_ENCODING_BYTES, 1, "/ws" },
  { "fal-ai/birefnet", "fal-ai/birefnet", "image_bytes", FAL_IMAGE_ENCODING_BYTES, 0, NULL },
  { "fal-ai/live-portrait", "fal-ai/live-portrait", "image_bytes", FAL_IMAGE_ENCODING_BYTES, 1,
      NULL },
  { "fal-ai/krea-wan-14b", "fal-ai/krea-wan-14b", "image", FAL_IMAGE_ENCODING_BYTES, 0, "/ws" },
  { "me/my-app", "", "image_url", FAL_IMAGE_ENCODING_DATA_URI, -1, NULL },
  { NULL, "", "image_url", FAL_IMAGE_ENCODING_DATA_URI, -1, NULL },
};

static void
test_known_apps_have_their_ways (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (known); i++) {
    const FalAppProfile *preset = fal_app_profile_find (known[i].app);

    g_assert_cmpstr (preset->app, ==, known[i].row);
    g_assert_cmpstr (preset->image_field, ==, known[i].image_field);
    g_assert_cmpint (preset->image_encoding, ==, known[i].encoding);
    g_assert_cmpint (preset->echoes_request_id, ==, known[i].echoes);
    g_assert_cmpstr (preset->path, ==, known[i].path);
    g_assert_null (preset->result_field);
  }
}

static void
test_klein_likes_a_size (void)
{
  const FalAppProfile *klein = fal_app_profile_find ("fal-ai/flux-2/klein/realtime");
  const FalAppProfile *unknown = fal_app_profile_find ("me/my-app");

  g_assert_cmpuint (klein->width, ==, 704);
  g_assert_cmpuint (klein->height, ==, 704);
  g_assert_cmpuint (klein->quality, ==, 50);
  g_assert_cmpuint (unknown->width + unknown->height + unknown->quality, ==, 0);
}

static void
test_a_key_may_stand_in_the_query (void)
{
  static const struct {
    const gchar *key;
    guint max_buffering;
    const gchar *uri;
  } rows[] = {
    { "id:secret", 0, "wss://fal.run/a/b/realtime?fal_key_id=id&fal_key_secret=secret" },
    { "i d:s:e&c=", 4,
        "wss://fal.run/a/b/realtime?fal_key_id=i+d&fal_key_secret=s%3Ae%26c%3D&max_buffering=4" },
    { "id", 0, "wss://fal.run/a/b/realtime?fal_key_id=id&fal_key_secret=" },
    { "", 0, "wss://fal.run/a/b/realtime?fal_key_id=&fal_key_secret=" },
  };
  g_autoptr (FalEndpoint) endpoint = fal_endpoint_new ("wss://fal.run", "a/b", NULL, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *uri = fal_endpoint_get_key_uri (endpoint, rows[i].key, rows[i].max_buffering);

    g_assert_cmpstr (uri, ==, rows[i].uri);
  }
}

static void
test_an_address_is_told_without_its_secrets (void)
{
  static const gchar *const rows[][2] = {
    { "https://rest.fal.ai/tokens/", "https://rest.fal.ai/tokens/" },
    { "http://user:SECRET@[::1]:8080/a?key=SECRET#SECRET", "http://[::1]:8080/a" },
    { "ws://host", "ws://host" },
    { "ftp://host/", NULL },
    { "nonsense", NULL },
    { "https://", NULL },
    { "", NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *text = fal_endpoint_describe_uri (rows[i][0]);

    g_assert_cmpstr (text, ==, rows[i][1]);
  }
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
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add_func ("/endpoint/" name, function)
  ADD ("an-app-has-an-address", test_an_app_has_an_address);
  ADD ("a-wrong-address-is-refused-with-a-hint", test_a_wrong_address_is_refused_with_a_hint);
  ADD ("the-query-is-that-of-a-form", test_the_query_is_that_of_a_form);
  ADD ("secrets-go-encrypted-or-stay-on-this-machine",
      test_secrets_go_encrypted_or_stay_on_this_machine);
  ADD ("a-token-is-asked-for-in-three-ways", test_a_token_is_asked_for_in_three_ways);
  ADD ("a-token-is-found-in-four-forms", test_a_token_is_found_in_four_forms);
  ADD ("long-token-replies-are-refused", test_long_token_replies_are_refused);
  ADD ("a-refused-reply-is-not-told", test_a_refused_reply_is_not_told);
  ADD ("a-token-tells-when-it-ends", test_a_token_tells_when_it_ends);
  ADD ("a-key-may-stand-in-the-query", test_a_key_may_stand_in_the_query);
  ADD ("an-address-is-told-without-its-secrets", test_an_address_is_told_without_its_secrets);
  ADD ("what-is-no-token-is-known", test_what_is_no_token_is_known);
  ADD ("nested-claims-do-no-harm", test_nested_claims_do_no_harm);
  ADD ("known-apps-have-their-ways", test_known_apps_have_their_ways);
  ADD ("klein-likes-a-size", test_klein_likes_a_size);
#undef ADD
  return g_test_run ();
}
