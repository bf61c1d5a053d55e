/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The turns: two queues, of what waits and of whose requests are out. Pure: used on the net
 * thread. */
#include "turns.h"

struct _FalTurns {
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

FalTurns *
fal_turns_new (void)
{
  return g_new0 (FalTurns, 1);
}

void
fal_turns_free (FalTurns *turns)
{
  fal_turns_clear (turns);
  g_free (turns);
}

void
fal_turns_set_users (FalTurns *turns, guint users)
{
  turns->users = users;
}

void
fal_turns_push (FalTurns *turns, gpointer user, GBytes *bytes)
{
  Message *message = g_new (Message, 1);

  *message = (Message){ user, g_bytes_ref (bytes) };
  g_queue_push_tail (&turns->waiting, message);
}

GBytes *
fal_turns_take (FalTurns *turns, gpointer *user)
{
  g_autofree Message *message = NULL;

  if (!turns->echoes && turns->users > 1 && turns->order.length > 0)
    return NULL;
  message = g_queue_pop_head (&turns->waiting);
  if (message == NULL)
    return NULL;
  g_queue_push_tail (&turns->order, message->user);
  if (turns->order.length > FAL_TURNS_MAX_ORDER)
    g_queue_pop_head (&turns->order);
  *user = message->user;
  return message->bytes;
}

void
fal_turns_answer (FalTurns *turns, gpointer user)
{
  turns->echoes = TRUE;
  g_queue_remove (&turns->order, user);
}

gpointer
fal_turns_answer_oldest (FalTurns *turns, gboolean *known)
{
  gpointer user = g_queue_pop_head (&turns->order);

  *known = user != NULL;
  return user == turns ? NULL : user;
}

void
fal_turns_forget (FalTurns *turns, gpointer user)
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
fal_turns_clear (FalTurns *turns)
{
  g_queue_clear (&turns->order);
  g_queue_clear_full (&turns->waiting, message_free);
}
