/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a composite has to be, computed plainly in floating point from the standards' formulas, and
 * frames whose samples lie in memory as any buffer may have them. */
#pragma once

#include <gst/video/video.h>

/* Red, green, blue and alpha of a place, 0 to 1, straight. */
typedef struct {
  gdouble r, g, b, a;
} Pixel;

/* What lies on pixel @x, @y of a frame; its alpha is 0 where nothing does. */
typedef Pixel (*GetPixel) (gpointer user, gint x, gint y);

/* A sample as a number of the format's depth. */
guint get_sample (const GstVideoFrame *frame, guint component, gint x, gint y);
void set_sample (GstVideoFrame *frame, guint component, gint x, gint y, guint value);

/* Caps of raw video; @colorimetry: or NULL. */
GstCaps *make_frame_caps (const gchar *format, gint width, gint height, const gchar *colorimetry);

/* A frame of noise. @rand: or NULL; then the buffer is laid out as the caps say. With it rows are
 * padded, planes lie apart, and memory ends with the last row. */
GstSample *make_noise (GstCaps *caps, GRand *rand);

/* A frame of @component = value (user, component, x, y), in samples. */
typedef guint (*GetSample) (gpointer user, guint component, gint x, gint y);
GstSample *make_frame (GstCaps *caps, GetSample get, gpointer user);

void map_sample (GstVideoFrame *frame, GstSample *sample, GstMapFlags flags);
void map_output (GstVideoFrame *frame, GstBuffer *buffer, GstCaps *caps);

/* What a component of the frame's samples is for @pixel, as a number of the format's depth. */
gdouble component_of (const GstVideoInfo *info, guint component, Pixel pixel);

/* Asserts that @out is @in with the pixels over it: the same where none of them has any alpha, else
 * within @tolerance levels of 8 bits. */
void assert_over (const GstVideoFrame *out, const GstVideoFrame *in, GetPixel get, gpointer user,
    gdouble tolerance);
/* The same where @in is seen through alpha of the pixels before a background of their colours. */
void assert_through (const GstVideoFrame *out, const GstVideoFrame *in, GetPixel get, gpointer user,
    gdouble tolerance);
