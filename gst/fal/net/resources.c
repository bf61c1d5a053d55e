/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Takes what a connection may need, and gives it back. */
#include "resources.h"

#include <glib-unix.h>
#include <unistd.h>

/* Pairs: the socket, a context, a handshake's cancellable, files of certificates, and one to spare.
 */
#define PAIRS 4

static gboolean
check_descriptors (GError **error)
{
  gint fds[PAIRS][2];
  guint n = 0;

  while (n < PAIRS && g_unix_open_pipe (fds[n], FD_CLOEXEC, NULL))
    n++;
  for (guint i = 0; i < n; i++) {
    close (fds[i][0]);
    close (fds[i][1]);
  }
  if (n == PAIRS)
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES,
      "the process has no file descriptors left for a connection");
  return FALSE;
}

static gpointer
do_nothing (gpointer data)
{
  return NULL;
}

static gboolean
check_thread (GError **error)
{
  GThread *thread = g_thread_try_new ("fal-check", do_nothing, NULL, NULL);

  if (thread == NULL) {
    g_set_error_literal (
        error, G_THREAD_ERROR, G_THREAD_ERROR_AGAIN, "no thread could be started for a connection");
    return FALSE;
  }
  g_thread_join (thread);
  return TRUE;
}

gboolean
fal_resources_check (GError **error)
{
  return check_descriptors (error) && check_thread (error);
}

FalFault
fal_resources_get_fault (const GError *error)
{
  return (FalFault) { FAL_FAULT_NETWORK,
    error->domain == G_THREAD_ERROR ? FAL_NETWORK_FAULT_THREADS : FAL_NETWORK_FAULT_DESCRIPTORS };
}
