/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How near the scaled planes come to a scene that is computed at the JPEG's size, and that every
 * size stays within its memory. Colours are computed here from the standards' formulas. */
#include <fal/image/yuv-scaler.h>

#include <math.h>
#include <string.h>

typedef struct {
  gdouble r, g, b; /* 0 to 1 */
} Rgb;

typedef struct {
  gdouble y, u, v;
} Yuv;

#define BT601_R 0.299
#define BT601_B 0.114
#define BT709_R 0.2126
#define BT709_B 0.0722

static Yuv
to_yuv (Rgb c, gdouble kr, gdouble kb)
{
  gdouble y = kr * c.r + (1 - kr - kb) * c.g + kb * c.b;

  return (Yuv){ y, (c.b - y) / (2 * (1 - kb)), (c.r - y) / (2 * (1 - kr)) };
}

static Rgb
to_rgb (Yuv c, gdouble kr, gdouble kb)
{
  gdouble r = c.y + 2 * (1 - kr) * c.v, b = c.y + 2 * (1 - kb) * c.u;

  return (Rgb){ r, (c.y - kr * r - kb * b) / (1 - kr - kb), b };
}

/* ---- The scene: waves up to the finest that 512 lines still hold, an edge, plain colours ---- */

#define WIDTH 1280
#define HEIGHT 720
#define SIDE 512

static Rgb
scene (gdouble x, gdouble y)
{
  gdouble wave = 0.5 + 0.4 * cos (0.0011 * ((x - 640) * (x - 640) + (y - 360) * (y - 360)) / 2);
  gdouble colour = 0.5 + 0.3 * sin (x / 60), other = 0.5 + 0.3 * cos (y / 45);

  if (x > 420 && x < 560 && y > 90 && y < 200)
    return (Rgb){ 0.88, 0.67, 0.41 };
  if (x + y / 3 > 980)
    return (Rgb){ 0.1, colour, other };
  return (Rgb){ wave, 0.8 * wave + 0.1 * colour, 0.6 * wave + 0.2 * other };
}

/* The mean over an area, from four places for each pixel of the frame. */
static Rgb
mean_of (gdouble x, gdouble y, gdouble width, gdouble height)
{
  gint n = ceil (2 * width), m = ceil (2 * height);
  Rgb sum = { 0 };

  for (gint j = 0; j < m; j++) {
    for (gint i = 0; i < n; i++) {
      Rgb c = scene (x + (i + 0.5) * width / n, y + (j + 0.5) * height / m);

      sum.r += c.r / (n * m);
      sum.g += c.g / (n * m);
      sum.b += c.b / (n * m);
    }
  }
  return sum;
}

/* As a camera of 720 lines sends it: BT.709, limited. */
static guint8
sample_of (guint component, gint x, gint y, gint width, gint height)
{
  Yuv c = to_yuv (mean_of (x, y, width, height), BT709_R, BT709_B);

  return component == 0 ? lround (16 + 219 * c.y)
                        : lround (128 + 224 * (component == 1 ? c.u : c.v));
}

static void
shoot_component (GstVideoFrame *frame, guint component)
{
  const GstVideoFormatInfo *format = frame->info.finfo;
  gint w = 1 << format->w_sub[component], h = 1 << format->h_sub[component];

  for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (frame, component); y++) {
    guint8 *row = (guint8 *) GST_VIDEO_FRAME_COMP_DATA (frame, component) +
                  y * GST_VIDEO_FRAME_COMP_STRIDE (frame, component);

    for (gint x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH (frame, component); x++)
      row[x * GST_VIDEO_FRAME_COMP_PSTRIDE (frame, component)] =
          sample_of (component, x * w, y * h, w, h);
  }
}

static void
open_frame (GstVideoFrame *frame, const GstVideoInfo *info)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, info->size, NULL);

  gst_buffer_memset (buffer, 0, 100, info->size);
  g_assert_true (gst_video_frame_map (frame, info, buffer, GST_MAP_READWRITE));
}

static void
set_info (GstVideoInfo *info, const gchar *format, gint width, gint height)
{
  g_assert_true (
      gst_video_info_set_format (info, gst_video_format_from_string (format), width, height));
  g_assert_true (gst_video_colorimetry_from_string (&info->colorimetry, "bt709"));
}

