/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the YUV of a video to that of a JPEG (full range, BT.601), in whole numbers. Plain data, any
 * thread. */
#pragma once

#include <gst/video/video.h>

G_BEGIN_DECLS

/* In 1/256 (luma) and 1/512 (chroma), beyond the sample itself; sums of three fit into 16 bits. */
typedef struct {
  gint16 black; /* of the input */
  gint16 yy, yu, yv;
  gint16 uu, uv, vu, vv;
} FalColorMatrix;

/* FALSE: no such numbers, because the matrix is not known or too far off. */
gboolean fal_color_matrix_choose (FalColorMatrix *colours, const GstVideoColorimetry *colorimetry);

/* Whether the video has a JPEG's colours already. */
gboolean fal_color_matrix_are_same (const FalColorMatrix *colours);

G_END_DECLS
