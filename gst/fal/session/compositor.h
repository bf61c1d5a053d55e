/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lays results on frames: what becomes of a frame in the frame's own size and format. It keeps the
 * newest results as layers, so that each is decoded once however many frames it is laid on. Belongs
 * to the source pad's task and is used on its thread. */
#pragma once

#include "fal/frame.h"

G_BEGIN_DECLS

typedef struct _FalCompositor FalCompositor;

FalCompositor *fal_compositor_new (void);
void fal_compositor_free (FalCompositor *compositor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalCompositor, fal_compositor_free)

/* Forgets what was shown, for a new stream. */
void fal_compositor_reset (FalCompositor *compositor);

typedef struct {
  FalOverlayConfig overlay; /* its mode is not NONE */
  GstCaps *allowed;         /* what downstream takes */
  guint64 max_pixels;
  FalFraction rate; /* of what goes out, where that is constant; else 0/1: that of the frames */
} FalCompositorConfig;

/* What is shown of @result, which has a sample: of an answer its frame with its own picture, of a
 * frame between two with theirs, of a fallback what that says, and the frame alone of one that
 * passes. A buffer with the frame's times, flags and metas, but that of another element like this
 * one; *@caps (transfer full) are those of the frame, but for a format with alpha.
 * Errors: those of fal_decoder_decode() about the result or a frame that came as a picture;
 * G_IO_ERROR_NOT_FOUND: downstream does not take the frames as they are, or nothing can be laid on
 * them. */
GstBuffer *fal_compositor_make (FalCompositor *compositor, const FalResult *result,
    const FalCompositorConfig *config, GstCaps **caps, GError **error);

G_END_DECLS
