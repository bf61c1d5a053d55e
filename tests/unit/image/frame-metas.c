/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which metas of a frame stay on its result, and where its regions are then. */
#include "fal/image/frame-metas.h"

#include <gst/video/gstvideometa.h>
#include <gst/video/video.h>

/* A frame of 640 × 480 with a bit of all. */
static GstBuffer *
make_frame (void)
{
  static const guint8 caption[] = { 1, 2, 3 };
  g_autoptr (GstCaps) clock = gst_caps_new_empty_simple ("timestamp/x-ntp");
  GstBuffer *frame = gst_buffer_new_allocate (NULL, 640 * 480, NULL);

  gst_buffer_add_video_meta (frame, 0, GST_VIDEO_FORMAT_GRAY8, 640, 480);
  gst_buffer_add_reference_timestamp_meta (frame, clock, 12345, GST_CLOCK_TIME_NONE);
  gst_buffer_add_video_region_of_interest_meta (frame, "face", 100, 120, 60, 40);
  gst_buffer_add_video_caption_meta (
      frame, GST_VIDEO_CAPTION_TYPE_CEA708_RAW, caption, sizeof caption);
  gst_buffer_add_custom_meta (frame, "FalTestMeta");
  gst_buffer_add_custom_meta (frame, "FalTestPixelMeta");
  gst_buffer_add_custom_meta (frame, FAL_RESULT_META);
  return frame;
}

static void
assert_lasting (GstBuffer *buffer)
{
  GstReferenceTimestampMeta *reference = gst_buffer_get_reference_timestamp_meta (buffer, NULL);

  g_assert_nonnull (reference);
  g_assert_cmpuint (reference->timestamp, ==, 12345);
  g_assert_nonnull (gst_buffer_get_video_caption_meta (buffer));
  g_assert_nonnull (gst_buffer_get_custom_meta (buffer, "FalTestMeta"));
  g_assert_null (gst_buffer_get_custom_meta (buffer, "FalTestPixelMeta"));
  g_assert_null (gst_buffer_get_custom_meta (buffer, FAL_RESULT_META));
  g_assert_null (gst_buffer_get_video_meta (buffer));
}

static void
test_what_outlives_the_pixels_is_kept (void)
{
  g_autoptr (GstBuffer) frame = make_frame ();
  g_autoptr (GstBuffer) kept = fal_frame_metas_keep (frame);
  g_autoptr (GstBuffer) picture = gst_buffer_new ();
  const FalLayout layout = { 640, 480, 1, 1, { 0, 0, 640, 480 }, { 0, 0, 640, 480 } };

  g_clear_pointer (&frame, gst_buffer_unref);
  g_assert_cmpuint (gst_buffer_n_memory (kept), ==, 0);
  assert_lasting (kept);
  fal_frame_metas_attach (picture, 640, 480, kept, &layout);
  assert_lasting (picture);
}

static void
test_nothing_is_kept_where_nothing_lasts (void)
{
  g_autoptr (GstBuffer) frame = gst_buffer_new_allocate (NULL, 640 * 480, NULL);

  gst_buffer_add_video_meta (frame, 0, GST_VIDEO_FORMAT_GRAY8, 640, 480);
  g_assert_null (fal_frame_metas_keep (frame));
}

