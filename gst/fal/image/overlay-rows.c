/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loops of which the compiler makes vector code; built with -O3. Each is compiled for any processor
 * and once more for those with AVX2. */
#include "overlay-rows.h"

/* Inlined into both. */
#define HOT static inline __attribute__ ((always_inline))

/* @product: of two bytes, or a sum of such products with weights that add up to 255. */
HOT guint16
by_255 (guint16 product)
{
  guint16 sum = product + 128;

  return (sum + (sum >> 8)) >> 8;
}

/* The same for a word and a byte. In 32 bits, and as near as a division. */
HOT guint32
by_255_wide (guint32 product)
{
  return (product * 257 + (product >> 8) + 32768) >> 16;
}

/* ---- Interleaving ---- */

#define WEAVE(name, type)                                                                          \
  HOT void name##_2 (type *restrict out, const type *a, const type *b, gint width)                 \
  {                                                                                                \
    for (gint x = 0; x < width; x++) {                                                             \
      out[2 * x] = a[x];                                                                           \
      out[2 * x + 1] = b[x];                                                                       \
    }                                                                                              \
  }                                                                                                \
  HOT void name##_3 (type *restrict out, const type *a, const type *b, const type *c, gint width)  \
  {                                                                                                \
    for (gint x = 0; x < width; x++) {                                                             \
      out[3 * x] = a[x];                                                                           \
      out[3 * x + 1] = b[x];                                                                       \
      out[3 * x + 2] = c[x];                                                                       \
    }                                                                                              \
  }                                                                                                \
  HOT void name##_4 (                                                                              \
      type *restrict out, const type *a, const type *b, const type *c, const type *d, gint width)  \
  {                                                                                                \
    for (gint x = 0; x < width; x++) {                                                             \
      out[4 * x] = a[x];                                                                           \
      out[4 * x + 1] = b[x];                                                                       \
      out[4 * x + 2] = c[x];                                                                       \
      out[4 * x + 3] = d[x];                                                                       \
    }                                                                                              \
  }                                                                                                \
  HOT void name (type *restrict out, const type *const *in, guint n, gint width)                   \
  {                                                                                                \
    if (n == 4)                                                                                    \
      name##_4 (out, in[0], in[1], in[2], in[3], width);                                           \
    else if (n == 3)                                                                               \
      name##_3 (out, in[0], in[1], in[2], width);                                                  \
    else if (n == 2)                                                                               \
      name##_2 (out, in[0], in[1], width);                                                         \
    else                                                                                           \
      __builtin_memcpy (out, in[0], width * sizeof *out);                                          \
  }

WEAVE (weave, guint8)
WEAVE (weave16, guint16)

/* ---- Pixels of four bytes ---- */

HOT void
premultiply_at (guint8 *out, const guint8 *in, guint at, gint width)
{
  for (gint x = 0; x < width; x++) {
    guint16 alpha = in[4 * x + at];

    for (guint i = 0; i < 4; i++)
      out[4 * x + i] = by_255 (in[4 * x + i] * (i == at ? 255 : alpha));
  }
}

HOT void
premultiply (guint8 *out, const guint8 *in, guint at, gint width)
{
  if (at == 0)
    premultiply_at (out, in, 0, width);
  else
    premultiply_at (out, in, 3, width);
}

HOT void
fade (guint8 *restrict row, const guint8 *restrict across, guint8 down, gint n)
{
  for (gint i = 0; i < n; i++)
    row[i] = by_255 (row[i] * by_255 (across[i] * down));
}

/* At any address. A whole pixel is loaded at once, else the compiler makes no vector code. */
typedef guint32 Pixel __attribute__ ((aligned (1), may_alias));

HOT guint
find_shift (guint at)
{
  return 8 * (G_BYTE_ORDER == G_LITTLE_ENDIAN ? at : 3 - at);
}

HOT void
put_alpha (guint8 *out, const guint8 *in, const guint8 *alpha, guint at, gint width)
{
  const Pixel *from = (const Pixel *) in;
  Pixel *to = (Pixel *) out;
  guint shift = find_shift (at);
  guint32 others = ~((guint32) 0xff << shift);

  for (gint x = 0; x < width; x++)
    to[x] = (from[x] & others) | (guint32) alpha[x] << shift;
}

