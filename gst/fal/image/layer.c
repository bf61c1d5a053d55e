/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A band of the result is scaled, faded at its edges and written as samples, one after the other,
 * so that no picture stands in between. */
#include "layer.h"
#include "overlay-rows.h"
#include "picture-scaler.h"
#include "placement.h"
#include "sample-writer.h"
#include "video-frame.h"

#include <gio/gio.h>
#include <string.h>

#define BAND FAL_PICTURE_SCALER_BAND

struct _FalLayer {
  GstSample *result;
  GstVideoInfo picture; /* of the result */
  FalLayout layout;
  FalArea region;
  FalOverlayConfig config;

  /* What it was made to fit; without a size: nothing yet. */
  GstVideoInfo frame;
  FalPlaneLayout planes;
  FalArea area;

  FalArea box;
  gsize strides[4]; /* bytes */
  gsize mask_stride, chroma_stride;
  GBytes *memory;  /* of all rows but those of chroma's mask; never changes once it was shared */
  guint8 *rows[4]; /* within it; or NULL */
  guint8 *mask;    /* within it, or within @mapped; NULL where the latter is opaque */
  GBytes *chroma_memory;
  guint8 *chroma_mask; /* or NULL */
  gboolean is_opaque;  /* nothing of the frame shows through, anywhere in the box */
  gboolean is_mapped;
  GstVideoFrame mapped; /* the result, where its own memory is the matte or the picture */
};

/* What one fit works with. */
typedef struct {
  FalLayer *layer;
  const FalOverlayRows *rows;
  gint left, right, top, bottom; /* what the picture covers within the box */
  FalArea area;                  /* that it covers of the frame, and beyond */
  guint8 *pixels;                /* prepared pixels; or NULL: the result's own will do */
  const guint8 *picture;
  gint stride;
  gint alpha; /* offset in its pixels; -1: they are grey */
  FalPictureScaler *scaler;
  FalSampleWriter *writer;
  guint8 *across; /* what the edges leave, for each byte of a row */
  guint8 *opaque; /* a row of 255 */
  guint8 *band;   /* rows of pixels, of @band_stride bytes */
  gsize band_stride;
} Fit;

static gboolean
is_matte (const FalLayer *layer)
{
  return layer->config.mode != FAL_COMPOSITE_OVER;
}

/* ---- Life ---- */

static gboolean
parse_result (FalLayer *layer)
{
  GstCaps *caps = gst_sample_get_caps (layer->result);

  if (caps == NULL || gst_sample_get_buffer (layer->result) == NULL ||
      !gst_video_info_from_caps (&layer->picture, caps) || layer->picture.width < 1 ||
      layer->picture.height < 1)
    return FALSE;
  if (GST_VIDEO_INFO_FORMAT (&layer->picture) == GST_VIDEO_FORMAT_GRAY8)
    return is_matte (layer);
  return fal_sample_writer_find_alpha (GST_VIDEO_INFO_FORMAT (&layer->picture)) >= 0;
}

FalLayer *
fal_layer_new (GstSample *result, const FalLayout *layout, const GstVideoInfo *frame,
    const FalOverlayConfig *config, GError **error)
{
  FalLayer *layer = g_atomic_rc_box_new0 (FalLayer);
  gboolean known =
      layout->width > 0 && layout->height > 0 && layout->from.width > 0 && layout->from.height > 0;

  layer->result = gst_sample_ref (result);
  layer->config = *config;
  if (known)
    layer->layout = *layout;
  layer->region = known ? layout->from : (FalArea) { 0, 0, frame->width, frame->height };
  if (parse_result (layer))
    return layer;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
      "a result was not decoded to a format that can be laid on a frame");
  fal_layer_unref (layer);
  return NULL;
}

FalLayer *
fal_layer_ref (FalLayer *layer)
{
  return g_atomic_rc_box_acquire (layer);
}

static void
forget_fit (FalLayer *layer)
{
  layer->frame = (GstVideoInfo) { 0 };
  layer->mask = layer->chroma_mask = NULL;
  layer->is_opaque = FALSE;
  g_clear_pointer (&layer->memory, g_bytes_unref);
  g_clear_pointer (&layer->chroma_memory, g_bytes_unref);
  if (layer->is_mapped)
    gst_video_frame_unmap (&layer->mapped);
  layer->is_mapped = FALSE;
}

