/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From bytes to text, from markup to plain text, from that to inputs. */
#include "cue.h"
#include "value-json.h"
#include "visible-text.h"

#include <gio/gio.h>
#include <string.h>

/* @reason: what a parser says, which may hold what is not to be seen. */
static void
set_error (GError **error, const gchar *fault, const gchar *reason)
{
  g_autofree gchar *visible = reason ? fal_text_make_visible (reason) : NULL;

  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s%s%s", fault, visible ? ": " : "",
      visible ? visible : "");
}

/* The text of so many bytes, which are NULL where there are none; NULs may stand at its end, but
 * not within. */
static gchar *
read_text (const gchar *text, gsize size, GError **error)
{
  while (size > 0 && text[size - 1] == '\0')
    size--;
  if (size == 0)
    return g_strdup ("");
  if (size > FAL_CUE_MAX_BYTES)
    set_error (error, "is longer than 64 KiB", NULL);
  else if (!g_utf8_validate_len (text, size, NULL))
    set_error (error, "is not UTF-8 text", NULL);
  else
    return g_strndup (text, size);
  return NULL;
}

static void
on_text (
    GMarkupParseContext *context, const gchar *text, gsize size, gpointer plain, GError **error)
{
  g_string_append_len (plain, text, size);
}

/* @text (taken) without tags, with what its entities stand for. */
static gchar *
take_markup_out (gchar *text, GError **error)
{
  static const GMarkupParser parser = { .text = on_text };
  g_autofree gchar *document = g_strconcat ("<cue>", text, "</cue>", NULL);
  g_autoptr (GString) plain = g_string_new (NULL);
  g_autoptr (GMarkupParseContext) context =
      g_markup_parse_context_new (&parser, G_MARKUP_TREAT_CDATA_AS_TEXT, plain, NULL);
  g_autoptr (GError) fault = NULL;

  g_free (text);
  if (g_markup_parse_context_parse (context, document, -1, &fault) &&
      g_markup_parse_context_end_parse (context, &fault))
    return g_string_free (g_steal_pointer (&plain), FALSE);
  set_error (error, "is not Pango's markup", fault->message);
  return NULL;
}

/* Where a text begins as a JSON array does, it may still be a prompt, such as "[music]". */
static gboolean
is_json_array (const gchar *text)
{
  g_autofree gchar *object = g_strdup_printf ("{\"a\":%s}", text);
  g_autoptr (FalNames) names = fal_names_new (0);
  g_autoptr (GstStructure) map = fal_value_from_json_of_peer (object, -1, names, NULL);

  return *text == '[' && map != NULL;
}

static GstStructure *
parse_object (const gchar *text, FalNames *names, GError **error)
{
  g_autoptr (GError) fault = NULL;
  g_autoptr (GstStructure) map = fal_value_from_json_of_peer (text, -1, names, &fault);

  if (map == NULL) {
    set_error (error, "begins like a JSON object", fault->message);
    return NULL;
  }
  if (fal_names_take_dropped (names) == 0)
    return g_steal_pointer (&map);
  set_error (error,
      "names an input that is not taken, since its name is too long or there were too "
      "many different ones",
      NULL);
  return NULL;
}

GstStructure *
fal_cue_parse (const gchar *text, gsize size, gboolean markup, FalNames *names, GError **error)
{
  g_autofree gchar *plain = read_text (text, size, error);

  if (plain != NULL && markup)
    plain = take_markup_out (plain, error);
  if (plain == NULL)
    return NULL;
  g_strstrip (plain);
  if (*plain == '{')
    return parse_object (plain, names, error);
  if (is_json_array (plain)) {
    set_error (error, "is JSON, but not an object, {\"input\": value, …}", NULL);
    return NULL;
  }
  if (*plain == '\0')
    return gst_structure_new_empty ("map");
  return gst_structure_new ("map", "prompt", G_TYPE_STRING, plain, NULL);
}
