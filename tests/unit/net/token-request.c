/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Token requests to a host on loopback that refuses, stalls or never comes to an end, and their own
 * end at any time. What stands in a request and in a token is tested in unit/wire. */
#include "fal/net/token-request.h"
#include "fake-resolver.h"
#include "picture-host.h"

#include <string.h>

#define WATCHDOG 120 /* seconds, for one request */

typedef struct {
  PictureHost *host;
  FakeResolver *resolver;
  SoupSession *soup;
  FalEndpoint *endpoint;
  GCancellable *cancellable;
  guint watchdog;

  guint answers;
  gchar *token; /* of the last answer */
  guint status;
  GError *error;
} Fixture;

static gboolean
on_watchdog (gpointer data)
{
  g_error ("nothing happens any more");
  return G_SOURCE_REMOVE;
}

static SoupSession *
make_soup (void)
{
  g_autofree gchar *ca = g_strdup_printf ("%s/tls/ca.pem", g_getenv ("FAL_TEST_DATA"));
  GError *error = NULL;
  g_autoptr (GTlsDatabase) database = g_tls_file_database_new (ca, &error);

  g_assert_no_error (error);
  return soup_session_new_with_options ("tls-database", database, "timeout", 0, NULL);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->host = picture_host_new ();
  fixture->resolver = fake_resolver_new ();
  g_resolver_set_default (G_RESOLVER (fixture->resolver));
  fixture->soup = make_soup ();
  soup_session_remove_feature_by_type (fixture->soup, SOUP_TYPE_AUTH_MANAGER);
  fixture->endpoint = fal_endpoint_new ("wss://fal.run", "owner/app", NULL, NULL);
  fixture->cancellable = g_cancellable_new ();
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_object_unref (fixture->soup);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  picture_host_free (fixture->host);
  g_clear_handle_id (&fixture->watchdog, g_source_remove);
  g_object_unref (fixture->resolver);
  fal_endpoint_free (fixture->endpoint);
  g_object_unref (fixture->cancellable);
  g_free (fixture->token);
  g_clear_error (&fixture->error);
}

static void
on_answer (GObject *source, GAsyncResult *result, gpointer user)
{
  Fixture *fixture = user;

  g_free (fixture->token);
  g_clear_error (&fixture->error);
  fixture->token = fal_token_request_finish (result, &fixture->status, &fixture->error);
  fixture->answers++;
}

static void
start_request (Fixture *fixture, const gchar *path)
{
  g_autofree gchar *uri = g_strdup_printf ("https://v3.fal.media:%u%s", fixture->host->port, path);
  const FalTokenQuery query = { .endpoint = fixture->endpoint, .uri = uri, .expiration = 60 };
  g_autoptr (SoupMessage) message = fal_token_request_new_message (&query);

  g_clear_handle_id (&fixture->watchdog, g_source_remove);
  fixture->watchdog = g_timeout_add_seconds (WATCHDOG, on_watchdog, NULL);
  fal_token_request_async (fixture->soup, message, fixture->cancellable, on_answer, fixture);
}

static void
request (Fixture *fixture, const gchar *path)
{
  guint before = fixture->answers;

  start_request (fixture, path);
  while (fixture->answers == before)
    g_main_context_iteration (NULL, TRUE);
}

static void
test_a_token_arrives (Fixture *fixture, gconstpointer data)
{
  request (fixture, "/token");
  g_assert_no_error (fixture->error);
  g_assert_cmpstr (fixture->token, ==, "a.b.c");
  g_assert_cmpuint (fixture->status, ==, 200);
}

/* Of a refusal without an end the status is told at once. */
static void
test_a_refusal_is_told_by_its_status (Fixture *fixture, gconstpointer data)
{
  const guint statuses[] = { 401, 403, 407, 421, 500 };

  for (guint i = 0; i < G_N_ELEMENTS (statuses); i++) {
    g_autofree gchar *path = g_strdup_printf ("/endless/%u", statuses[i]);

    request (fixture, path);
    g_assert_nonnull (fixture->error);
    g_assert_cmpuint (fixture->status, ==, statuses[i]);
  }
}

static void
test_a_reply_without_an_end_is_none (Fixture *fixture, gconstpointer data)
{
  request (fixture, "/endless/200");
  g_assert_error (fixture->error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
}

static gboolean
on_tick (gpointer data)
{
  return G_SOURCE_CONTINUE;
}

/* @n iterations after its start, or once it has ended. Where the host says nothing, time does. */
static void
cancel_after (Fixture *fixture, const gchar *path, guint n)
{
  guint before = fixture->answers;
  guint ticker = g_timeout_add (1, on_tick, NULL);

  g_clear_object (&fixture->cancellable);
  fixture->cancellable = g_cancellable_new ();
  start_request (fixture, path);
  while (n-- > 0 && fixture->answers == before)
    g_main_context_iteration (NULL, TRUE);
  g_cancellable_cancel (fixture->cancellable);
  while (fixture->answers == before)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (ticker);
}

static void
test_cancelled_at_any_time (Fixture *fixture, gconstpointer data)
{
  const gchar *const paths[] = { "/token", "/endless/200", "/endless/401", "/421" };

  for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
    for (guint n = 0; n < 24; n += 1 + n / 3)
      cancel_after (fixture, paths[i], n);
  }
}

static void
test_cancelled_while_nothing_comes (Fixture *fixture, gconstpointer data)
{
  const gchar *const paths[] = { "/silent", "/slow" };

  for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
    start_request (fixture, paths[i]);
    while (picture_host_count_requests (fixture->host) == i)
      g_main_context_iteration (NULL, TRUE);
    g_cancellable_cancel (fixture->cancellable);
    while (fixture->answers == i)
      g_main_context_iteration (NULL, TRUE);
    g_assert_error (fixture->error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    g_clear_object (&fixture->cancellable);
    fixture->cancellable = g_cancellable_new ();
  }
}

#define ADD(path, test) g_test_add (path, Fixture, NULL, set_up, test, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/token-request/token", test_a_token_arrives);
  ADD ("/token-request/refusal", test_a_refusal_is_told_by_its_status);
  ADD ("/token-request/endless", test_a_reply_without_an_end_is_none);
  ADD ("/token-request/cancelled-any-time", test_cancelled_at_any_time);
  ADD ("/token-request/cancelled-waiting", test_cancelled_while_nothing_comes);
  return g_test_run ();
}
