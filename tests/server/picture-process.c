/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The process: its pipes, what goes through them, and its end. */
#include "picture-process.h"
#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_HEADER 64       /* bytes */
#define MAX_MATTE_SIDE 2048 /* pixels */
#define MAX_ANSWER (MAX_HEADER + (gsize) FAL_RGB_IMAGE_MAX_PIXELS * 3)
#define PIECE 16384                                 /* bytes, read at once */
#define TIME_TO_END (G_TIME_SPAN_MILLISECOND * 500) /* from its last byte to its exit status */

struct _FalPictureProcess {
  GPid pid;
  gint input, output; /* our ends */
  GByteArray *early;  /* of the answer, read before the picture was written */
  gsize used;         /* bytes of those */
};

/* A wait that ends. */
typedef struct {
  gint64 deadline; /* monotonic µs */
  GCancellable *cancellable;
} Limit;

/* ---- Start and end ---- */

/* In the child: with a group of its own, what it starts ends with it. */
static void
lead_group (gpointer unused)
{
  setpgid (0, 0);
}

FalPictureProcess *
fal_picture_process_new (const gchar *command, GError **error)
{
  const GSpawnFlags flags = G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_CLOEXEC_PIPES;
  FalPictureProcess process = { 0 };
  g_auto (GStrv) argv = NULL;

  if (!g_shell_parse_argv (command, NULL, &argv, error) ||
      !g_spawn_async_with_pipes (NULL, argv, NULL, flags, lead_group, NULL, &process.pid,
          &process.input, &process.output, NULL, error))
    return NULL;
  g_unix_set_fd_nonblocking (process.input, TRUE, NULL);
  g_unix_set_fd_nonblocking (process.output, TRUE, NULL);
  process.early = g_byte_array_new ();
  return g_memdup2 (&process, sizeof process);
}

void
fal_picture_process_free (FalPictureProcess *process)
{
  close (process->input);
  close (process->output);
  kill (-process->pid, SIGKILL);
  waitpid (process->pid, NULL, 0);
  g_byte_array_unref (process->early);
  g_free (process);
}

/* How it ended, once it wrote its last byte. It is not reaped: its number stays that of its group,
 * which is ended by it. */
static gchar *
describe_end (const FalPictureProcess *process)
{
  gint64 deadline = g_get_monotonic_time () + TIME_TO_END;
  siginfo_t end = { 0 };

  while (waitid (P_PID, process->pid, &end, WEXITED | WNOHANG | WNOWAIT) == 0 && end.si_pid == 0 &&
         g_get_monotonic_time () < deadline)
    g_usleep (1000);
  if (end.si_pid == 0)
    return g_strdup ("has closed its output");
  if (end.si_code != CLD_EXITED)
    return g_strdup_printf ("was ended by signal %d", end.si_status);
  return g_strdup_printf ("has ended with status %d", end.si_status);
}

/* ---- Bytes ---- */

static gboolean
fail (GError **error, const gchar *what)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "The effect's command %s", what);
  return FALSE;
}

/* Until the process has written, or has read where we are @writing, or has closed its end. */
static gboolean
wait_for (FalPictureProcess *process, gboolean writing, const Limit *limit, GError **error)
{
  GPollFD fds[3] = { { .fd = process->output, .events = G_IO_IN } };
  guint n_fds = 1;
  gint64 rest = limit->deadline - g_get_monotonic_time ();
  gboolean cancellable;
  gint ready;

  if (writing)
    fds[n_fds++] = (GPollFD){ .fd = process->input, .events = G_IO_OUT };
  cancellable = g_cancellable_make_pollfd (limit->cancellable, &fds[n_fds]);
  ready = g_poll (fds, n_fds + cancellable, MAX (rest, 0) / G_TIME_SPAN_MILLISECOND);
  if (cancellable)
    g_cancellable_release_fd (limit->cancellable);
  if (g_cancellable_set_error_if_cancelled (limit->cancellable, error))
    return FALSE;
  return ready != 0 || fail (error, "took too long");
}

static gboolean
fail_over (FalPictureProcess *process, gssize result, GError **error)
{
  g_autofree gchar *end = NULL;

  if (result < 0 && errno != EPIPE)
    return fail (error, g_strerror (errno));
  end = describe_end (process);
  return fail (error, end);
}

static gboolean
is_to_wait (gssize result)
{
  return result < 0 && (errno == EAGAIN || errno == EINTR);
}

/* One that answers before it has all of the picture may read no more until that is read. */
static gboolean
read_early (FalPictureProcess *process, GError **error)
{
  guint8 piece[PIECE];
  gssize n = read (process->output, piece, sizeof piece);

  if (n <= 0)
    return is_to_wait (n) || fail_over (process, n, error);
  if ((gsize) n > MAX_ANSWER - process->early->len)
    return fail (error, "answered with a picture of no possible size");
  g_byte_array_append (process->early, piece, n);
  return TRUE;
}

