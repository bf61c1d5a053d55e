/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pacer: two queues, of frames that wait and of requests in flight, and the
 * rules by which a frame moves from one to the other and out. Called with the
 * session's mutex held, by whichever thread has something to say. */
#include "pacer.h"
#include "window.h"
#include <string.h>

/* Sets our ids apart from those that a server may give its results by itself. */
#define ID_PREFIX "frame-"

typedef struct {
  gpointer frame;
  guint64 serial;
} Waiting;

typedef struct {
  gpointer frame; /* NULL: flushed away, the reply is still awaited */
  guint64 serial;
  guint64 request_id;
  gint64 sent_time;
  gboolean kept;   /* goes again where its connection is lost: decided when it is first taken */
  gboolean unsent; /* its connection went: goes again before any other */
} Request;

struct _FalPacer {
  FalPacerConfig config;
  FalPacerCounts counts;
  GDestroyNotify frame_free;
  GQueue waiting;    /* Waiting, oldest first */
  GQueue in_flight;  /* Request, oldest first */
  FalWindow *window; /* watches all the time, decides where it is adaptive */
  gint64 last_sent;  /* G_MININT64: nothing yet, or flushed */
  guint64 last_id;
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
  pacer->config.max_waiting = 1;
  pacer->config.max_in_flight = 1;
  g_queue_init (&pacer->waiting);
  g_queue_init (&pacer->in_flight);
  return pacer;
}

static void
free_frame (FalPacer *pacer, gpointer frame)
{
  if (frame != NULL)
    pacer->frame_free (frame);
}

/* Drops the oldest waiting frame and counts it under @reason. */
static void
drop_waiting (FalPacer *pacer, guint64 *reason)
{
  Waiting *oldest = g_queue_pop_head (&pacer->waiting);

  free_frame (pacer, oldest->frame);
  g_free (oldest);
  (*reason)++;
}

/* Ends the oldest request, which was not answered, and counts it under @outcome. */
static void
end_oldest (FalPacer *pacer, guint64 *outcome)
{
  Request *oldest = g_queue_pop_head (&pacer->in_flight);

  fal_window_gave_up (pacer->window, oldest->sent_time);
  free_frame (pacer, oldest->frame);
  g_free (oldest);
  (*outcome)++;
}

