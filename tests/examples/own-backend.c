/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An application that has no key: a server of one's own has it (backend.py is a small one), and
 * gives a token, which holds for one app and for two minutes. */
#include "player.h"
#include <libsoup/soup.h>
#include <string.h>

static gchar *backend; /* its address; stays, since a question may outlive the pipeline */

/* Called for each connection, on a thread of its own: so it may take its time. What is returned is
 * freed by the element; NULL ends the attempt. */
static gchar *
request_token (GstElement *fal, const gchar *endpoint, gpointer data)
{
  g_autoptr (SoupSession) session = soup_session_new_with_options ("timeout", 10, NULL);
  g_autoptr (SoupMessage) message = soup_message_new ("POST", backend);
  g_autoptr (GBytes) question = g_bytes_new (endpoint, strlen (endpoint));
  g_autoptr (GBytes) answer = NULL;
  g_autoptr (GError) error = NULL;

  if (message == NULL) {
    g_printerr ("%s is no address\n", backend);
    return NULL;
  }
  /* Whoever is logged in with the backend would say so here, too. */
  soup_message_set_request_body_from_bytes (message, "text/plain", question);
  answer = soup_session_send_and_read (session, message, NULL, &error);
  if (answer == NULL || soup_message_get_status (message) != SOUP_STATUS_OK) {
    g_printerr ("no token from %s: %s\n", backend,
        error ? error->message : soup_message_get_reason_phrase (message));
    return NULL;
  }
  return g_strndup (g_bytes_get_data (answer, NULL), g_bytes_get_size (answer));
}

int
main (int argc, char **argv)
{
  const GOptionEntry entries[] = {
    { "backend", 0, 0, G_OPTION_ARG_STRING, &backend,
        "Where tokens are given (http://127.0.0.1:8091/token)", "URL" },
    { NULL },
  };
  GstElement *pipeline =
      player_new_pipeline (argc, argv, "Plays with tokens of a backend of one's own.", entries);
  g_autoptr (GstElement) fal = NULL;

  if (pipeline == NULL)
    return 2;
  if (backend == NULL)
    backend = g_strdup ("http://127.0.0.1:8091/token");
  fal = gst_bin_get_by_name (GST_BIN (pipeline), "fal");
  gst_util_set_object_arg (G_OBJECT (fal), "auth", "token");
  g_signal_connect (fal, "request-token", G_CALLBACK (request_token), NULL);
  return player_run (pipeline);
}
