/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The model: checks a request, makes its pictures, and remembers what the next request of the
 * connection must bring. The thread of its owner. */
#include "model.h"
#include "effects/effect.h"
#include "fal/wire/value-msgpack.h"
#include "result-message.h"
#include "validation.h"

#define GENERATED_SIZE 512 /* pixels: a picture made from a prompt alone */
#define MAX_PICTURES 2

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

typedef struct {
  FalResultPicture items[MAX_PICTURES];
  guint count;
} Pictures;

static void
pictures_clear (Pictures *pictures)
{
  for (guint i = 0; i < pictures->count; i++)
    g_bytes_unref (pictures->items[i].bytes);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Pictures, pictures_clear)

/* Takes @bytes. */
static void
add_picture (Pictures *pictures, GBytes *bytes, const FalRgbImage *image)
{
  pictures->items[pictures->count++] = (FalResultPicture){ .bytes = bytes,
    .content_type = fal_rgb_image_content_type (bytes),
    .width = image->width,
    .height = image->height };
}

static GBytes *
encode_picture (const FalSchema *schema, const FalRgbImage *image)
{
  return schema->cutout ? fal_rgb_image_encode_cutout (image) : fal_rgb_image_encode_jpeg (image);
}

static FalRgbImage *
load_image (const GstStructure *request, GBytes *input, GError **error)
{
  if (input != NULL)
    return fal_rgb_image_decode (input, error);
  return fal_rgb_image_new_gradient (
      GENERATED_SIZE, GENERATED_SIZE, gst_structure_get_string (request, "prompt"));
}

/* An interpolated picture comes first where it was asked for: here it is the model's input. */
static gboolean
make_pictures (Pictures *pictures, const FalSchema *schema, const FalEffect *effect,
    const GstStructure *request, GBytes *input, GError **error)
{
  g_autoptr (FalRgbImage) image = load_image (request, input, error);
  gboolean interpolated = FALSE;

  if (image == NULL)
    return FALSE;
  if (schema->interpolates)
    gst_structure_get_boolean (request, "enable_interpolation", &interpolated);
  if (interpolated)
    add_picture (pictures, encode_picture (schema, image), image);
  if (fal_effect_is_echo (effect) && input != NULL && !schema->cutout) {
    add_picture (pictures, g_bytes_ref (input), image);
    return TRUE;
  }
  fal_effect_apply (effect, image);
  add_picture (pictures, encode_picture (schema, image), image);
  return TRUE;
}

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

static GBytes *
make_message (FalModel *model, const GstStructure *request, const Pictures *pictures,
    gdouble seconds, GError **error)
{
  const FalModelConfig *config = model->config;
  FalResultParts parts = { .schema = config->schema,
    .request = request,
    .pictures = pictures->items,
    .n_pictures = pictures->count,
    .url = config->result_url,
    .seconds = seconds,
    .echo = config->schema->echoes && config->echo_request_id };

  model->runs++;
  if (config->schema->sequence == FAL_SEQUENCE_PORTRAIT)
    renew_state (model);
  parts.state = model->state;
  return fal_result_message_new (&parts, error);
}

GBytes *
fal_model_run (FalModel *model, const FalEffect *effect, gdouble least_seconds,
    const GstStructure *request, GError **error)
{
  const FalSchema *schema = model->config->schema;
  gint64 begin = g_get_monotonic_time ();
  g_autoptr (GError) input_error = NULL;
  g_autoptr (GBytes) input = NULL;
  g_auto (Pictures) pictures = { 0 };
  gdouble seconds;

  if (!check_request (model, request, error))
    return NULL;
  input = fal_validation_find_image (schema, request, &input_error);
  if (input_error != NULL) {
    g_propagate_error (error, g_steal_pointer (&input_error));
    return NULL;
  }
  if (!make_pictures (&pictures, schema, effect, request, input, error))
    return NULL;
  seconds = (g_get_monotonic_time () - begin) / (gdouble) G_USEC_PER_SEC;
  return make_message (model, request, &pictures, MAX (seconds, least_seconds), error);
}
