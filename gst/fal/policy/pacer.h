/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which frame goes when, what is in flight, and which frame a reply answers.
 *
 * Pure: no thread, lock, clock or log. The session calls it with its mutex
 * held. Times are microseconds of a monotonic clock, given as arguments; G_MAXINT64
 * stands for "not before something else happens". Frames are opaque and owned from
 * fal_pacer_offer() until they are taken back or given up. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Without request ids two in flight are all that can be matched safely: a server that drops
 * silently keeps one running and at least one waiting. */
#define FAL_PACER_MAX_UNIDENTIFIED 2

typedef struct {
  gint64 throttle_interval; /* between two sends, 0: none */
  guint max_waiting;        /* frames, at least 1 */
  guint max_in_flight;      /* requests, at least 1 */
  gboolean adaptive;        /* within that, as few as keep the model busy */
  gboolean leaky;           /* a newer frame takes the place of the oldest; else upstream waits */
  gboolean identified;      /* request ids are sent */
  gboolean echo_known;      /* and known to come back */
  gint64 request_timeout;   /* 0: none */
} FalPacerConfig;

/* Each frame is in exactly one of these: the two sums of a pacer,
 *   in = sent + dropped_* + waiting   and
 *   sent = answered + failed + expired + lost + in flight,
 * hold after every call. */
typedef struct {
  guint64 in, sent;
  guint64 dropped_throttled, dropped_replaced, dropped_offline, dropped_flushed;
  guint64 answered, failed, expired, lost;
} FalPacerCounts;

typedef struct _FalPacer FalPacer;

FalPacer *fal_pacer_new (GDestroyNotify frame_free);
void fal_pacer_free (FalPacer *pacer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalPacer, fal_pacer_free)

/* Takes effect with the next decision. */
void fal_pacer_configure (FalPacer *pacer, const FalPacerConfig *config);

/* Whether requests can travel: a connection stands and replies are taken. */
void fal_pacer_set_online (FalPacer *pacer, gboolean online);

/* No more frames come: the trailing one need not wait for the throttle. A new
 * frame ends it. */
void fal_pacer_drain (FalPacer *pacer);

/* Whether a frame can be offered now; always TRUE where the pacer is leaky. */
gboolean fal_pacer_has_room (const FalPacer *pacer);

/* Takes @frame, number @serial of the stream (rising), of @time: in any unit, see
 * fal_pacer_set_earliest(). The oldest waiting one is dropped where there is no room.
 * Returns how many were dropped: 0 or 1. */
guint fal_pacer_offer (FalPacer *pacer, gpointer frame, guint64 serial, guint64 time, gint64 now);

/* Frames of an earlier time than this would come too late: where frames drop they are not
 * sent, but wait for a newer one to take their place. 0: none. The trailing one goes all the
 * same. */
void fal_pacer_set_earliest (FalPacer *pacer, guint64 time);

/* A frame (transfer full) that was dropped, or whose request was given up without an answer,
 * but by no flush; the oldest such that was not popped yet, or NULL. */
gpointer fal_pacer_pop_dropped (FalPacer *pacer);
gboolean fal_pacer_has_dropped (const FalPacer *pacer);

/* When fal_pacer_take() will have a frame. */
gint64 fal_pacer_next_time (const FalPacer *pacer, gint64 now);

/* The frame to send now, or NULL. It stays owned by the pacer and alive until a
 * later call resolves it: take a reference before letting go of the lock.
 * @request_id, unique in the pacer's life, is to be sent where ids are. */
gpointer fal_pacer_take (FalPacer *pacer, gint64 now, guint64 *request_id);

/* The next frame goes at once, whatever the throttle and the window say, as far as
 * max_in_flight allows. */
void fal_pacer_urge (FalPacer *pacer);

/* The counts begin anew, with what waits and what is in flight. */
void fal_pacer_reset_counts (FalPacer *pacer);

/* Whether the request in flight will be sent again should its connection be lost. */
gboolean fal_pacer_keeps (const FalPacer *pacer, guint64 request_id);

/* A reply. Where @request_id is NULL, or no id of ours, the oldest request is meant;
 * but from an app that echoes our ids, none for another id, and the oldest for no id
 * only where there is no other. Requests older than
 * the answered one are given up as lost: the server dropped them. Returns the frame
 * (transfer full) with its serial and the time it was sent; NULL where no request is
 * meant, or its frame was flushed away meanwhile (then *@known is TRUE). */
gpointer fal_pacer_answer (FalPacer *pacer, const gchar *request_id, gint64 now, gint64 *sent_time,
    guint64 *serial, gboolean *known);

/* The oldest request failed (an error, a reply nobody can read): given up. */
gboolean fal_pacer_fail_oldest (FalPacer *pacer);

/* A request that could not be sent after all: given up. */
gboolean fal_pacer_fail (FalPacer *pacer, guint64 request_id);

/* Gives up the requests that are older than the timeout; how many there were. */
guint fal_pacer_expire (FalPacer *pacer, gint64 now);
gint64 fal_pacer_next_expiry (const FalPacer *pacer);

/* The connection went, with what was in flight. A leaky pacer gives it up as
 * lost; another one sends it again, first thing on the next connection. */
void fal_pacer_lose (FalPacer *pacer);

/* The stream was flushed: waiting frames are dropped, replies to what is in
 * flight will count but find no frame, and what was to go again is lost. The next
 * frame goes without throttle. */
void fal_pacer_flush (FalPacer *pacer);

/* Gives up everything: waiting frames as dropped, requests as expired where their
 * time is over, else as lost. Where it is not over the stream is, and nothing can be popped. */
void fal_pacer_abandon (FalPacer *pacer, gboolean timed_out);

/* Whether older frames give way to newer ones. */
gboolean fal_pacer_is_leaky (const FalPacer *pacer);

/* Whether the app was seen to echo request ids. */
gboolean fal_pacer_echoes (const FalPacer *pacer);
/* The same, or it is known to do so: a late reply cannot be taken for another frame's. */
gboolean fal_pacer_tells_apart (const FalPacer *pacer);

/* When the oldest request in flight was sent; G_MAXINT64: there is none. */
gint64 fal_pacer_get_oldest_sent (const FalPacer *pacer);

guint fal_pacer_get_waiting (const FalPacer *pacer);
guint fal_pacer_get_in_flight (const FalPacer *pacer);
/* The serial of the oldest frame that may still bring a result; G_MAXUINT64: none. */
guint64 fal_pacer_get_oldest (const FalPacer *pacer);
/* That frame itself (borrowed), or NULL. */
gpointer fal_pacer_peek_oldest (const FalPacer *pacer);
const FalPacerCounts *fal_pacer_get_counts (const FalPacer *pacer);

G_END_DECLS
