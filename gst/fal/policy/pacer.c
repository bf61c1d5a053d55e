/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pacer: two queues, of frames that wait and of requests in flight, and the
 * rules by which a frame moves from one to the other and out. Called with the
 * session's mutex held, by whichever thread has something to say. */
#include "pacer.h"
#include "frame-interval.h"
#include "in-flight.h"
#include "request-id.h"
#include "window.h"

typedef struct {
  gpointer frame;
  guint64 serial;
  guint64 time; /* as fal_pacer_set_earliest() has it */
} Waiting;

struct _FalPacer {
  FalPacerConfig config;
  FalPacerCounts counts;
  GDestroyNotify frame_free;
  GQueue waiting;          /* Waiting, oldest first */
  GQueue in_flight;        /* FalInFlight, oldest first */
  GQueue dropped;          /* frames to be popped, oldest first */
  FalWindow *window;       /* watches and decides where it is adaptive, and lies idle elsewhere */
  gint64 last_sent;        /* G_MININT64: nothing yet, or flushed */
  FalFrameInterval frames; /* when they came */
  guint64 last_id;
  guint64 earliest; /* time of a frame that can arrive in time; 0: any */
  gboolean online;
  gboolean draining;
  gboolean urged; /* until nothing waits any more */
  gboolean answered_once;
  gboolean echoes;
};

FalPacer *
fal_pacer_new (GDestroyNotify frame_free)
{
  FalPacer *pacer = g_new0 (FalPacer, 1);

  pacer->frame_free = frame_free;
  pacer->window = fal_window_new ();
  pacer->last_sent = G_MININT64;
  fal_frame_interval_reset (&pacer->frames);
  pacer->config.max_waiting = 1;
  pacer->config.max_in_flight = 1;
  g_queue_init (&pacer->waiting);
  g_queue_init (&pacer->in_flight);
  g_queue_init (&pacer->dropped);
  return pacer;
}

static void
free_frame (FalPacer *pacer, gpointer frame)
{
  if (frame != NULL)
    pacer->frame_free (frame);
}

/* Takes the oldest waiting frame out and counts it under @reason. */
static gpointer
take_waiting (FalPacer *pacer, guint64 *reason)
{
  Waiting *oldest = g_queue_pop_head (&pacer->waiting);
  gpointer frame = oldest->frame;

  g_free (oldest);
  (*reason)++;
  return frame;
}

static void
drop_waiting (FalPacer *pacer, guint64 *reason)
{
  g_queue_push_tail (&pacer->dropped, take_waiting (pacer, reason));
}

/* Takes the oldest request out, which was not answered, and counts it under @outcome. NULL: its
 * frame was flushed away. */
static gpointer
take_oldest (FalPacer *pacer, guint64 *outcome)
{
  FalInFlight *oldest = g_queue_pop_head (&pacer->in_flight);
  gpointer frame = oldest->frame;

  if (pacer->config.adaptive)
    fal_window_gave_up (pacer->window, oldest->sent_time);
  g_free (oldest);
  (*outcome)++;
  return frame;
}

static void
end_oldest (FalPacer *pacer, guint64 *outcome)
{
  gpointer frame = take_oldest (pacer, outcome);

  if (frame != NULL)
    g_queue_push_tail (&pacer->dropped, frame);
}

/* From here on the window watches: it is told what is in flight, and keeps what it learnt before.
 */
static void
start_window (FalPacer *pacer)
{
  fal_window_reset (pacer->window);
  for (GList *l = pacer->in_flight.head; l != NULL; l = l->next) {
    const FalInFlight *request = l->data;

    if (!request->unsent)
      fal_window_sent (pacer->window, request->sent_time);
  }
}

void
fal_pacer_configure (FalPacer *pacer, const FalPacerConfig *config)
{
  gboolean was_adaptive = pacer->config.adaptive;

  pacer->config = *config;
  if (config->adaptive && !was_adaptive)
    start_window (pacer);
}

void
fal_pacer_set_online (FalPacer *pacer, gboolean online)
{
  pacer->online = online;
}

void
fal_pacer_drain (FalPacer *pacer)
{
  pacer->draining = TRUE;
}

gboolean
fal_pacer_has_room (const FalPacer *pacer)
{
  return pacer->config.leaky || pacer->waiting.length < pacer->config.max_waiting;
}

