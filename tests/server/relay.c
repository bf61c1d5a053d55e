/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The relay: its address, and two directions for each connection. It lives in a loop of its own;
 * what tests call runs in it and is waited for, but for the two counters, which are shared. */
#include "relay.h"
#include "loop.h"
#include "loopback-service.h"
#include "relay-direction.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#define JITTER_SEED 1 /* the same in each run */

/* The directions of a connection: to the client and from it. */
enum { DOWN, UP, N_DIRECTIONS };

typedef struct {
  FalRelay *relay;
  guint number;
  GSocketConnection *client, *server;
  FalRelayDirection *directions[N_DIRECTIONS]; /* NULL: ended */
} Connection;

struct _FalRelay {
  gchar *target;
  FalRelayTap tap;
  gpointer user;
  guint port;
  FalLoop *loop;

  GMutex mutex; /* protects the next three */
  GCond ended;
  guint n_made, n_open; /* connections: so far, and still open */

  /* Relay's thread: */
  FalRelayConditions conditions[N_DIRECTIONS];
  GRand *random;
  FalLoopbackService *service;
  GPtrArray *connections; /* Connection */
};

static void
count_made (FalRelay *relay)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&relay->mutex);

  relay->n_made++;
  relay->n_open++;
}

static void
count_ended (FalRelay *relay)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&relay->mutex);

  relay->n_open--;
  g_cond_broadcast (&relay->ended);
}

static void
connection_free (Connection *connection)
{
  FalRelay *relay = connection->relay;

  for (guint side = DOWN; side < N_DIRECTIONS; side++)
    g_clear_pointer (&connection->directions[side], fal_relay_direction_free);
  g_io_stream_close (G_IO_STREAM (connection->client), NULL, NULL);
  g_io_stream_close (G_IO_STREAM (connection->server), NULL, NULL);
  g_object_unref (connection->client);
  g_object_unref (connection->server);
  g_free (connection);
  count_ended (relay);
}

