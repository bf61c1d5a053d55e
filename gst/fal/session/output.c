/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The side towards downstream. */
#include "output.h"
#include "fal/image/fallback-picture.h"
#include "result-buffer.h"

struct _FalOutputSide {
  FalSharedState *state;
  FalReporter *reporter;
  const FalSessionOwner *owner;
  FalResultBuffer *buffers;
  FalFallbackPicture *picture;
  gboolean shows_fallback; /* as was told last */

  /* Of what was pulled last. */
  FalSettings *settings; /* NULL: nothing was */
  FalTimestampMode mode;
  gboolean live, every_frame;
};

FalOutputSide *
fal_output_side_new (FalSharedState *state, FalReporter *reporter, const FalSessionOwner *owner)
{
  FalOutputSide *side = g_new0 (FalOutputSide, 1);

  side->state = state;
  side->reporter = reporter;
  side->owner = owner;
  side->buffers = fal_result_buffer_new ();
  side->picture = fal_fallback_picture_new ();
  return side;
}

void
fal_output_side_free (FalOutputSide *side)
{
  fal_result_buffer_free (side->buffers);
  fal_fallback_picture_free (side->picture);
  g_clear_pointer (&side->settings, fal_settings_unref);
  g_free (side);
}

void
fal_output_side_reset (FalOutputSide *side)
{
  fal_result_buffer_reset (side->buffers);
  fal_fallback_picture_reset (side->picture);
  side->shows_fallback = FALSE;
}

void
fal_output_side_flush (FalOutputSide *side)
{
  fal_result_buffer_reset (side->buffers);
}

/* ---- what goes out next ---- */

static void
warn_missing (FalOutputSide *side, guint missing)
{
  g_autoptr (GError) error = g_error_new (G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
      "the stream ends without %u frame(s): no result came for drain-timeout", missing);

  fal_reporter_tell (side->reporter, FALSE, error, NULL);
}

/* Waits for the next output. FALSE: the flow stopped. */
static gboolean
wait_for_next (FalOutputSide *side, GstEvent **event, FalResult **result)
{
  FalOutput output;

  fal_shared_state_wait_for_output (side->state, &output);
  g_clear_pointer (&side->settings, fal_settings_unref);
  side->settings = output.settings;
  side->mode = output.mode;
  side->live = output.live;
  side->every_frame = output.every_frame;
  *event = output.event;
  *result = output.result;
  fal_reporter_tell_drops (side->reporter, fal_shared_state_take_drops (side->state));
  if (output.missing > 0)
    warn_missing (side, output.missing);
  return *event || *result;
}

/* Tells once when the fallback begins to be shown, and when results are back. */
static void
tell_fallback (FalOutputSide *side, const FalResult *result)
{
  gboolean shows = result->kind == FAL_RESULT_FALLBACK && result->fallback != FAL_FALLBACK_NONE;

  if (shows == side->shows_fallback || (!shows && result->kind != FAL_RESULT_ANSWER))
    return;
  side->shows_fallback = shows;
  fal_reporter_note (
      side->reporter, shows ? "no result came for fallback-timeout: the fallback is shown"
                            : "results are back: the fallback ends");
}

/* What downstream gets for @result, which is taken where that is nothing. FALSE: nothing. */
static gboolean
settle (FalOutputSide *side, GstEvent **event, FalResult **result)
{
  const FalSessionOwner *owner = side->owner;

  if (*event != NULL) {
    if (fal_result_buffer_admit_event (side->buffers, *event))
      return TRUE;
    gst_clear_event (event);
    return FALSE;
  }
  if ((*result)->kind == FAL_RESULT_FALLBACK &&
      !fal_result_buffer_place_fallback (side->buffers, *result, side->mode,
          owner->events.get_running_time (owner->user), event)) {
    g_clear_pointer (result, fal_result_free);
    return *event != NULL;
  }
  tell_fallback (side, *result);
  return TRUE;
}

