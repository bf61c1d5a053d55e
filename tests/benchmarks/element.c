/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bench-element raw|jpeg URI JPEG FRAMES: falrealtimefilter in a pipeline, appsrc to fakesink.
 * Prints one line: CPU microseconds a frame (user and system, of this process), frames a second,
 * resident KiB after a tenth of the frames and at the end. The first tenth warms up. */
#include "cpu.h"
#include <gst/gst.h>
#include <gst/video/video.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  guint frames, warm, seen;
  gint64 began, began_cpu;
  glong rss;
} Bench;

static glong
resident_kib (void)
{
  g_autofree gchar *text = NULL;
  glong size = 0, resident = 0;

  g_file_get_contents ("/proc/self/statm", &text, NULL, NULL);
  if (text == NULL || sscanf (text, "%ld %ld", &size, &resident) != 2)
    return 0;
  return resident * (sysconf (_SC_PAGESIZE) / 1024);
}

static void
on_result (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
  Bench *bench = data;

  if (++bench->seen != bench->warm)
    return;
  bench->began = g_get_monotonic_time ();
  bench->began_cpu = cpu_time ();
  bench->rss = resident_kib ();
}

/* The picture once, as it is. */
static GstSample *
load_jpeg (const gchar *path)
{
  g_autoptr (GstCaps) caps = gst_caps_new_empty_simple ("image/jpeg");
  g_autoptr (GstBuffer) buffer = NULL;
  gchar *data;
  gsize size;

  if (!g_file_get_contents (path, &data, &size, NULL))
    return NULL;
  buffer = gst_buffer_new_wrapped (data, size);
  return gst_sample_new (buffer, caps, NULL, NULL);
}

/* The picture once, decoded by GStreamer's own decoder. */
static GstSample *
load_raw (const gchar *path)
{
  g_autofree gchar *description = g_strdup_printf (
      "filesrc location=%s ! jpegdec ! videoconvert ! video/x-raw,format=RGBx ! appsink name=sink",
      path);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (description, &error);
  g_autoptr (GstElement) sink = error ? NULL : gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  GstSample *sample = NULL;

  if (sink == NULL)
    return NULL;
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_signal_emit_by_name (sink, "try-pull-sample", 10 * GST_SECOND, &sample);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return sample;
}

static void
feed (GstElement *source, GstSample *sample, guint frames)
{
  for (guint i = 0; i < frames; i++) {
    g_autoptr (GstBuffer) buffer = gst_buffer_copy (gst_sample_get_buffer (sample));
    GstFlowReturn flow;

    GST_BUFFER_PTS (buffer) = gst_util_uint64_scale (i, GST_SECOND, 30);
    GST_BUFFER_DURATION (buffer) = GST_SECOND / 30;
    g_signal_emit_by_name (source, "push-buffer", buffer, &flow);
    if (flow != GST_FLOW_OK)
      return;
  }
}

int
main (int argc, char **argv)
{
  gboolean raw = argc > 1 && strcmp (argv[1], "raw") == 0;
  Bench bench = { 0 };
  g_autofree gchar *description = NULL;
  g_autoptr (GstElement) pipeline = NULL;
  g_autoptr (GstElement) source = NULL;
  g_autoptr (GstElement) sink = NULL;
  g_autoptr (GstBus) bus = NULL;
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GstSample) sample = NULL;
  g_autoptr (GError) error = NULL;
  GstFlowReturn flow;
  guint counted;

  gst_init (&argc, &argv);
  if (argc != 5) {
    fprintf (stderr, "usage: bench-element raw|jpeg URI JPEG FRAMES\n");
    return 2;
  }
  bench.frames = atoi (argv[4]);
  bench.warm = MAX (bench.frames / 10, 1);
  description = g_strdup_printf (
      "appsrc name=source format=time block=true max-buffers=4 ! "
      "falrealtimefilter app=bench/app base-uri=%s image-field=image_bytes image-encoding=bytes "
      "auth=none throttle-interval=0 request-timeout=60000 ! %s ! fakesink name=sink sync=false "
      "signal-handoffs=true",
      argv[2], raw ? "video/x-raw,format=RGBx" : "image/jpeg");
  pipeline = gst_parse_launch (description, &error);
  if (error) {
    fprintf (stderr, "%s\n", error->message);
    return 1;
  }
  source = gst_bin_get_by_name (GST_BIN (pipeline), "source");
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  sample = raw ? load_raw (argv[3]) : load_jpeg (argv[3]);
  if (sample == NULL) {
    fprintf (stderr, "%s could not be read\n", argv[3]);
    return 1;
  }
  g_object_set (source, "caps", gst_sample_get_caps (sample), NULL);
  g_signal_connect (sink, "handoff", G_CALLBACK (on_result), &bench);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  feed (source, sample, bench.frames);
  g_signal_emit_by_name (source, "end-of-stream", &flow);
  message = gst_bus_timed_pop_filtered (bus, 300 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  counted = bench.seen - bench.warm;
  if (message == NULL || GST_MESSAGE_TYPE (message) != GST_MESSAGE_EOS ||
      bench.seen != bench.frames) {
    fprintf (stderr, "%u of %u frames came back\n", bench.seen, bench.frames);
    return 1;
  }
  printf ("%.1f %.1f %ld %ld\n", (cpu_time () - bench.began_cpu) / (gdouble) counted,
      counted * 1e6 / (g_get_monotonic_time () - bench.began), bench.rss, resident_kib ());
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return 0;
}
