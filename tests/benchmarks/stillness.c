/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bench-stillness PICTURE ROUNDS: what it costs to look at a frame of 1920 by 1080 that may show
 * nothing new, in some formats, and to compare two. The frame is @PICTURE, a JPEG, side by side as
 * often as it fits. Prints lines of CPU microseconds: the least of the rounds, as other work on the
 * machine makes it only longer, and the median. */
#include <fal/image/difference.h>
#include <fal/image/encoder.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WIDTH 1920
#define HEIGHT 1080

static const FalArea whole;

/* Of this thread, which does all of it, µs. */
static gdouble
thread_time (void)
{
  struct timespec time;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static GstSample *
load (const gchar *path)
{
  g_autofree gchar *description = g_strdup_printf (
      "filesrc location=%s ! jpegdec ! videoconvert ! video/x-raw,format=RGB ! appsink name=sink",
      path);
  g_autoptr (GstElement) pipeline = gst_parse_launch (description, NULL);
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  GstSample *sample = NULL;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_signal_emit_by_name (sink, "try-pull-sample", 10 * GST_SECOND, &sample);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return sample;
}

/* @frame is mapped for writing, in RGB. */
static void
tile (GstVideoFrame *frame, const GstVideoFrame *picture)
{
  gint width = GST_VIDEO_FRAME_WIDTH (picture), height = GST_VIDEO_FRAME_HEIGHT (picture);

  for (gint y = 0; y < HEIGHT; y++)
    for (gint x = 0; x < WIDTH; x += width)
      memcpy ((guint8 *) frame->data[0] + y * frame->info.stride[0] + 3 * x,
          (guint8 *) picture->data[0] + y % height * picture->info.stride[0],
          3 * (gsize) MIN (width, WIDTH - x));
}

static GstSample *
make_sample (const GstVideoInfo *info, GstBuffer *buffer)
{
  g_autoptr (GstCaps) caps = gst_video_info_to_caps (info);
  g_autoptr (GstBuffer) owned = buffer;

  return gst_sample_new (owned, caps, NULL, NULL);
}

static GstSample *
make_frame (GstSample *picture)
{
  GstVideoInfo info, small;
  GstVideoFrame from, to;
  GstBuffer *buffer;

  gst_video_info_from_caps (&small, gst_sample_get_caps (picture));
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, WIDTH, HEIGHT);
  buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  gst_video_frame_map (&from, &small, gst_sample_get_buffer (picture), GST_MAP_READ);
  gst_video_frame_map (&to, &info, buffer, GST_MAP_WRITE);
  tile (&to, &from);
  gst_video_frame_unmap (&from);
  gst_video_frame_unmap (&to);
  return make_sample (&info, buffer);
}

static GstSample *
convert (GstSample *frame, const gchar *format)
{
  GstVideoInfo from, to;
  GstVideoFrame in, out;
  GstBuffer *buffer;
  GstVideoConverter *converter;

  gst_video_info_from_caps (&from, gst_sample_get_caps (frame));
  gst_video_info_set_format (&to, gst_video_format_from_string (format), WIDTH, HEIGHT);
  buffer = gst_buffer_new_allocate (NULL, to.size, NULL);
  converter = gst_video_converter_new (&from, &to, NULL);
  gst_video_frame_map (&in, &from, gst_sample_get_buffer (frame), GST_MAP_READ);
  gst_video_frame_map (&out, &to, buffer, GST_MAP_WRITE);
  gst_video_converter_frame (converter, &in, &out);
  gst_video_frame_unmap (&in);
  gst_video_frame_unmap (&out);
  gst_video_converter_free (converter);
  return make_sample (&to, buffer);
}

static GstSample *
compress (GstSample *frame)
{
  const FalEncoderConfig config = { .quality = 85 };
  g_autoptr (FalEncoder) encoder = fal_encoder_new ();
  const gchar *type;
  g_autoptr (GBytes) jpeg = fal_encoder_encode (encoder, frame, &config, &type, NULL, NULL);
  g_autoptr (GstBuffer) buffer = gst_buffer_new_wrapped_bytes (jpeg);
  g_autoptr (GstCaps) caps = gst_caps_new_empty_simple (type);

  printf ("# a JPEG of %" G_GSIZE_FORMAT " KB\n", g_bytes_get_size (jpeg) / 1000);
  return gst_sample_new (buffer, caps, NULL, NULL);
}

static int
compare_times (gconstpointer a, gconstpointer b)
{
  gdouble one = *(const gdouble *) a, other = *(const gdouble *) b;

  return (one > other) - (one < other);
}

static void
print_times (const gchar *name, gdouble *times, guint n)
{
  qsort (times, n, sizeof *times, compare_times);
  printf ("%-22s %6.0f %6.0f\n", name, times[0], times[n / 2]);
}

static void
measure (const gchar *name, GstSample *sample, guint rounds)
{
  g_autoptr (FalDifference) difference = fal_difference_new ();
  g_autoptr (FalSignature) first = fal_difference_reduce (difference, sample, &whole);
  g_autofree gdouble *reduced = g_new (gdouble, rounds), *compared = g_new (gdouble, rounds);

  for (guint i = 0; i < rounds; i++) {
    gdouble began = thread_time (), middle;
    g_autoptr (FalSignature) signature = fal_difference_reduce (difference, sample, &whole);

    middle = thread_time ();
    fal_difference_compare (difference, first, signature);
    reduced[i] = middle - began;
    compared[i] = thread_time () - middle;
  }
  print_times (name, reduced, rounds);
  if (g_str_equal (name, "NV12"))
    print_times ("(comparing two)", compared, rounds);
}

int
main (int argc, char **argv)
{
  static const gchar *const formats[] = { "NV12", "YUY2", "BGRx", "RGB", "I420_10LE", "P010_10LE",
    "v210", "NV12_4L4" };
  g_autoptr (GstSample) picture = NULL, frame = NULL, jpeg = NULL;
  guint rounds;

  gst_init (&argc, &argv);
  rounds = argc == 3 ? atoi (argv[2]) : 0;
  if (rounds > 0)
    picture = load (argv[1]);
  if (picture == NULL) {
    fprintf (stderr, "usage: bench-stillness PICTURE ROUNDS\n");
    return 2;
  }
  frame = make_frame (picture);
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    g_autoptr (GstSample) sample = convert (frame, formats[i]);

    measure (formats[i], sample, rounds);
  }
  jpeg = compress (frame);
  measure ("JPEG", jpeg, rounds);
  return 0;
}
