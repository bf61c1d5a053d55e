/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Quality of service: what is said of frames that were dropped, to the application and to upstream,
 * and what downstream says of lateness. No lock is held. */
#pragma once

#include "fal/session/session.h"

G_BEGIN_DECLS

/* A QOS message about @frame, which will bring no result; @latency: the element's own. Any
 * thread. */
void gst_fal_post_qos (GstElement *element, const FalFrame *frame, const FalSessionCounts *counts,
    gboolean live, GstClockTime latency);

/* Tells upstream that after @frame none will be sent for @pause (0: nothing is told), so that it
 * need not be made. Send thread. */
void gst_fal_throttle (GstPad *sinkpad, const FalFrame *frame, GstClockTime pause);

/* The running time that a frame must have to arrive in time, by a QOS event from downstream; 0: any
 * does. */
GstClockTime gst_fal_read_qos (GstEvent *event);

G_END_DECLS
