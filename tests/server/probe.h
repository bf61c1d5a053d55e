/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A client of the local server, for tests: libsoup in the calling thread's main context. */
#pragma once

#include "server.h"
#include <libsoup/soup.h>

G_BEGIN_DECLS

#define FAL_PROBE_WATCHDOG 20 /* seconds */
#define FAL_PROBE_TURBO "/fal-ai/fast-turbo-diffusion/realtime"

typedef struct {
  gboolean text;
  GBytes *bytes;
} FalProbeMessage;

typedef struct {
  SoupSession *session;
  SoupMessage *upgrade;
  SoupWebsocketConnection *socket; /* NULL where it was refused */
  gboolean answered;
  GQueue inbox; /* FalProbeMessage */
  gboolean closed;
} FalProbe;

void fal_probe_message_free (FalProbeMessage *message);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalProbeMessage, fal_probe_message_free)

gboolean fal_probe_on_watchdog (gpointer what);
gboolean fal_probe_on_tick (gpointer unused);

/* Runs the main loop until @condition holds; the tick is for what the server's thread changes. */
#define FAL_PROBE_WAIT(condition)                                                                  \
  G_STMT_START                                                                                     \
  {                                                                                                \
    guint watchdog =                                                                               \
        g_timeout_add_seconds (FAL_PROBE_WATCHDOG, fal_probe_on_watchdog, (gpointer) #condition);  \
    guint tick = g_timeout_add (2, fal_probe_on_tick, NULL);                                       \
                                                                                                   \
    while (!(condition))                                                                           \
      g_main_context_iteration (NULL, TRUE);                                                       \
    g_source_remove (watchdog);                                                                    \
    g_source_remove (tick);                                                                        \
  }                                                                                                \
  G_STMT_END

/* A file of the test certificates. */
gchar *fal_probe_dup_tls_file (const gchar *name);
/* Accepts what the test CA has signed, and nothing else. */
void fal_probe_trust (SoupSession *session);

/* A server that must start. */
FalServer *fal_probe_serve (FalServerOptions options);

/* Waits for the answer to the upgrade. @authorization: the header's value, or NULL. */
FalProbe *fal_probe_new (FalServer *server, const gchar *target, const gchar *authorization);
/* The same through @proxy, "http://[user:password@]host:port". */
FalProbe *fal_probe_new_by_proxy (FalServer *server, const gchar *proxy);
void fal_probe_free (FalProbe *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalProbe, fal_probe_free)
/* One that must be accepted. */
FalProbe *fal_probe_connect (FalServer *server);

void fal_probe_send_bytes (FalProbe *client, GBytes *bytes);
void fal_probe_send (FalProbe *client, const GstStructure *request);
/* A prompt and an id: what is answered without a picture. */
void fal_probe_send_prompt (FalProbe *client, const gchar *prompt, const gchar *id);

FalProbeMessage *fal_probe_next (FalProbe *client);
/* The next message, a map in msgpack or, as a text frame, in JSON. */
GstStructure *fal_probe_next_map (FalProbe *client, gboolean text);
void fal_probe_assert_id (FalProbe *client, const gchar *id);
/* An x-fal-error whose reason begins with @reason, then close 1000. */
void fal_probe_assert_error (FalProbe *client, const gchar *kind, const gchar *reason);

G_END_DECLS
