/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a JPEG will cost, known before any of it is decoded. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  guint width, height;
  guint scans;
  gboolean whole; /* its end marker is there */
} FalJpegMarkers;

/* Walks the markers as libjpeg does, over everything up to the end marker, and
 * allocates nothing. FALSE at what libjpeg would refuse as well. @outline: zeroed. */
gboolean fal_jpeg_markers_read (const guint8 *data, gsize size, FalJpegMarkers *outline);

/* Whether pixels × scans would take unbounded time. */
gboolean fal_jpeg_markers_have_too_many_scans (const FalJpegMarkers *outline);

G_END_DECLS
