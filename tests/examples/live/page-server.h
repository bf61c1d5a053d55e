/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Serves the page's files and its WebSockets on loopback, to pages of its own address alone: a
 * request for another Host is refused, so that no name which somebody leads to this machine (DNS
 * rebinding) reaches it, and a WebSocket from another Origin is. In the main context that is the
 * default one. */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

typedef enum { LIVE_SOCKET_LIVE, LIVE_SOCKET_CAMERA } LiveSocketKind;

/* A page has opened "/live" or "/camera". @socket is borrowed, and open. */
typedef void (*LiveSocketFunc) (
    gpointer user, LiveSocketKind kind, SoupWebsocketConnection *socket);

typedef struct _LivePageServer LivePageServer;

/* @port: 0 is any that is free. Errors: those of soup_server_listen_local(). */
LivePageServer *live_page_server_new (
    guint port, LiveSocketFunc on_socket, gpointer user, GError **error);
/* WebSockets that are open stay so, and are for their owners to close. */
void live_page_server_free (LivePageServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LivePageServer, live_page_server_free)

/* "http://127.0.0.1:PORT/" */
const gchar *live_page_server_get_uri (const LivePageServer *server);

G_END_DECLS
