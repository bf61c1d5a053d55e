/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sample.h"

/* null where it is not known. */
static void
set_duration (GstStructure *to, const gchar *name, const GstStructure *stats, const gchar *field)
{
  gdouble value = 0;

  gst_structure_get_double (stats, field, &value);
  if (value > 0)
    gst_structure_set (to, name, G_TYPE_DOUBLE, value, NULL);
  else
    gst_structure_set (to, name, G_TYPE_STRING, NULL, NULL);
}

static GstStructure *
make_durations (const GstStructure *stats, const gchar *name)
{
  static const gchar *const parts[] = { "last", "p50", "p95" };
  GstStructure *map = gst_structure_new_empty ("map");

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++) {
    g_autofree gchar *field = g_strconcat (name, "-", parts[i], NULL);

    set_duration (map, parts[i], stats, field);
  }
  return map;
}

/* Pairs of a name on the page and of one in the statistics. */
typedef struct {
  const gchar *name, *field;
} Counter;

static GstStructure *
make_counters (const GstStructure *stats, const Counter *counters, guint n_counters)
{
  GstStructure *map = gst_structure_new_empty ("map");

  for (guint i = 0; i < n_counters; i++) {
    guint64 value = 0;

    gst_structure_get_uint64 (stats, counters[i].field, &value);
    gst_structure_set (map, counters[i].name, G_TYPE_UINT64, value, NULL);
  }
  return map;
}

static GstStructure *
make_all_counters (const GstStructure *stats)
{
  static const Counter counters[] = { { "frames-in", "frames-in" }, { "sent", "frames-sent" },
    { "answered", "answered" }, { "shown", "frames-out" }, { "in-flight", "in-flight" },
    { "failed", "failed" }, { "expired", "expired" }, { "lost", "lost" },
    { "late", "results-late" } };
  static const Counter dropped[] = { { "throttled", "dropped-throttled" },
    { "replaced", "dropped-replaced" }, { "offline", "dropped-offline" },
    { "flushed", "dropped-flushed" }, { "invalid", "dropped-invalid" },
    { "absent", "dropped-absent" }, { "unchanged", "dropped-unchanged" } };
  GstStructure *map = make_counters (stats, counters, G_N_ELEMENTS (counters));
  g_autoptr (GstStructure) drops = make_counters (stats, dropped, G_N_ELEMENTS (dropped));

  gst_structure_set (map, "dropped", GST_TYPE_STRUCTURE, drops, NULL);
  return map;
}

GstStructure *
live_sample_new (const GstStructure *stats, gint64 time, LiveLimit limit, const gchar *sentence)
{
  g_autoptr (GstStructure) age = make_durations (stats, "age");
  g_autoptr (GstStructure) round_trip = make_durations (stats, "round-trip");
  g_autoptr (GstStructure) counters = make_all_counters (stats);
  g_autoptr (GstStructure) judgement = gst_structure_new ("map", "by", G_TYPE_STRING,
      live_limit_get_name (limit), "sentence", G_TYPE_STRING, sentence, NULL);
  GstStructure *sample = gst_structure_new ("map", "type", G_TYPE_STRING, "sample", "time",
      G_TYPE_DOUBLE, time / (gdouble) G_TIME_SPAN_SECOND, "age", GST_TYPE_STRUCTURE, age,
      "round-trip", GST_TYPE_STRUCTURE, round_trip, "counters", GST_TYPE_STRUCTURE, counters,
      "limit", GST_TYPE_STRUCTURE, judgement, NULL);

  set_duration (sample, "model", stats, "inference-last");
  return sample;
}
