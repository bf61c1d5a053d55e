/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is seen behind a matte: a colour, or the frame itself, blurred. Belongs to the overlay and
 * is used on its thread. */
#pragma once

#include "plane-layout.h"
#include "fal/options.h"

G_BEGIN_DECLS

typedef struct _FalBackdrop FalBackdrop;

/* For frames as @frame, whose layout is @planes. NULL: no memory, or the frame's colours are by a
 * matrix that is not known. */
FalBackdrop *fal_backdrop_new (
    const GstVideoInfo *frame, const FalPlaneLayout *planes, const FalBackground *background);
void fal_backdrop_free (FalBackdrop *backdrop);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalBackdrop, fal_backdrop_free)

/* Looks at a frame, where it is that which is blurred. */
void fal_backdrop_take (FalBackdrop *backdrop, const GstVideoFrame *frame);

/* Row @y of a plane, as many elements as a row of the frame has; valid until the next call. */
const guint8 *fal_backdrop_get_row (FalBackdrop *backdrop, guint plane, gint y);

G_END_DECLS
