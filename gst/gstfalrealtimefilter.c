/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-falrealtimefilter
 * @title: falrealtimefilter
 *
 * Sends video frames to a realtime image model of [fal.ai](https://fal.ai) over one WebSocket, and
 * puts out the pictures that the model answers with. In a live pipeline the newest frame is sent
 * whenever the model can take one, and older ones are dropped; in any other pipeline upstream
 * waits, and no frame is lost.
 *
 * Most apps need an API key, which is made at https://fal.ai/dashboard/keys and best set in the
 * environment: `export FAL_KEY=id:secret`. Some apps are billed by the request, others by the time
 * that a connection is open.
 *
 * ## Example launch lines
 *
 * A webcam, and what the model makes of it in a window:
 *
 * |[
 * gst-launch-1.0 v4l2src ! videoconvert ! falrealtimefilter app=fal-ai/fast-lcm-diffusion \
 *     prompt="a watercolour portrait" ! videoconvert ! autovideosink
 * ]|
 *
 * The same by a preset, which also sets the size and the steps that suit the app:
 *
 * |[
 * gst-launch-1.0 v4l2src ! videoconvert ! falrealtimefilter @preset="Live LCM" \
 *     prompt="a watercolour portrait" ! videoconvert ! autovideosink
 * ]|
 *
 * Each frame of a file. The throttle would only slow it down:
 *
 * |[
 * gst-launch-1.0 -e filesrc location=in.mp4 ! decodebin ! videoconvert ! falrealtimefilter \
 *     app=fal-ai/fast-lcm-diffusion prompt="a watercolour" throttle-interval=0 \
 *     ! videoconvert ! vp8enc deadline=1 ! webmmux ! filesink location=out.webm
 * ]|
 *
 * A picture at all times and at a constant rate, as encoders and virtual cameras want it: each is
 * the newest result, or the last one again, and while no result comes, the camera's own picture:
 *
 * |[
 * gst-launch-1.0 v4l2src ! videoconvert ! falrealtimefilter app=fal-ai/fast-lcm-diffusion \
 *     width=512 height=512 fallback=passthrough output-framerate=30/1 \
 *     ! videoconvert ! autovideosink
 * ]|
 *
 * The local server of the tests in place of fal, without an account. It is started with
 * `fal-local-server --port 8090 --effect cartoon`:
 *
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=100 ! falrealtimefilter app=local/demo \
 *     base-uri=ws://127.0.0.1:8090 ! videoconvert ! autovideosink
 * ]|
 *
 * Applications in C and Python stand in the folder `tests/examples` of the sources.
 *
 * ## Pads
 *
 * * `sink` takes raw video in any format, which is scaled and sent as JPEG, or `image/jpeg`,
 *   `image/png` and `image/webp`, which are sent as they come unless `region` names a part of them.
 * * `src` puts out raw video in the size of the model's picture, or the picture as it came where
 *   downstream takes only that; with `composite` the frames themselves, in their own size and
 *   format, with the results laid on them. Each buffer that is a result has the custom meta
 *   `GstFalResultMeta` with the fields `request-id`, `round-trip` (ms), `inference` (ms),
 *   `image-index`, `image-count` and others; one that `output-framerate` shows again also has
 *   `repeated`, and one on its way from a result to the next `transition`.
 * * `prompt`, on request, takes a text track, as `text/x-raw` in the formats `utf8` and
 *   `pango-markup`: subtitles by `subparse`, or what an `appsrc` says. The text of a cue is the
 *   prompt of all frames within its time, as running time has it; one that is a JSON object, such
 *   as `{"prompt": "night", "seed": 7}`, sets any inputs, over the properties. Between cues, and
 *   during an empty one, the properties hold. A cue without a duration holds until the next one
 *   begins; where two overlap the first holds until its end. In a pipeline that is not live each
 *   frame waits for the text of its time, so a demuxer that both come from needs a `queue` before
 *   each pad. A live pipeline never waits: a cue that comes late holds for what is left of its
 *   time.
 *
 * ## Presets
 *
 * * `Live LCM`, `Live FLUX.2 klein`, `Live SD Turbo`, `Live cut-out`, `Live background blur`:
 *   an app each, for a webcam.
 * * `Every frame of a file`, `In sync with sound`, `Never without a picture`: for any app.
 *
 * ## Messages
 *
 * * ERROR and WARNING with details: `http-status`, `close-code`, `error`, `request-id`, `endpoint`,
 *   `attempt`, `retryable`.
 * * INFO: there is no API key; no frame comes; results cannot fade; a property was set that may
 *   only be set in READY.
 * * PROGRESS with the codes `fal-connect`, for connecting, and `fal-model`, for the wait for a
 *   first result.
 * * Element messages: `fal-connection` with the field `state` (#GstFalConnectionState),
 *   `fal-result` with the fields of each result, and `fal-cost` with `cost`, `budget`,
 *   `connected-time` (ns) and `requests`, at each tenth of #GstFalRealtimeFilter:budget.
 * * QOS for frames that were dropped, at most ten a second.
 */
#include "gstfalrealtimefilter.h"

#include "fal/image/decoder.h"
#include <gst/video/video.h>
#include "gstfalalarm.h"
#include "gstfalinput.h"
#include "gstfalmessages.h"
#include "gstfaloutput.h"
#include "gstfalpresets.h"
#include "gstfalprompt.h"
#include "gstfalqos.h"
#include "gstfalsignals.h"
#include "fal/settings/properties.h"
#include "fal/session/session.h"

GST_DEBUG_CATEGORY (fal_realtime_filter_debug);
#define GST_CAT_DEFAULT fal_realtime_filter_debug

struct _GstFalRealtimeFilter {
  GstElement parent;

  /* Guarded by OBJECT_LOCK. */
  FalSettings *settings;
  GstClockTime paused; /* running time of the pause; NONE: it goes on, or there is none */
  gboolean advised;    /* since the start: that a property was set too late */

  GstFalProgress progress; /* belongs to the net thread, and after its end to stop() */

  /* These stay from init to finalize. */
  GstPad *sinkpad, *srcpad;
  FalSession *session; /* has a lock of its own */
  GstFalAlarm *alarm;  /* the same: when the next picture at a constant rate is due */
  GstFalOutput *output;
  GstFalPrompt *prompt;
  GstFalInput *input;
};

G_DEFINE_TYPE_WITH_CODE (GstFalRealtimeFilter, gst_fal_realtime_filter, GST_TYPE_ELEMENT,
    G_IMPLEMENT_INTERFACE (GST_TYPE_PRESET, gst_fal_presets_init))
GST_ELEMENT_REGISTER_DEFINE (
    falrealtimefilter, "falrealtimefilter", GST_RANK_NONE, GST_TYPE_FAL_REALTIME_FILTER)

/* A source that can choose takes the first of them, so the one that is made and encoded fastest
 * comes first. */
#define USUAL_FORMATS "{ I420, NV12, YV12, NV21, YUY2, UYVY, BGRx, RGBx, BGRA, RGBA, BGR, RGB }"

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
        GST_STATIC_CAPS (GST_VIDEO_CAPS_MAKE (USUAL_FORMATS) ";" GST_VIDEO_CAPS_MAKE (
            GST_VIDEO_FORMATS_ALL) "; image/jpeg; image/png; image/webp"));

