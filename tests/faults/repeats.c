/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests that bring no answer though the peer is there: swallowed, broken off with their
 * connection, or deadly to it. What goes again, what is given up and told, and that all else comes
 * out in order. */
#include "peer-fixture.h"
#include "fault-table.h"

#include <string.h>

/* Frames @first to @last come in, and the stream ends. */
static void
push_and_end (PeerFixture *p, guint first, guint last)
{
  for (guint n = first; n <= last; n++)
    fixture_push (p->f, invariants_make_frame (n));
  fixture_push_end (p->f);
}

/* Until the stream's end; how many WARNINGs held @text. Others may come, but no ERROR. */
static guint
count_warnings (PeerFixture *p, const gchar *text)
{
  GstMessage *message;
  guint n = 0;

  peer_fixture_wait_for_end (p);
  while ((message = gst_bus_pop_filtered (p->f->bus, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR))) {
    g_autoptr (GError) error = NULL;

    g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_WARNING);
    gst_message_parse_warning (message, &error, NULL);
    g_test_message ("%s", error->message);
    n += strstr (error->message, text) != NULL;
    gst_message_unref (message);
  }
  return n;
}

/* ---- swallowed ---- */

/* Of requests 1 and 2 only the second is answered: the first goes again. */
static const PeerStep swallows_one[] = { { PEER_UPGRADE }, { PEER_AWAIT }, { PEER_ANSWER, 0 },
  { PEER_AWAIT }, { PEER_AWAIT }, { PEER_ANSWER, 2 }, { PEER_SERVE }, { PEER_END } };

static void
test_a_request_that_was_swallowed_goes_again (void)
{
  const PeerConfig config = { PEER_DOOR_OPEN, swallows_one };
  g_autoptr (PeerFixture) p = peer_fixture_new (&config, "max-in-flight=2", FALSE);

  push_and_end (p, 0, 9);
  g_assert_cmpuint (count_warnings (p, ""), ==, 0);
  g_assert_cmpuint (invariants_get_good (p->invariants), ==, 10);
  g_assert_cmpuint (fixture_stat (p->f, "requests-repeated"), ==, 1);
  g_assert_cmpuint (fixture_stat (p->f, "frames-sent"), ==, 10);
  g_assert_cmpuint (fixture_stat (p->f, "answered"), ==, 10);
  g_assert_cmpuint (fixture_stat (p->f, "lost"), ==, 0);
}

/* The answer comes after all, and out of order: it takes its place. */
static const PeerStep turns_two[] = { { PEER_UPGRADE }, { PEER_AWAIT }, { PEER_ANSWER, 0 },
  { PEER_AWAIT }, { PEER_AWAIT }, { PEER_ANSWER, 2 }, { PEER_ANSWER, 1 }, { PEER_SERVE },
  { PEER_END } };

static void
test_answers_of_a_file_that_come_out_of_order_go_out_in_order (void)
{
  const PeerConfig config = { PEER_DOOR_OPEN, turns_two };
  g_autoptr (PeerFixture) p = peer_fixture_new (&config, "max-in-flight=2", FALSE);

  push_and_end (p, 0, 9);
  g_assert_cmpuint (count_warnings (p, ""), ==, 0);
  g_assert_cmpuint (invariants_get_good (p->invariants), ==, 10);
  g_assert_cmpuint (fixture_stat (p->f, "answered"), ==, 10);
}

/* Frame 1 is never answered: after three tries the stream goes on without it. */
static const PeerStep hates_one[] = { { PEER_UPGRADE }, { PEER_AWAIT }, { PEER_ANSWER, 0 },
  { PEER_AWAIT }, { PEER_FRAME, 1, .bytes = "{\"type\":\"alive\"}", .times = 5, .pause = 25000 },
  { PEER_AWAIT }, { PEER_FRAME, 1, .bytes = "{\"type\":\"alive\"}", .times = 5, .pause = 25000 },
  { PEER_AWAIT }, { PEER_SERVE }, { PEER_END } };

static void
test_a_frame_that_is_never_answered_is_given_up_and_told (void)
{
  const PeerConfig config = { PEER_DOOR_OPEN, hates_one };
  g_autoptr (PeerFixture) p =
      peer_fixture_new (&config, "max-in-flight=1 request-timeout=100", FALSE);

  push_and_end (p, 0, 9);
  g_assert_cmpuint (count_warnings (p, "Gave up on 1 frame: there were 3 requests"), ==, 1);
  g_assert_cmpuint (invariants_get_good (p->invariants), ==, 9);
  g_assert_cmpuint (fixture_stat (p->f, "requests-repeated"), ==, 2);
  g_assert_cmpuint (fixture_stat (p->f, "expired"), ==, 1);
}

