/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stream ends once, whatever goes on meanwhile, and by itself where its time is over. */
#include "output-log.h"
#include <string.h>

static void
wait_for_no_answer (Fixture *f)
{
  fal_server_set_mute (f->server, TRUE);
  fixture_push_frame (f, 0);
  fixture_wait_for_stat (f, "in-flight", 1);
}

static void
refuse (Fixture *f)
{
  fal_server_set_refusal (f->server, 503);
  fixture_push_frame (f, 0);
}

static void
wait_in_backoff (Fixture *f)
{
  refuse (f);
  gst_message_unref (fixture_wait_for_message (f, GST_MESSAGE_WARNING));
}

static void
wait_after_an_outage (Fixture *f)
{
  fixture_push_and_pull (f, 0);
  fal_server_set_refusal (f->server, 503);
  fal_server_close (f->server, 1012, "restarting");
  gst_message_unref (fixture_wait_for_message (f, GST_MESSAGE_WARNING));
  fixture_push_frame (f, 1);
}

static void
wait_for_the_fallback (Fixture *f)
{
  guint n = 0;

  fal_server_set_mute (f->server, TRUE);
  REPEAT_UNTIL (f->element, fixture_stat (f, "frames-filled") > 0, fixture_push_frame (f, n++));
}

static void
flush_away (Fixture *f)
{
  wait_for_no_answer (f);
  fixture_flush (f);
}

static void
disable (Fixture *f)
{
  fixture_push_and_pull (f, 0);
  g_object_set (f->element, "enabled", FALSE, NULL);
  fixture_push_frame (f, 1);
}

static void
end_many (Fixture *f)
{
  for (guint n = 0; n < 4; n++)
    fixture_push_frame (f, n);
}

/* GStreamer itself lets no second EOS through: the element tells of each end that it means. */
static void
count_end (GObject *element, GParamSpec *spec, gpointer ends)
{
  g_atomic_int_inc ((gint *) ends);
}

/* All that came out ends with one EOS, down to NULL. */
static void
check_that_it_ended_once (Fixture *f, OutputLog *log, gint *ends)
{
  g_autofree gchar *text = NULL;

  gst_element_set_state (f->harness->element, GST_STATE_NULL);
  text = output_log_dup (log);
  g_assert_true (g_str_has_suffix (text, "eos"));
  g_assert_cmpuint (output_log_count (log, "eos"), ==, 1);
  g_assert_cmpint (g_atomic_int_get (ends), ==, 1);
}

typedef struct {
  const gchar *name;
  void (*prepare) (Fixture *f); /* NULL: nothing came before the end */
  const gchar *properties;
} Ending;

static const Ending endings[] = {
  { "before-any-frame", NULL, "" },
  { "with-a-frame-that-is-not-answered", wait_for_no_answer, "" },
  { "with-many-under-way", end_many, "max-in-flight=4 max-buffering=4" },
  { "while-connecting", refuse, "" },
  { "in-a-backoff", wait_in_backoff, "" },
  { "offline-after-results", wait_after_an_outage, "" },
  { "in-an-outage-that-is-filled", wait_for_the_fallback,
      "fallback=passthrough fallback-timeout=50" },
  { "after-a-flush", flush_away, "" },
  { "where-frames-pass", disable, "" },
};

static void
check_ending (const Ending *ending, gboolean live)
{
  g_autofree gchar *properties = g_strdup_printf (
      "drain-timeout=100 retry-delay=60000 max-retry-delay=60000 %s", ending->properties);
  g_autoptr (Fixture) f =
      live ? fixture_new_live (NULL, properties) : fixture_new (NULL, properties);
  g_autoptr (OutputLog) log = output_log_new (f->harness->sinkpad);
  gint ends = 0;

  g_signal_connect (f->element, "notify::stats", G_CALLBACK (count_end), &ends);
  if (ending->prepare) {
    fixture_set_size (f, 32, 32);
    ending->prepare (f);
  }
  gst_harness_push_event (f->harness, gst_event_new_eos ());
  output_log_wait_for (log, "eos", 1);
  check_that_it_ended_once (f, log, &ends);
  g_assert_null (gst_bus_pop_filtered (f->bus, GST_MESSAGE_ERROR));
}

/* Time is filled only where the stream is live. */
static void
test_ending (gconstpointer data)
{
  const Ending *ending = data;

  check_ending (ending, TRUE);
  if (ending->prepare != wait_for_the_fallback)
    check_ending (ending, FALSE);
}

/* A fixture_flush begins anew: the stream ends again. */
static void
test_each_flush_may_be_followed_by_an_end (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, "drain-timeout=100");
  g_autoptr (OutputLog) log = output_log_new (f->harness->sinkpad);

  fixture_set_size (f, 32, 32);
  for (guint round = 1; round <= 3; round++) {
    fixture_flush (f);
    fixture_push_frame (f, 0);
    gst_harness_push_event (f->harness, gst_event_new_eos ());
    output_log_wait_for (log, "eos", round);
  }
  g_assert_cmpuint (output_log_count (log, "eos"), ==, 3);
}

/* ---- by itself ---- */

#define NUMBER 77

