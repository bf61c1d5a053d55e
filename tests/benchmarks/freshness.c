/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bench-freshness: falrealtimefilter behind a camera, JPEG untouched in and out. Writes a line for
 * each result: number of its frame, when that came to the element's sink pad, its request id, when
 * it was taken to be sent, when its reply was there, when it left the source pad (monotonic µs).
 * With --shown a sink that synchronises stands right behind it, the time is that of showing, and
 * two more are how long after their times that sink shows pictures (µs), and 1 for a picture that
 * was shown before; --beside adds another branch, whose sink takes so long. --bare: a test picture
 * in place of camera and element, to see how exact this machine's sinks are. Prints, as JSON,
 * frames, begin and end, CPU time, codec times, the pipeline's latency, and how often each thread
 * waited.
 */
#include "camera-clock.h"
#include "process-usage.h"
#include <gst/base/gstbasesink.h>
#include <gst/gst.h>
#include <stdio.h>
#include <string.h>

typedef struct {
  gchar *uri, *picture, *output, *properties;
  gdouble fps, seconds;
  gint in_flight, throttle, beside;
  gboolean shown, bare;
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

/* The newest frame goes, so it is the last one that came before. */
static guint
get_number_sent (const Bench *bench, gint64 sent)
{
  guint number = 0;

  while (number + 1 < bench->n_frames && bench->arrivals[number + 1] != 0 &&
         bench->arrivals[number + 1] <= sent)
    number++;
  return number;
}

/* @sink: the one that shows it, at this moment; NULL: it leaves the element with its frame's time.
 */
static void
write_result (const Bench *bench, GstBuffer *buffer, GstElement *sink)
{
  gint64 now = g_get_monotonic_time (), sent = 0, received = 0;
  GstCustomMeta *meta = gst_buffer_get_custom_meta (buffer, "GstFalResultMeta");
  const GstStructure *result = meta ? gst_custom_meta_get_structure (meta) : NULL;
  guint number;

  if (result == NULL)
    return;
  gst_structure_get (
      result, "sent", G_TYPE_INT64, &sent, "received", G_TYPE_INT64, &received, NULL);
  number = sink ? get_number_sent (bench, sent) : get_number (bench, buffer);
  fprintf (bench->output,
      "%u,%" G_GINT64_FORMAT ",%s,%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT
      ",%" G_GUINT64_FORMAT ",%d\n",
      number, bench->arrivals[number], gst_structure_get_string (result, "request-id"), sent,
      received, now, sink ? gst_base_sink_get_latency (GST_BASE_SINK (sink)) / GST_USECOND : 0,
      GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP));
}

static GstPadProbeReturn
on_result (GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
  write_result (user, GST_PAD_PROBE_INFO_BUFFER (info), NULL);
  return GST_PAD_PROBE_OK;
}

/* The sink has waited for the buffer's time. */
static void
on_shown (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer user)
{
  write_result (user, buffer, sink);
}

/* A test picture's number is all that is known of it. */
static void
on_bare (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer user)
{
  const Bench *bench = user;
  gint64 time = (gst_element_get_base_time (sink) + GST_BUFFER_PTS (buffer)) / GST_USECOND;

  fprintf (bench->output,
      "%u,%" G_GINT64_FORMAT ",,0,%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT ",%" G_GUINT64_FORMAT
      ",0\n",
      get_number (bench, buffer), time, time, g_get_monotonic_time (),
      gst_base_sink_get_latency (GST_BASE_SINK (sink)) / GST_USECOND);
}

static void
watch (GstElement *filter, const gchar *name, GstPadProbeCallback callback, Bench *bench)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (filter, name);

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, callback, bench, NULL);
}

/* ---- the camera ---- */

