/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whom the page's server lets in, seen from a plain socket. */
#include "page-server.h"
#include "wait.h"
#include <string.h>

typedef struct {
  LivePageServer *server;
  guint port;
  guint sockets[2]; /* let in, of each kind */
} World;

static void
on_socket (gpointer user, LiveSocketKind kind, SoupWebsocketConnection *socket)
{
  ((World *) user)->sockets[kind]++;
}

static World *
world_new (void)
{
  World *world = g_new0 (World, 1);
  g_autoptr (GError) error = NULL;
  g_autoptr (GUri) uri = NULL;

  world->server = live_page_server_new (0, on_socket, world, &error);
  g_assert_no_error (error);
  uri = g_uri_parse (live_page_server_get_uri (world->server), G_URI_FLAGS_NONE, NULL);
  world->port = g_uri_get_port (uri);
  return world;
}

static void
world_free (World *world)
{
  live_page_server_free (world->server);
  g_free (world);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (World, world_free)

/* ---- a client in a thread of its own ---- */

typedef struct {
  guint port;
  gchar *request;
  gchar *reply; /* its head, when it is whole or the server has closed */
  gint done;    /* atomic */
} Question;

static gpointer
ask_there (gpointer user)
{
  Question *question = user;
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autofree gchar *address = g_strdup_printf ("127.0.0.1:%u", question->port);
  g_autoptr (GSocketConnection) connection =
      g_socket_client_connect_to_host (client, address, 0, NULL, NULL);
  GIOStream *stream = G_IO_STREAM (connection);
  GString *reply = g_string_new (NULL);
  gchar byte;

  g_output_stream_write_all (g_io_stream_get_output_stream (stream), question->request,
      strlen (question->request), NULL, NULL, NULL);
  while (!g_str_has_suffix (reply->str, "\r\n\r\n") &&
         g_input_stream_read (g_io_stream_get_input_stream (stream), &byte, 1, NULL, NULL) == 1)
    g_string_append_c (reply, byte);
  question->reply = g_string_free (reply, FALSE);
  g_atomic_int_set (&question->done, TRUE);
  return NULL;
}

/* The head of the answer to @request, in which PORT stands for the port. */
static gchar *
ask (World *world, const gchar *request)
{
  g_autofree gchar *port = g_strdup_printf ("%u", world->port);
  g_auto (GStrv) parts = g_strsplit (request, "PORT", -1);
  Question question = { .port = world->port, .request = g_strjoinv (port, parts) };
  GThread *thread = g_thread_new ("ask", ask_there, &question);

  FAL_WAIT_UNTIL (g_atomic_int_get (&question.done));
  g_thread_join (thread);
  g_free (question.request);
  return question.reply;
}

/* ---- requests ---- */

#define GET(path) "GET " path " HTTP/1.1\r\n"
#define UPGRADE                                                                                    \
  "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"                     \
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define HERE "Host: 127.0.0.1:PORT\r\n"

typedef struct {
  const gchar *name, *request;
  guint status;
} Row;

static const Row rows[] = {
  { "page", GET ("/") HERE, 200 },
  { "style", GET ("/style.css") HERE, 200 },
  { "script", GET ("/page.js") HERE, 200 },
  { "localhost", GET ("/") "Host: localhost:PORT\r\n", 200 },
  { "upper-case", GET ("/") "Host: LOCALHOST:PORT\r\n", 200 },
  { "ipv6", GET ("/") "Host: [::1]:PORT\r\n", 200 },
  /* A name that somebody leads here. */
  { "other-host", GET ("/") "Host: evil.example:PORT\r\n", 403 },
  { "name-that-begins-alike", GET ("/") "Host: 127.0.0.1:PORT.evil.example\r\n", 400 },
  { "other-port", GET ("/") "Host: 127.0.0.1:1\r\n", 403 },
  { "no-port", GET ("/") "Host: 127.0.0.1\r\n", 403 },
  { "no-host", "GET / HTTP/1.0\r\n", 403 },
  { "two-hosts", GET ("/") HERE "Host: evil.example\r\n", 403 },
  { "whole-address", "GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n", 403 },
  { "other-host-for-no-file", GET ("/nothing") "Host: evil.example\r\n", 403 },
  { "no-file", GET ("/nothing") HERE, 404 },
  { "no-file-of-this-machine", GET ("/../../../../etc/passwd") HERE, 404 },
  { "no-file-of-this-machine-in-disguise", GET ("/%2e%2e/%2e%2e/etc/passwd") HERE, 404 },
  { "post", "POST / HTTP/1.1\r\n" HERE "Content-Length: 0\r\n", 405 },
  { "socket", GET ("/live") HERE "Origin: http://127.0.0.1:PORT\r\n" UPGRADE, 101 },
  { "socket-of-localhost",
      GET ("/live") "Host: localhost:PORT\r\nOrigin: http://localhost:PORT\r\n" UPGRADE, 101 },
  { "camera-socket", GET ("/camera") HERE "Origin: http://127.0.0.1:PORT\r\n" UPGRADE, 101 },
  { "socket-of-another-page", GET ("/live") HERE "Origin: http://evil.example\r\n" UPGRADE, 403 },
  { "socket-of-another-port", GET ("/live") HERE "Origin: http://127.0.0.1:1\r\n" UPGRADE, 403 },
  { "socket-of-a-sandbox", GET ("/live") HERE "Origin: null\r\n" UPGRADE, 403 },
  { "socket-of-https", GET ("/live") HERE "Origin: https://127.0.0.1:PORT\r\n" UPGRADE, 403 },
  { "socket-of-nobody", GET ("/live") HERE UPGRADE, 403 },
  { "socket-of-another-host",
      GET ("/live") "Host: evil.example:PORT\r\nOrigin: http://evil.example:PORT\r\n" UPGRADE,
      403 },
  { "no-such-socket", GET ("/other") HERE "Origin: http://127.0.0.1:PORT\r\n" UPGRADE, 404 },
  { "camera-socket-of-another-page", GET ("/camera") HERE "Origin: http://evil.example\r\n" UPGRADE,
      403 },
  { "camera-socket-of-nobody", GET ("/camera") HERE UPGRADE, 403 },
};

static void
test_row (gconstpointer data)
{
  const Row *row = data;
  g_autoptr (World) world = world_new ();
  g_autofree gchar *request = g_strconcat (row->request, "\r\n", NULL);
  g_autofree gchar *reply = ask (world, request);
  g_auto (GStrv) words = g_strsplit (reply, " ", 3);

  g_test_message ("%s", reply);
  g_assert_cmpuint (g_strv_length (words), ==, 3);
  g_assert_cmpuint (g_ascii_strtoull (words[1], NULL, 10), ==, row->status);
  g_assert_cmpuint (world->sockets[0] + world->sockets[1], ==, row->status == 101);
}

static void
test_headers (void)
{
  static const gchar *const expected[] = {
    "Content-Security-Policy: default-src 'none'; script-src 'self'; ",
    "connect-src 'self' ws://localhost:", "frame-ancestors 'none'", "Cache-Control: no-store\r\n",
    "X-Content-Type-Options: nosniff\r\n", "Referrer-Policy: no-referrer\r\n",
    "Cross-Origin-Resource-Policy: same-origin\r\n"
  };
  static const gchar *const paths[] = { "/", "/nothing" };
  g_autoptr (World) world = world_new ();

  for (guint path = 0; path < G_N_ELEMENTS (paths); path++) {
    g_autofree gchar *request =
        g_strdup_printf ("GET %s HTTP/1.1\r\nHost: localhost:PORT\r\n\r\n", paths[path]);
    g_autofree gchar *reply = ask (world, request);

    for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
      if (strstr (reply, expected[i]) == NULL)
        g_error ("%s lacks %s: %s", paths[path], expected[i], reply);
    g_assert_null (strstr (reply, "Access-Control-Allow"));
  }
}

/* The kernel's list has an address for each socket that listens: "0100007F:PORT" is 127.0.0.1. */
static void
test_only_loopback_listens (void)
{
  static const struct {
    const gchar *list, *loopback;
  } families[] = { { "/proc/self/net/tcp", "0100007F" },
    { "/proc/self/net/tcp6", "00000000000000000000000001000000" } };
  g_autoptr (World) world = world_new ();
  g_autofree gchar *port = g_strdup_printf (":%04X 0", world->port);
  guint n = 0;

  if (G_BYTE_ORDER != G_LITTLE_ENDIAN) {
    g_test_skip ("the list of another byte order");
    return;
  }
  for (guint i = 0; i < G_N_ELEMENTS (families); i++) {
    g_autofree gchar *text = NULL;
    g_auto (GStrv) lines = NULL;

    if (!g_file_get_contents (families[i].list, &text, NULL, NULL))
      continue;
    lines = g_strsplit (text, "\n", -1);
    for (guint line = 0; lines[line] != NULL; line++)
      if (strstr (lines[line], port) != NULL && strstr (lines[line], " 0A ") != NULL) {
        g_assert_nonnull (strstr (lines[line], families[i].loopback));
        n++;
      }
  }
  g_assert_cmpuint (n, >, 0);
}

/* A port that somebody has is an error, not another port. */
static void
test_port_in_use (void)
{
  g_autoptr (World) world = world_new ();
  g_autoptr (GError) error = NULL;

  g_assert_null (live_page_server_new (world->port, on_socket, world, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *path = g_strconcat ("/page-server/", rows[i].name, NULL);

    g_test_add_data_func (path, &rows[i], test_row);
  }
  g_test_add_func ("/page-server/headers", test_headers);
  g_test_add_func ("/page-server/only-loopback-listens", test_only_loopback_listens);
  g_test_add_func ("/page-server/port-in-use", test_port_in_use);
  return g_test_run ();
}
