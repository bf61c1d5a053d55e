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
  guint timeouts;               /* in a row, before a connection stood */
  guint error_answers;          /* since the last result */
  gint64 first_error_answer;    /* when the first of them came */
  gboolean answered_once;       /* with a result */
  FalDialerEnd end;
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
  dialer->error_answers = 0;
  dialer->answered_once = TRUE;
  dialer->idle_announced = FALSE;
}

gboolean
fal_dialer_error_arrived (FalDialer *dialer, gint64 now)
{
  if (dialer->error_answers++ == 0)
    dialer->first_error_answer = now;
  return dialer->error_answers >= FAL_DIALER_MAX_ERROR_ANSWERS &&
         (!dialer->answered_once ||
             now - dialer->first_error_answer >= FAL_DIALER_ERROR_ANSWERS_FOR);
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

FalFaultClass
fal_dialer_classify (const FalDialer *dialer, const FalFault *fault)
{
  if (dialer->idle_announced && fault->kind == FAL_FAULT_CLOSED)
    return FAL_FAULT_CLASS_QUIET;
  if (dialer->opened_once && fal_fault_may_pass (fault))
    return FAL_FAULT_CLASS_TRANSIENT;
  return fal_fault_get_class (fault);
}

static gboolean
end (FalDialer *dialer, FalDialerEnd reason)
{
  dialer->end = reason;
  return TRUE;
}

/* Whether one more attempt would be too many. */
static gboolean
is_spent (FalDialer *dialer)
{
  if (dialer->config.retries >= 0 && dialer->attempt >= (guint) dialer->config.retries)
    return end (dialer, FAL_DIALER_END_RETRIES);
  if (dialer->timeouts >= FAL_DIALER_MAX_TIMEOUTS)
    return end (dialer, FAL_DIALER_END_TIMEOUTS);
  return dialer->config.retries < 0 && !dialer->opened_once &&
         dialer->attempt >= FAL_DIALER_FIRST_RETRIES && end (dialer, FAL_DIALER_END_NEVER_STOOD);
}

static gboolean
has_too_many_errors (FalDialer *dialer)
{
  return ++dialer->server_errors >= FAL_DIALER_MAX_SERVER_ERRORS &&
         end (dialer, FAL_DIALER_END_ERRORS);
}

/* A model that loads is waited for, as long as it takes. */
static gboolean
is_final (FalDialer *dialer, const FalFault *fault, FalFaultClass class)
{
  dialer->end = FAL_DIALER_END_FAULT;
  switch (class) {
  case FAL_FAULT_CLASS_QUIET:
    return FALSE;
  case FAL_FAULT_CLASS_CREDENTIALS:
    if (dialer->credentials_refused || !dialer->config.fetches_token)
      return TRUE;
    dialer->credentials_refused = TRUE;
    return FALSE;
  case FAL_FAULT_CLASS_SERVER:
    return has_too_many_errors (dialer) || is_spent (dialer);
  case FAL_FAULT_CLASS_TRANSIENT:
    if (fault->kind == FAL_FAULT_UNKNOWN_HOST && !dialer->opened_once)
      return TRUE;
    return fault->kind != FAL_FAULT_LOADING && is_spent (dialer);
  case FAL_FAULT_CLASS_PERMANENT:
    break;
  }
  return TRUE;
}

static void
count_timeout (FalDialer *dialer, const FalFault *fault)
{
  gboolean counts = fault->kind == FAL_FAULT_TIMED_OUT && !dialer->opened_once;

  dialer->timeouts = counts ? dialer->timeouts + 1 : 0;
}

/* A connection that closes quietly but never brought a result is not dialled in a hurry. */
static gboolean
counts_as_attempt (const FalDialer *dialer, const FalFault *fault, FalFaultClass class)
{
  gboolean at_once = dialer->state == FAL_DIALER_CONNECTED || fault->kind == FAL_FAULT_ASKED;

  return class == FAL_FAULT_CLASS_QUIET ? !at_once : fault->kind != FAL_FAULT_LOADING;
}

FalVerdict
fal_dialer_fault (FalDialer *dialer, const FalFault *fault, gint64 now, gdouble random)
{
  FalFaultClass class = fal_dialer_classify (dialer, fault);
  gboolean first = !dialer->in_outage, waits;

  count_timeout (dialer, fault);
  dialer->deadline = G_MAXINT64;
  if (fault->kind == FAL_FAULT_ASKED)
    dialer->wanted = FALSE;
  if (is_final (dialer, fault, class)) {
    dialer->state = FAL_DIALER_FAILED;
    dialer->error_answers = 0; /* whoever begins anew may have mended it */
    return FAL_VERDICT_FAIL;
  }
  dialer->attempt += counts_as_attempt (dialer, fault, class);
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

FalDialerEnd
fal_dialer_get_end (const FalDialer *dialer)
{
  return dialer->end;
}

const gchar *
fal_dialer_state_get_name (FalDialerState state)
{
  static const gchar *const names[] = {
    [FAL_DIALER_IDLE] = "idle",
    [FAL_DIALER_AUTHENTICATING] = "authenticating",
    [FAL_DIALER_CONNECTING] = "connecting",
    [FAL_DIALER_WARMING_UP] = "warming-up",
    [FAL_DIALER_CONNECTED] = "connected",
    [FAL_DIALER_WAITING] = "waiting",
    [FAL_DIALER_FAILED] = "failed",
  };

  return names[state];
}

FalDialerState
fal_dialer_state_combine (FalDialerState a, FalDialerState b)
{
  static const guint ranks[] = {
    [FAL_DIALER_FAILED] = 0,
    [FAL_DIALER_IDLE] = 1,
    [FAL_DIALER_WAITING] = 2,
    [FAL_DIALER_AUTHENTICATING] = 3,
    [FAL_DIALER_CONNECTING] = 4,
    [FAL_DIALER_WARMING_UP] = 5,
    [FAL_DIALER_CONNECTED] = 6,
  };

  return ranks[a] >= ranks[b] ? a : b;
}
