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
#include "gstfalmessages.h"
#include "fal/properties.h"
#include "fal/session.h"

GST_DEBUG_CATEGORY_STATIC (fal_realtime_filter_debug);
#define GST_CAT_DEFAULT fal_realtime_filter_debug

struct _GstFalRealtimeFilter {
  GstElement parent;

  GstPad *sinkpad, *srcpad;
  gboolean progressing;  /* net thread, and stop() after it: a PROGRESS is open */
  FalSession *session;   /* from init to finalize; locks for itself */
  FalSettings *settings; /* OBJECT_LOCK */

  /* sink pad's streaming thread */
  GstCaps *sink_caps;
  GstSegment segment;
  gboolean live_known;

  GMutex task_lock;      /* taken before all others */
  gboolean task_allowed; /* task_lock; the source pad is active */

  /* source pad's task, or nobody while it does not run */
  GstCaps *allowed;  /* what downstream takes; NULL: to be asked */
  GstCaps *src_caps; /* sent downstream; NULL: none yet */
  GQueue held;       /* events that may not go before the caps */
};

G_DEFINE_TYPE (GstFalRealtimeFilter, gst_fal_realtime_filter, GST_TYPE_ELEMENT)
GST_ELEMENT_REGISTER_DEFINE (
    falrealtimefilter, "falrealtimefilter", GST_RANK_NONE, GST_TYPE_FAL_REALTIME_FILTER)

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
        GST_STATIC_CAPS (
            GST_VIDEO_CAPS_MAKE (GST_VIDEO_FORMATS_ALL) "; image/jpeg; image/png; image/webp"));

static GParamSpec *connection_state_spec, *stats_spec;

/* Behind those of the settings. */
enum { PROP_CONNECTION_STATE, PROP_STATS, PROP_IN, PROP_OUT, PROP_DROP, PROP_IN_FLIGHT };
static guint n_settings;

/* ---- what the session tells ---- */

static void
on_state_changed (gpointer user, FalDialerState state)
{
  GstFalRealtimeFilter *self = user;

  GST_INFO_OBJECT (self, "connection: %s", gst_fal_connection_state_get_nick (state));
  self->progressing = gst_fal_post_progress (GST_ELEMENT (self), state, self->progressing);
  g_object_notify_by_pspec (G_OBJECT (self), connection_state_spec);
}

static void
on_trouble (gpointer user, gboolean fatal, const GError *error, GstStructure *details)
{
  gst_fal_post_trouble (GST_ELEMENT (user), fatal, error, details);
}

/* Controlled properties take the value they have at the time of the frame. */
static void
on_sending (gpointer user, GstSample *frame)
{
  const GstSegment *segment = gst_sample_get_segment (frame);
  GstClockTime pts = GST_BUFFER_PTS (gst_sample_get_buffer (frame));
  GstClockTime time;

  if (segment->format != GST_FORMAT_TIME)
    return;
  time = gst_segment_to_stream_time (segment, GST_FORMAT_TIME, pts);
  if (GST_CLOCK_TIME_IS_VALID (time))
    gst_object_sync_values (GST_OBJECT (user), time);
}

static GstClockTime
get_running_time (gpointer user)
{
  return gst_element_get_current_running_time (GST_ELEMENT (user));
}

/* ---- the source pad ---- */

static gboolean
precedes_caps (GstEvent *event)
{
  return GST_EVENT_TYPE (event) == GST_EVENT_STREAM_START;
}

static void
push_held (GstFalRealtimeFilter *self)
{
  GstEvent *event;

  while ((event = g_queue_pop_head (&self->held)))
    gst_pad_push_event (self->srcpad, event);
}

/* Sticky events have an order, and the caps are known with the first result only. */
static void
push_event (GstFalRealtimeFilter *self, GstEvent *event)
{
  gboolean eos = GST_EVENT_TYPE (event) == GST_EVENT_EOS;

  if (self->src_caps == NULL && !precedes_caps (event) && !eos) {
    g_queue_push_tail (&self->held, event);
    return;
  }
  if (eos) {
    GST_INFO_OBJECT (self, "end of stream");
    push_held (self);
    /* What gst-launch-1.0 -v shows at the end. */
    g_object_notify_by_pspec (G_OBJECT (self), stats_spec);
  }
  gst_pad_push_event (self->srcpad, event);
}

