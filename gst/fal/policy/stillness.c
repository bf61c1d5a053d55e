/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stillness: what was sent last, and what is known of the frame that would go next. */
#include "stillness.h"

void
fal_stillness_reset (FalStillness *stillness)
{
  g_clear_pointer (&stillness->cue, gst_structure_free);
  *stillness = (FalStillness) { .config = stillness->config };
}

void
fal_stillness_configure (FalStillness *stillness, const FalStillnessConfig *config)
{
  stillness->config = *config;
}

gboolean
fal_stillness_is_on (const FalStillness *stillness)
{
  return stillness->config.threshold > 0;
}

void
fal_stillness_owe (FalStillness *stillness)
{
  stillness->owes = TRUE;
}

void
fal_stillness_note_passed (FalStillness *stillness, guint64 serial)
{
  stillness->passed = serial;
}

void
fal_stillness_note_sent (FalStillness *stillness, const FalCandidate *candidate)
{
  g_clear_pointer (&stillness->cue, gst_structure_free);
  stillness->cue = candidate->cue ? gst_structure_copy (candidate->cue) : NULL;
  stillness->last = candidate->serial;
  stillness->sent = candidate->time;
  stillness->part = candidate->part;
  stillness->owes = FALSE;
  stillness->looked = 0;
}

void
fal_stillness_note_change (FalStillness *stillness, guint64 serial, guint change)
{
  stillness->looked = serial;
  stillness->change = change;
}

static gboolean
has_other_cue (const FalStillness *stillness, const GstStructure *cue)
{
  if (cue == NULL || stillness->cue == NULL)
    return cue != stillness->cue;
  return !gst_structure_is_equal (cue, stillness->cue);
}

static gboolean
is_near (gint64 one, gint64 other)
{
  return ABS (one - other) <= FAL_STILLNESS_TREMOR;
}

/* Whether another part of the frame is sent than the last time. */
static gboolean
is_elsewhere (const FalArea *before, const FalArea *part)
{
  gboolean all = part->width == 0 || part->height == 0;

  if (all || before->width == 0 || before->height == 0)
    return all != (before->width == 0 || before->height == 0);
  return !is_near (part->x, before->x) || !is_near (part->y, before->y) ||
         !is_near ((gint64) part->x + part->width, (gint64) before->x + before->width) ||
         !is_near ((gint64) part->y + part->height, (gint64) before->y + before->height);
}

/* Whether a frame has gone by since the last one that was sent, and before this one. */
static gboolean
was_passed (const FalStillness *stillness, guint64 serial)
{
  return stillness->passed > stillness->last && serial > stillness->passed;
}

/* Time that goes back begins anew. */
static gboolean
is_over (const FalStillness *stillness, GstClockTime time)
{
  if (time < stillness->sent)
    return TRUE;
  return stillness->config.most > 0 && time - stillness->sent >= stillness->config.most;
}

FalStillnessVerdict
fal_stillness_judge (
    const FalStillness *stillness, const FalCandidate *candidate, FalOutcome outcome)
{
  if (!fal_stillness_is_on (stillness) || stillness->owes || outcome == FAL_OUTCOME_NONE ||
      candidate->asked_for || is_over (stillness, candidate->time) ||
      was_passed (stillness, candidate->serial) || has_other_cue (stillness, candidate->cue) ||
      is_elsewhere (&stillness->part, &candidate->part))
    return FAL_STILLNESS_GOES;
  if (stillness->looked != candidate->serial)
    return FAL_STILLNESS_LOOK;
  if (stillness->change >= stillness->config.threshold)
    return FAL_STILLNESS_GOES;
  return candidate->kept && outcome == FAL_OUTCOME_AWAITED ? FAL_STILLNESS_WAITS
                                                           : FAL_STILLNESS_RESTS;
}
