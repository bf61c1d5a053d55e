/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The stream's pipeline and what its bus tells. */
#include "stream.h"
#include "pipeline.h"
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>

/* A connection that nobody watches is not to be paid for. */
#define IDLE_TIMEOUT 10000 /* ms */

/* What a page may set. */
enum { PROMPT, STRENGTH, SEED, ENABLED, FALLBACK, THROTTLE, N_SETTINGS };
static const struct {
  const gchar *name;
  gboolean input; /* of the model, which need not be sent */
} settings[N_SETTINGS] = {
  [PROMPT] = { "prompt", TRUE },
  [STRENGTH] = { "strength", TRUE },
  [SEED] = { "seed", TRUE },
  [ENABLED] = { "enabled", FALSE },
  [FALLBACK] = { "fallback", FALSE },
  [THROTTLE] = { "throttle-interval", FALSE },
};

struct _LiveStream {
  LiveStreamConfig config; /* its callbacks; the strings are the element's by now */
  GstElement *pipeline, *camera, *filter;
  gboolean set[N_SETTINGS]; /* it was, and was not unset since */
  gboolean stopped;         /* by an error */
  gchar *connection;
};

/* ---- the pipeline's threads ---- */

static GstFlowReturn
on_sample (GstAppSink *sink, gpointer user)
{
  LiveStream *stream = user;
  g_autoptr (GstSample) result = gst_app_sink_pull_sample (sink);

  if (result != NULL)
    stream->config.on_result (stream->config.user, result);
  return GST_FLOW_OK;
}

/* Its own time is that of another pipeline: it gets the one at which it comes. */
void
live_stream_push (LiveStream *stream, GstSample *frame)
{
  GstBuffer *buffer = gst_buffer_copy (gst_sample_get_buffer (frame));
  g_autoptr (GstSample) sample = gst_sample_new (buffer, gst_sample_get_caps (frame), NULL, NULL);

  GST_BUFFER_PTS (buffer) = GST_BUFFER_DTS (buffer) = GST_CLOCK_TIME_NONE;
  gst_buffer_unref (buffer);
  gst_app_src_push_sample (GST_APP_SRC (stream->camera), sample);
}

/* ---- the bus ---- */

/* An enumeration as its nick, other numbers as they are. */
static void
get_property (const LiveStream *stream, const gchar *name, GValue *to)
{
  GParamSpec *spec = g_object_class_find_property (G_OBJECT_GET_CLASS (stream->filter), name);
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_init (&value, spec->value_type);
  g_object_get_property (G_OBJECT (stream->filter), name, &value);
  if (G_IS_PARAM_SPEC_ENUM (spec)) {
    const GEnumValue *entry =
        g_enum_get_value (G_PARAM_SPEC_ENUM (spec)->enum_class, g_value_get_enum (&value));

    g_value_init (to, G_TYPE_STRING);
    g_value_set_static_string (to, entry->value_nick);
  } else if (G_VALUE_HOLDS_UINT (&value)) {
    g_value_init (to, G_TYPE_INT64);
    g_value_set_int64 (to, g_value_get_uint (&value));
  } else {
    g_value_init (to, spec->value_type);
    g_value_copy (&value, to);
  }
}

static void
set_connection (LiveStream *stream, const gchar *connection)
{
  if (g_strcmp0 (stream->connection, connection) == 0)
    return;
  g_free (stream->connection);
  stream->connection = g_strdup (connection);
  stream->config.on_connection (stream->config.user);
}

/* That it has failed is told with the error, which follows: only then it can start again. */
static void
read_connection (LiveStream *stream)
{
  g_auto (GValue) state = G_VALUE_INIT;

  get_property (stream, "connection-state", &state);
  if (!g_str_equal (g_value_get_string (&state), "failed"))
    set_connection (stream, g_value_get_string (&state));
}

static void
tell_error (LiveStream *stream, GstMessage *message)
{
  g_autoptr (GError) error = NULL;

  gst_message_parse_error (message, &error, NULL);
  stream->stopped = TRUE;
  gst_element_set_state (stream->pipeline, GST_STATE_NULL);
  stream->config.on_notice (stream->config.user, "error", error->message);
  set_connection (stream, "failed");
}

static void
tell_warning (LiveStream *stream, GstMessage *message)
{
  g_autoptr (GError) error = NULL;

  gst_message_parse_warning (message, &error, NULL);
  stream->config.on_notice (stream->config.user, "warning", error->message);
}

/* That no frame comes is the camera's to tell, or means that no page is open. */
static void
tell_info (LiveStream *stream, GstMessage *message)
{
  g_autoptr (GError) info = NULL;

  gst_message_parse_info (message, &info, NULL);
  if (!g_error_matches (info, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ_WRITE))
    stream->config.on_notice (stream->config.user, "info", info->message);
}

