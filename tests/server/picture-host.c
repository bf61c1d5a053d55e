/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The picture host: paths and what they answer. The SoupServer lives in a loop of its own; the
 * heads it got are shared, behind one mutex. */
#include "picture-host.h"
#include "certificate.h"
#include "loop.h"
#include "message-holder.h"
#include <libsoup/soup.h>
#include <string.h>

#define CHUNK_SIZE 65536 /* bytes, of what has no end */
#define DRIP_TIME 50     /* ms between two bytes */

/* Both 8 × 8, red; the first in base64. */
static const gchar jpeg_text[] =
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwc"
    "KDcpLDAxNDQ0Hyc5PTgyPC4zNDL/2wBDAQkJCQwLDBgNDRgyIRwhMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIy"
    "MjIyMjIyMjIyMjIyMjIyMjIyMjL/wAARCAAIAAgDAREAAhEBAxEB/8QAFAABAAAAAAAAAAAAAAAAAAAABv/EABQQAQAA"
    "AAAAAAAAAAAAAAAAAAD/xAAVAQEBAAAAAAAAAAAAAAAAAAAGB//EABQRAQAAAAAAAAAAAAAAAAAAAAD/2gAMAwEAAhED"
    "EQA/ABYyuL//2Q==";
static const guint8 png[] = { 0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00,
  0x0d, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x08, 0x08, 0x02, 0x00,
  0x00, 0x00, 0x4b, 0x6d, 0x29, 0xdc, 0x00, 0x00, 0x00, 0x11, 0x49, 0x44, 0x41, 0x54, 0x78, 0xda,
  0x63, 0xf8, 0xcf, 0xc0, 0x80, 0x15, 0x31, 0x0c, 0x2d, 0x09, 0x00, 0x28, 0xff, 0x3f, 0xc1, 0xce,
  0x77, 0xc8, 0x4f, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82 };

struct _FalPictureHost {
  gchar *uri, *redirect_out;
  guint port;
  GBytes *jpeg; /* fixed */
  FalLoop *loop;

  GMutex mutex; /* protects the next two */
  GCond arrived;
  GQueue heads; /* gchar *, oldest first */
  guint requests;

  /* Host's thread: */
  SoupServer *soup;
  GPtrArray *sockets; /* GSocket, one for each request so far */
};

/* ---- Bodies that take their time ---- */

static void
on_wrote_chunk (SoupServerMessage *message, gpointer chunk)
{
  soup_message_body_append_bytes (soup_server_message_get_response_body (message), chunk);
}

static void
free_chunk (gpointer chunk, GClosure *closure)
{
  g_bytes_unref (chunk);
}

static void
prepare_stream (SoupServerMessage *message)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);

  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_message_headers_set_content_type (headers, "image/jpeg", NULL);
  soup_message_headers_set_encoding (headers, SOUP_ENCODING_CHUNKED);
  soup_message_body_set_accumulate (soup_server_message_get_response_body (message), FALSE);
}

/* Each chunk that has gone out brings the next one. */
static void
answer_big (SoupServerMessage *message)
{
  guint8 *zeros = g_malloc0 (CHUNK_SIZE);
  GBytes *chunk;

  memcpy (zeros, "\xff\xd8\xff\xe0", 4);
  chunk = g_bytes_new_take (zeros, CHUNK_SIZE);
  prepare_stream (message);
  soup_message_body_append_bytes (soup_server_message_get_response_body (message), chunk);
  g_signal_connect_data (message, "wrote-chunk", G_CALLBACK (on_wrote_chunk), chunk, free_chunk, 0);
}

typedef struct {
  SoupServerMessage *message; /* borrowed: the drip ends with it */
  GBytes *bytes;
  gsize sent;
  GSource *timer;
} Drip;

static void
drip_free (gpointer data, GClosure *closure)
{
  Drip *drip = data;

  g_source_destroy (drip->timer);
  g_source_unref (drip->timer);
  g_bytes_unref (drip->bytes);
  g_free (drip);
}

