/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The filler: keeps the last result as it came, which is small, and encodes what else is shown.
 * That costs a JPEG there and back, but only while nothing else is to be done; and what is shown
 * takes the way of a result, whatever downstream wants. Used by the source pad's task alone. */
#include "fallback-picture.h"
#include "encoder.h"
#include "image-file.h"
#include <gio/gio.h>

/* What is shown is not to look worse than what was taken. */
#define QUALITY 95

struct _FalFallbackPicture {
  FalEncoder *encoder;
  GBytes *last;       /* the last result; NULL: none yet */
  gint width, height; /* of it; 0: none yet */
  GBytes *black;      /* of that size, or of the frames'; NULL: to be made */
  gint black_width, black_height;
};

FalFallbackPicture *
fal_fallback_picture_new (void)
{
  FalFallbackPicture *filler = g_new0 (FalFallbackPicture, 1);

  filler->encoder = fal_encoder_new ();
  return filler;
}

void
fal_fallback_picture_reset (FalFallbackPicture *filler)
{
  g_clear_pointer (&filler->last, g_bytes_unref);
  g_clear_pointer (&filler->black, g_bytes_unref);
  filler->width = filler->height = 0;
}

void
fal_fallback_picture_free (FalFallbackPicture *filler)
{
  fal_fallback_picture_reset (filler);
  fal_encoder_free (filler->encoder);
  g_free (filler);
}

void
fal_fallback_picture_note_result (FalFallbackPicture *filler, GBytes *picture)
{
  g_clear_pointer (&filler->last, g_bytes_unref);
  filler->last = g_bytes_ref (picture);
}

/* The size is looked at when it is needed: a result has passed the gates already. */
static void
learn_size (FalFallbackPicture *filler)
{
  FalImageFileInfo info;

  if (filler->last == NULL || !fal_image_file_probe (filler->last, G_MAXUINT64, &info, NULL))
    return;
  filler->width = info.width;
  filler->height = info.height;
}

static GBytes *
encode (
    FalFallbackPicture *filler, GstSample *frame, const FalEncoderConfig *encoder, GError **error)
{
  FalEncoderConfig config = *encoder;
  const gchar *media_type;

  config.quality = QUALITY;
  if (filler->width > 0) {
    config.width = filler->width;
    config.height = filler->height;
  }
  return fal_encoder_encode (filler->encoder, frame, &config, &media_type, error);
}

static GBytes *
encode_black (FalFallbackPicture *filler, gint width, gint height, GError **error)
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

/* Before the first result the frame's own picture tells the size. */
static gboolean
find_size (FalFallbackPicture *filler, GstSample *frame, const FalEncoderConfig *encoder,
    gint *width, gint *height, GError **error)
{
  g_autoptr (GBytes) picture = NULL;
  FalImageFileInfo info;

  *width = filler->width;
  *height = filler->height;
  if (*width > 0)
    return TRUE;
  picture = encode (filler, frame, encoder, error);
  if (picture == NULL || !fal_image_file_probe (picture, G_MAXUINT64, &info, error))
    return FALSE;
  *width = info.width;
  *height = info.height;
  return TRUE;
}

static GBytes *
make_black (
    FalFallbackPicture *filler, GstSample *frame, const FalEncoderConfig *encoder, GError **error)
{
  gint width, height;

  /* Before the first result it stays as it was first made: the frames' size is not looked for
   * at each of them. */
  if (filler->black && (filler->width == 0 || (filler->black_width == filler->width &&
                                                  filler->black_height == filler->height)))
    return g_bytes_ref (filler->black);
  if (!find_size (filler, frame, encoder, &width, &height, error))
    return NULL;
  g_clear_pointer (&filler->black, g_bytes_unref);
  filler->black = encode_black (filler, width, height, error);
  filler->black_width = width;
  filler->black_height = height;
  return filler->black ? g_bytes_ref (filler->black) : NULL;
}

GBytes *
fal_fallback_picture_make (FalFallbackPicture *filler, FalFallbackMode fallback, GstSample *frame,
    const FalEncoderConfig *encoder, GError **error)
{
  learn_size (filler);
  if (fallback == FAL_FALLBACK_LAST && filler->last)
    return g_bytes_ref (filler->last);
  if (fallback == FAL_FALLBACK_PASSTHROUGH)
    return encode (filler, frame, encoder, error);
  return make_black (filler, frame, encoder, error);
}
