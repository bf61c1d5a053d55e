/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fal/net/socket-list.h"
#include "fal/net/timer.h"

#include <sys/socket.h>

/* Two ends of a connection. */
typedef struct {
  GSocket *near, *far;
} Pair;

static Pair
make_pair (void)
{
  gint fds[2];
  Pair pair;

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, fds), ==, 0);
  pair.near = g_socket_new_from_fd (fds[0], NULL);
  pair.far = g_socket_new_from_fd (fds[1], NULL);
  return pair;
}

static void
drop_pair (Pair *pair)
{
  g_object_unref (pair->near);
  g_object_unref (pair->far);
}

/* Whether the other end sees that it is over. */
static gboolean
is_cut (Pair *pair)
{
  return (g_socket_condition_check (pair->far, G_IO_IN | G_IO_HUP) & G_IO_HUP) != 0;
}

static void
test_one_connection_is_cut (void)
{
  FalSocketList *list = fal_socket_list_new ();
  Pair pairs[3];

  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
    pairs[i] = make_pair ();
  fal_socket_list_add (list, &pairs[0], 1, pairs[0].near);
  fal_socket_list_add (list, &pairs[0], 2, pairs[1].near);
  fal_socket_list_add (list, &pairs[1], 1, pairs[2].near);
  fal_socket_list_cut (list, &pairs[0], 1);
  g_assert_true (is_cut (&pairs[0]));
  g_assert_false (is_cut (&pairs[1]));
  g_assert_false (is_cut (&pairs[2]));
  fal_socket_list_cut_all (list);
  g_assert_true (is_cut (&pairs[1]));
  g_assert_true (is_cut (&pairs[2]));
  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
    drop_pair (&pairs[i]);
  fal_socket_list_unref (list);
}

static void
test_no_socket_is_held (void)
{
  FalSocketList *list = fal_socket_list_new ();
  Pair a = make_pair ();
  Pair b = make_pair ();

  fal_socket_list_add (list, NULL, 0, a.near);
  fal_socket_list_add (list, NULL, 0, b.near);
  g_assert_cmpuint (fal_socket_list_count (list), ==, 2);
  drop_pair (&a);
  g_assert_cmpuint (fal_socket_list_count (list), ==, 1);
  fal_socket_list_cut_all (list);
  drop_pair (&b);
  g_assert_cmpuint (fal_socket_list_count (list), ==, 0);
  fal_socket_list_cut_all (list);
  fal_socket_list_unref (list);
}

static void
let_go (gpointer pair)
{
  drop_pair (pair);
}

static void
test_it_waits_until_they_are_gone (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  FalSocketList *list = fal_socket_list_new ();
  Pair pair = make_pair ();
  g_autoptr (FalTimer) timer = fal_timer_new (context, let_go, &pair);

  fal_socket_list_add (list, NULL, 0, pair.near);
  fal_timer_set (timer, g_get_monotonic_time () + G_TIME_SPAN_MILLISECOND);
  fal_socket_list_wait (list, context, G_TIME_SPAN_DAY);
  g_assert_cmpuint (fal_socket_list_count (list), ==, 0);
  fal_socket_list_wait (list, context, G_TIME_SPAN_DAY);
  fal_socket_list_unref (list);
}

static gpointer
let_go_in_a_thread (gpointer pair)
{
  drop_pair (pair);
  return NULL;
}

/* Nothing wakes the context then. */
static void
test_it_sees_what_another_thread_lets_go (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  FalSocketList *list = fal_socket_list_new ();
  Pair pair = make_pair ();
  GThread *thread;

  fal_socket_list_add (list, NULL, 0, pair.near);
  thread = g_thread_new ("lets-go", let_go_in_a_thread, &pair);
  fal_socket_list_wait (list, context, G_TIME_SPAN_DAY);
  g_assert_cmpuint (fal_socket_list_count (list), ==, 0);
  g_thread_join (thread);
  fal_socket_list_unref (list);
}

static void
test_it_does_not_wait_for_ever (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  FalSocketList *list = fal_socket_list_new ();
  Pair pair = make_pair ();
  gint64 began = g_get_monotonic_time ();

  fal_socket_list_add (list, NULL, 0, pair.near);
  fal_socket_list_wait (list, context, 2 * G_TIME_SPAN_MILLISECOND);
  g_assert_cmpint (g_get_monotonic_time (), >=, began + 2 * G_TIME_SPAN_MILLISECOND);
  g_assert_cmpuint (fal_socket_list_count (list), ==, 1);
  drop_pair (&pair);
  fal_socket_list_unref (list);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/socket-list/cut", test_one_connection_is_cut);
  g_test_add_func ("/socket-list/held", test_no_socket_is_held);
  g_test_add_func ("/socket-list/gone", test_it_waits_until_they_are_gone);
  g_test_add_func ("/socket-list/thread", test_it_sees_what_another_thread_lets_go);
  g_test_add_func ("/socket-list/stays", test_it_does_not_wait_for_ever);
  return g_test_run ();
}
