/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames in memory and converters between them, for the encoder and the decoder. No state; used on
 * any thread. */
#pragma once

#include <gst/video/video.h>

G_BEGIN_DECLS

/* A frame of zeros, which are black in RGB, mapped until fal_video_frame_clear(). Error:
 * G_IO_ERROR_NO_SPACE. */
gboolean fal_video_frame_make (GstVideoFrame *frame, const GstVideoInfo *info, GError **error);
void fal_video_frame_clear (GstVideoFrame *frame);

/* Sets @info to @format in the size given. The colorimetry is that of @like, where the format is
 * the same or both are RGB; else the usual one of @format. Error: G_IO_ERROR_FAILED (too large). */
gboolean fal_video_frame_make_info (GstVideoInfo *info, const GstVideoInfo *like,
    GstVideoFormat format, gint width, gint height, GError **error);

/* From the part @from of a frame to the whole of another one. Error: G_IO_ERROR_FAILED. */
GstVideoConverter *fal_video_frame_make_converter (
    const GstVideoInfo *in, const GstVideoRectangle *from, const GstVideoInfo *out, GError **error);

G_END_DECLS
