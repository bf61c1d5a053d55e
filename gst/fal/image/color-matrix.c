/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Colours: what of each component goes to each, found once for a stream's colorimetry. Pure. */
#include "color-matrix.h"

#include <math.h>

/* What one unit of a source's luma or chroma is in the JPEG's: by the book, through RGB. */
static void
mix (gdouble kr, gdouble kb, const gdouble yuv[3], gdouble out[3])
{
  const gdouble to_r = 0.299, to_b = 0.114;
  gdouble r = yuv[0] + 2 * (1 - kr) * yuv[2];
  gdouble b = yuv[0] + 2 * (1 - kb) * yuv[1];
  gdouble g = (yuv[0] - kr * r - kb * b) / (1 - kr - kb);

  out[0] = to_r * r + (1 - to_r - to_b) * g + to_b * b;
  out[1] = (b - out[0]) / (2 * (1 - to_b));
  out[2] = (r - out[0]) / (2 * (1 - to_r));
}

/* A product and the sum of three have to fit into 16 bits. */
static gboolean
fits (const FalColorMatrix *c)
{
  return ABS (c->yy) * 255 + ABS (c->yu) * 128 + ABS (c->yv) * 128 < G_MAXINT16 - 256 &&
         (ABS (c->uu) + ABS (c->uv)) * 128 < G_MAXINT16 - 512 &&
         (ABS (c->vu) + ABS (c->vv)) * 128 < G_MAXINT16 - 512;
}

gboolean
fal_color_matrix_choose (FalColorMatrix *c, const GstVideoColorimetry *colorimetry)
{
  gboolean full = colorimetry->range == GST_VIDEO_COLOR_RANGE_0_255;
  gdouble luma = full ? 1 : 255 / 219.0, chroma = full ? 1 : 255 / 224.0;
  gdouble kr, kb, y[3], u[3], v[3];

  if (!gst_video_color_matrix_get_Kr_Kb (colorimetry->matrix, &kr, &kb))
    return FALSE;
  mix (kr, kb, (const gdouble[]){ luma, 0, 0 }, y);
  mix (kr, kb, (const gdouble[]){ 0, chroma, 0 }, u);
  mix (kr, kb, (const gdouble[]){ 0, 0, chroma }, v);
  c->black = full ? 0 : 16;
  c->yy = lround (256 * (y[0] - 1));
  c->yu = lround (256 * u[0]);
  c->yv = lround (256 * v[0]);
  c->uu = lround (512 * (u[1] - 1));
  c->uv = lround (512 * v[1]);
  c->vu = lround (512 * u[2]);
  c->vv = lround (512 * (v[2] - 1));
  return fits (c);
}

gboolean
fal_color_matrix_are_same (const FalColorMatrix *c)
{
  return c->black == 0 && c->yy == 0 && c->yu == 0 && c->yv == 0 && c->uu == 0 && c->uv == 0 &&
         c->vu == 0 && c->vv == 0;
}
