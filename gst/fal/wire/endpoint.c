/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parses app ids and base URIs, and makes URLs of them. Pure; used on any thread. */
#include "endpoint.h"

#include <gio/gio.h>
#include <string.h>

#define DEFAULT_PATH "/realtime"
#define FAL_HOST "fal.run"

/* ---- App id and path ---- */

/* Whether @text can be one segment of a path: it needs no escape and is not "." or "..". */
static gboolean
is_segment (const gchar *text)
{
  const gchar *p;

  if (strcmp (text, ".") == 0 || strcmp (text, "..") == 0)
    return FALSE;
  for (p = text; *p != '\0'; p++) {
    if (!g_ascii_isalnum (*p) && strchr ("_.-", *p) == NULL)
      return FALSE;
  }
  return p > text;
}

static gboolean
are_segments (gchar **segments)
{
  while (*segments != NULL && is_segment (*segments))
    segments++;
  return *segments == NULL;
}

/* The old form "123-my-app" as "123/my-app"; others unchanged. */
static gchar *
expand_legacy_app (const gchar *app)
{
  gsize digits = strspn (app, "0123456789");

  if (digits == 0 || app[digits] != '-' || strchr (app, '/') != NULL)
    return g_strdup (app);
  return g_strdup_printf ("%.*s/%s", (int) digits, app, app + digits + 1);
}

/* Segments that stand before the owner. */
static gboolean
is_namespace (const gchar *segment)
{
  return strcmp (segment, "workflows") == 0 || strcmp (segment, "comfy") == 0;
}

static gboolean
read_app (FalEndpoint *endpoint, const gchar *app, GError **error)
{
  g_autofree gchar *modern = expand_legacy_app (app != NULL ? app : "");
  g_auto (GStrv) segments = g_strsplit (modern, "/", -1);
  guint first = segments[0] != NULL && is_namespace (segments[0]) ? 1 : 0;

  if (!are_segments (segments) || g_strv_length (segments) < first + 2) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "\"%s\" is not the id of an app. Set app to an id like fal-ai/fast-lcm-diffusion, "
        "owner/alias/sub or 123-my-app.",
        app != NULL ? app : "");
    return FALSE;
  }
  endpoint->owner = g_strdup (segments[first]);
  endpoint->alias = g_strdup (segments[first + 1]);
  endpoint->app = g_steal_pointer (&modern);
  return TRUE;
}

/* @path with one slash at the beginning and none at the end; "" for an empty one. */
static gchar *
normalise_path (const gchar *path)
{
  gsize length;

  while (*path == '/')
    path++;
  length = strlen (path);
  while (length > 0 && path[length - 1] == '/')
    length--;
  return length > 0 ? g_strdup_printf ("/%.*s", (int) length, path) : g_strdup ("");
}

static gboolean
read_path (FalEndpoint *endpoint, const gchar *path, GError **error)
{
  g_autofree gchar *suffix = NULL;
  g_auto (GStrv) segments = NULL;

  if (path == NULL)
    path = g_str_has_suffix (endpoint->app, DEFAULT_PATH) ? "" : DEFAULT_PATH;
  suffix = normalise_path (path);
  segments = g_strsplit (*suffix == '/' ? suffix + 1 : "", "/", -1);
  if (!are_segments (segments)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "\"%s\" is not a path. Set path to one like /realtime or /ws.", path);
    return FALSE;
  }
  endpoint->path = g_strconcat ("/", endpoint->app, suffix, NULL);
  return TRUE;
}

/* ---- Base URI ---- */

/* The WebSocket scheme for @scheme, in any case of letters; NULL: it is none. */
static const gchar *
find_scheme (const gchar *scheme)
{
  static const gchar *const schemes[][2] = {
    { "ws", "ws" },
    { "wss", "wss" },
    { "http", "ws" },
    { "https", "wss" },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (schemes); i++) {
    if (g_ascii_strcasecmp (scheme, schemes[i][0]) == 0)
      return schemes[i][1];
  }
  return NULL;
}

/* Whether there is a host and no user, password, query or fragment, which would end up in logs. */
static gboolean
is_plain (GUri *uri)
{
  const gchar *host = g_uri_get_host (uri);

  return host != NULL && *host != '\0' && g_uri_get_userinfo (uri) == NULL &&
         g_uri_get_query (uri) == NULL && g_uri_get_fragment (uri) == NULL;
}

static gboolean
read_base_uri (FalEndpoint *endpoint, const gchar *base_uri, GError **error)
{
  g_autoptr (GUri) uri = NULL;
  g_autofree gchar *path = NULL;
  const gchar *scheme;

  if (base_uri != NULL)
    uri = g_uri_parse (base_uri, G_URI_FLAGS_ENCODED_PATH, NULL);
  scheme = uri != NULL && is_plain (uri) ? find_scheme (g_uri_get_scheme (uri)) : NULL;
  if (scheme == NULL) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "base-uri is not the address of a server. Set it to one like wss://fal.run or "
        "ws://127.0.0.1:8080, without user, query or fragment.");
    return FALSE;
  }
  path = normalise_path (g_uri_get_path (uri));
  endpoint->base_uri = g_uri_join (G_URI_FLAGS_ENCODED_PATH, scheme, NULL, g_uri_get_host (uri),
      g_uri_get_port (uri), path, NULL, NULL);
  return TRUE;
}

