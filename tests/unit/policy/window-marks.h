/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is possible in a scenario, and the marks that a story earns. Times in milliseconds. */
#pragma once

#include "window-world.h"

/* Between two frames; two answers at best. */
gdouble frame_interval (const Scenario *scenario);
gdouble period (const Scenario *scenario);

/* From the sending of a request to its answer, where it waits nowhere. */
gdouble trip (const Scenario *scenario);

/* The age that is possible: a frame waits half an interval in the mean for a model that is
 * slower than the camera. */
gdouble floor_of (const Scenario *scenario);

/* The scenario as it is after its change. */
Scenario after_change (const Scenario *scenario);

/* The median and 95th percentile of age that are possible where times vary and nobody can
 * foresee them: some of the requests must be early, or the model idles for more than 3 %. */
typedef struct {
  gdouble p50, p95;
} Foresight;

Foresight without_foresight (const Scenario *scenario);

typedef struct {
  guint n;                       /* answers */
  gdouble p50, p95, worst, mean; /* ages, ms */
  gdouble rate;                  /* of what is possible */
  gdouble gap;                   /* the longest without an answer, ms */
} Marks;

/* Of the answers from @since (ms) on. */
Marks mark (const Scenario *scenario, const Story *story, gdouble since);

/* How long after the change ten answers in a row are near what is possible; G_MAXDOUBLE: never. */
gdouble time_to_settle (const Scenario *scenario, const Story *story);
