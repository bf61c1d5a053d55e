/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames that are laid out in another way than their caps say. */
#include "fal/image/video-frame.h"

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
  return g_test_run ();
}
