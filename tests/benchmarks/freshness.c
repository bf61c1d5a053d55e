/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bench-freshness: falrealtimefilter behind a camera, JPEG untouched in and out. Writes a line for
 * each result: number of its frame, when that came to the element's sink pad, its request id, when
 * it was taken to be sent, when its reply was there, when it left the source pad (monotonic µs).
 * Prints, as JSON, frames, begin and end, CPU time, codec times, and how often each thread waited.
 */
#include "camera-clock.h"
#include "process-usage.h"
#include <gst/gst.h>
#include <stdio.h>
#include <string.h>

typedef struct {
  gchar *uri, *picture, *output;
  gdouble fps, seconds;
  gint in_flight, throttle;
} Arguments;

typedef struct {
  GstClockTime interval; /* ns */
  guint n_frames;
  gint64 *arrivals; /* µs; written by the streaming thread, read with the result's frame */
  FILE *output;     /* source task */
} Bench;

/* ---- the element's pads ---- */

static guint
get_number (const Bench *bench, GstBuffer *buffer)
{
  guint64 number = (GST_BUFFER_PTS (buffer) + bench->interval / 2) / bench->interval;

  return MIN (number, bench->n_frames - 1);
}

static GstPadProbeReturn
on_frame (GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
  Bench *bench = user;

  bench->arrivals[get_number (bench, GST_PAD_PROBE_INFO_BUFFER (info))] = g_get_monotonic_time ();
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
on_result (GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
  gint64 now = g_get_monotonic_time (), sent = 0, received = 0;
  Bench *bench = user;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  GstCustomMeta *meta = gst_buffer_get_custom_meta (buffer, "GstFalResultMeta");
  const GstStructure *result = meta ? gst_custom_meta_get_structure (meta) : NULL;
  guint number = get_number (bench, buffer);

  if (result == NULL)
    return GST_PAD_PROBE_OK;
  gst_structure_get (
      result, "sent", G_TYPE_INT64, &sent, "received", G_TYPE_INT64, &received, NULL);
  fprintf (bench->output,
      "%u,%" G_GINT64_FORMAT ",%s,%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT "\n",
      number, bench->arrivals[number], gst_structure_get_string (result, "request-id"), sent,
      received, now);
  return GST_PAD_PROBE_OK;
}

static void
watch (GstElement *filter, const gchar *name, GstPadProbeCallback callback, Bench *bench)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (filter, name);

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, callback, bench, NULL);
}

/* ---- the camera ---- */

/* Frames at their times, however long one takes to push. */
static void
film (const Bench *bench, GstElement *source, GBytes *picture)
{
  gint64 begin = g_get_monotonic_time ();

  for (guint i = 0; i < bench->n_frames; i++) {
    g_autoptr (GstBuffer) buffer = gst_buffer_new_wrapped_bytes (picture);
    GstFlowReturn flow;

    GST_BUFFER_PTS (buffer) = i * bench->interval;
    GST_BUFFER_DURATION (buffer) = bench->interval;
    wait_until (begin + (gint64) (i * bench->interval / 1000));
    g_signal_emit_by_name (source, "push-buffer", buffer, &flow);
    if (flow != GST_FLOW_OK)
      return;
  }
}

/* ---- what it cost ---- */

static guint64
read_number (const gchar *text, const gchar *key)
{
  const gchar *at = strstr (text, key);

  return at ? g_ascii_strtoull (at + strlen (key), NULL, 10) : 0;
}

/* {"name": times it waited, …} of the threads that live now. */
static gchar *
describe_waits (void)
{
  g_autoptr (GDir) tasks = g_dir_open ("/proc/self/task", 0, NULL);
  g_autoptr (GString) json = g_string_new ("{");
  const gchar *task;

  while (tasks != NULL && (task = g_dir_read_name (tasks)) != NULL) {
    g_autofree gchar *path = g_build_filename ("/proc/self/task", task, NULL);
    g_autofree gchar *name_file = g_build_filename (path, "comm", NULL);
    g_autofree gchar *status_file = g_build_filename (path, "status", NULL);
    g_autofree gchar *name = NULL, *status = NULL;

    if (!g_file_get_contents (name_file, &name, NULL, NULL) ||
        !g_file_get_contents (status_file, &status, NULL, NULL))
      continue;
    g_string_append_printf (json, "%s\"%s\": %" G_GUINT64_FORMAT, json->len > 1 ? ", " : "",
        g_strstrip (name), read_number (status, "\nvoluntary_ctxt_switches:"));
  }
  g_string_append_c (json, '}');
  return g_string_free (g_steal_pointer (&json), FALSE);
}