static void
layer_clear (gpointer data)
{
  FalLayer *layer = data;

  forget_fit (layer);
  gst_sample_unref (layer->result);
}

void
fal_layer_unref (FalLayer *layer)
{
  g_atomic_rc_box_release_full (layer, layer_clear);
}

FalArea
fal_layer_get_area (const FalLayer *layer)
{
  return layer->region;
}

const FalOverlayConfig *
fal_layer_get_config (const FalLayer *layer)
{
  return &layer->config;
}

/* ---- Where it is ---- */

static gint
round_up (gint size, guint shift)
{
  return ((size + (1 << shift) - 1) >> shift) << shift;
}

/* One axis: what of @area is within @size, from the grid's line before it up to the one behind. */
static void
find_box (gint at, gint extent, gint size, guint shift, gint *box, gint *box_extent)
{
  gint begin = MAX (at, 0), end = MIN ((gint64) at + extent, size);

  *box = 0;
  *box_extent = 0;
  if (begin >= end)
    return;
  *box = begin >> shift << shift;
  *box_extent = round_up (end, shift) - *box;
}

/* Sets the box, and what the picture covers of it. Samples that are half beyond the frame's edge go
 * by what is within. */
static void
find_place (Fit *fit)
{
  FalLayer *layer = fit->layer;
  const FalPlaneLayout *planes = &layer->planes;
  gint width = layer->frame.width, height = layer->frame.height;
  FalArea covered = is_matte (layer) ? (FalArea) { 0, 0, width, height } : fit->area;
  FalArea *box = &layer->box;

  find_box (covered.x, covered.width, width, planes->w_sub, &box->x, &box->width);
  find_box (covered.y, covered.height, height, planes->h_sub, &box->y, &box->height);
  if (box->width == 0 || box->height == 0)
    *box = (FalArea) { 0 };
  fit->left = MAX (fit->area.x - box->x, 0);
  fit->right = MIN (fit->area.x + fit->area.width, width) - box->x;
  if (fit->right == width - box->x)
    fit->right = box->width;
  fit->top = MAX (fit->area.y - box->y, 0);
  fit->bottom = MIN (fit->area.y + fit->area.height, height) - box->y;
  if (fit->bottom == height - box->y)
    fit->bottom = box->height;
}

/* ---- Memory ---- */

static gsize
reserve (gsize *size, gsize bytes)
{
  gsize at = *size;

  *size += (bytes + 63) / 64 * 64;
  return at;
}

/* NULL: there is not so much. */
static GBytes *
allocate (gsize size)
{
  guint8 *memory = g_try_malloc (MAX (size, 1));

  return memory ? g_bytes_new_take (memory, MAX (size, 1)) : NULL;
}

static gboolean
has_subsampled (const FalLayer *layer)
{
  return layer->planes.w_sub != 0 || layer->planes.h_sub != 0;
}

static gboolean
allocate_chroma_mask (FalLayer *layer)
{
  layer->chroma_stride = layer->box.width >> layer->planes.w_sub;
  layer->chroma_memory =
      allocate (layer->chroma_stride * (layer->box.height >> layer->planes.h_sub));
  if (layer->chroma_memory == NULL)
    return FALSE;
  layer->chroma_mask = (guint8 *) g_bytes_get_data (layer->chroma_memory, NULL);
  return TRUE;
}

/* A matte is scaled right into the mask, in whole blocks and bands. */
static gboolean
allocate_mask (FalLayer *layer)
{
  layer->mask_stride = round_up (layer->box.width, 3);
  layer->memory = allocate (layer->mask_stride * round_up (layer->box.height, 4));
  if (layer->memory == NULL)
    return FALSE;
  layer->mask = (guint8 *) g_bytes_get_data (layer->memory, NULL);
  return TRUE;
}

static gboolean
allocate_picture (FalLayer *layer)
{
  const FalPlaneLayout *planes = &layer->planes;
  const FalArea *box = &layer->box;
  gsize size = 0, at[4] = { 0 }, mask;
  guint8 *memory;

  for (guint i = 0; i < planes->n_planes; i++) {
    layer->strides[i] = (gsize) planes->planes[i].step * (box->width >> planes->planes[i].w_sub) *
                        (planes->wide ? 2 : 1);
    at[i] = reserve (&size, layer->strides[i] * (box->height >> planes->planes[i].h_sub));
  }
  layer->mask_stride = box->width;
  mask = reserve (&size, layer->mask_stride * box->height);
  layer->memory = allocate (size);
  if (layer->memory == NULL || (has_subsampled (layer) && !allocate_chroma_mask (layer)))
    return FALSE;
  memory = (guint8 *) g_bytes_get_data (layer->memory, NULL);
  for (guint i = 0; i < planes->n_planes; i++)
    layer->rows[i] = memory + at[i];
  layer->mask = memory + mask;
  return TRUE;
}

