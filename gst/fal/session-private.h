/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The session as its own files see it: session.c (its life), session-flow.c
 * (the two pads' sides), session-net.c (the net thread) and session-send.c (the
 * send thread). */
#pragma once

#include "renderer.h"
#include "session.h"
#include "stats.h"

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

struct _FalSession {
  FalSessionEvents callbacks;
  gpointer user;

  GThread *net_thread, *send_thread;
  GMainContext *context; /* of the net thread; made by start, let go by stop */
  GMainLoop *loop;
  gchar *base_uri;           /* that of the endpoint, while running */
  FalEndpoint *endpoint;     /* on its way from start to the net thread */
  FalConnection *connection; /* net thread */
  FalRenderer *renderer;     /* source task */

  GMutex lock;
  /* Everything below: lock. */
  GCond room;   /* upstream waits for it */
  GCond work;   /* the send thread waits for it */
  GCond output; /* the source task waits for it */
  FalSettings *settings;
  FalPacer *pacer;
  FalStats stats;
  FalGuard *guard;    /* of the open link, checked by the send thread; NULL: none */
  GQueue events;      /* EventItem, in order */
  GQueue results;     /* FalResult, in order */
  GstFlowReturn flow; /* why the flow stopped; OK: it did not */
  gboolean reported;  /* the application knows of it */
  gboolean refused;   /* downstream returned EOS: it takes events, but no more buffers */
  gboolean running;   /* between start and stop */
  gboolean net_alive; /* the net thread has not ended */
  gboolean live;
  gboolean online;
  gboolean wanted; /* a connection was asked for and does not stand yet */
  gint64 doomed; /* since when the connection is given up, and its replies count no more; 0: not */
  FalDialerState state;
  guint generation;      /* of the connection: what was made for an older one is not sent */
  guint64 next_serial;   /* of the next frame */
  gint64 drain_deadline; /* G_MAXINT64: not draining */
  gint64 last_received;  /* any message, monotonic µs */
  gint64 last_warning;   /* about a single frame, monotonic µs */
};

/* The threads. Data is the session. */
gpointer fal_session_net_main (gpointer session);
gpointer fal_session_send_main (gpointer session);

/* Runs @function (@data) on the net thread; work goes there in no other way. */
void fal_session_hop (
    FalSession *session, GSourceFunc function, gpointer data, GDestroyNotify destroy);

/* On the net thread: the settings of now go to the connection. */
gboolean fal_session_configure_connection (gpointer session);

/* Sends @message (taken) where the connection is still that of @generation; where it is not, the
 * pacer knows already that the request is lost. */
void fal_session_transmit (FalSession *session, GBytes *message, guint generation);

/* With the lock held. */
void fal_session_wake_all (FalSession *session);
/* With the lock held: whether nothing is to be sent for the time being. */
gboolean fal_session_is_held (const FalSession *session);
/* With the lock held: frames that can go nowhere ask for a connection, once. */
void fal_session_call_for_connection (FalSession *session);

/* With the lock held: the drain timeout begins, or begins anew where something came. */
void fal_session_renew_deadline (FalSession *session);

/* With the lock held. */
void fal_session_clear_results (FalSession *session);

FalSettings *fal_session_dup_settings (FalSession *session);

/* A warning about a single frame, at most one a second. */
void fal_session_warn (FalSession *session, const GError *error);

G_END_DECLS