static GParamSpec *connection_state_spec, *stats_spec, *latency_spec;

/* Properties that can only be read. Their ids follow those of the settings. */
enum { PROP_CONNECTION_STATE, PROP_STATS, PROP_IN, PROP_OUT, PROP_DROP, PROP_IN_FLIGHT };
static guint n_settings; /* properties */

/* ---- called by the session ---- */

static void
on_state_changed (gpointer user, FalDialerState state, const gchar *address)
{
  GstFalRealtimeFilter *self = user;

  GST_INFO_OBJECT (self, "connection: %s", gst_fal_connection_state_get_nick (state));
  gst_fal_post_progress (GST_ELEMENT (self), &self->progress, state, address);
  gst_fal_post_connection (GST_ELEMENT (self), state);
  g_object_notify_by_pspec (G_OBJECT (self), connection_state_spec);
}

static void
on_still (gpointer user, FalDialerState state, guint seconds)
{
  GstFalRealtimeFilter *self = user;

  GST_INFO_OBJECT (
      self, "connection: still %s after %u s", gst_fal_connection_state_get_nick (state), seconds);
  gst_fal_post_still (GST_ELEMENT (self), &self->progress, state, seconds);
}

static void
on_advice (gpointer user, const GError *advice)
{
  GST_INFO_OBJECT (user, "advice: %s", advice->message);
  gst_fal_post_advice (GST_ELEMENT (user), advice);
}

static void
on_trouble (gpointer user, gboolean fatal, const GError *error, GstStructure *details)
{
  GST_INFO_OBJECT (user, "%s: %s", fatal ? "error" : "warning", error->message);
  gst_fal_post_trouble (GST_ELEMENT (user), fatal, error, details);
}

