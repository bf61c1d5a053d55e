/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-frames.h"

#include <math.h>
#include <string.h>

const Colour colours[N_COLOURS] = {
  { "white", 255, 255, 255 },
  { "black", 0, 0, 0 },
  { "red", 255, 0, 0 },
  { "green", 0, 255, 0 },
  { "blue", 0, 0, 255 },
  { "grey", 128, 128, 128 },
  { "skin", 224, 172, 105 },
};

const Matrix bt601 = { 0.299, 0.114, FALSE };
const Matrix bt709 = { 0.2126, 0.0722, FALSE };
const Matrix studio_rgb = { 0, 0, FALSE };
const Matrix jfif = { 0.299, 0.114, TRUE };

void
to_yuv (const Colour *colour, const Matrix *matrix, gdouble scale, guint out[4])
{
  gdouble r = colour->r / 255.0, g = colour->g / 255.0, b = colour->b / 255.0;
  gdouble y = matrix->kr * r + (1 - matrix->kr - matrix->kb) * g + matrix->kb * b;
  gdouble u = (b - y) / (2 * (1 - matrix->kb)), v = (r - y) / (2 * (1 - matrix->kr));

  out[0] = lround (scale * (matrix->full ? 255 * y : 16 + 219 * y));
  out[1] = lround (scale * MIN (128 + (matrix->full ? 255 : 224) * u, 255));
  out[2] = lround (scale * MIN (128 + (matrix->full ? 255 : 224) * v, 255));
  out[3] = lround (scale * 255);
}

/* The samples of @colour in the frame's format. */
static void
to_samples (
    const Colour *colour, const GstVideoFormatInfo *format, const Matrix *matrix, guint out[4])
{
  if (GST_VIDEO_FORMAT_INFO_IS_RGB (format)) {
    guint low = matrix == &studio_rgb ? 16 : 0, high = matrix == &studio_rgb ? 219 : 255;
    guint rgba[4] = { low + colour->r * high / 255, low + colour->g * high / 255,
      low + colour->b * high / 255, 255 };

    memcpy (out, rgba, sizeof rgba);
  } else
    to_yuv (colour, matrix, 1 << (GST_VIDEO_FORMAT_INFO_DEPTH (format, 0) - 8), out);
}

static void
fill_component (GstVideoFrame *frame, guint component, const GstVideoRectangle *area, guint value)
{
  const GstVideoFormatInfo *format = frame->info.finfo;
  gint right = GST_VIDEO_SUB_SCALE (format->w_sub[component], area->x + area->w);
  gint bottom = GST_VIDEO_SUB_SCALE (format->h_sub[component], area->y + area->h);

  for (gint y = area->y >> format->h_sub[component]; y < bottom; y++) {
    guint8 *row = (guint8 *) GST_VIDEO_FRAME_COMP_DATA (frame, component) +
                  y * GST_VIDEO_FRAME_COMP_STRIDE (frame, component);

    for (gint x = area->x >> format->w_sub[component]; x < right; x++) {
      guint8 *sample = row + x * GST_VIDEO_FRAME_COMP_PSTRIDE (frame, component);

      if (GST_VIDEO_FORMAT_INFO_DEPTH (format, component) > 8)
        GST_WRITE_UINT16_LE (sample, value);
      else
        *sample = value;
    }
  }
}

static void
fill_rgb16 (GstVideoFrame *frame, const GstVideoRectangle *area, const Colour *colour)
{
  guint16 word = (colour->r >> 3) << 11 | (colour->g >> 2) << 5 | (colour->b >> 3);

  for (gint y = area->y; y < area->y + area->h; y++) {
    for (gint x = area->x; x < area->x + area->w; x++)
      GST_WRITE_UINT16_LE ((guint8 *) frame->data[0] + y * frame->info.stride[0] + 2 * x, word);
  }
}

static void
fill (
    GstVideoFrame *frame, const GstVideoRectangle *area, const Colour *colour, const Matrix *matrix)
{
  guint samples[4];

  if (GST_VIDEO_FRAME_FORMAT (frame) == GST_VIDEO_FORMAT_RGB16) {
    fill_rgb16 (frame, area, colour);
    return;
  }
  to_samples (colour, frame->info.finfo, matrix, samples);
  for (guint i = 0; i < GST_VIDEO_FRAME_N_COMPONENTS (frame); i++)
    fill_component (frame, i, area, samples[i]);
}

gboolean
can_hold (const gchar *format, const Colour *colour)
{
  return !g_str_has_prefix (format, "GRAY") || (colour->r == colour->g && colour->g == colour->b);
}

GstCaps *
make_caps (const gchar *format, gint width, gint height, const gchar *more)
{
  g_autofree gchar *text = g_strdup_printf (
      "video/x-raw,format=%s,width=%d,height=%d,framerate=30/1%s", format, width, height, more);

  return gst_caps_from_string (text);
}

GstSample *
make_sample (GstCaps *caps, const Matrix *matrix, const Patch *patches, guint n_patches)
{
  GstVideoInfo info;
  GstVideoFrame frame;
  g_autoptr (GstBuffer) buffer = NULL;

  g_assert_true (gst_video_info_from_caps (&info, caps));
  buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  gst_buffer_memset (buffer, 0, 0, info.size);
  g_assert_true (gst_video_frame_map (&frame, &info, buffer, GST_MAP_WRITE));
  for (guint i = 0; i < n_patches; i++)
    fill (&frame, &patches[i].area, patches[i].colour, matrix);
  gst_video_frame_unmap (&frame);
  return gst_sample_new (buffer, caps, NULL, NULL);
}

GstSample *
plain_sample (const gchar *format, gint width, gint height, const gchar *more, const Matrix *matrix,
    const Colour *colour)
{
  g_autoptr (GstCaps) caps = make_caps (format, width, height, more);
  Patch patch = { { 0, 0, width, height }, colour };

  return make_sample (caps, matrix, &patch, 1);
}

void
assert_near (guint got, guint wanted, guint tolerance, const gchar *what, const Colour *colour)
{
  if (ABS ((gint) got - (gint) wanted) > (gint) tolerance)
    g_error ("%s: %s came as %u, not %u", what, colour->name, got, wanted);
}

void
assert_pixel (const guint8 *rgb, const Colour *colour, guint tolerance, const gchar *what)
{
  assert_near (rgb[0], colour->r, tolerance, what, colour);
  assert_near (rgb[1], colour->g, tolerance, what, colour);
  assert_near (rgb[2], colour->b, tolerance, what, colour);
}
