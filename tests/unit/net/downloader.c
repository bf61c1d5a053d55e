/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The fetcher against a host of pictures on loopback, which behaves and misbehaves byte by byte on
 * threads of its own, and a resolver that says what each test wants to hear. */
#include "fal/net/downloader.h"

#include <libsoup/soup.h>
#include <string.h>

#define PICTURE "the bytes of a picture"
#define MAX_SIZE 200000
#define WATCHDOG 120 /* seconds, for one test */

/* ---- The host ---- */

typedef enum {
  HOST_SERVES,
  HOST_STALLS,  /* takes the first bytes of TLS and never answers them */
  HOST_PROXIES, /* takes CONNECT, and stands for whoever is asked for */
} HostMode;

typedef struct {
  GSocketService *service;
  GTlsCertificate *certificate;
  guint16 port;
  HostMode mode;

  GMutex lock; /* protects what follows */
  guint connections;
  GPtrArray *requests;  /* heads, or what came instead */
  GPtrArray *addresses; /* those that were connected to */
} Host;

static void
host_note (Host *host, GPtrArray *list, gchar *text)
{
  g_mutex_lock (&host->lock);
  g_ptr_array_add (list, text);
  g_mutex_unlock (&host->lock);
  g_main_context_wakeup (g_main_context_default ());
}

static guint
host_count (Host *host, const guint *count)
{
  guint n;

  g_mutex_lock (&host->lock);
  n = *count;
  g_mutex_unlock (&host->lock);
  return n;
}

/* Up to the empty line; NULL at the end of the stream. */
static gchar *
read_head (GInputStream *in)
{
  g_autoptr (GString) head = g_string_new (NULL);
  gchar byte;

  while (g_input_stream_read (in, &byte, 1, NULL, NULL) == 1) {
    g_string_append_c (head, byte);
    if (g_str_has_suffix (head->str, "\r\n\r\n"))
      return g_string_free (g_steal_pointer (&head), FALSE);
  }
  return NULL;
}

static gboolean
say (GOutputStream *out, const gchar *text)
{
  return g_output_stream_write_all (out, text, strlen (text), NULL, NULL, NULL);
}

static void
wait_for_end (GInputStream *in)
{
  gchar byte;

  while (g_input_stream_read (in, &byte, 1, NULL, NULL) == 1)
    ;
}

