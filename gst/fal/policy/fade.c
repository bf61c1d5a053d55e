/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The fade between two results. */
#include "fade.h"

#include <stdlib.h>

/* Nobody is to wait longer for a live result, however slow the model is. */
#define LONGEST GST_SECOND

void
fal_fade_reset (FalFade *fade)
{
  fade->count = 0;
}

static int
compare (gconstpointer a, gconstpointer b)
{
  GstClockTime one = *(const GstClockTime *) a, other = *(const GstClockTime *) b;

  return one < other ? -1 : one > other;
}

/* The lower one where there are two. */
static GstClockTime
find_median (const FalFade *fade)
{
  guint n = MIN (fade->count, FAL_FADE_LENGTH);
  GstClockTime sorted[FAL_FADE_LENGTH];

  for (guint i = 0; i < n; i++)
    sorted[i] = fade->intervals[i];
  qsort (sorted, n, sizeof *sorted, compare);
  return sorted[(n - 1) / 2];
}

GstClockTime
fal_fade_note (FalFade *fade, GstClockTime before, GstClockTime start)
{
  GstClockTime interval = start > before ? start - before : 0;

  if (interval == 0)
    return 0;
  fade->intervals[fade->count++ % FAL_FADE_LENGTH] = interval;
  return MIN (MIN (interval, find_median (fade)), LONGEST);
}

/* The picture is seen until the tick ends: that must be there at the end of the span. */
guint
fal_fade_get_weight (
    GstClockTime tick, GstClockTime duration, GstClockTime start, GstClockTime span)
{
  GstClockTime end = tick + duration;

  if (span <= duration || end >= start + span)
    return FAL_FADE_ALL;
  if (end <= start)
    return 0;
  return gst_util_uint64_scale (end - start, FAL_FADE_ALL, span);
}

guint
fal_fade_get_weight_ahead (
    GstClockTime tick, GstClockTime duration, GstClockTime before, GstClockTime start)
{
  if (tick <= before || start <= before + duration)
    return 0;
  if (tick >= start)
    return FAL_FADE_ALL;
  return gst_util_uint64_scale (tick - before, FAL_FADE_ALL, start - before);
}
