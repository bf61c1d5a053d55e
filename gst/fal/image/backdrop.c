/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* To blur a frame it is reduced to an eighth in 16 bits a sample, where three boxes, one after the
 * other, come near a bell; rows are stretched when they are asked for. They are dithered: a blurred
 * picture has gentle slopes, which would show steps of a level each. */
#include "backdrop.h"
#include "overlay-rows.h"
#include "sample-writer.h"

#include <string.h>

#define REDUCTION 3 /* shift */
/* Of the reduced picture's height; the bell's sigma is about as long. */
#define RADIUS(height) MAX (1, ((height) + 20) / 40)

/* Rows that are blurred side by side, since each sum waits for the one before it. */
#define ABREAST 4

struct _FalBackdrop {
  const FalOverlayRows *rows;
  GstVideoInfo frame;
  FalPlaneLayout planes;
  guint8 *colour[4]; /* a row of each plane; NULL: it is blurred, and what follows is set */

  gint width, height; /* reduced, of each component */
  guint16 *reduced[4];
  guint16 *other;     /* another picture of this size */
  guint32 *sums;      /* of a row of the frame, or of the reduced picture */
  guint32 *totals;    /* of a row of a reduced component */
  guint16 *line;      /* a row of a reduced component, its edges repeated */
  guint8 *samples[4]; /* a row of a component, stretched */
  guint8 *unused;     /* a row of what pixels have in the place of alpha: some elements read it */
  guint8 *woven[2];   /* a row of a plane; a row of two components */
};

static gboolean
is_blurred (const FalBackdrop *backdrop)
{
  return backdrop->colour[0] == NULL;
}

/* ---- Colour ---- */

/* What is in the place of alpha says opaque, as elements that take it for alpha want. */
static void
fill_unused (guint8 *row, const FalPlaneLayout *planes, guint plane, gint width)
{
  const FalPlane *p = &planes->planes[plane];

  for (guint i = 0; i < p->step && !planes->wide; i++)
    for (gint x = 0; p->component[i] < 0 && x < width; x++)
      row[x * p->step + i] = 255;
}

/* One row of all that a block of this colour is. */
static gboolean
make_colour (FalBackdrop *backdrop, guint32 argb)
{
  const FalPlaneLayout *planes = &backdrop->planes;
  gint width = (backdrop->frame.width + 3) / 4 * 4;
  gsize stride = 8 * (gsize) width, pixels = 4 * (gsize) width;
  guint rows = 1 << planes->h_sub;
  g_autofree guint8 *block = g_try_malloc (rows * pixels);
  g_autofree guint8 *out = g_try_malloc (4 * rows * stride);
  g_autofree guint8 *mask = g_try_malloc (rows * (gsize) width);
  g_autofree guint8 *chroma_mask = g_try_malloc (width);
  g_autoptr (FalSampleWriter) writer =
      fal_sample_writer_new (&backdrop->frame, planes, GST_VIDEO_FORMAT_RGBA, width);
  FalSampleBlock to = { .mask = mask, .mask_stride = width };

  if (!block || !out || !mask || !chroma_mask || !writer)
    return FALSE;
  for (gsize i = 0; i < rows * pixels; i += 4) {
    block[i] = argb >> 16;
    block[i + 1] = argb >> 8;
    block[i + 2] = argb;
    block[i + 3] = 255;
  }
  to.chroma_mask = planes->w_sub != 0 || planes->h_sub != 0 ? chroma_mask : NULL;
  for (guint i = 0; i < planes->n_planes; i++) {
    to.planes[i] = out + i * rows * stride;
    to.strides[i] = stride;
  }
  fal_sample_writer_write (writer, block, pixels, &to);
  for (guint i = 0; i < planes->n_planes; i++) {
    fill_unused (to.planes[i], planes, i, width);
    backdrop->colour[i] = g_memdup2 (to.planes[i], stride);
  }
  return TRUE;
}

/* ---- Life ---- */

