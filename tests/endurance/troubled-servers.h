/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The program troubled-server, whose path is in FAL_TROUBLED_SERVER, as a child of the test, and
 * orders to it. The test's own thread. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _TroubledServers TroubledServers;

/* @n servers with such models, as troubled-server.c has them; they listen. */
TroubledServers *troubled_servers_new (const gchar *const *models, guint n);
void troubled_servers_free (TroubledServers *servers);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TroubledServers, troubled_servers_free)

/* "ws://127.0.0.1:PORT", or wss, owned by @servers. */
const gchar *troubled_servers_get_uri (TroubledServers *servers, guint server);
/* A trouble of troubled-server.c, such as "mute" with a @value of "1"; "calm" ends all. */
void troubled_servers_tell (
    TroubledServers *servers, guint server, const gchar *trouble, const gchar *value);

G_END_DECLS
