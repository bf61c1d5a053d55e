/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The brightness (luma) of an image as one byte per pixel, rows without padding. Free with
 * g_free(). */
#pragma once

#include "rgb-image.h"
#include <string.h>

G_BEGIN_DECLS

guint8 *fal_luma_new (const FalRgbImage *image);
/* The mean over a square of 2 × @radius + 1; the border repeats outwards. */
guint8 *fal_luma_new_blurred (const guint8 *luma, guint width, guint height, guint radius);

G_END_DECLS
