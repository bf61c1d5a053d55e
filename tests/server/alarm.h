/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A timer to the microsecond: GLib's own wait in whole milliseconds, which is a good part of what
 * is measured here. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A source that is due once @time (monotonic µs) has come, never before. Its callback is a
 * GSourceFunc. */
GSource *fal_alarm_new (gint64 time);
/* Another time: later, sooner, or over already; after it went off, too. In the source's thread. */
void fal_alarm_set (GSource *alarm, gint64 time);
/* Not due until it is set again. */
void fal_alarm_stop (GSource *alarm);

G_END_DECLS
