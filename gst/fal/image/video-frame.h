/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames in memory and converters between them, as encoder and decoder both need them. No state,
 * any thread. */
#pragma once

#include <gst/video/video.h>

G_BEGIN_DECLS

/* A black frame (where zero is black), mapped until fal_video_frame_clear().
 * Errors: G_IO_ERROR_NO_SPACE. */
gboolean fal_video_frame_make (GstVideoFrame *frame, const GstVideoInfo *info, GError **error);
void fal_video_frame_clear (GstVideoFrame *frame);

/* @like in another size, and in another format where it differs: then, unless both
 * are RGB, with the colorimetry that is usual for it. Errors: G_IO_ERROR_FAILED (too large). */
gboolean fal_video_frame_make_info (GstVideoInfo *info, const GstVideoInfo *like,
    GstVideoFormat format, gint width, gint height, GError **error);

/* From the part @from of a frame to the whole of another. Errors: G_IO_ERROR_FAILED. */
GstVideoConverter *fal_video_frame_make_converter (
    const GstVideoInfo *in, const GstVideoRectangle *from, const GstVideoInfo *out, GError **error);

G_END_DECLS
