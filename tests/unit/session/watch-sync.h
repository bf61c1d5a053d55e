/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sees what the program's own code asks of GLib's mutexes and conditions, and has its clock; what
 * libraries do among themselves is not seen. Link with watch_sync_args, by which the linker sends
 * those calls here. */
#pragma once

#include <glib.h>

/* Both begin anew; no thread may wait meanwhile. */
void watch_sync_reset (void);

/* From now on it is so many microseconds later; no other thread may run meanwhile. */
void watch_sync_pass_time (gint64 span);

/* Calls since then. */
guint watch_sync_count_locks (void);
guint watch_sync_count_signals (void);

/* Returns once a thread has begun to wait for a condition, and has let go of its mutex for it as
 * far as any thread can see that takes the mutex next. Each wait is told of once. */
void watch_sync_await_sleeper (void);

/* Waits with a time limit end by a signal alone, and then say that the time was over first: as the
 * kernel has it where the mutex is taken by another thread in that very moment. */
void watch_sync_let_time_win (gboolean wins);