void
fal_pacer_configure (FalPacer *pacer, const FalPacerConfig *config)
{
  pacer->config = *config;
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
static Request *
first_unsent (const FalPacer *pacer)
{
  for (const GList *l = pacer->in_flight.head; l != NULL; l = l->next)
    if (((Request *) l->data)->unsent)
      return l->data;
  return NULL;
}

/* How many requests may be unanswered at the most: one until the first reply has shown whether the
 * app echoes ids, few where it does not. */
static guint
most_in_flight (const FalPacer *pacer)
{
  const FalPacerConfig *config = &pacer->config;
  guint most = MAX (config->max_in_flight, 1);

  if (config->identified && (pacer->echoes || config->echo_known))
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
fal_pacer_offer (FalPacer *pacer, gpointer frame, guint64 serial, gint64 now)
{
  Waiting *waiting = g_new (Waiting, 1);
  guint dropped = 0;

  while (pacer->waiting.length >= MAX (pacer->config.max_waiting, 1)) {
    drop_waiting (pacer, reason_of_waiting (pacer, now));
    dropped++;
  }
  *waiting = (Waiting){ frame, serial };
  g_queue_push_tail (&pacer->waiting, waiting);
  pacer->counts.in++;
  pacer->draining = FALSE;
  return dropped;
}

static gboolean
has_candidate (const FalPacer *pacer)
{
  if (!pacer->online)
    return FALSE;
  return first_unsent (pacer) != NULL ||
         (pacer->waiting.length > 0 && pacer->in_flight.length < most_in_flight (pacer));
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
  return MAX (next, fal_window_next_time (pacer->window, most_in_flight (pacer), now));
}

static Request *
start_request (FalPacer *pacer)
{
  Waiting *waiting = g_queue_pop_head (&pacer->waiting);
  Request *request = g_new0 (Request, 1);

  request->frame = waiting->frame;
  request->serial = waiting->serial;
  request->request_id = ++pacer->last_id;
  request->kept = !pacer->config.leaky;
  g_free (waiting);
  g_queue_push_tail (&pacer->in_flight, request);
  pacer->counts.sent++;
  return request;
}

gpointer
fal_pacer_take (FalPacer *pacer, gint64 now, guint64 *request_id)
{
  Request *request;

  if (fal_pacer_next_time (pacer, now) > now)
    return NULL;
  request = first_unsent (pacer);
  if (request == NULL)
    request = start_request (pacer);
  request->unsent = FALSE;
  request->sent_time = now;
  pacer->last_sent = now;
  pacer->urged = pacer->urged && pacer->waiting.length > 0;
  fal_window_sent (pacer->window, now);
  *request_id = request->request_id;
  return request->frame;
}

static GList *
find_request (FalPacer *pacer, guint64 request_id)
{
  for (GList *l = pacer->in_flight.head; l != NULL; l = l->next)
    if (((Request *) l->data)->request_id == request_id)
      return l;
  return NULL;
}

gchar *
fal_pacer_format_id (guint64 request_id)
{
  return g_strdup_printf (ID_PREFIX "%" G_GUINT64_FORMAT, request_id);
}

/* Whether the text is an id of ours, and which. */
static gboolean
parse_id (const gchar *text, guint64 *request_id)
{
  return g_str_has_prefix (text, ID_PREFIX) &&
         g_ascii_string_to_unsigned (
             text + strlen (ID_PREFIX), 10, 1, G_MAXUINT64, request_id, NULL);
}

gboolean
fal_pacer_is_id (const gchar *text)
{
  guint64 id;

  return parse_id (text, &id);
}

/* The request that a reply means, or NULL. From an app that was seen to echo our ids another id
 * means none, and no id the oldest only where there is no other. */
static GList *
find_answered (FalPacer *pacer, const gchar *text)
{
  guint64 id;

  if (text != NULL && pacer->config.identified && parse_id (text, &id))
    return find_request (pacer, id);
  if (pacer->echoes && (text != NULL || pacer->in_flight.length > 1))
    return NULL;
  return pacer->in_flight.head;
}

gpointer
fal_pacer_answer (FalPacer *pacer, const gchar *request_id, gint64 now, gint64 *sent_time,
    guint64 *serial, gboolean *known)
{
  GList *link = find_answered (pacer, request_id);
  Request *request;
  gpointer frame;
  guint64 id;

  *known = link != NULL && !((Request *) link->data)->unsent;
  if (!*known)
    return NULL;
  pacer->answered_once = TRUE;
  pacer->echoes |= pacer->config.identified && request_id && parse_id (request_id, &id);
  while (pacer->in_flight.head != link)
    end_oldest (pacer, &pacer->counts.lost);
  request = g_queue_pop_head (&pacer->in_flight);
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
  const Request *oldest = g_queue_peek_head (&pacer->in_flight);

  if (oldest == NULL || oldest->unsent)
    return FALSE;
  pacer->answered_once = TRUE;
  end_oldest (pacer, &pacer->counts.failed);
  return TRUE;
}

gboolean
fal_pacer_fail (FalPacer *pacer, guint64 request_id)
{
  GList *link = find_request (pacer, request_id);

  if (link == NULL)
    return FALSE;
  g_queue_unlink (&pacer->in_flight, link);
  g_queue_push_head_link (&pacer->in_flight, link);
  end_oldest (pacer, &pacer->counts.failed);
  return TRUE;
}

gint64
fal_pacer_next_expiry (const FalPacer *pacer)
{
  const Request *oldest = g_queue_peek_head ((GQueue *) &pacer->in_flight);

  if (oldest == NULL || oldest->unsent || pacer->config.request_timeout == 0)
    return G_MAXINT64;
  return oldest->sent_time + pacer->config.request_timeout;
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
    Request *request = g_queue_peek_head (&pacer->in_flight);

    if (!request->kept || request->frame == NULL) {
      end_oldest (pacer, &pacer->counts.lost);
      continue;
    }
    request->unsent = TRUE;
    g_queue_push_tail (&pacer->in_flight, g_queue_pop_head (&pacer->in_flight));
  }
}

void
fal_pacer_flush (FalPacer *pacer)
{
  while (pacer->waiting.length > 0)
    drop_waiting (pacer, &pacer->counts.dropped_flushed);
  for (GList *l = pacer->in_flight.head; l != NULL; l = l->next) {
    Request *request = l->data;

    free_frame (pacer, request->frame);
    request->frame = NULL;
  }
  pacer->last_sent = G_MININT64;
  pacer->draining = pacer->urged = FALSE;
}

void
fal_pacer_abandon (FalPacer *pacer, gboolean timed_out)
{
  FalPacerCounts *counts = &pacer->counts;

  while (pacer->waiting.length > 0)
    drop_waiting (pacer, pacer->online ? &counts->dropped_flushed : &counts->dropped_offline);
  while (pacer->in_flight.length > 0)
    end_oldest (pacer, timed_out ? &counts->expired : &counts->lost);
}

void
fal_pacer_free (FalPacer *pacer)
{
  fal_pacer_abandon (pacer, FALSE);
  fal_window_free (pacer->window);
  g_free (pacer);
}

gboolean
fal_pacer_keeps (const FalPacer *pacer, guint64 request_id)
{
  const GList *link = find_request ((FalPacer *) pacer, request_id);

  return link != NULL && ((const Request *) link->data)->kept;
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

guint64
fal_pacer_get_oldest (const FalPacer *pacer)
{
  for (const GList *l = pacer->in_flight.head; l != NULL; l = l->next)
    if (((const Request *) l->data)->frame != NULL)
      return ((const Request *) l->data)->serial;
  return pacer->waiting.head ? ((const Waiting *) pacer->waiting.head->data)->serial : G_MAXUINT64;
}

const FalPacerCounts *
fal_pacer_get_counts (const FalPacer *pacer)
{
  return &pacer->counts;
}
