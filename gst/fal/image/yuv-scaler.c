/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scales a YUV frame in one pass, in bands of sixteen rows of the output. A band is scaled
 * vertically as its bytes lie in memory, then transposed and scaled horizontally with the sixteen
 * rows side by side, so that the compiler makes vector code of both. The colours are converted
 * afterwards, plane by plane. Built with -O3. */
#include "yuv-scaler.h"
#include "color-matrix.h"
#include "scale-filter.h"

#include <string.h>

#define BAND 16 /* rows that are scaled together */
#define BLOCK 8 /* rows and columns that are transposed together */
#define ONE FAL_SCALE_FILTER_ONE

/* A plane of the output, and the component of the frame that it is made of. */
typedef struct {
  guint component;
  gint x, y, width, height; /* the part of the component that is used, in its samples */
  gint columns, rows;       /* of @data: the output's, rounded up to whole blocks and bands */
  FalScaleFilter across, down;
  guint8 *data;

  guint8 *canvas; /* the plane with its black bars; NULL: there are none, @data is all of it */
  gint canvas_stride, canvas_rows;
  gint to_x, to_y, to_width, to_height;
  gint copied_width, copied_height;
} Plane;

struct _FalYuvScaler {
  Plane planes[3];
  FalColorMatrix matrix;
  /* Buffers for one band. */
  guint16 *sums;
  guint8 *band, *line, *columns, *transposed;
  gint16 *luma_offsets; /* what chroma adds to a row of luma */
  gsize row_size;       /* bytes of one row of these buffers, a multiple of 16 */
};

/* Vectors of GCC and clang, which work on any processor. A column of a band is a vector of bytes;
 * of words while it is summed up. */
typedef guint8 Bytes __attribute__ ((vector_size (BAND)));
typedef guint16 Words __attribute__ ((vector_size (2 * BAND)));
/* For the transposition of a block of eight by eight bytes: vectors of bytes, of pairs and of
 * fours, as rows are interleaved; of two numbers, to load a row; and a half column of two fours. */
typedef guint8 Rows __attribute__ ((vector_size (16)));
typedef guint16 Pairs __attribute__ ((vector_size (16)));
typedef guint32 Fours __attribute__ ((vector_size (16)));
typedef guint64 Longs __attribute__ ((vector_size (16)));
typedef guint32 Column __attribute__ ((vector_size (BLOCK)));

/* For all that runs for each sample. Inlined, so that it is compiled once for any processor and
 * once more for those with AVX2. */
#define HOT static inline __attribute__ ((always_inline))

/* ---- Scaling ---- */

HOT void
add_row (guint16 *restrict sums, const guint8 *restrict row, guint weight, gsize size)
{
  for (gsize i = 0; i < size; i++)
    sums[i] += row[i] * weight;
}

HOT void
start_row (guint16 *restrict sums, const guint8 *restrict row, guint weight, gsize size)
{
  for (gsize i = 0; i < size; i++)
    sums[i] = row[i] * weight + ONE / 2;
}

HOT void
finish_row (guint8 *restrict row, const guint16 *restrict sums, gsize size)
{
  for (gsize i = 0; i < size; i++)
    row[i] = sums[i] / ONE;
}

/* @top: the first sample of the part of the frame that is used; @size: bytes of a row. */
HOT void
scale_vertically (FalYuvScaler *scaler, const Plane *plane, const guint8 *top, gint stride,
    gsize size, gint first_row)
{
  const FalScaleFilter *down = &plane->down;

  for (gint i = 0; i < BAND; i++) {
    const guint8 *row = top + (gssize) down->first[first_row + i] * stride;
    const guint16 *weights = down->weights + (gsize) (first_row + i) * down->n_taps;
    guint8 *out = scaler->band + i * scaler->row_size;

    if (down->n_taps == 1) {
      memcpy (out, row, size);
      continue;
    }
    start_row (scaler->sums, row, weights[0], size);
    for (gint k = 1; k < down->n_taps; k++)
      add_row (scaler->sums, row + (gssize) k * stride, weights[k], size);
    finish_row (out, scaler->sums, size);
  }
}

/* Loaded as a number first: otherwise gcc copies through the stack. */
HOT Rows
load_row (const guint8 *row)
{
  guint64 bytes;

  memcpy (&bytes, row, BLOCK);
  return (Rows) (Longs){ bytes, 0 };
}

