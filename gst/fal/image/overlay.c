/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A row of the frame is copied and what lies on it blended in while it is in the processor's cache.
 * The alpha of pixels is woven as the samples of a plane's row are, so that all formats are blended
 * byte by byte, or word by word. */
#include "overlay.h"
#include "backdrop.h"
#include "frame-pool.h"
#include "overlay-rows.h"
#include "sample-writer.h"
#include "video-frame.h"

#include <gio/gio.h>
#include <string.h>

struct _FalOverlay {
  const FalOverlayRows *rows;

  GstCaps *caps; /* of frames, that what follows was made for; NULL: nothing yet */
  GstVideoInfo frame;
  FalPlaneLayout planes;
  guint8 *weighed[2];    /* a row of alpha of two layers: of pixels, of chroma */
  guint8 *woven[2];      /* a row of alpha for a plane; of two components */
  guint8 *blended;       /* a row of the samples of two layers */
  FalBackdrop *backdrop; /* or NULL */
  FalBackground background;

  GstCaps *output; /* that what follows was made for; NULL: nothing yet */
  GstVideoInfo out;
  FalFramePool *pool;
  GstVideoConverter *converter; /* from the frame to @out; NULL: not needed */
  gboolean converts_alpha;      /* from I420 or YV12, and alpha as a fourth plane */
};

/* What one frame is made of. */
typedef struct {
  FalOverlay *overlay;
  const GstVideoFrame *in;
  GstVideoFrame *out;
  FalLayer *layer, *next; /* @next: or NULL */
  guint weight;
  FalArea box;
} Job;

FalOverlay *
fal_overlay_new (void)
{
  FalOverlay *overlay = g_new0 (FalOverlay, 1);

  overlay->rows = fal_overlay_rows_get ();
  return overlay;
}

static void
forget_output (FalOverlay *overlay)
{
  gst_clear_caps (&overlay->output);
  g_clear_pointer (&overlay->converter, gst_video_converter_free);
  g_clear_pointer (&overlay->pool, fal_frame_pool_free);
}

static void
forget_frame (FalOverlay *overlay)
{
  forget_output (overlay);
  gst_clear_caps (&overlay->caps);
  g_clear_pointer (&overlay->backdrop, fal_backdrop_free);
  for (guint i = 0; i < 2; i++) {
    g_clear_pointer (&overlay->weighed[i], g_free);
    g_clear_pointer (&overlay->woven[i], g_free);
  }
  g_clear_pointer (&overlay->blended, g_free);
}

void
fal_overlay_free (FalOverlay *overlay)
{
  forget_frame (overlay);
  g_free (overlay);
}

/* ---- What is kept for frames of the same kind ---- */

static gboolean
fail_for_memory (GError **error)
{
  g_set_error_literal (
      error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "no memory to lay results on frames");
  return FALSE;
}

/* A row of a plane has up to four elements of two bytes for each pixel. */
static gboolean
prepare_frame (FalOverlay *overlay, GstCaps *caps, GError **error)
{
  gsize row;
  gboolean done = TRUE;

  if (overlay->caps != NULL && gst_caps_is_equal (overlay->caps, caps))
    return TRUE;
  forget_frame (overlay);
  if (!fal_overlay_caps_parse (caps, &overlay->frame, &overlay->planes, error))
    return FALSE;
  row = 8 * ((gsize) overlay->frame.width + 4);
  for (guint i = 0; i < 2; i++) {
    overlay->weighed[i] = g_try_malloc (row);
    overlay->woven[i] = g_try_malloc0 (row);
    done = done && overlay->weighed[i] && overlay->woven[i];
  }
  overlay->blended = g_try_malloc (row);
  if (!done || overlay->blended == NULL)
    return fail_for_memory (error);
  overlay->caps = gst_caps_ref (caps);
  return TRUE;
}