static void
say_endlessly (GOutputStream *out)
{
  g_autofree gchar *piece = g_strnfill (4096, 'x');

  say (out, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  while (say (out, "1000\r\n") && say (out, piece) && say (out, "\r\n"))
    ;
}

static const struct {
  const gchar *path;
  const gchar *answer; /* PORT is replaced */
} answers[] = {
  { "/chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                "9\r\nthe bytes\r\nd\r\n of a picture\r\n0\r\n\r\n" },
  { "/jar", "HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 1\r\n\r\nx" },
  { "/404", "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone" },
  { "/401",
      "HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n" },
  { "/500", "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n" },
  { "/empty", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" },
  { "/gigabyte", "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n" },
  { "/overflow", "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n" },
  { "/slow", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf" },
  { "/inside", "HTTP/1.1 302 Found\r\nLocation: /hush-ok\r\nContent-Length: 0\r\n\r\n" },
  { "/other", "HTTP/1.1 307 There\r\nLocation: https://localhost:PORT/ok\r\n"
              "Content-Length: 0\r\n\r\n" },
  { "/outside", "HTTP/1.1 301 Out\r\nLocation: https://evil.example:PORT/hush\r\n"
                "Content-Length: 0\r\n\r\n" },
  { "/private", "HTTP/1.1 302 In\r\nLocation: https://private.fal.media:PORT/hush\r\n"
                "Content-Length: 0\r\n\r\n" },
  { "/literal", "HTTP/1.1 302 In\r\nLocation: https://127.0.0.1:PORT/hush\r\n"
                "Content-Length: 0\r\n\r\n" },
  { "/plain", "HTTP/1.1 302 No\r\nLocation: http://v3.fal.media:PORT/ok\r\n"
              "Content-Length: 0\r\n\r\n" },
  { "/user", "HTTP/1.1 302 No\r\nLocation: https://a:hush@v3.fal.media:PORT/ok\r\n"
             "Content-Length: 0\r\n\r\n" },
  { "/nowhere", "HTTP/1.1 302 No\r\nLocation: https://[\r\nContent-Length: 0\r\n\r\n" },
  { "/loop", "HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n" },
  { "/3", "HTTP/1.1 302 Found\r\nLocation: /2\r\nContent-Length: 0\r\n\r\n" },
  { "/2", "HTTP/1.1 303 Found\r\nLocation: /1\r\nContent-Length: 0\r\n\r\n" },
  { "/1", "HTTP/1.1 308 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n" },
  { "/short", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nhalf" },
  { "/short-chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf" },
};

/* FALSE: the connection is to end. */
static gboolean
answer (Host *host, const gchar *path, GIOStream *stream)
{
  GOutputStream *out = g_io_stream_get_output_stream (stream);

  for (guint i = 0; i < G_N_ELEMENTS (answers); i++) {
    if (strcmp (answers[i].path, path) == 0) {
      GString *text = g_string_new (answers[i].answer);
      g_autofree gchar *port = g_strdup_printf ("%u", host->port);

      g_string_replace (text, "PORT", port, 0);
      say (out, text->str);
      g_string_free (text, TRUE);
      return !g_str_has_prefix (path, "/short");
    }
  }
  if (strcmp (path, "/endless") == 0) {
    say_endlessly (out);
    return FALSE;
  }
  if (strcmp (path, "/silent") == 0) {
    wait_for_end (g_io_stream_get_input_stream (stream));
    return FALSE;
  }
  return say (out, "HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\n" PICTURE);
}

static void
serve (Host *host, GIOStream *stream)
{
  gboolean more = TRUE;

  while (more) {
    gchar *head = read_head (g_io_stream_get_input_stream (stream));
    g_auto (GStrv) words = head ? g_strsplit (head, " ", 3) : NULL;

    if (head == NULL)
      return;
    host_note (host, host->requests, head);
    more = answer (host, words[1], stream);
  }
}

static void
serve_tls (Host *host, GIOStream *stream)
{
  g_autoptr (GIOStream) tls = g_tls_server_connection_new (stream, host->certificate, NULL);

  if (g_tls_connection_handshake (G_TLS_CONNECTION (tls), NULL, NULL))
    serve (host, tls);
}

static void
stall (Host *host, GIOStream *stream)
{
  GInputStream *in = g_io_stream_get_input_stream (stream);
  gchar bytes[4096];
  gssize n = g_input_stream_read (in, bytes, sizeof bytes, NULL, NULL);
  GString *text = g_string_new (NULL);

  for (gssize i = 0; i < n; i++)
    g_string_append_c (text, g_ascii_isprint (bytes[i]) ? bytes[i] : '?');
  host_note (host, host->requests, g_string_free (text, FALSE));
  wait_for_end (in);
}

static gboolean
on_run (GThreadedSocketService *service, GSocketConnection *connection, GObject *source, Host *host)
{
  g_autoptr (GSocketAddress) local = g_socket_connection_get_local_address (connection, NULL);
  GInetAddress *address = g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (local));

  g_mutex_lock (&host->lock);
  host->connections++;
  g_mutex_unlock (&host->lock);
  host_note (host, host->addresses, g_inet_address_to_string (address));
  if (host->mode == HOST_STALLS)
    stall (host, G_IO_STREAM (connection));
  if (host->mode == HOST_PROXIES) {
    host_note (
        host, host->requests, read_head (g_io_stream_get_input_stream (G_IO_STREAM (connection))));
    say (g_io_stream_get_output_stream (G_IO_STREAM (connection)), "HTTP/1.1 200 OK\r\n\r\n");
  }
  if (host->mode != HOST_STALLS)
    serve_tls (host, G_IO_STREAM (connection));
  return TRUE;
}

static guint16
host_listen (Host *host, const gchar *address, guint16 port)
{
  g_autoptr (GSocketAddress) wanted = g_inet_socket_address_new_from_string (address, port);
  g_autoptr (GSocketAddress) got = NULL;
  GError *error = NULL;

  g_socket_listener_add_address (G_SOCKET_LISTENER (host->service), wanted, G_SOCKET_TYPE_STREAM,
      G_SOCKET_PROTOCOL_TCP, NULL, &got, &error);
  g_assert_no_error (error);
  return g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (got));
}

static GTlsCertificate *
load_certificate (const gchar *name)
{
  g_autofree gchar *pem = g_strdup_printf ("%s/tls/%s.pem", g_getenv ("FAL_TEST_DATA"), name);
  g_autofree gchar *key = g_strdup_printf ("%s/tls/%s.key", g_getenv ("FAL_TEST_DATA"), name);
  GError *error = NULL;
  GTlsCertificate *certificate = g_tls_certificate_new_from_files (pem, key, &error);

  g_assert_no_error (error);
  return certificate;
}

/* ---- The resolver ---- */

typedef struct {
  GResolver parent;
  const gchar *first, *later; /* addresses of all names but one at the first lookup and after it */
  guint lookups;
  GPtrArray *hanging; /* GTask, which is never answered */
} Names;

typedef GResolverClass NamesClass;

static GType names_get_type (void);

G_DEFINE_TYPE (Names, names, G_TYPE_RESOLVER)

/* Comma separated; "hang" never answers, whatever is cancelled. */
static void
names_lookup_async (GResolver *resolver, const gchar *name, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user)
{
  Names *names = (Names *) resolver;
  GTask *task = g_task_new (resolver, cancellable, callback, user);
  gboolean private = strcmp (name, "private.fal.media") == 0;
  const gchar *text = names->lookups++ == 0 ? names->first : names->later;
  g_auto (GStrv) words = g_strsplit (private ? "127.0.0.2" : text, ",", -1);
  GList *list = NULL;

  if (strcmp (text, "hang") == 0) {
    g_ptr_array_add (names->hanging, task);
    return;
  }
  for (guint i = 0; words[i] != NULL; i++)
    list = g_list_append (list, g_inet_address_new_from_string (words[i]));
  g_task_return_pointer (task, list, (GDestroyNotify) g_resolver_free_addresses);
  g_object_unref (task);
}

static GList *
names_lookup_finish (GResolver *resolver, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
names_class_init (NamesClass *class)
{
  class->lookup_by_name_async = names_lookup_async;
  class->lookup_by_name_finish = names_lookup_finish;
}

static void
names_init (Names *names)
{
  names->first = names->later = "127.0.0.1";
  names->hanging = g_ptr_array_new ();
}

/* ---- The fixture ---- */

typedef struct {
  Host host;
  Names *names;
  GTlsDatabase *database;
  FalDownloaderConfig config;
  gchar *hosts, *proxy;
  FalDownloader *fetcher;
  guint watchdog;

  guint answers, pictures;
  gsize size;    /* of the last picture */
  GError *error; /* the last one */
  gboolean free_when_told;
} Fixture;

/* The second address of this machine stands for one that is private. */
static gboolean
is_allowed (GInetAddress *address)
{
  g_autofree gchar *text = g_inet_address_to_string (address);

  return strcmp (text, "127.0.0.2") != 0;
}

static gboolean
on_watchdog (gpointer data)
{
  g_error ("nothing happens any more");
  return G_SOURCE_REMOVE;
}

static void
set_up_host (Host *host)
{
  g_mutex_init (&host->lock);
  host->requests = g_ptr_array_new_with_free_func (g_free);
  host->addresses = g_ptr_array_new_with_free_func (g_free);
  host->certificate = load_certificate ("server");
  host->service = g_threaded_socket_service_new (64);
  g_signal_connect (host->service, "run", G_CALLBACK (on_run), host);
  host->port = host_listen (host, "127.0.0.1", 0);
  host_listen (host, "127.0.0.2", host->port);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autofree gchar *ca = g_strdup_printf ("%s/tls/ca.pem", g_getenv ("FAL_TEST_DATA"));
  GError *error = NULL;

  set_up_host (&fixture->host);
  fixture->names = g_object_new (names_get_type (), NULL);
  g_resolver_set_default (G_RESOLVER (fixture->names));
  fixture->database = g_tls_file_database_new (ca, &error);
  g_assert_no_error (error);
  fixture->hosts = g_strdup_printf ("*.fal.media:%u", fixture->host.port);
  fixture->proxy = g_strdup_printf ("http://127.0.0.1:%u", fixture->host.port);
  fixture->config = (FalDownloaderConfig){
    .hosts = fixture->hosts,
    .max_size = MAX_SIZE,
    .timeout = WATCHDOG * G_USEC_PER_SEC,
    .user_agent = "test/1",
    .tls_database = fixture->database,
    .tls_validation_flags = G_TLS_CERTIFICATE_VALIDATE_ALL,
    .is_allowed_address = is_allowed,
  };
  fixture->fetcher = fal_downloader_new ();
  fal_downloader_configure (fixture->fetcher, &fixture->config);
  fixture->watchdog = g_timeout_add_seconds (WATCHDOG, on_watchdog, NULL);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  Host *host = &fixture->host;

  g_clear_pointer (&fixture->fetcher, fal_downloader_free);
  g_source_remove (fixture->watchdog);
  g_socket_service_stop (host->service);
  g_socket_listener_close (G_SOCKET_LISTENER (host->service));
  /* Each thread of it holds the service. */
  while (G_OBJECT (host->service)->ref_count > 1) {
    g_main_context_iteration (NULL, FALSE);
    g_thread_yield ();
  }
  g_object_unref (host->service);
  g_object_unref (host->certificate);
  g_ptr_array_unref (host->requests);
  g_ptr_array_unref (host->addresses);
  g_mutex_clear (&host->lock);
  for (guint i = 0; i < fixture->names->hanging->len; i++) {
    GTask *task = fixture->names->hanging->pdata[i];

    g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_FAILED, "at long last");
    g_object_unref (task);
  }
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_ptr_array_unref (fixture->names->hanging);
  g_object_unref (fixture->names);
  g_object_unref (fixture->database);
  g_clear_error (&fixture->error);
  g_free (fixture->hosts);
  g_free (fixture->proxy);
}

static void
on_fetched (gpointer user, GBytes *picture, const GError *error)
{
  Fixture *fixture = user;

  g_assert_true ((picture == NULL) != (error == NULL));
  g_assert_nonnull (fixture->fetcher);
  fixture->answers++;
  fixture->pictures += picture != NULL;
  fixture->size = picture ? g_bytes_get_size (picture) : 0;
  g_clear_error (&fixture->error);
  fixture->error = error ? g_error_copy (error) : NULL;
  if (error != NULL)
    g_test_message ("%s", error->message);
  if (fixture->free_when_told)
    g_clear_pointer (&fixture->fetcher, fal_downloader_free);
}

static void
fetch_from (Fixture *fixture, const gchar *host, const gchar *path)
{
  g_autofree gchar *uri = g_strdup_printf ("https://%s:%u%s", host, fixture->host.port, path);

  fal_downloader_start (fixture->fetcher, uri, on_fetched, fixture);
}

static void
await (Fixture *fixture, guint n)
{
  while (fixture->answers < n)
    g_main_context_iteration (NULL, TRUE);
}

static void
fetch_and_await (Fixture *fixture, const gchar *host, const gchar *path)
{
  fetch_from (fixture, host, path);
  await (fixture, fixture->answers + 1);
}

/* With the name of whom is to blame, and without a word of the link's path. */
static void
assert_failed (Fixture *fixture, GQuark domain, gint code, const gchar *named)
{
  g_assert_error (fixture->error, domain, code);
  g_assert_nonnull (strstr (fixture->error->message, named));
  g_assert_null (strstr (fixture->error->message, "hush"));
}

static void
assert_never_contacted (Fixture *fixture)
{
  g_assert_cmpuint (host_count (&fixture->host, &fixture->host.connections), ==, 0);
}

/* ---- Pictures ---- */

static void
test_a_picture_is_fetched (Fixture *fixture, gconstpointer data)
{
  const gchar *const paths[] = { "/ok", "/chunked", "/ok?signature=hush" };

  for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
    fetch_and_await (fixture, "v3.fal.media", paths[i]);
    g_assert_no_error (fixture->error);
    g_assert_cmpuint (fixture->size, ==, strlen (PICTURE));
  }
  g_assert_cmpuint (fal_downloader_get_bytes (fixture->fetcher), ==, 3 * strlen (PICTURE));
}

/* The second request comes after a cookie, the third after a demand for a password. */
static void
test_a_request_tells_nothing (Fixture *fixture, gconstpointer data)
{
  const gchar *const paths[] = { "/jar", "/401", "/inside" };
  g_autofree gchar *host = g_strdup_printf ("Host: v3.fal.media:%u", fixture->host.port);

  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    fetch_and_await (fixture, "v3.fal.media", paths[i]);
  g_assert_cmpuint (fixture->pictures, ==, 2);
  g_assert_cmpuint (fixture->host.requests->len, ==, 4);
  for (guint i = 0; i < fixture->host.requests->len; i++) {
    const gchar *head = fixture->host.requests->pdata[i];
    const gchar *const secrets[] = { "authorization", "cookie", "referer", "accept-encoding",
      "origin" };
    g_autofree gchar *lower = g_ascii_strdown (head, -1);

    g_assert_true (g_str_has_prefix (head, "GET /"));
    g_assert_nonnull (strstr (head, " HTTP/1.1\r\n"));
    g_assert_nonnull (strstr (head, host));
    g_assert_nonnull (strstr (head, "User-Agent: test/1\r\n"));
    for (guint j = 0; j < G_N_ELEMENTS (secrets); j++)
      g_assert_null (strstr (lower, secrets[j]));
  }
}

static void
test_pictures_of_one_host_share_a_connection (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < 10; i++)
    fetch_and_await (fixture, "v3.fal.media", "/ok");
  g_assert_cmpuint (fixture->pictures, ==, 10);
  g_assert_cmpuint (fixture->names->lookups, ==, 1);
  g_assert_cmpuint (host_count (&fixture->host, &fixture->host.connections), ==, 1);
}

static void
test_eight_at_once_and_the_others_wait (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < 40; i++)
    fetch_from (fixture, "v3.fal.media", "/ok");
  await (fixture, 40);
  g_assert_cmpuint (fixture->pictures, ==, 40);
  g_assert_cmpuint (host_count (&fixture->host, &fixture->host.connections), <=, 8);
}

