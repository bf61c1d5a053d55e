/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the threads of a session share: frames that wait, requests in flight, results, what is known
 * of the connection, the settings, the statistics.
 *
 * One mutex guards all of it. It is locked and unlocked in shared-state.c alone and never lent:
 * nothing is encoded, sent, decoded, told or asked of the kernel while it is held. (A frame may be
 * let go of for the last time: whoever waits for that in its buffer must not ask the element then.)
 * The decisions are policy's; what follows from them for another thread is worked out here, and
 * that thread is woken once the mutex is free. What the net thread is to do stands in one queue of
 * orders. */
#pragma once

#include "events.h"
#include "fal/net/connection.h"
#include "fal/settings/properties.h"
#include "fal/wire/protocol.h"

G_BEGIN_DECLS

/* Pictures taken of one reply; apps send one or two. */
#define FAL_SHARED_STATE_MAX_PICTURES 64

typedef struct _FalSharedState FalSharedState;

FalSharedState *fal_shared_state_new (FalSettings *settings);
void fal_shared_state_free (FalSharedState *state);

/* ---- life: the element's threads ---- */

/* A new start: everything begins anew, and the threads may run. */
void fal_shared_state_start (FalSharedState *state);
/* @wakeup is made ready where there are orders; a reference is taken. */
void fal_shared_state_set_wakeup (FalSharedState *state, GSource *wakeup);
/* The threads are to end, and the flow stops. */
void fal_shared_state_stop (FalSharedState *state);
/* After the threads ended: gives up what waits. FALSE: the connection was idle already. */
gboolean fal_shared_state_give_up (FalSharedState *state);

/* ---- what is set: any thread ---- */

/* Whom the change concerns; 0: nobody, as @settings are older than those that hold, or the same.
 * Nobody else is woken. *@latency_changed: see fal_shared_state_get_latency(). */
FalConcerns fal_shared_state_update (
    FalSharedState *state, FalSettings *settings, gboolean *latency_changed);
FalSettings *fal_shared_state_dup_settings (FalSharedState *state);
void fal_shared_state_set_live (FalSharedState *state, gboolean live);
/* As fal_session_set_earliest() has it. */
void fal_shared_state_set_earliest (FalSharedState *state, GstClockTime earliest);
/* The connection is to be closed, and dialled again where @again. */
void fal_shared_state_close (FalSharedState *state, gboolean again);
void fal_shared_state_clear (FalSharedState *state);
void fal_shared_state_reset_stats (FalSharedState *state);

/* ---- questions: any thread ---- */

gboolean fal_shared_state_is_live (FalSharedState *state);
GstClockTime fal_shared_state_get_latency (FalSharedState *state);
FalDialerState fal_shared_state_get_state (FalSharedState *state);
void fal_shared_state_get_counts (FalSharedState *state, FalSessionCounts *counts);
GstStructure *fal_shared_state_get_stats (FalSharedState *state);

/* The frames that were dropped, lost or overtaken since, as FalDrop; NULL: there are none. Free
 * with g_ptr_array_unref(). */
GPtrArray *fal_shared_state_take_drops (FalSharedState *state);
/* @frame brought nothing after all: the same for it alone. */
GPtrArray *fal_shared_state_make_drop (FalSharedState *state, FalFrame *frame);

/* ---- upstream's thread ---- */

/* @frame is taken. Waits for room where frames are not dropped. */
GstFlowReturn fal_shared_state_push (FalSharedState *state, FalFrame *frame);
/* @event is taken. FALSE: it is EOS, and nobody else tells the application of a flow that failed.
 */
gboolean fal_shared_state_push_event (FalSharedState *state, GstEvent *event);
void fal_shared_state_set_flushing (FalSharedState *state, gboolean flushing);
/* The newest frame goes at once, with @inputs over all others. FALSE: there is none. */
gboolean fal_shared_state_send_now (FalSharedState *state, const GstStructure *inputs);

/* ---- the send thread ---- */

typedef enum {
  FAL_WORK_NOTHING, /* the time to look at the socket has come */
  FAL_WORK_REQUEST, /* a frame is to be sent */
  FAL_WORK_EXPIRED, /* requests got no answer in time, and nobody else tells of them */
  FAL_WORK_LIMIT,   /* session-limit is over */
  FAL_WORK_CUT,     /* the connection is to be cut from here */
} FalWorkKind;

typedef struct {
  FalWorkKind kind;

  /* REQUEST */
  FalFrame *frame;
  GstSample *sample; /* of the frame, which may lose it meanwhile */
  gint64 pause;      /* after it no other goes for so long, µs; 0 where no frame is dropped */
  guint64 id;
  guint generation;                /* of the connection that it is meant for */
  gboolean first;                  /* of its connection */
  GstStructure *feedback, *inputs; /* as FalRequestParts has them; or NULL */

  guint expired;      /* EXPIRED: so many */
  gboolean loading;   /* EXPIRED: the model seems to be loading */
  gboolean told;      /* EXPIRED: which was told already */
  guint limit;        /* LIMIT: seconds */
  FalFaultKind fault; /* CUT: why */

  FalSocketGuard *guard; /* of the connection that stands now, to be looked at; NULL: none does */
} FalWork;

/* Waits for work, at the longest until @look_time. @heard: when anything was last heard of the
 * peer; 0: nobody looked. FALSE: the thread is to end. */
gboolean fal_shared_state_wait_for_work (
    FalSharedState *state, gint64 look_time, gint64 heard, FalWork *work);
void fal_work_clear (FalWork *work);