/* Whether pixels of the two are the same but for their alpha. */
static gboolean
has_same_colours (const GstVideoFormatInfo *one, const GstVideoFormatInfo *other)
{
  GstVideoFormat format = GST_VIDEO_FORMAT_INFO_FORMAT (one);

  if (format == GST_VIDEO_FORMAT_INFO_FORMAT (other))
    return TRUE;
  if (GST_VIDEO_FORMAT_INFO_FORMAT (other) == GST_VIDEO_FORMAT_A420)
    return format == GST_VIDEO_FORMAT_I420 || format == GST_VIDEO_FORMAT_YV12;
  if (fal_sample_writer_find_alpha (format) < 0 || !GST_VIDEO_FORMAT_INFO_IS_RGB (other))
    return FALSE;
  for (guint i = 0; i < 3; i++) {
    if (GST_VIDEO_FORMAT_INFO_POFFSET (one, i) != GST_VIDEO_FORMAT_INFO_POFFSET (other, i))
      return FALSE;
  }
  return TRUE;
}

/* With a plane of alpha the converter writes each pixel once. */
static gboolean
make_converter (FalOverlay *overlay, GError **error)
{
  const GstVideoInfo *frame = &overlay->frame;
  GstVideoInfo in = *frame;
  GstVideoRectangle all = { 0, 0, frame->width, frame->height };
  GstVideoFormat format = GST_VIDEO_INFO_FORMAT (frame);

  overlay->converts_alpha = format == GST_VIDEO_FORMAT_I420 || format == GST_VIDEO_FORMAT_YV12;
  if (overlay->converts_alpha &&
      !fal_video_frame_make_info (&in, frame, GST_VIDEO_FORMAT_A420, all.w, all.h, error))
    return FALSE;
  in.colorimetry = frame->colorimetry;
  in.chroma_site = frame->chroma_site;
  overlay->converter = fal_video_frame_make_converter (&in, &all, &overlay->out, error);
  return overlay->converter != NULL;
}

static gboolean
prepare_output (FalOverlay *overlay, GstCaps *output, GError **error)
{
  if (overlay->output != NULL && gst_caps_is_equal (overlay->output, output))
    return TRUE;
  forget_output (overlay);
  if (!fal_overlay_caps_read (output, &overlay->out)) {
    g_set_error_literal (
        error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "results are laid on raw video alone");
    return FALSE;
  }
  overlay->output = gst_caps_ref (output);
  overlay->pool = fal_frame_pool_new (GST_VIDEO_INFO_SIZE (&overlay->out));
  if (has_same_colours (overlay->frame.finfo, overlay->out.finfo) ||
      make_converter (overlay, error))
    return TRUE;
  forget_output (overlay); /* else the next frame would find it ready */
  return FALSE;
}

static gboolean
prepare_backdrop (FalOverlay *overlay, const FalBackground *background, GError **error)
{
  if (overlay->backdrop != NULL && overlay->background.blur == background->blur &&
      (background->blur || overlay->background.argb == background->argb))
    return TRUE;
  g_clear_pointer (&overlay->backdrop, fal_backdrop_free);
  overlay->background = *background;
  overlay->backdrop = fal_backdrop_new (&overlay->frame, &overlay->planes, background);
  return overlay->backdrop != NULL ? TRUE : fail_for_memory (error);
}

FalLayer *
fal_overlay_make_layer (FalOverlay *overlay, GstSample *result, const FalLayout *layout,
    GstCaps *frame, const FalOverlayConfig *config, GError **error)
{
  g_autoptr (FalLayer) layer = NULL;
  FalArea area;

  if (!prepare_frame (overlay, frame, error))
    return NULL;
  layer = fal_layer_new (result, layout, &overlay->frame, config, error);
  if (layer == NULL)
    return NULL;
  area = fal_layer_get_area (layer);
  if (!fal_layer_fit (layer, &overlay->frame, &overlay->planes, &area, error))
    return NULL;
  return g_steal_pointer (&layer);
}

/* ---- Alpha of a row ---- */

