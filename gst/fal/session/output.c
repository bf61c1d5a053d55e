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
  FalRepeater *repeater;   /* of pictures at a constant rate */
  gboolean shows_fallback; /* as was told last */
  gboolean advised;        /* that results cannot fade into one another */

  /* Of what was pulled last. */
  FalSettings *settings; /* NULL: nothing was */
  FalTimestampMode mode;
  gboolean live, every_frame;
  GstClockTime upstream_latency;
  gboolean finds_delay;
  GstClockTime held, delay; /* as FalOutput has them */
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
  side->repeater = fal_repeater_new ();
  return side;
}

void
fal_output_side_free (FalOutputSide *side)
{
  fal_result_buffer_free (side->buffers);
  fal_fallback_picture_free (side->picture);
  fal_repeater_free (side->repeater);
  g_clear_pointer (&side->settings, fal_settings_unref);
  g_free (side);
}

void
fal_output_side_reset (FalOutputSide *side)
{
  fal_result_buffer_forget (side->buffers);
  fal_fallback_picture_reset (side->picture);
  fal_repeater_reset (side->repeater);
  side->shows_fallback = side->advised = FALSE;
}

void
fal_output_side_flush (FalOutputSide *side)
{
  fal_result_buffer_reset (side->buffers);
  fal_repeater_reset (side->repeater);
}

/* ---- what goes out next ---- */

static void
warn_missing (FalOutputSide *side, guint missing)
{
  g_autofree gchar *frames = fal_reporter_count (missing, "frame");
  g_autoptr (GError) error = g_error_new (G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
      "The stream ends without %s: no result came within drain-timeout. If the model takes that "
      "long, raise drain-timeout.",
      frames);

  fal_reporter_tell (side->reporter, FALSE, error, NULL);
}

static void
warn_late (FalOutputSide *side, gdouble age)
{
  gint latency = side->settings->latency;
  g_autoptr (GError) error = g_error_new (G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
      "Results keep coming later than latency allows: %.0f ms after their frame, and latency is %d "
      "ms. Set latency to more than that, or to -1 for a preview without sync.",
      age, latency);

  fal_reporter_tell (side->reporter, FALSE, error,
      gst_structure_new (
          "details", "age", G_TYPE_DOUBLE, age, "latency", G_TYPE_INT, latency, NULL));
}

/* An answer is ready @age after its frame came, or turned out to be too late: whether answers come
 * as the latency promised. */
static void
check_promise (FalOutputSide *side, gint64 age)
{
  gint latency = side->settings->latency;

  if (latency < 0 || side->mode != FAL_TIMESTAMP_MODE_INPUT || !side->live || side->finds_delay)
    return;
  if (fal_result_buffer_note_age (side->buffers, age * GST_USECOND, latency * GST_MSECOND))
    warn_late (side, age / 1000.0);
}

static GstClockTime
get_now (const FalOutputSide *side)
{
  return side->owner->events.get_running_time (side->owner->user);
}

/* When the next picture is due that goes out by the clock; NONE: none does. */
static GstClockTime
get_due_time (const FalOutputSide *side)
{
  GstClockTime tick = fal_repeater_get_time (side->repeater);

  if (!side->live || !GST_CLOCK_TIME_IS_VALID (tick))
    return GST_CLOCK_TIME_NONE;
  return tick + side->upstream_latency + side->delay;
}

static gboolean
is_due (const FalOutputSide *side)
{
  GstClockTime due = get_due_time (side), now = get_now (side);

  return GST_CLOCK_TIME_IS_VALID (due) && GST_CLOCK_TIME_IS_VALID (now) && now >= due;
}

/* Sees to it that the next wait ends when the next picture is due. */
static void
await_tick (FalOutputSide *side)
{
  if (!fal_repeater_is_on (side->repeater))
    return;
  if (is_due (side))
    fal_shared_state_note_tick (side->state);
  else
    side->owner->events.call_at (side->owner->user, get_due_time (side));
}

static void
note_output (FalOutputSide *side, const FalOutput *output)
{
  g_clear_pointer (&side->settings, fal_settings_unref);
  side->settings = output->settings;
  side->mode = output->mode;
  side->live = output->live;
  side->every_frame = output->every_frame;
  side->upstream_latency = output->upstream_latency;
  side->finds_delay = output->finds_delay;
  side->held = output->held;
  side->delay = output->delay;
  fal_repeater_set_rate (side->repeater, side->settings->output_framerate);
  fal_repeater_set_transition (side->repeater, side->settings->transition, !side->live);
}

