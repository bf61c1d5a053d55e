/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A camera's frames whose content is known: a light square that moves over a dark ground, by the
 * frame's number. And what a composite of such a frame must look like. */
#pragma once

#include "fixture.h"

G_BEGIN_DECLS

/* The background that composites are made before. */
#define SQUARE_BACKGROUND "#00ff00"

/* The size of a frame may be any from 64 on. */
typedef struct {
  GstVideoInfo info; /* of frames and composites */
} MovingSquare;

/* "video/x-raw,format=RGBx,width=W,height=H,framerate=30/1". */
void moving_square_init (MovingSquare *square, gint width, gint height);
GstCaps *moving_square_get_caps (const MovingSquare *square);
/* Where it is in frame @n: as far from the left and from the top as it is large. */
void moving_square_find (const MovingSquare *square, guint n, gint *x, gint *y, gint *side);

/* Frame @n of 30 a second; and the same painted into a buffer that is there. */
GstBuffer *moving_square_frame (const MovingSquare *square, guint n);
void moving_square_paint (const MovingSquare *square, guint n, GstBuffer *buffer);
/* Which frame that is, by its time. */
guint moving_square_number (GstBuffer *buffer);

/* The square that @buffer shows, which alone has red in it, and that of frame @n: the common part
 * of both, of all that is part of either. */
gdouble moving_square_measure (const MovingSquare *square, guint n, GstBuffer *buffer);
/* By how many levels @buffer is from frame @n with a matte that has @weight / 256 of frame @after's
 * and the rest of frame @before's. */
guint moving_square_compare (const MovingSquare *square, guint n, guint before, guint after,
    guint weight, GstBuffer *buffer);
/* Whether @buffer is frame @n, pixel by pixel. */
gboolean moving_square_is_frame (const MovingSquare *square, guint n, GstBuffer *buffer);

G_END_DECLS
