/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Planes: one pass over a camera's frame, in bands of sixteen rows of the result. A band is scaled
 * down its columns as the bytes lie, then along its rows with the sixteen side by side, so that
 * the compiler makes vector code of both; the colours follow plane by plane. The filter is a
 * triangle as wide as the scale asks for (what "linear" is in GStreamer). Built with -O3. */
#include "yuv-scaler.h"
#include "color-matrix.h"
#include "scale-filter.h"

#include <string.h>

#define BAND 16 /* rows that are scaled together */
#define BLOCK 8 /* rows and columns that are turned together */
#define ONE FAL_SCALE_FILTER_ONE

/* A plane of the result, and the component of the frame that it is taken from. */
typedef struct {
  guint component;
  gint x, y, width, height; /* what of the component is seen, in its samples */
  gint columns, rows;       /* of the result, multiples of BAND */
  FalScaleFilter across, down;
  guint8 *data;

  guint8 *canvas; /* black, with a place for the result; NULL: it has no bars */
  gint canvas_stride, canvas_rows;
  gint to_x, to_y, to_width, to_height;
  gint copied_width, copied_height;
} Plane;

struct _FalYuvScaler {
  Plane planes[3];
  FalColorMatrix colours;
  /* For one band, as wide as the widest row of the frame and of the result. */
  guint16 *sums;
  guint8 *band, *line, *columns, *turned;
  gint16 *tints; /* what the chroma adds to a row of luma */
  gsize room;
};

/* GCC and clang have vectors in C, whatever the processor has. A column of a band is one of bytes,
 * and one of words on the way. */
typedef guint8 Bytes __attribute__ ((vector_size (BAND)));
typedef guint16 Words __attribute__ ((vector_size (2 * BAND)));
/* Of a block of eight by eight: two rows beside each other, the same by pairs of rows and by four,
 * a column. */
typedef guint8 Rows __attribute__ ((vector_size (16)));
typedef guint16 Pairs __attribute__ ((vector_size (16)));
typedef guint32 Fours __attribute__ ((vector_size (16)));
typedef guint64 Longs __attribute__ ((vector_size (16)));
typedef guint32 Column __attribute__ ((vector_size (BLOCK)));

/* Made twice, for any processor and for newer ones: all that runs for each sample. */
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

/* @top: where the part of the frame that is seen begins; @size: bytes of its rows. */
HOT void
scale_down (FalYuvScaler *planes, const Plane *plane, const guint8 *top, gint stride, gsize size,
    gint first_row)
{
  const FalScaleFilter *down = &plane->down;

  for (gint i = 0; i < BAND; i++) {
    const guint8 *row = top + (gssize) down->first[first_row + i] * stride;
    const guint16 *weights = down->parts + (gsize) (first_row + i) * down->n_taps;
    guint8 *out = planes->band + i * planes->room;

    if (down->n_taps == 1) {
      memcpy (out, row, size);
      continue;
    }
    start_row (planes->sums, row, weights[0], size);
    for (gint k = 1; k < down->n_taps; k++)
      add_row (planes->sums, row + (gssize) k * stride, weights[k], size);
    finish_row (out, planes->sums, size);
  }
}

/* As a number first, or gcc goes through the stack. */
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

/* Eight rows of eight bytes become eight columns. */
HOT void
turn (const guint8 *in, gsize in_stride, guint8 *out, gsize out_stride)
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
turn_band (const guint8 *in, gsize in_stride, guint8 *out, gint width)
{
  for (gint x = 0; x < width; x += BLOCK)
    for (gint y = 0; y < BAND; y += BLOCK)
      turn (in + y * in_stride + x, in_stride, out + (gsize) x * BAND + y, BAND);
}

HOT void
turn_back (const guint8 *in, guint8 *out, gsize out_stride, gint width)
{
  for (gint x = 0; x < width; x += BLOCK)
    for (gint y = 0; y < BAND; y += BLOCK)
      turn (in + (gsize) x * BAND + y, BAND, out + y * out_stride + x, out_stride);
}

/* Two and four are what packed video has; as constants the compiler makes vector code of them. */
#define PICK_EACH(n)                                                                               \
  for (gint x = 0; x < width; x++)                                                                 \
  out[x] = in[(n) *x]

/* One component of rows that hold several. */
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

/* The samples above one another in a band at a time. */
HOT void
scale_across (const FalScaleFilter *across, const guint8 *in, guint8 *out, gint columns)
{
  for (gint x = 0; x < columns; x++) {
    const guint8 *from = in + (gsize) across->first[x] * BAND;
    const guint16 *weights = across->parts + (gsize) x * across->n_taps;
    Words sums = { 0 };
    Bytes samples;

    for (gint k = 0; k < across->n_taps; k++) {
      memcpy (&samples, from + k * BAND, BAND);
      sums += __builtin_convertvector(samples, Words) * weights[k];
    }
    samples = __builtin_convertvector((sums + ONE / 2) / ONE, Bytes);
    memcpy (out + (gsize) x * BAND, &samples, BAND);
  }
}

