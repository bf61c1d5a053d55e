/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A way that became narrower than its ends know: a tunnel in the middle swallows long packets, and
 * the ICMP that would tell of it is lost. Short ones pass, so that a connection can be made, and no
 * frame gets through.
 *
 * Whether TCP finds that out by itself, and sends shorter packets, is a setting of the system
 * (tcp_mtu_probing), which Linux leaves off. Both are tried here. */
#include "far-server.h"

/* What comes to the server. TCP that probes tries 1024 bytes first. */
#define SWALLOW_LONG_ONES "meta length > 1200 drop"
#define PROBING "ipv4/tcp_mtu_probing"
#define PROMPT_LENGTH 3000 /* so that each request needs long packets */

/* Results came, and then the way got narrow. NULL: the test is skipped. */
static FarServer *
begin (const gchar *probing)
{
  g_autofree gchar *prompt = g_strnfill (PROMPT_LENGTH, 'x');
  g_autofree gchar *properties = g_strconcat ("prompt=", prompt, NULL);
  FarServer *far;

  if (!networks_can_filter (SWALLOW_LONG_ONES))
    return NULL;
  networks_set (OURS, PROBING, probing);
  far = far_server_new (NULL, properties, TRUE);
  camera_push_until_results (&far->camera, 3);
  networks_filter (THEIRS, SWALLOW_LONG_ONES);
  return far;
}

/* Told once, though each new connection stands, and tried again until the way is wide again. */
static void
test_without_probing_it_is_told_and_tried_again (void)
{
  g_autoptr (FarServer) far = begin ("0");
  Camera *camera;
  gint64 found;

  if (far == NULL)
    return;
  camera = &far->camera;
  far_server_expect_gone (far);
  found = g_get_monotonic_time ();
  REPEAT_UNTIL (
      camera->f->element, fal_server_get_connections (far->server) == 2, camera_push (camera));
  camera_push_for (camera, 1000);
  fixture_expect_no_message (camera->f);
  networks_unfilter (THEIRS);
  far_server_expect_results (far, g_get_monotonic_time () - found + SOON);
}

/* The way stays narrow, and the element need not know. How soon TCP finds out is its own affair. */
static void
test_with_probing_the_connection_goes_on (void)
{
  g_autoptr (FarServer) far = begin ("1");

  if (far == NULL)
    return;
  far_server_expect_results (far, WATCHDOG_SECONDS * G_USEC_PER_SEC);
  fixture_push_end (far->camera.f);
  WAIT_UNTIL (far->camera.f->element, invariants_is_over (far->camera.invariants));
  far_server_check_all_was_answered (far);
}

int
main (int argc, char **argv)
{
  static const NetworksTest tests[] = {
    NETWORKS_TEST ("packet-size", without_probing_it_is_told_and_tried_again),
    NETWORKS_TEST ("packet-size", with_probing_the_connection_goes_on),
  };

  return networks_run_tests (argc, argv, tests, G_N_ELEMENTS (tests));
}
