/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One connection, the net thread that it lives on, and the members that use it. Members with the
 * same connection-key share a connection; a member without one has its own.
 *
 * The events come on the net thread with no lock held; the functions marked so below are to be
 * called there. */
#pragma once

#include "connection.h"
#include "timer.h"
#include "fal/settings/settings.h"

G_BEGIN_DECLS

typedef struct _FalSharedConnection FalSharedConnection;

/* Joins the connection of @settings' connection-key, or a new one; @endpoint is taken.
 * *@connection is written before any event comes, and events may come before it returns.
 * message() comes to one member for all, the other events to each. *@tag sets @user's request ids
 * apart from those of the other members; 0: nothing needs to. Error G_IO_ERROR_INVALID_ARGUMENT:
 * another member has other settings for the connection; it names the property. */
gboolean fal_shared_connection_join (FalSettings *settings, FalEndpoint *endpoint,
    const FalConnectionEvents *events, gpointer user, FalSharedConnection **connection, guint *tag,
    GError **error);

/* Once it returns no event comes to @user any more. @left (@user), which may be NULL, is called on
 * the net thread as the very last thing: there the member frees its timers, and whatever else lives
 * on that thread. The last member's leave ends the connection and the thread, however the peer
 * behaves. */
void fal_shared_connection_leave (
    FalSharedConnection *connection, gpointer user, void (*left) (gpointer user));

/* A wake-up that runs on the net thread, from joining until left(), where it is to be freed. */
FalTimer *fal_shared_connection_new_timer (
    FalSharedConnection *connection, void (*fired) (gpointer user), gpointer user);

/* ---- on the net thread ---- */

FalConnection *fal_shared_connection_get_connection (FalSharedConnection *connection);

/* Sends @message for @user, at once or when it is that member's turn. */
void fal_shared_connection_send (FalSharedConnection *connection, gpointer user, GBytes *message);

/* Whose request a reply answers: by its @tag (negative: its id says nothing), else by the order of
 * the requests. The next in turn goes out. NULL: nobody's. */
gpointer fal_shared_connection_take_answered (FalSharedConnection *connection, gint64 tag);
/* Whose request was answered last, or NULL. */
gpointer fal_shared_connection_get_last_answered (FalSharedConnection *connection);

/* The app said that it is ready, or need not say so. */
void fal_shared_connection_set_ready (FalSharedConnection *connection);
gboolean fal_shared_connection_is_ready (FalSharedConnection *connection);

void fal_shared_connection_foreach (
    FalSharedConnection *connection, void (*function) (gpointer member));
/* Whether it is so with a member: the first that it is so with ends the search. */
gboolean fal_shared_connection_any (
    FalSharedConnection *connection, gboolean (*is_so) (gpointer member));

G_END_DECLS
