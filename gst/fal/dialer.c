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

typedef enum { QUIET, TRANSIENT, CREDENTIALS, SERVER, PERMANENT } FaultClass;

/* First row that fits; a kind without codes of its own has one row. */
static const struct {
  FalFaultKind kind;
  guint from, to;
  FaultClass class;
  GIOErrorEnum error;
  const gchar *hint;
} faults[] = {
  { FAL_FAULT_NETWORK, 0, G_MAXUINT, TRANSIENT, G_IO_ERROR_HOST_UNREACHABLE,
      "check base-uri and the network" },
  { FAL_FAULT_TIMED_OUT, 0, G_MAXUINT, TRANSIENT, G_IO_ERROR_TIMED_OUT,
      "check base-uri and the network; a cold model may need a larger connect-timeout" },
  { FAL_FAULT_UNKNOWN_HOST, 0, G_MAXUINT, TRANSIENT, G_IO_ERROR_HOST_NOT_FOUND,
      "check the host in base-uri" },
  { FAL_FAULT_TLS, FAL_TLS_FAULT_UNKNOWN_CA, FAL_TLS_FAULT_UNKNOWN_CA, PERMANENT, G_IO_ERROR_FAILED,
      "check the host in base-uri; for a server of your own give its authority as tls-database" },
  { FAL_FAULT_TLS, FAL_TLS_FAULT_WRONG_HOST, FAL_TLS_FAULT_WRONG_HOST, PERMANENT, G_IO_ERROR_FAILED,
      "check the host in base-uri" },
  { FAL_FAULT_TLS, FAL_TLS_FAULT_NOT_YET_VALID, FAL_TLS_FAULT_EXPIRED, PERMANENT, G_IO_ERROR_FAILED,
      "check the clock of this machine, it may be wrong; else the server needs a new certificate" },
  { FAL_FAULT_TLS, FAL_TLS_FAULT_NOT_TLS, FAL_TLS_FAULT_NOT_TLS, TRANSIENT,
      G_IO_ERROR_HOST_UNREACHABLE,
      "check base-uri and the network; a server without TLS is reached with ws://" },
  { FAL_FAULT_TLS, FAL_TLS_FAULT_MISSING, FAL_TLS_FAULT_MISSING, PERMANENT, G_IO_ERROR_FAILED,
      "install the package glib-networking" },
  { FAL_FAULT_TLS, 0, G_MAXUINT, PERMANENT, G_IO_ERROR_FAILED,
      "check base-uri (does the server speak TLS there?), this machine's clock and CA "
      "certificates" },
  { FAL_FAULT_PROXY, 407, 407, PERMANENT, G_IO_ERROR_PERMISSION_DENIED,
      "set the right user and password in proxy" },
  { FAL_FAULT_PROXY, 400, 499, PERMANENT, G_IO_ERROR_FAILED,
      "check proxy: does it allow this host and port?" },
  { FAL_FAULT_PROXY, 0, G_MAXUINT, TRANSIENT, G_IO_ERROR_HOST_UNREACHABLE, "check proxy" },
  { FAL_FAULT_HTTP, 401, 401, CREDENTIALS, G_IO_ERROR_PERMISSION_DENIED,
      "set token to a fresh one, or api-key to a valid key" },
  { FAL_FAULT_HTTP, 403, 403, CREDENTIALS, G_IO_ERROR_PERMISSION_DENIED,
      "set token to one that allows this app, or api-key to a key that does" },
  { FAL_FAULT_HTTP, 404, 404, PERMANENT, G_IO_ERROR_NOT_FOUND,
      "check app and path: has this app a realtime endpoint?" },
  { FAL_FAULT_HTTP, 408, 408, TRANSIENT, G_IO_ERROR_FAILED, "nothing: it is tried again" },
  { FAL_FAULT_HTTP, 429, 429, TRANSIENT, G_IO_ERROR_BUSY,
      "too many connections: close others, or wait" },
  { FAL_FAULT_HTTP, 500, 599, TRANSIENT, G_IO_ERROR_FAILED, "nothing: it is tried again" },
  { FAL_FAULT_HTTP, 300, 399, PERMANENT, G_IO_ERROR_FAILED,
      "redirects are not followed: set base-uri to the right address" },
  { FAL_FAULT_HTTP, 0, G_MAXUINT, PERMANENT, G_IO_ERROR_FAILED,
      "no WebSocket here: check base-uri, app and path" },
  { FAL_FAULT_TOKEN, 300, 399, PERMANENT, G_IO_ERROR_FAILED,
      "redirects are not followed: set token-uri to the right address" },
  { FAL_FAULT_TOKEN, 400, 407, CREDENTIALS, G_IO_ERROR_PERMISSION_DENIED,
      "check api-key (FAL_KEY) and token-uri, or the server at token-proxy-uri" },
  { FAL_FAULT_TOKEN, 422, 422, CREDENTIALS, G_IO_ERROR_PERMISSION_DENIED,
      "check app and token-request" },
  { FAL_FAULT_TOKEN, 0, G_MAXUINT, TRANSIENT, G_IO_ERROR_FAILED, "check token-uri" },
  { FAL_FAULT_PROVIDER, 1, 1, TRANSIENT, G_IO_ERROR_TIMED_OUT,
      "request-token is to answer sooner, or connect-timeout to be larger" },
  { FAL_FAULT_PROVIDER, 0, G_MAXUINT, TRANSIENT, G_IO_ERROR_PERMISSION_DENIED,
      "request-token is to return a token (JWT) for the app" },
  { FAL_FAULT_STALE, 0, 0, CREDENTIALS, G_IO_ERROR_PERMISSION_DENIED,
      "set token to a fresh one, or api-key to a valid key" },
  { FAL_FAULT_STALE, 1, 1, CREDENTIALS, G_IO_ERROR_PERMISSION_DENIED,
      "check the clock of this machine, and give a fresh token" },
  { FAL_FAULT_UNAUTHORIZED, 0, G_MAXUINT, CREDENTIALS, G_IO_ERROR_PERMISSION_DENIED,
      "set token to a fresh one, or api-key to a valid key" },
  { FAL_FAULT_CLOSED, 1000, 1000, QUIET, G_IO_ERROR_BROKEN_PIPE, "nothing" },
  { FAL_FAULT_CLOSED, 1005, 1005, QUIET, G_IO_ERROR_BROKEN_PIPE, "nothing" },
  { FAL_FAULT_CLOSED, 1006, 1006, TRANSIENT, G_IO_ERROR_BROKEN_PIPE, "check the network" },
  { FAL_FAULT_CLOSED, 1008, 1008, CREDENTIALS, G_IO_ERROR_PERMISSION_DENIED,
      "the token is not for this app, or has ended: set a fresh one" },
  { FAL_FAULT_CLOSED, 1009, 1009, SERVER, G_IO_ERROR_BROKEN_PIPE,
      "the request is too big: lower width, height or quality" },
  { FAL_FAULT_CLOSED, 1002, 1007, SERVER, G_IO_ERROR_BROKEN_PIPE,
      "the app did not understand: check image-field and path" },
  { FAL_FAULT_CLOSED, 0, G_MAXUINT, TRANSIENT, G_IO_ERROR_BROKEN_PIPE,
      "nothing: it is tried again" },
  { FAL_FAULT_SERVER, 0, G_MAXUINT, SERVER, G_IO_ERROR_FAILED,
      "check the inputs that the app wants" },
  { FAL_FAULT_SILENT, 0, G_MAXUINT, TRANSIENT, G_IO_ERROR_BROKEN_PIPE,
      "a slow model may need a larger request-timeout" },
  { FAL_FAULT_LOADING, 0, G_MAXUINT, TRANSIENT, G_IO_ERROR_BROKEN_PIPE,
      "nothing: it is tried again; a slow model may need a larger request-timeout" },
  { FAL_FAULT_DEAD, 0, G_MAXUINT, TRANSIENT, G_IO_ERROR_BROKEN_PIPE, "check the network" },
  { FAL_FAULT_ASKED, 0, G_MAXUINT, QUIET, G_IO_ERROR_CANCELLED, "nothing" },
  { FAL_FAULT_WEBRTC, 0, G_MAXUINT, PERMANENT, G_IO_ERROR_FAILED,
      "this app speaks WebRTC, not frames: use another app or path" },
};

