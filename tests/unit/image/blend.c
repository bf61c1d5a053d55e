/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The mean of rows and pictures against one that is computed here with doubles, in every format of
 * GStreamer: pictures are compared after GStreamer has unpacked them. */
#include "fal/image/blend.h"

#include <gst/gst.h>
#include <math.h>
#include <string.h>

#define GUARD 0xa5

static const guint weights[] = { 0, 1, 63, 64, 127, 128, 129, 200, 255, 256 };

/* ---- rows ---- */

static guint
mean_of (guint a, guint b, guint weight)
{
  return floor ((a * (256.0 - weight) + b * (gdouble) weight) / 256 + 0.5);
}

static void
test_each_pair_of_bytes_gives_its_mean (void)
{
  guint8 a[256], b[256], fast[256], plain[256];

  for (guint i = 0; i < 256; i++)
    b[i] = i;
  for (guint i = 0; i < G_N_ELEMENTS (weights); i++) {
    for (guint value = 0; value < 256; value++) {
      memset (a, value, sizeof a);
      fal_blend_rows8 (fast, a, b, weights[i], 256);
      fal_blend_rows8_plainly (plain, a, b, weights[i], 256);
      g_assert_cmpmem (fast, sizeof fast, plain, sizeof plain);
      for (guint k = 0; k < 256; k++)
        g_assert_cmpuint (fast[k], ==, mean_of (value, k, weights[i]));
    }
  }
}

static void
test_words_give_their_mean (void)
{
  static const guint16 edges[] = { 0, 1, 127, 128, 255, 256, 1023, 32767, 32768, 65534, 65535 };
  const guint n = G_N_ELEMENTS (edges) * G_N_ELEMENTS (edges);
  guint16 a[G_N_ELEMENTS (edges) * G_N_ELEMENTS (edges)], b[G_N_ELEMENTS (a)];
  guint16 fast[G_N_ELEMENTS (a)], plain[G_N_ELEMENTS (a)];

  for (guint i = 0; i < n; i++) {
    a[i] = edges[i / G_N_ELEMENTS (edges)];
    b[i] = edges[i % G_N_ELEMENTS (edges)];
  }
  for (guint i = 0; i < G_N_ELEMENTS (weights); i++) {
    fal_blend_rows16 (fast, a, b, weights[i], n);
    fal_blend_rows16_plainly (plain, a, b, weights[i], n);
    g_assert_cmpmem (fast, sizeof fast, plain, sizeof plain);
    for (guint k = 0; k < n; k++)
      g_assert_cmpuint (fast[k], ==, mean_of (a[k], b[k], weights[i]));
  }
}

/* Vectors end where the row does. */
static void
test_rows_of_any_length_stay_in_their_memory (void)
{
  for (guint n = 0; n < 70; n++) {
    guint8 a[72], b[72], to[72];
    guint16 words_a[72], words_b[72], words_to[72];

    for (guint i = 0; i < 72; i++) {
      a[i] = words_a[i] = 3 * i;
      b[i] = words_b[i] = 255 - i;
    }
    memset (to, GUARD, sizeof to);
    memset (words_to, GUARD, sizeof words_to);
    fal_blend_rows8 (to + 1, a + 1, b + 1, 100, n);
    fal_blend_rows16 (words_to + 1, words_a + 1, words_b + 1, 100, n);
    for (guint i = 0; i < 72; i++) {
      gboolean inside = i > 0 && i <= n;

      g_assert_cmpuint (to[i], ==, inside ? mean_of (a[i], b[i], 100) : GUARD);
      g_assert_cmpuint (words_to[i], ==, inside ? mean_of (a[i], b[i], 100) : 0x101 * GUARD);
    }
  }
}

static void
test_a_row_may_be_blended_in_its_place (void)
{
  guint8 a[67], b[67], wanted[67];
  guint16 words_a[67], words_b[67], words_wanted[67];

  for (guint i = 0; i < 67; i++) {
    a[i] = words_a[i] = 3 * i;
    b[i] = words_b[i] = 255 - i;
  }
  fal_blend_rows8_plainly (wanted, a, b, 77, 67);
  fal_blend_rows16_plainly (words_wanted, words_a, words_b, 77, 67);
  fal_blend_rows8 (a, a, b, 77, 67);
  fal_blend_rows16 (words_b, words_a, words_b, 77, 67);
  g_assert_cmpmem (a, sizeof a, wanted, sizeof wanted);
  g_assert_cmpmem (words_b, sizeof words_b, words_wanted, sizeof words_wanted);
}

/* ---- pictures ---- */

