/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The peers of a tortured element, in a process of their own: the local server and, where they are
 * asked for, a proxy and a host of pictures. Prints a line of their addresses, then waits for the
 * end of its input. A SIGUSR1 cuts the connections that are open. */
#include "../../server/picture-host.h"
#include "../../server/proxy.h"
#include "../../server/server.h"
#include "../../unit/net/fake-resolver.h"

#include <glib-unix.h>
#include <stdio.h>
#include <string.h>

typedef struct {
  gchar *schema, *effect, *api_key;
  gboolean tls, proxy, pictures;
} Wishes;

static gboolean
parse (Wishes *wishes, gint *argc, gchar ***argv, GError **error)
{
  const GOptionEntry entries[] = { { "schema", 0, 0, G_OPTION_ARG_STRING, &wishes->schema,
                                       "The app's", "NAME" },
    { "effect", 0, 0, G_OPTION_ARG_STRING, &wishes->effect, "The model's", "NAME" },
    { "api-key", 0, 0, G_OPTION_ARG_STRING, &wishes->api_key, "The only one accepted", "KEY" },
    { "tls", 0, 0, G_OPTION_ARG_NONE, &wishes->tls, "The server speaks wss", NULL },
    { "proxy", 0, 0, G_OPTION_ARG_NONE, &wishes->proxy, "There is a proxy", NULL },
    { "pictures", 0, 0, G_OPTION_ARG_NONE, &wishes->pictures,
        "Results are links to a host that the proxy leads to", NULL },
    { NULL } };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_add_main_entries (context, entries, NULL);
  return g_option_context_parse (context, argc, argv, error);
}

static gchar *
tls_file (const gchar *name)
{
  return g_build_filename (g_getenv ("FAL_TEST_DATA"), "tls", name, NULL);
}

static gboolean
on_cut (gpointer server)
{
  fal_server_close (server, 0, NULL);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_input (gint fd, GIOCondition condition, gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

int
main (int argc, char **argv)
{
  Wishes wishes = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GResolver) resolver = NULL;
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autofree gchar *certificate = tls_file ("server.pem");
  g_autofree gchar *key = tls_file ("server.key");
  g_autofree gchar *link = NULL;
  const FalPictureHostOptions host = { .tls_certificate = certificate, .tls_key = key };
  const FalProxyOptions everywhere = { .anywhere = TRUE };
  FalServerOptions options = { .forget_requests = TRUE };
  FalPictureHost *pictures = NULL;
  FalProxy *proxy = NULL;
  FalServer *server;

  gst_init (NULL, NULL);
  if (!parse (&wishes, &argc, &argv, &error))
    g_error ("%s", error->message);
  /* Whatever the name, it is here: so the proxy finds the host of pictures, which has a public
   * name. */
  resolver = G_RESOLVER (fake_resolver_new ());
  g_resolver_set_default (resolver);
  if (wishes.pictures) {
    pictures = fal_picture_host_new (&host, &error);
    g_assert_no_error (error);
    link = g_strdup_printf ("https://v3.fal.media:%u/ok.jpg", fal_picture_host_get_port (pictures));
  }
  if (wishes.proxy || wishes.pictures)
    proxy = fal_proxy_new (&everywhere);
  options.schema = wishes.schema;
  options.effect = wishes.effect ? wishes.effect : "echo";
  options.api_key = wishes.api_key;
  options.result_url = link;
  options.tls_certificate = wishes.tls ? certificate : NULL;
  options.tls_key = wishes.tls ? key : NULL;
  server = fal_server_new (&options, &error);
  g_assert_no_error (error);
  g_unix_signal_add (SIGUSR1, on_cut, server);
  g_unix_fd_add (0, G_IO_IN | G_IO_HUP | G_IO_ERR, on_input, loop);
  g_print ("%s %s %u\n", fal_server_get_uri (server), proxy ? fal_proxy_get_uri (proxy) : "-",
      pictures ? fal_picture_host_get_port (pictures) : 0);
  fflush (stdout);
  g_main_loop_run (loop);
  fal_server_free (server);
  g_clear_pointer (&proxy, fal_proxy_free);
  g_clear_pointer (&pictures, fal_picture_host_free);
  g_free (wishes.schema);
  g_free (wishes.effect);
  g_free (wishes.api_key);
  return 0;
}