/* A region of 60 × 40 at 100,120. */
static void
test_a_region_is_where_its_pixels_went (void)
{
  static const struct {
    FalLayout layout; /* of the picture that was sent */
    gint width, height;
    guint x, y, w, h; /* w 0: none */
  } rows[] = {
    { { 640, 480, 1, 1, { 0, 0, 640, 480 }, { 0, 0, 640, 480 } }, 640, 480, 100, 120, 60, 40 },
    { { 320, 240, 1, 1, { 0, 0, 640, 480 }, { 0, 0, 320, 240 } }, 320, 240, 50, 60, 30, 20 },
    /* the result is larger than what was sent */
    { { 320, 240, 1, 1, { 0, 0, 640, 480 }, { 0, 0, 320, 240 } }, 1280, 960, 200, 240, 120, 80 },
    /* a square of the middle: 80 pixels on the left are cut off */
    { { 240, 240, 1, 1, { 80, 0, 480, 480 }, { 0, 0, 240, 240 } }, 240, 240, 10, 60, 30, 20 },
    /* half of it is outside, and all */
    { { 240, 240, 1, 1, { 130, 0, 480, 480 }, { 0, 0, 240, 240 } }, 240, 240, 0, 60, 15, 20 },
    { { 240, 240, 1, 1, { 160, 0, 480, 480 }, { 0, 0, 240, 240 } }, 240, 240, 0, 0, 0, 0 },
    { { 240, 240, 1, 1, { 0, 160, 480, 480 }, { 0, 0, 240, 240 } }, 240, 240, 0, 0, 0, 0 },
    /* half of the picture, a bar on the left */
    { { 320, 240, 1, 1, { 0, 0, 640, 480 }, { 160, 0, 160, 240 } }, 320, 240, 185, 60, 15, 20 },
    /* bars above and below */
    { { 320, 320, 1, 1, { 0, 0, 640, 480 }, { 0, 40, 320, 240 } }, 320, 320, 50, 100, 30, 20 },
    { { 320, 320, 1, 1, { 0, 0, 640, 480 }, { 0, 40, 320, 240 } }, 640, 640, 100, 200, 60, 40 },
    /* a picture that was made of other frames, and the frame itself */
    { { 320, 240, 1, 1, { 0 }, { 0 } }, 320, 240, 0, 0, 0, 0 },
    { { 320, 240, 1, 1, { 0, 0, 640, 0 }, { 0, 0, 320, 240 } }, 320, 240, 0, 0, 0, 0 },
    { { 320, 240, 1, 1, { 0, 0, 640, 480 }, { 0, 0, 0, 240 } }, 320, 240, 0, 0, 0, 0 },
    { { 320, 240, 1, 1, { 0, 0, 640, 480 }, { 0, 0, 320, 0 } }, 320, 240, 0, 0, 0, 0 },
    { { 320, 0, 1, 1, { 0, 0, 640, 480 }, { 0, 0, 320, 240 } }, 320, 240, 0, 0, 0, 0 },
    { { 0 }, 640, 480, 100, 120, 60, 40 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GstBuffer) frame = make_frame ();
    g_autoptr (GstBuffer) picture = gst_buffer_new ();
    GstVideoRegionOfInterestMeta *region;

    g_test_message ("row %u", i);
    fal_frame_metas_attach (picture, rows[i].width, rows[i].height, frame, &rows[i].layout);
    region = gst_buffer_get_video_region_of_interest_meta_id (picture, 0);
    g_assert_cmpint (region != NULL, ==, rows[i].w > 0);
    if (region == NULL)
      continue;
    g_assert_cmpstr (g_quark_to_string (region->roi_type), ==, "face");
    g_assert_cmpuint (region->x, ==, rows[i].x);
    g_assert_cmpuint (region->y, ==, rows[i].y);
    g_assert_cmpuint (region->w, ==, rows[i].w);
    g_assert_cmpuint (region->h, ==, rows[i].h);
  }
}

static gboolean
transform_size_meta (
    GstBuffer *to, GstCustomMeta *meta, GstBuffer *from, GQuark type, gpointer data, gpointer user)
{
  if (!GST_VIDEO_META_TRANSFORM_IS_SCALE (type) ||
      gst_structure_has_field (gst_custom_meta_get_structure (meta), "refuses"))
    return FALSE;
  gst_buffer_add_custom_meta (to, "FalTestSizeMeta");
  return TRUE;
}

/* Where nothing but the size is another it says itself what becomes of it. */
static void
test_what_a_plugin_says_of_pixels_is_scaled_and_never_moved (void)
{
  static const struct {
    FalLayout layout;
    gboolean refuses, kept;
  } rows[] = {
    { { 320, 240, 1, 1, { 0, 0, 640, 480 }, { 0, 0, 320, 240 } }, FALSE, TRUE },
    { { 320, 240, 1, 1, { 0, 0, 640, 480 }, { 0, 0, 320, 240 } }, TRUE, FALSE },
    { { 240, 240, 1, 1, { 80, 0, 480, 480 }, { 0, 0, 240, 240 } }, FALSE, FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GstBuffer) frame = gst_buffer_new_allocate (NULL, 640 * 480, NULL);
    g_autoptr (GstBuffer) picture = gst_buffer_new ();
    GstCustomMeta *meta = gst_buffer_add_custom_meta (frame, "FalTestSizeMeta");

    g_test_message ("row %u", i);
    if (rows[i].refuses)
      gst_structure_set (
          gst_custom_meta_get_structure (meta), "refuses", G_TYPE_BOOLEAN, TRUE, NULL);
    fal_frame_metas_attach (picture, 320, 240, frame, &rows[i].layout);
    g_assert_cmpint (
        gst_buffer_get_custom_meta (picture, "FalTestSizeMeta") != NULL, ==, rows[i].kept);
  }
}