static void
test_too_many_are_refused (Fixture *fixture, gconstpointer data)
{
  fixture->names->first = fixture->names->later = "hang";
  for (guint i = 0; i < 100; i++)
    fetch_from (fixture, "v3.fal.media", "/ok");
  await (fixture, 36);
  g_assert_error (fixture->error, G_IO_ERROR, G_IO_ERROR_BUSY);
  for (guint i = 0; i < 20; i++)
    g_main_context_iteration (NULL, FALSE);
  g_assert_cmpuint (fixture->answers, ==, 36);
  g_assert_cmpuint (fixture->names->lookups, ==, 8);
}

/* ---- Where to ---- */

static void
test_a_host_not_listed_is_never_contacted (Fixture *fixture, gconstpointer data)
{
  const gchar *const hosts[] = { "evil.example", "fal.media", "127.0.0.1", "[::1]", "localhost",
    "a:hush@v3.fal.media" };

  for (guint i = 0; i < G_N_ELEMENTS (hosts); i++) {
    fetch_and_await (fixture, hosts[i], "/hush?hush#hush");
    assert_failed (fixture, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, i < 5 ? "result-hosts" : "user");
  }
  fal_downloader_start (fixture->fetcher, "http://v3.fal.media/hush", on_fetched, fixture);
  await (fixture, fixture->answers + 1);
  assert_failed (fixture, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "https");
  g_assert_cmpuint (fixture->names->lookups, ==, 0);
  assert_never_contacted (fixture);
}

