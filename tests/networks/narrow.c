/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A wire of a megabit a second, before which the kernel's own buffers lie: the socket's, which
 * grow, and the queue of the interface. */
#include "../faults/narrow-way.h"
#include "far-server.h"

#define MEGABIT "tbf rate 1mbit burst 3000 latency 400ms"

static void
test_a_megabit_a_second_costs_frames_and_not_time (void)
{
  g_autoptr (FarServer) far = NULL;

  if (!networks_can_shape (MEGABIT))
    return;
  far = far_server_new (NULL, "quality=90", TRUE);
  networks_shape (OURS, MEGABIT);
  networks_shape (THEIRS, MEGABIT);
  narrow_way_check (far->camera.f, far->camera.invariants);
  far_server_check_all_was_answered (far);
}

int
main (int argc, char **argv)
{
  static const NetworksTest tests[] = {
    NETWORKS_TEST ("narrow", a_megabit_a_second_costs_frames_and_not_time),
  };

  return networks_run_tests (argc, argv, tests, G_N_ELEMENTS (tests));
}
