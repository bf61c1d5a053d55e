/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A thread that runs a main context, from start to stop. It knows nothing of what it runs.
 *
 * Any thread may call it. A peer may keep the context so busy that it comes to nothing else:
 * whoever waits for the thread then has it freed by hurry(). */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* How long the thread may take for what it is asked before it is hurried, µs. */
#define FAL_NET_THREAD_PATIENCE (80 * G_TIME_SPAN_MILLISECOND)

typedef struct {
  /* On the thread, where its context is the thread's default: the first and the last thing. */
  void (*begin) (gpointer user);
  void (*end) (gpointer user);
  /* On a thread that waits for this one, and waited long: whatever keeps it busy is to be cut
   * off. */
  void (*hurry) (gpointer user);
} FalNetThreadEvents;

typedef struct _FalNetThread FalNetThread;

/* The thread does not run yet, but its context is there. */
FalNetThread *fal_net_thread_new (const FalNetThreadEvents *events, gpointer user);
/* It was stopped, or never started; tasks that did not run are dropped. */
void fal_net_thread_free (FalNetThread *thread);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalNetThread, fal_net_thread_free)

/* Error G_THREAD_ERROR: the process may have no more threads; it was not started. */
gboolean fal_net_thread_start (FalNetThread *thread, GError **error);

/* Lets the thread run what was posted before, and end. What is posted later may never run. */
void fal_net_thread_quit (FalNetThread *thread);
/* Does the same, and returns when the thread has ended. */
void fal_net_thread_stop (FalNetThread *thread);

GMainContext *fal_net_thread_get_context (FalNetThread *thread);

/* Has @function (@data) called on the thread, in the order of the calls; before the thread was
 * started, when it runs. @destroy, if any, follows, also where the thread never came to it. */
void fal_net_thread_post (
    FalNetThread *thread, void (*function) (gpointer data), gpointer data, GDestroyNotify destroy);

/* Waits until *@done, which a task sets by fal_net_thread_finish(). */
void fal_net_thread_wait (FalNetThread *thread, const gboolean *done);
void fal_net_thread_finish (FalNetThread *thread, gboolean *done);

G_END_DECLS