HOT void
take (guint8 *restrict out, const guint8 *restrict in, guint at, gint width)
{
  const Pixel *from = (const Pixel *) in;
  guint shift = find_shift (at);

  for (gint x = 0; x < width; x++)
    out[x] = from[x] >> shift;
}

HOT void
split_to (guint16 *restrict a, guint16 *restrict b, guint16 *restrict c, guint16 *restrict d,
    const guint8 *restrict in, gint width)
{
  const Pixel *from = (const Pixel *) in;

  for (gint x = 0; x < width; x++) {
    guint32 pixel = from[x];

    a[x] = pixel >> find_shift (0) & 255;
    b[x] = pixel >> find_shift (1) & 255;
    c[x] = pixel >> find_shift (2) & 255;
    d[x] = pixel >> find_shift (3) & 255;
  }
}

HOT void
split (guint16 *const *out, const guint8 *in, gint width)
{
  split_to (out[0], out[1], out[2], out[3], in, width);
}

/* ---- Bytes of pixels to components ---- */

HOT void
sum (guint16 *restrict sums, const guint8 *restrict in, gint width)
{
  for (gint x = 0; x < width; x++)
    sums[x] += in[x];
}

HOT void
sum16 (guint16 *restrict sums, const guint16 *restrict in, gint width)
{
  for (gint x = 0; x < width; x++)
    sums[x] += in[x];
}

HOT void
gather (guint16 *restrict out, const guint16 *restrict in, guint sub, gint width)
{
  if (sub == 0) {
    __builtin_memcpy (out, in, width * sizeof *out);
  } else if (sub == 1) {
    for (gint x = 0; x < width; x++)
      out[x] = in[2 * x] + in[2 * x + 1];
  } else {
    for (gint x = 0; x < width; x++)
      out[x] = in[4 * x] + in[4 * x + 1] + in[4 * x + 2] + in[4 * x + 3];
  }
}

HOT gint32
apply_matrix (const guint16 *const *in, const gint32 *weights, guint shift, gint32 max, gint x)
{
  gint32 sample = (weights[0] * in[0][x] + weights[1] * in[1][x] + weights[2] * in[2][x] +
                      weights[3] * in[3][x] + (1 << shift >> 1)) >>
                  shift;

  return CLAMP (sample, 0, max);
}

HOT void
convert (guint8 *restrict out, const guint16 *const *in, const FalRowMatrix *matrix, gint width)
{
  const guint16 *const rows[4] = { in[0], in[1], in[2], in[3] };
  const FalRowMatrix m = *matrix;

  for (gint x = 0; x < width; x++)
    out[x] = apply_matrix (rows, m.weights, m.shift, 255, x);
}

HOT void
convert16 (guint16 *restrict out, const guint16 *const *in, const FalRowMatrix *matrix, gint width)
{
  const guint16 *const rows[4] = { in[0], in[1], in[2], in[3] };
  const FalRowMatrix m = *matrix;

  for (gint x = 0; x < width; x++)
    out[x] = apply_matrix (rows, m.weights, m.shift, m.max, x) << m.left;
}

/* At any address. */
typedef guint16 Pair __attribute__ ((aligned (1), may_alias));

HOT void
halve (guint8 *restrict out, const guint8 *restrict upper, const guint8 *restrict lower, gint width)
{
  const Pair *above = (const Pair *) upper, *below = (const Pair *) lower;

  for (gint x = 0; x < width; x++) {
    guint16 sum = (above[x] & 255) + (above[x] >> 8) + (below[x] & 255) + (below[x] >> 8);

    out[x] = (guint16) (sum + 2) >> 2;
  }
}

HOT void
mean (guint8 *restrict out, const guint16 *restrict sums, guint shift, gint width)
{
  for (gint x = 0; x < width; x++)
    out[x] = (sums[x] + (1 << shift >> 1)) >> shift;
}

/* ---- Blending ---- */