/* Also as one of several; also where no other judge is set. */
static void
test_a_private_address_is_never_contacted (Fixture *fixture, gconstpointer data)
{
  const gchar *const addresses[] = { "127.0.0.2", "127.0.0.1,127.0.0.2", "127.0.0.2,127.0.0.1" };

  for (guint i = 0; i < G_N_ELEMENTS (addresses); i++) {
    fixture->names->first = fixture->names->later = addresses[i];
    fetch_and_await (fixture, "v3.fal.media", "/hush");
    assert_failed (fixture, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "“v3.fal.media”");
  }
  fixture->names->later = "127.0.0.1";
  fixture->config.is_allowed_address = NULL;
  fal_downloader_configure (fixture->fetcher, &fixture->config);
  fetch_and_await (fixture, "v3.fal.media", "/hush");
  assert_failed (fixture, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "“v3.fal.media”");
  assert_never_contacted (fixture);
}

/* Whoever looks twice is told another address. */
static void
test_a_name_is_looked_up_once (Fixture *fixture, gconstpointer data)
{
  fixture->names->later = "127.0.0.2";
  fetch_and_await (fixture, "v3.fal.media", "/ok");
  fetch_and_await (fixture, "v3.fal.media", "/404");
  g_assert_cmpuint (fixture->pictures, ==, 1);
  g_assert_cmpuint (fixture->names->lookups, ==, 1);
  /* The connection is gone by now: another look, and that is judged. */
  fetch_and_await (fixture, "v3.fal.media", "/hush");
  assert_failed (fixture, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "“v3.fal.media”");
  g_assert_cmpuint (fixture->names->lookups, ==, 2);
  g_assert_cmpuint (fixture->host.addresses->len, ==, 1);
  g_assert_cmpstr (fixture->host.addresses->pdata[0], ==, "127.0.0.1");
}

