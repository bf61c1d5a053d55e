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
#include "fal/policy/pacer.h"
#include "fal/policy/region.h"
#include "fal/policy/shares.h"
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
 * Nobody else is woken. *@latency_changed: that of fal_shared_state_get_latency(), or the room. */
FalConcerns fal_shared_state_update (
    FalSharedState *state, FalSettings *settings, gboolean *latency_changed);
/* Whether it was started. */
gboolean fal_shared_state_runs (FalSharedState *state);
FalSettings *fal_shared_state_dup_settings (FalSharedState *state);
/* @latency: in which upstream brings a frame here. */
void fal_shared_state_set_upstream (FalSharedState *state, gboolean live, GstClockTime latency);
/* For so long a sink has results wait. */
void fal_shared_state_set_pipeline_latency (FalSharedState *state, GstClockTime latency);
/* As fal_session_set_earliest() has it. */
gboolean fal_shared_state_set_earliest (FalSharedState *state, GstClockTime earliest);
/* The connection is to be closed, and dialled again where @again. */
void fal_shared_state_close (FalSharedState *state, gboolean again);
void fal_shared_state_clear (FalSharedState *state);
void fal_shared_state_reset_stats (FalSharedState *state);

/* ---- questions: any thread ---- */

gboolean fal_shared_state_is_live (FalSharedState *state);
GstClockTime fal_shared_state_get_latency (FalSharedState *state);
/* As fal_session_get_delay() has it. */
gint fal_shared_state_get_delay (FalSharedState *state);
/* As fal_session_get_room() has it. */
guint fal_shared_state_get_room (FalSharedState *state);
FalDialerState fal_shared_state_get_state (FalSharedState *state);
void fal_shared_state_get_counts (FalSharedState *state, FalSessionCounts *counts);
/* Whether somebody waits for the state that follows this one; in FAL_DIALER_IDLE, for the first
 * frame. */
gboolean fal_shared_state_is_awaited (FalSharedState *state, FalDialerState dialer);
GstStructure *fal_shared_state_get_stats (FalSharedState *state);
/* Whether it runs with a budget that no price is set for; TRUE once, until one is. */
gboolean fal_shared_state_lacks_price (FalSharedState *state);

/* The frames that were dropped, lost or overtaken since, as FalDrop; NULL: there are none. Free
 * with g_ptr_array_unref(). */
GPtrArray *fal_shared_state_take_drops (FalSharedState *state);
/* @frame brought nothing after all: the same for it alone. */
GPtrArray *fal_shared_state_make_drop (FalSharedState *state, FalFrame *frame);

/* ---- upstream's thread ---- */

/* The region that holds for the next frame, and what becomes of one that has none (transfer full);
 * NULL: all of it is sent, or it passes. */
FalRegion *fal_shared_state_dup_region (FalSharedState *state, FalRegionAbsent *absent);
/* Whether frames that pass in their turn may wait for long, and many at once: as long as sinks have
 * results wait. */
gboolean fal_shared_state_keeps_passing (FalSharedState *state);
/* Whether frames were dropped since more of them wait for their results than max-held-bytes has
 * room for, @held; TRUE once in a stream. */
gboolean fal_shared_state_lacks_room (FalSharedState *state, guint *held);
/* The region lies outside of a frame. FALSE: that was so before. */
gboolean fal_shared_state_note_outside (FalSharedState *state);
/* @frame is taken. Waits for room where frames are not dropped. */
GstFlowReturn fal_shared_state_push (FalSharedState *state, FalFrame *frame);
/* @event is taken. FALSE: it is EOS, and nobody else tells the application of a flow that failed.
 */
gboolean fal_shared_state_push_event (FalSharedState *state, GstEvent *event);
void fal_shared_state_set_flushing (FalSharedState *state, gboolean flushing);
/* The newest frame goes at once, with @inputs over all others. FALSE: there is none. */
gboolean fal_shared_state_send_now (FalSharedState *state, const GstStructure *inputs);

/* ---- upstream's serialized queries, and its memory ---- */