static gsize
take_early (FalPictureProcess *process, guint8 *bytes, gsize size)
{
  gsize n = MIN (size, process->early->len - process->used);

  if (n > 0)
    memcpy (bytes, process->early->data + process->used, n);
  process->used += n;
  if (process->used == process->early->len)
    g_byte_array_set_size (process->early, process->used = 0);
  return n;
}

static gboolean
write_all (
    FalPictureProcess *process, gconstpointer data, gsize size, const Limit *limit, GError **error)
{
  const guint8 *bytes = data;

  for (gsize at = 0; at < size;) {
    gssize n = write (process->input, bytes + at, size - at);

    if (n > 0)
      at += n;
    else if (!is_to_wait (n))
      return fail_over (process, n, error);
    else if (!wait_for (process, TRUE, limit, error) || !read_early (process, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
read_all (FalPictureProcess *process, gpointer data, gsize size, const Limit *limit, GError **error)
{
  guint8 *bytes = data;

  for (gsize at = take_early (process, bytes, size); at < size;) {
    gssize n = read (process->output, bytes + at, size - at);

    if (n > 0)
      at += n;
    else if (!is_to_wait (n))
      return fail_over (process, n, error);
    else if (!wait_for (process, FALSE, limit, error))
      return FALSE;
  }
  return TRUE;
}

/* ---- Pictures ---- */

static gboolean
write_picture (
    FalPictureProcess *process, const FalRgbImage *image, const Limit *limit, GError **error)
{
  g_autofree gchar *header = g_strdup_printf ("P6\n%u %u\n255\n", image->width, image->height);

  return write_all (process, header, strlen (header), limit, error) &&
         write_all (process, image->data, (gsize) image->width * image->height * 3, limit, error);
}

/* Four words, each with a white space behind it: the pixels begin right after the last. */
static gboolean
is_whole (const gchar *header)
{
  guint words = 0;

  for (const gchar *p = header; *p != '\0'; p++)
    if (g_ascii_isspace (*p) && p > header && !g_ascii_isspace (p[-1]))
      words++;
  return words == 4;
}

/* @kind: 5 or 6. */
static gboolean
read_header (FalPictureProcess *process, const Limit *limit, guint *kind, guint *width,
    guint *height, GError **error)
{
  gchar header[MAX_HEADER + 1] = "";
  guint levels;

  for (guint i = 0; i < MAX_HEADER && !is_whole (header); i++)
    if (!read_all (process, header + i, 1, limit, error))
      return FALSE;
  return (sscanf (header, "P%1u %6u %6u %3u", kind, width, height, &levels) == 4 &&
             (*kind == 5 || *kind == 6) && levels == 255) ||
         fail (error, "answered with what is neither P5 nor P6 of Netpbm with 255 levels");
}

static gboolean
read_rgb (FalPictureProcess *process, guint width, guint height, const Limit *limit,
    FalRgbImage **picture, GError **error)
{
  g_autoptr (FalRgbImage) image = fal_rgb_image_new (width, height);

  if (image == NULL)
    return fail (error, "answered with a picture of no possible size");
  if (!read_all (process, image->data, (gsize) width * height * 3, limit, error))
    return FALSE;
  *picture = g_steal_pointer (&image);
  return TRUE;
}

static gboolean
read_grey (FalPictureProcess *process, guint width, guint height, const Limit *limit,
    FalMatte **matte, GError **error)
{
  g_autoptr (FalMatte) grey = NULL;

  if (MAX (width, height) <= MAX_MATTE_SIDE)
    grey = fal_matte_new (width, height);
  if (grey == NULL)
    return fail (error, "answered with a matte of no possible size");
  if (!read_all (process, grey->data, (gsize) width * height, limit, error))
    return FALSE;
  *matte = g_steal_pointer (&grey);
  return TRUE;
}

gboolean
fal_picture_process_is_ready (FalPictureProcess *process)
{
  GPollFD fd = { .fd = process->output, .events = G_IO_IN };

  return process->early->len == 0 && g_poll (&fd, 1, 0) == 0;
}

gboolean
fal_picture_process_exchange (FalPictureProcess *process, const FalRgbImage *image, gint64 deadline,
    GCancellable *cancellable, FalRgbImage **picture, FalMatte **matte, GError **error)
{
  const Limit limit = { deadline, cancellable };
  guint kind, width, height;

  if (!write_picture (process, image, &limit, error) ||
      !read_header (process, &limit, &kind, &width, &height, error))
    return FALSE;
  if (kind == 6)
    return read_rgb (process, width, height, &limit, picture, error);
  return read_grey (process, width, height, &limit, matte, error);
}
