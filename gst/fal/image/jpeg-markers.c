/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the markers of a JPEG. No state; used on any thread. */
#include "jpeg-markers.h"

#include <gst/gst.h>
#include <string.h>

/* The time for a scan grows with the pixels, however few bytes it has. Encoders write about ten
 * scans: FEW_SCANS are taken at any size. More are taken while all of them together visit no more
 * than SCANNED_PIXELS, which is 100 scans of a megapixel. libjpeg-turbo itself stops after
 * MANY_SCANS. */
#define FEW_SCANS 16
#define MANY_SCANS 500
#define SCANNED_PIXELS (G_GUINT64_CONSTANT (1) << 27)

/* Not GST_READ_UINT16_BE(), which may want aligned memory. */
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

/* A second frame header and depths other than 8 bits are refused. */
static gboolean
read_frame_header (const guint8 *segment, gsize length, FalJpegMarkers *markers)
{
  if (length < 8 || segment[2] != 8 || markers->width != 0)
    return FALSE;

  markers->height = read_be16 (segment + 3);
  markers->width = read_be16 (segment + 5);
  return markers->width != 0 && markers->height != 0;
}

static gboolean
read_segment (gint marker, const guint8 *segment, gsize length, FalJpegMarkers *markers)
{
  switch (marker) {
  case JPEG_SOF0:
  case JPEG_SOF1:
  case JPEG_SOF2:
  case JPEG_SOF9:
  case JPEG_SOF10:
    return read_frame_header (segment, length, markers);
  case JPEG_SOS:
    markers->scans++;
    return markers->width != 0;
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

/* Stops behind the header of scan number @last. */
static gboolean
read_scans (const guint8 *data, gsize size, guint last, FalJpegMarkers *markers)
{
  gsize pos = 2; /* behind the start marker */
  gint marker;

  while (markers->scans < last && (marker = next_marker (data, size, &pos)) >= 0) {
    gsize length;

    if (marker == JPEG_EOI) {
      markers->whole = TRUE;
      return markers->scans > 0;
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
    if (!read_segment (marker, data + pos, length, markers))
      return FALSE;
    pos += length;
  }
  return TRUE;
}

gboolean
fal_jpeg_markers_read (const guint8 *data, gsize size, FalJpegMarkers *markers)
{
  return read_scans (data, size, G_MAXUINT, markers);
}

gboolean
fal_jpeg_markers_read_header (const guint8 *data, gsize size, FalJpegMarkers *markers)
{
  return read_scans (data, size, 1, markers);
}

/* Blocks are decoded in groups of up to 32 × 32 pixels: a side of 1 costs as much as one of 32. */
gboolean
fal_jpeg_markers_have_too_many_scans (const FalJpegMarkers *markers)
{
  guint64 width = GST_ROUND_UP_32 (markers->width), height = GST_ROUND_UP_32 (markers->height);

  if (markers->scans <= FEW_SCANS)
    return FALSE;
  return markers->scans > MANY_SCANS || width * height * markers->scans > SCANNED_PIXELS;
}