FalArea
fal_layer_get_box (const FalLayer *layer)
{
  return layer->box;
}

gboolean
fal_layer_is_opaque (const FalLayer *layer)
{
  return layer->is_opaque;
}

const guint8 *
fal_layer_get_row (const FalLayer *layer, guint plane, gint y)
{
  return layer->rows[plane] + y * layer->strides[plane];
}

const guint8 *
fal_layer_get_mask (const FalLayer *layer, gboolean of_chroma, gint y)
{
  if (of_chroma && layer->chroma_mask != NULL)
    return layer->chroma_mask + y * layer->chroma_stride;
  return layer->mask + y * layer->mask_stride;
}

/* ---- The picture ---- */

/* Results with alpha are premultiplied before they are scaled: what cannot be seen has a colour,
 * too, and would be seen at the edges. */
static gboolean
premultiply (Fit *fit)
{
  gint width = fit->layer->picture.width, height = fit->layer->picture.height;

  fit->pixels = g_try_malloc_n (height, 4 * (gsize) width);
  if (fit->pixels == NULL)
    return FALSE;
  for (gint y = 0; y < height; y++)
    fit->rows->premultiply (fit->pixels + 4 * (gsize) y * width,
        fit->picture + (gssize) y * fit->stride, fit->alpha, width);
  fit->picture = fit->pixels;
  fit->stride = 4 * width;
  return TRUE;
}

/* Alpha of the result, else its brightness. */
static void
make_grey_row (Fit *fit, guint8 *out, const guint8 *in, guint16 *const bytes[4])
{
  const GstVideoFormatInfo *format = fit->layer->picture.finfo;
  const guint16 *const from[4] = { bytes[0], bytes[1], bytes[2], bytes[3] };
  FalRowMatrix brightness = { { 0 }, 16, 0, 255 };
  gint width = fit->layer->picture.width;

  if (GST_VIDEO_FORMAT_INFO_HAS_ALPHA (format)) {
    fit->rows->take (out, in, fit->alpha, width);
    return;
  }
  brightness.weights[GST_VIDEO_FORMAT_INFO_POFFSET (format, 0)] = 19595;
  brightness.weights[GST_VIDEO_FORMAT_INFO_POFFSET (format, 1)] = 38470;
  brightness.weights[GST_VIDEO_FORMAT_INFO_POFFSET (format, 2)] = 7471;
  fit->rows->split (bytes, in, width);
  fit->rows->convert (out, from, &brightness, width);
}

static gboolean
make_grey (Fit *fit)
{
  gint width = fit->layer->picture.width, height = fit->layer->picture.height;
  g_autofree guint16 *bytes = g_try_malloc_n (4 * (gsize) width, sizeof (guint16));
  guint16 *rows[4] = { bytes, bytes + width, bytes + 2 * width, bytes + 3 * width };

  fit->pixels = g_try_malloc_n (height, width);
  if (fit->pixels == NULL || bytes == NULL)
    return FALSE;
  for (gint y = 0; y < height; y++)
    make_grey_row (
        fit, fit->pixels + (gsize) y * width, fit->picture + (gssize) y * fit->stride, rows);
  fit->picture = fit->pixels;
  fit->stride = width;
  fit->alpha = -1;
  return TRUE;
}

static gboolean
prepare_picture (Fit *fit, const GstVideoFrame *picture)
{
  const GstVideoInfo *info = &fit->layer->picture;

  fit->picture = GST_VIDEO_FRAME_PLANE_DATA (picture, 0);
  fit->stride = GST_VIDEO_FRAME_PLANE_STRIDE (picture, 0);
  fit->alpha = fal_sample_writer_find_alpha (GST_VIDEO_INFO_FORMAT (info));
  if (is_matte (fit->layer))
    return fit->alpha < 0 || make_grey (fit);
  return !GST_VIDEO_INFO_HAS_ALPHA (info) || premultiply (fit);
}

/* ---- The edges ---- */

/* How much is left of the @i-th of @extent pixels where the first, or the last, @reach of them get
 * softer. */
