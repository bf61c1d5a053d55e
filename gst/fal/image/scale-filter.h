/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The filter that scales samples along one axis of a picture: each output sample is the weighted
 * sum of adjacent input samples. The filter is a triangle that widens with the scale, as
 * GStreamer's "linear" does. Plain data; used on any thread. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What the weights of one output sample add up to. 255 times it fits into 16 bits. */
#define FAL_SCALE_FILTER_ONE 256

typedef struct {
  gint n_taps;      /* input samples for each output sample */
  gint *first;      /* for each output sample, the index of its first input sample */
  guint16 *weights; /* n_taps for each output sample */
} FalScaleFilter;

/* From @n_in samples to @n_out. Output samples from there up to @n_padded, which is not less,
 * repeat the last one, so that a row may be padded. No weight is for a sample beyond @n_in. */
void fal_scale_filter_init (FalScaleFilter *filter, gint n_in, gint n_out, gint n_padded);

/* A part of the input, which may begin and end within a sample, and what is made of it. */
typedef struct {
  gdouble begin, length; /* of the part, in input samples */
  gint size;             /* output samples that the whole part would make */
  gint first;            /* index in these of the first one that is wanted; may be negative */
} FalScalePart;

/* @n_out output samples of @part of @n_in input samples; further ones up to @n_padded repeat the
 * last. Samples beyond the part count as the one at its edge. */
void fal_scale_filter_init_part (
    FalScaleFilter *filter, const FalScalePart *part, gint n_in, gint n_out, gint n_padded);

/* Frees the arrays. A zeroed filter is fine. */
void fal_scale_filter_clear (FalScaleFilter *filter);

G_END_DECLS
