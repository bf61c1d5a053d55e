/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the fetcher and its single fetches share. Net thread. */
#pragma once

#include "fetcher.h"
#include "route.h"

G_BEGIN_DECLS

typedef struct _FalFetch FalFetch;

struct _FalFetcher {
  GMainContext *context;
  GSource *timer;     /* steps the fetcher when its time has come */
  GPtrArray *waiting; /* FalFetch, owned */
  GPtrArray *running; /* FalFetch, owned */
  GPtrArray *routes;  /* FalRoute, owned: those that further fetches may use */
  GPtrArray *sockets; /* GWeakRef of GSocket: what may still be open */
  guint pending;      /* operations of libsoup that have not come back */
  guint64 bytes;

  gchar *hosts, *proxy, *user_agent;
  guint64 max_size;
  gint64 timeout;
  GTlsDatabase *tls_database;
  GTlsCertificateFlags tls_validation_flags;
  gboolean (*is_allowed_address) (GInetAddress *address);
};

/* One picture. Held by the fetcher until it is over, and by each operation. */
struct _FalFetch {
  FalFetcher *fetcher; /* NULL: over */
  FalFetched fetched;
  gpointer user;
  gchar *link;
  GUri *uri; /* the same; NULL: not checked yet */
  guint redirects;
  gint64 deadline; /* monotonic µs; 0: is refused */
  GCancellable *cancellable;
  FalRoute *route;
  SoupMessage *message;
  GInputStream *body;
  guint8 *data;
  gsize size, capacity;
};

/* ---- fetcher.c ---- */

/* Something is to be done at another time than before. */
void fal_fetcher_schedule (FalFetcher *fetcher);
/* A route that may be used again, borrowed, or NULL. */
FalRoute *fal_fetcher_find_route (FalFetcher *fetcher, GUri *uri);
/* By @proxy, or to @addresses (GInetAddress), which are checked. Borrowed. */
FalRoute *fal_fetcher_add_route (
    FalFetcher *fetcher, GUri *uri, const gchar *proxy, GList *addresses);

/* ---- fetch.c ---- */

FalFetch *fal_fetch_new (FalFetcher *fetcher, const gchar *uri, FalFetched fetched, gpointer user);
FalFetch *fal_fetch_ref (FalFetch *fetch);
void fal_fetch_unref (FalFetch *fetch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalFetch, fal_fetch_unref)

/* These may call the owner, who may free the fetcher: the caller holds @fetch, and touches the
 * fetcher no more. */
void fal_fetch_start (FalFetch *fetch);
void fal_fetch_fail (FalFetch *fetch, GIOErrorEnum code, const gchar *format, ...)
    G_GNUC_PRINTF (3, 4);

/* Nothing is done for it any more, and nobody is called. */
void fal_fetch_drop (FalFetch *fetch);

/* 443 where @uri names none. */
guint16 fal_fetch_get_port (GUri *uri);

G_END_DECLS