/* ---- deadly ---- */

#define DIES(...)                                                                                  \
  { PEER_UPGRADE }, __VA_ARGS__, { PEER_RESET },                                                   \
  {                                                                                                \
    PEER_NEXT                                                                                      \
  }

/* Each connection ends when it gets frame 1. */
static const PeerStep dies_of_one[] = { DIES ({ PEER_AWAIT }, { PEER_ANSWER, 0 }, { PEER_AWAIT }),
  DIES ({ PEER_AWAIT }), DIES ({ PEER_AWAIT }), { PEER_UPGRADE }, { PEER_SERVE }, { PEER_END } };

static void
test_a_request_that_its_connections_die_of_is_given_up_and_told (void)
{
  const PeerConfig config = { PEER_DOOR_OPEN, dies_of_one };
  g_autoptr (PeerFixture) p = peer_fixture_new (&config, "max-in-flight=1", FALSE);

  push_and_end (p, 0, 9);
  g_assert_cmpuint (count_warnings (p, "Gave up on 1 frame: the connection ended"), ==, 1);
  g_assert_cmpuint (invariants_get_good (p->invariants), ==, 9);
  g_assert_cmpuint (fixture_stat (p->f, "lost"), ==, 1);
  g_assert_cmpuint (peer_get_connections (p->peer), ==, 4);
}

/* It is the last one: told before the end, after which nobody may listen. */
static void
test_it_is_told_before_the_end (void)
{
  const PeerConfig config = { PEER_DOOR_OPEN, dies_of_one };
  g_autoptr (PeerFixture) p = peer_fixture_new (&config, "max-in-flight=1", FALSE);

  push_and_end (p, 0, 1);
  g_assert_cmpuint (count_warnings (p, "Gave up on 1 frame: the connection ended"), ==, 1);
  g_assert_cmpuint (invariants_get_good (p->invariants), ==, 1);
}

/* Two are out, and it is the second that they die of: the first, which goes alone the third time,
 * is answered. */
static const PeerStep dies_of_the_second[] = { DIES ({ PEER_AWAIT }, { PEER_ANSWER, 0 },
                                                   { PEER_AWAIT }, { PEER_AWAIT }),
  DIES ({ PEER_AWAIT }, { PEER_AWAIT }), DIES ({ PEER_AWAIT }, { PEER_ANSWER, 0 }, { PEER_AWAIT }),
  { PEER_UPGRADE }, { PEER_SERVE }, { PEER_END } };

static void
test_only_the_request_that_they_die_of_is_given_up (void)
{
  const PeerConfig config = { PEER_DOOR_OPEN, dies_of_the_second };
  g_autoptr (PeerFixture) p = peer_fixture_new (&config, "max-in-flight=2", FALSE);

  push_and_end (p, 0, 9);
  g_assert_cmpuint (count_warnings (p, "Gave up on 1 frame: the connection ended"), ==, 1);
  g_assert_cmpuint (invariants_get_good (p->invariants), ==, 9);
  g_assert_cmpuint (peer_get_connections (p->peer), ==, 4);
}

/* Connections that end by themselves, each after an answer: no request was out each time. */
static const PeerStep dies_often[] = { DIES ({ PEER_AWAIT }, { PEER_ANSWER, 0 }, { PEER_AWAIT }),
  DIES ({ PEER_AWAIT }, { PEER_ANSWER, 0 }, { PEER_AWAIT }),
  DIES ({ PEER_AWAIT }, { PEER_ANSWER, 0 }, { PEER_AWAIT }),
  DIES ({ PEER_AWAIT }, { PEER_ANSWER, 0 }, { PEER_AWAIT }), { PEER_UPGRADE }, { PEER_SERVE },
  { PEER_END } };

static void
test_connections_that_end_by_themselves_blame_no_request (void)
{
  const PeerConfig config = { PEER_DOOR_OPEN, dies_often };
  g_autoptr (PeerFixture) p = peer_fixture_new (&config, "max-in-flight=1", FALSE);

  push_and_end (p, 0, 9);
  g_assert_cmpuint (count_warnings (p, "Gave up"), ==, 0);
  g_assert_cmpuint (invariants_get_good (p->invariants), ==, 10);
  g_assert_cmpuint (fixture_stat (p->f, "requests-repeated"), ==, 4);
}

