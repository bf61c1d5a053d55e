/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bench-square-jpeg fal|gstreamer|gstreamer-rgb FORMAT WIDTH HEIGHT PICTURE FRAMES: a camera's
 * frame, cut to a square and scaled to 512 by 512, as JPEG: by the element's encoder, or by
 * videocrop, videoscale, videoconvert and jpegenc. The last one goes through RGB, without which
 * jpegenc writes white as 235. Prints CPU microseconds a frame, and bytes of the JPEG. */
#include <fal/image/encoder.h>
#include <gst/check/gstharness.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SIDE 512

/* Of this thread, which does all of it, µs. */
static gdouble
thread_time (void)
{
  struct timespec time;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static GstSample *
load (const gchar *format, gint width, gint height, const gchar *path)
{
  g_autofree gchar *description = g_strdup_printf (
      "filesrc location=%s ! jpegdec ! videoconvert ! videoscale ! video/x-raw,format=%s,"
      "width=%d,height=%d,pixel-aspect-ratio=1/1 ! appsink name=sink",
      path, format, width, height);
  g_autoptr (GstElement) pipeline = gst_parse_launch (description, NULL);
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  GstSample *sample = NULL;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_signal_emit_by_name (sink, "try-pull-sample", 10 * GST_SECOND, &sample);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return sample;
}

static gsize
encode (FalEncoder *encoder, GstSample *sample)
{
  const FalEncoderConfig config = { .width = SIDE, .height = SIDE, .quality = 85 };
  const gchar *media_type;
  g_autoptr (GBytes) jpeg = fal_encoder_encode (encoder, sample, &config, &media_type, NULL, NULL);

  return jpeg != NULL ? g_bytes_get_size (jpeg) : 0;
}

static gsize
push (GstHarness *harness, GstSample *sample)
{
  GstBuffer *buffer = gst_buffer_copy (gst_sample_get_buffer (sample));
  g_autoptr (GstBuffer) jpeg = NULL;

  GST_BUFFER_PTS (buffer) = 0;
  gst_harness_push (harness, buffer);
  jpeg = gst_harness_pull (harness);
  return jpeg != NULL ? gst_buffer_get_size (jpeg) : 0;
}

static GstHarness *
make_harness (GstSample *sample, gint width, gint height, gboolean rgb)
{
  gint left = (width - height) / 2;
  g_autofree gchar *description = g_strdup_printf (
      "videocrop left=%d right=%d ! videoscale ! video/x-raw,width=%d,height=%d ! videoconvert ! "
      "%s jpegenc quality=85",
      left, width - height - left, SIDE, SIDE, rgb ? "video/x-raw,format=RGB !" : "");
  GstHarness *harness = gst_harness_new_parse (description);

  gst_harness_set_src_caps (harness, gst_caps_ref (gst_sample_get_caps (sample)));
  return harness;
}

int
main (int argc, char **argv)
{
  g_autoptr (GstSample) sample = NULL;
  g_autoptr (FalEncoder) encoder = NULL;
  GstHarness *harness = NULL;
  gdouble began = 0;
  gint frames;
  gsize size = 0;

  gst_init (&argc, &argv);
  frames = argc == 7 ? atoi (argv[6]) : 0;
  if (frames > 0)
    sample = load (argv[2], atoi (argv[3]), atoi (argv[4]), argv[5]);
  if (sample == NULL) {
    fprintf (stderr,
        "usage: bench-square-jpeg fal|gstreamer|gstreamer-rgb FORMAT WIDTH HEIGHT PICTURE "
        "FRAMES\n");
    return 2;
  }
  if (strcmp (argv[1], "fal") == 0)
    encoder = fal_encoder_new ();
  else
    harness = make_harness (
        sample, atoi (argv[3]), atoi (argv[4]), strcmp (argv[1], "gstreamer-rgb") == 0);
  for (gint i = -frames / 10 - 1; i < frames; i++) {
    if (i == 0)
      began = thread_time ();
    size = encoder != NULL ? encode (encoder, sample) : push (harness, sample);
  }
  printf ("%.1f %" G_GSIZE_FORMAT "\n", (thread_time () - began) / frames, size);
  if (harness != NULL)
    gst_harness_teardown (harness);
  return size > 0 ? 0 : 1;
}
