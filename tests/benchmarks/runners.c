/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bench-runners URI JPEG CONNECTIONS FPS SECONDS: one falrealtimefilter with so many connections,
 * which gets so many JPEGs a second of a live source, or with FPS 0 those of a file as fast as it
 * takes them. Prints results a second, CPU microseconds of this process for one, and the median and
 * the 95th percentile of their ages in ms; the first second counts for nothing. */
#include "camera-clock.h"
#include "process-usage.h"
#include <gst/gst.h>
#include <stdio.h>
#include <stdlib.h>

#define WARM_UP G_USEC_PER_SEC

static gint results; /* atomic */

static void
on_result (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
  g_atomic_int_inc (&results);
}

static GstElement *
make_pipeline (const gchar *uri, const gchar *connections, gboolean live)
{
  g_autofree gchar *description = g_strdup_printf (
      "appsrc name=source format=time %s caps=image/jpeg,framerate=30/1 ! falrealtimefilter "
      "name=filter app=bench/app base-uri=%s image-field=image_bytes image-encoding=bytes "
      "auth=none throttle-interval=0 connections=%s ! image/jpeg ! fakesink name=sink sync=false "
      "signal-handoffs=true",
      live ? "is-live=true leaky-type=downstream max-buffers=2" : "block=true max-buffers=2", uri,
      connections);

  return gst_parse_launch (description, NULL);
}

/* One more frame. A camera's waits for its time. */
static void
push (GstElement *source, GstBuffer *picture, guint n, gdouble fps, gint64 began)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_copy (picture);
  GstFlowReturn flow;

  if (fps > 0) {
    wait_until (began + (gint64) (n * G_USEC_PER_SEC / fps));
    GST_BUFFER_PTS (buffer) = n * GST_SECOND / fps;
  } else {
    GST_BUFFER_PTS (buffer) = gst_util_uint64_scale (n, GST_SECOND, 30);
  }
  g_signal_emit_by_name (source, "push-buffer", buffer, &flow);
}

static gdouble
get_ms (GstElement *filter, const gchar *name)
{
  g_autoptr (GstStructure) stats = NULL;
  gdouble value = 0;

  g_object_get (filter, "stats", &stats, NULL);
  gst_structure_get_double (stats, name, &value);
  return value;
}

/* Until it is time, frames go in. Returns how many did before. */
static guint
feed (GstElement *source, GstBuffer *picture, guint n, gdouble fps, gint64 began, gint64 until)
{
  while (g_get_monotonic_time () < until)
    push (source, picture, n++, fps, began);
  return n;
}

static void
run (GstElement *pipeline, GstBuffer *picture, gdouble fps, gdouble seconds)
{
  g_autoptr (GstElement) source = gst_bin_get_by_name (GST_BIN (pipeline), "source");
  g_autoptr (GstElement) filter = gst_bin_get_by_name (GST_BIN (pipeline), "filter");
  gint64 began = g_get_monotonic_time (), from, cpu, took;
  guint n = feed (source, picture, 0, fps, began, began + WARM_UP);
  gint seen = g_atomic_int_get (&results);

  g_signal_emit_by_name (filter, "reset-stats");
  cpu = cpu_time ();
  from = g_get_monotonic_time ();
  feed (source, picture, n, fps, began, from + (gint64) (seconds * G_USEC_PER_SEC));
  took = g_get_monotonic_time () - from;
  cpu = cpu_time () - cpu;
  seen = g_atomic_int_get (&results) - seen;
  printf ("%.3f %.1f %.1f %.1f\n", seen * (gdouble) G_USEC_PER_SEC / took,
      cpu / (gdouble) MAX (seen, 1), get_ms (filter, "age-p50"), get_ms (filter, "age-p95"));
}

int
main (int argc, char **argv)
{
  g_autoptr (GstElement) pipeline = NULL;
  g_autoptr (GstElement) sink = NULL;
  g_autoptr (GstBuffer) picture = NULL;
  gdouble fps;
  gchar *data;
  gsize size;

  gst_init (&argc, &argv);
  if (argc != 6 || !g_file_get_contents (argv[2], &data, &size, NULL)) {
    fprintf (stderr, "usage: bench-runners URI JPEG CONNECTIONS FPS SECONDS\n");
    return 2;
  }
  picture = gst_buffer_new_wrapped (data, size);
  fps = g_ascii_strtod (argv[4], NULL);
  pipeline = make_pipeline (argv[1], argv[3], fps > 0);
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_signal_connect (sink, "handoff", G_CALLBACK (on_result), NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  run (pipeline, picture, fps, g_ascii_strtod (argv[5], NULL));
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return 0;
}
