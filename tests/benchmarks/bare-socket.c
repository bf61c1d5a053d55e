/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bench-bare-socket raw|jpeg JPEG FRAMES: the same codec work over a plain socket, as little as it
 * can be: the floor to compare the element with. A child process echoes what it gets; two requests
 * are under way. Prints CPU microseconds a frame of this process and frames a second. */
#include "process-usage.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <turbojpeg.h>
#include <unistd.h>

/* Requests that go before an answer is read. */
#define AHEAD 2
/* A second one of these would fill the socket both ways, and both sides wait to write. */
#define LARGE 65536

static gboolean
move (int fd, guint8 *data, gsize size, gboolean out)
{
  while (size > 0) {
    gssize n = out ? write (fd, data, size) : read (fd, data, size);

    if (n <= 0)
      return FALSE;
    data += n;
    size -= n;
  }
  return TRUE;
}

/* Length first, then the bytes. */
static void
send_message (int fd, const guint8 *data, guint32 size)
{
  if (!move (fd, (guint8 *) &size, sizeof size, TRUE) || !move (fd, (guint8 *) data, size, TRUE))
    exit (1);
}

static gboolean
receive_message (int fd, GByteArray *into)
{
  guint32 size;

  if (!move (fd, (guint8 *) &size, sizeof size, FALSE))
    return FALSE;
  g_byte_array_set_size (into, size);
  return move (fd, into->data, size, FALSE);
}

static void
echo (int fd)
{
  g_autoptr (GByteArray) message = g_byte_array_new ();

  while (receive_message (fd, message))
    send_message (fd, message->data, message->len);
  _exit (0);
}

typedef struct {
  gboolean raw;
  int fd;
  int width, height;
  guint8 *frame, *decoded; /* RGBx */
  guchar *jpeg;            /* of the file */
  gsize jpeg_size;
  guchar *packed;
  gulong packed_size;
  tjhandle encoder, decoder;
  GByteArray *reply;
} Bench;

static void
send_frame (Bench *b)
{
  if (!b->raw) {
    send_message (b->fd, b->jpeg, b->jpeg_size);
    return;
  }
  tjCompress2 (b->encoder, b->frame, b->width, 0, b->height, TJPF_RGBX, &b->packed, &b->packed_size,
      TJSAMP_420, 85, TJFLAG_NOREALLOC);
  send_message (b->fd, b->packed, b->packed_size);
  b->packed_size = tjBufSize (b->width, b->height, TJSAMP_420);
}

static void
take_result (Bench *b)
{
  if (!receive_message (b->fd, b->reply))
    exit (1);
  if (b->raw)
    tjDecompress2 (b->decoder, b->reply->data, b->reply->len, b->decoded, b->width, 0, b->height,
        TJPF_RGBX, 0);
}

static void
prepare (Bench *b, const gchar *path)
{
  int subsampling, colours;

  if (!g_file_get_contents (path, (gchar **) &b->jpeg, &b->jpeg_size, NULL))
    exit (1);
  b->encoder = tjInitCompress ();
  b->decoder = tjInitDecompress ();
  tjDecompressHeader3 (
      b->decoder, b->jpeg, b->jpeg_size, &b->width, &b->height, &subsampling, &colours);
  b->frame = g_malloc (4 * b->width * b->height);
  b->decoded = g_malloc (4 * b->width * b->height);
  tjDecompress2 (b->decoder, b->jpeg, b->jpeg_size, b->frame, b->width, 0, b->height, TJPF_RGBX, 0);
  b->packed_size = tjBufSize (b->width, b->height, TJSAMP_420);
  b->packed = tjAlloc (b->packed_size);
  b->reply = g_byte_array_new ();
}

int
main (int argc, char **argv)
{
  Bench b = { 0 };
  guint frames = argc == 4 ? atoi (argv[3]) : 0, warm = MAX (frames / 10, 1), ahead;
  gint64 began = 0, began_cpu = 0;
  int fds[2];

  if (frames == 0) {
    fprintf (stderr, "usage: bench-bare-socket raw|jpeg JPEG FRAMES\n");
    return 2;
  }
  if (socketpair (AF_UNIX, SOCK_STREAM, 0, fds) != 0)
    return 1;
  if (fork () == 0) {
    close (fds[0]);
    echo (fds[1]);
  }
  close (fds[1]);
  b.fd = fds[0];
  b.raw = strcmp (argv[1], "raw") == 0;
  prepare (&b, argv[2]);
  ahead = b.jpeg_size > LARGE ? 0 : AHEAD;
  for (guint i = 0; i < frames + ahead; i++) {
    if (i == warm) {
      began = g_get_monotonic_time ();
      began_cpu = cpu_time ();
    }
    if (i < frames)
      send_frame (&b);
    if (i >= ahead)
      take_result (&b);
  }
  printf ("%.1f %.1f\n", (cpu_time () - began_cpu) / (gdouble) (frames - warm),
      (frames - warm) * 1e6 / (g_get_monotonic_time () - began));
  return 0;
}
