/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The form of request ids. Pure. */
#include "request-id.h"

#include <string.h>

/* Sets our ids apart from those that a server may give its results by itself. */
#define ID_PREFIX "frame-"

gchar *
fal_request_id_format (guint64 id)
{
  return g_strdup_printf (ID_PREFIX "%" G_GUINT64_FORMAT, id);
}

gboolean
fal_request_id_parse (const gchar *text, guint64 *id)
{
  return g_str_has_prefix (text, ID_PREFIX) &&
         g_ascii_string_to_unsigned (text + strlen (ID_PREFIX), 10, 1, G_MAXUINT64, id, NULL);
}
