/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The dialer with literal times, in milliseconds; no randomness (0). */
#include "fal/dialer.h"

#define MS G_TIME_SPAN_MILLISECOND
#define NEVER G_MAXINT64

static const FalDialerConfig defaults = {
  .retries = -1,
  .retry_delay = 250 * MS,
  .max_retry_delay = 8000 * MS,
  .connect_timeout = 30000 * MS,
};

static FalDialer *
make (FalDialerConfig config)
{
  FalDialer *dialer = fal_dialer_new ();

  fal_dialer_configure (dialer, &config);
  return dialer;
}

static FalDialer *
make_with_key (void)
{
  FalDialerConfig config = defaults;

  config.fetches_token = TRUE;
  return make (config);
}

static FalDialAction
ask (FalDialer *dialer, gint64 now)
{
  return fal_dialer_next_action (dialer, now * MS);
}

static FalVerdict
fail (FalDialer *dialer, FalFaultKind kind, guint code, gint64 now)
{
  FalFault fault = { kind, code };

  return fal_dialer_fault (dialer, &fault, now * MS, 0);
}

static void
connect (FalDialer *dialer, gint64 now)
{
  fal_dialer_want (dialer);
  g_assert_cmpint (ask (dialer, now), ==, FAL_DIAL_CONNECT);
  fal_dialer_opened (dialer);
}

static void
test_connects_only_when_there_is_something_to_send (void)
{
  g_autoptr (FalDialer) dialer = make (defaults);

  g_assert_cmpint (ask (dialer, 0), ==, FAL_DIAL_NOTHING);
  g_assert_cmpint (fal_dialer_next_time (dialer, 0), ==, NEVER);
  fal_dialer_want (dialer);
  g_assert_cmpint (ask (dialer, 1), ==, FAL_DIAL_CONNECT);
  g_assert_cmpint (ask (dialer, 2), ==, FAL_DIAL_NOTHING);
  g_assert_cmpint (fal_dialer_get_state (dialer), ==, FAL_DIALER_CONNECTING);
  fal_dialer_opened (dialer);
  g_assert_cmpint (fal_dialer_get_state (dialer), ==, FAL_DIALER_WARMING_UP);
  fal_dialer_result_arrived (dialer);
  g_assert_cmpint (fal_dialer_get_state (dialer), ==, FAL_DIALER_CONNECTED);
}

static void
test_a_key_fetches_a_token_for_each_connection (void)
{
  g_autoptr (FalDialer) dialer = make_with_key ();

  for (guint i = 0; i < 3; i++) {
    fal_dialer_want (dialer);
    g_assert_cmpint (ask (dialer, i), ==, FAL_DIAL_FETCH_TOKEN);
    g_assert_cmpint (fal_dialer_get_state (dialer), ==, FAL_DIALER_AUTHENTICATING);
    fal_dialer_token_arrived (dialer);
    g_assert_cmpint (fal_dialer_get_state (dialer), ==, FAL_DIALER_CONNECTING);
    fal_dialer_opened (dialer);
    fal_dialer_result_arrived (dialer);
    g_assert_cmpint (fail (dialer, FAL_FAULT_CLOSED, 1000, i), ==, FAL_VERDICT_QUIET);
  }
}

static void
test_an_attempt_is_given_up_after_the_connect_timeout (void)
{
  g_autoptr (FalDialer) dialer = make (defaults);

  fal_dialer_want (dialer);
  ask (dialer, 100);
  g_assert_cmpint (fal_dialer_next_time (dialer, 100 * MS), ==, 30100 * MS);
  g_assert_cmpint (ask (dialer, 30099), ==, FAL_DIAL_NOTHING);
  g_assert_cmpint (ask (dialer, 30100), ==, FAL_DIAL_GIVE_UP_ATTEMPT);
  g_assert_cmpint (ask (dialer, 30101), ==, FAL_DIAL_NOTHING);
  g_assert_cmpint (fail (dialer, FAL_FAULT_TIMED_OUT, 0, 30101), ==, FAL_VERDICT_WARN);
}

