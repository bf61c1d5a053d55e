/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pacer: two queues, of frames that wait and of requests in flight, and the
 * rules by which a frame moves from one to the other and out. Called with the
 * session's mutex held, by whichever thread has something to say. */
#include "pacer.h"
#include "frame-interval.h"
#include "in-flight.h"
#include "lane-choice.h"
#include "request-id.h"
#include "window.h"

/* A request that was overtaken is awaited for twice the round trip of the one that did, and for so
 * long at least, µs: only then was it dropped by the server, and goes again. */
#define OVERTAKEN_AT_LEAST (100 * G_TIME_SPAN_MILLISECOND)

typedef struct {
  gpointer frame;
  guint64 serial;
  guint64 time; /* as fal_pacer_set_earliest() has it */
  FalTries tries;
} Waiting;

/* One of the stream's connections. */
typedef struct {
  GQueue in_flight;  /* FalInFlight, oldest first */
  FalWindow *window; /* watches and decides where it is adaptive, and lies idle elsewhere */
  gint64 last_sent;  /* G_MININT64: nothing yet, or flushed */
  gboolean online;
  gboolean opened;  /* a message went over the connection */
  gboolean asked;   /* and a request */
  gboolean replies; /* and a reply came */
  guint64 first_id; /* no id of this connection is less */
  guint64 deaths;   /* of connections of the stream, before this one was made */
  guint unclaimed;  /* replies that failed a request of which it is not known which */
  guint64 sent, answered;
} Lane;

struct _FalPacer {
  FalPacerConfig config;
  FalPacerCounts counts;
  GDestroyNotify frame_free;
  GQueue waiting; /* Waiting, oldest first */
  GQueue dropped; /* frames to be popped, oldest first */
  Lane *lanes;
  guint n_lanes;
  FalLaneOffer *offers;    /* one for each lane, filled in to choose among them */
  gint64 last_sent;        /* over whichever; G_MININT64: nothing yet, or flushed */
  FalFrameInterval frames; /* when they came */
  guint64 last_id;
  guint64 deaths;         /* of connections */
  guint64 last_serial;    /* of the newest frame that was sent as a request; 0: none */
  gboolean last_answered; /* it was answered */
  guint64 earliest; /* time of a frame that can arrive in time; 0: any */
  gboolean draining;
  gboolean urged; /* until nothing waits any more */
  gboolean echoes;
  gboolean has_own_ids; /* the app was seen to send ids of its own in place of ours */
  FalPacerGivenUp given_up;
};

static void
lane_init (Lane *lane)
{
  g_queue_init (&lane->in_flight);
  lane->window = fal_window_new ();
  lane->last_sent = G_MININT64;
}

