/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keeps the last result as it came, which is small, and encodes as a JPEG whatever else is shown.
 * Encoding and decoding it costs time, but only while no result comes; and so it takes the same way
 * as a result, whatever format downstream wants. Used by the source pad's task alone. */
#include "fallback-picture.h"
#include "encoder.h"
#include "image-file.h"
#include <gio/gio.h>

/* JPEG quality of what is shown: no loss that is seen. */
#define QUALITY 95

struct _FalFallbackPicture {
  FalEncoder *encoder;
  GBytes *last;       /* the last result; NULL: none yet */
  gint width, height; /* of the last result, in pixels; 0: none yet */
  GBytes *black;      /* a black picture; NULL: not made yet */
  gint black_width, black_height;
};

FalFallbackPicture *
fal_fallback_picture_new (void)
{
  FalFallbackPicture *picture = g_new0 (FalFallbackPicture, 1);

  picture->encoder = fal_encoder_new ();
  return picture;
}

void
fal_fallback_picture_reset (FalFallbackPicture *picture)
{
  g_clear_pointer (&picture->last, g_bytes_unref);
  g_clear_pointer (&picture->black, g_bytes_unref);
  picture->width = picture->height = 0;
}

void
fal_fallback_picture_free (FalFallbackPicture *picture)
{
  fal_fallback_picture_reset (picture);
  fal_encoder_free (picture->encoder);
  g_free (picture);
}

void
fal_fallback_picture_note_result (FalFallbackPicture *picture, GBytes *result)
{
  g_clear_pointer (&picture->last, g_bytes_unref);
  picture->last = g_bytes_ref (result);
}

/* Read only when it is needed. Without a pixel limit: the result was decoded before. */
static void
learn_size (FalFallbackPicture *picture)
{
  FalImageFileInfo info;

  if (picture->last == NULL || !fal_image_file_probe (picture->last, G_MAXUINT64, &info, NULL))
    return;
  picture->width = info.width;
  picture->height = info.height;
}

static GBytes *
encode (
    FalFallbackPicture *picture, GstSample *frame, const FalEncoderConfig *encoder, GError **error)
{
  FalEncoderConfig config = *encoder;
  const gchar *media_type;

  config.quality = QUALITY;
  if (picture->width > 0) {
    config.width = picture->width;
    config.height = picture->height;
  }
  return fal_encoder_encode (picture->encoder, frame, &config, &media_type, error);
}

static GBytes *
encode_black (FalFallbackPicture *picture, gint width, gint height, GError **error)
{
  g_autoptr (GstCaps) caps =
      gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING, "RGBx", "width", G_TYPE_INT,
          width, "height", G_TYPE_INT, height, "framerate", GST_TYPE_FRACTION, 0, 1, NULL);
  const FalEncoderConfig config = { .quality = QUALITY };
  gsize size = (gsize) width * height * 4;
  gpointer pixels = g_try_malloc0 (size);
  g_autoptr (GstBuffer) buffer = pixels ? gst_buffer_new_wrapped (pixels, size) : NULL;
  g_autoptr (GstSample) sample = gst_sample_new (buffer, caps, NULL, NULL);
  g_autoptr (FalEncoder) encoder = fal_encoder_new ();
  const gchar *media_type;

  if (pixels == NULL) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
        "No memory for a picture of %d × %d pixels", width, height);
    return NULL;
  }
  return fal_encoder_encode (encoder, sample, &config, &media_type, error);
}

/* Before the first result the size is that of a request's picture. */
static gboolean
find_size (FalFallbackPicture *picture, GstSample *frame, const FalEncoderConfig *encoder,
    gint *width, gint *height, GError **error)
{
  g_autoptr (GBytes) jpeg = NULL;
  FalImageFileInfo info;

  *width = picture->width;
  *height = picture->height;
  if (*width > 0)
    return TRUE;
  jpeg = encode (picture, frame, encoder, error);
  if (jpeg == NULL || !fal_image_file_probe (jpeg, G_MAXUINT64, &info, error))
    return FALSE;
  *width = info.width;
  *height = info.height;
  return TRUE;
}

static GBytes *
make_black (
    FalFallbackPicture *picture, GstSample *frame, const FalEncoderConfig *encoder, GError **error)
{
  gint width, height;

  /* Before the first result the size would have to be found by encoding each frame, so the picture
   * is kept as it was made first. */
  if (picture->black && (picture->width == 0 || (picture->black_width == picture->width &&
                                                    picture->black_height == picture->height)))
    return g_bytes_ref (picture->black);
  if (!find_size (picture, frame, encoder, &width, &height, error))
    return NULL;
  g_clear_pointer (&picture->black, g_bytes_unref);
  picture->black = encode_black (picture, width, height, error);
  picture->black_width = width;
  picture->black_height = height;
  return picture->black ? g_bytes_ref (picture->black) : NULL;
}

GBytes *
fal_fallback_picture_make (FalFallbackPicture *picture, FalFallbackMode mode, GstSample *frame,
    const FalEncoderConfig *encoder, GError **error)
{
  learn_size (picture);
  if (mode == FAL_FALLBACK_LAST && picture->last)
    return g_bytes_ref (picture->last);
  if (mode == FAL_FALLBACK_PASSTHROUGH)
    return encode (picture, frame, encoder, error);
  return make_black (picture, frame, encoder, error);
}
