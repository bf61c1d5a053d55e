/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The choice among connections. Used by the pacer. */
#include "lane-choice.h"

/* Of the period of all, the least between two requests. A whole period would make each delay one of
 * all that follow, so that connections would idle. */
#define LEAST_OF_PERIOD 0.9
/* One whose answers take more than so many times as long as another's is far slower: they come when
 * newer frames were answered long ago. It is tried again so long after its last request, µs. */
#define FAR_SLOWER 2
#define TRIED_AFTER (1 * G_TIME_SPAN_SECOND)

gint64
fal_lane_choice_get_period (const FalLaneOffer *offers, guint n)
{
  gdouble rate = 0;

  for (guint i = 0; i < n; i++)
    if (offers[i].period > 0)
      rate += 1.0 / offers[i].period;
  return rate > 0 ? (gint64) (1 / rate + 0.5) : 0;
}

static gint64
find_earliest (const FalLaneOffer *offers, guint n)
{
  gint64 earliest = G_MAXINT64;

  for (guint i = 0; i < n; i++)
    earliest = MIN (earliest, offers[i].time);
  return earliest;
}

/* The shortest trip of those that are ready at @time; 0: none is known. */
static gint64
find_quickest (const FalLaneOffer *offers, guint n, gint64 time)
{
  gint64 quickest = 0;

  for (guint i = 0; i < n; i++) {
    gint64 trip = offers[i].trip;

    if (offers[i].time <= time && trip > 0 && (quickest == 0 || trip < quickest))
      quickest = trip;
  }
  return quickest;
}

static gboolean
goes_before (const FalLaneOffer *a, const FalLaneOffer *b)
{
  return a->in_flight != b->in_flight ? a->in_flight < b->in_flight : a->sent < b->sent;
}

static gboolean
is_left_out (const FalLaneOffer *offer, gint64 quickest, gint64 time)
{
  return quickest > 0 && offer->trip > FAR_SLOWER * quickest && offer->sent > time - TRIED_AFTER;
}

static guint
choose (const FalLaneOffer *offers, guint n, gint64 time)
{
  gint64 quickest = find_quickest (offers, n, time);
  guint chosen = n;

  for (guint i = 0; i < n; i++) {
    const FalLaneOffer *offer = &offers[i];

    if (offer->time > time || is_left_out (offer, quickest, time))
      continue;
    if (chosen == n || goes_before (offer, &offers[chosen]))
      chosen = i;
  }
  return chosen;
}

gint64
fal_lane_choice_make (const FalLaneOffer *offers, guint n, gint64 last, guint *lane)
{
  gint64 time = find_earliest (offers, n);

  if (time == G_MAXINT64)
    return time;
  if (last != G_MININT64)
    time = MAX (time, last + (gint64) (LEAST_OF_PERIOD * fal_lane_choice_get_period (offers, n)));
  *lane = choose (offers, n, time);
  return time;
}
