/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A simulated camera, path and model around a window: minutes of them at no time, the same
 * each time. The unit test judges what comes of it, the benchmark prints it.
 *
 * Scenarios are in milliseconds, the simulation in microseconds. */
#pragma once

#include "fal/policy/window.h"

#define MS G_TIME_SPAN_MILLISECOND
#define SECOND G_TIME_SPAN_SECOND
#define NEVER G_MAXINT64

/* A picture of 30 kB goes and one of 60 kB comes over 100 Mbit/s, where nothing else is said. */
#define UPLOAD 2.4
#define DOWNLOAD 4.8

typedef enum {
  SENDER_ROOM,     /* the window of gst/fal */
  SENDER_FIXED,    /* always as many in flight as can be, up to a number */
  SENDER_THROTTLE, /* one each so many ms, however many are in flight: the JavaScript client */
} SenderKind;

typedef struct {
  SenderKind kind;
  guint setting; /* the number, or the ms */
} Sender;

typedef struct {
  Sender sender;
  gdouble fps, service, rtt;
  gdouble upload, download; /* how long a picture takes on the line; 0: as above */
  guint queue;              /* how many wait before the model, the newest; 0: without bound */
  guint cap;                /* in flight; 0: the most */
  gdouble seconds;
  guint seed;

  gdouble jitter;       /* of service, uniform, its part */
  gdouble stalls;       /* part of the services that take five times as long */
  gdouble pauses;       /* the model stands still each minute for so many ms */
  gdouble path_jitter;  /* of the round trip, uniform, ms: half of it each way */
  gdouble frame_jitter; /* of the time between frames, uniform, its part */
  gdouble size_jitter;  /* of upload and download, uniform, its part */
  gdouble late_timers;  /* up to so many ms, at least 1; 0: they are on time */
  gdouble loss;         /* part of the answers that never come */
  gdouble overtaken;    /* part of the answers that the next one overtakes */
  gdouble resent;       /* part of the messages, each way, whose packets TCP sends again */

  gboolean batches;  /* one answer for all that wait, to the newest */
  gboolean nameless; /* answers carry no id: they are taken for the oldest request */
  gdouble asleep;    /* an idle model notices after so many ms that there is work */
  gdouble wakes;     /* the model takes nothing before this */
  gboolean swallows; /* and what comes before it is gone */

  gdouble changes; /* when these hold; 0: never */
  gdouble service2, rtt2;
  gdouble size2; /* upload and download, times this; 0: 1 */
} Scenario;

typedef struct {
  gint64 at, age;
} Answer;

typedef struct {
  GArray *answers; /* Answer */
  guint sends, sends_asleep, most_unanswered;
  gdouble slowness; /* the mean service, of the scenario's: chance may have it faster or slower */
  guint mistaken;   /* answers taken for another request's */
  guint in_a_row;   /* the most of them one after the other */
  guint surplus;    /* answers that came when nothing was out */
} Story;

/* What happens. Free with story_free(). */
Story *tell (const Scenario *scenario);
void story_free (Story *story);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Story, story_free)
