/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The picture maker: a pipeline that gets a frame where one is wanted, and no other. */
#include "picture-maker.h"
#include "background.h"
#include "pipeline.h"
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>

#define TEXT(number) G_STRINGIFY (number)
/* By way of RGB, as jpegenc writes the limited range of YUV as if it were a JPEG's full one. */
#define DESCRIPTION                                                                                \
  "appsrc name=frames format=time max-buffers=2 leaky-type=downstream ! videoscale ! "             \
  "video/x-raw,width=[1," TEXT (LIVE_PICTURE_MAX) "],height=[1," TEXT (                            \
      LIVE_PICTURE_MAX) "],"                                                                       \
                        "pixel-aspect-ratio=1/1 ! videoconvert ! video/x-raw,format=RGB ! "        \
                        "jpegenc ! "                                                               \
                        "appsink name=pictures sync=false async=false"

struct _LivePictureMaker {
  LivePictureFunc on_picture;
  gpointer user;
  GstElement *pipeline, *frames;
  gint wanted; /* atomic */
};

/* ---- the pipeline's thread ---- */

/* The bus leads it to the main thread, and drops it where the pipeline has stopped. */
static GstFlowReturn
on_sample (GstAppSink *sink, gpointer user)
{
  g_autoptr (GstSample) picture = gst_app_sink_pull_sample (sink);

  if (picture != NULL)
    gst_element_post_message (GST_ELEMENT (sink),
        gst_message_new_application (GST_OBJECT (sink),
            gst_structure_new ("picture", "sample", GST_TYPE_SAMPLE, picture, NULL)));
  return GST_FLOW_OK;
}

/* ---- the main thread ---- */

static GBytes *
copy_bytes (GstSample *picture)
{
  gpointer data;
  gsize size;

  gst_buffer_extract_dup (gst_sample_get_buffer (picture), 0, -1, &data, &size);
  return g_bytes_new_take (data, size);
}

static void
tell_picture (LivePictureMaker *maker, const GstStructure *structure)
{
  g_autoptr (GstSample) picture = NULL;
  g_autoptr (GBytes) jpeg = NULL;

  gst_structure_get (structure, "sample", GST_TYPE_SAMPLE, &picture, NULL);
  jpeg = copy_bytes (picture);
  maker->on_picture (maker->user, jpeg);
}

/* A frame that no picture can be made of: the next one that is asked for is another. */
static void
start_anew (LivePictureMaker *maker)
{
  gst_element_set_state (maker->pipeline, GST_STATE_NULL);
  gst_element_set_state (maker->pipeline, GST_STATE_PLAYING);
  live_picture_maker_ask (maker);
}

static gboolean
on_message (GstBus *bus, GstMessage *message, gpointer user)
{
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_APPLICATION)
    tell_picture (user, gst_message_get_structure (message));
  else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    start_anew (user);
  return G_SOURCE_CONTINUE;
}

static void
start (LivePictureMaker *maker)
{
  static const GstAppSinkCallbacks callbacks = { .new_sample = on_sample };
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (maker->pipeline), "pictures");
  g_autoptr (GstBus) bus = gst_element_get_bus (maker->pipeline);

  gst_app_sink_set_callbacks (GST_APP_SINK (sink), (GstAppSinkCallbacks *) &callbacks, maker, NULL);
  gst_bus_add_watch (bus, on_message, maker);
  gst_element_set_state (maker->pipeline, GST_STATE_PLAYING);
}

LivePictureMaker *
live_picture_maker_new (LivePictureFunc on_picture, gpointer user, GError **error)
{
  GstElement *pipeline = live_pipeline_new (DESCRIPTION, error);
  LivePictureMaker *maker;

  if (pipeline == NULL)
    return NULL;
  maker = g_new0 (LivePictureMaker, 1);
  maker->on_picture = on_picture;
  maker->user = user;
  maker->pipeline = pipeline;
  maker->frames = gst_bin_get_by_name (GST_BIN (pipeline), "frames");
  start (maker);
  return maker;
}

void
live_picture_maker_free (LivePictureMaker *maker)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (maker->pipeline);

  gst_bus_remove_watch (bus);
  gst_element_set_state (maker->pipeline, GST_STATE_NULL);
  gst_object_unref (maker->frames);
  gst_object_unref (maker->pipeline);
  g_free (maker);
}

void
live_picture_maker_ask (LivePictureMaker *maker)
{
  g_atomic_int_set (&maker->wanted, TRUE);
}

void
live_picture_maker_offer (LivePictureMaker *maker, GstSample *frame)
{
  g_autoptr (GstSample) laid = NULL;

  if (!g_atomic_int_compare_and_exchange (&maker->wanted, TRUE, FALSE))
    return;
  laid = live_background_lay (frame);
  gst_app_src_push_sample (GST_APP_SRC (maker->frames), laid ? laid : frame);
}
