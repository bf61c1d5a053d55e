/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Formats are chosen so that as little as possible is converted. */
#include "overlay-caps.h"

#include <gio/gio.h>

gboolean
fal_overlay_is_matte (const FalOverlayConfig *config)
{
  return config->mode == FAL_COMPOSITE_MATTE || config->mode == FAL_COMPOSITE_MATTE_OVER;
}

/* What the caps leave open about the colours is set to the usual, as the encoder does it. */
static gboolean
complete_info (GstVideoInfo *info)
{
  GstVideoColorimetry *colours = &info->colorimetry;

  if (info->width < 1 || info->height < 1)
    return FALSE;
  if (info->interlace_mode == GST_VIDEO_INTERLACE_MODE_ALTERNATE) {
    GstVideoInfo whole = *info; /* each field has a buffer of its own */

    if (!gst_video_info_set_format (info, GST_VIDEO_INFO_FORMAT (&whole), whole.width,
            GST_VIDEO_INFO_FIELD_HEIGHT (&whole)))
      return FALSE;
    *colours = whole.colorimetry;
  }
  if (!GST_VIDEO_INFO_IS_RGB (info) && colours->matrix <= GST_VIDEO_COLOR_MATRIX_RGB)
    colours->matrix =
        info->height > 576 ? GST_VIDEO_COLOR_MATRIX_BT709 : GST_VIDEO_COLOR_MATRIX_BT601;
  if (colours->range == GST_VIDEO_COLOR_RANGE_UNKNOWN)
    colours->range =
        GST_VIDEO_INFO_IS_YUV (info) ? GST_VIDEO_COLOR_RANGE_16_235 : GST_VIDEO_COLOR_RANGE_0_255;
  info->interlace_mode = GST_VIDEO_INTERLACE_MODE_PROGRESSIVE;
  info->fps_n = 0;
  info->fps_d = 1;
  return TRUE;
}

gboolean
fal_overlay_caps_read (GstCaps *caps, GstVideoInfo *info)
{
  return gst_video_info_from_caps (info, caps) && complete_info (info);
}

gboolean
fal_overlay_caps_parse (GstCaps *caps, GstVideoInfo *info, FalPlaneLayout *planes, GError **error)
{
  g_autofree gchar *name = NULL;

  if (fal_overlay_caps_read (caps, info) && fal_plane_layout_init (planes, info->finfo))
    return TRUE;
  name = gst_caps_to_string (caps);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
      "No result can be laid on frames of %s. Put videoconvert before this element.", name);
  return FALSE;
}

static GstCaps *
make_raw_caps (const gchar *formats)
{
  g_autofree gchar *text = g_strdup_printf ("video/x-raw, format=(string){ %s }", formats);

  return gst_caps_from_string (text);
}

/* A picture whose pixels are those of the frame needs no conversion. */
GstCaps *
fal_overlay_get_result_caps (GstCaps *frame, const FalOverlayConfig *config)
{
  const gchar *format = gst_structure_get_string (gst_caps_get_structure (frame, 0), "format");

  if (fal_overlay_is_matte (config))
    return make_raw_caps ("GRAY8, RGBA");
  if (g_strcmp0 (format, "BGRx") == 0 || g_strcmp0 (format, "BGRA") == 0)
    return make_raw_caps ("BGRx, BGRA");
  if (g_strcmp0 (format, "xRGB") == 0 || g_strcmp0 (format, "ARGB") == 0)
    return make_raw_caps ("xRGB, ARGB");
  return make_raw_caps ("RGBx, RGBA");
}

