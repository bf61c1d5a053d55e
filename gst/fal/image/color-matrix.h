/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The matrix that turns a video's YUV into a JPEG's (full range, BT.601) without the way through
 * RGB, in integers. Plain data; used on any thread. */
#pragma once

#include <gst/video/video.h>

G_BEGIN_DECLS

/* What is added to each sample: coefficient "yu" says how much of the input's U goes into the
 * output's Y, in 1/256 for luma and 1/512 for chroma. Luma is counted from @black, chroma from 128.
 * The coefficients are so small that the sum of three products fits into 16 bits. */
typedef struct {
  gint16 black; /* the input's luma of black: 0 or 16 */
  gint16 yy, yu, yv;
  gint16 uu, uv, vu, vv;
} FalColorMatrix;

/* FALSE: there is none, because the video's matrix is unknown or would overflow 16 bits. */
gboolean fal_color_matrix_init (FalColorMatrix *matrix, const GstVideoColorimetry *colorimetry);

/* Whether nothing changes: the video's YUV is a JPEG's already. */
gboolean fal_color_matrix_is_identity (const FalColorMatrix *matrix);

G_END_DECLS
