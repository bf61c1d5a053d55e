/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A link comes from a server and is not trusted. Its host must be listed, and its session must
 * allow each address that is connected to. A redirect is a new link and goes the same path.
 *
 * libsoup 3.4 to 3.6.5 finish a request twice that is cancelled between its headers and its
 * callback. So a download that is not wanted any more is cancelled before its headers; later its
 * connection is cut, which libsoup takes for the end of the body. */
#include "download.h"
#include "host-list.h"
#include "resources.h"

#define MAX_REDIRECTS 3
#define FIRST_PIECE (64 * 1024)
#define LEAST_ROOM 256 /* bytes, for one reading */

/* Held by its owner and by the operation that is under way. */
struct _FalDownload {
  FalDownloadEnded ended; /* NULL: over */
  gpointer user;
  FalSettings *settings; /* NULL: not started */
  FalPublicSession *session;
  gchar *link;
  guint redirects;

  /* of the present link; a redirect leads to the next */
  GUri *uri; /* NULL: not checked yet */
  SoupMessage *message;
  GCancellable *sending; /* cancelled before the headers only */
  gboolean is_asking;    /* the headers are not there yet */
  guint status;          /* of the last headers; libsoup forgets it where it asks anew */
  GInputStream *body;
  GCancellable *reading; /* of the body: libsoup's request does not know it */
  gboolean is_whole;     /* the body was read to its end */

  gboolean is_busy;
  guint8 *data;
  gsize size, capacity;
};

FalDownload *
fal_download_new (const gchar *link, FalDownloadEnded ended, gpointer user)
{
  FalDownload *download = g_rc_box_new0 (FalDownload);

  download->ended = ended;
  download->user = user;
  download->link = g_strdup (link);
  return download;
}

FalDownload *
fal_download_ref (FalDownload *download)
{
  return g_rc_box_acquire (download);
}

static void
download_clear (gpointer data)
{
  FalDownload *download = data;

  g_clear_pointer (&download->settings, fal_settings_unref);
  g_clear_pointer (&download->session, fal_public_session_unref);
  g_clear_pointer (&download->uri, g_uri_unref);
  g_free (download->link);
  g_free (download->data);
}

void
fal_download_unref (FalDownload *download)
{
  g_rc_box_release_full (download, download_clear);
}

gboolean
fal_download_is_busy (const FalDownload *download)
{
  return download->is_busy;
}

gboolean
fal_download_is_asking (const FalDownload *download)
{
  return download->is_asking;
}

gsize
fal_download_get_size (const FalDownload *download)
{
  return download->size;
}

/* ---- The end ---- */

/* Lets go what belongs to the present link. Only a connection whose answer was read to its end is
 * used again. Nothing is under way on it. */
static void
leave_host (FalDownload *download)
{
  if (download->message == NULL)
    return;
  if (!download->is_whole)
    fal_public_session_cut (download->session, download->message);
  if (download->body != NULL)
    g_input_stream_close (download->body, NULL, NULL);
  g_signal_handlers_disconnect_by_data (download->message, download);
  g_clear_object (&download->body);
  g_clear_object (&download->message);
  g_clear_object (&download->sending);
  g_clear_object (&download->reading);
}

static void
hurry (FalDownload *download)
{
  if (download->is_asking) {
    g_cancellable_cancel (download->sending);
    return;
  }
  fal_public_session_cut (download->session, download->message);
  g_cancellable_cancel (download->reading);
}

void
fal_download_drop (FalDownload *download)
{
  download->ended = NULL;
  if (download->is_busy)
    hurry (download);
  else
    leave_host (download);
}

/* The owner may let go of everything when it is told. */
static void
end (FalDownload *download, GBytes *picture, const GError *error)
{
  FalDownloadEnded ended = download->ended;

  fal_download_drop (download);
  ended (download->user, picture, error);
}

/* @error is taken. */
static void
fail_with (FalDownload *download, GError *error)
{
  g_autoptr (GError) owned = error;

  if (download->uri != NULL)
    g_prefix_error (&owned, "no picture came from host \"%s\": ", g_uri_get_host (download->uri));
  end (download, NULL, owned);
}

void
fal_download_fail (FalDownload *download, GIOErrorEnum code, const gchar *format, ...)
{
  va_list args;
  GError *error;

  va_start (args, format);
  error = g_error_new_valist (G_IO_ERROR, code, format, args);
  va_end (args);
  fail_with (download, error);
}

