/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames become signatures, and two signatures a number of levels. */
#include "difference.h"
#include "block-sums.h"
#include "camera-picture.h"
#include "jpeg-markers.h"
#include "video-frame.h"

#include <math.h>
#include <string.h>
#include <turbojpeg.h>

#define SIDE FAL_BLOCK_SUMS_SIDE
#define ROWS 4 /* of these eight that count */
/* A mean in this many parts of a level: the sum of what counts of a block. */
#define LEVEL (SIDE * ROWS)
#define WEIGHT 256 /* of all components of a pixel together, as FalBlockScale wants it */
#define GAIN 4096
/* The most noise, of four means. */
#define NOISE (4 * FAL_DIFFERENCE_NOISE * LEVEL)
/* Of the means, so many at least are looked at to find the gain, and the noise. */
#define SOME 2048
/* A picture of less contrast than so many levels says little of a gain, nor does a small part of
 * it: it is one for as much. */
#define CONTRAST 8
/* The line is fitted so often, each time without what was far from it before. */
#define FITS 4

struct _FalSignature {
  GstCaps *caps;
  FalArea part;       /* as it was asked for */
  gint columns, rows; /* of @means; 0: there are none, and @hash is all that is known */
  gint16 *means;      /* in 1/LEVEL */
  guint64 hash;       /* of the bytes of a picture that is not decoded */
};

/* How the brightness of a frame is read. */
typedef enum {
  READ_NOT,    /* the frame is a picture file, or cannot be read */
  READ_BYTES,  /* the components lie in one plane, as bytes */
  READ_WIDE,   /* brightness alone lies in a plane, as numbers of more than eight bits */
  READ_UNPACK, /* GStreamer unpacks each row */
} ReadKind;

struct _FalDifference {
  tjhandle jpeg;

  GstCaps *caps; /* that the rest was made for; NULL: none */
  GstVideoInfo info;
  ReadKind kind;
  guint step;     /* bytes from pixel to pixel, as they are summed up */
  guint shift;    /* WIDE: to make eight bits of a number */
  gboolean wide;  /* UNPACK: to components of two bytes */
  guint8 *packed; /* UNPACK: some rows */
  FalArea part;   /* of the frame that is looked at now, within it */
  gint16 weights[SIDE * FAL_BLOCK_SUMS_MAX_STEP];

  gint16 *columns; /* of a row of blocks */
  gint16 *off;     /* by how much two rows of means differ */
  guint16 *windows;
};

void
fal_signature_free (FalSignature *signature)
{
  gst_clear_caps (&signature->caps);
  g_free (signature->means);
  g_free (signature);
}

gdouble
fal_signature_get_mean (const FalSignature *signature, gint column, gint row)
{
  if (column < 0 || row < 0 || column >= signature->columns || row >= signature->rows)
    return -1;
  return signature->means[(gsize) row * signature->columns + column] / (gdouble) LEVEL;
}

const FalArea *
fal_signature_get_part (const FalSignature *signature)
{
  return &signature->part;
}

/* @columns, @rows: 0 for none. */
static FalSignature *
signature_new (GstCaps *caps, gint columns, gint rows)
{
  FalSignature *signature = g_new0 (FalSignature, 1);

  signature->caps = gst_caps_ref (caps);
  signature->columns = columns;
  signature->rows = rows;
  if (columns > 0)
    signature->means = g_new (gint16, (gsize) columns * rows);
  return signature;
}

FalDifference *
fal_difference_new (void)
{
  return g_new0 (FalDifference, 1);
}

static void
forget_format (FalDifference *difference)
{
  gst_clear_caps (&difference->caps);
  g_clear_pointer (&difference->packed, g_free);
  g_clear_pointer (&difference->columns, g_free);
  g_clear_pointer (&difference->off, g_free);
  g_clear_pointer (&difference->windows, g_free);
}

void
fal_difference_free (FalDifference *difference)
{
  forget_format (difference);
  if (difference->jpeg != NULL)
    tjDestroy (difference->jpeg);
  g_free (difference);
}

/* ---- how a format is read ---- */

static gint
count_blocks (gint size)
{
  return (size + SIDE - 1) / SIDE;
}

/* The component at @offset of each pixel of @step bytes counts by @weight. */
static void
set_weight (FalDifference *difference, guint offset, gint16 weight)
{
  for (guint i = 0; i < SIDE; i++)
    difference->weights[i * difference->step + offset] = weight;
}

