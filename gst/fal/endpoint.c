/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where an app is reached: ids, addresses, token requests and their answers, and what is
 * known of single apps. Pure: used on any thread. */
#include "endpoint.h"

#include "value.h"

#include <gio/gio.h>
#include <string.h>

#define DEFAULT_PATH "/realtime"

#define MAX_TOKEN_BYTES (16 * 1024)
#define MAX_TOKEN_REPLY_BYTES (64 * 1024)

/* Of a token, beside letters and digits: base64, base64url and what joins their parts. */
#define TOKEN_MARKS "-._~+/=:"

/* ---- App id and path ---- */

/* One part of a path that needs no escape and leads nowhere else. */
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
modernise_app (const gchar *app)
{
  gsize digits = strspn (app, "0123456789");

  if (digits == 0 || app[digits] != '-' || strchr (app, '/') != NULL)
    return g_strdup (app);
  return g_strdup_printf ("%.*s/%s", (int) digits, app, app + digits + 1);
}

/* These stand before the owner. */
static gboolean
is_namespace (const gchar *segment)
{
  return strcmp (segment, "workflows") == 0 || strcmp (segment, "comfy") == 0;
}

static gboolean
read_app (FalEndpoint *endpoint, const gchar *app, GError **error)
{
  g_autofree gchar *modern = modernise_app (app != NULL ? app : "");
  g_auto (GStrv) segments = g_strsplit (modern, "/", -1);
  guint first = segments[0] != NULL && is_namespace (segments[0]) ? 1 : 0;

  if (!are_segments (segments) || g_strv_length (segments) < first + 2) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "“%s” is not an app id; set app to one like fal-ai/fast-lcm-diffusion, "
        "owner/alias/sub or 123-my-app",
        app != NULL ? app : "");
    return FALSE;
  }
  endpoint->owner = g_strdup (segments[first]);
  endpoint->alias = g_strdup (segments[first + 1]);
  endpoint->app = g_steal_pointer (&modern);
  return TRUE;
}

/* @path with one slash before it and none behind; "" for none. */
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
        "“%s” is not a path; set path to one like /realtime or /ws", path);
    return FALSE;
  }
  endpoint->path = g_strconcat ("/", endpoint->app, suffix, NULL);
  return TRUE;
}

/* ---- Base URI ---- */

/* The WebSocket scheme for what a user may write, or NULL. */
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

/* User and password, query and fragment have no place: they would end up in logs. */
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
        "The base URI is not an address of a server; set base-uri to one like wss://fal.run "
        "or ws://127.0.0.1:8080, without user, query or fragment");
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

/* As HTML forms do: a space is a plus. */
static gchar *
form_encode (const gchar *text)
{
  return g_strdelimit (g_uri_escape_string (text, " ", FALSE), " ", '+');
}

/* @credentials: a query of its own, or "". */
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

static gboolean
is_this_machine (const gchar *host)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (host);

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

/* ---- Token ---- */

gchar *
fal_endpoint_get_token_scope (const FalEndpoint *endpoint)
{
  return g_strdup (endpoint->path + 1);
}

/* Ids and paths hold nothing that JSON would escape. */
gchar *
fal_endpoint_get_token_request (const FalEndpoint *endpoint, FalTokenRequest kind, guint expiration)
{
  switch (kind) {
  case FAL_TOKEN_REQUEST_PATH:
    return g_strdup_printf (
        "{\"allowed_apps\":[\"%s\"],\"duration\":%u}", endpoint->path + 1, expiration);
  case FAL_TOKEN_REQUEST_APP:
    return g_strdup_printf ("{\"app\":\"%s\",\"duration\":%u}", endpoint->app, expiration);
  default:
    return g_strdup_printf (
        "{\"allowed_apps\":[\"%s\"],\"token_expiration\":%u}", endpoint->alias, expiration);
  }
}

gboolean
fal_endpoint_is_token (const gchar *text)
{
  const gchar *p;

  for (p = text; p != NULL && *p != '\0'; p++) {
    if (!g_ascii_isalnum (*p) && strchr (TOKEN_MARKS, *p) == NULL)
      return FALSE;
  }
  return p > text && p - text <= MAX_TOKEN_BYTES;
}

/* What the body says in one of the forms that are in use; @text is stripped. What is JSON
 * but neither an object nor a string says nothing; what is not JSON is plain text. */
static gchar *
find_token (const gchar *text)
{
  g_autofree gchar *wrapped =
      *text == '{' ? g_strdup (text) : g_strdup_printf ("{\"token\":%s}", text);
  g_autoptr (GstStructure) map = fal_value_from_json (wrapped, -1, NULL);

  if (map == NULL)
    return g_strdup (text);
  if (gst_structure_has_field (map, "token"))
    return g_strdup (gst_structure_get_string (map, "token"));
  return g_strdup (gst_structure_get_string (map, "detail"));
}