static void
set_caps (GstFalRealtimeFilter *self, GstCaps *caps)
{
  if (self->src_caps && gst_caps_is_equal (self->src_caps, caps))
    return;
  GST_INFO_OBJECT (self, "results are %" GST_PTR_FORMAT, caps);
  gst_caps_replace (&self->src_caps, caps);
  gst_pad_push_event (self->srcpad, gst_event_new_caps (caps));
  push_held (self);
}

/* What downstream takes is asked again only where it says that it changed. */
static GstCaps *
get_allowed (GstFalRealtimeFilter *self)
{
  if (gst_pad_check_reconfigure (self->srcpad))
    gst_clear_caps (&self->allowed);
  if (self->allowed == NULL) {
    g_autoptr (GstCaps) template = gst_pad_get_pad_template_caps (self->srcpad);

    self->allowed = gst_pad_peer_query_caps (self->srcpad, template);
  }
  return self->allowed;
}

/* @error: downstream takes nothing that the result can become. */
static GstFlowReturn
push_result (GstFalRealtimeFilter *self, FalResult *result, GError **error)
{
  g_autoptr (GstSample) sample =
      fal_session_render (self->session, result, get_allowed (self), error);
  GstBuffer *buffer;
  GstFlowReturn flow;

  if (*error)
    return GST_FLOW_NOT_NEGOTIATED;
  if (sample == NULL)
    return GST_FLOW_OK;
  set_caps (self, gst_sample_get_caps (sample));
  buffer = gst_buffer_ref (gst_sample_get_buffer (sample));
  g_clear_pointer (&sample, gst_sample_unref); /* so that downstream gets a writable buffer */
  flow = gst_pad_push (self->srcpad, buffer);
  if (flow == GST_FLOW_OK)
    fal_session_note_pushed (self->session);
  return flow;
}

/* Downstream ended the flow, and no more frames from upstream will carry that back to it. */
static void
report_flow (GstFalRealtimeFilter *self, GstFlowReturn flow)
{
  GST_ELEMENT_FLOW_ERROR (self, flow);
  gst_pad_push_event (self->srcpad, gst_event_new_eos ());
}

static void
handle_result (GstFalRealtimeFilter *self, FalResult *result)
{
  g_autoptr (GError) error = NULL;
  GstFlowReturn flow = push_result (self, result, &error);

  if (flow == GST_FLOW_OK)
    return;
  GST_INFO_OBJECT (self, "downstream returned %s", gst_flow_get_name (flow));
  if (error)
    GST_ELEMENT_ERROR (self, CORE, NEGOTIATION, ("%s", error->message), (NULL));
  if (!fal_session_stop_flow (self->session, flow, error != NULL))
    report_flow (self, flow);
}

static void
src_loop (gpointer user)
{
  GstFalRealtimeFilter *self = user;
  GstEvent *event;
  FalResult *result;

  if (!fal_session_pull (self->session, &event, &result))
    gst_pad_pause_task (self->srcpad);
  else if (event)
    push_event (self, event);
  else
    handle_result (self, result);
}

/* Lets results flow and the task run, where the pad is active: a flush may end while the pad is
 * taken down. */
static gboolean
resume (GstFalRealtimeFilter *self)
{
  gboolean started = FALSE;

  g_mutex_lock (&self->task_lock);
  if (self->task_allowed) {
    fal_session_set_flushing (self->session, FALSE);
    started = gst_pad_start_task (self->srcpad, src_loop, self, NULL);
  }
  g_mutex_unlock (&self->task_lock);
  return started;
}

