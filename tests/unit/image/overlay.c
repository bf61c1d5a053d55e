/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Results on frames: each sample against what it has to be by the formulas, in all formats, at any
 * place, however the frame lies in memory. */
#include "../unreadable-memory.h"
#include "overlay-reference.h"
#include <fal/frame.h>
#include <fal/image/overlay.h>
#include <gio/gio.h>
#include <math.h>

#define ROUNDS 6 /* of each format and colorimetry */

static const gchar *const formats[] = { "I420", "YV12", "NV12", "NV21", "YUY2", "UYVY", "YVYU",
  "Y42B", "Y444", "Y41B", "NV16", "NV24", "YUV9", "AYUV", "VUYA", "v308", "A420", "RGB", "BGR",
  "RGBx", "BGRx", "xRGB", "xBGR", "RGBA", "BGRA", "ARGB", "ABGR", "GBR", "GRAY8", "I420_10LE",
  "I422_10LE", "Y444_12LE", "A420_10LE", "P010_10LE", "GRAY16_LE", "ARGB64" };

static const gchar *const colorimetries[] = { "bt601", "bt709", "1:4:0:0" };

typedef struct {
  FalOverlay *overlay;
  GRand *rand;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->overlay = fal_overlay_new ();
  f->rand = g_rand_new_with_seed (1);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  fal_overlay_free (f->overlay);
  g_rand_free (f->rand);
}

/* ---- A result and where it lies ---- */

typedef struct {
  GstVideoFrame picture;
  FalArea area;
  gint frame_width, frame_height;
  guint feather;
  gboolean is_matte;
  Pixel background;
} Scene;

static gdouble
ramp (gint i, gint extent, gboolean first, gboolean last, gint feather)
{
  gdouble left = first ? i + 0.5 : extent, right = last ? extent - i - 0.5 : extent;
  gdouble reach = MIN (feather, first && last ? extent / 2 : extent);

  return reach == 0 ? 1 : MIN (MIN (left, right) / reach, 1);
}

static gdouble
softness (const Scene *s, gint x, gint y)
{
  const FalArea *area = &s->area;

  return ramp (x - area->x, area->width, area->x > 0, area->x + area->width < s->frame_width,
             s->feather) *
         ramp (y - area->y, area->height, area->y > 0, area->y + area->height < s->frame_height,
             s->feather);
}

static gboolean
is_inside (const FalArea *area, gint x, gint y)
{
  return x >= area->x && y >= area->y && x < area->x + area->width && y < area->y + area->height;
}

/* Without scaling. */
static Pixel
get_pixel (gpointer user, gint x, gint y)
{
  const Scene *s = user;
  const GstVideoFrame *picture = &s->picture;
  gint i = x - s->area.x, j = y - s->area.y;
  Pixel pixel = s->is_matte ? s->background : (Pixel) { 0 };
  guint n = GST_VIDEO_FRAME_N_COMPONENTS (picture);

  pixel.a = 0;
  if (!is_inside (&s->area, x, y))
    return pixel;
  if (s->is_matte) {
    pixel.a = get_sample (picture, n == 4 ? 3 : 0, i, j) / 255.0;
    return pixel;
  }
  pixel.r = get_sample (picture, 0, i, j) / 255.0;
  pixel.g = get_sample (picture, 1, i, j) / 255.0;
  pixel.b = get_sample (picture, 2, i, j) / 255.0;
  pixel.a = (n == 4 ? get_sample (picture, 3, i, j) / 255.0 : 1) * softness (s, x, y);
  return pixel;
}

/* Colours in waves; alpha with plain parts. */
static guint
get_wave (gpointer user, guint component, gint x, gint y)
{
  gdouble wave = 128 + 100 * sin (x / 5.0 + component) + 90 * cos (y / 7.0 + 2 * component);

  return lround (CLAMP (wave, 0, 255));
}

static GstSample *
make_result (const gchar *format, gint width, gint height)
{
  g_autoptr (GstCaps) caps = make_frame_caps (format, width, height, NULL);

  return make_frame (caps, get_wave, NULL);
}

static FalLayout
lay_at (const FalArea *area)
{
  return (
      FalLayout) { area->width, area->height, 1, 1, *area, { 0, 0, area->width, area->height } };
}

static GstBuffer *
composite (Fixture *f, GstSample *frame, GstSample *result, const FalArea *area,
    const FalOverlayConfig *config, GstCaps *output)
{
  g_autoptr (GError) error = NULL;
  FalLayout layout = lay_at (area);
  g_autoptr (FalLayer) layer = fal_overlay_make_layer (
      f->overlay, result, &layout, gst_sample_get_caps (frame), config, &error);
  GstBuffer *buffer;

  g_assert_no_error (error);
  buffer = fal_overlay_apply (f->overlay, frame, output, layer, NULL, 0, NULL, &error);
  g_assert_no_error (error);
  return buffer;
}

static FalArea
pick_area (GRand *rand, gint width, gint height)
{
  FalArea area;

  area.x = g_rand_int_range (rand, 0, width);
  area.y = g_rand_int_range (rand, 0, height);
  area.width =
      g_rand_boolean (rand) ? width - area.x : g_rand_int_range (rand, 1, width - area.x + 1);
  area.height =
      g_rand_boolean (rand) ? height - area.y : g_rand_int_range (rand, 1, height - area.y + 1);
  return area;
}

/* ---- Over ---- */

static void
check_over (Fixture *f, GstCaps *caps, const gchar *result_format, const FalArea *area,
    guint feather, gboolean laid_out)
{
  FalOverlayConfig config = { FAL_COMPOSITE_OVER, feather, FAL_FIT_CROP };
  g_autoptr (GstSample) frame = make_noise (caps, laid_out ? f->rand : NULL);
  g_autoptr (GstSample) result = make_result (result_format, area->width, area->height);
  g_autoptr (GstBuffer) buffer = composite (f, frame, result, area, &config, caps);
  gboolean opaque = g_str_equal (result_format, "RGBx") && feather == 0;
  Scene scene = { .area = *area, .feather = feather };
  GstVideoFrame in, out;

  map_sample (&scene.picture, result, GST_MAP_READ);
  map_sample (&in, frame, GST_MAP_READ);
  map_output (&out, buffer, caps);
  scene.frame_width = in.info.width;
  scene.frame_height = in.info.height;
  assert_over (&out, &in, get_pixel, &scene, opaque ? 1.01 : 2.1);
  gst_video_frame_unmap (&out);
  gst_video_frame_unmap (&in);
  gst_video_frame_unmap (&scene.picture);
}

static void
check_over_anywhere (Fixture *f, const gchar *format, const gchar *colorimetry)
{
  static const gchar *const results[] = { "RGBx", "RGBA", "BGRA", "xRGB", "ARGB", "BGRx" };
  gboolean rgb = GST_VIDEO_FORMAT_INFO_IS_RGB (
      gst_video_format_get_info (gst_video_format_from_string (format)));

  for (guint i = 0; i < ROUNDS; i++) {
    gint width = g_rand_int_range (f->rand, 1, 70), height = g_rand_int_range (f->rand, 1, 50);
    g_autoptr (GstCaps) caps = make_frame_caps (format, width, height, rgb ? NULL : colorimetry);
    FalArea area = pick_area (f->rand, width, height);

    check_over (f, caps, results[i % G_N_ELEMENTS (results)], &area,
        i % 3 == 2 ? g_rand_int_range (f->rand, 1, 20) : 0, i % 2 == 0);
  }
}

static void
test_over_is_right_in_all_formats (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    for (guint k = 0; k < G_N_ELEMENTS (colorimetries); k++)
      check_over_anywhere (f, formats[i], colorimetries[k]);
  }
}

/* At odd places of subsampled video the samples at the edges are shared. */
static void
test_over_is_right_at_odd_places (Fixture *f, gconstpointer data)
{
  static const gchar *const subsampled[] = { "I420", "NV12", "YUY2", "UYVY", "P010_10LE", "YUV9" };

  for (guint i = 0; i < G_N_ELEMENTS (subsampled); i++) {
    for (gint odd = 0; odd < 16; odd++) {
      g_autoptr (GstCaps) caps =
          make_frame_caps (subsampled[i], 31 + (odd & 1), 23 + (odd & 1), "bt709");
      FalArea area = { 4 + (odd & 1), 6 + (odd >> 1 & 1), 13 + (odd >> 2 & 1), 9 + (odd >> 3) };

      check_over (f, caps, "RGBA", &area, 0, TRUE);
      check_over (f, caps, "RGBx", &area, 3, FALSE);
    }
  }
}