/* With alpha, for MATTE: those that keep the frame's samples come first. */
static const gchar *
list_alpha_formats (const GstVideoInfo *frame)
{
  static const struct {
    const gchar *format, *list;
  } rows[] = {
    { "RGBx", "RGBA, BGRA, ARGB, ABGR, AYUV, A420" },
    { "RGBA", "RGBA, BGRA, ARGB, ABGR, AYUV, A420" },
    { "BGRx", "BGRA, RGBA, ARGB, ABGR, AYUV, A420" },
    { "BGRA", "BGRA, RGBA, ARGB, ABGR, AYUV, A420" },
    { "xRGB", "ARGB, RGBA, BGRA, ABGR, AYUV, A420" },
    { "ARGB", "ARGB, RGBA, BGRA, ABGR, AYUV, A420" },
    { "xBGR", "ABGR, RGBA, BGRA, ARGB, AYUV, A420" },
    { "ABGR", "ABGR, RGBA, BGRA, ARGB, AYUV, A420" },
  };
  const GstVideoFormatInfo *format = frame->finfo;

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    if (g_str_equal (rows[i].format, GST_VIDEO_FORMAT_INFO_NAME (format)))
      return rows[i].list;
  }
  if (GST_VIDEO_FORMAT_INFO_IS_RGB (format))
    return rows[0].list;
  if (GST_VIDEO_FORMAT_INFO_N_COMPONENTS (format) == 1 ||
      GST_VIDEO_FORMAT_INFO_H_SUB (format, 1) > 0)
    return "A420, AYUV, RGBA, BGRA, ARGB, ABGR";
  return "AYUV, RGBA, BGRA, ARGB, ABGR, A420";
}

static GstCaps *
with_format (GstCaps *caps, const GstVideoInfo *frame, const gchar *format)
{
  GstCaps *other = gst_caps_copy (caps);
  GstStructure *structure = gst_caps_get_structure (other, 0);
  const GstVideoFormatInfo *info =
      gst_video_format_get_info (gst_video_format_from_string (format));

  gst_structure_set (structure, "format", G_TYPE_STRING, format, NULL);
  if (GST_VIDEO_FORMAT_INFO_IS_RGB (info) != GST_VIDEO_INFO_IS_RGB (frame) ||
      GST_VIDEO_INFO_IS_GRAY (frame))
    gst_structure_remove_fields (structure, "colorimetry", "chroma-site", NULL);
  if (GST_VIDEO_FORMAT_INFO_IS_RGB (info) && !GST_VIDEO_INFO_IS_RGB (frame))
    gst_structure_set (structure, "colorimetry", G_TYPE_STRING, GST_VIDEO_COLORIMETRY_SRGB, NULL);
  return other;
}

GstCaps *
fal_overlay_make_caps (
    GstCaps *caps, GstCaps *allowed, const FalOverlayConfig *config, GError **error)
{
  GstVideoInfo frame;
  FalPlaneLayout planes;
  g_auto (GStrv) formats = NULL;

  if (!fal_overlay_caps_parse (caps, &frame, &planes, error))
    return NULL;
  if (config->mode != FAL_COMPOSITE_MATTE)
    return gst_caps_ref (caps);
  formats = g_strsplit (list_alpha_formats (&frame), ", ", -1);
  for (guint i = 0; formats[i] != NULL; i++) {
    g_autoptr (GstCaps) other = with_format (caps, &frame, formats[i]);

    if (gst_caps_can_intersect (other, allowed))
      return g_steal_pointer (&other);
  }
  return gst_caps_ref (caps);
}

GstCaps *
fal_overlay_get_frame_caps (GstCaps *allowed, const FalOverlayConfig *config)
{
  g_autoptr (GstCaps) alpha = make_raw_caps ("RGBA, BGRA, ARGB, ABGR, AYUV, A420");
  g_autoptr (GstCaps) all =
      make_raw_caps ("RGBx, BGRx, xRGB, xBGR, RGBA, BGRA, ARGB, ABGR, RGB, BGR, I420, YV12, NV12, "
                     "NV21, Y42B, YUY2, UYVY, YVYU, Y444, AYUV, GRAY8");
  g_autoptr (GstCaps) best =
      config->mode == FAL_COMPOSITE_MATTE
          ? gst_caps_intersect_full (alpha, allowed, GST_CAPS_INTERSECT_FIRST)
          : gst_caps_new_empty ();

  if (!gst_caps_is_empty (best))
    return g_steal_pointer (&best);
  return gst_caps_intersect_full (all, allowed, GST_CAPS_INTERSECT_FIRST);
}
