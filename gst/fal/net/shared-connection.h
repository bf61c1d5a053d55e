/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The line: one connection, the net thread that it lives on, and the sessions that use it. Sessions
 * with the same connection-key share a line; a session without one has its own.
 *
 * The events come on the net thread with no lock held; those marked so below are to be called
 * there. */
#pragma once

#include "connection.h"
#include "fal/settings/settings.h"

G_BEGIN_DECLS

typedef struct _FalSharedConnection FalSharedConnection;

/* Joins, as @line, the line of @settings' connection-key, or a new one; @endpoint is taken.
 * message() comes to one member for all, the other events to each. @tag sets @user's request ids
 * apart from those of the other members; 0: nothing needs to. Error G_IO_ERROR_INVALID_ARGUMENT:
 * another member has other settings for the connection; it names the property. Events may come
 * before it returns. */
gboolean fal_shared_connection_join (FalSettings *settings, FalEndpoint *endpoint,
    const FalConnectionEvents *events, gpointer user, FalSharedConnection **line, guint *tag,
    GError **error);

/* Once it returns no event comes to @user any more. The last member's leave ends the connection
 * and the thread, however the peer behaves. */
void fal_shared_connection_leave (FalSharedConnection *line, gpointer user);

/* Runs @function (@data) on the net thread; work goes there in no other way. */
void fal_shared_connection_hop (
    FalSharedConnection *line, GSourceFunc function, gpointer data, GDestroyNotify destroy);

/* ---- on the net thread ---- */

FalConnection *fal_shared_connection_get_connection (FalSharedConnection *line);

/* Sends @message for @user. Where replies can be told apart by their order alone, and others share
 * the line, it waits its turn until the request before it is answered. */
void fal_shared_connection_send (FalSharedConnection *line, gpointer user, GBytes *message);

/* Whose request a reply answers: by its @tag (negative: its id says nothing), else by the order of
 * the requests. The next in turn goes out. NULL: nobody's. */
gpointer fal_shared_connection_take_answered (FalSharedConnection *line, gint64 tag);
/* Whose request was answered last, or NULL. */
gpointer fal_shared_connection_get_last_answered (FalSharedConnection *line);

/* The app said that it is ready, or need not say so. */
void fal_shared_connection_set_ready (FalSharedConnection *line);
gboolean fal_shared_connection_is_ready (FalSharedConnection *line);

void fal_shared_connection_foreach (FalSharedConnection *line, void (*function) (gpointer member));
/* Whether it is so with a member: the first that it is so with ends the search. */
gboolean fal_shared_connection_any (FalSharedConnection *line, gboolean (*is_so) (gpointer member));

G_END_DECLS
