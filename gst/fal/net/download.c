/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One picture that a result links to, from its link to its last byte. Net thread.
 *
 * A link comes from a server and is not trusted. Its host must be listed; the name is looked up
 * here, once; every address must be allowed; and libsoup gets these very addresses to connect to,
 * while TLS asks for the name. A redirect is a new link and goes the same path. */
#include "downloader-private.h"
#include "host-list.h"
#include "public-address.h"

#define MAX_REDIRECTS 3
#define FIRST_PIECE (64 * 1024)
#define LEAST_ROOM 256 /* bytes, for one reading */

static void
fetch_clear (gpointer data)
{
  FalDownload *fetch = data;

  g_free (fetch->link);
  g_clear_pointer (&fetch->uri, g_uri_unref);
  g_object_unref (fetch->cancellable);
  g_free (fetch->data);
}

FalDownload *
fal_download_new (FalDownloader *fetcher, const gchar *uri, FalDownloaded fetched, gpointer user)
{
  FalDownload *fetch = g_rc_box_new0 (FalDownload);

  fetch->fetcher = fetcher;
  fetch->fetched = fetched;
  fetch->user = user;
  fetch->link = g_strdup (uri);
  fetch->cancellable = g_cancellable_new ();
  return fetch;
}

FalDownload *
fal_download_ref (FalDownload *fetch)
{
  return g_rc_box_acquire (fetch);
}

void
fal_download_unref (FalDownload *fetch)
{
  g_rc_box_release_full (fetch, fetch_clear);
}

/* An operation of libsoup, counted by the fetcher, which outlives it. Looking a name up is none: a
 * resolver may hang, and is not waited for. */
typedef struct {
  FalDownloader *fetcher;
  FalDownload *fetch;
} Operation;

static Operation *
operation_begin (FalDownload *fetch)
{
  Operation *operation = g_new (Operation, 1);

  fetch->fetcher->pending++;
  *operation = (Operation){ fetch->fetcher, fal_download_ref (fetch) };
  return operation;
}

/* The fetch that the operation was for. The caller unrefs it. */
static FalDownload *
operation_end (Operation *operation)
{
  FalDownload *fetch = operation->fetch;

  operation->fetcher->pending--;
  g_free (operation);
  return fetch;
}

/* ---- The end of a fetch ---- */

/* What belongs to one link; a redirect leads to the next. */
static void
drop_hop (FalDownload *fetch)
{
  if (fetch->message != NULL)
    g_signal_handlers_disconnect_by_data (fetch->message, fetch->route);
  g_clear_object (&fetch->message);
  g_clear_object (&fetch->body);
  g_clear_pointer (&fetch->route, fal_pinned_session_unref);
  g_clear_pointer (&fetch->uri, g_uri_unref);
}

void
fal_download_drop (FalDownload *fetch)
{
  FalDownloader *fetcher = g_steal_pointer (&fetch->fetcher);

  g_cancellable_cancel (fetch->cancellable);
  drop_hop (fetch);
  if (!g_ptr_array_remove (fetcher->running, fetch))
    g_ptr_array_remove (fetcher->waiting, fetch);
}

/* The owner may free the fetcher when it is called. */
static void
end (FalDownload *fetch, GBytes *picture, const GError *error)
{
  FalDownloader *fetcher = fetch->fetcher;
  FalDownloaded fetched = fetch->fetched;
  gpointer user = fetch->user;

  fal_download_drop (fetch);
  fal_downloader_schedule (fetcher);
  fetched (user, picture, error);
}

/* A connection whose answer was not read to its end is not used again; nor is an address that
 * does not answer. */
static void
retire_route (FalDownload *fetch)
{
  if (fetch->route != NULL)
    g_ptr_array_remove (fetch->fetcher->routes, fetch->route);
}

/* @error is taken. */
static void
fail_with (FalDownload *fetch, GError *error)
{
  g_autoptr (GError) owned = error;

  if (fetch->uri != NULL)
    g_prefix_error (&owned, "no picture from host “%s”: ", g_uri_get_host (fetch->uri));
  retire_route (fetch);
  end (fetch, NULL, owned);
}

void
fal_download_fail (FalDownload *fetch, GIOErrorEnum code, const gchar *format, ...)
{
  va_list args;
  GError *error;

  va_start (args, format);
  error = g_error_new_valist (G_IO_ERROR, code, format, args);
  va_end (args);
  fail_with (fetch, error);
}

/* ---- The body ---- */

/* libsoup reads the end of a chunked body into the reader's room too, and a byte is not enough. */
static gboolean
make_room (FalDownload *fetch)
{
  gsize limit = fetch->fetcher->max_size + LEAST_ROOM;
  gsize capacity = MIN (MAX (fetch->capacity * 2, FIRST_PIECE), limit);
  guint8 *data;

  if (fetch->capacity - fetch->size >= LEAST_ROOM)
    return TRUE;
  data = g_try_realloc (fetch->data, capacity);
  if (data == NULL)
    return FALSE;
  fetch->data = data;
  fetch->capacity = capacity;
  return TRUE;
}