static guint8
ramp (gint i, gint extent, gboolean first, gboolean last, gint reach)
{
  gint distance = extent;

  reach = MIN (reach, first && last ? extent / 2 : extent);
  if (first)
    distance = MIN (distance, i);
  if (last)
    distance = MIN (distance, extent - 1 - i);
  return distance >= reach ? 255 : (255 * (2 * distance + 1) + reach) / (2 * reach);
}

/* Of a column, or row, of the box. */
static guint8
ramp_across (const Fit *fit, gint x)
{
  const FalLayer *layer = fit->layer;
  const FalArea *area = &fit->area;

  if (x < fit->left || x >= fit->right)
    return 0;
  return ramp (MIN (layer->box.x + x, layer->frame.width - 1) - area->x, area->width, area->x > 0,
      area->x + area->width < layer->frame.width, is_matte (layer) ? 0 : layer->config.feather);
}

static guint8
ramp_down (const Fit *fit, gint y)
{
  const FalLayer *layer = fit->layer;
  const FalArea *area = &fit->area;

  if (y < fit->top || y >= fit->bottom)
    return 0;
  return ramp (MIN (layer->box.y + y, layer->frame.height - 1) - area->y, area->height, area->y > 0,
      area->y + area->height < layer->frame.height, is_matte (layer) ? 0 : layer->config.feather);
}

static gboolean
make_edges (Fit *fit)
{
  gint width = fit->layer->box.width, bytes = fit->alpha < 0 ? 1 : 4;

  fit->across = g_try_malloc_n (width, bytes);
  fit->opaque = g_try_malloc_n (width, 1);
  if (!fit->across || !fit->opaque)
    return FALSE;
  memset (fit->opaque, 255, width);
  for (gint x = 0; x < width; x++)
    memset (fit->across + bytes * x, ramp_across (fit, x), bytes);
  return TRUE;
}

/* ---- Rows ---- */

/* @y: within the box. */
static void
finish_row (Fit *fit, guint8 *row, gint y)
{
  gint width = fit->layer->box.width;
  guint8 down = ramp_down (fit, y);

  if (down == 0) {
    memset (row, 0, (gsize) width * (fit->alpha < 0 ? 1 : 4));
    return;
  }
  if (fit->alpha >= 0 && !GST_VIDEO_INFO_HAS_ALPHA (&fit->layer->picture))
    fit->rows->put_alpha (row, row, fit->opaque, fit->alpha, width);
  if (down != 255 || fit->left != 0 || fit->right != width || fit->layer->config.feather != 0)
    fit->rows->fade (row, fit->across, down, fit->alpha < 0 ? width : 4 * width);
}

static void
write_picture (Fit *fit, const guint8 *rows, gsize stride, gint y)
{
  FalLayer *layer = fit->layer;
  const FalPlaneLayout *planes = &layer->planes;
  FalSampleBlock block = { .mask = layer->mask + y * layer->mask_stride,
    .mask_stride = layer->mask_stride };

  for (guint i = 0; i < planes->n_planes; i++) {
    block.planes[i] = layer->rows[i] + (y >> planes->planes[i].h_sub) * layer->strides[i];
    block.strides[i] = layer->strides[i];
  }
  if (layer->chroma_mask != NULL)
    block.chroma_mask = layer->chroma_mask + (y >> planes->h_sub) * layer->chroma_stride;
  fal_sample_writer_write (fit->writer, rows, stride, &block);
}

static void
write_band (Fit *fit, gint first)
{
  FalLayer *layer = fit->layer;
  gboolean matte = is_matte (layer);
  guint8 *rows = matte ? layer->mask + first * layer->mask_stride : fit->band;
  gsize stride = matte ? layer->mask_stride : fit->band_stride;
  gint n = MIN (BAND, layer->box.height - first), block = 1 << layer->planes.h_sub;

  fal_picture_scaler_scale (fit->scaler, fit->picture, fit->stride, first, rows, stride);
  for (gint y = 0; y < n; y++)
    finish_row (fit, rows + y * stride, first + y);
  for (gint y = 0; y < n && !matte; y += block)
    write_picture (fit, rows + y * stride, stride, first + y);
}

/* ---- All of it ---- */