/* Nobody listens at the first. */
static void
test_each_address_is_tried (Fixture *fixture, gconstpointer data)
{
  fixture->names->first = "127.0.0.3,127.0.0.1";
  fetch_and_await (fixture, "v3.fal.media", "/ok");
  g_assert_no_error (fixture->error);
}

static void
test_a_closed_port_fails (Fixture *fixture, gconstpointer data)
{
  fixture->names->first = "127.0.0.3";
  fetch_and_await (fixture, "v3.fal.media", "/hush");
  assert_failed (fixture, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED, "“v3.fal.media”");
}

/* ---- Redirects ---- */

static void
test_redirects_inside_are_followed (Fixture *fixture, gconstpointer data)
{
  const gchar *const paths[] = { "/inside", "/3", "/other" };
  g_autofree gchar *hosts =
      g_strdup_printf ("%s, localhost:%u", fixture->hosts, fixture->host.port);

  fixture->config.hosts = hosts;
  fal_downloader_configure (fixture->fetcher, &fixture->config);
  for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
    fetch_and_await (fixture, "v3.fal.media", paths[i]);
    g_assert_no_error (fixture->error);
  }
  g_assert_cmpuint (fixture->pictures, ==, 3);
}

static const struct {
  const gchar *path;
  gint code;
} redirects[] = {
  { "/outside", G_IO_ERROR_NOT_SUPPORTED },
  { "/private", G_IO_ERROR_NOT_SUPPORTED },
  { "/literal", G_IO_ERROR_NOT_SUPPORTED },
  { "/plain", G_IO_ERROR_NOT_SUPPORTED },
  { "/user", G_IO_ERROR_NOT_SUPPORTED },
  { "/nowhere", G_IO_ERROR_INVALID_DATA },
};

