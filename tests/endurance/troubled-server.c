/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* troubled-server MODEL…: a local server for each, behind a relay: "120" is one whose model takes
 * 120 ms, and "120,tls" one that speaks TLS, too. Prints the relays' addresses in a line, then does
 * what lines of its standard input say, each "SERVER TROUBLE VALUE", the servers counted from 0. It
 * ends with its input.
 *
 * A program of its own, so that what libsoup's server keeps does not count as memory of those who
 * are tested. */
#include "../server/relay.h"
#include "../server/server.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  FalServer *server;
  FalRelay *relay;
  guint model_ms;
} Troubled;

/* ---- troubles ---- */

static void
set_delay (Troubled *t, guint ms)
{
  fal_server_set_delay (t->server, ms);
}

/* Requests are swallowed. */
static void
set_mute (Troubled *t, guint mute)
{
  fal_server_set_mute (t->server, mute);
}

static void
set_refusal (Troubled *t, guint status)
{
  fal_server_set_refusal (t->server, status);
}

/* {"images": [{"content": …}]}, with the beginning of a JPEG that has no more to it. */
static void
set_broken (Troubled *t, guint broken)
{
  static const gchar message[] = "\x81\xa6images\x91\x81\xa7"
                                 "content\xc4\x0c\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01";
  g_autoptr (GBytes) bytes = broken ? g_bytes_new_static (message, sizeof message - 1) : NULL;

  fal_server_set_answer (t->server, bytes, FALSE);
}

static void
send_error (Troubled *t, guint value)
{
  static const gchar text[] =
      "{\"type\":\"x-fal-error\",\"error\":\"INTERNAL_ERROR\",\"reason\":\"out of memory\"}";
  g_autoptr (GBytes) bytes = g_bytes_new_static (text, sizeof text - 1);

  fal_server_send (t->server, bytes, TRUE);
  fal_server_close (t->server, 1000, "");
}

static void
close_all (Troubled *t, guint code)
{
  fal_server_close (t->server, code, "");
}

static void
set_round_trip (Troubled *t, guint ms)
{
  fal_relay_set_round_trip (t->relay, ms, ms / 4);
}

static void
set_stalled (Troubled *t, guint stalled)
{
  fal_relay_set_stalled (t->relay, stalled);
}

static void
cut (Troubled *t, guint reset)
{
  fal_relay_cut (t->relay, reset);
}

static void
calm_down (Troubled *t, guint value)
{
  set_delay (t, t->model_ms);
  set_mute (t, FALSE);
  set_refusal (t, 0);
  set_broken (t, FALSE);
  set_round_trip (t, 0);
  set_stalled (t, FALSE);
}

static const struct {
  const gchar *name;
  void (*begin) (Troubled *t, guint value);
} troubles[] = {
  { "delay", set_delay },
  { "mute", set_mute },
  { "refuse", set_refusal },
  { "broken", set_broken },
  { "error", send_error },
  { "close", close_all },
  { "round-trip", set_round_trip },
  { "stall", set_stalled },
  { "cut", cut },
  { "calm", calm_down },
};

static gboolean
obey (Troubled *all, guint n, const gchar *line)
{
  gchar name[16];
  guint server, value;

  if (sscanf (line, "%u %15s %u", &server, name, &value) != 3 || server >= n)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (troubles); i++)
    if (g_str_equal (troubles[i].name, name)) {
      troubles[i].begin (&all[server], value);
      return TRUE;
    }
  return FALSE;
}

/* ---- life ---- */

static void
start (Troubled *t, const gchar *model)
{
  const gchar *data = g_getenv ("FAL_TEST_DATA");
  gboolean tls = g_str_has_suffix (model, ",tls");
  g_autofree gchar *certificate = tls ? g_build_filename (data, "tls", "server.pem", NULL) : NULL;
  g_autofree gchar *key = tls ? g_build_filename (data, "tls", "server.key", NULL) : NULL;
  const FalServerOptions options = { .effect = "echo",
    .delay_ms = atoi (model),
    .forget_requests = TRUE,
    .tls_certificate = certificate,
    .tls_key = key };
  FalRelayOptions way = { 0 };
  g_autoptr (GError) error = NULL;

  t->model_ms = atoi (model);
  t->server = fal_server_new (&options, &error);
  if (t->server == NULL)
    g_error ("%s", error->message);
  way.target = strstr (fal_server_get_uri (t->server), "//") + strlen ("//");
  t->relay = fal_relay_new (&way);
  printf ("%s://127.0.0.1:%u ", tls ? "wss" : "ws", fal_relay_get_port (t->relay));
}

static void
stop (Troubled *t)
{
  fal_relay_free (t->relay);
  fal_server_free (t->server);
}

int
main (int argc, char **argv)
{
  guint n = argc - 1;
  g_autofree Troubled *all = g_new0 (Troubled, n);
  gchar line[64];
  int status = 0;

  gst_init (NULL, NULL);
  for (guint i = 0; i < n; i++)
    start (&all[i], argv[1 + i]);
  printf ("\n");
  fflush (stdout);
  while (status == 0 && fgets (line, sizeof line, stdin) != NULL)
    if (!obey (all, n, line)) {
      fprintf (stderr, "troubled-server: not understood: %s", line);
      status = 2;
    }
  for (guint i = 0; i < n; i++)
    stop (&all[i]);
  return status;
}
