/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Several connections: a stream's frames are spread over so many runners, and its results come in
 * order all the same. */
#include "pipeline-fixture.h"
#include <string.h>

#define SPREAD "connections=4 "

static guint64
get (const GstStructure *structure, const gchar *name)
{
  guint64 value;

  g_assert_true (gst_structure_get_uint64 (structure, name, &value));
  return value;
}

/* ---- what is read of each ---- */

static const GstStructure *
nth (const GstStructure *stats, guint i)
{
  const GValue *list = gst_structure_get_value (stats, "connections-list");

  g_assert_cmpuint (gst_value_list_get_size (list), >, i);
  return gst_value_get_structure (gst_value_list_get_value (list, i));
}

static guint
count_listed (const GstStructure *stats)
{
  return gst_value_list_get_size (gst_structure_get_value (stats, "connections-list"));
}

static guint64
sum (const GstStructure *stats, const gchar *name)
{
  guint64 all = 0;

  for (guint i = 0; i < count_listed (stats); i++)
    all += get (nth (stats, i), name);
  return all;
}

/* In one look the connections' figures are those of the stream. */
static void
check_sums (GstElement *element, guint connections)
{
  g_autoptr (GstStructure) stats = NULL;

  g_object_get (element, "stats", &stats, NULL);
  g_assert_cmpuint (count_listed (stats), ==, connections);
  g_assert_cmpuint (sum (stats, "sent"), ==, get (stats, "frames-sent"));
  g_assert_cmpuint (sum (stats, "answered"), ==, get (stats, "answered"));
  g_assert_cmpuint (sum (stats, "in-flight"), ==, get (stats, "in-flight"));
  g_assert_cmpuint (sum (stats, "connections"), ==, get (stats, "connections"));
  g_assert_cmpuint (sum (stats, "connected-time"), ==, get (stats, "connected-time"));
}

/* How many frames went over connection @i; and the name of its state. */
static guint64
get_sent (GstElement *element, guint i)
{
  g_autoptr (GstStructure) stats = NULL;

  g_object_get (element, "stats", &stats, NULL);
  return get (nth (stats, i), "sent");
}

static gchar *
dup_state (GstElement *element, guint i)
{
  g_autoptr (GstStructure) stats = NULL;

  g_object_get (element, "stats", &stats, NULL);
  return g_strdup (gst_structure_get_string (nth (stats, i), "state"));
}

static gboolean
is_in (GstElement *element, guint i, const gchar *state)
{
  g_autofree gchar *now = dup_state (element, i);

  return g_str_equal (now, state);
}

static void
test_each_connection_has_its_figures (void)
{
  const FalServerOptions options = { .delay_ms = 1 };
  g_autoptr (Fixture) f = fixture_new (&options, SPREAD);

  fixture_set_size (f, 32, 32);
  check_sums (f->element, 4);
  for (guint n = 0; n < 40; n++) {
    fixture_push_and_pull (f, n);
    check_sums (f->element, 4);
  }
  WAIT_UNTIL (f->element, fal_server_get_open (f->server) == 4);
  for (guint i = 0; i < 4; i++)
    WAIT_UNTIL (
        f->element, is_in (f->element, i, "connected") || is_in (f->element, i, "warming-up"));
  g_signal_emit_by_name (f->element, "reset-stats");
  check_sums (f->element, 4);
  g_assert_cmpuint (fixture_stat (f, "connections"), ==, 0);
  fixture_push_and_pull (f, 40);
  check_sums (f->element, 4);
  g_assert_cmpuint (fixture_stat (f, "reconnections"), ==, 0);
}

static void
test_a_stream_with_one_connection_lists_that (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, "");

  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, 0);
  check_sums (f->element, 1);
  g_assert_true (is_in (f->element, 0, "connected"));
}

/* ---- files ---- */

/* Frames 0 to @n - 1 of a file, each with its result, in order. */
static void
push_all (Fixture *f, guint n)
{
  for (guint i = 0; i < n; i++)
    fixture_push_frame (f, i);
  fixture_push_end (f);
}

static void
pull_all (Fixture *f, guint n)
{
  for (guint i = 0; i < n; i++) {
    g_autoptr (GstBuffer) buffer = fixture_pull (f);

    g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, gst_util_uint64_scale (i, GST_SECOND, 30));
    fixture_check_books (f);
    check_sums (f->element, 4);
  }
  fixture_wait_for_end (f);
}

