/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An HTTP proxy on loopback, for tests: tunnels (CONNECT) and plain requests (with a whole address
 * in their first line). In a thread of its own; every function may be called from any thread. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef enum {
  FAL_PROXY_WORKS,
  FAL_PROXY_DIES_ON_ACCEPT, /* closes each connection as it comes */
  FAL_PROXY_DIES_ON_TUNNEL, /* right after a request for a tunnel was answered with 200 */
  FAL_PROXY_DIES_ON_BYTES,  /* when so many have passed, both ways together */
} FalProxyMode;

/* Bytes that have come from the client (@up) or for it, in the proxy's thread. */
typedef void (*FalProxyTap) (gpointer user, gboolean up, gsize size);
/* A target could not be connected to, in the proxy's thread; the client is only answered 502. */
typedef void (*FalProxyUnreachable) (gpointer user, const gchar *why);

typedef struct {
  const gchar *user, *password; /* asked for by 407; NULL: anybody may come */
  FalProxyMode mode;
  guint64 bytes;      /* for FAL_PROXY_DIES_ON_BYTES */
  const gchar *route; /* "127.0.0.1:PORT": where every connection leads, whatever its target; NULL:
                         to its target */
  gboolean anywhere;  /* a target need not be on loopback; it is reached by the system's own proxy,
                         where there is one */
  FalProxyTap tap;    /* or NULL */
  FalProxyUnreachable on_unreachable; /* or NULL */
  gpointer user_data;                 /* for the two */
} FalProxyOptions;

typedef struct _FalProxy FalProxy;

/* @options: NULL for one that works and asks for nothing. */
FalProxy *fal_proxy_new (const FalProxyOptions *options);
/* Cuts all that passes through it. */
void fal_proxy_free (FalProxy *proxy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalProxy, fal_proxy_free)

const gchar *fal_proxy_get_uri (FalProxy *proxy); /* "http://127.0.0.1:PORT" */
/* Cuts all that passes through it now; what comes from then on is as the mode says. */
void fal_proxy_cut (FalProxy *proxy);
/* Changes what happens to the connections that come from now on. */
void fal_proxy_set_mode (FalProxy *proxy, FalProxyMode mode, guint64 bytes);

guint fal_proxy_get_connections (FalProxy *proxy); /* accepted so far */
guint fal_proxy_get_tunnels (FalProxy *proxy);     /* made so far; plain requests are none */
guint fal_proxy_get_forwards (FalProxy *proxy);    /* plain requests passed on so far */
guint fal_proxy_get_refusals (FalProxy *proxy);    /* 407 so far */
/* "host:port" of the last request with the right credentials, or NULL. */
gchar *fal_proxy_dup_last_target (FalProxy *proxy);

G_END_DECLS
