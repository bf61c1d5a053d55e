/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libFuzzer target: the response of a token server, and the claims of a token. */
#include "fal/wire/token-format.h"

#include <gst/gst.h>

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree gchar *text = g_strndup ((const gchar *) data, size);
  g_autofree gchar *claims = g_base64_encode (data, size);
  g_autofree gchar *jwt = g_strdup_printf ("e30.%s.x", claims);
  g_autofree gchar *token = NULL;

  if (!gst_is_initialized ())
    gst_init (NULL, NULL);
  token = fal_token_format_parse_reply ((const gchar *) data, size, NULL);
  g_assert_true (token == NULL || strpbrk (token, " \r\n&\"") == NULL);
  g_assert_cmpint (fal_token_format_get_expiry (text), >=, 0);
  g_assert_cmpint (fal_token_format_get_expiry (jwt), >=, 0);
  return 0;
}
