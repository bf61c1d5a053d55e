/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keeps the last result as it came, which is small, and encodes as a JPEG whatever else is shown.
 * Encoding and decoding it costs time, but only while no result comes; and so it takes the same way
 * as a result, whatever format downstream wants. Used by the source pad's task alone. */
#include "fallback-picture.h"
#include "encoder.h"
#include "image-file.h"
#include "raw-picture.h"
#include <gio/gio.h>
#include <string.h>

/* JPEG quality of what is shown: no loss that is seen. */
#define QUALITY 95

struct _FalFallbackPicture {
  FalEncoder *encoder;
  GBytes *last;       /* the last result; NULL: none yet */
  GstCaps *last_caps; /* of it */
  FalLayout results;  /* their size and shape; without a size: not known yet */
  GBytes *black;      /* a black picture; NULL: not made yet */
  FalLayout black_layout;
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
  gst_clear_caps (&picture->last_caps);
  g_clear_pointer (&picture->black, g_bytes_unref);
  picture->results = (FalLayout){ 0 };
}

void
fal_fallback_picture_free (FalFallbackPicture *picture)
{
  fal_fallback_picture_reset (picture);
  fal_encoder_free (picture->encoder);
  g_free (picture);
}

void
fal_fallback_picture_note_result (FalFallbackPicture *picture, GBytes *result, GstCaps *caps)
{
  g_clear_pointer (&picture->last, g_bytes_unref);
  picture->last = g_bytes_ref (result);
  gst_caps_replace (&picture->last_caps, caps);
}

/* What has this size and shape, whatever it was made of. */
static FalLayout
make_layout (gint width, gint height, gint par_n, gint par_d)
{
  return (FalLayout){ width, height, par_n, par_d, { 0 }, { 0 } };
}

/* Read only when it is needed. Without a pixel limit: the result was decoded before. */
static void
learn_results (FalFallbackPicture *picture)
{
  FalImageFileInfo info;
  gint par_n = 1, par_d = 1;

  if (picture->last == NULL || !fal_image_file_probe (picture->last, G_MAXUINT64, &info, NULL))
    return;
  gst_structure_get_fraction (
      gst_caps_get_structure (picture->last_caps, 0), "pixel-aspect-ratio", &par_n, &par_d);
  picture->results = make_layout (info.width, info.height, par_n, par_d);
}

/* What the fallback is encoded with: as @encoder has it, but in the results' size once it is known.
 */
static FalEncoderConfig
configure (const FalFallbackPicture *picture, const FalEncoderConfig *encoder)
{
  const FalLayout *results = &picture->results;
  FalEncoderConfig config = *encoder;

  config.quality = QUALITY;
  if (results->width > 0) {
    config.width = results->width;
    config.height = results->height;
    config.par_n = results->par_n;
    config.par_d = results->par_d;
  }
  return config;
}

/* Whether a frame that is an encoded picture is to be shown in another size or shape than its own.
 */
static gboolean
is_to_be_fitted (const FalLayout *own, const FalEncoderConfig *config)
{
  if (config->width == 0 && config->height == 0)
    return FALSE;
  return own->width != (gint) config->width || own->height != (gint) config->height ||
         (config->par_n != 0 &&
             (own->par_n != (gint) config->par_n || own->par_d != (gint) config->par_d));
}

static GBytes *
encode (FalFallbackPicture *picture, GstSample *frame, const FalEncoderConfig *encoder,
    FalLayout *layout, GError **error)
{
  const FalEncoderConfig config = configure (picture, encoder);
  const gchar *media_type;
  g_autoptr (GBytes) own =
      fal_encoder_encode (picture->encoder, frame, &config, &media_type, layout, error);
  g_autoptr (GstSample) raw = NULL;

  if (own == NULL || config.part.width > 0 ||
      gst_structure_has_name (
          gst_caps_get_structure (gst_sample_get_caps (frame), 0), "video/x-raw") ||
      !is_to_be_fitted (layout, &config))
    return g_steal_pointer (&own);
  raw = fal_raw_picture_make (own, layout->par_n, layout->par_d, error);
  if (raw == NULL)
    return NULL;
  return fal_encoder_encode (picture->encoder, raw, &config, &media_type, layout, error);
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
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "no memory for a picture of %dx%d pixels",
        width, height);
    return NULL;
  }
  return fal_encoder_encode (encoder, sample, &config, &media_type, NULL, error);
}

/* Before the first result the size is that of a request's picture. */
static gboolean
find_layout (FalFallbackPicture *picture, GstSample *frame, const FalEncoderConfig *encoder,
    FalLayout *layout, GError **error)
{
  g_autoptr (GBytes) jpeg = NULL;

  *layout = picture->results;
  if (layout->width > 0)
    return TRUE;
  jpeg = encode (picture, frame, encoder, layout, error);
  if (jpeg == NULL)
    return FALSE;
  *layout = make_layout (layout->width, layout->height, layout->par_n, layout->par_d);
  return TRUE;
}

static gboolean
black_fits (const FalFallbackPicture *picture)
{
  const FalLayout *black = &picture->black_layout, *results = &picture->results;

  /* Before the first result the size would have to be found by encoding each frame, so the picture
   * is kept as it was made first. */
  return picture->black != NULL &&
         (results->width == 0 || memcmp (black, results, sizeof *black) == 0);
}

static GBytes *
make_black (FalFallbackPicture *picture, GstSample *frame, const FalEncoderConfig *encoder,
    FalLayout *layout, GError **error)
{
  if (!black_fits (picture)) {
    if (!find_layout (picture, frame, encoder, &picture->black_layout, error))
      return NULL;
    g_clear_pointer (&picture->black, g_bytes_unref);
    picture->black =
        encode_black (picture, picture->black_layout.width, picture->black_layout.height, error);
  }
  *layout = picture->black_layout;
  return picture->black ? g_bytes_ref (picture->black) : NULL;
}

GBytes *
fal_fallback_picture_make (FalFallbackPicture *picture, FalFallbackMode mode, GstSample *frame,
    const FalEncoderConfig *encoder, FalLayout *layout, GError **error)
{
  learn_results (picture);
  if (mode == FAL_FALLBACK_PASSTHROUGH)
    return encode (picture, frame, encoder, layout, error);
  if (mode != FAL_FALLBACK_LAST || picture->last == NULL)
    return make_black (picture, frame, encoder, layout, error);
  *layout = picture->results;
  return g_bytes_ref (picture->last);
}
