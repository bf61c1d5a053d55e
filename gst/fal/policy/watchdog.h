/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether the connection is needed, and when it is to be ended: idle, silent, dead, or paid for for
 * long enough.
 *
 * Pure: no thread, lock, clock, socket or log. Guarded by the mutex of the session's shared state.
 * Times are microseconds of a monotonic clock, given as arguments; G_MAXINT64 stands for "not
 * before something else happens". */
#pragma once

#include "fault.h"

G_BEGIN_DECLS

/* A peer that was sent a request, and pings since, is gone when nothing came for so long. */
#define FAL_WATCHDOG_DEAD_AFTER (12 * G_TIME_SPAN_SECOND)
/* The same where a request has expired: a ping was out, and its answer would have come. */
#define FAL_WATCHDOG_PING_MISSED (7 * G_TIME_SPAN_SECOND)
/* How long the net thread may take to let go of a connection that was given up. */
#define FAL_WATCHDOG_CUT_AFTER (100 * G_TIME_SPAN_MILLISECOND)
/* A model that says nothing on an open connection is waited for, and told of so often. */
#define FAL_WATCHDOG_REMIND_AFTER (60 * G_TIME_SPAN_SECOND)
/* Most doublings of request-timeout, where a connection is made anew since its model seemed to be
 * loading: one that takes its time would never get there otherwise. */
#define FAL_WATCHDOG_MAX_DOUBLINGS 6

typedef struct {
  gint64 idle_timeout;    /* 0: none */
  gint64 session_limit;   /* 0: none */
  gint64 request_timeout; /* 0: none */
} FalWatchdogConfig;

typedef struct {
  FalWatchdogConfig config;
  gboolean open;       /* a connection stands */
  gboolean online;     /* and requests may go over it */
  gboolean wanted;     /* one was asked for and does not stand yet */
  gboolean closing;    /* it is about to be ended: nothing is sent until that came */
  gint64 given_up;     /* since when its replies count no more; 0: they do */
  FalFaultKind fault;  /* why it was given up */
  gboolean cut;        /* it was cut */
  gint64 heard;        /* when anything was last heard of the peer, as its socket tells */
  gint64 received;     /* when the last message came */
  gint64 active;       /* when the last message, request or connection came or went */
  gint64 asked;        /* when the other members were last asked whether they need it */
  gint64 silent_since; /* when the first request went after which no result came; 0: none did */
  gint64 reminded;     /* when that was last told of */
  guint loadings;      /* connections in a row that were made anew since the model was loading */
  gboolean greeted;    /* all that came is "ready", as apps of WebRTC say it */
  gint64 paid_since;   /* from when its time counts for session-limit; 0: it does not */
  gint64 paid;         /* time of earlier connections that counts */
} FalWatchdog;

/* A new start; the configuration stays. */
void fal_watchdog_reset (FalWatchdog *watchdog);
void fal_watchdog_configure (FalWatchdog *watchdog, const FalWatchdogConfig *config);

/* ---- what happened ---- */

void fal_watchdog_note_opened (FalWatchdog *watchdog, gint64 now);
void fal_watchdog_note_online (FalWatchdog *watchdog);
void fal_watchdog_note_ended (FalWatchdog *watchdog);
void fal_watchdog_note_message (FalWatchdog *watchdog, gint64 now);
void fal_watchdog_note_request (FalWatchdog *watchdog, gint64 now);
/* A message or request came or went over another connection of the stream. */
void fal_watchdog_note_activity (FalWatchdog *watchdog, gint64 now);
void fal_watchdog_note_heard (FalWatchdog *watchdog, gint64 heard);
void fal_watchdog_note_result (FalWatchdog *watchdog);
void fal_watchdog_note_greeting (FalWatchdog *watchdog);
/* The connected time: @since (0: not connected) in addition to @time. */
void fal_watchdog_note_connected_time (FalWatchdog *watchdog, gint64 since, gint64 time);

/* ---- what is decided ---- */

