/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "overlay-reference.h"

#include <math.h>

#define GUARD 0xa5 /* between the rows */

/* GStreamer says of V in P010 that it begins at byte 1, which is word 1. */
static guint8 *
find_sample (const GstVideoFrame *frame, guint component, gint x, gint y)
{
  gint mistake = GST_VIDEO_FRAME_COMP_DEPTH (frame, component) > 8 &&
                 GST_VIDEO_FRAME_COMP_POFFSET (frame, component) % 2 != 0;

  return (guint8 *) GST_VIDEO_FRAME_COMP_DATA (frame, component) + mistake +
         (gssize) y * GST_VIDEO_FRAME_COMP_STRIDE (frame, component) +
         (gssize) x * GST_VIDEO_FRAME_COMP_PSTRIDE (frame, component);
}

guint
get_sample (const GstVideoFrame *frame, guint component, gint x, gint y)
{
  const guint8 *at = find_sample (frame, component, x, y);
  const GstVideoFormatInfo *format = frame->info.finfo;

  if (GST_VIDEO_FORMAT_INFO_DEPTH (format, component) == 8)
    return *at;
  return GST_READ_UINT16_LE (at) >> GST_VIDEO_FORMAT_INFO_SHIFT (format, component);
}

void
set_sample (GstVideoFrame *frame, guint component, gint x, gint y, guint value)
{
  guint8 *at = find_sample (frame, component, x, y);
  const GstVideoFormatInfo *format = frame->info.finfo;

  if (GST_VIDEO_FORMAT_INFO_DEPTH (format, component) == 8)
    *at = value;
  else
    GST_WRITE_UINT16_LE (at, value << GST_VIDEO_FORMAT_INFO_SHIFT (format, component));
}

GstCaps *
make_frame_caps (const gchar *format, gint width, gint height, const gchar *colorimetry)
{
  GstCaps *caps = gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING, format, "width",
      G_TYPE_INT, width, "height", G_TYPE_INT, height, "framerate", GST_TYPE_FRACTION, 30, 1, NULL);

  if (colorimetry != NULL)
    gst_caps_set_simple (caps, "colorimetry", G_TYPE_STRING, colorimetry, NULL);
  return caps;
}

/* Bytes of a row up to its last sample. */
static gint
row_of (const GstVideoInfo *info, guint plane)
{
  gint row = 0;

  for (guint i = 0; i < GST_VIDEO_INFO_N_COMPONENTS (info); i++) {
    gint size = GST_VIDEO_FORMAT_INFO_DEPTH (info->finfo, i) == 8 ? 1 : 2;

    if (GST_VIDEO_INFO_COMP_PLANE (info, i) == plane)
      row = MAX (
          row, (GST_VIDEO_INFO_COMP_WIDTH (info, i) - 1) * GST_VIDEO_INFO_COMP_PSTRIDE (info, i) +
                   (gint) GST_VIDEO_INFO_COMP_POFFSET (info, i) + size);
  }
  return row;
}

static gint
rows_of (const GstVideoInfo *info, guint plane)
{
  for (guint i = 0; i < GST_VIDEO_INFO_N_COMPONENTS (info); i++) {
    if (GST_VIDEO_INFO_COMP_PLANE (info, i) == plane)
      return GST_VIDEO_INFO_COMP_HEIGHT (info, i);
  }
  return 0;
}

static GstBuffer *
lay_out (const GstVideoInfo *info, GRand *rand)
{
  gsize offsets[GST_VIDEO_MAX_PLANES] = { 0 }, size = 0;
  gint strides[GST_VIDEO_MAX_PLANES] = { 0 };
  GstBuffer *buffer;

  for (guint i = 0; i < GST_VIDEO_INFO_N_PLANES (info); i++) {
    gint row = row_of (info, i);

    offsets[i] = size + 2 * g_rand_int_range (rand, 0, 9);
    strides[i] = GST_ROUND_UP_2 (row) + 2 * g_rand_int_range (rand, 0, 9);
    size = offsets[i] + (gsize) strides[i] * (rows_of (info, i) - 1) +
           MIN (strides[i], GST_VIDEO_INFO_PLANE_STRIDE (info, i));
  }
  buffer = gst_buffer_new_wrapped (g_malloc (size), size);
  gst_buffer_memset (buffer, 0, GUARD, size);
  gst_buffer_add_video_meta_full (buffer, 0, GST_VIDEO_INFO_FORMAT (info), info->width,
      info->height, GST_VIDEO_INFO_N_PLANES (info), offsets, strides);
  return buffer;
}

