/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The body of a token request, the token in the reply, and the claims of a token.
 *
 * Pure; used on any thread. What is returned here may hold a secret and must not be logged. */
#pragma once

#include "endpoint.h"
#include "fal/options.h"

G_BEGIN_DECLS

/* The JSON body of a token request. @expiration: the token's life in seconds. */
gchar *fal_token_format_get_request (
    const FalEndpoint *endpoint, FalTokenRequest kind, guint expiration);

/* What a token is for: "owner/alias/realtime". */
gchar *fal_token_format_get_scope (const FalEndpoint *endpoint);

/* The token in the body of a token server's successful response: a JSON string, {"token":…},
 * {"detail":…} or plain text. Error: G_IO_ERROR_INVALID_DATA where that is not
 * fal_token_format_is_token(); the message does not repeat the body. */
gchar *fal_token_format_parse_reply (const gchar *body, gsize length, GError **error);

/* Whether @text, which may be NULL, can be a token: not empty, at most 16 KiB, and of characters
 * that neither end a header nor a query's value. */
gboolean fal_token_format_is_token (const gchar *text);

/* When @token, a JWT or NULL, expires, in seconds since 1970; 0 where it does not say. */
gint64 fal_token_format_get_expiry (const gchar *token);

G_END_DECLS
