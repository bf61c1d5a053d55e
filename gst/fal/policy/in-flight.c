/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ticket: a request in flight. Pure. */
#include "in-flight.h"

GList *
fal_in_flight_find (const GQueue *tickets, guint64 id)
{
  for (GList *l = tickets->head; l != NULL; l = l->next)
    if (((FalInFlight *) l->data)->id == id)
      return l;
  return NULL;
}

FalInFlight *
fal_in_flight_find_unsent (const GQueue *tickets)
{
  for (GList *l = tickets->head; l != NULL; l = l->next)
    if (((FalInFlight *) l->data)->unsent)
      return l->data;
  return NULL;
}
