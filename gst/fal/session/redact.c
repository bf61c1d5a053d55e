/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Secrets: known ones by their letters, others by where they stand. Pure: used on any thread. */
#include "redact.h"
#include <string.h>

#define STAND_IN "[secret]"
/* What is shorter is no secret, and would be found everywhere. */
#define MIN_LENGTH 4

/* What follows the words, and a JWT wherever it stands. */
#define PATTERN                                                                                    \
  "(?<=fal_jwt_token=|fal_key_secret=|fal_key_id=|token=)[^&\\s\"']+"                              \
  "|(?<=Key |Bearer |Basic )[A-Za-z0-9._~+/=:-]{4,}"                                               \
  "|eyJ[A-Za-z0-9_-]{4,}\\.[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]*)?"                                     \
  "|(?<=://)[^/\\s@]+(?=@)"

static void
replace (GString *text, const gchar *secret)
{
  if (strlen (secret) >= MIN_LENGTH)
    g_string_replace (text, secret, STAND_IN, 0);
}

static void
replace_known (GString *text, const gchar *secret)
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
  GString *known = g_string_new (text);
  g_autofree gchar *left = NULL;
  gchar *clean;

  for (guint i = 0; secrets != NULL && secrets[i] != NULL; i++)
    replace_known (known, secrets[i]);
  left = g_string_free (known, FALSE);
  clean = g_regex_replace_literal (regex, left, -1, 0, STAND_IN, 0, NULL);
  return clean ? clean : g_strdup (STAND_IN); /* no text that a regex can read */
}
