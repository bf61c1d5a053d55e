/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cuts a socket that brings more than a message may hold without ever finishing one, and knows when
 * the peer was last heard of.
 *
 * Before 3.8 libsoup bounds a fragment, not a message, and while fragments pour in its main context
 * does nothing else: so another thread holds the limit. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* How often somebody should look, in µs: what a fast connection brings meanwhile is bounded too. */
#define FAL_SOCKET_GUARD_INTERVAL (50 * G_TIME_SPAN_MILLISECOND)

/* Reference counted; every function on any thread. */
typedef struct _FalSocketGuard FalSocketGuard;

typedef enum {
  FAL_SOCKET_GUARD_CALM,
  FAL_SOCKET_GUARD_OVERFLOWN, /* it shut the socket down: the limit was passed */
  FAL_SOCKET_GUARD_CUT,       /* it shut the socket down because it was told to */
} FalSocketGuardState;

/* @limit: bytes on the wire from one whole message to the next. @now, here and below: monotonic,
 * µs; the peer was heard of then. */
FalSocketGuard *fal_socket_guard_new (GSocket *socket, guint64 limit, gint64 now);
FalSocketGuard *fal_socket_guard_ref (FalSocketGuard *guard);
void fal_socket_guard_unref (FalSocketGuard *guard);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalSocketGuard, fal_socket_guard_unref)

/* A whole message came: the count begins anew. */
void fal_socket_guard_note_message (FalSocketGuard *guard, gint64 now);

/* Shuts the socket down where the limit is passed. Returns when the peer was last heard of, as far
 * as such looks can tell; @now where the kernel does not tell. */
gint64 fal_socket_guard_check (FalSocketGuard *guard, gint64 now);

/* To be called before the socket is closed: from then on its descriptor may be another's. */
void fal_socket_guard_disarm (FalSocketGuard *guard);

/* Shuts the socket down now: the way to end a connection whose thread the peer keeps busy. @reason
 * is for whoever finds it cut. */
void fal_socket_guard_cut (FalSocketGuard *guard, guint reason);

FalSocketGuardState fal_socket_guard_get_state (FalSocketGuard *guard);
guint fal_socket_guard_get_reason (FalSocketGuard *guard); /* of the cut */

G_END_DECLS
