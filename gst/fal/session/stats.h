/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a session counts and measures beside the pacer's books. Plain data under
 * the session's mutex. */
#pragma once

#include "fal/net/connection.h"
#include "fal/policy/pacer.h"
#include "fal/policy/percentiles.h"

G_BEGIN_DECLS

typedef struct {
  guint64 results;        /* pictures that came and answered a frame */
  guint64 late;           /* came when their frame was given up, or a newer one had gone out */
  guint64 invalid;        /* could not be read */
  guint64 told;           /* frames without a result that the owner was told of */
  guint64 out;            /* buffers that downstream took */
  guint64 passed;         /* of them, frames that went by unchanged */
  guint64 filled;         /* of them, those shown while no result came */
  gdouble inference_last; /* seconds */
  gint64 started;         /* monotonic µs; 0: not running */
  gint64 run_time;        /* µs, once stopped */
  FalConnectionCounts connection;
  FalConnectionCounts connection_base; /* what they were when the counts began anew */
  FalPercentiles round_trip, age, encode, decode;
} FalStats;

/* "application/x-fal-realtime-stats": counts as uint64, durations in ms as double,
 * the two times of a connection in ns. */
GstStructure *fal_stats_to_structure (const FalStats *stats, const FalPacer *pacer, gint64 now);

/* All frames dropped so far. */
guint64 fal_stats_count_dropped (const FalPacer *pacer);

G_END_DECLS