/* ---- How near a picture comes ---- */

/* In dB; of lumas as BT.601 has them, in a picture's middle square. */
typedef gdouble (*GetLuma) (gpointer picture, gint x, gint y);

static gdouble
compare (const gdouble *reference, GetLuma get, gpointer picture)
{
  gdouble sum = 0;

  for (gint i = 0; i < SIDE * SIDE; i++) {
    gdouble off = get (picture, i % SIDE, i / SIDE) - reference[i];

    sum += off * off / (SIDE * SIDE);
  }
  return -10 * log10 (sum);
}

static gdouble *
make_reference (void)
{
  gdouble *lumas = g_new (gdouble, SIDE * SIDE), scale = (gdouble) HEIGHT / SIDE;

  for (gint i = 0; i < SIDE * SIDE; i++) {
    Rgb c = mean_of ((WIDTH - HEIGHT) / 2 + i % SIDE * scale, i / SIDE * scale, scale, scale);

    lumas[i] = to_yuv (c, BT601_R, BT601_B).y;
  }
  return lumas;
}

static gdouble
get_plane_luma (gpointer planes, gint x, gint y)
{
  const guint8 *data[3];
  gint strides[3];

  fal_yuv_scaler_get (planes, data, strides);
  return data[0][y * strides[0] + x] / 255.0;
}

static gdouble
get_component (const GstVideoFrame *frame, guint component, gint x, gint y)
{
  const GstVideoFormatInfo *format = frame->info.finfo;
  const guint8 *data = GST_VIDEO_FRAME_COMP_DATA (frame, component);

  return data[(y >> format->h_sub[component]) * GST_VIDEO_FRAME_COMP_STRIDE (frame, component) +
              (x >> format->w_sub[component]) * GST_VIDEO_FRAME_COMP_PSTRIDE (frame, component)];
}

static gdouble
get_frame_luma (gpointer frame, gint x, gint y)
{
  Yuv c = { (get_component (frame, 0, x, y) - 16) / 219,
    (get_component (frame, 1, x, y) - 128) / 224, (get_component (frame, 2, x, y) - 128) / 224 };

  return to_yuv (to_rgb (c, BT709_R, BT709_B), BT601_R, BT601_B).y;
}

/* What videoscale makes of it, in its own format. */
static void
scale_by_gstreamer (const GstVideoFrame *in, GstVideoFrame *out)
{
  GstVideoConverter *converter = gst_video_converter_new (&in->info, &out->info,
      gst_structure_new ("options", GST_VIDEO_CONVERTER_OPT_SRC_X, G_TYPE_INT, (WIDTH - HEIGHT) / 2,
          GST_VIDEO_CONVERTER_OPT_SRC_WIDTH, G_TYPE_INT, HEIGHT,
          GST_VIDEO_CONVERTER_OPT_RESAMPLER_METHOD, GST_TYPE_VIDEO_RESAMPLER_METHOD,
          GST_VIDEO_RESAMPLER_METHOD_LINEAR, NULL));

  gst_video_converter_frame (converter, in, out);
  gst_video_converter_free (converter);
}

static void
check_quality (const gchar *format, const gdouble *reference)
{
  const GstVideoRectangle from = { (WIDTH - HEIGHT) / 2, 0, HEIGHT, HEIGHT };
  const GstVideoRectangle to = { 0, 0, SIDE, SIDE };
  GstVideoInfo large, small;
  GstVideoFrame frame, scaled;
  FalYuvScaler *planes;
  gdouble ours, theirs;

  set_info (&large, format, WIDTH, HEIGHT);
  set_info (&small, format, SIDE, SIDE);
  open_frame (&frame, &large);
  open_frame (&scaled, &small);
  for (guint i = 0; i < 3; i++)
    shoot_component (&frame, i);
  planes = fal_yuv_scaler_new (&large, &from, &to, SIDE, SIDE);
  g_assert_nonnull (planes);
  fal_yuv_scaler_fill (planes, &frame);
  scale_by_gstreamer (&frame, &scaled);
  ours = compare (reference, get_plane_luma, planes);
  theirs = compare (reference, get_frame_luma, &scaled);
  g_test_message ("%s: %.2f dB, GStreamer's scaler %.2f dB", format, ours, theirs);
  g_assert_cmpfloat (ours, >=, theirs - 0.1);
  g_assert_cmpfloat (ours, >=, 30);
  fal_yuv_scaler_free (planes);
  gst_video_frame_unmap (&frame);
  gst_video_frame_unmap (&scaled);
}

