/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether the output has fallen silent.
 *
 * Pure: no thread, lock, clock or log. Guarded by the session's mutex. Times are microseconds of a
 * monotonic clock, given as arguments. */
#pragma once

#include "fal/options.h"

G_BEGIN_DECLS

/* Silence that downstream is told of by a GAP, whatever the fallback. */
#define FAL_FALLBACK_GAP (500 * G_TIME_SPAN_MILLISECOND)

/* After so long without a frame nobody has waited for a result meanwhile. */
#define FAL_FALLBACK_PAUSE (5 * G_TIME_SPAN_SECOND)

typedef struct {
  gint64 awaited; /* the last result, or the frame that first waits for one; G_MAXINT64: none */
  gint64 frame;   /* the last one */
  gint64 filled;  /* when the output was last filled; G_MININT64: not since the last result */
} FalFallback;

/* Nothing is awaited. */
void fal_fallback_reset (FalFallback *outage);

/* A frame came: from the first one on a result is awaited. */
void fal_fallback_note_frame (FalFallback *outage, gint64 now);
/* A result came, and ends it. */
void fal_fallback_note_result (FalFallback *outage, gint64 now);
/* The output was filled, or there was no need to. */
void fal_fallback_note_filled (FalFallback *outage, gint64 now);

/* Whether no result came for @timeout. */
gboolean fal_fallback_is_on (const FalFallback *outage, gint64 timeout, gint64 now);

/* Whether the output is to be filled: once the outage is on with each frame, where there is a
 * @fallback; else from time to time. */
gboolean fal_fallback_is_due (
    const FalFallback *outage, FalFallbackMode fallback, gint64 timeout, gint64 now);

G_END_DECLS
