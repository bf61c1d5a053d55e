/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bench-relayed-server: the local server behind the relay, as a program of its own, so that what it
 * costs is nobody else's. Prints where it listens; "delay N" on its standard input changes the
 * model's time, the end of the input ends it. Its log has a line for each message that passed at
 * the client's end: up or down, the request id, when its first and its last byte passed (monotonic
 * µs), its size; one for a change of the model's time; and at the end one for how many inferences
 * took how long, µs. */
#include "relay.h"
#include "server.h"
#include "wiretap.h"
#include <locale.h>
#include <stdio.h>
#include <string.h>

typedef struct {
  gint delay_ms, jitter_percent, buffering, round_trip_ms, way_jitter_ms, uplink;
  gchar *log;
} Arguments;

/* Of the one connection; relay's thread. */
typedef struct {
  FILE *log;
  Wiretap *taps[2]; /* down, up */
} Recorder;

static void
write_line (FILE *log, const gchar *way, const WiretapMessage *message)
{
  fprintf (log, "%s,%s,%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT ",%" G_GSIZE_FORMAT "\n", way,
      message->id, message->first, message->last, message->size);
}

static void
on_up (gpointer log, const WiretapMessage *message)
{
  write_line (log, "up", message);
}

static void
on_down (gpointer log, const WiretapMessage *message)
{
  write_line (log, "down", message);
}

static void
on_bytes (gpointer user, guint connection, gboolean up, const guint8 *data, gsize size, gint64 time)
{
  Recorder *recorder = user;

  if (connection == 1)
    wiretap_feed (recorder->taps[up], data, size, time);
}

static gboolean
parse (Arguments *to, gint *argc, gchar ***argv, GError **error)
{
  const GOptionEntry entries[] = { { "delay-ms", 0, 0, G_OPTION_ARG_INT, &to->delay_ms,
                                       "Model time for a result", "N" },
    { "jitter-percent", 0, 0, G_OPTION_ARG_INT, &to->jitter_percent, "Of it, either way", "N" },
    { "buffering", 0, 0, G_OPTION_ARG_INT, &to->buffering, "Requests kept waiting; 0: all", "N" },
    { "round-trip-ms", 0, 0, G_OPTION_ARG_INT, &to->round_trip_ms, "Of the way", "N" },
    { "way-jitter-ms", 0, 0, G_OPTION_ARG_INT, &to->way_jitter_ms, "Of it, either way", "N" },
    { "uplink", 0, 0, G_OPTION_ARG_INT, &to->uplink, "Bits a second; 0: no limit", "N" },
    { "log", 0, 0, G_OPTION_ARG_FILENAME, &to->log, "Where the messages are listed", "FILE" },
    { NULL } };
  g_autoptr (GOptionContext) context = g_option_context_new ("- the way to a model and back");

  g_option_context_add_main_entries (context, entries, NULL);
  return g_option_context_parse (context, argc, argv, error);
}

static void
obey (FalServer *server, FILE *log)
{
  gchar line[80];
  guint delay;

  while (fgets (line, sizeof line, stdin) != NULL) {
    if (sscanf (line, "delay %u", &delay) != 1)
      continue;
    fal_server_set_delay (server, delay);
    fprintf (log, "delay,%u,%" G_GINT64_FORMAT ",0,0\n", delay, g_get_monotonic_time ());
  }
}

static void
run (FalServer *server, const Arguments *arguments, FILE *log)
{
  Recorder recorder = { log, { wiretap_new (on_down, log), wiretap_new (on_up, log) } };
  FalRelay *relay =
      fal_relay_new (&(FalRelayOptions) { .target = fal_server_get_uri (server) + strlen ("ws://"),
          .round_trip_ms = arguments->round_trip_ms,
          .jitter_ms = arguments->way_jitter_ms / 2, /* half of it each way */
          .up_rate = arguments->uplink,
          .tap = on_bytes,
          .user = &recorder });

  printf ("listening on ws://127.0.0.1:%u\n", fal_relay_get_port (relay));
  fflush (stdout);
  obey (server, log);
  fprintf (log, "model,%u,%u,0,0\n", fal_server_get_inferences (server),
      fal_server_get_model_time (server));
  fal_relay_free (relay);
  wiretap_free (recorder.taps[0]);
  wiretap_free (recorder.taps[1]);
}

int
main (int argc, char **argv)
{
  Arguments arguments = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (FalServer) server = NULL;
  FILE *log = NULL;

  setlocale (LC_ALL, "");
  gst_init (NULL, NULL);
  if (parse (&arguments, &argc, &argv, &error))
    server = fal_server_new (&(FalServerOptions){ .effect = "echo",
                                 .delay_ms = arguments.delay_ms,
                                 .jitter_percent = arguments.jitter_percent,
                                 .buffering = arguments.buffering,
                                 .forget_requests = TRUE },
        &error);
  if (server == NULL) {
    fprintf (stderr, "bench-relayed-server: %s\n", error->message);
    return 1;
  }
  log = fopen (arguments.log ? arguments.log : "/dev/null", "w");
  if (log == NULL) {
    fprintf (stderr, "bench-relayed-server: cannot write %s\n", arguments.log);
    return 1;
  }
  run (server, &arguments, log);
  fclose (log);
  g_free (arguments.log);
  return 0;
}
