/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which settings can work at all, and what is said of those that cannot. */
#include <gst/gst.h>
#include "fal/net/preflight.h"
#include "install-properties.h"
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define FAL "wss://fal.run"
#define LOCAL "ws://127.0.0.1:8080"
#define OPEN "ws://example.org"
#define KEY "id:secret"

/* What the user set, and a part of the message; NULL: it may be. */
typedef struct {
  const gchar *base_uri, *api_key;
  FalAuth auth;
  const gchar *token, *token_uri, *token_proxy_uri, *proxy, *headers;
  gboolean has_provider, allow_insecure;
  const gchar *complaint;
} Given;

static const Given rows[] = {
  { FAL, KEY }, { FAL, NULL }, { LOCAL, KEY }, { OPEN, NULL },
  { OPEN, KEY, .complaint = "base-uri \"ws://example.org\" is not encrypted" },
  { OPEN, KEY, .allow_insecure = TRUE },
  { OPEN, NULL, .token = "t", .complaint = "is not encrypted" }, { OPEN, NULL, .token = "" },
  { OPEN, NULL, .has_provider = TRUE, .complaint = "is not encrypted" },
  { OPEN, KEY, FAL_AUTH_NONE }, { "nonsense", KEY, .complaint = "base-uri \"\" is not encrypted" },
  { NULL, KEY, .complaint = "is not encrypted" },
  /* A proxy elsewhere sees what goes to this very machine in the clear, too. */
  { LOCAL, KEY, .proxy = "http://proxy.example:3128", .complaint = "is not encrypted" },
  { LOCAL, KEY, .proxy = "http://127.0.0.1:3128" }, { LOCAL, KEY, .proxy = "" },
  { FAL, KEY, .proxy = "http://proxy.example:3128" },
  /* Headers may show who one is. */
  { OPEN, NULL, FAL_AUTH_NONE, .headers = "headers, Authorization=x",
      .complaint = "not encrypted" },
  { OPEN, NULL, FAL_AUTH_NONE, .headers = "headers, Cookie=x", .complaint = "not encrypted" },
  { OPEN, NULL, FAL_AUTH_NONE, .headers = "headers, User-Agent=x" },
  { FAL, NULL, FAL_AUTH_NONE, .headers = "headers, Authorization=x" },
  /* The key as such. */
  { FAL, "", .complaint = "The API key is empty" },
  { FAL, "id:sec\nret", .complaint = "line break" },
  { FAL, NULL, FAL_AUTH_KEY_HEADER, .complaint = "needs an API key" },
  { FAL, KEY, FAL_AUTH_KEY_HEADER }, { FAL, KEY, FAL_AUTH_KEY_QUERY },
  { FAL, NULL, FAL_AUTH_KEY_QUERY, .complaint = "id:secret" },
  { FAL, "id", FAL_AUTH_KEY_QUERY, .complaint = "id:secret" },
  { FAL, ":secret", FAL_AUTH_KEY_QUERY, .complaint = "id:secret" },
  { FAL, "id:", FAL_AUTH_KEY_QUERY, .complaint = "id:secret" },
  /* Who gives a token. */
  { FAL, NULL, FAL_AUTH_TOKEN, .complaint = "auth=token needs a token" },
  { FAL, NULL, FAL_AUTH_TOKEN, .token = "t" }, { FAL, NULL, FAL_AUTH_TOKEN, .has_provider = TRUE },
  { FAL, NULL, FAL_AUTH_TOKEN, .token_proxy_uri = "https://example.org/fal" },
  { FAL, NULL, FAL_AUTH_TOKEN, .token_proxy_uri = "", .complaint = "auth=token needs a token" },
  { FAL, NULL, .token_proxy_uri = "http://example.org/fal",
      .complaint = "token-proxy-uri \"http://example.org/fal\" is not encrypted" },
  { FAL, NULL, .token_proxy_uri = "ftp://example.org/fal",
      .complaint = "token-proxy-uri is not the address of a token server" },
  { FAL, NULL, .token_proxy_uri = "wss://example.org/fal",
      .complaint = "token-proxy-uri is not the address of a token server" },
  { FAL, KEY, .token_uri = "http://example.org/tokens",
      .complaint = "token-uri \"http://example.org/tokens\" is not encrypted" },
  { FAL, KEY, .token_uri = "nonsense", .complaint = "token-uri is not the address" },
  { FAL, KEY, FAL_AUTH_KEY_HEADER, .token_uri = "nonsense" }, /* nobody asks there */
};