/* Of red, green and blue at these offsets the brightness is that of BT.601. */
static void
set_weights (FalDifference *difference, guint red, guint green, guint blue)
{
  set_weight (difference, red, 77);
  set_weight (difference, green, 150);
  set_weight (difference, blue, 29);
}

/* Whether all that counts lies in one plane, a byte each. */
static gboolean
is_bytes (const GstVideoFormatInfo *format)
{
  guint n = GST_VIDEO_FORMAT_INFO_IS_RGB (format) ? 3 : 1;

  for (guint i = 0; i < n; i++)
    if (GST_VIDEO_FORMAT_INFO_DEPTH (format, i) != 8 ||
        GST_VIDEO_FORMAT_INFO_SHIFT (format, i) != 0 ||
        GST_VIDEO_FORMAT_INFO_PLANE (format, i) != 0 ||
        GST_VIDEO_FORMAT_INFO_PSTRIDE (format, i) < (gint) n ||
        GST_VIDEO_FORMAT_INFO_PSTRIDE (format, i) > 4)
      return FALSE;
  return TRUE;
}

static gboolean
is_wide (const GstVideoFormatInfo *format)
{
  return !GST_VIDEO_FORMAT_INFO_IS_RGB (format) && GST_VIDEO_FORMAT_INFO_DEPTH (format, 0) > 8 &&
         GST_VIDEO_FORMAT_INFO_PSTRIDE (format, 0) == 2 &&
         GST_VIDEO_FORMAT_INFO_IS_LE (format) == (G_BYTE_ORDER == G_LITTLE_ENDIAN);
}

static ReadKind
choose_kind (const GstVideoFormatInfo *format)
{
  gboolean plain = !GST_VIDEO_FORMAT_INFO_IS_COMPLEX (format) &&
                   !GST_VIDEO_FORMAT_INFO_IS_TILED (format) &&
                   !GST_VIDEO_FORMAT_INFO_HAS_PALETTE (format);

  if (plain && is_bytes (format))
    return READ_BYTES;
  if (plain && is_wide (format))
    return READ_WIDE;
  return format->unpack_func != NULL ? READ_UNPACK : READ_NOT;
}

static void
read_bytes (FalDifference *difference)
{
  const GstVideoFormatInfo *format = difference->info.finfo;

  difference->step = GST_VIDEO_FORMAT_INFO_PSTRIDE (format, 0);
  if (GST_VIDEO_FORMAT_INFO_IS_RGB (format))
    set_weights (difference, GST_VIDEO_FORMAT_INFO_POFFSET (format, 0),
        GST_VIDEO_FORMAT_INFO_POFFSET (format, 1), GST_VIDEO_FORMAT_INFO_POFFSET (format, 2));
  else
    set_weight (difference, GST_VIDEO_FORMAT_INFO_POFFSET (format, 0), WEIGHT);
}

static void
read_wide (FalDifference *difference)
{
  const GstVideoFormatInfo *format = difference->info.finfo;

  difference->step = 1;
  difference->shift =
      GST_VIDEO_FORMAT_INFO_SHIFT (format, 0) + GST_VIDEO_FORMAT_INFO_DEPTH (format, 0) - 8;
  set_weight (difference, 0, WEIGHT);
}

/* GStreamer unpacks to four components, of which the first is alpha: of two bytes the upper one
 * counts. */
static void
read_unpacked (FalDifference *difference)
{
  const GstVideoFormatInfo *unpacked =
      gst_video_format_get_info (difference->info.finfo->unpack_format);
  guint size = GST_VIDEO_FORMAT_INFO_PSTRIDE (unpacked, 0) / 4;
  guint upper = size == 2 && G_BYTE_ORDER == G_LITTLE_ENDIAN ? 1 : 0;

  difference->step = 4 * size;
  if (GST_VIDEO_FORMAT_INFO_IS_RGB (unpacked))
    set_weights (difference, size + upper, 2 * size + upper, 3 * size + upper);
  else
    set_weight (difference, size + upper, WEIGHT);
  difference->packed =
      g_malloc (ROWS * (gsize) GST_ROUND_UP_16 (difference->info.width) * difference->step);
}

static void
prepare_kind (FalDifference *difference)
{
  memset (difference->weights, 0, sizeof difference->weights);
  switch (difference->kind) {
  case READ_BYTES:
    read_bytes (difference);
    break;
  case READ_WIDE:
    read_wide (difference);
    break;
  case READ_UNPACK:
    read_unpacked (difference);
    break;
  case READ_NOT:
    break;
  }
}

