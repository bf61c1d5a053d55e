/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "page-client.h"
#include "fal/wire/value-json.h"
#include "message-limit.h"
#include "wait.h"
#include <string.h>

#define HEADER 8 /* bytes before a picture */

static void
take_text (PageClient *page, GBytes *message)
{
  gsize size;
  const gchar *text = g_bytes_get_data (message, &size);
  g_autoptr (GError) error = NULL;
  GstStructure *map = fal_value_from_json (text, size, &error);
  const gchar *type;

  g_assert_no_error (error);
  g_string_append_len (page->texts, text, size);
  type = gst_structure_get_string (map, "type");
  if (g_str_equal (type, "state")) {
    g_clear_pointer (&page->state, gst_structure_free);
    page->state = map;
    return;
  }
  if (g_str_equal (type, "sample")) {
    g_clear_pointer (&page->sample, gst_structure_free);
    page->sample = map;
    page->samples++;
    return;
  }
  if (g_str_equal (type, "notice"))
    g_string_append_printf (page->notices, "%s: %s\n", gst_structure_get_string (map, "level"),
        gst_structure_get_string (map, "text"));
  page->taken += g_str_equal (type, "taken");
  gst_structure_free (map);
}

static void
take_picture (PageClient *page, GBytes *message)
{
  static const guint8 nothing[HEADER - 1] = { 0 };
  const guint8 *data = g_bytes_get_data (message, NULL);
  guint kind = data[0];
  g_autofree gchar *shown = g_strdup_printf ("{\"type\":\"shown\",\"kind\":%u}", kind);

  g_assert_cmpuint (kind, <, LIVE_N_PICTURES);
  g_assert_cmpmem (data + 1, HEADER - 1, nothing, HEADER - 1);
  page->pictures[kind]++;
  g_clear_pointer (&page->picture[kind], g_bytes_unref);
  page->picture[kind] =
      g_bytes_new_from_bytes (message, HEADER, g_bytes_get_size (message) - HEADER);
  if (page->shows)
    page_client_send (page, shown);
}

static void
on_message (SoupWebsocketConnection *socket, gint type, GBytes *message, gpointer user)
{
  if (type == SOUP_WEBSOCKET_DATA_TEXT)
    take_text (user, message);
  else
    take_picture (user, message);
}

/* The code is known when the server's close comes. */
static void
on_closing (SoupWebsocketConnection *socket, gpointer user)
{
  PageClient *page = user;

  page->code = soup_websocket_connection_get_close_code (socket);
  page->closed = TRUE;
}

static void
on_closed (SoupWebsocketConnection *socket, gpointer user)
{
  ((PageClient *) user)->closed = TRUE;
}

static void
on_connected (GObject *session, GAsyncResult *result, gpointer user)
{
  PageClient *page = user;
  g_autoptr (GError) error = NULL;

  page->socket = soup_session_websocket_connect_finish (SOUP_SESSION (session), result, &error);
  g_assert_no_error (error);
  fal_message_limit_set (page->socket, 16 * 1024 * 1024);
  g_signal_connect (page->socket, "message", G_CALLBACK (on_message), page);
  g_signal_connect (page->socket, "closing", G_CALLBACK (on_closing), page);
  g_signal_connect (page->socket, "closed", G_CALLBACK (on_closed), page);
}

PageClient *
page_client_new (const gchar *uri, const gchar *path)
{
  PageClient *page = g_new0 (PageClient, 1);
  g_autofree gchar *origin = g_strndup (uri, strlen (uri) - 1);
  g_autofree gchar *address = g_strconcat ("ws", origin + strlen ("http"), path, NULL);
  g_autoptr (SoupMessage) upgrade = soup_message_new (SOUP_METHOD_GET, address);

  page->shows = TRUE;
  page->notices = g_string_new (NULL);
  page->texts = g_string_new (NULL);
  page->session = soup_session_new ();
  soup_session_websocket_connect_async (
      page->session, upgrade, origin, NULL, G_PRIORITY_DEFAULT, NULL, on_connected, page);
  FAL_WAIT_UNTIL (page->socket != NULL);
  return page;
}

void
page_client_free (PageClient *page)
{
  g_signal_handlers_disconnect_by_data (page->socket, page);
  g_io_stream_close (soup_websocket_connection_get_io_stream (page->socket), NULL, NULL);
  g_object_unref (page->socket);
  soup_session_abort (page->session);
  g_object_unref (page->session);
  g_clear_pointer (&page->state, gst_structure_free);
  g_clear_pointer (&page->sample, gst_structure_free);
  for (LivePicture picture = 0; picture < LIVE_N_PICTURES; picture++)
    g_clear_pointer (&page->picture[picture], g_bytes_unref);
  g_string_free (page->notices, TRUE);
  g_string_free (page->texts, TRUE);
  g_free (page);
}

void
page_client_send (PageClient *page, const gchar *json)
{
  soup_websocket_connection_send_text (page->socket, json);
}

void
page_client_send_picture (PageClient *page, GBytes *jpeg)
{
  soup_websocket_connection_send_message (page->socket, SOUP_WEBSOCKET_DATA_BINARY, jpeg);
  page->sent++;
}

gchar *
page_client_to_text (const GValue *value)
{
  if (value == NULL)
    return NULL;
  if (G_VALUE_HOLDS_DOUBLE (value))
    return g_strdup_printf ("%g", g_value_get_double (value));
  return G_VALUE_HOLDS_STRING (value) ? g_value_dup_string (value) : gst_value_serialize (value);
}

gchar *
page_client_dup_state (const PageClient *page, const gchar *path)
{
  return page_client_to_text (page->state ? fal_value_get_path (page->state, path) : NULL);
}

gboolean
page_client_has_state (const PageClient *page, const gchar *path, const gchar *value)
{
  g_autofree gchar *text = page_client_dup_state (page, path);

  return g_strcmp0 (text, value) == 0;
}

guint64
page_client_get_count (const PageClient *page, const gchar *path)
{
  const GValue *value = page->sample ? fal_value_get_path (page->sample, path) : NULL;

  g_assert_true (page->sample == NULL || value != NULL);
  return value ? g_value_get_int64 (value) : 0;
}
