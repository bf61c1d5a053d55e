/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The two timers of FAL_WAIT_UNTIL(). Test's thread. */
#include "wait.h"

gboolean
fal_wait_on_watchdog (gpointer condition)
{
  g_error ("no %s within %d s", (const gchar *) condition, FAL_WATCHDOG_SECONDS);
  return G_SOURCE_REMOVE;
}

gboolean
fal_wait_on_tick (gpointer unused)
{
  return G_SOURCE_CONTINUE;
}
