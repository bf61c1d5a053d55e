/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures that a result only links to, fetched over https. Belongs to the net thread: made, called
 * and answered in its thread-default main context. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _FalFetcher FalFetcher;

/* Borrowed for the call of fal_fetcher_configure(), which copies what it keeps. */
typedef struct {
  const gchar *hosts; /* as fal_hosts_allow() takes them */
  guint64 max_size;   /* bytes */
  gint64 timeout;     /* µs, for one picture altogether */
  const gchar *proxy; /* NULL: as the system is set up */
  const gchar *user_agent;
  GTlsDatabase *tls_database; /* NULL: the system's */
  GTlsCertificateFlags tls_validation_flags;
  gboolean (*is_allowed_address) (GInetAddress *address); /* NULL: fal_hosts_is_public() */
} FalFetcherConfig;

/* Exactly one of @picture and @error is NULL; both are borrowed. */
typedef void (*FalFetched) (gpointer user, GBytes *picture, const GError *error);

FalFetcher *fal_fetcher_new (void);
/* Nothing is called back any more. */
void fal_fetcher_free (FalFetcher *fetcher);
void fal_fetcher_configure (FalFetcher *fetcher, const FalFetcherConfig *config);
void fal_fetcher_fetch (FalFetcher *fetcher, const gchar *uri, FalFetched fetched, gpointer user);
guint64 fal_fetcher_get_bytes (const FalFetcher *fetcher);

G_END_DECLS
