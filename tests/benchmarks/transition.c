/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bench-transition cut|fade FORMAT PICTURES: so many pictures of 512 by 512 at a constant rate,
 * each shown once more or a mean of two results. Prints CPU microseconds a picture. */
#include <fal/session/repeater.h>
#include <gst/video/video.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SIDE 512
#define RATE 100

/* Of this thread, which does all of it, µs. */
static gdouble
thread_time (void)
{
  struct timespec time;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

/* A result of any bytes, at @second. */
static void
take (FalRepeater *repeater, const GstVideoInfo *info, guint second)
{
  g_autoptr (GstCaps) caps = gst_video_info_to_caps (info);
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (info), NULL);
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_buffer_memset (buffer, 0, 37 * second, -1);
  GST_BUFFER_PTS (buffer) = second * GST_SECOND;
  gst_buffer_add_custom_meta (buffer, FAL_RESULT_META);
  fal_repeater_take (repeater, gst_sample_new (buffer, caps, &segment, NULL), FAL_RESULT_ANSWER);
}

/* µs of the pictures within one second: all but the first, which is a result itself. */
static gdouble
show (FalRepeater *repeater)
{
  gdouble time = 0;

  for (guint i = 0; i < RATE; i++) {
    gdouble began = thread_time ();
    FalPicture picture;

    fal_repeater_make (repeater, &picture);
    fal_picture_clear (&picture);
    if (i > 0)
      time += thread_time () - began;
  }
  return time;
}

int
main (int argc, char **argv)
{
  static const gchar *tags[] = { NULL };
  g_autoptr (FalRepeater) repeater = fal_repeater_new ();
  GstVideoInfo info;
  gdouble time = 0;
  guint seconds;

  gst_init (&argc, &argv);
  if (argc != 4 || atoi (argv[3]) < 1 ||
      !gst_video_info_set_format (&info, gst_video_format_from_string (argv[2]), SIDE, SIDE)) {
    fprintf (stderr, "usage: bench-transition cut|fade FORMAT PICTURES\n");
    return 2;
  }
  gst_meta_register_custom (FAL_RESULT_META, tags, NULL, NULL, NULL);
  fal_repeater_set_rate (repeater, (FalFraction) { RATE, 1 });
  fal_repeater_set_transition (
      repeater, strcmp (argv[1], "fade") == 0 ? FAL_TRANSITION_FADE : FAL_TRANSITION_CUT, TRUE);
  take (repeater, &info, 0);
  seconds = 1 + atoi (argv[3]) / RATE;
  for (guint i = 1; i <= seconds; i++) {
    take (repeater, &info, i);
    time += show (repeater);
  }
  printf ("%.2f\n", time / (seconds * (RATE - 1)));
  return 0;
}
