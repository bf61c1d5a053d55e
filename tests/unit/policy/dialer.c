/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The dialer, told as stories: a row says when something happens and what the dialer then does.
 * Times are literal, in milliseconds. */
#include "fal/policy/dialer.h"

#define MS G_TIME_SPAN_MILLISECOND
#define NEVER (-1)

static const FalDialerConfig defaults = {
  .retries = -1,
  .retry_delay = 250 * MS,
  .max_retry_delay = 8000 * MS,
  .connect_timeout = 30000 * MS,
};

/* ---- the stories ---- */

typedef enum {
  TIME_PASSES,
  A_FRAME_WAITS,
  A_TOKEN_ARRIVES,
  IT_OPENS,
  A_RESULT_ARRIVES,
  THE_SERVER_SAYS_IDLE,
  A_NEW_CREDENTIAL_IS_SET,
  IT_FAILS, /* with the row's fault */
} Happening;

typedef struct {
  gint64 at;
  Happening what;
  FalFaultKind kind;
  guint code;
  gint64 retry_after;
  gdouble random;
  FalVerdict verdict;   /* of the fault */
  FalDialAction action; /* what it does next */
  FalDialerState state; /* what it is in then */
  gint64 next;          /* when it is to be asked again */
} Row;

#define THEN(at, what, action, state, next)                                                        \
  {                                                                                                \
    at, what, 0, 0, 0, 0, 0, FAL_DIAL_##action, FAL_DIALER_##state, next                           \
  }
#define FAULT(at, kind, code, verdict, state, next)                                                \
  {                                                                                                \
    at, IT_FAILS, FAL_FAULT_##kind, code, 0, 0, FAL_VERDICT_##verdict, FAL_DIAL_NOTHING,           \
        FAL_DIALER_##state, next                                                                   \
  }
/* The same with a random number, or where the server asked for patience. */
#define FAULT_R(at, kind, code, random, verdict, state, next)                                      \
  {                                                                                                \
    at, IT_FAILS, FAL_FAULT_##kind, code, 0, random, FAL_VERDICT_##verdict, FAL_DIAL_NOTHING,      \
        FAL_DIALER_##state, next                                                                   \
  }
#define FAULT_P(at, kind, code, patience, verdict, state, next)                                    \
  {                                                                                                \
    at, IT_FAILS, FAL_FAULT_##kind, code, patience *MS, 0, FAL_VERDICT_##verdict,                  \
        FAL_DIAL_NOTHING, FAL_DIALER_##state, next                                                 \
  }
/* A connection at once, with a ready token. */
#define CONNECTS(at)                                                                               \
  THEN (at, A_FRAME_WAITS, CONNECT, CONNECTING, at + 30000),                                       \
      THEN (at, IT_OPENS, NOTHING, WARMING_UP, NEVER)
#define CONNECTS_AND_ANSWERS(at)                                                                   \
  CONNECTS (at), THEN (at, A_RESULT_ARRIVES, NOTHING, CONNECTED, NEVER)
/* A connection that the server ends with an error of its own. */
#define ERRS(at, verdict, state) CONNECTS (at), FAULT (at, SERVER, 0, verdict, state, NEVER)
#define ROWS(...) ((const Row[]){ __VA_ARGS__, { .at = -1 } })

