/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The settings: snapshots, and what follows from the properties together. Pure but for the
 * environment, read when a first snapshot is made. */
#include "properties.h"
#include "transport.h"
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
  next->api_key_origin = settings->api_key_origin;
  fal_properties_set (next, id, value);
  if (g_strcmp0 (next->api_key, settings->api_key) != 0)
    next->api_key_origin = FAL_KEY_FROM_PROPERTY;
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
  const gchar *defaults = fal_settings_get_preset (settings)->inputs;
  GstStructure *known = defaults ? fal_value_from_json (defaults, -1, NULL) : NULL;
  g_autoptr (GstStructure) inputs = known ? known : gst_structure_new_empty ("map");

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

const gchar *
fal_settings_get_start_fields (const FalSettings *settings)
{
  return IS_SET (settings, start_fields) ? settings->start_fields
                                         : fal_settings_get_preset (settings)->start_fields;
}

const gchar *
fal_settings_get_feedback_fields (const FalSettings *settings)
{
  return IS_SET (settings, feedback_fields) ? settings->feedback_fields
                                            : fal_settings_get_preset (settings)->feedback_fields;
}

gboolean
fal_settings_waits_for_ready (const FalSettings *settings)
{
  return IS_SET (settings, wait_for_ready) ? settings->wait_for_ready
                                           : fal_settings_get_preset (settings)->wait_for_ready;
}

gboolean
fal_settings_is_streaming (const FalSettings *settings)
{
  return IS_SET (settings, server_streaming) ? settings->server_streaming
                                             : fal_settings_get_preset (settings)->server_streaming;
}

gboolean
fal_settings_sends_request_id (const FalSettings *settings)
{
  if (settings->request_id != FAL_REQUEST_ID_AUTO)
    return settings->request_id == FAL_REQUEST_ID_ALWAYS;
  return fal_settings_get_preset (settings)->echoes_request_id != 0;
}

/* Whether an address that is not encrypted is reached through a proxy on another machine, which is
 * then shown all that goes there. */
static gboolean
passes_proxy (const FalSettings *settings, const gchar *uri)
{
  gboolean is_open = g_str_has_prefix (uri, "ws:") || g_str_has_prefix (uri, "http:");

  return is_open && settings->proxy && *settings->proxy &&
         !fal_endpoint_keeps_secrets (settings->proxy);
}

/* No wire but this machine's own loopback sees a secret in the clear. */
static gboolean
check_secrecy (const FalSettings *settings, const gchar *property, const gchar *uri, GError **error)
{
  g_autofree gchar *shown = uri ? fal_endpoint_describe_uri (uri) : NULL;

  if (settings->allow_insecure ||
      (uri && fal_endpoint_keeps_secrets (uri) && !passes_proxy (settings, uri)))
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
      "%s \"%s\" is not encrypted and would show the credentials to everybody on the way; use an "
      "encrypted address, or set allow-insecure",
      property, shown ? shown : "");
  return FALSE;
}

/* Whether a token can be asked for at @uri, and comes back unseen. */
static gboolean
check_token_server (
    const FalSettings *settings, const gchar *property, const gchar *uri, GError **error)
{
  g_autofree gchar *shown = uri ? fal_endpoint_describe_uri (uri) : NULL;

  if (shown && g_ascii_strncasecmp (shown, "http", strlen ("http")) == 0)
    return check_secrecy (settings, property, uri, error);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
      "%s is not the address of a token server; set it to one like https://rest.fal.ai/tokens/",
      property);
  return FALSE;
}

static gchar *
read_key_file (const gchar *path, GError **error)
{
  g_autoptr (GError) fault = NULL;
  g_autofree gchar *text = NULL;
  gchar *key = NULL;

  if (g_file_get_contents (path, &text, NULL, &fault))
    key = g_strstrip (g_strndup (text, strcspn (text, "\r\n")));
  if (key != NULL && *key != '\0')
    return key;
  g_free (key);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
      "no key in api-key-file (%s); write the key, id:secret, as the first line of a file that "
      "this "
      "user can read",
      fault ? fault->message : "the first line is empty");
  return NULL;
}

