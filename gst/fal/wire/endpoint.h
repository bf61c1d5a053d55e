/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where an app is reached: app id, path and query to a URL.
 *
 * Pure and thread safe. No string made here but the URI itself ever holds a secret. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

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

G_END_DECLS
