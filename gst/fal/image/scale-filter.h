/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How samples along one side of a picture become fewer or more: each of the result is the weighted
 * sum of some that follow one another. The filter is a triangle as wide as the scale asks for (what
 * "linear" is in GStreamer). Plain data, any thread. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What the weights of one sample add up to: 255 times it fits into 16 bits. */
#define FAL_SCALE_FILTER_ONE 256

typedef struct {
  gint n_taps;
  gint *first;    /* of each sample of the result, the first of the others */
  guint16 *parts; /* n_taps for each */
} FalScaleFilter;

/* @n_in samples to @n_out, and on to @padded as the last one is. Never reads beyond @n_in. */
void fal_scale_filter_make (FalScaleFilter *weights, gint n_in, gint n_out, gint padded);
void fal_scale_filter_clear (FalScaleFilter *weights);

G_END_DECLS
