/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one place where secrets are taken out of text that others get to read. Pure. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* @text without what looks like a token or key in an address or header, without anything of JWT
 * form, and without the @secrets (NULL-terminated; may be NULL; of a key "id:secret" the two halves
 * as well), however they are escaped; "[secret]" stands in their place. */
gchar *fal_redact (const gchar *text, const gchar *const *secrets);

G_END_DECLS
