/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lays results on frames of 1920 × 1080, or runs a pipeline that does as much. The last line has
 * the processor's µs for a frame, and the KiB of memory that it took on top of what was there
 * before.
 *
 * usage: bench-composite FRAMES MODE FRAME-FORMAT RESULT-FORMAT OUTPUT-FORMAT [kept]
 *        bench-composite FRAMES pipeline LINE, where %FRAMES stands for how many */
#include "process-usage.h"
#include <fal/image/overlay.h>

#include <gst/video/video.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WARM 10 /* frames before it counts */

static const struct {
  const gchar *name;
  FalOverlayConfig config;
} modes[] = {
  { "over", { FAL_COMPOSITE_OVER } },
  { "over-feather", { FAL_COMPOSITE_OVER, 32 } },
  { "matte", { FAL_COMPOSITE_MATTE } },
  { "matte-over", { FAL_COMPOSITE_MATTE_OVER, 0, FAL_FIT_CROP, { FALSE, 0xff000000 } } },
  { "matte-over-blur", { FAL_COMPOSITE_MATTE_OVER, 0, FAL_FIT_CROP, { TRUE } } },
};

static const FalOverlayConfig *
find_config (const gchar *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (modes); i++)
    if (g_str_equal (modes[i].name, name))
      return &modes[i].config;
  g_error ("no mode %s", name);
}

static GstSample *
make_sample (const gchar *format, gint width, gint height)
{
  g_autoptr (GstCaps) caps =
      gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING, format, "width", G_TYPE_INT,
          width, "height", G_TYPE_INT, height, "framerate", GST_TYPE_FRACTION, 30, 1, NULL);
  GstVideoInfo info;
  guint8 *data;
  g_autoptr (GstBuffer) buffer = NULL;

  if (!gst_video_info_from_caps (&info, caps))
    g_error ("no format %s", format);
  data = g_malloc (info.size);
  for (gsize i = 0; i < info.size; i++)
    data[i] = i * 7 + i / 1920;
  buffer = gst_buffer_new_wrapped (data, info.size);
  return gst_sample_new (buffer, caps, NULL, NULL);
}

typedef struct {
  FalOverlay *overlay;
  GstSample *frame, *result;
  const FalOverlayConfig *config;
  FalLayout layout;
  GstCaps *output;
  FalLayer *kept; /* NULL: each frame has a result of its own */
} Work;

static FalLayer *
make_layer (Work *work)
{
  g_autoptr (GError) error = NULL;
  FalLayer *layer = fal_overlay_make_layer (work->overlay, work->result, &work->layout,
      gst_sample_get_caps (work->frame), work->config, &error);

  if (layer == NULL)
    g_error ("%s", error->message);
  return layer;
}

static void
work_on (Work *work, guint frames)
{
  for (guint i = 0; i < frames; i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (FalLayer) layer = work->kept ? fal_layer_ref (work->kept) : make_layer (work);
    g_autoptr (GstBuffer) buffer =
        fal_overlay_apply (work->overlay, work->frame, work->output, layer, NULL, 0, NULL, &error);

    if (buffer == NULL)
      g_error ("%s", error->message);
  }
}

static void
run_work (guint frames, char **arguments, gboolean kept)
{
  Work work = { fal_overlay_new (), make_sample (arguments[1], 1920, 1080) };
  g_autofree gchar *allowed = g_strdup_printf ("video/x-raw,format=%s", arguments[3]);
  g_autoptr (GstCaps) takes = gst_caps_from_string (allowed);
  gboolean matte = strncmp (arguments[0], "over", 4) != 0;
  glong before;
  gint64 begin;

  work.config = find_config (arguments[0]);
  work.result =
      matte ? make_sample (arguments[2], 1920, 1080) : make_sample (arguments[2], 512, 512);
  if (!matte)
    work.layout = (FalLayout) { 512, 512, 1, 1, { 700, 300, 512, 512 }, { 0, 0, 512, 512 } };
  work.output = fal_overlay_make_caps (gst_sample_get_caps (work.frame), takes, work.config, NULL);
  before = resident_kib ();
  if (kept)
    work.kept = make_layer (&work);
  work_on (&work, WARM);
  begin = cpu_time ();
  work_on (&work, frames);
  printf ("%.1f %ld\n", (gdouble) (cpu_time () - begin) / frames, resident_kib () - before);
}

static void
run_line (const gchar *line, guint frames)
{
  g_autofree gchar *number = g_strdup_printf ("%u", frames);
  g_auto (GStrv) parts = g_strsplit (line, "%FRAMES", -1);
  g_autofree gchar *whole = g_strjoinv (number, parts);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (whole, &error);
  g_autoptr (GstBus) bus = NULL;
  g_autoptr (GstMessage) message = NULL;

  if (error != NULL)
    g_error ("%s", error->message);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message =
      gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error (message, &error, NULL);
    g_error ("%s", error->message);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

/* What starts and ends is left out: many frames less few. */
static void
run_pipeline (const gchar *line, guint frames)
{
  glong before;
  gint64 begin, middle;
  struct rusage usage;

  run_line ("fakesrc num-buffers=1 ! fakesink", 1);
  before = resident_kib ();
  begin = cpu_time ();
  run_line (line, WARM);
  middle = cpu_time ();
  run_line (line, WARM + frames);
  getrusage (RUSAGE_SELF, &usage);
  printf ("%.1f %ld\n", (gdouble) ((cpu_time () - middle) - (middle - begin)) / frames,
      usage.ru_maxrss - before);
}

int
main (int argc, char **argv)
{
  guint frames;

  gst_init (&argc, &argv);
  if (argc < 4)
    return 2;
  frames = atoi (argv[1]);
  if (g_str_equal (argv[2], "pipeline"))
    run_pipeline (argv[3], frames);
  else
    run_work (frames, argv + 2, argc > 6);
  return 0;
}