/* Whether frames pass, so that downstream says what they are to be. */
gboolean fal_shared_state_passes_frames (FalSharedState *state);
/* The name of the custom event that goes out in the place of a query that upstream waits with. */
#define FAL_SHARED_STATE_QUERY "GstFalQuery"
/* The rest as the functions of the session that are named so. */
gboolean fal_shared_state_pass_query (FalSharedState *state, GstQuery *query);
GstQuery *fal_shared_state_take_query (FalSharedState *state);
void fal_shared_state_finish_query (FalSharedState *state, gboolean result);
guint fal_shared_state_get_most_held (FalSharedState *state);
gboolean fal_shared_state_holds_most (FalSharedState *state);
void fal_shared_state_let_go (FalSharedState *state);

/* ---- the send thread ---- */

typedef enum {
  FAL_WORK_NOTHING,  /* the time to look at the socket has come */
  FAL_WORK_REQUEST,  /* a frame is to be sent */
  FAL_WORK_LOOK,     /* a frame is to be compared with the one that was sent last */
  FAL_WORK_EXPIRED,  /* requests got no answer in time, and nobody else tells of them */
  FAL_WORK_GIVEN_UP, /* frames are not tried any more */
  FAL_WORK_SILENCE,  /* no result came for long, and that is to be told */
  FAL_WORK_LIMIT,    /* session-limit is over */
  FAL_WORK_COST,     /* the owner is to be told what the stream has cost */
  FAL_WORK_BUDGET,   /* it has cost as much as it may */
  FAL_WORK_CUT,      /* the connection is to be cut from here */
} FalWorkKind;

typedef struct {
  FalWorkKind kind;

  /* REQUEST, LOOK */
  FalFrame *frame;
  GstSample *sample; /* of the frame, which may lose it meanwhile */
  guint64 serial;    /* of the frame; 0: it went before */

  /* REQUEST */
  gboolean compared; /* frames are compared with the newest that was sent */
  gint64 pause;      /* upstream is to hear that no other goes for so long after it, µs; 0: not */
  guint64 id;
  guint lane;                      /* the connection that it is meant for; CUT: that is to be cut */
  guint generation;                /* of it */
  gboolean first;                  /* of its connection */
  GstStructure *feedback, *inputs; /* as FalRequestParts has them; or NULL */
  /* Set by the send thread: what the frame became, and whether its own picture is broken, so that
   * it is not sent. */
  FalLayout layout;
  GstBuffer *metas; /* of the frame; or NULL */
  gboolean invalid;

  guint expired;    /* EXPIRED: so many */
  gboolean loading; /* EXPIRED: the model seems to be loading */
  gboolean told;    /* EXPIRED: which was told already */
  gboolean greeted; /* EXPIRED, SILENCE: all that came is "ready", as apps of WebRTC say it */
  gint64 silence;   /* SILENCE: µs */
  FalPacerGivenUp given_up; /* GIVEN_UP: so many */
  guint limit;              /* LIMIT: seconds */
  FalCost cost;             /* COST, BUDGET */
  FalFaultKind fault;       /* CUT: why */

  /* Of each connection, to be looked at; NULL: it does not stand now. */
  FalSocketGuard *guards[FAL_MAX_CONNECTIONS];
} FalWork;

/* Waits for work, at the longest until @look_time. @heard: of each connection, when anything was
 * last heard of the peer, or 0; NULL: nobody looked. FALSE: the thread is to end. */
gboolean fal_shared_state_wait_for_work (
    FalSharedState *state, gint64 look_time, const gint64 *heard, FalWork *work);
void fal_work_clear (FalWork *work);

/* The settings of the request that is about to be encoded; *@sends_ids: whether it bears an id. */
FalSettings *fal_shared_state_begin_request (FalSharedState *state, gboolean *sends_ids);
/* It was encoded as @message (taken) in @duration µs, and goes to the net thread; NULL: it could
 * not be. */
void fal_shared_state_finish_request (
    FalSharedState *state, const FalWork *work, GBytes *message, gint64 duration);
/* The frame of LOOK differs from the one that was sent last by @change levels. */
void fal_shared_state_note_change (FalSharedState *state, const FalWork *work, guint change);
/* The time that may be paid for is over: EOS goes out, after the results that came where
 * @keeps_results, and the connection is closed. */
void fal_shared_state_spend (FalSharedState *state, gboolean keeps_results);

/* ---- the net thread ---- */

