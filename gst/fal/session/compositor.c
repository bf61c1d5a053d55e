/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The overlay, a decoder for results and one for frames that come as pictures, and the layers that
 * were made last. */
#include "compositor.h"
#include "fal/image/decoder.h"
#include "fal/image/overlay.h"
#include "fal/image/video-frame.h"

#include <gio/gio.h>
#include <string.h>

/* A frame between two results needs both; the third may be broken. */
#define MOST_LAYERS 3

/* A result that was made into a layer. */
typedef struct {
  GBytes *picture;
  FalLayout layout;
  FalLayer *layer; /* NULL: it cannot be one */
} Known;

struct _FalCompositor {
  FalOverlay *overlay;
  FalDecoder *results, *frames;

  /* What follows holds for these. */
  FalCompositorConfig config; /* with a reference to its caps; NULL: nothing was made yet */
  GstCaps *caps;              /* of the frames, which are raw */
  GstVideoInfo info;          /* the same */
  GstCaps *output;
  GstVideoInfo output_info;
  GQueue known;     /* Known, newest first */
  FalLayer *good;   /* laid on a frame last; NULL: none was */
  GstBuffer *black; /* NULL: not made yet */

  GstBuffer *last; /* a composite that was made last; NULL: none was */
  GstCaps *last_caps;
};

FalCompositor *
fal_compositor_new (void)
{
  FalCompositor *compositor = g_new0 (FalCompositor, 1);

  compositor->overlay = fal_overlay_new ();
  compositor->results = fal_decoder_new ();
  compositor->frames = fal_decoder_new ();
  g_queue_init (&compositor->known);
  return compositor;
}

static void
known_free (gpointer data)
{
  Known *known = data;

  g_bytes_unref (known->picture);
  g_clear_pointer (&known->layer, fal_layer_unref);
  g_free (known);
}

static void
forget_frames (FalCompositor *compositor)
{
  gst_clear_caps (&compositor->config.allowed);
  gst_clear_caps (&compositor->caps);
  gst_clear_caps (&compositor->output);
  g_queue_clear_full (&compositor->known, known_free);
  g_clear_pointer (&compositor->good, fal_layer_unref);
  gst_clear_buffer (&compositor->black);
}

void
fal_compositor_reset (FalCompositor *compositor)
{
  forget_frames (compositor);
  gst_clear_buffer (&compositor->last);
  gst_clear_caps (&compositor->last_caps);
}

void
fal_compositor_free (FalCompositor *compositor)
{
  fal_compositor_reset (compositor);
  fal_decoder_free (compositor->results);
  fal_decoder_free (compositor->frames);
  fal_overlay_free (compositor->overlay);
  g_free (compositor);
}

/* ---- the frame, and what goes out for it ---- */

static gboolean
is_same (const FalCompositorConfig *one, const FalCompositorConfig *other)
{
  const FalOverlayConfig *a = &one->overlay, *b = &other->overlay;

  return a->mode == b->mode && a->feather == b->feather && a->fit == b->fit &&
         a->background.blur == b->background.blur && a->background.argb == b->background.argb &&
         one->max_pixels == other->max_pixels && one->rate.n == other->rate.n &&
         one->rate.d == other->rate.d && one->allowed != NULL &&
         (one->allowed == other->allowed || gst_caps_is_equal (one->allowed, other->allowed));
}

/* @caps (taken) at the rate at which pictures go out. */
static GstCaps *
set_rate (GstCaps *caps, const FalFraction *rate)
{
  GstStructure *structure;

  if (rate->n == 0)
    return caps;
  caps = gst_caps_make_writable (caps);
  structure = gst_caps_get_structure (caps, 0);
  gst_structure_remove_field (structure, "max-framerate");
  gst_structure_set (structure, "framerate", GST_TYPE_FRACTION, rate->n, rate->d, NULL);
  return caps;
}

