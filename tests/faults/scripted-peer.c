/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The misbehaving peer: a thread accepts, one for each connection plays its part of the script.
 * Every wait ends with the peer's cancellable. */
#include "scripted-peer.h"
#include "raw-websocket.h"

#include <string.h>
#include <sys/socket.h>

#define HEADS_MAX (64 * 1024) /* bytes of HTTP requests that are kept */
#define CONNECTIONS_MAX 256   /* at once */
/* Small, so that a peer that does not read is felt soon. */
#define RECEIVE_BUFFER 8192

struct _Peer {
  PeerConfig config;
  GInetAddress *address;
  guint16 port;
  GSocket *listener;
  GSocket *clogs[8]; /* connections of its own that fill the backlog */
  GCancellable *cancellable;
  GThread *thread;
  GPtrArray *parts; /* Part; accepting thread, and whoever joined it */

  GMutex lock;
  /* Below: lock. */
  gboolean stalled, serving;
  guint open;
  GArray *times; /* gint64 */
  GString *heads;
};

/* One connection. */
typedef struct {
  Peer *peer;
  GThread *thread;
  RawWebsocket websocket;
  const PeerStep *step;
  gboolean well_behaved;
  GPtrArray *requests; /* GBytes */
  gint over;           /* atomic */
} Part;

/* ---- the client's side of it ---- */

static gchar *
read_http (Part *part)
{
  Peer *peer = part->peer;
  gchar *head = raw_websocket_read_http (&part->websocket);

  if (head == NULL)
    return NULL;
  g_mutex_lock (&peer->lock);
  if (peer->heads->len < HEADS_MAX)
    g_string_append (peer->heads, head);
  g_mutex_unlock (&peer->lock);
  return head;
}

/* FALSE: the client went, or asked for a token and got it: a fresh one each time. */
static gboolean
upgrade (Part *part)
{
  g_autofree gchar *head = read_http (part);
  g_autofree gchar *token = g_strdup_printf (
      "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 12\r\n\r\n\"token%05u\"",
      peer_get_connections (part->peer) % 100000);

  if (head == NULL)
    return FALSE;
  if (!g_str_has_prefix (head, "POST"))
    return raw_websocket_accept_upgrade (&part->websocket, head);
  raw_websocket_send (&part->websocket, token, strlen (token));
  return FALSE;
}

static gboolean
await_request (Part *part)
{
  GBytes *request = raw_websocket_read_request (&part->websocket);

  if (request)
    g_ptr_array_add (part->requests, request);
  return request != NULL;
}

/* ---- the script ---- */

static gboolean
send_again_and_again (Part *part, const PeerStep *step, gconstpointer data, gsize size)
{
  for (guint i = 0; i < MAX (step->times, 1); i++) {
    if (!raw_websocket_send (&part->websocket, data, size) ||
        !raw_websocket_rest (&part->websocket, step->pause))
      return FALSE;
  }
  return TRUE;
}

/* Short pieces go many at a time, where nothing is to happen between them. */
static gboolean
play_send (Part *part, const PeerStep *step)
{
  g_autoptr (GString) piece = g_string_new (NULL);
  gsize size = step->size ? step->size : strlen (step->bytes);
  guint many = step->pause == 0 && step->times > 1000 ? 1000 : 1;
  PeerStep few = *step;

  for (guint i = 0; i < many; i++)
    g_string_append_len (piece, step->bytes, size);
  few.times = step->times / many;
  return send_again_and_again (part, &few, piece->str, piece->len) &&
         (step->times % many == 0 ||
             raw_websocket_send (&part->websocket, piece->str, step->times % many * size));
}

static gboolean
play_frame (Part *part, const PeerStep *step)
{
  gsize size = step->size || !step->bytes ? step->size : strlen (step->bytes);
  g_autoptr (GByteArray) frame = raw_websocket_make_frame (step->n, !step->more, step->bytes, size);

  return send_again_and_again (part, step, frame->data, frame->len);
}

static gboolean
play_close (Part *part, const PeerStep *step)
{
  const guint8 code[2] = { step->n >> 8, step->n };
  g_autoptr (GByteArray) frame = raw_websocket_make_frame (8, TRUE, code, step->n ? 2 : 0);

  return raw_websocket_send (&part->websocket, frame->data, frame->len);
}

static gboolean
play_answer (Part *part, const PeerStep *step)
{
  g_autoptr (GBytes) answer = NULL;
  g_autoptr (GByteArray) frame = NULL;

  g_assert_cmpuint (step->n, <, part->requests->len);
  answer = raw_websocket_make_answer (g_ptr_array_index (part->requests, step->n),
      part->peer->config.picture, step->bytes, MAX (step->images, 1));
  frame = raw_websocket_make_frame (
      2, TRUE, g_bytes_get_data (answer, NULL), g_bytes_get_size (answer));
  if (step->pause == 0)
    return raw_websocket_send (&part->websocket, frame->data, frame->len);
  for (guint i = 0; i < frame->len; i++)
    if (!raw_websocket_send (&part->websocket, frame->data + i, 1) ||
        !raw_websocket_rest (&part->websocket, step->pause))
      return FALSE;
  return TRUE;
}

