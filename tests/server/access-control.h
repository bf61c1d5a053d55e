/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who may come in: the accepted token, the accepted key, and the tokens issued for that key.
 * Lives in the server's thread. */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

typedef struct _FalAccessControl FalAccessControl;

/* With neither @token nor @api_key everybody is let in. With @token alone an issued token is
 * refused, as one of the wrong scope. */
FalAccessControl *fal_access_control_new (const gchar *token, const gchar *api_key);
void fal_access_control_free (FalAccessControl *access);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalAccessControl, fal_access_control_free)

/* Whether an upgrade brings what is asked for, in its query or its Authorization header. */
gboolean fal_access_control_allows (FalAccessControl *access, SoupServerMessage *message);

/* Answers a POST for a token with a bare JSON string, or with 401. @key_known: a proxy holds the
 * key, the request need not bring it. */
void fal_access_control_issue_token (
    FalAccessControl *access, SoupServerMessage *message, gboolean key_known);

G_END_DECLS
