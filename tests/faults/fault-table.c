/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The body of the tests against the misbehaving peer, on the test's own thread. */
#include "fault-table.h"

#include "fal/wire/visible-text.h"

#include <string.h>

/* Between two frames. */
#define PUSH_INTERVAL (2 * GST_MSECOND)
#define RESULTS_WANTED 3

typedef struct {
  const FaultRow *row;
  Invariants *invariants;
  Peer *peer;
  Fixture *fixture;
  guint pushed;
  guint outages, remarks, errors;
  guint served; /* results when the peer began to behave */
  gboolean serving;
  guint64 sent, replaced; /* replaced: when the last one was sent, or before the peer stalled */
  GstBuffer *noise;
  gint64 began;
} Run;

/* ---- messages ---- */

static gboolean
fits (const Expected *expected, const GError *error)
{
  return expected->domain && g_error_matches (error, expected->domain (), expected->code) &&
         strstr (error->message, expected->text);
}

static gboolean
expect_visible (GQuark name, const GValue *value, gpointer data)
{
  if (G_VALUE_HOLDS_STRING (value) && g_value_get_string (value))
    g_assert_true (fal_text_is_visible (g_value_get_string (value)));
  return TRUE;
}

/* An outage is one with details that say whether it is tried again. */
static guint *
find_counter (Run *run, GstMessageType type, const GstStructure *details, const Expected **expected)
{
  if (type == GST_MESSAGE_ERROR) {
    *expected = &run->row->error;
    return &run->errors;
  }
  if (details && gst_structure_has_field_typed (details, "retryable", G_TYPE_BOOLEAN)) {
    *expected = &run->row->outage;
    return &run->outages;
  }
  *expected = &run->row->remark;
  return &run->remarks;
}

static void
take_message (Run *run, GstMessage *message)
{
  gboolean is_error = GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR;
  g_autoptr (GError) error = NULL;
  g_autofree gchar *text = gst_structure_to_string (gst_message_get_structure (message));
  const GstStructure *details = NULL;
  const Expected *expected;

  if (is_error) {
    gst_message_parse_error (message, &error, NULL);
    gst_message_parse_error_details (message, &details);
  } else {
    gst_message_parse_warning (message, &error, NULL);
    gst_message_parse_warning_details (message, &details);
  }
  g_test_message ("%s: %s", is_error ? "error" : "warning", error->message);
  ++*find_counter (run, GST_MESSAGE_TYPE (message), details, &expected);
  if (!fits (expected, error))
    g_error ("not expected: %s %s (%s %d)", is_error ? "error" : "warning", error->message,
        g_quark_to_string (error->domain), error->code);
  g_assert_null (strstr (text, "PLANTED"));
  g_assert_true (fal_text_is_visible (error->message));
  if (details)
    gst_structure_foreach (details, expect_visible, NULL);
  gst_message_unref (message);
}

static void
take_messages (Run *run, GstClockTime patience)
{
  GstMessage *message;

  while ((message = gst_bus_timed_pop_filtered (
              run->fixture->bus, patience, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR))) {
    take_message (run, message);
    patience = 0;
  }
}

static void
check_messages (Run *run)
{
  guint seconds = (g_get_monotonic_time () - run->began) / G_USEC_PER_SEC;

  g_assert_cmpuint (run->outages, ==, run->row->outage.domain ? 1 : 0);
  g_assert_cmpuint (run->errors, ==, run->row->error.domain ? 1 : 0);
  g_assert_cmpuint (run->remarks, <=, run->row->remark.domain ? 1 + seconds : 0);
  if (run->row->remark.domain && !run->row->may_remark)
    g_assert_cmpuint (run->remarks, >, 0);
}

/* ---- frames ---- */

/* Of noise there are copies of one picture: to make each anew would be most of the test's work. */
static GstBuffer *
make_frame (Run *run)
{
  const FaultRow *row = run->row;
  GstBuffer *frame;

  if (row->width == 0)
    return invariants_make_frame (run->pushed);
  if (run->noise == NULL)
    run->noise = fixture_noise (row->width, row->height, 0);
  frame = gst_buffer_copy (run->noise);
  GST_BUFFER_PTS (frame) = gst_util_uint64_scale (run->pushed, GST_SECOND, 30);
  return frame;
}

static gboolean
have_results (Run *run)
{
  if (!run->serving) {
    run->serving = peer_is_serving (run->peer);
    run->served = invariants_get_good (run->invariants);
    return FALSE;
  }
  return invariants_get_good (run->invariants) >= run->served + RESULTS_WANTED &&
         (!run->row->remark.domain || run->remarks > 0);
}

