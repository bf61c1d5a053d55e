/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What keeps a connection from being paid for without need: idle-timeout and session-limit. */
#include "fal/dialer.h"
#include "fixture.h"
#include <string.h>

#define IDLE_TIMEOUT 20 /* ms */
#define LIVE "timestamp-mode=input "

static gint
get_state (Fixture *f)
{
  gint state;

  g_object_get (f->element, "connection-state", &state, NULL);
  return state;
}

/* Nothing is open any more, and the element knows. */
static void
wait_until_closed (Fixture *f)
{
  gint64 watchdog = g_get_monotonic_time () + WATCHDOG_SECONDS * G_USEC_PER_SEC;

  while (fal_server_get_open (f->server) > 0 || get_state (f) != FAL_DIALER_IDLE) {
    g_assert_cmpint (g_get_monotonic_time (), <, watchdog);
    g_usleep (1000);
  }
}

static void
expect_no_message (Fixture *f)
{
  g_assert_null (gst_bus_pop_filtered (f->bus, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR));
}

/* ---- idle-timeout ---- */

static void
test_without_frames_the_connection_is_closed_and_the_next_one_opens_it (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, LIVE "idle-timeout=20");

  fixture_set_size (f, 32, 32);
  for (guint n = 0; n < 3; n++) {
    fixture_push_and_pull (f, n);
    g_assert_cmpuint (fal_server_get_connections (f->server), ==, n + 1);
    wait_until_closed (f);
  }
  expect_no_message (f);
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
    g_usleep (1000 * IDLE_TIMEOUT + g_rand_int_range (rand, -1000, 2000));
  }
  g_assert_cmpuint (fixture_stat (f, "lost"), ==, 0);
  g_assert_cmpuint (fal_server_get_connections (f->server), >, 1);
  expect_no_message (f);
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
  expect_no_message (f);
}

static void
test_a_model_that_takes_longer_is_waited_for (void)
{
  const FalServerOptions slow = { .delay_ms = 5 * IDLE_TIMEOUT };
  g_autoptr (Fixture) f = fixture_new_live (&slow, LIVE "idle-timeout=20");

  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, 0);
  g_assert_cmpuint (fal_server_get_connections (f->server), ==, 1);
  wait_until_closed (f);
  g_assert_cmpuint (fixture_stat (f, "lost"), ==, 0);
  expect_no_message (f);
}

/* One that was opened and never used, too. */
static void
test_it_may_be_set_while_playing (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, LIVE);

  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, 0);
  g_object_set (f->element, "idle-timeout", IDLE_TIMEOUT, NULL);
  wait_until_closed (f);
  g_signal_emit_by_name (f->element, "reconnect");
  fixture_wait_for_stat (f, "connections", 2);
  wait_until_closed (f);
  g_object_set (f->element, "idle-timeout", 0, NULL);
  fixture_push_and_pull (f, 1);
  g_usleep (5 * IDLE_TIMEOUT * 1000);
  fixture_push_and_pull (f, 2);
  g_assert_cmpuint (fal_server_get_connections (f->server), ==, 3);
  expect_no_message (f);
}

/* ---- several elements on one connection ---- */

typedef struct {
  FalServer *server;
  GstHarness *a, *b;
} Pair;

static GstHarness *
join (FalServer *server, const gchar *properties)
{
  g_autofree gchar *description =
      g_strdup_printf ("falrealtimefilter base-uri=%s app=test/app/image image-field=image_bytes "
                       "image-encoding=bytes throttle-interval=0 connection-key=limits %s",
          fal_server_get_uri (server), properties);
  GstHarness *harness = gst_harness_new_parse (description);

  g_assert_nonnull (harness);
  gst_harness_set_live (harness, FALSE);
  gst_harness_set_src_caps_str (
      harness, "video/x-raw,format=RGB,width=32,height=32,framerate=30/1");
  return harness;
}

static Pair *
pair_new (const gchar *properties_a, const gchar *properties_b)
{
  Pair *pair = g_new (Pair, 1);
  FalServer *server = fixture_start_server (NULL);

  *pair = (Pair){ server, join (server, properties_a), join (server, properties_b) };
  return pair;
}

static void
pair_free (Pair *pair)
{
  gst_harness_teardown (pair->a);
  g_clear_pointer (&pair->b, gst_harness_teardown);
  fal_server_free (pair->server);
  g_free (pair);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Pair, pair_free)

static void
push_and_pull (GstHarness *harness, guint n)
{
  g_assert_cmpint (gst_harness_push (harness, fixture_frame (32, 32, 0, n)), ==, GST_FLOW_OK);
  gst_buffer_unref (gst_harness_pull (harness));
}

static void
wait_until_open (FalServer *server, guint n)
{
  gint64 watchdog = g_get_monotonic_time () + WATCHDOG_SECONDS * G_USEC_PER_SEC;

  while (fal_server_get_open (server) != n) {
    g_assert_cmpint (g_get_monotonic_time (), <, watchdog);
    g_usleep (1000);
  }
}

