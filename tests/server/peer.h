/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One client's connection: its queue of requests, the one inference that runs, and how the
 * session ends. Lives in the server's thread and main context, for its socket and timers do. */
#pragma once

#include <libsoup/soup.h>
#include "ledger.h"
#include "model.h"

G_BEGIN_DECLS

typedef struct {
  FalModelRules model;
  guint jitter_percent;       /* of the model's time, either way */
  guint buffering;            /* newest N waiting requests kept; 0: unbounded */
  guint session_timeout_ms;   /* 0: never */
  guint results;              /* for each request; at least 1 */
  gboolean end_after_results; /* of the first request, by TIMEOUT */
  guint ready_delay_ms;       /* before the app says that it is ready, where it does */
  gboolean timings;
} FalPeerRules;

typedef struct _FalPeer FalPeer;
typedef void (*FalPeerGone) (FalPeer *peer, gpointer user);

/* Keeps references of @socket and of the @link below it, which is where it is cut; @rules and
 * @ledger must live longer. @number: of the connection, for the ledger. @gone is called once, when
 * the socket has closed, and may free the peer. */
FalPeer *fal_peer_new (SoupWebsocketConnection *socket, GSocket *link, const FalPeerRules *rules,
    guint number, FalLedger *ledger, FalPeerGone gone, gpointer user);
/* Cuts the connection, without a close frame, where it is still open. */
void fal_peer_free (FalPeer *peer);

void fal_peer_send (FalPeer *peer, GBytes *message, gboolean text);
void fal_peer_close (FalPeer *peer, gushort code, const gchar *reason);

G_END_DECLS