static void
assert_same_planes (const FalYuvScaler *one, const FalYuvScaler *other, gint width, gint height)
{
  const guint8 *a[3], *b[3];
  gint strides[3], other_strides[3];

  fal_yuv_scaler_get (one, a, strides);
  fal_yuv_scaler_get (other, b, other_strides);
  for (guint i = 0; i < 3; i++) {
    gint columns = i == 0 ? width : (width + 1) / 2, rows = i == 0 ? height : (height + 1) / 2;

    for (gint y = 0; y < rows; y++)
      g_assert_cmpmem (a[i] + y * strides[i], columns, b[i] + y * other_strides[i], columns);
  }
}

static void
fill_with_noise (GstVideoFrame *frame)
{
  for (gsize i = 0; i < frame->map[0].size; i++)
    frame->map[0].data[i] = g_test_rand_int ();
}

static void
test_every_processor_makes_the_same (void)
{
  const GstVideoRectangle from = { 20, 0, 200, 180 }, to = { 0, 10, 130, 117 };
  GstVideoInfo info;
  GstVideoFrame frame;
  FalYuvScaler *any, *one;

  set_info (&info, "YUY2", 240, 180);
  open_frame (&frame, &info);
  fill_with_noise (&frame);
  any = fal_yuv_scaler_new (&info, &from, &to, 130, 137);
  one = fal_yuv_scaler_new (&info, &from, &to, 130, 137);
  fal_yuv_scaler_fill_plainly (any, &frame);
  fal_yuv_scaler_fill (one, &frame);
  assert_same_planes (any, one, 130, 137);
  fal_yuv_scaler_free (any);
  fal_yuv_scaler_free (one);
  gst_video_frame_unmap (&frame);
}

/* Luma and chroma stay as they are where nothing is to be done. */
static void
test_what_fits_is_not_touched (void)
{
  const GstVideoRectangle all = { 0, 0, 70, 50 };
  GstVideoInfo info;
  GstVideoFrame frame;
  FalYuvScaler *planes;
  const guint8 *data[3];
  gint strides[3];

  set_info (&info, "I420", 70, 50);
  g_assert_true (gst_video_colorimetry_from_string (&info.colorimetry, "1:4:0:0"));
  open_frame (&frame, &info);
  fill_with_noise (&frame);
  planes = fal_yuv_scaler_new (&info, &all, &all, 70, 50);
  fal_yuv_scaler_fill (planes, &frame);
  fal_yuv_scaler_get (planes, data, strides);
  for (guint i = 0; i < 3; i++) {
    gint columns = GST_VIDEO_FRAME_COMP_WIDTH (&frame, i);

    for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (&frame, i); y++)
      g_assert_cmpmem (data[i] + y * strides[i], columns,
          (guint8 *) GST_VIDEO_FRAME_COMP_DATA (&frame, i) +
              y * GST_VIDEO_FRAME_COMP_STRIDE (&frame, i),
          columns);
  }
  fal_yuv_scaler_free (planes);
  gst_video_frame_unmap (&frame);
}

static void
test_cameras_shrink_as_well_as_in_gstreamer (void)
{
  static const gchar *const formats[] = { "YUY2", "NV12", "I420" };
  g_autofree gdouble *reference = make_reference ();

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    check_quality (formats[i], reference);
}

/* ---- Sizes ---- */

static void
check_plain (FalYuvScaler *planes, gint width, gint height)
{
  const guint8 *data[3];
  gint strides[3];

  fal_yuv_scaler_get (planes, data, strides);
  for (gint y = 0; y < GST_ROUND_UP_2 (height); y++) {
    for (gint x = 0; x < GST_ROUND_UP_2 (width); x++) {
      g_assert_cmpint (ABS (data[0][y * strides[0] + x] - 98), <=, 3);
      g_assert_cmpint (ABS (data[1][y / 2 * strides[1] + x / 2] - 96), <=, 4);
      g_assert_cmpint (ABS (data[2][y / 2 * strides[2] + x / 2] - 96), <=, 4);
    }
  }
}