/* Frames at their times, however long one takes to push; the first at @begin, monotonic µs. */
static void
film (const Bench *bench, GstElement *source, GBytes *picture, gint64 begin)
{
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

/* ---- the application ---- */

/* Other messages are not worth waking a thread for. */
static GstBusSyncReply
choose_message (GstBus *bus, GstMessage *message, gpointer user)
{
  if (GST_MESSAGE_TYPE (message) & (GST_MESSAGE_LATENCY | GST_MESSAGE_APPLICATION))
    return GST_BUS_PASS;
  gst_message_unref (message);
  return GST_BUS_DROP;
}

/* Sinks are told of another latency, as any application has to; a message of the application ends
 * this. */
static gpointer
follow_latency (gpointer user)
{
  GstElement *pipeline = user;
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  gboolean ends = FALSE;

  while (!ends) {
    g_autoptr (GstMessage) message = gst_bus_timed_pop (bus, GST_CLOCK_TIME_NONE);

    ends = GST_MESSAGE_TYPE (message) == GST_MESSAGE_APPLICATION;
    if (!ends)
      gst_bin_recalculate_latency (GST_BIN (pipeline));
  }
  return NULL;
}

static GThread *
begin_following (GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);

  gst_bus_set_sync_handler (bus, choose_message, NULL, NULL);
  return g_thread_new ("application", follow_latency, pipeline);
}

static void
end_following (GstElement *pipeline, GThread *thread)
{
  gst_element_post_message (
      pipeline, gst_message_new_application (NULL, gst_structure_new_empty ("end")));
  g_thread_join (thread);
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

/* ms */
static gdouble
get_latency (GstElement *pipeline)
{
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  GstClockTime least = 0;

  if (gst_element_query (pipeline, query))
    gst_query_parse_latency (query, NULL, &least, NULL);
  return least / (gdouble) GST_MSECOND;
}

static void
report (const Bench *bench, GstElement *pipeline, GstElement *filter, gint64 cpu, gint64 begin,
    gint64 end)
{
  g_autoptr (GstStructure) stats = NULL;
  g_autofree gchar *waits = describe_waits ();
  gdouble encode = 0, decode = 0;

  if (filter != NULL) {
    g_object_get (filter, "stats", &stats, NULL);
    gst_structure_get (
        stats, "encode-p50", G_TYPE_DOUBLE, &encode, "decode-p50", G_TYPE_DOUBLE, &decode, NULL);
  }
  printf ("{\"frames\": %u, \"begin_us\": %" G_GINT64_FORMAT ", \"end_us\": %" G_GINT64_FORMAT
          ", \"cpu_us\": %" G_GINT64_FORMAT
          ", \"encode_ms\": %.3f, \"decode_ms\": %.3f, \"latency_ms\": %.1f, \"waits\": %s}\n",
      bench->n_frames, begin, end, cpu, encode, decode, get_latency (pipeline), waits);
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
    { "throttle", 0, 0, G_OPTION_ARG_INT, &to->throttle, "throttle-interval", "MS" },
    { "properties", 0, 0, G_OPTION_ARG_STRING, &to->properties, "More of them", "TEXT" },
    { "shown", 0, 0, G_OPTION_ARG_NONE, &to->shown, "Up to a sink that synchronises", NULL },
    { "beside", 0, 0, G_OPTION_ARG_INT, &to->beside, "Latency of another branch", "MS" },
    { "bare", 0, 0, G_OPTION_ARG_NONE, &to->bare, "A test picture before such a sink", NULL },
    { NULL } };
  g_autoptr (GOptionContext) context = g_option_context_new ("- how fresh results are");

  g_option_context_add_main_entries (context, entries, NULL);
  return g_option_context_parse (context, argc, argv, error);
}

static GstElement *
make_pipeline (const Arguments *arguments, GError **error)
{
  g_autofree gchar *branch = g_strdup_printf (
      "videotestsrc is-live=true ! video/x-raw,width=16,height=16,framerate=10/1 ! "
      "fakesink sync=true processing-deadline=%" G_GUINT64_FORMAT,
      arguments->beside * (guint64) GST_MSECOND);
  g_autofree gchar *description = g_strdup_printf (
      "appsrc name=source is-live=true format=time caps=image/jpeg ! "
      "falrealtimefilter name=filter app=bench/app base-uri=%s image-field=image_bytes "
      "image-encoding=bytes auth=none timestamp-mode=%s max-in-flight=%d throttle-interval=%d %s ! "
      "image/jpeg ! fakesink name=sink sync=%d signal-handoffs=%d %s",
      arguments->uri, arguments->shown ? "auto" : "input", arguments->in_flight,
      arguments->throttle, arguments->properties ? arguments->properties : "", arguments->shown,
      arguments->shown, arguments->beside > 0 ? branch : "");

  return gst_parse_launch (description, error);
}