/* Reads until the client goes. */
static gboolean
drain (Part *part)
{
  while (raw_websocket_receive (&part->websocket))
    g_byte_array_set_size (part->websocket.in, 0);
  return FALSE;
}

/* What the client still sends is read: a socket that is closed with unread bytes, or that gets some
 * later, answers with RST, and the client may lose what was said before. */
static gboolean
play_cut (Part *part)
{
  g_socket_shutdown (part->websocket.socket, FALSE, TRUE, NULL);
  return drain (part);
}

static gboolean
play_reset (Part *part)
{
  const struct linger linger = { .l_onoff = 1 };

  setsockopt (
      g_socket_get_fd (part->websocket.socket), SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
  g_socket_close (part->websocket.socket, NULL);
  return FALSE;
}

static void
note (Part *part, gboolean *what)
{
  g_mutex_lock (&part->peer->lock);
  *what = TRUE;
  g_mutex_unlock (&part->peer->lock);
}

static gboolean
play_stall (Part *part)
{
  note (part, &part->peer->stalled);
  while (raw_websocket_rest (&part->websocket, G_USEC_PER_SEC))
    ;
  return FALSE;
}

static gboolean
play_linger (Part *part)
{
  GBytes *request;

  while ((request = raw_websocket_read_request (&part->websocket)))
    g_bytes_unref (request);
  return TRUE;
}

static gboolean
play_serve (Part *part)
{
  note (part, &part->peer->serving);
  for (;;) {
    g_autoptr (GBytes) request = raw_websocket_read_request (&part->websocket);
    g_autoptr (GBytes) answer = request ? raw_websocket_make_answer (request, NULL, NULL, 1) : NULL;
    g_autoptr (GByteArray) frame = NULL;

    if (answer == NULL)
      return FALSE;
    frame = raw_websocket_make_frame (
        2, TRUE, g_bytes_get_data (answer, NULL), g_bytes_get_size (answer));
    if (!raw_websocket_send (&part->websocket, frame->data, frame->len))
      return FALSE;
  }
}

static gboolean
play_step (Part *part, const PeerStep *step)
{
  switch (step->act) {
  case PEER_HTTP:
    g_free (read_http (part));
    return TRUE;
  case PEER_UPGRADE:
    return upgrade (part);
  case PEER_SEND:
    return play_send (part, step);
  case PEER_FRAME:
    return play_frame (part, step);
  case PEER_AWAIT:
    return await_request (part);
  case PEER_ANSWER:
    return play_answer (part, step);
  case PEER_CLOSE:
    return play_close (part, step);
  case PEER_CUT:
    return play_cut (part);
  case PEER_RESET:
    return play_reset (part);
  case PEER_STALL:
    return play_stall (part);
  case PEER_LINGER:
    return play_linger (part);
  case PEER_SERVE:
    return play_serve (part);
  default:
    return drain (part);
  }
}

static gpointer
play (gpointer data)
{
  Part *part = data;

  if (!part->well_behaved)
    while (play_step (part, part->step))
      part->step++;
  else if (upgrade (part))
    play_serve (part);
  g_socket_close (part->websocket.socket, NULL);
  g_mutex_lock (&part->peer->lock);
  part->peer->open--;
  g_mutex_unlock (&part->peer->lock);
  g_atomic_int_set (&part->over, TRUE);
  return NULL;
}

/* ---- life ---- */

/* The part of the script for the connection of this number; NULL: it is served. */
static const PeerStep *
find_part (const PeerConfig *config, guint connection)
{
  const PeerStep *part = config->script;

  for (const PeerStep *step = part; step && connection > 0; step++) {
    if (step->act == PEER_END)
      return config->for_ever ? part : NULL;
    if (step->act != PEER_NEXT)
      continue;
    part = step + 1;
    connection--;
  }
  return part;
}

static void
start_part (Peer *peer, GSocket *socket)
{
  Part *part = g_new0 (Part, 1);
  gint64 now = g_get_monotonic_time ();

  *part = (Part){ .peer = peer };
  part->websocket = (RawWebsocket){ socket, g_object_ref (peer->cancellable), g_byte_array_new () };
  part->step = find_part (&peer->config, peer->times->len);
  part->well_behaved = part->step == NULL;
  part->requests = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_mutex_lock (&peer->lock);
  g_array_append_val (peer->times, now);
  peer->open++;
  g_mutex_unlock (&peer->lock);
  part->thread = g_thread_new ("peer-part", play, part);
  g_ptr_array_add (peer->parts, part);
}

static void
part_end (gpointer data)
{
  Part *part = data;

  g_thread_join (part->thread);
  g_object_unref (part->websocket.socket);
  g_object_unref (part->websocket.cancellable);
  g_byte_array_unref (part->websocket.in);
  g_ptr_array_unref (part->requests);
  g_free (part);
}

static void
end_those_that_are_over (Peer *peer)
{
  for (guint i = peer->parts->len; i-- > 0;) {
    Part *part = peer->parts->pdata[i];

    if (g_atomic_int_get (&part->over))
      g_ptr_array_remove_index_fast (peer->parts, i);
  }
}

static gpointer
accept_them (gpointer data)
{
  Peer *peer = data;
  GSocket *socket;

  while (peer->parts->len < CONNECTIONS_MAX &&
         (socket = g_socket_accept (peer->listener, peer->cancellable, NULL))) {
    end_those_that_are_over (peer);
    start_part (peer, socket);
  }
  return NULL;
}

static void
open_listener (Peer *peer)
{
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (peer->address, peer->port);
  g_autoptr (GSocketAddress) bound = NULL;
  g_autoptr (GError) error = NULL;

  peer->listener =
      g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, &error);
  g_assert_no_error (error);
  g_socket_set_option (peer->listener, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER, NULL);
  g_socket_set_listen_backlog (peer->listener, peer->config.door == PEER_DOOR_CLOGGED ? 0 : 64);
  g_socket_bind (peer->listener, address, TRUE, &error);
  g_assert_no_error (error);
  bound = g_socket_get_local_address (peer->listener, NULL);
  peer->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
  if (peer->config.door == PEER_DOOR_CLOSED)
    return;
  g_socket_listen (peer->listener, &error);
  g_assert_no_error (error);
}

