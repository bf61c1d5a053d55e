/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which credential is used, with literal tokens and a literal clock. */
#include <gst/gst.h>
#include "fal/net/credentials.h"
#include "install-properties.h"
#include <gio/gio.h>
#include <string.h>

/* {"exp":1000} and {"exp":2000} */
#define UNTIL_1000 "e30.eyJleHAiOjEwMDB9.c2ln"
#define UNTIL_2000 "e30.eyJleHAiOjIwMDB9.c2ln"
#define KEY "key-id:key-SECRET"
#define TOKENS "https://user:PASSWORD@rest.fal.ai/tokens/?PRIVATE=1"
#define PROXY "https://example.org/fal?PRIVATE=2"

/* What the user set. */
typedef struct {
  FalAuth auth;
  const gchar *token, *api_key, *token_proxy_uri;
  FalKeyOrigin origin;
} Given;

static gboolean
configure (FalCredentials *credentials, const Given *given)
{
  g_autoptr (FalSettings) settings = fal_settings_new ();

  settings->auth = given->auth;
  settings->token = g_strdup (given->token);
  g_free (settings->token_uri);
  settings->token_uri = g_strdup (TOKENS);
  settings->token_proxy_uri = g_strdup (given->token_proxy_uri);
  return fal_credentials_configure (credentials, settings, given->api_key, given->origin);
}

static FalCredentials *
make (Given given)
{
  FalCredentials *credentials = fal_credentials_new ();

  configure (credentials, &given);
  return credentials;
}

static const struct {
  FalAuth auth;
  const gchar *token, *api_key, *token_proxy_uri;
  gboolean has_provider;
  FalWay way;
} choices[] = {
  { FAL_AUTH_AUTO, NULL, NULL, NULL, FALSE, FAL_WAY_NONE },
  { FAL_AUTH_AUTO, "t", KEY, PROXY, TRUE, FAL_WAY_READY_TOKEN },
  { FAL_AUTH_AUTO, NULL, KEY, PROXY, TRUE, FAL_WAY_PROVIDER },
  { FAL_AUTH_AUTO, NULL, KEY, PROXY, FALSE, FAL_WAY_TOKEN_PROXY },
  { FAL_AUTH_AUTO, NULL, NULL, PROXY, FALSE, FAL_WAY_TOKEN_PROXY },
  { FAL_AUTH_AUTO, NULL, KEY, NULL, FALSE, FAL_WAY_TOKEN_URI },
  { FAL_AUTH_AUTO, "", KEY, "", FALSE, FAL_WAY_TOKEN_URI },
  { FAL_AUTH_TOKEN, "t", KEY, NULL, FALSE, FAL_WAY_READY_TOKEN },
  { FAL_AUTH_TOKEN, NULL, KEY, NULL, FALSE, FAL_WAY_TOKEN_URI },
  { FAL_AUTH_TOKEN, NULL, NULL, NULL, TRUE, FAL_WAY_PROVIDER },
  { FAL_AUTH_KEY_HEADER, "t", KEY, PROXY, TRUE, FAL_WAY_KEY_HEADER },
  { FAL_AUTH_KEY_QUERY, "t", KEY, PROXY, TRUE, FAL_WAY_KEY_QUERY },
  { FAL_AUTH_NONE, "t", KEY, PROXY, TRUE, FAL_WAY_NONE },
  /* At 1500. */
  { FAL_AUTH_AUTO, UNTIL_2000, KEY, NULL, TRUE, FAL_WAY_READY_TOKEN },
  { FAL_AUTH_AUTO, UNTIL_1000, KEY, NULL, TRUE, FAL_WAY_PROVIDER },
  { FAL_AUTH_AUTO, UNTIL_1000, KEY, NULL, FALSE, FAL_WAY_TOKEN_URI },
  { FAL_AUTH_TOKEN, UNTIL_1000, NULL, PROXY, FALSE, FAL_WAY_TOKEN_PROXY },
  { FAL_AUTH_TOKEN, UNTIL_1000, NULL, NULL, FALSE, FAL_WAY_READY_TOKEN },
};

static void
test_nothing_set_shows_nothing (void)
{
  g_autoptr (FalCredentials) credentials = fal_credentials_new ();

  g_assert_cmpint (fal_credentials_choose (credentials, TRUE, 0), ==, FAL_WAY_NONE);
}

