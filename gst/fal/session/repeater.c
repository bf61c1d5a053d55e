/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The repeater: what is shown, what is to be shown later, and the ticks. */
#include "repeater.h"
#include "fal/image/blend.h"
#include "fal/policy/fade.h"
#include "fal/policy/ticks.h"

G_STATIC_ASSERT (FAL_FADE_ALL == FAL_BLEND_ALL);

/* Time that goes back by more than this begins anew: that of frames did. */
#define STEP_BACK GST_SECOND

/* So many decoded pictures wait to be shown. */
#define MOST_WAITING 4

typedef struct {
  GstSample *sample;
  FalResultKind kind;
  GstClockTime start, end; /* running times */
  GstClockTime known;      /* up to here nothing else is shown where no result is lost */
  gboolean seen;           /* in a mean at least */
  gboolean shown;          /* by itself */
} Item;

/* A picture without time stamps of its own. */
typedef struct {
  GstBuffer *buffer; /* NULL: there is none */
  GstCaps *caps;
  FalResultKind kind;
} Shown;

struct _FalRepeater {
  FalTicks ticks;
  GQueue items; /* Item, in order; the first is what is shown, or is to be shown next */

  FalTransition transition;
  gboolean ahead;
  /* Where results fade, and are not known ahead. */
  FalFade fade;
  Shown last;        /* what went out last */
  Shown from;        /* what the first item fades in from; none: it is not under way */
  GstClockTime span; /* that it takes */
};

FalRepeater *
fal_repeater_new (void)
{
  FalRepeater *repeater = g_new0 (FalRepeater, 1);

  g_queue_init (&repeater->items);
  fal_ticks_reset (&repeater->ticks);
  return repeater;
}

static void
item_free (gpointer data)
{
  Item *item = data;

  gst_sample_unref (item->sample);
  g_free (item);
}

static void
shown_clear (Shown *shown)
{
  gst_clear_buffer (&shown->buffer);
  gst_clear_caps (&shown->caps);
}

static void
shown_set (Shown *shown, GstBuffer *buffer, GstCaps *caps, FalResultKind kind)
{
  gst_buffer_replace (&shown->buffer, buffer);
  gst_caps_replace (&shown->caps, caps);
  shown->kind = kind;
}

static void
end_fade (FalRepeater *repeater)
{
  shown_clear (&repeater->from);
}

/* Nothing fades into what comes now. */
static void
forget_fades (FalRepeater *repeater)
{
  end_fade (repeater);
  shown_clear (&repeater->last);
  fal_fade_reset (&repeater->fade);
}

static void
forget_pictures (FalRepeater *repeater)
{
  g_queue_clear_full (&repeater->items, item_free);
  forget_fades (repeater);
}

void
fal_repeater_free (FalRepeater *repeater)
{
  forget_pictures (repeater);
  g_free (repeater);
}

void
fal_repeater_reset (FalRepeater *repeater)
{
  forget_pictures (repeater);
  fal_ticks_reset (&repeater->ticks);
}

void
fal_repeater_set_transition (FalRepeater *repeater, FalTransition transition, gboolean ahead)
{
  if (transition != repeater->transition || ahead != repeater->ahead)
    forget_fades (repeater);
  repeater->transition = transition;
  repeater->ahead = ahead;
}

void
fal_repeater_set_rate (FalRepeater *repeater, FalFraction rate)
{
  if (rate.n == 0)
    fal_repeater_reset (repeater);
  fal_ticks_set_rate (&repeater->ticks, rate);
}

gboolean
fal_repeater_is_on (const FalRepeater *repeater)
{
  return repeater->ticks.rate.n > 0;
}

static Item *
peek_newest (const FalRepeater *repeater)
{
  return g_queue_peek_tail ((GQueue *) &repeater->items);
}

/* What has no time is to be shown at once. */
static Item *
make_item (const FalRepeater *repeater, GstSample *sample, FalResultKind kind)
{
  GstBuffer *buffer = gst_sample_get_buffer (sample);
  const GstSegment *segment = gst_sample_get_segment (sample);
  Item *item = g_new0 (Item, 1);

  *item = (Item){ sample, kind, GST_CLOCK_TIME_NONE };
  if (segment->format == GST_FORMAT_TIME)
    item->start = gst_segment_to_running_time (segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer));
  if (!GST_CLOCK_TIME_IS_VALID (item->start))
    item->start =
        fal_ticks_have_begun (&repeater->ticks) ? fal_ticks_get_time (&repeater->ticks) : 0;
  item->known = item->start;
  item->end = item->start + 1;
  if (GST_BUFFER_DURATION_IS_VALID (buffer))
    item->end = item->start + GST_BUFFER_DURATION (buffer);
  return item;
}

