/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds out what kind of picture some bytes from the server are, refuses it before anything is
 * allocated if it would cost too much, and decodes it into the caller's frame. No state; used on
 * any thread. */
#include "image-file.h"
#include "jpeg-markers.h"

#include <gio/gio.h>
#include <string.h>
#include <turbojpeg.h>

#ifdef HAVE_PNG
#include <png.h>
#define PNG_LAYOUT(layout) PNG_FORMAT_##layout
#else
#define PNG_LAYOUT(layout) NO_LAYOUT
#endif

#ifdef HAVE_WEBP
#include <webp/decode.h>
#include <webp/demux.h>
#define WEBP_LAYOUT(layout) MODE_##layout
#else
#define WEBP_LAYOUT(layout) NO_LAYOUT
#endif

#define NO_LAYOUT (-1)

G_DEFINE_AUTO_CLEANUP_FREE_FUNC (tjhandle, tjDestroy, NULL)

/* The name that each library has for a format, NO_LAYOUT where it cannot write it; @alpha is the
 * offset of a pixel's alpha or unused byte, NO_LAYOUT where it has none. The unused byte is written
 * as alpha is: some elements, videoconvert among them, take it for that. */
typedef struct {
  GstVideoFormat format;
  gint jpeg, png, webp;
  gint alpha;
} Layout;

static const Layout layouts[] = {
  { GST_VIDEO_FORMAT_RGBx, TJPF_RGBA, PNG_LAYOUT (RGBA), WEBP_LAYOUT (RGBA), 3 },
  { GST_VIDEO_FORMAT_BGRx, TJPF_BGRA, PNG_LAYOUT (BGRA), WEBP_LAYOUT (BGRA), 3 },
  { GST_VIDEO_FORMAT_xRGB, TJPF_ARGB, PNG_LAYOUT (ARGB), WEBP_LAYOUT (ARGB), 0 },
  { GST_VIDEO_FORMAT_xBGR, TJPF_ABGR, PNG_LAYOUT (ABGR), NO_LAYOUT, 0 },
  { GST_VIDEO_FORMAT_RGBA, TJPF_RGBA, PNG_LAYOUT (RGBA), WEBP_LAYOUT (RGBA), 3 },
  { GST_VIDEO_FORMAT_BGRA, TJPF_BGRA, PNG_LAYOUT (BGRA), WEBP_LAYOUT (BGRA), 3 },
  { GST_VIDEO_FORMAT_ARGB, TJPF_ARGB, PNG_LAYOUT (ARGB), WEBP_LAYOUT (ARGB), 0 },
  { GST_VIDEO_FORMAT_ABGR, TJPF_ABGR, PNG_LAYOUT (ABGR), NO_LAYOUT, 0 },
  { GST_VIDEO_FORMAT_RGB, TJPF_RGB, PNG_LAYOUT (RGB), WEBP_LAYOUT (RGB), NO_LAYOUT },
  { GST_VIDEO_FORMAT_BGR, TJPF_BGR, PNG_LAYOUT (BGR), WEBP_LAYOUT (BGR), NO_LAYOUT },
  { GST_VIDEO_FORMAT_GRAY8, TJPF_GRAY, PNG_LAYOUT (GRAY), NO_LAYOUT, NO_LAYOUT },
};

static const Layout *
find_layout (GstVideoFormat format)
{
  for (guint i = 0; i < G_N_ELEMENTS (layouts); i++) {
    if (layouts[i].format == format)
      return &layouts[i];
  }
  return NULL;
}

gint
fal_image_file_get_jpeg_layout (GstVideoFormat format)
{
  const Layout *layout = find_layout (format);

  return layout != NULL && layout->jpeg != TJPF_GRAY ? layout->jpeg : NO_LAYOUT;
}

static gboolean
refuse (GError **error, const gchar *reason)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, reason);
  return FALSE;
}

/* ---- JPEG ---- */

static gboolean
probe_jpeg (const guint8 *data, gsize size, FalImageFileInfo *info, GError **error)
{
  FalJpegMarkers markers = { 0 };

  if (!fal_jpeg_markers_read (data, size, &markers))
    return refuse (error, "the JPEG picture is broken or of a kind that is not supported");

  if (fal_jpeg_markers_have_too_many_scans (&markers)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
        "the JPEG picture of %ux%u pixels has %u scans, too many to decode in bounded time",
        markers.width, markers.height, markers.scans);
    return FALSE;
  }

  info->width = markers.width;
  info->height = markers.height;
  return markers.whole || info->flawed
             ? TRUE
             : refuse (error, "the JPEG picture ends before its end marker");
}

