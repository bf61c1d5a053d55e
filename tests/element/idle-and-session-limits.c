/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What keeps a connection from being paid for without need: idle-timeout and session-limit. */
#include "fixture.h"
#include <string.h>

#define IDLE_TIMEOUT 20 /* ms */
#define LIVE "timestamp-mode=input "

/* ---- idle-timeout ---- */

static void
test_without_frames_the_connection_is_closed_and_the_next_one_opens_it (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, LIVE "idle-timeout=20");

  fixture_set_size (f, 32, 32);
  for (guint n = 0; n < 3; n++) {
    fixture_push_and_pull (f, n);
    g_assert_cmpuint (fal_server_get_connections (f->server), ==, n + 1);
    fixture_wait_until_closed (f);
  }
  fixture_expect_no_message (f);
}

/* The frame comes just when the connection is let go of: it is answered on that one or on the next,
 * and never lost with it. */
static void
test_no_frame_is_lost_with_a_connection_that_is_let_go_of (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, LIVE "idle-timeout=20");
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);

  fixture_set_size (f, 32, 32);
  for (guint n = 0; n < 60; n++) {
    fixture_push_and_pull (f, n);
    pace_for (1000 * IDLE_TIMEOUT + g_rand_int_range (rand, -1000, 2000));
  }
  g_assert_cmpuint (fixture_stat (f, "lost"), ==, 0);
  g_assert_cmpuint (fal_server_get_connections (f->server), >, 1);
  fixture_expect_no_message (f);
}

/* The same where the wish is the application's: the frame after it is for the next connection. */
static void
test_no_frame_after_close_is_lost_with_the_connection (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, LIVE);

  fixture_set_size (f, 32, 32);
  for (guint n = 0; n < 100; n++) {
    fixture_push_and_pull (f, n);
    g_signal_emit_by_name (f->element, n % 2 ? "close" : "reconnect");
  }
  fixture_push_and_pull (f, 100);
  g_assert_cmpuint (fixture_stat (f, "lost"), ==, 0);
  g_assert_cmpuint (fal_server_get_connections (f->server), ==, 101);
  fixture_expect_no_message (f);
}

static void
test_a_model_that_takes_longer_is_waited_for (void)
{
  const FalServerOptions slow = { .delay_ms = 5 * IDLE_TIMEOUT };
  g_autoptr (Fixture) f = fixture_new_live (&slow, LIVE "idle-timeout=20");

  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, 0);
  g_assert_cmpuint (fal_server_get_connections (f->server), ==, 1);
  fixture_wait_until_closed (f);
  g_assert_cmpuint (fixture_stat (f, "lost"), ==, 0);
  fixture_expect_no_message (f);
}

/* Another element's connection, used just now, is let go of by idle-timeout: one of @f that was
 * under it would have been before. */
static void
outlast_idle_timeout (Fixture *f)
{
  g_autoptr (FalServer) server = fixture_start_server (NULL);
  g_autoptr (Fixture) other = fixture_join (server, "idle-timeout=" G_STRINGIFY (IDLE_TIMEOUT));

  fixture_push_and_pull (other, 0);
  WAIT_UNTIL (f->element, fal_server_get_open (server) == 0);
}

/* One that was opened and never used, too. */
static void
test_it_may_be_set_while_playing (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, LIVE);

  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, 0);
  g_object_set (f->element, "idle-timeout", IDLE_TIMEOUT, NULL);
  fixture_wait_until_closed (f);
  g_signal_emit_by_name (f->element, "reconnect");
  fixture_wait_for_stat (f, "connections", 2);
  fixture_wait_until_closed (f);
  g_object_set (f->element, "idle-timeout", 0, NULL);
  fixture_push_and_pull (f, 1);
  outlast_idle_timeout (f);
  fixture_push_and_pull (f, 2);
  g_assert_cmpuint (fal_server_get_connections (f->server), ==, 3);
  fixture_expect_no_message (f);
}

/* ---- several elements on one connection ---- */

typedef struct {
  FalServer *server;
  Fixture *a, *b;
} Pair;

static Fixture *
join (FalServer *server, const gchar *properties)
{
  g_autofree gchar *all = g_strdup_printf ("connection-key=limits %s", properties);

  return fixture_join (server, all);
}

static Pair *
pair_new (const gchar *properties_a, const gchar *properties_b)
{
  Pair *pair = g_new (Pair, 1);
  FalServer *server = fixture_start_server (NULL);

  *pair = (Pair) { server, join (server, properties_a), join (server, properties_b) };
  return pair;
}

static void
pair_free (Pair *pair)
{
  fixture_free (pair->a);
  g_clear_pointer (&pair->b, fixture_free);
  fal_server_free (pair->server);
  g_free (pair);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Pair, pair_free)

