/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The settings: snapshots, and what follows from the properties together. Pure but for the
 * environment, read when a first snapshot is made. */
#include "properties.h"
#include "value.h"
#include <string.h>

static FalSettings *
settings_alloc (void)
{
  FalSettings *settings = g_new0 (FalSettings, 1);

  g_atomic_ref_count_init (&settings->refs);
  return settings;
}

/* A key or host in the environment stands for one that was set. */
static void
read_environment (FalSettings *settings)
{
  const gchar *key = g_getenv ("FAL_KEY");
  const gchar *id = g_getenv ("FAL_KEY_ID"), *secret = g_getenv ("FAL_KEY_SECRET");
  const gchar *host = g_getenv ("FAL_RUN_HOST");

  if (key && *key)
    settings->api_key = g_strdup (key);
  else if (id && *id && secret && *secret)
    settings->api_key = g_strconcat (id, ":", secret, NULL);
  if (host && *host) {
    g_free (settings->base_uri);
    settings->base_uri = g_strconcat ("wss://", host, NULL);
  }
}

FalSettings *
fal_settings_new (void)
{
  FalSettings *settings = settings_alloc ();

  fal_properties_set_defaults (settings);
  read_environment (settings);
  return settings;
}

FalSettings *
fal_settings_ref (FalSettings *settings)
{
  g_atomic_ref_count_inc (&settings->refs);
  return settings;
}

void
fal_settings_unref (FalSettings *settings)
{
  if (!g_atomic_ref_count_dec (&settings->refs))
    return;
  fal_properties_clear (settings);
  g_free (settings);
}

FalSettings *
fal_settings_with (const FalSettings *settings, guint id, const GValue *value)
{
  FalSettings *next = settings_alloc ();

  fal_properties_copy (settings, next);
  fal_properties_set (next, id, value);
  next->version = settings->version + 1;
  next->set = settings->set | G_GUINT64_CONSTANT (1) << id;
  return next;
}

#define IS_SET(settings, field)                                                                    \
  fal_properties_is_set (settings, G_STRUCT_OFFSET (FalSettings, field))

const FalPreset *
fal_settings_get_preset (const FalSettings *settings)
{
  return fal_endpoint_get_preset (settings->app_defaults && settings->app ? settings->app : "");
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
  g_autoptr (GstStructure) inputs = gst_structure_new_empty ("map");

  if (settings->parameters_json && *settings->parameters_json) {
    g_autoptr (GstStructure) json = fal_value_from_json (settings->parameters_json, -1, error);

    if (json == NULL) {
      g_prefix_error (error, "parameters-json is not a JSON object: ");
      return NULL;
    }
    fal_value_merge (inputs, json);
  }
  if (settings->parameters)
    fal_value_merge (inputs, settings->parameters);
  add_named_inputs (settings, inputs);
  return g_steal_pointer (&inputs);
}

FalEncoderConfig
fal_settings_get_encoder_config (const FalSettings *settings)
{
  const FalPreset *preset = fal_settings_get_preset (settings);
  gboolean sized = IS_SET (settings, width) || IS_SET (settings, height);
  gboolean rated = IS_SET (settings, quality) || preset->quality == 0;

  return (FalEncoderConfig){
    .width = sized ? settings->width : preset->width,
    .height = sized ? settings->height : preset->height,
    .fit = settings->fit,
    .quality = rated ? (guint) settings->quality : preset->quality,
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
  const FalPreset *preset = fal_settings_get_preset (settings);

  return (FalRequest){
    .image_field = is_auto (settings->image_field) ? preset->image_field : settings->image_field,
    .image_encoding = settings->image_encoding == FAL_IMAGE_ENCODING_AUTO
                          ? preset->image_encoding
                          : settings->image_encoding,
    .encoding = settings->encoding,
  };
}

const gchar *
fal_settings_get_result_field (const FalSettings *settings)
{
  if (!is_auto (settings->result_field))
    return settings->result_field;
  return fal_settings_get_preset (settings)->result_field;
}

gboolean
fal_settings_sends_request_id (const FalSettings *settings)
{
  if (settings->request_id != FAL_REQUEST_ID_AUTO)
    return settings->request_id == FAL_REQUEST_ID_ALWAYS;
  return fal_settings_get_preset (settings)->echoes_request_id != 0;
}

/* No wire but this machine's own loopback sees a secret in the clear. */
static gboolean
check_secrecy (const FalSettings *settings, const gchar *property, const gchar *uri, GError **error)
{
  if (settings->allow_insecure || (uri && fal_endpoint_keeps_secrets (uri)))
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
      "%s \"%s\" is not encrypted and would show the credentials to everybody on the way; use an "
      "encrypted address, or set allow-insecure",
      property, uri ? uri : "");
  return FALSE;
}

gboolean
fal_settings_check_credentials (const FalSettings *settings, const gchar *base_uri, GError **error)
{
  gboolean asks_for_token =
      settings->auth <= FAL_AUTH_TOKEN && settings->api_key && !settings->token;

  if (settings->auth == FAL_AUTH_TOKEN && !settings->token && !settings->api_key) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "auth=token needs a token: set token, or api-key (FAL_KEY) to request one with");
    return FALSE;
  }
  if (settings->auth == FAL_AUTH_KEY_HEADER && !settings->api_key) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "auth=key-header needs a key: set api-key, or FAL_KEY in the environment");
    return FALSE;
  }
  if (settings->api_key && strpbrk (settings->api_key, "\r\n")) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "the api-key holds a line break: give the key alone");
    return FALSE;
  }
  if (asks_for_token && !check_secrecy (settings, "token-uri", settings->token_uri, error))
    return FALSE;
  if (settings->auth == FAL_AUTH_NONE || (!settings->token && !settings->api_key))
    return TRUE;
  return check_secrecy (settings, "base-uri", base_uri, error);
}

FalEndpoint *
fal_settings_validate (const FalSettings *settings, GError **error)
{
  g_autoptr (FalEndpoint) endpoint = NULL;
  g_autoptr (GstStructure) parameters = NULL;
  const gchar *path = IS_SET (settings, path) ? settings->path : NULL;

  if (settings->app == NULL || *settings->app == '\0') {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "no app: set app to an application id such as \"fal-ai/fast-lcm-diffusion\"");
    return NULL;
  }
  if (path == NULL)
    path = fal_settings_get_preset (settings)->path;
  endpoint = fal_endpoint_new (settings->base_uri, settings->app, path, error);
  if (endpoint == NULL || !fal_settings_check_credentials (settings, endpoint->base_uri, error))
    return NULL;
  parameters = fal_settings_get_parameters (settings, error);
  return parameters ? g_steal_pointer (&endpoint) : NULL;
}
