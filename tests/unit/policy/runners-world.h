/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A simulated camera or file, and runners of a model behind connections of their own, around a
 * pacer: a minute of them at no time, the same each time.
 *
 * Scenarios are in milliseconds, the simulation in microseconds. */
#pragma once

#include "fal/policy/pacer.h"

#define MS G_TIME_SPAN_MILLISECOND
#define SECOND G_TIME_SPAN_SECOND
#define NEVER G_MAXINT64

/* A picture of 30 kB goes and one of 60 kB comes over 100 Mbit/s. */
#define UPLOAD 2.4
#define DOWNLOAD 4.8

typedef struct {
  guint lanes;
  gdouble fps; /* 0: a file, whose frames are there as soon as there is room */
  gdouble service, rtt, throttle;
  gdouble seconds;
  gdouble jitter;    /* of service, uniform, its part */
  gboolean nameless; /* answers carry no id */

  gdouble slowness;      /* the first runner takes so many times as long; 0: as long */
  gdouble step;          /* each runner is ready so much later than the one before */
  gboolean refuses;      /* the first one never is */
  gdouble dies, returns; /* the first one's connection; 0: it stands */
} RunnersScenario;

typedef struct {
  gint64 at, age;
  guint64 serial;
  guint lane;
} RunnersAnswer;

typedef struct {
  GArray *answers; /* RunnersAnswer, in the order in which they came */
  GArray *sends;   /* gint64 */
  guint *sent;     /* over each lane */
  guint lanes;
  guint most_in_flight; /* in a lane */
  FalPacerCounts counts;
} RunnersStory;

/* What happens; the sums of the pacer are checked all the time. Free with runners_story_free(). */
RunnersStory *runners_tell (const RunnersScenario *scenario);
void runners_story_free (RunnersStory *story);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RunnersStory, runners_story_free)