typedef struct {
  Fixture *f;
  guint n;
} Pushing;

static gpointer
push_main (gpointer data)
{
  const Pushing *pushing = data;

  push_all (pushing->f, pushing->n);
  return NULL;
}

static void
check_file (const FalServerOptions *options)
{
  g_autoptr (Fixture) f = fixture_new (options, SPREAD);
  Pushing pushing = { f, 120 };
  GThread *thread;

  fixture_set_size (f, 32, 32);
  thread = g_thread_new ("push", push_main, &pushing);
  pull_all (f, pushing.n);
  g_thread_join (thread);
  check_sums (f->element, 4);
  g_assert_cmpuint (fixture_stat (f, "answered"), ==, pushing.n);
  g_assert_cmpuint (fal_server_get_connections (f->server), ==, 4);
  for (guint i = 0; i < 4; i++)
    g_assert_cmpuint (get_sent (f->element, i), >, 0);
  fixture_expect_no_message (f);
}

static void
test_a_file_is_spread_and_stays_in_order (void)
{
  const FalServerOptions options = { .delay_ms = 20, .jitter_percent = 90 };

  check_file (&options);
}

static void
test_so_it_does_without_ids (void)
{
  const FalServerOptions options = {
    .delay_ms = 20, .jitter_percent = 90, .no_echo_request_id = TRUE
  };

  check_file (&options);
}

/* One runner takes fifty times as long: it gets fewer frames, and the others do not wait for it
 * more than the order needs. */
static void
test_a_slow_runner_of_a_file_gets_fewer (void)
{
  const FalServerOptions options = { .delay_ms = 20, .slowness = 50 };
  g_autoptr (Fixture) f = fixture_new (&options, SPREAD);
  Pushing pushing = { f, 120 };
  guint64 least = G_MAXUINT64, most = 0;
  GThread *thread;

  fixture_set_size (f, 32, 32);
  thread = g_thread_new ("push", push_main, &pushing);
  pull_all (f, pushing.n);
  g_thread_join (thread);
  for (guint i = 0; i < 4; i++) {
    least = MIN (least, get_sent (f->element, i));
    most = MAX (most, get_sent (f->element, i));
  }
  g_assert_cmpuint (least, >, 0);
  g_assert_cmpuint (3 * least, <, most);
}

/* What was out over the connection that dies goes over another one. */
static void
test_no_frame_of_a_file_is_lost_with_a_connection (void)
{
  const FalServerOptions options = { .delay_ms = 30 };
  g_autoptr (Fixture) f = fixture_new (&options, SPREAD "retry-delay=0 ");
  Pushing pushing = { f, 120 };
  g_autofree gchar *text = NULL;
  GThread *thread;

  fixture_set_size (f, 32, 32);
  thread = g_thread_new ("push", push_main, &pushing);
  WAIT_UNTIL (f->element, fal_server_get_open (f->server) == 4);
  WAIT_UNTIL (f->element, fal_server_get_requests (f->server) > 20);
  fal_server_cut (f->server, 2);
  pull_all (f, pushing.n);
  g_thread_join (thread);
  check_sums (f->element, 4);
  g_assert_cmpuint (fixture_stat (f, "answered"), ==, pushing.n);
  g_assert_cmpuint (fixture_stat (f, "lost"), ==, 0);
  text = fixture_take_trouble (f, GST_MESSAGE_WARNING);
  assert_says (text, " of 4: ");
  assert_says (text, "Trying again.");
}

/* ---- live ---- */

/* From this time on it counts: until then models are learnt, and delays found. */
#define SETTLED (2 * GST_SECOND)

typedef struct {
  GstElement *filter; /* whose statistics begin anew at SETTLED; NULL: they do not */
  GstClockTime last;
  guint n, backwards;
} Watch;

static GstPadProbeReturn
on_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
  Watch *watch = user;
  GstClockTime pts = GST_BUFFER_PTS (GST_PAD_PROBE_INFO_BUFFER (info));

  if (watch->filter != NULL && watch->last < SETTLED && pts >= SETTLED)
    g_signal_emit_by_name (watch->filter, "reset-stats");
  watch->backwards += watch->n > 0 && pts < watch->last;
  watch->last = pts;
  watch->n++;
  return GST_PAD_PROBE_OK;
}

