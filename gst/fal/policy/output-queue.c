/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The output queue: two queues, of events and of results, and the rule by which they merge. */
#include "output-queue.h"

/* An event, and the serial of the frame that it comes before. */
typedef struct {
  GstEvent *event;
  guint64 serial;
} EventItem;

/* The request that was answered last. */
typedef struct {
  FalFrame *frame; /* NULL: none */
  guint64 serial;
  gint64 sent, received; /* of the request and of its first result, monotonic µs */
  gchar *request_id;
  guint results;
  gboolean open; /* an app that streams has not said that this was all */
} Answered;

struct _FalOutputQueue {
  GQueue events;   /* EventItem, in order */
  GQueue results;  /* FalResult, in order */
  GQueue dropped;  /* FalFrame whose answer gave way */
  guint n_passing; /* of the results: frames that go by */
  gsize passing;   /* bytes of these, as far as they are known */
  gsize bytes;     /* that the others keep in memory */
  guint64 barrier; /* an event has gone before this frame, or the frame itself, without waiting for
                      older ones */
  guint64 taken;   /* serial of the frame whose result went out last; 0: none did */
  guint n_taken;   /* results that went out, or what was shown in their place */
  FalOutputQueueConfig config;
  Answered answered;
};

static void
event_item_free (gpointer data)
{
  EventItem *item = data;

  gst_event_unref (item->event);
  g_free (item);
}

FalOutputQueue *
fal_output_queue_new (void)
{
  FalOutputQueue *queue = g_new0 (FalOutputQueue, 1);

  g_queue_init (&queue->events);
  g_queue_init (&queue->results);
  g_queue_init (&queue->dropped);
  return queue;
}

void
fal_output_queue_forget_answered (FalOutputQueue *queue)
{
  g_clear_pointer (&queue->answered.frame, fal_frame_unref);
  g_free (queue->answered.request_id);
  queue->answered = (Answered){ 0 };
}

void
fal_output_queue_configure (FalOutputQueue *queue, const FalOutputQueueConfig *config)
{
  queue->config = *config;
}

void
fal_output_queue_clear_results (FalOutputQueue *queue)
{
  g_queue_clear_full (&queue->results, (GDestroyNotify) fal_result_free);
  queue->n_passing = queue->passing = queue->bytes = 0;
  fal_output_queue_forget_answered (queue);
}

void
fal_output_queue_free (FalOutputQueue *queue)
{
  fal_output_queue_clear_results (queue);
  g_queue_clear_full (&queue->events, event_item_free);
  g_queue_clear_full (&queue->dropped, (GDestroyNotify) fal_frame_unref);
  g_free (queue);
}

/* ---- what waits ---- */

static gboolean
passes (const FalResult *result)
{
  return result->kind == FAL_RESULT_PASS;
}

static void
count_in (FalOutputQueue *queue, const FalResult *result)
{
  queue->n_passing += passes (result);
  *(passes (result) ? &queue->passing : &queue->bytes) += result->size;
}

/* Takes @link out. */
static FalResult *
take_link (FalOutputQueue *queue, GList *link)
{
  FalResult *result = link->data;

  queue->n_passing -= passes (result);
  *(passes (result) ? &queue->passing : &queue->bytes) -= result->size;
  g_queue_delete_link (&queue->results, link);
  return result;
}

/* The oldest that may give way; NULL: none may. */
static GList *
find_droppable (const FalOutputQueue *queue, gboolean further)
{
  for (GList *l = queue->results.head; l != NULL; l = l->next) {
    const FalResult *result = l->data;

    if (!passes (result) && (result->further || !further))
      return l;
  }
  return NULL;
}

/* How many results may wait however old they are. */
static guint
get_few (const FalOutputQueue *queue)
{
  const FalOutputQueueConfig *config = &queue->config;

  if (config->leaky || config->lanes < 2)
    return FAL_OUTPUT_QUEUE_FEW;
  return FAL_OUTPUT_QUEUE_FEW + FAL_OUTPUT_QUEUE_AHEAD * config->lanes;
}

