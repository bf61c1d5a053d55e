/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the element shows who it is, from the setting to the address that the server saw; and what it
 * says when that is refused. */
#include "fixture.h"
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

#define KEY "key-id:PLANTED key&secret"
/* A JWT that ended in 1970: {"exp":1000}. */
#define ENDED "e30.eyJleHAiOjEwMDB9.PLANTED"

/* "http://127.0.0.1:PORT" and @path. */
static gchar *
http_uri (Fixture *f, const gchar *path)
{
  return g_strconcat ("http", fal_server_get_uri (f->server) + strlen ("ws"), path, NULL);
}

/* An element on its way up again, with the token server's address and what @set does. */
static Fixture *
start (const FalServerOptions *options, const gchar *properties)
{
  Fixture *f = fixture_new (options, "retry-delay=1 max-retry-delay=1");
  g_autofree gchar *uri = http_uri (f, "/tokens/");
  g_auto (GStrv) pairs = g_strsplit (properties, " | ", -1);

  gst_element_set_state (f->harness->element, GST_STATE_READY);
  g_object_set (f->element, "token-uri", uri, NULL);
  for (guint i = 0; pairs[i] && *pairs[i]; i++) {
    g_auto (GStrv) pair = g_strsplit (pairs[i], "=", 2);

    gst_util_set_object_arg (G_OBJECT (f->element), pair[0], pair[1]);
  }
  return f;
}

/* ---- ways ---- */

static void
test_each_way_ends_at_the_server (void)
{
  static const struct {
    const gchar *properties;
    FalServerOptions options;
    const gchar *target; /* all of it behind the path; "*": an issued token */
    guint token_requests;
  } rows[] = {
    { "auth=auto", { 0 }, "", 0 },
    { "auth=auto | token=abc", { .token = "abc" }, "?fal_jwt_token=abc", 0 },
    { "auth=token | token=a+b/c=", { .token = "a+b/c=" }, "?fal_jwt_token=a%2Bb%2Fc%3D", 0 },
    { "auth=auto | api-key=" KEY, { .api_key = KEY }, "*", 1 },
    { "auth=token | api-key=" KEY " | token-request=path", { .api_key = KEY }, "*", 1 },
    { "auth=token | api-key=" KEY " | token-request=app", { .api_key = KEY }, "*", 1 },
    { "auth=key-header | api-key=" KEY, { .api_key = KEY }, "", 0 },
    { "auth=key-header | max-buffering=3 | api-key=" KEY, { .api_key = KEY }, "?max_buffering=3",
        0 },
    { "auth=key-query | api-key=" KEY, { .api_key = KEY },
        "?fal_key_id=key-id&fal_key_secret=PLANTED+key%26secret", 0 },
    { "auth=none | token=abc | api-key=" KEY, { 0 }, "", 0 },
    { "auth=auto | token=" ENDED " | api-key=" KEY, { .api_key = KEY }, "*", 1 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (Fixture) f = start (&rows[i].options, rows[i].properties);
    g_autofree gchar *target = NULL;
    gchar *query;

    g_test_message ("%s", rows[i].properties);
    fixture_play (f);
    fixture_push_and_pull (f, 0);
    target = fal_server_dup_last_target (f->server);
    query = target + strlen ("/test/app/image/realtime");
    if (g_str_equal (rows[i].target, "*"))
      g_assert_true (g_str_has_prefix (query, "?fal_jwt_token=ey"));
    else
      g_assert_cmpstr (query, ==, rows[i].target);
    g_assert_cmpuint (fal_server_get_token_requests (f->server), ==, rows[i].token_requests);
  }
}

/* The proxy has the key; the element has none. */
static void
test_a_token_proxy_needs_no_key (void)
{
  const FalServerOptions options = { .api_key = KEY };
  g_autoptr (Fixture) f = start (&options, "auth=token | api-key=other:PLANTED");
  g_autofree gchar *uri = http_uri (f, "/proxy");

  g_object_set (f->element, "token-proxy-uri", uri, "token-uri", "https://192.0.2.1/tokens/", NULL);
  fixture_play (f);
  fixture_push_and_pull (f, 0);
  g_assert_cmpuint (fal_server_get_token_requests (f->server), ==, 1);
}

static void
test_a_token_proxy_is_told_the_target_and_no_key (void)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  guint port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);
  g_autoptr (Fixture) f = start (NULL, "api-key=" KEY);
  g_autofree gchar *uri = g_strdup_printf ("http://127.0.0.1:%u/fal", port);
  g_autoptr (GSocketConnection) connection = NULL;
  g_autofree gchar *head = NULL;

  g_object_set (
      f->element, "token-proxy-uri", uri, "token-uri", "https://rest.fal.ai/tokens/", NULL);
  fixture_play (f);
  fixture_push (f, fixture_frame (32, 32, 0, 0));
  head = take_http_head (listener, &connection);
  g_assert_true (g_str_has_prefix (head, "POST /fal HTTP/1.1\r\n"));
  assert_says (head, "x-fal-target-url: https://rest.fal.ai/tokens/\r\n");
  g_assert_null (strstr (head, "Authorization"));
  g_assert_null (strstr (head, "key-id"));
}

