/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Quality of service: QOS messages to the application about dropped frames, and QOS events to
 * upstream and from downstream. To be called with no lock held. */
#pragma once

#include "fal/session/session.h"

G_BEGIN_DECLS

/* Posts a QOS message about @frame, which will bring no result. @latency: what the element itself
 * adds. Any thread. */
void gst_fal_post_qos (GstElement *element, const FalFrame *frame, const FalSessionCounts *counts,
    gboolean live, GstClockTime latency);

/* Tells upstream that no frame is sent for @pause after @frame, so that it need not make any.
 * Nothing is told of a short pause. Send thread. */
void gst_fal_throttle (GstPad *sinkpad, const FalFrame *frame, GstClockTime pause);

/* The earliest running time at which a frame still reaches downstream in time, by a QOS event from
 * there; 0: all do. */
GstClockTime gst_fal_read_qos (GstEvent *event);

G_END_DECLS
