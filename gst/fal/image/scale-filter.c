/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Weights: made once for a scale, used for each of its rows. Pure. */
#include "scale-filter.h"

#include <math.h>

#define MAX_TAPS 64 /* beyond, samples in between are left out: a scale of 1 to 31 */

static gdouble
triangle (gdouble distance, gdouble width)
{
  return MAX (1 - fabs (distance) / width, 0);
}

/* Rounds so that the sum stays FAL_SCALE_FILTER_ONE. */
static void
set_parts (guint16 *out, const gdouble *parts, gint n, gdouble sum)
{
  gdouble passed = 0;
  gint given = 0;

  for (gint k = 0; k < n; k++) {
    gint upto;

    passed += parts[k];
    upto = lround (FAL_SCALE_FILTER_ONE * passed / sum);
    out[k] = upto - given;
    given = upto;
  }
}

/* Samples beyond an edge count as the one at the edge. */
static void
set_sample (FalScaleFilter *weights, gint i, gdouble centre, gdouble width, gint n_in)
{
  gdouble parts[MAX_TAPS] = { 0 }, sum = 0;
  gint begin = floor (centre - width) + 1, end = ceil (centre + width) - 1;
  gint first = CLAMP (begin, 0, n_in - weights->n_taps);

  for (gint s = begin; s <= end; s++) {
    gdouble part = triangle (s - centre, width);

    parts[CLAMP (CLAMP (s, 0, n_in - 1) - first, 0, weights->n_taps - 1)] += part;
    sum += part;
  }
  weights->first[i] = first;
  set_parts (weights->parts + (gsize) i * weights->n_taps, parts, weights->n_taps, sum);
}

void
fal_scale_filter_make (FalScaleFilter *weights, gint n_in, gint n_out, gint padded)
{
  gdouble scale = (gdouble) n_in / n_out;
  gdouble width = CLAMP (scale, 1, MAX_TAPS / 2 - 1);
  /* Where nothing is scaled each sample is its own. */
  gint taps = n_in == n_out ? 1 : ceil (2 * width);

  weights->n_taps = MIN (taps, n_in);
  weights->first = g_new (gint, padded);
  weights->parts = g_new (guint16, (gsize) padded * weights->n_taps);
  for (gint i = 0; i < padded; i++)
    set_sample (weights, i, (MIN (i, n_out - 1) + 0.5) * scale - 0.5, width, n_in);
}

void
fal_scale_filter_clear (FalScaleFilter *weights)
{
  g_free (weights->first);
  g_free (weights->parts);
}