static void
replace (gchar **text, const gchar *with)
{
  g_free (*text);
  *text = g_strdup (with);
}

static FalSettings *
make_settings (const Given *given)
{
  FalSettings *settings = fal_settings_new ();

  settings->auth = given->auth;
  settings->allow_insecure = given->allow_insecure;
  replace (&settings->token, given->token);
  replace (
      &settings->token_uri, given->token_uri ? given->token_uri : "https://rest.fal.ai/tokens/");
  replace (&settings->token_proxy_uri, given->token_proxy_uri);
  replace (&settings->proxy, given->proxy);
  if (given->headers != NULL)
    settings->extra_headers = gst_structure_new_from_string (given->headers);
  return settings;
}

static void
test_credentials_are_whole_and_go_unseen (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (FalSettings) settings = make_settings (&rows[i]);
    g_autoptr (GError) error = NULL;
    gboolean good = fal_preflight_check_credentials (
        settings, rows[i].base_uri, rows[i].api_key, rows[i].has_provider, &error);

    g_test_message ("row %u: %s", i, error ? error->message : "may be");
    g_assert_true (good == (rows[i].complaint == NULL));
    if (good) {
      g_assert_no_error (error);
      continue;
    }
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
    g_assert_nonnull (strstr (error->message, rows[i].complaint));
  }
}

/* A key that was set comes before that of the file, and this before that of the environment. */
static void
test_a_key_comes_from_where_it_was_set (void)
{
  g_autofree gchar *path = g_strdup_printf ("%s/preflight-key-%d", g_get_tmp_dir (), getpid ());
  const struct {
    const gchar *api_key;
    FalKeyOrigin origin;
    const gchar *file, *content;
    const gchar *key; /* NULL: an error, where there is a file */
    FalKeyOrigin from;
  } keys[] = {
    { NULL, FAL_KEY_FROM_PROPERTY, NULL, NULL, NULL, FAL_KEY_FROM_PROPERTY },
    { "a:b", FAL_KEY_FROM_PROPERTY, NULL, NULL, "a:b", FAL_KEY_FROM_PROPERTY },
    { "a:b", FAL_KEY_FROM_PROPERTY, "", NULL, "a:b", FAL_KEY_FROM_PROPERTY },
    { "a:b", FAL_KEY_FROM_PROPERTY, path, "c:d\n", "a:b", FAL_KEY_FROM_PROPERTY },
    { "a:b", FAL_KEY_FROM_FAL_KEY, path, "c:d\nmore", "c:d", FAL_KEY_FROM_FILE },
    { NULL, FAL_KEY_FROM_PROPERTY, path, " c:d \r\n", "c:d", FAL_KEY_FROM_FILE },
    { NULL, FAL_KEY_FROM_PROPERTY, path, "\nc:d\n", NULL, FAL_KEY_FROM_FILE },
    { NULL, FAL_KEY_FROM_PROPERTY, "/nowhere/at/all", NULL, NULL, FAL_KEY_FROM_FILE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++) {
    g_autoptr (FalSettings) settings = fal_settings_new ();
    g_autoptr (GError) error = NULL;
    g_autofree gchar *key = NULL;
    FalKeyOrigin origin;

    replace (&settings->api_key, keys[i].api_key);
    settings->api_key_origin = keys[i].origin;
    replace (&settings->api_key_file, keys[i].file);
    if (keys[i].content != NULL)
      g_assert_true (g_file_set_contents (path, keys[i].content, -1, NULL));
    key = fal_preflight_dup_api_key (settings, &origin, &error);
    g_assert_cmpstr (key, ==, keys[i].key);
    g_assert_cmpint (origin, ==, keys[i].from);
    if (key == NULL && keys[i].file != NULL)
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
    else
      g_assert_no_error (error);
  }
  g_unlink (path);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  install_properties ();
  g_test_add_func (
      "/preflight/credentials-are-whole-and-go-unseen", test_credentials_are_whole_and_go_unseen);
  g_test_add_func (
      "/preflight/a-key-comes-from-where-it-was-set", test_a_key_comes_from_where_it_was_set);
  return g_test_run ();
}