HOT Pairs
pair (const guint8 *one, const guint8 *other)
{
  return (Pairs) __builtin_shufflevector (
      load_row (one), load_row (other), 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

/* Four columns from their upper and lower halves. */
HOT void
put_columns (guint8 *out, gsize stride, Fours upper, Fours lower)
{
  Column columns[4] = {
    __builtin_shufflevector (upper, lower, 0, 4),
    __builtin_shufflevector (upper, lower, 1, 5),
    __builtin_shufflevector (upper, lower, 2, 6),
    __builtin_shufflevector (upper, lower, 3, 7),
  };

  for (gint i = 0; i < 4; i++)
    memcpy (out + i * stride, &columns[i], BLOCK);
}

/* Transposes a block of eight by eight bytes. */
HOT void
transpose (const guint8 *in, gsize in_stride, guint8 *out, gsize out_stride)
{
  Pairs a = pair (in, in + in_stride), b = pair (in + 2 * in_stride, in + 3 * in_stride);
  Pairs c = pair (in + 4 * in_stride, in + 5 * in_stride);
  Pairs d = pair (in + 6 * in_stride, in + 7 * in_stride);

  put_columns (out, out_stride, (Fours) __builtin_shufflevector (a, b, 0, 8, 1, 9, 2, 10, 3, 11),
      (Fours) __builtin_shufflevector (c, d, 0, 8, 1, 9, 2, 10, 3, 11));
  put_columns (out + 4 * out_stride, out_stride,
      (Fours) __builtin_shufflevector (a, b, 4, 12, 5, 13, 6, 14, 7, 15),
      (Fours) __builtin_shufflevector (c, d, 4, 12, 5, 13, 6, 14, 7, 15));
}

HOT void
transpose_band (const guint8 *in, gsize in_stride, guint8 *out, gint width)
{
  for (gint x = 0; x < width; x += BLOCK)
    for (gint y = 0; y < BAND; y += BLOCK)
      transpose (in + y * in_stride + x, in_stride, out + (gsize) x * BAND + y, BAND);
}

HOT void
transpose_back (const guint8 *in, guint8 *out, gsize out_stride, gint width)
{
  for (gint x = 0; x < width; x += BLOCK)
    for (gint y = 0; y < BAND; y += BLOCK)
      transpose (in + (gsize) x * BAND + y, BAND, out + y * out_stride + x, out_stride);
}

/* Packed video has steps of two and four. As constants they let the compiler make vector code. */
#define PICK_EACH(n)                                                                               \
  for (gint x = 0; x < width; x++)                                                                 \
  out[x] = in[(n) *x]

/* Picks one component out of a row that holds several. */
HOT void
pick (guint8 *restrict out, const guint8 *restrict in, gint step, gint width)
{
  if (step == 2)
    PICK_EACH (2);
  else if (step == 4)
    PICK_EACH (4);
  else
    PICK_EACH (step);
}

/* Horizontally: a column of the band at a time. */
HOT void
scale_horizontally (const FalScaleFilter *across, const guint8 *in, guint8 *out, gint columns)
{
  for (gint x = 0; x < columns; x++) {
    const guint8 *from = in + (gsize) across->first[x] * BAND;
    const guint16 *weights = across->weights + (gsize) x * across->n_taps;
    Words sums = { 0 };
    Bytes samples;

    for (gint k = 0; k < across->n_taps; k++) {
      memcpy (&samples, from + k * BAND, BAND);
      sums += __builtin_convertvector(samples, Words) * weights[k];
    }
    samples = __builtin_convertvector((sums + ONE / 2) / ONE, Bytes);
    /* -Wanalyzer-use-of-uninitialized-value: a conversion fills a vector */
    memcpy (out + (gsize) x * BAND, &samples, BAND);
  }
}

/* @offset and @step: of the component in a row of the band. */
HOT void
finish_band (FalYuvScaler *scaler, const Plane *plane, gint offset, gint step, gint first_row)
{
  guint8 *out = plane->data + (gsize) first_row * plane->columns;
  const guint8 *rows = scaler->band + offset;

  if (step > 1) {
    for (gint i = 0; i < BAND; i++)
      pick (scaler->line + i * scaler->row_size, rows + i * scaler->row_size, step, plane->width);
    rows = scaler->line;
  }
  transpose_band (rows, scaler->row_size, scaler->columns, plane->width);
  scale_horizontally (&plane->across, scaler->columns, scaler->transposed, plane->columns);
  transpose_back (scaler->transposed, out, plane->columns, plane->columns);
}

/* Whether the two components lie in the same rows, so that one vertical pass scales both. */
HOT gboolean
lie_together (const GstVideoFrame *frame, const Plane *one, const Plane *other)
{
  return GST_VIDEO_FRAME_COMP_PLANE (frame, one->component) ==
             GST_VIDEO_FRAME_COMP_PLANE (frame, other->component) &&
         one->rows == other->rows;
}

/* Fills the planes from @first up to, but not with, @end: those lie in the same rows. */
HOT void
fill_planes (FalYuvScaler *scaler, const GstVideoFrame *frame, guint first, guint end)
{
  const Plane *plane = &scaler->planes[first];
  gint stride = GST_VIDEO_FRAME_COMP_STRIDE (frame, plane->component);
  gint step = GST_VIDEO_FRAME_COMP_PSTRIDE (frame, plane->component);
  const guint8 *lowest = GST_VIDEO_FRAME_COMP_DATA (frame, plane->component);
  const guint8 *highest = lowest;
  const guint8 *base;

  for (guint i = first; i < end; i++) {
    const guint8 *data = GST_VIDEO_FRAME_COMP_DATA (frame, scaler->planes[i].component);

    lowest = MIN (lowest, data);
    highest = MAX (highest, data);
  }
  base = lowest + (gssize) plane->y * stride + (gssize) plane->x * step;
  for (gint row = 0; row < plane->rows; row += BAND) {
    scale_vertically (scaler, plane, base, stride,
        (gsize) (plane->width - 1) * step + (highest - lowest) + 1, row);
    for (guint i = first; i < end; i++) {
      const guint8 *data = GST_VIDEO_FRAME_COMP_DATA (frame, scaler->planes[i].component);

      finish_band (scaler, &scaler->planes[i], data - lowest, step, row);
    }
  }
}

/* ---- Colours ---- */

HOT guint8
to_byte (gint16 value)
{
  return CLAMP (value, 0, 255);
}

/* What one row of chroma adds to the luma of the columns that it belongs to. */
HOT void
find_luma_offsets (const FalColorMatrix *matrix, gint16 *restrict luma_offsets,
    const guint8 *restrict u, const guint8 *restrict v, gint width)
{
  for (gint x = 0; x < width; x++)
    luma_offsets[x] = (gint16) (matrix->yu * (u[x] - 128) + matrix->yv * (v[x] - 128) + 128);
}

HOT void
convert_luma (
    const FalColorMatrix *matrix, guint8 *row, const gint16 *restrict luma_offsets, gint width)
{
  for (gint x = 0; x < width / 2; x++) {
    gint16 left = row[2 * x] - matrix->black, right = row[2 * x + 1] - matrix->black;

    row[2 * x] = to_byte (left + ((gint16) (left * matrix->yy + luma_offsets[x]) >> 8));
    row[2 * x + 1] = to_byte (right + ((gint16) (right * matrix->yy + luma_offsets[x]) >> 8));
  }
}

HOT void
convert_chroma (const FalColorMatrix *matrix, guint8 *restrict us, guint8 *restrict vs, gint width)
{
  for (gint x = 0; x < width; x++) {
    gint16 u = us[x] - 128, v = vs[x] - 128;

    us[x] = to_byte (128 + u + ((gint16) (u * matrix->uu + v * matrix->uv + 256) >> 9));
    vs[x] = to_byte (128 + v + ((gint16) (u * matrix->vu + v * matrix->vv + 256) >> 9));
  }
}

HOT void
convert (FalYuvScaler *scaler)
{
  const Plane *y = &scaler->planes[0], *u = &scaler->planes[1], *v = &scaler->planes[2];
  const FalColorMatrix *matrix = &scaler->matrix;

  for (gint row = 0; row < u->rows; row++) {
    gsize at = (gsize) row * u->columns;

    find_luma_offsets (matrix, scaler->luma_offsets, u->data + at, v->data + at, u->columns);
    for (gint i = 2 * row; i < MIN (2 * row + 2, y->rows); i++)
      convert_luma (matrix, y->data + (gsize) i * y->columns, scaler->luma_offsets, y->columns);
    convert_chroma (matrix, u->data + at, v->data + at, u->columns);
  }
}

/* ---- Life ---- */

static gboolean
takes (const GstVideoFormatInfo *format)
{
  if (!GST_VIDEO_FORMAT_INFO_IS_YUV (format) || GST_VIDEO_FORMAT_INFO_IS_COMPLEX (format) ||
      GST_VIDEO_FORMAT_INFO_HAS_ALPHA (format) || GST_VIDEO_FORMAT_INFO_IS_TILED (format) ||
      GST_VIDEO_FORMAT_INFO_N_COMPONENTS (format) != 3)
    return FALSE;
  /* GStreamer 1.22 describes VYUY as if it were UYVY. */
  if (GST_VIDEO_FORMAT_INFO_FORMAT (format) == GST_VIDEO_FORMAT_VYUY)
    return FALSE;
  for (guint i = 0; i < 3; i++) {
    if (GST_VIDEO_FORMAT_INFO_DEPTH (format, i) != 8 ||
        GST_VIDEO_FORMAT_INFO_SHIFT (format, i) != 0 ||
        GST_VIDEO_FORMAT_INFO_PSTRIDE (format, i) < 1)
      return FALSE;
  }
  return TRUE;
}

/* @shift: 1 for chroma, which has half as many samples, rounded up; 0 for luma. */
static gint
subsample (gint size, guint shift)
{
  return (size + (1 << shift) - 1) >> shift;
}

static gboolean
make_canvas (Plane *plane, const GstVideoRectangle *to, gint width, gint height, guint shift)
{
  plane->to_x = to->x >> shift;
  plane->to_y = to->y >> shift;
  plane->to_width = subsample (to->w, shift);
  plane->to_height = subsample (to->h, shift);
  if (to->w == width && to->h == height)
    return TRUE;
  /* TurboJPEG rounds an odd luma plane up to an even size. Where the picture reaches that edge it
   * fills the added column or row too: black there would show in the last blocks. */
  plane->canvas_stride = GST_ROUND_UP_2 (width) >> shift;
  plane->canvas_rows = GST_ROUND_UP_2 (height) >> shift;
  plane->copied_width =
      to->x + to->w == width ? plane->canvas_stride - plane->to_x : plane->to_width;
  plane->copied_height =
      to->y + to->h == height ? plane->canvas_rows - plane->to_y : plane->to_height;
  plane->canvas = g_try_malloc_n (plane->canvas_rows, plane->canvas_stride);
  if (plane->canvas == NULL)
    return FALSE;
  memset (plane->canvas, shift == 0 ? 0 : 128, (gsize) plane->canvas_rows * plane->canvas_stride);
  return TRUE;
}

static gboolean
make_plane (
    Plane *plane, guint component, const GstVideoFormatInfo *format, const GstVideoRectangle *from)
{
  plane->component = component;
  plane->x = from->x >> GST_VIDEO_FORMAT_INFO_W_SUB (format, component);
  plane->y = from->y >> GST_VIDEO_FORMAT_INFO_H_SUB (format, component);
  plane->width = GST_VIDEO_FORMAT_INFO_SCALE_WIDTH (format, component, from->w);
  plane->height = GST_VIDEO_FORMAT_INFO_SCALE_HEIGHT (format, component, from->h);
  plane->columns = GST_ROUND_UP_8 (plane->to_width);
  plane->rows = GST_ROUND_UP_16 (plane->to_height);
  fal_scale_filter_init (&plane->across, plane->width, plane->to_width, plane->columns);
  fal_scale_filter_init (&plane->down, plane->height, plane->to_height, plane->rows);
  plane->data = g_try_malloc_n (plane->rows, plane->columns);
  return plane->data != NULL;
}

static gboolean
make_buffers (FalYuvScaler *scaler, const GstVideoInfo *input)
{
  const Plane *luma = &scaler->planes[0];

  /* A row of packed video has up to four bytes for each luma sample. */
  scaler->row_size = GST_ROUND_UP_16 (MAX (4 * (gsize) input->width, (gsize) luma->columns) + 16);
  scaler->sums = g_try_malloc_n (scaler->row_size, sizeof (guint16));
  scaler->luma_offsets = g_try_malloc_n (luma->columns, sizeof (gint16));
  scaler->band = g_try_malloc0_n (scaler->row_size, BAND);
  scaler->line = g_try_malloc0_n (scaler->row_size, BAND);
  scaler->columns = g_try_malloc_n (scaler->row_size, BAND);
  scaler->transposed = g_try_malloc_n (scaler->row_size, BAND);
  return scaler->sums && scaler->luma_offsets && scaler->band && scaler->line && scaler->columns &&
         scaler->transposed;
}

void
fal_yuv_scaler_free (FalYuvScaler *scaler)
{
  for (guint i = 0; i < 3; i++) {
    fal_scale_filter_clear (&scaler->planes[i].across);
    fal_scale_filter_clear (&scaler->planes[i].down);
    g_free (scaler->planes[i].data);
    g_free (scaler->planes[i].canvas);
  }
  g_free (scaler->sums);
  g_free (scaler->luma_offsets);
  g_free (scaler->band);
  g_free (scaler->line);
  g_free (scaler->columns);
  g_free (scaler->transposed);
  g_free (scaler);
}

FalYuvScaler *
fal_yuv_scaler_new (const GstVideoInfo *input, const GstVideoRectangle *from,
    const GstVideoRectangle *to, gint width, gint height)
{
  FalYuvScaler *scaler;
  gboolean done;

  if (!takes (input->finfo))
    return NULL;
  scaler = g_new0 (FalYuvScaler, 1);
  done = fal_color_matrix_init (&scaler->matrix, &input->colorimetry);
  for (guint i = 0; i < 3; i++)
    done = done && make_canvas (&scaler->planes[i], to, width, height, i == 0 ? 0 : 1) &&
           make_plane (&scaler->planes[i], i, input->finfo, from);
  if (done && make_buffers (scaler, input))
    return scaler;
  fal_yuv_scaler_free (scaler);
  return NULL;
}

static void
copy_to_canvas (const Plane *plane)
{
  for (gint row = 0; row < plane->copied_height; row++)
    memcpy (plane->canvas + (gsize) (plane->to_y + row) * plane->canvas_stride + plane->to_x,
        plane->data + (gsize) row * plane->columns, plane->copied_width);
}

HOT void
fill (FalYuvScaler *scaler, const GstVideoFrame *frame)
{
  gboolean together = lie_together (frame, &scaler->planes[1], &scaler->planes[2]);

  fill_planes (scaler, frame, 0, 1);
  fill_planes (scaler, frame, 1, together ? 3 : 2);
  if (!together)
    fill_planes (scaler, frame, 2, 3);
  if (!fal_color_matrix_is_identity (&scaler->matrix))
    convert (scaler);
}

static void
fill_canvases (const FalYuvScaler *scaler)
{
  for (guint i = 0; i < 3; i++) {
    if (scaler->planes[i].canvas != NULL)
      copy_to_canvas (&scaler->planes[i]);
  }
}

void
fal_yuv_scaler_fill_plainly (FalYuvScaler *scaler, const GstVideoFrame *frame)
{
  fill (scaler, frame);
  fill_canvases (scaler);
}

#ifdef __x86_64__

__attribute__ ((target ("avx2"))) static void
fill_with_avx2 (FalYuvScaler *scaler, const GstVideoFrame *frame)
{
  fill (scaler, frame);
}

void
fal_yuv_scaler_fill (FalYuvScaler *scaler, const GstVideoFrame *frame)
{
  if (!__builtin_cpu_supports ("avx2")) {
    fal_yuv_scaler_fill_plainly (scaler, frame);
    return;
  }
  fill_with_avx2 (scaler, frame);
  fill_canvases (scaler);
}

#else

void
fal_yuv_scaler_fill (FalYuvScaler *scaler, const GstVideoFrame *frame)
{
  fal_yuv_scaler_fill_plainly (scaler, frame);
}

#endif

void
fal_yuv_scaler_get (const FalYuvScaler *scaler, const guint8 *data[3], gint strides[3])
{
  for (guint i = 0; i < 3; i++) {
    const Plane *plane = &scaler->planes[i];

    data[i] = plane->canvas != NULL ? plane->canvas : plane->data;
    strides[i] = plane->canvas != NULL ? plane->canvas_stride : plane->columns;
  }
}