static gboolean
src_activate_mode (GstPad *pad, GstObject *parent, GstPadMode mode, gboolean active)
{
  GstFalRealtimeFilter *self = GST_FAL_REALTIME_FILTER (parent);

  if (mode != GST_PAD_MODE_PUSH)
    return FALSE;
  g_mutex_lock (&self->task_lock);
  self->task_allowed = active;
  if (!active)
    fal_session_set_flushing (self->session, TRUE);
  g_mutex_unlock (&self->task_lock);
  return active ? resume (self) : gst_pad_stop_task (pad);
}

/* Linked anew, after a downstream that was not: as queue does. */
static gboolean
src_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstFalRealtimeFilter *self = GST_FAL_REALTIME_FILTER (parent);

  if (GST_EVENT_TYPE (event) == GST_EVENT_RECONFIGURE) {
    g_mutex_lock (&self->task_lock);
    if (self->task_allowed && fal_session_resume_flow (self->session))
      gst_pad_start_task (self->srcpad, src_loop, self, NULL);
    g_mutex_unlock (&self->task_lock);
  }
  return gst_pad_event_default (pad, parent, event);
}

/* Upstream's latency, and ours where the pipeline is live. Whether it is goes to the session: this
 * is where it becomes known. */
static gboolean
learn_latency (GstFalRealtimeFilter *self, GstQuery *query)
{
  gboolean live;
  GstClockTime least, most, ours;

  if (!gst_pad_peer_query (self->sinkpad, query))
    return FALSE;
  gst_query_parse_latency (query, &live, &least, &most);
  fal_session_set_live (self->session, live);
  ours = fal_session_get_latency (self->session);
  least += ours;
  if (GST_CLOCK_TIME_IS_VALID (most))
    most = MAX (most + ours, least);
  gst_query_set_latency (query, live, least, most);
  return TRUE;
}

static gboolean
src_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  if (GST_QUERY_TYPE (query) == GST_QUERY_LATENCY)
    return learn_latency (GST_FAL_REALTIME_FILTER (parent), query);
  return gst_pad_query_default (pad, parent, query);
}

/* ---- the sink pad ---- */

static void
find_out_whether_live (GstFalRealtimeFilter *self)
{
  g_autoptr (GstQuery) query = gst_query_new_latency ();

  if (self->live_known)
    return;
  self->live_known = TRUE;
  learn_latency (self, query);
}

static GstFlowReturn
sink_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstFalRealtimeFilter *self = GST_FAL_REALTIME_FILTER (parent);
  GstSample *frame;

  if (self->sink_caps == NULL) {
    gst_buffer_unref (buffer);
    return GST_FLOW_NOT_NEGOTIATED;
  }
  find_out_whether_live (self);
  frame = gst_sample_new (buffer, self->sink_caps, &self->segment, NULL);
  gst_buffer_unref (buffer);
  return fal_session_push (self->session, frame);
}

static gboolean
start_flush (GstFalRealtimeFilter *self, GstEvent *event)
{
  gboolean forwarded = gst_pad_push_event (self->srcpad, event);

  fal_session_set_flushing (self->session, TRUE);
  gst_pad_pause_task (self->srcpad);
  return forwarded;
}

/* The task is at rest: what it owns may be touched. */
static gboolean
stop_flush (GstFalRealtimeFilter *self, GstEvent *event)
{
  gboolean forwarded = gst_pad_push_event (self->srcpad, event);

  for (GList *l = self->held.head, *next; l != NULL; l = next) {
    next = l->next;
    if (GST_EVENT_TYPE (l->data) != GST_EVENT_SEGMENT && GST_EVENT_IS_STICKY (l->data))
      continue;
    gst_event_unref (l->data);
    g_queue_delete_link (&self->held, l);
  }
  gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
  resume (self);
  return forwarded;
}

