/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Takes secrets out of text that others get to read. Pure; used on any thread. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A copy of @text with "[secret]" in place of: what looks like a token or key in an address or
 * header; anything that has the form of a JWT; and each of @secrets (ends with NULL; may be NULL),
 * escaped for an address or not. Of a key "id:secret" each half counts as a secret, too. */
gchar *fal_redact (const gchar *text, const gchar *const *secrets);

G_END_DECLS
