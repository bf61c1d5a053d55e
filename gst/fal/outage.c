/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The outage: a silence, and since when. */
#include "outage.h"

void
fal_outage_reset (FalOutage *outage)
{
  *outage = (FalOutage){ G_MAXINT64, G_MAXINT64, G_MININT64 };
}

/* Whether @time is over since @since, which may be G_MAXINT64. */
static gboolean
is_over (gint64 since, gint64 time, gint64 now)
{
  return since <= now && now - since >= time;
}

void
fal_outage_note_frame (FalOutage *outage, gint64 now)
{
  if (outage->awaited == G_MAXINT64 || is_over (outage->frame, FAL_OUTAGE_PAUSE, now))
    outage->awaited = now;
  outage->frame = now;
}

void
fal_outage_note_result (FalOutage *outage, gint64 now)
{
  outage->awaited = now;
  outage->filled = G_MININT64;
}

void
fal_outage_note_filled (FalOutage *outage, gint64 now)
{
  outage->filled = now;
}

gboolean
fal_outage_is_on (const FalOutage *outage, gint64 timeout, gint64 now)
{
  return is_over (outage->awaited, timeout, now);
}

gboolean
fal_outage_is_due (const FalOutage *outage, FalFallback fallback, gint64 timeout, gint64 now)
{
  gint64 since = MAX (outage->awaited, outage->filled);

  if (fallback != FAL_FALLBACK_NONE && fal_outage_is_on (outage, timeout, now))
    return TRUE;
  return is_over (since, FAL_OUTAGE_GAP, now);
}