static guint
find_fault (const FalFault *fault)
{
  for (guint i = 0; i < G_N_ELEMENTS (faults); i++)
    if (faults[i].kind == fault->kind && faults[i].from <= fault->code &&
        fault->code <= faults[i].to)
      return i;
  g_return_val_if_reached (0);
}

gboolean
fal_fault_is_refusal (const FalFault *fault)
{
  return faults[find_fault (fault)].class == CREDENTIALS;
}

const gchar *
fal_fault_describe (FalFaultKind kind)
{
  switch (kind) {
  case FAL_FAULT_SILENT:
    return "requests went unanswered";
  case FAL_FAULT_LOADING:
    return "no result came yet, but the server answers: the model may still be loading";
  case FAL_FAULT_DEAD:
    return "the server is gone: nothing comes from it, not even an answer to a ping";
  case FAL_FAULT_ASKED:
    return "closed";
  default:
    return "the connection is of no use";
  }
}

const gchar *
fal_fault_get_hint (const FalFault *fault)
{
  return faults[find_fault (fault)].hint;
}

GIOErrorEnum
fal_fault_get_error_code (const FalFault *fault)
{
  return faults[find_fault (fault)].error;
}

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
is_final (FalDialer *dialer, const FalFault *fault, FaultClass class)
{
  switch (class) {
  case QUIET:
    return FALSE;
  case CREDENTIALS:
    if (dialer->credentials_refused || !dialer->config.fetches_token)
      return TRUE;
    dialer->credentials_refused = TRUE;
    return FALSE;
  case SERVER:
    return ++dialer->server_errors >= FAL_DIALER_MAX_SERVER_ERRORS || is_spent (dialer);
  case TRANSIENT:
    if (fault->kind == FAL_FAULT_UNKNOWN_HOST && !dialer->opened_once)
      return TRUE;
    return is_spent (dialer);
  case PERMANENT:
    break;
  }
  return TRUE;
}

