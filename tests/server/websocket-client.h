/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A client of the local server, for its tests: libsoup in the calling thread's main context. What
 * waits for something ends the program where it does not come. */
#pragma once

#include "server.h"
#include "wait.h"
#include <libsoup/soup.h>

G_BEGIN_DECLS

#define FAL_TURBO_PATH "/fal-ai/fast-turbo-diffusion/realtime"

typedef struct {
  gboolean text;
  GBytes *bytes;
} FalWebsocketClientMessage;

typedef struct {
  SoupSession *session;
  SoupMessage *upgrade;
  SoupWebsocketConnection *socket; /* NULL where it was refused */
  gboolean answered;
  GQueue inbox; /* FalWebsocketClientMessage */
  gboolean closed;
} FalWebsocketClient;

void fal_websocket_client_message_free (FalWebsocketClientMessage *message);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalWebsocketClientMessage, fal_websocket_client_message_free)

/* Waits for the answer to the upgrade. @authorization: the header's value, or NULL. */
FalWebsocketClient *fal_websocket_client_new (
    FalServer *server, const gchar *target, const gchar *authorization);
/* The same through @proxy, "http://[user:password@]host:port". */
FalWebsocketClient *fal_websocket_client_new_by_proxy (FalServer *server, const gchar *proxy);
void fal_websocket_client_free (FalWebsocketClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalWebsocketClient, fal_websocket_client_free)
/* One that must be accepted. */
FalWebsocketClient *fal_websocket_client_connect (FalServer *server);

void fal_websocket_client_send_bytes (FalWebsocketClient *client, GBytes *bytes);
void fal_websocket_client_send (FalWebsocketClient *client, const GstStructure *request);
/* A prompt and an id: what is answered without a picture. */
void fal_websocket_client_send_prompt (
    FalWebsocketClient *client, const gchar *prompt, const gchar *id);

FalWebsocketClientMessage *fal_websocket_client_next (FalWebsocketClient *client);
/* The next message, a map in msgpack or, as a text frame, in JSON. */
GstStructure *fal_websocket_client_next_map (FalWebsocketClient *client, gboolean text);
void fal_websocket_client_assert_id (FalWebsocketClient *client, const gchar *id);
/* An x-fal-error whose reason begins with @reason, then close 1000. */
void fal_websocket_client_assert_error (
    FalWebsocketClient *client, const gchar *kind, const gchar *reason);

G_END_DECLS
