/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The picture host: what each path answers, and what it noted of the request. */
#include "fixture.h"
#include "effects/rgb-image.h"
#include "picture-host.h"
#include "wait.h"
#include <string.h>

static FalPictureHost *
serve (void)
{
  g_autofree gchar *certificate = fal_fixture_dup_tls_file ("server.pem");
  g_autofree gchar *key = fal_fixture_dup_tls_file ("server.key");
  g_autoptr (GError) error = NULL;
  FalPictureHost *host =
      fal_picture_host_new (&(FalPictureHostOptions){ .tls_certificate = certificate,
                                .tls_key = key,
                                .redirect_out = "https://192.0.2.1/out.jpg" },
          &error);

  g_assert_no_error (error);
  return host;
}

typedef struct {
  SoupSession *session;
  SoupMessage *message;
  GInputStream *stream; /* the body; NULL until the head has come */
  GByteArray *body;
  gssize last; /* read; 0 at the end */
  gboolean busy;
  guint8 buffer[4096];
} Fetch;

static void
on_sent (GObject *session, GAsyncResult *result, gpointer user)
{
  Fetch *fetch = user;
  g_autoptr (GError) error = NULL;

  fetch->stream = soup_session_send_finish (SOUP_SESSION (session), result, &error);
  g_assert_no_error (error);
}

static void
on_read (GObject *stream, GAsyncResult *result, gpointer user)
{
  Fetch *fetch = user;

  fetch->last = g_input_stream_read_finish (G_INPUT_STREAM (stream), result, NULL);
  fetch->busy = FALSE;
  if (fetch->last > 0)
    g_byte_array_append (fetch->body, fetch->buffer, fetch->last);
}

/* The head has come; redirects are not followed. */
static Fetch *
fetch_head (FalPictureHost *host, const gchar *path)
{
  Fetch *fetch = g_new0 (Fetch, 1);
  g_autofree gchar *uri = g_strconcat (fal_picture_host_get_uri (host), path, NULL);

  fetch->session = soup_session_new ();
  fal_fixture_trust_test_ca (fetch->session);
  fetch->message = soup_message_new (SOUP_METHOD_GET, uri);
  fetch->body = g_byte_array_new ();
  soup_message_add_flags (fetch->message, SOUP_MESSAGE_NO_REDIRECT);
  soup_message_headers_append (soup_message_get_request_headers (fetch->message), "X-Mine", "here");
  soup_session_send_async (
      fetch->session, fetch->message, G_PRIORITY_DEFAULT, NULL, on_sent, fetch);
  FAL_WAIT_UNTIL (fetch->stream != NULL);
  return fetch;
}

/* FALSE at the end. */
static gboolean
fetch_more (Fetch *fetch)
{
  fetch->busy = TRUE;
  g_input_stream_read_async (
      fetch->stream, fetch->buffer, sizeof fetch->buffer, G_PRIORITY_DEFAULT, NULL, on_read, fetch);
  FAL_WAIT_UNTIL (!fetch->busy);
  g_assert_cmpint (fetch->last, >=, 0);
  return fetch->last > 0;
}

static void
fetch_free (Fetch *fetch)
{
  soup_session_abort (fetch->session);
  g_object_unref (fetch->stream);
  g_object_unref (fetch->message);
  g_object_unref (fetch->session);
  g_byte_array_unref (fetch->body);
  g_free (fetch);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Fetch, fetch_free)

static const gchar *
get_header (Fetch *fetch, const gchar *name)
{
  return soup_message_headers_get_one (soup_message_get_response_headers (fetch->message), name);
}

typedef struct {
  const gchar *path;
  guint status;
  const gchar *type;  /* NULL: any */
  const gchar *start; /* of the body */
} PathRow;

static const PathRow path_rows[] = {
  { "/ok.jpg", 200, "image/jpeg", "\xff\xd8\xff" },
  { "/ok.png", 200, "image/png", "\x89PNG" },
  { "/text", 200, "text/plain", "no picture" },
  { "/404", 404, NULL, "" },
};