/* Every sample is 100: where one were read beside the picture it would show, or valgrind and the
 * sanitizers would tell. */
static void
check_size (const gchar *format, gint in_width, gint in_height, gint width, gint height)
{
  GstVideoRectangle from = { 0, 0, in_width, in_height }, to = { 0, 0, width, height };
  GstVideoInfo info;
  GstVideoFrame frame;
  FalYuvScaler *planes;

  set_info (&info, format, in_width, in_height);
  g_assert_true (gst_video_colorimetry_from_string (&info.colorimetry, "bt601"));
  open_frame (&frame, &info);
  planes = fal_yuv_scaler_new (&info, &from, &to, width, height);
  g_assert_nonnull (planes);
  fal_yuv_scaler_fill (planes, &frame);
  check_plain (planes, width, height);
  fal_yuv_scaler_free (planes);
  gst_video_frame_unmap (&frame);
}

static const gchar *const taken[] = { "I420", "YV12", "NV12", "NV21", "YUY2", "UYVY", "YVYU",
  "Y42B", "Y444", "Y41B", "NV16", "NV61", "NV24", "v308", "IYU2", "YUV9", "YVU9" };

static void
test_every_size_stays_within_its_memory (void)
{
  static const gint sizes[][4] = { { 1, 1, 1, 1 }, { 1, 1, 9, 17 }, { 2, 2, 1, 1 }, { 3, 5, 3, 5 },
    { 17, 33, 16, 16 }, { 64, 48, 64, 48 }, { 65, 49, 33, 25 }, { 161, 91, 15, 131 },
    { 2000, 3, 7, 1 }, { 3, 2500, 1, 7 }, { 8, 8, 250, 2 } };

  for (guint i = 0; i < G_N_ELEMENTS (taken); i++) {
    for (guint j = 0; j < G_N_ELEMENTS (sizes); j++)
      check_size (taken[i], sizes[j][0], sizes[j][1], sizes[j][2], sizes[j][3]);
  }
}

/* TurboJPEG reads an odd luma plane as an even one. */
static void
test_an_odd_picture_goes_on_beyond_its_canvas (void)
{
  const GstVideoRectangle all = { 0, 0, 64, 64 }, low = { 0, 20, 63, 23 }, wide = { 20, 0, 23, 63 };
  GstVideoInfo info;
  GstVideoFrame frame;
  FalYuvScaler *columns, *rows;
  const guint8 *data[3];
  gint strides[3];

  set_info (&info, "I420", 64, 64);
  open_frame (&frame, &info);
  columns = fal_yuv_scaler_new (&info, &all, &low, 63, 63);
  fal_yuv_scaler_fill (columns, &frame);
  fal_yuv_scaler_get (columns, data, strides);
  for (gint y = 0; y < 63; y++)
    g_assert_cmpint (data[0][y * strides[0] + 63], ==, data[0][y * strides[0] + 62]);
  rows = fal_yuv_scaler_new (&info, &all, &wide, 63, 63);
  fal_yuv_scaler_fill (rows, &frame);
  fal_yuv_scaler_get (rows, data, strides);
  g_assert_cmpmem (data[0] + 63 * strides[0], 63, data[0] + 62 * strides[0], 63);
  fal_yuv_scaler_free (columns);
  fal_yuv_scaler_free (rows);
  gst_video_frame_unmap (&frame);
}

/* ---- Any format, size and part ---- */

#define ANY_ROUNDS 20 /* of each format */

static gdouble
wave_of (guint component, gint x, gint y)
{
  return 128 + 60 * sin (x / 17.0 + component) + 50 * cos (y / 23.0 + component);
}

static void
set_component (GstVideoFrame *frame, guint component)
{
  const GstVideoFormatInfo *format = frame->info.finfo;

  for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (frame, component); y++) {
    for (gint x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH (frame, component); x++)
      ((guint8 *) GST_VIDEO_FRAME_COMP_DATA (
          frame, component))[y * GST_VIDEO_FRAME_COMP_STRIDE (frame, component) +
                             x * GST_VIDEO_FRAME_COMP_PSTRIDE (frame, component)] =
          lround (
              wave_of (component, x << format->w_sub[component], y << format->h_sub[component]));
  }
}

