/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Raw frames whose samples are computed here from the standards' formulas, not by the code under
 * test. */
#pragma once

#include <gst/video/video.h>

typedef struct {
  const gchar *name;
  guint8 r, g, b;
} Colour;

#define N_COLOURS 7
extern const Colour colours[N_COLOURS];
#define WHITE (&colours[0])
#define BLACK (&colours[1])
#define RED (&colours[2])
#define GREEN (&colours[3])
#define BLUE (&colours[4])
#define GREY (&colours[5])

/* What makes YUV of RGB; @full: samples use all of their range. */
typedef struct {
  gdouble kr, kb;
  gboolean full;
} Matrix;

extern const Matrix bt601, bt709, studio_rgb, jfif;

/* Y, U, V and alpha of @colour, times @scale (1: in 8 bits). */
void to_yuv (const Colour *colour, const Matrix *matrix, gdouble scale, guint out[4]);

/* Whether @format can show @colour: a grey one shows grey alone. */
gboolean can_hold (const gchar *format, const Colour *colour);

/* @more: further fields of the caps, each after a comma. */
GstCaps *make_caps (const gchar *format, gint width, gint height, const gchar *more);

typedef struct {
  GstVideoRectangle area;
  const Colour *colour;
} Patch;

/* A frame of @caps, zero but for the patches. */
GstSample *make_sample (GstCaps *caps, const Matrix *matrix, const Patch *patches, guint n_patches);

/* A frame of one colour. */
GstSample *plain_sample (const gchar *format, gint width, gint height, const gchar *more,
    const Matrix *matrix, const Colour *colour);

/* Ends the test where a sample is further than @tolerance from the one wanted, and names @what. */
void assert_near (
    guint got, guint wanted, guint tolerance, const gchar *what, const Colour *colour);
void assert_pixel (const guint8 *rgb, const Colour *colour, guint tolerance, const gchar *what);
