/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A thread for a model that takes its time, a command: inferences wait there for one another,
 * whichever connection they are of, and the server's thread goes on meanwhile. */
#pragma once

#include "inference.h"

G_BEGIN_DECLS

typedef struct _FalModelThread FalModelThread;

/* As fal_effect_command_new(). */
FalModelThread *fal_model_thread_new (const gchar *command, guint timeout_ms, GError **error);
/* What still waits fails; then the command is ended. */
void fal_model_thread_free (FalModelThread *thread);

/* Takes @inference. @callback comes in the caller's main context, even if it is cancelled; what is
 * cancelled before it began does not run. */
void fal_model_thread_run (FalModelThread *thread, FalInference *inference,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user);
/* The inference, which has run; it lives as long as @result. */
FalInference *fal_model_thread_finish (GAsyncResult *result, GError **error);

G_END_DECLS
