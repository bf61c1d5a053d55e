/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ticks: counted from where they began, so that no rounding adds up. */
#include "ticks.h"

void
fal_ticks_reset (FalTicks *ticks)
{
  ticks->origin = GST_CLOCK_TIME_NONE;
  ticks->next = 0;
}

static GstClockTime
get_time (const FalTicks *ticks, guint64 number)
{
  return ticks->origin + gst_util_uint64_scale (number, GST_SECOND * ticks->rate.d, ticks->rate.n);
}

void
fal_ticks_set_rate (FalTicks *ticks, FalFraction rate)
{
  if (rate.n == ticks->rate.n && rate.d == ticks->rate.d)
    return;
  if (fal_ticks_have_begun (ticks) && rate.n > 0)
    fal_ticks_begin (ticks, fal_ticks_get_time (ticks));
  else
    fal_ticks_reset (ticks);
  ticks->rate = rate;
}

void
fal_ticks_begin (FalTicks *ticks, GstClockTime origin)
{
  ticks->origin = origin;
  ticks->next = 0;
}

gboolean
fal_ticks_have_begun (const FalTicks *ticks)
{
  return ticks->rate.n > 0 && GST_CLOCK_TIME_IS_VALID (ticks->origin);
}

GstClockTime
fal_ticks_get_time (const FalTicks *ticks)
{
  return get_time (ticks, ticks->next);
}

GstClockTime
fal_ticks_get_duration (const FalTicks *ticks)
{
  return get_time (ticks, ticks->next + 1) - get_time (ticks, ticks->next);
}

void
fal_ticks_advance (FalTicks *ticks)
{
  ticks->next++;
}