/* Unsent requests stand behind the sent ones: all become unsent at once, and they go again, in
 * order, before any other. */
static FalInFlight *
first_unsent (const FalPacer *pacer)
{
  return fal_in_flight_find_unsent (&pacer->in_flight);
}

/* How many requests may be unanswered at the most: one until the first reply has shown whether the
 * app echoes ids, few where it does not. */
static guint
most_in_flight (const FalPacer *pacer)
{
  const FalPacerConfig *config = &pacer->config;
  guint most = MAX (config->max_in_flight, 1);

  if (fal_pacer_tells_apart (pacer))
    return most;
  if (config->identified && !pacer->answered_once)
    return 1;
  return MIN (most, FAL_PACER_MAX_UNIDENTIFIED);
}

/* What keeps a frame from being sent at once: the reason it is dropped for. */
static guint64 *
reason_of_waiting (FalPacer *pacer, gint64 now)
{
  if (!pacer->online)
    return &pacer->counts.dropped_offline;
  if (pacer->last_sent != G_MININT64 && now < pacer->last_sent + pacer->config.throttle_interval)
    return &pacer->counts.dropped_throttled;
  return &pacer->counts.dropped_replaced;
}

guint
fal_pacer_offer (FalPacer *pacer, gpointer frame, guint64 serial, guint64 time, gint64 now)
{
  Waiting *waiting = g_new (Waiting, 1);
  guint dropped = 0;

  while (pacer->waiting.length >= MAX (pacer->config.max_waiting, 1)) {
    drop_waiting (pacer, reason_of_waiting (pacer, now));
    dropped++;
  }
  *waiting = (Waiting){ frame, serial, time };
  g_queue_push_tail (&pacer->waiting, waiting);
  fal_frame_interval_note_frame (&pacer->frames, now);
  pacer->counts.in++;
  pacer->draining = FALSE;
  return dropped;
}

void
fal_pacer_set_earliest (FalPacer *pacer, guint64 time)
{
  pacer->earliest = time;
}

gboolean
fal_pacer_has_dropped (const FalPacer *pacer)
{
  return pacer->dropped.length > 0;
}

gpointer
fal_pacer_pop_dropped (FalPacer *pacer)
{
  return g_queue_pop_head (&pacer->dropped);
}

static gboolean
is_too_late (const FalPacer *pacer, const Waiting *waiting)
{
  return pacer->config.leaky && !pacer->draining && !pacer->urged &&
         waiting->time < pacer->earliest;
}

static gboolean
has_candidate (const FalPacer *pacer)
{
  const Waiting *newest = g_queue_peek_tail ((GQueue *) &pacer->waiting);

  if (!pacer->online)
    return FALSE;
  if (first_unsent (pacer) != NULL)
    return TRUE;
  return newest != NULL && !is_too_late (pacer, newest) &&
         pacer->in_flight.length < most_in_flight (pacer);
}

gint64
fal_pacer_next_time (const FalPacer *pacer, gint64 now)
{
  gboolean trailing = pacer->draining && pacer->waiting.length <= 1;
  gint64 next = now;

  if (!has_candidate (pacer))
    return G_MAXINT64;
  if (pacer->urged)
    return now;
  if (!trailing && pacer->last_sent != G_MININT64)
    next = MAX (now, pacer->last_sent + pacer->config.throttle_interval);
  if (!pacer->config.adaptive || first_unsent (pacer) != NULL)
    return next;
  next = MAX (next, fal_window_next_time (pacer->window, most_in_flight (pacer), now));
  if (next == G_MAXINT64 || !pacer->config.leaky || pacer->draining)
    return next;
  return fal_frame_interval_await (&pacer->frames, fal_window_get_service (pacer->window), next);
}

/* Newer ones take the place of those that would come too late. */
static Waiting *
pop_in_time (FalPacer *pacer)
{
  while (pacer->waiting.length > 1 && is_too_late (pacer, pacer->waiting.head->data))
    drop_waiting (pacer, &pacer->counts.dropped_replaced);
  return g_queue_pop_head (&pacer->waiting);
}

static FalInFlight *
start_request (FalPacer *pacer)
{
  Waiting *waiting = pop_in_time (pacer);
  FalInFlight *request = g_new0 (FalInFlight, 1);

  request->frame = waiting->frame;
  request->serial = waiting->serial;
  request->id = ++pacer->last_id;
  request->kept = !pacer->config.leaky;
  g_free (waiting);
  g_queue_push_tail (&pacer->in_flight, request);
  pacer->counts.sent++;
  return request;
}

