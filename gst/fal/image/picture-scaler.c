/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A band of rows is scaled vertically as its bytes lie in memory, then transposed and scaled
 * horizontally with its rows side by side, so that the compiler makes vector code of both. Built
 * with -O3. */
#include "picture-scaler.h"

#include <string.h>

#define BAND FAL_PICTURE_SCALER_BAND
#define BLOCK 8 /* pixels that a row is padded to, for the transposition */
#define ONE FAL_SCALE_FILTER_ONE

struct _FalPictureScaler {
  guint size; /* bytes of a pixel */
  FalScaleFilter across, down;
  gint begin, width; /* columns of the picture that are used */
  gint columns;      /* of the output, padded to whole blocks */
  gint run, run_end; /* of them: where the filter's input goes on from pixel to pixel */
  gint last_row;     /* of the output */
  gsize in_row;      /* bytes of a row of @band */
  guint16 *sums;
  guint8 *band, *turned, *scaled;
};

/* Vectors of GCC and clang, which work on any processor. */
typedef guint8 Bytes __attribute__ ((vector_size (16)));
typedef guint16 Words __attribute__ ((vector_size (32)));
typedef guint32 Fours __attribute__ ((vector_size (16)));

/* Inlined, so that it is compiled once for any processor and once more for those with AVX2. */
#define HOT static inline __attribute__ ((always_inline))

/* ---- Vertically ---- */

HOT void
scale_row (FalPictureScaler *scaler, guint8 *restrict out, const guint8 *restrict in, gssize stride,
    const guint16 *weights)
{
  gsize n = (gsize) scaler->width * scaler->size;
  guint16 *restrict sums = scaler->sums;

  if (scaler->down.n_taps == 1) {
    memcpy (out, in, n);
    return;
  }
  for (gsize i = 0; i < n; i++)
    sums[i] = in[i] * weights[0] + ONE / 2;
  for (gint k = 1; k < scaler->down.n_taps - 1; k++) {
    in += stride;
    for (gsize i = 0; i < n; i++)
      sums[i] += in[i] * weights[k];
  }
  in += stride;
  for (gsize i = 0; i < n; i++)
    out[i] = (guint16) (sums[i] + in[i] * weights[scaler->down.n_taps - 1]) / ONE;
}

HOT void
scale_vertically (FalPictureScaler *scaler, const guint8 *picture, gint stride, gint first)
{
  for (gint i = 0; i < BAND; i++) {
    gint row = MIN (first + i, scaler->last_row);

    scale_row (scaler, scaler->band + i * scaler->in_row,
        picture + (gssize) scaler->down.first[row] * stride, stride,
        scaler->down.weights + (gsize) row * scaler->down.n_taps);
  }
}

/* ---- Transposition ---- */

HOT void
turn_bytes (guint8 *restrict out, gsize out_stride, const guint8 *restrict in, gsize in_stride,
    gint rows, gint columns)
{
  for (gint y = 0; y < rows; y += BLOCK)
    for (gint x = 0; x < columns; x += BLOCK)
      for (gint i = 0; i < BLOCK; i++)
        for (gint k = 0; k < BLOCK; k++)
          out[(x + i) * out_stride + y + k] = in[(y + k) * in_stride + x + i];
}

HOT Fours
load_fours (const guint8 *at)
{
  Fours fours;

  memcpy (&fours, at, sizeof fours);
  return fours;
}

/* A block of four by four. */
HOT void
turn_block (guint8 *out, gsize out_stride, const guint8 *in, gsize in_stride)
{
  Fours a = load_fours (in), b = load_fours (in + in_stride);
  Fours c = load_fours (in + 2 * in_stride), d = load_fours (in + 3 * in_stride);
  Fours ab = __builtin_shufflevector (a, b, 0, 4, 1, 5),
        cd = __builtin_shufflevector (c, d, 0, 4, 1, 5);
  Fours AB = __builtin_shufflevector (a, b, 2, 6, 3, 7),
        CD = __builtin_shufflevector (c, d, 2, 6, 3, 7);
  Fours turned[4] = {
    __builtin_shufflevector (ab, cd, 0, 1, 4, 5),
    __builtin_shufflevector (ab, cd, 2, 3, 6, 7),
    __builtin_shufflevector (AB, CD, 0, 1, 4, 5),
    __builtin_shufflevector (AB, CD, 2, 3, 6, 7),
  };

  for (gint i = 0; i < 4; i++)
    memcpy (out + i * out_stride, &turned[i], sizeof turned[i]);
}

