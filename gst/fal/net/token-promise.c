/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The provision: a question between the net thread and whoever has tokens. The lock makes sure that
 * an answer meets either an asker or nobody. */
#include "token-promise.h"

struct _FalTokenPromise {
  gchar *scope;

  GMutex lock;
  /* Lock; NULL: it was answered, or nobody waits any more. Not held longer: who asked may be gone,
   * and its context with it. */
  GMainContext *context;
  gchar *token; /* of the answer, set once */

  FalTokenPromiseAnswered answered; /* net thread; NULL: nobody waits any more */
  gpointer user;
};

FalTokenPromise *
fal_token_promise_new (
    const gchar *scope, GMainContext *context, FalTokenPromiseAnswered answered, gpointer user)
{
  FalTokenPromise *provision = g_atomic_rc_box_new0 (FalTokenPromise);

  provision->scope = g_strdup (scope);
  provision->context = g_main_context_ref (context);
  provision->answered = answered;
  provision->user = user;
  g_mutex_init (&provision->lock);
  return provision;
}

FalTokenPromise *
fal_token_promise_ref (FalTokenPromise *provision)
{
  return g_atomic_rc_box_acquire (provision);
}

static void
provision_clear (gpointer data)
{
  FalTokenPromise *provision = data;

  g_free (provision->scope);
  g_free (provision->token);
  g_clear_pointer (&provision->context, g_main_context_unref);
  g_mutex_clear (&provision->lock);
}

void
fal_token_promise_unref (FalTokenPromise *provision)
{
  g_atomic_rc_box_release_full (provision, provision_clear);
}

const gchar *
fal_token_promise_get_scope (const FalTokenPromise *provision)
{
  return provision->scope;
}

static gboolean
hand_over (gpointer data)
{
  FalTokenPromise *provision = data;
  FalTokenPromiseAnswered answered = provision->answered;

  provision->answered = NULL;
  if (answered)
    answered (provision->user, provision->token);
  return G_SOURCE_REMOVE;
}

void
fal_token_promise_answer (FalTokenPromise *provision, const gchar *token)
{
  GSource *source;

  g_mutex_lock (&provision->lock);
  if (provision->context != NULL) {
    provision->token = g_strdup (token);
    source = g_idle_source_new ();
    g_source_set_priority (source, G_PRIORITY_DEFAULT);
    g_source_set_callback (source, hand_over, fal_token_promise_ref (provision),
        (GDestroyNotify) fal_token_promise_unref);
    g_source_attach (source, provision->context);
    g_source_unref (source); /* before the context, which GLib's unref of a source still looks at */
    g_clear_pointer (&provision->context, g_main_context_unref);
  }
  g_mutex_unlock (&provision->lock);
}

void
fal_token_promise_cancel (FalTokenPromise *provision)
{
  g_mutex_lock (&provision->lock);
  g_clear_pointer (&provision->context, g_main_context_unref);
  g_mutex_unlock (&provision->lock);
  provision->answered = NULL;
}
