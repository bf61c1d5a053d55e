/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One client's connection through the proxy: its request's head, the connection to its target, and
 * the bytes that go both ways. Lives in the proxy's thread and main context. */
#pragma once

#include "proxy.h"

G_BEGIN_DECLS

typedef enum {
  FAL_PROXY_CONNECTION_REFUSED,     /* credentials are missing or wrong */
  FAL_PROXY_CONNECTION_REQUESTED,   /* for a target, with the right credentials */
  FAL_PROXY_CONNECTION_TUNNEL,      /* made */
  FAL_PROXY_CONNECTION_FORWARD,     /* a plain request was passed on */
  FAL_PROXY_CONNECTION_UNREACHABLE, /* its target is: the text says why */
  FAL_PROXY_CONNECTION_CLOSED, /* both ends are closed; comes once, the connection may be freed */
} FalProxyConnectionEvent;

typedef struct {
  const gchar *authorization; /* what Proxy-Authorization must be; NULL: anything */
  const gchar *route;         /* as FalProxyOptions has it */
  FalProxyMode mode;
  guint64 bytes;
  gboolean anywhere;
  FalProxyTap tap;
  gpointer user;
} FalProxyConnectionConfig;

typedef struct _FalProxyConnection FalProxyConnection;
/* @text: the target of REQUESTED, or what the event says; else NULL. */
typedef void (*FalProxyConnectionFunc) (gpointer user, FalProxyConnection *connection,
    FalProxyConnectionEvent event, const gchar *text);

/* The strings of @config must live longer. */
FalProxyConnection *fal_proxy_connection_new (GSocketConnection *client,
    const FalProxyConnectionConfig *config, FalProxyConnectionFunc on_event, gpointer user);
/* Cuts both ends where they are still open; there are no events any more. */
void fal_proxy_connection_free (FalProxyConnection *connection);

G_END_DECLS
