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
  GstClockTime last;  /* running time of the newest output; NONE: none yet */
  GstClockTime end;   /* running time at which it ends; NONE as above */
  GstClockTime frame; /* running time of the newest frame that something went out for; NONE: of
                         none that had one */
  guint64 serial;     /* of that frame; 0: none */
  guint late;         /* results in a row that came later than @latency */
  GstClockTime latency;
} FalTimeline;

void fal_timeline_reset (FalTimeline *timeline);

/* Frame @serial (rising) of running time @frame is about to bring something. Where the frames' own
 * time went back since the newest one that did, that of the output may, too. FALSE: a newer one
 * after such a step did already, so that this one's is over. */
gboolean fal_timeline_note_frame (FalTimeline *timeline, guint64 serial, GstClockTime frame);

/* Whether the frames' own time went back up to frame @serial since the newest one that brought
 * something; and that the output's begins anew at running time @start. */
gboolean fal_timeline_went_back (const FalTimeline *timeline, guint64 serial, GstClockTime frame);
void fal_timeline_begin_anew (FalTimeline *timeline, GstClockTime start);

typedef struct {
  const GstSegment *segment; /* of the frame that the result answers */
  GstClockTime pts, duration;
  GstClockTime arrived;     /* running time at which a frame came or would come that has the time of
                               the result; NONE: nobody knows */
  guint index, count;       /* which of how many pictures for this frame: they share its span */
  GstClockTime since_first; /* where nobody knows how many (count 0): they are as far apart as they
                               came, but within its span */
  gboolean held; /* on arrival: results that are not late have the time of their frame, and their
                    distances, as with the frames' own times */
} FalMoment;

/* The stamps of a result. On arrival they are never before the frame's own nor before the newest
 * output, and never outside the segment. FALSE: with the frame's own ones it would make output time
 * go back, and comes too late. */
gboolean fal_timeline_stamp (FalTimeline *timeline, FalTimestampMode mode, const FalMoment *moment,
    GstClockTime *pts, GstClockTime *duration);

/* The same for a frame that goes by, and is never too late. */
void fal_timeline_pass (FalTimeline *timeline, const FalMoment *moment, GstClockTime *pts);

/* A result came @age after its frame. TRUE, once: results keep coming later than @latency. */
gboolean fal_timeline_note_age (FalTimeline *timeline, GstClockTime age, GstClockTime latency);

/* The running time that a frame has that arrives at running time @now, where upstream takes
 * @latency to bring it; @now NONE: no clock runs, and the same is returned. */
GstClockTime fal_timeline_get_arrival (GstClockTime now, GstClockTime latency);

/* The running time up to which no result will come any more; NONE: nothing is known. @arrived: as
 * fal_timeline_get_arrival() has it. On arrival it is not before the newest frame's own time, which
 * a pad's offset may lay into the future. */
GstClockTime fal_timeline_get_horizon (
    FalTimestampMode mode, const FalOutlook *outlook, GstClockTime arrived);

/* Takes the time from the end of the newest output to @horizon for a gap, given as times of
 * @segment. FALSE: it is shorter than @least, or nothing went out yet. */
gboolean fal_timeline_take_gap (FalTimeline *timeline, const GstSegment *segment,
    GstClockTime horizon, GstClockTime least, GstClockTime *time, GstClockTime *duration);

/* The same up to the end of a frame at @running for which nothing goes out. What answers the next
 * frame may begin before that: a span and the time stamps are rounded each for itself. */
gboolean fal_timeline_pass_over (FalTimeline *timeline, const GstSegment *segment,
    GstClockTime running, GstClockTime span, GstClockTime *time, GstClockTime *duration);

G_END_DECLS
