/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The token request's body, the token in the reply, and what a token says of itself.
 *
 * Pure and thread safe. What is made here may hold a secret: never log it. */
#pragma once

#include "endpoint.h"
#include "fal/options.h"

G_BEGIN_DECLS

/* The JSON body of a token request; @expiration in seconds. */
gchar *fal_token_format_get_request (
    const FalEndpoint *endpoint, FalTokenRequest kind, guint expiration);

/* What a token provider is told: "owner/alias/realtime". */
gchar *fal_token_format_get_scope (const FalEndpoint *endpoint);

/* The token in the body of a token server's 200 or 201: a JSON string,
 * {"token":…}, {"detail":…} or plain text. What could not stand in a URL as a
 * token, or is longer than 16 KiB, is refused. */
gchar *fal_token_format_parse_reply (const gchar *body, gsize length, GError **error);

/* Whether @text, or NULL, could be a token: not empty, not longer than 16 KiB, nothing in it that
 * would need an escape in a URL or a header. */
gboolean fal_token_format_is_token (const gchar *text);

/* When a JWT ends, in seconds since 1970; 0 where it does not say. */
gint64 fal_token_format_get_expiry (const gchar *token);

G_END_DECLS
