/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The frame queue: frames in order, and what is known of each. */
#include "frame-queue.h"

#include <string.h>

/* A frame takes as long as the slowest of the last few, about. */
#define LEAD_FORGETS 8
/* Of so many frames it is remembered up to where they stood: more than are on their way where not
 * all are sent. */
#define MOST_STOOD 16
#define WHOLE 256

typedef enum {
  WAITS, /* its result may come */
  ANSWERED,
  ALONE,  /* none comes */
  STANDS, /* none comes, and it shows what another one before it showed */
  PASSES, /* it needs none */
} State;

typedef struct {
  gpointer frame;
  FalFrameMark mark;
  State state;
  gpointer result, layer; /* ANSWERED */
  guint64 other;          /* STANDS: serial of that one */
} Entry;

/* A frame and its running time. */
typedef struct {
  guint64 serial; /* 0: none */
  GstClockTime time;
} Moment;

struct _FalFrameQueue {
  FalFrameQueueConfig config;
  FalFrameQueueKinds kinds;
  GQueue entries; /* Entry, oldest first */
  gsize bytes;    /* of their frames */
  GQueue dropped; /* frames */
  gint64 lead;    /* in which a frame is made ready */

  gpointer layer;    /* of the newest result of a frame that went out; NULL: none had one */
  FalFrameMark mark; /* of that frame */

  guint64 gone;         /* serial of the newest frame that went out; 0: none did */
  guint gone_epoch;     /* of it */
  guint64 epoch_begins; /* serial of the first frame known of that epoch */

  Moment answered; /* the newest frame that has a result */
  /* The newest frames that show what another one before them showed: for each of those others the
   * newest, and the newest first. */
  Moment stood[MOST_STOOD];
  guint64 stood_for; /* serial of the other of the first */
};

FalFrameQueue *
fal_frame_queue_new (const FalFrameQueueKinds *kinds)
{
  FalFrameQueue *queue = g_new0 (FalFrameQueue, 1);

  queue->kinds = *kinds;
  queue->config.delay = G_MAXINT64;
  g_queue_init (&queue->entries);
  g_queue_init (&queue->dropped);
  return queue;
}

void
fal_frame_queue_configure (FalFrameQueue *queue, const FalFrameQueueConfig *config)
{
  queue->config = *config;
}

static void
entry_clear_answer (FalFrameQueue *queue, Entry *entry)
{
  g_clear_pointer (&entry->result, queue->kinds.result_free);
  g_clear_pointer (&entry->layer, queue->kinds.layer_unref);
}

static void
forget_layer (FalFrameQueue *queue)
{
  g_clear_pointer (&queue->layer, queue->kinds.layer_unref);
  queue->mark = (FalFrameMark) { 0 };
}

static Entry *
peek (const FalFrameQueue *queue)
{
  return g_queue_peek_head ((GQueue *) &queue->entries);
}

/* The first, which goes: what comes for it later is late. */
static Entry *
pop (FalFrameQueue *queue)
{
  Entry *entry = g_queue_pop_head (&queue->entries);

  if (entry->mark.epoch != queue->gone_epoch || queue->epoch_begins == 0)
    queue->epoch_begins = entry->mark.serial;
  queue->gone_epoch = entry->mark.epoch;
  queue->gone = entry->mark.serial;
  queue->bytes -= entry->mark.bytes;
  return entry;
}

void
fal_frame_queue_clear (FalFrameQueue *queue)
{
  while (queue->entries.length > 0) {
    Entry *entry = pop (queue);

    queue->kinds.frame_free (entry->frame);
    entry_clear_answer (queue, entry);
    g_free (entry);
  }
  forget_layer (queue);
  queue->epoch_begins = queue->gone + 1; /* what was sent before does not serve any more */
  queue->answered = (Moment) { 0 };
  memset (queue->stood, 0, sizeof queue->stood);
}

void
fal_frame_queue_free (FalFrameQueue *queue)
{
  fal_frame_queue_clear (queue);
  g_queue_clear_full (&queue->dropped, queue->kinds.frame_free);
  g_free (queue);
}

/* ---- room ---- */