static void
test_an_outage_warns_once_and_backs_off (void)
{
  static const gint64 delays[] = { 250, 312, 390, 488, 610, 762, 953 };
  g_autoptr (FalDialer) dialer = make (defaults);
  gint64 now = 0;

  connect (dialer, 0);
  fal_dialer_result_arrived (dialer);
  for (guint i = 0; i < G_N_ELEMENTS (delays); i++) {
    FalVerdict verdict = fail (dialer, FAL_FAULT_NETWORK, 0, now);

    g_assert_cmpint (verdict, ==, i == 0 ? FAL_VERDICT_WARN : FAL_VERDICT_AGAIN);
    fal_dialer_want (dialer);
    g_assert_cmpint (fal_dialer_next_time (dialer, now * MS) / MS - now, ==, delays[i]);
    now += delays[i];
    g_assert_cmpint (ask (dialer, now - 1), ==, FAL_DIAL_NOTHING);
    g_assert_cmpint (ask (dialer, ++now), ==, FAL_DIAL_CONNECT);
  }
  fal_dialer_opened (dialer);
  fal_dialer_result_arrived (dialer);
  g_assert_cmpint (fal_dialer_get_attempt (dialer), ==, 0);
  g_assert_cmpint (fail (dialer, FAL_FAULT_NETWORK, 0, now), ==, FAL_VERDICT_WARN);
}

static void
test_delay_has_a_most (void)
{
  g_autoptr (FalDialer) dialer = make (defaults);

  connect (dialer, 0);
  for (guint i = 0; i < 100; i++)
    fail (dialer, FAL_FAULT_NETWORK, 0, 0);
  fal_dialer_want (dialer);
  g_assert_cmpint (fal_dialer_next_time (dialer, 0), ==, 8000 * MS);
}

static void
test_jitter_shortens_by_a_fifth_at_most (void)
{
  g_autoptr (FalDialer) dialer = make (defaults);
  FalFault fault = { FAL_FAULT_NETWORK };

  connect (dialer, 0);
  fal_dialer_fault (dialer, &fault, 0, 1.0);
  fal_dialer_want (dialer);
  g_assert_cmpint (fal_dialer_next_time (dialer, 0), ==, 200 * MS);
}

static void
test_retries_are_spent (void)
{
  FalDialerConfig config = defaults;
  g_autoptr (FalDialer) dialer = NULL;

  config.retries = 2;
  dialer = make (config);
  connect (dialer, 0);
  fal_dialer_result_arrived (dialer);
  g_assert_cmpint (fail (dialer, FAL_FAULT_NETWORK, 0, 0), ==, FAL_VERDICT_WARN);
  g_assert_cmpint (fail (dialer, FAL_FAULT_NETWORK, 0, 1000), ==, FAL_VERDICT_AGAIN);
  g_assert_cmpint (fail (dialer, FAL_FAULT_NETWORK, 0, 2000), ==, FAL_VERDICT_FAIL);
  g_assert_cmpint (fal_dialer_get_state (dialer), ==, FAL_DIALER_FAILED);
  fal_dialer_want (dialer);
  g_assert_cmpint (ask (dialer, 100000), ==, FAL_DIAL_NOTHING);
}

static void
test_an_address_never_reached_is_taken_for_a_wrong_one (void)
{
  g_autoptr (FalDialer) dialer = make (defaults);
  guint n = 0;

  while (fail (dialer, FAL_FAULT_NETWORK, 0, n) != FAL_VERDICT_FAIL)
    n++;
  g_assert_cmpuint (n, ==, FAL_DIALER_FIRST_RETRIES);
}

static void
test_an_unknown_host_is_final_only_at_first (void)
{
  g_autoptr (FalDialer) first = make (defaults);
  g_autoptr (FalDialer) later = make (defaults);

  g_assert_cmpint (fail (first, FAL_FAULT_UNKNOWN_HOST, 0, 0), ==, FAL_VERDICT_FAIL);
  connect (later, 0);
  g_assert_cmpint (fail (later, FAL_FAULT_UNKNOWN_HOST, 0, 0), ==, FAL_VERDICT_WARN);
}

