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
} Wire;

gboolean wire_send (Wire *wire, gconstpointer data, gsize size);
gboolean wire_receive (Wire *wire);           /* some more */
gboolean wire_rest (Wire *wire, guint pause); /* µs, in whole milliseconds */

/* The head of a whole HTTP request, its body dropped. */
gchar *wire_read_http (Wire *wire);
/* 101 for the request with this head. */
gboolean wire_accept_upgrade (Wire *wire, const gchar *head);

/* @data NULL: zeros. */
GByteArray *wire_make_frame (guint opcode, gboolean fin, gconstpointer data, gsize size);
/* The next text or binary message; pings are passed over, a close is the end. */
GBytes *wire_read_request (Wire *wire);

/* A result for @request with @images times @picture (NULL: the one in the request) and with @id
 * (NULL: that of the request, "": none). */
GBytes *wire_make_answer (GBytes *request, GBytes *picture, const gchar *id, guint images);

G_END_DECLS