/* Whether there is no room for @more bytes in one more frame. */
static gboolean
is_full (const FalFrameQueue *queue, gsize more)
{
  guint n = queue->entries.length + (more > 0);

  if (n <= MAX (queue->config.least, 1))
    return FALSE;
  return n > FAL_FRAME_QUEUE_MAX || queue->bytes + more > queue->config.max_bytes;
}

/* Whether the next frame, which is as large as the newest one, would be too many. */
static gboolean
has_no_room (const FalFrameQueue *queue)
{
  const Entry *newest = g_queue_peek_tail ((GQueue *) &queue->entries);

  return newest != NULL && is_full (queue, MAX (newest->mark.bytes, 1));
}

gboolean
fal_frame_queue_has_room (const FalFrameQueue *queue)
{
  return queue->config.drops || !has_no_room (queue);
}

/* @layer (taken) of a frame that goes or went out serves those that follow. */
static void
set_layer (FalFrameQueue *queue, gpointer layer, const FalFrameMark *mark)
{
  forget_layer (queue);
  queue->layer = layer;
  queue->mark = *mark;
}

static void
keep_layer (FalFrameQueue *queue, Entry *entry)
{
  if (entry->state == ANSWERED)
    set_layer (queue, g_steal_pointer (&entry->layer), &entry->mark);
}

static void
drop_first (FalFrameQueue *queue)
{
  Entry *entry = pop (queue);

  g_queue_push_tail (&queue->dropped, entry->frame);
  keep_layer (queue, entry);
  entry_clear_answer (queue, entry);
  g_free (entry);
}

void
fal_frame_queue_push (FalFrameQueue *queue, gpointer frame, const FalFrameMark *mark)
{
  Entry *entry = g_new0 (Entry, 1);

  *entry = (Entry) { .frame = frame, .mark = *mark, .state = mark->passes ? PASSES : WAITS };
  g_queue_push_tail (&queue->entries, entry);
  queue->bytes += mark->bytes;
  while (queue->config.drops && is_full (queue, 0))
    drop_first (queue);
}

gpointer
fal_frame_queue_pop_dropped (FalFrameQueue *queue)
{
  return g_queue_pop_head (&queue->dropped);
}

gboolean
fal_frame_queue_has_dropped (const FalFrameQueue *queue)
{
  return queue->dropped.length > 0;
}

/* ---- what is known of a frame ---- */

static Entry *
find_entry (const FalFrameQueue *queue, guint64 serial)
{
  for (const GList *l = queue->entries.head; l != NULL; l = l->next)
    if (((const Entry *) l->data)->mark.serial == serial)
      return l->data;
  return NULL;
}

/* The newest frame before frame @serial that does not need its result. Frames after it may stand
 * for it already, while it is on its way. */
static const Moment *
find_served (const FalFrameQueue *queue, guint64 serial)
{
  for (guint i = 0; i < MOST_STOOD && queue->stood[i].serial > queue->answered.serial; i++)
    if (queue->stood[i].serial < serial)
      return &queue->stood[i];
  return &queue->answered;
}

/* By how much the first frame that needs the result of frame @serial, too, is older than that one,
 * which is now: frames come evenly. */
static GstClockTime
get_ahead (const FalFrameQueue *queue, guint64 serial, GstClockTime time)
{
  const Moment *served = find_served (queue, serial);
  guint64 n = serial - served->serial;

  if (served->serial == 0 || serial <= served->serial || !GST_CLOCK_TIME_IS_VALID (time) ||
      !GST_CLOCK_TIME_IS_VALID (served->time) || time < served->time)
    return 0;
  return gst_util_uint64_scale (time - served->time, n - 1, n);
}

/* @moment becomes the newest, if it is. */
static void
advance (Moment *moment, guint64 serial, GstClockTime time)
{
  if (serial > moment->serial)
    *moment = (Moment) { serial, time };
}

/* Of a frame that does not wait, but went out or was sent once more. */
static guint
get_epoch (const FalFrameQueue *queue, guint64 serial)
{
  const Entry *newest = g_queue_peek_tail ((GQueue *) &queue->entries);

  return serial > queue->gone && newest != NULL ? newest->mark.epoch : queue->gone_epoch;
}