typedef enum {
  FAL_ORDER_SEND,
  FAL_ORDER_CONNECT,
  FAL_ORDER_CLOSE,
  FAL_ORDER_RECONNECT,
  FAL_ORDER_RELEASE,   /* close it unless other members need it */
  FAL_ORDER_FAIL,      /* end it as faulty */
  FAL_ORDER_CONFIGURE, /* the settings have changed */
  FAL_ORDER_SHARE,     /* whether the member uses a shared connection has changed */
} FalOrderKind;

typedef struct {
  FalOrderKind kind;
  guint lane;         /* the connection that it is about; CONFIGURE: all of them */
  GBytes *message;    /* SEND */
  guint generation;   /* SEND: of the connection that it is meant for */
  gboolean is_request; /* SEND: it is to be paid for */
  FalFaultKind fault; /* FAIL */
} FalOrder;

void fal_order_free (FalOrder *order);

/* The next order, to be freed with fal_order_free(); NULL: there is none. Where others follow, the
 * wakeup is made ready again. Left out is what no longer counts: messages for an older connection,
 * and faults of one that has ended by itself. */
FalOrder *fal_shared_state_take_order (FalSharedState *state);

/* What happens to the session's connections, which are its lanes, numbered from 0. */

void fal_shared_state_note_counts (
    FalSharedState *state, guint lane, const FalConnectionCounts *counts);
/* Returns the state of all connections together. */
FalDialerState fal_shared_state_note_state (
    FalSharedState *state, guint lane, FalDialerState dialer);
/* What this member pays for of the connection's time. */
void fal_shared_state_note_paid_time (FalSharedState *state, guint lane, const FalPaidTime *paid);
/* Whether it uses the connections, and so pays for them. */
gboolean fal_shared_state_uses_connection (FalSharedState *state);
/* A connection stands. @guard: of its socket; a reference is taken. @ready: requests may go. */
void fal_shared_state_note_opened (FalSharedState *state, guint lane,
    const FalConnectionCounts *counts, FalSocketGuard *guard, gboolean ready);
/* The app said that it is ready. */
void fal_shared_state_note_ready (FalSharedState *state, guint lane);
/* It did so in the way of WebRTC apps. */
void fal_shared_state_note_greeting (FalSharedState *state, guint lane);
/* The attempt or connection ended; @fatal: none is tried any more in its place. @died: by itself,
 * so that a request may be to blame. FALSE: the session is leaving, and nobody is to be told. */
gboolean fal_shared_state_note_ended (FalSharedState *state, guint lane,
    const FalConnectionCounts *counts, gboolean fatal, gboolean died);
/* No connection is tried any more, and whoever had to be told was: upstream learns of it. */
void fal_shared_state_fail_flow (FalSharedState *state);
/* A message came. */
void fal_shared_state_note_message (
    FalSharedState *state, guint lane, const FalConnectionCounts *counts);
/* Whether the member needs the connection; and that it goes on after all. */
gboolean fal_shared_state_needs_connection (FalSharedState *state, guint lane);
void fal_shared_state_keep_connection (FalSharedState *state, guint lane);

/* Results and errors do not count on a connection that was given up, since a late reply could be
 * taken for another frame's, nor when the session is leaving. */

/* How a reply came. */
typedef struct {
  guint lane;           /* over which connection */
  GstClockTime running; /* at what running time */
  guint generation;     /* of the connection that a doubtful one came by; 0: it is new */
  gint64 received;      /* then: when it came, monotonic µs */
} FalReception;

typedef struct {
  gboolean known;         /* else the reply answers nothing that waits, or does not count */
  gboolean first;         /* result of this connection */
  guint64 first_download; /* number of the first link in it; 0: nothing waits for links */
  gboolean over;          /* the request is over that it stands for by the order */
  gboolean echoed;        /* it bears an id that was sent: those that do not are nobody's */
  gboolean doubtful;      /* it is to be kept, and given again when a while has passed */
  FalReception reception; /* then: how it came */
  guint in_flight;        /* requests of its connection that it may have answered */
} FalAnswer;

/* A reply with results, or without any. Its last result takes its fields. */
void fal_shared_state_answer (
    FalSharedState *state, FalReply *reply, const FalReception *reception, FalAnswer *answer);
