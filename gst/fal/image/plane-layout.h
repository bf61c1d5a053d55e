/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the samples of a raw frame lie in its planes, for whoever writes rows of them. Pure. */
#pragma once

#include <gst/video/video.h>

G_BEGIN_DECLS

/* The elements (bytes, or words of 16 bits) of one row of a plane: @step of them repeat, each from
 * a row of one component. Where @dense is set there are two, and one of them is a component's (the
 * luma of YUY2), the other alternates between two subsampled ones. */
typedef struct {
  guint step;
  gint component[4]; /* of each element; -1: of none */
  gboolean dense;
  gint alternate;     /* @dense: the other one of the subsampled components; else -1 */
  guint w_sub, h_sub; /* of the plane's rows: shifts */
} FalPlane;

typedef struct {
  guint n_planes, n_components;
  FalPlane planes[4];
  gboolean wide;      /* elements are words of 16 bits, else bytes */
  guint depth, shift; /* bits of a sample, and of the empty ones below it */
  guint w_sub, h_sub; /* of chroma: shifts */
  gint alpha;         /* the component that is alpha; -1: there is none */
} FalPlaneLayout;

/* FALSE: the format is none that can be written sample by sample: samples share bytes, lie in tiles
 * or are of the other endianness. */
gboolean fal_plane_layout_init (FalPlaneLayout *layout, const GstVideoFormatInfo *format);

/* Whether a component is subsampled. */
gboolean fal_plane_layout_is_subsampled (const FalPlaneLayout *layout, guint component);

/* In which plane a component is, at which element of a row, and how many elements further the next
 * sample of it is. */
typedef struct {
  guint plane, at, step;
} FalSamplePlace;

FalSamplePlace fal_plane_layout_find (const FalPlaneLayout *layout, guint component);

/* Elements of a row of a plane that belong to @width pixels, those in the place of alpha too, and
 * rows for @height. */
gint fal_plane_layout_get_row (const FalPlaneLayout *layout, guint plane, gint width);
gint fal_plane_layout_get_rows (const FalPlaneLayout *layout, guint plane, gint height);

G_END_DECLS
