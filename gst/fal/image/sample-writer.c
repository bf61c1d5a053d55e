/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each component is a weighted sum of red, green, blue and alpha: what black is in it is alpha's
 * part, since all is premultiplied. Subsampled ones are made of the sums of their pixels. */
#include "sample-writer.h"
#include "overlay-rows.h"

#include <math.h>
#include <string.h>

enum { RED, GREEN, BLUE, ALPHA, N_COLOURS };

#define MAX_BLOCK 4 /* rows */

struct _FalSampleWriter {
  const FalOverlayRows *rows;
  FalPlaneLayout layout;
  gint width;
  gint at[N_COLOURS]; /* of a pixel's bytes */
  gboolean same;      /* pixels of the frame are as those that come */
  FalRowMatrix matrices[4];
  guint16 *bytes[MAX_BLOCK][4]; /* of each row of a block, those of the pixels */
  guint16 *sums[4];             /* of these rows */
  guint16 *gathered[4];
  guint8 *components[4]; /* a row of each, of words where the layout is wide */
  guint8 *woven;         /* a row of two components */
};

gint
fal_sample_writer_find_alpha (GstVideoFormat format)
{
  switch (format) {
  case GST_VIDEO_FORMAT_RGBx:
  case GST_VIDEO_FORMAT_BGRx:
  case GST_VIDEO_FORMAT_RGBA:
  case GST_VIDEO_FORMAT_BGRA:
    return 3;
  case GST_VIDEO_FORMAT_xRGB:
  case GST_VIDEO_FORMAT_xBGR:
  case GST_VIDEO_FORMAT_ARGB:
  case GST_VIDEO_FORMAT_ABGR:
    return 0;
  default:
    return -1;
  }
}

/* ---- Colours ---- */

/* A component of red, green and blue, 0 to 1: in its full swing, and of its own zero. */
typedef struct {
  gdouble weights[3];
  gdouble swing, zero;
} Component;

static gboolean
describe_yuv (Component *component, const GstVideoInfo *frame, guint index)
{
  gboolean full = frame->colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255;
  gdouble kr, kb;

  if (!gst_video_color_matrix_get_Kr_Kb (frame->colorimetry.matrix, &kr, &kb))
    return FALSE;
  if (index == 0)
    *component = (Component) { { kr, 1 - kr - kb, kb }, full ? 255 : 219, full ? 0 : 16 };
  else if (index == 1)
    *component = (Component) { { -kr / (2 * (1 - kb)), (kr + kb - 1) / (2 * (1 - kb)), 0.5 },
      full ? 255 : 224, 128 };
  else
    *component = (Component) { { 0.5, (kr + kb - 1) / (2 * (1 - kr)), -kb / (2 * (1 - kr)) },
      full ? 255 : 224, 128 };
  return TRUE;
}

static gboolean
describe (Component *component, const GstVideoInfo *frame, guint index)
{
  gboolean full = frame->colorimetry.range != GST_VIDEO_COLOR_RANGE_16_235;

  if (GST_VIDEO_INFO_IS_YUV (frame) || GST_VIDEO_INFO_IS_GRAY (frame))
    return describe_yuv (component, frame, index);
  *component = (Component) { { 0 }, full ? 255 : 219, full ? 0 : 16 };
  component->weights[index] = 1;
  return TRUE;
}

/* A value of 8 bits in those of a sample: all of them set is all of them set, other values go on in
 * zeros. */
static gdouble
widen (gdouble value, guint depth)
{
  return value == 255 ? (1 << depth) - 1 : value * (1 << (depth - 8));
}

/* @at: of the colours in a pixel. @pixels: shift, of how many are summed up. */
static void
set_matrix (FalRowMatrix *matrix, const Component *c, const gint *at, const FalPlaneLayout *layout,
    guint pixels)
{
  guint shift = MIN (16, 30 - layout->depth - pixels);

  for (guint i = 0; i < 3; i++)
    matrix->weights[at[i]] =
        lround (widen (c->swing, layout->depth) * (1 << shift) * c->weights[i] / 255);
  matrix->weights[at[ALPHA]] = lround (widen (c->zero, layout->depth) * (1 << shift) / 255);
  matrix->shift = shift + pixels;
  matrix->left = layout->shift;
  matrix->max = (1 << layout->depth) - 1;
}

