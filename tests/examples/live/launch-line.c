/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The launch line: words, and how a value is quoted for the shell and for GStreamer. */
#include "launch-line.h"
#include <string.h>

static gboolean
consists_of (const gchar *text, const gchar *others)
{
  for (; *text != '\0'; text++)
    if (!g_ascii_isalnum (*text) && strchr (others, *text) == NULL)
      return FALSE;
  return TRUE;
}

/* What begins with a quote GStreamer would take for text in quotes, so it gets some. */
static gchar *
serialize (const gchar *text)
{
  g_auto (GValue) value = G_VALUE_INIT;

  if (*text != '"')
    return g_strdup (text);
  g_value_init (&value, G_TYPE_STRING);
  g_value_set_string (&value, text);
  return gst_value_serialize (&value);
}

/* Within double quotes GStreamer takes all but these two as it is, and within single ones the shell
 * all but another. */
static gchar *
quote_all (const gchar *name, const gchar *value)
{
  GString *word = g_string_new (name);
  g_autofree gchar *serialized = serialize (value), *text = NULL;

  g_string_append (word, "=\"");
  for (const gchar *next = serialized; *next != '\0'; next++) {
    if (*next == '"' || *next == '\\')
      g_string_append_c (word, '\\');
    g_string_append_c (word, *next);
  }
  g_string_append_c (word, '"');
  text = g_string_free (word, FALSE);
  return g_shell_quote (text);
}

/* As people write it, where that will do. */
static void
add_property (GString *line, const gchar *name, const gchar *value)
{
  g_autofree gchar *quoted = NULL;

  if (value == NULL)
    return;
  if (*value != '\0' && consists_of (value, "-_.:/")) {
    g_string_append_printf (line, " %s=%s", name, value);
  } else if (*value != '\0' && consists_of (value, "-_.:/ ,")) {
    g_string_append_printf (line, " %s=\"%s\"", name, value);
  } else {
    quoted = quote_all (name, value);
    g_string_append_printf (line, " %s", quoted);
  }
}

/* Without a user and password, and without a query, which is where a key may stand. */
static void
add_address (GString *line, const gchar *name, const gchar *value)
{
  const GUriFlags flags = G_URI_FLAGS_PARSE_RELAXED | G_URI_FLAGS_ENCODED;
  g_autoptr (GUri) uri = value ? g_uri_parse (value, flags, NULL) : NULL;
  g_autofree gchar *text =
      uri ? g_uri_to_string_partial (uri, G_URI_HIDE_USERINFO | G_URI_HIDE_QUERY) : NULL;

  add_property (line, name, text);
}

static void
add_number (GString *line, const gchar *name, gint value, gint unset)
{
  if (value != unset)
    g_string_append_printf (line, " %s=%d", name, value);
}

/* The element's newest picture alone is sent, as here, though a file is no live source. */
#define AS_IF_LIVE " leaky=downstream timestamp-mode=arrival"

static const gchar *
add_source (GString *line, const LiveLaunch *launch)
{
  const gchar *more = "";

  if (launch->camera != LIVE_CAMERA_CLIP) {
    g_string_append (line, " v4l2src");
    if (launch->camera == LIVE_CAMERA_DEVICE)
      add_property (line, "device", launch->device);
    g_string_append (line, " ! decodebin");
  } else if (launch->clip != NULL) {
    g_string_append (line, " filesrc");
    add_property (line, "location", launch->clip);
    g_string_append (line, " ! decodebin ! videoconvert ! clocksync");
    more = AS_IF_LIVE;
  } else {
    g_string_append (line, " videotestsrc is-live=true pattern=ball");
  }
  return more;
}

/* As somebody would write it: GStreamer makes 0.80000000000000004 of 0.8. */
static gchar *
write_number (const GValue *value)
{
  gchar buffer[G_ASCII_DTOSTR_BUF_SIZE];

  return g_strdup (g_ascii_formatd (buffer, sizeof buffer, "%.15g", g_value_get_double (value)));
}

/* What was set on the page. */
static void
add_setting (GString *line, const GstStructure *settings, const gchar *name, const gchar *unless)
{
  const GValue *value = gst_structure_get_value (settings, name);
  g_autofree gchar *text = NULL;

  if (value == NULL)
    return;
  if (G_VALUE_HOLDS_STRING (value))
    text = g_value_dup_string (value);
  else if (G_VALUE_HOLDS_DOUBLE (value))
    text = write_number (value);
  else
    text = gst_value_serialize (value);
  if (g_strcmp0 (text, unless) != 0)
    add_property (line, name, text);
}

gchar *
live_launch_line (const LiveLaunch *launch)
{
  GString *line = g_string_new ("gst-launch-1.0");
  const gchar *more = add_source (line, launch);

  g_string_append_printf (line, " ! falrealtimefilter%s", more);
  add_property (line, "app", launch->app);
  add_address (line, "base-uri", launch->base_uri);
  add_property (line, "path", launch->path);
  add_address (line, "token-proxy-uri", launch->token_proxy_uri);
  add_property (line, "auth", launch->auth);
  if (launch->token)
    g_string_append (line, " token=\"$FAL_TOKEN\"");
  add_number (line, "width", launch->width, 0);
  add_number (line, "height", launch->height, 0);
  add_number (line, "throttle-interval", launch->throttle, -1);
  add_setting (line, launch->settings, "prompt", NULL);
  add_setting (line, launch->settings, "strength", NULL);
  add_setting (line, launch->settings, "seed", NULL);
  add_setting (line, launch->settings, "enabled", "true");
  add_setting (line, launch->settings, "fallback", "none");
  g_string_append (line, " ! videoconvert ! autovideosink");
  return g_string_free (line, FALSE);
}
