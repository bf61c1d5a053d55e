/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The side towards upstream. */
#include "input.h"

GstFlowReturn
fal_input_push (FalSharedState *state, FalReporter *reporter, GstSample *sample)
{
  FalFrame *frame = fal_frame_new (sample, g_get_monotonic_time ());
  GstFlowReturn returned = fal_shared_state_push (state, frame);

  fal_reporter_tell_drops (reporter, fal_shared_state_take_drops (state));
  return returned;
}
