/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whose turn it is on a shared connection, and whose request a reply answers.
 *
 * Pure: no thread, lock, clock, socket or log. Members are opaque, messages owned by the turns
 * while they wait. Times are µs of a monotonic clock, given as arguments.
 *
 * Where the app echoes no ids, replies are told apart by their order alone, and of several members
 * one has a request out at a time. Where it does, requests are counted, and a member that has sent
 * more of them than another active member waits until that one has caught up. A member is active
 * while it has a message waiting, for two round trips after it sent a request (which may be lost),
 * and for one after an answer, in which its next message would come.
 *
 * Two exceptions see to it that no capacity is wasted. Where the model would run out of work,
 * whoever has a message sends it; nobody was kept from anything, so this leaves it one ahead at
 * most. And who comes back after a pause begins where the others are, with no credit for the pause
 * and no debt for what it sent before.
 *
 * So of members that always have a message none gets more than one request ahead of another while
 * the model is busy; a member that sends seldom, or whose own window lets it send little, does not
 * slow the others; and one that is alone never waits.
 *
 * All messages that wait go out, in their order. One that waited is a little stale, but its sender
 * counts it as sent already, and its window bounds how many there are. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Requests whose order is remembered; those of an app that echoes ids may never be answered. */
#define FAL_REQUEST_TURNS_MAX_ORDER 256

typedef struct _FalRequestTurns FalRequestTurns;

FalRequestTurns *fal_request_turns_new (void);
void fal_request_turns_free (FalRequestTurns *turns);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalRequestTurns, fal_request_turns_free)

/* @user becomes a member. */
void fal_request_turns_join (FalRequestTurns *turns, gpointer user);

/* @user, no member any more, has left: what it asked for will still be answered, to nobody. */
void fal_request_turns_forget (FalRequestTurns *turns, gpointer user);

/* @message of @user, a member, is to go. It waits until fal_request_turns_take() gives it. */
void fal_request_turns_push (FalRequestTurns *turns, gpointer user, GBytes *message, gint64 now);

/* The message (transfer full) that may go now, and whose it is; NULL: none. */
GBytes *fal_request_turns_take (FalRequestTurns *turns, gint64 now, gpointer *user);

/* When fal_request_turns_take() may give more though nothing else happened; G_MAXINT64: never. */
gint64 fal_request_turns_next_time (const FalRequestTurns *turns, gint64 now);

/* A reply that carries an id of @user's. */
void fal_request_turns_answer (FalRequestTurns *turns, gpointer user, gint64 now);

/* The user whose request a reply without one answers by the order, NULL where that one has left.
 * @known FALSE: nothing is out. */
gpointer fal_request_turns_peek_oldest (const FalRequestTurns *turns, gboolean *known);
/* Such a reply has answered @user's oldest request; NULL: that of one who has left. */
void fal_request_turns_answer_oldest (FalRequestTurns *turns, gpointer user, gint64 now);

/* The connection has gone, with all that was out and waited. The members stay. */
void fal_request_turns_clear (FalRequestTurns *turns);

G_END_DECLS
