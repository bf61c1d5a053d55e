/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Chooses among the credentials that were set, and remembers which were refused. Used by the net
 * thread alone. */
#include "credentials.h"
#include "fal/wire/endpoint.h"
#include "fal/wire/token-format.h"
#include <gio/gio.h>

struct _FalCredentials {
  FalSettings *settings; /* NULL: nothing was set yet */
  gchar *api_key;        /* NULL: none */
  FalKeyOrigin origin;   /* of the key */
  gint64 expiry;         /* of the ready token; 0: not known */
  GQueue refused;        /* checksums, oldest first: the tokens themselves are not kept */
};

FalCredentials *
fal_credentials_new (void)
{
  return g_new0 (FalCredentials, 1);
}

void
fal_credentials_free (FalCredentials *credentials)
{
  g_clear_pointer (&credentials->settings, fal_settings_unref);
  g_free (credentials->api_key);
  g_queue_clear_full (&credentials->refused, g_free);
  g_free (credentials);
}

/* An empty string stands for none. */
static const gchar *
filled (const gchar *text)
{
  return text != NULL && *text != '\0' ? text : NULL;
}

static const gchar *
get_token (const FalSettings *settings)
{
  return settings ? filled (settings->token) : NULL;
}

gboolean
fal_credentials_configure (
    FalCredentials *credentials, FalSettings *settings, const gchar *api_key, FalKeyOrigin origin)
{
  g_autoptr (FalSettings) old = credentials->settings;
  const gchar *token = get_token (settings);

  credentials->settings = fal_settings_ref (settings);
  g_free (credentials->api_key);
  credentials->api_key = g_strdup (filled (api_key));
  credentials->origin = origin;
  credentials->expiry = fal_token_format_get_expiry (token);
  return token != NULL && g_strcmp0 (token, get_token (old)) != 0;
}

const gchar *
fal_credentials_get_api_key (const FalCredentials *credentials)
{
  return credentials->api_key;
}

static gboolean
is_refused (const FalCredentials *credentials, const gchar *token)
{
  g_autofree gchar *sum = NULL;

  if (credentials->refused.length == 0)
    return FALSE;
  sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, token, -1);
  return g_queue_find_custom ((GQueue *) &credentials->refused, sum, (GCompareFunc) g_strcmp0) !=
         NULL;
}

/* An end of 0 is not known. */
static gboolean
has_ended (gint64 expiry, gint64 now)
{
  return expiry != 0 && expiry <= now;
}

/* How a token is come by: a ready one that is no good is chosen only where there is no other way.
 */
static FalWay
choose_token (const FalCredentials *credentials, gboolean has_provider, gint64 now)
{
  const FalSettings *settings = credentials->settings;
  const gchar *token = filled (settings->token);

  if (token && !has_ended (credentials->expiry, now) && !is_refused (credentials, token))
    return FAL_WAY_READY_TOKEN;
  if (has_provider)
    return FAL_WAY_PROVIDER;
  if (filled (settings->token_proxy_uri))
    return FAL_WAY_TOKEN_PROXY;
  if (credentials->api_key)
    return FAL_WAY_TOKEN_URI;
  return token ? FAL_WAY_READY_TOKEN : FAL_WAY_NONE;
}

FalWay
fal_credentials_choose (const FalCredentials *credentials, gboolean has_provider, gint64 now)
{
  switch (credentials->settings ? credentials->settings->auth : FAL_AUTH_NONE) {
  case FAL_AUTH_KEY_HEADER:
    return FAL_WAY_KEY_HEADER;
  case FAL_AUTH_KEY_QUERY:
    return FAL_WAY_KEY_QUERY;
  case FAL_AUTH_NONE:
    return FAL_WAY_NONE;
  case FAL_AUTH_AUTO:
  case FAL_AUTH_TOKEN:
    break;
  }
  return choose_token (credentials, has_provider, now);
}

gboolean
fal_way_asks (FalWay way)
{
  return way == FAL_WAY_PROVIDER || way == FAL_WAY_TOKEN_PROXY || way == FAL_WAY_TOKEN_URI;
}

static gchar *
format_time (gint64 seconds)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (seconds);

  return time ? g_date_time_format (time, "%Y-%m-%d %H:%M:%S UTC") : g_strdup ("long ago");
}

