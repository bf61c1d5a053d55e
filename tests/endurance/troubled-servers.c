/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "troubled-servers.h"

#include <stdio.h>
#include <sys/wait.h>

struct _TroubledServers {
  GPid pid;
  FILE *orders; /* to its standard input; closed, it ends */
  GPtrArray *uris;
};

static GPtrArray *
make_arguments (const gchar *const *models, guint n)
{
  GPtrArray *arguments = g_ptr_array_new_with_free_func (g_free);

  g_ptr_array_add (arguments, g_strdup (g_getenv ("FAL_TROUBLED_SERVER")));
  for (guint i = 0; i < n; i++)
    g_ptr_array_add (arguments, g_strdup (models[i]));
  g_ptr_array_add (arguments, NULL);
  return arguments;
}

static void
read_uris (TroubledServers *servers, gint output, guint n)
{
  FILE *uris = fdopen (output, "r");
  gchar uri[64];

  for (guint i = 0; i < n && fscanf (uris, "%63s", uri) == 1; i++)
    g_ptr_array_add (servers->uris, g_strdup (uri));
  g_assert_cmpuint (servers->uris->len, ==, n);
  fclose (uris);
}

TroubledServers *
troubled_servers_new (const gchar *const *models, guint n)
{
  TroubledServers *servers = g_new0 (TroubledServers, 1);
  g_autoptr (GPtrArray) arguments = make_arguments (models, n);
  g_autoptr (GError) error = NULL;
  gint input, output;

  servers->uris = g_ptr_array_new_with_free_func (g_free);
  g_spawn_async_with_pipes (NULL, (gchar **) arguments->pdata, NULL, G_SPAWN_DO_NOT_REAP_CHILD,
      NULL, NULL, &servers->pid, &input, &output, NULL, &error);
  g_assert_no_error (error);
  servers->orders = fdopen (input, "w");
  read_uris (servers, output, n);
  return servers;
}

void
troubled_servers_free (TroubledServers *servers)
{
  gint status;

  fclose (servers->orders);
  g_assert_cmpint (waitpid (servers->pid, &status, 0), ==, servers->pid);
  g_assert_cmpint (status, ==, 0);
  g_ptr_array_unref (servers->uris);
  g_free (servers);
}

const gchar *
troubled_servers_get_uri (TroubledServers *servers, guint server)
{
  return g_ptr_array_index (servers->uris, server);
}

void
troubled_servers_tell (
    TroubledServers *servers, guint server, const gchar *trouble, const gchar *value)
{
  fprintf (servers->orders, "%u %s %s\n", server, trouble, value);
  g_assert_cmpint (fflush (servers->orders), ==, 0);
}