/* What is kept while the caps are the same. */
static void
prepare (FalDifference *difference, GstCaps *caps)
{
  GstVideoInfo *info = &difference->info;

  if (difference->caps != NULL && gst_caps_is_equal (difference->caps, caps)) {
    gst_caps_replace (&difference->caps, caps); /* the next comparison is one of pointers */
    return;
  }
  forget_format (difference);
  difference->caps = gst_caps_ref (caps);
  difference->kind = READ_NOT;
  if (!gst_structure_has_name (gst_caps_get_structure (caps, 0), "video/x-raw") ||
      !gst_video_info_from_caps (info, caps) || info->width == 0 || info->height == 0 ||
      info->interlace_mode == GST_VIDEO_INTERLACE_MODE_ALTERNATE)
    return;
  difference->kind = choose_kind (info->finfo);
  prepare_kind (difference);
  difference->columns =
      g_new (gint16, SIDE * (gsize) count_blocks (info->width) * MAX (difference->step, 1));
}

/* ---- raw video ---- */

/* Every other of @rows rows of the part from its row @y on, as they are summed up; *@stride: from
 * row to row. Rows are unpacked from their beginning: in some formats there is none elsewhere. */
static const guint8 *
get_rows (FalDifference *difference, const GstVideoFrame *frame, gint y, guint rows, gssize *stride)
{
  const GstVideoFormatInfo *format = frame->info.finfo;
  const FalArea *part = &difference->part;
  gssize row = GST_VIDEO_FRAME_PLANE_STRIDE (frame, 0);

  if (difference->kind != READ_UNPACK) {
    *stride = 2 * row;
    return (const guint8 *) frame->data[0] + (part->y + y) * row +
           (gssize) part->x * GST_VIDEO_FORMAT_INFO_PSTRIDE (format, 0);
  }
  *stride = (gssize) GST_ROUND_UP_16 (difference->info.width) * difference->step;
  for (guint i = 0; i < rows; i++)
    format->unpack_func (format, GST_VIDEO_PACK_FLAG_NONE, difference->packed + i * *stride,
        (gpointer *) frame->data, frame->info.stride, 0, part->y + y + 2 * i,
        part->x + part->width);
  return difference->packed + (gsize) part->x * difference->step;
}

/* The last block of a row that is not whole goes on with its last pixel. */
static void
complete_columns (FalDifference *difference)
{
  guint step = difference->step;
  gint width = difference->part.width;

  for (gint x = width; x < SIDE * count_blocks (width); x++)
    memcpy (difference->columns + (gsize) x * step,
        difference->columns + (gsize) (width - 1) * step, step * sizeof (gint16));
}

static void
sum_columns (FalDifference *difference, const GstVideoFrame *frame, gint y, guint rows)
{
  gsize n = (gsize) difference->part.width * difference->step;
  gssize stride;
  const guint8 *top = get_rows (difference, frame, y, rows, &stride);

  if (difference->kind == READ_WIDE)
    fal_block_sums_add_wide_rows (
        difference->columns, (const guint16 *) top, stride, rows, difference->shift, n);
  else
    fal_block_sums_add_rows (difference->columns, top, stride, rows, n);
  complete_columns (difference);
}

static gboolean
is_limited (const GstVideoInfo *info)
{
  GstVideoColorRange range = info->colorimetry.range;

  return range == GST_VIDEO_COLOR_RANGE_16_235 ||
         (range == GST_VIDEO_COLOR_RANGE_UNKNOWN && GST_VIDEO_INFO_IS_YUV (info));
}

/* Whether whole blocks need no sums of columns: brightness lies byte by byte. */
static gboolean
is_simple (const FalDifference *difference)
{
  return difference->kind == READ_BYTES && difference->step == 1;
}

/* Of the sum of a block with @rows rows. */
static FalBlockScale
get_scale (guint rows, gboolean limited)
{
  const FalBlockScale full = { 1024 * ROWS / rows, 0, 255 * LEVEL };
  const FalBlockScale other = { 1024 * ROWS * 255 / (rows * 219), 16 * LEVEL * 255 / 219,
    255 * LEVEL };

  return limited ? other : full;
}

