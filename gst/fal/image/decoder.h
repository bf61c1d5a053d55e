/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bytes of a picture become a raw frame.
 *
 * A decoder belongs to one thread, the source pad's task. Whatever comes from the peer passes
 * fal_image_file_probe() before anything is allocated for it. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* The caps a decoder can turn pictures into, best first: RGB family, then what
 * GstVideoConverter makes from it, then image/jpeg, image/png, image/webp for
 * pictures that travel on as they are. Size and rate open. */
GstCaps *fal_decoder_get_caps (void);

typedef struct _FalDecoder FalDecoder;

FalDecoder *fal_decoder_new (void);
void fal_decoder_free (FalDecoder *decoder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalDecoder, fal_decoder_free)

/* @picture as a buffer that fits @allowed (what downstream takes; may be ANY):
 * raw video where it takes any, else the picture's own bytes untouched. The
 * buffer's caps go to @caps (transfer full): size and format are the picture's,
 * pixel aspect ratio 1/1, frame rate @fps_n/@fps_d, with @max_fps_n/@max_fps_d as
 * max-framerate where fps_n is 0 and max_fps_n is not. A picture with alpha
 * prefers formats with alpha. Buffers come from a pool of the decoder's.
 * Errors: G_IO_ERROR_INVALID_DATA (not whole, broken, over @max_pixels),
 * G_IO_ERROR_NOT_SUPPORTED (format not built in),
 * G_IO_ERROR_NO_SPACE (no memory), G_IO_ERROR_NOT_FOUND (@allowed holds nothing
 * that this picture can become; the message says both). */
typedef struct {
  GstCaps *allowed;
  guint64 max_pixels;
  gint fps_n, fps_d;
  gint max_fps_n, max_fps_d;
} FalDecoderConfig;

GstBuffer *fal_decoder_decode (FalDecoder *decoder, GBytes *picture, const FalDecoderConfig *config,
    GstCaps **caps, GError **error);

G_END_DECLS
