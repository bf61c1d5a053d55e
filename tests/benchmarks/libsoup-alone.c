/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bench-libsoup-alone URI JPEG FRAMES: what the element's messages cost libsoup alone. One thread
 * sends the same request over and over, made once, and lets go of each reply unread; two requests
 * are under way. Prints CPU microseconds a frame of this process and frames a second. */
#include "process-usage.h"
#include <libsoup/soup.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* As many as the element has under way where no frame may be lost. */
#define AHEAD 2

typedef struct {
  GMainLoop *loop;
  SoupWebsocketConnection *socket;
  GBytes *request;
  guint frames, warm, sent, received;
  gint64 began, began_cpu;
} Bench;

static void
append_text (GByteArray *message, const gchar *text)
{
  guint8 head = 0xa0 | strlen (text);

  g_byte_array_append (message, &head, 1);
  g_byte_array_append (message, (const guint8 *) text, strlen (text));
}

/* glibc gives what a large message took back to the system after each one, and gets it anew,
 * zeroed, for the next; but only on a process's main thread, so that no program with threads pays
 * for it. */
static void
keep_memory (void)
{
#ifdef __GLIBC__
  mallopt (M_TRIM_THRESHOLD, 64 * 1024 * 1024);
  mallopt (M_MMAP_THRESHOLD, 32 * 1024 * 1024); /* its limit */
#endif
}

/* {"image_bytes": picture, "request_id": "fal-1"} as msgpack. */
static GBytes *
make_request (const gchar *picture, gsize size)
{
  const guint8 map = 0x82, binary = 0xc6;
  guint32 length = GUINT32_TO_BE (size);
  GByteArray *message = g_byte_array_new ();

  g_byte_array_append (message, &map, 1);
  append_text (message, "image_bytes");
  g_byte_array_append (message, &binary, 1);
  g_byte_array_append (message, (const guint8 *) &length, sizeof length);
  g_byte_array_append (message, (const guint8 *) picture, size);
  append_text (message, "request_id");
  append_text (message, "fal-1");
  return g_byte_array_free_to_bytes (message);
}

static void
send_next (Bench *bench)
{
  if (bench->sent == bench->frames)
    return;
  bench->sent++;
  soup_websocket_connection_send_message (
      bench->socket, SOUP_WEBSOCKET_DATA_BINARY, bench->request);
}

static void
on_message (SoupWebsocketConnection *socket, gint type, GBytes *message, gpointer user)
{
  Bench *bench = user;

  /* A reply holds the picture; an error would be shorter. */
  if (g_bytes_get_size (message) < g_bytes_get_size (bench->request) / 2)
    g_error ("the server answered with %" G_GSIZE_FORMAT " bytes", g_bytes_get_size (message));
  if (++bench->received == bench->warm) {
    bench->began = g_get_monotonic_time ();
    bench->began_cpu = cpu_time ();
  }
  if (bench->received == bench->frames)
    g_main_loop_quit (bench->loop);
  else
    send_next (bench);
}

static void
on_closed (SoupWebsocketConnection *socket, gpointer user)
{
  g_error ("the connection ended");
}

static void
on_connected (GObject *session, GAsyncResult *result, gpointer user)
{
  g_autoptr (GError) error = NULL;
  Bench *bench = user;

  bench->socket = soup_session_websocket_connect_finish (SOUP_SESSION (session), result, &error);
  if (bench->socket == NULL)
    g_error ("%s", error->message);
  soup_websocket_connection_set_max_incoming_payload_size (bench->socket, 0);
  g_signal_connect (bench->socket, "message", G_CALLBACK (on_message), bench);
  g_signal_connect (bench->socket, "closed", G_CALLBACK (on_closed), bench);
  for (guint i = 0; i < AHEAD; i++)
    send_next (bench);
}

static void
run (Bench *bench, const gchar *uri)
{
  g_autofree gchar *address = g_strconcat (uri, "/bench/app/realtime", NULL);
  g_autoptr (SoupSession) session = soup_session_new ();
  g_autoptr (SoupMessage) message = soup_message_new ("GET", address);

  /* As the element, which never offers to compress. */
  soup_message_disable_feature (message, SOUP_TYPE_WEBSOCKET_EXTENSION_MANAGER);
  soup_session_websocket_connect_async (
      session, message, NULL, NULL, G_PRIORITY_DEFAULT, NULL, on_connected, bench);
  g_main_loop_run (bench->loop);
  printf ("%.1f %.1f\n", (cpu_time () - bench->began_cpu) / (gdouble) (bench->frames - bench->warm),
      (bench->frames - bench->warm) * 1e6 / (g_get_monotonic_time () - bench->began));
  g_signal_handlers_disconnect_by_data (bench->socket, bench);
  g_object_unref (bench->socket);
}

int
main (int argc, char **argv)
{
  guint frames = argc == 4 ? atoi (argv[3]) : 0;
  g_autofree gchar *picture = NULL;
  Bench bench = { .frames = frames, .warm = MAX (frames / 10, 1) };
  gsize size;

  if (frames < 2 || !g_file_get_contents (argv[2], &picture, &size, NULL)) {
    fprintf (stderr, "usage: bench-libsoup-alone URI JPEG FRAMES\n");
    return 2;
  }
  keep_memory ();
  bench.loop = g_main_loop_new (NULL, FALSE);
  bench.request = make_request (picture, size);
  run (&bench, argv[1]);
  g_bytes_unref (bench.request);
  g_main_loop_unref (bench.loop);
  return 0;
}