/* libsoup takes the end of the connection for the end of the body; between two chunks only the
 * decoder can tell. */
static gboolean
is_cut_short (FalDownload *fetch)
{
  SoupMessageHeaders *headers = soup_message_get_response_headers (fetch->message);

  return soup_message_headers_get_encoding (headers) == SOUP_ENCODING_CONTENT_LENGTH &&
         (guint64) soup_message_headers_get_content_length (headers) != fetch->size;
}

static void
finish (FalDownload *fetch)
{
  g_autoptr (GBytes) picture = NULL;

  fetch->route->used = g_get_monotonic_time ();
  if (is_cut_short (fetch)) {
    fal_download_fail (fetch, G_IO_ERROR_PARTIAL_INPUT, "the answer ends in the middle");
    return;
  }
  if (fetch->size == 0) {
    fal_download_fail (fetch, G_IO_ERROR_INVALID_DATA, "the answer is empty");
    return;
  }
  picture = g_bytes_new_take (g_realloc (g_steal_pointer (&fetch->data), fetch->size), fetch->size);
  end (fetch, picture, NULL);
}

static void
fail_too_large (FalDownload *fetch)
{
  fal_download_fail (fetch, G_IO_ERROR_MESSAGE_TOO_LARGE,
      "it is larger than max-message-size, %" G_GUINT64_FORMAT " bytes", fetch->fetcher->max_size);
}

static void read_body (FalDownload *fetch);

static void
on_read (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (FalDownload) fetch = operation_end (data);
  GError *error = NULL;
  gssize n = g_input_stream_read_finish (G_INPUT_STREAM (source), result, &error);

  if (fetch->fetcher == NULL) {
    g_clear_error (&error);
    return;
  }
  fetch->size += MAX (n, 0);
  fetch->fetcher->bytes += MAX (n, 0);
  if (n < 0)
    fail_with (fetch, error);
  else if (fetch->size > fetch->fetcher->max_size)
    fail_too_large (fetch);
  else if (n == 0)
    finish (fetch);
  else
    read_body (fetch);
}

static void
read_body (FalDownload *fetch)
{
  if (!make_room (fetch)) {
    fal_download_fail (fetch, G_IO_ERROR_NO_SPACE, "there is no memory for it");
    return;
  }
  g_input_stream_read_async (fetch->body, fetch->data + fetch->size, fetch->capacity - fetch->size,
      G_PRIORITY_DEFAULT, fetch->cancellable, on_read, operation_begin (fetch));
}

/* ---- The answer ---- */

static void
follow_redirect (FalDownload *fetch, const gchar *location)
{
  g_autoptr (GUri) next = NULL;

  if (++fetch->redirects > MAX_REDIRECTS) {
    fal_download_fail (fetch, G_IO_ERROR_TOO_MANY_LINKS, "more than %d redirects", MAX_REDIRECTS);
    return;
  }
  next = g_uri_parse_relative (fetch->uri, location, SOUP_HTTP_URI_FLAGS, NULL);
  if (next == NULL) {
    fal_download_fail (fetch, G_IO_ERROR_INVALID_DATA, "a redirect leads to no proper address");
    return;
  }
  retire_route (fetch);
  drop_hop (fetch);
  g_free (fetch->link);
  fetch->link = g_uri_to_string (next);
  fal_download_start (fetch);
}

static gboolean
is_redirect (guint status)
{
  return status == SOUP_STATUS_MOVED_PERMANENTLY || status == SOUP_STATUS_FOUND ||
         status == SOUP_STATUS_SEE_OTHER || status == SOUP_STATUS_TEMPORARY_REDIRECT ||
         status == SOUP_STATUS_PERMANENT_REDIRECT;
}

static void
take_answer (FalDownload *fetch)
{
  SoupMessageHeaders *headers = soup_message_get_response_headers (fetch->message);
  const gchar *location = soup_message_headers_get_one (headers, "Location");
  guint status = soup_message_get_status (fetch->message);

  if (is_redirect (status) && location != NULL)
    follow_redirect (fetch, location);
  else if (status != SOUP_STATUS_OK)
    fal_download_fail (fetch,
        status == SOUP_STATUS_NOT_FOUND ? G_IO_ERROR_NOT_FOUND : G_IO_ERROR_FAILED,
        "HTTP status %u (%s)", status, soup_status_get_phrase (status));
  else if (soup_message_headers_get_encoding (headers) == SOUP_ENCODING_CONTENT_LENGTH &&
           (guint64) soup_message_headers_get_content_length (headers) > fetch->fetcher->max_size)
    fail_too_large (fetch);
  else
    read_body (fetch);
}

static void
on_answer (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (FalDownload) fetch = operation_end (data);
  GError *error = NULL;
  g_autoptr (GInputStream) body = NULL;

  /* libsoup 3.6's own way to the end looks at a connection that has gone with its session. */
  if (fetch->fetcher == NULL) {
    body = g_task_propagate_pointer (G_TASK (result), NULL);
    return;
  }
  body = soup_session_send_finish (SOUP_SESSION (source), result, &error);
  if (body == NULL) {
    fail_with (fetch, error);
    return;
  }
  fetch->body = g_steal_pointer (&body);
  take_answer (fetch);
}

