/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The turns: start-time fair queueing on the number of requests, as long as the model is busy.
 * Used on the net thread. */
#include "request-turns.h"

/* A request that waited this long beside several round trips was lost, µs. */
#define LOST_AFTER G_USEC_PER_SEC

typedef struct {
  gpointer user;
  GQueue waiting; /* GBytes */
  guint out;      /* requests that are out */
  guint64 count;  /* requests sent, as far as the turns count them */
  gint64 sent;    /* when it sent last */
  gint64 answered;
} Member;

/* A request that is out. */
typedef struct {
  gpointer user; /* NULL: it has left */
  gint64 sent;
  guint out; /* how many were out then, with this one */
} Request;

struct _FalRequestTurns {
  GPtrArray *members;
  GQueue order;    /* Request, oldest first */
  gboolean echoes; /* the app echoes our ids */

  gint64 round_trip;    /* of the request that was answered last; 0: none was yet */
  gint64 shortest_trip; /* on this connection: one that met a model without work */
  gdouble enough;       /* requests out that keep the model busy */
};

/* ---- members ---- */

/* Nothing of it waits or is out. */
static void
clear_member (Member *member)
{
  g_queue_clear_full (&member->waiting, (GDestroyNotify) g_bytes_unref);
  member->out = 0;
}

static void
member_free (gpointer data)
{
  clear_member (data);
  g_free (data);
}

static Member *
find (const FalRequestTurns *turns, gpointer user)
{
  for (guint i = 0; i < turns->members->len; i++) {
    Member *member = turns->members->pdata[i];

    if (member->user == user)
      return member;
  }
  return NULL;
}

/* Until when it counts as active though nothing of it waits. A request without an answer after two
 * round trips may never get one. */
static gint64
get_active_until (const FalRequestTurns *turns, const Member *member)
{
  /* -Wanalyzer-null-dereference: who pushes and asks is a member */
  return MAX (member->sent + 2 * turns->round_trip, member->answered + turns->round_trip);
}

static gboolean
is_active (const FalRequestTurns *turns, const Member *member, gint64 now)
{
  return member->waiting.length > 0 || now < get_active_until (turns, member);
}

/* How many requests the active member beside @member has sent that sent fewest; G_MAXUINT64: there
 * is none. */
static guint64
get_least_count (const FalRequestTurns *turns, const Member *member, gint64 now)
{
  guint64 least = G_MAXUINT64;

  for (guint i = 0; i < turns->members->len; i++) {
    const Member *other = turns->members->pdata[i];

    if (other != member && is_active (turns, other, now))
      least = MIN (least, other->count);
  }
  return least;
}

/* It is out no more; the member that sent it, NULL: it has left. */
static Member *
remove_request (FalRequestTurns *turns, GList *link)
{
  g_autofree Request *request = link->data;
  Member *member = request->user ? find (turns, request->user) : NULL;

  g_queue_delete_link (&turns->order, link);
  if (member)
    member->out--;
  return member;
}

/* ---- life ---- */

FalRequestTurns *
fal_request_turns_new (void)
{
  FalRequestTurns *turns = g_new0 (FalRequestTurns, 1);

  turns->members = g_ptr_array_new_with_free_func (member_free);
  return turns;
}

void
fal_request_turns_free (FalRequestTurns *turns)
{
  fal_request_turns_clear (turns);
  g_ptr_array_unref (turns->members);
  g_free (turns);
}

void
fal_request_turns_join (FalRequestTurns *turns, gpointer user)
{
  Member *member = g_new0 (Member, 1);

  member->user = user;
  member->sent = member->answered = G_MININT64;
  g_ptr_array_add (turns->members, member);
}

void
fal_request_turns_forget (FalRequestTurns *turns, gpointer user)
{
  g_ptr_array_remove (turns->members, find (turns, user));
  for (GList *l = turns->order.head; l != NULL; l = l->next) {
    Request *request = l->data;

    if (request->user == user)
      request->user = NULL;
  }
}

void
fal_request_turns_clear (FalRequestTurns *turns)
{
  g_queue_clear_full (&turns->order, g_free);
  for (guint i = 0; i < turns->members->len; i++)
    clear_member (turns->members->pdata[i]);
  turns->round_trip = turns->shortest_trip = 0;
  turns->enough = 0;
}

/* ---- sending ---- */

void
fal_request_turns_push (FalRequestTurns *turns, gpointer user, GBytes *message, gint64 now)
{
  Member *member = find (turns, user);
  guint64 least = get_least_count (turns, member, now);

  if (least != G_MAXUINT64 && !is_active (turns, member, now))
    member->count = least;
  g_queue_push_tail (&member->waiting, g_bytes_ref (message));
}

