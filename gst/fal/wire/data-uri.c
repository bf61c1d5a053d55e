/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Data URIs and base64. Strict: GLib's decoder skips what is not base64, and half a picture would
 * come out. Used on any thread. */
#include "data-uri.h"
#include <gio/gio.h>
#include <string.h>

#define BASE64_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

gchar *
fal_data_uri_encode (const gchar *media_type, GBytes *image)
{
  g_autofree gchar *prefix =
      media_type ? g_strdup_printf ("data:%s;base64,", media_type) : g_strdup ("");
  gsize size, length = strlen (prefix);
  const guchar *data = g_bytes_get_data (image, &size);
  gchar *text = g_malloc (length + (size / 3 + 1) * 4 + 5);
  gint state = 0, save = 0;

  memcpy (text, prefix, length);
  length += g_base64_encode_step (data, size, FALSE, text + length, &state, &save);
  length += g_base64_encode_close (FALSE, text + length, &state, &save);
  text[length] = '\0';
  return text;
}

static GBytes *
decode_base64 (const gchar *text, GError **error)
{
  gsize length = strlen (text), letters = strspn (text, BASE64_LETTERS);
  gsize padding = length - letters, size;
  guchar *data;
  gint state = 0;
  guint save = 0;

  if (length == 0 || length % 4 != 0 || padding > 2 || strspn (text + letters, "=") != padding) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
        "a picture of %" G_GSIZE_FORMAT " characters is not base64", length);
    return NULL;
  }
  data = g_try_malloc (length / 4 * 3 + 3);
  if (data == NULL) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "no memory for a picture");
    return NULL;
  }
  size = g_base64_decode_step (text, length, data, &state, &save);
  return g_bytes_new_take (data, size);
}

/* @media: the data URI without "data:". Apps use only the base64 form. */
static GBytes *
decode_data_uri (const gchar *media, GError **error)
{
  static const gchar mark[] = ";base64,";
  gsize head = strcspn (media, ",") + 1; /* up to and with the comma */

  if (g_ascii_strncasecmp (media, "image/", strlen ("image/")) != 0 || head < sizeof mark ||
      g_ascii_strncasecmp (media + head - strlen (mark), mark, strlen (mark)) != 0) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
        "a data URI is not \"data:image/...;base64,...\"");
    return NULL;
  }
  return decode_base64 (media + head, error);
}

GBytes *
fal_data_uri_decode (const gchar *text, GError **error)
{
  static const gchar scheme[] = "data:";

  if (g_ascii_strncasecmp (text, scheme, strlen (scheme)) == 0)
    return decode_data_uri (text + strlen (scheme), error);
  return decode_base64 (text, error);
}
