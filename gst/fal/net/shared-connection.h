/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The connections of a stream, the net thread that they live on, and the members that use them.
 * There is one connection, or as many as the property "connections" says: its lanes, numbered from
 * 0. Members with the same connection-key share all of them; a member without one has its own.
 *
 * The events come on the net thread with no lock held; the functions marked so below are to be
 * called there. */
#pragma once

#include "connection.h"
#include "timer.h"
#include "fal/policy/shares.h"
#include "fal/settings/settings.h"

G_BEGIN_DECLS

typedef struct _FalSharedConnection FalSharedConnection;

typedef struct {
  FalConnectionEvents connection;
  /* What the member pays for of the connection's time is something else now. Told for the last time
   * while it leaves. */
  void (*share_changed) (gpointer user, const FalPaidTime *paid);
} FalMemberEvents;

/* Joins the connections of @settings' connection-key, or new ones; @endpoint is taken. @users: one
 * for each lane, which gets the events of that lane, and stands for the member there; the first one
 * stands for it as a whole. *@connection is written before any event comes, and events may come
 * before it returns. message() comes to one member for all, the other events to each. *@tag sets
 * the member's request ids apart from those of the others; 0: nothing needs to. Error
 * G_IO_ERROR_INVALID_ARGUMENT: another member has other settings for the connection; it names the
 * property. Error G_THREAD_ERROR: the process may have no more threads. Error
 * G_IO_ERROR_TOO_MANY_OPEN_FILES: it has no descriptors left. */
gboolean fal_shared_connection_join (FalSettings *settings, FalEndpoint *endpoint,
    const FalMemberEvents *events, const gpointer *users, FalSharedConnection **connection,
    guint *tag, GError **error);

/* Once it returns no event comes to the member of @user any more. @left (@user), which may be NULL,
 * is called on the net thread as the very last thing: there the member frees its timers, and
 * whatever else lives on that thread. The last member's leave ends the connections and the thread,
 * however the peer behaves. */
void fal_shared_connection_leave (
    FalSharedConnection *connection, gpointer user, void (*left) (gpointer user));

/* A wake-up that runs on the net thread, from joining until left(), where it is to be freed. */
FalTimer *fal_shared_connection_new_timer (
    FalSharedConnection *connection, void (*fired) (gpointer user), gpointer user);

/* ---- on the net thread ---- */

FalConnection *fal_shared_connection_get_connection (FalSharedConnection *connection, guint lane);

/* Sends @message for @user, of that lane, at once or when it is that member's turn. */
void fal_shared_connection_send (
    FalSharedConnection *connection, guint lane, gpointer user, GBytes *message);

/* Whose request a reply answers: by its @tag, and the next in turn goes out; where that is
 * negative, as its id says nothing, by the order of the lane's requests. NULL: nobody's. */
gpointer fal_shared_connection_find_answered (
    FalSharedConnection *connection, guint lane, gint64 tag);
/* The reply that was found to be @user's by the order has ended a request: the next in turn goes
 * out. */
void fal_shared_connection_note_answered (
    FalSharedConnection *connection, guint lane, gpointer user);
/* Whose request was answered last over the lane, or NULL. */
gpointer fal_shared_connection_get_last_answered (FalSharedConnection *connection, guint lane);

/* Whether @user, of that lane, uses the connection, and pays for its time: it does from joining on.
 */
void fal_shared_connection_set_use (
    FalSharedConnection *connection, guint lane, gpointer user, gboolean uses);

/* The app said that it is ready, or need not say so. */
void fal_shared_connection_set_ready (FalSharedConnection *connection, guint lane);
gboolean fal_shared_connection_is_ready (FalSharedConnection *connection, guint lane);

/* Calls @function with each member's user of the lane. */
void fal_shared_connection_foreach (
    FalSharedConnection *connection, guint lane, void (*function) (gpointer user));
/* Whether it is so with a member: the first that it is so with ends the search. */
gboolean fal_shared_connection_any (
    FalSharedConnection *connection, guint lane, gboolean (*is_so) (gpointer user));

G_END_DECLS
