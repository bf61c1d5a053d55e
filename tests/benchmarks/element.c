/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bench-element [OPTION…] URI PICTURE: falrealtimefilter in a pipeline, appsrc to fakesink.
 * Prints one line of numbers: CPU microseconds a result (user and system, of this process), results
 * a second, resident KiB after a tenth and at the end, results, CPU microseconds a second. The
 * first tenth warms up. With a rate the pipeline is live, and frames come at that rate; else it
 * takes all frames there are, as fast as they go. */
#include "camera-clock.h"
#include "process-usage.h"
#include <gst/gst.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* For what comes at once, but for callgrind on a busy machine. */
#define WATCHDOG (60 * GST_SECOND)

typedef struct {
  gchar *input, *output, *properties, *through;
  gint frames, rate;
} Options;

typedef struct {
  guint seen; /* results; the sink's thread */
  guint warm; /* of them */
  guint first;
  gint64 began, began_cpu;
  glong rss;
} Bench;

static Options options = { .input = "image/jpeg", .output = "image/jpeg", .frames = 1000 };

static const GOptionEntry entries[] = {
  { "input", 0, 0, G_OPTION_ARG_STRING, &options.input, "What goes in", "CAPS" },
  { "output", 0, 0, G_OPTION_ARG_STRING, &options.output, "What comes out", "CAPS" },
  { "properties", 0, 0, G_OPTION_ARG_STRING, &options.properties, "More for the element", "TEXT" },
  { "through", 0, 0, G_OPTION_ARG_STRING, &options.through, "Another element instead", "TEXT" },
  { "frames", 0, 0, G_OPTION_ARG_INT, &options.frames, "Frames that go in", "N" },
  { "rate", 0, 0, G_OPTION_ARG_INT, &options.rate, "Frames a second, live", "N" },
  { NULL },
};

static void
begin (Bench *bench)
{
  bench->first = bench->seen;
  bench->began = g_get_monotonic_time ();
  bench->began_cpu = cpu_time ();
  bench->rss = resident_kib ();
}

static void
on_result (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
  Bench *bench = data;

  if (++bench->seen == bench->warm)
    begin (bench);
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

/* The picture once, as raw video, made by GStreamer's own elements. */
static GstSample *
load_raw (const gchar *path)
{
  g_autofree gchar *description = g_strdup_printf (
      "filesrc location=%s ! jpegdec ! videoconvert ! videoscale ! %s ! appsink name=sink", path,
      options.input);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (description, &error);
  g_autoptr (GstElement) sink = error ? NULL : gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  GstSample *sample = NULL;

  if (sink == NULL)
    return NULL;
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_signal_emit_by_name (sink, "try-pull-sample", WATCHDOG, &sample);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return sample;
}

static gboolean
push (GstElement *source, GstSample *sample, guint i)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_copy (gst_sample_get_buffer (sample));
  guint rate = options.rate > 0 ? options.rate : 30;
  GstFlowReturn flow;

  GST_BUFFER_PTS (buffer) = gst_util_uint64_scale (i, GST_SECOND, rate);
  GST_BUFFER_DURATION (buffer) = GST_SECOND / rate;
  g_signal_emit_by_name (source, "push-buffer", buffer, &flow);
  return flow == GST_FLOW_OK;
}

static void
feed (GstElement *source, GstSample *sample, Bench *bench)
{
  gint64 began = g_get_monotonic_time ();

  for (gint i = 0; i < options.frames; i++) {
    if (options.rate > 0) {
      wait_until (began + i * G_USEC_PER_SEC / options.rate);
      if (i == options.frames / 10)
        begin (bench);
    }
    if (!push (source, sample, i))
      return;
  }
}

static GstElement *
make_pipeline (const gchar *uri, GError **error)
{
  g_autofree gchar *filter = g_strdup_printf (
      "falrealtimefilter app=bench/app base-uri=%s image-field=image_bytes image-encoding=bytes "
      "auth=none request-timeout=60000 %s %s ! %s",
      uri, options.rate > 0 ? "" : "throttle-interval=0",
      options.properties ? options.properties : "", options.output);
  g_autofree gchar *description = g_strdup_printf (
      "appsrc name=source format=time is-live=%d block=%d max-buffers=4 leaky-type=%s ! %s ! "
      "fakesink name=sink sync=false signal-handoffs=true",
      options.rate > 0, options.rate == 0, options.rate > 0 ? "downstream" : "none",
      options.through ? options.through : filter);

  return gst_parse_launch (description, error);
}

/* The stream's end; whether all that had to come came. */
static gboolean
wait_for_end (GstElement *pipeline, const Bench *bench)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (bus, WATCHDOG, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  guint wanted = options.rate > 0 ? 1 : options.frames;

  if (message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS && bench->seen >= wanted)
    return TRUE;
  fprintf (stderr, "%u of %d frames came back\n", bench->seen, options.frames);
  return FALSE;
}

static void
print (const Bench *bench)
{
  gdouble cpu = cpu_time () - bench->began_cpu;
  gdouble seconds = (g_get_monotonic_time () - bench->began) / 1e6;
  guint counted = MAX (bench->seen - bench->first, 1);

  printf ("%.1f %.1f %ld %ld %u %.0f\n", cpu / counted, counted / seconds, bench->rss,
      resident_kib (), counted, cpu / seconds);
}

static gboolean
run (const gchar *uri, GstSample *sample)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = make_pipeline (uri, &error);
  g_autoptr (GstElement) source = NULL;
  g_autoptr (GstElement) sink = NULL;
  Bench bench = { .warm = options.rate > 0 ? 0 : MAX (options.frames / 10, 1) };
  GstFlowReturn flow;
  gboolean done;

  if (error) {
    fprintf (stderr, "%s\n", error->message);
    return FALSE;
  }
  source = gst_bin_get_by_name (GST_BIN (pipeline), "source");
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_object_set (source, "caps", gst_sample_get_caps (sample), NULL);
  g_signal_connect (sink, "handoff", G_CALLBACK (on_result), &bench);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  feed (source, sample, &bench);
  g_signal_emit_by_name (source, "end-of-stream", &flow);
  done = wait_for_end (pipeline, &bench);
  if (done)
    print (&bench);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return done;
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new ("URI PICTURE");
  g_autoptr (GstSample) sample = NULL;

  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_add_group (context, gst_init_get_option_group ());
  if (!g_option_context_parse (context, &argc, &argv, NULL) || argc != 3) {
    fprintf (stderr, "usage: bench-element [OPTION…] URI PICTURE\n");
    return 2;
  }
  sample = g_str_has_prefix (options.input, "image/") ? load_jpeg (argv[2]) : load_raw (argv[2]);
  if (sample == NULL) {
    fprintf (stderr, "%s could not be read\n", argv[2]);
    return 1;
  }
  return run (argv[1], sample) ? 0 : 1;
}
