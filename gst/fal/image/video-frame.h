/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames in memory and converters between them, for the encoder and the decoder. No state; used on
 * any thread. */
#pragma once

#include "fal/options.h"

#include <gst/video/video.h>

G_BEGIN_DECLS

/* A frame of zeros, which are black in RGB, mapped until fal_video_frame_clear(). Error:
 * G_IO_ERROR_NO_SPACE. */
gboolean fal_video_frame_make (GstVideoFrame *frame, const GstVideoInfo *info, GError **error);
void fal_video_frame_clear (GstVideoFrame *frame);

/* Maps @buffer for reading, as @info or its GstVideoMeta says that it is laid out. Error:
 * G_IO_ERROR_INVALID_DATA (some of the frame is not in the buffer's memory, or the meta is of
 * another frame). */
gboolean fal_video_frame_map_whole (
    GstVideoFrame *frame, const GstVideoInfo *info, GstBuffer *buffer, GError **error);

/* Sets @info to @format in the size given. The colorimetry is that of @like, where the format is
 * the same or both are RGB; else the usual one of @format. Error: G_IO_ERROR_FAILED (too large). */
gboolean fal_video_frame_make_info (GstVideoInfo *info, const GstVideoInfo *like,
    GstVideoFormat format, gint width, gint height, GError **error);

/* Sets *@part to what of @wanted is within a frame of @width × @height; without a size all of it
 * is wanted. FALSE: nothing is. */
gboolean fal_video_frame_clip (const FalArea *wanted, gint width, gint height, FalArea *part);

/* Whether @buffer says by a GstVideoMeta that it is laid out in another way than @info says. */
gboolean fal_video_frame_is_padded (GstBuffer *buffer, const GstVideoInfo *info);
/* A copy as @info says, and with all else that is known of @buffer. NULL: it cannot be read. */
GstBuffer *fal_video_frame_copy_plain (GstBuffer *buffer, const GstVideoInfo *info);

/* Gives @to all that is known of @from, but what says how its memory is laid out. */
void fal_video_frame_copy_metadata (GstBuffer *from, GstBuffer *to);

/* From the part @from of a frame to the whole of another one. Error: G_IO_ERROR_FAILED. */
GstVideoConverter *fal_video_frame_make_converter (
    const GstVideoInfo *in, const GstVideoRectangle *from, const GstVideoInfo *out, GError **error);

/* @n / @d, each at most G_MAXINT64, as a fraction of two gint that are not 0, the nearest where it
 * is none. */
void fal_video_frame_reduce_ratio (guint64 n, guint64 d, gint *reduced_n, gint *reduced_d);

G_END_DECLS
