/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The program: fal-local-server, whose path is in FAL_LOCAL_SERVER, as a child of the test. */
#include "program.h"
#include "../element/fixture.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

struct _Program {
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
program_start (Program *program)
{
  g_autofree gchar *port = g_strdup_printf ("%u", program->port);
  gchar *arguments[] = { (gchar *) g_getenv ("FAL_LOCAL_SERVER"), (gchar *) "--effect",
    (gchar *) "echo", (gchar *) "--port", port, NULL };
  g_autofree gchar *line = NULL;
  g_autoptr (GError) error = NULL;
  gint output;

  g_assert_cmpint (program->pid, ==, 0);
  g_spawn_async_with_pipes (NULL, arguments, NULL, G_SPAWN_DO_NOT_REAP_CHILD, tie_to_parent, NULL,
      &program->pid, NULL, &output, NULL, &error);
  g_assert_no_error (error);
  line = read_line (output);
  close (output);
  if (sscanf (line, "listening on ws://127.0.0.1:%u", &program->port) != 1)
    g_error ("the local server says \"%s\"", line);
}

void
program_kill (Program *program)
{
  kill (program->pid, SIGKILL);
  g_assert_cmpint (waitpid (program->pid, NULL, 0), ==, program->pid);
  g_spawn_close_pid (program->pid);
  program->pid = 0;
}

void
program_freeze (Program *program)
{
  gint status;

  kill (program->pid, SIGSTOP);
  g_assert_cmpint (waitpid (program->pid, &status, WUNTRACED), ==, program->pid);
  g_assert_true (WIFSTOPPED (status));
}

void
program_thaw (Program *program)
{
  kill (program->pid, SIGCONT);
}

Program *
program_new (void)
{
  Program *program = g_new0 (Program, 1);

  program_start (program);
  return program;
}

void
program_free (Program *program)
{
  if (program->pid)
    program_kill (program);
  g_free (program);
}

guint
program_get_port (Program *program)
{
  return program->port;
}