/* @offset and @step: of the component in a row of the band. */
HOT void
finish_band (FalYuvScaler *planes, const Plane *plane, gint offset, gint step, gint first_row)
{
  guint8 *out = plane->data + (gsize) first_row * plane->columns;
  const guint8 *rows = planes->band + offset;

  if (step > 1) {
    for (gint i = 0; i < BAND; i++)
      pick (planes->line + i * planes->room, rows + i * planes->room, step, plane->width);
    rows = planes->line;
  }
  turn_band (rows, planes->room, planes->columns, plane->width);
  scale_across (&plane->across, planes->columns, planes->turned, plane->columns);
  turn_back (planes->turned, out, plane->columns, plane->columns);
}

/* Whether both lie in the same rows, so that they are scaled down together. */
HOT gboolean
lie_together (const GstVideoFrame *frame, const Plane *one, const Plane *other)
{
  return GST_VIDEO_FRAME_COMP_PLANE (frame, one->component) ==
             GST_VIDEO_FRAME_COMP_PLANE (frame, other->component) &&
         one->rows == other->rows;
}

/* Plane @first and those that lie with it, up to @end. */
HOT void
fill_planes (FalYuvScaler *planes, const GstVideoFrame *frame, guint first, guint end)
{
  const Plane *plane = &planes->planes[first];
  gint stride = GST_VIDEO_FRAME_COMP_STRIDE (frame, plane->component);
  gint step = GST_VIDEO_FRAME_COMP_PSTRIDE (frame, plane->component);
  const guint8 *lowest = GST_VIDEO_FRAME_COMP_DATA (frame, plane->component);
  const guint8 *highest = lowest;
  const guint8 *base;

  for (guint i = first; i < end; i++) {
    const guint8 *data = GST_VIDEO_FRAME_COMP_DATA (frame, planes->planes[i].component);

    lowest = MIN (lowest, data);
    highest = MAX (highest, data);
  }
  base = lowest + (gssize) plane->y * stride + (gssize) plane->x * step;
  for (gint row = 0; row < plane->rows; row += BAND) {
    scale_down (planes, plane, base, stride,
        (gsize) (plane->width - 1) * step + (highest - lowest) + 1, row);
    for (guint i = first; i < end; i++) {
      const guint8 *data = GST_VIDEO_FRAME_COMP_DATA (frame, planes->planes[i].component);

      finish_band (planes, &planes->planes[i], data - lowest, step, row);
    }
  }
}

/* ---- FalColorMatrix ---- */

HOT guint8
to_byte (gint16 value)
{
  return CLAMP (value, 0, 255);
}

/* In every second column. */
HOT void
find_tints (const FalColorMatrix *c, gint16 *restrict tints, const guint8 *restrict u,
    const guint8 *restrict v, gint width)
{
  for (gint x = 0; x < width; x++)
    tints[x] = (gint16) (c->yu * (u[x] - 128) + c->yv * (v[x] - 128) + 128);
}

HOT void
convert_luma (const FalColorMatrix *c, guint8 *row, const gint16 *restrict tints, gint width)
{
  for (gint x = 0; x < width / 2; x++) {
    gint16 left = row[2 * x] - c->black, right = row[2 * x + 1] - c->black;

    row[2 * x] = to_byte (left + ((gint16) (left * c->yy + tints[x]) >> 8));
    row[2 * x + 1] = to_byte (right + ((gint16) (right * c->yy + tints[x]) >> 8));
  }
}

HOT void
convert_chroma (const FalColorMatrix *c, guint8 *restrict us, guint8 *restrict vs, gint width)
{
  for (gint x = 0; x < width; x++) {
    gint16 u = us[x] - 128, v = vs[x] - 128;

    us[x] = to_byte (128 + u + ((gint16) (u * c->uu + v * c->uv + 256) >> 9));
    vs[x] = to_byte (128 + v + ((gint16) (u * c->vu + v * c->vv + 256) >> 9));
  }
}

