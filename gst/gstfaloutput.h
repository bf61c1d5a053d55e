/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The source pad's side of the element: results and events out, and what downstream says. */
#pragma once

#include "fal/session/session.h"

G_BEGIN_DECLS

typedef struct _GstFalOutput GstFalOutput;

/* On the source pad's task, with no lock held. */
typedef struct {
  void (*result) (GstElement *element, const GstStructure *result); /* before its buffer goes */
  void (*ended) (GstElement *element);                              /* before EOS goes */
} GstFalOutputEvents;

/* All borrowed, and to outlive the output. */
GstFalOutput *gst_fal_output_new (
    GstElement *element, GstPad *pad, FalSession *session, const GstFalOutputEvents *events);
void gst_fal_output_free (GstFalOutput *output);

/* As the pad is (de)activated in push mode. */
gboolean gst_fal_output_activate (GstFalOutput *output, gboolean active);

/* Downstream was linked anew, after one that was not: as queue does. */
void gst_fal_output_relink (GstFalOutput *output);

/* An event (taken) that waits for no frame. */
gboolean gst_fal_output_push_event (GstFalOutput *output, GstEvent *event);

/* The flush events (taken), on their way from the sink pad. */
gboolean gst_fal_output_start_flush (GstFalOutput *output, GstEvent *event);
gboolean gst_fal_output_stop_flush (GstFalOutput *output, GstEvent *event);

/* Downstream ended the flow, and no more frames from upstream will carry that back to it. */
void gst_fal_output_report_flow (GstFalOutput *output, GstFlowReturn flow);

/* The pads are down: lets go of what the task kept. */
void gst_fal_output_clear (GstFalOutput *output);

G_END_DECLS
