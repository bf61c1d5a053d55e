/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The renderer: decoder and timeline put together. Used by the source pad's task
 * alone, so that it needs no lock. */
#include "renderer.h"
#include <gio/gio.h>

struct _FalRenderer {
  FalDecoder *decoder;
  FalTimeline timeline;
  guint64 last_serial; /* of the newest result out; 0: none */
};

FalRenderer *
fal_renderer_new (void)
{
  FalRenderer *renderer = g_new0 (FalRenderer, 1);

  renderer->decoder = fal_decoder_new ();
  fal_timeline_reset (&renderer->timeline);
  return renderer;
}

void
fal_renderer_free (FalRenderer *renderer)
{
  fal_decoder_free (renderer->decoder);
  g_free (renderer);
}

void
fal_renderer_reset (FalRenderer *renderer)
{
  fal_timeline_reset (&renderer->timeline);
  renderer->last_serial = 0;
}

static GstBuffer *
decode (FalRenderer *renderer, const FalResult *result, const FalRendererConfig *config,
    GstCaps **caps, GError **error)
{
  const FalFrame *frame = result->frame;
  FalDecoderConfig decoder = {
    .allowed = config->allowed,
    .max_pixels = config->max_pixels,
    .fps_n = config->every_frame ? frame->fps_n : 0,
    .fps_d = config->every_frame ? frame->fps_d : 1,
    .max_fps_n = config->every_frame ? 0 : frame->fps_n,
    .max_fps_d = frame->fps_d,
  };

  return fal_decoder_decode (renderer->decoder, result->picture, &decoder, caps, error);
}

static gboolean
stamp (FalRenderer *renderer, const FalResult *result, const FalRendererConfig *config,
    GstBuffer *buffer)
{
  const FalFrame *frame = result->frame;
  FalMoment moment = { &frame->segment, frame->pts, frame->duration,
    config->get_running_time (config->user), result->index, result->count };

  return fal_timeline_stamp (&renderer->timeline, config->mode, &moment, &GST_BUFFER_PTS (buffer),
      &GST_BUFFER_DURATION (buffer));
}

/* Tells downstream what became of the frame on the way, for whoever wants to know. */
static void
describe (const FalResult *result, GstBuffer *buffer)
{
  GstCustomMeta *meta = gst_buffer_add_custom_meta (buffer, "GstFalResultMeta");
  GstStructure *fields;

  if (meta == NULL)
    return;
  fields = gst_custom_meta_get_structure (meta);
  gst_structure_set (fields, "sent", G_TYPE_INT64, result->sent, "received", G_TYPE_INT64,
      result->received, "round-trip", G_TYPE_DOUBLE, (result->received - result->sent) / 1000.0,
      "image-index", G_TYPE_UINT, result->index, "image-count", G_TYPE_UINT, result->count, NULL);
  if (result->request_id)
    gst_structure_set (fields, "request-id", G_TYPE_STRING, result->request_id, NULL);
  if (result->inference >= 0)
    gst_structure_set (fields, "inference", G_TYPE_DOUBLE, result->inference * 1000, NULL);
}

GstSample *
fal_renderer_render (
    FalRenderer *renderer, const FalResult *result, const FalRendererConfig *config, GError **error)
{
  g_autoptr (GstCaps) caps = NULL;
  g_autoptr (GstBuffer) buffer = decode (renderer, result, config, &caps, error);

  if (buffer == NULL)
    return NULL;
  if (!stamp (renderer, result, config, buffer)) {
    g_set_error (
        error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "a result came after a newer one had gone out");
    return NULL;
  }
  if (renderer->last_serial == 0 || result->serial > renderer->last_serial + 1)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  renderer->last_serial = result->serial;
  describe (result, buffer);
  return gst_sample_new (buffer, caps, &result->frame->segment, NULL);
}
