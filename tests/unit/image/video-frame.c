/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames that are laid out in another way than their caps say. */
#include "../unreadable-memory.h"
#include "fal/image/video-frame.h"

#include <gio/gio.h>

#define WIDTH 5
#define HEIGHT 3

static const GstVideoFormat formats[] = { GST_VIDEO_FORMAT_I420, GST_VIDEO_FORMAT_NV12,
  GST_VIDEO_FORMAT_YUY2, GST_VIDEO_FORMAT_RGB, GST_VIDEO_FORMAT_BGRA, GST_VIDEO_FORMAT_GRAY8 };

/* A frame of @format whose rows lie @padding bytes further apart, and whose bytes, but for those
 * between the rows, count from 0. */
static GstBuffer *
make_frame (const GstVideoInfo *info, guint padding)
{
  GstVideoAlignment alignment;
  GstVideoInfo padded = *info;
  GstBuffer *buffer;
  GstVideoFrame frame;
  guint8 n = 0;

  gst_video_alignment_reset (&alignment);
  alignment.padding_right = alignment.padding_bottom = padding;
  g_assert_true (gst_video_info_align (&padded, &alignment));
  buffer = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (&padded), NULL);
  gst_buffer_memset (buffer, 0, 0x55, -1);
  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT (info),
      WIDTH, HEIGHT, GST_VIDEO_INFO_N_PLANES (info), padded.offset, padded.stride);
  g_assert_true (gst_video_frame_map (&frame, info, buffer, GST_MAP_WRITE));
  for (guint c = 0; c < GST_VIDEO_FRAME_N_COMPONENTS (&frame); c++)
    for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (&frame, c); y++)
      for (gint x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH (&frame, c); x++)
        *((guint8 *) GST_VIDEO_FRAME_COMP_DATA (&frame, c) +
            y * GST_VIDEO_FRAME_COMP_STRIDE (&frame, c) +
            x * GST_VIDEO_FRAME_COMP_PSTRIDE (&frame, c)) = n++;
  gst_video_frame_unmap (&frame);
  return buffer;
}

static void
assert_same_picture (GstBuffer *a, GstBuffer *b, const GstVideoInfo *info)
{
  GstVideoFrame one, other;

  g_assert_true (gst_video_frame_map (&one, info, a, GST_MAP_READ));
  g_assert_true (gst_video_frame_map (&other, info, b, GST_MAP_READ));
  for (guint c = 0; c < GST_VIDEO_FRAME_N_COMPONENTS (&one); c++)
    for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (&one, c); y++)
      for (gint x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH (&one, c); x++)
        g_assert_cmpuint (*((guint8 *) GST_VIDEO_FRAME_COMP_DATA (&one, c) +
                              y * GST_VIDEO_FRAME_COMP_STRIDE (&one, c) +
                              x * GST_VIDEO_FRAME_COMP_PSTRIDE (&one, c)),
            ==,
            *((guint8 *) GST_VIDEO_FRAME_COMP_DATA (&other, c) +
                y * GST_VIDEO_FRAME_COMP_STRIDE (&other, c) +
                x * GST_VIDEO_FRAME_COMP_PSTRIDE (&other, c)));
  gst_video_frame_unmap (&one);
  gst_video_frame_unmap (&other);
}

static void
test_padding_is_seen (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    g_autoptr (GstBuffer) bare = NULL, plain = NULL, padded = NULL, longer = NULL;
    GstVideoInfo info;

    g_test_message ("%s", gst_video_format_to_string (formats[i]));
    gst_video_info_set_format (&info, formats[i], WIDTH, HEIGHT);
    bare = gst_buffer_new_allocate (NULL, info.size, NULL);
    plain = make_frame (&info, 0);
    padded = make_frame (&info, 16);
    longer = gst_buffer_append (make_frame (&info, 0), gst_buffer_new_allocate (NULL, 9, NULL));
    g_assert_false (fal_video_frame_is_padded (bare, &info));
    g_assert_false (fal_video_frame_is_padded (plain, &info));
    g_assert_true (fal_video_frame_is_padded (padded, &info));
    g_assert_true (fal_video_frame_is_padded (longer, &info));
  }
}

