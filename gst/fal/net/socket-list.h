/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sockets that libsoup opened for requests, so that what travels on them can be ended without a
 * word to libsoup. It holds none of them open. Net thread. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _FalSocketList FalSocketList;

FalSocketList *fal_socket_list_new (void);
FalSocketList *fal_socket_list_ref (FalSocketList *list);
void fal_socket_list_unref (FalSocketList *list);

/* @owner and @connection are whatever fal_socket_list_cut() is to find it by. */
void fal_socket_list_add (
    FalSocketList *list, gconstpointer owner, guint64 connection, GSocket *socket);

/* Shuts the sockets of @connection down: each operation on them comes to its end at once. */
void fal_socket_list_cut (FalSocketList *list, gconstpointer owner, guint64 connection);
void fal_socket_list_cut_all (FalSocketList *list);

/* How many of them still exist. */
guint fal_socket_list_count (FalSocketList *list);
/* Runs @context, which is the caller's, until none of them does any more; at most for @duration µs.
 * They are cut by then: a peer cannot make it longer. */
void fal_socket_list_wait (FalSocketList *list, GMainContext *context, gint64 duration);

G_END_DECLS
