/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A proxied connection: a head is read, judged and answered or passed on; then two pumps run.
 * Proxy's thread. */
#include "proxy-connection.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#define MAX_HEAD 16384  /* bytes */
#define PUMP_SIZE 16384 /* bytes */
#define PLAIN_PORT 80   /* where an address names none */
#define HEAD_END "\r\n\r\n"

typedef struct {
  FalProxyConnection *connection;
  GSocketConnection *from, *to; /* borrowed */
  guint8 buffer[PUMP_SIZE];
  gboolean ended;
} Pump;

/* Each operation that is under way holds a reference, so that it may end after the connection was
 * freed. */
struct _FalProxyConnection {
  guint references;
  FalProxyConnectionConfig config;
  FalProxyConnectionFunc on_event; /* NULL once the connection was freed */
  gpointer user;
  GCancellable *cancellable;
  GSocketConnection *client, *server;
  GString *head; /* the request's, and what came with it */
  gchar *rest;   /* what the target is sent first; NULL: the request is for a tunnel */
  gsize rest_size;
  Pump up, down;
  guint64 passed; /* bytes, both ways together */
};

static FalProxyConnection *
connection_ref (FalProxyConnection *connection)
{
  connection->references++;
  return connection;
}

static void
connection_unref (FalProxyConnection *connection)
{
  if (--connection->references > 0)
    return;
  g_clear_object (&connection->client);
  g_clear_object (&connection->server);
  g_object_unref (connection->cancellable);
  g_string_free (connection->head, TRUE);
  g_free (connection->rest);
  g_free (connection);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalProxyConnection, connection_unref)

static void
emit (FalProxyConnection *connection, FalProxyConnectionEvent event, const gchar *target)
{
  if (connection->on_event != NULL)
    connection->on_event (connection->user, connection, event, target);
}

static void
cut (FalProxyConnection *connection)
{
  g_cancellable_cancel (connection->cancellable);
  g_io_stream_close (G_IO_STREAM (connection->client), NULL, NULL);
  if (connection->server != NULL)
    g_io_stream_close (G_IO_STREAM (connection->server), NULL, NULL);
}

/* The event's receiver frees the connection: the caller must hold a reference. */
static void
end (FalProxyConnection *connection)
{
  cut (connection);
  emit (connection, FAL_PROXY_CONNECTION_CLOSED, NULL);
}

/* A head is smaller than what a socket takes at once: this does not wait. */
static gboolean
write_now (GSocketConnection *to, const gchar *data, gsize size)
{
  GOutputStream *stream = g_io_stream_get_output_stream (G_IO_STREAM (to));

  return g_output_stream_write_all (stream, data, size, NULL, NULL, NULL);
}

static void
answer (FalProxyConnection *connection, const gchar *text)
{
  write_now (connection->client, text, strlen (text));
}

/* ---- The pumps ---- */

static void pump_read (Pump *pump);

static gboolean
is_spent (FalProxyConnection *connection)
{
  return connection->config.mode == FAL_PROXY_DIES_ON_BYTES &&
         connection->passed >= connection->config.bytes;
}

static void
on_pump_written (GObject *stream, GAsyncResult *result, gpointer user)
{
  Pump *pump = user;
  g_autoptr (FalProxyConnection) connection = pump->connection;

  if (!g_output_stream_write_all_finish (G_OUTPUT_STREAM (stream), result, NULL, NULL) ||
      is_spent (connection))
    end (connection);
  else
    pump_read (pump);
}

/* One end will send no more: the other is told by the same shutdown, and may still send. */
static void
end_pump (Pump *pump)
{
  FalProxyConnection *connection = pump->connection;

  pump->ended = TRUE;
  g_socket_shutdown (g_socket_connection_get_socket (pump->to), FALSE, TRUE, NULL);
  if (connection->up.ended && connection->down.ended)
    end (connection);
}

static void
on_pump_read (GObject *stream, GAsyncResult *result, gpointer user)
{
  Pump *pump = user;
  g_autoptr (FalProxyConnection) connection = pump->connection;
  gssize size = g_input_stream_read_finish (G_INPUT_STREAM (stream), result, NULL);

  if (size == 0) {
    end_pump (pump);
    return;
  }
  if (size > 0 && connection->config.mode == FAL_PROXY_DIES_ON_BYTES)
    size = MIN ((guint64) size, connection->config.bytes - connection->passed);
  if (size <= 0) {
    end (connection);
    return;
  }
  if (connection->config.tap != NULL)
    connection->config.tap (connection->config.user, pump == &connection->up, size);
  connection->passed += size;
  connection_ref (connection);
  g_output_stream_write_all_async (g_io_stream_get_output_stream (G_IO_STREAM (pump->to)),
      pump->buffer, size, G_PRIORITY_DEFAULT, connection->cancellable, on_pump_written, pump);
}

