/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The weights of a scale, computed once and used for each row. Pure. */
#include "scale-filter.h"

#include <math.h>

/* Enough for a scale of 31 to 1. Beyond that the filter stays as wide and skips samples. */
#define MAX_TAPS 64

/* Less of a sample than this is none of it, but comes of rounding. */
#define EDGE 1e-6

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

/* The input from @first up to @last. Samples beyond count as the one at the edge. */
typedef struct {
  gint first, last;
} Input;

static void
set_sample (FalScaleFilter *filter, gint i, gdouble centre, gdouble width, Input input)
{
  gdouble weights[MAX_TAPS] = { 0 }, sum = 0;
  gint begin = floor (centre - width) + 1, end = ceil (centre + width) - 1;
  gint first = CLAMP (begin, input.first, input.last + 1 - filter->n_taps);

  for (gint s = begin; s <= end; s++) {
    gdouble weight = triangle (s - centre, width);

    weights[CLAMP (CLAMP (s, input.first, input.last) - first, 0, filter->n_taps - 1)] += weight;
    sum += weight;
  }
  filter->first[i] = first;
  set_weights (filter->weights + (gsize) i * filter->n_taps, weights, filter->n_taps, sum);
}

void
fal_scale_filter_init (FalScaleFilter *filter, gint n_in, gint n_out, gint n_padded)
{
  gdouble scale = (gdouble) n_in / n_out;
  gdouble width = CLAMP (scale, 1, MAX_TAPS / 2.0 - 1);
  /* Without scaling each output sample is the input sample itself. */
  gint taps = n_in == n_out ? 1 : ceil (2 * width);

  filter->n_taps = MIN (taps, n_in);
  filter->first = g_new (gint, n_padded);
  filter->weights = g_new (guint16, (gsize) n_padded * filter->n_taps);
  for (gint i = 0; i < n_padded; i++)
    set_sample (
        filter, i, (MIN (i, n_out - 1) + 0.5) * scale - 0.5, width, (Input) { 0, n_in - 1 });
}

void
fal_scale_filter_init_part (
    FalScaleFilter *filter, const FalScalePart *part, gint n_in, gint n_out, gint n_padded)
{
  gdouble scale = part->length / part->size;
  gdouble width = CLAMP (scale, 1, MAX_TAPS / 2.0 - 1);
  Input input = { CLAMP (floor (part->begin + EDGE), 0, n_in - 1) };
  gboolean same = scale == 1 && part->begin == floor (part->begin);

  input.last = CLAMP (ceil (part->begin + part->length - EDGE) - 1, input.first, n_in - 1);
  filter->n_taps = MIN (same ? 1 : ceil (2 * width), input.last + 1 - input.first);
  filter->first = g_new (gint, n_padded);
  filter->weights = g_new (guint16, (gsize) n_padded * filter->n_taps);
  for (gint i = 0; i < n_padded; i++)
    set_sample (filter, i, part->begin + (part->first + MIN (i, n_out - 1) + 0.5) * scale - 0.5,
        width, input);
}

void
fal_scale_filter_clear (FalScaleFilter *filter)
{
  g_free (filter->first);
  g_free (filter->weights);
}
