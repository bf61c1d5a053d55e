/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests in flight, in a queue. Pure. */
#include "in-flight.h"

#include <string.h>

GList *
fal_in_flight_find (const GQueue *requests, guint64 id)
{
  for (GList *l = requests->head; l != NULL; l = l->next)
    if (fal_tries_find (&((FalInFlight *) l->data)->tries, id) != G_MININT64)
      return l;
  return NULL;
}

void
fal_tries_note (FalTries *tries, guint64 id, gint64 now)
{
  memmove (tries->ids + 1, tries->ids, sizeof tries->ids - sizeof tries->ids[0]);
  memmove (tries->sent + 1, tries->sent, sizeof tries->sent - sizeof tries->sent[0]);
  tries->ids[0] = id;
  tries->sent[0] = now;
}

gboolean
fal_tries_were_made (const FalTries *tries)
{
  return tries->ids[0] != 0;
}

gint64
fal_tries_find (const FalTries *tries, guint64 id)
{
  for (guint i = 0; i < FAL_TRIES_MAX_IDS && tries->ids[i] != 0; i++)
    if (tries->ids[i] == id)
      return tries->sent[i];
  return G_MININT64;
}