static void
test_a_plain_copy_has_the_picture (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    g_autoptr (GstBuffer) padded = NULL, copy = NULL;
    GstVideoInfo info;

    g_test_message ("%s", gst_video_format_to_string (formats[i]));
    gst_video_info_set_format (&info, formats[i], WIDTH, HEIGHT);
    padded = make_frame (&info, 16);
    copy = fal_video_frame_copy_plain (padded, &info);
    g_assert_null (gst_buffer_get_video_meta (copy));
    g_assert_cmpuint (gst_buffer_get_size (copy), ==, info.size);
    assert_same_picture (copy, padded, &info);
  }
}

static void
note_freed (gpointer freed, GstMiniObject *memory)
{
  *(gboolean *) freed = TRUE;
}

/* But what would hold the memory of the original. */
static void
test_a_plain_copy_has_what_is_known_of_the_frame (void)
{
  g_autoptr (GstBuffer) copy = NULL;
  GstBuffer *parent, *padded;
  gboolean freed = FALSE;
  GstVideoInfo info;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_I420, WIDTH, HEIGHT);
  parent = make_frame (&info, 16);
  padded = gst_buffer_copy (parent);
  gst_buffer_add_parent_buffer_meta (padded, parent);
  gst_mini_object_weak_ref (
      GST_MINI_OBJECT_CAST (gst_buffer_peek_memory (parent, 0)), note_freed, &freed);
  gst_buffer_unref (parent);
  gst_buffer_add_video_region_of_interest_meta (padded, "face", 1, 1, 2, 2);
  GST_BUFFER_PTS (padded) = 1;
  GST_BUFFER_DTS (padded) = 2;
  GST_BUFFER_DURATION (padded) = 3;
  GST_BUFFER_OFFSET (padded) = 4;
  GST_BUFFER_FLAG_SET (padded, GST_BUFFER_FLAG_DISCONT);
  copy = fal_video_frame_copy_plain (padded, &info);
  gst_buffer_unref (padded);
  g_assert_true (freed);
  g_assert_cmpuint (GST_BUFFER_PTS (copy), ==, 1);
  g_assert_cmpuint (GST_BUFFER_DTS (copy), ==, 2);
  g_assert_cmpuint (GST_BUFFER_DURATION (copy), ==, 3);
  g_assert_cmpuint (GST_BUFFER_OFFSET (copy), ==, 4);
  g_assert_true (GST_BUFFER_FLAG_IS_SET (copy, GST_BUFFER_FLAG_DISCONT));
  g_assert_nonnull (gst_buffer_get_video_region_of_interest_meta_id (copy, 0));
}

static void
test_what_is_no_frame_of_that_size_is_not_copied (void)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, 4, NULL);
  GstVideoInfo info;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_I420, WIDTH, HEIGHT);
  g_assert_null (fal_video_frame_copy_plain (buffer, &info));
}

static void
test_what_cannot_be_read_is_not_copied (void)
{
  g_autoptr (GstBuffer) buffer = NULL;
  g_autoptr (GError) error = NULL;
  GstVideoFrame frame;
  GstVideoInfo info;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_I420, WIDTH, HEIGHT);
  buffer = unreadable_buffer_new (info.size);
  g_assert_null (fal_video_frame_copy_plain (buffer, &info));
  g_assert_false (fal_video_frame_map_whole (&frame, &info, buffer, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
}

/* A GstVideoMeta that speaks of another frame than the caps do. */
static void
test_a_layout_of_another_frame_is_refused (void)
{
  static const struct {
    GstVideoFormat format;
    guint width, height;
    gboolean fits;
  } rows[] = {
    { GST_VIDEO_FORMAT_RGB, WIDTH, HEIGHT, TRUE },
    { GST_VIDEO_FORMAT_RGB, WIDTH + 1, HEIGHT + 1, TRUE },
    { GST_VIDEO_FORMAT_BGR, WIDTH, HEIGHT, FALSE },
    { GST_VIDEO_FORMAT_RGB, WIDTH - 1, HEIGHT, FALSE },
    { GST_VIDEO_FORMAT_RGB, WIDTH, HEIGHT - 1, FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, 1000, NULL);
    g_autoptr (GError) error = NULL;
    GstVideoFrame frame;
    GstVideoInfo info;
    gboolean fits;

    gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, WIDTH, HEIGHT);
    gst_buffer_add_video_meta (
        buffer, GST_VIDEO_FRAME_FLAG_NONE, rows[i].format, rows[i].width, rows[i].height);
    fits = fal_video_frame_map_whole (&frame, &info, buffer, &error);
    g_assert_true (fits == rows[i].fits);
    g_assert_true (fits == (error == NULL));
    if (fits)
      gst_video_frame_unmap (&frame);
  }
}