void
map_sample (GstVideoFrame *frame, GstSample *sample, GstMapFlags flags)
{
  GstVideoInfo info;

  g_assert_true (gst_video_info_from_caps (&info, gst_sample_get_caps (sample)));
  g_assert_true (gst_video_frame_map (frame, &info, gst_sample_get_buffer (sample), flags));
}

void
map_output (GstVideoFrame *frame, GstBuffer *buffer, GstCaps *caps)
{
  GstVideoInfo info;

  g_assert_true (gst_video_info_from_caps (&info, caps));
  g_assert_true (gst_video_frame_map (frame, &info, buffer, GST_MAP_READ));
}

static GstSample *
fill (GstCaps *caps, GstBuffer *buffer, GetSample get, gpointer user)
{
  GstSample *sample = gst_sample_new (buffer, caps, NULL, NULL);
  GstVideoFrame frame;

  gst_buffer_unref (buffer);
  map_sample (&frame, sample, GST_MAP_READWRITE | GST_VIDEO_FRAME_MAP_FLAG_NO_REF);
  for (guint i = 0; i < GST_VIDEO_FRAME_N_COMPONENTS (&frame); i++) {
    for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (&frame, i); y++) {
      for (gint x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH (&frame, i); x++)
        set_sample (&frame, i, x, y, get (user, i, x, y));
    }
  }
  gst_video_frame_unmap (&frame);
  return sample;
}

GstSample *
make_frame (GstCaps *caps, GetSample get, gpointer user)
{
  GstVideoInfo info;
  GstBuffer *buffer;

  g_assert_true (gst_video_info_from_caps (&info, caps));
  buffer = gst_buffer_new_wrapped (g_malloc0 (info.size), info.size);
  return fill (caps, buffer, get, user);
}

typedef struct {
  GRand *rand;
  guint limit;
} Noise;

static guint
get_noise (gpointer user, guint component, gint x, gint y)
{
  const Noise *noise = user;

  return g_rand_int_range (noise->rand, 0, noise->limit);
}

GstSample *
make_noise (GstCaps *caps, GRand *rand)
{
  g_autoptr (GRand) own = g_rand_new_with_seed (7);
  Noise noise = { rand ? rand : own };
  GstVideoInfo info;

  g_assert_true (gst_video_info_from_caps (&info, caps));
  noise.limit = 1 << GST_VIDEO_INFO_COMP_DEPTH (&info, 0);
  if (rand == NULL)
    return make_frame (caps, get_noise, &noise);
  return fill (caps, lay_out (&info, rand), get_noise, &noise);
}

/* ---- Colours ---- */

static gdouble
yuv_of (const GstVideoColorimetry *colours, guint component, Pixel p)
{
  gdouble kr = colours->matrix == GST_VIDEO_COLOR_MATRIX_BT709 ? 0.2126 : 0.299;
  gdouble kb = colours->matrix == GST_VIDEO_COLOR_MATRIX_BT709 ? 0.0722 : 0.114;
  gdouble y = kr * p.r + (1 - kr - kb) * p.g + kb * p.b;

  if (component == 0)
    return y;
  return component == 1 ? (p.b - y) / (2 * (1 - kb)) : (p.r - y) / (2 * (1 - kr));
}

