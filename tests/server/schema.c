/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of schemas. Strict where the real app is: each image field has the one type that the
 * app declares. The first, raw and json take what a client may send. Any thread. */
#include "schema.h"
#include "fal/wire/value-json.h"
#include "fal/wire/value-msgpack.h"

static const gchar *const diffusion_fields[] = { "prompt", "negative_prompt", "strength",
  "num_inference_steps", "guidance_scale", "seed", "image_size", "sync_mode", "num_images",
  "enable_safety_checker", "enable_safety_checks", "expand_prompt", "format", NULL };
static const gchar *const klein_fields[] = { "prompt", "seed", "num_inference_steps", "image_size",
  "schedule_mu", "output_feedback_strength", "enable_interpolation", NULL };
static const gchar *const turbo_fields[] = { "prompt", "num_inference_steps", "strength",
  "guidance_scale", "seed", NULL };
static const gchar *const cutout_fields[] = { "background_color", "model", NULL };
static const gchar *const portrait_fields[] = { "initial_image_url", "x_d_0_info", "r_d_0",
  "flag_lip_zero", "flag_eye_retargeting", "flag_lip_retargeting", "flag_stitching",
  "flag_relative", "flag_pasteback", "flag_do_crop", "flag_do_rot", NULL };
static const gchar *const frames_fields[] = { "prompt", "strength", "num_denoising_steps", "seed",
  "width", "height", NULL };

static const FalSchema schemas[] = {
  { .name = "turbo",
      .inputs = { { "image_bytes", FAL_FORM_BYTES }, { "image_url", FAL_FORM_TEXT },
          { "image", FAL_FORM_ANY } },
      .fields = diffusion_fields,
      .output = "content",
      .echoes = TRUE },
  { .name = "lcm",
      .inputs = { { "image_url", FAL_FORM_DATA_URI } },
      .fields = diffusion_fields,
      .output = "url",
      .echoes = TRUE },
  { .name = "lcm-sd15",
      .inputs = { { "image_url", FAL_FORM_DATA_URI } },
      .fields = diffusion_fields,
      .output = "url",
      .echoes = TRUE,
      .links = TRUE },
  { .name = "klein",
      .inputs = { { "image_url", FAL_FORM_DATA_URI } },
      .fields = klein_fields,
      .output = "content",
      .interpolates = TRUE },
  { .name = "birefnet",
      .inputs = { { "image_bytes", FAL_FORM_BYTES } },
      .fields = cutout_fields,
      .needs_image = TRUE,
      .output = "content",
      .kind = FAL_SCHEMA_RESULT_IMAGE,
      .cutout = TRUE },
  { .name = "sd-turbo",
      .inputs = { { "image", FAL_FORM_BYTES } },
      .fields = turbo_fields,
      .output = "image",
      .kind = FAL_SCHEMA_RESULT_BYTES,
      .echoes = TRUE },
  { .name = "live-portrait",
      .inputs = { { "image_bytes", FAL_FORM_BYTES } },
      .fields = portrait_fields,
      .needs_image = TRUE,
      .output = "content",
      .sequence = FAL_SEQUENCE_PORTRAIT,
      .echoes = TRUE },
  { .name = "krea",
      .inputs = { { "start_frame", FAL_FORM_BYTES }, { "image", FAL_FORM_BYTES } },
      .fields = frames_fields,
      .needs_image = TRUE,
      .output = "image",
      .kind = FAL_SCHEMA_RESULT_RAW,
      .sequence = FAL_SEQUENCE_FRAMES,
      .block = 12,
      .first_block = 9,
      .ready = TRUE,
      .waits = TRUE },
  { .name = "raw",
      .inputs = { { "image", FAL_FORM_ANY }, { "start_frame", FAL_FORM_ANY },
          { "image_bytes", FAL_FORM_ANY }, { "image_url", FAL_FORM_ANY } },
      .output = "image",
      .kind = FAL_SCHEMA_RESULT_RAW,
      .ready = TRUE },
  { .name = "json",
      .inputs = { { "image_url", FAL_FORM_TEXT } },
      .fields = diffusion_fields,
      .output = "url",
      .echoes = TRUE,
      .json = TRUE },
};

const FalSchema *
fal_schema_find (const gchar *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (schemas); i++)
    if (g_strcmp0 (schemas[i].name, name) == 0)
      return &schemas[i];
  return NULL;
}

gchar *
fal_schema_dup_names (void)
{
  GString *names = g_string_new (schemas[0].name);

  for (guint i = 1; i < G_N_ELEMENTS (schemas); i++)
    g_string_append_printf (names, ", %s", schemas[i].name);
  return g_string_free (names, FALSE);
}

GstStructure *
fal_schema_decode (const FalSchema *schema, GBytes *message, GError **error)
{
  gsize size;
  const gchar *data = g_bytes_get_data (message, &size);

  if (schema->json)
    return fal_value_from_json (data, size, error);
  return fal_value_from_msgpack (message, NULL, error);
}

gboolean
fal_schema_knows (const FalSchema *schema, const gchar *field)
{
  if (schema->fields == NULL || g_strv_contains (schema->fields, field))
    return TRUE;
  for (guint i = 0; i < FAL_SCHEMA_INPUTS && schema->inputs[i].name != NULL; i++)
    if (g_str_equal (schema->inputs[i].name, field))
      return TRUE;
  return schema->echoes && g_str_equal (field, "request_id");
}
