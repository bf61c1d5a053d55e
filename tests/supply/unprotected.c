/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A library in which check-plugin must find all that it looks for: it has a buffer on the stack
 * that Debian's flags protect, is built with the opposite of them, and offers what nobody asked
 * for. */
#include <string.h>

int count_letters (const char *text);

int
count_letters (const char *text)
{
  char copy[64];

  strcpy (copy, text);
  return (int) strlen (copy);
}