/* Two roundings may add up to one too many. */
HOT void
over (guint8 *restrict row, const guint8 *restrict picture, const guint8 *restrict mask, gint n)
{
  for (gint i = 0; i < n; i++) {
    guint16 both = picture[i] + by_255 (row[i] * (255 - mask[i]));

    row[i] = MIN (both, 255);
  }
}

HOT void
over16 (guint16 *restrict row, const guint16 *restrict picture, const guint8 *restrict mask,
    guint16 bits, gint n)
{
  for (gint i = 0; i < n; i++) {
    guint32 both = picture[i] + by_255_wide ((guint32) row[i] * (255u - mask[i]));

    row[i] = MIN (both, bits) & bits;
  }
}

HOT void
mix (guint8 *restrict out, const guint8 *restrict front, const guint8 *restrict back,
    const guint8 *restrict mask, gint n)
{
  for (gint i = 0; i < n; i++)
    out[i] = by_255 (front[i] * mask[i] + back[i] * (255 - mask[i]));
}

HOT void
mix16 (guint16 *restrict out, const guint16 *restrict front, const guint16 *restrict back,
    const guint8 *restrict mask, guint16 bits, gint n)
{
  for (gint i = 0; i < n; i++)
    out[i] =
        by_255_wide ((guint32) front[i] * mask[i] + (guint32) back[i] * (255u - mask[i])) & bits;
}

HOT void
weigh (guint8 *restrict out, const guint8 *restrict one, const guint8 *restrict other, guint weight,
    gint n)
{
  guint16 more = weight, less = 256 - weight;

  for (gint i = 0; i < n; i++)
    out[i] = (guint16) (one[i] * less + other[i] * more + 128) >> 8;
}

HOT void
weigh16 (guint16 *restrict out, const guint16 *restrict one, const guint16 *restrict other,
    guint weight, gint n)
{
  for (gint i = 0; i < n; i++)
    out[i] = ((guint32) one[i] * (256 - weight) + (guint32) other[i] * weight + 128) >> 8;
}

/* ---- Blurring ---- */

HOT void
add (guint32 *restrict sums, const guint8 *restrict row, gint n)
{
  for (gint i = 0; i < n; i++)
    sums[i] += row[i];
}

HOT void
add16 (guint32 *restrict sums, const guint16 *restrict row, gint n)
{
  for (gint i = 0; i < n; i++)
    sums[i] += row[i];
}

/* Vectors of GCC and clang, which work on any processor. */
typedef guint16 Words __attribute__ ((vector_size (16)));
typedef guint8 Bytes __attribute__ ((vector_size (8)));

HOT Words
load_words (const guint16 *in)
{
  Words words;

  __builtin_memcpy (&words, in, sizeof words);
  return words;
}

/* Words are taken in 12 bits: then what is between two of them, in 16, needs no more in between, as
 * what overflows comes back. */
HOT void
put (guint8 *out, Words one, Words more, Words parts, Words dots)
{
  Bytes bytes = __builtin_convertvector ((one * 16 + more * parts + dots) >> 8, Bytes);

  __builtin_memcpy (out, &bytes, sizeof bytes);
}

/* The @k-th eight samples, between the words whose indices follow and those after them. */
#define PUT(k, ...)                                                                                \
  put (out + 8 * (k), __builtin_shufflevector (one, one, __VA_ARGS__),                             \
      __builtin_shufflevector (more, more, __VA_ARGS__), parts, dots)

HOT void
put_8 (guint8 *out, Words one, Words more, Words dots)
{
  const Words parts = { 1, 3, 5, 7, 9, 11, 13, 15 };

  PUT (0, 0, 0, 0, 0, 0, 0, 0, 0);
  PUT (1, 1, 1, 1, 1, 1, 1, 1, 1);
  PUT (2, 2, 2, 2, 2, 2, 2, 2, 2);
  PUT (3, 3, 3, 3, 3, 3, 3, 3, 3);
  PUT (4, 4, 4, 4, 4, 4, 4, 4, 4);
  PUT (5, 5, 5, 5, 5, 5, 5, 5, 5);
  PUT (6, 6, 6, 6, 6, 6, 6, 6, 6);
  PUT (7, 7, 7, 7, 7, 7, 7, 7, 7);
}