/* White and black are where the range ends. */
static guint
get_white (gpointer user, guint component, gint x, gint y)
{
  return x < 8 ? 255 : 0;
}

static void
check_ends (Fixture *f, const gchar *format, const gchar *colorimetry, guint white, guint black)
{
  g_autoptr (GstCaps) caps = make_frame_caps (format, 16, 16, colorimetry);
  g_autoptr (GstCaps) rgb = make_frame_caps ("RGBx", 16, 16, NULL);
  g_autoptr (GstSample) frame = make_noise (caps, NULL), result = make_frame (rgb, get_white, NULL);
  FalOverlayConfig config = { FAL_COMPOSITE_OVER };
  FalArea all = { 0, 0, 16, 16 };
  g_autoptr (GstBuffer) buffer = composite (f, frame, result, &all, &config, caps);
  GstVideoFrame out;

  map_output (&out, buffer, caps);
  for (gint y = 0; y < 16; y++) {
    g_assert_cmpuint (get_sample (&out, 0, 0, y), ==, white);
    g_assert_cmpuint (get_sample (&out, 0, 15, y), ==, black);
  }
  for (guint i = 1; i < GST_VIDEO_FRAME_N_COMPONENTS (&out) && white != 255; i++)
    g_assert_cmpuint (
        get_sample (&out, i, 0, 0), ==, 128 << (GST_VIDEO_FRAME_COMP_DEPTH (&out, 0) - 8));
  gst_video_frame_unmap (&out);
}

static void
test_white_and_black_are_exact (Fixture *f, gconstpointer data)
{
  check_ends (f, "I420", "bt709", 235, 16);
  check_ends (f, "NV12", "1:4:0:0", 255, 0);
  check_ends (f, "YUY2", "bt601", 235, 16);
  check_ends (f, "I420_10LE", "bt709", 940, 64);
  check_ends (f, "P010_10LE", "bt709", 940, 64);
  check_ends (f, "Y444_16LE", "bt709", 60160, 4096);
  check_ends (f, "BGRx", NULL, 255, 0);
  check_ends (f, "GRAY8", NULL, 255, 0);
}

/* ---- Mattes ---- */

static Pixel
to_pixel (guint32 argb)
{
  return (Pixel) { (argb >> 16 & 255) / 255.0, (argb >> 8 & 255) / 255.0, (argb & 255) / 255.0, 0 };
}

static void
check_matte_over (
    Fixture *f, GstCaps *caps, const gchar *result_format, const FalArea *area, gboolean laid_out)
{
  FalOverlayConfig config = { FAL_COMPOSITE_MATTE_OVER, 0, FAL_FIT_CROP, { FALSE, 0xff20c040 } };
  g_autoptr (GstSample) frame = make_noise (caps, laid_out ? f->rand : NULL);
  g_autoptr (GstSample) result = make_result (result_format, area->width, area->height);
  g_autoptr (GstBuffer) buffer = composite (f, frame, result, area, &config, caps);
  Scene scene = { .area = *area, .is_matte = TRUE, .background = to_pixel (0x20c040) };
  GstVideoFrame in, out;

  map_sample (&scene.picture, result, GST_MAP_READ);
  map_sample (&in, frame, GST_MAP_READ);
  map_output (&out, buffer, caps);
  assert_through (&out, &in, get_pixel, &scene, 1.51);
  gst_video_frame_unmap (&out);
  gst_video_frame_unmap (&in);
  gst_video_frame_unmap (&scene.picture);
}

static void
test_matte_over_a_colour_is_right_in_all_formats (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    gboolean rgb = GST_VIDEO_FORMAT_INFO_IS_RGB (
        gst_video_format_get_info (gst_video_format_from_string (formats[i])));

    for (guint k = 0; k < ROUNDS; k++) {
      gint width = g_rand_int_range (f->rand, 1, 70), height = g_rand_int_range (f->rand, 1, 50);
      g_autoptr (GstCaps) caps =
          make_frame_caps (formats[i], width, height, rgb ? NULL : colorimetries[k % 3]);
      FalArea whole = { 0, 0, width, height };
      FalArea area = k % 2 == 0 ? whole : pick_area (f->rand, width, height);

      check_matte_over (f, caps, k % 3 == 0 ? "RGBA" : "GRAY8", &area, k % 2 == 0);
    }
  }
}

/* Alpha is the matte itself, and the frame's colours are its own. */
static void
check_matte (
    Fixture *f, const gchar *format, const gchar *allowed, const gchar *wanted, gdouble tolerance)
{
  FalOverlayConfig config = { FAL_COMPOSITE_MATTE };
  g_autoptr (GstCaps) caps = make_frame_caps (format, 37, 23, NULL);
  g_autoptr (GstCaps) takes = gst_caps_from_string (allowed);
  g_autoptr (GstCaps) output = fal_overlay_make_caps (caps, takes, &config, NULL);
  g_autoptr (GstSample) frame = make_noise (caps, f->rand), result = make_result ("GRAY8", 37, 23);
  FalArea whole = { 0, 0, 37, 23 };
  g_autoptr (GstBuffer) buffer = composite (f, frame, result, &whole, &config, output);
  GstVideoFrame in, out, matte;

  map_sample (&matte, result, GST_MAP_READ);
  map_sample (&in, frame, GST_MAP_READ);
  map_output (&out, buffer, output);
  g_assert_cmpstr (GST_VIDEO_INFO_NAME (&out.info), ==, wanted);
  for (gint y = 0; y < 23; y++) {
    for (gint x = 0; x < 37; x++)
      g_assert_cmpuint (get_sample (&out, 3, x, y), ==, get_sample (&matte, 0, x, y));
  }
  for (guint i = 0; i < 3 && tolerance >= 0; i++) {
    for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (&in, i); y++) {
      for (gint x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH (&in, i); x++)
        g_assert_cmpuint (get_sample (&out, i, x, y), ==, get_sample (&in, i, x, y));
    }
  }
  gst_video_frame_unmap (&out);
  gst_video_frame_unmap (&in);
  gst_video_frame_unmap (&matte);
}

static void
test_a_matte_becomes_alpha (Fixture *f, gconstpointer data)
{
  check_matte (f, "I420", "ANY", "A420", 0);
  check_matte (f, "YV12", "ANY", "A420", 0);
  check_matte (f, "A420", "ANY", "A420", 0);
  check_matte (f, "AYUV", "ANY", "AYUV", 0);
  check_matte (f, "RGBx", "ANY", "RGBA", 0);
  check_matte (f, "BGRx", "ANY", "BGRA", 0);
  check_matte (f, "xRGB", "ANY", "ARGB", 0);
  check_matte (f, "xBGR", "ANY", "ABGR", 0);
  check_matte (f, "BGRA", "ANY", "BGRA", 0);
  check_matte (f, "NV12", "ANY", "A420", 0);
  check_matte (f, "Y444", "ANY", "AYUV", 0);
  check_matte (f, "I420", "video/x-raw,format={I420,RGBA}", "RGBA", -1);
  check_matte (f, "YV12", "video/x-raw,format=BGRA", "BGRA", -1);
  check_matte (f, "NV12", "video/x-raw,format=BGRA", "BGRA", -1);
  check_matte (f, "RGB", "video/x-raw,format=BGRA", "BGRA", 0);
  check_matte (f, "P010_10LE", "video/x-raw,format=AYUV", "AYUV", -1);
  check_matte (f, "GRAY8", "video/x-raw,format=ARGB", "ARGB", -1);
}

/* What is shared must not be written to again before it was seen. */
static void
test_what_is_shared_is_held (Fixture *f, gconstpointer data)
{
  FalOverlayConfig config = { FAL_COMPOSITE_MATTE };
  g_autoptr (GstCaps) caps = make_frame_caps ("I420", 32, 24, NULL);
  g_autoptr (GstCaps) output = make_frame_caps ("A420", 32, 24, NULL);
  g_autoptr (GstSample) frame = make_noise (caps, NULL), result = make_result ("GRAY8", 32, 24);
  FalArea whole = { 0, 0, 32, 24 };
  GstBuffer *buffer = composite (f, frame, result, &whole, &config, output);

  g_assert_cmpint (GST_MINI_OBJECT_REFCOUNT_VALUE (gst_sample_get_buffer (frame)), ==, 2);
  g_assert_cmpint (GST_MINI_OBJECT_REFCOUNT_VALUE (gst_sample_get_buffer (result)), ==, 2);
  g_assert_true (gst_buffer_peek_memory (buffer, 0) ==
                 gst_buffer_peek_memory (gst_sample_get_buffer (frame), 0));
  gst_buffer_unref (buffer);
  g_assert_cmpint (GST_MINI_OBJECT_REFCOUNT_VALUE (gst_sample_get_buffer (frame)), ==, 1);
  g_assert_cmpint (GST_MINI_OBJECT_REFCOUNT_VALUE (gst_sample_get_buffer (result)), ==, 1);
}