FalVerdict
fal_dialer_fault (FalDialer *dialer, const FalFault *fault, gint64 now, gdouble random)
{
  FaultClass class = faults[find_fault (fault)].class;
  gboolean at_once = dialer->state == FAL_DIALER_CONNECTED || fault->kind == FAL_FAULT_ASKED;
  gboolean first = !dialer->in_outage, waits;

  if (dialer->idle_announced && fault->kind == FAL_FAULT_CLOSED)
    class = QUIET;
  dialer->deadline = G_MAXINT64;
  if (fault->kind == FAL_FAULT_ASKED)
    dialer->wanted = FALSE;
  if (is_final (dialer, fault, class)) {
    dialer->state = FAL_DIALER_FAILED;
    return FAL_VERDICT_FAIL;
  }
  /* A connection that closes quietly but never brought a result is not dialled in a hurry. */
  if (class != QUIET || !at_once)
    dialer->attempt++;
  /* Whoever ended it on purpose knows when it is needed again, in an outage too. */
  waits = dialer->attempt > 0 && fault->kind != FAL_FAULT_ASKED;
  dialer->not_before = now + (waits ? MAX (backoff (dialer, random), fault->retry_after) : 0);
  dialer->state = dialer->wanted || class != QUIET ? FAL_DIALER_WAITING : FAL_DIALER_IDLE;
  if (class == QUIET)
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
