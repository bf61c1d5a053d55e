/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The budget: time and requests, times their prices. */
#include "budget.h"

#include <math.h>

#define TENTHS 10
/* Sums of prices that are no binary fractions: 3 × 0.1 is to be within a budget of 0.3. */
#define TOLERANCE 1e-9
/* What is further away is never, as time is counted here: 30 years. */
#define MAX_SECONDS 1e9

void
fal_budget_reset (FalBudget *budget)
{
  *budget = (FalBudget) { .config = budget->config };
}

/* A budget that can be held. */
static gboolean
is_limited (const FalBudget *budget)
{
  return budget->config.limit > 0 && !fal_budget_lacks_price (budget);
}

static gdouble
get_cost (const FalBudget *budget, gint64 now)
{
  const FalBudgetConfig *config = &budget->config;

  return fal_paid_time_get (&budget->paid, now) / G_TIME_SPAN_SECOND * config->per_second +
         budget->requests * config->per_request;
}

static gdouble
get_tenths (const FalBudget *budget, guint n)
{
  return budget->config.limit * n / TENTHS;
}

static gboolean
has_reached (const FalBudget *budget, gdouble cost, gint64 now)
{
  return get_cost (budget, now) >= cost * (1 - TOLERANCE);
}

static guint
count_tenths (const FalBudget *budget, gint64 now)
{
  guint n = 0;

  while (is_limited (budget) && n < TENTHS && has_reached (budget, get_tenths (budget, n + 1), now))
    n++;
  return n;
}

static gboolean
is_same (const FalBudgetConfig *a, const FalBudgetConfig *b)
{
  return a->per_second == b->per_second && a->per_request == b->per_request && a->limit == b->limit;
}

void
fal_budget_configure (FalBudget *budget, const FalBudgetConfig *config, gint64 now)
{
  if (is_same (&budget->config, config))
    return;
  budget->config = *config;
  budget->told = count_tenths (budget, now);
}

/* ---- what happened ---- */

void
fal_budget_note_paid_time (FalBudget *budget, const FalPaidTime *paid)
{
  budget->paid = *paid;
}

void
fal_budget_note_request (FalBudget *budget)
{
  budget->requests++;
}

void
fal_budget_take_back_request (FalBudget *budget)
{
  budget->requests -= budget->requests > 0;
}

/* ---- what is decided ---- */

void
fal_budget_get_cost (const FalBudget *budget, gint64 now, FalCost *cost)
{
  *cost = (FalCost) {
    .cost = get_cost (budget, now),
    .limit = budget->config.limit,
    .time = (gint64) fal_paid_time_get (&budget->paid, now),
    .requests = budget->requests,
  };
}

gboolean
fal_budget_lacks_price (const FalBudget *budget)
{
  const FalBudgetConfig *config = &budget->config;

  return config->limit > 0 && config->per_second == 0 && config->per_request == 0;
}

gboolean
fal_budget_allows_request (const FalBudget *budget, gint64 now)
{
  const FalBudgetConfig *config = &budget->config;

  return !is_limited (budget) ||
         get_cost (budget, now) + config->per_request <= config->limit * (1 + TOLERANCE);
}

/* When time alone will have made the cost @cost. */
static gint64
find_time (const FalBudget *budget, gdouble cost)
{
  const FalPaidTime *paid = &budget->paid;
  gdouble a_second = budget->config.per_second * paid->rate, seconds;

  if (paid->since == 0 || a_second <= 0)
    return G_MAXINT64;
  seconds = MAX (cost - get_cost (budget, paid->since), 0) / a_second;
  return seconds < MAX_SECONDS ? paid->since + (gint64) ceil (seconds * G_TIME_SPAN_SECOND)
                               : G_MAXINT64;
}

gint64
fal_budget_get_end_time (const FalBudget *budget)
{
  return is_limited (budget) ? find_time (budget, budget->config.limit) : G_MAXINT64;
}

gint64
fal_budget_get_tell_time (const FalBudget *budget)
{
  gdouble next = get_tenths (budget, budget->told + 1);

  if (!is_limited (budget) || budget->told >= TENTHS)
    return G_MAXINT64;
  return has_reached (budget, next, budget->paid.since) ? 0 : find_time (budget, next);
}

gboolean
fal_budget_tell (FalBudget *budget, gint64 now)
{
  guint n = count_tenths (budget, now);

  if (n <= budget->told)
    return FALSE;
  budget->told = n;
  return TRUE;
}