/* In two pieces, in memory that must not be shared, and with rows further apart than the frame's.
 */
static GstBuffer *
take_apart (GstBuffer *plain, guint way)
{
  gsize offsets[GST_VIDEO_MAX_PLANES] = { 0 };
  gint strides[GST_VIDEO_MAX_PLANES] = { 64 };
  GstBuffer *buffer = gst_buffer_copy_deep (plain);
  GstMapInfo map;

  if (way == 0) {
    gst_buffer_unref (buffer);
    return gst_buffer_append (gst_buffer_copy_region (plain, GST_BUFFER_COPY_ALL, 0, 32 * 12),
        gst_buffer_copy_region (plain, GST_BUFFER_COPY_MEMORY, 32 * 12, 32 * 12));
  }
  if (way == 1) {
    GST_MINI_OBJECT_FLAG_SET (gst_buffer_peek_memory (buffer, 0), GST_MEMORY_FLAG_NO_SHARE);
    return buffer;
  }
  gst_buffer_unref (buffer);
  buffer = gst_buffer_new_allocate (NULL, 64 * 24, NULL);
  g_assert_true (gst_buffer_map (plain, &map, GST_MAP_READ));
  for (guint y = 0; y < 24; y++)
    gst_buffer_fill (buffer, 64 * y, map.data + 32 * y, 32);
  gst_buffer_unmap (plain, &map);
  gst_buffer_add_video_meta_full (
      buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_GRAY8, 32, 24, 1, offsets, strides);
  return buffer;
}

static void
test_a_matte_that_cannot_be_shared_is_copied (Fixture *f, gconstpointer data)
{
  FalOverlayConfig config = { FAL_COMPOSITE_MATTE };
  g_autoptr (GstCaps) caps = make_frame_caps ("I420", 32, 24, NULL);
  g_autoptr (GstCaps) output = make_frame_caps ("A420", 32, 24, NULL);
  g_autoptr (GstSample) frame = make_noise (caps, NULL), plain = make_result ("GRAY8", 32, 24);
  FalArea whole = { 0, 0, 32, 24 };
  g_autoptr (GstBuffer) shared = composite (f, frame, plain, &whole, &config, output);
  GstMapInfo map;

  g_assert_true (gst_buffer_map (shared, &map, GST_MAP_READ));
  for (guint way = 0; way < 3; way++) {
    g_autoptr (GstBuffer) apart = take_apart (gst_sample_get_buffer (plain), way);
    g_autoptr (GstSample) result = gst_sample_new (apart, gst_sample_get_caps (plain), NULL, NULL);
    g_autoptr (GstBuffer) buffer = composite (f, frame, result, &whole, &config, output);

    g_test_message ("way %u", way);
    g_assert_true (gst_buffer_peek_memory (buffer, 0) !=
                   gst_buffer_peek_memory (gst_sample_get_buffer (frame), 0));
    g_assert_null (gst_buffer_get_parent_buffer_meta (buffer));
    g_assert_cmpint (gst_buffer_memcmp (buffer, 0, map.data, map.size), ==, 0);
  }
  gst_buffer_unmap (shared, &map);
}

/* A frame of one colour stays that colour on the way to another format, as near as GStreamer does
 * it. */
static guint
get_skin (gpointer user, guint component, gint x, gint y)
{
  const GstVideoInfo *info = user;

  return lround (component_of (info, component, (Pixel) { 0.88, 0.67, 0.41, 1 }));
}

static void
test_colours_survive_where_alpha_needs_another_format (Fixture *f, gconstpointer data)
{
  static const gchar *const from[] = { "I420", "NV12", "YUY2", "I420_10LE", "P010_10LE", "RGB" };
  FalOverlayConfig config = { FAL_COMPOSITE_MATTE };
  g_autoptr (GstCaps) rgba = gst_caps_from_string ("video/x-raw,format=RGBA");

  for (guint i = 0; i < G_N_ELEMENTS (from); i++) {
    g_autoptr (GstCaps) caps = make_frame_caps (from[i], 64, 48, i < 5 ? "bt709" : NULL);
    g_autoptr (GstCaps) output = fal_overlay_make_caps (caps, rgba, &config, NULL);
    g_autoptr (GstSample) result = make_result ("RGBA", 64, 48), frame = NULL;
    g_autoptr (GstBuffer) buffer = NULL;
    FalArea whole = { 0, 0, 64, 48 };
    GstVideoFrame out;
    GstVideoInfo info;

    g_assert_true (gst_video_info_from_caps (&info, caps));
    frame = make_frame (caps, get_skin, &info);
    buffer = composite (f, frame, result, &whole, &config, output);
    map_output (&out, buffer, output);
    g_assert_cmpint (ABS ((gint) get_sample (&out, 0, 20, 20) - 224), <=, 4);
    g_assert_cmpint (ABS ((gint) get_sample (&out, 1, 20, 20) - 171), <=, 4);
    g_assert_cmpint (ABS ((gint) get_sample (&out, 2, 20, 20) - 105), <=, 4);
    gst_video_frame_unmap (&out);
  }
}

/* Where downstream takes no alpha the frame keeps its format, and the background is seen. */
static void
test_a_matte_without_alpha_is_laid_over_the_background (Fixture *f, gconstpointer data)
{
  FalOverlayConfig config = { FAL_COMPOSITE_MATTE, 0, FAL_FIT_CROP, { FALSE, 0xff0000ff } };
  g_autoptr (GstCaps) caps = make_frame_caps ("I420", 16, 16, "bt709");
  g_autoptr (GstCaps) allowed = gst_caps_from_string ("video/x-raw,format={I420,NV12}");
  g_autoptr (GstCaps) output = fal_overlay_make_caps (caps, allowed, &config, NULL);
  g_autoptr (GstCaps) grey = make_frame_caps ("GRAY8", 16, 16, NULL);
  g_autoptr (GstSample) frame = make_noise (caps, NULL), matte = make_frame (grey, get_white, NULL);
  FalArea whole = { 0, 0, 16, 16 };
  g_autoptr (GstBuffer) buffer = NULL;
  GstVideoFrame in, out;

  g_assert_true (gst_caps_is_equal (output, caps));
  buffer = composite (f, frame, matte, &whole, &config, output);
  map_sample (&in, frame, GST_MAP_READ);
  map_output (&out, buffer, output);
  g_assert_cmpuint (get_sample (&out, 0, 3, 3), ==, get_sample (&in, 0, 3, 3));
  g_assert_cmpuint (get_sample (&out, 0, 12, 3), ==, 32); /* blue in BT.709 */
  g_assert_cmpuint (get_sample (&out, 1, 6, 3), ==, 240);
  gst_video_frame_unmap (&out);
  gst_video_frame_unmap (&in);
}

/* A sample whose bytes are all 255. */
static GstSample *
make_opaque (GstCaps *caps)
{
  GstSample *sample = make_frame (caps, get_white, NULL);

  gst_buffer_memset (gst_sample_get_buffer (sample), 0, 255, -1);
  return sample;
}

/* What stands in the place of alpha is taken for alpha by some elements. */
static void
check_unused (Fixture *f, const gchar *format, const FalOverlayConfig *config, guint at)
{
  g_autoptr (GstCaps) caps = make_frame_caps (format, 32, 8, NULL);
  g_autoptr (GstCaps) picture =
      make_frame_caps (config->mode == FAL_COMPOSITE_OVER ? "RGBx" : "GRAY8", 16, 8, NULL);
  g_autoptr (GstSample) frame = make_opaque (caps);
  g_autoptr (GstSample) result = config->mode == FAL_COMPOSITE_OVER
                                     ? make_opaque (picture)
                                     : make_frame (picture, get_white, NULL);
  FalArea area = { 8, 0, 16, 8 };
  g_autoptr (GstBuffer) buffer = composite (f, frame, result, &area, config, caps);
  GstVideoFrame out;

  map_output (&out, buffer, caps);
  for (gint y = 0; y < 8; y++)
    for (gint x = 0; x < 32; x++)
      g_assert_cmpuint (((guint8 *) out.data[0])[y * out.info.stride[0] + 4 * x + at], ==, 255);
  gst_video_frame_unmap (&out);
}

