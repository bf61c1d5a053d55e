/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The picture that is shown while no result comes. Belongs to the source pad's task. */
#pragma once

#include "fal/options.h"

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _FalFallbackPicture FalFallbackPicture;

FalFallbackPicture *fal_fallback_picture_new (void);
void fal_fallback_picture_free (FalFallbackPicture *filler);

/* A new start: there is no last result. */
void fal_fallback_picture_reset (FalFallbackPicture *filler);

/* A result went out. */
void fal_fallback_picture_note_result (FalFallbackPicture *filler, GBytes *picture);

/* A picture, as from the wire, so that it becomes a buffer as a result does: in the size of the
 * last result, so that no caps change where there was one; before that in the size that is sent
 * (@encoder). A JPEG, PNG or WebP frame passes in its own size. @fallback: not NONE. Errors: those
 * of fal_encoder_encode(). */
GBytes *fal_fallback_picture_make (FalFallbackPicture *filler, FalFallbackMode fallback,
    GstSample *frame, const FalEncoderConfig *encoder, GError **error);

G_END_DECLS
