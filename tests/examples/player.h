/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the examples in C share: their arguments, a pipeline from a camera by way of a model to the
 * screen, and playing it until it ends. Main thread only. */
#pragma once

#include <gst/gst.h>

/* Reads the arguments that every example has (--help shows them), and those of @more, which ends
 * with { NULL } and may be NULL. Returns a pipeline in which the element that talks to the model is
 * called "fal"; or NULL, after it was said why. @summary: what the example does, for --help. */
GstElement *player_new_pipeline (
    int argc, char **argv, const char *summary, const GOptionEntry *more);

/* Calls @on_line with each line that is typed while the pipeline plays, without its line end. */
void player_watch_input (GstElement *fal, void (*on_line) (GstElement *fal, const char *line));

/* Plays @pipeline, which is taken, until its stream ends, an error ends it, or Ctrl-C does. Returns
 * what main() is to return. */
int player_run (GstElement *pipeline);