static void
test_what_is_opaque_stays_so (Fixture *f, gconstpointer data)
{
  const FalOverlayConfig configs[] = { { FAL_COMPOSITE_OVER }, { FAL_COMPOSITE_OVER, 3 },
    { FAL_COMPOSITE_MATTE_OVER, 0, FAL_FIT_CROP, { FALSE, 0xff20c040 } },
    { FAL_COMPOSITE_MATTE_OVER, 0, FAL_FIT_CROP, { TRUE, 0 } } };

  for (guint i = 0; i < G_N_ELEMENTS (configs); i++) {
    check_unused (f, "RGBx", &configs[i], 3);
    check_unused (f, "BGRx", &configs[i], 3);
    check_unused (f, "xRGB", &configs[i], 0);
    check_unused (f, "xBGR", &configs[i], 0);
  }
}

/* ---- Scaling ---- */

typedef struct {
  gint x, y, side;
  gdouble scale; /* of the picture to the frame */
} Square;

/* Of a square in the frame, the part of each of the matte's pixels that it covers. */
static guint
get_square (gpointer user, guint component, gint x, gint y)
{
  const Square *s = user;
  gdouble left = MAX (x * s->scale, s->x), right = MIN ((x + 1) * s->scale, s->x + s->side);
  gdouble top = MAX (y * s->scale, s->y), bottom = MIN ((y + 1) * s->scale, s->y + s->side);

  if (right <= left || bottom <= top)
    return 0;
  return lround (255 * (right - left) * (bottom - top) / (s->scale * s->scale));
}

static gdouble
find_overlap (const GstVideoFrame *out, const Square *s)
{
  gint both = 0, either = 0;

  for (gint y = 0; y < out->info.height; y++) {
    for (gint x = 0; x < out->info.width; x++) {
      gboolean seen = get_sample (out, 3, x, y) >= 128;
      gboolean wanted = x >= s->x && y >= s->y && x < s->x + s->side && y < s->y + s->side;

      both += seen && wanted;
      either += seen || wanted;
    }
  }
  return (gdouble) both / either;
}

static void
check_square (Fixture *f, Square square, gint picture_width, gint picture_height)
{
  FalOverlayConfig config = { FAL_COMPOSITE_MATTE };
  g_autoptr (GstCaps) caps = make_frame_caps ("I420", 640, 360, NULL);
  g_autoptr (GstCaps) any = gst_caps_new_any ();
  g_autoptr (GstCaps) output = fal_overlay_make_caps (caps, any, &config, NULL);
  g_autoptr (GstCaps) grey = make_frame_caps ("GRAY8", picture_width, picture_height, NULL);
  g_autoptr (GstSample) frame = make_noise (caps, NULL);
  g_autoptr (GstSample) matte = NULL;
  g_autoptr (GstBuffer) buffer = NULL;
  FalArea whole = { 0, 0, 640, 360 };
  GstVideoFrame out;

  square.scale = 640.0 / picture_width;
  matte = make_frame (grey, get_square, &square);
  buffer = composite (f, frame, matte, &whole, &config, output);
  map_output (&out, buffer, output);
  g_assert_cmpfloat (find_overlap (&out, &square), >=, 0.99);
  gst_video_frame_unmap (&out);
}

static void
test_a_scaled_matte_keeps_its_edges_in_place (Fixture *f, gconstpointer data)
{
  for (gint i = 0; i < 8; i++) {
    Square square = { 37 + 53 * i, 20 + 9 * i, 150 };

    check_square (f, square, 640, 360);
    check_square (f, square, 320, 180);
    check_square (f, square, 1280, 720);
    check_square (f, square, 512, 288);
  }
}

/* Waves that are long enough to be known at any place. */
static gdouble
wave_at (guint component, gdouble x, gdouble y)
{
  return 128 + 60 * sin (x / 40 + component) + 50 * cos (y / 30 + 2 * component);
}

static guint
get_long_wave (gpointer user, guint component, gint x, gint y)
{
  const gdouble *scale = user;

  return lround (wave_at (component, (x + 0.5) * scale[0], (y + 0.5) * scale[1]));
}

static void
test_a_scaled_picture_is_where_it_was (Fixture *f, gconstpointer data)
{
  static const gint sizes[][2] = { { 120, 90 }, { 240, 180 }, { 60, 45 }, { 100, 75 },
    { 480, 360 } };
  g_autoptr (GstCaps) caps = make_frame_caps ("RGB", 300, 200, NULL);
  g_autoptr (GstSample) frame = make_noise (caps, f->rand);
  FalOverlayConfig config = { FAL_COMPOSITE_OVER };
  FalArea area = { 77, 33, 120, 90 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    gdouble scale[2] = { 120.0 / sizes[i][0], 90.0 / sizes[i][1] };
    g_autoptr (GstCaps) rgb = make_frame_caps ("RGBx", sizes[i][0], sizes[i][1], NULL);
    g_autoptr (GstSample) result = make_frame (rgb, get_long_wave, scale);
    g_autoptr (GstBuffer) buffer = composite (f, frame, result, &area, &config, caps);
    GstVideoFrame out;

    map_output (&out, buffer, caps);
    for (gint y = 3; y < 87; y++) {
      for (gint x = 3; x < 117; x++) {
        for (guint k = 0; k < 3; k++)
          g_assert_cmpfloat (
              fabs (get_sample (&out, k, 77 + x, 33 + y) - wave_at (k, x + 0.5, y + 0.5)), <, 2.1);
      }
    }
    gst_video_frame_unmap (&out);
  }
}

/* What is not seen of a result must not be seen at its edges either. */
static guint
get_island (gpointer user, guint component, gint x, gint y)
{
  gboolean inside = x >= 8 && x < 24 && y >= 8 && y < 24;

  return component == 3 ? (inside ? 255 : 0) : (inside ? 200 : 0);
}

static guint
get_two_hundred (gpointer user, guint component, gint x, gint y)
{
  return 200;
}

static void
test_hidden_colours_do_not_show_at_edges (Fixture *f, gconstpointer data)
{
  g_autoptr (GstCaps) caps = make_frame_caps ("BGRx", 80, 80, NULL);
  g_autoptr (GstCaps) rgba = make_frame_caps ("RGBA", 32, 32, NULL);
  g_autoptr (GstSample) frame = make_frame (caps, get_two_hundred, NULL);
  g_autoptr (GstSample) result = make_frame (rgba, get_island, NULL);
  FalOverlayConfig config = { FAL_COMPOSITE_OVER };
  FalArea whole = { 0, 0, 80, 80 };
  g_autoptr (GstBuffer) buffer = composite (f, frame, result, &whole, &config, caps);
  GstVideoFrame out;

  map_output (&out, buffer, caps);
  for (gint y = 0; y < 80; y++) {
    for (gint x = 0; x < 80; x++)
      g_assert_cmpint (ABS ((gint) get_sample (&out, 0, x, y) - 200), <=, 2);
  }
  gst_video_frame_unmap (&out);
}

/* ---- Fits ---- */

/* A result of twice the width than what was sent: red, green and blue in three parts. */
static guint
get_stripes (gpointer user, guint component, gint x, gint y)
{
  return x * 4 / 128 == 0 ? (component == 0) * 255
                          : (x * 4 / 128 == 3 ? (component == 2) * 255 : (component == 1) * 255);
}

static void
check_fit (Fixture *f, FalFit fit, const gchar *row)
{
  static const gchar letters[] = "rgb";
  g_autoptr (GstCaps) caps = make_frame_caps ("RGB", 96, 96, NULL);
  g_autoptr (GstCaps) rgb = make_frame_caps ("RGBx", 128, 64, NULL);
  g_autoptr (GstSample) frame = make_noise (caps, f->rand),
                        result = make_frame (rgb, get_stripes, NULL);
  FalOverlayConfig config = { FAL_COMPOSITE_OVER, 0, fit };
  FalArea area = { 16, 16, 64, 64 };
  g_autoptr (GstBuffer) buffer = composite (f, frame, result, &area, &config, caps);
  GstVideoFrame in, out;

  map_sample (&in, frame, GST_MAP_READ);
  map_output (&out, buffer, caps);
  for (gint i = 0; i < 4; i++) {
    for (guint k = 0; k < 3; k++) {
      g_assert_cmpuint (get_sample (&out, k, 24 + 16 * i, 48), ==, letters[k] == row[i] ? 255 : 0);
      if (fit == FAL_FIT_LETTERBOX)
        g_assert_cmpuint (
            get_sample (&out, k, 24 + 16 * i, 31), ==, get_sample (&in, k, 24 + 16 * i, 31));
    }
  }
  gst_video_frame_unmap (&out);
  gst_video_frame_unmap (&in);
}