static const struct {
  const gchar *name;
  gboolean fetches_token;
  gint retries; /* 0: for ever; else one more than that */
  const Row *rows;
} stories[] = {
  { "a-connection-from-its-first-frame-to-the-end-for-idleness", FALSE, 0,
      ROWS (THEN (0, TIME_PASSES, NOTHING, IDLE, NEVER),
          THEN (1, A_FRAME_WAITS, CONNECT, CONNECTING, 30001),
          THEN (2, TIME_PASSES, NOTHING, CONNECTING, 30001),
          THEN (3, IT_OPENS, NOTHING, WARMING_UP, NEVER),
          THEN (4, A_RESULT_ARRIVES, NOTHING, CONNECTED, NEVER),
          THEN (5, THE_SERVER_SAYS_IDLE, NOTHING, CONNECTED, NEVER),
          FAULT (6, CLOSED, 1000, QUIET, IDLE, NEVER), CONNECTS (7)) },
  { "idleness-is-quiet-whatever-the-code", FALSE, 0,
      ROWS (CONNECTS_AND_ANSWERS (0), THEN (1, THE_SERVER_SAYS_IDLE, NOTHING, CONNECTED, NEVER),
          FAULT (2, CLOSED, 1006, QUIET, IDLE, NEVER), CONNECTS (3)) },
  { "a-result-after-the-word-of-idleness-takes-it-back", FALSE, 0,
      ROWS (CONNECTS_AND_ANSWERS (0), THEN (1, THE_SERVER_SAYS_IDLE, NOTHING, CONNECTED, NEVER),
          THEN (2, A_RESULT_ARRIVES, NOTHING, CONNECTED, NEVER),
          FAULT (3, CLOSED, 1006, WARN, WAITING, NEVER)) },
  { "the-word-of-idleness-is-for-one-connection", FALSE, 0,
      ROWS (CONNECTS_AND_ANSWERS (0), THEN (1, THE_SERVER_SAYS_IDLE, NOTHING, CONNECTED, NEVER),
          FAULT (2, CLOSED, 1000, QUIET, IDLE, NEVER), CONNECTS (3),
          FAULT (4, CLOSED, 1006, WARN, WAITING, NEVER)) },
  /* A cold pool accepts, swallows and closes cleanly: no error, and no reason to hurry. */
  { "a-quiet-end-without-a-result-is-not-dialled-in-a-hurry", FALSE, 0,
      ROWS (CONNECTS (0), FAULT (100, CLOSED, 1000, QUIET, IDLE, NEVER),
          THEN (100, A_FRAME_WAITS, NOTHING, IDLE, 350),
          THEN (349, TIME_PASSES, NOTHING, IDLE, 350),
          THEN (350, TIME_PASSES, CONNECT, CONNECTING, 30350)) },
  { "a-key-buys-a-token-for-each-connection", TRUE, 0,
      ROWS (THEN (0, A_FRAME_WAITS, FETCH_TOKEN, AUTHENTICATING, 30000),
          THEN (1, A_TOKEN_ARRIVES, NOTHING, CONNECTING, 30000),
          THEN (2, IT_OPENS, NOTHING, WARMING_UP, NEVER),
          THEN (3, A_RESULT_ARRIVES, NOTHING, CONNECTED, NEVER),
          FAULT (4, CLOSED, 1000, QUIET, IDLE, NEVER),
          THEN (5, A_FRAME_WAITS, FETCH_TOKEN, AUTHENTICATING, 30005),
          THEN (6, A_TOKEN_ARRIVES, NOTHING, CONNECTING, 30005),
          FAULT (7, NETWORK, 0, WARN, WAITING, 257),
          THEN (257, TIME_PASSES, FETCH_TOKEN, AUTHENTICATING, 30257)) },
  { "an-attempt-is-given-up-after-the-connect-timeout", TRUE, 0,
      ROWS (THEN (100, A_FRAME_WAITS, FETCH_TOKEN, AUTHENTICATING, 30100),
          THEN (29000, A_TOKEN_ARRIVES, NOTHING, CONNECTING, 30100),
          THEN (30099, TIME_PASSES, NOTHING, CONNECTING, 30100),
          THEN (30100, TIME_PASSES, GIVE_UP_ATTEMPT, CONNECTING, NEVER),
          THEN (30101, TIME_PASSES, NOTHING, CONNECTING, NEVER),
          FAULT (30102, TIMED_OUT, 0, WARN, WAITING, 30352)) },
  { "an-outage-warns-once-backs-off-and-ends-with-a-result", FALSE, 0,
      ROWS (CONNECTS_AND_ANSWERS (0), FAULT (1000, CLOSED, 1006, WARN, WAITING, NEVER),
          THEN (1000, A_FRAME_WAITS, NOTHING, WAITING, 1250),
          THEN (1249, TIME_PASSES, NOTHING, WAITING, 1250),
          THEN (1250, TIME_PASSES, CONNECT, CONNECTING, 31250),
          FAULT (2000, NETWORK, 0, AGAIN, WAITING, 2312),
          THEN (2313, TIME_PASSES, CONNECT, CONNECTING, 32313),
          FAULT (3000, NETWORK, 0, AGAIN, WAITING, 3390),
          THEN (3391, TIME_PASSES, CONNECT, CONNECTING, 33391),
          /* It opens, but brings no result: the outage goes on. */
          THEN (3400, IT_OPENS, NOTHING, WARMING_UP, NEVER),
          FAULT (4000, CLOSED, 1012, AGAIN, WAITING, NEVER),
          THEN (4000, A_FRAME_WAITS, NOTHING, WAITING, 4488),
          THEN (4489, TIME_PASSES, CONNECT, CONNECTING, 34489),
          THEN (4500, IT_OPENS, NOTHING, WARMING_UP, NEVER),
          THEN (4600, A_RESULT_ARRIVES, NOTHING, CONNECTED, NEVER),
          FAULT (5000, CLOSED, 1006, WARN, WAITING, NEVER),
          THEN (5000, A_FRAME_WAITS, NOTHING, WAITING, 5250)) },
  { "jitter-shortens-a-delay-by-a-fifth-at-most", FALSE, 0,
      ROWS (THEN (0, A_FRAME_WAITS, CONNECT, CONNECTING, 30000),
          FAULT_R (0, NETWORK, 0, 1.0, WARN, WAITING, 200),
          THEN (200, TIME_PASSES, CONNECT, CONNECTING, 30200),
          FAULT_R (1000, NETWORK, 0, 0.5, AGAIN, WAITING, 1281),
          THEN (1282, TIME_PASSES, CONNECT, CONNECTING, 31282),
          FAULT_R (2000, NETWORK, 0, 0.0, AGAIN, WAITING, 2390)) },
  { "retries-are-spent", FALSE, 1 + 2,
      ROWS (CONNECTS_AND_ANSWERS (0), FAULT (1, NETWORK, 0, WARN, WAITING, NEVER),
          THEN (1000, A_FRAME_WAITS, CONNECT, CONNECTING, 31000),
          FAULT (1001, NETWORK, 0, AGAIN, WAITING, 1313),
          THEN (2000, TIME_PASSES, CONNECT, CONNECTING, 32000),
          FAULT (2001, NETWORK, 0, FAIL, FAILED, NEVER),
          THEN (100000, A_FRAME_WAITS, NOTHING, FAILED, NEVER)) },
  { "no-retry-at-all", FALSE, 1 + 0,
      ROWS (CONNECTS_AND_ANSWERS (0), FAULT (1, CLOSED, 1006, FAIL, FAILED, NEVER)) },
  { "a-result-gives-the-retries-back", FALSE, 1 + 1,
      ROWS (CONNECTS_AND_ANSWERS (0), FAULT (1, NETWORK, 0, WARN, WAITING, NEVER),
          CONNECTS_AND_ANSWERS (1000), FAULT (1001, NETWORK, 0, WARN, WAITING, NEVER),
          CONNECTS (2000), FAULT (2001, NETWORK, 0, FAIL, FAILED, NEVER)) },
  { "an-address-never-reached-is-taken-for-a-wrong-one", FALSE, 0,
      ROWS (FAULT (0, NETWORK, 0, WARN, WAITING, NEVER),
          FAULT (1, NETWORK, 0, AGAIN, WAITING, NEVER),
          FAULT (2, NETWORK, 0, AGAIN, WAITING, NEVER),
          FAULT (3, NETWORK, 0, AGAIN, WAITING, NEVER),
          FAULT (4, NETWORK, 0, AGAIN, WAITING, NEVER),
          FAULT (5, NETWORK, 0, AGAIN, WAITING, NEVER),
          FAULT (6, NETWORK, 0, AGAIN, WAITING, NEVER),
          FAULT (7, NETWORK, 0, AGAIN, WAITING, NEVER),
          FAULT (8, NETWORK, 0, FAIL, FAILED, NEVER)) },
  { "an-unknown-host-is-final-at-first", FALSE, 0,
      ROWS (FAULT (0, UNKNOWN_HOST, 0, FAIL, FAILED, NEVER)) },
  { "an-unknown-host-is-an-outage-later", FALSE, 0,
      ROWS (CONNECTS (0), FAULT (0, UNKNOWN_HOST, 0, WARN, WAITING, NEVER)) },
  { "a-refused-token-is-replaced-once", TRUE, 0,
      ROWS (THEN (0, A_FRAME_WAITS, FETCH_TOKEN, AUTHENTICATING, 30000),
          THEN (1, A_TOKEN_ARRIVES, NOTHING, CONNECTING, 30000),
          FAULT (2, HTTP, 401, WARN, WAITING, 252),
          THEN (252, TIME_PASSES, FETCH_TOKEN, AUTHENTICATING, 30252),
          THEN (253, A_TOKEN_ARRIVES, NOTHING, CONNECTING, 30252),
          FAULT (254, HTTP, 403, FAIL, FAILED, NEVER)) },
  { "a-token-refused-after-the-upgrade-is-replaced-once", TRUE, 0,
      ROWS (FAULT (0, CLOSED, 1008, WARN, WAITING, NEVER),
          FAULT (300, UNAUTHORIZED, 0, FAIL, FAILED, NEVER)) },
  { "a-key-that-is-refused-is-tried-once-more", TRUE, 0,
      ROWS (FAULT (0, TOKEN, 401, WARN, WAITING, NEVER),
          FAULT (300, TOKEN, 401, FAIL, FAILED, NEVER)) },
  { "a-token-that-was-given-cannot-be-replaced", FALSE, 0,
      ROWS (FAULT (0, HTTP, 401, FAIL, FAILED, NEVER)) },
  { "a-result-makes-a-refusal-the-first-one-again", TRUE, 0,
      ROWS (FAULT (0, HTTP, 401, WARN, WAITING, NEVER),
          THEN (1, IT_OPENS, NOTHING, WARMING_UP, NEVER),
          THEN (2, A_RESULT_ARRIVES, NOTHING, CONNECTED, NEVER),
          FAULT (3, UNAUTHORIZED, 0, WARN, WAITING, NEVER),
          FAULT (4, UNAUTHORIZED, 0, FAIL, FAILED, NEVER)) },
  { "a-new-credential-gets-a-chance-of-its-own", TRUE, 0,
      ROWS (FAULT (0, HTTP, 401, WARN, WAITING, NEVER),
          THEN (1, A_NEW_CREDENTIAL_IS_SET, NOTHING, WAITING, NEVER),
          FAULT (2, HTTP, 401, AGAIN, WAITING, NEVER), FAULT (3, HTTP, 401, FAIL, FAILED, NEVER)) },
  { "five-errors-of-the-server-in-a-row-end-it", FALSE, 0,
      ROWS (ERRS (0, WARN, WAITING), ERRS (10000, AGAIN, WAITING), ERRS (20000, AGAIN, WAITING),
          ERRS (30000, AGAIN, WAITING), ERRS (40000, FAIL, FAILED)) },
  { "errors-count-though-the-link-breaks-between-them", FALSE, 0,
      ROWS (ERRS (0, WARN, WAITING), ERRS (10000, AGAIN, WAITING), CONNECTS (20000),
          FAULT (20001, CLOSED, 1006, AGAIN, WAITING, NEVER), ERRS (30000, AGAIN, WAITING),
          ERRS (40000, AGAIN, WAITING), ERRS (50000, FAIL, FAILED)) },
  { "a-result-forgives-errors-of-the-server", FALSE, 0,
      ROWS (ERRS (0, WARN, WAITING), ERRS (10000, AGAIN, WAITING), ERRS (20000, AGAIN, WAITING),
          ERRS (30000, AGAIN, WAITING), CONNECTS_AND_ANSWERS (40000),
          FAULT (40001, SERVER, 0, WARN, WAITING, NEVER), ERRS (50000, AGAIN, WAITING),
          ERRS (60000, AGAIN, WAITING), ERRS (70000, AGAIN, WAITING), ERRS (80000, FAIL, FAILED)) },
  { "the-server-asks-for-patience", FALSE, 0,
      ROWS (THEN (0, A_FRAME_WAITS, CONNECT, CONNECTING, 30000),
          FAULT_P (0, HTTP, 429, 3000, WARN, WAITING, 3000),
          THEN (2999, TIME_PASSES, NOTHING, WAITING, 3000),
          THEN (3000, TIME_PASSES, CONNECT, CONNECTING, 33000),
          FAULT_P (3000, HTTP, 503, 100, AGAIN, WAITING, 3312), /* less than the backoff */
          THEN (3313, TIME_PASSES, CONNECT, CONNECTING, 33313),
          FAULT_P (4000, HTTP, 503, 60000, AGAIN, WAITING, 64000)) },
  { "an-end-that-was-asked-for-is-no-outage", FALSE, 0,
      ROWS (CONNECTS_AND_ANSWERS (0), FAULT (1, ASKED, 0, QUIET, IDLE, NEVER), CONNECTS (2),
          FAULT (3, ASKED, 0, QUIET, IDLE, NEVER), CONNECTS (3)) },
  { "an-end-that-was-asked-for-in-an-outage-cuts-the-wait-short", FALSE, 0,
      ROWS (CONNECTS (0), FAULT (1, NETWORK, 0, WARN, WAITING, NEVER),
          THEN (1, A_FRAME_WAITS, NOTHING, WAITING, 251), FAULT (2, ASKED, 0, QUIET, IDLE, NEVER),
          THEN (3, A_FRAME_WAITS, CONNECT, CONNECTING, 30003),
          FAULT (4, NETWORK, 0, AGAIN, WAITING, 316)) },
  { "an-attempt-that-was-asked-to-end-wants-nothing-more", TRUE, 0,
      ROWS (THEN (0, A_FRAME_WAITS, FETCH_TOKEN, AUTHENTICATING, 30000),
          FAULT (1, ASKED, 0, QUIET, IDLE, NEVER),
          THEN (2, A_TOKEN_ARRIVES, NOTHING, IDLE, NEVER)) },
  { "what-failed-may-be-begun-anew-when-asked", FALSE, 0,
      ROWS (FAULT (0, HTTP, 404, FAIL, FAILED, NEVER), FAULT (1, ASKED, 0, QUIET, IDLE, NEVER),
          CONNECTS (2)) },
  { "a-model-that-loads-keeps-the-outage-going-until-its-first-result", FALSE, 0,
      ROWS (CONNECTS (0), FAULT (10000, LOADING, 0, WARN, WAITING, NEVER), CONNECTS (20000),
          FAULT (30000, LOADING, 0, AGAIN, WAITING, NEVER), CONNECTS_AND_ANSWERS (40000),
          FAULT (50000, SILENT, 0, WARN, WAITING, NEVER)) },
  { "a-dead-peer-is-an-outage-like-others", FALSE, 0,
      ROWS (CONNECTS_AND_ANSWERS (0), FAULT (12000, DEAD, 0, WARN, WAITING, NEVER),
          THEN (12000, A_FRAME_WAITS, NOTHING, WAITING, 12250),
          THEN (12250, TIME_PASSES, CONNECT, CONNECTING, 42250),
          FAULT (42250, TIMED_OUT, 0, AGAIN, WAITING, 42562)) },
};

