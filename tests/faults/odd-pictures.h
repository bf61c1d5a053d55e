/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures of every kind, most of them unfit, made here or cut from the test data. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

GBytes *image_no_picture (void);
GBytes *image_empty (void);

GBytes *image_grey_jpeg (void);  /* 64x48 */
GBytes *image_cmyk_jpeg (void);  /* 40x40 */
GBytes *image_tiny_jpeg (void);  /* 1x1 */
GBytes *image_odd_jpeg (void);   /* 33x17 */
GBytes *image_broad_jpeg (void); /* 4096x16 */
GBytes *image_truncated_jpeg (void);
GBytes *image_jpeg_bomb (void);        /* the header of 65500x65500 */
GBytes *image_progressive_bomb (void); /* the same, progressive */
GBytes *image_scan_bomb (void);        /* ten thousand scans */

GBytes *image_deep_png (void);     /* 16 bit, 20x10 */
GBytes *image_palette_png (void);  /* with alpha, 20x10 */
GBytes *image_animated_png (void); /* 20x10 */
GBytes *image_png_bomb (void);     /* the header of 60000x60000 */
GBytes *image_png_within (void);   /* 5000x5000, no data */
GBytes *image_truncated_png (void);

GBytes *image_webp (void); /* 256x256 */
GBytes *image_truncated_webp (void);
GBytes *image_webp_bomb (void); /* a canvas of 16384x16384 */

G_END_DECLS
