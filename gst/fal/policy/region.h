/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which part of a frame is sent, by the text that a user writes: nothing for the whole frame,
 * "X,Y,W,H" in its pixels, or "meta" or "meta:TYPE" for what an element before has found in it.
 *
 * Pure: no thread, lock, clock or log. A region never changes, so whoever holds a reference may ask
 * it on any thread. */
#pragma once

#include "fal/options.h"

G_BEGIN_DECLS

/* How a region is written, for messages. */
#define FAL_REGION_FORM                                                                            \
  "Write it X,Y,W,H in the frame's pixels, such as 100,50,256,256, or meta, or meta:TYPE, such "   \
  "as "                                                                                            \
  "meta:face"

typedef struct _FalRegion FalRegion;

/* @margin: percent of its width and height that are added on each side. NULL: @text, which may be
 * NULL, has no such form. */
FalRegion *fal_region_new (const gchar *text, guint margin);
FalRegion *fal_region_ref (FalRegion *region);
void fal_region_unref (FalRegion *region);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalRegion, fal_region_unref)

/* Whether it is always the whole frame, and nothing need be looked at. */
gboolean fal_region_is_whole (const FalRegion *region);
/* Whether it is one that was found in the frame; and of which type: NULL: any. Borrowed. */
gboolean fal_region_is_found (const FalRegion *region);
const gchar *fal_region_get_wanted_type (const FalRegion *region);

typedef enum {
  FAL_REGION_THERE,
  FAL_REGION_ABSENT,  /* nothing was found in the frame */
  FAL_REGION_OUTSIDE, /* nothing of it is within the frame */
} FalRegionState;

/* Sets *@part to what is sent of a frame of @width × @height, in which the @n areas @found were
 * found: of several the one with the most pixels in the frame, of equal ones the first. The margin
 * ends at the frame's edges. Where the size is not known, 0 × 0, nothing is cut off. For the whole
 * frame and where it is not THERE *@part is empty. */
FalRegionState fal_region_find (
    const FalRegion *region, const FalArea *found, guint n, gint width, gint height, FalArea *part);

G_END_DECLS
