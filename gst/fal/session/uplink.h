/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The session as a member of one connection or several, which it may share with others: carries out
 * what the shared state orders, and tells it what becomes of them. They are its lanes, numbered
 * from 0, and live on one thread.
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
  void (*message) (gpointer user, guint lane, GBytes *message, gboolean text);
  /* A reply (taken) that concerns this member. @error: why it cannot be read; or NULL. */
  void (*reply) (gpointer user, guint lane, FalReply *reply, const GError *error);
  /* The settings that hold for what comes; also before the first message. */
  void (*configured) (gpointer user, FalSettings *settings);
  /* The last event: what lives on the net thread is to be freed. */
  void (*left) (gpointer user);
} FalUplinkEvents;

/* All must live longer. */
FalUplink *fal_uplink_new (FalSharedState *state, FalReporter *reporter,
    const FalSessionOwner *owner, const FalUplinkEvents *events, gpointer user);
void fal_uplink_free (FalUplink *uplink);

/* Joins the connections of @settings, which were found good, to @endpoint (taken). @file_key: the
 * API key as api-key-file had it, which is read once; NULL: there is no such file. Error: another
 * member has other settings. */
gboolean fal_uplink_connect (FalUplink *uplink, FalSettings *settings, FalEndpoint *endpoint,
    const gchar *file_key, GError **error);
/* Leaves them; after that no event comes. */
void fal_uplink_disconnect (FalUplink *uplink);
gboolean fal_uplink_is_connected (const FalUplink *uplink);

/* Which member it is, as request ids tell it; 0: none that needs to be told apart. */
guint fal_uplink_get_member (const FalUplink *uplink);

/* ---- for whoever reads a message, on the net thread ---- */

/* The message counts for all members. */
void fal_uplink_note_message (FalUplink *uplink, guint lane);
/* Whose request a reply answers: by the @member in its id, where that is not negative, else by the
 * order of the requests. NULL: that one has left. */
FalUplink *fal_uplink_find_answered (FalUplink *uplink, guint lane, gint64 member);
FalUplink *fal_uplink_get_last_answered (FalUplink *uplink, guint lane);
/* A reply that was found by the order did end a request. */
void fal_uplink_note_answered (FalUplink *uplink, guint lane);
/* The reply (taken) goes to the member that it concerns. */
void fal_uplink_deliver (FalUplink *uplink, guint lane, FalReply *reply, const GError *error);
/* A wake-up on the net thread, to be freed before left() returns. */
FalTimer *fal_uplink_new_timer (FalUplink *uplink, void (*fired) (gpointer user), gpointer user);

/* The reply brought a result. */
void fal_uplink_note_result (FalUplink *uplink, guint lane);
/* The server said that it closes since nothing came; or that the app is ready. */
void fal_uplink_note_idle (FalUplink *uplink, guint lane);
void fal_uplink_note_ready (FalUplink *uplink, guint lane);
/* "ready" was said in the way of WebRTC apps, after fal_uplink_note_ready(). */
void fal_uplink_note_greeting (FalUplink *uplink, guint lane);
/* The reply was an error, @what, which the server calls @name (or NULL). */
void fal_uplink_note_error (FalUplink *uplink, guint lane, const gchar *what, const gchar *name);
/* The connection is of no use: ended, for all members. @name: what the server calls its error, or
 * NULL. */
void fal_uplink_fail (
    FalUplink *uplink, guint lane, FalFaultKind kind, const gchar *what, const gchar *name);

G_END_DECLS