/* A server that closes and says that all is well, as a pool does that has no model yet, may do so
 * as often as it likes. */
static const PeerStep closes_often[] = { { PEER_UPGRADE }, { PEER_AWAIT }, { PEER_CLOSE, 1000 },
  { PEER_NEXT }, { PEER_UPGRADE }, { PEER_AWAIT }, { PEER_CLOSE, 1000 }, { PEER_NEXT },
  { PEER_UPGRADE }, { PEER_AWAIT }, { PEER_CLOSE, 1000 }, { PEER_NEXT }, { PEER_UPGRADE },
  { PEER_AWAIT }, { PEER_CLOSE, 1000 }, { PEER_NEXT }, { PEER_UPGRADE }, { PEER_SERVE },
  { PEER_END } };

static void
test_closes_that_are_no_fault_blame_no_request (void)
{
  const PeerConfig config = { PEER_DOOR_OPEN, closes_often };
  g_autoptr (PeerFixture) p = peer_fixture_new (&config, NULL, FALSE);

  push_and_end (p, 0, 3);
  g_assert_cmpuint (count_warnings (p, ""), ==, 0);
  g_assert_cmpuint (invariants_get_good (p->invariants), ==, 4);
}

/* ---- refused ---- */

/* In place of every answer to a file that is too short for the element to give up over it. */
#define ERROR_ANSWER                                                                               \
  { PEER_AWAIT },                                                                                  \
  {                                                                                                \
    PEER_FRAME, 1, .bytes = "{\"status\":\"error\",\"error\":\"dark\"}"                            \
  }

static const PeerStep refuses_all[] = { { PEER_UPGRADE }, ERROR_ANSWER, ERROR_ANSWER, ERROR_ANSWER,
  { PEER_STALL }, { PEER_END } };

/* Each frame's error is its own: the stream ends as it should, but not without a word. */
static void
test_a_short_file_of_errors_alone_is_told_before_its_end (void)
{
  for (guint frames = 1; frames <= 3; frames += 2) {
    const PeerConfig config = { PEER_DOOR_OPEN, refuses_all };
    g_autoptr (PeerFixture) p = peer_fixture_new (&config, NULL, FALSE);

    push_and_end (p, 0, frames - 1);
    g_assert_cmpuint (count_warnings (p, "dark"), >=, 1);
    g_assert_cmpuint (invariants_get_good (p->invariants), ==, 0);
    g_assert_cmpuint (fixture_stat (p->f, "failed"), ==, frames);
    g_assert_cmpuint (peer_get_connections (p->peer), ==, 1);
  }
}

/* ---- live ---- */

/* The connection breaks with the newest frame under way, and none comes after it. */
static const PeerStep breaks_once[] = { DIES ({ PEER_AWAIT }, { PEER_ANSWER, 0 }, { PEER_AWAIT }),
  { PEER_UPGRADE }, { PEER_SERVE }, { PEER_END } };

static void
test_the_newest_frame_of_a_camera_survives_its_connection (void)
{
  const PeerConfig config = { PEER_DOOR_OPEN, breaks_once };
  g_autoptr (PeerFixture) p = peer_fixture_new (&config, NULL, TRUE);

  fixture_push (p->f, invariants_make_frame (0));
  peer_fixture_wait_for_results (p, 1);
  fixture_push (p->f, invariants_make_frame (1));
  peer_fixture_wait_for_results (p, 2);
  g_assert_cmpuint (invariants_get_newest (p->invariants), ==, 1);
  g_assert_cmpuint (fixture_stat (p->f, "requests-repeated"), ==, 1);
  fixture_push_end (p->f);
  g_assert_cmpuint (count_warnings (p, "Gave up"), ==, 0);
}

int
main (int argc, char **argv)
{
  invariants_init (&argc, &argv);
#define ADD(name) g_test_add_func ("/repeats/" #name, test_##name)
  ADD (a_request_that_was_swallowed_goes_again);
  ADD (answers_of_a_file_that_come_out_of_order_go_out_in_order);
  ADD (a_frame_that_is_never_answered_is_given_up_and_told);
  ADD (a_request_that_its_connections_die_of_is_given_up_and_told);
  ADD (it_is_told_before_the_end);
  ADD (only_the_request_that_they_die_of_is_given_up);
  ADD (connections_that_end_by_themselves_blame_no_request);
  ADD (closes_that_are_no_fault_blame_no_request);
  ADD (a_short_file_of_errors_alone_is_told_before_its_end);
  ADD (the_newest_frame_of_a_camera_survives_its_connection);
  return g_test_run ();
}
