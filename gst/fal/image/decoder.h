/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Decodes the picture of a result to a buffer that downstream takes.
 *
 * A decoder is used on one thread, the source pad's task. What comes from the server is checked by
 * fal_image_file_probe() before anything is allocated for it. */
#pragma once

#include "fal/frame.h"

#include <gst/gst.h>

G_BEGIN_DECLS

/* The caps of the buffers that a decoder can make, best first: RGB, then what GstVideoConverter
 * makes of it, then image/jpeg, image/png and image/webp, for pictures that stay encoded. They have
 * no size and no frame rate. */
GstCaps *fal_decoder_get_caps (void);

typedef struct _FalDecoder FalDecoder;

FalDecoder *fal_decoder_new (void);
void fal_decoder_free (FalDecoder *decoder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalDecoder, fal_decoder_free)

typedef struct {
  GstCaps *allowed;          /* that downstream takes; may be ANY */
  guint64 max_pixels;        /* larger pictures are refused */
  gint fps_n, fps_d;         /* the caps' frame rate, or the nearest that downstream takes */
  gboolean strict_rate;      /* it has to take that one */
  gint max_fps_n, max_fps_d; /* their max-framerate, where fps_n is 0 and max_fps_n is not */
  gboolean flawed;           /* flaws are shown: see fal_image_file_probe_flawed() */
  gboolean matte;            /* a picture without alpha is best as grey, where that is allowed */
  FalLayout layout;          /* of what was sent for the picture, where that is known */
} FalDecoderConfig;

/* @picture as a buffer of the caps @caps (transfer full), which fit @config's: raw video where
 * downstream takes any, else the picture as it is. The caps have the picture's size and
 * the pixel aspect ratio that gives it the shape of what was sent, where downstream takes that: 1/1
 * where that had square pixels, or is not known. A picture with alpha gets a format with alpha,
 * where one is allowed. Buffers come from a pool of the decoder's and may outlive it. Errors:
 * G_IO_ERROR_INVALID_DATA (cut off, broken, larger than max_pixels), G_IO_ERROR_NOT_SUPPORTED (this
 * build leaves the kind of picture out), G_IO_ERROR_NO_SPACE (no memory), G_IO_ERROR_NOT_FOUND
 * (downstream takes nothing that this picture can become; the message names both). */
GstBuffer *fal_decoder_decode (FalDecoder *decoder, GBytes *picture, const FalDecoderConfig *config,
    GstCaps **caps, GError **error);

G_END_DECLS
