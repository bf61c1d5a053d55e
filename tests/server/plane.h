/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A canvas' brightness as one byte per pixel, rows without padding. Free with g_free(). */
#pragma once

#include "canvas.h"
#include <string.h>

G_BEGIN_DECLS

guint8 *fal_plane_new_luma (const FalCanvas *canvas);
/* The mean over a square of 2 × @radius + 1; the border repeats outwards. */
guint8 *fal_plane_new_blurred (const guint8 *plane, guint width, guint height, guint radius);

G_END_DECLS
