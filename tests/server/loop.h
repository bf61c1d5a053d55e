/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A thread with a main context of its own, for the servers of the tests: what belongs to one is
 * made, used and let go of inside its loop. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _FalLoop FalLoop;
typedef void (*FalLoopFunc) (gpointer owner, gpointer data);

/* Runs at once. @name: the thread's. */
FalLoop *fal_loop_new (const gchar *name);
/* Ends the thread and waits for it; what is still due in its context is done first. */
void fal_loop_free (FalLoop *loop);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalLoop, fal_loop_free)

/* Calls @func in the loop's thread, with its context as the default one, and waits until it has
 * returned. From any other thread. */
void fal_loop_call (FalLoop *loop, FalLoopFunc func, gpointer owner, gpointer data);

G_END_DECLS
