/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How far one result has faded into the next at a tick of a constant rate.
 *
 * In a file the time of the next result is known: it fades in until then, and is late by nothing.
 * In a live pipeline it fades in from its own time on, since nobody knows before that it comes: by
 * the tick that is an interval of results later it is all that is seen.
 *
 * Pure: no thread, lock, clock or log. Belongs to the source pad's task. Times are running times,
 * in nanoseconds. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* A weight that is all. */
#define FAL_FADE_ALL 256
/* The interval of results is that of so many. */
#define FAL_FADE_LENGTH 8

typedef struct {
  GstClockTime intervals[FAL_FADE_LENGTH]; /* the newest between two results; a ring */
  guint64 count;                           /* noted so far */
} FalFade;

/* No result came yet. */
void fal_fade_reset (FalFade *fade);

/* In a live pipeline the result of time @start follows the one of time @before. How long it may
 * take until it is all that is seen: the interval of results, and not more than it is apart from
 * the one before, nor than a second, since a pause is no interval. */
GstClockTime fal_fade_note (FalFade *fade, GstClockTime before, GstClockTime start);

/* How much, of FAL_FADE_ALL, is seen of the newer result at the tick of time @tick that lasts for
 * @duration. In a live pipeline the newer one began at @start, and may take @span; in a file it
 * begins at @start, and the older one did so at @before. Where a tick is as long as that there is
 * nothing between the two. */
guint fal_fade_get_weight (
    GstClockTime tick, GstClockTime duration, GstClockTime start, GstClockTime span);
guint fal_fade_get_weight_ahead (
    GstClockTime tick, GstClockTime duration, GstClockTime before, GstClockTime start);

G_END_DECLS
