/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The source pad's side of the element: pushes results and events, and hears what downstream says.
 */
#pragma once

#include "fal/session/session.h"

G_BEGIN_DECLS

typedef struct _GstFalOutput GstFalOutput;

/* Called on the source pad's task, with no lock held. */
typedef struct {
  /* Before a buffer goes out that is an answer; @description is of its meta. */
  void (*result) (GstElement *element, const GstStructure *description);
  /* Before EOS goes out. */
  void (*ended) (GstElement *element);
} GstFalOutputEvents;

/* All is borrowed, and must live longer than the output. */
GstFalOutput *gst_fal_output_new (
    GstElement *element, GstPad *pad, FalSession *session, const GstFalOutputEvents *events);
void gst_fal_output_free (GstFalOutput *output);

/* To be called when the pad is activated or deactivated in push mode. */
gboolean gst_fal_output_activate (GstFalOutput *output, gboolean active);

/* Downstream asks to be configured anew. Where the flow had stopped since nothing was linked, it
 * goes on, as that of a queue does. */
void gst_fal_output_relink (GstFalOutput *output);

/* The flush events (taken) that came to the sink pad. */
gboolean gst_fal_output_start_flush (GstFalOutput *output, GstEvent *event);
gboolean gst_fal_output_stop_flush (GstFalOutput *output, GstEvent *event);

/* Answers a POSITION query by what went out last: for where upstream knows no time. Answers a
 * SEGMENT query by what went out as well; FALSE: none did. Any thread. */
gboolean gst_fal_output_answer_position (GstFalOutput *output, GstQuery *query);
gboolean gst_fal_output_answer_segment (GstFalOutput *output, GstQuery *query);

/* Tells the application that downstream ended the flow with @flow, and ends the stream: for when
 * upstream, which has sent EOS, will not learn of it. */
void gst_fal_output_report_flow (GstFalOutput *output, GstFlowReturn flow);

/* To be called when the pads are inactive: forgets caps and events. */
void gst_fal_output_clear (GstFalOutput *output);

G_END_DECLS
