/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The RGB image: decoding and encoding for the local server's model. Pure; any thread. */
#include "rgb-image.h"
#include <string.h>
#include <turbojpeg.h>
#ifdef HAVE_PNG
#include <png.h>
#endif
#ifdef HAVE_WEBP
#include <webp/decode.h>
#endif

#define JPEG_QUALITY 88

typedef struct {
  const gchar *content_type;
  guint offset, length; /* where in the file the magic stands */
  const gchar *magic;
  FalRgbImage *(*decode) (const guint8 *data, gsize size);
} Format;

FalRgbImage *
fal_rgb_image_new (guint width, guint height)
{
  g_autoptr (FalRgbImage) image = NULL;

  if (width == 0 || height == 0 || (guint64) width * height > FAL_RGB_IMAGE_MAX_PIXELS)
    return NULL;
  image = g_new (FalRgbImage, 1);
  *image = (FalRgbImage){ width, height, g_try_malloc0_n ((gsize) width * height, 3) };
  return image->data ? g_steal_pointer (&image) : NULL;
}

void
fal_rgb_image_free (FalRgbImage *image)
{
  g_free (image->data);
  g_free (image);
}

FalRgbImage *
fal_rgb_image_new_gradient (guint width, guint height, const gchar *text)
{
  FalRgbImage *image = fal_rgb_image_new (width, height);
  guint8 tint = text ? g_str_hash (text) & 0xff : 0x80;

  for (guint y = 0; image != NULL && y < height; y++)
    for (guint x = 0; x < width; x++) {
      guint8 *pixel = image->data + 3 * ((gsize) y * width + x);

      pixel[0] = 255 * x / width;
      pixel[1] = 255 * y / height;
      pixel[2] = tint;
    }
  return image;
}

/* As PIL does: what libjpeg only warns of is taken, but not a file that is cut off. */
static gboolean
has_end_marker (const guint8 *data, gsize size)
{
  for (gsize i = size; i >= 2; i--)
    if (data[i - 2] == 0xff && data[i - 1] == 0xd9)
      return TRUE;
  return FALSE;
}

static gboolean
read_jpeg (tjhandle jpeg, const guint8 *data, gsize size, gint layout, guint8 *pixels, guint width,
    guint height)
{
  return tjDecompress2 (jpeg, data, size, pixels, width, 0, height, layout, 0) == 0 ||
         tjGetErrorCode (jpeg) == TJERR_WARNING;
}

/* CMYK in a JPEG is inverted, as Adobe writes it: 255 is no ink. */
static gboolean
read_cmyk_jpeg (tjhandle jpeg, const guint8 *data, gsize size, FalRgbImage *image)
{
  gsize n = (gsize) image->width * image->height;
  g_autofree guint8 *cmyk = g_try_malloc_n (n, 4);

  if (cmyk == NULL || !read_jpeg (jpeg, data, size, TJPF_CMYK, cmyk, image->width, image->height))
    return FALSE;
  for (gsize i = 0; i < n; i++)
    for (guint c = 0; c < 3; c++)
      image->data[3 * i + c] = cmyk[4 * i + c] * cmyk[4 * i + 3] / 255;
  return TRUE;
}

static FalRgbImage *
decode_jpeg (const guint8 *data, gsize size)
{
  tjhandle jpeg = tjInitDecompress ();
  gint width = 0, height = 0, sampling, colorspace;
  gboolean read = FALSE;
  FalRgbImage *image = NULL;

  if (jpeg == NULL)
    return NULL;
  if (has_end_marker (data, size) &&
      tjDecompressHeader3 (jpeg, data, size, &width, &height, &sampling, &colorspace) == 0)
    image = fal_rgb_image_new (width, height);
  if (image != NULL && (colorspace == TJCS_CMYK || colorspace == TJCS_YCCK))
    read = read_cmyk_jpeg (jpeg, data, size, image);
  else if (image != NULL)
    read = read_jpeg (jpeg, data, size, TJPF_RGB, image->data, width, height);
  tjDestroy (jpeg);
  if (!read)
    g_clear_pointer (&image, fal_rgb_image_free);
  return image;
}