HOT void
turn_fours (
    guint8 *out, gsize out_stride, const guint8 *in, gsize in_stride, gint rows, gint columns)
{
  for (gint x = 0; x < columns; x += 4)
    for (gint y = 0; y < rows; y += 4)
      turn_block (out + x * out_stride + 4 * y, out_stride, in + y * in_stride + 4 * x, in_stride);
}

HOT void
turn (guint8 *out, gsize out_stride, const guint8 *in, gsize in_stride, gint rows, gint columns,
    guint size)
{
  if (size == 1)
    turn_bytes (out, out_stride, in, in_stride, rows, columns);
  else
    turn_fours (out, out_stride, in, in_stride, rows, columns);
}

/* ---- Horizontally ---- */

/* Sixteen bytes of a column of the band at a time. */
HOT void
scale_columns (FalPictureScaler *scaler, guint size)
{
  const FalScaleFilter *across = &scaler->across;
  const gsize column = BAND * size;

  for (gint x = 0; x < scaler->columns; x++) {
    const guint8 *from = scaler->turned + (gsize) (across->first[x] - scaler->begin) * column;
    const guint16 *weights = across->weights + (gsize) x * across->n_taps;

    for (guint part = 0; part < size; part++) {
      Words sums = { 0 };
      Bytes samples;

      for (gint k = 0; k < across->n_taps; k++) {
        memcpy (&samples, from + k * column + part * sizeof samples, sizeof samples);
        sums += __builtin_convertvector (samples, Words) * weights[k];
      }
      samples = __builtin_convertvector ((sums + ONE / 2) / ONE, Bytes);
      /* -Wanalyzer-use-of-uninitialized-value: a conversion fills a vector */
      memcpy (scaler->scaled + x * column + part * sizeof samples, &samples, sizeof samples);
    }
  }
}

HOT void
scale_horizontally (FalPictureScaler *scaler, guint8 *out, gsize stride)
{
  const gsize column = BAND * scaler->size;

  turn (scaler->turned, column, scaler->band, scaler->in_row, BAND, scaler->width, scaler->size);
  if (scaler->size == 1)
    scale_columns (scaler, 1);
  else
    scale_columns (scaler, 4);
  turn (out, stride, scaler->scaled, column, scaler->columns, BAND, scaler->size);
}

/* Without scaling: pixels are only moved, and those at the edges repeated. @in: a row, from the
 * first pixel that is used. */
HOT void
move_columns (const FalPictureScaler *scaler, guint8 *out, const guint8 *in)
{
  const gint *first = scaler->across.first;
  guint size = scaler->size;

  for (gint x = 0; x < scaler->run; x++)
    memcpy (out + x * size, in + (gsize) (first[x] - scaler->begin) * size, size);
  memcpy (out + scaler->run * size, in + (gsize) (first[scaler->run] - scaler->begin) * size,
      (gsize) (scaler->run_end - scaler->run) * size);
  for (gint x = scaler->run_end; x < scaler->columns; x++)
    memcpy (out + x * size, in + (gsize) (first[x] - scaler->begin) * size, size);
}

HOT void
scale_band (FalPictureScaler *scaler, const guint8 *picture, gint picture_stride, gint first,
    guint8 *out, gsize stride)
{
  const gint *rows = scaler->down.first;

  picture += (gsize) scaler->begin * scaler->size;
  if (scaler->across.n_taps > 1 || scaler->down.n_taps > 1)
    scale_vertically (scaler, picture, picture_stride, first);
  if (scaler->across.n_taps > 1) {
    scale_horizontally (scaler, out, stride);
    return;
  }
  for (gint i = 0; i < BAND; i++)
    move_columns (scaler, out + i * stride,
        scaler->down.n_taps > 1
            ? scaler->band + i * scaler->in_row
            : picture + (gssize) rows[MIN (first + i, scaler->last_row)] * picture_stride);
}