/* CMYK in a JPEG is stored inverted, as Adobe does it: 255 is no ink. */
static guint8
get_brightness (const guint8 *cmyk)
{
  return ((cmyk[0] * 19595 + cmyk[1] * 38470 + cmyk[2] * 7471) / 255 * cmyk[3] + 32768) >> 16;
}

static void
write_grey_of_cmyk (const guint8 *cmyk, GstVideoFrame *frame)
{
  gint width = GST_VIDEO_FRAME_WIDTH (frame), stride = GST_VIDEO_FRAME_PLANE_STRIDE (frame, 0);
  guint8 *plane = GST_VIDEO_FRAME_PLANE_DATA (frame, 0);

  for (gint y = 0; y < GST_VIDEO_FRAME_HEIGHT (frame); y++) {
    for (gint x = 0; x < width; x++)
      plane[(gsize) y * stride + x] = get_brightness (cmyk + 4 * ((gsize) y * width + x));
  }
}

static void
write_cmyk (const guint8 *cmyk, const Layout *layout, GstVideoFrame *frame)
{
  gint width = GST_VIDEO_FRAME_WIDTH (frame), height = GST_VIDEO_FRAME_HEIGHT (frame);
  gint stride = GST_VIDEO_FRAME_PLANE_STRIDE (frame, 0);
  guint8 *plane = GST_VIDEO_FRAME_PLANE_DATA (frame, 0);

  for (gint y = 0; y < height; y++) {
    guint8 *pixel = plane + (gsize) y * stride;

    for (gint x = 0; x < width; x++, cmyk += 4, pixel += tjPixelSize[layout->jpeg]) {
      pixel[tjRedOffset[layout->jpeg]] = (cmyk[0] * cmyk[3] + 127) / 255;
      pixel[tjGreenOffset[layout->jpeg]] = (cmyk[1] * cmyk[3] + 127) / 255;
      pixel[tjBlueOffset[layout->jpeg]] = (cmyk[2] * cmyk[3] + 127) / 255;
      if (layout->alpha != NO_LAYOUT)
        pixel[layout->alpha] = 255;
    }
  }
}

/* A warning counts as an error unless flaws are to be shown: libjpeg fills what is missing with
 * grey and only warns. */
static gboolean
read_jpeg (tjhandle jpeg, const guint8 *data, gsize size, guint8 *pixels,
    const FalImageFileInfo *info, gint stride, gint layout, GError **error)
{
  if (tjDecompress2 (jpeg, data, size, pixels, info->width, stride, info->height, layout,
          (info->flawed ? 0 : TJFLAG_STOPONWARNING) | TJFLAG_LIMITSCANS) == 0 ||
      (info->flawed && tjGetErrorCode (jpeg) == TJERR_WARNING))
    return TRUE;

  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "the JPEG picture is broken: %s",
      tjGetErrorStr2 (jpeg));
  return FALSE;
}

static gboolean
decode_cmyk (tjhandle jpeg, const guint8 *data, gsize size, const FalImageFileInfo *info,
    const Layout *layout, GstVideoFrame *frame, GError **error)
{
  g_autofree guint8 *cmyk = g_try_malloc_n (info->height, (gsize) info->width * 4);

  if (cmyk == NULL) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "no memory for a picture of %dx%d pixels",
        info->width, info->height);
    return FALSE;
  }
  if (!read_jpeg (jpeg, data, size, cmyk, info, info->width * 4, TJPF_CMYK, error))
    return FALSE;

  if (layout->jpeg == TJPF_GRAY)
    write_grey_of_cmyk (cmyk, frame);
  else
    write_cmyk (cmyk, layout, frame);
  return TRUE;
}

static gboolean
decode_jpeg (const guint8 *data, gsize size, const FalImageFileInfo *info, const Layout *layout,
    GstVideoFrame *frame, GError **error)
{
  g_auto (tjhandle) jpeg = tjInitDecompress ();
  gint width = 0, height = 0, subsampling = 0, colours = 0;

  if (jpeg == NULL) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "no memory for a JPEG decoder");
    return FALSE;
  }
  tjDecompressHeader3 (jpeg, data, size, &width, &height, &subsampling, &colours);
  if (width != info->width || height != info->height)
    return refuse (error, "the header of the JPEG picture is broken");

  if (colours == TJCS_CMYK || colours == TJCS_YCCK)
    return decode_cmyk (jpeg, data, size, info, layout, frame, error);
  return read_jpeg (jpeg, data, size, GST_VIDEO_FRAME_PLANE_DATA (frame, 0), info,
      GST_VIDEO_FRAME_PLANE_STRIDE (frame, 0), layout->jpeg, error);
}

