/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who may come in: the accepted token, the accepted key, and the tokens issued for that key.
 * Lives in the server's thread. */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

typedef struct _FalGate FalGate;

/* With neither @token nor @api_key everybody is let in. With @token alone an issued token is
 * refused, as one of the wrong scope. */
FalGate *fal_gate_new (const gchar *token, const gchar *api_key);
void fal_gate_free (FalGate *gate);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalGate, fal_gate_free)

/* Whether an upgrade brings what is asked for, in its query or its Authorization header. */
gboolean fal_gate_admits (FalGate *gate, SoupServerMessage *message);

/* Answers a POST for a token with a bare JSON string, or with 401. @key_known: a proxy holds the
 * key, the request need not bring it. */
void fal_gate_issue (FalGate *gate, SoupServerMessage *message, gboolean key_known);

G_END_DECLS