gchar *
fal_settings_dup_api_key (const FalSettings *settings, FalKeyOrigin *origin, GError **error)
{
  gboolean has_file = settings->api_key_file && *settings->api_key_file;

  *origin = settings->api_key_origin;
  if (!has_file || (settings->api_key && *origin == FAL_KEY_FROM_PROPERTY))
    return g_strdup (settings->api_key);
  *origin = FAL_KEY_FROM_FILE;
  return read_key_file (settings->api_key_file, error);
}

static gboolean
complain (GError **error, const gchar *what)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, what);
  return FALSE;
}

static gboolean
is_filled (const gchar *text)
{
  return text != NULL && *text != '\0';
}

static gboolean
check_key (FalAuth auth, const gchar *api_key, GError **error)
{
  const gchar *colon = api_key ? strchr (api_key, ':') : NULL;

  for (const gchar *p = api_key; p && *p; p++)
    if (g_ascii_iscntrl (*p))
      return complain (error, "the API key holds a line break: give the key alone, id:secret");
  if (api_key && !*api_key)
    return complain (error, "api-key is empty: give a key, id:secret, or none at all");
  if (auth == FAL_AUTH_KEY_HEADER && !api_key)
    return complain (
        error, "auth=key-header needs a key: set api-key, or FAL_KEY in the environment");
  if (auth == FAL_AUTH_KEY_QUERY && (!colon || colon == api_key || !colon[1]))
    return complain (error,
        "auth=key-query needs a key of the form id:secret: set api-key, or FAL_KEY in the "
        "environment");
  return TRUE;
}

/* What asks for a token; of two, token-proxy-uri stands in for the key. */
static gboolean
check_token (
    const FalSettings *settings, const gchar *api_key, gboolean has_provider, GError **error)
{
  gboolean proxy = is_filled (settings->token_proxy_uri);

  if (settings->auth == FAL_AUTH_TOKEN && !is_filled (settings->token) && !has_provider &&
      !api_key && !proxy)
    return complain (error,
        "auth=token needs a token: set token, connect to request-token, or set api-key (FAL_KEY) "
        "or token-proxy-uri to request one with");
  if (proxy)
    return check_token_server (settings, "token-proxy-uri", settings->token_proxy_uri, error);
  return !api_key || check_token_server (settings, "token-uri", settings->token_uri, error);
}

/* Headers that show who one is are credentials too. */
static gboolean
has_secret_header (const FalSettings *settings)
{
  static const gchar *const names[] = { "authorization", "cookie", "x-api-key", NULL };
  gint n = settings->extra_headers ? gst_structure_n_fields (settings->extra_headers) : 0;

  for (gint i = 0; i < n; i++) {
    g_autofree gchar *name =
        g_ascii_strdown (gst_structure_nth_field_name (settings->extra_headers, i), -1);

    if (g_strv_contains (names, name))
      return TRUE;
  }
  return FALSE;
}

gboolean
fal_settings_check_credentials (const FalSettings *settings, const gchar *base_uri,
    const gchar *api_key, gboolean has_provider, GError **error)
{
  FalAuth auth = settings->auth;
  gboolean tokens = auth == FAL_AUTH_AUTO || auth == FAL_AUTH_TOKEN;

  if (has_secret_header (settings) && !check_secrecy (settings, "base-uri", base_uri, error))
    return FALSE;
  if (auth == FAL_AUTH_NONE)
    return TRUE;
  if (!check_key (auth, api_key, error) ||
      (tokens && !check_token (settings, api_key, has_provider, error)))
    return FALSE;
  if (!api_key && !is_filled (settings->token) && !has_provider &&
      !is_filled (settings->token_proxy_uri))
    return TRUE;
  return check_secrecy (settings, "base-uri", base_uri, error);
}

static gboolean
check_transport (const FalSettings *settings, GError **error)
{
  const FalTransportConfig config = { settings->tls_validation_flags, settings->tls_database,
    settings->proxy, settings->user_agent, settings->extra_headers };

  return fal_transport_check (&config, error);
}

FalEndpoint *
fal_settings_validate (
    const FalSettings *settings, const gchar *api_key, gboolean has_provider, GError **error)
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
  if (endpoint == NULL ||
      !fal_settings_check_credentials (
          settings, endpoint->base_uri, api_key, has_provider, error) ||
      !check_transport (settings, error))
    return NULL;
  parameters = fal_settings_get_parameters (settings, error);
  return parameters ? g_steal_pointer (&endpoint) : NULL;
}