static void
on_cost (gpointer user, const FalCost *cost)
{
  GST_INFO_OBJECT (user, "the stream has cost %g of a budget of %g", cost->cost, cost->limit);
  gst_fal_post_cost (GST_ELEMENT (user), cost);
}

static void
on_note (gpointer user, const gchar *text)
{
  GST_INFO_OBJECT (user, "%s", text);
}

static GstClockTime
get_stream_time (const FalFrame *frame)
{
  if (frame->segment.format != GST_FORMAT_TIME)
    return GST_CLOCK_TIME_NONE;
  return gst_segment_to_stream_time (&frame->segment, GST_FORMAT_TIME, frame->pts);
}

/* Controlled properties take the value they have at the time of the frame. */
static void
on_looking (gpointer user, const FalFrame *frame)
{
  GstClockTime time = get_stream_time (frame);

  if (GST_CLOCK_TIME_IS_VALID (time))
    gst_object_sync_values (GST_OBJECT (user), time);
}

static void
on_sending (gpointer user, const FalFrame *frame, gint64 pause)
{
  GstFalRealtimeFilter *self = user;

  GST_DEBUG_OBJECT (self, "sending the frame of %" GST_TIME_FORMAT, GST_TIME_ARGS (frame->pts));
  on_looking (user, frame);
  gst_fal_throttle (self->sinkpad, frame, pause * GST_USECOND);
}

static void
on_dropped (gpointer user, const FalFrame *frame, const FalSessionCounts *counts)
{
  GstFalRealtimeFilter *self = user;

  gst_fal_post_qos (GST_ELEMENT (self), frame, counts, fal_session_is_live (self->session),
      fal_session_get_latency (self->session));
}

static gboolean
has_encoder (gpointer user)
{
  return gst_fal_has_encoder (user);
}

static GBytes *
encode_message (gpointer user, GstStructure *request, GBytes *image)
{
  return gst_fal_encode_message (user, request, image);
}

static GstStructure *
decode_message (gpointer user, GBytes *message, gboolean text)
{
  return gst_fal_decode_message (user, message, text);
}

static gboolean
has_token_provider (gpointer user)
{
  return gst_fal_has_token_provider (user);
}

static void
request_token (gpointer user, FalTokenPromise *promise)
{
  gst_fal_request_token (user, promise);
}

static gboolean
accept_certificate (gpointer user, GTlsConnection *connection, GTlsCertificate *certificate,
    GTlsCertificateFlags errors)
{
  return gst_fal_accept_certificate (user, connection, certificate, errors);
}

static void
on_call_at (gpointer user, GstClockTime running)
{
  gst_fal_alarm_set (((GstFalRealtimeFilter *) user)->alarm, running);
}

/* On the clock's thread. */
static void
on_alarm (gpointer user)
{
  fal_session_note_tick (((GstFalRealtimeFilter *) user)->session);
}

/* Applications that hear of it have sinks wait accordingly. */
static void
on_latency_changed (gpointer user)
{
  GstFalRealtimeFilter *self = user;

  GST_INFO_OBJECT (self, "results are shown %d ms after their frames from now on",
      fal_session_get_delay (self->session));
  gst_element_post_message (GST_ELEMENT (self), gst_message_new_latency (GST_OBJECT (self)));
  g_object_notify_by_pspec (G_OBJECT (self), latency_spec);
}

/* The clock goes on in a pause, running time does not. */
static GstClockTime
get_running_time (gpointer user)
{
  GstFalRealtimeFilter *self = user;
  GstClockTime paused;

  GST_OBJECT_LOCK (self);
  paused = self->paused;
  GST_OBJECT_UNLOCK (self);
  if (GST_CLOCK_TIME_IS_VALID (paused))
    return paused;
  return gst_element_get_current_running_time (GST_ELEMENT (self));
}

/* The running time at which it stands still from now on; NONE: it goes on. */
static void
note_pause (GstFalRealtimeFilter *self, GstClockTime paused)
{
  GST_OBJECT_LOCK (self);
  self->paused = paused;
  GST_OBJECT_UNLOCK (self);
}

/* ---- called by the source pad's task ---- */

static gboolean
posts_messages (GstFalRealtimeFilter *self)
{
  gboolean posts;

  GST_OBJECT_LOCK (self);
  posts = self->settings->post_messages;
  GST_OBJECT_UNLOCK (self);
  return posts;
}

/* The description stays with the buffer, so the message gets a copy, which the signal shows before:
 * its handlers may only read it. */
