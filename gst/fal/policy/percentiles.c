/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The series: a ring of durations, sorted only when somebody asks. */
#include "percentiles.h"
#include <stdlib.h>
#include <string.h>

void
fal_percentiles_add (FalPercentiles *series, gint64 microseconds)
{
  series->values[series->count++ % FAL_PERCENTILES_LENGTH] = microseconds;
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;

  return (x > y) - (x < y);
}

gdouble
fal_percentiles_get (const FalPercentiles *series, guint percent)
{
  gint64 sorted[FAL_PERCENTILES_LENGTH];
  guint n = MIN (series->count, FAL_PERCENTILES_LENGTH);
  guint rank = (n * MIN (percent, 100) + 99) / 100;

  if (n == 0)
    return 0;
  memcpy (sorted, series->values, n * sizeof *sorted);
  qsort (sorted, n, sizeof *sorted, compare);
  return sorted[MAX (rank, 1) - 1] / 1000.0;
}

gdouble
fal_percentiles_get_last (const FalPercentiles *series)
{
  if (series->count == 0)
    return 0;
  return series->values[(series->count - 1) % FAL_PERCENTILES_LENGTH] / 1000.0;
}