static void
on_direction_event (gpointer user, FalRelayDirection *direction, FalRelayDirectionEvent event,
    const guint8 *data, gsize size, gint64 time)
{
  Connection *connection = user;
  FalRelay *relay = connection->relay;
  guint side = direction == connection->directions[UP] ? UP : DOWN;

  if (event == FAL_RELAY_DIRECTION_RECEIVED || event == FAL_RELAY_DIRECTION_SENT) {
    if (relay->tap != NULL &&
        event == (side == UP ? FAL_RELAY_DIRECTION_RECEIVED : FAL_RELAY_DIRECTION_SENT))
      relay->tap (relay->user, connection->number, side == UP, data, size, time);
    return;
  }
  g_clear_pointer (&connection->directions[side], fal_relay_direction_free);
  if (event == FAL_RELAY_DIRECTION_FAILED || connection->directions[!side] == NULL)
    g_ptr_array_remove (relay->connections, connection);
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
open_connection (FalRelay *relay, GSocketConnection *client, GSocketConnection *server)
{
  GSocket *near = prepare_socket (client), *far = prepare_socket (server);
  Connection *connection = g_new0 (Connection, 1);

  connection->relay = relay;
  count_made (relay);
  connection->number = relay->n_made; /* which this thread alone changes */
  connection->client = g_object_ref (client);
  connection->server = g_object_ref (server);
  connection->directions[UP] = fal_relay_direction_new (
      near, far, &relay->conditions[UP], relay->random, on_direction_event, connection);
  connection->directions[DOWN] = fal_relay_direction_new (
      far, near, &relay->conditions[DOWN], relay->random, on_direction_event, connection);
  g_ptr_array_add (relay->connections, connection);
}

/* On loopback a connection is made, or refused, at once. */
static void
on_incoming (GSocketConnection *client, gpointer user)
{
  FalRelay *relay = user;
  g_autoptr (GSocketClient) connector = g_socket_client_new ();
  g_autoptr (GSocketConnection) server = NULL;

  g_socket_client_set_enable_proxy (connector, FALSE);
  g_socket_client_set_timeout (connector, 1);
  server = g_socket_client_connect_to_host (connector, relay->target, 0, NULL, NULL);
  if (server == NULL)
    g_io_stream_close (G_IO_STREAM (client), NULL, NULL);
  else
    open_connection (relay, client, server);
}

/* ---- life ---- */

static void
start (gpointer owner, gpointer data)
{
  FalRelay *relay = owner;

  relay->service = fal_loopback_service_new (on_incoming, relay);
  relay->port = fal_loopback_service_get_port (relay->service);
}

static void
shut_down (gpointer owner, gpointer data)
{
  FalRelay *relay = owner;

  g_clear_pointer (&relay->service, fal_loopback_service_free);
  g_ptr_array_set_size (relay->connections, 0);
}

static void
set_delay (FalRelay *relay, guint round_trip_ms, guint jitter_ms)
{
  for (guint side = DOWN; side < N_DIRECTIONS; side++) {
    relay->conditions[side].delay = round_trip_ms * G_TIME_SPAN_MILLISECOND / 2;
    relay->conditions[side].jitter = jitter_ms * G_TIME_SPAN_MILLISECOND;
  }
}

FalRelay *
fal_relay_new (const FalRelayOptions *options)
{
  FalRelay *relay = g_new0 (FalRelay, 1);

  g_mutex_init (&relay->mutex);
  g_cond_init (&relay->ended);
  relay->target = g_strdup (options->target);
  relay->tap = options->tap;
  relay->user = options->user;
  relay->conditions[UP].rate = options->up_rate;
  relay->conditions[DOWN].rate = options->down_rate;
  set_delay (relay, options->round_trip_ms, options->jitter_ms);
  relay->random = g_rand_new_with_seed (JITTER_SEED);
  relay->connections = g_ptr_array_new_with_free_func ((GDestroyNotify) connection_free);
  relay->loop = fal_loop_new ("fal-relay");
  fal_loop_call (relay->loop, start, relay, NULL);
  return relay;
}

void
fal_relay_free (FalRelay *relay)
{
  fal_loop_call (relay->loop, shut_down, relay, NULL);
  fal_loop_free (relay->loop);
  g_ptr_array_unref (relay->connections);
  g_rand_free (relay->random);
  g_cond_clear (&relay->ended);
  g_mutex_clear (&relay->mutex);
  g_free (relay->target);
  g_free (relay);
}

/* ---- what it saw ---- */

guint
fal_relay_get_port (FalRelay *relay)
{
  return relay->port;
}

guint
fal_relay_get_connections (FalRelay *relay)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&relay->mutex);

  return relay->n_made;
}

guint
fal_relay_get_open (FalRelay *relay)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&relay->mutex);

  return relay->n_open;
}

gboolean
fal_relay_wait_until_closed (FalRelay *relay, guint timeout_ms)
{
  gint64 end = g_get_monotonic_time () + timeout_ms * G_TIME_SPAN_MILLISECOND;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&relay->mutex);

  while (relay->n_open > 0)
    if (!g_cond_wait_until (&relay->ended, &relay->mutex, end))
      return FALSE;
  return TRUE;
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

/* From the last to the first: a connection whose directions go on may end and leave the list. */
static void
update_all (FalRelay *relay)
{
  for (guint i = relay->connections->len; i > 0; i--)
    for (guint side = DOWN; i <= relay->connections->len && side < N_DIRECTIONS; side++) {
      Connection *connection = relay->connections->pdata[i - 1];

      if (connection->directions[side] != NULL)
        fal_relay_direction_update (connection->directions[side]);
    }
}

static void
change_stall (gpointer owner, gpointer data)
{
  FalRelay *relay = owner;

  for (guint side = DOWN; side < N_DIRECTIONS; side++)
    relay->conditions[side].stalled = *(gboolean *) data;
  update_all (relay);
}

void
fal_relay_set_stalled (FalRelay *relay, gboolean stalled)
{
  fal_loop_call (relay->loop, change_stall, relay, &stalled);
}

/* A socket that closes without lingering resets the connection. */
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

  for (guint i = 0; *(gboolean *) data && i < relay->connections->len; i++) {
    Connection *connection = relay->connections->pdata[i];

    stop_lingering (connection->client);
    stop_lingering (connection->server);
  }
  g_ptr_array_set_size (relay->connections, 0);
}

void
fal_relay_cut (FalRelay *relay, gboolean reset)
{
  fal_loop_call (relay->loop, cut_all, relay, &reset);
}
