/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The side towards upstream. What is sent of a frame is decided as it comes, by the settings of
 * that moment: so that one that passes keeps its place. */
#include "input.h"
#include "fal/image/frame-metas.h"
#include "fal/image/frame-size.h"

static void
warn_outside (FalReporter *reporter, gint width, gint height)
{
  g_autoptr (GError) error = g_error_new (G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
      "The region lies outside of the frame, which has %dx%d pixels. " FAL_REGION_FORM
      ". Until it is within, what region-absent says becomes of the frames.",
      width, height);

  fal_reporter_tell (reporter, FALSE, error, NULL);
}

static void
warn_crowded (FalReporter *reporter, guint held)
{
  g_autoptr (GError) error = g_error_new (G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
      "Frames are dropped while they wait for their results: no more than %u of them have room in "
      "max-held-bytes. Raise it, or shorten the delay.",
      held);

  fal_reporter_tell (reporter, FALSE, error, NULL);
}

/* Sets the part of @frame that is sent. */
static FalRegionState
find_part (const FalRegion *region, FalFrame *frame, gint *width, gint *height)
{
  g_autoptr (GArray) found = NULL;

  if (fal_region_is_found (region)) {
    found = fal_frame_metas_find_regions (
        gst_sample_get_buffer (frame->sample), fal_region_get_wanted_type (region));
    if (found == NULL)
      return FAL_REGION_ABSENT;
  }
  fal_frame_size_read (frame->sample, width, height);
  return fal_region_find (region, found ? (const FalArea *) found->data : NULL,
      found ? found->len : 0, *width, *height, &frame->part);
}

/* All of the frame, as if it had been named as its region: so it is sent in the same way. */
static void
take_whole (FalFrame *frame)
{
  gint width, height;

  fal_frame_size_read (frame->sample, &width, &height);
  frame->part = (FalArea) { 0, 0, width, height };
}

static void
choose_route (FalFrame *frame, FalRegionAbsent absent)
{
  switch (absent) {
  case FAL_REGION_ABSENT_PASS:
    frame->route = FAL_ROUTE_PASS;
    break;
  case FAL_REGION_ABSENT_HOLD:
    frame->route = FAL_ROUTE_HOLD;
    break;
  case FAL_REGION_ABSENT_WHOLE:
    take_whole (frame);
    break;
  }
}

static void
choose_part (FalSharedState *state, FalReporter *reporter, FalFrame *frame)
{
  FalRegionAbsent absent;
  g_autoptr (FalRegion) region = fal_shared_state_dup_region (state, &absent);
  FalRegionState found;
  gint width, height;

  if (region == NULL)
    return;
  found = find_part (region, frame, &width, &height);
  if (found == FAL_REGION_THERE)
    return;
  if (found == FAL_REGION_OUTSIDE && fal_shared_state_note_outside (state))
    warn_outside (reporter, width, height);
  choose_route (frame, absent);
}

/* Whether its memory goes back to a pool, which may wait for it. */
static gboolean
has_pool (GstBuffer *buffer)
{
  const GstParentBufferMeta *parent = gst_buffer_get_parent_buffer_meta (buffer);

  return buffer->pool != NULL || (parent != NULL && parent->buffer->pool != NULL);
}

/* More frames than upstream could lend are kept in memory of their own. */
static void
copy_picture (FalFrame *frame)
{
  g_autoptr (GstSample) sample = frame->sample;
  const GstStructure *info = gst_sample_get_info (sample);
  g_autoptr (GstBuffer) copy = gst_buffer_copy_deep (gst_sample_get_buffer (sample));

  frame->sample = gst_sample_new (copy, gst_sample_get_caps (sample),
      gst_sample_get_segment (sample), info ? gst_structure_copy (info) : NULL);
}

GstFlowReturn
fal_input_push (
    FalSharedState *state, FalReporter *reporter, GstSample *sample, GstClockTime running)
{
  FalFrame *frame = fal_frame_new (sample, g_get_monotonic_time ());
  GstFlowReturn returned;
  guint held;

  frame->arrived = running;
  choose_part (state, reporter, frame);
  if (frame->route == FAL_ROUTE_PASS && has_pool (gst_sample_get_buffer (frame->sample)) &&
      fal_shared_state_keeps_passing (state))
    copy_picture (frame);
  returned = fal_shared_state_push (state, frame);
  fal_reporter_tell_drops (reporter, fal_shared_state_take_drops (state));
  if (fal_shared_state_lacks_room (state, &held))
    warn_crowded (reporter, held);
  return returned;
}