/* ---- Endpoint ---- */

FalEndpoint *
fal_endpoint_new (const gchar *base_uri, const gchar *app, const gchar *path, GError **error)
{
  g_autoptr (FalEndpoint) endpoint = g_new0 (FalEndpoint, 1);

  if (!read_base_uri (endpoint, base_uri, error) || !read_app (endpoint, app, error) ||
      !read_path (endpoint, path, error))
    return NULL;
  return g_steal_pointer (&endpoint);
}

FalEndpoint *
fal_endpoint_copy (const FalEndpoint *endpoint)
{
  FalEndpoint *copy = g_new (FalEndpoint, 1);

  *copy = (FalEndpoint) {
    .base_uri = g_strdup (endpoint->base_uri),
    .owner = g_strdup (endpoint->owner),
    .alias = g_strdup (endpoint->alias),
    .app = g_strdup (endpoint->app),
    .path = g_strdup (endpoint->path),
  };
  return copy;
}

void
fal_endpoint_free (FalEndpoint *endpoint)
{
  g_free (endpoint->base_uri);
  g_free (endpoint->owner);
  g_free (endpoint->alias);
  g_free (endpoint->app);
  g_free (endpoint->path);
  g_free (endpoint);
}

/* Percent-encoding as in HTML forms, where a space becomes a plus. */
static gchar *
form_encode (const gchar *text)
{
  return g_strdelimit (g_uri_escape_string (text, " ", FALSE), " ", '+');
}

/* @credentials: the query with its question mark, or "". */
static gchar *
make_uri (const FalEndpoint *endpoint, const gchar *credentials, guint max_buffering)
{
  GString *uri = g_string_new (endpoint->base_uri);

  g_string_append (uri, endpoint->path);
  g_string_append (uri, credentials);
  if (max_buffering > 0)
    g_string_append_printf (uri, "%cmax_buffering=%u", *credentials ? '&' : '?', max_buffering);
  return g_string_free (uri, FALSE);
}

gchar *
fal_endpoint_get_uri (const FalEndpoint *endpoint, const gchar *token, guint max_buffering)
{
  g_autofree gchar *encoded = token != NULL ? form_encode (token) : NULL;
  g_autofree gchar *query = g_strconcat ("?fal_jwt_token=", encoded, NULL);

  return make_uri (endpoint, token != NULL ? query : "", max_buffering);
}

gchar *
fal_endpoint_get_key_uri (const FalEndpoint *endpoint, const gchar *api_key, guint max_buffering)
{
  g_auto (GStrv) halves = g_strsplit (api_key, ":", 2);
  g_autofree gchar *id = form_encode (halves[0] ? halves[0] : "");
  g_autofree gchar *secret = form_encode (halves[0] && halves[1] ? halves[1] : "");
  g_autofree gchar *query = g_strconcat ("?fal_key_id=", id, "&fal_key_secret=", secret, NULL);

  return make_uri (endpoint, query, max_buffering);
}

gboolean
fal_endpoint_is_app (const gchar *app)
{
  g_autoptr (FalEndpoint) endpoint = g_new0 (FalEndpoint, 1);

  return read_app (endpoint, app, NULL);
}

gboolean
fal_endpoint_is_fal (const FalEndpoint *endpoint)
{
  g_autoptr (GUri) uri = g_uri_parse (endpoint->base_uri, G_URI_FLAGS_ENCODED_PATH, NULL);

  return g_ascii_strcasecmp (g_uri_get_host (uri), FAL_HOST) == 0;
}

gchar *
fal_endpoint_describe (const FalEndpoint *endpoint)
{
  return g_strconcat (endpoint->base_uri, endpoint->path, NULL);
}

gchar *
fal_endpoint_describe_uri (const gchar *uri)
{
  const GUriHideFlags hidden =
      G_URI_HIDE_USERINFO | G_URI_HIDE_QUERY | G_URI_HIDE_FRAGMENT | G_URI_HIDE_AUTH_PARAMS;
  g_autoptr (GUri) parsed = g_uri_parse (uri, G_URI_FLAGS_ENCODED_PATH, NULL);
  const gchar *host = parsed != NULL ? g_uri_get_host (parsed) : NULL;

  if (host == NULL || *host == '\0' || find_scheme (g_uri_get_scheme (parsed)) == NULL)
    return NULL;
  return g_uri_to_string_partial (parsed, hidden);
}

/* @host NULL: there is none. */
static gboolean
is_this_machine (const gchar *host)
{
  g_autoptr (GInetAddress) address = host != NULL ? g_inet_address_new_from_string (host) : NULL;

  if (host == NULL)
    return FALSE;
  if (address != NULL)
    return g_inet_address_get_is_loopback (address);
  return g_ascii_strcasecmp (host, "localhost") == 0;
}

gboolean
fal_endpoint_keeps_secrets (const gchar *uri)
{
  g_autoptr (GUri) parsed = g_uri_parse (uri, G_URI_FLAGS_ENCODED_PATH, NULL);
  const gchar *scheme = parsed ? g_uri_get_scheme (parsed) : "";

  if (strcmp (scheme, "wss") == 0 || strcmp (scheme, "https") == 0)
    return TRUE;
  return (strcmp (scheme, "ws") == 0 || strcmp (scheme, "http") == 0) &&
         is_this_machine (g_uri_get_host (parsed));
}