static void
test_each_setting_has_its_way (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (choices); i++) {
    g_autoptr (FalCredentials) credentials = make ((Given){
        choices[i].auth, choices[i].token, choices[i].api_key, choices[i].token_proxy_uri });
    FalWay way = fal_credentials_choose (credentials, choices[i].has_provider, 1500);

    g_test_message ("row %u", i);
    g_assert_cmpint (way, ==, choices[i].way);
    g_assert_cmpint (fal_way_asks (way), ==,
        way == FAL_WAY_PROVIDER || way == FAL_WAY_TOKEN_PROXY || way == FAL_WAY_TOKEN_URI);
  }
}

static void
test_a_token_ends_with_its_second (void)
{
  g_autoptr (FalCredentials) credentials = make ((Given){ FAL_AUTH_AUTO, UNTIL_1000, KEY });

  g_assert_cmpint (fal_credentials_choose (credentials, FALSE, 999), ==, FAL_WAY_READY_TOKEN);
  g_assert_cmpint (fal_credentials_choose (credentials, FALSE, 1000), ==, FAL_WAY_TOKEN_URI);
  g_assert_true (
      fal_credentials_check_token (credentials, FAL_WAY_READY_TOKEN, UNTIL_1000, 999, NULL));
  g_assert_false (
      fal_credentials_check_token (credentials, FAL_WAY_READY_TOKEN, UNTIL_1000, 1000, NULL));
}

/* It has just been made: where it seems to have ended, it is the clock of this machine. */
static void
test_a_token_that_was_asked_for_is_sent_whatever_the_clock_says (void)
{
  static const FalWay ways[] = { FAL_WAY_PROVIDER, FAL_WAY_TOKEN_PROXY, FAL_WAY_TOKEN_URI };
  g_autoptr (FalCredentials) credentials = make ((Given){ FAL_AUTH_AUTO, NULL, KEY });

  for (guint i = 0; i < G_N_ELEMENTS (ways); i++) {
    g_assert_true (fal_credentials_check_token (credentials, ways[i], UNTIL_1000, 0, NULL));
    g_assert_true (fal_credentials_check_token (credentials, ways[i], UNTIL_1000, 5000, NULL));
  }
}

