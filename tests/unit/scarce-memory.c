/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scarce-memory.h"

static guint left; /* requests up to the one that fails, with itself; 0: none fails */
static gboolean failed;

void
scarce_memory_fail (guint number)
{
  left = number;
  failed = FALSE;
}

gboolean
scarce_memory_has_failed (void)
{
  return failed;
}

gboolean
scarce_memory_is_there (void)
{
  if (left == 0 || --left > 0)
    return TRUE;
  failed = TRUE;
  return FALSE;
}

/* __wrap_NAME () is called in place of NAME (), which is called __real_NAME () here. */
#define WRAP(name, parameters, arguments)                                                          \
  gpointer __real_##name parameters;                                                               \
  gpointer __wrap_##name parameters;                                                               \
  gpointer __wrap_##name parameters                                                                \
  {                                                                                                \
    return scarce_memory_is_there () ? __real_##name arguments : NULL;                             \
  }

WRAP (g_try_malloc, (gsize size), (size))
WRAP (g_try_malloc0, (gsize size), (size))
WRAP (g_try_malloc_n, (gsize n, gsize size), (n, size))
WRAP (g_try_malloc0_n, (gsize n, gsize size), (n, size))
WRAP (g_try_realloc, (gpointer memory, gsize size), (memory, size))
