/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When to fetch a token, connect, back off and give up.
 *
 * Pure: no thread, lock, clock, socket or log. Belongs to the net thread. Times
 * are microseconds of a monotonic clock, given as arguments. */
#pragma once

#include "fault.h"

G_BEGIN_DECLS

/* Until a connection has stood once, an address that cannot be reached is taken for a wrong one
 * after so many retries (about five seconds with the default delays), however many are allowed. */
#define FAL_DIALER_FIRST_RETRIES 8
/* Errors of the server in a row, without a result between them, after which it is given up. */
#define FAL_DIALER_MAX_SERVER_ERRORS 5

/* Answers that were errors in a row, after which it is given up: at once where no result ever came,
 * else after so long. */
#define FAL_DIALER_MAX_ERROR_ANSWERS 5
#define FAL_DIALER_ERROR_ANSWERS_FOR (5 * G_TIME_SPAN_SECOND)
/* Attempts in a row that took too long, before a connection has stood once. */
#define FAL_DIALER_MAX_TIMEOUTS 3

typedef enum {
  FAL_DIALER_IDLE, /* nothing to send, no connection */
  FAL_DIALER_AUTHENTICATING,
  FAL_DIALER_CONNECTING,
  FAL_DIALER_WARMING_UP, /* open, no result yet */
  FAL_DIALER_CONNECTED,
  FAL_DIALER_WAITING, /* for the next attempt */
  FAL_DIALER_FAILED,
} FalDialerState;

typedef struct {
  gint retries; /* in a row, -1: for ever */
  gint64 retry_delay, max_retry_delay;
  gint64 connect_timeout; /* token and handshake together, 0: none */
  gboolean fetches_token; /* each connection begins with a token request */
} FalDialerConfig;

typedef enum {
  FAL_DIAL_NOTHING,
  FAL_DIAL_FETCH_TOKEN,
  FAL_DIAL_CONNECT,
  FAL_DIAL_GIVE_UP_ATTEMPT, /* took too long: cancel it, then report FAL_FAULT_TIMED_OUT */
} FalDialAction;

typedef enum {
  FAL_VERDICT_QUIET, /* nothing is wrong; connects again when there is something to send */
  FAL_VERDICT_WARN,  /* an outage begins; tries again */
  FAL_VERDICT_AGAIN, /* the outage goes on; tries again */
  FAL_VERDICT_FAIL,  /* nothing more is tried */
} FalVerdict;

/* Why nothing more is tried. */
typedef enum {
  FAL_DIALER_END_FAULT,       /* the fault does not go away by itself */
  FAL_DIALER_END_RETRIES,     /* as many as are allowed were made */
  FAL_DIALER_END_NEVER_STOOD, /* FAL_DIALER_FIRST_RETRIES */
  FAL_DIALER_END_TIMEOUTS,    /* FAL_DIALER_MAX_TIMEOUTS */
  FAL_DIALER_END_ERRORS,      /* FAL_DIALER_MAX_SERVER_ERRORS */
} FalDialerEnd;

typedef struct _FalDialer FalDialer;

FalDialer *fal_dialer_new (void);
void fal_dialer_free (FalDialer *dialer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalDialer, fal_dialer_free)

void fal_dialer_configure (FalDialer *dialer, const FalDialerConfig *config);

/* A credential that is new was set: those refused before do not count. */
void fal_dialer_forgive (FalDialer *dialer);

/* There is something to send. Stays so until a connection stands. */
void fal_dialer_want (FalDialer *dialer);

/* What to do now; the state moves along with the answer. */
FalDialAction fal_dialer_next_action (FalDialer *dialer, gint64 now);
/* When to ask again at the latest; G_MAXINT64: only after something happened. */
gint64 fal_dialer_next_time (const FalDialer *dialer, gint64 now);

void fal_dialer_token_arrived (FalDialer *dialer);
void fal_dialer_opened (FalDialer *dialer);
void fal_dialer_result_arrived (FalDialer *dialer);
/* The server said that it closes because nothing came: the next close is quiet. */
void fal_dialer_idle_announced (FalDialer *dialer);

/* The server answered a request with an error. TRUE: that is so for all of them, and the connection
 * is to be ended with FAL_SERVER_FAULT_ENDLESS. */
gboolean fal_dialer_error_arrived (FalDialer *dialer, gint64 now);

/* What the fault means now. Once a connection stood, what a network may do by itself is transient.
 */
FalFaultClass fal_dialer_classify (const FalDialer *dialer, const FalFault *fault);

/* The attempt or the connection ended. @random, 0 to 1, spreads the retries of
 * many clients. */
FalVerdict fal_dialer_fault (FalDialer *dialer, const FalFault *fault, gint64 now, gdouble random);

FalDialerState fal_dialer_get_state (const FalDialer *dialer);
/* Its name, as users know it. Static. */
const gchar *fal_dialer_state_get_name (FalDialerState state);
/* That of several connections together: how far the one that is farthest has come. FAILED: nothing
 * is tried any more on any of them. */
FalDialerState fal_dialer_state_combine (FalDialerState a, FalDialerState b);
guint fal_dialer_get_attempt (const FalDialer *dialer);    /* retries made in this outage */
FalDialerEnd fal_dialer_get_end (const FalDialer *dialer); /* of the last FAL_VERDICT_FAIL */

G_END_DECLS
