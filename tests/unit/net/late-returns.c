/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A thread of GLib's comes back when nobody waits any more. */
#include "fal/net/late-returns.h"

typedef struct {
  GMutex lock;
  GCond changed;
  gboolean may_return; /* lock */
} Gate;

static void
gate_open (Gate *gate)
{
  g_mutex_lock (&gate->lock);
  gate->may_return = TRUE;
  g_cond_signal (&gate->changed);
  g_mutex_unlock (&gate->lock);
}

static void
wait_at_gate (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Gate *gate = data;

  g_mutex_lock (&gate->lock);
  while (!gate->may_return)
    g_cond_wait (&gate->changed, &gate->lock);
  g_mutex_unlock (&gate->lock);
  g_task_return_boolean (task, TRUE);
}

/* One that this thread's default context is told of. */
static void
begin_task (Gate *gate, GWeakRef *weak)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, NULL, NULL);

  g_weak_ref_init (weak, task);
  g_task_set_task_data (task, gate, NULL);
  fal_late_returns_add (task);
  g_task_run_in_thread (task, wait_at_gate);
}

static gboolean
is_gone (GWeakRef *weak)
{
  g_autoptr (GObject) task = g_weak_ref_get (weak);

  return task == NULL;
}

static gpointer
open_from_elsewhere (gpointer gate)
{
  gate_open (gate);
  return NULL;
}

static void
test_a_task_is_waited_for (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  Gate gate = { 0 };
  GThread *opener;
  GWeakRef weak;

  g_main_context_push_thread_default (context);
  begin_task (&gate, &weak);
  opener = g_thread_new ("opener", open_from_elsewhere, &gate);
  while (!is_gone (&weak))
    fal_late_returns_wait (); /* once, unless the machine is busy */
  g_thread_join (opener);
  g_main_context_pop_thread_default (context);
  g_weak_ref_clear (&weak);
}

/* It stays, as it would without a wait; but whoever waits goes on. */
static void
test_one_that_does_not_come_is_not_waited_for_for_ever (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  Gate gate = { 0 };
  GWeakRef weak;

  g_main_context_push_thread_default (context);
  begin_task (&gate, &weak);
  fal_late_returns_wait ();
  g_assert_false (is_gone (&weak));
  gate_open (&gate);
  while (!is_gone (&weak))
    fal_late_returns_wait ();
  g_main_context_pop_thread_default (context);
  g_weak_ref_clear (&weak);
}

static void
test_where_nothing_is_under_way_nothing_is_waited_for (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  gint64 before = g_get_monotonic_time (), after;

  g_main_context_push_thread_default (context);
  for (guint i = 0; i < 100; i++)
    fal_late_returns_wait ();
  after = g_get_monotonic_time ();
  g_main_context_pop_thread_default (context);
  g_assert_cmpint (after - before, <, 100 * FAL_LATE_RETURNS_PATIENCE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/late-returns/" #name, test_##name)
  ADD (a_task_is_waited_for);
  ADD (one_that_does_not_come_is_not_waited_for_for_ever);
  ADD (where_nothing_is_under_way_nothing_is_waited_for);
  return g_test_run ();
}
