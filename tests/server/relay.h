/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A relay on loopback, for tests and benchmarks: every connection to it is led on to one target,
 * with the delay, jitter and rate that it is given. In a thread of its own; every function may be
 * called from any thread. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The bytes as they pass at the client's end, in the relay's thread. @connection counts from 1;
 * @time: monotonic µs, when the relay had them from the client, or just before it gave them to it.
 */
typedef void (*FalRelayTap) (
    gpointer user, guint connection, gboolean up, const guint8 *data, gsize size, gint64 time);

typedef struct {
  const gchar *target; /* "127.0.0.1:PORT" */
  guint round_trip_ms; /* half of it each way */
  guint jitter_ms;     /* each half varies by so much either way, evenly; bytes keep their order */
  guint64 up_rate, down_rate; /* bits a second, from the client and to it; 0: no limit */
  FalRelayTap tap;            /* or NULL */
  gpointer user;
} FalRelayOptions;

typedef struct _FalRelay FalRelay;

FalRelay *fal_relay_new (const FalRelayOptions *options);
/* Cuts all that passes through it. */
void fal_relay_free (FalRelay *relay);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalRelay, fal_relay_free)

guint fal_relay_get_port (FalRelay *relay);
guint fal_relay_get_connections (FalRelay *relay); /* led on so far */
guint fal_relay_get_open (FalRelay *relay);        /* of them, still open */
/* Waits until none is open any more; FALSE after @timeout_ms. */
gboolean fal_relay_wait_until_closed (FalRelay *relay, guint timeout_ms);

/* Of the bytes that come from now on. */
void fal_relay_set_round_trip (FalRelay *relay, guint round_trip_ms, guint jitter_ms);
/* While set nothing comes through, and no connection ends by itself. */
void fal_relay_set_stalled (FalRelay *relay, gboolean stalled);
/* Ends every connection, what is under way is lost: both ends see the other close, or with @reset
 * fail. */
void fal_relay_cut (FalRelay *relay, gboolean reset);

G_END_DECLS
