/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What upstream attached to a frame stays on its result, as transforms and encoders keep it. No
 * state; used on any thread. */
#pragma once

#include "fal/frame.h"

G_BEGIN_DECLS

/* A buffer without memory that keeps those metas of @frame that outlive its pixels: all but those
 * that describe its memory or its colours. NULL: there are none. */
GstBuffer *fal_frame_metas_keep (GstBuffer *frame);

/* Attaches the metas of @frame to @picture, which has @width × @height pixels: what is said of a
 * region of the frame is said of the place to which @layout puts it, and left out where that is
 * outside of the picture or not known. Without a size in @layout the picture is the frame's own. */
void fal_frame_metas_attach (
    GstBuffer *picture, gint width, gint height, GstBuffer *frame, const FalLayout *layout);

/* Where the regions of interest of @frame are that have the type @type, or any where that is NULL:
 * FalArea, in pixels of the frame, in their order. What a detector wrote as a negative number stays
 * one. NULL: there are none. */
GArray *fal_frame_metas_find_regions (GstBuffer *frame, const gchar *type);

G_END_DECLS
