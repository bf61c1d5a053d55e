/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Only what is needed is read of the caps or of the picture, since this is asked for each frame. */
#include "frame-size.h"
#include "image-file.h"
#include "jpeg-markers.h"

static void
read_raw (const GstStructure *caps, gint *width, gint *height)
{
  if (!gst_structure_get (caps, "width", G_TYPE_INT, width, "height", G_TYPE_INT, height, NULL))
    *width = *height = 0;
  if (g_strcmp0 (gst_structure_get_string (caps, "interlace-mode"), "alternate") == 0)
    *height = (*height + 1) / 2;
}

static void
read_picture (const guint8 *data, gsize size, gint *width, gint *height)
{
  g_autoptr (GBytes) bytes = NULL;
  FalJpegMarkers markers = { 0 };
  FalImageFileInfo info;

  if (fal_image_file_sniff (data, size) == FAL_IMAGE_FILE_JPEG) {
    if (!fal_jpeg_markers_read_header (data, size, &markers))
      return;
    *width = markers.width;
    *height = markers.height;
    return;
  }
  bytes = g_bytes_new_static (data, size);
  if (!fal_image_file_probe (bytes, G_MAXUINT64, &info, NULL))
    return;
  *width = info.width;
  *height = info.height;
}

void
fal_frame_size_read (GstSample *frame, gint *width, gint *height)
{
  GstBuffer *buffer = gst_sample_get_buffer (frame);
  GstCaps *caps = gst_sample_get_caps (frame);
  GstMapInfo map;

  *width = *height = 0;
  if (caps == NULL || gst_caps_get_size (caps) == 0)
    return;
  if (gst_structure_has_name (gst_caps_get_structure (caps, 0), "video/x-raw")) {
    read_raw (gst_caps_get_structure (caps, 0), width, height);
  } else if (gst_buffer_map (buffer, &map, GST_MAP_READ)) {
    read_picture (map.data, map.size, width, height);
    gst_buffer_unmap (buffer, &map);
  }
}
