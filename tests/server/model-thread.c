/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The model's thread: a pool of one, so that tasks are its queue. */
#include "model-thread.h"

struct _FalModelThread {
  FalEffectCommand *command; /* the pool's thread uses it, but stops it from any */
  GThreadPool *pool;         /* of tasks */
};

/* The model's thread. */
static void
work (gpointer data, gpointer user)
{
  g_autoptr (GTask) task = data;
  FalModelThread *thread = user;
  GError *error = NULL;

  if (g_task_return_error_if_cancelled (task))
    return;
  if (fal_inference_run (g_task_get_task_data (task), NULL, thread->command, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

FalModelThread *
fal_model_thread_new (const gchar *command, guint timeout_ms, GError **error)
{
  FalEffectCommand *made = fal_effect_command_new (command, timeout_ms, error);
  FalModelThread *thread;

  if (made == NULL)
    return NULL;
  thread = g_new0 (FalModelThread, 1);
  thread->command = made;
  thread->pool = g_thread_pool_new (work, thread, 1, TRUE, NULL);
  return thread;
}

void
fal_model_thread_free (FalModelThread *thread)
{
  fal_effect_command_stop (thread->command);
  g_thread_pool_free (thread->pool, FALSE, TRUE);
  fal_effect_command_free (thread->command);
  g_free (thread);
}

void
fal_model_thread_run (FalModelThread *thread, FalInference *inference, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user)
{
  GTask *task = g_task_new (NULL, cancellable, callback, user);

  g_task_set_task_data (task, inference, (GDestroyNotify) fal_inference_free);
  g_thread_pool_push (thread->pool, task, NULL);
}

FalInference *
fal_model_thread_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error) ? g_task_get_task_data (G_TASK (result))
                                                           : NULL;
}
