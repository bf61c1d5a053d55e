/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When the next request may go, from what was observed: so that it arrives just as the
 * model gets free. Earlier it would wait there and grow old, later the model would idle.
 *
 * Pure: no thread, lock, clock or log. The pacer calls it with the session's mutex held.
 * Times are microseconds of a monotonic clock, given as arguments. A clock that stands
 * still or goes back, and answers out of order, do no harm. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* No window is wider: it covers a round trip of 300 ms before a model of 20 ms. */
#define FAL_WINDOW_MAX_UNANSWERED 16

typedef struct _FalWindow FalWindow;

FalWindow *fal_window_new (void);
void fal_window_free (FalWindow *window);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalWindow, fal_window_free)

/* A new connection: nothing is unanswered, the first request may go at once. What was
 * learnt of the model and the path stays. */
void fal_window_reset (FalWindow *window);

/* A request goes. @now is the moment its frame is taken: encoding counts as part of the
 * path, so that the freshest frame is taken as late as can be. */
void fal_window_sent (FalWindow *window, gint64 now);

/* The request sent at @sent is answered; older ones that are not never will be. An answer
 * that is not newer than the newest one, or that comes before its request, teaches nothing. */
void fal_window_answered (FalWindow *window, gint64 sent, gint64 now);

/* The request sent at @sent failed or expired without an answer. */
void fal_window_gave_up (FalWindow *window, gint64 sent);
/* The request of @sent did not go after all: no answer of it can come. */
void fal_window_took_back (FalWindow *window, gint64 sent);

/* The next request goes not before this, which is never before @now; G_MAXINT64: only
 * after an answer or fal_window_gave_up(). @cap is the most unanswered ones that the
 * caller can match: FAL_WINDOW_MAX_UNANSWERED bounds it. */
gint64 fal_window_next_time (const FalWindow *window, guint cap, gint64 now);

/* ---- answers without ids ---- */

/* An answer that carries no id is taken for the oldest request. Where a server swallows a request
 * without a word, the answers after it would be taken for the one before theirs, for good. So two
 * are out at the most, and one until the connection has answered one. The second does not go before
 * the model can have taken the first: of two that come at once to an idle server it may keep one.
 *
 * After so many requests that went while another was out, and after an answer that is overdue, no
 * more goes until all are answered: what comes next then belongs to the next request again. Where
 * nothing comes all that is out is taken for lost, once until something is answered; and after that
 * answer there is a pause, in which a late one would come: it meets no request. */

/* Requests that may go one after the other while another is out. */
#define FAL_WINDOW_MAX_OVERLAPPING 20

/* fal_window_next_time() for such an app. */
gint64 fal_window_next_time_in_order (const FalWindow *window, gint64 now);

/* When all that is out is to be taken for lost; a next request may go then. G_MAXINT64: never. */
gint64 fal_window_get_loss_time (const FalWindow *window);

/* An answer came when nothing was out: more may follow. */
void fal_window_note_surplus (FalWindow *window, gint64 now);

/* ---- */

/* What was learnt of the bottleneck's time for a request, µs; 0: nothing yet. */
gint64 fal_window_get_service (const FalWindow *window);
/* The same with the way there and back: how long an answer takes that meets no other request. */
gint64 fal_window_get_trip (const FalWindow *window);

G_END_DECLS
