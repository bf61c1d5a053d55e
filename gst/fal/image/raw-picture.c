/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The planes of a JPEG are taken as they are, where GStreamer has a format for them. */
#include "raw-picture.h"
#include "camera-picture.h"
#include "image-file.h"
#include "video-frame.h"

#include <gio/gio.h>
#include <turbojpeg.h>

G_DEFINE_AUTO_CLEANUP_FREE_FUNC (tjhandle, tjDestroy, NULL)

/* TurboJPEG fills whole samples of chroma, so its planes may be larger than the picture: a multiple
 * of @across × @down. */
typedef struct {
  gint subsampling;
  GstVideoFormat format;
  guint across, down;
} Planes;

static const Planes kinds_of_planes[] = {
  { TJSAMP_420, GST_VIDEO_FORMAT_I420, 2, 2 },
  { TJSAMP_422, GST_VIDEO_FORMAT_Y42B, 2, 1 },
  { TJSAMP_444, GST_VIDEO_FORMAT_Y444, 1, 1 },
  { TJSAMP_411, GST_VIDEO_FORMAT_Y41B, 4, 1 },
};

static gint
round_up (gint size, gint unit)
{
  return (size + unit - 1) / unit * unit;
}

/* NULL: it is no JPEG, or has no planes of a format that is known. */
static const Planes *
find_planes (GBytes *picture, const FalImageFileInfo *info)
{
  g_auto (tjhandle) jpeg = info->type == FAL_IMAGE_FILE_JPEG ? tjInitDecompress () : NULL;
  gint width = 0, height = 0, subsampling = -1, colours = -1;

  if (jpeg == NULL)
    return NULL;
  tjDecompressHeader3 (jpeg, g_bytes_get_data (picture, NULL), g_bytes_get_size (picture), &width,
      &height, &subsampling, &colours);
  if (width != info->width || height != info->height || colours != TJCS_YCbCr)
    return NULL;
  for (guint i = 0; i < G_N_ELEMENTS (kinds_of_planes); i++)
    if (kinds_of_planes[i].subsampling == subsampling)
      return &kinds_of_planes[i];
  return NULL;
}

static gboolean
make_frame (
    GstVideoFrame *frame, const FalImageFileInfo *info, const Planes *planes, GError **error)
{
  GstVideoFormat format = planes ? planes->format : GST_VIDEO_FORMAT_RGBx;
  gint width = planes ? round_up (info->width, planes->across) : info->width;
  gint height = planes ? round_up (info->height, planes->down) : info->height;
  GstVideoInfo unknown, video;

  gst_video_info_init (&unknown);
  if (!fal_video_frame_make_info (&video, &unknown, format, width, height, error))
    return FALSE;
  if (planes != NULL) /* as JPEG has it */
    video.colorimetry = (GstVideoColorimetry) { GST_VIDEO_COLOR_RANGE_0_255,
      GST_VIDEO_COLOR_MATRIX_BT601, GST_VIDEO_TRANSFER_UNKNOWN, GST_VIDEO_COLOR_PRIMARIES_UNKNOWN };
  return fal_video_frame_make (frame, &video, error);
}

static gboolean
read_planes (GBytes *picture, const FalImageFileInfo *info, GstVideoFrame *frame, GError **error)
{
  g_auto (tjhandle) jpeg = tjInitDecompress ();
  guint8 *data[3];
  gint strides[3];

  for (guint i = 0; i < G_N_ELEMENTS (data); i++) {
    data[i] = GST_VIDEO_FRAME_PLANE_DATA (frame, i);
    strides[i] = GST_VIDEO_FRAME_PLANE_STRIDE (frame, i);
  }
  if (jpeg != NULL &&
      (tjDecompressToYUVPlanes (jpeg, g_bytes_get_data (picture, NULL), g_bytes_get_size (picture),
           data, info->width, strides, info->height, TJFLAG_LIMITSCANS) == 0 ||
          tjGetErrorCode (jpeg) == TJERR_WARNING))
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "the JPEG picture is broken: %s",
      tjGetErrorStr2 (jpeg));
  return FALSE;
}

/* The picture in @frame, whose planes may be larger, with its caps. */
static GstSample *
make_sample (const GstVideoFrame *frame, const FalImageFileInfo *info, gint par_n, gint par_d)
{
  GstVideoInfo video = frame->info;
  g_autoptr (GstCaps) caps = NULL;

  gst_buffer_add_video_meta_full (frame->buffer, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_INFO_FORMAT (&video), video.width, video.height, GST_VIDEO_INFO_N_PLANES (&video),
      video.offset, video.stride);
  video.width = info->width;
  video.height = info->height;
  video.par_n = par_n;
  video.par_d = par_d;
  caps = gst_video_info_to_caps (&video);
  return gst_sample_new (frame->buffer, caps, NULL, NULL);
}

GstSample *
fal_raw_picture_make (GBytes *picture, gint par_n, gint par_d, GError **error)
{
  GstSample *sample = NULL;
  const Planes *planes;
  FalImageFileInfo info;
  GstVideoFrame frame;

  if (!fal_image_file_probe_flawed (picture, FAL_CAMERA_PICTURE_MAX_PIXELS, &info, error))
    return NULL;
  planes = find_planes (picture, &info);
  if (!make_frame (&frame, &info, planes, error))
    return NULL;
  if (planes ? read_planes (picture, &info, &frame, error)
             : fal_image_file_decode (picture, &info, &frame, error))
    sample = make_sample (&frame, &info, par_n, par_d);
  fal_video_frame_clear (&frame);
  return sample;
}