static gboolean
make_buffers (FalBackdrop *backdrop)
{
  gsize width = (gsize) backdrop->frame.width + (16 << REDUCTION);
  gsize pixels;
  gboolean done = TRUE;

  backdrop->width = (backdrop->frame.width + (1 << REDUCTION) - 1) >> REDUCTION;
  backdrop->height = (backdrop->frame.height + (1 << REDUCTION) - 1) >> REDUCTION;
  pixels = (gsize) backdrop->width * ((backdrop->height + ABREAST - 1) / ABREAST * ABREAST);
  for (guint i = 0; i < backdrop->planes.n_components; i++) {
    backdrop->reduced[i] = g_try_malloc0_n (pixels, sizeof (guint16));
    backdrop->samples[i] = g_try_malloc_n (width, sizeof (guint16));
    done = done && backdrop->reduced[i] && backdrop->samples[i];
  }
  backdrop->other = g_try_malloc_n (pixels, sizeof (guint16));
  backdrop->sums = g_try_malloc_n (4 * width, sizeof (guint32));
  backdrop->totals = g_try_malloc_n (backdrop->width, sizeof (guint32));
  backdrop->line = g_try_malloc0_n (backdrop->width + 16, sizeof (guint16));
  backdrop->unused = g_try_malloc_n (width, sizeof (guint16));
  backdrop->woven[0] = g_try_malloc_n (4 * width, sizeof (guint16));
  backdrop->woven[1] = g_try_malloc_n (4 * width, sizeof (guint16));
  if (backdrop->unused != NULL)
    memset (backdrop->unused, 255, width * sizeof (guint16));
  return done && backdrop->other && backdrop->sums && backdrop->totals && backdrop->line &&
         backdrop->unused && backdrop->woven[0] && backdrop->woven[1];
}

FalBackdrop *
fal_backdrop_new (
    const GstVideoInfo *frame, const FalPlaneLayout *planes, const FalBackground *background)
{
  FalBackdrop *backdrop = g_new0 (FalBackdrop, 1);

  backdrop->rows = fal_overlay_rows_get ();
  backdrop->frame = *frame;
  backdrop->planes = *planes;
  if (background->blur ? make_buffers (backdrop) : make_colour (backdrop, background->argb))
    return backdrop;
  fal_backdrop_free (backdrop);
  return NULL;
}

void
fal_backdrop_free (FalBackdrop *backdrop)
{
  for (guint i = 0; i < 4; i++) {
    g_free (backdrop->colour[i]);
    g_free (backdrop->reduced[i]);
    g_free (backdrop->samples[i]);
  }
  g_free (backdrop->other);
  g_free (backdrop->sums);
  g_free (backdrop->totals);
  g_free (backdrop->line);
  g_free (backdrop->unused);
  g_free (backdrop->woven[0]);
  g_free (backdrop->woven[1]);
  g_free (backdrop);
}

/* ---- To an eighth ---- */

/* Shifts by which a component is reduced further than it is. */
static guint
further (const FalBackdrop *backdrop, guint component, guint sub)
{
  return REDUCTION - (fal_plane_layout_is_subsampled (&backdrop->planes, component) ? sub : 0);
}

/* @step and @shift: constants wherever this is inlined, so that the compiler makes vector code. */
static inline __attribute__ ((always_inline)) void
add_up (guint32 *restrict out, const guint32 *restrict in, guint step, guint shift, gint n)
{
  for (gint x = 0; x < n; x++) {
    guint32 sum = 0;

    for (gint i = 0; i < 1 << shift; i++)
      sum += in[((x << shift) + i) * step];
    out[x] = sum;
  }
}

/* The usual ones are known to the compiler. */
static void
add_up_any (guint32 *out, const guint32 *in, guint step, guint shift, gint n)
{
  if (step == 1 && shift == 3)
    add_up (out, in, 1, 3, n);
  else if (step == 1 && shift == 2)
    add_up (out, in, 1, 2, n);
  else if (step == 2)
    add_up (out, in, 2, shift, n);
  else if (step == 4 && shift == 3)
    add_up (out, in, 4, 3, n);
  else
    add_up (out, in, step, shift, n);
}

/* @rows: of the frame that the sums are of. The last sample is of what is left. */
static void
reduce_across (FalBackdrop *backdrop, guint component, gint y, gint rows)
{
  const FalPlaneLayout *planes = &backdrop->planes;
  FalSamplePlace place = fal_plane_layout_find (planes, component);
  guint shift = further (backdrop, component, planes->w_sub);
  guint up = 16 - planes->depth - planes->shift;
  gint n = GST_VIDEO_INFO_COMP_WIDTH (&backdrop->frame, component), whole = n >> shift;
  guint16 *out = backdrop->reduced[component] + (gsize) y * backdrop->width;
  const guint32 *in = backdrop->sums + place.at;
  guint32 sum = 0, size = rows << shift;

  add_up_any (backdrop->totals, in, place.step, shift, whole);
  for (gint x = 0; x < whole; x++)
    out[x] = (backdrop->totals[x] << up) / size;
  for (gint i = whole << shift; i < n; i++)
    sum += in[i * place.step];
  if (whole < backdrop->width)
    out[whole] = (sum << up) / ((n - (whole << shift)) * rows);
}