/* Of those that have a message, the one that sent fewest; of several the one that sent longest ago.
 */
static Member *
find_next (const FalRequestTurns *turns)
{
  Member *next = NULL;

  for (guint i = 0; i < turns->members->len; i++) {
    Member *member = turns->members->pdata[i];

    if (member->waiting.length == 0)
      continue;
    if (next == NULL || member->count < next->count ||
        (member->count == next->count && member->sent < next->sent))
      next = member;
  }
  return next;
}

/* Requests that are out or are about to be: of an active member that has none a message is on its
 * way, for which room is kept. */
static guint
count_out (const FalRequestTurns *turns, const Member *member, gint64 now)
{
  guint out = turns->order.length;

  for (guint i = 0; i < turns->members->len; i++) {
    const Member *other = turns->members->pdata[i];

    out += other != member && other->out == 0 && is_active (turns, other, now);
  }
  return out;
}

static gboolean
may_send (const FalRequestTurns *turns, const Member *member, gint64 now)
{
  if (turns->members->len == 1 || turns->order.length == 0)
    return TRUE;
  if (!turns->echoes)
    return FALSE;
  return member->count <= get_least_count (turns, member, now) ||
         count_out (turns, member, now) < turns->enough;
}

static void
note_sent (FalRequestTurns *turns, Member *member, gint64 now)
{
  Request *request = g_new (Request, 1);
  guint64 least = get_least_count (turns, member, now);

  member->count = MIN (member->count, least) + 1;
  member->sent = now;
  member->out++;
  *request = (Request){ member->user, now, turns->order.length + 1 };
  g_queue_push_tail (&turns->order, request);
  if (turns->order.length > FAL_REQUEST_TURNS_MAX_ORDER)
    remove_request (turns, turns->order.head);
}

GBytes *
fal_request_turns_take (FalRequestTurns *turns, gint64 now, gpointer *user)
{
  Member *member = find_next (turns);

  if (member == NULL || !may_send (turns, member, now))
    return NULL;
  note_sent (turns, member, now);
  *user = member->user;
  return g_queue_pop_head (&member->waiting);
}

/* Whoever keeps the next one back has no message, else it would be the next. */
gint64
fal_request_turns_next_time (const FalRequestTurns *turns, gint64 now)
{
  const Member *next = find_next (turns);
  gint64 time = now;

  if (next == NULL || !turns->echoes)
    return G_MAXINT64;
  for (guint i = 0; i < turns->members->len; i++) {
    const Member *other = turns->members->pdata[i];

    if (other->count < next->count)
      time = MAX (time, get_active_until (turns, other));
  }
  return time;
}

/* ---- answers ---- */

/* A model that is idle when a request arrives answers it in the shortest trip. By what the trip of
 * this one was longer, it waited behind others; those that were out and did not wait were on their
 * way, or worked on, and as many keep the model busy. Where nobody waited, the model may have room
 * for more than there was: for one more, to find out. */
static void
note_trip (FalRequestTurns *turns, const Request *request, gint64 now)
{
  gint64 trip = MAX (now - request->sent, 1);
  gdouble moving;

  turns->round_trip = trip;
  if (turns->shortest_trip == 0 || trip < turns->shortest_trip)
    turns->shortest_trip = trip;
  moving = (gdouble) request->out * turns->shortest_trip / trip;
  turns->enough = request->out - moving < 0.5 ? moving + 1 : moving;
}

static void
forget_lost (FalRequestTurns *turns, gint64 now)
{
  const Request *oldest;

  while ((oldest = g_queue_peek_head (&turns->order)) != NULL &&
         now - oldest->sent > 8 * turns->round_trip + LOST_AFTER)
    remove_request (turns, turns->order.head);
}

static void
end_request (FalRequestTurns *turns, GList *link, gint64 now)
{
  Member *member;

  note_trip (turns, link->data, now);
  member = remove_request (turns, link);
  if (member)
    member->answered = now;
}

void
fal_request_turns_answer_oldest (FalRequestTurns *turns, gpointer user, gint64 now)
{
  GList *link = turns->order.head;

  while (link != NULL && ((Request *) link->data)->user != user)
    link = link->next;
  if (link != NULL)
    end_request (turns, link, now);
}

void
fal_request_turns_answer (FalRequestTurns *turns, gpointer user, gint64 now)
{
  turns->echoes = TRUE;
  fal_request_turns_answer_oldest (turns, user, now);
  forget_lost (turns, now);
}

gpointer
fal_request_turns_peek_oldest (const FalRequestTurns *turns, gboolean *known)
{
  const Request *oldest = g_queue_peek_head ((GQueue *) &turns->order);

  *known = oldest != NULL;
  return oldest ? oldest->user : NULL;
}
