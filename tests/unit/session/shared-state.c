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
  fal_shared_state_set_live (f->state, live);
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
          get (s, "dropped-offline") + get (s, "dropped-flushed") + get (s, "frames-waiting"));
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
  fal_shared_state_note_opened (f->state, &f->counts, NULL, TRUE);
}

static gboolean
end_connection (Fixture *f, gboolean fatal)
{
  f->counts.connected_since = 0;
  return fal_shared_state_note_ended (f->state, &f->counts, fatal);
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
  FalReply *reply = fal_protocol_parse_reply (message, TRUE, NULL, &error);

  g_assert_no_error (error);
  return reply;
}

static FalAnswer
answer_with (Fixture *f, const gchar *json)
{
  g_autoptr (FalReply) reply = parse (json);
  FalAnswer answer;

  fal_shared_state_answer (f->state, reply, &answer);
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

  fal_shared_state_wait_for_output (f->state, &output);
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

  fal_shared_state_wait_for_output (f->state, &output);
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

  fal_shared_state_wait_for_output (f->state, output);
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
  g_assert_false (
      answer_with (&f, "{\"images\":[\"YQ==\",\"YQ==\"],\"request_id\":\"frame-9\"}").known);
  g_assert_cmpuint (get_stat (&f, "results-late"), ==, 3);
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

/* A downstream that takes nothing costs no model's time. */
static void
test_nothing_is_sent_while_results_wait (void)
{
  Fixture f;
  FalWork work;

  set_up_live (&f);
  open_connection (&f);
  for (guint i = 1; i <= 4; i++)
    answer (&f, send_frame (&f, i));
  push (&f, 5);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_NOTHING);
  g_assert_cmpuint (take_answer (&f), ==, 1);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_REQUEST);
  finish (&f, &work, "request");
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
  g_assert_false (fal_shared_state_take_picture (f.state, 2, picture));
  g_assert_cmpuint (watch_sync_count_signals (), ==, 0);
  g_assert_true (fal_shared_state_take_picture (f.state, 1, picture));
  join_output (thread, &output);
  g_assert_true (output.result->picture == picture);
  output_clear (&output);
  tear_down (&f);
}

static void
test_buffers_are_counted_by_their_kind (void)
{
  Fixture f;

  set_up_live (&f);
  fal_shared_state_note_pushed (f.state, FAL_RESULT_ANSWER);
  fal_shared_state_note_pushed (f.state, FAL_RESULT_PASS);
  fal_shared_state_note_pushed (f.state, FAL_RESULT_FALLBACK);
  fal_shared_state_note_pushed (f.state, FAL_RESULT_FALLBACK);
  g_assert_cmpuint (get_stat (&f, "frames-out"), ==, 4);
  g_assert_cmpuint (get_stat (&f, "frames-passed"), ==, 1);
  g_assert_cmpuint (get_stat (&f, "frames-filled"), ==, 2);
  fal_shared_state_note_rendered (f.state, FAL_RESULT_ANSWER, FAL_RENDERED_TOO_LATE, 0, 0);
  fal_shared_state_note_rendered (f.state, FAL_RESULT_ANSWER, FAL_RENDERED_BROKEN, 0, 0);
  fal_shared_state_note_rendered (f.state, FAL_RESULT_PASS, FAL_RENDERED_BROKEN, 0, 0);
  g_assert_cmpuint (get_stat (&f, "results-late"), ==, 1);
  g_assert_cmpuint (get_stat (&f, "results-invalid"), ==, 1);
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
  fal_shared_state_note_counts (f.state, &f.counts);
  fal_shared_state_note_message (f.state, &f.counts);
  fal_shared_state_answer (f.state, reply, &found);
  fal_shared_state_wait_for_output (f.state, &output);
  fal_shared_state_note_rendered (f.state, FAL_RESULT_ANSWER, FAL_RENDERED, 0, 1000);
  fal_shared_state_note_pushed (f.state, FAL_RESULT_ANSWER);
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
  g_assert_cmpint (take_order (&f), ==, NO_ORDER);
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
  g_assert_cmpint (take_order (&f), ==, NO_ORDER);
  tear_down (&f);
}