static guint
count_results (const FalOutputQueue *queue)
{
  return queue->results.length - queue->n_passing;
}

/* Whether the result has waited for longer than a sink would have it wait. */
static gboolean
is_old (const FalOutputQueue *queue, const FalResult *result, gint64 now)
{
  const FalOutputQueueConfig *config = &queue->config;
  gint64 most = MAX (config->latency, 0);

  if (config->leaky && config->latency >= 0 && queue->n_taken < 2)
    most = MAX (most, FAL_OUTPUT_QUEUE_PREROLL);
  return result->complete != 0 && now - result->complete > most;
}

gboolean
fal_output_queue_is_full (const FalOutputQueue *queue, gint64 now)
{
  const FalResult *oldest;

  if (count_results (queue) < get_few (queue))
    return FALSE;
  /* -Wanalyzer-null-dereference: of the results that are counted each may give way */
  oldest = find_droppable (queue, FALSE)->data;
  return queue->bytes >= FAL_OUTPUT_QUEUE_MAX_BYTES || oldest->complete == 0 ||
         is_old (queue, oldest, now);
}

gboolean
fal_output_queue_has_room (const FalOutputQueue *queue)
{
  return queue->n_passing < FAL_OUTPUT_QUEUE_FEW;
}

gboolean
fal_output_queue_has_room_in_turn (const FalOutputQueue *queue)
{
  return fal_output_queue_has_room (queue) ||
         (queue->config.latency > 0 && queue->passing < FAL_OUTPUT_QUEUE_MAX_BYTES);
}

gboolean
fal_output_queue_takes_fallback (const FalOutputQueue *queue)
{
  for (const GList *l = queue->results.head; l != NULL; l = l->next)
    if (((const FalResult *) l->data)->kind == FAL_RESULT_ANSWER)
      return FALSE;
  return queue->results.length < FAL_OUTPUT_QUEUE_FEW;
}

/* ---- what goes next ---- */

/* Whether older frames than that of @result may still bring something. */
static gboolean
awaits_older (const FalOutputQueue *queue, const FalResult *result, const FalOutputView *view)
{
  return result->serial > view->oldest ||
         (queue->answered.open && result->serial > queue->answered.serial);
}

/* When a frame goes that passes in its turn. */
static gint64
get_turn (const FalOutputQueue *queue, const FalResult *result, const FalOutputView *view)
{
  if (!awaits_older (queue, result, view))
    return 0;
  if (view->in_order)
    return G_MAXINT64;
  return fal_output_queue_has_room_in_turn (queue) ? result->complete : 0;
}

/* Whether an answer waits for those of older frames, as long as it may. */
static gboolean
is_held (const FalResult *result, const FalOutputView *view)
{
  return view->hold > 0 && result->kind == FAL_RESULT_ANSWER && result->serial > view->oldest;
}

gint64
fal_output_queue_get_result_time (const FalOutputQueue *queue, const FalOutputView *view)
{
  const FalResult *first = g_queue_peek_head ((GQueue *) &queue->results);

  if (first == NULL)
    return G_MAXINT64;
  if (first->in_turn)
    return get_turn (queue, first, view);
  if (first->kind == FAL_RESULT_ANSWER &&
      (first->picture == NULL || (view->in_order && first->serial > view->oldest)))
    return G_MAXINT64;
  return is_held (first, view) ? MAX (first->complete, first->frame->arrival + view->hold)
                               : first->complete;
}

static gboolean
result_is_due (const FalOutputQueue *queue, const FalOutputView *view)
{
  return fal_output_queue_get_result_time (queue, view) <= view->now;
}

/* The oldest frame that something may still go out for. */
static guint64
find_oldest (const FalOutputQueue *queue, const FalOutputView *view)
{
  const FalResult *first = g_queue_peek_head ((GQueue *) &queue->results);
  guint64 oldest = view->oldest;

  if (first != NULL)
    oldest = MIN (oldest, first->serial);
  if (queue->answered.open)
    oldest = MIN (oldest, queue->answered.serial);
  return oldest;
}

