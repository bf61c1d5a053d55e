/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The model: checks a request, makes its pictures, and remembers what the next request of the
 * connection must bring. The thread of its owner. */
#include "model.h"
#include "fal/wire/value-msgpack.h"
#include "input.h"
#include "outcome.h"

#define GENERATED_SIZE 512 /* pixels: a picture made from a prompt alone */
#define MAX_PICTURES 2

struct _FalModel {
  const FalModelRules *rules;
  guint runs;          /* so far, those that came to a result */
  GstStructure *state; /* which the last result carried; NULL: none */
};

FalModel *
fal_model_new (const FalModelRules *rules)
{
  FalModel *model = g_new0 (FalModel, 1);

  model->rules = rules;
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
    return fal_input_set_missing (field, error);
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
    return fal_input_set_missing ("initial_image_url", error);
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
    return fal_input_set_missing (due, error);
  if (!gst_structure_has_field (request, other))
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
      "%s: not permitted in %s message of a connection", other, first ? "the first" : "a later");
  return FALSE;
}

static gboolean
check_sequence (FalModel *model, const GstStructure *request, GError **error)
{
  switch (model->rules->schema->sequence) {
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
  FalOutcomePicture pictures[MAX_PICTURES];
  guint count;
} Album;

static void
album_clear (Album *album)
{
  for (guint i = 0; i < album->count; i++)
    g_bytes_unref (album->pictures[i].bytes);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Album, album_clear)

static void
add_picture (Album *album, GBytes *bytes, const FalCanvas *canvas)
{
  album->pictures[album->count++] = (FalOutcomePicture){ bytes, canvas->width, canvas->height };
}

static GBytes *
encode_picture (const FalSchema *schema, const FalCanvas *canvas)
{
  return schema->cutout ? fal_canvas_encode_cutout (canvas) : fal_canvas_encode_jpeg (canvas);
}

static FalCanvas *
load_canvas (const GstStructure *request, GBytes *image, GError **error)
{
  if (image != NULL)
    return fal_canvas_decode (image, error);
  return fal_canvas_new_gradient (
      GENERATED_SIZE, GENERATED_SIZE, gst_structure_get_string (request, "prompt"));
}

/* Where asked for, an in-between picture comes first: the model's input, as good as any here. */
static gboolean
fill_album (Album *album, const FalSchema *schema, const FalEffect *effect,
    const GstStructure *request, GBytes *image, GError **error)
{
  g_autoptr (FalCanvas) canvas = load_canvas (request, image, error);
  gboolean between = FALSE;

  if (canvas == NULL)
    return FALSE;
  if (schema->between)
    gst_structure_get_boolean (request, "enable_interpolation", &between);
  if (between)
    add_picture (album, encode_picture (schema, canvas), canvas);
  if (fal_effect_is_echo (effect) && image != NULL && !schema->cutout) {
    add_picture (album, g_bytes_ref (image), canvas);
    return TRUE;
  }
  fal_effect_apply (effect, canvas);
  add_picture (album, encode_picture (schema, canvas), canvas);
  return TRUE;
}

static gboolean
check_request (FalModel *model, const GstStructure *request, GError **error)
{
  const FalModelRules *rules = model->rules;

  if (g_strcmp0 (gst_structure_get_string (request, "prompt"), "boom") == 0) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "model exploded: CUDA out of memory");
    return FALSE;
  }
  if (rules->refuse_unknown && !fal_input_check_fields (rules->schema, request, error))
    return FALSE;
  return check_sequence (model, request, error);
}

static GBytes *
make_message (FalModel *model, const GstStructure *request, const Album *album, gdouble seconds,
    GError **error)
{
  const FalModelRules *rules = model->rules;
  FalOutcomeParts parts = { .schema = rules->schema,
    .request = request,
    .pictures = album->pictures,
    .n_pictures = album->count,
    .url = rules->result_url,
    .seconds = seconds,
    .echo = rules->schema->echoes && rules->echo_request_id };

  model->runs++;
  if (rules->schema->sequence == FAL_SEQUENCE_PORTRAIT)
    renew_state (model);
  parts.state = model->state;
  return fal_outcome_new (&parts, error);
}

GBytes *
fal_model_run (FalModel *model, const FalEffect *effect, gdouble least_seconds,
    const GstStructure *request, GError **error)
{
  const FalSchema *schema = model->rules->schema;
  gint64 begin = g_get_monotonic_time ();
  g_autoptr (GError) trouble = NULL;
  g_autoptr (GBytes) image = NULL;
  g_auto (Album) album = { 0 };
  gdouble seconds;

  if (!check_request (model, request, error))
    return NULL;
  image = fal_input_find_image (schema, request, &trouble);
  if (trouble != NULL) {
    g_propagate_error (error, g_steal_pointer (&trouble));
    return NULL;
  }
  if (!fill_album (&album, schema, effect, request, image, error))
    return NULL;
  seconds = (g_get_monotonic_time () - begin) / (gdouble) G_USEC_PER_SEC;
  return make_message (model, request, &album, MAX (seconds, least_seconds), error);
}
