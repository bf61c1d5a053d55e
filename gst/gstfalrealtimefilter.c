/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-falrealtimefilter
 * @title: falrealtimefilter
 *
 * Sends video frames to a realtime model of fal.ai over one WebSocket and puts out
 * the pictures that the model answers with. The freshest frames travel, spaced by
 * #GstFalRealtimeFilter:throttle-interval; in a pipeline that is not live no frame
 * is lost.
 *
 * ## Example launch line
 * |[
 * FAL_KEY=… gst-launch-1.0 v4l2src ! videoconvert ! falrealtimefilter \
 *     app=fal-ai/fast-lcm-diffusion prompt="a watercolour" ! videoconvert ! autovideosink
 * ]|
 */
#include "gstfalrealtimefilter.h"

#include "fal/image/decoder.h"
#include <gst/video/video.h>
#include "gstfalinput.h"
#include "gstfalmessages.h"
#include "gstfaloutput.h"
#include "gstfalpresets.h"
#include "gstfalqos.h"
#include "gstfalsignals.h"
#include "fal/settings/properties.h"
#include "fal/session/session.h"

GST_DEBUG_CATEGORY (fal_realtime_filter_debug);
#define GST_CAT_DEFAULT fal_realtime_filter_debug

struct _GstFalRealtimeFilter {
  GstElement parent;

  FalSettings *settings; /* guarded by OBJECT_LOCK */
  gboolean progressing;  /* a PROGRESS message says that connecting has begun; belongs to the net
                            thread, and after its end to stop() */

