/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the two files of the connection share: connection.c has its life, connection-attempt.c the
 * way from the first question for a token to an open socket. Net thread. */
#pragma once

#include "connection.h"
#include "websocket.h"
#include "transport.h"

G_BEGIN_DECLS

struct _FalConnection {
  FalEndpoint *endpoint;
  FalConnectionEvents events;
  gpointer user;

  GMainContext *context;
  FalTransport *transport;
  FalCredentials *credentials;
  FalDialer *dialer;
  FalDialerConfig dialer_config;
  FalDialerState shown_state;
  GSource *timer;     /* steps the dialer when its time has come */
  FalWebsocket *link; /* the attempt or connection of now; NULL: none */
  guint pending;      /* operations of libsoup that have not come back */
  FalConnectionCounts counts;

  FalTokenRequest token_request;
  guint token_expiration, max_buffering;
  guint64 max_message_size;
};

/* ---- connection.c ---- */

/* The attempt or connection is over: asks the dialer what that means and tells the owner. */
void fal_connection_end_link (FalConnection *connection, const FalFault *fault, const gchar *what);
void fal_connection_show_state (FalConnection *connection);
/* The handshake's fruit (taken). */
void fal_connection_take_socket (FalConnection *connection, SoupWebsocketConnection *socket);
/* Seconds since 1970, as tokens count. */
gint64 fal_connection_get_wall_time (void);

/* ---- connection-attempt.c ---- */

void fal_connection_start_attempt (FalConnection *connection, FalWay way);
/* It took too long. */
void fal_connection_give_up_attempt (FalConnection *connection);

G_END_DECLS
