/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The clock on the wall jumps, as it does where a machine wakes up, or asks a time server late. No
 * timer of the element's minds.
 *
 * This program has the C library's functions for that clock itself, and all libraries in it take
 * these. The monotonic clock stays the kernel's. */
#include "../element/fixture.h"

#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define HOUR 3600
#define DAY (24 * HOUR)

/* ---- the clock ---- */

static gint jump; /* seconds by which the wall clock is wrong; atomic */

/* The sanitizers may not be ready yet where the first of all libraries asks. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CLOCK_FUNCTION __attribute__ ((visibility ("default"), no_sanitize ("address", "thread")))
#else
#define CLOCK_FUNCTION __attribute__ ((visibility ("default")))
#endif

CLOCK_FUNCTION int
clock_gettime (clockid_t id, struct timespec *now)
{
  int result = syscall (SYS_clock_gettime, id, now);

  if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)
    now->tv_sec += __atomic_load_n (&jump, __ATOMIC_SEQ_CST);
  return result;
}

CLOCK_FUNCTION int
gettimeofday (struct timeval *now, void *zone)
{
  struct timespec exact;
  int result = clock_gettime (CLOCK_REALTIME, &exact);

  now->tv_sec = exact.tv_sec;
  now->tv_usec = exact.tv_nsec / 1000;
  return result;
}

CLOCK_FUNCTION time_t
time (time_t *copy)
{
  struct timespec now;

  clock_gettime (CLOCK_REALTIME, &now);
  if (copy)
    *copy = now.tv_sec;
  return now.tv_sec;
}

/* From now on it is wrong by so many seconds. All of this process sees it. */
static void
jump_to (gint seconds)
{
  gint64 before = g_get_real_time () / G_USEC_PER_SEC - g_atomic_int_get (&jump), after;

  g_atomic_int_set (&jump, seconds);
  after = g_get_real_time () / G_USEC_PER_SEC - seconds;
  g_assert_cmpint (after - before, >=, 0);
  g_assert_cmpint (after - before, <, WATCHDOG_SECONDS);
}

/* ---- nothing ends too soon ---- */

/* A token that ends in two minutes. */
static gchar *
make_token (void)
{
  g_autofree gchar *claims =
      g_strdup_printf ("{\"exp\":%" G_GINT64_FORMAT "}", g_get_real_time () / G_USEC_PER_SEC + 120);
  g_autofree gchar *coded = g_base64_encode ((const guchar *) claims, strlen (claims));

  return g_strdup_printf ("eyJhbGciOiJIUzI1NiJ9.%s.c2ln", g_strdelimit (coded, "=", '\0'));
}

/* Of nearly all results, ms. */
static gdouble
get_age (Fixture *f)
{
  GstStructure *stats;
  gdouble age = 0;

  g_object_get (f->element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_double (stats, "age-p99", &age));
  gst_structure_free (stats);
  return age;
}

/* With a request under way, whose token has ended by the new clock. */
static void
test_a_jump_ends_nothing_that_is_under_way (void)
{
  static const gint jumps[] = { 10, HOUR, -HOUR, 400 * DAY, -400 * DAY, 0 };
  const FalServerOptions slow = { .delay_ms = 50 };
  g_autofree gchar *token = make_token ();
  g_autofree gchar *properties =
      g_strdup_printf ("timestamp-mode=input idle-timeout=60000 session-limit=600 token=%s", token);
  g_autoptr (Fixture) f = fixture_new_live (&slow, properties);

  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, 0);
  for (guint i = 0; i < G_N_ELEMENTS (jumps); i++) {
    fixture_push_frame (f, 1 + 2 * i);
    WAIT_UNTIL (f->element, fixture_stat (f, "frames-sent") == 2 + 2 * i);
    jump_to (jumps[i]);
    gst_buffer_unref (fixture_pull (f));
    fixture_push_and_pull (f, 2 + 2 * i);
  }
  g_assert_cmpuint (fixture_stat (f, "answered"), ==, 1 + 2 * G_N_ELEMENTS (jumps));
  g_assert_cmpfloat (get_age (f), <, WATCHDOG_SECONDS * 1000);
  g_assert_cmpuint (fixture_stat (f, "session-time"), <, 2 * WATCHDOG_SECONDS * GST_SECOND);
  g_assert_cmpuint (fal_server_get_connections (f->server), ==, 1);
  fixture_expect_no_message (f);
}

