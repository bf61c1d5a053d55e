/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What results, and the frames that they are laid on, are decoded to, and what goes out. No state;
 * used on any thread. */
#pragma once

#include "fal/options.h"
#include "plane-layout.h"

G_BEGIN_DECLS

/* Whether results are mattes: grey pictures, or the alpha of those that have one. */
gboolean fal_overlay_is_matte (const FalOverlayConfig *config);

/* The caps in which a result's picture is best decoded, to be laid on frames of caps @frame;
 * transfer full. They name formats alone. */
GstCaps *fal_overlay_get_result_caps (GstCaps *frame, const FalOverlayConfig *config);

/* The caps in which a frame is best decoded that came as a JPEG, PNG or WebP, where downstream
 * takes @allowed; transfer full. Empty: downstream takes none on which results can be laid. */
GstCaps *fal_overlay_get_frame_caps (GstCaps *allowed, const FalOverlayConfig *config);

/* The caps of what goes out for frames of @caps, which are raw video; transfer full: @caps itself,
 * but for MATTE with alpha, where @allowed takes the same in one of RGBA, BGRA, ARGB, ABGR, AYUV
 * and A420. NULL, with G_IO_ERROR_NOT_SUPPORTED: nothing can be laid on frames of this format; the
 * error names it and says that videoconvert helps. */
GstCaps *fal_overlay_make_caps (
    GstCaps *caps, GstCaps *allowed, const FalOverlayConfig *config, GError **error);

/* What @caps of raw video say; what they leave open about the colours is the usual, and a field
 * that has a buffer of its own is a frame. FALSE: they say nothing. */
gboolean fal_overlay_caps_read (GstCaps *caps, GstVideoInfo *info);

/* The same, and how the samples lie. Error: G_IO_ERROR_NOT_SUPPORTED, as above. */
gboolean fal_overlay_caps_parse (
    GstCaps *caps, GstVideoInfo *info, FalPlaneLayout *planes, GError **error);

G_END_DECLS
