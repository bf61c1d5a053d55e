/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The shared state without net, codec or element: the test is each of the session's threads in
 * turn, and has a second one only where somebody is to wait.
 *
 * What is counted of locks and signals is told by watch-sync. */
#include "../settings/make-settings.h"
#include "fal/session/shared-state.h"
#include "watch-sync.h"

#include <unistd.h>

/* A test that hangs is ended by the alarm. */
#define WATCHDOG 100
/* A time to look at the socket that no test lives to see. */
#define FAR (g_get_monotonic_time () + 1000 * G_TIME_SPAN_SECOND)
#define NO_ORDER -1

typedef struct {
  FalSharedState *state;
  FalSettings *settings; /* the newest */
  GMainContext *context;
  GSource *wakeup; /* of the net thread; of no context */
  FalConnectionCounts counts;
} Fixture;

/* ---- the fixture ---- */

static void
set_up (Fixture *f, gboolean live, FalSettings *settings)
{
  static GSourceFuncs none;
  FalOrder *order;

  watch_sync_reset ();
  *f = (Fixture){ .settings = settings, .wakeup = g_source_new (&none, sizeof (GSource)) };
  f->context = g_main_context_new (); /* which nobody runs */
  g_source_attach (f->wakeup, f->context);
  f->state = fal_shared_state_new (settings);
  fal_shared_state_start (f->state);
  fal_shared_state_set_wakeup (f->state, f->wakeup);
  fal_shared_state_set_flushing (f->state, FALSE);
  fal_shared_state_set_upstream (f->state, live, 0);
  order = fal_shared_state_take_order (f->state);
  g_assert_cmpint (order->kind, ==, FAL_ORDER_CONFIGURE);
  fal_order_free (order);
  g_source_set_ready_time (f->wakeup, -1);
}

/* Frames drop, and two requests may be under way. */
static void
set_up_live (Fixture *f)
{
  set_up (f, TRUE, make_settings ("throttle-interval", "0", "max-in-flight", "2", NULL));
}

/* No frame is lost. */
static void
set_up_file (Fixture *f)
{
  set_up (f, FALSE, make_settings ("throttle-interval", "0", NULL));
}

static guint64
get_stat (Fixture *f, const gchar *name)
{
  g_autoptr (GstStructure) stats = fal_shared_state_get_stats (f->state);
  guint64 value;

  g_assert_true (gst_structure_get_uint64 (stats, name, &value));
  return value;
}

static guint64
get (const GstStructure *stats, const gchar *name)
{
  guint64 value;

  g_assert_true (gst_structure_get_uint64 (stats, name, &value));
  return value;
}

/* Each frame and each request is in exactly one place. */
static void
check_sums (Fixture *f)
{
  g_autoptr (GstStructure) s = fal_shared_state_get_stats (f->state);

  g_assert_cmpuint (get (s, "frames-in"), ==,
      get (s, "frames-sent") + get (s, "dropped-throttled") + get (s, "dropped-replaced") +
          get (s, "dropped-offline") + get (s, "dropped-flushed") + get (s, "dropped-invalid") +
          get (s, "dropped-absent") + get (s, "dropped-unchanged") + get (s, "frames-waiting"));
  g_assert_cmpuint (get (s, "frames-sent"), ==,
      get (s, "answered") + get (s, "failed") + get (s, "expired") + get (s, "lost") +
          get (s, "in-flight"));
}

static void
tear_down (Fixture *f)
{
  GPtrArray *drops;

  check_sums (f);
  fal_shared_state_stop (f->state);
  fal_shared_state_give_up (f->state);
  check_sums (f);
  g_assert_cmpuint (get_stat (f, "in-flight") + get_stat (f, "frames-waiting"), ==, 0);
  drops = fal_shared_state_take_drops (f->state);
  if (drops)
    g_ptr_array_unref (drops);
  fal_shared_state_free (f->state);
  fal_settings_unref (f->settings);
  g_source_destroy (f->wakeup);
  g_assert_cmpint (g_atomic_int_get (&f->wakeup->ref_count), ==, 1);
  g_source_unref (f->wakeup);
  g_main_context_unref (f->context);
}

/* ---- what the threads do ---- */

/* Sets a property; whom that concerned. */
static FalConcerns
set (Fixture *f, const gchar *name, const gchar *value)
{
  g_autoptr (FalSettings) old = f->settings;
  gboolean latency_changed;

  f->settings = settings_with (old, name, value);
  return fal_shared_state_update (f->state, f->settings, &latency_changed);
}

static FalFrame *
make_frame (guint n)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  g_autoptr (GstCaps) caps = gst_caps_new_empty_simple ("image/jpeg");
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  GST_BUFFER_PTS (buffer) = n * 33 * GST_MSECOND;
  return fal_frame_new (gst_sample_new (buffer, caps, &segment, NULL), g_get_monotonic_time ());
}

static GstFlowReturn
push (Fixture *f, guint n)
{
  return fal_shared_state_push (f->state, make_frame (n));
}

static gboolean
is_called (Fixture *f)
{
  return g_source_get_ready_time (f->wakeup) == 0;
}

/* The kind of the next order; NO_ORDER: there is none. */
static gint
take_order (Fixture *f)
{
  FalOrder *order;
  gint kind;

  g_source_set_ready_time (f->wakeup, -1);
  order = fal_shared_state_take_order (f->state);
  if (order == NULL)
    return NO_ORDER;
  kind = order->kind;
  fal_order_free (order);
  return kind;
}

static void
open_connection (Fixture *f)
{
  f->counts.connections++;
  f->counts.connected_since = g_get_monotonic_time ();
  fal_shared_state_note_opened (f->state, 0, &f->counts, NULL, TRUE);
}

static gboolean
end_connection (Fixture *f, gboolean fatal)
{
  f->counts.connected_since = 0;
  return fal_shared_state_note_ended (f->state, 0, &f->counts, fatal, TRUE);
}

/* What the send thread finds to do now; it waits for nothing. */
static FalWorkKind
find_work (Fixture *f, FalWork *work)
{
  g_assert_true (fal_shared_state_wait_for_work (f->state, 0, 0, work));
  return work->kind;
}

static void
finish (Fixture *f, FalWork *work, const gchar *message)
{
  fal_shared_state_finish_request (
      f->state, work, message ? g_bytes_new (message, strlen (message)) : NULL, 1000);
  fal_work_clear (work);
}

/* The send thread sends a frame; the request's id. */
static guint64
send_one (Fixture *f)
{
  gboolean sends_ids;
  FalWork work;
  guint64 id;

  g_assert_cmpint (find_work (f, &work), ==, FAL_WORK_REQUEST);
  fal_settings_unref (fal_shared_state_begin_request (f->state, &sends_ids));
  id = work.id;
  finish (f, &work, "request");
  return id;
}

/* The net thread has sent a frame that came and found a connection. */
static guint64
send_frame (Fixture *f, guint n)
{
  guint64 id;

  g_assert_cmpint (push (f, n), ==, GST_FLOW_OK);
  id = send_one (f);
  g_assert_cmpint (take_order (f), ==, FAL_ORDER_SEND);
  return id;
}

static FalReply *
parse (const gchar *json)
{
  g_autoptr (GBytes) message = g_bytes_new (json, strlen (json));
  g_autoptr (GError) error = NULL;
  FalReply *reply = fal_protocol_parse_reply (message, TRUE, NULL, NULL, &error);

  g_assert_no_error (error);
  return reply;
}

static const FalReception new_reply = { .running = GST_CLOCK_TIME_NONE };

static FalAnswer
answer_with (Fixture *f, const gchar *json)
{
  g_autoptr (FalReply) reply = parse (json);
  FalAnswer answer;

  fal_shared_state_answer (f->state, reply, &new_reply, &answer);
  return answer;
}

/* A picture for the request @id; 0: it says no id. */
static FalAnswer
answer (Fixture *f, guint64 id)
{
  g_autofree gchar *json =
      id ? g_strdup_printf (
               "{\"images\":[\"YWJj\"],\"request_id\":\"frame-%" G_GUINT64_FORMAT "\"}", id)
         : g_strdup ("{\"images\":[\"YWJj\"]}");

  return answer_with (f, json);
}

static void
output_clear (FalOutput *output)
{
  g_clear_pointer (&output->event, gst_event_unref);
  g_clear_pointer (&output->result, fal_result_free);
  g_clear_pointer (&output->settings, fal_settings_unref);
}

/* The pts of the result that goes out next, as a frame's number; it must be an answer. */
static guint
take_answer (Fixture *f)
{
  FalOutput output;
  guint n;

  fal_shared_state_wait_for_output (f->state, FALSE, &output);
  g_assert_nonnull (output.result);
  g_assert_cmpint (output.result->kind, ==, FAL_RESULT_ANSWER);
  g_assert_cmpuint (g_bytes_get_size (output.result->picture), ==, 3);
  n = output.result->frame->pts / (33 * GST_MSECOND);
  output_clear (&output);
  return n;
}

/* The type of the event that goes out next; *@missing: frames that the stream ends without. */
static GstEventType
take_event (Fixture *f, guint *missing)
{
  FalOutput output;
  GstEventType type;

  fal_shared_state_wait_for_output (f->state, FALSE, &output);
  g_assert_nonnull (output.event);
  type = GST_EVENT_TYPE (output.event);
  if (missing)
    *missing = output.missing;
  output_clear (&output);
  return type;
}

/* The frames that brought nothing, so far. */
static guint
count_drops (Fixture *f)
{
  g_autoptr (GPtrArray) drops = fal_shared_state_take_drops (f->state);

  return drops ? drops->len : 0;
}

/* ---- frames that come out each ---- */

/* None has its time over, but those that wait to be sent give way to newer ones. */
static void
set_up_all (Fixture *f)
{
  set_up (f, FALSE,
      make_settings ("throttle-interval", "0", "max-in-flight", "1", "leaky", "downstream",
          "composite", "over", "composite-frames", "all", NULL));
}

/* The next that goes out is of frame @n, of this kind. */
static void
expect_shown (Fixture *f, guint n, FalResultKind kind, guint weight)
{
  FalOutput output;

  fal_shared_state_wait_for_output (f->state, FALSE, &output);
  g_assert_nonnull (output.result);
  g_assert_cmpuint (output.result->frame->pts / (33 * GST_MSECOND), ==, n);
  g_assert_cmpint (output.result->kind, ==, kind);
  g_assert_nonnull (output.result->sample);
  g_assert_cmpuint (output.result->weight, ==, weight);
  g_assert_cmpint (output.mode, ==, FAL_TIMESTAMP_MODE_INPUT);
  output_clear (&output);
}

static void
test_with_all_a_dropped_frame_comes_out_and_is_not_told_of (void)
{
  Fixture f;
  guint64 id;

  set_up_all (&f);
  open_connection (&f);
  id = send_frame (&f, 0);
  push (&f, 1);
  push (&f, 2);
  push (&f, 4);
  g_assert_cmpuint (get_stat (&f, "dropped-replaced"), ==, 2);
  g_assert_cmpuint (count_drops (&f), ==, 0);
  g_assert_cmpuint (get_stat (&f, "frames-held"), ==, 4);
  answer (&f, id);
  expect_shown (&f, 0, FAL_RESULT_ANSWER, 0);
  id = send_one (&f);
  answer (&f, id);
  expect_shown (&f, 1, FAL_RESULT_BETWEEN, 64);
  expect_shown (&f, 2, FAL_RESULT_BETWEEN, 128);
  expect_shown (&f, 4, FAL_RESULT_ANSWER, 0);
  g_assert_cmpuint (get_stat (&f, "frames-held"), ==, 0);
  tear_down (&f);
}

static void
test_with_all_an_event_keeps_its_place (void)
{
  Fixture f;
  guint64 id;

  set_up_all (&f);
  open_connection (&f);
  id = send_frame (&f, 0);
  push (&f, 1);
  fal_shared_state_push_event (f.state, gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM, NULL));
  push (&f, 2);
  answer (&f, id);
  answer (&f, send_one (&f));
  expect_shown (&f, 0, FAL_RESULT_ANSWER, 0);
  expect_shown (&f, 1, FAL_RESULT_BETWEEN, 128);
  g_assert_cmpint (take_event (&f, NULL), ==, GST_EVENT_CUSTOM_DOWNSTREAM);
  expect_shown (&f, 2, FAL_RESULT_ANSWER, 0);
  tear_down (&f);
}

/* Those that wait get the last result, and what follows passes behind them. */
static void
test_with_all_frames_do_not_wait_once_the_model_is_switched_off (void)
{
  FalOutput output;
  Fixture f;
  guint64 id;

  set_up_all (&f);
  open_connection (&f);
  id = send_frame (&f, 0);
  push (&f, 1);
  answer (&f, id);
  expect_shown (&f, 0, FAL_RESULT_ANSWER, 0);
  set (&f, "enabled", "false");
  expect_shown (&f, 1, FAL_RESULT_BETWEEN, 0);
  push (&f, 2);
  fal_shared_state_wait_for_output (f.state, FALSE, &output);
  g_assert_cmpint (output.result->kind, ==, FAL_RESULT_PASS);
  output_clear (&output);
  tear_down (&f);
}

static void
test_with_all_the_end_comes_behind_every_frame (void)
{
  Fixture f;
  guint missing;

  set_up_all (&f);
  open_connection (&f);
  answer (&f, send_frame (&f, 0));
  push (&f, 1);
  set (&f, "drain-timeout", "1");
  fal_shared_state_push_event (f.state, gst_event_new_eos ());
  expect_shown (&f, 0, FAL_RESULT_ANSWER, 0);
  expect_shown (&f, 1, FAL_RESULT_BETWEEN, 0);
  g_assert_cmpint (take_event (&f, &missing), ==, GST_EVENT_EOS);
  g_assert_cmpuint (missing, ==, 0);
  tear_down (&f);
}

/* It is needed no more by one that is under way, but by one that is still to be sent. */
static void
test_with_all_a_frame_that_came_out_keeps_no_picture (void)
{
  FalFrame *frames[] = { make_frame (0), make_frame (1) };
  Fixture f;

  set_up (&f, TRUE,
      make_settings ("throttle-interval", "0", "max-in-flight", "1", "composite", "over",
          "composite-frames", "all", "fallback", "passthrough", NULL));
  open_connection (&f);
  for (guint n = 0; n < 2; n++) {
    fal_shared_state_push (f.state, fal_frame_ref (frames[n]));
    if (n == 0)
      send_one (&f);
    expect_shown (&f, n, FAL_RESULT_FALLBACK, 0);
  }
  g_assert_null (frames[0]->sample);
  g_assert_nonnull (frames[1]->sample);
  g_assert_cmpuint (get_stat (&f, "frames-waiting"), ==, 1);
  tear_down (&f);
  fal_frame_unref (frames[0]);
  fal_frame_unref (frames[1]);
}

static void
test_for_a_composite_a_frame_keeps_its_picture (void)
{
  FalOutput output;
  Fixture f;

  set_up (&f, TRUE,
      make_settings ("throttle-interval", "0", "max-in-flight", "2", "composite", "over", NULL));
  open_connection (&f);
  answer (&f, send_frame (&f, 0));
  g_assert_cmpuint (get_stat (&f, "frames-held"), ==, 1);
  fal_shared_state_wait_for_output (f.state, FALSE, &output);
  g_assert_nonnull (output.result->sample);
  output_clear (&output);
  g_assert_cmpuint (get_stat (&f, "frames-held"), ==, 0);
  tear_down (&f);
}

/* ---- a second thread ---- */

static gpointer
run_push (gpointer data)
{
  return GINT_TO_POINTER (push (data, 99));
}

/* What the send thread finds after a wait. */
static gpointer
run_sender (gpointer data)
{
  Fixture *f = data;
  FalWork *work = g_new0 (FalWork, 1);

  if (!fal_shared_state_wait_for_work (f->state, FAR, 0, work))
    g_clear_pointer (&work, g_free);
  return work;
}

static gpointer
run_output (gpointer data)
{
  Fixture *f = data;
  FalOutput *output = g_new0 (FalOutput, 1);

  fal_shared_state_wait_for_output (f->state, FALSE, output);
  return output;
}

/* Returns when the thread waits. */
static GThread *
start_thread (Fixture *f, GThreadFunc run)
{
  GThread *thread;

  watch_sync_reset ();
  thread = g_thread_new ("waits", run, f);
  watch_sync_await_sleeper ();
  return thread;
}

static void
join_output (GThread *thread, FalOutput *output)
{
  g_autofree FalOutput *found = g_thread_join (thread);

  *output = *found;
}

/* ---- whom a property concerns ---- */

static void
test_what_stands_in_a_request_wakes_nobody (void)
{
  static const gchar *const rows[][2] = { { "strength", "0.5" }, { "prompt", "a cat" },
    { "seed", "42" }, { "quality", "70" }, { "negative-prompt", "dogs" },
    { "num-inference-steps", "3" } };
  Fixture f;

  set_up_live (&f);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_assert_cmpint (set (&f, rows[i][0], rows[i][1]), ==, FAL_CONCERN_REQUEST);
    g_assert_cmpint (g_source_get_ready_time (f.wakeup), ==, -1);
  }
  g_assert_cmpint (take_order (&f), ==, NO_ORDER);
  tear_down (&f);
}

static void
test_what_concerns_the_connection_is_one_order (void)
{
  static const gchar *const rows[][2] = { { "token", "secret" }, { "retries", "3" },
    { "request-timeout", "5000" } };
  Fixture f;

  set_up_live (&f);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_assert_true (set (&f, rows[i][0], rows[i][1]) & FAL_CONCERN_CONNECTION);
    g_assert_true (is_called (&f));
    g_assert_cmpint (take_order (&f), ==, FAL_ORDER_CONFIGURE);
    g_assert_false (is_called (&f));
    g_assert_cmpint (take_order (&f), ==, NO_ORDER);
  }
  tear_down (&f);
}

