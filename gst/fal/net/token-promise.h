/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A token that somebody else is to give: asked for on the net thread, answered at any time on any
 * thread. Nobody waits for it: who asked may be gone by then. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _FalTokenPromise FalTokenPromise;

/* On the net thread, in whose @context @answered is called, once, unless cancelled before. @token
 * (NULL: there is none) is borrowed. */
typedef void (*FalTokenPromiseAnswered) (gpointer user, const gchar *token);

/* Whoever asks cancels it, unless it was answered, before it lets go of it or of @context.
 * @scope: what the token is for, "owner/alias/realtime". */
FalTokenPromise *fal_token_promise_new (
    const gchar *scope, GMainContext *context, FalTokenPromiseAnswered answered, gpointer user);
FalTokenPromise *fal_token_promise_ref (FalTokenPromise *promise);
void fal_token_promise_unref (FalTokenPromise *promise);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalTokenPromise, fal_token_promise_unref)

const gchar *fal_token_promise_get_scope (const FalTokenPromise *promise);

/* Any thread. @token is copied; only the first answer counts. */
void fal_token_promise_answer (FalTokenPromise *promise, const gchar *token);

/* Any thread. Nobody can be asked, because the process may have no more threads. */
void fal_token_promise_refuse (FalTokenPromise *promise);
/* In @answered: whether that is why there is no token. */
gboolean fal_token_promise_is_refused (const FalTokenPromise *promise);

/* On the net thread: nobody waits for the answer any more. */
void fal_token_promise_cancel (FalTokenPromise *promise);

G_END_DECLS