static GstElement *
make_bare_pipeline (const Arguments *arguments, GError **error)
{
  g_autofree gchar *description = g_strdup_printf (
      "videotestsrc is-live=true ! video/x-raw,width=320,height=320,framerate=%d/1 ! "
      "fakesink name=sink sync=true signal-handoffs=true",
      (gint) arguments->fps);

  return gst_parse_launch (description, error);
}

/* Monotonic µs, at which running time is 0. */
static gint64
play (GstElement *pipeline)
{
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  return gst_element_get_base_time (pipeline) / GST_USECOND;
}

static void
run (Bench *bench, GstElement *pipeline, GBytes *picture, gboolean shown)
{
  g_autoptr (GstElement) source = gst_bin_get_by_name (GST_BIN (pipeline), "source");
  g_autoptr (GstElement) filter = gst_bin_get_by_name (GST_BIN (pipeline), "filter");
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  GThread *following = begin_following (pipeline);
  gint64 cpu, begin;

  watch (filter, "sink", on_frame, bench);
  if (shown)
    g_signal_connect (sink, "handoff", G_CALLBACK (on_shown), bench);
  else
    watch (filter, "src", on_result, bench);
  begin = play (pipeline);
  cpu = cpu_time ();
  film (bench, source, picture, begin);
  report (bench, pipeline, filter, cpu_time () - cpu, begin, g_get_monotonic_time ());
  end_following (pipeline, following);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

static void
run_bare (Bench *bench, GstElement *pipeline)
{
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  gint64 cpu, begin;

  g_signal_connect (sink, "handoff", G_CALLBACK (on_bare), bench);
  begin = play (pipeline);
  cpu = cpu_time ();
  wait_until (begin + (gint64) (bench->n_frames * bench->interval / GST_USECOND));
  report (bench, pipeline, NULL, cpu_time () - cpu, begin, g_get_monotonic_time ());
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

/* NULL: none is needed, or @error. */
static GBytes *
load_picture (const Arguments *arguments, GError **error)
{
  gchar *data = NULL;
  gsize size = 0;

  if (arguments->bare ||
      !g_file_get_contents (arguments->picture ? arguments->picture : "", &data, &size, error))
    return NULL;
  return g_bytes_new_take (data, size);
}

int
main (int argc, char **argv)
{
  Arguments arguments = { .fps = 30, .seconds = 5 };
  Bench bench = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = NULL;
  g_autoptr (GBytes) picture = NULL;

  gst_init (NULL, NULL);
  if (parse (&arguments, &argc, &argv, &error))
    picture = load_picture (&arguments, &error);
  if (error == NULL)
    pipeline = arguments.bare ? make_bare_pipeline (&arguments, &error)
                              : make_pipeline (&arguments, &error);
  if (error != NULL) {
    fprintf (stderr, "bench-freshness: %s\n", error->message);
    return 1;
  }
  bench.interval = GST_SECOND / arguments.fps;
  bench.n_frames = MAX (arguments.seconds * arguments.fps, 1);
  bench.arrivals = g_new0 (gint64, bench.n_frames);
  bench.output = fopen (arguments.output ? arguments.output : "/dev/null", "w");
  if (bench.output == NULL) {
    fprintf (stderr, "bench-freshness: cannot write %s\n", arguments.output);
    return 1;
  }
  if (arguments.bare)
    run_bare (&bench, pipeline);
  else
    run (&bench, pipeline, picture, arguments.shown);
  fclose (bench.output);
  g_free (bench.arrivals);
  return 0;
}
