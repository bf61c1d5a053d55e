/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory that ends: of what asks GLib for memory and can go without it, one request fails. The
 * linker sends those of the code under test here. */
#pragma once

#include <glib.h>

/* The @number-th request from now on gets none; 0: all get theirs. */
void scarce_memory_fail (guint number);

/* What is asked by one; it counts as one request. */
gboolean scarce_memory_is_there (void);

/* Whether that request has come; from then on all get theirs again. */
gboolean scarce_memory_has_failed (void);
