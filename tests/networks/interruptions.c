/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A network that is gone for a while: packets are lost or refused, an interface goes and comes. */
#include "far-server.h"

/* TCP sends again what was lost, sooner or later; nobody else need know. */
static void
test_packets_that_are_dropped_for_a_moment_cost_no_connection (void)
{
  g_autoptr (FarServer) far = NULL;
  gint64 lost;

  if (!networks_can_filter ("drop"))
    return;
  far = far_server_new (NULL, NULL, TRUE);
  camera_push_until_results (&far->camera, 3);
  lost = g_get_monotonic_time ();
  networks_filter (THEIRS, "drop");
  camera_push_for (&far->camera, 1000);
  networks_unfilter (THEIRS);
  far_server_expect_results (far, g_get_monotonic_time () - lost + SOON);
  g_assert_cmpuint (fal_server_get_connections (far->server), ==, 1);
}

/* As a firewall does it that was started anew, and knows no connection. */
static void
test_connections_that_are_reset (void)
{
  g_autoptr (FarServer) far = NULL;

  if (!networks_can_filter ("meta l4proto tcp reject with tcp reset"))
    return;
  far = far_server_new (NULL, NULL, TRUE);
  camera_push_until_results (&far->camera, 3);
  networks_filter (THEIRS, "meta l4proto tcp reject with tcp reset");
  EXPECT_WITHIN (SOON, camera_push_until_warning (&far->camera, "the connection "));
  camera_push_for (&far->camera, 2000);
  networks_unfilter (THEIRS);
  far_server_expect_results (far, SOON);
  g_assert_cmpuint (fixture_stat (far->camera.f, "connections"), ==, 2);
}

/* A modem that is pulled out and put in again, and gets its address: the connection goes on. */
static void
test_an_interface_that_comes_back_with_its_address (void)
{
  g_autoptr (FarServer) far = far_server_new (NULL, NULL, TRUE);
  gint64 lost;

  camera_push_until_results (&far->camera, 3);
  lost = g_get_monotonic_time ();
  networks_disconnect ();
  camera_push_for (&far->camera, 1000);
  networks_connect (OUR_ADDRESS);
  far_server_expect_results (far, g_get_monotonic_time () - lost + SOON);
  g_assert_cmpuint (fal_server_get_connections (far->server), ==, 1);
}

/* It gets another one, to which no answer comes that is meant for the old one. */
static void
test_an_interface_that_comes_back_with_another_address (void)
{
  g_autoptr (FarServer) far = far_server_new (NULL, NULL, TRUE);

  camera_push_until_results (&far->camera, 3);
  networks_disconnect ();
  camera_push_for (&far->camera, 1000);
  networks_connect (OUR_NEXT_ADDRESS);
  far_server_expect_gone (far);
  far_server_expect_results (far, SOON);
  g_assert_cmpuint (fixture_stat (far->camera.f, "connections"), ==, 2);
}

int
main (int argc, char **argv)
{
  static const NetworksTest tests[] = {
    NETWORKS_TEST ("interruptions", packets_that_are_dropped_for_a_moment_cost_no_connection),
    NETWORKS_TEST ("interruptions", connections_that_are_reset),
    NETWORKS_TEST ("interruptions", an_interface_that_comes_back_with_its_address),
    NETWORKS_TEST ("interruptions", an_interface_that_comes_back_with_another_address),
  };

  return networks_run_tests (argc, argv, tests, G_N_ELEMENTS (tests));
}
