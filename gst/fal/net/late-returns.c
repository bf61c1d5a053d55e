/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A weak reference to each of them. The last strong one may go on GLib's thread, which wakes
 * nobody: so the wait looks again and again. */
#include "late-returns.h"
#include "timer.h"

#define LOOK_INTERVAL G_TIME_SPAN_MILLISECOND

static GPrivate returns = G_PRIVATE_INIT ((GDestroyNotify) g_ptr_array_unref); /* GWeakRef */

static void
weak_free (gpointer weak)
{
  g_weak_ref_clear (weak);
  g_free (weak);
}

static GPtrArray *
get_returns (void)
{
  GPtrArray *array = g_private_get (&returns);

  if (array == NULL) {
    array = g_ptr_array_new_with_free_func (weak_free);
    g_private_set (&returns, array);
  }
  return array;
}

/* How many there still are; the others are forgotten. */
static guint
count_returns (void)
{
  GPtrArray *array = get_returns ();

  for (guint i = array->len; i-- > 0;) {
    g_autoptr (GObject) object = g_weak_ref_get (array->pdata[i]);

    if (object == NULL)
      g_ptr_array_remove_index_fast (array, i);
  }
  return array->len;
}

static void
add (gpointer object)
{
  GWeakRef *weak = g_new (GWeakRef, 1);

  count_returns ();
  g_weak_ref_init (weak, object);
  g_ptr_array_add (get_returns (), weak);
}

void
fal_late_returns_add (GTask *task)
{
  add (task);
}

static void
on_network_event (SoupMessage *message, GSocketClientEvent event, GIOStream *stream, gpointer data)
{
  if (event == G_SOCKET_CLIENT_TLS_HANDSHAKING)
    add (stream);
}

static void
on_queued (SoupSession *soup, SoupMessage *message, gpointer data)
{
  g_signal_connect (message, "network-event", G_CALLBACK (on_network_event), NULL);
}

void
fal_late_returns_watch (SoupSession *soup)
{
  g_signal_connect (soup, "request-queued", G_CALLBACK (on_queued), NULL);
}

static void
do_nothing (gpointer data)
{
}

void
fal_late_returns_wait (void)
{
  gint64 end = g_get_monotonic_time () + FAL_LATE_RETURNS_PATIENCE, now;
  GMainContext *context = g_main_context_get_thread_default ();
  FalTimer *timer = fal_timer_new (context, do_nothing, NULL);

  while (count_returns () > 0 && (now = g_get_monotonic_time ()) < end) {
    fal_timer_set (timer, now + LOOK_INTERVAL);
    g_main_context_iteration (context, TRUE);
  }
  while (g_main_context_iteration (context, FALSE))
    ;
  fal_timer_free (timer);
}
