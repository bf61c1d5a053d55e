/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An open WebSocket. It adds what libsoup lacks: limits, a sentence about how it ended, and an end
 * that takes no time. Net thread. */
#pragma once

#include "fal/policy/fault.h"
#include "socket-guard.h"
#include <libsoup/soup.h>

G_BEGIN_DECLS

typedef struct {
  /* A whole message that is not too big. */
  void (*message) (gpointer user, GBytes *message, gboolean text);
  /* It ended by itself; @what says how. The owner is to drop it. */
  void (*ended) (gpointer user, const FalFault *fault, const gchar *what);
} FalWebsocketEvents;

typedef struct _FalWebsocket FalWebsocket;

/* @socket is taken, as the handshake gave it. To be called before the main loop reads anything
 * from it, because libsoup's own limit refuses a picture over 128 KiB. */
FalWebsocket *fal_websocket_new (SoupWebsocketConnection *socket, guint64 max_message_size,
    const FalWebsocketEvents *events, gpointer user);

/* One binary message; FALSE: the peer is going, or went. */
gboolean fal_websocket_send (FalWebsocket *websocket, GBytes *message);

/* The guard (borrowed) that another thread is to check. */
FalSocketGuard *fal_websocket_get_guard (FalWebsocket *websocket);

/* Sends the close frame as far as the socket takes it now, and runs the main context a little for
 * that; nobody waits for the answer. From then on nothing is told, but the owner is still to drop
 * it. */
void fal_websocket_say_goodbye (FalWebsocket *websocket);

/* Ends it at once and lets go of it, also from within its own events: nothing is told any more.
 * Takes no time even where the peer is frozen, while libsoup's own close waits seconds for the
 * answer. The memory is released by the main context, a little later. */
void fal_websocket_drop (FalWebsocket *websocket);

G_END_DECLS
