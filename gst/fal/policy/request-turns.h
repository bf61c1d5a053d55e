/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whose turn it is on a shared connection, and whose request a reply answers.
 *
 * Pure: no thread, lock, clock, socket or log. Users are opaque, messages owned by the turns while
 * they wait. Where the app echoes ids every message may go at once; where it does not, replies are
 * told apart by their order alone, and of several users one has a request out at a time. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Requests whose order is remembered; those of an app that echoes ids may never be answered. */
#define FAL_REQUEST_TURNS_MAX_ORDER 256

typedef struct _FalRequestTurns FalRequestTurns;

FalRequestTurns *fal_request_turns_new (void);
void fal_request_turns_free (FalRequestTurns *turns);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalRequestTurns, fal_request_turns_free)

/* How many users there are. */
void fal_request_turns_set_users (FalRequestTurns *turns, guint users);

/* @message of @user is to go. It waits until fal_request_turns_take() gives it. */
void fal_request_turns_push (FalRequestTurns *turns, gpointer user, GBytes *message);

/* The message (transfer full) that may go now, and whose it is; NULL: none. */
GBytes *fal_request_turns_take (FalRequestTurns *turns, gpointer *user);

/* A reply that carries an id of @user's. */
void fal_request_turns_answer (FalRequestTurns *turns, gpointer user);

/* A reply without one: the user whose request it answers by the order, NULL where that one has
 * left. @known FALSE: nothing is out. */
gpointer fal_request_turns_answer_oldest (FalRequestTurns *turns, gboolean *known);

/* @user has left: what it asked for will still be answered, to nobody. */
void fal_request_turns_forget (FalRequestTurns *turns, gpointer user);

/* The connection has gone, with all that was out and waited. */
void fal_request_turns_clear (FalRequestTurns *turns);

G_END_DECLS
