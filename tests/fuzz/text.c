/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libFuzzer target: any bytes become text that can be shown, and stays what it is from then on. */
#include "fal/wire/visible-text.h"

#include <string.h>

#define MAX_TEXT 100

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree gchar *text = g_strndup ((const gchar *) data, size);
  g_autofree gchar *visible = fal_text_make_visible (text);
  g_autofree gchar *again = fal_text_make_visible (visible);
  g_autofree gchar *cut = fal_text_cut (visible, MAX_TEXT);

  g_assert_true (g_utf8_validate (visible, -1, NULL));
  g_assert_true (fal_text_is_visible (visible));
  g_assert_null (strpbrk (visible, "\n\r\t\x1b\x7f"));
  g_assert_cmpstr (again, ==, visible);
  g_assert_true (fal_text_is_visible (text) == (strcmp (text, visible) == 0));
  g_assert_cmpint (g_utf8_strlen (cut, -1), <=, MAX_TEXT);
  return 0;
}
