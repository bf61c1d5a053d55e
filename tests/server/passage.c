/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The passage: a head is read, judged and answered or passed on; then two pumps run. Proxy's
 * thread. */
#include "passage.h"
#include <string.h>

#define MAX_HEAD 16384  /* bytes */
#define PUMP_SIZE 16384 /* bytes */
#define PLAIN_PORT 80   /* where an address names none */
#define HEAD_END "\r\n\r\n"

typedef struct {
  FalPassage *passage;
  GSocketConnection *from, *to; /* borrowed */
  guint8 buffer[PUMP_SIZE];
  gboolean ended;
} Pump;

/* Each operation that is under way holds a reference, so that it may end after the passage. */
struct _FalPassage {
  guint references;
  FalPassageRules rules;
  FalPassageTold told; /* NULL once it is gone */
  gpointer user;
  GCancellable *cancellable;
  GSocketConnection *client, *server;
  GString *head; /* the request's, and what came with it */
  gchar *rest;   /* what the target is sent first; NULL: the request is for a tunnel */
  gsize rest_size;
  Pump up, down;
  guint64 passed; /* bytes, both ways together */
};

static FalPassage *
passage_ref (FalPassage *passage)
{
  passage->references++;
  return passage;
}

static void
passage_unref (FalPassage *passage)
{
  if (--passage->references > 0)
    return;
  g_clear_object (&passage->client);
  g_clear_object (&passage->server);
  g_object_unref (passage->cancellable);
  g_string_free (passage->head, TRUE);
  g_free (passage->rest);
  g_free (passage);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalPassage, passage_unref)

static void
tell (FalPassage *passage, FalPassageEvent event, const gchar *target)
{
  if (passage->told != NULL)
    passage->told (passage->user, passage, event, target);
}

static void
cut (FalPassage *passage)
{
  g_cancellable_cancel (passage->cancellable);
  g_io_stream_close (G_IO_STREAM (passage->client), NULL, NULL);
  if (passage->server != NULL)
    g_io_stream_close (G_IO_STREAM (passage->server), NULL, NULL);
}

/* Whoever is told frees the passage: the caller must hold a reference. */
static void
end (FalPassage *passage)
{
  cut (passage);
  tell (passage, FAL_PASSAGE_GONE, NULL);
}

/* A head is smaller than what a socket takes at once: this does not wait. */
static gboolean
write_now (GSocketConnection *to, const gchar *data, gsize size)
{
  GOutputStream *stream = g_io_stream_get_output_stream (G_IO_STREAM (to));

  return g_output_stream_write_all (stream, data, size, NULL, NULL, NULL);
}

static void
answer (FalPassage *passage, const gchar *text)
{
  write_now (passage->client, text, strlen (text));
}

/* ---- The pumps ---- */

static void pump_read (Pump *pump);

static gboolean
is_spent (FalPassage *passage)
{
  return passage->rules.mode == FAL_PROXY_DIES_ON_BYTES && passage->passed >= passage->rules.bytes;
}

static void
on_pump_written (GObject *stream, GAsyncResult *result, gpointer user)
{
  Pump *pump = user;
  g_autoptr (FalPassage) passage = pump->passage;

  if (!g_output_stream_write_all_finish (G_OUTPUT_STREAM (stream), result, NULL, NULL) ||
      is_spent (passage))
    end (passage);
  else
    pump_read (pump);
}

/* One end has said its last word: the other is told so, and may still speak. */
static void
end_pump (Pump *pump)
{
  FalPassage *passage = pump->passage;

  pump->ended = TRUE;
  g_socket_shutdown (g_socket_connection_get_socket (pump->to), FALSE, TRUE, NULL);
  if (passage->up.ended && passage->down.ended)
    end (passage);
}