static void
test_a_part_is_clipped (void)
{
  static const struct {
    FalArea wanted, part;
    gboolean any;
  } rows[] = {
    { { 0, 0, 0, 0 }, { 0, 0, 40, 30 }, TRUE },
    { { 5, 5, 0, 9 }, { 0, 0, 40, 30 }, TRUE },
    { { 5, 5, 9, 0 }, { 0, 0, 40, 30 }, TRUE },
    { { -5, -5, 20, 20 }, { 0, 0, 15, 15 }, TRUE },
    { { 30, 20, 20, 20 }, { 30, 20, 10, 10 }, TRUE },
    { { 40, 0, 5, 5 }, { 0 }, FALSE },
    { { 0, 30, 5, 5 }, { 0 }, FALSE },
    { { -5, 0, 5, 5 }, { 0 }, FALSE },
    { { G_MAXINT, 0, G_MAXINT, 5 }, { 0 }, FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    FalArea part;

    g_assert_true (fal_video_frame_clip (&rows[i].wanted, 40, 30, &part) == rows[i].any);
    if (!rows[i].any)
      continue;
    g_assert_cmpint (part.x, ==, rows[i].part.x);
    g_assert_cmpint (part.y, ==, rows[i].part.y);
    g_assert_cmpint (part.width, ==, rows[i].part.width);
    g_assert_cmpint (part.height, ==, rows[i].part.height);
  }
}

static void
test_a_ratio_fits_into_an_int (void)
{
  static const struct {
    guint64 n, d;
    gint reduced_n, reduced_d;
  } rows[] = {
    { 6, 4, 3, 2 },
    { 0, 0, 1, 1 },
    { 5, 0, 1, 1 },
    { 0, 5, 1, 1 },
    { G_GUINT64_CONSTANT (3) << 40, 1, 3 << 29, 1 },
    { 1, G_GUINT64_CONSTANT (3) << 40, 1, 3 << 29 },
    { (G_GUINT64_CONSTANT (1) << 33) + 1, G_GUINT64_CONSTANT (1) << 33, 1 << 30, 1 << 30 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    gint n, d;

    fal_video_frame_reduce_ratio (rows[i].n, rows[i].d, &n, &d);
    g_test_message ("%d/%d", n, d);
    g_assert_cmpint (n, ==, rows[i].reduced_n);
    g_assert_cmpint (d, ==, rows[i].reduced_d);
  }
}

static void
test_a_frame_may_be_too_large (void)
{
  g_autoptr (GError) error = NULL;
  GstVideoInfo like, info;

  gst_video_info_set_format (&like, GST_VIDEO_FORMAT_RGB, 10, 10);
  g_assert_false (
      fal_video_frame_make_info (&info, &like, GST_VIDEO_FORMAT_RGBA, G_MAXINT, G_MAXINT, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
#define ADD(name) g_test_add_func ("/video-frame/" #name, test_##name)
  ADD (padding_is_seen);
  ADD (a_plain_copy_has_the_picture);
  ADD (a_plain_copy_has_what_is_known_of_the_frame);
  ADD (what_is_no_frame_of_that_size_is_not_copied);
  ADD (what_cannot_be_read_is_not_copied);
  ADD (a_layout_of_another_frame_is_refused);
  ADD (a_part_is_clipped);
  ADD (a_ratio_fits_into_an_int);
  ADD (a_frame_may_be_too_large);
  return g_test_run ();
}
