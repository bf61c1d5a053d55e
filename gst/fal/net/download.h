/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One picture that a result links to, from its link to its last byte. Net thread.
 *
 * It tells by one event, and knows nobody above. */
#pragma once

#include "public-session.h"

G_BEGIN_DECLS

typedef struct _FalDownload FalDownload;

/* It is over. Exactly one of @picture and @error is NULL; both are borrowed. */
typedef void (*FalDownloadEnded) (gpointer user, GBytes *picture, const GError *error);

FalDownload *fal_download_new (const gchar *link, FalDownloadEnded ended, gpointer user);
FalDownload *fal_download_ref (FalDownload *download);
void fal_download_unref (FalDownload *download);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalDownload, fal_download_unref)

/* These two may end it before they return. The hosts and the size that are allowed stand in
 * @settings. */
void fal_download_start (FalDownload *download, FalSettings *settings, FalPublicSession *session);
void fal_download_fail (FalDownload *download, GIOErrorEnum code, const gchar *format, ...)
    G_GNUC_PRINTF (3, 4);

/* Nobody is told any more. What is under way is ended, but not waited for. */
void fal_download_drop (FalDownload *download);

/* Whether an operation of libsoup is still to come back, which it does soon once the download is
 * over. It holds all that it needs. */
gboolean fal_download_is_busy (const FalDownload *download);

/* Whether the host that it asked last has not answered; also once it is over. */
gboolean fal_download_is_asking (const FalDownload *download);

/* Bytes of the picture that have arrived. */
gsize fal_download_get_size (const FalDownload *download);

G_END_DECLS
