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
  guint64 barrier; /* an event has gone before this frame, without waiting for older ones */
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
fal_output_queue_clear_results (FalOutputQueue *queue)
{
  g_queue_clear_full (&queue->results, (GDestroyNotify) fal_result_free);
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

/* ---- what goes next ---- */

/* Whether a result waits whose picture is here. */
static gboolean
result_is_due (const FalOutputQueue *queue)
{
  const FalResult *first = g_queue_peek_head ((GQueue *) &queue->results);

  return first != NULL && (first->picture != NULL || first->kind == FAL_RESULT_PASS);
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
  return view->replaced && !(result_is_due (queue) && first->serial < item->serial);
}

FalOutputKind
fal_output_queue_peek (const FalOutputQueue *queue, const FalOutputView *view)
{
  const EventItem *item = g_queue_peek_head ((GQueue *) &queue->events);

  if (item && (item->serial <= find_oldest (queue, view) || may_overtake (queue, item, view)))
    return FAL_OUTPUT_EVENT;
  if (result_is_due (queue))
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

FalOutputKind
fal_output_queue_take (
    FalOutputQueue *queue, const FalOutputView *view, GstEvent **event, FalResult **result)
{
  FalOutputKind kind = fal_output_queue_peek (queue, view);

  if (kind == FAL_OUTPUT_EVENT)
    *event = take_event (queue, view);
  else if (kind == FAL_OUTPUT_RESULT)
    *result = g_queue_pop_head (&queue->results);
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

gboolean
fal_output_queue_ends (const FalOutputQueue *queue)
{
  const EventItem *last = g_queue_peek_tail ((GQueue *) &queue->events);

  return last != NULL && GST_EVENT_TYPE (last->event) == GST_EVENT_EOS;
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
  g_queue_push_tail (&queue->results, result);
}

guint
fal_output_queue_get_length (const FalOutputQueue *queue)
{
  return queue->results.length;
}

gboolean
fal_output_queue_is_full (const FalOutputQueue *queue)
{
  return queue->results.length >= FAL_OUTPUT_QUEUE_MAX_RESULTS;
}

FalResult *
fal_output_queue_peek_newest (const FalOutputQueue *queue)
{
  return g_queue_peek_tail ((GQueue *) &queue->results);
}

gboolean
fal_output_queue_set_picture (FalOutputQueue *queue, guint64 download, GBytes *picture)
{
  for (GList *l = queue->results.head; l != NULL; l = l->next) {
    FalResult *result = l->data;

    if (result->download != download)
      continue;
    if (picture != NULL) {
      result->picture = g_bytes_ref (picture);
    } else {
      fal_result_free (result);
      g_queue_delete_link (&queue->results, l);
    }
    return TRUE;
  }
  return FALSE;
}

guint
fal_output_queue_drop_oldest (FalOutputQueue *queue)
{
  g_autoptr (FalResult) oldest = g_queue_pop_head (&queue->results);

  if (oldest->kind != FAL_RESULT_ANSWER)
    return 0;
  g_queue_push_tail (&queue->dropped, fal_frame_ref (oldest->frame));
  return 1;
}

guint
fal_output_queue_drop_overtaken (FalOutputQueue *queue)
{
  const FalResult *first;
  guint n = 0;

  while ((first = g_queue_peek_head (&queue->results)) && first->serial < queue->barrier)
    n += fal_output_queue_drop_oldest (queue);
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
