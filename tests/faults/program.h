/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The local server as a program of its own, that can be killed, started again and frozen. Used by
 * the test's own thread; a watchdog ends a test whose program does not come up. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _Program Program;

/* It runs and listens. */
Program *program_new (void);
/* Kills it where it runs. */
void program_free (Program *program);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Program, program_free)

guint program_get_port (Program *program); /* the same for good */

/* Goes without a word, as a process does that crashes; comes back, and listens, at the same port.
 */
void program_kill (Program *program);
void program_start (Program *program);

/* Nothing of it runs until it is thawed: the kernel goes on to take what comes, and says so. */
void program_freeze (Program *program);
void program_thaw (Program *program);

G_END_DECLS
