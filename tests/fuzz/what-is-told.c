/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looks at text. The log comes on any thread, the rest on the caller's. */
#include "what-is-told.h"

#include "fal/wire/visible-text.h"

#include <string.h>

static void
expect_no_secret (const gchar *text, const gchar *where)
{
  static const gchar *const secrets[] = { TOLD_TOKEN, TOLD_KEY, "planted-key-secret" };

  for (guint i = 0; i < G_N_ELEMENTS (secrets); i++)
    if (strstr (text, secrets[i]))
      g_error ("a secret stands in %s: %s", where, text);
}

/* @text is ours, but for what peers wrote, and may have line ends of ours alone. */
static void
check_lines (const gchar *text, const gchar *where)
{
  g_auto (GStrv) lines = NULL;

  if (text == NULL)
    return;
  expect_no_secret (text, where);
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i]; i++)
    if (!fal_text_is_visible (lines[i]))
      g_error ("in %s stands raw text: %s", where, lines[i]);
}

static void
check_text (const gchar *text, const gchar *where)
{
  if (text && strchr (text, '\n'))
    g_error ("%s has a line end: %s", where, text);
  check_lines (text, where);
}

/* ---- the log ---- */

static void
look_at_line (GstDebugCategory *category, GstDebugLevel level, const gchar *file,
    const gchar *function, gint line, GObject *object, GstDebugMessage *message, gpointer data)
{
  check_text (gst_debug_message_get (message), "the log");
}

void
told_watch_log (void)
{
  gst_debug_remove_log_function (gst_debug_log_default);
  gst_debug_add_log_function (look_at_line, NULL, NULL);
  gst_debug_set_active (TRUE);
  gst_debug_set_default_threshold (GST_LEVEL_NONE);
  gst_debug_set_threshold_for_name ("falrealtimefilter", GST_LEVEL_MEMDUMP);
}

/* ---- messages ---- */

static gboolean
check_detail (GQuark name, const GValue *value, gpointer data)
{
  if (G_VALUE_HOLDS_STRING (value))
    check_text (g_value_get_string (value), g_quark_to_string (name));
  return TRUE;
}

static void
check_details (const GstStructure *details, ToldCounts *counts)
{
  if (details)
    gst_structure_foreach (details, check_detail, NULL);
  if (details && gst_structure_has_field_typed (details, "retryable", G_TYPE_BOOLEAN))
    counts->outages++;
  else
    counts->remarks++;
}

/* The element tells a WARNING of an outage with whether it is tried again, an ERROR may say so,
 * too. */
static void
check_trouble (GstMessage *message, ToldCounts *counts)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *debug = NULL;
  const GstStructure *details = NULL;
  ToldCounts ignored = { 0 };

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error (message, &error, &debug);
    gst_message_parse_error_details (message, &details);
    check_details (details, &ignored);
    counts->errors++;
  } else {
    gst_message_parse_warning (message, &error, &debug);
    gst_message_parse_warning_details (message, &details);
    check_details (details, counts);
  }
  check_text (error->message, "a message");
  check_lines (debug, "a message's debug text");
}

static void
check_advice (GstMessage *message)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *debug = NULL;

  gst_message_parse_info (message, &error, &debug);
  check_text (error->message, "an INFO");
  check_lines (debug, "an INFO's debug text");
}

static void
check_progress (GstMessage *message)
{
  g_autofree gchar *code = NULL;
  g_autofree gchar *text = NULL;

  gst_message_parse_progress (message, NULL, &code, &text);
  check_text (code, "a PROGRESS message's code");
  check_text (text, "a PROGRESS message");
}

/* The fields of a result are data, and stay as they came. */
static void
check_others (GstMessage *message)
{
  const GstStructure *structure = gst_message_get_structure (message);
  g_autofree gchar *text = structure ? gst_structure_to_string (structure) : NULL;

  if (text && !gst_message_has_name (message, "fal-result"))
    check_text (text, "a message's structure");
}

static void
take_message (GstMessage *message, ToldCounts *counts)
{
  switch (GST_MESSAGE_TYPE (message)) {
  case GST_MESSAGE_ERROR:
  case GST_MESSAGE_WARNING:
    check_trouble (message, counts);
    break;
  case GST_MESSAGE_INFO:
    check_advice (message);
    counts->others++;
    break;
  case GST_MESSAGE_PROGRESS:
    check_progress (message);
    counts->others++;
    break;
  default:
    check_others (message);
    counts->others++;
  }
  gst_message_unref (message);
}

void
told_take_messages (GstBus *bus, GstClockTime patience, ToldCounts *counts)
{
  GstMessage *message;

  while ((message = gst_bus_timed_pop (bus, patience))) {
    take_message (message, counts);
    patience = 0;
  }
}

/* ---- dot files ---- */

void
told_check_dot (GstBin *bin)
{
  g_autofree gchar *dot = gst_debug_bin_to_dot_data (bin, GST_DEBUG_GRAPH_SHOW_VERBOSE);

  check_lines (dot, "a dot file");
}
