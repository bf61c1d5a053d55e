/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The lane: a queue of packets, each with the time at which it has come through. The bottleneck
 * stands at the beginning: a packet first takes its time there, one after the other, and then
 * travels for the delay. */
#include "lane.h"
#include "alarm.h"

/* Bytes. Where the rate is limited a packet is as large as on an Ethernet: it comes through as a
 * whole, and two messages should not. */
#define PACKET_SIZE 1448
#define PACKET_MAX 16384
/* So much is under way at most; then the sender's socket fills, as it would with a real link. */
#define HELD_MAX (4 * 1024 * 1024)

typedef struct {
  GBytes *bytes; /* NULL: the end */
  gsize passed;  /* of them */
  gint64 due;    /* monotonic µs */
} Packet;

struct _FalLane {
  GSocket *from, *to;
  const FalLaneRules *rules;
  GRand *chance;
  FalLaneTold told;
  gpointer user;

  GQueue packets;     /* Packet, first to go first */
  gsize held;         /* bytes */
  gboolean ended;     /* nothing more is taken */
  gint64 free_at;     /* when the bottleneck gets free, µs */
  gint64 last_due;    /* µs */
  GSource *in, *out;  /* waiting to read, waiting to write; or NULL */
  GSource *alarm;     /* for the first packet */
  GMainContext *home; /* of the sources */
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
wait_for (
    FalLane *lane, GSource **source, GSocket *socket, GIOCondition what, GSocketSourceFunc func)
{
  if (*source != NULL)
    return;
  *source = g_socket_create_source (socket, what, NULL);
  g_source_set_callback (*source, G_SOURCE_FUNC (func), lane, NULL);
  g_source_attach (*source, lane->home);
}

/* ---- out ---- */

static void go_on (FalLane *lane);

static gboolean
on_writable (GSocket *socket, GIOCondition condition, gpointer data)
{
  FalLane *lane = data;

  stop (&lane->out);
  go_on (lane);
  return G_SOURCE_REMOVE;
}

typedef enum { PASS_DONE, PASS_LATER, PASS_OVER } Pass;

static Pass
pass_end (FalLane *lane)
{
  g_socket_shutdown (lane->to, FALSE, TRUE, NULL);
  lane->told (lane->user, lane, FAL_LANE_ENDED, NULL, 0, g_get_monotonic_time ());
  return PASS_OVER;
}

static Pass
pass_bytes (FalLane *lane, Packet *packet)
{
  g_autoptr (GError) error = NULL;
  gint64 now = g_get_monotonic_time ();
  gsize size;
  const guint8 *data = (const guint8 *) g_bytes_get_data (packet->bytes, &size) + packet->passed;
  gssize n = g_socket_send (lane->to, (const gchar *) data, size - packet->passed, NULL, &error);

  if (n > 0) {
    packet->passed += n;
    lane->held -= n;
    lane->told (lane->user, lane, FAL_LANE_PASSED, data, n, now);
    return packet->passed == size ? PASS_DONE : PASS_LATER;
  }
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    return PASS_LATER;
  lane->told (lane->user, lane, FAL_LANE_BROKEN, NULL, 0, now);
  return PASS_OVER;
}

/* What has come through goes out. FALSE: the lane is over, and may be gone. */
static gboolean
pass_due (FalLane *lane)
{
  while (!lane->rules->stalled && lane->out == NULL && !g_queue_is_empty (&lane->packets)) {
    Packet *packet = g_queue_peek_head (&lane->packets);
    Pass pass;

    if (packet->due > g_get_monotonic_time ()) {
      fal_alarm_set (lane->alarm, packet->due);
      break;
    }
    pass = packet->bytes ? pass_bytes (lane, packet) : pass_end (lane);
    if (pass == PASS_OVER)
      return FALSE;
    if (pass == PASS_LATER)
      wait_for (lane, &lane->out, lane->to, G_IO_OUT, on_writable);
    else
      packet_free (g_queue_pop_head (&lane->packets));
  }
  return TRUE;
}

static gboolean
on_alarm (gpointer data)
{
  go_on (data);
  return G_SOURCE_CONTINUE;
}

/* ---- in ---- */

static gint64
find_due (FalLane *lane, gsize size, gint64 now)
{
  const FalLaneRules *rules = lane->rules;
  gint64 span = rules->rate ? size * 8 * G_USEC_PER_SEC / rules->rate + 1 : 0;
  gint64 jitter = rules->jitter * g_rand_double_range (lane->chance, -1, 1);

  lane->free_at = MAX (lane->free_at, now) + span;
  return MAX (lane->free_at + MAX (rules->delay + jitter, 0), lane->last_due);
}

/* @bytes: taken; NULL: the end. */
static void
take (FalLane *lane, GBytes *bytes, gint64 now)
{
  gsize size = bytes ? g_bytes_get_size (bytes) : 0;
  Packet *packet = g_new (Packet, 1);

  *packet = (Packet){ .bytes = bytes, .due = find_due (lane, size, now) };
  lane->last_due = packet->due;
  lane->held += size;
  lane->ended = bytes == NULL;
  g_queue_push_tail (&lane->packets, packet);
}

static gboolean
on_readable (GSocket *socket, GIOCondition condition, gpointer data)
{
  FalLane *lane = data;
  guint8 buffer[PACKET_MAX];
  g_autoptr (GError) error = NULL;
  gsize most = lane->rules->rate ? PACKET_SIZE : PACKET_MAX;
  gssize n = g_socket_receive (socket, (gchar *) buffer, most, NULL, &error);
  gint64 now = g_get_monotonic_time ();

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    return G_SOURCE_CONTINUE;
  if (n < 0) {
    lane->told (lane->user, lane, FAL_LANE_BROKEN, NULL, 0, now);
    return G_SOURCE_REMOVE;
  }
  if (n > 0)
    lane->told (lane->user, lane, FAL_LANE_TAKEN, buffer, n, now);
  take (lane, n > 0 ? g_bytes_new (buffer, n) : NULL, now);
  if (lane->ended || lane->held >= HELD_MAX)
    stop (&lane->in);
  go_on (lane);
  return G_SOURCE_CONTINUE; /* which says nothing where the source was stopped */
}

static void
go_on (FalLane *lane)
{
  if (pass_due (lane) && !lane->ended && lane->held < HELD_MAX)
    wait_for (lane, &lane->in, lane->from, G_IO_IN, on_readable);
}

/* ---- life ---- */

FalLane *
fal_lane_new (GSocket *from, GSocket *to, const FalLaneRules *rules, GRand *chance,
    FalLaneTold told, gpointer user)
{
  FalLane *lane = g_new0 (FalLane, 1);

  *lane = (FalLane){ .from = g_object_ref (from),
    .to = g_object_ref (to),
    .rules = rules,
    .chance = chance,
    .told = told,
    .user = user,
    .home = g_main_context_ref_thread_default () };
  g_queue_init (&lane->packets);
  lane->alarm = fal_alarm_new (0);
  g_source_set_callback (lane->alarm, on_alarm, lane, NULL);
  g_source_attach (lane->alarm, lane->home); /* which is how it begins */
  return lane;
}

void
fal_lane_free (FalLane *lane)
{
  stop (&lane->in);
  stop (&lane->out);
  stop (&lane->alarm);
  g_queue_clear_full (&lane->packets, (GDestroyNotify) packet_free);
  g_object_unref (lane->from);
  g_object_unref (lane->to);
  g_main_context_unref (lane->home);
  g_free (lane);
}

void
fal_lane_poke (FalLane *lane)
{
  go_on (lane);
}
