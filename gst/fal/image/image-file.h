/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Picture files (JPEG, PNG, WebP): what they are, whether they may be decoded,
 * and their pixels. No state, any thread. */
#pragma once

#include <gst/video/video.h>

G_BEGIN_DECLS

typedef enum {
  FAL_IMAGE_FILE_UNKNOWN,
  FAL_IMAGE_FILE_JPEG,
  FAL_IMAGE_FILE_PNG,
  FAL_IMAGE_FILE_WEBP,
} FalImageFileType;

typedef struct {
  FalImageFileType type;
  gint width, height;
  gboolean has_alpha;
} FalImageFileInfo;

/* What the bytes are, from their header alone (nothing is allocated): the bytes
 * decide, not a content type. Refused with G_IO_ERROR_INVALID_DATA: what is no
 * picture, what is cut off, what has more than @max_pixels, and a JPEG whose
 * pixels × scans would take unbounded time; with G_IO_ERROR_NOT_SUPPORTED: a
 * format this build lacks. */
gboolean fal_image_file_probe (
    GBytes *picture, guint64 max_pixels, FalImageFileInfo *info, GError **error);

/* "image/jpeg" …, or NULL. */
const gchar *fal_image_file_get_media_type (FalImageFileType type);

/* Whether @data begins like one of the known pictures. */
FalImageFileType fal_image_file_sniff (const guint8 *data, gsize size);

/* Whether fal_image_file_decode() writes @format for this picture. RGBx and RGBA
 * are written for every picture. */
gboolean fal_image_file_decodes_to (const FalImageFileInfo *info, GstVideoFormat format);

/* TurboJPEG's TJPF_ for @format, or -1. */
gint fal_image_file_get_jpeg_layout (GstVideoFormat format);

/* The pixels of @picture, which fal_image_file_probe() let through as @info, into
 * @frame: mapped for writing, of the picture's size and a format that
 * fal_image_file_decodes_to(). Where the format has no alpha, transparency shows
 * black. Of an animation, the first picture. Errors: G_IO_ERROR_INVALID_DATA
 * (broken; @frame then holds anything), G_IO_ERROR_NO_SPACE. */
gboolean fal_image_file_decode (
    GBytes *picture, const FalImageFileInfo *info, GstVideoFrame *frame, GError **error);

G_END_DECLS
