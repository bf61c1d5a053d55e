/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The session as a member of a connection, which it may share with others: carries out what the
 * shared state orders, and tells it what becomes of the connection.
 *
 * Lives on the net thread, but for making, connecting, disconnecting and freeing it. */
#pragma once

#include "fal/net/shared-connection.h"
#include "reporter.h"
#include "shared-state.h"

G_BEGIN_DECLS

typedef struct _FalUplink FalUplink;

/* On the net thread. */
typedef struct {
  /* A message came for all members; this one reads it. */
  void (*message) (gpointer user, GBytes *message, gboolean text);
  /* A reply that concerns this member. NULL: it cannot be read, @error says why. */
  void (*reply) (gpointer user, FalReply *reply, const GError *error);
  /* The settings that hold for what comes; also before the first message. */
  void (*configured) (gpointer user, FalSettings *settings);
  /* The last event: what lives on the net thread is to be freed. */
  void (*left) (gpointer user);
} FalUplinkEvents;

/* All must live longer. */
FalUplink *fal_uplink_new (FalSharedState *state, FalReporter *reporter,
    const FalSessionOwner *owner, const FalUplinkEvents *events, gpointer user);
void fal_uplink_free (FalUplink *uplink);

/* Joins the connection of @settings, which were found good, to @endpoint (taken). @file_key: the
 * API key as api-key-file had it, which is read once; NULL: there is no such file. Error: another
 * member has other settings. */
gboolean fal_uplink_connect (FalUplink *uplink, FalSettings *settings, FalEndpoint *endpoint,
    const gchar *file_key, GError **error);
/* Leaves it; after that no event comes. */
void fal_uplink_disconnect (FalUplink *uplink);
gboolean fal_uplink_is_connected (const FalUplink *uplink);

/* Which member it is, as request ids tell it; 0: none that needs to be told apart. */
guint fal_uplink_get_member (const FalUplink *uplink);

/* ---- for whoever reads a message, on the net thread ---- */

/* The message counts for all members. */
void fal_uplink_note_message (FalUplink *uplink);
/* Whose request a reply answers: by the @member in its id, where that is not negative, else by the
 * order of the requests. NULL: that one has left. */
FalUplink *fal_uplink_take_answered (FalUplink *uplink, gint64 member);
FalUplink *fal_uplink_get_last_answered (FalUplink *uplink);
/* The reply goes to the member that it concerns, which may take its fields. */
void fal_uplink_deliver (FalUplink *uplink, FalReply *reply, const GError *error);

/* The reply brought a result. */
void fal_uplink_note_result (FalUplink *uplink);
/* The server said that it closes since nothing came; or that the app is ready. */
void fal_uplink_note_idle (FalUplink *uplink);
void fal_uplink_note_ready (FalUplink *uplink);
/* The connection is of no use: ended, for all members. @name: what the server calls its error, or
 * NULL. */
void fal_uplink_fail (FalUplink *uplink, FalFaultKind kind, const gchar *what, const gchar *name);

G_END_DECLS