static void
add_row (FalBackdrop *backdrop, const guint8 *row, gint n)
{
  if (backdrop->planes.wide)
    backdrop->rows->add16 (backdrop->sums, (const guint16 *) row, n);
  else
    backdrop->rows->add (backdrop->sums, row, n);
}

static void
reduce_plane (FalBackdrop *backdrop, const GstVideoFrame *frame, guint plane)
{
  const FalPlaneLayout *planes = &backdrop->planes;
  guint shift = REDUCTION - planes->planes[plane].h_sub;
  gint n = fal_plane_layout_get_row (planes, plane, backdrop->frame.width);
  gint n_rows = fal_plane_layout_get_rows (planes, plane, backdrop->frame.height);
  gint stride = GST_VIDEO_FRAME_PLANE_STRIDE (frame, plane);
  const guint8 *data = GST_VIDEO_FRAME_PLANE_DATA (frame, plane);

  for (gint y = 0; y < backdrop->height; y++) {
    gint first = y << shift, end = MIN (first + (1 << shift), n_rows);

    memset (backdrop->sums, 0, n * sizeof (guint32));
    for (gint i = first; i < end; i++)
      add_row (backdrop, data + (gssize) i * stride, n);
    for (guint i = 0; i < planes->n_components; i++) {
      if (fal_plane_layout_find (planes, i).plane == plane)
        reduce_across (backdrop, i, y, end - first);
    }
  }
}

/* ---- Boxes ---- */

/* Instead of a division, which takes long: exact for sums of a few words. */
typedef struct {
  guint32 half;
  guint64 part; /* of 1 << 32 */
} Divisor;

static Divisor
divide_by (guint32 size)
{
  return (Divisor) { size / 2, (((guint64) 1 << 32) + size - 1) / size };
}

static inline guint16
divide (guint32 sum, const Divisor *by)
{
  return (sum + by->half) * by->part >> 32;
}

static void
box_across (guint16 *restrict out, const guint16 *restrict in, gsize stride, gint n, gint radius)
{
  const Divisor size = divide_by (2 * radius + 1);
  guint32 sums[ABREAST] = { 0 };

  for (gint i = -radius; i <= radius; i++)
    for (guint k = 0; k < ABREAST; k++)
      sums[k] += in[k * stride + CLAMP (i, 0, n - 1)];
  for (gint x = 0; x < n; x++) {
    gint next = MIN (x + radius + 1, n - 1), last = MAX (x - radius, 0);

    for (guint k = 0; k < ABREAST; k++) {
      out[k * stride + x] = divide (sums[k], &size);
      sums[k] += in[k * stride + next] - in[k * stride + last];
    }
  }
}

static void
box_down (FalBackdrop *backdrop, guint16 *restrict out, const guint16 *restrict in, gint radius)
{
  gint width = backdrop->width, height = backdrop->height;
  const Divisor size = divide_by (2 * radius + 1);
  guint32 *restrict sums = backdrop->sums;

  memset (sums, 0, width * sizeof (guint32));
  for (gint i = -radius; i <= radius; i++)
    backdrop->rows->add16 (sums, in + (gsize) CLAMP (i, 0, height - 1) * width, width);
  for (gint y = 0; y < height; y++) {
    const guint16 *next = in + (gsize) MIN (y + radius + 1, height - 1) * width;
    const guint16 *last = in + (gsize) MAX (y - radius, 0) * width;

    for (gint x = 0; x < width; x++) {
      out[x + (gsize) y * width] = divide (sums[x], &size);
      sums[x] += next[x] - last[x];
    }
  }
}

static void
blur (FalBackdrop *backdrop, guint16 *picture)
{
  gint radius = RADIUS (backdrop->height), width = backdrop->width;

  for (guint pass = 0; pass < 3; pass++) {
    for (gint y = 0; y < backdrop->height; y += ABREAST)
      box_across (
          backdrop->other + (gsize) y * width, picture + (gsize) y * width, width, width, radius);
    box_down (backdrop, picture, backdrop->other, radius);
  }
}