static void
test_path (gconstpointer data)
{
  const PathRow *row = data;
  g_autoptr (FalPictureHost) host = serve ();
  g_autoptr (Fetch) fetch = fetch_head (host, row->path);
  g_autofree gchar *head = fal_picture_host_pop_head (host, 1000);
  g_autofree gchar *line = g_strdup_printf ("GET %s HTTP/1.1\n", row->path);

  while (fetch_more (fetch))
    ;
  g_assert_cmpuint (soup_message_get_status (fetch->message), ==, row->status);
  if (row->type != NULL)
    g_assert_cmpstr (get_header (fetch, "Content-Type"), ==, row->type);
  g_assert_cmpuint (fetch->body->len, >=, strlen (row->start));
  g_assert_cmpmem (fetch->body->data, strlen (row->start), row->start, strlen (row->start));
  g_assert_true (g_str_has_prefix (head, line));
  g_assert_nonnull (strstr (head, "\nX-Mine: here"));
  g_assert_null (fal_picture_host_pop_head (host, 1));
  g_assert_cmpuint (fal_picture_host_get_requests (host), ==, 1);
}

static void
test_pictures_can_be_decoded (void)
{
  static const gchar *const paths[] = { "/ok.jpg",
#ifdef HAVE_PNG
    "/ok.png",
#endif
    NULL };
  g_autoptr (FalPictureHost) host = serve ();

  for (guint i = 0; paths[i] != NULL; i++) {
    g_autoptr (Fetch) fetch = fetch_head (host, paths[i]);
    g_autoptr (GBytes) bytes = NULL;
    g_autoptr (FalRgbImage) image = NULL;

    while (fetch_more (fetch))
      ;
    bytes = g_bytes_new (fetch->body->data, fetch->body->len);
    image = fal_rgb_image_decode (bytes, NULL);
    g_assert_nonnull (image);
  }
}

static void
test_redirects_lead_where_they_should (void)
{
  g_autoptr (FalPictureHost) host = serve ();
  g_autoptr (Fetch) in = fetch_head (host, "/redirect-in");
  g_autoptr (Fetch) out = fetch_head (host, "/redirect-out");
  g_autofree gchar *target = g_strconcat (fal_picture_host_get_uri (host), "/ok.jpg", NULL);

  g_assert_cmpuint (soup_message_get_status (in->message), ==, 302);
  g_assert_cmpstr (get_header (in, "Location"), ==, target);
  g_assert_cmpuint (soup_message_get_status (out->message), ==, 302);
  g_assert_cmpstr (get_header (out, "Location"), ==, "https://192.0.2.1/out.jpg");
}

static void
test_big_has_no_end (void)
{
  g_autoptr (FalPictureHost) host = serve ();
  g_autoptr (Fetch) fetch = fetch_head (host, "/big");

  while (fetch->body->len < 4 * 1024 * 1024)
    g_assert_true (fetch_more (fetch));
  g_assert_null (get_header (fetch, "Content-Length"));
}

/* Only a server that is caught in the middle of a record has something to wait for: several tries,
 * each with a client that has read some and reads no more. */
static void
test_free_does_not_wait_for_a_client_that_does_not_read (void)
{
  for (guint i = 0; i < 12; i++) {
    FalPictureHost *host = serve ();
    g_autoptr (Fetch) fetch = fetch_head (host, "/big");

    while (fetch->body->len < 1024 * 1024)
      g_assert_true (fetch_more (fetch));
    fal_picture_host_free (host);
  }
}

/* A byte at a time, each with its wait: a few show it. */
static void
test_slow_drips (void)
{
  g_autoptr (FalPictureHost) host = serve ();
  gint64 begin = g_get_monotonic_time ();
  g_autoptr (Fetch) fetch = fetch_head (host, "/slow");

  while (fetch->body->len < 3) {
    g_assert_true (fetch_more (fetch));
    g_assert_cmpint (fetch->last, ==, 1);
  }
  g_assert_cmpint (g_get_monotonic_time () - begin, >=, 100 * G_TIME_SPAN_MILLISECOND);
  g_assert_cmpmem (fetch->body->data, 3, "\xff\xd8\xff", 3);
}

int
main (int argc, char **argv)
{
  gst_init (NULL, NULL);
  g_test_init (&argc, &argv, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (path_rows); i++) {
    g_autofree gchar *name = g_strconcat ("/picture-host", path_rows[i].path, NULL);

    g_test_add_data_func (name, &path_rows[i], test_path);
  }
  g_test_add_func ("/picture-host/pictures-can-be-decoded", test_pictures_can_be_decoded);
  g_test_add_func (
      "/picture-host/redirects-lead-where-they-should", test_redirects_lead_where_they_should);
  g_test_add_func ("/picture-host/big-has-no-end", test_big_has_no_end);
  g_test_add_func ("/picture-host/free-does-not-wait-for-a-client-that-does-not-read",
      test_free_does_not_wait_for_a_client_that_does_not_read);
  g_test_add_func ("/picture-host/slow-drips", test_slow_drips);
  return g_test_run ();
}
