/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loops that the compiler makes vector code of: for any processor, and once more for those with
 * AVX2. Built with -O3. */
#include "block-sums.h"

#include <string.h>

#define SIDE FAL_BLOCK_SUMS_SIDE

/* Four of them fit in sixteen bits. */
#define MOST 16383

#define HOT static inline __attribute__ ((always_inline))

/* Four at once are what whole blocks have, and need each sum but once. */
HOT void
add_four_rows (gint16 *restrict columns, const guint8 *restrict top, gssize stride, gsize n)
{
  const guint8 *restrict second = top + stride, *restrict third = second + stride;
  const guint8 *restrict last = third + stride;

  for (gsize i = 0; i < n; i++)
    columns[i] = top[i] + second[i] + third[i] + last[i];
}

HOT void
add_rows (gint16 *restrict columns, const guint8 *restrict top, gssize stride, guint rows, gsize n)
{
  if (rows == 4) {
    add_four_rows (columns, top, stride, n);
    return;
  }
  for (gsize i = 0; i < n; i++)
    columns[i] = top[i];
  for (guint y = 1; y < rows; y++)
    for (gsize i = 0; i < n; i++)
      columns[i] += top[(gssize) y * stride + i];
}

/* @step as a constant lets the compiler make vector code. */
HOT void
add_up_steps (gint16 *restrict means, const gint16 *restrict columns, guint step,
    const gint16 *restrict weights, const FalBlockScale *scale, gsize n)
{
  for (gsize i = 0; i < n; i++) {
    const gint16 *from = columns + i * SIDE * step;
    gint32 sum = 0;

    for (guint k = 0; k < SIDE * step; k++)
      sum += from[k] * weights[k];
    sum = ((sum >> 8) * scale->gain >> 10) - scale->offset;
    means[i] = sum < 0 ? 0 : sum > scale->most ? scale->most : sum;
  }
}

HOT void
add_up (gint16 *means, const gint16 *columns, guint step, const gint16 *weights,
    const FalBlockScale *scale, gsize n)
{
  switch (step) {
  case 1:
    add_up_steps (means, columns, 1, weights, scale, n);
    break;
  case 2:
    add_up_steps (means, columns, 2, weights, scale, n);
    break;
  case 3:
    add_up_steps (means, columns, 3, weights, scale, n);
    break;
  case 4:
    add_up_steps (means, columns, 4, weights, scale, n);
    break;
  default:
    add_up_steps (means, columns, step, weights, scale, n);
    break;
  }
}

HOT guint64
load (const guint8 *bytes)
{
  guint64 eight;

  memcpy (&eight, bytes, sizeof eight);
  return eight;
}

/* The sums of the even and the odd ones of eight bytes, as four numbers of sixteen bits. */
HOT guint64
pair_up (guint64 eight)
{
  const guint64 even = G_GUINT64_CONSTANT (0x00ff00ff00ff00ff);

  return (eight & even) + ((eight >> 8) & even);
}

HOT void
add_bytes (gint16 *restrict means, const guint8 *restrict top, gssize stride,
    const FalBlockScale *scale, gsize n)
{
  const gint gain = scale->gain, offset = scale->offset, most = scale->most;

  for (gsize i = 0; i < n; i++) {
    const guint8 *from = top + i * SIDE;
    guint64 pairs = pair_up (load (from)) + pair_up (load (from + stride)) +
                    pair_up (load (from + 2 * stride)) + pair_up (load (from + 3 * stride));
    gint32 sum;

    pairs += pairs >> 32;
    sum = (gint32) (pairs & 0xffff) + (gint32) (pairs >> 16 & 0xffff);
    sum = (sum * gain >> 10) - offset;
    means[i] = sum < 0 ? 0 : sum > most ? most : sum;
  }
}

HOT void
differ (gint16 *restrict out, const gint16 *restrict before, const gint16 *restrict after,
    gint gain, gint offset, gsize n)
{
  for (gsize i = 0; i < n; i++) {
    gint off = after[i] - ((before[i] * gain + 2048) >> 12) - offset;

    off = off < 0 ? -off : off;
    out[i] = off < MOST ? off : MOST;
  }
}

HOT guint
join (guint16 *restrict sums, const gint16 *restrict above, const gint16 *restrict below, gsize n)
{
  guint16 most = 0;

  for (gsize i = 0; i < n; i++) {
    sums[i] = above[i] + above[i + 1] + below[i] + below[i + 1];
    most = sums[i] > most ? sums[i] : most;
  }
  return most;
}

void
fal_block_sums_add_rows_plainly (
    gint16 *columns, const guint8 *top, gssize stride, guint rows, gsize n)
{
  add_rows (columns, top, stride, rows, n);
}

void
fal_block_sums_add_up_plainly (gint16 *means, const gint16 *columns, guint step,
    const gint16 *weights, const FalBlockScale *scale, gsize n)
{
  add_up (means, columns, step, weights, scale, n);
}