static void
on_result (GstElement *element, const GstStructure *description)
{
  GstFalRealtimeFilter *self = GST_FAL_REALTIME_FILTER (element);
  gboolean heard = gst_fal_has_result_handler (element);
  gboolean posts = posts_messages (self);
  g_autoptr (GstStructure) result = NULL;

  if (!heard && !posts)
    return;
  result = gst_structure_copy (description);
  gst_structure_set_name (result, "fal-result");
  if (heard)
    gst_fal_emit_result (element, result);
  if (posts)
    gst_element_post_message (
        element, gst_message_new_element (GST_OBJECT (self), g_steal_pointer (&result)));
}

/* gst-launch-1.0 -v prints what is notified: the statistics, at the end. */
static void
on_ended (GstElement *element)
{
  g_object_notify_by_pspec (G_OBJECT (element), stats_spec);
}

/* ---- the source pad ---- */

static gboolean
src_activate_mode (GstPad *pad, GstObject *parent, GstPadMode mode, gboolean active)
{
  return mode == GST_PAD_MODE_PUSH &&
         gst_fal_output_activate (GST_FAL_REALTIME_FILTER (parent)->output, active);
}

/* Ends here: whatever downstream takes, upstream may send what it sent. */
static gboolean
take_reconfigure (GstFalRealtimeFilter *self, GstEvent *event)
{
  gst_fal_output_relink (self->output);
  gst_event_unref (event);
  return TRUE;
}

/* Where frames drop here, it is the model that results are late of, and newer frames are sent for
 * them: upstream, which may serve others too, would make fewer frames in vain. */
static gboolean
take_qos (GstFalRealtimeFilter *self, GstEvent *event)
{
  if (!fal_session_set_earliest (self->session, gst_fal_read_qos (event)))
    return gst_pad_event_default (self->srcpad, GST_OBJECT (self), event);
  gst_event_unref (event);
  return TRUE;
}

/* No frame of the new place goes on before the text is there, too. @event is taken. */
static gboolean
seek (GstFalRealtimeFilter *self, GstEvent *event)
{
  g_autoptr (GstEvent) again = gst_event_ref (event);
  gboolean sought, flushes;
  GstSeekFlags flags;

  gst_event_parse_seek (event, NULL, NULL, &flags, NULL, NULL, NULL, NULL);
  flushes = (flags & GST_SEEK_FLAG_FLUSH) != 0;
  if (flushes)
    gst_fal_prompt_begin_seek (self->prompt);
  sought = gst_pad_event_default (self->srcpad, GST_OBJECT (self), event);
  if (sought)
    gst_fal_prompt_send_upstream (self->prompt, again);
  if (flushes)
    gst_fal_prompt_end_seek (self->prompt);
  return sought;
}

/* For so long sinks have the results wait. */
static void
take_latency (GstFalRealtimeFilter *self, GstEvent *event)
{
  GstClockTime latency;

  gst_event_parse_latency (event, &latency);
  GST_DEBUG_OBJECT (self, "sinks have results wait for %" GST_TIME_FORMAT, GST_TIME_ARGS (latency));
  fal_session_set_pipeline_latency (self->session, latency);
  gst_fal_prompt_send_upstream (self->prompt, event);
}

/* What goes upstream goes to the frames' pad; the text's gets only what concerns it. */
static GstIterator *
src_iterate_links (GstPad *pad, GstObject *parent)
{
  GstFalRealtimeFilter *self = GST_FAL_REALTIME_FILTER (parent);
  g_auto (GValue) link = G_VALUE_INIT;

  g_value_init (&link, GST_TYPE_PAD);
  g_value_set_object (&link, self->sinkpad);
  return gst_iterator_new_single (GST_TYPE_PAD, &link);
}

static gboolean
src_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstFalRealtimeFilter *self = GST_FAL_REALTIME_FILTER (parent);

  switch (GST_EVENT_TYPE (event)) {
  case GST_EVENT_RECONFIGURE:
    return take_reconfigure (self, event);
  case GST_EVENT_QOS:
    return take_qos (self, event);
  case GST_EVENT_SEEK:
    return seek (self, event);
  case GST_EVENT_LATENCY:
    take_latency (self, event);
    break;
  default:
    break;
  }
  return gst_pad_event_default (pad, parent, event);
}

