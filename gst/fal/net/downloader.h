/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures that a result only links to, fetched over https. Belongs to the net thread: made, called
 * and answered in its thread-default main context. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _FalDownloader FalDownloader;

/* Borrowed for the call of fal_downloader_configure(), which copies what it keeps. */
typedef struct {
  const gchar *hosts; /* as fal_host_list_allows() takes them */
  guint64 max_size;   /* bytes */
  gint64 timeout;     /* µs, for one picture altogether */
  const gchar *proxy; /* NULL: as the system is set up */
  const gchar *user_agent;
  GTlsDatabase *tls_database; /* NULL: the system's */
  GTlsCertificateFlags tls_validation_flags;
  gboolean (*is_allowed_address) (GInetAddress *address); /* NULL: fal_address_is_public() */
} FalDownloaderConfig;

/* Exactly one of @picture and @error is NULL; both are borrowed. */
typedef void (*FalDownloaded) (gpointer user, GBytes *picture, const GError *error);

FalDownloader *fal_downloader_new (void);
/* Nothing is called back any more. */
void fal_downloader_free (FalDownloader *fetcher);
void fal_downloader_configure (FalDownloader *fetcher, const FalDownloaderConfig *config);
void fal_downloader_start (
    FalDownloader *fetcher, const gchar *uri, FalDownloaded fetched, gpointer user);
guint64 fal_downloader_get_bytes (const FalDownloader *fetcher);

G_END_DECLS
