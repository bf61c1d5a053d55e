/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Planes of numbers. Loops over a row are kept so plain that the compiler makes vectors of them.
 * Pure; any thread. */
#include "plane.h"
#include <string.h>

FalPlane *
fal_plane_new (guint width, guint height)
{
  FalPlane *plane = g_new (FalPlane, 1);

  *plane = (FalPlane){ width, height, g_new0 (gfloat, (gsize) width * height) };
  return plane;
}

void
fal_plane_free (FalPlane *plane)
{
  g_free (plane->data);
  g_free (plane);
}

static gfloat
get_mean (const guint8 *bytes, guint stride, guint left, guint right, guint top, guint bottom)
{
  guint64 sum = 0;

  for (guint y = top; y < bottom; y++)
    for (guint x = left; x < right; x++)
      sum += bytes[(gsize) y * stride + x];
  return sum / (255.0f * (right - left) * (bottom - top));
}

/* Where number @at of @count begins in @length bytes. */
static guint
divide (guint at, guint length, guint count)
{
  return (guint64) at * length / count;
}

FalPlane *
fal_plane_new_scaled (
    const guint8 *bytes, guint from_width, guint from_height, guint width, guint height)
{
  FalPlane *plane = fal_plane_new (width, height);
  gfloat *to = plane->data;

  for (guint y = 0; y < height; y++) {
    guint top = divide (y, from_height, height), bottom = divide (y + 1, from_height, height);

    for (guint x = 0; x < width; x++) {
      guint left = divide (x, from_width, width), right = divide (x + 1, from_width, width);

      *to++ = get_mean (bytes, from_width, left, MAX (right, left + 1), top, MAX (bottom, top + 1));
    }
  }
  return plane;
}

FalPlane *
fal_plane_new_product (const FalPlane *one, const FalPlane *other)
{
  FalPlane *product = fal_plane_new (one->width, one->height);
  gsize size = (gsize) one->width * one->height;

  for (gsize i = 0; i < size; i++)
    product->data[i] = one->data[i] * other->data[i];
  return product;
}

static void
add_row (gfloat *sums, const gfloat *row, guint width)
{
  for (guint x = 0; x < width; x++)
    sums[x] += row[x];
}

/* Each becomes the sum of its neighbourhood times @scale. @padded has room for the row and @radius
 * numbers on both sides. */
static void
blur_row (gfloat *row, gfloat *padded, guint width, guint radius, gfloat scale)
{
  memcpy (padded + radius, row, width * sizeof *row);
  for (guint x = 0; x < radius; x++) {
    padded[x] = row[0];
    padded[radius + width + x] = row[width - 1];
  }
  memset (row, 0, width * sizeof *row);
  for (guint i = 0; i <= 2 * radius; i++)
    add_row (row, padded + i, width);
  for (guint x = 0; x < width; x++)
    row[x] *= scale;
}

void
fal_plane_blur (FalPlane *plane, guint radius)
{
  guint width = plane->width, height = plane->height, side = 2 * radius + 1;
  gfloat *blurred = g_new0 (gfloat, (gsize) width * height);
  g_autofree gfloat *padded = g_new (gfloat, width + 2 * radius);

  for (guint y = 0; y < height; y++) {
    gfloat *row = blurred + (gsize) y * width;

    for (guint i = 0; i < side; i++) {
      gint from = CLAMP ((gint) (y + i) - (gint) radius, 0, (gint) height - 1);

      add_row (row, plane->data + (gsize) from * width, width);
    }
    blur_row (row, padded, width, radius, 1.0f / (side * side));
  }
  g_free (plane->data);
  plane->data = blurred;
}

/* Between which two numbers a place lies, and by which share of the way to the second. */
typedef struct {
  guint first, second;
  gfloat share;
} Between;

/* The middle of place @at of @length, where @count numbers are stretched over as much. */
static Between
locate (guint at, guint length, guint count)
{
  gfloat place = (at + 0.5f) * count / length - 0.5f;
  guint first;

  place = CLAMP (place, 0.0f, count - 1.0f);
  first = place;
  return (Between){ first, MIN (first + 1, count - 1), place - first };
}

FalPlane *
fal_plane_new_widened (const FalPlane *plane, guint width)
{
  FalPlane *wide = fal_plane_new (width, plane->height);
  g_autofree Between *places = g_new (Between, width);

  for (guint x = 0; x < width; x++)
    places[x] = locate (x, width, plane->width);
  for (guint y = 0; y < plane->height; y++) {
    const gfloat *from = plane->data + (gsize) y * plane->width;
    gfloat *to = wide->data + (gsize) y * width;

    for (guint x = 0; x < width; x++)
      to[x] = from[places[x].first] +
              (from[places[x].second] - from[places[x].first]) * places[x].share;
  }
  return wide;
}

void
fal_plane_get_row (const FalPlane *plane, guint y, guint height, gfloat *row)
{
  Between place = locate (y, height, plane->height);
  const gfloat *above = plane->data + (gsize) place.first * plane->width;
  const gfloat *below = plane->data + (gsize) place.second * plane->width;

  for (guint x = 0; x < plane->width; x++)
    row[x] = above[x] + (below[x] - above[x]) * place.share;
}