void
fal_picture_scaler_scale_plainly (FalPictureScaler *scaler, const guint8 *picture,
    gint picture_stride, gint first, guint8 *out, gsize stride)
{
  scale_band (scaler, picture, picture_stride, first, out, stride);
}

#ifdef __x86_64__

__attribute__ ((target ("avx2"))) static void
scale_with_avx2 (FalPictureScaler *scaler, const guint8 *picture, gint picture_stride, gint first,
    guint8 *out, gsize stride)
{
  scale_band (scaler, picture, picture_stride, first, out, stride);
}

void
fal_picture_scaler_scale (FalPictureScaler *scaler, const guint8 *picture, gint picture_stride,
    gint first, guint8 *out, gsize stride)
{
  if (__builtin_cpu_supports ("avx2"))
    scale_with_avx2 (scaler, picture, picture_stride, first, out, stride);
  else
    fal_picture_scaler_scale_plainly (scaler, picture, picture_stride, first, out, stride);
}

#else

void
fal_picture_scaler_scale (FalPictureScaler *scaler, const guint8 *picture, gint picture_stride,
    gint first, guint8 *out, gsize stride)
{
  fal_picture_scaler_scale_plainly (scaler, picture, picture_stride, first, out, stride);
}

#endif

/* ---- Life ---- */

static void
find_columns (FalPictureScaler *scaler)
{
  const FalScaleFilter *across = &scaler->across;

  scaler->begin = across->first[0];
  scaler->width = across->first[scaler->columns - 1] + across->n_taps - scaler->begin;
  while (scaler->run + 1 < scaler->columns &&
         across->first[scaler->run + 1] != across->first[scaler->run] + 1)
    scaler->run++;
  scaler->run_end = scaler->run + 1;
  while (scaler->run_end < scaler->columns &&
         across->first[scaler->run_end] == across->first[scaler->run_end - 1] + 1)
    scaler->run_end++;
}

FalPictureScaler *
fal_picture_scaler_new (guint size, const FalScaleAxis *across, const FalScaleAxis *down)
{
  FalPictureScaler *scaler = g_new0 (FalPictureScaler, 1);

  scaler->size = size;
  scaler->columns = (across->n_padded + BLOCK - 1) / BLOCK * BLOCK;
  scaler->last_row = down->n_padded - 1;
  fal_scale_filter_init_part (
      &scaler->across, &across->part, across->n_in, across->n_out, scaler->columns);
  fal_scale_filter_init_part (&scaler->down, &down->part, down->n_in, down->n_out, down->n_padded);
  find_columns (scaler);
  scaler->in_row = (gsize) (scaler->width + BLOCK - 1) / BLOCK * BLOCK * size;
  scaler->sums = g_try_malloc_n (scaler->in_row, sizeof (guint16));
  scaler->band = g_try_malloc0_n (scaler->in_row, BAND);
  scaler->turned = g_try_malloc_n (scaler->in_row, BAND);
  scaler->scaled = g_try_malloc_n ((gsize) scaler->columns * size, BAND);
  if (scaler->sums && scaler->band && scaler->turned && scaler->scaled)
    return scaler;
  fal_picture_scaler_free (scaler);
  return NULL;
}

gint
fal_picture_scaler_get_width (const FalPictureScaler *scaler)
{
  return scaler->columns;
}

void
fal_picture_scaler_free (FalPictureScaler *scaler)
{
  fal_scale_filter_clear (&scaler->across);
  fal_scale_filter_clear (&scaler->down);
  g_free (scaler->sums);
  g_free (scaler->band);
  g_free (scaler->turned);
  g_free (scaler->scaled);
  g_free (scaler);
}
