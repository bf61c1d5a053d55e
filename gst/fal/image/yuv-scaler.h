/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Camera video to the planes that a JPEG is made of: part of an 8-bit YUV frame, scaled, with the
 * range and matrix of JPEG (full, BT.601), 4:2:0. The way through RGB costs twice as much.
 * Belongs to the encoder, on its thread. */
#pragma once

#include <gst/video/video.h>

G_BEGIN_DECLS

typedef struct _FalYuvScaler FalYuvScaler;

/* Takes @from of frames that are as @input, to stand at @to (an even place) in @width × @height,
 * black around it. NULL: not for such frames (no 8-bit YUV of a known matrix, or no memory). */
FalYuvScaler *fal_yuv_scaler_new (const GstVideoInfo *input, const GstVideoRectangle *from,
    const GstVideoRectangle *to, gint width, gint height);
void fal_yuv_scaler_free (FalYuvScaler *planes);

/* Takes the picture of @frame. */
void fal_yuv_scaler_fill (FalYuvScaler *planes, const GstVideoFrame *frame);

/* The same on any processor: what the other does differs in speed alone. */
void fal_yuv_scaler_fill_plainly (FalYuvScaler *planes, const GstVideoFrame *frame);

/* Y, U, V as TurboJPEG reads them, valid until the next fill: each has the rows and columns of
 * tjPlaneWidth() and tjPlaneHeight() for TJSAMP_420. */
void fal_yuv_scaler_get (const FalYuvScaler *planes, const guint8 *data[3], gint strides[3]);

G_END_DECLS
