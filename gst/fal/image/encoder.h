/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Encodes frames as JPEGs.
 *
 * An encoder is used on one thread at a time: the send thread has one for its requests, the source
 * pad's task one for the fallback. */
#pragma once

#include "fal/frame.h"

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _FalEncoder FalEncoder;

FalEncoder *fal_encoder_new (void);
void fal_encoder_free (FalEncoder *encoder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalEncoder, fal_encoder_free)

/* The picture of @sample as a file. Raw video becomes a JPEG (full range, BT.601, 4:2:0) of the
 * same colours, whatever its format, range and matrix. A JPEG, PNG or WebP is returned as it is and
 * shares the buffer's memory, unless it lacks an end marker, which it then gets; where @config
 * names a part of it, that becomes a JPEG. @media_type: set to a static string that says which.
 * @layout: set, or NULL.
 *
 * A part is cut off at the frame's edges. It is made of whole samples of chroma: so it begins up to
 * one pixel further left or above, in 4:1:1 and 4:1:0 three, and may be so much larger; @layout
 * says where. Converters are kept while caps, @config and the size of the part are the same,
 * wherever it is.
 *
 * Errors: G_IO_ERROR_INVALID_DATA (the frame's data is broken, or less than its caps say, or the
 * part is not within it), G_IO_ERROR_NO_SPACE (no memory), G_IO_ERROR_NOT_SUPPORTED (a part of a
 * kind of picture that this build leaves out), G_IO_ERROR_FAILED. */
GBytes *fal_encoder_encode (FalEncoder *encoder, GstSample *sample, const FalEncoderConfig *config,
    const gchar **media_type, FalLayout *layout, GError **error);

/* Whether the picture of @sample has the lines of two fields, which are encoded as they are. */
gboolean fal_encoder_is_interlaced (GstSample *sample);

G_END_DECLS