static void
test_another_shape_is_fitted (Fixture *f, gconstpointer data)
{
  check_fit (f, FAL_FIT_CROP, "gggg");
  check_fit (f, FAL_FIT_STRETCH, "rggb");
  check_fit (f, FAL_FIT_LETTERBOX, "rggb");
}

/* The bars of what was sent come back as bars, and are left out. */
static guint
get_barred (gpointer user, guint component, gint x, gint y)
{
  return y < 14 || y >= 50 ? 0 : 200;
}

static void
test_bars_are_left_out (Fixture *f, gconstpointer data)
{
  g_autoptr (GstCaps) caps = make_frame_caps ("RGB", 160, 90, NULL);
  g_autoptr (GstCaps) rgb = make_frame_caps ("RGBx", 64, 64, NULL);
  g_autoptr (GstSample) frame = make_noise (caps, NULL),
                        result = make_frame (rgb, get_barred, NULL);
  FalOverlayConfig config = { FAL_COMPOSITE_OVER };
  FalLayout layout = { 128, 128, 1, 1, { 0, 0, 160, 90 }, { 0, 28, 128, 72 } };
  g_autoptr (FalLayer) layer =
      fal_overlay_make_layer (f->overlay, result, &layout, caps, &config, NULL);
  g_autoptr (GstBuffer) buffer =
      fal_overlay_apply (f->overlay, frame, caps, layer, NULL, 0, NULL, NULL);
  GstVideoFrame out;

  map_output (&out, buffer, caps);
  for (gint y = 0; y < 90; y++)
    g_assert_cmpuint (get_sample (&out, 1, 80, y), ==, 200);
  gst_video_frame_unmap (&out);
}

/* ---- Two layers, and other places ---- */

typedef struct {
  const GstVideoFrame *one, *other;
  guint weight;
} Pair;

static guint
get_other_wave (gpointer user, guint component, gint x, gint y)
{
  return get_wave (NULL, component + 5, y, x);
}

static void
test_two_mattes_are_blended (Fixture *f, gconstpointer data)
{
  static const guint weights[] = { 0, 1, 64, 128, 200, 255, 256 };
  FalOverlayConfig config = { FAL_COMPOSITE_MATTE };
  g_autoptr (GstCaps) caps = make_frame_caps ("BGRx", 61, 35, NULL);
  g_autoptr (GstCaps) any = gst_caps_new_any ();
  g_autoptr (GstCaps) output = fal_overlay_make_caps (caps, any, &config, NULL);
  g_autoptr (GstCaps) grey = make_frame_caps ("GRAY8", 61, 35, NULL);
  g_autoptr (GstSample) frame = make_noise (caps, NULL), a = make_frame (grey, get_wave, NULL);
  g_autoptr (GstSample) b = make_frame (grey, get_other_wave, NULL);
  FalLayout layout = { 0 };
  g_autoptr (FalLayer) one = fal_overlay_make_layer (f->overlay, a, &layout, caps, &config, NULL);
  g_autoptr (FalLayer) other = fal_overlay_make_layer (f->overlay, b, &layout, caps, &config, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (weights); i++) {
    g_autoptr (GstBuffer) buffer =
        fal_overlay_apply (f->overlay, frame, output, one, other, weights[i], NULL, NULL);
    GstVideoFrame out;

    map_output (&out, buffer, output);
    for (gint y = 0; y < 35; y++) {
      for (gint x = 0; x < 61; x++) {
        gdouble expected = (get_wave (NULL, 0, x, y) * (256.0 - weights[i]) +
                               get_other_wave (NULL, 0, x, y) * (gdouble) weights[i]) /
                           256;

        g_assert_cmpfloat (fabs (get_sample (&out, 3, x, y) - expected), <=, 0.51);
      }
    }
    gst_video_frame_unmap (&out);
  }
}

/* As one picture that is their mean; where they lie on different places the one that counts more is
 * seen alone. */
static void
check_two_pictures (Fixture *f, const gchar *frame_format, const gchar *result_format)
{
  static const guint weights[] = { 0, 64, 127, 128, 255, 256 };
  FalOverlayConfig config = { FAL_COMPOSITE_OVER };
  g_autoptr (GstCaps) caps = make_frame_caps (frame_format, 64, 48, NULL);
  g_autoptr (GstCaps) picture = make_frame_caps (result_format, 32, 24, NULL);
  g_autoptr (GstSample) frame = make_noise (caps, NULL), a = make_frame (picture, get_wave, NULL);
  g_autoptr (GstSample) b = make_frame (picture, get_other_wave, NULL);
  const FalArea here = { 8, 8, 32, 24 }, there = { 24, 16, 32, 24 };
  FalLayout layout = lay_at (&here), other_layout = lay_at (&there);
  g_autoptr (FalLayer) one = fal_overlay_make_layer (f->overlay, a, &layout, caps, &config, NULL);
  g_autoptr (FalLayer) other = fal_overlay_make_layer (f->overlay, b, &layout, caps, &config, NULL);
  g_autoptr (FalLayer) apart =
      fal_overlay_make_layer (f->overlay, b, &other_layout, caps, &config, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (weights); i++) {
    guint weight = weights[i];
    g_autoptr (GstBuffer) alone =
        fal_overlay_apply (f->overlay, frame, caps, one, NULL, 0, NULL, NULL);
    g_autoptr (GstBuffer) alone_other =
        fal_overlay_apply (f->overlay, frame, caps, other, NULL, 0, NULL, NULL);
    g_autoptr (GstBuffer) alone_apart =
        fal_overlay_apply (f->overlay, frame, caps, apart, NULL, 0, NULL, NULL);
    g_autoptr (GstBuffer) both =
        fal_overlay_apply (f->overlay, frame, caps, one, other, weight, NULL, NULL);
    g_autoptr (GstBuffer) either =
        fal_overlay_apply (f->overlay, frame, caps, one, apart, weight, NULL, NULL);
    GstVideoFrame first, second, mean, third, chosen;

    map_output (&first, alone, caps);
    map_output (&second, alone_other, caps);
    map_output (&third, alone_apart, caps);
    map_output (&mean, both, caps);
    map_output (&chosen, either, caps);
    for (guint c = 0; c < GST_VIDEO_FRAME_N_COMPONENTS (&mean); c++) {
      gdouble levels = 1 << (GST_VIDEO_FRAME_COMP_DEPTH (&mean, c) - 8);

      for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (&mean, c); y++) {
        for (gint x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH (&mean, c); x++) {
          gdouble wanted = (get_sample (&first, c, x, y) * (256.0 - weight) +
                               get_sample (&second, c, x, y) * (gdouble) weight) /
                           256;

          g_assert_cmpfloat (fabs (get_sample (&mean, c, x, y) - wanted), <=, 2.01 * levels);
          g_assert_cmpuint (get_sample (&chosen, c, x, y), ==,
              get_sample (weight >= 128 ? &third : &first, c, x, y));
        }
      }
    }
    gst_video_frame_unmap (&chosen);
    gst_video_frame_unmap (&mean);
    gst_video_frame_unmap (&third);
    gst_video_frame_unmap (&second);
    gst_video_frame_unmap (&first);
  }
}

static void
test_two_pictures_are_blended (Fixture *f, gconstpointer data)
{
  static const gchar *const frames[] = { "I420", "NV12", "RGB", "Y41B", "Y444", "I420_10LE" };

  for (guint i = 0; i < G_N_ELEMENTS (frames); i++) {
    check_two_pictures (f, frames[i], "RGBA");
    check_two_pictures (f, frames[i], "RGBx");
  }
}

/* As if the region had been there from the beginning. */
static void
check_moved (Fixture *f, GstCaps *caps, FalArea to)
{
  FalOverlayConfig config = { FAL_COMPOSITE_OVER, 4 };
  g_autoptr (GstSample) frame = make_noise (caps, f->rand), result = make_result ("RGBA", 20, 16);
  FalArea from = { 3, 5, 20, 16 };
  FalLayout layout = lay_at (&from), moved = layout;
  g_autoptr (FalLayer) layer =
      fal_overlay_make_layer (f->overlay, result, &layout, caps, &config, NULL);
  g_autoptr (FalLayer) there = NULL;
  g_autoptr (GstBuffer) got = NULL, expected = NULL;
  GstVideoFrame one, other;

  moved.from = to;
  there = fal_overlay_make_layer (f->overlay, result, &moved, caps, &config, NULL);
  got = fal_overlay_apply (f->overlay, frame, caps, layer, NULL, 0, &to, NULL);
  expected = fal_overlay_apply (f->overlay, frame, caps, there, NULL, 0, NULL, NULL);
  map_output (&one, got, caps);
  map_output (&other, expected, caps);
  for (guint i = 0; i < GST_VIDEO_FRAME_N_COMPONENTS (&one); i++) {
    for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (&one, i); y++) {
      for (gint x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH (&one, i); x++)
        g_assert_cmpuint (get_sample (&one, i, x, y), ==, get_sample (&other, i, x, y));
    }
  }
  gst_video_frame_unmap (&one);
  gst_video_frame_unmap (&other);
}