static void
add_whole_blocks (FalDifference *difference, const GstVideoFrame *frame, gint row,
    const FalBlockScale *scale, gint16 *means, gint n)
{
  gssize stride;
  const guint8 *top = get_rows (difference, frame, row * SIDE, ROWS, &stride);

  fal_block_sums_add_bytes (means, top, stride, scale, n);
}

static void
reduce_frame (FalDifference *difference, const GstVideoFrame *frame, FalSignature *signature)
{
  gint height = difference->part.height, across = count_blocks (difference->part.width);
  gboolean limited = is_limited (&difference->info);

  for (gint row = 0; row < count_blocks (height); row++) {
    guint rows = MIN ((height - row * SIDE + 1) / 2, ROWS);
    FalBlockScale scale = get_scale (rows, limited);
    gint16 *means = signature->means + (gsize) row * signature->columns;
    gint whole = is_simple (difference) && rows == ROWS ? difference->part.width / SIDE : 0;

    if (whole > 0)
      add_whole_blocks (difference, frame, row, &scale, means, whole);
    if (whole == across)
      continue;
    sum_columns (difference, frame, row * SIDE, rows);
    fal_block_sums_add_up (
        means, difference->columns, difference->step, difference->weights, &scale, across);
  }
}

/* Two blocks make the smallest window: one alone is doubled. @columns, @rows: that there are. */
static void
fill_up (FalSignature *signature, gint columns, gint rows)
{
  gsize across = signature->columns;

  for (gint y = 0; columns < signature->columns && y < rows; y++)
    /* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign): each row has its first block */
    signature->means[y * across + 1] = signature->means[y * across];
  if (rows < signature->rows)
    memcpy (signature->means + across, signature->means, across * sizeof (gint16));
}

static FalSignature *
signature_of_size (GstCaps *caps, gint columns, gint rows)
{
  return signature_new (caps, MAX (columns, 2), MAX (rows, 2));
}

/* Numbers of two bytes are read as such. */
static gboolean
is_aligned (const GstVideoFrame *frame)
{
  return ((gsize) frame->data[0] | (gsize) GST_VIDEO_FRAME_PLANE_STRIDE (frame, 0)) % 2 == 0;
}

static FalSignature *
reduce_raw (FalDifference *difference, GstBuffer *buffer, const FalArea *wanted)
{
  const GstVideoInfo *info = &difference->info;
  FalSignature *signature = NULL;
  GstVideoFrame frame;
  gint columns, rows;

  if (!fal_video_frame_clip (wanted, info->width, info->height, &difference->part) ||
      !fal_video_frame_map_whole (&frame, info, buffer, NULL))
    return NULL;
  columns = count_blocks (difference->part.width);
  rows = count_blocks (difference->part.height);
  if (difference->kind != READ_WIDE || is_aligned (&frame)) {
    signature = signature_of_size (difference->caps, columns, rows);
    reduce_frame (difference, &frame, signature);
    fill_up (signature, columns, rows);
  }
  gst_video_frame_unmap (&frame);
  return signature;
}

/* ---- picture files ---- */

static guint64
hash_bytes (const guint8 *data, gsize size)
{
  const guint64 prime = G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
  guint64 hash = size, word;

  for (; size >= sizeof word; data += sizeof word, size -= sizeof word) {
    memcpy (&word, data, sizeof word);
    hash = (hash ^ word) * prime;
    hash ^= hash >> 29;
  }
  for (; size > 0; data++, size--)
    hash = (hash ^ *data) * prime;
  return hash;
}

static FalSignature *
hash_picture (GstCaps *caps, const guint8 *data, gsize size)
{
  FalSignature *signature = signature_new (caps, 0, 0);

  signature->hash = hash_bytes (data, size);
  return signature;
}

/* Whether it takes no longer than a picture of its size should. */
static gboolean
may_decode (const guint8 *data, gsize size)
{
  FalJpegMarkers markers = { 0 };

  return fal_jpeg_markers_read (data, size, &markers) && markers.scans > 0 &&
         !fal_jpeg_markers_have_too_many_scans (&markers) &&
         (guint64) markers.width * markers.height <= FAL_CAMERA_PICTURE_MAX_PIXELS;
}

/* The brightness at an eighth of its size, of which each pixel is a block's DC coefficient;
 * *@width, *@height: of the picture itself. NULL: it cannot be decoded. */