/* On a machine so busy that a frame takes longer than the timeout, nothing is said. */
static void
test_a_shared_connection_stays_while_one_uses_it (void)
{
  g_autoptr (Pair) pair = pair_new ("idle-timeout=100", "idle-timeout=100");
  gint64 began = g_get_monotonic_time (), last = began, longest = 0;
  guint n = 0;

  push_and_pull (pair->a, 0);
  while (last - began < 400 * G_TIME_SPAN_MILLISECOND) {
    gint64 now;

    push_and_pull (pair->b, n++);
    g_usleep (5000);
    now = g_get_monotonic_time ();
    longest = MAX (longest, now - last);
    last = now;
  }
  if (longest < 100 * G_TIME_SPAN_MILLISECOND)
    g_assert_cmpuint (fal_server_get_connections (pair->server), ==, 1);
  wait_until_open (pair->server, 0);
  push_and_pull (pair->a, 1);
  push_and_pull (pair->b, n);
  if (longest < 100 * G_TIME_SPAN_MILLISECOND)
    g_assert_cmpuint (fal_server_get_connections (pair->server), ==, 2);
}

/* What one wants for itself it does not get for another. */
static void
test_a_shared_connection_stays_where_one_wants_it_for_ever (void)
{
  g_autoptr (Pair) pair = pair_new ("idle-timeout=10", "idle-timeout=0");

  push_and_pull (pair->a, 0);
  push_and_pull (pair->b, 0);
  g_usleep (100 * G_TIME_SPAN_MILLISECOND);
  push_and_pull (pair->a, 1);
  g_assert_cmpuint (fal_server_get_connections (pair->server), ==, 1);
  g_clear_pointer (&pair->b, gst_harness_teardown);
  wait_until_open (pair->server, 0);
}

static void
wait_for_end (GstHarness *harness)
{
  for (GstEvent *event; (event = gst_harness_pull_event (harness)) != NULL;) {
    GstEventType type = GST_EVENT_TYPE (event);

    gst_event_unref (event);
    if (type == GST_EVENT_EOS)
      return;
  }
  g_assert_not_reached ();
}

/* Its limit is one's own: the other goes on, and once it has gone, nothing is paid for any more. */
static void
test_a_shared_connection_outlives_the_limit_of_one (void)
{
  g_autoptr (Pair) pair = pair_new ("session-limit=1", "");

  push_and_pull (pair->a, 0);
  push_and_pull (pair->b, 0);
  wait_for_end (pair->a);
  push_and_pull (pair->b, 1);
  g_assert_cmpuint (fal_server_get_connections (pair->server), ==, 1);
  g_clear_pointer (&pair->b, gst_harness_teardown);
  wait_until_open (pair->server, 0);
  g_assert_cmpuint (fal_server_get_connections (pair->server), ==, 1);
}

/* ---- session-limit ---- */

/* The stream has ended for good: the one warning is there already when the end arrives. */
static void
expect_limit (Fixture *f)
{
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  gst_event_unref (fixture_wait_for_event (f, GST_EVENT_EOS));
  message = gst_bus_pop_filtered (f->bus, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_WARNING);
  gst_message_parse_warning (message, &error, NULL);
  g_assert_nonnull (strstr (error->message, "session-limit"));
  g_assert_nonnull (strstr (error->message, "set it higher"));
  expect_no_message (f);
}

/* Whatever is tried, it stays ended, and nothing is dialled. */
static void
expect_ended (Fixture *f, guint connections)
{
  wait_until_closed (f);
  for (guint n = 0; n < 3; n++)
    g_assert_cmpint (
        gst_harness_push (f->harness, fixture_frame (32, 32, 0, 100 + n)), ==, GST_FLOW_EOS);
  g_signal_emit_by_name (f->element, "reconnect");
  g_usleep (50 * G_TIME_SPAN_MILLISECOND);
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
  fixture_push_and_pull (f, 0);
  began = g_get_monotonic_time ();
  expect_limit (f);
  g_assert_cmpint (g_get_monotonic_time () - began, >, 900 * G_TIME_SPAN_MILLISECOND);
  expect_ended (f, 1);
  gst_harness_push_event (f->harness, gst_event_new_eos ());
  expect_no_event (f, GST_EVENT_EOS);
  fixture_flush (f);
  expect_ended (f, 1);
  gst_event_unref (
      fixture_wait_for_event (f, GST_EVENT_EOS)); /* the fixture_flush took the first one back */
  expect_no_message (f);
  gst_element_set_state (f->harness->element, GST_STATE_READY);
  fixture_play (f);
  fixture_push_and_pull (f, 0);
  g_assert_cmpuint (fal_server_get_connections (f->server), ==, 2);
}

/* 0.5 s on a first connection leave 0.5 s for the second, however much time lies between. */
static void
test_the_limit_counts_over_connections (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, LIVE "session-limit=1");
  gint64 began;

  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, 0);
  g_usleep (500 * G_TIME_SPAN_MILLISECOND);
  fal_server_close (f->server, 1000, NULL);
  wait_until_closed (f);
  g_usleep (500 * G_TIME_SPAN_MILLISECOND);
  expect_no_message (f);
  fixture_push_and_pull (f, 1);
  began = g_get_monotonic_time ();
  expect_limit (f);
  g_assert_cmpint (g_get_monotonic_time () - began, <, 950 * G_TIME_SPAN_MILLISECOND);
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
  gint64 began;

  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, 0);
  began = g_get_monotonic_time ();
  g_object_set (f->element, "session-limit", 0, NULL);
  while (g_get_monotonic_time () - began < 1100 * G_TIME_SPAN_MILLISECOND)
    g_usleep (10000);
  fixture_push_and_pull (f, 1);
  expect_no_message (f);
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
