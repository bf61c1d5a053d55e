/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The shares with literal times, in milliseconds. The members are these three. */
#include "fal/policy/shares.h"

#define MS G_TIME_SPAN_MILLISECOND

static gchar a[] = "a", b[] = "b", c[] = "c";

/* What @user pays for at @now, ms. */
static gdouble
get (const FalShares *shares, gpointer user, gint64 now)
{
  FalPaidTime paid;

  fal_shares_get (shares, user, &paid);
  return fal_paid_time_get (&paid, now * MS) / MS;
}

static void
test_one_alone_pays_for_all (void)
{
  g_autoptr (FalShares) shares = fal_shares_new ();

  fal_shares_join (shares, a, 1000 * MS);
  g_assert_cmpfloat (get (shares, a, 5000), ==, 0);
  fal_shares_open (shares, 5000 * MS);
  g_assert_cmpfloat (get (shares, a, 7000), ==, 2000);
  fal_shares_close (shares, 8000 * MS);
  g_assert_cmpfloat (get (shares, a, 9000), ==, 3000);
  fal_shares_open (shares, 20000 * MS);
  g_assert_cmpfloat (get (shares, a, 21000), ==, 4000);
}

/* One comes to a connection that stands, and goes before it ends. */
static void
test_those_that_are_there_pay_in_equal_parts (void)
{
  g_autoptr (FalShares) shares = fal_shares_new ();

  fal_shares_join (shares, a, 0);
  fal_shares_open (shares, 1000 * MS);
  fal_shares_join (shares, b, 3000 * MS);
  g_assert_cmpfloat (get (shares, a, 5000), ==, 3000);
  g_assert_cmpfloat (get (shares, b, 5000), ==, 1000);
  fal_shares_join (shares, c, 5000 * MS);
  g_assert_cmpfloat (get (shares, c, 8000), ==, 1000);
  g_assert_cmpfloat (get (shares, a, 8000), ==, 4000);
  fal_shares_leave (shares, a, 8000 * MS);
  fal_shares_close (shares, 10000 * MS);
  g_assert_cmpfloat (get (shares, b, 99000), ==, 3000);
  g_assert_cmpfloat (get (shares, c, 99000), ==, 2000); /* with a's 4000: the 9000 that it stood */
}

/* Where nobody uses it, it is paid for all the same. */
static void
test_those_that_do_not_use_it_do_not_pay (void)
{
  g_autoptr (FalShares) shares = fal_shares_new ();

  fal_shares_join (shares, a, 0);
  fal_shares_join (shares, b, 0);
  fal_shares_set_use (shares, b, FALSE, 0);
  fal_shares_open (shares, 1000 * MS);
  g_assert_cmpfloat (get (shares, a, 2000), ==, 1000);
  g_assert_cmpfloat (get (shares, b, 2000), ==, 0);
  fal_shares_set_use (shares, a, FALSE, 2000 * MS);
  g_assert_cmpfloat (get (shares, a, 4000), ==, 2000);
  g_assert_cmpfloat (get (shares, b, 4000), ==, 1000);
  fal_shares_set_use (shares, b, TRUE, 4000 * MS);
  g_assert_cmpfloat (get (shares, a, 5000), ==, 2000);
  g_assert_cmpfloat (get (shares, b, 5000), ==, 2000);
}

/* Whoever comes again has paid for nothing. */
static void
test_a_member_begins_anew (void)
{
  g_autoptr (FalShares) shares = fal_shares_new ();

  fal_shares_join (shares, a, 0);
  fal_shares_join (shares, b, 0);
  fal_shares_open (shares, 1000 * MS);
  fal_shares_leave (shares, a, 3000 * MS);
  fal_shares_join (shares, a, 4000 * MS);
  g_assert_cmpfloat (get (shares, a, 4000), ==, 0);
  g_assert_cmpfloat (get (shares, b, 4000), ==, 2000);
}

/* Whatever happens when, as many microseconds are paid for as it stood, or a few less. */
static void
test_the_sum_is_never_more_than_the_time (void)
{
  g_autoptr (FalShares) shares = fal_shares_new ();
  gpointer const users[] = { a, b, c };
  gint64 now = 1000, stood;
  gdouble sum = 0;

  for (guint i = 0; i < G_N_ELEMENTS (users); i++)
    fal_shares_join (shares, users[i], now);
  fal_shares_open (shares, now);
  for (guint n = 0; n < 1000; n++)
    fal_shares_set_use (shares, users[n % 3], n % 7 < 4, now += 1 + n % 11);
  fal_shares_close (shares, now);
  stood = now - 1000;
  for (guint i = 0; i < G_N_ELEMENTS (users); i++) {
    FalPaidTime paid;

    fal_shares_get (shares, users[i], &paid);
    sum += fal_paid_time_get (&paid, now);
  }
  g_assert_cmpfloat (sum, <=, stood);
  g_assert_cmpfloat (sum, >=, stood - 2 * 1000);
}

/* Of several connections: one that has ended, one that is paid for half, one whole. */
static void
test_paid_times_add_up (void)
{
  const FalPaidTime ended = { .time = 1000 }, half = { .time = 200, .since = 5000, .rate = 0.5 };
  const FalPaidTime whole = { .time = 0, .since = 6000, .rate = 1 };
  FalPaidTime sum = ended;

  fal_paid_time_add (&sum, &ended, 7000);
  g_assert_cmpfloat (fal_paid_time_get (&sum, 9000), ==, 2000);
  g_assert_cmpint (sum.since, ==, 0); /* none of them stands */
  fal_paid_time_add (&sum, &half, 7000);
  g_assert_cmpfloat (fal_paid_time_get (&sum, 9000), ==, 2000 + 200 + 2000);
  g_assert_cmpint (sum.since, ==, 7000);
  fal_paid_time_add (&sum, &ended, 8000);
  g_assert_cmpint (sum.since, ==, 8000);
  fal_paid_time_add (&sum, &whole, 8000);
  g_assert_cmpfloat (sum.rate, ==, 1.5);
  g_assert_cmpfloat (fal_paid_time_get (&sum, 9000), ==, 3000 + 200 + 2000 + 3000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/policy/shares/" #name, test_##name)
  ADD (one_alone_pays_for_all);
  ADD (those_that_are_there_pay_in_equal_parts);
  ADD (those_that_do_not_use_it_do_not_pay);
  ADD (a_member_begins_anew);
  ADD (the_sum_is_never_more_than_the_time);
  ADD (paid_times_add_up);
  return g_test_run ();
}
