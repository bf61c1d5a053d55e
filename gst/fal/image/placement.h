/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which part of a result's picture lies where on the frame. Pure. */
#pragma once

#include "fal/frame.h"

G_BEGIN_DECLS

typedef struct {
  gdouble x, y, width, height; /* the part of the result's picture, in its pixels */
  FalArea area;                /* that it covers, in pixels of the frame; may go beyond it */
} FalPlacement;

/* For a result of @width × @height pixels that answers what was sent as @layout says, where the
 * part of the frame that was sent lies at @region. The result may have another size than what was
 * sent; where it has another shape, @fit says which part of it is used (CROP: a centred one, of the
 * right shape), or that it covers a centred part of the region alone (LETTERBOX). Models round the
 * sides of their pictures: a shape that is a little off, 16 pixels or a 24th of a side at the most,
 * is stretched back. Without a size in @layout all of the result belongs on the region, as if that
 * had been sent as it is. */
void fal_placement_find (FalPlacement *placement, gint width, gint height, const FalLayout *layout,
    const FalArea *region, FalFit fit);

G_END_DECLS
