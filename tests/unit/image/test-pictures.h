/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JPEG, PNG and WebP files, written and read by their libraries alone, so that an error of the code
 * under test cannot cancel itself out. */
#pragma once

#include "test-frames.h"

#include <turbojpeg.h>

#ifdef HAVE_PNG
#include <png.h>
#endif

typedef struct {
  gint width, height;
  guint8 *rgb;
} Image;

void image_clear (Image *image);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Image, image_clear)

/* The pixels of a JPEG, which must be YCbCr. */
Image read_jpeg (GBytes *jpeg);

/* @layout: a TJPF_; @subsampling: a TJSAMP_; @flags: of tjCompress2(). */
GBytes *write_jpeg (
    const guint8 *pixels, gint width, gint height, gint layout, gint subsampling, gint flags);

/* @pixel, of @size bytes, repeated. */
guint8 *repeat_pixel (const guint8 *pixel, guint size, gint width, gint height);

/* Of one colour, 4:2:0. */
GBytes *plain_jpeg (gint width, gint height, const Colour *colour, gint flags);

void assert_image_pixel (const Image *image, gint x, gint y, const Colour *colour);

#ifdef HAVE_PNG

typedef struct {
  gint colour_type, bit_depth;
  png_color *palette;   /* of two */
  png_byte *alpha;      /* of the palette */
  gboolean is_animated; /* one picture more, which nobody reads */
} PngKind;

/* 40 × 30 of one pixel. */
GBytes *plain_png (const PngKind *kind, const guint8 *pixel, gsize pixel_size);

#endif

#ifdef HAVE_WEBP

/* 40 × 30 of one colour. */
GBytes *plain_webp (const guint8 *rgba, gboolean lossless);

/* An animation of a picture of 40 × 30, twice at 20,10 on a canvas of 64 × 48. */
GBytes *animate (GBytes *webp);

#endif