/* Waits for the next output. FALSE: the flow stopped. */
static gboolean
wait_for_next (FalOutputSide *side, GstEvent **event, FalResult **result)
{
  FalOutput output;

  await_tick (side);
  fal_shared_state_wait_for_output (
      side->state, side->live && fal_repeater_is_full (side->repeater), &output);
  note_output (side, &output);
  *event = output.event;
  *result = output.result;
  fal_reporter_tell_drops (side->reporter, fal_shared_state_take_drops (side->state));
  if (output.missing > 0)
    warn_missing (side, output.missing);
  if (output.overdue > 0)
    check_promise (side, output.overdue);
  if (output.latency_changed)
    side->owner->events.latency_changed (side->owner->user);
  return *event || *result || output.ticked || output.latency_changed;
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

/* What fills in where the delay of results was found has that delay, too. */
static GstClockTime
get_fill_delay (const FalOutputSide *side)
{
  return side->finds_delay && side->mode == FAL_TIMESTAMP_MODE_ARRIVAL ? side->delay : 0;
}

/* The running time of what is to be shown as @fill is made: now, unless that waited. */
static GstClockTime
get_arrival (const FalOutputSide *side, const FalResult *fill)
{
  GstClockTime made = fill->arrived;

  if (!GST_CLOCK_TIME_IS_VALID (made))
    made = get_now (side);
  return fal_timeline_get_arrival (made, side->upstream_latency + get_fill_delay (side));
}

/* Results of frames that came meanwhile are still to be shown before what fills in now. */
static void
hold_back (const FalOutputSide *side, FalOutlook *outlook)
{
  if (GST_CLOCK_TIME_IS_VALID (outlook->newest))
    outlook->newest -= MIN (outlook->newest, get_fill_delay (side));
}

/* At a constant rate there are no gaps. */
static gboolean
admits (FalOutputSide *side, GstEvent *event)
{
  return fal_result_buffer_admit_event (side->buffers, event) &&
         !(GST_EVENT_TYPE (event) == GST_EVENT_GAP && fal_repeater_is_on (side->repeater));
}

/* The last result stands for the frame of @result (taken). TRUE: downstream gets a gap for it, or
 * the pictures of its time. */
static gboolean
settle_standing (FalOutputSide *side, FalResult *taken, GstEvent **gap)
{
  g_autoptr (FalResult) result = taken;
  const FalFrame *frame = result->frame;
  GstClockTime start = frame->running;

  if (!fal_repeater_is_on (side->repeater)) {
    *gap = fal_result_buffer_pass_over (side->buffers, result);
    return *gap != NULL;
  }
  if (GST_CLOCK_TIME_IS_VALID (start))
    fal_repeater_go_on (side->repeater, start,
        start + (GST_CLOCK_TIME_IS_VALID (frame->duration) ? frame->duration : 0));
  return TRUE;
}

/* Whether it has no time of its own. */
static gboolean
fills (const FalResult *result)
{
  return result->kind == FAL_RESULT_FALLBACK && !result->frame->comes_out;
}

/* What downstream gets for @result, which is taken where that is nothing. FALSE: nothing. */
static gboolean
settle (FalOutputSide *side, GstEvent **event, FalResult **result)
{
  if (*event != NULL) {
    if (admits (side, *event))
      return TRUE;
    gst_clear_event (event);
    return FALSE;
  }
  if (*result == NULL)
    return TRUE;
  if ((*result)->kind == FAL_RESULT_STANDING)
    return settle_standing (side, g_steal_pointer (result), event);
  if (fills (*result))
    hold_back (side, &(*result)->outlook);
  if (fills (*result) && !fal_result_buffer_place_fallback (side->buffers, *result, side->mode,
                             get_arrival (side, *result), event)) {
    g_clear_pointer (result, fal_result_free);
    if (*event != NULL && fal_repeater_is_on (side->repeater))
      gst_clear_event (event);
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

/* A result that brings no buffer: told where it is too late, and warned about where it is broken.
 */
static void
tell_useless (FalOutputSide *side, const FalResult *result, gboolean late, const GError *error)
{
  const gchar *what =
      result->kind == FAL_RESULT_FALLBACK ? "The fallback cannot be shown" : "A result is dropped";

  if (!late)
    fal_reporter_warn_of (side->reporter, what, error, NULL);
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
    .latency = side->upstream_latency + side->held,
    .held = side->finds_delay,
    .composite = fal_settings_get_overlay_config (side->settings),
    .rate = side->settings->output_framerate,
    .get_running_time = side->owner->events.get_running_time,
    .user = side->owner->user,
  };

  if (result->kind == FAL_RESULT_PASS)
    return fal_result_buffer_pass (side->buffers, result, &config, error);
  if (result->kind == FAL_RESULT_FALLBACK && result->sample == NULL) {
    FalEncoderConfig encoder = fal_settings_get_encoder_config (side->settings);

    encoder.part = result->frame->part;
    result->picture = fal_fallback_picture_make (
        side->picture, result->fallback, result->frame->sample, &encoder, &result->layout, error);
    if (result->picture == NULL)
      return NULL;
  }
  return fal_result_buffer_make (side->buffers, result, &config, error);
}

/* How long after its frame could have been here the answer was ready, which took @age in all, µs.
 */
static gint64
get_lag (const FalOutputSide *side, const FalResult *result, gint64 age, gint64 duration)
{
  GstClockTime due = result->frame->running;

  if (!GST_CLOCK_TIME_IS_VALID (due) || !GST_CLOCK_TIME_IS_VALID (result->arrived))
    return age;
  return GST_CLOCK_DIFF (due + side->upstream_latency, result->arrived) / GST_USECOND + duration;
}

/* An answer was ready, and is @shown or too late: whether the delay is to be another. */
static void
note_lag (FalOutputSide *side, const FalResult *result, gint64 age, gint64 duration, gboolean shown)
{
  const FalSessionOwner *owner = side->owner;
  gboolean first = !result->further && result->index == 0;

  if (side->finds_delay &&
      fal_shared_state_note_lag (side->state, get_lag (side, result, age, duration), first, shown))
    owner->events.latency_changed (owner->user);
}

/* Says once what cannot be done with the pictures that come. */
static void
advise_transition (FalOutputSide *side, const GstCaps *caps)
{
  g_autoptr (GError) advice = NULL;
  const GstStructure *format = gst_caps_get_structure (caps, 0);
  const gchar *name = gst_structure_get_string (format, "format");

  if (side->advised || side->settings->transition != FAL_TRANSITION_FADE ||
      fal_repeater_can_fade (caps))
    return;
  side->advised = TRUE;
  advice = g_error_new (G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
      "Results do not fade into one another: in %s there is no mean of two pictures. Put a filter "
      "of caps such as video/x-raw,format=RGB behind the element, or set transition to cut.",
      name != NULL ? name : gst_structure_get_name (format));
  fal_reporter_advise (side->reporter, advice);
}

/* The picture of @result cannot be read, but its frame comes out all the same: it is shown as one
 * that has none. NULL: nothing is. */
static GstSample *
render_without (FalOutputSide *side, FalResult *result, GstCaps *allowed)
{
  GstSample *sample = NULL;

  if (!result->frame->comes_out || result->sample == NULL)
    return NULL;
  result->kind = FAL_RESULT_BETWEEN;
  sample = render (side, result, allowed, NULL);
  if (sample != NULL || result->fallback == FAL_FALLBACK_NONE)
    return sample;
  result->kind = FAL_RESULT_FALLBACK;
  return render (side, result, allowed, NULL);
}

GstSample *
fal_output_side_render (FalOutputSide *side, FalResult *taken, GstCaps *allowed, GError **error)
{
  g_autoptr (FalResult) result = taken;
  g_autoptr (GError) trouble = NULL;
  gint64 began = g_get_monotonic_time ();
  GstSample *sample = render (side, result, allowed, &trouble);
  gboolean late = g_error_matches (trouble, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  gint64 duration = g_get_monotonic_time () - began;
  /* As if it had not waited for downstream. */
  gint64 age = result->complete - result->frame->arrival + duration;

  if (g_error_matches (trouble, G_IO_ERROR, G_IO_ERROR_NOT_FOUND)) {
    g_propagate_error (error, g_steal_pointer (&trouble));
  } else {
    fal_shared_state_note_rendered (side->state, result->kind,
        sample ? FAL_RENDERED
        : late ? FAL_RENDERED_TOO_LATE
               : FAL_RENDERED_BROKEN,
        age, duration);
    if (sample == NULL && result->kind != FAL_RESULT_BETWEEN)
      tell_useless (side, result, late, trouble);
    else if (result->kind == FAL_RESULT_ANSWER && result->sample == NULL)
      fal_fallback_picture_note_result (
          side->picture, result->picture, gst_sample_get_caps (sample));
  }
  if (result->kind == FAL_RESULT_ANSWER) {
    check_promise (side, age);
    if ((sample != NULL || late) && !result->frame->comes_out)
      note_lag (side, result, age, duration, sample != NULL);
  }
  if (sample == NULL && !late && *error == NULL)
    sample = render_without (side, result, allowed);
  if (sample == NULL || !fal_repeater_is_on (side->repeater))
    return sample;
  if (result->kind == FAL_RESULT_ANSWER)
    advise_transition (side, gst_sample_get_caps (sample));
  fal_repeater_take (side->repeater, sample, result->kind);
  return NULL;
}

/* ---- pictures at a constant rate ---- */

gboolean
fal_output_side_take_picture (FalOutputSide *side, gboolean ends, FalPicture *picture)
{
  GstClockTime tick = fal_repeater_get_time (side->repeater);
  gboolean due;

  if (!GST_CLOCK_TIME_IS_VALID (tick))
    return FALSE;
  if (side->live && !ends)
    due = is_due (side);
  else
    due = tick < fal_repeater_get_certain (side->repeater, ends);
  if (due)
    fal_repeater_make (side->repeater, picture);
  return due;
}

void
fal_output_side_end_pictures (FalOutputSide *side)
{
  fal_repeater_reset (side->repeater);
}
