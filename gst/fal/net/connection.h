/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One WebSocket to an endpoint, kept up as the dialer says; bytes only.
 *
 * Belongs to the net thread: every function is called there, and every event is
 * delivered there, from the thread-default main context at fal_connection_new().
 * No lock of the owner may be held when calling in; the owner's events are called
 * with none held. libsoup is seen by this room and those
 * that it is built of alone: link, token, transport, diagnosis. */
#pragma once

#include "credentials.h"
#include "fal/wire/endpoint.h"
#include "fal/policy/dialer.h"
#include "socket-guard.h"
#include "token-promise.h"

#include <gst/gst.h>

G_BEGIN_DECLS

/* Borrowed for the call of fal_connection_configure(), which copies what it keeps. */
typedef struct {
  FalAuth auth;
  const gchar *token;
  const gchar *api_key;
  FalKeyOrigin api_key_origin;
  const gchar *token_uri;
  const gchar *token_proxy_uri; /* asked in its place, without the key; NULL: none */
  FalTokenRequest token_request;
  guint token_expiration; /* seconds */
  guint max_buffering;
  guint64 max_message_size;
  GTlsCertificateFlags tls_validation_flags; /* which errors of a certificate count */
  GTlsDatabase *tls_database;                /* NULL: the system's */
  const gchar *proxy;                        /* NULL: as the system is set up */
  const gchar *user_agent;
  const GstStructure *extra_headers; /* of the upgrade and the token request; or NULL */
  FalDialerConfig dialer;            /* fetches_token is worked out here */
} FalConnectionConfig;

typedef struct {
  void (*opened) (gpointer user);
  void (*message) (gpointer user, GBytes *message, gboolean text);
  /* The attempt or connection ended. @error tells what happened and what to do,
   * without a secret. Not called for an end that the owner asked for. */
  void (*ended) (gpointer user, FalVerdict verdict, const FalFault *fault, const GError *error);
  void (*state_changed) (gpointer user, FalDialerState state);
  /* Whether somebody gives tokens; and the question for one, which may be answered at any time
   * on any thread. */
  gboolean (*has_provider) (gpointer user);
  void (*request_token) (gpointer user, FalTokenPromise *provision);
  /* A certificate that did not pass: TRUE where it is good all the same. */
  gboolean (*accept_certificate) (gpointer user, GTlsConnection *tls, GTlsCertificate *certificate,
      GTlsCertificateFlags errors);
} FalConnectionEvents;

typedef struct {
  guint64 connections, token_requests, bytes_sent, bytes_received;
  gint64 connected_since; /* monotonic µs; 0: not connected */
  gint64 connected_time;  /* µs, of connections that ended */
} FalConnectionCounts;

typedef struct _FalConnection FalConnection;

/* @endpoint is taken. */
FalConnection *fal_connection_new (
    FalEndpoint *endpoint, const FalConnectionEvents *events, gpointer user);

/* Ends what is open at once, however the peer behaves, and runs its main context
 * until no operation of it is left. */
void fal_connection_free (FalConnection *connection);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalConnection, fal_connection_free)

/* Takes effect with the next attempt. */
void fal_connection_configure (FalConnection *connection, const FalConnectionConfig *config);

/* There is something to send: connects, if need be after a delay. */
void fal_connection_want (FalConnection *connection);

/* One binary frame; FALSE where no connection stands. What is queued inside is
 * bounded by what the owner allows in flight. */
gboolean fal_connection_send (FalConnection *connection, GBytes *message);

/* What the owner read in the messages. */
void fal_connection_note_result (FalConnection *connection);
void fal_connection_note_idle (FalConnection *connection);
/* Ends the connection as faulty: reported through ended(). @detail: more about it, or NULL. */
void fal_connection_fail (FalConnection *connection, FalFaultKind kind, const gchar *detail);

/* Ends the attempt or connection on the owner's wish, politely; not from within an event: ended()
 * says so as FAL_FAULT_ASKED. The next one begins when it is wanted. */
void fal_connection_close (FalConnection *connection);

/* That of the link that is open (borrowed), or NULL. Some other thread is to check it. */
FalSocketGuard *fal_connection_get_guard (FalConnection *connection);

/* The token that the link was opened with (borrowed, never to be shown), or NULL. */
const gchar *fal_connection_get_token (FalConnection *connection);

guint fal_connection_get_attempt (FalConnection *connection);
const FalConnectionCounts *fal_connection_get_counts (FalConnection *connection);

G_END_DECLS
