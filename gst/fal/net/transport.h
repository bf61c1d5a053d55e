/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How requests travel: a SoupSession with the user's proxy, authorities and headers. Net thread,
 * but for what is marked pure.
 *
 * One rule stands over all requests of the session: a request is cancelled only until its socket is
 * connected; from then on whoever gives it up shuts the socket down and lets libsoup finish; and
 * the session is aborted only when no request is under way. For libsoup 3.4 to 3.6.5 finish a
 * request twice, and use it after it was freed, when it is cancelled, or its session aborted,
 * between the headers of its reply (or those of a proxy, which nobody is told of) and its callback.
 * A socket that is shut down reads as one that the peer has closed, so the callback comes at once,
 * even where a reply would never end. */
#pragma once

#include "fal/settings/settings.h"
#include <libsoup/soup.h>

G_BEGIN_DECLS

typedef struct _FalTransport FalTransport;

/* Pure: whether proxy, user-agent and extra-headers can work; error: G_IO_ERROR_INVALID_ARGUMENT,
 * saying what to do. No value of a header and no password is told. */
gboolean fal_transport_check (const FalSettings *settings, GError **error);

FalTransport *fal_transport_new (void);
/* Runs the thread's default main context until no request is under way: they were given up
 * before. */
void fal_transport_free (FalTransport *transport);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalTransport, fal_transport_free)

/* Takes effect with the next request. */
void fal_transport_configure (FalTransport *transport, const FalSettings *settings);

/* Looks names up anew from here on: libsoup keeps the addresses that it once found, and a server
 * may have others by now. Where a request is under way nothing changes. */
void fal_transport_renew (FalTransport *transport);
/* Until the next renewal. */
SoupSession *fal_transport_get_session (FalTransport *transport);

/* A request of the session is under way, and has come back to its callback. */
void fal_transport_begin (FalTransport *transport);
void fal_transport_end (FalTransport *transport);

/* The requests that are under way were given up, and are to come back: also those that wait for a
 * thread that GLib could not start. */
void fal_transport_hurry (FalTransport *transport);

/* The user's headers, to be added before ours: ours count. */
void fal_transport_add_headers (FalTransport *transport, SoupMessage *message);

/* Those of a certificate's @errors that count. */
GTlsCertificateFlags fal_transport_weigh (FalTransport *transport, GTlsCertificateFlags errors);

/* The proxy that was set, without user and password; or NULL. */
const gchar *fal_transport_get_proxy (FalTransport *transport);

G_END_DECLS
