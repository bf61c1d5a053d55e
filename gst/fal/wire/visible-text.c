/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GLib's table of Unicode says which characters are seen. */
#include "visible-text.h"

#include <string.h>

static gboolean
is_visible (gunichar character)
{
  switch (g_unichar_type (character)) {
  case G_UNICODE_CONTROL:
  case G_UNICODE_FORMAT:
  case G_UNICODE_LINE_SEPARATOR:
  case G_UNICODE_PARAGRAPH_SEPARATOR:
  case G_UNICODE_PRIVATE_USE:
  case G_UNICODE_SURROGATE:
  case G_UNICODE_UNASSIGNED:
    return FALSE;
  default:
    return TRUE;
  }
}

/* What follows the part of @text that may stay as it is. */
static const gchar *
skip_visible (const gchar *text)
{
  while (*text != '\0') {
    gunichar character = g_utf8_get_char_validated (text, -1);

    if (character == (gunichar) -1 || character == (gunichar) -2 || !is_visible (character))
      break;
    text = g_utf8_next_char (text);
  }
  return text;
}

/* Writes out what stands at @text, and returns what follows it. */
static const gchar *
write_out (GString *out, const gchar *text)
{
  static const gchar named[] = "\n\r\t", letters[] = "nrt";
  const gchar *name = strchr (named, *text);
  gunichar character = g_utf8_get_char_validated (text, -1);
  gboolean is_utf8 = character != (gunichar) -1 && character != (gunichar) -2;

  if (name != NULL)
    g_string_append_printf (out, "\\%c", letters[name - named]);
  else if (!is_utf8 || character <= 0xff)
    g_string_append_printf (out, "\\x%02x", is_utf8 ? character : (guchar) *text);
  else
    g_string_append_printf (out, character > 0xffff ? "\\U%08x" : "\\u%04x", character);
  return is_utf8 ? g_utf8_next_char (text) : text + 1;
}

gboolean
fal_text_is_visible (const gchar *text)
{
  return *skip_visible (text) == '\0';
}

gchar *
fal_text_make_visible (const gchar *text)
{
  GString *out;

  if (text == NULL)
    return NULL;
  out = g_string_new (NULL);
  while (*text != '\0') {
    const gchar *rest = skip_visible (text);

    g_string_append_len (out, text, rest - text);
    text = *rest != '\0' ? write_out (out, rest) : rest;
  }
  return g_string_free (out, FALSE);
}

gchar *
fal_text_cut (const gchar *text, gsize max)
{
  g_autofree gchar *start = NULL;

  if ((gsize) g_utf8_strlen (text, -1) <= max)
    return g_strdup (text);
  start = g_utf8_substring (text, 0, max - 1);
  return g_strconcat (start, "…", NULL);
}
