/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes token requests and reads tokens. Pure; used on any thread. */
#include "token-format.h"

#include "value-json.h"

#include <gio/gio.h>
#include <string.h>

#define MAX_TOKEN_BYTES (16 * 1024)
#define MAX_TOKEN_REPLY_BYTES (64 * 1024)

/* Characters of a token beside letters and digits: those of base64 and base64url, and what joins
 * their parts. */
#define TOKEN_MARKS "-._~+/=:"

/* ---- Token ---- */

gchar *
fal_token_format_get_scope (const FalEndpoint *endpoint)
{
  return g_strdup (endpoint->path + 1);
}

/* Nothing needs an escape in JSON: fal_endpoint_new() lets no such id or path through. */
gchar *
fal_token_format_get_request (const FalEndpoint *endpoint, FalTokenRequest kind, guint expiration)
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
fal_token_format_is_token (const gchar *text)
{
  const gchar *p;

  for (p = text; p != NULL && *p != '\0'; p++) {
    if (!g_ascii_isalnum (*p) && strchr (TOKEN_MARKS, *p) == NULL)
      return FALSE;
  }
  return p > text && p - text <= MAX_TOKEN_BYTES;
}

/* Of what a token server or a token says only what is looked for here may become a name. */
static GstStructure *
parse_json (const gchar *json, gssize length)
{
  g_autoptr (FalNames) names = fal_names_new (0);

  return fal_value_from_json_of_peer (json, length, names, NULL);
}

/* The token in one of the forms that are in use; NULL: there is none. @text: stripped of white
 * space. What is not JSON is plain text. A string is put into an object, so that the parser takes
 * it. */
static gchar *
find_token (const gchar *text)
{
  g_autofree gchar *wrapped =
      *text == '{' ? g_strdup (text) : g_strdup_printf ("{\"token\":%s}", text);
  g_autoptr (GstStructure) map = parse_json (wrapped, -1);

  if (map == NULL)
    return g_strdup (text);
  if (gst_structure_has_field (map, "token"))
    return g_strdup (gst_structure_get_string (map, "token"));
  return g_strdup (gst_structure_get_string (map, "detail"));
}

gchar *
fal_token_format_parse_reply (const gchar *body, gsize length, GError **error)
{
  g_autofree gchar *text = NULL;
  g_autofree gchar *token = NULL;

  if (length > 0 && length <= MAX_TOKEN_REPLY_BYTES && memchr (body, '\0', length) == NULL) {
    text = g_strstrip (g_strndup (body, length));
    token = find_token (text);
  }
  if (fal_token_format_is_token (token))
    return g_steal_pointer (&token);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
      "the token server's answer of %" G_GSIZE_FORMAT " bytes holds no token", length);
  return NULL;
}

/* Decodes @length bytes of base64url, which has no padding. */
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
fal_token_format_get_expiry (const gchar *token)
{
  const gchar *claims = token != NULL ? strchr (token, '.') : NULL;
  const gchar *end = claims != NULL ? strchr (claims + 1, '.') : NULL;
  g_autoptr (GstStructure) map = NULL;
  g_autofree guchar *json = NULL;
  gsize size;

  if (end == NULL || end - claims > MAX_TOKEN_BYTES)
    return 0;
  json = decode_base64url (claims + 1, end - claims - 1, &size);
  map = parse_json ((const gchar *) json, size);
  return map != NULL ? get_whole_number (gst_structure_get_value (map, "exp")) : 0;
}
