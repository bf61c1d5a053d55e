/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The route to one https host: through addresses that were found and checked before, or through a
 * proxy, and no other. Net thread. */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

/* Borrowed for the call of fal_pinned_session_new(). */
typedef struct {
  const gchar *host;
  guint16 port;
  GList *addresses;   /* GInetAddress; where a proxy is asked: none */
  const gchar *proxy; /* NULL: none */
  const gchar *user_agent;
  GTlsDatabase *tls_database; /* NULL: the system's */
  GTlsCertificateFlags tls_validation_flags;
  GPtrArray *sockets; /* GWeakRef: gets one for each socket that is opened; outlives the route */
} FalPinnedSessionConfig;

typedef struct {
  gchar *host;
  guint16 port;
  SoupSession *soup;
  GTlsCertificateFlags tls_validation_flags;
  GPtrArray *sockets;
  gint64 made, used; /* the owner's, monotonic µs */
} FalPinnedSession;

FalPinnedSession *fal_pinned_session_new (const FalPinnedSessionConfig *config);
FalPinnedSession *fal_pinned_session_ref (FalPinnedSession *route);
/* The last one ends its connections, and what is under way on them. */
void fal_pinned_session_unref (FalPinnedSession *route);

/* A GET of @uri, for this route's session alone, and only while the route is held. */
SoupMessage *fal_pinned_session_make_message (FalPinnedSession *route, GUri *uri);

G_END_DECLS
