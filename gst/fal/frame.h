/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What travels through a session: frames on their way in, results on their way out. */
#pragma once

#include "options.h"

#include <gst/gst.h>

G_BEGIN_DECLS

/* A frame from upstream. It is reference counted, and only @sample and @inputs change after it is
 * made: whoever reads or changes these two holds the session's mutex. */
typedef struct {
  GstSample *sample;          /* the picture, its caps and its segment; NULL once it is certain that
                                 it is not sent again */
  GstStructure *inputs;       /* of its request alone; go over all others; or NULL */
  GstSegment segment;         /* of the sample, which may be gone */
  GstClockTime pts, duration; /* of the buffer */
  GstClockTime running;       /* running time of @pts; NONE where it has none */
  gint fps_n, fps_d;          /* frame rate by the caps; 0/1 where they do not say */
  gint64 arrival;             /* when it came to the sink pad, monotonic µs */
} FalFrame;

/* @sample is taken. */
FalFrame *fal_frame_new (GstSample *sample, gint64 arrival);
FalFrame *fal_frame_ref (FalFrame *frame);
void fal_frame_unref (FalFrame *frame);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalFrame, fal_frame_unref)

/* What can still come, when a fallback is shown. Running times; NONE where they are not known. */
typedef struct {
  GstClockTime oldest; /* of the oldest frame that may still bring a result; NONE: no frame may */
  GstClockTime newest; /* of the newest frame that came */
  /* A time span: during an outage nobody waits for results that are older than the newest frame by
   * more than this. NONE: there is no outage, or all are waited for. */
  GstClockTime patience;
} FalOutlook;

typedef enum {
  FAL_RESULT_ANSWER,   /* one picture of a reply */
  FAL_RESULT_PASS,     /* the frame itself, with its sample, while the model is switched off */
  FAL_RESULT_FALLBACK, /* what is shown while no result comes */
} FalResultKind;

/* What goes to the source pad. */
typedef struct {
  FalResultKind kind;
  FalFrame *frame;       /* that it answers, or that it stands for */
  guint64 serial;        /* of the frame */
  GBytes *picture;       /* encoded; NULL while it is downloaded */
  guint64 download;      /* number of the download of its picture; 0: the reply had the picture */
  guint index;           /* of its picture among those for the request, from 0 */
  guint count;           /* of pictures for the request; 0: nobody knows yet */
  gint64 sent, received; /* when the request went and the reply came, monotonic µs */
  gint64 since_first;    /* µs since the first result for the request */
  gdouble inference;     /* the model's time in seconds; negative where it is not known */
  gchar *request_id;     /* as the reply has it; or NULL */
  GstStructure *fields;  /* what the reply says beside its pictures; or NULL */

  /* FALLBACK only */
  FalFallbackMode fallback; /* NONE: a gap is all that is wanted */
  FalOutlook outlook;
  GstClockTime running; /* running time that it fills, which the source pad's task works out */
} FalResult;

void fal_result_free (FalResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalResult, fal_result_free)

/* The custom meta of a buffer that is an answer; its structure is filled by fal_result_describe().
 */
#define FAL_RESULT_META "GstFalResultMeta"

/* Moves the reply's own fields to @description and sets, over them, sent and received (int64,
 * monotonic µs), round-trip and, where it is known, inference (double, ms), image-index and
 * image-count (uint) and request-id (string). @result has no fields afterwards. */
void fal_result_describe (FalResult *result, GstStructure *description);

G_END_DECLS
