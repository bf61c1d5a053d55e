/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The form of request ids. Pure. */
#include "request-id.h"

#include <string.h>

/* Sets our ids apart from those that a server may give its results by itself. */
#define PREFIX "frame-"
/* Before the member. */
#define MARK '@'

gchar *
fal_request_id_format (guint64 id, guint member)
{
  if (member == 0)
    return g_strdup_printf (PREFIX "%" G_GUINT64_FORMAT, id);
  return g_strdup_printf (PREFIX "%" G_GUINT64_FORMAT "%c%u", id, MARK, member);
}

/* Whether the first @length bytes of @text are an id of ours. */
static gboolean
is_ours (const gchar *text, gsize length)
{
  gsize digits = length - strlen (PREFIX);

  return length > strlen (PREFIX) && strncmp (text, PREFIX, strlen (PREFIX)) == 0 &&
         strspn (text + strlen (PREFIX), "0123456789") >= digits;
}

gboolean
fal_request_id_parse (const gchar *text, guint64 *id)
{
  return g_str_has_prefix (text, PREFIX) &&
         g_ascii_string_to_unsigned (text + strlen (PREFIX), 10, 1, G_MAXUINT64, id, NULL);
}

gint64
fal_request_id_take_member (gchar *text)
{
  gchar *mark = text ? strrchr (text, MARK) : NULL;
  guint64 number;

  if (mark == NULL)
    return text && fal_request_id_parse (text, &number) ? 0 : -1;
  if (!is_ours (text, mark - text) ||
      !g_ascii_string_to_unsigned (mark + 1, 10, 1, G_MAXUINT, &number, NULL))
    return -1;
  *mark = '\0';
  return number;
}
