/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The form of request ids. Pure. */
#include "request-id.h"

#include <string.h>

/* Sets our ids apart from those that a server may give its results by itself. */
#define PREFIX "frame-"
/* Before the member. */
#define MARK '@'

/* Writes @number so that it ends before @end, and returns where it begins. */
static gchar *
write_number (gchar *end, guint64 number)
{
  do
    *--end = '0' + number % 10;
  while ((number /= 10) > 0);
  return end;
}

gchar *
fal_request_id_format (guint64 id, guint member)
{
  gchar text[] = PREFIX "18446744073709551615@4294967295"; /* the longest */
  gchar *end = text + strlen (text), *at = end;

  if (member != 0) {
    at = write_number (at, member);
    *--at = MARK;
  }
  at = write_number (at, id) - strlen (PREFIX);
  memcpy (at, PREFIX, strlen (PREFIX));
  return g_strndup (at, end - at);
}

/* Whether @text is a number from 1 to @most in digits alone. */
static gboolean
parse_number (const gchar *text, guint64 most, guint64 *number)
{
  guint64 sum = 0;

  for (; g_ascii_isdigit (*text); text++) {
    guint64 digit = *text - '0';

    if (sum > (most - digit) / 10)
      return FALSE;
    sum = 10 * sum + digit;
  }
  if (*text != '\0' || sum == 0)
    return FALSE;
  *number = sum;
  return TRUE;
}

gboolean
fal_request_id_parse (const gchar *text, guint64 *id)
{
  return strncmp (text, PREFIX, strlen (PREFIX)) == 0 &&
         parse_number (text + strlen (PREFIX), G_MAXUINT64, id);
}

gint64
fal_request_id_take_member (gchar *text)
{
  gchar *mark = text ? strrchr (text, MARK) : NULL;
  guint64 number;

  if (mark == NULL)
    return text && fal_request_id_parse (text, &number) ? 0 : -1;
  if (!parse_number (mark + 1, G_MAXUINT, &number))
    return -1;
  *mark = '\0';
  return number;
}