static FalDialer *
make (FalDialerConfig config)
{
  FalDialer *dialer = fal_dialer_new ();

  fal_dialer_configure (dialer, &config);
  return dialer;
}

static void
happen (FalDialer *dialer, const Row *row)
{
  const FalFault fault = { row->kind, row->code, row->retry_after };

  switch (row->what) {
  case TIME_PASSES:
    break;
  case A_FRAME_WAITS:
    fal_dialer_want (dialer);
    break;
  case A_TOKEN_ARRIVES:
    fal_dialer_token_arrived (dialer);
    break;
  case IT_OPENS:
    fal_dialer_opened (dialer);
    break;
  case A_RESULT_ARRIVES:
    fal_dialer_result_arrived (dialer);
    break;
  case THE_SERVER_SAYS_IDLE:
    fal_dialer_idle_announced (dialer);
    break;
  case A_NEW_CREDENTIAL_IS_SET:
    fal_dialer_forgive (dialer);
    break;
  case IT_FAILS:
    g_assert_cmpint (
        fal_dialer_fault (dialer, &fault, row->at * MS, row->random), ==, row->verdict);
    break;
  }
}

static void
test_story (gconstpointer data)
{
  guint story = GPOINTER_TO_UINT (data);
  FalDialerConfig config = defaults;
  g_autoptr (FalDialer) dialer = NULL;

  config.fetches_token = stories[story].fetches_token;
  config.retries = stories[story].retries - 1;
  dialer = make (config);
  for (const Row *row = stories[story].rows; row->at >= 0; row++) {
    gint64 next;

    g_test_message ("row %d, at %d ms", (gint) (row - stories[story].rows), (gint) row->at);
    happen (dialer, row);
    g_assert_cmpint (fal_dialer_next_action (dialer, row->at * MS), ==, row->action);
    g_assert_cmpint (fal_dialer_get_state (dialer), ==, row->state);
    next = fal_dialer_next_time (dialer, row->at * MS);
    g_assert_cmpint (next == G_MAXINT64 ? NEVER : next / MS, ==, row->next);
  }
}

