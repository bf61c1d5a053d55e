/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is behind a picture that was cut out. */
#include "background.h"
#include <gst/video/video.h>

#define WIDTH 4
#define HEIGHT 3

/* All of one colour. */
static GstSample *
make_frame (GstVideoFormat format, const guint8 pixel[4])
{
  GstVideoInfo info;
  g_autoptr (GstBuffer) buffer = NULL;
  g_autoptr (GstCaps) caps = NULL;
  GstMapInfo map;

  gst_video_info_set_format (&info, format, WIDTH, HEIGHT);
  buffer = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (&info), NULL);
  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  for (gsize i = 0; i < map.size; i++)
    map.data[i] = pixel[i % 4];
  gst_buffer_unmap (buffer, &map);
  caps = gst_video_info_to_caps (&info);
  return gst_sample_new (buffer, caps, NULL, NULL);
}

/* Red, green and blue at the middle of a row. */
static void
read_pixel (GstSample *sample, guint row, gint rgb[3])
{
  GstVideoInfo info;
  GstVideoFrame frame;

  g_assert_true (gst_video_info_from_caps (&info, gst_sample_get_caps (sample)));
  g_assert_false (GST_VIDEO_INFO_HAS_ALPHA (&info));
  g_assert_cmpint (GST_VIDEO_INFO_WIDTH (&info), ==, WIDTH);
  g_assert_cmpint (GST_VIDEO_INFO_HEIGHT (&info), ==, HEIGHT);
  g_assert_true (gst_video_frame_map (&frame, &info, gst_sample_get_buffer (sample), GST_MAP_READ));
  for (guint i = 0; i < 3; i++)
    rgb[i] = ((guint8 *) GST_VIDEO_FRAME_COMP_DATA (
        &frame, i))[row * GST_VIDEO_FRAME_COMP_STRIDE (&frame, i) +
                    2 * GST_VIDEO_FRAME_COMP_PSTRIDE (&frame, i)];
  gst_video_frame_unmap (&frame);
}

static void
assert_near (const gint rgb[3], gint red, gint green, gint blue)
{
  const gint expected[] = { red, green, blue };

  for (guint i = 0; i < 3; i++)
    g_assert_cmpint (ABS (rgb[i] - expected[i]), <=, 2);
}

static void
test_opaque (void)
{
  g_autoptr (GstSample) frame = make_frame (GST_VIDEO_FORMAT_RGBA, (guint8[]){ 10, 200, 30, 255 });
  g_autoptr (GstSample) laid = live_background_lay (frame);
  gint rgb[3];

  read_pixel (laid, 1, rgb);
  assert_near (rgb, 10, 200, 30);
}

static void
test_transparent (void)
{
  g_autoptr (GstSample) frame = make_frame (GST_VIDEO_FORMAT_BGRA, (guint8[]){ 10, 200, 30, 0 });
  g_autoptr (GstSample) laid = live_background_lay (frame);
  gint rgb[3];

  read_pixel (laid, 0, rgb);
  assert_near (rgb, 0x24, 0x3b, 0x6b);
  read_pixel (laid, HEIGHT - 1, rgb);
  assert_near (rgb, 0xf2, 0xa6, 0x5a);
}

static void
test_half (void)
{
  g_autoptr (GstSample) frame = make_frame (GST_VIDEO_FORMAT_RGBA, (guint8[]){ 0, 0, 0, 128 });
  g_autoptr (GstSample) laid = live_background_lay (frame);
  gint rgb[3];

  read_pixel (laid, 0, rgb);
  assert_near (rgb, 0x24 / 2, 0x3b / 2, 0x6b / 2);
}

static void
test_no_alpha (void)
{
  g_autoptr (GstSample) frame = make_frame (GST_VIDEO_FORMAT_RGBx, (guint8[]){ 10, 200, 30, 0 });

  g_assert_null (live_background_lay (frame));
}

int
main (int argc, char **argv)
{
  gst_init (NULL, NULL);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/background/opaque", test_opaque);
  g_test_add_func ("/background/transparent", test_transparent);
  g_test_add_func ("/background/half", test_half);
  g_test_add_func ("/background/no-alpha", test_no_alpha);
  return g_test_run ();
}