void
fal_repeater_take (FalRepeater *repeater, GstSample *sample, FalResultKind kind)
{
  FalTicks *ticks = &repeater->ticks;
  Item *item = make_item (repeater, sample, kind);

  if (!fal_ticks_have_begun (ticks) || item->start + STEP_BACK < fal_ticks_get_time (ticks)) {
    forget_pictures (repeater);
    fal_ticks_begin (ticks, item->start);
  }
  g_queue_push_tail (&repeater->items, item);
}

void
fal_repeater_go_on (FalRepeater *repeater, GstClockTime start, GstClockTime end)
{
  Item *newest = peek_newest (repeater);

  if (newest == NULL)
    return;
  newest->known = MAX (newest->known, start);
  newest->end = MAX (newest->end, end);
}

gboolean
fal_repeater_is_full (const FalRepeater *repeater)
{
  return repeater->items.length > MOST_WAITING;
}

GstClockTime
fal_repeater_get_time (const FalRepeater *repeater)
{
  if (!fal_ticks_have_begun (&repeater->ticks) || repeater->items.length == 0)
    return GST_CLOCK_TIME_NONE;
  return fal_ticks_get_time (&repeater->ticks);
}

GstClockTime
fal_repeater_get_certain (const FalRepeater *repeater, gboolean ends)
{
  const Item *newest = peek_newest (repeater);

  if (newest == NULL)
    return GST_CLOCK_TIME_NONE;
  return ends ? newest->end : newest->known;
}

/* ---- fades ---- */

static gboolean
can_blend (const GstCaps *caps, GstVideoInfo *info)
{
  return gst_structure_has_name (gst_caps_get_structure (caps, 0), "video/x-raw") &&
         gst_video_info_from_caps (info, caps) && fal_blend_can (info);
}

gboolean
fal_repeater_can_fade (const GstCaps *caps)
{
  GstVideoInfo info;

  return can_blend (caps, &info);
}

/* Only a result fades, and only into one of the same size, shape and colours. */
static gboolean
fades_into (FalResultKind kind, GstCaps *caps, const Item *item)
{
  return kind == FAL_RESULT_ANSWER && item->kind == FAL_RESULT_ANSWER &&
         gst_caps_is_equal (caps, gst_sample_get_caps (item->sample));
}

static gboolean
fades_live (const FalRepeater *repeater)
{
  return repeater->transition == FAL_TRANSITION_FADE && !repeater->ahead;
}

/* @item is what is shown from now on. */
static void
begin_fade (FalRepeater *repeater, const Item *item)
{
  const Shown *last = &repeater->last;

  end_fade (repeater);
  if (last->buffer != NULL && repeater->span > 0 && fades_into (last->kind, last->caps, item))
    shown_set (&repeater->from, last->buffer, last->caps, last->kind);
}

/* What is shown at @time: all before it are over. */
static Item *
find_due (FalRepeater *repeater, GstClockTime time)
{
  GQueue *items = &repeater->items;
  GList *second;
  gboolean changed = FALSE;

  while ((second = items->head->next) && ((const Item *) second->data)->start <= time) {
    Item *over = g_queue_pop_head (items);

    repeater->span =
        fal_fade_note (&repeater->fade, over->start, ((const Item *) second->data)->start);
    item_free (over);
    changed = TRUE;
  }
  if (changed && fades_live (repeater))
    begin_fade (repeater, items->head->data);
  return items->head->data;
}

/* The mean of @from and the picture of @to at the next tick; NULL: there is none. */
static GstBuffer *
blend (GstBuffer *from, const Item *to, guint weight)
{
  GstVideoInfo info;

  if (!can_blend (gst_sample_get_caps (to->sample), &info))
    return NULL;
  return fal_blend_pictures (&info, from, gst_sample_get_buffer (to->sample), weight);
}