static void
set_error_of_caps (const FalCompositorConfig *config, GError **error)
{
  g_autoptr (GstCaps) raw = gst_caps_new_empty_simple ("video/x-raw");

  if (!gst_caps_can_intersect (config->allowed, raw))
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
        "A composite is raw video, which downstream does not take. Put an encoder, such as "
        "jpegenc, after this element.");
  else
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
        "Downstream does not take the frames as they are, which a composite is like. Put "
        "videoconvert and videoscale after this element%s.",
        config->rate.n > 0 ? ", or set output-framerate to what downstream takes" : "");
}

static gboolean
choose_output (FalCompositor *compositor, GError **error)
{
  const FalCompositorConfig *config = &compositor->config;
  g_autoptr (GstCaps) caps = set_rate (gst_caps_ref (compositor->caps), &config->rate);
  g_autoptr (GError) fault = NULL;

  compositor->output = fal_overlay_make_caps (caps, config->allowed, &config->overlay, &fault);
  if (compositor->output == NULL) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, fault->message);
    return FALSE;
  }
  if (gst_caps_can_intersect (compositor->output, config->allowed) &&
      gst_video_info_from_caps (&compositor->output_info, compositor->output))
    return TRUE;
  set_error_of_caps (config, error);
  return FALSE;
}

/* Gets ready for frames of @caps. */
static gboolean
prepare (
    FalCompositor *compositor, GstCaps *caps, const FalCompositorConfig *config, GError **error)
{
  if (compositor->output != NULL && is_same (&compositor->config, config) &&
      gst_caps_is_equal (compositor->caps, caps))
    return TRUE;
  forget_frames (compositor);
  compositor->config = *config;
  compositor->config.allowed = gst_caps_ref (config->allowed);
  compositor->caps = gst_caps_ref (caps);
  if (!gst_video_info_from_caps (&compositor->info, caps)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "The caps of the frames say too little.");
    forget_frames (compositor);
    return FALSE;
  }
  if (choose_output (compositor, error))
    return TRUE;
  forget_frames (compositor);
  return FALSE;
}

static gboolean
is_raw (GstSample *sample)
{
  return gst_structure_has_name (
      gst_caps_get_structure (gst_sample_get_caps (sample), 0), "video/x-raw");
}

static GstBuffer *
decode_frame (FalCompositor *compositor, const FalResult *result, GBytes *picture,
    const FalCompositorConfig *config, GstCaps **caps, GError **error)
{
  GstCaps *own = gst_sample_get_caps (result->sample);
  g_autoptr (GstCaps) allowed = fal_overlay_get_frame_caps (config->allowed, &config->overlay);
  FalDecoderConfig decoder = {
    .allowed = allowed,
    .max_pixels = config->max_pixels,
    .flawed = TRUE,
    .fps_n = result->frame->fps_n,
    .fps_d = result->frame->fps_d,
  };

  if (gst_caps_is_empty (allowed)) {
    set_error_of_caps (config, error);
    return NULL;
  }
  gst_structure_get_fraction (gst_caps_get_structure (own, 0), "pixel-aspect-ratio",
      &decoder.layout.par_n, &decoder.layout.par_d);
  return fal_decoder_decode (compositor->frames, picture, &decoder, caps, error);
}

/* The frame of @result as raw video, with all that is known of it. */
static GstSample *
get_frame (FalCompositor *compositor, const FalResult *result, const FalCompositorConfig *config,
    GError **error)
{
  GstBuffer *own = gst_sample_get_buffer (result->sample);
  g_autoptr (GstBuffer) buffer = NULL;
  g_autoptr (GstCaps) caps = NULL;
  g_autoptr (GBytes) picture = NULL;
  gpointer data;
  gsize size;

  if (is_raw (result->sample))
    return gst_sample_ref (result->sample);
  gst_buffer_extract_dup (own, 0, -1, &data, &size);
  picture = g_bytes_new_take (data, size);
  buffer = decode_frame (compositor, result, picture, config, &caps, error);
  if (buffer == NULL)
    return NULL;
  gst_buffer_copy_into (buffer, own, GST_BUFFER_COPY_METADATA, 0, -1);
  return gst_sample_new (buffer, caps, NULL, NULL);
}

