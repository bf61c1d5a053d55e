/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Time stamps of the output and the latency to report.
 *
 * Pure: no thread, lock, clock or log. Belongs to the source pad's task. Times are
 * nanoseconds, GST_CLOCK_TIME_NONE where unknown. */
#pragma once

#include "fal/frame.h"

G_BEGIN_DECLS

/* What AUTO means; @latency_ms -1: not synchronised. */
FalTimestampMode fal_timeline_resolve (FalTimestampMode mode, gboolean live, gint latency_ms);

/* What we add to the pipeline's latency. */
GstClockTime fal_timeline_get_latency (FalTimestampMode mode, gboolean live, gint latency_ms);

/* So many results in a row that come later than the latency are no accident. */
#define FAL_TIMELINE_LATE 8

typedef struct {
  GstClockTime last; /* running time of the newest output; NONE: none yet */
  GstClockTime end;  /* running time at which it ends; NONE as above */
  guint late;        /* results in a row that came later than @latency */
  GstClockTime latency;
} FalTimeline;

void fal_timeline_reset (FalTimeline *timeline);

typedef struct {
  const GstSegment *segment; /* of the frame that the result answers */
  GstClockTime pts, duration;
  GstClockTime now;         /* running time of the clock; NONE: there is none */
  guint index, count;       /* which of how many pictures for this frame: they share its span */
  GstClockTime since_first; /* where nobody knows how many (count 0): they are as far apart as they
                               came, but within its span */
} FalMoment;

/* The stamps of a result. FALSE: it would make output time go back, and comes
 * too late. */
gboolean fal_timeline_stamp (FalTimeline *timeline, FalTimestampMode mode, const FalMoment *moment,
    GstClockTime *pts, GstClockTime *duration);

/* A result came @age after its frame. TRUE, once: results keep coming later than @latency. */
gboolean fal_timeline_note_age (FalTimeline *timeline, GstClockTime age, GstClockTime latency);

/* The running time up to which no result will come any more; NONE: nothing is known. @now: running
 * time of the clock. */
GstClockTime fal_timeline_get_horizon (
    FalTimestampMode mode, const FalOutlook *outlook, GstClockTime now);

/* Takes the time from the end of the newest output to @horizon for a gap, given as times of
 * @segment. FALSE: it is shorter than @least, or nothing went out yet. */
gboolean fal_timeline_take_gap (FalTimeline *timeline, const GstSegment *segment,
    GstClockTime horizon, GstClockTime least, GstClockTime *time, GstClockTime *duration);

G_END_DECLS
