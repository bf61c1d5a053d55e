/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A question between the net thread and whoever has tokens. The lock makes sure that an answer
 * meets either an asker or nobody. */
#include "token-promise.h"
#include "timer.h"

struct _FalTokenPromise {
  gchar *scope;

  GMutex lock;
  FalTimer *timer;   /* lock; brings the answer. NULL: nobody waits for one any more */
  gboolean answered; /* lock */
  gchar *token;      /* lock; of the answer, set once */
  gboolean refused;  /* the same */

  FalTokenPromiseAnswered tell; /* net thread */
  gpointer user;
};

/* On the net thread. The context is not held longer than somebody waits: who asked may be gone, and
 * its context with it. */
static void
stop_waiting (FalTokenPromise *promise)
{
  FalTimer *timer;

  g_mutex_lock (&promise->lock);
  timer = g_steal_pointer (&promise->timer);
  g_mutex_unlock (&promise->lock);
  g_clear_pointer (&timer, fal_timer_free);
}

static void
on_timer (gpointer data)
{
  g_autoptr (FalTokenPromise) promise = fal_token_promise_ref (data);

  stop_waiting (promise);
  promise->tell (promise->user, promise->token);
}

FalTokenPromise *
fal_token_promise_new (
    const gchar *scope, GMainContext *context, FalTokenPromiseAnswered answered, gpointer user)
{
  FalTokenPromise *promise = g_atomic_rc_box_new0 (FalTokenPromise);

  promise->scope = g_strdup (scope);
  promise->tell = answered;
  promise->user = user;
  g_mutex_init (&promise->lock);
  promise->timer = fal_timer_new (context, on_timer, promise);
  return promise;
}

FalTokenPromise *
fal_token_promise_ref (FalTokenPromise *promise)
{
  return g_atomic_rc_box_acquire (promise);
}

static void
promise_clear (gpointer data)
{
  FalTokenPromise *promise = data;

  g_free (promise->scope);
  g_free (promise->token);
  g_clear_pointer (&promise->timer, fal_timer_free); /* nobody runs its context any more */
  g_mutex_clear (&promise->lock);
}

void
fal_token_promise_unref (FalTokenPromise *promise)
{
  g_atomic_rc_box_release_full (promise, promise_clear);
}

const gchar *
fal_token_promise_get_scope (const FalTokenPromise *promise)
{
  return promise->scope;
}

static void
answer (FalTokenPromise *promise, const gchar *token, gboolean refused)
{
  g_mutex_lock (&promise->lock);
  if (promise->timer && !promise->answered) {
    promise->answered = TRUE;
    promise->token = g_strdup (token);
    promise->refused = refused;
    fal_timer_set (promise->timer, 0);
  }
  g_mutex_unlock (&promise->lock);
}

void
fal_token_promise_answer (FalTokenPromise *promise, const gchar *token)
{
  answer (promise, token, FALSE);
}

void
fal_token_promise_refuse (FalTokenPromise *promise)
{
  answer (promise, NULL, TRUE);
}

gboolean
fal_token_promise_is_refused (const FalTokenPromise *promise)
{
  return promise->refused;
}

void
fal_token_promise_cancel (FalTokenPromise *promise)
{
  stop_waiting (promise);
}