/* ---- what holds for all ---- */

/* The delay before attempt number @n of an outage. */
static gint64
get_delay (guint n, gdouble random)
{
  g_autoptr (FalDialer) dialer = make (defaults);
  const FalFault fault = { FAL_FAULT_NETWORK };

  fal_dialer_opened (dialer);
  for (guint i = 0; i < n; i++)
    fal_dialer_fault (dialer, &fault, 0, random);
  g_assert_cmpuint (fal_dialer_get_attempt (dialer), ==, n);
  fal_dialer_want (dialer);
  return fal_dialer_next_time (dialer, 0);
}

static void
test_delays_grow_to_the_longest_and_spread_within_bounds (void)
{
  gint64 last = 0;

  for (guint n = 1; n <= 60; n++) {
    gint64 longest = get_delay (n, 0), shortest = get_delay (n, 1);

    g_assert_cmpint (longest, >=, last);
    g_assert_cmpint (longest, <=, defaults.max_retry_delay);
    g_assert_cmpint (ABS (shortest - longest * 8 / 10), <=, 1);
    for (gdouble random = 0.1; random < 1; random += 0.2) {
      g_assert_cmpint (get_delay (n, random), <, longest);
      g_assert_cmpint (get_delay (n, random), >, shortest);
    }
    last = longest;
  }
  g_assert_cmpint (get_delay (1, 0), ==, defaults.retry_delay);
  g_assert_cmpint (last, ==, defaults.max_retry_delay);
}

