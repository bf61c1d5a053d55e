/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What limits, from figures as the element gives them. No clock: a row is two seconds. */
#include "diagnosis.h"
#include <string.h>

/* What two seconds brought. Counts are all that row says; the rest is 0. */
typedef struct {
  const gchar *name;
  guint in, sent, throttled, answered, results, out, filled, in_flight;
  gdouble model, round_trip, encode, decode; /* ms */
  guint bytes_sent, bytes_received;
  guint throttle;  /* ms */
  guint receiving; /* ms of the two seconds */
  const gchar *connection;
  gboolean disabled, cut;
  LiveLimit limit;
  const gchar *word; /* of the sentence */
} Row;

static const Row rows[] = {
  { "off", .disabled = TRUE, .in = 60, .limit = LIVE_LIMIT_OFF, .word = "Off: " },
  { "cut", .cut = TRUE, .in = 60, .limit = LIVE_LIMIT_OFFLINE, .word = "you cut the network" },
  { "waiting", .connection = "waiting", .limit = LIVE_LIMIT_OFFLINE, .word = "tries again" },
  { "failed", .connection = "failed", .limit = LIVE_LIMIT_OFFLINE, .word = "given up" },
  { "connecting", .connection = "connecting", .limit = LIVE_LIMIT_OFFLINE, .word = "connecting" },
  { "no-camera", .limit = LIVE_LIMIT_NOTHING, .word = "no pictures" },
  { "loading", .connection = "warming-up", .in = 60, .sent = 1, .in_flight = 1, .throttle = 128,
      .throttled = 40, .limit = LIVE_LIMIT_MODEL, .word = "answered nothing for 2.0 s" },
  /* 128 ms are four frames of 33 ms: 133. */
  { "throttle", .in = 60, .sent = 15, .throttled = 45, .answered = 15, .results = 15, .out = 15,
      .model = 20, .round_trip = 45, .throttle = 128, .limit = LIVE_LIMIT_THROTTLE,
      .word = "every 128 ms, and the model needs only 20 ms" },
  { "throttle-and-a-slow-answer", .in = 60, .sent = 15, .throttled = 45, .answered = 15,
      .results = 15, .out = 15, .model = 355, .round_trip = 380, .throttle = 128,
      .limit = LIVE_LIMIT_THROTTLE, .word = "every 128 ms, and the model has answered them all" },
  { "throttle-of-an-app-that-tells-no-time", .in = 60, .sent = 15, .throttled = 45, .answered = 15,
      .results = 15, .out = 15, .round_trip = 45, .throttle = 128, .limit = LIVE_LIMIT_THROTTLE,
      .word = "does not say how long" },
  { "throttle-of-a-minute", .in = 60, .sent = 0, .throttled = 60, .model = 20, .throttle = 60000,
      .limit = LIVE_LIMIT_THROTTLE, .word = "60000 ms" },
  { "answers-without-pictures", .in = 60, .sent = 30, .limit = LIVE_LIMIT_MODEL,
      .word = "say why" },
  { "all-come-back", .in = 60, .sent = 60, .answered = 60, .results = 60, .out = 60, .model = 20,
      .round_trip = 44, .limit = LIVE_LIMIT_NOTHING,
      .word = "30 pictures a second all come back, 44 ms" },
  { "model", .in = 60, .sent = 20, .answered = 20, .results = 20, .out = 20, .model = 95,
      .round_trip = 130, .limit = LIVE_LIMIT_MODEL, .word = "needs 95 ms for a picture" },
  /* A throttle that lets more go than the model takes. */
  { "model-beside-a-throttle", .in = 60, .sent = 7, .throttled = 20, .answered = 7, .results = 7,
      .out = 7, .model = 270, .round_trip = 300, .throttle = 128, .limit = LIVE_LIMIT_MODEL,
      .word = "needs 270 ms" },
  { "model-that-tells-no-time", .in = 60, .sent = 10, .answered = 10, .results = 10, .out = 10,
      .round_trip = 230, .limit = LIVE_LIMIT_MODEL, .word = "an answer takes 230 ms" },
  { "uplink", .in = 60, .sent = 12, .answered = 12, .results = 12, .out = 12, .model = 20,
      .round_trip = 190, .bytes_sent = 492000, .receiving = 60, .limit = LIVE_LIMIT_UPLINK,
      .word = "A request has 41 kB" },
  { "downlink", .in = 60, .sent = 10, .answered = 10, .results = 10, .out = 10, .model = 20,
      .round_trip = 260, .bytes_received = 600000, .receiving = 1900, .limit = LIVE_LIMIT_DOWNLINK,
      .word = "answers of 60 kB come in without a pause, 300 kB" },
  /* The model is what bytes that trickle in wait for. */
  { "slow-model-whose-answers-trickle", .in = 60, .sent = 4, .answered = 4, .results = 4, .out = 4,
      .model = 480, .round_trip = 500, .receiving = 1900, .limit = LIVE_LIMIT_MODEL,
      .word = "needs 480 ms" },
  { "encoding", .in = 60, .sent = 20, .answered = 20, .results = 20, .out = 20, .model = 20,
      .round_trip = 140, .encode = 90, .limit = LIVE_LIMIT_ENCODING, .word = "machine 90 ms" },
  { "decoding", .in = 60, .sent = 40, .answered = 40, .results = 40, .out = 20, .model = 20,
      .round_trip = 60, .decode = 95, .limit = LIVE_LIMIT_DECODING,
      .word = "takes this machine 95 ms, so that it shows 10 a second of the 20" },
  { "sink", .in = 60, .sent = 40, .answered = 40, .results = 40, .out = 10, .model = 20,
      .round_trip = 60, .decode = 2, .limit = LIVE_LIMIT_SINK,
      .word = "takes 5.0 pictures a second of the 20" },
  /* What fills in is no result. */
  { "sink-with-a-fallback", .in = 60, .sent = 40, .answered = 40, .results = 40, .out = 70,
      .filled = 60, .model = 20, .round_trip = 60, .decode = 2, .limit = LIVE_LIMIT_SINK,
      .word = "takes 5.0 pictures" },
  { "nothing-stands-out", .in = 60, .sent = 40, .answered = 40, .results = 40, .out = 40,
      .model = 5, .round_trip = 8, .limit = LIVE_LIMIT_NOTHING, .word = "stands out" },
};

