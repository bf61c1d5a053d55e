/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A token, requested from fal's token server with an API key, or from a proxy of the user's that
 * adds the key.
 *
 * Belongs to the net thread: made and answered in its main context. */
#pragma once

#include "fal/wire/token-format.h"
#include <libsoup/soup.h>

G_BEGIN_DECLS

/* Borrowed for the call of fal_token_request_new_message(). */
typedef struct {
  const FalEndpoint *endpoint; /* what the token is for */
  const gchar *uri;            /* of the token server */
  const gchar *proxy_uri;      /* asked in its place; NULL: none */
  FalTokenRequest form;
  guint expiration; /* seconds */
} FalTokenQuery;

/* "Key …" in the Authorization header of @message. */
void fal_token_request_add_key (SoupMessage *message, const gchar *api_key);

/* The request, without a key; NULL: the address is none. */
SoupMessage *fal_token_request_new_message (const FalTokenQuery *query);

/* Sends @message, which fal_token_request_new_message() made. @cancellable is not NULL, and may be
 * cancelled at any time in the net thread; the callback comes soon then, but from the main loop.
 * The session is not aborted before it has come. */
void fal_token_request_async (SoupSession *soup, SoupMessage *message, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user);

/* The token. Where the server answered without one, *@status is what it answered
 * with and the error G_IO_ERROR_INVALID_DATA; where it did not answer, 0 and the
 * error of the transport. */
gchar *fal_token_request_finish (GAsyncResult *result, guint *status, GError **error);

G_END_DECLS
