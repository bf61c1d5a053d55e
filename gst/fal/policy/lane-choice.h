/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which of a stream's connections takes the next request, and when: so that each is kept as busy as
 * it can be, and requests are spaced evenly, since results come as they do.
 *
 * Pure: no thread, lock, clock or log. Times are microseconds of a monotonic clock, given as
 * arguments; G_MAXINT64 stands for "not before something else happens". */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What a connection has to offer. */
typedef struct {
  gint64 time;     /* when it can take the next request; G_MAXINT64: not as things are */
  gint64 sent;     /* when it took the last one; G_MININT64: it took none yet */
  gint64 period;   /* from one of its requests to the next, where it is busy, µs; 0: not known */
  gint64 trip;     /* from a request to its answer, where it is not busy, µs; 0: not known */
  guint in_flight; /* requests that it has not answered */
} FalLaneOffer;

/* From one request of the stream to the next, where all its connections are busy, µs; 0: not
 * known. */
gint64 fal_lane_choice_get_period (const FalLaneOffer *offers, guint n);

/* When the next request goes, of which the last went at @last (G_MININT64: none did), and over
 * which of @n connections: *@lane. A connection that is ready waits a little where another one has
 * just taken a request. Of those that are ready then the one with the fewest requests in flight
 * takes it, and of those the one that took none for longest; but one that was far slower than
 * another that is ready is left out for a while. */
gint64 fal_lane_choice_make (const FalLaneOffer *offers, guint n, gint64 last, guint *lane);

G_END_DECLS
