/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One attempt to connect and the WebSocket that comes of it, with what libsoup does
 * not give it: limits, and an end that takes no time. Net thread. */
#pragma once

#include "credentials.h"
#include "socket-guard.h"
#include "token-promise.h"
#include <libsoup/soup.h>

G_BEGIN_DECLS

/* Reference counted: operations under way hold a reference. Once @owner is NULL
 * nothing of it reaches the connection any more. */
typedef struct {
  gpointer owner; /* the connection */
  GCancellable *cancellable;
  FalWay way;                 /* how it shows who it is */
  FalTokenPromise *provision; /* the question for a token that is out; or NULL */
  gchar *token;               /* that it shows; NULL: none, or none yet */
  /* The request on its way, for the token or for the upgrade: keeps the status of a refusal. */
  SoupMessage *message;
  GTlsConnection *tls;             /* of @message, borrowed; for an answer about its certificate */
  GTlsCertificateFlags tls_errors; /* for which the certificate was not accepted */
  SoupWebsocketConnection *socket;
  FalSocketGuard *guard; /* of @socket */
  gboolean timed_out;
  gboolean parted; /* the goodbye was said */
} FalWebsocket;

FalWebsocket *fal_websocket_new (gpointer owner, FalWay way);
FalWebsocket *fal_websocket_ref (FalWebsocket *link);
void fal_websocket_unref (FalWebsocket *link);

/* The request that is on its way now (taken), in place of one before. */
void fal_websocket_take_message (FalWebsocket *link, SoupMessage *message);

/* The handshake's fruit (taken). To be called before the main loop reads anything:
 * libsoup's default refuses a picture over 128 KiB. */
void fal_websocket_take_socket (
    FalWebsocket *link, SoupWebsocketConnection *socket, guint64 max_message_size);

/* Sends the close frame as far as the socket takes it now, running @context a little;
 * nobody waits for the answer. */
void fal_websocket_say_goodbye (FalWebsocket *link, GMainContext *context);

/* Closes the socket underneath, or shuts it down after a goodbye. Takes no time even where the peer
 * is frozen, while libsoup's own close waits seconds for the answer. */
void fal_websocket_cut (FalWebsocket *link);

/* Cancels, cuts and lets go of the link: whatever comes of it later is ignored. The
 * reference is released from @context, for this may be a callback of its own socket. */
void fal_websocket_drop (FalWebsocket *link, GMainContext *context);

G_END_DECLS
