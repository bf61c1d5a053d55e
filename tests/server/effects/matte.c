/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mattes: made as fine as the picture, and laid over it. Pure; any thread. */
#include "matte.h"
#include "luma.h"
#include "plane.h"

#define RADIUS 3         /* of the coarse matte's pixels, within which an edge moves */
#define FLATNESS 3e-4f   /* variance of brightness, 0 to 1 squared, below which there is no edge */
#define SURELY_NOT 0.15f /* what the filter leaves of the background… */
#define SURELY 0.9f      /* …and how much it takes from the subject */

FalMatte *
fal_matte_new (guint width, guint height)
{
  g_autoptr (FalMatte) matte = NULL;

  if (width == 0 || height == 0 || (guint64) width * height > FAL_RGB_IMAGE_MAX_PIXELS)
    return NULL;
  matte = g_new (FalMatte, 1);
  *matte = (FalMatte){ width, height, g_try_malloc0_n (width, height) };
  return matte->data ? g_steal_pointer (&matte) : NULL;
}

void
fal_matte_free (FalMatte *matte)
{
  g_free (matte->data);
  g_free (matte);
}

FalMatte *
fal_matte_new_oval (const FalRgbImage *image)
{
  FalMatte *matte = fal_matte_new (image->width, image->height);

  for (guint y = 0; matte != NULL && y < matte->height; y++)
    for (guint x = 0; x < matte->width; x++) {
      gfloat across = 2.1f * x / matte->width - 1.05f, down = 2.1f * y / matte->height - 1.05f;
      gfloat inside = (1.0f - across * across - down * down) * 4;

      matte->data[(gsize) y * matte->width + x] = 255 * CLAMP (inside, 0.0f, 1.0f);
    }
  return matte;
}

/* In each neighbourhood the matte is taken for slope × brightness + offset: an edge in both becomes
 * steep, and where the picture is even so is the matte. */
typedef struct {
  FalPlane *slope, *offset;
} Fit;

static void
fit_clear (Fit *fit)
{
  g_clear_pointer (&fit->slope, fal_plane_free);
  g_clear_pointer (&fit->offset, fal_plane_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Fit, fit_clear)

/* The lines of least squares, averaged over the neighbourhoods that a place belongs to. */
static Fit
fit_lines (const FalMatte *coarse, const guint8 *luma, const FalRgbImage *image)
{
  guint width = coarse->width, height = coarse->height;
  g_autoptr (FalPlane) light =
      fal_plane_new_scaled (luma, image->width, image->height, width, height);
  g_autoptr (FalPlane) share = fal_plane_new_scaled (coarse->data, width, height, width, height);
  Fit fit = { fal_plane_new_product (light, share), fal_plane_new_product (light, light) };

  fal_plane_blur (fit.slope, RADIUS);
  fal_plane_blur (fit.offset, RADIUS);
  fal_plane_blur (light, RADIUS);
  fal_plane_blur (share, RADIUS);
  for (gsize i = 0; i < (gsize) width * height; i++) {
    gfloat covariance = fit.slope->data[i] - light->data[i] * share->data[i];
    gfloat variance = fit.offset->data[i] - light->data[i] * light->data[i];

    fit.slope->data[i] = covariance / (variance + FLATNESS);
    fit.offset->data[i] = share->data[i] - fit.slope->data[i] * light->data[i];
  }
  fal_plane_blur (fit.slope, RADIUS);
  fal_plane_blur (fit.offset, RADIUS);
  return fit;
}

static void
draw_row (guint8 *row, const guint8 *luma, const gfloat *slope, const gfloat *offset, guint width)
{
  for (guint x = 0; x < width; x++) {
    gfloat share = slope[x] * luma[x] / 255 + offset[x];

    share = (share - SURELY_NOT) / (SURELY - SURELY_NOT);
    row[x] = 255 * CLAMP (share, 0.0f, 1.0f) + 0.5f;
  }
}

FalMatte *
fal_matte_new_fitted (const FalMatte *coarse, const FalRgbImage *image)
{
  guint width = image->width, height = image->height;
  FalMatte *matte = fal_matte_new (width, height);
  g_autofree guint8 *luma = fal_luma_new (image);
  g_auto (Fit) narrow = fit_lines (coarse, luma, image);
  g_auto (Fit) fit = { fal_plane_new_widened (narrow.slope, width),
    fal_plane_new_widened (narrow.offset, width) };
  g_autofree gfloat *slope = g_new (gfloat, width), *offset = g_new (gfloat, width);

  for (guint y = 0; matte != NULL && y < height; y++) {
    gsize at = (gsize) y * width;

    fal_plane_get_row (fit.slope, y, height, slope);
    fal_plane_get_row (fit.offset, y, height, offset);
    draw_row (matte->data + at, luma + at, slope, offset, width);
  }
  return matte;
}

void
fal_matte_blend (const FalMatte *matte, FalRgbImage *image, const guint8 colour[3])
{
  gsize pixels = (gsize) image->width * image->height;

  for (gsize i = 0; i < pixels; i++)
    for (guint c = 0; c < 3; c++) {
      guint8 *to = image->data + 3 * i + c;

      *to = (*to * matte->data[i] + colour[c] * (255 - matte->data[i]) + 127) / 255;
    }
}
