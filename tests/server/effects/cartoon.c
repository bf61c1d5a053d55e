/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The cartoon: colours are smoothed at half size, without crossing edges, then put back at full
 * size in a few steps of brightness; ink goes where the picture is darker than its surroundings.
 * Pure; any thread. */
#include "cartoon.h"
#include "luma.h"
#include <math.h>

#define ONE 64          /* a level of colour, in the fixed point of the smoothing */
#define REACH 14.0      /* pixels at half size over which even areas are smoothed */
#define EDGE 26.0       /* difference of colour that counts as an edge */
#define ROUNDS 2        /* of smoothing along rows and columns */
#define STEPS 6         /* of brightness */
#define SHARPNESS 2.2   /* of the border between two steps */
#define SATURATION 345  /* 256 keeps the colours as they are */
#define DIFFERENCES 768 /* of two colours, summed over red, green and blue */

typedef struct {
  guint width, height;
  gint16 *rgb;             /* levels times ONE */
  guint16 *across, *along; /* difference to the left and to the upper neighbour */
} Colours;

static void
colours_clear (Colours *colours)
{
  g_free (colours->rgb);
  g_free (colours->across);
  g_free (colours->along);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Colours, colours_clear)

static void
shrink_row (const guint8 *upper, const guint8 *lower, guint width, gint16 *out, guint out_width)
{
  for (guint x = 0; x < out_width; x++) {
    guint left = 6 * x, right = 3 * MIN (2 * x + 1, width - 1);

    for (guint i = 0; i < 3; i++)
      out[3 * x + i] =
          (upper[left + i] + upper[right + i] + lower[left + i] + lower[right + i]) * (ONE / 4);
  }
}

static guint16
difference (const gint16 *a, const gint16 *b)
{
  return (ABS (a[0] - b[0]) + ABS (a[1] - b[1]) + ABS (a[2] - b[2])) / ONE;
}

static void
measure_differences (Colours *colours)
{
  gsize stride = 3 * (gsize) colours->width;

  for (guint y = 0; y < colours->height; y++)
    for (guint x = 0; x < colours->width; x++) {
      gsize at = (gsize) y * colours->width + x;
      const gint16 *pixel = colours->rgb + 3 * at;

      colours->across[at] = x ? difference (pixel, pixel - 3) : 0;
      colours->along[at] = y ? difference (pixel, pixel - stride) : 0;
    }
}

static void
colours_init (Colours *colours, const FalRgbImage *image)
{
  guint width = (image->width + 1) / 2, height = (image->height + 1) / 2;
  gsize pixels = (gsize) width * height, stride = 3 * (gsize) image->width;

  *colours = (Colours){ width, height, g_new (gint16, 3 * pixels), g_new (guint16, pixels),
    g_new (guint16, pixels) };
  for (guint y = 0; y < height; y++)
    shrink_row (image->data + 2 * y * stride,
        image->data + MIN (2 * y + 1, image->height - 1) * stride, image->width,
        colours->rgb + 3 * (gsize) y * width, width);
  measure_differences (colours);
}

/* How much of its neighbour a pixel takes, of 256, by the difference between the two. */
static void
fill_weights (guint16 weights[DIFFERENCES], gdouble reach)
{
  gdouble keep = exp (-G_SQRT2 / reach);

  for (guint i = 0; i < DIFFERENCES; i++)
    weights[i] = 256 * pow (keep, 1 + REACH * i / EDGE);
}

/* @pixel leans to @from by @weight of 256, and is what its next neighbour leans to. */
static inline void
lean (gint16 *pixel, gint *from, gint weight)
{
  for (guint i = 0; i < 3; i++)
    pixel[i] = from[i] = pixel[i] + (((from[i] - pixel[i]) * weight) >> 8);
}

static void
smooth_row (gint16 *row, const guint16 *across, guint width, const guint16 *weights)
{
  gint from[3] = { row[0], row[1], row[2] }; /* in registers: each pixel waits for the one before */

  for (guint x = 1; x < width; x++)
    lean (row + 3 * x, from, weights[across[x]]);
  for (guint x = width - 1; x > 0; x--)
    lean (row + 3 * (x - 1), from, weights[across[x]]);
}

static void
smooth_toward (
    gint16 *row, const gint16 *neighbour, const guint16 *along, guint width, const guint16 *weights)
{
  for (guint x = 0; x < width; x++) {
    gint from[3] = { neighbour[3 * x], neighbour[3 * x + 1], neighbour[3 * x + 2] };

    lean (row + 3 * x, from, weights[along[x]]);
  }
}

/* A recursive filter along rows, then along columns, both ways: stops at edges, and its cost does
 * not depend on the reach. */
