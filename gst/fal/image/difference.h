/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How much of what a camera sees has changed between two frames.
 *
 * A frame becomes a signature: the mean brightness of each eight by eight pixels, of every other
 * row of them. Of a JPEG it is taken from the DC coefficients, without decoding the rest. Two
 * signatures are compared in three steps, so that what is no change of the scene does not count:
 *
 *   flicker   Lamps and automatic exposure make the whole picture brighter or darker. The line that
 *             fits most of the means (gain and offset) is taken for that, as far as it moves black
 *             by no more than FAL_DIFFERENCE_FLICKER and white by twice that, and is taken out.
 *   noise     What is left of each mean is noise or change. Sixteen by sixteen pixels, at every
 *             eighth, differ by the mean of their four. Twice what the median of them differs by,
 *             at most FAL_DIFFERENCE_NOISE, is taken for noise.
 *   change    The most changed sixteen by sixteen pixels, less the noise.
 *
 * Where a part of the frame is sent, that alone is looked at: its blocks begin at its corner, but
 * those of a JPEG where they lie, so that up to seven pixels around it count, too.
 *
 * So a small thing that moves counts where it fills a part of such a block, and what changes
 * everywhere in the same way does not. Colours at the same brightness are not told apart. Levels
 * are those of full range, 0 to 255, whatever the format has. */
#pragma once

#include "fal/options.h"

#include <gst/video/video.h>

G_BEGIN_DECLS

/* Levels, by which the black of a picture may get brighter or darker; the white by twice as many.
 */
#define FAL_DIFFERENCE_FLICKER 16
/* Levels. */
#define FAL_DIFFERENCE_NOISE 3

/* Of one frame. It never changes, so any thread may read it. */
typedef struct _FalSignature FalSignature;

void fal_signature_free (FalSignature *signature);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalSignature, fal_signature_free)

/* The mean brightness of block @column in row @row, in levels; negative: it has no such block. */
gdouble fal_signature_get_mean (const FalSignature *signature, gint column, gint row);

/* The part of the frame that it is of, as fal_difference_reduce() got it. */
const FalArea *fal_signature_get_part (const FalSignature *signature);

/* Makes signatures; used on one thread at a time. */
typedef struct _FalDifference FalDifference;

FalDifference *fal_difference_new (void);
void fal_difference_free (FalDifference *difference);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalDifference, fal_difference_free)

/* The signature of @part of the frame, in its pixels; without a size: of all of it. Of a PNG, a
 * WebP or another picture that is not decoded here it only tells whether another one is the same
 * byte for byte. NULL: the frame cannot be read, is a field of interlaced video that comes by
 * itself, or has nothing of that part. */
FalSignature *fal_difference_reduce (
    FalDifference *difference, GstSample *sample, const FalArea *part);

/* By how many levels the two differ, from 0; G_MAXDOUBLE where they cannot be compared, as they
 * have other caps or are of other parts, or one is NULL. */
gdouble fal_difference_compare (
    FalDifference *difference, const FalSignature *before, const FalSignature *after);

G_END_DECLS