static void
expect_one_warning (Fixture *f)
{
  gst_message_unref (fixture_wait_for_message (f, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR));
  fixture_expect_no_message (f);
}

static void
push_until_it_ends (Fixture *f)
{
  GstFlowReturn flow = GST_FLOW_OK;
  guint n = 0;

  REPEAT_UNTIL (f->element, flow != GST_FLOW_OK,
      flow = gst_harness_push (f->harness, fixture_frame (32, 32, 0, n++)));
  g_assert_cmpint (flow, ==, GST_FLOW_EOS);
}

/* Upstream hears of it with its next frame, and the end that it sends then is no second one. */
static void
test_the_session_limit_ends_the_stream_once (void)
{
  for (guint live = 0; live < 2; live++) {
    g_autoptr (Fixture) f =
        live ? fixture_new_live (NULL, "session-limit=1") : fixture_new (NULL, "session-limit=1");
    g_autoptr (OutputLog) log = output_log_new (f->harness->sinkpad);
    g_autoptr (GstEvent) event = NULL;
    gint ends = 0;

    g_signal_connect (f->element, "notify::stats", G_CALLBACK (count_end), &ends);
    fixture_begin_numbered (f, NUMBER);
    push_until_it_ends (f);
    output_log_wait_for (log, "eos", 1);
    event = output_log_get_event (log, GST_EVENT_EOS);
    g_assert_cmpuint (gst_event_get_seqnum (event), ==, NUMBER);
    expect_one_warning (f);
    gst_harness_push_event (f->harness, gst_event_new_eos ());
    g_assert_cmpint (gst_harness_push (f->harness, fixture_frame (32, 32, 0, 0)), ==, GST_FLOW_EOS);
    check_that_it_ended_once (f, log, &ends);
    fixture_expect_no_message (f);
  }
}

/* The end waits for a result that never comes: the limit ends the wait. */
static void
test_the_session_limit_comes_after_upstreams_end (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, "session-limit=1 drain-timeout=0 request-timeout=0");
  g_autoptr (OutputLog) log = output_log_new (f->harness->sinkpad);
  gint ends = 0;

  g_signal_connect (f->element, "notify::stats", G_CALLBACK (count_end), &ends);
  fixture_set_size (f, 32, 32);
  wait_for_no_answer (f);
  gst_harness_push_event (f->harness, gst_event_new_eos ());
  g_assert_cmpuint (output_log_count (log, "eos"), ==, 0);
  output_log_wait_for (log, "eos", 1);
  expect_one_warning (f);
  check_that_it_ended_once (f, log, &ends);
}

/* The connection outlives its stream, until its time is over. */
static void
test_the_session_limit_ends_no_stream_that_ended (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, "session-limit=1");
  g_autoptr (OutputLog) log = output_log_new (f->harness->sinkpad);
  gint ends = 0;

  g_signal_connect (f->element, "notify::stats", G_CALLBACK (count_end), &ends);
  fixture_set_size (f, 32, 32);
  fixture_push_frame (f, 0);
  gst_harness_push_event (f->harness, gst_event_new_eos ());
  output_log_wait_for (log, "eos", 1);
  expect_one_warning (f);
  check_that_it_ended_once (f, log, &ends);
}

static void
count_results (GstElement *element, GstStructure *result, gint *n)
{
  g_atomic_int_inc (n);
}

/* An app that streams may say more about a request whose stream is over: that is taken by nobody. A
 * new stream begins anew. */
static void
test_nothing_follows_the_end (void)
{
  const gchar *json = "{\"images\":[\"YWJj\"],\"request_id\":\"frame-1\"}";
  g_autoptr (GBytes) further = g_bytes_new_static (json, strlen (json));
  g_autoptr (Fixture) f = fixture_new (NULL, NULL);
  gint results = 0;

  g_signal_connect (f->element, "result", G_CALLBACK (count_results), &results);
  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, 0);
  fixture_push_end (f);
  fixture_wait_for_end (f);
  fal_server_send (f->server, further, TRUE);
  fixture_wait_for_stat (f, "results-late", 1);
  g_assert_cmpuint (fixture_stat (f, "results"), ==, 1);
  g_assert_cmpint (g_atomic_int_get (&results), ==, 1);
  fixture_push_event (f, gst_event_new_stream_start ("next"));
  fixture_set_size (f, 32, 32);
  fixture_push_segment (f);
  fixture_push_and_pull (f, 1);
  fixture_wait_for_stat (f, "frames-out", 2);
  g_assert_cmpint (g_atomic_int_get (&results), ==, 2);
  fixture_expect_no_message (f);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (endings); i++) {
    g_autofree gchar *path = g_strdup_printf ("/end-of-stream/once/%s", endings[i].name);

    g_test_add_data_func (path, &endings[i], test_ending);
  }
#define ADD(name) g_test_add_func ("/end-of-stream/" #name, test_##name)
  ADD (nothing_follows_the_end);
  ADD (each_flush_may_be_followed_by_an_end);
  ADD (the_session_limit_ends_the_stream_once);
  ADD (the_session_limit_comes_after_upstreams_end);
  ADD (the_session_limit_ends_no_stream_that_ended);
  return fixture_run ();
}
