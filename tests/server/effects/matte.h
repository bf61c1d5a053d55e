/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A matte: how much of each pixel belongs to the subject, 0 to 255; rows without padding. */
#pragma once

#include "rgb-image.h"

G_BEGIN_DECLS

typedef struct {
  guint width, height;
  guint8 *data;
} FalMatte;

/* Nothing is the subject. NULL where the size is nothing or more than FAL_RGB_IMAGE_MAX_PIXELS. */
FalMatte *fal_matte_new (guint width, guint height);
void fal_matte_free (FalMatte *matte);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalMatte, fal_matte_free)

/* As large as @image: an oval with soft edges, in place of a subject. */
FalMatte *fal_matte_new_oval (const FalRgbImage *image);
/* As large as @image. A network's matte is coarse and knows edges only roughly: here they move to
 * those of the picture (a guided filter). */
FalMatte *fal_matte_new_fitted (const FalMatte *coarse, const FalRgbImage *image);

/* Both are of one size; @colour comes in place of all that is not the subject. */
void fal_matte_blend (const FalMatte *matte, FalRgbImage *image, const guint8 colour[3]);

G_END_DECLS
