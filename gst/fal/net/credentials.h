/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which credential the next attempt uses, which were refused, and what messages may say of them.
 *
 * Pure: no thread, lock, clock, socket or log. Belongs to the net thread. Times are seconds since
 * 1970 by the wall clock, as in tokens, given as arguments. */
#pragma once

#include "fal/settings/settings.h"

G_BEGIN_DECLS

/* What whoever has no key can do. */
#define FAL_KEY_HINT                                                                               \
  "Get a key at https://fal.ai/dashboard/keys and set it in the environment: "                     \
  "export FAL_KEY=id:secret."

/* Tokens that are remembered as refused; the oldest is forgotten first. */
#define FAL_CREDENTIALS_MAX_REFUSED 64

/* How one attempt shows who it is. */
typedef enum {
  FAL_WAY_NONE,
  FAL_WAY_READY_TOKEN, /* the property's */
  FAL_WAY_PROVIDER,    /* a token that request-token gives */
  FAL_WAY_TOKEN_PROXY, /* one that token-proxy-uri gives */
  FAL_WAY_TOKEN_URI,   /* one that token-uri gives for the API key */
  FAL_WAY_KEY_HEADER,
  FAL_WAY_KEY_QUERY,
} FalWay;

typedef struct _FalCredentials FalCredentials;

FalCredentials *fal_credentials_new (void);
void fal_credentials_free (FalCredentials *credentials);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalCredentials, fal_credentials_free)

/* The API key comes beside the settings, since a file is read once. Empty strings stand for none.
 * TRUE: the token is another than before, and not none. */
gboolean fal_credentials_configure (
    FalCredentials *credentials, FalSettings *settings, const gchar *api_key, FalKeyOrigin origin);

/* Borrowed until the next configure; NULL: none. */
const gchar *fal_credentials_get_api_key (const FalCredentials *credentials);

/* The way of the next attempt; before anything was set: none. @has_provider: somebody gives tokens.
 * A ready token that was refused or has ended is chosen only where there is no other way: it is not
 * to be sent. */
FalWay fal_credentials_choose (
    const FalCredentials *credentials, gboolean has_provider, gint64 now);

/* Whether a token has to be asked for first. */
gboolean fal_way_asks (FalWay way);

/* Whether @token may be sent: it has not ended, and was not refused before. One that was asked for
 * has only just been made, so that it is this machine's clock that is wrong where it seems to have
 * ended. Error: saying which token; G_IO_ERROR_TIMED_OUT: it has ended,
 * G_IO_ERROR_PERMISSION_DENIED: it was refused. */
gboolean fal_credentials_check_token (
    const FalCredentials *credentials, FalWay way, const gchar *token, gint64 now, GError **error);

/* @token is never to be sent again. */
void fal_credentials_refuse (FalCredentials *credentials, const gchar *token);

/* What was shown on the way and where it came from, without a part of it: while a token was still
 * being asked for (@asking), or afterwards. */
gchar *fal_credentials_describe (const FalCredentials *credentials, FalWay way, gboolean asking);

/* What a user can do where what was shown is refused; static. NULL: what the fault itself says. */
const gchar *fal_credentials_get_hint (FalWay way, gboolean asking);

G_END_DECLS