/* ---- PNG ---- */

#ifdef HAVE_PNG

/* Not GST_READ_UINT32_BE(), which may want aligned memory. */
static guint32
read_be32 (const guint8 *data)
{
  return (guint32) data[0] << 24 | data[1] << 16 | data[2] << 8 | data[3];
}

#define PNG_FIRST_CHUNK 8
#define PNG_CHUNK_FRAME 12 /* length, type, checksum */
#define PNG_COLOUR_ALPHA 4

/* Whether the chunks are whole up to the last one, IEND. */
static gboolean
walk_png_chunks (const guint8 *data, gsize size, gboolean *has_transparency)
{
  gsize pos = PNG_FIRST_CHUNK;

  while (size - pos >= PNG_CHUNK_FRAME) {
    gsize length = read_be32 (data + pos);
    const guint8 *type = data + pos + 4;

    if (length > size - pos - PNG_CHUNK_FRAME)
      return FALSE;
    if (memcmp (type, "IEND", 4) == 0)
      return TRUE;
    if (memcmp (type, "tRNS", 4) == 0)
      *has_transparency = TRUE;
    pos += PNG_CHUNK_FRAME + length;
  }
  return FALSE;
}

static gboolean
probe_png (const guint8 *data, gsize size, FalImageFileInfo *info, GError **error)
{
  static const guint8 first_chunk[] = { 0, 0, 0, 13, 'I', 'H', 'D', 'R' };
  const guint8 *header = data + PNG_FIRST_CHUNK;

  if (size < PNG_FIRST_CHUNK + PNG_CHUNK_FRAME + 13 ||
      memcmp (header, first_chunk, sizeof first_chunk) != 0)
    return refuse (error, "the header of the PNG picture is broken");

  info->width = MIN (read_be32 (header + 8), G_MAXINT);
  info->height = MIN (read_be32 (header + 12), G_MAXINT);
  info->has_alpha = (header[17] & PNG_COLOUR_ALPHA) != 0;
  return walk_png_chunks (data, size, &info->has_alpha)
             ? TRUE
             : refuse (error, "the PNG picture ends before its last chunk");
}

static gboolean
decode_png (const guint8 *data, gsize size, const FalImageFileInfo *info, const Layout *layout,
    GstVideoFrame *frame, GError **error)
{
  png_image png = { .version = PNG_IMAGE_VERSION };
  gboolean done = png_image_begin_read_from_memory (&png, data, size) &&
                  png.width == (guint) info->width && png.height == (guint) info->height;

  if (done) {
    /* Without this libpng takes 16-bit samples for linear light; files have sRGB. */
    png.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
    png.format = layout->png;
    done = png_image_finish_read (&png, NULL, GST_VIDEO_FRAME_PLANE_DATA (frame, 0),
        GST_VIDEO_FRAME_PLANE_STRIDE (frame, 0), NULL);
  }
  if (!done)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "the PNG picture is broken: %s",
        png.message[0] != '\0' ? png.message : "its header");
  png_image_free (&png);
  return done;
}

#else

static gboolean
probe_png (const guint8 *data, gsize size, FalImageFileInfo *info, GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
      "the picture is a PNG, which this build cannot read: it was made without -Dpng=enabled");
  return FALSE;
}

#define decode_png NULL

#endif

/* ---- WebP ---- */

#ifdef HAVE_WEBP

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WebPDemuxer, WebPDemuxDelete)

static guint32
read_le32 (const guint8 *data)
{
  return (guint32) data[3] << 24 | data[2] << 16 | data[1] << 8 | data[0];
}

static gboolean
probe_webp (const guint8 *data, gsize size, FalImageFileInfo *info, GError **error)
{
  WebPBitstreamFeatures features;

  if ((guint64) read_le32 (data + 4) + 8 > size)
    return refuse (error, "the WebP picture is cut off");
  if (WebPGetFeatures (data, size, &features) != VP8_STATUS_OK)
    return refuse (error, "the header of the WebP picture is broken");

  info->width = features.width;
  info->height = features.height;
  info->has_alpha = features.has_alpha;
  return TRUE;
}