/* As GStreamer unpacks it: four samples a pixel, of 8 or of 16 bits. */
static gsize
get_line_size (const GstVideoInfo *info)
{
  gboolean deep =
      GST_VIDEO_FORMAT_INFO_BITS (gst_video_format_get_info (info->finfo->unpack_format)) > 8;

  return (gsize) GST_ROUND_UP_4 (info->width) * (deep ? 8 : 4);
}

static gboolean
is_deep (const GstVideoInfo *info)
{
  return get_line_size (info) == (gsize) GST_ROUND_UP_4 (info->width) * 8;
}

/* @padding: bytes or more between a row and the next, which are as random as the picture is not. */
static GstBuffer *
make_picture (const GstVideoInfo *info, guint seed, guint padding)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);
  g_autofree guint8 *line = g_malloc0 (get_line_size (info));
  GstVideoInfo padded = *info;
  GstVideoAlignment alignment;
  GstVideoFrame frame;
  GstBuffer *buffer;

  gst_video_alignment_reset (&alignment);
  alignment.padding_right = alignment.padding_bottom = padding;
  g_assert_true (gst_video_info_align (&padded, &alignment));
  buffer = gst_buffer_new_allocate (NULL, padded.size, NULL);
  gst_buffer_memset (buffer, 0, GUARD, -1);
  if (padding > 0)
    gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT (info),
        info->width, info->height, GST_VIDEO_INFO_N_PLANES (info), padded.offset, padded.stride);
  g_assert_true (gst_video_frame_map (&frame, info, buffer, GST_MAP_READWRITE));
  for (gint y = 0; y < info->height; y++) {
    for (gsize i = 0; i < get_line_size (info); i++)
      line[i] = g_rand_int (random);
    info->finfo->pack_func (info->finfo, GST_VIDEO_PACK_FLAG_NONE, line, 0, frame.data,
        frame.info.stride, info->chroma_site, y, info->width);
  }
  gst_video_frame_unmap (&frame);
  return buffer;
}

static guint8 *
unpack (const GstVideoInfo *info, GstBuffer *buffer)
{
  gsize size = get_line_size (info);
  guint8 *lines = g_malloc0 (size * info->height);
  GstVideoFrame frame;

  g_assert_true (gst_video_frame_map (&frame, info, buffer, GST_MAP_READ));
  for (gint y = 0; y < info->height; y++)
    info->finfo->unpack_func (info->finfo, GST_VIDEO_PACK_FLAG_NONE, lines + y * size, frame.data,
        frame.info.stride, 0, y, info->width);
  gst_video_frame_unmap (&frame);
  return lines;
}

static guint
get_sample (const GstVideoInfo *info, const guint8 *lines, gint y, gint i)
{
  const guint8 *line = lines + y * get_line_size (info);

  return is_deep (info) ? ((const guint16 *) line)[i] : line[i];
}

/* Half a step of the format's samples, and what unpacking rounds. */
static void
assert_mean (const GstVideoInfo *info, GstBuffer *mean, GstBuffer *a, GstBuffer *b, guint weight)
{
  g_autofree guint8 *got = unpack (info, mean);
  g_autofree guint8 *from_a = unpack (info, a);
  g_autofree guint8 *from_b = unpack (info, b);
  gdouble step = is_deep (info) ? 1 << (16 - GST_VIDEO_INFO_COMP_DEPTH (info, 0)) : 1;

  for (gint y = 0; y < info->height; y++) {
    for (gint i = 0; i < 4 * info->width; i++) {
      gdouble wanted = (get_sample (info, from_a, y, i) * (256.0 - weight) +
                           get_sample (info, from_b, y, i) * (gdouble) weight) /
                       256;

      if (fabs (get_sample (info, got, y, i) - wanted) > (step > 1 ? 0.6 * step : 0.5))
        g_error ("%s %dx%d, weight %u, line %d, sample %d: %u where %.2f is the mean",
            GST_VIDEO_INFO_NAME (info), info->width, info->height, weight, y, i,
            get_sample (info, got, y, i), wanted);
    }
  }
}

/* What is not of the picture is 0: bits below a sample, and what lies behind a row. */
static void
assert_nothing_else (const GstVideoInfo *info, GstBuffer *mean)
{
  g_autofree guint8 *lines = unpack (info, mean);
  g_autoptr (GstBuffer) anew = gst_buffer_new_allocate (NULL, info->size, NULL);
  GstVideoFrame frame;
  GstMapInfo wanted, got;

  gst_buffer_memset (anew, 0, 0, -1);
  g_assert_true (gst_video_frame_map (&frame, info, anew, GST_MAP_READWRITE));
  for (gint y = 0; y < info->height; y++)
    info->finfo->pack_func (info->finfo, GST_VIDEO_PACK_FLAG_NONE, lines + y * get_line_size (info),
        0, frame.data, frame.info.stride, info->chroma_site, y, info->width);
  gst_video_frame_unmap (&frame);
  g_assert_true (gst_buffer_map (anew, &wanted, GST_MAP_READ));
  g_assert_true (gst_buffer_map (mean, &got, GST_MAP_READ));
  g_assert_cmpmem (got.data, got.size, wanted.data, wanted.size);
  gst_buffer_unmap (anew, &wanted);
  gst_buffer_unmap (mean, &got);
}

