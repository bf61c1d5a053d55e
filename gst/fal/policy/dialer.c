/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The dialer: the story of a connection as a state machine. It decides, the
 * connection acts. Used by the net thread alone. */
#include "dialer.h"

struct _FalDialer {
  FalDialerConfig config;
  FalDialerState state;
  gboolean wanted;
  gboolean opened_once;
  gboolean idle_announced;
  gboolean in_outage;
  gboolean credentials_refused; /* by the last attempt; one fresh token is tried */
  guint attempt;                /* since the last result */
  guint server_errors;          /* since the last result */
  gint64 not_before;
  gint64 deadline; /* of the attempt; G_MAXINT64: none */
};

FalDialer *
fal_dialer_new (void)
{
  FalDialer *dialer = g_new0 (FalDialer, 1);

  dialer->config.retries = -1;
  dialer->not_before = G_MININT64;
  dialer->deadline = G_MAXINT64;
  return dialer;
}

void
fal_dialer_free (FalDialer *dialer)
{
  g_free (dialer);
}

void
fal_dialer_configure (FalDialer *dialer, const FalDialerConfig *config)
{
  dialer->config = *config;
}

void
fal_dialer_forgive (FalDialer *dialer)
{
  dialer->credentials_refused = FALSE;
}

void
fal_dialer_want (FalDialer *dialer)
{
  dialer->wanted = TRUE;
}

static gboolean
is_attempting (const FalDialer *dialer)
{
  return dialer->state == FAL_DIALER_AUTHENTICATING || dialer->state == FAL_DIALER_CONNECTING;
}

static gboolean
is_resting (const FalDialer *dialer)
{
  return dialer->state == FAL_DIALER_IDLE || dialer->state == FAL_DIALER_WAITING;
}

FalDialAction
fal_dialer_next_action (FalDialer *dialer, gint64 now)
{
  if (is_attempting (dialer) && now >= dialer->deadline) {
    dialer->deadline = G_MAXINT64;
    return FAL_DIAL_GIVE_UP_ATTEMPT;
  }
  if (!is_resting (dialer) || !dialer->wanted || now < dialer->not_before)
    return FAL_DIAL_NOTHING;
  dialer->deadline =
      dialer->config.connect_timeout > 0 ? now + dialer->config.connect_timeout : G_MAXINT64;
  dialer->idle_announced = FALSE;
  if (dialer->config.fetches_token) {
    dialer->state = FAL_DIALER_AUTHENTICATING;
    return FAL_DIAL_FETCH_TOKEN;
  }
  dialer->state = FAL_DIALER_CONNECTING;
  return FAL_DIAL_CONNECT;
}

gint64
fal_dialer_next_time (const FalDialer *dialer, gint64 now)
{
  if (is_attempting (dialer))
    return dialer->deadline;
  if (is_resting (dialer) && dialer->wanted)
    return MAX (now, dialer->not_before);
  return G_MAXINT64;
}

void
fal_dialer_token_arrived (FalDialer *dialer)
{
  if (dialer->state == FAL_DIALER_AUTHENTICATING)
    dialer->state = FAL_DIALER_CONNECTING;
}

void
fal_dialer_opened (FalDialer *dialer)
{
  dialer->state = FAL_DIALER_WARMING_UP;
  dialer->opened_once = TRUE;
  dialer->wanted = FALSE;
  dialer->deadline = G_MAXINT64;
}

void
fal_dialer_result_arrived (FalDialer *dialer)
{
  dialer->state = FAL_DIALER_CONNECTED;
  dialer->in_outage = FALSE;
  dialer->credentials_refused = FALSE;
  dialer->attempt = 0;
  dialer->server_errors = 0;
  dialer->idle_announced = FALSE;
}

void
fal_dialer_idle_announced (FalDialer *dialer)
{
  dialer->idle_announced = TRUE;
}

/* Grows by a quarter at each attempt: a server that was away for three seconds is found within one
 * of its return, and the longest delay is reached after forty. */
static gint64
backoff (const FalDialer *dialer, gdouble random)
{
  gdouble delay = dialer->config.retry_delay;

  for (guint i = 1; i < dialer->attempt && delay < dialer->config.max_retry_delay; i++)
    delay *= 1.25;
  return MIN (delay, dialer->config.max_retry_delay) * (1 - 0.2 * random);
}

/* Whether one more attempt would be too many. */
static gboolean
is_spent (const FalDialer *dialer)
{
  if (dialer->config.retries >= 0)
    return dialer->attempt >= (guint) dialer->config.retries;
  return !dialer->opened_once && dialer->attempt >= FAL_DIALER_FIRST_RETRIES;
}

static gboolean
is_final (FalDialer *dialer, const FalFault *fault, FalFaultClass class)
{
  switch (class) {
  case FAL_FAULT_CLASS_QUIET:
    return FALSE;
  case FAL_FAULT_CLASS_CREDENTIALS:
    if (dialer->credentials_refused || !dialer->config.fetches_token)
      return TRUE;
    dialer->credentials_refused = TRUE;
    return FALSE;
  case FAL_FAULT_CLASS_SERVER:
    return ++dialer->server_errors >= FAL_DIALER_MAX_SERVER_ERRORS || is_spent (dialer);
  case FAL_FAULT_CLASS_TRANSIENT:
    if (fault->kind == FAL_FAULT_UNKNOWN_HOST && !dialer->opened_once)
      return TRUE;
    return is_spent (dialer);
  case FAL_FAULT_CLASS_PERMANENT:
    break;
  }
  return TRUE;
}

FalVerdict
fal_dialer_fault (FalDialer *dialer, const FalFault *fault, gint64 now, gdouble random)
{
  FalFaultClass class = fal_fault_get_class (fault);
  gboolean at_once = dialer->state == FAL_DIALER_CONNECTED || fault->kind == FAL_FAULT_ASKED;
  gboolean first = !dialer->in_outage, waits;

  if (dialer->idle_announced && fault->kind == FAL_FAULT_CLOSED)
    class = FAL_FAULT_CLASS_QUIET;
  dialer->deadline = G_MAXINT64;
  if (fault->kind == FAL_FAULT_ASKED)
    dialer->wanted = FALSE;
  if (is_final (dialer, fault, class)) {
    dialer->state = FAL_DIALER_FAILED;
    return FAL_VERDICT_FAIL;
  }
  /* A connection that closes quietly but never brought a result is not dialled in a hurry. */
  if (class != FAL_FAULT_CLASS_QUIET || !at_once)
    dialer->attempt++;
  /* Whoever ended it on purpose knows when it is needed again, in an outage too. */
  waits = dialer->attempt > 0 && fault->kind != FAL_FAULT_ASKED;
  dialer->not_before = now + (waits ? MAX (backoff (dialer, random), fault->retry_after) : 0);
  dialer->state =
      dialer->wanted || class != FAL_FAULT_CLASS_QUIET ? FAL_DIALER_WAITING : FAL_DIALER_IDLE;
  if (class == FAL_FAULT_CLASS_QUIET)
    return FAL_VERDICT_QUIET;
  dialer->in_outage = TRUE;
  return first ? FAL_VERDICT_WARN : FAL_VERDICT_AGAIN;
}

FalDialerState
fal_dialer_get_state (const FalDialer *dialer)
{
  return dialer->state;
}

guint
fal_dialer_get_attempt (const FalDialer *dialer)
{
  return dialer->attempt;
}