/* Away for three seconds, it is found within one of its return: up to there, no delay is longer. */
static void
test_the_delays_of_the_first_seconds_are_short (void)
{
  gint64 sum = 0;

  for (guint n = 1; sum <= 3000 * MS; n++) {
    g_assert_cmpint (get_delay (n, 0), <, 1000 * MS);
    sum += get_delay (n, 0);
  }
}

static void
test_without_a_connect_timeout_an_attempt_goes_on (void)
{
  FalDialerConfig config = defaults;
  g_autoptr (FalDialer) dialer = NULL;

  config.connect_timeout = 0;
  dialer = make (config);
  fal_dialer_want (dialer);
  g_assert_cmpint (fal_dialer_next_action (dialer, 0), ==, FAL_DIAL_CONNECT);
  g_assert_cmpint (fal_dialer_next_time (dialer, 0), ==, G_MAXINT64);
  g_assert_cmpint (fal_dialer_next_action (dialer, G_MAXINT64 - 1), ==, FAL_DIAL_NOTHING);
}

static void
test_where_nothing_is_set_it_tries_for_ever (void)
{
  const FalFault fault = { FAL_FAULT_NETWORK };
  g_autoptr (FalDialer) dialer = fal_dialer_new ();

  fal_dialer_opened (dialer);
  for (guint i = 0; i < 100; i++)
    g_assert_cmpint (fal_dialer_fault (dialer, &fault, 0, 0), !=, FAL_VERDICT_FAIL);
}

static FalVerdict
judge (const FalFault *fault, gboolean stood)
{
  g_autoptr (FalDialer) dialer = make (defaults);

  if (stood) {
    fal_dialer_opened (dialer);
    fal_dialer_result_arrived (dialer);
  }
  return fal_dialer_fault (dialer, fault, 0, 0);
}

/* What each fault means at the very first connection, and after one stood, with a token that was
 * given. */
