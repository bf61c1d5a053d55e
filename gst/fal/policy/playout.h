/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The delay after which a live stream's results are shown, found by itself: as short as all but a
 * few of them need, so that those keep the distance of their frames. It seldom changes, since each
 * change is seen.
 *
 * A result's lag is how long after its frame it is ready, beyond what upstream takes to bring the
 * frame. Of the lags of the last 90 s one in 50 may be longer than the delay that is wanted, which
 * is at least 16 ms more than what 19 of 20 need. A late result makes the delay grow, where more is
 * wanted now. It shrinks once less has been wanted for 10 s.
 *
 * Three late ones that are no burst after a stall begin the memory anew where they are later than
 * nearly all before; the new delay is then at least as far beyond their middle as the old one was
 * to be. So do a dozen in a row that are much sooner. Until there are 100 again it grows by bigger
 * steps and shrinks after 3 s.
 *
 * Pure: no thread, lock, clock or log. Guarded by the mutex of the session's shared state. Times
 * are microseconds of a monotonic clock, given as arguments. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _FalPlayout FalPlayout;

FalPlayout *fal_playout_new (void);
void fal_playout_free (FalPlayout *playout);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalPlayout, fal_playout_free)

/* A new start: nothing is known, and the delay is the least. */
void fal_playout_reset (FalPlayout *playout);

/* Between which two the delay stays. */
void fal_playout_configure (FalPlayout *playout, gint64 least, gint64 most);

/* A result was ready with a lag of @lag, which may be less than 0. TRUE: the delay is another now.
 */
gboolean fal_playout_note (FalPlayout *playout, gint64 lag, gint64 now);

/* The delay that is wanted, in whole milliseconds. */
gint64 fal_playout_get_delay (const FalPlayout *playout);
/* How often it has become another since the start, or since that was last counted anew. */
guint64 fal_playout_get_changes (const FalPlayout *playout);
void fal_playout_reset_changes (FalPlayout *playout);

/* The delay that sinks keep where @delay is wanted, and the pipeline's latency leaves @room for
 * one: an application need not do what it is asked, and another branch may be slower. What little a
 * sink adds is left to downstream. Less than 0: no latency was told, and what is wanted holds. */
gint64 fal_playout_get_held (gint64 delay, gint64 room);

G_END_DECLS