static gboolean
src_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstFalRealtimeFilter *self = GST_FAL_REALTIME_FILTER (parent);

  switch (GST_QUERY_TYPE (query)) {
  case GST_QUERY_LATENCY:
    return gst_fal_input_answer_latency (self->input, query);
  case GST_QUERY_POSITION:
    return gst_pad_query_default (pad, parent, query) ||
           gst_fal_output_answer_position (self->output, query);
  case GST_QUERY_SEGMENT:
    return gst_fal_output_answer_segment (self->output, query) ||
           gst_pad_query_default (pad, parent, query);
  default:
    return gst_pad_query_default (pad, parent, query);
  }
}

/* ---- the sink pad ---- */

static GstFlowReturn
sink_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  return gst_fal_input_chain (GST_FAL_REALTIME_FILTER (parent)->input, buffer);
}

static gboolean
sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  return gst_fal_input_event (GST_FAL_REALTIME_FILTER (parent)->input, event);
}

static gboolean
sink_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstFalInput *input = GST_FAL_REALTIME_FILTER (parent)->input;

  switch (GST_QUERY_TYPE (query)) {
  case GST_QUERY_ALLOCATION:
    return gst_fal_input_answer_allocation (input, query);
  case GST_QUERY_DRAIN:
    return gst_fal_input_drain (input, query);
  default:
    return gst_pad_query_default (pad, parent, query);
  }
}

/* ---- the element ---- */

/* Whether the application was advised since the start; from now on that is @advised. */
static gboolean
note_advice (GstFalRealtimeFilter *self, gboolean advised)
{
  gboolean before;

  GST_OBJECT_LOCK (self);
  before = self->advised;
  self->advised = advised;
  GST_OBJECT_UNLOCK (self);
  return before;
}

static gboolean
start (GstFalRealtimeFilter *self)
{
  g_autoptr (GError) error = NULL;

  note_advice (self, FALSE);
  if (fal_session_start (self->session, &error)) {
    gst_fal_prompt_start (self->prompt);
    return TRUE;
  }
  on_trouble (self, TRUE, error, NULL);
  return FALSE;
}

static void
stop (GstFalRealtimeFilter *self)
{
  gst_fal_prompt_stop (self->prompt);
  fal_session_stop (self->session);
  gst_fal_alarm_set (self->alarm, GST_CLOCK_TIME_NONE);
  gst_fal_input_clear (self->input);
  gst_fal_output_clear (self->output);
}

static void
wake_waiting (GstFalRealtimeFilter *self)
{
  gst_fal_prompt_stop (self->prompt);
  fal_session_set_flushing (self->session, TRUE);
}

static GstStateChangeReturn
change_state (GstElement *element, GstStateChange transition)
{
  GstFalRealtimeFilter *self = GST_FAL_REALTIME_FILTER (element);
  GstStateChangeReturn result;

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !start (self))
    return GST_STATE_CHANGE_FAILURE;
  /* Threads that wait are woken before the pads are deactivated. */
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    wake_waiting (self);
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED)
    note_pause (self, 0); /* the clock's base may be that of an earlier run */
  else if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED)
    note_pause (self, gst_element_get_current_running_time (element));
  else if (transition != GST_STATE_CHANGE_PAUSED_TO_PAUSED)
    note_pause (self, GST_CLOCK_TIME_NONE);
  gst_fal_alarm_set_playing (self->alarm, transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING ||
                                              transition == GST_STATE_CHANGE_PLAYING_TO_PLAYING);
  result =
      GST_ELEMENT_CLASS (gst_fal_realtime_filter_parent_class)->change_state (element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY ||
      (transition == GST_STATE_CHANGE_READY_TO_PAUSED && result == GST_STATE_CHANGE_FAILURE))
    stop (self);
  return result;
}

/* A secret is not shown, and what a controller sets for each frame is not logged. */
static void
log_property (GstFalRealtimeFilter *self, const GValue *value, GParamSpec *spec)
{
  g_autoptr (GstControlBinding) controller = NULL;
  g_autofree gchar *text = NULL;

  if (GST_STATE (self) <= GST_STATE_READY ||
      gst_debug_category_get_threshold (fal_realtime_filter_debug) < GST_LEVEL_INFO)
    return;
  controller = gst_object_get_control_binding (GST_OBJECT (self), spec->name);
  if (controller != NULL)
    return;
  text = spec->flags & G_PARAM_READABLE ? g_strdup_value_contents (value) : g_strdup ("(secret)");
  GST_INFO_OBJECT (self, "%s is set to %s", spec->name, text);
}

