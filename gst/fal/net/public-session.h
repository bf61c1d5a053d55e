/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A libsoup session that connects to addresses of the public internet only. Net thread.
 *
 * libsoup and GLib look names up, find the proxy and ask TLS for the host's name as they always do.
 * But each address that they are about to connect to is looked at first, and where it is not
 * allowed, its socket is closed before it has sent a packet. */
#pragma once

#include "fal/settings/settings.h"
#include "socket-list.h"
#include <libsoup/soup.h>

G_BEGIN_DECLS

typedef gboolean (*FalAddressCheck) (GInetAddress *address);

typedef struct _FalPublicSession FalPublicSession;

/* With the proxy, the authorities and the user agent of @settings. @sockets gets each socket. */
FalPublicSession *fal_public_session_new (
    FalSettings *settings, FalAddressCheck is_allowed, FalSocketList *sockets);
FalPublicSession *fal_public_session_ref (FalPublicSession *session);
void fal_public_session_unref (FalPublicSession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalPublicSession, fal_public_session_unref)

/* Whether one that is made with @settings would be no different. */
gboolean fal_public_session_fits (FalPublicSession *session, const FalSettings *settings);

SoupSession *fal_public_session_get_soup (FalPublicSession *session);

/* A GET of @uri, to be sent by this session alone; it holds the session. */
SoupMessage *fal_public_session_new_message (FalPublicSession *session, GUri *uri);

/* Whether an address that its host has was not allowed. */
gboolean fal_public_session_has_refused (SoupMessage *message);

/* Ends the connection that @message travels on: it is answered soon, and the connection is not used
 * again. Safe at any time, other than to cancel it. */
void fal_public_session_cut (FalPublicSession *session, SoupMessage *message);

G_END_DECLS