static void
test_a_refused_token_is_replaced_once (void)
{
  g_autoptr (FalDialer) with_key = make_with_key ();
  g_autoptr (FalDialer) with_token = make (defaults);

  g_assert_cmpint (fail (with_key, FAL_FAULT_HTTP, 401, 0), ==, FAL_VERDICT_WARN);
  fal_dialer_want (with_key);
  g_assert_cmpint (ask (with_key, 250), ==, FAL_DIAL_FETCH_TOKEN);
  g_assert_cmpint (fail (with_key, FAL_FAULT_HTTP, 401, 300), ==, FAL_VERDICT_FAIL);
  g_assert_cmpint (fail (with_token, FAL_FAULT_HTTP, 401, 0), ==, FAL_VERDICT_FAIL);
}

/* What was refused before a new token was set is forgotten. */
static void
test_a_new_token_gets_a_chance (void)
{
  g_autoptr (FalDialer) dialer = make_with_key ();

  g_assert_cmpint (fail (dialer, FAL_FAULT_HTTP, 401, 0), ==, FAL_VERDICT_WARN);
  fal_dialer_forgive (dialer);
  g_assert_cmpint (fail (dialer, FAL_FAULT_HTTP, 401, 300), !=, FAL_VERDICT_FAIL);
  g_assert_cmpint (fail (dialer, FAL_FAULT_HTTP, 401, 600), ==, FAL_VERDICT_FAIL);
}

static void
test_a_refusal_is_told_from_other_faults (void)
{
  static const FalFault refusals[] = { { FAL_FAULT_HTTP, 401 }, { FAL_FAULT_HTTP, 403 },
    { FAL_FAULT_TOKEN, 401 }, { FAL_FAULT_UNAUTHORIZED }, { FAL_FAULT_CLOSED, 1008 },
    { FAL_FAULT_STALE } };
  static const FalFault others[] = { { FAL_FAULT_HTTP, 404 }, { FAL_FAULT_HTTP, 500 },
    { FAL_FAULT_TOKEN, 500 }, { FAL_FAULT_CLOSED, 1000 }, { FAL_FAULT_PROXY, 407 },
    { FAL_FAULT_PROVIDER }, { FAL_FAULT_TLS }, { FAL_FAULT_ASKED } };

  for (guint i = 0; i < G_N_ELEMENTS (refusals); i++)
    g_assert_true (fal_fault_is_refusal (&refusals[i]));
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    g_assert_false (fal_fault_is_refusal (&others[i]));
}

static void
test_the_end_for_idleness_is_quiet (void)
{
  g_autoptr (FalDialer) dialer = make (defaults);

  connect (dialer, 0);
  fal_dialer_result_arrived (dialer);
  fal_dialer_idle_announced (dialer);
  g_assert_cmpint (fail (dialer, FAL_FAULT_CLOSED, 1000, 5000), ==, FAL_VERDICT_QUIET);
  g_assert_cmpint (fal_dialer_get_state (dialer), ==, FAL_DIALER_IDLE);
  fal_dialer_want (dialer);
  g_assert_cmpint (ask (dialer, 5000), ==, FAL_DIAL_CONNECT);
}

/* A cold pool accepts, swallows and closes cleanly: that is no error, and no reason to hurry. */
static void
test_a_quiet_end_without_a_result_is_not_dialled_in_a_hurry (void)
{
  g_autoptr (FalDialer) dialer = make (defaults);

  connect (dialer, 0);
  g_assert_cmpint (fail (dialer, FAL_FAULT_CLOSED, 1000, 100), ==, FAL_VERDICT_QUIET);
  fal_dialer_want (dialer);
  g_assert_cmpint (ask (dialer, 349), ==, FAL_DIAL_NOTHING);
  g_assert_cmpint (ask (dialer, 350), ==, FAL_DIAL_CONNECT);
}

