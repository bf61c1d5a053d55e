/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The holder of messages lets go of each in the end. That it holds them shows in test-tls.c, where
 * libsoup needs it. Server and client share the test's main context. */
#include "message-holder.h"
#include "wait.h"
#include <string.h>

typedef struct {
  SoupServer *soup;
  SoupSession *session;
  gchar *uri;
  guint started, freed; /* messages of the server */
  gboolean answered;    /* the client */
  SoupWebsocketConnection *near, *far;
} Pair;

static void
on_freed (gpointer pair, GObject *message)
{
  ((Pair *) pair)->freed++;
}

static void
on_started (SoupServer *soup, SoupServerMessage *message, gpointer pair)
{
  ((Pair *) pair)->started++;
  g_object_weak_ref (G_OBJECT (message), on_freed, pair);
}

static void
on_request (SoupServer *soup, SoupServerMessage *message, const char *path, GHashTable *query,
    gpointer pair)
{
  if (g_str_equal (path, "/plain"))
    soup_server_message_set_status (message, SOUP_STATUS_NO_CONTENT, NULL);
}

static void
on_websocket (SoupServer *soup, SoupServerMessage *message, const char *path,
    SoupWebsocketConnection *socket, gpointer pair)
{
  ((Pair *) pair)->far = g_object_ref (socket);
  fal_message_holder_release (soup, message);
}

static void
pair_open (Pair *pair)
{
  g_autoslist (GUri) uris = NULL;
  g_autoptr (GError) error = NULL;

  pair->soup = soup_server_new (NULL, NULL);
  fal_message_holder_attach (pair->soup);
  g_signal_connect (pair->soup, "request-started", G_CALLBACK (on_started), pair);
  soup_server_add_handler (pair->soup, NULL, on_request, pair, NULL);
  soup_server_add_websocket_handler (pair->soup, "/socket", NULL, NULL, on_websocket, pair, NULL);
  soup_server_listen_local (pair->soup, 0, SOUP_SERVER_LISTEN_IPV4_ONLY, &error);
  g_assert_no_error (error);
  uris = soup_server_get_uris (pair->soup);
  pair->uri = g_strdup_printf ("http://127.0.0.1:%d", g_uri_get_port (uris->data));
  pair->session = soup_session_new ();
}

static void
pair_close (Pair *pair)
{
  g_clear_object (&pair->near);
  g_clear_object (&pair->far);
  soup_session_abort (pair->session);
  g_clear_object (&pair->session);
  soup_server_disconnect (pair->soup);
  g_clear_object (&pair->soup);
  FAL_WAIT_UNTIL (pair->freed == pair->started);
  g_free (pair->uri);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Pair, pair_close)

static void
on_answered (GObject *session, GAsyncResult *result, gpointer pair)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) body =
      soup_session_send_and_read_finish (SOUP_SESSION (session), result, &error);

  g_assert_no_error (error);
  ((Pair *) pair)->answered = TRUE;
}

static void
test_an_answered_message_is_let_go (void)
{
  g_auto (Pair) pair = { 0 };
  g_autofree gchar *uri = NULL;
  g_autoptr (SoupMessage) message = NULL;

  pair_open (&pair);
  uri = g_strconcat (pair.uri, "/plain", NULL);
  message = soup_message_new (SOUP_METHOD_GET, uri);
  soup_session_send_and_read_async (
      pair.session, message, G_PRIORITY_DEFAULT, NULL, on_answered, &pair);
  FAL_WAIT_UNTIL (pair.answered && pair.freed >= 1);
}

static void
on_connected (GObject *session, GAsyncResult *result, gpointer pair)
{
  g_autoptr (GError) error = NULL;

  ((Pair *) pair)->near =
      soup_session_websocket_connect_finish (SOUP_SESSION (session), result, &error);
  g_assert_no_error (error);
}

/* Whose connection goes on. */
static void
test_the_message_of_an_upgrade_is_let_go (void)
{
  g_auto (Pair) pair = { 0 };
  g_autofree gchar *uri = NULL;
  g_autoptr (SoupMessage) message = NULL;

  pair_open (&pair);
  uri = g_strconcat (pair.uri, "/socket", NULL);
  message = soup_message_new (SOUP_METHOD_GET, uri);
  soup_session_websocket_connect_async (
      pair.session, message, NULL, NULL, G_PRIORITY_DEFAULT, NULL, on_connected, &pair);
  FAL_WAIT_UNTIL (pair.near && pair.far && pair.freed == 1);
  g_assert_cmpint (soup_websocket_connection_get_state (pair.far), ==, SOUP_WEBSOCKET_STATE_OPEN);
}

/* One that says nothing: libsoup does not tell of its end. */
static void
test_all_are_let_go_with_the_server (void)
{
  g_auto (Pair) pair = { 0 };
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnection) silent = NULL;

  pair_open (&pair);
  silent = g_socket_client_connect_to_host (client, pair.uri + strlen ("http://"), 0, NULL, NULL);
  g_assert_nonnull (silent);
  FAL_WAIT_UNTIL (pair.started == 1);
  g_assert_cmpuint (pair.freed, ==, 0);
  /* pair_close() waits for it. */
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func (
      "/message-holder/an-answered-message-is-let-go", test_an_answered_message_is_let_go);
  g_test_add_func ("/message-holder/the-message-of-an-upgrade-is-let-go",
      test_the_message_of_an_upgrade_is_let_go);
  g_test_add_func (
      "/message-holder/all-are-let-go-with-the-server", test_all_are_let_go_with_the_server);
  return g_test_run ();
}