static gboolean
on_drip (gpointer user)
{
  Drip *drip = user;
  SoupMessageBody *body = soup_server_message_get_response_body (drip->message);
  g_autoptr (GBytes) byte = NULL;

  if (drip->sent < g_bytes_get_size (drip->bytes)) {
    byte = g_bytes_new_from_bytes (drip->bytes, drip->sent++, 1);
    soup_message_body_append_bytes (body, byte);
  } else {
    soup_message_body_complete (body);
  }
  soup_server_message_unpause (drip->message);
  return byte ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void
on_slow_finished (SoupServerMessage *message, gpointer user)
{
  Drip *drip = user;

  g_source_destroy (drip->timer);
}

static void
answer_slow (SoupServerMessage *message, GBytes *bytes)
{
  Drip *drip = g_new0 (Drip, 1);

  prepare_stream (message);
  drip->message = message;
  drip->bytes = g_bytes_ref (bytes);
  drip->timer = g_timeout_source_new (DRIP_TIME);
  g_source_set_callback (drip->timer, on_drip, drip, NULL);
  g_source_attach (drip->timer, g_main_context_get_thread_default ());
  g_signal_connect_data (message, "finished", G_CALLBACK (on_slow_finished), drip, drip_free, 0);
}

/* ---- Paths ---- */

static void
answer_bytes (SoupServerMessage *message, const gchar *type, gconstpointer data, gsize size)
{
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_server_message_set_response (message, type, SOUP_MEMORY_COPY, data, size);
}

static void
redirect_in (SoupServerMessage *message)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);
  const gchar *name = soup_message_headers_get_one (headers, "Host");
  g_autofree gchar *target = g_strdup_printf ("https://%s/ok.jpg", name ? name : "localhost");

  soup_server_message_set_redirect (message, SOUP_STATUS_FOUND, target);
}

static void
answer_path (FalPictureHost *host, SoupServerMessage *message, const gchar *path)
{
  gsize size;
  gconstpointer jpeg = g_bytes_get_data (host->jpeg, &size);

  if (g_str_equal (path, "/ok.jpg"))
    answer_bytes (message, "image/jpeg", jpeg, size);
  else if (g_str_equal (path, "/ok.png"))
    answer_bytes (message, "image/png", png, sizeof png);
  else if (g_str_equal (path, "/text"))
    answer_bytes (message, "text/plain", "no picture", strlen ("no picture"));
  else if (g_str_equal (path, "/big"))
    answer_big (message);
  else if (g_str_equal (path, "/slow"))
    answer_slow (message, host->jpeg);
  else if (g_str_equal (path, "/redirect-in"))
    redirect_in (message);
  else if (g_str_equal (path, "/redirect-out") && host->redirect_out != NULL)
    soup_server_message_set_redirect (message, SOUP_STATUS_FOUND, host->redirect_out);
  else
    soup_server_message_set_status (message, SOUP_STATUS_NOT_FOUND, NULL);
}

static void
append_header (const char *name, const char *value, gpointer text)
{
  g_string_append_printf (text, "\n%s: %s", name, value);
}

static void
keep_head (FalPictureHost *host, SoupServerMessage *message)
{
  GUri *uri = soup_server_message_get_uri (message);
  const gchar *query = g_uri_get_query (uri);
  GString *text = g_string_new (soup_server_message_get_method (message));

  g_string_append_printf (text, " %s%s%s HTTP/1.%d", g_uri_get_path (uri), query ? "?" : "",
      query ? query : "", soup_server_message_get_http_version (message) != SOUP_HTTP_1_0);
  soup_message_headers_foreach (
      soup_server_message_get_request_headers (message), append_header, text);
  g_mutex_lock (&host->mutex);
  host->requests++;
  g_queue_push_tail (&host->heads, g_string_free (text, FALSE));
  g_cond_broadcast (&host->arrived);
  g_mutex_unlock (&host->mutex);
}

