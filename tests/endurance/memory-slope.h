/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What each of many cycles leaves behind of memory that was allocated. One thread. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _MemorySlope MemorySlope;

/* For @cycles of them. */
MemorySlope *memory_slope_new (guint cycles);
void memory_slope_free (MemorySlope *slope);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MemorySlope, memory_slope_free)

/* At the end of each cycle. */
void memory_slope_note (MemorySlope *slope);
/* After all of them: by how many bytes a cycle the least that was allocated grew from the third
 * quarter of the cycles to the last one. What comes once, as caches that fill, is over by then;
 * what is held for a while, such as a frame that waits, does not raise the least, and what is never
 * let go does. */
gdouble memory_slope_get (MemorySlope *slope);

G_END_DECLS
