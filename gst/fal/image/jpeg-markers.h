/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A JPEG's size and scans, read from its markers before any of it is decoded or allocated. No
 * state; used on any thread. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  guint width, height;
  guint scans;
  gboolean whole; /* the end marker is there */
} FalJpegMarkers;

/* Reads the markers as libjpeg does, up to the end marker, and allocates nothing. FALSE: libjpeg
 * would refuse it too, or it has other than 8 bits a sample. TRUE for a file that is cut off, too:
 * see @whole. @markers: zeroed. */
gboolean fal_jpeg_markers_read (const guint8 *data, gsize size, FalJpegMarkers *markers);

/* The same, but only up to the first scan: what is left, the bulk of the file, is not looked at. */
gboolean fal_jpeg_markers_read_header (const guint8 *data, gsize size, FalJpegMarkers *markers);

/* Whether decoding takes too long for the size: each scan of a progressive JPEG visits every pixel,
 * and ten bytes can be a scan. */
gboolean fal_jpeg_markers_have_too_many_scans (const FalJpegMarkers *markers);

G_END_DECLS
