/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The weighted mean of two pictures, plane by plane, in their own format; and of rows of samples.
 * No state; used on any thread. */
#pragma once

#include <gst/video/video.h>

G_BEGIN_DECLS

/* A weight that is all. */
#define FAL_BLEND_ALL 256

/* Each of @n samples of @to is the mean of those of @a and @b, rounded to the nearest, upwards from
 * the middle. @weight: of @b, 0 (@to is @a) to FAL_BLEND_ALL (@to is @b). @to may be @a or @b, but
 * not overlap them otherwise. Samples of 16 bits are in the machine's byte order. */
void fal_blend_rows8 (guint8 *to, const guint8 *a, const guint8 *b, guint weight, gsize n);
void fal_blend_rows16 (guint16 *to, const guint16 *a, const guint16 *b, guint weight, gsize n);

/* The same without the code for newer processors, for tests: the result is the same. */
void fal_blend_rows8_plainly (guint8 *to, const guint8 *a, const guint8 *b, guint weight, gsize n);
void fal_blend_rows16_plainly (
    guint16 *to, const guint16 *a, const guint16 *b, guint weight, gsize n);

/* Whether pictures as @info can be blended: not where samples do not lie in bytes or words of their
 * own, as in tiles, in packed formats of 10 bits such as v210, or in indices of a palette. */
gboolean fal_blend_can (const GstVideoInfo *info);

/* The mean of @a and @b, which are both as @info, with @weight of @b as above; laid out as @info
 * says, and with all else that is known of @b. An alpha is a sample like the others. NULL: one of
 * them cannot be read, or there is no memory. */
GstBuffer *fal_blend_pictures (const GstVideoInfo *info, GstBuffer *a, GstBuffer *b, guint weight);

G_END_DECLS
