/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The net thread: runs what it is asked in order, and is freed where something keeps it busy. */
#include "fal/net/net-thread.h"

typedef struct {
  FalNetThread *thread;
  GString *story; /* what ran, a letter each; written on the net thread, read when it has ended */
  GThread *runs_on;
  GMainContext *default_context;
  gint hurried; /* atomic */
} Run;

static void
note (Run *run, gchar letter)
{
  g_assert_true (g_thread_self () == run->runs_on);
  g_string_append_c (run->story, letter);
}

static void
on_begin (gpointer user)
{
  Run *run = user;

  run->runs_on = g_thread_self ();
  run->default_context = g_main_context_get_thread_default ();
  note (run, '<');
}

static void
on_end (gpointer user)
{
  note (user, '>');
}

static void
on_hurry (gpointer user)
{
  Run *run = user;

  g_assert_true (g_thread_self () != run->runs_on);
  g_atomic_int_inc (&run->hurried);
}

static void
run_init (Run *run)
{
  static const FalNetThreadEvents events = {
    .begin = on_begin,
    .end = on_end,
    .hurry = on_hurry,
  };

  *run = (Run){ .story = g_string_new (NULL) };
  run->thread = fal_net_thread_new (&events, run);
}

static void
run_clear (Run *run)
{
  fal_net_thread_free (run->thread);
  g_string_free (run->story, TRUE);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Run, run_clear)

/* A task that writes its letter. */
typedef struct {
  Run *run;
  gchar letter;
  gboolean done;
} Letter;

static void
write_letter (gpointer data)
{
  Letter *letter = data;

  note (letter->run, letter->letter);
  fal_net_thread_finish (letter->run->thread, &letter->done);
}

static void
test_it_begins_and_ends_on_its_own_thread (void)
{
  g_auto (Run) run = { 0 };

  run_init (&run);
  g_assert_true (fal_net_thread_start (run.thread, NULL));
  fal_net_thread_stop (run.thread);
  g_assert_cmpstr (run.story->str, ==, "<>");
  g_assert_true (run.runs_on != g_thread_self ());
  g_assert_true (run.default_context == fal_net_thread_get_context (run.thread));
  g_assert_cmpint (run.hurried, ==, 0);
}

static void
test_tasks_run_in_order_also_those_from_before_the_start (void)
{
  g_auto (Run) run = { 0 };
  Letter letters[] = { { &run, 'a' }, { &run, 'b' }, { &run, 'c' } };

  run_init (&run);
  fal_net_thread_post (run.thread, write_letter, &letters[0], NULL);
  g_assert_true (fal_net_thread_start (run.thread, NULL));
  fal_net_thread_post (run.thread, write_letter, &letters[1], NULL);
  fal_net_thread_post (run.thread, write_letter, &letters[2], NULL);
  fal_net_thread_wait (run.thread, &letters[2].done);
  fal_net_thread_stop (run.thread);
  g_assert_cmpstr (run.story->str, ==, "<abc>");
}

static void
test_what_was_posted_runs_before_the_end (void)
{
  g_auto (Run) run = { 0 };
  Letter letter = { &run, 'a' };

  run_init (&run);
  g_assert_true (fal_net_thread_start (run.thread, NULL));
  fal_net_thread_post (run.thread, write_letter, &letter, NULL);
  fal_net_thread_stop (run.thread);
  g_assert_cmpstr (run.story->str, ==, "<a>");
}

static void
count (gpointer data)
{
  g_atomic_int_inc ((gint *) data);
}

static void
do_nothing (gpointer data)
{
}

static void
test_what_a_task_holds_is_let_go (void)
{
  gint destroyed = 0;
  g_auto (Run) run = { 0 };

  run_init (&run);
  g_assert_true (fal_net_thread_start (run.thread, NULL));
  fal_net_thread_post (run.thread, do_nothing, &destroyed, count);
  fal_net_thread_stop (run.thread);
  g_assert_cmpint (destroyed, ==, 1);
  fal_net_thread_post (run.thread, write_letter, &destroyed, count);
  fal_net_thread_free (run.thread);
  g_assert_cmpint (destroyed, ==, 2);
  run.thread = fal_net_thread_new (&(FalNetThreadEvents){ 0 }, NULL);
}

/* Keeps the thread busy until somebody hurries it. */
static void
wait_for_hurry (gpointer data)
{
  Run *run = data;

  while (g_atomic_int_get (&run->hurried) == 0)
    g_thread_yield ();
}

static void
test_a_busy_thread_is_hurried_once (void)
{
  g_auto (Run) run = { 0 };
  Letter letter = { &run, 'a' };
  gint64 start;

  run_init (&run);
  g_assert_true (fal_net_thread_start (run.thread, NULL));
  fal_net_thread_post (run.thread, wait_for_hurry, &run, NULL);
  fal_net_thread_post (run.thread, write_letter, &letter, NULL);
  start = g_get_monotonic_time ();
  fal_net_thread_wait (run.thread, &letter.done);
  g_assert_cmpint (g_get_monotonic_time () - start, >=, FAL_NET_THREAD_PATIENCE);
  g_assert_cmpint (g_atomic_int_get (&run.hurried), ==, 1);
  fal_net_thread_stop (run.thread);
  g_assert_cmpstr (run.story->str, ==, "<a>");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/net-thread/" #name, test_##name)
  ADD (it_begins_and_ends_on_its_own_thread);
  ADD (tasks_run_in_order_also_those_from_before_the_start);
  ADD (what_was_posted_runs_before_the_end);
  ADD (what_a_task_holds_is_let_go);
  ADD (a_busy_thread_is_hurried_once);
  return g_test_run ();
}
