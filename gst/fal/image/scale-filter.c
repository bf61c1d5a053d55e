/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The weights of a scale, computed once and used for each row. Pure. */
#include "scale-filter.h"

#include <math.h>

/* Enough for a scale of 31 to 1. Beyond that the filter stays as wide and skips samples. */
#define MAX_TAPS 64

static gdouble
triangle (gdouble distance, gdouble width)
{
  return MAX (1 - fabs (distance) / width, 0);
}

/* Rounds the running sum instead of each weight, so that the total is FAL_SCALE_FILTER_ONE. */
static void
set_weights (guint16 *out, const gdouble *weights, gint n, gdouble total)
{
  gdouble sum = 0;
  gint rounded = 0;

  for (gint k = 0; k < n; k++) {
    gint next;

    sum += weights[k];
    next = lround (FAL_SCALE_FILTER_ONE * sum / total);
    out[k] = next - rounded;
    rounded = next;
  }
}

/* Samples beyond an edge count as the one at the edge. */
static void
set_sample (FalScaleFilter *filter, gint i, gdouble centre, gdouble width, gint n_in)
{
  gdouble weights[MAX_TAPS] = { 0 }, sum = 0;
  gint begin = floor (centre - width) + 1, end = ceil (centre + width) - 1;
  gint first = CLAMP (begin, 0, n_in - filter->n_taps);

  for (gint s = begin; s <= end; s++) {
    gdouble weight = triangle (s - centre, width);

    weights[CLAMP (CLAMP (s, 0, n_in - 1) - first, 0, filter->n_taps - 1)] += weight;
    sum += weight;
  }
  filter->first[i] = first;
  set_weights (filter->weights + (gsize) i * filter->n_taps, weights, filter->n_taps, sum);
}

void
fal_scale_filter_init (FalScaleFilter *filter, gint n_in, gint n_out, gint n_padded)
{
  gdouble scale = (gdouble) n_in / n_out;
  gdouble width = CLAMP (scale, 1, MAX_TAPS / 2 - 1);
  /* Without scaling each output sample is the input sample itself. */
  gint taps = n_in == n_out ? 1 : ceil (2 * width);

  filter->n_taps = MIN (taps, n_in);
  filter->first = g_new (gint, n_padded);
  filter->weights = g_new (guint16, (gsize) n_padded * filter->n_taps);
  for (gint i = 0; i < n_padded; i++)
    set_sample (filter, i, (MIN (i, n_out - 1) + 0.5) * scale - 0.5, width, n_in);
}

void
fal_scale_filter_clear (FalScaleFilter *filter)
{
  g_free (filter->first);
  g_free (filter->weights);
}