static void
report (const Bench *bench, GstElement *filter, gint64 cpu, gint64 begin)
{
  g_autoptr (GstStructure) stats = NULL;
  g_autofree gchar *waits = describe_waits ();
  gdouble encode = 0, decode = 0;

  g_object_get (filter, "stats", &stats, NULL);
  gst_structure_get (
      stats, "encode-p50", G_TYPE_DOUBLE, &encode, "decode-p50", G_TYPE_DOUBLE, &decode, NULL);
  printf ("{\"frames\": %u, \"begin_us\": %" G_GINT64_FORMAT ", \"end_us\": %" G_GINT64_FORMAT
          ", \"cpu_us\": %" G_GINT64_FORMAT
          ", \"encode_ms\": %.3f, \"decode_ms\": %.3f, \"waits\": %s}\n",
      bench->n_frames, begin, g_get_monotonic_time (), cpu, encode, decode, waits);
}

/* ---- start ---- */

static gboolean
parse (Arguments *to, gint *argc, gchar ***argv, GError **error)
{
  const GOptionEntry entries[] = { { "uri", 0, 0, G_OPTION_ARG_STRING, &to->uri,
                                       "ws://127.0.0.1:PORT", "URI" },
    { "picture", 0, 0, G_OPTION_ARG_FILENAME, &to->picture, "What each frame shows", "JPEG" },
    { "output", 0, 0, G_OPTION_ARG_FILENAME, &to->output, "Where results are listed", "FILE" },
    { "fps", 0, 0, G_OPTION_ARG_DOUBLE, &to->fps, "Frames a second", "N" },
    { "seconds", 0, 0, G_OPTION_ARG_DOUBLE, &to->seconds, "How long it takes", "N" },
    { "in-flight", 0, 0, G_OPTION_ARG_INT, &to->in_flight, "max-in-flight", "N" },
    { "throttle", 0, 0, G_OPTION_ARG_INT, &to->throttle, "throttle-interval", "MS" }, { NULL } };
  g_autoptr (GOptionContext) context = g_option_context_new ("- how fresh results are");

  g_option_context_add_main_entries (context, entries, NULL);
  return g_option_context_parse (context, argc, argv, error);
}

static GstElement *
make_pipeline (const Arguments *arguments, GError **error)
{
  g_autofree gchar *description = g_strdup_printf (
      "appsrc name=source is-live=true format=time caps=image/jpeg ! "
      "falrealtimefilter name=filter app=bench/app base-uri=%s image-field=image_bytes "
      "image-encoding=bytes auth=none timestamp-mode=input max-in-flight=%d throttle-interval=%d ! "
      "image/jpeg ! fakesink sync=false",
      arguments->uri, arguments->in_flight, arguments->throttle);

  return gst_parse_launch (description, error);
}

static void
run (Bench *bench, GstElement *pipeline, GBytes *picture)
{
  g_autoptr (GstElement) source = gst_bin_get_by_name (GST_BIN (pipeline), "source");
  g_autoptr (GstElement) filter = gst_bin_get_by_name (GST_BIN (pipeline), "filter");
  gint64 cpu, begin;

  watch (filter, "sink", on_frame, bench);
  watch (filter, "src", on_result, bench);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  cpu = cpu_time ();
  begin = g_get_monotonic_time ();
  film (bench, source, picture);
  report (bench, filter, cpu_time () - cpu, begin);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

int
main (int argc, char **argv)
{
  Arguments arguments = { .fps = 30, .seconds = 5 };
  Bench bench = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = NULL;
  g_autoptr (GBytes) picture = NULL;
  gchar *data = NULL;
  gsize size = 0;

  gst_init (NULL, NULL);
  if (!parse (&arguments, &argc, &argv, &error) ||
      (pipeline = make_pipeline (&arguments, &error)) == NULL ||
      !g_file_get_contents (arguments.picture ? arguments.picture : "", &data, &size, &error)) {
    fprintf (stderr, "bench-freshness: %s\n", error->message);
    return 1;
  }
  picture = g_bytes_new_take (data, size);
  bench.interval = GST_SECOND / arguments.fps;
  bench.n_frames = MAX (arguments.seconds * arguments.fps, 1);
  bench.arrivals = g_new0 (gint64, bench.n_frames);
  bench.output = fopen (arguments.output ? arguments.output : "/dev/null", "w");
  if (bench.output == NULL) {
    fprintf (stderr, "bench-freshness: cannot write %s\n", arguments.output);
    return 1;
  }
  run (&bench, pipeline, picture);
  fclose (bench.output);
  g_free (bench.arrivals);
  return 0;
}