static gboolean
set_matrices (FalSampleWriter *writer, const GstVideoInfo *frame)
{
  const FalPlaneLayout *layout = &writer->layout;

  for (guint i = 0; i < layout->n_components; i++) {
    Component c = { { 0 }, 0, 255 }; /* as alpha is */
    gboolean sub = fal_plane_layout_is_subsampled (layout, i);

    if ((gint) i != layout->alpha && !describe (&c, frame, i))
      return FALSE;
    set_matrix (
        &writer->matrices[i], &c, writer->at, layout, sub ? layout->w_sub + layout->h_sub : 0);
  }
  return TRUE;
}

/* ---- Life ---- */

/* Whether the colours are at the same places, in the same range. */
static gboolean
has_same_bytes (const GstVideoInfo *frame, GstVideoFormat format)
{
  const GstVideoFormatInfo *pixels = gst_video_format_get_info (format), *own = frame->finfo;

  if (!GST_VIDEO_FORMAT_INFO_IS_RGB (own) ||
      frame->colorimetry.range == GST_VIDEO_COLOR_RANGE_16_235 ||
      fal_sample_writer_find_alpha (GST_VIDEO_FORMAT_INFO_FORMAT (own)) !=
          fal_sample_writer_find_alpha (format))
    return FALSE;
  for (guint i = 0; i < 3; i++) {
    if (GST_VIDEO_FORMAT_INFO_POFFSET (own, i) != GST_VIDEO_FORMAT_INFO_POFFSET (pixels, i))
      return FALSE;
  }
  return TRUE;
}

gboolean
fal_sample_writer_is_copy (const GstVideoInfo *frame, GstVideoFormat format)
{
  return has_same_bytes (frame, format) && !GST_VIDEO_INFO_HAS_ALPHA (frame);
}

static void
find_bytes (FalSampleWriter *writer, const GstVideoInfo *frame, GstVideoFormat format)
{
  const GstVideoFormatInfo *pixels = gst_video_format_get_info (format);

  writer->at[ALPHA] = fal_sample_writer_find_alpha (format);
  writer->same = has_same_bytes (frame, format);
  for (guint i = 0; i < 3; i++)
    writer->at[i] = GST_VIDEO_FORMAT_INFO_POFFSET (pixels, i);
}

static gboolean
make_rows (FalSampleWriter *writer)
{
  gsize row = (gsize) writer->width * sizeof (guint16);
  gboolean done = TRUE;

  for (guint i = 0; i < 4; i++) {
    for (guint y = 0; y < 1u << writer->layout.h_sub; y++)
      done = (writer->bytes[y][i] = g_try_malloc (row)) && done;
    done = (writer->sums[i] = g_try_malloc (row)) && done;
    done = (writer->gathered[i] = g_try_malloc (row)) && done;
    done = (writer->components[i] = g_try_malloc (row)) && done;
  }
  writer->woven = g_try_malloc (row);
  return done && writer->woven != NULL;
}

FalSampleWriter *
fal_sample_writer_new (
    const GstVideoInfo *frame, const FalPlaneLayout *layout, GstVideoFormat format, gint width)
{
  FalSampleWriter *writer = g_new0 (FalSampleWriter, 1);

  writer->rows = fal_overlay_rows_get ();
  writer->layout = *layout;
  writer->width = width;
  find_bytes (writer, frame, format);
  if (set_matrices (writer, frame) && make_rows (writer))
    return writer;
  fal_sample_writer_free (writer);
  return NULL;
}

void
fal_sample_writer_free (FalSampleWriter *writer)
{
  for (guint i = 0; i < 4; i++) {
    for (guint y = 0; y < MAX_BLOCK; y++)
      g_free (writer->bytes[y][i]);
    g_free (writer->sums[i]);
    g_free (writer->gathered[i]);
    g_free (writer->components[i]);
  }
  g_free (writer->woven);
  g_free (writer);
}

/* ---- Rows ---- */