#ifdef HAVE_PNG
static FalRgbImage *
decode_png (const guint8 *data, gsize size)
{
  png_image png = { .version = PNG_IMAGE_VERSION };
  const png_color black = { 0, 0, 0 };
  FalRgbImage *image = NULL;
  gboolean read = FALSE;

  if (png_image_begin_read_from_memory (&png, data, size))
    image = fal_rgb_image_new (png.width, png.height);
  png.format = PNG_FORMAT_RGB;
  if (image != NULL)
    read = png_image_finish_read (&png, &black, image->data, 0, NULL);
  png_image_free (&png);
  if (!read)
    g_clear_pointer (&image, fal_rgb_image_free);
  return image;
}
#endif

#ifdef HAVE_WEBP
static FalRgbImage *
decode_webp (const guint8 *data, gsize size)
{
  gint width = 0, height = 0;
  g_autoptr (FalRgbImage) image = NULL;

  if (WebPGetInfo (data, size, &width, &height))
    image = fal_rgb_image_new (width, height);
  if (image == NULL ||
      !WebPDecodeRGBInto (data, size, image->data, (gsize) width * height * 3, width * 3))
    return NULL;
  return g_steal_pointer (&image);
}
#endif

static const Format formats[] = {
  { "image/jpeg", 0, 3, "\xff\xd8\xff", decode_jpeg },
#ifdef HAVE_PNG
  { "image/png", 0, 8, "\x89PNG\r\n\x1a\n", decode_png },
#endif
#ifdef HAVE_WEBP
  { "image/webp", 8, 4, "WEBP", decode_webp },
#endif
};

static const Format *
find_format (GBytes *picture)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (picture, &size);

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    if (size >= formats[i].offset + formats[i].length &&
        memcmp (data + formats[i].offset, formats[i].magic, formats[i].length) == 0)
      return &formats[i];
  return NULL;
}

const gchar *
fal_rgb_image_content_type (GBytes *picture)
{
  const Format *format = find_format (picture);

  return format ? format->content_type : NULL;
}

FalRgbImage *
fal_rgb_image_decode (GBytes *picture, GError **error)
{
  const Format *format = find_format (picture);
  gsize size;
  const guint8 *data = g_bytes_get_data (picture, &size);
  FalRgbImage *image = format ? format->decode (data, size) : NULL;

  if (image == NULL)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
        "cannot identify image file (%" G_GSIZE_FORMAT " bytes, %s)", size,
        format ? format->content_type : "of no known type");
  return image;
}

GBytes *
fal_rgb_image_encode_jpeg (const FalRgbImage *image)
{
  tjhandle jpeg = tjInitCompress ();
  guchar *data = NULL;
  gulong size = 0;
  gint result = tjCompress2 (jpeg, image->data, image->width, 0, image->height, TJPF_RGB, &data,
      &size, TJSAMP_420, JPEG_QUALITY, 0);

  tjDestroy (jpeg);
  g_assert (result == 0); /* fails only for an image that cannot be */
  return g_bytes_new_with_free_func (data, size, (GDestroyNotify) tjFree, data);
}

#ifdef HAVE_PNG
GBytes *
fal_rgb_image_encode_cutout (const FalRgbImage *image, const guint8 *alpha)
{
  gsize pixels = (gsize) image->width * image->height, size;
  g_autofree guint8 *rgba = g_malloc0_n (pixels, 4);
  png_image png = { .version = PNG_IMAGE_VERSION,
    .width = image->width,
    .height = image->height,
    .format = PNG_FORMAT_RGBA,
    .flags = PNG_IMAGE_FLAG_FAST };
  g_autofree guint8 *data = NULL;

  for (gsize i = 0; i < pixels; i++) {
    if (alpha[i] != 0)
      memcpy (rgba + 4 * i, image->data + 3 * i, 3);
    rgba[4 * i + 3] = alpha[i];
  }
  size = PNG_IMAGE_PNG_SIZE_MAX (png);
  data = g_malloc (size);
  if (!png_image_write_to_memory (&png, data, &size, 0, rgba, 0, NULL))
    return fal_rgb_image_encode_jpeg (image);
  return g_bytes_new (data, size);
}
#else
GBytes *
fal_rgb_image_encode_cutout (const FalRgbImage *image, const guint8 *alpha)
{
  g_autoptr (FalRgbImage) on_black = fal_rgb_image_new (image->width, image->height);
  gsize size = (gsize) image->width * image->height * 3;

  g_assert (on_black != NULL); /* as large as the one that there is */
  for (gsize i = 0; i < size; i++)
    on_black->data[i] = image->data[i] * alpha[i / 3] / 255;
  return fal_rgb_image_encode_jpeg (on_black);
}
#endif
