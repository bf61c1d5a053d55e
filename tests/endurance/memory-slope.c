/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The C library's own count, to the byte: the pages that a process has differ by more than what is
 * looked for, even where nothing leaks. */
#include "memory-slope.h"
#include "../faults/process.h"

struct _MemorySlope {
  gdouble *allocated;
  guint cycles, noted;
};

MemorySlope *
memory_slope_new (guint cycles)
{
  MemorySlope *slope = g_new0 (MemorySlope, 1);

  slope->cycles = cycles;
  slope->allocated = g_new0 (gdouble, cycles); /* all at once: it grows no more */
  return slope;
}

void
memory_slope_free (MemorySlope *slope)
{
  g_free (slope->allocated);
  g_free (slope);
}

void
memory_slope_note (MemorySlope *slope)
{
  g_assert_cmpuint (slope->noted, <, slope->cycles);
  slope->allocated[slope->noted++] = process_get_allocated ();
}

static gdouble
find_least (const gdouble *values, guint n)
{
  gdouble least = values[0];

  for (guint i = 1; i < n; i++)
    least = MIN (least, values[i]);
  return least;
}

gdouble
memory_slope_get (MemorySlope *slope)
{
  guint quarter = slope->cycles / 4;
  const gdouble *last = slope->allocated + slope->cycles - quarter;

  g_assert_cmpuint (quarter, >, 0);
  g_assert_cmpuint (slope->noted, ==, slope->cycles);
  return (find_least (last, quarter) - find_least (last - quarter, quarter)) / quarter;
}
