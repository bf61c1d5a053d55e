/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ledger: counters, the log of requests and the ways to misbehave, written by the server's
 * thread and by tests, each for a moment under the one mutex. Any thread. */
#include "ledger.h"

struct _FalLedger {
  GMutex mutex; /* protects all that follows */
  GCond arrived;
  guint counts[FAL_N_COUNTS];
  guint max_requests;
  GQueue requests; /* FalReceived, oldest first */
  gchar *target;

  guint delay_ms;
  const FalEffect *effect;
  GBytes *answer;
  gboolean answer_is_text;
  gboolean mute;
  guint refusal;
};

FalLedger *
fal_ledger_new (guint max_requests)
{
  FalLedger *ledger = g_new0 (FalLedger, 1);

  g_mutex_init (&ledger->mutex);
  g_cond_init (&ledger->arrived);
  g_queue_init (&ledger->requests);
  ledger->max_requests = max_requests;
  return ledger;
}

void
fal_ledger_free (FalLedger *ledger)
{
  g_queue_clear_full (&ledger->requests, (GDestroyNotify) fal_received_free);
  g_clear_pointer (&ledger->answer, g_bytes_unref);
  g_free (ledger->target);
  g_cond_clear (&ledger->arrived);
  g_mutex_clear (&ledger->mutex);
  g_free (ledger);
}

void
fal_ledger_add (FalLedger *ledger, FalCount count, gint amount)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&ledger->mutex);

  ledger->counts[count] += amount;
}

guint
fal_ledger_get (FalLedger *ledger, FalCount count)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&ledger->mutex);

  return ledger->counts[count];
}

void
fal_ledger_push (FalLedger *ledger, const GstStructure *request, GBytes *message, guint connection)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&ledger->mutex);

  ledger->counts[FAL_COUNT_REQUESTS]++;
  if (ledger->max_requests == 0)
    return;
  g_queue_push_tail (&ledger->requests, fal_received_new (request, message, connection));
  if (g_queue_get_length (&ledger->requests) > ledger->max_requests)
    fal_received_free (g_queue_pop_head (&ledger->requests));
  g_cond_broadcast (&ledger->arrived);
}

FalReceived *
fal_ledger_pop (FalLedger *ledger, guint timeout_ms)
{
  gint64 end = g_get_monotonic_time () + timeout_ms * G_TIME_SPAN_MILLISECOND;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&ledger->mutex);

  while (g_queue_is_empty (&ledger->requests))
    if (!g_cond_wait_until (&ledger->arrived, &ledger->mutex, end))
      return NULL;
  return g_queue_pop_head (&ledger->requests);
}

void
fal_ledger_set_target (FalLedger *ledger, const gchar *target)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&ledger->mutex);

  g_free (ledger->target);
  ledger->target = g_strdup (target);
}

gchar *
fal_ledger_dup_target (FalLedger *ledger)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&ledger->mutex);

  return g_strdup (ledger->target);
}

void
fal_ledger_set_delay (FalLedger *ledger, guint delay_ms)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&ledger->mutex);

  ledger->delay_ms = delay_ms;
}

guint
fal_ledger_get_delay (FalLedger *ledger)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&ledger->mutex);

  return ledger->delay_ms;
}

void
fal_ledger_set_effect (FalLedger *ledger, const FalEffect *effect)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&ledger->mutex);

  ledger->effect = effect;
}

const FalEffect *
fal_ledger_get_effect (FalLedger *ledger)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&ledger->mutex);

  return ledger->effect;
}

void
fal_ledger_set_answer (FalLedger *ledger, GBytes *message, gboolean text)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&ledger->mutex);

  g_clear_pointer (&ledger->answer, g_bytes_unref);
  ledger->answer = message ? g_bytes_ref (message) : NULL;
  ledger->answer_is_text = text;
}

GBytes *
fal_ledger_get_answer (FalLedger *ledger, gboolean *text)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&ledger->mutex);

  *text = ledger->answer_is_text;
  return ledger->answer ? g_bytes_ref (ledger->answer) : NULL;
}

void
fal_ledger_set_mute (FalLedger *ledger, gboolean mute)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&ledger->mutex);

  ledger->mute = mute;
}

gboolean
fal_ledger_get_mute (FalLedger *ledger)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&ledger->mutex);

  return ledger->mute;
}

void
fal_ledger_set_refusal (FalLedger *ledger, guint status)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&ledger->mutex);

  ledger->refusal = status;
}

guint
fal_ledger_get_refusal (FalLedger *ledger)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&ledger->mutex);

  return ledger->refusal;
}
