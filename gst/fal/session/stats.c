/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The statistics as an application reads them. The session's mutex is held meanwhile, so that the
 * counts always add up. */
#include "stats.h"

guint64
fal_stats_count_dropped (const FalPacer *pacer)
{
  const FalPacerCounts *counts = fal_pacer_get_counts (pacer);

  return counts->dropped_throttled + counts->dropped_replaced + counts->dropped_offline +
         counts->dropped_flushed + counts->dropped_invalid + counts->dropped_absent +
         counts->dropped_unchanged;
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
  set_count (structure, "dropped-invalid", counts->dropped_invalid);
  set_count (structure, "dropped-absent", counts->dropped_absent);
  set_count (structure, "dropped-unchanged", counts->dropped_unchanged);
  set_count (structure, "answered", counts->answered);
  set_count (structure, "failed", counts->failed);
  set_count (structure, "expired", counts->expired);
  set_count (structure, "lost", counts->lost);
  set_count (structure, "requests-repeated", counts->repeated);
}

/* For how long it was connected since @base, µs. */
static gint64
get_connected_time (const FalConnectionCounts *counts, const FalConnectionCounts *base, gint64 now)
{
  gint64 open = counts->connected_since != 0 ? now - counts->connected_since : 0;

  return counts->connected_time + open - base->connected_time;
}

static void
add_connection (GstStructure *structure, const FalStats *stats, gint64 now)
{
  const FalConnectionCounts *counts = &stats->connection;
  const FalConnectionCounts *base = &stats->connection_base;
  gint64 session = stats->started ? now - stats->started : stats->run_time;

  gst_structure_set (structure, "connection-shared", G_TYPE_BOOLEAN, stats->shared, NULL);
  set_count (structure, "connections", counts->connections - base->connections);
  set_count (
      structure, "reconnections", counts->connections - MAX (base->connections, stats->opened));
  set_count (structure, "token-requests", counts->token_requests - base->token_requests);
  set_count (structure, "bytes-sent", counts->bytes_sent - base->bytes_sent);
  set_count (structure, "bytes-received", counts->bytes_received - base->bytes_received);
  set_count (structure, "connected-time", get_connected_time (counts, base, now) * GST_USECOND);
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
  set_ms (structure, "age-last", fal_percentiles_get_last (&stats->age));
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
  set_count (structure, "fields-dropped", stats->fields_dropped);
  set_count (structure, "results-foreign", stats->foreign);
  set_count (structure, "messages-ignored", stats->ignored);
  set_count (structure, "frames-out", stats->out);
  set_count (structure, "frames-passed", stats->passed);
  set_count (structure, "frames-filled", stats->filled);
  set_count (structure, "frames-repeated", stats->repeated);
  set_count (structure, "frames-between", stats->between);
  set_count (structure, "frames-held", stats->held);
  set_ms (structure, "playout-delay", stats->playout_delay);
  set_count (structure, "playout-changes", stats->playout_changes);
  gst_structure_set (structure, "cost", G_TYPE_DOUBLE, stats->cost, NULL);
  add_connection (structure, stats, now);
  add_durations (structure, stats);
  return structure;
}

static GstStructure *
describe_lane (
    const FalLaneStats *stats, FalDialerState state, const FalPacerLane *lane, gint64 now)
{
  GstStructure *structure = gst_structure_new_empty ("connection");

  gst_structure_set (structure, "state", G_TYPE_STRING, fal_dialer_state_get_name (state), NULL);
  set_count (structure, "sent", lane->sent);
  set_count (structure, "answered", lane->answered);
  set_count (structure, "in-flight", lane->in_flight);
  set_ms (structure, "round-trip-last", fal_percentiles_get_last (&stats->round_trip));
  set_ms (structure, "round-trip-p50", fal_percentiles_get (&stats->round_trip, 50));
  set_count (structure, "connections", stats->counts.connections - stats->base.connections);
  set_count (structure, "connected-time",
      get_connected_time (&stats->counts, &stats->base, now) * GST_USECOND);
  return structure;
}

void
fal_stats_add_lane (GstStructure *structure, const FalLaneStats *stats, FalDialerState state,
    const FalPacer *pacer, guint lane, gint64 now)
{
  g_auto (GValue) list = G_VALUE_INIT, item = G_VALUE_INIT;
  const GValue *before = gst_structure_get_value (structure, "connections-list");
  FalPacerLane view;

  g_value_init (&list, GST_TYPE_LIST);
  if (before != NULL)
    g_value_copy (before, &list);
  fal_pacer_get_lane (pacer, lane, &view);
  g_value_init (&item, GST_TYPE_STRUCTURE);
  g_value_take_boxed (&item, describe_lane (stats, state, &view, now));
  gst_value_list_append_value (&list, &item);
  gst_structure_set_value (structure, "connections-list", &list);
}

void
fal_stats_sum_connection (FalConnectionCounts *sum, const FalConnectionCounts *counts, gint64 now)
{
  const FalConnectionCounts none = { 0 };

  sum->connections += counts->connections;
  sum->token_requests += counts->token_requests;
  sum->bytes_sent += counts->bytes_sent;
  sum->bytes_received += counts->bytes_received;
  sum->connected_time += get_connected_time (counts, &none, now);
}