/* @value NULL: as if it had never been set. */
static void
change_settings (GstFalRealtimeFilter *self, guint id, const GValue *value)
{
  g_autoptr (FalSettings) next = NULL;
  g_autoptr (FalSettings) old = NULL;

  GST_OBJECT_LOCK (self);
  old = self->settings;
  self->settings = value ? fal_settings_with (old, id, value) : fal_settings_without (old, id);
  next = fal_settings_ref (self->settings);
  GST_OBJECT_UNLOCK (self);
  if (fal_session_update (self->session, next))
    gst_element_post_message (GST_ELEMENT (self), gst_message_new_latency (GST_OBJECT (self)));
}

static gboolean
is_another (GstFalRealtimeFilter *self, const GValue *value, GParamSpec *spec)
{
  g_auto (GValue) old = G_VALUE_INIT;

  g_value_init (&old, G_PARAM_SPEC_VALUE_TYPE (spec));
  GST_OBJECT_LOCK (self);
  fal_properties_get (self->settings, spec->param_id, &old);
  GST_OBJECT_UNLOCK (self);
  return g_param_values_cmp (spec, &old, value) != 0;
}

/* What a connection is made for does not change with a property; once is enough to say so. */
static void
advise_ready (GstFalRealtimeFilter *self, const GValue *value, GParamSpec *spec)
{
  g_autoptr (GError) advice = NULL;

  if (GST_STATE (self) <= GST_STATE_READY || !(spec->flags & GST_PARAM_MUTABLE_READY) ||
      !is_another (self, value, spec) || note_advice (self, TRUE))
    return;
  advice = g_error_new (G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
      "%s was set while the element runs, and may take effect in part or not at all. Set it in "
      "READY or NULL; it holds from the next start on.",
      spec->name);
  GST_WARNING_OBJECT (self, "%s", advice->message);
  gst_fal_post_advice (GST_ELEMENT (self), advice);
}

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  GstFalRealtimeFilter *self = GST_FAL_REALTIME_FILTER (object);

  log_property (self, value, spec);
  advise_ready (self, value, spec);
  change_settings (self, id, value);
}

/* After all that one g_object_set() sets is set: only then it is known what belongs together. */
static void
notify (GObject *object, GParamSpec *spec)
{
  guint id = spec->owner_type == GST_TYPE_FAL_REALTIME_FILTER ? spec->param_id : 0;

  if (id > 0 && id <= n_settings && (fal_properties_get_concerns (id) & FAL_CONCERN_BUDGET) != 0)
    fal_session_check_budget (GST_FAL_REALTIME_FILTER (object)->session);
}

static guint64
get_count (GstFalRealtimeFilter *self, guint property)
{
  FalSessionCounts counts;

  fal_session_get_counts (self->session, &counts);
  switch (property) {
  case PROP_IN:
    return counts.in;
  case PROP_OUT:
    return counts.out;
  case PROP_DROP:
    return counts.dropped;
  default:
    return counts.in_flight;
  }
}

static void
get_setting (GstFalRealtimeFilter *self, guint id, GValue *value, const GParamSpec *spec)
{
  gint delay = spec == latency_spec ? fal_session_get_delay (self->session) : -1;

  GST_OBJECT_LOCK (self);
  fal_properties_get (self->settings, id, value);
  GST_OBJECT_UNLOCK (self);
  if (delay >= 0)
    g_value_set_int (value, delay);
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  GstFalRealtimeFilter *self = GST_FAL_REALTIME_FILTER (object);

  if (id <= n_settings) {
    get_setting (self, id, value, spec);
    return;
  }
  switch (id - n_settings - 1) {
  case PROP_CONNECTION_STATE:
    g_value_set_enum (value, fal_session_get_state (self->session));
    break;
  case PROP_STATS:
    g_value_take_boxed (value, fal_session_get_stats (self->session));
    break;
  default:
    g_value_set_uint64 (value, get_count (self, id - n_settings - 1));
    break;
  }
}

/* ---- the prompt pad ---- */

static GstPad *
request_new_pad (
    GstElement *element, GstPadTemplate *template, const gchar *name, const GstCaps *caps)
{
  return gst_fal_prompt_request_pad (GST_FAL_REALTIME_FILTER (element)->prompt, template);
}

static void
release_pad (GstElement *element, GstPad *pad)
{
  gst_fal_prompt_release_pad (GST_FAL_REALTIME_FILTER (element)->prompt);
}

/* ---- actions ---- */

static gboolean
action_send (GstElement *element, const GstStructure *parameters)
{
  return fal_session_send_now (GST_FAL_REALTIME_FILTER (element)->session, parameters);
}

