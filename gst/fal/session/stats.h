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
                      one had gone out; and those that came after the delay was over */
  guint64 invalid; /* results that cannot be read */
  guint64 fields_dropped;  /* of results: keys that are no name, or one too many */
  guint64 foreign;         /* results with ids that were never sent */
  guint64 ignored;         /* messages with neither a picture nor an id of ours */
  guint64 told;            /* frames without a result that the owner was told of */
  guint64 out;             /* buffers that downstream took */
  guint64 passed;          /* those of them that are frames which went by unchanged */
  guint64 filled;          /* those of them that were shown as a fallback */
  guint64 repeated;        /* those of them that were shown before */
  gdouble cost;            /* as the prices have it that were set */
  guint64 between;         /* those of them that are frames without a result of their own */
  guint64 held;            /* frames that are kept for what is to be laid on them */
  gdouble playout_delay;   /* ms, after which results are shown */
  guint64 playout_changes; /* of it */
  gdouble inference_last;  /* seconds */
  gint64 started;          /* monotonic µs; 0: the session does not run */
  gint64 run_time;         /* µs, of a session that was stopped */
  gboolean shared;         /* @connection is that of several elements together */
  FalConnectionCounts connection;      /* of all connections together */
  FalConnectionCounts connection_base; /* as they were at the last reset */
  guint opened;                        /* connections that stood at least once */
  FalPercentiles round_trip, age, encode, decode;
} FalStats;

/* The same of one of the session's connections. */
typedef struct {
  FalConnectionCounts counts;
  FalConnectionCounts base; /* as they were at the last reset */
  FalPercentiles round_trip;
} FalLaneStats;

/* "application/x-fal-realtime-stats": counts are uint64, durations are double and in ms, the two
 * times of the connection are uint64 and in ns. */
GstStructure *fal_stats_to_structure (const FalStats *stats, const FalPacer *pacer, gint64 now);

/* Adds what is known of connection number @lane, which is in @state, to "connections-list" of
 * @structure: a GST_TYPE_LIST of structures. */
void fal_stats_add_lane (GstStructure *structure, const FalLaneStats *stats, FalDialerState state,
    const FalPacer *pacer, guint lane, gint64 now);

/* The counts of all connections together, as they are at @now: begin with none, and add each. */
void fal_stats_sum_connection (
    FalConnectionCounts *sum, const FalConnectionCounts *counts, gint64 now);

/* How many frames were dropped, for whatever reason. */
guint64 fal_stats_count_dropped (const FalPacer *pacer);

G_END_DECLS
