/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The colours that a background may have, and the names of some. */
#include "background.h"

#include <string.h>

#define OPAQUE 0xff000000u

/* As CSS has them. */
static const struct {
  const gchar *name;
  guint32 argb;
} names[] = {
  { "black", 0xff000000 },
  { "white", 0xffffffff },
  { "gray", 0xff808080 },
  { "grey", 0xff808080 },
  { "red", 0xffff0000 },
  { "lime", 0xff00ff00 },
  { "green", 0xff008000 },
  { "blue", 0xff0000ff },
};

static gboolean
parse_name (const gchar *text, guint32 *argb)
{
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    if (g_ascii_strcasecmp (text, names[i].name) != 0)
      continue;
    *argb = names[i].argb;
    return TRUE;
  }
  return FALSE;
}

/* Whether @text is @digits hexadecimal digits and nothing else. */
static gboolean
parse_digits (const gchar *text, gsize digits, guint32 *number)
{
  if (strlen (text) != digits || strspn (text, "0123456789abcdefABCDEF") != digits)
    return FALSE;
  *number = (guint32) g_ascii_strtoull (text, NULL, 16);
  return TRUE;
}

static gboolean
parse_colour (const gchar *text, guint32 *argb)
{
  if (text[0] == '#' && parse_digits (text + 1, 6, argb)) {
    *argb |= OPAQUE;
    return TRUE;
  }
  if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
    return parse_digits (text + 2, 8, argb);
  return parse_name (text, argb);
}

gboolean
fal_background_parse (const gchar *text, FalBackground *background, GError **error)
{
  *background = (FalBackground) { .argb = OPAQUE };
  if (text == NULL || *text == '\0')
    return TRUE;
  background->blur = g_ascii_strcasecmp (text, "blur") == 0;
  if (background->blur || parse_colour (text, &background->argb))
    return TRUE;
  background->argb = OPAQUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
      "background is \"%s\", which is no colour. Write it like #20C040, 0xFF20C040 (alpha first), "
      "a name such as black, white, green or blue, or blur.",
      text);
  return FALSE;
}
