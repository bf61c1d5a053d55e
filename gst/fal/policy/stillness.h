/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a frame that shows what the last one that was sent showed is sent all the same.
 *
 * A frame is compared with the one that was sent last, and not with the one before it, so that what
 * changes slowly adds up. Only the frame that would go next is looked at: what its picture says
 * costs time to find out. Where an answer is not to be had by comparing (nothing was sent, or the
 * request of that frame is lost; the inputs or the region are others; the time is over) it is not
 * looked at.
 *
 * Pure: no thread, lock, clock or log. Guarded by the mutex of the session's shared state. Frames
 * are known by their serials, which rise from 1. */
#pragma once

#include "fal/options.h"

#include <gst/gst.h>

G_BEGIN_DECLS

/* A change that no threshold reaches: the pictures cannot be compared. */
#define FAL_STILLNESS_INCOMPARABLE G_MAXUINT

/* Pixels, by which each edge of a region may be elsewhere without being a change: detectors tremble
 * by so many where nothing moves. */
#define FAL_STILLNESS_TREMOR 4

typedef struct {
  guint threshold;   /* the least change that is sent, in levels; 0: every frame is */
  GstClockTime most; /* after so long a frame goes whatever it shows; 0: never */
} FalStillnessConfig;

/* What became of the frame that was sent last. */
typedef enum {
  FAL_OUTCOME_NONE,    /* none was sent, or no answer to it can come any more */
  FAL_OUTCOME_AWAITED, /* it may be answered yet */
  FAL_OUTCOME_ANSWERED,
} FalOutcome;

typedef enum {
  FAL_STILLNESS_GOES,  /* it is sent */
  FAL_STILLNESS_LOOK,  /* its picture is to be compared first */
  FAL_STILLNESS_WAITS, /* it is unchanged, but what would stand for it may not come */
  FAL_STILLNESS_RESTS, /* it is not sent: the last result stands for it */
} FalStillnessVerdict;

/* The frame that would be sent next. */
typedef struct {
  guint64 serial;
  GstClockTime time;       /* of any kind that goes on with the frames */
  const GstStructure *cue; /* inputs that it brings along; or NULL */
  FalArea part;            /* of it that is sent; without a size: all of it */
  gboolean asked_for;      /* it has inputs of its own, or goes again */
  gboolean kept;           /* no frame may be lost: one that rests needs its answer */
} FalCandidate;

typedef struct {
  FalStillnessConfig config;
  gboolean owes;     /* the next frame goes whatever it shows */
  guint64 looked;    /* the frame that was compared with the one that was sent last; 0: none was */
  guint change;      /* what came of that, in levels */
  guint64 passed;    /* the newest frame that went by as it is; 0: none did */
  guint64 last;      /* the frame that was sent last; 0: none was */
  GstClockTime sent; /* time of that frame */
  GstStructure *cue; /* its; or NULL */
  FalArea part;      /* of it that was sent */
} FalStillness;

/* A new start; the configuration stays. */
void fal_stillness_reset (FalStillness *stillness);
void fal_stillness_configure (FalStillness *stillness, const FalStillnessConfig *config);
/* Whether frames are compared at all. */
gboolean fal_stillness_is_on (const FalStillness *stillness);

/* The next frame goes whatever it shows: the inputs are others, or the answer was of no use. */
void fal_stillness_owe (FalStillness *stillness);
/* Frame number @serial went by as it is, so that no result stands any more: of those after it the
 * first goes whatever it shows. */
void fal_stillness_note_passed (FalStillness *stillness, guint64 serial);
/* @candidate was sent, so that others are compared with it. */
void fal_stillness_note_sent (FalStillness *stillness, const FalCandidate *candidate);
/* Frame @serial differs from the one that was sent last by @change levels. */
void fal_stillness_note_change (FalStillness *stillness, guint64 serial, guint change);

/* What is to become of the frame; @outcome: of the one that was sent last. */
FalStillnessVerdict fal_stillness_judge (
    const FalStillness *stillness, const FalCandidate *candidate, FalOutcome outcome);

G_END_DECLS
