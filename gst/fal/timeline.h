/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Time stamps of the output and the latency to report.
 *
 * Pure: no thread, lock, clock or log. Belongs to the source pad's task. Times are
 * nanoseconds, GST_CLOCK_TIME_NONE where unknown. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef enum {
  FAL_TIMESTAMP_MODE_AUTO,    /* arrival in a live pipeline without latency, else input */
  FAL_TIMESTAMP_MODE_INPUT,   /* those of the frame that a result answers */
  FAL_TIMESTAMP_MODE_ARRIVAL, /* when the result came: never too late for a sink */
} FalTimestampMode;

/* What AUTO means; @latency_ms -1: not synchronised. */
FalTimestampMode fal_timeline_resolve (FalTimestampMode mode, gboolean live, gint latency_ms);

/* What we add to the pipeline's latency. */
GstClockTime fal_timeline_get_latency (FalTimestampMode mode, gboolean live, gint latency_ms);

typedef struct {
  GstClockTime last; /* running time of the newest result out; NONE: none yet */
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

G_END_DECLS
