/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The page server: who may ask, and what is answered. */
#include "page-server.h"
#include "message-holder.h"
#include <string.h>

/* Where the page's files are in the program. */
#define PAGE "/live/page/"

struct _LivePageServer {
  SoupServer *soup;
  LiveSocketFunc on_socket;
  gpointer user;
  guint port;
  gchar *uri;
};

/* ---- who may ask ---- */

/* @prefix: what must stand before the host, "" or "http://". */
static gboolean
is_ours (const LivePageServer *server, const gchar *text, const gchar *prefix)
{
  static const gchar *const hosts[] = { "127.0.0.1", "localhost", "[::1]" };

  for (guint i = 0; text != NULL && i < G_N_ELEMENTS (hosts); i++) {
    g_autofree gchar *ours = g_strdup_printf ("%s%s:%u", prefix, hosts[i], server->port);

    if (g_ascii_strcasecmp (text, ours) == 0)
      return TRUE;
  }
  return FALSE;
}

static gboolean
is_upgrade (SoupServerMessage *message)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);

  return soup_message_headers_header_contains (headers, "Upgrade", "websocket");
}

static gboolean
has_socket (const gchar *path)
{
  return g_str_equal (path, "/live") || g_str_equal (path, "/camera");
}

/* 0: may go on. Several headers of one name are one with commas here, which is nobody's host. */
static guint
judge (const LivePageServer *server, SoupServerMessage *message, const gchar *path)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);
  const gchar *method = soup_server_message_get_method (message);

  if (!is_ours (server, soup_message_headers_get_list (headers, "Host"), ""))
    return SOUP_STATUS_FORBIDDEN;
  if (is_upgrade (message) &&
      !is_ours (server, soup_message_headers_get_list (headers, "Origin"), "http://"))
    return SOUP_STATUS_FORBIDDEN;
  if (is_upgrade (message) && !has_socket (path))
    return SOUP_STATUS_NOT_FOUND;
  if (method != SOUP_METHOD_GET && method != SOUP_METHOD_HEAD)
    return SOUP_STATUS_METHOD_NOT_ALLOWED;
  return 0;
}

/* Before a request's body is read, and before an upgrade is answered: a status set here refuses
 * it. */
static void
on_request_head (SoupServer *soup, SoupServerMessage *message, const char *path, GHashTable *query,
    gpointer user)
{
  guint status = judge (user, message, path);

  /* Nothing reads a body: it is not kept. */
  soup_message_body_set_accumulate (soup_server_message_get_request_body (message), FALSE);
  if (status == 0)
    return;
  if (status == SOUP_STATUS_FORBIDDEN)
    g_message ("refused a request: its Host or Origin is not this page's");
  soup_server_message_set_status (message, status, NULL);
}

/* ---- files ---- */

static const gchar *
get_type (const gchar *path)
{
  if (g_str_has_suffix (path, ".html"))
    return "text/html; charset=utf-8";
  if (g_str_has_suffix (path, ".css"))
    return "text/css; charset=utf-8";
  if (g_str_has_suffix (path, ".js"))
    return "text/javascript; charset=utf-8";
  return g_str_has_suffix (path, ".svg") ? "image/svg+xml" : "application/octet-stream";
}

/* Nothing but what this server gives, and nothing of it in another's frame. */
static void
protect (SoupMessageHeaders *to, const gchar *host)
{
  g_autofree gchar *policy = g_strdup_printf (
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
      "media-src blob:; worker-src 'self'; connect-src 'self' ws://%s; "
      "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      host);

  soup_message_headers_replace (to, "Content-Security-Policy", policy);
  soup_message_headers_replace (to, "Cache-Control", "no-store");
  soup_message_headers_replace (to, "X-Content-Type-Options", "nosniff");
  soup_message_headers_replace (to, "X-Frame-Options", "DENY");
  soup_message_headers_replace (to, "Referrer-Policy", "no-referrer");
  soup_message_headers_replace (to, "Cross-Origin-Opener-Policy", "same-origin");
  soup_message_headers_replace (to, "Cross-Origin-Resource-Policy", "same-origin");
}

static void
on_request (SoupServer *soup, SoupServerMessage *message, const char *path, GHashTable *query,
    gpointer user)
{
  SoupMessageHeaders *request = soup_server_message_get_request_headers (message);
  SoupMessageHeaders *response = soup_server_message_get_response_headers (message);
  g_autofree gchar *name =
      g_strconcat (PAGE, g_str_equal (path, "/") ? "index.html" : path + 1, NULL);
  g_autoptr (GBytes) file = g_resources_lookup_data (name, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);

  if (soup_server_message_get_status (message) != 0 || is_upgrade (message))
    return;
  protect (response, soup_message_headers_get_one (request, "Host"));
  if (file == NULL) {
    soup_server_message_set_status (message, SOUP_STATUS_NOT_FOUND, NULL);
    return;
  }
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_message_headers_set_content_type (response, get_type (name), NULL);
  soup_message_body_append_bytes (soup_server_message_get_response_body (message), file);
}

/* ---- WebSockets ---- */

static void
on_socket (SoupServer *soup, SoupServerMessage *message, const char *path,
    SoupWebsocketConnection *socket, gpointer user)
{
  LivePageServer *server = user;

  fal_message_holder_release (soup, message);
  server->on_socket (
      server->user, g_str_equal (path, "/camera") ? LIVE_SOCKET_CAMERA : LIVE_SOCKET_LIVE, socket);
}

/* ---- life ---- */

static void
note_address (LivePageServer *server)
{
  GSList *uris = soup_server_get_uris (server->soup);

  server->port = g_uri_get_port (uris->data);
  server->uri = g_strdup_printf ("http://127.0.0.1:%u/", server->port);
  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);
}

LivePageServer *
live_page_server_new (guint port, LiveSocketFunc func, gpointer user, GError **error)
{
  g_autoptr (LivePageServer) server = g_new0 (LivePageServer, 1);

  server->on_socket = func;
  server->user = user;
  server->soup = soup_server_new (NULL, NULL);
  fal_message_holder_attach (server->soup);
  /* Compression is for pages that come from afar. */
  soup_server_remove_websocket_extension (server->soup, SOUP_TYPE_WEBSOCKET_EXTENSION_DEFLATE);
  /* All three for every path: one for a longer path would take the others' place there. */
  soup_server_add_early_handler (server->soup, NULL, on_request_head, server, NULL);
  soup_server_add_handler (server->soup, NULL, on_request, server, NULL);
  soup_server_add_websocket_handler (server->soup, NULL, NULL, NULL, on_socket, server, NULL);
  if (!soup_server_listen_local (server->soup, port, 0, error))
    return NULL;
  note_address (server);
  return g_steal_pointer (&server);
}

void
live_page_server_free (LivePageServer *server)
{
  soup_server_disconnect (server->soup);
  g_object_unref (server->soup);
  g_free (server->uri);
  g_free (server);
}

const gchar *
live_page_server_get_uri (const LivePageServer *server)
{
  return server->uri;
}