/* Each plane in memory of its own, which ends with its last sample: the sanitizers see what is read
 * beyond. */
static void
open_tight_frame (GstVideoFrame *frame, const GstVideoInfo *info, GRand *rand)
{
  *frame = (GstVideoFrame){ .info = *info };
  for (guint i = 0; i < GST_VIDEO_INFO_N_PLANES (info); i++) {
    gint row = 0, rows = 0, gap = g_rand_int_range (rand, 0, 8);

    for (guint k = 0; k < 3; k++) {
      gint last = (GST_VIDEO_INFO_COMP_WIDTH (info, k) - 1) * GST_VIDEO_INFO_COMP_PSTRIDE (info, k);

      if (GST_VIDEO_INFO_COMP_PLANE (info, k) != i)
        continue;
      row = MAX (row, last + (gint) GST_VIDEO_INFO_COMP_POFFSET (info, k) + 1);
      rows = GST_VIDEO_INFO_COMP_HEIGHT (info, k);
    }
    frame->info.stride[i] = row + gap;
    frame->data[i] = g_malloc ((row + gap) * (rows - 1) + row);
  }
  for (guint i = 0; i < 3; i++)
    set_component (frame, i);
}

static void
close_tight_frame (GstVideoFrame *frame)
{
  for (guint i = 0; i < GST_VIDEO_FRAME_N_PLANES (frame); i++)
    g_free (frame->data[i]);
}

typedef struct {
  gdouble place, reach; /* of the filter, which ends at 31 samples */
  gint first, n;        /* of what is seen */
} Side;

/* Sample @i of @n_out, in a component that is halved @shift times. */
static Side
find_side (gint first, gint n, guint shift, gint i, gint n_out)
{
  gint samples = (n + (1 << shift) - 1) >> shift;
  gdouble scale = (gdouble) samples / n_out;

  return (Side){ (i + 0.5) * scale - 0.5, CLAMP (scale, 1, 31), first >> shift, samples };
}

static gdouble
weight_of (const Side *side, gint i)
{
  return MAX (1 - fabs (i - side->place) / side->reach, 0);
}

static gdouble
scale_by_hand (const GstVideoFrame *frame, guint component, const Side *across, const Side *down)
{
  const GstVideoFormatInfo *format = frame->info.finfo;
  gdouble sum = 0, weights = 0;

  for (gint j = floor (down->place - down->reach); j <= down->place + down->reach; j++) {
    for (gint i = floor (across->place - across->reach); i <= across->place + across->reach; i++) {
      gdouble weight = weight_of (across, i) * weight_of (down, j);
      gint x = across->first + CLAMP (i, 0, across->n - 1);
      gint y = down->first + CLAMP (j, 0, down->n - 1);

      sum += weight * get_component (frame, component, x << format->w_sub[component],
                          y << format->h_sub[component]);
      weights += weight;
    }
  }
  return sum / weights;
}

/* The JPEG's colours at a place of the result, by the book. */
static Yuv
expect_at (const GstVideoFrame *frame, const GstVideoRectangle *from, const GstVideoRectangle *to,
    gint x, gint y)
{
  const GstVideoFormatInfo *format = frame->info.finfo;
  gdouble samples[3];

  for (guint i = 0; i < 3; i++) {
    guint shift = i == 0 ? 0 : 1;
    Side across =
        find_side (from->x, from->w, format->w_sub[i], x >> shift, (to->w + shift) >> shift);
    Side down =
        find_side (from->y, from->h, format->h_sub[i], y >> shift, (to->h + shift) >> shift);

    samples[i] = scale_by_hand (frame, i, &across, &down);
  }
  return to_yuv (
      to_rgb ((Yuv){ (samples[0] - 16) / 219, (samples[1] - 128) / 224, (samples[2] - 128) / 224 },
          BT709_R, BT709_B),
      BT601_R, BT601_B);
}

static void
assert_near (guint8 sample, gdouble expected)
{
  g_assert_cmpfloat (fabs (sample - CLAMP (expected, 0, 255)), <, 3);
}