static gboolean
make_tools (Fit *fit, const FalPlacement *placement)
{
  const FalLayer *layer = fit->layer;
  const FalArea *box = &layer->box, *area = &placement->area;
  FalScaleAxis across = { { placement->x, placement->width, area->width, box->x - area->x },
    layer->picture.width, MIN (box->width, layer->frame.width - box->x), box->width };
  FalScaleAxis down = { { placement->y, placement->height, area->height, box->y - area->y },
    layer->picture.height, MIN (box->height, layer->frame.height - box->y), box->height };

  fit->scaler = fal_picture_scaler_new (fit->alpha < 0 ? 1 : 4, &across, &down);
  if (fit->scaler == NULL || is_matte (layer))
    return fit->scaler != NULL;
  fit->writer = fal_sample_writer_new (
      &layer->frame, &layer->planes, GST_VIDEO_INFO_FORMAT (&layer->picture), box->width);
  fit->band_stride = 4 * (gsize) fal_picture_scaler_get_width (fit->scaler);
  fit->band = g_try_malloc_n (BAND, fit->band_stride);
  return fit->writer != NULL && fit->band != NULL;
}

static void
clear_fit (Fit *fit)
{
  g_free (fit->pixels);
  g_free (fit->across);
  g_free (fit->opaque);
  g_free (fit->band);
  g_clear_pointer (&fit->scaler, fal_picture_scaler_free);
  g_clear_pointer (&fit->writer, fal_sample_writer_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Fit, clear_fit)

/* Whether all of the result covers the box pixel by pixel. */
static gboolean
covers_box (const Fit *fit, const FalPlacement *placement)
{
  const FalArea *box = &fit->layer->box, *area = &placement->area;

  return placement->x == 0 && placement->y == 0 && placement->width == area->width &&
         placement->height == area->height && memcmp (box, area, sizeof *box) == 0;
}

/* Takes the result's memory where it is the matte, or the picture, as it is. */
static gboolean
take_result (Fit *fit, const FalPlacement *placement, const GstVideoFrame *picture)
{
  FalLayer *layer = fit->layer;
  guint8 *data = GST_VIDEO_FRAME_PLANE_DATA (picture, 0);
  gsize stride = GST_VIDEO_FRAME_PLANE_STRIDE (picture, 0);

  if (!covers_box (fit, placement))
    return FALSE;
  if (is_matte (layer) && GST_VIDEO_INFO_IS_GRAY (&layer->picture)) {
    layer->mask = data;
    layer->mask_stride = stride;
    return TRUE;
  }
  if (!layer->is_opaque ||
      !fal_sample_writer_is_copy (&layer->frame, GST_VIDEO_INFO_FORMAT (&layer->picture)))
    return FALSE;
  layer->rows[0] = data;
  layer->strides[0] = stride;
  return TRUE;
}

static gboolean
is_opaque (const Fit *fit)
{
  const FalLayer *layer = fit->layer;

  return !is_matte (layer) && !GST_VIDEO_INFO_HAS_ALPHA (&layer->picture) &&
         layer->config.feather == 0 && fit->left == 0 && fit->top == 0 &&
         fit->right == layer->box.width && fit->bottom == layer->box.height;
}

/* FALSE: no memory. */
static gboolean
render (FalLayer *layer, const GstVideoFrame *picture)
{
  FalPlacement placement;
  g_auto (Fit) fit = { .layer = layer, .rows = fal_overlay_rows_get () };

  fal_placement_find (&placement, layer->picture.width, layer->picture.height, &layer->layout,
      &layer->area, layer->config.fit);
  fit.area = placement.area;
  find_place (&fit);
  if (layer->box.width == 0)
    return TRUE;
  layer->is_opaque = is_opaque (&fit);
  if (take_result (&fit, &placement, picture))
    return TRUE;
  if (!(is_matte (layer) ? allocate_mask (layer) : allocate_picture (layer)) ||
      !prepare_picture (&fit, picture) || !make_tools (&fit, &placement) || !make_edges (&fit))
    return FALSE;
  for (gint first = 0; first < layer->box.height; first += BAND)
    write_band (&fit, first);
  return TRUE;
}

static gboolean
fits (const FalLayer *layer, const GstVideoInfo *frame, const FalArea *area)
{
  return layer->frame.width == frame->width && layer->frame.height == frame->height &&
         layer->frame.finfo == frame->finfo &&
         gst_video_colorimetry_is_equal (&layer->frame.colorimetry, &frame->colorimetry) &&
         memcmp (&layer->area, area, sizeof *area) == 0;
}

static gboolean
fail_for_memory (FalLayer *layer, GError **error)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
      "no memory to lay a result on a frame of %dx%d pixels", layer->frame.width,
      layer->frame.height);
  forget_fit (layer);
  return FALSE;
}