static void
test_server_errors_in_a_row_end_it (void)
{
  g_autoptr (FalDialer) dialer = make (defaults);

  for (guint i = 1; i < FAL_DIALER_MAX_SERVER_ERRORS; i++) {
    connect (dialer, i * 100000);
    g_assert_cmpint (fail (dialer, FAL_FAULT_SERVER, 0, i * 100000), !=, FAL_VERDICT_FAIL);
  }
  connect (dialer, 900000);
  g_assert_cmpint (fail (dialer, FAL_FAULT_SERVER, 0, 900000), ==, FAL_VERDICT_FAIL);
}

static void
test_a_result_forgives_server_errors (void)
{
  g_autoptr (FalDialer) dialer = make (defaults);

  for (guint i = 1; i < 4 * FAL_DIALER_MAX_SERVER_ERRORS; i++) {
    connect (dialer, i * 100000);
    fal_dialer_result_arrived (dialer);
    g_assert_cmpint (fail (dialer, FAL_FAULT_SERVER, 0, i * 100000), ==, FAL_VERDICT_WARN);
  }
}

static void
test_the_server_may_ask_for_patience (void)
{
  g_autoptr (FalDialer) dialer = make (defaults);
  FalFault fault = { FAL_FAULT_HTTP, 429, 3000 * MS };

  g_assert_cmpint (fal_dialer_fault (dialer, &fault, 0, 0), ==, FAL_VERDICT_WARN);
  fal_dialer_want (dialer);
  g_assert_cmpint (fal_dialer_next_time (dialer, 0), ==, 3000 * MS);
}