static void
test_a_region_moves_along (Fixture *f, gconstpointer data)
{
  g_autoptr (GstCaps) caps = make_frame_caps ("I420", 61, 43, NULL);

  check_moved (f, caps, (FalArea) { 10, 12, 20, 16 });
  check_moved (f, caps, (FalArea) { 11, 13, 20, 16 });
  check_moved (f, caps, (FalArea) { 11, 13, 31, 9 });
}

/* What is beyond the frame is cut off, and an edge there is not softened. */
static void
test_a_region_may_go_beyond_the_frame (Fixture *f, gconstpointer data)
{
  static const FalArea areas[] = { { -7, -5, 20, 16 }, { 50, 36, 20, 16 }, { -10, -10, 90, 80 },
    { 61, 0, 20, 16 }, { -20, 0, 20, 16 } };
  g_autoptr (GstCaps) caps = make_frame_caps ("I420", 61, 43, "bt709");
  FalOverlayConfig config = { FAL_COMPOSITE_OVER, 5 };

  for (guint i = 0; i < G_N_ELEMENTS (areas); i++) {
    g_autoptr (GstSample) frame = make_noise (caps, f->rand);
    g_autoptr (GstSample) result = make_result ("RGBx", areas[i].width, areas[i].height);
    g_autoptr (GstBuffer) buffer = composite (f, frame, result, &areas[i], &config, caps);
    Scene scene = { .area = areas[i], .feather = 5, .frame_width = 61, .frame_height = 43 };
    GstVideoFrame in, out;

    map_sample (&scene.picture, result, GST_MAP_READ);
    map_sample (&in, frame, GST_MAP_READ);
    map_output (&out, buffer, caps);
    assert_over (&out, &in, get_pixel, &scene, 2.1);
    gst_video_frame_unmap (&out);
    gst_video_frame_unmap (&in);
    gst_video_frame_unmap (&scene.picture);
  }
}

/* ---- Blur ---- */

static guint
get_flat (gpointer user, guint component, gint x, gint y)
{
  static const guint values[] = { 77, 150, 33, 255 };
  const GstVideoInfo *info = user;

  return values[component] << (GST_VIDEO_INFO_COMP_DEPTH (info, 0) - 8);
}

/* Each colour comes back to the level. */
static void
test_a_plain_frame_is_its_own_blur (Fixture *f, gconstpointer data)
{
  FalOverlayConfig config = { FAL_COMPOSITE_MATTE_OVER, 0, FAL_FIT_CROP, { TRUE } };

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    gint width = g_rand_int_range (f->rand, 1, 130), height = g_rand_int_range (f->rand, 1, 90);
    g_autoptr (GstCaps) caps = make_frame_caps (formats[i], width, height, NULL);
    g_autoptr (GstSample) frame = NULL, result = make_result ("GRAY8", width, height);
    g_autoptr (GstBuffer) buffer = NULL;
    FalArea whole = { 0, 0, width, height };
    GstVideoFrame out;
    GstVideoInfo info;

    g_assert_true (gst_video_info_from_caps (&info, caps));
    frame = make_frame (caps, get_flat, &info);
    buffer = composite (f, frame, result, &whole, &config, caps);
    map_output (&out, buffer, caps);
    for (guint k = 0; k < GST_VIDEO_FRAME_N_COMPONENTS (&out); k++) {
      for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (&out, k); y++) {
        for (gint x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH (&out, k); x++)
          if (get_sample (&out, k, x, y) != get_flat (&info, k, 0, 0))
            g_error ("%s %dx%d: component %u at %d, %d is %u", formats[i], width, height, k, x, y,
                get_sample (&out, k, x, y));
      }
    }
    gst_video_frame_unmap (&out);
  }
}

static guint
get_black (gpointer user, guint component, gint x, gint y)
{
  return 0;
}

/* Chequers of 64 pixels: what is left of them, and that it is smooth. */
static guint
get_chequer (gpointer user, guint component, gint x, gint y)
{
  return (x / 64 + y / 64) % 2 == 0 ? 40 : 200;
}

static void
test_a_blur_is_smooth (Fixture *f, gconstpointer data)
{
  FalOverlayConfig config = { FAL_COMPOSITE_MATTE_OVER, 0, FAL_FIT_CROP, { TRUE } };
  g_autoptr (GstCaps) caps = make_frame_caps ("GRAY8", 640, 480, NULL);
  g_autoptr (GstSample) frame = make_frame (caps, get_chequer, NULL);
  g_autoptr (GstSample) matte = make_frame (caps, get_black, NULL);
  FalArea whole = { 0, 0, 640, 480 };
  g_autoptr (GstBuffer) buffer = composite (f, frame, matte, &whole, &config, caps);
  gdouble sum = 0;
  GstVideoFrame out;

  map_output (&out, buffer, caps);
  for (gint y = 0; y < 480; y++) {
    for (gint x = 1; x < 640; x++) {
      gint step = get_sample (&out, 0, x, y) - get_sample (&out, 0, x - 1, y);

      g_assert_cmpint (ABS (step), <=, 5);
      sum += get_sample (&out, 0, x, y);
    }
  }
  g_assert_cmpfloat (fabs (sum / (480 * 639) - 120), <, 2);
  gst_video_frame_unmap (&out);
}

/* A slope of a few levels has no steps: where a level ends both are found side by side. */
static guint
get_slope (gpointer user, guint component, gint x, gint y)
{
  return 100 + x / 160;
}

static void
test_a_blur_has_no_bands (Fixture *f, gconstpointer data)
{
  FalOverlayConfig config = { FAL_COMPOSITE_MATTE_OVER, 0, FAL_FIT_CROP, { TRUE } };
  g_autoptr (GstCaps) caps = make_frame_caps ("GRAY8", 640, 480, NULL);
  g_autoptr (GstSample) frame = make_frame (caps, get_slope, NULL);
  g_autoptr (GstSample) matte = make_frame (caps, get_black, NULL);
  FalArea whole = { 0, 0, 640, 480 };
  g_autoptr (GstBuffer) buffer = composite (f, frame, matte, &whole, &config, caps);
  gint changes = 0;
  GstVideoFrame out;

  map_output (&out, buffer, caps);
  for (gint x = 1; x < 640; x++)
    changes += get_sample (&out, 0, x, 240) != get_sample (&out, 0, x - 1, 240);
  g_assert_cmpint (changes, >, 20);
  gst_video_frame_unmap (&out);
}

/* ---- Caps, metas, errors ---- */

static void
test_the_frames_own_caps_go_out (Fixture *f, gconstpointer data)
{
  FalOverlayConfig over = { FAL_COMPOSITE_OVER }, matte = { FAL_COMPOSITE_MATTE };
  g_autoptr (GstCaps) any = gst_caps_new_any ();
  g_autoptr (GstCaps) caps =
      gst_caps_from_string ("video/x-raw,format=I420,width=64,height=48,framerate=25/1,"
                            "pixel-aspect-ratio=4/3,colorimetry=bt709,chroma-site=mpeg2,"
                            "interlace-mode=interleaved,field-order=top-field-first,views=1");
  g_autoptr (GstCaps) same = fal_overlay_make_caps (caps, any, &over, NULL);
  g_autoptr (GstCaps) rgba = gst_caps_from_string ("video/x-raw,format=RGBA");
  g_autoptr (GstCaps) wanted = gst_caps_copy (caps);
  g_autoptr (GstCaps) alpha = fal_overlay_make_caps (caps, any, &matte, NULL);
  g_autoptr (GstCaps) converted = fal_overlay_make_caps (caps, rgba, &matte, NULL);

  g_assert_true (gst_caps_is_strictly_equal (same, caps));
  gst_caps_set_simple (wanted, "format", G_TYPE_STRING, "A420", NULL);
  g_assert_true (gst_caps_is_strictly_equal (alpha, wanted));
  gst_caps_set_simple (
      wanted, "format", G_TYPE_STRING, "RGBA", "colorimetry", G_TYPE_STRING, "sRGB", NULL);
  gst_structure_remove_field (gst_caps_get_structure (wanted, 0), "chroma-site");
  g_assert_true (gst_caps_is_strictly_equal (converted, wanted));
}

