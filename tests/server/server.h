/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The local fal server: speaks fal's realtime protocol as the open framework
 * does, on loopback, with an effect in place of a model. In-process for tests
 * (every function may be called from any thread), a program for the demo.
 *
 * It runs in a thread and main context of its own; one inference at a time per
 * connection. */
#pragma once

#include "received-request.h"

G_BEGIN_DECLS

typedef struct {
  guint port;           /* 0: any */
  const gchar *address; /* to listen at, in a network that a test made; NULL: 127.0.0.1 */
  const gchar *effect;  /* "invert" when NULL */
  guint delay_ms;       /* the model's time for a result; each connection has a model to itself */
  guint slowness;       /* the first connection's model takes so many times as long; 0 is 1 */
  guint most_connections; /* that are let in at all, others are refused (429); 0: all */
  guint jitter_percent; /* by so much it varies either way, evenly; the same in each run */
  guint buffering; /* newest N waiting requests kept, older ones dropped silently; 0: unbounded */
  guint notice_ms; /* that an idle model takes to notice a request; more may come meanwhile */
  guint session_timeout_ms; /* after the last input: TIMEOUT, close 1000; 0: never */
  const gchar *schema;      /* "turbo" when NULL */
  const gchar *token;       /* accept this fal_jwt_token only; NULL: any or none */
  const gchar *api_key;     /* accept this key, for upgrades and tokens; NULL: any or none */
  gboolean no_echo_request_id;
  gboolean timings;           /* a timings message after each result */
  gboolean deflate;           /* accepts permessage-deflate where it is offered */
  gboolean forget_requests;   /* keeps none to be popped: for long runs */
  guint results;              /* for each request; 0 is 1 */
  gboolean end_after_results; /* of the first request: TIMEOUT, close 1000, though all went well */
  gboolean refuse_unknown;    /* ends a session over a field that the schema does not know */
  gsize max_message;          /* bytes; a longer one is closed with 1009; 0: 16 MiB */
  guint ready_delay_ms;       /* before {"status":"ready"}, where the schema says so at all */
  const gchar *result_url;    /* images[].url or image.url in place of the picture itself */
  const gchar *tls_certificate, *tls_key; /* PEM files; both: wss and https in place of ws */
  const gchar *effect_command; /* a program in place of an effect: picture-process.h */
  guint effect_timeout_ms;     /* that it has for a picture; 0: 30 s */
} FalServerOptions;

typedef struct _FalServer FalServer;

FalServer *fal_server_new (const FalServerOptions *options, GError **error);
void fal_server_free (FalServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalServer, fal_server_free)

const gchar *fal_server_get_uri (FalServer *server); /* "ws://ADDRESS:PORT", or wss */

/* What it saw. */
guint fal_server_get_connections (FalServer *server); /* upgrades accepted so far */
guint fal_server_get_open (FalServer *server);        /* connections open now */
/* For how long connections were open, each by itself and all together, µs: what a host bills. */
gint64 fal_server_get_billed_time (FalServer *server);
guint fal_server_get_requests (FalServer *server);    /* requests received so far */
guint fal_server_get_dropped (FalServer *server);     /* by buffering */
guint fal_server_get_token_requests (FalServer *server);
guint fal_server_get_inferences (FalServer *server); /* begun so far */
guint fal_server_get_model_time (FalServer *server); /* of them together, µs; for an hour */
/* The next request not yet popped, oldest first; waits for it at most
 * @timeout_ms, then NULL. The last 4096 are kept. */
FalReceivedRequest *fal_server_pop_received (FalServer *server, guint timeout_ms);
/* The same, without the rest. */
GstStructure *fal_server_pop_request (FalServer *server, guint timeout_ms);
/* Path and query of the last upgrade request. */
gchar *fal_server_dup_last_target (FalServer *server);

/* How it misbehaves from now on. */
void fal_server_set_delay (FalServer *server, guint delay_ms);
/* Of each session from its next input on; 0: never. */
void fal_server_set_session_timeout (FalServer *server, guint timeout_ms);
void fal_server_set_effect (FalServer *server, const gchar *effect);
/* Answers requests with exactly these bytes in place of a result; NULL: results again. */
void fal_server_set_answer (FalServer *server, GBytes *message, gboolean text);
/* Swallows requests without an answer while set. */
void fal_server_set_mute (FalServer *server, gboolean mute);
/* Refuses upgrades with this HTTP status; 0: accepts again. */
void fal_server_set_refusal (FalServer *server, guint status);
/* Sends to every open connection; closes every open one with a code (0: cuts the
 * TCP connection without a close frame). */
void fal_server_send (FalServer *server, GBytes *message, gboolean text);
void fal_server_close (FalServer *server, gushort code, const gchar *reason);
/* Cuts the TCP connection of connection number @connection, from 1, if it is open. */
void fal_server_cut (FalServer *server, guint connection);

G_END_DECLS
