/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The series: a ring of durations, sorted only when somebody asks. */
#include "series.h"
#include <stdlib.h>
#include <string.h>

void
fal_series_add (FalSeries *series, gint64 microseconds)
{
  series->values[series->count++ % FAL_SERIES_LENGTH] = microseconds;
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *)a, y = *(const gint64 *)b;

  return (x > y) - (x < y);
}

gdouble
fal_series_get_percentile (const FalSeries *series, guint percent)
{
  gint64 sorted[FAL_SERIES_LENGTH];
  guint n = MIN (series->count, FAL_SERIES_LENGTH);
  guint rank = (n * MIN (percent, 100) + 99) / 100;

  if (n == 0)
    return 0;
  memcpy (sorted, series->values, n * sizeof *sorted);
  qsort (sorted, n, sizeof *sorted, compare);
  return sorted[MAX (rank, 1) - 1] / 1000.0;
}

gdouble
fal_series_get_last (const FalSeries *series)
{
  if (series->count == 0)
    return 0;
  return series->values[(series->count - 1) % FAL_SERIES_LENGTH] / 1000.0;
}