static void
test_what_a_picture_is_best_decoded_to (Fixture *f, gconstpointer data)
{
  FalOverlayConfig over = { FAL_COMPOSITE_OVER }, matte = { FAL_COMPOSITE_MATTE };
  g_autoptr (GstCaps) i420 = make_frame_caps ("I420", 8, 8, NULL);
  g_autoptr (GstCaps) bgrx = make_frame_caps ("BGRx", 8, 8, NULL);
  g_autoptr (GstCaps) a = fal_overlay_get_result_caps (i420, &over);
  g_autoptr (GstCaps) b = fal_overlay_get_result_caps (bgrx, &over);
  g_autoptr (GstCaps) c = fal_overlay_get_result_caps (i420, &matte);
  g_autoptr (GstCaps) allowed = gst_caps_from_string ("video/x-raw,format={v210,I420,ARGB}");
  g_autoptr (GstCaps) d = fal_overlay_get_frame_caps (allowed, &over);
  g_autoptr (GstCaps) e = fal_overlay_get_frame_caps (allowed, &matte);
  const struct {
    GstCaps *caps;
    const gchar *wanted;
  } rows[] = { { a, "video/x-raw,format={RGBx,RGBA}" }, { b, "video/x-raw,format={BGRx,BGRA}" },
    { c, "video/x-raw,format={GRAY8,RGBA}" }, { d, "video/x-raw,format={ARGB,I420}" },
    { e, "video/x-raw,format=ARGB" } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GstCaps) wanted = gst_caps_from_string (rows[i].wanted);

    g_assert_true (gst_caps_is_equal (rows[i].caps, wanted));
  }
}

static void
test_a_picture_like_the_frame_is_best (Fixture *f, gconstpointer data)
{
  static const gchar *const likes[][2] = { { "BGRA", "{BGRx,BGRA}" }, { "xRGB", "{xRGB,ARGB}" },
    { "ARGB", "{xRGB,ARGB}" }, { "RGB", "{RGBx,RGBA}" } };
  FalOverlayConfig over = { FAL_COMPOSITE_OVER };

  for (guint i = 0; i < G_N_ELEMENTS (likes); i++) {
    g_autofree gchar *text = g_strconcat ("video/x-raw,format=", likes[i][1], NULL);
    g_autoptr (GstCaps) caps = make_frame_caps (likes[i][0], 8, 8, NULL);
    g_autoptr (GstCaps) best = fal_overlay_get_result_caps (caps, &over);
    g_autoptr (GstCaps) wanted = gst_caps_from_string (text);

    g_assert_true (gst_caps_is_equal (best, wanted));
  }
}

static void
test_what_is_no_result_is_refused (Fixture *f, gconstpointer data)
{
  FalOverlayConfig config = { FAL_COMPOSITE_OVER };
  FalLayout layout = { 0 };
  g_autoptr (GstCaps) caps = make_frame_caps ("I420", 16, 16, NULL);
  g_autoptr (GstCaps) picture = make_frame_caps ("RGBA", 16, 16, NULL);
  g_autoptr (GstCaps) flat = make_frame_caps ("RGBA", 16, 0, NULL);
  g_autoptr (GstCaps) thin = make_frame_caps ("RGBA", 0, 16, NULL);
  g_autoptr (GstCaps) sound = gst_caps_from_string ("audio/x-raw");
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, 16 * 16 * 4, NULL);
  g_autoptr (GstBuffer) unreadable = unreadable_buffer_new (16 * 16 * 4);
  GstSample *samples[] = { gst_sample_new (buffer, NULL, NULL, NULL),
    gst_sample_new (NULL, picture, NULL, NULL), gst_sample_new (buffer, sound, NULL, NULL),
    gst_sample_new (buffer, flat, NULL, NULL), gst_sample_new (buffer, thin, NULL, NULL),
    gst_sample_new (unreadable, picture, NULL, NULL) };

  for (guint i = 0; i < G_N_ELEMENTS (samples); i++) {
    g_autoptr (GError) error = NULL;

    g_test_message ("sample %u", i);
    g_assert_null (fal_overlay_make_layer (f->overlay, samples[i], &layout, caps, &config, &error));
    g_assert_nonnull (error);
    g_assert_true (error->domain == G_IO_ERROR);
    gst_sample_unref (samples[i]);
  }
}

static void
test_frames_of_nothing_are_refused (Fixture *f, gconstpointer data)
{
  static const gchar *const texts[] = { "video/x-raw,format=I420,width=0,height=16",
    "video/x-raw,format=I420,width=16,height=0", "video/x-raw,format=I420", "audio/x-raw" };
  FalOverlayConfig config = { FAL_COMPOSITE_OVER };
  FalLayout layout = { 0 };
  g_autoptr (GstSample) result = make_result ("RGBA", 16, 16);

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GstCaps) caps = gst_caps_from_string (texts[i]);
    g_autoptr (GError) error = NULL;

    g_assert_null (fal_overlay_make_layer (f->overlay, result, &layout, caps, &config, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  }
}

/* What was sent is not known where any of its sides is missing; then all of it belongs on all of
 * the frame. */
static void
test_a_layout_without_a_size_is_the_whole (Fixture *f, gconstpointer data)
{
  static const FalLayout layouts[] = {
    { 0 },
    { 0, 16, 1, 1, { 4, 4, 8, 8 }, { 0, 0, 8, 8 } },
    { 16, 0, 1, 1, { 4, 4, 8, 8 }, { 0, 0, 8, 8 } },
    { 16, 16, 1, 1, { 4, 4, 0, 8 }, { 0, 0, 8, 8 } },
    { 16, 16, 1, 1, { 4, 4, 8, 0 }, { 0, 0, 8, 8 } },
  };
  FalOverlayConfig config = { FAL_COMPOSITE_OVER };
  g_autoptr (GstCaps) caps = make_frame_caps ("I420", 16, 16, NULL);
  g_autoptr (GstSample) result = make_result ("RGBA", 16, 16);

  for (guint i = 0; i < G_N_ELEMENTS (layouts); i++) {
    g_autoptr (FalLayer) layer =
        fal_overlay_make_layer (f->overlay, result, &layouts[i], caps, &config, NULL);
    FalArea area = fal_layer_get_area (layer);

    g_assert_cmpint (area.x, ==, 0);
    g_assert_cmpint (area.y, ==, 0);
    g_assert_cmpint (area.width, ==, 16);
    g_assert_cmpint (area.height, ==, 16);
  }
}

static void
test_a_frame_keeps_its_times_flags_and_metas (Fixture *f, gconstpointer data)
{
  g_autoptr (GstCaps) caps = make_frame_caps ("I420", 32, 24, NULL);
  g_autoptr (GstCaps) reference = gst_caps_new_empty_simple ("timestamp/x-test");
  g_autoptr (GstSample) frame = make_noise (caps, f->rand), result = make_result ("RGBx", 8, 8);
  GstBuffer *input = gst_sample_get_buffer (frame);
  FalOverlayConfig config = { FAL_COMPOSITE_OVER };
  FalArea area = { 4, 4, 8, 8 };
  g_autoptr (GstBuffer) buffer = NULL;
  GstVideoMeta *meta;
  gpointer state = NULL;
  guint n = 0;

  gst_buffer_ref (input);
  gst_sample_unref (g_steal_pointer (&frame));
  GST_BUFFER_PTS (input) = 5;
  GST_BUFFER_DURATION (input) = 7;
  GST_BUFFER_FLAG_SET (input, GST_VIDEO_BUFFER_FLAG_TFF);
  gst_buffer_add_video_region_of_interest_meta (input, "face", 1, 2, 3, 4);
  gst_buffer_add_reference_timestamp_meta (input, reference, 11, 12);
  frame = gst_sample_new (input, caps, NULL, NULL);
  gst_buffer_unref (input);

  buffer = composite (f, frame, result, &area, &config, caps);
  g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, 5);
  g_assert_cmpuint (GST_BUFFER_DURATION (buffer), ==, 7);
  g_assert_true (GST_BUFFER_FLAG_IS_SET (buffer, GST_VIDEO_BUFFER_FLAG_TFF));
  g_assert_nonnull (gst_buffer_get_meta (buffer, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE));
  g_assert_nonnull (gst_buffer_get_reference_timestamp_meta (buffer, NULL));
  while (gst_buffer_iterate_meta_filtered (buffer, &state, GST_VIDEO_META_API_TYPE))
    n++;
  g_assert_cmpuint (n, ==, 1);
  meta = gst_buffer_get_video_meta (buffer);
  g_assert_cmpint (meta->stride[0], ==, 32);
  g_assert_cmpuint (gst_buffer_get_size (buffer), ==, 32 * 24 * 3 / 2);
}

