/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The linker's option --wrap sends each call of g_mutex_lock() here as __wrap_g_mutex_lock(), and
 * __real_g_mutex_lock() to GLib; so it is with the others. */
#include "watch-sync.h"

static gint n_locks, n_signals, time_wins; /* atomic */
static gint64 passed; /* by so much the clock is ahead, µs; the test's thread */
static GAsyncQueue *sleepers;              /* an item for each wait that was begun */

void __real_g_mutex_lock (GMutex *mutex);
void __real_g_cond_signal (GCond *cond);
void __real_g_cond_wait (GCond *cond, GMutex *mutex);
gboolean __real_g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end);
gint64 __real_g_get_monotonic_time (void);
void __wrap_g_mutex_lock (GMutex *mutex);
void __wrap_g_cond_signal (GCond *cond);
void __wrap_g_cond_wait (GCond *cond, GMutex *mutex);
gboolean __wrap_g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end);
gint64 __wrap_g_get_monotonic_time (void);

gint64
__wrap_g_get_monotonic_time (void)
{
  return __real_g_get_monotonic_time () + passed;
}

void
__wrap_g_mutex_lock (GMutex *mutex)
{
  g_atomic_int_inc (&n_locks);
  __real_g_mutex_lock (mutex);
}

void
__wrap_g_cond_signal (GCond *cond)
{
  g_atomic_int_inc (&n_signals);
  __real_g_cond_signal (cond);
}

/* The mutex is held still: who takes it next finds this thread waiting. */
static void
tell_of_sleeper (void)
{
  g_async_queue_push (sleepers, GINT_TO_POINTER (1));
}

void
__wrap_g_cond_wait (GCond *cond, GMutex *mutex)
{
  tell_of_sleeper ();
  __real_g_cond_wait (cond, mutex);
}

gboolean
__wrap_g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end)
{
  tell_of_sleeper ();
  if (!g_atomic_int_get (&time_wins))
    return __real_g_cond_wait_until (cond, mutex, end - passed);
  __real_g_cond_wait (cond, mutex);
  return FALSE;
}

void
watch_sync_reset (void)
{
  if (sleepers == NULL)
    sleepers = g_async_queue_new ();
  while (g_async_queue_try_pop (sleepers))
    continue;
  g_atomic_int_set (&n_locks, 0);
  g_atomic_int_set (&n_signals, 0);
  g_atomic_int_set (&time_wins, FALSE);
}

void
watch_sync_pass_time (gint64 span)
{
  passed += span;
}

guint
watch_sync_count_locks (void)
{
  return g_atomic_int_get (&n_locks);
}

guint
watch_sync_count_signals (void)
{
  return g_atomic_int_get (&n_signals);
}

void
watch_sync_await_sleeper (void)
{
  g_assert_nonnull (g_async_queue_timeout_pop (sleepers, 60 * G_USEC_PER_SEC));
}

void
watch_sync_let_time_win (gboolean wins)
{
  g_atomic_int_set (&time_wins, wins);
}