static void
test_redirects_outside_are_not_followed (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < G_N_ELEMENTS (redirects); i++) {
    fetch_and_await (fixture, "v3.fal.media", redirects[i].path);
    assert_failed (fixture, G_IO_ERROR, redirects[i].code, "");
  }
  g_assert_cmpuint (fixture->host.requests->len, ==, G_N_ELEMENTS (redirects));
  for (guint i = 0; i < fixture->host.addresses->len; i++)
    g_assert_cmpstr (fixture->host.addresses->pdata[i], ==, "127.0.0.1");
}

static void
test_a_loop_ends (Fixture *fixture, gconstpointer data)
{
  fetch_and_await (fixture, "v3.fal.media", "/loop");
  assert_failed (fixture, G_IO_ERROR, G_IO_ERROR_TOO_MANY_LINKS, "“v3.fal.media”");
  g_assert_cmpuint (fixture->host.requests->len, ==, 4);
}

/* ---- Answers that are none ---- */

static const struct {
  const gchar *path;
  gint code;
} faults[] = {
  { "/404", G_IO_ERROR_NOT_FOUND },
  { "/401", G_IO_ERROR_FAILED },
  { "/500", G_IO_ERROR_FAILED },
  { "/empty", G_IO_ERROR_INVALID_DATA },
  { "/endless", G_IO_ERROR_MESSAGE_TOO_LARGE },
  { "/gigabyte", G_IO_ERROR_MESSAGE_TOO_LARGE },
  { "/overflow", G_IO_ERROR_MESSAGE_TOO_LARGE },
  { "/short", G_IO_ERROR_PARTIAL_INPUT },
  { "/short-chunk", G_IO_ERROR_PARTIAL_INPUT },
};

static void
test_bad_answers_fail (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < G_N_ELEMENTS (faults); i++) {
    guint64 before = fal_downloader_get_bytes (fixture->fetcher);

    fetch_and_await (fixture, "v3.fal.media", faults[i].path);
    assert_failed (fixture, G_IO_ERROR, faults[i].code, "“v3.fal.media”");
    g_assert_cmpuint (fal_downloader_get_bytes (fixture->fetcher) - before, <=, MAX_SIZE + 256);
  }
  fetch_and_await (fixture, "v3.fal.media", "/ok");
  g_assert_no_error (fixture->error);
}

static void
test_a_picture_of_the_greatest_size_passes (Fixture *fixture, gconstpointer data)
{
  const gchar *const paths[] = { "/ok", "/chunked" };

  for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
    fixture->config.max_size = strlen (PICTURE);
    fal_downloader_configure (fixture->fetcher, &fixture->config);
    fetch_and_await (fixture, "v3.fal.media", paths[i]);
    g_assert_no_error (fixture->error);
    fixture->config.max_size--;
    fal_downloader_configure (fixture->fetcher, &fixture->config);
    fetch_and_await (fixture, "v3.fal.media", paths[i]);
    assert_failed (fixture, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE, "max-message-size");
  }
}

static void
set_timeout (Fixture *fixture, gint64 timeout)
{
  fixture->config.timeout = timeout;
  fal_downloader_configure (fixture->fetcher, &fixture->config);
}

