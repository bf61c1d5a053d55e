/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "picture-host.h"

#include <string.h>

static const gchar *const listened[] = { "127.0.0.1", "127.0.0.2" };

/* ---- What it says ---- */

static const struct {
  const gchar *path;
  const gchar *answer; /* PORT is replaced */
} answers[] = {
  { "/chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                "9\r\nthe bytes\r\nd\r\n of a picture\r\n0\r\n\r\n" },
  { "/token", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n\"a.b.c\"" },
  { "/jar", "HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 1\r\n\r\nx" },
  { "/404", "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone" },
  { "/401",
      "HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n" },
  { "/421", "HTTP/1.1 421 Elsewhere\r\nContent-Length: 0\r\n\r\n" },
  { "/500", "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n" },
  { "/empty", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" },
  { "/gigabyte", "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n" },
  { "/overflow", "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n" },
  { "/slow", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf" },
  { "/inside", "HTTP/1.1 302 Found\r\nLocation: /hush-ok\r\nContent-Length: 0\r\n\r\n" },
  { "/other", "HTTP/1.1 307 There\r\nLocation: https://localhost:PORT/ok\r\n"
              "Content-Length: 0\r\n\r\n" },
  { "/outside", "HTTP/1.1 301 Out\r\nLocation: https://evil.example:PORT/hush\r\n"
                "Content-Length: 0\r\n\r\n" },
  { "/private", "HTTP/1.1 302 In\r\nLocation: https://private.fal.media:PORT/hush\r\n"
                "Content-Length: 0\r\n\r\n" },
  { "/literal", "HTTP/1.1 302 In\r\nLocation: https://127.0.0.1:PORT/hush\r\n"
                "Content-Length: 0\r\n\r\n" },
  { "/plain", "HTTP/1.1 302 No\r\nLocation: http://v3.fal.media:PORT/ok\r\n"
              "Content-Length: 0\r\n\r\n" },
  { "/user", "HTTP/1.1 302 No\r\nLocation: https://a:hush@v3.fal.media:PORT/ok\r\n"
             "Content-Length: 0\r\n\r\n" },
  { "/nowhere", "HTTP/1.1 302 No\r\nLocation: https://[\r\nContent-Length: 0\r\n\r\n" },
  { "/hostless", "HTTP/1.1 302 No\r\nLocation: https:/..///x\r\nContent-Length: 0\r\n\r\n" },
  { "/loop", "HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n" },
  { "/3", "HTTP/1.1 302 Found\r\nLocation: /2\r\nContent-Length: 0\r\n\r\n" },
  { "/2", "HTTP/1.1 303 Found\r\nLocation: /1\r\nContent-Length: 0\r\n\r\n" },
  { "/1", "HTTP/1.1 308 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n" },
  { "/short", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nhalf" },
  { "/short-chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf" },
};

static gboolean
say (GIOStream *stream, const gchar *text)
{
  return g_output_stream_write_all (
      g_io_stream_get_output_stream (stream), text, strlen (text), NULL, NULL, NULL);
}

/* FALSE: the path is none of the table. */
static gboolean
say_from_table (PictureHost *host, const gchar *path, GIOStream *stream)
{
  for (guint i = 0; i < G_N_ELEMENTS (answers); i++) {
    if (strcmp (answers[i].path, path) == 0) {
      GString *text = g_string_new (answers[i].answer);
      g_autofree gchar *port = g_strdup_printf ("%u", host->port);

      g_string_replace (text, "PORT", port, 0);
      say (stream, text->str);
      g_string_free (text, TRUE);
      return TRUE;
    }
  }
  return FALSE;
}

static void
say_endlessly (GIOStream *stream, const gchar *status)
{
  g_autofree gchar *head =
      g_strconcat ("HTTP/1.1 ", status, " X\r\nTransfer-Encoding: chunked\r\n\r\n", NULL);
  g_autofree gchar *piece = g_strnfill (4096, 'x');

  say (stream, head);
  while (say (stream, "1000\r\n") && say (stream, piece) && say (stream, "\r\n"))
    ;
}

static void
wait_for_end (GIOStream *stream)
{
  gchar byte;

  while (g_input_stream_read (g_io_stream_get_input_stream (stream), &byte, 1, NULL, NULL) == 1)
    ;
}

/* FALSE: the connection is to end. "/endless/404" has that status, and a body without an end. */
static gboolean
answer (PictureHost *host, const gchar *path, GIOStream *stream)
{
  if (say_from_table (host, path, stream))
    return !g_str_has_prefix (path, "/short");
  if (g_str_has_prefix (path, "/endless/")) {
    say_endlessly (stream, path + strlen ("/endless/"));
    return FALSE;
  }
  if (strcmp (path, "/silent") == 0) {
    wait_for_end (stream);
    return FALSE;
  }
  return say (stream, "HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\n" PICTURE);
}

/* ---- What it hears ---- */

/* @text is taken. */
static void
note_request (PictureHost *host, gchar *text)
{
  g_mutex_lock (&host->lock);
  g_ptr_array_add (host->requests, text);
  g_mutex_unlock (&host->lock);
  g_main_context_wakeup (g_main_context_default ());
}

/* Up to the empty line; NULL at the end of the stream. */
static gchar *
read_head (GIOStream *stream)
{
  g_autoptr (GString) head = g_string_new (NULL);
  gchar byte;

  while (g_input_stream_read (g_io_stream_get_input_stream (stream), &byte, 1, NULL, NULL) == 1) {
    g_string_append_c (head, byte);
    if (g_str_has_suffix (head->str, "\r\n\r\n"))
      return g_string_free (g_steal_pointer (&head), FALSE);
  }
  return NULL;
}

static void
serve (PictureHost *host, GIOStream *stream)
{
  gboolean more = TRUE;

  while (more) {
    gchar *head = read_head (stream);
    g_auto (GStrv) words = head ? g_strsplit (head, " ", 3) : NULL;

    if (head == NULL)
      return;
    note_request (host, head);
    more = answer (host, words[1], stream);
  }
}

static void
serve_tls (PictureHost *host, GIOStream *stream)
{
  g_autoptr (GTlsCertificate) certificate = g_object_ref (host->certificate);
  g_autoptr (GIOStream) tls = g_tls_server_connection_new (stream, certificate, NULL);

  if (g_tls_connection_handshake (G_TLS_CONNECTION (tls), NULL, NULL))
    serve (host, tls);
}

static void
stall (PictureHost *host, GIOStream *stream)
{
  gchar bytes[4096];
  gssize n =
      g_input_stream_read (g_io_stream_get_input_stream (stream), bytes, sizeof bytes, NULL, NULL);
  GString *text = g_string_new (NULL);

  for (gssize i = 0; i < n; i++)
    g_string_append_c (text, g_ascii_isprint (bytes[i]) ? bytes[i] : '?');
  note_request (host, g_string_free (text, FALSE));
  wait_for_end (stream);
}

/* FALSE: the client has gone. */
static gboolean
open_tunnel (PictureHost *host, GIOStream *stream)
{
  gchar *head = read_head (stream);
  gboolean demanding = head && host->mode == HOST_DEMANDS && !strstr (head, "Proxy-Authorization:");

  if (head == NULL)
    return FALSE;
  note_request (host, head);
  if (!demanding)
    return say (stream, "HTTP/1.1 200 OK\r\n\r\n");
  say (stream, "HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=\"x\"\r\n"
               "Content-Length: 0\r\n\r\n");
  return open_tunnel (host, stream);
}

static void
attend (PictureHost *host, GIOStream *stream)
{
  if (host->mode == HOST_STALLS)
    stall (host, stream);
  else if (host->mode == HOST_SERVES || open_tunnel (host, stream))
    serve_tls (host, stream);
}

static gboolean
on_run (GThreadedSocketService *service, GSocketConnection *connection, GObject *source,
    PictureHost *host)
{
  attend (host, G_IO_STREAM (connection));
  g_mutex_lock (&host->lock);
  host->serving--;
  g_mutex_unlock (&host->lock);
  g_main_context_wakeup (g_main_context_default ());
  return TRUE;
}

/* Before the connection gets its thread. */
static gboolean
on_incoming (
    GSocketService *service, GSocketConnection *connection, GObject *source, PictureHost *host)
{
  g_autoptr (GSocketAddress) local = g_socket_connection_get_local_address (connection, NULL);
  g_autoptr (GSocketAddress) remote = g_socket_connection_get_remote_address (connection, NULL);
  GInetAddress *address = g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (local));

  host->connections++;
  g_ptr_array_add (host->addresses, g_inet_address_to_string (address));
  host->last_client = remote ? g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (remote)) : 0;
  g_mutex_lock (&host->lock);
  host->serving++;
  g_mutex_unlock (&host->lock);
  return FALSE;
}

/* ---- Its life ---- */

static guint16
listen_at (PictureHost *host, const gchar *address)
{
  g_autoptr (GSocketAddress) wanted = g_inet_socket_address_new_from_string (address, host->port);
  g_autoptr (GSocketAddress) got = NULL;
  GError *error = NULL;

  g_socket_listener_add_address (G_SOCKET_LISTENER (host->service), wanted, G_SOCKET_TYPE_STREAM,
      G_SOCKET_PROTOCOL_TCP, NULL, &got, &error);
  g_assert_no_error (error);
  return g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (got));
}

PictureHost *
picture_host_new (void)
{
  PictureHost *host = g_new0 (PictureHost, 1);

  g_mutex_init (&host->lock);
  host->requests = g_ptr_array_new_with_free_func (g_free);
  host->addresses = g_ptr_array_new_with_free_func (g_free);
  picture_host_set_certificate (host, "server");
  host->service = g_threaded_socket_service_new (64);
  g_signal_connect (host->service, "incoming", G_CALLBACK (on_incoming), host);
  g_signal_connect (host->service, "run", G_CALLBACK (on_run), host);
  for (guint i = 0; i < G_N_ELEMENTS (listened); i++)
    host->port = listen_at (host, listened[i]);
  return host;
}

static gboolean
is_serving (PictureHost *host)
{
  gboolean serving;

  g_mutex_lock (&host->lock);
  serving = host->serving > 0;
  g_mutex_unlock (&host->lock);
  return serving;
}

void
picture_host_free (PictureHost *host)
{
  g_socket_service_stop (host->service);
  g_socket_listener_close (G_SOCKET_LISTENER (host->service));
  while (is_serving (host))
    g_main_context_iteration (NULL, TRUE);
  g_object_unref (host->service);
  g_object_unref (host->certificate);
  g_ptr_array_unref (host->requests);
  g_ptr_array_unref (host->addresses);
  g_mutex_clear (&host->lock);
  g_free (host);
}

void
picture_host_set_certificate (PictureHost *host, const gchar *name)
{
  g_autofree gchar *pem = g_strdup_printf ("%s/tls/%s.pem", g_getenv ("FAL_TEST_DATA"), name);
  g_autofree gchar *key = g_strdup_printf ("%s/tls/%s.key", g_getenv ("FAL_TEST_DATA"), name);
  GError *error = NULL;
  GTlsCertificate *certificate = g_tls_certificate_new_from_files (pem, key, &error);

  g_assert_no_error (error);
  g_clear_object (&host->certificate);
  host->certificate = certificate;
}

guint
picture_host_count_requests (PictureHost *host)
{
  guint n;

  g_mutex_lock (&host->lock);
  n = host->requests->len;
  g_mutex_unlock (&host->lock);
  return n;
}

static GSocketConnection *
connect_to (PictureHost *host, const gchar *address)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketAddress) to = g_inet_socket_address_new_from_string (address, host->port);
  GError *error = NULL;
  GSocketConnection *connection =
      g_socket_client_connect (client, G_SOCKET_CONNECTABLE (to), NULL, &error);

  g_assert_no_error (error);
  return connection;
}

/* The kernel hands connections out in the order in which they came. */
void
picture_host_assert_never_contacted (PictureHost *host)
{
  g_assert_cmpuint (host->connections, ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (listened); i++) {
    g_autoptr (GSocketConnection) own = connect_to (host, listened[i]);
    g_autoptr (GSocketAddress) local = g_socket_connection_get_local_address (own, NULL);
    guint16 port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (local));

    while (host->last_client != port)
      g_main_context_iteration (NULL, TRUE);
    g_assert_cmpuint (host->connections, ==, i + 1);
  }
}
