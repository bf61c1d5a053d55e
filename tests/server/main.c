/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fal-local-server: the local server as a program, until SIGINT or SIGTERM. Main thread. */
#include "server.h"
#include "model.h"
#include "request-log.h"
#include <glib-unix.h>
#include <locale.h>
#include <stdio.h>

typedef struct {
  gchar *effect_command;
  gint effect_timeout_ms;
  gint slowness, most_connections;
  gint port, delay_ms, jitter_percent, buffering, session_timeout_ms, results, ready_delay_ms;
  gchar *effect, *schema, *token, *api_key, *tls_certificate, *tls_key, *result_url;
  gboolean no_echo_request_id, timings, deflate, end_after_results, refuse_unknown, print_requests;
} Arguments;

static void
arguments_clear (Arguments *arguments)
{
  g_free (arguments->effect);
  g_free (arguments->effect_command);
  g_free (arguments->schema);
  g_free (arguments->token);
  g_free (arguments->api_key);
  g_free (arguments->tls_certificate);
  g_free (arguments->tls_key);
  g_free (arguments->result_url);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Arguments, arguments_clear)

static gboolean
parse (Arguments *to, gint *argc, gchar ***argv, GError **error)
{
  g_autofree gchar *effects = fal_model_dup_effect_names (), *schemas = fal_schema_dup_names ();
  const GOptionEntry entries[] = { { "port", 0, 0, G_OPTION_ARG_INT, &to->port,
                                       "Port on 127.0.0.1; 0: any", "N" },
    { "effect", 0, 0, G_OPTION_ARG_STRING, &to->effect, effects, "NAME" },
    { "effect-command", 0, 0, G_OPTION_ARG_STRING, &to->effect_command,
        "A program in its place: answers each P6 of Netpbm by a P6, or a P5 that is a matte",
        "COMMAND" },
    { "effect-timeout-ms", 0, 0, G_OPTION_ARG_INT, &to->effect_timeout_ms,
        "Time that it has for a picture; 0: 30 s", "N" },
    { "delay-ms", 0, 0, G_OPTION_ARG_INT, &to->delay_ms,
        "Model time for a result; each connection has a model to itself", "N" },
    { "slowness", 0, 0, G_OPTION_ARG_INT, &to->slowness,
        "The first connection's model takes so many times as long", "N" },
    { "most-connections", 0, 0, G_OPTION_ARG_INT, &to->most_connections,
        "Connections that are let in, others are refused (429); 0: all", "N" },
    { "jitter-percent", 0, 0, G_OPTION_ARG_INT, &to->jitter_percent,
        "By so much the model time varies either way, at most 100", "N" },
    { "buffering", 0, 0, G_OPTION_ARG_INT, &to->buffering,
        "Newest requests kept waiting, older ones are dropped silently; 0: all", "N" },
    { "session-timeout-ms", 0, 0, G_OPTION_ARG_INT, &to->session_timeout_ms,
        "Ends a session so long after its last input; 0: never", "N" },
    { "schema", 0, 0, G_OPTION_ARG_STRING, &to->schema, schemas, "NAME" },
    { "token", 0, 0, G_OPTION_ARG_STRING, &to->token, "Accept this token only", "T" },
    { "api-key", 0, 0, G_OPTION_ARG_STRING, &to->api_key,
        "Accept this key, and tokens requested with it", "K" },
    { "no-echo-request-id", 0, 0, G_OPTION_ARG_NONE, &to->no_echo_request_id,
        "Results without request_id", NULL },
    { "timings", 0, 0, G_OPTION_ARG_NONE, &to->timings,
        "A message with the inference time after each result", NULL },
    { "deflate", 0, 0, G_OPTION_ARG_NONE, &to->deflate,
        "Compresses for clients that offer to (permessage-deflate)", NULL },
    { "results", 0, 0, G_OPTION_ARG_INT, &to->results, "Results for each request", "N" },
    { "end-after-results", 0, 0, G_OPTION_ARG_NONE, &to->end_after_results,
        "Ends the session when the first request has its results", NULL },
    { "refuse-unknown", 0, 0, G_OPTION_ARG_NONE, &to->refuse_unknown,
        "Ends a session over a field that the schema does not know", NULL },
    { "ready-delay-ms", 0, 0, G_OPTION_ARG_INT, &to->ready_delay_ms,
        "Time before the app says that it is ready, where it does", "N" },
    { "print-requests", 0, 0, G_OPTION_ARG_NONE, &to->print_requests,
        "A line for each request: its fields, without pictures", NULL },
    { "result-url", 0, 0, G_OPTION_ARG_STRING, &to->result_url,
        "Results link there in place of a picture", "URL" },
    { "tls-certificate", 0, 0, G_OPTION_ARG_FILENAME, &to->tls_certificate,
        "PEM file: speaks wss and https", "FILE" },
    { "tls-key", 0, 0, G_OPTION_ARG_FILENAME, &to->tls_key, "PEM file of the certificate's key",
        "FILE" },
    { NULL } };
  g_autoptr (GOptionContext) context =
      g_option_context_new ("- a server that speaks fal's realtime protocol on loopback");

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;
  if (*argc == 1 && to->port >= 0 && to->port <= G_MAXUINT16 && to->delay_ms >= 0 &&
      to->jitter_percent >= 0 && to->jitter_percent <= 100 && to->buffering >= 0 &&
      to->slowness >= 0 && to->most_connections >= 0 && to->session_timeout_ms >= 0 &&
      to->results >= 0 && to->ready_delay_ms >= 0 && to->effect_timeout_ms >= 0)
    return TRUE;
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
      "Numbers must not be negative, a port at most %u, a jitter 100, and nothing stands beside "
      "the options",
      G_MAXUINT16);
  return FALSE;
}

