/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The direction: a queue of packets, each with the time at which it is sent on. The rate comes
 * first: packets pass the bottleneck one after the other, and then travel for the delay. */
#include "relay-direction.h"
#include "precise-timer.h"

/* Bytes. Where the rate is limited a packet is as large as on an Ethernet: it comes through as a
 * whole, and two messages should not. */
#define PACKET_SIZE 1448
#define PACKET_MAX 16384
/* At most so much is queued; then the sender's socket fills, as it would with a real link. */
#define QUEUED_MAX (4 * 1024 * 1024)

typedef struct {
  GBytes *bytes; /* NULL: the end */
  gsize sent;    /* of them */
  gint64 due;    /* monotonic µs */
} Packet;

struct _FalRelayDirection {
  GSocket *from, *to;
  const FalRelayConditions *conditions;
  GRand *random;
  FalRelayDirectionFunc on_event;
  gpointer user;

  GQueue packets;        /* Packet, first to go first */
  gsize queued;          /* bytes */
  gboolean ended;        /* nothing more is received */
  gint64 free_at;        /* when the bottleneck gets free, µs */
  gint64 last_due;       /* µs */
  GSource *in, *out;     /* waiting to read, waiting to write; or NULL */
  GSource *timer;        /* for the first packet */
  GMainContext *context; /* of the sources */
};

static void
packet_free (Packet *packet)
{
  g_clear_pointer (&packet->bytes, g_bytes_unref);
  g_free (packet);
}