static gboolean
on_message (GstBus *bus, GstMessage *message, gpointer user)
{
  LiveStream *stream = user;

  switch (GST_MESSAGE_TYPE (message)) {
  case GST_MESSAGE_ERROR:
    tell_error (stream, message);
    break;
  case GST_MESSAGE_WARNING:
    tell_warning (stream, message);
    break;
  case GST_MESSAGE_INFO:
    tell_info (stream, message);
    break;
  case GST_MESSAGE_ELEMENT:
    if (gst_message_has_name (message, "fal-connection"))
      read_connection (stream);
    break;
  default:
    break;
  }
  return G_SOURCE_CONTINUE;
}

/* ---- settings ---- */

static gboolean
refuse (GError **error, const gchar *name, const gchar *why)
{
  g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS, "%s %s", name, why);
  return FALSE;
}

/* What its type cannot hold was cut off on the way: 2³² is 0 as a number of 32 bits. */
static gboolean
is_same (const GValue *from, const GValue *to)
{
  g_auto (GValue) back = G_VALUE_INIT;

  if (!G_VALUE_HOLDS_INT64 (from))
    return TRUE;
  g_value_init (&back, G_TYPE_INT64);
  g_value_transform (to, &back);
  return g_value_get_int64 (&back) == g_value_get_int64 (from);
}

/* @to: of the property's type. */
static gboolean
convert (const GValue *from, GValue *to, GParamSpec *spec)
{
  if (G_IS_PARAM_SPEC_ENUM (spec))
    return G_VALUE_HOLDS_STRING (from) && gst_value_deserialize (to, g_value_get_string (from));
  if (G_VALUE_HOLDS_STRING (from) != G_IS_PARAM_SPEC_STRING (spec) ||
      G_VALUE_HOLDS_BOOLEAN (from) != G_IS_PARAM_SPEC_BOOLEAN (spec) ||
      (G_VALUE_HOLDS_DOUBLE (from) && !G_IS_PARAM_SPEC_DOUBLE (spec)))
    return FALSE;
  /* One that had to be changed to be in the range is refused. */
  return g_value_transform (from, to) && is_same (from, to) && !g_param_value_validate (spec, to);
}

/* @why: what is said of a value that it does not take. */
static gboolean
set_value (
    LiveStream *stream, const gchar *name, const GValue *value, const gchar *why, GError **error)
{
  GParamSpec *spec = g_object_class_find_property (G_OBJECT_GET_CLASS (stream->filter), name);
  g_auto (GValue) converted = G_VALUE_INIT;

  g_value_init (&converted, spec->value_type);
  if (!convert (value, &converted, spec))
    return refuse (error, name, why);
  g_object_set_property (G_OBJECT (stream->filter), name, &converted);
  return TRUE;
}

#define NOT_TAKEN "does not take this value"

static gboolean
set_property (LiveStream *stream, guint setting, const GValue *value, GError **error)
{
  if (!set_value (stream, settings[setting].name, value, NOT_TAKEN, error))
    return FALSE;
  stream->set[setting] = TRUE;
  return TRUE;
}

static gboolean
unset_property (LiveStream *stream, guint setting, GError **error)
{
  gboolean done;

  if (!settings[setting].input)
    return refuse (error, settings[setting].name, "always has a value");
  g_signal_emit_by_name (stream->filter, "unset", settings[setting].name, &done);
  stream->set[setting] = FALSE;
  return TRUE;
}

gboolean
live_stream_set (LiveStream *stream, const gchar *name, const GValue *value, GError **error)
{
  for (guint setting = 0; setting < N_SETTINGS; setting++)
    if (g_str_equal (name, settings[setting].name)) {
      if (G_VALUE_HOLDS_STRING (value) && g_value_get_string (value) == NULL)
        return unset_property (stream, setting, error);
      return set_property (stream, setting, value, error);
    }
  return refuse (error, "This setting", "is none that a page may change");
}

GstStructure *
live_stream_get_settings (const LiveStream *stream)
{
  GstStructure *map = gst_structure_new_empty ("map");

  for (guint setting = 0; setting < N_SETTINGS; setting++) {
    GValue value = G_VALUE_INIT;

    if (settings[setting].input && !stream->set[setting])
      g_value_init (&value, G_TYPE_STRING);
    else
      get_property (stream, settings[setting].name, &value);
    gst_structure_take_value (map, settings[setting].name, &value);
  }
  return map;
}

gint
live_stream_get_throttle (const LiveStream *stream)
{
  guint throttle;

  g_object_get (stream->filter, "throttle-interval", &throttle, NULL);
  return stream->set[THROTTLE] ? (gint) throttle : -1;
}

