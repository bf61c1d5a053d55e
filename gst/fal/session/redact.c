/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Secrets that are known are found by their text, others by what stands before them, or by their
 * form. */
#include "redact.h"
#include <string.h>

/* Where a peer's text was cut off, see fal_text_cut(). */
#define CUT "…"
#define REPLACEMENT "[secret]"
/* Shorter text is no secret, and would be found in too many places. */
#define MIN_LENGTH 4

/* What follows these words; a JWT, wherever it stands; and user and password in an address. */
#define PATTERN                                                                                    \
  "(?<=fal_jwt_token=|fal_key_secret=|fal_key_id=|token=)[^&\\s\\\\\"']+"                          \
  "|(?<=Key |Bearer |Basic )[A-Za-z0-9._~+/=:-]{4,}"                                               \
  "|eyJ[A-Za-z0-9_-]{4,}\\.[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]*)?"                                     \
  "|(?<=://)[^/\\s@]+(?=@)"

/* Replaces the beginning of @secret where the text was cut off within it. */
static void
replace_beginning (GString *text, const gchar *secret)
{
  const gchar *mark = strstr (text->str, CUT);

  while (mark != NULL) {
    gsize at = mark - text->str, n = MIN (strlen (secret), at);

    while (n >= MIN_LENGTH && memcmp (text->str + at - n, secret, n) != 0)
      n--;
    if (n >= MIN_LENGTH) {
      g_string_erase (text, at - n, n);
      g_string_insert (text, at - n, REPLACEMENT);
      at += strlen (REPLACEMENT) - n;
    }
    mark = strstr (text->str + at + strlen (CUT), CUT);
  }
}

static void
replace (GString *text, const gchar *secret)
{
  if (strlen (secret) < MIN_LENGTH)
    return;
  g_string_replace (text, secret, REPLACEMENT, 0);
  replace_beginning (text, secret);
}

static void
replace_secret (GString *text, const gchar *secret)
{
  g_autofree gchar *escaped = g_uri_escape_string (secret, NULL, FALSE);
  const gchar *colon = strchr (secret, ':');

  replace (text, secret);
  replace (text, escaped);
  if (colon != NULL) {
    g_autofree gchar *id = g_strndup (secret, colon - secret);

    replace (text, colon + 1);
    replace (text, id);
  }
}

gchar *
fal_redact (const gchar *text, const gchar *const *secrets)
{
  g_autoptr (GRegex) regex = g_regex_new (PATTERN, 0, 0, NULL);
  GString *result = g_string_new (text);
  g_autofree gchar *without_known = NULL;
  gchar *clean;

  for (guint i = 0; secrets != NULL && secrets[i] != NULL; i++)
    replace_secret (result, secrets[i]);
  without_known = g_string_free (result, FALSE);
  clean = g_regex_replace_literal (regex, without_known, -1, 0, REPLACEMENT, 0, NULL);
  return clean ? clean : g_strdup (REPLACEMENT); /* NULL: it is not UTF-8 text */
}
