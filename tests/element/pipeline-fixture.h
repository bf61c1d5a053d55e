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

/* Waits for EOS; an ERROR fails the test. */
void pipeline_wait_for_end (Pipeline *p);
/* Plays to the end. */
void pipeline_play (Pipeline *p);

/* The element of that name; the pipeline keeps it alive. */
GstElement *pipeline_find (Pipeline *p, const gchar *name);
/* A probe for buffers on the source pad of the element of that name. */
void pipeline_add_probe (Pipeline *p, const gchar *name, GstPadProbeCallback probe, gpointer data);

G_END_DECLS
