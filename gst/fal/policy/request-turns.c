/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The turns: two queues, of what waits and of whose requests are out. Pure: used on the net
 * thread. */
#include "request-turns.h"

struct _FalRequestTurns {
  guint users;
  gboolean echoes; /* the app echoes our ids */
  GQueue waiting;  /* Message */
  GQueue order;    /* users whose requests are out, oldest first; the turns: one that has left */
};

typedef struct {
  gpointer user;
  GBytes *bytes;
} Message;

static void
message_free (gpointer data)
{
  Message *message = data;

  g_bytes_unref (message->bytes);
  g_free (message);
}

FalRequestTurns *
fal_request_turns_new (void)
{
  return g_new0 (FalRequestTurns, 1);
}

void
fal_request_turns_free (FalRequestTurns *turns)
{
  fal_request_turns_clear (turns);
  g_free (turns);
}

void
fal_request_turns_set_users (FalRequestTurns *turns, guint users)
{
  turns->users = users;
}

void
fal_request_turns_push (FalRequestTurns *turns, gpointer user, GBytes *bytes)
{
  Message *message = g_new (Message, 1);

  *message = (Message){ user, g_bytes_ref (bytes) };
  g_queue_push_tail (&turns->waiting, message);
}

GBytes *
fal_request_turns_take (FalRequestTurns *turns, gpointer *user)
{
  g_autofree Message *message = NULL;

  if (!turns->echoes && turns->users > 1 && turns->order.length > 0)
    return NULL;
  message = g_queue_pop_head (&turns->waiting);
  if (message == NULL)
    return NULL;
  g_queue_push_tail (&turns->order, message->user);
  if (turns->order.length > FAL_REQUEST_TURNS_MAX_ORDER)
    g_queue_pop_head (&turns->order);
  *user = message->user;
  return message->bytes;
}

void
fal_request_turns_answer (FalRequestTurns *turns, gpointer user)
{
  turns->echoes = TRUE;
  g_queue_remove (&turns->order, user);
}

gpointer
fal_request_turns_answer_oldest (FalRequestTurns *turns, gboolean *known)
{
  gpointer user = g_queue_pop_head (&turns->order);

  *known = user != NULL;
  return user == turns ? NULL : user;
}

void
fal_request_turns_forget (FalRequestTurns *turns, gpointer user)
{
  for (GList *l = turns->waiting.head, *next; l != NULL; l = next) {
    next = l->next;
    if (((Message *) l->data)->user != user)
      continue;
    message_free (l->data);
    g_queue_delete_link (&turns->waiting, l);
  }
  for (GList *l = turns->order.head; l != NULL; l = l->next)
    if (l->data == user)
      l->data = turns;
}

void
fal_request_turns_clear (FalRequestTurns *turns)
{
  g_queue_clear (&turns->order);
  g_queue_clear_full (&turns->waiting, message_free);
}
