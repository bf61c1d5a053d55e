/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which frame goes when, and over which of the stream's connections; what is in flight, and which
 * frame a reply answers.
 *
 * A stream has one connection or more, its lanes, numbered from 0. What waits, and the rules of
 * what is dropped, are the stream's; each lane has its own window, throttle and requests in flight.
 * A frame that is to go again goes over whichever is ready first.
 *
 * Pure: no thread, lock, clock or log. The session calls it with its mutex
 * held. Times are microseconds of a monotonic clock, given as arguments; G_MAXINT64
 * stands for "not before something else happens". Frames are opaque and owned from
 * fal_pacer_offer() until they are taken back or given up. */
#pragma once

#include "stillness.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  gint64 throttle_interval; /* between two sends over one lane, 0: none */
  guint max_waiting;        /* frames, at least 1 */
  guint max_in_flight;      /* requests in each lane, at least 1 */
  gboolean adaptive;        /* within that, as few as keep the model busy */
  gboolean trusted;         /* so many whatever is known of the app: it takes them all */
  guint block_size;         /* requests that are answered together; 0: each by itself */
  guint first_block;        /* the same of a connection's first answer; 0: as many */
  gboolean opens;           /* the first message of a connection brings a frame and no answer */
  gboolean streaming;       /* a request has results until the connection ends */
  gboolean leaky;           /* a newer frame takes the place of the oldest; else upstream waits */
  gboolean identified;      /* request ids are sent */
  gboolean echo_known;      /* and known to come back */
  gint64 request_timeout;   /* 0: none */
} FalPacerConfig;

/* A frame goes this often, where none may be lost: with so many tries unanswered in time, or so
 * many connections in a row that died while it was out, it is given up. */
#define FAL_PACER_MAX_TRIES 3

/* Each frame is in exactly one of these: the two sums of a pacer,
 *   in = sent + dropped_* + waiting   and
 *   sent = answered + failed + expired + lost + in flight,
 * hold after every call. A frame that is to go again waits again, and was not sent. */
typedef struct {
  guint64 in, sent;
  guint64 repeated; /* requests for a frame that went before */
  guint64 dropped_throttled, dropped_replaced, dropped_offline, dropped_flushed;
  guint64 dropped_invalid;   /* upstream's picture is broken */
  guint64 dropped_absent;    /* nothing of it is to be sent */
  guint64 dropped_unchanged; /* it shows what the last one that was sent showed */
  guint64 answered, failed, expired, lost;
} FalPacerCounts;

typedef struct _FalPacer FalPacer;

/* @n_lanes: at least 1. It is configured before anything else. */
FalPacer *fal_pacer_new (GDestroyNotify frame_free, guint n_lanes);
void fal_pacer_free (FalPacer *pacer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalPacer, fal_pacer_free)

/* Takes effect with the next decision. */
void fal_pacer_configure (FalPacer *pacer, const FalPacerConfig *config);

/* Whether requests can travel over @lane: a connection stands and replies are taken. */
void fal_pacer_set_online (FalPacer *pacer, guint lane, gboolean online);

/* No more frames come: the trailing one need not wait for the throttle, and a block that is not
 * whole expires. A new frame ends it. */
void fal_pacer_drain (FalPacer *pacer);

/* Whether a frame can be offered now; always TRUE where the pacer is leaky. */
gboolean fal_pacer_has_room (const FalPacer *pacer);

/* Takes @frame, number @serial of the stream (rising), of @time: in any unit, see
 * fal_pacer_set_earliest(). The oldest waiting one is dropped where there is no room.
 * Returns how many were dropped: 0 or 1. */
guint fal_pacer_offer (FalPacer *pacer, gpointer frame, guint64 serial, guint64 time, gint64 now);

/* A frame came of which nothing is to be sent. */
void fal_pacer_skip (FalPacer *pacer);

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

/* Where replies cannot be told apart, by an id that the app is known to echo, they are taken for
 * the oldest request, and so few are out that none is taken for another's: see
 * fal_window_next_time_in_order() for those that adapt, and one at a time otherwise, unless the
 * pacer is trusted. Of an app that streams there is one on each connection.
 *
 * The frame to send now over *@lane, or NULL. It stays owned by the pacer and alive until a
 * later call resolves it: take a reference before letting go of the lock.
 * @request_id, unique in the pacer's life, is to be sent where ids are. 0: the message only opens
 * the connection; it is no request, and the frame still waits to be sent as one. */