static void
test_what_is_slow_times_out (Fixture *fixture, gconstpointer data)
{
  set_timeout (fixture, 50 * G_TIME_SPAN_MILLISECOND);
  fetch_and_await (fixture, "v3.fal.media", "/silent");
  g_assert_error (fixture->error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  fetch_and_await (fixture, "v3.fal.media", "/slow");
  g_assert_error (fixture->error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  fixture->host.mode = HOST_STALLS;
  fetch_and_await (fixture, "v3.fal.media", "/ok");
  g_assert_error (fixture->error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  fixture->names->later = "hang";
  for (guint i = 0; i < 20; i++)
    fetch_from (fixture, "v3.fal.media", "/ok");
  await (fixture, 23);
  g_assert_error (fixture->error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  fixture->host.mode = HOST_SERVES;
  fixture->names->later = "127.0.0.1";
  set_timeout (fixture, WATCHDOG * G_USEC_PER_SEC);
  fetch_and_await (fixture, "v3.fal.media", "/ok");
  g_assert_no_error (fixture->error);
}

/* ---- TLS ---- */

/* The certificate is good for 127.0.0.1, where the name leads, but not for the name. */
static void
test_the_name_is_what_tls_asks_for (Fixture *fixture, gconstpointer data)
{
  fetch_and_await (fixture, "wrong.fal.media", "/hush");
  assert_failed (fixture, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE, "“wrong.fal.media”");
  g_assert_cmpuint (fixture->host.requests->len, ==, 0);
}

static void
test_the_name_is_sent_to_the_host (Fixture *fixture, gconstpointer data)
{
  fixture->host.mode = HOST_STALLS;
  fetch_from (fixture, "v3.fal.media", "/hush");
  while (host_count (&fixture->host, &fixture->host.requests->len) == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_nonnull (strstr (fixture->host.requests->pdata[0], "v3.fal.media"));
  g_assert_nonnull (strstr (fixture->host.requests->pdata[0], "http/1.1"));
  g_assert_null (strstr (fixture->host.requests->pdata[0], "?h2"));
}

static void
test_a_bad_certificate_is_refused (Fixture *fixture, gconstpointer data)
{
  const gchar *const names[] = { "self-signed", "wrong-host", "expired", "future" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_object_unref (fixture->host.certificate);
    fixture->host.certificate = load_certificate (names[i]);
    fetch_and_await (fixture, "v3.fal.media", "/hush");
    assert_failed (fixture, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE, "“v3.fal.media”");
  }
  g_assert_cmpuint (fixture->host.requests->len, ==, 0);
  fixture->config.tls_validation_flags =
      G_TLS_CERTIFICATE_VALIDATE_ALL & ~G_TLS_CERTIFICATE_NOT_ACTIVATED;
  fal_downloader_configure (fixture->fetcher, &fixture->config);
  fetch_and_await (fixture, "v3.fal.media", "/ok");
  g_assert_no_error (fixture->error);
}

/* What was let pass is not kept where it would not pass any more. */
static void
test_connections_end_with_their_settings (Fixture *fixture, gconstpointer data)
{
  g_object_unref (fixture->host.certificate);
  fixture->host.certificate = load_certificate ("expired");
  fixture->config.tls_validation_flags = 0;
  fal_downloader_configure (fixture->fetcher, &fixture->config);
  fetch_and_await (fixture, "v3.fal.media", "/ok");
  g_assert_no_error (fixture->error);
  fixture->config.tls_validation_flags = G_TLS_CERTIFICATE_VALIDATE_ALL;
  fal_downloader_configure (fixture->fetcher, &fixture->config);
  fetch_and_await (fixture, "v3.fal.media", "/hush");
  assert_failed (fixture, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE, "“v3.fal.media”");
}

/* ---- Proxy ---- */

static void
test_a_proxy_looks_names_up (Fixture *fixture, gconstpointer data)
{
  g_autofree gchar *hosts =
      g_strdup_printf ("*.fal.media:%u,127.0.0.1:%u", fixture->host.port, fixture->host.port);
  g_autofree gchar *connect = g_strdup_printf ("CONNECT v3.fal.media:%u ", fixture->host.port);

  fixture->host.mode = HOST_PROXIES;
  fixture->config.hosts = hosts;
  fixture->config.proxy = fixture->proxy;
  fal_downloader_configure (fixture->fetcher, &fixture->config);
  fetch_and_await (fixture, "127.0.0.1", "/hush");
  assert_failed (fixture, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "“127.0.0.1”");
  fetch_and_await (fixture, "evil.example", "/hush");
  assert_failed (fixture, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "“evil.example”");
  assert_never_contacted (fixture);
  for (guint i = 0; i < 3; i++)
    fetch_and_await (fixture, "v3.fal.media", "/ok");
  g_assert_cmpuint (fixture->pictures, ==, 3);
  g_assert_cmpuint (fixture->names->lookups, ==, 0);
  g_assert_cmpuint (host_count (&fixture->host, &fixture->host.connections), ==, 1);
  g_assert_true (g_str_has_prefix (fixture->host.requests->pdata[0], connect));
}

/* ---- The end in the middle ---- */

static void
test_freed_when_told (Fixture *fixture, gconstpointer data)
{
  const gchar *const paths[] = { "/ok", "/404", "/endless", "/loop", "/outside" };

  fixture->free_when_told = TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
    if (fixture->fetcher == NULL)
      fixture->fetcher = fal_downloader_new ();
    fal_downloader_configure (fixture->fetcher, &fixture->config);
    fetch_from (fixture, "v3.fal.media", paths[i]);
    fetch_from (fixture, "v3.fal.media", "/silent");
    await (fixture, i + 1);
    g_assert_null (fixture->fetcher);
  }
}

/* With all of @paths under way, @n iterations long, or until the six that end have ended. */
static void
free_after (Fixture *fixture, guint n)
{
  const gchar *const paths[] = { "/ok", "/chunked", "/slow", "/endless", "/3", "/silent", "/404",
    "/outside" };

  fixture->names->lookups = 0;
  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    fetch_from (fixture, "v3.fal.media", paths[i]);
  while (n-- > 0 && fixture->answers < 6)
    g_main_context_iteration (NULL, TRUE);
  g_clear_pointer (&fixture->fetcher, fal_downloader_free);
  fixture->answers = 0;
  fixture->fetcher = fal_downloader_new ();
  fal_downloader_configure (fixture->fetcher, &fixture->config);
}

static void
test_freed_at_any_time (Fixture *fixture, gconstpointer data)
{
  for (guint n = 0; n < 150; n += 2 + n / 3)
    free_after (fixture, n);
}

static void
test_freed_while_a_resolver_hangs (Fixture *fixture, gconstpointer data)
{
  fixture->names->first = "hang";
  fetch_from (fixture, "v3.fal.media", "/ok");
  while (fixture->names->lookups == 0)
    g_main_context_iteration (NULL, TRUE);
  g_clear_pointer (&fixture->fetcher, fal_downloader_free);
  g_assert_cmpuint (fixture->answers, ==, 0);
}

static void
test_freed_while_tls_stalls (Fixture *fixture, gconstpointer data)
{
  fixture->host.mode = HOST_STALLS;
  fetch_from (fixture, "v3.fal.media", "/ok");
  while (host_count (&fixture->host, &fixture->host.requests->len) == 0)
    g_main_context_iteration (NULL, TRUE);
  g_clear_pointer (&fixture->fetcher, fal_downloader_free);
  g_assert_cmpuint (fixture->answers, ==, 0);
}

static void
test_freed_in_the_middle_of_a_body (Fixture *fixture, gconstpointer data)
{
  fetch_from (fixture, "v3.fal.media", "/slow");
  while (fal_downloader_get_bytes (fixture->fetcher) == 0)
    g_main_context_iteration (NULL, TRUE);
  g_clear_pointer (&fixture->fetcher, fal_downloader_free);
  g_assert_cmpuint (fixture->answers, ==, 0);
}

#define ADD(path, test) g_test_add ("/fetcher/" path, Fixture, NULL, set_up, test, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("picture", test_a_picture_is_fetched);
  ADD ("tells-nothing", test_a_request_tells_nothing);
  ADD ("one-connection", test_pictures_of_one_host_share_a_connection);
  ADD ("eight-at-once", test_eight_at_once_and_the_others_wait);
  ADD ("too-many", test_too_many_are_refused);
  ADD ("not-listed", test_a_host_not_listed_is_never_contacted);
  ADD ("private", test_a_private_address_is_never_contacted);
  ADD ("looked-up-once", test_a_name_is_looked_up_once);
  ADD ("each-address", test_each_address_is_tried);
  ADD ("refused", test_a_closed_port_fails);
  ADD ("redirects-inside", test_redirects_inside_are_followed);
  ADD ("redirects-outside", test_redirects_outside_are_not_followed);
  ADD ("loop", test_a_loop_ends);
  ADD ("bad-answers", test_bad_answers_fail);
  ADD ("greatest-size", test_a_picture_of_the_greatest_size_passes);
  ADD ("slow", test_what_is_slow_times_out);
  ADD ("tls-name", test_the_name_is_what_tls_asks_for);
  ADD ("tls-sni", test_the_name_is_sent_to_the_host);
  ADD ("tls-certificate", test_a_bad_certificate_is_refused);
  ADD ("tls-settings", test_connections_end_with_their_settings);
  ADD ("proxy", test_a_proxy_looks_names_up);
  ADD ("freed-when-told", test_freed_when_told);
  ADD ("freed-any-time", test_freed_at_any_time);
  ADD ("freed-resolving", test_freed_while_a_resolver_hangs);
  ADD ("freed-tls", test_freed_while_tls_stalls);
  ADD ("freed-body", test_freed_in_the_middle_of_a_body);
  return g_test_run ();
}
