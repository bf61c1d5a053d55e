/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A picture that the local server works on: RGB, eight bits, rows without padding.
 * Independent of the plugin's own codec, so that the two check one another. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define FAL_RGB_IMAGE_MAX_PIXELS (7680 * 4320)

typedef struct {
  guint width, height;
  guint8 *data;
} FalRgbImage;

/* Black. NULL where the size is nothing or more than FAL_RGB_IMAGE_MAX_PIXELS. */
FalRgbImage *fal_rgb_image_new (guint width, guint height);
void fal_rgb_image_free (FalRgbImage *image);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalRgbImage, fal_rgb_image_free)

/* What a model without an input picture answers: a colour gradient that depends on @text. */
FalRgbImage *fal_rgb_image_new_gradient (guint width, guint height, const gchar *text);

/* JPEG, and PNG and WebP where built with them. A damaged picture is G_IO_ERROR_INVALID_DATA. */
FalRgbImage *fal_rgb_image_decode (GBytes *picture, GError **error);

GBytes *fal_rgb_image_encode_jpeg (const FalRgbImage *image);
/* PNG with @alpha, a byte for each pixel; where that is 0 the colour is black, so that the picture
 * is small and soon written. Built without libpng it is a JPEG, before black. */
GBytes *fal_rgb_image_encode_cutout (const FalRgbImage *image, const guint8 *alpha);

/* "image/jpeg", "image/png", "image/webp", by the first bytes; NULL: none of them. */
const gchar *fal_rgb_image_content_type (GBytes *picture);

G_END_DECLS
