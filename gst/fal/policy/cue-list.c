/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cues in the order of their times. GST_CLOCK_TIME_NONE is the largest time there is, and stands
 * for "without end". */
#include "cue-list.h"

typedef struct {
  GstClockTime start, end;
  GstStructure *inputs;
} Cue;

struct _FalCueList {
  GQueue cues;        /* Cue; each starts where the one before it ends, or later */
  GstClockTime known; /* all is known of the time before this */
  GstClockTime frame; /* of the newest frame that had a time */
};

static void
cue_free (gpointer data)
{
  Cue *cue = data;

  gst_structure_free (cue->inputs);
  g_free (cue);
}

FalCueList *
fal_cue_list_new (void)
{
  FalCueList *list = g_new0 (FalCueList, 1);

  g_queue_init (&list->cues);
  return list;
}

void
fal_cue_list_free (FalCueList *list)
{
  fal_cue_list_clear (list);
  g_free (list);
}

void
fal_cue_list_clear (FalCueList *list)
{
  g_queue_clear_full (&list->cues, cue_free);
  list->known = 0;
}

/* No cue lasts longer than until @time. */
static void
cut (FalCueList *list, GstClockTime time)
{
  Cue *last;

  while ((last = g_queue_peek_tail (&list->cues)) && last->start >= time)
    cue_free (g_queue_pop_tail (&list->cues));
  if (last != NULL)
    last->end = MIN (last->end, time);
}

void
fal_cue_list_begin (FalCueList *list, GstClockTime time)
{
  cut (list, time);
  list->known = time;
}

void
fal_cue_list_add (FalCueList *list, GstClockTime start, GstClockTime end, GstStructure *inputs)
{
  Cue *cue = g_new (Cue, 1);

  start = GST_CLOCK_TIME_IS_VALID (start) ? MAX (start, list->known) : list->known;
  *cue = (Cue){ start, end, inputs };
  if (start >= end) {
    cue_free (cue);
    return;
  }
  cut (list, start); /* which only one without an end reaches */
  g_queue_push_tail (&list->cues, cue);
  list->known = GST_CLOCK_TIME_IS_VALID (end) ? end : start + 1;
}

gboolean
fal_cue_list_is_full (const FalCueList *list)
{
  return list->cues.length >= FAL_CUE_LIST_MAX;
}

void
fal_cue_list_advance (FalCueList *list, GstClockTime time)
{
  list->known = MAX (list->known, time);
}

gboolean
fal_cue_list_knows (const FalCueList *list, GstClockTime time)
{
  return !GST_CLOCK_TIME_IS_VALID (time) || time < list->known;
}

const GstStructure *
fal_cue_list_find (FalCueList *list, GstClockTime time)
{
  const Cue *first;

  if (GST_CLOCK_TIME_IS_VALID (time))
    list->frame = time;
  while ((first = g_queue_peek_head (&list->cues)) && first->end <= list->frame)
    cue_free (g_queue_pop_head (&list->cues));
  return first != NULL && first->start <= list->frame ? first->inputs : NULL;
}