static void
wait_until_open (Pair *pair, guint n)
{
  WAIT_UNTIL (pair->a->element, fal_server_get_open (pair->server) == n);
}

/* How long it has been since the last time, µs. */
static gint64
use (Fixture *f, guint n, gint64 *last)
{
  gint64 before = *last;

  fixture_push_and_pull (f, n);
  *last = g_get_monotonic_time ();
  return *last - before;
}

/* What b does keeps the connection of both, though a has long been idle: as long as that of an
 * element by itself, used once after a was, would have stayed four times over. Between the answer
 * to one frame and the sending of the next there may be two of the times that are measured: where
 * these two take longer than the timeout the connection may be lost. */
static void
test_a_shared_connection_stays_while_one_uses_it (void)
{
  g_autoptr (FalServer) server = fixture_start_server (NULL);
  g_autoptr (Fixture) other = fixture_join (server, "idle-timeout=400");
  g_autoptr (Pair) pair = pair_new ("idle-timeout=100", "idle-timeout=100");
  gint64 last, longest;
  gboolean undisturbed;
  guint n = 0;

  fixture_push_and_pull (pair->a, 0);
  last = g_get_monotonic_time ();
  longest = use (other, 0, &last); /* both connections wait meanwhile */
  REPEAT_UNTIL (pair->b->element, fal_server_get_open (server) == 0,
      longest = MAX (longest, use (pair->b, n++, &last)));
  undisturbed = longest < 50 * G_TIME_SPAN_MILLISECOND;
  g_test_message ("the longest time was %" G_GINT64_FORMAT " us: the connections %s", longest,
      undisturbed ? "count" : "do not count");
  if (undisturbed)
    g_assert_cmpuint (fal_server_get_connections (pair->server), ==, 1);
  wait_until_open (pair, 0);
  fixture_push_and_pull (pair->a, 1);
  fixture_push_and_pull (pair->b, n);
  if (undisturbed)
    g_assert_cmpuint (fal_server_get_connections (pair->server), ==, 2);
}

/* What one wants for itself it does not get for another. */
static void
test_a_shared_connection_stays_where_one_wants_it_for_ever (void)
{
  g_autoptr (Pair) pair = pair_new ("idle-timeout=10", "idle-timeout=0");

  fixture_push_and_pull (pair->a, 0);
  fixture_push_and_pull (pair->b, 0);
  outlast_idle_timeout (pair->a);
  fixture_push_and_pull (pair->a, 1);
  g_assert_cmpuint (fal_server_get_connections (pair->server), ==, 1);
  g_clear_pointer (&pair->b, fixture_free);
  wait_until_open (pair, 0);
}

/* Its limit is one's own: the other goes on, and once it has gone, nothing is paid for any more. */
static void
test_a_shared_connection_outlives_the_limit_of_one (void)
{
  g_autoptr (Pair) pair = pair_new ("session-limit=1", "");

  fixture_push_and_pull (pair->a, 0);
  fixture_push_and_pull (pair->b, 0);
  fixture_wait_for_end (pair->a);
  fixture_push_and_pull (pair->b, 1);
  g_assert_cmpuint (fal_server_get_connections (pair->server), ==, 1);
  g_clear_pointer (&pair->b, fixture_free);
  wait_until_open (pair, 0);
  g_assert_cmpuint (fal_server_get_connections (pair->server), ==, 1);
}

/* ---- session-limit ---- */

/* The stream has ended for good: the one warning is there already when the end arrives. */
static void
expect_limit (Fixture *f)
{
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  fixture_wait_for_end (f);
  message = gst_bus_pop_filtered (f->bus, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_WARNING);
  gst_message_parse_warning (message, &error, NULL);
  g_assert_nonnull (strstr (error->message, "session-limit"));
  g_assert_nonnull (strstr (error->message, "Set session-limit to more"));
  fixture_expect_no_message (f);
}

/* Whatever is tried, it stays ended, and nothing is dialled. */
static void
expect_ended (Fixture *f, guint connections)
{
  fixture_wait_until_closed (f);
  for (guint n = 0; n < 3; n++)
    g_assert_cmpint (
        gst_harness_push (f->harness, fixture_frame (32, 32, 0, 100 + n)), ==, GST_FLOW_EOS);
  g_signal_emit_by_name (f->element, "reconnect");
  fixture_run_another_stream ();
  g_assert_cmpuint (fal_server_get_connections (f->server), ==, connections);
  g_assert_cmpuint (fal_server_get_open (f->server), ==, 0);
}

static void
expect_no_event (Fixture *f, GstEventType type)
{
  for (GstEvent *event; (event = gst_harness_try_pull_event (f->harness)) != NULL;) {
    g_assert_cmpint (GST_EVENT_TYPE (event), !=, type);
    gst_event_unref (event);
  }
}