static guint8 *
decode_eighth (FalDifference *difference, const guint8 *data, gsize size, gint *width, gint *height)
{
  gint columns, rows, subsampling, colours;
  guint8 *pixels;

  *width = *height = 0;
  if (difference->jpeg == NULL)
    difference->jpeg = tjInitDecompress ();
  if (difference->jpeg == NULL || !may_decode (data, size))
    return NULL;
  tjDecompressHeader3 (difference->jpeg, data, size, width, height, &subsampling, &colours);
  columns = count_blocks (*width);
  rows = count_blocks (*height);
  pixels = columns > 0 && rows > 0 ? g_try_malloc_n (rows, columns) : NULL;
  if (pixels == NULL ||
      tjDecompress2 (difference->jpeg, data, size, pixels, columns, 0, rows, TJPF_GRAY,
          TJFLAG_LIMITSCANS) == 0 ||
      tjGetErrorCode (difference->jpeg) == TJERR_WARNING)
    return pixels;
  g_free (pixels);
  return NULL;
}

/* The blocks that @part has something of, of a picture that is @width wide; @pixels: one each. */
static FalSignature *
take_blocks (GstCaps *caps, const guint8 *pixels, gint width, const FalArea *part)
{
  gint left = part->x / SIDE, top = part->y / SIDE;
  gint columns = count_blocks (part->x + part->width) - left;
  gint rows = count_blocks (part->y + part->height) - top;
  gsize across = count_blocks (width);
  FalSignature *signature = signature_of_size (caps, columns, rows);

  for (gint y = 0; y < rows; y++)
    for (gint x = 0; x < columns; x++)
      signature->means[(gsize) y * signature->columns + x] =
          pixels[(top + y) * across + left + x] * LEVEL;
  fill_up (signature, columns, rows);
  return signature;
}

static FalSignature *
reduce_jpeg (FalDifference *difference, const guint8 *data, gsize size, const FalArea *wanted)
{
  gint width, height;
  g_autofree guint8 *pixels = decode_eighth (difference, data, size, &width, &height);
  FalArea part;

  if (pixels == NULL)
    return hash_picture (difference->caps, data, size);
  if (!fal_video_frame_clip (wanted, width, height, &part))
    return NULL;
  return take_blocks (difference->caps, pixels, width, &part);
}

static FalSignature *
reduce_picture (FalDifference *difference, GstBuffer *buffer, const FalArea *wanted)
{
  FalSignature *signature;
  GstMapInfo map;

  if (!gst_buffer_map (buffer, &map, GST_MAP_READ))
    return NULL;
  if (fal_image_file_sniff (map.data, map.size) == FAL_IMAGE_FILE_JPEG)
    signature = reduce_jpeg (difference, map.data, map.size, wanted);
  else
    signature = hash_picture (difference->caps, map.data, map.size);
  gst_buffer_unmap (buffer, &map);
  return signature;
}

static FalSignature *
reduce (FalDifference *difference, GstSample *sample, const FalArea *part)
{
  GstCaps *caps = gst_sample_get_caps (sample);
  GstBuffer *buffer = gst_sample_get_buffer (sample);

  if (caps == NULL || gst_caps_get_size (caps) == 0 || buffer == NULL)
    return NULL;
  prepare (difference, caps);
  if (difference->kind != READ_NOT)
    return reduce_raw (difference, buffer, part);
  if (gst_structure_has_name (gst_caps_get_structure (caps, 0), "video/x-raw"))
    return NULL;
  return reduce_picture (difference, buffer, part);
}

FalSignature *
fal_difference_reduce (FalDifference *difference, GstSample *sample, const FalArea *part)
{
  FalSignature *signature = reduce (difference, sample, part);

  if (signature != NULL)
    signature->part = *part;
  return signature;
}

/* ---- two signatures ---- */

/* What was before times @gain and with @offset is what is expected now. */
typedef struct {
  gdouble gain, offset;
} Line;

/* Every so many means, of all parts of the picture. */
static gsize
get_stride (gsize n)
{
  gsize stride = MAX (n / SOME, 1);

  return stride > 1 ? stride | 1 : stride;
}

/* The line that fits best what is no further than @most from @line; and *@far, the mean distance of
 * these from @line. FALSE: there are none. */
