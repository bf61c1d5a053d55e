/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Most pictures end as they should, and then nothing but their header is read. */
#include "camera-picture.h"
#include "jpeg-markers.h"

#include <gio/gio.h>
#include <string.h>
#include <turbojpeg.h>

static const guint8 end_marker[] = { 0xff, 0xd9 };

static gboolean
ends_whole (const guint8 *data, gsize size)
{
  return size >= sizeof end_marker &&
         memcmp (data + size - sizeof end_marker, end_marker, sizeof end_marker) == 0;
}

/* @tail in place of the zeros that fill a buffer; one belongs to the data where it stands behind
 * 0xff. NULL: no memory. */
static GBytes *
append (const guint8 *data, gsize size, const guint8 *tail, gsize length)
{
  guint8 *longer = g_try_malloc (size + length);

  while (size > 2 && data[size - 1] == 0 && data[size - 2] != 0xff)
    size--;
  if (longer == NULL)
    return NULL;
  memcpy (longer, data, size);
  memcpy (longer + size, tail, length);
  return g_bytes_new_take (longer, size + length);
}

/* The brightness of an eighth of its size, as far as the data goes; NULL: there is nothing to see.
 * *@warning: what libjpeg warns of first (transfer full); or NULL. */
static GBytes *
make_thumbnail (GBytes *picture, const FalJpegMarkers *markers, gchar **warning)
{
  const tjscalingfactor eighth = { 1, 8 };
  gint width = TJSCALED ((gint) markers->width, eighth);
  gint height = TJSCALED ((gint) markers->height, eighth);
  gsize size;
  const guint8 *data = g_bytes_get_data (picture, &size);
  g_autofree guint8 *pixels = g_try_malloc0_n (width, height);
  tjhandle jpeg = pixels ? tjInitDecompress () : NULL;
  gboolean seen;

  *warning = NULL;
  if (jpeg == NULL)
    return NULL;
  seen =
      tjDecompress2 (jpeg, data, size, pixels, width, 0, height, TJPF_GRAY, TJFLAG_LIMITSCANS) == 0;
  if (!seen && tjGetErrorCode (jpeg) == TJERR_WARNING) {
    seen = TRUE;
    *warning = g_strdup (tjGetErrorStr2 (jpeg));
  }
  tjDestroy (jpeg);
  return seen ? g_bytes_new_take (g_steal_pointer (&pixels), (gsize) width * height) : NULL;
}

/* Whether more data behind it would change the picture, which has @thumbnail: enough for some
 * blocks. */
static gboolean
wants_more (const guint8 *data, gsize size, GBytes *thumbnail, const FalJpegMarkers *markers)
{
  guint8 more[2048];
  g_autoptr (GBytes) longer = NULL, other = NULL;
  g_autofree gchar *warning = NULL;

  memset (more, 0x5a, sizeof more);
  memcpy (more + sizeof more - sizeof end_marker, end_marker, sizeof end_marker);
  longer = append (data, size, more, sizeof more);
  other = longer ? make_thumbnail (longer, markers, &warning) : NULL;
  return other == NULL || !g_bytes_equal (thumbnail, other);
}

/* libjpeg warns of missing data, unless it warned of stray bytes before, which do no harm. */
static gboolean
has_all_data (const guint8 *data, gsize size, GBytes *ended, const FalJpegMarkers *markers)
{
  g_autofree gchar *warning = NULL;
  g_autoptr (GBytes) thumbnail = make_thumbnail (ended, markers, &warning);

  if (thumbnail == NULL || warning == NULL)
    return thumbnail != NULL;
  return strstr (warning, "extraneous bytes") != NULL &&
         !wants_more (data, size, thumbnail, markers);
}

/* The picture does not end with its end marker. Behind that there may be anything, and it may be
 * missing while all data is there. */
static GBytes *
complete (GBytes *picture, const guint8 *data, gsize size)
{
  FalJpegMarkers markers = { 0 };
  g_autoptr (GBytes) ended = NULL;

  if (!fal_jpeg_markers_read (data, size, &markers))
    return NULL;
  if (markers.whole)
    return g_bytes_ref (picture);
  if (markers.scans == 0 || fal_jpeg_markers_have_too_many_scans (&markers) ||
      (guint64) markers.width * markers.height > FAL_CAMERA_PICTURE_MAX_PIXELS)
    return NULL;
  ended = append (data, size, end_marker, sizeof end_marker);
  return ended && has_all_data (data, size, ended, &markers) ? g_steal_pointer (&ended) : NULL;
}

static GBytes *
check_jpeg (GBytes *picture, const guint8 *data, gsize size, FalImageFileInfo *info, GError **error)
{
  FalJpegMarkers markers = { 0 };
  GBytes *whole = NULL;

  if (fal_jpeg_markers_read_header (data, size, &markers) && markers.scans > 0)
    whole = ends_whole (data, size) ? g_bytes_ref (picture) : complete (picture, data, size);
  info->width = markers.width;
  info->height = markers.height;
  if (whole == NULL)
    g_set_error_literal (
        error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "a JPEG picture from upstream is cut off");
  return whole;
}

GBytes *
fal_camera_picture_check (GBytes *picture, FalImageFileInfo *info, GError **error)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (picture, &size);
  g_autoptr (GError) trouble = NULL;

  *info = (FalImageFileInfo){ .type = fal_image_file_sniff (data, size) };
  if (info->type == FAL_IMAGE_FILE_JPEG)
    return check_jpeg (picture, data, size, info, error);
  if (fal_image_file_probe (picture, G_MAXUINT64, info, &trouble))
    return g_bytes_ref (picture);
  if (g_error_matches (trouble, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED)) {
    info->width = info->height = 0;
    return g_bytes_ref (picture);
  }
  g_propagate_prefixed_error (
      error, g_steal_pointer (&trouble), "a picture from upstream is broken: ");
  return NULL;
}