gchar *
fal_endpoint_parse_token_reply (const gchar *body, gsize length, GError **error)
{
  g_autofree gchar *text = NULL;
  g_autofree gchar *token = NULL;

  if (length > 0 && length <= MAX_TOKEN_REPLY_BYTES && memchr (body, '\0', length) == NULL) {
    text = g_strstrip (g_strndup (body, length));
    token = find_token (text);
  }
  if (fal_endpoint_is_token (token))
    return g_steal_pointer (&token);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
      "The token server's answer of %" G_GSIZE_FORMAT " bytes holds no token; look at token-uri",
      length);
  return NULL;
}

/* The bytes of base64url @text of @length, which has no padding. */
static guchar *
decode_base64url (const gchar *text, gsize length, gsize *size)
{
  g_autofree gchar *base64 = g_strdup_printf ("%.*s===", (int) length, text);

  base64[(length + 3) / 4 * 4] = '\0';
  g_strdelimit (g_strdelimit (base64, "-", '+'), "_", '/');
  return g_base64_decode (base64, size);
}

static gint64
get_whole_number (const GValue *value)
{
  if (value != NULL && G_VALUE_HOLDS_INT64 (value))
    return MAX (g_value_get_int64 (value), 0);
  if (value == NULL || !G_VALUE_HOLDS_DOUBLE (value))
    return 0;
  return CLAMP (g_value_get_double (value), 0, 1e15);
}

gint64
fal_endpoint_get_token_expiry (const gchar *token)
{
  const gchar *claims = token != NULL ? strchr (token, '.') : NULL;
  const gchar *end = claims != NULL ? strchr (claims + 1, '.') : NULL;
  g_autoptr (GstStructure) map = NULL;
  g_autofree guchar *json = NULL;
  gsize size;

  if (end == NULL || end - claims > MAX_TOKEN_BYTES)
    return 0;
  json = decode_base64url (claims + 1, end - claims - 1, &size);
  map = fal_value_from_json ((const gchar *) json, size, NULL);
  return map != NULL ? get_whole_number (gst_structure_get_value (map, "exp")) : 0;
}

/* ---- Presets ---- */

#define YES 1
#define NO 0
#define UNKNOWN (-1)

/* One row for each app that is known to speak the protocol; the apps below it take its row. */
static const FalPreset presets[] = {
  { "fal-ai/flux-2/klein", NULL, "image_url", FAL_IMAGE_ENCODING_DATA_URI, NO, NULL, 704, 704, 50 },
  { "fal-ai/fast-lcm-diffusion", NULL, "image_bytes", FAL_IMAGE_ENCODING_BYTES, YES },
  { "fal-ai/fast-turbo-diffusion", NULL, "image_bytes", FAL_IMAGE_ENCODING_BYTES, YES },
  { "fal-ai/lcm-sd15-i2i", NULL, "image_url", FAL_IMAGE_ENCODING_DATA_URI, YES,
      .inputs = "{\"sync_mode\":true}" },
  { "fal-ai/lcm", NULL, "image_url", FAL_IMAGE_ENCODING_DATA_URI, YES,
      .inputs = "{\"sync_mode\":true}" },
  { "fal-ai/sd-turbo-real-time-high-fps-msgpack", "/ws", "image", FAL_IMAGE_ENCODING_BYTES, YES },
  { "fal-ai/birefnet", NULL, "image_bytes", FAL_IMAGE_ENCODING_BYTES, NO },
  { "fal-ai/live-portrait", NULL, "image_bytes", FAL_IMAGE_ENCODING_BYTES, YES,
      .start_fields = "initial_image_url", .feedback_fields = "x_d_0_info,r_d_0" },
  { "fal-ai/krea-wan-14b", "/ws", "image", FAL_IMAGE_ENCODING_BYTES, NO,
      .start_fields = "start_frame", .wait_for_ready = TRUE },
};

static const FalPreset unknown_app = { "", NULL, "image_url", FAL_IMAGE_ENCODING_DATA_URI,
  UNKNOWN };

/* How many bytes of @app the row's id stands for; 0: it is another app's. */
static gsize
match_app (const FalPreset *preset, const gchar *app)
{
  gsize length = strlen (preset->app);

  if (strncmp (app, preset->app, length) != 0)
    return 0;
  return app[length] == '\0' || app[length] == '/' ? length : 0;
}

const FalPreset *
fal_endpoint_get_preset (const gchar *app)
{
  const FalPreset *best = &unknown_app;
  guint i;

  for (i = 0; app != NULL && i < G_N_ELEMENTS (presets); i++) {
    if (match_app (&presets[i], app) > strlen (best->app))
      best = &presets[i];
  }
  return best;
}
