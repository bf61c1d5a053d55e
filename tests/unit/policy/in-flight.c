/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests in flight and the ids that they went with, with literal times. */
#include "fal/policy/in-flight.h"

#define NEVER G_MININT64

static void
test_a_frame_that_never_went_has_no_id (void)
{
  const FalTries tries = { { 0 } };

  g_assert_false (fal_tries_were_made (&tries));
  g_assert_cmpint (fal_tries_find (&tries, 1), ==, NEVER);
}

/* An answer may come for any of the last four ids that a frame went with. */
static void
test_four_tries_are_remembered (void)
{
  FalTries tries = { { 0 } };

  for (guint64 id = 1; id <= 5; id++) {
    fal_tries_note (&tries, 10 * id, 1000 * id);
    g_assert_true (fal_tries_were_made (&tries));
  }
  for (guint64 id = 2; id <= 5; id++)
    g_assert_cmpint (fal_tries_find (&tries, 10 * id), ==, 1000 * id);
  g_assert_cmpint (fal_tries_find (&tries, 10), ==, NEVER);
  g_assert_cmpint (fal_tries_find (&tries, 60), ==, NEVER);
}

static void
test_a_request_is_found_by_each_of_its_ids (void)
{
  FalInFlight first = { .id = 3 }, second = { .id = 2 };
  GQueue requests = G_QUEUE_INIT;

  fal_tries_note (&first.tries, 1, 100);
  fal_tries_note (&first.tries, 3, 300);
  fal_tries_note (&second.tries, 2, 200);
  g_queue_push_tail (&requests, &first);
  g_queue_push_tail (&requests, &second);
  g_assert_true (fal_in_flight_find (&requests, 1)->data == &first);
  g_assert_true (fal_in_flight_find (&requests, 3)->data == &first);
  g_assert_true (fal_in_flight_find (&requests, 2)->data == &second);
  g_assert_null (fal_in_flight_find (&requests, 4));
  g_queue_clear (&requests);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/in-flight/" #name, test_##name)
  ADD (a_frame_that_never_went_has_no_id);
  ADD (four_tries_are_remembered);
  ADD (a_request_is_found_by_each_of_its_ids);
  return g_test_run ();
}