static void
convert (FalSampleWriter *writer, guint component, guint16 *const *colours, gint width)
{
  const guint16 *const in[4] = { colours[0], colours[1], colours[2], colours[3] };
  const FalRowMatrix *matrix = &writer->matrices[component];

  if (writer->layout.wide)
    writer->rows->convert16 ((guint16 *) writer->components[component], in, matrix, width);
  else
    writer->rows->convert (writer->components[component], in, matrix, width);
}

/* @n: elements of each of the rows @in. */
static void
weave (FalSampleWriter *writer, guint8 *out, const guint8 *const *in, guint step, gint n)
{
  if (writer->layout.wide)
    writer->rows->weave16 ((guint16 *) out, (const guint16 *const *) in, step, n);
  else
    writer->rows->weave (out, in, step, n);
}

/* @mask: of the row, for the element that is no component's. */
static void
write_plane_row (FalSampleWriter *writer, const FalPlane *plane, guint8 *out, const guint8 *mask)
{
  const guint8 *in[4];

  for (guint i = 0; i < plane->step; i++) {
    gint component = plane->component[i];

    in[i] = component < 0 ? mask : writer->components[component];
    if (plane->dense && component > 0) {
      const guint8 *both[2] = { in[i], writer->components[plane->alternate] };

      weave (writer, writer->woven, both, 2, writer->width / 2);
      in[i] = writer->woven;
    }
  }
  weave (writer, out, in, plane->step, writer->width >> plane->w_sub);
}

static void
gather (FalSampleWriter *writer)
{
  guint w_sub = writer->layout.w_sub;

  for (guint i = 0; i < 4; i++) {
    const guint16 *sums = writer->bytes[0][i];

    if (writer->layout.h_sub != 0) {
      memcpy (writer->sums[i], sums, writer->width * sizeof (guint16));
      sums = writer->sums[i];
    }
    for (guint y = 1; y < 1u << writer->layout.h_sub; y++)
      writer->rows->sum16 (writer->sums[i], writer->bytes[y][i], writer->width);
    writer->rows->gather (writer->gathered[i], sums, w_sub, writer->width >> w_sub);
  }
}

/* The components that are subsampled. */
static void
convert_grid (FalSampleWriter *writer, const FalSampleBlock *block)
{
  const FalPlaneLayout *layout = &writer->layout;
  gint width = writer->width >> layout->w_sub;

  for (guint i = 1; i < MIN (3, layout->n_components); i++)
    convert (writer, i, writer->gathered, width);
  writer->rows->mean (block->chroma_mask, writer->gathered[writer->at[ALPHA]],
      layout->w_sub + layout->h_sub, width);
}

/* @y: of the block. */
static void
write_row (FalSampleWriter *writer, const guint8 *row, guint y, const FalSampleBlock *block)
{
  const FalPlaneLayout *layout = &writer->layout;
  guint8 *mask = block->mask + y * block->mask_stride;

  writer->rows->take (mask, row, writer->at[ALPHA], writer->width);
  if (writer->same) {
    memcpy (block->planes[0] + y * block->strides[0], row, 4 * (gsize) writer->width);
    return;
  }
  for (guint i = 0; i < layout->n_components; i++) {
    if (!fal_plane_layout_is_subsampled (layout, i))
      convert (writer, i, writer->bytes[y], writer->width);
  }
  for (guint i = 0; i < layout->n_planes; i++) {
    if (y % (1u << layout->planes[i].h_sub) == 0)
      write_plane_row (writer, &layout->planes[i],
          block->planes[i] + (y >> layout->planes[i].h_sub) * block->strides[i], mask);
  }
}

void
fal_sample_writer_write (
    FalSampleWriter *writer, const guint8 *rows, gsize stride, const FalSampleBlock *block)
{
  const FalPlaneLayout *layout = &writer->layout;

  for (guint y = 0; y < 1u << layout->h_sub && !writer->same; y++)
    writer->rows->split (writer->bytes[y], rows + y * stride, writer->width);
  if (block->chroma_mask != NULL) {
    gather (writer);
    convert_grid (writer, block);
  }
  for (guint y = 0; y < 1u << layout->h_sub; y++)
    write_row (writer, rows + y * stride, y, block);
}
