/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A result as it lies on frames: its picture in the samples of their planes, or, for a matte, its
 * alpha, scaled to its place. Others than fal_overlay_apply() only hold it. Belongs to the source
 * pad's task and is used on its thread. */
#pragma once

#include "fal/frame.h"
#include "plane-layout.h"

G_BEGIN_DECLS

typedef struct _FalLayer FalLayer;

/* @layout: of what was sent of the frame that @result, a decoded sample, answers; without a size
 * the region is all of a frame, as @frame has it. Nothing is scaled yet. Errors:
 * G_IO_ERROR_NOT_SUPPORTED (the format of @result). */
FalLayer *fal_layer_new (GstSample *result, const FalLayout *layout, const GstVideoInfo *frame,
    const FalOverlayConfig *config, GError **error);
FalLayer *fal_layer_ref (FalLayer *layer);
void fal_layer_unref (FalLayer *layer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalLayer, fal_layer_unref)

/* The region of the frame that it was made for. */
FalArea fal_layer_get_area (const FalLayer *layer);
const FalOverlayConfig *fal_layer_get_config (const FalLayer *layer);

/* Makes it fit frames as @frame, whose layout is @planes, where the region lies at @area; quick
 * where it does already. Errors: G_IO_ERROR_INVALID_DATA (the result is not what its caps say),
 * G_IO_ERROR_NOT_SUPPORTED (the frame's colours), G_IO_ERROR_NO_SPACE. */
gboolean fal_layer_fit (FalLayer *layer, const GstVideoInfo *frame, const FalPlaneLayout *planes,
    const FalArea *area, GError **error);

/* What it covers since then, for a matte all of the frame, rounded outwards to the grid of the
 * samples, so that it may go beyond the right and lower edge. Its size is 0 where nothing of it is
 * on the frame. */
FalArea fal_layer_get_box (const FalLayer *layer);

/* Whether nothing of the frame shows through within the box. There is no alpha to ask for then. */
gboolean fal_layer_is_opaque (const FalLayer *layer);

/* Before alpha of chroma samples is asked for. Error: G_IO_ERROR_NO_SPACE. */
gboolean fal_layer_make_chroma_mask (FalLayer *layer, GError **error);

/* Row @y within the box, of a plane's premultiplied samples (OVER alone), and of the alpha of its
 * pixels, or of its chroma samples where these are fewer. */
const guint8 *fal_layer_get_row (const FalLayer *layer, guint plane, gint y);
const guint8 *fal_layer_get_mask (const FalLayer *layer, gboolean of_chroma, gint y);

/* Puts the alpha of all pixels of the frame, rows of @stride bytes, behind what @buffer has, as
 * memory that is shared and does not change. FALSE: it lies in another way. */
gboolean fal_layer_append_mask (FalLayer *layer, GstBuffer *buffer, gsize stride);

G_END_DECLS
