/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libFuzzer target: any bytes are probed, and decoded where that succeeds, as a result and as a
 * camera's picture with flaws. Few pixels, so that each
 * run is short. */
#include <fal/image/camera-picture.h>
#include <fal/image/image-file.h>

#define FUZZ_MAX_PIXELS (64 * 64)

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
decode (GBytes *picture, const FalImageFileInfo *picture_info, GstVideoFormat format)
{
  GstVideoInfo info;
  GstVideoFrame frame;
  g_autoptr (GstBuffer) buffer = NULL;

  if (!fal_image_file_decodes_to (picture_info, format) ||
      !gst_video_info_set_format (&info, format, picture_info->width, picture_info->height))
    return;
  buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  if (!gst_video_frame_map (&frame, &info, buffer, GST_MAP_READWRITE))
    return;
  fal_image_file_decode (picture, picture_info, &frame, NULL);
  gst_video_frame_unmap (&frame);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) picture = NULL, checked = NULL;
  FalImageFileInfo info;

  if (!gst_is_initialized ())
    gst_init (NULL, NULL);
  picture = g_bytes_new (data, size);
  if (!fal_image_file_probe_flawed (picture, FUZZ_MAX_PIXELS, &info, NULL))
    return 0;
  decode (picture, &info, GST_VIDEO_FORMAT_RGBx);
  checked = fal_camera_picture_check (picture, &info, NULL);
  if (!fal_image_file_probe (picture, FUZZ_MAX_PIXELS, &info, NULL))
    return 0;
  decode (picture, &info, GST_VIDEO_FORMAT_RGBA);
  decode (picture, &info, GST_VIDEO_FORMAT_BGRx);
  decode (picture, &info, GST_VIDEO_FORMAT_RGB);
  return 0;
}