static void
on_request (SoupServer *soup, SoupServerMessage *message, const gchar *path, GHashTable *query,
    gpointer user)
{
  FalPictureHost *host = user;

  g_ptr_array_add (host->sockets, g_object_ref (soup_server_message_get_socket (message)));
  keep_head (host, message);
  answer_path (host, message, path);
}

/* ---- Start and end ---- */

typedef struct {
  GTlsCertificate *certificate;
  GError *error;
} Start;

static void
start (gpointer owner, gpointer data)
{
  FalPictureHost *host = owner;
  Start *how = data;
  g_autoslist (GUri) uris = NULL;

  host->sockets = g_ptr_array_new_with_free_func (g_object_unref);
  host->soup = soup_server_new ("tls-certificate", how->certificate, NULL);
  fal_message_holder_attach (host->soup);
  soup_server_add_handler (host->soup, NULL, on_request, host, NULL);
  if (!soup_server_listen_local (
          host->soup, 0, SOUP_SERVER_LISTEN_HTTPS | SOUP_SERVER_LISTEN_IPV4_ONLY, &how->error))
    return;
  uris = soup_server_get_uris (host->soup);
  host->port = g_uri_get_port (uris->data);
  host->uri = g_strdup_printf ("https://127.0.0.1:%u", host->port);
}

/* Closing a TLS connection sends a last message, and would wait for a client that does not read. */
static void
stop (gpointer owner, gpointer data)
{
  FalPictureHost *host = owner;

  for (guint i = 0; i < host->sockets->len; i++)
    g_socket_shutdown (host->sockets->pdata[i], TRUE, TRUE, NULL);
  soup_server_disconnect (host->soup);
  g_clear_pointer (&host->sockets, g_ptr_array_unref);
  g_clear_object (&host->soup);
}

static GBytes *
make_jpeg (void)
{
  gsize size;
  guchar *data = g_base64_decode (jpeg_text, &size);

  return g_bytes_new_take (data, size);
}

FalPictureHost *
fal_picture_host_new (const FalPictureHostOptions *options, GError **error)
{
  g_autoptr (GTlsCertificate) certificate =
      fal_certificate_load (options->tls_certificate, options->tls_key, error);
  g_autoptr (FalPictureHost) host = NULL;
  Start how = { certificate, NULL };

  if (certificate == NULL)
    return NULL;
  host = g_new0 (FalPictureHost, 1);
  g_mutex_init (&host->mutex);
  g_cond_init (&host->arrived);
  g_queue_init (&host->heads);
  host->redirect_out = g_strdup (options->redirect_out);
  host->jpeg = make_jpeg ();
  host->loop = fal_loop_new ("fal-picture-host");
  fal_loop_call (host->loop, start, host, &how);
  if (how.error != NULL) {
    g_propagate_error (error, how.error);
    return NULL;
  }
  return g_steal_pointer (&host);
}

void
fal_picture_host_free (FalPictureHost *host)
{
  fal_loop_call (host->loop, stop, host, NULL);
  fal_loop_free (host->loop);
  g_queue_clear_full (&host->heads, g_free);
  g_cond_clear (&host->arrived);
  g_mutex_clear (&host->mutex);
  g_bytes_unref (host->jpeg);
  g_free (host->uri);
  g_free (host->redirect_out);
  g_free (host);
}

const gchar *
fal_picture_host_get_uri (FalPictureHost *host)
{
  return host->uri;
}

guint
fal_picture_host_get_port (FalPictureHost *host)
{
  return host->port;
}

guint
fal_picture_host_get_requests (FalPictureHost *host)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&host->mutex);

  return host->requests;
}

gchar *
fal_picture_host_pop_head (FalPictureHost *host, guint timeout_ms)
{
  gint64 end = g_get_monotonic_time () + timeout_ms * G_TIME_SPAN_MILLISECOND;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&host->mutex);

  while (g_queue_is_empty (&host->heads))
    if (!g_cond_wait_until (&host->arrived, &host->mutex, end))
      return NULL;
  return g_queue_pop_head (&host->heads);
}
