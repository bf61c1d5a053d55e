/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The restricted Damerau-Levenshtein distance, by three rows of its table. */
#include "edit-distance.h"

#include <string.h>

typedef guint Row[FAL_EDIT_DISTANCE_MAX_LENGTH + 1];

static gboolean
is_same (gchar a, gchar b)
{
  return g_ascii_tolower (a) == g_ascii_tolower (b);
}

/* Fills @row, of the words' beginnings that end with a[i]; @above is that of a[i - 1], and @above2
 * that of a[i - 2]. */
static void
fill_row (const gchar *a, gsize i, const gchar *b, const Row above2, const Row above, Row row)
{
  row[0] = i + 1;
  for (gsize j = 0; b[j] != '\0'; j++) {
    guint best = above[j] + !is_same (a[i], b[j]);

    best = MIN (best, above[j + 1] + 1);
    best = MIN (best, row[j] + 1);
    if (i > 0 && j > 0 && is_same (a[i], b[j - 1]) && is_same (a[i - 1], b[j]))
      best = MIN (best, above2[j - 1] + 1);
    row[j + 1] = best;
  }
}

guint
fal_edit_distance (const gchar *a, const gchar *b)
{
  gsize n = strlen (a), m = strlen (b);
  Row rows[3] = { { 0 } };

  if (n > FAL_EDIT_DISTANCE_MAX_LENGTH || m > FAL_EDIT_DISTANCE_MAX_LENGTH)
    return G_MAXUINT;
  for (gsize j = 0; j <= m; j++)
    rows[2][j] = j; /* the row before the first */
  for (gsize i = 0; i < n; i++)
    fill_row (a, i, b, rows[(i + 1) % 3], rows[(i + 2) % 3], rows[i % 3]);
  return rows[(n + 2) % 3][m];
}