gboolean
fal_layer_fit (FalLayer *layer, const GstVideoInfo *frame, const FalPlaneLayout *planes,
    const FalArea *area, GError **error)
{
  GstBuffer *buffer = gst_sample_get_buffer (layer->result);

  if (fits (layer, frame, area))
    return TRUE;
  forget_fit (layer);
  if (!fal_video_frame_map_whole (&layer->mapped, &layer->picture, buffer, error))
    return FALSE;
  layer->is_mapped = TRUE;
  layer->frame = *frame;
  layer->planes = *planes;
  layer->area = *area;
  if (!render (layer, &layer->mapped))
    return fail_for_memory (layer, error);
  if (layer->memory != NULL || layer->box.width == 0) {
    gst_video_frame_unmap (&layer->mapped);
    layer->is_mapped = FALSE;
  }
  return TRUE;
}

/* ---- Alpha of a matte ---- */

/* @sums, @gathered: as wide as the box. */
static void
average_row (FalLayer *layer, gint y, guint16 *sums, guint16 *gathered)
{
  const FalOverlayRows *rows = fal_overlay_rows_get ();
  const FalPlaneLayout *planes = &layer->planes;
  gint width = layer->box.width, n = width >> planes->w_sub, first = y << planes->h_sub;
  guint8 *out = layer->chroma_mask + y * layer->chroma_stride;
  const guint8 *in = layer->mask + first * layer->mask_stride;

  if (planes->w_sub == 1 && planes->h_sub == 1) {
    rows->halve (out, in, in + layer->mask_stride, n);
    return;
  }
  memset (sums, 0, width * sizeof (guint16));
  for (gint i = 0; i < 1 << planes->h_sub; i++)
    rows->sum (sums, in + i * layer->mask_stride, width);
  rows->gather (gathered, sums, planes->w_sub, n);
  rows->mean (out, gathered, planes->w_sub + planes->h_sub, n);
}

gboolean
fal_layer_make_chroma_mask (FalLayer *layer, GError **error)
{
  g_autofree guint16 *sums = NULL, *gathered = NULL;

  if (!has_subsampled (layer) || layer->chroma_mask != NULL || layer->mask == NULL)
    return TRUE;
  sums = g_try_malloc_n (layer->box.width, sizeof (guint16));
  gathered = g_try_malloc_n (layer->box.width, sizeof (guint16));
  if (!sums || !gathered || !allocate_chroma_mask (layer))
    return fail_for_memory (layer, error);
  for (gint y = 0; y < layer->box.height >> layer->planes.h_sub; y++)
    average_row (layer, y, sums, gathered);
  return TRUE;
}

static void
release_bytes (gpointer bytes)
{
  g_bytes_unref (bytes);
}

/* That of the result's own memory. Its buffer goes back to its pool no sooner. */
static gboolean
append_result (const FalLayer *layer, GstBuffer *buffer, gsize size)
{
  GstBuffer *result = gst_sample_get_buffer (layer->result);
  gsize offset = layer->mask - layer->mapped.map[0].data;
  GstMemory *memory = gst_buffer_peek_memory (result, 0);

  if (gst_buffer_n_memory (result) != 1 ||
      GST_MEMORY_FLAG_IS_SET (memory, GST_MEMORY_FLAG_NO_SHARE) ||
      gst_memory_get_sizes (memory, NULL, NULL) < offset + size)
    return FALSE;
  gst_buffer_append_memory (buffer, gst_memory_share (memory, offset, size));
  gst_buffer_add_parent_buffer_meta (buffer, result);
  return TRUE;
}

gboolean
fal_layer_append_mask (FalLayer *layer, GstBuffer *buffer, gsize stride)
{
  gsize size = stride * layer->frame.height;

  if (layer->mask == NULL || !is_matte (layer) || layer->mask_stride != stride)
    return FALSE;
  if (layer->memory == NULL)
    return append_result (layer, buffer, size);
  gst_buffer_append_memory (buffer,
      gst_memory_new_wrapped (GST_MEMORY_FLAG_READONLY, layer->mask,
          g_bytes_get_size (layer->memory), 0, size, g_bytes_ref (layer->memory), release_bytes));
  return TRUE;
}