void
fal_block_sums_add_wide_rows (
    gint16 *columns, const guint16 *top, gssize stride, guint rows, guint shift, gsize n)
{
  for (gsize i = 0; i < n; i++)
    columns[i] = top[i] >> shift;
  for (guint y = 1; y < rows; y++) {
    const guint16 *row = (gconstpointer) ((const guint8 *) top + (gssize) y * stride);

    for (gsize i = 0; i < n; i++)
      columns[i] += row[i] >> shift;
  }
}

void
fal_block_sums_add_bytes_plainly (
    gint16 *means, const guint8 *top, gssize stride, const FalBlockScale *scale, gsize n)
{
  add_bytes (means, top, stride, scale, n);
}

void
fal_block_sums_differ_plainly (
    gint16 *out, const gint16 *before, const gint16 *after, gint gain, gint offset, gsize n)
{
  differ (out, before, after, gain, offset, n);
}

guint
fal_block_sums_join_plainly (guint16 *sums, const gint16 *above, const gint16 *below, gsize n)
{
  return join (sums, above, below, n);
}

#ifdef __x86_64__

#define AVX2 __attribute__ ((target ("avx2"))) static

AVX2 void
add_rows_with_avx2 (gint16 *columns, const guint8 *top, gssize stride, guint rows, gsize n)
{
  add_rows (columns, top, stride, rows, n);
}

AVX2 void
add_up_with_avx2 (gint16 *means, const gint16 *columns, guint step, const gint16 *weights,
    const FalBlockScale *scale, gsize n)
{
  add_up (means, columns, step, weights, scale, n);
}

void
fal_block_sums_add_rows (gint16 *columns, const guint8 *top, gssize stride, guint rows, gsize n)
{
  if (__builtin_cpu_supports ("avx2"))
    add_rows_with_avx2 (columns, top, stride, rows, n);
  else
    fal_block_sums_add_rows_plainly (columns, top, stride, rows, n);
}

void
fal_block_sums_add_up (gint16 *means, const gint16 *columns, guint step, const gint16 *weights,
    const FalBlockScale *scale, gsize n)
{
  if (__builtin_cpu_supports ("avx2"))
    add_up_with_avx2 (means, columns, step, weights, scale, n);
  else
    fal_block_sums_add_up_plainly (means, columns, step, weights, scale, n);
}

AVX2 void
add_bytes_with_avx2 (
    gint16 *means, const guint8 *top, gssize stride, const FalBlockScale *scale, gsize n)
{
  add_bytes (means, top, stride, scale, n);
}

AVX2 void
differ_with_avx2 (
    gint16 *out, const gint16 *before, const gint16 *after, gint gain, gint offset, gsize n)
{
  differ (out, before, after, gain, offset, n);
}

AVX2 guint
join_with_avx2 (guint16 *sums, const gint16 *above, const gint16 *below, gsize n)
{
  return join (sums, above, below, n);
}

void
fal_block_sums_add_bytes (
    gint16 *means, const guint8 *top, gssize stride, const FalBlockScale *scale, gsize n)
{
  if (__builtin_cpu_supports ("avx2"))
    add_bytes_with_avx2 (means, top, stride, scale, n);
  else
    fal_block_sums_add_bytes_plainly (means, top, stride, scale, n);
}

void
fal_block_sums_differ (
    gint16 *out, const gint16 *before, const gint16 *after, gint gain, gint offset, gsize n)
{
  if (__builtin_cpu_supports ("avx2"))
    differ_with_avx2 (out, before, after, gain, offset, n);
  else
    fal_block_sums_differ_plainly (out, before, after, gain, offset, n);
}

guint
fal_block_sums_join (guint16 *sums, const gint16 *above, const gint16 *below, gsize n)
{
  if (__builtin_cpu_supports ("avx2"))
    return join_with_avx2 (sums, above, below, n);
  return fal_block_sums_join_plainly (sums, above, below, n);
}

#else

void
fal_block_sums_add_rows (gint16 *columns, const guint8 *top, gssize stride, guint rows, gsize n)
{
  fal_block_sums_add_rows_plainly (columns, top, stride, rows, n);
}

void
fal_block_sums_add_up (gint16 *means, const gint16 *columns, guint step, const gint16 *weights,
    const FalBlockScale *scale, gsize n)
{
  fal_block_sums_add_up_plainly (means, columns, step, weights, scale, n);
}

void
fal_block_sums_add_bytes (
    gint16 *means, const guint8 *top, gssize stride, const FalBlockScale *scale, gsize n)
{
  fal_block_sums_add_bytes_plainly (means, top, stride, scale, n);
}

void
fal_block_sums_differ (
    gint16 *out, const gint16 *before, const gint16 *after, gint gain, gint offset, gsize n)
{
  fal_block_sums_differ_plainly (out, before, after, gain, offset, n);
}

guint
fal_block_sums_join (guint16 *sums, const gint16 *above, const gint16 *below, gsize n)
{
  return fal_block_sums_join_plainly (sums, above, below, n);
}

#endif
