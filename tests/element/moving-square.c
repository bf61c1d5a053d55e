/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "moving-square.h"

static const guint8 background[] = { 0, 255, 0 };

void
moving_square_init (MovingSquare *square, gint width, gint height)
{
  gst_video_info_set_format (&square->info, GST_VIDEO_FORMAT_RGBx, width, height);
  square->info.fps_n = 30;
  square->info.fps_d = 1;
}

GstCaps *
moving_square_get_caps (const MovingSquare *square)
{
  return gst_video_info_to_caps (&square->info);
}

/* It stays on the blocks of a JPEG, so that its edge is as sharp in the model's picture. */
void
moving_square_find (const MovingSquare *square, guint n, gint *x, gint *y, gint *side)
{
  gint width = square->info.width, height = square->info.height;

  *side = MIN (width, height) / 32 * 16;
  *x = (n * 16) % (width - *side + 1) / 16 * 16;
  *y = (height - *side) / 32 * 16;
}

/* 255: it belongs to the square of frame @n. */
static guint
get_matte (const MovingSquare *square, guint n, gint x, gint y)
{
  gint left, top, side;

  moving_square_find (square, n, &left, &top, &side);
  return x >= left && x < left + side && y >= top && y < top + side ? 255 : 0;
}

/* No two neighbours are alike, so that a pixel that is moved is seen. */
static void
get_pixel (const MovingSquare *square, guint n, gint x, gint y, guint8 *pixel)
{
  guint8 grain = (x * 7 + y * 13 + n * 5) % 16;
  gboolean light = get_matte (square, n, x, y) > 0;

  pixel[0] = (light ? 232 : 40) + grain;
  pixel[1] = (light ? 208 : 24) + grain;
  pixel[2] = (light ? 216 : 64) + grain;
}

static guint8 *
map (const MovingSquare *square, GstBuffer *buffer, GstMapFlags flags, GstVideoFrame *frame)
{
  g_assert_true (gst_video_frame_map (frame, &square->info, buffer, flags));
  return GST_VIDEO_FRAME_PLANE_DATA (frame, 0);
}

void
moving_square_paint (const MovingSquare *square, guint n, GstBuffer *buffer)
{
  GstVideoFrame frame;
  guint8 *data = map (square, buffer, GST_MAP_WRITE, &frame);

  for (gint y = 0; y < square->info.height; y++) {
    guint8 *row = data + y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0);

    for (gint x = 0; x < square->info.width; x++)
      get_pixel (square, n, x, y, row + 4 * x);
  }
  gst_video_frame_unmap (&frame);
}

GstBuffer *
moving_square_frame (const MovingSquare *square, guint n)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, square->info.size, NULL);

  moving_square_paint (square, n, buffer);
  GST_BUFFER_PTS (buffer) = gst_util_uint64_scale (n, GST_SECOND, 30);
  GST_BUFFER_DURATION (buffer) = GST_SECOND / 30;
  return buffer;
}

guint
moving_square_number (GstBuffer *buffer)
{
  return gst_util_uint64_scale_round (GST_BUFFER_PTS (buffer), 30, GST_SECOND);
}

static guint
get_distance (const guint8 *pixel, const guint8 *other)
{
  guint most = 0;

  for (guint c = 0; c < 3; c++)
    most = MAX (most, (guint) ABS (pixel[c] - other[c]));
  return most;
}

gdouble
moving_square_measure (const MovingSquare *square, guint n, GstBuffer *buffer)
{
  GstVideoFrame frame;
  const guint8 *data = map (square, buffer, GST_MAP_READ, &frame);
  guint common = 0, either = 0;

  for (gint y = 0; y < square->info.height; y++) {
    const guint8 *row = data + y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0);

    for (gint x = 0; x < square->info.width; x++) {
      gboolean seen = row[4 * x] >= 128;
      gboolean wanted = get_matte (square, n, x, y) > 0;

      common += seen && wanted;
      either += seen || wanted;
    }
  }
  gst_video_frame_unmap (&frame);
  return (gdouble) common / either;
}

guint
moving_square_compare (
    const MovingSquare *square, guint n, guint before, guint after, guint weight, GstBuffer *buffer)
{
  GstVideoFrame frame;
  const guint8 *data = map (square, buffer, GST_MAP_READ, &frame);
  guint most = 0;

  for (gint y = 0; y < square->info.height; y++) {
    const guint8 *row = data + y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0);

    for (gint x = 0; x < square->info.width; x++) {
      guint matte = (get_matte (square, before, x, y) * (256 - weight) +
                        get_matte (square, after, x, y) * weight + 128) /
                    256;
      guint8 pixel[3];

      get_pixel (square, n, x, y, pixel);
      for (guint c = 0; c < 3; c++)
        pixel[c] = (pixel[c] * matte + background[c] * (255 - matte) + 127) / 255;
      most = MAX (most, get_distance (row + 4 * x, pixel));
    }
  }
  gst_video_frame_unmap (&frame);
  return most;
}

gboolean
moving_square_is_frame (const MovingSquare *square, guint n, GstBuffer *buffer)
{
  GstVideoFrame frame;
  const guint8 *data = map (square, buffer, GST_MAP_READ, &frame);
  gboolean same = TRUE;

  for (gint y = 0; y < square->info.height; y++) {
    const guint8 *row = data + y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0);

    for (gint x = 0; x < square->info.width; x++) {
      guint8 pixel[3];

      get_pixel (square, n, x, y, pixel);
      same &= get_distance (row + 4 * x, pixel) == 0;
    }
  }
  gst_video_frame_unmap (&frame);
  return same;
}
