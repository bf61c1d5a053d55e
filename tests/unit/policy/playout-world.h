/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a sink shows of a window's story where results wait for the playout delay: minutes of it at
 * no time, the same each time. Times in milliseconds. */
#pragma once

#include "window-world.h"

typedef struct {
  guint n, late;          /* results, and those of them that came after their time */
  guint changes;          /* of the delay */
  gdouble p95, p98;       /* of the lags */
  gdouble delay, longest; /* the median and the longest delay */
  gdouble uneven;         /* 95th percentile: how far from that of their frames the distance of two
                             results is */
} Show;

/* Of the results from @since to @until. */
Show show (const Scenario *scenario, gdouble since, gdouble until);
