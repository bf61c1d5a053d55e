/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A raw frame becomes a JPEG.
 *
 * An encoder belongs to one thread, the session's send thread. */
#pragma once

#include "fal/options.h"

#include <gst/gst.h>

G_BEGIN_DECLS

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

G_END_DECLS
