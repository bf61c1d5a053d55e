/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The model: checks a request, has its pictures made, and remembers what the next request of the
 * connection must bring. The thread of its owner. */
#include "model.h"
#include "effects/effect.h"
#include "fal/wire/value-msgpack.h"
#include "inference.h"
#include "validation.h"

struct _FalModel {
  const FalModelConfig *config;
  guint runs;          /* so far, those that came to a result */
  GstStructure *state; /* which the last result carried; NULL: none */
};

const FalEffect *
fal_model_find_effect (const gchar *name)
{
  return fal_effect_find (name);
}

gchar *
fal_model_dup_effect_names (void)
{
  return fal_effect_dup_names ();
}

FalModel *
fal_model_new (const FalModelConfig *config)
{
  FalModel *model = g_new0 (FalModel, 1);

  model->config = config;
  return model;
}

void
fal_model_free (FalModel *model)
{
  g_clear_pointer (&model->state, gst_structure_free);
  g_free (model);
}

/* ---- What a connection's requests must bring ---- */

static GBytes *
encode_field (const GstStructure *map, const gchar *field)
{
  g_autoptr (GstStructure) alone = gst_structure_new_empty ("map");

  gst_structure_set_value (alone, field, gst_structure_get_value (map, field));
  return fal_value_to_msgpack (alone, NULL);
}

/* Equal is what is the same on the wire. */
static gboolean
check_state (FalModel *model, const GstStructure *request, const gchar *field, GError **error)
{
  g_autoptr (GBytes) due = NULL, brought = NULL;

  if (!gst_structure_has_field (request, field))
    return fal_validation_set_missing (field, error);
  due = encode_field (model->state, field);
  brought = encode_field (request, field);
  if (brought != NULL && g_bytes_equal (due, brought))
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
      "%s: is not that of the last result, send it back as it came", field);
  return FALSE;
}

static gboolean
check_portrait (FalModel *model, const GstStructure *request, GError **error)
{
  const GValue *initial = gst_structure_get_value (request, "initial_image_url");

  if (model->runs == 0 && initial == NULL)
    return fal_validation_set_missing ("initial_image_url", error);
  if (initial != NULL && (!G_VALUE_HOLDS_STRING (initial) || !g_value_get_string (initial))) {
    g_set_error (
        error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "initial_image_url: str type expected");
    return FALSE;
  }
  return model->state == NULL || (check_state (model, request, "x_d_0_info", error) &&
                                     check_state (model, request, "r_d_0", error));
}

static gboolean
check_frames (FalModel *model, const GstStructure *request, GError **error)
{
  gboolean first = model->runs == 0;
  const gchar *due = first ? "start_frame" : "image", *other = first ? "image" : "start_frame";

  if (!gst_structure_has_field (request, due))
    return fal_validation_set_missing (due, error);
  if (!gst_structure_has_field (request, other))
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
      "%s: not permitted in %s message of a connection", other, first ? "the first" : "a later");
  return FALSE;
}

static gboolean
check_sequence (FalModel *model, const GstStructure *request, GError **error)
{
  switch (model->config->schema->sequence) {
  case FAL_SEQUENCE_PORTRAIT:
    return check_portrait (model, request, error);
  case FAL_SEQUENCE_FRAMES:
    return check_frames (model, request, error);
  default:
    return TRUE;
  }
}

/* ---- The state of a portrait ---- */

static void
append_row (GValue *rows, gdouble first)
{
  GValue row = G_VALUE_INIT, number = G_VALUE_INIT;

  gst_value_array_init (&row, 3);
  g_value_init (&number, G_TYPE_DOUBLE);
  for (guint i = 0; i < 3; i++) {
    g_value_set_double (&number, first + 0.125 + i / 4.0);
    gst_value_array_append_value (&row, &number);
  }
  gst_value_array_append_and_take_value (rows, &row);
}

/* Another one for each result: numbers of both kinds, bytes, a map in a map, a list of lists. No
 * float is whole: JavaScript would bring an integer back. */
static void
renew_state (FalModel *model)
{
  guint8 points[12];
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GstStructure) shape = NULL, info = NULL;
  GValue rows = G_VALUE_INIT;

  memset (points, model->runs, sizeof points);
  bytes = g_bytes_new (points, sizeof points);
  shape = gst_structure_new (
      "map", "points", G_TYPE_INT64, G_GINT64_CONSTANT (21), "data", G_TYPE_BYTES, bytes, NULL);
  info = gst_structure_new ("map", "pitch", G_TYPE_DOUBLE, 0.25 - 3.5 * model->runs, "scale",
      G_TYPE_DOUBLE, 1.25, "frame", G_TYPE_INT64, (gint64) model->runs, "exp", GST_TYPE_STRUCTURE,
      shape, NULL);
  gst_value_array_init (&rows, 3);
  for (guint i = 0; i < 3; i++)
    append_row (&rows, model->runs + i);
  g_clear_pointer (&model->state, gst_structure_free);
  model->state = gst_structure_new ("map", "x_d_0_info", GST_TYPE_STRUCTURE, info, NULL);
  gst_structure_take_value (model->state, "r_d_0", &rows);
}

/* ---- The run ---- */

static gboolean
check_request (FalModel *model, const GstStructure *request, GError **error)
{
  const FalModelConfig *config = model->config;

  if (g_strcmp0 (gst_structure_get_string (request, "prompt"), "boom") == 0) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "model exploded: CUDA out of memory");
    return FALSE;
  }
  if (config->refuse_unknown && !fal_validation_check_fields (config->schema, request, error))
    return FALSE;
  return check_sequence (model, request, error);
}

FalInference *
fal_model_begin (FalModel *model, GstStructure *request, GError **error)
{
  if (check_request (model, request, error))
    return fal_inference_new (model->config->schema, request, error);
  gst_structure_free (request);
  return NULL;
}

GBytes *
fal_model_end (FalModel *model, FalInference *inference, gdouble least_seconds, GError **error)
{
  const FalModelConfig *config = model->config;
  FalResultParts parts = { .schema = config->schema,
    .url = config->result_url,
    .echo = config->schema->echoes && config->echo_request_id };

  fal_inference_describe (inference, &parts);
  parts.seconds = MAX (parts.seconds, least_seconds);
  model->runs++;
  if (config->schema->sequence == FAL_SEQUENCE_PORTRAIT)
    renew_state (model);
  parts.state = model->state;
  return fal_result_message_new (&parts, error);
}

GBytes *
fal_model_run (FalModel *model, const FalEffect *effect, gdouble least_seconds,
    GstStructure *request, GError **error)
{
  g_autoptr (FalInference) inference = fal_model_begin (model, request, error);

  if (inference == NULL || !fal_inference_run (inference, effect, NULL, error))
    return NULL;
  return fal_model_end (model, inference, least_seconds, error);
}