/* Its frame does not wait. @layer is taken. */
static FalFrameAnswer
take_late (FalFrameQueue *queue, guint64 serial, GstClockTime time, gpointer layer)
{
  const FalFrameMark mark = { .serial = serial, .time = time, .epoch = get_epoch (queue, serial) };

  if (serial < queue->epoch_begins || serial <= queue->mark.serial) {
    queue->kinds.layer_unref (layer);
    return serial < queue->epoch_begins ? FAL_FRAME_SURPLUS : FAL_FRAME_LATE;
  }
  set_layer (queue, layer, &mark);
  return FAL_FRAME_LATE;
}

FalFrameAnswer
fal_frame_queue_answer (FalFrameQueue *queue, guint64 serial, GstClockTime time, gpointer result,
    gpointer layer, GstClockTime *ahead)
{
  Entry *entry = find_entry (queue, serial);

  *ahead = get_ahead (queue, serial, time);
  if (entry != NULL && (entry->state == WAITS || entry->state == ALONE)) {
    entry->state = ANSWERED;
    entry->result = result;
    entry->layer = layer;
    advance (&queue->answered, serial, time);
    return FAL_FRAME_ANSWERED;
  }
  queue->kinds.result_free (result);
  if (entry == NULL) {
    if (serial >= queue->epoch_begins)
      advance (&queue->answered, serial, time);
    return take_late (queue, serial, time, layer);
  }
  queue->kinds.layer_unref (layer);
  return FAL_FRAME_SURPLUS;
}

/* Frame number @serial shows what frame number @other showed. */
static void
note_stood (FalFrameQueue *queue, guint64 serial, GstClockTime time, guint64 other)
{
  if (other != queue->stood_for) {
    memmove (&queue->stood[1], &queue->stood[0], (MOST_STOOD - 1) * sizeof *queue->stood);
    queue->stood[0] = (Moment) { 0 };
    queue->stood_for = other;
  }
  advance (&queue->stood[0], serial, time);
}

void
fal_frame_queue_stand (FalFrameQueue *queue, guint64 serial, guint64 other)
{
  Entry *entry = find_entry (queue, serial);

  if (entry == NULL || (entry->state != WAITS && entry->state != ALONE))
    return;
  entry->state = STANDS;
  entry->other = other;
  note_stood (queue, serial, entry->mark.time, other);
}

/* Whether the result that stands for the frame is the last one, once those before it are gone. */
static gboolean
is_backed (const FalFrameQueue *queue, const Entry *entry)
{
  return queue->layer != NULL && queue->mark.serial >= entry->other;
}

/* Whether it is, or may be yet. */
static gboolean
may_stand (const FalFrameQueue *queue, const Entry *entry, FalFrameMayCome may_come, gpointer user)
{
  const Entry *other = is_backed (queue, entry) ? NULL : find_entry (queue, entry->other);

  return is_backed (queue, entry) || (other != NULL && other->state == ANSWERED) ||
         may_come (entry->other, user);
}

void
fal_frame_queue_settle (FalFrameQueue *queue, FalFrameMayCome may_come, gpointer user)
{
  for (GList *l = queue->entries.head; l != NULL; l = l->next) {
    Entry *entry = l->data;

    if ((entry->state == WAITS && !may_come (entry->mark.serial, user)) ||
        (entry->state == STANDS && !may_stand (queue, entry, may_come, user)))
      entry->state = ALONE;
  }
}

/* ---- what goes next ---- */

/* The first behind @link that has a result, or may get one, or needs none; NULL: there is none. */
static const Entry *
find_next (const GList *link)
{
  while ((link = link->next)) {
    const Entry *entry = link->data;

    if (entry->state == WAITS || entry->state == ANSWERED || entry->state == STANDS)
      return entry;
  }
  return NULL;
}

/* The first behind @link that has a result, unless one comes before it that shows what was before
 * @link. */
static const Entry *
find_after (const GList *link)
{
  while ((link = link->next)) {
    const Entry *entry = link->data;

    if (entry->state == ANSWERED)
      return entry;
    if (entry->state == STANDS)
      return NULL;
  }
  return NULL;
}

