/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The picture that is shown while no result comes. Belongs to the source pad's task and is used on
 * its thread. */
#pragma once

#include "fal/frame.h"

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _FalFallbackPicture FalFallbackPicture;

FalFallbackPicture *fal_fallback_picture_new (void);
void fal_fallback_picture_free (FalFallbackPicture *picture);

/* Forgets the last result, for a new stream. */
void fal_fallback_picture_reset (FalFallbackPicture *picture);

/* @result, an encoded picture that could be decoded, was shown with @caps: it is the last result
 * now. */
void fal_fallback_picture_note_result (FalFallbackPicture *picture, GBytes *result, GstCaps *caps);

/* An encoded picture, which is decoded as a result is: of the size and shape of the last result, so
 * that the caps need not change; before the first one of the size that @encoder gives to @frame,
 * which may be a JPEG, PNG or WebP itself. @mode: not NONE. @layout: set. Errors: those of
 * fal_encoder_encode() and fal_image_file_decode(). */
GBytes *fal_fallback_picture_make (FalFallbackPicture *picture, FalFallbackMode mode,
    GstSample *frame, const FalEncoderConfig *encoder, FalLayout *layout, GError **error);

G_END_DECLS
