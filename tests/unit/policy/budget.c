/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The budget with literal prices and times, in milliseconds. Prices that are binary fractions give
 * sums that can be compared as they are. */
#include "fal/policy/budget.h"

#define MS G_TIME_SPAN_MILLISECOND
#define NEVER G_MAXINT64

static void
configure (FalBudget *budget, gdouble per_second, gdouble per_request, gdouble limit, gint64 now)
{
  const FalBudgetConfig config = { per_second, per_request, limit };

  fal_budget_configure (budget, &config, now * MS);
}

static void
set_up (FalBudget *budget, gdouble per_second, gdouble per_request, gdouble limit)
{
  *budget = (FalBudget) { 0 };
  configure (budget, per_second, per_request, limit, 0);
}

/* @time was paid for up to @since, and a part of @rate is from then on. */
static void
pay (FalBudget *budget, gint64 time, gint64 since, gdouble rate)
{
  const FalPaidTime paid = { time * MS, since * MS, rate };

  fal_budget_note_paid_time (budget, &paid);
}

static void
request (FalBudget *budget, guint n)
{
  for (guint i = 0; i < n; i++)
    fal_budget_note_request (budget);
}

static gdouble
get_cost (const FalBudget *budget, gint64 now)
{
  FalCost cost;

  fal_budget_get_cost (budget, now * MS, &cost);
  return cost.cost;
}

static void
test_without_a_price_nothing_has_a_cost (void)
{
  FalBudget b;

  set_up (&b, 0, 0, 5);
  g_assert_true (fal_budget_lacks_price (&b));
  pay (&b, 1000, 1000, 1);
  request (&b, 3);
  g_assert_cmpfloat (get_cost (&b, 100000), ==, 0);
  g_assert_true (fal_budget_allows_request (&b, 100000 * MS));
  g_assert_cmpint (fal_budget_get_end_time (&b), ==, NEVER);
  g_assert_cmpint (fal_budget_get_tell_time (&b), ==, NEVER);
  g_assert_false (fal_budget_tell (&b, 100000 * MS));
}

static void
test_only_a_budget_lacks_a_price (void)
{
  FalBudget b;

  set_up (&b, 0, 0, 0);
  g_assert_false (fal_budget_lacks_price (&b));
  set_up (&b, 0, 0, 0.5);
  g_assert_true (fal_budget_lacks_price (&b));
}

static void
test_a_price_without_a_budget_ends_nothing (void)
{
  FalBudget b;

  set_up (&b, 0.5, 2, 0);
  g_assert_false (fal_budget_lacks_price (&b));
  pay (&b, 1000, 5000, 1);
  request (&b, 3);
  g_assert_cmpfloat (get_cost (&b, 7000), ==, 0.5 + 1 + 6);
  g_assert_true (fal_budget_allows_request (&b, 100000 * MS));
  g_assert_cmpint (fal_budget_get_end_time (&b), ==, NEVER);
  g_assert_cmpint (fal_budget_get_tell_time (&b), ==, NEVER);
  g_assert_false (fal_budget_tell (&b, 100000 * MS));
}

/* Ten seconds, of which four went on connections before. */
static void
test_time_ends_it_to_the_microsecond (void)
{
  FalBudget b;

  set_up (&b, 0.5, 0, 5);
  pay (&b, 4000, 0, 0);
  g_assert_cmpint (fal_budget_get_end_time (&b), ==, NEVER); /* nothing is connected */
  g_assert_cmpfloat (get_cost (&b, 100000), ==, 2);
  pay (&b, 4000, 20000, 1);
  g_assert_cmpint (fal_budget_get_end_time (&b), ==, 26000 * MS);
  pay (&b, 4000, 20000, 0.25); /* four share it */
  g_assert_cmpint (fal_budget_get_end_time (&b), ==, 44000 * MS);
  g_assert_cmpfloat (get_cost (&b, 44000), ==, 5);
  pay (&b, 12000, 20000, 1); /* it was used up before */
  g_assert_cmpint (fal_budget_get_end_time (&b), ==, 20000 * MS);
}

/* Three a second: the tenth is reached within the microsecond before. */
static void
test_it_does_not_end_before_it_is_used_up (void)
{
  FalBudget b;

  set_up (&b, 3, 0, 10);
  pay (&b, 0, 1000, 1);
  g_assert_cmpint (fal_budget_get_end_time (&b), ==, 1000 * MS + 3333334);
}

static void
test_what_is_centuries_away_is_never (void)
{
  FalBudget b;

  set_up (&b, 1e-300, 0, 1e300);
  pay (&b, 0, 1000, 1);
  g_assert_cmpint (fal_budget_get_end_time (&b), ==, NEVER);
  g_assert_cmpint (fal_budget_get_tell_time (&b), ==, NEVER);
}

/* The sum of three times 0.1 is more than 0.3, as floating point has it. */
static void
test_the_request_that_would_exceed_it_does_not_go (void)
{
  FalBudget b;

  set_up (&b, 0, 0.1, 0.3);
  for (guint i = 0; i < 3; i++) {
    g_assert_true (fal_budget_allows_request (&b, 0));
    fal_budget_note_request (&b);
  }
  g_assert_false (fal_budget_allows_request (&b, 0));
  g_assert_cmpint (fal_budget_get_end_time (&b), ==, NEVER); /* what went may be answered */
  fal_budget_take_back_request (&b);
  g_assert_true (fal_budget_allows_request (&b, 0));
}

static void
test_what_did_not_go_costs_nothing (void)
{
  FalBudget b;

  set_up (&b, 0, 0.5, 4);
  request (&b, 1);
  fal_budget_take_back_request (&b);
  g_assert_cmpfloat (get_cost (&b, 0), ==, 0);
  fal_budget_take_back_request (&b); /* one of before a new start */
  g_assert_cmpfloat (get_cost (&b, 0), ==, 0);
}

