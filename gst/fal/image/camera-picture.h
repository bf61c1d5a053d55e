/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Encoded pictures that upstream brings: cameras write JPEGs that every decoder shows, but that are
 * not as the book says. No state; used on any thread. */
#pragma once

#include "image-file.h"

G_BEGIN_DECLS

/* Larger pictures are not decoded here, whatever the reason: to find out whether all of its data is
 * there takes up to 3 bytes a pixel. */
#define FAL_CAMERA_PICTURE_MAX_PIXELS (7680 * 4320)

/* @picture as it is to be sent (transfer full): itself, or, where nothing but its end marker is
 * missing, with that. @info: as of fal_image_file_probe(), without a limit of pixels; its size is 0
 * for a kind that this build leaves out. A JPEG that ends with its end marker is looked at up to
 * its first scan alone, so that a flaw within its data is not noticed; one that does not, and has
 * more than the pixels above, counts as cut off. Error:
 * G_IO_ERROR_INVALID_DATA (no picture, or cut off). */
GBytes *fal_camera_picture_check (GBytes *picture, FalImageFileInfo *info, GError **error);

G_END_DECLS
