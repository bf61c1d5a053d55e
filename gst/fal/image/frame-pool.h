/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory for frames of one size that is used again. Unlike a GstBufferPool it needs no file
 * descriptor, and says so where there is no memory: where descriptors end GStreamer's has a
 * critical, where memory ends it aborts.
 *
 * Made, used and freed by one thread; buffers come back on any. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _FalFramePool FalFramePool;

/* @size: of a frame, bytes. */
FalFramePool *fal_frame_pool_new (gsize size);
/* Buffers that are out stay as they are. */
void fal_frame_pool_free (FalFramePool *pool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalFramePool, fal_frame_pool_free)

/* A new buffer, whose memory comes back when nobody has it any more. NULL: there is no memory. */
GstBuffer *fal_frame_pool_acquire (FalFramePool *pool);

G_END_DECLS
