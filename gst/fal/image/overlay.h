/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lays results on the very frames that they answer.
 *
 * A result becomes a layer once: its picture scaled to its region, or, for a matte, its alpha at
 * the resolution of each plane. Layers are applied to as many frames as they are good for. An
 * overlay and its layers belong to the source pad's task and are used on its thread.
 *
 * The way of a caller:
 *   1. the result is decoded to fal_overlay_get_result_caps() by fal_decoder_decode(), whose
 *      config has @matte set where fal_overlay_is_matte() says so; a frame that came as a picture
 *      file is decoded to fal_overlay_get_frame_caps();
 *   2. fal_overlay_make_layer(), once for a result;
 *   3. fal_overlay_make_caps(), once for caps of frames, says what goes out;
 *   4. fal_overlay_apply(), for each frame. */
#pragma once

#include "fal/frame.h"
#include "layer.h"
#include "overlay-caps.h"

#include <gst/video/video.h>

G_BEGIN_DECLS

typedef struct _FalOverlay FalOverlay;

FalOverlay *fal_overlay_new (void);
void fal_overlay_free (FalOverlay *overlay);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalOverlay, fal_overlay_free)

/* A layer of @result, a decoded sample in the caps from above: RGB in four bytes a pixel, or, for
 * a matte, GRAY8 as well. @layout: of what was sent of the frame, in pixels of a frame of caps
 * @frame; without a size the whole result belongs on the whole frame. The layer keeps @result.
 * Errors: G_IO_ERROR_NOT_SUPPORTED (as above, or a result in another format),
 * G_IO_ERROR_INVALID_DATA
 * (@result is not what its caps say), G_IO_ERROR_NO_SPACE. */
FalLayer *fal_overlay_make_layer (FalOverlay *overlay, GstSample *result, const FalLayout *layout,
    GstCaps *frame, const FalOverlayConfig *config, GError **error);

/* What @layer makes of @frame, a sample of raw video, which does not change: a buffer of @output,
 * from fal_overlay_make_caps(), with the times, flags and metas of the frame's. Where a matte meets
 * an @output without alpha the frame is laid over the background.
 * @next: or NULL; a later layer, which counts @weight / 256, and @layer the rest. Pictures (OVER)
 * are blended where both lie on the same place, else that which counts more is taken.
 * @area: where the region lies now, in pixels of the frame, or NULL: where each layer was made for.
 * It may go beyond the frame. A layer is scaled anew for each other place.
 * Where the frame has alpha of its own, OVER blends that, too, and its colours as if they were
 * opaque; MATTE replaces it. With feather the mask rises along a straight line from the region's
 * edge inwards; an edge that lies on the frame's border, or beyond it, stays hard.
 * Buffers come from a pool of the overlay's and may outlive it; they have a GstVideoMeta. For MATTE
 * the buffer may share the memory of the frame's.
 * Errors: G_IO_ERROR_INVALID_DATA (the buffer of @frame is not what its caps say),
 * G_IO_ERROR_NOT_SUPPORTED (as above), G_IO_ERROR_NO_SPACE. */
GstBuffer *fal_overlay_apply (FalOverlay *overlay, GstSample *frame, GstCaps *output,
    FalLayer *layer, FalLayer *next, guint weight, const FalArea *area, GError **error);

G_END_DECLS