static void
test_the_same_or_older_settings_concern_nobody (void)
{
  Fixture f;
  g_autoptr (FalSettings) older = NULL;
  g_autoptr (FalSettings) now = NULL;
  gboolean latency_changed;

  set_up_live (&f);
  older = fal_settings_ref (f.settings);
  set (&f, "token", "one");
  take_order (&f);
  g_assert_cmpint (set (&f, "token", "one"), ==, 0);
  g_assert_cmpint (fal_shared_state_update (f.state, f.settings, &latency_changed), ==, 0);
  g_assert_cmpint (fal_shared_state_update (f.state, older, &latency_changed), ==, 0);
  g_assert_cmpint (take_order (&f), ==, NO_ORDER);
  now = fal_shared_state_dup_settings (f.state);
  g_assert_true (now == f.settings);
  tear_down (&f);
}

static void
test_a_request_takes_the_settings_of_now (void)
{
  Fixture f;
  g_autoptr (FalSettings) settings = NULL;
  gboolean sends_ids;
  FalWork work;

  set_up_live (&f);
  open_connection (&f);
  push (&f, 1);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_REQUEST);
  set (&f, "prompt", "changed meanwhile");
  settings = fal_shared_state_begin_request (f.state, &sends_ids);
  g_assert_cmpstr (settings->prompt, ==, "changed meanwhile");
  g_assert_true (sends_ids);
  finish (&f, &work, "request");
  tear_down (&f);
}

/* Not even for a moment: no condition is signalled. */
static void
test_a_thread_that_waits_for_work_is_not_woken_by_a_property (void)
{
  Fixture f;
  GThread *thread;

  set_up_live (&f);
  thread = start_thread (&f, run_sender);
  set (&f, "prompt", "one");
  set (&f, "strength", "0.3");
  set (&f, "seed", "7");
  set (&f, "quality", "60");
  set (&f, "token", "secret");
  set (&f, "latency", "400");
  g_assert_cmpuint (watch_sync_count_signals (), ==, 0);
  fal_shared_state_stop (f.state);
  g_assert_cmpuint (watch_sync_count_signals (), ==, 1);
  g_assert_null (g_thread_join (thread));
  tear_down (&f);
}

static void
test_a_latency_that_changes_is_told (void)
{
  Fixture f;
  gboolean changed;
  g_autoptr (FalSettings) prompt = NULL;
  g_autoptr (FalSettings) latency = NULL;

  set_up_live (&f);
  prompt = settings_with (f.settings, "prompt", "one");
  latency = settings_with (prompt, "latency", "400");
  fal_shared_state_update (f.state, prompt, &changed);
  g_assert_false (changed);
  fal_shared_state_update (f.state, latency, &changed);
  g_assert_true (changed);
  g_assert_cmpuint (fal_shared_state_get_latency (f.state), ==, 400 * GST_MSECOND);
  tear_down (&f);
}

/* ---- a frame's way ---- */

static void
test_a_frame_is_answered (void)
{
  Fixture f;
  FalWork work;
  FalAnswer found;
  FalOrder *order;
  g_autoptr (GBytes) message = g_bytes_new_static ("request", 7);
  gboolean sends_ids;

  set_up_live (&f);
  g_assert_cmpint (push (&f, 1), ==, GST_FLOW_OK);
  check_sums (&f);
  g_assert_true (is_called (&f));
  g_assert_cmpint (take_order (&f), ==, FAL_ORDER_CONNECT);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_NOTHING);
  open_connection (&f);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_REQUEST);
  g_assert_true (work.first);
  g_assert_nonnull (work.sample);
  g_assert_cmpuint (work.generation, ==, 1);
  check_sums (&f);
  fal_settings_unref (fal_shared_state_begin_request (f.state, &sends_ids));
  fal_shared_state_finish_request (f.state, &work, g_bytes_ref (message), 1000);
  fal_work_clear (&work);
  check_sums (&f);
  g_assert_true (is_called (&f));
  order = fal_shared_state_take_order (f.state);
  g_assert_cmpint (order->kind, ==, FAL_ORDER_SEND);
  g_assert_true (order->message == message);
  g_assert_cmpuint (order->generation, ==, 1);
  fal_order_free (order);
  g_assert_cmpuint (get_stat (&f, "in-flight"), ==, 1);
  found = answer (&f, 1);
  g_assert_true (found.known);
  g_assert_false (found.first);
  g_assert_cmpuint (found.first_download, ==, 0);
  check_sums (&f);
  g_assert_cmpuint (get_stat (&f, "answered"), ==, 1);
  g_assert_cmpuint (get_stat (&f, "results"), ==, 1);
  g_assert_cmpuint (take_answer (&f), ==, 1);
  check_sums (&f);
  g_assert_cmpuint (count_drops (&f), ==, 0);
  tear_down (&f);
}

static void
test_the_next_request_is_not_the_connections_first (void)
{
  Fixture f;
  FalWork work;

  set_up_live (&f);
  open_connection (&f);
  answer (&f, send_frame (&f, 1));
  push (&f, 2);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_REQUEST);
  g_assert_false (work.first);
  finish (&f, &work, "request");
  end_connection (&f, FALSE);
  open_connection (&f);
  push (&f, 3);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_REQUEST);
  g_assert_true (work.first);
  finish (&f, &work, "request");
  tear_down (&f);
}

/* One that could not be encoded was not the connection's first. */
static void
test_a_request_that_was_not_made_counts_as_failed (void)
{
  Fixture f;
  FalWork work;

  set_up_live (&f);
  open_connection (&f);
  push (&f, 1);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_REQUEST);
  finish (&f, &work, NULL);
  check_sums (&f);
  g_assert_cmpuint (get_stat (&f, "failed"), ==, 1);
  g_assert_cmpint (take_order (&f), ==, NO_ORDER);
  g_assert_cmpuint (count_drops (&f), ==, 1);
  push (&f, 2);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_REQUEST);
  g_assert_true (work.first);
  finish (&f, &work, "request");
  tear_down (&f);
}

static void
test_a_newer_frame_takes_the_place_of_one_that_waits (void)
{
  Fixture f;
  g_autoptr (GPtrArray) drops = NULL;

  set_up_live (&f);
  for (guint i = 1; i <= 3; i++)
    push (&f, i);
  check_sums (&f);
  g_assert_cmpint (take_order (&f), ==, FAL_ORDER_CONNECT);
  g_assert_cmpint (take_order (&f), ==, NO_ORDER);
  g_assert_cmpuint (get_stat (&f, "dropped-offline"), ==, 2);
  drops = fal_shared_state_take_drops (f.state);
  g_assert_cmpuint (drops->len, ==, 2);
  for (guint i = 0; i < 2; i++) {
    const FalDrop *drop = drops->pdata[i];

    g_assert_cmpuint (drop->frame->pts, ==, (i + 1) * 33 * GST_MSECOND);
    g_assert_null (drop->frame->sample);
    g_assert_cmpuint (drop->counts.dropped, ==, i + 1);
    g_assert_cmpuint (drop->counts.in, ==, 3);
  }
  g_assert_null (fal_shared_state_take_drops (f.state));
  tear_down (&f);
}

static void
test_a_reply_that_answers_nothing_is_late (void)
{
  Fixture f;

  set_up_live (&f);
  open_connection (&f);
  g_assert_false (answer (&f, 0).known);
  g_assert_cmpuint (get_stat (&f, "results-late"), ==, 1);
  tear_down (&f);
}

static void
test_a_reply_with_an_id_that_was_never_sent_is_foreign (void)
{
  const gchar *json = "{\"images\":[\"YQ==\",\"YQ==\"],\"request_id\":\"frame-9\"}";
  Fixture f;

  set_up_live (&f);
  open_connection (&f);
  g_assert_false (answer_with (&f, json).known);
  g_assert_cmpuint (get_stat (&f, "results-foreign"), ==, 2);
  answer (&f, send_frame (&f, 1));
  send_frame (&f, 2);
  g_assert_false (answer_with (&f, json).known);
  g_assert_cmpuint (get_stat (&f, "results-foreign"), ==, 4);
  g_assert_cmpuint (get_stat (&f, "results-late"), ==, 0);
  g_assert_cmpuint (get_stat (&f, "in-flight"), ==, 1);
  tear_down (&f);
}

/* Before an echo came such a reply is doubtful, and what comes next, or nothing, settles it; one of
 * an older connection is nobody's. */
static void
test_a_doubtful_reply_is_settled (void)
{
  g_autoptr (FalReply) reply = parse ("{\"images\":[\"YWJj\"],\"request_id\":\"x\"}");
  Fixture f;
  FalReception came;
  FalAnswer answer;

  set_up_live (&f);
  open_connection (&f);
  send_frame (&f, 1);
  fal_shared_state_answer (f.state, reply, &new_reply, &answer);
  g_assert_true (answer.doubtful);
  g_assert_false (answer.known);
  g_assert_cmpuint (answer.in_flight, ==, 1);
  came = answer.reception;
  came.generation++;
  fal_shared_state_answer (f.state, reply, &came, &answer);
  g_assert_false (answer.known);
  g_assert_cmpuint (get_stat (&f, "results-foreign"), ==, 1);
  came.generation--;
  fal_shared_state_answer (f.state, reply, &came, &answer);
  g_assert_true (answer.known);
  g_assert_true (answer.over);
  g_assert_cmpuint (take_answer (&f), ==, 1);
  tear_down (&f);
}

static void
test_a_message_answers_nothing (void)
{
  static const gchar *const messages[] = { "{\"progress\":0.3}", "{}",
    "{\"message\":\"done\",\"timings\":{\"inference\":0.01}}",
    "{\"progress\":0.3,\"request_id\":\"mine\"}" };
  Fixture f;

  set_up_live (&f);
  open_connection (&f);
  send_frame (&f, 1);
  for (guint i = 0; i < G_N_ELEMENTS (messages); i++)
    g_assert_false (answer_with (&f, messages[i]).known);
  g_assert_cmpuint (get_stat (&f, "messages-ignored"), ==, G_N_ELEMENTS (messages));
  g_assert_cmpuint (get_stat (&f, "in-flight"), ==, 1);
  g_assert_true (answer (&f, 0).known);
  tear_down (&f);
}

/* A result that is none any more, though the app still sends it. */
static void
test_after_the_end_nothing_is_taken (void)
{
  Fixture f;
  guint64 id;

  set_up_live (&f);
  fal_shared_state_push_event (f.state, gst_event_new_stream_start ("s"));
  g_assert_cmpint (take_event (&f, NULL), ==, GST_EVENT_STREAM_START);
  open_connection (&f);
  id = send_frame (&f, 1);
  g_assert_true (answer (&f, id).known);
  fal_shared_state_push_event (f.state, gst_event_new_eos ());
  g_assert_true (answer (&f, id).known); /* one more, before the end */
  g_assert_cmpuint (take_answer (&f), ==, 1);
  g_assert_cmpuint (take_answer (&f), ==, 1);
  g_assert_cmpint (take_event (&f, NULL), ==, GST_EVENT_EOS);
  g_assert_false (answer (&f, id).known);
  g_assert_cmpuint (get_stat (&f, "results"), ==, 2);
  g_assert_cmpuint (get_stat (&f, "results-late"), ==, 1);
  fal_shared_state_push_event (f.state, gst_event_new_stream_start ("t"));
  g_assert_cmpint (take_event (&f, NULL), ==, GST_EVENT_STREAM_START);
  g_assert_true (answer (&f, send_frame (&f, 2)).known);
  tear_down (&f);
}

/* Its picture was let go of when it was sent, and is brought back. */
static void
test_the_newest_frame_goes_again_with_its_picture (void)
{
  Fixture f;
  FalWork work;

  set_up_live (&f);
  open_connection (&f);
  send_frame (&f, 1);
  end_connection (&f, FALSE);
  g_assert_cmpuint (get_stat (&f, "frames-waiting"), ==, 1);
  g_assert_cmpuint (get_stat (&f, "frames-sent"), ==, 0);
  g_assert_cmpint (take_order (&f), ==, FAL_ORDER_CONNECT);
  open_connection (&f);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_REQUEST);
  g_assert_nonnull (work.sample);
  finish (&f, &work, "request");
  g_assert_cmpuint (get_stat (&f, "requests-repeated"), ==, 1);
  g_assert_cmpuint (get_stat (&f, "lost"), ==, 0);
  check_sums (&f);
  tear_down (&f);
}

static void
test_what_connections_die_of_is_given_up_and_told (void)
{
  Fixture f;
  FalWork work;

  set_up_file (&f);
  open_connection (&f);
  send_frame (&f, 1);
  for (guint i = 0; i < 2; i++) {
    end_connection (&f, FALSE);
    open_connection (&f);
    send_one (&f);
  }
  end_connection (&f, FALSE);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_GIVEN_UP);
  g_assert_cmpuint (work.given_up.deadly, ==, 1);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_NOTHING);
  g_assert_cmpuint (get_stat (&f, "lost"), ==, 1);
  g_assert_cmpuint (count_drops (&f), ==, 1);
  tear_down (&f);
}

/* Frame 1 was swallowed: the results of the others wait for its, and though they are as many as may
 * wait it goes again. */
static void
test_results_of_a_file_wait_for_the_one_that_goes_again (void)
{
  Fixture f;
  FalWork work;

  set_up (&f, FALSE, make_settings ("throttle-interval", "0", "max-in-flight", "9", NULL));
  open_connection (&f);
  answer (&f, send_frame (&f, 1));
  g_assert_cmpuint (take_answer (&f), ==, 1);
  send_frame (&f, 2);
  for (guint i = 3; i <= 6; i++)
    answer (&f, send_frame (&f, i));
  push (&f, 7);
  while (find_work (&f, &work) == FAL_WORK_NOTHING)
    g_usleep (1000); /* until frame 2 has waited for long enough */
  g_assert_cmpint (work.kind, ==, FAL_WORK_REQUEST);
  g_assert_cmpuint (work.frame->pts, ==, 2 * 33 * GST_MSECOND);
  answer (&f, work.id);
  finish (&f, &work, "request");
  for (guint i = 2; i <= 6; i++)
    g_assert_cmpuint (take_answer (&f), ==, i);
  g_assert_cmpuint (get_stat (&f, "requests-repeated"), ==, 1);
  tear_down (&f);
}

static void
test_a_reply_without_a_picture_is_invalid (void)
{
  Fixture f;
  g_autofree gchar *json = NULL;

  set_up_live (&f);
  open_connection (&f);
  json = g_strdup_printf (
      "{\"images\":[],\"request_id\":\"frame-%" G_GUINT64_FORMAT "\"}", send_frame (&f, 1));
  g_assert_true (answer_with (&f, json).known);
  g_assert_cmpuint (get_stat (&f, "results-invalid"), ==, 1);
  g_assert_cmpuint (get_stat (&f, "results"), ==, 0);
  tear_down (&f);
}

static void
test_further_results_answer_the_same_frame (void)
{
  Fixture f;
  guint64 id;

  set_up_live (&f);
  open_connection (&f);
  id = send_frame (&f, 4);
  g_assert_true (answer (&f, id).known);
  g_assert_true (answer (&f, id).known);
  g_assert_cmpuint (get_stat (&f, "answered"), ==, 1);
  g_assert_cmpuint (get_stat (&f, "results"), ==, 2);
  g_assert_cmpuint (take_answer (&f), ==, 4);
  g_assert_cmpuint (take_answer (&f), ==, 4);
  check_sums (&f);
  tear_down (&f);
}

/* A reply may hold more pictures than are taken. */
static void
test_too_many_pictures_are_invalid (void)
{
  g_autoptr (GString) json = g_string_new ("{\"images\":[\"YWJj\"");
  Fixture f;

  set_up_live (&f);
  open_connection (&f);
  send_frame (&f, 1);
  for (guint i = 1; i < FAL_SHARED_STATE_MAX_PICTURES + 3; i++)
    g_string_append (json, ",\"YWJj\"");
  g_string_append (json, "]}");
  g_assert_true (answer_with (&f, json->str).known);
  g_assert_cmpuint (get_stat (&f, "results"), ==, FAL_SHARED_STATE_MAX_PICTURES);
  g_assert_cmpuint (get_stat (&f, "results-invalid"), ==, 3);
  tear_down (&f);
}

/* @n frames are answered; the first @taken results go out. */
static void
answer_frames (Fixture *f, guint n, guint taken)
{
  for (guint i = 1; i <= n; i++) {
    answer (f, send_frame (f, i));
    if (i <= taken)
      g_assert_cmpuint (take_answer (f), ==, i);
  }
}

/* A downstream that takes nothing costs no model's time. */
static void
test_nothing_is_sent_while_results_wait (void)
{
  Fixture f;
  FalWork work;

  set_up_live (&f);
  open_connection (&f);
  answer_frames (&f, 6, 2);
  push (&f, 7);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_NOTHING);
  g_assert_cmpuint (take_answer (&f), ==, 3);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_REQUEST);
  finish (&f, &work, "request");
  tear_down (&f);
}

static void
expect_tick (Fixture *f, gboolean full)
{
  FalOutput output;

  fal_shared_state_wait_for_output (f->state, full, &output);
  g_assert_true (output.ticked);
  g_assert_null (output.event);
  g_assert_null (output.result);
  output_clear (&output);
}

/* Each tick is told once; where enough wait to be shown, results wait undecoded meanwhile. */
static void
test_a_tick_comes_after_what_is_ready_unless_there_is_enough (void)
{
  Fixture f;

  set_up_live (&f);
  open_connection (&f);
  answer_frames (&f, 2, 0);
  fal_shared_state_note_tick (f.state);
  fal_shared_state_note_tick (f.state);
  expect_tick (&f, TRUE);
  fal_shared_state_note_tick (f.state);
  take_answer (&f);
  take_answer (&f);
  expect_tick (&f, FALSE);
  tear_down (&f);
}

