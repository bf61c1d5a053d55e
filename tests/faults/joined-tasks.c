/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A GstTaskPool that makes a thread for each task, and takes the place of the one that tasks are
 * born with. */
#include "joined-tasks.h"

typedef struct {
  GstTaskPool parent;
} JoinedTasks;

typedef struct {
  GstTaskPoolClass parent_class;
} JoinedTasksClass;

GType joined_tasks_get_type (void);
G_DEFINE_TYPE (JoinedTasks, joined_tasks, GST_TYPE_TASK_POOL)

typedef struct {
  GstTaskPoolFunction func;
  gpointer data;
} Work;

static gpointer
run (gpointer data)
{
  Work work = *(Work *) data;

  g_free (data);
  work.func (work.data);
  return NULL;
}

static void
prepare (GstTaskPool *pool, GError **error)
{
}

static void
cleanup (GstTaskPool *pool)
{
}

static gpointer
push (GstTaskPool *pool, GstTaskPoolFunction func, gpointer data, GError **error)
{
  Work *work = g_new (Work, 1);
  GThread *thread;

  *work = (Work) { func, data };
  thread = g_thread_try_new ("task", run, work, error);
  if (thread == NULL)
    g_free (work);
  return thread;
}

static void
join (GstTaskPool *pool, gpointer id)
{
  g_thread_join (id);
}

static void
dispose_handle (GstTaskPool *pool, gpointer id)
{
  g_thread_unref (id);
}

static void
joined_tasks_class_init (JoinedTasksClass *klass)
{
  GstTaskPoolClass *pool_class = GST_TASK_POOL_CLASS (klass);

  pool_class->prepare = prepare;
  pool_class->cleanup = cleanup;
  pool_class->push = push;
  pool_class->join = join;
  pool_class->dispose_handle = dispose_handle;
}

static void
joined_tasks_init (JoinedTasks *pool)
{
}

void
joined_tasks_install (void)
{
  GstTaskClass *klass = g_type_class_ref (GST_TYPE_TASK);

  klass->pool = gst_object_ref_sink (g_object_new (joined_tasks_get_type (), NULL));
}
