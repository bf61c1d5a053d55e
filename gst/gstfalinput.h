/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sink pad's side of the element: frames and events in, and what upstream is asked. */
#pragma once

#include "gstfaloutput.h"

G_BEGIN_DECLS

typedef struct _GstFalInput GstFalInput;

/* All borrowed, and to outlive the input. */
GstFalInput *gst_fal_input_new (GstPad *pad, FalSession *session, GstFalOutput *output);
void gst_fal_input_free (GstFalInput *input);

/* The pads are down: the next stream begins anew. */
void gst_fal_input_clear (GstFalInput *input);

/* Both on the pad's streaming thread, flushes apart; @buffer and @event are taken. */
GstFlowReturn gst_fal_input_chain (GstFalInput *input, GstBuffer *buffer);
gboolean gst_fal_input_event (GstFalInput *input, GstEvent *event);

/* Answers a LATENCY query: upstream's, and the element's own where the pipeline is live. Whether
 * it is goes to the session: this is where it becomes known. Any thread. */
gboolean gst_fal_input_learn_latency (GstFalInput *input, GstQuery *query);

G_END_DECLS
