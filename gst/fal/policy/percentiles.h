/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The newest durations of one kind, for percentiles. Pure; the owner locks. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define FAL_PERCENTILES_LENGTH 256

typedef struct {
  gint64 values[FAL_PERCENTILES_LENGTH]; /* microseconds, a ring */
  guint64 count;                         /* added so far */
} FalPercentiles;

void fal_percentiles_add (FalPercentiles *series, gint64 microseconds);

/* The value that @percent of the newest ones do not exceed (nearest rank; 0: the
 * least), in milliseconds; 0 where there is none. */
gdouble fal_percentiles_get (const FalPercentiles *series, guint percent);
gdouble fal_percentiles_get_last (const FalPercentiles *series);

G_END_DECLS