HOT void
put_4 (guint8 *out, Words one, Words more, Words dots)
{
  const Words parts = { 2, 6, 10, 14, 2, 6, 10, 14 };

  PUT (0, 0, 0, 0, 0, 1, 1, 1, 1);
  PUT (1, 2, 2, 2, 2, 3, 3, 3, 3);
  PUT (2, 4, 4, 4, 4, 5, 5, 5, 5);
  PUT (3, 6, 6, 6, 6, 7, 7, 7, 7);
}

HOT void
put_2 (guint8 *out, Words one, Words more, Words dots)
{
  const Words parts = { 4, 12, 4, 12, 4, 12, 4, 12 };

  PUT (0, 0, 0, 1, 1, 2, 2, 3, 3);
  PUT (1, 4, 4, 5, 5, 6, 6, 7, 7);
}

HOT void
stretch_by (guint8 *restrict out, const guint16 *restrict in, const guint16 *restrict noise,
    guint steps, gint n)
{
  const Words dots = load_words (noise);

  for (gint i = 0; i < n; i += 8) {
    Words one = load_words (in + i) >> 4, more = (load_words (in + i + 1) >> 4) - one;
    guint8 *to = out + (gsize) i * steps;

    if (steps == 8)
      put_8 (to, one, more, dots);
    else if (steps == 4)
      put_4 (to, one, more, dots);
    else
      put_2 (to, one, more, dots);
  }
}

HOT void
stretch (guint8 *out, const guint16 *in, guint sub, const guint16 *noise, guint shift, gint n)
{
  if (sub == 3)
    stretch_by (out, in, noise, 8, n);
  else if (sub == 2)
    stretch_by (out, in, noise, 4, n);
  else
    stretch_by (out, in, noise, 2, n);
}

/* Samples of @STEPS lie between two words. */
#define STRETCH16_BY(STEPS)                                                                        \
  HOT void stretch16_by_##STEPS (guint16 *restrict out, const guint16 *restrict in,                \
      const guint16 *restrict noise, guint shift, gint n)                                          \
  {                                                                                                \
    for (gint i = 0; i < n; i++) {                                                                 \
      const guint16 *restrict dots = noise + (i * STEPS & 7);                                      \
      guint32 one = in[i], other = in[i + 1];                                                      \
                                                                                                   \
      for (guint k = 0; k < STEPS; k++) {                                                          \
        guint32 part = (2 * k + 1) * (128 / STEPS);                                                \
        guint32 sample = ((one * (256 - part) + other * part) >> 8) + dots[k];                     \
                                                                                                   \
        out[i * STEPS + k] = MIN (sample, 65535) >> shift;                                         \
      }                                                                                            \
    }                                                                                              \
  }

STRETCH16_BY (8)
STRETCH16_BY (4)
STRETCH16_BY (2)

HOT void
stretch16 (guint16 *out, const guint16 *in, guint sub, const guint16 *noise, guint shift, gint n)
{
  if (sub == 3)
    stretch16_by_8 (out, in, noise, shift, n);
  else if (sub == 2)
    stretch16_by_4 (out, in, noise, shift, n);
  else
    stretch16_by_2 (out, in, noise, shift, n);
}

/* ---- For both kinds of processor ---- */

#ifdef __x86_64__
#define AVX2 __attribute__ ((target ("avx2")))
#define BOTH(name, parameters, arguments)                                                          \
  static void name##_plainly parameters                                                            \
  {                                                                                                \
    name arguments;                                                                                \
  }                                                                                                \
  AVX2 static void name##_with_avx2 parameters                                                     \
  {                                                                                                \
    name arguments;                                                                                \
  }
#else
#define BOTH(name, parameters, arguments)                                                          \
  static void name##_plainly parameters                                                            \
  {                                                                                                \
    name arguments;                                                                                \
  }
#endif

