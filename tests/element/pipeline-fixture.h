/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A whole pipeline around the element, as people write them, with a local server. */
#pragma once

#include "fixture.h"

G_BEGIN_DECLS

typedef struct {
  FalServer *server;
  GstElement *pipeline;
  GstElement *filter;
  GstBus *bus;
} Pipeline;

/* @before and @after are what stands left and right of the filter in a pipeline description. */
Pipeline *pipeline_new (const FalServerOptions *options, const gchar *before,
    const gchar *properties, const gchar *after);
/* To NULL within two seconds, and away. */
void pipeline_free (Pipeline *p);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Pipeline, pipeline_free)

guint64 pipeline_stat (Pipeline *p, const gchar *name);

/* Waits for EOS; an ERROR fails the test. Where the latency is another meanwhile it is told to all,
 * as applications do it. */
void pipeline_wait_for_end (Pipeline *p);
/* Plays to the end. */
void pipeline_play (Pipeline *p);

/* Another branch of the pipeline, whose latency all sinks wait for: to be put behind a sink. */
#define PIPELINE_BRANCH                                                                            \
  " audiotestsrc is-live=true num-buffers=100 ! queue min-threshold-time=300000000 "               \
  "max-size-time=0 ! fakesink sync=true async=false "
/* How many buffers the sink of the name "sink" has shown. */
guint64 pipeline_count_shown (Pipeline *p);
/* Where the machine stands still for 20 ms any sink drops, and that is nobody's fault; but what
 * comes too late does so in each run. So @condition, which is one, must hold in one of a few. */
#define PIPELINE_RUNS (PATIENCE * 10)
#define EXPECT_IN_A_RUN(condition)                                                                 \
  G_STMT_START                                                                                     \
  {                                                                                                \
    guint runs_ = 1;                                                                               \
                                                                                                   \
    while (!(condition))                                                                           \
      g_assert_cmpuint (runs_++, <, PIPELINE_RUNS);                                                \
  }                                                                                                \
  G_STMT_END

/* The element of that name; the pipeline keeps it alive. */
GstElement *pipeline_find (Pipeline *p, const gchar *name);
/* A probe for buffers on the source pad of the element of that name. */
void pipeline_add_probe (Pipeline *p, const gchar *name, GstPadProbeCallback probe, gpointer data);

G_END_DECLS
