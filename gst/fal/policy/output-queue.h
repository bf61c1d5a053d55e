/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which event or result goes out next. Results wait here, and the events that came between their
 * frames, so that each event keeps its place among the frames.
 *
 * Pure: no thread, lock, clock or log. Guarded by the mutex of the session's shared state. Times
 * are microseconds of a monotonic clock, given as arguments. Frames are known by their serials,
 * which rise from 1. */
#pragma once

#include "fal/frame.h"

G_BEGIN_DECLS

/* So many results may wait however old and big they are, and so many frames that go by. */
#define FAL_OUTPUT_QUEUE_FEW 4
/* Where no frame may be lost and several connections bring results, so many more of each: one that
 * is slow does not keep the others from going on. */
#define FAL_OUTPUT_QUEUE_AHEAD 8
/* More of them may be as old as the pipeline's latency has a sink wait, and as big as this, in all.
 * Then no more requests are sent, so that a blocked downstream costs neither memory nor the model's
 * time. */
#define FAL_OUTPUT_QUEUE_MAX_BYTES (32 * 1024 * 1024)
/* A pipeline's latency is final only once each of its sinks had something to show, and the first
 * that has it waits for the others. So, where one was told, results may be as old as this until
 * downstream has taken the first one. */
#define FAL_OUTPUT_QUEUE_PREROLL (5 * G_TIME_SPAN_SECOND)

typedef struct {
  gint64 latency; /* of the pipeline; -1: none was told */
  gboolean leaky; /* old results give way to new ones; else only further ones do */
  guint lanes;    /* connections that results come over; 0 is 1 */
} FalOutputQueueConfig;

typedef struct _FalOutputQueue FalOutputQueue;

FalOutputQueue *fal_output_queue_new (void);
void fal_output_queue_free (FalOutputQueue *queue);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalOutputQueue, fal_output_queue_free)

/* Takes effect with the next decision. */
void fal_output_queue_configure (FalOutputQueue *queue, const FalOutputQueueConfig *config);

/* What is still to come, as others know it. */
typedef struct {
  guint64 oldest; /* serial of the oldest frame that may still bring a result; G_MAXUINT64: none */
  guint64 newest; /* serial of the newest frame that came */
  gboolean replaced; /* something is shown in place of what the model still owes */
  gboolean fill_due; /* the newest frame's time is to be filled */
  gint64 now;
  gboolean in_order; /* answers wait for those of older frames, which may come yet */
  gint64 hold;       /* the same, until so long after their own frame came, µs; 0: not */
} FalOutputView;

typedef enum {
  FAL_OUTPUT_NOTHING, /* wait */
  FAL_OUTPUT_EVENT,
  FAL_OUTPUT_RESULT,
  FAL_OUTPUT_FILL,  /* something in place of a result, for the newest frame */
  FAL_OUTPUT_FRAME, /* one of those that come out each, which wait elsewhere */
} FalOutputKind;

/* What goes out next. An event goes when every frame before it has gone or was given up; where
 * something else is shown than what the model still owes, already before the first newer frame of
 * that. What is ready is not overtaken, and an EOS overtakes nothing. A frame that passes in its
 * turn goes when no result of an older one can come any more; where frames drop not later than it
 * is complete, nor when as many wait as may, and older results then come too late. */
FalOutputKind fal_output_queue_peek (const FalOutputQueue *queue, const FalOutputView *view);

/* The same, taken out: @event or @result is set (transfer full). */
FalOutputKind fal_output_queue_take (
    FalOutputQueue *queue, const FalOutputView *view, GstEvent **event, FalResult **result);

/* When the first result may go out, which may be long past; G_MAXINT64: not as things are. */
gint64 fal_output_queue_get_result_time (const FalOutputQueue *queue, const FalOutputView *view);

/* ---- events ---- */

/* @event (taken) came after the frames before number @serial. */
void fal_output_queue_push_event (FalOutputQueue *queue, GstEvent *event, guint64 serial);
/* The same for a GAP, of the time of a frame that brings nothing: it becomes one with a GAP just
 * before it. */
