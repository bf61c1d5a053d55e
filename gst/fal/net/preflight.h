/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether settings can work at all, found out before anything is connected. Any thread. */
#pragma once

#include "fal/settings/settings.h"
#include "fal/wire/endpoint.h"

G_BEGIN_DECLS

/* The API key and where it comes from: the one that was set, else api-key-file's first line, else
 * the environment's; NULL: there is none. Error: the file cannot be read, or is empty;
 * G_IO_ERROR_INVALID_ARGUMENT. */
gchar *fal_preflight_dup_api_key (
    const FalSettings *settings, FalKeyOrigin *origin, GError **error);

/* Whether the credentials are whole and go to @base_uri, and to the token server, on
 * no open wire. @api_key: as fal_preflight_dup_api_key() gave it; @has_provider: somebody gives
 * tokens. Error: G_IO_ERROR_INVALID_ARGUMENT. */
gboolean fal_preflight_check_credentials (const FalSettings *settings, const gchar *base_uri,
    const gchar *api_key, gboolean has_provider, GError **error);

/* Whether nothing was set that shows who one is, though fal serves the app: it will be refused
 * unless it is public. @api_key, @has_provider: as above. */
gboolean fal_preflight_wants_key (const FalSettings *settings, const FalEndpoint *endpoint,
    const gchar *api_key, gboolean has_provider);

/* Whether the settings can work at all; error: G_IO_ERROR_INVALID_ARGUMENT,
 * saying what to do. Returns the endpoint. */
FalEndpoint *fal_preflight_check (
    const FalSettings *settings, const gchar *api_key, gboolean has_provider, GError **error);

G_END_DECLS