static void
check_picture (const FalYuvScaler *planes, const GstVideoFrame *frame,
    const GstVideoRectangle *from, const GstVideoRectangle *to)
{
  const guint8 *data[3];
  gint strides[3];

  fal_yuv_scaler_get (planes, data, strides);
  for (gint y = 0; y < to->h; y++) {
    for (gint x = 0; x < to->w; x++) {
      Yuv c = expect_at (frame, from, to, x, y);
      gint row = (to->y + y) / 2, column = (to->x + x) / 2;

      assert_near (data[0][(to->y + y) * strides[0] + to->x + x], 255 * c.y);
      if (x % 2 != 0 || y % 2 != 0)
        continue;
      assert_near (data[1][row * strides[1] + column], 128 + 255 * c.u);
      assert_near (data[2][row * strides[2] + column], 128 + 255 * c.v);
    }
  }
}

/* @at: of the part, @size: of the whole. */
static void
pick_part (GRand *rand, gint *at, gint *part, gint size, gint step)
{
  *at = g_rand_int_range (rand, 0, size) / step * step;
  *part = g_rand_boolean (rand) ? size - *at : g_rand_int_range (rand, 1, size - *at + 1);
}

static void
check_any (const gchar *format, GRand *rand)
{
  gint in_width = g_rand_int_range (rand, 1, 70), in_height = g_rand_int_range (rand, 1, 70);
  gint width = g_rand_int_range (rand, 1, 40), height = g_rand_int_range (rand, 1, 40);
  GstVideoRectangle from, to;
  GstVideoInfo info;
  GstVideoFrame frame;
  FalYuvScaler *planes, *plain;

  pick_part (rand, &from.x, &from.w, in_width, 4);
  pick_part (rand, &from.y, &from.h, in_height, 4);
  pick_part (rand, &to.x, &to.w, width, 2);
  pick_part (rand, &to.y, &to.h, height, 2);
  set_info (&info, format, in_width, in_height);
  open_tight_frame (&frame, &info, rand);
  planes = fal_yuv_scaler_new (&info, &from, &to, width, height);
  plain = fal_yuv_scaler_new (&info, &from, &to, width, height);
  fal_yuv_scaler_fill (planes, &frame);
  fal_yuv_scaler_fill_plainly (plain, &frame);
  assert_same_planes (planes, plain, width, height);
  check_picture (planes, &frame, &from, &to);
  fal_yuv_scaler_free (planes);
  fal_yuv_scaler_free (plain);
  close_tight_frame (&frame);
}

static void
test_any_part_of_any_frame_is_as_by_the_book (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);

  for (guint i = 0; i < G_N_ELEMENTS (taken); i++) {
    for (guint k = 0; k < ANY_ROUNDS; k++)
      check_any (taken[i], rand);
  }
}

static void
test_other_video_is_not_taken (void)
{
  static const gchar *const formats[] = { "RGB", "BGRx", "AYUV", "I420_10LE", "GRAY8", "A420",
    "NV12_64Z32", "v210", "VYUY", "IYU1" };
  const GstVideoRectangle all = { 0, 0, 64, 64 };

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    GstVideoInfo info;

    set_info (&info, formats[i], 64, 64);
    g_assert_null (fal_yuv_scaler_new (&info, &all, &all, 64, 64));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  g_test_add_func ("/planes/cameras-shrink-as-well-as-in-gstreamer",
      test_cameras_shrink_as_well_as_in_gstreamer);
  g_test_add_func ("/planes/every-processor-makes-the-same", test_every_processor_makes_the_same);
  g_test_add_func ("/planes/what-fits-is-not-touched", test_what_fits_is_not_touched);
  g_test_add_func (
      "/planes/every-size-stays-within-its-memory", test_every_size_stays_within_its_memory);
  g_test_add_func ("/planes/an-odd-picture-goes-on-beyond-its-canvas",
      test_an_odd_picture_goes_on_beyond_its_canvas);
  g_test_add_func ("/planes/any-part-of-any-frame-is-as-by-the-book",
      test_any_part_of_any_frame_is_as_by_the_book);
  g_test_add_func ("/planes/other-video-is-not-taken", test_other_video_is_not_taken);
  return g_test_run ();
}