static void
test_the_limit_ends_the_stream_for_good (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, LIVE "session-limit=1");
  gint64 began;

  fixture_set_size (f, 32, 32);
  began = g_get_monotonic_time ();
  fixture_push_and_pull (f, 0);
  expect_limit (f);
  g_assert_cmpint (g_get_monotonic_time () - began, >=, G_USEC_PER_SEC);
  expect_ended (f, 1);
  fixture_push_end (f);
  expect_no_event (f, GST_EVENT_EOS);
  fixture_flush (f);
  expect_ended (f, 1);
  fixture_wait_for_end (f); /* the flush took the first one back */
  fixture_expect_no_message (f);
  gst_element_set_state (f->harness->element, GST_STATE_READY);
  fixture_play (f);
  fixture_push_and_pull (f, 0);
  g_assert_cmpuint (fal_server_get_connections (f->server), ==, 2);
}

/* Another element, which shares nothing with those before it, that its limit ends after a second.
 */
static Fixture *
start_a_second (FalServer *server)
{
  Fixture *other = fixture_join (server, "session-limit=1");

  fixture_push_and_pull (other, 0);
  return other;
}

static GstPadProbeReturn
note_end (GstPad *pad, GstPadProbeInfo *info, gpointer time)
{
  if (GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) == GST_EVENT_EOS)
    *(gint64 *) time = g_get_monotonic_time ();
  return GST_PAD_PROBE_OK;
}

/* *@time becomes when the stream ends, before fixture_wait_for_end() returns. */
static void
time_end (Fixture *f, gint64 *time)
{
  gst_pad_add_probe (
      f->harness->sinkpad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, note_end, time, NULL);
}

/* 0.5 s on a first connection leave 0.5 s for the second, however much time lies between: a whole
 * second does, which another element measures, and one that begins with the second connection
 * ends later. */
static void
test_the_limit_counts_over_connections (void)
{
  g_autoptr (FalServer) server = fixture_start_server (NULL);
  g_autoptr (Fixture) f = fixture_new_live (NULL, LIVE "session-limit=1");
  g_autoptr (Fixture) between = NULL, beside = NULL;
  gint64 end = 0, end_beside = 0;

  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, 0);
  pace_for (500 * G_TIME_SPAN_MILLISECOND); /* half of what the limit allows */
  fal_server_close (f->server, 1000, NULL);
  fixture_wait_until_closed (f);
  between = start_a_second (server);
  fixture_wait_for_end (between);
  fixture_expect_no_message (f);
  fixture_push_and_pull (f, 1);
  beside = start_a_second (server);
  time_end (f, &end);
  time_end (beside, &end_beside);
  expect_limit (f);
  fixture_wait_for_end (beside);
  g_assert_cmpint (end, <, end_beside);
  expect_ended (f, 2);
}

/* Frames that are under way, of a file that loses none, do not open the next connection. */
static void
test_the_limit_does_not_wait_for_a_model (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, "session-limit=1 max-buffering=8");

  fal_server_set_mute (f->server, TRUE);
  fixture_set_size (f, 32, 32);
  for (guint n = 0; n < 4; n++)
    fixture_push (f, fixture_frame (32, 32, 0, n));
  expect_limit (f);
  expect_ended (f, 1);
}

/* It may be raised, and taken away, in time. */
static void
test_the_limit_may_be_changed_while_playing (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, LIVE "session-limit=1");
  g_autoptr (FalServer) server = fixture_start_server (NULL);
  g_autoptr (Fixture) other = NULL;

  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, 0);
  g_object_set (f->element, "session-limit", 0, NULL);
  other = start_a_second (server);
  fixture_wait_for_end (other);
  fixture_push_and_pull (f, 1);
  fixture_expect_no_message (f);
  g_object_set (f->element, "session-limit", 1, NULL);
  expect_limit (f);
  expect_ended (f, 1);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
#define ADD(name) g_test_add_func ("/idle-and-session-limits/" #name, test_##name)
  ADD (without_frames_the_connection_is_closed_and_the_next_one_opens_it);
  ADD (no_frame_is_lost_with_a_connection_that_is_let_go_of);
  ADD (no_frame_after_close_is_lost_with_the_connection);
  ADD (a_model_that_takes_longer_is_waited_for);
  ADD (it_may_be_set_while_playing);
  ADD (a_shared_connection_stays_while_one_uses_it);
  ADD (a_shared_connection_stays_where_one_wants_it_for_ever);
  ADD (a_shared_connection_outlives_the_limit_of_one);
  ADD (the_limit_ends_the_stream_for_good);
  ADD (the_limit_counts_over_connections);
  ADD (the_limit_does_not_wait_for_a_model);
  ADD (the_limit_may_be_changed_while_playing);
  return fixture_run ();
}