void
fal_backdrop_take (FalBackdrop *backdrop, const GstVideoFrame *frame)
{
  if (!is_blurred (backdrop))
    return;
  for (guint i = 0; i < backdrop->planes.n_planes; i++)
    reduce_plane (backdrop, frame, i);
  for (guint i = 0; i < backdrop->planes.n_components; i++)
    blur (backdrop, backdrop->reduced[i]);
}

/* ---- Back to a row of the frame ---- */

/* The reduced row at the height of row @y of the component; its edges are repeated. */
static void
make_line (FalBackdrop *backdrop, guint component, gint y)
{
  guint shift = further (backdrop, component, backdrop->planes.h_sub);
  gint at = 2 * y + 1 - (1 << shift), row = at >> (shift + 1); /* in halves of a row */
  guint weight = ((guint) (at - row * (2 << shift)) << 8) >> (shift + 1);
  gint width = backdrop->width, last = backdrop->height - 1;
  const guint16 *picture = backdrop->reduced[component];
  guint16 *line = backdrop->line;

  backdrop->rows->weigh16 (line + 1, picture + (gsize) CLAMP (row, 0, last) * width,
      picture + (gsize) CLAMP (row + 1, 0, last) * width, weight, width);
  line[0] = line[1];
  for (gint i = width + 1; i < width + 16; i++)
    line[i] = line[width];
}

/* Of eight by eight pixels each is lifted by another of 64 parts of a level. */
static void
make_noise (guint16 noise[8], gint y, guint shift)
{
  static const guint8 pattern[8][8] = {
    { 0, 32, 8, 40, 2, 34, 10, 42 },
    { 48, 16, 56, 24, 50, 18, 58, 26 },
    { 12, 44, 4, 36, 14, 46, 6, 38 },
    { 60, 28, 52, 20, 62, 30, 54, 22 },
    { 3, 35, 11, 43, 1, 33, 9, 41 },
    { 51, 19, 59, 27, 49, 17, 57, 25 },
    { 15, 47, 7, 39, 13, 45, 5, 37 },
    { 63, 31, 55, 23, 61, 29, 53, 21 },
  };

  for (guint i = 0; i < 8; i++)
    noise[i] = (2 * pattern[y & 7][i] + 1) << shift >> 7;
}

/* Sets the row of a component; its first sample is returned. */
static const guint8 *
stretch (FalBackdrop *backdrop, guint component, gint y)
{
  const FalPlaneLayout *planes = &backdrop->planes;
  guint sub = further (backdrop, component, planes->w_sub), shift = 16 - planes->depth;
  guint8 *out = backdrop->samples[component];
  guint16 noise[8];

  make_line (backdrop, component, y);
  make_noise (noise, y, shift);
  if (!planes->wide) {
    backdrop->rows->stretch (out, backdrop->line, sub, noise, shift, backdrop->width + 1);
    return out + (1 << sub >> 1);
  }
  backdrop->rows->stretch16 (
      (guint16 *) out, backdrop->line, sub, noise, shift, backdrop->width + 1);
  for (gint x = 0; planes->shift != 0 && x < (backdrop->width + 1) << sub; x++)
    ((guint16 *) out)[x] <<= planes->shift;
  return out + 2 * (1 << sub >> 1);
}

static void
weave (FalBackdrop *backdrop, guint8 *out, const guint8 *const *in, guint step, gint width)
{
  if (backdrop->planes.wide)
    backdrop->rows->weave16 ((guint16 *) out, (const guint16 *const *) in, step, width);
  else
    backdrop->rows->weave (out, in, step, width);
}

const guint8 *
fal_backdrop_get_row (FalBackdrop *backdrop, guint plane, gint y)
{
  const FalPlane *p = &backdrop->planes.planes[plane];
  guint sub = p->dense ? 1 : p->w_sub;
  gint columns = (backdrop->frame.width + (1 << sub) - 1) >> sub;
  gint width = p->dense ? 2 * columns : columns;
  const guint8 *in[4];

  if (!is_blurred (backdrop))
    return backdrop->colour[plane];
  for (guint i = 0; i < p->step; i++) {
    in[i] = p->component[i] < 0 ? backdrop->unused : stretch (backdrop, p->component[i], y);
    if (p->dense && p->component[i] > 0) {
      const guint8 *both[2] = { in[i], stretch (backdrop, p->alternate, y) };

      weave (backdrop, backdrop->woven[1], both, 2, columns);
      in[i] = backdrop->woven[1];
    }
  }
  if (p->step == 1)
    return in[0];
  weave (backdrop, backdrop->woven[0], in, p->step, width);
  return backdrop->woven[0];
}
