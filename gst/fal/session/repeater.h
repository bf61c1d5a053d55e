/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes pictures at a constant rate of results as they come: at each tick the newest that is due is
 * shown, or the one before once more, or how the one fades into the other. Belongs to the source
 * pad's task, so it needs no lock. */
#pragma once

#include "fal/frame.h"

G_BEGIN_DECLS

typedef struct _FalRepeater FalRepeater;

FalRepeater *fal_repeater_new (void);
void fal_repeater_free (FalRepeater *repeater);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalRepeater, fal_repeater_free)

/* A new start, a flush, the end of a stream: nothing is shown until something comes. */
void fal_repeater_reset (FalRepeater *repeater);

/* The rate; 0/1: there is none, and what is held is let go of. */
void fal_repeater_set_rate (FalRepeater *repeater, FalFraction rate);
gboolean fal_repeater_is_on (const FalRepeater *repeater);

/* How results follow one another. @ahead: at each tick the next result is known, as in a file. */
void fal_repeater_set_transition (FalRepeater *repeater, FalTransition transition, gboolean ahead);
/* Whether a result of these caps can fade into another one of them. */
gboolean fal_repeater_can_fade (const GstCaps *caps);

/* Takes @sample (buffer, caps, segment), to be shown from its time on. Ticks begin with the first.
 */
void fal_repeater_take (FalRepeater *repeater, GstSample *sample, FalResultKind kind);

/* What was taken last stands for a frame of this span (running times), too. */
void fal_repeater_go_on (FalRepeater *repeater, GstClockTime start, GstClockTime end);

/* Whether so many wait for their time that others are to wait as they are, not yet decoded. */
gboolean fal_repeater_is_full (const FalRepeater *repeater);

/* The running time of the next tick; NONE: nothing was taken yet. */
GstClockTime fal_repeater_get_time (const FalRepeater *repeater);
/* Up to where ticks are certain where no result is lost: the time of the newest picture, or of the
 * newest frame that it stands for, too; with
 * @ends, as nothing follows it, the end of its time. NONE: nothing was taken yet. */
GstClockTime fal_repeater_get_certain (const FalRepeater *repeater, gboolean ends);

/* What is shown at a tick. */
typedef struct {
  GstBuffer *buffer; /* without time stamps of its own. One that is repeated has the flag GAP; a
                        mean of two is described as the newer one. The meta of either says so */
  GstCaps *caps;
  FalResultKind kind;
  gboolean first;    /* nothing was seen of its result before */
  gboolean repeated; /* the same was shown before */
  GstClockTime running, duration;
} FalPicture;

/* Makes the next tick's picture, and goes on to the one after it. */
void fal_repeater_make (FalRepeater *repeater, FalPicture *picture);
void fal_picture_clear (FalPicture *picture);

G_END_DECLS
