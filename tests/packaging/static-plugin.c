/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An application with the plugin linked in: registers it and lets frames pass. No plugin is loaded
 * for that, so it has a source and a sink of its own.
 */
#include <gst/gst.h>
#include <stdio.h>

GST_PLUGIN_STATIC_DECLARE (fal);

#define N_FRAMES 3

static guint n_passed; /* streaming thread, read after the end */
static GAsyncQueue *ended;

static GstFlowReturn
count (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  n_passed++;
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static gboolean
on_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS)
    g_async_queue_push (ended, pad);
  gst_event_unref (event);
  return TRUE;
}

static void
push (GstPad *source)
{
  g_autoptr (GstCaps) caps =
      gst_caps_from_string ("video/x-raw,format=RGB,width=8,height=8,framerate=30/1");
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (source, gst_event_new_stream_start ("frames"));
  gst_pad_push_event (source, gst_event_new_caps (caps));
  gst_pad_push_event (source, gst_event_new_segment (&segment));
  for (guint i = 0; i < N_FRAMES; i++) {
    GstBuffer *buffer = gst_buffer_new_allocate (NULL, 8 * 8 * 3, NULL);

    GST_BUFFER_PTS (buffer) = i * GST_SECOND / 30;
    gst_pad_push (source, buffer);
  }
}

static void
run (GstElement *filter)
{
  g_autoptr (GstPad) source = gst_pad_new ("source", GST_PAD_SRC);
  g_autoptr (GstPad) sink = gst_pad_new ("sink", GST_PAD_SINK);
  g_autoptr (GstPad) in = gst_element_get_static_pad (filter, "sink");
  g_autoptr (GstPad) out = gst_element_get_static_pad (filter, "src");

  ended = g_async_queue_new ();
  gst_pad_set_chain_function (sink, count);
  gst_pad_set_event_function (sink, on_event);
  gst_pad_set_active (source, TRUE);
  gst_pad_set_active (sink, TRUE);
  gst_pad_link (source, in);
  gst_pad_link (out, sink);
  gst_element_set_state (filter, GST_STATE_PLAYING);
  push (source);
  gst_pad_push_event (source, gst_event_new_eos ());
  g_async_queue_timeout_pop (ended, 20 * G_TIME_SPAN_SECOND);
  gst_element_set_state (filter, GST_STATE_NULL);
  g_async_queue_unref (ended);
}

int
main (int argc, char **argv)
{
  g_autoptr (GstElement) filter = NULL;

  gst_init (&argc, &argv);
  GST_PLUGIN_STATIC_REGISTER (fal);
  filter = gst_element_factory_make_full (
      "falrealtimefilter", "app", "local/demo", "enabled", FALSE, NULL);
  if (filter == NULL) {
    printf ("no element\n");
    return 1;
  }
  gst_object_ref_sink (filter);
  run (filter);
  printf ("%u frames passed\n", n_passed);
  return n_passed == N_FRAMES ? 0 : 1;
}
