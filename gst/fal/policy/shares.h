/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who pays for the time of a connection: each second that it stands is paid for once, in equal
 * parts by the members that use it; where none does, by all that there are.
 *
 * Pure: no thread, lock, clock, socket or log. Members are opaque. Times are microseconds of a
 * monotonic clock, given as arguments. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Time that somebody pays for. */
typedef struct {
  gint64 time;  /* µs, up to @since */
  gint64 since; /* monotonic µs; 0: no connection stands */
  gdouble rate; /* of the time that goes by from then on: 1: all of it, 0: none */
} FalPaidTime;

/* How much that is at @now, µs. */
gdouble fal_paid_time_get (const FalPaidTime *paid, gint64 now);
/* Makes @sum that of both, as they are at @now: of two connections the rate may be 2. */
void fal_paid_time_add (FalPaidTime *sum, const FalPaidTime *paid, gint64 now);

typedef struct _FalShares FalShares;

FalShares *fal_shares_new (void);
void fal_shares_free (FalShares *shares);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalShares, fal_shares_free)

/* @user becomes a member that uses the connection, and has paid for nothing; or is none any more.
 */
void fal_shares_join (FalShares *shares, gpointer user, gint64 now);
void fal_shares_leave (FalShares *shares, gpointer user, gint64 now);
/* Whether the member @user uses the connection from now on. */
void fal_shares_set_use (FalShares *shares, gpointer user, gboolean uses, gint64 now);

/* A connection stands, or has ended. */
void fal_shares_open (FalShares *shares, gint64 now);
void fal_shares_close (FalShares *shares, gint64 now);

/* What the member @user pays for. It changes with each of the calls above. */
void fal_shares_get (const FalShares *shares, gpointer user, FalPaidTime *paid);

G_END_DECLS
