/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether settings can work at all, found out before anything is connected. Reads api-key-file;
 * else pure. */
#include "preflight.h"
#include "transport.h"

#include <string.h>

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
      "this user can read",
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

FalEndpoint *
fal_preflight_check (
    const FalSettings *settings, const gchar *api_key, gboolean has_provider, GError **error)
{
  g_autoptr (FalEndpoint) endpoint = NULL;
  g_autoptr (GstStructure) parameters = NULL;

  if (settings->app == NULL || *settings->app == '\0') {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "no app: set app to an application id such as \"fal-ai/fast-lcm-diffusion\"");
    return NULL;
  }
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