/* Whether the event does not wait for the frames before it. */
static gboolean
may_overtake (const FalOutputQueue *queue, const EventItem *item, const FalOutputView *view)
{
  const FalResult *first = g_queue_peek_head ((GQueue *) &queue->results);

  if (GST_EVENT_TYPE (item->event) == GST_EVENT_EOS || item->serial > view->newest)
    return FALSE;
  return view->replaced && !(result_is_due (queue, view) && first->serial < item->serial);
}

FalOutputKind
fal_output_queue_peek (const FalOutputQueue *queue, const FalOutputView *view)
{
  const EventItem *item = g_queue_peek_head ((GQueue *) &queue->events);

  if (item && (item->serial <= find_oldest (queue, view) || may_overtake (queue, item, view)))
    return FAL_OUTPUT_EVENT;
  if (result_is_due (queue, view))
    return FAL_OUTPUT_RESULT;
  if (view->fill_due && (item == NULL || item->serial > view->newest))
    return FAL_OUTPUT_FILL;
  return FAL_OUTPUT_NOTHING;
}

static GstEvent *
take_event (FalOutputQueue *queue, const FalOutputView *view)
{
  g_autofree EventItem *item = g_queue_pop_head (&queue->events);

  if (item->serial > find_oldest (queue, view))
    queue->barrier = item->serial;
  return item->event;
}

static FalResult *
take_result (FalOutputQueue *queue, const FalOutputView *view)
{
  FalResult *result = take_link (queue, queue->results.head);

  if (result->in_turn && awaits_older (queue, result, view))
    queue->barrier = MAX (queue->barrier, result->serial);
  queue->taken = result->serial;
  return result;
}

FalOutputKind
fal_output_queue_take (
    FalOutputQueue *queue, const FalOutputView *view, GstEvent **event, FalResult **result)
{
  FalOutputKind kind = fal_output_queue_peek (queue, view);

  if (kind == FAL_OUTPUT_EVENT)
    *event = take_event (queue, view);
  else if (kind == FAL_OUTPUT_RESULT)
    *result = take_result (queue, view);
  queue->n_taken += kind == FAL_OUTPUT_RESULT || kind == FAL_OUTPUT_FILL;
  return kind;
}

/* ---- events ---- */

void
fal_output_queue_push_event (FalOutputQueue *queue, GstEvent *event, guint64 serial)
{
  EventItem *item = g_new (EventItem, 1);

  *item = (EventItem){ event, serial };
  g_queue_push_tail (&queue->events, item);
}

/* Frames' times are rounded: so much may lie between the end of one and the next. */
#define ROUNDING GST_USECOND

GstEvent *
fal_output_queue_join_gaps (GstEvent *one, GstEvent *next)
{
  GstClockTime start, duration, next_start, next_duration;
  GstEvent *joined;

  if (GST_EVENT_TYPE (one) != GST_EVENT_GAP || GST_EVENT_TYPE (next) != GST_EVENT_GAP)
    return NULL;
  gst_event_parse_gap (one, &start, &duration);
  gst_event_parse_gap (next, &next_start, &next_duration);
  if (!GST_CLOCK_TIME_IS_VALID (duration) || !GST_CLOCK_TIME_IS_VALID (next_duration) ||
      next_start < start || ABS (GST_CLOCK_DIFF (start + duration, next_start)) > ROUNDING)
    return NULL;
  joined = gst_event_new_gap (start, next_start + next_duration - start);
  gst_event_set_gap_flags (joined, GST_GAP_FLAG_MISSING_DATA);
  gst_event_set_seqnum (joined, gst_event_get_seqnum (next));
  return joined;
}