/* The settings of the request that is about to be encoded; *@sends_ids: whether it bears an id. */
FalSettings *fal_shared_state_begin_request (FalSharedState *state, gboolean *sends_ids);
/* It was encoded as @message (taken) in @duration µs, and goes to the net thread; NULL: it could
 * not be. */
void fal_shared_state_finish_request (
    FalSharedState *state, const FalWork *work, GBytes *message, gint64 duration);
/* The time that may be paid for is over: EOS goes out, and the connection is closed. */
void fal_shared_state_spend (FalSharedState *state);

/* ---- the net thread ---- */

typedef enum {
  FAL_ORDER_SEND,
  FAL_ORDER_CONNECT,
  FAL_ORDER_CLOSE,
  FAL_ORDER_RECONNECT,
  FAL_ORDER_RELEASE,   /* close it unless other members need it */
  FAL_ORDER_FAIL,      /* end it as faulty */
  FAL_ORDER_CONFIGURE, /* the settings have changed */
} FalOrderKind;

typedef struct {
  FalOrderKind kind;
  GBytes *message;    /* SEND */
  guint generation;   /* SEND: of the connection that it is meant for */
  FalFaultKind fault; /* FAIL */
} FalOrder;

void fal_order_free (FalOrder *order);

/* The next order, to be freed with fal_order_free(); NULL: there is none. Where others follow, the
 * wakeup is made ready again. Left out is what no longer counts: messages for an older connection,
 * and faults of one that has ended by itself. */
FalOrder *fal_shared_state_take_order (FalSharedState *state);

void fal_shared_state_note_counts (FalSharedState *state, const FalConnectionCounts *counts);
void fal_shared_state_note_state (FalSharedState *state, FalDialerState dialer);
/* A connection stands. @guard: of its socket; a reference is taken. @ready: requests may go. */
void fal_shared_state_note_opened (FalSharedState *state, const FalConnectionCounts *counts,
    FalSocketGuard *guard, gboolean ready);
/* The app said that it is ready. */
void fal_shared_state_note_ready (FalSharedState *state);
/* The attempt or connection ended; @fatal: none is tried any more. FALSE: the session is leaving,
 * and nobody is to be told. */
gboolean fal_shared_state_note_ended (
    FalSharedState *state, const FalConnectionCounts *counts, gboolean fatal);
/* A message came. */
void fal_shared_state_note_message (FalSharedState *state, const FalConnectionCounts *counts);
/* Whether the member needs the connection; and that it goes on after all. */
gboolean fal_shared_state_needs_connection (FalSharedState *state);
void fal_shared_state_keep_connection (FalSharedState *state);

/* Results and errors do not count on a connection that was given up, since a late reply could be
 * taken for another frame's, nor when the session is leaving. */

typedef struct {
  gboolean known;         /* else the reply answers nothing that waits, or does not count */
  gboolean first;         /* result of this connection */
  guint64 first_download; /* number of the first link in it; 0: nothing waits for links */
} FalAnswer;

/* A reply with results, or without any. Its last result takes its fields. */
void fal_shared_state_answer (FalSharedState *state, FalReply *reply, FalAnswer *answer);
/* Now that the state was told, what came may go out. */
void fal_shared_state_release_results (FalSharedState *state);
/* A reply that stands for no result. Where replies carry no id it stands for the oldest request;
 * else that one is found out by a later reply, or its timeout. @unreadable: nobody can read it.
 * FALSE: it does not count. */
gboolean fal_shared_state_note_failed_reply (FalSharedState *state, gboolean unreadable);
/* The oldest request is the one that the server ends the connection over. FALSE: that does not
 * count. */
gboolean fal_shared_state_fail_oldest (FalSharedState *state);
/* @reply says that the app, which nothing is known of, does not take request ids: TRUE, and it is
 * dialled anew to get its frame without one. */
gboolean fal_shared_state_drop_ids (FalSharedState *state, const FalReply *reply);
/* The time that the result just before took, in seconds. */
void fal_shared_state_note_inference (FalSharedState *state, gdouble inference);
/* No more results come for the request that was answered last. */
void fal_shared_state_close_answered (FalSharedState *state);
/* Download number @number ended; @picture NULL: in vain. FALSE: nobody waits for it any more. */
gboolean fal_shared_state_take_picture (FalSharedState *state, guint64 number, GBytes *picture);

/* ---- the source pad's task ---- */

typedef struct {
  GstEvent *event;       /* either this */
  FalResult *result;     /* or this; both NULL: the flow stopped */
  FalSettings *settings; /* that hold for the result */
  FalTimestampMode mode; /* resolved: not AUTO */
  gboolean live;
  gboolean every_frame; /* each frame is answered: none are dropped */
  guint missing;        /* frames that the stream ends without, since drain-timeout is over */
} FalOutput;

/* Waits for what goes out next. */
void fal_shared_state_wait_for_output (FalSharedState *state, FalOutput *output);

/* How a result became a buffer, or did not. */
typedef enum {
  FAL_RENDERED,
  FAL_RENDERED_TOO_LATE,
  FAL_RENDERED_BROKEN,
} FalRendered;

/* A result of this kind and @arrival was rendered in @duration µs. */
void fal_shared_state_note_rendered (FalSharedState *state, FalResultKind kind,
    FalRendered rendered, gint64 arrival, gint64 duration);
/* A buffer of this kind went downstream. */
void fal_shared_state_note_pushed (FalSharedState *state, FalResultKind kind);

/* As the functions of the session that are named so. */
gboolean fal_shared_state_stop_flow (
    FalSharedState *state, GstFlowReturn returned, gboolean reported);
gboolean fal_shared_state_flows (FalSharedState *state);
gboolean fal_shared_state_relink (FalSharedState *state);

G_END_DECLS
