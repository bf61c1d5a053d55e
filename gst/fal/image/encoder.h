/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Encodes frames as JPEGs.
 *
 * An encoder is used on one thread at a time: the send thread has one for its requests, the source
 * pad's task one for the fallback. */
#pragma once

#include "fal/options.h"

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _FalEncoder FalEncoder;

FalEncoder *fal_encoder_new (void);
void fal_encoder_free (FalEncoder *encoder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalEncoder, fal_encoder_free)

/* The picture of @sample as a file. Raw video becomes a JPEG (full range, BT.601, 4:2:0) of the
 * same colours, whatever its format, range and matrix. A JPEG, PNG or WebP is returned as it is and
 * shares the buffer's memory. @media_type: set to a static string that says which. Converters are
 * kept while caps and @config are the same. Errors: G_IO_ERROR_INVALID_DATA (the buffer is too
 * small for its caps), G_IO_ERROR_NO_SPACE (no memory), G_IO_ERROR_FAILED. */
GBytes *fal_encoder_encode (FalEncoder *encoder, GstSample *sample, const FalEncoderConfig *config,
    const gchar **media_type, GError **error);

G_END_DECLS
