/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-pictures.h"

#include <string.h>

#ifdef HAVE_WEBP
#include <webp/encode.h>
#endif

void
image_clear (Image *image)
{
  g_free (image->rgb);
}

Image
read_jpeg (GBytes *jpeg)
{
  tjhandle handle = tjInitDecompress ();
  gsize size;
  const guint8 *data = g_bytes_get_data (jpeg, &size);
  gint subsampling = -1, space = -1;
  Image image = { 0 };

  g_assert_cmpint (
      tjDecompressHeader3 (handle, data, size, &image.width, &image.height, &subsampling, &space),
      ==, 0);
  g_assert_cmpint (space, ==, TJCS_YCbCr);
  image.rgb = g_malloc (image.width * image.height * 3);
  g_assert_cmpint (
      tjDecompress2 (handle, data, size, image.rgb, image.width, 0, image.height, TJPF_RGB, 0), ==,
      0);
  tjDestroy (handle);
  return image;
}

GBytes *
write_jpeg (
    const guint8 *pixels, gint width, gint height, gint layout, gint subsampling, gint flags)
{
  tjhandle handle = tjInitCompress ();
  guint8 *jpeg = NULL;
  gulong size = 0;
  GBytes *bytes;

  g_assert_cmpint (
      tjCompress2 (handle, pixels, width, 0, height, layout, &jpeg, &size, subsampling, 95, flags),
      ==, 0);
  bytes = g_bytes_new (jpeg, size);
  tjFree (jpeg);
  tjDestroy (handle);
  return bytes;
}

guint8 *
repeat_pixel (const guint8 *pixel, guint size, gint width, gint height)
{
  guint8 *pixels = g_malloc (size * width * height);

  for (gint i = 0; i < width * height; i++)
    memcpy (pixels + i * size, pixel, size);
  return pixels;
}

GBytes *
plain_jpeg (gint width, gint height, const Colour *colour, gint flags)
{
  g_autofree guint8 *rgb = repeat_pixel (&colour->r, 3, width, height);

  return write_jpeg (rgb, width, height, TJPF_RGB, TJSAMP_420, flags);
}

void
assert_image_pixel (const Image *image, gint x, gint y, const Colour *colour)
{
  g_autofree gchar *what = g_strdup_printf ("%d,%d", x, y);

  assert_pixel (image->rgb + (y * image->width + x) * 3, colour, 24, what);
}

#ifdef HAVE_PNG

static void
append_png (png_structp png, png_bytep data, png_size_t size)
{
  g_byte_array_append (png_get_io_ptr (png), data, size);
}

static void
write_png_header (png_structp png, png_infop info, gint width, gint height, const PngKind *kind)
{
  png_set_IHDR (png, info, width, height, kind->bit_depth, kind->colour_type, PNG_INTERLACE_NONE,
      PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (kind->palette != NULL)
    png_set_PLTE (png, info, kind->palette, 2);
  if (kind->alpha != NULL)
    png_set_tRNS (png, info, kind->alpha, 2, NULL);
  png_write_info (png, info);
  if (kind->is_animated)
    png_write_chunk (png, (png_const_bytep) "acTL", (png_const_bytep) "\0\0\0\2\0\0\0\0", 8);
}

/* Each row the same bytes. */
static GBytes *
write_png (gint width, gint height, const PngKind *kind, const guint8 *row)
{
  GByteArray *bytes = g_byte_array_new ();
  png_structp png = png_create_write_struct (PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
  png_infop info = png_create_info_struct (png);

  png_set_write_fn (png, bytes, append_png, NULL);
  write_png_header (png, info, width, height, kind);
  for (gint y = 0; y < height; y++)
    png_write_row (png, row);
  png_write_end (png, info);
  png_destroy_write_struct (&png, &info);
  return g_byte_array_free_to_bytes (bytes);
}

GBytes *
plain_png (const PngKind *kind, const guint8 *pixel, gsize pixel_size)
{
  g_autofree guint8 *row = repeat_pixel (pixel, pixel_size, 40, 1);

  return write_png (40, 30, kind, row);
}

#endif

#ifdef HAVE_WEBP

GBytes *
plain_webp (const guint8 *rgba, gboolean lossless)
{
  g_autofree guint8 *pixels = repeat_pixel (rgba, 4, 40, 30);
  guint8 *webp = NULL;
  gsize size = lossless ? WebPEncodeLosslessRGBA (pixels, 40, 30, 160, &webp)
                        : WebPEncodeRGBA (pixels, 40, 30, 160, 95, &webp);
  GBytes *bytes = g_bytes_new (webp, size);

  WebPFree (webp);
  return bytes;
}

static void
append_chunk (GByteArray *riff, const gchar *name, const guint8 *data, guint32 size)
{
  guint32 length = GUINT32_TO_LE (size);

  g_byte_array_append (riff, (const guint8 *) name, 4);
  g_byte_array_append (riff, (const guint8 *) &length, 4);
  g_byte_array_append (riff, data, size);
}

GBytes *
animate (GBytes *webp)
{
  static const guint8 canvas[] = { 0x12, 0, 0, 0, 63, 0, 0, 47, 0, 0 };
  static const guint8 place[] = { 10, 0, 0, 5, 0, 0, 39, 0, 0, 29, 0, 0, 100, 0, 0, 0 };
  GByteArray *frame = g_byte_array_new (), *riff = g_byte_array_new ();
  guint32 length;

  g_byte_array_append (frame, place, sizeof place);
  g_byte_array_append (
      frame, (const guint8 *) g_bytes_get_data (webp, NULL) + 12, g_bytes_get_size (webp) - 12);

  g_byte_array_append (riff, (const guint8 *) "RIFF    WEBP", 12);
  append_chunk (riff, "VP8X", canvas, sizeof canvas);
  append_chunk (riff, "ANIM", (const guint8 *) "\0\0\0\0\0\0", 6);
  append_chunk (riff, "ANMF", frame->data, frame->len);
  append_chunk (riff, "ANMF", frame->data, frame->len);
  length = GUINT32_TO_LE (riff->len - 8);
  memcpy (riff->data + 4, &length, 4);
  g_byte_array_unref (frame);
  return g_byte_array_free_to_bytes (riff);
}

#endif
