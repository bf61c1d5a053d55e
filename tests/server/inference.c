/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The inference: a picture is decoded, changed and encoded. */
#include "inference.h"
#include "effects/effect.h"
#include "validation.h"

#define GENERATED_SIZE 512 /* pixels: a picture made from a prompt alone */
#define MAX_PICTURES 2

struct _FalInference {
  const FalSchema *schema;
  GstStructure *request;
  GBytes *input;        /* NULL: a prompt alone */
  gboolean coloured;    /* the background is */
  guint8 background[3]; /* black where it is not */
  FalResultPicture pictures[MAX_PICTURES];
  guint n_pictures;
  gdouble seconds; /* that it took */
};

FalInference *
fal_inference_new (const FalSchema *schema, GstStructure *request, GError **error)
{
  g_autoptr (FalInference) inference = g_new0 (FalInference, 1);
  GError *problem = NULL;

  inference->schema = schema;
  inference->request = request;
  inference->input = fal_validation_find_image (schema, request, &problem);
  if (problem == NULL && schema->cutout)
    inference->coloured =
        fal_validation_find_colour (request, "background_color", inference->background, &problem);
  if (problem == NULL)
    return g_steal_pointer (&inference);
  g_propagate_error (error, problem);
  return NULL;
}

void
fal_inference_free (FalInference *inference)
{
  for (guint i = 0; i < inference->n_pictures; i++)
    g_bytes_unref (inference->pictures[i].bytes);
  g_clear_pointer (&inference->input, g_bytes_unref);
  gst_structure_free (inference->request);
  g_free (inference);
}

/* Takes @bytes. */
static void
add_picture (FalInference *inference, GBytes *bytes, const FalRgbImage *image)
{
  inference->pictures[inference->n_pictures++] = (FalResultPicture){ .bytes = bytes,
    .content_type = fal_rgb_image_content_type (bytes),
    .width = image->width,
    .height = image->height };
}

/* Before a colour, or where the schema has no alpha, the picture is a whole one. */
static GBytes *
encode_picture (FalInference *inference, FalRgbImage *image, const FalMatte *matte)
{
  if (matte == NULL)
    return fal_rgb_image_encode_jpeg (image);
  if (inference->schema->cutout && !inference->coloured)
    return fal_rgb_image_encode_cutout (image, matte->data);
  fal_matte_blend (matte, image, inference->background);
  return fal_rgb_image_encode_jpeg (image);
}

static FalRgbImage *
load_image (FalInference *inference, GError **error)
{
  if (inference->input != NULL)
    return fal_rgb_image_decode (inference->input, error);
  return fal_rgb_image_new_gradient (
      GENERATED_SIZE, GENERATED_SIZE, gst_structure_get_string (inference->request, "prompt"));
}

/* An interpolated picture comes first where it was asked for: here it is the model's input. */
static void
add_interpolated (FalInference *inference, FalRgbImage *image)
{
  gboolean interpolated = FALSE;

  if (inference->schema->interpolates)
    gst_structure_get_boolean (inference->request, "enable_interpolation", &interpolated);
  if (interpolated)
    add_picture (inference, fal_rgb_image_encode_jpeg (image), image);
}

static void
run_effect (FalInference *inference, const FalEffect *effect, FalRgbImage *image)
{
  g_autoptr (FalMatte) matte = NULL;

  if (fal_effect_is_echo (effect) && inference->input != NULL && !inference->schema->cutout) {
    add_picture (inference, g_bytes_ref (inference->input), image);
    return;
  }
  fal_effect_apply (effect, image);
  if (inference->schema->cutout)
    matte = fal_matte_new_oval (image);
  add_picture (inference, encode_picture (inference, image, matte), image);
}

/* A matte that comes back is for the picture as it was. */
static gboolean
run_command (
    FalInference *inference, FalEffectCommand *command, FalRgbImage **image, GError **error)
{
  g_autoptr (FalMatte) coarse = NULL, matte = NULL;

  if (!fal_effect_command_apply (command, image, &coarse, error))
    return FALSE;
  if (coarse != NULL)
    matte = fal_matte_new_fitted (coarse, *image);
  add_picture (inference, encode_picture (inference, *image, matte), *image);
  return TRUE;
}

gboolean
fal_inference_run (
    FalInference *inference, const FalEffect *effect, FalEffectCommand *command, GError **error)
{
  gint64 begin = g_get_monotonic_time ();
  g_autoptr (FalRgbImage) image = load_image (inference, error);
  gboolean done = TRUE;

  if (image == NULL)
    return FALSE;
  add_interpolated (inference, image);
  if (command != NULL)
    done = run_command (inference, command, &image, error);
  else
    run_effect (inference, effect, image);
  inference->seconds = (g_get_monotonic_time () - begin) / (gdouble) G_USEC_PER_SEC;
  return done;
}

void
fal_inference_describe (FalInference *inference, FalResultParts *parts)
{
  parts->request = inference->request;
  parts->pictures = inference->pictures;
  parts->n_pictures = inference->n_pictures;
  parts->seconds = inference->seconds;
}