gpointer fal_pacer_take (FalPacer *pacer, gint64 now, guint64 *request_id, guint *lane);

/* The next frame goes at once, whatever the throttle and the window say, as far as
 * max_in_flight allows. */
void fal_pacer_urge (FalPacer *pacer);

/* The counts begin anew, with what waits and what is in flight. */
void fal_pacer_reset_counts (FalPacer *pacer);

/* Whether the frame of the request may be sent again: it is kept until it is answered, or waits for
 * that already. The message that only opens the connection has a frame that waits, too. */
gboolean fal_pacer_keeps (const FalPacer *pacer, guint64 request_id);

/* The same of @frame itself. */
gboolean fal_pacer_keeps_frame (const FalPacer *pacer, gconstpointer frame);

typedef enum {
  FAL_MATCH_ANSWERS,  /* a request, which is over */
  FAL_MATCH_LATE,     /* none that is still out */
  FAL_MATCH_FOREIGN,  /* nobody's: its id was never sent on this connection */
  FAL_MATCH_DOUBTFUL, /* foreign, or an app's with ids of its own: what comes next settles it */
} FalMatch;

typedef struct {
  FalMatch match;
  gboolean echoed; /* the reply bears an id that was sent on this connection */

  /* ANSWERS */
  gpointer frame; /* transfer full; NULL: it was flushed away */
  guint64 serial; /* of the frame */
  gint64 sent;    /* when the request went */
} FalPacerAnswer;

/* A reply over @lane, with @request_id or without (NULL): which request it answers.
 *
 * An id of ours names it, and the order is that of the lane. Once the app was seen to echo our ids,
 * no other id means any request, and a reply without one the oldest only where there is no other.
 * An app that does not echo answers in order. An id that is not ours is doubtful until it is known
 * which kind of app this is: the caller keeps the reply, and asks again with @settled when a while
 * has passed. Where no echo came in that time the app has ids of its own, and the reply answers the
 * oldest request, as all later ones do.
 *
 * Requests older than the answered one were dropped by the server. Those that need not be kept are
 * given up as lost; the others go again, unless their answers come very soon. */
void fal_pacer_answer (FalPacer *pacer, guint lane, const gchar *request_id, gboolean settled,
    gint64 now, FalPacerAnswer *answer);
/* Whether @request_id, which may be NULL, was sent since the connection of @lane stands. */
gboolean fal_pacer_has_sent (const FalPacer *pacer, guint lane, const gchar *request_id);

/* A reply in place of an answer (an error, one that nobody can read) with @request_id or without:
 * its request fails, where it can be told which that is. An app that echoes and sends none with its
 * id has answered all requests with them as soon as there are as many. TRUE: one has failed. */
gboolean fal_pacer_fail_answered (FalPacer *pacer, guint lane, const gchar *request_id, gint64 now);

/* The oldest request of @lane failed: given up. */
gboolean fal_pacer_fail_oldest (FalPacer *pacer, guint lane);

/* A request that could not be sent after all: given up. */
gboolean fal_pacer_fail (FalPacer *pacer, guint64 request_id);

/* A request that is not sent, since its frame's picture is broken: the frame is dropped, as if it
 * had not been taken. */
gboolean fal_pacer_drop_invalid (FalPacer *pacer, guint64 request_id);

/* Takes out the frame that waits for longest (transfer full), since it shows what the last one that
 * was sent showed: it is counted as such, and not as one that the application is told of. */
gpointer fal_pacer_drop_unchanged (FalPacer *pacer);
/* What became of the newest frame that was sent, and its serial; 0: none was. An older one that
 * goes again changes neither. */
guint64 fal_pacer_get_last (const FalPacer *pacer);
FalOutcome fal_pacer_get_outcome (const FalPacer *pacer);

/* The message that was to open the connection could not be sent: its frame, or that which took its
 * place, fails or is @invalid, and another one is to open it. */
void fal_pacer_fail_opening (FalPacer *pacer, guint lane, gboolean invalid);

/* Ends the requests of @lane that are older than the timeout, and those that were overtaken long
 * ago; how many of the first there were. What must be kept goes again; @patient: as often as it
 * takes, since the model is not there yet. */
