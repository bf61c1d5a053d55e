/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One client's connection to the local server: its queue of requests, the one inference that runs,
 * and how it ends. Lives in the server's thread and main context, for its socket and timers do. */
#pragma once

#include "model-thread.h"
#include "server-state.h"
#include <libsoup/soup.h>

G_BEGIN_DECLS

typedef struct {
  FalModelConfig model;
  FalModelThread *thread;     /* has a command in place of the effects; NULL: those */
  guint jitter_percent;       /* of the model's time, either way */
  guint slowness;             /* the first connection's model takes so many times as long */
  guint buffering;            /* newest N waiting requests kept; 0: unbounded */
  guint notice_ms;            /* that an idle model takes to notice a request */
  guint results;              /* for each request; at least 1 */
  gboolean end_after_results; /* of the first request, by TIMEOUT */
  gsize max_message;          /* bytes; 0: as many as the framework takes */
  guint ready_delay_ms;       /* before the app says that it is ready, where it does */
  gboolean timings;
} FalServerSessionConfig;

typedef struct _FalServerSession FalServerSession;
/* The socket has closed. */
typedef void (*FalServerSessionClosedFunc) (FalServerSession *session, gpointer user);

/* Keeps references of @socket and of the @tcp_socket below it, which is where it is cut; @config
 * and
 * @state must live longer. @number: of the connection, for the state. @closed is called once, and
 * may free the session. */
FalServerSession *fal_server_session_new (SoupWebsocketConnection *socket, GSocket *tcp_socket,
    const FalServerSessionConfig *config, guint number, FalServerState *state,
    FalServerSessionClosedFunc closed, gpointer user);
/* Cuts the connection, without a close frame, where it is still open. */
void fal_server_session_free (FalServerSession *session);
guint fal_server_session_get_number (FalServerSession *session);

void fal_server_session_send (FalServerSession *session, GBytes *message, gboolean text);
void fal_server_session_close (FalServerSession *session, gushort code, const gchar *reason);

G_END_DECLS
