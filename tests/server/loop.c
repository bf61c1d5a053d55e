/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The loop: a thread, its main context, and calls into it. Any thread. */
#include "loop.h"

#define DRAIN_ROUNDS 64 /* of the main context, so that libsoup lets go of its connections */

struct _FalLoop {
  GMainContext *context;
  GMainLoop *main_loop;
  GThread *thread;
};

/* A call that is waited for. */
typedef struct {
  FalLoopFunc func;
  gpointer owner, data;
  GMutex mutex;
  GCond cond;
  gboolean done;
} Call;

static gpointer
run (gpointer user)
{
  FalLoop *loop = user;

  g_main_context_push_thread_default (loop->context);
  g_main_loop_run (loop->main_loop);
  for (guint i = 0; i < DRAIN_ROUNDS && g_main_context_iteration (loop->context, FALSE); i++)
    ;
  g_main_context_pop_thread_default (loop->context);
  return NULL;
}

FalLoop *
fal_loop_new (const gchar *name)
{
  FalLoop *loop = g_new0 (FalLoop, 1);

  loop->context = g_main_context_new ();
  loop->main_loop = g_main_loop_new (loop->context, FALSE);
  loop->thread = g_thread_new (name, run, loop);
  return loop;
}

static void
quit (gpointer owner, gpointer data)
{
  FalLoop *loop = owner;

  g_main_loop_quit (loop->main_loop);
}

void
fal_loop_free (FalLoop *loop)
{
  fal_loop_call (loop, quit, loop, NULL);
  g_thread_join (loop->thread);
  g_main_loop_unref (loop->main_loop);
  g_main_context_unref (loop->context);
  g_free (loop);
}

static gboolean
run_call (gpointer user)
{
  Call *call = user;

  call->func (call->owner, call->data);
  g_mutex_lock (&call->mutex);
  call->done = TRUE;
  g_cond_signal (&call->cond);
  g_mutex_unlock (&call->mutex);
  return G_SOURCE_REMOVE;
}

/* Always by a source: before the thread has come to its loop, the context is nobody's, and an
 * invocation would run right here. */
void
fal_loop_call (FalLoop *loop, FalLoopFunc func, gpointer owner, gpointer data)
{
  Call call = { .func = func, .owner = owner, .data = data };
  g_autoptr (GSource) source = g_idle_source_new ();

  g_mutex_init (&call.mutex);
  g_cond_init (&call.cond);
  g_source_set_priority (source, G_PRIORITY_HIGH);
  g_source_set_callback (source, run_call, &call, NULL);
  g_source_attach (source, loop->context);
  g_mutex_lock (&call.mutex);
  while (!call.done)
    g_cond_wait (&call.cond, &call.mutex);
  g_mutex_unlock (&call.mutex);
  g_cond_clear (&call.cond);
  g_mutex_clear (&call.mutex);
}
