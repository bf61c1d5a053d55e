/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One WebSocket to an endpoint, kept up as the dialer says; bytes only.
 *
 * Belongs to the net thread: every function is called there, and every event is
 * delivered there, from the thread-default main context at fal_connection_new().
 * No lock of the owner may be held when calling in; the owner's events are called
 * with none held. */
#pragma once

#include "fal/policy/dialer.h"
#include "fal/settings/settings.h"
#include "fal/wire/endpoint.h"
#include "socket-guard.h"
#include "token-promise.h"

G_BEGIN_DECLS

typedef struct {
  void (*opened) (gpointer user);
  void (*message) (gpointer user, GBytes *message, gboolean text);
  /* The attempt or connection ended. @error tells what happened and what to do,
   * without a secret. An end that the owner asked for is FAL_FAULT_ASKED; fal_connection_free()
   * tells nothing. */
  void (*ended) (gpointer user, FalVerdict verdict, const FalFault *fault, const GError *error);
  void (*state_changed) (gpointer user, FalDialerState state);
  /* Whether somebody gives tokens; and the question for one, which may be answered at any time
   * on any thread. */
  gboolean (*has_provider) (gpointer user);
  void (*request_token) (gpointer user, FalTokenPromise *promise);
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

/* @endpoint is taken. Without a credential until it is configured. */
FalConnection *fal_connection_new (
    FalEndpoint *endpoint, FalSettings *settings, const FalConnectionEvents *events, gpointer user);

/* Ends what is open at once, however the peer behaves, and runs its main context
 * until no operation of it is left. */
void fal_connection_free (FalConnection *connection);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalConnection, fal_connection_free)

/* Takes effect with the next attempt. The API key comes beside the settings, since a file is read
 * once. */
void fal_connection_configure (
    FalConnection *connection, FalSettings *settings, const gchar *api_key, FalKeyOrigin origin);

/* There is something to send: connects, if need be after a delay. */
void fal_connection_want (FalConnection *connection);

/* One binary message; FALSE where no connection stands. What is queued inside is
 * bounded by what the owner allows in flight. */
gboolean fal_connection_send (FalConnection *connection, GBytes *message);

/* What the owner read in the messages. */
void fal_connection_note_result (FalConnection *connection);
void fal_connection_note_idle (FalConnection *connection);
/* All that an app of WebRTC says of itself. */
void fal_connection_note_greeting (FalConnection *connection);
/* An answer was an error, @what. Where they all are, the connection ends as faulty. */
void fal_connection_note_error_answer (FalConnection *connection, const gchar *what);
/* Ends the connection as faulty: reported through ended(). @detail: more about it, or NULL. */
void fal_connection_fail (FalConnection *connection, FalFaultKind kind, const gchar *detail);

/* Ends the attempt or connection on the owner's wish, politely; not from within an event, because
 * it runs the main context for a moment. ended() says so as FAL_FAULT_ASKED, also where nothing was
 * under way. The next one begins when it is wanted. */
void fal_connection_close (FalConnection *connection);

/* That of the WebSocket that is open (borrowed), or NULL. Some other thread is to check it. */
FalSocketGuard *fal_connection_get_guard (FalConnection *connection);

/* The token that the WebSocket was opened with (borrowed, never to be shown), or NULL. */
const gchar *fal_connection_get_token (FalConnection *connection);

guint fal_connection_get_attempt (FalConnection *connection);
const FalConnectionCounts *fal_connection_get_counts (FalConnection *connection);

G_END_DECLS
