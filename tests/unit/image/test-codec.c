/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-codec.h"
#include "fal/image/image-file.h"

#include <gio/gio.h>

GBytes *
encode (GstSample *sample, const FalEncoderConfig *config)
{
  g_autoptr (FalEncoder) encoder = fal_encoder_new ();
  g_autoptr (GError) error = NULL;
  const gchar *media_type = NULL;
  GBytes *jpeg = fal_encoder_encode (encoder, sample, config, &media_type, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (media_type, ==, "image/jpeg");
  return jpeg;
}

void
result_clear (Result *result)
{
  gst_clear_buffer (&result->buffer);
  gst_clear_caps (&result->caps);
}

Result
decode_with (FalDecoder *decoder, GBytes *picture, const gchar *allowed)
{
  g_autoptr (GstCaps) allowed_caps = gst_caps_from_string (allowed);
  FalDecoderConfig config = {
    .allowed = allowed_caps, .max_pixels = MAX_PIXELS, .fps_n = 25, .fps_d = 1
  };
  g_autoptr (GError) error = NULL;
  Result result = { 0 };

  result.buffer = fal_decoder_decode (decoder, picture, &config, &result.caps, &error);
  g_assert_no_error (error);
  g_assert_nonnull (result.buffer);
  g_assert_true (gst_caps_is_fixed (result.caps));
  g_assert_true (gst_caps_can_intersect (result.caps, allowed_caps));
  if (gst_structure_has_name (gst_caps_get_structure (result.caps, 0), "video/x-raw"))
    g_assert_true (gst_video_info_from_caps (&result.info, result.caps));
  return result;
}

Result
decode (GBytes *picture, const gchar *allowed)
{
  g_autoptr (FalDecoder) decoder = fal_decoder_new ();

  return decode_with (decoder, picture, allowed);
}

void
get_samples (const Result *result, gint x, gint y, guint8 out[4])
{
  GstVideoFrame frame;

  g_assert_true (
      gst_video_frame_map (&frame, (GstVideoInfo *) &result->info, result->buffer, GST_MAP_READ));
  for (guint i = 0; i < GST_VIDEO_FRAME_N_COMPONENTS (&frame); i++)
    out[i] = ((guint8 *) GST_VIDEO_FRAME_COMP_DATA (
        &frame, i))[(y >> frame.info.finfo->h_sub[i]) * GST_VIDEO_FRAME_COMP_STRIDE (&frame, i) +
                    (x >> frame.info.finfo->w_sub[i]) * GST_VIDEO_FRAME_COMP_PSTRIDE (&frame, i)];
  gst_video_frame_unmap (&frame);
}

void
assert_decodes_to (GBytes *picture, const gchar *format, const Colour *colour, guint tolerance)
{
  g_autofree gchar *allowed = g_strdup_printf ("video/x-raw,format=%s", format);
  g_auto (Result) result = decode (picture, allowed);
  guint8 samples[4] = { 0 };

  g_assert_cmpstr (GST_VIDEO_INFO_NAME (&result.info), ==, format);
  get_samples (&result, result.info.width / 2, result.info.height / 2, samples);
  assert_pixel (samples, colour, tolerance, format);
  if (GST_VIDEO_INFO_HAS_ALPHA (&result.info))
    g_assert_cmpuint (samples[3], ==, 255);
}

static void
assert_decodes_to_grey (GBytes *picture, guint8 grey)
{
  g_auto (Result) result = decode (picture, "video/x-raw,format=GRAY8");
  guint8 samples[4] = { 0 };

  get_samples (&result, result.info.width / 2, result.info.height / 2, samples);
  g_assert_cmpint (ABS (samples[0] - grey), <=, 3);
}

static const gchar *rgb_formats[] = { "RGBx", "BGRx", "xRGB", "xBGR", "RGBA", "BGRA", "ARGB",
  "ABGR", "RGB", "BGR", "GBR" };

void
assert_decodes_everywhere (GBytes *picture, const Colour *colour)
{
  for (guint i = 0; i < G_N_ELEMENTS (rgb_formats); i++)
    assert_decodes_to (picture, rgb_formats[i], colour, 3);
  if (colour->r == colour->g && colour->g == colour->b)
    assert_decodes_to_grey (picture, colour->r);
}

void
assert_field (GstCaps *caps, const gchar *field, const gchar *wanted)
{
  const GValue *value = gst_structure_get_value (gst_caps_get_structure (caps, 0), field);
  g_autofree gchar *text = value != NULL ? gst_value_serialize (value) : NULL;

  g_assert_cmpstr (text, ==, wanted);
}

void
assert_not_decoded (GBytes *picture, const gchar *allowed, guint64 max_pixels, gint code)
{
  g_autoptr (FalDecoder) decoder = fal_decoder_new ();
  g_autoptr (GstCaps) allowed_caps = gst_caps_from_string (allowed);
  FalDecoderConfig config = {
    .allowed = allowed_caps, .max_pixels = max_pixels, .fps_n = 25, .fps_d = 1
  };
  g_autoptr (GstCaps) caps = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_null (fal_decoder_decode (decoder, picture, &config, &caps, &error));
  g_assert_error (error, G_IO_ERROR, code);
  g_assert_null (caps);
}

void
assert_refused (GBytes *picture, guint64 max_pixels, gint code)
{
  FalImageFileInfo info;
  g_autoptr (GError) error = NULL;

  g_assert_false (fal_image_file_probe (picture, max_pixels, &info, &error));
  g_assert_error (error, G_IO_ERROR, code);
  assert_not_decoded (picture, "ANY", max_pixels, code);
}
