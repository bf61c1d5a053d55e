/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every raw format that this GStreamer knows, through what this floor does to frames: it is done,
 * or refused, and where nothing is to be seen of it nothing changes. */
#include "fal/image/blend.h"
#include "fal/image/difference.h"
#include "fal/image/encoder.h"
#include "fal/image/overlay-caps.h"
#include "fal/image/overlay.h"
#include "overlay-reference.h"
#include "test-pictures.h"

#include <gio/gio.h>
#include <string.h>

#define WIDTH 66
#define HEIGHT 50

/* A frame of bytes that are the same everywhere, or, of colours by a palette, whatever that means.
 */
static GstSample *
make_flat (GstVideoFormat format, const gchar *more, guint8 value)
{
  g_autofree gchar *text =
      g_strdup_printf ("video/x-raw,format=%s,width=%d,height=%d,framerate=25/1%s",
          gst_video_format_to_string (format), WIDTH, HEIGHT, more);
  g_autoptr (GstCaps) caps = gst_caps_from_string (text);
  g_autoptr (GstBuffer) buffer = NULL;
  GstVideoInfo info;

  g_assert_true (gst_video_info_from_caps (&info, caps));
  buffer = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (&info), NULL);
  gst_buffer_memset (buffer, 0, value, GST_VIDEO_INFO_SIZE (&info));
  return gst_sample_new (buffer, caps, NULL, NULL);
}

/* Scaled and cut, too. */
static void
check_encoder (GstSample *frame)
{
  static const FalEncoderConfig configs[] = { { .quality = 80 }, { 30, 30, FAL_FIT_CROP, 80 },
    { 30, 30, FAL_FIT_LETTERBOX, 80, .part = { 5, 3, 40, 20 } } };
  g_autoptr (FalEncoder) encoder = fal_encoder_new ();

  for (guint i = 0; i < G_N_ELEMENTS (configs); i++) {
    g_autoptr (GError) error = NULL;
    const gchar *media_type = NULL;
    g_autoptr (GBytes) jpeg =
        fal_encoder_encode (encoder, frame, &configs[i], &media_type, NULL, &error);

    g_assert_true ((jpeg != NULL) == (error == NULL));
    if (jpeg != NULL) {
      g_auto (Image) image = read_jpeg (jpeg);

      g_assert_cmpint (image.width, ==, configs[i].width ? configs[i].width : WIDTH);
      g_assert_cmpint (image.height, ==, configs[i].height ? configs[i].height : HEIGHT);
    }
  }
}

static void
check_difference (GstSample *frame)
{
  g_autoptr (FalDifference) difference = fal_difference_new ();
  g_autoptr (FalSignature) before = fal_difference_reduce (difference, frame, &(FalArea) { 0 });
  g_autoptr (FalSignature) after = fal_difference_reduce (difference, frame, &(FalArea) { 0 });

  g_assert_true ((before == NULL) == (after == NULL));
  if (before != NULL)
    g_assert_cmpfloat (fal_difference_compare (difference, before, after), ==, 0);
}

/* The mean of a picture and itself is that picture. */
static void
check_blend (GstSample *frame, guint8 value)
{
  g_autoptr (GstBuffer) buffer = NULL;
  GstVideoInfo info;
  GstMapInfo map;

  gst_video_info_from_caps (&info, gst_sample_get_caps (frame));
  if (!fal_blend_can (&info))
    return;
  buffer =
      fal_blend_pictures (&info, gst_sample_get_buffer (frame), gst_sample_get_buffer (frame), 100);
  g_assert_nonnull (buffer);
  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_READ));
  /* Bits of a word that are no sample's may be lost. */
  if (value == 0 || GST_VIDEO_INFO_COMP_DEPTH (&info, 0) == 8)
    g_assert_cmpuint (map.data[0], ==, value);
  gst_buffer_unmap (buffer, &map);
}

/* A result that nothing is seen of leaves each sample. */
static void
check_overlay (GstSample *frame)
{
  const FalOverlayConfig config = { FAL_COMPOSITE_OVER, 2, FAL_FIT_CROP };
  const FalArea area = { 10, 10, 20, 20 };
  const FalLayout layout = { 20, 20, 1, 1, area, { 0, 0, 20, 20 } };
  GstCaps *caps = gst_sample_get_caps (frame);
  g_autoptr (FalOverlay) overlay = fal_overlay_new ();
  g_autoptr (GstCaps) clear_caps = make_frame_caps ("RGBA", 20, 20, NULL);
  g_autoptr (GstBuffer) clear_buffer = gst_buffer_new_allocate (NULL, 20 * 20 * 4, NULL);
  g_autoptr (GstSample) clear = NULL;
  g_autoptr (FalLayer) layer = NULL;
  g_autoptr (GstBuffer) buffer = NULL;
  g_autoptr (GError) error = NULL;
  GstVideoFrame in, out;

  gst_buffer_memset (clear_buffer, 0, 0, 20 * 20 * 4);
  clear = gst_sample_new (clear_buffer, clear_caps, NULL, NULL);
  layer = fal_overlay_make_layer (overlay, clear, &layout, caps, &config, &error);
  if (layer == NULL) {
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
    return;
  }
  buffer = fal_overlay_apply (overlay, frame, caps, layer, NULL, 0, NULL, &error);
  g_assert_no_error (error);
  map_sample (&in, frame, GST_MAP_READ);
  map_output (&out, buffer, caps);
  for (guint c = 0; c < GST_VIDEO_FRAME_N_COMPONENTS (&in); c++)
    for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (&in, c); y++)
      for (gint x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH (&in, c); x++)
        g_assert_cmpuint (get_sample (&out, c, x, y), ==, get_sample (&in, c, x, y));
  gst_video_frame_unmap (&out);
  gst_video_frame_unmap (&in);
}

static void
check_format (gconstpointer format)
{
  static const gchar *const more[] = { "", ",colorimetry=0:4:0:0", ",colorimetry=0:1:0:0" };

  for (guint i = 0; i < G_N_ELEMENTS (more); i++) {
    g_autoptr (GstSample) frame = make_flat (GPOINTER_TO_UINT (format), more[i], 0x60);
    /* That is more than some samples can be. */
    g_autoptr (GstSample) zero = make_flat (GPOINTER_TO_UINT (format), more[i], 0);

    check_encoder (frame);
    check_difference (frame);
    check_blend (frame, 0x60);
    check_blend (zero, 0);
    check_overlay (zero);
  }
}

int
main (int argc, char **argv)
{
  const GstVideoFormat *formats;
  guint n;

  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  formats = gst_video_formats_raw (&n);
  g_assert_cmpuint (n, >, 50);
  for (guint i = 0; i < n; i++) {
    g_autofree gchar *name =
        g_strconcat ("/all-formats/", gst_video_format_to_string (formats[i]), NULL);

    g_test_add_data_func (name, GUINT_TO_POINTER (formats[i]), check_format);
  }
  return g_test_run ();
}
