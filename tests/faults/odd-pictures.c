/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures of every kind, byte by byte where no library would write them. Used on the test's own
 * thread. */
#include "odd-pictures.h"

#include <gio/gio.h>
#include <string.h>
#include <turbojpeg.h>

#define STATIC_BYTES(text) g_bytes_new_static (text, sizeof (text) - 1)

GBytes *
image_no_picture (void)
{
  return STATIC_BYTES ("this is not a picture at all");
}

GBytes *
image_empty (void)
{
  return STATIC_BYTES ("");
}

/* ---- JPEG ---- */

static GBytes *
make_jpeg (gint width, gint height, gint format, gint sampling)
{
  g_autofree guint8 *pixels = g_malloc0 ((gsize) width * height * 4);
  tjhandle jpeg = tjInitCompress ();
  guint8 *data = NULL;
  gulong size = 0;
  GBytes *bytes;

  g_assert_cmpint (
      tjCompress2 (jpeg, pixels, width, 0, height, format, &data, &size, sampling, 85, 0), ==, 0);
  bytes = g_bytes_new (data, size);
  tjFree (data);
  tjDestroy (jpeg);
  return bytes;
}

static GBytes *
cut (GBytes *whole)
{
  GBytes *part = g_bytes_new_from_bytes (whole, 0, g_bytes_get_size (whole) * 2 / 3);

  g_bytes_unref (whole);
  return part;
}

GBytes *
image_grey_jpeg (void)
{
  return make_jpeg (64, 48, TJPF_GRAY, TJSAMP_GRAY);
}

GBytes *
image_cmyk_jpeg (void)
{
  return make_jpeg (40, 40, TJPF_CMYK, TJSAMP_444);
}

GBytes *
image_tiny_jpeg (void)
{
  return make_jpeg (1, 1, TJPF_RGB, TJSAMP_420);
}

GBytes *
image_odd_jpeg (void)
{
  return make_jpeg (33, 17, TJPF_RGB, TJSAMP_420);
}

GBytes *
image_broad_jpeg (void)
{
  return make_jpeg (4096, 16, TJPF_RGB, TJSAMP_411);
}

GBytes *
image_truncated_jpeg (void)
{
  return cut (make_jpeg (320, 240, TJPF_RGB, TJSAMP_420));
}

#define JPEG_COMPONENTS "\x03\x01\x22\x00\x02\x11\x00\x03\x11\x00"
#define JPEG_SCAN "\xff\xda\x00\x08\x01\x01\x00\x00\x00\x00\x55\x55"

GBytes *
image_jpeg_bomb (void)
{
  return STATIC_BYTES (
      "\xff\xd8\xff\xc0\x00\x11\x08\xff\xdc\xff\xdc" JPEG_COMPONENTS JPEG_SCAN "\xff\xd9");
}

GBytes *
image_progressive_bomb (void)
{
  return STATIC_BYTES (
      "\xff\xd8\xff\xc2\x00\x11\x08\xff\xdc\xff\xdc" JPEG_COMPONENTS JPEG_SCAN "\xff\xd9");
}

GBytes *
image_scan_bomb (void)
{
  static const gchar head[] = "\xff\xd8\xff\xc2\x00\x11\x08\x08\x00\x08\x00" JPEG_COMPONENTS;
  GByteArray *jpeg = g_byte_array_new ();

  g_byte_array_append (jpeg, (const guint8 *) head, sizeof head - 1);
  for (guint i = 0; i < 10000; i++)
    g_byte_array_append (jpeg, (const guint8 *) JPEG_SCAN, sizeof JPEG_SCAN - 1);
  g_byte_array_append (jpeg, (const guint8 *) "\xff\xd9", 2);
  return g_byte_array_free_to_bytes (jpeg);
}

/* ---- PNG ---- */

static guint32
get_crc (const guint8 *data, gsize size)
{
  guint32 crc = 0xffffffff;

  for (gsize i = 0; i < size; i++) {
    crc ^= data[i];
    for (guint bit = 0; bit < 8; bit++)
      crc = crc & 1 ? 0xedb88320 ^ crc >> 1 : crc >> 1;
  }
  return ~crc;
}

static void
add_number (GByteArray *png, guint32 number)
{
  guint32 big = GUINT32_TO_BE (number);

  g_byte_array_append (png, (const guint8 *) &big, 4);
}

