/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socket-list.h"
#include "timer.h"

#include <sys/socket.h>

#define LOOK_INTERVAL (2 * G_TIME_SPAN_MILLISECOND) /* while it waits */

struct _FalSocketList {
  GPtrArray *entries; /* Entry, owned */
};

typedef struct {
  GWeakRef socket;
  gconstpointer owner;
  guint64 connection;
} Entry;

static void
entry_free (gpointer data)
{
  Entry *entry = data;

  g_weak_ref_clear (&entry->socket);
  g_free (entry);
}

FalSocketList *
fal_socket_list_new (void)
{
  FalSocketList *list = g_rc_box_new (FalSocketList);

  list->entries = g_ptr_array_new_with_free_func (entry_free);
  return list;
}

FalSocketList *
fal_socket_list_ref (FalSocketList *list)
{
  return g_rc_box_acquire (list);
}

static void
list_clear (gpointer data)
{
  g_ptr_array_unref (((FalSocketList *) data)->entries);
}

void
fal_socket_list_unref (FalSocketList *list)
{
  g_rc_box_release_full (list, list_clear);
}

guint
fal_socket_list_count (FalSocketList *list)
{
  for (guint i = list->entries->len; i > 0; i--) {
    Entry *entry = list->entries->pdata[i - 1];
    g_autoptr (GSocket) socket = g_weak_ref_get (&entry->socket);

    if (socket == NULL)
      g_ptr_array_remove_index_fast (list->entries, i - 1);
  }
  return list->entries->len;
}

void
fal_socket_list_add (FalSocketList *list, gconstpointer owner, guint64 connection, GSocket *socket)
{
  Entry *entry = g_new (Entry, 1);

  fal_socket_list_count (list); /* forgets those that are gone */
  g_weak_ref_init (&entry->socket, socket);
  entry->owner = owner;
  entry->connection = connection;
  g_ptr_array_add (list->entries, entry);
}

/* Once it is closed, the peer is told not to go on: else one that floods would have a minute's time
 * of the kernel's. */
static void
cut (Entry *entry)
{
  const struct linger at_once = { .l_onoff = 1 };
  g_autoptr (GSocket) socket = g_weak_ref_get (&entry->socket);

  if (socket == NULL)
    return;
  setsockopt (g_socket_get_fd (socket), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  g_socket_shutdown (socket, TRUE, TRUE, NULL);
}

void
fal_socket_list_cut (FalSocketList *list, gconstpointer owner, guint64 connection)
{
  for (guint i = 0; i < list->entries->len; i++) {
    Entry *entry = list->entries->pdata[i];

    if (entry->owner == owner && entry->connection == connection)
      cut (entry);
  }
}

void
fal_socket_list_cut_all (FalSocketList *list)
{
  for (guint i = 0; i < list->entries->len; i++)
    cut (list->entries->pdata[i]);
}

static void
on_look (gpointer data)
{
}

/* The last to let go of a socket may be a thread of GIO's, which wakes nobody: so it is looked at
 * again and again. */
void
fal_socket_list_wait (FalSocketList *list, GMainContext *context, gint64 duration)
{
  g_autoptr (FalTimer) timer = fal_timer_new (context, on_look, NULL);
  gint64 now = g_get_monotonic_time (), end = now + duration;

  for (; now < end && fal_socket_list_count (list) > 0; now = g_get_monotonic_time ()) {
    fal_timer_set (timer, now + LOOK_INTERVAL);
    g_main_context_iteration (context, TRUE);
  }
}