#define CAMERA                                                                                     \
  "videotestsrc is-live=true num-buffers=150 ! video/x-raw,width=32,height=32,framerate=30/1"

static Pipeline *
play_live (const FalServerOptions *options, const gchar *properties, Watch *watch)
{
  Pipeline *p = pipeline_new (options, CAMERA, properties, "fakesink name=sink sync=true");
  GstElement *sink = pipeline_find (p, "sink");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (sink, "sink");

  watch->filter = p->filter;
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_buffer, watch, NULL);
  pipeline_play (p);
  return p;
}

/* Of three seconds four runners of 200 ms answer 60 frames, where one would answer 15. */
static void
test_live_frames_are_spread_evenly (void)
{
  const FalServerOptions options = { .delay_ms = 200 };
  Watch watch = { .n = 0 };
  g_autoptr (Pipeline) p = play_live (&options, SPREAD "throttle-interval=0", &watch);
  guint64 answered = pipeline_stat (p, "answered");

  check_sums (p->filter, 4);
  g_assert_cmpuint (watch.backwards, ==, 0);
  g_assert_cmpuint (answered, >, 30);
  for (guint i = 0; i < 4; i++)
    g_assert_cmpuint (get_sent (p->filter, i), >, answered / 8);
}

/* Each keeps its frame's time, and each is in time, though the models differ by more than the time
 * between two frames. */
static void
check_in_time (const gchar *properties)
{
  const FalServerOptions options = { .delay_ms = 80, .jitter_percent = 80 };
  Watch watch = { .n = 0 };
  g_autofree gchar *all = g_strconcat (SPREAD "throttle-interval=0 ", properties, NULL);
  g_autoptr (Pipeline) p = play_live (&options, all, &watch);

  check_sums (p->filter, 4);
  g_assert_cmpuint (watch.backwards, ==, 0);
  g_test_message ("%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " are late",
      pipeline_stat (p, "results-late"), pipeline_stat (p, "answered"));
  g_assert_cmpuint (
      pipeline_stat (p, "results-late"), <=, PATIENCE * pipeline_stat (p, "answered") / 10);
}

static void
test_a_fixed_latency_puts_results_in_order (void)
{
  check_in_time ("latency=1500");
}

static void
test_a_delay_that_is_found_puts_them_in_order (void)
{
  check_in_time ("latency-mode=auto");
}

/* A runner dies: what was out is lost, and the stream goes on over the others. */
static void
test_live_the_stream_goes_on_over_the_others (void)
{
  const FalServerOptions options = { .delay_ms = 20, .most_connections = 4 };
  g_autoptr (Fixture) f = fixture_new_live (&options, SPREAD "timestamp-mode=input");
  guint n = 0;
  g_autofree gchar *text = NULL;

  fixture_set_size (f, 32, 32);
  REPEAT_UNTIL (f->element, fal_server_get_open (f->server) == 4, fixture_push_frame (f, n++));
  fal_server_cut (f->server, 3);
  text = fixture_take_trouble (f, GST_MESSAGE_WARNING);
  assert_says (text, " of 4: ");
  g_signal_emit_by_name (f->element, "reset-stats");
  REPEAT_UNTIL (f->element, fixture_stat (f, "answered") >= 20, fixture_push_frame (f, n++));
  check_sums (f->element, 4);
  g_assert_cmpuint (fal_server_get_open (f->server), ==, 3);
}

/* Two are refused for good: the stream goes on over those that are let in, and one WARNING each
 * says so. */
static void
test_those_that_are_refused_are_left_out (void)
{
  const FalServerOptions options = { .most_connections = 2 };
  g_autoptr (Fixture) f = fixture_new (&options, SPREAD "retries=0");
  guint n = 0;

  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, n++);
  for (guint i = 0; i < 2; i++) {
    g_autofree gchar *text = fixture_take_trouble (f, GST_MESSAGE_WARNING);

    assert_says (text, " of 4: ");
    assert_says (text, "Going on with the other connections.");
  }
  for (; n < 20; n++)
    fixture_push_and_pull (f, n);
  g_assert_cmpstr (fixture_get_state (f), ==, "connected");
  fixture_expect_no_message (f);
}

