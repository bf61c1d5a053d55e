/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a session counts and measures, beside the counts of the pacer. Plain data, guarded by the
 * session's mutex. */
#pragma once

#include "fal/net/connection.h"
#include "fal/policy/pacer.h"
#include "fal/policy/percentiles.h"

G_BEGIN_DECLS

typedef struct {
  guint64 results; /* pictures that answered a frame */
  guint64 late;    /* results that came when their frame was given up already, or when a newer
                      one had gone out */
  guint64 invalid; /* results that cannot be read */
  guint64 told;    /* frames without a result that the owner was told of */
  guint64 out;     /* buffers that downstream took */
  guint64 passed;  /* those of them that are frames which went by unchanged */
  guint64 filled;  /* those of them that were shown as a fallback */
  gdouble inference_last; /* seconds */
  gint64 started;         /* monotonic µs; 0: the session does not run */
  gint64 run_time;        /* µs, of a session that was stopped */
  FalConnectionCounts connection;
  FalConnectionCounts connection_base; /* as they were at the last reset */
  FalPercentiles round_trip, age, encode, decode;
} FalStats;

/* "application/x-fal-realtime-stats": counts are uint64, durations are double and in ms, the two
 * times of the connection are uint64 and in ns. */
GstStructure *fal_stats_to_structure (const FalStats *stats, const FalPacer *pacer, gint64 now);

/* How many frames were dropped, for whatever reason. */
guint64 fal_stats_count_dropped (const FalPacer *pacer);

G_END_DECLS
