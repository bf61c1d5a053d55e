/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The fallback: a silence, since when, and what is shown meanwhile. */
#include "fallback.h"

void
fal_fallback_clear (FalFallback *fallback)
{
  fallback->awaited = fallback->frame = fallback->idle = G_MAXINT64;
  fallback->filled = fallback->stood = G_MININT64;
  fal_fallback_forget_frame (fallback);
}

void
fal_fallback_reset (FalFallback *fallback)
{
  *fallback = (FalFallback){ .config = fallback->config };
  fal_fallback_clear (fallback);
}

void
fal_fallback_configure (FalFallback *fallback, const FalFallbackConfig *config)
{
  fallback->config = *config;
  fallback->bridging &= config->drops_frames;
}

void
fal_fallback_set_enabled (FalFallback *fallback, gboolean enabled)
{
  fallback->awaited = fallback->frame = fallback->idle = G_MAXINT64;
  fallback->filled = fallback->stood = G_MININT64;
  fallback->bridging = enabled && fallback->passing && fallback->config.drops_frames;
}

/* Whether @time is over since @since, which may be G_MAXINT64. */
static gboolean
is_over (gint64 since, gint64 time, gint64 now)
{
  return since <= now && now - since >= time;
}

void
fal_fallback_note_passing (FalFallback *fallback)
{
  fallback->passing = TRUE;
}

/* What was awaited before is awaited again: the time in between does not count. */
static void
end_idleness (FalFallback *fallback, gint64 now)
{
  if (fallback->idle != G_MAXINT64 && fallback->awaited != G_MAXINT64)
    fallback->awaited = MIN (fallback->awaited + (now - fallback->idle), now);
  fallback->idle = G_MAXINT64;
}

void
fal_fallback_note_idle (FalFallback *fallback, gint64 now)
{
  fallback->idle = MIN (fallback->idle, now);
}

static void
note_newest (FalFallback *fallback, guint64 serial, gint64 now)
{
  if (fallback->awaited == G_MAXINT64 || is_over (fallback->frame, FAL_FALLBACK_PAUSE, now))
    fallback->awaited = now;
  fallback->frame = now;
  fallback->newest_serial = serial;
  fallback->passing = FALSE;
}

void
fal_fallback_note_frame (FalFallback *fallback, guint64 serial, gint64 now)
{
  end_idleness (fallback, now);
  note_newest (fallback, serial, now);
}

void
fal_fallback_note_held (FalFallback *fallback, guint64 serial, gint64 now)
{
  fal_fallback_note_idle (fallback, now);
  note_newest (fallback, serial, now);
}

void
fal_fallback_note_result (FalFallback *fallback, gint64 now)
{
  fallback->awaited = now;
  if (fallback->idle != G_MAXINT64)
    fallback->idle = now;
  fallback->filled = fallback->stood = G_MININT64;
  fallback->answered = TRUE;
  fallback->bridging = FALSE;
}

void
fal_fallback_note_standing (FalFallback *fallback, gint64 now)
{
  fallback->stood = now;
}

void
fal_fallback_note_filled (FalFallback *fallback, gint64 now)
{
  fallback->filled = now;
  fallback->filled_serial = fallback->newest_serial;
}

void
fal_fallback_forget_frame (FalFallback *fallback)
{
  fallback->filled_serial = fallback->newest_serial;
}

gboolean
fal_fallback_is_bridging (const FalFallback *fallback)
{
  return fallback->bridging;
}

gboolean
fal_fallback_is_silent (const FalFallback *fallback, gint64 now)
{
  if (fallback->answered && fallback->idle != G_MAXINT64)
    return FALSE;
  if (fallback->config.at_once && !fallback->answered && fallback->awaited <= now)
    return TRUE;
  return is_over (MAX (fallback->awaited, fallback->stood), fallback->config.timeout, now);
}

FalFallbackMode
fal_fallback_get_shown (const FalFallback *fallback, gint64 now)
{
  if (!fallback->config.drops_frames || !fal_fallback_is_silent (fallback, now))
    return FAL_FALLBACK_NONE;
  return fallback->config.mode;
}

gboolean
fal_fallback_is_due (const FalFallback *fallback, gint64 now)
{
  if (fallback->bridging || fallback->newest_serial <= fallback->filled_serial)
    return FALSE;
  return fal_fallback_get_shown (fallback, now) != FAL_FALLBACK_NONE ||
         is_over (MAX (fallback->awaited, fallback->filled), FAL_FALLBACK_GAP, now);
}

GstClockTime
fal_fallback_get_patience (const FalFallback *fallback, GstClockTime round_trip, gint64 now)
{
  const FalFallbackConfig *config = &fallback->config;
  GstClockTime latency = MAX (config->latency, 0) * GST_USECOND;

  if (!config->drops_frames || !fal_fallback_is_silent (fallback, now))
    return GST_CLOCK_TIME_NONE;
  if (config->mode != FAL_FALLBACK_NONE && config->latency >= 0)
    return latency;
  return MAX (latency, 2 * round_trip);
}