/* ---- nothing comes too late ---- */

/* An element with a result, and a frame under way that is not answered any more. */
static Fixture *
make_waiting (const gchar *properties)
{
  g_autofree gchar *all = g_strconcat ("timestamp-mode=input retry-delay=20 ", properties, NULL);
  Fixture *f = fixture_new_live (NULL, all);

  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, 0);
  fal_server_set_mute (f->server, TRUE);
  fixture_push_frame (f, 1);
  fixture_wait_for_stat (f, "in-flight", 1);
  return f;
}

/* A day back, each time that something is waited for: the end of a request, the next attempt. */
static void
test_a_request_expires_and_the_next_attempt_comes (void)
{
  g_autoptr (Fixture) f = make_waiting ("request-timeout=200");
  guint n = 2;

  jump_to (-DAY);
  gst_message_unref (fixture_wait_for_message (f, GST_MESSAGE_WARNING));
  jump_to (-2 * DAY);
  fal_server_set_mute (f->server, FALSE);
  REPEAT_UNTIL (f->element, fixture_stat (f, "results") > 1, fixture_push_frame (f, n++));
  g_assert_cmpuint (fal_server_get_connections (f->server), ==, 2);
  jump_to (0);
}

static void
test_an_unanswered_upgrade_is_given_up (void)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  guint port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);
  g_autofree gchar *description =
      g_strdup_printf ("falrealtimefilter app=a/b base-uri=ws://127.0.0.1:%u connect-timeout=150 "
                       "retries=0",
          port);
  g_autoptr (Fixture) f = fixture_new_from (description, TRUE);

  fixture_set_size (f, 32, 32);
  fixture_push_frame (f, 0);
  fixture_wait_for_state (f, "connecting");
  jump_to (-DAY);
  gst_message_unref (fixture_wait_for_message (f, GST_MESSAGE_ERROR));
  jump_to (0);
}

static void
test_a_stream_drains_no_longer_than_it_may (void)
{
  g_autoptr (Fixture) f = make_waiting ("drain-timeout=150");

  fixture_push_end (f);
  jump_to (-DAY);
  fixture_wait_for_end (f);
  jump_to (0);
}

static void
test_an_idle_connection_is_closed (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "timestamp-mode=input idle-timeout=150");

  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, 0);
  jump_to (-DAY);
  fixture_wait_until_closed (f);
  jump_to (0);
}

static void
test_the_session_limit_ends_the_stream (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "timestamp-mode=input session-limit=1");

  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, 0);
  jump_to (-DAY);
  fixture_wait_for_end (f);
  jump_to (0);
}

static void
test_the_throttle_lets_the_next_frame_go (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "timestamp-mode=input throttle-interval=200");

  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, 0);
  fixture_push_frame (f, 1);
  jump_to (-DAY);
  gst_buffer_unref (fixture_pull (f));
  jump_to (0);
}

static void
test_the_fallback_is_shown (void)
{
  g_autoptr (Fixture) f = make_waiting ("fallback=passthrough fallback-timeout=150");
  guint n = 2;

  jump_to (-DAY);
  REPEAT_UNTIL (f->element, fixture_stat (f, "frames-filled") > 0, fixture_push_frame (f, n++));
  jump_to (0);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
#define ADD(name) g_test_add_func ("/wall-clock/" #name, test_##name)
  ADD (a_jump_ends_nothing_that_is_under_way);
  ADD (a_request_expires_and_the_next_attempt_comes);
  ADD (an_unanswered_upgrade_is_given_up);
  ADD (a_stream_drains_no_longer_than_it_may);
  ADD (an_idle_connection_is_closed);
  ADD (the_session_limit_ends_the_stream);
  ADD (the_throttle_lets_the_next_frame_go);
  ADD (the_fallback_is_shown);
  return g_test_run ();
}