/* ---- the provider ---- */

typedef struct {
  const gchar *const *tokens; /* in turn; the last once more */
  guint asked;
  gchar *scope;
  GMutex lock;
  GCond cond;
  gboolean blocks, inside;
} Provider;

static gchar *
on_request_token (GstElement *element, const gchar *scope, Provider *provider)
{
  const gchar *token;

  g_mutex_lock (&provider->lock);
  token = provider->tokens[0];
  if (provider->tokens[0] && provider->tokens[1])
    provider->tokens++;
  provider->asked++;
  g_free (provider->scope);
  provider->scope = g_strdup (scope);
  provider->inside = TRUE;
  g_cond_broadcast (&provider->cond);
  while (provider->blocks)
    g_cond_wait (&provider->cond, &provider->lock);
  provider->inside = FALSE;
  g_cond_broadcast (&provider->cond);
  g_mutex_unlock (&provider->lock);
  return g_strdup (token);
}

static void
provider_wait (Provider *provider, gboolean inside)
{
  g_mutex_lock (&provider->lock);
  while (provider->inside != inside)
    g_cond_wait (&provider->cond, &provider->lock);
  g_mutex_unlock (&provider->lock);
}

static void
provider_release (Provider *provider)
{
  g_mutex_lock (&provider->lock);
  provider->blocks = FALSE;
  g_cond_broadcast (&provider->cond);
  g_mutex_unlock (&provider->lock);
  provider_wait (provider, FALSE);
}

static void
provider_clear (Provider *provider)
{
  g_mutex_clear (&provider->lock);
  g_cond_clear (&provider->cond);
  g_free (provider->scope);
}

static void
test_a_provider_gives_a_token (void)
{
  static const gchar *const tokens[] = { "good", NULL };
  Provider provider = { tokens };
  const FalServerOptions options = { .token = "good" };
  g_autoptr (Fixture) f = start (&options, "auth=token");

  g_signal_connect (f->element, "request-token", G_CALLBACK (on_request_token), &provider);
  fixture_play (f);
  fixture_push_and_pull (f, 0);
  g_assert_cmpuint (provider.asked, ==, 1);
  g_assert_cmpuint (fixture_stat (f, "token-requests"), ==, 1);
  g_assert_cmpstr (provider.scope, ==, "test/app/image/realtime");
  provider_clear (&provider);
}

