/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An image's brightness and its blur, from which several effects are made. Pure; any thread. */
#include "luma.h"

guint8 *
fal_luma_new (const FalRgbImage *image)
{
  gsize pixels = (gsize) image->width * image->height;
  guint8 *luma = g_malloc (pixels);
  const guint8 *rgb = image->data;

  for (gsize i = 0; i < pixels; i++)
    luma[i] = (77 * rgb[3 * i] + 150 * rgb[3 * i + 1] + 29 * rgb[3 * i + 2]) >> 8;
  return luma;
}

/* Sums over 2 × @radius + 1 neighbours in a row. */
static void
sum_row (const guint8 *row, guint16 *sums, guint width, guint radius)
{
  guint sum = row[0] * radius;
  gint last = width - 1;

  for (guint x = 0; x < radius; x++)
    sum += row[MIN ((gint) x, last)];
  for (gint x = 0; x <= last; x++) {
    sum += row[MIN (x + (gint) radius, last)];
    sums[x] = sum;
    sum -= row[MAX (x - (gint) radius, 0)];
  }
}

/* Slides the columns' sums one row down: @enters comes in, @mean is written, @leaves goes out. */
static void
slide_columns (guint32 *columns, const guint16 *enters, const guint16 *leaves, guint8 *mean,
    guint width, guint32 reciprocal)
{
  for (guint x = 0; x < width; x++) {
    guint32 sum = columns[x] + enters[x];

    mean[x] = ((guint64) sum * reciprocal) >> 24;
    columns[x] = sum - leaves[x];
  }
}

guint8 *
fal_luma_new_blurred (const guint8 *luma, guint width, guint height, guint radius)
{
  guint side = 2 * radius + 1;
  guint32 reciprocal = (1 << 24) / (side * side) + 1;
  gint last = height - 1;
  guint8 *blurred = g_malloc ((gsize) width * height);
  g_autofree guint16 *sums = g_new (guint16, (gsize) width * height);
  g_autofree guint32 *columns = g_new0 (guint32, width);

  for (guint y = 0; y < height; y++)
    sum_row (luma + (gsize) y * width, sums + (gsize) y * width, width, radius);
  for (gint y = -(gint) radius; y < (gint) radius; y++)
    for (guint x = 0; x < width; x++)
      columns[x] += sums[(gsize) CLAMP (y, 0, last) * width + x];
  for (gint y = 0; y <= last; y++)
    slide_columns (columns, sums + (gsize) MIN (y + (gint) radius, last) * width,
        sums + (gsize) MAX (y - (gint) radius, 0) * width, blurred + (gsize) y * width, width,
        reciprocal);
  return blurred;
}