/* ---- layers ---- */

static Known *
find_known (FalCompositor *compositor, GBytes *picture, const FalLayout *layout)
{
  for (GList *l = compositor->known.head; l != NULL; l = l->next) {
    Known *known = l->data;

    if (known->picture == picture && memcmp (&known->layout, layout, sizeof *layout) == 0)
      return known;
  }
  return NULL;
}

static FalLayer *
make_layer (FalCompositor *compositor, GBytes *picture, const FalLayout *layout, GError **error)
{
  const FalOverlayConfig *overlay = &compositor->config.overlay;
  g_autoptr (GstCaps) allowed = fal_overlay_get_result_caps (compositor->caps, overlay);
  g_autoptr (GstCaps) caps = NULL;
  g_autoptr (GstBuffer) buffer = NULL;
  g_autoptr (GstSample) sample = NULL;
  const FalDecoderConfig config = {
    .allowed = allowed,
    .max_pixels = compositor->config.max_pixels,
    .matte = fal_overlay_is_matte (overlay),
    .layout = *layout,
  };

  buffer = fal_decoder_decode (compositor->results, picture, &config, &caps, error);
  if (buffer == NULL)
    return NULL;
  sample = gst_sample_new (buffer, caps, NULL, NULL);
  return fal_overlay_make_layer (
      compositor->overlay, sample, layout, compositor->caps, overlay, error);
}

/* The layer of a picture (borrowed). NULL: it cannot be one, and @error says why the first time. */
static FalLayer *
get_layer (FalCompositor *compositor, GBytes *picture, const FalLayout *layout, GError **error)
{
  Known *known = find_known (compositor, picture, layout);

  if (known != NULL)
    return known->layer;
  known = g_new (Known, 1);
  *known =
      (Known) { g_bytes_ref (picture), *layout, make_layer (compositor, picture, layout, error) };
  g_queue_push_head (&compositor->known, known);
  while (compositor->known.length > MOST_LAYERS)
    known_free (g_queue_pop_tail (&compositor->known));
  return known->layer;
}

/* One that cannot be read was told of with its own frame. */
static FalLayer *
get_source_layer (FalCompositor *compositor, const FalLayerSource *source)
{
  return source ? get_layer (compositor, source->picture, &source->layout, NULL) : NULL;
}

/* ---- composites ---- */

/* @area: as fal_overlay_apply() has it. */
static GstBuffer *
apply (FalCompositor *compositor, GstSample *frame, FalLayer *layer, FalLayer *next, guint weight,
    const FalArea *area, GError **error)
{
  GstBuffer *buffer = fal_overlay_apply (
      compositor->overlay, frame, compositor->output, layer, next, weight, area, error);
  FalLayer *good = fal_layer_ref (next && weight > 0 ? next : layer);

  g_clear_pointer (&compositor->good, fal_layer_unref);
  compositor->good = good;
  return buffer;
}

static GstBuffer *
make_answer (FalCompositor *compositor, const FalResult *result, GstSample *frame, GError **error)
{
  FalLayer *layer = get_layer (compositor, result->picture, &result->layout, error);

  if (layer != NULL)
    return apply (compositor, frame, layer, NULL, 0, NULL, error);
  if (error != NULL && *error == NULL) /* it was told before */
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "its picture cannot be read");
  return NULL;
}

static gint
scale (gint length, gint to, gint from)
{
  return (gint64) length * to / from;
}

/* Where @layer lies that was made for the part @from of its frame, on one of which that part is
 * @to.
 */
static FalArea
move_area (const FalLayer *layer, const FalArea *from, const FalArea *to)
{
  FalArea area = fal_layer_get_area (layer);

  return (FalArea) {
    .x = to->x + scale (area.x - from->x, to->width, from->width),
    .y = to->y + scale (area.y - from->y, to->height, from->height),
    .width = scale (area.width, to->width, from->width),
    .height = scale (area.height, to->height, from->height),
  };
}