/* Decodes one still picture to @pixels. It must have exactly this size. */
static gboolean
read_webp (const guint8 *data, gsize size, gint width, gint height, gint mode, guint8 *pixels,
    gint stride, GError **error)
{
  WebPDecoderConfig config;
  VP8StatusCode status = VP8_STATUS_BITSTREAM_ERROR;

  if (WebPInitDecoderConfig (&config) &&
      WebPGetFeatures (data, size, &config.input) == VP8_STATUS_OK && config.input.width == width &&
      config.input.height == height && !config.input.has_animation) {
    config.output.colorspace = mode;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = pixels;
    config.output.u.RGBA.stride = stride;
    config.output.u.RGBA.size = (gsize) stride * height;
    status = WebPDecode (data, size, &config);
  }
  if (status == VP8_STATUS_OK)
    return TRUE;

  g_set_error (error, G_IO_ERROR,
      status == VP8_STATUS_OUT_OF_MEMORY ? G_IO_ERROR_NO_SPACE : G_IO_ERROR_INVALID_DATA,
      "the WebP picture is broken (status %d)", status);
  return FALSE;
}

/* Decodes the first frame of an animation, which may cover only a part of the canvas. */
static gboolean
read_webp_animation (const guint8 *data, gsize size, const FalImageFileInfo *info, gint mode,
    guint8 *pixels, gint stride, gint pixel_size, GError **error)
{
  WebPData bytes = { data, size };
  g_autoptr (WebPDemuxer) demuxer = WebPDemux (&bytes);
  WebPIterator first;
  gboolean done = FALSE;

  if (demuxer == NULL || !WebPDemuxGetFrame (demuxer, 1, &first))
    return refuse (error, "the WebP animation is broken");

  for (gint y = 0; y < info->height; y++)
    memset (pixels + (gsize) y * stride, 0, (gsize) info->width * pixel_size);

  if (first.x_offset < 0 || first.y_offset < 0 || first.width > info->width - first.x_offset ||
      first.height > info->height - first.y_offset)
    refuse (error, "a picture of the WebP animation is larger than the animation");
  else
    done = read_webp (first.fragment.bytes, first.fragment.size, first.width, first.height, mode,
        pixels + (gsize) first.y_offset * stride + (gsize) first.x_offset * pixel_size, stride,
        error);
  WebPDemuxReleaseIterator (&first);
  return done;
}

static gboolean
decode_webp (const guint8 *data, gsize size, const FalImageFileInfo *info, const Layout *layout,
    GstVideoFrame *frame, GError **error)
{
  guint8 *pixels = GST_VIDEO_FRAME_PLANE_DATA (frame, 0);
  gint stride = GST_VIDEO_FRAME_PLANE_STRIDE (frame, 0);
  WebPBitstreamFeatures features;

  if (WebPGetFeatures (data, size, &features) == VP8_STATUS_OK && features.has_animation)
    return read_webp_animation (data, size, info, layout->webp, pixels, stride,
        GST_VIDEO_FRAME_COMP_PSTRIDE (frame, 0), error);
  return read_webp (data, size, info->width, info->height, layout->webp, pixels, stride, error);
}

#else

static gboolean
probe_webp (const guint8 *data, gsize size, FalImageFileInfo *info, GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
      "the picture is a WebP, which this build cannot read: it was made without -Dwebp=enabled");
  return FALSE;
}

#define decode_webp NULL

#endif

/* ---- All of them ---- */

typedef struct {
  const gchar *media_type, *name;
  const gchar *magic, *magic_mask; /* a byte counts where the mask has an x */
  gboolean (*probe) (const guint8 *, gsize, FalImageFileInfo *, GError **);
  gboolean (*decode) (
      const guint8 *, gsize, const FalImageFileInfo *, const Layout *, GstVideoFrame *, GError **);
} Kind;

static const Kind kinds[] = {
  [FAL_IMAGE_FILE_JPEG] = { "image/jpeg", "JPEG", "\xff\xd8\xff", "xxx", probe_jpeg, decode_jpeg },
  [FAL_IMAGE_FILE_PNG] = { "image/png", "PNG", "\x89PNG\r\n\x1a\n", "xxxxxxxx", probe_png,
      decode_png },
  [FAL_IMAGE_FILE_WEBP] = { "image/webp", "WebP", "RIFF    WEBP", "xxxx    xxxx", probe_webp,
      decode_webp },
};

const gchar *
fal_image_file_get_media_type (FalImageFileType type)
{
  return type < G_N_ELEMENTS (kinds) ? kinds[type].media_type : NULL;
}