gpointer
fal_pacer_take (FalPacer *pacer, gint64 now, guint64 *request_id)
{
  FalInFlight *request;

  if (fal_pacer_next_time (pacer, now) > now)
    return NULL;
  request = first_unsent (pacer);
  if (request == NULL)
    request = start_request (pacer);
  request->unsent = FALSE;
  request->sent_time = now;
  pacer->last_sent = now;
  pacer->urged = pacer->urged && pacer->waiting.length > 0;
  if (pacer->config.adaptive)
    fal_window_sent (pacer->window, now);
  *request_id = request->id;
  return request->frame;
}

/* The request that a reply means, or NULL. From an app that was seen to echo our ids another id
 * means none, and no id the oldest only where there is no other. @ours: @text is an id of ours. */
static GList *
find_answered (FalPacer *pacer, const gchar *text, gboolean *ours)
{
  guint64 id;

  *ours = text != NULL && pacer->config.identified && fal_request_id_parse (text, &id);
  if (*ours)
    return fal_in_flight_find (&pacer->in_flight, id);
  if (pacer->echoes && (text != NULL || pacer->in_flight.length > 1))
    return NULL;
  return pacer->in_flight.head;
}

gpointer
fal_pacer_answer (FalPacer *pacer, const gchar *request_id, gint64 now, gint64 *sent_time,
    guint64 *serial, gboolean *known)
{
  gboolean ours;
  GList *link = find_answered (pacer, request_id, &ours);
  FalInFlight *request;
  gpointer frame;

  *known = link != NULL && !((FalInFlight *) link->data)->unsent;
  if (!*known)
    return NULL;
  pacer->answered_once = TRUE;
  pacer->echoes |= ours;
  while (pacer->in_flight.head != link)
    end_oldest (pacer, &pacer->counts.lost);
  request = g_queue_pop_head (&pacer->in_flight);
  if (pacer->config.adaptive)
    fal_window_answered (pacer->window, request->sent_time, now);
  frame = request->frame;
  *sent_time = request->sent_time;
  *serial = request->serial;
  g_free (request);
  pacer->counts.answered++;
  return frame;
}

gboolean
fal_pacer_fail_oldest (FalPacer *pacer)
{
  const FalInFlight *oldest = g_queue_peek_head (&pacer->in_flight);

  if (oldest == NULL || oldest->unsent)
    return FALSE;
  pacer->answered_once = TRUE;
  end_oldest (pacer, &pacer->counts.failed);
  return TRUE;
}

gboolean
fal_pacer_fail (FalPacer *pacer, guint64 request_id)
{
  GList *link = fal_in_flight_find (&pacer->in_flight, request_id);

  if (link == NULL)
    return FALSE;
  g_queue_unlink (&pacer->in_flight, link);
  g_queue_push_head_link (&pacer->in_flight, link);
  end_oldest (pacer, &pacer->counts.failed);
  return TRUE;
}

gint64
fal_pacer_get_oldest_sent (const FalPacer *pacer)
{
  const FalInFlight *oldest = g_queue_peek_head ((GQueue *) &pacer->in_flight);

  return oldest != NULL && !oldest->unsent ? oldest->sent_time : G_MAXINT64;
}

gint64
fal_pacer_next_expiry (const FalPacer *pacer)
{
  gint64 sent = fal_pacer_get_oldest_sent (pacer);

  if (sent == G_MAXINT64 || pacer->config.request_timeout == 0)
    return G_MAXINT64;
  return sent + pacer->config.request_timeout;
}

guint
fal_pacer_expire (FalPacer *pacer, gint64 now)
{
  guint n = 0;

  for (; fal_pacer_next_expiry (pacer) <= now; n++)
    end_oldest (pacer, &pacer->counts.expired);
  return n;
}

void
fal_pacer_urge (FalPacer *pacer)
{
  pacer->urged = TRUE;
}

void
fal_pacer_reset_counts (FalPacer *pacer)
{
  pacer->counts = (FalPacerCounts){
    .in = pacer->waiting.length + pacer->in_flight.length,
    .sent = pacer->in_flight.length,
  };
}