/* Whether the part that is sent is somewhere else in @result's frame than it was in that of
 * @source. Of a matte all is known only where it was. */
static gboolean
is_moved (const FalCompositor *compositor, const FalResult *result, const FalLayerSource *source)
{
  const FalArea *own = &result->frame->part, *other = &source->part;

  return compositor->config.overlay.mode == FAL_COMPOSITE_OVER && own->width > 0 &&
         own->height > 0 && other->width > 0 && other->height > 0 &&
         memcmp (own, other, sizeof *own) != 0;
}

/* A part that moves takes the newer picture along. */
static GstBuffer *
make_moved (FalCompositor *compositor, const FalResult *result, GstSample *frame, GError **error)
{
  const FalLayerSource *source = result->after ? result->after : result->before;
  FalLayer *layer = get_source_layer (compositor, source);
  FalArea area;

  if (layer == NULL)
    return NULL;
  area = move_area (layer, &source->part, &result->frame->part);
  return apply (compositor, frame, layer, NULL, 0, &area, error);
}

static gboolean
moves (const FalCompositor *compositor, const FalResult *result)
{
  return (result->before && is_moved (compositor, result, result->before)) ||
         (result->after && is_moved (compositor, result, result->after));
}

static GstBuffer *
make_between (FalCompositor *compositor, const FalResult *result, GstSample *frame, GError **error)
{
  FalLayer *before = get_source_layer (compositor, result->before);
  FalLayer *after = get_source_layer (compositor, result->after);
  GstBuffer *moved =
      moves (compositor, result) ? make_moved (compositor, result, frame, error) : NULL;

  if (moved != NULL || (error != NULL && *error != NULL))
    return moved;
  if (before != NULL && after != NULL)
    return apply (compositor, frame, before, after, result->weight, NULL, error);
  if (before == NULL)
    before = after ? after : compositor->good;
  if (before != NULL)
    return apply (compositor, frame, before, NULL, 0, NULL, error);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "no picture can be read");
  return NULL;
}

/* A matte that lets all of a frame through. */
static FalLayer *
make_opaque_layer (FalCompositor *compositor, GError **error)
{
  static const guint8 white[] = { 255, 255, 255, 255 }; /* a row has a multiple of four bytes */
  g_autoptr (GstBuffer) buffer = gst_buffer_new_memdup (white, sizeof white);
  g_autoptr (GstCaps) caps = gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING, "GRAY8",
      "width", G_TYPE_INT, (gint) sizeof white, "height", G_TYPE_INT, 1, NULL);
  g_autoptr (GstSample) sample = gst_sample_new (buffer, caps, NULL, NULL);
  const FalLayout whole = { 0 };

  return fal_overlay_make_layer (
      compositor->overlay, sample, &whole, compositor->caps, &compositor->config.overlay, error);
}

/* The frame alone, in memory of its own: upstream's may be needed there. */
static GstBuffer *
make_passing (FalCompositor *compositor, GstSample *frame, GError **error)
{
  g_autoptr (FalLayer) opaque = NULL;

  if (GST_VIDEO_INFO_FORMAT (&compositor->info) == GST_VIDEO_INFO_FORMAT (&compositor->output_info))
    return fal_video_frame_copy_plain (gst_sample_get_buffer (frame), &compositor->info);
  opaque = make_opaque_layer (compositor, error);
  if (opaque == NULL)
    return NULL;
  return fal_overlay_apply (
      compositor->overlay, frame, compositor->output, opaque, NULL, 0, NULL, error);
}