/* A field that has a buffer of its own is a frame of half the height. */
static void
test_a_field_is_a_frame (Fixture *f, gconstpointer data)
{
  g_autoptr (GstCaps) caps =
      gst_caps_from_string ("video/x-raw(format:Interlaced),format=I420,width=32,height=24,"
                            "interlace-mode=alternate,framerate=25/1");
  g_autoptr (GstCaps) plain = make_frame_caps ("I420", 32, 12, NULL);
  g_autoptr (GstSample) frame = make_noise (plain, NULL), result = make_result ("RGBA", 9, 5);
  g_autoptr (GstSample) field = gst_sample_new (gst_sample_get_buffer (frame), caps, NULL, NULL);
  FalOverlayConfig config = { FAL_COMPOSITE_OVER };
  FalArea area = { 5, 3, 9, 5 };
  g_autoptr (GstBuffer) wanted = composite (f, frame, result, &area, &config, plain);
  g_autoptr (GstBuffer) got = composite (f, field, result, &area, &config, caps);
  GstMapInfo map;

  g_assert_true (gst_buffer_map (wanted, &map, GST_MAP_READ));
  g_assert_cmpuint (gst_buffer_get_size (got), ==, map.size);
  g_assert_cmpint (gst_buffer_memcmp (got, 0, map.data, map.size), ==, 0);
  gst_buffer_unmap (wanted, &map);
}

static void
assert_fails (Fixture *f, const gchar *frame_format, const gchar *result_format, gint code)
{
  g_autoptr (GstCaps) caps = make_frame_caps (frame_format, 32, 32, NULL);
  g_autoptr (GstSample) result = make_result (result_format, 32, 32);
  FalOverlayConfig config = { FAL_COMPOSITE_OVER };
  FalLayout layout = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (FalLayer) layer =
      fal_overlay_make_layer (f->overlay, result, &layout, caps, &config, &error);

  g_assert_null (layer);
  g_assert_error (error, G_IO_ERROR, code);
}

static void
test_other_formats_are_refused (Fixture *f, gconstpointer data)
{
  FalOverlayConfig config = { FAL_COMPOSITE_OVER };
  g_autoptr (GstCaps) caps = make_frame_caps ("v210", 32, 32, NULL), any = gst_caps_new_any ();
  g_autoptr (GError) error = NULL;

  g_assert_null (fal_overlay_make_caps (caps, any, &config, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  g_assert_nonnull (strstr (error->message, "videoconvert"));
  assert_fails (f, "v210", "RGBx", G_IO_ERROR_NOT_SUPPORTED);
  assert_fails (f, "RGB16", "RGBx", G_IO_ERROR_NOT_SUPPORTED);
  assert_fails (f, "NV12_64Z32", "RGBx", G_IO_ERROR_NOT_SUPPORTED);
  assert_fails (f, "I420", "RGB", G_IO_ERROR_NOT_SUPPORTED);
  assert_fails (f, "I420", "GRAY8", G_IO_ERROR_NOT_SUPPORTED);
}

static void
test_a_short_buffer_is_refused (Fixture *f, gconstpointer data)
{
  g_autoptr (GstCaps) caps = make_frame_caps ("I420", 32, 32, NULL);
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, 32 * 32, NULL);
  g_autoptr (GstSample) frame = gst_sample_new (buffer, caps, NULL, NULL);
  g_autoptr (GstSample) result = make_result ("RGBx", 32, 32);
  FalOverlayConfig config = { FAL_COMPOSITE_OVER };
  FalLayout layout = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (FalLayer) layer =
      fal_overlay_make_layer (f->overlay, result, &layout, caps, &config, NULL);

  g_assert_null (fal_overlay_apply (f->overlay, frame, caps, layer, NULL, 0, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
}

/* What is read as numbers of two bytes. */
static void
test_wide_samples_at_odd_addresses_are_refused (Fixture *f, gconstpointer data)
{
  FalOverlayConfig config = { FAL_COMPOSITE_OVER };
  g_autoptr (GstCaps) caps = make_frame_caps ("GRAY16_LE", 32, 32, NULL);
  g_autoptr (GstSample) result = make_result ("RGBx", 32, 32);
  FalLayout layout = { 0 };
  g_autoptr (FalLayer) layer =
      fal_overlay_make_layer (f->overlay, result, &layout, caps, &config, NULL);

  for (guint odd = 0; odd < 2; odd++) {
    g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, 32 * 32 * 2 + 1, NULL);
    g_autoptr (GstSample) frame = NULL;
    g_autoptr (GstBuffer) out = NULL;
    g_autoptr (GError) error = NULL;

    gst_buffer_memset (buffer, 0, 0, -1);
    gst_buffer_resize (buffer, odd, 32 * 32 * 2);
    frame = gst_sample_new (buffer, caps, NULL, NULL);
    out = fal_overlay_apply (f->overlay, frame, caps, layer, NULL, 0, NULL, &error);
    g_assert_cmpint (out == NULL, ==, odd);
    if (odd)
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  }
}

#define ADD(name, function)                                                                        \
  g_test_add ("/overlay/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  ADD ("over-is-right-in-all-formats", test_over_is_right_in_all_formats);
  ADD ("over-is-right-at-odd-places", test_over_is_right_at_odd_places);
  ADD ("white-and-black-are-exact", test_white_and_black_are_exact);
  ADD ("matte-over-a-colour-is-right-in-all-formats",
      test_matte_over_a_colour_is_right_in_all_formats);
  ADD ("a-matte-becomes-alpha", test_a_matte_becomes_alpha);
  ADD ("what-is-shared-is-held", test_what_is_shared_is_held);
  ADD ("a-matte-that-cannot-be-shared-is-copied", test_a_matte_that_cannot_be_shared_is_copied);
  ADD ("colours-survive-where-alpha-needs-another-format",
      test_colours_survive_where_alpha_needs_another_format);
  ADD ("what-is-opaque-stays-so", test_what_is_opaque_stays_so);
  ADD ("a-matte-without-alpha-is-laid-over-the-background",
      test_a_matte_without_alpha_is_laid_over_the_background);
  ADD ("a-scaled-matte-keeps-its-edges-in-place", test_a_scaled_matte_keeps_its_edges_in_place);
  ADD ("a-scaled-picture-is-where-it-was", test_a_scaled_picture_is_where_it_was);
  ADD ("hidden-colours-do-not-show-at-edges", test_hidden_colours_do_not_show_at_edges);
  ADD ("another-shape-is-fitted", test_another_shape_is_fitted);
  ADD ("bars-are-left-out", test_bars_are_left_out);
  ADD ("two-mattes-are-blended", test_two_mattes_are_blended);
  ADD ("two-pictures-are-blended", test_two_pictures_are_blended);
  ADD ("a-region-moves-along", test_a_region_moves_along);
  ADD ("a-region-may-go-beyond-the-frame", test_a_region_may_go_beyond_the_frame);
  ADD ("a-plain-frame-is-its-own-blur", test_a_plain_frame_is_its_own_blur);
  ADD ("a-blur-is-smooth", test_a_blur_is_smooth);
  ADD ("a-blur-has-no-bands", test_a_blur_has_no_bands);
  ADD ("the-frames-own-caps-go-out", test_the_frames_own_caps_go_out);
  ADD ("what-a-picture-is-best-decoded-to", test_what_a_picture_is_best_decoded_to);
  ADD ("a-picture-like-the-frame-is-best", test_a_picture_like_the_frame_is_best);
  ADD ("what-is-no-result-is-refused", test_what_is_no_result_is_refused);
  ADD ("frames-of-nothing-are-refused", test_frames_of_nothing_are_refused);
  ADD ("a-layout-without-a-size-is-the-whole", test_a_layout_without_a_size_is_the_whole);
  ADD ("a-frame-keeps-its-times-flags-and-metas", test_a_frame_keeps_its_times_flags_and_metas);
  ADD ("a-field-is-a-frame", test_a_field_is_a_frame);
  ADD ("other-formats-are-refused", test_other_formats_are_refused);
  ADD ("a-short-buffer-is-refused", test_a_short_buffer_is_refused);
  ADD ("wide-samples-at-odd-addresses-are-refused", test_wide_samples_at_odd_addresses_are_refused);
  return g_test_run ();
}
