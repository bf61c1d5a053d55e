/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Turns 8-bit YUV video into the three planes that TurboJPEG compresses: a part of the frame,
 * scaled, converted to the range and matrix of JPEG (full, BT.601), 4:2:0. The way through RGB
 * takes twice as long. Belongs to the encoder and is used on its thread. */
#pragma once

#include <gst/video/video.h>

G_BEGIN_DECLS

typedef struct _FalYuvScaler FalYuvScaler;

/* For frames that are as @input: their part @from is scaled to @to (at even coordinates) of a
 * picture of @width × @height, which is black elsewhere. NULL: it cannot take such frames, because
 * they are not 8-bit YUV of a known matrix, or there is no memory. */
FalYuvScaler *fal_yuv_scaler_new (const GstVideoInfo *input, const GstVideoRectangle *from,
    const GstVideoRectangle *to, gint width, gint height);
void fal_yuv_scaler_free (FalYuvScaler *scaler);

/* Scales and converts @frame. */
void fal_yuv_scaler_fill (FalYuvScaler *scaler, const GstVideoFrame *frame);

/* The same without the code for newer processors, for tests: the result is the same. */
void fal_yuv_scaler_fill_plainly (FalYuvScaler *scaler, const GstVideoFrame *frame);

/* The planes Y, U and V of the frame that was filled in last, valid until the next: each as large
 * as tjPlaneWidth() and tjPlaneHeight() say for TJSAMP_420. */
void fal_yuv_scaler_get (const FalYuvScaler *scaler, const guint8 *data[3], gint strides[3]);

G_END_DECLS
