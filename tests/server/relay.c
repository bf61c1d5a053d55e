/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The relay: its address, and two lanes for each connection. All of it lives in a loop of its own;
 * what tests call hops into it and waits. */
#include "relay.h"
#include "lane.h"
#include "loop.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#define JITTER_SEED 1 /* the same in each run */

typedef enum { DOWN, UP, N_WAYS } Way;

typedef struct {
  FalRelay *relay;
  guint number;
  GSocketConnection *client, *server;
  FalLane *lanes[N_WAYS]; /* NULL: ended */
} Passage;

struct _FalRelay {
  gchar *target;
  FalRelayTap tap;
  gpointer user;
  guint port;
  FalLoop *loop;

  /* Relay's thread: */
  FalLaneRules rules[N_WAYS];
  GRand *chance;
  GSocketService *service;
  GPtrArray *passages; /* Passage */
  guint connections;
};

static void
passage_free (Passage *passage)
{
  for (Way way = DOWN; way < N_WAYS; way++)
    g_clear_pointer (&passage->lanes[way], fal_lane_free);
  g_io_stream_close (G_IO_STREAM (passage->client), NULL, NULL);
  g_io_stream_close (G_IO_STREAM (passage->server), NULL, NULL);
  g_object_unref (passage->client);
  g_object_unref (passage->server);
  g_free (passage);
}

static void
on_told (
    gpointer user, FalLane *lane, FalLaneEvent event, const guint8 *data, gsize size, gint64 time)
{
  Passage *passage = user;
  FalRelay *relay = passage->relay;
  Way way = lane == passage->lanes[UP] ? UP : DOWN;

  if (event == FAL_LANE_TAKEN || event == FAL_LANE_PASSED) {
    if (relay->tap != NULL && event == (way == UP ? FAL_LANE_TAKEN : FAL_LANE_PASSED))
      relay->tap (relay->user, passage->number, way == UP, data, size, time);
    return;
  }
  g_clear_pointer (&passage->lanes[way], fal_lane_free);
  if (event == FAL_LANE_BROKEN || passage->lanes[!way] == NULL)
    g_ptr_array_remove (relay->passages, passage);
}

/* Small writes go at once: what waits for the other's acknowledgement would come late. Silence is
 * no fault. */
static GSocket *
prepare_socket (GSocketConnection *connection)
{
  GSocket *socket = g_socket_connection_get_socket (connection);

  g_socket_set_blocking (socket, FALSE);
  g_socket_set_timeout (socket, 0);
  g_socket_set_option (socket, IPPROTO_TCP, TCP_NODELAY, TRUE, NULL);
  return socket;
}

static void
open_passage (FalRelay *relay, GSocketConnection *client, GSocketConnection *server)
{
  GSocket *near = prepare_socket (client), *far = prepare_socket (server);
  Passage *passage = g_new0 (Passage, 1);

  passage->relay = relay;
  passage->number = ++relay->connections;
  passage->client = g_object_ref (client);
  passage->server = g_object_ref (server);
  passage->lanes[UP] = fal_lane_new (near, far, &relay->rules[UP], relay->chance, on_told, passage);
  passage->lanes[DOWN] =
      fal_lane_new (far, near, &relay->rules[DOWN], relay->chance, on_told, passage);
  g_ptr_array_add (relay->passages, passage);
}

/* On loopback a connection is made, or refused, at once. */
static gboolean
on_incoming (GSocketService *service, GSocketConnection *client, GObject *source, gpointer user)
{
  FalRelay *relay = user;
  g_autoptr (GSocketClient) way = g_socket_client_new ();
  g_autoptr (GSocketConnection) server = NULL;

  g_socket_client_set_enable_proxy (way, FALSE);
  g_socket_client_set_timeout (way, 1);
  server = g_socket_client_connect_to_host (way, relay->target, 0, NULL, NULL);
  if (server == NULL)
    g_io_stream_close (G_IO_STREAM (client), NULL, NULL);
  else
    open_passage (relay, client, server);
  return TRUE;
}

/* ---- life ---- */

static void
start (gpointer owner, gpointer data)
{
  FalRelay *relay = owner;
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocketAddress) bound = NULL;
  g_autoptr (GError) error = NULL;

  relay->service = g_socket_service_new ();
  if (!g_socket_listener_add_address (G_SOCKET_LISTENER (relay->service), address,
          G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL, &bound, &error))
    g_error ("Could not listen on loopback for the relay: %s", error->message);
  relay->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
  g_signal_connect (relay->service, "incoming", G_CALLBACK (on_incoming), relay);
  g_socket_service_start (relay->service);
}

