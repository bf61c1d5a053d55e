/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The session as its own files see it: session.c (its life), session-input.c and session-output.c
 * (the sides towards upstream and downstream), session-net.c (the connection), session-replies.c
 * (what comes over it), session-send.c (the send thread) and session-tell.c (what the owner hears).
 */
#pragma once

#include "request-builder.h"
#include "fal/net/downloader.h"
#include "fal/image/fallback-picture.h"
#include "fal/net/shared-connection.h"
#include "result-buffer.h"
#include "session.h"
#include "stats.h"
#include "fal/net/preflight.h"
#include "fal/policy/fallback.h"
#include "fal/policy/request-id.h"

G_BEGIN_DECLS

/* Results that wait for the source task; at so many no more requests are sent, so that a blocked
 * downstream costs neither memory nor the model's time. */
#define FAL_SESSION_MAX_RESULTS 4

/* A serialized event and the frame that it comes before. */
typedef struct {
  GstEvent *event;
  guint64 serial;
} EventItem;

void fal_event_item_free (EventItem *item);

/* The request that was answered last: more results for it may come. */
typedef struct {
  FalFrame *frame; /* NULL: none */
  guint64 serial;
  gint64 sent, received; /* of the request and its first result, monotonic µs */
  gchar *request_id;
  guint results;
  gboolean open; /* a streaming app has not said that this was all */
} FalAnswered;

struct _FalSession {
  FalSessionEvents callbacks;
  gpointer user;

  GThread *send_thread;
  FalRequestBuilder *composer; /* send thread, while it runs */
  FalSharedConnection *line;   /* with the net thread; from start to stop */
  guint tag;                   /* on the line */
  gchar *base_uri;             /* that of the endpoint, while running */
  gchar *address;              /* of the endpoint, as messages show it, while running */
  gchar *api_key; /* as it was at the start, while running: a file is read once; or NULL */
  FalKeyOrigin api_key_origin;
  gchar *server_error;        /* net thread; the name of the error that a connection ends with */
  FalDownloader *fetcher;     /* net thread; NULL until a result is only a link */
  GQueue fetches;             /* net thread; what the fetcher was given, freed when it answers */
  FalResultBuffer *renderer;  /* source task */
  FalFallbackPicture *filler; /* source task */
  gboolean in_outage;         /* source task; as was told last */

  GMutex lock;
  /* Everything below: lock. */
  GCond room;            /* upstream waits for it */
  GCond work;            /* the send thread waits for it */
  GCond output;          /* the source task waits for it */
  gboolean waits_room;   /* upstream does */
  gboolean waits_output; /* the source task does */
  gint64 asleep_until;   /* the send thread looks again then; G_MININT64: it is awake */
  FalSettings *settings;
  FalPacer *pacer;
  FalStats stats;
  FalSocketGuard *guard; /* of the open link, checked by the send thread; NULL: none */
  GQueue events;         /* EventItem, in order */
  GQueue results;        /* FalResult, in order */
  GQueue overtaken;      /* FalFrame whose result an event did not wait for, to be told of */
  GstFlowReturn flow;    /* why the flow stopped; OK: it did not */
  gboolean reported;     /* the application knows of it */
  gboolean refused;      /* downstream returned EOS: it takes events, but no more buffers */
  gboolean ended;        /* EOS came, or was made here */
  guint32 seqnum;        /* of the stream that came last, for what is made here */
  gboolean spent;        /* session-limit is over: the stream ended, for good */
  gboolean running;      /* between start and stop */
  gboolean live;
  gboolean online;
  gboolean closing; /* the connection is about to be ended: nothing is sent until that came */
  gboolean wanted;  /* a connection was asked for and does not stand yet */
  gint64 doomed; /* since when the connection is given up, and its replies count no more; 0: not */
  FalFaultKind doom;     /* why it is */
  gboolean told_warming; /* of the model that seems to be loading, since the last result */
  FalDialerState state;
  guint generation;      /* of the connection: what was made for an older one is not sent */
  guint64 next_serial;   /* of the next frame */
  guint64 newest_serial; /* of the newest one */
  guint64 filled_serial; /* of the newest one whose time was filled, or needed no filling */
  guint64 barrier;       /* an event went out before this one, without waiting for older ones */
  FalFallback outage;
  gboolean passing;       /* the last frame went by */
  gboolean bridging;      /* the model was switched on: frames pass until its first result */
  guint64 next_fetch;     /* number of the next fetch */
  gboolean fresh;         /* nothing was sent on the connection yet */
  gboolean ids_refused;   /* the app takes no request ids, though they were to be sent */
  GstStructure *feedback; /* what the next request takes from the last result; or NULL */
  gchar *last_token;      /* that the last connection was opened with; or NULL */
  FalFrame *newest;       /* that came from upstream, and its picture, for fal_session_send_now() */
  GstSample *newest_sample;
  FalAnswered answered;  /* what was answered last */
  gint64 drain_deadline; /* G_MAXINT64: not draining */
  gint64 last_received;  /* any message, monotonic µs */
  gint64 last_active;    /* a message or a request, or the opening of the connection */
  gint64 last_asked;     /* whether others need the connection too */
  gint64 last_warning;   /* about a single frame, monotonic µs */
};

