/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sums over the samples of a frame: first of some rows, column by column, then of eight pixels side
 * by side, each component with its weight; and how two rows of such sums differ. No state; used on
 * any thread.
 *
 * Vector code where the processor has it; the functions that end in _plainly do without, and give
 * the same numbers. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Pixels side by side that become one sum. */
#define FAL_BLOCK_SUMS_SIDE 8
/* The most components of a pixel, as bytes. */
#define FAL_BLOCK_SUMS_MAX_STEP 8

/* Each of @n columns is the sum of @rows rows' bytes, at most sixteen; @stride: from row to row. */
void fal_block_sums_add_rows (
    gint16 *columns, const guint8 *top, gssize stride, guint rows, gsize n);
void fal_block_sums_add_rows_plainly (
    gint16 *columns, const guint8 *top, gssize stride, guint rows, gsize n);
/* The same of numbers of two bytes, each shifted right by @shift to have eight bits. */
void fal_block_sums_add_wide_rows (
    gint16 *columns, const guint16 *top, gssize stride, guint rows, guint shift, gsize n);

/* How a sum becomes a mean: divided by 256, then times gain in 1/1024, less offset, and then 0 to
 * most. */
typedef struct {
  gint gain, offset, most;
} FalBlockScale;

/* Each of @n means is made of the sum of eight pixels of @step columns each. @weights: one for each
 * column of these eight pixels. */
void fal_block_sums_add_up (gint16 *means, const gint16 *columns, guint step, const gint16 *weights,
    const FalBlockScale *scale, gsize n);
void fal_block_sums_add_up_plainly (gint16 *means, const gint16 *columns, guint step,
    const gint16 *weights, const FalBlockScale *scale, gsize n);

/* The same of four rows of one byte a pixel with the weight 256, without columns between. */
void fal_block_sums_add_bytes (
    gint16 *means, const guint8 *top, gssize stride, const FalBlockScale *scale, gsize n);
void fal_block_sums_add_bytes_plainly (
    gint16 *means, const guint8 *top, gssize stride, const FalBlockScale *scale, gsize n);

/* How far each of @n numbers is from what @before lets expect: @gain (in 1/4096) times that, and
 * @offset. */
void fal_block_sums_differ (
    gint16 *out, const gint16 *before, const gint16 *after, gint gain, gint offset, gsize n);
void fal_block_sums_differ_plainly (
    gint16 *out, const gint16 *before, const gint16 *after, gint gain, gint offset, gsize n);

/* The sums of two neighbours above and the two below them: @n of them, of rows of @n + 1. Returns
 * the largest. */
guint fal_block_sums_join (guint16 *sums, const gint16 *above, const gint16 *below, gsize n);
guint fal_block_sums_join_plainly (
    guint16 *sums, const gint16 *above, const gint16 *below, gsize n);

G_END_DECLS
