/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A vector of samples at a time, and what is left of a row one by one. Each vector is loaded whole
 * before it is stored, so that a row may be blended in its place. Built with -O3. */
#include "blend.h"
#include "video-frame.h"

#include <string.h>

#define HALF (FAL_BLEND_ALL / 2)

/* Vectors of GCC and clang, which work on any processor: sixteen bytes, eight words; twice as wide
 * while they are summed up. */
#define BYTES 16
#define WORDS 8
typedef guint8 Bytes __attribute__ ((vector_size (BYTES)));
typedef guint16 WideBytes __attribute__ ((vector_size (2 * BYTES)));
typedef guint16 Words __attribute__ ((vector_size (2 * WORDS)));
typedef guint32 WideWords __attribute__ ((vector_size (4 * WORDS)));

/* For all that runs for each sample. Inlined, so that it is compiled once for any processor and
 * once more for those with AVX2. */
#define HOT static inline __attribute__ ((always_inline))

HOT void
blend_bytes (guint8 *to, const guint8 *a, const guint8 *b, guint weight, gsize n)
{
  const guint16 ours = weight, others = FAL_BLEND_ALL - weight;
  gsize i = 0;

  for (; i + BYTES <= n; i += BYTES) {
    Bytes x, y;

    memcpy (&x, a + i, sizeof x);
    memcpy (&y, b + i, sizeof y);
    x = __builtin_convertvector ((__builtin_convertvector (x, WideBytes) * others +
                                     __builtin_convertvector (y, WideBytes) * ours + HALF) /
                                     FAL_BLEND_ALL,
        Bytes);
    memcpy (to + i, &x, sizeof x);
  }
  for (; i < n; i++)
    to[i] = (a[i] * others + b[i] * ours + HALF) / FAL_BLEND_ALL;
}

HOT Words
swap (Words words)
{
  return words << 8 | words >> 8;
}

/* @shift: bits below a sample, which stay 0. @swapped: words are in the other byte order than the
 * machine's; a constant wherever this is inlined. */
HOT void
blend_words (guint16 *to, const guint16 *a, const guint16 *b, guint weight, gsize n, guint shift,
    gboolean swapped)
{
  const guint32 ours = weight, others = FAL_BLEND_ALL - weight, half = (guint32) HALF << shift;
  const guint16 mask = (guint16) (G_MAXUINT16 << shift);
  gsize i = 0;

  for (; i + WORDS <= n; i += WORDS) {
    Words x, y;

    memcpy (&x, a + i, sizeof x);
    memcpy (&y, b + i, sizeof y);
    if (swapped) {
      x = swap (x);
      y = swap (y);
    }
    x = __builtin_convertvector ((__builtin_convertvector (x, WideWords) * others +
                                     __builtin_convertvector (y, WideWords) * ours + half) /
                                     FAL_BLEND_ALL,
            Words) &
        mask;
    if (swapped)
      x = swap (x);
    memcpy (to + i, &x, sizeof x);
  }
  for (; i < n; i++) {
    guint32 x = swapped ? GUINT16_SWAP_LE_BE (a[i]) : a[i];
    guint32 y = swapped ? GUINT16_SWAP_LE_BE (b[i]) : b[i];

    x = (x * others + y * ours + half) / FAL_BLEND_ALL & mask;
    to[i] = swapped ? GUINT16_SWAP_LE_BE (x) : x;
  }
}

/* ---- Rows ---- */

/* How the samples of a format lie in memory. */
typedef struct {
  guint size; /* bytes of a sample, 1 or 2; 0: they have none of their own */
  guint shift;
  gboolean swapped;
} Samples;

/* @n: samples of a row. */
HOT void
blend_row (guint8 *to, const guint8 *a, const guint8 *b, guint weight, gsize n, Samples samples)
{
  if (samples.size == 1)
    blend_bytes (to, a, b, weight, n);
  else if (samples.swapped)
    blend_words (
        (guint16 *) to, (const guint16 *) a, (const guint16 *) b, weight, n, samples.shift, TRUE);
  else
    blend_words (
        (guint16 *) to, (const guint16 *) a, (const guint16 *) b, weight, n, samples.shift, FALSE);
}