/* Only the ids of its own properties are those of the settings. */
static gboolean
action_unset (GstElement *element, const gchar *property)
{
  GParamSpec *spec =
      property ? g_object_class_find_property (G_OBJECT_GET_CLASS (element), property) : NULL;

  if (spec == NULL || spec->owner_type != GST_TYPE_FAL_REALTIME_FILTER ||
      !fal_properties_is_input (spec->param_id))
    return FALSE;
  GST_INFO_OBJECT (element, "%s is not set any more", spec->name);
  change_settings (GST_FAL_REALTIME_FILTER (element), spec->param_id, NULL);
  g_object_notify_by_pspec (G_OBJECT (element), spec);
  return TRUE;
}

static void
action_reconnect (GstElement *element)
{
  fal_session_close (GST_FAL_REALTIME_FILTER (element)->session, TRUE);
}

static void
action_clear (GstElement *element)
{
  fal_session_clear (GST_FAL_REALTIME_FILTER (element)->session);
}

static void
action_close (GstElement *element)
{
  fal_session_close (GST_FAL_REALTIME_FILTER (element)->session, FALSE);
}

static void
action_reset_stats (GstElement *element)
{
  fal_session_reset_stats (GST_FAL_REALTIME_FILTER (element)->session);
}

/* ---- life ---- */

static gpointer
end_running (gpointer data)
{
  gst_element_set_state (data, GST_STATE_NULL);
  gst_object_unref (data);
  return NULL;
}

/* An application that gives up the last reference to a running element is told that this is an
 * error. The caller may then be the pad's task, which cannot join itself: so another thread takes
 * the element to the NULL state, and the element lives until then. */
static void
dispose (GObject *object)
{
  GstState state = GST_STATE (object);
  GThread *thread;

  if (state > GST_STATE_READY) {
    g_critical ("%s is let go of in state %s instead of the NULL state: set it to NULL first",
        GST_OBJECT_NAME (object), gst_element_state_get_name (state));
    thread = g_thread_try_new ("fal-end", end_running, g_object_ref (object), NULL);
    g_clear_pointer (
        &thread, g_thread_unref); /* without one the element lives, and runs, for good */
    return;
  }
  G_OBJECT_CLASS (gst_fal_realtime_filter_parent_class)->dispose (object);
}

static void
finalize (GObject *object)
{
  GstFalRealtimeFilter *self = GST_FAL_REALTIME_FILTER (object);

  gst_fal_input_free (self->input);
  gst_fal_prompt_free (self->prompt);
  gst_fal_output_free (self->output);
  gst_fal_alarm_free (self->alarm);
  fal_session_free (self->session);
  fal_settings_unref (self->settings);
  G_OBJECT_CLASS (gst_fal_realtime_filter_parent_class)->finalize (object);
}

static void
gst_fal_realtime_filter_init (GstFalRealtimeFilter *self)
{
  static const FalSessionEvents session_events = {
    .state_changed = on_state_changed,
    .still = on_still,
    .advice = on_advice,
    .trouble = on_trouble,
    .cost = on_cost,
    .note = on_note,
    .sending = on_sending,
    .looking = on_looking,
    .dropped = on_dropped,
    .has_encoder = has_encoder,
    .encode = encode_message,
    .decode = decode_message,
    .has_provider = has_token_provider,
    .request_token = request_token,
    .accept_certificate = accept_certificate,
    .call_at = on_call_at,
    .latency_changed = on_latency_changed,
    .get_running_time = get_running_time,
  };
  static const GstFalOutputEvents output_events = {
    .result = on_result,
    .ended = on_ended,
  };

  self->paused = GST_CLOCK_TIME_NONE;
  self->settings = fal_settings_new ();
  self->session = fal_session_new (&session_events, self, self->settings);
  self->alarm = gst_fal_alarm_new (GST_ELEMENT (self), on_alarm, self);

  self->sinkpad = gst_pad_new_from_static_template (&sink_template, "sink");
  gst_pad_set_chain_function (self->sinkpad, sink_chain);
  gst_pad_set_event_function (self->sinkpad, sink_event);
  gst_pad_set_query_function (self->sinkpad, sink_query);
  gst_element_add_pad (GST_ELEMENT (self), self->sinkpad);

  self->srcpad = gst_pad_new_from_template (
      gst_element_class_get_pad_template (GST_ELEMENT_GET_CLASS (self), "src"), "src");
  gst_pad_set_activatemode_function (self->srcpad, src_activate_mode);
  gst_pad_set_event_function (self->srcpad, src_event);
  gst_pad_set_query_function (self->srcpad, src_query);
  gst_pad_set_iterate_internal_links_function (self->srcpad, src_iterate_links);
  gst_element_add_pad (GST_ELEMENT (self), self->srcpad);
  self->output =
      gst_fal_output_new (GST_ELEMENT (self), self->srcpad, self->session, &output_events);
  self->prompt = gst_fal_prompt_new (GST_ELEMENT (self), self->session);
  self->input = gst_fal_input_new (self->sinkpad, self->session, self->output, self->prompt);
}