static const guint8 *
get_mask (const Job *job, gboolean of_chroma, gint y)
{
  FalOverlay *overlay = job->overlay;
  const FalPlaneLayout *planes = &overlay->planes;
  const guint8 *mask = fal_layer_get_mask (job->layer, of_chroma, y);

  if (job->next == NULL)
    return mask;
  overlay->rows->weigh (overlay->weighed[of_chroma], mask,
      fal_layer_get_mask (job->next, of_chroma, y), job->weight,
      of_chroma ? job->box.width >> planes->w_sub : job->box.width);
  return overlay->weighed[of_chroma];
}

/* Alpha of each element of row @y of a plane within the box. */
static const guint8 *
weave_mask (const Job *job, guint plane, gint y)
{
  FalOverlay *overlay = job->overlay;
  const FalPlane *p = &overlay->planes.planes[plane];
  gboolean subsampled = p->w_sub != 0 || p->h_sub != 0;
  const guint8 *mask = get_mask (job, subsampled, y), *in[4] = { mask, mask, mask, mask };
  gint width = job->box.width >> p->w_sub;

  if (p->dense) {
    const guint8 *chroma = get_mask (job, TRUE, y), *both[2] = { chroma, chroma };

    overlay->rows->weave (overlay->woven[1], both, 2, width / 2);
    in[p->component[0] == 0 ? 1 : 0] = overlay->woven[1];
  }
  if (p->step == 1)
    return mask;
  overlay->rows->weave (overlay->woven[0], in, p->step, width);
  return overlay->woven[0];
}

/* ---- Over ---- */

static const guint8 *
get_samples (const Job *job, guint plane, gint y, gint n)
{
  FalOverlay *overlay = job->overlay;
  const guint8 *samples = fal_layer_get_row (job->layer, plane, y);

  if (job->next == NULL)
    return samples;
  if (overlay->planes.wide)
    overlay->rows->weigh16 ((guint16 *) overlay->blended, (const guint16 *) samples,
        (const guint16 *) fal_layer_get_row (job->next, plane, y), job->weight, n);
  else
    overlay->rows->weigh (
        overlay->blended, samples, fal_layer_get_row (job->next, plane, y), job->weight, n);
  return overlay->blended;
}

static gboolean
is_opaque (const Job *job)
{
  return fal_layer_is_opaque (job->layer) && (job->next == NULL || fal_layer_is_opaque (job->next));
}

/* Bytes of an element of a row. */
static gsize
get_size (const FalPlaneLayout *planes)
{
  return planes->wide ? 2 : 1;
}

static guint16
get_bits (const FalPlaneLayout *planes)
{
  return ((1u << planes->depth) - 1) << planes->shift;
}

/* @row: of the frame, from its first sample. @y: within the box. */
static void
lay_over (const Job *job, guint plane, guint8 *row, gint y)
{
  const FalOverlay *overlay = job->overlay;
  const FalPlaneLayout *planes = &overlay->planes;
  const FalPlane *p = &planes->planes[plane];
  const FalArea *box = &job->box;
  gint n =
      fal_plane_layout_get_row (planes, plane, MIN (box->width, overlay->frame.width - box->x));
  gint first = (box->x >> p->w_sub) * (gint) p->step;
  const guint8 *samples = get_samples (job, plane, y, n), *mask;

  if (is_opaque (job)) {
    memcpy (row + first * get_size (planes), samples, n * get_size (planes));
    return;
  }
  mask = weave_mask (job, plane, y);
  if (planes->wide)
    overlay->rows->over16 (
        (guint16 *) row + first, (const guint16 *) samples, mask, get_bits (planes), n);
  else
    overlay->rows->over (row + first, samples, mask, n);
}

static guint8 *
get_row (const GstVideoFrame *frame, guint plane, gint y)
{
  return (guint8 *) GST_VIDEO_FRAME_PLANE_DATA (frame, plane) +
         (gssize) y * GST_VIDEO_FRAME_PLANE_STRIDE (frame, plane);
}

