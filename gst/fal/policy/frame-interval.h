/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When the next frame is due, from when the last ones came. Pure, the pacer's. Times are
 * microseconds of a monotonic clock, given as arguments. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  gint64 last;     /* frame; G_MININT64: none came */
  gint64 interval; /* between two frames, smoothed; 0: not known */
} FalFrameInterval;

void fal_frame_interval_reset (FalFrameInterval *frames);
void fal_frame_interval_note_frame (FalFrameInterval *frames, gint64 now);

/* Where a frame is about to come at @time, a moment after it, for it may come a little late; else
 * @time. @service: the model's time for a request; 0: not known. */
gint64 fal_frame_interval_await (const FalFrameInterval *frames, gint64 service, gint64 time);

G_END_DECLS