static void
add_chunk (GByteArray *png, const gchar *type, gconstpointer data, gsize size)
{
  guint begin;

  add_number (png, size);
  begin = png->len;
  g_byte_array_append (png, (const guint8 *) type, 4);
  g_byte_array_append (png, data, size);
  add_number (png, get_crc (png->data + begin, png->len - begin));
}

static GByteArray *
begin_png (guint32 width, guint32 height, guint8 depth, guint8 type)
{
  GByteArray *png = g_byte_array_new ();
  guint8 header[13] = { 0 };

  width = GUINT32_TO_BE (width);
  height = GUINT32_TO_BE (height);
  memcpy (header, &width, 4);
  memcpy (header + 4, &height, 4);
  header[8] = depth;
  header[9] = type;
  g_byte_array_append (png, (const guint8 *) "\x89PNG\r\n\x1a\n", 8);
  add_chunk (png, "IHDR", header, sizeof header);
  return png;
}

/* @size bytes of zeros: rows without a filter, black. */
static void
add_rows (GByteArray *png, gsize size)
{
  g_autoptr (GConverter) zlib =
      G_CONVERTER (g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_ZLIB, 9));
  g_autofree guint8 *rows = g_malloc0 (size);
  guint8 packed[1024];
  gsize taken, given;

  g_assert_cmpint (g_converter_convert (zlib, rows, size, packed, sizeof packed,
                       G_CONVERTER_INPUT_AT_END, &taken, &given, NULL),
      ==, G_CONVERTER_FINISHED);
  add_chunk (png, "IDAT", packed, given);
}

static GBytes *
end_png (GByteArray *png)
{
  add_chunk (png, "IEND", "", 0);
  return g_byte_array_free_to_bytes (png);
}

GBytes *
image_deep_png (void)
{
  GByteArray *png = begin_png (20, 10, 16, 6);

  add_rows (png, 10 * (1 + 20 * 8));
  return end_png (png);
}

GBytes *
image_palette_png (void)
{
  GByteArray *png = begin_png (20, 10, 8, 3);

  add_chunk (png, "PLTE", "\xff\x00\x00\x00\xff\x00", 6);
  add_chunk (png, "tRNS", "\x80", 1);
  add_rows (png, 10 * (1 + 20));
  return end_png (png);
}

GBytes *
image_animated_png (void)
{
  GByteArray *png = begin_png (20, 10, 8, 2);

  add_chunk (png, "acTL", "\0\0\0\x02\0\0\0\0", 8);
  add_chunk (png, "fcTL", "\0\0\0\0\0\0\0\x14\0\0\0\x0a\0\0\0\0\0\0\0\0\0\x01\0\x0a\0\0", 26);
  add_rows (png, 10 * (1 + 20 * 3));
  add_chunk (png, "fcTL", "\0\0\0\x01\0\0\0\x14\0\0\0\x0a\0\0\0\0\0\0\0\0\0\x01\0\x0a\0\0", 26);
  add_chunk (png, "fdAT", "\0\0\0\x02garbage", 11);
  return end_png (png);
}

GBytes *
image_png_bomb (void)
{
  GByteArray *png = begin_png (60000, 60000, 16, 6);

  add_rows (png, 60000);
  return end_png (png);
}

GBytes *
image_png_within (void)
{
  GByteArray *png = begin_png (1500, 1500, 8, 2);

  add_rows (png, 100);
  return end_png (png);
}

/* ---- files ---- */

static GBytes *
read_file (const gchar *name)
{
  g_autofree gchar *path = g_build_filename (g_getenv ("FAL_TEST_DATA"), name, NULL);
  g_autoptr (GError) error = NULL;
  gchar *data;
  gsize size;

  g_file_get_contents (path, &data, &size, &error);
  g_assert_no_error (error);
  return g_bytes_new_take (data, size);
}

GBytes *
image_truncated_png (void)
{
  return cut (read_file ("astronaut.png"));
}

GBytes *
image_webp (void)
{
  return read_file ("astronaut.webp");
}

GBytes *
image_truncated_webp (void)
{
  return cut (read_file ("astronaut.webp"));
}

GBytes *
image_webp_bomb (void)
{
  return STATIC_BYTES ("RIFF\x1a\0\0\0WEBPVP8X\x0a\0\0\0\x10\0\0\0\xff\x3f\0\xff\x3f\0VP8L");
}
