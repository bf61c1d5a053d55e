/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tab's socket. */
#include "tab.h"
#include "message-limit.h"
#include <string.h>

#define MAX_ORDER (64 * 1024) /* bytes */
#define HEADER 8              /* bytes before a picture; the first says which it is */

struct _LiveTab {
  SoupWebsocketConnection *socket;
  LiveTabEvents events;
  gpointer user;
  gboolean wants[LIVE_N_PICTURES];
  guint stuck; /* looks in a row at which the network took no more */
};

static void
on_message (SoupWebsocketConnection *socket, gint type, GBytes *message, gpointer user)
{
  LiveTab *tab = user;
  g_auto (LiveOrder) order = { 0 };
  g_autoptr (GError) error = NULL;
  gsize length;
  const gchar *text = g_bytes_get_data (message, &length);

  if (type != SOUP_WEBSOCKET_DATA_TEXT || !live_order_parse (&order, text, length, &error)) {
    g_message ("ignored what a page sent: %s", error ? error->message : "it is no text");
    return;
  }
  if (order.type != LIVE_ORDER_SHOWN) {
    tab->events.on_order (tab->user, &order);
    return;
  }
  tab->wants[order.picture] = TRUE;
  tab->events.on_wanted (tab->user, order.picture);
}

static void
on_closed (SoupWebsocketConnection *socket, gpointer user)
{
  LiveTab *tab = user;

  tab->events.on_closed (tab->user, tab);
}

LiveTab *
live_tab_new (SoupWebsocketConnection *socket, const LiveTabEvents *events, gpointer user)
{
  LiveTab *tab = g_new0 (LiveTab, 1);

  fal_message_limit_set (socket, MAX_ORDER);
  tab->socket = g_object_ref (socket);
  tab->events = *events;
  tab->user = user;
  g_signal_connect (socket, "message", G_CALLBACK (on_message), tab);
  g_signal_connect (socket, "closed", G_CALLBACK (on_closed), tab);
  for (LivePicture picture = 0; picture < LIVE_N_PICTURES; picture++)
    tab->wants[picture] = TRUE;
  return tab;
}

static gboolean
is_open (const LiveTab *tab)
{
  return soup_websocket_connection_get_state (tab->socket) == SOUP_WEBSOCKET_STATE_OPEN;
}

/* libsoup waits for what it sent to be taken: that is for those who take something. */
void
live_tab_free (LiveTab *tab)
{
  g_signal_handlers_disconnect_by_data (tab->socket, tab);
  if (tab->stuck > 0)
    g_io_stream_close (soup_websocket_connection_get_io_stream (tab->socket), NULL, NULL);
  else if (is_open (tab))
    soup_websocket_connection_close (tab->socket, SOUP_WEBSOCKET_CLOSE_GOING_AWAY, NULL);
  g_object_unref (tab->socket);
  g_free (tab);
}

static gboolean
wants (const LiveTab *tab, LivePicture picture)
{
  return tab->wants[picture] && is_open (tab);
}

void
live_tab_show (LiveTab *tab, LivePicture picture, GBytes *jpeg)
{
  gsize size = g_bytes_get_size (jpeg);
  g_autofree guint8 *message = NULL;

  if (!wants (tab, picture))
    return;
  message = g_malloc0 (HEADER + size);
  message[0] = picture;
  memcpy (message + HEADER, g_bytes_get_data (jpeg, NULL), size);
  soup_websocket_connection_send_binary (tab->socket, message, HEADER + size);
  tab->wants[picture] = FALSE;
}

void
live_tab_send (LiveTab *tab, const gchar *json)
{
  if (is_open (tab))
    soup_websocket_connection_send_text (tab->socket, json);
}

gboolean
live_tab_is_stuck (LiveTab *tab)
{
  GIOStream *stream = soup_websocket_connection_get_io_stream (tab->socket);
  GOutputStream *output = g_io_stream_get_output_stream (stream);

  if (!is_open (tab) || g_pollable_output_stream_is_writable (G_POLLABLE_OUTPUT_STREAM (output)))
    tab->stuck = 0;
  else
    tab->stuck++;
  return tab->stuck >= LIVE_TAB_PATIENCE;
}
