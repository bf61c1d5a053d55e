/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The outage: a silence, and since when. */
#include "fallback.h"

void
fal_fallback_reset (FalFallback *outage)
{
  *outage = (FalFallback){ G_MAXINT64, G_MAXINT64, G_MININT64 };
}

/* Whether @time is over since @since, which may be G_MAXINT64. */
static gboolean
is_over (gint64 since, gint64 time, gint64 now)
{
  return since <= now && now - since >= time;
}

void
fal_fallback_note_frame (FalFallback *outage, gint64 now)
{
  if (outage->awaited == G_MAXINT64 || is_over (outage->frame, FAL_FALLBACK_PAUSE, now))
    outage->awaited = now;
  outage->frame = now;
}

void
fal_fallback_note_result (FalFallback *outage, gint64 now)
{
  outage->awaited = now;
  outage->filled = G_MININT64;
}

void
fal_fallback_note_filled (FalFallback *outage, gint64 now)
{
  outage->filled = now;
}

gboolean
fal_fallback_is_on (const FalFallback *outage, gint64 timeout, gint64 now)
{
  return is_over (outage->awaited, timeout, now);
}

gboolean
fal_fallback_is_due (
    const FalFallback *outage, FalFallbackMode fallback, gint64 timeout, gint64 now)
{
  gint64 since = MAX (outage->awaited, outage->filled);

  if (fallback != FAL_FALLBACK_NONE && fal_fallback_is_on (outage, timeout, now))
    return TRUE;
  return is_over (since, FAL_FALLBACK_GAP, now);
}