static void
test_a_provider_that_gives_no_token_is_named (void)
{
  static const struct {
    const gchar *tokens[2];
    const gchar *text;
  } rows[] = {
    { { NULL }, "request-token gave no token" },
    { { "" }, "request-token gave no token" },
    { { "PLANTED token" }, "request-token gave something that is not a token" },
    { { "PLANTED\r\nX-Injected: 1" }, "request-token gave something that is not a token" },
    { { "PLANTED&x=1" }, "request-token gave something that is not a token" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    Provider provider = { rows[i].tokens };
    g_autoptr (Fixture) f = start (NULL, "retries=0");
    g_autofree gchar *text = NULL;

    g_signal_connect (f->element, "request-token", G_CALLBACK (on_request_token), &provider);
    fixture_play (f);
    text = fixture_push_into_error (f);
    assert_says (text, rows[i].text);
    assert_says (text, "Let request-token return a token");
    g_assert_cmpuint (fal_server_get_connections (f->server), ==, 0);
    gst_element_set_state (f->harness->element, GST_STATE_NULL);
    provider_clear (&provider);
  }
}

static void
test_a_provider_that_blocks_keeps_nobody (void)
{
  static const gchar *const tokens[] = { "late", NULL };
  Provider provider = { tokens, .blocks = TRUE };
  g_autoptr (Fixture) f = start (NULL, "auth=auto");

  g_signal_connect (f->element, "request-token", G_CALLBACK (on_request_token), &provider);
  fixture_play (f);
  fixture_push (f, fixture_frame (32, 32, 0, 0));
  provider_wait (&provider, TRUE);
  EXPECT_WITHIN (
      250 * G_TIME_SPAN_MILLISECOND, gst_element_set_state (f->harness->element, GST_STATE_NULL));
  provider_release (&provider);
  g_assert_cmpuint (fal_server_get_connections (f->server), ==, 0);
  provider_clear (&provider);
}

static void
test_a_late_answer_is_ignored (void)
{
  static const gchar *const tokens[] = { "late", NULL };
  Provider provider = { tokens, .blocks = TRUE };
  g_autoptr (Fixture) f = start (NULL, "retries=0 | connect-timeout=50");
  g_autofree gchar *text = NULL;

  g_signal_connect (f->element, "request-token", G_CALLBACK (on_request_token), &provider);
  fixture_play (f);
  text = fixture_push_into_error (f);
  assert_says (text, "no answer from request-token within connect-timeout");
  assert_says (text, "Let request-token answer sooner");
  provider_release (&provider);
  gst_element_set_state (f->harness->element, GST_STATE_NULL);
  g_assert_cmpuint (fal_server_get_connections (f->server), ==, 0);
  provider_clear (&provider);
}

/* ---- fresh and stale ---- */

static void
test_an_ended_token_is_not_sent (void)
{
  g_autoptr (Fixture) f = start (NULL, "token=" ENDED);
  g_autofree gchar *text = NULL;
  g_autofree gchar *target = NULL;

  fixture_play (f);
  text = fixture_push_into_error (f);
  assert_says (text, "the token set as token expired at 1970-01-01 00:16:40 UTC");
  assert_says (text, "the clock of this machine");
  target = fal_server_dup_last_target (f->server);
  g_assert_null (target);
}

static void
test_each_connection_has_a_fresh_token (void)
{
  const FalServerOptions options = { .api_key = KEY };
  g_autoptr (Fixture) f = start (&options, "api-key=" KEY);
  g_autoptr (GHashTable) targets = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  fixture_play (f);
  for (guint i = 0; i < 100; i++) {
    if (i > 0)
      g_signal_emit_by_name (f->element, "reconnect");
    fixture_push (f, fixture_frame (32, 32, 0, i));
    fixture_wait_for_stat (f, "connections", i + 1);
    gst_buffer_unref (fixture_pull (f));
    g_assert_true (g_hash_table_add (targets, fal_server_dup_last_target (f->server)));
  }
  g_assert_cmpuint (fal_server_get_token_requests (f->server), ==, 100);
}

/* A refused token that comes once more is the second refusal, unseen by the server. */
static void
test_a_refused_token_is_not_sent_again (void)
{
  static const gchar *const tokens[] = { "PLANTED1", "PLANTED1", "good", NULL };
  Provider provider = { tokens };
  const FalServerOptions options = { .token = "good" };
  g_autoptr (Fixture) f = start (&options, "auth=token");
  g_autofree gchar *warning = NULL;
  g_autofree gchar *text = NULL;

  g_signal_connect (f->element, "request-token", G_CALLBACK (on_request_token), &provider);
  fixture_play (f);
  gst_harness_push (f->harness, fixture_frame (32, 32, 0, 0));
  warning = fixture_take_trouble (f, GST_MESSAGE_WARNING);
  assert_says (warning, "HTTP status 401");
  text = fixture_take_trouble (f, GST_MESSAGE_ERROR);
  assert_says (text, "the token that request-token gave was refused before and is not sent again");
  assert_says (warning, "Let request-token give a token for this app");
  assert_says (text, "Let request-token give a token for this app");
  g_assert_cmpuint (provider.asked, ==, 2);
  gst_element_set_state (f->harness->element, GST_STATE_NULL);
  provider_clear (&provider);
}

static void
test_another_way_replaces_a_refused_token (void)
{
  static const gchar *const tokens[] = { "good", NULL };
  Provider provider = { tokens };
  const FalServerOptions options = { .token = "good" };
  g_autoptr (Fixture) f = start (&options, "token=PLANTED");
  g_autofree gchar *warning = NULL;

  g_signal_connect (f->element, "request-token", G_CALLBACK (on_request_token), &provider);
  fixture_play (f);
  fixture_push_and_pull (f, 0);
  warning = fixture_take_trouble (f, GST_MESSAGE_WARNING);
  assert_says (warning,
      "HTTP status 401 (Unauthorized) while opening the WebSocket; it was shown the token "
      "set as token");
  g_signal_emit_by_name (f->element, "reconnect");
  fixture_push_and_pull (f, 1);
  g_assert_cmpuint (provider.asked, ==, 2); /* the set token was not tried once more */
  g_object_set (f->element, "token", "good", NULL);
  g_signal_emit_by_name (f->element, "reconnect");
  fixture_push_and_pull (f, 2);
  g_assert_cmpuint (provider.asked, ==, 2);
  gst_element_set_state (f->harness->element, GST_STATE_NULL);
  provider_clear (&provider);
}

/* ---- which one was refused ---- */

static gchar *
refuse (const gchar *properties, const gchar *uri_property)
{
  const FalServerOptions options = { .token = "nobody has it" };
  g_autoptr (Fixture) f = start (&options, properties);
  g_autofree gchar *uri = http_uri (f, "/proxy");
  g_autofree gchar *text = NULL;
  GString *plain;

  if (uri_property)
    g_object_set (f->element, uri_property, uri, NULL);
  fixture_play (f);
  text = fixture_push_into_error (f);
  plain = g_string_new (text);
  g_string_replace (plain, fal_server_get_uri (f->server) + strlen ("ws://"), "HOST", 0);
  return g_string_free (plain, FALSE);
}

static void
check_refusal (const gchar *properties, const gchar *uri_property, const gchar *expected)
{
  g_autofree gchar *text = refuse (properties, uri_property);

  assert_says (text, "refused with HTTP status 401 (Unauthorized)");
  assert_says (text, expected);
}

static void
test_a_refusal_names_the_credential (void)
{
  check_refusal ("token=PLANTED", NULL, "; it was shown the token set as token. ");
  check_refusal ("auth=none | token=PLANTED", NULL, "; no credentials were sent. ");
  check_refusal ("api-key=id:PLANTED", NULL,
      "; it was shown the token that http://HOST/tokens/ gave for the API key from api-key. ");
  check_refusal ("auth=key-header | api-key=id:PLANTED", NULL,
      "; it was shown the API key from api-key in the Authorization header. ");
  check_refusal ("token=", "token-proxy-uri",
      "; it was shown the token that token-proxy-uri http://HOST/proxy gave. ");
}

static void
test_a_refusal_names_the_environment (void)
{
  g_setenv ("FAL_KEY", "id:PLANTED", TRUE);
  check_refusal ("token=", NULL, "gave for the API key from FAL_KEY. ");
  g_unsetenv ("FAL_KEY");
  g_setenv ("FAL_KEY_ID", "id", TRUE);
  g_setenv ("FAL_KEY_SECRET", "PLANTED", TRUE);
  check_refusal ("auth=key-header", NULL,
      "; it was shown the API key from FAL_KEY_ID and FAL_KEY_SECRET in the Authorization "
      "header. ");
  g_unsetenv ("FAL_KEY_ID");
  g_unsetenv ("FAL_KEY_SECRET");
}

static void
test_a_refused_provider_is_named (void)
{
  static const gchar *const tokens[] = { "PLANTED1", "PLANTED2", NULL };
  Provider provider = { tokens };
  const FalServerOptions options = { .token = "good" };
  g_autoptr (Fixture) f = start (&options, "auth=token");
  g_autofree gchar *text = NULL;

  g_signal_connect (f->element, "request-token", G_CALLBACK (on_request_token), &provider);
  fixture_play (f);
  text = fixture_push_into_error (f);
  assert_says (text, "HTTP status 401");
  assert_says (text, "; it was shown the token that request-token gave. ");
  gst_element_set_state (f->harness->element, GST_STATE_NULL);
  provider_clear (&provider);
}

static void
test_a_key_that_the_token_server_refuses_is_named (void)
{
  const FalServerOptions options = { .api_key = "another:key" };
  g_autoptr (Fixture) f = start (&options, "api-key=" KEY);
  g_autofree gchar *text = NULL;

  fixture_play (f);
  text = fixture_push_into_error (f);
  assert_says (text, "refused with HTTP status 401 (Unauthorized) while requesting a token; the "
                     "API key from api-key was shown to http://127.0.0.1");
  g_assert_cmpuint (fal_server_get_token_requests (f->server), ==, 2);
}

/* ---- files and settings ---- */

static gchar *
write_file (const gchar *text)
{
  gchar *path = NULL;
  gint fd = g_file_open_tmp ("fal-key-XXXXXX", &path, NULL);

  g_assert_cmpint (fd, >=, 0);
  g_close (fd, NULL);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  return path;
}

static void
test_a_key_file_gives_its_first_line (void)
{
  static const gchar *const texts[] = { KEY, KEY "\n", KEY " \r\nmore\n" };

  g_setenv ("FAL_KEY", "an:other", TRUE); /* the file counts */
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    const FalServerOptions options = { .api_key = KEY };
    g_autofree gchar *path = write_file (texts[i]);
    g_autofree gchar *properties = g_strconcat ("auth=key-header | api-key-file=", path, NULL);
    g_autoptr (Fixture) f = start (&options, properties);

    fixture_play (f);
    fixture_push_and_pull (f, 0);
    g_unlink (path);
  }
  g_unsetenv ("FAL_KEY");
}