#define COUNT(value) G_TYPE_UINT64, (guint64) (value)
#define BEFORE 1000 /* of each count */

static GstStructure *
make_before (void)
{
  static const gchar *const names[] = { "frames-in", "frames-sent", "dropped-throttled", "answered",
    "results", "frames-out", "frames-filled", "frames-passed", "bytes-sent", "bytes-received" };
  GstStructure *stats = gst_structure_new_empty ("stats");

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    gst_structure_set (stats, names[i], COUNT (BEFORE), NULL);
  return stats;
}

static GstStructure *
make_now (const Row *row)
{
  return gst_structure_new ("stats", "frames-in", COUNT (BEFORE + row->in), "frames-sent",
      COUNT (BEFORE + row->sent), "dropped-throttled", COUNT (BEFORE + row->throttled), "answered",
      COUNT (BEFORE + row->answered), "results", COUNT (BEFORE + row->results), "frames-out",
      COUNT (BEFORE + row->out), "frames-filled", COUNT (BEFORE + row->filled), "frames-passed",
      COUNT (BEFORE), "bytes-sent", COUNT (BEFORE + row->bytes_sent), "bytes-received",
      COUNT (BEFORE + row->bytes_received), "in-flight", COUNT (row->in_flight), "inference-last",
      G_TYPE_DOUBLE, row->model, "round-trip-last", G_TYPE_DOUBLE, row->round_trip, "encode-p50",
      G_TYPE_DOUBLE, row->encode, "decode-p50", G_TYPE_DOUBLE, row->decode, NULL);
}

static void
test_row (gconstpointer data)
{
  const Row *row = data;
  g_autoptr (GstStructure) before = make_before (), now = make_now (row);
  g_autofree gchar *sentence = NULL;
  const LiveSituation situation = { .before = before,
    .now = now,
    .time = 2 * G_TIME_SPAN_SECOND,
    .receiving = row->receiving * G_TIME_SPAN_MILLISECOND,
    .throttle = row->throttle,
    .enabled = !row->disabled,
    .network = !row->cut,
    .connection = row->connection ? row->connection : "connected" };
  LiveLimit limit = live_limit_find (&situation, &sentence);

  g_test_message ("%s", sentence);
  g_assert_cmpstr (live_limit_get_name (limit), ==, live_limit_get_name (row->limit));
  g_assert_nonnull (strstr (sentence, row->word));
  g_assert_true (g_str_has_suffix (sentence, "."));
}

