/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sink pad's side of the element: takes frames and events, and asks upstream for its latency.
 */
#pragma once

#include "gstfaloutput.h"
#include "gstfalprompt.h"

G_BEGIN_DECLS

typedef struct _GstFalInput GstFalInput;

/* All is borrowed, and must live longer than the input. */
GstFalInput *gst_fal_input_new (
    GstPad *pad, FalSession *session, GstFalOutput *output, GstFalPrompt *prompt);
void gst_fal_input_free (GstFalInput *input);

/* To be called when the pads are inactive: forgets caps and segment. */
void gst_fal_input_clear (GstFalInput *input);

/* Both are called on the pad's streaming thread, but for the flush events; @buffer and @event are
 * taken. */
GstFlowReturn gst_fal_input_chain (GstFalInput *input, GstBuffer *buffer);
gboolean gst_fal_input_event (GstFalInput *input, GstEvent *event);

/* Answers a LATENCY query with upstream's latency and that of the element. Upstream's answer says
 * whether the pipeline is live, and the session is told so. Any thread. */
gboolean gst_fal_input_answer_latency (GstFalInput *input, GstQuery *query);

/* Both are serialized with the frames. ALLOCATION: where frames pass downstream answers. DRAIN:
 * upstream has its memory back when this returns. */
gboolean gst_fal_input_answer_allocation (GstFalInput *input, GstQuery *query);
gboolean gst_fal_input_drain (GstFalInput *input, GstQuery *query);

G_END_DECLS
