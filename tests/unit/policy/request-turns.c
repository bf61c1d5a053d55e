/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Turns on a shared connection; users are letters, messages too. */
#include "fal/policy/request-turns.h"

static gpointer
user_of (gchar letter)
{
  return GINT_TO_POINTER ((gint) letter);
}

static void
push (FalRequestTurns *turns, gchar user)
{
  g_autoptr (GBytes) message = g_bytes_new (&user, 1);

  fal_request_turns_push (turns, user_of (user), message);
}

/* Whose message goes now; ' ': none. */
static gchar
take (FalRequestTurns *turns)
{
  gpointer user = NULL;
  g_autoptr (GBytes) message = fal_request_turns_take (turns, &user);

  if (message == NULL)
    return ' ';
  g_assert_cmpint (*(const gchar *) g_bytes_get_data (message, NULL), ==, GPOINTER_TO_INT (user));
  return GPOINTER_TO_INT (user);
}

/* Whom the order says a reply is for; '-': one that has left, ' ': nobody. */
static gchar
answer (FalRequestTurns *turns)
{
  gboolean known;
  gpointer user = fal_request_turns_answer_oldest (turns, &known);

  return !known ? ' ' : user == NULL ? '-' : GPOINTER_TO_INT (user);
}

static FalRequestTurns *
make (guint users)
{
  FalRequestTurns *turns = fal_request_turns_new ();

  fal_request_turns_set_users (turns, users);
  return turns;
}

static void
test_alone_everything_goes_at_once (void)
{
  g_autoptr (FalRequestTurns) turns = make (1);

  push (turns, 'a');
  push (turns, 'a');
  g_assert_cmpint (take (turns), ==, 'a');
  g_assert_cmpint (take (turns), ==, 'a');
  g_assert_cmpint (take (turns), ==, ' ');
  g_assert_cmpint (answer (turns), ==, 'a');
  g_assert_cmpint (answer (turns), ==, 'a');
  g_assert_cmpint (answer (turns), ==, ' ');
}

static void
test_without_ids_one_is_out_at_a_time (void)
{
  g_autoptr (FalRequestTurns) turns = make (2);

  push (turns, 'a');
  push (turns, 'b');
  push (turns, 'a');
  g_assert_cmpint (take (turns), ==, 'a');
  g_assert_cmpint (take (turns), ==, ' ');
  g_assert_cmpint (answer (turns), ==, 'a');
  g_assert_cmpint (take (turns), ==, 'b');
  g_assert_cmpint (take (turns), ==, ' ');
  g_assert_cmpint (answer (turns), ==, 'b');
  g_assert_cmpint (take (turns), ==, 'a');
}

static void
test_with_ids_nobody_waits (void)
{
  g_autoptr (FalRequestTurns) turns = make (2);

  push (turns, 'a');
  g_assert_cmpint (take (turns), ==, 'a');
  fal_request_turns_answer (turns, user_of ('a'));
  push (turns, 'a');
  push (turns, 'b');
  g_assert_cmpint (take (turns), ==, 'a');
  g_assert_cmpint (take (turns), ==, 'b');
}

static void
test_a_leaver_is_answered_to_nobody (void)
{
  g_autoptr (FalRequestTurns) turns = make (2);

  push (turns, 'a');
  push (turns, 'b');
  push (turns, 'a');
  g_assert_cmpint (take (turns), ==, 'a');
  fal_request_turns_forget (turns, user_of ('a'));
  fal_request_turns_set_users (turns, 1);
  g_assert_cmpint (take (turns), ==, 'b');
  g_assert_cmpint (take (turns), ==, ' ');
  g_assert_cmpint (answer (turns), ==, '-');
  g_assert_cmpint (answer (turns), ==, 'b');
}

static void
test_a_lost_connection_forgets_all (void)
{
  g_autoptr (FalRequestTurns) turns = make (2);

  push (turns, 'a');
  push (turns, 'b');
  g_assert_cmpint (take (turns), ==, 'a');
  fal_request_turns_clear (turns);
  g_assert_cmpint (take (turns), ==, ' ');
  g_assert_cmpint (answer (turns), ==, ' ');
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add_func ("/turns/" name, function)
  ADD ("alone-everything-goes-at-once", test_alone_everything_goes_at_once);
  ADD ("without-ids-one-is-out-at-a-time", test_without_ids_one_is_out_at_a_time);
  ADD ("with-ids-nobody-waits", test_with_ids_nobody_waits);
  ADD ("a-leaver-is-answered-to-nobody", test_a_leaver_is_answered_to_nobody);
  ADD ("a-lost-connection-forgets-all", test_a_lost_connection_forgets_all);
  return g_test_run ();
}
