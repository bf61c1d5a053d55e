/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Snapshots, and what follows from several properties together. Pure but for the environment, which
 * fal_settings_new() reads. */
#include "background.h"
#include "properties.h"
#include "fal/wire/value-json.h"
#include <string.h>

/* A key or a host in the environment counts as the default of its property. */
static void
read_environment (FalSettings *settings)
{
  const gchar *key = g_getenv ("FAL_KEY");
  const gchar *id = g_getenv ("FAL_KEY_ID"), *secret = g_getenv ("FAL_KEY_SECRET");
  const gchar *host = g_getenv ("FAL_RUN_HOST");

  if (key && *key) {
    settings->api_key = g_strdup (key);
    settings->api_key_origin = FAL_KEY_FROM_FAL_KEY;
  } else if (id && *id && secret && *secret) {
    settings->api_key = g_strconcat (id, ":", secret, NULL);
    settings->api_key_origin = FAL_KEY_FROM_PAIR;
  }
  if (host && *host) {
    g_free (settings->base_uri);
    settings->base_uri = g_strconcat ("wss://", host, NULL);
  }
}

/* Each frame asks for it several times, so a snapshot has it from the start. */
static void
resolve_profile (FalSettings *settings)
{
  settings->profile = fal_app_profile_find (settings->app_defaults ? settings->app : NULL);
}

FalSettings *
fal_settings_new (void)
{
  FalSettings *settings = g_atomic_rc_box_new0 (FalSettings);

  fal_properties_set_defaults (settings);
  read_environment (settings);
  resolve_profile (settings);
  return settings;
}

FalSettings *
fal_settings_ref (FalSettings *settings)
{
  return g_atomic_rc_box_acquire (settings);
}

static void
clear_settings (gpointer settings)
{
  fal_properties_clear (settings);
}

void
fal_settings_unref (FalSettings *settings)
{
  g_atomic_rc_box_release_full (settings, clear_settings);
}

/* The copy of @settings that is to become the next version of them. */
static FalSettings *
make_next (const FalSettings *settings)
{
  FalSettings *next = g_atomic_rc_box_new0 (FalSettings);

  fal_properties_copy (settings, next);
  next->version = settings->version + 1;
  return next;
}

FalSettings *
fal_settings_with (const FalSettings *settings, guint id, const GValue *value)
{
  FalSettings *next = make_next (settings);

  fal_properties_set (next, id, value);
  if (g_strcmp0 (next->api_key, settings->api_key) != 0)
    next->api_key_origin = FAL_KEY_FROM_PROPERTY;
  resolve_profile (next);
  return next;
}

FalSettings *
fal_settings_without (const FalSettings *settings, guint id)
{
  FalSettings *next = make_next (settings);

  fal_properties_unset (next, id);
  return next;
}

#define IS_SET(settings, field)                                                                    \
  fal_properties_is_set (settings, G_STRUCT_OFFSET (FalSettings, field))

const FalAppProfile *
fal_settings_get_app_profile (const FalSettings *settings)
{
  return settings->profile;
}

const gchar *
fal_settings_get_path (const FalSettings *settings)
{
  return IS_SET (settings, path) ? settings->path : fal_settings_get_app_profile (settings)->path;
}

static void
add_named_inputs (const FalSettings *settings, GstStructure *inputs)
{
  if (settings->prompt)
    gst_structure_set (inputs, "prompt", G_TYPE_STRING, settings->prompt, NULL);
  if (settings->negative_prompt)
    gst_structure_set (inputs, "negative_prompt", G_TYPE_STRING, settings->negative_prompt, NULL);
  if (IS_SET (settings, seed))
    gst_structure_set (inputs, "seed", G_TYPE_INT64, settings->seed, NULL);
  if (IS_SET (settings, num_inference_steps))
    gst_structure_set (
        inputs, "num_inference_steps", G_TYPE_INT, settings->num_inference_steps, NULL);
  if (IS_SET (settings, strength))
    gst_structure_set (inputs, "strength", G_TYPE_DOUBLE, settings->strength, NULL);
  if (IS_SET (settings, guidance_scale))
    gst_structure_set (inputs, "guidance_scale", G_TYPE_DOUBLE, settings->guidance_scale, NULL);
}

GstStructure *
fal_settings_get_parameters (const FalSettings *settings, GError **error)
{
  const gchar *defaults = fal_settings_get_app_profile (settings)->inputs;
  GstStructure *known = defaults ? fal_value_from_json (defaults, -1, NULL) : NULL;
  g_autoptr (GstStructure) inputs = known ? known : gst_structure_new_empty ("map");

  if (settings->parameters_json && *settings->parameters_json) {
    g_autoptr (GError) fault = NULL;
    g_autoptr (GstStructure) json = fal_value_from_json (settings->parameters_json, -1, &fault);

    if (json == NULL) {
      g_set_error (error, fault->domain, fault->code,
          "parameters-json cannot be read: %s. Write it like {\"prompt\": \"a cat\"}.",
          fault->message);
      return NULL;
    }
    fal_value_merge (inputs, json);
  }
  if (settings->parameters)
    fal_value_merge (inputs, settings->parameters);
  add_named_inputs (settings, inputs);
  return g_steal_pointer (&inputs);
}

