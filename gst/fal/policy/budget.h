/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a stream has cost, by the prices that the user gives, and when its budget is used up.
 *
 * Pure: no thread, lock, clock, socket or log. Guarded by the mutex of the session's shared state.
 * Times are microseconds of a monotonic clock, given as arguments; G_MAXINT64 stands for "not
 * before something else happens". Prices and budget are in whatever currency they were given in. */
#pragma once

#include "shares.h"

G_BEGIN_DECLS

typedef struct {
  gdouble per_second;  /* that a connection stands; 0: unknown */
  gdouble per_request; /* 0: unknown */
  gdouble limit;       /* what the stream may cost; 0: anything */
} FalBudgetConfig;

typedef struct {
  FalBudgetConfig config;
  FalPaidTime paid;
  guint64 requests;
  guint told; /* tenths of the budget that were told of, or had gone when it was set */
} FalBudget;

/* What it comes to. */
typedef struct {
  gdouble cost, limit;
  gint64 time; /* connected, µs */
  guint64 requests;
} FalCost;

/* A new start; the configuration stays. */
void fal_budget_reset (FalBudget *budget);
/* New prices hold for all that was counted already, too. Of a new budget no tenth is told of that
 * has gone already. */
void fal_budget_configure (FalBudget *budget, const FalBudgetConfig *config, gint64 now);

/* ---- what happened ---- */

void fal_budget_note_paid_time (FalBudget *budget, const FalPaidTime *paid);
void fal_budget_note_request (FalBudget *budget);
/* One that was noted did not go after all. */
void fal_budget_take_back_request (FalBudget *budget);

/* ---- what is decided ---- */

void fal_budget_get_cost (const FalBudget *budget, gint64 now, FalCost *cost);
/* Whether a budget is set that no price is known for. */
gboolean fal_budget_lacks_price (const FalBudget *budget);
/* Whether one more request stays within the budget. */
gboolean fal_budget_allows_request (const FalBudget *budget, gint64 now);
/* When the connected time will have used it up, or did. */
gint64 fal_budget_get_end_time (const FalBudget *budget);
/* When the next tenth of it will have gone, or did; and whether one has that was not told of: now
 * it is. */
gint64 fal_budget_get_tell_time (const FalBudget *budget);
gboolean fal_budget_tell (FalBudget *budget, gint64 now);

G_END_DECLS