void fal_output_queue_push_gap (FalOutputQueue *queue, GstEvent *gap, guint64 serial);
/* One GAP (transfer full) for two of which the second begins where the first ends; else NULL. */
GstEvent *fal_output_queue_join_gaps (GstEvent *one, GstEvent *next);
/* Whether the last of what waits is an EOS; and whether the next event is one. */
gboolean fal_output_queue_ends (const FalOutputQueue *queue);
gboolean fal_output_queue_ends_next (const FalOutputQueue *queue);
/* A flush: of the events, those stay that describe the stream whatever position it is at, and come
 * before frame number @serial. */
void fal_output_queue_flush_events (FalOutputQueue *queue, guint64 serial);

/* ---- results ---- */

/* @result is taken, and stands behind those of older frames. A picture that is still downloaded
 * holds up those behind it. */
void fal_output_queue_push_result (FalOutputQueue *queue, FalResult *result);
guint fal_output_queue_get_length (const FalOutputQueue *queue);
/* The serial of the first result's frame; G_MAXUINT64: none waits. */
guint64 fal_output_queue_get_first (const FalOutputQueue *queue);
/* Whether the first result is an answer with its picture to a frame that comes out whether or not
 * it is answered; and that result, taken out. */
gboolean fal_output_queue_has_answer (const FalOutputQueue *queue);
FalResult *fal_output_queue_take_answer (FalOutputQueue *queue);
/* Whether something waits for frame number @serial, if only for its picture. */
gboolean fal_output_queue_has_result (const FalOutputQueue *queue, guint64 serial);
/* Whether no more requests are to be sent. */
gboolean fal_output_queue_is_full (const FalOutputQueue *queue, gint64 now);
/* Whether one more frame that goes by may wait. */
gboolean fal_output_queue_has_room (const FalOutputQueue *queue);
/* The same for one that passes in its turn: where sinks have it wait more may, as big in all as the
 * results may be. */
gboolean fal_output_queue_has_room_in_turn (const FalOutputQueue *queue);
/* Whether one more fallback may wait for a sink, where it holds a frame: behind few others, and
 * behind no answer. */
gboolean fal_output_queue_takes_fallback (const FalOutputQueue *queue);
/* The newest result (borrowed), or NULL. */
FalResult *fal_output_queue_peek_newest (const FalOutputQueue *queue);
/* Download number @download ended at @now, which is running time @arrived, with @picture, or with
 * NULL: its result then goes. FALSE: that one was flushed away. */
gboolean fal_output_queue_set_picture (
    FalOutputQueue *queue, guint64 download, GBytes *picture, gint64 now, GstClockTime arrived);

/* Calls @function for the frame of each result. */
void fal_output_queue_foreach_frame (const FalOutputQueue *queue, GFunc function, gpointer user);

/* Results give way, the oldest first, until no more wait than may; frames that go by never do. How
 * many answers that were. */
guint fal_output_queue_make_room (FalOutputQueue *queue, gint64 now);
/* Results of frames older than an event, or a frame in its turn, that has gone already have lost
 * their place, and give way.
 * How many answers that were. */
guint fal_output_queue_drop_overtaken (FalOutputQueue *queue);
/* The frame of an answer that gave way (transfer full), or NULL. */
FalFrame *fal_output_queue_pop_dropped (FalOutputQueue *queue);
gboolean fal_output_queue_has_dropped (const FalOutputQueue *queue);

/* A flush: no result that waits goes out, nor further ones of the last request. */
void fal_output_queue_clear_results (FalOutputQueue *queue);
/* The serials begin anew. */
void fal_output_queue_forget_overtaking (FalOutputQueue *queue);

/* ---- further results of the request that was answered last ---- */

/* @first, the first result of a request, came, with @request_id or without (NULL). @open: an app
 * that streams may send more until it says that this was all. */
void fal_output_queue_set_answered (
    FalOutputQueue *queue, const FalResult *first, const gchar *request_id, gboolean open);
/* @n pictures of a reply to that request were taken. */
void fal_output_queue_count_answered (FalOutputQueue *queue, guint n);
/* Whether a reply is one more for that request: its @request_id says so; where neither has one,
 * that no other request is @in_flight. Then @further is filled in, its frame borrowed. */
gboolean fal_output_queue_continue_answered (const FalOutputQueue *queue, const gchar *request_id,
    guint in_flight, gint64 now, FalResult *further);
/* It is answered as far as it will ever be: events need not wait for more. */
void fal_output_queue_close_answered (FalOutputQueue *queue);
/* No reply is one more for it. */
void fal_output_queue_forget_answered (FalOutputQueue *queue);

G_END_DECLS
