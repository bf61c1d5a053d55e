/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The interval between the frames of a camera: a running mean. */
#include "frame-interval.h"

/* An adaptive sender rather waits that part of the model's time for the next frame than send the
 * last one just before it: the oldest results are those of frames that were nearly replaced. It is
 * of use where the model is slower than the camera by more than that. */
#define PATIENCE 0.03
/* Of the newest interval in the smoothed one. */
#define WEIGHT 8

void
fal_frame_interval_reset (FalFrameInterval *frames)
{
  *frames = (FalFrameInterval){ G_MININT64, 0 };
}

void
fal_frame_interval_note_frame (FalFrameInterval *frames, gint64 now)
{
  gint64 interval = frames->last == G_MININT64 ? 0 : now - frames->last;

  frames->last = now;
  if (frames->interval == 0)
    frames->interval = interval;
  else
    frames->interval += (interval - frames->interval) / WEIGHT;
}

gint64
fal_frame_interval_await (const FalFrameInterval *frames, gint64 service, gint64 time)
{
  /* Less than an interval: the frame that came ends the wait, and begins no other. */
  gint64 patience = MIN (PATIENCE * service, frames->interval / 2.0);
  gint64 due = frames->last + frames->interval;

  if (frames->interval == 0 || service < frames->interval + patience)
    return time;
  return time > due - patience && time < due + patience / 2 ? due + patience / 2 : time;
}