/* Fills @to with black, which is opaque where there is alpha. Error: G_IO_ERROR_FAILED. */
static gboolean
paint_black (GstVideoFrame *to, GError **error)
{
  const GstVideoInfo *out = &to->info;
  const GstVideoRectangle all = { 0, 0, GST_VIDEO_INFO_WIDTH (out), GST_VIDEO_INFO_HEIGHT (out) };
  GstVideoConverter *converter;
  GstVideoFrame black;
  GstVideoInfo in;
  guint32 *pixels;
  gboolean painted;

  if (!fal_video_frame_make_info (&in, out, GST_VIDEO_FORMAT_RGBA, all.w, all.h, error) ||
      !fal_video_frame_make (&black, &in, error))
    return FALSE;
  in.fps_n = out->fps_n;
  in.fps_d = out->fps_d;
  pixels = GST_VIDEO_FRAME_PLANE_DATA (&black, 0);
  for (gsize i = 0; i < in.size / sizeof *pixels; i++)
    pixels[i] = GUINT32_TO_BE (0x000000ff);
  converter = fal_video_frame_make_converter (&in, &all, out, error);
  painted = converter != NULL;
  if (painted)
    gst_video_converter_frame (converter, &black, to);
  fal_video_frame_clear (&black);
  g_clear_pointer (&converter, gst_video_converter_free);
  return painted;
}

static GstBuffer *
make_black (FalCompositor *compositor, GError **error)
{
  GstVideoFrame frame;
  gboolean painted;

  if (compositor->black != NULL)
    return gst_buffer_copy (compositor->black);
  if (!fal_video_frame_make (&frame, &compositor->output_info, error))
    return NULL;
  painted = paint_black (&frame, error);
  if (painted)
    compositor->black = gst_buffer_ref (frame.buffer);
  fal_video_frame_clear (&frame);
  return painted ? gst_buffer_copy (compositor->black) : NULL;
}

static GstBuffer *
make_fallback (FalCompositor *compositor, const FalResult *result, GstSample *frame, GError **error)
{
  if (result->fallback == FAL_FALLBACK_PASSTHROUGH)
    return make_passing (compositor, frame, error);
  if (result->fallback == FAL_FALLBACK_LAST && compositor->last != NULL &&
      gst_caps_is_equal (compositor->last_caps, compositor->output))
    return gst_buffer_copy (compositor->last);
  return make_black (compositor, error);
}

static GstBuffer *
make (FalCompositor *compositor, const FalResult *result, GstSample *frame, GError **error)
{
  switch (result->kind) {
  case FAL_RESULT_ANSWER:
    return make_answer (compositor, result, frame, error);
  case FAL_RESULT_BETWEEN:
    return make_between (compositor, result, frame, error);
  case FAL_RESULT_FALLBACK:
    return make_fallback (compositor, result, frame, error);
  default:
    return make_passing (compositor, frame, error);
  }
}

/* What another element like this one said of its result is not said of this one's. */
static void
remove_description (GstBuffer *buffer)
{
  GstCustomMeta *meta;

  while ((meta = gst_buffer_get_custom_meta (buffer, FAL_RESULT_META)))
    gst_buffer_remove_meta (buffer, (GstMeta *) meta);
}

static void
note_last (FalCompositor *compositor, const FalResult *result, GstBuffer *buffer)
{
  if (result->kind != FAL_RESULT_ANSWER && result->kind != FAL_RESULT_BETWEEN)
    return;
  gst_buffer_replace (&compositor->last, buffer);
  gst_caps_replace (&compositor->last_caps, compositor->output);
}

GstBuffer *
fal_compositor_make (FalCompositor *compositor, const FalResult *result,
    const FalCompositorConfig *config, GstCaps **caps, GError **error)
{
  g_autoptr (GstSample) frame = get_frame (compositor, result, config, error);
  GstBuffer *buffer;

  if (frame == NULL || !prepare (compositor, gst_sample_get_caps (frame), config, error))
    return NULL;
  buffer = make (compositor, result, frame, error);
  if (buffer == NULL)
    return NULL;
  note_last (compositor, result, buffer);
  buffer = gst_buffer_make_writable (buffer);
  remove_description (buffer);
  *caps = gst_caps_ref (compositor->output);
  return buffer;
}