/* What each fault means on a connection that stood before, with a token that was given. */
static void
test_every_fault_has_its_meaning (void)
{
  static const struct {
    FalFaultKind kind;
    guint code;
    FalVerdict verdict;
  } rows[] = {
    { FAL_FAULT_NETWORK, 0, FAL_VERDICT_WARN },
    { FAL_FAULT_TIMED_OUT, 0, FAL_VERDICT_WARN },
    { FAL_FAULT_SILENT, 0, FAL_VERDICT_WARN },
    { FAL_FAULT_TLS, 0, FAL_VERDICT_FAIL },
    { FAL_FAULT_TLS, FAL_TLS_FAULT_UNKNOWN_CA, FAL_VERDICT_FAIL },
    { FAL_FAULT_TLS, FAL_TLS_FAULT_WRONG_HOST, FAL_VERDICT_FAIL },
    { FAL_FAULT_TLS, FAL_TLS_FAULT_NOT_YET_VALID, FAL_VERDICT_FAIL },
    { FAL_FAULT_TLS, FAL_TLS_FAULT_EXPIRED, FAL_VERDICT_FAIL },
    { FAL_FAULT_TLS, FAL_TLS_FAULT_NOT_TLS, FAL_VERDICT_WARN },
    { FAL_FAULT_TLS, FAL_TLS_FAULT_MISSING, FAL_VERDICT_FAIL },
    { FAL_FAULT_PROXY, 0, FAL_VERDICT_WARN },
    { FAL_FAULT_PROXY, 407, FAL_VERDICT_FAIL },
    { FAL_FAULT_PROXY, 403, FAL_VERDICT_FAIL },
    { FAL_FAULT_PROXY, 502, FAL_VERDICT_WARN },
    { FAL_FAULT_PROVIDER, 0, FAL_VERDICT_WARN },
    { FAL_FAULT_PROVIDER, 1, FAL_VERDICT_WARN },
    { FAL_FAULT_STALE, 0, FAL_VERDICT_FAIL },
    { FAL_FAULT_STALE, 1, FAL_VERDICT_FAIL },
    { FAL_FAULT_WEBRTC, 0, FAL_VERDICT_FAIL },
    { FAL_FAULT_UNAUTHORIZED, 0, FAL_VERDICT_FAIL },
    { FAL_FAULT_HTTP, 101, FAL_VERDICT_FAIL },
    { FAL_FAULT_HTTP, 200, FAL_VERDICT_FAIL },
    { FAL_FAULT_HTTP, 302, FAL_VERDICT_FAIL },
    { FAL_FAULT_HTTP, 400, FAL_VERDICT_FAIL },
    { FAL_FAULT_HTTP, 401, FAL_VERDICT_FAIL },
    { FAL_FAULT_HTTP, 403, FAL_VERDICT_FAIL },
    { FAL_FAULT_HTTP, 404, FAL_VERDICT_FAIL },
    { FAL_FAULT_HTTP, 408, FAL_VERDICT_WARN },
    { FAL_FAULT_HTTP, 426, FAL_VERDICT_FAIL },
    { FAL_FAULT_HTTP, 429, FAL_VERDICT_WARN },
    { FAL_FAULT_HTTP, 500, FAL_VERDICT_WARN },
    { FAL_FAULT_HTTP, 503, FAL_VERDICT_WARN },
    { FAL_FAULT_TOKEN, 0, FAL_VERDICT_WARN },
    { FAL_FAULT_TOKEN, 401, FAL_VERDICT_FAIL },
    { FAL_FAULT_TOKEN, 422, FAL_VERDICT_FAIL },
    { FAL_FAULT_TOKEN, 500, FAL_VERDICT_WARN },
    { FAL_FAULT_CLOSED, 1000, FAL_VERDICT_QUIET },
    { FAL_FAULT_CLOSED, 1001, FAL_VERDICT_WARN },
    { FAL_FAULT_CLOSED, 1002, FAL_VERDICT_WARN },
    { FAL_FAULT_CLOSED, 1005, FAL_VERDICT_QUIET },
    { FAL_FAULT_CLOSED, 1006, FAL_VERDICT_WARN },
    { FAL_FAULT_CLOSED, 1008, FAL_VERDICT_FAIL },
    { FAL_FAULT_CLOSED, 1009, FAL_VERDICT_WARN },
    { FAL_FAULT_CLOSED, 1011, FAL_VERDICT_WARN },
    { FAL_FAULT_CLOSED, 1012, FAL_VERDICT_WARN },
    { FAL_FAULT_CLOSED, 1013, FAL_VERDICT_WARN },
    { FAL_FAULT_CLOSED, 3000, FAL_VERDICT_WARN },
    { FAL_FAULT_CLOSED, 4001, FAL_VERDICT_WARN },
    { FAL_FAULT_SERVER, 0, FAL_VERDICT_WARN },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (FalDialer) dialer = make (defaults);
    FalFault fault = { rows[i].kind, rows[i].code };

    connect (dialer, 0);
    fal_dialer_result_arrived (dialer);
    g_test_message ("kind %d code %u", rows[i].kind, rows[i].code);
    g_assert_cmpint (fal_dialer_fault (dialer, &fault, 0, 0), ==, rows[i].verdict);
    g_assert_nonnull (fal_fault_get_hint (&fault));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/dialer/" #name, test_##name)
  ADD (connects_only_when_there_is_something_to_send);
  ADD (a_key_fetches_a_token_for_each_connection);
  ADD (an_attempt_is_given_up_after_the_connect_timeout);
  ADD (an_outage_warns_once_and_backs_off);
  ADD (delay_has_a_most);
  ADD (jitter_shortens_by_a_fifth_at_most);
  ADD (retries_are_spent);
  ADD (an_address_never_reached_is_taken_for_a_wrong_one);
  ADD (an_unknown_host_is_final_only_at_first);
  ADD (a_refused_token_is_replaced_once);
  ADD (a_new_token_gets_a_chance);
  ADD (a_refusal_is_told_from_other_faults);
  ADD (the_end_for_idleness_is_quiet);
  ADD (a_quiet_end_without_a_result_is_not_dialled_in_a_hurry);
  ADD (server_errors_in_a_row_end_it);
  ADD (a_result_forgives_server_errors);
  ADD (the_server_may_ask_for_patience);
  ADD (every_fault_has_its_meaning);
  return g_test_run ();
}
