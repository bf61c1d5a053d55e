/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures that a result only links to, downloaded over https. Belongs to the net thread: made,
 * called and answered in its thread-default main context. */
#pragma once

#include "public-session.h"

G_BEGIN_DECLS

typedef struct _FalDownloader FalDownloader;

/* Exactly one of @picture and @error is NULL; both are borrowed. */
typedef void (*FalDownloaded) (gpointer user, GBytes *picture, const GError *error);

FalDownloader *fal_downloader_new (void);
/* Nothing is called back any more. Runs the main context for a moment. */
void fal_downloader_free (FalDownloader *downloader);

/* For the downloads that start from now on, of which there is none before the first call. */
void fal_downloader_configure (FalDownloader *downloader, FalSettings *settings);
/* For tests: which addresses are connected to. Else fal_address_is_public(). */
void fal_downloader_set_address_check (FalDownloader *downloader, FalAddressCheck is_allowed);

void fal_downloader_start (
    FalDownloader *downloader, const gchar *link, FalDownloaded downloaded, gpointer user);

/* Bytes of pictures that have arrived. */
guint64 fal_downloader_get_bytes (const FalDownloader *downloader);

G_END_DECLS
