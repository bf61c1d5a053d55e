/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether settings can work at all, found out before anything is connected. Reads api-key-file;
 * else pure. */
#include "preflight.h"
#include "fal/settings/app-profiles.h"
#include "transport.h"

#include <string.h>

/* Whether an address that is not encrypted is reached through a proxy on another machine, which is
 * then shown all that goes there. */
static gboolean
passes_proxy (const FalSettings *settings, const gchar *uri)
{
  const gchar *scheme = g_uri_peek_scheme (uri); /* in small letters */
  gboolean is_open = g_strcmp0 (scheme, "ws") == 0 || g_strcmp0 (scheme, "http") == 0;

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
      "%s \"%s\" is not encrypted and would show the credentials to everybody on the way. Set an "
      "encrypted address, or allow-insecure.",
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
      "%s is not the address of a token server. Set it to one like https://rest.fal.ai/tokens/.",
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
      "There is no key in api-key-file (%s). Write the key, id:secret, as the first line of a file "
      "that this user can read.",
      fault ? fault->message : "the first line is empty");
  return NULL;
}

gchar *
fal_preflight_dup_api_key (const FalSettings *settings, FalKeyOrigin *origin, GError **error)
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
      return complain (error, "The API key holds a line break. Give the key alone, id:secret.");
  if (api_key && !*api_key)
    return complain (error,
        "The API key is empty. Set api-key (FAL_KEY) to a key, id:secret, or to nothing at all.");
  if (auth == FAL_AUTH_KEY_HEADER && !api_key)
    return complain (
        error, "auth=key-header needs an API key. Set FAL_KEY in the environment, or api-key.");
  if (auth == FAL_AUTH_KEY_QUERY && (!colon || colon == api_key || !colon[1]))
    return complain (error,
        "auth=key-query needs an API key of the form id:secret. Set FAL_KEY in the environment, or "
        "api-key.");
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
        "auth=token needs a token. Set token, connect to the signal request-token, or set api-key "
        "(FAL_KEY) or token-proxy-uri, with which one is requested.");
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
fal_preflight_check_credentials (const FalSettings *settings, const gchar *base_uri,
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
check_app (const gchar *app, GError **error)
{
  g_autofree gchar *meant = NULL;

  if (!is_filled (app))
    return complain (error, "No app is set. Set app to an id like fal-ai/fast-lcm-diffusion.");
  if (fal_endpoint_is_app (app) || (meant = fal_app_profile_suggest (app)) == NULL)
    return TRUE; /* whatever else is wrong with it, the endpoint will say */
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "\"%s\" is not the id of an app. %s",
      app, meant);
  return FALSE;
}

/* What an app has that goes from one request to the next over its connection: the property that
 * says so, or NULL. */
static const gchar *
find_state (const FalSettings *settings)
{
  if (fal_settings_get_block_size (settings) > 0)
    return "block-size";
  if (fal_settings_is_streaming (settings))
    return "server-streaming";
  if (is_filled (fal_settings_get_feedback_fields (settings)))
    return "feedback-fields";
  return is_filled (fal_settings_get_start_fields (settings)) ? "start-fields" : NULL;
}

static gboolean
check_connections (const FalSettings *settings, GError **error)
{
  const gchar *state = settings->connections > 1 ? find_state (settings) : NULL;

  if (state == NULL)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
      "The frames of %s cannot be spread over %u connections: with %s what a runner does with a "
      "frame depends on the frames before it. Set connections=1.",
      settings->app, settings->connections, state);
  return FALSE;
}

gboolean
fal_preflight_wants_key (const FalSettings *settings, const FalEndpoint *endpoint,
    const gchar *api_key, gboolean has_provider)
{
  return settings->auth == FAL_AUTH_AUTO && settings->enabled && !is_filled (api_key) &&
         !is_filled (settings->token) && !has_provider && !is_filled (settings->token_proxy_uri) &&
         !has_secret_header (settings) && fal_endpoint_is_fal (endpoint);
}

FalEndpoint *
fal_preflight_check (
    const FalSettings *settings, const gchar *api_key, gboolean has_provider, GError **error)
{
  g_autoptr (FalEndpoint) endpoint = NULL;
  g_autoptr (GstStructure) parameters = NULL;

  if (!check_app (settings->app, error) || !check_connections (settings, error) ||
      !fal_settings_check_budget (settings, error))
    return NULL;
  endpoint =
      fal_endpoint_new (settings->base_uri, settings->app, fal_settings_get_path (settings), error);
  if (endpoint == NULL ||
      !fal_preflight_check_credentials (
          settings, endpoint->base_uri, api_key, has_provider, error) ||
      !fal_transport_check (settings, error))
    return NULL;
  parameters = fal_settings_get_parameters (settings, error);
  return parameters ? g_steal_pointer (&endpoint) : NULL;
}