/**
 * GstFalRealtimeFilter:connection-state:
 *
 * What the connection is doing, such as `connecting` or `connected`. Changes are notified on a
 * thread of the element's, and told by an element message `fal-connection`.
 */
/**
 * GstFalRealtimeFilter:stats:
 *
 * All counts and times, as a structure `application/x-fal-realtime-stats`: `frames-in`,
 * `frames-sent`, `answered`, `dropped-throttled`, `round-trip-p50`, `age-p95` and more; the README
 * lists them. It may be read at any time, on any thread.
 */
/**
 * GstFalRealtimeFilter:in:
 *
 * The field `frames-in` of #GstFalRealtimeFilter:stats.
 */
/**
 * GstFalRealtimeFilter:out:
 *
 * The field `frames-out` of #GstFalRealtimeFilter:stats.
 */
/**
 * GstFalRealtimeFilter:drop:
 *
 * The frames that were dropped before they were sent, for whatever reason;
 * #GstFalRealtimeFilter:stats has each reason for itself.
 */
/**
 * GstFalRealtimeFilter:in-flight:
 *
 * The field `in-flight` of #GstFalRealtimeFilter:stats.
 */
static void
install_read_only_properties (GObjectClass *klass)
{
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;
  static const struct {
    guint property;
    const gchar *name, *nick, *blurb;
  } counts[] = {
    { PROP_IN, "in", "In", "Frames that came in" },
    { PROP_OUT, "out", "Out", "Results that went out" },
    { PROP_DROP, "drop", "Drop", "Frames that were dropped before they were sent" },
    { PROP_IN_FLIGHT, "in-flight", "In flight", "Requests that have no answer yet" },
  };
  guint base = n_settings + 1;

  gst_type_mark_as_plugin_api (GST_TYPE_FAL_CONNECTION_STATE, 0);
  connection_state_spec = g_param_spec_enum ("connection-state", "Connection state",
      "State of the connection", GST_TYPE_FAL_CONNECTION_STATE, FAL_DIALER_IDLE, flags);
  g_object_class_install_property (klass, base + PROP_CONNECTION_STATE, connection_state_spec);
  stats_spec = g_param_spec_boxed ("stats", "Statistics",
      "Counts and durations, as application/x-fal-realtime-stats; notified at the end of the "
      "stream",
      GST_TYPE_STRUCTURE, flags);
  g_object_class_install_property (klass, base + PROP_STATS, stats_spec);
  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    g_object_class_install_property (klass, base + counts[i].property,
        g_param_spec_uint64 (
            counts[i].name, counts[i].nick, counts[i].blurb, 0, G_MAXUINT64, 0, flags));
}

static void
gst_fal_realtime_filter_class_init (GstFalRealtimeFilterClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  g_autoptr (GstCaps) src_caps = fal_decoder_get_caps ();
  const GstFalActions actions = {
    .send = action_send,
    .unset = action_unset,
    .reconnect = action_reconnect,
    .clear = action_clear,
    .close = action_close,
    .reset_stats = action_reset_stats,
  };

  GST_DEBUG_CATEGORY_INIT (
      fal_realtime_filter_debug, "falrealtimefilter", 0, "fal.ai realtime filter");
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->notify = notify;
  object_class->dispose = dispose;
  object_class->finalize = finalize;
  n_settings = fal_properties_install (object_class);
  latency_spec = g_object_class_find_property (object_class, "latency");
  install_read_only_properties (object_class);
  gst_fal_signals_install (G_TYPE_FROM_CLASS (klass), &actions);

  element_class->change_state = change_state;
  element_class->request_new_pad = request_new_pad;
  element_class->release_pad = release_pad;
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_pad_template (
      element_class, gst_pad_template_new ("src", GST_PAD_SRC, GST_PAD_ALWAYS, src_caps));
  gst_element_class_add_pad_template (element_class, gst_fal_prompt_make_template ());
  gst_element_class_set_static_metadata (element_class, "fal.ai realtime filter",
      "Filter/Effect/Video/Network",
      "Sends video frames to a realtime image model of fal.ai and puts out its pictures",
      "The gst-fal authors");
}