static void
test_a_refused_key_file_is_named (void)
{
  g_autofree gchar *path = write_file ("id:PLANTED\n");
  g_autofree gchar *properties = g_strconcat ("auth=key-query | api-key-file=", path, NULL);

  check_refusal (properties, NULL, "; it was shown the API key from api-key-file in the address. ");
  g_unlink (path);
}

static void
check_settings (const gchar *properties, const gchar *expected)
{
  g_autoptr (Fixture) f = start (NULL, properties);
  g_autofree gchar *text = NULL;

  g_test_message ("%s", properties);
  g_assert_cmpint (
      gst_element_set_state (f->harness->element, GST_STATE_PLAYING), ==, GST_STATE_CHANGE_FAILURE);
  text = fixture_take_trouble (f, GST_MESSAGE_ERROR);
  assert_says (text, expected);
}

static void
test_settings_that_cannot_work_are_refused (void)
{
  static const gchar *const rows[][2] = {
    { "auth=token", "Set token, connect to the signal request-token" },
    { "auth=key-header", "Set FAL_KEY in the environment, or api-key" },
    { "auth=key-query", "id:secret" },
    { "auth=key-query | api-key=PLANTED", "id:secret" },
    { "auth=key-query | api-key=PLANTED:", "id:secret" },
    { "api-key=id:PLANTED\n", "line break" },
    { "api-key=", "The API key is empty" },
    { "api-key-file=/nowhere/key", "api-key-file" },
    { "api-key-file=/dev/null", "the first line is empty" },
    { "api-key=a:b | token-uri=nonsense", "token-uri is not the address" },
    { "api-key=a:b | token-uri=ftp://PLANTED@x/", "token-uri is not the address" },
    { "api-key=a:b | token-uri=http://user:PLANTED@192.0.2.1/", "allow-insecure" },
    { "token-proxy-uri=nonsense", "token-proxy-uri is not the address" },
    { "token-proxy-uri=http://192.0.2.1/", "allow-insecure" },
    { "token=a | base-uri=ws://192.0.2.1", "allow-insecure" },
    { "proxy=user:PLANTED@nonsense", "proxy is not the address" },
    { "user-agent=a\nb", "user-agent" },
    { "extra-headers=headers,Host=PLANTED", "Host cannot be set by extra-headers" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    check_settings (rows[i][0], rows[i][1]);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
#define ADD(name) g_test_add_func ("/credentials/" #name, test_##name)
  ADD (each_way_ends_at_the_server);
  ADD (a_token_proxy_needs_no_key);
  ADD (a_token_proxy_is_told_the_target_and_no_key);
  ADD (a_provider_gives_a_token);
  ADD (a_provider_that_gives_no_token_is_named);
  ADD (a_provider_that_blocks_keeps_nobody);
  ADD (a_late_answer_is_ignored);
  ADD (an_ended_token_is_not_sent);
  ADD (each_connection_has_a_fresh_token);
  ADD (a_refused_token_is_not_sent_again);
  ADD (another_way_replaces_a_refused_token);
  ADD (a_refusal_names_the_credential);
  ADD (a_refusal_names_the_environment);
  ADD (a_refused_provider_is_named);
  ADD (a_key_that_the_token_server_refuses_is_named);
  ADD (a_key_file_gives_its_first_line);
  ADD (a_refused_key_file_is_named);
  ADD (settings_that_cannot_work_are_refused);
  return fixture_run ();
}
