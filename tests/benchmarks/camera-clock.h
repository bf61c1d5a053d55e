/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

/* Waits for the moment @time, monotonic µs, at which a camera has its next frame; not at all where
 * that is past. */
static inline void
wait_until (gint64 time)
{
  g_autoptr (GstClock) clock = gst_system_clock_obtain ();
  GstClockID moment = gst_clock_new_single_shot_id (clock, time * GST_USECOND);

  gst_clock_id_wait (moment, NULL);
  gst_clock_id_unref (moment);
}