static FalServer *
start (const Arguments *from, GError **error)
{
  const FalServerOptions options = { .port = from->port,
    .effect = from->effect,
    .effect_command = from->effect_command,
    .effect_timeout_ms = from->effect_timeout_ms,
    .delay_ms = from->delay_ms,
    .slowness = from->slowness,
    .most_connections = from->most_connections,
    .jitter_percent = from->jitter_percent,
    .buffering = from->buffering,
    .session_timeout_ms = from->session_timeout_ms,
    .schema = from->schema,
    .token = from->token,
    .api_key = from->api_key,
    .no_echo_request_id = from->no_echo_request_id,
    .timings = from->timings,
    .deflate = from->deflate,
    .results = from->results,
    .end_after_results = from->end_after_results,
    .refuse_unknown = from->refuse_unknown,
    .ready_delay_ms = from->ready_delay_ms,
    .result_url = from->result_url,
    .tls_certificate = from->tls_certificate,
    .tls_key = from->tls_key,
    .forget_requests = !from->print_requests };

  return fal_server_new (&options, error);
}

static gboolean
on_signal (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_CONTINUE;
}

int
main (int argc, char **argv)
{
  g_auto (Arguments) arguments = { 0 };
  g_autoptr (GMainLoop) loop = NULL;
  g_autoptr (FalServer) server = NULL;
  g_autoptr (FalRequestLog) log = NULL; /* freed before the server */
  g_autoptr (GError) error = NULL;

  setlocale (LC_ALL, "");
  gst_init (NULL, NULL);
  if (parse (&arguments, &argc, &argv, &error))
    server = start (&arguments, &error);
  if (server == NULL) {
    g_printerr ("fal-local-server: %s\n", error->message);
    return 1;
  }
  loop = g_main_loop_new (NULL, FALSE);
  g_unix_signal_add (SIGINT, on_signal, loop);
  g_unix_signal_add (SIGTERM, on_signal, loop);
  /* Whoever started this reads the first line to learn the address. */
  g_print ("listening on %s\n", fal_server_get_uri (server));
  fflush (stdout);
  if (arguments.print_requests)
    log = fal_request_log_new (server);
  g_main_loop_run (loop);
  return 0;
}
