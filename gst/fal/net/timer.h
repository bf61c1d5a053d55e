/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one way to wake a main context, now or at some time.
 *
 * Whoever has work to do at a time of its own has one timer, and looks at what is due whenever it
 * fires. Times are monotonic µs. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _FalTimer FalTimer;

/* Nothing is set at first. @fired is called on the thread that runs @context, once for each time
 * that was set; it may set the timer again, or free it. */
FalTimer *fal_timer_new (GMainContext *context, void (*fired) (gpointer user), gpointer user);

/* Any thread. Replaces what was set; 0: at once; G_MAXINT64: never. A time that another thread
 * sets in the moment in which the timer fires may count as met by that: so @fired looks at what is
 * due, and sets the timer again. */
void fal_timer_set (FalTimer *timer, gint64 time);

/* On the context's thread: it fires no more. */
void fal_timer_free (FalTimer *timer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalTimer, fal_timer_free)

/* The source itself (borrowed), for a thread that may outlive the timer: with a reference to it a
 * ready time may be set at any moment; after fal_timer_free() that does nothing. */
GSource *fal_timer_get_source (FalTimer *timer);

G_END_DECLS
