/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scales a part of a picture, sixteen rows at a time. Pixels have one byte or four, which are
 * scaled each by itself: colours with alpha have to be premultiplied. Belongs to whoever made it
 * and is used on one thread. */
#pragma once

#include "scale-filter.h"

G_BEGIN_DECLS

#define FAL_PICTURE_SCALER_BAND 16 /* rows */

typedef struct _FalPictureScaler FalPictureScaler;

/* What is made of one axis of a picture. */
typedef struct {
  FalScalePart part;
  gint n_in;     /* pixels of the picture */
  gint n_out;    /* pixels that are made */
  gint n_padded; /* and repeat the last one up to here; not less than n_out */
} FalScaleAxis;

/* For pixels of @size bytes, 1 or 4. NULL: no memory. */
FalPictureScaler *fal_picture_scaler_new (
    guint size, const FalScaleAxis *across, const FalScaleAxis *down);
void fal_picture_scaler_free (FalPictureScaler *scaler);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalPictureScaler, fal_picture_scaler_free)

/* How many pixels of a row are written: n_padded of the axis across, and up to seven more. */
gint fal_picture_scaler_get_width (const FalPictureScaler *scaler);

/* Writes sixteen rows from @first, of which those beyond the last repeat it, to @out, rows of
 * @stride bytes. @picture: its first pixel. */
void fal_picture_scaler_scale (FalPictureScaler *scaler, const guint8 *picture, gint picture_stride,
    gint first, guint8 *out, gsize stride);

/* The same without the code for newer processors, for tests: the result is the same. */
void fal_picture_scaler_scale_plainly (FalPictureScaler *scaler, const guint8 *picture,
    gint picture_stride, gint first, guint8 *out, gsize stride);

G_END_DECLS
