/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The frames of a stream of which each comes out: in the order in which they came, each once what
 * it is shown with is known. That is its own result; or, where it is certain that it has none, what
 * lies between the results before and after it, or the one before it where it shows the same; or,
 * once its time is over, what there is.
 *
 * Pure: no thread, lock, clock or log. Guarded by the mutex of the session's shared state. Times
 * are microseconds of a monotonic clock, given as arguments, unless they are a GstClockTime;
 * G_MAXINT64 stands for "not before something else happens". Frames are known by their serials,
 * which rise from 1. Frames, results and layers, which are what of a result other frames need, are
 * opaque. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* So many frames may wait, however small they are. */
#define FAL_FRAME_QUEUE_MAX 600

typedef struct _FalFrameQueue FalFrameQueue;

/* What it owns is let go of by these. */
typedef struct {
  GDestroyNotify frame_free, result_free;
  GBoxedCopyFunc layer_ref;
  GBoxedFreeFunc layer_unref;
} FalFrameQueueKinds;

FalFrameQueue *fal_frame_queue_new (const FalFrameQueueKinds *kinds);
void fal_frame_queue_free (FalFrameQueue *queue);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalFrameQueue, fal_frame_queue_free)

typedef struct {
  gint64 delay; /* a frame goes so long after it was due, at the latest; G_MAXINT64: whenever */
  guint64 max_bytes;
  guint least;    /* so many frames may wait however large they are */
  gboolean drops; /* the oldest goes before its time where there is no room; else upstream waits */
} FalFrameQueueConfig;

/* Takes effect with the next decision. */
void fal_frame_queue_configure (FalFrameQueue *queue, const FalFrameQueueConfig *config);

typedef struct {
  guint64 serial;
  GstClockTime time; /* running time; NONE: it has none */
  gint64 due;        /* when it would be shown if nothing waited */
  guint epoch;       /* layers of frames of another one do not fit */
  gsize bytes;
  gboolean passes; /* it goes as it is, in its turn */
} FalFrameMark;

/* Takes @frame, the newest. */
void fal_frame_queue_push (FalFrameQueue *queue, gpointer frame, const FalFrameMark *mark);
/* Whether one more may be pushed; else upstream waits, unless the oldest is to go before its time.
 */
gboolean fal_frame_queue_has_room (const FalFrameQueue *queue);

typedef enum {
  FAL_FRAME_ANSWERED, /* its frame waits */
  FAL_FRAME_LATE,     /* it went out before; the layer serves those that follow */
  FAL_FRAME_SURPLUS,  /* it had a result before, or is of before a flush */
} FalFrameAnswer;

/* Frame number @serial, of running time @time, has @result and @layer (both taken). *@ahead: by how
 * much the first of the frames that need it, too, came before its own. */
FalFrameAnswer fal_frame_queue_answer (FalFrameQueue *queue, guint64 serial, GstClockTime time,
    gpointer result, gpointer layer, GstClockTime *ahead);

/* Whether a result may still come for frame number @serial. */
typedef gboolean (*FalFrameMayCome) (guint64 serial, gpointer user);
/* Finds out for which frames none comes any more, which is for good. */
void fal_frame_queue_settle (FalFrameQueue *queue, FalFrameMayCome may_come, gpointer user);

/* Frame number @serial, which gets none, shows what frame number @other before it showed, or may
 * show yet: it goes with the result of that one, and waits for none that comes after it. */
void fal_frame_queue_stand (FalFrameQueue *queue, guint64 serial, guint64 other);

/* When the first frame may go; 0: now. @ends: no frame follows those that wait. */
gint64 fal_frame_queue_get_time (const FalFrameQueue *queue, gboolean ends);

/* What goes out. */
typedef struct {
  gpointer frame; /* transfer full */
  guint64 serial;
  gpointer result; /* its own, transfer full; NULL: it has none */
  /* Transfer full, or NULL. Without a result of its own: the layers of those before and after it,
   * and how much of 256 the latter counts. With one: the layer before it. */
  gpointer before, after;
  guint weight;
  gboolean stands; /* the layer before it is right for it, however long it has been there */
} FalFrameTurn;

/* The first frame, where its time has come. FALSE: it has not. */
gboolean fal_frame_queue_take (FalFrameQueue *queue, gboolean ends, gint64 now, FalFrameTurn *turn);

/* To make a frame ready took @duration: it goes so much sooner than its time is over, but not
 * before half of that. */
void fal_frame_queue_note_lead (FalFrameQueue *queue, gint64 duration);

/* A frame that gave way to newer ones since nobody took it (transfer full), or NULL. */
gpointer fal_frame_queue_pop_dropped (FalFrameQueue *queue);
gboolean fal_frame_queue_has_dropped (const FalFrameQueue *queue);

/* A flush: no frame goes out, and no layer of before is used. */
void fal_frame_queue_clear (FalFrameQueue *queue);

guint fal_frame_queue_get_length (const FalFrameQueue *queue);
/* The serial of the first frame; G_MAXUINT64: none waits. */
guint64 fal_frame_queue_get_first (const FalFrameQueue *queue);
gpointer fal_frame_queue_peek_first (const FalFrameQueue *queue);
/* The serial of the newest frame that went out; 0: none did. */
guint64 fal_frame_queue_get_gone (const FalFrameQueue *queue);
void fal_frame_queue_foreach (const FalFrameQueue *queue, GFunc function, gpointer user);

G_END_DECLS
