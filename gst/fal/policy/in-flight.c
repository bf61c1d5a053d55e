/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests in flight, in a queue. Pure. */
#include "in-flight.h"

GList *
fal_in_flight_find (const GQueue *requests, guint64 id)
{
  for (GList *l = requests->head; l != NULL; l = l->next)
    if (((FalInFlight *) l->data)->id == id)
      return l;
  return NULL;
}

FalInFlight *
fal_in_flight_find_unsent (const GQueue *requests)
{
  for (GList *l = requests->head; l != NULL; l = l->next)
    if (((FalInFlight *) l->data)->unsent)
      return l->data;
  return NULL;
}