/* Where no frame is lost it goes again, first thing, over the next connection. */
static void
test_a_lost_request_of_a_file_goes_again (void)
{
  Fixture f;
  guint64 id;
  FalWork work;

  set_up_file (&f);
  open_connection (&f);
  id = send_frame (&f, 1);
  push (&f, 2);
  end_connection (&f, FALSE);
  g_assert_cmpint (take_order (&f), ==, FAL_ORDER_CONNECT);
  open_connection (&f);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_REQUEST);
  g_assert_cmpuint (work.id, ==, id);
  g_assert_nonnull (work.sample);
  finish (&f, &work, "request");
  g_assert_true (answer (&f, id).known);
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

  give_up_connection (&f);
  push (&f, 2);
  g_assert_false (answer (&f, 0).known);
  fal_shared_state_note_failed_reply (f.state, TRUE);
  fal_shared_state_fail_oldest (f.state);
  g_assert_false (fal_shared_state_drop_ids (f.state, refusal));
  g_assert_cmpuint (get_stat (&f, "results-late"), ==, 0);
  g_assert_cmpuint (get_stat (&f, "results-invalid"), ==, 0);
  g_assert_cmpuint (get_stat (&f, "failed"), ==, 0);
  fal_shared_state_note_ready (f.state);
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
  fal_shared_state_note_opened (f.state, &f.counts, NULL, FALSE);
  push (&f, 1);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_NOTHING);
  g_assert_cmpint (take_order (&f), ==, NO_ORDER);
  fal_shared_state_note_ready (f.state);
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
  g_assert_cmpint (push (&f, 2), ==, GST_FLOW_ERROR);
  g_assert_false (fal_shared_state_flows (f.state));
  fal_shared_state_note_state (f.state, FAL_DIALER_IDLE);
  fal_shared_state_set_flushing (f.state, TRUE);
  fal_shared_state_set_flushing (f.state, FALSE);
  g_assert_cmpint (push (&f, 3), ==, GST_FLOW_OK);
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
  g_assert_false (fal_shared_state_needs_connection (f.state));
  push (&f, 1);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_NOTHING); /* it is about to end */
  fal_shared_state_keep_connection (f.state);
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
  fal_shared_state_wait_for_output (f.state, &output);
  g_assert_cmpint (output.result->kind, ==, FAL_RESULT_PASS);
  output_clear (&output);
  end_connection (&f, FALSE);
  g_assert_cmpint (take_order (&f), ==, NO_ORDER);
  set (&f, "enabled", "true");
  push (&f, 3); /* goes by, too, until the model's first result */
  g_assert_cmpint (take_order (&f), ==, FAL_ORDER_CONNECT);
  fal_shared_state_wait_for_output (f.state, &output);
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
  g_assert_false (fal_shared_state_drop_ids (f.state, other));
  g_assert_true (fal_shared_state_drop_ids (f.state, refusal));
  g_assert_false (fal_shared_state_drop_ids (f.state, refusal));
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

  set_up_live (&f);
  open_connection (&f);
  send_frame (&f, 1);
  fal_shared_state_note_failed_reply (f.state, TRUE);
  g_assert_cmpuint (get_stat (&f, "failed"), ==, 1);
  g_assert_cmpuint (get_stat (&f, "results-invalid"), ==, 1);
  answer (&f, send_frame (&f, 2));
  send_frame (&f, 3);
  fal_shared_state_note_failed_reply (f.state, FALSE);
  g_assert_cmpuint (get_stat (&f, "failed"), ==, 1); /* a later reply tells */
  fal_shared_state_fail_oldest (f.state);
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
  fal_shared_state_note_state (f.state, FAL_DIALER_WARMING_UP);
  id = send_frame (&f, 1);
  thread = start_thread (&f, run_output);
  g_assert_true (answer (&f, id).first);
  g_assert_cmpuint (watch_sync_count_signals (), ==, 0);
  fal_shared_state_note_state (f.state, FAL_DIALER_CONNECTED);
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
  fal_shared_state_note_state (f.state, FAL_DIALER_WARMING_UP);
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

  fal_shared_state_set_live (f.state, TRUE);
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
  fal_shared_state_note_counts (f.state, &f.counts);
  g_assert_cmpint (find_work (&f, &work), ==, FAL_WORK_LIMIT);
  g_assert_cmpuint (work.limit, ==, 1);
  fal_shared_state_spend (f.state);
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
  fal_shared_state_note_state (f.state, FAL_DIALER_CONNECTED);
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
  ADD (a_download_is_waited_for);
  ADD (buffers_are_counted_by_their_kind);
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
  ADD (a_flush_ends_upstreams_wait);
  ADD (a_stop_ends_upstreams_wait);
  ADD (an_error_of_downstream_ends_upstreams_wait);
  ADD (frames_that_drop_end_upstreams_wait);
  ADD (a_flush_or_stop_ends_the_outputs_wait);
  ADD (a_flush_is_nothing_to_the_sender_and_a_stop_ends_its_wait);
  ADD (a_frame_wakes_the_sender_alone);
  ADD (a_frame_without_a_connection_wakes_the_net_thread_alone);
  ADD (a_reply_to_a_flushed_frame_brings_nothing);
  ADD (a_flush_keeps_sticky_events);
  ADD (the_newest_frame_goes_again_with_inputs_of_its_own);
  ADD (a_drain_that_takes_too_long_ends_the_stream);
  ADD (a_flush_ends_a_drain_whose_time_is_over);
  ADD (a_drain_without_a_connection_drops_what_waits);
  ADD (an_eos_waits_for_the_last_result);
  ADD (the_end_of_the_paid_time_ends_the_stream_once);
  ADD (an_error_after_eos_is_told_by_whoever_finds_it);
  ADD (a_link_lets_the_flow_go_on);
  ADD (a_new_start_begins_anew);
  ADD (counts_that_begin_anew_hold_what_is_under_way);
  return g_test_run ();
}