gboolean
fal_settings_check_budget (const FalSettings *settings, GError **error)
{
  if (settings->budget == 0 || settings->price_per_second > 0 || settings->price_per_request > 0)
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
      "A budget is set but no price, so what the stream costs is not known. Set price-per-second "
      "or price-per-request, as the model's page at fal.ai has it, or budget to 0.");
  return FALSE;
}

FalEncoderConfig
fal_settings_get_encoder_config (const FalSettings *settings)
{
  const FalAppProfile *profile = fal_settings_get_app_profile (settings);
  gboolean size_is_set = IS_SET (settings, width) || IS_SET (settings, height);
  gboolean quality_is_set = IS_SET (settings, quality) || profile->quality == 0;

  return (FalEncoderConfig){
    .width = size_is_set ? settings->width : profile->width,
    .height = size_is_set ? settings->height : profile->height,
    .fit = settings->fit,
    .quality = quality_is_set ? (guint) settings->quality : profile->quality,
  };
}

static gboolean
is_auto (const gchar *text)
{
  return text == NULL || *text == '\0' || strcmp (text, "auto") == 0;
}

FalRequest
fal_settings_get_request (const FalSettings *settings)
{
  const FalAppProfile *profile = fal_settings_get_app_profile (settings);

  return (FalRequest){
    .image_field = is_auto (settings->image_field) ? profile->image_field : settings->image_field,
    .image_encoding = settings->image_encoding == FAL_IMAGE_ENCODING_AUTO
                          ? profile->image_encoding
                          : settings->image_encoding,
    .encoding = settings->encoding,
  };
}

const gchar *
fal_settings_get_result_field (const FalSettings *settings)
{
  if (!is_auto (settings->result_field))
    return settings->result_field;
  return fal_settings_get_app_profile (settings)->result_field;
}

const gchar *
fal_settings_get_start_fields (const FalSettings *settings)
{
  return IS_SET (settings, start_fields) ? settings->start_fields
                                         : fal_settings_get_app_profile (settings)->start_fields;
}

const gchar *
fal_settings_get_feedback_fields (const FalSettings *settings)
{
  return IS_SET (settings, feedback_fields)
             ? settings->feedback_fields
             : fal_settings_get_app_profile (settings)->feedback_fields;
}

gboolean
fal_settings_waits_for_ready (const FalSettings *settings)
{
  return IS_SET (settings, wait_for_ready)
             ? settings->wait_for_ready
             : fal_settings_get_app_profile (settings)->wait_for_ready;
}

gboolean
fal_settings_is_streaming (const FalSettings *settings)
{
  return IS_SET (settings, server_streaming)
             ? settings->server_streaming
             : fal_settings_get_app_profile (settings)->server_streaming;
}

guint
fal_settings_get_throttle_interval (const FalSettings *settings)
{
  guint known = fal_settings_get_app_profile (settings)->throttle_interval;

  return IS_SET (settings, throttle_interval) || known == 0 ? settings->throttle_interval : known;
}

guint
fal_settings_get_block_size (const FalSettings *settings)
{
  return IS_SET (settings, block_size) ? settings->block_size
                                       : fal_settings_get_app_profile (settings)->block_size;
}

guint
fal_settings_get_first_block (const FalSettings *settings)
{
  guint known = fal_settings_get_app_profile (settings)->first_block;

  return IS_SET (settings, block_size) || known == 0 ? fal_settings_get_block_size (settings)
                                                     : known;
}

gboolean
fal_settings_opens_first (const FalSettings *settings)
{
  const gchar *fields = fal_settings_get_start_fields (settings);

  return fal_settings_get_block_size (settings) > 0 && fields != NULL && *fields != '\0';
}

gboolean
fal_settings_shows_all_frames (const FalSettings *settings)
{
  return settings->composite != FAL_COMPOSITE_NONE &&
         settings->composite_frames == FAL_COMPOSITE_FRAMES_ALL;
}

FalOverlayConfig
fal_settings_get_overlay_config (const FalSettings *settings)
{
  FalOverlayConfig config = {
    .mode = settings->composite,
    .feather = settings->feather,
    .fit = settings->fit,
  };

  fal_background_parse (settings->background, &config.background, NULL);
  return config;
}

gboolean
fal_settings_get_background (const FalSettings *settings, FalBackground *background, GError **error)
{
  return fal_background_parse (settings->background, background, error);
}

gboolean
fal_settings_sends_request_id (const FalSettings *settings)
{
  if (settings->request_id != FAL_REQUEST_ID_AUTO)
    return settings->request_id == FAL_REQUEST_ID_ALWAYS;
  return fal_settings_get_app_profile (settings)->echoes_request_id != 0;
}
