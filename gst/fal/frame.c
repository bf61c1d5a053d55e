/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames and results: plain data with an owner at every moment. */
#include "frame.h"

FalFrame *
fal_frame_new (GstSample *sample, gint64 arrival)
{
  FalFrame *frame = g_atomic_rc_box_new0 (FalFrame);
  GstBuffer *buffer = gst_sample_get_buffer (sample);
  GstCaps *caps = gst_sample_get_caps (sample);

  frame->sample = sample;
  frame->segment = *gst_sample_get_segment (sample);
  frame->pts = GST_BUFFER_PTS (buffer);
  frame->duration = GST_BUFFER_DURATION (buffer);
  frame->arrival = arrival;
  if (caps == NULL || !gst_structure_get_fraction (gst_caps_get_structure (caps, 0), "framerate",
                          &frame->fps_n, &frame->fps_d)) {
    frame->fps_n = 0;
    frame->fps_d = 1;
  }
  return frame;
}

FalFrame *
fal_frame_ref (FalFrame *frame)
{
  return g_atomic_rc_box_acquire (frame);
}

static void
clear_frame (gpointer data)
{
  g_clear_pointer (&((FalFrame *)data)->sample, gst_sample_unref);
}

void
fal_frame_unref (FalFrame *frame)
{
  g_atomic_rc_box_release_full (frame, clear_frame);
}

void
fal_result_free (FalResult *result)
{
  fal_frame_unref (result->frame);
  g_bytes_unref (result->picture);
  g_free (result->request_id);
  g_free (result);
}
