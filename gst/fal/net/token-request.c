/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One POST, a bounded reply.
 *
 * libsoup 3.4 to 3.6.5 finish a request twice that is cancelled between its headers and its
 * callback. So it is cancelled before its headers only; later its connection, which is its own, is
 * cut, which libsoup takes for the end of the reply. */
#include "token-request.h"
#include "socket-list.h"

#include <string.h>

#define MAX_REPLY (64 * 1024) /* bytes */

/* What a request's task keeps. */
typedef struct {
  SoupMessage *message;
  FalSocketList *sockets;
  GCancellable *wanted; /* the caller's */
  gulong on_cancelled;
  GCancellable *sending;
  gboolean is_answered; /* the headers are there */
  guint refusal;        /* the last status that told of one; 0: none */
  GCancellable *reading;
  gchar *reply;
} Request;

static void
request_free (gpointer data)
{
  Request *request = data;

  g_cancellable_disconnect (request->wanted, request->on_cancelled);
  g_signal_handlers_disconnect_by_data (request->message, request);
  g_object_unref (request->message);
  g_object_unref (request->wanted);
  g_object_unref (request->sending);
  g_object_unref (request->reading);
  fal_socket_list_unref (request->sockets);
  g_free (request->reply);
  g_free (request);
}

void
fal_token_request_add_key (SoupMessage *message, const gchar *api_key)
{
  g_autofree gchar *value = g_strconcat ("Key ", api_key, NULL);

  soup_message_headers_replace (soup_message_get_request_headers (message), "Authorization", value);
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GTask) task = data;
  Request *request = g_task_get_task_data (task);
  GError *error = NULL;
  gchar *token = NULL;
  gsize size = 0;

  if (g_input_stream_read_all_finish (G_INPUT_STREAM (source), result, &size, &error))
    token = fal_token_format_parse_reply (request->reply, size, &error);
  if (token)
    g_task_return_pointer (task, token, g_free);
  else
    g_task_return_error (task, error);
}

static void
on_reply (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GTask) task = data;
  Request *request = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (GInputStream) body = soup_session_send_finish (SOUP_SESSION (source), result, &error);
  guint status = soup_message_get_status (request->message);

  if (body == NULL) {
    g_task_return_error (task, error);
    return;
  }
  if (!SOUP_STATUS_IS_SUCCESSFUL (status)) {
    g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
        "the token request was refused with HTTP status %u (%s)", status,
        soup_status_get_phrase (status));
    return;
  }
  request->reply = g_malloc (MAX_REPLY);
  g_input_stream_read_all_async (body, request->reply, MAX_REPLY, G_PRIORITY_DEFAULT,
      request->reading, on_read, g_object_ref (task));
}

SoupMessage *
fal_token_request_new_message (const FalTokenQuery *query)
{
  g_autofree gchar *body =
      fal_token_format_get_request (query->endpoint, query->form, query->expiration);
  g_autoptr (GBytes) bytes = g_bytes_new (body, strlen (body));
  SoupMessage *message =
      soup_message_new (SOUP_METHOD_POST, query->proxy_uri ? query->proxy_uri : query->uri);

  if (message == NULL)
    return NULL;
  soup_message_add_flags (message, SOUP_MESSAGE_NO_REDIRECT | SOUP_MESSAGE_NEW_CONNECTION);
#if SOUP_CHECK_VERSION(3, 4, 0)
  soup_message_set_force_http1 (message, TRUE);
#endif
  soup_message_set_request_body_from_bytes (message, "application/json", bytes);
  if (query->proxy_uri)
    soup_message_headers_replace (
        soup_message_get_request_headers (message), "x-fal-target-url", query->uri);
  return message;
}

static void
on_network_event (
    SoupMessage *message, GSocketClientEvent event, GIOStream *stream, Request *request)
{
  const gchar *const protocols[] = { "http/1.1", NULL };

  if (event == G_SOCKET_CLIENT_CONNECTING)
    fal_socket_list_add (
        request->sockets, NULL, 0, g_socket_connection_get_socket (G_SOCKET_CONNECTION (stream)));
  if (event == G_SOCKET_CLIENT_TLS_HANDSHAKING && G_IS_TLS_CONNECTION (stream))
    g_tls_connection_set_advertised_protocols (G_TLS_CONNECTION (stream), protocols);
}

/* The text of a refusal is not read. libsoup would gather that of some refusals in memory before
 * its callback, whatever its size. */
static void
on_headers (SoupMessage *message, Request *request)
{
  request->is_answered = TRUE;
  if (SOUP_STATUS_IS_SUCCESSFUL (soup_message_get_status (message)))
    return;
  request->refusal = soup_message_get_status (message);
  fal_socket_list_cut_all (request->sockets);
}

/* libsoup asks anew after a 421, by another connection; now and then by the one that was cut. */
static void
on_restarted (SoupMessage *message, Request *request)
{
  request->is_answered = FALSE;
  if (g_cancellable_is_cancelled (request->wanted))
    g_cancellable_cancel (request->sending);
}

static void
on_cancelled (GCancellable *wanted, Request *request)
{
  if (!request->is_answered) {
    g_cancellable_cancel (request->sending);
    return;
  }
  fal_socket_list_cut_all (request->sockets);
  g_cancellable_cancel (request->reading);
}

static Request *
request_new (SoupMessage *message, GCancellable *cancellable)
{
  Request *request = g_new0 (Request, 1);

  request->message = g_object_ref (message);
  request->sockets = fal_socket_list_new ();
  request->wanted = g_object_ref (cancellable);
  request->sending = g_cancellable_new ();
  request->reading = g_cancellable_new ();
  request->on_cancelled =
      g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), request, NULL);
  g_signal_connect (message, "network-event", G_CALLBACK (on_network_event), request);
  g_signal_connect (message, "got-headers", G_CALLBACK (on_headers), request);
  g_signal_connect (message, "restarted", G_CALLBACK (on_restarted), request);
  return request;
}

void
fal_token_request_async (SoupSession *soup, SoupMessage *message, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user);
  Request *request = request_new (message, cancellable);

  g_task_set_task_data (task, request, request_free);
  soup_session_send_async (
      soup, message, G_PRIORITY_DEFAULT, request->sending, on_reply, g_object_ref (task));
}

gchar *
fal_token_request_finish (GAsyncResult *result, guint *status, GError **error)
{
  const Request *request = g_task_get_task_data (G_TASK (result));

  *status = soup_message_get_status (request->message);
  if (*status == SOUP_STATUS_NONE)
    *status = request->refusal;
  return g_task_propagate_pointer (G_TASK (result), error);
}
