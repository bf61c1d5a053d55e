/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The net thread: tasks wait in one queue, and one timer wakes the context for them. */
#include "net-thread.h"
#include "timer.h"

typedef struct {
  void (*function) (gpointer data);
  gpointer data;
  GDestroyNotify destroy;
} Task;

struct _FalNetThread {
  FalNetThreadEvents events;
  gpointer user;
  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;
  FalTimer *wake; /* there are tasks, or the loop is to end */

  GMutex lock;
  /* Everything below: lock. */
  GCond changed;
  GQueue tasks; /* Task */
  gboolean quits;
  gboolean ended;
};

static void
task_free (gpointer data)
{
  Task *task = data;

  if (task->destroy)
    task->destroy (task->data);
  g_free (task);
}

/* The next task; NULL: there is none, and *@quits says whether the loop is to end. */
static Task *
pop_task (FalNetThread *thread, gboolean *quits)
{
  Task *task;

  g_mutex_lock (&thread->lock);
  task = g_queue_pop_head (&thread->tasks);
  *quits = thread->quits;
  g_mutex_unlock (&thread->lock);
  return task;
}

static void
on_wake (gpointer data)
{
  FalNetThread *thread = data;
  gboolean quits;
  Task *task;

  while ((task = pop_task (thread, &quits)) != NULL) {
    task->function (task->data);
    task_free (task);
  }
  if (quits)
    g_main_loop_quit (thread->loop);
}

FalNetThread *
fal_net_thread_new (const FalNetThreadEvents *events, gpointer user)
{
  FalNetThread *thread = g_new0 (FalNetThread, 1);

  thread->events = *events;
  thread->user = user;
  thread->context = g_main_context_new ();
  thread->loop = g_main_loop_new (thread->context, FALSE);
  thread->wake = fal_timer_new (thread->context, on_wake, thread);
  g_mutex_init (&thread->lock);
  g_cond_init (&thread->changed);
  return thread;
}

void
fal_net_thread_free (FalNetThread *thread)
{
  g_queue_clear_full (&thread->tasks, task_free);
  fal_timer_free (thread->wake);
  g_main_loop_unref (thread->loop);
  g_main_context_unref (thread->context);
  g_mutex_clear (&thread->lock);
  g_cond_clear (&thread->changed);
  g_free (thread);
}

static gpointer
thread_main (gpointer data)
{
  FalNetThread *thread = data;

  g_main_context_push_thread_default (thread->context);
  thread->events.begin (thread->user);
  g_main_loop_run (thread->loop);
  thread->events.end (thread->user);
  g_main_context_pop_thread_default (thread->context);
  fal_net_thread_finish (thread, &thread->ended);
  return NULL;
}

gboolean
fal_net_thread_start (FalNetThread *thread, GError **error)
{
  thread->thread = g_thread_try_new ("fal-net", thread_main, thread, error);
  return thread->thread != NULL;
}

void
fal_net_thread_quit (FalNetThread *thread)
{
  g_mutex_lock (&thread->lock);
  thread->quits = TRUE;
  g_mutex_unlock (&thread->lock);
  fal_timer_set (thread->wake, 0);
}

void
fal_net_thread_stop (FalNetThread *thread)
{
  fal_net_thread_quit (thread);
  fal_net_thread_wait (thread, &thread->ended);
  g_thread_join (thread->thread);
}

GMainContext *
fal_net_thread_get_context (FalNetThread *thread)
{
  return thread->context;
}

void
fal_net_thread_post (
    FalNetThread *thread, void (*function) (gpointer data), gpointer data, GDestroyNotify destroy)
{
  Task *task = g_new (Task, 1);

  *task = (Task){ function, data, destroy };
  g_mutex_lock (&thread->lock);
  g_queue_push_tail (&thread->tasks, task);
  g_mutex_unlock (&thread->lock);
  fal_timer_set (thread->wake, 0);
}

void
fal_net_thread_wait (FalNetThread *thread, const gboolean *done)
{
  gint64 patience = g_get_monotonic_time () + FAL_NET_THREAD_PATIENCE;
  gboolean late;

  g_mutex_lock (&thread->lock);
  while (!*done && g_cond_wait_until (&thread->changed, &thread->lock, patience))
    ;
  late = !*done;
  g_mutex_unlock (&thread->lock);
  if (!late)
    return;
  thread->events.hurry (thread->user);
  g_mutex_lock (&thread->lock);
  while (!*done)
    g_cond_wait (&thread->changed, &thread->lock);
  g_mutex_unlock (&thread->lock);
}

void
fal_net_thread_finish (FalNetThread *thread, gboolean *done)
{
  g_mutex_lock (&thread->lock);
  *done = TRUE;
  g_cond_broadcast (&thread->changed);
  g_mutex_unlock (&thread->lock);
}