static gboolean
has_stalled (Run *run)
{
  guint64 sent = fixture_stat (run->fixture, "frames-sent");
  guint64 replaced = fixture_stat (run->fixture, "dropped-replaced");
  gboolean stalled = peer_is_stalled (run->peer);

  if (!stalled || sent != run->sent) {
    run->sent = sent;
    run->replaced = replaced;
  }
  return stalled && replaced >= run->replaced + run->row->replaced;
}

static gboolean
is_done (Run *run)
{
  if (run->row->error.domain)
    return run->errors > 0;
  if (run->row->until_stall)
    return has_stalled (run);
  if (run->row->frames)
    return run->pushed >= run->row->frames;
  return have_results (run);
}

static void
push_until_done (Run *run)
{
  gint64 watchdog = g_get_monotonic_time () + WATCHDOG_SECONDS * G_USEC_PER_SEC;

  while (!is_done (run)) {
    if (gst_harness_push (run->fixture->harness, make_frame (run)) == GST_FLOW_OK)
      run->pushed++;
    else
      g_assert_nonnull (run->row->error.domain);
    take_messages (run, PUSH_INTERVAL);
    if (g_get_monotonic_time () > watchdog)
      g_error ("still not done after %u frames, %u results, %u connections", run->pushed,
          invariants_get_good (run->invariants), peer_get_connections (run->peer));
  }
}

static void
end_stream (Run *run)
{
  fixture_push_end (run->fixture);
  REPEAT_UNTIL (
      run->fixture->element, invariants_is_over (run->invariants), take_messages (run, 0));
}

/* ---- the body ---- */

static Fixture *
make_fixture (const FaultRow *row, Peer *peer)
{
  guint port = peer_get_port (peer);
  g_autofree gchar *token_uri = g_strdup_printf ("http://127.0.0.1:%u/tokens/", port);
  g_autofree gchar *description = g_strdup_printf (
      "falrealtimefilter base-uri=ws://127.0.0.1:%u app=test/app/image image-field=image_bytes "
      "image-encoding=bytes throttle-interval=0 timestamp-mode=input retry-delay=1 "
      "max-retry-delay=20 token-uri=%s %s",
      port, token_uri, row->properties ? row->properties : "");
  Fixture *fixture = fixture_new_from (description, TRUE);

  g_object_set (
      fixture->element, row->fetches_token ? "api-key" : "token", "PLANTED:PLANTED", NULL);
  return fixture;
}

static void
begin (Run *run, const FaultRow *row)
{
  g_autoptr (GBytes) picture = row->picture ? row->picture () : NULL;
  PeerConfig config = { row->door, row->script, row->for_ever, picture };
  guint waiting, in_flight;

  run->row = row;
  run->invariants = invariants_new ();
  run->peer = peer_new (&config);
  run->fixture = make_fixture (row, run->peer);
  run->began = g_get_monotonic_time ();
  g_object_get (
      run->fixture->element, "max-buffering", &waiting, "max-in-flight", &in_flight, NULL);
  invariants_begin (run->invariants, run->fixture, MAX (waiting, 1),
      in_flight ? in_flight : FAL_WINDOW_MAX_UNANSWERED);
  fixture_set_size (
      run->fixture, row->width ? row->width : FRAME_SIZE, row->height ? row->height : FRAME_SIZE);
  push_until_done (run);
}

static void
check_row (Run *run)
{
  const FaultRow *row = run->row;
  g_autofree gchar *requests = peer_dup_requests (run->peer);
  g_autofree gchar *size = invariants_dup_size (run->invariants);

  if (row->connections)
    g_assert_cmpuint (peer_get_connections (run->peer), ==, row->connections);
  if (row->never)
    g_assert_null (strstr (requests, row->never));
  if (row->picture_size)
    g_assert_cmpstr (size, ==, row->picture_size);
  if (row->check)
    row->check (run->fixture, run->peer);
}

/* Upstream learns of the end right after the application. */
static void
push_until_error (Run *run)
{
  GstFlowReturn flow = GST_FLOW_OK;

  REPEAT_UNTIL (run->fixture->element, flow == GST_FLOW_ERROR,
      flow = gst_harness_push (run->fixture->harness, invariants_make_frame (0)));
}

static void
run_row (gconstpointer data)
{
  const FaultRow *row = data;
  Run run = { 0 };

  begin (&run, row);
  if (row->error.domain)
    push_until_error (&run);
  else if (!row->frames && !row->until_stall)
    end_stream (&run);
  invariants_stop (run.invariants);
  take_messages (&run, 0);
  check_messages (&run);
  check_row (&run);
  fixture_free (run.fixture);
  gst_clear_buffer (&run.noise);
  peer_free (run.peer);
  invariants_free (run.invariants);
}

void
fault_table_add (const gchar *theme, const FaultRow *rows, guint count)
{
  for (guint i = 0; i < count; i++) {
    g_autofree gchar *path = g_strdup_printf ("/%s/%s", theme, rows[i].name);

    g_test_add_data_func (path, &rows[i], run_row);
  }
}
