/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where an app is reached: makes a URL of app id, path and query.
 *
 * Pure; used on any thread. Only what fal_endpoint_get_uri() and fal_endpoint_get_key_uri() return
 * holds a secret. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  gchar *base_uri; /* "wss://fal.run", no slash at the end */
  gchar *owner;    /* first and second part of the id, without "workflows" or "comfy" */
  gchar *alias;
  gchar *app;  /* the whole id, "owner/alias/sub" */
  gchar *path; /* of the URL, "/owner/alias/sub/realtime" */
} FalEndpoint;

/* @app: "owner/alias[/sub…]", "123-alias", "workflows/owner/alias" or "comfy/owner/alias". @path
 * NULL: "/realtime", unless @app ends so. @base_uri: ws, wss, http (taken as ws) or https (as wss),
 * with a path or without. Error: G_IO_ERROR_INVALID_ARGUMENT, whose message says what to set. */
FalEndpoint *fal_endpoint_new (
    const gchar *base_uri, const gchar *app, const gchar *path, GError **error);
FalEndpoint *fal_endpoint_copy (const FalEndpoint *endpoint);
void fal_endpoint_free (FalEndpoint *endpoint);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalEndpoint, fal_endpoint_free)

/* The URL of the WebSocket. @token NULL, @max_buffering 0: left out of the query. Holds the token,
 * so it must not be logged. */
gchar *fal_endpoint_get_uri (const FalEndpoint *endpoint, const gchar *token, guint max_buffering);

/* The same with the two halves of @api_key, "id:secret", instead of a token. */
gchar *fal_endpoint_get_key_uri (
    const FalEndpoint *endpoint, const gchar *api_key, guint max_buffering);

/* Whether @app is the id of an app, in one of the forms above. */
gboolean fal_endpoint_is_app (const gchar *app);

/* Whether the app is served by fal itself, where most apps want a key. */
gboolean fal_endpoint_is_fal (const FalEndpoint *endpoint);

/* Scheme, host and path, for logs and messages. */
gchar *fal_endpoint_describe (const FalEndpoint *endpoint);

/* Whether nobody else can read what is sent to @uri: it is encrypted, or does not leave this
 * machine (127.0.0.0/8, ::1, localhost). FALSE for what is no URL. */
gboolean fal_endpoint_keeps_secrets (const gchar *uri);

/* @uri without user, password, query and fragment, for messages. NULL: it is no URL of a server
 * (http, https, ws, wss). */
gchar *fal_endpoint_describe_uri (const gchar *uri);

G_END_DECLS
