/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A network that swallows all packets and says nothing, both ways or one: TCP goes on to hope. That
 * the peer is gone is found out by the element, with its default timeouts. */
#include "far-server.h"

#define SWALLOW_ATTEMPTS "tcp flags & (syn | ack) == syn drop"
#define ATTEMPTS "ActiveOpens" /* to connect, that TCP was asked for */

/* @sides let nothing in any more. */
static void
check_silence (const Side *sides, guint n, const gchar *properties)
{
  g_autoptr (FarServer) far = NULL;
  Camera *camera;
  gint64 found;

  if (!networks_can_filter ("drop"))
    return;
  far = far_server_new (NULL, properties, TRUE);
  camera = &far->camera;
  camera_push_until_results (camera, 3);
  for (guint i = 0; i < n; i++)
    networks_filter (sides[i], "drop");
  far_server_expect_gone (far);
  found = g_get_monotonic_time ();
  /* Attempts to connect are swallowed, too; none of that is told. */
  camera_push_for (camera, 1500);
  fixture_expect_no_message (camera->f);
  g_assert_cmpuint (fixture_stat (camera->f, "dropped-offline"), >, 0);
  for (guint i = 0; i < n; i++)
    networks_unfilter (sides[i]);
  far_server_expect_results (far, g_get_monotonic_time () - found + SOON);
  g_assert_cmpuint (fixture_stat (camera->f, "connections"), ==, 2);
}

static void
test_both_ways (void)
{
  static const Side both[] = { OURS, THEIRS };

  check_silence (both, 2, NULL);
}

/* The server gets nothing, and so has nothing to say. */
static void
test_on_the_way_there (void)
{
  static const Side theirs = THEIRS;

  check_silence (&theirs, 1, NULL);
}

/* The server gets the frames and answers in vain. Even where an answer may take any time. */
static void
test_on_the_way_back (void)
{
  static const Side ours = OURS;

  check_silence (&ours, 1, "request-timeout=0");
}

/* The kernel repeats an attempt after pauses that double, up to 16 s. The element does not sleep
 * through the network's return: it makes a new one before they get long, and tells nobody. */
static void
test_an_attempt_that_is_swallowed_begins_anew (void)
{
  g_autoptr (FarServer) far = NULL;
  Camera *camera;
  guint64 attempts;

  if (!networks_can_filter (SWALLOW_ATTEMPTS))
    return;
  far = far_server_new (NULL, NULL, TRUE);
  camera = &far->camera;
  camera_push_until_results (camera, 3);
  networks_filter (THEIRS, SWALLOW_ATTEMPTS);
  attempts = networks_count (ATTEMPTS);
  fal_server_close (far->server, 0, NULL);
  camera_push_until_warning (camera, "the connection was lost");
  REPEAT_UNTIL (
      camera->f->element, networks_count (ATTEMPTS) >= attempts + 2, camera_push (camera));
  g_assert_cmpstr (fixture_get_state (camera->f), ==, "connecting");
  networks_unfilter (THEIRS);
  far_server_expect_results (far, SOON + SOON); /* its first pause is a second */
}

int
main (int argc, char **argv)
{
  static const NetworksTest tests[] = {
    NETWORKS_TEST ("silence", both_ways),
    NETWORKS_TEST ("silence", on_the_way_there),
    NETWORKS_TEST ("silence", on_the_way_back),
    NETWORKS_TEST ("silence", an_attempt_that_is_swallowed_begins_anew),
  };

  return networks_run_tests (argc, argv, tests, G_N_ELEMENTS (tests));
}
