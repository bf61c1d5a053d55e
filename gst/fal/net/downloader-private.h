/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the fetcher and its single fetches share. Net thread. */
#pragma once

#include "downloader.h"
#include "pinned-session.h"

G_BEGIN_DECLS

typedef struct _FalFetch FalDownload;

struct _FalDownloader {
  GMainContext *context;
  GSource *timer;     /* steps the fetcher when its time has come */
  GPtrArray *waiting; /* FalDownload, owned */
  GPtrArray *running; /* FalDownload, owned */
  GPtrArray *routes;  /* FalPinnedSession, owned: those that further fetches may use */
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
  FalDownloader *fetcher; /* NULL: over */
  FalDownloaded fetched;
  gpointer user;
  gchar *link;
  GUri *uri; /* the same; NULL: not checked yet */
  guint redirects;
  gint64 deadline; /* monotonic µs; 0: is refused */
  GCancellable *cancellable;
  FalPinnedSession *route;
  SoupMessage *message;
  GInputStream *body;
  guint8 *data;
  gsize size, capacity;
};

/* ---- fetcher.c ---- */

/* Something is to be done at another time than before. */
void fal_downloader_schedule (FalDownloader *fetcher);
/* A route that may be used again, borrowed, or NULL. */
FalPinnedSession *fal_downloader_find_route (FalDownloader *fetcher, GUri *uri);
/* By @proxy, or to @addresses (GInetAddress), which are checked. Borrowed. */
FalPinnedSession *fal_downloader_add_route (
    FalDownloader *fetcher, GUri *uri, const gchar *proxy, GList *addresses);

/* ---- fetch.c ---- */

FalDownload *fal_download_new (
    FalDownloader *fetcher, const gchar *uri, FalDownloaded fetched, gpointer user);
FalDownload *fal_download_ref (FalDownload *fetch);
void fal_download_unref (FalDownload *fetch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalDownload, fal_download_unref)

/* These may call the owner, who may free the fetcher: the caller holds @fetch, and touches the
 * fetcher no more. */
void fal_download_start (FalDownload *fetch);
void fal_download_fail (FalDownload *fetch, GIOErrorEnum code, const gchar *format, ...)
    G_GNUC_PRINTF (3, 4);

/* Nothing is done for it any more, and nobody is called. */
void fal_download_drop (FalDownload *fetch);

/* 443 where @uri names none. */
guint16 fal_download_get_port (GUri *uri);

G_END_DECLS