/* GStreamer leaves room for a fourth sample of luma, and for a second row. */
static void
test_what_is_not_of_the_picture_is_0 (void)
{
  GstVideoInfo info;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_I420, 3, 1);
  for (guint i = 0; i < 20; i++) {
    g_autoptr (GstBuffer) a = gst_buffer_new_allocate (NULL, info.size, NULL);
    g_autoptr (GstBuffer) mean = NULL;
    guint8 samples[2][4];

    g_assert_cmpint (info.offset[1], ==, sizeof samples);
    gst_buffer_memset (a, 0, GUARD, -1);
    mean = fal_blend_pictures (&info, a, a, 128);
    gst_buffer_extract (mean, 0, samples, sizeof samples);
    for (guint k = 0; k < sizeof samples; k++)
      g_assert_cmpuint (((guint8 *) samples)[k], ==, k < 3 ? GUARD : 0);
  }
}

static GstVideoFormat
get_format (guint i)
{
  static GArray *formats;

  if (formats == NULL) {
    g_autoptr (GstCaps) caps = gst_caps_from_string (GST_VIDEO_CAPS_MAKE (GST_VIDEO_FORMATS_ALL));
    const GValue *list = gst_structure_get_value (gst_caps_get_structure (caps, 0), "format");

    formats = g_array_new (TRUE, TRUE, sizeof (GstVideoFormat));
    for (guint k = 0; k < gst_value_list_get_size (list); k++) {
      GstVideoFormat format =
          gst_video_format_from_string (g_value_get_string (gst_value_list_get_value (list, k)));

      g_array_append_val (formats, format);
    }
  }
  return i < formats->len ? g_array_index (formats, GstVideoFormat, i) : GST_VIDEO_FORMAT_UNKNOWN;
}

static const gint sizes[][2] = { { 1, 1 }, { 2, 2 }, { 5, 3 }, { 16, 8 }, { 33, 7 }, { 70, 5 } };

static void
blend_in (GstVideoFormat format, gint width, gint height)
{
  GstVideoInfo info;

  gst_video_info_set_format (&info, format, width, height);
  for (guint padding = 0; padding < 20; padding += 16) {
    g_autoptr (GstBuffer) a = make_picture (&info, 1, padding), b = make_picture (&info, 2, 0);

    for (guint i = 0; i < G_N_ELEMENTS (weights); i++) {
      g_autoptr (GstBuffer) mean = fal_blend_pictures (&info, a, b, weights[i]);

      g_assert_cmpuint (gst_buffer_get_size (mean), ==, info.size);
      assert_mean (&info, mean, a, b, weights[i]);
      if (info.width % 4 == 0 && info.height % 2 == 0)
        assert_nothing_else (&info, mean);
    }
  }
}

static void
test_pictures_of_each_format_give_their_mean (void)
{
  guint blended = 0;

  for (guint i = 0; get_format (i) != GST_VIDEO_FORMAT_UNKNOWN; i++) {
    GstVideoInfo info;

    gst_video_info_set_format (&info, get_format (i), 16, 16);
    if (!fal_blend_can (&info))
      continue;
    g_test_message ("%s", gst_video_format_to_string (get_format (i)));
    for (guint k = 0; k < G_N_ELEMENTS (sizes); k++)
      blend_in (get_format (i), sizes[k][0], sizes[k][1]);
    blended++;
  }
  g_assert_cmpuint (blended, >=, 80);
}

static gboolean
can (GstVideoFormat format)
{
  GstVideoInfo info;

  gst_video_info_set_format (&info, format, 16, 16);
  return fal_blend_can (&info);
}

