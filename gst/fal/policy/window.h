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

/* The next request goes not before this, which is never before @now; G_MAXINT64: only
 * after an answer or fal_window_gave_up(). @cap is the most unanswered ones that the
 * caller can match: FAL_WINDOW_MAX_UNANSWERED bounds it. */
gint64 fal_window_next_time (const FalWindow *window, guint cap, gint64 now);

/* What was learnt of the bottleneck's time for a request, µs; 0: nothing yet. */
gint64 fal_window_get_service (const FalWindow *window);

G_END_DECLS