/* All are refused alike: one ERROR says so, and nothing else. */
static void
test_where_all_are_refused_it_is_told_once (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, SPREAD);
  g_autofree gchar *text = NULL;

  fal_server_set_refusal (f->server, 404);
  fixture_set_size (f, 32, 32);
  text = fixture_push_into_error (f);
  assert_says (text, "404");
  fixture_expect_no_message (f);
}

/* An outage of all is one outage. */
static void
test_an_outage_of_all_is_told_once (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, SPREAD "timestamp-mode=input");
  guint n = 0;
  g_autofree gchar *text = NULL;

  fixture_set_size (f, 32, 32);
  REPEAT_UNTIL (f->element, fal_server_get_open (f->server) == 4, fixture_push_frame (f, n++));
  fal_server_close (f->server, 0, NULL);
  text = fixture_take_trouble (f, GST_MESSAGE_WARNING);
  REPEAT_UNTIL (
      f->element, fal_server_get_connections (f->server) == 8, fixture_push_frame (f, n++));
  fixture_expect_no_message (f);
}

/* ---- what is paid for ---- */

static void
test_where_no_frame_comes_all_are_closed (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, SPREAD "timestamp-mode=input idle-timeout=20");

  fixture_set_size (f, 32, 32);
  for (guint n = 0; n < 3; n++) {
    fixture_push_and_pull (f, n);
    fixture_wait_until_closed (f);
  }
  fixture_expect_no_message (f);
}

/* Four connections for a second are four seconds. */
static void
test_the_session_limit_is_of_all_together (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, SPREAD "timestamp-mode=input session-limit=2");
  g_autofree gchar *text = NULL;
  g_autoptr (GstEvent) end = NULL;
  guint64 time;

  fixture_set_size (f, 32, 32);
  fixture_push_frame (f, 0);
  text = fixture_take_trouble (f, GST_MESSAGE_WARNING);
  assert_says (text, "2 s");
  end = fixture_wait_for_event (f, GST_EVENT_EOS);
  WAIT_UNTIL (f->element, fal_server_get_open (f->server) == 0);
  time = fixture_stat (f, "connected-time");
  g_assert_cmpuint (time, >=, 2 * GST_SECOND);
  g_assert_cmpuint (fixture_stat (f, "session-time"), <, time);
}

/* A second of four costs as much as four seconds of one. */
static void
test_the_cost_is_that_of_all_together (void)
{
  g_autoptr (Fixture) f =
      fixture_new_live (NULL, SPREAD "timestamp-mode=input price-per-second=1 budget=2");
  g_autofree gchar *text = NULL;
  g_autoptr (GstEvent) end = NULL;
  g_autoptr (GstStructure) stats = NULL;
  gdouble cost;

  fixture_set_size (f, 32, 32);
  fixture_push_frame (f, 0);
  text = fixture_take_trouble (f, GST_MESSAGE_WARNING);
  assert_says (text, "budget of 2");
  end = fixture_wait_for_event (f, GST_EVENT_EOS);
  WAIT_UNTIL (f->element, fal_server_get_open (f->server) == 0);
  WAIT_UNTIL (f->element, is_in (f->element, 0, "idle"));
  g_object_get (f->element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_double (stats, "cost", &cost));
  g_assert_cmpfloat (cost, >=, 2);
  g_assert_cmpfloat_with_epsilon (cost, get (stats, "connected-time") / (gdouble) GST_SECOND, 0.1);
}

static void
test_each_connection_has_a_token_of_its_own (void)
{
  const FalServerOptions options = { .api_key = "id:secret" };
  g_autoptr (FalServer) server = fixture_start_server (&options);
  g_autofree gchar *uri = g_strdup (fal_server_get_uri (server) + strlen ("ws"));
  g_autofree gchar *properties =
      g_strdup_printf (SPREAD "auth=token api-key=id:secret token-uri=http%s/tokens/", uri);
  g_autoptr (Fixture) f = fixture_join (server, properties);

  fixture_push_and_pull (f, 0);
  WAIT_UNTIL (f->element, fal_server_get_open (server) == 4);
  g_assert_cmpuint (fal_server_get_token_requests (server), ==, 4);
  fixture_wait_for_stat (f, "token-requests", 4);
}

/* ---- elements that share them ---- */

