/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes rows of RGB as the samples of a raw frame's planes, in the frame's colours. Belongs to
 * whoever made it and is used on one thread. */
#pragma once

#include "plane-layout.h"

G_BEGIN_DECLS

typedef struct _FalSampleWriter FalSampleWriter;

/* Where a block of rows goes: one row of subsampled samples, and those that belong to it. */
typedef struct {
  guint8 *planes[4]; /* the block's first row in each plane */
  gsize strides[4];  /* bytes */
  guint8 *mask;      /* alpha of each pixel; its rows are @mask_stride bytes apart */
  gsize mask_stride;
  guint8 *chroma_mask; /* one row, where chroma is subsampled; else NULL */
} FalSampleBlock;

/* For frames as @frame, whose layout is @layout, of rows of @width pixels of four bytes in @format,
 * RGBx or RGBA in any order. @width is a multiple of the samples' grid. NULL: no memory, or the
 * frame's colours are by a matrix that is not known. */
FalSampleWriter *fal_sample_writer_new (
    const GstVideoInfo *frame, const FalPlaneLayout *layout, GstVideoFormat format, gint width);
void fal_sample_writer_free (FalSampleWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalSampleWriter, fal_sample_writer_free)

/* Writes a block of 1 << h_sub rows of @stride bytes, whose pixels are premultiplied; the byte that
 * is no colour is their alpha in any case. Samples come out premultiplied, too, so that a frame
 * shows through what is left. */
void fal_sample_writer_write (
    FalSampleWriter *writer, const guint8 *rows, gsize stride, const FalSampleBlock *block);

/* The offset of alpha, or of the byte that is not used, in a pixel of RGB in four bytes; -1:
 * another format. */
gint fal_sample_writer_find_alpha (GstVideoFormat format);

/* Whether pixels in @format, but for the byte that is no colour, are a frame's as they are, and
 * that byte is of no use to the frame. */
gboolean fal_sample_writer_is_copy (const GstVideoInfo *frame, GstVideoFormat format);

G_END_DECLS
