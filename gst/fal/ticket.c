/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ticket: a request in flight. Pure. */
#include "ticket.h"
#include <string.h>

/* Sets our ids apart from those that a server may give its results by itself. */
#define ID_PREFIX "frame-"

gchar *
fal_ticket_format_id (guint64 id)
{
  return g_strdup_printf (ID_PREFIX "%" G_GUINT64_FORMAT, id);
}

gboolean
fal_ticket_parse_id (const gchar *text, guint64 *id)
{
  return g_str_has_prefix (text, ID_PREFIX) &&
         g_ascii_string_to_unsigned (text + strlen (ID_PREFIX), 10, 1, G_MAXUINT64, id, NULL);
}

GList *
fal_ticket_find (const GQueue *tickets, guint64 id)
{
  for (GList *l = tickets->head; l != NULL; l = l->next)
    if (((FalTicket *) l->data)->id == id)
      return l;
  return NULL;
}

FalTicket *
fal_ticket_find_unsent (const GQueue *tickets)
{
  for (GList *l = tickets->head; l != NULL; l = l->next)
    if (((FalTicket *) l->data)->unsent)
      return l->data;
  return NULL;
}
