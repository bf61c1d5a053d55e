/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What comes back to a thread's context when its owner has let go of it. GLib says goodbye to a
 * peer that speaks TLS on a thread of its own, and then tells the context of the thread that had
 * the connection. Where nobody runs that context any more, what is to be told keeps the context,
 * and the context keeps it: both stay for good, with a file descriptor.
 *
 * Each thread has the connections that its own sessions made. */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

/* How long it is waited for at most, µs. A socket that was shut down does not keep GLib's thread,
 * but on a busy machine that thread waits for a processor. */
#define FAL_LATE_RETURNS_PATIENCE (500 * G_TIME_SPAN_MILLISECOND)

/* Connections that @soup makes from now on are waited for. */
void fal_late_returns_watch (SoupSession *soup);
/* And so is @task, which runs on a thread of GLib's. */
void fal_late_returns_add (GTask *task);
/* Runs the thread's default context until they are gone. Their owners have let go of them. */
void fal_late_returns_wait (void);

G_END_DECLS
