/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where an app is reached: ids, paths and addresses, and what must not stand in them. */
#include "fal/wire/endpoint.h"
#include "fal/wire/token-format.h"

#include <gio/gio.h>
#include <gst/gst.h>
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
  { BASE, "123-my/app", NULL, "123-my", "app", "123-my/app/realtime", BASE "/123-my/app/realtime" },
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
  { BASE, "o/.", NULL, "app" },
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
  { "http:nonsense", FALSE },
  { "ws://", FALSE },
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
test_the_form_of_an_id_is_known (void)
{
  static const gchar *const ids[] = { "fal-ai/lcm", "fal-ai/lcm/sub", "123-my-app",
    "workflows/owner/alias" };
  static const gchar *const others[] = { "", "lcm", "workflows/owner", "fal-ai/", "fal-ai/a b",
    "https://fal.run/fal-ai/lcm" };

  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    g_assert_true (fal_endpoint_is_app (ids[i]));
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    g_assert_false (fal_endpoint_is_app (others[i]));
}

static void
test_fal_s_own_server_is_known (void)
{
  static const gchar *const own[] = { "wss://fal.run", "https://FAL.run:443/path" };
  static const gchar *const others[] = { "wss://fal.run.example", "wss://example.org/fal.run",
    "ws://127.0.0.1:8090" };

  for (guint i = 0; i < G_N_ELEMENTS (own); i++) {
    g_autoptr (FalEndpoint) endpoint = fal_endpoint_new (own[i], "a/b", NULL, NULL);

    g_assert_true (fal_endpoint_is_fal (endpoint));
  }
  for (guint i = 0; i < G_N_ELEMENTS (others); i++) {
    g_autoptr (FalEndpoint) endpoint = fal_endpoint_new (others[i], "a/b", NULL, NULL);

    g_assert_false (fal_endpoint_is_fal (endpoint));
  }
}

static void
test_a_copy_says_the_same (void)
{
  g_autoptr (FalEndpoint) endpoint = fal_endpoint_new ("wss://fal.run", "a/b/c", NULL, NULL);
  g_autoptr (FalEndpoint) copy = fal_endpoint_copy (endpoint);
  g_autofree gchar *uri = fal_endpoint_get_uri (endpoint, "t", 3);
  g_autofree gchar *same = fal_endpoint_get_uri (copy, "t", 3);

  g_assert_cmpstr (uri, ==, same);
  g_assert_cmpstr (copy->owner, ==, "a");
  g_assert_cmpstr (copy->alias, ==, "b");
  g_assert_true (copy->app != endpoint->app);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
#define ADD(name, test) g_test_add_func ("/endpoint/" name, test)
  ADD ("an-app-has-an-address", test_an_app_has_an_address);
  ADD ("a-wrong-address-is-refused-with-a-hint", test_a_wrong_address_is_refused_with_a_hint);
  ADD ("the-query-is-that-of-a-form", test_the_query_is_that_of_a_form);
  ADD ("secrets-go-encrypted-or-stay-on-this-machine",
      test_secrets_go_encrypted_or_stay_on_this_machine);
  ADD ("a-key-may-stand-in-the-query", test_a_key_may_stand_in_the_query);
  ADD ("the-form-of-an-id-is-known", test_the_form_of_an_id_is_known);
  ADD ("fal-s-own-server-is-known", test_fal_s_own_server_is_known);
  ADD ("an-address-is-told-without-its-secrets", test_an_address_is_told_without_its_secrets);
  ADD ("a-copy-says-the-same", test_a_copy_says_the_same);
  return g_test_run ();
}
