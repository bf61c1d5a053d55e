/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The camera's pipeline, and how a clip begins anew without a gap. */
#include "camera.h"
#include "pipeline.h"
#include "fal/image/jpeg-markers.h"
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>

struct _LiveCamera {
  LiveCameraConfig config; /* the strings are in the pipeline by now */
  GstElement *pipeline;
  GstElement *pictures; /* the browser's come in here; else NULL */
  gboolean looping;     /* a clip that has begun */
};

static const gchar *const kind_names[] = { "clip", "browser", "device" };

const gchar *
live_camera_kind_get_name (LiveCameraKind kind)
{
  return kind_names[kind];
}

gboolean
live_camera_kind_from_name (const gchar *name, LiveCameraKind *kind)
{
  for (guint i = 0; i < G_N_ELEMENTS (kind_names); i++)
    if (g_strcmp0 (name, kind_names[i]) == 0) {
      *kind = i;
      return TRUE;
    }
  return FALSE;
}

/* ---- the pipeline's threads ---- */

static GstFlowReturn
on_sample (GstAppSink *sink, gpointer user)
{
  LiveCamera *camera = user;
  g_autoptr (GstSample) frame = gst_app_sink_pull_sample (sink);

  if (frame != NULL)
    camera->config.on_frame (camera->config.user, frame);
  return GST_FLOW_OK;
}

/* ---- the main thread ---- */

/* A segment that ends is followed by the next one, without a pause. The first seek, which begins
 * this, flushes what was shown before. */
static gboolean
play_from_the_start (LiveCamera *camera)
{
  GstSeekFlags flags = GST_SEEK_FLAG_SEGMENT | (camera->looping ? 0 : GST_SEEK_FLAG_FLUSH);

  camera->looping = TRUE;
  return gst_element_seek (
      camera->pipeline, 1.0, GST_FORMAT_TIME, flags, GST_SEEK_TYPE_SET, 0, GST_SEEK_TYPE_NONE, 0);
}

/* A file that does not end with its segment: it is loaded again, which takes a moment. */
static void
load_again (LiveCamera *camera)
{
  camera->looping = FALSE;
  gst_element_set_state (camera->pipeline, GST_STATE_READY);
  gst_element_set_state (camera->pipeline, GST_STATE_PAUSED);
}

static void
tell_error (LiveCamera *camera, GstMessage *message)
{
  g_autoptr (GError) error = NULL;

  gst_message_parse_error (message, &error, NULL);
  gst_element_set_state (camera->pipeline, GST_STATE_NULL);
  camera->config.on_error (camera->config.user, error->message);
}

/* The last thing that it does may free the camera. */
static gboolean
on_message (GstBus *bus, GstMessage *message, gpointer user)
{
  LiveCamera *camera = user;
  gboolean clip = camera->config.kind == LIVE_CAMERA_CLIP;

  switch (GST_MESSAGE_TYPE (message)) {
  case GST_MESSAGE_ASYNC_DONE:
    if (clip && !camera->looping) {
      play_from_the_start (camera);
      gst_element_set_state (camera->pipeline, GST_STATE_PLAYING);
    }
    break;
  case GST_MESSAGE_SEGMENT_DONE:
    play_from_the_start (camera);
    break;
  case GST_MESSAGE_EOS:
    load_again (camera);
    break;
  case GST_MESSAGE_ERROR:
    tell_error (camera, message);
    break;
  default:
    break;
  }
  return G_SOURCE_CONTINUE;
}

#define FRAMES "appsink name=frames max-buffers=2 caps=video/x-raw "

static const gchar *
describe (const LiveCameraConfig *config)
{
  switch (config->kind) {
  case LIVE_CAMERA_BROWSER:
    return "appsrc name=pictures is-live=true format=time do-timestamp=true caps=image/jpeg "
           "max-buffers=2 leaky-type=downstream ! jpegdec max-errors=-1 ! " FRAMES "sync=false";
  case LIVE_CAMERA_DEVICE:
    return "v4l2src name=source ! decodebin ! videoconvert ! " FRAMES "sync=false";
  default:
    if (config->clip == NULL)
      return "videotestsrc is-live=true pattern=ball ! "
             "video/x-raw,width=512,height=384,framerate=30/1 ! " FRAMES "sync=false";
    return "filesrc name=source ! decodebin ! videoconvert ! " FRAMES "sync=true";
  }
}

static void
set_source (LiveCamera *camera)
{
  g_autoptr (GstElement) source = gst_bin_get_by_name (GST_BIN (camera->pipeline), "source");

  if (source == NULL)
    return;
  if (camera->config.kind == LIVE_CAMERA_DEVICE)
    g_object_set (source, "device", camera->config.device, NULL);
  else
    g_object_set (source, "location", camera->config.clip, NULL);
}

static void
start (LiveCamera *camera)
{
  static const GstAppSinkCallbacks callbacks = { .new_sample = on_sample };
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (camera->pipeline), "frames");
  g_autoptr (GstBus) bus = gst_element_get_bus (camera->pipeline);
  gboolean seeks = camera->config.kind == LIVE_CAMERA_CLIP && camera->config.clip != NULL;

  gst_app_sink_set_callbacks (
      GST_APP_SINK (sink), (GstAppSinkCallbacks *) &callbacks, camera, NULL);
  camera->pictures = gst_bin_get_by_name (GST_BIN (camera->pipeline), "pictures");
  set_source (camera);
  gst_bus_add_watch (bus, on_message, camera);
  gst_element_set_state (camera->pipeline, seeks ? GST_STATE_PAUSED : GST_STATE_PLAYING);
}

LiveCamera *
live_camera_new (const LiveCameraConfig *config, GError **error)
{
  GstElement *pipeline = live_pipeline_new (describe (config), error);
  LiveCamera *camera;

  if (pipeline == NULL)
    return NULL;
  camera = g_new0 (LiveCamera, 1);
  camera->config = *config;
  camera->pipeline = pipeline;
  start (camera);
  return camera;
}

void
live_camera_free (LiveCamera *camera)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (camera->pipeline);

  gst_bus_remove_watch (bus);
  gst_element_set_state (camera->pipeline, GST_STATE_NULL);
  g_clear_object (&camera->pictures);
  gst_object_unref (camera->pipeline);
  g_free (camera);
}

LiveCameraKind
live_camera_get_kind (const LiveCamera *camera)
{
  return camera->config.kind;
}

/* Before any of it is decoded: jpegdec allocates whatever the header claims. */
static gboolean
is_fit (GBytes *jpeg)
{
  FalJpegMarkers markers = { 0 };
  gsize size;
  const guint8 *data = g_bytes_get_data (jpeg, &size);

  return fal_jpeg_markers_read (data, size, &markers) && markers.whole &&
         markers.width <= LIVE_CAMERA_MAX_WIDTH && markers.height <= LIVE_CAMERA_MAX_HEIGHT &&
         !fal_jpeg_markers_have_too_many_scans (&markers);
}

gboolean
live_camera_take (LiveCamera *camera, GBytes *jpeg)
{
  if (camera->pictures == NULL || !is_fit (jpeg))
    return FALSE;
  gst_app_src_push_buffer (GST_APP_SRC (camera->pictures), gst_buffer_new_wrapped_bytes (jpeg));
  return TRUE;
}