BOTH (weave, (guint8 * out, const guint8 *const *in, guint n, gint width), (out, in, n, width))
BOTH (weave16, (guint16 * out, const guint16 *const *in, guint n, gint width), (out, in, n, width))
BOTH (premultiply, (guint8 * out, const guint8 *in, guint at, gint width), (out, in, at, width))
BOTH (fade, (guint8 * row, const guint8 *across, guint8 down, gint n), (row, across, down, n))
BOTH (put_alpha, (guint8 * out, const guint8 *in, const guint8 *alpha, guint at, gint width),
    (out, in, alpha, at, width))
BOTH (take, (guint8 * out, const guint8 *in, guint at, gint width), (out, in, at, width))
BOTH (split, (guint16 *const *out, const guint8 *in, gint width), (out, in, width))
BOTH (sum, (guint16 * sums, const guint8 *in, gint width), (sums, in, width))
BOTH (sum16, (guint16 * sums, const guint16 *in, gint width), (sums, in, width))
BOTH (gather, (guint16 * out, const guint16 *in, guint sub, gint width), (out, in, sub, width))
BOTH (convert, (guint8 * out, const guint16 *const *in, const FalRowMatrix *matrix, gint width),
    (out, in, matrix, width))
BOTH (convert16, (guint16 * out, const guint16 *const *in, const FalRowMatrix *matrix, gint width),
    (out, in, matrix, width))
BOTH (halve, (guint8 * out, const guint8 *upper, const guint8 *lower, gint width),
    (out, upper, lower, width))
BOTH (mean, (guint8 * out, const guint16 *sums, guint shift, gint width), (out, sums, shift, width))
BOTH (over, (guint8 * row, const guint8 *picture, const guint8 *mask, gint n),
    (row, picture, mask, n))
BOTH (over16, (guint16 * row, const guint16 *picture, const guint8 *mask, guint16 bits, gint n),
    (row, picture, mask, bits, n))
BOTH (mix, (guint8 * out, const guint8 *front, const guint8 *back, const guint8 *mask, gint n),
    (out, front, back, mask, n))
BOTH (mix16,
    (guint16 * out, const guint16 *front, const guint16 *back, const guint8 *mask, guint16 bits,
        gint n),
    (out, front, back, mask, bits, n))
BOTH (weigh, (guint8 * out, const guint8 *one, const guint8 *other, guint weight, gint n),
    (out, one, other, weight, n))
BOTH (weigh16, (guint16 * out, const guint16 *one, const guint16 *other, guint weight, gint n),
    (out, one, other, weight, n))
BOTH (add, (guint32 * sums, const guint8 *row, gint n), (sums, row, n))
BOTH (add16, (guint32 * sums, const guint16 *row, gint n), (sums, row, n))
BOTH (stretch,
    (guint8 * out, const guint16 *in, guint sub, const guint16 *noise, guint shift, gint n),
    (out, in, sub, noise, shift, n))
BOTH (stretch16,
    (guint16 * out, const guint16 *in, guint sub, const guint16 *noise, guint shift, gint n),
    (out, in, sub, noise, shift, n))

#define ALL(kind)                                                                                  \
  { weave_##kind, weave16_##kind, premultiply_##kind, fade_##kind, put_alpha_##kind, take_##kind,  \
    split_##kind, sum_##kind, sum16_##kind, gather_##kind, convert_##kind, convert16_##kind,       \
    halve_##kind, mean_##kind, over_##kind, over16_##kind, mix_##kind, mix16_##kind, weigh_##kind, \
    weigh16_##kind, add_##kind, add16_##kind, stretch_##kind, stretch16_##kind }

static const FalOverlayRows plain = ALL (plainly);

const FalOverlayRows *
fal_overlay_rows_get_plainly (void)
{
  return &plain;
}

#ifdef __x86_64__

static const FalOverlayRows with_avx2 = ALL (with_avx2);

const FalOverlayRows *
fal_overlay_rows_get (void)
{
  return __builtin_cpu_supports ("avx2") ? &with_avx2 : &plain;
}

#else

const FalOverlayRows *
fal_overlay_rows_get (void)
{
  return &plain;
}

#endif