static void
test_what_has_no_samples_of_its_own_is_refused (void)
{
  static const GstVideoFormat able[] = { GST_VIDEO_FORMAT_RGB, GST_VIDEO_FORMAT_RGBA,
    GST_VIDEO_FORMAT_BGRx, GST_VIDEO_FORMAT_I420, GST_VIDEO_FORMAT_NV12, GST_VIDEO_FORMAT_YUY2,
    GST_VIDEO_FORMAT_GRAY8, GST_VIDEO_FORMAT_GRAY16_LE, GST_VIDEO_FORMAT_GRAY16_BE,
    GST_VIDEO_FORMAT_I420_10LE, GST_VIDEO_FORMAT_I420_10BE, GST_VIDEO_FORMAT_P010_10LE,
    GST_VIDEO_FORMAT_RGBA64_LE, GST_VIDEO_FORMAT_AYUV64, GST_VIDEO_FORMAT_Y210 };
  static const GstVideoFormat unable[] = { GST_VIDEO_FORMAT_v210, GST_VIDEO_FORMAT_UYVP,
    GST_VIDEO_FORMAT_RGB16, GST_VIDEO_FORMAT_BGR15, GST_VIDEO_FORMAT_RGB8P, GST_VIDEO_FORMAT_IYU1,
    GST_VIDEO_FORMAT_r210, GST_VIDEO_FORMAT_Y410, GST_VIDEO_FORMAT_BGR10A2_LE,
    GST_VIDEO_FORMAT_NV12_64Z32, GST_VIDEO_FORMAT_NV12_4L4, GST_VIDEO_FORMAT_NV12_10LE32,
    GST_VIDEO_FORMAT_GRAY10_LE32, GST_VIDEO_FORMAT_ENCODED };

  for (guint i = 0; i < G_N_ELEMENTS (able); i++)
    if (!can (able[i]))
      g_error ("%s is refused", gst_video_format_to_string (able[i]));
  for (guint i = 0; i < G_N_ELEMENTS (unable); i++)
    if (can (unable[i]))
      g_error ("%s is not refused", gst_video_format_to_string (unable[i]));
}

/* From the one to the other without a step back. */
static void
test_more_weight_is_never_less_of_it (void)
{
  GstVideoInfo info;
  guint8 last = 10;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_GRAY8, 4, 1);
  for (guint weight = 0; weight <= FAL_BLEND_ALL; weight++) {
    g_autoptr (GstBuffer) a = gst_buffer_new_allocate (NULL, 4, NULL);
    g_autoptr (GstBuffer) b = gst_buffer_new_allocate (NULL, 4, NULL);
    g_autoptr (GstBuffer) mean = NULL;
    guint8 sample;

    gst_buffer_memset (a, 0, 10, 4);
    gst_buffer_memset (b, 0, 230, 4);
    mean = fal_blend_pictures (&info, a, b, weight);
    gst_buffer_extract (mean, 3, &sample, 1);
    g_assert_cmpuint (sample, >=, last);
    g_assert_true (weight > 0 || sample == 10);
    last = sample;
  }
  g_assert_cmpuint (last, ==, 230);
}

static void
test_all_else_is_that_of_the_second (void)
{
  g_autoptr (GstBuffer) a = NULL, b = NULL, mean = NULL;
  g_autoptr (GstCaps) mark = gst_caps_new_empty_simple ("mark/of-second");
  GstVideoInfo info;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_I420, 5, 3);
  a = make_picture (&info, 1, 0);
  b = make_picture (&info, 2, 16);
  GST_BUFFER_PTS (a) = 1;
  GST_BUFFER_PTS (b) = 2;
  GST_BUFFER_DURATION (b) = 3;
  gst_buffer_add_reference_timestamp_meta (b, mark, 4, 5);
  mean = fal_blend_pictures (&info, a, b, 128);
  g_assert_cmpuint (GST_BUFFER_PTS (mean), ==, 2);
  g_assert_cmpuint (GST_BUFFER_DURATION (mean), ==, 3);
  g_assert_nonnull (gst_buffer_get_reference_timestamp_meta (mean, mark));
  g_assert_null (gst_buffer_get_video_meta (mean));
}

static void
test_a_buffer_that_is_too_small_gives_none (void)
{
  g_autoptr (GstBuffer) a = gst_buffer_new_allocate (NULL, 10, NULL);
  g_autoptr (GstBuffer) b = NULL;
  GstVideoInfo info;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, 5, 3);
  b = make_picture (&info, 2, 0);
  g_assert_null (fal_blend_pictures (&info, a, b, 128));
  g_assert_null (fal_blend_pictures (&info, b, a, 128));
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/blend/" #name, test_##name)
  ADD (each_pair_of_bytes_gives_its_mean);
  ADD (words_give_their_mean);
  ADD (rows_of_any_length_stay_in_their_memory);
  ADD (a_row_may_be_blended_in_its_place);
  ADD (pictures_of_each_format_give_their_mean);
  ADD (what_is_not_of_the_picture_is_0);
  ADD (what_has_no_samples_of_its_own_is_refused);
  ADD (more_weight_is_never_less_of_it);
  ADD (all_else_is_that_of_the_second);
  ADD (a_buffer_that_is_too_small_gives_none);
  return g_test_run ();
}