/* Counts that began anew are no negative ones. */
static void
test_reset (void)
{
  const Row row = { .in = 60, .answered = 60, .results = 60, .out = 60, .model = 20 };
  g_autoptr (GstStructure) before = make_now (&row), now = make_before ();
  g_autofree gchar *sentence = NULL;
  const LiveSituation situation = { .before = before,
    .now = now,
    .time = 2 * G_TIME_SPAN_SECOND,
    .enabled = TRUE,
    .network = TRUE,
    .connection = "connected" };

  g_assert_cmpint (live_limit_find (&situation, &sentence), ==, LIVE_LIMIT_NOTHING);
}

/* ---- what is remembered ---- */

static GstStructure *
make_answered (guint answered)
{
  return gst_structure_new ("stats", "frames-in", COUNT (answered * 5), "frames-sent",
      COUNT (answered), "answered", COUNT (answered), "results", COUNT (answered), "frames-out",
      COUNT (answered), "inference-last", G_TYPE_DOUBLE, 20.0, "round-trip-last", G_TYPE_DOUBLE,
      300.0, NULL);
}

/* Ten looks a second for @seconds, with an answer every @interval ms; what the last one says. */
static LiveLimit
look_for (LiveDiagnosis *diagnosis, guint seconds, guint interval, gint64 *time, gchar **sentence)
{
  LiveLimit limit = LIVE_LIMIT_NOTHING;

  for (guint i = 0; i < seconds * 10; i++) {
    g_autoptr (GstStructure) now = make_answered (*time / 1000 / interval);
    LiveSituation situation = {
      .now = now, .enabled = TRUE, .network = TRUE, .connection = "connected"
    };

    *time += 100 * G_TIME_SPAN_MILLISECOND;
    g_clear_pointer (sentence, g_free);
    limit = live_diagnosis_look (diagnosis, &situation, *time, sentence);
  }
  return limit;
}

/* Five answers a second, whose bytes come at once: the pauses between them are no receiving. */
static void
test_pauses (void)
{
  g_autoptr (LiveDiagnosis) diagnosis = live_diagnosis_new ();
  g_autofree gchar *sentence = NULL;
  gint64 time = 0;

  for (guint answer = 0; answer < 25; answer++)
    for (guint packet = 0; packet < 30; packet++)
      live_diagnosis_note_received (diagnosis, answer * 200000 + packet * 100);
  g_assert_cmpint (look_for (diagnosis, 5, 200, &time, &sentence), ==, LIVE_LIMIT_UPLINK);
}

/* The same answers, whose bytes trickle in. */
static void
test_trickle (void)
{
  g_autoptr (LiveDiagnosis) diagnosis = live_diagnosis_new ();
  g_autofree gchar *sentence = NULL;
  gint64 time = 0;

  for (guint packet = 0; packet < 5000 / 6; packet++)
    live_diagnosis_note_received (diagnosis, packet * 6000);
  g_assert_cmpint (look_for (diagnosis, 5, 200, &time, &sentence), ==, LIVE_LIMIT_DOWNLINK);
}

/* A model that answers every two seconds is judged by more than two seconds. */
static void
test_rare_answers (void)
{
  g_autoptr (LiveDiagnosis) diagnosis = live_diagnosis_new ();
  g_autofree gchar *sentence = NULL;
  gint64 time = 0;

  look_for (diagnosis, 20, 2000, &time, &sentence);
  g_test_message ("%s", sentence);
  g_assert_nonnull (strstr (sentence, "0.5 pictures a second"));
}

int
main (int argc, char **argv)
{
  gst_init (NULL, NULL);
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *path = g_strconcat ("/limit/", rows[i].name, NULL);

    g_test_add_data_func (path, &rows[i], test_row);
  }
  g_test_add_func ("/limit/reset", test_reset);
  g_test_add_func ("/diagnosis/pauses", test_pauses);
  g_test_add_func ("/diagnosis/trickle", test_trickle);
  g_test_add_func ("/diagnosis/rare-answers", test_rare_answers);
  return g_test_run ();
}
