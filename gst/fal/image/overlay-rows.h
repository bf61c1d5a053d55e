/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is done to rows of samples to lay pictures on frames, as vector code. Samples are bytes, or
 * words of up to 16 bits (the functions that end in 16); alpha is a byte, 255 is opaque, and
 * results are rounded to the nearest. Rows do not overlap unless said so. Pure; used on any thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* From the four bytes of pixels, or sums of a few of them, to a component. */
typedef struct {
  gint32 weights[4];
  guint shift; /* of the sum of products */
  guint left;  /* then: empty bits below a sample */
  guint max;   /* of the sample, before that */
} FalRowMatrix;

typedef struct {
  /* Interleaves @n (1 to 4) rows of @width elements. Some may be the same row. */
  void (*weave) (guint8 *out, const guint8 *const *in, guint n, gint width);
  void (*weave16) (guint16 *out, const guint16 *const *in, guint n, gint width);

  /* A row of pixels of four bytes, whose alpha is byte @at (0 or 3), times their alpha. In place is
   * fine. */
  void (*premultiply) (guint8 *out, const guint8 *in, guint at, gint width);
  /* Times @across[i] * @down / 255, in place. */
  void (*fade) (guint8 *row, const guint8 *across, guint8 down, gint n);
  /* Sets byte @at (0 to 3) of each pixel of four bytes to @alpha, the others to those of @in. In
   * place is fine. */
  void (*put_alpha) (guint8 *out, const guint8 *in, const guint8 *alpha, guint at, gint width);
  /* Takes byte @at of each pixel of four bytes. */
  void (*take) (guint8 *out, const guint8 *in, guint at, gint width);

  /* The four bytes of each pixel, to a row each. */
  void (*split) (guint16 *const *out, const guint8 *in, gint width);
  /* Adds a row to @sums. */
  void (*sum) (guint16 *sums, const guint8 *in, gint width);
  void (*sum16) (guint16 *sums, const guint16 *in, gint width);
  /* Adds up each 1 << @sub of @in to one of @width in @out. */
  void (*gather) (guint16 *out, const guint16 *in, guint sub, gint width);
  /* A component, of four rows. */
  void (*convert) (guint8 *out, const guint16 *const *in, const FalRowMatrix *matrix, gint width);
  void (*convert16) (
      guint16 *out, const guint16 *const *in, const FalRowMatrix *matrix, gint width);
  /* The mean of each square of two by two. */
  void (*halve) (guint8 *out, const guint8 *upper, const guint8 *lower, gint width);
  /* Sums divided by 1 << @shift. */
  void (*mean) (guint8 *out, const guint16 *sums, guint shift, gint width);

  /* @row, seen through what @mask leaves of it, and @picture, premultiplied, over it. In place. */
  void (*over) (guint8 *row, const guint8 *picture, const guint8 *mask, gint n);
  /* @bits: that samples have. */
  void (*over16) (guint16 *row, const guint16 *picture, const guint8 *mask, guint16 bits, gint n);
  /* @front where @mask is 255, @back where it is 0. */
  void (*mix) (guint8 *out, const guint8 *front, const guint8 *back, const guint8 *mask, gint n);
  void (*mix16) (guint16 *out, const guint16 *front, const guint16 *back, const guint8 *mask,
      guint16 bits, gint n);
  /* @weight / 256 of @other and the rest of @one. */
  void (*weigh) (guint8 *out, const guint8 *one, const guint8 *other, guint weight, gint n);
  void (*weigh16) (guint16 *out, const guint16 *one, const guint16 *other, guint weight, gint n);

  /* Adds a row to @sums. */
  void (*add) (guint32 *sums, const guint8 *row, gint n);
  void (*add16) (guint32 *sums, const guint16 *row, gint n);
  /* Stretches @n + 1 words of 16 bits to @n << @sub samples (@sub 1 to 3), along straight lines:
   * the first is half a step behind @in[0]. @noise, eight words that are less than 1 << @shift, is
   * added to each eight of them before the bits below @shift, which is 8 for bytes, are dropped.
   * Words are taken by eight: @in is read, and @out written, as if @n were rounded up to that. */
  void (*stretch) (
      guint8 *out, const guint16 *in, guint sub, const guint16 *noise, guint shift, gint n);
  void (*stretch16) (
      guint16 *out, const guint16 *in, guint sub, const guint16 *noise, guint shift, gint n);
} FalOverlayRows;

/* The functions for this processor. */
const FalOverlayRows *fal_overlay_rows_get (void);

/* Those without the code for newer processors, for tests: the results are the same. */
const FalOverlayRows *fal_overlay_rows_get_plainly (void);

G_END_DECLS