/* ---- The route ---- */

static void
send_request (FalDownload *fetch)
{
  fetch->route->used = g_get_monotonic_time ();
  fetch->message = fal_pinned_session_make_message (fetch->route, fetch->uri);
  soup_session_send_async (fetch->route->soup, fetch->message, G_PRIORITY_DEFAULT,
      fetch->cancellable, on_answer, operation_begin (fetch));
}

guint16
fal_download_get_port (GUri *uri)
{
  return g_uri_get_port (uri) > 0 ? g_uri_get_port (uri) : 443;
}

static void
send_by_new_route (FalDownload *fetch, const gchar *proxy, GList *addresses)
{
  FalDownloader *fetcher = fetch->fetcher;
  FalPinnedSession *route = fal_downloader_find_route (
      fetcher, fetch->uri); /* another picture's, found in the meantime */

  if (route == NULL)
    route = fal_downloader_add_route (fetcher, fetch->uri, proxy, addresses);
  fetch->route = fal_pinned_session_ref (route);
  send_request (fetch);
  fal_downloader_schedule (fetcher);
}

/* One address that is not allowed spoils them all: who mixes them is up to something. */
static void
take_addresses (FalDownload *fetch, GList *addresses)
{
  for (GList *l = addresses; l != NULL; l = l->next) {
    if (fetch->fetcher->is_allowed_address (l->data))
      continue;
    fal_download_fail (fetch, G_IO_ERROR_NOT_SUPPORTED,
        "its address is not one of the public internet; set sync_mode=true in parameters, so that "
        "the picture itself is sent");
    return;
  }
  send_by_new_route (fetch, NULL, addresses);
}

static void
on_resolved (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (FalDownload) fetch = data;
  GError *error = NULL;
  GList *addresses = g_resolver_lookup_by_name_finish (G_RESOLVER (source), result, &error);

  if (fetch->fetcher == NULL)
    g_clear_error (&error);
  else if (addresses == NULL)
    fail_with (fetch, error);
  else
    take_addresses (fetch, addresses);
  g_resolver_free_addresses (addresses);
}

static void
resolve (FalDownload *fetch)
{
  g_autoptr (GResolver) resolver = g_resolver_get_default ();

  g_resolver_lookup_by_name_async (resolver, g_uri_get_host (fetch->uri), fetch->cancellable,
      on_resolved, fal_download_ref (fetch));
}

/* The proxy looks the name up; whom it takes for an address, is not seen from here. */
static void
send_by_proxy (FalDownload *fetch, const gchar *proxy)
{
  if (g_hostname_is_ip_address (g_uri_get_host (fetch->uri)))
    fal_download_fail (fetch, G_IO_ERROR_NOT_SUPPORTED, "a proxy is not asked for a bare address");
  else
    send_by_new_route (fetch, proxy, NULL);
}

static void
on_proxies (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (FalDownload) fetch = data;
  GError *error = NULL;
  g_auto (GStrv) proxies =
      g_proxy_resolver_lookup_finish (G_PROXY_RESOLVER (source), result, &error);

  if (fetch->fetcher == NULL)
    g_clear_error (&error);
  else if (proxies == NULL)
    fail_with (fetch, error);
  else if (proxies[0] == NULL || g_str_has_prefix (proxies[0], "direct:"))
    resolve (fetch);
  else
    send_by_proxy (fetch, proxies[0]);
}

/* Asks the system whether there is a proxy for the host; the link's path is not told to it. */
static void
find_proxy (FalDownload *fetch)
{
  g_autofree gchar *uri = g_uri_join (SOUP_HTTP_URI_FLAGS, "https", NULL,
      g_uri_get_host (fetch->uri), fal_download_get_port (fetch->uri), "/", NULL, NULL);

  g_proxy_resolver_lookup_async (g_proxy_resolver_get_default (), uri, fetch->cancellable,
      on_proxies, fal_download_ref (fetch));
}

void
fal_download_start (FalDownload *fetch)
{
  FalDownloader *fetcher = fetch->fetcher;
  GError *error = NULL;
  FalPinnedSession *route;

  if (!fal_host_list_allows (fetcher->hosts, fetch->link, &error)) {
    fail_with (fetch, error);
    return;
  }
  fetch->uri = g_uri_parse (fetch->link, SOUP_HTTP_URI_FLAGS, NULL);
  if (fetch->uri == NULL) {
    fal_download_fail (
        fetch, G_IO_ERROR_NOT_SUPPORTED, "the link to a picture is not a proper address");
    return;
  }
  route = fal_downloader_find_route (fetcher, fetch->uri);
  if (route != NULL) {
    fetch->route = fal_pinned_session_ref (route);
    send_request (fetch);
  } else if (fetcher->proxy != NULL) {
    send_by_proxy (fetch, fetcher->proxy);
  } else {
    find_proxy (fetch);
  }
}