/* The send thread. Data is the session. */
gpointer fal_session_send_main (gpointer session);

/* Joins and leaves the line. */
gboolean fal_session_connect (FalSession *session, FalEndpoint *endpoint, GError **error);
void fal_session_disconnect (FalSession *session);

/* On the net thread: a message that came for the members of the line. */
void fal_session_take_message (gpointer session, GBytes *message, gboolean text);
/* With the lock held. */
void fal_session_clear_answered (FalSession *session);

/* On the net thread: the settings of now go to the connection. */
gboolean fal_session_configure_connection (gpointer session);

/* Sends @message (taken) where the connection is still that of @generation; where it is not, the
 * pacer knows already that the request is lost. */
void fal_session_transmit (FalSession *session, GBytes *message, guint generation);

/* With the lock held. */
void fal_session_wake_all (FalSession *session);
/* With the lock held: wakes that thread where it waits and now has something to do. To wake one
 * for nothing costs more than all else that is done for a frame but its picture. */
void fal_session_call_upstream (FalSession *session);
void fal_session_call_sender (FalSession *session);
void fal_session_call_task (FalSession *session);
/* With the lock held. */
void fal_session_note_connection (FalSession *session);
/* With the lock held, on the net thread: requests may go. */
void fal_session_go_online (FalSession *session);

/* With the lock held: whether a request id is sent. */
gboolean fal_session_sends_ids (const FalSession *session);
/* With the lock held: the settings go to the pacer. */
void fal_session_configure_pacer (FalSession *session);

/* With the lock held: whether nothing is to be sent for the time being. */
gboolean fal_session_is_held (const FalSession *session);
/* With the lock held: frames that can go nowhere ask for a connection, once. */
void fal_session_call_for_connection (FalSession *session);

/* With the lock held: whether frames are on their way to the app and back. */
gboolean fal_session_is_busy (const FalSession *session);
/* With the lock held: the connection is closed as soon as the net thread is free; until it is
 * nothing more is sent. */
void fal_session_hop_close (FalSession *session);
/* With the lock held: the same, unless a frame comes before that, or other members need it. */
void fal_session_let_go (FalSession *session);
/* With the lock held: lets go of a connection that nothing is under way on. */
void fal_session_close_when_idle (FalSession *session);

/* With the lock held: a request came to its end. */
void fal_session_note_progress (FalSession *session);
/* With the lock held: nothing of this connection counts any more, it is made anew, for the reason
 * @kind; FAL_FAULT_ASKED: without a warning. */
void fal_session_doom_connection (FalSession *session, FalFaultKind kind);

/* With the lock held: the session is over before upstream ends it. EOS goes out, and upstream gets
 * it with its next frame. */
void fal_session_spend (FalSession *session);

/* With the lock held: the oldest result gives way; an answer counts as late, and is to be told of.
 */
void fal_session_drop_result (FalSession *session);

/* With the lock held: whether the source task has to look what it shows while no result comes. */
gboolean fal_session_needs_filling (const FalSession *session, gint64 now);

/* With the lock held: whether the flow ended with an error that upstream, which has sent EOS, will
 * not learn of, and that was not reported yet. */
gboolean fal_session_is_unheard (const FalSession *session);

/* With the lock held: the drain timeout begins, or begins anew where something came. */
void fal_session_renew_deadline (FalSession *session);

/* With the lock held. */
void fal_session_clear_results (FalSession *session);
void fal_session_clear_newest (FalSession *session);
/* With the lock held: nothing that came so far brings a result any more. */
void fal_session_forget_frames (FalSession *session);

FalSettings *fal_session_dup_settings (FalSession *session);

/* The API key of @settings (borrowed); that of a file as it was at the start. */
const gchar *fal_session_get_api_key (
    FalSession *session, const FalSettings *settings, FalKeyOrigin *origin);

/* Tells the owner of a trouble, without a secret in it: the one way there. @details is taken; may
 * be NULL. */
void fal_session_tell (
    FalSession *session, gboolean fatal, const GError *error, GstStructure *details);

/* A warning about a single frame, at most one a second. @details as above. */
void fal_session_warn (FalSession *session, const GError *error, GstStructure *details);

/* @text without any secret of the session's. */
gchar *fal_session_redact (FalSession *session, const gchar *text);

/* One line of the story of the stream; to hold no secret. */
void fal_session_note (FalSession *session, const gchar *format, ...) G_GNUC_PRINTF (2, 3);

/* Tells the owner of @frame, which was dropped; of all that were dropped since. */
void fal_session_tell_drop (FalSession *session, const FalFrame *frame);
void fal_session_tell_drops (FalSession *session);

G_END_DECLS
