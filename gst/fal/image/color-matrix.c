/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The matrix from a video's YUV to a JPEG's, computed once for a stream's colorimetry. Pure. */
#include "color-matrix.h"

#include <math.h>

/* What @yuv of the video (luma 0 to 1, chroma −½ to ½) is in the JPEG, by the formulas of BT.601
 * and the video's own matrix, through RGB. */
static void
to_jpeg (gdouble kr, gdouble kb, const gdouble yuv[3], gdouble out[3])
{
  const gdouble jpeg_kr = 0.299, jpeg_kb = 0.114;
  gdouble r = yuv[0] + 2 * (1 - kr) * yuv[2];
  gdouble b = yuv[0] + 2 * (1 - kb) * yuv[1];
  gdouble g = (yuv[0] - kr * r - kb * b) / (1 - kr - kb);

  out[0] = jpeg_kr * r + (1 - jpeg_kr - jpeg_kb) * g + jpeg_kb * b;
  out[1] = (b - out[0]) / (2 * (1 - jpeg_kb));
  out[2] = (r - out[0]) / (2 * (1 - jpeg_kr));
}

/* A product and the sum of three have to fit into 16 bits. */
static gboolean
fits (const FalColorMatrix *matrix)
{
  return ABS (matrix->yy) * 255 + ABS (matrix->yu) * 128 + ABS (matrix->yv) * 128 <
             G_MAXINT16 - 256 &&
         (ABS (matrix->uu) + ABS (matrix->uv)) * 128 < G_MAXINT16 - 512 &&
         (ABS (matrix->vu) + ABS (matrix->vv)) * 128 < G_MAXINT16 - 512;
}

gboolean
fal_color_matrix_init (FalColorMatrix *matrix, const GstVideoColorimetry *colorimetry)
{
  gboolean full = colorimetry->range == GST_VIDEO_COLOR_RANGE_0_255;
  gdouble luma = full ? 1 : 255 / 219.0, chroma = full ? 1 : 255 / 224.0;
  gdouble kr, kb, y[3], u[3], v[3];

  if (!gst_video_color_matrix_get_Kr_Kb (colorimetry->matrix, &kr, &kb))
    return FALSE;
  to_jpeg (kr, kb, (const gdouble[]){ luma, 0, 0 }, y);
  to_jpeg (kr, kb, (const gdouble[]){ 0, chroma, 0 }, u);
  to_jpeg (kr, kb, (const gdouble[]){ 0, 0, chroma }, v);
  matrix->black = full ? 0 : 16;
  matrix->yy = lround (256 * (y[0] - 1));
  matrix->yu = lround (256 * u[0]);
  matrix->yv = lround (256 * v[0]);
  matrix->uu = lround (512 * (u[1] - 1));
  matrix->uv = lround (512 * v[1]);
  matrix->vu = lround (512 * u[2]);
  matrix->vv = lround (512 * (v[2] - 1));
  return fits (matrix);
}

gboolean
fal_color_matrix_is_identity (const FalColorMatrix *matrix)
{
  return matrix->black == 0 && matrix->yy == 0 && matrix->yu == 0 && matrix->yv == 0 &&
         matrix->uu == 0 && matrix->uv == 0 && matrix->vu == 0 && matrix->vv == 0;
}