static void
test_a_tick_ends_the_wait_for_output (void)
{
  Fixture f;
  FalOutput output;
  GThread *thread;

  set_up_live (&f);
  thread = start_thread (&f, run_output);
  fal_shared_state_note_tick (f.state);
  join_output (thread, &output);
  g_assert_true (output.ticked);
  output_clear (&output);
  tear_down (&f);
}

static FalOutput
get_times (Fixture *f)
{
  FalOutput output;

  fal_shared_state_note_tick (f->state);
  fal_shared_state_wait_for_output (f->state, TRUE, &output);
  output_clear (&output);
  return output;
}

/* With what was found late results are shown as they come; with what was set they are not. */
static void
test_sinks_delay_results_as_the_pipeline_was_told (void)
{
  Fixture f;

  set_up_live (&f);
  fal_shared_state_set_upstream (f.state, TRUE, 30 * GST_MSECOND);
  g_assert_cmpuint (get_times (&f).delay, ==, 0);
  set (&f, "latency", "300");
  g_assert_cmpuint (get_times (&f).delay, ==, 300 * GST_MSECOND);
  g_assert_cmpuint (get_times (&f).held, ==, 0);
  fal_shared_state_set_pipeline_latency (f.state, 130 * GST_MSECOND);
  g_assert_cmpuint (get_times (&f).delay, ==, 100 * GST_MSECOND);
  fal_shared_state_set_pipeline_latency (f.state, 350 * GST_MSECOND);
  g_assert_cmpuint (get_times (&f).delay, ==, 300 * GST_MSECOND);
  set (&f, "latency-mode", "auto");
  g_assert_cmpuint (get_times (&f).delay, ==, 300 * GST_MSECOND);
  g_assert_cmpuint (get_times (&f).held, ==, 300 * GST_MSECOND);
  g_assert_cmpint (get_times (&f).mode, ==, FAL_TIMESTAMP_MODE_ARRIVAL);
  g_assert_cmpint (fal_shared_state_get_delay (f.state), ==, 300);
  set (&f, "timestamp-mode", "input");
  g_assert_cmpint (get_times (&f).mode, ==, FAL_TIMESTAMP_MODE_INPUT);
  tear_down (&f);
}

/* A sink that has them wait for the pipeline's latency is no downstream that takes nothing. */
static void
test_requests_go_while_results_wait_for_the_latency (void)
{
  Fixture f;

  set_up_live (&f);
  open_connection (&f);
  fal_shared_state_set_pipeline_latency (f.state, 1000 * GST_SECOND);
  answer_frames (&f, 40, 2);
  g_assert_cmpuint (get_stat (&f, "results"), ==, 40);
  g_assert_cmpuint (get_stat (&f, "results-late"), ==, 0);
  tear_down (&f);
}

/* Nor are the ticks of a constant rate, in a recording, where no sink waits. */
static void
test_requests_go_while_results_wait_for_the_ticks (void)
{
  Fixture f;

  set_up_live (&f);
  set (&f, "latency", "1000000");
  set (&f, "output-framerate", "30/1");
  open_connection (&f);
  fal_shared_state_set_pipeline_latency (f.state, 0);
  answer_frames (&f, 40, 2);
  g_assert_cmpuint (get_stat (&f, "results"), ==, 40);
  g_assert_cmpuint (get_stat (&f, "results-late"), ==, 0);
  tear_down (&f);
}

/* An app that sends without end is not faster than downstream for long. */
static void
test_further_results_give_way_and_are_counted (void)
{
  Fixture f;
  guint64 id;

  set_up_live (&f);
  open_connection (&f);
  answer_frames (&f, 2, 2);
  id = send_frame (&f, 3);
  for (guint i = 0; i < 100; i++)
    answer (&f, id);
  g_assert_cmpuint (get_stat (&f, "results"), ==, 102);
  g_assert_cmpuint (get_stat (&f, "results-late"), >=, 90);
  g_assert_cmpuint (take_answer (&f), ==, 3);
  tear_down (&f);
}

static void
test_a_download_is_waited_for (void)
{
  Fixture f;
  g_autoptr (GBytes) picture = g_bytes_new_static ("abc", 3);
  g_autofree gchar *json = NULL;
  GThread *thread;
  FalAnswer found;
  FalOutput output;

  set_up_live (&f);
  open_connection (&f);
  json = g_strdup_printf (
      "{\"images\":[{\"url\":\"https://h/a.jpg\"}],\"request_id\":\"frame-%" G_GUINT64_FORMAT "\"}",
      send_frame (&f, 1));
  found = answer_with (&f, json);
  g_assert_cmpuint (found.first_download, ==, 1);
  thread = start_thread (&f, run_output);
  g_assert_false (fal_shared_state_take_picture (f.state, 2, picture, 70));
  g_assert_cmpuint (watch_sync_count_signals (), ==, 0);
  g_assert_true (fal_shared_state_take_picture (f.state, 1, picture, 80));
  join_output (thread, &output);
  g_assert_true (output.result->picture == picture);
  g_assert_cmpuint (output.result->arrived, ==, 80);
  output_clear (&output);
  tear_down (&f);
}

static void
test_buffers_are_counted_by_their_kind (void)
{
  Fixture f;

  set_up_live (&f);
  fal_shared_state_note_pushed (f.state, FAL_RESULT_ANSWER, FALSE);
  fal_shared_state_note_pushed (f.state, FAL_RESULT_PASS, FALSE);
  fal_shared_state_note_pushed (f.state, FAL_RESULT_FALLBACK, FALSE);
  fal_shared_state_note_pushed (f.state, FAL_RESULT_FALLBACK, FALSE);
  g_assert_cmpuint (get_stat (&f, "frames-out"), ==, 4);
  g_assert_cmpuint (get_stat (&f, "frames-passed"), ==, 1);
  g_assert_cmpuint (get_stat (&f, "frames-filled"), ==, 2);
  g_assert_cmpuint (get_stat (&f, "frames-repeated"), ==, 0);
  fal_shared_state_note_pushed (f.state, FAL_RESULT_ANSWER, TRUE);
  g_assert_cmpuint (get_stat (&f, "frames-out"), ==, 5);
  g_assert_cmpuint (get_stat (&f, "frames-repeated"), ==, 1);
  fal_shared_state_note_rendered (f.state, FAL_RESULT_ANSWER, FAL_RENDERED_TOO_LATE, 0, 0);
  fal_shared_state_note_rendered (f.state, FAL_RESULT_ANSWER, FAL_RENDERED_BROKEN, 0, 0);
  fal_shared_state_note_rendered (f.state, FAL_RESULT_PASS, FAL_RENDERED_BROKEN, 0, 0);
  g_assert_cmpuint (get_stat (&f, "results-late"), ==, 1);
  g_assert_cmpuint (get_stat (&f, "results-invalid"), ==, 1);
  tear_down (&f);
}

/* One that came too late to be shown was counted as such. */
static void
test_a_late_result_is_counted_once (void)
{
  Fixture f;

  set_up_live (&f);
  fal_shared_state_note_lag (f.state, G_TIME_SPAN_HOUR, TRUE, FALSE);
  g_assert_cmpuint (get_stat (&f, "results-late"), ==, 0);
  fal_shared_state_note_lag (f.state, G_TIME_SPAN_HOUR, TRUE, TRUE);
  g_assert_cmpuint (get_stat (&f, "results-late"), ==, 1);
  tear_down (&f);
}

/* What one frame costs, once all is under way; what the threads wait for is there already. */
static void
test_an_answered_frame_takes_the_mutex_ten_times (void)
{
  Fixture f;
  FalWork work;
  FalOutput output;
  FalOrder *order;
  FalAnswer found;
  g_autoptr (FalReply) reply = parse ("{\"images\":[\"YWJj\"]}");
  g_autoptr (GBytes) message = g_bytes_new_static ("request", 7);
  FalFrame *frame = make_frame (1);
  gboolean sends_ids;

  set_up_live (&f);
  open_connection (&f);
  watch_sync_reset ();
  fal_shared_state_push (f.state, frame);
  fal_shared_state_wait_for_work (f.state, FAR, 0, &work);
  fal_settings_unref (fal_shared_state_begin_request (f.state, &sends_ids));
  fal_shared_state_finish_request (f.state, &work, g_bytes_ref (message), 1000);
  order = fal_shared_state_take_order (f.state);
  fal_shared_state_note_counts (f.state, 0, &f.counts);
  fal_shared_state_note_message (f.state, 0, &f.counts);
  fal_shared_state_answer (f.state, reply, &new_reply, &found);
  fal_shared_state_wait_for_output (f.state, FALSE, &output);
  fal_shared_state_note_rendered (f.state, FAL_RESULT_ANSWER, FAL_RENDERED, 0, 1000);
  fal_shared_state_note_pushed (f.state, FAL_RESULT_ANSWER, FALSE);
  g_assert_null (fal_shared_state_take_drops (f.state));
  g_assert_cmpuint (watch_sync_count_locks (), >, 0); /* else the linker did not send them here */
  g_assert_cmpuint (watch_sync_count_locks (), <=, 10);
  g_assert_cmpuint (watch_sync_count_signals (), ==, 0); /* nobody waited */
  g_assert_true (found.known);
  g_assert_nonnull (output.result);
  output_clear (&output);
  fal_order_free (order);
  fal_work_clear (&work);
  tear_down (&f);
}

/* ---- orders ---- */

static void
test_a_send_and_the_close_after_it_keep_their_order (void)
{
  Fixture f;

  set_up_live (&f);
  open_connection (&f);
  push (&f, 1);
  send_one (&f);
  fal_shared_state_close (f.state, FALSE);
  g_assert_true (is_called (&f));
  g_assert_cmpint (take_order (&f), ==, FAL_ORDER_SEND);
  g_assert_true (is_called (&f)); /* as another follows */
  g_assert_cmpint (take_order (&f), ==, FAL_ORDER_CLOSE);
  g_assert_false (is_called (&f));
  g_assert_cmpint (take_order (&f), ==, NO_ORDER);
  tear_down (&f);
}

static void
test_a_reconnect_keeps_what_waits (void)
{
  Fixture f;
  FalWork work;

  set_up_live (&f);
  open_connection (&f);
  push (&f, 1);
  fal_shared_state_close (f.state, TRUE);
  g_assert_cmpint (take_order (&f), ==, FAL_ORDER_RECONNECT);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_NOTHING); /* until that came */
  end_connection (&f, FALSE);
  g_assert_cmpint (take_order (&f), ==, FAL_ORDER_CONNECT);
  open_connection (&f);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_REQUEST);
  finish (&f, &work, "request");
  tear_down (&f);
}

static void
test_a_send_for_an_older_connection_is_left_out (void)
{
  Fixture f;
  FalWork work;

  set_up_live (&f);
  open_connection (&f);
  push (&f, 1);
  send_one (&f);
  push (&f, 2);
  end_connection (&f, FALSE);
  open_connection (&f);
  g_assert_cmpint (take_order (&f), ==, FAL_ORDER_CONNECT);
  g_assert_cmpint (take_order (&f), ==, NO_ORDER);
  g_assert_cmpuint (get_stat (&f, "lost"), ==, 1);
  /* The same of one that was encoded meanwhile. */
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_REQUEST);
  end_connection (&f, FALSE);
  open_connection (&f);
  finish (&f, &work, "request");
  g_assert_cmpint (take_order (&f), ==, FAL_ORDER_CONNECT); /* for it, as none is newer */
  g_assert_cmpint (take_order (&f), ==, NO_ORDER);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_REQUEST);
  g_assert_nonnull (work.sample);
  finish (&f, &work, "request");
  tear_down (&f);
}

static void
test_a_send_is_left_out_once_the_connection_ended (void)
{
  Fixture f;

  set_up_live (&f);
  open_connection (&f);
  push (&f, 1);
  send_one (&f);
  end_connection (&f, FALSE);
  g_assert_cmpint (take_order (&f), ==, FAL_ORDER_CONNECT);
  g_assert_cmpint (take_order (&f), ==, NO_ORDER);
  tear_down (&f);
}

/* Where no frame is lost it goes again, first thing, over the next connection. */
static void
test_a_lost_request_of_a_file_goes_again (void)
{
  Fixture f;
  FalWork work;

  set_up_file (&f);
  open_connection (&f);
  send_frame (&f, 1);
  push (&f, 2);
  end_connection (&f, FALSE);
  g_assert_cmpint (take_order (&f), ==, FAL_ORDER_CONNECT);
  open_connection (&f);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_REQUEST);
  g_assert_nonnull (work.sample);
  g_assert_true (answer (&f, work.id).known);
  finish (&f, &work, "request");
  g_assert_cmpuint (take_answer (&f), ==, 1);
  g_assert_cmpuint (get_stat (&f, "frames-sent"), ==, 1);
  tear_down (&f);
}

/* A connection whose request of 1 ms got no answer, and which says nothing of ids: it is given up.
 */
static void
give_up_connection (Fixture *f)
{
  FalWork work;

  set_up (f, TRUE,
      make_settings ("throttle-interval", "0", "max-in-flight", "2", "request-timeout", "1", NULL));
  open_connection (f);
  send_frame (f, 1);
  g_assert_true (fal_shared_state_wait_for_work (f->state, FAR, 0, &work));
  g_assert_cmpint (work.kind, ==, FAL_WORK_NOTHING);
  g_assert_cmpuint (get_stat (f, "expired"), ==, 1);
  g_assert_cmpuint (count_drops (f), ==, 1);
}

static void
test_a_silent_connection_fails_by_an_order (void)
{
  Fixture f;
  FalOrder *order;

  give_up_connection (&f);
  g_assert_true (is_called (&f));
  order = fal_shared_state_take_order (f.state);
  g_assert_cmpint (order->kind, ==, FAL_ORDER_FAIL);
  g_assert_cmpint (order->fault, ==, FAL_FAULT_SILENT);
  fal_order_free (order);
  g_assert_cmpint (take_order (&f), ==, NO_ORDER);
  tear_down (&f);
}

static void
test_a_fault_is_left_out_once_the_connection_ended_by_itself (void)
{
  Fixture f;

  give_up_connection (&f);
  g_assert_true (end_connection (&f, FALSE));
  g_assert_cmpint (take_order (&f), ==, NO_ORDER);
  tear_down (&f);
}

static void
test_what_the_net_thread_does_not_end_is_cut (void)
{
  Fixture f;
  FalWork work;

  give_up_connection (&f);
  g_assert_true (fal_shared_state_wait_for_work (f.state, FAR, 0, &work));
  g_assert_cmpint (work.kind, ==, FAL_WORK_CUT);
  g_assert_cmpint (work.fault, ==, FAL_FAULT_SILENT);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_NOTHING);
  tear_down (&f);
}

static void
test_replies_of_a_connection_that_was_given_up_do_not_count (void)
{
  Fixture f;
  g_autoptr (FalReply) refusal = parse ("{\"error\":\"no request_id, please\"}");
  gboolean over;

  give_up_connection (&f);
  push (&f, 2);
  g_assert_false (answer (&f, 0).known);
  fal_shared_state_note_failed_reply (f.state, 0, NULL, TRUE, &over);
  g_assert_false (over);
  fal_shared_state_fail_oldest (f.state, 0);
  g_assert_false (fal_shared_state_drop_ids (f.state, 0, refusal));
  g_assert_cmpuint (get_stat (&f, "results-late"), ==, 0);
  g_assert_cmpuint (get_stat (&f, "results-invalid"), ==, 0);
  g_assert_cmpuint (get_stat (&f, "failed"), ==, 0);
  fal_shared_state_note_ready (f.state, 0);
  open_connection (&f);
  send_one (&f);
  g_assert_true (answer (&f, 0).known);
  g_assert_cmpuint (take_answer (&f), ==, 2);
  tear_down (&f);
}

static void
test_an_app_is_sent_nothing_before_it_is_ready (void)
{
  Fixture f;
  FalWork work;

  set_up_live (&f);
  fal_shared_state_note_opened (f.state, 0, &f.counts, NULL, FALSE);
  push (&f, 1);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_NOTHING);
  g_assert_cmpint (take_order (&f), ==, NO_ORDER);
  fal_shared_state_note_ready (f.state, 0);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_REQUEST);
  finish (&f, &work, "request");
  tear_down (&f);
}

static void
test_nothing_is_dialled_once_given_up (void)
{
  Fixture f;

  set_up_live (&f);
  open_connection (&f);
  push (&f, 1);
  g_assert_true (end_connection (&f, TRUE));
  g_assert_cmpint (fal_shared_state_get_state (f.state), ==, FAL_DIALER_FAILED);
  g_assert_cmpint (take_order (&f), ==, NO_ORDER);
  g_assert_cmpint (push (&f, 2), ==, GST_FLOW_OK); /* until the application was told */
  fal_shared_state_fail_flow (f.state);
  g_assert_cmpint (push (&f, 3), ==, GST_FLOW_ERROR);
  g_assert_false (fal_shared_state_flows (f.state));
  fal_shared_state_note_state (f.state, 0, FAL_DIALER_IDLE);
  fal_shared_state_set_flushing (f.state, TRUE);
  fal_shared_state_set_flushing (f.state, FALSE);
  g_assert_cmpint (push (&f, 4), ==, GST_FLOW_OK);
  g_assert_cmpint (take_order (&f), ==, FAL_ORDER_CONNECT);
  tear_down (&f);
}

static void
test_an_idle_connection_is_released (void)
{
  Fixture f;
  FalWork work;

  set_up (&f, TRUE, make_settings ("idle-timeout", "1", NULL));
  open_connection (&f);
  find_work (&f, &work); /* it looks at the new socket */
  /* It looks again at the end, which is later than the connection's time. */
  fal_shared_state_wait_for_work (
      f.state, g_get_monotonic_time () + 10 * G_TIME_SPAN_MILLISECOND, 0, &work);
  g_assert_cmpint (work.kind, ==, FAL_WORK_NOTHING);
  g_assert_cmpint (take_order (&f), ==, FAL_ORDER_RELEASE);
  g_assert_cmpint (take_order (&f), ==, NO_ORDER);
  g_assert_false (fal_shared_state_needs_connection (f.state, 0));
  push (&f, 1);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_NOTHING); /* it is about to end */
  fal_shared_state_keep_connection (f.state, 0);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_REQUEST);
  finish (&f, &work, "request");
  tear_down (&f);
}