/* Linux drops further attempts once the backlog is full. */
static void
fill_backlog (Peer *peer)
{
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (peer->address, peer->port);

  for (guint i = 0; i < G_N_ELEMENTS (peer->clogs); i++) {
    peer->clogs[i] =
        g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);
    g_socket_set_blocking (peer->clogs[i], FALSE);
    g_socket_connect (peer->clogs[i], address, NULL, NULL);
  }
}

void
peer_return (Peer *peer)
{
  peer->cancellable = g_cancellable_new ();
  open_listener (peer);
  if (peer->config.door == PEER_DOOR_OPEN)
    peer->thread = g_thread_new ("peer", accept_them, peer);
  if (peer->config.door == PEER_DOOR_CLOGGED)
    fill_backlog (peer);
}

void
peer_leave (Peer *peer)
{
  g_cancellable_cancel (peer->cancellable);
  if (peer->thread)
    g_thread_join (g_steal_pointer (&peer->thread));
  g_ptr_array_set_size (peer->parts, 0);
  g_clear_object (&peer->listener);
  g_clear_object (&peer->cancellable);
  for (guint i = 0; i < G_N_ELEMENTS (peer->clogs); i++)
    g_clear_object (&peer->clogs[i]);
}

Peer *
peer_new (const PeerConfig *config)
{
  Peer *peer = g_new0 (Peer, 1);

  peer->config = *config;
  if (config->picture)
    g_bytes_ref (config->picture);
  peer->address = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  peer->parts = g_ptr_array_new_with_free_func (part_end);
  peer->times = g_array_new (FALSE, FALSE, sizeof (gint64));
  peer->heads = g_string_new (NULL);
  g_mutex_init (&peer->lock);
  peer_return (peer);
  return peer;
}

void
peer_free (Peer *peer)
{
  gint64 began = g_get_monotonic_time ();

  peer_leave (peer);
  g_ptr_array_unref (peer->parts);
  g_array_unref (peer->times);
  g_string_free (peer->heads, TRUE);
  g_object_unref (peer->address);
  if (peer->config.picture)
    g_bytes_unref (peer->config.picture);
  g_mutex_clear (&peer->lock);
  g_free (peer);
  g_assert_cmpint (g_get_monotonic_time () - began, <, PATIENCE * 500 * G_TIME_SPAN_MILLISECOND);
}

/* ---- questions ---- */

guint
peer_get_port (Peer *peer)
{
  return peer->port;
}

static gboolean
get_flag (Peer *peer, const gboolean *flag)
{
  gboolean value;

  g_mutex_lock (&peer->lock);
  value = *flag;
  g_mutex_unlock (&peer->lock);
  return value;
}

gboolean
peer_is_stalled (Peer *peer)
{
  return get_flag (peer, &peer->stalled);
}

gboolean
peer_is_serving (Peer *peer)
{
  return get_flag (peer, &peer->serving);
}

guint
peer_get_connections (Peer *peer)
{
  guint n;

  g_mutex_lock (&peer->lock);
  n = peer->times->len;
  g_mutex_unlock (&peer->lock);
  return n;
}

guint
peer_get_open (Peer *peer)
{
  guint n;

  g_mutex_lock (&peer->lock);
  n = peer->open;
  g_mutex_unlock (&peer->lock);
  return n;
}

gint64
peer_get_time (Peer *peer, guint connection)
{
  gint64 time;

  g_mutex_lock (&peer->lock);
  g_assert_cmpuint (connection, <, peer->times->len);
  time = g_array_index (peer->times, gint64, connection);
  g_mutex_unlock (&peer->lock);
  return time;
}

gchar *
peer_dup_requests (Peer *peer)
{
  gchar *text;

  g_mutex_lock (&peer->lock);
  text = g_strdup (peer->heads->str);
  g_mutex_unlock (&peer->lock);
  return text;
}
