/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bench-scale ELEMENTS RATE SECONDS JPEG URI…: so many falrealtimefilter in one process, each in a
 * pipeline of its own, spread over the addresses of servers, of which those with wss are believed
 * whatever their certificate; each gets so many JPEGs a second. Prints CPU microseconds of this
 * process for one element's second, resident KiB and threads of the process before and with them,
 * results a second, the milliseconds that all took to start, and how many percent of the frames
 * that went in were answered with a result that was shown.
 *
 * bench-scale start PLUGIN: microseconds that loading the plugin takes, and making an element. */
#include "camera-clock.h"
#include "process-usage.h"
#include <gst/gst.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  GstElement *pipeline, *source;
} Line;

static gint results; /* atomic */

static void
on_result (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
  g_atomic_int_inc (&results);
}

static gint
count_threads (void)
{
  g_autoptr (GDir) tasks = g_dir_open ("/proc/self/task", 0, NULL);
  gint n = 0;

  while (tasks != NULL && g_dir_read_name (tasks) != NULL)
    n++;
  return n;
}

static Line
make_line (const gchar *uri)
{
  g_autofree gchar *description = g_strdup_printf (
      "appsrc name=source format=time is-live=true leaky-type=downstream max-buffers=2 "
      "caps=image/jpeg ! falrealtimefilter app=bench/app base-uri=%s image-field=image_bytes "
      "image-encoding=bytes auth=none throttle-interval=0 tls-validation-flags=0 ! image/jpeg ! "
      "fakesink name=sink sync=false signal-handoffs=true",
      uri);
  Line line = { gst_parse_launch (description, NULL) };
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (line.pipeline), "sink");

  line.source = gst_bin_get_by_name (GST_BIN (line.pipeline), "source");
  g_signal_connect (sink, "handoff", G_CALLBACK (on_result), NULL);
  gst_element_set_state (line.pipeline, GST_STATE_PLAYING);
  return line;
}

static void
end_line (Line *line)
{
  gst_element_set_state (line->pipeline, GST_STATE_NULL);
  gst_object_unref (line->source);
  gst_object_unref (line->pipeline);
}

/* To all, one after the other within each interval, for so long. */
static void
feed (Line *lines, guint n, guint rate, gdouble seconds, GstBuffer *picture)
{
  gint64 began = g_get_monotonic_time ();
  guint total = n * rate * seconds;

  for (guint i = 0; i < total; i++) {
    g_autoptr (GstBuffer) buffer = gst_buffer_copy (picture);
    gint64 due = began + (gint64) i * G_USEC_PER_SEC / (n * rate);
    GstFlowReturn flow;

    wait_until (due);
    GST_BUFFER_PTS (buffer) = (due - began) * GST_USECOND;
    g_signal_emit_by_name (lines[i % n].source, "push-buffer", buffer, &flow);
  }
}

/* Until each has had a result: a bounded wait. */
static void
warm_up (Line *lines, guint n, guint rate, GstBuffer *picture)
{
  for (guint i = 0; i < 20 && g_atomic_int_get (&results) < (gint) (2 * n); i++)
    feed (lines, n, rate, 1.0 / rate, picture);
}

/* Until no result comes any more of what went in: a bounded wait. */
static void
let_all_come (void)
{
  gint seen = -1;

  for (guint i = 0; i < 50 && seen != g_atomic_int_get (&results); i++) {
    seen = g_atomic_int_get (&results);
    wait_until (g_get_monotonic_time () + 200 * G_TIME_SPAN_MILLISECOND);
  }
}

static int
run (guint n, guint rate, gdouble seconds, GstBuffer *picture, char **uris, guint n_uris)
{
  g_autofree Line *lines = g_new0 (Line, n);
  glong rss = resident_kib ();
  gint threads = count_threads (), before, seen;
  gint64 began = g_get_monotonic_time (), took, cpu;

  for (guint i = 0; i < n; i++)
    lines[i] = make_line (uris[i % n_uris]);
  took = g_get_monotonic_time () - began;
  warm_up (lines, n, rate, picture);
  let_all_come ();
  before = g_atomic_int_get (&results);
  cpu = cpu_time ();
  feed (lines, n, rate, seconds, picture);
  cpu = cpu_time () - cpu;
  seen = g_atomic_int_get (&results) - before;
  let_all_come ();
  printf ("%.0f %ld %ld %d %d %.1f %.1f %.2f\n", cpu / (n * seconds), rss, resident_kib (), threads,
      count_threads (), seen / seconds, took / 1000.0,
      100.0 * (g_atomic_int_get (&results) - before) / (guint) (n * rate * seconds));
  for (guint i = 0; i < n; i++)
    end_line (&lines[i]);
  return 0;
}

static int
time_start (const gchar *path)
{
  gint64 began = g_get_monotonic_time (), loaded;
  g_autoptr (GstPlugin) plugin = gst_plugin_load_file (path, NULL);
  g_autoptr (GstElement) element = NULL;

  loaded = g_get_monotonic_time ();
  element = gst_element_factory_make ("falrealtimefilter", NULL);
  if (plugin == NULL || element == NULL)
    return 1;
  printf ("%" G_GINT64_FORMAT " %" G_GINT64_FORMAT "\n", loaded - began,
      g_get_monotonic_time () - loaded);
  return 0;
}

int
main (int argc, char **argv)
{
  g_autoptr (GstBuffer) picture = NULL;
  gchar *data;
  gsize size;

  gst_init (&argc, &argv);
  if (argc == 3 && strcmp (argv[1], "start") == 0)
    return time_start (argv[2]);
  if (argc < 6 || atoi (argv[1]) < 1 || atoi (argv[2]) < 1 ||
      !g_file_get_contents (argv[4], &data, &size, NULL)) {
    fprintf (stderr, "usage: bench-scale ELEMENTS RATE SECONDS JPEG URI…, or start PLUGIN\n");
    return 2;
  }
  picture = gst_buffer_new_wrapped (data, size);
  return run (
      atoi (argv[1]), atoi (argv[2]), g_ascii_strtod (argv[3], NULL), picture, argv + 5, argc - 5);
}