static void
blend_row_plainly (
    guint8 *to, const guint8 *a, const guint8 *b, guint weight, gsize n, Samples samples)
{
  blend_row (to, a, b, weight, n, samples);
}

#ifdef __x86_64__

__attribute__ ((target ("avx2"))) static void
blend_row_with_avx2 (
    guint8 *to, const guint8 *a, const guint8 *b, guint weight, gsize n, Samples samples)
{
  blend_row (to, a, b, weight, n, samples);
}

static void
blend_row_fast (
    guint8 *to, const guint8 *a, const guint8 *b, guint weight, gsize n, Samples samples)
{
  if (__builtin_cpu_supports ("avx2"))
    blend_row_with_avx2 (to, a, b, weight, n, samples);
  else
    blend_row_plainly (to, a, b, weight, n, samples);
}

#else
#define blend_row_fast blend_row_plainly
#endif

static const Samples bytes = { 1 }, words = { 2 };

void
fal_blend_rows8 (guint8 *to, const guint8 *a, const guint8 *b, guint weight, gsize n)
{
  blend_row_fast (to, a, b, weight, n, bytes);
}

void
fal_blend_rows8_plainly (guint8 *to, const guint8 *a, const guint8 *b, guint weight, gsize n)
{
  blend_row_plainly (to, a, b, weight, n, bytes);
}

void
fal_blend_rows16 (guint16 *to, const guint16 *a, const guint16 *b, guint weight, gsize n)
{
  blend_row_fast ((guint8 *) to, (const guint8 *) a, (const guint8 *) b, weight, n, words);
}

void
fal_blend_rows16_plainly (guint16 *to, const guint16 *a, const guint16 *b, guint weight, gsize n)
{
  blend_row_plainly ((guint8 *) to, (const guint8 *) a, (const guint8 *) b, weight, n, words);
}

/* ---- Pictures ---- */

/* Whether each sample of @plane has @size bytes to itself: between two samples of the component
 * that has the fewest there is room for all. */
static gboolean
has_room (const GstVideoFormatInfo *format, guint plane, gint size)
{
  gint widest = 0, used = 0;

  for (guint i = 0; i < GST_VIDEO_FORMAT_INFO_N_COMPONENTS (format); i++)
    if (GST_VIDEO_FORMAT_INFO_PLANE (format, i) == plane)
      widest = MAX (widest, GST_VIDEO_FORMAT_INFO_PSTRIDE (format, i));
  for (guint i = 0; i < GST_VIDEO_FORMAT_INFO_N_COMPONENTS (format); i++)
    if (GST_VIDEO_FORMAT_INFO_PLANE (format, i) == plane)
      used += size * (widest / MAX (GST_VIDEO_FORMAT_INFO_PSTRIDE (format, i), 1));
  return widest >= size && used <= widest;
}

static gboolean
are_all_alike (const GstVideoFormatInfo *format)
{
  for (guint i = 1; i < GST_VIDEO_FORMAT_INFO_N_COMPONENTS (format); i++)
    if (GST_VIDEO_FORMAT_INFO_DEPTH (format, i) != GST_VIDEO_FORMAT_INFO_DEPTH (format, 0) ||
        GST_VIDEO_FORMAT_INFO_SHIFT (format, i) != GST_VIDEO_FORMAT_INFO_SHIFT (format, 0))
      return FALSE;
  return TRUE;
}

/* Up to GStreamer 1.22 at least v216 and Y210 are described as if they were big-endian, and Y210 as
 * if its samples were the low bits of a word. */
static gboolean
is_little_endian (const GstVideoFormatInfo *format)
{
  GstVideoFormat name = GST_VIDEO_FORMAT_INFO_FORMAT (format);

  return GST_VIDEO_FORMAT_INFO_IS_LE (format) || name == GST_VIDEO_FORMAT_v216 ||
         name == GST_VIDEO_FORMAT_Y210;
}

static guint
get_shift (const GstVideoFormatInfo *format)
{
  if (GST_VIDEO_FORMAT_INFO_FORMAT (format) == GST_VIDEO_FORMAT_Y210)
    return 6;
  return GST_VIDEO_FORMAT_INFO_SHIFT (format, 0);
}