/* The first item on its way in. */
static GstBuffer *
blend_live (FalRepeater *repeater, const Item *item, guint *weight)
{
  const FalTicks *ticks = &repeater->ticks;
  GstBuffer *mean = NULL;

  if (repeater->from.buffer == NULL)
    return NULL;
  *weight = fal_fade_get_weight (
      fal_ticks_get_time (ticks), fal_ticks_get_duration (ticks), item->start, repeater->span);
  if (*weight < FAL_FADE_ALL)
    mean = blend (repeater->from.buffer, item, *weight);
  if (mean == NULL)
    end_fade (repeater);
  return mean;
}

/* @item on its way to @next. */
static GstBuffer *
blend_ahead (FalRepeater *repeater, const Item *item, const Item *next, guint *weight)
{
  const FalTicks *ticks = &repeater->ticks;

  if (!fades_into (item->kind, gst_sample_get_caps (item->sample), next))
    return NULL;
  *weight = fal_fade_get_weight_ahead (
      fal_ticks_get_time (ticks), fal_ticks_get_duration (ticks), item->start, next->start);
  return *weight > 0 ? blend (gst_sample_get_buffer (item->sample), next, *weight) : NULL;
}

/* Where two results are seen at the next tick: their mean, the newer one and its weight. NULL: one
 * alone is. */
static GstBuffer *
make_mean (FalRepeater *repeater, Item **newer, guint *weight)
{
  Item *item = repeater->items.head->data;
  GList *second = repeater->items.head->next;

  *newer = item;
  if (fades_live (repeater))
    return blend_live (repeater, item, weight);
  if (repeater->transition != FAL_TRANSITION_FADE || second == NULL)
    return NULL;
  *newer = second->data;
  return blend_ahead (repeater, item, second->data, weight);
}

/* ---- pictures ---- */

static GstStructure *
get_description (GstBuffer *buffer)
{
  GstCustomMeta *meta = gst_buffer_get_custom_meta (buffer, FAL_RESULT_META);

  return meta != NULL ? gst_custom_meta_get_structure (meta) : NULL;
}

static void
mark_repeated (GstBuffer *buffer)
{
  GstStructure *description = get_description (buffer);

  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_GAP);
  if (description != NULL)
    gst_structure_set (description, "repeated", G_TYPE_BOOLEAN, TRUE, NULL);
}

static void
mark_mean (GstBuffer *buffer, guint weight)
{
  GstStructure *description = get_description (buffer);

  if (description != NULL)
    gst_structure_set (
        description, "transition", G_TYPE_DOUBLE, (gdouble) weight / FAL_FADE_ALL, NULL);
}

/* @buffer, which stays as it is, as it goes out at the next tick. */
static GstBuffer *
make_buffer (const FalRepeater *repeater, GstBuffer *buffer)
{
  GstBuffer *copy = gst_buffer_copy (buffer);

  GST_BUFFER_FLAG_UNSET (copy, GST_BUFFER_FLAG_DISCONT);
  if (repeater->ticks.next == 0)
    GST_BUFFER_FLAG_SET (copy, GST_BUFFER_FLAG_DISCONT);
  return copy;
}

void
fal_repeater_make (FalRepeater *repeater, FalPicture *picture)
{
  FalTicks *ticks = &repeater->ticks;
  Item *due = find_due (repeater, fal_ticks_get_time (ticks)), *item;
  guint weight = 0;
  g_autoptr (GstBuffer) mean = make_mean (repeater, &item, &weight);
  GstBuffer *buffer;

  if (mean == NULL)
    item = due;
  buffer = mean != NULL ? mean : gst_sample_get_buffer (item->sample);
  *picture = (FalPicture) {
    .buffer = make_buffer (repeater, buffer),
    .caps = gst_caps_ref (gst_sample_get_caps (item->sample)),
    .kind = item->kind,
    .first = !item->seen,
    .repeated = mean == NULL && item->shown,
    .running = fal_ticks_get_time (ticks),
    .duration = fal_ticks_get_duration (ticks),
  };
  if (mean != NULL)
    mark_mean (picture->buffer, weight);
  else if (item->shown)
    mark_repeated (picture->buffer);
  if (fades_live (repeater))
    shown_set (&repeater->last, buffer, picture->caps, item->kind);
  item->seen = TRUE;
  item->shown |= mean == NULL;
  fal_ticks_advance (ticks);
}

void
fal_picture_clear (FalPicture *picture)
{
  gst_clear_buffer (&picture->buffer);
  gst_clear_caps (&picture->caps);
}