static void
on_pump_read (GObject *stream, GAsyncResult *result, gpointer user)
{
  Pump *pump = user;
  g_autoptr (FalPassage) passage = pump->passage;
  gssize size = g_input_stream_read_finish (G_INPUT_STREAM (stream), result, NULL);

  if (size == 0) {
    end_pump (pump);
    return;
  }
  if (size > 0 && passage->rules.mode == FAL_PROXY_DIES_ON_BYTES)
    size = MIN ((guint64) size, passage->rules.bytes - passage->passed);
  if (size <= 0) {
    end (passage);
    return;
  }
  passage->passed += size;
  passage_ref (passage);
  g_output_stream_write_all_async (g_io_stream_get_output_stream (G_IO_STREAM (pump->to)),
      pump->buffer, size, G_PRIORITY_DEFAULT, passage->cancellable, on_pump_written, pump);
}

static void
pump_read (Pump *pump)
{
  passage_ref (pump->passage);
  g_input_stream_read_async (g_io_stream_get_input_stream (G_IO_STREAM (pump->from)), pump->buffer,
      sizeof pump->buffer, G_PRIORITY_DEFAULT, pump->passage->cancellable, on_pump_read, pump);
}

static void
start_pump (FalPassage *passage, Pump *pump, GSocketConnection *from, GSocketConnection *to)
{
  pump->passage = passage;
  pump->from = from;
  pump->to = to;
  pump_read (pump);
}

/* ---- The link to the target ---- */

/* FALSE: the proxy is one that dies now. */
static gboolean
open_tunnel (FalPassage *passage)
{
  tell (passage, FAL_PASSAGE_TUNNEL, NULL); /* so that a client which is let through is counted */
  answer (passage, "HTTP/1.1 200 Connection established" HEAD_END);
  return passage->rules.mode != FAL_PROXY_DIES_ON_TUNNEL;
}

static gboolean
pass_on (FalPassage *passage)
{
  tell (passage, FAL_PASSAGE_FORWARD, NULL);
  return write_now (passage->server, passage->rest, passage->rest_size);
}

static void
on_connected (GObject *client, GAsyncResult *result, gpointer user)
{
  g_autoptr (FalPassage) passage = user;

  passage->server = g_socket_client_connect_finish (G_SOCKET_CLIENT (client), result, NULL);
  if (g_cancellable_is_cancelled (passage->cancellable))
    return;
  if (passage->server == NULL) {
    answer (passage, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0" HEAD_END);
    end (passage);
    return;
  }
  if (!(passage->rest ? pass_on (passage) : open_tunnel (passage)) || is_spent (passage)) {
    end (passage);
    return;
  }
  start_pump (passage, &passage->up, passage->client, passage->server);
  start_pump (passage, &passage->down, passage->server, passage->client);
}

static gboolean
is_loopback (const gchar *host)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (host);

  return address ? g_inet_address_get_is_loopback (address) : g_str_equal (host, "localhost");
}