static Samples
find_samples (const GstVideoFormatInfo *format)
{
  guint depth = GST_VIDEO_FORMAT_INFO_DEPTH (format, 0);
  Samples samples = { depth > 8 ? 2 : 1 };

  if (GST_VIDEO_FORMAT_INFO_IS_COMPLEX (format) || GST_VIDEO_FORMAT_INFO_IS_TILED (format) ||
      GST_VIDEO_FORMAT_INFO_HAS_PALETTE (format) || depth < 8 || depth > 16 ||
      !are_all_alike (format))
    return (Samples) { 0 };
  for (guint i = 0; i < GST_VIDEO_FORMAT_INFO_N_PLANES (format); i++)
    if (!has_room (format, i, samples.size))
      return (Samples) { 0 };
  if (samples.size == 2) {
    samples.shift = get_shift (format);
    samples.swapped = is_little_endian (format) != (G_BYTE_ORDER == G_LITTLE_ENDIAN);
  }
  return samples;
}

gboolean
fal_blend_can (const GstVideoInfo *info)
{
  return find_samples (info->finfo).size > 0;
}

/* Bytes of a row of @plane, and its rows. */
static void
find_size (const GstVideoInfo *info, guint plane, gsize *row, gint *rows)
{
  const GstVideoFormatInfo *format = info->finfo;

  *row = *rows = 0;
  for (guint i = 0; i < GST_VIDEO_FORMAT_INFO_N_COMPONENTS (format); i++) {
    if (GST_VIDEO_FORMAT_INFO_PLANE (format, i) != plane)
      continue;
    *row = MAX (*row,
        (gsize) GST_VIDEO_INFO_COMP_WIDTH (info, i) * GST_VIDEO_FORMAT_INFO_PSTRIDE (format, i));
    *rows = GST_VIDEO_INFO_COMP_HEIGHT (info, i);
  }
}

static const guint8 *
get_row (const GstVideoFrame *frame, guint plane, gint y)
{
  return (const guint8 *) GST_VIDEO_FRAME_PLANE_DATA (frame, plane) +
         (gssize) y * GST_VIDEO_FRAME_PLANE_STRIDE (frame, plane);
}

static void
blend_planes (GstVideoFrame *to, const GstVideoFrame *a, const GstVideoFrame *b, guint weight)
{
  Samples samples = find_samples (to->info.finfo);

  for (guint plane = 0; plane < GST_VIDEO_FRAME_N_PLANES (to); plane++) {
    gsize row;
    gint rows;

    find_size (&to->info, plane, &row, &rows);
    for (gint y = 0; y < rows; y++)
      blend_row_fast ((guint8 *) get_row (to, plane, y), get_row (a, plane, y),
          get_row (b, plane, y), weight,
          /* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): their size is 1 or 2 */
          row / samples.size, samples);
  }
}

/* Its memory is 0 before: nothing goes out between and behind the rows that is not of the picture.
 */
static GstBuffer *
make_mean (const GstVideoInfo *info, const GstVideoFrame *a, const GstVideoFrame *b, guint weight)
{
  GstVideoFrame frame;
  GstBuffer *mean;

  if (!fal_video_frame_make (&frame, info, NULL))
    return NULL;
  blend_planes (&frame, a, b, weight);
  mean = gst_buffer_ref (frame.buffer);
  fal_video_frame_clear (&frame);
  return mean;
}

GstBuffer *
fal_blend_pictures (const GstVideoInfo *info, GstBuffer *a, GstBuffer *b, guint weight)
{
  GstBuffer *mean = NULL;
  GstVideoFrame from, to;

  if (!gst_video_frame_map (&from, info, a, GST_MAP_READ))
    return NULL;
  if (gst_video_frame_map (&to, info, b, GST_MAP_READ)) {
    mean = make_mean (info, &from, &to, weight);
    gst_video_frame_unmap (&to);
  }
  gst_video_frame_unmap (&from);
  if (mean != NULL)
    fal_video_frame_copy_metadata (b, mean);
  return mean;
}
