/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures: raw frame to JPEG, picture bytes to raw frame.
 *
 * An encoder belongs to one thread (the session's send thread), a decoder to
 * one other (the source pad's task). Whatever comes from the peer passes the
 * gate of fal_picture_probe() before anything is allocated for it. */
#pragma once

#include <gst/video/video.h>

#include "picture.h"

G_BEGIN_DECLS

typedef enum {
  FAL_FIT_CROP,      /* fill the size, cut what is over, centred */
  FAL_FIT_LETTERBOX, /* the whole picture, black bars */
  FAL_FIT_STRETCH,
} FalFit;

typedef struct {
  guint width, height; /* of the JPEG; 0: as it comes (with one of them 0: by the aspect ratio) */
  FalFit fit;
  guint quality; /* 1 to 100 */
} FalEncoderConfig;

typedef struct _FalEncoder FalEncoder;

FalEncoder *fal_encoder_new (void);
void fal_encoder_free (FalEncoder *encoder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalEncoder, fal_encoder_free)

/* The picture of @sample. Raw video becomes a JPEG (full range BT.601, 4:2:0),
 * with white, black and the colours as they were whatever the input's format,
 * range and matrix; a JPEG, PNG or WebP comes back as it is, sharing memory.
 * @media_type (static) tells which. Converters are kept while the caps stay the
 * same. Errors: G_IO_ERROR_INVALID_DATA (buffer too small for its caps),
 * G_IO_ERROR_FAILED. */
GBytes *fal_encoder_encode (FalEncoder *encoder, GstSample *sample, const FalEncoderConfig *config,
    const gchar **media_type, GError **error);

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