static void
smooth (Colours *colours, const guint16 *weights)
{
  guint width = colours->width, height = colours->height;
  gsize stride = 3 * (gsize) width;
  gint16 *rgb = colours->rgb;

  for (guint y = 0; y < height; y++)
    smooth_row (rgb + y * stride, colours->across + (gsize) y * width, width, weights);
  for (guint y = 1; y < height; y++)
    smooth_toward (rgb + y * stride, rgb + (y - 1) * stride, colours->along + (gsize) y * width,
        width, weights);
  for (guint y = height - 1; y > 0; y--)
    smooth_toward (rgb + (y - 1) * stride, rgb + y * stride, colours->along + (gsize) y * width,
        width, weights);
}

/* Brightness in STEPS, with borders steep but not jagged. */
static void
fill_tones (guint8 tones[256])
{
  for (guint i = 0; i < 256; i++) {
    gdouble level = i * (STEPS - 1) / 255.0, step = floor (level + 0.5);
    gdouble bent = step + tanh (2 * SHARPNESS * (level - step)) / tanh (SHARPNESS) / 2;

    tones[i] = CLAMP (6 + bent * 249 / (STEPS - 1), 0, 255);
  }
}

/* How much paper shows, of 256, where a place is @i - 128 brighter than its surroundings. */
static void
fill_ink (guint16 ink[256])
{
  for (gint i = 0; i < 256; i++) {
    gint paper = 256 + (i - 128 + 3) * 30;

    ink[i] = CLAMP (paper, 24, 256);
  }
}

/* A row of the half-sized colours at its place between two of their rows. */
static void
blend_rows (const gint16 *near, const gint16 *far, gint16 *out, guint count)
{
  for (guint i = 0; i < count; i++)
    out[i] = (3 * near[i] + far[i]) >> 2;
}

/* Two pixels out of each, each nearer to its own side's neighbour; @wide in whole levels. */
static void
widen_row (const gint16 *half, guint width, guint8 *wide)
{
  for (guint x = 0; x < width; x++) {
    const gint16 *here = half + 3 * x, *left = x ? here - 3 : here;
    const gint16 *right = x + 1 < width ? here + 3 : here;

    for (guint i = 0; i < 3; i++) {
      wide[6 * x + i] = (guint) (3 * here[i] + left[i]) / (4 * ONE);
      wide[6 * x + 3 + i] = (guint) (3 * here[i] + right[i]) / (4 * ONE);
    }
  }
}

static void
paint_row (guint8 *row, guint width, const guint8 *colours, const guint8 *tones, const guint16 *ink,
    const guint8 *fine, const guint8 *coarse)
{
  for (guint x = 0; x < width; x++) {
    const guint8 *rgb = colours + 3 * x;
    gint luma = (77 * rgb[0] + 150 * rgb[1] + 29 * rgb[2]) >> 8;
    gint tone = 256 * tones[luma] - SATURATION * luma;
    guint paper = ink[128 + (fine[x] - coarse[x]) / 2];

    for (guint i = 0; i < 3; i++) {
      gint colour = (tone + SATURATION * rgb[i]) >> 8;

      row[3 * x + i] = (CLAMP (colour, 0, 255) * paper) >> 8;
    }
  }
}

static void
paint (FalRgbImage *image, const Colours *colours, const guint8 *fine, const guint8 *coarse)
{
  gsize stride = 3 * (gsize) colours->width;
  g_autofree gint16 *half = g_new (gint16, stride);
  g_autofree guint8 *wide = g_malloc (2 * stride);
  guint8 tones[256];
  guint16 ink[256];

  fill_tones (tones);
  fill_ink (ink);
  for (guint y = 0; y < image->height; y++) {
    guint near = y / 2, far = y & 1 ? MIN (near + 1, colours->height - 1) : (near ? near - 1 : 0);
    gsize at = (gsize) y * image->width;

    blend_rows (colours->rgb + near * stride, colours->rgb + far * stride, half, stride);
    widen_row (half, colours->width, wide);
    paint_row (image->data + 3 * at, image->width, wide, tones, ink, fine + at, coarse + at);
  }
}

void
fal_cartoon_apply (FalRgbImage *image)
{
  guint width = image->width, height = image->height;
  guint line = CLAMP (MIN (width, height) / 384, 1, 6); /* pixels: half an outline's width */
  g_auto (Colours) colours;
  g_autofree guint8 *luma = fal_luma_new (image);
  g_autofree guint8 *fine = fal_luma_new_blurred (luma, width, height, line);
  g_autofree guint8 *coarse = fal_luma_new_blurred (fine, width, height, 3 * line);
  guint16 weights[DIFFERENCES];

  colours_init (&colours, image);
  for (guint round = 0; round < ROUNDS; round++) {
    fill_weights (weights, REACH / (1 << round));
    smooth (&colours, weights);
  }
  paint (image, &colours, fine, coarse);
}
