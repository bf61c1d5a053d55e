/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "request-log.h"
#include "fal/wire/value-json.h"
#include <stdio.h>
#include <string.h>

#define PERIOD_MS 100       /* after which the thread looks whether it is to end */
#define LONGEST_FIELD 10000 /* bytes of text; a longer one is a picture */

struct _FalRequestLog {
  FalServer *server;
  GThread *thread;
  gint ended; /* atomic */
};

static gboolean
is_no_picture (GQuark field, GValue *value, gpointer user)
{
  const gchar *text = G_VALUE_HOLDS_STRING (value) ? g_value_get_string (value) : NULL;

  return !G_VALUE_HOLDS (value, G_TYPE_BYTES) && (text == NULL || strlen (text) <= LONGEST_FIELD);
}

static void
write_line (GstStructure *request)
{
  g_autofree gchar *json = NULL;

  gst_structure_filter_and_map_in_place (request, is_no_picture, NULL);
  json = fal_value_to_json (request, NULL);
  g_print ("request %s\n", json != NULL ? json : "{}");
  fflush (stdout); /* whoever reads this through a pipe has it at once */
}

static gpointer
write_lines (gpointer user)
{
  FalRequestLog *log = user;

  while (!g_atomic_int_get (&log->ended)) {
    GstStructure *request = fal_server_pop_request (log->server, PERIOD_MS);

    if (request == NULL)
      continue;
    write_line (request);
    gst_structure_free (request);
  }
  return NULL;
}

FalRequestLog *
fal_request_log_new (FalServer *server)
{
  FalRequestLog *log = g_new0 (FalRequestLog, 1);

  log->server = server;
  log->thread = g_thread_new ("request-log", write_lines, log);
  return log;
}

void
fal_request_log_free (FalRequestLog *log)
{
  g_atomic_int_set (&log->ended, TRUE);
  g_thread_join (log->thread);
  g_free (log);
}