static void
assert_area (const GArray *areas, guint i, gint x, gint y, gint width, gint height)
{
  const FalArea *area = &g_array_index (areas, FalArea, i);

  g_assert_cmpint (area->x, ==, x);
  g_assert_cmpint (area->y, ==, y);
  g_assert_cmpint (area->width, ==, width);
  g_assert_cmpint (area->height, ==, height);
}

static void
test_regions_are_found_by_their_type (void)
{
  g_autoptr (GstBuffer) frame = make_frame ();
  g_autoptr (GArray) any = NULL, faces = NULL;

  gst_buffer_add_video_region_of_interest_meta (frame, "hand", 1, 2, 3, 4);
  gst_buffer_add_video_region_of_interest_meta (frame, "face", 5, 6, 7, 8);
  any = fal_frame_metas_find_regions (frame, NULL);
  faces = fal_frame_metas_find_regions (frame, "face");
  g_assert_cmpuint (any->len, ==, 3);
  assert_area (any, 1, 1, 2, 3, 4);
  g_assert_cmpuint (faces->len, ==, 2);
  assert_area (faces, 0, 100, 120, 60, 40);
  assert_area (faces, 1, 5, 6, 7, 8);
  g_assert_null (fal_frame_metas_find_regions (frame, "hat"));
  g_assert_cmpuint (g_quark_try_string ("hat"), ==, 0);
}

static void
test_a_frame_may_have_no_region (void)
{
  g_autoptr (GstBuffer) frame = gst_buffer_new_allocate (NULL, 640 * 480, NULL);

  g_assert_null (fal_frame_metas_find_regions (frame, NULL));
  g_assert_null (fal_frame_metas_find_regions (frame, "face"));
}

/* The meta's numbers are unsigned, and a face may begin left of the frame. */
static void
test_a_region_may_begin_outside (void)
{
  g_autoptr (GstBuffer) frame = gst_buffer_new_allocate (NULL, 640 * 480, NULL);
  g_autoptr (GArray) areas = NULL;

  gst_buffer_add_video_region_of_interest_meta (frame, "face", (guint) -10, (guint) -20, 50, 60);
  gst_buffer_add_video_region_of_interest_meta (frame, "face", 0, 0, G_MAXUINT, G_MAXUINT);
  areas = fal_frame_metas_find_regions (frame, "face");
  assert_area (areas, 0, -10, -20, 50, 60);
  assert_area (areas, 1, 0, 0, G_MAXINT, G_MAXINT);
}

int
main (int argc, char **argv)
{
  static const gchar *no_tags[] = { NULL };
  static const gchar *pixel_tags[] = { GST_META_TAG_VIDEO_STR, GST_META_TAG_VIDEO_COLORSPACE_STR,
    NULL };
  static const gchar *size_tags[] = { GST_META_TAG_VIDEO_STR, GST_META_TAG_VIDEO_SIZE_STR, NULL };

  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  gst_meta_register_custom (FAL_RESULT_META, no_tags, NULL, NULL, NULL);
  gst_meta_register_custom ("FalTestMeta", no_tags, NULL, NULL, NULL);
  gst_meta_register_custom ("FalTestPixelMeta", pixel_tags, NULL, NULL, NULL);
  gst_meta_register_custom ("FalTestSizeMeta", size_tags, transform_size_meta, NULL, NULL);
#define ADD(name) g_test_add_func ("/frame-metas/" #name, test_##name)
  ADD (what_outlives_the_pixels_is_kept);
  ADD (nothing_is_kept_where_nothing_lasts);
  ADD (a_region_is_where_its_pixels_went);
  ADD (regions_are_found_by_their_type);
  ADD (a_frame_may_have_no_region);
  ADD (a_region_may_begin_outside);
  ADD (what_a_plugin_says_of_pixels_is_scaled_and_never_moved);
  return g_test_run ();
}