void
fal_output_queue_push_gap (FalOutputQueue *queue, GstEvent *gap, guint64 serial)
{
  EventItem *last = g_queue_peek_tail (&queue->events);
  GstEvent *joined =
      last && last->serial == serial ? fal_output_queue_join_gaps (last->event, gap) : NULL;

  if (joined == NULL) {
    fal_output_queue_push_event (queue, gap, serial);
    return;
  }
  gst_event_unref (gap);
  gst_event_unref (last->event);
  last->event = joined;
}

static gboolean
is_eos (const EventItem *item)
{
  return item != NULL && GST_EVENT_TYPE (item->event) == GST_EVENT_EOS;
}

gboolean
fal_output_queue_ends (const FalOutputQueue *queue)
{
  return is_eos (g_queue_peek_tail ((GQueue *) &queue->events));
}

gboolean
fal_output_queue_ends_next (const FalOutputQueue *queue)
{
  return is_eos (g_queue_peek_head ((GQueue *) &queue->events));
}

void
fal_output_queue_flush_events (FalOutputQueue *queue, guint64 serial)
{
  for (GList *l = queue->events.head, *next; l != NULL; l = next) {
    EventItem *item = l->data;
    GstEventType type = GST_EVENT_TYPE (item->event);

    next = l->next;
    item->serial = serial;
    if (GST_EVENT_IS_STICKY (item->event) && type != GST_EVENT_SEGMENT && type != GST_EVENT_EOS)
      continue;
    event_item_free (item);
    g_queue_delete_link (&queue->events, l);
  }
}

/* ---- results ---- */

void
fal_output_queue_push_result (FalOutputQueue *queue, FalResult *result)
{
  GList *after = queue->results.tail;

  count_in (queue, result);
  while (after != NULL && ((const FalResult *) after->data)->serial > result->serial)
    after = after->prev;
  if (after != NULL)
    g_queue_insert_after (&queue->results, after, result);
  else
    g_queue_push_head (&queue->results, result);
}

guint
fal_output_queue_get_length (const FalOutputQueue *queue)
{
  return queue->results.length;
}

guint64
fal_output_queue_get_first (const FalOutputQueue *queue)
{
  const FalResult *first = g_queue_peek_head ((GQueue *) &queue->results);

  return first ? first->serial : G_MAXUINT64;
}

gboolean
fal_output_queue_has_answer (const FalOutputQueue *queue)
{
  const FalResult *first = g_queue_peek_head ((GQueue *) &queue->results);

  return first != NULL && first->kind == FAL_RESULT_ANSWER && first->frame->comes_out &&
         first->picture != NULL;
}

FalResult *
fal_output_queue_take_answer (FalOutputQueue *queue)
{
  FalResult *result = take_link (queue, queue->results.head);

  queue->taken = result->serial;
  queue->n_taken++;
  return result;
}

gboolean
fal_output_queue_has_result (const FalOutputQueue *queue, guint64 serial)
{
  for (const GList *l = queue->results.head; l != NULL; l = l->next)
    if (((const FalResult *) l->data)->serial == serial)
      return TRUE;
  return FALSE;
}

FalResult *
fal_output_queue_peek_newest (const FalOutputQueue *queue)
{
  return g_queue_peek_tail ((GQueue *) &queue->results);
}

static GList *
find_download (const FalOutputQueue *queue, guint64 download)
{
  for (GList *l = queue->results.head; l != NULL; l = l->next)
    if (((const FalResult *) l->data)->download == download)
      return l;
  return NULL;
}

gboolean
fal_output_queue_set_picture (
    FalOutputQueue *queue, guint64 download, GBytes *picture, gint64 now, GstClockTime arrived)
{
  GList *link = find_download (queue, download);
  FalResult *result;

  if (link == NULL)
    return FALSE;
  if (picture == NULL) {
    fal_result_free (take_link (queue, link));
    return TRUE;
  }
  result = link->data;
  result->picture = g_bytes_ref (picture);
  result->complete = now;
  result->arrived = arrived;
  result->size += g_bytes_get_size (picture);
  queue->bytes += g_bytes_get_size (picture);
  return TRUE;
}

