/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What travels through a session: a frame on its way in, a result on its way out. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Reference counted. Only @sample changes after it is made, see there. */
typedef struct {
  GstSample *sample; /* the picture, with caps and segment; belongs to whoever holds the session's
                        mutex, and is let go once it cannot be sent again */
  GstSegment segment;
  GstClockTime pts, duration;
  gint fps_n, fps_d; /* of its caps; 0/1 where they do not say */
  gint64 arrival;    /* monotonic µs, at the sink pad */
} FalFrame;

/* @sample is taken. */
FalFrame *fal_frame_new (GstSample *sample, gint64 arrival);
FalFrame *fal_frame_ref (FalFrame *frame);
void fal_frame_unref (FalFrame *frame);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalFrame, fal_frame_unref)

/* One picture of a reply. */
typedef struct {
  FalFrame *frame; /* that it answers */
  guint64 serial;  /* of the frame */
  GBytes *picture; /* encoded */
  guint index, count;
  gint64 sent, received; /* monotonic µs */
  gdouble inference;     /* seconds, negative where unknown */
  gchar *request_id;     /* as echoed, or NULL */
} FalResult;

void fal_result_free (FalResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalResult, fal_result_free)

G_END_DECLS