static void
lay_plane_over (const Job *job, guint plane)
{
  const FalPlaneLayout *planes = &job->overlay->planes;
  guint sub = planes->planes[plane].h_sub;
  gint n = fal_plane_layout_get_row (planes, plane, job->overlay->frame.width);
  gint rows = fal_plane_layout_get_rows (planes, plane, job->overlay->frame.height);
  gint first = job->box.y >> sub, end = (job->box.y + job->box.height) >> sub;

  for (gint y = 0; y < rows; y++) {
    guint8 *out = get_row (job->out, plane, y);

    memcpy (out, get_row (job->in, plane, y), n * get_size (planes));
    if (y >= first && y < end)
      lay_over (job, plane, out, y - first);
  }
}

/* ---- Over a background ---- */

static void
mix_plane (const Job *job, guint plane)
{
  FalOverlay *overlay = job->overlay;
  const FalPlaneLayout *planes = &overlay->planes;
  gint n = fal_plane_layout_get_row (planes, plane, overlay->frame.width);
  gint rows = fal_plane_layout_get_rows (planes, plane, overlay->frame.height);

  for (gint y = 0; y < rows; y++) {
    const guint8 *mask = weave_mask (job, plane, y), *front = get_row (job->in, plane, y);
    const guint8 *back = fal_backdrop_get_row (overlay->backdrop, plane, y);
    guint8 *out = get_row (job->out, plane, y);

    if (planes->wide)
      overlay->rows->mix16 ((guint16 *) out, (const guint16 *) front, (const guint16 *) back, mask,
          get_bits (planes), n);
    else
      overlay->rows->mix (out, front, back, mask, n);
  }
}

/* ---- As alpha ---- */

static gboolean
becomes_alpha (const FalOverlay *overlay, const FalLayer *layer)
{
  return fal_layer_get_config (layer)->mode == FAL_COMPOSITE_MATTE &&
         GST_VIDEO_INFO_HAS_ALPHA (&overlay->out);
}

static void
copy_component (const Job *job, guint component)
{
  gint n = GST_VIDEO_FRAME_COMP_WIDTH (job->in, component);

  for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (job->in, component); y++)
    memcpy (get_row (job->out, GST_VIDEO_FRAME_COMP_PLANE (job->out, component), y),
        get_row (job->in, GST_VIDEO_FRAME_COMP_PLANE (job->in, component), y), n);
}

/* The planes of the frame and its alpha as one frame, for the converter. With two layers alpha is
 * not at hand yet, and something else stands in for it. */
static void
add_alpha (const Job *job, GstVideoFrame *in)
{
  gsize stride = GST_VIDEO_FRAME_PLANE_STRIDE (job->in, 0);
  const guint8 *alpha = GST_VIDEO_FRAME_PLANE_DATA (job->in, 0);

  if (job->next == NULL) {
    alpha = fal_layer_get_mask (job->layer, FALSE, 0);
    stride = fal_layer_get_mask (job->layer, FALSE, 1) - alpha;
  }
  for (guint i = 0; i < 3; i++) {
    guint plane = GST_VIDEO_FRAME_COMP_PLANE (job->in, i);

    in->data[i] = GST_VIDEO_FRAME_PLANE_DATA (job->in, plane);
    in->info.stride[i] = GST_VIDEO_FRAME_PLANE_STRIDE (job->in, plane);
  }
  in->info.finfo = gst_video_format_get_info (GST_VIDEO_FORMAT_A420);
  in->data[3] = (gpointer) alpha;
  in->info.stride[3] = stride;
}

/* TRUE: alpha was set with the colours. */
static gboolean
convert (const Job *job)
{
  const FalOverlay *overlay = job->overlay;
  GstVideoFrame in = *job->in;

  if (overlay->converts_alpha)
    add_alpha (job, &in);
  gst_video_converter_frame (overlay->converter, &in, job->out);
  return overlay->converts_alpha && job->next == NULL;
}