void
fal_pacer_lose (FalPacer *pacer)
{
  guint n = pacer->in_flight.length;

  fal_window_reset (pacer->window);
  while (n-- > 0) {
    FalInFlight *request = g_queue_peek_head (&pacer->in_flight);

    if (!request->kept || request->frame == NULL) {
      end_oldest (pacer, &pacer->counts.lost);
      continue;
    }
    request->unsent = TRUE;
    g_queue_push_tail (&pacer->in_flight, g_queue_pop_head (&pacer->in_flight));
  }
}

/* What was to go again is on no connection, so that no reply to it is awaited. What went again
 * already stands before it. */
static void
forget_unsent (FalPacer *pacer)
{
  FalInFlight *request;

  while ((request = first_unsent (pacer)) != NULL) {
    g_queue_remove (&pacer->in_flight, request);
    g_queue_push_head (&pacer->in_flight, request);
    free_frame (pacer, take_oldest (pacer, &pacer->counts.lost));
  }
}

void
fal_pacer_flush (FalPacer *pacer)
{
  forget_unsent (pacer);
  while (pacer->waiting.length > 0)
    free_frame (pacer, take_waiting (pacer, &pacer->counts.dropped_flushed));
  for (GList *l = pacer->in_flight.head; l != NULL; l = l->next) {
    FalInFlight *request = l->data;

    free_frame (pacer, request->frame);
    request->frame = NULL;
  }
  pacer->last_sent = G_MININT64;
  pacer->earliest = 0;
  pacer->draining = pacer->urged = FALSE;
}

void
fal_pacer_abandon (FalPacer *pacer, gboolean timed_out)
{
  FalPacerCounts *counts = &pacer->counts;

  while (timed_out && !pacer->online && pacer->waiting.length > 0)
    drop_waiting (pacer, &counts->dropped_offline);
  while (timed_out && pacer->in_flight.length > 0)
    end_oldest (pacer, &counts->expired);
  while (pacer->waiting.length > 0)
    free_frame (pacer,
        take_waiting (pacer, pacer->online ? &counts->dropped_flushed : &counts->dropped_offline));
  while (pacer->in_flight.length > 0)
    free_frame (pacer, take_oldest (pacer, &counts->lost));
}

void
fal_pacer_free (FalPacer *pacer)
{
  gpointer frame;

  fal_pacer_abandon (pacer, FALSE);
  while ((frame = fal_pacer_pop_dropped (pacer)))
    pacer->frame_free (frame);
  fal_window_free (pacer->window);
  g_free (pacer);
}

gboolean
fal_pacer_keeps (const FalPacer *pacer, guint64 request_id)
{
  const GList *link = fal_in_flight_find (&pacer->in_flight, request_id);

  return link != NULL && ((const FalInFlight *) link->data)->kept;
}

gboolean
fal_pacer_is_leaky (const FalPacer *pacer)
{
  return pacer->config.leaky;
}

gboolean
fal_pacer_echoes (const FalPacer *pacer)
{
  return pacer->echoes;
}

gboolean
fal_pacer_tells_apart (const FalPacer *pacer)
{
  return pacer->config.identified && (pacer->echoes || pacer->config.echo_known);
}

guint
fal_pacer_get_waiting (const FalPacer *pacer)
{
  return pacer->waiting.length;
}

guint
fal_pacer_get_in_flight (const FalPacer *pacer)
{
  return pacer->in_flight.length;
}

/* The oldest frame that may still bring a result; NULL: none. */
static gpointer
find_oldest (const FalPacer *pacer, guint64 *serial)
{
  const Waiting *waiting = g_queue_peek_head ((GQueue *) &pacer->waiting);

  for (const GList *l = pacer->in_flight.head; l != NULL; l = l->next) {
    const FalInFlight *request = l->data;

    *serial = request->serial;
    if (request->frame != NULL)
      return request->frame;
  }
  *serial = waiting ? waiting->serial : G_MAXUINT64;
  return waiting ? waiting->frame : NULL;
}

guint64
fal_pacer_get_oldest (const FalPacer *pacer)
{
  guint64 serial;

  find_oldest (pacer, &serial);
  return serial;
}

gpointer
fal_pacer_peek_oldest (const FalPacer *pacer)
{
  guint64 serial;

  return find_oldest (pacer, &serial);
}

const FalPacerCounts *
fal_pacer_get_counts (const FalPacer *pacer)
{
  return &pacer->counts;
}