static void
test_time_and_requests_add_up (void)
{
  FalBudget b;
  FalCost cost;

  set_up (&b, 0.25, 0.5, 4);
  pay (&b, 0, 1000, 1);
  request (&b, 4);
  fal_budget_get_cost (&b, 5000 * MS, &cost);
  g_assert_cmpfloat (cost.cost, ==, 3);
  g_assert_cmpfloat (cost.limit, ==, 4);
  g_assert_cmpint (cost.time, ==, 4000 * MS);
  g_assert_cmpuint (cost.requests, ==, 4);
  g_assert_cmpint (fal_budget_get_end_time (&b), ==, 9000 * MS);
  g_assert_true (fal_budget_allows_request (&b, 7000 * MS));
  g_assert_false (fal_budget_allows_request (&b, 7001 * MS));
}

/* A second each: no tenth is told of twice, nor before it has gone. */
static void
test_each_tenth_is_told_of_once (void)
{
  FalBudget b;

  set_up (&b, 0.1, 0, 1);
  pay (&b, 0, 1000, 1);
  for (gint64 n = 1; n <= 10; n++) {
    gint64 time = (1000 + 1000 * n) * MS;

    g_assert_cmpint (ABS (fal_budget_get_tell_time (&b) - time), <=, 1);
    g_assert_false (fal_budget_tell (&b, time - MS));
    g_assert_true (fal_budget_tell (&b, time));
    g_assert_false (fal_budget_tell (&b, time));
  }
  g_assert_cmpint (fal_budget_get_tell_time (&b), ==, NEVER);
  g_assert_false (fal_budget_tell (&b, 20000 * MS));
}

static void
test_tenths_that_go_together_are_told_of_together (void)
{
  FalBudget b;

  set_up (&b, 0, 0.25, 1);
  g_assert_cmpint (fal_budget_get_tell_time (&b), ==, NEVER);
  for (guint i = 0; i < 4; i++) {
    fal_budget_note_request (&b);
    g_assert_cmpint (fal_budget_get_tell_time (&b), ==, 0);
    g_assert_true (fal_budget_tell (&b, 0));
    g_assert_false (fal_budget_tell (&b, 0));
  }
}

static void
test_another_price_holds_for_what_was_counted (void)
{
  FalBudget b;

  set_up (&b, 0.5, 0, 0);
  pay (&b, 0, 1000, 1);
  request (&b, 2);
  g_assert_cmpfloat (get_cost (&b, 5000), ==, 2);
  configure (&b, 0.25, 1, 0, 5000);
  g_assert_cmpfloat (get_cost (&b, 5000), ==, 3);
}

/* Half of it has gone when it is set: the sixth tenth is the first to be told of. */
static void
test_another_budget_begins_where_the_cost_is (void)
{
  FalBudget b;

  set_up (&b, 0.5, 0, 0);
  pay (&b, 0, 1000, 1);
  configure (&b, 0.5, 0, 10, 11000);
  g_assert_false (fal_budget_tell (&b, 11000 * MS));
  g_assert_cmpint (fal_budget_get_tell_time (&b), ==, 13000 * MS);
  g_assert_true (fal_budget_tell (&b, 13000 * MS));
  configure (&b, 0.5, 0, 10, 14000); /* the same again */
  g_assert_cmpint (fal_budget_get_tell_time (&b), ==, 15000 * MS);
  configure (&b, 0.5, 0, 2, 14000); /* less than it has cost */
  g_assert_cmpint (fal_budget_get_end_time (&b), <=, 14000 * MS);
  g_assert_cmpint (fal_budget_get_tell_time (&b), ==, NEVER);
}

static void
test_the_same_budget_again_hides_no_tenth (void)
{
  FalBudget b;

  set_up (&b, 0.5, 0.25, 10);
  pay (&b, 0, 1000, 1);
  configure (&b, 0.5, 0.25, 10, 3000);
  g_assert_true (fal_budget_tell (&b, 3000 * MS));
  configure (&b, 0.5, 0.5, 10, 5000); /* with another price a request it is another one */
  g_assert_false (fal_budget_tell (&b, 5000 * MS));
}

static void
test_a_new_start_keeps_the_configuration_alone (void)
{
  FalBudget b;

  set_up (&b, 0.5, 1, 10);
  pay (&b, 1000, 1000, 1);
  request (&b, 5);
  g_assert_true (fal_budget_tell (&b, 1000 * MS));
  fal_budget_reset (&b);
  g_assert_cmpfloat (get_cost (&b, 5000), ==, 0);
  g_assert_cmpfloat (b.config.limit, ==, 10);
  fal_budget_note_request (&b);
  g_assert_true (fal_budget_tell (&b, 5000 * MS));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/policy/budget/" #name, test_##name)
  ADD (without_a_price_nothing_has_a_cost);
  ADD (only_a_budget_lacks_a_price);
  ADD (a_price_without_a_budget_ends_nothing);
  ADD (time_ends_it_to_the_microsecond);
  ADD (it_does_not_end_before_it_is_used_up);
  ADD (what_is_centuries_away_is_never);
  ADD (the_request_that_would_exceed_it_does_not_go);
  ADD (what_did_not_go_costs_nothing);
  ADD (time_and_requests_add_up);
  ADD (each_tenth_is_told_of_once);
  ADD (tenths_that_go_together_are_told_of_together);
  ADD (another_price_holds_for_what_was_counted);
  ADD (another_budget_begins_where_the_cost_is);
  ADD (the_same_budget_again_hides_no_tenth);
  ADD (a_new_start_keeps_the_configuration_alone);
  return g_test_run ();
}