static void
test_a_hint_speaks_of_whoever_gave_what_was_shown (void)
{
  static const struct {
    FalWay way;
    const gchar *word, *never;
  } rows[] = {
    { FAL_WAY_PROVIDER, "request-token", "api-key" },
    { FAL_WAY_TOKEN_PROXY, "token-proxy-uri", "api-key" },
    { FAL_WAY_KEY_HEADER, "api-key", "token" },
    { FAL_WAY_KEY_QUERY, "api-key", "token" },
    { FAL_WAY_NONE, "app and path", "request-token" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    for (gint asking = FALSE; asking <= TRUE; asking++) {
      const gchar *hint = fal_credentials_get_hint (rows[i].way, asking);

      g_assert_nonnull (strstr (hint, rows[i].word));
      g_assert_null (strstr (hint, rows[i].never));
    }
  }
  g_assert_null (fal_credentials_get_hint (FAL_WAY_READY_TOKEN, FALSE));
  g_assert_null (fal_credentials_get_hint (FAL_WAY_TOKEN_URI, TRUE));
}

static void
test_an_ended_token_tells_when_and_of_the_clock (void)
{
  g_autoptr (FalCredentials) credentials = make ((Given){ FAL_AUTH_AUTO, UNTIL_1000 });
  g_autoptr (GError) error = NULL;

  g_assert_false (
      fal_credentials_check_token (credentials, FAL_WAY_READY_TOKEN, UNTIL_1000, 1500, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_cmpstr (error->message, ==,
      "the token set as token expired at 1970-01-01 00:16:40 UTC; here it is 1970-01-01 00:25:00 "
      "UTC, unless the clock of this machine is wrong");
}

static void
test_a_refused_token_is_not_used_again (void)
{
  g_autoptr (FalCredentials) credentials = make ((Given){ FAL_AUTH_AUTO, "t", KEY });
  g_autoptr (GError) error = NULL;

  fal_credentials_refuse (credentials, "t");
  fal_credentials_refuse (credentials, "t");
  g_assert_cmpint (fal_credentials_choose (credentials, FALSE, 0), ==, FAL_WAY_TOKEN_URI);
  g_assert_false (fal_credentials_check_token (credentials, FAL_WAY_TOKEN_URI, "t", 0, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
  g_assert_nonnull (strstr (error->message, "was refused before and is not sent again"));
  g_assert_true (fal_credentials_check_token (credentials, FAL_WAY_TOKEN_URI, "u", 0, NULL));
}

static void
test_another_token_is_used (void)
{
  g_autoptr (FalCredentials) credentials = make ((Given){ FAL_AUTH_AUTO, "t" });
  Given given = { FAL_AUTH_AUTO, "t" };

  fal_credentials_refuse (credentials, "t");
  g_assert_false (configure (credentials, &given));
  given.token = "u";
  g_assert_true (configure (credentials, &given));
  g_assert_true (fal_credentials_check_token (credentials, FAL_WAY_READY_TOKEN, "u", 0, NULL));
  given.token = "";
  g_assert_false (configure (credentials, &given));
  g_assert_cmpint (fal_credentials_choose (credentials, FALSE, 0), ==, FAL_WAY_NONE);
}

static void
test_refused_tokens_are_remembered_within_bounds (void)
{
  g_autoptr (FalCredentials) credentials = make ((Given){ FAL_AUTH_AUTO });

  for (guint i = 0; i <= FAL_CREDENTIALS_MAX_REFUSED; i++) {
    g_autofree gchar *token = g_strdup_printf ("t%u", i);

    fal_credentials_refuse (credentials, token);
  }
  g_assert_true (fal_credentials_check_token (credentials, FAL_WAY_PROVIDER, "t0", 0, NULL));
  g_assert_false (fal_credentials_check_token (credentials, FAL_WAY_PROVIDER, "t1", 0, NULL));
  g_assert_false (fal_credentials_check_token (credentials, FAL_WAY_PROVIDER, "t64", 0, NULL));
}

static const struct {
  FalWay way;
  gboolean asking;
  FalKeyOrigin origin;
  const gchar *text;
} descriptions[] = {
  { FAL_WAY_READY_TOKEN, FALSE, FAL_KEY_FROM_PROPERTY, "the token set as token" },
  { FAL_WAY_PROVIDER, FALSE, FAL_KEY_FROM_PROPERTY, "the token that request-token gave" },
  { FAL_WAY_PROVIDER, TRUE, FAL_KEY_FROM_PROPERTY, "the answer of request-token" },
  { FAL_WAY_TOKEN_PROXY, FALSE, FAL_KEY_FROM_PROPERTY,
      "the token that token-proxy-uri https://example.org/fal gave" },
  { FAL_WAY_TOKEN_PROXY, TRUE, FAL_KEY_FROM_PROPERTY,
      "token-proxy-uri https://example.org/fal was asked without a key" },
  { FAL_WAY_TOKEN_URI, FALSE, FAL_KEY_FROM_FAL_KEY,
      "the token that https://rest.fal.ai/tokens/ gave for the API key from FAL_KEY" },
  { FAL_WAY_TOKEN_URI, TRUE, FAL_KEY_FROM_FAL_KEY,
      "the API key from FAL_KEY was shown to https://rest.fal.ai/tokens/" },
  { FAL_WAY_KEY_HEADER, FALSE, FAL_KEY_FROM_PAIR,
      "the API key from FAL_KEY_ID and FAL_KEY_SECRET in the Authorization header" },
  { FAL_WAY_KEY_QUERY, FALSE, FAL_KEY_FROM_FILE, "the API key from api-key-file in the address" },
  { FAL_WAY_KEY_QUERY, FALSE, FAL_KEY_FROM_PROPERTY, "the API key from api-key in the address" },
  { FAL_WAY_NONE, FALSE, FAL_KEY_FROM_PROPERTY, "no credentials were sent" },
};

static void
test_each_way_has_words_and_no_secret (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (descriptions); i++) {
    g_autoptr (FalCredentials) credentials =
        make ((Given){ FAL_AUTH_AUTO, "t", KEY, PROXY, descriptions[i].origin });
    g_autofree gchar *text =
        fal_credentials_describe (credentials, descriptions[i].way, descriptions[i].asking);

    g_assert_cmpstr (text, ==, descriptions[i].text);
  }
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  install_properties ();
#define ADD(name) g_test_add_func ("/credentials/" #name, test_##name)
  ADD (nothing_set_shows_nothing);
  ADD (each_setting_has_its_way);
  ADD (a_token_ends_with_its_second);
  ADD (a_token_that_was_asked_for_is_sent_whatever_the_clock_says);
  ADD (a_hint_speaks_of_whoever_gave_what_was_shown);
  ADD (an_ended_token_tells_when_and_of_the_clock);
  ADD (a_refused_token_is_not_used_again);
  ADD (another_token_is_used);
  ADD (refused_tokens_are_remembered_within_bounds);
  ADD (each_way_has_words_and_no_secret);
  return g_test_run ();
}
