/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A network that loses a tenth of all packets, both ways. */
#include "far-server.h"

#define LOSE_A_TENTH "numgen random mod 10 0 drop"
#define REPEATED "RetransSegs" /* packets that TCP sent again */
#define PACKETS 8              /* to be lost in each test, at least */

/* Whatever had to go again below, above nothing was lost: one connection, no word. Results that a
 * lost packet held up come at once, and then those of a camera may give way to newer ones. */
static void
check_all_was_answered (FarServer *far)
{
  Fixture *f = far->camera.f;

  g_test_message ("%u frames sent", (guint) fixture_stat (f, "frames-sent"));
  g_assert_cmpuint (invariants_get_good (far->camera.invariants) + fixture_stat (f, "results-late"),
      ==, fixture_stat (f, "frames-sent"));
  far_server_check_all_was_answered (far);
}

/* Frames until enough packets were lost. */
static void
push_until_loss (FarServer *far)
{
  Camera *camera = &far->camera;
  guint64 wanted = networks_count (REPEATED) + PACKETS;

  networks_filter (OURS, LOSE_A_TENTH);
  networks_filter (THEIRS, LOSE_A_TENTH);
  REPEAT_UNTIL (camera->f->element, networks_count (REPEATED) >= wanted, camera_push (camera));
  fixture_push_end (camera->f);
  WAIT_UNTIL (camera->f->element, invariants_is_over (camera->invariants));
}

static void
test_every_frame_of_a_file_is_answered (void)
{
  g_autoptr (FarServer) far = NULL;

  if (!networks_can_filter (LOSE_A_TENTH))
    return;
  far = far_server_new (NULL, "max-in-flight=4", FALSE);
  push_until_loss (far);
  g_assert_cmpuint (fixture_stat (far->camera.f, "frames-sent"), ==, far->camera.pushed);
  check_all_was_answered (far);
}

static void
test_every_frame_of_a_camera_that_was_sent_is_answered (void)
{
  g_autoptr (FarServer) far = NULL;

  if (!networks_can_filter (LOSE_A_TENTH))
    return;
  far = far_server_new (NULL, NULL, TRUE);
  push_until_loss (far);
  g_assert_cmpuint (invariants_get_newest (far->camera.invariants), ==, far->camera.pushed - 1);
  check_all_was_answered (far);
}

int
main (int argc, char **argv)
{
  static const NetworksTest tests[] = {
    NETWORKS_TEST ("loss", every_frame_of_a_file_is_answered),
    NETWORKS_TEST ("loss", every_frame_of_a_camera_that_was_sent_is_answered),
  };

  return networks_run_tests (argc, argv, tests, G_N_ELEMENTS (tests));
}