static void
test_members_of_a_key_share_all_connections (void)
{
  const FalServerOptions options = { .effect = "echo" };
  g_autoptr (FalServer) server = fixture_start_server (&options);
  g_autoptr (Fixture) a = fixture_join (server, "connection-key=spread connections=3");
  g_autoptr (Fixture) b = fixture_join (server, "connection-key=spread connections=3");

  for (guint n = 0; n < 30; n++) {
    fixture_push_colour (a, 0xc02020, n);
    fixture_push_colour (b, 0x2020c0, n);
    for (guint i = 0; i < 2; i++) {
      Fixture *f = i ? b : a;
      g_autoptr (GstBuffer) buffer = fixture_pull (f);

      g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, gst_util_uint64_scale (n, GST_SECOND, 30));
      assert_colour (fixture_colour (f, buffer), i ? 0x2020c0 : 0xc02020, 8);
    }
  }
  g_assert_cmpuint (fal_server_get_connections (server), ==, 3);
}

static void
test_members_of_a_key_have_as_many (void)
{
  g_autoptr (FalServer) server = fixture_start_server (NULL);
  g_autoptr (Fixture) a = fixture_join (server, "connection-key=many connections=3");
  g_autofree gchar *other =
      g_strdup_printf ("falrealtimefilter base-uri=%s app=test/app/image connection-key=many "
                       "connections=2",
          fal_server_get_uri (server));
  g_autofree gchar *text = take_refusal (other);

  assert_says (text, "connections");
  fixture_push_and_pull (a, 0);
}

/* ---- apps with state ---- */

static void
test_an_app_with_state_refuses_several (void)
{
  static const struct {
    const gchar *properties, *says;
  } cases[] = {
    { "app=a/b block-size=4", "block-size" },
    { "app=a/b server-streaming=true", "server-streaming" },
    { "app=a/b feedback-fields=state", "feedback-fields" },
    { "app=a/b start-fields=picture", "start-fields" },
    { "app=fal-ai/krea-wan-14b", "block-size" },
    { "app=fal-ai/live-portrait", "feedback-fields" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree gchar *description = g_strdup_printf (
        "falrealtimefilter base-uri=ws://127.0.0.1:1 connections=2 %s", cases[i].properties);
    g_autofree gchar *text = take_refusal (description);

    assert_says (text, cases[i].says);
    assert_says (text, "Set connections=1.");
  }
}

/* ---- the end ---- */

static void
test_it_goes_to_null_at_once_from_sixteen (void)
{
  const FalServerOptions options = { .delay_ms = 1000 };
  g_autoptr (Fixture) f = fixture_new_live (&options, "connections=16 timestamp-mode=input");

  fixture_set_size (f, 32, 32);
  fixture_push_frame (f, 0);
  WAIT_UNTIL (f->element, fal_server_get_open (f->server) == 16);
  EXPECT_WITHIN (250 * G_TIME_SPAN_MILLISECOND, gst_element_set_state (f->element, GST_STATE_NULL));
  WAIT_UNTIL (f->element, fal_server_get_open (f->server) == 0);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
#define ADD(name) g_test_add_func ("/connections/" #name, test_##name)
  ADD (each_connection_has_its_figures);
  ADD (a_stream_with_one_connection_lists_that);
  ADD (a_file_is_spread_and_stays_in_order);
  ADD (so_it_does_without_ids);
  ADD (a_slow_runner_of_a_file_gets_fewer);
  ADD (no_frame_of_a_file_is_lost_with_a_connection);
  ADD (live_frames_are_spread_evenly);
  ADD (a_fixed_latency_puts_results_in_order);
  ADD (a_delay_that_is_found_puts_them_in_order);
  ADD (live_the_stream_goes_on_over_the_others);
  ADD (those_that_are_refused_are_left_out);
  ADD (where_all_are_refused_it_is_told_once);
  ADD (an_outage_of_all_is_told_once);
  ADD (where_no_frame_comes_all_are_closed);
  ADD (the_session_limit_is_of_all_together);
  ADD (the_cost_is_that_of_all_together);
  ADD (each_connection_has_a_token_of_its_own);
  ADD (members_of_a_key_share_all_connections);
  ADD (members_of_a_key_have_as_many);
  ADD (an_app_with_state_refuses_several);
  ADD (it_goes_to_null_at_once_from_sixteen);
  return fixture_run ();
}
