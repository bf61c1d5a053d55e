/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is known of each app, and of an unknown one. */
#include "fal/settings/app-profiles.h"

#include <gst/gst.h>

static const struct {
  const gchar *app;
  const gchar *row;
  const gchar *image_field;
  FalImageEncoding encoding;
  gint echoes;
  const gchar *path;
} known[] = {
  { "fal-ai/flux-2/klein/realtime", "fal-ai/flux-2/klein", "image_url", FAL_IMAGE_ENCODING_DATA_URI,
      0, NULL },
  { "fal-ai/flux-2/klein", "fal-ai/flux-2/klein", "image_url", FAL_IMAGE_ENCODING_DATA_URI, 0,
      NULL },
  { "fal-ai/flux-2", "", "image_url", FAL_IMAGE_ENCODING_DATA_URI, -1, NULL },
  { "fal-ai/fast-lcm-diffusion", "fal-ai/fast-lcm-diffusion", "image_bytes",
      FAL_IMAGE_ENCODING_BYTES, 1, NULL },
  { "fal-ai/fast-lcm-diffusion/image-to-image", "fal-ai/fast-lcm-diffusion", "image_bytes",
      FAL_IMAGE_ENCODING_BYTES, 1, NULL },
  { "fal-ai/fast-turbo-diffusion/image-to-image/realtime", "fal-ai/fast-turbo-diffusion",
      "image_bytes", FAL_IMAGE_ENCODING_BYTES, 1, NULL },
  { "fal-ai/lcm-sd15-i2i", "fal-ai/lcm-sd15-i2i", "image_url", FAL_IMAGE_ENCODING_DATA_URI, 1,
      NULL },
  { "fal-ai/lcm", "fal-ai/lcm", "image_url", FAL_IMAGE_ENCODING_DATA_URI, 1, NULL },
  { "fal-ai/lcm-other", "", "image_url", FAL_IMAGE_ENCODING_DATA_URI, -1, NULL },
  { "fal-ai/sd-turbo-real-time-high-fps-msgpack", "fal-ai/sd-turbo-real-time-high-fps-msgpack",
      "image", FAL_IMAGE_ENCODING_BYTES, 1, "/ws" },
  { "fal-ai/birefnet", "fal-ai/birefnet", "image_bytes", FAL_IMAGE_ENCODING_BYTES, 0, NULL },
  { "fal-ai/live-portrait", "fal-ai/live-portrait", "image_bytes", FAL_IMAGE_ENCODING_BYTES, 1,
      NULL },
  { "fal-ai/krea-wan-14b", "fal-ai/krea-wan-14b", "image", FAL_IMAGE_ENCODING_BYTES, 0, "/ws" },
  { "me/my-app", "", "image_url", FAL_IMAGE_ENCODING_DATA_URI, -1, NULL },
  { NULL, "", "image_url", FAL_IMAGE_ENCODING_DATA_URI, -1, NULL },
};

static void
test_known_apps_have_their_ways (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (known); i++) {
    const FalAppProfile *profile = fal_app_profile_find (known[i].app);

    g_assert_cmpstr (profile->app, ==, known[i].row);
    g_assert_cmpstr (profile->image_field, ==, known[i].image_field);
    g_assert_cmpint (profile->image_encoding, ==, known[i].encoding);
    g_assert_cmpint (profile->echoes_request_id, ==, known[i].echoes);
    g_assert_cmpstr (profile->path, ==, known[i].path);
    g_assert_null (profile->result_field);
  }
}

static void
test_klein_likes_a_size (void)
{
  const FalAppProfile *klein = fal_app_profile_find ("fal-ai/flux-2/klein/realtime");
  const FalAppProfile *unknown = fal_app_profile_find ("me/my-app");

  g_assert_cmpuint (klein->width, ==, 704);
  g_assert_cmpuint (klein->height, ==, 704);
  g_assert_cmpuint (klein->quality, ==, 50);
  g_assert_cmpuint (unknown->width + unknown->height + unknown->quality, ==, 0);
}

static void
test_krea_takes_blocks_at_a_rate (void)
{
  const FalAppProfile *krea = fal_app_profile_find ("fal-ai/krea-wan-14b");
  const FalAppProfile *unknown = fal_app_profile_find ("me/my-app");

  g_assert_cmpuint (krea->throttle_interval, ==, 83);
  g_assert_cmpuint (krea->block_size, ==, 12);
  g_assert_cmpuint (krea->first_block, ==, 9);
  g_assert_cmpuint (unknown->throttle_interval + unknown->block_size + unknown->first_block, ==, 0);
}

/* Who mistypes an id is asked about those that are near it, and nobody else. */
static void
test_near_apps_are_suggested (void)
{
  static const gchar *const rows[][2] = {
    { "fal-ai/fast-lcm-difusion", "Did you mean fal-ai/fast-lcm-diffusion?" },
    { "fal-ai/fast-lcm-difusion/image-to-image", "Did you mean fal-ai/fast-lcm-diffusion?" },
    { "fal-ai/fsat-lcm-diffusion", "Did you mean fal-ai/fast-lcm-diffusion?" },
    { "fal-ai/fast_lcm_diffusion", "Did you mean fal-ai/fast-lcm-diffusion?" },
    { "Fal-AI/Fast-LCM-Diffusion", "Did you mean fal-ai/fast-lcm-diffusion?" },
    { "fast-lcm-diffusion", "Did you mean fal-ai/fast-lcm-diffusion?" },
    { "fast-lcm-difusion", "Did you mean fal-ai/fast-lcm-diffusion?" },
    { "me/birefnet", "Did you mean fal-ai/birefnet?" },
    { "https://fal.ai/models/fal-ai/birefnet/api", "Did you mean fal-ai/birefnet?" },
    { "fal-ai/flux-2", "Did you mean fal-ai/flux-2/klein?" },
    { "fal-ai/flux-2/kleni/realtime", "Did you mean fal-ai/flux-2/klein?" },
    { "flux-2/klein", "Did you mean fal-ai/flux-2/klein?" },
    { "fal-ai/lcn", "Did you mean fal-ai/lcm?" },
    { "fal-ai/lcm", NULL },
    { "fal-ai/lcm/image-to-image", NULL },
    { "fal-ai/lcm-other", NULL },
    { "fal-ai/abc", NULL },
    { "me/biref", NULL },
    { "me/my-app", NULL },
    { "/", NULL },
    { "", NULL },
    { NULL, NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *text = fal_app_profile_suggest (rows[i][0]);

    g_test_message ("%s", rows[i][0]);
    g_assert_cmpstr (text, ==, rows[i][1]);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
#define ADD(name, test) g_test_add_func ("/app-profiles/" name, test)
  ADD ("known-apps-have-their-ways", test_known_apps_have_their_ways);
  ADD ("klein-likes-a-size", test_klein_likes_a_size);
  ADD ("krea-takes-blocks-at-a-rate", test_krea_takes_blocks_at_a_rate);
  ADD ("near-apps-are-suggested", test_near_apps_are_suggested);
  return g_test_run ();
}
