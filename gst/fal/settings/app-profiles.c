/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of apps. Pure; used on any thread. */
#include "app-profiles.h"
#include "edit-distance.h"

#include <string.h>

#define YES 1
#define NO 0
#define UNKNOWN (-1)

/* The apps that are known to speak the protocol. A row is for the ids that begin with its own, too:
 * "owner/alias/sub" takes the row of "owner/alias". */
static const FalAppProfile profiles[] = {
  { "fal-ai/flux-2/klein", NULL, "image_url", FAL_IMAGE_ENCODING_DATA_URI, NO, NULL, 704, 704, 50 },
  { "fal-ai/fast-lcm-diffusion", NULL, "image_bytes", FAL_IMAGE_ENCODING_BYTES, YES },
  { "fal-ai/fast-turbo-diffusion", NULL, "image_bytes", FAL_IMAGE_ENCODING_BYTES, YES },
  { "fal-ai/lcm-sd15-i2i", NULL, "image_url", FAL_IMAGE_ENCODING_DATA_URI, YES,
      .inputs = "{\"sync_mode\":true}" },
  { "fal-ai/lcm", NULL, "image_url", FAL_IMAGE_ENCODING_DATA_URI, YES,
      .inputs = "{\"sync_mode\":true}" },
  { "fal-ai/sd-turbo-real-time-high-fps-msgpack", "/ws", "image", FAL_IMAGE_ENCODING_BYTES, YES },
  { "fal-ai/birefnet", NULL, "image_bytes", FAL_IMAGE_ENCODING_BYTES, NO },
  { "fal-ai/live-portrait", NULL, "image_bytes", FAL_IMAGE_ENCODING_BYTES, YES,
      .start_fields = "initial_image_url", .feedback_fields = "x_d_0_info,r_d_0" },
  { "fal-ai/krea-wan-14b", "/ws", "image", FAL_IMAGE_ENCODING_BYTES, NO,
      .start_fields = "start_frame", .wait_for_ready = TRUE, .throttle_interval = 83,
      .block_size = 12, .first_block = 9 },
};

static const FalAppProfile unknown_app = { "", NULL, "image_url", FAL_IMAGE_ENCODING_DATA_URI,
  UNKNOWN };

/* How many bytes of @app the profile's id matches; 0: it is for another app. */
static gsize
match_app (const FalAppProfile *profile, const gchar *app)
{
  gsize length = strlen (profile->app);

  if (strncmp (app, profile->app, length) != 0)
    return 0;
  return app[length] == '\0' || app[length] == '/' ? length : 0;
}

const FalAppProfile *
fal_app_profile_find (const gchar *app)
{
  const FalAppProfile *best = &unknown_app;
  guint i;

  for (i = 0; app != NULL && i < G_N_ELEMENTS (profiles); i++) {
    if (match_app (&profiles[i], app) > strlen (best->app))
      best = &profiles[i];
  }
  return best;
}

/* ---- which app was meant ---- */

#define MAX_SUGGESTIONS 3
#define FAR G_MAXUINT

/* How many bytes the first @n segments of @path take. */
static gsize
measure_segments (const gchar *path, guint n)
{
  const gchar *end = path;

  while (n-- > 0 && end[0] != '\0')
    end += strcspn (end + 1, "/") + 1;
  return end - path;
}

static guint
count_slashes (const gchar *text)
{
  guint n = 0;

  for (; *text; text++)
    n += *text == '/';
  return n;
}

/* The distance of @known from the beginning of @text with as many segments. */
static guint
compare_beginning (const gchar *text, const gchar *known)
{
  g_autofree gchar *beginning =
      g_strndup (text, measure_segments (text, count_slashes (known) + 1));

  return fal_edit_distance (beginning, known);
}

/* Whether @id stands in @text between other segments, as in the address of a page. */
static gboolean
holds_id (const gchar *text, const gchar *id)
{
  const gchar *at = strstr (text, id);

  return at && (at == text || at[-1] == '/') && strchr ("/?#", at[strlen (id)]) != NULL;
}

/* How far the app is from @known; FAR: too far to be meant. A fifth of the letters after the owner
 * may be wrong, and the owner may be missing; with another owner all of them are to be right. */
static guint
measure (const gchar *app, const gchar *known)
{
  const gchar *alias = strchr (known, '/') + 1;
  const gchar *slash = strchr (app, '/');
  guint limit = MAX (1, strlen (alias) / 5);
  guint distance = MIN (compare_beginning (app, known), compare_beginning (app, alias));

  if (holds_id (app, known) || (g_str_has_prefix (known, app) && known[strlen (app)] == '/'))
    return 0;
  if (slash && compare_beginning (slash + 1, alias) == 0)
    distance = MIN (distance, limit);
  return distance <= limit ? distance : FAR;
}

/* Puts @known where it belongs among those that are nearer and farther. */
static void
rank (const gchar *known, guint distance, const gchar **near, guint *distances)
{
  guint i = MAX_SUGGESTIONS;

  for (; i > 0 && distance < distances[i - 1]; i--) {
    if (i == MAX_SUGGESTIONS)
      continue;
    near[i] = near[i - 1];
    distances[i] = distances[i - 1];
  }
  if (i == MAX_SUGGESTIONS)
    return;
  near[i] = known;
  distances[i] = distance;
}

gchar *
fal_app_profile_suggest (const gchar *app)
{
  const gchar *near[MAX_SUGGESTIONS + 1] = { NULL };
  guint distances[MAX_SUGGESTIONS] = { FAR, FAR, FAR };
  g_autofree gchar *list = NULL;

  if (app == NULL || *app == '\0' || fal_app_profile_find (app) != &unknown_app)
    return NULL;
  for (guint i = 0; i < G_N_ELEMENTS (profiles); i++)
    rank (profiles[i].app, measure (app, profiles[i].app), near, distances);
  if (near[0] == NULL)
    return NULL;
  list = g_strjoinv (" or ", (gchar **) near);
  return g_strdup_printf ("Did you mean %s?", list);
}
