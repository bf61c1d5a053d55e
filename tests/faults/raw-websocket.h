/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The server's side of a connection, byte by byte: HTTP requests, WebSocket frames, fal's
 * messages. Belongs to the thread that plays the connection. FALSE and NULL mean that the client
 * went, or that the cancellable was cancelled. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct {
  GSocket *socket;
  GCancellable *cancellable;
  GByteArray *in; /* received, not looked at yet */
} RawWebsocket;

gboolean raw_websocket_send (RawWebsocket *websocket, gconstpointer data, gsize size);
gboolean raw_websocket_receive (RawWebsocket *websocket);           /* some more */
gboolean raw_websocket_rest (RawWebsocket *websocket, guint pause); /* µs, in whole milliseconds */

/* The head of a whole HTTP request, its body dropped. */
gchar *raw_websocket_read_http (RawWebsocket *websocket);
/* 101 for the request with this head. FALSE, too, where it asks for no upgrade. */
gboolean raw_websocket_accept_upgrade (RawWebsocket *websocket, const gchar *head);

/* @data NULL: zeros. */
GByteArray *raw_websocket_make_frame (guint opcode, gboolean fin, gconstpointer data, gsize size);
/* The next text or binary message; pings are passed over, a close is the end. */
GBytes *raw_websocket_read_request (RawWebsocket *websocket);

/* A result for @request with @images times @picture (NULL: the one in the request) and with @id
 * (NULL: that of the request, "": none). What cannot be read of a request is left out. */
GBytes *raw_websocket_make_answer (GBytes *request, GBytes *picture, const gchar *id, guint images);

G_END_DECLS
