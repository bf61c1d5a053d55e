/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What travels through a session: a frame on its way in, a result on its way out. */
#pragma once

#include "options.h"

#include <gst/gst.h>

G_BEGIN_DECLS

/* Reference counted. Only @sample and @inputs change after it is made, see there. */
typedef struct {
  GstSample *sample; /* the picture, with caps and segment; belongs to whoever holds the session's
                        mutex, and is let go once it cannot be sent again */
  GstStructure *inputs; /* of its request alone, over all others; or NULL; as @sample */
  GstSegment segment;
  GstClockTime pts, duration;
  GstClockTime running; /* of pts; NONE where it has none */
  gint fps_n, fps_d;    /* of its caps; 0/1 where they do not say */
  gint64 arrival;       /* monotonic µs, at the sink pad */
} FalFrame;

/* @sample is taken. */
FalFrame *fal_frame_new (GstSample *sample, gint64 arrival);
FalFrame *fal_frame_ref (FalFrame *frame);
void fal_frame_unref (FalFrame *frame);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalFrame, fal_frame_unref)

/* What can still come, in running times; NONE where unknown. */
typedef struct {
  GstClockTime oldest;   /* of the oldest frame that may still bring a result; NONE: no frame may */
  GstClockTime newest;   /* of the newest frame that came */
  GstClockTime patience; /* in an outage results that are older than the newest frame by this are
                            waited for no more; NONE: there is none, or all are waited for */
} FalOutlook;

typedef enum {
  FAL_RESULT_ANSWER,   /* one picture of a reply */
  FAL_RESULT_PASS,     /* none: the frame itself goes on, with its sample */
  FAL_RESULT_FALLBACK, /* none came for a while: something is shown in its place */
} FalResultKind;

typedef struct {
  FalResultKind kind;
  FalFrame *frame;  /* that it answers, or that stands for it */
  guint64 serial;   /* of the frame */
  GBytes *picture;  /* encoded; NULL while it is downloaded */
  guint64 download; /* number of the download of its picture; 0: it came whole */
  guint index;
  guint count;           /* of pictures for the request; 0: nobody knows */
  gint64 sent, received; /* monotonic µs */
  gint64 since_first;    /* µs since the first result for the request */
  gdouble inference;     /* seconds, negative where unknown */
  gchar *request_id;     /* as echoed, or NULL */
  GstStructure *fields;  /* what the reply says beside its pictures; or NULL */

  /* of a FALLBACK */
  FalFallbackMode fallback; /* NONE: a gap is all that is wanted */
  FalOutlook outlook;
  GstClockTime running; /* time to be filled, worked out by the source task */
} FalResult;

void fal_result_free (FalResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalResult, fal_result_free)

/* "fal-result": the reply's own fields and, over them, sent and received (int64, monotonic µs),
 * round-trip and, where known, inference (double, ms), image-index and image-count (uint),
 * request-id (string). */
GstStructure *fal_result_describe (const FalResult *result);

G_END_DECLS
