/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The server's state: counters, the requests of late and the ways to misbehave. The server's thread
 * and the tests' write and read it, each for a moment under the one mutex. Any thread. */
#include "server-state.h"

struct _FalServerState {
  GMutex mutex; /* protects all that follows */
  GCond arrived;
  guint counts[FAL_N_COUNTS];
  gint64 billed;       /* µs of connections, up to @billed_until */
  gint64 billed_until; /* monotonic µs */
  guint max_requests;
  GQueue requests; /* FalReceivedRequest, oldest first */
  gchar *target;

  guint delay_ms;
  guint session_timeout_ms;
  const FalEffect *effect;
  GBytes *answer;
  gboolean answer_is_text;
  gboolean mute;
  guint refusal;
};

FalServerState *
fal_server_state_new (guint max_requests)
{
  FalServerState *state = g_new0 (FalServerState, 1);

  g_mutex_init (&state->mutex);
  g_cond_init (&state->arrived);
  g_queue_init (&state->requests);
  state->max_requests = max_requests;
  return state;
}

void
fal_server_state_free (FalServerState *state)
{
  g_queue_clear_full (&state->requests, (GDestroyNotify) fal_received_request_free);
  g_clear_pointer (&state->answer, g_bytes_unref);
  g_free (state->target);
  g_cond_clear (&state->arrived);
  g_mutex_clear (&state->mutex);
  g_free (state);
}

/* Mutex held: bills each connection that is open for the time up to now. */
static void
bill (FalServerState *state)
{
  gint64 now = g_get_monotonic_time ();

  state->billed += state->counts[FAL_COUNT_OPEN] * (now - state->billed_until);
  state->billed_until = now;
}

gint64
fal_server_state_get_billed_time (FalServerState *state)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&state->mutex);

  bill (state);
  return state->billed;
}

void
fal_server_state_add (FalServerState *state, FalCount count, gint amount)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&state->mutex);

  bill (state);
  state->counts[count] += amount;
}

guint
fal_server_state_get (FalServerState *state, FalCount count)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&state->mutex);

  return state->counts[count];
}

void
fal_server_state_push (
    FalServerState *state, const GstStructure *request, GBytes *message, guint connection)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&state->mutex);

  state->counts[FAL_COUNT_REQUESTS]++;
  if (state->max_requests == 0)
    return;
  g_queue_push_tail (&state->requests, fal_received_request_new (request, message, connection));
  if (g_queue_get_length (&state->requests) > state->max_requests)
    fal_received_request_free (g_queue_pop_head (&state->requests));
  g_cond_broadcast (&state->arrived);
}

FalReceivedRequest *
fal_server_state_pop (FalServerState *state, guint timeout_ms)
{
  gint64 end = g_get_monotonic_time () + timeout_ms * G_TIME_SPAN_MILLISECOND;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&state->mutex);

  while (g_queue_is_empty (&state->requests))
    if (!g_cond_wait_until (&state->arrived, &state->mutex, end))
      return NULL;
  return g_queue_pop_head (&state->requests);
}

void
fal_server_state_set_target (FalServerState *state, const gchar *target)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&state->mutex);

  g_free (state->target);
  state->target = g_strdup (target);
}

gchar *
fal_server_state_dup_target (FalServerState *state)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&state->mutex);

  return g_strdup (state->target);
}

void
fal_server_state_set_delay (FalServerState *state, guint delay_ms)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&state->mutex);

  state->delay_ms = delay_ms;
}

guint
fal_server_state_get_delay (FalServerState *state)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&state->mutex);

  return state->delay_ms;
}

void
fal_server_state_set_session_timeout (FalServerState *state, guint timeout_ms)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&state->mutex);

  state->session_timeout_ms = timeout_ms;
}

guint
fal_server_state_get_session_timeout (FalServerState *state)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&state->mutex);

  return state->session_timeout_ms;
}

void
fal_server_state_set_effect (FalServerState *state, const FalEffect *effect)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&state->mutex);

  state->effect = effect;
}

const FalEffect *
fal_server_state_get_effect (FalServerState *state)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&state->mutex);

  return state->effect;
}

void
fal_server_state_set_answer (FalServerState *state, GBytes *message, gboolean text)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&state->mutex);

  g_clear_pointer (&state->answer, g_bytes_unref);
  state->answer = message ? g_bytes_ref (message) : NULL;
  state->answer_is_text = text;
}

GBytes *
fal_server_state_get_answer (FalServerState *state, gboolean *text)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&state->mutex);

  *text = state->answer_is_text;
  return state->answer ? g_bytes_ref (state->answer) : NULL;
}

void
fal_server_state_set_mute (FalServerState *state, gboolean mute)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&state->mutex);

  state->mute = mute;
}

gboolean
fal_server_state_get_mute (FalServerState *state)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&state->mutex);

  return state->mute;
}

void
fal_server_state_set_refusal (FalServerState *state, guint status)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&state->mutex);

  state->refusal = status;
}

guint
fal_server_state_get_refusal (FalServerState *state)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&state->mutex);

  return state->refusal;
}
