/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A timer to the microsecond: GLib's own wait in whole milliseconds, which is a good part of what
 * is measured here. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A source that is due once @time (monotonic µs) has come, never before. Its callback is a
 * GSourceFunc. */
GSource *fal_precise_timer_new (gint64 time);
/* Another time: later, sooner, or over already; after it went off, too. In the source's thread. */
void fal_precise_timer_set (GSource *timer, gint64 time);
/* Not due until it is set again. */
void fal_precise_timer_stop (GSource *timer);

G_END_DECLS