/* @authority: "host" or "host:port". */
static void
connect_to (FalPassage *passage, const gchar *authority)
{
  const gchar *route = passage->rules.route;
  g_autoptr (GSocketConnectable) target = g_network_address_parse (authority, PLAIN_PORT, NULL);
  g_autoptr (GSocketConnectable) way =
      g_network_address_parse (route ? route : authority, PLAIN_PORT, NULL);
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autofree gchar *name = NULL;

  if (target != NULL) {
    name = g_strdup_printf ("%s:%u", g_network_address_get_hostname (G_NETWORK_ADDRESS (target)),
        g_network_address_get_port (G_NETWORK_ADDRESS (target)));
    tell (passage, FAL_PASSAGE_ASKED, name);
  }
  if (target == NULL || way == NULL ||
      !is_loopback (g_network_address_get_hostname (G_NETWORK_ADDRESS (way)))) {
    answer (passage, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0" HEAD_END);
    end (passage);
    return;
  }
  g_socket_client_set_enable_proxy (client, FALSE);
  g_socket_client_connect_async (
      client, way, passage->cancellable, on_connected, passage_ref (passage));
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
is_authorized (FalPassage *passage, gchar **lines)
{
  if (passage->rules.authorization == NULL)
    return TRUE;
  for (; *lines != NULL; lines++) {
    const gchar *value = match_header (*lines, "Proxy-Authorization:");

    if (value != NULL)
      return g_str_equal (value, passage->rules.authorization);
  }
  return FALSE;
}

/* libsoup tries again with credentials. It must do so on a new connection: on a kept one, 3.2.3
 * asks for a tunnel to the proxy itself. */
static void
refuse (FalPassage *passage)
{
  tell (passage, FAL_PASSAGE_REFUSED, NULL);
  answer (passage, "HTTP/1.1 407 Proxy Authentication Required\r\n"
                   "Proxy-Authenticate: Basic realm=\"fal-test-proxy\"\r\n"
                   "Content-Length: 0\r\nConnection: close" HEAD_END);
  end (passage);
}

/* "GET http://host:port/path HTTP/1.1" becomes what the host is asked. What follows on the same
 * connection passes as it is. */
static void
prepare_rest (FalPassage *passage, gchar **lines, const gchar *path, const gchar *version,
    const gchar *body, gsize body_size)
{
  g_autofree gchar *method = g_strndup (lines[0], strcspn (lines[0], " "));
  GString *rest = g_string_new (NULL);

  g_string_append_printf (rest, "%s %s %s", method, path, version);
  for (guint i = 1; lines[i] != NULL; i++)
    if (g_ascii_strncasecmp (lines[i], "Proxy-", 6) != 0)
      g_string_append_printf (rest, "\r\n%s", lines[i]);
  g_string_append (rest, HEAD_END);
  g_string_append_len (rest, body, body_size);
  passage->rest_size = rest->len;
  passage->rest = g_string_free (rest, FALSE);
}

static void
handle_head (FalPassage *passage, const gchar *head_end)
{
  g_autofree gchar *head = g_strndup (passage->head->str, head_end - passage->head->str);
  g_auto (GStrv) lines = g_strsplit (head, "\r\n", -1);
  g_auto (GStrv) words = g_strsplit (lines[0] ? lines[0] : "", " ", 3);
  gboolean tunnel = g_str_equal (words[0] ? words[0] : "", "CONNECT");
  const gchar *body = head_end + strlen (HEAD_END), *authority, *path;
  g_autofree gchar *plain = NULL;

  if (g_strv_length (words) < 3 || (!tunnel && strstr (words[1], "://") == NULL)) {
    answer (passage, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0" HEAD_END);
    end (passage);
    return;
  }
  if (!is_authorized (passage, lines)) {
    refuse (passage);
    return;
  }
  if (tunnel) {
    connect_to (passage, words[1]);
    return;
  }
  authority = strstr (words[1], "://") + strlen ("://");
  path = authority + strcspn (authority, "/");
  plain = g_strndup (authority, path - authority);
  prepare_rest (passage, lines, *path ? path : "/", words[2], body,
      passage->head->str + passage->head->len - body);
  connect_to (passage, plain);
}

static void read_head (FalPassage *passage);

static void
on_head_read (GObject *stream, GAsyncResult *result, gpointer user)
{
  g_autoptr (FalPassage) passage = user;
  gssize size = g_input_stream_read_finish (G_INPUT_STREAM (stream), result, NULL);
  const gchar *head_end;

  if (size <= 0 || passage->head->len + size > MAX_HEAD) {
    end (passage);
    return;
  }
  g_string_append_len (passage->head, (const gchar *) passage->up.buffer, size);
  head_end = strstr (passage->head->str, HEAD_END);
  if (head_end != NULL)
    handle_head (passage, head_end);
  else
    read_head (passage);
}

static void
read_head (FalPassage *passage)
{
  g_input_stream_read_async (g_io_stream_get_input_stream (G_IO_STREAM (passage->client)),
      passage->up.buffer, sizeof passage->up.buffer, G_PRIORITY_DEFAULT, passage->cancellable,
      on_head_read, passage_ref (passage));
}

FalPassage *
fal_passage_new (
    GSocketConnection *client, const FalPassageRules *rules, FalPassageTold told, gpointer user)
{
  FalPassage *passage = g_new0 (FalPassage, 1);

  passage->references = 1;
  passage->rules = *rules;
  passage->told = told;
  passage->user = user;
  passage->cancellable = g_cancellable_new ();
  passage->client = g_object_ref (client);
  passage->head = g_string_new (NULL);
  read_head (passage);
  return passage;
}

void
fal_passage_free (FalPassage *passage)
{
  passage->told = NULL;
  cut (passage);
  passage_unref (passage);
}