/* ---- what it does now ---- */

const gchar *
live_stream_get_connection (const LiveStream *stream)
{
  return stream->connection;
}

GstStructure *
live_stream_get_stats (const LiveStream *stream)
{
  GstStructure *stats;

  g_object_get (stream->filter, "stats", &stats, NULL);
  return stats;
}

gboolean
live_stream_has_stopped (const LiveStream *stream)
{
  return stream->stopped;
}

void
live_stream_reconnect (LiveStream *stream)
{
  if (!stream->stopped) {
    g_signal_emit_by_name (stream->filter, "reconnect");
    return;
  }
  stream->stopped = FALSE;
  set_connection (stream, "idle");
  gst_element_set_state (stream->pipeline, GST_STATE_PLAYING);
}

/* ---- life ---- */

static void
configure (LiveStream *stream)
{
  const LiveStreamConfig *config = &stream->config;
  const struct {
    const gchar *name, *value;
  } rows[] = {
    { "app", config->app },
    { "base-uri", config->base_uri },
    { "path", config->path },
    { "token", config->token },
    { "token-proxy-uri", config->token_proxy_uri },
    { "proxy", config->proxy },
    { "prompt", config->prompt },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    if (rows[i].value != NULL)
      g_object_set (stream->filter, rows[i].name, rows[i].value, NULL);
  g_object_set (stream->filter, "idle-timeout", IDLE_TIMEOUT, NULL);
  stream->set[THROTTLE] = config->throttle >= 0;
  stream->set[PROMPT] = config->prompt != NULL;
}

static gboolean
set_number (LiveStream *stream, const gchar *name, gint number, GError **error)
{
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_INT64);
  g_value_set_int64 (&value, number);
  return set_value (stream, name, &value, NOT_TAKEN, error);
}

static gboolean
set_numbers (LiveStream *stream, GError **error)
{
  const LiveStreamConfig *config = &stream->config;

  return set_number (stream, "width", config->width, error) &&
         set_number (stream, "height", config->height, error) &&
         (config->throttle < 0 ||
             set_number (stream, "throttle-interval", config->throttle, error));
}

static gboolean
set_auth (LiveStream *stream, GError **error)
{
  g_auto (GValue) value = G_VALUE_INIT;

  if (stream->config.auth == NULL)
    return TRUE;
  g_value_init (&value, G_TYPE_STRING);
  g_value_set_string (&value, stream->config.auth);
  return set_value (stream, "auth", &value, "is auto, token, key-header, key-query or none", error);
}

static void
start (LiveStream *stream)
{
  static const GstAppSinkCallbacks callbacks = { .new_sample = on_sample };
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (stream->pipeline), "results");
  g_autoptr (GstBus) bus = gst_element_get_bus (stream->pipeline);

  gst_app_sink_set_callbacks (
      GST_APP_SINK (sink), (GstAppSinkCallbacks *) &callbacks, stream, NULL);
  gst_bus_add_watch (bus, on_message, stream);
  stream->connection = g_strdup ("idle");
  gst_element_set_state (stream->pipeline, GST_STATE_PLAYING);
}

LiveStream *
live_stream_new (const LiveStreamConfig *config, GError **error)
{
  g_autoptr (LiveStream) stream = g_new0 (LiveStream, 1);

  stream->config = *config;
  stream->pipeline = live_pipeline_new (
      "appsrc name=camera is-live=true format=time do-timestamp=true max-buffers=1 "
      "leaky-type=downstream ! falrealtimefilter name=fal ! "
      "appsink name=results caps=video/x-raw sync=true max-buffers=1 drop=true",
      error);
  if (stream->pipeline == NULL)
    return NULL;
  stream->camera = gst_bin_get_by_name (GST_BIN (stream->pipeline), "camera");
  stream->filter = gst_bin_get_by_name (GST_BIN (stream->pipeline), "fal");
  configure (stream);
  if (!set_numbers (stream, error) || !set_auth (stream, error))
    return NULL;
  start (stream);
  return g_steal_pointer (&stream);
}

void
live_stream_free (LiveStream *stream)
{
  if (stream->pipeline != NULL) {
    g_autoptr (GstBus) bus = gst_element_get_bus (stream->pipeline);

    if (stream->connection != NULL) /* it was started */
      gst_bus_remove_watch (bus);
    gst_element_set_state (stream->pipeline, GST_STATE_NULL);
  }
  g_clear_object (&stream->camera);
  g_clear_object (&stream->filter);
  g_clear_object (&stream->pipeline);
  g_free (stream->connection);
  g_free (stream);
}