static void
pump_read (Pump *pump)
{
  connection_ref (pump->connection);
  g_input_stream_read_async (g_io_stream_get_input_stream (G_IO_STREAM (pump->from)), pump->buffer,
      sizeof pump->buffer, G_PRIORITY_DEFAULT, pump->connection->cancellable, on_pump_read, pump);
}

/* Each piece goes on at once: one that waited for the other side's acknowledgement of the piece
 * before, as small ones do otherwise, would come up to 40 ms later. */
static void
start_pump (
    FalProxyConnection *connection, Pump *pump, GSocketConnection *from, GSocketConnection *to)
{
  pump->connection = connection;
  pump->from = from;
  pump->to = to;
  g_socket_set_option (g_socket_connection_get_socket (to), IPPROTO_TCP, TCP_NODELAY, TRUE, NULL);
  pump_read (pump);
}

/* ---- The connection to the target ---- */

/* FALSE: the proxy is one that dies now. */
static gboolean
open_tunnel (FalProxyConnection *connection)
{
  emit (connection, FAL_PROXY_CONNECTION_TUNNEL,
      NULL); /* so that a client which is let through is counted */
  answer (connection, "HTTP/1.1 200 Connection established" HEAD_END);
  return connection->config.mode != FAL_PROXY_DIES_ON_TUNNEL;
}

static gboolean
pass_on (FalProxyConnection *connection)
{
  emit (connection, FAL_PROXY_CONNECTION_FORWARD, NULL);
  return write_now (connection->server, connection->rest, connection->rest_size);
}

static void
on_connected (GObject *client, GAsyncResult *result, gpointer user)
{
  g_autoptr (FalProxyConnection) connection = user;
  g_autoptr (GError) error = NULL;

  connection->server = g_socket_client_connect_finish (G_SOCKET_CLIENT (client), result, &error);
  if (g_cancellable_is_cancelled (connection->cancellable))
    return;
  if (connection->server == NULL) {
    emit (connection, FAL_PROXY_CONNECTION_UNREACHABLE, error->message);
    answer (connection, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0" HEAD_END);
    end (connection);
    return;
  }
  if (!(connection->rest ? pass_on (connection) : open_tunnel (connection)) ||
      is_spent (connection)) {
    end (connection);
    return;
  }
  start_pump (connection, &connection->up, connection->client, connection->server);
  start_pump (connection, &connection->down, connection->server, connection->client);
}

static gboolean
is_loopback (const gchar *host)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (host);

  return address ? g_inet_address_get_is_loopback (address) : g_str_equal (host, "localhost");
}

/* As an address of https, so that the system's proxy for that is asked, where it may be. */
static GSocketConnectable *
parse_destination (FalProxyConnection *connection, const gchar *authority)
{
  const gchar *route = connection->config.route;
  g_autofree gchar *uri = g_strconcat ("https://", authority, NULL);

  if (connection->config.anywhere)
    return g_network_address_parse_uri (uri, PLAIN_PORT, NULL);
  return g_network_address_parse (route ? route : authority, PLAIN_PORT, NULL);
}