gboolean
fal_credentials_check_token (
    const FalCredentials *credentials, FalWay way, const gchar *token, gint64 now, GError **error)
{
  gint64 expiry = fal_way_asks (way) ? 0 : fal_token_format_get_expiry (token);
  g_autofree gchar *origin = NULL;
  g_autofree gchar *end = NULL;
  g_autofree gchar *time = NULL;

  if (!has_ended (expiry, now) && !is_refused (credentials, token))
    return TRUE;
  origin = fal_credentials_describe (credentials, way, FALSE);
  if (!has_ended (expiry, now)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
        "%s was refused before and is not sent again", origin);
    return FALSE;
  }
  end = format_time (expiry);
  time = format_time (now);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
      "%s expired at %s; here it is %s, unless the clock of this machine is wrong", origin, end,
      time);
  return FALSE;
}

void
fal_credentials_refuse (FalCredentials *credentials, const gchar *token)
{
  if (is_refused (credentials, token))
    return;
  g_queue_push_tail (
      &credentials->refused, g_compute_checksum_for_string (G_CHECKSUM_SHA256, token, -1));
  if (credentials->refused.length > FAL_CREDENTIALS_MAX_REFUSED)
    g_free (g_queue_pop_head (&credentials->refused));
}

/* ---- words ---- */

static const gchar *
describe_key (const FalCredentials *credentials)
{
  switch (credentials->origin) {
  case FAL_KEY_FROM_FILE:
    return "the API key from api-key-file";
  case FAL_KEY_FROM_FAL_KEY:
    return "the API key from FAL_KEY";
  case FAL_KEY_FROM_PAIR:
    return "the API key from FAL_KEY_ID and FAL_KEY_SECRET";
  case FAL_KEY_FROM_PROPERTY:
    break;
  }
  return "the API key from api-key";
}

/* An address without a password or a query; @property: what to call it where there is none. */
static gchar *
describe_address (const gchar *uri, const gchar *property)
{
  gchar *text = fal_endpoint_describe_uri (uri ? uri : "");

  return text ? text : g_strdup (property);
}

static gchar *
describe_asking (const FalCredentials *credentials, FalWay way)
{
  g_autofree gchar *uri = NULL;

  if (way == FAL_WAY_PROVIDER)
    return g_strdup ("the answer of request-token");
  if (way == FAL_WAY_TOKEN_PROXY) {
    uri = fal_endpoint_describe_uri (credentials->settings->token_proxy_uri);
    return g_strdup_printf ("token-proxy-uri %s was asked without a key", uri);
  }
  uri = describe_address (credentials->settings->token_uri, "token-uri");
  return g_strdup_printf ("%s was shown to %s", describe_key (credentials), uri);
}

gchar *
fal_credentials_describe (const FalCredentials *credentials, FalWay way, gboolean asking)
{
  g_autofree gchar *uri = NULL;

  if (asking)
    return describe_asking (credentials, way);
  switch (way) {
  case FAL_WAY_READY_TOKEN:
    return g_strdup ("the token set as token");
  case FAL_WAY_PROVIDER:
    return g_strdup ("the token that request-token gave");
  case FAL_WAY_TOKEN_PROXY:
    uri = fal_endpoint_describe_uri (credentials->settings->token_proxy_uri);
    return g_strdup_printf ("the token that token-proxy-uri %s gave", uri);
  case FAL_WAY_TOKEN_URI:
    uri = describe_address (credentials->settings->token_uri, "token-uri");
    return g_strdup_printf ("the token that %s gave for %s", uri, describe_key (credentials));
  case FAL_WAY_KEY_HEADER:
    return g_strconcat (describe_key (credentials), " in the Authorization header", NULL);
  case FAL_WAY_KEY_QUERY:
    return g_strconcat (describe_key (credentials), " in the address", NULL);
  case FAL_WAY_NONE:
    break;
  }
  return g_strdup ("no credentials were sent");
}

const gchar *
fal_credentials_get_hint (FalWay way, gboolean asking)
{
  switch (way) {
  case FAL_WAY_PROVIDER:
    return "Let request-token give a token for this app, and a fresh one each time.";
  case FAL_WAY_TOKEN_PROXY:
    return asking ? "Check the server at token-proxy-uri."
                  : "Let the server at token-proxy-uri give a token for this app, and a fresh one "
                    "each time.";
  case FAL_WAY_KEY_HEADER:
  case FAL_WAY_KEY_QUERY:
    return "Set api-key (FAL_KEY) to a key that is valid and allows this app.";
  case FAL_WAY_NONE:
    return "An app that is not public needs api-key (FAL_KEY) or token to be set, and auth=auto. "
           "Else check app and path.";
  case FAL_WAY_READY_TOKEN:
  case FAL_WAY_TOKEN_URI:
    break;
  }
  return NULL;
}