static void
test_a_model_that_is_switched_off_lets_go (void)
{
  Fixture f;
  FalOutput output;

  set_up_live (&f);
  open_connection (&f);
  push (&f, 1);
  set (&f, "enabled", "false");
  g_assert_cmpint (take_order (&f), ==, FAL_ORDER_RELEASE);
  g_assert_cmpuint (get_stat (&f, "dropped-flushed"), ==, 1);
  push (&f, 2);
  fal_shared_state_wait_for_output (f.state, FALSE, &output);
  g_assert_cmpint (output.result->kind, ==, FAL_RESULT_PASS);
  output_clear (&output);
  end_connection (&f, FALSE);
  g_assert_cmpint (take_order (&f), ==, NO_ORDER);
  set (&f, "enabled", "true");
  push (&f, 3); /* goes by, too, until the model's first result */
  g_assert_cmpint (take_order (&f), ==, FAL_ORDER_CONNECT);
  fal_shared_state_wait_for_output (f.state, FALSE, &output);
  g_assert_cmpint (output.result->kind, ==, FAL_RESULT_PASS);
  g_assert_cmpuint (output.result->frame->pts, ==, 3 * 33 * GST_MSECOND);
  output_clear (&output);
  tear_down (&f);
}

static void
test_an_app_that_refuses_ids_is_dialled_without (void)
{
  Fixture f;
  FalWork work;
  gboolean sends_ids;
  g_autoptr (FalReply) other = parse ("{\"error\":\"bad\",\"reason\":\"no prompt\"}");
  g_autoptr (FalReply) refusal =
      parse ("{\"error\":\"bad\",\"reason\":\"request_id is not allowed\"}");

  set_up_live (&f);
  open_connection (&f);
  send_frame (&f, 1);
  g_assert_false (fal_shared_state_drop_ids (f.state, 0, other));
  g_assert_true (fal_shared_state_drop_ids (f.state, 0, refusal));
  g_assert_false (fal_shared_state_drop_ids (f.state, 0, refusal));
  g_assert_cmpint (take_order (&f), ==, FAL_ORDER_CLOSE);
  end_connection (&f, FALSE);
  open_connection (&f);
  push (&f, 2);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_REQUEST);
  fal_settings_unref (fal_shared_state_begin_request (f.state, &sends_ids));
  g_assert_false (sends_ids);
  finish (&f, &work, "request");
  tear_down (&f);
}

static void
test_a_failed_reply_is_the_oldest_requests_where_none_says_its_id (void)
{
  Fixture f;
  gboolean over;

  set_up_live (&f);
  open_connection (&f);
  send_frame (&f, 1);
  g_assert_true (fal_shared_state_note_failed_reply (f.state, 0, NULL, TRUE, &over));
  g_assert_true (over);
  g_assert_cmpuint (get_stat (&f, "failed"), ==, 1);
  g_assert_cmpuint (get_stat (&f, "results-invalid"), ==, 1);
  answer (&f, send_frame (&f, 2));
  send_frame (&f, 3);
  send_frame (&f, 4);
  fal_shared_state_note_failed_reply (f.state, 0, NULL, FALSE, &over);
  g_assert_false (over);
  g_assert_cmpuint (get_stat (&f, "failed"), ==, 1); /* a later reply tells */
  fal_shared_state_fail_oldest (f.state, 0);
  g_assert_cmpuint (get_stat (&f, "failed"), ==, 2);
  tear_down (&f);
}

/* ---- the first result ---- */

static void
test_the_first_result_waits_until_the_state_was_told (void)
{
  Fixture f;
  GThread *thread;
  FalOutput output;
  guint64 id;

  set_up_live (&f);
  open_connection (&f);
  fal_shared_state_note_state (f.state, 0, FAL_DIALER_WARMING_UP);
  id = send_frame (&f, 1);
  thread = start_thread (&f, run_output);
  g_assert_true (answer (&f, id).first);
  g_assert_cmpuint (watch_sync_count_signals (), ==, 0);
  fal_shared_state_note_state (f.state, 0, FAL_DIALER_CONNECTED);
  g_assert_cmpuint (watch_sync_count_signals (), ==, 0);
  fal_shared_state_release_results (f.state);
  join_output (thread, &output);
  g_assert_cmpint (output.result->kind, ==, FAL_RESULT_ANSWER);
  output_clear (&output);
  g_assert_false (answer (&f, send_frame (&f, 2)).first);
  g_assert_cmpuint (take_answer (&f), ==, 2);
  tear_down (&f);
}

static void
test_a_connection_that_ends_holds_nothing_back (void)
{
  Fixture f;

  set_up_live (&f);
  open_connection (&f);
  fal_shared_state_note_state (f.state, 0, FAL_DIALER_WARMING_UP);
  answer (&f, send_frame (&f, 1));
  end_connection (&f, FALSE);
  g_assert_cmpuint (take_answer (&f), ==, 1);
  tear_down (&f);
}

/* ---- who waits ---- */

/* Upstream finds no room: a frame waits already, and no frame is to be lost. */
static GThread *
block_push (Fixture *f)
{
  set_up_file (f);
  push (f, 1);
  return start_thread (f, run_push);
}

static void
test_upstream_waits_for_room (void)
{
  Fixture f;
  GThread *thread = block_push (&f);

  g_assert_cmpuint (get_stat (&f, "frames-in"), ==, 1);
  open_connection (&f);
  send_one (&f);
  g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (thread)), ==, GST_FLOW_OK);
  g_assert_cmpuint (get_stat (&f, "frames-in"), ==, 2);
  tear_down (&f);
}

/* Frames that pass are not dropped, though others are where the pipeline is live: they wait, until
 * one went out, or until a flush. */
static void
test_upstream_waits_for_room_for_frames_that_pass (void)
{
  Fixture f;
  FalOutput output;
  GThread *thread;

  set_up (&f, TRUE, make_settings ("enabled", "false", NULL));
  for (guint i = 1; i <= 4; i++)
    push (&f, i);
  thread = start_thread (&f, run_push);
  fal_shared_state_wait_for_output (f.state, FALSE, &output);
  g_assert_cmpint (output.result->kind, ==, FAL_RESULT_PASS);
  output_clear (&output);
  g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (thread)), ==, GST_FLOW_OK);
  thread = start_thread (&f, run_push);
  fal_shared_state_set_flushing (f.state, TRUE);
  g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (thread)), ==, GST_FLOW_FLUSHING);
  g_assert_cmpuint (get_stat (&f, "results-late"), ==, 0);
  tear_down (&f);
}

static void
test_a_flush_ends_upstreams_wait (void)
{
  Fixture f;
  GThread *thread = block_push (&f);

  fal_shared_state_set_flushing (f.state, TRUE);
  g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (thread)), ==, GST_FLOW_FLUSHING);
  tear_down (&f);
}

static void
test_a_stop_ends_upstreams_wait (void)
{
  Fixture f;
  GThread *thread = block_push (&f);

  fal_shared_state_stop (f.state);
  g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (thread)), ==, GST_FLOW_FLUSHING);
  tear_down (&f);
}

static void
test_an_error_of_downstream_ends_upstreams_wait (void)
{
  Fixture f;
  GThread *thread = block_push (&f);

  fal_shared_state_stop_flow (f.state, GST_FLOW_NOT_NEGOTIATED, FALSE);
  g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (thread)), ==, GST_FLOW_NOT_NEGOTIATED);
  tear_down (&f);
}

static void
test_frames_that_drop_end_upstreams_wait (void)
{
  Fixture f;
  GThread *thread = block_push (&f);

  fal_shared_state_set_upstream (f.state, TRUE, 0);
  g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (thread)), ==, GST_FLOW_OK);
  tear_down (&f);
}

static void
test_a_flush_or_stop_ends_the_outputs_wait (void)
{
  Fixture f;
  FalOutput output;

  for (guint i = 0; i < 2; i++) {
    GThread *thread;

    set_up_live (&f);
    thread = start_thread (&f, run_output);
    if (i == 0)
      fal_shared_state_set_flushing (f.state, TRUE);
    else
      fal_shared_state_stop (f.state);
    join_output (thread, &output);
    g_assert_null (output.event);
    g_assert_null (output.result);
    output_clear (&output);
    tear_down (&f);
  }
}

/* It waits on, though there is nothing to be sent any more. */
static void
test_a_flush_is_nothing_to_the_sender_and_a_stop_ends_its_wait (void)
{
  Fixture f;
  GThread *thread;

  set_up_live (&f);
  open_connection (&f);
  g_assert_true (fal_shared_state_wait_for_work (f.state, 0, 0, &(FalWork){ 0 }));
  thread = start_thread (&f, run_sender);
  fal_shared_state_set_flushing (f.state, TRUE);
  fal_shared_state_set_flushing (f.state, FALSE);
  g_assert_cmpuint (watch_sync_count_signals (), ==, 0);
  fal_shared_state_stop (f.state);
  g_assert_null (g_thread_join (thread));
  tear_down (&f);
}

static void
test_a_frame_wakes_the_sender_alone (void)
{
  Fixture f;
  GThread *thread;
  g_autofree FalWork *work = NULL;

  set_up_live (&f);
  open_connection (&f);
  find_work (&f, &(FalWork){ 0 }); /* it looks at the new socket */
  thread = start_thread (&f, run_sender);
  push (&f, 1);
  g_assert_cmpuint (watch_sync_count_signals (), ==, 1);
  g_assert_cmpint (g_source_get_ready_time (f.wakeup), ==, -1);
  work = g_thread_join (thread);
  g_assert_cmpint (work->kind, ==, FAL_WORK_REQUEST);
  finish (&f, work, "request");
  tear_down (&f);
}

/* Nobody is woken for a frame that can go nowhere yet. */
static void
test_a_frame_without_a_connection_wakes_the_net_thread_alone (void)
{
  Fixture f;
  GThread *thread;

  set_up_live (&f);
  thread = start_thread (&f, run_sender);
  push (&f, 1);
  push (&f, 2);
  g_assert_cmpuint (watch_sync_count_signals (), ==, 0);
  g_assert_true (is_called (&f));
  fal_shared_state_stop (f.state);
  g_assert_null (g_thread_join (thread));
  tear_down (&f);
}

/* ---- flushes ---- */

static void
test_a_reply_to_a_flushed_frame_brings_nothing (void)
{
  Fixture f;
  guint64 id;

  set_up_live (&f);
  open_connection (&f);
  id = send_frame (&f, 1);
  push (&f, 2);
  fal_shared_state_set_flushing (f.state, TRUE);
  check_sums (&f);
  fal_shared_state_set_flushing (f.state, FALSE);
  g_assert_true (answer (&f, id).known);
  g_assert_cmpuint (get_stat (&f, "results"), ==, 0);
  g_assert_cmpuint (get_stat (&f, "dropped-flushed"), ==, 1);
  g_assert_cmpuint (count_drops (&f), ==, 0);
  answer (&f, send_frame (&f, 3));
  g_assert_cmpuint (take_answer (&f), ==, 3);
  tear_down (&f);
}

/* Only the end waits until the application was told. */
static void
test_what_is_before_the_end_waits_for_no_telling (void)
{
  Fixture f;
  FalWork work;

  set_up_file (&f);
  open_connection (&f);
  push (&f, 1);
  for (guint i = 0; i < FAL_PACER_MAX_TRIES; i++) {
    send_one (&f);
    end_connection (&f, FALSE);
    open_connection (&f);
  }
  fal_shared_state_push_event (f.state, gst_event_new_gap (0, 1));
  push (&f, 2);
  fal_shared_state_push_event (f.state, gst_event_new_eos ());
  g_assert_cmpint (take_event (&f, NULL), ==, GST_EVENT_GAP);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_GIVEN_UP);
  fal_work_clear (&work);
  g_assert_true (answer (&f, send_one (&f)).known);
  g_assert_cmpuint (take_answer (&f), ==, 2);
  g_assert_cmpint (take_event (&f, NULL), ==, GST_EVENT_EOS);
  tear_down (&f);
}

/* ---- regions ---- */

static FalFrame *
make_routed (guint n, FalRoute route)
{
  FalFrame *frame = make_frame (n);

  frame->route = route;
  return frame;
}

/* One that cannot be read changes nothing, neither do settings that are older. */
static void
test_a_region_stays_until_another_can_be_read (void)
{
  Fixture f;
  FalRegionAbsent absent;
  FalRegion *region;

  set_up (&f, TRUE, make_settings ("region", "meta:face", "region-absent", "hold", NULL));
  g_assert_true (fal_shared_state_runs (f.state));
  g_assert_cmphex (set (&f, "region", "1,2,3"), ==, FAL_CONCERN_REGION);
  region = fal_shared_state_dup_region (f.state, &absent);
  g_assert_cmpstr (fal_region_get_wanted_type (region), ==, "face");
  g_assert_cmpint (absent, ==, FAL_REGION_ABSENT_HOLD);
  g_assert_cmpuint (fal_shared_state_get_most_held (f.state), ==, 2); /* none passes */
  fal_region_unref (region);
  set (&f, "region", "1,2,3,4");
  region = fal_shared_state_dup_region (f.state, &absent);
  g_assert_false (fal_region_is_found (region));
  fal_region_unref (region);
  set (&f, "enabled", "false"); /* all frames pass */
  g_assert_null (fal_shared_state_dup_region (f.state, &absent));
  set (&f, "enabled", "true");
  set (&f, "region", "");
  g_assert_null (fal_shared_state_dup_region (f.state, &absent));
  tear_down (&f);
}

static void
test_that_a_region_lies_outside_is_told_once (void)
{
  Fixture f;

  set_up (&f, TRUE, make_settings ("region", "1,2,3,4", NULL));
  g_assert_true (fal_shared_state_note_outside (f.state));
  g_assert_false (fal_shared_state_note_outside (f.state));
  set (&f, "prompt", "a cat");
  g_assert_false (fal_shared_state_note_outside (f.state));
  set (&f, "region", "5,6,7,8");
  g_assert_true (fal_shared_state_note_outside (f.state));
  tear_down (&f);
}

/* Nor does upstream wait for room there. */
static void
test_a_frame_that_passes_is_no_frame_of_the_pacer (void)
{
  Fixture f;
  FalOutput output;

  set_up_file (&f);
  push (&f, 1); /* waits for a connection, and no other may */
  fal_shared_state_push (f.state, make_routed (2, FAL_ROUTE_PASS));
  fal_shared_state_push (f.state, make_routed (3, FAL_ROUTE_PASS));
  g_assert_cmpuint (get_stat (&f, "frames-in"), ==, 1);
  open_connection (&f);
  answer (&f, send_one (&f));
  g_assert_cmpuint (take_answer (&f), ==, 1);
  for (guint i = 2; i <= 3; i++) {
    fal_shared_state_wait_for_output (f.state, FALSE, &output);
    g_assert_cmpint (output.result->kind, ==, FAL_RESULT_PASS);
    g_assert_true (output.result->in_turn);
    g_assert_cmpuint (output.result->frame->pts, ==, i * 33 * GST_MSECOND);
    output_clear (&output);
  }
  tear_down (&f);
}

static void
test_a_frame_that_is_held_goes_nowhere (void)
{
  Fixture f;

  set_up_live (&f);
  open_connection (&f);
  fal_shared_state_push (f.state, make_routed (1, FAL_ROUTE_HOLD));
  g_assert_cmpuint (get_stat (&f, "frames-in"), ==, 1);
  g_assert_cmpuint (get_stat (&f, "dropped-absent"), ==, 1);
  g_assert_cmpuint (get_stat (&f, "frames-waiting"), ==, 0);
  g_assert_false (fal_shared_state_send_now (f.state, NULL));
  g_assert_null (fal_shared_state_take_drops (f.state));
  push (&f, 2);
  check_sums (&f);
  g_assert_true (fal_shared_state_send_now (f.state, NULL));
  tear_down (&f);
}

/* What is sent again by "send" is the same part. */
static void
test_a_frame_keeps_its_part (void)
{
  Fixture f;
  FalFrame *frame = make_frame (1);
  FalWork work;

  set_up_live (&f);
  open_connection (&f);
  frame->part = (FalArea) { 1, 2, 3, 4 };
  fal_shared_state_push (f.state, frame);
  answer (&f, send_one (&f));
  g_assert_true (fal_shared_state_send_now (f.state, NULL));
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_REQUEST);
  g_assert_cmpint (work.frame->part.x, ==, 1);
  g_assert_cmpint (work.frame->part.height, ==, 4);
  finish (&f, &work, "request");
  tear_down (&f);
}

static guint
get_most_held (gboolean live, const gchar *name, const gchar *value)
{
  Fixture f;
  guint held;

  set_up (&f, live, make_settings (name, value, NULL));
  held = fal_shared_state_get_most_held (f.state);
  tear_down (&f);
  return held;
}

/* What waits, what is encoded, what may go again, what is shown in place of results. */
static void
test_all_frames_that_may_be_held_are_counted (void)
{
  g_assert_cmpuint (get_most_held (TRUE, "max-buffering", "3"), ==, 4);
  g_assert_cmpuint (get_most_held (TRUE, "fallback", "passthrough"), ==, 6);
  g_assert_cmpuint (get_most_held (TRUE, "block-size", "12"), ==, 2);
  g_assert_cmpuint (get_most_held (TRUE, "region", "meta"), ==, 6);
  g_assert_cmpuint (get_most_held (FALSE, "max-buffering", "3"), ==, 6);
  g_assert_cmpuint (get_most_held (FALSE, "max-in-flight", "5"), ==, 7);
  g_assert_cmpuint (get_most_held (FALSE, "block-size", "12"), ==, 38);
}