/* @authority: "host" or "host:port". */
static void
connect_to (FalProxyConnection *connection, const gchar *authority)
{
  g_autoptr (GSocketConnectable) target = g_network_address_parse (authority, PLAIN_PORT, NULL);
  g_autoptr (GSocketConnectable) destination = parse_destination (connection, authority);
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autofree gchar *name = NULL;
  gboolean near = FALSE;

  if (target != NULL) {
    name = g_strdup_printf ("%s:%u", g_network_address_get_hostname (G_NETWORK_ADDRESS (target)),
        g_network_address_get_port (G_NETWORK_ADDRESS (target)));
    emit (connection, FAL_PROXY_CONNECTION_REQUESTED, name);
  }
  if (destination != NULL)
    near = is_loopback (g_network_address_get_hostname (G_NETWORK_ADDRESS (destination)));
  if (target == NULL || destination == NULL || !(near || connection->config.anywhere)) {
    answer (connection, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0" HEAD_END);
    end (connection);
    return;
  }
  g_socket_client_set_enable_proxy (client, !near);
  g_socket_client_connect_async (
      client, destination, connection->cancellable, on_connected, connection_ref (connection));
}

/* ---- The request's head ---- */

/* The value of the header that a line holds, or NULL. @name: with its colon. */
static const gchar *
match_header (const gchar *line, const gchar *name)
{
  gsize length = strlen (name);

  if (g_ascii_strncasecmp (line, name, length) != 0)
    return NULL;
  return line + length + strspn (line + length, " ");
}

static gboolean
is_authorized (FalProxyConnection *connection, gchar **lines)
{
  if (connection->config.authorization == NULL)
    return TRUE;
  for (; *lines != NULL; lines++) {
    const gchar *value = match_header (*lines, "Proxy-Authorization:");

    if (value != NULL)
      return g_str_equal (value, connection->config.authorization);
  }
  return FALSE;
}

/* libsoup tries again with credentials. It must do so on a new connection: on a kept one, 3.2.3
 * asks for a tunnel to the proxy itself. */
static void
refuse (FalProxyConnection *connection)
{
  emit (connection, FAL_PROXY_CONNECTION_REFUSED, NULL);
  answer (connection, "HTTP/1.1 407 Proxy Authentication Required\r\n"
                      "Proxy-Authenticate: Basic realm=\"fal-test-proxy\"\r\n"
                      "Content-Length: 0\r\nConnection: close" HEAD_END);
  end (connection);
}

/* "GET http://host:port/path HTTP/1.1" becomes what the host is asked. What follows on the same
 * connection passes as it is. */
static void
prepare_rest (FalProxyConnection *connection, gchar **lines, const gchar *path,
    const gchar *version, const gchar *body, gsize body_size)
{
  g_autofree gchar *method = g_strndup (lines[0], strcspn (lines[0], " "));
  GString *rest = g_string_new (NULL);

  g_string_append_printf (rest, "%s %s %s", method, path, version);
  for (guint i = 1; lines[i] != NULL; i++)
    if (g_ascii_strncasecmp (lines[i], "Proxy-", 6) != 0)
      g_string_append_printf (rest, "\r\n%s", lines[i]);
  g_string_append (rest, HEAD_END);
  g_string_append_len (rest, body, body_size);
  connection->rest_size = rest->len;
  connection->rest = g_string_free (rest, FALSE);
}

static void
handle_head (FalProxyConnection *connection, const gchar *head_end)
{
  g_autofree gchar *head = g_strndup (connection->head->str, head_end - connection->head->str);
  g_auto (GStrv) lines = g_strsplit (head, "\r\n", -1);
  g_auto (GStrv) words = g_strsplit (lines[0] ? lines[0] : "", " ", 3);
  gboolean tunnel = g_str_equal (words[0] ? words[0] : "", "CONNECT");
  const gchar *body = head_end + strlen (HEAD_END), *authority, *path;
  g_autofree gchar *plain = NULL;

  if (g_strv_length (words) < 3 || (!tunnel && strstr (words[1], "://") == NULL)) {
    answer (connection, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0" HEAD_END);
    end (connection);
    return;
  }
  if (!is_authorized (connection, lines)) {
    refuse (connection);
    return;
  }
  if (tunnel) {
    connect_to (connection, words[1]);
    return;
  }
  authority = strstr (words[1], "://") + strlen ("://");
  path = authority + strcspn (authority, "/");
  plain = g_strndup (authority, path - authority);
  prepare_rest (connection, lines, *path ? path : "/", words[2], body,
      connection->head->str + connection->head->len - body);
  connect_to (connection, plain);
}

static void read_head (FalProxyConnection *connection);

static void
on_head_read (GObject *stream, GAsyncResult *result, gpointer user)
{
  g_autoptr (FalProxyConnection) connection = user;
  gssize size = g_input_stream_read_finish (G_INPUT_STREAM (stream), result, NULL);
  const gchar *head_end;

  if (size <= 0 || connection->head->len + size > MAX_HEAD) {
    end (connection);
    return;
  }
  g_string_append_len (connection->head, (const gchar *) connection->up.buffer, size);
  head_end = strstr (connection->head->str, HEAD_END);
  if (head_end != NULL)
    handle_head (connection, head_end);
  else
    read_head (connection);
}

static void
read_head (FalProxyConnection *connection)
{
  g_input_stream_read_async (g_io_stream_get_input_stream (G_IO_STREAM (connection->client)),
      connection->up.buffer, sizeof connection->up.buffer, G_PRIORITY_DEFAULT,
      connection->cancellable, on_head_read, connection_ref (connection));
}

FalProxyConnection *
fal_proxy_connection_new (GSocketConnection *client, const FalProxyConnectionConfig *config,
    FalProxyConnectionFunc on_event, gpointer user)
{
  FalProxyConnection *connection = g_new0 (FalProxyConnection, 1);

  connection->references = 1;
  connection->config = *config;
  connection->on_event = on_event;
  connection->user = user;
  connection->cancellable = g_cancellable_new ();
  connection->client = g_object_ref (client);
  connection->head = g_string_new (NULL);
  read_head (connection);
  return connection;
}

void
fal_proxy_connection_free (FalProxyConnection *connection)
{
  connection->on_event = NULL;
  cut (connection);
  connection_unref (connection);
}
