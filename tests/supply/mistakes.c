/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What run-analyzers must find before it may say that there is nothing: it is read by them, and
 * never built. */
#include <stdlib.h>
#include <string.h>

char *free_twice (char *text);
int forget_zero (const char *text, const char *other);
int read_nothing (const int *number);

char *
free_twice (char *text)
{
  free (text);
  free (text);
  return NULL;
}

int
forget_zero (const char *text, const char *other)
{
  return strcmp (text, other) ? !strcmp (text, "a") : strcmp (text, other) == -1;
}

int
read_nothing (const int *number)
{
  return number == NULL ? *number : 0;
}
