/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The local server as a program of its own, that can be killed, started again and frozen. Used by
 * the test's own thread; a watchdog ends a test whose program does not come up. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _ServerProcess ServerProcess;

/* It runs and listens. */
ServerProcess *server_process_new (void);
/* Kills it where it runs. */
void server_process_free (ServerProcess *process);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ServerProcess, server_process_free)

guint server_process_get_port (ServerProcess *process); /* the same for good */

/* Goes without a word, as a process does that crashes; comes back, and listens, at the same port.
 */
void server_process_kill (ServerProcess *process);
void server_process_start (ServerProcess *process);

/* Nothing of it runs until it is thawed: the kernel goes on to take what comes, and says so. */
void server_process_freeze (ServerProcess *process);
void server_process_thaw (ServerProcess *process);

G_END_DECLS