/* The download that an operation of libsoup comes back for, to be unreffed. One that is over is
 * left with nothing to do. */
static FalDownload *
come_back (gpointer data)
{
  FalDownload *download = data;

  download->is_busy = FALSE;
  if (download->ended == NULL)
    leave_host (download);
  return download;
}

/* ---- The body ---- */

static gsize
get_max_size (FalDownload *download)
{
  return MIN (download->settings->max_message_size, G_MAXSSIZE / 2);
}

/* libsoup reads the end of a chunked body into the reader's room too, and a byte is not enough. */
static gboolean
make_room (FalDownload *download)
{
  gsize limit = get_max_size (download) + LEAST_ROOM;
  gsize capacity = MIN (MAX (download->capacity * 2, FIRST_PIECE), limit);
  guint8 *data;

  if (download->capacity - download->size >= LEAST_ROOM)
    return TRUE;
  data = g_try_realloc (download->data, capacity);
  if (data == NULL)
    return FALSE;
  download->data = data;
  download->capacity = capacity;
  return TRUE;
}

/* The size that the answer's head names; FALSE: it names none. One that does not fit libsoup's
 * signed number is among the largest here. */
static gboolean
find_length (FalDownload *download, guint64 *length)
{
  SoupMessageHeaders *headers = soup_message_get_response_headers (download->message);

  *length = soup_message_headers_get_content_length (headers);
  return soup_message_headers_get_encoding (headers) == SOUP_ENCODING_CONTENT_LENGTH;
}

/* libsoup takes the end of the connection for the end of the body; between two chunks only the
 * decoder can tell. */
static void
finish (FalDownload *download)
{
  g_autoptr (GBytes) picture = NULL;
  guint64 length;

  if (find_length (download, &length) && length != download->size) {
    fal_download_fail (download, G_IO_ERROR_PARTIAL_INPUT, "the answer ends in the middle");
    return;
  }
  download->is_whole = TRUE;
  if (download->size == 0) {
    fal_download_fail (download, G_IO_ERROR_INVALID_DATA, "the answer is empty");
    return;
  }
  picture = g_bytes_new_take (
      g_realloc (g_steal_pointer (&download->data), download->size), download->size);
  end (download, picture, NULL);
}

static void
fail_too_large (FalDownload *download)
{
  fal_download_fail (download, G_IO_ERROR_MESSAGE_TOO_LARGE,
      "it is larger than max-message-size, %" G_GUINT64_FORMAT " bytes",
      download->settings->max_message_size);
}

static void read_body (FalDownload *download);

static void
on_read (GObject *source, GAsyncResult *result, gpointer data)
{
  GError *error = NULL;
  gssize n = g_input_stream_read_finish (G_INPUT_STREAM (source), result, &error);
  g_autoptr (FalDownload) download = come_back (data);

  if (download->ended == NULL) {
    g_clear_error (&error);
    return;
  }
  download->size += MAX (n, 0);
  if (n < 0)
    fail_with (download, error);
  else if (download->size > get_max_size (download))
    fail_too_large (download);
  else if (n == 0)
    finish (download);
  else
    read_body (download);
}

static void
read_body (FalDownload *download)
{
  if (!make_room (download)) {
    fal_download_fail (download, G_IO_ERROR_NO_SPACE, "there is no memory for it");
    return;
  }
  download->is_busy = TRUE;
  g_input_stream_read_async (download->body, download->data + download->size,
      download->capacity - download->size, G_PRIORITY_DEFAULT, download->reading, on_read,
      fal_download_ref (download));
}

/* ---- The answer ---- */

static void ask_host (FalDownload *download);

static void
follow_redirect (FalDownload *download, const gchar *location)
{
  gchar *next;

  if (++download->redirects > MAX_REDIRECTS) {
    fal_download_fail (
        download, G_IO_ERROR_TOO_MANY_LINKS, "more than %d redirects", MAX_REDIRECTS);
    return;
  }
  next = fal_host_list_follow (download->uri, location);
  if (next == NULL) {
    fal_download_fail (download, G_IO_ERROR_INVALID_DATA, "a redirect leads to no proper address");
    return;
  }
  leave_host (download);
  g_free (download->link);
  download->link = next;
  ask_host (download);
}

