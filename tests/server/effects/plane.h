/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plane of numbers, rows without padding, to calculate with. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  guint width, height;
  gfloat *data;
} FalPlane;

FalPlane *fal_plane_new (guint width, guint height);
void fal_plane_free (FalPlane *plane);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalPlane, fal_plane_free)

/* From bytes, 255 is 1. Smaller it becomes by the mean, larger by repetition. */
FalPlane *fal_plane_new_scaled (
    const guint8 *bytes, guint from_width, guint from_height, guint width, guint height);
/* Of the same size: one number times the other. */
FalPlane *fal_plane_new_product (const FalPlane *one, const FalPlane *other);
/* The mean over a square of 2 × @radius + 1 numbers; the border repeats outwards. */
void fal_plane_blur (FalPlane *plane, guint radius);

/* The same rows with @width numbers each, in between by straight lines. */
FalPlane *fal_plane_new_widened (const FalPlane *plane, guint width);
/* What stands in row @y where the plane is stretched to @height rows, by straight lines. */
void fal_plane_get_row (const FalPlane *plane, guint y, guint height, gfloat *row);

G_END_DECLS
