/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Picture files (JPEG, PNG, WebP): what they are, whether they may be decoded, and their pixels. No
 * state; used on any thread. */
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
  gboolean flawed; /* flaws are shown: see fal_image_file_probe_flawed() */
} FalImageFileInfo;

/* What kind of picture the bytes are, and its size, from the headers alone: nothing is allocated,
 * and no content type counts. Errors: G_IO_ERROR_INVALID_DATA for what is no picture, is cut off,
 * has more than @max_pixels, or is a JPEG with too many scans for its size;
 * G_IO_ERROR_NOT_SUPPORTED for a kind that this build leaves out. */
gboolean fal_image_file_probe (
    GBytes *picture, guint64 max_pixels, FalImageFileInfo *info, GError **error);

/* The same for a picture whose flaws are to be shown as every decoder shows them: a JPEG of which
 * some data is bad, or that ends before its end marker, is decoded as far as it goes. */
gboolean fal_image_file_probe_flawed (
    GBytes *picture, guint64 max_pixels, FalImageFileInfo *info, GError **error);

/* "image/jpeg" …, or NULL. */
const gchar *fal_image_file_get_media_type (FalImageFileType type);

/* The kind of picture that @data begins like. */
FalImageFileType fal_image_file_sniff (const guint8 *data, gsize size);

/* Whether fal_image_file_decode() can write @format for this picture. For every picture it can
 * write RGBx and RGBA. */
gboolean fal_image_file_decodes_to (const FalImageFileInfo *info, GstVideoFormat format);

/* TurboJPEG's TJPF_ for @format, which is RGB, or -1. */
gint fal_image_file_get_jpeg_layout (GstVideoFormat format);

/* Decodes @picture, for which fal_image_file_probe() gave @info, into @frame, which is mapped for
 * writing and has the picture's size and a format that fal_image_file_decodes_to() allows. A format
 * without alpha gets the picture blended with black. Of an animation the first frame is taken.
 * Errors: G_IO_ERROR_INVALID_DATA (broken; @frame then holds anything), G_IO_ERROR_NO_SPACE. */
gboolean fal_image_file_decode (
    GBytes *picture, const FalImageFileInfo *info, GstVideoFrame *frame, GError **error);

G_END_DECLS