static gboolean
is_redirect (guint status)
{
  return status == SOUP_STATUS_MOVED_PERMANENTLY || status == SOUP_STATUS_FOUND ||
         status == SOUP_STATUS_SEE_OTHER || status == SOUP_STATUS_TEMPORARY_REDIRECT ||
         status == SOUP_STATUS_PERMANENT_REDIRECT;
}

/* There is a body where the status is OK. */
static void
take_answer (FalDownload *download)
{
  SoupMessageHeaders *headers = soup_message_get_response_headers (download->message);
  const gchar *location = soup_message_headers_get_one (headers, "Location");
  guint status = download->status;
  guint64 length;

  if (is_redirect (status) && location != NULL)
    follow_redirect (download, location);
  else if (status != SOUP_STATUS_OK)
    fal_download_fail (download,
        status == SOUP_STATUS_NOT_FOUND ? G_IO_ERROR_NOT_FOUND : G_IO_ERROR_FAILED,
        "HTTP status %u (%s)", status, soup_status_get_phrase (status));
  else if (find_length (download, &length) && length > get_max_size (download))
    fail_too_large (download);
  else
    read_body (download);
}

/* A status says more than the error that cutting its connection led to. */
static gboolean
has_failed (FalDownload *download)
{
  return download->body == NULL &&
         (download->status == SOUP_STATUS_NONE || download->status == SOUP_STATUS_OK);
}

static void
on_answer (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (FalDownload) download = data;
  g_autoptr (GError) error = NULL;

  download->body = soup_session_send_finish (SOUP_SESSION (source), result, &error);
  come_back (download);
  if (download->ended == NULL)
    return;
  if (!has_failed (download))
    take_answer (download);
  else if (fal_public_session_has_refused (download->message))
    fal_download_fail (download, G_IO_ERROR_NOT_SUPPORTED,
        "its address is not one of the public internet; with sync_mode=true in parameters the "
        "picture itself is sent");
  else
    fail_with (download, g_steal_pointer (&error));
}

/* What is not a picture is not read. libsoup would gather the body of some of these answers in
 * memory before its callback, whatever its size. */
static void
on_headers (SoupMessage *message, FalDownload *download)
{
  download->is_asking = FALSE;
  download->status = soup_message_get_status (message);
  if (download->status != SOUP_STATUS_OK)
    fal_public_session_cut (download->session, message);
}

/* libsoup asks anew, by another connection. */
static void
on_restarted (SoupMessage *message, FalDownload *download)
{
  download->is_asking = TRUE;
  if (download->ended == NULL)
    g_cancellable_cancel (download->sending);
}

/* ---- The request ---- */

static void
send_request (FalDownload *download)
{
  SoupMessage *message = fal_public_session_new_message (download->session, download->uri);

  download->message = message;
  download->sending = g_cancellable_new ();
  download->reading = g_cancellable_new ();
  download->is_asking = TRUE;
  download->status = SOUP_STATUS_NONE;
  download->is_busy = TRUE;
  g_signal_connect (message, "got-headers", G_CALLBACK (on_headers), download);
  g_signal_connect (message, "restarted", G_CALLBACK (on_restarted), download);
  soup_session_send_async (fal_public_session_get_soup (download->session), message,
      G_PRIORITY_DEFAULT, download->sending, on_answer, fal_download_ref (download));
}

static void
fail_for_resources (FalDownload *download, GError *error)
{
  const FalFault fault = fal_resources_get_fault (error);
  g_autoptr (GError) owned = error;

  fal_download_fail (
      download, G_IO_ERROR_FAILED, "%s. %s", error->message, fal_fault_get_hint (&fault));
}

static void
ask_host (FalDownload *download)
{
  GError *error = NULL;

  g_clear_pointer (&download->uri, g_uri_unref);
  if (!fal_host_list_allows (download->settings->result_hosts, download->link, &error)) {
    fail_with (download, error);
    return;
  }
  if (!fal_resources_check (&error)) {
    fail_for_resources (download, error);
    return;
  }
  download->uri = g_uri_parse (download->link, SOUP_HTTP_URI_FLAGS, NULL);
  if (download->uri == NULL)
    fal_download_fail (
        download, G_IO_ERROR_NOT_SUPPORTED, "the link to a picture is not a proper address");
  else
    send_request (download);
}

void
fal_download_start (FalDownload *download, FalSettings *settings, FalPublicSession *session)
{
  download->settings = fal_settings_ref (settings);
  download->session = fal_public_session_ref (session);
  ask_host (download);
}
