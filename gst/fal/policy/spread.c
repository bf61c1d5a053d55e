/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The spread of a block's results. */
#include "spread.h"

/* A camera may have paused between two frames of a block: that pause is not shown again. */
#define LONGEST (200 * G_TIME_SPAN_MILLISECOND)

void
fal_spread_configure (FalSpread *spread, guint block, gint64 interval)
{
  spread->block = block;
  spread->longest = MAX (2 * interval, LONGEST);
}

void
fal_spread_reset (FalSpread *spread)
{
  spread->sent = spread->time = G_MININT64;
}

gint64
fal_spread_place (FalSpread *spread, gint64 sent, guint waiting, gint64 now)
{
  gint64 distance = 0;

  if (spread->block == 0)
    return now;
  if (spread->sent != G_MININT64)
    distance = CLAMP (sent - spread->sent, 0, spread->longest);
  if (waiting > spread->block)
    distance = distance * spread->block / waiting;
  spread->time = MAX (now, spread->time + distance);
  spread->sent = sent;
  return spread->time;
}