static void
stop (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static void
wait_for (FalRelayDirection *direction, GSource **source, GSocket *socket, GIOCondition what,
    GSocketSourceFunc func)
{
  if (*source != NULL)
    return;
  *source = g_socket_create_source (socket, what, NULL);
  g_source_set_callback (*source, G_SOURCE_FUNC (func), direction, NULL);
  g_source_attach (*source, direction->context);
}

/* ---- sending ---- */

static void go_on (FalRelayDirection *direction);

static gboolean
on_writable (GSocket *socket, GIOCondition condition, gpointer data)
{
  FalRelayDirection *direction = data;

  stop (&direction->out);
  go_on (direction);
  return G_SOURCE_REMOVE;
}

typedef enum { SEND_DONE, SEND_LATER, SEND_ENDED } SendStatus;

static SendStatus
send_end (FalRelayDirection *direction)
{
  g_socket_shutdown (direction->to, FALSE, TRUE, NULL);
  direction->on_event (
      direction->user, direction, FAL_RELAY_DIRECTION_ENDED, NULL, 0, g_get_monotonic_time ());
  return SEND_ENDED;
}

static SendStatus
send_bytes (FalRelayDirection *direction, Packet *packet)
{
  g_autoptr (GError) error = NULL;
  gint64 now = g_get_monotonic_time ();
  gsize size;
  const guint8 *data = (const guint8 *) g_bytes_get_data (packet->bytes, &size) + packet->sent;
  gssize n = g_socket_send (direction->to, (const gchar *) data, size - packet->sent, NULL, &error);

  if (n > 0) {
    packet->sent += n;
    direction->queued -= n;
    direction->on_event (direction->user, direction, FAL_RELAY_DIRECTION_SENT, data, n, now);
    return packet->sent == size ? SEND_DONE : SEND_LATER;
  }
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    return SEND_LATER;
  direction->on_event (direction->user, direction, FAL_RELAY_DIRECTION_FAILED, NULL, 0, now);
  return SEND_ENDED;
}

/* Sends what is due. FALSE: the direction has ended, and may have been freed. */
static gboolean
send_due (FalRelayDirection *direction)
{
  while (!direction->conditions->stalled && direction->out == NULL &&
         !g_queue_is_empty (&direction->packets)) {
    Packet *packet = g_queue_peek_head (&direction->packets);
    SendStatus status;

    if (packet->due > g_get_monotonic_time ()) {
      fal_precise_timer_set (direction->timer, packet->due);
      break;
    }
    status = packet->bytes ? send_bytes (direction, packet) : send_end (direction);
    if (status == SEND_ENDED)
      return FALSE;
    if (status == SEND_LATER)
      wait_for (direction, &direction->out, direction->to, G_IO_OUT, on_writable);
    else
      packet_free (g_queue_pop_head (&direction->packets));
  }
  return TRUE;
}

static gboolean
on_timer (gpointer data)
{
  go_on (data);
  return G_SOURCE_CONTINUE;
}

/* ---- receiving ---- */

static gint64
find_due (FalRelayDirection *direction, gsize size, gint64 now)
{
  const FalRelayConditions *conditions = direction->conditions;
  gint64 duration = conditions->rate ? size * 8 * G_USEC_PER_SEC / conditions->rate + 1 : 0;
  gint64 jitter = conditions->jitter * g_rand_double_range (direction->random, -1, 1);

  direction->free_at = MAX (direction->free_at, now) + duration;
  return MAX (direction->free_at + MAX (conditions->delay + jitter, 0), direction->last_due);
}

/* @bytes: taken; NULL: the end. */
static void
enqueue (FalRelayDirection *direction, GBytes *bytes, gint64 now)
{
  gsize size = bytes ? g_bytes_get_size (bytes) : 0;
  Packet *packet = g_new (Packet, 1);

  *packet = (Packet){ .bytes = bytes, .due = find_due (direction, size, now) };
  direction->last_due = packet->due;
  direction->queued += size;
  direction->ended = bytes == NULL;
  g_queue_push_tail (&direction->packets, packet);
}

static gboolean
on_readable (GSocket *socket, GIOCondition condition, gpointer data)
{
  FalRelayDirection *direction = data;
  guint8 buffer[PACKET_MAX];
  g_autoptr (GError) error = NULL;
  gsize most = direction->conditions->rate ? PACKET_SIZE : PACKET_MAX;
  gssize n = g_socket_receive (socket, (gchar *) buffer, most, NULL, &error);
  gint64 now = g_get_monotonic_time ();

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    return G_SOURCE_CONTINUE;
  if (n < 0) {
    direction->on_event (direction->user, direction, FAL_RELAY_DIRECTION_FAILED, NULL, 0, now);
    return G_SOURCE_REMOVE;
  }
  if (n > 0)
    direction->on_event (direction->user, direction, FAL_RELAY_DIRECTION_RECEIVED, buffer, n, now);
  enqueue (direction, n > 0 ? g_bytes_new (buffer, n) : NULL, now);
  if (direction->ended || direction->queued >= QUEUED_MAX)
    stop (&direction->in);
  go_on (direction);
  return G_SOURCE_CONTINUE; /* which says nothing where the source was stopped */
}

static void
go_on (FalRelayDirection *direction)
{
  if (send_due (direction) && !direction->ended && direction->queued < QUEUED_MAX)
    wait_for (direction, &direction->in, direction->from, G_IO_IN, on_readable);
}

/* ---- life ---- */

FalRelayDirection *
fal_relay_direction_new (GSocket *from, GSocket *to, const FalRelayConditions *conditions,
    GRand *random, FalRelayDirectionFunc on_event, gpointer user)
{
  FalRelayDirection *direction = g_new0 (FalRelayDirection, 1);

  *direction = (FalRelayDirection){ .from = g_object_ref (from),
    .to = g_object_ref (to),
    .conditions = conditions,
    .random = random,
    .on_event = on_event,
    .user = user,
    .context = g_main_context_ref_thread_default () };
  g_queue_init (&direction->packets);
  direction->timer = fal_precise_timer_new (0);
  g_source_set_callback (direction->timer, on_timer, direction, NULL);
  g_source_attach (direction->timer, direction->context); /* which is how it begins */
  return direction;
}

void
fal_relay_direction_free (FalRelayDirection *direction)
{
  stop (&direction->in);
  stop (&direction->out);
  stop (&direction->timer);
  g_queue_clear_full (&direction->packets, (GDestroyNotify) packet_free);
  g_object_unref (direction->from);
  g_object_unref (direction->to);
  g_main_context_unref (direction->context);
  g_free (direction);
}

void
fal_relay_direction_update (FalRelayDirection *direction)
{
  go_on (direction);
}