gdouble
component_of (const GstVideoInfo *info, guint component, Pixel pixel)
{
  const GstVideoFormatInfo *format = info->finfo;
  guint depth = GST_VIDEO_FORMAT_INFO_DEPTH (format, 0);
  gdouble one = 1 << (depth - 8), max = (1 << depth) - 1;
  gboolean full = info->colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255;

  if (component == 3)
    return max;
  if (GST_VIDEO_FORMAT_INFO_IS_RGB (format))
    return max * (component == 0 ? pixel.r : (component == 1 ? pixel.g : pixel.b));
  if (component == 0)
    return (full ? max : 219 * one) * yuv_of (&info->colorimetry, 0, pixel) + (full ? 0 : 16 * one);
  return (full ? max : 224 * one) * yuv_of (&info->colorimetry, component, pixel) + 128 * one;
}

/* The mean of alpha, and of the component times alpha, over the pixels of a sample. Beyond the
 * frame are pixels as at its edge. */
static void
look (const GstVideoFrame *frame, guint component, gint x, gint y, GetPixel get, gpointer user,
    gdouble *colour, gdouble *back, gdouble *alpha)
{
  const GstVideoFormatInfo *format = frame->info.finfo;
  gint w = GST_VIDEO_FORMAT_INFO_W_SUB (format, component);
  gint h = GST_VIDEO_FORMAT_INFO_H_SUB (format, component), n = 0;

  *colour = *back = *alpha = 0;
  for (gint j = y << h; j < (y + 1) << h; j++) {
    for (gint i = x << w; i < (x + 1) << w; i++, n++) {
      Pixel pixel = get (user, MIN (i, frame->info.width - 1), MIN (j, frame->info.height - 1));
      gdouble sample = component_of (&frame->info, component, pixel);

      *colour += sample * pixel.a;
      *back += sample;
      *alpha += pixel.a;
    }
  }
  *colour /= n;
  *back /= n;
  *alpha /= n;
}

typedef gdouble (*Combine) (gdouble in, gdouble colour, gdouble back, gdouble alpha);

static gdouble
combine_over (gdouble in, gdouble colour, gdouble back, gdouble alpha)
{
  return colour + in * (1 - alpha);
}

static gdouble
combine_through (gdouble in, gdouble colour, gdouble back, gdouble alpha)
{
  return in * alpha + back * (1 - alpha);
}

static void
assert_sample (const GstVideoFrame *out, guint component, gint x, gint y, guint got,
    gdouble expected, gdouble tolerance)
{
  if (fabs (got - expected) > tolerance)
    g_error ("%s %dx%d: component %u at %d, %d is %u, not %.2f", GST_VIDEO_INFO_NAME (&out->info),
        out->info.width, out->info.height, component, x, y, got, expected);
}

static void
assert_component (const GstVideoFrame *out, const GstVideoFrame *in, guint component, GetPixel get,
    gpointer user, gdouble tolerance, Combine combine, gdouble untouched)
{
  guint depth = GST_VIDEO_FRAME_COMP_DEPTH (in, component);
  gdouble max = (1 << depth) - 1, one = 1 << (depth - 8);

  for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (in, component); y++) {
    for (gint x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH (in, component); x++) {
      guint was = get_sample (in, component, x, y), got = get_sample (out, component, x, y);
      gdouble colour, back, alpha;

      look (in, component, x, y, get, user, &colour, &back, &alpha);
      if (fabs (alpha - untouched) < 1e-9)
        g_assert_cmpuint (got, ==, was);
      else
        assert_sample (out, component, x, y, got,
            CLAMP (combine (was, colour, back, alpha), 0, max), tolerance * one);
    }
  }
}

void
assert_over (const GstVideoFrame *out, const GstVideoFrame *in, GetPixel get, gpointer user,
    gdouble tolerance)
{
  for (guint i = 0; i < GST_VIDEO_FRAME_N_COMPONENTS (in); i++)
    assert_component (out, in, i, get, user, tolerance, combine_over, 0);
}

void
assert_through (const GstVideoFrame *out, const GstVideoFrame *in, GetPixel get, gpointer user,
    gdouble tolerance)
{
  for (guint i = 0; i < GST_VIDEO_FRAME_N_COMPONENTS (in); i++)
    assert_component (out, in, i, get, user, tolerance, combine_through, 1);
}