/* A camera that pauses in the middle of a block costs nothing. */
static void
test_a_connection_with_a_part_of_a_block_is_idle (void)
{
  Fixture f;
  FalWork work;

  set_up (&f, TRUE,
      make_settings ("throttle-interval", "0", "block-size", "3", "idle-timeout", "1", NULL));
  open_connection (&f);
  send_frame (&f, 1);
  g_usleep (2 * G_TIME_SPAN_MILLISECOND);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_NOTHING);
  fal_work_clear (&work);
  g_assert_cmpint (take_order (&f), ==, FAL_ORDER_RELEASE);
  end_connection (&f, FALSE);
  g_assert_cmpint (take_order (&f), ==, NO_ORDER);
  tear_down (&f);
}

/* Frames pass as soon as what is under way is over, which a block that stays a part is in time. */
static void
test_a_part_of_a_block_ends_where_frames_pass (void)
{
  Fixture f;
  FalWork work;

  set_up (&f, FALSE,
      make_settings ("throttle-interval", "0", "block-size", "3", "request-timeout", "1", NULL));
  open_connection (&f);
  send_frame (&f, 1);
  set (&f, "enabled", "false");
  g_usleep (2 * G_TIME_SPAN_MILLISECOND);
  find_work (&f, &work);
  fal_work_clear (&work);
  g_assert_cmpuint (get_stat (&f, "expired"), ==, 1);
  g_assert_cmpuint (get_stat (&f, "frames-waiting"), ==, 0);
  g_assert_cmpint (push (&f, 2), ==, GST_FLOW_OK);
  tear_down (&f);
}

/* The end of the stream does not wait for it, and the connection is free for the next one. */
static void
test_a_reply_after_the_end_is_over (void)
{
  Fixture f;
  FalAnswer over;

  set_up (&f, TRUE, make_settings ("throttle-interval", "0", "request-id", "never", NULL));
  open_connection (&f);
  send_frame (&f, 1);
  fal_shared_state_set_flushing (f.state, TRUE);
  fal_shared_state_set_flushing (f.state, FALSE);
  fal_shared_state_push_event (f.state, gst_event_new_eos ());
  g_assert_cmpint (take_event (&f, NULL), ==, GST_EVENT_EOS);
  over = answer (&f, 0);
  g_assert_false (over.known);
  g_assert_true (over.over); /* so that other members of the connection may send */
  g_assert_cmpuint (get_stat (&f, "results"), ==, 0);
  g_assert_cmpuint (get_stat (&f, "results-late"), ==, 1);
  g_assert_cmpuint (get_stat (&f, "in-flight"), ==, 0);
  check_sums (&f);
  tear_down (&f);
}

static void
test_a_flush_keeps_sticky_events (void)
{
  Fixture f;

  set_up_live (&f);
  push (&f, 1);
  fal_shared_state_push_event (f.state, gst_event_new_stream_start ("s"));
  fal_shared_state_push_event (f.state, gst_event_new_eos ());
  fal_shared_state_set_flushing (f.state, TRUE);
  fal_shared_state_set_flushing (f.state, FALSE);
  fal_shared_state_push_event (f.state, gst_event_new_gap (0, 1));
  g_assert_cmpint (take_event (&f, NULL), ==, GST_EVENT_STREAM_START);
  g_assert_cmpint (take_event (&f, NULL), ==, GST_EVENT_GAP);
  tear_down (&f);
}

/* ---- send-now ---- */

static void
test_the_newest_frame_goes_again_with_inputs_of_its_own (void)
{
  Fixture f;
  FalWork work;
  g_autoptr (GstStructure) inputs = gst_structure_new ("i", "prompt", G_TYPE_STRING, "x", NULL);

  set_up_live (&f);
  g_assert_false (fal_shared_state_send_now (f.state, inputs));
  open_connection (&f);
  answer (&f, send_frame (&f, 1));
  g_assert_true (fal_shared_state_send_now (f.state, inputs));
  check_sums (&f);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_REQUEST);
  g_assert_cmpstr (gst_structure_get_string (work.inputs, "prompt"), ==, "x");
  g_assert_cmpuint (work.frame->pts, ==, 33 * GST_MSECOND);
  g_assert_nonnull (work.sample);
  finish (&f, &work, "request");
  fal_shared_state_push_event (f.state, gst_event_new_eos ());
  g_assert_false (fal_shared_state_send_now (f.state, NULL));
  tear_down (&f);
}

/* ---- the end ---- */

static void
test_a_drain_that_takes_too_long_ends_the_stream (void)
{
  Fixture f;
  guint missing;

  set_up (&f, FALSE,
      make_settings ("throttle-interval", "0", "drain-timeout", "1", "max-buffering", "4", NULL));
  open_connection (&f);
  send_frame (&f, 1);
  push (&f, 2);
  push (&f, 3);
  fal_shared_state_push_event (f.state, gst_event_new_eos ());
  g_assert_cmpint (take_event (&f, &missing), ==, GST_EVENT_EOS);
  g_assert_cmpuint (missing, ==, 3);
  check_sums (&f);
  g_assert_cmpuint (get_stat (&f, "expired"), ==, 1);
  /* A late reply without an id could be taken for another frame's. */
  g_assert_cmpint (take_order (&f), ==, FAL_ORDER_CLOSE);
  tear_down (&f);
}

/* The drain's time is over in the very moment in which a flush ends the drain: then there is none
 * whose time is over. */
static void
test_a_flush_ends_a_drain_whose_time_is_over (void)
{
  Fixture f;
  GThread *thread;
  FalOutput output;

  set_up_file (&f);
  open_connection (&f);
  send_frame (&f, 1);
  fal_shared_state_push_event (f.state, gst_event_new_eos ());
  watch_sync_reset ();
  watch_sync_let_time_win (TRUE);
  thread = g_thread_new ("waits", run_output, &f);
  watch_sync_await_sleeper ();
  fal_shared_state_set_flushing (f.state, TRUE);
  join_output (thread, &output);
  g_assert_null (output.event);
  g_assert_cmpuint (output.missing, ==, 0);
  g_assert_cmpuint (get_stat (&f, "expired"), ==, 0); /* its reply is awaited still */
  g_assert_cmpint (take_order (&f), ==, NO_ORDER);    /* and its connection stays */
  output_clear (&output);
  tear_down (&f);
}

static void
test_a_drain_without_a_connection_drops_what_waits (void)
{
  Fixture f;
  guint missing;

  set_up (&f, FALSE, make_settings ("throttle-interval", "0", "drain-timeout", "1", NULL));
  push (&f, 1);
  fal_shared_state_push_event (f.state, gst_event_new_eos ());
  g_assert_cmpint (take_event (&f, &missing), ==, GST_EVENT_EOS);
  g_assert_cmpuint (missing, ==, 1);
  g_assert_cmpuint (get_stat (&f, "dropped-offline"), ==, 1);
  g_assert_cmpuint (count_drops (&f), ==, 1);
  tear_down (&f);
}

static void
test_an_eos_waits_for_the_last_result (void)
{
  Fixture f;
  guint64 id;
  guint missing;

  set_up_file (&f);
  open_connection (&f);
  id = send_frame (&f, 1);
  fal_shared_state_push_event (f.state, gst_event_new_eos ());
  answer (&f, id);
  g_assert_cmpuint (take_answer (&f), ==, 1);
  g_assert_cmpint (take_event (&f, &missing), ==, GST_EVENT_EOS);
  g_assert_cmpuint (missing, ==, 0);
  tear_down (&f);
}

static void
test_the_end_of_the_paid_time_ends_the_stream_once (void)
{
  Fixture f;
  FalWork work;

  set_up (&f, TRUE, make_settings ("session-limit", "1", NULL));
  open_connection (&f);
  push (&f, 1);
  f.counts.connected_time = 5 * G_TIME_SPAN_SECOND;
  fal_shared_state_note_counts (f.state, 0, &f.counts);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_LIMIT);
  g_assert_cmpuint (work.limit, ==, 1);
  fal_shared_state_spend (f.state, FALSE);
  check_sums (&f);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_NOTHING);
  g_assert_cmpint (take_order (&f), ==, FAL_ORDER_RELEASE);
  g_assert_cmpint (take_event (&f, NULL), ==, GST_EVENT_EOS);
  g_assert_cmpint (push (&f, 2), ==, GST_FLOW_EOS);
  fal_shared_state_push_event (f.state, gst_event_new_eos ()); /* it has ended already */
  fal_shared_state_push_event (f.state, gst_event_new_gap (0, 1));
  g_assert_cmpint (take_event (&f, NULL), ==, GST_EVENT_GAP);
  fal_shared_state_set_flushing (f.state, TRUE);
  fal_shared_state_set_flushing (f.state, FALSE);
  g_assert_cmpint (take_event (&f, NULL), ==, GST_EVENT_EOS); /* as the first was flushed away */
  g_assert_cmpint (take_order (&f), ==, NO_ORDER);
  tear_down (&f);
}

static gdouble
get_cost (Fixture *f)
{
  g_autoptr (GstStructure) stats = fal_shared_state_get_stats (f->state);
  gdouble cost;

  g_assert_true (gst_structure_get_double (stats, "cost", &cost));
  return cost;
}

/* The third request would cost too much: the stream ends once the first two have their results, and
 * after these. */
static void
test_the_end_of_the_budget_waits_for_what_is_paid_for (void)
{
  Fixture f;
  FalWork work;
  guint64 ids[2];

  set_up (&f, FALSE,
      make_settings ("throttle-interval", "0", "max-in-flight", "2", "max-buffering", "3",
          "price-per-request", "0.5", "budget", "1", NULL));
  open_connection (&f);
  for (guint n = 0; n < 2; n++) {
    ids[n] = send_frame (&f, n + 1);
    g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_COST);
    g_assert_cmpfloat (work.cost.cost, ==, 0.5 * (n + 1));
  }
  push (&f, 3);
  answer (&f, ids[0]);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_NOTHING);
  answer (&f, ids[1]);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_BUDGET);
  g_assert_cmpuint (work.cost.requests, ==, 2);
  fal_shared_state_spend (f.state, TRUE);
  g_assert_cmpint (take_order (&f), ==, FAL_ORDER_RELEASE);
  g_assert_cmpint (push (&f, 4), ==, GST_FLOW_EOS);
  g_assert_cmpuint (take_answer (&f), ==, 1);
  g_assert_cmpuint (take_answer (&f), ==, 2);
  g_assert_cmpint (take_event (&f, NULL), ==, GST_EVENT_EOS);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_NOTHING);
  tear_down (&f);
}

/* What was paid for in time ends it though nothing is sent; and a frame opens no connection that
 * there is no money for. */
static void
test_paid_time_ends_the_stream (void)
{
  const FalPaidTime paid = { .time = 2 * G_TIME_SPAN_SECOND };
  Fixture f;
  FalWork work;

  set_up (&f, TRUE,
      make_settings ("throttle-interval", "0", "price-per-second", "0.5", "budget", "10", NULL));
  fal_shared_state_note_paid_time (f.state, 0, &paid);
  g_assert_cmpfloat (get_cost (&f), ==, 1);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_COST);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_NOTHING);
  set (&f, "budget", "0.5");
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_NOTHING); /* nothing more is paid for */
  push (&f, 1);
  g_assert_cmpint (take_order (&f), ==, NO_ORDER);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_BUDGET);
  fal_shared_state_spend (f.state, TRUE);
  g_assert_cmpint (take_event (&f, NULL), ==, GST_EVENT_EOS);
  tear_down (&f);
}

static void
test_what_was_not_sent_costs_nothing (void)
{
  Fixture f;
  FalWork work;

  set_up (&f, TRUE,
      make_settings (
          "throttle-interval", "0", "max-in-flight", "4", "price-per-request", "1", NULL));
  open_connection (&f);
  send_frame (&f, 1);
  push (&f, 2);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_REQUEST);
  finish (&f, &work, NULL); /* it could not be encoded */
  g_assert_cmpfloat (get_cost (&f), ==, 1);
  push (&f, 3);
  send_one (&f);
  g_assert_cmpfloat (get_cost (&f), ==, 2);
  fal_shared_state_reset_stats (f.state);
  g_assert_cmpfloat (get_cost (&f), ==, 2);
  end_connection (&f, FALSE); /* before it went to the net thread */
  while (take_order (&f) != NO_ORDER)
    ;
  g_assert_cmpfloat (get_cost (&f), ==, 1);
  tear_down (&f);
}

/* Only those who share are asked, and only when it changes. */
static void
test_whoever_shares_says_whether_it_uses_the_connection (void)
{
  Fixture f;

  set_up (&f, TRUE, make_settings ("connection-key", "both", NULL));
  g_assert_true (fal_shared_state_uses_connection (f.state));
  g_assert_cmpint (take_order (&f), ==, NO_ORDER);
  set (&f, "enabled", "false");
  g_assert_cmpint (take_order (&f), ==, FAL_ORDER_SHARE);
  g_assert_false (fal_shared_state_uses_connection (f.state));
  set (&f, "enabled", "true");
  g_assert_cmpint (take_order (&f), ==, FAL_ORDER_SHARE);
  g_assert_true (fal_shared_state_uses_connection (f.state));
  fal_shared_state_spend (f.state, TRUE);
  g_assert_cmpint (take_order (&f), ==, FAL_ORDER_SHARE);
  g_assert_false (fal_shared_state_uses_connection (f.state));
  tear_down (&f);
}

static void
test_a_key_without_a_letter_shares_nothing (void)
{
  Fixture f;

  set_up (&f, TRUE, make_settings ("connection-key", "", NULL));
  set (&f, "enabled", "false");
  g_assert_cmpint (take_order (&f), ==, NO_ORDER);
  tear_down (&f);
}

static void
test_a_missing_price_is_told_once (void)
{
  Fixture f;

  set_up_live (&f);
  g_assert_false (fal_shared_state_lacks_price (f.state));
  set (&f, "budget", "1");
  g_assert_true (fal_shared_state_lacks_price (f.state));
  g_assert_false (fal_shared_state_lacks_price (f.state));
  set (&f, "price-per-second", "1");
  g_assert_false (fal_shared_state_lacks_price (f.state));
  set (&f, "price-per-second", "0");
  g_assert_true (fal_shared_state_lacks_price (f.state));
  tear_down (&f);
}

static void
test_an_error_after_eos_is_told_by_whoever_finds_it (void)
{
  Fixture f;

  set_up_file (&f);
  g_assert_true (fal_shared_state_push_event (f.state, gst_event_new_gap (0, 1)));
  g_assert_true (fal_shared_state_stop_flow (f.state, GST_FLOW_ERROR, FALSE));
  g_assert_false (fal_shared_state_push_event (f.state, gst_event_new_eos ()));
  tear_down (&f);
  set_up_file (&f);
  g_assert_true (fal_shared_state_push_event (f.state, gst_event_new_eos ()));
  g_assert_false (fal_shared_state_stop_flow (f.state, GST_FLOW_ERROR, FALSE));
  tear_down (&f);
  set_up_file (&f);
  g_assert_true (fal_shared_state_push_event (f.state, gst_event_new_eos ()));
  g_assert_true (fal_shared_state_stop_flow (f.state, GST_FLOW_ERROR, TRUE));
  tear_down (&f);
}

static void
test_a_link_lets_the_flow_go_on (void)
{
  Fixture f;

  set_up_file (&f);
  fal_shared_state_stop_flow (f.state, GST_FLOW_NOT_LINKED, TRUE);
  g_assert_cmpint (push (&f, 1), ==, GST_FLOW_NOT_LINKED);
  g_assert_true (fal_shared_state_relink (f.state));
  g_assert_false (fal_shared_state_relink (f.state));
  g_assert_cmpint (push (&f, 2), ==, GST_FLOW_OK);
  tear_down (&f);
}

static void
test_a_new_start_begins_anew (void)
{
  Fixture f;

  set_up_live (&f);
  open_connection (&f);
  send_frame (&f, 1);
  push (&f, 2);
  fal_shared_state_note_state (f.state, 0, FAL_DIALER_CONNECTED);
  fal_shared_state_note_pushed (f.state, FAL_RESULT_ANSWER, TRUE);
  fal_shared_state_stop (f.state);
  g_assert_false (end_connection (&f, FALSE)); /* nobody is to be told */
  g_assert_true (fal_shared_state_give_up (f.state));
  g_assert_false (fal_shared_state_give_up (f.state));
  check_sums (&f);
  fal_shared_state_start (f.state);
  fal_shared_state_set_wakeup (f.state, f.wakeup);
  fal_shared_state_set_flushing (f.state, FALSE);
  g_assert_false (fal_shared_state_is_live (f.state));
  g_assert_cmpuint (get_stat (&f, "frames-in"), ==, 0);
  g_assert_cmpuint (get_stat (&f, "frames-out"), ==, 0);
  g_assert_cmpuint (get_stat (&f, "frames-repeated"), ==, 0);
  g_assert_cmpint (take_order (&f), ==, FAL_ORDER_CONFIGURE);
  g_assert_cmpint (take_order (&f), ==, NO_ORDER);
  push (&f, 1);
  g_assert_cmpint (take_order (&f), ==, FAL_ORDER_CONNECT);
  tear_down (&f);
}

static void
test_counts_that_begin_anew_hold_what_is_under_way (void)
{
  Fixture f;

  set_up_live (&f);
  open_connection (&f);
  answer (&f, send_frame (&f, 1));
  send_frame (&f, 2);
  push (&f, 3);
  fal_shared_state_reset_stats (f.state);
  check_sums (&f);
  g_assert_cmpuint (get_stat (&f, "frames-in"), ==, 2);
  g_assert_cmpuint (get_stat (&f, "in-flight"), ==, 1);
  g_assert_cmpuint (get_stat (&f, "connections"), ==, 0);
  tear_down (&f);
}

/* ---- several connections ---- */

#define LANES 3