static void
shut_down (gpointer owner, gpointer data)
{
  FalRelay *relay = owner;

  g_socket_service_stop (relay->service);
  g_socket_listener_close (G_SOCKET_LISTENER (relay->service));
  g_clear_object (&relay->service);
  g_ptr_array_set_size (relay->passages, 0);
}

static void
set_delay (FalRelay *relay, guint round_trip_ms, guint jitter_ms)
{
  for (Way way = DOWN; way < N_WAYS; way++) {
    relay->rules[way].delay = round_trip_ms * G_TIME_SPAN_MILLISECOND / 2;
    relay->rules[way].jitter = jitter_ms * G_TIME_SPAN_MILLISECOND;
  }
}

FalRelay *
fal_relay_new (const FalRelayOptions *options)
{
  FalRelay *relay = g_new0 (FalRelay, 1);

  relay->target = g_strdup (options->target);
  relay->tap = options->tap;
  relay->user = options->user;
  relay->rules[UP].rate = options->up_rate;
  relay->rules[DOWN].rate = options->down_rate;
  set_delay (relay, options->round_trip_ms, options->jitter_ms);
  relay->chance = g_rand_new_with_seed (JITTER_SEED);
  relay->passages = g_ptr_array_new_with_free_func ((GDestroyNotify) passage_free);
  relay->loop = fal_loop_new ("fal-relay");
  fal_loop_call (relay->loop, start, relay, NULL);
  return relay;
}

void
fal_relay_free (FalRelay *relay)
{
  fal_loop_call (relay->loop, shut_down, relay, NULL);
  fal_loop_free (relay->loop);
  g_ptr_array_unref (relay->passages);
  g_rand_free (relay->chance);
  g_free (relay->target);
  g_free (relay);
}

/* ---- what it saw ---- */

guint
fal_relay_get_port (FalRelay *relay)
{
  return relay->port;
}

static void
count (gpointer owner, gpointer data)
{
  FalRelay *relay = owner;
  guint *counts = data;

  counts[0] = relay->connections;
  counts[1] = relay->passages->len;
}

guint
fal_relay_get_connections (FalRelay *relay)
{
  guint counts[2];

  fal_loop_call (relay->loop, count, relay, counts);
  return counts[0];
}

guint
fal_relay_get_open (FalRelay *relay)
{
  guint counts[2];

  fal_loop_call (relay->loop, count, relay, counts);
  return counts[1];
}

/* ---- how it behaves ---- */

static void
change_delay (gpointer owner, gpointer data)
{
  const guint *values = data;

  set_delay (owner, values[0], values[1]);
}

void
fal_relay_set_round_trip (FalRelay *relay, guint round_trip_ms, guint jitter_ms)
{
  guint values[] = { round_trip_ms, jitter_ms };

  fal_loop_call (relay->loop, change_delay, relay, values);
}

/* From behind: a passage whose lanes go on may end and leave the list. */
static void
poke_all (FalRelay *relay)
{
  for (guint i = relay->passages->len; i > 0; i--)
    for (Way way = DOWN; i <= relay->passages->len && way < N_WAYS; way++) {
      Passage *passage = relay->passages->pdata[i - 1];

      if (passage->lanes[way] != NULL)
        fal_lane_poke (passage->lanes[way]);
    }
}

static void
change_stall (gpointer owner, gpointer data)
{
  FalRelay *relay = owner;

  for (Way way = DOWN; way < N_WAYS; way++)
    relay->rules[way].stalled = *(gboolean *) data;
  poke_all (relay);
}

void
fal_relay_set_stalled (FalRelay *relay, gboolean stalled)
{
  fal_loop_call (relay->loop, change_stall, relay, &stalled);
}

/* A socket that closes without lingering does not say good-bye. */
static void
stop_lingering (GSocketConnection *connection)
{
  const struct linger linger = { .l_onoff = 1 };

  setsockopt (g_socket_get_fd (g_socket_connection_get_socket (connection)), SOL_SOCKET, SO_LINGER,
      &linger, sizeof linger);
}

static void
cut_all (gpointer owner, gpointer data)
{
  FalRelay *relay = owner;

  for (guint i = 0; *(gboolean *) data && i < relay->passages->len; i++) {
    Passage *passage = relay->passages->pdata[i];

    stop_lingering (passage->client);
    stop_lingering (passage->server);
  }
  g_ptr_array_set_size (relay->passages, 0);
}

void
fal_relay_cut (FalRelay *relay, gboolean reset)
{
  fal_loop_call (relay->loop, cut_all, relay, &reset);
}