static gboolean
begins_like (const guint8 *data, gsize size, const Kind *kind)
{
  gsize length = strlen (kind->magic_mask);

  if (size < length)
    return FALSE;
  for (gsize i = 0; i < length; i++) {
    if (kind->magic_mask[i] == 'x' && data[i] != (guint8) kind->magic[i])
      return FALSE;
  }
  return TRUE;
}

FalImageFileType
fal_image_file_sniff (const guint8 *data, gsize size)
{
  for (guint type = FAL_IMAGE_FILE_JPEG; type < G_N_ELEMENTS (kinds); type++) {
    if (begins_like (data, size, &kinds[type]))
      return type;
  }
  return FAL_IMAGE_FILE_UNKNOWN;
}

static gboolean
check_size (const FalImageFileInfo *info, guint64 max_pixels, GError **error)
{
  const gchar *name = kinds[info->type].name;
  guint64 pixels = (guint64) info->width * (guint64) info->height;

  if (pixels == 0)
    return refuse (error, "the picture has no pixels");
  if (pixels <= max_pixels)
    return TRUE;

  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
      "the %s picture is %dx%d pixels, over the limit of %" G_GUINT64_FORMAT " pixels", name,
      info->width, info->height, max_pixels);
  return FALSE;
}

static gboolean
probe (GBytes *picture, guint64 max_pixels, gboolean flawed, FalImageFileInfo *info, GError **error)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (picture, &size);

  *info = (FalImageFileInfo){ .type = fal_image_file_sniff (data, size), .flawed = flawed };
  if (info->type == FAL_IMAGE_FILE_UNKNOWN) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
        "%" G_GSIZE_FORMAT " bytes that are no JPEG, PNG or WebP picture", size);
    return FALSE;
  }
  return kinds[info->type].probe (data, size, info, error) && check_size (info, max_pixels, error);
}

gboolean
fal_image_file_probe (GBytes *picture, guint64 max_pixels, FalImageFileInfo *info, GError **error)
{
  return probe (picture, max_pixels, FALSE, info, error);
}

gboolean
fal_image_file_probe_flawed (
    GBytes *picture, guint64 max_pixels, FalImageFileInfo *info, GError **error)
{
  return probe (picture, max_pixels, TRUE, info, error);
}

gboolean
fal_image_file_decodes_to (const FalImageFileInfo *info, GstVideoFormat format)
{
  const Layout *layout = find_layout (format);

  if (layout == NULL || (info->has_alpha && layout->alpha == NO_LAYOUT))
    return FALSE;
  return info->type != FAL_IMAGE_FILE_WEBP || layout->webp != NO_LAYOUT;
}

/* Blends the picture with black, in place, for a format whose fourth byte is not used. */
static void
flatten (GstVideoFrame *frame, gint alpha)
{
  gint width = GST_VIDEO_FRAME_WIDTH (frame), height = GST_VIDEO_FRAME_HEIGHT (frame);

  for (gint y = 0; y < height; y++) {
    guint8 *pixel = (guint8 *) GST_VIDEO_FRAME_PLANE_DATA (frame, 0) +
                    (gsize) y * GST_VIDEO_FRAME_PLANE_STRIDE (frame, 0);

    for (gint x = 0; x < width; x++, pixel += 4) {
      guint weight = pixel[alpha];

      for (guint i = 0; i < 4; i++)
        pixel[i] = (pixel[i] * weight + 127) / 255;
      pixel[alpha] = 255;
    }
  }
}

gboolean
fal_image_file_decode (
    GBytes *picture, const FalImageFileInfo *info, GstVideoFrame *frame, GError **error)
{
  const Layout *layout = find_layout (GST_VIDEO_FRAME_FORMAT (frame));
  gsize size;
  const guint8 *data = g_bytes_get_data (picture, &size);

  g_return_val_if_fail (fal_image_file_decodes_to (info, GST_VIDEO_FRAME_FORMAT (frame)), FALSE);
  g_return_val_if_fail (GST_VIDEO_FRAME_WIDTH (frame) == info->width, FALSE);
  g_return_val_if_fail (GST_VIDEO_FRAME_HEIGHT (frame) == info->height, FALSE);

  if (!kinds[info->type].decode (data, size, info, layout, frame, error))
    return FALSE;
  if (info->has_alpha && !GST_VIDEO_FORMAT_INFO_HAS_ALPHA (frame->info.finfo))
    /* -Wanalyzer-null-dereference: fal_image_file_decodes_to() found the layout, too */
    flatten (frame, layout->alpha);
  return TRUE;
}