/* A doubtful reply is nobody's. */
void fal_shared_state_note_foreign (FalSharedState *state, const FalReply *reply);
/* A message that answers nothing came. */
void fal_shared_state_note_ignored (FalSharedState *state);
/* Now that the state was told, what came may go out. */
void fal_shared_state_release_results (FalSharedState *state);
/* Whether what the connection brings still means anything. */
gboolean fal_shared_state_counts_replies (FalSharedState *state, guint lane);
/* A reply that stands for no result: its request fails, where it can be told which that is.
 * @unreadable: nobody can read it. *@over: the request that it stands for by the order is over.
 * FALSE: it does not count. */
gboolean fal_shared_state_note_failed_reply (FalSharedState *state, guint lane,
    const gchar *request_id, gboolean unreadable, gboolean *over);
/* The oldest request is the one that the server ends the connection over. FALSE: that does not
 * count. */
gboolean fal_shared_state_fail_oldest (FalSharedState *state, guint lane);
/* @reply says that the app, which nothing is known of, does not take request ids: TRUE, and it is
 * dialled anew to get its frame without one. */
gboolean fal_shared_state_drop_ids (FalSharedState *state, guint lane, const FalReply *reply);
/* The time that the result just before took, in seconds. */
void fal_shared_state_note_inference (FalSharedState *state, gdouble inference);
/* No more results come for the request that was answered last. */
void fal_shared_state_close_answered (FalSharedState *state);
/* Download number @number ended at running time @running; @picture NULL: in vain. FALSE: nobody
 * waits for it any more. */
gboolean fal_shared_state_take_picture (
    FalSharedState *state, guint64 number, GBytes *picture, GstClockTime running);

/* ---- the source pad's task ---- */

typedef struct {
  GstEvent *event;       /* either this */
  FalResult *result;     /* or this; both NULL: it is time for a tick, the latency has changed, or
                            the flow stopped */
  gboolean ticked;       /* the former */
  FalSettings *settings; /* that hold for the result */
  FalTimestampMode mode; /* resolved: not AUTO */
  gboolean live;
  gboolean every_frame;          /* each frame is answered: none are dropped */
  GstClockTime upstream_latency; /* as fal_shared_state_set_upstream() has it */
  gboolean finds_delay;          /* the delay of results is found here */
  GstClockTime held;  /* where late results are still shown: so long each keeps its frame's time */
  GstClockTime delay; /* for so long sinks have wait what bears its frame's time */
  gboolean latency_changed; /* of fal_shared_state_get_latency(), by a result that came */
  gint64 overdue; /* a result came so long after its frame, which had gone out, µs; 0: none */
  guint missing;  /* frames that the stream ends without, since drain-timeout is over */
} FalOutput;

/* Waits for what goes out next. @full: no result is taken before the next tick. */
void fal_shared_state_wait_for_output (FalSharedState *state, gboolean full, FalOutput *output);

/* How a result became a buffer, or did not. */
typedef enum {
  FAL_RENDERED,
  FAL_RENDERED_TOO_LATE,
  FAL_RENDERED_BROKEN,
} FalRendered;

/* A result of this kind was rendered in @duration µs, and ready @age µs after its frame came. */
void fal_shared_state_note_rendered (
    FalSharedState *state, FalResultKind kind, FalRendered rendered, gint64 age, gint64 duration);
/* Where the delay is found: an answer was ready @lag µs after its frame could have been here;
 * @first: of those to its request; @shown: it is, late or not, and fal_shared_state_note_rendered()
 * has not counted it as late. TRUE: fal_shared_state_get_latency() has changed with it. */
gboolean fal_shared_state_note_lag (
    FalSharedState *state, gint64 lag, gboolean first, gboolean shown);
/* A buffer of this kind went downstream, which was shown before where it is @repeated. */
void fal_shared_state_note_pushed (FalSharedState *state, FalResultKind kind, gboolean repeated);
/* It is time for a picture at the constant rate (any thread). */
void fal_shared_state_note_tick (FalSharedState *state);

/* As the functions of the session that are named so. */
gboolean fal_shared_state_stop_flow (
    FalSharedState *state, GstFlowReturn returned, gboolean reported);
gboolean fal_shared_state_flows (FalSharedState *state);
gboolean fal_shared_state_relink (FalSharedState *state);

G_END_DECLS