guint fal_pacer_expire (FalPacer *pacer, guint lane, gboolean patient, gint64 now);
gint64 fal_pacer_next_expiry (const FalPacer *pacer);

/* The connection of @lane went, with what was in flight. What must be kept goes again, first thing
 * on the next one or on another lane, and so does the newest frame, of serial @newest (0: it
 * cannot), where nothing else waits and it is not just one of a block. The rest is lost. @died: by
 * itself, so that a request may be to blame. One that was out when FAL_PACER_MAX_TRIES in a row
 * died is given up; before that it goes alone, so that no other is blamed for it. */
void fal_pacer_lose (FalPacer *pacer, guint lane, gboolean died, guint64 newest);

/* Frames that are not tried any more since the last call; FALSE: there are none. */
typedef struct {
  guint unanswered; /* so often */
  guint deadly;     /* connections died of them */
} FalPacerGivenUp;
gboolean fal_pacer_take_given_up (FalPacer *pacer, FalPacerGivenUp *given_up);
gboolean fal_pacer_has_given_up (const FalPacer *pacer);

/* Whether a frame waits to go again. */
gboolean fal_pacer_has_repeat (const FalPacer *pacer);

/* The stream was flushed: waiting frames are dropped, those that were to go again, too, and replies
 * to what is in flight will count but find no frame. The next frame goes without throttle. */
void fal_pacer_flush (FalPacer *pacer);

/* Gives up everything: waiting frames as dropped, requests as expired where their
 * time is over, else as lost. Where it is not over the stream is, and nothing can be popped. */
void fal_pacer_abandon (FalPacer *pacer, gboolean timed_out);

/* Whether a frame waits for the end of the connection of @lane, which did what it is for. */
gboolean fal_pacer_awaits_end (const FalPacer *pacer, guint lane);

/* Whether older frames give way to newer ones. */
gboolean fal_pacer_is_leaky (const FalPacer *pacer);

/* Whether the app was seen to echo request ids. */
gboolean fal_pacer_echoes (const FalPacer *pacer);
/* The same, or it is known to do so: a late reply cannot be taken for another frame's. */
gboolean fal_pacer_tells_apart (const FalPacer *pacer);

/* When the oldest request of @lane was sent; G_MAXINT64: there is none. */
gint64 fal_pacer_get_oldest_sent (const FalPacer *pacer, guint lane);

/* Whether an answer may come to what is in flight: a block that is not whole brings none. */
gboolean fal_pacer_awaits_answer (const FalPacer *pacer);
/* Whether something waits, or is in flight. Where frames drop, one that is part of a block that is
 * not whole is not: it may be that no other follows. */
gboolean fal_pacer_is_busy (const FalPacer *pacer);

guint fal_pacer_get_waiting (const FalPacer *pacer);
guint fal_pacer_get_in_flight (const FalPacer *pacer);

/* What went over a lane. The lanes' counts are those of the stream together. */
typedef struct {
  guint64 sent, answered;
  guint in_flight;
} FalPacerLane;
void fal_pacer_get_lane (const FalPacer *pacer, guint lane, FalPacerLane *view);
/* The serial of the oldest frame after number @after that may still bring a result; G_MAXUINT64:
 * none. */
guint64 fal_pacer_get_oldest_after (const FalPacer *pacer, guint64 after);
/* Whether frame number @serial may still bring a result. */
gboolean fal_pacer_may_answer (const FalPacer *pacer, guint64 serial);
/* The oldest frame that may still bring one (borrowed), or NULL. */
gpointer fal_pacer_peek_oldest (const FalPacer *pacer);
/* The frame that waits for longest (borrowed), or NULL; and its serial, or 0. */
gpointer fal_pacer_peek_next (const FalPacer *pacer);
guint64 fal_pacer_get_next (const FalPacer *pacer);
/* Calls @function for each frame that waits or is in flight. */
void fal_pacer_foreach (const FalPacer *pacer, GFunc function, gpointer user);
/* The same for those in flight alone. */
void fal_pacer_foreach_sent (const FalPacer *pacer, GFunc function, gpointer user);
const FalPacerCounts *fal_pacer_get_counts (const FalPacer *pacer);

G_END_DECLS