/* Whether it is certain with what the first goes. */
static gboolean
is_settled (const FalFrameQueue *queue, gboolean ends)
{
  const Entry *first = peek (queue), *next = first;

  if (first->state == ALONE)
    next = find_next (queue->entries.head);
  if (next == NULL)
    return ends;
  return next->state == STANDS ? is_backed (queue, next) : next->state != WAITS;
}

gint64
fal_frame_queue_get_time (const FalFrameQueue *queue, gboolean ends)
{
  const FalFrameQueueConfig *config = &queue->config;
  const Entry *first = peek (queue);

  if (first == NULL)
    return G_MAXINT64;
  if (is_settled (queue, ends) || (config->drops && has_no_room (queue)))
    return 0;
  if (config->delay == G_MAXINT64)
    return G_MAXINT64;
  return MAX (first->mark.due + config->delay - MIN (queue->lead, config->delay / 2), 0);
}

/* How much of 256 @after counts at @mark, which is before it, and after @before unless a frame was
 * sent once more. */
static guint
get_weight (const FalFrameMark *before, const FalFrameMark *mark, const FalFrameMark *after)
{
  if (before->serial >= mark->serial)
    return 0;
  if (GST_CLOCK_TIME_IS_VALID (before->time) && GST_CLOCK_TIME_IS_VALID (mark->time) &&
      GST_CLOCK_TIME_IS_VALID (after->time) && before->time <= mark->time &&
      mark->time <= after->time && before->time < after->time)
    return gst_util_uint64_scale_round (
        WHOLE, mark->time - before->time, after->time - before->time);
  return gst_util_uint64_scale_round (
      WHOLE, mark->serial - before->serial, after->serial - before->serial);
}

/* With what the first goes that has no result of its own. */
static void
find_layers (const FalFrameQueue *queue, FalFrameTurn *turn)
{
  const Entry *first = peek (queue), *after = find_after (queue->entries.head);

  if (queue->layer != NULL && queue->mark.epoch == first->mark.epoch)
    turn->before = queue->kinds.layer_ref (queue->layer);
  turn->stands = first->state == STANDS && turn->before != NULL && is_backed (queue, first);
  if (first->state == ANSWERED || first->state == STANDS || after == NULL ||
      after->mark.epoch != first->mark.epoch)
    return;
  turn->after = queue->kinds.layer_ref (after->layer);
  turn->weight =
      turn->before != NULL ? get_weight (&queue->mark, &first->mark, &after->mark) : WHOLE;
}

gboolean
fal_frame_queue_take (FalFrameQueue *queue, gboolean ends, gint64 now, FalFrameTurn *turn)
{
  g_autofree Entry *entry = NULL;

  *turn = (FalFrameTurn) { 0 };
  if (fal_frame_queue_get_time (queue, ends) > now)
    return FALSE;
  find_layers (queue, turn);
  entry = pop (queue);
  turn->frame = entry->frame;
  turn->serial = entry->mark.serial;
  turn->result = entry->result;
  keep_layer (queue, entry);
  return TRUE;
}

void
fal_frame_queue_note_lead (FalFrameQueue *queue, gint64 duration)
{
  if (duration >= queue->lead)
    queue->lead = duration;
  else
    queue->lead -= (queue->lead - duration) / LEAD_FORGETS;
}

/* ---- questions ---- */

guint
fal_frame_queue_get_length (const FalFrameQueue *queue)
{
  return queue->entries.length;
}

guint64
fal_frame_queue_get_first (const FalFrameQueue *queue)
{
  const Entry *first = peek (queue);

  return first ? first->mark.serial : G_MAXUINT64;
}

gpointer
fal_frame_queue_peek_first (const FalFrameQueue *queue)
{
  const Entry *first = peek (queue);

  return first ? first->frame : NULL;
}

guint64
fal_frame_queue_get_gone (const FalFrameQueue *queue)
{
  return queue->gone;
}

void
fal_frame_queue_foreach (const FalFrameQueue *queue, GFunc function, gpointer user)
{
  for (const GList *l = queue->entries.head; l != NULL; l = l->next)
    function (((const Entry *) l->data)->frame, user);
}
