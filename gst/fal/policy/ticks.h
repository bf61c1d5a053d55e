/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The times of pictures at a constant rate: exact, however long the stream is.
 *
 * Pure: no thread, lock, clock or log. Belongs to the source pad's task. Times are running times,
 * in nanoseconds. */
#pragma once

#include "fal/options.h"

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct {
  FalFraction rate;    /* pictures a second; 0/1: none */
  GstClockTime origin; /* of tick 0; NONE: they have not begun */
  guint64 next;        /* number of the next tick */
} FalTicks;

/* They begin anew; the rate stays. */
void fal_ticks_reset (FalTicks *ticks);
/* From the next tick on the rate is another; 0/1: there are none. */
void fal_ticks_set_rate (FalTicks *ticks, FalFraction rate);
/* The first tick is at @origin. */
void fal_ticks_begin (FalTicks *ticks, GstClockTime origin);

gboolean fal_ticks_have_begun (const FalTicks *ticks);
/* Of the next one, where they have begun. */
GstClockTime fal_ticks_get_time (const FalTicks *ticks);
GstClockTime fal_ticks_get_duration (const FalTicks *ticks);
void fal_ticks_advance (FalTicks *ticks);

G_END_DECLS