static void
set_up_spread (Fixture *f, gboolean live, const gchar *latency)
{
  set_up (f, live,
      make_settings ("throttle-interval", "0", "connections", "3", "max-in-flight", "2", "latency",
          latency, NULL));
  if (live)
    fal_shared_state_set_pipeline_latency (f->state, 10 * GST_SECOND);
}

/* The net thread was told to connect each of them, once, and does. */
static void
connect_all (Fixture *f)
{
  for (guint i = 0; i < LANES; i++) {
    FalOrder *order = fal_shared_state_take_order (f->state);

    g_assert_cmpint (order->kind, ==, FAL_ORDER_CONNECT);
    g_assert_cmpuint (order->lane, ==, i);
    fal_order_free (order);
    fal_shared_state_note_opened (f->state, i, &f->counts, NULL, TRUE);
  }
  g_assert_cmpint (take_order (f), ==, NO_ORDER);
}

/* The send thread sends a frame over @lane, and the net thread is told so; the request's id. */
static guint64
send_over (Fixture *f, guint lane)
{
  FalOrder *order;
  FalWork work;
  guint64 id;

  g_assert_cmpint (find_work (f, &work), ==, FAL_WORK_REQUEST);
  g_assert_cmpuint (work.lane, ==, lane);
  id = work.id;
  finish (f, &work, "request");
  order = fal_shared_state_take_order (f->state);
  g_assert_cmpint (order->kind, ==, FAL_ORDER_SEND);
  g_assert_cmpuint (order->lane, ==, lane);
  fal_order_free (order);
  return id;
}

static void
answer_over (Fixture *f, guint lane, guint64 id)
{
  const FalReception reception = { .lane = lane, .running = GST_CLOCK_TIME_NONE };
  g_autofree gchar *json = g_strdup_printf (
      "{\"images\":[\"YWJj\"],\"request_id\":\"frame-%" G_GUINT64_FORMAT "\"}", id);
  g_autoptr (FalReply) reply = parse (json);
  FalAnswer answer;

  fal_shared_state_answer (f->state, reply, &reception, &answer);
  g_assert_true (answer.known);
}

/* The serial of the result that goes out now; 0: none does. */
static guint64
pull_now (Fixture *f)
{
  FalOutput output;
  guint64 serial;

  fal_shared_state_note_tick (f->state); /* so that nothing is waited for */
  fal_shared_state_wait_for_output (f->state, FALSE, &output);
  serial = output.result ? output.result->serial : 0;
  g_clear_pointer (&output.result, fal_result_free);
  fal_settings_unref (output.settings);
  return serial;
}

static void
test_each_lane_gets_its_frames_and_its_orders (void)
{
  Fixture f;

  set_up_spread (&f, FALSE, "-1");
  push (&f, 1);
  connect_all (&f);
  for (guint i = 0; i < 2 * LANES; i++) {
    if (i > 0)
      push (&f, i + 1);
    send_over (&f, i % LANES);
  }
  check_sums (&f);
  tear_down (&f);
}

static void
test_answers_of_a_file_wait_for_those_of_other_lanes (void)
{
  guint64 ids[LANES];
  Fixture f;

  set_up_spread (&f, FALSE, "-1");
  push (&f, 1);
  connect_all (&f);
  for (guint i = 0; i < LANES; i++) {
    if (i > 0)
      push (&f, i + 1);
    ids[i] = send_over (&f, i);
  }
  answer_over (&f, 2, ids[2]);
  answer_over (&f, 1, ids[1]);
  g_assert_cmpuint (pull_now (&f), ==, 0);
  answer_over (&f, 0, ids[0]);
  for (guint i = 1; i <= LANES; i++)
    g_assert_cmpuint (pull_now (&f), ==, i);
  tear_down (&f);
}

/* With a delay that sinks keep they wait as long as these would; without one they do not. */
static void
test_live_answers_wait_where_there_is_a_delay (void)
{
  static const gchar *const latencies[] = { "-1", "9000" };

  for (guint k = 0; k < 2; k++) {
    guint64 ids[2];
    Fixture f;

    set_up_spread (&f, TRUE, latencies[k]);
    push (&f, 1);
    connect_all (&f);
    ids[0] = send_over (&f, 0);
    push (&f, 2);
    ids[1] = send_over (&f, 1);
    answer_over (&f, 1, ids[1]);
    g_assert_cmpuint (pull_now (&f), ==, k == 0 ? 2 : 0);
    answer_over (&f, 0, ids[0]);
    g_assert_cmpuint (pull_now (&f), ==, 1);
    tear_down (&f);
  }
}

static void
test_a_lane_that_ends_takes_only_its_own (void)
{
  guint64 id;
  Fixture f;

  set_up_spread (&f, FALSE, "-1");
  push (&f, 1);
  connect_all (&f);
  send_over (&f, 0);
  push (&f, 2);
  id = send_over (&f, 1);
  g_assert_true (fal_shared_state_note_ended (f.state, 0, &f.counts, FALSE, TRUE));
  g_assert_cmpuint (get_stat (&f, "in-flight"), ==, 1);
  g_assert_cmpint (take_order (&f), ==, FAL_ORDER_CONNECT);
  send_over (&f, 2); /* what was out goes over the next one */
  answer_over (&f, 1, id);
  check_sums (&f);
  tear_down (&f);
}

/* Live the newest frame survives its lane, with its picture, though an older one is still out over
 * another. */
static void
test_the_newest_frame_goes_over_another_lane (void)
{
  Fixture f;
  FalWork work;

  set_up_spread (&f, TRUE, "-1");
  push (&f, 1);
  connect_all (&f);
  send_over (&f, 0);
  push (&f, 2);
  send_over (&f, 1);
  g_assert_true (fal_shared_state_note_ended (f.state, 1, &f.counts, FALSE, TRUE));
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_REQUEST);
  g_assert_cmpuint (work.lane, ==, 2);
  g_assert_nonnull (work.sample);
  finish (&f, &work, "request");
  tear_down (&f);
}

static void
test_the_state_is_that_of_the_farthest (void)
{
  Fixture f;

  set_up_spread (&f, TRUE, "-1");
  g_assert_cmpint (
      fal_shared_state_note_state (f.state, 0, FAL_DIALER_CONNECTING), ==, FAL_DIALER_CONNECTING);
  g_assert_cmpint (
      fal_shared_state_note_state (f.state, 2, FAL_DIALER_CONNECTED), ==, FAL_DIALER_CONNECTED);
  fal_shared_state_note_ended (f.state, 2, &f.counts, TRUE, FALSE);
  g_assert_cmpint (fal_shared_state_get_state (f.state), ==, FAL_DIALER_CONNECTING);
  for (guint i = 0; i < LANES; i++)
    fal_shared_state_note_ended (f.state, i, &f.counts, TRUE, FALSE);
  g_assert_cmpint (fal_shared_state_get_state (f.state), ==, FAL_DIALER_FAILED);
  tear_down (&f);
}

static void
test_all_are_let_go_of_together (void)
{
  Fixture f;
  FalWork work;

  set_up_spread (&f, TRUE, "-1");
  set (&f, "idle-timeout", "1000000");
  push (&f, 1);
  connect_all (&f);
  send_over (&f, 0);
  set (&f, "idle-timeout", "1");
  answer_over (&f, 0, 1);
  usleep (2000);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_NOTHING);
  fal_work_clear (&work);
  for (guint i = 0; i < LANES; i++)
    g_assert_cmpint (take_order (&f), ==, FAL_ORDER_RELEASE);
  g_assert_cmpint (take_order (&f), ==, NO_ORDER);
  tear_down (&f);
}

/* ---- frames that show nothing new ---- */

/* The first frame was sent; frames that follow are compared with it. */
static guint64
set_up_still (Fixture *f, gboolean live)
{
  set_up (f, live,
      make_settings ("throttle-interval", "0", "max-in-flight", "2", "change-threshold", "9",
          "max-unchanged-time", "1000", NULL));
  open_connection (f);
  return send_frame (f, 1);
}

/* The frame that goes next is looked at, and shows what the one before showed. */
static void
find_unchanged (Fixture *f)
{
  FalWork work;

  g_assert_cmpint (find_work (f, &work), ==, FAL_WORK_LOOK);
  fal_shared_state_note_change (f->state, &work, 0);
  fal_work_clear (&work);
  g_assert_cmpint (find_work (f, &work), ==, FAL_WORK_NOTHING);
  fal_work_clear (&work);
}

/* Live, where its own result need not stand for it. */
static void
test_an_unchanged_frame_rests_though_the_one_before_awaits_its_result (void)
{
  Fixture f;
  guint64 id = set_up_still (&f, TRUE);

  push (&f, 2);
  find_unchanged (&f);
  g_assert_cmpuint (get_stat (&f, "dropped-unchanged"), ==, 1);
  check_sums (&f);
  answer (&f, id);
  g_assert_cmpuint (take_answer (&f), ==, 1);
  tear_down (&f);
}

static FalFrame *
make_timeless_frame (void)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  g_autoptr (GstCaps) caps = gst_caps_new_empty_simple ("image/jpeg");
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  return fal_frame_new (gst_sample_new (buffer, caps, &segment, NULL), g_get_monotonic_time ());
}

/* How old the frame is that was sent last is said by when it came. */
static void
test_frames_without_a_time_go_once_the_last_one_is_old (void)
{
  Fixture f;
  FalWork work;

  set_up (&f, TRUE,
      make_settings (
          "throttle-interval", "0", "change-threshold", "9", "max-unchanged-time", "10000", NULL));
  open_connection (&f);
  fal_shared_state_push (f.state, make_timeless_frame ());
  answer (&f, send_one (&f));
  fal_shared_state_push (f.state, make_timeless_frame ());
  find_unchanged (&f);
  watch_sync_pass_time (10 * G_TIME_SPAN_SECOND);
  fal_shared_state_push (f.state, make_timeless_frame ());
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_REQUEST);
  finish (&f, &work, "request");
  tear_down (&f);
}

static void
test_what_is_asked_for_goes_though_it_is_unchanged (void)
{
  g_autoptr (GstStructure) inputs = gst_structure_new ("i", "prompt", G_TYPE_STRING, "x", NULL);
  Fixture f;
  FalWork work;

  answer (&f, set_up_still (&f, TRUE));
  push (&f, 2);
  g_assert_true (fal_shared_state_send_now (f.state, inputs));
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_REQUEST);
  g_assert_cmpstr (gst_structure_get_string (work.inputs, "prompt"), ==, "x");
  finish (&f, &work, "request");
  push (&f, 3);
  find_unchanged (&f);
  tear_down (&f);
}

/* The result that stands does not show the frame as it is to be shown now. */
static void
test_an_unchanged_frame_goes_where_results_are_shown_otherwise (void)
{
  static const gchar *const rows[][2] = { { "composite", "over" }, { "feather", "9" },
    { "background", "red" }, { "composite-frames", "all" }, { "prompt", "a cat" } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    Fixture f;
    FalWork work;

    answer (&f, set_up_still (&f, TRUE));
    push (&f, 2);
    find_unchanged (&f);
    set (&f, rows[i][0], rows[i][1]);
    push (&f, 3);
    g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_REQUEST);
    finish (&f, &work, "request");
    tear_down (&f);
  }
}

/* A new connection knows nothing of what an app keeps of an older one, which only then matters. */
static void
test_an_unchanged_frame_goes_over_a_new_connection_where_the_app_keeps_a_state (void)
{
  static const struct {
    const gchar *start, *feedback;
    FalWorkKind next;
  } rows[] = { { "", "", FAL_WORK_LOOK }, { "a", "", FAL_WORK_REQUEST },
    { "", "b", FAL_WORK_REQUEST } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    Fixture f;
    FalWork work;

    answer (&f, set_up_still (&f, TRUE));
    set (&f, "start-fields", rows[i].start);
    set (&f, "feedback-fields", rows[i].feedback);
    push (&f, 2);
    answer (&f, send_one (&f)); /* as the inputs were others */
    end_connection (&f, FALSE);
    open_connection (&f);
    push (&f, 3);
    g_assert_cmpint (find_work (&f, &work), ==, rows[i].next);
    fal_work_clear (&work);
    tear_down (&f);
  }
}

/* ---- a silent connection ---- */

/* The send thread's work; the sockets were looked at, and their peers are alive. */
static FalWorkKind
find_heard_work (Fixture *f, FalWork *work)
{
  gint64 heard[FAL_MAX_CONNECTIONS];

  for (guint i = 0; i < G_N_ELEMENTS (heard); i++)
    heard[i] = g_get_monotonic_time ();
  g_assert_true (fal_shared_state_wait_for_work (f->state, 0, heard, work));
  return work->kind;
}

/* Connections that stand and bring nothing, though frames were sent over two of them. */
static void
test_that_no_result_comes_is_told_each_minute (void)
{
  Fixture f;
  FalWork work;

  set_up_spread (&f, TRUE, "-1");
  set (&f, "request-timeout", "0");
  push (&f, 1);
  for (guint i = 0; i < LANES - 1; i++)
    fal_shared_state_note_opened (f.state, i, &f.counts, NULL, TRUE);
  send_one (&f);
  watch_sync_pass_time (G_TIME_SPAN_SECOND);
  push (&f, 2);
  send_one (&f);
  watch_sync_pass_time (50 * G_TIME_SPAN_SECOND);
  g_assert_cmpint (find_heard_work (&f, &work), ==, FAL_WORK_NOTHING);
  watch_sync_pass_time (10 * G_TIME_SPAN_SECOND);
  g_assert_cmpint (find_heard_work (&f, &work), ==, FAL_WORK_SILENCE);
  g_assert_cmpint (work.silence, >=, 61 * G_TIME_SPAN_SECOND); /* of the one that has it longest */
  g_assert_false (work.greeted);
  g_assert_cmpint (find_heard_work (&f, &work), ==, FAL_WORK_NOTHING);
  fal_shared_state_note_greeting (f.state, 1);
  watch_sync_pass_time (60 * G_TIME_SPAN_SECOND);
  g_assert_cmpint (find_heard_work (&f, &work), ==, FAL_WORK_SILENCE);
  g_assert_cmpint (work.silence, >=, 121 * G_TIME_SPAN_SECOND);
  g_assert_true (work.greeted);
  tear_down (&f);
}

/* Two requests get no answer, one after the other: with the first the connection is given up. */
static void
give_up_with_another (Fixture *f)
{
  FalWork work;

  set_up (f, FALSE,
      make_settings (
          "throttle-interval", "0", "max-in-flight", "2", "request-timeout", "20000", NULL));
  open_connection (f);
  send_frame (f, 1);
  watch_sync_pass_time (10 * G_TIME_SPAN_SECOND);
  send_frame (f, 2);
  find_heard_work (f, &work); /* it looks at the new socket */
  watch_sync_pass_time (10 * G_TIME_SPAN_SECOND);
  g_assert_cmpint (find_heard_work (f, &work), ==, FAL_WORK_NOTHING);
  g_assert_cmpuint (get_stat (f, "in-flight"), ==, 1);
  g_assert_cmpint (take_order (f), ==, FAL_ORDER_FAIL);
}

static void
test_a_connection_is_given_up_once (void)
{
  Fixture f;
  FalWork work;

  give_up_with_another (&f);
  watch_sync_pass_time (10 * G_TIME_SPAN_SECOND);
  g_assert_cmpint (find_heard_work (&f, &work), ==, FAL_WORK_CUT);
  g_assert_cmpint (find_heard_work (&f, &work), ==, FAL_WORK_NOTHING);
  g_assert_cmpuint (get_stat (&f, "in-flight"), ==, 0);
  g_assert_cmpint (take_order (&f), ==, NO_ORDER);
  tear_down (&f);
}

static void
test_the_end_of_a_drain_closes_no_connection_that_was_given_up (void)
{
  Fixture f;
  FalOutput gap;
  guint missing;

  give_up_with_another (&f);
  set (&f, "drain-timeout", "1");
  while (take_order (&f) != NO_ORDER)
    ;
  fal_shared_state_push_event (f.state, gst_event_new_eos ());
  fal_shared_state_wait_for_output (f.state, FALSE, &gap); /* of the time without a result */
  g_assert_cmpint (gap.result->kind, ==, FAL_RESULT_FALLBACK);
  output_clear (&gap);
  g_assert_cmpint (take_event (&f, &missing), ==, GST_EVENT_EOS);
  g_assert_cmpuint (missing, ==, 2);
  g_assert_cmpint (take_order (&f), ==, NO_ORDER);
  tear_down (&f);
}

/* An answer is waited for as long as the connection needs whose model takes longest to load. */
static void
test_the_slowest_connection_says_how_long_an_answer_is_waited_for (void)
{
  Fixture f;
  FalWork work;

  set_up_spread (&f, TRUE, "-1");
  set (&f, "request-timeout", "10000");
  take_order (&f);
  push (&f, 1);
  connect_all (&f);
  fal_shared_state_note_state (f.state, 0, FAL_DIALER_WARMING_UP);
  send_over (&f, 0);
  watch_sync_pass_time (10 * G_TIME_SPAN_SECOND);
  find_heard_work (&f, &work);
  g_assert_cmpuint (get_stat (&f, "expired"), ==, 1);
  g_assert_true (fal_shared_state_note_ended (f.state, 0, &f.counts, FALSE, FALSE));
  fal_shared_state_note_opened (f.state, 0, &f.counts, NULL, TRUE);
  push (&f, 2);
  send_one (&f);
  watch_sync_pass_time (10 * G_TIME_SPAN_SECOND);
  find_heard_work (&f, &work);
  g_assert_cmpuint (get_stat (&f, "expired"), ==, 1);
  watch_sync_pass_time (10 * G_TIME_SPAN_SECOND);
  find_heard_work (&f, &work);
  g_assert_cmpuint (get_stat (&f, "expired"), ==, 2);
  tear_down (&f);
}

/* ---- what opens a connection ---- */

