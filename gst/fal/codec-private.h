/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What encoder and decoder share; of no use to others. */
#pragma once

#include "codec.h"

G_BEGIN_DECLS

/* A black frame (where zero is black), mapped until fal_codec_clear_frame().
 * Errors: G_IO_ERROR_NO_SPACE. */
gboolean fal_codec_make_frame (GstVideoFrame *frame, const GstVideoInfo *info, GError **error);
void fal_codec_clear_frame (GstVideoFrame *frame);

/* @like in another size, and in another format where it differs: then, unless both
 * are RGB, with the colorimetry that is usual for it. Errors: G_IO_ERROR_FAILED (too large). */
gboolean fal_codec_make_info (GstVideoInfo *info, const GstVideoInfo *like, GstVideoFormat format,
    gint width, gint height, GError **error);

/* From the part @from of a frame to the whole of another. Errors: G_IO_ERROR_FAILED. */
GstVideoConverter *fal_codec_make_converter (const GstVideoInfo *in, const GstVideoRectangle *from,
    const GstVideoInfo *out, GError **error);

G_END_DECLS
