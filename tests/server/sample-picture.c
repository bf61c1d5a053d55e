/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sample picture: made with the local server's own encoder. Any thread. */
#include "sample-picture.h"
#include "effects/rgb-image.h"
#include <string.h>

GBytes *
fal_sample_picture_new (guint width, guint height, guint8 level)
{
  g_autoptr (FalRgbImage) image = fal_rgb_image_new (width, height);

  memset (image->data, level, (gsize) width * height * 3);
  return fal_rgb_image_encode_jpeg (image);
}

gchar *
fal_sample_picture_dup_data_uri (GBytes *picture)
{
  gsize size;
  const guchar *data = g_bytes_get_data (picture, &size);
  g_autofree gchar *text = g_base64_encode (data, size);

  return g_strconcat ("data:image/jpeg;base64,", text, NULL);
}
