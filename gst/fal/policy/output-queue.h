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

/* Results that may wait. At so many no more requests are sent, so that a blocked downstream costs
 * neither memory nor the model's time. */
#define FAL_OUTPUT_QUEUE_MAX_RESULTS 4

typedef struct _FalOutputQueue FalOutputQueue;

FalOutputQueue *fal_output_queue_new (void);
void fal_output_queue_free (FalOutputQueue *queue);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalOutputQueue, fal_output_queue_free)

/* What is still to come, as others know it. */
typedef struct {
  guint64 oldest; /* serial of the oldest frame that may still bring a result; G_MAXUINT64: none */
  guint64 newest; /* serial of the newest frame that came */
  gboolean replaced; /* something is shown in place of what the model still owes */
  gboolean fill_due; /* the newest frame's time is to be filled */
} FalOutputView;

typedef enum {
  FAL_OUTPUT_NOTHING, /* wait */
  FAL_OUTPUT_EVENT,
  FAL_OUTPUT_RESULT,
  FAL_OUTPUT_FILL, /* something in place of a result, for the newest frame */
} FalOutputKind;

/* What goes out next. An event goes when every frame before it has gone or was given up; where
 * something else is shown than what the model still owes, already before the first newer frame of
 * that. What is ready is not overtaken, and an EOS overtakes nothing. */
FalOutputKind fal_output_queue_peek (const FalOutputQueue *queue, const FalOutputView *view);

/* The same, taken out: @event or @result is set (transfer full). */
FalOutputKind fal_output_queue_take (
    FalOutputQueue *queue, const FalOutputView *view, GstEvent **event, FalResult **result);

/* ---- events ---- */

/* @event (taken) came after the frames before number @serial. */
void fal_output_queue_push_event (FalOutputQueue *queue, GstEvent *event, guint64 serial);
/* Whether the last of what waits is an EOS. */
gboolean fal_output_queue_ends (const FalOutputQueue *queue);
/* A flush: of the events, those stay that describe the stream whatever position it is at, and come
 * before frame number @serial. */
void fal_output_queue_flush_events (FalOutputQueue *queue, guint64 serial);

/* ---- results ---- */

/* @result is taken. A picture that is still downloaded holds up those behind it. */
void fal_output_queue_push_result (FalOutputQueue *queue, FalResult *result);
guint fal_output_queue_get_length (const FalOutputQueue *queue);
gboolean fal_output_queue_is_full (const FalOutputQueue *queue);
/* The newest result (borrowed), or NULL. */
FalResult *fal_output_queue_peek_newest (const FalOutputQueue *queue);
/* Download number @download ended, with @picture, or with NULL: its result then goes. FALSE: that
 * one was flushed away. */
gboolean fal_output_queue_set_picture (FalOutputQueue *queue, guint64 download, GBytes *picture);

/* The oldest result gives way. How many answers that were: 0 or 1. */
guint fal_output_queue_drop_oldest (FalOutputQueue *queue);
/* Results of frames older than an event that has gone already have lost their place, and give way.
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