/* Frames wait that can go nowhere. TRUE: a connection is to be asked for, once. */
gboolean fal_watchdog_want (FalWatchdog *watchdog);
/* The connection is closed on purpose. */
void fal_watchdog_close (FalWatchdog *watchdog);
/* The connection is not needed any more. TRUE: the other members are to be asked, and it is closed
 * where they do not need it either. */
gboolean fal_watchdog_release (FalWatchdog *watchdog, gint64 now);
/* Another member needs it. */
void fal_watchdog_keep (FalWatchdog *watchdog);
/* Whether this member needs it. Where it does not, nothing is sent until it has ended, or
 * fal_watchdog_keep(). @active: frames may be sent at all; @busy: some are under way. */
gboolean fal_watchdog_needs (FalWatchdog *watchdog, gboolean active, gboolean busy, gint64 now);
/* Nothing of this connection counts any more; it is made anew, for the reason @kind. FALSE: it was
 * given up already. */
gboolean fal_watchdog_give_up (FalWatchdog *watchdog, FalFaultKind kind, gint64 now);

/* Whether requests may go, as far as the connection is concerned. */
gboolean fal_watchdog_is_online (const FalWatchdog *watchdog);
gboolean fal_watchdog_is_closing (const FalWatchdog *watchdog);
/* Whether replies count. */
gboolean fal_watchdog_is_given_up (const FalWatchdog *watchdog);
FalFaultKind fal_watchdog_get_fault (const FalWatchdog *watchdog);
/* Whether an app that had to say that it is ready may be sent requests now. */
gboolean fal_watchdog_awaits_ready (const FalWatchdog *watchdog);

/* When a connection that was given up has to be cut from another thread, since its peer keeps the
 * net thread busy; and that this was done. */
gint64 fal_watchdog_get_cut_time (const FalWatchdog *watchdog);
void fal_watchdog_note_cut (FalWatchdog *watchdog);
/* Whether the peer has gone without a word. @sent: when the oldest request that is unanswered went;
 * G_MAXINT64: there is none. */
gboolean fal_watchdog_is_dead (const FalWatchdog *watchdog, gint64 sent, gint64 now);
/* When the connection has had nothing to do for too long. One that others need is asked about again
 * after a while. @spent: nothing will be sent any more. */
gint64 fal_watchdog_get_idle_time (const FalWatchdog *watchdog, gboolean busy, gboolean spent);
/* When the app has said nothing for as long as an answer may take; G_MAXINT64: never, since that
 * may take any time. */
gint64 fal_watchdog_get_quiet_time (const FalWatchdog *watchdog);
/* When @n connections have been paid for for long enough, all together. */
gint64 fal_watchdog_get_limit_time (const FalWatchdog *watchdogs, guint n);

/* When it is to be told that no result comes; and that this is done now: for how long none came.
 * @busy: requests are unanswered. */
gint64 fal_watchdog_get_reminder_time (const FalWatchdog *watchdog, gboolean busy);
gint64 fal_watchdog_remind (FalWatchdog *watchdog, gint64 now);
gboolean fal_watchdog_has_greeted (const FalWatchdog *watchdog);
/* How long an answer is waited for, as things are; 0: without end. */
gint64 fal_watchdog_get_patience (const FalWatchdog *watchdog);

/* The request sent at @sent got no answer in time: why. FAL_FAULT_LOADING: the connection is
 * @warming_up, since no result ever came over it, but the peer was heard of: its model may be
 * loading. */
FalFaultKind fal_watchdog_judge_silence (
    const FalWatchdog *watchdog, gboolean warming_up, gint64 sent, gint64 now);
/* Whether that connection is to be made anew, since a late reply could be taken for another
 * frame's, or since it brought nothing at all meanwhile. @echoes: replies were seen to carry the
 * request's id; @tells_apart: the same, or the app is known to do so. */
gboolean fal_watchdog_is_useless (const FalWatchdog *watchdog, FalFaultKind kind, gboolean echoes,
    gboolean tells_apart, gint64 now);

G_END_DECLS
