/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Waiting in a test for what must happen, in the calling thread's main context. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define FAL_WATCHDOG_SECONDS 20

/* Runs the main loop until @condition holds; after FAL_WATCHDOG_SECONDS the program ends and names
 * the condition. Sources of this context are waited for as such; the tick is there for what another
 * thread changes, such as a server's counters. */
#define FAL_WAIT_UNTIL(condition)                                                                  \
  G_STMT_START                                                                                     \
  {                                                                                                \
    guint watchdog =                                                                               \
        g_timeout_add_seconds (FAL_WATCHDOG_SECONDS, fal_wait_on_watchdog, (gpointer) #condition); \
    guint tick = g_timeout_add (2, fal_wait_on_tick, NULL);                                        \
                                                                                                   \
    while (!(condition))                                                                           \
      g_main_context_iteration (NULL, TRUE);                                                       \
    g_source_remove (watchdog);                                                                    \
    g_source_remove (tick);                                                                        \
  }                                                                                                \
  G_STMT_END

/* For the macro alone. */
gboolean fal_wait_on_watchdog (gpointer condition);
gboolean fal_wait_on_tick (gpointer unused);

G_END_DECLS