HOT void
convert (FalYuvScaler *planes)
{
  const Plane *y = &planes->planes[0], *u = &planes->planes[1], *v = &planes->planes[2];
  const FalColorMatrix *colours = &planes->colours;

  for (gint row = 0; row < u->rows; row++) {
    gsize at = (gsize) row * u->columns;

    find_tints (colours, planes->tints, u->data + at, v->data + at, u->columns);
    for (gint i = 2 * row; i < MIN (2 * row + 2, y->rows); i++)
      convert_luma (colours, y->data + (gsize) i * y->columns, planes->tints, y->columns);
    convert_chroma (colours, u->data + at, v->data + at, u->columns);
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
  /* GStreamer (1.22) says of VYUY that its samples lie as those of UYVY do. */
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

/* @shift: the plane's, 1 for the chroma. */
static gint
halve (gint size, guint shift)
{
  return (size + (1 << shift) - 1) >> shift;
}

static gboolean
make_canvas (Plane *plane, const GstVideoRectangle *to, gint width, gint height, guint shift)
{
  plane->to_x = to->x >> shift;
  plane->to_y = to->y >> shift;
  plane->to_width = halve (to->w, shift);
  plane->to_height = halve (to->h, shift);
  if (to->w == width && to->h == height)
    return TRUE;
  /* Of an odd luma plane TurboJPEG reads one more column and row. A picture that ends there goes
   * on into them: black ones would shine through its last blocks. */
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
  fal_scale_filter_make (&plane->across, plane->width, plane->to_width, plane->columns);
  fal_scale_filter_make (&plane->down, plane->height, plane->to_height, plane->rows);
  plane->data = g_try_malloc_n (plane->rows, plane->columns);
  return plane->data != NULL;
}

static gboolean
make_room (FalYuvScaler *planes, const GstVideoInfo *input)
{
  const Plane *luma = &planes->planes[0];

  /* A row of packed video has up to four bytes a sample. */
  planes->room = GST_ROUND_UP_16 (MAX (4 * (gsize) input->width, (gsize) luma->columns) + 16);
  planes->sums = g_try_malloc_n (planes->room, sizeof (guint16));
  planes->tints = g_try_malloc_n (luma->columns, sizeof (gint16));
  planes->band = g_try_malloc0_n (planes->room, BAND);
  planes->line = g_try_malloc0_n (planes->room, BAND);
  planes->columns = g_try_malloc_n (planes->room, BAND);
  planes->turned = g_try_malloc_n (planes->room, BAND);
  return planes->sums && planes->tints && planes->band && planes->line && planes->columns &&
         planes->turned;
}

void
fal_yuv_scaler_free (FalYuvScaler *planes)
{
  for (guint i = 0; i < 3; i++) {
    fal_scale_filter_clear (&planes->planes[i].across);
    fal_scale_filter_clear (&planes->planes[i].down);
    g_free (planes->planes[i].data);
    g_free (planes->planes[i].canvas);
  }
  g_free (planes->sums);
  g_free (planes->tints);
  g_free (planes->band);
  g_free (planes->line);
  g_free (planes->columns);
  g_free (planes->turned);
  g_free (planes);
}

FalYuvScaler *
fal_yuv_scaler_new (const GstVideoInfo *input, const GstVideoRectangle *from,
    const GstVideoRectangle *to, gint width, gint height)
{
  FalYuvScaler *planes;
  gboolean done;

  if (!takes (input->finfo))
    return NULL;
  planes = g_new0 (FalYuvScaler, 1);
  done = fal_color_matrix_choose (&planes->colours, &input->colorimetry);
  for (guint i = 0; i < 3; i++)
    done = done && make_canvas (&planes->planes[i], to, width, height, i == 0 ? 0 : 1) &&
           make_plane (&planes->planes[i], i, input->finfo, from);
  if (done && make_room (planes, input))
    return planes;
  fal_yuv_scaler_free (planes);
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
fill (FalYuvScaler *planes, const GstVideoFrame *frame)
{
  gboolean together = lie_together (frame, &planes->planes[1], &planes->planes[2]);

  fill_planes (planes, frame, 0, 1);
  fill_planes (planes, frame, 1, together ? 3 : 2);
  if (!together)
    fill_planes (planes, frame, 2, 3);
  if (!fal_color_matrix_are_same (&planes->colours))
    convert (planes);
}

static void
fill_canvases (const FalYuvScaler *planes)
{
  for (guint i = 0; i < 3; i++) {
    if (planes->planes[i].canvas != NULL)
      copy_to_canvas (&planes->planes[i]);
  }
}

void
fal_yuv_scaler_fill_plainly (FalYuvScaler *planes, const GstVideoFrame *frame)
{
  fill (planes, frame);
  fill_canvases (planes);
}

#ifdef __x86_64__

__attribute__ ((target ("avx2"))) static void
fill_widely (FalYuvScaler *planes, const GstVideoFrame *frame)
{
  fill (planes, frame);
}

void
fal_yuv_scaler_fill (FalYuvScaler *planes, const GstVideoFrame *frame)
{
  if (!__builtin_cpu_supports ("avx2")) {
    fal_yuv_scaler_fill_plainly (planes, frame);
    return;
  }
  fill_widely (planes, frame);
  fill_canvases (planes);
}

#else

void
fal_yuv_scaler_fill (FalYuvScaler *planes, const GstVideoFrame *frame)
{
  fal_yuv_scaler_fill_plainly (planes, frame);
}

#endif

void
fal_yuv_scaler_get (const FalYuvScaler *planes, const guint8 *data[3], gint strides[3])
{
  for (guint i = 0; i < 3; i++) {
    const Plane *plane = &planes->planes[i];

    data[i] = plane->canvas != NULL ? plane->canvas : plane->data;
    strides[i] = plane->canvas != NULL ? plane->canvas_stride : plane->columns;
  }
}
