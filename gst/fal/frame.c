/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames and results are plain data, which somebody owns at every moment. */
#include "frame.h"

FalFrame *
fal_frame_new (GstSample *sample, gint64 arrival)
{
  FalFrame *frame = g_atomic_rc_box_new0 (FalFrame);
  GstBuffer *buffer = gst_sample_get_buffer (sample);
  GstCaps *caps = gst_sample_get_caps (sample);

  frame->sample = sample;
  frame->segment = *gst_sample_get_segment (sample);
  frame->pts = GST_BUFFER_PTS (buffer);
  frame->duration = GST_BUFFER_DURATION (buffer);
  frame->running = GST_CLOCK_TIME_NONE;
  if (frame->segment.format == GST_FORMAT_TIME)
    frame->running = gst_segment_to_running_time (&frame->segment, GST_FORMAT_TIME, frame->pts);
  frame->arrival = arrival;
  frame->arrived = GST_CLOCK_TIME_NONE;
  if (caps == NULL || !gst_structure_get_fraction (gst_caps_get_structure (caps, 0), "framerate",
                          &frame->fps_n, &frame->fps_d)) {
    frame->fps_n = 0;
    frame->fps_d = 1;
  }
  return frame;
}

FalFrame *
fal_frame_ref (FalFrame *frame)
{
  return g_atomic_rc_box_acquire (frame);
}

static void
clear_frame (gpointer data)
{
  FalFrame *frame = data;

  g_clear_pointer (&frame->sample, gst_sample_unref);
  g_clear_pointer (&frame->inputs, gst_structure_free);
  gst_clear_buffer (&frame->metas);
}

void
fal_frame_unref (FalFrame *frame)
{
  g_atomic_rc_box_release_full (frame, clear_frame);
}

FalLayerSource *
fal_layer_source_new (GBytes *picture, const FalLayout *layout, const FalArea *part)
{
  FalLayerSource *source = g_atomic_rc_box_new0 (FalLayerSource);

  source->picture = g_bytes_ref (picture);
  source->layout = *layout;
  source->part = *part;
  return source;
}

FalLayerSource *
fal_layer_source_ref (FalLayerSource *source)
{
  return g_atomic_rc_box_acquire (source);
}

static void
clear_source (gpointer data)
{
  g_bytes_unref (((FalLayerSource *) data)->picture);
}

void
fal_layer_source_unref (FalLayerSource *source)
{
  g_atomic_rc_box_release_full (source, clear_source);
}

void
fal_result_free (FalResult *result)
{
  fal_frame_unref (result->frame);
  g_clear_pointer (&result->sample, gst_sample_unref);
  g_clear_pointer (&result->before, fal_layer_source_unref);
  g_clear_pointer (&result->after, fal_layer_source_unref);
  g_clear_pointer (&result->picture, g_bytes_unref);
  g_clear_pointer (&result->fields, gst_structure_free);
  gst_clear_buffer (&result->metas);
  g_free (result->request_id);
  g_free (result);
}

/* Up to GStreamer 1.24 the names of fields are quarks, which FIELD() looks up once for each place
 * in the code; from 1.26 on they are text. */
#if GST_CHECK_VERSION(1, 26, 0)
typedef const GstIdStr *FieldName;
#define FIELD(name) name
#define set_fields gst_structure_set
#define take_value gst_structure_id_str_take_value
#define map_fields gst_structure_map_in_place_id_str
#else
typedef GQuark FieldName;
#define FIELD(name)                                                                                \
  ({                                                                                               \
    static gint quark;                                                                             \
    if (g_atomic_int_get (&quark) == 0)                                                            \
      g_atomic_int_set (&quark, g_quark_from_static_string (name));                                \
    (GQuark) g_atomic_int_get (&quark);                                                            \
  })
#define set_fields gst_structure_id_set
#define take_value gst_structure_id_take_value
#define map_fields gst_structure_map_in_place
#endif

static gboolean
move_field (FieldName name, GValue *value, gpointer to)
{
  take_value (to, name, value);
  *value = (GValue) G_VALUE_INIT;
  return TRUE;
}

void
fal_result_describe (FalResult *result, GstStructure *description)
{
  if (result->fields)
    map_fields (result->fields, move_field, description);
  g_clear_pointer (&result->fields, gst_structure_free);
  set_fields (description, FIELD ("sent"), G_TYPE_INT64, result->sent, FIELD ("received"),
      G_TYPE_INT64, result->received, FIELD ("round-trip"), G_TYPE_DOUBLE,
      (result->received - result->sent) / 1000.0, FIELD ("image-index"), G_TYPE_UINT, result->index,
      FIELD ("image-count"), G_TYPE_UINT, result->count, NULL);
  if (result->request_id)
    set_fields (description, FIELD ("request-id"), G_TYPE_STRING, result->request_id, NULL);
  if (result->inference >= 0)
    set_fields (description, FIELD ("inference"), G_TYPE_DOUBLE, result->inference * 1000, NULL);
}