FalPacer *
fal_pacer_new (GDestroyNotify frame_free, guint n_lanes)
{
  FalPacer *pacer = g_new0 (FalPacer, 1);

  pacer->frame_free = frame_free;
  pacer->n_lanes = n_lanes;
  pacer->lanes = g_new0 (Lane, n_lanes);
  pacer->offers = g_new0 (FalLaneOffer, n_lanes);
  for (guint i = 0; i < n_lanes; i++)
    lane_init (&pacer->lanes[i]);
  pacer->last_sent = G_MININT64;
  fal_frame_interval_reset (&pacer->frames);
  g_queue_init (&pacer->waiting);
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

static void
forget_in_window (const FalPacer *pacer, Lane *lane, const FalInFlight *request)
{
  if (pacer->config.adaptive)
    fal_window_gave_up (lane->window, request->sent_time);
}

/* Takes a request out, which was not answered, and counts it under @outcome. NULL: its frame was
 * flushed away. */
static gpointer
take_request (FalPacer *pacer, Lane *lane, GList *link, guint64 *outcome)
{
  g_autofree FalInFlight *request = link->data;

  forget_in_window (pacer, lane, request);
  g_queue_delete_link (&lane->in_flight, link);
  (*outcome)++;
  return request->frame;
}

static void
end_request (FalPacer *pacer, Lane *lane, GList *link, guint64 *outcome)
{
  gpointer frame = take_request (pacer, lane, link, outcome);

  if (frame != NULL)
    g_queue_push_tail (&pacer->dropped, frame);
}

static void
insert_waiting (FalPacer *pacer, Waiting *waiting)
{
  GList *after = pacer->waiting.tail;

  while (after != NULL && ((const Waiting *) after->data)->serial > waiting->serial)
    after = after->prev;
  if (after != NULL)
    g_queue_insert_after (&pacer->waiting, after, waiting);
  else
    g_queue_push_head (&pacer->waiting, waiting);
}

/* Its frame waits again, in its place. */
static void
return_request (FalPacer *pacer, Lane *lane, GList *link)
{
  g_autofree FalInFlight *request = link->data;
  Waiting *waiting = g_new (Waiting, 1);

  forget_in_window (pacer, lane, request);
  g_queue_delete_link (&lane->in_flight, link);
  *waiting = (Waiting) { request->frame, request->serial, request->time, request->tries };
  insert_waiting (pacer, waiting);
  pacer->counts.sent--;
  lane->sent--;
}

/* From here on the window watches: it is told what is in flight, and keeps what it learnt before.
 */
static void
start_window (Lane *lane)
{
  fal_window_reset (lane->window);
  for (GList *l = lane->in_flight.head; l != NULL; l = l->next) {
    const FalInFlight *request = l->data;

    fal_window_sent (lane->window, request->sent_time);
  }
}

void
fal_pacer_configure (FalPacer *pacer, const FalPacerConfig *config)
{
  gboolean was_adaptive = pacer->config.adaptive;

  pacer->config = *config;
  for (guint i = 0; config->adaptive && !was_adaptive && i < pacer->n_lanes; i++)
    start_window (&pacer->lanes[i]);
}

void
fal_pacer_set_online (FalPacer *pacer, guint number, gboolean online)
{
  Lane *lane = &pacer->lanes[number];

  if (online && !lane->online)
    lane->opened = lane->asked = lane->replies = FALSE;
  lane->online = online;
}

static gboolean
is_online (const FalPacer *pacer)
{
  for (guint i = 0; i < pacer->n_lanes; i++)
    if (pacer->lanes[i].online)
      return TRUE;
  return FALSE;
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

/* Whether replies are told apart by their order alone. */
static gboolean
is_in_order (const FalPacer *pacer)
{
  return !pacer->config.trusted && !fal_pacer_tells_apart (pacer);
}

/* How many requests may be unanswered at the most. Of an adaptive pacer the window has the last
 * word where replies come in order. */
static guint
most_in_flight (const FalPacer *pacer)
{
  const FalPacerConfig *config = &pacer->config;

  if (is_in_order (pacer) && !config->adaptive)
    return 1;
  return MAX (config->max_in_flight, 1);
}

/* Whether the connection has seen the one request that it is for. */
static gboolean
is_used_up (const FalPacer *pacer, const Lane *lane)
{
  return pacer->config.streaming && lane->asked && !fal_pacer_tells_apart (pacer);
}

static gboolean
is_opening (const FalPacer *pacer, const Lane *lane)
{
  return pacer->config.opens && !lane->opened;
}

/* When the throttle lets the lane take the next one. */
static gint64
get_throttle_end (const FalPacer *pacer, const Lane *lane)
{
  return lane->last_sent == G_MININT64 ? G_MININT64
                                       : lane->last_sent + pacer->config.throttle_interval;
}

/* Whether the throttle alone keeps frames from being sent. */
static gboolean
is_throttled (const FalPacer *pacer, gint64 now)
{
  for (guint i = 0; i < pacer->n_lanes; i++) {
    const Lane *lane = &pacer->lanes[i];

    if (lane->online && now >= get_throttle_end (pacer, lane))
      return FALSE;
  }
  return TRUE;
}

/* What keeps a frame from being sent at once: the reason it is dropped for. */
static guint64 *
reason_of_waiting (FalPacer *pacer, gint64 now)
{
  if (!is_online (pacer))
    return &pacer->counts.dropped_offline;
  if (is_throttled (pacer, now))
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
  *waiting = (Waiting) { frame, serial, time, { { 0 } } };
  g_queue_push_tail (&pacer->waiting, waiting);
  fal_frame_interval_note_frame (&pacer->frames, now);
  pacer->counts.in++;
  pacer->draining = FALSE;
  return dropped;
}

void
fal_pacer_skip (FalPacer *pacer)
{
  pacer->counts.in++;
  pacer->counts.dropped_absent++;
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

/* Whether connections may be dying of it: then it goes alone, so that the next death tells. */
static gboolean
is_suspect (const FalTries *tries)
{
  return tries->deaths + 1 >= FAL_PACER_MAX_TRIES;
}

/* Whether the window has a place for the frame that goes next. */
static gboolean
has_place (const FalPacer *pacer, const Lane *lane)
{
  const FalInFlight *oldest = g_queue_peek_head ((GQueue *) &lane->in_flight);
  const Waiting *next = g_queue_peek_head ((GQueue *) &pacer->waiting);

  if (is_suspect (&next->tries) || (oldest != NULL && is_suspect (&oldest->tries)))
    return oldest == NULL;
  return lane->in_flight.length < most_in_flight (pacer);
}

static gboolean
has_candidate (const FalPacer *pacer)
{
  const Waiting *newest = g_queue_peek_tail ((GQueue *) &pacer->waiting);

  return newest != NULL && !is_too_late (pacer, newest);
}

static gint64
window_time (const FalPacer *pacer, const Lane *lane, gint64 now)
{
  if (is_in_order (pacer))
    return fal_window_next_time_in_order (lane->window, now);
  return fal_window_next_time (lane->window, most_in_flight (pacer), now);
}

/* When the lane can take the frame that goes next. */
static gint64
lane_time (const FalPacer *pacer, const Lane *lane, gint64 now)
{
  gboolean trailing = pacer->draining && pacer->waiting.length <= 1;
  gint64 next = now;

  if (!lane->online || is_used_up (pacer, lane) || !has_place (pacer, lane))
    return G_MAXINT64;
  if (pacer->urged && !(pacer->config.adaptive && is_in_order (pacer)))
    return now;
  if (!trailing && !pacer->urged)
    next = MAX (now, get_throttle_end (pacer, lane));
  return pacer->config.adaptive ? MAX (next, window_time (pacer, lane, now)) : next;
}

/* From one of the lane's requests to the next where it is busy. Those of a file need not be
 * spaced. */
static gint64
lane_period (const FalPacer *pacer, const Lane *lane)
{
  gint64 service = fal_window_get_service (lane->window);

  if (!pacer->config.adaptive || !lane->online || service == 0)
    return 0;
  return MAX (service, pacer->config.throttle_interval);
}

/* As fal_lane_choice_make(), and *@period as that of all lanes together. */
static gint64
choose_lane (const FalPacer *pacer, gint64 now, guint *chosen, gint64 *period)
{
  gboolean hurries = pacer->urged || pacer->draining;

  for (guint i = 0; i < pacer->n_lanes; i++) {
    const Lane *lane = &pacer->lanes[i];

    pacer->offers[i] = (FalLaneOffer) {
      .time = lane_time (pacer, lane, now),
      .sent = lane->last_sent,
      .period = lane_period (pacer, lane),
      .trip = pacer->config.adaptive ? fal_window_get_trip (lane->window) : 0,
      .in_flight = lane->in_flight.length,
    };
  }
  *period = fal_lane_choice_get_period (pacer->offers, pacer->n_lanes);
  return fal_lane_choice_make (
      pacer->offers, pacer->n_lanes, hurries ? G_MININT64 : pacer->last_sent, chosen);
}

/* The same; a lane that is alone is not chosen. */
static gint64
find_lane (const FalPacer *pacer, gint64 now, guint *chosen, gint64 *period)
{
  const Lane *first = &pacer->lanes[0];

  *chosen = 0;
  if (pacer->n_lanes > 1)
    return choose_lane (pacer, now, chosen, period);
  *period = fal_window_get_service (first->window);
  return lane_time (pacer, first, now);
}

/* When the next frame goes, and over which lane. */
static gint64
find_next (const FalPacer *pacer, gint64 now, guint *chosen)
{
  gint64 period, next;

  if (!has_candidate (pacer))
    return G_MAXINT64;
  next = find_lane (pacer, now, chosen, &period);
  if (!pacer->config.adaptive || !pacer->config.leaky || pacer->draining || pacer->urged)
    return next;
  return fal_frame_interval_await (&pacer->frames, period, next);
}

gint64
fal_pacer_next_time (const FalPacer *pacer, gint64 now)
{
  guint lane;

  return find_next (pacer, now, &lane);
}

/* Newer ones take the place of those that would come too late; the newest, which goes, does not. */
static Waiting *
pop_in_time (FalPacer *pacer)
{
  while (is_too_late (pacer, pacer->waiting.head->data))
    drop_waiting (pacer, &pacer->counts.dropped_replaced);
  return g_queue_pop_head (&pacer->waiting);
}

/* The request that @waiting (taken) becomes, behind the others. */
static FalInFlight *
make_request (FalPacer *pacer, Lane *lane, Waiting *waiting)
{
  FalInFlight *request = g_new0 (FalInFlight, 1);

  if (lane->in_flight.length == 0) /* what they were about is over */
    lane->unclaimed = 0;
  request->frame = waiting->frame;
  request->serial = waiting->serial;
  request->time = waiting->time;
  request->tries = waiting->tries;
  request->overtaken = G_MAXINT64;
  request->kept = !pacer->config.leaky;
  g_free (waiting);
  g_queue_push_tail (&lane->in_flight, request);
  pacer->counts.sent++;
  lane->sent++;
  return request;
}

/* Whether the next request goes because all that is out is taken for lost. */
static gboolean
takes_for_lost (const FalPacer *pacer, const Lane *lane, gint64 now)
{
  return pacer->config.adaptive && is_in_order (pacer) &&
         fal_window_get_loss_time (lane->window) <= now;
}

static void
lose_older (FalPacer *pacer, Lane *lane, const FalInFlight *request)
{
  while (lane->in_flight.head->data != request)
    end_request (pacer, lane, lane->in_flight.head, &pacer->counts.lost);
}

static gpointer
send_request (FalPacer *pacer, Lane *lane, FalInFlight *request, gint64 now)
{
  gboolean lost = takes_for_lost (pacer, lane, now);

  request->sent_time = now;
  if (request->serial > pacer->last_serial) {
    pacer->last_serial = request->serial;
    pacer->last_answered = FALSE;
  }
  lane->asked = TRUE;
  pacer->urged = pacer->urged && pacer->waiting.length > 0;
  if (pacer->config.adaptive)
    fal_window_sent (lane->window, now);
  if (lost)
    lose_older (pacer, lane, request);
  return request->frame;
}

gpointer
fal_pacer_take (FalPacer *pacer, gint64 now, guint64 *request_id, guint *number)
{
  FalInFlight *request;
  gboolean opening;
  Lane *lane;

  if (find_next (pacer, now, number) > now)
    return NULL;
  lane = &pacer->lanes[*number];
  opening = is_opening (pacer, lane);
  pacer->last_sent = lane->last_sent = now;
  lane->opened = TRUE;
  *request_id = 0;
  if (opening)
    return ((const Waiting *) g_queue_peek_head (&pacer->waiting))->frame;
  request = make_request (pacer, lane, pop_in_time (pacer));
  pacer->counts.repeated += fal_tries_were_made (&request->tries);
  request->id = ++pacer->last_id;
  fal_tries_note (&request->tries, request->id, now);
  *request_id = request->id;
  return send_request (pacer, lane, request, now);
}

/* ---- replies ---- */

/* Whether @text is an id that was sent on this connection, and which. */
static gboolean
parse_id (const FalPacer *pacer, const Lane *lane, const gchar *text, guint64 *id)
{
  return text != NULL && pacer->config.identified && fal_request_id_parse (text, id) &&
         *id >= lane->first_id && *id <= pacer->last_id;
}

gboolean
fal_pacer_has_sent (const FalPacer *pacer, guint lane, const gchar *request_id)
{
  guint64 id;

  return parse_id (pacer, &pacer->lanes[lane], request_id, &id);
}

static GList *
find_waiting (const FalPacer *pacer, guint64 id)
{
  for (GList *l = pacer->waiting.head; l != NULL; l = l->next)
    if (fal_tries_find (&((const Waiting *) l->data)->tries, id) != G_MININT64)
      return l;
  return NULL;
}

/* The request that went with @id, where its frame waits to go again: it counts as sent after all,
 * over @lane, since something came of it. */
static GList *
resume_request (FalPacer *pacer, Lane *lane, guint64 id)
{
  GList *link = find_waiting (pacer, id);
  Waiting *waiting = link ? link->data : NULL;
  FalInFlight *request;

  if (link == NULL)
    return NULL;
  g_queue_delete_link (&pacer->waiting, link);
  request = make_request (pacer, lane, waiting);
  request->id = id;
  request->sent_time = fal_tries_find (&request->tries, id);
  return lane->in_flight.tail;
}

/* The request in flight that went with @id, and over which lane it went last; or NULL. */
static GList *
find_in_flight (const FalPacer *pacer, guint64 id, Lane **lane)
{
  for (guint i = 0; i < pacer->n_lanes; i++) {
    GList *link = fal_in_flight_find (&pacer->lanes[i].in_flight, id);

    *lane = &pacer->lanes[i];
    if (link != NULL)
      return link;
  }
  return NULL;
}

/* The request that went with @id and is not over, or NULL. Where its frame waits to go again it
 * counts as sent over *@lane. */
static GList *
find_open (FalPacer *pacer, guint64 id, Lane **lane)
{
  Lane *found;
  GList *link = find_in_flight (pacer, id, &found);

  if (link == NULL)
    return resume_request (pacer, *lane, id);
  *lane = found;
  return link;
}

/* A later one was answered. */
static void
overtake (FalPacer *pacer, Lane *lane, GList *link, gint64 trip, gint64 now)
{
  FalInFlight *request = link->data;

  if (lane->unclaimed > 0) {
    lane->unclaimed--;
    end_request (pacer, lane, link, &pacer->counts.failed);
  } else if (!request->kept || request->frame == NULL) {
    end_request (pacer, lane, link, &pacer->counts.lost);
  } else if (request->overtaken == G_MAXINT64) {
    request->overtaken = now + MAX (2 * trip, OVERTAKEN_AT_LEAST);
  }
}

/* The request that went over @lane with @id at @sent is answered: those that went over it before
 * were overtaken. */
static void
overtake_older (FalPacer *pacer, Lane *lane, guint64 id, gint64 sent, gint64 now)
{
  for (GList *l = lane->in_flight.head, *next; l != NULL; l = next) {
    next = l->next;
    if (((const FalInFlight *) l->data)->id < id)
      overtake (pacer, lane, l, now - sent, now);
  }
}

/* As many replies failed a request as there are. */
static gboolean
settle_unclaimed (FalPacer *pacer, Lane *lane)
{
  gboolean fails = lane->in_flight.length > 0 && lane->unclaimed >= lane->in_flight.length;

  while (fails && lane->in_flight.length > 0)
    end_request (pacer, lane, lane->in_flight.head, &pacer->counts.failed);
  return fails;
}

static gint64
get_oldest_sent (const Lane *lane)
{
  const FalInFlight *oldest = g_queue_peek_head ((GQueue *) &lane->in_flight);

  return oldest != NULL ? oldest->sent_time : G_MAXINT64;
}

/* The request that a reply without an id of ours, which came over @lane at @now, answers; or NULL.
 */
static GList *
find_by_order (
    FalPacer *pacer, Lane *lane, const gchar *text, gboolean settled, gint64 now, FalMatch *match)
{
  gboolean foreign = text != NULL && pacer->config.identified;
  gboolean asked = lane->in_flight.length > 0;

  *match = FAL_MATCH_LATE;
  if (foreign && (pacer->echoes || !(asked || pacer->has_own_ids)))
    *match = FAL_MATCH_FOREIGN;
  else if (foreign && !pacer->has_own_ids && !settled)
    *match = FAL_MATCH_DOUBTFUL;
  if (*match != FAL_MATCH_LATE || (pacer->echoes && lane->in_flight.length > 1))
    return NULL;
  pacer->has_own_ids |= foreign;
  /* One that was kept answers nothing that went since it came. */
  if (settled && asked && get_oldest_sent (lane) > now) {
    *match = FAL_MATCH_FOREIGN;
    return NULL;
  }
  return lane->in_flight.head;
}

/* The request in @lane is answered, as it went with @id. */
static void
take_answered (
    FalPacer *pacer, Lane *lane, GList *link, guint64 id, gint64 now, FalPacerAnswer *answer)
{
  g_autofree FalInFlight *request = link->data;
  gint64 sent = fal_tries_find (&request->tries, id);

  overtake_older (pacer, lane, id, sent, now);
  g_queue_delete_link (&lane->in_flight, link);
  if (pacer->config.adaptive)
    fal_window_answered (lane->window, request->sent_time, now);
  answer->match = FAL_MATCH_ANSWERS;
  answer->frame = request->frame;
  answer->serial = request->serial;
  answer->sent = sent;
  pacer->last_answered |= request->serial == pacer->last_serial;
  pacer->counts.answered++;
  lane->answered++;
  settle_unclaimed (pacer, lane);
}

void
fal_pacer_answer (FalPacer *pacer, guint number, const gchar *request_id, gboolean settled,
    gint64 now, FalPacerAnswer *answer)
{
  Lane *lane = &pacer->lanes[number];
  guint64 id = 0;
  GList *link;

  *answer = (FalPacerAnswer) { .match = FAL_MATCH_LATE };
  answer->echoed = parse_id (pacer, lane, request_id, &id);
  pacer->echoes |= answer->echoed;
  link = answer->echoed ? find_open (pacer, id, &lane)
                        : find_by_order (pacer, lane, request_id, settled, now, &answer->match);
  if (link == NULL) {
    if (answer->match == FAL_MATCH_LATE && lane->in_flight.length == 0)
      fal_window_note_surplus (lane->window, now);
    return;
  }
  lane->replies = TRUE;
  if (!answer->echoed)
    id = ((const FalInFlight *) link->data)->id;
  take_answered (pacer, lane, link, id, now, answer);
}

/* The request that went with @id has failed, as @lane says. FALSE: it is over already. */
static gboolean
fail_open (FalPacer *pacer, Lane *lane, guint64 id, gint64 now)
{
  GList *link = find_open (pacer, id, &lane);

  pacer->echoes = TRUE;
  if (link == NULL)
    return FALSE;
  overtake_older (pacer, lane, id, fal_tries_find (&((FalInFlight *) link->data)->tries, id), now);
  end_request (pacer, lane, link, &pacer->counts.failed);
  settle_unclaimed (pacer, lane);
  return TRUE;
}

gboolean
fal_pacer_fail_answered (FalPacer *pacer, guint number, const gchar *request_id, gint64 now)
{
  Lane *lane = &pacer->lanes[number];
  guint64 id;

  if (parse_id (pacer, lane, request_id, &id))
    return fail_open (pacer, lane, id, now);
  if (!pacer->echoes)
    return fal_pacer_fail_oldest (pacer, number);
  if (request_id != NULL)
    return FALSE;
  lane->unclaimed++;
  return settle_unclaimed (pacer, lane);
}

gboolean
fal_pacer_fail_oldest (FalPacer *pacer, guint number)
{
  Lane *lane = &pacer->lanes[number];

  if (lane->in_flight.length == 0)
    return FALSE;
  end_request (pacer, lane, lane->in_flight.head, &pacer->counts.failed);
  return TRUE;
}

/* A request that did not go after all is over. */
static void
end_unsent (FalPacer *pacer, Lane *lane, GList *link, guint64 *outcome)
{
  if (pacer->config.adaptive)
    fal_window_took_back (lane->window, ((const FalInFlight *) link->data)->sent_time);
  end_request (pacer, lane, link, outcome);
}

gboolean
fal_pacer_fail (FalPacer *pacer, guint64 request_id)
{
  Lane *lane = &pacer->lanes[0];
  GList *link = find_open (pacer, request_id, &lane);

  if (link == NULL)
    return FALSE;
  end_unsent (pacer, lane, link, &pacer->counts.failed);
  return TRUE;
}

/* The next frame need not wait for one that did not go. */
static void
forget_sent (FalPacer *pacer, Lane *lane, gint64 sent)
{
  if (lane->last_sent == sent)
    lane->last_sent = G_MININT64;
  if (pacer->last_sent == sent)
    pacer->last_sent = G_MININT64;
}

gboolean
fal_pacer_drop_invalid (FalPacer *pacer, guint64 request_id)
{
  Lane *lane = &pacer->lanes[0];
  GList *link = find_open (pacer, request_id, &lane);
  gint64 sent;

  if (link == NULL)
    return FALSE;
  sent = ((const FalInFlight *) link->data)->sent_time;
  end_unsent (pacer, lane, link, &pacer->counts.dropped_invalid);
  pacer->counts.sent--;
  lane->sent--;
  forget_sent (pacer, lane, sent);
  return TRUE;
}

gpointer
fal_pacer_drop_unchanged (FalPacer *pacer)
{
  return take_waiting (pacer, &pacer->counts.dropped_unchanged);
}

static gboolean
waits (const FalPacer *pacer, guint64 serial)
{
  for (const GList *l = pacer->waiting.head; l != NULL; l = l->next)
    if (((const Waiting *) l->data)->serial == serial)
      return TRUE;
  return FALSE;
}

static gboolean
is_out (const Lane *lane, guint64 serial)
{
  for (const GList *l = lane->in_flight.head; l != NULL; l = l->next)
    if (((const FalInFlight *) l->data)->serial == serial)
      return TRUE;
  return FALSE;
}

/* Whether an answer to it may come, over whichever lane. */
static gboolean
is_awaited (const FalPacer *pacer, guint64 serial)
{
  for (guint i = 0; i < pacer->n_lanes; i++)
    if (is_out (&pacer->lanes[i], serial))
      return TRUE;
  return waits (pacer, serial);
}

guint64
fal_pacer_get_last (const FalPacer *pacer)
{
  return pacer->last_serial;
}

FalOutcome
fal_pacer_get_outcome (const FalPacer *pacer)
{
  guint64 serial = pacer->last_serial;

  if (serial == 0)
    return FAL_OUTCOME_NONE;
  if (is_awaited (pacer, serial))
    return FAL_OUTCOME_AWAITED;
  return pacer->last_answered ? FAL_OUTCOME_ANSWERED : FAL_OUTCOME_NONE;
}

void
fal_pacer_fail_opening (FalPacer *pacer, guint number, gboolean invalid)
{
  Lane *lane = &pacer->lanes[number];
  FalInFlight *request;

  lane->opened = FALSE;
  if (pacer->waiting.length == 0)
    return;
  request = make_request (pacer, lane, g_queue_pop_head (&pacer->waiting));
  request->id = ++pacer->last_id;
  request->sent_time = lane->last_sent;
  fal_tries_note (&request->tries, request->id, request->sent_time);
  if (invalid)
    fal_pacer_drop_invalid (pacer, request->id);
  else
    fal_pacer_fail (pacer, request->id);
}

/* ---- requests without an answer ---- */

gint64
fal_pacer_get_oldest_sent (const FalPacer *pacer, guint lane)
{
  return get_oldest_sent (&pacer->lanes[lane]);
}

/* The request with which the oldest can be answered: of a block the last. NULL: it did not go. */
static const FalInFlight *
last_of_oldest (const FalPacer *pacer, const Lane *lane)
{
  const FalPacerConfig *config = &pacer->config;
  guint n = lane->replies || config->first_block == 0 ? config->block_size : config->first_block;

  return g_queue_peek_nth ((GQueue *) &lane->in_flight, MAX (n, 1) - 1);
}

/* Whether what is in flight is a block that is not whole, and stays so. */
static gboolean
is_cut_off (const FalPacer *pacer, const Lane *lane)
{
  return pacer->draining && pacer->waiting.length == 0 && last_of_oldest (pacer, lane) == NULL;
}

/* With which request of a block @request is answered; NULL: that did not go, or older ones come
 * first. */
static const FalInFlight *
find_last (const FalPacer *pacer, const Lane *lane, const FalInFlight *request)
{
  if (lane->in_flight.head->data != request)
    return NULL;
  return is_cut_off (pacer, lane) ? lane->in_flight.tail->data : last_of_oldest (pacer, lane);
}

/* Until when the request is awaited. Only the oldest is: the next one was sent later, and is the
 * oldest when this one is over. */
static gint64
get_timeout (const FalPacer *pacer, const Lane *lane, const FalInFlight *request)
{
  gint64 timeout = pacer->config.request_timeout;

  request = find_last (pacer, lane, request);
  return timeout > 0 && request != NULL ? request->sent_time + timeout : G_MAXINT64;
}

static gint64
get_expiry (const FalPacer *pacer, const Lane *lane)
{
  gint64 next = G_MAXINT64;

  for (const GList *l = lane->in_flight.head; l != NULL; l = l->next) {
    const FalInFlight *request = l->data;

    next = MIN (next, MIN (request->overtaken, get_timeout (pacer, lane, request)));
  }
  return next;
}

gint64
fal_pacer_next_expiry (const FalPacer *pacer)
{
  gint64 next = G_MAXINT64;

  for (guint i = 0; i < pacer->n_lanes; i++)
    next = MIN (next, get_expiry (pacer, &pacer->lanes[i]));
  return next;
}

/* No answer came in time: what must be kept goes again, as often as that makes sense. */
static void
end_unanswered (FalPacer *pacer, Lane *lane, GList *link, gboolean patient, guint64 *outcome)
{
  FalInFlight *request = link->data;
  gboolean repeats = request->kept && request->frame != NULL && !is_cut_off (pacer, lane);

  if (repeats && !patient)
    request->tries.unanswered++;
  if (repeats && request->tries.unanswered < FAL_PACER_MAX_TRIES) {
    return_request (pacer, lane, link);
    return;
  }
  pacer->given_up.unanswered += repeats;
  end_request (pacer, lane, link, outcome);
}

guint
fal_pacer_expire (FalPacer *pacer, guint number, gboolean patient, gint64 now)
{
  Lane *lane = &pacer->lanes[number];
  guint n = 0;

  for (GList *l = lane->in_flight.head, *next; l != NULL; l = next) {
    const FalInFlight *request = l->data;

    next = l->next;
    if (get_timeout (pacer, lane, request) <= now) {
      end_unanswered (pacer, lane, l, patient, &pacer->counts.expired);
      n++;
    } else if (request->overtaken <= now) {
      end_unanswered (pacer, lane, l, FALSE, &pacer->counts.lost);
    }
  }
  return n;
}

gboolean
fal_pacer_has_given_up (const FalPacer *pacer)
{
  return pacer->given_up.unanswered > 0 || pacer->given_up.deadly > 0;
}

gboolean
fal_pacer_take_given_up (FalPacer *pacer, FalPacerGivenUp *given_up)
{
  gboolean any = fal_pacer_has_given_up (pacer);

  *given_up = pacer->given_up;
  pacer->given_up = (FalPacerGivenUp) { 0 };
  return any;
}

gboolean
fal_pacer_has_repeat (const FalPacer *pacer)
{
  const Waiting *next = g_queue_peek_head ((GQueue *) &pacer->waiting);

  return next != NULL && fal_tries_were_made (&next->tries);
}

void
fal_pacer_urge (FalPacer *pacer)
{
  pacer->urged = TRUE;
}

void
fal_pacer_reset_counts (FalPacer *pacer)
{
  guint in_flight = fal_pacer_get_in_flight (pacer);

  pacer->counts = (FalPacerCounts) {
    .in = pacer->waiting.length + in_flight,
    .sent = in_flight,
  };
  for (guint i = 0; i < pacer->n_lanes; i++) {
    Lane *lane = &pacer->lanes[i];

    lane->sent = lane->in_flight.length;
    lane->answered = 0;
  }
}

/* The connection of @lane died while the frame was out. Where several die at once it may have been
 * out on one after the other, before they are known to be dead: so a death counts only of a
 * connection that was made after the last that did. */
static void
count_death (const FalPacer *pacer, const Lane *lane, FalTries *tries)
{
  if (lane->deaths < tries->last_death)
    return;
  tries->deaths++;
  tries->last_death = pacer->deaths;
}

/* The connection of a request went. @again: its frame may go again. */
static void
lose_request (FalPacer *pacer, Lane *lane, GList *link, gboolean again, gboolean died)
{
  FalInFlight *request = link->data;

  if (died)
    count_death (pacer, lane, &request->tries);
  if (again && request->tries.deaths < FAL_PACER_MAX_TRIES) {
    return_request (pacer, lane, link);
    return;
  }
  pacer->given_up.deadly += again;
  end_request (pacer, lane, link, &pacer->counts.lost);
}

/* A connection died: what was not out is not to blame. Where there are several, it was perhaps out
 * on another one. */
static void
acquit_waiting (FalPacer *pacer)
{
  for (GList *l = pacer->waiting.head; pacer->n_lanes == 1 && l != NULL; l = l->next)
    ((Waiting *) l->data)->tries.deaths = 0;
}

void
fal_pacer_lose (FalPacer *pacer, guint number, gboolean died, guint64 newest)
{
  Lane *lane = &pacer->lanes[number];
  /* By itself one of a block would bring nothing. */
  gboolean may_trail = pacer->waiting.length == 0 && newest != 0 && pacer->config.block_size == 0;

  fal_window_reset (lane->window);
  pacer->deaths += died;
  if (died)
    acquit_waiting (pacer);
  for (GList *l = lane->in_flight.head, *next; l != NULL; l = next) {
    const FalInFlight *request = l->data;
    gboolean trails = may_trail && request->serial == newest;

    next = l->next;
    lose_request (pacer, lane, l, request->frame != NULL && (request->kept || trails), died);
  }
  lane->first_id = pacer->last_id + 1;
  lane->deaths = pacer->deaths;
}

/* The replies to what is in flight find no frame. */
static void
forget_frames (FalPacer *pacer, Lane *lane)
{
  for (GList *l = lane->in_flight.head; l != NULL; l = l->next) {
    FalInFlight *request = l->data;

    free_frame (pacer, request->frame);
    request->frame = NULL;
  }
  lane->last_sent = G_MININT64;
}

void
fal_pacer_flush (FalPacer *pacer)
{
  while (pacer->waiting.length > 0)
    free_frame (pacer, take_waiting (pacer, &pacer->counts.dropped_flushed));
  for (guint i = 0; i < pacer->n_lanes; i++)
    forget_frames (pacer, &pacer->lanes[i]);
  pacer->last_sent = G_MININT64;
  pacer->earliest = 0;
  pacer->last_serial = 0;
  pacer->draining = pacer->urged = FALSE;
}

static void
abandon_lane (FalPacer *pacer, Lane *lane, gboolean timed_out)
{
  GQueue *in_flight = &lane->in_flight;

  while (timed_out && in_flight->length > 0)
    end_request (pacer, lane, in_flight->head, &pacer->counts.expired);
  while (in_flight->length > 0)
    free_frame (pacer, take_request (pacer, lane, in_flight->head, &pacer->counts.lost));
}

void
fal_pacer_abandon (FalPacer *pacer, gboolean timed_out)
{
  FalPacerCounts *counts = &pacer->counts;
  gboolean online = is_online (pacer);

  while (timed_out && !online && pacer->waiting.length > 0)
    drop_waiting (pacer, &counts->dropped_offline);
  while (pacer->waiting.length > 0)
    free_frame (
        pacer, take_waiting (pacer, online ? &counts->dropped_flushed : &counts->dropped_offline));
  for (guint i = 0; i < pacer->n_lanes; i++)
    abandon_lane (pacer, &pacer->lanes[i], timed_out);
}

void
fal_pacer_free (FalPacer *pacer)
{
  gpointer frame;

  fal_pacer_abandon (pacer, FALSE);
  while ((frame = fal_pacer_pop_dropped (pacer)))
    pacer->frame_free (frame);
  for (guint i = 0; i < pacer->n_lanes; i++)
    fal_window_free (pacer->lanes[i].window);
  g_free (pacer->lanes);
  g_free (pacer->offers);
  g_free (pacer);
}

gboolean
fal_pacer_keeps (const FalPacer *pacer, guint64 request_id)
{
  Lane *lane;
  const GList *link = find_in_flight (pacer, request_id, &lane);

  if (request_id == 0)
    return TRUE;
  if (link != NULL)
    return ((const FalInFlight *) link->data)->kept;
  return find_waiting (pacer, request_id) != NULL;
}

static gboolean
keeps_in_lane (const Lane *lane, gconstpointer frame)
{
  for (const GList *l = lane->in_flight.head; l != NULL; l = l->next) {
    const FalInFlight *request = l->data;

    if (request->frame == frame)
      return request->kept;
  }
  return FALSE;
}

gboolean
fal_pacer_keeps_frame (const FalPacer *pacer, gconstpointer frame)
{
  for (const GList *l = pacer->waiting.head; l != NULL; l = l->next)
    if (((const Waiting *) l->data)->frame == frame)
      return TRUE;
  for (guint i = 0; i < pacer->n_lanes; i++)
    if (keeps_in_lane (&pacer->lanes[i], frame))
      return TRUE;
  return FALSE;
}

gboolean
fal_pacer_awaits_end (const FalPacer *pacer, guint number)
{
  const Lane *lane = &pacer->lanes[number];

  return lane->online && is_used_up (pacer, lane) && lane->in_flight.length == 0 &&
         pacer->waiting.length > 0;
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

gboolean
fal_pacer_awaits_answer (const FalPacer *pacer)
{
  for (guint i = 0; i < pacer->n_lanes; i++)
    if (last_of_oldest (pacer, &pacer->lanes[i]) != NULL)
      return TRUE;
  return FALSE;
}

gboolean
fal_pacer_is_busy (const FalPacer *pacer)
{
  gboolean out = fal_pacer_get_in_flight (pacer) > 0;

  return pacer->waiting.length > 0 || (pacer->config.leaky ? fal_pacer_awaits_answer (pacer) : out);
}

guint
fal_pacer_get_waiting (const FalPacer *pacer)
{
  return pacer->waiting.length;
}

guint
fal_pacer_get_in_flight (const FalPacer *pacer)
{
  guint n = 0;

  for (guint i = 0; i < pacer->n_lanes; i++)
    n += pacer->lanes[i].in_flight.length;
  return n;
}

void
fal_pacer_get_lane (const FalPacer *pacer, guint number, FalPacerLane *view)
{
  const Lane *lane = &pacer->lanes[number];

  *view = (FalPacerLane) { lane->sent, lane->answered, lane->in_flight.length };
}

/* Where the lane has a frame in flight after number @after that is older than *@serial, *@frame is
 * that. What went again is in flight behind newer ones. */
static void
find_older (const Lane *lane, guint64 after, gpointer *frame, guint64 *serial)
{
  for (const GList *l = lane->in_flight.head; l != NULL; l = l->next) {
    const FalInFlight *request = l->data;

    if (request->frame == NULL || request->serial > *serial || request->serial <= after)
      continue;
    *serial = request->serial;
    *frame = request->frame;
  }
}

/* The oldest frame after number @after that may still bring a result; NULL: none. */
static gpointer
find_oldest (const FalPacer *pacer, guint64 after, guint64 *serial)
{
  gpointer frame = NULL;

  *serial = G_MAXUINT64;
  for (const GList *l = pacer->waiting.head; l != NULL && frame == NULL; l = l->next) {
    const Waiting *waiting = l->data;

    if (waiting->serial <= after)
      continue;
    *serial = waiting->serial;
    frame = waiting->frame;
  }
  for (guint i = 0; i < pacer->n_lanes; i++)
    find_older (&pacer->lanes[i], after, &frame, serial);
  return frame;
}

guint64
fal_pacer_get_oldest_after (const FalPacer *pacer, guint64 after)
{
  guint64 serial;

  find_oldest (pacer, after, &serial);
  return serial;
}

gboolean
fal_pacer_may_answer (const FalPacer *pacer, guint64 serial)
{
  /* No frame is number 0: that before it is the last there can be, and none comes after. */
  return fal_pacer_get_oldest_after (pacer, serial - 1) == serial;
}

gpointer
fal_pacer_peek_oldest (const FalPacer *pacer)
{
  guint64 serial;

  return find_oldest (pacer, 0, &serial);
}

gpointer
fal_pacer_peek_next (const FalPacer *pacer)
{
  const Waiting *next = g_queue_peek_head ((GQueue *) &pacer->waiting);

  return next ? next->frame : NULL;
}

guint64
fal_pacer_get_next (const FalPacer *pacer)
{
  const Waiting *next = g_queue_peek_head ((GQueue *) &pacer->waiting);

  return next ? next->serial : 0;
}

static void
foreach_in_lane (const Lane *lane, GFunc function, gpointer user)
{
  for (const GList *l = lane->in_flight.head; l != NULL; l = l->next) {
    const FalInFlight *request = l->data;

    if (request->frame != NULL)
      function (request->frame, user);
  }
}

void
fal_pacer_foreach_sent (const FalPacer *pacer, GFunc function, gpointer user)
{
  for (guint i = 0; i < pacer->n_lanes; i++)
    foreach_in_lane (&pacer->lanes[i], function, user);
}

void
fal_pacer_foreach (const FalPacer *pacer, GFunc function, gpointer user)
{
  for (const GList *l = pacer->waiting.head; l != NULL; l = l->next)
    function (((const Waiting *) l->data)->frame, user);
  fal_pacer_foreach_sent (pacer, function, user);
}

const FalPacerCounts *
fal_pacer_get_counts (const FalPacer *pacer)
{
  return &pacer->counts;
}