static void
set_alpha (const Job *job)
{
  const FalOverlay *overlay = job->overlay;
  gint width = overlay->frame.width;
  gboolean planar = GST_VIDEO_FRAME_FORMAT (job->out) == GST_VIDEO_FORMAT_A420;
  gboolean same = !planar && overlay->converter == NULL;
  guint at = GST_VIDEO_FRAME_COMP_POFFSET (job->out, 3);

  for (guint i = 0; i < 3 && planar && overlay->converter == NULL; i++)
    copy_component (job, i);
  if (overlay->converter != NULL && convert (job))
    return;
  for (gint y = 0; y < overlay->frame.height; y++) {
    guint8 *out = get_row (job->out, planar ? 3 : 0, y);
    const guint8 *mask = get_mask (job, FALSE, y);

    if (planar)
      memcpy (out, mask, width);
    else
      overlay->rows->put_alpha (out, same ? get_row (job->in, 0, y) : out, mask, at, width);
  }
}

/* ---- A frame ---- */

/* Layers that lie on different places, or of which one alone has alpha, cannot be blended: the one
 * that counts more is taken. */
static void
settle (Job *job)
{
  FalArea one = fal_layer_get_box (job->layer), other;

  if (job->next != NULL) {
    other = fal_layer_get_box (job->next);
    if (memcmp (&one, &other, sizeof one) != 0 ||
        fal_layer_is_opaque (job->layer) != fal_layer_is_opaque (job->next)) {
      job->layer = job->weight >= 128 ? job->next : job->layer;
      job->next = NULL;
    }
  }
  job->box = fal_layer_get_box (job->layer);
}

static void
composite (Job *job)
{
  FalOverlay *overlay = job->overlay;
  FalCompositeMode mode = fal_layer_get_config (job->layer)->mode;

  if (becomes_alpha (overlay, job->layer)) {
    set_alpha (job);
    return;
  }
  if (mode != FAL_COMPOSITE_OVER)
    fal_backdrop_take (overlay->backdrop, job->in);
  for (guint i = 0; i < overlay->planes.n_planes; i++) {
    if (mode == FAL_COMPOSITE_OVER)
      lay_plane_over (job, i);
    else
      mix_plane (job, i);
  }
}

static gboolean
copy_meta (GstBuffer *frame, GstMeta **meta, gpointer user)
{
  const GstMetaInfo *info = (*meta)->info;
  GstMetaTransformCopy all = { FALSE, 0, (gsize) -1 };

  if (info->api != GST_VIDEO_META_API_TYPE && info->transform_func != NULL &&
      info != gst_meta_get_info (FAL_RESULT_META) &&
      !gst_meta_api_type_has_tag (info->api, _gst_meta_tag_memory))
    info->transform_func (user, *meta, frame, _gst_meta_transform_copy, &all);
  return TRUE;
}

static void
describe_buffer (FalOverlay *overlay, GstBuffer *buffer, GstBuffer *frame)
{
  GstVideoInfo *out = &overlay->out;

  gst_buffer_copy_into (buffer, frame, GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_TIMESTAMPS, 0, -1);
  gst_buffer_foreach_meta (frame, copy_meta, buffer);
  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT (out),
      out->width, out->height, GST_VIDEO_INFO_N_PLANES (out), out->offset, out->stride);
}

/* I420 becomes A420 when a plane of alpha is put behind it: nothing is copied. The frame's buffer
 * goes back to its pool no sooner. NULL: it has to be copied. */
