/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of apps. Pure; used on any thread. */
#include "app-profiles.h"

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
      .start_fields = "start_frame", .wait_for_ready = TRUE },
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
