/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where an app is reached: app id, path and query to a URL; the token request
 * and its reply; what is known of single apps.
 *
 * Pure and thread safe. No string made here but the URI itself and the token
 * request's body and header ever holds a secret. */
#pragma once

#include <gst/gst.h>
#include "protocol.h"

G_BEGIN_DECLS

#define FAL_MAX_BUFFERING 60

typedef struct {
  gchar *base_uri; /* "wss://fal.run", no slash at the end */
  gchar *owner;
  gchar *alias;
  gchar *app;  /* the whole id, "owner/alias/sub" */
  gchar *path; /* of the URL, "/owner/alias/sub/realtime" */
} FalEndpoint;

/* @app: "owner/alias[/sub…]", "123-alias", "workflows/owner/alias",
 * "comfy/owner/alias"; @path NULL: "/realtime", not doubled. A ws:, wss:, http:
 * or https: @base_uri, with a path of its own or none; http counts as ws.
 * Error: G_IO_ERROR_INVALID_ARGUMENT, saying what to do. */
FalEndpoint *fal_endpoint_new (
    const gchar *base_uri, const gchar *app, const gchar *path, GError **error);
void fal_endpoint_free (FalEndpoint *endpoint);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalEndpoint, fal_endpoint_free)

/* The address of the WebSocket. @token NULL: none; @max_buffering 0: none. Holds
 * the token: never log it. */
gchar *fal_endpoint_get_uri (const FalEndpoint *endpoint, const gchar *token, guint max_buffering);

/* The same with the two halves of @api_key, "id:secret", in the token's place. */
gchar *fal_endpoint_get_key_uri (
    const FalEndpoint *endpoint, const gchar *api_key, guint max_buffering);

/* Scheme, host and path: what logs and messages may show. */
gchar *fal_endpoint_describe (const FalEndpoint *endpoint);

/* Whether what is sent to @uri stays between the two: it is encrypted, or goes to
 * this very machine (127.0.0.0/8, ::1, localhost). FALSE for what is no address. */
gboolean fal_endpoint_keeps_secrets (const gchar *uri);

/* @uri without user, password, query and fragment: what messages may show. NULL: it is no address
 * of a server (http, https, ws, wss). */
gchar *fal_endpoint_describe_uri (const gchar *uri);

/* Which of the three bodies that are in use asks for a token. */
typedef enum {
  FAL_TOKEN_REQUEST_ALIAS, /* {"allowed_apps":["alias"],"token_expiration":120} */
  FAL_TOKEN_REQUEST_PATH,  /* {"allowed_apps":["owner/alias/realtime"],"duration":120} */
  FAL_TOKEN_REQUEST_APP,   /* {"app":"owner/alias/sub","duration":120} */
} FalTokenRequest;

/* The JSON body of a token request; @expiration in seconds. */
gchar *fal_endpoint_get_token_request (
    const FalEndpoint *endpoint, FalTokenRequest kind, guint expiration);

/* What a token provider is told: "owner/alias/realtime". */
gchar *fal_endpoint_get_token_scope (const FalEndpoint *endpoint);

/* The token in the body of a token server's 200 or 201: a JSON string,
 * {"token":…}, {"detail":…} or plain text. What could not stand in a URL as a
 * token, or is longer than 16 KiB, is refused. */
gchar *fal_endpoint_parse_token_reply (const gchar *body, gsize length, GError **error);

/* Whether @text, or NULL, could be a token: not empty, not longer than 16 KiB, nothing in it that
 * would need an escape in a URL or a header. */
gboolean fal_endpoint_is_token (const gchar *text);

/* When a JWT ends, in seconds since 1970; 0 where it does not say. */
gint64 fal_endpoint_get_token_expiry (const gchar *token);

/* What is known of an app. */
typedef struct {
  const gchar *app;
  const gchar *path; /* NULL: the usual one */
  const gchar *image_field;
  FalImageEncoding image_encoding;
  gint echoes_request_id;                      /* 1: yes, 0: no, -1: not known */
  const gchar *result_field;                   /* NULL: the usual places */
  guint width, height;                         /* the size that suits it best; 0: any */
  guint quality;                               /* JPEG quality that suits it best; 0: any */
  const gchar *start_fields, *feedback_fields; /* as in the properties; or NULL */
  const gchar *inputs; /* as parameters-json, under all that is set; or NULL */
  gboolean wait_for_ready;
  gboolean server_streaming; /* results for a request until it closes */
} FalPreset;

/* Never NULL: an app that nothing is known of takes a data URI in "image_url". */
const FalPreset *fal_endpoint_get_preset (const gchar *app);

G_END_DECLS