  /* These stay from init to finalize. */
  GstPad *sinkpad, *srcpad;
  FalSession *session; /* has a lock of its own */
  GstFalOutput *output;
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

static GParamSpec *connection_state_spec, *stats_spec;

/* Properties that can only be read. Their ids follow those of the settings. */
enum { PROP_CONNECTION_STATE, PROP_STATS, PROP_IN, PROP_OUT, PROP_DROP, PROP_IN_FLIGHT };
static guint n_settings; /* properties */

/* ---- called by the session ---- */

static void
on_state_changed (gpointer user, FalDialerState state)
{
  GstFalRealtimeFilter *self = user;

  GST_INFO_OBJECT (self, "connection: %s", gst_fal_connection_state_get_nick (state));
  self->progressing = gst_fal_post_progress (GST_ELEMENT (self), state, self->progressing);
  gst_fal_post_connection (GST_ELEMENT (self), state);
  g_object_notify_by_pspec (G_OBJECT (self), connection_state_spec);
}

static void
on_trouble (gpointer user, gboolean fatal, const GError *error, GstStructure *details)
{
  GST_INFO_OBJECT (user, "%s: %s", fatal ? "error" : "warning", error->message);
  gst_fal_post_trouble (GST_ELEMENT (user), fatal, error, details);
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
on_sending (gpointer user, const FalFrame *frame, gint64 pause)
{
  GstFalRealtimeFilter *self = user;
  GstClockTime time = get_stream_time (frame);

  GST_DEBUG_OBJECT (self, "sending the frame of %" GST_TIME_FORMAT, GST_TIME_ARGS (frame->pts));
  if (GST_CLOCK_TIME_IS_VALID (time))
    gst_object_sync_values (GST_OBJECT (self), time);
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

static GstClockTime
get_running_time (gpointer user)
{
  return gst_element_get_current_running_time (GST_ELEMENT (user));
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

static gboolean
src_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstFalRealtimeFilter *self = GST_FAL_REALTIME_FILTER (parent);

  if (GST_EVENT_TYPE (event) == GST_EVENT_RECONFIGURE)
    gst_fal_output_relink (self->output);
  if (GST_EVENT_TYPE (event) == GST_EVENT_QOS)
    fal_session_set_earliest (self->session, gst_fal_read_qos (event));
  return gst_pad_event_default (pad, parent, event);
}

static gboolean
src_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  if (GST_QUERY_TYPE (query) == GST_QUERY_LATENCY)
    return gst_fal_input_answer_latency (GST_FAL_REALTIME_FILTER (parent)->input, query);
  return gst_pad_query_default (pad, parent, query);
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
  if (GST_QUERY_TYPE (query) != GST_QUERY_ALLOCATION)
    return gst_pad_query_default (pad, parent, query);
  /* Frames are read through their video meta, whatever their strides. */
  gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
  return TRUE;
}

/* ---- the element ---- */

static gboolean
start (GstFalRealtimeFilter *self)
{
  g_autoptr (GError) error = NULL;

  if (fal_session_start (self->session, &error))
    return TRUE;
  on_trouble (self, TRUE, error, NULL);
  return FALSE;
}

static void
stop (GstFalRealtimeFilter *self)
{
  fal_session_stop (self->session);
  gst_fal_input_clear (self->input);
  gst_fal_output_clear (self->output);
}

static GstStateChangeReturn
change_state (GstElement *element, GstStateChange transition)
{
  GstFalRealtimeFilter *self = GST_FAL_REALTIME_FILTER (element);
  GstStateChangeReturn result;

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !start (self))
    return GST_STATE_CHANGE_FAILURE;
  /* Threads that wait in the session are woken before the pads are deactivated. */
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    fal_session_set_flushing (self->session, TRUE);
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

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  GstFalRealtimeFilter *self = GST_FAL_REALTIME_FILTER (object);
  g_autoptr (FalSettings) next = NULL;
  g_autoptr (FalSettings) old = NULL;

  log_property (self, value, spec);
  GST_OBJECT_LOCK (self);
  old = self->settings;
  self->settings = fal_settings_with (old, id, value);
  next = fal_settings_ref (self->settings);
  GST_OBJECT_UNLOCK (self);
  if (fal_session_update (self->session, next))
    gst_element_post_message (GST_ELEMENT (self), gst_message_new_latency (GST_OBJECT (self)));
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
get_property (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  GstFalRealtimeFilter *self = GST_FAL_REALTIME_FILTER (object);

  if (id <= n_settings) {
    GST_OBJECT_LOCK (self);
    fal_properties_get (self->settings, id, value);
    GST_OBJECT_UNLOCK (self);
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

/* ---- actions ---- */

static gboolean
action_send (GstElement *element, const GstStructure *parameters)
{
  return fal_session_send_now (GST_FAL_REALTIME_FILTER (element)->session, parameters);
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

  if (state > GST_STATE_READY) {
    g_critical ("%s is let go of in state %s instead of the NULL state: set it to NULL first",
        GST_OBJECT_NAME (object), gst_element_state_get_name (state));
    g_thread_unref (g_thread_new ("fal-end", end_running, g_object_ref (object)));
    return;
  }
  G_OBJECT_CLASS (gst_fal_realtime_filter_parent_class)->dispose (object);
}

static void
finalize (GObject *object)
{
  GstFalRealtimeFilter *self = GST_FAL_REALTIME_FILTER (object);

  gst_fal_input_free (self->input);
  gst_fal_output_free (self->output);
  fal_session_free (self->session);
  fal_settings_unref (self->settings);
  G_OBJECT_CLASS (gst_fal_realtime_filter_parent_class)->finalize (object);
}

static void
gst_fal_realtime_filter_init (GstFalRealtimeFilter *self)
{
  static const FalSessionEvents session_events = {
    .state_changed = on_state_changed,
    .trouble = on_trouble,
    .note = on_note,
    .sending = on_sending,
    .dropped = on_dropped,
    .has_encoder = has_encoder,
    .encode = encode_message,
    .decode = decode_message,
    .has_provider = has_token_provider,
    .request_token = request_token,
    .accept_certificate = accept_certificate,
    .get_running_time = get_running_time,
  };
  static const GstFalOutputEvents output_events = {
    .result = on_result,
    .ended = on_ended,
  };

  self->settings = fal_settings_new ();
  self->session = fal_session_new (&session_events, self, self->settings);

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
  gst_element_add_pad (GST_ELEMENT (self), self->srcpad);
  self->output =
      gst_fal_output_new (GST_ELEMENT (self), self->srcpad, self->session, &output_events);
  self->input = gst_fal_input_new (self->sinkpad, self->session, self->output);
}

static void
install_read_only_properties (GObjectClass *klass)
{
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;
  static const struct {
    guint property;
    const gchar *name, *nick, *blurb;
  } counts[] = {
    { PROP_IN, "in", "In", "Frames taken" },
    { PROP_OUT, "out", "Out", "Results put out" },
    { PROP_DROP, "drop", "Drop", "Frames dropped before they were sent" },
    { PROP_IN_FLIGHT, "in-flight", "In flight", "Requests without an answer yet" },
  };
  guint base = n_settings + 1;

  gst_type_mark_as_plugin_api (GST_TYPE_FAL_CONNECTION_STATE, 0);
  connection_state_spec = g_param_spec_enum ("connection-state", "Connection state",
      "What the connection is doing", GST_TYPE_FAL_CONNECTION_STATE, FAL_DIALER_IDLE, flags);
  g_object_class_install_property (klass, base + PROP_CONNECTION_STATE, connection_state_spec);
  stats_spec = g_param_spec_boxed ("stats", "Statistics",
      "application/x-fal-realtime-stats: counts, and durations in ms; notified at the end",
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
    .reconnect = action_reconnect,
    .clear = action_clear,
    .close = action_close,
    .reset_stats = action_reset_stats,
  };

  GST_DEBUG_CATEGORY_INIT (
      fal_realtime_filter_debug, "falrealtimefilter", 0, "fal.ai realtime filter");
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->dispose = dispose;
  object_class->finalize = finalize;
  n_settings = fal_properties_install (object_class);
  install_read_only_properties (object_class);
  gst_fal_signals_install (G_TYPE_FROM_CLASS (klass), &actions);

  element_class->change_state = change_state;
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_pad_template (
      element_class, gst_pad_template_new ("src", GST_PAD_SRC, GST_PAD_ALWAYS, src_caps));
  gst_element_class_set_static_metadata (element_class, "fal.ai realtime filter",
      "Filter/Effect/Video/Network", "Turns video into a generative model's pictures of it",
      "The gst-fal authors");
}
