/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The newest durations of one kind, for percentiles. Pure; the owner locks. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define FAL_SERIES_LENGTH 256

typedef struct {
  gint64 values[FAL_SERIES_LENGTH]; /* microseconds, a ring */
  guint64 count;                    /* added so far */
} FalSeries;

void fal_series_add (FalSeries *series, gint64 microseconds);

/* The value that @percent of the newest ones do not exceed (nearest rank; 0: the
 * least), in milliseconds; 0 where there is none. */
gdouble fal_series_get_percentile (const FalSeries *series, guint percent);
gdouble fal_series_get_last (const FalSeries *series);

G_END_DECLS
