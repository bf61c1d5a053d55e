/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The statistics as an application reads them. The session's mutex is held meanwhile, so that the
 * counts always add up. */
#include "stats.h"

guint64
fal_stats_count_dropped (const FalPacer *pacer)
{
  const FalPacerCounts *counts = fal_pacer_get_counts (pacer);

  return counts->dropped_throttled + counts->dropped_replaced + counts->dropped_offline +
         counts->dropped_flushed;
}

static void
set_count (GstStructure *structure, const gchar *name, guint64 value)
{
  gst_structure_set (structure, name, G_TYPE_UINT64, value, NULL);
}

static void
set_ms (GstStructure *structure, const gchar *name, gdouble value)
{
  gst_structure_set (structure, name, G_TYPE_DOUBLE, value, NULL);
}

static void
add_frames (GstStructure *structure, const FalPacer *pacer)
{
  const FalPacerCounts *counts = fal_pacer_get_counts (pacer);

  set_count (structure, "frames-in", counts->in);
  set_count (structure, "frames-waiting", fal_pacer_get_waiting (pacer));
  set_count (structure, "frames-sent", counts->sent);
  set_count (structure, "in-flight", fal_pacer_get_in_flight (pacer));
  set_count (structure, "dropped-throttled", counts->dropped_throttled);
  set_count (structure, "dropped-replaced", counts->dropped_replaced);
  set_count (structure, "dropped-offline", counts->dropped_offline);
  set_count (structure, "dropped-flushed", counts->dropped_flushed);
  set_count (structure, "answered", counts->answered);
  set_count (structure, "failed", counts->failed);
  set_count (structure, "expired", counts->expired);
  set_count (structure, "lost", counts->lost);
}

static void
add_connection (GstStructure *structure, const FalStats *stats, gint64 now)
{
  const FalConnectionCounts *counts = &stats->connection;
  const FalConnectionCounts *base = &stats->connection_base;
  gint64 connected = counts->connected_time;
  gint64 session = stats->started ? now - stats->started : stats->run_time;

  if (counts->connected_since != 0)
    connected += now - counts->connected_since;
  set_count (structure, "connections", counts->connections - base->connections);
  set_count (structure, "reconnections",
      counts->connections ? counts->connections - MAX (base->connections, 1) : 0);
  set_count (structure, "token-requests", counts->token_requests - base->token_requests);
  set_count (structure, "bytes-sent", counts->bytes_sent - base->bytes_sent);
  set_count (structure, "bytes-received", counts->bytes_received - base->bytes_received);
  set_count (structure, "connected-time", (connected - base->connected_time) * GST_USECOND);
  set_count (structure, "session-time", session * GST_USECOND);
}

static void
add_durations (GstStructure *structure, const FalStats *stats)
{
  const struct {
    const gchar *name;
    const FalPercentiles *series;
    guint percent;
  } rows[] = {
    { "round-trip-min", &stats->round_trip, 0 },
    { "round-trip-p50", &stats->round_trip, 50 },
    { "round-trip-p95", &stats->round_trip, 95 },
    { "round-trip-p99", &stats->round_trip, 99 },
    { "encode-p50", &stats->encode, 50 },
    { "decode-p50", &stats->decode, 50 },
    { "age-p50", &stats->age, 50 },
    { "age-p95", &stats->age, 95 },
    { "age-p99", &stats->age, 99 },
  };

  set_ms (structure, "round-trip-last", fal_percentiles_get_last (&stats->round_trip));
  set_ms (structure, "inference-last", stats->inference_last * 1000);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    set_ms (structure, rows[i].name, fal_percentiles_get (rows[i].series, rows[i].percent));
}

GstStructure *
fal_stats_to_structure (const FalStats *stats, const FalPacer *pacer, gint64 now)
{
  GstStructure *structure = gst_structure_new_empty ("application/x-fal-realtime-stats");

  add_frames (structure, pacer);
  set_count (structure, "results", stats->results);
  set_count (structure, "results-late", stats->late);
  set_count (structure, "results-invalid", stats->invalid);
  set_count (structure, "frames-out", stats->out);
  set_count (structure, "frames-passed", stats->passed);
  set_count (structure, "frames-filled", stats->filled);
  add_connection (structure, stats, now);
  add_durations (structure, stats);
  return structure;
}