/* An app that wants something first, which brings no answer. */
static void
set_up_opening (Fixture *f, FalWork *work)
{
  set_up (f, TRUE,
      make_settings ("throttle-interval", "0", "block-size", "2", "start-fields", "start", NULL));
  open_connection (f);
  push (f, 1);
  g_assert_cmpint (find_work (f, work), ==, FAL_WORK_REQUEST);
  g_assert_cmpuint (work->id, ==, 0);
  g_assert_true (work->first);
}

static void
test_a_frame_that_could_not_open_the_connection_failed (void)
{
  Fixture f;
  FalWork work;

  set_up_opening (&f, &work);
  finish (&f, &work, NULL);
  check_sums (&f);
  g_assert_cmpuint (get_stat (&f, "failed"), ==, 1);
  g_assert_cmpuint (count_drops (&f), ==, 1);
  push (&f, 2);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_REQUEST);
  g_assert_cmpuint (work.id, ==, 0);
  g_assert_true (work.first);
  g_assert_cmpuint (work.frame->pts, ==, 2 * 33 * GST_MSECOND);
  finish (&f, &work, "request");
  tear_down (&f);
}

/* Then it says nothing of the frame: the new one is opened with it. */
static void
test_what_could_not_open_an_older_connection_is_no_failure (void)
{
  Fixture f;
  FalWork work, again;

  set_up_opening (&f, &work);
  end_connection (&f, FALSE);
  open_connection (&f);
  g_assert_cmpint (find_work (&f, &again), ==, FAL_WORK_REQUEST);
  g_assert_cmpuint (again.id, ==, 0);
  finish (&f, &work, NULL);
  g_assert_cmpuint (get_stat (&f, "failed"), ==, 0);
  finish (&f, &again, "request");
  g_assert_cmpint (find_work (&f, &again), ==, FAL_WORK_REQUEST);
  g_assert_cmpuint (again.id, >, 0);
  g_assert_false (again.first);
  finish (&f, &again, "request");
  tear_down (&f);
}

/* ---- who awaits a state ---- */

static gboolean
is_awaited (Fixture *f, FalDialerState dialer)
{
  return fal_shared_state_is_awaited (f->state, dialer);
}

static void
test_a_state_is_awaited_where_a_frame_is_to_go_on (void)
{
  Fixture f;

  set_up_live (&f);
  g_assert_true (is_awaited (&f, FAL_DIALER_CONNECTING));
  g_assert_true (is_awaited (&f, FAL_DIALER_IDLE)); /* for the first frame */
  set (&f, "enabled", "false");
  g_assert_false (is_awaited (&f, FAL_DIALER_IDLE));
  set (&f, "enabled", "true");
  g_assert_false (is_awaited (&f, FAL_DIALER_WARMING_UP)); /* there is no frame */
  push (&f, 1);
  g_assert_false (is_awaited (&f, FAL_DIALER_IDLE));
  fal_shared_state_note_opened (f.state, 0, &f.counts, NULL, FALSE);
  g_assert_true (is_awaited (&f, FAL_DIALER_WARMING_UP)); /* the app is to say that it is ready */
  fal_shared_state_note_ready (f.state, 0);
  g_assert_false (is_awaited (&f, FAL_DIALER_WARMING_UP)); /* the frame may wait for its turn */
  send_one (&f);
  g_assert_true (is_awaited (&f, FAL_DIALER_WARMING_UP)); /* for its result */
  tear_down (&f);
}

static void
test_nobody_awaits_that_an_app_is_ready_once_stopped (void)
{
  Fixture f;

  set_up_live (&f);
  push (&f, 1);
  fal_shared_state_note_opened (f.state, 0, &f.counts, NULL, FALSE);
  g_assert_true (is_awaited (&f, FAL_DIALER_WARMING_UP));
  fal_shared_state_stop (f.state);
  g_assert_false (is_awaited (&f, FAL_DIALER_WARMING_UP));
  tear_down (&f);
}

/* ---- upstream's queries, and its memory ---- */

static gpointer
run_query (gpointer data)
{
  g_autoptr (GstQuery) query = gst_query_new_caps (NULL);

  return GINT_TO_POINTER (fal_shared_state_pass_query (((Fixture *) data)->state, query));
}

/* It keeps its place, and waits until downstream has answered, whatever else happens. */
static void
test_a_query_waits_for_downstreams_answer (void)
{
  Fixture f;
  GThread *thread;

  set_up (&f, TRUE, make_settings ("enabled", "false", NULL));
  g_assert_true (fal_shared_state_passes_frames (f.state));
  thread = start_thread (&f, run_query);
  g_assert_cmpint (take_event (&f, NULL), ==, GST_EVENT_CUSTOM_DOWNSTREAM);
  g_assert_nonnull (fal_shared_state_take_query (f.state));
  g_assert_null (fal_shared_state_take_query (f.state)); /* downstream has it */
  fal_shared_state_note_tick (f.state);
  g_assert_cmpuint (watch_sync_count_signals (), ==, 0);
  fal_shared_state_finish_query (f.state, TRUE);
  g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (thread)), ==, TRUE);
  tear_down (&f);
}

/* Nothing goes by any more, so that downstream is not asked. */
static void
test_a_query_after_the_end_waits_for_nothing (void)
{
  Fixture f;

  set_up (&f, TRUE, make_settings ("enabled", "false", NULL));
  fal_shared_state_spend (f.state, FALSE);
  g_assert_false (fal_shared_state_passes_frames (f.state));
  g_assert_cmpint (GPOINTER_TO_INT (run_query (&f)), ==, FALSE);
  g_assert_cmpint (take_event (&f, NULL), ==, GST_EVENT_EOS);
  g_assert_null (fal_shared_state_take_query (f.state));
  tear_down (&f);
}

static gpointer
run_let_go (gpointer data)
{
  fal_shared_state_let_go (((Fixture *) data)->state);
  return NULL;
}

/* The send thread reads the picture that it encodes: what upstream needs back waits for that, but
 * not for a send thread that has ended, nor for an application that takes its time over it. */
static void
test_upstreams_memory_is_waited_for_while_it_is_encoded (void)
{
  enum { DONE, STOPPED, SLOW, WAYS };

  for (guint way = 0; way < WAYS; way++) {
    Fixture f;
    GThread *thread;
    FalWork work, next;

    set_up_live (&f);
    open_connection (&f);
    push (&f, 1);
    g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_REQUEST);
    thread = start_thread (&f, run_let_go);
    fal_shared_state_note_tick (f.state);
    g_assert_cmpuint (watch_sync_count_signals (), ==, 0);
    if (way == DONE)
      find_work (&f, &next);
    if (way == STOPPED)
      fal_shared_state_stop (f.state);
    g_thread_join (thread); /* SLOW: its time is over */
    finish (&f, &work, "request");
    tear_down (&f);
  }
}

/* The newest frame may go again, so that its picture is kept. */
static void
test_the_newest_frame_goes_again_with_a_copy_of_its_picture (void)
{
  FalFrame *frame = make_frame (1);
  GstBuffer *buffer = gst_sample_get_buffer (frame->sample);
  Fixture f;
  FalWork work;

  set_up_live (&f);
  open_connection (&f);
  gst_buffer_ref (buffer);
  fal_shared_state_push (f.state, frame);
  send_one (&f);
  find_work (&f, &work); /* so that nothing is encoded */
  fal_shared_state_let_go (f.state);
  g_assert_cmpint (GST_MINI_OBJECT_REFCOUNT_VALUE (buffer), ==, 1);
  end_connection (&f, FALSE);
  open_connection (&f);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_REQUEST);
  g_assert_true (gst_sample_get_buffer (work.sample) != buffer);
  g_assert_cmpuint (GST_BUFFER_PTS (gst_sample_get_buffer (work.sample)), ==, 33 * GST_MSECOND);
  finish (&f, &work, "request");
  gst_buffer_unref (buffer);
  tear_down (&f);
}

/* Frames of a file that wait, after which nothing may go again. */
static void
test_a_frame_that_waits_goes_with_a_copy_of_its_picture (void)
{
  FalFrame *frame = make_frame (1);
  GstBuffer *buffer = gst_sample_get_buffer (frame->sample);
  Fixture f;
  FalWork work;

  set_up_file (&f);
  gst_buffer_ref (buffer);
  fal_shared_state_push (f.state, frame);
  set (&f, "enabled", "false");
  fal_shared_state_let_go (f.state);
  g_assert_cmpint (GST_MINI_OBJECT_REFCOUNT_VALUE (buffer), ==, 1);
  open_connection (&f);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_REQUEST);
  g_assert_true (gst_sample_get_buffer (work.sample) != buffer);
  finish (&f, &work, "request");
  gst_buffer_unref (buffer);
  tear_down (&f);
}

/* ---- frames that come out each, and what is rare ---- */

static void
test_with_all_a_tick_comes_before_a_frame_where_there_is_enough (void)
{
  Fixture f;

  set_up_all (&f);
  open_connection (&f);
  answer (&f, send_frame (&f, 0));
  fal_shared_state_note_tick (f.state);
  expect_tick (&f, TRUE);
  expect_shown (&f, 0, FAL_RESULT_ANSWER, 0);
  tear_down (&f);
}

/* They go in their order, each as soon as it is known with what. */
static void
test_with_all_frames_without_a_time_come_out_in_order (void)
{
  FalOutput output;
  Fixture f;

  set_up_all (&f);
  open_connection (&f);
  for (guint i = 0; i < 2; i++) {
    fal_shared_state_push (f.state, make_timeless_frame ());
    answer (&f, send_one (&f));
  }
  for (guint i = 1; i <= 2; i++) {
    fal_shared_state_wait_for_output (f.state, FALSE, &output);
    g_assert_cmpint (output.result->kind, ==, FAL_RESULT_ANSWER);
    g_assert_cmpuint (output.result->serial, ==, i);
    g_assert_false (GST_CLOCK_TIME_IS_VALID (output.result->running));
    output_clear (&output);
  }
  tear_down (&f);
}

/* Of several pictures for a frame the first is laid on it, and no other is too late for it. */
static void
test_with_all_a_frame_has_one_result (void)
{
  g_autofree gchar *json = NULL;
  Fixture f;
  guint64 id;

  set_up_all (&f);
  open_connection (&f);
  id = send_frame (&f, 0);
  json = g_strdup_printf (
      "{\"images\":[\"YWJj\",\"YWJj\"],\"request_id\":\"frame-%" G_GUINT64_FORMAT "\"}", id);
  g_assert_true (answer_with (&f, json).known);
  expect_shown (&f, 0, FAL_RESULT_ANSWER, 0);
  g_assert_true (answer_with (&f, json).known);
  answer (&f, send_frame (&f, 1));
  expect_shown (&f, 1, FAL_RESULT_ANSWER, 0);
  g_assert_cmpuint (get_stat (&f, "results"), ==, 5);
  g_assert_cmpuint (get_stat (&f, "results-late"), ==, 0);
  tear_down (&f);
}

/* Nothing more comes behind them, though an event does. */
static void
test_with_all_frames_come_out_before_the_end_of_the_budget (void)
{
  Fixture f;

  set_up_all (&f);
  open_connection (&f);
  answer (&f, send_frame (&f, 0));
  expect_shown (&f, 0, FAL_RESULT_ANSWER, 0);
  push (&f, 1);
  fal_shared_state_spend (f.state, TRUE);
  fal_shared_state_push_event (f.state, gst_event_new_gap (0, 1));
  expect_shown (&f, 1, FAL_RESULT_BETWEEN, 0);
  g_assert_cmpint (take_event (&f, NULL), ==, GST_EVENT_EOS);
  g_assert_cmpint (take_event (&f, NULL), ==, GST_EVENT_GAP);
  tear_down (&f);
}

/* Its frame had other caps than those that follow, so that it does not fit. */
static void
test_with_all_a_late_result_of_other_caps_is_laid_on_nothing (void)
{
  FalOutput output;
  Fixture f;
  guint64 id;

  set_up (&f, TRUE,
      make_settings ("throttle-interval", "0", "max-in-flight", "2", "composite", "over",
          "composite-frames", "all", "fallback", "passthrough", NULL));
  open_connection (&f);
  id = send_frame (&f, 0);
  expect_shown (&f, 0, FAL_RESULT_FALLBACK, 0);
  for (guint i = 1; i <= 2; i++) {
    FalFrame *frame = make_frame (i);
    g_autoptr (GstCaps) caps = gst_caps_new_empty_simple ("image/png");

    frame->sample = gst_sample_make_writable (frame->sample);
    gst_sample_set_caps (frame->sample, caps);
    fal_shared_state_push (f.state, frame);
    fal_shared_state_wait_for_output (f.state, FALSE, &output);
    g_assert_cmpint (output.result->kind, ==, FAL_RESULT_FALLBACK);
    g_assert_null (output.result->before);
    output_clear (&output);
    if (i == 1)
      g_assert_true (answer (&f, id).known);
  }
  g_assert_cmpuint (get_stat (&f, "results-late"), ==, 0);
  tear_down (&f);
}

/* Frames that waited to have results laid on them are not shown without. */
static void
test_frames_without_a_result_are_left_out_once_nothing_is_laid_on_them (void)
{
  Fixture f;
  guint64 id;

  set_up_all (&f);
  open_connection (&f);
  id = send_frame (&f, 0);
  push (&f, 1);
  push (&f, 2); /* in the place of the one before */
  answer (&f, id);
  answer (&f, send_one (&f));
  set (&f, "composite", "none");
  g_assert_cmpuint (take_answer (&f), ==, 0);
  g_assert_cmpuint (take_answer (&f), ==, 2);
  g_assert_cmpuint (get_stat (&f, "frames-held"), ==, 0);
  tear_down (&f);
}

static FalFrame *
make_large_frame (guint n)
{
  FalFrame *frame = make_frame (n);

  gst_buffer_append_memory (
      gst_sample_get_buffer (frame->sample), gst_allocator_alloc (NULL, 1000, NULL));
  return frame;
}

/* The oldest gives way, though it is still to be sent, and the application hears why. */
static void
test_with_all_frames_that_memory_is_too_small_for_are_told_of (void)
{
  g_autoptr (GPtrArray) drops = NULL;
  Fixture f;
  guint held;

  set_up (&f, TRUE,
      make_settings ("throttle-interval", "0", "max-buffering", "4", "latency", "100000",
          "composite", "over", "composite-frames", "all", "max-held-bytes", "2500", NULL));
  for (guint i = 0; i < 2; i++)
    fal_shared_state_push (f.state, make_large_frame (i));
  g_assert_null (fal_shared_state_take_drops (f.state));
  g_assert_false (fal_shared_state_lacks_room (f.state, &held));
  fal_shared_state_push (f.state, make_large_frame (2));
  drops = fal_shared_state_take_drops (f.state);
  g_assert_cmpuint (drops->len, ==, 1);
  g_assert_cmpuint (((const FalDrop *) drops->pdata[0])->frame->pts, ==, 0);
  g_assert_true (fal_shared_state_lacks_room (f.state, &held));
  g_assert_cmpuint (held, ==, 2);
  g_assert_false (fal_shared_state_lacks_room (f.state, &held));
  open_connection (&f);
  send_one (&f);
  check_sums (&f);
  tear_down (&f);
}

/* So many buffers of upstream are kept that further frames are copied. */
static void
test_with_all_frames_that_wait_hold_upstreams_buffers (void)
{
  Fixture f;

  set_up_all (&f);
  open_connection (&f);
  for (guint i = 0; i < 12; i++) {
    g_assert_false (fal_shared_state_holds_most (f.state));
    push (&f, i);
  }
  g_assert_true (fal_shared_state_holds_most (f.state));
  set (&f, "composite", "none");
  g_assert_false (fal_shared_state_holds_most (f.state));
  tear_down (&f);
}

/* A frame is held once, however many results are laid on it, and not without its picture. */
static void
test_frames_under_way_hold_upstreams_buffers_for_a_composite (void)
{
  Fixture f;

  set_up (&f, TRUE, make_settings ("throttle-interval", "0", "max-in-flight", "16", NULL));
  open_connection (&f);
  send_frame (&f, 0);
  set (&f, "composite", "over");
  for (guint i = 1; i <= 12; i++) {
    g_assert_cmpuint (get_stat (&f, "frames-held"), ==, i - 1);
    g_assert_false (fal_shared_state_holds_most (f.state));
    send_frame (&f, i);
  }
  g_assert_true (fal_shared_state_holds_most (f.state));
  for (guint i = 0; i < 3; i++)
    answer (&f, 2); /* of frame 1, the oldest that has its picture */
  g_assert_cmpuint (get_stat (&f, "frames-held"), ==, 12);
  tear_down (&f);
}

/* A camera whose model was switched off, and is switched on. */
static void
set_up_bridging (Fixture *f, FalSettings *settings)
{
  FalOutput output;

  set_up (f, TRUE, settings);
  set (f, "enabled", "false");
  push (f, 1);
  fal_shared_state_wait_for_output (f->state, FALSE, &output);
  g_assert_cmpint (output.result->kind, ==, FAL_RESULT_PASS);
  output_clear (&output);
  set (f, "enabled", "true");
}

/* Until the model's first result frames go by: each comes out once. */
static void
test_with_all_frames_go_by_until_the_model_answers (void)
{
  Fixture f;
  FalOutput output;

  set_up_bridging (&f, make_settings ("throttle-interval", "0", "composite", "over",
                           "composite-frames", "all", NULL));
  for (guint i = 2; i <= 3; i++) {
    push (&f, i);
    fal_shared_state_wait_for_output (f.state, FALSE, &output);
    g_assert_cmpint (output.result->kind, ==, FAL_RESULT_FALLBACK);
    g_assert_cmpint (output.result->fallback, ==, FAL_FALLBACK_PASSTHROUGH);
    g_assert_cmpuint (output.result->serial, ==, i);
    output_clear (&output);
  }
  g_assert_cmpuint (pull_now (&f), ==, 0);
  tear_down (&f);
}

