/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gate: credentials of upgrades and of token requests. Server's thread. */
#include "gate.h"
#include "fal/wire/value-json.h"
#include <string.h>

#define TOKEN_LIFE 120 /* seconds, where the request does not say */

struct _FalGate {
  gchar *token, *api_key;
  GHashTable *issued; /* token → gint64 *, the µs at which its life ends */
};

FalGate *
fal_gate_new (const gchar *token, const gchar *api_key)
{
  FalGate *gate = g_new0 (FalGate, 1);

  gate->token = g_strdup (token);
  gate->api_key = g_strdup (api_key);
  gate->issued = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return gate;
}

void
fal_gate_free (FalGate *gate)
{
  g_hash_table_unref (gate->issued);
  g_free (gate->token);
  g_free (gate->api_key);
  g_free (gate);
}

static gboolean
has_key_header (FalGate *gate, SoupServerMessage *message)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);
  const gchar *value = soup_message_headers_get_one (headers, "Authorization");

  return value && g_str_has_prefix (value, "Key ") && g_str_equal (value + 4, gate->api_key);
}

static gboolean
has_key_query (FalGate *gate, GHashTable *query)
{
  const gchar *id = g_hash_table_lookup (query, "fal_key_id");
  const gchar *secret = g_hash_table_lookup (query, "fal_key_secret");
  g_autofree gchar *key = id && secret ? g_strdup_printf ("%s:%s", id, secret) : NULL;

  return g_strcmp0 (key, gate->api_key) == 0;
}

static gboolean
is_issued (FalGate *gate, const gchar *token)
{
  const gint64 *end = token ? g_hash_table_lookup (gate->issued, token) : NULL;

  return end != NULL && g_get_monotonic_time () < *end;
}

gboolean
fal_gate_admits (FalGate *gate, SoupServerMessage *message)
{
  const gchar *text = g_uri_get_query (soup_server_message_get_uri (message));
  g_autoptr (GHashTable) query = soup_form_decode (text ? text : "");
  const gchar *token = g_hash_table_lookup (query, "fal_jwt_token");

  if (gate->token == NULL && gate->api_key == NULL)
    return TRUE;
  if (gate->token != NULL && g_strcmp0 (token, gate->token) == 0)
    return TRUE;
  return gate->api_key != NULL &&
         (has_key_header (gate, message) || has_key_query (gate, query) || is_issued (gate, token));
}

/* The life that the request's body asks for, in seconds. */
static gint64
read_life (SoupServerMessage *message)
{
  SoupMessageBody *body = soup_server_message_get_request_body (message);
  g_autoptr (GBytes) bytes = soup_message_body_flatten (body);
  gsize size;
  const gchar *text = g_bytes_get_data (bytes, &size);
  g_autoptr (GstStructure) map = size ? fal_value_from_json (text, size, NULL) : NULL;
  gint64 seconds = TOKEN_LIFE;

  if (map != NULL && !gst_structure_get_int64 (map, "token_expiration", &seconds))
    gst_structure_get_int64 (map, "duration", &seconds);
  return CLAMP (seconds, 0, 24 * 3600);
}

/* One part of a JWT: base64 with the URL alphabet, without padding. */
static gchar *
to_jwt_part (const gchar *text)
{
  gchar *part = g_base64_encode ((const guchar *) text, strlen (text));

  g_strdelimit (part, "+", '-');
  g_strdelimit (part, "/", '_');
  part[strcspn (part, "=")] = '\0';
  return part;
}

/* A token with the outline of a JWT, so that its end can be read from it. */
static gchar *
make_token (gint64 life)
{
  g_autofree gchar *id = g_uuid_string_random ();
  g_autofree gchar *claims = g_strdup_printf ("{\"exp\":%" G_GINT64_FORMAT ",\"jti\":\"%s\"}",
      g_get_real_time () / G_USEC_PER_SEC + life, id);
  g_autofree gchar *head = to_jwt_part ("{\"alg\":\"none\",\"typ\":\"JWT\"}");
  g_autofree gchar *middle = to_jwt_part (claims);
  g_autofree gchar *tail = to_jwt_part (id);

  return g_strdup_printf ("%s.%s.%s", head, middle, tail);
}

static void
respond_json (SoupServerMessage *message, guint status, const gchar *text)
{
  soup_server_message_set_status (message, status, NULL);
  soup_server_message_set_response (
      message, "application/json", SOUP_MEMORY_COPY, text, strlen (text));
}

void
fal_gate_issue (FalGate *gate, SoupServerMessage *message, gboolean key_known)
{
  g_autofree gchar *quoted = NULL;
  gchar *token;
  gint64 life, *end;

  if (gate->api_key != NULL && !key_known && !has_key_header (gate, message)) {
    respond_json (message, SOUP_STATUS_UNAUTHORIZED, "{\"detail\":\"No user found for Key ID\"}");
    return;
  }
  life = read_life (message);
  token = make_token (life);
  quoted = g_strdup_printf ("\"%s\"", token);
  end = g_new (gint64, 1);
  *end = g_get_monotonic_time () + life * G_USEC_PER_SEC;
  g_hash_table_insert (gate->issued, token, end);
  respond_json (message, SOUP_STATUS_OK, quoted);
}