static void
test_every_fault_has_its_meaning (void)
{
  static const struct {
    FalFaultKind kind;
    guint code;
    FalVerdict at_first, later;
  } rows[] = {
    { FAL_FAULT_NETWORK, 0, FAL_VERDICT_WARN, FAL_VERDICT_WARN },
    { FAL_FAULT_TIMED_OUT, 0, FAL_VERDICT_WARN, FAL_VERDICT_WARN },
    { FAL_FAULT_UNKNOWN_HOST, 0, FAL_VERDICT_FAIL, FAL_VERDICT_WARN },
    { FAL_FAULT_SILENT, 0, FAL_VERDICT_WARN, FAL_VERDICT_WARN },
    { FAL_FAULT_LOADING, 0, FAL_VERDICT_WARN, FAL_VERDICT_WARN },
    { FAL_FAULT_DEAD, 0, FAL_VERDICT_WARN, FAL_VERDICT_WARN },
    { FAL_FAULT_ASKED, 0, FAL_VERDICT_QUIET, FAL_VERDICT_QUIET },
    { FAL_FAULT_TLS, 0, FAL_VERDICT_FAIL, FAL_VERDICT_WARN },
    { FAL_FAULT_TLS, FAL_TLS_FAULT_UNKNOWN_CA, FAL_VERDICT_FAIL, FAL_VERDICT_WARN },
    { FAL_FAULT_TLS, FAL_TLS_FAULT_WRONG_HOST, FAL_VERDICT_FAIL, FAL_VERDICT_WARN },
    { FAL_FAULT_TLS, FAL_TLS_FAULT_NOT_YET_VALID, FAL_VERDICT_FAIL, FAL_VERDICT_WARN },
    { FAL_FAULT_TLS, FAL_TLS_FAULT_EXPIRED, FAL_VERDICT_FAIL, FAL_VERDICT_WARN },
    { FAL_FAULT_TLS, FAL_TLS_FAULT_NOT_TLS, FAL_VERDICT_WARN, FAL_VERDICT_WARN },
    { FAL_FAULT_TLS, FAL_TLS_FAULT_MISSING, FAL_VERDICT_FAIL, FAL_VERDICT_FAIL },
    { FAL_FAULT_PROXY, 0, FAL_VERDICT_WARN, FAL_VERDICT_WARN },
    { FAL_FAULT_PROXY, 407, FAL_VERDICT_FAIL, FAL_VERDICT_FAIL },
    { FAL_FAULT_PROXY, 403, FAL_VERDICT_FAIL, FAL_VERDICT_WARN },
    { FAL_FAULT_PROXY, 502, FAL_VERDICT_WARN, FAL_VERDICT_WARN },
    { FAL_FAULT_PROVIDER, 0, FAL_VERDICT_WARN, FAL_VERDICT_WARN },
    { FAL_FAULT_PROVIDER, 1, FAL_VERDICT_WARN, FAL_VERDICT_WARN },
    { FAL_FAULT_STALE, 0, FAL_VERDICT_FAIL, FAL_VERDICT_FAIL },
    { FAL_FAULT_STALE, 1, FAL_VERDICT_FAIL, FAL_VERDICT_FAIL },
    { FAL_FAULT_WEBRTC, 0, FAL_VERDICT_FAIL, FAL_VERDICT_FAIL },
    { FAL_FAULT_UNAUTHORIZED, 0, FAL_VERDICT_FAIL, FAL_VERDICT_FAIL },
    { FAL_FAULT_HTTP, 101, FAL_VERDICT_FAIL, FAL_VERDICT_WARN },
    { FAL_FAULT_HTTP, 200, FAL_VERDICT_FAIL, FAL_VERDICT_WARN },
    { FAL_FAULT_HTTP, 302, FAL_VERDICT_FAIL, FAL_VERDICT_WARN },
    { FAL_FAULT_HTTP, 400, FAL_VERDICT_FAIL, FAL_VERDICT_WARN },
    { FAL_FAULT_HTTP, 401, FAL_VERDICT_FAIL, FAL_VERDICT_FAIL },
    { FAL_FAULT_HTTP, 403, FAL_VERDICT_FAIL, FAL_VERDICT_WARN },
    { FAL_FAULT_HTTP, 404, FAL_VERDICT_FAIL, FAL_VERDICT_WARN },
    { FAL_FAULT_HTTP, 408, FAL_VERDICT_WARN, FAL_VERDICT_WARN },
    { FAL_FAULT_HTTP, 426, FAL_VERDICT_FAIL, FAL_VERDICT_WARN },
    { FAL_FAULT_HTTP, 429, FAL_VERDICT_WARN, FAL_VERDICT_WARN },
    { FAL_FAULT_HTTP, 500, FAL_VERDICT_WARN, FAL_VERDICT_WARN },
    { FAL_FAULT_HTTP, 503, FAL_VERDICT_WARN, FAL_VERDICT_WARN },
    { FAL_FAULT_TOKEN, 0, FAL_VERDICT_WARN, FAL_VERDICT_WARN },
    { FAL_FAULT_TOKEN, 302, FAL_VERDICT_FAIL, FAL_VERDICT_WARN },
    { FAL_FAULT_TOKEN, 401, FAL_VERDICT_FAIL, FAL_VERDICT_FAIL },
    { FAL_FAULT_TOKEN, 422, FAL_VERDICT_FAIL, FAL_VERDICT_WARN },
    { FAL_FAULT_TOKEN, 500, FAL_VERDICT_WARN, FAL_VERDICT_WARN },
    { FAL_FAULT_CLOSED, 1000, FAL_VERDICT_QUIET, FAL_VERDICT_QUIET },
    { FAL_FAULT_CLOSED, 1001, FAL_VERDICT_WARN, FAL_VERDICT_WARN },
    { FAL_FAULT_CLOSED, 1002, FAL_VERDICT_WARN, FAL_VERDICT_WARN },
    { FAL_FAULT_CLOSED, 1003, FAL_VERDICT_WARN, FAL_VERDICT_WARN },
    { FAL_FAULT_CLOSED, 1005, FAL_VERDICT_QUIET, FAL_VERDICT_QUIET },
    { FAL_FAULT_CLOSED, 1006, FAL_VERDICT_WARN, FAL_VERDICT_WARN },
    { FAL_FAULT_CLOSED, 1007, FAL_VERDICT_WARN, FAL_VERDICT_WARN },
    { FAL_FAULT_CLOSED, 1008, FAL_VERDICT_FAIL, FAL_VERDICT_FAIL },
    { FAL_FAULT_CLOSED, 1009, FAL_VERDICT_WARN, FAL_VERDICT_WARN },
    { FAL_FAULT_CLOSED, 1011, FAL_VERDICT_WARN, FAL_VERDICT_WARN },
    { FAL_FAULT_CLOSED, 1012, FAL_VERDICT_WARN, FAL_VERDICT_WARN },
    { FAL_FAULT_CLOSED, 1013, FAL_VERDICT_WARN, FAL_VERDICT_WARN },
    { FAL_FAULT_CLOSED, 3000, FAL_VERDICT_WARN, FAL_VERDICT_WARN },
    { FAL_FAULT_CLOSED, 4001, FAL_VERDICT_WARN, FAL_VERDICT_WARN },
    { FAL_FAULT_SERVER, FAL_SERVER_FAULT_REPORTED, FAL_VERDICT_WARN, FAL_VERDICT_WARN },
    { FAL_FAULT_SERVER, FAL_SERVER_FAULT_TOO_BIG, FAL_VERDICT_WARN, FAL_VERDICT_WARN },
    { FAL_FAULT_SERVER, FAL_SERVER_FAULT_ENDLESS, FAL_VERDICT_FAIL, FAL_VERDICT_FAIL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    const FalFault fault = { rows[i].kind, rows[i].code };

    g_test_message ("kind %d code %u", rows[i].kind, rows[i].code);
    g_assert_cmpint (judge (&fault, FALSE), ==, rows[i].at_first);
    g_assert_cmpint (judge (&fault, TRUE), ==, rows[i].later);
    g_assert_nonnull (fal_fault_get_hint (&fault));
  }
}

/* ---- why it ends ---- */

/* The reason after so many of the same fault; the last one was final. */
static FalDialerEnd
fail (FalDialer *dialer, FalFault fault, guint n)
{
  while (--n > 0)
    g_assert_cmpint (fal_dialer_fault (dialer, &fault, 0, 0), !=, FAL_VERDICT_FAIL);
  g_assert_cmpint (fal_dialer_fault (dialer, &fault, 0, 0), ==, FAL_VERDICT_FAIL);
  return fal_dialer_get_end (dialer);
}

static void
test_an_end_says_why (void)
{
  static const struct {
    gint retries;
    gboolean stood;
    FalFault fault;
    guint n;
    FalDialerEnd end;
  } rows[] = {
    { -1, FALSE, { FAL_FAULT_HTTP, 404 }, 1, FAL_DIALER_END_FAULT },
    { -1, FALSE, { FAL_FAULT_NETWORK }, 9, FAL_DIALER_END_NEVER_STOOD },
    { -1, FALSE, { FAL_FAULT_TIMED_OUT }, 3, FAL_DIALER_END_TIMEOUTS },
    { 1, FALSE, { FAL_FAULT_TIMED_OUT }, 2, FAL_DIALER_END_RETRIES },
    { 9, FALSE, { FAL_FAULT_TIMED_OUT }, 3, FAL_DIALER_END_TIMEOUTS },
    { 2, FALSE, { FAL_FAULT_NETWORK }, 3, FAL_DIALER_END_RETRIES },
    { 2, TRUE, { FAL_FAULT_HTTP, 404 }, 3, FAL_DIALER_END_RETRIES },
    { 0, TRUE, { FAL_FAULT_CLOSED, 1006 }, 1, FAL_DIALER_END_RETRIES },
    { -1, TRUE, { FAL_FAULT_SERVER }, 5, FAL_DIALER_END_ERRORS },
    { 2, TRUE, { FAL_FAULT_HTTP, 401 }, 1, FAL_DIALER_END_FAULT },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    FalDialerConfig config = defaults;
    g_autoptr (FalDialer) dialer = NULL;

    g_test_message ("row %u", i);
    config.retries = rows[i].retries;
    dialer = make (config);
    if (rows[i].stood)
      fal_dialer_opened (dialer);
    g_assert_cmpint (fail (dialer, rows[i].fault, rows[i].n), ==, rows[i].end);
  }
}

/* In a row: whatever comes between shows that somebody is there. */
static void
test_timeouts_count_in_a_row_and_until_a_connection_stood (void)
{
  const FalFault timeout = { FAL_FAULT_TIMED_OUT }, other = { FAL_FAULT_HTTP, 503 };
  g_autoptr (FalDialer) dialer = make (defaults);

  for (guint i = 0; i < 2; i++) {
    g_assert_cmpint (fal_dialer_fault (dialer, &timeout, 0, 0), !=, FAL_VERDICT_FAIL);
    g_assert_cmpint (fal_dialer_fault (dialer, &timeout, 0, 0), !=, FAL_VERDICT_FAIL);
    g_assert_cmpint (fal_dialer_fault (dialer, &other, 0, 0), !=, FAL_VERDICT_FAIL);
  }
  fal_dialer_opened (dialer);
  for (guint i = 0; i < 100; i++)
    g_assert_cmpint (fal_dialer_fault (dialer, &timeout, 0, 0), !=, FAL_VERDICT_FAIL);
}

static void
test_a_model_that_loads_spends_no_retries (void)
{
  const FalFault loading = { FAL_FAULT_LOADING };
  FalDialerConfig config = defaults;
  g_autoptr (FalDialer) dialer = NULL;

  config.retries = 1;
  dialer = make (config);
  for (guint i = 0; i < 100; i++) {
    fal_dialer_opened (dialer);
    g_assert_cmpint (fal_dialer_fault (dialer, &loading, 0, 0), ==,
        i == 0 ? FAL_VERDICT_WARN : FAL_VERDICT_AGAIN);
  }
  g_assert_cmpuint (fal_dialer_get_attempt (dialer), ==, 0);
}

/* ---- errors in place of answers ---- */

static void
test_an_error_in_place_of_every_answer_ends_it (void)
{
  const FalFault endless = { FAL_FAULT_SERVER, FAL_SERVER_FAULT_ENDLESS };
  g_autoptr (FalDialer) dialer = make (defaults);

  fal_dialer_opened (dialer);
  for (guint i = 1; i < 5; i++)
    g_assert_false (fal_dialer_error_arrived (dialer, i));
  g_assert_true (fal_dialer_error_arrived (dialer, 5));
  g_assert_cmpint (fail (dialer, endless, 1), ==, FAL_DIALER_END_FAULT);
  for (guint i = 6; i < 10; i++) /* somebody began anew */
    g_assert_false (fal_dialer_error_arrived (dialer, i));
}

/* Where results came before it may be but an input that is about to change. */
static void
test_after_a_result_errors_are_borne_for_a_while (void)
{
  g_autoptr (FalDialer) dialer = make (defaults);

  fal_dialer_opened (dialer);
  for (guint i = 1; i < 5; i++)
    g_assert_false (fal_dialer_error_arrived (dialer, 0));
  fal_dialer_result_arrived (dialer);
  for (guint i = 0; i < 100; i++)
    g_assert_false (fal_dialer_error_arrived (dialer, 1000 * MS + i));
  g_assert_false (fal_dialer_error_arrived (dialer, 6000 * MS - 1));
  g_assert_true (fal_dialer_error_arrived (dialer, 6000 * MS));
  fal_dialer_result_arrived (dialer);
  g_assert_false (fal_dialer_error_arrived (dialer, 60000 * MS));
}

static void
test_several_are_as_far_as_the_one_that_is_farthest (void)
{
  static const FalDialerState order[] = { FAL_DIALER_FAILED, FAL_DIALER_IDLE, FAL_DIALER_WAITING,
    FAL_DIALER_AUTHENTICATING, FAL_DIALER_CONNECTING, FAL_DIALER_WARMING_UP, FAL_DIALER_CONNECTED };

  for (guint i = 0; i < G_N_ELEMENTS (order); i++) {
    for (guint k = 0; k <= i; k++) {
      g_assert_cmpint (fal_dialer_state_combine (order[i], order[k]), ==, order[i]);
      g_assert_cmpint (fal_dialer_state_combine (order[k], order[i]), ==, order[i]);
    }
  }
  g_assert_cmpstr (fal_dialer_state_get_name (FAL_DIALER_WARMING_UP), ==, "warming-up");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (stories); i++) {
    g_autofree gchar *path = g_strdup_printf ("/dialer/%s", stories[i].name);

    g_test_add_data_func (path, GUINT_TO_POINTER (i), test_story);
  }
#define ADD(name) g_test_add_func ("/dialer/" #name, test_##name)
  ADD (delays_grow_to_the_longest_and_spread_within_bounds);
  ADD (the_delays_of_the_first_seconds_are_short);
  ADD (without_a_connect_timeout_an_attempt_goes_on);
  ADD (where_nothing_is_set_it_tries_for_ever);
  ADD (every_fault_has_its_meaning);
  ADD (an_end_says_why);
  ADD (timeouts_count_in_a_row_and_until_a_connection_stood);
  ADD (a_model_that_loads_spends_no_retries);
  ADD (an_error_in_place_of_every_answer_ends_it);
  ADD (after_a_result_errors_are_borne_for_a_while);
  ADD (several_are_as_far_as_the_one_that_is_farthest);
  return g_test_run ();
}
