/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What travels through a session: frames on their way in, results on their way out. */
#pragma once

#include "options.h"

#include <gst/gst.h>

G_BEGIN_DECLS

/* How a frame became a picture. */
typedef struct {
  gint width, height; /* of the picture, in pixels; 0: not known */
  gint par_n, par_d;  /* pixel aspect ratio of the picture; 0/0: not known */
  FalArea from, to;   /* this part of the frame is at that place of the picture; empty: not known */
} FalLayout;

/* What becomes of a frame, by what the settings say of its region as it comes. */
typedef enum {
  FAL_ROUTE_SEND,
  FAL_ROUTE_PASS, /* it goes by, in its place among the results */
  FAL_ROUTE_HOLD, /* nothing becomes of it: the last result stands */
} FalRoute;

/* A frame from upstream. It is reference counted, and only @sample, @inputs, @layout, @metas,
 * @comes_out and @gone change after it is made: whoever reads or changes these holds the session's
 * mutex. */
typedef struct {
  GstSample *sample;          /* the picture, its caps, its segment and, as info, the inputs of its
                                 cue; NULL once it is certain that it is not sent again, and no
                                 result is laid on it */
  gboolean comes_out;         /* whether or not it is sent and answered */
  gboolean gone;              /* it did, so that nothing is laid on it any more */
  GstStructure *inputs;       /* of its request alone; go over all others; or NULL */
  FalRoute route;
  FalArea part;               /* of it that is sent; without a size: all of it */
  FalLayout layout;           /* of the picture that was sent of it last */
  GstBuffer *metas;           /* that its results get; or NULL */
  GstSegment segment;         /* of the sample, which may be gone */
  GstClockTime pts, duration; /* of the buffer */
  GstClockTime running;       /* running time of @pts; NONE where it has none */
  gint fps_n, fps_d;          /* frame rate by the caps; 0/1 where they do not say */
  gint64 arrival;             /* when it came to the sink pad, monotonic µs */
  GstClockTime arrived;       /* running time at that moment; NONE where no clock runs */
} FalFrame;

/* @sample is taken. */
FalFrame *fal_frame_new (GstSample *sample, gint64 arrival);
FalFrame *fal_frame_ref (FalFrame *frame);
void fal_frame_unref (FalFrame *frame);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalFrame, fal_frame_unref)

/* The picture of a result, which other frames are shown with, too. It is reference counted, and
 * never changes. */
typedef struct {
  GBytes *picture; /* encoded */
  FalLayout layout;
  FalArea part; /* of its frame that was to be sent; without a size: all of it */
} FalLayerSource;

FalLayerSource *fal_layer_source_new (
    GBytes *picture, const FalLayout *layout, const FalArea *part);
FalLayerSource *fal_layer_source_ref (FalLayerSource *source);
void fal_layer_source_unref (FalLayerSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalLayerSource, fal_layer_source_unref)

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
  FAL_RESULT_STANDING, /* the last one, which stands for a frame that is not sent: no buffer */
  FAL_RESULT_BETWEEN,  /* a frame without a result of its own, with those beside it */
  FAL_RESULT_N_KINDS,
} FalResultKind;

/* What goes to the source pad. */
typedef struct {
  FalResultKind kind;
  FalFrame *frame;       /* that it answers, or that it stands for */
  GstSample *sample;     /* of the frame, that it is laid on; NULL: it goes out alone */
  FalLayerSource *before,
      *after;            /* of the results beside it, where every frame comes out; or NULL */
  guint weight;          /* of @after, of 256 */
  guint64 serial;        /* of the frame */
  GBytes *picture;       /* encoded; NULL while it is downloaded */
  guint64 download;      /* number of the download of its picture; 0: the reply had the picture */
  gboolean in_turn;      /* PASS, STANDING: it waits for the results of older frames */
  GstBuffer *metas;      /* of the frame whose answer it is; or NULL */
  FalLayout layout;      /* of what was sent for it, or of the picture itself where nothing was */
  guint index;           /* of its picture among those for the request, from 0 */
  guint count;           /* of pictures for the request; 0: nobody knows yet */
  gint64 sent, received; /* when the request went and the reply came, monotonic µs */
  gint64 since_first;    /* µs since the first result for the request */
  gboolean further;      /* of a later reply than the first one for the request */
  gint64 complete;       /* when its picture was here, too, or since when it is to be shown,
                            monotonic µs; 0: it is not yet */
  GstClockTime arrived;  /* running time at that moment; NONE where no clock runs */
  gsize size;            /* bytes that it keeps in memory */
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