gboolean
fal_output_side_pull (FalOutputSide *side, GstEvent **event, FalResult **result)
{
  gboolean flows;

  do
    flows = wait_for_next (side, event, result);
  while (flows && !settle (side, event, result));
  return flows;
}

/* ---- a result becomes a buffer ---- */

static void
warn_late (FalOutputSide *side, gdouble age)
{
  gint latency = side->settings->latency;
  g_autoptr (GError) error = g_error_new (G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
      "results keep coming later than latency: %.0f ms after their frame, while latency is %d ms; "
      "set latency to more than that, or to -1 for a preview without sync",
      age, latency);

  fal_reporter_tell (side->reporter, FALSE, error,
      gst_structure_new (
          "details", "age", G_TYPE_DOUBLE, age, "latency", G_TYPE_INT, latency, NULL));
}

/* An answer is ready, or turned out to be too late: whether answers come as the latency promised.
 */
static void
check_promise (FalOutputSide *side, const FalResult *result)
{
  gint64 age = g_get_monotonic_time () - result->frame->arrival;
  gint latency = side->settings->latency;

  if (latency < 0 || side->mode != FAL_TIMESTAMP_MODE_INPUT || !side->live)
    return;
  if (fal_result_buffer_note_age (side->buffers, age * GST_USECOND, latency * GST_MSECOND))
    warn_late (side, age / 1000.0);
}

/* A result that brings no buffer: told where it is too late, and warned about where it is broken.
 */
static void
tell_useless (FalOutputSide *side, const FalResult *result, gboolean late, const GError *error)
{
  if (!late)
    fal_reporter_warn (side->reporter, error, NULL);
  else if (result->kind == FAL_RESULT_ANSWER)
    fal_reporter_tell_drops (
        side->reporter, fal_shared_state_make_drop (side->state, result->frame));
}

static GstSample *
render (FalOutputSide *side, FalResult *result, GstCaps *allowed, GError **error)
{
  FalResultBufferConfig config = {
    .allowed = allowed,
    .max_pixels = side->settings->max_pixels,
    .mode = side->mode,
    .every_frame = side->every_frame,
    .get_running_time = side->owner->events.get_running_time,
    .user = side->owner->user,
  };

  if (result->kind == FAL_RESULT_PASS)
    return fal_result_buffer_pass (side->buffers, result, &config, error);
  if (result->kind == FAL_RESULT_FALLBACK) {
    FalEncoderConfig encoder = fal_settings_get_encoder_config (side->settings);

    result->picture = fal_fallback_picture_make (
        side->picture, result->fallback, result->frame->sample, &encoder, error);
    if (result->picture == NULL)
      return NULL;
  }
  return fal_result_buffer_make (side->buffers, result, &config, error);
}

GstSample *
fal_output_side_render (FalOutputSide *side, FalResult *taken, GstCaps *allowed, GError **error)
{
  g_autoptr (FalResult) result = taken;
  g_autoptr (GError) trouble = NULL;
  gint64 began = g_get_monotonic_time ();
  GstSample *sample = render (side, result, allowed, &trouble);
  gboolean late = g_error_matches (trouble, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);

  if (g_error_matches (trouble, G_IO_ERROR, G_IO_ERROR_NOT_FOUND)) {
    g_propagate_error (error, g_steal_pointer (&trouble));
  } else {
    fal_shared_state_note_rendered (side->state, result->kind,
        sample ? FAL_RENDERED
        : late ? FAL_RENDERED_TOO_LATE
               : FAL_RENDERED_BROKEN,
        result->frame->arrival, g_get_monotonic_time () - began);
    if (sample == NULL)
      tell_useless (side, result, late, trouble);
    else if (result->kind == FAL_RESULT_ANSWER)
      fal_fallback_picture_note_result (side->picture, result->picture);
  }
  if (result->kind == FAL_RESULT_ANSWER)
    check_promise (side, result);
  return sample;
}
