/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The outline of a JPEG, by its markers alone. Stateless, any thread. */
#include "jpeg-markers.h"

#include <gst/gst.h>
#include <string.h>

/* What a scan costs grows with the pixels, whatever the bytes it takes: ten bytes
 * can be a scan. Encoders write about ten scans (FEW_SCANS at any size that the
 * pixel limit lets through); more are taken while all of them together visit no
 * more than SCANNED_PIXELS: 100 scans of a megapixel.
 * libjpeg-turbo itself stops a progressive picture after 500 scans. */
#define FEW_SCANS 16
#define MANY_SCANS 500
#define SCANNED_PIXELS (G_GUINT64_CONSTANT (1) << 27)

/* Bytes of a file stand anywhere, GST_READ_UINT16_BE() wants them aligned. */
static guint
read_be16 (const guint8 *data)
{
  return (guint) data[0] << 8 | data[1];
}

enum {
  JPEG_SOF0 = 0xc0,
  JPEG_SOF1 = 0xc1,
  JPEG_SOF2 = 0xc2,
  JPEG_DHT = 0xc4,
  JPEG_SOF9 = 0xc9,
  JPEG_SOF10 = 0xca,
  JPEG_DAC = 0xcc,
  JPEG_RST0 = 0xd0,
  JPEG_RST7 = 0xd7,
  JPEG_EOI = 0xd9,
  JPEG_SOS = 0xda,
  JPEG_DQT = 0xdb,
  JPEG_DNL = 0xdc,
  JPEG_DRI = 0xdd,
  JPEG_APP0 = 0xe0,
  JPEG_APP15 = 0xef,
  JPEG_COM = 0xfe,
  JPEG_TEM = 0x01,
};

/* The next marker at or after @pos, which moves behind it; -1 when there is none.
 * Skips what libjpeg skips: stuffed zeros, fill bytes, entropy-coded data. */
static gint
next_marker (const guint8 *data, gsize size, gsize *pos)
{
  const guint8 *end = data + size, *at = data + *pos;

  while (at < end && (at = memchr (at, 0xff, end - at)) != NULL) {
    while (at < end && *at == 0xff)
      at++;
    if (at == end)
      return -1;
    if (*at++ != 0) {
      *pos = at - data;
      return at[-1];
    }
  }
  return -1;
}

/* A frame header: a second one and depths other than 8 bits are not for us. */
static gboolean
read_frame_header (const guint8 *segment, gsize length, FalJpegMarkers *outline)
{
  if (length < 8 || segment[2] != 8 || outline->width != 0)
    return FALSE;

  outline->height = read_be16 (segment + 3);
  outline->width = read_be16 (segment + 5);
  return outline->width != 0 && outline->height != 0;
}

static gboolean
read_segment (gint marker, const guint8 *segment, gsize length, FalJpegMarkers *outline)
{
  switch (marker) {
  case JPEG_SOF0:
  case JPEG_SOF1:
  case JPEG_SOF2:
  case JPEG_SOF9:
  case JPEG_SOF10:
    return read_frame_header (segment, length, outline);
  case JPEG_SOS:
    outline->scans++;
    return outline->width != 0;
  case JPEG_DHT:
  case JPEG_DAC:
  case JPEG_DQT:
  case JPEG_DNL:
  case JPEG_DRI:
  case JPEG_COM:
    return TRUE;
  default:
    return marker >= JPEG_APP0 && marker <= JPEG_APP15;
  }
}

gboolean
fal_jpeg_markers_read (const guint8 *data, gsize size, FalJpegMarkers *outline)
{
  gsize pos = 2; /* behind the start marker */
  gint marker;

  while ((marker = next_marker (data, size, &pos)) >= 0) {
    gsize length;

    if (marker == JPEG_EOI) {
      outline->whole = TRUE;
      return outline->scans > 0;
    }
    if ((marker >= JPEG_RST0 && marker <= JPEG_RST7) || marker == JPEG_TEM)
      continue;
    if (size - pos < 2)
      return TRUE;
    length = read_be16 (data + pos);
    if (length < 2)
      return FALSE;
    if (length > size - pos)
      return TRUE;
    if (!read_segment (marker, data + pos, length, outline))
      return FALSE;
    pos += length;
  }
  return TRUE;
}

/* Blocks come in groups of up to 32 × 32 pixels: a thin picture costs as a thick one. */
gboolean
fal_jpeg_markers_have_too_many_scans (const FalJpegMarkers *outline)
{
  guint64 width = GST_ROUND_UP_32 (outline->width), height = GST_ROUND_UP_32 (outline->height);

  if (outline->scans <= FEW_SCANS)
    return FALSE;
  return outline->scans > MANY_SCANS || width * height * outline->scans > SCANNED_PIXELS;
}