static gboolean
fit_line (
    const FalSignature *before, const FalSignature *after, gdouble most, Line *line, gdouble *far)
{
  gsize n = (gsize) before->columns * before->rows;
  const gdouble doubt = CONTRAST * CONTRAST * LEVEL * LEVEL;
  gdouble count = 0, x = 0, y = 0, xx = 0, xy = 0, off = 0, spread;

  for (gsize i = 0; i < n; i += get_stride (n)) {
    gdouble from = before->means[i], to = after->means[i];
    gdouble distance = ABS (to - line->gain * from - line->offset);

    if (distance > most)
      continue;
    count++;
    x += from;
    y += to;
    xx += from * from;
    xy += from * to;
    off += distance;
  }
  if (count == 0)
    return FALSE;
  spread = xx - x * x / count;
  line->gain = (xy - x * y / count + doubt * count) / (spread + doubt * count);
  line->offset = (y - line->gain * x) / count;
  *far = off / count;
  return TRUE;
}

/* Flicker moves black and white by no more than it may: beyond that it is a change. */
static void
limit_line (Line *line)
{
  const gdouble most = FAL_DIFFERENCE_FLICKER * LEVEL, white = 255 * LEVEL;
  gdouble black = CLAMP (line->offset, -most, most);
  gdouble bright = CLAMP (line->gain * white + line->offset - white, -2 * most, 2 * most);

  line->offset = black;
  line->gain = (white + bright - black) / white;
}

/* What lamps and exposure made of the whole picture, whatever moved in it. */
static Line
find_flicker (const FalSignature *before, const FalSignature *after)
{
  Line line = { 1, 0 };
  gdouble most = G_MAXDOUBLE, far;

  for (guint i = 0; i < FITS && fit_line (before, after, most, &line, &far); i++)
    most = i == 0 ? G_MAXDOUBLE : MAX (2 * far, LEVEL);
  limit_line (&line);
  return line;
}

/* Rows of @signature's means hold so many windows. */
static gint
count_windows (const FalSignature *signature)
{
  return signature->columns - 1;
}

static void
differ (FalDifference *difference, const FalSignature *before, const FalSignature *after,
    const Line *line, gint row)
{
  gsize at = (gsize) row * before->columns;

  fal_block_sums_differ (difference->off + (row & 1) * before->columns, before->means + at,
      after->means + at, (gint) (line->gain * GAIN + 0.5), (gint) floor (line->offset + 0.5),
      before->columns);
}

/* By how much the windows differ: each value of @counts says how many do by that much, of some of
 * them. Returns the most of all, as sums of four means. */
static guint
count_changes (FalDifference *difference, const FalSignature *before, const FalSignature *after,
    const Line *line, guint *counts)
{
  gint n = count_windows (before);
  gsize stride = get_stride ((gsize) n * (before->rows - 1)), next = 0;
  guint most = 0;

  differ (difference, before, after, line, 0);
  for (gint row = 1; row < before->rows; row++, next -= n) {
    guint changed;

    differ (difference, before, after, line, row);
    changed = fal_block_sums_join (
        difference->windows, difference->off, difference->off + before->columns, n);
    most = MAX (most, changed);
    for (; next < (gsize) n; next += stride)
      counts[MIN (difference->windows[next], NOISE)]++;
  }
  return most;
}

/* Twice the median, as far as it may be noise. */
static guint
find_noise (const guint *counts)
{
  guint n = 0, below = 0, median = 0;

  for (guint i = 0; i <= NOISE; i++)
    n += counts[i];
  while (median < NOISE && (below += counts[median]) <= n / 2)
    median++;
  return MIN (2 * median, NOISE);
}

static gdouble
compare_means (FalDifference *difference, const FalSignature *before, const FalSignature *after)
{
  Line line = find_flicker (before, after);
  guint counts[NOISE + 1] = { 0 }, most, noise;

  g_free (difference->off);
  g_free (difference->windows);
  difference->off = g_new (gint16, 2 * (gsize) before->columns);
  difference->windows = g_new (guint16, before->columns);
  most = count_changes (difference, before, after, &line, counts);
  noise = find_noise (counts);
  return (most - MIN (most, noise)) / (4.0 * LEVEL);
}

gdouble
fal_difference_compare (
    FalDifference *difference, const FalSignature *before, const FalSignature *after)
{
  if (before == NULL || after == NULL || !gst_caps_is_equal (before->caps, after->caps) ||
      memcmp (&before->part, &after->part, sizeof before->part) != 0 ||
      before->columns != after->columns || before->rows != after->rows)
    return G_MAXDOUBLE;
  if (before->columns > 0)
    return compare_means (difference, before, after);
  return before->hash == after->hash ? 0 : G_MAXDOUBLE;
}
