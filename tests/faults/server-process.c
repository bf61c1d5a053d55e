/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fal-local-server, whose path is in FAL_LOCAL_SERVER, as a child of the test. */
#include "server-process.h"
#include "../element/fixture.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

struct _ServerProcess {
  GPid pid; /* 0: it does not run */
  guint port;
};

/* A test that ends at once leaves nothing behind. In the child, before it becomes the program. */
static void
tie_to_parent (gpointer data)
{
#ifdef __linux__
  prctl (PR_SET_PDEATHSIG, SIGKILL);
#endif
}

/* The first line that the program writes. */
static gchar *
read_line (gint fd)
{
  GString *line = g_string_new (NULL);
  GPollFD ready = { fd, G_IO_IN };
  gchar c;

  while (g_poll (&ready, 1, WATCHDOG_SECONDS * 1000) > 0 && read (fd, &c, 1) == 1 && c != '\n')
    g_string_append_c (line, c);
  return g_string_free (line, FALSE);
}

void
server_process_start (ServerProcess *process)
{
  g_autofree gchar *port = g_strdup_printf ("%u", process->port);
  gchar *arguments[] = { (gchar *) g_getenv ("FAL_LOCAL_SERVER"), (gchar *) "--effect",
    (gchar *) "echo", (gchar *) "--port", port, NULL };
  g_autofree gchar *line = NULL;
  g_autoptr (GError) error = NULL;
  gint output;

  g_assert_cmpint (process->pid, ==, 0);
  g_spawn_async_with_pipes (NULL, arguments, NULL, G_SPAWN_DO_NOT_REAP_CHILD, tie_to_parent, NULL,
      &process->pid, NULL, &output, NULL, &error);
  g_assert_no_error (error);
  line = read_line (output);
  close (output);
  if (sscanf (line, "listening on ws://127.0.0.1:%u", &process->port) != 1)
    g_error ("the local server says \"%s\"", line);
}

void
server_process_kill (ServerProcess *process)
{
  kill (process->pid, SIGKILL);
  g_assert_cmpint (waitpid (process->pid, NULL, 0), ==, process->pid);
  g_spawn_close_pid (process->pid);
  process->pid = 0;
}

void
server_process_freeze (ServerProcess *process)
{
  gint status;

  kill (process->pid, SIGSTOP);
  g_assert_cmpint (waitpid (process->pid, &status, WUNTRACED), ==, process->pid);
  g_assert_true (WIFSTOPPED (status));
}

void
server_process_thaw (ServerProcess *process)
{
  kill (process->pid, SIGCONT);
}

ServerProcess *
server_process_new (void)
{
  ServerProcess *process = g_new0 (ServerProcess, 1);

  server_process_start (process);
  return process;
}

void
server_process_free (ServerProcess *process)
{
  if (process->pid)
    server_process_kill (process);
  g_free (process);
}

guint
server_process_get_port (ServerProcess *process)
{
  return process->port;
}