/* All pass until then, so that one without a region waits for none. */
static void
test_a_frame_without_a_region_waits_for_no_result_before_the_first (void)
{
  Fixture f;
  FalOutput output;

  set_up_bridging (&f, make_settings ("throttle-interval", "0", "region", "meta", NULL));
  push (&f, 2);
  fal_shared_state_push (f.state, make_routed (3, FAL_ROUTE_PASS));
  for (guint i = 2; i <= 3; i++) {
    fal_shared_state_wait_for_output (f.state, FALSE, &output);
    g_assert_cmpint (output.result->kind, ==, FAL_RESULT_PASS);
    g_assert_false (output.result->in_turn);
    g_assert_cmpuint (output.result->frame->pts, ==, i * 33 * GST_MSECOND);
    output_clear (&output);
  }
  tear_down (&f);
}

/* Frames that still wait to come out are older than what is shown in place of results. */
static void
test_a_fallback_knows_of_frames_that_come_before_it (void)
{
  Fixture f;
  FalOutput output;

  set_up (&f, TRUE,
      make_settings ("throttle-interval", "0", "latency", "100000", "composite", "over",
          "composite-frames", "all", "fallback", "passthrough", "fallback-timeout", "1000", NULL));
  push (&f, 1);
  set (&f, "composite-frames", "results");
  watch_sync_pass_time (2 * G_TIME_SPAN_SECOND);
  push (&f, 2);
  expect_shown (&f, 1, FAL_RESULT_FALLBACK, 0);
  fal_shared_state_wait_for_output (f.state, FALSE, &output);
  g_assert_cmpint (output.result->kind, ==, FAL_RESULT_FALLBACK);
  g_assert_cmpuint (output.result->outlook.oldest, ==, 33 * GST_MSECOND);
  g_assert_cmpuint (output.result->outlook.newest, ==, 2 * 33 * GST_MSECOND);
  output_clear (&output);
  tear_down (&f);
}

/* ---- results, and what they say ---- */

/* Some apps tell the model's time in a message behind the result. Of several connections nobody
 * knows which result was just before. */
static void
test_a_time_is_that_of_the_result_just_before (void)
{
  static const struct {
    const gchar *connections, *json;
    gdouble inference;
  } rows[] = { { "1", "{\"images\":[\"YWJj\"]}", 0.25 },
    { "1", "{\"images\":[\"YWJj\"],\"timings\":{\"inference\":0.5}}", 0.5 },
    { "2", "{\"images\":[\"YWJj\"]}", -1 } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GstStructure) stats = NULL;
    Fixture f;
    FalOutput output;
    gdouble inference;

    set_up (&f, TRUE,
        make_settings ("throttle-interval", "0", "connections", rows[i].connections, NULL));
    fal_shared_state_note_inference (f.state, 9); /* of no result */
    open_connection (&f);
    push (&f, 1);
    send_one (&f);
    g_assert_true (answer_with (&f, rows[i].json).known);
    fal_shared_state_note_inference (f.state, 0.25);
    fal_shared_state_wait_for_output (f.state, FALSE, &output);
    g_assert_cmpfloat (output.result->inference, ==, rows[i].inference);
    output_clear (&output);
    stats = fal_shared_state_get_stats (f.state);
    g_assert_true (gst_structure_get_double (stats, "inference-last", &inference));
    g_assert_cmpfloat (inference, ==, 250);
    tear_down (&f);
  }
}

/* It has an id of ours, so that it is the answer, though there is none. */
static void
test_a_reply_with_an_id_alone_is_an_invalid_result (void)
{
  g_autofree gchar *json = NULL;
  Fixture f;

  set_up_live (&f);
  open_connection (&f);
  json = g_strdup_printf (
      "{\"progress\":1,\"request_id\":\"frame-%" G_GUINT64_FORMAT "\"}", send_frame (&f, 1));
  g_assert_true (answer_with (&f, json).known);
  g_assert_cmpuint (get_stat (&f, "results-invalid"), ==, 1);
  g_assert_cmpuint (get_stat (&f, "messages-ignored"), ==, 0);
  g_assert_cmpuint (get_stat (&f, "in-flight"), ==, 0);
  tear_down (&f);
}

/* Which a picture alone cannot bring. */
static void
test_what_an_app_keeps_outlasts_a_message_that_is_a_picture (void)
{
  static const gchar picture[] = "\xff\xd8\xff";
  g_autoptr (GBytes) message = g_bytes_new_static (picture, strlen (picture));
  g_autoptr (FalReply) reply = fal_protocol_parse_reply (message, FALSE, NULL, NULL, NULL);
  Fixture f;
  FalAnswer answer;
  FalWork work;

  set_up (&f, TRUE, make_settings ("throttle-interval", "0", "feedback-fields", "state", NULL));
  open_connection (&f);
  send_frame (&f, 0);
  g_assert_true (answer_with (&f, "{\"images\":[\"YWJj\"],\"state\":\"s\"}").known);
  send_frame (&f, 1);
  fal_shared_state_answer (f.state, reply, &new_reply, &answer);
  g_assert_true (answer.known);
  push (&f, 2);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_REQUEST);
  g_assert_cmpstr (gst_structure_get_string (work.feedback, "state"), ==, "s");
  finish (&f, &work, "request");
  tear_down (&f);
}

/* Of the first of a request the delay is found; of the others it is seen whether they are late. */
static void
test_further_results_say_nothing_of_the_delay (void)
{
  Fixture f;
  gboolean changed = FALSE;

  set_up (&f, TRUE, make_settings ("throttle-interval", "0", "latency-mode", "auto", NULL));
  for (guint i = 0; i < 100; i++) {
    watch_sync_pass_time (33 * G_TIME_SPAN_MILLISECOND);
    changed |= fal_shared_state_note_lag (f.state, G_TIME_SPAN_SECOND, FALSE, TRUE);
  }
  g_assert_false (changed);
  g_assert_cmpuint (get_stat (&f, "results-late"), ==, 100);
  for (guint i = 0; i < 100 && !changed; i++) {
    watch_sync_pass_time (33 * G_TIME_SPAN_MILLISECOND);
    changed = fal_shared_state_note_lag (f.state, G_TIME_SPAN_SECOND, TRUE, TRUE);
  }
  g_assert_true (changed);
  tear_down (&f);
}

/* Frames of the next stream are answered still, though the end of the one before goes out first. */
static void
test_an_end_that_another_stream_follows_takes_no_results (void)
{
  Fixture f;

  set_up_file (&f);
  open_connection (&f);
  fal_shared_state_push_event (f.state, gst_event_new_eos ());
  fal_shared_state_push_event (f.state, gst_event_new_stream_start ("s"));
  answer (&f, send_frame (&f, 1));
  g_assert_cmpint (take_event (&f, NULL), ==, GST_EVENT_EOS);
  g_assert_cmpint (take_event (&f, NULL), ==, GST_EVENT_STREAM_START);
  g_assert_cmpuint (take_answer (&f), ==, 1);
  tear_down (&f);
}

/* ---- whose inputs, and whose time ---- */

static GstStructure *
make_inputs (const gchar *prompt)
{
  return gst_structure_new ("i", "prompt", G_TYPE_STRING, prompt, NULL);
}

/* The inputs of one that was dropped are for the next, unless that has its own. */
static void
test_a_frame_with_inputs_of_its_own_takes_no_others (void)
{
  Fixture f;
  FalWork work;

  set_up (&f, TRUE, make_settings ("throttle-interval", "0", "max-buffering", "2", NULL));
  for (guint i = 1; i <= 2; i++) {
    g_autoptr (GstStructure) inputs = make_inputs (i == 1 ? "first" : "second");

    push (&f, i);
    g_assert_true (fal_shared_state_send_now (f.state, inputs));
  }
  push (&f, 3);
  g_assert_cmpuint (get_stat (&f, "dropped-offline"), ==, 1);
  open_connection (&f);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_REQUEST);
  g_assert_cmpuint (work.frame->pts, ==, 2 * 33 * GST_MSECOND);
  g_assert_cmpstr (gst_structure_get_string (work.inputs, "prompt"), ==, "second");
  finish (&f, &work, "request");
  tear_down (&f);
}

/* There is no time that downstream could hear of. */
static void
test_a_held_frame_of_a_file_without_a_time_leaves_no_gap (void)
{
  static const struct {
    GstFormat format;
    GstClockTime pts;
    gboolean gap;
  } rows[] = { { GST_FORMAT_TIME, 0, TRUE }, { GST_FORMAT_TIME, GST_CLOCK_TIME_NONE, FALSE },
    { GST_FORMAT_BYTES, 0, FALSE } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    Fixture f;
    FalFrame *frame = make_routed (1, FAL_ROUTE_HOLD);

    set_up_file (&f);
    frame->segment.format = rows[i].format;
    frame->pts = rows[i].pts;
    fal_shared_state_push (f.state, frame);
    fal_shared_state_push_event (f.state, gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM, NULL));
    if (rows[i].gap)
      g_assert_cmpint (take_event (&f, NULL), ==, GST_EVENT_GAP);
    g_assert_cmpint (take_event (&f, NULL), ==, GST_EVENT_CUSTOM_DOWNSTREAM);
    tear_down (&f);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  install_properties ();
  alarm (WATCHDOG);
#define ADD(name) g_test_add_func ("/shared-state/" #name, test_##name)
  ADD (what_stands_in_a_request_wakes_nobody);
  ADD (what_concerns_the_connection_is_one_order);
  ADD (the_same_or_older_settings_concern_nobody);
  ADD (a_request_takes_the_settings_of_now);
  ADD (a_thread_that_waits_for_work_is_not_woken_by_a_property);
  ADD (a_latency_that_changes_is_told);
  ADD (a_frame_is_answered);
  ADD (the_next_request_is_not_the_connections_first);
  ADD (a_request_that_was_not_made_counts_as_failed);
  ADD (a_newer_frame_takes_the_place_of_one_that_waits);
  ADD (a_reply_that_answers_nothing_is_late);
  ADD (a_reply_without_a_picture_is_invalid);
  ADD (further_results_answer_the_same_frame);
  ADD (too_many_pictures_are_invalid);
  ADD (nothing_is_sent_while_results_wait);
  ADD (requests_go_while_results_wait_for_the_latency);
  ADD (requests_go_while_results_wait_for_the_ticks);
  ADD (further_results_give_way_and_are_counted);
  ADD (a_download_is_waited_for);
  ADD (buffers_are_counted_by_their_kind);
  ADD (a_late_result_is_counted_once);
  ADD (an_answered_frame_takes_the_mutex_ten_times);
  ADD (a_send_and_the_close_after_it_keep_their_order);
  ADD (a_reconnect_keeps_what_waits);
  ADD (a_send_for_an_older_connection_is_left_out);
  ADD (a_send_is_left_out_once_the_connection_ended);
  ADD (a_lost_request_of_a_file_goes_again);
  ADD (a_silent_connection_fails_by_an_order);
  ADD (a_fault_is_left_out_once_the_connection_ended_by_itself);
  ADD (what_the_net_thread_does_not_end_is_cut);
  ADD (replies_of_a_connection_that_was_given_up_do_not_count);
  ADD (an_app_is_sent_nothing_before_it_is_ready);
  ADD (nothing_is_dialled_once_given_up);
  ADD (an_idle_connection_is_released);
  ADD (a_model_that_is_switched_off_lets_go);
  ADD (an_app_that_refuses_ids_is_dialled_without);
  ADD (a_failed_reply_is_the_oldest_requests_where_none_says_its_id);
  ADD (the_first_result_waits_until_the_state_was_told);
  ADD (a_connection_that_ends_holds_nothing_back);
  ADD (upstream_waits_for_room);
  ADD (upstream_waits_for_room_for_frames_that_pass);
  ADD (a_flush_ends_upstreams_wait);
  ADD (a_stop_ends_upstreams_wait);
  ADD (an_error_of_downstream_ends_upstreams_wait);
  ADD (frames_that_drop_end_upstreams_wait);
  ADD (a_flush_or_stop_ends_the_outputs_wait);
  ADD (a_flush_is_nothing_to_the_sender_and_a_stop_ends_its_wait);
  ADD (a_frame_wakes_the_sender_alone);
  ADD (a_frame_without_a_connection_wakes_the_net_thread_alone);
  ADD (a_reply_to_a_flushed_frame_brings_nothing);
  ADD (what_is_before_the_end_waits_for_no_telling);
  ADD (all_frames_that_may_be_held_are_counted);
  ADD (a_connection_with_a_part_of_a_block_is_idle);
  ADD (a_part_of_a_block_ends_where_frames_pass);
  ADD (a_reply_after_the_end_is_over);
  ADD (a_flush_keeps_sticky_events);
  ADD (the_newest_frame_goes_again_with_inputs_of_its_own);
  ADD (a_drain_that_takes_too_long_ends_the_stream);
  ADD (a_flush_ends_a_drain_whose_time_is_over);
  ADD (a_drain_without_a_connection_drops_what_waits);
  ADD (an_eos_waits_for_the_last_result);
  ADD (the_end_of_the_paid_time_ends_the_stream_once);
  ADD (the_end_of_the_budget_waits_for_what_is_paid_for);
  ADD (paid_time_ends_the_stream);
  ADD (what_was_not_sent_costs_nothing);
  ADD (whoever_shares_says_whether_it_uses_the_connection);
  ADD (a_key_without_a_letter_shares_nothing);
  ADD (a_missing_price_is_told_once);
  ADD (an_error_after_eos_is_told_by_whoever_finds_it);
  ADD (a_link_lets_the_flow_go_on);
  ADD (a_new_start_begins_anew);
  ADD (a_reply_with_an_id_that_was_never_sent_is_foreign);
  ADD (a_doubtful_reply_is_settled);
  ADD (a_message_answers_nothing);
  ADD (after_the_end_nothing_is_taken);
  ADD (the_newest_frame_goes_again_with_its_picture);
  ADD (what_connections_die_of_is_given_up_and_told);
  ADD (results_of_a_file_wait_for_the_one_that_goes_again);
  ADD (a_tick_comes_after_what_is_ready_unless_there_is_enough);
  ADD (a_tick_ends_the_wait_for_output);
  ADD (sinks_delay_results_as_the_pipeline_was_told);
  ADD (counts_that_begin_anew_hold_what_is_under_way);
  ADD (each_lane_gets_its_frames_and_its_orders);
  ADD (answers_of_a_file_wait_for_those_of_other_lanes);
  ADD (live_answers_wait_where_there_is_a_delay);
  ADD (a_lane_that_ends_takes_only_its_own);
  ADD (the_newest_frame_goes_over_another_lane);
  ADD (the_state_is_that_of_the_farthest);
  ADD (all_are_let_go_of_together);
  ADD (a_region_stays_until_another_can_be_read);
  ADD (that_a_region_lies_outside_is_told_once);
  ADD (a_frame_that_passes_is_no_frame_of_the_pacer);
  ADD (a_frame_that_is_held_goes_nowhere);
  ADD (a_frame_keeps_its_part);
  ADD (with_all_a_dropped_frame_comes_out_and_is_not_told_of);
  ADD (with_all_an_event_keeps_its_place);
  ADD (with_all_frames_do_not_wait_once_the_model_is_switched_off);
  ADD (with_all_the_end_comes_behind_every_frame);
  ADD (with_all_a_frame_that_came_out_keeps_no_picture);
  ADD (for_a_composite_a_frame_keeps_its_picture);
  ADD (an_unchanged_frame_rests_though_the_one_before_awaits_its_result);
  ADD (frames_without_a_time_go_once_the_last_one_is_old);
  ADD (what_is_asked_for_goes_though_it_is_unchanged);
  ADD (an_unchanged_frame_goes_where_results_are_shown_otherwise);
  ADD (an_unchanged_frame_goes_over_a_new_connection_where_the_app_keeps_a_state);
  ADD (that_no_result_comes_is_told_each_minute);
  ADD (a_connection_is_given_up_once);
  ADD (the_end_of_a_drain_closes_no_connection_that_was_given_up);
  ADD (the_slowest_connection_says_how_long_an_answer_is_waited_for);
  ADD (a_frame_that_could_not_open_the_connection_failed);
  ADD (what_could_not_open_an_older_connection_is_no_failure);
  ADD (a_state_is_awaited_where_a_frame_is_to_go_on);
  ADD (nobody_awaits_that_an_app_is_ready_once_stopped);
  ADD (a_query_waits_for_downstreams_answer);
  ADD (a_query_after_the_end_waits_for_nothing);
  ADD (upstreams_memory_is_waited_for_while_it_is_encoded);
  ADD (the_newest_frame_goes_again_with_a_copy_of_its_picture);
  ADD (a_frame_that_waits_goes_with_a_copy_of_its_picture);
  ADD (with_all_a_tick_comes_before_a_frame_where_there_is_enough);
  ADD (with_all_frames_without_a_time_come_out_in_order);
  ADD (with_all_a_frame_has_one_result);
  ADD (with_all_frames_come_out_before_the_end_of_the_budget);
  ADD (with_all_a_late_result_of_other_caps_is_laid_on_nothing);
  ADD (frames_without_a_result_are_left_out_once_nothing_is_laid_on_them);
  ADD (with_all_frames_that_memory_is_too_small_for_are_told_of);
  ADD (with_all_frames_that_wait_hold_upstreams_buffers);
  ADD (frames_under_way_hold_upstreams_buffers_for_a_composite);
  ADD (with_all_frames_go_by_until_the_model_answers);
  ADD (a_frame_without_a_region_waits_for_no_result_before_the_first);
  ADD (a_fallback_knows_of_frames_that_come_before_it);
  ADD (a_time_is_that_of_the_result_just_before);
  ADD (a_reply_with_an_id_alone_is_an_invalid_result);
  ADD (what_an_app_keeps_outlasts_a_message_that_is_a_picture);
  ADD (further_results_say_nothing_of_the_delay);
  ADD (an_end_that_another_stream_follows_takes_no_results);
  ADD (a_frame_with_inputs_of_its_own_takes_no_others);
  ADD (a_held_frame_of_a_file_without_a_time_leaves_no_gap);
  return g_test_run ();
}