static GstBuffer *
share_planes (const Job *job, GstBuffer *frame)
{
  FalOverlay *overlay = job->overlay;
  const GstVideoInfo *out = &overlay->out;
  g_autoptr (GstBuffer) buffer = NULL;

  if (GST_VIDEO_INFO_FORMAT (&overlay->frame) != GST_VIDEO_FORMAT_I420 ||
      GST_VIDEO_INFO_FORMAT (out) != GST_VIDEO_FORMAT_A420 || job->next != NULL ||
      GST_VIDEO_INFO_PLANE_OFFSET (out, 3) != gst_buffer_get_size (frame) ||
      fal_video_frame_is_padded (frame, &overlay->frame))
    return NULL;
  buffer = gst_buffer_copy_region (frame, GST_BUFFER_COPY_MEMORY, 0, -1);
  if (!fal_layer_append_mask (job->layer, buffer, GST_VIDEO_INFO_PLANE_STRIDE (out, 3)))
    return NULL;
  describe_buffer (overlay, buffer, frame);
  gst_buffer_add_parent_buffer_meta (buffer, frame);
  return g_steal_pointer (&buffer);
}

static GstBuffer *
make_buffer (Job *job, GstBuffer *frame, GError **error)
{
  FalOverlay *overlay = job->overlay;
  g_autoptr (GstBuffer) buffer = fal_frame_pool_acquire (overlay->pool);

  if (buffer == NULL || !gst_video_frame_map (job->out, &overlay->out, buffer, GST_MAP_WRITE)) {
    fail_for_memory (error);
    return NULL;
  }
  composite (job);
  gst_video_frame_unmap (job->out);
  describe_buffer (overlay, buffer, frame);
  return g_steal_pointer (&buffer);
}

static gboolean
prepare (FalOverlay *overlay, GstSample *frame, GstCaps *output, FalLayer *layer, FalLayer *next,
    const FalArea *area, GError **error)
{
  const FalOverlayConfig *config = fal_layer_get_config (layer);
  FalArea own = fal_layer_get_area (layer);

  if (!prepare_frame (overlay, gst_sample_get_caps (frame), error) ||
      !prepare_output (overlay, output, error) ||
      !fal_layer_fit (layer, &overlay->frame, &overlay->planes, area ? area : &own, error))
    return FALSE;
  if (next != NULL) {
    own = fal_layer_get_area (next);
    if (!fal_layer_fit (next, &overlay->frame, &overlay->planes, area ? area : &own, error))
      return FALSE;
  }
  if (config->mode == FAL_COMPOSITE_OVER || becomes_alpha (overlay, layer))
    return TRUE;
  return fal_layer_make_chroma_mask (layer, error) &&
         (next == NULL || fal_layer_make_chroma_mask (next, error)) &&
         prepare_backdrop (overlay, &config->background, error);
}

/* A sample of 16 bits lies at an even place. */
static gboolean
map_frame (FalOverlay *overlay, GstVideoFrame *in, GstBuffer *buffer, GError **error)
{
  guintptr odd = 0;

  if (!fal_video_frame_map_whole (in, &overlay->frame, buffer, error))
    return FALSE;
  for (guint i = 0; i < GST_VIDEO_FRAME_N_PLANES (in); i++)
    odd |= (guintptr) GST_VIDEO_FRAME_PLANE_DATA (in, i) |
           (guintptr) GST_VIDEO_FRAME_PLANE_STRIDE (in, i);
  if (!overlay->planes.wide || (odd & 1) == 0)
    return TRUE;
  gst_video_frame_unmap (in);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
      "the samples of a frame do not lie at even addresses");
  return FALSE;
}

GstBuffer *
fal_overlay_apply (FalOverlay *overlay, GstSample *frame, GstCaps *output, FalLayer *layer,
    FalLayer *next, guint weight, const FalArea *area, GError **error)
{
  GstVideoFrame in, out;
  GstBuffer *input = gst_sample_get_buffer (frame), *buffer = NULL;
  Job job = { overlay, &in, &out, layer, next, weight };

  if (!prepare (overlay, frame, output, layer, next, area, error) ||
      !map_frame (overlay, &in, input, error))
    return NULL;
  settle (&job);
  if (becomes_alpha (overlay, layer))
    buffer = share_planes (&job, input);
  if (buffer == NULL)
    buffer = make_buffer (&job, input, error);
  gst_video_frame_unmap (&in);
  return buffer;
}