static gboolean
sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstFalRealtimeFilter *self = GST_FAL_REALTIME_FILTER (parent);
  GstCaps *caps;

  switch (GST_EVENT_TYPE (event)) {
  case GST_EVENT_FLUSH_START:
    return start_flush (self, event);
  case GST_EVENT_FLUSH_STOP:
    return stop_flush (self, event);
  case GST_EVENT_CAPS: /* ours come with the results */
    gst_event_parse_caps (event, &caps);
    gst_caps_replace (&self->sink_caps, caps);
    gst_event_unref (event);
    return TRUE;
  case GST_EVENT_SEGMENT:
    gst_event_copy_segment (event, &self->segment);
    break;
  case GST_EVENT_STREAM_START:
    self->live_known = FALSE;
    break;
  default:
    break;
  }
  if (!GST_EVENT_IS_SERIALIZED (event))
    return gst_pad_push_event (self->srcpad, event);
  if (fal_session_push_event (self->session, event))
    return TRUE;
  report_flow (self, GST_FLOW_ERROR);
  return FALSE;
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

  gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
  self->live_known = FALSE;
  if (fal_session_start (self->session, &error))
    return TRUE;
  on_trouble (self, TRUE, error, NULL);
  return FALSE;
}

static void
stop (GstFalRealtimeFilter *self)
{
  fal_session_stop (self->session);
  gst_clear_caps (&self->sink_caps);
  gst_clear_caps (&self->src_caps);
  gst_clear_caps (&self->allowed);
  g_queue_clear_full (&self->held, (GDestroyNotify) gst_event_unref);
}

static GstStateChangeReturn
change_state (GstElement *element, GstStateChange transition)
{
  GstFalRealtimeFilter *self = GST_FAL_REALTIME_FILTER (element);
  GstStateChangeReturn result;

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !start (self))
    return GST_STATE_CHANGE_FAILURE;
  /* Whoever waits in the session is woken before the pads are taken down. */
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    fal_session_set_flushing (self->session, TRUE);
  result =
      GST_ELEMENT_CLASS (gst_fal_realtime_filter_parent_class)->change_state (element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY ||
      (transition == GST_STATE_CHANGE_READY_TO_PAUSED && result == GST_STATE_CHANGE_FAILURE))
    stop (self);
  return result;
}

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  GstFalRealtimeFilter *self = GST_FAL_REALTIME_FILTER (object);
  g_autoptr (FalSettings) next = NULL;
  g_autoptr (FalSettings) old = NULL;
  GstClockTime latency = fal_session_get_latency (self->session);

  GST_OBJECT_LOCK (self);
  old = self->settings;
  self->settings = fal_settings_with (old, id, value);
  next = fal_settings_ref (self->settings);
  GST_OBJECT_UNLOCK (self);
  fal_session_update (self->session, next);
  if (fal_session_get_latency (self->session) != latency)
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

static gpointer
end_running (gpointer data)
{
  gst_element_set_state (data, GST_STATE_NULL);
  gst_object_unref (data);
  return NULL;
}

/* An application that lets go of a running element is wrong, and told so. The last reference may
 * then be the task's own, which cannot join itself: the element lives on until another thread has
 * brought it down. */
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

  fal_session_free (self->session);
  fal_settings_unref (self->settings);
  g_mutex_clear (&self->task_lock);
  G_OBJECT_CLASS (gst_fal_realtime_filter_parent_class)->finalize (object);
}

static void
gst_fal_realtime_filter_init (GstFalRealtimeFilter *self)
{
  static const FalSessionEvents events = { on_state_changed, on_trouble, on_sending,
    get_running_time };

  self->settings = fal_settings_new ();
  self->session = fal_session_new (&events, self, self->settings);
  g_queue_init (&self->held);
  g_mutex_init (&self->task_lock);

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
}

static void
install_readings (GObjectClass *klass)
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

  GST_DEBUG_CATEGORY_INIT (
      fal_realtime_filter_debug, "falrealtimefilter", 0, "fal.ai realtime filter");
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->dispose = dispose;
  object_class->finalize = finalize;
  n_settings = fal_properties_install (object_class);
  install_readings (object_class);

  element_class->change_state = change_state;
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_pad_template (
      element_class, gst_pad_template_new ("src", GST_PAD_SRC, GST_PAD_ALWAYS, src_caps));
  gst_element_class_set_static_metadata (element_class, "fal.ai realtime filter",
      "Filter/Effect/Video/Network", "Turns video into a generative model's pictures of it",
      "The gst-fal authors");
}