/* Whether the frame brought nothing, now that @result gave way. */
static gboolean
brings_nothing (const FalOutputQueue *queue, const FalResult *result)
{
  for (const GList *l = queue->results.head; l != NULL; l = l->next)
    if (((const FalResult *) l->data)->serial == result->serial)
      return FALSE;
  return result->serial != queue->taken;
}

/* Takes @link out. How many answers that were: 0 or 1. */
static guint
drop_link (FalOutputQueue *queue, GList *link)
{
  g_autoptr (FalResult) result = take_link (queue, link);

  if (result->kind != FAL_RESULT_ANSWER)
    return 0;
  if (brings_nothing (queue, result))
    g_queue_push_tail (&queue->dropped, fal_frame_ref (result->frame));
  return 1;
}

/* The next that has to give way; NULL: none has to. */
static GList *
find_excess (const FalOutputQueue *queue, gint64 now)
{
  GList *oldest = find_droppable (queue, FALSE);

  if (count_results (queue) <= get_few (queue))
    return NULL;
  if (queue->bytes > FAL_OUTPUT_QUEUE_MAX_BYTES)
    return queue->config.leaky ? oldest : find_droppable (queue, TRUE);
  /* -Wanalyzer-null-dereference: of the results that are counted each may give way */
  return queue->config.leaky && is_old (queue, oldest->data, now) ? oldest : NULL;
}

void
fal_output_queue_foreach_frame (const FalOutputQueue *queue, GFunc function, gpointer user)
{
  for (const GList *l = queue->results.head; l != NULL; l = l->next)
    function (((const FalResult *) l->data)->frame, user);
}

guint
fal_output_queue_make_room (FalOutputQueue *queue, gint64 now)
{
  GList *link;
  guint n = 0;

  while ((link = find_excess (queue, now)))
    n += drop_link (queue, link);
  return n;
}

guint
fal_output_queue_drop_overtaken (FalOutputQueue *queue)
{
  const FalResult *first;
  guint n = 0;

  while ((first = g_queue_peek_head (&queue->results)) && !passes (first) &&
         first->serial < queue->barrier)
    n += drop_link (queue, queue->results.head);
  return n;
}

gboolean
fal_output_queue_has_dropped (const FalOutputQueue *queue)
{
  return queue->dropped.length > 0;
}

FalFrame *
fal_output_queue_pop_dropped (FalOutputQueue *queue)
{
  return g_queue_pop_head (&queue->dropped);
}

void
fal_output_queue_forget_overtaking (FalOutputQueue *queue)
{
  queue->barrier = 0;
}

/* ---- further results ---- */

void
fal_output_queue_set_answered (
    FalOutputQueue *queue, const FalResult *first, const gchar *request_id, gboolean open)
{
  fal_output_queue_forget_answered (queue);
  queue->answered = (Answered){
    .frame = fal_frame_ref (first->frame),
    .serial = first->serial,
    .sent = first->sent,
    .received = first->received,
    .request_id = g_strdup (request_id),
    .open = open,
  };
}

void
fal_output_queue_count_answered (FalOutputQueue *queue, guint n)
{
  queue->answered.results += n;
}

gboolean
fal_output_queue_continue_answered (const FalOutputQueue *queue, const gchar *request_id,
    guint in_flight, gint64 now, FalResult *further)
{
  const Answered *answered = &queue->answered;

  if (answered->frame == NULL)
    return FALSE;
  if ((request_id || answered->request_id) && g_strcmp0 (request_id, answered->request_id) != 0)
    return FALSE;
  if (request_id == NULL && in_flight > 0)
    return FALSE;
  *further = (FalResult){
    .frame = answered->frame,
    .serial = answered->serial,
    .sent = answered->sent,
    .received = now,
    .further = TRUE,
    .since_first = now - answered->received,
    .index = answered->results,
  };
  return TRUE;
}

void
fal_output_queue_close_answered (FalOutputQueue *queue)
{
  queue->answered.open = FALSE;
}
